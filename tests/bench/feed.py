"""The change feed: from the request that revokes to the subscribers that are told."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg

from hub import copies
from hub.config import load
from hub.domain.row import Op
from hub.ledger.audit import AuditReport
from hub.registry.v1 import feed_pb2, feed_pb2_grpc
from tests import simulator as city
from tests.bench import goals
from tests.bench.machine import Steal
from tests.bench.session import Result, Session
from tests.postgresql_server import PostgresqlAbsent, running

# The subscribers: each platform, department and auditor of the city that may know of licences.
_SUBSCRIBERS = ("window-1", "hz-department", "auditor-1")
_ROWS = 200
_LOAD_ROWS = 100
_PAUSE_S = 0.02
_WITHIN_S = 30.0


def feed(session: Session) -> Result:
    """Revocations one after another, beside a neighbour that delivers without pause.

    Hub, connectors and subscribers share one process and one core, so the hub is given less than it
    would have.
    """
    result = Result("feed")
    steal = Steal()
    with ExitStack() as stack:
        engines = {"": ""}
        try:
            engines["PostgreSQL"] = stack.enter_context(running())
        except PostgresqlAbsent as absent:
            result.skipped = f"on PostgreSQL: {absent}"
        for engine, server in engines.items():
            for state, loaded in (("idle", False), ("loaded", True)):
                variant = f"{engine} {state}".strip()
                home = session.folder / f"feed-{engine}{state}"
                rows = session.effort.rounds * _ROWS // 3
                times = asyncio.run(_measure(home, server, rows, loaded))
                for name, share in (("p50", 0.5), ("p99", 0.99)):
                    result.figures[f"{variant} {name} ms"] = _share(times, share) * 1000
                result.figures[f"{variant} changes told"] = float(len(times))
                goal = goals.FEED if loaded and not engine else None
                result.ratio(f"p99 {variant} ÷ 2 s", [_share(times, 0.99) / 2], goal)
    result.steal = steal.share()
    return result


async def _move_to_postgresql(home: Path, server: str, database: str) -> None:
    """The city goes on in a new database of the server."""
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {database}")
    await connection.close()
    url = f"{server.rsplit('/', 1)[0]}/{database}"
    file = home / "hub.toml"
    await copies.move(load(file), url, AuditReport(), lambda *_: None)
    file.write_text(re.sub(r'(?m)^url = ".*"$', f'url = "{url}"', file.read_text()))


async def _measure(home: Path, server: str, rows: int, loaded: bool) -> list[float]:
    """Seconds from the sending of each revocation to each subscriber's receipt of it."""
    await asyncio.to_thread(city.make_city, home)
    if server:
        await _move_to_postgresql(home, server, "loaded" if loaded else "idle")
    async with city.Simulator(home) as hub:
        for start in range(1, rows + 1, 500):
            numbers = range(start, min(start + 500, rows + 1))
            await hub.connector().deliver([city.licence(number) for number in numbers])
        calls = [await _subscribe(hub, name) for name in _SUBSCRIBERS]
        sent: dict[str, float] = {}
        reading = [asyncio.create_task(_read(call, rows)) for call in calls]
        neighbour = asyncio.create_task(_load(hub)) if loaded else None
        for number in range(1, rows + 1):
            row = city.licence(number, Op.REVOKE)
            began = time.perf_counter()
            (told,) = (await hub.connector().deliver([row])).results
            sent[told.certificate] = began
            await asyncio.sleep(_PAUSE_S)
        async with asyncio.timeout(_WITHIN_S):
            arrived = [await task for task in reading]
        if neighbour is not None:
            neighbour.cancel()
        for call in calls:
            call.cancel()
    return sorted(at - sent[name] for one in arrived for name, at in one.items())


async def _subscribe(hub: city.Simulator, name: str) -> Any:
    member = hub.system(name)
    request = feed_pb2.WatchChangesRequest(
        filter=feed_pb2.WatchChangesRequest.Filter(authority="authorities/hz-market")
    )
    call = feed_pb2_grpc.FeedServiceStub(member.channel).WatchChanges(
        request, metadata=city.bearer(await member.token())
    )
    await call.read()
    return call


async def _read(call: Any, count: int) -> dict[str, float]:
    """When each of `count` revocations arrived, by certificate."""
    arrived: dict[str, float] = {}
    while len(arrived) < count:
        portion = await call.read()
        at = time.perf_counter()
        for change in portion.changes:
            if change.kind == feed_pb2.Change.KIND_STATE:
                arrived[change.certificate] = at
    return arrived


async def _load(hub: city.Simulator) -> None:
    """Batches of a neighbour, one after another."""
    number = 1
    while True:
        rows = [city.licence(one) for one in range(number, number + _LOAD_ROWS)]
        await hub.connector("nb-connector").deliver(rows)
        number += _LOAD_ROWS


def _share(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))]
