"""Several hub processes on one PostgreSQL database: one log, one truth, and any of them may die."""

from __future__ import annotations

import asyncio
import random
import re
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from hub.domain.row import Op
from hub.proof.records.status_list import Status, read_status, verify_status_list
from tests.faults.processes import HubProcess, Journal, Launcher, check_home, undecided
from tests.faults.test_postgresql import begin_in, new_database, server
from tests.simulator import Platform, Refused, company, licence

__all__ = ["server"]

pytestmark = pytest.mark.slow

FOLLOWED_S_MAX = 5.0


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """An empty database."""
    yield asyncio.run(new_database(server))


@asynccontextmanager
async def replicas(launcher: Launcher, home: Path, url: str) -> AsyncIterator[list[HubProcess]]:
    """Two hubs on the database at `url`, furnished."""
    await begin_in(home, url)
    first = (home / "hub.toml").read_text()
    second = re.sub(r"(?m)^\[hub\]$", "[hub]\nreplica = 1", first)
    assert second != first
    (home / "second.toml").write_text(second)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(HubProcess(launcher, home, name, f"{name}.toml"))
            for name in ("hub", "second")
        ]


async def test_any_of_two_hubs_answers_and_none_is_missed(
    launcher: Launcher, home: Path, url: str
) -> None:
    """Batches and fetches at both at once, clients going from one to the other with the newest head
    they saw, one hub killed in the middle: every answer is repeated byte for byte by the other, and
    one log holds everything once."""
    journal = Journal()
    async with replicas(launcher, home, url) as hubs:
        await journal.deliver(
            hubs[0].connector(), await journal.batch(hubs[0].connector(), [licence(1)])
        )

        async def fetch_on(number: int) -> None:
            turns = random.Random(number)
            platforms = [hub.connect(Platform, "systems/window-1") for hub in hubs]
            asked = None
            for _ in range(25):
                platform = turns.choice(platforms)
                asked = asked or await journal.ask(platforms[0], company(1))
                if not await undecided(journal.fetch(platform, asked)):
                    asked = None
            for platform in platforms:
                await platform.channel.close()

        async def deliver_on(name: str, hub: HubProcess, first: int) -> None:
            for number in range(first, first + 5):
                connector = hub.connector(name)
                batch = await journal.batch(connector, [licence(number)])
                await journal.deliver(connector, batch)

        async with asyncio.TaskGroup() as tasks:
            for number in range(4):
                tasks.create_task(fetch_on(number))
            tasks.create_task(deliver_on("hz-connector", hubs[0], 100))
            await asyncio.sleep(0.5)
            await hubs[1].kill()
            await asyncio.sleep(0.3)
            await hubs[1].start()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(deliver_on("nb-connector", hubs[0], 300))
            tasks.create_task(deliver_on("hz-connector", hubs[1], 200))
        assert len(journal.answered) > 50
        for hub in hubs:
            await journal.check(hub)
    await check_home(home, journal)


async def test_one_request_at_both_hubs_at_once_has_one_effect(
    launcher: Launcher, home: Path, url: str
) -> None:
    """Both give the same bytes, and there is one entry."""
    journal = Journal()
    async with replicas(launcher, home, url) as hubs:
        await journal.deliver(
            hubs[0].connector(), await journal.batch(hubs[0].connector(), [licence(1)])
        )
        for _ in range(10):
            asked = await journal.ask(hubs[0].platform(), company(1))
            answers = await asyncio.gather(
                *(journal.fetch(hub.platform(), asked) for hub in hubs for _ in range(2))
            )
            assert len(set(answers)) == 1
    await check_home(home, journal)


async def test_what_one_hub_revoked_the_other_discloses_never_again(
    launcher: Launcher, home: Path, url: str
) -> None:
    """Not one fetch is answered after the revocation was, whatever the other hub has in memory."""
    journal = Journal()
    async with replicas(launcher, home, url) as hubs:
        await journal.deliver(
            hubs[0].connector(), await journal.batch(hubs[0].connector(), [licence(1)])
        )
        await journal.fetch(hubs[1].platform(), await journal.ask(hubs[1].platform(), company(1)))

        await hubs[0].officer("zhao").revoke_grant("licence-to-window")
        with pytest.raises(Refused) as refusal:
            await journal.fetch(
                hubs[1].platform(), await journal.ask(hubs[1].platform(), company(1))
            )

        assert refusal.value.reason == "GRANT_MISSING"


async def test_a_status_changed_by_one_hub_is_shown_by_the_other(
    launcher: Launcher, home: Path, url: str
) -> None:
    """Each serves the lists of both, and follows the other within seconds."""
    journal = Journal()
    async with replicas(launcher, home, url) as hubs:
        for hub, name, number in ((hubs[0], "hz-connector", 1), (hubs[1], "nb-connector", 2)):
            connector = hub.connector(name)
            await journal.deliver(connector, await journal.batch(connector, [licence(number)]))
        places = []
        for holder in (company(1), company(2)):
            fetched = await hubs[0].platform().fetch(holder=holder)
            assert fetched.presentations[0] is not None
            places.append(fetched.presentations[0].record.status)
        assert len({place.uri for place in places}) == 2

        revoked = await journal.batch(hubs[0].connector(), [licence(1, op=Op.REVOKE)])
        await journal.deliver(hubs[0].connector(), revoked)

        began = time.monotonic()
        for hub in hubs:
            while await _status(hub, places[0].uri, places[0].idx) is not Status.INVALID:
                assert time.monotonic() - began < FOLLOWED_S_MAX
                await asyncio.sleep(0.1)
            assert await _status(hub, places[1].uri, places[1].idx) is Status.VALID


async def _status(hub: HubProcess, uri: str, index: int) -> Status:
    address = f"http://127.0.0.1:{hub.http_port}/status/{uri.rpartition('/')[2]}"

    def get() -> str:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return str(answer.read().decode())

    token = await asyncio.to_thread(get)
    verified = verify_status_list(
        token,
        keys=hub.trust.status_key,
        origin=hub.trust.origin,
        region=hub.trust.region,
        uri=uri,
        now=int(time.time()),
        highest_iat=None,
    )
    return read_status(verified, index)
