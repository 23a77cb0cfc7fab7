"""A database that takes a question and does not answer: nothing leaves, and work goes on later."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from hub.errors import HubError, Reason
from hub.storage import postgresql, sqlite
from tests.ledger.audits import audited
from tests.ledger.logs import THING, entry, new_log, put_thing, remember

# Patience is a constant of each engine; the way is the real one.
PATIENCE_S = 0.5


@asynccontextmanager
async def held(url: str) -> AsyncIterator[None]:
    """Somebody else has locked what every epoch needs, and takes his time."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()
        return
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE ledger_head IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await other.close()


async def test_a_database_that_does_not_answer_is_waited_for_and_then_refused(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOG_UNAVAILABLE within bounded time, nothing stored and the external head where it was; once
    it answers again, the same calls have one effect each and the audit is clean."""
    monkeypatch.setattr(postgresql, "_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(sqlite, "_BUSY_MS", int(PATIENCE_S * 1000))
    log = await new_log(empty_database_url, tmp_path)
    recorder = await log.started()
    await recorder.record(entry(), [put_thing("a", 1)], [])
    head, size = await log.head.read(), recorder.head().size
    calls = [(entry(), name) for name in ("b", "c", "d")]

    async with held(empty_database_url):
        began = time.monotonic()
        refusals = await asyncio.gather(
            *(
                recorder.record(one, [put_thing(name, 1)], [], remember=remember(one))
                for one, name in calls
            ),
            return_exceptions=True,
        )
        assert time.monotonic() - began < 20 * PATIENCE_S

    for refusal in refusals:
        assert isinstance(refusal, HubError)
        assert refusal.reason is Reason.LOG_UNAVAILABLE
    assert await log.head.read() == head
    assert await log.database.one(THING, "b") is None
    recorded = [
        await recorder.record(one, [put_thing(name, 1)], [], remember=remember(one))
        for one, name in calls
    ]
    assert [one.index for one in recorded] == [size, size + 1, size + 2]
    assert (await audited(log)).findings == []
    await recorder.close()
    await log.database.close()
