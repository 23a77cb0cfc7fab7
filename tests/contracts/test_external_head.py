"""The contract of the external head, against a file and an object of a real S3 server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest

from hub.errors import HubError, Reason
from hub.ledger.checkpoints import FileHead, create_log
from hub.ledger.ports import ExternalHead, HeadMoved
from hub.ledger.s3_head import S3Head
from hub.proof.log.merkle import EMPTY_ROOT
from hub.storage.s3 import Bucket, ConditionFailed
from tests.ledger.logs import KEY, Log, entry, index_and_size, new_database
from tests.minio_server import MinioServer

Opener = Callable[[], ExternalHead]
FIRST = KEY.sign(0, EMPTY_ROOT)
NOTES = [KEY.sign(size, bytes([size]) * 32) for size in range(1, 6)]


@pytest.fixture(params=["file", "s3"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same head as often as it is called, as several processes would."""
    if request.param == "file":
        return lambda: FileHead(tmp_path / "head" / "checkpoint")
    minio: MinioServer = request.getfixturevalue("minio")
    bucket = minio.new_bucket()
    return lambda: S3Head(Bucket(minio.settings(), bucket), "head/checkpoint")


async def test_a_head_that_never_was_reads_as_none(opener: Opener) -> None:
    """The recorder refuses to start on it: absence must not look like a new log."""
    assert await opener().read() is None


async def test_a_head_is_made_once(opener: Opener) -> None:
    """A second log cannot take the place of the first."""
    await opener().create(FIRST)
    with pytest.raises(HeadMoved):
        await opener().create(NOTES[0])

    assert await opener().read() == FIRST


async def test_a_head_follows_from_one_to_the_next(opener: Opener) -> None:
    """By one opener or by several in turn."""
    head = opener()
    await head.create(FIRST)
    for before, after in pairwise([FIRST, *NOTES[:3]]):
        await head.advance(before, after)
    await opener().advance(NOTES[2], NOTES[3])

    assert await head.read() == NOTES[3]
    await head.advance(NOTES[3], NOTES[4])
    assert await opener().read() == NOTES[4]


async def test_an_advance_from_another_head_is_refused(opener: Opener) -> None:
    """Whether this opener saw the change or not, and nothing is overwritten."""
    mine, other = opener(), opener()
    await mine.create(FIRST)
    await mine.advance(FIRST, NOTES[0])
    await other.advance(NOTES[0], NOTES[1])

    for head in (mine, other, opener()):
        with pytest.raises(HeadMoved):
            await head.advance(NOTES[0], NOTES[2])
    assert await opener().read() == NOTES[1]


async def test_an_absent_head_is_not_made_by_advancing(opener: Opener) -> None:
    """Only `create` makes it."""
    with pytest.raises(HeadMoved):
        await opener().advance(FIRST, NOTES[0])

    assert await opener().read() is None


async def test_of_two_writers_one_loses(opener: Opener) -> None:
    """Each time, at once, and the head is the winner's."""
    before = FIRST
    await opener().create(FIRST)
    for size in range(1, 9):
        notes = [KEY.sign(size, bytes([size, number]) * 16) for number in range(4)]
        heads = [opener() for _ in notes]
        for head in heads:
            await head.read()

        answers = await asyncio.gather(
            *(head.advance(before, note) for head, note in zip(heads, notes, strict=True)),
            return_exceptions=True,
        )

        winners = [note for note, one in zip(notes, answers, strict=True) if one is None]
        assert len(winners) == 1
        assert all(one is None or isinstance(one, HeadMoved) for one in answers)
        assert await opener().read() == winners[0]
        before = winners[0]


# ---- an S3 store's own ----


def test_the_real_server_compares_the_tag(minio: MinioServer) -> None:
    """The property that everything above rests on, asked of the server directly."""
    bucket = minio.bucket()
    first = bucket.create("a", b"1")
    with pytest.raises(ConditionFailed):
        bucket.create("a", b"2")
    second = bucket.replace("a", b"2", etag=first)
    with pytest.raises(ConditionFailed):
        bucket.replace("a", b"3", etag=first)
    with pytest.raises(ConditionFailed):
        bucket.replace("absent", b"3", etag=second)

    kept = bucket.get("a", bytes_max=10)
    assert kept is not None
    assert (kept.data, kept.etag) == (b"2", second)


async def test_a_store_without_conditions_is_refused(minio: MinioServer) -> None:
    """It would let two writers fork the log and say nothing; nothing of the head remains."""
    name = minio.new_bucket()
    bucket = Bucket(minio.settings(), name)

    class Careless(Bucket):
        """As a store that takes no notice of If-Match."""

        def replace(self, name: str, data: bytes, *, etag: str) -> str:
            self.put(name, BytesIO(data), len(data))
            return etag

    with pytest.raises(HubError) as error:
        await S3Head(Careless(minio.settings(), name), "head").create(FIRST)

    assert error.value.reason is Reason.LOG_HEAD_INVALID
    assert bucket.get("head", bytes_max=10) is None


async def test_a_head_that_is_no_text_is_invalid(minio: MinioServer) -> None:
    """Neither an empty log nor an internal error."""
    bucket = minio.bucket()
    bucket.create("head", b"\xff\xfe")

    with pytest.raises(HubError) as error:
        await S3Head(bucket, "head").read()

    assert error.value.reason is Reason.LOG_HEAD_INVALID


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_a_log_waits_for_its_head_and_goes_on(
    minio: MinioServer, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Store away or silent: LOG_UNAVAILABLE in bounded time; back: everything is covered."""
    # Patience is a constant; the way is the real one.
    monkeypatch.setattr("hub.storage.s3._SILENCE_S", 2.0)
    head = S3Head(minio.bucket(), "head")
    await create_log(head, KEY)
    log = Log(await new_database(f"sqlite:///{tmp_path}/hub.db"), head)
    recorder = await log.started()
    await recorder.record(entry(), (), ())
    minio.kill() if fault == "kill" else minio.pause()
    try:
        began = time.monotonic()
        with pytest.raises(HubError) as error:
            await recorder.record(entry(), (), ())
        assert time.monotonic() - began < 15
    finally:
        minio.start() if fault == "kill" else minio.go_on()

    recorded = await recorder.record(entry(), (), ())

    assert error.value.reason is Reason.LOG_UNAVAILABLE
    assert recorder.observer.is_recording
    assert index_and_size(recorded.receipt)[1] == await log.stored_size()
    assert await head.read() == recorder.checkpoint()
    await recorder.close()
    await log.database.close()


async def test_a_database_older_than_the_head_is_refused(
    minio: MinioServer, tmp_path: Path
) -> None:
    """A restored backup does not take answers back: the store remembers them."""
    head = S3Head(minio.bucket(), "head")
    await create_log(head, KEY)
    log = Log(await new_database(f"sqlite:///{tmp_path}/hub.db"), head)
    recorder = await log.started()
    await recorder.record(entry(), (), ())
    await recorder.close()
    await log.database.close()

    old = Log(await new_database(f"sqlite:///{tmp_path}/old.db"), head)
    with pytest.raises(HubError) as error:
        await old.started()

    assert error.value.reason is Reason.LOG_ROLLED_BACK
    await old.database.close()
