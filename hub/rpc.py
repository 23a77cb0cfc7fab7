"""The edge of every call: who is calling, may they, and what a refusal looks like on the wire.

One guard around each method, built when the service is registered, because an interceptor costs on
every call and a guard only where it acts. Steps of a call:

1. the client certificate of the connection and the token agree on a caller (`Gate`);
2. the policy table lets this role call this RPC;
3. the message is within the limit and parses;
4. the operation runs;
5. a refusal of an authenticated caller is in the log before its answer leaves.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol

import grpc
import orjson
from google.protobuf import any_pb2, descriptor, message_factory
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from hub import policy
from hub.domain.caller import Caller
from hub.domain.entry import Entry
from hub.errors import HubError, Reason
from hub.metrics import Metrics
from hub.proof.encoding import b64u, digest
from hub.v1 import common_pb2

_LOG: Final = logging.getLogger("sealway.rpc")

DOMAIN: Final = "sealway"
"""`ErrorInfo.domain` of every refusal."""

MESSAGE_BYTES_MAX: Final = 4_000_000
_DETAIL_CHARACTERS_MAX: Final = 200
_FORWARDED: Final = frozenset(
    {
        "x-forwarded-client-cert",
        "x-client-cert",
        "x-ssl-client-cert",
        "ssl-client-cert",
        "client-cert",
    }
)
_TOKEN_PREFIX: Final = "Bearer "  # noqa: S105 - the scheme's name

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
_DENIED = grpc.StatusCode.PERMISSION_DENIED
_NOT_FOUND = grpc.StatusCode.NOT_FOUND
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
_UNAVAILABLE = grpc.StatusCode.UNAVAILABLE

# Every reason that is not named here is the fault of the request itself: a test holds this table
# against the whole enum.
STATUS: Final[dict[Reason, grpc.StatusCode]] = {
    **dict.fromkeys(
        (
            Reason.PEER_UNKNOWN,
            Reason.TOKEN_MISSING,
            Reason.TOKEN_INVALID,
            Reason.TOKEN_EXPIRED,
            Reason.TOKEN_REVOKED,
            Reason.FORWARDED_CERTIFICATE,
        ),
        _UNAUTHENTICATED,
    ),
    **dict.fromkeys(
        (
            Reason.ROLE_NOT_ALLOWED,
            Reason.GRANT_MISSING,
            Reason.FIELD_NOT_GRANTED,
            Reason.CHANGES_NOT_GRANTED,
            Reason.AUTHORITY_NOT_ALLOWED,
            Reason.ISSUER_NOT_ALLOWED,
            Reason.APPROVER_REFUSED,
        ),
        _DENIED,
    ),
    **{reason: _NOT_FOUND for reason in Reason if reason.name.endswith("_NOT_FOUND")},
    **dict.fromkeys(
        (Reason.REQUEST_ID_REUSED, Reason.ALREADY_EXISTS), grpc.StatusCode.ALREADY_EXISTS
    ),
    **dict.fromkeys(
        (
            Reason.ANSWER_STALE,
            Reason.CERTIFICATE_AMBIGUOUS,
            Reason.CERTIFICATE_NOT_IN_FORCE,
            Reason.COPY_NOT_MADE,
            Reason.SEVERAL_HOLDERS,
            Reason.HOLDER_LINKED,
            Reason.FIELD_NOT_SEALED,
            Reason.SEAL_NOT_USABLE,
            Reason.INTENT_NOT_APPROVED,
            Reason.INTENT_EXHAUSTED,
            Reason.ALGORITHM_RETIRED,
            Reason.KEY_SIGNATURE_WRONG,
            Reason.KEY_PIN_WRONG,
            Reason.KEY_PIN_LOCKED,
            Reason.SIGNER_PINNED,
            Reason.SIGNING_INDETERMINATE,
            Reason.OUTBOX_DIFFERS,
            Reason.SEALING_SERVICE_REFUSED,
            Reason.SEALING_SERVICE_WRONG,
            Reason.INTENT_CLOSED,
            Reason.SEAL_NOT_MADE,
            Reason.SEAL_SUSPENDED,
            Reason.SEAL_REVOKED,
            Reason.SEAL_ENDED,
            Reason.KEY_NOT_ACTIVE,
            Reason.KEY_EXPIRED,
            Reason.KEY_EXHAUSTED,
            Reason.TWIN_CUSTODY,
            Reason.ROSTER_MISSING,
            Reason.OFFICERS_TOO_FEW,
            Reason.TRANSITION_NOT_ALLOWED,
            Reason.FONT_MISSING,
            Reason.FONT_NOT_EMBEDDABLE,
            Reason.FONT_GLYPH_MISSING,
            Reason.LOG_ROLLED_BACK,
            Reason.BACKUP_UNWRITABLE,
            Reason.LOG_HEAD_MISSING,
            Reason.LOG_HEAD_INVALID,
            Reason.LOG_SEEN_AHEAD,
            Reason.BACKUP_INVALID,
            Reason.BACKUP_BEHIND_HEAD,
            Reason.DATABASE_NOT_EMPTY,
            Reason.DATABASE_IN_USE,
            Reason.SCHEMA_OTHER,
        ),
        _PRECONDITION,
    ),
    Reason.DECISION_STALE: grpc.StatusCode.ABORTED,
    Reason.ETAG_STALE: grpc.StatusCode.ABORTED,
    Reason.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    **{reason: _UNAVAILABLE for reason in Reason if reason.name.endswith("_UNAVAILABLE")},
    Reason.STAMPS_OVERDUE: _UNAVAILABLE,
    Reason.DIGEST_MISMATCH: grpc.StatusCode.DATA_LOSS,
    Reason.ROSTER_BROKEN: grpc.StatusCode.DATA_LOSS,
    Reason.BLOB_MISSING: grpc.StatusCode.DATA_LOSS,
    Reason.INTERNAL: grpc.StatusCode.INTERNAL,
}

# Nobody is told twice, and an unavailable log cannot be told at all.
_NOT_LOGGED: Final = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


def status_of(reason: Reason) -> grpc.StatusCode:
    """The gRPC status that carries `reason`."""
    return STATUS.get(reason, _INVALID)


class Authenticator(Protocol):
    """What the edge needs of access."""

    def authenticate(self, authorization: str, thumbprint: str) -> Caller:
        """The caller whose token and client certificate agree, judged on the newest snapshot.

        Raises HubError with PEER_UNKNOWN, TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED or
        TOKEN_REVOKED.
        """
        ...


class Recorder(Protocol):
    """What the edge needs of the ledger: a place for refusals."""

    async def record(self, entry: Entry, writes: tuple[()], checks: tuple[()]) -> object:
        """Durable when it returns. Raises HubError(LOG_UNAVAILABLE)."""
        ...


@dataclass(slots=True)
class Call:
    """One call at the edge: what authenticates it, and who it turned out to be."""

    authorization: str
    thumbprint: str
    authenticator: Authenticator
    caller: Caller | None = None


_CALL: Final[ContextVar[Call]] = ContextVar("call")


def peer_thumbprint() -> str:
    """SHA-256 of the client certificate of this call's connection, base64url."""
    return _CALL.get().thumbprint


