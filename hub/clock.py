"""The hub's clock: one function to be handed to whoever needs the time."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Microseconds since 1970 UTC."""

# Legal days are counted in the region's zone; all of China keeps one.
_HOUR_US: Final = 3_600_000_000
CHINA: Final = datetime.timezone(datetime.timedelta(hours=8), "Asia/Shanghai")


def now_us() -> int:
    """The time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def legal_day(time_us: int) -> datetime.date:
    """The calendar day of `time_us` in China."""
    return _day_of_hour(time_us // _HOUR_US)


# Days begin with an hour, here and in UTC; each decision asks for the day of the hour that it is.
@lru_cache(maxsize=64)
def _day_of_hour(hour: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(hour * 3600, CHINA).date()
