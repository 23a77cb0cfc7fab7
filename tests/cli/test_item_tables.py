"""Service items as JSON, CSV and XLSX: nothing is lost on the way, and a fault names its cell."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from hub.cli import item_tables
from hub.cli.items import PORTION_ITEMS, read_portions
from hub.cli.terminal import UsageError
from hub.domain.service_item import from_json, members_of
from hub.domain.strict_json import Json, emit
from hub.errors import HubError
from tests.conftest import ROOT

SEED = ROOT / "deploy" / "catalogue" / "items.json"
HOSTILE = '=HYPERLINK("https://example.invalid","法律")'


def seed() -> list[dict[str, Json]]:
    """Every item of the seed catalogue as the hub writes it, one with a hostile text."""
    found = [
        members_of(from_json(json.dumps(one).encode())) for one in json.loads(SEED.read_bytes())
    ]
    found[0]["legal_basis"] = HOSTILE
    return found


@pytest.mark.parametrize("name", ["items.json", "items.xlsx", "folder"])
@pytest.mark.parametrize("chinese", [False, True])
def test_what_is_exported_is_imported_as_it_was(tmp_path: Path, name: str, chinese: bool) -> None:
    """Every member of every seed item, in each form and in both languages of the headings."""
    item_tables.write(tmp_path / name, seed(), chinese=chinese)

    documents = item_tables.read(tmp_path / name)

    assert [from_json(emit(one.members)) for one in documents] == [
        from_json(emit(one)) for one in seed()
    ]


def test_a_text_is_never_a_formula_to_a_spreadsheet(tmp_path: Path) -> None:
    """Who opens an export runs nothing of what somebody wrote into the catalogue."""
    item_tables.write(tmp_path / "items.xlsx", seed(), chinese=False)
    item_tables.write(tmp_path / "folder", seed(), chinese=False)

    sheet = load_workbook(tmp_path / "items.xlsx")["items"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert HOSTILE in [cell.value for cell in cells]
    assert "f" not in {cell.data_type for cell in cells}
    text = (tmp_path / "folder" / "items.csv").read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in text
    assert ",=HYPERLINK" not in text and ',"=HYPERLINK' not in text


def workbook(path: Path, *, place: str, value: object) -> Path:
    """An export with one cell changed: `materials!F5`."""
    item_tables.write(path, seed(), chinese=False)
    book = load_workbook(path)
    table, _, cell = place.partition("!")
    book[table][cell] = value
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("place", "value", "fault", "rule"),
    [
        ("items!A2", "demo-x", None, None),
        ("items!E3", "11990000900000014X", "items!E3 (authority)", "uscc.check"),
        ("items!G4", "soon", "items!G4 (working_days)", "value.range"),
        ("items!G4", 2000, "items!G4 (working_days)", "value.range"),
        ("items!F2", "county;moon", "items!F2 (levels)", "member.kind"),
        ("materials!E3", "ghost", "materials!E3 (role)", "member.kind"),
        ("materials!F2", "123", "materials!F2 (types)", "item.type"),
        ("materials!J2", "m2 > 50", "materials!J2 (condition)", "item.condition"),
        ("materials!K2", "maybe", "materials!K2 (promisable)", "value.boolean"),
        ("materials!L2", 366, "materials!L2 (deferrable_days)", "value.range"),
        ("materials!C2", None, "materials!C2 (name)", "member.missing"),
    ],
)
def test_a_fault_names_sheet_column_row_and_rule(
    tmp_path: Path, place: str, value: object, fault: str | None, rule: str | None
) -> None:
    """A clerk goes to the cell."""
    path = workbook(tmp_path / "items.xlsx", place=place, value=value)

    if fault is None:
        # Its materials lost their item with the code.
        with pytest.raises(UsageError, match=r"materials!A2 \(item\)"):
            read_portions(path)
        return
    with pytest.raises(HubError) as refused:
        read_portions(path)

    assert [(one.field, one.rule) for one in refused.value.violations] == [(fault, rule)]


def test_a_heading_that_is_not_known_or_stands_twice_is_named(tmp_path: Path) -> None:
    """A column that would be left out silently is a fault."""
    for value in ("colour", "code"):
        path = workbook(tmp_path / f"{value}.xlsx", place="items!C1", value=value)
        with pytest.raises(UsageError, match=f"items!C1: {value} is no column"):
            item_tables.read(path)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.xlsx", b"no workbook", "no XLSX workbook"),
        ("a.json", b"{", "no JSON"),
        ("a.json", b"[1]", "item 1 is no object"),
        ("a.txt", b"", "name a .json or .xlsx file"),
    ],
)
def test_what_is_no_list_of_items_is_refused(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    """With what to write instead."""
    (tmp_path / name).write_bytes(data)

    with pytest.raises(UsageError, match=said):
        item_tables.read(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("编码".encode("gb18030"), "not UTF-8"),
        (b'code\n"a', "no CSV"),
        (b"", "no row at all"),
        (b"code\n" + b"A," * 70, "more than"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    """Nothing is guessed about encodings."""
    (tmp_path / "items.csv").write_bytes(data)
    (tmp_path / "materials.csv").write_bytes(b"item,id\n")

    with pytest.raises(UsageError, match=said):
        item_tables.read(tmp_path)


def test_a_workbook_that_unfolds_too_far_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file may hold gigabytes of zeros."""
    monkeypatch.setattr(item_tables, "UNFOLDED_BYTES_MAX", 1_000_000)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(1_000_001))
    (tmp_path / "bomb.xlsx").write_bytes(data.getvalue())

    with pytest.raises(UsageError, match="no XLSX workbook"):
        item_tables.read(tmp_path / "bomb.xlsx")


def test_a_workbook_without_the_sheets_says_which(tmp_path: Path) -> None:
    """Both names of the sheet are told."""
    Workbook().save(tmp_path / "empty.xlsx")

    with pytest.raises(UsageError, match="no sheet items or 事项"):
        item_tables.read(tmp_path / "empty.xlsx")


def test_many_items_are_several_calls(tmp_path: Path) -> None:
    """Each within what the hub takes, in the order of the file."""
    one = seed()[1]
    every = [{**one, "code": f"DEMO-{number:05d}"} for number in range(2 * PORTION_ITEMS + 1)]
    item_tables.write(tmp_path / "many.json", every, chinese=False)

    portions = read_portions(tmp_path / "many.json")

    assert [len(portion.items) for portion in portions] == [PORTION_ITEMS, PORTION_ITEMS, 1]
    assert [source.code for portion in portions for source in portion.sources] == [
        item["code"] for item in every
    ]
