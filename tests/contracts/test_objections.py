"""Objections on every engine: raised, marked at once, answered in time, refused whole."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.clock import legal_day, now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.crypto import CryptoProfile
from hub.domain.entry import Entry
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Op, Row
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.exchange.receivers import Receivers
from hub.ledger.disclosures import Disclosures
from hub.proof.encoding import digest
from hub.registry.change_state import ConfirmCertificate, Transitions
from hub.registry.decide import Outcome
from hub.registry.feed_store import CHANGES_AFTER, ChangeKind, StoredChange, change_of
from hub.registry.notice_store import Gave, NoticeRow
from hub.registry.notices import Notices, TellReceivers
from hub.registry.objection_store import ObjectionRow, ObjectionState, Party
from hub.registry.objections import (
    NO_WORDS,
    AnswerObjection,
    Objections,
    RaiseObjection,
    Stated,
    Words,
)
from hub.registry.store import TURN, CertificateView
from hub.storage.changes import Answered, Call
from hub.storage.statements import Check
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    RULING,
    USCC,
    Office,
    licence,
    open_office,
)

DAYS = 10
DAY_US = 86_400_000_000
OWN = Caller("systems/own", Role.DEPARTMENT, AUTHORITY, USCC, 1, "", 1)
FOREIGN = Caller("systems/foreign", Role.DEPARTMENT, "authorities/tax", "", 1, "", 1)
WINDOW = Caller("systems/window", Role.PLATFORM, "authorities/hall", "", 1, "", 1)
OTHER_WINDOW = Caller("systems/window-2", Role.PLATFORM, "authorities/hall", "", 1, "", 1)
AUDITOR = Caller("systems/auditor", Role.AUDITOR, "authorities/hall", "", 1, "", 1)


@dataclass
class Granted:
    """Which fields of the licence each system has a grant for."""

    fields: dict[str, frozenset[str]] = field(default_factory=dict)

    def types_granted(self, recipient: str) -> frozenset[str]:
        return frozenset({LICENCE}) if recipient in self.fields else frozenset()

    def fields_granted(self, recipient: str, type_code: str) -> frozenset[str]:
        return self.fields.get(recipient, frozenset()) if type_code == LICENCE else frozenset()

    def check(self) -> Check:
        return Check(TURN, ("nobody", "nothing"), None)


class Desk:
    """An office, what is done about objections, and a clock that can be set forward."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.later_us = 0
        self.granted = Granted({WINDOW.name: frozenset({"name", "address"})})
        core = (self.clock, office.database, office.recorder, office.identities)
        self.raising = RaiseObjection(*core, self.granted, office.catalogue, office.data_keys, DAYS)
        self.objections = Objections(
            self.clock, office.database, office.identities, office.data_keys
        )
        self.answering = AnswerObjection(*core, self.objections, office.data_keys, DAYS)

    def clock(self) -> int:
        return now_us() + self.later_us

    def in_days(self, days: int) -> str:
        return (legal_day(self.clock()) + datetime.timedelta(days=days)).isoformat()

    async def raise_objection(
        self,
        identifier: str,
        *fields: str,
        caller: Caller = WINDOW,
        statement: str = "地址已变更",
        request_id: str = "",
    ) -> str:
        """The objection's id."""
        request_id = request_id or str(uuid.uuid4())
        answered = await self.raising(
            Call(caller, request_id, "/raise", digest(f"{identifier}{fields}{statement}")),
            Stated(identifier, fields, Party.HOLDER, statement),
            lambda made: made.id.encode(),
        )
        return answered.answer.decode()

    async def answer(
        self, objection: str, *, is_accepted: bool, caller: Caller = OWN, answer: str = "核对无误"
    ) -> Answered:
        request_id = str(uuid.uuid4())
        return await self.answering(
            Call(caller, request_id, "/answer", digest(request_id)),
            objection,
            answer,
            lambda one: one.state.encode(),
            is_accepted=is_accepted,
        )

    async def get(self, objection: str, caller: Caller = WINDOW) -> tuple[ObjectionRow, Words]:
        return await self.objections.get(caller, objection)

    async def ids(
        self, caller: Caller, state: ObjectionState | None = None, *, overdue: bool = False
    ) -> list[str]:
        page = await self.objections.list(caller, state, "", 50, overdue=overdue)
        assert not page.after
        return [one.id for one in page.objections]

    async def view(self, certificate: str) -> CertificateView:
        """What whoever looks the certificate up is shown."""
        return await self.office.search.get(
            self.office.officer(OFFICERS[0]), AUTHORITY, certificate.rpartition("/")[2]
        )

    async def marked(self, certificate: str) -> tuple[str, ...]:
        """The fields that are objected to, as whoever looks it up is told."""
        return (await self.view(certificate)).objected

    async def changes(self, what: ChangeKind) -> list[StoredChange]:
        """What the feed says of this kind."""
        rows = await self.office.database.all(CHANGES_AFTER, 0, 0, 2**53, 1000)
        return [one for one in map(change_of, rows) if one.what is what]

    async def told(self) -> list[tuple[str, str]]:
        """What the feed says of objections: identifier and reference."""
        return [(one.identifier, one.reference) for one in await self.changes(ChangeKind.OBJECTION)]


