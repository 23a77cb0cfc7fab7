"""One epoch inside its transaction: which members are kept, and the rows that make the log longer.

The members that write nothing come first in the log, judged together on the state before the epoch;
then those that write, each judged after the writes of the ones before it. So the order of the log
is an order in which every decision was right, and nothing is disclosed after its revocation.
"""

from __future__ import annotations

import asyncio
import hashlib
import operator
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import orjson

from hub.domain.entry import AlreadyRecorded, Entry, LogHead, Recorded, Remember
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.ledger.store import (
    COMMITMENTS_FROM,
    FIND_REQUEST,
    INSERT_DISCLOSURE,
    INSERT_ENTRY,
    INSERT_EPOCH,
    INSERT_REQUEST,
    INSERT_TILE,
    LAST_EPOCH,
    LOCK_HEAD,
    PUT_HEAD,
    decode_head,
    decode_remembered,
)
from hub.ledger.tree import TILE_LEVELS, Growth, Tree
from hub.proof.encoding import b64u
from hub.proof.log.merkle import EMPTY_ROOT, leaf_hash
from hub.proof.log.receipt import BODY_BYTES_MAX, SALT_BYTES, commit, entry_bytes
from hub.proof.log.row import row_digest
from hub.storage.database import ROWS_MAX, Transaction
from hub.storage.encryption import DataKey
from hub.storage.statements import (
    Check,
    Row,
    Statement,
    Write,
    WriteStatement,
    blob,
    integer,
    row_key,
    with_entry_index,
)

HEAD_ID: Final = 1

# Members of a `fetch` body that stand after `log_seen` (formats.md §6).
_AFTER_LOG_SEEN: Final = frozenset({"upstream", "certificates"})


@dataclass(slots=True, eq=False)
class Member:
    """One call that waits to be recorded."""

    entry: Entry
    writes: Sequence[Write]
    checks: Sequence[Check]
    remember: Remember | None
    log_seen: LogHead | None
    future: asyncio.Future[Recorded]
    # [table, key, row digest] of each row of `writes`, once computed.
    lines: list[list[str]] | None = None


@dataclass(slots=True, eq=False)  # Freezing would double the cost of making one.
class Accepted:
    """A member with its place in the log. `writes` is the JSON that is kept beside the body."""

    member: Member
    index: int
    salt: bytes
    body: bytes
    writes: bytes


@dataclass(frozen=True, slots=True)
class LogName:
    """What every entry of the log says alike."""

    origin: str
    region: str


