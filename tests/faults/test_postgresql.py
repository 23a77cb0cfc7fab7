"""PostgreSQL restarted with `-m immediate` under load: a burst of UNAVAILABLE, then as before."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from tests.faults.processes import (
    HubProcess,
    Journal,
    Launcher,
    check_home,
    hub_process,
)
from tests.postgresql_server import PostgresqlAbsent, programs, running
from tests.simulator import Platform, Refused, Simulator, company, furnish, licence, move_to

CLIENTS = 8
RESTARTS = 2
RECOVERY_S_MAX = 15.0
CALM_FETCHES = 50


@pytest.fixture
def server() -> Iterator[str]:
    """URL of a PostgreSQL server of this test alone."""
    try:
        with running() as url:
            yield url
    except PostgresqlAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL is required: {absent}")
        pytest.skip(f"no PostgreSQL: {absent}")


@dataclass
class Clients:
    """Platforms that repeat what was refused as UNAVAILABLE."""

    hub: HubProcess
    journal: Journal
    is_over: bool = False
    answers: int = 0
    refusals: list[Refused] = field(default_factory=list)

    async def ask_on(self) -> None:
        platform: Platform = self.hub.connect(Platform, "systems/window-1")
        asked = None
        try:
            while asked or not self.is_over:
                try:
                    asked = asked or await self.journal.ask(platform, company(1))
                    await self.journal.fetch(platform, asked)
                except Refused as refusal:
                    self.refusals.append(refusal)
                    await asyncio.sleep(0.05)
                    continue
                asked = None
                self.answers += 1
        finally:
            await platform.channel.close()

    async def until_answered(self, count: int) -> float:
        """Seconds until `count` more requests were answered."""
        began, target = time.monotonic(), self.answers + count
        while self.answers < target:
            assert time.monotonic() - began < RECOVERY_S_MAX, self.refusals[-1:]
            await asyncio.sleep(0.02)
        return time.monotonic() - began


@pytest.mark.slow
async def test_a_restart_of_postgresql_under_load_is_a_burst_of_unavailable(
    launcher: Launcher, home: Path, server: str
) -> None:
    """Nobody does anything: the same hub answers again, every promise holds, the audit is clean."""
    journal, data = Journal(), await _data_directory(server)
    await begin_in(home, await new_database(server))
    try:
        async with hub_process(launcher, home) as hub:
            await hub.start()
            pid = hub.pid
            batch = await journal.batch(hub.connector(), [licence(1)])
            await journal.deliver(hub.connector(), batch)
            clients = Clients(hub, journal)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(CLIENTS):
                    tasks.create_task(clients.ask_on())
                for _ in range(RESTARTS):
                    await clients.until_answered(20)
                    await asyncio.to_thread(_control, data, "restart")
                    await clients.until_answered(CLIENTS)
                burst = len(clients.refusals)
                await clients.until_answered(CALM_FETCHES)
                clients.is_over = True
            assert len(clients.refusals) == burst, clients.refusals[burst:]
            reasons = {(one.status, one.reason) for one in clients.refusals}
            assert reasons
            assert reasons <= {
                ("UNAVAILABLE", "LOG_UNAVAILABLE"),
                ("UNAVAILABLE", "DATABASE_UNAVAILABLE"),
            }
            assert hub.pid == pid
            assert (await hub.readiness())[0] == 200
            await journal.check(hub, 50)
        await check_home(home, journal)
    finally:
        await asyncio.to_thread(_control, data, "stop")


async def _data_directory(url: str) -> Path:
    connection = await asyncpg.connect(url)
    try:
        return Path(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()


async def new_database(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE DATABASE hub")
    finally:
        await connection.close()
    return url.rsplit("/", 1)[0] + "/hub"


async def begin_in(home: Path, url: str) -> None:
    """The same hub, begun anew and furnished in another database."""
    for folder in (home / "systems", home / "keys" / "seals"):
        shutil.rmtree(folder)
    await move_to(home, url)
    async with Simulator(home) as hub:
        await furnish(hub)


def _control(data: Path, action: str) -> None:
    """`pg_ctl … -m immediate`, as who owns the data: a crash and a recovery from the log."""
    command = [str(programs() / "pg_ctl"), action, "-D", str(data), "-m", "immediate", "-w", "-s"]
    if action == "restart":
        command += ["-l", str(data / "restarted.log")]
    subprocess.run(
        command,
        user=data.owner() if os.geteuid() == 0 else None,
        cwd=data.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=action == "restart",
        timeout=60,
    )
