"""The ZIP archive around an OFD document, read so that there is only one way to read it.

A package is refused where two readers could see two documents in it: bytes that belong to no
entry, entries that overlap, a local header that says another thing than the directory, a name that
stands twice. `zipfile` of the standard library accepts all of these (ADR 35). Entries are stored or
deflated (PKWARE APPNOTE 4.4.5); ZIP64, encryption and several disks are not read.

Nothing is unpacked before all names, sizes and places are known to be in order.
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

from hub.proof.reasons import ProofError, ProofReason

ARCHIVE_BYTES_MAX: Final = 32 * 1024 * 1024
ENTRIES_MAX: Final = 4096
NAME_BYTES_MAX: Final = 512
UNPACKED_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of all entries together."""
RATIO_MAX: Final = 200
"""Unpacked ÷ packed, of an entry that unpacks to more than `RATIO_FREE_BYTES`."""
RATIO_FREE_BYTES: Final = 256 * 1024

_END: Final = struct.Struct("<4s4H2LH")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_DESCRIPTOR: Final = struct.Struct("<3L")
_END_MARK: Final = b"PK\x05\x06"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_LOCAL_MARK: Final = b"PK\x03\x04"
_DESCRIPTOR_MARK: Final = b"PK\x07\x08"

# General purpose bits (APPNOTE 4.4.4): encryption in its three spellings, sizes behind the data,
# patched data.
_ENCRYPTED: Final = 1 << 0 | 1 << 6 | 1 << 13
_SIZES_BEHIND: Final = 1 << 3
_PATCHED: Final = 1 << 5
_STORED: Final = 0
_DEFLATED: Final = 8
_UNIX: Final = 3
_MACOS: Final = 19
# Extra fields that replace a size, a name or the method: ZIP64, Unicode path, AES (4.5.2, 4.6).
_REPLACING: Final = frozenset({0x0001, 0x7075, 0x9901})
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of the archive in `data` by name, in their order, without folders.

    1. The end record closes the file, and the directory stands right before it.
    2. Every name is one that names a file inside the package, once, whatever the letters' case.
    3. Sizes, and how far an entry may unpack, are within the limits.
    4. Each entry's local header agrees with the directory.
    5. The entries follow each other from the first byte to the directory, without gap or overlap.
    6. Each entry unpacks to the size and the checksum that it has in the directory.

    Raises ProofError with the reason of the first rule that is broken (`ZIP_…`).
    """
    if len(data) > ARCHIVE_BYTES_MAX:
        raise ProofError(ProofReason.ZIP_TOO_LARGE, f"more than {ARCHIVE_BYTES_MAX} bytes")
    count, directory = _end(data)
    found: list[tuple[str, _Header, int]] = []
    places: list[tuple[int, int, str]] = []
    at, unpacked = directory, 0
    for _ in range(count):
        header, name, at = _central(data, at)
        unpacked += header.size
        if unpacked > UNPACKED_BYTES_MAX or _too_dense(header):
            raise ProofError(ProofReason.ZIP_BOMB, name)
        start, end = _local(data, header, name)
        places.append((header.offset, end, name))
        found.append((name, header, start))
    if at != len(data) - _END.size:
        raise ProofError(ProofReason.ZIP_MALFORMED, "directory")
    check_distinct(name for name, _, _ in found)
    _check_places(places, directory)
    return {
        name: _read(data, header, start, name)
        for name, header, start in found
        if not name.endswith("/")
    }


def check_name(raw: bytes) -> str:
    """The name in `raw`, which must be a path downwards from the package's root.

    Raises ProofError(ZIP_NAME), (ZIP_PATH_ABSOLUTE), (ZIP_PATH_TRAVERSAL).
    """
    if len(raw) > NAME_BYTES_MAX:
        raise ProofError(ProofReason.ZIP_NAME, f"more than {NAME_BYTES_MAX} bytes")
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise ProofError(ProofReason.ZIP_NAME, repr(raw[:64])) from None
    # A reader that knows URLs, or Windows, must not find another file behind the same name.
    plain = unquote(name).replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        raise ProofError(ProofReason.ZIP_PATH_ABSOLUTE, repr(name))
    segments = plain.removesuffix("/").split("/")
    if ".." in segments:
        raise ProofError(ProofReason.ZIP_PATH_TRAVERSAL, repr(name))
    printable = all(segment.isprintable() and segment not in ("", ".") for segment in segments)
    if not printable or "\\" in name:
        raise ProofError(ProofReason.ZIP_NAME, repr(name))
    return name


def check_distinct(names: Iterable[str]) -> None:
    """No two of `names` are one to a reader that folds case or composes letters.

    Raises ProofError(ZIP_DUPLICATE_NAME).
    """
    spellings: set[str] = set()
    for name in names:
        spelling = normalize("NFC", name).casefold().rstrip("/")
        if spelling in spellings:
            raise ProofError(ProofReason.ZIP_DUPLICATE_NAME, name)
        spellings.add(spelling)


@dataclass(frozen=True, slots=True)
class _Header:
    """What the directory says of one entry."""

    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    raw_name: bytes


def _end(data: bytes) -> tuple[int, int]:
    """Number of entries and place of the directory."""
    mark = data.rfind(_END_MARK)
    if not data.startswith(_LOCAL_MARK):
        # What else begins otherwise but holds an archive has something before it.
        reason = ProofReason.ZIP_MALFORMED if mark <= 0 else ProofReason.ZIP_PREPENDED
        raise ProofError(reason)
    if mark < 0 or mark + _END.size > len(data):
        raise ProofError(ProofReason.ZIP_MALFORMED, "no end record")
    if mark + _END.size < len(data):
        raise ProofError(ProofReason.ZIP_TRAILING, f"{len(data) - mark - _END.size} bytes")
    _, disk, first_disk, here, count, size, directory, comment = _END.unpack_from(data, mark)
    if disk or first_disk or here != count or comment or not count:
        raise ProofError(ProofReason.ZIP_MALFORMED, "end record")
    if count > ENTRIES_MAX:
        raise ProofError(ProofReason.ZIP_TOO_LARGE, f"more than {ENTRIES_MAX} entries")
    if directory + size != mark:
        raise ProofError(ProofReason.ZIP_MALFORMED, "end record")
    return count, directory


def _central(data: bytes, at: int) -> tuple[_Header, str, int]:
    """The directory's header at `at`, its name, and where the next one stands."""
    end = len(data) - _END.size
    if at + _CENTRAL.size > end:
        raise ProofError(ProofReason.ZIP_MALFORMED, "directory")
    fields = _CENTRAL.unpack_from(data, at)
    mark, made_by, _, flags, method, _, _, crc, packed, size = fields[:10]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[10:]
    name_at = at + _CENTRAL.size
    after = name_at + name_length + extra_length + comment_length
    if mark != _CENTRAL_MARK or after > end or disk:
        raise ProofError(ProofReason.ZIP_MALFORMED, "directory")
    raw = data[name_at : name_at + name_length]
    name = check_name(raw)
    if flags & _ENCRYPTED:
        raise ProofError(ProofReason.ZIP_ENCRYPTED, name)
    if flags & _PATCHED or method not in (_STORED, _DEFLATED):
        raise ProofError(ProofReason.ZIP_MALFORMED, f"method of {name}")
    if made_by >> 8 in (_UNIX, _MACOS) and stat.S_IFMT(attributes >> 16) not in (
        0,
        stat.S_IFREG,
        stat.S_IFDIR,
    ):
        raise ProofError(ProofReason.ZIP_LINK, name)
    if name.endswith("/") and size:
        raise ProofError(ProofReason.ZIP_MALFORMED, f"folder {name}")
    _check_extra(data[name_at + name_length : name_at + name_length + extra_length], name)
    return _Header(flags, method, crc, packed, size, offset, raw), name, after


