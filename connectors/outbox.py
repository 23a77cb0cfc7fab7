"""The connector's memory on disk: one SQLite file per connector, durable at every return.

It holds what was sent (rows with salt, roots, receipts), what was accepted (digest per source key),
what did not pass (quarantine), and how far each run came. A run moves in two durable steps per
page: `stage` writes rows, signed root and bad rows before anything is sent; `settle` writes receipt
and results, and only then moves the cursor. Whatever ends the process between them, the next run
sends the staged batch again, byte for byte.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.quarantine import (
    BadRow,
    Quarantined,
    QuarantineState,
    errors_from_json,
    errors_json,
)
from connectors.sources.delimited import Position
from hub.errors import HubError, Reason

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row to be sent: the salted bytes, and where they came from."""

    source_key: str
    digest: bytes
    salt: bytes
    row: bytes
    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """A signed batch that was written before it was sent."""

    seq: int
    batch: str
    root_jws: str
    chain_digest: str
    rows: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True)
class SentRow:
    """One row as it was signed."""

    source_key: str
    salt: bytes
    row: bytes


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch as it was signed, answered or not."""

    root_jws: str
    rows: tuple[SentRow, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of the source came to. `batch` is None where nothing had to be sent."""

    read: int
    unchanged: int
    skipped: int
    bad: tuple[BadRow, ...]
    passed: tuple[str, ...]
    warnings: tuple[str, ...]
    batch: StagedBatch | None
    end: Position


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The hub's word on one row of a batch; `bad` is the quarantine entry of a refused one."""

    outcome: str
    certificate: str
    identifier: str
    bad: BadRow | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands on disk. `cursor` is behind everything that is accounted for."""

    id: str
    file: str
    sha256: str
    manifest: str
    cursor: Position | None
    finished: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How the rows of a run ended. Each row stands in exactly one of them."""

    read: int
    new: int
    changed: int
    corrected: int
    unchanged: int
    quarantined: int
    refused: int
    skipped: int

    @property
    def accepted(self) -> int:
        """New, changed and corrected rows."""
        return self.new + self.changed + self.corrected

    @property
    def difference(self) -> int:
        """Rows read that ended nowhere; anything but 0 is a failed run."""
        ends = self.accepted + self.unchanged + self.quarantined + self.refused + self.skipped
        return self.read - ends


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The last root signed: the next one continues it."""

    seq: int
    chain_digest: str | None


class Outbox:
    """The open file of one connector. One process at a time; all methods from one thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    # Runs.

    def open_run(self) -> Run | None:
        """The run that did not come to its end, if there is one."""
        found = self._db.execute(
            "SELECT id, file, sha256, manifest, cursor_offset, cursor_line, finished_us"
            " FROM runs WHERE finished_us IS NULL"
        ).fetchone()
        return None if found is None else _run(found)

    def begin_run(self, run: Run, now_us: int) -> None:
        """Write down that `run` begins."""
        with _transaction(self._db):
            self._db.execute(
                "INSERT INTO runs (id, file, sha256, manifest, started_us) VALUES (?, ?, ?, ?, ?)",
                (run.id, run.file, run.sha256, run.manifest, now_us),
            )

    def close_gone(self, run_id: str, file: str, now_us: int) -> None:
        """`file` was read to its end: what quarantine holds of it and this run did not meet is no
        longer in the source. Repeating it changes nothing."""
        with _transaction(self._db):
            self._db.execute(
                "UPDATE quarantine SET state = 'gone', last_seen_us = ?"
                " WHERE state = 'open' AND file = ? AND last_run <> ?",
                (now_us, file, run_id),
            )

    def finish_run(self, run_id: str, report: str, now_us: int) -> None:
        """Write the report of a run that is over."""
        with _transaction(self._db):
            self._db.execute(
                "UPDATE runs SET finished_us = ?, report = ? WHERE id = ?",
                (now_us, report, run_id),
            )

    def counts(self, run_id: str) -> Counts:
        """How the rows of a run ended, counted from pages and from the outcome of each row sent."""
        page = self._db.execute(
            "SELECT coalesce(sum(read), 0), coalesce(sum(unchanged), 0),"
            " coalesce(sum(quarantined), 0), coalesce(sum(skipped), 0)"
            " FROM pages WHERE run = ?",
            (run_id,),
        ).fetchone()
        outcomes = dict(
            self._db.execute(
                "SELECT r.outcome, count(*) FROM outbox r JOIN pages p ON p.seq = r.seq"
                " WHERE p.run = ? AND r.outcome IS NOT NULL GROUP BY r.outcome",
                (run_id,),
            ).fetchall()
        )
        return Counts(
            read=page[0],
            new=outcomes.get("new", 0),
            changed=outcomes.get("changed", 0),
            corrected=outcomes.get("corrected", 0),
            unchanged=page[1] + outcomes.get("unchanged", 0),
            quarantined=page[2],
            refused=outcomes.get("refused", 0),
            skipped=page[3],
        )

    def warnings(self, run_id: str) -> dict[str, int]:
        """How often each warning was met in a run."""
        found: dict[str, int] = {}
        for (text,) in self._db.execute("SELECT warnings FROM pages WHERE run = ?", (run_id,)):
            for rule in json.loads(text):
                found[rule] = found.get(rule, 0) + 1
        return found

    def receipts(self, run_id: str) -> int:
        """How many batches of a run have a receipt on disk."""
        found = self._db.execute(
            "SELECT count(*) FROM batches b JOIN pages p ON p.seq = b.seq"
            " WHERE p.run = ? AND b.receipt IS NOT NULL",
            (run_id,),
        ).fetchone()
        return int(found[0])

    # Pages and batches.

    def chain_end(self) -> ChainEnd:
        """Where the chain of signed roots stands, sent or not."""
        found = self._db.execute(
            "SELECT seq, chain_digest FROM batches ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return ChainEnd(0, None) if found is None else ChainEnd(found[0], found[1])

    def accepted_digests(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The digest of the row last accepted for each of these source keys."""
        found: dict[str, bytes] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            # Only question marks are put into the statement.
            statement = f"SELECT source_key, digest FROM seen WHERE source_key IN ({marks})"  # noqa: S608
            found.update(self._db.execute(statement, some).fetchall())
        return found

    def stage(self, run_id: str, page: Page, now_us: int) -> None:
        """First durable step of a page. Without a batch it is also the last: the cursor moves."""
        with _transaction(self._db):
            if page.batch is not None:
                self._insert_batch(page.batch, now_us)
            self._db.execute(
                "INSERT INTO pages (run, seq, read, unchanged, quarantined, skipped, warnings,"
                " end_offset, end_line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    page.batch.seq if page.batch else None,
                    page.read,
                    page.unchanged,
                    len(page.bad),
                    page.skipped,
                    json.dumps(page.warnings),
                    page.end.offset,
                    page.end.line,
                ),
            )
            for bad in page.bad:
                self._put_aside(bad, run_id, now_us)
            self._close_passed(page.passed, now_us)
            if page.batch is None:
                self._move_cursor(run_id, page.end)

    def unanswered(self, run_id: str) -> tuple[StagedBatch, Position] | None:
        """The staged batch without receipt, and where its page ends. There is never more than one:
        a page is settled before the next is staged."""
        found = self._db.execute(
            "SELECT b.seq, b.batch, b.root_jws, b.chain_digest, p.end_offset, p.end_line"
            " FROM batches b JOIN pages p ON p.seq = b.seq"
            " WHERE p.run = ? AND b.receipt IS NULL",
            (run_id,),
        ).fetchone()
        if found is None:
            return None
        rows = self._db.execute(
            "SELECT source_key, digest, salt, row, line, place FROM outbox"
            " WHERE seq = ? ORDER BY i",
            (found[0],),
        ).fetchall()
        seq, name, root_jws, chain_digest, offset, line = found
        sent = tuple(OutboxRow(*row) for row in rows)
        return StagedBatch(seq, name, root_jws, chain_digest, sent), Position(offset, line)

    def sent(self, batch: str) -> SentBatch | None:
        """The batch of this name, if it stands here."""
        found = self._db.execute(
            "SELECT seq, root_jws FROM batches WHERE batch = ?", (batch,)
        ).fetchone()
        if found is None:
            return None
        rows = self._db.execute(
            "SELECT source_key, salt, row FROM outbox WHERE seq = ? ORDER BY i", (found[0],)
        ).fetchall()
        return SentBatch(found[1], tuple(SentRow(*row) for row in rows))

    def given_identifiers(self, source_key: str) -> list[tuple[bytes, str]]:
        """Rows that were sent of this source key, with the identifier that the hub gave each."""
        return self._db.execute(
            "SELECT row, identifier FROM outbox WHERE source_key = ? AND identifier <> ''"
            " ORDER BY seq DESC LIMIT 100",
            (source_key,),
        ).fetchall()

    def sent_as(self, identifier: str) -> list[bytes]:
        """Rows that were sent to which the hub gave this identifier, the newest first."""
        rows = self._db.execute(
            "SELECT row FROM outbox WHERE identifier = ? AND identifier <> ''"
            " ORDER BY seq DESC LIMIT 100",
            (identifier,),
        )
        return [row for (row,) in rows]

    def withdraw(self, batch: StagedBatch) -> None:
        """Undo the staging of a batch that the hub took nothing of: its rows are read again, and
        its number is the next root's. What the page put into quarantine stays there."""
        with _transaction(self._db):
            for table in ("outbox", "pages", "batches"):
                self._db.execute(f"DELETE FROM {table} WHERE seq = ?", (batch.seq,))  # noqa: S608

    def settle(
        self,
        run_id: str,
        batch: StagedBatch,
        *,
        end: Position,
        receipt: str,
        outcomes: Sequence[RowOutcome],
        now_us: int,
    ) -> None:
        """Second durable step: receipt and results are kept, accepted rows known, cursor moved."""
        accepted: list[tuple[str, bytes]] = []
        with _transaction(self._db):
            self._db.execute(
                "UPDATE batches SET receipt = ?, settled_us = ? WHERE seq = ?",
                (receipt, now_us, batch.seq),
            )
            self._db.executemany(
                "UPDATE outbox SET outcome = ?, certificate = ?, identifier = ?"
                " WHERE seq = ? AND i = ?",
                [
                    (one.outcome, one.certificate, one.identifier, batch.seq, i)
                    for i, one in enumerate(outcomes)
                ],
            )
            for row, one in zip(batch.rows, outcomes, strict=True):
                if one.bad is None:
                    accepted.append((row.source_key, row.digest))
                else:
                    self._put_aside(one.bad, run_id, now_us)
            self._db.executemany(
                "INSERT INTO seen (source_key, digest) VALUES (?, ?)"
                " ON CONFLICT (source_key) DO UPDATE SET digest = excluded.digest",
                accepted,
            )
            self._close_passed([key for key, _ in accepted], now_us)
            self._move_cursor(run_id, end)

    def _insert_batch(self, batch: StagedBatch, now_us: int) -> None:
        self._db.execute(
            "INSERT INTO batches (seq, batch, root_jws, chain_digest, n, signed_us)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                batch.seq,
                batch.batch,
                batch.root_jws,
                batch.chain_digest,
                len(batch.rows),
                now_us,
            ),
        )
        self._db.executemany(
            "INSERT INTO outbox (seq, i, source_key, digest, salt, row, line, place)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (batch.seq, i, row.source_key, row.digest, row.salt, row.row, row.line, row.offset)
                for i, row in enumerate(batch.rows)
            ],
        )

    def _move_cursor(self, run_id: str, end: Position) -> None:
        self._db.execute(
            "UPDATE runs SET cursor_offset = ?, cursor_line = ? WHERE id = ?",
            (end.offset, end.line, run_id),
        )

    # Quarantine.

    def quarantined(self, *, all_states: bool, limit: int) -> list[Quarantined]:
        """Rows in quarantine, the oldest first; open ones, or of all states."""
        rows = self._db.execute(
            "SELECT id, state, key, file, line, place, size, raw, errors, sightings,"
            " first_seen_us, last_seen_us FROM quarantine"
            " WHERE state = 'open' OR ? ORDER BY id LIMIT ?",
            (all_states, limit),
        ).fetchall()
        return [_quarantined(row) for row in rows]

    def quarantined_row(self, row_id: int) -> Quarantined | None:
        """One row of quarantine by its id."""
        row = self._db.execute(
            "SELECT id, state, key, file, line, place, size, raw, errors, sightings,"
            " first_seen_us, last_seen_us FROM quarantine WHERE id = ?",
            (row_id,),
        ).fetchone()
        return None if row is None else _quarantined(row)

    def open_quarantined(self) -> int:
        """How many rows wait in quarantine."""
        found = self._db.execute("SELECT count(*) FROM quarantine WHERE state = 'open'").fetchone()
        return int(found[0])

    def _put_aside(self, bad: BadRow, run_id: str, now_us: int) -> None:
        """A repeat of the same row with the same errors raises its counter, once per run."""
        errors = errors_json(bad.errors)
        self._db.execute(
            "INSERT INTO quarantine (key, file, line, place, size, raw, errors, state, sightings,"
            " first_seen_us, last_seen_us, last_run)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'open', 1, ?, ?, ?)"
            " ON CONFLICT (key, errors) DO UPDATE SET state = 'open', file = excluded.file,"
            " line = excluded.line, place = excluded.place, size = excluded.size,"
            " raw = excluded.raw, sightings = sightings + (last_run <> excluded.last_run),"
            " last_seen_us = excluded.last_seen_us, last_run = excluded.last_run",
            (
                bad.key,
                bad.file,
                bad.line,
                bad.offset,
                bad.size,
                bad.raw,
                errors,
                now_us,
                now_us,
                run_id,
            ),
        )

    def _close_passed(self, keys: Sequence[str], now_us: int) -> None:
        if self.open_quarantined():
            self._db.executemany(
                "UPDATE quarantine SET state = 'passed', last_seen_us = ?"
                " WHERE key = ? AND state = 'open'",
                [(now_us, key) for key in keys],
            )


