"""Commit → sign → advance the head → release: each step failing, half failing, or the last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

import pytest

from hub.domain.entry import AlreadyRecorded
from hub.errors import HubError, Reason
from hub.ledger.checkpoints import FileHead, LogKey, create_log
from hub.ledger.ports import ExternalHead, HeadMoved
from hub.storage.database import Database, Transaction, open_database
from tests.conftest import ROOT
from tests.ledger.audits import audited
from tests.ledger.logs import (
    KEY,
    THING,
    Log,
    entry,
    index_and_size,
    new_log,
    put_thing,
    remember,
)

T = TypeVar("T")
Fault = Literal["", "fails", "fails but persisted"]


@dataclass
class FaultyDatabase:
    """A real database whose next commit fails, before or after it became durable."""

    inner: Database
    fault: Fault = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def transact(self, work: Callable[[Transaction], Coroutine[object, object, T]]) -> T:
        fault, self.fault = self.fault, ""
        if fault == "fails":
            raise HubError(Reason.DATABASE_UNAVAILABLE)
        result = await self.inner.transact(work)
        if fault:
            raise HubError(Reason.DATABASE_UNAVAILABLE)
        return result


@dataclass
class FaultyHead:
    """A real head whose next advance fails, before or after it became durable; keeps a diary."""

    inner: ExternalHead
    fault: Fault = ""
    advanced: int = 0

    async def read(self) -> str | None:
        return await self.inner.read()

    async def create(self, checkpoint: str) -> None:
        await self.inner.create(checkpoint)

    async def advance(self, expected: str, checkpoint: str) -> None:
        fault, self.fault = self.fault, ""
        if fault == "fails":
            raise HubError(Reason.LOG_UNAVAILABLE)
        await self.inner.advance(expected, checkpoint)
        self.advanced += 1
        if fault:
            raise HubError(Reason.LOG_UNAVAILABLE)


@pytest.fixture
async def log(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    made.database = FaultyDatabase(made.database)  # type: ignore[assignment]
    made.head = FaultyHead(made.head)
    yield made
    await made.database.close()


@pytest.mark.parametrize("step", ["database", "head"])
@pytest.mark.parametrize("fault", ["fails", "fails but persisted"])
async def test_a_step_that_fails_answers_unavailable_and_a_repeat_has_one_effect(
    log: Log, step: str, fault: Fault
) -> None:
    """Whatever was kept, the caller hears LOG_UNAVAILABLE, repeats, and gets one entry."""
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    getattr(log, step).fault = fault
    of = entry()

    with pytest.raises(HubError) as error:
        await recorder.record(of, [put_thing("a", 1)], [], remember=remember(of))
    assert error.value.reason is Reason.LOG_UNAVAILABLE

    try:
        index = (await recorder.record(of, [put_thing("a", 1)], [], remember=remember(of))).index
    except AlreadyRecorded as known:
        index = known.remembered.index
        assert (step, fault) != ("database", "fails")
    assert index < recorder.head().size
    assert index_and_size(await recorder.receipt(index))[0] == index
    assert await log.database.one(THING, "a") == (1, None)
    await recorder.close()
    assert (await audited(log)).findings == []


@pytest.mark.parametrize("fault", ["fails", "fails but persisted"])
async def test_what_is_remembered_is_answered_only_under_a_head_that_covers_it(
    log: Log, fault: Fault
) -> None:
    """Committed and not covered: the first answer waits until the head has been advanced."""
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    log.head.fault = "fails"  # type: ignore[attr-defined]
    of = entry()
    with pytest.raises(HubError):
        await recorder.record(of, (), [], remember=remember(of))
    covered = recorder.head().size
    log.head.fault = fault  # type: ignore[attr-defined]

    with pytest.raises(HubError) as error:
        await recorder.remembered(of.caller, of.request_id)
    assert error.value.reason is Reason.LOG_UNAVAILABLE
    assert recorder.head().size == covered

    known = await recorder.remembered(of.caller, of.request_id)
    assert known is not None
    assert known.index < recorder.head().size
    await recorder.close()


async def test_the_root_is_signed_and_kept_only_after_its_commit(log: Log) -> None:
    """At the moment of each advance the database already holds that size."""
    sizes: list[tuple[int, int]] = []
    inner = log.head.inner  # type: ignore[attr-defined]

    class Watching(FaultyHead):
        async def advance(self, expected: str, checkpoint: str) -> None:
            stored = await log.stored_size()
            sizes.append((KEY.verify(checkpoint).size, stored))
            await super().advance(expected, checkpoint)

    log.head = Watching(inner)
    recorder = await log.started()

    await asyncio.gather(*(recorder.record(entry(), (), []) for _ in range(20)))

    assert sizes
    assert all(size == stored for size, stored in sizes)
    await recorder.close()


async def test_a_commit_that_was_not_signed_is_signed_at_start(log: Log) -> None:
    """A crash between commit and head loses nothing and forks nothing."""
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    log.head.fault = "fails"  # type: ignore[attr-defined]
    of = entry()
    with pytest.raises(HubError):
        await recorder.record(of, (), [], remember=remember(of))
    recorder.observer.is_recording = False
    await recorder.close()

    again = await log.started()

    known = await again.remembered(of.caller, of.request_id)
    assert known is not None and known.index < again.head().size
    await again.close()
    assert (await audited(log)).findings == []


async def test_a_second_writer_stops_the_recorder(log: Log) -> None:
    """When the head is not the one expected, nothing is ever signed again."""
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    note = await log.head.read()
    assert note is not None
    await log.head.advance(note, KEY.sign(500, bytes(32)))

    for _ in range(2):
        with pytest.raises(HubError) as error:
            await recorder.record(entry(), (), [])
        assert error.value.reason is Reason.LOG_UNAVAILABLE

    assert not recorder.observer.is_recording
    await recorder.close()


async def test_a_head_that_fails_in_the_committing_thread_is_settled_by_the_next_call(
    tmp_path: Path,
) -> None:
    """The head's file cannot be written: unavailable; then the entry is there once and covered."""
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    covered, of = recorder.head(), entry()
    head = tmp_path / "head" / "checkpoint"
    aside = head.rename(tmp_path / "head" / "aside")
    head.mkdir()
    with pytest.raises(HubError) as error:
        await recorder.record(of, (), [], remember=remember(of))
    assert error.value.reason is Reason.LOG_UNAVAILABLE
    assert recorder.head() == covered
    head.rmdir()
    aside.rename(head)

    known = await recorder.remembered(of.caller, of.request_id)

    assert known is not None
    assert known.index < recorder.head().size == await log.stored_size()
    assert await log.head.read() == recorder.checkpoint()
    await recorder.record(entry(), (), [])
    await recorder.close()
    await log.database.close()


