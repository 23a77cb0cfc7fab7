"""The one way to write: entries, and the rows that belong to them, in epochs.

Calls are collected for a few milliseconds and run in one transaction (`epoch.py`). Then, in this
order and never another: commit → sign the root → advance the external head → release the answers.
A root that was signed before its commit could be a fork; an answer released before the head was
advanced could be taken back by restoring an old database.
"""

from __future__ import annotations

import asyncio
import logging
import os
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from hub.clock import Clock, legal_day
from hub.domain.entry import (
    AlreadyRecorded,
    Entry,
    LogHead,
    Recorded,
    Remember,
    Remembered,
)
from hub.errors import HubError, Reason
from hub.ledger.checkpoints import LogKey
from hub.ledger.epoch import Epoch, LogName, Member
from hub.ledger.ports import BlockingHead, CommittingThread, ExternalHead, HeadMoved, Observer
from hub.ledger.proofs import EpochReceipts, Proofs, log_head, quoted
from hub.ledger.store import FIND_REQUEST, LAST_EPOCH, decode_remembered
from hub.ledger.tree import Growth
from hub.storage.database import Database
from hub.storage.encryption import DataKey, DataKeys
from hub.storage.statements import Check, Write

# Who stands as the caller in entries that the hub writes by itself.
HUB_CALLER: Final = "hub"

_HOUR_US: Final = 3_600_000_000

# Turns of the event loop without a new entry, a tenth of a millisecond in all, that close an epoch.
_QUIET_TURNS: Final = 12

# An epoch that writes no more than these rows, beside its entries, is worth no thread of its own.
_SHORT_ROWS_MAX: Final = 64

# How often the head may be moved by others while this process moves it.
_HEAD_TRIES: Final = 16

# How long an idle log waits after a failure before it beats again.
_RETRY_S: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """How long an epoch collects, how large it may grow, and how often an idle log beats.

    `is_shared`: other processes record in the same database, one epoch after the other.
    """

    region: str
    window_s: float = 0.003
    members_max: int = 256
    rows_max: int = 20_000
    heartbeat_s: float = 30.0
    is_shared: bool = False


