"""The audit: everything that the log says, recomputed from the database and the external head.

It shares no tree code with the recorder and keeps no more than a path of the tree in memory; the
newest digest of each written row goes into a temporary file. What it finds is named by table and
key. What it cannot check is never counted as right.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import MetaData, Table, select

from hub.errors import HubError
from hub.ledger.epoch import entry_context
from hub.ledger.store import (
    ALL_ENTRIES,
    ALL_EPOCHS,
    ALL_HEADS,
    ALL_TILES,
    DERIVED,
    ENTRIES,
    EPOCHS,
    HEAD,
    TILES,
    StoredEntry,
    decode_entry,
)
from hub.proof.encoding import b64u, parse_object
from hub.proof.log.merkle import EMPTY_ROOT, leaf_hash, node_hash
from hub.proof.log.note import open_checkpoint
from hub.proof.log.receipt import SALT_BYTES, LogTrust, commit, entry_bytes
from hub.proof.log.row import row_digest
from hub.proof.reasons import ProofError
from hub.storage.database import Database, Snapshot
from hub.storage.encryption import DataKeys
from hub.storage.statements import (
    Row,
    Statement,
    Value,
    WriteStatement,
    put_into,
    question,
    row_key,
)

FINDINGS_MAX: Final = 1000
EXTERNAL_HEAD: Final = "external head"

_DATA_KEYS: Final = "storage_data_keys"
_TILE_WIDTH: Final = 256


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction: the row `key` of `table`, and what is wrong with it."""

    table: str
    key: str
    fault: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the audit is: `done` of `total` in this part; `total` 0 where nobody knows."""

    part: str
    done: int
    total: int


@dataclass(slots=True)
class AuditReport:
    """What the audit saw. Complete when the last progress has been yielded."""

    entries: int = 0
    epochs: int = 0
    rows: int = 0
    # Entries whose data key is gone: their leaf still stands, what they said cannot be checked.
    erased: int = 0
    size: int = 0
    root: bytes = EMPTY_ROOT
    head_size: int = 0
    findings: list[Finding] = field(default_factory=list)
    # More findings than are listed.
    is_truncated: bool = False
    _named: set[Finding] = field(default_factory=set, repr=False)

    @property
    def is_clean(self) -> bool:
        """Whether nothing contradicts anything."""
        return not self.findings

    def add(self, table: str, key: object, fault: str) -> None:
        """Note a contradiction."""
        finding = Finding(table, str(key), fault)
        if finding in self._named:
            return
        if len(self.findings) >= FINDINGS_MAX:
            self.is_truncated = True
            return
        self._named.add(finding)
        self.findings.append(finding)


async def audit(
    database: Database,
    data_keys: DataKeys,
    *,
    metadata: MetaData,
    trust: LogTrust,
    external_head: str | None,
    report: AuditReport,
) -> AsyncIterator[Progress]:
    """Recompute everything into `report`, yielding progress.

    1. Every entry: commitment from body and salt, digest of its writes; leaf, tiles, roots.
    2. The stored head and the external head (`external_head`: its note) against these roots.
    3. Every row of every table that is written through the recorder, against the newest digest.

    One snapshot is audited, so a hub may go on recording meanwhile; read the external head before.
    """
    with tempfile.TemporaryDirectory(prefix="sealway-audit-") as folder:
        written = _WrittenRows(Path(folder) / "rows.db")
        try:
            async with database.snapshot() as snapshot:
                log = _LogAudit(snapshot, data_keys, trust, written, report)
                async for progress in log.run(external_head):
                    yield progress
                async for progress in _audit_rows(snapshot, metadata, written, report):
                    yield progress
        finally:
            written.close()


class _WrittenRows:
    """The newest digest of each row that an entry says was written, in a temporary file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "CREATE TABLE rows (name TEXT, key TEXT, digest TEXT, entry INTEGER, seen INTEGER,"
            " PRIMARY KEY (name, key)) WITHOUT ROWID; BEGIN"
        )

    def note(self, lines: Sequence[Sequence[str]], entry: int) -> None:
        """Entry `entry` wrote these rows; later entries replace earlier ones."""
        self._connection.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, 0) ON CONFLICT (name, key)"
            " DO UPDATE SET digest = excluded.digest, entry = excluded.entry",
            [(table, key, digest, entry) for table, key, digest in lines],
        )

    def find(self, table: str, key: str) -> tuple[str, int] | None:
        """Digest and entry of a row's newest version; the row counts as seen."""
        row = self._connection.execute(
            "UPDATE rows SET seen = 1 WHERE name = ? AND key = ? RETURNING digest, entry",
            (table, key),
        ).fetchone()
        return (row[0], row[1]) if row else None

    def missing(self) -> list[tuple[str, str, int]]:
        """Rows that no table showed, up to one more than are reported."""
        return self._connection.execute(
            "SELECT name, key, entry FROM rows WHERE seen = 0 LIMIT ?", (FINDINGS_MAX + 1,)
        ).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class GrowingRoot:
    """The roots of the complete subtrees that make up a growing tree, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """One leaf more."""
        node, size = leaf, self.size
        while size & 1:
            node, size = node_hash(self._peaks.pop(), node), size >> 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root as it is now."""
        if not self._peaks:
            return EMPTY_ROOT
        result = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            result = node_hash(peak, result)
        return result