async def test_another_writer_found_in_the_committing_thread_stops_the_recorder(
    tmp_path: Path,
) -> None:
    """When the head's file holds another checkpoint, nothing is ever signed again."""
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    foreign = KEY.sign(500, bytes(32))
    await log.head.advance(recorder.checkpoint(), foreign)

    for _ in range(2):
        with pytest.raises(HubError) as error:
            await recorder.record(entry(), (), [])
        assert error.value.reason is Reason.LOG_UNAVAILABLE

    assert not recorder.observer.is_recording
    assert await log.head.read() == foreign
    await recorder.close()
    await log.database.close()


async def test_a_restored_old_database_is_refused_at_start(tmp_path: Path) -> None:
    """The external head is ahead of it: answers that left the hub would be denied."""
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    await recorder.close()
    await log.database.close()
    shutil.copy(tmp_path / "hub.db", tmp_path / "backup.db")
    log.database = await open_database(f"sqlite:///{tmp_path}/hub.db")
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    await recorder.close()
    await log.database.close()

    log.database = await open_database(f"sqlite:///{tmp_path}/backup.db")
    with pytest.raises(HubError) as error:
        await log.started()

    assert error.value.reason is Reason.LOG_ROLLED_BACK
    await log.database.close()


async def test_a_start_without_a_head_or_with_a_foreign_one_is_refused(tmp_path: Path) -> None:
    """Its absence must not look like a new log; another log's head is none."""
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    log.head = FileHead(tmp_path / "nowhere" / "checkpoint")
    with pytest.raises(HubError) as missing:
        await log.started()
    await log.head.create(LogKey("other.example", KEY._key).sign(0, bytes(32)))
    with pytest.raises(HubError) as foreign:
        await log.started()

    assert missing.value.reason is Reason.LOG_HEAD_MISSING
    assert foreign.value.reason is Reason.LOG_HEAD_INVALID
    with pytest.raises(HeadMoved):
        await create_log(log.head, KEY)
    await log.database.close()


