"""The table of rosters on every engine: followed as far as log and officers prove it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.access.enrol_officer import OPERATOR
from hub.access.roster_store import insert_roster, newest_roster_check
from hub.access.rosters import Rosters
from hub.domain.crypto import CryptoProfile
from hub.domain.entry import Entry
from hub.errors import HubError, Reason
from hub.ledger.proofs import OpenedEntry, Proofs
from hub.proof.officers.roster import Quorum, Roster
from hub.proof.officers.roster_changes import Link
from tests.proof.officers import Bench
from tests.registry.office import Office, open_office


@pytest.fixture
async def office(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, profile) as opened:
        yield opened


async def recorded(
    office: Office, roster: Roster, link: Link, *, kind: str = "quorum.changed", said: str = ""
) -> None:
    """A statement with its entry, which says `said` instead where it is given."""
    statement = said or roster.to_bytes().decode()
    founding = kind == "roster.founded"
    entry = Entry(
        kind=kind,
        caller=OPERATOR.name if founding else "officers/ann",
        key_entry=0,
        request_id="",
        request_digest="",
        members={"data": {"roster": statement}},
    )
    checks = [newest_roster_check(roster.number - 1)]
    await office.recorder.record(entry, [insert_roster(roster.number, link)], checks)


async def founded(office: Office, bench: Bench) -> Roster:
    roster = bench.founded()
    await recorded(office, roster, Link(roster.to_bytes()), kind="roster.founded")
    return roster


def rosters(office: Office) -> Rosters:
    return Rosters(office.database, office.recorder.proofs)


async def test_a_chain_is_followed_as_it_grows(office: Office) -> None:
    """By one that was there before, by a new one, and by many at once."""
    bench, seen = Bench(), rosters(office)
    with pytest.raises(HubError) as caught:
        await seen.current()
    assert caught.value.reason is Reason.ROSTER_MISSING
    roster = await founded(office, bench)
    assert await seen.current() == roster

    up, first = bench.link(roster, "quorum.change", {"default": 3})
    await recorded(office, up, first)
    down, second = bench.link(up, "quorum.change", {"default": 2}, "bob", "cat", "dan")
    await recorded(office, down, second)

    assert await asyncio.gather(*(seen.current() for _ in range(5))) == [down] * 5
    assert await rosters(office).current() == down
    assert (await seen.link(1))[0] == first
    assert (await seen.link(None))[0] == second
    with pytest.raises(HubError) as caught:
        await seen.link(3)
    assert caught.value.reason is Reason.ROSTER_NOT_FOUND


async def test_of_two_changes_decided_on_one_roster_one_is_recorded(office: Office) -> None:
    """The other one is stale: it is decided anew, on what is true then."""
    bench = Bench()
    roster = await founded(office, bench)
    changes = [bench.link(roster, "quorum.change", {"default": number}) for number in (2, 3)]

    outcomes = await asyncio.gather(
        *(recorded(office, *change) for change in changes), return_exceptions=True
    )

    refused = [one.reason for one in outcomes if isinstance(one, HubError)]
    assert refused == [Reason.DECISION_STALE]
    assert (await rosters(office).current()).number == 1


async def test_what_the_officers_do_not_prove_is_no_roster(office: Office) -> None:
    """An intent of too few, although the log has it; what was followed before stays."""
    bench = Bench()
    roster = await founded(office, bench)
    up, link = bench.link(roster, "quorum.change", {"default": 3})

    few = dataclasses.replace(link, approvals=link.approvals[:1])
    await recorded(office, up, few)
    seen = rosters(office)

    with pytest.raises(HubError) as caught:
        await seen.current()

    assert caught.value.reason is Reason.ROSTER_BROKEN
    assert caught.value.details["rule"] == "QUORUM_NOT_REACHED: 1 of 2"
    assert seen.newest == roster


async def test_an_entry_must_say_the_statement_itself(office: Office) -> None:
    """A genuine chain beside entries that say something else."""
    bench = Bench()
    roster = await founded(office, bench)
    up, link = bench.link(roster, "quorum.change", {"default": 3})
    other = dataclasses.replace(up, quorum=Quorum(2)).to_bytes().decode()
    await recorded(office, up, link, said=other)

    with pytest.raises(HubError) as caught:
        await rosters(office).current()

    assert caught.value.reason is Reason.ROSTER_BROKEN
    assert caught.value.details["rule"].endswith("says another one")


async def test_number_0_is_inits(office: Office) -> None:
    """Nobody else founds a roster."""
    roster = Bench().founded()
    await recorded(office, roster, Link(roster.to_bytes()))

    with pytest.raises(HubError) as caught:
        await rosters(office).current()

    assert caught.value.reason is Reason.ROSTER_BROKEN
    assert caught.value.details["rule"].endswith("is not init's")


@dataclasses.dataclass
class _Unsigned:
    """The log a moment after a commit: the root that covers entry `index` is not signed yet."""

    proofs: Proofs
    index: int

    def covers(self, index: int) -> bool:
        return index < self.index and self.proofs.covers(index)

    async def proven(self, index: int) -> OpenedEntry:
        return await self.proofs.proven(index)


async def test_a_statement_counts_once_its_root_is_signed(office: Office) -> None:
    """Its row is seen a moment earlier; nobody has been told of it then, and nothing is broken."""
    bench = Bench()
    roster = await founded(office, bench)
    up, link = bench.link(roster, "quorum.change", {"default": 3})
    await recorded(office, up, link)
    log = _Unsigned(office.recorder.proofs, office.recorder.head().size - 1)
    seen = Rosters(office.database, log)

    before = await seen.current()
    log.index += 1

    assert (before, await seen.current()) == (roster, up)
