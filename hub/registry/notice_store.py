"""Notices of corrections, and of which they were sent: tables, questions, rows as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    Table,
    Text,
    bindparam,
    or_,
    select,
)

from hub.registry.store import VERSIONS
from hub.storage.schema import METADATA
from hub.storage.statements import (
    Check,
    Row,
    Statement,
    Write,
    insert_into,
    put_into,
    question,
)

NOTICES: Final = Table(
    "registry_notices",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("certificate_id", Text, nullable=False),
    Column("correction", Text, nullable=False),
    Column("objection", Text, nullable=False),
    Column("received", LargeBinary, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("acknowledge_time_us", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_notices_to_system", "system", "id"),
    Index("registry_notices_of_authority", "authority", "id"),
)

# One row: the place on the feed of the last correction whose receivers were told.
TELLING: Final = Table(
    "registry_telling",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("told_entry", BigInteger, nullable=False),
    Column("told_position", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

INSERT_NOTICE: Final = insert_into(NOTICES)
PUT_NOTICE: Final = put_into(NOTICES)
PUT_TELLING: Final = put_into(TELLING)

_ROWS: Final = bindparam("rows", type_=BigInteger)
_COLUMNS: Final = tuple(NOTICES.columns)

TOLD: Final = question(
    "the last correction whose receivers were told",
    select(TELLING.c.told_entry, TELLING.c.told_position).where(
        TELLING.c.id == bindparam("id", type_=BigInteger)
    ),
    "id",
)
SEALED_VALUES: Final = question(
    "the versions of a certificate up to one, newest first, with their encrypted values",
    select(VERSIONS.c.identifier, VERSIONS.c.id, VERSIONS.c.disclosures, VERSIONS.c.data_key_id)
    .where(
        VERSIONS.c.certificate_id == bindparam("certificate_id"),
        VERSIONS.c.version <= bindparam("version", type_=BigInteger),
    )
    .order_by(VERSIONS.c.version.desc())
    .limit(_ROWS),
    "certificate_id",
    "version",
    "rows",
)
NOTICE: Final = question(
    "one notice", select(*_COLUMNS).where(NOTICES.c.id == bindparam("id")), "id"
)


def _page(name: str, whose: ColumnElement[bool] | None, *parameters: str) -> Statement:
    asked = select(*_COLUMNS)
    if whose is not None:
        asked = asked.where(whose)
    return question(
        name,
        asked.where(
            # 0 where nobody has acknowledged it.
            NOTICES.c.acknowledge_time_us <= bindparam("acknowledged_max", type_=BigInteger),
            NOTICES.c.id > bindparam("after"),
        )
        .order_by(NOTICES.c.id)
        .limit(_ROWS),
        *parameters,
        "acknowledged_max",
        "after",
        "rows",
    )


NOTICES_OF: Final = _page(
    "a page of the notices to a system or of an authority's certificates",
    or_(NOTICES.c.authority == bindparam("authority"), NOTICES.c.system == bindparam("system")),
    "authority",
    "system",
)
ALL_NOTICES: Final = _page("a page of all notices", None)


class Gave(NamedTuple):
    """What a system was given of one version; `identifier` is empty where it does not know it.

    `entries` are the first of the `entries_n` log entries by which it was.
    """

    identifier: str
    fields: Sequence[str]
    entries: Sequence[int]
    entries_n: int


class NoticeRow(NamedTuple):
    """One notice, as the row that is stored; `acknowledge_time_us` is 0 before it is."""

    id: str
    system: str
    authority: str
    type_code: str
    certificate_id: str
    correction: str
    objection: str
    received: bytes
    create_time_us: int
    acknowledge_time_us: int
    entry: int
    retention_class: str

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"{self.system}/notices/{self.id}"

    @property
    def gave(self) -> tuple[Gave, ...]:
        """What the system was given that was wrong."""
        return tuple(Gave(*one) for one in orjson.loads(self.received))


def notice_of(row: Row) -> NoticeRow:
    """A row of the questions about notices."""
    # The columns are what the schema says.
    return NoticeRow._make(row)


def put_telling(entry: int, position: int) -> Write:
    """That the receivers of the corrections up to this place were told."""
    return Write(PUT_TELLING, [(1, entry, position, "registry")])


def unchanged_telling(row: Row | None) -> Check:
    """That nobody told anybody since `row` was read."""
    return Check(TOLD, (1,), row)


def unchanged_notice(notice: NoticeRow) -> Check:
    """That nothing was done about the notice since it was read."""
    return Check(NOTICE, (notice.id,), tuple(notice))