@dataclass(slots=True)
class Epoch:
    """The members of one epoch and what became of them; `run` is the work of one transaction."""

    name: LogName
    tree: Tree
    # The evidence key of each retention class.
    keys: Mapping[str, DataKey]
    time_us: int
    members: Sequence[Member]
    # Whether other processes may have made the log longer than `tree`.
    is_shared: bool = False
    accepted: list[Accepted] = field(default_factory=list)
    refused: list[tuple[Member, Exception]] = field(default_factory=list)
    is_grouped: bool = True
    _salts: bytes = b""
    # The size of the log before this epoch, and the leaves that others added since `tree`.
    _base: int = 0
    _leaves_of_others: Sequence[bytes] = ()
    # How the bodies of each kind begin, without the closing brace.
    _beginnings: dict[str, bytes] = field(default_factory=dict)

    async def run(self, transaction: Transaction) -> Growth:
        """Judge and write the members, then the log. Changes neither tree nor futures.

        1. Lock the head; it must be the one in memory, or continue it where the log is shared.
        2. All members together; where that fails, without those answered before; else one by one.
        3. Entries, full tiles, epoch and head.
        """
        await self._lock_head(transaction)
        self._salts = os.urandom(SALT_BYTES * len(self.members))
        # A sort keeps the order of equals, so each half stays in the order of arrival.
        members = sorted(self.members, key=lambda member: bool(member.writes))
        if not await self._run_grouped(transaction, members):
            left = await self._without_answered(transaction, members)
            if len(left) == len(members) or not await self._run_grouped(transaction, left):
                await self._run_singly(transaction, left)
        return await self._extend_log(transaction)

    async def _lock_head(self, transaction: Transaction) -> None:
        size, root = decode_head(await transaction.one(LOCK_HEAD, HEAD_ID)) or (0, EMPTY_ROOT)
        self._base = size
        if (size, root) == (self.tree.size, self.tree.root):
            return
        if self.is_shared and self.tree.size < size <= self.tree.size + ROWS_MAX:
            # This transaction holds the head: nobody adds to what is read here.
            rows = await transaction.all(COMMITMENTS_FROM, self.tree.size)
            self._leaves_of_others = [leaf_hash(entry_bytes(blob(row[0]))) for row in rows]
            if self.tree.grow(self._leaves_of_others).root == root:
                last = await transaction.one(LAST_EPOCH, 1)
                self.time_us = max(self.time_us, integer(last[1]) if last is not None else 0)
                return
        raise HubError(Reason.LOG_UNAVAILABLE, rule="the stored head is another")

    async def _run_grouped(self, transaction: Transaction, members: Sequence[Member]) -> bool:
        refused = len(self.refused)
        try:
            await transaction.attempt(partial(self._group, transaction, members))
        except Exception as error:
            # Whatever a member's rows provoke, the others must not fail with it.
            _raise_failure_of_engine(error)
            self.accepted.clear()
            del self.refused[refused:]
            self.is_grouped = False
            return False
        return True

    async def _group(self, transaction: Transaction, members: Sequence[Member]) -> None:
        answers: dict[tuple[Statement, Row], Row | None] = {}
        pending: dict[WriteStatement, list[Row]] = {}
        own: dict[WriteStatement, list[Row]] = {}
        for member in members:
            if member.checks and pending:
                await _flush(transaction, pending)
                answers.clear()
            if member.checks and await _is_stale(transaction, member.checks, answers):
                self.refused.append((member, HubError(Reason.DECISION_STALE)))
                continue
            writes, rows = self._accept(member)
            for statement, row in rows:
                own.setdefault(statement, []).append(row)
            for write in writes:
                pending.setdefault(write.statement, []).extend(write.rows)
        await _flush(transaction, pending)
        await _flush(transaction, own)

    async def _without_answered(
        self, transaction: Transaction, members: Sequence[Member]
    ) -> list[Member]:
        left = []
        for member in members:
            known = await _answered(transaction, member.remember)
            if known is None:
                left.append(member)
            else:
                self.refused.append((member, known))
        return left

    async def _run_singly(self, transaction: Transaction, members: Sequence[Member]) -> None:
        for member in members:
            kept = len(self.accepted)
            try:
                await transaction.attempt(partial(self._single, transaction, member))
            except Exception as error:
                _raise_failure_of_engine(error)
                del self.accepted[kept:]
                self.refused.append((member, error))

    async def _single(self, transaction: Transaction, member: Member) -> None:
        known = await _answered(transaction, member.remember)
        if known is not None:
            raise known
        if await _is_stale(transaction, member.checks, {}):
            raise HubError(Reason.DECISION_STALE)
        writes, rows = self._accept(member)
        for write in writes:
            await transaction.write(write.statement, write.rows)
        for statement, row in rows:
            await transaction.write(statement, (row,))

    def _accept(
        self, member: Member
    ) -> tuple[Sequence[Write], Sequence[tuple[WriteStatement, Row]]]:
        """Give `member` the next place in the log; its writes, which may name that place, and the
        rows that the log itself keeps of it: how its call is answered again, what it disclosed."""
        number = len(self.accepted)
        index = self._base + number
        placed: Sequence[Write] = ()
        lines: list[list[str]] = []
        if member.writes:
            placed = [_placed(write, index) for write in member.writes]
            if member.lines is None or any(map(operator.is_not, placed, member.writes)):
                member.lines = [
                    _line(write.statement, row) for write in placed for row in write.rows
                ]
            lines = member.lines
        own: list[tuple[WriteStatement, Row]] = [
            (INSERT_DISCLOSURE, (certificate, index, member.entry.retention_class))
            for certificate in member.entry.disclosed
        ]
        remember = member.remember
        if remember is not None:
            request: Row = (
                remember.caller,
                remember.request_id,
                remember.method,
                remember.content,
                remember.answer,
                index,
                member.entry.retention_class,
            )
            own.append((INSERT_REQUEST, request))
        if own:
            lines = [*lines, *[_line(statement, row) for statement, row in own]]
        writes = orjson.dumps(lines)
        body = self._body(member, b64u(hashlib.sha256(writes).digest()))
        salt = self._salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
        self.accepted.append(Accepted(member, index, salt, body, writes))
        return placed, own

    def _body(self, member: Member, writes: str) -> bytes:
        entry = member.entry
        body: dict[str, Json] = {}
        if entry.request_id:  # The hub's own entries answer no request.
            body["request_id"] = entry.request_id
        body["caller"] = entry.caller
        body["key_entry"] = entry.key_entry
        if entry.request_digest:
            body["request_digest"] = entry.request_digest
        seen = member.log_seen
        for name, value in entry.members.items():
            if seen is not None and name in _AFTER_LOG_SEEN and "log_seen" not in body:
                body["log_seen"] = seen.claim()
            body[name] = value
        if seen is not None and "log_seen" not in body:
            body["log_seen"] = seen.claim()
        body["writes"] = writes
        rest = orjson.dumps(body, option=orjson.OPT_STRICT_INTEGER)
        data = b"%b,%b" % (self._beginning(entry.kind), rest[1:])
        if len(data) > BODY_BYTES_MAX:
            raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=len(data), bytes_max=BODY_BYTES_MAX)
        return data

    def _beginning(self, kind: str) -> bytes:
        known = self._beginnings.get(kind)
        if known is None:
            body: dict[str, Json] = {
                "v": 1,
                "kind": kind,
                "origin": self.name.origin,
                "region": self.name.region,
                "time_us": self.time_us,
            }
            known = orjson.dumps(body, option=orjson.OPT_STRICT_INTEGER)[:-1]
            self._beginnings[kind] = known
        return known

    async def _extend_log(self, transaction: Transaction) -> Growth:
        leaves, rows = [], []
        for item in self.accepted:
            commitment = commit(item.salt, item.body)
            leaves.append(leaf_hash(entry_bytes(commitment)))
            retention_class = item.member.entry.retention_class
            key = self.keys[retention_class]
            sealed = key.seal(item.salt + item.body, entry_context(self.name.origin, item.index))
            rows.append((item.index, commitment, sealed, key.id, item.writes, retention_class))
        growth = self.tree.grow([*self._leaves_of_others, *leaves])
        if rows:
            await transaction.write(INSERT_ENTRY, rows)
            tiles = [
                (tile.level, tile.number, tile.hashes)
                for tile in growth.tiles
                # What was full before was written by whoever filled it.
                if (tile.number + 1) << TILE_LEVELS * (tile.level + 1) > self._base
            ]
            if tiles:
                await transaction.write(INSERT_TILE, tiles)
            epoch = (growth.size, growth.root, self.time_us, len(rows))
            await transaction.write(INSERT_EPOCH, [epoch])
            await transaction.write(PUT_HEAD, [(HEAD_ID, growth.size, growth.root)])
        return growth


