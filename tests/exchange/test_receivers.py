"""Whom a correction reaches: those whose receipts say that they were given what was wrong."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.entry import Entry
from hub.domain.holder import Holder
from hub.domain.row import Op, Row
from hub.exchange.fetch import RPC, Answer, FetchCertificates
from hub.exchange.grants import Grant
from hub.exchange.receivers import Receivers
from hub.exchange.snapshot import GrantSnapshot
from hub.exchange.store import put_grant, put_version
from hub.ledger.disclosures import Disclosures
from hub.proof.encoding import b64u_decode, digest, parse_object
from hub.proof.exchange.request import RequestClaims, RequestedCertificate, sign_request
from hub.proof.jose import REQUEST_TYP, Signer
from hub.registry.notice_store import NoticeRow
from hub.registry.notices import Notices, TellReceivers, wrong_fields
from tests.registry.office import (
    LICENCE,
    LICENCE_TYPE,
    ORIGIN,
    REGION,
    USCC,
    Office,
    licence,
    open_office,
    uscc,
)

TOKEN: Final = digest("the access token")
ITEM: Final = "DEMO-RESTAURANT"
SYSTEMS: Final = ("systems/window-1", "systems/window-2", "systems/window-3")
FIELDS: Final = ("address", "city", "scope")
AUDITOR: Final = Caller("systems/auditor", Role.AUDITOR, "authorities/hall", "", 1, "", 1)


@dataclass
class Counter:
    """Three windows at one office; what they are told is computed from its log."""

    office: Office
    fetch: FetchCertificates
    tell: TellReceivers
    notices: Notices
    signers: dict[str, Signer]
    companies: int = 0

    async def ask(self, system: str, wanted: RequestedCertificate) -> Answer:
        """One fetch, as the system signs it."""
        now = now_us() // 1_000_000
        claims = RequestClaims(
            iss=system,
            aud=ORIGIN,
            region=REGION,
            rpc=RPC,
            jti=str(uuid.uuid4()),
            iat=now,
            exp=now + 120,
            ath=TOKEN,
            certificates=(wanted,),
            service_item=ITEM,
            matter="330100-2026-000017",
            basis="行政许可法 第三十一条",
            clerk="clerks/7",
        )
        compact = sign_request(claims, self.signers[system])
        return await self.fetch(caller(system), claims.jti, compact)

    async def sent(self, after: str = "") -> list[NoticeRow]:
        """The notices behind `after`."""
        page = await self.notices.list(AUDITOR, after, 1000, unacknowledged=False)
        return list(page.notices)


def caller(system: str) -> Caller:
    return Caller(system, Role.PLATFORM, "authorities/hall", USCC, 7, TOKEN, 1)


@asynccontextmanager
async def open_counter(folder: Path) -> AsyncIterator[Counter]:
    async with open_office(f"sqlite:///{folder}/hub.db", folder) as office:
        await office.open_for(LICENCE_TYPE)
        grants = GrantSnapshot(office.database)
        for number, system in enumerate(SYSTEMS):
            now = now_us()
            grant = Grant(
                id=f"g-{number}",
                recipient=system,
                type_code=LICENCE,
                fields=("name", *FIELDS),
                service_items=(ITEM,),
                legal_basis="law",
                start_us=now - 1,
                expire_us=now + 3_600_000_000,
                consent_required=False,
                calls_per_day_max=0,
                create_entry=1,
                create_us=now,
            )
            entry = Entry("grant.created", system, 1, grant.id, digest("x"), {"data": {}})
            writes = (put_grant(grant), put_version(number + 1))
            await office.recorder.record(entry, writes, ())
        await grants.refresh()

        async def identify() -> Caller:
            return caller(SYSTEMS[0])

        fetch = FetchCertificates(
            origin=ORIGIN,
            region=REGION,
            clock=now_us,
            recorder=office.recorder,
            access=office.identities,  # type: ignore[arg-type]
            grants=grants,
            certificates=office.reader,
            seals=office.record_seals,
            keyed_digest=lambda text: digest(f"keyed {text}"),
            identify=identify,
            observe=lambda *_: None,
        )
        receivers = Receivers(Disclosures(office.database, office.recorder.proofs))
        yield Counter(
            office,
            fetch,
            TellReceivers(now_us, office.database, office.recorder, office.data_keys, receivers),
            Notices(now_us, office.database, office.recorder, office.identities),
            {system: office.identities.enrol(system, REQUEST_TYP) for system in SYSTEMS},
        )


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all generated stories."""
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="module")
def counter(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    """One office for all generated stories; each has a company of its own."""
    opened = open_counter(tmp_path_factory.mktemp("receivers"))
    yield runner.run(opened.__aenter__())
    runner.run(opened.__aexit__(None, None, None))


# ---- generated stories ----


@dataclass(frozen=True)
class Fetching:
    """A window fetches fields of the newest version, by holder or by identifier."""

    system: str
    fields: tuple[str, ...]
    by_holder: bool


@dataclass(frozen=True)
class Delivery:
    """The department delivers other values of fields, or another holder."""

    op: Op
    values: tuple[tuple[str, str], ...]
    other_holder: bool


some_fields = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True).map(tuple)
fetchings = st.builds(Fetching, st.sampled_from(SYSTEMS), some_fields, st.booleans())
deliveries = st.builds(
    Delivery,
    st.sampled_from((Op.CHANGE, Op.CORRECT, Op.CORRECT)),
    st.lists(
        st.tuples(st.sampled_from(FIELDS), st.sampled_from(("甲", "乙"))), min_size=1, max_size=2
    ).map(tuple),
    st.integers(0, 7).map(lambda number: number == 0),
)


