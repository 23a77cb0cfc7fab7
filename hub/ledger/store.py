"""The log's tables and questions.

`ledger_requests`, `ledger_disclosures` and `ledger_stamps` stand among an entry's writes; the rest
is derived from the entries and verified by recomputing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, select

from hub.domain.entry import Remembered
from hub.storage.schema import METADATA, ROW_NUMBER
from hub.storage.statements import Row, insert_into, put_into, question

ENTRIES: Final = Table(
    "ledger_entries",
    METADATA,
    Column("number", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("commitment", LargeBinary, nullable=False),
    # Salt and body, sealed; both are gone when the data key is.
    Column("sealed", LargeBinary, nullable=False),
    Column("data_key_id", Text, nullable=False),
    # JSON [[table, key, row digest], …] of the rows written with the entry.
    Column("writes", LargeBinary, nullable=False),
    Column("retention_class", Text, nullable=False),
)
REQUESTS: Final = Table(
    "ledger_requests",
    METADATA,
    Column("caller", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("method", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    # Request ids are random: with a rowid SQLite appends rows, and only keys are sorted in.
)
# By which entries values of a certificate left. Written with the entry and listed in it, so that
# the audit names what is missing: who was told is found by this.
DISCLOSURES: Final = Table(
    "ledger_disclosures",
    METADATA,
    Column("certificate", Text, primary_key=True),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)
# Time stamps (RFC 3161) over checkpoints, which are computed again from their size. Kept: one
# covers every entry before it, and the first that covers an entry proves most about it.
STAMPS: Final = Table(
    "ledger_stamps",
    METADATA,
    Column("size", ROW_NUMBER, primary_key=True, autoincrement=False),
    # When it was asked for: whatever it covers is older.
    Column("time_us", BigInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("retention_class", Text, nullable=False),
)
TILES: Final = Table(
    "ledger_tiles",
    METADATA,
    Column("level", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
)
EPOCHS: Final = Table(
    "ledger_epochs",
    METADATA,
    # Size of the log after the epoch; receipts are made against it.
    Column("size", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
)
HEAD: Final = Table(
    "ledger_head",
    METADATA,
    # One row, number 1; on PostgreSQL its lock makes the order of the log.
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

# Verified by recomputation and not by row digests; the audit names them itself.
DERIVED: Final = frozenset({ENTRIES.name, TILES.name, EPOCHS.name, HEAD.name})

INSERT_ENTRY: Final = insert_into(ENTRIES)
INSERT_DISCLOSURE: Final = insert_into(DISCLOSURES)
INSERT_REQUEST: Final = insert_into(REQUESTS)
INSERT_STAMP: Final = insert_into(STAMPS)
INSERT_TILE: Final = insert_into(TILES)
INSERT_EPOCH: Final = insert_into(EPOCHS)
PUT_HEAD: Final = put_into(HEAD)

LOCK_HEAD: Final = question(
    "lock_log_head",
    select(HEAD.c.size, HEAD.c.root).where(HEAD.c.id == bindparam("id")).with_for_update(),
    "id",
)
READ_HEAD: Final = question(
    "log_head",
    select(HEAD.c.size, HEAD.c.root).where(HEAD.c.id == bindparam("id")),
    "id",
)
FIND_REQUEST: Final = question(
    "remembered_request",
    select(REQUESTS.c.entry, REQUESTS.c.method, REQUESTS.c.content, REQUESTS.c.answer)
    .where(REQUESTS.c.caller == bindparam("caller"))
    .where(REQUESTS.c.request_id == bindparam("request_id")),
    "caller",
    "request_id",
)
DISCLOSED: Final = question(
    "a page of the entries by which values of a certificate left",
    select(DISCLOSURES.c.entry)
    .where(DISCLOSURES.c.certificate == bindparam("certificate"))
    .where(DISCLOSURES.c.entry > bindparam("after"))
    .order_by(DISCLOSURES.c.entry)
    .limit(bindparam("rows")),
    "certificate",
    "after",
    "rows",
)
FIND_ENTRY: Final = question(
    "log_entry",
    select(ENTRIES.c.commitment, ENTRIES.c.sealed, ENTRIES.c.data_key_id).where(
        ENTRIES.c.number == bindparam("number")
    ),
    "number",
)
WRITES_OF_ENTRY: Final = question(
    "writes of a log entry",
    select(ENTRIES.c.writes).where(ENTRIES.c.number == bindparam("number")),
    "number",
)
ENTRIES_FROM: Final = question(
    "log entries from a number on",
    select(ENTRIES.c.number, ENTRIES.c.commitment, ENTRIES.c.sealed, ENTRIES.c.data_key_id)
    .where(ENTRIES.c.number >= bindparam("first", type_=BigInteger))
    .order_by(ENTRIES.c.number)
    .limit(bindparam("rows", type_=BigInteger)),
    "first",
    "rows",
)
FIND_EPOCH: Final = question(
    "epoch_of_entry",
    select(EPOCHS.c.size, EPOCHS.c.root)
    .where(EPOCHS.c.size > bindparam("index"))
    .order_by(EPOCHS.c.size)
    .limit(bindparam("rows")),
    "index",
    "rows",
)
LAST_EPOCH: Final = question(
    "last_epoch",
    select(EPOCHS.c.size, EPOCHS.c.time_us).order_by(EPOCHS.c.size.desc()).limit(bindparam("rows")),
    "rows",
)
LAST_STAMP: Final = question(
    "the newest time stamp",
    select(STAMPS.c.size, STAMPS.c.time_us)
    .order_by(STAMPS.c.size.desc())
    .limit(bindparam("rows", type_=BigInteger)),
    "rows",
)
STAMP_OF_ENTRY: Final = question(
    "the first time stamp that covers an entry",
    select(STAMPS.c.size, STAMPS.c.token)
    .where(STAMPS.c.size > bindparam("index", type_=BigInteger))
    .order_by(STAMPS.c.size)
    .limit(bindparam("rows", type_=BigInteger)),
    "index",
    "rows",
)
FIND_TILE: Final = question(
    "log_tile",
    select(TILES.c.hashes)
    .where(TILES.c.level == bindparam("level"))
    .where(TILES.c.number == bindparam("number")),
    "level",
    "number",
)
TILES_FROM: Final = question(
    "log_tiles_of_level",
    select(TILES.c.number, TILES.c.hashes)
    .where(TILES.c.level == bindparam("level"))
    .where(TILES.c.number >= bindparam("first"))
    .order_by(TILES.c.number),
    "level",
    "first",
)
COMMITMENTS_FROM: Final = question(
    "commitments_from",
    select(ENTRIES.c.commitment)
    .where(ENTRIES.c.number >= bindparam("first"))
    .order_by(ENTRIES.c.number),
    "first",
)
ALL_ENTRIES: Final = question(
    "all_log_entries", select(*ENTRIES.columns).order_by(ENTRIES.c.number)
)
ALL_EPOCHS: Final = question("all_epochs", select(*EPOCHS.columns).order_by(EPOCHS.c.size))
ALL_TILES: Final = question(
    "all_tiles", select(*TILES.columns).order_by(TILES.c.level, TILES.c.number)
)
ALL_HEADS: Final = question("all_head_rows", select(*HEAD.columns).order_by(HEAD.c.id))


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as it is kept; `sealed` opens to salt ‖ body."""

    index: int
    commitment: bytes
    sealed: bytes
    data_key_id: str
    writes: bytes
    retention_class: str


def decode_entry(row: Row) -> StoredEntry:
    """A row of `ALL_ENTRIES`."""
    index, commitment, sealed, data_key_id, writes, retention_class = row
    assert isinstance(index, int)
    assert isinstance(commitment, bytes)
    assert isinstance(sealed, bytes)
    assert isinstance(data_key_id, str)
    assert isinstance(writes, bytes)
    assert isinstance(retention_class, str)
    return StoredEntry(index, commitment, sealed, data_key_id, writes, retention_class)


def decode_head(row: Row | None) -> tuple[int, bytes] | None:
    """Size and root of a head or an epoch."""
    if row is None:
        return None
    size, root = row
    assert isinstance(size, int)
    assert isinstance(root, bytes)
    return size, root


def decode_remembered(row: Row) -> Remembered:
    """A row of `FIND_REQUEST`."""
    index, method, content, answer = row
    assert isinstance(index, int)
    assert isinstance(method, str)
    assert isinstance(content, str)
    assert isinstance(answer, bytes)
    return Remembered(index, method, content, answer)