def entry_context(origin: str, index: int) -> bytes:
    """What an entry's sealed salt and body are bound to: no entry opens in another's place."""
    return b"sealway/sealed-entry/v1\x00%d\x00" % index + origin.encode()


async def _flush(transaction: Transaction, pending: dict[WriteStatement, list[Row]]) -> None:
    for statement, rows in pending.items():
        await transaction.write(statement, rows)
    pending.clear()


async def _is_stale(
    transaction: Transaction,
    checks: Sequence[Check],
    answers: dict[tuple[Statement, Row], Row | None],
) -> bool:
    """Whether a check differs. `answers` are those since the last write; each is asked once."""
    for check in checks:
        question = (check.statement, check.args)
        if question not in answers:
            answers[question] = await transaction.one(check.statement, *check.args)
        if answers[question] != check.expected:
            return True
    return False


async def _answered(transaction: Transaction, remember: Remember | None) -> AlreadyRecorded | None:
    if remember is None:
        return None
    row = await transaction.one(FIND_REQUEST, remember.caller, remember.request_id)
    return AlreadyRecorded(decode_remembered(row)) if row is not None else None


def _raise_failure_of_engine(error: Exception) -> None:
    """Raise `error` again where it says nothing about the member at hand."""
    if isinstance(error, HubError) and error.reason is Reason.DATABASE_UNAVAILABLE:
        raise error


def _placed(write: Write, index: int) -> Write:
    """`write` with `index` in place of `ENTRY_INDEX`; the same object where there is none."""
    rows = with_entry_index(write.rows, index)
    return write if rows is write.rows else Write(write.statement, rows)


def _line(statement: WriteStatement, row: Row) -> list[str]:
    return [statement.table, row_key(statement, row), b64u(row_digest(row))]
