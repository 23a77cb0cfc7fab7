"""Medians, quartiles, ratios of neighbours, and the rule that makes a run worthless."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# An echo compared with itself must come out near one, and not on average only: both quartiles
# count, because a median of few rounds can be right by accident while its neighbours are not.
CONTROL_MIN: Final = 0.85
CONTROL_MAX: Final = 1.15
CONTROLS_MIN: Final = 3
# A tail varies more than a throughput.
TAIL_CONTROL_MIN: Final = 0.67
TAIL_CONTROL_MAX: Final = 1.5
# The machine must have been ours.
STEAL_MAX: Final = 0.10


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its quartiles, over `count` values."""

    median: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}-{self.high:.3f}]"


def percentile(values: Sequence[float], percent: float) -> float:
    """The percentile of sorted `values` (at least one), between neighbours by their distance."""
    position = (len(values) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles of `values` (at least one)."""
    ordered = sorted(values)
    return Spread(
        percentile(ordered, 50), percentile(ordered, 25), percentile(ordered, 75), len(ordered)
    )


def neighbour_ratios(
    segments: Sequence[tuple[str, float]], ours: str, yardstick: str
) -> list[float]:
    """Each of our segments ÷ the yardstick's nearest in time (the mean of two equally near)."""
    ratios = []
    for position, (target, value) in enumerate(segments):
        if target != ours or value <= 0:
            continue
        distances = [
            (abs(position - other), other_value)
            for other, (name, other_value) in enumerate(segments)
            if name == yardstick and other != position and other_value > 0
        ]
        if not distances:
            continue
        nearest = min(distance for distance, _ in distances)
        values = [other_value for distance, other_value in distances if distance == nearest]
        # Harmonic: the mean cost per request, not the mean rate.
        ratios.append(value * sum(1 / other for other in values) / len(values))
    return ratios


def control_ratios(segments: Sequence[tuple[str, float]], yardstick: str) -> list[float]:
    """The yardstick against itself: each segment ÷ the one before."""
    values = [value for name, value in segments if name == yardstick]
    return [later / earlier for earlier, later in itertools.pairwise(values) if earlier > 0]


def why_invalid(
    control: Sequence[float], steal: float, failures: int, *, is_tail: bool = False
) -> str:
    """Why a run says nothing, or an empty text. `is_tail`: the control compares percentiles."""
    low, high = CONTROL_MIN, CONTROL_MAX
    if is_tail:
        low, high = TAIL_CONTROL_MIN, TAIL_CONTROL_MAX
    reasons = []
    if len(control) < CONTROLS_MIN:
        reasons.append(f"{len(control)} controls, fewer than {CONTROLS_MIN}")
    else:
        found = spread(control)
        if not low <= found.low <= found.high <= high:
            reasons.append(f"control {found} not within {low}-{high}")
    if steal > STEAL_MAX:
        reasons.append(f"steal {steal:.0%} above {STEAL_MAX:.0%}")
    if failures:
        reasons.append(f"{failures} wrong answers")
    return "; ".join(reasons)
