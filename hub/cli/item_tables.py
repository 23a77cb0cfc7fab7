"""Service items as files: one JSON list, one XLSX with two sheets, or a folder with two CSV files.

What is read becomes documents as the hub takes them; each keeps its way back, so that a fault names
sheet, column and row (`materials!F5`). The first row of a table holds names of columns, in English
or in Chinese and in any order. Lists are written with semicolons, conditions as JSON.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from python_calamine import CalamineError, CalamineWorkbook

from certs.files import write_replacing
from connectors.profile import read_bounded
from hub.cli.terminal import UsageError
from hub.domain.strict_json import Json, NotStrictJsonError, emit, parse

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
# A workbook is compressed: this is what it may unfold to.
UNFOLDED_BYTES_MAX: Final = 512 * 1024 * 1024
ROWS_MAX: Final = 400_000
COLUMNS_MAX: Final = 64
CELL_LENGTH_MAX: Final = 32_767
READABLE: Final = 0o644

ITEM_COLUMNS: Final = {
    "code": "事项编码",
    "version": "版本",
    "name": "事项名称",
    "name_en": "英文名称",
    "authority": "实施机构代码",
    "levels": "行使层级",
    "working_days": "办结时限（工作日）",
    "fee": "收费",
    "legal_basis": "设定依据",
}
MATERIAL_COLUMNS: Final = {
    "item": "事项编码",
    "id": "材料标识",
    "name": "材料名称",
    "name_en": "英文名称",
    "role": "持证角色",
    "types": "证照类型代码",
    "grade_min": "最低可信等级",
    "fields": "所需信息项",
    "age_days_max": "最长天数",
    "condition": "需要条件",
    "promisable": "告知承诺",
    "deferrable_days": "容缺天数",
}
TABLES: Final = {"items": ITEM_COLUMNS, "materials": MATERIAL_COLUMNS}
SHEETS: Final = {"items": "事项", "materials": "材料"}

_INTEGERS: Final = frozenset({"version", "working_days", "age_days_max", "deferrable_days"})
_LISTS: Final = frozenset({"levels", "types", "fields"})
_FLAGS: Final = {"是": True, "true": True, "yes": True, "否": False, "false": False, "no": False}
_SEPARATORS: Final = re.compile(r"[;；、,，\s]+")
_MATERIAL: Final = re.compile(r"materials\[(\d+)\]\.?")
# A spreadsheet program runs what begins like this; what we write is text.
_FORMULA: Final = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Cells:
    """One row of a table: where it stands, and the column of each name."""

    table: str
    row: int
    columns: Mapping[str, int]
    values: Mapping[str, str]

    def where(self, name: str) -> str:
        """Sheet, column and row of a member as spreadsheets write them: `materials!F5 (types)`."""
        column = self.columns.get(name)
        letter = get_column_letter(column) if column else ""
        return f"{self.table}!{letter}{self.row} ({name})"


@dataclass(frozen=True, slots=True)
class Document:
    """An item as the hub takes it, and where each of its members was read."""

    code: str
    members: dict[str, Json]
    item: Cells | None = None
    materials: Sequence[Cells] = field(default=())

    def where(self, place: str) -> str:
        """Where the member at `place` was read: `materials[2].types` and the like."""
        inner = _MATERIAL.match(place)
        if self.item is None:
            return f"{self.code} {place}"
        if inner is None:
            return self.item.where(re.split(r"[\[.]", place)[0])
        number = int(inner[1])
        name = re.split(r"[\[.]", place[inner.end() :])[0]
        return self.materials[number].where(name) if number < len(self.materials) else place


def read(path: Path) -> list[Document]:
    """The items in `path`: .json, .xlsx, or a folder with items.csv and materials.csv.

    Raises UsageError that names sheet, row and column, HubError(FILE_UNREADABLE).
    """
    if path.is_dir():
        tables = {
            name: list(_csv_rows(path / f"{name}.csv", name, columns))
            for name, columns in TABLES.items()
        }
        return _documents(tables)
    data = read_bounded(path, FILE_BYTES_MAX, "service items")
    if path.suffix.lower() == ".json":
        return list(_json_documents(path, data))
    if path.suffix.lower() == ".xlsx":
        return _documents(_xlsx_tables(path, data))
    raise UsageError(
        f"{path}: name a .json or .xlsx file, or a folder with items.csv and materials.csv",
        f"{path}：应为 .json 或 .xlsx 文件，或含 items.csv 和 materials.csv 的文件夹",
    )


def write(path: Path, items: Sequence[dict[str, Json]], *, chinese: bool) -> None:
    """Write the members of `items` as `read` reads them; a path without suffix is a CSV folder."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        lines = b",\n".join(emit(item) for item in items)
        write_replacing(path, b"[" + lines + b"]\n", mode=READABLE)
    elif suffix == ".xlsx":
        write_replacing(path, _workbook(items, chinese=chinese), mode=READABLE)
    elif not suffix:
        path.mkdir(exist_ok=True)
        for name in TABLES:
            write_replacing(path / f"{name}.csv", _csv(name, items, chinese=chinese), mode=READABLE)
    else:
        raise UsageError(
            f"{path}: name a .json or .xlsx file, or a folder for CSV files",
            f"{path}：应为 .json 或 .xlsx 文件，或用于存放 CSV 的文件夹",
        )


