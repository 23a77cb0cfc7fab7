"""Questions and writes as frozen values: text compiled once per engine, plain arguments.

SQLAlchemy Core owns schema and text; the drivers run the text directly, because on the hot path an
ORM or an async session costs ten times the query (docs/adr/0003). Columns are BigInteger, Text and
LargeBinary only, so values and row digests are the same on both engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite

from hub.proof.log import row

Value: TypeAlias = row.Value
Row: TypeAlias = row.Row

ENTRY_INDEX: Final = -(2**53 - 1)
"""Stands in a row of a `Write` for the index of the entry that the row is written with.

Nobody knows that index before the epoch runs: the recorder replaces it (`with_entry_index`) before
it digests and writes the row. A plain integer that no column holds otherwise, so that writes stay
serialisable.
"""

_NO_OFFSET: Final = " OFFSET ?"
_SQLITE: Final = sqlite.dialect(paramstyle="qmark")
_POSTGRESQL: Final = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """A named question. `parameters` gives the order of the arguments."""

    name: str
    sqlite: str
    postgresql: str


def question(name: str, select: Select[tuple[object, ...]], *parameters: str) -> Statement:
    """Compile `select` for both engines; its bind parameters are given in order of `parameters`.

    Each bind parameter must occur once in the text: the drivers take arguments by position.
    """
    texts = []
    for dialect in (_SQLITE, _POSTGRESQL):
        compiled = select.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        text, order = str(compiled), tuple(compiled.positiontup or ())
        if text.endswith(_NO_OFFSET) and len(order) == len(parameters) + 1:
            # For SQLite every LIMIT is given an OFFSET of zero, as a parameter that nobody named.
            text, order = text.removesuffix(_NO_OFFSET), order[:-1]
        if order != parameters:
            raise ValueError(f"{name}: parameters stand in the order {order}, not {parameters}")
        texts.append(text)
    return Statement(name, texts[0], texts[1])


def given_or_any(name: str, column: ColumnElement[str]) -> ColumnElement[bool]:
    """That `column` is the text argument `name`, or that the argument is empty."""
    return bindparam(name, type_=Text).in_([literal_column("''"), column])


@dataclass(frozen=True, slots=True, eq=False)
class WriteStatement:
    """One way to write whole rows of one table: insert, or replace by primary key."""

    table: str
    columns: tuple[str, ...]
    key: tuple[int, ...]
    sqlite: str
    postgresql: str
    kinds: tuple[str, ...] = field(repr=False)
    replaces: bool = False


def insert_into(table: Table) -> WriteStatement:
    """Insert whole rows; a row whose key exists fails the write."""
    return _write(table, replace=False)


def put_into(table: Table) -> WriteStatement:
    """Insert whole rows, or replace the row with the same primary key."""
    return _write(table, replace=True)


def _write(table: Table, *, replace: bool) -> WriteStatement:
    columns = tuple(column.name for column in table.columns)
    key = tuple(index for index, column in enumerate(table.columns) if column.primary_key)
    names = ", ".join(columns)
    tail = ""
    if replace:
        rest = [name for index, name in enumerate(columns) if index not in key]
        keys = ", ".join(columns[index] for index in key)
        changes = ", ".join(f"{name} = excluded.{name}" for name in rest)
        tail = f" ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    marks = ", ".join("?" for _ in columns)
    numbers = ", ".join(f"${index + 1}" for index in range(len(columns)))
    head = f"INSERT INTO {table.name} ({names}) VALUES"
    return WriteStatement(
        table.name,
        columns,
        key,
        f"{head} ({marks}){tail}",
        f"{head} ({numbers}){tail}",
        tuple(_kind(column.type) for column in table.columns),
        replace,
    )


def _kind(column_type: object) -> str:
    for known, kind in ((BigInteger, "integer"), (Text, "text"), (LargeBinary, "bytes")):
        if isinstance(column_type, known):
            return kind
    raise TypeError("columns are BigInteger, Text or LargeBinary only")


@dataclass(frozen=True, slots=True)
class Write:
    """Whole rows for one table, values in the order of its columns."""

    statement: WriteStatement
    rows: Sequence[Row]


@dataclass(slots=True)  # Freezing would multiply the cost of making one.
class Check:
    """What a decision was based on: `statement` with `args` must still answer `expected`.

    `expected` is the single row, or None where there must be none.
    """

    statement: Statement
    args: Row
    expected: Row | None


def with_entry_index(rows: Sequence[Row], index: int) -> Sequence[Row]:
    """`rows` with `index` in place of `ENTRY_INDEX`; the same object where there is none."""
    if not any(ENTRY_INDEX in row for row in rows):
        return rows
    return [tuple([index if value == ENTRY_INDEX else value for value in row]) for row in rows]


def row_key(statement: WriteStatement, row: Row) -> str:
    """The primary key of `row` as text; bytes in hexadecimal.

    Several parts are joined by `/`, which inside a part reads `%2F`: two keys never share a text.
    """
    texts = []
    for index in statement.key:
        part = row[index]
        texts.append(part.hex() if isinstance(part, bytes) else str(part))
    if len(texts) == 1:
        return texts[0]
    return "/".join([text.replace("%", "%25").replace("/", "%2F") for text in texts])


def text(value: Value) -> str:
    """A value of a text column that is never null."""
    assert isinstance(value, str)
    return value


def integer(value: Value) -> int:
    """A value of an integer column that is never null."""
    assert isinstance(value, int)
    return value


def blob(value: Value) -> bytes:
    """A value of a bytes column that is never null."""
    assert isinstance(value, bytes)
    return value
