"""The hub's clock: one function to be handed to whoever needs the time."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Microseconds since 1970 UTC."""

# Legal days are counted in the region's zone; all of China keeps one.
CHINA: Final = datetime.timezone(datetime.timedelta(hours=8), "Asia/Shanghai")


def now_us() -> int:
    """The time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def legal_day(time_us: int) -> datetime.date:
    """The calendar day of `time_us` in China."""
    return datetime.datetime.fromtimestamp(time_us / 1_000_000, CHINA).date()