def correction(number: int, objection: str, fields: dict[str, str]) -> Row:
    """A row that corrects the licence of company `number` and names an objection."""
    return licence(number, Op.CORRECT, fields=fields, objection=f"objections/{objection}")


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, profile: CryptoProfile) -> AsyncIterator[Desk]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(LICENCE_TYPE)
        yield Desk(office)


async def test_what_is_objected_to_is_marked_until_it_is_rejected(desk: Desk) -> None:
    """By two systems: the marks are those of all that are open; each step is one entry."""
    first = (await desk.office.deliver([licence(1)])).results[0]
    size = desk.office.recorder.head().size

    address = await desk.raise_objection(first.identifier, "address", "name")
    both = await desk.marked(first.certificate)
    scope = await desk.raise_objection(first.identifier, "scope", "holder_number", caller=OWN)
    all_of_them = await desk.marked(first.certificate)
    await desk.answer(address, is_accepted=True)
    still = await desk.marked(first.certificate)
    await desk.answer(address, is_accepted=False)
    less = await desk.marked(first.certificate)
    await desk.answer(scope, is_accepted=False)

    assert both == ("address", "name")
    assert all_of_them == still == ("address", "holder_number", "name", "scope")
    assert less == ("holder_number", "scope")
    assert await desk.marked(first.certificate) == ()
    assert desk.office.recorder.head().size == size + 5
    assert await desk.told() == [
        (first.identifier, f"objections/{one}") for one in (address, scope, address, address, scope)
    ]


async def test_who_raised_it_and_who_answers_it_read_the_words_and_nobody_else(desk: Desk) -> None:
    """An auditor sees the objection without them; in the database they are not readable."""
    first = (await desk.office.deliver([licence(1)])).results[0]
    objection = await desk.raise_objection(first.identifier, "address", statement="已搬迁")
    await desk.answer(objection, is_accepted=True, answer="属实")

    for caller in (WINDOW, OWN):
        found, words = await desk.get(objection, caller)
        assert words == Words("已搬迁", "属实")
        assert "已搬迁".encode() not in found.statement
    assert (await desk.get(objection, AUDITOR))[1] == NO_WORDS
    for caller in (FOREIGN, OTHER_WINDOW):
        with pytest.raises(HubError) as caught:
            await desk.get(objection, caller)
        assert caught.value.reason is Reason.OBJECTION_NOT_FOUND
        assert await desk.ids(caller) == []
    assert [await desk.ids(caller) for caller in (WINDOW, OWN, AUDITOR)] == [[objection]] * 3


async def test_an_objection_is_due_in_plain_days_and_then_overdue(desk: Desk) -> None:
    """The last day is in time. To accept it gives as many days again to correct it."""
    rows = (await desk.office.deliver([licence(1), licence(2)])).results
    late, answered = [await desk.raise_objection(one.identifier, "name") for one in rows]

    assert (await desk.get(late))[0].due_date == desk.in_days(DAYS)
    desk.later_us = DAYS * DAY_US
    assert await desk.ids(OWN, overdue=True) == []
    await desk.answer(answered, is_accepted=True)
    assert (await desk.get(answered))[0].due_date == desk.in_days(DAYS)
    desk.later_us += DAY_US
    assert await desk.ids(OWN, overdue=True) == await desk.ids(AUDITOR, overdue=True) == [late]
    assert await desk.objections.overdue() == {AUTHORITY: 1}
    desk.later_us += DAYS * DAY_US
    assert await desk.ids(OWN, overdue=True) == [late, answered]
    assert await desk.ids(OWN, ObjectionState.RAISED, overdue=True) == [late]
    await desk.answer(late, is_accepted=False)
    await desk.answer(answered, is_accepted=False)
    assert await desk.objections.overdue() == {}


