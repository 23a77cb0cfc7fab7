"""Record seals as a hub makes them: composed and signed one by one, folded, by a slow key, anew.

The yardstick is `openssl speed` P-256 on one core, in processor time; the slow key is measured in
time, since it waits. What is sealed is what a real batch brought: everything from the rows to the
rows of the database, without the database.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hub.domain.seal_states import KeyState
from hub.proof.records.status_list import Status
from hub.seal.keys import LogEvidence, Mandate, RecordWork, SigningKey
from hub.seal.record_seals import RecordSeals, SealedBatch, _Authority
from hub.seal.reseal.logged_seals import LoggedSeal
from hub.seal.reseal.records import _Work
from hub.seal.store import Sealed, StoredSeal
from tests.bench import goals
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal, openssl_speed
from tests.bench.processes import DRIVER_CORE, ROOT
from tests.bench.session import Effort, Result
from tests.simulator import Simulator, copy_home, licence, make_city

RECORDS: Final = 500
SLOW_PER_SECOND: Final = 20
_SPEED_SECONDS: Final = 1
_OURS_SECONDS: Final = 0.5
_YARDSTICK: Final = "openssl P-256 sign"

Values = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class SlowKey:
    """A key that makes twenty signatures in a second, as tokens do."""

    inside: SigningKey

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)

    def sign_records(self, work: RecordWork) -> list[bytes]:
        """After as long as a token takes."""
        time.sleep(len(work.payloads) / SLOW_PER_SECOND)
        return self.inside.sign_records(work)


def record_seals(effort: Effort) -> Result:
    """Records per second of processor time, and of time where a key is slow."""
    result = Result("record-seals")
    (ROOT / ".test").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-seals-", dir=ROOT / ".test") as folder:
        city = Path(folder) / "city"
        make_city(city)
        home = copy_home(city, Path(folder) / "home")
        asyncio.run(_measured(home, effort, result))
    return result


async def _measured(home: Path, effort: Effort, result: Result) -> None:
    async with Simulator(home) as hub:
        given: list[tuple[Any, ...]] = []
        seal = RecordSeals._seal

        def keep(seals: RecordSeals, *arguments: Any) -> SealedBatch:
            given.append((seals, *arguments))
            return seal(seals, *arguments)

        RecordSeals._seal = keep  # type: ignore[method-assign]
        try:
            await hub.connector().deliver([licence(1 + number) for number in range(RECORDS)])
        finally:
            RecordSeals._seal = seal  # type: ignore[method-assign]
        await asyncio.to_thread(_measure, given[-1], effort, result)


def _measure(given: tuple[Any, ...], effort: Effort, result: Result) -> None:
    seals, authority, order, records, retired = given
    folding = replace(seals, slow_homes=frozenset({authority.usable.key.home}))
    slow = replace(
        authority, usable=replace(authority.usable, signing=SlowKey(authority.usable.signing))
    )
    batch = seals._seal(authority, order, records, retired)
    work, found = _anew(authority, batch)
    slow_work = replace(work, is_slow=True)
    programs: dict[str, Callable[[], object]] = {
        "one by one": lambda: seals._seal(authority, order, records, retired),
        "folded": lambda: folding._seal(authority, order, records, retired),
        "sealed anew": lambda: work.writes(found),
        "sealed anew, folded": lambda: slow_work.writes(found),
    }
    steal, values, waited = Steal(), Values(), list[float]()
    for _ in range(effort.rounds):
        if not _openssl(result, values):
            return
        for name, call in programs.items():
            values.append((name, _rate(call, time.process_time) * RECORDS))
        waited.append(
            _rate(lambda: folding._seal(slow, order, records, retired), time.perf_counter) * RECORDS
        )
    _openssl(result, values)
    control = control_ratios(values, _YARDSTICK)
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    for name in programs:
        result.ratio(f"{name} ÷ {_YARDSTICK}", neighbour_ratios(values, name, _YARDSTICK))
    for name in dict.fromkeys(name for name, _ in values):
        result.figures[f"{name} per CPU second"] = _median(values, name)
    result.figures[f"batch by a key of {SLOW_PER_SECOND} signatures/s, records per second"] = (
        spread(waited).median
    )
    batches = [value / goals.SLOW_BATCH_PER_SECOND for value in waited]
    result.ratio("batch by a slow key ÷ 2,000 a second", batches, goals.SLOW_BATCH)
    anew = [value / goals.RESEALED_PER_SECOND for name, value in values if name == "sealed anew"]
    result.ratio("sealed anew ÷ 2,315 a second", anew, goals.RESEAL)


def _anew(authority: _Authority, batch: SealedBatch) -> tuple[_Work, list[LoggedSeal]]:
    """What it takes to seal a batch anew; the key that sealed it stands for both keys."""
    tables: dict[str, Sequence[Any]] = {}
    for write in batch.writes:
        tables[write.statement.table] = write.rows
    header = tables["seal_headers"][0]
    found = [
        LoggedSeal(
            entry=0,
            sealed=Sealed(
                version_id=row[0],
                payload=row[4],
                seals=(StoredSeal(row[1], row[2], row[3], row[5]),),
                status_list=row[6],
                status_place=row[7],
                retention_class=row[8],
                path="",
                status=Status.VALID,
            ),
        )
        for row in tables["seal_signatures"]
        if row[1] == "ES256"
    ]
    work = _Work(
        stolen=replace(authority.usable.key, state=KeyState.COMPROMISED),
        keys=[authority.usable],
        headers={header[0]: header[3]},
        mandate=Mandate("intents/anew", b"", ()),
        # A key in the hub looks at none.
        evidence=LogEvidence("", ()),
        now=int(time.time()),
        is_slow=False,
    )
    return work, found


def _rate(call: Callable[[], object], clock: Callable[[], float]) -> float:
    """Calls per second of `clock`."""
    calls, began = 0, clock()
    while (spent := clock() - began) < _OURS_SECONDS:
        call()
        calls += 1
    return calls / spent


def _median(values: Values, name: str) -> float:
    return spread([value for title, value in values if title == name]).median


def _openssl(result: Result, values: Values) -> bool:
    speed, why_not = openssl_speed("ecdsap256", _SPEED_SECONDS, DRIVER_CORE)
    if speed is None:
        result.skipped = why_not
        return False
    values.append((_YARDSTICK, speed.sign))
    return True
