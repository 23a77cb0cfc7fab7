"""A document with a mark on every page: what an annotated copy is where no face is set.

Each page becomes a picture in the sense of PDF (a form XObject) of what a reader saw, forms and
comments included, with the mark over it; so nothing behind can be uncovered by cutting the file
off, and nothing in it acts. What would look different from reader to reader is refused.

These functions read what others made: they run in a process of their own (`marking.py`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final

from PIL import Image, ImageSequence
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from hub.proof.pdf.file import bounded_reader, damaged

PAGES_MAX: Final = 100
POINTS_PER_MM: Final = 72 / 25.4
SIDE_POINTS_MAX: Final = 14_400
"""ISO 32000-2, Annex C.2: no reader need open a larger page."""
PIXELS_MAX: Final = 60_000_000
SCAN_SIDE_PIXELS_MAX: Final = 3_508
"""A4 at 300 dots per inch: a scan is made no finer than it can be printed."""
SCAN_SIDE_POINTS: Final = 297 * POINTS_PER_MM
_QUALITY: Final = 88
_DEPTH_MAX: Final = 32
_ANNOTATIONS_MAX: Final = 2_000
# Invisible, hidden, not viewed (ISO 32000-2 §12.5.3).
_UNSEEN: Final = 1 | 2 | 32
_MEDIA_TYPES: Final = ("application/pdf", "image/png", "image/jpeg", "image/tiff")
_PICTURES: Final = ("PNG", "JPEG", "TIFF")


class Refusal(StrEnum):
    """Why a document is not marked; the values are said to callers (`marking.RULES`)."""

    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    ACTIVE = "active"
    XFA = "xfa"
    LAYERS = "layers"
    PAGES = "pages"
    TOO_LARGE = "too-large"
    FORMAT = "format"
    LIMITS = "limits"


class MarkRefusedError(Exception):
    """A document that is not marked."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.value)


@dataclass(frozen=True, slots=True)
class MarkedPdf:
    """A PDF whose pages are all marked; the size is that of the first, in points."""

    data: bytes = field(repr=False)
    width: float
    height: float


def mark_document(data: bytes, media_type: str, mark: bytes) -> MarkedPdf:
    """`data` with the one page of the PDF `mark` over each of its pages, as large as fits, and with
    the document information of `mark` and no other. Raises MarkRefusedError."""
    if media_type not in _MEDIA_TYPES:
        raise MarkRefusedError(Refusal.FORMAT)
    try:
        if media_type == "application/pdf":
            return _marked(mark, partial(_pages, reader=bounded_reader(data)))
        return _marked(mark, partial(_scans, data=data))
    except Image.DecompressionBombError as error:
        raise MarkRefusedError(Refusal.TOO_LARGE) from error
    except (OSError, SyntaxError) as error:
        raise MarkRefusedError(Refusal.DAMAGED) from error
    except damaged() as error:
        raise MarkRefusedError(Refusal.DAMAGED) from error


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page as it will stand: upright, its corner at the origin; `paint` draws it by the names
    of `objects`."""

    width: float
    height: float
    paint: bytes
    objects: dict[str, Any]


def _at(dictionary: Any, name: str) -> Any:
    """An entry, references followed; None where it is not there."""
    # What `get` of pyHanko gives back is a reference.
    return dictionary[name] if name in dictionary else None  # noqa: SIM401


def _raw(dictionary: Any, name: str) -> Any:
    """An entry as it stands: a reference stays one."""
    return dictionary.raw_get(name) if name in dictionary else None


# -- Pages of a PDF --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the tree with what it inherits."""

    dictionary: Any
    inherited: dict[str, Any]

    def get(self, name: str) -> Any:
        """An entry, as it stands: a reference stays one."""
        found = _raw(self.dictionary, name)
        return self.inherited.get(name) if found is None else found


_INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")


def _pages(writer: PdfFileWriter, reader: PdfFileReader) -> Iterator[_Sheet]:
    if reader.encrypted:
        raise MarkRefusedError(Refusal.ENCRYPTED)
    root = reader.root
    _check_passive(root)
    pages = list(_walk(root["/Pages"], {}, _DEPTH_MAX))
    if not 1 <= len(pages) <= PAGES_MAX:
        raise MarkRefusedError(Refusal.PAGES)
    # All at once: what pages share is imported once.
    wanted = generic.ArrayObject(map(_wanted, pages))
    wanted.container_ref = root.container_ref
    imported: Any = writer.import_object(wanted)
    for page, one in zip(pages, imported, strict=True):
        yield _sheet(writer, page, one)


