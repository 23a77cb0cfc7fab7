"""What changed, row by row, as the change feed reads it; written with the change itself.

A row's place is the log entry it was written with and its position there, so the order of the
feed is the order of the log, and what was recorded is on the feed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy import text as sql

from hub.domain.certificate import State
from hub.registry.store import CERTIFICATES, ENDING, VERSIONS
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    blob,
    insert_into,
    integer,
    put_into,
    question,
    text,
)


class ChangeKind(StrEnum):
    """What happened to a certificate."""

    # A first version.
    NEW = "new"
    # A further version; the one before is superseded.
    CHANGED = "changed"
    # A further version because the one before was wrong.
    CORRECTED = "corrected"
    # The newest version is in another state.
    STATE = "state"
    # Its validity has ended: the state followed from the clock, this only says so.
    EXPIRED = "expired"
    # It has another document.
    DOCUMENT = "document"
    # A fact that it carries has changed elsewhere.
    FACT = "fact"
    # Somebody objects to what it says, or an objection was answered.
    OBJECTION = "objection"
    # A system that was given what was wrong is told of the correction; nobody else is.
    NOTICE = "notice"
    # Its holder was found out, or that was taken back; the version is the same.
    HOLDER = "holder"


class Change(NamedTuple):
    """One change to one certificate, made by the thousand.

    `state` is what is stored after the change; `replaces` the identifier of the version that this
    one takes the place of; `reference` the resource that the change is about, if any.
    """

    what: ChangeKind
    authority: str
    type_code: str
    certificate_id: str
    identifier: str
    version: int
    state: State
    valid_from: str
    valid_until: str
    holder_indexes: Sequence[str]
    retention_class: str
    replaces: str = ""
    reference: str = ""


_IS_CORRECTION: Final = sql(f"kind = '{ChangeKind.CORRECTED.value}'")
CHANGES: Final = Table(
    "registry_changes",
    METADATA,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("certificate_id", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("valid_from", Text, nullable=False),
    Column("valid_until", Text, nullable=False),
    Column("holder_indexes", LargeBinary, nullable=False),
    Column("replaces", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    # Corrections, for whoever tells those that were given what was wrong.
    Index(
        "registry_changes_corrected",
        "entry",
        "position",
        sqlite_where=_IS_CORRECTION,
        postgresql_where=_IS_CORRECTION,
    ),
    sqlite_with_rowid=False,
)

# One row: the last day whose ended certificates were announced, and how far the next one is.
EXPIRY: Final = Table(
    "registry_expiry",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
)

INSERT_CHANGE: Final = insert_into(CHANGES)
PUT_EXPIRY: Final = put_into(EXPIRY)

_ROWS: Final = bindparam("rows", type_=BigInteger)
_COLUMNS: Final = tuple(
    column for column in CHANGES.columns if column.name != CHANGES.c.retention_class.name
)

CHANGES_AFTER: Final = question(
    "a page of changes after a place in the log",
    select(*_COLUMNS)
    .where(
        tuple_(CHANGES.c.entry, CHANGES.c.position)
        > tuple_(bindparam("entry", type_=BigInteger), bindparam("position", type_=BigInteger)),
        CHANGES.c.entry < bindparam("end", type_=BigInteger),
    )
    .order_by(CHANGES.c.entry, CHANGES.c.position)
    .limit(_ROWS),
    "entry",
    "position",
    "end",
    "rows",
)
NEXT_CORRECTION: Final = question(
    "the next correction after a place in the log",
    select(*CHANGES.columns)
    .where(
        CHANGES.c.kind == literal_column(f"'{ChangeKind.CORRECTED.value}'"),
        tuple_(CHANGES.c.entry, CHANGES.c.position)
        > tuple_(bindparam("entry", type_=BigInteger), bindparam("position", type_=BigInteger)),
    )
    .order_by(CHANGES.c.entry, CHANGES.c.position)
    .limit(_ROWS),
    "entry",
    "position",
    "rows",
)
NEWEST_CHANGE: Final = question(
    "the newest entry with a change, within bounds",
    select(CHANGES.c.entry)
    .where(
        CHANGES.c.entry >= bindparam("least", type_=BigInteger),
        CHANGES.c.entry < bindparam("end", type_=BigInteger),
    )
    .order_by(CHANGES.c.entry.desc(), CHANGES.c.position.desc())
    .limit(_ROWS),
    "least",
    "end",
    "rows",
)
EXPIRY_NOW: Final = question(
    "how far ended certificates are announced",
    select(EXPIRY.c.day, EXPIRY.c.after).where(EXPIRY.c.id == bindparam("id", type_=BigInteger)),
    "id",
)
ENDED_ON: Final = question(
    "a page of newest versions whose last day was a given one",
    select(
        VERSIONS.c.id,
        CERTIFICATES.c.authority,
        CERTIFICATES.c.type_code,
        CERTIFICATES.c.id,
        VERSIONS.c.identifier,
        VERSIONS.c.version,
        VERSIONS.c.state,
        VERSIONS.c.state_entry,
        VERSIONS.c.valid_from,
        VERSIONS.c.valid_until,
        CERTIFICATES.c.holder_indexes,
        VERSIONS.c.retention_class,
    )
    .select_from(
        VERSIONS.join(
            CERTIFICATES,
            and_(
                CERTIFICATES.c.id == VERSIONS.c.certificate_id,
                CERTIFICATES.c.current_version_id == VERSIONS.c.id,
            ),
        )
    )
    .where(ENDING, VERSIONS.c.valid_until == bindparam("day"), VERSIONS.c.id > bindparam("after"))
    .order_by(VERSIONS.c.id)
    .limit(_ROWS),
    "day",
    "after",
    "rows",
)
NEXT_END: Final = question(
    "the next last day of a version in force, within bounds",
    select(VERSIONS.c.valid_until)
    .where(
        ENDING,
        VERSIONS.c.valid_until > bindparam("after"),
        VERSIONS.c.valid_until < bindparam("before"),
    )
    .order_by(VERSIONS.c.valid_until)
    .limit(_ROWS),
    "after",
    "before",
    "rows",
)


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change as it stands in the table, with its place in the log."""

    entry: int
    position: int
    what: ChangeKind
    authority: str
    type_code: str
    certificate_id: str
    identifier: str
    version: int
    state: State
    valid_from: str
    valid_until: str
    holder_indexes: tuple[str, ...]
    replaces: str
    reference: str
    time_us: int


