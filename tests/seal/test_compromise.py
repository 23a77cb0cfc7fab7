"""The compromise drill: a key is declared stolen since T, and everybody is told what that ends."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from hub.domain.seal_states import KeyState
from hub.errors import Reason
from hub.proof.reasons import ProofReason, Verdict
from hub.seal.compromises import declared_compromises
from hub.seal.v1 import seal_pb2
from tests.registry.office import Office, licence
from tests.seal.test_seal_keys import active, approve_licences, fresh_key
from tests.seal.test_seals import refused
from tests.seal.test_verify_document import presentation, verified
from tests.simulator import Simulator, copy_home
from tests.simulator import licence as licence_row

NOW = int(time.time())


async def test_a_compromised_key_signs_nothing_more_until_another_is_in_force(
    office: Office,
) -> None:
    await approve_licences(office)
    await office.deliver([licence(1)])
    key = await active(office)

    await office.carry_out("key.compromise", {"key": key.name, "since": NOW, "cause": "theft"})

    view = await office.seals.key(key.name)
    assert (view.key.state, view.compromised_from) == (KeyState.COMPROMISED, NOW)
    with refused(Reason.KEY_NOT_ACTIVE):
        await office.deliver([licence(2)])
    await office.carry_out("key.activate", await fresh_key(office))
    await office.deliver([licence(2)])


async def test_a_declaration_may_only_move_back(office: Office) -> None:
    """Nobody makes a key believable again for a time in which it was not, nor tells the future."""
    key = (await active(office)).name

    async def declare(since: int) -> None:
        await office.carry_out("key.compromise", {"key": key, "since": since, "cause": "theft"})

    with refused(Reason.FIELD_INVALID):
        await declare(NOW + 86_400)
    await declare(NOW)
    for since in (NOW, NOW + 1):
        with refused(Reason.FIELD_INVALID):
            await declare(since)
    await declare(NOW - 3_600)
    assert {one.since for one in await declared_compromises(office.database)} == {NOW - 3_600}


async def test_a_key_that_never_had_a_certificate_is_not_declared(office: Office) -> None:
    made = await fresh_key(office)

    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await office.approved("key.compromise", {"key": made["key"], "since": NOW, "cause": "x"})


async def test_a_destroyed_key_may_turn_out_to_have_been_copied(office: Office) -> None:
    key = (await active(office)).name
    await office.carry_out("key.retire", {"key": key, "cause": "x"})
    await office.carry_out("key.destroy", {"key": key, "cause": "x"})

    await office.carry_out("key.compromise", {"key": key, "since": NOW, "cause": "copied"})

    view = await office.seals.key(key)
    assert (view.key.state, view.compromised_from) == (KeyState.COMPROMISED, NOW)
    assert view.key.destroy_time_us is not None


@pytest.mark.parametrize(
    ("earlier_s", "verdict", "reason"),
    [
        (3_600, Verdict.INVALID, ProofReason.KEY_COMPROMISED),
        (0, Verdict.CANNOT_CHECK, ProofReason.COMPROMISE_OPEN),
    ],
)
async def test_what_the_hub_says_of_its_own_seals_follows_the_declaration(
    city: Path, tmp_path: Path, earlier_s: int, verdict: Verdict, reason: ProofReason
) -> None:
    """Sealed since then *invalid*; sealed before, and nobody outside vouches: *cannot check*."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await hub.connector().deliver([licence_row(1)])
        data = await presentation(hub, 1)
        before = await verified(hub.platform(), data)
        zhao = hub.officer()
        listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest())
        (key,) = [
            one
            for one in listed.keys
            if one.use == "record" and one.uses and one.state == seal_pb2.Key.STATE_ACTIVE
        ]
        if not earlier_s:
            await asyncio.sleep(1.1)  # Seconds are the unit of `iat` and of a declaration.
        since = int(time.time()) - earlier_s

        await zhao.carry_out(
            "key.compromise", {"key": key.name, "since": since, "cause": "device lost"}
        )

        after = await verified(hub.platform(), data)
        shown = await zhao.call(zhao.seal.GetKey, seal_pb2.GetKeyRequest(name=key.name))
        audit = await hub.audit()
    assert before.verdict is Verdict.VALID
    assert (after.verdict, after.reason) == (verdict, reason)
    assert shown.key.state == seal_pb2.Key.STATE_COMPROMISED
    assert shown.key.compromise_time.seconds == since
    assert audit.findings == []
