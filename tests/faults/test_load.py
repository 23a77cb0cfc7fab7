"""`kill -9` at random moments while many clients ask and deliver; `FAULT_ROUNDS` kills."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.processes import (
    ROUNDS,
    HubProcess,
    Journal,
    Launcher,
    NotStarted,
    check_home,
    hub_process,
    undecided,
)
from tests.simulator import Connector, Platform, company, licence

PLATFORMS = 14
CONNECTORS = ("hz-connector", "nb-connector")
ROWS = 4
CHECKED_AGAIN_MAX = 200


@dataclass
class Load:
    """Clients that never give up: what was cut off is repeated, byte for byte, until answered."""

    hub: HubProcess
    journal: Journal
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False
    cut_off: int = 0

    async def ask_on(self) -> None:
        """A platform's clerk with a connection of its own."""
        asked = None
        while asked or not self.is_over:
            await self.is_up.wait()
            platform: Platform = self.hub.connect(Platform, "systems/window-1")
            try:
                while asked or not self.is_over:
                    if asked is None:
                        asked = await self.journal.ask(platform, company(1), company(2))
                    await self.journal.fetch(platform, asked)
                    asked = None
            except BaseException as error:
                await self._cut_off(error)
            finally:
                await platform.channel.close()

    async def deliver_on(self, system: str, first: int) -> None:
        """A department's connector; its rows are nobody else's."""
        delivery, number = None, first
        while delivery or not self.is_over:
            await self.is_up.wait()
            connector: Connector = self.hub.connect(Connector, f"systems/{system}")
            connector.authority_uscc = self.hub.connector(system).authority_uscc
            try:
                while delivery or not self.is_over:
                    if delivery is None:
                        rows = [licence(number + i) for i in range(ROWS)]
                        delivery, number = await self.journal.batch(connector, rows), number + ROWS
                    await self.journal.deliver(connector, delivery)
                    delivery = None
            except BaseException as error:
                await self._cut_off(error)
            finally:
                await connector.channel.close()

    async def _cut_off(self, error: BaseException) -> None:
        """Nobody decided; anything else ends the test."""

        async def again() -> None:
            raise error

        assert await undecided(again())
        self.cut_off += 1
        await asyncio.sleep(0.02)

    async def kill_and_restart(self, chance: random.Random) -> None:
        """Some load, `kill -9`, a start; every third start is cut off as well."""
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        self.is_up.clear()
        assert await self.hub.kill() == -signal.SIGKILL
        if chance.random() < 1 / 3:
            start = asyncio.create_task(self.hub.start())
            await asyncio.sleep(chance.uniform(0.02, 0.2))
            if not start.done() and self.hub.pid:
                os.kill(self.hub.pid, signal.SIGKILL)
            try:
                await start
                await self.hub.kill()
            except NotStarted as refusal:
                assert refusal.status == -signal.SIGKILL
        await self.hub.start()
        self.is_up.set()


@pytest.mark.slow
async def test_kills_at_random_moments_under_load_lose_and_double_nothing(
    launcher: Launcher, home: Path
) -> None:
    """Every receipt that a client holds is answered again with the same bytes and stands in a log
    that audits clean, each request and batch once, each number as one certificate."""
    journal, chance = Journal(), random.Random(ROUNDS)
    async with hub_process(launcher, home) as hub:
        await hub.start()
        first = await journal.batch(hub.connector(), [licence(1), licence(2)])
        await journal.deliver(hub.connector(), first)
        load = Load(hub, journal)
        load.is_up.set()
        async with asyncio.TaskGroup() as clients:
            for _ in range(PLATFORMS):
                clients.create_task(load.ask_on())
            for number, system in enumerate(CONNECTORS, start=1):
                clients.create_task(load.deliver_on(system, number * 1_000_000))
            for _ in range(ROUNDS):
                await load.kill_and_restart(chance)
            load.is_over = True
        await journal.check(hub, CHECKED_AGAIN_MAX)
    assert load.cut_off >= ROUNDS
    assert len(journal.answered) > ROUNDS
    assert len(journal.delivered) > len(CONNECTORS)
    await check_home(home, journal)