class _LogAudit:
    """Steps 1 and 2: entries, tiles, epochs, heads."""

    def __init__(
        self,
        snapshot: Snapshot,
        data_keys: DataKeys,
        trust: LogTrust,
        written: _WrittenRows,
        report: AuditReport,
    ) -> None:
        self._snapshot = snapshot
        self._data_keys = data_keys
        self._trust = trust
        self._written = written
        self._report = report
        self._tree = GrowingRoot()
        # The hashes of each level's tile that is not full yet.
        self._open_tiles: list[list[bytes]] = [[]]
        self._head = (0, EMPTY_ROOT)
        self._is_off = False

    async def run(self, external_head: str | None) -> AsyncIterator[Progress]:
        """Walk entries and epochs side by side."""
        report = self._report
        heads = await self._snapshot.all(ALL_HEADS)
        total = heads[0][1] if heads and isinstance(heads[0][1], int) else 0
        self._head = self._open_head(external_head)
        tiles: dict[int, list[tuple[int, bytes]]] = {}
        epochs = _each(self._snapshot, ALL_EPOCHS)
        epoch = await anext(epochs, None)
        async for rows in self._snapshot.scan(ALL_ENTRIES):
            for row in rows:
                stored = decode_entry(row)
                self._check_number(stored.index)
                commitment = await self._check_entry(stored)
                self._append(leaf_hash(entry_bytes(commitment)), tiles)
                while epoch is not None and _integer(epoch[0]) <= self._tree.size:
                    self._check_epoch(epoch)
                    epoch = await anext(epochs, None)
            yield Progress("entries", report.entries, total)
        while epoch is not None:
            report.add(EPOCHS.name, epoch[0], "is larger than the log")
            epoch = await anext(epochs, None)
        await self._check_tiles(tiles)
        self._check_heads(heads)

    def _check_number(self, index: int) -> None:
        report = self._report
        if index != report.entries:
            report.add(ENTRIES.name, report.entries, f"is missing; {index} follows")
            report.entries = index
        report.entries += 1

    async def _check_entry(self, stored: StoredEntry) -> bytes:
        """The entry's commitment: that of salt and body where these open, else as stored."""
        self._written.note(self._lines(stored), stored.index)
        opening = await self._opening(stored)
        if opening is None:
            return stored.commitment
        salt, body = opening[:SALT_BYTES], opening[SALT_BYTES:]
        commitment = commit(salt, body)
        if commitment != stored.commitment:
            self._report.add(ENTRIES.name, stored.index, "salt and body are not those committed to")
        self._check_body(stored, body)
        return commitment

    async def _opening(self, stored: StoredEntry) -> bytes | None:
        """Salt and body; None where they are erased, or contradict what is stored."""
        try:
            key = await self._data_keys.find(stored.data_key_id)
        except HubError as error:
            self._report.add(_DATA_KEYS, stored.data_key_id, error.reason.value)
            return None
        if key is None:
            self._report.erased += 1
            return None
        try:
            return key.open(stored.sealed, entry_context(self._trust.origin, stored.index))
        except HubError:
            self._report.add(ENTRIES.name, stored.index, "its sealed body does not open")
            return None

    def _check_body(self, stored: StoredEntry, body: bytes) -> None:
        report, index = self._report, stored.index
        try:
            members = parse_object(body)
        except ProofError as error:
            report.add(ENTRIES.name, index, f"its body is malformed: {error.reason.value}")
            return
        if members.get("writes") != b64u(hashlib.sha256(stored.writes).digest()):
            report.add(ENTRIES.name, index, "its list of written rows is not the one in its body")
        if members.get("origin") != self._trust.origin:
            report.add(ENTRIES.name, index, "its body is of another log")

    def _lines(self, stored: StoredEntry) -> list[list[str]]:
        try:
            lines = json.loads(stored.writes)
            if all(len(line) == 3 and all(isinstance(p, str) for p in line) for line in lines):
                return list(lines)
        except (ValueError, TypeError):
            pass
        self._report.add(ENTRIES.name, stored.index, "its list of written rows is malformed")
        return []

    def _append(self, leaf: bytes, tiles: dict[int, list[tuple[int, bytes]]]) -> None:
        self._tree.append(leaf)
        level, node = 0, leaf
        while True:
            if level == len(self._open_tiles):
                self._open_tiles.append([])
            tile = self._open_tiles[level]
            tile.append(node)
            if len(tile) < _TILE_WIDTH:
                break
            done = tiles.setdefault(level, [])
            done.append((len(done), hashlib.sha256(b"".join(tile)).digest()))
            inner = GrowingRoot()
            for item in tile:
                inner.append(item)
            node = inner.root()
            tile.clear()
            level += 1
        if self._tree.size == self._head[0] and self._tree.root() != self._head[1]:
            self._report.add(EXTERNAL_HEAD, self._head[0], "its root is not that of the log")

    def _check_epoch(self, epoch: Row) -> None:
        report = self._report
        size, root, _, entries = epoch
        report.epochs += 1
        is_off = size != self._tree.size or root != self._tree.root()
        if is_off and not self._is_off:
            # One changed entry changes every later root; the first says where to look.
            report.add(EPOCHS.name, size, "its root is not that of the entries")
        self._is_off = is_off
        if entries != _integer(size) - report.size:
            report.add(EPOCHS.name, size, f"says that it holds {_integer(entries)} entries")
        report.size, report.root = _integer(size), self._tree.root()

    async def _check_tiles(self, computed: dict[int, list[tuple[int, bytes]]]) -> None:
        expected = {
            (level, number): digest for level, done in computed.items() for number, digest in done
        }
        async for rows in self._snapshot.scan(ALL_TILES, page=_TILE_WIDTH):
            for row in rows:
                level, number, hashes = _integer(row[0]), _integer(row[1]), row[2]
                digest = expected.pop((level, number), None)
                key = f"{level}/{number}"
                if digest is None:
                    self._report.add(TILES.name, key, "belongs to no part of the log")
                elif not isinstance(hashes, bytes) or hashlib.sha256(hashes).digest() != digest:
                    self._report.add(TILES.name, key, "its hashes are not those of the entries")
        for level, number in expected:
            self._report.add(TILES.name, f"{level}/{number}", "is missing")

    def _check_heads(self, heads: Sequence[Row]) -> None:
        report, tree = self._report, self._tree
        if report.size != tree.size:
            report.add(EPOCHS.name, tree.size, "is missing: the last entries are in no epoch")
        expected: list[Row] = [(1, tree.size, tree.root())] if tree.size else []
        if list(heads) != expected:
            report.add(HEAD.name, 1, f"is not the head of {tree.size} entries")
        if self._head[0] > tree.size:
            report.add(EXTERNAL_HEAD, self._head[0], f"is ahead of the log of {tree.size} entries")

    def _open_head(self, note: str | None) -> tuple[int, bytes]:
        if note is None:
            self._report.add(EXTERNAL_HEAD, "", "is missing")
            return 0, EMPTY_ROOT
        try:
            head = open_checkpoint(note, self._trust.origin, self._trust.log_keys)
        except ProofError as error:
            self._report.add(EXTERNAL_HEAD, "", f"does not verify: {error.reason.value}")
            return 0, EMPTY_ROOT
        self._report.head_size = head.size
        return head.size, head.root


