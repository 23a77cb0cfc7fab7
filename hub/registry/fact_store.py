"""Announced changes of facts and what has to follow: tables, questions, rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    select,
    tuple_,
)

from hub.domain.certificate import State
from hub.registry.store import CERTIFICATES, HELD, VERSIONS
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    blob,
    given_or_any,
    insert_into,
    integer,
    put_into,
    question,
    text,
)

FACT_CHANGES: Final = Table(
    "registry_fact_changes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("certificate_id", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

# Whether one is done is not stored: it follows from the newest version of its certificate.
FOLLOW_UPS: Final = Table(
    "registry_follow_ups",
    METADATA,
    Column("fact_change", Text, primary_key=True),
    Column("certificate_id", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("facts", LargeBinary, nullable=False),
    Column("decline_reason", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_follow_ups_of_authority", "authority", "fact_change", "certificate_id"),
    sqlite_with_rowid=False,
)

INSERT_FACT_CHANGE: Final = insert_into(FACT_CHANGES)
INSERT_FOLLOW_UP: Final = insert_into(FOLLOW_UPS)
PUT_FOLLOW_UP: Final = put_into(FOLLOW_UPS)

_ROWS: Final = bindparam("rows", type_=BigInteger)
_CURRENT: Final = CERTIFICATES.join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id)
_CERTIFICATE_COLUMNS: Final = (
    CERTIFICATES.c.id,
    CERTIFICATES.c.authority,
    CERTIFICATES.c.type_code,
    CERTIFICATES.c.holder_indexes,
    CERTIFICATES.c.retention_class,
    VERSIONS.c.id,
    VERSIONS.c.identifier,
    VERSIONS.c.version,
    VERSIONS.c.type_version,
    VERSIONS.c.state,
    VERSIONS.c.state_entry,
    VERSIONS.c.valid_from,
    VERSIONS.c.valid_until,
)
HELD_NOW: Final = question(
    "a certificate with its holders and its newest version",
    select(*_CERTIFICATE_COLUMNS)
    .select_from(_CURRENT)
    .where(
        CERTIFICATES.c.id == bindparam("id"), CERTIFICATES.c.authority == bindparam("authority")
    ),
    "id",
    "authority",
)
HELD_BY: Final = question(
    "certificates of a holder with their newest versions",
    select(*_CERTIFICATE_COLUMNS)
    .select_from(
        HELD.join(CERTIFICATES, CERTIFICATES.c.id == HELD.c.certificate_id).join(
            VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id
        )
    )
    .order_by(CERTIFICATES.c.id)
    .limit(_ROWS),
    "holder_index",
    "rows",
)
FACT_CHANGE: Final = question(
    "whose announcement it is, and of what",
    select(FACT_CHANGES.c.authority, FACT_CHANGES.c.facts).where(
        FACT_CHANGES.c.id == bindparam("id")
    ),
    "id",
)


def _follow_ups() -> Select[tuple[object, ...]]:
    return select(
        FOLLOW_UPS.c.fact_change,
        FOLLOW_UPS.c.certificate_id,
        FOLLOW_UPS.c.authority,
        FOLLOW_UPS.c.version,
        FOLLOW_UPS.c.facts,
        FOLLOW_UPS.c.decline_reason,
        FOLLOW_UPS.c.retention_class,
        FACT_CHANGES.c.identifier,
        FACT_CHANGES.c.time_us,
        CERTIFICATES.c.type_code,
        VERSIONS.c.version,
        VERSIONS.c.state,
        VERSIONS.c.valid_from,
        VERSIONS.c.valid_until,
    ).select_from(
        FOLLOW_UPS.join(FACT_CHANGES, FACT_CHANGES.c.id == FOLLOW_UPS.c.fact_change)
        .join(CERTIFICATES, CERTIFICATES.c.id == FOLLOW_UPS.c.certificate_id)
        .join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id)
    )


FOLLOW_UPS_OF_CHANGE: Final = question(
    "a page of what follows from one announcement; of one authority unless that is empty",
    _follow_ups()
    .where(
        FOLLOW_UPS.c.fact_change == bindparam("fact_change"),
        given_or_any("authority", FOLLOW_UPS.c.authority),
        FOLLOW_UPS.c.certificate_id > bindparam("after"),
    )
    .order_by(FOLLOW_UPS.c.certificate_id)
    .limit(_ROWS),
    "fact_change",
    "authority",
    "after",
    "rows",
)
FOLLOW_UPS_OF_AUTHORITY: Final = question(
    "a page of what an authority's certificates have to follow",
    _follow_ups()
    .where(
        FOLLOW_UPS.c.authority == bindparam("authority"),
        tuple_(FOLLOW_UPS.c.fact_change, FOLLOW_UPS.c.certificate_id)
        > tuple_(bindparam("change"), bindparam("after")),
    )
    .order_by(FOLLOW_UPS.c.fact_change, FOLLOW_UPS.c.certificate_id)
    .limit(_ROWS),
    "authority",
    "change",
    "after",
    "rows",
)
ONE_FOLLOW_UP: Final = question(
    "one thing that follows",
    _follow_ups().where(
        FOLLOW_UPS.c.fact_change == bindparam("fact_change"),
        FOLLOW_UPS.c.certificate_id == bindparam("certificate_id"),
    ),
    "fact_change",
    "certificate_id",
)


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate with its holders and its newest version."""

    id: str
    authority: str
    type_code: str
    holder_indexes: tuple[str, ...]
    retention_class: str
    version_id: str
    identifier: str
    version: int
    type_version: int
    state: State
    state_entry: int
    valid_from: str
    valid_until: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What has to follow, with the newest version of its certificate as it stands now."""

    fact_change: str
    certificate_id: str
    authority: str
    version: int
    facts: tuple[str, ...]
    decline_reason: str
    retention_class: str
    source_identifier: str
    time_us: int
    type_code: str
    newest_version: int
    state: State
    valid_from: str
    valid_until: str


def held_of(row: Row) -> Held:
    """A row of `HELD_NOW` or `HELD_BY`."""
    return Held(
        text(row[0]),
        text(row[1]),
        text(row[2]),
        tuple(orjson.loads(blob(row[3]))),
        text(row[4]),
        text(row[5]),
        text(row[6]),
        integer(row[7]),
        integer(row[8]),
        State(text(row[9])),
        integer(row[10]),
        text(row[11]),
        text(row[12]),
    )


def follow_up_of(row: Row) -> FollowUp:
    """A row of the questions about follow-ups."""
    return FollowUp(
        text(row[0]),
        text(row[1]),
        text(row[2]),
        integer(row[3]),
        tuple(orjson.loads(blob(row[4]))),
        text(row[5]),
        text(row[6]),
        text(row[7]),
        integer(row[8]),
        text(row[9]),
        integer(row[10]),
        State(text(row[11])),
        text(row[12]),
        text(row[13]),
    )


def put_fact_change(
    id: str, source: Held, facts: tuple[str, ...], legal_basis: str, time_us: int
) -> Write:
    """A new announcement."""
    row = (
        id,
        source.authority,
        source.id,
        source.identifier,
        orjson.dumps(facts),
        legal_basis,
        ENTRY_INDEX,
        time_us,
        source.retention_class,
    )
    return Write(INSERT_FACT_CHANGE, [row])


def put_follow_ups(id: str, found: list[tuple[Held, tuple[str, ...]]]) -> Write:
    """What has to follow from it, and which facts each carries."""
    return Write(
        INSERT_FOLLOW_UP,
        [
            (
                id,
                held.id,
                held.authority,
                held.version,
                orjson.dumps(facts),
                "",
                ENTRY_INDEX,
                held.retention_class,
            )
            for held, facts in found
        ],
    )


def put_declined(one: FollowUp, reason: str) -> Write:
    """That its authority does not follow, and why."""
    row = (
        one.fact_change,
        one.certificate_id,
        one.authority,
        one.version,
        orjson.dumps(one.facts),
        reason,
        ENTRY_INDEX,
        one.retention_class,
    )
    return Write(PUT_FOLLOW_UP, [row])


def unchanged_follow_up(fact_change: str, certificate_id: str, row: Row) -> Check:
    """That neither the follow-up nor its certificate changed since `row` was read."""
    return Check(ONE_FOLLOW_UP, (fact_change, certificate_id), row)
