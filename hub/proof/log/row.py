"""Rows as the log digests them: the same bytes on every engine (formats.md §6)."""

from __future__ import annotations

import hashlib
import struct
from typing import Final, TypeAlias

Value: TypeAlias = "int | str | bytes | None"
Row: TypeAlias = "tuple[Value, ...]"

_HEADER: Final = struct.Struct(">cI").pack
_NULL, _TEXT, _BYTES, _INTEGER = b"ntbi"


def row_digest(row: Row) -> bytes:
    """SHA-256 over `row_bytes` (formats.md §6)."""
    return hashlib.sha256(row_bytes(row)).digest()


def row_bytes(row: Row) -> bytes:
    """The columns in schema order: type byte ‖ u32be length ‖ bytes.

    Type bytes: `i` an integer as decimal ASCII, `t` UTF-8 text, `b` bytes; `n` alone is NULL.
    """
    parts: list[bytes] = []
    for value in row:
        if isinstance(value, str):
            data = value.encode()
            parts += (_HEADER(b"t", len(data)), data)
        elif isinstance(value, bytes):
            parts += (_HEADER(b"b", len(value)), value)
        elif value is None:
            parts.append(b"n")
        else:
            data = b"%d" % value
            parts += (_HEADER(b"i", len(data)), data)
    return b"".join(parts)


def row_from_bytes(data: bytes) -> Row:
    """The row of which `data` are the `row_bytes`. Raises ValueError."""
    values: list[Value] = []
    place, end = 0, len(data)
    while place < end:
        kind = data[place]
        place += 1
        if kind == _NULL:
            values.append(None)
            continue
        start = place + 4
        place = start + int.from_bytes(data[place:start], "big")
        if place > end:
            raise ValueError("a value that goes beyond its row")
        value = data[start:place]
        if kind == _TEXT:
            values.append(value.decode())
        elif kind == _BYTES:
            values.append(value)
        elif kind == _INTEGER:
            values.append(int(value))
        else:
            raise ValueError(f"a value of the unknown kind {kind}")
    return tuple(values)
