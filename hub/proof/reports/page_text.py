"""The text of a document's first page, line by line as it is read, for people to look at.

It proves nothing: what is drawn over a text, or in its colour, is not seen here. Runs in the worker
only (`hub.proof.worker`), as the rest of a stranger's bytes. Text of OFD is read from its text
objects; of PDF from the page's own content, as far as its fonts say which characters they show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from hub.proof.ofd.document import open_package, read_document
from hub.proof.ofd.xml import Element, parse_xml
from hub.proof.reasons import ProofError
from hub.proof.reports.report import Kind

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import DictionaryObject

LINES_MAX: Final = 200
CHARACTERS_MAX: Final = 200
_PIECES_MAX: Final = 20_000
_CONTENT_BYTES_MAX: Final = 4 * 1024 * 1024
# Pieces whose baselines differ by less than this part of their size stand on one line.
_SAME_LINE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A text and where its baseline begins: x to the right, y downwards, in the units of `size`."""

    x: float
    y: float
    size: float
    text: str


def text_of(data: bytes, kind: Kind) -> tuple[str, ...]:
    """The lines of the first page; none where the file is no document, or cannot be read so."""
    try:
        if kind is Kind.OFD:
            return _lines(_ofd_pieces(data))
        if kind is Kind.PDF:
            return _lines(_pdf_pieces(data))
    except (ProofError, ValueError, LookupError, RecursionError):
        return ()
    return ()


def _lines(pieces: Iterator[Piece]) -> tuple[str, ...]:
    """In the order in which people read: from above, and each line from the left."""
    found: list[Piece] = []
    for piece in pieces:
        if len(found) == _PIECES_MAX:
            break
        if piece.text.strip():
            found.append(piece)
    rows: list[list[Piece]] = []
    for piece in sorted(found, key=lambda one: (one.y, one.x)):
        if rows and piece.y - rows[-1][0].y < _SAME_LINE * max(piece.size, rows[-1][0].size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return tuple([_joined(row) for row in rows[:LINES_MAX]])


def _joined(row: Sequence[Piece]) -> str:
    texts = [piece.text.strip() for piece in sorted(row, key=lambda one: one.x)]
    return "  ".join(texts)[:CHARACTERS_MAX]


# -- OFD -------------------------------------------------------------------------------------------


def _ofd_pieces(data: bytes) -> Iterator[Piece]:
    document = read_document(open_package(data))
    name = next(iter(document.pages.values()), None)
    content = None
    if name is not None:
        content = parse_xml(document.package.files[name], name, "Page").maybe("Content")
    for layer in [] if content is None else content.all("Layer"):
        yield from _text_objects(layer)


def _text_objects(element: Element) -> Iterator[Piece]:
    for child in element.children:
        if child.name == "PageBlock":
            yield from _text_objects(child)
        elif child.name == "TextObject":
            left, top, _, _ = map(float, child.attribute("Boundary").split())
            size = float(child.attributes.get("Size", "1"))
            for code in child.all("TextCode"):
                x, y = (float(code.attributes.get(name, "0")) for name in ("X", "Y"))
                yield Piece(left + x, top + y, size, code.text)


# -- PDF -------------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    rb"\((?:\\.|[^\\()])*\)|<[0-9a-fA-F\s]*>|/[^\s()<>\[\]{}/%]*|[\[\]]|[^\s()<>\[\]{}/%]+",
    re.DOTALL,
)
_RANGES: Final = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_CHARACTERS: Final = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_HEX: Final = re.compile(rb"<([0-9a-fA-F]+)>")
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_Matrix: TypeAlias = "tuple[float, ...]"
_IDENTITY: Final[_Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def _pdf_pieces(data: bytes) -> Iterator[Piece]:
    from hub.proof.pdf.file import bounded_reader, damaged  # noqa: PLC0415

    try:
        page = _first_page(bounded_reader(data).root["/Pages"], 0)
        content = _content(page)
        fonts = {name: _Font.of(font) for name, font in page["/Resources"]["/Font"].items()}
        # Read to its end here: what a damaged font raises must not escape from a generator.
        return iter(list(_shown(content, fonts)))
    except damaged() as error:
        raise ValueError from error


def _first_page(node: DictionaryObject, depth: int) -> DictionaryObject:
    if node["/Type"] == "/Page":
        return node
    if depth == 16:
        raise ValueError("pages too deep")
    return _first_page(node["/Kids"][0], depth + 1)


def _content(page: DictionaryObject) -> bytes:
    from pyhanko.pdf_utils.generic import ArrayObject  # noqa: PLC0415

    held = page["/Contents"]
    parts = list(held) if isinstance(held, ArrayObject) else [held]
    return b"\n".join(part.get_object().data for part in parts)[:_CONTENT_BYTES_MAX]


@dataclass(frozen=True, slots=True)
class _Font:
    """How codes of a font, of `width` bytes each, are characters; without a map as in Latin-1."""

    width: int
    characters: dict[int, str] | None

    @classmethod
    def of(cls, font: DictionaryObject) -> _Font:
        wide = font.get_object()["/Subtype"] == "/Type0"
        held = font.get_object().get("/ToUnicode")
        if held is None:
            return cls(2 if wide else 1, {} if wide else None)
        return cls(2 if wide else 1, _to_unicode(held.get_object().data))

    def text(self, codes: bytes) -> str:
        if self.characters is None:
            return codes.decode("latin-1")
        width, known = self.width, self.characters
        return "".join(
            known.get(int.from_bytes(codes[at : at + width], "big"), "\ufffd")
            for at in range(0, len(codes), width)
        )


def _to_unicode(cmap: bytes) -> dict[int, str]:
    """The map of a font (ISO 32000-2 §9.10.3), its ranges as far as they are lists of one step."""
    found: dict[int, str] = {}
    for block in _CHARACTERS.findall(cmap):
        numbers = _HEX.findall(block)
        for code, text in zip(numbers[::2], numbers[1::2], strict=False):
            found[int(code, 16)] = _utf16(text)
    for block in _RANGES.findall(cmap):
        numbers = _HEX.findall(block)
        for first, last, text in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False):
            start, end, base = int(first, 16), int(last, 16), int(text, 16)
            for code in range(start, min(end, start + 0xFFFF) + 1):
                point = base + code - start
                found[code] = chr(point) if point < 0x110000 else "\ufffd"
    return found


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", "replace")


