"""A client of the hub: one mTLS channel, an access token that is renewed, bounded repetition.

A refused call raises `HubRefusedError`, which carries the hub's reason and its texts in English and
Chinese. Calls are repeated only where the API allows it: UNAVAILABLE, and RESOURCE_EXHAUSTED with a
`RetryInfo`. Each repetition sends the same request id, so it has one effect.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectors.profile import Profile, read_bounded
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.errors import HubError, Reason, Violation
from hub.v1 import common_pb2

DEADLINE_S: Final = 30.0
ATTEMPTS_MAX: Final = 4
PAUSES_S: Final = (0.2, 0.8, 2.0)
PAUSE_MAX_S: Final = 5.0
MESSAGE_BYTES_MAX: Final = 5 * 1024 * 1024
PEM_BYTES_MAX: Final = 256 * 1024

# A token is renewed while enough of it is left for a call that takes its whole deadline.
TOKEN_RESERVE_S: Final = 2 * DEADLINE_S

_TOKEN_ENDED: Final = frozenset({Reason.TOKEN_EXPIRED, Reason.TOKEN_REVOKED})
_OWN_ARGUMENTS: Final = frozenset(
    {
        "self",
        "reason",
        "status",
        "code",
        "texts",
        "violations",
        "retry_after_s",
        "receipt",
        "recorded",
    }
)

AnswerT = TypeVar("AnswerT")


class HubRefusedError(HubError):
    """The hub, or the way to it, refused a call.

    `status` is the gRPC code's name, `code` the hub's reason as sent: `reason` is INTERNAL where
    this program is older than the reason.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        status: str,
        code: str = "",
        texts: Mapping[str, str] | None = None,
        violations: tuple[Violation, ...] = (),
        retry_after_s: float | None = None,
        receipt: str | None = None,
        **details: object,
    ) -> None:
        self.status = status
        self.code = code or reason.value
        self._texts = dict(texts or {})
        super().__init__(
            reason,
            violations=violations,
            retry_after_s=retry_after_s,
            receipt=receipt,
            recorded=False,
            **details,
        )

    @property
    def is_unavailable(self) -> bool:
        """Whether nobody decided: the same call with the same request id may be repeated later."""
        return self.status in ("UNAVAILABLE", "DEADLINE_EXCEEDED")

    def text(self, language: str) -> str:
        """The hub's own sentence where it sent one in `language`."""
        return self._texts.get(language) or super().text(language)


@dataclass(frozen=True, slots=True, repr=False)
class AccessToken:
    """A token as sent, and when it ends (seconds since 1970)."""

    text: str
    expire_time_s: int