def _walk(node: Any, inherited: dict[str, Any], depth: int) -> Iterator[_Page]:
    if depth == 0:
        raise MarkRefusedError(Refusal.DAMAGED)
    if "/Kids" not in node:
        yield _Page(node, inherited)
        return
    passed = inherited | {name: node.raw_get(name) for name in _INHERITED if name in node}
    count = 0
    for kid in node["/Kids"]:
        for page in _walk(kid.get_object(), passed, depth - 1):
            count += 1
            if count > PAGES_MAX:
                raise MarkRefusedError(Refusal.PAGES)
            yield page


def _wanted(page: _Page) -> generic.DictionaryObject:
    """What travels of a page beside its content."""
    travels = {"/Resources": page.get("/Resources"), "/Group": page.get("/Group")}
    appearances = generic.ArrayObject(
        generic.ArrayObject([generic.ArrayObject(map(generic.FloatObject, place)), appearance])
        for place, appearance in _appearances(page)
    )
    return generic.DictionaryObject(
        {
            pdf_name("/Appearances"): appearances,
            **{pdf_name(name): value for name, value in travels.items() if value is not None},
        }
    )


def _check_passive(root: Any) -> None:
    """Nothing in the document acts, and it looks the same in every reader."""
    form = _at(root, "/AcroForm")
    if form is not None and "/XFA" in form:
        raise MarkRefusedError(Refusal.XFA)
    if "/OCProperties" in root:
        raise MarkRefusedError(Refusal.LAYERS)
    names, opened = _at(root, "/Names") or {}, _at(root, "/OpenAction")
    # An array is a place to begin at.
    acts = isinstance(opened, generic.DictionaryObject) and _at(opened, "/S") != "/GoTo"
    if acts or "/AA" in root or "/JavaScript" in names or "/EmbeddedFiles" in names:
        raise MarkRefusedError(Refusal.ACTIVE)


def _check_page(page: Any) -> None:
    if "/AA" in page:
        raise MarkRefusedError(Refusal.ACTIVE)


_LINKS: Final = ("/GoTo", "/URI", "/Named", "/GoToR")


def _check_annotation(annotation: Any) -> None:
    action = _at(annotation, "/A")
    if "/AA" in annotation or (action is not None and _at(action, "/S") not in _LINKS):
        raise MarkRefusedError(Refusal.ACTIVE)


def _sheet(writer: PdfFileWriter, page: _Page, imported: Any) -> _Sheet:
    """The page, and over it what its annotations show, turned upright."""
    _check_page(page.dictionary)
    x, y, right, top = _visible(page)
    width, height = right - x, top - y
    if not (1 <= width <= SIDE_POINTS_MAX and 1 <= height <= SIDE_POINTS_MAX):
        raise MarkRefusedError(Refusal.PAGES)
    contents = _at(page.dictionary, "/Contents")
    streams = contents if isinstance(contents, generic.ArrayObject) else [contents]
    painted = b"\n".join(
        one.get_object().data for one in streams if one is not None and one.get_object() is not None
    )
    form = _form(
        painted, (x, y, right, top), _raw(imported, "/Resources"), _raw(imported, "/Group")
    )
    objects = {"/Page": writer.add_object(form)}
    steps = [b"/Page Do"]
    for number, (place, appearance) in enumerate(imported["/Appearances"]):
        name = f"/Note{number}"
        objects[name] = appearance
        matrix = " ".join(f"{value.as_numeric():.5f}" for value in place)
        steps.append(f"q {matrix} cm {name} Do Q".encode())
    turn = int(_number(page.get("/Rotate"), 0)) % 360
    upright = {
        0: (1, 0, 0, 1, -x, -y),
        90: (0, -1, 1, 0, -y, right),
        180: (-1, 0, 0, -1, right, top),
        270: (0, 1, -1, 0, top, -x),
    }.get(turn)
    if upright is None:
        raise MarkRefusedError(Refusal.DAMAGED)
    placed = " ".join(f"{value:.4f}" for value in upright)
    if turn in (90, 270):
        width, height = height, width
    paint = b"q %s cm %s Q" % (placed.encode(), b" ".join(steps))
    return _Sheet(width, height, paint, objects)