def current_caller() -> Caller:
    """The authenticated caller of this call."""
    caller = _CALL.get().caller
    assert caller is not None, "only open RPCs have no caller, and they do not ask"
    return caller


def identify() -> Caller:
    """The caller judged anew, for a decision that is made a second time.

    Raises HubError where the identity does not hold any more.
    """
    call = _CALL.get()
    call.caller = call.authenticator.authenticate(call.authorization, call.thumbprint)
    return call.caller


@dataclass(frozen=True, slots=True)
class Gate:
    """Builds guarded handlers for services."""

    authenticator: Authenticator
    recorder: Recorder
    metrics: Metrics

    def handlers(
        self, service: descriptor.ServiceDescriptor, servicer: object
    ) -> grpc.GenericRpcHandler:
        """Handlers for every method of `service`, each behind the guard."""
        methods = {
            method.name: self._handler(service.full_name, method, servicer)
            for method in service.methods
        }
        handler: grpc.GenericRpcHandler = grpc.method_handlers_generic_handler(
            service.full_name, methods
        )
        return handler

    def _handler(
        self, service: str, method: descriptor.MethodDescriptor, servicer: object
    ) -> grpc.RpcMethodHandler:
        path = f"/{service}/{method.name}"
        roles = policy.POLICY.get(path)
        if roles is None and path not in policy.OPEN:
            raise LookupError(f"{path} has no row in the policy table")
        behaviour = getattr(servicer, method.name)
        message = message_factory.GetMessageClass(method.input_type)
        guard = _Guard(self, path, roles, message, behaviour)
        if method.client_streaming and method.server_streaming:
            return grpc.stream_stream_rpc_method_handler(guard.stream, response_serializer=_bytes)
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(guard.watch, response_serializer=_bytes)
        if method.client_streaming:
            return grpc.stream_unary_rpc_method_handler(guard.collect, response_serializer=_bytes)
        return grpc.unary_unary_rpc_method_handler(guard.unary, response_serializer=_bytes)


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


