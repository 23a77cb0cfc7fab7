"""The certificate store on every engine: what a batch comes to, and what is found afterwards."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select

from hub.domain.certificate import State
from hub.domain.crypto import CryptoProfile
from hub.domain.entry import Entry
from hub.domain.holder import Holder
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Op, emit_row
from hub.ledger.recorder import Recorder
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.records.status_list import Status, read_status, verify_status_list
from hub.registry.decide import Outcome
from hub.registry.search import Filter
from hub.registry.store import (
    BATCHES,
    PUT_CERTIFICATE,
    VERSIONS,
    certificate_row,
    on_file_of,
)
from hub.registry.transition_store import HELD
from hub.storage.statements import Write, question
from tests.ledger.logs import index_and_size
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    ORIGIN,
    REGION,
    Office,
    licence,
    open_office,
    uscc,
)


@pytest.fixture(params=list(CryptoProfile))
async def office(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, request.param) as opened:
        await opened.open_for(LICENCE_TYPE)
        yield opened


async def status(office: Office, place: str) -> Status:
    number, _, index = place.partition("/")
    token = await office.status_lists.token(int(number))
    verified = verify_status_list(
        token,
        keys=lambda kid: office.status_key if kid == office.status_key.kid else None,
        origin=ORIGIN,
        region=REGION,
        uri=f"https://{ORIGIN}/status/{number}",
        now=office.ingest.clock() // 1_000_000,
        highest_iat=None,
    )
    return read_status(verified, int(index))


async def places(office: Office, number: int) -> list[str]:
    """Status places of a company's versions, oldest first."""

    statement = question(
        "places",
        select(VERSIONS.c.status_place)
        .where(VERSIONS.c.identifier.like(bindparam("pattern")))
        .order_by(VERSIONS.c.version),
        "pattern",
    )
    found = await office.reader.by_holder("001", uscc(number), office.catalogue.vct(LICENCE))
    stem = found[0].identifier.rsplit(".", 2)[0]
    return [str(row[0]) for row in await office.database.all(statement, f"{stem}.%")]


async def test_a_batch_is_one_entry_with_one_result_per_row(office: Office) -> None:
    """Rows are on file, found by identifier and holder, and the receipt verifies."""
    before = office.recorder.head().size

    ingested = await office.deliver([licence(1), licence(2), licence(3)])

    assert [result.outcome for result in ingested.results] == [Outcome.NEW] * 3
    assert office.recorder.head().size == before + 1
    assert index_and_size(ingested.receipt) == (ingested.entry, before + 1)
    by_identifier = await office.reader.by_identifier(ingested.results[1].identifier)
    by_holder = await office.reader.by_holder("001", uscc(2), office.catalogue.vct(LICENCE))
    assert by_identifier is not None
    assert by_identifier.version_id == by_holder[0].version_id
    assert by_identifier.state is State.ACTIVE
    assert by_identifier.state_entry == ingested.entry
    assert by_identifier.authority == AUTHORITY
    check = by_identifier.check
    assert await office.database.one(check.statement, *check.args) == check.expected
    assert office.counted[-1] == {Outcome.NEW: 3}


async def test_the_same_content_again_stores_nothing(office: Office) -> None:
    """UNCHANGED answers what is on file; no version, no seal, no use of the intent."""
    first = await office.deliver([licence(1)])

    again = await office.deliver([licence(1, source_key="another key of the same row")])

    assert again.results[0].outcome is Outcome.UNCHANGED
    assert again.results[0].identifier == first.results[0].identifier
    assert await office.count("registry_versions") == 1
    assert await office.count("seal_signatures") == 1
    assert (await office.intents.get("intents/intent-0")).uses == 1


async def test_a_change_supersedes_and_keeps_the_serial(office: Office) -> None:
    """Version 2 of the same serial is found; version 1 answers superseded and reads invalid."""
    first = (await office.deliver([licence(1)])).results[0]

    changed = await office.deliver([licence(1, Op.CHANGE, fields={"name": "杭州改名有限公司"})])

    second = changed.results[0]
    assert second.outcome is Outcome.CHANGED
    assert second.certificate == first.certificate
    assert first.identifier.split(".")[7] == second.identifier.split(".")[7]
    assert second.identifier.split(".")[8] == "002"
    old = await office.reader.by_identifier(first.identifier)
    assert old is not None
    assert (old.state, old.state_entry) == (State.SUPERSEDED, changed.entry)
    newest = await office.reader.by_holder("001", uscc(1), office.catalogue.vct(LICENCE))
    assert [one.identifier for one in newest] == [second.identifier]
    statuses = [await status(office, place) for place in await places(office, 1)]
    assert statuses == [Status.INVALID, Status.VALID]


