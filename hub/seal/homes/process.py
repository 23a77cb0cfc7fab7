"""Keys behind the signer process: the hub asks, the process checks and signs (docs/adr/0040).

The process is started when it is first needed, and again when it ended. While a request was on its
way nobody can know what became of it: the caller is told SIGNER_UNAVAILABLE, and the request is
settled as soon as the process answers again.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.errors import HubError, Reason
from hub.seal.homes.conversation import Conversation, Evidence, NoEvidence
from hub.seal.homes.signers import keys_here, read_answer
from hub.seal.keys import KeysHere
from hub.seal.signer_process.process import READY, Settings
from hub.seal.signer_process.rules import SigningRequest
from hub.seal.signer_process.socket import connect, receive, send
from hub.seal.v1 import signer_pb2 as pb

START_S: Final = 20.0
"""How long a process may take until it is ready."""
CALL_S: Final = 60.0
"""How long an answer may take: a token signs some twenty records a second at worst."""
PAUSE_LEAST_S: Final = 0.2
PAUSE_MOST_S: Final = 10.0

_END_S: Final = 0.2

_LOG: Final = logging.getLogger("sealway.signer")


@dataclass(slots=True)
class SignerProcess:
    """The process and the way to it. Any thread may call."""

    settings: Settings
    origin: str
    region: str
    log_key: str
    evidence: Evidence
    command: Sequence[str] = (sys.executable, "-m", "hub.seal.signer_process.process")
    monotonic: Callable[[], float] = time.monotonic
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _idle: list[socket.socket] = field(default_factory=list)
    _said: Conversation = field(init=False)
    _pause_s: float = 0.0
    _not_before: float = 0.0

    def __post_init__(self) -> None:
        """The conversation takes the same lock: either may wait for the other."""
        self._said = Conversation(
            self.origin, self.region, self.log_key, self.evidence, self._exchange, self._lock
        )

    def ask(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """The answer. Raises HubError(SIGNER_UNAVAILABLE) where there is none, and what it
        refuses with."""
        self._ensure()
        return self._exchange(call)

    def order(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """As `Conversation.order`. Raises as `ask`."""
        self._ensure()
        return self._said.order(call)

    def sign(self, request: SigningRequest) -> list[bytes]:
        """As `Conversation.sign`. Raises as `ask`."""
        self._ensure()
        return self._said.sign(request)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._forget_connections()
            if self._process is not None:
                _end(self._process)
                self._process = None

    @property
    def pid(self) -> int | None:
        """The process that answers; None where there is none."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    @property
    def unsettled(self) -> set[str]:
        """Requests of which nobody knows yet what became."""
        return self._said.unsettled

    def _exchange(self, call: pb.SignerCall) -> pb.SignerAnswer:
        try:
            connection = self._take()
            try:
                message = _asked(connection, call)
            except (OSError, HubError):
                connection.close()
                raise
        except OSError as error:
            self._notice_end()
            raise HubError(Reason.SIGNER_UNAVAILABLE) from error
        with self._lock:
            self._idle.append(connection)
        return read_answer(pb.SignerAnswer.FromString(message))

    def _notice_end(self) -> None:
        """Its connections close a moment before a process that was killed is known to have ended:
        wait for that, so that the next call starts another."""
        with self._lock:
            if self._process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_S)

    def _take(self) -> socket.socket:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return connect(Path(self.settings.folder), CALL_S)

    def _ensure(self) -> None:
        """Start the process where it does not run, and settle what was on its way."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._restart()
            self._said.settle()

    def _restart(self) -> None:
        if self.monotonic() < self._not_before:
            raise HubError(Reason.SIGNER_UNAVAILABLE)
        self._pause_s = min(max(2 * self._pause_s, PAUSE_LEAST_S), PAUSE_MOST_S)
        self._not_before = self.monotonic() + self._pause_s
        self._forget_connections()
        self._said.forget()
        if self._process is not None:
            _end(self._process)
        self._process = self._started()
        self._pause_s = 0.0

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own program, without any argument
            list(self.command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=True
        )
        assert process.stdin is not None, "asked for"
        assert process.stdout is not None, "asked for"
        try:
            process.stdin.write(self.settings.line())
            process.stdin.flush()
            readable, _, _ = select.select([process.stdout], [], [], START_S)
            if readable and process.stdout.readline() == READY:
                _LOG.info('{"event":"signer_started","pid":%d}', process.pid)
                return process
        except OSError:
            pass  # It ended before it was ready.
        _end(process)
        raise HubError(Reason.SIGNER_UNAVAILABLE)

    def _forget_connections(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def check_home(settings: Settings, name: str) -> KeysHere:
    """Which keys a home holds, asked of the process that runs, or else of one for a moment.

    Raises HubError as `KeyHome.health`.
    """
    call = pb.SignerCall(check=pb.CheckSignerHome(home=name))
    try:
        with connect(Path(settings.folder), CALL_S) as connection:
            answer = pb.SignerAnswer.FromString(_asked(connection, call))
            return keys_here(read_answer(answer).home)
    except OSError:
        pass  # None runs.
    process = SignerProcess(settings, "", "", "", NoEvidence())
    try:
        return keys_here(process.ask(call).home)
    finally:
        process.close()


def _asked(connection: socket.socket, call: pb.SignerCall) -> bytes:
    """The answer's bytes. Raises OSError."""
    send(connection, call.SerializeToString())
    message = receive(connection)
    if message is None:
        raise ConnectionError("closed without an answer")
    return message


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, on which it ends by itself; kill it where it does not."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(2.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
