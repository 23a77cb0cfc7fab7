"""Can a clock tell another department's certificate from one that never was?

    python -m tests.attacks.timing [CALLS]

For each probe of `tests/attacks/matrix.py` that its role may call at all: CALLS (2,000) calls about
a certificate that is there, as many about its double that is not, and as many about a second double
as a control, in random order within each round. Compared are medians. The result is written to
docs/timing.md; it ends with 1 where a probe differs by 5 % or more. Ingest is left out: it writes a
certificate of the caller's own each time, which costs more than what could be told.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from tests.attacks.matrix import (
    CALLERS,
    Naming,
    Probe,
    Target,
    absent,
    call,
    caller,
    probes,
    request_for,
    targets,
)
from tests.simulator import ROOT, Member, Simulator, make_city

CALLS: Final = 2_000
WARM_UP: Final = 100
DIFFERENCE_MAX: Final = 0.05


@dataclass(frozen=True)
class Timed:
    """Medians of one probe in seconds."""

    probe: Probe
    there: float
    never: float
    control: float

    @property
    def difference(self) -> float:
        """Of what is there to what is not, as a share."""
        return self.there / self.never - 1

    @property
    def noise(self) -> float:
        """Of two certificates that are not there."""
        return self.control / self.never - 1


async def time_probe(hub: Simulator, probe: Probe, there: Target, calls: int) -> Timed:
    """All calls of one probe."""
    member = caller(hub, CALLERS[probe.role])
    asked = (
        there,
        absent(there, there.company_number + 500_000),
        absent(absent(there, there.company_number), there.company_number + 600_000),
    )
    seconds: tuple[list[float], ...] = ([], [], [])
    order = [0, 1, 2]
    for turn in range(calls + WARM_UP):
        random.shuffle(order)
        for one in order:
            taken = await _once(probe, member, asked[one])
            if turn >= WARM_UP:
                seconds[one].append(taken)
    medians = [statistics.median(one) for one in seconds]
    return Timed(probe, medians[0], medians[1], medians[2])


async def _once(probe: Probe, member: Member, target: Target) -> float:
    data = await request_for(probe, member, target)
    began = time.perf_counter()
    try:
        await call(probe, member, data)
    except grpc.aio.AioRpcError as error:
        assert error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)
    return time.perf_counter() - began


async def campaign(home: Path, calls: int) -> list[Timed]:
    """Every probe, one after the other, on one hub."""
    chosen = [one for one in probes()[0] if one.is_allowed and one.naming is not Naming.ROWS]
    found = []
    async with Simulator(home) as hub:
        pairs = await targets(hub, 1_000, len(chosen))
        for probe, (there, _) in zip(chosen, pairs, strict=True):
            timed = await time_probe(hub, probe, there, calls)
            print(_row(timed), flush=True)
            found.append(timed)
    return found


def _row(timed: Timed) -> str:
    method = timed.probe.path.rpartition("/")[2]
    return (
        f"| {method} | {timed.probe.role.value} | {timed.probe.naming.value} "
        f"| {timed.there * 1e3:.3f} | {timed.never * 1e3:.3f} "
        f"| {timed.difference:+.1%} | {timed.noise:+.1%} |"
    )


def report(found: list[Timed], calls: int) -> str:
    """The page."""
    rows = "\n".join(_row(timed) for timed in found)
    return f"""\
# Timing

Can a department tell by a clock that another department has a certificate? Written by `make timing`
(`tests/attacks/timing.py`): {calls:,} calls per variant and probe, interleaved in random order, on
one machine over loopback with SQLite; medians. *There* is a certificate of another department,
*never* one that is not on file, *control* the difference of two that are not on file: what is below
it is noise. Goal: below {DIFFERENCE_MAX:.0%}.

| RPC | caller | the request names | there, ms | never, ms | difference | control |
|---|---|---|---|---|---|---|
{rows}

What a clock cannot tell is also counted: for both variants the hub asks its database the same
questions and gets as many rows (`tests/attacks/test_matrix.py`, in every run of the tests).
"""


def main(words: list[str]) -> int:
    """Run the campaign, write the page."""
    calls = int(words[0]) if words else CALLS
    with tempfile.TemporaryDirectory(prefix="sealway-timing-") as folder:
        home = Path(folder) / "home"
        # A thread of its own, because making it runs event loops.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(make_city, home).result()
        found = asyncio.run(campaign(home, calls))
    (ROOT / "docs" / "timing.md").write_text(report(found, calls), encoding="utf-8")
    loud = [timed for timed in found if abs(timed.difference) >= DIFFERENCE_MAX]
    return 1 if loud else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
