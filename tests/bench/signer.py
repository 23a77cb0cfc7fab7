"""The signer process as the hub uses it: round trip, records one by one, records of a batch.

The yardstick is `openssl speed` P-256 on one core. What is signed is what a real hub sent: every
request carries its intent, approvals and batch, and is checked anew; journal writes go to the disk.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from hub.seal.homes.process import SignerProcess
from hub.seal.homes.signers import SignerHome
from hub.seal.v1 import signer_pb2 as pb
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal, openssl_speed
from tests.bench.processes import DRIVER_CORE, ROOT
from tests.bench.session import Effort, Result
from tests.simulator import Simulator, copy_home, licence, make_city

_SPEED_SECONDS = 1
_OURS_SECONDS = 0.5
_BATCH = 500

Values = list[tuple[str, float]]


def signer(effort: Effort) -> Result:
    """Per second of time: questions, requests with one record, records in requests of 500."""
    result = Result("signer")
    with tempfile.TemporaryDirectory(prefix="bench-signer-", dir=ROOT / ".test") as folder:
        city = Path(folder) / "city"
        make_city(city)
        home = copy_home(city, Path(folder) / "home")
        with (home / "hub.toml").open("a") as file:
            file.write('\n[seal]\nsigner = "process"\n')
        asyncio.run(_measured(home, effort, result))
    return result


async def _measured(home: Path, effort: Effort, result: Result) -> None:
    async with Simulator(home) as hub:
        files = hub.hub.seals.keys.homes["files"]
        assert isinstance(files, SignerHome)
        requests = [await _sent(hub, 1, count) for count in (1, _BATCH)]
        await asyncio.to_thread(_measure, files.process, requests, effort, result)


async def _sent(hub: Simulator, first: int, count: int) -> pb.SignRecords:
    """The request that a batch of `count` rows made."""
    sent: list[pb.SignRecords] = []
    sign = SignerProcess.sign

    def keep(process: SignerProcess, request: pb.SignRecords) -> list[bytes]:
        sent.append(request)
        return sign(process, request)

    SignerProcess.sign = keep  # type: ignore[method-assign]
    try:
        rows = [licence(first + count * 1000 + number) for number in range(count)]
        await hub.connector().deliver(rows)
    finally:
        SignerProcess.sign = sign  # type: ignore[method-assign]
    return sent[-1]


def _measure(
    process: SignerProcess, requests: list[pb.SignRecords], effort: Effort, result: Result
) -> None:
    single, batch = requests
    question = pb.SignerCall(check=pb.CheckSignerHome(home="files"))
    programs: dict[str, tuple[Callable[[], object], int]] = {
        "round trip": (lambda: process.ask(question), 1),
        "records, one by one": (lambda: _sign(process, single), 1),
        f"records, {_BATCH} in one": (lambda: _sign(process, batch), _BATCH),
    }
    steal, values = Steal(), Values()
    for _ in range(effort.rounds):
        if not _openssl(result, values):
            return
        for name, (call, count) in programs.items():
            values.append((name, _rate(call) * count))
    _openssl(result, values)
    control = control_ratios(values, "openssl P-256 sign")
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    for name in ("records, one by one", f"records, {_BATCH} in one"):
        title = f"{name} ÷ openssl P-256 sign"
        result.ratio(title, neighbour_ratios(values, name, "openssl P-256 sign"), None)
    for name in dict.fromkeys(name for name, _ in values):
        result.figures[f"{name} per second"] = spread([v for n, v in values if n == name]).median


def _sign(process: SignerProcess, request: pb.SignRecords) -> None:
    """The same records under a new id: signed, counted and written down anew. A record is of now,
    within thirty seconds."""
    request.request_id = str(uuid.uuid4())
    assert len(process.sign(request)) == len(request.records)


def _rate(call: Callable[[], object]) -> float:
    """Calls per second."""
    calls, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < _OURS_SECONDS:
        call()
        calls += 1
    return calls / spent


def _openssl(result: Result, values: Values) -> bool:
    speed, why_not = openssl_speed("ecdsap256", _SPEED_SECONDS, DRIVER_CORE)
    if speed is None:
        result.skipped = why_not
        return False
    values.append(("openssl P-256 sign", speed.sign))
    return True
