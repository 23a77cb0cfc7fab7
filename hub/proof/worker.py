"""Verification in a process of its own, which can be killed: files from strangers are read here.

Run as a module it is the worker: it applies its limits, loads what verification needs, and answers
one request after the other. Imported it is the other side, `Verifiers`. Between them goes a socket
with frames of a length and JSON, never objects: a worker that was taken over can lie about a file
and do nothing else.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn, TypeAlias, TypeVar

from hub.proof.encoding import Json, b64u, b64u_decode
from hub.proof.jose import Algorithm
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.reports.report_json import parse_report, report_to_json
from hub.proof.reports.shown import Shown, parse_shown, shown_of, shown_to_json
from hub.proof.run import Evidence, Run
from hub.proof.trust import Trust, parse_trust, trust_file
from hub.proof.verify import verify

FILE_BYTES_MAX: Final = 33_554_432
CPU_S_MAX: Final = 2.0
MEMORY_BYTES_MAX: Final = 268_435_456
# By the clock as long, and a little for what is counted late; what the worker waits for a processor
# is not counted where the system says how long that is. After `WALL_S_MAX` it ends anyway.
CLOCK_S_MAX: Final = 2.5
WALL_S_MAX: Final = 10.0
_START_S_MAX: Final = 60.0
_REPLY_BYTES_MAX: Final = 4_194_304
_REQUEST_BYTES_MAX: Final = 16_777_216
_READY: Final = b"ready"
_BEGUN: Final = b"begun"
_NOT_OURS: Final = b"null"
_SHOW: Final = b"show"
_OUT_OF_MEMORY: Final = b'"out of memory"'
_COMMAND: Final = (sys.executable, "-I", "-B", "-m", "hub.proof.worker")
_LENGTH_BYTES: Final = 8
_LIBRARIES: Final = {
    Kind.PDF: (
        "pyhanko.pdf_utils.reader",
        "pyhanko.sign.diff_analysis",
        "pyhanko.sign.fields",
        "pyhanko.sign.validation.pdf_embedded",
        "pyhanko_certvalidator",
    ),
    Kind.FACE_CODE: ("PIL.Image", "zxingcpp"),
}

_T = TypeVar("_T")
Job: TypeAlias = "Callable[[bytes, Kind, Trust | None, Evidence], Report]"


# -- The side that has a file to be verified -------------------------------------------------------


class Verifiers:
    """Workers that are kept warm; each verifies one file at a time.

    `verify` may be called by as many threads as there are workers; more of them wait. A worker
    that overran its limits is killed, and another one takes its place at the next file.
    """

    def __init__(self, workers: int = 1, command: Sequence[str] = _COMMAND) -> None:
        self._command = tuple(command)
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._idle.put(None)
        self._workers = workers

    def start(self) -> None:
        """Start every worker now, so that the first file need not wait for one."""
        for _ in range(self._workers):
            worker = self._idle.get()
            self._idle.put(worker if worker and worker.is_alive else _Worker(self._command))

    def verify(self, data: bytes, trust: Trust | None, evidence: Evidence) -> Report | None:
        """The report on `data`; None for what is none of our formats.

        A file that is too large, and one whose worker had to be killed, is *cannot check*
        (LIMIT_SIZE, LIMIT_TIME, LIMIT_MEMORY, LIMIT_CRASH).
        """
        try:
            return self._ask(_request(trust, evidence), data, parse_report)
        except _OverrunError as overrun:
            return _over(recognise(data), overrun.reason)

    def show(self, data: bytes) -> Shown:
        """The seal's picture in `data`, made small, and the text of the first page, as far as they
        can be shown."""
        try:
            shown = self._ask(_SHOW, data, parse_shown)
        except _OverrunError:
            shown = None
        return shown or Shown(None, ())

    def _ask(self, request: bytes, data: bytes, read: Callable[[bytes], _T]) -> _T | None:
        if len(data) > FILE_BYTES_MAX:
            raise _OverrunError(ProofReason.LIMIT_SIZE)
        worker = self._idle.get()
        try:
            if worker is None or not worker.is_alive:
                worker = _Worker(self._command)
            return worker.ask(request, data, read)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the workers that are idle; call it when no file is being verified."""
        for _ in range(self._workers):
            worker = self._idle.get()
            if worker is not None:
                worker.kill()
            self._idle.put(None)


