"""`python -m tests.bench.plan`: how long a plan of 20 materials takes, record and receipt included.

In one process, without the network: signed request verified, 20 pairs of holder and type looked up
in one question, judged, noticed, recorded, receipted. One plan at a time, each for ten other
holders, so that nothing is warm but what a running hub keeps warm.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hub.domain.service_item import Role
from hub.exchange.plan import Outcome
from hub.proof.exchange.plan_request import sign_plan_request
from tests.exchange.planning import ITEM, Window, company, item, material, open_window
from tests.registry.office import LICENCE, PERMIT, licence

HOLDERS: Final = 10
MATERIALS: Final = 20
BATCH: Final = 1_000
WARM_UP: Final = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run showed; milliseconds per plan."""

    certificates: int
    plans: int
    p50_ms: float
    p99_ms: float
    most_ms: float


async def measure(window: Window, certificates: int, plans: int) -> Figures:
    """Time `plans` plans of `window`, where companies 1 to `certificates` have a licence on file.

    Raises AssertionError where a plan is wrong: a fast wrong answer is no figure.
    """
    await window.grant(LICENCE, "name")
    await window.grant(PERMIT, "name")
    window.define(
        item(
            ITEM,
            material("licence", Role.CO_OWNER, LICENCE),
            material("permit", Role.CO_OWNER, PERMIT),
        )
    )
    taken: list[float] = []
    for number in range(WARM_UP + plans):
        first = number * HOLDERS % (certificates - HOLDERS + 1) + 1
        people = [company(first + one, "co-owner") for one in range(HOLDERS)]
        claims = window.claims(*people)
        compact = sign_plan_request(claims, window.signer)
        started = time.perf_counter()
        answer = await window.plan(window.caller, claims.jti, compact)
        taken.append((time.perf_counter() - started) * 1000)
        assert [one.planned.outcome for one in answer.lines] == (
            [Outcome.ON_FILE] * HOLDERS + [Outcome.ASK] * HOLDERS
        )
    timed = sorted(taken[WARM_UP:])
    return Figures(
        certificates,
        plans,
        round(timed[len(timed) // 2], 2),
        round(timed[len(timed) * 99 // 100], 2),
        round(timed[-1], 2),
    )


async def run(url: str, certificates: int, plans: int) -> Figures:
    """Deliver `certificates` licences into the database at `url`, which has no log yet, or into a
    new one, and time plans for their holders."""
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as folder:
        database = url or f"sqlite:///{folder}/hub.db"
        async with open_window(database, Path(folder)) as window:
            for first in range(1, certificates + 1, BATCH):
                last = min(first + BATCH, certificates + 1)
                await window.office.deliver([licence(number) for number in range(first, last)])
            return await measure(window, certificates, plans)


def main(arguments: Sequence[str] | None = None) -> None:
    """Deliver, measure, print one line for people and one of JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench.plan", description=__doc__)
    parser.add_argument("--database", default="", help="URL of an empty database; else SQLite")
    parser.add_argument("--certificates", type=int, default=10_000)
    parser.add_argument("--plans", type=int, default=500)
    asked = parser.parse_args(arguments)
    figures = asyncio.run(run(asked.database, max(asked.certificates, HOLDERS), asked.plans))
    print(
        f"plan of {MATERIALS} materials, {figures.certificates:,} certificates on file: "
        f"p50 {figures.p50_ms} ms, p99 {figures.p99_ms} ms, most {figures.most_ms} ms"
    )
    print(json.dumps({"program": "plan", **asdict(figures)}))


if __name__ == "__main__":
    main()
