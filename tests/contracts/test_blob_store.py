"""The contract of stored bytes, against a real folder and a real S3 server."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode
from hub.storage.blobs import BlobStore, FolderBlobs, S3Blobs
from hub.storage.s3 import Bucket
from tests.minio_server import MinioServer

MEBIBYTE = 1 << 20
# In place of the store's own patience, which takes longer.
SILENCE_S = 2.0


@dataclass
class Store:
    """A store, and the way behind its back."""

    blobs: BlobStore
    folder: Path | None = None
    minio: MinioServer | None = None
    bucket: str = ""

    def names(self) -> list[str]:
        """Everything that lies there, leftovers included."""
        if self.folder is not None:
            files = [one for one in self.folder.rglob("*") if one.is_file()]
            return sorted(str(one.relative_to(self.folder)) for one in files)
        assert self.minio is not None
        listed = self.minio.client().list_objects(self.bucket, recursive=True)
        return sorted(str(one.object_name) for one in listed)

    def overwrite(self, digest: str, data: bytes) -> None:
        """Other bytes under the name of `digest`."""
        name = b64u_decode(digest).hex()
        if self.folder is not None:
            (self.folder / name[:2] / name).write_bytes(data)
            return
        assert self.minio is not None
        self.minio.client().put_object(
            self.bucket, f"documents/{name[:2]}/{name}", BytesIO(data), len(data)
        )


@pytest.fixture(params=["folder", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "folder":
        opened = Store(FolderBlobs(tmp_path / "blobs"), folder=tmp_path / "blobs")
    else:
        minio: MinioServer = request.getfixturevalue("minio")
        name = minio.new_bucket()
        opened = Store(S3Blobs(Bucket(minio.settings(), name), "documents/"), None, minio, name)
    yield opened
    await opened.blobs.close()


async def stream(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def whole(blobs: BlobStore, digest: str) -> bytes:
    return b"".join([data async for data in blobs.read(digest)])


def digest_of(data: bytes) -> str:
    return b64u(hashlib.sha256(data).digest())


async def test_bytes_come_back_under_their_digest(store: Store) -> None:
    """Whatever they are and however they were cut."""
    for parts in ((b"",), (b"a", b"", b"bc"), (os.urandom(300_000), b"x", os.urandom(70_001))):
        digest = await store.blobs.write(stream(*parts))

        assert digest == digest_of(b"".join(parts))
        assert await whole(store.blobs, digest) == b"".join(parts)


async def test_several_parts_are_one_blob(store: Store) -> None:
    """More than the S3 client sends in one call."""
    parts = [os.urandom(MEBIBYTE) for _ in range(20)]

    digest = await store.blobs.write(stream(*parts))

    assert await whole(store.blobs, digest) == b"".join(parts)


async def test_writing_again_changes_nothing(store: Store) -> None:
    """One digest, one blob; two writers at once included."""
    digests = await asyncio.gather(*(store.blobs.write(stream(b"the same")) for _ in range(8)))

    assert set(digests) == {digest_of(b"the same")}
    assert len(store.names()) == 1


async def test_writing_again_heals_what_was_damaged(store: Store) -> None:
    """The whole bytes take the place of others under their name."""
    digest = await store.blobs.write(stream(b"right"))
    store.overwrite(digest, b"wrong")

    assert await store.blobs.write(stream(b"right")) == digest

    assert await whole(store.blobs, digest) == b"right"


async def test_a_stream_that_fails_keeps_nothing(store: Store) -> None:
    """Its own exception leaves, and no file or object is left over."""

    async def failing() -> AsyncIterator[bytes]:
        yield b"half"
        raise HubError(Reason.FIELD_INVALID, field="document", rule="enough")

    with pytest.raises(HubError) as error:
        await store.blobs.write(failing())

    assert error.value.reason is Reason.FIELD_INVALID
    assert store.names() == []


async def test_a_cancelled_write_keeps_nothing(store: Store) -> None:
    """A caller that goes away leaves no trace."""

    async def waiting() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.Event().wait()

    task = asyncio.create_task(store.blobs.write(waiting()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert store.names() == []


async def test_absent_bytes_have_a_reason_of_their_own(store: Store) -> None:
    """Gone is neither empty nor unavailable."""
    with pytest.raises(HubError) as error:
        await whole(store.blobs, digest_of(b"never written"))

    assert error.value.reason is Reason.BLOB_MISSING


@pytest.mark.parametrize("lie", [b"wrong", b"righ", b"right!", b""])
async def test_a_store_that_lies_is_found_out(store: Store, lie: bytes) -> None:
    """Changed, cut, extended or emptied: the digest decides, not the store."""
    digest = await store.blobs.write(stream(b"right"))
    store.overwrite(digest, lie)

    with pytest.raises(HubError) as error:
        await whole(store.blobs, digest)

    assert error.value.reason is Reason.DIGEST_MISMATCH


async def test_removed_bytes_are_gone_and_may_be_removed_again(store: Store) -> None:
    """Removing is repeatable."""
    digest = await store.blobs.write(stream(b"a"))
    await store.blobs.remove(digest)
    await store.blobs.remove(digest)

    assert store.names() == []


async def test_pages_name_every_blob_once(store: Store) -> None:
    """In a fixed order that goes on behind any digest."""
    written = {await store.blobs.write(stream(b"%d" % number)) for number in range(7)}
    first = await store.blobs.page("")

    assert {one.digest for one in first} == written
    assert all(one.size == 1 and abs(one.time_us / 1e6 - time.time()) < 60 for one in first)
    assert await store.blobs.page(first[2].digest) == first[3:]
    assert await store.blobs.page(first[-1].digest) == []


async def test_blocking_work_never_runs_on_the_loop(store: Store) -> None:
    """Threads by name do it."""
    await store.blobs.write(stream(b"a"))

    assert any(thread.name.startswith("blobs") for thread in threading.enumerate())


async def test_a_large_blob_is_never_whole_in_memory(store: Store) -> None:
    """Sixty-four mebibytes pass through, the peak of memory grows by far less."""
    block = os.urandom(MEBIBYTE)
    await whole(store.blobs, await store.blobs.write(stream(block)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    digest = await store.blobs.write(stream(*[block] * 64))
    size = 0
    async for data in store.blobs.read(digest):
        size += len(data)

    assert size == 64 * MEBIBYTE
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 40 * 1024


# ---- a folder's own ----


async def test_what_an_interrupted_write_left_is_swept(tmp_path: Path) -> None:
    """After a day, because a younger one may be under way."""
    blobs = FolderBlobs(tmp_path)
    await blobs.write(stream(b"a"))
    old, young = tmp_path / ".incoming" / "old", tmp_path / ".incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 25 * 3600,) * 2)

    assert await blobs.sweep() == 1

    assert not old.exists()
    assert young.exists()
    assert len(await blobs.page("")) == 1
    await blobs.close()


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """Exact reason, and it recovers by itself."""
    (tmp_path / "blobs").write_bytes(b"a file in the way")
    blobs = FolderBlobs(tmp_path / "blobs")
    with pytest.raises(HubError) as error:
        await blobs.write(stream(b"a"))
    (tmp_path / "blobs").unlink()

    assert error.value.reason is Reason.BLOBS_UNAVAILABLE
    assert await whole(blobs, await blobs.write(stream(b"a"))) == b"a"
    await blobs.close()


# ---- an S3 store's own: a server of the test alone, because it is killed ----


@pytest.fixture
def own_minio(minio: MinioServer, tmp_path: Path) -> MinioServer:
    """The shared server, running again after whatever the test did to it."""
    return minio


async def test_a_store_that_is_away_is_unavailable_and_comes_back(own_minio: MinioServer) -> None:
    """Within bounded time, and without a restart of anything of ours."""
    blobs = S3Blobs(own_minio.bucket())
    digest = await blobs.write(stream(b"kept"))
    own_minio.kill()
    try:
        began = time.monotonic()
        for attempt in (blobs.write(stream(b"a")), whole(blobs, digest), blobs.page("")):
            with pytest.raises(HubError) as error:
                await attempt
            assert error.value.reason is Reason.BLOBS_UNAVAILABLE
        assert time.monotonic() - began < 10
    finally:
        own_minio.start()

    assert await whole(blobs, digest) == b"kept"
    await blobs.close()


async def test_a_store_that_does_not_answer_is_unavailable(
    own_minio: MinioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is taken and stays silent costs seconds, not for ever."""
    monkeypatch.setattr("hub.storage.s3._SILENCE_S", SILENCE_S)
    blobs = S3Blobs(own_minio.bucket())
    digest = await blobs.write(stream(b"kept"))
    own_minio.pause()
    try:
        began = time.monotonic()
        with pytest.raises(HubError) as error:
            await whole(blobs, digest)
        assert SILENCE_S <= time.monotonic() - began < 15
    finally:
        own_minio.go_on()

    assert error.value.reason is Reason.BLOBS_UNAVAILABLE
    assert await whole(blobs, digest) == b"kept"
    await blobs.close()


