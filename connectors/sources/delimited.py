"""Delimited text as departments hand it over: one header line, then one record per line.

Lines are cut on the byte 0A, which no multi-byte character of UTF-8 or GB18030 contains; the
separator is looked for after decoding, because `|` and `\\` are second bytes of common GB18030
characters (connectors.md §0.7). Memory stays constant for any size of file.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from connectors.faults import CellFaultError
from connectors.normalise.text import check_decoded, half_width
from hub.errors import HubError, Reason

HEADER_COLUMNS_MAX: Final = 512
# How many physical lines one quoted record may span: an unclosed quotation mark must not swallow
# the rows behind it.
RECORD_LINES_MAX: Final = 64


class Charset(StrEnum):
    """How the bytes are meant. The last one decides per line, never by guessing."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"
    UTF_8_THEN_GB18030 = "utf8-then-gb18030"


class Quoting(StrEnum):
    """How a cell may hold the separator: RFC 4180 quotation marks, backslash escapes, or not."""

    CSV = "csv"
    ESCAPES = "escapes"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DelimitedFormat:
    """What a manifest declares about the file."""

    charset: Charset
    separator: str
    quoting: Quoting
    line_bytes_max: int
    final_newline_required: bool


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines: byte offset, and the number of the line that begins there."""

    offset: int
    line: int


class Record(NamedTuple):
    """One record. `cells` is None exactly where `fault` says why it could not be cut into cells.

    A blank line has no cells and no fault.
    """

    line: int
    offset: int
    next: Position
    raw: bytes
    cells: list[str] | None
    fault: CellFaultError | None


@dataclass(frozen=True, slots=True)
class DelimitedFile:
    """An open source: its header, and its records from any position."""

    path: Path
    format: DelimitedFormat
    header: tuple[str, ...]
    first: Position
    size: int
    sha256: str

    def records(self, start: Position | None = None) -> Iterator[Record]:
        """The records from `start` (default: the first) to the end of the file, in order.

        Bytes that cannot be read as a record come as one with a fault; nothing is dropped. The file
        must not change meanwhile: `check_unchanged` says so afterwards.
        """
        with self.path.open("rb") as stream:
            yield from _records(stream, start or self.first, self)

    def check_unchanged(self) -> None:
        """Raises HubError(SOURCE_CHANGED) if the file is not the one that was opened."""
        if _sha256(self.path) != self.sha256:
            raise HubError(Reason.SOURCE_CHANGED, file=self.path.name)


def open_delimited(path: Path, declared: DelimitedFormat) -> DelimitedFile:
    """The file at `path` with its header read.

    Raises HubError: SOURCE_UNREADABLE where it cannot be opened, SOURCE_LAYOUT where its first line
    is no header in the declared form (UTF-16, empty, undecodable).
    """
    try:
        digest = _sha256(path)
        with path.open("rb") as stream:
            start = stream.read(3)
            if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise _layout(path, "the file is UTF-16; export it as UTF-8 or GB18030")
            offset = 3 if start == b"\xef\xbb\xbf" else 0
            stream.seek(offset)
            line = stream.readline(declared.line_bytes_max + 2)
            size = stream.seek(0, io.SEEK_END)
    except OSError as error:
        raise HubError(
            Reason.SOURCE_UNREADABLE, file=path.name, rule=error.strerror or "cannot be read"
        ) from error
    if not line.endswith(b"\n"):
        raise _layout(path, "the first line is empty, cut off or longer than the limit")
    try:
        cells = _splitter(declared)(_decoder(declared.charset)(line.rstrip(b"\r\n")))
    except CellFaultError as fault:
        raise _layout(path, f"the header breaks {fault.rule}") from fault
    if len(cells) > HEADER_COLUMNS_MAX:
        raise _layout(path, f"the header has more than {HEADER_COLUMNS_MAX} columns")
    header = tuple(column_key(cell) for cell in cells)
    first = Position(offset + len(line), 2)
    return DelimitedFile(path, declared, header, first, size, digest)


def column_key(name: str) -> str:
    """A column's name as it is compared: half-width, without outer space, one case."""
    return half_width(name).strip().casefold()


def find_columns(
    source: DelimitedFile, wanted: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, int]:
    """The position of each wanted column, by its first name; others are its aliases.

    Raises HubError(SOURCE_LAYOUT) naming every column that is missing or that stands twice.
    """
    found: dict[str, int] = {}
    faults: list[str] = []
    for name, aliases in wanted:
        keys = {column_key(one) for one in (name, *aliases)}
        places = [index for index, column in enumerate(source.header) if column in keys]
        if len(places) == 1:
            found[name] = places[0]
        else:
            faults.append(f"{name}: {'missing' if not places else 'more than once'}")
    if faults:
        raise _layout(source.path, "; ".join(faults))
    return found


