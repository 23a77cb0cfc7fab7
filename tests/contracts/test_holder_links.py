"""Linked identifiers of holders on every engine: every look-up by holder follows them as of now."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import CertificateType
from hub.domain.crypto import CryptoProfile
from hub.domain.entry import Entry
from hub.domain.holder import Holder
from hub.domain.holder_link import LINKED_MAX, Link, LinkKind, reached
from hub.domain.row import Row
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.registry.evidence import Evidence
from hub.registry.fact_store import HELD_BY
from hub.registry.holder_link_store import ALL_LINKS, INSERT_LINK, LINKED, link_of
from hub.registry.holder_links import HolderLinks, LinkOrder
from hub.registry.on_file import OnFileReader
from hub.registry.search import Filter
from hub.registry.store import PAIRS, REACHED_BY
from hub.storage.changes import Answered, Call
from hub.storage.statements import Check, Write
from tests.registry.office import (
    AUTHORITY,
    LICENCE_TYPE,
    PERMIT_TYPE,
    USCC,
    Office,
    licence,
    open_office,
    uscc,
)
from tests.registry.test_ingest import CITIZEN, permit

OWN = Caller("systems/own", Role.DEPARTMENT, AUTHORITY, USCC, 1, "", 1)
FOREIGN = Caller("systems/foreign", Role.DEPARTMENT, "authorities/tax", "", 1, "", 1)
AUDITOR = Caller("systems/auditor", Role.AUDITOR, "authorities/hall", "", 1, "", 1)
DOCUMENT = digest("the decision")
EVIDENCE = Evidence(DOCUMENT, "《公司法》第一百七十二条")
PASSPORT = Holder("414", "E12345678")


def company(number: int) -> Holder:
    return Holder("001", uscc(number))


class Desk:
    """An office, and a department that links."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.keys = office.search.holder_keys
        self.links = HolderLinks(
            now_us,
            office.database,
            office.recorder,
            office.identities,
            self.keys,
            office.reader,
        )
        self.on_file = OnFileReader(office.database, office.data_keys, self.keys)

    def vct(self, certificate_type: CertificateType) -> str:
        return self.office.catalogue.vct(certificate_type.code)

    async def deliver(
        self, *rows: Row, certificate_type: CertificateType = LICENCE_TYPE
    ) -> list[str]:
        """The certificates' ids."""
        connector = f"c{certificate_type.code[-3:]}"
        answer = await self.office.deliver(
            rows, vct=self.vct(certificate_type), connector=connector
        )
        assert all(one.certificate for one in answer.results), answer.results
        return [one.certificate.rpartition("/")[2] for one in answer.results]

    async def link(
        self,
        certificate_id: str,
        former: Holder,
        kind: LinkKind = LinkKind.RENAME,
        *,
        caller: Caller = OWN,
        evidence: Evidence = EVIDENCE,
        date: str = "2020-01-01",
        request_id: str = "",
    ) -> Answered:
        order = LinkOrder(AUTHORITY, certificate_id, former, kind, date, evidence)
        content = digest(f"{certificate_id} {former.number} {kind}")
        call = Call(caller, request_id or str(uuid.uuid4()), "/link", content)
        return await self.links.link(call, order, lambda made: made.id.encode())

    async def linked(self, certificate_id: str, former: Holder, kind: LinkKind) -> str:
        return (await self.link(certificate_id, former, kind)).answer.decode()

    async def unlink(
        self, link_id: str, caller: Caller = OWN, evidence: Evidence = EVIDENCE
    ) -> Answered:
        request_id = str(uuid.uuid4())
        call = Call(caller, request_id, "/unlink", digest(request_id))
        return await self.links.unlink(call, link_id, evidence, lambda ended: ended.state.encode())

    async def seen(self, holder: Holder, certificate_type: CertificateType) -> list[set[str]]:
        """The identifiers found for the holder by each way of looking; they must agree."""
        vct = self.vct(certificate_type)
        pair = (holder, certificate_type.code)
        search = await self.office.search.search(
            AUDITOR, Filter(holder=holder, type_code=pair[1]), after="", size=50
        )
        fetched = await self.office.reader.by_holder(holder.type, holder.number, vct)
        planned = await self.on_file.find({pair: frozenset({"name"})})
        index = self.keys.holder_index(holder.type, holder.number)
        held = await self.office.database.all(HELD_BY, index, 50)
        ways = [
            [one.identifier for one in search.certificates],
            [one.identifier for one in fetched],
            [one.identifier for one in planned.get(pair, ())],
            [str(row[6]) for row in held if row[2] == pair[1]],
        ]
        for way in ways:
            assert len(way) == len(set(way)), "each certificate is found once"
        return [set(way) for way in ways]

    async def found(
        self, holder: Holder, certificate_type: CertificateType = LICENCE_TYPE
    ) -> set[str]:
        """The numbers of the certificates found for the holder; every way of looking agrees."""
        first, *others = await self.seen(holder, certificate_type)
        assert all(other == first for other in others)
        return first


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, profile: CryptoProfile) -> AsyncIterator[Desk]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(LICENCE_TYPE, PERMIT_TYPE)
        yield Desk(office)


