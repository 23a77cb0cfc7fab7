"""Reading the log from one entry to the next: everything in its place, or nothing."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.errors import HubError, Reason
from hub.ledger.recorder import Recorder
from tests.ledger.logs import Log, entry, new_log

SIZE = 600
"""Two tiles and a part of a third."""


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[tuple[Log, Recorder]]:
    log = await new_log(f"sqlite:///{tmp_path}/hub.db", tmp_path)
    recorder = await log.started()
    size = recorder.proofs.tree.size
    await asyncio.gather(
        *(recorder.record(entry(number), (), ()) for number in range(SIZE - 1 - size))
    )
    yield log, recorder
    await recorder.close()
    await log.database.close()


async def read(recorder: Recorder, first: int) -> list[int]:
    """The numbers of the entries that were read."""
    found = []
    async for bodies in recorder.proofs.bodies(first):
        for number, body in bodies:
            assert json.loads(body)["origin"]
            found.append(number)
    return found


@pytest.mark.parametrize("first", [0, 1, 255, 256, 511, 512, 599, 600, 601])
async def test_every_entry_is_read_from_there_on(log: tuple[Log, Recorder], first: int) -> None:
    _, recorder = log
    size = recorder.proofs.tree.size

    assert await read(recorder, first) == list(range(first, size))


@pytest.mark.parametrize("number", [0, 300, 511, 512, 590])
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM ledger_entries WHERE number = {number}",
        "UPDATE ledger_entries SET sealed = (SELECT sealed FROM ledger_entries WHERE number = 5)"
        " WHERE number = {number}",
        "UPDATE ledger_entries SET number = 10000 WHERE number = {number}",
        "DELETE FROM ledger_entries",
    ],
)
async def test_what_is_missing_or_exchanged_is_noticed(
    log: tuple[Log, Recorder], tmp_path: Path, sql: str, number: int
) -> None:
    """In a full tile, in the last one, at their borders; entries before are read."""
    _, recorder = log
    with sqlite3.connect(tmp_path / "hub.db", timeout=10) as connection:
        connection.execute(sql.format(number=number))
    connection.close()

    with pytest.raises(HubError) as caught:
        await read(recorder, 0)

    assert caught.value.reason is Reason.DIGEST_MISMATCH


async def test_a_destroyed_key_stops_the_reading(log: tuple[Log, Recorder], tmp_path: Path) -> None:
    """What was erased nobody can read."""
    kept, recorder = log
    await recorder.close()
    with sqlite3.connect(tmp_path / "hub.db", timeout=10) as connection:
        connection.execute("UPDATE storage_data_keys SET wrapped = x''")
    connection.close()
    proofs = kept.recorder().proofs
    await proofs.load()

    with pytest.raises(HubError) as caught:
        async for _ in proofs.bodies(0):
            pass

    assert caught.value.reason is Reason.KEY_UNAVAILABLE