def _shown(content: bytes, fonts: dict[str, _Font]) -> Iterator[Piece]:
    """The texts that the content shows, by a small part of its operators (ISO 32000-2 §9.4)."""
    page = text = line = _IDENTITY
    kept: list[_Matrix] = []
    font, size, leading = _Font(1, None), 1.0, 0.0
    operands: list[bytes] = []
    for match in _TOKEN.finditer(content):
        token = match[0]
        if token[:1] in b"(</[]" or _is_number(token):
            operands.append(token)
            continue
        match token:
            case b"q" if len(kept) < 64:
                kept.append(page)
            case b"Q" if kept:
                page = kept.pop()
            case b"cm":
                page = _times(_numbers(operands, 6), page)
            case b"BT":
                text = line = _IDENTITY
            case b"Tf":
                font = fonts.get(operands[-2].decode("latin-1"), _Font(1, None))
                size = float(operands[-1])
            case b"TL":
                (leading,) = _numbers(operands, 1)
            case b"Tm":
                text = line = _numbers(operands, 6)
            case b"Td" | b"TD":
                x, y = _numbers(operands, 2)
                leading = -y if token == b"TD" else leading
                text = line = _times((1, 0, 0, 1, x, y), line)
            case b"T*" | b"'" | b'"':
                text = line = _times((1, 0, 0, 1, 0, -leading), line)
        if token in (b"Tj", b"TJ", b"'", b'"'):
            codes = b"".join(_string(one) for one in operands if one[:1] in b"(<")
            placed = _times(text, page)
            height = size * (placed[2] ** 2 + placed[3] ** 2) ** 0.5
            yield Piece(placed[4], -placed[5], height, font.text(codes))
        operands.clear()


def _is_number(token: bytes) -> bool:
    return token.lstrip(b"+-.")[:1].isdigit()


def _numbers(operands: Sequence[bytes], count: int) -> _Matrix:
    if len(operands) < count:
        raise ValueError("operands are missing")
    return tuple([float(one) for one in operands[-count:]])


def _times(first: _Matrix, second: _Matrix) -> _Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j,
            e * g + f * i + k, e * h + f * j + m)  # fmt: skip


def _string(token: bytes) -> bytes:
    if token[:1] == b"<":
        digits = re.sub(rb"\s", b"", token[1:-1]).decode()
        return bytes.fromhex(digits + "0" * (len(digits) % 2))
    return re.sub(rb"\\([nrt()\\])", lambda found: _ESCAPES.get(found[1], found[1]), token[1:-1])