async def test_every_look_up_follows_a_link_until_it_is_taken_back(desk: Desk) -> None:
    """Mutual kinds both ways, a merger one way, several links in a row; then as before."""
    first, second, third = await desk.deliver(licence(1), licence(2), licence(3))
    own = [await desk.found(company(number)) for number in (1, 2, 3)]
    assert [len(one) for one in own] == [1, 1, 1]

    renamed = await desk.linked(second, company(1), LinkKind.RENAME)
    merged = await desk.linked(third, company(2), LinkKind.MERGER)

    assert await desk.found(company(1)) == await desk.found(company(2)) == own[0] | own[1]
    assert await desk.found(company(3)) == own[0] | own[1] | own[2]
    await desk.unlink(renamed)
    assert await desk.found(company(3)) == own[1] | own[2]
    assert await desk.found(company(1)) == own[0]
    await desk.unlink(merged)
    assert [await desk.found(company(number)) for number in (1, 2, 3)] == own
    assert first


async def test_a_person_keeps_what_was_issued_under_an_old_number(desk: Desk) -> None:
    """15 digits, a passport, both under the citizen number; nothing readable is stored."""
    old, new = Holder("999", "110105491231002"), Holder("111", CITIZEN)
    (certificate, _, _) = await desk.deliver(
        permit("P-1"),
        permit("P-2", holders=(old,)),
        permit("P-3", holders=(Holder("516", "H12345678"), new)),
        certificate_type=PERMIT_TYPE,
    )
    await desk.link(
        certificate, old, LinkKind.FIFTEEN_TO_EIGHTEEN, evidence=Evidence("", "GB 11643")
    )
    await desk.link(certificate, Holder("516", "H12345678"), LinkKind.PERMIT)

    # P-3 names two of the identifiers, and is found once.
    assert len(await desk.found(new, PERMIT_TYPE)) == 3
    found = await desk.office.reader.by_holder("111", CITIZEN, desk.vct(PERMIT_TYPE))
    assert sorted(one.is_linked for one in found) == [False, False, True]
    for row in await desk.office.database.all(ALL_LINKS, "", 10):
        assert CITIZEN not in str(row) and old.number not in str(row)


async def test_what_was_decided_on_a_link_is_stale_once_it_is_taken_back(desk: Desk) -> None:
    """Both ways of disclosing hand out a check that says so."""
    _, second = await desk.deliver(licence(1), licence(2))
    link = await desk.linked(second, company(1), LinkKind.RENAME)
    pair = (company(2), LICENCE_TYPE.code)
    fetched = await desk.office.reader.by_holder("001", uscc(2), desk.vct(LICENCE_TYPE))
    planned = (await desk.on_file.find({pair: frozenset()}))[pair]
    checks = {
        *[(one.identifier, one.is_linked, one.check.args) for one in fetched],
        *[
            (one.identifier, bool(one.linked_to), desk.on_file.unchanged(one).args)
            for one in planned
        ],
    }
    assert len(checks) == 2, "fetch and plan say the same of both"

    async def holds(check: Check) -> bool:
        return await desk.office.database.one(check.statement, *check.args) == check.expected

    assert [await holds(one.check) for one in fetched] == [True, True]
    await desk.unlink(link)
    assert [await holds(one.check) for one in fetched] == [not one.is_linked for one in fetched]


async def test_what_cannot_be_linked_is_refused_and_leaves_nothing(desk: Desk) -> None:
    """Another's certificate, one that ended, several holders, wrong evidence, wrong identifiers."""
    (own, ended) = await desk.deliver(
        licence(1), licence(2, valid_from="2001-01-01", valid_until="2002-01-01")
    )
    (shared,) = await desk.deliver(
        permit(holders=(Holder("111", CITIZEN), PASSPORT)), certificate_type=PERMIT_TYPE
    )
    size = desk.office.recorder.head().size
    for certificate, former, kind, changes, reason, rule in (
        (own, company(9), LinkKind.RENAME, {"caller": FOREIGN}, Reason.CERTIFICATE_NOT_FOUND, ""),
        ("0" * 32, company(9), LinkKind.RENAME, {}, Reason.CERTIFICATE_NOT_FOUND, ""),
        (ended, company(9), LinkKind.RENAME, {}, Reason.TRANSITION_NOT_ALLOWED, ""),
        (shared, PASSPORT, LinkKind.PERMIT, {}, Reason.FIELD_INVALID, "link.one_holder"),
        (own, company(1), LinkKind.RENAME, {}, Reason.FIELD_INVALID, "link.self"),
        (own, PASSPORT, LinkKind.MERGER, {}, Reason.FIELD_INVALID, "link.merger"),
        (own, company(9), LinkKind.RENAME, {"date": "2999-01-01"}, Reason.FIELD_INVALID,
         "value.future"),
        (own, company(9), LinkKind.RENAME, {"date": "1.1.2020"}, Reason.FIELD_INVALID,
         "value.date"),
        (own, company(9), LinkKind.RENAME, {"evidence": Evidence("", "法")}, Reason.FIELD_INVALID,
         "value.digest"),
        (own, company(9), LinkKind.RENAME, {"evidence": Evidence("=" * 43, "法")},
         Reason.FIELD_INVALID, "value.digest"),
        (own, company(9), LinkKind.RENAME, {"evidence": Evidence(DOCUMENT, "")},
         Reason.FIELD_INVALID, "value.empty"),
    ):  # fmt: skip
        with pytest.raises(HubError) as caught:
            await desk.link(certificate, former, kind, **changes)  # type: ignore[arg-type]
        assert caught.value.reason is reason, (kind, changes)
        if rule:
            assert [one.rule for one in caught.value.violations] == [rule]
    assert desk.office.recorder.head().size == size
    assert await desk.office.count("registry_holder_links") == 0


