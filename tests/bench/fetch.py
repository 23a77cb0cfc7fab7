"""Fetch: throughput against both yardsticks; twenty certificates in one request; epochs of one."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench import goals, stage
from tests.bench.figures import neighbour_ratios, spread
from tests.bench.session import (
    Result,
    Session,
    cpu_us,
    interleave,
    per_second,
    throughput_ratio,
)

CERTIFICATES: int = 20
# Twenty seals are twenty times the bytes: fewer requests fill the same time.
_REQUESTS_PER_SECOND_20 = 1_000


def fetch(session: Session, hub: stage.RunningHub) -> Result:
    """The full fetch, one certificate per request."""
    result = Result("fetch")
    _against_yardsticks(session, hub, result)
    return result


def fetch_20(session: Session, hub: stage.RunningHub) -> Result:
    """Requests for twenty certificates beside requests for one, on the same hub."""
    result = Result("fetch-20")
    _twenty(session, hub, result)
    return result


def fetch_slow_disk(session: Session, environment: Mapping[str, str]) -> Result:
    """Both of the above on a disk that is a millisecond slower per fsync."""
    result = Result("fetch", "fsync +1 ms")
    with stage.serving(session.stage, "slow", environment=environment) as hub:
        _against_yardsticks(session, hub, result)
    return result


def fetch_20_slow_disk(session: Session, environment: Mapping[str, str]) -> Result:
    """Twenty certificates per request on the slower disk."""
    result = Result("fetch-20", "fsync +1 ms")
    with stage.serving(session.stage, "slow", environment=environment) as hub:
        _twenty(session, hub, result)
    return result


def epoch_of_one(
    session: Session, hub: stage.RunningHub, environment: Mapping[str, str], variant: str
) -> Result:
    """One commit and one signature per request, for comparison with `hub`'s epochs."""
    result = Result("epoch-1", variant)
    ledger = {"window_ms": 0, "members_max": 1}
    with stage.serving(session.stage, "single", ledger=ledger, environment=environment) as single:
        interleave(
            result,
            session.effort.rounds,
            [
                lambda: session.echo("A", hub),
                lambda: session.fetch("fetch", hub),
                lambda: session.fetch("epoch-1", single),
            ],
        )
    throughput_ratio(result, "epoch-1", "A")
    throughput_ratio(result, "epoch-1", "fetch")
    return result


def _against_yardsticks(session: Session, hub: stage.RunningHub, result: Result) -> None:
    interleave(
        result,
        session.effort.rounds,
        [
            lambda: session.echo("A", hub),
            lambda: session.fetch("fetch", hub),
            lambda: session.echo("B", hub),
            lambda: session.fetch("fetch", hub),
        ],
    )
    # The gates are those of the disk there is; a slower one is shown beside them.
    measured = not result.variant
    throughput_ratio(result, "fetch", "A", goals.FETCH_A if measured else None)
    throughput_ratio(result, "fetch", "B", goals.FETCH_B if measured else None)
    throughput_ratio(result, "B", "A")
    fetches = [segment for segment in result.segments if segment.target == "fetch"]
    result.figures["entries per epoch"] = spread([s.epoch_mean for s in fetches]).median


def _twenty(session: Session, hub: stage.RunningHub, result: Result) -> None:
    limit = int(_REQUESTS_PER_SECOND_20 * session.effort.seconds)
    interleave(
        result,
        session.effort.rounds,
        [
            lambda: session.echo("A", hub),
            lambda: session.fetch("fetch", hub),
            lambda: session.fetch("fetch-20", hub, certificates=CERTIFICATES, requests_max=limit),
        ],
    )
    costs = [(target, 1 / rate) for target, rate in per_second(result.segments) if rate]
    result.ratio(
        "cost per certificate ÷ cost of one",
        [ratio / CERTIFICATES for ratio in neighbour_ratios(costs, "fetch-20", "fetch")],
        None if result.variant else goals.FETCH_20,
    )
    cpu = neighbour_ratios(cpu_us(result.segments), "fetch-20", "fetch")
    result.ratio("CPU per certificate ÷ CPU of one", [ratio / CERTIFICATES for ratio in cpu])
