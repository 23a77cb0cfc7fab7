"""`kill -9` of the hub at every durable step of ingest, fetch and start, one after the other."""

from __future__ import annotations

import json
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub.access.v1 import access_pb2
from hub.seal.v1 import intents_pb2
from tests.faults.processes import (
    EPOCH,
    HubProcess,
    Journal,
    Launcher,
    NotStarted,
    audited,
    check_home,
    hub_process,
    undecided,
)
from tests.simulator import company, copy_home, licence, new_id

# A key, complete on disk before an entry says that it exists.
KEY = [
    "after create .key",
    "before fsync .key",
    "after fsync .key",
    "before fsync seals",
    "after fsync seals",
]
STEPS_MAX = 60

Repeat = Callable[[], Awaitable[bytes]]


async def _new_fetch(hub: HubProcess, journal: Journal, _number: int) -> Repeat:
    asked = await journal.ask(hub.platform(), company(10), company(11))
    return lambda: journal.fetch(hub.platform(), asked)


async def _new_batch(hub: HubProcess, journal: Journal, number: int) -> Repeat:
    rows = [licence(10 * number + i) for i in range(3)]
    delivery = await journal.batch(hub.connector(), rows)
    return lambda: journal.deliver(hub.connector(), delivery)


async def _new_seal(hub: HubProcess, _journal: Journal, number: int) -> Repeat:
    officer, intent = hub.officer(), f"other-{number}"
    members = {
        "seal": f"authorities/nb-market/seals/other-{number}",
        "title": "宁波市市场监督管理局",
        "seal_type": 1,
        "keys": [{"use": "record", "algorithm": "ES256"}],
    }
    await officer.propose_kind(intent, "seal.apply", members)
    for name in ("qian", "sun"):
        await hub.officer(name).approve(intent)
    request = intents_pb2.ExecuteIntentRequest(request_id=new_id(), name=f"intents/{intent}")

    async def create() -> bytes:
        officer = hub.officer()
        answer: intents_pb2.ExecuteIntentResponse = await officer.call(
            officer.intents.ExecuteIntent, request
        )
        (key,) = json.loads(answer.result)["keys"]
        assert list(hub.home.rglob(f"seal-{key['key_id']}.key"))
        return answer.SerializeToString()

    return create


async def _new_execution(hub: HubProcess, _journal: Journal, number: int) -> Repeat:
    intent = f"quorum-{number}"
    await hub.officer().propose_kind(intent, "quorum.change", {"default": 2}, days=number)
    for name in ("qian", "sun"):
        await hub.officer(name).approve(intent)
    request = intents_pb2.ExecuteIntentRequest(request_id=new_id(), name=f"intents/{intent}")

    async def execute() -> bytes:
        officer = hub.officer()
        answer = await officer.call(officer.intents.ExecuteIntent, request)
        assert answer.intent.state == intents_pb2.Intent.STATE_EXECUTED
        newest = await officer.call(officer.access.GetRoster, access_pb2.GetRosterRequest())
        # One statement for each execution so far, however often this one was asked for.
        assert newest.roster.number == number - 1 == json.loads(answer.result)["roster"]
        data: bytes = answer.SerializeToString()
        return data

    return execute


@pytest.mark.slow
@pytest.mark.parametrize(
    ("new", "steps"),
    [
        (_new_fetch, EPOCH),
        (_new_batch, EPOCH),
        (_new_seal, KEY + EPOCH),
        (_new_execution, EPOCH),
    ],
    ids=["fetch", "ingest", "seal", "execution"],
)
async def test_a_hub_killed_at_any_durable_step_keeps_every_promise(
    launcher: Launcher,
    home: Path,
    new: Callable[[HubProcess, Journal, int], Awaitable[Repeat]],
    steps: list[str],
) -> None:
    """Whatever was acknowledged is answered again with the same bytes; the call that was cut off is
    repeated under its id and has one effect; the audit is clean after each kill."""
    journal, died_at = Journal(), []
    async with hub_process(launcher, home) as hub:
        await hub.start()
        await (await _new_batch(hub, journal, 1))()
        for step in range(1, STEPS_MAX):
            repeat = await new(hub, journal, step + 1)
            hub.fault.arm(step)

            is_cut_off = await undecided(repeat())

            status = await hub.gone()
            noted = hub.fault.disarm()
            if status is None:
                assert not is_cut_off
                assert noted == steps
                break
            assert status == -signal.SIGKILL
            died_at.append(noted[-1])
            assert (await audited(home)).findings == []
            await hub.start()
            answer = await repeat()
            assert await repeat() == answer
            await journal.check(hub)
    assert died_at == steps
    await check_home(home, journal)


@pytest.mark.slow
async def test_a_hub_killed_at_any_durable_step_of_its_recovery_recovers_at_the_next_start(
    launcher: Launcher, home: Path
) -> None:
    """A commit that no head covers is signed at a start, whichever starts were cut off before; the
    request that it belongs to is answered the same in any case."""
    journal = Journal()
    async with hub_process(launcher, home) as hub:
        await hub.start()
        await (await _new_batch(hub, journal, 1))()
        asked = await journal.ask(hub.platform(), company(10), company(11))
        hub.fault.arm(EPOCH.index("after commit") + 1)
        assert await undecided(journal.fetch(hub.platform(), asked))
        assert await hub.gone() == -signal.SIGKILL

    died_at, answers = [], set()
    for step in range(1, STEPS_MAX):
        torn = copy_home(home, home.parent / f"torn-{step}")
        async with hub_process(launcher, torn) as hub:
            hub.fault.arm(step)
            is_cut_off = False
            try:
                await hub.start()
            except NotStarted as refusal:
                is_cut_off = refusal.status == -signal.SIGKILL
                assert is_cut_off, refusal
                died_at += hub.fault.disarm()[-1:]
                await hub.start()
            hub.fault.disarm()
            promised = replace(journal, answered=dict(journal.answered))
            answers.add(await promised.fetch(hub.platform(), asked))
            await promised.check(hub)
        await check_home(torn, promised)
        if not is_cut_off:
            break
    assert died_at[-2:] == EPOCH[2:4]
    assert len(answers) == 1