def _visible(page: _Page) -> tuple[float, float, float, float]:
    media = _box(page.get("/MediaBox"))
    crop = page.get("/CropBox")
    if crop is None:
        return media
    box = _box(crop)
    return (
        max(media[0], box[0]),
        max(media[1], box[1]),
        min(media[2], box[2]),
        min(media[3], box[3]),
    )


def _box(value: Any) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = [_number(one, None) for one in value.get_object()]
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _number(value: Any, absent: float | None) -> float:
    found = absent if value is None else value.get_object()
    if not isinstance(found, (int, float, generic.FloatObject)):
        raise MarkRefusedError(Refusal.DAMAGED)
    return float(found)


def _appearances(page: _Page) -> list[tuple[tuple[float, ...], Any]]:
    """What the page's annotations show, as it stands in the file, and where."""
    annotations = _at(page.dictionary, "/Annots")
    found: list[tuple[tuple[float, ...], Any]] = []
    if annotations is None:
        return found
    if len(annotations) > _ANNOTATIONS_MAX:
        raise MarkRefusedError(Refusal.TOO_LARGE)
    for one in annotations:
        annotation = one.get_object()
        _check_annotation(annotation)
        flags = int(_number(_at(annotation, "/F"), 0))
        appearance: Any = _at(annotation, "/AP") or {}
        normal = _at(appearance, "/N")
        if flags & _UNSEEN or _at(annotation, "/Subtype") == "/Popup" or normal is None:
            continue
        raw = appearance.raw_get("/N")
        if not isinstance(normal, generic.StreamObject):
            state = _at(annotation, "/AS")
            if state is None or state not in normal:
                continue
            raw, normal = normal.raw_get(state), normal[state]
        if isinstance(normal, generic.StreamObject) and isinstance(raw, generic.IndirectObject):
            placed = _placed(normal, _box(annotation["/Rect"]))
            if placed is not None:
                found.append((placed, raw))
    return found


def _placed(form: Any, rect: tuple[float, float, float, float]) -> tuple[float, ...] | None:
    """What maps an appearance into its rectangle (ISO 32000-2 §12.5.5)."""
    matrix = [_number(one, None) for one in _at(form, "/Matrix") or []] or [1, 0, 0, 1, 0, 0]
    a, b, c, d, e, f = matrix
    x1, y1, x2, y2 = _box(form["/BBox"])
    corners = [(x, y) for x in (x1, x2) for y in (y1, y2)]
    across = [a * x + c * y + e for x, y in corners]
    up = [b * x + d * y + f for x, y in corners]
    width, height = max(across) - min(across), max(up) - min(up)
    if width <= 0 or height <= 0:
        return None
    right, top = (rect[2] - rect[0]) / width, (rect[3] - rect[1]) / height
    return (right, 0, 0, top, rect[0] - min(across) * right, rect[1] - min(up) * top)


# -- Scans -----------------------------------------------------------------------------------------


def _scans(writer: PdfFileWriter, data: bytes) -> Iterator[_Sheet]:
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    with Image.open(io.BytesIO(data), formats=_PICTURES) as opened:
        if opened.width * opened.height > PIXELS_MAX:
            raise MarkRefusedError(Refusal.TOO_LARGE)
        for number, frame in enumerate(ImageSequence.Iterator(opened)):
            if number >= PAGES_MAX:
                raise MarkRefusedError(Refusal.PAGES)
            if frame.width * frame.height > PIXELS_MAX:
                raise MarkRefusedError(Refusal.TOO_LARGE)
            yield _scan_sheet(writer, frame)