@dataclass(slots=True)
class _Guard:
    gate: Gate
    path: str
    roles: frozenset[str] | None
    message: type[Message]
    behaviour: Callable[[Any, Any], Any]

    async def unary(self, data: bytes, context: grpc.aio.ServicerContext) -> Message:
        """One guarded unary call."""
        started = time.perf_counter()
        request: Message | None = None
        try:
            self._admit(context)
            request = self._parse(data)
            answer: Message = await self.behaviour(request, context)
        except Exception as error:
            await self._refuse(error, request, data, context, started)
            raise AssertionError("abort raises") from error
        self.gate.metrics.observe_rpc(self.path, "OK", time.perf_counter() - started)
        return answer

    async def stream(
        self, messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[Message]:
        """One guarded call that streams both ways; each message is a request of its own."""
        started = time.perf_counter()
        last: list[bytes] = [b""]

        async def requests() -> AsyncIterator[Message]:
            if first is not None:
                yield self._parse(first)
            async for data in messages:
                last[0] = data
                yield self._parse(data)

        try:
            # A client that is refused while it still writes may lose the reason (some libraries
            # report the failed write instead), so its first message is taken before it is judged.
            first = await anext(messages, None)
            last[0] = first or b""
            self._admit(context)
            async for answer in self.behaviour(requests(), context):
                yield answer
        except Exception as error:
            await self._refuse(error, None, last[0], context, started)
        self.gate.metrics.observe_rpc(self.path, "OK", time.perf_counter() - started)

    async def watch(self, data: bytes, context: grpc.aio.ServicerContext) -> AsyncIterator[Message]:
        """One guarded call that streams its answers. Each is sent before the next is asked for."""
        started = time.perf_counter()
        request: Message | None = None
        try:
            self._admit(context)
            request = self._parse(data)
            # Closed when the caller goes away: what the operation holds is let go at once.
            async with aclosing(self.behaviour(request, context)) as answers:
                async for answer in answers:
                    yield answer
        except Exception as error:
            await self._refuse(error, request, data, context, started)
        self.gate.metrics.observe_rpc(self.path, "OK", time.perf_counter() - started)

    async def collect(
        self, messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> Message:
        """One guarded call that takes a stream and answers once; its first message names it."""
        started = time.perf_counter()
        first: bytes | None = None

        async def requests() -> AsyncIterator[Message]:
            if first is not None:
                yield self._parse(first)
            async for data in messages:
                yield self._parse(data)

        try:
            first = await anext(messages, None)  # As in `stream`.
            self._admit(context)
            answer: Message = await self.behaviour(requests(), context)
        except Exception as error:
            await self._refuse(error, None, first or b"", context, started)
            raise AssertionError("abort raises") from error
        self.gate.metrics.observe_rpc(self.path, "OK", time.perf_counter() - started)
        return answer

    def _parse(self, data: bytes) -> Message:
        if len(data) > MESSAGE_BYTES_MAX:
            raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=len(data), bytes_max=MESSAGE_BYTES_MAX)
        request = self.message()
        try:
            request.ParseFromString(data)
        except DecodeError as error:
            raise HubError(
                Reason.FIELD_INVALID, field="message", rule="not a message of this method"
            ) from error
        return request

    def _admit(self, context: grpc.aio.ServicerContext) -> None:
        call = Call(_authorization(context), _thumbprint(context), self.gate.authenticator)
        _CALL.set(call)
        if self.roles is None:
            return
        caller = identify()
        if caller.role not in self.roles:
            raise HubError(Reason.ROLE_NOT_ALLOWED, role=caller.role, rpc=self.path)

    async def _refuse(
        self,
        error: Exception,
        request: Message | None,
        data: bytes,
        context: grpc.aio.ServicerContext,
        started: float,
    ) -> None:
        refusal = error if isinstance(error, HubError) else _internal(error)
        call = _CALL.get(None)
        caller = call.caller if call is not None else None
        if caller is None:
            self.gate.metrics.unauthenticated.labels(refusal.reason.value).inc()
        elif not refusal.recorded and status_of(refusal.reason) not in _NOT_LOGGED:
            refusal = await self._record(refusal, caller, request, data)
        code = status_of(refusal.reason)
        self.gate.metrics.observe_rpc(self.path, code.name, time.perf_counter() - started)
        await context.abort(
            code,
            refusal.text("en"),
            trailing_metadata=(
                ("grpc-status-details-bin", encode_status(code, refusal).SerializeToString()),
            ),
        )

    async def _record(
        self, refusal: HubError, caller: Caller, request: Message | None, data: bytes
    ) -> HubError:
        """`refusal`, now in the log; or the reason why nothing may be answered."""
        details = {name: value[:_DETAIL_CHARACTERS_MAX] for name, value in refusal.details.items()}
        entry = Entry(
            kind="refusal",
            caller=caller.name,
            key_entry=caller.enrolment_entry,
            request_id=str(getattr(request, "request_id", "")),
            request_digest=digest(data),
            members={
                "data": {"rpc": self.path, "reason": refusal.reason.value, "details": {**details}}
            },
        )
        try:
            await self.gate.recorder.record(entry, (), ())
        except HubError as unavailable:
            return unavailable
        return refusal


def encode_status(code: grpc.StatusCode, refusal: HubError) -> status_pb2.Status:
    """`google.rpc.Status` with reason, texts in both languages, fields and when to come again."""
    number: int = code.value[0]
    status = status_pb2.Status(code=number, message=refusal.text("en"))
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=refusal.reason.value, domain=DOMAIN, metadata=dict(refusal.details)
        ),
        error_details_pb2.LocalizedMessage(locale="en", message=refusal.text("en")),
        error_details_pb2.LocalizedMessage(locale="zh-CN", message=refusal.text("zh")),
    ]
    if refusal.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.field,
                        description=violation.en,
                        reason=violation.rule,
                        localized_message=error_details_pb2.LocalizedMessage(
                            locale="zh-CN", message=violation.zh
                        ),
                    )
                    for violation in refusal.violations
                ]
            )
        )
    if refusal.retry_after_s is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(refusal.retry_after_s * 1000))
        details.append(retry)
    if refusal.receipt is not None:
        details.append(common_pb2.Receipt(json=refusal.receipt))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _internal(error: Exception) -> HubError:
    """What leaves the hub when it is at fault: an id that also stands in our own log."""
    error_id = secrets.token_hex(8)
    _LOG.error(
        orjson.dumps({"event": "internal_error", "error_id": error_id}).decode(), exc_info=error
    )
    return HubError(Reason.INTERNAL, error_id=error_id)