async def test_what_cannot_be_objected_to_is_refused_and_leaves_nothing(desk: Desk) -> None:
    """Without a grant for the fields nobody learns whether the certificate is there."""
    first, ended = (await desk.office.deliver([licence(1), licence(2)])).results
    await desk.office.deliver([licence(2, Op.REVOKE), licence(1, fields={"scope": "新"})])
    (newest,) = (await desk.office.deliver([licence(1, fields={"scope": "新"})])).results
    known = CertificateIdentifier.parse(newest.identifier)
    absent = str(CertificateIdentifier.make(known.type_code, known.issuer, "0" * 32, 1))
    miswritten = absent[:-1] + ("0" if absent[-1] != "0" else "1")
    size = desk.office.recorder.head().size
    for identifier, fields, caller, statement, reason in (
        (newest.identifier, ("scope",), WINDOW, "错", Reason.CERTIFICATE_NOT_FOUND),
        (newest.identifier, ("name",), OTHER_WINDOW, "错", Reason.CERTIFICATE_NOT_FOUND),
        (newest.identifier, ("name",), FOREIGN, "错", Reason.CERTIFICATE_NOT_FOUND),
        (absent, ("name",), WINDOW, "错", Reason.CERTIFICATE_NOT_FOUND),
        (miswritten, ("name",), WINDOW, "错", Reason.IDENTIFIER_INVALID),
        (first.identifier, ("name",), WINDOW, "错", Reason.TRANSITION_NOT_ALLOWED),
        (ended.identifier, ("name",), WINDOW, "错", Reason.TRANSITION_NOT_ALLOWED),
        (newest.identifier, ("unknown",), OWN, "错", Reason.FIELD_INVALID),
        (newest.identifier, (), OWN, "错", Reason.FIELD_INVALID),
        (newest.identifier, ("name", "name"), OWN, "错", Reason.FIELD_INVALID),
        (newest.identifier, ("name",), OWN, "", Reason.FIELD_INVALID),
        (newest.identifier, ("name",), OWN, "错" * 401, Reason.FIELD_INVALID),
    ):
        with pytest.raises(HubError) as caught:
            await desk.raise_objection(identifier, *fields, caller=caller, statement=statement)
        assert caught.value.reason is reason, (fields, caller.name, statement[:2])
    await desk.raise_objection(newest.identifier, "name")
    with pytest.raises(HubError) as caught:
        await desk.raise_objection(newest.identifier, "address")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    assert desk.office.recorder.head().size == size + 1
    assert await desk.office.count("registry_objections") == 1


async def test_a_correction_that_names_it_closes_the_objection(desk: Desk) -> None:
    """By the ordinary way of data, before or after an answer; the others stay open and marked."""
    first, second = (await desk.office.deliver([licence(1), licence(2)])).results
    address = await desk.raise_objection(first.identifier, "address")
    scope = await desk.raise_objection(first.identifier, "scope", caller=OWN)
    accepted = await desk.raise_objection(second.identifier, "name")
    await desk.answer(accepted, is_accepted=True)

    corrected, other = (
        await desk.office.deliver(
            [
                correction(1, address, {"address": "杭州市新路1号"}),
                correction(2, accepted, {"name": "杭州改名有限公司"}),
            ]
        )
    ).results

    assert [one.outcome for one in (corrected, other)] == [Outcome.CORRECTED] * 2
    found, _ = await desk.get(address)
    assert (found.state, found.correction, found.due_date) == (
        "corrected",
        corrected.identifier,
        "",
    )
    assert (await desk.get(accepted))[0].correction == other.identifier
    assert await desk.marked(first.certificate) == ("scope",)
    assert await desk.marked(second.certificate) == ()
    assert [
        (one.identifier, one.reference) for one in await desk.changes(ChangeKind.CORRECTED)
    ] == [
        (corrected.identifier, f"objections/{address}"),
        (other.identifier, f"objections/{accepted}"),
    ]
    assert await desk.ids(OWN, ObjectionState.RAISED) == [scope]