async def test_a_head_of_the_same_size_with_another_root_is_refused(tmp_path: Path) -> None:
    """A fork that this key signed elsewhere."""
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    recorder = await log.started()
    await recorder.record(entry(), (), [])
    await recorder.close()
    note = await log.head.read()
    assert note is not None
    await log.head.advance(note, KEY.sign(1, bytes(32)))

    with pytest.raises(HubError) as error:
        await log.started()

    assert error.value.reason is Reason.LOG_ROLLED_BACK
    await log.database.close()


@pytest.mark.slow
async def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """kill -9 at random moments: the log audits clean and every receipt that came out verifies."""
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    await log.database.close()
    chance = random.Random(7)

    acknowledged: list[str] = []
    for _ in range(6):
        acknowledged += _write_until_killed(tmp_path, chance.uniform(0.05, 0.4))

    log.database = await open_database(f"sqlite:///{tmp_path}/hub.db")
    recorder = await log.started()
    assert acknowledged
    for receipt in acknowledged:
        index, _ = index_and_size(receipt)
        assert await recorder.receipt(index) == receipt
    await recorder.close()
    report = await audited(log)
    assert report.findings == []
    assert report.entries >= len(acknowledged)
    await log.database.close()


def _write_until_killed(folder: Path, after_s: float) -> list[str]:
    """Receipts that a writer printed before it was killed `after_s` after its first."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    with contextlib.suppress(subprocess.TimeoutExpired):
        writer.wait(after_s)
    os.kill(writer.pid, signal.SIGKILL)
    rest = writer.stdout.read()
    writer.wait()
    lines = (first + rest).splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n") and line.strip()]


async def test_a_torn_write_of_the_head_leaves_the_one_before(tmp_path: Path) -> None:
    """However many bytes of a block were written, the file holds the new head or the last one."""
    path = tmp_path / "checkpoint"
    head = FileHead(path)
    notes = [KEY.sign(size, bytes([size]) * 32) for size in range(4)]
    await head.create(notes[0])
    for before, after in pairwise(notes):
        whole = path.read_bytes()
        await head.advance(before, after)
        written = path.read_bytes()
        place = 0 if written[:4096] != whole[:4096] else 4096
        for count in range(0, 4096, 7):
            torn = bytearray(whole)
            torn[place : place + count] = written[place : place + count]
            path.write_bytes(torn)
            assert await head.read() in {before, after}
        path.write_bytes(written)
    assert await head.read() == notes[-1]


async def test_a_head_file_without_a_whole_checkpoint_is_refused(tmp_path: Path) -> None:
    """Neither taken for an empty log nor written over."""
    path = tmp_path / "checkpoint"
    path.write_bytes(b"\0" * 8192)

    with pytest.raises(HubError) as error:
        await FileHead(path).read()
    assert error.value.reason is Reason.LOG_HEAD_INVALID
    for change in (FileHead(path).create("a\n"), FileHead(path).advance("", "a\n")):
        with pytest.raises(HeadMoved):
            await change
    assert path.read_bytes() == b"\0" * 8192