class HubClient:
    """Calls the hub as the system or officer of a profile. For one thread; close it after use.

    The channel is opened at the first call. Raises HubError(FILE_UNREADABLE) where a file of the
    profile cannot be used.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        credentials = grpc.ssl_channel_credentials(
            read_bounded(profile.ca, PEM_BYTES_MAX, "trust anchor"),
            profile.client_key_pem(),
            read_bounded(profile.certificate, PEM_BYTES_MAX, "X.509 certificate"),
        )
        self.channel = grpc.secure_channel(
            profile.address,
            credentials,
            options=(
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                # Repetition is ours: gRPC's own would not renew tokens.
                ("grpc.enable_retries", 0),
            ),
        )
        self._access = access_pb2_grpc.AccessServiceStub(self.channel)
        self._token: AccessToken | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up."""
        self.channel.close()

    def call(self, method: Callable[..., AnswerT], request: Message) -> AnswerT:
        """The answer to `request`; `method` is a method of a stub on `channel`.

        Repeated at most `ATTEMPTS_MAX` times with the same bytes. Raises HubRefusedError.
        """
        return self.call_signed(method, lambda _token: request)

    def call_signed(
        self, method: Callable[..., AnswerT], make: Callable[[AccessToken], Message]
    ) -> AnswerT:
        """As `call`, for a request that names the access token it travels with.

        `make` is called again for each attempt; every request it makes carries the same id.
        """
        renewed = False
        attempt = 0
        while True:
            token = self.token()
            try:
                return method(make(token), timeout=DEADLINE_S, metadata=_bearer(token))
            except grpc.RpcError as error:
                refusal = refusal_of(error, self.profile.address)
                if refusal.reason in _TOKEN_ENDED and not renewed:
                    renewed, self._token = True, None
                    continue
                pause = _pause(refusal, attempt)
                if pause is None:
                    raise refusal from error
            attempt += 1
            time.sleep(pause)

    def stream(
        self, method: Callable[..., Iterable[AnswerT]], requests: Iterable[Message]
    ) -> Iterator[AnswerT]:
        """The answers of a bidirectional stream, as they come. Never repeated: the caller knows
        which of its messages were answered. Raises HubRefusedError.
        """
        token = self.token()
        try:
            yield from method(iter(requests), metadata=_bearer(token))
        except grpc.RpcError as error:
            raise refusal_of(error, self.profile.address) from error

    def watch(
        self,
        method: Callable[..., Iterable[AnswerT]],
        request: Message,
        *,
        seconds: float | None = None,
    ) -> Generator[AnswerT, None, None]:
        """The answers that are streamed to one request, as they come; closing it ends the call,
        and so does the end of `seconds`.

        Never repeated: the caller knows how far it came. Raises HubRefusedError.
        """
        token = self.token()
        answers = method(request, metadata=_bearer(token), timeout=seconds)
        try:
            yield from answers
        except grpc.RpcError as error:
            raise refusal_of(error, self.profile.address) from error
        finally:
            if isinstance(answers, grpc.Call):
                answers.cancel()

    def stream_signed(
        self,
        method: Callable[..., Iterator[AnswerT]],
        make: Callable[[AccessToken], Message],
        *,
        seconds: float,
    ) -> Generator[AnswerT, None, None]:
        """As `call_signed`, for an answer that is streamed, all of it within `seconds`.

        Repeated until its first message has come, and never after it.
        """

        def begin(
            request: Message, *, timeout: float, metadata: tuple[tuple[str, str], ...]
        ) -> tuple[AnswerT, Iterator[AnswerT]]:
            answers = method(request, timeout=max(timeout, seconds), metadata=metadata)
            return next(answers), answers

        first, rest = self.call_signed(begin, make)
        yield first
        try:
            yield from rest
        except grpc.RpcError as error:
            raise refusal_of(error, self.profile.address) from error
        finally:
            if isinstance(rest, grpc.Call):
                rest.cancel()

    def send_stream(
        self, method: Callable[..., AnswerT], requests: Iterable[Message], *, seconds: float
    ) -> AnswerT:
        """The one answer to a stream of messages, within `seconds`. Never repeated: the stream is
        used up, and the caller makes another under the same request id. Raises HubRefusedError.
        """
        token = self.token()
        try:
            return method(iter(requests), metadata=_bearer(token), timeout=seconds)
        except grpc.RpcError as error:
            raise refusal_of(error, self.profile.address) from error

    def check_health(self) -> str:
        """What the standard health service says, such as `SERVING`. Needs no token, never repeated.

        Raises HubRefusedError.
        """
        stub = health_pb2_grpc.HealthStub(self.channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_S)
        except grpc.RpcError as error:
            raise refusal_of(error, self.profile.address) from error
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    def token(self) -> AccessToken:
        """An access token that lasts for a call; renewed when it does not.

        Raises HubRefusedError, and HubError(FIELD_INVALID) where the hub that answers is not
        that of the profile.
        """
        if self._token is None or time.time() > self._token.expire_time_s - TOKEN_RESERVE_S:
            self._token = self._new_token()
        return self._token

    def _new_token(self) -> AccessToken:
        attempt = 0
        while True:
            try:
                answer = self._access.CreateToken(
                    access_pb2.CreateTokenRequest(), timeout=DEADLINE_S
                )
                break
            except grpc.RpcError as error:
                refusal = refusal_of(error, self.profile.address)
                pause = _pause(refusal, attempt)
                if pause is None:
                    raise refusal from error
            attempt += 1
            time.sleep(pause)
        for member in ("origin", "region"):
            said, expected = getattr(answer, member), getattr(self.profile, member)
            if said != expected:
                rule = f"the hub at {self.profile.address} answers as {said}, not {expected}"
                raise HubError(Reason.FIELD_INVALID, field=f"[hub] {member}", rule=rule)
        return AccessToken(answer.access_token, answer.expire_time.seconds)


def refusal_of(error: grpc.RpcError, address: str) -> HubRefusedError:
    """What `error` says, from its `google.rpc.Status` where the hub sent one."""
    status = error.code().name
    metadata = dict(error.trailing_metadata() or ())
    packed = metadata.get("grpc-status-details-bin")
    if packed is None:
        rule = (error.details() or status)[:300]
        return HubRefusedError(
            Reason.HUB_UNAVAILABLE
            if status in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
            else Reason.CALL_REFUSED,
            status=status,
            address=address,
            rule=rule,
        )
    return _decoded(status_pb2.Status.FromString(packed), status)


def _decoded(answer: status_pb2.Status, status: str) -> HubRefusedError:
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    kept = common_pb2.Receipt()
    receipt: str | None = None
    texts: dict[str, str] = {}
    retry_after_s: float | None = None
    for detail in answer.details:
        localized = error_details_pb2.LocalizedMessage()
        if detail.Unpack(info) or detail.Unpack(bad):
            continue
        if detail.Unpack(localized):
            texts[localized.locale.partition("-")[0]] = localized.message
        elif detail.Unpack(kept):
            receipt = kept.json
        elif detail.Unpack(retry):
            retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    known = info.reason in Reason.__members__
    return HubRefusedError(
        Reason(info.reason) if known else Reason.INTERNAL,
        status=status,
        code=info.reason,
        texts={"en": answer.message, **texts},
        violations=tuple(_violation(item) for item in bad.field_violations),
        retry_after_s=retry_after_s,
        receipt=receipt,
        **{key: value for key, value in info.metadata.items() if key not in _OWN_ARGUMENTS},
    )


def _violation(item: error_details_pb2.BadRequest.FieldViolation) -> Violation:
    """English stands in `description`, Chinese in `localized_message`, the rule in `reason`."""
    chinese = item.localized_message.message or item.description
    return Violation(item.field, item.reason, item.description, chinese)


def _pause(refusal: HubRefusedError, attempt: int) -> float | None:
    """How long to wait before the next attempt, or None where there is none."""
    asked = refusal.retry_after_s
    may = refusal.is_unavailable or (refusal.status == "RESOURCE_EXHAUSTED" and asked is not None)
    if not may or attempt + 1 >= ATTEMPTS_MAX:
        return None
    if asked is not None:
        return None if asked > PAUSE_MAX_S else asked
    # Spread, so that clients of a restarted hub do not come back together.
    return PAUSES_S[attempt] * random.uniform(0.8, 1.2)  # noqa: S311


def _bearer(token: AccessToken) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token.text}"),)