async def test_a_correction_names_an_open_objection_to_its_own_certificate(desk: Desk) -> None:
    """One that is closed, of another certificate, unknown, or to what is not on file: the row is
    refused, whatever it says."""
    first, second = (await desk.office.deliver([licence(1), licence(2)])).results
    closed = await desk.raise_objection(first.identifier, "name")
    await desk.answer(closed, is_accepted=False)
    other = await desk.raise_objection(second.identifier, "name")
    holder = await desk.raise_objection(second.identifier, "holder_number", caller=OWN)
    changed = {"name": "杭州改名有限公司"}
    rows = [
        correction(1, closed, changed),
        correction(1, other, changed),
        correction(1, "0" * 32, changed),
        correction(3, other, changed),
        # What is objected to stays as it was.
        correction(2, other, {"scope": "新"}),
        correction(2, holder, {"scope": "新"}),
        # Twice in one batch: the first closes it.
        correction(2, other, changed),
        correction(2, other, {"name": "杭州再改名有限公司"}),
    ]

    results = (await desk.office.deliver(rows)).results

    refused = ["row.objection_open"]
    rules = [[one.rule for one in result.violations] for result in results]
    assert rules == [refused] * 4 + [["row.objection_unmet"]] * 2 + [[], refused]
    assert await desk.office.count("registry_certificates") == 2


async def test_a_full_delivery_lists_again_what_was_gone_at_its_source(desk: Desk) -> None:
    """Named again with the same content, it is confirmed; what is not named stays gone."""
    connector = desk.office.caller
    results = (await desk.office.deliver([licence(1), licence(2)])).results
    confirm = ConfirmCertificate(
        now_us, desk.office.database, desk.office.recorder, desk.office.identities
    )
    for one in results:
        call = Call(connector, str(uuid.uuid4()), "/confirm", digest(one.certificate))
        await confirm(call, AUTHORITY, one.certificate.rpartition("/")[2], is_gone=True)

    again = (await desk.office.deliver([licence(1)])).results[0]

    assert again.outcome is Outcome.UNCHANGED
    gone = [(await desk.view(one.certificate)).presence.is_gone for one in results]
    assert gone == [False, True]
    assert (await desk.view(results[0].certificate)).version == 1


async def test_a_revocation_by_batch_leaves_its_ruling(desk: Desk) -> None:
    """In the certificate's history, like one by call."""
    (first,) = (await desk.office.deliver([licence(1)])).results
    ingested = await desk.office.deliver([licence(1, Op.REVOKE)])

    history, _ = await Transitions(desk.office.database).page(
        first.certificate.rpartition("/")[2], after="", size=10
    )

    (one,) = history
    assert (one.verb, one.from_state, one.to_state) == ("revoke", "active", "revoked")
    assert (one.legal_basis, one.document, one.decision_date) == (
        RULING.legal_basis,
        RULING.document,
        RULING.decision_date,
    )
    assert (one.entry, one.system) == (ingested.entry, desk.office.caller.name)


async def test_an_objection_to_what_was_erased_is_closed_without_words(desk: Desk) -> None:
    """Its texts are gone with the data; nothing stays overdue for ever."""
    first = (await desk.office.deliver([licence(1)])).results[0]
    objection = await desk.raise_objection(first.identifier, "name")

    class Erased:
        """Data keys after the holder's was destroyed on an order."""

        async def find(self, _data_key_id: str) -> None:
            return None

    desk.objections = dataclasses.replace(desk.objections, data_keys=Erased())  # type: ignore[type-var]
    desk.answering = dataclasses.replace(desk.answering, data_keys=Erased())  # type: ignore[type-var]
    await desk.answer(objection, is_accepted=False)

    found, words = await desk.get(objection)
    assert (found.state, words) == ("rejected", NO_WORDS)


async def test_only_its_authority_answers_and_only_what_is_open(desk: Desk) -> None:
    """Who raised it may not; what is closed stays closed."""
    first = (await desk.office.deliver([licence(1)])).results[0]
    objection = await desk.raise_objection(first.identifier, "name")

    for caller, reason in (
        (FOREIGN, Reason.OBJECTION_NOT_FOUND),
        (WINDOW, Reason.AUTHORITY_NOT_ALLOWED),
    ):
        with pytest.raises(HubError) as caught:
            await desk.answer(objection, is_accepted=False, caller=caller)
        assert caught.value.reason is reason
    await desk.answer(objection, is_accepted=True)
    with pytest.raises(HubError) as caught:
        await desk.answer(objection, is_accepted=True)
    assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED
    await desk.answer(objection, is_accepted=False)
    for is_accepted in (True, False):
        with pytest.raises(HubError) as caught:
            await desk.answer(objection, is_accepted=is_accepted)
        assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED


async def given_to(
    desk: Desk, system: str, identifier: str, *fields: str, kind: str = "fetch"
) -> int:
    """An entry by which fields of a version left, as a fetch or a verification writes it."""
    told = {"cert": identifier, "fields": [*fields], "sd_hash": "h"}
    members: dict[str, Json] = {"certificates": [told]}
    if kind == "verification":
        members = {"data": {"fields": [*fields]}}
    elif kind == "document.fetched":
        members = {"data": {"fields": [*fields], "cert": identifier}}
    entry = Entry(kind, system, 1, str(uuid.uuid4()), digest("x"), members, disclosed=(identifier,))
    return (await desk.office.recorder.record(entry, (), ())).index