def _json_documents(path: Path, data: bytes) -> Iterator[Document]:
    try:
        found = parse(data)
    except NotStrictJsonError as error:
        raise UsageError(f"{path}: no JSON: {error}", f"{path}：不是 JSON：{error}") from error
    items = found if isinstance(found, list) else [found]
    for number, members in enumerate(items, start=1):
        if not isinstance(members, dict):
            raise UsageError(
                f"{path}: item {number} is no object", f"{path}：第 {number} 个事项不是对象"
            )
        code = members.get("code")
        yield Document(code if isinstance(code, str) else f"item {number}", members)


def _documents(tables: Mapping[str, Sequence[Cells]]) -> list[Document]:
    """Items with their materials, in the order of the rows."""
    materials: dict[str, list[Cells]] = {}
    codes = {row.values.get("code", "") for row in tables["items"]}
    for row in tables["materials"]:
        code = row.values.get("item", "")
        if code not in codes:
            raise UsageError(
                f"{row.where('item')}: no row of the items has this code",
                f"{row.where('item')}：事项表中没有该编码",
            )
        materials.setdefault(code, []).append(row)
    found = []
    for row in tables["items"]:
        code = row.values.get("code", "")
        own = materials.get(code, [])
        members: dict[str, Json] = {"v": 1, **_members(row)}
        members["materials"] = [_members(one) for one in own]
        found.append(Document(code, members, row, own))
    return found


def _members(row: Cells) -> dict[str, Json]:
    return {
        name: _value(name, text) for name, text in row.values.items() if text and name != "item"
    }


def _value(name: str, text: str) -> Json:
    """What a cell says; what is none of its kind stays a text, which the rules then refuse."""
    if name in _INTEGERS:
        return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text
    if name in _LISTS:
        return [part for part in _SEPARATORS.split(text) if part]
    if name == "promisable":
        return _FLAGS.get(text.lower(), text)
    if name == "condition":
        try:
            return parse(text.encode())
        except NotStrictJsonError:
            return text
    return text


def _rows(
    table: str, columns: Mapping[str, str], lines: Iterable[Sequence[object]]
) -> Iterator[Cells]:
    """The rows of a table whose first line names its columns; empty lines are left out."""
    names: dict[str, int] | None = None
    known = {label: name for name, label in columns.items()} | {name: name for name in columns}
    for number, line in enumerate(lines, start=1):
        if number > ROWS_MAX or len(line) > COLUMNS_MAX:
            raise UsageError(
                f"{table}: more than {ROWS_MAX} rows or {COLUMNS_MAX} columns",
                f"{table}：超过 {ROWS_MAX} 行或 {COLUMNS_MAX} 列",
            )
        texts = [_text(value) for value in line]
        if names is None:
            names = _header(table, known, texts)
            continue
        if any(texts):
            values = {
                name: texts[column - 1] for name, column in names.items() if column <= len(texts)
            }
            yield Cells(table, number, names, values)
    if names is None:
        raise UsageError(f"{table}: no row at all", f"{table}：没有任何行")


