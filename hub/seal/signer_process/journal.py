"""What a signer process remembers: what it believes, has made and signed, and what has ended.

One SQLite file. A use is counted, and on disk, before the first signature is made, so whatever
happens afterwards is counted; a request that began and was not finished when the process ended is
*indeterminate*: signatures of it may exist, and it is never signed again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from hub.domain.seal_key import key_name
from hub.domain.seal_states import SealState
from hub.errors import HubError, Reason
from hub.proof.officers.roster_changes import Link

REQUESTS_KEPT: Final = 10_000
"""How many finished requests are answered again; older ones are known to be signed, no more."""

# What a seal does not stay in for ever.
_REVERSIBLE: Final = (SealState.ACTIVE, SealState.SUSPENDED)

_SIGNING: Final = "signing"
_SIGNED: Final = "signed"
_LOST: Final = "lost"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS pins (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS roster (
  number INTEGER PRIMARY KEY, statement BLOB NOT NULL, intent BLOB NOT NULL, approvals TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS receipts (key_id TEXT PRIMARY KEY, receipt TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS made (
  intent TEXT NOT NULL, number INTEGER NOT NULL, seal TEXT NOT NULL, uses_max INTEGER NOT NULL,
  uses INTEGER NOT NULL, key_id TEXT NOT NULL UNIQUE, public_key BLOB NOT NULL,
  x509_request BLOB NOT NULL, PRIMARY KEY (intent, number)
);
CREATE TABLE IF NOT EXISTS states (
  name TEXT PRIMARY KEY, state TEXT NOT NULL, time INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS uses (intent TEXT PRIMARY KEY, uses INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
  intent TEXT NOT NULL, uses INTEGER NOT NULL, state TEXT NOT NULL, signatures BLOB
);
"""


class OrderedKey(NamedTuple):
    """A key that officers ordered: which of an intent's (its digest), of which seal ("" for the
    hub's own), and how often it may sign (0: no limit)."""

    intent: str
    number: int
    seal: str
    uses_max: int


