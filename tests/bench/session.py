"""What the programs share: the load driver, the yardsticks, a stage, and segments in turn."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import stage
from tests.bench.echo import PATH as ECHO_PATH
from tests.bench.figures import (
    Spread,
    control_ratios,
    neighbour_ratios,
    spread,
    why_invalid,
)
from tests.bench.goals import Goal
from tests.bench.jobs import WARM_UP_CALLS, Job, Outcome
from tests.bench.machine import Steal
from tests.bench.processes import Driver, Server, echo_server, load_driver

ECHO_REQUEST_BYTES: Final = 200
_PROBE: Final = 200


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a run takes."""

    certificates: int
    rounds: int
    seconds: float
    ingest_batches: int
    callgrind_requests: int


FULL: Final = Effort(5_000, 7, 2.0, 3, 300)
QUICK: Final = Effort(500, 3, 0.8, 1, 100)


@dataclass(frozen=True, slots=True)
class Segment:
    """One measured stretch of one target."""

    target: str
    outcome: Outcome
    cpu_us: float
    epoch_mean: float


@dataclass(slots=True)
class Result:
    """What one program found; becomes one JSON line."""

    program: str
    variant: str = ""
    skipped: str = ""
    invalid: str = ""
    ratios: dict[str, Spread] = field(default_factory=dict)
    goals: list[tuple[Goal, float]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    steal: float = 0.0

    def ratio(self, name: str, values: Sequence[float], goal: Goal | None = None) -> None:
        """Keep a ratio, and hold its median against a goal."""
        if values:
            self.ratios[name] = spread(values)
            if goal is not None:
                self.goals.append((goal, self.ratios[name].median))


@dataclass(slots=True)
class Session:
    """A run: one stage, one driver, both yardsticks."""

    folder: Path
    effort: Effort
    stage: stage.Stage
    driver: Driver
    answer_bytes: int = 0
    echoes: dict[str, tuple[Server, str]] = field(default_factory=dict)

    def echo(self, kind: str, hub: stage.RunningHub, **more: object) -> Segment:
        """One segment of yardstick A or B; B takes requests signed for `hub`."""
        server, address = self.echoes[kind]
        common = {
            "target": kind,
            "address": address,
            "path": ECHO_PATH,
            "answer_bytes": self.answer_bytes,
            "requests_max": self._requests_max(12_000 if kind == "A" else 8_000),
            **more,
        }
        job = Job(
            seconds=self.effort.seconds,
            **self.stage.tls(),
            **common,  # type: ignore[arg-type]
        )
        if kind == "A":
            job = dataclasses.replace(job, plain_bytes=ECHO_REQUEST_BYTES)
        else:
            job = dataclasses.replace(job, signing=hub.signing())
        return self._segment(job, server, None)

    def fetch(self, target: str, hub: stage.RunningHub, **more: object) -> Segment:
        """One segment of fetches from `hub`."""
        requests_max = more.pop("requests_max", self._requests_max(6_000))
        assert isinstance(requests_max, int)
        job = hub.job(target, seconds=self.effort.seconds, requests_max=requests_max, **more)
        return self._segment(job, hub.server, hub)

    def _requests_max(self, per_second: int) -> int:
        return int(per_second * self.effort.seconds)

    def _segment(self, job: Job, server: Server, hub: stage.RunningHub | None) -> Segment:
        before = hub.epochs() if hub else (0.0, 0.0)
        cpu = server.cpu_s()
        outcome = self.driver.run(job)
        cpu = server.cpu_s() - cpu
        after = hub.epochs() if hub else (0.0, 0.0)
        epochs = max(1.0, after[0] - before[0])
        # Opening the connections is in it, on every side alike.
        calls = outcome.answered + WARM_UP_CALLS
        return Segment(job.target, outcome, cpu / calls * 1e6, (after[1] - before[1]) / epochs)


@contextlib.contextmanager
def opened(folder: Path, effort: Effort) -> Iterator[tuple[Session, stage.RunningHub]]:
    """A session with a hub as delivered, and yardsticks that answer as many bytes as it does."""
    with contextlib.ExitStack() as stack:
        place = stage.build(folder / "stage", effort.certificates)
        driver = stack.enter_context(load_driver(folder))
        session = Session(folder, effort, place, driver)
        hub = stack.enter_context(stage.serving(place, "hub"))
        probe = session.fetch("probe", hub, requests_max=_PROBE)
        if probe.outcome.failures:
            raise RuntimeError(f"the hub answers wrongly: {probe.outcome.first_failure}")
        session.answer_bytes = round(probe.outcome.answer_bytes_mean)
        for kind in ("A", "B"):
            session.echoes[kind] = stack.enter_context(
                echo_server(
                    folder,
                    kind.lower(),
                    answer_bytes=session.answer_bytes,
                    tls=place.server_tls(),
                    signer=place.signing_public_key,
                )
            )
        yield session, hub


def interleave(
    result: Result,
    rounds: int,
    turns: Sequence[Callable[[], Segment]],
    *,
    by_tail: bool = False,
) -> None:
    """Run the turns in order, `rounds` times and the first once more; judge validity.

    The control is yardstick A against itself: by throughput, or by p99 (`by_tail`) where the rate
    is given and so would always agree.
    """
    steal = Steal()
    for number in range(rounds):
        for turn in turns:
            result.segments.append(turn())
        if number == rounds - 1:
            result.segments.append(turns[0]())
    result.steal = steal.share()
    failures = sum(segment.outcome.failures for segment in result.segments)
    judged = p99_ms(result.segments) if by_tail else per_second(result.segments)
    values = control_ratios(judged, "A")
    result.ratio("control", values)
    result.invalid = why_invalid(values, result.steal, failures, is_tail=by_tail)


def per_second(segments: Sequence[Segment]) -> list[tuple[str, float]]:
    """Each segment's throughput, in order."""
    return [(segment.target, segment.outcome.per_second) for segment in segments]


def p99_ms(segments: Sequence[Segment]) -> list[tuple[str, float]]:
    """Each segment's 99th percentile, in order."""
    return [(segment.target, segment.outcome.p99_ms) for segment in segments]


def cpu_us(segments: Sequence[Segment]) -> list[tuple[str, float]]:
    """Each segment's server CPU per call, in order."""
    return [(segment.target, segment.cpu_us) for segment in segments]


def throughput_ratio(result: Result, ours: str, yardstick: str, goal: Goal | None = None) -> None:
    """Throughput, and CPU per call beside it: the latter suffers less from a busy machine."""
    result.ratio(
        f"{ours} ÷ {yardstick}",
        neighbour_ratios(per_second(result.segments), ours, yardstick),
        goal,
    )
    result.ratio(
        f"CPU {ours} ÷ {yardstick}", neighbour_ratios(cpu_us(result.segments), ours, yardstick)
    )
