"""Marks on OFD of departments: an annotation on every page, and nobody's seal or action stays."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hub.errors import HubError
from hub.proof.faces.facts import FACE_ITEM, IDENTIFIER_ITEM, ofd_facts
from hub.proof.ofd.document import Package, open_package, read_document
from hub.proof.ofd.xml import parse_xml
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind
from hub.proof.run import Evidence
from hub.proof.verify import verify
from hub.seal.documents.marked_ofd import MarkedOfd, mark_ofd
from hub.seal.documents.marked_pdf import MarkRefusedError, Refusal
from hub.seal.documents.marking import read_ofd
from hub.seal.documents.ofd_seal import StampPlace
from hub.seal.documents.source_ofd import read_source
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Overlay, set_overlay
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.page import Box, Colour, TextLine
from hub.seal.faces.template import Watermark
from tests.chinese_font import needs_font
from tests.ofd_sealing import PLACE, TIME, Office
from tests.proof import ofd_samples as samples

WORDS = "仅用于：办理许可"
METADATA = Metadata("title", "author", 1, {IDENTIFIER_ITEM: "identifier", FACE_ITEM: "document x"})
DOCUMENT = "Doc_0/Document.xml"
PAGE_ANNOTATIONS = "Doc_0/SealwayMark/Page_0.xml"
ACTIVE = Refusal.ACTIVE


@pytest.fixture(scope="module")
def fonts() -> FaceFonts:
    return FaceFonts.open(str(needs_font()))


def marked(data: bytes, fonts: FaceFonts) -> MarkedOfd:
    def lines(box: Box) -> tuple[TextLine, ...]:
        place = Watermark(box, 14, 25, Colour(255, 0, 0))
        return tuple(set_overlay(Overlay((WORDS,)), place, fonts))

    return mark_ofd(read_source(data), lines, fonts, METADATA)


def annotations(files: Mapping[str, bytes]) -> list[str]:
    """The words of the marks, page by page."""
    document = read_document(Package.of(files))
    listed = parse_xml(files["Doc_0/SealwayMark/Annotations.xml"], "a", "Annotations").all("Page")
    assert [one.attribute("PageID") for one in listed] == list(document.pages)
    found = []
    for page in listed:
        name = f"Doc_0/SealwayMark/{page.one('FileLoc').value()}"
        annotation = parse_xml(files[name], name, "PageAnnot").all("Annot")[-1]
        assert annotation.attribute("Type") == "Watermark"
        objects = annotation.one("Appearance").all("TextObject")
        found.append("".join(one.one("TextCode").text for one in objects))
    return found


def changed(name: str, old: bytes, new: bytes) -> bytes:
    """The sample with one place changed."""
    package = samples.package()
    assert old in package.files[name]
    return samples.changed(package, name, package.files[name].replace(old, new)).to_bytes()


def test_a_sealed_document_is_marked_and_loses_its_seals(fonts: FaceFonts) -> None:
    """What its pages say stays, byte for byte; the metadata are those of the copy."""
    brought = Office.open().sealed(samples.package(), [PLACE])

    assert read_ofd(brought.to_bytes()) == read_source(brought.to_bytes())
    made = marked(brought.to_bytes(), fonts)

    document = read_document(open_package(made.package.to_bytes()))
    assert document.signatures == ()
    assert not [name for name in made.package.files if "Sign" in name]
    assert list(document.texts()) == [samples.TEXT]
    assert made.package.files[samples.PAGE] == samples.package().files[samples.PAGE]
    assert annotations(made.package.files) == [WORDS]
    facts = ofd_facts(document.package)
    assert facts is not None and (facts.identifier, facts.face) == ("identifier", "document x")


def test_the_mark_is_found_from_the_root(fonts: FaceFonts) -> None:
    """ofdrw finds it by no other path, and then draws none."""
    made = marked(samples.package().to_bytes(), fonts)

    document = parse_xml(made.package.files[DOCUMENT], DOCUMENT, "Document")
    *_, resources = document.one("CommonData").all("PublicRes")
    assert resources.value() == "/Doc_0/SealwayMark/Res.xml"
    assert document.one("Annotations").value() == "/Doc_0/SealwayMark/Annotations.xml"


def test_every_identifier_is_of_one_object(fonts: FaceFonts) -> None:
    files = marked(samples.package().to_bytes(), fonts).package.files
    common = parse_xml(files[DOCUMENT], DOCUMENT, "Document").one("CommonData")
    found = [
        int(text.split(b'"')[1])
        for name, data in files.items()
        if name.endswith(".xml")
        for text in data.split(b" ID=")[1:]
    ]

    assert len(found) == len(set(found))
    assert max(found) <= int(common.one("MaxUnitID").value())


def test_what_is_seen_stays_and_nothing_else_leaves(fonts: FaceFonts) -> None:
    """A department's own stamps stay under the mark, with what they draw. Attachments, tags and
    outlines stay behind, and so does every file that no page draws with."""
    files = marked(samples.annotated().to_bytes(), fonts).package.files

    assert annotations(files) == [WORDS]
    stamp, mark = parse_xml(files[PAGE_ANNOTATIONS], "a", "PageAnnot").all("Annot")
    assert (stamp.attribute("ID"), stamp.attribute("Type")) == ("5", "Stamp")
    assert stamp.one("Appearance").one("TextObject").one("TextCode").text == " 已 验 <"
    assert mark.attribute("Creator") == "Sealway"
    assert files["Doc_0/Res/stamp.png"] == b"picture"
    others = {name for name in files if "SealwayMark" not in name}
    assert others == {
        "OFD.xml",
        DOCUMENT,
        samples.PAGE,
        "Doc_0/PublicRes.xml",
        "Doc_0/Res/stamp.png",
    }


def test_what_was_noted_on_a_page_that_is_not_there_is_nowhere(fonts: FaceFonts) -> None:
    files = marked(samples.annotated(page=b"2").to_bytes(), fonts).package.files

    assert len(parse_xml(files[PAGE_ANNOTATIONS], "a", "PageAnnot").all("Annot")) == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"PK\x03\x04 nothing", Refusal.DAMAGED),
        (
            changed(DOCUMENT, b"</ofd:Document>", b"<ofd:Actions/></ofd:Document>"),
            ACTIVE,
        ),
        (changed(samples.PAGE, b"</ofd:TextObject>", b"<ofd:Actions/></ofd:TextObject>"), ACTIVE),
        (samples.annotated(b"<ofd:Actions/>").to_bytes(), ACTIVE),
        (changed(samples.PAGE, b"</ofd:Page>", b"<ofd:Actions/></ofd:Page>"), ACTIVE),
        (changed(DOCUMENT, b"<ofd:MaxUnitID>", b"<ofd:MaxUnitID>99999999999"), Refusal.DAMAGED),
        (changed(DOCUMENT, b"<ofd:PhysicalBox>0 0 ", b"<ofd:PhysicalBox>0 0 9"), Refusal.PAGES),
        (changed(DOCUMENT, b"<ofd:PhysicalBox>0 0 ", b"<ofd:PhysicalBox>0 x "), Refusal.DAMAGED),
    ],
)
def test_what_acts_or_is_damaged_is_refused(
    fonts: FaceFonts, data: bytes, expected: Refusal
) -> None:
    with pytest.raises(MarkRefusedError) as caught:
        marked(data, fonts)

    assert caught.value.refusal is expected
    with pytest.raises(HubError) as told:
        read_ofd(data)
    assert (told.value.reason, told.value.details["rule"]) == ("COPY_NOT_MADE", expected.value)


def test_the_seal_covers_the_mark(fonts: FaceFonts) -> None:
    """Without it the document is not what was sealed."""
    made = marked(samples.package().to_bytes(), fonts)
    sealed = Office.open().sealed(made.package, [StampPlace(1, 20, 20, 40, 40)], closing=True)
    stripped = samples.without(sealed, "Doc_0/SealwayMark/Page_0.xml")

    reports = [
        verify(one.to_bytes(), Kind.OFD, None, Evidence(now=int(TIME.timestamp())))
        for one in (sealed, stripped)
    ]

    assert [step.reason for step in reports[0].steps if step.verdict is Verdict.INVALID] == []
    assert reports[1].verdict is Verdict.INVALID
