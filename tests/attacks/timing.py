"""Can a clock tell another department's certificate from one that never was?

    python -m tests.attacks.timing [CALLS [WORD]]

For each probe of `tests/attacks/matrix.py` that its role may call at all, and each operation of the
facade: CALLS (2,000) calls about a certificate that is there, as many about its double that is not,
and as many about a second double as a control, in random order within each round. Compared are
medians. The result is written to docs/timing.md; it ends with 1 where a probe differs by 5 % or
more. With WORD only the probes whose name has it, and nothing is written.

A delivery makes a certificate of the caller's own, so each is about another one.
"""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from connectors.facade.questions import Operation
from tests.attacks.facade_matrix import FACADE_PROBES, Caller, FacadeProbe
from tests.attacks.matrix import (
    CALLERS,
    Naming,
    Probe,
    Target,
    absent,
    attach_documents,
    call,
    caller,
    probes,
    request_for,
    targets,
)
from tests.exchange.plans import furnish_items
from tests.simulator import LICENCE, ROOT, Simulator, make_city

CALLS: Final = 2_000
WARM_UP: Final = 100
DIFFERENCE_MAX: Final = 0.05
_BATCH: Final = 1_000
# Companies of whom no other probe delivers.
_ROWS_FROM: Final = 100_000
# How a caller is told of what it may not see; of a list or an announcement, with nothing.
_TOLD: Final = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)
# Of an answer of the facade that says nothing about certificates.
_UNTOLD: Final = re.compile(rb"TOKEN_|RATE_LIMITED|INTERNAL|_UNAVAILABLE")


@dataclass(frozen=True)
class Timed:
    """Medians of one probe in seconds."""

    rpc: str
    caller: str
    names: str
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


Variants = tuple[Target, Target, Target]
"""A certificate that is there, its double, and a second double as a control."""


async def medians(
    once: Callable[[Target], Awaitable[float]], asked: Callable[[int], Variants], calls: int
) -> tuple[float, float, float]:
    """Of all calls of one probe, whose targets `asked` gives for each turn."""
    seconds: tuple[list[float], ...] = ([], [], [])
    order, warm_up = [0, 1, 2], min(calls, WARM_UP)
    for turn in range(calls + warm_up):
        random.shuffle(order)
        for one in order:
            taken = await once(asked(turn)[one])
            if turn >= warm_up:
                seconds[one].append(taken)
    there, never, control = (statistics.median(one) for one in seconds)
    return there, never, control


def variants(there: Target) -> Variants:
    """`there` with two doubles."""
    return (
        there,
        absent(there, there.company_number + 500_000),
        absent(absent(there, there.company_number), there.company_number + 600_000),
    )


async def time_probe(hub: Simulator, probe: Probe, there: Target, calls: int) -> Timed:
    """All calls of one RPC."""
    member = caller(hub, CALLERS[probe.role])

    async def once(target: Target) -> float:
        data = await request_for(probe, member, target)
        began = time.perf_counter()
        try:
            await call(probe, member, data)
        except grpc.aio.AioRpcError as error:
            assert error.code() in _TOLD, error.details()
        return time.perf_counter() - began

    asked = variants(there)
    every = [asked] * (calls + WARM_UP)
    if probe.naming is Naming.ROWS:
        every = [variants(one) for one in await _many(hub, calls + WARM_UP)]
    found = await medians(once, every.__getitem__, calls)
    method = probe.path.rpartition("/")[2]
    return Timed(method, probe.role.value, probe.naming.value, *found)


async def time_over_facade(
    stranger: Caller, probe: FacadeProbe, there: Target, calls: int
) -> Timed:
    """All calls of one operation, by an account of a system that may not have what it asks for."""

    async def once(target: Target) -> float:
        began = time.perf_counter()
        _, body = await stranger.call(probe.operation, probe.data(target))
        taken = time.perf_counter() - began
        # Otherwise the facade's own edge would be timed, and nothing behind it.
        assert not _UNTOLD.search(body), body.decode()
        return taken

    stranger.renew()
    asked = variants(there)
    found = await medians(once, lambda _turn: asked, calls)
    return Timed(f"facade {probe.operation.value}", "account", probe.names, *found)


async def _many(hub: Simulator, count: int) -> list[Target]:
    """So many certificates of the other department."""
    found: list[Target] = []
    while len(found) < count:
        part = min(_BATCH, count - len(found))
        pairs = await targets(hub, _ROWS_FROM + len(found), part)
        found += [there for there, _ in pairs]
    return found


async def campaign(home: Path, calls: int, word: str = "") -> list[Timed]:
    """Every probe, one after the other, on one hub."""
    chosen = [one for one in probes()[0] if one.is_allowed and word in str(one)]
    over = [one for one in FACADE_PROBES if word in f"facade-{one}"]
    found: list[Timed] = []
    async with Simulator(home) as hub:
        await furnish_items(hub)
        pairs = await targets(hub, 1_000, len(chosen) + 1)
        await attach_documents(hub, pairs[-1:])
        stranger = Caller.of(hub, "window-2", home / "facade")
        await stranger.call(Operation.DICTIONARY, {"certTypeCode": LICENCE})
        for probe, (there, _) in zip(chosen, pairs, strict=False):
            found.append(await time_probe(hub, probe, there, calls))
            print(_row(found[-1]), flush=True)
        for one in over:
            found.append(await time_over_facade(stranger, one, pairs[-1][0], calls))
            print(_row(found[-1]), flush=True)
        stranger.facade.close()
    return found


def _row(timed: Timed) -> str:
    return (
        f"| {timed.rpc} | {timed.caller} | {timed.names} "
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
questions and gets as many rows (`tests/attacks/test_matrix.py` and, over the facade,
`test_facade_matrix.py`, in every run of the tests).
"""


def main(words: list[str]) -> int:
    """Run the campaign, write the page."""
    calls = int(words[0]) if words else CALLS
    word = words[1] if len(words) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="sealway-timing-") as folder:
        home = Path(folder) / "home"
        # A thread of its own, because making it runs event loops.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(make_city, home).result()
        found = asyncio.run(campaign(home, calls, word))
    if not word:
        (ROOT / "docs" / "timing.md").write_text(report(found, calls), encoding="utf-8")
    loud = [timed for timed in found if abs(timed.difference) >= DIFFERENCE_MAX]
    return 1 if loud else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