def _records(stream: BinaryIO, start: Position, source: DelimitedFile) -> Iterator[Record]:
    declared, columns = source.format, len(source.header)
    decode, split = _decoder(declared.charset), _splitter(declared)
    quoted = declared.quoting is Quoting.CSV
    stream.seek(start.offset)
    place = start
    waiting: deque[_Line] = deque()
    while True:
        line = waiting.popleft() if waiting else _read_line(stream, declared.line_bytes_max)
        if not line.raw:
            return
        lines = 1
        if quoted and line.raw.count(b'"') % 2:
            line, lines = _joined(line, waiting, stream, declared.line_bytes_max)
        after = Position(place.offset + line.size, place.line + lines)
        # Old DOS tools end a file with 1A.
        if line.raw == b"\x1a" and after.offset == source.size:
            return
        cells: list[str] | None = None
        fault: CellFaultError | None = None
        try:
            _check_bytes(line, after.offset == source.size, declared)
            body = line.raw.rstrip(b"\r\n")
            if body:
                text = decode(body)
                check_decoded(text)
                cells = split(text)
                if len(cells) != columns:
                    raise CellFaultError("structure.columns", found=len(cells), expected=columns)
        except CellFaultError as found:
            cells, fault = None, found
        yield Record(place.line, place.offset, after, line.raw, cells, fault)
        place = after


class _Line(NamedTuple):
    """A physical line; `raw` is cut off one byte after the limit, `size` is the true length."""

    raw: bytes
    size: int


def _read_line(stream: BinaryIO, limit: int) -> _Line:
    raw = stream.readline(limit + 1)
    size = len(raw)
    piece = raw
    while len(piece) == limit + 1 and not piece.endswith(b"\n"):
        piece = stream.readline(limit + 1)
        size += len(piece)
    return _Line(raw, size)


def _joined(line: _Line, waiting: deque[_Line], stream: BinaryIO, limit: int) -> tuple[_Line, int]:
    """A record whose quoted cell spans lines; the single line where no end is found in bounds."""
    parts = [line]
    size, marks = line.size, line.raw.count(b'"')
    while marks % 2 and len(parts) < RECORD_LINES_MAX and size <= limit:
        following = waiting.popleft() if waiting else _read_line(stream, limit)
        if not following.raw:
            break
        parts.append(following)
        size += following.size
        marks += following.raw.count(b'"')
    if marks % 2 == 0 and size <= limit:
        return _Line(b"".join(part.raw for part in parts), size), len(parts)
    waiting.extendleft(reversed(parts[1:]))
    return line, 1


def _check_bytes(line: _Line, last: bool, declared: DelimitedFormat) -> None:
    if line.size > declared.line_bytes_max:
        raise CellFaultError("structure.line_length", limit=declared.line_bytes_max)
    if b"\x00" in line.raw:
        raise CellFaultError("structure.nul")
    if last and declared.final_newline_required and not line.raw.endswith(b"\n"):
        raise CellFaultError("structure.truncated")


def _decoder(charset: Charset) -> Callable[[bytes], str]:
    first = "utf-8" if charset is Charset.UTF_8_THEN_GB18030 else charset.value

    def decode(data: bytes) -> str:
        try:
            return data.decode(first)
        except UnicodeDecodeError as error:
            if charset is Charset.UTF_8_THEN_GB18030:
                return _strict(data, "gb18030")
            raise CellFaultError("encoding.invalid", charset=first, position=error.start) from error

    return decode


def _strict(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except UnicodeDecodeError as error:
        raise CellFaultError("encoding.invalid", charset=charset, position=error.start) from error


def _splitter(declared: DelimitedFormat) -> Callable[[str], list[str]]:
    separator = declared.separator

    def plain(text: str) -> list[str]:
        return text.split(separator)

    def quoted(text: str) -> list[str]:
        if '"' not in text:
            return text.split(separator)
        try:
            rows = list(csv.reader([text], delimiter=separator, strict=True))
        except csv.Error as error:
            raise CellFaultError("structure.quote") from error
        if len(rows) != 1:
            raise CellFaultError("structure.quote")
        return rows[0]

    def escaped(text: str) -> list[str]:
        return text.split(separator) if "\\" not in text else _unescaped(text, separator)

    return {Quoting.NONE: plain, Quoting.CSV: quoted, Quoting.ESCAPES: escaped}[declared.quoting]


def _unescaped(text: str, separator: str) -> list[str]:
    cells: list[str] = []
    cell: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            meant = next(characters, "")
            if meant not in ("\\", separator):
                raise CellFaultError("structure.escape")
            cell.append(meant)
        elif character == separator:
            cells.append("".join(cell))
            cell.clear()
        else:
            cell.append(character)
    cells.append("".join(cell))
    return cells


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _layout(path: Path, rule: str) -> HubError:
    return HubError(Reason.SOURCE_LAYOUT, file=path.name, rule=rule)
