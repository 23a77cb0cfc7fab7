"""Announced changes of facts on every engine: what follows, and who has followed."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.crypto import CryptoProfile
from hub.domain.row import Op, Row
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.registry.facts import (
    AnnounceFactChange,
    Announcement,
    FollowUpPage,
    FollowUps,
    FollowUpState,
    follow_up_state,
)
from hub.registry.feed_store import CHANGES_AFTER, ChangeKind, StoredChange, change_of
from hub.storage.changes import Answered, Call
from tests.fact_types import carrying
from tests.registry.office import (
    AUTHORITY,
    DEFINER,
    LICENCE_TYPE,
    PERMIT_TYPE,
    USCC,
    Office,
    licence,
    open_office,
)

OWN = Caller("systems/own", Role.DEPARTMENT, AUTHORITY, USCC, 1, "", 1)
FOREIGN = Caller("systems/foreign", Role.DEPARTMENT, "authorities/tax", "", 1, "", 1)
AUDITOR = Caller("systems/auditor", Role.AUDITOR, "authorities/hall", "", 1, "", 1)

REGISTER = carrying(LICENCE_TYPE, f"{DEFINER}003", "address", "name")
TRADE = carrying(LICENCE_TYPE, f"{DEFINER}004", "address")
QUIET = carrying(LICENCE_TYPE, f"{DEFINER}005")


def numbered(number: str, op: Op = Op.ISSUE) -> Row:
    """A further certificate of company 1."""
    return dataclasses.replace(licence(1, op), number=number, source_key=number)


class Register:
    """An office and what departments do about facts."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.announce_change = AnnounceFactChange(
            now_us, office.database, office.recorder, office.identities, office.catalogue
        )
        self.follow_ups = FollowUps(office.database, office.recorder, office.identities)

    async def deliver(self, rows: list[Row], code: str) -> list[str]:
        """The certificates' ids."""
        answer = await self.office.deliver(
            rows, vct=self.office.catalogue.vct(code), connector=f"c{code[-3:]}"
        )
        return [one.certificate.rpartition("/")[2] for one in answer.results]

    async def announce(
        self,
        certificate_id: str,
        *facts: str,
        caller: Caller = OWN,
        request_id: str = "",
        basis: str = "《公司法》第三十四条",
    ) -> Answered:
        request_id = request_id or str(uuid.uuid4())
        return await self.announce_change(
            Call(caller, request_id, "/announce", digest(f"{certificate_id}{facts}")),
            Announcement(AUTHORITY, certificate_id, facts, basis),
            lambda made: f"{made.id} {made.follow_ups}".encode(),
        )

    async def announced(self, certificate_id: str, *facts: str) -> str:
        answered = await self.announce(certificate_id, *facts)
        return answered.answer.decode().partition(" ")[0]

    async def page(
        self, caller: Caller, change: str = "", after: str = "", size: int = 50
    ) -> FollowUpPage:
        return await self.follow_ups.list(caller, change, after=after, size=size)

    async def states(self, caller: Caller, change: str = "") -> dict[str, FollowUpState]:
        page = await self.page(caller, change)
        return {one.certificate_id: follow_up_state(one) for one in page.follow_ups}

    async def decline(self, change: str, certificate_id: str, caller: Caller = OWN) -> Answered:
        request_id = str(uuid.uuid4())
        return await self.follow_ups.decline(
            Call(caller, request_id, "/decline", digest(request_id)),
            change,
            certificate_id,
            "不再使用",
            lambda one: one.decline_reason.encode(),
        )

    async def told(self) -> list[StoredChange]:
        rows = await self.office.database.all(CHANGES_AFTER, 0, 0, 2**53, 1000)
        return [one for one in map(change_of, rows) if one.what is ChangeKind.FACT]


@pytest.fixture
async def register(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Register]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(REGISTER, TRADE, QUIET, PERMIT_TYPE)
        yield Register(office)


async def test_every_live_certificate_that_carries_the_fact_follows(register: Register) -> None:
    """Of this holder, of types that carry it, in force: told on the feed, listed, and no other."""
    (source, _) = await register.deliver([licence(1), licence(2)], REGISTER.code)
    (follows, _, ended) = await register.deliver(
        [licence(1), licence(2), numbered("T-ended")], TRADE.code
    )
    await register.deliver([licence(1)], QUIET.code)
    await register.deliver([numbered("T-ended", Op.REVOKE)], TRADE.code)

    change = await register.announced(source, "address")

    assert await register.states(OWN) == {follows: FollowUpState.OPEN}
    assert await register.states(OWN, change) == await register.states(AUDITOR, change)
    assert ended not in await register.states(OWN)
    (told,) = await register.told()
    assert (told.certificate_id, told.reference) == (follows, f"factChanges/{change}")


