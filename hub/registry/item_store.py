"""Service items and the states of the catalogue: tables, questions, rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, select

from hub.registry.store import CATALOGUE_VERSION, PUT_CATALOGUE
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    insert_into,
    integer,
    put_into,
    question,
)

# The types' version is row 1 of `registry_catalogue`.
ITEMS_VERSION_ID: Final = 2


class Listed(StrEnum):
    """What a state is about."""

    TYPE = "type"
    ITEM = "item"


class ListState(StrEnum):
    """Where a type or an item of the catalogue stands: without a row it is published."""

    PUBLISHED = "published"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, since which moment and entry, and why."""

    state: ListState = ListState.PUBLISHED
    cause: str = ""
    entry: int = 0
    change_time_us: int = 0


PUBLISHED: Final = Standing()

# Document and version never change; the document is the text that the hub wrote itself.
ITEMS: Final = Table(
    "registry_items",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

STANDINGS: Final = Table(
    "registry_standings",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("change_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

INSERT_ITEM: Final = insert_into(ITEMS)
PUT_STANDING: Final = put_into(STANDINGS)

ALL_ITEMS: Final = question(
    "all service items",
    select(
        ITEMS.c.code,
        ITEMS.c.version,
        ITEMS.c.document,
        ITEMS.c.entry,
        ITEMS.c.create_time_us,
    ).order_by(ITEMS.c.code, ITEMS.c.version),
)
STANDINGS_OF: Final = question(
    "states of the catalogue",
    select(
        STANDINGS.c.code,
        STANDINGS.c.state,
        STANDINGS.c.cause,
        STANDINGS.c.entry,
        STANDINGS.c.change_time_us,
    )
    .where(STANDINGS.c.kind == bindparam("kind"))
    .order_by(STANDINGS.c.code),
    "kind",
)


def standing_of(row: Row) -> tuple[str, Standing]:
    """Code and state in a row of `STANDINGS_OF`."""
    state = ListState(str(row[1]))
    return str(row[0]), Standing(state, str(row[2]), integer(row[3]), integer(row[4]))


def put_standing(listed: Listed, code: str, state: ListState, cause: str, time_us: int) -> Write:
    """The state of a type or item from this entry on."""
    row = (listed.value, code, state.value, cause, ENTRY_INDEX, time_us, "registry")
    return Write(PUT_STANDING, [row])


def put_items_version(version: int) -> Write:
    """The items' next version."""
    return Write(PUT_CATALOGUE, [(ITEMS_VERSION_ID, version)])


def unchanged_items(version: int) -> Check:
    """That the items are those that were loaded; version 0 is none."""
    return Check(CATALOGUE_VERSION, (ITEMS_VERSION_ID,), (version,) if version else None)
