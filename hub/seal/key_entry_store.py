"""Which entries of the log speak of keys of seals: the table, and the questions asked of it.

A row only says where to look. What is believed of a key is what the entry proves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, select, union

from hub.seal.seal_store import COMPROMISES, Key
from hub.storage.schema import METADATA
from hub.storage.statements import ENTRY_INDEX, Write, insert_into, question

# The entry that made a key.
KEY_ENTRIES: Final = Table(
    "seal_key_entries",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# The entries that put a key in force, each with its certificates: what it signed is verified by
# these long after another key has taken its place.
KEY_CHAINS: Final = Table(
    "seal_key_chains",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

_INSERT: Final = insert_into(KEY_ENTRIES)
_INSERT_CHAIN: Final = insert_into(KEY_CHAINS)
_OF_KEYS: Final = (select(KEY_ENTRIES.c.entry), select(KEY_CHAINS.c.entry))
_ENTRIES: Final = union(*_OF_KEYS, select(COMPROMISES.c.entry)).subquery()
_MADE: Final = union(*_OF_KEYS).subquery()

ENTRIES_OF_KEYS: Final = question(
    "entries that made keys or put them in force",
    select(_MADE.c.entry).order_by(_MADE.c.entry),
)
ENTRIES_ABOUT_KEYS: Final = question(
    "entries that made keys, put them in force or declared them compromised, after one",
    select(_ENTRIES.c.entry)
    .where(_ENTRIES.c.entry > bindparam("after", type_=BigInteger))
    .order_by(_ENTRIES.c.entry)
    .limit(bindparam("rows", type_=BigInteger)),
    "after",
    "rows",
)


def in_force_here(keys: Iterable[Key]) -> Write:
    """That the entry being made is the one that puts `keys` in force."""
    return Write(_INSERT_CHAIN, [(key.name, ENTRY_INDEX, "seal") for key in keys])


def made_here(keys: list[Key]) -> Write:
    """That the entry being made is the one that made `keys`."""
    return Write(_INSERT, [(key.name, ENTRY_INDEX, "seal") for key in keys])