@contextmanager
def open_outbox(folder: Path, connector: str, chain: str) -> Iterator[Outbox]:
    """The outbox of `connector` in `folder`, made where it does not exist, locked while open.

    `chain` names system and hub: roots of one chain never go to another.
    Raises HubError(OUTBOX_LOCKED) while another process has it open, HubError(OUTBOX_OTHER) for a
    file of another chain.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{connector}.sqlite"
    lock = os.open(folder / f"{connector}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HubError(Reason.OUTBOX_LOCKED, path=path) from error
        # Rows are personal data: only this user reads the file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(path, isolation_level=None)
        try:
            _prepare(db, path, chain)
            yield Outbox(db)
        finally:
            db.close()
    finally:
        os.close(lock)


@contextmanager
def read_outbox(folder: Path, connector: str) -> Iterator[Outbox | None]:
    """The outbox for reports only, also while a run is on; None before the first run."""
    path = folder / f"{connector}.sqlite"
    if not path.is_file():
        yield None
        return
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield Outbox(db)
    finally:
        db.close()


def _prepare(db: sqlite3.Connection, path: Path, chain: str) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    with _transaction(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            # Outboxes from before a signer asked them have none.
            for index in _INDEXES:
                db.execute(index)
        if version == 0:
            for statement in _SCHEMA:
                db.execute(statement)
            db.execute("INSERT INTO chain (name) VALUES (?)", (chain,))
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        found = db.execute("SELECT name FROM chain").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        raise HubError(Reason.OUTBOX_OTHER, path=path, found=f"schema {version}", wanted="this one")
    if found != chain:
        raise HubError(Reason.OUTBOX_OTHER, path=path, found=found, wanted=chain)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, on disk when it ends."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _run(row: tuple[str, str, str, str, int | None, int | None, int | None]) -> Run:
    run_id, file, sha256, manifest, offset, line, finished_us = row
    cursor = None if offset is None or line is None else Position(offset, line)
    return Run(run_id, file, sha256, manifest, cursor, finished_us is not None)


def _quarantined(
    row: tuple[int, str, str, str, int, int, int, bytes, str, int, int, int],
) -> Quarantined:
    row_id, state, key, file, line, offset, size, raw, errors, sightings, first_us, last_us = row
    bad = BadRow(key, file, line, offset, size, raw, errors_from_json(errors))
    return Quarantined(row_id, QuarantineState(state), bad, sightings, first_us, last_us)


_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS outbox_keys ON outbox (source_key)",
    "CREATE INDEX IF NOT EXISTS outbox_identifiers ON outbox (identifier) WHERE identifier <> ''",
)
_SCHEMA: Final = (
    "CREATE TABLE chain (name TEXT NOT NULL) STRICT",
    "CREATE TABLE runs (id TEXT PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " manifest TEXT NOT NULL, started_us INTEGER NOT NULL, finished_us INTEGER,"
    " cursor_offset INTEGER, cursor_line INTEGER, report TEXT) STRICT",
    # At most one run is open: an index over a constant.
    "CREATE UNIQUE INDEX runs_open ON runs ((1)) WHERE finished_us IS NULL",
    "CREATE TABLE batches (seq INTEGER PRIMARY KEY, batch TEXT NOT NULL UNIQUE,"
    " root_jws TEXT NOT NULL, chain_digest TEXT NOT NULL, n INTEGER NOT NULL,"
    " signed_us INTEGER NOT NULL, receipt TEXT, settled_us INTEGER) STRICT",
    "CREATE TABLE pages (id INTEGER PRIMARY KEY, run TEXT NOT NULL, seq INTEGER UNIQUE,"
    " read INTEGER NOT NULL, unchanged INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
    " skipped INTEGER NOT NULL, warnings TEXT NOT NULL, end_offset INTEGER NOT NULL,"
    " end_line INTEGER NOT NULL) STRICT",
    "CREATE INDEX pages_run ON pages (run)",
    "CREATE TABLE outbox (seq INTEGER NOT NULL, i INTEGER NOT NULL, source_key TEXT NOT NULL,"
    " digest BLOB NOT NULL, salt BLOB NOT NULL, row BLOB NOT NULL, line INTEGER NOT NULL,"
    " place INTEGER NOT NULL, outcome TEXT, certificate TEXT, identifier TEXT,"
    " PRIMARY KEY (seq, i)) STRICT",
    *_INDEXES,
    "CREATE TABLE seen (source_key TEXT PRIMARY KEY, digest BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE quarantine (id INTEGER PRIMARY KEY, key TEXT NOT NULL, file TEXT NOT NULL,"
    " line INTEGER NOT NULL, place INTEGER NOT NULL, size INTEGER NOT NULL, raw BLOB NOT NULL,"
    " errors TEXT NOT NULL, state TEXT NOT NULL, sightings INTEGER NOT NULL,"
    " first_seen_us INTEGER NOT NULL, last_seen_us INTEGER NOT NULL, last_run TEXT NOT NULL,"
    " UNIQUE (key, errors)) STRICT",
    "CREATE INDEX quarantine_open ON quarantine (state)",
)
