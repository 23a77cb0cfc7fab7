"""The external head as one object of an S3 store, replaced by compare-and-swap.

The store itself compares: a write names the tag of the content that it replaces, and of two writers
one loses. So the head may be advanced from several machines and lies on none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from hub.errors import HubError, Reason
from hub.ledger.ports import HeadMoved
from hub.storage.s3 import Bucket, ConditionFailed, KeptObject

T = TypeVar("T")

HEAD_BYTES_MAX: Final = 4096
_SECONDS: Final = 15.0
_NO_TAG: Final = "0" * 32


class S3Head:
    """The external head in a bucket that exists; the object is made by `create` and never later."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket = bucket
        self._name = name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-head")
        # What was last seen there, so that an advance is one call and not two.
        self._seen: KeptObject | None = None

    async def read(self) -> str | None:
        return await self._run(self._read)

    async def create(self, checkpoint: str) -> None:
        """As `ExternalHead.create`; HubError(LOG_HEAD_INVALID) for a store without conditions."""
        await self._run(partial(self._create, checkpoint))

    async def advance(self, expected: str, checkpoint: str) -> None:
        await self._run(partial(self._advance, expected, checkpoint))

    async def close(self) -> None:
        """Let go of the thread and of connections."""
        self._thread.shutdown(wait=False)
        self._bucket.close()

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TimeoutError as error:
            raise HubError(Reason.LOG_UNAVAILABLE, rule=f"no answer in {_SECONDS:g} s") from error
        except HubError as error:
            if error.reason is not Reason.BLOBS_UNAVAILABLE:
                raise
            rule = error.details.get("rule", "")
            raise HubError(Reason.LOG_UNAVAILABLE, rule=rule) from error

    def _read(self) -> str | None:
        kept = self._seen = self._bucket.get(self._name, bytes_max=HEAD_BYTES_MAX)
        if kept is None:
            return None
        try:
            return kept.data.decode()
        except UnicodeDecodeError as error:
            raise HubError(Reason.LOG_HEAD_INVALID, rule="holds no checkpoint") from error

    def _create(self, checkpoint: str) -> None:
        data = checkpoint.encode()
        try:
            etag = self._bucket.create(self._name, data)
        except ConditionFailed as error:
            raise HeadMoved(f"{self._name} stands already") from error
        # A store that knows no conditions would let two writers fork the log, and say nothing.
        try:
            self._bucket.replace(self._name, data, etag=_NO_TAG)
        except ConditionFailed:
            self._seen = KeptObject(data, etag)
            return
        self._bucket.remove(self._name)
        rule = "this store does not honour If-Match; use another, or a file"
        raise HubError(Reason.LOG_HEAD_INVALID, rule=rule)

    def _advance(self, expected: str, checkpoint: str) -> None:
        seen, self._seen = self._seen, None
        if seen is None or seen.data != expected.encode():
            seen = self._bucket.get(self._name, bytes_max=HEAD_BYTES_MAX)
        if seen is None:
            raise HeadMoved(f"{self._name} is gone")
        if seen.data != expected.encode():
            raise HeadMoved(f"{self._name} holds another checkpoint")
        data = checkpoint.encode()
        try:
            etag = self._bucket.replace(self._name, data, etag=seen.etag)
        except ConditionFailed as error:
            raise HeadMoved(f"{self._name} holds another checkpoint") from error
        self._seen = KeptObject(data, etag)