async def test_a_follow_up_is_done_by_a_new_version(register: Register) -> None:
    """Nobody says so: the certificate itself does. One that ends needs no version."""
    (source,) = await register.deliver([licence(1)], REGISTER.code)
    first, second, third = await register.deliver(
        [licence(1), numbered("T-2"), numbered("T-3")], TRADE.code
    )
    change = await register.announced(source, "address")

    await register.deliver(
        [
            licence(1, fields={"address": "新址"}),
            numbered("T-2", Op.REVOKE),
        ],
        TRADE.code,
    )
    await register.decline(change, third)

    assert await register.states(OWN, change) == {
        first: FollowUpState.DONE,
        second: FollowUpState.ENDED,
        third: FollowUpState.DECLINED,
    }


async def test_a_follow_up_is_declined_once_and_by_its_own_authority(register: Register) -> None:
    """Nobody else learns whether there is one."""
    (source,) = await register.deliver([licence(1)], REGISTER.code)
    (follows,) = await register.deliver([licence(1)], TRADE.code)
    change = await register.announced(source, "address")

    for caller, certificate, reason in (
        (FOREIGN, follows, Reason.FACT_CHANGE_NOT_FOUND),
        (OWN, source, Reason.FACT_CHANGE_NOT_FOUND),
    ):
        with pytest.raises(HubError) as caught:
            await register.decline(change, certificate, caller)
        assert caught.value.reason is reason
    with pytest.raises(HubError) as caught:
        await register.page(FOREIGN, change)
    assert caught.value.reason is Reason.FACT_CHANGE_NOT_FOUND
    assert await register.states(FOREIGN) == {}

    await register.decline(change, follows)
    with pytest.raises(HubError) as caught:
        await register.decline(change, follows)
    assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED


async def test_the_same_call_again_announces_nothing_new(register: Register) -> None:
    """It gets its first answer, byte for byte."""
    (source,) = await register.deliver([licence(1)], REGISTER.code)
    await register.deliver([licence(1)], TRADE.code)
    request_id = str(uuid.uuid4())

    first = await register.announce(source, "address", request_id=request_id)
    again = await register.announce(source, "address", request_id=request_id)

    assert again == first
    assert await register.office.count("registry_fact_changes") == 1


async def test_what_cannot_be_announced_is_refused_and_leaves_nothing(register: Register) -> None:
    """Another's certificate, one that ended, a fact that it does not carry, no basis."""
    source, ended = await register.deliver([licence(1), licence(2)], REGISTER.code)
    await register.deliver([licence(2, Op.REVOKE)], REGISTER.code)
    (trade,) = await register.deliver([licence(1)], TRADE.code)
    size = register.office.recorder.head().size
    for certificate, facts, caller, basis, reason in (
        (source, ("address",), FOREIGN, "法", Reason.CERTIFICATE_NOT_FOUND),
        ("0" * 32, ("address",), OWN, "法", Reason.CERTIFICATE_NOT_FOUND),
        (ended, ("address",), OWN, "法", Reason.TRANSITION_NOT_ALLOWED),
        (trade, ("name",), OWN, "法", Reason.FIELD_INVALID),
        (source, ("address", "address"), OWN, "法", Reason.FIELD_INVALID),
        (source, (), OWN, "法", Reason.FIELD_INVALID),
        (source, ("",), OWN, "法", Reason.FIELD_INVALID),
        (source, ("address",), OWN, "", Reason.FIELD_INVALID),
        (source, ("address",), OWN, "x" * 401, Reason.FIELD_INVALID),
    ):
        with pytest.raises(HubError) as caught:
            await register.announce(certificate, *facts, caller=caller, basis=basis)
        assert caught.value.reason is reason, (facts, basis)
    assert register.office.recorder.head().size == size
    assert await register.office.count("registry_follow_ups") == 0


async def test_a_page_of_follow_ups_ends_where_the_next_begins(register: Register) -> None:
    """Across announcements, each once."""
    (source,) = await register.deliver([licence(1)], REGISTER.code)
    await register.deliver([numbered(f"T-{n}") for n in range(3)], TRADE.code)
    for _ in range(2):
        await register.announced(source, "address")
    found, after = [], ""
    for _ in range(7):
        page = await register.page(OWN, after=after, size=2)
        found += [(one.fact_change, one.certificate_id) for one in page.follow_ups]
        after = page.after
        if not after:
            break
    assert len(found) == len(set(found)) == 6