async def _audit_rows(
    snapshot: Snapshot, metadata: MetaData, written: _WrittenRows, report: AuditReport
) -> AsyncIterator[Progress]:
    """Step 3: every row as it is against the newest digest that an entry gives for it."""
    for table in metadata.sorted_tables:
        if table.name in DERIVED:
            continue
        statement = put_into(table)
        done = 0
        async for rows in snapshot.scan(_all_rows(table)):
            for row in rows:
                _check_row(statement, row, written, report)
            done += len(rows)
            yield Progress(table.name, done, 0)
        report.rows += done
    for table_name, key, entry in written.missing():
        report.add(table_name, key, f"is missing; entry {entry} wrote it")


def _check_row(
    statement: WriteStatement, row: Row, written: _WrittenRows, report: AuditReport
) -> None:
    key = row_key(statement, row)
    known = written.find(statement.table, key)
    if known is None:
        report.add(statement.table, key, "no entry wrote it")
    elif known[0] != b64u(row_digest(row)):
        report.add(statement.table, key, f"is not as entry {known[1]} wrote it")


def _all_rows(table: Table) -> Statement:
    return question(f"all rows of {table.name}", select(*table.columns))


async def _each(snapshot: Snapshot, statement: Statement) -> AsyncGenerator[Row, None]:
    async for rows in snapshot.scan(statement):
        for row in rows:
            yield row


def _integer(value: Value) -> int:
    assert isinstance(value, int)
    return value