async def test_no_more_identifiers_hang_together_than_may(desk: Desk) -> None:
    """A chain of as many as may; whoever would make it longer, at either end, is told."""
    first, last = await desk.deliver(licence(1), licence(LINKED_MAX))
    await desk.link(first, company(2), LinkKind.MERGER)
    one = link_of((await desk.office.database.all(ALL_LINKS, "", 1))[0])
    chain = [
        one._replace(
            id=f"{number:032x}",
            present_index=desk.keys.holder_index("001", uscc(number)),
            former_index=desk.keys.holder_index("001", uscc(number + 1)),
        )
        for number in range(2, LINKED_MAX)
    ]
    entry = Entry("holder.linked", OWN.name, 1, str(uuid.uuid4()), DOCUMENT, {"data": {}})
    await desk.office.recorder.record(entry, [Write(INSERT_LINK, chain)], ())

    for certificate, other in ((first, 900), (last, 901)):
        with pytest.raises(HubError) as caught:
            await desk.link(certificate, company(other), LinkKind.MERGER)
        assert [one.rule for one in caught.value.violations] == ["link.too_many"]
    await desk.link(first, company(LINKED_MAX), LinkKind.MERGER)


async def test_a_link_is_taken_back_once_and_by_the_authority_that_made_it(desk: Desk) -> None:
    """Others see neither it nor whether it is there; the same call again changes nothing."""
    (own,) = await desk.deliver(licence(1))
    request_id = str(uuid.uuid4())
    first = await desk.link(own, company(9), request_id=request_id)
    assert await desk.link(own, company(9), request_id=request_id) == first
    link = first.answer.decode()
    second = await desk.linked(own, company(8), LinkKind.MERGER)

    for caller, name in ((FOREIGN, link), (OWN, "0" * 32)):
        with pytest.raises(HubError) as caught:
            await desk.unlink(name, caller)
        assert caught.value.reason is Reason.HOLDER_LINK_NOT_FOUND
    with pytest.raises(HubError) as caught:
        await desk.unlink(link, evidence=Evidence("", "法"))
    assert [one.rule for one in caught.value.violations] == ["value.digest"]
    assert (await desk.unlink(link)).answer == b"unlinked"
    with pytest.raises(HubError) as caught:
        await desk.unlink(link)
    assert caught.value.reason is Reason.TRANSITION_NOT_ALLOWED

    page, after = await desk.links.list(OWN, after="", size=1)
    rest, end = await desk.links.list(AUDITOR, after=after, size=1)
    assert [one.id for one in (*page, *rest)] == [link, second]
    assert [one.state for one in (*page, *rest)] == ["unlinked", "linked"]
    assert end == "" and await desk.links.list(FOREIGN, after="", size=9) == ([], "")


async def test_what_is_kept_for_look_ups_is_what_follows_from_the_links(desk: Desk) -> None:
    """After each of many links and unlinks, circles and repetitions among them; bounded."""
    random = Random(20260101)
    numbers = range(1, 7)
    certificates = await desk.deliver(*[licence(number) for number in numbers])
    indexes = {number: desk.keys.holder_index("001", uscc(number)) for number in numbers}
    standing: dict[str, Link] = {}
    for _ in range(25):
        if standing and random.random() < 0.4:
            link = random.choice(sorted(standing))
            await desk.unlink(link)
            del standing[link]
        else:
            present, former = random.sample(numbers, 2)
            kind = random.choice((LinkKind.RENAME, LinkKind.MERGER))
            made = await desk.linked(certificates[present - 1], company(former), kind)
            standing[made] = Link(indexes[former], indexes[present], kind.is_mutual)
        asked = [*indexes.values()]
        asked += asked[-1:] * (PAIRS - len(asked))
        kept = {(str(a), str(b)) for a, b in await desk.office.database.all(REACHED_BY, *asked)}
        assert kept == {
            (start, other)
            for start in indexes.values()
            for other in reached(standing.values(), start)
        }
    rows = map(link_of, await desk.office.database.all(ALL_LINKS, "", 100))
    assert {one.id for one in rows if one.state == LINKED} == standing.keys()