async def test_wrong_credentials_and_an_absent_bucket_are_unavailable(
    minio: MinioServer, tmp_path: Path
) -> None:
    """The store's code says which; no key stands in the text."""
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text(f"{minio.access_key}\nwrong-secret\n", encoding="ascii")
    settings = minio.settings()
    refused = S3Blobs(
        Bucket(type(settings)(settings.endpoint, settings.region, wrong), minio.new_bucket())
    )
    absent = S3Blobs(Bucket(settings, "no-such-bucket"))

    for blobs, code in ((refused, "SignatureDoesNotMatch"), (absent, "NoSuchBucket")):
        with pytest.raises(HubError) as error:
            await blobs.write(stream(b"a"))
        assert error.value.reason is Reason.BLOBS_UNAVAILABLE
        assert error.value.details["rule"] == code
        assert "secret" not in error.value.text("en")
        await blobs.close()


def test_credentials_that_others_may_read_are_refused(minio: MinioServer, tmp_path: Path) -> None:
    """As every other secret on disk."""
    path = tmp_path / "credentials"
    path.write_text("a\nb\n", encoding="ascii")
    path.chmod(0o644)
    settings = minio.settings()

    with pytest.raises(HubError) as error:
        Bucket(type(settings)(settings.endpoint, settings.region, path), "any")

    assert error.value.reason is Reason.FILE_UNREADABLE