class _OverrunError(Exception):
    def __init__(self, reason: ProofReason) -> None:
        self.reason = reason
        super().__init__(reason.value)


class _Worker:
    """One process and the socket to it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            # Started anew and never forked: the caller may have threads, and secrets in memory.
            # Of its environment the worker gets nothing, and what libraries print goes nowhere:
            # it may hold what stands in the file.
            self.process = subprocess.Popen(  # noqa: S603 - our own module.
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"MALLOC_ARENA_MAX": "1"},
            )
        try:
            if self._receive(time.monotonic() + _START_S_MAX) != _READY:
                raise _OverrunError(ProofReason.LIMIT_CRASH)
        except _OverrunError:
            self.kill()
            raise

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def ask(self, request: bytes, data: bytes, read: Callable[[bytes], _T]) -> _T | None:
        """The answer as `read` reads it, None for what is none of our formats.

        Raises _OverrunError; the process is gone then.
        """
        try:
            loaded = time.monotonic() + _START_S_MAX
            with self._within(loaded):
                for part in (request, data):
                    self._socket.sendall(_frame(part))
            reply = self._receive(loaded)
            if reply == _BEGUN:
                reply = self._receive(self._await_reply())
            if reply == _OUT_OF_MEMORY:
                raise _OverrunError(ProofReason.LIMIT_MEMORY)
            return None if reply == _NOT_OURS else read(reply)
        except _OverrunError:
            self.kill()
            raise
        except ProofError as error:
            # Whatever writes such an answer is no longer our program.
            self.kill()
            raise _OverrunError(ProofReason.LIMIT_CRASH) from error

    def kill(self) -> None:
        self._socket.close()
        self.process.kill()
        self.process.wait()

    def _await_reply(self) -> float:
        """Wait until it answers; by when the whole answer must be there.

        Raises _OverrunError once the work took too long. What it waits for a processor is no work:
        on a busy machine a genuine file would be called uncheckable.
        """
        began, waited = time.monotonic(), self._waited_s()
        while True:
            elapsed = time.monotonic() - began
            now = self._waited_s()
            limit = WALL_S_MAX
            if waited is not None and now is not None:
                limit = min(CLOCK_S_MAX + now - waited, WALL_S_MAX)
            if elapsed >= limit:
                raise _OverrunError(ProofReason.LIMIT_TIME)
            if select.select([self._socket], [], [], limit - elapsed)[0]:
                return began + WALL_S_MAX

    def _waited_s(self) -> float | None:
        """How long it has waited for a processor so far; None where the system does not say."""
        try:
            counts = Path(f"/proc/{self.process.pid}/schedstat").read_bytes().split()
            return int(counts[1]) / 1e9
        except (OSError, LookupError, ValueError):
            return None

    def _receive(self, deadline: float) -> bytes:
        with self._within(deadline):
            reply = _read_frame(self._socket, _REPLY_BYTES_MAX)
        return self._ended() if reply is None else reply

    @contextlib.contextmanager
    def _within(self, deadline: float) -> Iterator[None]:
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            yield
        except TimeoutError as error:
            raise _OverrunError(ProofReason.LIMIT_TIME) from error
        except OSError as error:
            self._ended(error)

    def _ended(self, error: OSError | None = None) -> NoReturn:
        """The process has closed its end: which limit ended it?"""
        try:
            code = self.process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            code = None
        over_time = code in (-signal.SIGPROF, -signal.SIGXCPU)
        reason = ProofReason.LIMIT_TIME if over_time else ProofReason.LIMIT_CRASH
        raise _OverrunError(reason) from error


def _request(trust: Trust | None, evidence: Evidence) -> bytes:
    members: dict[str, Json] = {
        "trust": None if trust is None else b64u(trust_file(trust)),
        "now": evidence.now,
        "as_of": evidence.as_of,
        "requests": list(evidence.requests),
        "system": evidence.system,
        "answer": None if evidence.answer is None else b64u(evidence.answer),
        "status_tokens": list(evidence.status_tokens),
        "crls": [b64u(crl) for crl in evidence.crls],
        "receipt": None if evidence.receipt is None else b64u(evidence.receipt),
        "record": None if evidence.record is None else b64u(evidence.record),
        "twin": evidence.twin,
        "required": None if evidence.required is None else evidence.required.name,
    }
    return json.dumps(members).encode()


def _over(kind: Kind | None, reason: ProofReason) -> Report | None:
    if kind is None:
        return None
    run = Run(kind)
    run.fail(StepName.LIMITS, ProofError(reason, verdict=Verdict.CANNOT_CHECK))
    return run.report()


# -- The worker ------------------------------------------------------------------------------------


def serve(job: Job = verify) -> None:
    """Answer requests on standard input until it ends, each within the limits."""
    channel = socket.socket(fileno=os.dup(0))
    _limit()
    channel.sendall(_frame(_READY))
    while (request := _read_frame(channel, _REQUEST_BYTES_MAX)) is not None:
        data = _read_frame(channel, FILE_BYTES_MAX)
        if data is None:
            return
        signal.setitimer(signal.ITIMER_PROF, CPU_S_MAX)
        kind = recognise(data)
        signal.setitimer(signal.ITIMER_PROF, 0)
        if kind is None:
            channel.sendall(_frame(_NOT_OURS))
            continue
        _load(_LIBRARIES.get(kind, ()))
        channel.sendall(_frame(_BEGUN))
        try:
            # Ends the process: a handler of ours could not, while a library computes.
            signal.setitimer(signal.ITIMER_PROF, CPU_S_MAX)
            reply = _answer(job, request, data, kind)
            signal.setitimer(signal.ITIMER_PROF, 0)
        except MemoryError:
            # What the libraries have left behind is not to be relied on.
            channel.sendall(_frame(_OUT_OF_MEMORY))
            return
        channel.sendall(_frame(reply))


def _limit() -> None:
    """No file is written, no core dumped, and memory ends where it should."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _load(libraries: Sequence[str]) -> None:
    """Load once what the time of the first file of its kind would be spent on."""
    for name in libraries:
        with contextlib.suppress(ImportError):  # The auditor's tool kit alone has none of them.
            importlib.import_module(name)


