"""One page, three writers: what is set can be read again by programs that are not ours."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from hub.domain.face import CopyTerms
from hub.errors import HubError, Reason
from hub.proof.ofd.document import open_package
from hub.proof.ofd.xml import NAMESPACE
from hub.proof.reports.page_text import text_of
from hub.proof.reports.report import Kind
from hub.seal.faces import ofd, pdf, svg
from hub.seal.faces.document import set_face
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import SAMPLE, Face, Overlay, code_modules
from hub.seal.faces.page import Box, Shape, TextLine
from tests.seal.faces.samples import (
    CODE,
    IDENTIFIER,
    ISSUANCE,
    SHIPPED,
    VALUES,
    Sample,
    certificate_type,
    members,
    sample,
    template,
)

# 9.30 on the first of February 2026 in China, until the month is over.
COPY = CopyTerms(
    "",
    "办理食品经营许可",
    "杭州市政务服务中心",
    "窗口一",
    1_769_909_400_000_000,
    1_772_294_400_000_000,
)
OFD = f"{{{NAMESPACE}}}"


def pdf_text(data: bytes) -> str:
    """The text of the one page as pdfium copies it, without its line ends."""
    document = pypdfium2.PdfDocument(data)
    assert len(document) == 1
    text = document[0].get_textpage().get_text_range()
    return text.replace("\r", "").replace("\n", "")


def ofd_files(one: Sample, fonts: FaceFonts) -> dict[str, bytes]:
    """The files of the package, read back from its ZIP."""
    return dict(open_package(ofd.page_ofd(one.page, fonts, one.metadata).to_bytes()).files)


def set_lines(one: Sample) -> list[str]:
    return [item.text for item in one.page.items if isinstance(item, TextLine)]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_text_of_the_pdf_is_the_values(name: str, fonts: FaceFonts) -> None:
    """Selectable, searchable, Chinese: as pdfium, which others wrote, reads it."""
    one = sample(fonts, name)

    text = pdf_text(pdf.page_pdf(one.page, fonts, one.metadata))

    placed = {field.name for field in template(name).fields}
    shown = [value for key, value in VALUES.items() if key in placed and key != "establish_date"]
    for value in [*shown, IDENTIFIER, ISSUANCE.authority_title, "长期", template(name).title]:
        assert str(value).replace(" ", "") in text.replace(" ", "")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_text_of_the_ofd_is_the_same_line_for_line(name: str, fonts: FaceFonts) -> None:
    """Each line is one TextCode with an advance for every character but the last."""
    one = sample(fonts, name)

    page = ElementTree.fromstring(ofd_files(one, fonts)["Doc_0/Pages/Page_0/Content.xml"])

    codes = page.findall(f".//{OFD}TextCode")
    assert [code.text for code in codes] == set_lines(one)
    for code in codes:
        advances = code.get("DeltaX", "").split()
        assert len(advances) == len(code.text or "") - 1
        assert all(float(advance) > 0 for advance in advances)


def test_every_part_of_the_ofd_is_where_its_references_say(fonts: FaceFonts) -> None:
    """From the root to the font: paths, IDs and sizes agree."""
    one = sample(fonts)
    files = ofd_files(one, fonts)
    document = ElementTree.fromstring(files["Doc_0/Document.xml"])
    page = ElementTree.fromstring(files["Doc_0/Pages/Page_0/Content.xml"])
    shared = ElementTree.fromstring(files["Doc_0/PublicRes.xml"])
    media = ElementTree.fromstring(files["Doc_0/DocumentRes.xml"])

    root = ElementTree.fromstring(files["OFD.xml"])
    assert root.findtext(f".//{OFD}DocRoot") == "Doc_0/Document.xml"
    assert document.findtext(f".//{OFD}PhysicalBox") == "0 0 297 210"
    assert f"Doc_0/Res/{shared.findtext(f'.//{OFD}FontFile')}" in files
    assert f"Doc_0/Res/{media.findtext(f'.//{OFD}MediaFile')}" in files
    nodes = [node for tree in (document, page, shared, media) for node in tree.iter()]
    ids = [int(node.attrib["ID"]) for node in nodes if "ID" in node.attrib]
    assert len(ids) == len(set(ids))
    assert max(ids) <= int(document.findtext(f".//{OFD}MaxUnitID") or 0)
    font_id = shared.find(f".//{OFD}Font").attrib["ID"]  # type: ignore[union-attr]
    assert {node.attrib["Font"] for node in page.iter(f"{OFD}TextObject")} == {font_id}
    (image,) = page.iter(f"{OFD}ImageObject")
    assert image.attrib["ResourceID"] == media.find(f".//{OFD}MultiMedia").attrib["ID"]  # type: ignore[union-attr]
    whole = Box(0, 0, 297.001, 210.001)
    for node in page.iter():
        if "Boundary" in node.attrib:
            assert whole.holds(Box(*map(float, node.attrib["Boundary"].split())))


def test_the_metadata_names_the_certificate_in_both_files(fonts: FaceFonts) -> None:
    """GB/T 36903's short names as CustomDatas of the OFD and in the PDF's information and XMP."""
    one = sample(fonts)
    root = ElementTree.fromstring(ofd_files(one, fonts)["OFD.xml"])
    found = {node.attrib["Name"]: node.text for node in root.iter(f"{OFD}CustomData")}

    assert found == dict(one.metadata.items)
    assert found["ZZBS"] == IDENTIFIER
    assert found["ZZLXDM"] == "11100000MB0143028R001"
    assert found["CZZT"] == "杭州示例科技有限公司"
    assert found["CZZTDMLXDM"] == "001"
    assert found["ZZBFRQ"] == "20260131"
    assert "ZZYXQJZRQ" not in found
    data = pdf.page_pdf(one.page, fonts, one.metadata)
    document = pypdfium2.PdfDocument(data)
    assert document.get_metadata_value("ZZBS") == IDENTIFIER
    assert document.get_metadata_value("Title") == "营业执照"
    assert f"<ns1:ZZBS>{IDENTIFIER}".encode() in data or IDENTIFIER.encode() in data


def test_an_annotated_copy_says_so_on_its_face_and_in_its_metadata(fonts: FaceFonts) -> None:
    """Purpose, recipient and days lie across the face; the four items of a copy are there."""
    face = Face(template(), certificate_type(), fonts)
    made = set_face(face, VALUES, ISSUANCE, CODE, template="f", created=0, annotated=COPY)

    text = pdf_text(made.pdf())
    described, one = made.metadata, made

    assert "仅用于：办理食品经营许可" in text
    assert "提供给：杭州市政务服务中心" in text
    assert described.items["JZJZZSY"] == "办理食品经营许可"
    assert described.items["JZJZZSJ"] == "20260201093000"
    assert described.items["JZJYXQJZSJ"] == "20260301000000"
    assert "2026-02-01 制作" in text and "2026-02-28 前有效" in text
    last = [item for item in one.page.items if isinstance(item, TextLine)][-3:]
    assert {item.angle for item in last} == {25}
    assert all(item.colour.alpha < 0.5 for item in last)


def test_a_verifier_reads_the_same_lines_from_both_files(fonts: FaceFonts) -> None:
    """What `sealway verify --show` prints; names and values of one row stand in one line."""
    face = Face(template(), certificate_type(), fonts)
    made = set_face(face, VALUES, ISSUANCE, CODE, template="f", created=0)

    lines = text_of(made.pdf(), Kind.PDF)

    assert lines == text_of(made.ofd().to_bytes(), Kind.OFD)
    assert "营业执照" in lines
    assert any("杭州示例科技有限公司" in line for line in lines)


def test_only_the_glyphs_of_the_page_travel_and_their_licence_with_them(fonts: FaceFonts) -> None:
    """The font in the OFD: a subset, embeddable, with the words of its licence."""
    one = sample(fonts)

    cut = TTFont(io.BytesIO(ofd_files(one, fonts)["Doc_0/Res/font_0.ttf"]))

    assert set(cut.getBestCmap()) == set(map(ord, one.page.characters[0]))
    assert cut["OS/2"].fsType == 0
    assert "SIL Open Font License" in cut["name"].getDebugName(13)
    assert cut["name"].getDebugName(0).startswith("©")


def test_the_mark_lets_through_what_lies_below_it_in_ofd(fonts: FaceFonts) -> None:
    """At its colour, where ofdrw looks for it; nothing else on the page is transparent."""
    content = ofd_files(sample(fonts, overlay=SAMPLE), fonts)["Doc_0/Pages/Page_0/Content.xml"]
    colours = re.findall(rb'<ofd:FillColor Value="[0-9 ]+"(?: Alpha="(\d+)")?/>', content)
    marked = [int(alpha) for alpha in colours if alpha]

    assert len(marked) == content.count(b" Alpha=") == len(SAMPLE.lines)
    assert max(marked) < 128


def test_ofd_has_true_type_outlines_of_the_same_shapes(fonts: FaceFonts) -> None:
    """ofdrw draws no others. FreeType draws each glyph of both fonts alike but for the edges."""
    one = sample(fonts)
    characters = one.page.characters[0]
    font = fonts.files[0]

    data = ofd_files(one, fonts)["Doc_0/Res/font_0.ttf"]

    assert {"glyf", "loca", "CFF "} & {*TTFont(io.BytesIO(data)).keys()} == {"glyf", "loca"}
    assert data == font.true_type_subset(characters)
    theirs, ours = (
        ImageFont.truetype(io.BytesIO(one), 300) for one in (font.subset(characters), data)
    )
    for character in sorted(characters):
        assert ours.getlength(character) == theirs.getlength(character)
        drawn = []
        for one_font in (ours, theirs):
            image = Image.new("L", (360, 450))
            ImageDraw.Draw(image).text((30, 0), character, 255, one_font)
            drawn.append(image.resize((24, 30), Image.Resampling.BOX).tobytes())
        assert max(abs(a - b) for a, b in zip(*drawn, strict=True)) < 40, character


def test_equal_pages_give_equal_packages(fonts: FaceFonts) -> None:
    """A face can be made again and compared; another value is another file."""
    one = sample(fonts)
    data = ofd.page_ofd(one.page, fonts, one.metadata).to_bytes()

    again = sample(fonts)
    other = sample(fonts, address="浙江省杭州市示例路2号")

    assert ofd.page_ofd(again.page, fonts, again.metadata).to_bytes() == data
    assert ofd_files(other, fonts)["OFD.xml"] != ofd_files(one, fonts)["OFD.xml"]


def test_the_preview_looks_like_the_pdf(fonts: FaceFonts) -> None:
    """Our PNG and pdfium's picture of our PDF, made by two engines, differ only at edges."""
    one = sample(fonts, overlay=SAMPLE)
    ours = Image.open(io.BytesIO(svg.page_png(one.page, fonts, dpi=72))).convert("L")
    document = pypdfium2.PdfDocument(pdf.page_pdf(one.page, fonts, one.metadata))
    theirs = document[0].render(scale=1).to_pil().convert("L").resize(ours.size)

    coarse = (ours.width // 6, ours.height // 6)
    pairs = zip(ours.resize(coarse, 4).tobytes(), theirs.resize(coarse, 4).tobytes(), strict=True)
    assert max(abs(a - b) for a, b in pairs) < 60


def test_a_long_value_becomes_smaller_then_is_refused(fonts: FaceFonts) -> None:
    """It is made smaller down to size_min; what does not fit then is an error that names the
    field, and not its value."""
    longer = "软件开发；" * 90
    small = sample(fonts, scope=longer)
    lines = [item for item in small.page.items if isinstance(item, TextLine)]
    box = next(one.setting.box for one in template().fields if one.name == "scope")
    in_box = [one for one in lines if box.x - 0.01 <= one.x and box.y < one.y < box.bottom
              and one.x < box.right]  # fmt: skip

    assert "".join(one.text for one in in_box) == longer
    assert in_box[0].size < 4.6
    assert all(one.x + one.width <= box.right + 0.01 for one in in_box)
    with pytest.raises(HubError) as refused:
        sample(fonts, scope=longer * 4)
    assert refused.value.reason is Reason.FACE_OVERFLOW
    assert refused.value.details["field"] == "scope"
    assert "软件" not in str(refused.value)


def test_lines_break_where_chinese_allows_it(fonts: FaceFonts) -> None:
    """No line begins with a closing mark or ends with an opening one, and words stay whole."""
    one = sample(fonts, scope="（许可项目）：研发、生产《示例》Technology设备，销售；" * 12)
    lines = [text for text in set_lines(one) if "Technology" in text or "许可项目" in text]

    assert len(lines) > 5
    assert not any(text[0] in "，。、；：）》" or text[-1] in "（《" for text in lines)
    assert sum(text.count("Technology") for text in lines) == 12


def test_a_character_that_the_font_lacks_is_an_error_with_its_code_point(fonts: FaceFonts) -> None:
    """Never a silent box."""
    with pytest.raises(HubError) as refused:
        sample(fonts, name="杭州\ue123有限公司")

    assert refused.value.reason is Reason.FONT_GLYPH_MISSING
    assert refused.value.details["characters"] == "U+E123"


def test_the_code_stands_in_its_place_module_for_module(fonts: FaceFonts) -> None:
    """What is drawn is the matrix of the code, in a quiet zone, inside its box."""
    one = sample(fonts)
    shape = next(item for item in one.page.items if isinstance(item, Shape) and item.fill)
    rows = code_modules(CODE)
    module = template().code.width / (len(rows) + 8)
    corner = (template().code.x + 4 * module, template().code.y + 4 * module)

    drawn = [[0] * len(rows) for _ in rows]
    corners = [points for letter, points in shape.path if letter == "M"]
    sides = [points for letter, points in shape.path if letter == "L"][::3]
    for (x, y), (right, _) in zip(corners, sides, strict=True):
        row = round((y - corner[1]) / module)
        for column in range(round((x - corner[0]) / module), round((right - corner[0]) / module)):
            drawn[row][column] = 1

    assert drawn == rows
    assert template().code.holds(shape.box)
    assert module >= 0.4


def test_a_field_without_value_shows_what_the_template_says(fonts: FaceFonts) -> None:
    """A dash where one is asked for, nothing elsewhere."""
    one = sample(fonts, kind=None)

    assert "——" in set_lines(one)
    assert VALUES["kind"] not in set_lines(one)


def test_a_picture_of_the_template_is_in_all_three(fonts: FaceFonts) -> None:
    """A PNG with its transparency."""
    one = sample(fonts)
    files = ofd_files(one, fonts)
    (name,) = (path for path in files if path.endswith(".png"))

    with Image.open(io.BytesIO(files[name])) as image:
        assert image.getchannel("A").getextrema() == (0, 255)
    assert b"/SMask" in pdf.page_pdf(one.page, fonts, one.metadata)
    assert b"data:image/png" in svg.page_svg(one.page, fonts)


def test_a_restricted_font_is_refused(fonts: FaceFonts, tmp_path: Any) -> None:
    """A font whose licence forbids embedding or subsetting is not used, and the text says why."""
    cut = fonts.files[0].subset(frozenset("营业执照国"))
    for bits in (0x0002, 0x0100, 0x0200, 0x0108):
        changed = TTFont(io.BytesIO(cut))
        changed["OS/2"].fsType = bits
        changed.save(tmp_path / "font.otf")

        with pytest.raises(HubError) as refused:
            FaceFonts.open(str(tmp_path / "font.otf"))

        assert refused.value.reason is Reason.FONT_NOT_EMBEDDABLE
        assert refused.value.details["fs_type"] == f"{bits:#06x}"


RARE = "𫝀"


def with_rare_font(fonts: FaceFonts, kind: str, folder: Path) -> FaceFonts:
    """The same fonts with another file that has one character of the supplementary planes: with
    TrueType outlines, or with those of PostScript under names."""
    builder = FontBuilder(1000, isTTF=kind == "truetype")
    builder.setupGlyphOrder([".notdef", "han"])
    builder.setupCharacterMap({ord(RARE): "han"})
    if kind == "truetype":
        pen = TTGlyphPen(None)
        _ring(pen)
        builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "han": pen.glyph()})
    else:
        drawn, empty = T2CharStringPen(1000, None), T2CharStringPen(1000, None)
        _ring(drawn)
        glyphs = {".notdef": empty.getCharString(), "han": drawn.getCharString()}
        builder.setupCFF("RareHan", {}, glyphs, {})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "han": (1000, 100)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "RareHan", "fullName": "RareHan", "psName": "RareHan"})
    builder.setupOS2(fsType=0)
    builder.setupPost()
    builder.save(folder / "rare.otf")
    return FaceFonts([*fonts.files, *FaceFonts.open(str(folder / "rare.otf")).files])


