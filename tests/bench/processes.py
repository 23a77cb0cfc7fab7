"""Processes of a run: pinned, with their CPU time, and none of them left behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.jobs import Job, Outcome, read_outcome

ROOT: Final = Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_CORES: Final = sorted(os.sched_getaffinity(0))
SERVER_CORE: Final = _CORES[0]
DRIVER_CORE: Final = _CORES[-1]
_ANSWER_TIMEOUT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Server:
    """A running process."""

    process: subprocess.Popen[str]

    def cpu_s(self) -> float:
        """CPU seconds of all its threads so far."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii", errors="replace")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextlib.contextmanager
def running(
    arguments: Sequence[str],
    *,
    core: int,
    log: Path,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Server]:
    """The process of `arguments` on one core; ended, with all it started, on leaving."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads are running here.
        )
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(process.pid, {core})
    try:
        yield Server(process)
    finally:
        _end(process)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[str]) -> None:
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        try:
            process.wait(10)
            break
        except subprocess.TimeoutExpired:
            continue
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def read_line(server: Server, timeout_s: float, what: str, log: Path) -> str:
    """The next line that the process prints. Raises RuntimeError where there is none in time."""
    stdout = server.process.stdout
    assert stdout is not None
    ready, _, _ = select.select([stdout], [], [], timeout_s)
    line = stdout.readline().strip() if ready else ""
    if not line:
        raise RuntimeError(f"{what} did not answer in {timeout_s:.0f} s: {tail(log)}")
    return line


def tail(log: Path) -> str:
    """The end of a log."""
    with contextlib.suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace")[-1500:].strip()
    return ""


def wait_until(is_so: Callable[[], bool], timeout_s: float, what: str, log: Path) -> None:
    """Return when `is_so`. Raises RuntimeError after `timeout_s`."""
    end = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not in {timeout_s:.0f} s: {tail(log)}")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Driver:
    """The load driver's process."""

    server: Server
    log: Path

    def run(self, job: Job) -> Outcome:
        """The outcome of one job. Raises RuntimeError where the driver has none."""
        stdin = self.server.process.stdin
        assert stdin is not None
        stdin.write(job.line() + "\n")
        stdin.flush()
        return read_outcome(
            read_line(self.server, job.seconds + _ANSWER_TIMEOUT_S, "the load driver", self.log)
        )


@contextlib.contextmanager
def load_driver(folder: Path) -> Iterator[Driver]:
    """A load driver on its own core."""
    log = folder / "driver.log"
    arguments = [sys.executable, "-m", "tests.bench.driver"]
    with running(arguments, core=DRIVER_CORE, log=log, stdin=subprocess.PIPE) as server:
        yield Driver(server, log)


@contextlib.contextmanager
def echo_server(
    folder: Path,
    kind: str,
    *,
    answer_bytes: int,
    tls: Sequence[str],
    signer: Path,
    interpreter: Sequence[str] = (sys.executable,),
) -> Iterator[tuple[Server, str]]:
    """Yardstick `kind` on the servers' core, and its address. `tls` are its options for TLS."""
    log = folder / f"echo-{kind}.log"
    arguments = [
        *interpreter,
        "-m",
        "tests.bench.echo",
        *("--kind", kind, "--answer-bytes", str(answer_bytes), "--signer", str(signer)),
        *tls,
    ]
    with running(arguments, core=SERVER_CORE, log=log) as server:
        yield server, f"127.0.0.1:{read_line(server, 120, f'echo {kind}', log)}"