def _answer(job: Job, request: bytes, data: bytes, kind: Kind) -> bytes:
    if request == _SHOW:
        return json.dumps(shown_to_json(shown_of(data, kind))).encode()
    members = json.loads(request)
    evidence = Evidence(
        now=members["now"],
        requests=tuple(members["requests"]),
        system=members["system"],
        answer=None if members["answer"] is None else b64u_decode(members["answer"]),
        status_tokens=tuple(members["status_tokens"]),
        crls=tuple([b64u_decode(crl) for crl in members["crls"]]),
        receipt=None if members["receipt"] is None else b64u_decode(members["receipt"]),
        record=None if members["record"] is None else b64u_decode(members["record"]),
        as_of=members["as_of"],
        twin=members["twin"],
        required=None if members["required"] is None else Algorithm[members["required"]],
    )
    trust = None if members["trust"] is None else parse_trust(b64u_decode(members["trust"]))
    return json.dumps(report_to_json(job(data, kind, trust, evidence))).encode()


# -- The frames between them -----------------------------------------------------------------------


def _frame(part: bytes) -> bytes:
    return len(part).to_bytes(_LENGTH_BYTES, "big") + part


def _read_frame(channel: socket.socket, bytes_max: int) -> bytes | None:
    """One frame; None where the other side has ended. Raises OSError."""
    head = _read(channel, _LENGTH_BYTES)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if length > bytes_max:
        raise OSError("the frame is too large")
    return _read(channel, length)


def _read(channel: socket.socket, length: int) -> bytes | None:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        received = channel.recv_into(view)
        if received == 0:
            return None
        view = view[received:]
    return bytes(data)


if __name__ == "__main__":
    serve()
