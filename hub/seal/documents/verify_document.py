"""Verify document: what the hub says of a file that somebody shows to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

from hub.clock import Clock
from hub.errors import HubError, Reason
from hub.proof.key_statements import with_statements
from hub.proof.recognise import status_uris
from hub.proof.reports.report import Report
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import idle_evidence
from hub.seal.key_statements import ProvenKeyStatements

# So many files are held in memory, waiting or being verified; further callers are sent away.
OPEN_MAX: Final = 8
_RETRY_S: Final = 2.0
# A client that falls silent is not waited for, nor one that never ends.
_SILENCE_S: Final = 30.0
_UPLOAD_S: Final = 120.0

# How the request calls what is no word of the wire in the evidence.
_FIELDS: Final = {"crls": "revocation_lists", "required": "required_algorithm"}


class Verifiers(Protocol):
    """Workers that can be killed (`hub.proof.worker`)."""

    def verify(self, data: bytes, trust: Trust | None, evidence: Evidence) -> Report | None:
        """The report on `data`; None for what is none of our formats. May be called by threads."""
        ...

    def close(self) -> None:
        """End them."""
        ...


@dataclass(slots=True)
class VerifyDocument:
    """Verify one file by the hub's own pins, what its log proves of its departments' keys, and the
    keys that its officers declared compromised.

    1. One of few places: files are large, and verifying them is work.
    2. The bytes, bounded in size and time. They are kept nowhere.
    3. The newest status of the records that it holds.
    4. Verify in a worker.

    Nothing is disclosed, and nothing is recorded: the report follows from the file and from what
    the hub publishes.
    """

    clock: Clock
    verifiers: Verifiers
    pins: Callable[[], Trust]
    statements: ProvenKeyStatements
    status_token: Callable[[int], Awaitable[str]]
    bytes_max: int
    workers: int
    _open: int = field(init=False, default=0)
    _free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        # Threads that only wait for a worker would be missing elsewhere.
        self._free = asyncio.Semaphore(self.workers)

    async def __call__(
        self, chunks: AsyncIterator[bytes], brought: Evidence, *, as_of: int | None
    ) -> Report:
        """The report; `as_of` is in seconds, `brought` what the caller has besides the file.

        Raises HubError: RATE_LIMITED with the time to wait, FIELD_INVALID for what is none of the
        formats or came too slowly, DOCUMENT_TOO_LARGE, TRUST_UNAVAILABLE.
        """
        with self._place():
            now = self.clock() // 1_000_000
            known = await self.statements.known()
            # Chains of keys for codes are verified in it.
            trust = await asyncio.to_thread(with_statements, self.pins(), known, now)
            data = await self._read(chunks)
            evidence = replace(
                brought,
                now=now if as_of is None else as_of,
                as_of=as_of is not None,
                status_tokens=await self._status(trust, data),
            )
            async with self._free:
                report = await asyncio.to_thread(
                    partial(self.verifiers.verify, data, trust, evidence)
                )
        if report is None:
            rule = (
                "none of: OFD, PDF, electronic seal, signature under a seal, record seal,"
                " presentation, receipt, answer, checkpoint, status list"
            )
            raise HubError(Reason.FIELD_INVALID, field="chunk", rule=rule)
        idle = idle_evidence(report.kind, brought)
        if idle is not None:
            rule = f"nothing of the kind {report.kind.value!r} is compared with it"
            raise HubError(Reason.FIELD_INVALID, field=_FIELDS.get(idle, idle), rule=rule)
        return report

    def close(self) -> None:
        """End the workers, after the calls under way; blocks meanwhile."""
        self.verifiers.close()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._open >= OPEN_MAX:
            raise HubError(Reason.RATE_LIMITED, retry_after_s=_RETRY_S)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def _read(self, chunks: AsyncIterator[bytes]) -> bytes:
        data = bytearray()
        try:
            async with asyncio.timeout(_UPLOAD_S):
                while True:
                    async with asyncio.timeout(_SILENCE_S):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        return bytes(data)
                    data += chunk
                    if len(data) > self.bytes_max:
                        raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=self.bytes_max)
        except TimeoutError as error:
            rule = f"nothing for {_SILENCE_S:g} s, or not whole within {_UPLOAD_S:g} s"
            raise HubError(Reason.FIELD_INVALID, field="chunk", rule=rule) from error

    async def _status(self, trust: Trust, data: bytes) -> tuple[str, ...]:
        """The hub's newest lists of the records in the file; other hubs' are not fetched."""
        prefix = f"https://{trust.origin}/status/"
        tokens = []
        for uri in await asyncio.to_thread(status_uris, data):
            number = uri.removeprefix(prefix)
            if uri.startswith(prefix) and number.isascii() and number.isdigit() and len(number) < 9:
                try:
                    tokens.append(await self.status_token(int(number)))
                except HubError as error:
                    if error.reason is not Reason.STATUS_LIST_NOT_FOUND:
                        raise
        return tuple(tokens)
