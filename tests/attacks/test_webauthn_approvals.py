"""Officers who approve with authenticators: what a hub takes in, and what it does not."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.proof.officers.approval import Approval, Decision, intent_digest
from hub.seal.v1 import intents_pb2
from tests.access.officers import b64u, new_keys
from tests.authenticator import Authenticator
from tests.simulator import LICENCE, ORIGIN, REGION, Refused, Simulator, copy_home, licence

SEAL = "authorities/hz-market/seals/main"
PAUSE = {"seal": SEAL, "cause": "inspection"}
State = intents_pb2.Intent.State


def keys_in(
    device: Authenticator, hub: Simulator, officer: str, folder: str = ""
) -> dict[str, Any]:
    """What proposes an officer whose approval key lies in `device`."""
    proof = device.proof(f"officers/{officer}")
    return {**new_keys(hub, officer, folder), "signing_request": b64u(proof)}


class Office:
    """A hub with liu and zhou, who have authenticators, beside zhao, qian and sun, who have not."""

    def __init__(self, hub: Simulator) -> None:
        self.hub = hub
        self.devices = {"liu": Authenticator(), "zhou": Authenticator()}

    async def furnish(self) -> None:
        for name, device in self.devices.items():
            keys = keys_in(device, self.hub, name)
            await self.hub.officer().carry_out("officer.enrol", keys)

    async def said(self, officer: str, intent: str, **changes: Any) -> Approval:
        """What an officer would approve, with a fresh nonce."""
        member = self.hub.officer(officer)
        challenge = await member.call(
            member.intents.CreateApprovalChallenge,
            intents_pb2.CreateApprovalChallengeRequest(intent=f"intents/{intent}"),
        )
        now = int(time.time())
        values: dict[str, Any] = {
            "origin": ORIGIN,
            "region": REGION,
            "officer": member.name,
            "intent": intent_digest(challenge.intent_bytes),
            "nonce": challenge.nonce,
            "decision": Decision.APPROVE,
            "not_after": now + 3600,
            "key_entry": challenge.key_entry,
            "iat": now,
        }
        return Approval(**(values | changes))

    async def send(self, officer: str, intent: str, text: str) -> str:
        """The intent's state after it."""
        answer = await self.hub.officer(officer).send_approval(intent, text)
        return State.Name(answer.intent.state).removeprefix("STATE_")

    async def touch(self, officer: str, intent: str, **changes: Any) -> str:
        """Approve with the authenticator; `changes` as it takes them."""
        said = await self.said(officer, intent)
        return await self.send(officer, intent, self.devices[officer].approve(said, **changes))


@pytest_asyncio.fixture
async def office(city: Path, tmp_path: Path) -> AsyncIterator[Office]:
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        office = Office(hub)
        await office.furnish()
        yield office


async def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.reason, caught.value.details.get("rule", "")


async def test_two_authenticators_approve_and_the_chain_says_whose_they_are(
    office: Office,
) -> None:
    """From enrolment to the deed; and one of them rejects."""
    zhao = office.hub.officer()
    await zhao.propose_kind("pause", "seal.suspend", PAUSE)

    assert await office.touch("liu", "pause") == "PROPOSED"
    assert await office.touch("zhou", "pause", high_s=True) == "APPROVED"
    await zhao.execute("pause")

    roster = await office.hub.hub.rosters.current()
    credential = roster.officers["officers/liu"].credential
    assert credential is not None
    assert credential.credential_id == b64u(office.devices["liu"].credential_id)
    await zhao.propose_kind("go-on", "seal.resume", PAUSE)
    said = await office.said("liu", "go-on", decision=Decision.REJECT)
    assert await office.send("liu", "go-on", office.devices["liu"].approve(said)) == "REJECTED"


async def test_browsers_alone_do_not_change_the_quorum(office: Office) -> None:
    """Two of them are two approvals, and not enough; with sun at the command line it is done."""
    zhao = office.hub.officer()
    await zhao.propose_kind("change", "quorum.change", {"default": 2})
    for name in ("liu", "zhou"):
        assert await office.touch(name, "change") == "PROPOSED"

    assert await refusal(zhao.execute("change")) == ("INTENT_NOT_APPROVED", "DISPLAY_MISSING")

    assert await office.hub.officer("sun").approve("change") == "APPROVED"
    assert (await zhao.execute("change"))["roster"] == 3


