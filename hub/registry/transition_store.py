"""How states of certificates were changed: one row per decision, and what it was decided on."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, literal_column, select

from hub.registry.store import CERTIFICATES, CONFIRMATIONS, LOOK_UP, VERSIONS
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    insert_into,
    put_into,
    question,
)

TRANSITIONS: Final = Table(
    "registry_transitions",
    METADATA,
    Column("certificate_id", Text, primary_key=True),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("identifier", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("decision_date", Text, nullable=False),
    Column("deciding_body", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

INSERT_TRANSITION: Final = insert_into(TRANSITIONS)
PUT_CONFIRMATION: Final = put_into(CONFIRMATIONS)

HELD: Final = question(
    "a certificate with its newest version, to be changed",
    select(*CERTIFICATES.columns, *VERSIONS.columns)
    .select_from(CERTIFICATES.join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id))
    .where(
        CERTIFICATES.c.id == bindparam("id"), CERTIFICATES.c.authority == bindparam("authority")
    ),
    "id",
    "authority",
)
CONFIRMATION: Final = question(
    "what the source said of a certificate",
    select(CONFIRMATIONS.c.is_gone, CONFIRMATIONS.c.confirm_time_us, CONFIRMATIONS.c.time_us).where(
        CONFIRMATIONS.c.certificate_id == bindparam("certificate_id")
    ),
    "certificate_id",
)
GONE: Final = question(
    "which of these certificates their source did not list any more, and what it said",
    select(
        CONFIRMATIONS.c.certificate_id,
        CONFIRMATIONS.c.is_gone,
        CONFIRMATIONS.c.confirm_time_us,
        CONFIRMATIONS.c.time_us,
    ).where(
        CONFIRMATIONS.c.certificate_id.in_([bindparam(name) for name in LOOK_UP]),
        CONFIRMATIONS.c.is_gone == literal_column("1"),
    ),
    *LOOK_UP,
)
TRANSITIONS_PAGE: Final = question(
    "a page of a certificate's transitions, newest first",
    select(*TRANSITIONS.columns)
    .where(
        TRANSITIONS.c.certificate_id == bindparam("certificate_id"),
        TRANSITIONS.c.entry < bindparam("before", type_=BigInteger),
    )
    .order_by(TRANSITIONS.c.entry.desc())
    .limit(bindparam("rows", type_=BigInteger)),
    "certificate_id",
    "before",
    "rows",
)


class TransitionRow(NamedTuple):
    """One transition, as the row that is stored; `entry` is the log entry that made it.

    States, verb and cause are values of their enums; `cause` and `deciding_body` may be empty.
    """

    certificate_id: str
    entry: int
    identifier: str
    verb: str
    from_state: str
    to_state: str
    legal_basis: str
    document: str
    decision_date: str
    deciding_body: str
    cause: str
    authority: str
    system: str
    time_us: int
    retention_class: str


def transition_of(row: Row) -> TransitionRow:
    """A row of `TRANSITIONS_PAGE`."""
    # The columns are what the schema says: text but for two.
    return TransitionRow._make(row)


def put_confirmation(
    certificate_id: str,
    *,
    is_gone: bool,
    confirm_time_us: int,
    time_us: int,
    retention_class: str,
) -> Write:
    """What the source says of a certificate now; it was last confirmed at `confirm_time_us`."""
    row = (certificate_id, int(is_gone), confirm_time_us, time_us, ENTRY_INDEX, retention_class)
    return Write(PUT_CONFIRMATION, [row])


def unchanged_confirmation(certificate_id: str, row: Row | None) -> Check:
    """That the source said nothing since `row` was read."""
    return Check(CONFIRMATION, (certificate_id,), row)