def _local(data: bytes, header: _Header, name: str) -> tuple[int, int]:
    """Where the entry's data start, and where the entry ends."""
    at = header.offset
    if at + _LOCAL.size > len(data):
        raise ProofError(ProofReason.ZIP_MALFORMED, name)
    mark, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack_from(
        data, at
    )
    if mark != _LOCAL_MARK:
        raise ProofError(ProofReason.ZIP_MALFORMED, name)
    name_at = at + _LOCAL.size
    start = name_at + name_length + extra_length
    said = (header.crc, header.packed, header.size)
    same = (crc, packed, size) == said or (
        bool(flags & _SIZES_BEHIND) and (crc, packed, size) == (0, 0, 0)
    )
    raw = data[name_at : name_at + name_length]
    if not same or (flags, method, raw) != (header.flags, header.method, header.raw_name):
        raise ProofError(ProofReason.ZIP_HEADERS_DIFFER, name)
    _check_extra(data[name_at + name_length : start], name)
    end = start + header.packed
    if flags & _SIZES_BEHIND:
        if data[end : end + 4] == _DESCRIPTOR_MARK:
            end += 4
        if data[end : end + _DESCRIPTOR.size] != _DESCRIPTOR.pack(*said):
            raise ProofError(ProofReason.ZIP_HEADERS_DIFFER, name)
        end += _DESCRIPTOR.size
    return start, end


def _check_extra(extra: bytes, name: str) -> None:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind in _REPLACING:
            raise ProofError(ProofReason.ZIP_MALFORMED, f"extra field {kind:#06x} of {name}")
        at += 4 + length


def _too_dense(header: _Header) -> bool:
    return header.size > RATIO_FREE_BYTES and header.size > RATIO_MAX * header.packed


def _check_places(places: list[tuple[int, int, str]], directory: int) -> None:
    """The entries fill the bytes up to the directory, each in its own place."""
    expected = 0
    for start, end, name in sorted(places):
        if start < expected:
            raise ProofError(ProofReason.ZIP_OVERLAP, name)
        if start > expected:
            raise ProofError(ProofReason.ZIP_GAP, f"{start - expected} bytes before {name}")
        expected = end
    if expected > directory:
        raise ProofError(ProofReason.ZIP_OVERLAP, "directory")
    if expected < directory:
        raise ProofError(ProofReason.ZIP_GAP, f"{directory - expected} bytes before the directory")


def _read(data: bytes, header: _Header, start: int, name: str) -> bytes:
    packed = memoryview(data)[start : start + header.packed]
    unpacked = bytes(packed) if header.method == _STORED else _inflated(packed, header.size, name)
    if len(unpacked) != header.size or zlib.crc32(unpacked) != header.crc:
        raise ProofError(ProofReason.ZIP_DAMAGED, name)
    return unpacked


def _inflated(packed: memoryview, size: int, name: str) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than announced is enough to see that there is more.
        data = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise ProofError(ProofReason.ZIP_DAMAGED, name) from error
    if not stream.eof or stream.unused_data:
        raise ProofError(ProofReason.ZIP_DAMAGED, name)
    return data
