"""The worker that reads files of strangers: ended where it overruns, and replaced."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.proof import worker
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.reports.report_json import parse_report, report_to_json
from hub.proof.run import Evidence
from hub.proof.trust import parse_trust
from hub.proof.verify import verify
from hub.proof.worker import Verifiers
from tests.proof.bombs import BOMB
from tests.proof.test_verify_command import NOW, SOUND, TWO_FIELDS, hub_trust

EVIDENCE = Evidence(now=0)


@pytest.fixture
def bombs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Verifiers]:
    """One worker that does what the file says; by the clock it has time, the machine is busy."""
    monkeypatch.chdir(Path(__file__).parents[2])
    monkeypatch.setattr(worker, "WALL_S_MAX", 60.0)
    monkeypatch.setattr(worker, "CLOCK_S_MAX", 60.0)
    verifiers = Verifiers(1, (sys.executable, "-m", "tests.proof.bombs"))
    yield verifiers
    verifiers.close()


@pytest.fixture(scope="module")
def verifiers() -> Iterator[Verifiers]:
    """Workers as the hub has them."""
    verifiers = Verifiers(2)
    verifiers.start()
    yield verifiers
    verifiers.close()


def reason(report: Report | None) -> tuple[Verdict, ProofReason | None, StepName]:
    assert report is not None
    (step,) = report.steps
    return report.verdict, report.reason, step.name


@pytest.mark.parametrize(
    ("bomb", "expected"),
    [
        (b"memory", ProofReason.LIMIT_MEMORY),
        (b"256 MiB", ProofReason.LIMIT_MEMORY),
        (b"crash", ProofReason.LIMIT_CRASH),
        (b"error", ProofReason.LIMIT_CRASH),
        (b"lie", ProofReason.LIMIT_CRASH),
        (b"flood", ProofReason.LIMIT_CRASH),
    ],
)
def test_a_file_that_overruns_cannot_be_checked_and_the_next_one_can(
    bombs: Verifiers, bomb: bytes, expected: ProofReason
) -> None:
    """The worker is killed, says which limit it was, and another one has its place."""
    report = bombs.verify(BOMB + bomb, None, EVIDENCE)
    after = bombs.verify(BOMB, None, EVIDENCE)

    assert reason(report) == (Verdict.CANNOT_CHECK, expected, StepName.LIMITS)
    assert reason(after) == (Verdict.VALID, None, StepName.PACKAGE)


def test_half_the_memory_is_there(bombs: Verifiers) -> None:
    """So it is the limit that ends the file that wants all of it, and no less."""
    report = bombs.verify(BOMB + b"128 MiB", None, EVIDENCE)

    assert reason(report) == (Verdict.VALID, None, StepName.PACKAGE)


def test_a_worker_that_hangs_is_ended_by_the_clock(
    bombs: Verifiers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It uses no processor time, so nothing else would end it."""
    bombs.start()
    monkeypatch.setattr(worker, "CLOCK_S_MAX", 0.5)

    report = bombs.verify(BOMB + b"sleep", None, EVIDENCE)

    assert reason(report) == (Verdict.CANNOT_CHECK, ProofReason.LIMIT_TIME, StepName.LIMITS)