def _ring(pen: Any) -> None:
    """A square with a bent side."""
    pen.moveTo((100, 0))
    pen.lineTo((900, 0))
    pen.qCurveTo((1000, 200), (1000, 600), (900, 800))
    pen.lineTo((100, 800))
    pen.closePath()


@pytest.mark.parametrize("kind", ["truetype", "named"])
def test_a_rare_character_comes_from_another_font(
    kind: str, fonts: FaceFonts, tmp_path: Path
) -> None:
    """A name that the main font cannot set: both files have two fonts, and read as one text."""
    name = f"欧阳{RARE}示例"
    with pytest.raises(HubError, match="U\\+2B740"):
        sample(fonts, legal_representative=name)

    both = with_rare_font(fonts, kind, tmp_path)
    one = sample(both, legal_representative=name, overlay=Overlay((f"提供给：{RARE}",)))

    parts = [(item.text, item.font) for item in one.page.items if isinstance(item, TextLine)]
    at = parts.index((RARE, 1))
    assert parts[at - 1 : at + 2] == [("欧阳", 0), (RARE, 1), ("示例", 0)]
    files = ofd_files(one, both)
    assert set(TTFont(io.BytesIO(files["Doc_0/Res/font_1.ttf"])).getBestCmap()) == {ord(RARE)}
    listed = ElementTree.fromstring(files["Doc_0/PublicRes.xml"]).findall(f".//{OFD}Font")
    page = ElementTree.fromstring(files["Doc_0/Pages/Page_0/Content.xml"])
    used = {node.attrib["Font"] for node in page.iter(f"{OFD}TextObject")}
    assert used == {node.attrib["ID"] for node in listed}
    assert name in pdf_text(pdf.page_pdf(one.page, both, one.metadata))
    lines = [item for item in one.page.items if isinstance(item, TextLine)]
    first, rare, last = lines[at - 1 : at + 2]
    assert rare.x == pytest.approx(first.x + first.width)
    assert last.x == pytest.approx(rare.x + rare.width)
    assert svg.page_png(one.page, both, dpi=40).startswith(b"\x89PNG")
    # Drawn as a filled shape by PDFium, where the text says that it stands.
    picture = pypdfium2.PdfDocument(pdf.page_pdf(one.page, both, one.metadata))[0].render(scale=3)
    x, y = (round(value * 3 * 72 / 25.4) for value in (rare.x + 2, rare.y - 1.5))
    assert picture.to_pil().convert("L").getpixel((x, y)) < 60


