"""How often somebody may be told "not confirmed", before it is guessing.

Counted in the memory of one process, per hour: a restart forgets, and several processes allow as
many times more. That still keeps a number of six digits out of reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.errors import HubError, Reason

PER_SUBJECT_MAX: Final = 10
PER_CALLER_MAX: Final = 1_000
_WINDOW_US: Final = 3_600_000_000


@dataclass(slots=True)
class _Window:
    """One hour of one caller; `subjects` has at most `PER_CALLER_MAX` members."""

    start_us: int
    total: int = 0
    subjects: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Guesses:
    """Bounds unconfirmed answers per caller, and per caller and holder or identifier."""

    clock: Clock
    _windows: dict[str, _Window] = field(default_factory=dict)

    def take(self, caller: str, subject: str) -> None:
        """Count a try before it is made, so that tries at the same time cannot pass together.

        Raises HubError(RATE_LIMITED) with the time at which the hour ends.
        """
        now_us = self.clock()
        window = self._windows.get(caller)
        if window is None or now_us - window.start_us >= _WINDOW_US:
            window = self._windows[caller] = _Window(now_us)
        tries = window.subjects.get(subject, 0)
        if tries >= PER_SUBJECT_MAX or window.total >= PER_CALLER_MAX:
            left_us = window.start_us + _WINDOW_US - now_us
            raise HubError(Reason.RATE_LIMITED, retry_after_s=left_us / 1_000_000)
        window.total += 1
        window.subjects[subject] = tries + 1

    def give_back(self, caller: str, subject: str) -> None:
        """The try was no guess: it was confirmed, or nothing was answered."""
        window = self._windows.get(caller)
        if window is not None and window.subjects.get(subject, 0) > 0:
            window.total -= 1
            window.subjects[subject] -= 1