@dataclass
class Story:
    """A certificate's versions as they were delivered, and every receipt as its window got it."""

    number: int
    versions: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)

    def expected(self) -> dict[str, dict[str, set[str]]]:
        """Whom the newest version, a correction, has to reach: by system and version the fields.

        Read from the receipts alone, version by version and field by field.
        """
        _, right, holder = self.versions[-1]
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for body in self.receipts:
            for given_ in body["certificates"]:
                place = next(at for at, one in enumerate(self.versions) if one[0] == given_["cert"])
                wrong_holder = holder != self.versions[-2][2] and all(
                    self.versions[at][2] == self.versions[-2][2]
                    for at in range(place, len(self.versions) - 1)
                )
                for name in given_["fields"]:
                    values = [one[1][name] for one in self.versions[place : len(self.versions) - 1]]
                    if wrong_holder or (len(set(values)) == 1 and values[0] != right[name]):
                        found[body["caller"]][given_["cert"]].add(name)
        return {system: dict(by_version) for system, by_version in found.items()}


def test_those_told_are_those_whose_receipts_disclose_the_wrong_field_of_the_wrong_version(
    runner: asyncio.Runner, counter: Counter
) -> None:
    """After each correction: nobody else, nobody less, with these versions, fields and entries."""
    seen = set()

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.one_of(fetchings, deliveries), min_size=4, max_size=14))
    def told_alike(steps: list[Fetching | Delivery]) -> None:
        counter.companies += 1
        seen.update(runner.run(_live(counter, Story(counter.companies), steps)))

    told_alike()

    # Not a property of nothing: some corrections reached several, one, and nobody.
    assert {0, 1, 2} <= seen


async def _live(counter: Counter, story: Story, steps: list[Fetching | Delivery]) -> list[int]:
    """The story from the first issue on; how many were told by each correction."""
    sizes = []
    values = dict.fromkeys(FIELDS, "甲")
    holder = uscc(story.number)
    await _deliver(counter, story, Op.ISSUE, values, holder)
    for step in steps:
        if isinstance(step, Fetching):
            vct = counter.office.catalogue.vct(LICENCE)
            named = Holder("001", holder) if step.by_holder else None
            cert = None if step.by_holder else story.versions[-1][0]
            wanted = RequestedCertificate(vct, step.fields, cert=cert, holder=named)
            answer = await counter.ask(step.system, wanted)
            body = parse_object(answer.receipt.encode())["body"]
            story.receipts.append(parse_object(b64u_decode(str(body))))
            continue
        changed, was = {**values, **dict(step.values)}, holder
        if step.other_holder:
            holder = (
                uscc(story.number + 500_000) if holder == uscc(story.number) else uscc(story.number)
            )
        if (changed, holder) == (values, was):
            continue
        values = changed
        await _deliver(counter, story, step.op, values, holder)
        before = await counter.sent()
        await counter.tell()
        notices = (await counter.sent())[len(before) :]
        if step.op is Op.CHANGE:
            assert notices == []
            continue
        told = {
            one.system: {gave.identifier: set(gave.fields) for gave in one.gave} for one in notices
        }
        assert told == story.expected()
        assert len(told) == len(notices)
        _check_entries(story, notices)
        sizes.append(len(notices))
    return sizes


def _check_entries(story: Story, notices: list[NoticeRow]) -> None:
    """The entries that a notice names are those of the receiver's own receipts."""
    for notice in notices:
        for gave in notice.gave:
            times = sum(
                any(
                    one["cert"] == gave.identifier and set(one["fields"]) & set(gave.fields)
                    for one in body["certificates"]
                )
                for body in story.receipts
                if body["caller"] == notice.system
            )
            assert (gave.entries_n, len(gave.entries)) == (times, min(times, 20))


async def _deliver(
    counter: Counter, story: Story, op: Op, values: Mapping[str, str], holder: str
) -> None:
    row: Row = licence(story.number, op, fields=dict(values), holders=(Holder("001", holder),))
    (result,) = (await counter.office.deliver([row])).results
    assert not result.violations
    story.versions.append((result.identifier, dict(values), holder))


# ---- the rule by itself ----


@pytest.mark.parametrize(
    ("versions", "wrong"),
    [
        ([], {}),
        ([{"a": 1}], {}),
        ([{"a": 1, "b": 1}, {"a": 2, "b": 1}], {"v1": {"a"}}),
        ([{"a": 1}, {"a": 2}, {"a": 2}], {"v1": {"a"}, "v2": {"a"}}),
        # What was changed, not corrected, was right in its time.
        ([{"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}], {"v1": {"a"}}),
        # A field that the correction leaves out was wrong, one that it adds was not given.
        ([{"b": 1}, {"a": 2}], {"v1": {"a"}}),
        (
            [{"holder_number": 1, "a": 1}, {"holder_number": 2, "a": 1}],
            {"v1": {"a", "holder_number"}},
        ),
    ],
)
def test_what_is_wrong_is_what_the_correction_says_otherwise(
    versions: list[dict[str, int]], wrong: dict[str, set[str]]
) -> None:
    """In the version that it corrects, and before that for as long as the same was said."""
    named = [(f"v{number}", values) for number, values in enumerate(versions)]

    assert wrong_fields(named) == {name: frozenset(fields) for name, fields in wrong.items()}