async def test_a_correction_is_a_version_that_says_so(office: Office) -> None:
    """`correct` makes a new version with the outcome CORRECTED."""
    await office.deliver([licence(1)])

    corrected = await office.deliver([licence(1, Op.CORRECT, fields={"city": "宁波"})])

    assert corrected.results[0].outcome is Outcome.CORRECTED
    assert await office.count("registry_versions") == 2


async def test_a_revocation_ends_the_version_and_makes_none(office: Office) -> None:
    """State revoked, status invalid, no new seal; a revoked certificate takes no change."""
    identifier = (await office.deliver([licence(1)])).results[0].identifier

    revoked = await office.deliver([licence(1, Op.REVOKE)])
    after = await office.deliver(
        [licence(1, Op.REVOKE), licence(1), licence(1, fields={"city": "宁波"})]
    )

    assert revoked.results[0].outcome is Outcome.CHANGED
    found = await office.reader.by_identifier(identifier)
    assert found is not None
    assert (found.state, found.state_entry) == (State.REVOKED, revoked.entry)
    assert await office.count("registry_versions") == 1
    assert await status(office, (await places(office, 1))[0]) is Status.INVALID
    assert [result.outcome for result in after.results] == [
        Outcome.UNCHANGED,
        Outcome.UNCHANGED,
        Outcome.REFUSED,
    ]
    assert after.results[2].violations[0].rule == "row.ended"


async def test_one_number_several_times_in_a_batch_is_handled_in_order(office: Office) -> None:
    """New, changed, unchanged, revoked: each row is judged on what the rows before it left."""
    other = licence(1, fields={"city": "宁波"})

    ingested = await office.deliver([licence(1), other, other, licence(1, Op.REVOKE)])

    assert [result.outcome for result in ingested.results] == [
        Outcome.NEW,
        Outcome.CHANGED,
        Outcome.UNCHANGED,
        Outcome.CHANGED,
    ]
    states = [
        (await office.reader.by_identifier(result.identifier)).state  # type: ignore[union-attr]
        for result in ingested.results[:2]
    ]
    assert states == [State.SUPERSEDED, State.REVOKED]
    statuses = [await status(office, place) for place in await places(office, 1)]
    assert statuses == [Status.INVALID, Status.INVALID]
    assert await office.count("seal_signatures") == 2


async def test_a_batch_sent_again_gives_the_first_answer(office: Office) -> None:
    """Same results, same entry, same receipt, whoever asks how often; nothing is added."""
    first = await office.deliver([licence(1), licence(2)])
    size = office.recorder.head().size
    office.chain.clear()
    _, delivered = office.root([b"{}", b"{}"])

    stored = await office.database.one(question("root", select(BATCHES.c.root_jws)))
    assert stored is not None

    again = await office.ingest(office.caller, str(stored[0]), delivered)

    assert again == first
    assert office.recorder.head().size == size


async def test_batches_of_two_connectors_at_once_are_both_right(office: Office) -> None:
    """One authority's batches follow one another; the same company is new only once."""
    rows = [licence(number) for number in range(20)]

    one, two = await asyncio.gather(
        office.deliver(rows, connector="one"), office.deliver(rows, connector="two")
    )

    outcomes = sorted(str(result.outcome) for result in one.results + two.results)
    assert outcomes == ["new"] * 20 + ["unchanged"] * 20
    assert await office.count("registry_certificates") == 20
    assert (await office.intents.get("intents/intent-0")).uses == 20


async def test_a_page_of_certificates_ends_where_the_next_begins(office: Office) -> None:
    """Paging over an authority's certificates shows each exactly once."""
    await office.deliver([licence(number) for number in range(7)])
    officer = office.officer(OFFICERS[0])
    seen: list[str] = []
    after = ""

    while True:
        page = await office.search.search(officer, Filter(authority=AUTHORITY), after=after, size=3)
        seen += [view.id for view in page.certificates]
        after = page.after
        if not after:
            break

    assert len(seen) == len(set(seen)) == 7
    by_number = await office.search.search(officer, Filter(number=uscc(3)), after="", size=3)
    assert [view.number for view in by_number.certificates] == [uscc(3)]


async def test_versions_are_listed_newest_first(office: Office) -> None:
    """Each version with its own state."""
    name = (await office.deliver([licence(1)])).results[0].certificate
    await office.deliver([licence(1, fields={"city": "宁波"})])
    await office.deliver([licence(1, fields={"city": "温州"})])
    certificate_id = name.rpartition("/")[2]
    officer = office.officer(OFFICERS[0])

    first = await office.search.versions(officer, AUTHORITY, certificate_id, after="", size=2)
    rest = await office.search.versions(
        officer, AUTHORITY, certificate_id, after=first.after, size=2
    )

    views = first.certificates + rest.certificates
    assert [view.version for view in views] == [3, 2, 1]
    assert [view.state for view in views] == [State.ACTIVE, State.SUPERSEDED, State.SUPERSEDED]
    assert rest.after == ""


