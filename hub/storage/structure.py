"""Whether tables fit together: what one names exists in the other, and what is unique is once.

The audit says whether a row is as the log wrote it; this says whether the rows make sense with each
other, which a half-restored, hand-edited or damaged database does not.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import asyncpg
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    MetaData,
    Table,
    and_,
    func,
    literal_column,
    select,
)

from hub.errors import HubError
from hub.storage.database import Engine, Snapshot
from hub.storage.statements import Row, Statement, question

FAULTS_MAX: Final = 1000

# Damaged pages and damaged values alike: never counted as right.
UNREADABLE: Final = (HubError, sqlite3.Error, asyncpg.PostgresError)

_LIMIT: Final[ColumnElement[int]] = literal_column(str(FAULTS_MAX))
_SQLITE_SELF_CHECK: Final = Statement(
    "the engine's own check",
    "SELECT integrity_check FROM pragma_integrity_check(1000)",
    "SELECT 'ok'",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Each value of `column` that is not null, nor empty, stands in `parent_column`."""

    table: str
    column: str
    parent: str
    parent_column: str


@dataclass(frozen=True, slots=True)
class ListReference:
    """Each text of the JSON list in `column` stands in `parent_column` of a row of `parent` that
    names this row's key in `back`.
    """

    table: str
    column: str
    parent: str
    parent_column: str
    back: str


@dataclass(frozen=True, slots=True)
class Once:
    """No two rows have the same values in `columns`; null or empty values do not count."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """The log has every entry that `column` names."""

    table: str
    column: str


Rule: TypeAlias = "Reference | ListReference | Once | Within"


@dataclass(frozen=True, slots=True)
class Fault:
    """One contradiction: the row `key` of `table`, and what is wrong with it."""

    table: str
    key: str
    fault: str


@dataclass(slots=True)
class StructureReport:
    """What the check saw. `unchecked` names what could not be checked, and why."""

    rules: int = 0
    faults: list[Fault] = field(default_factory=list)
    unchecked: list[Fault] = field(default_factory=list)
    # A rule has more faults than are listed.
    is_truncated: bool = False


def entry_rules(metadata: MetaData) -> list[Within]:
    """A rule for every column that names a log entry, known by its name."""
    return [
        Within(table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, BigInteger)
        and (column.name == "entry" or column.name.endswith("_entry"))
    ]


async def check_rule(
    snapshot: Snapshot, metadata: MetaData, rule: Rule, size: int, report: StructureReport
) -> None:
    """Note into `report` what breaks `rule`; `size` is that of the log."""
    report.rules += 1
    table = metadata.tables[rule.table]
    statement, fault = _asked(metadata, table, rule, size)
    await _note(snapshot, statement, table.name, fault, report)


async def check_engine(snapshot: Snapshot, engine: Engine, report: StructureReport) -> None:
    """The engine's own check of its pages and indexes; PostgreSQL has none that a hub may call."""
    if engine != "sqlite":
        return
    report.rules += 1
    try:
        said = await snapshot.all(_SQLITE_SELF_CHECK)
    except UNREADABLE as error:
        report.unchecked.append(Fault("database file", "", str(error)))
        return
    report.faults += [Fault("database file", "", str(row[0])) for row in said if row[0] != "ok"]


async def _note(
    snapshot: Snapshot, statement: Statement, table: str, fault: str, report: StructureReport
) -> None:
    try:
        rows = await snapshot.all(statement)
    except UNREADABLE as error:
        report.unchecked.append(Fault(table, "", f"{statement.name}: {error}"))
        return
    report.is_truncated = report.is_truncated or len(rows) == FAULTS_MAX
    report.faults += [Fault(table, _key(row), fault) for row in rows]


def _asked(metadata: MetaData, table: Table, rule: Rule, size: int) -> tuple[Statement, str]:
    """The question for rows that break `rule`, and what to say of them."""
    if isinstance(rule, Reference):
        parent = metadata.tables[rule.parent]
        return (
            _missing(table, rule, parent),
            f"its {rule.column} is in no row of {rule.parent}",
        )
    if isinstance(rule, ListReference):
        fault = f"a value of its {rule.column} is in no row of {rule.parent}"
        return _missing_of_list(table, rule), fault
    if isinstance(rule, Once):
        columns = [table.c[name] for name in rule.columns]
        texts = [column for column in columns if not isinstance(column.type, BigInteger)]
        present: list[ColumnElement[bool]] = [column.is_not(None) for column in columns]
        present += [column != literal_column("''") for column in texts]
        asked = select(*columns).where(and_(*present)).group_by(*columns)
        twice = asked.having(func.count() > literal_column("1")).limit(_LIMIT)
        return (
            question(f"{rule.table} twice by {rule.columns}", twice),
            f"stands more than once by {', '.join(rule.columns)}",
        )
    ahead = (
        select(*table.primary_key.columns)
        .where(table.c[rule.column] >= literal_column(str(size)))
        .limit(_LIMIT)
    )
    return (
        question(f"{rule.table} ahead of the log", ahead),
        f"its {rule.column} names an entry that the log of {size} does not have",
    )


def _missing(table: Table, rule: Reference, parent: Table) -> Statement:
    child_column, parent_column = table.c[rule.column], parent.c[rule.parent_column]
    known = select(parent_column).where(parent_column == child_column).correlate(table)
    asked = (
        select(*table.primary_key.columns)
        .where(child_column.is_not(None), child_column != literal_column("''"), ~known.exists())
        .limit(_LIMIT)
    )
    return question(f"{rule.table} without {rule.parent}", asked)


def _missing_of_list(table: Table, rule: ListReference) -> Statement:
    """JSON is read by the engine; the words are the schema's own."""
    key = ", ".join(f"c.{column.name}" for column in table.primary_key.columns)
    first = table.primary_key.columns[0].name
    texts = [
        f"SELECT {key} FROM {rule.table} c, {listed} WHERE NOT EXISTS"  # noqa: S608
        f" (SELECT 1 FROM {rule.parent} p"
        f" WHERE p.{rule.parent_column} = v.value AND p.{rule.back} = c.{first})"
        f" LIMIT {FAULTS_MAX}"
        for listed in (
            f"json_each(CAST(c.{rule.column} AS TEXT)) v",
            f"jsonb_array_elements_text(convert_from(c.{rule.column}, 'UTF8')::jsonb) v(value)",
        )
    ]
    return Statement(f"{rule.table} listed in no {rule.parent}", texts[0], texts[1])


def _key(row: Row) -> str:
    return "/".join(part.hex() if isinstance(part, bytes) else str(part) for part in row)
