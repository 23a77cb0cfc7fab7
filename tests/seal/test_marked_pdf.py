"""Marks on documents of others: over every page, whatever turns it, and nothing that acts stays."""

from __future__ import annotations

import dataclasses
import io

import pypdfium2
import pytest
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from hub.errors import HubError, Reason
from hub.seal.documents import marking
from hub.seal.documents.marked_pdf import MarkedPdf, MarkRefusedError, Refusal, mark_document
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Overlay, set_overlay
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.page import Box, Colour, Page
from hub.seal.faces.pdf import page_pdf
from hub.seal.faces.template import Watermark
from tests.chinese_font import needs_font
from tests.pdf_documents import appended, assemble, page, stream

PDF = "application/pdf"
_BOX = Box(0, 0, 170, 110)
_CATALOG = b"<< /Type /Catalog /Pages 2 0 R %s >>"
_PAGE = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> %s >>"


@pytest.fixture(scope="module")
def over() -> bytes:
    """A page to be put over others, red."""
    fonts = FaceFonts.open(str(needs_font()))
    place = Watermark(_BOX, 14, 25, Colour(255, 0, 0))
    lines = set_overlay(Overlay(("仅用于：办理许可",)), place, fonts)
    described = Metadata("title", "author", 1, {"ZZBS": "identifier"})
    return page_pdf(Page(170, 110, tuple(lines), _BOX, _BOX), fonts, described)


def pages(*kids: bytes, catalog: bytes = b"", tree: bytes = b"") -> bytes:
    """A PDF of pages with these entries, each of one line of text."""
    first = 6
    references = b" ".join(b"%d 0 R" % (first + number) for number in range(len(kids)))
    return assemble(
        [
            _CATALOG % catalog,
            b"<< /Type /Pages /Kids [%s] /Count %d %s >>" % (references, len(kids), tree),
            b"null",
            stream(b"BT /F 18 Tf 72 300 Td (What it says) Tj ET"),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *[_PAGE % kid for kid in kids],
        ]
    )


def words(marked: MarkedPdf) -> list[str]:
    return [one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(marked.data)]


def refusal(data: bytes, over: bytes, media_type: str = PDF) -> Refusal:
    with pytest.raises(MarkRefusedError) as caught:
        mark_document(data, media_type, over)
    return caught.value.refusal


A5 = b"/MediaBox [0 0 420 595]"


def test_every_page_is_marked_and_keeps_what_it_says(over: bytes) -> None:
    """Inherited boxes, turned pages, a page that closes more than it opened."""
    data = pages(A5, b"/Rotate 90", b"/Rotate 180 /CropBox [0 100 420 500]", tree=A5)

    marked = mark_document(data, PDF, over)

    assert [("What it says" in one, "办理许可" in one) for one in words(marked)] == [
        (True, True)
    ] * 3
    sizes = [tuple(map(round, one.get_size())) for one in pypdfium2.PdfDocument(marked.data)]
    assert sizes == [(420, 595), (595, 420), (420, 400)]
    assert (round(marked.width), round(marked.height)) == (420, 595)
    assert PdfFileReader(io.BytesIO(marked.data)).trailer_view["/Info"]["/ZZBS"] == "identifier"


@pytest.mark.parametrize(
    "content", [b"Q Q Q", b"q q q", b"0 0 0 0 k /No gs", b"BT (", b"0 0 1 1 re W n"]
)
def test_no_content_of_a_page_keeps_the_mark_away(over: bytes, content: bytes) -> None:
    """Closed too often, never closed, clipped to nothing: the mark is red on white all the same."""
    data = appended(page(), {4: stream(content)})

    marked = mark_document(data, PDF, over)

    image = pypdfium2.PdfDocument(marked.data)[0].render(scale=1).to_pil().convert("RGB")
    pixels = zip(*[iter(image.tobytes())] * 3, strict=True)
    assert sum(red > 200 and green < 210 for red, green, _ in pixels) > 200


def test_what_annotations_show_stays_and_they_do_not(over: bytes) -> None:
    """A filled form becomes part of the page: nobody fills it anew."""
    shown = stream(
        b"BT /F 12 Tf 2 5 Td (Filled in) Tj ET",
        b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F 5 0 R >> >>",
    )
    note = b"<< /Type /Annot /Subtype /Widget /Rect [72 400 272 420] /F 4 /AP << /N 8 0 R >> >>"
    hidden = note.replace(b"/F 4", b"/F 2").replace(b"[72 400 272 420]", b"[72 100 272 120]")
    data = pages(A5 + b" /Annots [7 0 R 9 0 R]")
    data = appended(data, {7: note, 8: shown, 9: hidden})

    (said,) = words(marked := mark_document(data, PDF, over))

    assert said.count("Filled in") == 1
    assert "/Annots" not in PdfFileReader(io.BytesIO(marked.data)).root["/Pages"]["/Kids"][0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7 nothing", Refusal.DAMAGED),
        (b"", Refusal.DAMAGED),
        (page()[:300], Refusal.DAMAGED),
        (pages(A5, catalog=b"/OpenAction << /S /JavaScript /JS (1) >>"), Refusal.ACTIVE),
        (pages(A5, catalog=b"/AA << /WC << /S /JavaScript /JS (1) >> >>"), Refusal.ACTIVE),
        (pages(A5, catalog=b"/Names << /JavaScript << /Names [] >> >>"), Refusal.ACTIVE),
        (pages(A5, catalog=b"/Names << /EmbeddedFiles << /Names [] >> >>"), Refusal.ACTIVE),
        (pages(A5 + b"/AA << /O << /S /JavaScript /JS (1) >> >>"), Refusal.ACTIVE),
        (
            pages(A5 + b"/Annots [<< /Subtype /Link /Rect [0 0 1 1] /A << /S /Launch >> >>]"),
            Refusal.ACTIVE,
        ),
        (pages(A5, catalog=b"/AcroForm << /XFA [] /Fields [] >>"), Refusal.XFA),
        (pages(A5, catalog=b"/OCProperties << >>"), Refusal.LAYERS),
        (pages(), Refusal.PAGES),
        (pages(*[A5] * 101), Refusal.PAGES),
        (pages(b"/MediaBox [0 0 99999 10]"), Refusal.PAGES),
        (pages(b"/MediaBox [0 0 0 0]"), Refusal.PAGES),
        (pages(b""), Refusal.DAMAGED),
        (pages(A5 + b"/Rotate 7"), Refusal.DAMAGED),
    ],
)
def test_what_acts_or_looks_different_in_each_reader_is_refused(
    over: bytes, data: bytes, expected: Refusal
) -> None:
    assert refusal(data, over) is expected


def test_a_tree_of_pages_that_holds_itself_ends(over: bytes) -> None:
    data = appended(page(), {3: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1 >>"})

    assert refusal(data, over) in (Refusal.DAMAGED, Refusal.PAGES)


def test_an_encrypted_document_is_refused(over: bytes) -> None:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(page())))
    writer.encrypt(owner_pass="owner", user_pass="")
    out = io.BytesIO()
    writer.write(out)

    assert refusal(out.getvalue(), over) is Refusal.ENCRYPTED


def test_scans_of_each_kind_and_of_several_pages_are_marked(over: bytes) -> None:
    """What shows through is white; a picture that claims to be huge is not drawn."""
    glass = Image.new("RGBA", (300, 400), (0, 0, 0, 0))
    grey = Image.new("L", (400, 300), 200)
    for kind, frames, count in (("PNG", [], 1), ("TIFF", [grey], 2), ("TIFF", [], 1)):
        out = io.BytesIO()
        glass.save(out, kind, **({"save_all": True, "append_images": frames} if frames else {}))
        marked = mark_document(out.getvalue(), f"image/{kind.lower()}", over)
        document = pypdfium2.PdfDocument(marked.data)
        assert len(document) == count and all("办理许可" in one for one in words(marked))
        assert document[0].render(scale=0.2).to_pil().convert("RGB").getpixel((2, 2)) > (
            240,
            240,
            240,
        )
    huge = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(huge, "PNG")
    assert refusal(huge.getvalue(), over, "image/png") is Refusal.TOO_LARGE
    assert refusal(b"nothing", over, "image/png") is Refusal.DAMAGED
    assert refusal(b"PK\x03\x04", over, "application/ofd") is Refusal.FORMAT


def test_the_process_answers_refuses_and_is_ended(
    over: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same as in the same process; what takes too long or too much ends as a refusal."""
    assert words(marking.mark(page(), PDF, over))
    for data, rule in (
        (page()[:300], "damaged"),
        (bytes(marking.SOURCE_BYTES_MAX + 1), "too-large"),
    ):
        with pytest.raises(HubError) as caught:
            marking.mark(data, PDF, over)
        assert (caught.value.reason, caught.value.details["rule"]) == (Reason.COPY_NOT_MADE, rule)
    monkeypatch.setattr(marking, "PROCESS", dataclasses.replace(marking.PROCESS, wall_s=0.01))
    with pytest.raises(HubError) as caught:
        marking.mark(page(), PDF, over)
    assert caught.value.details["rule"] == "limits"
