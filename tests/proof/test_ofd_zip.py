"""Archives that two readers could read differently are refused, each for its own reason."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.proof.ofd import zip as ofd_zip
from hub.proof.ofd.zip import ENTRIES_MAX, NAME_BYTES_MAX, UNPACKED_BYTES_MAX, unpack
from hub.proof.reasons import ProofError, ProofReason
from tests.proof.ofd_samples import RawArchive, RawEntry, package

SYMLINK = 0o120777 << 16
UNIX = 3 << 8 | 20
A = RawEntry(b"a.txt", b"alpha " * 20, deflated=True)
B = RawEntry(b"b.txt", b"beta")


def descriptor(entry: RawEntry, *, mark: bool = True) -> bytes:
    values = struct.pack("<3L", zlib.crc32(entry.data), len(entry.packed), len(entry.data))
    return (b"PK\x07\x08" if mark else b"") + values


def refused(data: bytes) -> ProofReason:
    """Why `data` is refused, whatever is wrong first."""
    with pytest.raises(ProofError) as raised:
        unpack(data)
    return raised.value.reason


def test_an_archive_is_read_as_the_standard_library_reads_it() -> None:
    """Names, bytes, folders left out."""
    data = package().to_bytes()

    files = unpack(data)

    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert files == {name: other.read(name) for name in other.namelist()}


@pytest.mark.parametrize("mark", [True, False])
def test_sizes_may_stand_behind_the_data(mark: bool) -> None:
    """What a writer does that does not know them before."""
    entry = RawEntry(
        b"a.txt", b"alpha " * 20, deflated=True, flags=8, descriptor=descriptor(A, mark=mark)
    )

    assert unpack(RawArchive([entry, B]).to_bytes()) == {"a.txt": A.data, "b.txt": B.data}


def test_folders_are_no_files() -> None:
    """Only files have content."""
    archive = RawArchive([RawEntry(b"Doc_0/"), RawEntry(b"Doc_0/a", b"x")])

    assert unpack(archive.to_bytes()) == {"Doc_0/a": b"x"}


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (RawArchive([A, RawEntry(b"a.txt", b"other")]), ProofReason.ZIP_DUPLICATE_NAME),
        (RawArchive([A, RawEntry(b"A.TXT", b"other")]), ProofReason.ZIP_DUPLICATE_NAME),
        (RawArchive([A, RawEntry(b"a.txt/")]), ProofReason.ZIP_DUPLICATE_NAME),
        (
            RawArchive([RawEntry("é".encode(), b"1"), RawEntry("e\u0301".encode(), b"2")]),
            ProofReason.ZIP_DUPLICATE_NAME,
        ),
        (RawArchive([A, RawEntry(b"../x", b"x")]), ProofReason.ZIP_PATH_TRAVERSAL),
        (RawArchive([A, RawEntry(b"Doc_0/../../x", b"x")]), ProofReason.ZIP_PATH_TRAVERSAL),
        (RawArchive([A, RawEntry(b"..%2fx", b"x")]), ProofReason.ZIP_PATH_TRAVERSAL),
        (RawArchive([A, RawEntry(b"..\\x", b"x")]), ProofReason.ZIP_PATH_TRAVERSAL),
        (RawArchive([A, RawEntry(b"/etc/x", b"x")]), ProofReason.ZIP_PATH_ABSOLUTE),
        (RawArchive([A, RawEntry(b"\\\\host\\x", b"x")]), ProofReason.ZIP_PATH_ABSOLUTE),
        (RawArchive([A, RawEntry(b"C:x", b"x")]), ProofReason.ZIP_PATH_ABSOLUTE),
        (RawArchive([A, RawEntry(b"Doc_0\\x", b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry(b"Doc_0//x", b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry(b"./x", b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry(b"x\x00.xml", b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry("x\u202e.xml".encode(), b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry(b"\xff", b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry(b"", b"x")]), ProofReason.ZIP_NAME),
        (RawArchive([A, RawEntry(b"x" * (NAME_BYTES_MAX + 1), b"x")]), ProofReason.ZIP_NAME),
        (
            RawArchive([A, RawEntry(b"x", b"/etc/passwd", made_by=UNIX, attributes=SYMLINK)]),
            ProofReason.ZIP_LINK,
        ),
        (RawArchive([A, RawEntry(b"x", b"x", flags=1)]), ProofReason.ZIP_ENCRYPTED),
        (RawArchive([A, RawEntry(b"x", b"x", flags=1 << 6 | 1)]), ProofReason.ZIP_ENCRYPTED),
        (RawArchive([A, RawEntry(b"x", b"x", local_name=b"y")]), ProofReason.ZIP_HEADERS_DIFFER),
        (RawArchive([A, RawEntry(b"x", b"x", local_size=2)]), ProofReason.ZIP_HEADERS_DIFFER),
        (
            RawArchive([RawEntry(b"x", b"x", flags=8, descriptor=descriptor(B)), B]),
            ProofReason.ZIP_HEADERS_DIFFER,
        ),
        (RawArchive([A, RawEntry(b"x", b"x", offset=0)]), ProofReason.ZIP_HEADERS_DIFFER),
        (RawArchive([A, B], before=b"#!/bin/sh\n"), ProofReason.ZIP_PREPENDED),
        (RawArchive([A, B], after=b"\n"), ProofReason.ZIP_TRAILING),
        (RawArchive([A, B], comment=b"hello"), ProofReason.ZIP_TRAILING),
        (RawArchive([A, B], between=b"?"), ProofReason.ZIP_GAP),
        (RawArchive([A], between=b"?"), ProofReason.ZIP_GAP),
        (RawArchive([A, B], count=1), ProofReason.ZIP_MALFORMED),
        (RawArchive([A, B], count=3), ProofReason.ZIP_MALFORMED),
        (RawArchive([A, RawEntry(b"x", b"x", method=14)]), ProofReason.ZIP_MALFORMED),
        (RawArchive([A, RawEntry(b"x/", b"x")]), ProofReason.ZIP_MALFORMED),
        (
            RawArchive([A, RawEntry(b"x", b"x", extra=struct.pack("<HH", 0x7075, 0))]),
            ProofReason.ZIP_MALFORMED,
        ),
        (RawArchive([A, RawEntry(b"x", b"x", offset=1 << 31)]), ProofReason.ZIP_MALFORMED),
        (RawArchive([A, RawEntry(b"x", b"x", crc=1)]), ProofReason.ZIP_DAMAGED),
        (RawArchive([A, RawEntry(b"x", b"x", size=2)]), ProofReason.ZIP_DAMAGED),
        (
            RawArchive([A, RawEntry(b"x", b"x" * 99, deflated=True, size=98)]),
            ProofReason.ZIP_DAMAGED,
        ),
        (
            RawArchive([A, RawEntry(b"x", b"no deflate", method=8)]),
            ProofReason.ZIP_DAMAGED,
        ),
        (RawArchive([]), ProofReason.ZIP_MALFORMED),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(archive: RawArchive, reason: ProofReason) -> None:
    """Whatever is wrong has its own reason."""
    assert refused(archive.to_bytes()) is reason


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"%PDF-1.7", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(ProofError):
        unpack(data)


def test_entries_that_share_their_bytes_are_refused() -> None:
    """The bomb whose entries all point at one kernel of packed bytes."""
    inner = RawEntry(b"b", b"x")
    hidden = RawArchive([inner]).to_bytes()[: 30 + 1 + 1]
    outer = RawEntry(b"a", hidden)
    start = 30 + 1

    data = RawArchive([outer, RawEntry(b"b", b"x", offset=start)]).to_bytes()
    # The second local header that the writer appended belongs to nobody then; cut it out.
    directory = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02"))
    cut = directory - 32
    end = bytearray(data[:cut] + data[directory:])
    struct.pack_into("<L", end, len(end) - 6, cut)

    assert refused(bytes(end)) is ProofReason.ZIP_OVERLAP


def patched(data: bytes, mark: bytes, offset: int, by: int) -> bytes:
    """`data` with the 32-bit number at `offset` behind the last `mark` made greater `by`."""
    changed = bytearray(data)
    at = data.rindex(mark) + offset
    struct.pack_into("<L", changed, at, struct.unpack_from("<L", data, at)[0] + by)
    return bytes(changed)


def test_an_entry_that_reaches_into_the_directory_is_refused() -> None:
    """Both headers agree on a length that the entry has not."""
    data = RawArchive([A, B]).to_bytes()
    for mark, offsets in ((b"PK\x03\x04", (18, 22)), (b"PK\x01\x02", (20, 24))):
        for offset in offsets:
            data = patched(data, mark, offset, 5)

    assert refused(data) is ProofReason.ZIP_OVERLAP


@pytest.mark.parametrize(("offset", "by"), [(12, 1), (16, 1), (16, 1 << 20)])
def test_a_directory_that_is_not_where_the_end_record_says_is_refused(offset: int, by: int) -> None:
    """Another length, another place."""
    data = patched(RawArchive([A, B]).to_bytes(), b"PK\x05\x06", offset, by)

    assert refused(data) is ProofReason.ZIP_MALFORMED


def test_extra_fields_that_replace_nothing_are_passed_over() -> None:
    """Times and owners, which other software writes."""
    extra = struct.pack("<HHL", 0x5455, 4, 0) + struct.pack("<HH", 0x7855, 0)

    assert unpack(RawArchive([RawEntry(b"x", b"y", extra=extra)]).to_bytes()) == {"x": b"y"}


def test_a_bomb_is_refused_from_what_the_directory_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a byte of it is unpacked."""
    zeros = RawEntry(b"zeros", bytes(4 * 1024 * 1024), deflated=True)
    large = RawEntry(b"large", b"x", size=UNPACKED_BYTES_MAX + 1)
    monkeypatch.setattr(ofd_zip, "_inflated", None)

    assert refused(RawArchive([A, zeros]).to_bytes()) is ProofReason.ZIP_BOMB
    assert refused(RawArchive([A, large]).to_bytes()) is ProofReason.ZIP_BOMB


def test_a_bomb_that_lies_about_its_size_is_not_unpacked_further() -> None:
    """No more than one byte beyond what it announced."""
    liar = RawEntry(b"zeros", bytes(32 * 1024 * 1024), deflated=True, size=1000)

    assert refused(RawArchive([liar]).to_bytes()) is ProofReason.ZIP_DAMAGED


def test_too_many_entries_are_refused() -> None:
    """From the end record."""
    archive = RawArchive([A], count=ENTRIES_MAX + 1)

    assert refused(archive.to_bytes()) is ProofReason.ZIP_TOO_LARGE


def test_an_archive_that_is_too_large_is_refused() -> None:
    """Before it is looked at."""
    assert refused(bytes(ofd_zip.ARCHIVE_BYTES_MAX + 1)) is ProofReason.ZIP_TOO_LARGE


@given(st.data())
def test_only_declared_errors_come_out_of_a_damaged_archive(draws: st.DataObject) -> None:
    """And what is still read is what the standard library reads."""
    data = bytearray(package().to_bytes())
    for _ in range(draws.draw(st.integers(1, 3))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))

    try:
        files = unpack(bytes(data))
    except ProofError:
        return
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as other:
        assert files == {name: other.read(name) for name in files}