def _scan_sheet(writer: PdfFileWriter, frame: Image.Image) -> _Sheet:
    """A page of the scan's proportions, its longer side that of A4."""
    if frame.mode in ("RGBA", "LA", "P", "PA"):
        # What shows through is paper.
        layer = frame.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        picture = Image.alpha_composite(paper, layer).convert("RGB")
    else:
        picture = frame.convert("RGB")
    picture.thumbnail((SCAN_SIDE_PIXELS_MAX, SCAN_SIDE_PIXELS_MAX))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    image = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Image"),
            pdf_name("/Width"): generic.NumberObject(picture.width),
            pdf_name("/Height"): generic.NumberObject(picture.height),
            pdf_name("/ColorSpace"): pdf_name("/DeviceRGB"),
            pdf_name("/BitsPerComponent"): generic.NumberObject(8),
            pdf_name("/Filter"): pdf_name("/DCTDecode"),
        },
        encoded_data=buffer.getvalue(),
    )
    scale = SCAN_SIDE_POINTS / max(picture.size)
    width, height = picture.width * scale, picture.height * scale
    paint = f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /Page Do Q".encode()
    return _Sheet(width, height, paint, {"/Page": writer.add_object(image)})


# -- The marked file -------------------------------------------------------------------------------


def _marked(mark: bytes, sheets: Callable[[PdfFileWriter], Iterator[_Sheet]]) -> MarkedPdf:
    writer = PdfFileWriter(stream_xrefs=False, info=None)
    writer.output_version = (1, 7)
    stamp = _Mark.read(writer, PdfFileReader(io.BytesIO(mark)))
    first: _Sheet | None = None
    for sheet in sheets(writer):
        first = first or sheet
        _insert(writer, sheet, stamp)
    if first is None:
        raise MarkRefusedError(Refusal.PAGES)
    buffer = io.BytesIO()
    writer.write(buffer)
    return MarkedPdf(buffer.getvalue(), first.width, first.height)


@dataclass(frozen=True, slots=True)
class _Mark:
    """The mark as a form XObject, and its size in points."""

    form: Any
    width: float
    height: float

    @classmethod
    def read(cls, writer: PdfFileWriter, reader: PdfFileReader) -> _Mark:
        """From its one page; the information about the document goes over with it."""
        (page,) = _walk(reader.root["/Pages"], {}, _DEPTH_MAX)
        x, y, right, top = _visible(page)
        resources = writer.import_object(page.dictionary["/Resources"])
        form = _form(page.dictionary["/Contents"].data, (x, y, right, top), resources, None)
        writer.set_info(writer.add_object(writer.import_object(reader.trailer_view["/Info"])))
        if "/Metadata" in reader.root:
            described = writer.import_object(reader.root["/Metadata"])
            writer.root["/Metadata"] = writer.add_object(described)
        return cls(writer.add_object(form), right - x, top - y)


def _insert(writer: PdfFileWriter, sheet: _Sheet, mark: _Mark) -> None:
    scale = min(sheet.width / mark.width, sheet.height / mark.height)
    x, y = (sheet.width - mark.width * scale) / 2, (sheet.height - mark.height * scale) / 2
    over = f"q {scale:.5f} 0 0 {scale:.5f} {x:.4f} {y:.4f} cm /Mark Do Q".encode()
    content = generic.StreamObject(stream_data=sheet.paint + b"\n" + over)
    objects = {pdf_name(name): value for name, value in sheet.objects.items()}
    objects[pdf_name("/Mark")] = mark.form
    resources = {pdf_name("/XObject"): generic.DictionaryObject(objects)}
    writer.insert_page(
        PageObject(
            contents=writer.add_object(content),
            media_box=generic.ArrayObject(
                generic.FloatObject(f"{value:.4f}") for value in (0, 0, sheet.width, sheet.height)
            ),
            resources=generic.DictionaryObject(resources),
        )
    )


def _form(
    data: bytes, box: tuple[float, float, float, float], resources: Any, group: Any
) -> generic.StreamObject:
    members: dict[Any, Any] = {
        pdf_name("/Type"): pdf_name("/XObject"),
        pdf_name("/Subtype"): pdf_name("/Form"),
        pdf_name("/BBox"): generic.ArrayObject(generic.FloatObject(f"{one:.4f}") for one in box),
        pdf_name("/Resources"): generic.DictionaryObject() if resources is None else resources,
    }
    if group is not None:
        members[pdf_name("/Group")] = group
    form = generic.StreamObject(members, stream_data=data)
    form.compress()
    return form
