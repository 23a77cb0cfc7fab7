"""Delimited text: decoded strictly, cut after decoding, every byte accounted for."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sources.delimited import (
    Charset,
    DelimitedFormat,
    Position,
    Quoting,
    Record,
    find_columns,
    open_delimited,
)
from hub.errors import HubError, Reason

CSV = DelimitedFormat(Charset.UTF_8, ",", Quoting.CSV, 4096, True)
BARS = DelimitedFormat(Charset.GB18030, "|", Quoting.ESCAPES, 4096, True)
MIXED = DelimitedFormat(Charset.UTF_8_THEN_GB18030, "|", Quoting.NONE, 4096, True)


def read(tmp_path: Path, data: bytes, declared: DelimitedFormat) -> list[Record]:
    """The records of a file of these bytes; that they cover it without a gap is asserted."""
    path = tmp_path / "source"
    path.write_bytes(data)
    source = open_delimited(path, declared)
    records = list(source.records())
    place = source.first
    for record in records:
        assert (record.line, record.offset) == (place.line, place.offset)
        place = record.next
    return records


def only(tmp_path: Path, data: bytes, declared: DelimitedFormat) -> Record:
    """The one record of a file."""
    (record,) = read(tmp_path, data, declared)
    return record


@pytest.mark.parametrize("text", ["東|瑋", "玕|䶮", "𠮷|㛃", "a|€"])
def test_second_bytes_of_gb18030_are_no_separators(tmp_path: Path, text: str) -> None:
    """`|` and backslash occur inside GB18030 characters: decode first, cut after."""
    record = only(tmp_path, f"甲|乙\r\n{text}\r\n".encode("gb18030"), BARS)

    assert record.cells == text.split("|")


def test_backslash_escapes_the_separator_and_itself(tmp_path: Path) -> None:
    """`\\|` and `\\\\` are cells' content; any other escape is a fault."""
    record = only(tmp_path, "甲|乙\na\\|b|c\\\\\n".encode("gb18030"), BARS)
    assert record.cells == ["a|b", "c\\"]

    wrong = only(tmp_path, "甲|乙\na\\nb|c\n".encode("gb18030"), BARS)
    assert wrong.fault is not None
    assert wrong.fault.rule == "structure.escape"


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"a,b",c', ["a,b", "c"]),
        ('"a ""b""",c', ['a "b"', "c"]),
        ('"a\nb",c', ["a\nb", "c"]),
        ('"",""', ["", ""]),
    ],
)
def test_quotation_marks_hold_separators_and_line_ends(
    tmp_path: Path, line: str, cells: list[str]
) -> None:
    """RFC 4180."""
    assert only(tmp_path, f"甲,乙\r\n{line}\r\n".encode(), CSV).cells == cells


def test_an_unclosed_quotation_mark_costs_one_row_only(tmp_path: Path) -> None:
    """The rows behind it are read as if it were not there."""
    rows = "".join(f"{n},x\r\n" for n in range(200))
    records = read(tmp_path, f'甲,乙\r\n"a,b\r\n{rows}'.encode(), CSV)

    assert len(records) == 201
    assert records[0].fault is not None
    assert records[0].fault.rule == "structure.quote"
    assert all(record.fault is None for record in records[1:])


@pytest.mark.parametrize(
    ("declared", "data", "rule"),
    [
        (CSV, "甲,乙\n".encode() + "东,x\n".encode("gb18030"), "encoding.invalid"),
        (CSV, "甲,乙\na,\ufffd\n".encode(), "encoding.replacement"),
        (CSV, "甲,乙\n锟斤拷,x\n".encode(), "encoding.replacement"),
        (
            CSV,
            "甲,乙\n".encode()
            + "宁波市鄞州区市场监督管理,x".encode().decode("gb18030", "ignore").encode()
            + b"\n",
            "encoding.mojibake",
        ),
        (
            CSV,
            "甲,乙\n".encode()
            + "宁波市鄞州,x".encode("gb18030").decode("latin-1").encode()
            + b"\n",
            "encoding.mojibake",
        ),
        (BARS, "甲|乙\n东".encode("gb18030") + b"\xff|x\n", "encoding.invalid"),
        # A character cut in half takes the separator for its second byte.
        (BARS, "甲|乙\n东".encode("gb18030") + b"\x81|x\n", "structure.columns"),
        (BARS, "甲|乙\n".encode("gb18030") + b"\x80|x\n", "encoding.invalid"),
        (CSV, "甲,乙\na\x00,b\n".encode(), "structure.nul"),
        (CSV, "甲,乙\na\n".encode(), "structure.columns"),
        (CSV, "甲,乙\na,b,c\n".encode(), "structure.columns"),
        (CSV, "甲,乙\na,b".encode(), "structure.truncated"),
        (CSV, "甲,乙\n".encode() + b"a" * 5000 + b",b\n", "structure.line_length"),
        (CSV, "甲,乙\n".encode() + b"a" * 50_000 + b",b\n", "structure.line_length"),
        (CSV, '甲,乙\na"b,"c\n'.encode(), "structure.quote"),
    ],
)
def test_what_cannot_be_read_is_a_row_with_its_fault(
    tmp_path: Path, declared: DelimitedFormat, data: bytes, rule: str
) -> None:
    """Never dropped, never repaired, and the file goes on behind it."""
    record = only(tmp_path, data, declared)

    assert record.cells is None
    assert record.fault is not None
    assert record.fault.rule == rule