def _authorization(context: grpc.aio.ServicerContext) -> str:
    """The token of the call. Raises HubError(FORWARDED_CERTIFICATE).

    TLS ends here (formats.md §3): a header that names a client certificate was written by whoever
    sent it, and somebody who forwards one expects it to be believed.
    """
    authorization = ""
    for name, value in context.invocation_metadata() or ():
        if name == "authorization":
            text = str(value)
            authorization = (
                text.removeprefix(_TOKEN_PREFIX) if text.startswith(_TOKEN_PREFIX) else ""
            )
        elif name in _FORWARDED:
            raise HubError(Reason.FORWARDED_CERTIFICATE, header=name)
    return authorization


_THUMBPRINTS: Final[dict[bytes, str]] = {}
_THUMBPRINTS_MAX: Final = 4_096


def _thumbprint(context: grpc.aio.ServicerContext) -> str:
    """Of the client certificate; decoded once per certificate, not once per call."""
    certificates = context.auth_context().get("x509_pem_cert") or ()
    if not certificates:
        return ""
    pem: bytes = certificates[0]
    thumbprint = _THUMBPRINTS.get(pem)
    if thumbprint is None:
        if len(_THUMBPRINTS) >= _THUMBPRINTS_MAX:
            _THUMBPRINTS.clear()
        thumbprint = _THUMBPRINTS[pem] = _digest_of_pem(pem)
    return thumbprint


def _digest_of_pem(pem: bytes) -> str:
    body = b"".join(pem.split(b"-----")[2].split())
    return b64u(hashlib.sha256(base64.b64decode(body)).digest())