def _header(table: str, known: Mapping[str, str], texts: Sequence[str]) -> dict[str, int]:
    names: dict[str, int] = {}
    for column, text in enumerate(texts, start=1):
        if not text:
            continue
        name = known.get(text)
        if name is None or name in names:
            letter = get_column_letter(column)
            wanted = ", ".join(dict.fromkeys(known.values()))
            raise UsageError(
                f"{table}!{letter}1: {text[:40]} is no column, or stands twice; "
                f"columns are {wanted}",
                f"{table}!{letter}1：{text[:40]} 不是已知列名或重复；列名为 {wanted}",
            )
        names[name] = column
    return names


def _text(value: object) -> str:
    """A cell as text: whole numbers without a point, days as ISO dates."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    text = str(value).strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _csv_rows(path: Path, table: str, columns: Mapping[str, str]) -> Iterator[Cells]:
    data = read_bounded(path, FILE_BYTES_MAX, "service items")
    try:
        text = data.decode("utf-8-sig")
        yield from _rows(table, columns, csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: not UTF-8 at byte {error.start}; save it as CSV UTF-8",
            f"{path}：第 {error.start} 字节不是 UTF-8，请另存为 CSV UTF-8",
        ) from error
    except csv.Error as error:
        raise UsageError(f"{path}: no CSV: {error}", f"{path}：不是 CSV：{error}") from error


def _xlsx_tables(path: Path, data: bytes) -> dict[str, list[Cells]]:
    wrong = UsageError(f"{path} is no XLSX workbook", f"{path} 不是 XLSX 工作簿")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > UNFOLDED_BYTES_MAX:
                raise wrong
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (zipfile.BadZipFile, CalamineError, OSError) as error:
        raise wrong from error
    tables: dict[str, list[Cells]] = {}
    for name, columns in TABLES.items():
        sheet = next((one for one in (name, SHEETS[name]) if one in book.sheet_names), None)
        if sheet is None:
            raise UsageError(
                f"{path} has no sheet {name} or {SHEETS[name]}",
                f"{path} 中没有工作表 {name} 或 {SHEETS[name]}",
            )
        try:
            # Rows and columns are counted as people see them, from the first.
            lines = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        except CalamineError as error:
            raise wrong from error
        tables[name] = list(_rows(name, columns, lines))
    return tables


def _lines(table: str, items: Sequence[dict[str, Json]]) -> Iterator[list[str | int]]:
    """The rows of a table, without its names."""
    for item in items:
        if table == "items":
            yield [_cell(item.get(name)) for name in ITEM_COLUMNS]
            continue
        materials = item["materials"]
        assert isinstance(materials, list)
        for material in materials:
            assert isinstance(material, dict)
            row = {"item": item["code"], **material}
            yield [_cell(row.get(name)) for name in MATERIAL_COLUMNS]


def _cell(value: Json) -> str | int:
    if value is None or value is False:
        return ""
    if value is True:
        return "是"
    if isinstance(value, list):
        return ";".join(map(str, value))
    return emit(value).decode() if isinstance(value, dict) else value


def _names(table: str, *, chinese: bool) -> list[str]:
    return [label if chinese else name for name, label in TABLES[table].items()]


def _csv(table: str, items: Sequence[dict[str, Json]], *, chinese: bool) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_names(table, chinese=chinese))
    for line in _lines(table, items):
        writer.writerow(
            [
                f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
                for cell in line
            ]
        )
    # Spreadsheet programs know UTF-8 by its mark.
    return text.getvalue().encode("utf-8-sig")


def _workbook(items: Sequence[dict[str, Json]], *, chinese: bool) -> bytes:
    book = Workbook(write_only=True)
    for table in TABLES:
        sheet = book.create_sheet(SHEETS[table] if chinese else table)
        sheet.append(_names(table, chinese=chinese))
        for line in _lines(table, items):
            sheet.append([_plain(sheet, value) for value in line])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _plain(sheet: WriteOnlyWorksheet, value: str | int) -> Cell | str | int:
    """`value` as a cell; a text that reads like a formula is told to be none."""
    if not isinstance(value, str) or not value.startswith("="):
        return value
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell
