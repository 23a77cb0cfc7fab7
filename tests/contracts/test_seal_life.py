"""Seals and keys on real SQLite and real PostgreSQL: one life, and one key in force at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.seal_states import KeyState, SealState
from hub.errors import HubError, Reason
from hub.proof.ses.seal import parse_seal
from tests.registry.office import AUTHORITY, Office, open_office

NAME = f"{AUTHORITY}/seals/ofd"


@pytest.fixture
async def office(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(empty_database_url, tmp_path) as opened:
        yield opened


async def test_a_seal_in_electronic_form_lives_to_its_end(office: Office) -> None:
    """Made, suspended, resumed and revoked; what was written reads back the same."""
    made = await office.make_seal("ofd", ofd=True)
    states = []

    for verb in ("suspend", "resume", "revoke"):
        await office.carry_out(f"seal.{verb}", {"seal": NAME, "cause": "核查"})
        states.append((await office.seals.get(NAME)).seal.state)

    after = await office.seals.get(NAME)
    assert states == [SealState.SUSPENDED, SealState.ACTIVE, SealState.REVOKED]
    assert {one.key.state for one in after.keys} == {KeyState.RETIRED}
    assert after.electronic == made.electronic is not None
    assert parse_seal(after.electronic.der).number == after.electronic.number
    assert {one.key.kid for one in after.keys} == {one.key.kid for one in made.keys}


async def test_two_keys_are_never_in_force_together(office: Office) -> None:
    """Two activations, approved while none was in force and executed at once."""
    (view,) = (await office.make_seal()).keys
    approved = []
    wanted = {"seal": f"{AUTHORITY}/seals/main", "use": "record", "algorithm": "ES256"}
    await office.carry_out("key.retire", {"key": view.key.name, "cause": "x"})
    for _ in range(2):
        made = await office.carry_out("key.generate", wanted)
        chain = {"key": made["key"], "x509_chain": office.chain_for(made)}
        approved.append(await office.approved("key.activate", chain))

    done = await asyncio.gather(*map(office.execute, approved), return_exceptions=True)

    (refusal,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(refusal, HubError)
    assert refusal.reason in (Reason.FIELD_INVALID, Reason.DECISION_STALE)
    keys = (await office.seals.get(f"{AUTHORITY}/seals/main")).keys
    assert [one.key.state for one in keys].count(KeyState.ACTIVE) == 1
