"""What officers have ended reaches whoever signs elsewhere: from the log, in order, as soon as it
answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from hub.errors import HubError, Reason
from hub.proof.officers.approval import Decision
from hub.proof.sealing.records import Mandate
from hub.seal.ended_intents import Decided, EndedIntents
from hub.seal.keys import KeyHome
from hub.seal.ports import Database
from hub.seal.seal_keys import SealKeys
from hub.seal.tell_signers import AGAIN_S, TellSigners
from tests.seal.test_signer_process import Signing, kept_requests, with_process
from tests.simulator import Refused, Simulator, copy_home, licence

SEAL = "authorities/hz-market/seals/main"


@pytest.fixture
async def signing(city: Path, tmp_path: Path) -> AsyncIterator[Signing]:
    home = with_process(copy_home(city, tmp_path / "home"))
    with kept_requests() as requests:
        async with Simulator(home) as simulator:
            yield Signing(simulator, requests)


async def answered(signing: Signing, expected: str) -> str:
    """How whoever has the socket is refused, once the log was read; "" where it is not."""
    end = time.monotonic() + 15
    while True:
        answer = signing.by_hand(sign=signing.again())
        reason = answer.refused.reason if answer.WhichOneof("answer") == "refused" else ""
        if reason == expected or time.monotonic() > end:
            return reason
        await asyncio.sleep(0.1)


async def test_a_suspended_seal_is_stopped_in_the_signer_too(signing: Signing) -> None:
    """Also for whoever takes over the hub later. Resumed, it seals at once."""
    hub, zhao = signing.hub, signing.hub.officer()
    await hub.connector().deliver([licence(901)])
    await zhao.carry_out("seal.suspend", {"seal": SEAL, "cause": "x"})

    assert await answered(signing, "TRANSITION_NOT_ALLOWED") == "TRANSITION_NOT_ALLOWED"

    await zhao.carry_out("seal.resume", {"seal": SEAL, "cause": "x"})
    await hub.connector().deliver([licence(902)])
    assert await answered(signing, "") == ""
    assert signing.journal("SELECT name, state FROM states") == [(SEAL, "active")]


async def test_an_intent_that_one_officer_stopped_is_stopped_there_too(signing: Signing) -> None:
    """The signer verifies the officer's own words."""
    hub = signing.hub
    await hub.connector().deliver([licence(901)])
    name = signing.requests[-1].intent_name
    await hub.officer("qian").approve(name.removeprefix("intents/"), Decision.REJECT)

    assert await answered(signing, "INTENT_CLOSED") == "INTENT_CLOSED"
    with pytest.raises(Refused):
        await hub.connector().deliver([licence(902)])


class Home:
    """A home that is told; it answers or raises what the test says."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.fault: Reason | None = None

    def notice(self, mandate: Mandate, rejection: str = "") -> None:
        if self.fault is not None:
            raise HubError(self.fault, home="x", rule="x", intent="x")
        self.told.append((mandate.name, rejection))


class Read:
    """What was read of the log."""

    def __init__(self) -> None:
        self.decided: list[Decided] = []

    def take_decided(self) -> list[Decided]:
        decided, self.decided = self.decided, []
        return decided


async def test_a_signer_that_was_away_is_told_later_and_in_order() -> None:
    """Others are not kept waiting; what one refuses is over and is not told again."""
    near, far, read, now = Home(), Home(), Read(), [0]
    homes = cast("dict[str, KeyHome]", {"near": near, "far": far})
    keys = SealKeys(cast("Database", None), homes, cast("Any", None), lambda: now[0])
    tell = TellSigners(cast("Database", None), keys, cast("EndedIntents", read))
    far.fault = Reason.REMOTE_SIGNER_UNAVAILABLE
    read.decided = [Decided(f"intents/{name}", b"{}", (), "") for name in ("a", "b")]

    await tell.tell()
    far.fault = None
    await tell.tell()
    assert (near.told, far.told) == ([("intents/a", ""), ("intents/b", "")], [])
    now[0] = AGAIN_S * 1_000_000
    await tell.tell()
    assert far.told == near.told

    near.fault = Reason.INTENT_NOT_APPROVED
    read.decided = [Decided("intents/c", b"{}", (), "")]
    await tell.tell()
    near.fault = None
    await tell.tell()
    assert near.told == [("intents/a", ""), ("intents/b", "")]
    assert far.told[-1] == ("intents/c", "")