async def test_who_was_given_what_is_corrected_gets_a_notice_once(desk: Desk) -> None:
    """By fetch or confirmation, of this field; it acknowledges its own, and nobody else's."""
    first, other = (await desk.office.deliver([licence(1), licence(2)])).results
    one = await given_to(desk, WINDOW.name, first.identifier, "address", "name")
    shown = await given_to(
        desk, "systems/archive", first.identifier, DOCUMENT_FIELD, kind="document.fetched"
    )
    two = await given_to(desk, WINDOW.name, first.identifier, "address", kind="verification")
    three = await given_to(
        desk, OTHER_WINDOW.name, first.identifier, "address", kind="verification"
    )
    await given_to(desk, "systems/window-3", first.identifier, "name")
    await given_to(desk, "systems/window-3", other.identifier, "address")
    objection = await desk.raise_objection(first.identifier, "address")
    (corrected,) = (
        await desk.office.deliver([correction(1, objection, {"address": "杭州市新路1号"})])
    ).results
    # An answer of later, whatever it says, is no answer with the wrong value.
    await given_to(desk, "systems/window-3", first.identifier, "address", kind="verification")
    office = desk.office
    receivers = Receivers(Disclosures(office.database, office.recorder.proofs))
    hubs = [
        TellReceivers(now_us, office.database, office.recorder, office.data_keys, receivers)
        for _ in range(2)
    ]
    notices = Notices(now_us, office.database, office.recorder, office.identities)

    sent = [await tell() for tell in (*hubs, *hubs)]

    async def seen(caller: Caller) -> list[NoticeRow]:
        return list((await notices.list(caller, "", 50, unacknowledged=True)).notices)

    assert sent == [3, 0, 0, 0]
    (mine,), (others,) = await seen(WINDOW), await seen(OTHER_WINDOW)
    assert mine.gave == (Gave(first.identifier, ["address"], [one, two], 2),)
    assert (mine.correction, mine.objection) == (corrected.identifier, f"objections/{objection}")
    # Who asked by holder does not learn which certificate it was.
    assert (others.gave, others.correction) == ((Gave("", ["address"], [three], 1),), "")
    document, *rest = await seen(OWN)
    assert await seen(AUDITOR) == [document, mine, others]
    assert rest == [mine, others]
    # A document shows the whole face.
    assert document.gave == (Gave(first.identifier, ["address"], [shown], 1),)
    assert await seen(FOREIGN) == []
    assert [change.reference for change in await desk.changes(ChangeKind.NOTICE)] == [
        document.name,
        mine.name,
        others.name,
    ]

    async def acknowledge(name: str, caller: Caller = WINDOW) -> None:
        call = Call(caller, str(uuid.uuid4()), "/acknowledge", digest(name))
        await notices.acknowledge(call, name, name.rpartition("/")[2], lambda done: b"")

    for name, caller in ((mine.name, OTHER_WINDOW), (f"{WINDOW.name}/notices/{others.id}", WINDOW)):
        with pytest.raises(HubError) as caught:
            await acknowledge(name, caller)
        assert caught.value.reason is Reason.NOTICE_NOT_FOUND
    await acknowledge(mine.name)
    with pytest.raises(HubError) as caught:
        await acknowledge(mine.name)
    assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED
    assert (await seen(WINDOW), await seen(AUDITOR)) == ([], [document, others])


async def test_the_same_call_again_raises_nothing_new(desk: Desk) -> None:
    """It gets its first answer."""
    first = (await desk.office.deliver([licence(1)])).results[0]
    request_id = str(uuid.uuid4())

    one = await desk.raise_objection(first.identifier, "name", request_id=request_id)
    again = await desk.raise_objection(first.identifier, "name", request_id=request_id)

    assert one == again
    assert await desk.office.count("registry_objections") == 1


async def test_two_who_object_at_once_are_both_marked(desk: Desk) -> None:
    """Neither mark is lost, whoever is first."""
    first = (await desk.office.deliver([licence(1)])).results[0]

    await asyncio.gather(
        desk.raise_objection(first.identifier, "address"),
        desk.raise_objection(first.identifier, "scope", caller=OWN),
    )

    assert await desk.marked(first.certificate) == ("address", "scope")