def test_each_line_may_have_its_own_charset_where_declared(tmp_path: Path) -> None:
    """A UTF-8 head with a GBK tail: concatenated exports."""
    data = "甲|乙\n宁波|东\n".encode() + "杭州|東\n".encode("gb18030")

    assert [record.cells for record in read(tmp_path, data, MIXED)] == [
        ["宁波", "东"],
        ["杭州", "東"],
    ]


def test_byte_order_mark_end_mark_and_blank_lines(tmp_path: Path) -> None:
    """A BOM is no part of the header, 1A no row; a blank line is a record without cells."""
    data = b"\xef\xbb\xbf" + "甲,乙\r\na,b\r\n\r\nc,d\r\n".encode() + b"\x1a"

    records = read(tmp_path, data, CSV)

    assert [record.cells for record in records] == [["a", "b"], None, ["c", "d"]]
    assert records[1].fault is None


def test_reading_resumes_at_any_record(tmp_path: Path) -> None:
    """The records from a position are the tail of all records."""
    path = tmp_path / "source"
    path.write_bytes("甲,乙\r\n".encode() + "".join(f"{n},东\r\n" for n in range(50)).encode())
    source = open_delimited(path, CSV)
    records = list(source.records())

    for index, record in enumerate(records):
        assert list(source.records(Position(record.offset, record.line))) == records[index:]


@pytest.mark.parametrize(
    "data", [b"", b"\n", "甲,乙".encode(), "甲,乙\n".encode("utf-16"), b"\xff,\n", b"a" * 9000]
)
def test_a_file_without_a_header_is_refused(tmp_path: Path, data: bytes) -> None:
    """Nothing is read from a file whose layout is not the declared one."""
    path = tmp_path / "source"
    path.write_bytes(data)

    if data == b"\n":
        assert open_delimited(path, CSV).header == ("",)
        return
    with pytest.raises(HubError) as refused:
        open_delimited(path, CSV)
    assert refused.value.reason is Reason.SOURCE_LAYOUT


def test_columns_are_found_by_alias_and_in_any_width(tmp_path: Path) -> None:
    """Order and width do not matter; missing and double columns are all named."""
    path = tmp_path / "source"
    path.write_bytes("ＩＤ,名称 ,名,名\r\n".encode())
    source = open_delimited(path, CSV)

    assert find_columns(source, [("企业名称", ("名称",)), ("id", ())]) == {"企业名称": 1, "id": 0}
    with pytest.raises(HubError) as refused:
        find_columns(source, [("地址", ()), ("名", ())])
    assert "地址: missing; 名: more than once" in refused.value.details["rule"]


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """Truncated or replaced while it was read."""
    path = tmp_path / "source"
    path.write_bytes("甲,乙\na,b\n".encode())
    source = open_delimited(path, CSV)
    source.check_unchanged()
    path.write_bytes("甲,乙\na,c\n".encode())

    with pytest.raises(HubError) as refused:
        source.check_unchanged()
    assert refused.value.reason is Reason.SOURCE_CHANGED


def test_memory_stays_constant(tmp_path: Path) -> None:
    """Twenty megabytes with one line of ten are read in less than one."""
    path = tmp_path / "source"
    with path.open("wb") as file:
        file.write("甲,乙\n".encode())
        file.write(b"x" * 10_000_000 + b"\n")
        for _ in range(10_000):
            file.write(b"a" * 500 + b",b" * 1 + b"\n")
    source = open_delimited(path, CSV)
    tracemalloc.start()
    count = sum(1 for _ in source.records())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 10_001
    assert peak < 1_000_000


cells = st.text(
    st.characters(codec="gb18030", exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=8
).filter(lambda text: "\ufffd" not in text)


@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_escaped_rows_come_back_as_they_were(tmp_path_factory, rows) -> None:
    """Whatever a department's program escapes, we read back, in both charsets."""
    folder = tmp_path_factory.mktemp("rows")
    lines = ["甲|乙"]
    lines += ["|".join(c.replace("\\", "\\\\").replace("|", "\\|") for c in row) for row in rows]
    text = "".join(line + "\r\n" for line in lines)
    for charset in (Charset.UTF_8, Charset.GB18030):
        declared = DelimitedFormat(charset, "|", Quoting.ESCAPES, 4096, True)
        found = read(folder, text.encode(charset.value), declared)
        for record, row in zip(found, rows, strict=True):
            # Random Latin-1 may look like mojibake, which is the point of that check.
            assert record.fault is not None or record.cells == list(row)
            assert record.fault is None or record.fault.rule == "encoding.mojibake"
