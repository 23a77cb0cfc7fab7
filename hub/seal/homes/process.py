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
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.roster_changes import Link
from hub.seal.algorithms import PublicKey, Subject
from hub.seal.keys import KeyHome, MadeKey, RecordWork, SigningKey
from hub.seal.signer_process import READY, Settings
from hub.seal.signer_socket import connect, receive, send
from hub.seal.v1 import signer_pb2 as pb

START_S: Final = 20.0
"""How long a process may take until it is ready."""
CALL_S: Final = 60.0
"""How long an answer may take: a token signs some twenty records a second at worst."""
PAUSE_LEAST_S: Final = 0.2
PAUSE_MOST_S: Final = 10.0

_END_S: Final = 0.2

_LOG: Final = logging.getLogger("sealway.signer")


class Evidence(Protocol):
    """What the signer is shown, so that it need not believe the hub. Any thread may ask."""

    def links(self, after: int) -> Sequence[Link]:
        """The statements of the roster after number `after`, in order."""
        ...

    def receipts(self) -> Mapping[str, str]:
        """By key id, the receipt of the entry that enrolled a system's key."""
        ...


@dataclass(slots=True)
class SignerProcess:
    """The process and the way to it. Any thread may call."""

    settings: Settings
    origin: str
    region: str
    log_key: str
    evidence: Evidence
    command: Sequence[str] = (sys.executable, "-m", "hub.seal.signer_process")
    monotonic: Callable[[], float] = time.monotonic
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _idle: list[socket.socket] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)
    _roster: int = -1
    _unsettled: set[str] = field(default_factory=set)
    _pause_s: float = 0.0
    _not_before: float = 0.0

    def ask(self, call: pb.SignerCall) -> pb.SignerAnswer:
        """The answer. Raises HubError(SIGNER_UNAVAILABLE) where there is none, and what it
        refuses with."""
        self._ensure()
        return self._exchange(call)

    def sign(self, request: pb.SignRecords) -> list[bytes]:
        """The signatures of `request`, once the signer was shown everything new. Raises as `ask`.

        Where the answer is lost, nobody may send these records again under another id.
        """
        self._ensure()
        self._introduce()
        try:
            answer = self._exchange(pb.SignerCall(sign=request))
        except HubError as error:
            if error.reason is Reason.SIGNER_UNAVAILABLE:
                with self._lock:
                    self._unsettled.add(request.request_id)
            raise
        return list(answer.signatures.signatures)

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
        return _read(message)

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
            for request_id in sorted(self._unsettled):
                self._settle(request_id)

    def _restart(self) -> None:
        if self.monotonic() < self._not_before:
            raise HubError(Reason.SIGNER_UNAVAILABLE)
        self._pause_s = min(max(2 * self._pause_s, PAUSE_LEAST_S), PAUSE_MOST_S)
        self._not_before = self.monotonic() + self._pause_s
        self._forget_connections()
        self._known, self._roster = set(), -1
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

    def _settle(self, request_id: str) -> None:
        call = pb.SignerCall(settle=pb.SettleSigning(request_id=request_id))
        outcome = self._exchange(call).settled.outcome
        if outcome == "signing":
            return
        self._unsettled.discard(request_id)
        _LOG.warning(
            '{"event":"signing_settled","request_id":"%s","outcome":"%s"}', request_id, outcome
        )

    def _introduce(self) -> None:
        """Show what is new since the last time. Raises HubError as the signer refuses."""
        with self._lock:
            receipts = self.evidence.receipts()
            if self._roster < 0:
                # It remembers more than this process of the hub has shown it.
                self._learn((), ())
            links = self.evidence.links(self._roster)
            new = [text for kid, text in receipts.items() if kid not in self._known]
            if links or new:
                self._learn(links, new)

    def _learn(self, links: Sequence[Link], receipts: Sequence[str]) -> None:
        said = pb.SignerIntroduction(
            origin=self.origin,
            region=self.region,
            log_key=self.log_key,
            links=[
                pb.RosterLink(statement=one.statement, intent=one.intent, approvals=one.approvals)
                for one in links
            ],
            receipts=receipts,
        )
        known = self._exchange(pb.SignerCall(introduce=said)).known
        self._known, self._roster = set(known.key_ids), known.roster_number

    def _forget_connections(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()


@dataclass(frozen=True, slots=True)
class ProcessHome:
    """A home of keys that the signer process keeps; as `KeyHome`.

    The process has rules for records only. Keys of other uses are opened by `inside` where there is
    one, in the hub; a token has none, and they are refused.
    """

    process: SignerProcess
    name: str
    custody: Custody
    algorithms: frozenset[KeyAlgorithm]
    inside: KeyHome | None = None

    def create(self, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject) -> MadeKey:
        """As in `KeyHome`."""
        asked = pb.MakeSignerKey(
            home=self.name,
            algorithm=algorithm.value,
            use=use.value,
            common_name=subject.common_name,
            organization=subject.organization,
            organization_identifier=subject.organization_identifier,
        )
        made = self.process.ask(pb.SignerCall(make=asked)).made
        return MadeKey(PublicKey.from_spki(made.public_key), made.x509_request)

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> SigningKey:
        """As in `KeyHome`."""
        if use is not KeyUse.RECORD and self.inside is not None:
            return self.inside.open(kid, algorithm, use, x509_chain)
        key = ProcessKey(kid, algorithm, use, self.custody, x509_chain, self)
        self.process.ask(pb.SignerCall(open=key.message()))
        return key

    def destroy(self, kid: str) -> None:
        """As in `KeyHome`."""
        asked = pb.DestroySignerKey(home=self.name, key_id=kid)
        self.process.ask(pb.SignerCall(destroy=asked))

    def health(self) -> int:
        """As in `KeyHome`."""
        asked = pb.CheckSignerHome(home=self.name)
        return int(self.process.ask(pb.SignerCall(check=asked)).home.keys)

    def close(self) -> None:
        """As in `KeyHome`: the process ends."""
        self.process.close()


@dataclass(frozen=True, slots=True, repr=False)
class ProcessKey:
    """A key of the signer process; as `SigningKey`. It signs records, each batch under its mandate.

    Bytes of another format come with nothing to check them by, and are refused.
    """

    kid: str
    algorithm: KeyAlgorithm
    use: KeyUse
    custody: Custody
    x509_chain: tuple[bytes, ...]
    _home: ProcessHome

    def sign(self, signing_input: bytes, format: str) -> bytes:
        """Refused: without a mandate nothing is signed."""
        raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)

    def sign_records(self, work: RecordWork) -> list[bytes]:
        """As in `SigningKey`."""
        order = work.order
        return self._home.process.sign(
            pb.SignRecords(
                request_id=str(uuid.uuid4()),
                key=self.message(),
                intent_name=work.mandate.name,
                intent=work.mandate.intent,
                approvals=work.mandate.approvals,
                batch=pb.SignedBatch(
                    root_jws=order.root_jws,
                    rows=[pb.BatchRow(salt=salt, row=row) for salt, row in order.rows],
                    authority=order.authority_uscc,
                    type_code=order.type_code,
                    vct=order.vct,
                    type_version=order.type_version,
                    integrity=order.integrity,
                    manifest=order.manifest,
                    batch=order.batch,
                ),
                records=[
                    pb.RecordBytes(
                        row_index=one.record.row_index,
                        payload=one.payload,
                        disclosures=[text for _, text in orjson.loads(one.disclosures)],
                        decoys=one.decoys,
                    )
                    for one in work.records
                ],
                seed=b"" if work.fold is None else work.fold.seed,
            )
        )

    def message(self) -> pb.SignerKey:
        """How the process is told which key."""
        return pb.SignerKey(
            home=self._home.name,
            key_id=self.kid,
            algorithm=self.algorithm.value,
            use=self.use.value,
            x509_chain=self.x509_chain,
        )

    def __repr__(self) -> str:
        return f"ProcessKey({self.kid!r}, {self.use.value})"