@pytest.mark.parametrize("data", [b"", b"no font", b"ttcf\x00\x01\x00\x00\x00\x00\x00\x09"])
def test_a_file_that_is_no_font_is_refused(data: bytes, tmp_path: Any) -> None:
    """With its name, and what to install."""
    file = tmp_path / "font.ttc"
    file.write_bytes(data)

    with pytest.raises(HubError) as refused:
        FaceFonts.open(str(file))

    assert refused.value.reason is Reason.FONT_MISSING
    with pytest.raises(HubError, match="not there"):
        FaceFonts.open(str(tmp_path / "absent.otf"))


def test_the_same_template_with_other_boxes_moves_its_text(fonts: FaceFonts) -> None:
    """Right and centre, bottom and middle."""
    fields = [
        {**one, "align": "right", "valign": "bottom", "box": "56 66 98 10"}
        if one["field"] == "name" else one
        for one in members()["fields"]
    ]  # fmt: skip
    page = Face(template(fields=fields), certificate_type(), fonts).page(VALUES, ISSUANCE, CODE)

    placed = next(item for item in page.items if isinstance(item, TextLine)
                  and item.text == VALUES["name"])  # fmt: skip
    assert placed.x + placed.width == pytest.approx(154)
    assert 74 < placed.y < 76
    assert json.dumps(dataclasses.asdict(page.seal))
