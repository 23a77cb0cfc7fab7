"""Which entries of the log speak of keys of seals: the table, and the questions asked of it.

A row only says where to look. What is believed of a key is what the entry proves.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, bindparam, literal_column, select, union

from hub.seal.seal_store import COMPROMISES, KEYS, Key
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

_INSERT: Final = insert_into(KEY_ENTRIES)
# Also those that put a key in force, which is the state that it has since then.
_ENTRIES: Final = union(
    select(KEY_ENTRIES.c.entry),
    select(COMPROMISES.c.entry),
    select(KEYS.c.state_entry).where(KEYS.c.state == literal_column("'active'")),
).subquery()

ENTRIES_THAT_MADE_KEYS: Final = question(
    "entries that made keys",
    select(KEY_ENTRIES.c.entry).distinct().order_by(KEY_ENTRIES.c.entry),
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


def made_here(keys: list[Key]) -> Write:
    """That the entry being made is the one that made `keys`."""
    return Write(_INSERT, [(key.name, ENTRY_INDEX, "seal") for key in keys])
