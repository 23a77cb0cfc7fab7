"""What happens to holders on every engine: who is told of which certificates, and who is not."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller
from hub.domain.certificate import State
from hub.domain.crypto import CryptoProfile
from hub.domain.entry import Entry
from hub.domain.holder import Holder
from hub.domain.holder_event import HolderEvent
from hub.domain.holder_link import LinkKind
from hub.domain.names import new_id
from hub.domain.row import Op
from hub.errors import HubError, Reason
from hub.proof.encoding import digest, parse_object
from hub.registry.evidence import Evidence
from hub.registry.facts import FollowUps, FollowUpState, follow_up_state
from hub.registry.feed_store import CHANGES_AFTER, ChangeKind, change_of
from hub.registry.holder_events import AnnounceHolderEvent, EventAnnouncement
from hub.registry.store import PUT_VERSION, on_file_of
from hub.registry.transition_store import HELD
from hub.storage.changes import Answered, Call
from hub.storage.statements import ENTRY_INDEX, Write
from tests.contracts.test_facts import numbered
from tests.contracts.test_holder_links import AUDITOR, EVIDENCE, FOREIGN, OWN, Desk
from tests.registry.office import (
    AUTHORITY,
    LICENCE_TYPE,
    PERMIT_TYPE,
    RULING,
    Office,
    licence,
    open_office,
)
from tests.registry.test_ingest import CITIZEN, permit

PERSON = Holder("111", CITIZEN)
PERMIT = Holder("516", "H12345678")


class Registrar(Desk):
    """An office, and a department that announces what happened."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self.follow_ups = FollowUps(office.database, office.recorder, office.identities)
        self.announce_event = AnnounceHolderEvent(
            now_us, office.database, office.recorder, office.identities, office.reader
        )

    async def announce(
        self,
        certificate_id: str,
        event: HolderEvent,
        *,
        caller: Caller = OWN,
        evidence: Evidence = EVIDENCE,
        request_id: str = "",
    ) -> Answered:
        call = Call(caller, request_id or str(uuid.uuid4()), "/event", digest(certificate_id))
        return await self.announce_event(
            call,
            EventAnnouncement(AUTHORITY, certificate_id, event, evidence),
            lambda made: f"{made.id} {made.follow_ups}".encode(),
        )

    async def close(self, certificate_id: str) -> None:
        """Deregister a certificate, as far as its row shows it."""
        row = await self.office.database.one(HELD, certificate_id, AUTHORITY)
        assert row is not None
        _, version = on_file_of(row)
        closed = version._replace(state=State.DEREGISTERED.value, state_entry=ENTRY_INDEX)
        entry = Entry("certificate.transition", OWN.name, 1, new_id(), digest("x"), {"data": {}})
        await self.office.recorder.record(entry, [Write(PUT_VERSION, [closed])], ())

    async def listed(self, caller: Caller, change: str = "") -> dict[str, FollowUpState]:
        """Where each certificate stands, as far as the caller is shown it."""
        page = await self.follow_ups.list(caller, change, after="", size=50)
        return {one.certificate_id: follow_up_state(one) for one in page.follow_ups}

    async def told(self) -> Sequence[str]:
        rows = await self.office.database.all(CHANGES_AFTER, 0, 0, 2**53, 1000)
        changes = [change_of(row) for row in rows]
        return [one.certificate_id for one in changes if one.what is ChangeKind.FACT]


@pytest.fixture
async def desk(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Registrar]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(LICENCE_TYPE, PERMIT_TYPE)
        yield Registrar(office)