async def test_a_holder_that_is_replaced_is_not_found_any_more(office: Office) -> None:
    """After a change of holder only the new one finds the certificate, and back again."""
    vct = office.catalogue.vct(LICENCE)
    moved = licence(1, holders=(Holder("001", uscc(2)),))
    await office.deliver([licence(1)])

    await office.deliver([moved])
    gone = await office.reader.by_holder("001", uscc(1), vct)
    found = await office.reader.by_holder("001", uscc(2), vct)
    await office.deliver([dataclasses.replace(licence(1))])
    back = await office.reader.by_holder("001", uscc(1), vct)

    assert (len(gone), len(found), len(back)) == (0, 1, 1)
    assert await office.reader.by_holder("001", uscc(2), vct) == []


async def test_a_successor_goes_on_with_what_its_predecessor_issued(office: Office) -> None:
    """As the next version of the same certificate, under the old name. Its own goes first; what two
    predecessors issued under one number is not told apart."""
    first, second = (await office.deliver([licence(1), licence(2)])).results
    of_a, of_b = "authorities/a", "authorities/b"
    rows = []
    for one, authority in ((first, of_a), (second, of_b)):
        held = await office.database.one(HELD, one.certificate.rpartition("/")[2], AUTHORITY)
        assert held is not None
        certificate, _ = on_file_of(held)
        rows.append(certificate._replace(authority=authority))
    # The second was issued under the number of the first, by another authority.
    rows[1] = rows[1]._replace(number=rows[0].number, number_index=rows[0].number_index)
    entry = Entry("test", "hub", 1, "", "", {"data": {}})
    moved = [Write(PUT_CERTIFICATE, [certificate_row(row) for row in rows])]
    await office.recorder.record(entry, moved, ())
    changed = licence(1, fields={"scope": "新"})

    office.identities.predecessors = (of_a, of_b)
    (ambiguous,) = (await office.deliver([changed])).results
    office.identities.predecessors = (of_a,)
    (continued,) = (await office.deliver([changed])).results
    office.identities.predecessors = ()
    (own,) = (await office.deliver([changed])).results
    office.identities.predecessors = (of_a, of_b)
    (own_again,) = (await office.deliver([licence(1, fields={"scope": "更新"})])).results

    assert [one.rule for one in ambiguous.violations] == ["row.predecessors"]
    was = CertificateIdentifier.parse(first.identifier)
    assert continued.certificate == f"{of_a}/certificates/{rows[0].id}"
    assert CertificateIdentifier.parse(continued.identifier) == was.next_version()
    assert own.outcome is Outcome.NEW
    assert (own_again.outcome, own_again.certificate) == (Outcome.CHANGED, own.certificate)


@dataclasses.dataclass
class _DecidedTogether:
    """A recorder before which the first two decisions wait for each other."""

    recorder: Recorder
    waiting: list[asyncio.Event] = dataclasses.field(default_factory=list)

    async def record(self, *asked: Any) -> Any:
        if len(self.waiting) < 2:
            self.waiting.append(asyncio.Event())
            if len(self.waiting) == 2:
                for event in self.waiting:
                    event.set()
            await self.waiting[len(self.waiting) - 1].wait()
        return await self.recorder.record(*asked)

    def __getattr__(self, name: str) -> object:
        return getattr(self.recorder, name)


async def test_two_hubs_that_get_one_number_at_once_store_it_once(office: Office) -> None:
    """No index keeps a number single where certificates lie in partitions: the turn of authority
    and type does. Whoever decided on what is no longer so decides again."""
    await office.deliver([licence(2)], connector="before")
    together = _DecidedTogether(office.recorder)
    batches = []
    for connector in ("licences", "registers"):
        ingest = dataclasses.replace(office.ingest, recorder=together, _turns={})
        root, delivered = office.root([emit_row(licence(1))], connector=connector)
        batches.append(ingest(office.caller, sign_batch_root(root, office.connector), delivered))

    first, second = await asyncio.gather(*batches)

    outcomes = sorted(one.results[0].outcome for one in (first, second))
    assert outcomes == sorted([Outcome.NEW, Outcome.UNCHANGED])
    assert first.results[0].certificate == second.results[0].certificate
    assert await office.count("registry_certificates") == 2
