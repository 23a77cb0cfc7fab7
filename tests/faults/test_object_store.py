"""A hub whose external head lies in an object store that is away, silent, or shows an old copy."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import pytest

from hub.ledger.checkpoints import FileHead
from tests.faults.processes import Journal, Launcher, audited, check_home, hub_process
from tests.minio_server import REGION, MinioServer
from tests.simulator import Refused, company, licence

pytestmark = pytest.mark.slow

NAME = "checkpoint"
TEXT = "the log cannot be written, so nothing is answered. Repeat with the same request id."


async def _move_head(home: Path, minio: MinioServer) -> str:
    """The home's external head is an object from now on; the bucket."""
    checkpoint = await FileHead(home / "head" / "checkpoint").read()
    assert checkpoint is not None
    bucket = minio.new_bucket()
    data = checkpoint.encode()
    minio.client().put_object(bucket, NAME, io.BytesIO(data), len(data))
    file = home / "hub.toml"
    text, count = re.subn(
        r'(?m)^head = ".*"$', f'head = "s3://{bucket}/{NAME}"', file.read_text(), count=1
    )
    assert count == 1
    file.write_text(
        f'{text}\n[s3]\nendpoint = "{minio.endpoint}"\nregion = "{REGION}"\n'
        f'credentials_file = "{minio.credentials_file}"\n'
    )
    return bucket


def _kept(minio: MinioServer, bucket: str) -> bytes:
    answer = minio.client().get_object(bucket, NAME)
    try:
        return bytes(answer.read())
    finally:
        answer.close()
        answer.release_conn()


async def _refused(*calls: object) -> None:
    """All at once: each is told the same, and has no receipt."""
    refusals = await asyncio.gather(*calls, return_exceptions=True)  # type: ignore[call-overload]
    assert len(refusals) == len(calls)
    for refusal in refusals:
        assert isinstance(refusal, Refused), refusal
        assert (refusal.status, refusal.reason) == ("UNAVAILABLE", "LOG_UNAVAILABLE")
        assert refusal.receipt is None
        assert refusal.message == TEXT


@pytest.mark.parametrize("fault", ["away", "silent"])
async def test_without_the_store_nothing_leaves_and_afterwards_each_call_has_one_effect(
    launcher: Launcher, home: Path, minio: MinioServer, fault: str
) -> None:
    """UNAVAILABLE for fetch and ingest; with the store back, the same process answers the same
    requests, one entry for each, and the audit is clean."""
    journal = Journal()
    bucket = await _move_head(home, minio)
    async with hub_process(launcher, home) as hub:
        await hub.start()
        await journal.deliver(hub.connector(), await journal.batch(hub.connector(), [licence(1)]))
        await journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1)))
        asked = [await journal.ask(hub.platform(), company(1)) for _ in range(3)]
        delivery = await journal.batch(hub.connector(), [licence(2), licence(3)])
        before, pid = _kept(minio, bucket), hub.pid

        minio.kill() if fault == "away" else minio.pause()
        try:
            await _refused(
                *(journal.fetch(hub.platform(), one) for one in asked),
                journal.deliver(hub.connector(), delivery),
            )
        finally:
            minio.start() if fault == "away" else minio.go_on()

        for one in asked:
            await journal.fetch(hub.platform(), one)
        await journal.deliver(hub.connector(), delivery)
        await journal.check(hub)
        assert hub.pid == pid
        assert _kept(minio, bucket) != before
        assert (await audited(home)).findings == []
    await check_home(home, journal)


async def test_a_store_that_shows_an_old_head_ends_recording_until_somebody_looks(
    launcher: Launcher, home: Path, minio: MinioServer
) -> None:
    """Somebody else has written there, so this hub does not; started anew, it continues a head
    that its log continues, and nothing that was answered is lost."""
    journal = Journal()
    bucket = await _move_head(home, minio)
    async with hub_process(launcher, home) as hub:
        await hub.start()
        await journal.deliver(hub.connector(), await journal.batch(hub.connector(), [licence(1)]))
        old = _kept(minio, bucket)
        await journal.fetch(hub.platform(), await journal.ask(hub.platform(), company(1)))
        assert _kept(minio, bucket) != old
        asked = await journal.ask(hub.platform(), company(1))

        minio.client().put_object(bucket, NAME, io.BytesIO(old), len(old))

        await _refused(journal.fetch(hub.platform(), asked))
        # Not by itself, either: the store may lie again.
        await _refused(journal.fetch(hub.platform(), asked))
        assert _kept(minio, bucket) == old
        await hub.stop()
        await hub.start()
        await journal.fetch(hub.platform(), asked)
        await journal.check(hub)
        assert (await audited(home)).findings == []
    await check_home(home, journal)