async def test_what_is_not_the_officers_own_approval_of_this_intent(office: Office) -> None:
    """Each is refused with its reason, and nothing is stored; then the right one is taken."""
    zhao, device = office.hub.officer(), office.devices["liu"]
    await zhao.propose_kind("pause", "seal.suspend", PAUSE)
    before = (await office.hub.state()).domain()
    sign_in = Authenticator(key=device.key, credential_id=device.credential_id, rp_id="sign-in.x")
    other_credential = Authenticator()
    now = int(time.time())

    async def sent(by: Authenticator, said: dict[str, Any], **changes: Any) -> tuple[str, str]:
        approval = dataclasses.replace(await office.said("liu", "pause"), **said)
        return await refusal(office.send("liu", "pause", by.approve(approval, **changes)))

    assert await sent(sign_in, {}) == ("APPROVAL_INVALID", "WEBAUTHN_RP")
    assert await sent(other_credential, {}) == ("APPROVAL_INVALID", "KEY_UNKNOWN")
    assert await sent(device, {}, flags=0x01) == ("APPROVAL_INVALID", "WEBAUTHN_USER")
    page = {"origin": "https://hub.test.example"}
    assert await sent(device, {}, client=page) == ("APPROVAL_INVALID", "WEBAUTHN_ORIGIN")
    assert await sent(device, {"nonce": bytes(32)}) == ("APPROVAL_INVALID", "NONCE_MISMATCH")
    assert await sent(device, {"iat": now - 900}) == ("APPROVAL_INVALID", "CLAIM_INVALID")
    assert await sent(device, {"key_entry": 1}) == ("APPROVAL_INVALID", "CLAIM_INVALID")
    zhou = office.devices["zhou"]
    assert await sent(zhou, {"officer": "officers/zhou"}) == (
        "APPROVAL_INVALID",
        "OFFICER_MISMATCH",
    )
    assert (await office.hub.state()).domain() == before

    said = await office.said("liu", "pause")
    text = device.approve(said)
    assert await office.send("liu", "pause", text) == "PROPOSED"
    assert await refusal(office.send("liu", "pause", text)) == (
        "APPROVAL_INVALID",
        "NONCE_MISMATCH",
    )


async def test_a_counter_that_does_not_go_on_is_refused(office: Office) -> None:
    """Across intents: a copy of the key signs with a number that was there before."""
    zhao, device = office.hub.officer(), office.devices["liu"]
    for intent in ("pause", "go-on"):
        await zhao.propose_kind(intent, "seal.suspend", {**PAUSE, "cause": intent})
    await office.touch("liu", "pause", count=7)

    for count in (7, 6, 0):
        assert await refusal(office.touch("liu", "go-on", count=count)) == (
            "APPROVAL_INVALID",
            "WEBAUTHN_COUNTER",
        )

    device.count = 7
    assert await office.touch("liu", "go-on") == "PROPOSED"


async def test_a_credential_is_enrolled_by_whoever_has_it(office: Office) -> None:
    """Not under another's name, not twice, not where it may be copied; and two officers keep keys
    that no browser asks for."""
    hub, device = office.hub, Authenticator()
    zhao = hub.officer()
    stolen = {**keys_in(device, hub, "wu"), "signing_request": b64u(device.proof("officers/sun"))}
    copied = {**stolen, "signing_request": b64u(device.proof("officers/wu", flags=0x4D))}
    again = keys_in(office.devices["liu"], hub, "wu", "wu-2")

    for keys, rule in (
        (stolen, "credential.proof"),
        (copied, "credential.proof"),
        (again, "key.used"),
    ):
        with pytest.raises(Refused) as caught:
            await zhao.propose_kind("wrong", "officer.enrol", keys)
        assert caught.value.violations == [("members.signing_request", rule)]

    first = Authenticator()
    sun = hub.officer("sun")
    await sun.carry_out(
        "officer.rotate-key", keys_in(first, hub, "sun", "sun-2"), by=("zhao", "qian")
    )
    with pytest.raises(Refused) as caught:
        await zhao.propose_kind(
            "last", "officer.hand-over", keys_in(Authenticator(), hub, "qian", "qian-2")
        )
    assert caught.value.violations == [("members", "officers.display")]


async def test_a_signer_process_verifies_them_itself(city: Path, tmp_path: Path) -> None:
    """It follows the roster to the credentials, and seals under a standing intent that two
    authenticators approved, and not before the second."""
    home = copy_home(city, tmp_path / "home")
    config = home / "hub.toml"
    config.write_text(config.read_text() + '\n[seal]\nsigner = "process"\n')
    async with Simulator(home) as hub:
        office = Office(hub)
        await office.furnish()
        zhao, connector = hub.officer(), hub.connector()
        await zhao.withdraw("hz-001")
        await zhao.propose("hz-2", SEAL, LICENCE)
        await office.touch("liu", "hz-2")
        with pytest.raises(Refused) as caught:
            await connector.deliver([licence(1)])
        assert caught.value.reason == "INTENT_NOT_APPROVED"

        await office.touch("zhou", "hz-2")
        delivered = await connector.deliver([licence(1)])

        assert delivered.results[0].certificate