async def test_a_death_lists_all_that_the_person_has(desk: Registrar) -> None:
    """Under a linked permit too; no state changes, nothing says how much it is."""
    source, other, linked, ended = await desk.deliver(
        permit("P-1"),
        permit("P-2"),
        permit("P-3", holders=(PERMIT,)),
        permit("P-4"),
        certificate_type=PERMIT_TYPE,
    )
    await desk.deliver(permit("P-4", op=Op.REVOKE, ruling=RULING), certificate_type=PERMIT_TYPE)
    await desk.link(linked, PERSON, LinkKind.PERMIT)
    transitions = await desk.office.count("registry_transitions")

    answered = await desk.announce(source, HolderEvent.DEATH)

    change, told = answered.answer.decode().split()
    assert told == "0"
    assert (
        await desk.listed(OWN, change)
        == await desk.listed(AUDITOR, change)
        == {
            other: FollowUpState.OPEN,
            linked: FollowUpState.OPEN,
        }
    )
    assert ended not in await desk.listed(OWN)
    assert await desk.told() == []
    assert await desk.office.count("registry_transitions") == transitions
    assert answered.entry is not None
    opened = await desk.office.recorder.proofs.opened(answered.entry)
    data = parse_object(opened.body)["data"]
    assert isinstance(data, dict)
    assert (data["event"], data["document_digest"]) == ("holder.death", EVIDENCE.document_digest)
    assert "n" not in data and CITIZEN.encode() not in opened.body


async def test_a_dissolution_is_told_on_the_feed_and_followed_as_a_fact(desk: Registrar) -> None:
    """Shown by the closed licence; followed by the certificates themselves, or declined."""
    source, first, second = await desk.deliver(licence(1), numbered("L-1"), numbered("L-2"))
    await desk.close(source)

    answered = await desk.announce(source, HolderEvent.DISSOLUTION)
    change, told = answered.answer.decode().split()
    await desk.deliver(numbered("L-1", Op.REVOKE))
    request_id = str(uuid.uuid4())
    await desk.follow_ups.decline(
        Call(OWN, request_id, "/decline", digest(request_id)),
        change,
        second,
        "已注明",
        lambda _: b"",
    )

    assert told == "2"
    assert sorted(await desk.told()) == sorted([first, second])
    assert await desk.listed(OWN, change) == {
        first: FollowUpState.ENDED,
        second: FollowUpState.DECLINED,
    }


async def test_what_cannot_have_happened_is_refused_and_leaves_nothing(desk: Registrar) -> None:
    """A company dies not, a person is not dissolved; another's certificate, one that was revoked,
    several holders, no evidence; and it is not announced as a fact."""
    company, revoked = await desk.deliver(licence(1), licence(2))
    await desk.deliver(licence(2, Op.REVOKE))
    person, shared = await desk.deliver(
        permit("P-1"), permit("P-2", holders=(PERSON, PERMIT)), certificate_type=PERMIT_TYPE
    )
    size = desk.office.recorder.head().size
    for certificate, event, changes, reason, rule in (
        (company, HolderEvent.DEATH, {}, Reason.FIELD_INVALID, "event.holder"),
        (company, HolderEvent.GUARDIANSHIP_BEGUN, {}, Reason.FIELD_INVALID, "event.holder"),
        (person, HolderEvent.DISSOLUTION, {}, Reason.FIELD_INVALID, "event.holder"),
        (shared, HolderEvent.DEATH, {}, Reason.FIELD_INVALID, "link.one_holder"),
        (revoked, HolderEvent.DISSOLUTION, {}, Reason.TRANSITION_NOT_ALLOWED, ""),
        (person, HolderEvent.DEATH, {"caller": FOREIGN}, Reason.CERTIFICATE_NOT_FOUND, ""),
        ("0" * 32, HolderEvent.DEATH, {}, Reason.CERTIFICATE_NOT_FOUND, ""),
        (person, HolderEvent.DEATH, {"evidence": Evidence("", "法")}, Reason.FIELD_INVALID,
         "value.digest"),
    ):  # fmt: skip
        with pytest.raises(HubError) as caught:
            await desk.announce(certificate, event, **changes)  # type: ignore[arg-type]
        assert caught.value.reason is reason, (event, changes)
        if rule:
            assert [one.rule for one in caught.value.violations] == [rule]
    assert desk.office.recorder.head().size == size
    assert await desk.office.count("registry_fact_changes") == 0