def test_what_a_worker_waits_for_a_processor_is_not_counted(
    bombs: Verifiers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine makes no genuine file uncheckable, until it starves for too long."""
    bombs.start()
    waited = iter(range(1_000))
    monkeypatch.setattr(worker._Worker, "_waited_s", lambda _: float(next(waited)))
    monkeypatch.setattr(worker, "CLOCK_S_MAX", 0.2)

    patient = bombs.verify(BOMB + b"nap", None, EVIDENCE)
    monkeypatch.setattr(worker, "WALL_S_MAX", 0.3)
    starved = bombs.verify(BOMB + b"nap", None, EVIDENCE)

    assert reason(patient) == (Verdict.VALID, None, StepName.PACKAGE)
    assert reason(starved) == (Verdict.CANNOT_CHECK, ProofReason.LIMIT_TIME, StepName.LIMITS)


def test_a_loop_ends_after_two_seconds_of_processor_time(bombs: Verifiers) -> None:
    """Not earlier, and not at the end of the time by the clock."""
    bombs.start()
    before = os.times()

    report = bombs.verify(BOMB + b"loop", None, EVIDENCE)

    after = os.times()
    assert reason(report) == (Verdict.CANNOT_CHECK, ProofReason.LIMIT_TIME, StepName.LIMITS)
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    assert 1.5 <= used <= 3.0


def test_a_worker_killed_by_hand_is_cannot_check_and_replaced(bombs: Verifiers) -> None:
    """Whoever kills it, in the middle of a file or between two."""
    bombs.start()
    (process,) = children()
    killer = threading.Timer(0.3, os.kill, (process, signal.SIGKILL))
    killer.start()

    report = bombs.verify(BOMB + b"sleep", None, EVIDENCE)
    bombs.start()
    (second,) = children()
    os.kill(second, signal.SIGKILL)
    time.sleep(0.1)
    idle = bombs.verify(BOMB, None, EVIDENCE)
    after = bombs.verify(BOMB, None, EVIDENCE)

    assert reason(report) == (Verdict.CANNOT_CHECK, ProofReason.LIMIT_CRASH, StepName.LIMITS)
    assert reason(idle) == (Verdict.VALID, None, StepName.PACKAGE)
    assert reason(after) == (Verdict.VALID, None, StepName.PACKAGE)


def children() -> list[int]:
    """Workers that this process started and that run; other tests here start other processes."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [int(one) for one in listed if _is_worker(Path(f"/proc/{one}/cmdline"))]


def _is_worker(command: Path) -> bool:
    return bool({b"hub.proof.worker", b"tests.proof.bombs"} & {*command.read_bytes().split(b"\0")})


@pytest.mark.parametrize(
    "file", [pytest.param(one, id=str(n)) for n, one in enumerate(sorted(SOUND))]
)
def test_a_worker_reports_what_the_engine_reports(verifiers: Verifiers, file: bytes) -> None:
    """The same steps, reasons and facts; only the time that each took is another."""
    trust = parse_trust(hub_trust())
    evidence = Evidence(NOW)
    found = verifiers.verify(file, trust, evidence)

    assert found is not None
    assert untimed(found) == untimed(verify(file, found.kind, trust, evidence))


def untimed(report: Report) -> object:
    members = report_to_json(report)
    return members | {"steps": [{**step, "used_us": 0} for step in members["steps"]]}  # type: ignore[union-attr, dict-item]


def test_what_is_none_of_ours_is_said_so(verifiers: Verifiers) -> None:
    """No report, whatever its size."""
    assert verifiers.verify(b"GIF89a", None, EVIDENCE) is None
    assert verifiers.verify(b"x" * (worker.FILE_BYTES_MAX + 1), None, EVIDENCE) is None


def test_a_file_beyond_the_limit_is_not_read(verifiers: Verifiers) -> None:
    """It may be genuine."""
    report = verifiers.verify(b"%PDF-" + bytes(worker.FILE_BYTES_MAX), None, EVIDENCE)

    assert reason(report) == (Verdict.CANNOT_CHECK, ProofReason.LIMIT_SIZE, StepName.LIMITS)


def test_a_report_reads_back_as_it_was_written() -> None:
    """JSON and back loses nothing."""
    report = verify(TWO_FIELDS.encode(), Kind.PRESENTATION, parse_trust(hub_trust()), Evidence(NOW))
    import json

    assert parse_report(json.dumps(report_to_json(report)).encode()) == report


def test_a_worker_knows_nothing_of_its_parents_environment_and_writes_no_file(
    verifiers: Verifiers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that is taken over finds no secret and leaves nothing behind."""
    environment = [Path(f"/proc/{one}/environ").read_bytes() for one in children()]
    limits = [Path(f"/proc/{one}/limits").read_text() for one in children()]

    assert environment
    assert all(one == b"MALLOC_ARENA_MAX=1\x00" for one in environment)
    for text in limits:
        by_name = {line[:26].strip(): line[26:].split() for line in text.splitlines()}
        assert by_name["Max file size"][:2] == ["0", "0"]
        assert by_name["Max address space"][:2] == [str(worker.MEMORY_BYTES_MAX)] * 2
        assert by_name["Max core file size"][:2] == ["0", "0"]