@dataclass(frozen=True, slots=True)
class EndedVersion:
    """A version whose validity has ended, with the state that was read."""

    id: str
    change: Change
    state_entry: int


def changes_write(changes: Sequence[Change], time_us: int) -> Write:
    """The rows that put `changes` on the feed in this order; exactly one such write per entry."""
    return Write(
        INSERT_CHANGE,
        [
            (
                ENTRY_INDEX,
                position,
                change.what.value,
                change.authority,
                change.type_code,
                change.certificate_id,
                change.identifier,
                change.version,
                change.state.value,
                change.valid_from,
                change.valid_until,
                orjson.dumps(change.holder_indexes),
                change.replaces,
                change.reference,
                time_us,
                change.retention_class,
            )
            for position, change in enumerate(changes)
        ],
    )


def put_expiry(day: str, after: str) -> Write:
    """That what ended before `day` is announced, and of `day` the versions up to `after`."""
    return Write(PUT_EXPIRY, [(1, day, after, "registry")])


def unchanged_expiry(row: Row | None) -> Check:
    """That nobody announced anything since `row` was read."""
    return Check(EXPIRY_NOW, (1,), row)


def change_of(row: Row) -> StoredChange:
    """A row of `CHANGES_AFTER`."""
    return StoredChange(
        integer(row[0]),
        integer(row[1]),
        ChangeKind(text(row[2])),
        text(row[3]),
        text(row[4]),
        text(row[5]),
        text(row[6]),
        integer(row[7]),
        State(text(row[8])),
        text(row[9]),
        text(row[10]),
        tuple(orjson.loads(blob(row[11]))),
        text(row[12]),
        text(row[13]),
        integer(row[14]),
    )


def ended_of(row: Row) -> EndedVersion:
    """A row of `ENDED_ON`."""
    change = Change(
        what=ChangeKind.EXPIRED,
        authority=text(row[1]),
        type_code=text(row[2]),
        certificate_id=text(row[3]),
        identifier=text(row[4]),
        version=integer(row[5]),
        state=State(text(row[6])),
        valid_from=text(row[8]),
        valid_until=text(row[9]),
        holder_indexes=tuple(orjson.loads(blob(row[10]))),
        retention_class=text(row[11]),
    )
    return EndedVersion(text(row[0]), change, integer(row[7]))
