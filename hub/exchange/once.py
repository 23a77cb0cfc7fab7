"""A signed request is opened once, decided at most twice and answered once, however often it comes.

What fetches, verifications and plans share (docs/architecture.md, "Life of a fetch").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import orjson

from hub.clock import Clock
from hub.domain.caller import Caller
from hub.domain.entry import AlreadyRecorded, Entry, LogHead, Remember, Remembered
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.exchange.ports import Access, Recorder
from hub.proof.exchange.request import SignedRequest, verify_request
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError
from hub.storage.statements import Check, Write

# How the memory of a refusal begins; no answer begins like it.
_REFUSED: Final = b'{"refused":'


class Observe(Protocol):
    """Where the latency of an exchange is counted."""

    def __call__(
        self, operation: str, outcome: str, recipient: str, issuer: str, seconds: float
    ) -> None: ...


class Request(Protocol):
    """What a verified request says of itself, whatever it asks for."""

    @property
    def iss(self) -> str: ...
    @property
    def jti(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def log(self) -> LogHead | None: ...


class Addressee(Protocol):
    """An operation, as far as a request must be addressed to it."""

    @property
    def origin(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def access(self) -> Access: ...


AnyRequest = TypeVar("AnyRequest", bound=Request)
Answer = TypeVar("Answer")


def opened(verify: Callable[[], AnyRequest], request_id: str) -> AnyRequest:
    """The request that `verify` opens; the call must carry the id that the request was signed with.

    Raises HubError(REQUEST_INVALID) with the rule of the first failing step, (FIELD_INVALID).
    """
    try:
        request = verify()
    except ProofError as error:
        text = TEXTS[error.reason]
        raise HubError(
            Reason.REQUEST_INVALID, rule=error.reason.value, en=text.en, zh=text.zh
        ) from error
    if request.jti != request_id:
        raise HubError(Reason.FIELD_INVALID, field="request_id", rule="equals the claim jti")
    return request


def opened_signed(
    operation: Addressee,
    rpc: str,
    caller: Caller,
    request_id: str,
    signed_request: str,
    *,
    takes_values: bool = False,
    takes_copy: bool = False,
) -> SignedRequest:
    """As `opened`, of a request about certificates; see `verify_request`.

    Raises HubError(FORWARD_NOT_SERVED) too: whom another hub speaks for could not be checked here,
    so it is nobody.
    """
    request = opened(
        lambda: verify_request(
            signed_request,
            keys=operation.access.key,
            origin=operation.origin,
            region=operation.region,
            rpc=rpc,
            now=operation.clock() // 1_000_000,
            token_digest=caller.token_digest,
            token_subject=caller.name,
            takes_values=takes_values,
            takes_copy=takes_copy,
        ),
        request_id,
    )
    if request.fwd is not None:
        raise HubError(Reason.FORWARD_NOT_SERVED)
    return request


def entry_of(
    kind: str,
    caller: Caller,
    request: Request,
    members: dict[str, Json],
    disclosed: tuple[str, ...] = (),
) -> Entry:
    """The entry of a request's answer or refusal."""
    return Entry(
        kind=kind,
        caller=caller.name,
        key_entry=caller.enrolment_entry,
        request_id=request.jti,
        request_digest=request.digest,
        members=members,
        disclosed=disclosed,
    )


async def decided(
    answer: Callable[[Caller], Awaitable[Answer]],
    caller: Caller,
    identify: Callable[[], Awaitable[Caller]],
) -> Answer:
    """`answer` of the caller; once more, of the caller judged anew, where what it stood on changed.

    Raises HubError, DECISION_STALE only where it changed again.
    """
    try:
        return await answer(caller)
    except HubError as stale:
        if stale.reason is not Reason.DECISION_STALE:
            raise
        return await answer(await identify())


@dataclass(frozen=True, slots=True)
class AnswerOnce:
    """The memory of one RPC: what (system, request id) was answered with, or refused for.

    `content` is what a retry repeats, under a keyed hash because it names holders.
    """

    recorder: Recorder
    rpc: str

    async def record(
        self,
        request: Request,
        entry: Entry,
        checks: Sequence[Check],
        content: str,
        answer: bytes,
        *,
        writes: Sequence[Write] = (),
    ) -> tuple[str, int]:
        """Receipt and entry of the answer, which may leave now; the first ones where it was given
        before.

        Raises HubError: DECISION_STALE, REQUEST_ID_REUSED for other content, ANSWER_STALE with the
        original receipt where the answer of today differs, and the refusal remembered.
        """
        remember = Remember(request.iss, request.jti, self.rpc, content, answer)
        try:
            recorded = await self.recorder.record(
                entry, writes, checks, remember=remember, log_seen=request.log
            )
        except AlreadyRecorded as again:
            known = again.remembered
            self._check_same(remember, known)
            receipt = await self.recorder.receipt(known.index)
            if known.answer != answer:
                raise HubError(
                    Reason.ANSWER_STALE, receipt=receipt, request_id=request.jti
                ) from None
            return receipt, known.index
        return recorded.receipt, recorded.index

    async def first(self, request: Request, content: str) -> tuple[bytes, str, int] | None:
        """Answer, receipt and entry of the same request, where it was answered before.

        Raises HubError: REQUEST_ID_REUSED, and the refusal remembered.
        """
        known = await self.recorder.remembered(request.iss, request.jti)
        if known is None:
            return None
        self._check_same(Remember(request.iss, request.jti, self.rpc, content, b""), known)
        return known.answer, await self.recorder.receipt(known.index), known.index

    async def refuse(
        self,
        request: Request,
        entry: Entry,
        checks: Sequence[Check],
        content: str,
        refusal: HubError,
    ) -> None:
        """Put a refusal on record and remember it: the same request is refused for ever."""
        details: dict[str, Json] = {**refusal.details}
        answer = orjson.dumps({"refused": refusal.reason.value, "details": details})
        remember = Remember(request.iss, request.jti, self.rpc, content, answer)
        try:
            await self.recorder.record(entry, (), checks, remember=remember, log_seen=request.log)
        except AlreadyRecorded as again:
            self._check_same(remember, again.remembered)
            receipt = await self.recorder.receipt(again.remembered.index)
            # It was allowed, and is not any more: the receipt, and no data.
            raise HubError(Reason.ANSWER_STALE, receipt=receipt, request_id=request.jti) from None
        refusal.recorded = True

    def _check_same(self, asked: Remember, known: Remembered) -> None:
        """Raises HubError(REQUEST_ID_REUSED), or the refusal remembered."""
        if known.method != asked.method or known.content != asked.content:
            raise HubError(Reason.REQUEST_ID_REUSED, request_id=asked.request_id) from None
        if known.answer.startswith(_REFUSED):
            first = orjson.loads(known.answer)
            raise HubError(Reason(first["refused"]), recorded=True, **first["details"]) from None
