"""The seam of stored bytes: written once under their own digest, never changed.

Two stores keep the same contract (tests/contracts/test_blob_store.py): a local folder and a bucket
of an S3 store. What is kept here is encrypted by whoever writes it; a store knows digests and
sizes, and need not be believed: what is read is digested again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Final, Protocol, TypeVar

from urllib3.response import BaseHTTPResponse

from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode
from hub.storage.s3 import Bucket, ListedObject, close_response, read_some

T = TypeVar("T")

READ_BYTES: Final = 64 * 1024
PAGE_BLOBS: Final = 1000
# A step that takes longer is given up; the store is away for whoever asked.
_STEP_S: Final = 20.0
_WRITE_S: Final = 300.0
_THREADS: Final = 8
# What an interrupted write left behind is removed when it cannot be under way any more.
_ABANDONED_S: Final = 24 * 3600
_INCOMING: Final = ".incoming"
_HEX_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """One blob as the store lists it."""

    digest: str
    size: int
    time_us: int


class BlobStore(Protocol):
    """Bytes by their SHA-256 (base64url). Methods belong to the event loop that opened it."""

    async def write(self, stream: AsyncIterator[bytes]) -> str:
        """Keep what `stream` yields; its digest. Durable on return, readable whole or not at all.

        Writing the same bytes again changes nothing. Where `stream` raises, nothing is kept and its
        exception leaves as it is. Raises HubError(BLOBS_UNAVAILABLE); the caller may repeat.
        """
        ...

    def read(self, digest: str) -> AsyncIterator[bytes]:
        """The bytes with this digest, in pieces; to be believed when the iteration has ended.

        Raises HubError: BLOB_MISSING where the store has none, DIGEST_MISMATCH where it gives other
        bytes (at the end at the latest), BLOBS_UNAVAILABLE.
        """
        ...

    async def remove(self, digest: str) -> None:
        """Take the bytes away; nothing where there are none. Raises HubError(BLOBS_UNAVAILABLE)."""
        ...

    async def page(self, after: str) -> list[StoredBlob]:
        """Up to PAGE_BLOBS blobs behind the digest `after` ("" for the first), in a fixed order.

        Raises HubError(BLOBS_UNAVAILABLE).
        """
        ...

    async def sweep(self) -> int:
        """Remove what writes that were interrupted a day ago left behind; how many there were."""
        ...

    async def close(self) -> None:
        """Let go of threads and connections."""
        ...


class _Threads:
    """The threads of a store, by name: blocking work never runs on the loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")

    async def run(self, work: Callable[[], T], *, seconds: float = _STEP_S) -> T:
        """`work` in a thread, waited for at most so long. Raises HubError(BLOBS_UNAVAILABLE)."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except TimeoutError as error:
            raise HubError(Reason.BLOBS_UNAVAILABLE, rule=f"no answer in {seconds:g} s") from error
        except OSError as error:
            raise HubError(Reason.BLOBS_UNAVAILABLE, rule=error.strerror) from error

    def close(self) -> None:
        # A thread that a store keeps waiting ends by the client's own time limits.
        self._pool.shutdown(wait=False, cancel_futures=True)


class FolderBlobs:
    """A local folder: `ab/abcd…`, the digest in hexadecimal.

    A blob is written beside, flushed, linked to its name, and the folder is flushed: under its name
    it is whole.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = _Threads()

    async def write(self, stream: AsyncIterator[bytes]) -> str:
        file, path = await self._threads.run(self._begin)
        try:
            hasher = hashlib.sha256()
            async for data in stream:
                await self._threads.run(partial(_append, file, hasher, data))
            digest = b64u(hasher.digest())
            await self._threads.run(partial(self._settle, file, path, digest), seconds=_WRITE_S)
        finally:
            await self._threads.run(partial(_drop, file, path))
        return digest

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        path = self._path(digest)
        file = await self._threads.run(partial(_open, path))
        if file is None:
            raise HubError(Reason.BLOB_MISSING, digest=digest)
        hasher = hashlib.sha256()
        try:
            while data := await self._threads.run(partial(_read, file, hasher)):
                yield data
        finally:
            file.close()
        _check_digest(hasher.digest(), digest)

    async def remove(self, digest: str) -> None:
        await self._threads.run(partial(self._path(digest).unlink, missing_ok=True))

    async def page(self, after: str) -> list[StoredBlob]:
        return await self._threads.run(partial(self._page, _hex(after) if after else ""))

    async def sweep(self) -> int:
        return await self._threads.run(self._sweep)

    async def close(self) -> None:
        self._threads.close()

    def _path(self, digest: str) -> Path:
        name = _hex(digest)
        return self._folder / name[:2] / name

    def _begin(self) -> tuple[BinaryIO, Path]:
        folder = self._folder / _INCOMING
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / secrets.token_hex(16)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.fdopen(os.open(path, flags, 0o600), "wb"), path

    def _settle(self, file: BinaryIO, path: Path, digest: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        target = self._path(digest)
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            _flush_folder(self._folder)
        try:
            # Unlike a rename, a link never takes the place of another file.
            os.link(path, target)
        except FileExistsError:
            if _digest_of(target) == digest:
                return
            # What stands there is damaged: the whole bytes take its place.
            path.replace(target)
        _flush_folder(target.parent)

    def _page(self, after: str) -> list[StoredBlob]:
        found: list[StoredBlob] = []
        if not self._folder.is_dir():
            return found
        for folder in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            if folder.name < after[:2]:
                continue
            for name in sorted(path.name for path in folder.iterdir()):
                if name <= after or len(name) != _HEX_DIGITS:
                    continue
                facts = (folder / name).stat()
                found.append(StoredBlob(_unhex(name), facts.st_size, facts.st_mtime_ns // 1000))
                if len(found) == PAGE_BLOBS:
                    return found
        return found

    def _sweep(self) -> int:
        before, swept = time.time() - _ABANDONED_S, 0
        for path in (self._folder / _INCOMING).glob("*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                swept += 1
        return swept


class S3Blobs:
    """A bucket of an S3 store: `{prefix}ab/abcd…`, the digest in hexadecimal.

    The name is known when the last byte has come, so a blob waits in an unnamed local file; what an
    interrupted write leaves is gone with its process. Unfinished parts at the store are the store's
    to expire.
    """

    def __init__(self, bucket: Bucket, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._threads = _Threads()

    async def write(self, stream: AsyncIterator[bytes]) -> str:
        file = await self._threads.run(_unnamed_file)
        try:
            hasher, size = hashlib.sha256(), 0
            async for data in stream:
                await self._threads.run(partial(_append, file, hasher, data))
                size += len(data)
            digest = b64u(hasher.digest())
            file.seek(0)
            put = partial(self._bucket.put, self._name(digest), file, size)
            await self._threads.run(put, seconds=_WRITE_S)
        finally:
            file.close()
        return digest

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        response = await self._threads.run(partial(self._bucket.open, self._name(digest)))
        if response is None:
            raise HubError(Reason.BLOB_MISSING, digest=digest)
        hasher = hashlib.sha256()
        try:
            while data := await self._threads.run(partial(_read_response, response, hasher)):
                yield data
        finally:
            close_response(response)
        _check_digest(hasher.digest(), digest)

    async def remove(self, digest: str) -> None:
        await self._threads.run(partial(self._bucket.remove, self._name(digest)))

    async def page(self, after: str) -> list[StoredBlob]:
        name = self._name(after) if after else ""
        listed = await self._threads.run(partial(self._bucket.page, self._prefix, name))
        return [_stored(one) for one in listed if _is_blob(one.name)]

    async def sweep(self) -> int:
        return 0

    async def close(self) -> None:
        self._threads.close()
        self._bucket.close()

    def _name(self, digest: str) -> str:
        name = _hex(digest)
        return f"{self._prefix}{name[:2]}/{name}"


def _unnamed_file() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _append(file: IO[bytes], hasher: hashlib._Hash, data: bytes) -> None:
    hasher.update(data)
    file.write(data)


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _read(file: BinaryIO, hasher: hashlib._Hash) -> bytes:
    data = file.read(READ_BYTES)
    hasher.update(data)
    return data


def _read_response(response: BaseHTTPResponse, hasher: hashlib._Hash) -> bytes:
    data = read_some(response)
    hasher.update(data)
    return data


def _drop(file: BinaryIO, path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return b64u(hashlib.file_digest(file, "sha256").digest())


def _check_digest(found: bytes, digest: str) -> None:
    if b64u(found) != digest:
        raise HubError(Reason.DIGEST_MISMATCH, what=f"blob {digest}")


def _flush_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _hex(digest: str) -> str:
    """In hexadecimal, because not every store tells large letters from small ones."""
    name = b64u_decode(digest).hex()
    assert len(name) == _HEX_DIGITS, "a SHA-256"
    return name


def _unhex(name: str) -> str:
    return b64u(bytes.fromhex(name))


def _is_blob(name: str) -> bool:
    last = name.rpartition("/")[2]
    return len(last) == _HEX_DIGITS and not last.strip("0123456789abcdef")


def _stored(one: ListedObject) -> StoredBlob:
    return StoredBlob(_unhex(one.name.rpartition("/")[2]), one.size, one.time_us)