def check_home(settings: Settings, name: str) -> int:
    """How many keys a home holds, asked of the process that runs, or else of one for a moment.

    Raises HubError as `KeyHome.health`.
    """
    call = pb.SignerCall(check=pb.CheckSignerHome(home=name))
    try:
        with connect(Path(settings.folder), CALL_S) as connection:
            return int(_read(_asked(connection, call)).home.keys)
    except OSError:
        pass  # None runs.
    process = SignerProcess(settings, "", "", "", _NoEvidence())
    try:
        return int(process.ask(call).home.keys)
    finally:
        process.close()


class _NoEvidence:
    """For a process that is asked nothing that it would have to believe."""

    def links(self, after: int) -> Sequence[Link]:
        return ()

    def receipts(self) -> Mapping[str, str]:
        return {}


def _asked(connection: socket.socket, call: pb.SignerCall) -> bytes:
    """The answer's bytes. Raises OSError."""
    send(connection, call.SerializeToString())
    message = receive(connection)
    if message is None:
        raise ConnectionError("closed without an answer")
    return message


def _read(message: bytes) -> pb.SignerAnswer:
    """The answer in `message`. Raises HubError with what it refuses by."""
    answer = pb.SignerAnswer.FromString(message)
    if answer.WhichOneof("answer") == "refused":
        details: dict[str, Any] = dict(answer.refused.details)
        raise HubError(Reason(answer.refused.reason), **details)
    return answer


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
