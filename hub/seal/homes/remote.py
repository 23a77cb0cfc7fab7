"""A signer that a department runs beside its connector: the hub asks over mutual TLS (ADR 47).

It is asked as the hub's own signer process is, and answers alike; what it signs has the custody
*department*. A request is repeated only under its own id, which the signer signs once, so nothing
is signed twice however often an answer is lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import grpc

from hub.errors import HubError, Reason
from hub.seal.homes.conversation import Conversation, Evidence
from hub.seal.homes.signers import read_answer
from hub.seal.keys import check_private
from hub.seal.signer_process.rules import SigningRequest
from hub.seal.v1 import remote_signer_pb2 as pb_remote
from hub.seal.v1 import remote_signer_pb2_grpc
from hub.seal.v1 import signer_pb2 as pb

MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
"""A batch of 10,000 rows with their records has some 40 MB."""
PEM_BYTES_MAX: Final = 64 * 1024
TRIES_MAX: Final = 3

# Together longer than gRPC waits until it connects again: a signer that is back is found at once.
_PAUSE_S: Final = 0.3
_RECONNECT_MS: Final = 300

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """Where the signer is, what proves it (`ca`) and what proves the hub to it, as PEM files."""

    name: str
    address: str
    ca: Path
    certificate: Path
    key: Path
    timeout_s: float


@dataclass(slots=True)
class RemoteSigner:
    """The way to one signer; as `AskedSigner`. Nothing is opened before the first question."""

    place: RemoteAddress
    origin: str
    region: str
    log_key: str
    evidence: Evidence
    sleep: Callable[[float], None] = time.sleep
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _channel: grpc.Channel | None = None
    _said: Conversation = field(init=False)

    def __post_init__(self) -> None:
        """The conversation takes the same lock: either may wait for the other."""
        self._said = Conversation(
            self.origin, self.region, self.log_key, self.evidence, self._exchange, self._lock
        )

    def ask(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """As in `AskedSigner`. Raises HubError(REMOTE_SIGNER_UNAVAILABLE) where nobody answers."""
        self._said.settle()
        return self._exchange(call)

    def order(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """As in `AskedSigner`."""
        return self._shown(lambda: self._said.order(call))

    def sign(self, request: SigningRequest) -> list[bytes]:
        """As in `AskedSigner`."""
        return self._shown(lambda: self._said.sign(request))

    def _shown(self, ask: Callable[[], _T]) -> _T:
        self._said.settle()
        try:
            return ask()
        except HubError:
            # It may have been set up anew meanwhile: next time it is shown everything again.
            self._said.forget()
            raise

    def close(self) -> None:
        """As in `AskedSigner`."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
                self._channel = None

    @property
    def unsettled(self) -> set[str]:
        """Requests of which nobody knows yet what became."""
        return self._said.unsettled

    def _exchange(self, call: pb.SignerCall) -> pb.SignerAnswer:
        for left in reversed(range(TRIES_MAX)):
            try:
                response = self._stub().Answer(
                    pb_remote.AnswerRequest(call=call), timeout=self.place.timeout_s
                )
            except grpc.RpcError as error:
                code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
                if code is grpc.StatusCode.UNAVAILABLE and left:
                    self.sleep(_PAUSE_S)
                    continue
                raise self._away(code.name) from error
            return read_answer(response.answer)
        raise AssertionError("the last try returns or raises")

    def _stub(self) -> remote_signer_pb2_grpc.RemoteSignerServiceStub:
        with self._lock:
            if self._channel is None:
                self._channel = self._opened()
            return remote_signer_pb2_grpc.RemoteSignerServiceStub(self._channel)

    def _opened(self) -> grpc.Channel:
        place = self.place
        try:
            check_private(place.key)
            ca, key, chain = (_read(path) for path in (place.ca, place.key, place.certificate))
        except (OSError, ValueError) as error:
            raise self._away("its TLS files cannot be used") from error
        return grpc.secure_channel(
            place.address,
            grpc.ssl_channel_credentials(ca, key, chain),
            options=(
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
                # Repetition is ours.
                ("grpc.enable_retries", 0),
                ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS),
                ("grpc.min_reconnect_backoff_ms", _RECONNECT_MS),
                ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
                ("grpc.use_local_subchannel_pool", 1),
            ),
        )

    def _away(self, rule: str) -> HubError:
        return HubError(Reason.REMOTE_SIGNER_UNAVAILABLE, home=self.place.name, rule=rule)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(PEM_BYTES_MAX + 1)
    if len(data) > PEM_BYTES_MAX:
        raise ValueError("larger than any")
    return data