@dataclass(slots=True)
class Journal:
    """The file, open. Any thread may call; one at a time is served."""

    _connection: sqlite3.Connection
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _running: set[str] = field(default_factory=set)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """The journal at `path`, mode 0600, made where there is none."""
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
        return cls(connection)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    # ---- what is believed ----

    def pin(self, name: str, value: str) -> None:
        """Remember `value` for ever. Raises HubError(SIGNER_PINNED) where another one was."""
        with self._lock:
            pinned = self.pinned(name)
            if pinned is None:
                with _Transaction(self._connection, "FULL"):
                    self._connection.execute("INSERT INTO pins VALUES (?, ?)", (name, value))
                pinned = value
        if pinned != value:
            raise HubError(Reason.SIGNER_PINNED, what=name)

    def pinned(self, name: str) -> str | None:
        """What was pinned under `name`."""
        with self._lock:
            row = self._connection.execute(
                "SELECT value FROM pins WHERE name = ?", (name,)
            ).fetchone()
        return None if row is None else str(row[0])

    def links(self) -> list[Link]:
        """The statements of the roster in order."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT statement, intent, approvals FROM roster ORDER BY number"
            ).fetchall()
        return [Link(row[0], row[1], tuple(json.loads(row[2]))) for row in rows]

    def add_link(self, number: int, link: Link) -> None:
        """Remember a statement that was followed to."""
        with self._lock, _Transaction(self._connection, "FULL"):
            self._connection.execute(
                "INSERT INTO roster VALUES (?, ?, ?, ?)",
                (number, link.statement, link.intent, json.dumps(link.approvals)),
            )

    def receipts(self) -> list[str]:
        """The receipts of systems' keys."""
        with self._lock:
            rows = self._connection.execute("SELECT receipt FROM receipts").fetchall()
        return [str(row[0]) for row in rows]

    def add_receipt(self, key_id: str, receipt: str) -> None:
        """Remember a receipt that proved a key."""
        with self._lock, _Transaction(self._connection, "FULL"):
            self._connection.execute(
                "INSERT OR REPLACE INTO receipts VALUES (?, ?)", (key_id, receipt)
            )

    # ---- what was made ----

    def made(self, order: OrderedKey) -> tuple[bytes, bytes] | None:
        """The key, where it was made: SubjectPublicKeyInfo and PKCS#10 request."""
        with self._lock:
            row = self._connection.execute(
                "SELECT public_key, x509_request FROM made WHERE intent = ? AND number = ?",
                (order.intent, order.number),
            ).fetchone()
        return None if row is None else (row[0], row[1])

    def add_made(
        self, order: OrderedKey, key_id: str, public_key: bytes, x509_request: bytes
    ) -> None:
        """Remember a key that was made."""
        with self._lock, _Transaction(self._connection, "FULL"):
            self._connection.execute(
                "INSERT INTO made VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
                (*order, key_id, public_key, x509_request),
            )

    def seal_of(self, key_id: str) -> str | None:
        """The seal that a key was made for; None where this signer did not make it."""
        with self._lock:
            row = self._connection.execute(
                "SELECT seal FROM made WHERE key_id = ?", (key_id,)
            ).fetchone()
        return None if row is None else str(row[0])

    # ---- what has ended ----

    def state(self, name: str) -> str | None:
        """What officers made of a key, a seal or an intent (its digest); None where they changed
        nothing."""
        with self._lock:
            row = self._connection.execute(
                "SELECT state FROM states WHERE name = ?", (name,)
            ).fetchone()
        return None if row is None else str(row[0])

    def take_notice(self, name: str, state: str, time: int) -> None:
        """Remember a decision of `time` (seconds). What has ended stays so; a seal is suspended or
        resumed by the later decision, and of two of one second by the one that resumes it."""
        with self._lock, _Transaction(self._connection, "FULL"):
            known = self._connection.execute(
                "SELECT state, time FROM states WHERE name = ?", (name,)
            ).fetchone()
            if known is not None:
                was, since = known
                is_later = time > since or (time == since and state == SealState.ACTIVE)
                if was not in _REVERSIBLE or (state in _REVERSIBLE and not is_later):
                    return
            self._connection.execute(
                "INSERT OR REPLACE INTO states VALUES (?, ?, ?)", (name, state, time)
            )

    # ---- what was signed ----

    def uses(self, intent: str) -> int:
        """How often an intent (its digest) was used."""
        with self._lock:
            row = self._connection.execute(
                "SELECT uses FROM uses WHERE intent = ?", (intent,)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def answered(self, request_id: str, content: str) -> list[bytes] | None:
        """The signatures of a request that was signed; None where it is new.

        Raises HubError: REQUEST_ID_REUSED for another content, SIGNING_INDETERMINATE where it began
        and is not known to have ended, or its signatures are no longer kept.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT content, state, signatures FROM requests WHERE request_id = ?",
                (request_id,),
            ).fetchone()
        if row is None:
            return None
        if row[0] != content:
            raise HubError(Reason.REQUEST_ID_REUSED, request_id=request_id)
        if row[1] != _SIGNED or row[2] is None:
            raise HubError(Reason.SIGNING_INDETERMINATE, request_id=request_id)
        return _split(row[2])

    def begin(
        self,
        request_id: str,
        content: str,
        intent: str,
        count: int,
        *,
        uses_max: int,
        name: str,
        key_id: str,
    ) -> None:
        """Count `count` uses of `intent`, and of a key that was made here, for a new request;
        durable before anything is signed.

        Raises HubError: INTENT_EXHAUSTED, KEY_EXHAUSTED where so many are not left.
        """
        with self._lock, _Transaction(self._connection, "FULL"):
            self._use_key(key_id, count)
            used = self.uses(intent)
            if used + count > uses_max:
                raise HubError(Reason.INTENT_EXHAUSTED, intent=name, left=max(uses_max - used, 0))
            self._set_uses(intent, used + count)
            self._connection.execute(
                "INSERT INTO requests (request_id, content, intent, uses, state) "
                "VALUES (?, ?, ?, ?, ?)",
                (request_id, content, intent, count, _SIGNING),
            )
            self._running.add(request_id)

    def finish(self, request_id: str, signatures: Sequence[bytes]) -> None:
        """Remember the signatures, so that the same request is answered alike.

        Written, and not waited for on the disk: a power cut may make a request that was answered
        look lost, which signs nothing twice.
        """
        with self._lock, _Transaction(self._connection, "NORMAL"):
            self._connection.execute(
                "UPDATE requests SET state = ?, signatures = ? WHERE request_id = ?",
                (_SIGNED, _joined(signatures), request_id),
            )
            self._connection.execute(
                "UPDATE requests SET signatures = NULL WHERE number <= "
                "(SELECT max(number) FROM requests) - ? AND signatures IS NOT NULL",
                (REQUESTS_KEPT,),
            )
            self._running.discard(request_id)

    def abandon(self, request_id: str, key_id: str) -> None:
        """Forget a request of which nothing was signed, and give its uses back."""
        with self._lock, _Transaction(self._connection, "FULL"):
            intent, count = self._connection.execute(
                "SELECT intent, uses FROM requests WHERE request_id = ?", (request_id,)
            ).fetchone()
            self._set_uses(intent, self.uses(intent) - count)
            self._use_key(key_id, -count)
            self._connection.execute("DELETE FROM requests WHERE request_id = ?", (request_id,))
            self._running.discard(request_id)

    def lose(self, request_id: str) -> None:
        """Close a request of which some was signed and nothing answered; its uses stay counted."""
        with self._lock, _Transaction(self._connection, "FULL"):
            self._connection.execute(
                "UPDATE requests SET state = ? WHERE request_id = ?", (_LOST, request_id)
            )
            self._running.discard(request_id)

    def settle(self, request_id: str) -> str:
        """What became of a request: `signed`, `lost`, `unknown`; `signing` while it is. One that
        was being signed when a process ended is closed as lost, for ever."""
        with self._lock:
            row = self._connection.execute(
                "SELECT state FROM requests WHERE request_id = ?", (request_id,)
            ).fetchone()
            if row is None:
                return "unknown"
            if row[0] == _SIGNING and request_id not in self._running:
                self.lose(request_id)
                return _LOST
            return str(row[0])

    def _use_key(self, key_id: str, count: int) -> None:
        row = self._connection.execute(
            "SELECT uses, uses_max FROM made WHERE key_id = ?", (key_id,)
        ).fetchone()
        if row is None:
            return
        uses, uses_max = row
        if uses_max and uses + count > uses_max:
            name = key_name(key_id)
            raise HubError(Reason.KEY_EXHAUSTED, key=name, left=max(uses_max - uses, 0))
        self._connection.execute(
            "UPDATE made SET uses = ? WHERE key_id = ?", (uses + count, key_id)
        )

    def _set_uses(self, intent: str, uses: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO uses VALUES (?, ?)", (intent, uses))


@dataclass(slots=True)
class _Transaction:
    """All of it or nothing; on disk at its end where `synchronous` is FULL."""

    connection: sqlite3.Connection
    synchronous: str

    def __enter__(self) -> None:
        self.connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self.connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _joined(signatures: Sequence[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(4) + one for one in signatures)


def _split(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        found.append(data[at + 4 : end])
        at = end
    return found
