"""The register of annotated copies."""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    bindparam,
    select,
)

from hub.storage.schema import METADATA
from hub.storage.statements import (
    Row,
    Write,
    blob,
    given_or_any,
    insert_into,
    integer,
    question,
    text,
)

RETENTION_CLASS: Final = "evidence"

COPIES: Final = Table(
    "exchange_copies",
    METADATA,
    # Of time and chance, so that a page ends where the next begins.
    Column("id", Text, primary_key=True),
    Column("identifier", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("sd_hash", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("maker_authority", Text, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("expire_time_us", BigInteger, nullable=False),
    Column("fetch_entry", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("exchange_copies_of_maker", "maker", "id"),
    Index("exchange_copies_of_authority", "authority", "id"),
    Index("exchange_copies_of_certificate", "identifier", "id"),
    sqlite_with_rowid=False,
)

COPY: Final = question(
    "an annotated copy", select(*COPIES.columns).where(COPIES.c.id == bindparam("id")), "id"
)
# Whose copies the caller may not see are left out by the database: pages of nothing, and the time
# that it takes to drop what was read, would tell of them.
COPIES_PAGE: Final = question(
    "a page of annotated copies; of one maker, authority and certificate where these are not empty",
    select(*COPIES.columns)
    .where(
        given_or_any("maker", COPIES.c.maker),
        given_or_any("authority", COPIES.c.authority),
        given_or_any("identifier", COPIES.c.identifier),
        COPIES.c.id > bindparam("after"),
    )
    .order_by(COPIES.c.id)
    .limit(bindparam("rows", type_=BigInteger)),
    "maker",
    "authority",
    "identifier",
    "after",
    "rows",
)
_INSERT: Final = insert_into(COPIES)


class AnnotatedCopy(NamedTuple):
    """One copy. `fields` are the names of what was given; times are microseconds UTC."""

    id: str
    identifier: str
    type_code: str
    authority: str
    fields: tuple[str, ...]
    sd_hash: str
    purpose: str
    maker: str
    maker_authority: str
    create_time_us: int
    expire_time_us: int
    fetch_entry: int
    entry: int


def insert_copy(copy: AnnotatedCopy) -> Write:
    """A new copy."""
    row = (*copy[:4], orjson.dumps(copy.fields), *copy[5:], RETENTION_CLASS)
    return Write(_INSERT, [row])


def copy_of(row: Row) -> AnnotatedCopy:
    """The copy in a row."""
    return AnnotatedCopy(
        id=text(row[0]),
        identifier=text(row[1]),
        type_code=text(row[2]),
        authority=text(row[3]),
        fields=tuple(orjson.loads(blob(row[4]))),
        sd_hash=text(row[5]),
        purpose=text(row[6]),
        maker=text(row[7]),
        maker_authority=text(row[8]),
        create_time_us=integer(row[9]),
        expire_time_us=integer(row[10]),
        fetch_entry=integer(row[11]),
        entry=integer(row[12]),
    )