class Recorder:
    """The log of one hub process, and the only writer of its database.

    `start` before anything else, `close` at the end; all methods belong to one event loop.
    """

    def __init__(
        self,
        *,
        database: Database,
        data_keys: DataKeys,
        head: ExternalHead,
        key: LogKey,
        clock: Clock,
        settings: RecorderSettings,
        observer: Observer,
    ) -> None:
        self.proofs: Final = Proofs(database, data_keys, key)
        self.observer: Final = observer
        self._database = database
        self._data_keys = data_keys
        self._external = head
        # With both, an epoch is committed, signed and covered by the head in one thread.
        self._thread = database if isinstance(database, CommittingThread) else None
        self._blocking = head if isinstance(head, BlockingHead) else None
        self._key = key
        self._clock = clock
        self._settings = settings
        self._name = LogName(key.origin, settings.region)
        self._queue: list[Member] = []
        self._queued_rows = 0
        self._first_queued_s = 0.0
        self._under_way: dict[tuple[str, str], asyncio.Future[Recorded]] = {}
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        # Set while it is open whether the last transaction was kept.
        self._is_unsure = True
        self._last_time_us = 0
        # The hour since 1970 and the legal month that it lies in.
        self._month = (-1, "")
        # The external head as last seen there, and the one that may stand there instead.
        self._note = ""
        self._tried = ""
        self._head = LogHead(key.origin, 0, "")

    async def start(self) -> None:
        """Begin recording where the log ended; a commit that was not signed is signed now.

        Raises HubError: LOG_HEAD_MISSING, LOG_HEAD_INVALID (of another log), LOG_ROLLED_BACK
        where the external head is not a head of this database, DIGEST_MISMATCH.
        """
        note = await self._external.read()
        if note is None:
            raise HubError(Reason.LOG_HEAD_MISSING)
        head = self._key.verify(note)
        self._note, self._head = note, log_head(head.origin, head.size, head.root)
        async with self._turn:
            await self._reload()
            await self._advance()
            if not self.observer.signature_time_us:
                # A key that cannot sign is found now and not with the first entry.
                self._key.sign(self.proofs.tree.size, self.proofs.tree.root)
                self.observer.signature_time_us = self._clock()
        self.observer.is_recording = True
        self._task = asyncio.create_task(self._run(), name="recorder")

    async def close(self) -> None:
        """Record what is queued, then stop; later calls are refused."""
        self._is_closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self.observer.is_recording = False

    async def record(
        self,
        entry: Entry,
        writes: Sequence[Write],
        checks: Sequence[Check],
        *,
        remember: Remember | None = None,
        log_seen: LogHead | None = None,
    ) -> Recorded:
        """Record one entry and write its rows.

        On return the rows are durable, the root is signed and the external head covers the entry.
        Raises AlreadyRecorded where (caller, request id) was answered before, and HubError:
        DECISION_STALE where a check differs, ALREADY_EXISTS where an inserted row exists,
        LOG_SEEN_AHEAD, FIELD_INVALID, and LOG_UNAVAILABLE, upon which nothing may leave the hub:
        the entry may or may not be recorded, and a repeat with the same request id finds out.
        """
        self._check_recording()
        if log_seen is not None:
            if log_seen.size > self._head.size:
                await self.follow()  # Another process may have answered this caller.
            self._check_seen(log_seen)
        future: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        member = Member(entry, writes, checks, remember, log_seen, future)
        if remember is None:
            self._enqueue(member)
            return await future
        key = (remember.caller, remember.request_id)
        if key in self._under_way:
            await self._await_other(key)
        self._under_way[key] = future
        try:
            self._enqueue(member)
            return await future
        finally:
            if self._under_way.get(key) is future:
                del self._under_way[key]

    async def remembered(self, caller: str, request_id: str) -> Remembered | None:
        """What (caller, request id) was answered with, or None.

        An answer whose entry no external head covers yet is not given: the head is advanced first.
        Raises HubError(LOG_UNAVAILABLE).
        """
        row = await self._database.one(FIND_REQUEST, caller, request_id)
        if row is None:
            return None
        known = decode_remembered(row)
        await self._cover(known.index)
        return known

    async def receipt(self, index: int) -> str:
        """The original receipt of an entry, byte for byte.

        Raises HubError: ENTRY_NOT_FOUND, LOG_UNAVAILABLE, KEY_UNAVAILABLE where it was erased.
        """
        entry = await self.proofs.opened(index)
        await self._cover(index)
        return await self.proofs.receipt(entry)

    async def follow(self) -> None:
        """Take over what other processes have recorded; nothing where the log is not shared.

        Raises HubError: LOG_UNAVAILABLE, DATABASE_UNAVAILABLE, LOG_ROLLED_BACK.
        """
        if not self._settings.is_shared or not self.observer.is_recording:
            return
        async with self._turn:
            if self._is_unsure:
                await self._reload()
            await self.proofs.catch_up()
            await self._advance()

    def head(self) -> LogHead:
        """The newest head that the external head holds."""
        return self._head

    def checkpoint(self) -> str:
        """The same as a signed note."""
        return self._note

    def _check_recording(self) -> None:
        if self._is_closing or not self.observer.is_recording:
            raise HubError(Reason.LOG_UNAVAILABLE)

    def _check_seen(self, seen: LogHead) -> None:
        if seen.origin != self._key.origin or seen.size < 1:
            raise HubError(
                Reason.FIELD_INVALID, field="log", rule=f"is a head of {self._key.origin}"
            )
        if seen.size > self._head.size:
            # The caller has proof of a log longer than this one: somebody rolled it back.
            raise HubError(Reason.LOG_SEEN_AHEAD, seen=seen.size, size=self._head.size)

    async def _await_other(self, key: tuple[str, str]) -> None:
        """Wait for the same request that is under way. Raises AlreadyRecorded or its failure."""
        while (other := self._under_way.get(key)) is not None:
            await asyncio.wait([other])
            error = None if other.cancelled() else other.exception()
            if isinstance(error, HubError) and error.reason is Reason.LOG_UNAVAILABLE:
                raise HubError(Reason.LOG_UNAVAILABLE)
            known = await self.remembered(*key)
            if known is not None:
                raise AlreadyRecorded(known)
        self._check_recording()

    def _enqueue(self, member: Member) -> None:
        if not self._queue:
            self._first_queued_s = asyncio.get_running_loop().time()
            self._wake.set()
        self._queue.append(member)
        self._queued_rows += _rows(member)

    async def _run(self) -> None:
        while not self._is_closing or self._queue:
            await self._collect()
            members = self._take()
            if members:
                await self._record_epoch(members)

    async def _collect(self) -> None:
        """Wait until an epoch is due: nobody new comes, its window is over, or it is full."""
        if not self._queue:
            self._wake.clear()
            idle_s = self._settings.heartbeat_s - (self._clock() - self._last_time_us) / 1_000_000
            if self._is_unsure or not self.observer.is_recording:
                # Nothing can be recorded now: ask again later, not as fast as the loop turns.
                idle_s = max(idle_s, _RETRY_S)
            await _set_within(self._wake, max(idle_s, 0))
            if not self._queue:
                if self.observer.is_recording and not self._is_closing:
                    self._enqueue(_own_member("heartbeat", ()))
                return
        # Whoever is being served now may still come: the epoch closes when the loop turns without
        # anybody new, so a busy hub fills its epochs and an idle one answers at once.
        loop = asyncio.get_running_loop()
        end_s = self._first_queued_s + self._settings.window_s
        quiet, size = 0, len(self._queue)
        while quiet < _QUIET_TURNS and loop.time() < end_s:
            if self._is_closing or len(self._queue) >= self._settings.members_max:
                return
            if self._queued_rows >= self._settings.rows_max:
                return
            # Who brings the next calls may need this processor, and does not take it by force.
            os.sched_yield()
            await _next_turn()
            quiet = quiet + 1 if len(self._queue) == size else 0
            size = len(self._queue)

    def _take(self) -> list[Member]:
        """The next members, in order, within the limits of an epoch; at least one."""
        taken, rows = 0, 0
        for member in self._queue[: self._settings.members_max]:
            rows += _rows(member)
            if taken and rows > self._settings.rows_max:
                break
            taken += 1
        members, self._queue = self._queue[:taken], self._queue[taken:]
        self._queued_rows = sum(map(_rows, self._queue))
        self._first_queued_s = asyncio.get_running_loop().time()
        # Who was cancelled while waiting has not been promised anything.
        return [member for member in members if not member.future.cancelled()]

    async def _record_epoch(self, members: Sequence[Member]) -> None:
        """Commit → sign → advance the head → release; any failure answers LOG_UNAVAILABLE."""
        began_us = self._clock()
        try:
            async with self._turn:
                if not self.observer.is_recording:  # Stopped while these were queued.
                    raise HubError(Reason.LOG_UNAVAILABLE)
                if self._is_unsure:
                    await self._reload()
                time_us = max(began_us, self._last_time_us)
                keys = await self._evidence_keys(members, time_us)
                epoch = self._epoch(keys, time_us, members)
                answers = await self._commit_and_advance(epoch)
        except Exception as error:
            # The task must outlive whatever went wrong; who waits hears that nothing is certain.
            self._fail(members, error)
            return
        for member, refusal in epoch.refused:
            _refuse(member, refusal)
        for item, answer in zip(epoch.accepted, answers, strict=True):
            if not item.member.future.done():
                item.member.future.set_result(answer)
        self._observe(epoch, began_us)

    def _epoch(self, keys: Mapping[str, DataKey], time_us: int, members: Sequence[Member]) -> Epoch:
        return Epoch(self._name, self.proofs.tree, keys, time_us, members, self._settings.is_shared)

    async def _commit(self, epoch: Epoch) -> None:
        """Run `epoch` in one transaction and take over what it made of the tree."""
        self._is_unsure = True
        self._take_over(epoch, await self._database.transact(epoch.run))

    def _take_over(self, epoch: Epoch, growth: Growth) -> None:
        self.proofs.tree.apply(growth)
        self._last_time_us = epoch.time_us
        self._is_unsure = False

    async def _commit_and_advance(self, epoch: Epoch) -> list[Recorded]:
        """As `_commit` and `_advance`, where possible without coming back in between.

        The answers that may be released then.
        """
        if self._thread is None or self._blocking is None or self._tried:
            await self._commit(epoch)
            tree = self.proofs.tree
            # Now: while the head is advanced the tree may grow by what others record.
            answers = await self._answers(epoch, self._key.sign(tree.size, tree.root))
            await self._advance()
            return answers
        step = _Advance(self._blocking, self._key, self._note, self._head.size)
        self._is_unsure = True
        is_short = sum(map(_rows, epoch.members)) <= _SHORT_ROWS_MAX
        growth = await self._thread.transact_then(epoch.run, step.take, is_short=is_short)
        self._take_over(epoch, growth)
        if step.note:
            self.observer.signature_time_us = self._clock()
            self._tried = step.note
        if isinstance(step.error, HeadMoved):
            self._stop(step.error)
        if step.error is not None:
            raise step.error
        if step.note:
            self._cover_with(step.note)
        return await self._answers(epoch, self._note)

    async def _advance(self) -> None:
        """Sign the committed root and bring the external head to it. Raises LOG_UNAVAILABLE."""
        if not self.observer.is_recording and self._task is not None:
            raise HubError(Reason.LOG_UNAVAILABLE)
        if self._settings.is_shared:
            await self._advance_shared()
            return
        tree = self.proofs.tree
        if self._head.size == tree.size and not self._tried:
            return
        note = self._key.sign(tree.size, tree.root)
        self.observer.signature_time_us = self._clock()
        try:
            await self._settle_tried()
            if note != self._note:
                self._tried = note
                await self._external.advance(self._note, note)
        except HeadMoved as error:
            self._stop(error)
        self._cover_with(note)

    async def _advance_shared(self) -> None:
        """As `_advance`, where other processes advance the same head: theirs may cover ours."""
        for _ in range(_HEAD_TRIES):
            tree = self.proofs.tree
            if self._head.size >= tree.size:
                return
            note = self._key.sign(tree.size, tree.root)
            self.observer.signature_time_us = self._clock()
            try:
                await self._external.advance(self._note, note)
            except HeadMoved:
                await self._adopt_head(await self._external.read())
            else:
                self._cover_with(note)
                return
        raise HubError(Reason.LOG_UNAVAILABLE)

    async def _adopt_head(self, note: str | None) -> None:
        """Take over a head that another process of this hub advanced.

        It must be of this log, not behind the one seen before, and contained in the database.
        Raises LOG_UNAVAILABLE, and records nothing any more, where it is another's.
        """
        if note is None:
            self._stop(HeadMoved("the head is gone"))
        try:
            head = self._key.verify(note)
        except HubError as error:
            self._stop(HeadMoved(error.text("en")))
        await self.proofs.catch_up()
        if not self._head.size <= head.size <= self.proofs.tree.size:
            self._stop(HeadMoved("the head is not one of this database"))
        if await self.proofs.root_at(head.size) != head.root:
            self._stop(HeadMoved("the head is of another log"))
        self._note, self._head = note, log_head(head.origin, head.size, head.root)

    def _stop(self, error: HeadMoved) -> NoReturn:
        # Another writer has the log. Whatever is signed from here on could be a fork.
        self.observer.is_recording = False
        raise HubError(Reason.LOG_UNAVAILABLE) from error

    def _cover_with(self, note: str) -> None:
        """The external head holds `note`, the checkpoint of the tree as it is."""
        tree = self.proofs.tree
        self._note, self._tried = note, ""
        self._head = log_head(self._key.origin, tree.size, tree.root)

    async def _settle_tried(self) -> None:
        """Learn whether an advance that failed has been kept all the same. Raises HeadMoved."""
        if not self._tried:
            return
        found = await self._external.read()
        if found not in (self._note, self._tried):
            raise HeadMoved("the head is neither the last nor the one tried")
        self._note, self._tried = found, ""

    async def _cover(self, index: int) -> None:
        """The external head covers entry `index` on return. Raises HubError(LOG_UNAVAILABLE)."""
        if index < self._head.size:
            return
        async with self._turn:
            if self._is_unsure:
                await self._reload()
            await self._advance()
        if index >= self._head.size:
            raise HubError(Reason.LOG_UNAVAILABLE)

    async def _reload(self) -> None:
        """Read the tree again; it must continue the external head. Raises LOG_ROLLED_BACK."""
        await self.proofs.load()
        size = self._head.size
        if self.proofs.tree.size < size:
            raise HubError(Reason.LOG_ROLLED_BACK, head=size, size=self.proofs.tree.size)
        root = await self.proofs.root_at(size)
        if log_head(self._key.origin, size, root) != self._head:
            raise HubError(Reason.LOG_ROLLED_BACK, head=size, size=self.proofs.tree.size)
        last = await self._database.one(LAST_EPOCH, 1)
        if last is not None and isinstance(last[1], int):
            self._last_time_us = last[1]
            self.observer.epoch_time_us = last[1]
        self._is_unsure = False

    async def _evidence_keys(
        self, members: Sequence[Member], time_us: int
    ) -> Mapping[str, DataKey]:
        """The data key of each retention class for this month; a new one is recorded first."""
        if self._month[0] != time_us // _HOUR_US:
            self._month = time_us // _HOUR_US, legal_day(time_us).strftime("%Y%m")
        month = self._month[1]
        keys = {}
        for retention_class in {member.entry.retention_class for member in members}:
            key_id = f"evidence:{retention_class}:{month}"
            key = await self._data_keys.find(key_id)
            if key is None:
                key = await self._new_evidence_key(key_id, retention_class, time_us)
            keys[retention_class] = key
        return keys

    async def _new_evidence_key(self, key_id: str, retention_class: str, time_us: int) -> DataKey:
        key, write = self._data_keys.new(key_id, retention_class)
        member = _own_member("data_key", (write,), retention_class, {"data_key_id": key_id})
        keys = {retention_class: key}
        epoch = self._epoch(keys, time_us, [member])
        await self._commit(epoch)
        for _, refusal in epoch.refused:
            if isinstance(refusal, HubError) and refusal.reason is Reason.ALREADY_EXISTS:
                return await self._data_keys.get(key_id)  # Another process made it first.
            raise refusal
        return key

    async def _answers(self, epoch: Epoch, note: str) -> list[Recorded]:
        """The receipts under `note`, the checkpoint of the tree as it is."""
        # What an epoch appended is in memory; only old heads may need tiles.
        size = self.proofs.tree.size
        receipts = EpochReceipts(self.proofs.tree, note)
        consistency = {0: ""}
        answers = []
        for item in epoch.accepted:
            seen = item.member.log_seen
            since = seen.size if seen is not None else 0
            if since not in consistency:
                consistency[since] = quoted(await self.proofs.consistency(since, size))
            receipt = receipts.receipt(item.index, item.body, item.salt, consistency[since])
            answers.append(Recorded(item.index, epoch.time_us, receipt))
        return answers

    def _fail(self, members: Sequence[Member], error: Exception) -> None:
        self.observer.failed_epochs += 1
        _log.error("epoch failed", exc_info=error)
        for member in members:
            _refuse(member, HubError(Reason.LOG_UNAVAILABLE))

    def _observe(self, epoch: Epoch, began_us: int) -> None:
        observer = self.observer
        observer.epoch_time_us = self._clock()
        observer.epochs += 1
        observer.entries += len(epoch.accepted)
        observer.stale += sum(
            isinstance(error, HubError) and error.reason is Reason.DECISION_STALE
            for _, error in epoch.refused
        )
        observer.ungrouped_epochs += not epoch.is_grouped
        observer.last_epoch_entries = len(epoch.accepted)
        observer.last_epoch_duration_us = observer.epoch_time_us - began_us
        if observer.on_epoch is not None:
            observer.on_epoch(len(epoch.accepted), observer.last_epoch_duration_us / 1_000_000)
        if observer.on_rows is not None and any(item.member.writes for item in epoch.accepted):
            observer.on_rows()


