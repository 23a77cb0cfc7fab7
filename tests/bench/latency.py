"""Latency at half of peak: open loop, so that a slow answer does not slow the asking down."""

from __future__ import annotations

import dataclasses

from tests.bench import goals, stage
from tests.bench.figures import neighbour_ratios, spread
from tests.bench.session import Result, Session, interleave

_PEAK_SEGMENTS = 3
# Percentiles need more calls than a throughput does: ten beyond the 99th at least.
_LONGER = 2
_CALLS_MIN = 1_000


def latency(session: Session, hub: stage.RunningHub) -> Result:
    """p99 of a fetch, and of an echo, both asked at half of the fetch's peak rate."""
    result = Result("latency")
    peaks = [session.fetch("peak", hub).outcome.per_second for _ in range(_PEAK_SEGMENTS)]
    rate = spread(peaks).median / 2
    result.figures["rate per second"] = rate
    longer = dataclasses.replace(
        session,
        effort=dataclasses.replace(
            session.effort, seconds=max(session.effort.seconds * _LONGER, _CALLS_MIN / rate)
        ),
    )
    count = int(rate * longer.effort.seconds)
    interleave(
        result,
        session.effort.rounds,
        [
            lambda: longer.echo("A", hub, rate=rate, requests_max=count),
            lambda: longer.fetch("fetch", hub, rate=rate, requests_max=count),
        ],
        by_tail=True,
    )
    for name in ("p50_ms", "p99_ms"):
        values = [(s.target, float(getattr(s.outcome, name))) for s in result.segments]
        for target in ("A", "fetch"):
            result.figures[f"{target} {name}"] = spread(
                [value for other, value in values if other == target]
            ).median
        goal = goals.P99 if name == "p99_ms" else None
        result.ratio(f"{name[:3]} fetch ÷ A", neighbour_ratios(values, "fetch", "A"), goal)
    return result