@dataclass(slots=True)
class _Advance:
    """Signing a committed root and advancing the head to it, in the thread that committed."""

    head: BlockingHead
    key: LogKey
    expected: str
    covered: int
    # Signed, and perhaps kept; empty where there was nothing to sign.
    note: str = ""
    error: Exception | None = None

    def take(self, growth: Growth) -> None:
        """Never raises: the transaction stands whatever becomes of the head."""
        if growth.size == self.covered:
            return
        try:
            self.note = self.key.sign(growth.size, growth.root)
            self.head.advance_now(self.expected, self.note)
        except Exception as error:
            self.error = error


@types.coroutine
def _next_turn() -> Iterator[None]:
    """As `asyncio.sleep(0)`, which looks at its argument first."""
    yield


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for `event`, and set it when the time is over; costs less than a timeout."""
    timer = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        timer.cancel()


def _rows(member: Member) -> int:
    return sum([len(write.rows) for write in member.writes]) if member.writes else 0


def _refuse(member: Member, error: Exception) -> None:
    if not member.future.done():
        member.future.set_exception(error)


def _own_member(
    kind: str,
    writes: Sequence[Write],
    retention_class: str = "evidence",
    data: Mapping[str, str] | None = None,
) -> Member:
    """An entry that the hub writes by itself."""
    entry = Entry(
        kind=kind,
        caller=HUB_CALLER,
        key_entry=0,
        request_id="",
        request_digest="",
        members={"data": dict(data or {})},
        retention_class=retention_class,
    )
    future: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
    # Nobody waits for it: a failure is seen by the age of the last epoch.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return Member(entry, writes, (), None, None, future)
