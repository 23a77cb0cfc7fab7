"""The change feed on every engine: what is told to whom, in which order, and from where on."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.clock import CHINA, now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate import State, Verb
from hub.domain.crypto import CryptoProfile
from hub.domain.holder import Holder
from hub.domain.row import Op, Row
from hub.errors import HubError, Reason
from hub.registry.decide import Outcome
from hub.registry.expiry import BATCH_MAX, AnnounceExpired
from hub.registry.feed import (
    PORTION_MAX,
    STREAMS_PER_SYSTEM_MAX,
    Portion,
    Tail,
    ToldChange,
    Wanted,
    WatchChanges,
    identifier_digest,
)
from hub.registry.feed_store import ChangeKind
from tests.contracts.test_state_store import done
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    PERMIT,
    PERMIT_TYPE,
    RULING,
    USCC,
    Office,
    licence,
    open_office,
    uscc,
)

WITHIN_S = 20.0
EVERYTHING = Wanted()
CITIZEN = "11010519491231002X"
AUDITOR = Caller("systems/auditor", Role.AUDITOR, "authorities/hall", "", 1, "", 1)
OWN = Caller("systems/own", Role.DEPARTMENT, AUTHORITY, USCC, 1, "", 1)
FOREIGN = Caller("systems/foreign", Role.DEPARTMENT, "authorities/tax", "", 1, "", 1)
PLATFORM = Caller("systems/window", Role.PLATFORM, "authorities/hall", "", 1, "", 1)


@dataclass
class Feed:
    """The feed of an office, watched by whoever a test says; grants as a test says."""

    office: Office
    granted: dict[str, frozenset[str]] = field(default_factory=dict)
    caller: Caller = AUDITOR
    refusal: HubError | None = None

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """As a hub that has just started does."""
        office = self.office
        self.tail = Tail(office.database, office.recorder.head, office.recorder.follow, now_us)
        self.watch = WatchChanges(
            office.database,
            office.recorder,
            self.tail,
            office.identities,
            self,
            office.catalogue,
            office.ingest.holder_keys,  # type: ignore[arg-type]
            self.identify,
            heartbeat_s=0.1,
        )

    def types_granted(self, recipient: str) -> frozenset[str]:
        return self.granted.get(recipient, frozenset())

    def identify(self) -> Caller:
        if self.refusal is not None:
            raise self.refusal
        return self.caller

    def stream(
        self,
        caller: Caller,
        wanted: Wanted = EVERYTHING,
        cursor: str = "",
        *,
        from_start: bool = True,
    ) -> AsyncGenerator[Portion, None]:
        self.caller = caller
        return self.watch(caller, wanted, cursor, "digest", from_start=from_start)

    async def told(
        self,
        caller: Caller,
        wanted: Wanted = EVERYTHING,
        cursor: str = "",
        *,
        from_start: bool = True,
    ) -> tuple[list[ToldChange], str]:
        """Everything there is for `caller`, and the cursor behind it."""
        await self.tail.refresh()
        found: list[ToldChange] = []
        async with (
            aclosing(self.stream(caller, wanted, cursor, from_start=from_start)) as portions,
            asyncio.timeout(WITHIN_S),
        ):
            async for portion in portions:
                found += portion.changes
                # A slow machine shows signs of life before everything is told.
                if not portion.changes and portion.through_us >= self.tail.through_us:
                    return found, portion.cursor
        raise AssertionError("a stream does not end by itself")


@pytest.fixture
async def feed(database_url: str, tmp_path: Path, profile: CryptoProfile) -> AsyncIterator[Feed]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(LICENCE_TYPE, PERMIT_TYPE)
        yield Feed(office)


def permit(number: int, citizen: str = CITIZEN, **changes: object) -> Row:
    values: dict[str, object] = {
        "op": Op.ISSUE,
        "source_key": f"p{number}",
        "number": f"P{number:06d}",
        "serial": None,
        "issue_date": "2024-01-01",
        "valid_from": None,
        "valid_until": None,
        "holders": (Holder("111", citizen),),
        "fields": {"name": "王芳", "grade": "一级"},
    }
    return Row(**(values | changes))  # type: ignore[arg-type]


async def deliver(office: Office, rows: list[Row], code: str = LICENCE) -> list[Outcome]:
    connector = "licences" if code == LICENCE else "permits"
    ingested = await office.deliver(rows, vct=office.catalogue.vct(code), connector=connector)
    return [result.outcome for result in ingested.results]


async def test_what_a_batch_does_stands_on_the_feed_in_its_order(feed: Feed) -> None:
    """New, changed, corrected and revoked; what did nothing is not told."""
    office = feed.office
    outcomes = await deliver(
        office,
        [
            licence(1),
            licence(2),
            licence(1),
            licence(1, fields={"address": "新址"}),
            licence(1, Op.CORRECT, fields={"address": "更正"}),
            licence(2, Op.REVOKE),
            licence(9, Op.REVOKE),
        ],
    )
    assert outcomes[2] is Outcome.UNCHANGED
    assert outcomes[-1] is Outcome.REFUSED

    found, _ = await feed.told(AUDITOR)

    changes = [one.change for one in found]
    assert [(one.what, one.version, one.state, one.position) for one in changes] == [
        (ChangeKind.NEW, 1, State.ACTIVE, 0),
        (ChangeKind.NEW, 1, State.ACTIVE, 1),
        (ChangeKind.CHANGED, 2, State.ACTIVE, 2),
        (ChangeKind.CORRECTED, 3, State.ACTIVE, 3),
        (ChangeKind.STATE, 1, State.REVOKED, 4),
    ]
    assert [one.replaces for one in changes] == [
        "", "", changes[0].identifier, changes[2].identifier, "",
    ]  # fmt: skip
    assert len({one.entry for one in changes}) == 1


async def test_a_batch_that_is_refused_leaves_nothing_on_the_feed(feed: Feed) -> None:
    """The rows of the feed are written with the change or not at all."""
    feed.office.identities.current = False
    with pytest.raises(HubError) as caught:
        await deliver(feed.office, [licence(1)])
    assert caught.value.reason is Reason.DECISION_STALE
    assert await feed.office.count("registry_changes") == 0


async def test_each_is_told_of_what_it_may_know_and_of_nothing_else(feed: Feed) -> None:
    """Auditors all, a department its own, everybody else the types granted."""
    await deliver(feed.office, [licence(1)])
    await deliver(feed.office, [permit(1)], PERMIT)
    feed.granted = {
        PLATFORM.name: frozenset({LICENCE}),
        FOREIGN.name: frozenset({PERMIT}),
    }

    async def types(caller: Caller, wanted: Wanted = EVERYTHING) -> list[str]:
        return [one.change.type_code for one in (await feed.told(caller, wanted))[0]]

    assert await types(AUDITOR) == [LICENCE, PERMIT]
    assert await types(OWN) == [LICENCE, PERMIT]
    assert await types(PLATFORM) == [LICENCE]
    assert await types(FOREIGN) == [PERMIT]
    assert await types(OWN, Wanted(frozenset({PERMIT}))) == [PERMIT]
    assert await types(AUDITOR, Wanted(authority="authorities/tax")) == []


@pytest.mark.parametrize(
    ("caller", "wanted"),
    [
        (PLATFORM, Wanted(frozenset({PERMIT}))),
        (PLATFORM, Wanted(frozenset({LICENCE, PERMIT}))),
        (FOREIGN, Wanted(authority=AUTHORITY)),
        (FOREIGN, Wanted(frozenset({PERMIT}), AUTHORITY)),
    ],
)
async def test_a_filter_on_what_is_not_granted_is_refused(
    feed: Feed, caller: Caller, wanted: Wanted
) -> None:
    """And the refusal leaves no entry of a stream."""
    feed.granted = {PLATFORM.name: frozenset({LICENCE})}
    size = feed.office.recorder.head().size
    with pytest.raises(HubError) as caught:
        await anext(feed.stream(caller, wanted))
    assert caught.value.reason is Reason.CHANGES_NOT_GRANTED
    assert feed.office.recorder.head().size == size


async def test_a_type_that_does_not_exist_is_said_to_be_absent(feed: Feed) -> None:
    """Types are no secret."""
    with pytest.raises(HubError) as caught:
        await anext(feed.stream(AUDITOR, Wanted(frozenset({"11100000MB0143028R999"}))))
    assert caught.value.reason is Reason.CERTIFICATE_TYPE_NOT_FOUND


async def test_holders_are_pseudonyms_of_one_subscriber(feed: Feed) -> None:
    """The same holder is the same for one and another for each; no index of the table is shown."""
    await deliver(feed.office, [permit(1), permit(2)], PERMIT)
    await deliver(feed.office, [licence(1)])
    feed.granted = {PLATFORM.name: frozenset({PERMIT})}

    mine, _ = await feed.told(OWN)
    theirs, _ = await feed.told(PLATFORM)

    assert mine[0].holders == mine[1].holders != mine[2].holders
    assert theirs[0].holders == theirs[1].holders
    assert not set(mine[0].holders) & set(theirs[0].holders)
    assert not set(mine[0].holders) & set(mine[0].change.holder_indexes)
    # A platform cannot ask for a person's certificate because it saw it on the feed.
    assert [one.is_named for one in theirs] == [False, False]
    assert all(one.is_named for one in mine)


async def test_a_stream_goes_on_where_its_cursor_stands(feed: Feed) -> None:
    """Across a restart: nothing is left out, nothing comes twice, in the order of the log."""
    await deliver(feed.office, [licence(1), licence(2)])
    before, cursor = await feed.told(AUDITOR)
    feed.open()
    await deliver(feed.office, [licence(3), licence(1, fields={"address": "新址"})])

    after, later = await feed.told(AUDITOR, cursor=cursor)
    everything, _ = await feed.told(AUDITOR)
    nothing, _ = await feed.told(AUDITOR, cursor=later)

    assert [one.change for one in (*before, *after)] == [one.change for one in everything]
    assert len(after) == 2
    assert nothing == []


async def test_without_a_cursor_only_what_is_new_is_told(feed: Feed) -> None:
    """Unless the beginning is asked for."""
    await deliver(feed.office, [licence(1)])
    await feed.tail.refresh()
    async with aclosing(feed.stream(AUDITOR, from_start=False)) as portions:
        assert (await anext(portions)).changes == ()
        await deliver(feed.office, [licence(2)])
        await feed.tail.refresh()
        async with asyncio.timeout(WITHIN_S):
            portion = await anext(portions)
    assert [one.change.what for one in portion.changes] == [ChangeKind.NEW]
    assert portion.changes[0].change.holder_indexes == (
        feed.office.ingest.holder_keys.holder_index("001", uscc(2)),
    )


async def test_a_cursor_of_another_query_is_refused(feed: Feed) -> None:
    """Of another subscriber, another filter, a changed one and what never was one."""
    await deliver(feed.office, [licence(1)])
    feed.granted = {PLATFORM.name: frozenset({LICENCE})}
    _, cursor = await feed.told(AUDITOR)
    _, foreign = await feed.told(PLATFORM)
    changed = ("B" if cursor[20] == "A" else "A").join((cursor[:20], cursor[21:]))
    size = feed.office.recorder.head().size
    for wanted, wrong in (
        (Wanted(), foreign),
        (Wanted(frozenset({LICENCE})), cursor),
        (Wanted(authority=AUTHORITY), cursor),
        (Wanted(), changed),
        (Wanted(), "x"),
        (Wanted(), "é"),
        (Wanted(), "A" * 300),
    ):
        with pytest.raises(HubError) as caught:
            await anext(feed.stream(AUDITOR, wanted, wrong))
        assert caught.value.reason is Reason.CURSOR_INVALID
    assert feed.office.recorder.head().size == size


async def test_a_right_that_ends_ends_while_it_streams(feed: Feed) -> None:
    """What is recorded afterwards is not told; without any right the stream ends and says why."""
    feed.granted = {PLATFORM.name: frozenset({LICENCE, PERMIT})}
    async with aclosing(feed.stream(PLATFORM, from_start=False)) as portions:
        await anext(portions)
        feed.granted = {PLATFORM.name: frozenset({LICENCE})}
        await deliver(feed.office, [permit(1)], PERMIT)
        await deliver(feed.office, [licence(1)])
        await feed.tail.refresh()
        async with asyncio.timeout(WITHIN_S):
            told = (await anext(portions)).changes
            assert [one.change.type_code for one in told] == [LICENCE]
            feed.granted = {}
            with pytest.raises(HubError) as caught:
                while True:
                    await anext(portions)
    assert caught.value.reason is Reason.CHANGES_NOT_GRANTED


async def test_an_identity_that_ends_ends_the_stream(feed: Feed) -> None:
    """With the reason of its end."""
    async with aclosing(feed.stream(AUDITOR)) as portions:
        await anext(portions)
        feed.refusal = HubError(Reason.TOKEN_REVOKED)
        with pytest.raises(HubError) as caught:
            await anext(portions)
    assert caught.value.reason is Reason.TOKEN_REVOKED


async def test_a_system_has_few_streams_and_gets_them_back(feed: Feed) -> None:
    """One more is refused with a time to come again; one that is closed is free."""
    streams = [feed.stream(AUDITOR) for _ in range(STREAMS_PER_SYSTEM_MAX)]
    for stream in streams:
        await anext(stream)
    with pytest.raises(HubError) as caught:
        await anext(feed.stream(AUDITOR))
    assert caught.value.reason is Reason.RATE_LIMITED
    assert caught.value.retry_after_s

    await streams.pop().aclose()
    streams.append(feed.stream(AUDITOR))
    await anext(streams[-1])

    for stream in streams:
        await stream.aclose()
    assert feed.watch.streams == 0


async def test_a_slow_reader_loses_nothing(feed: Feed) -> None:
    """More than a portion waits in the table, whatever comes meanwhile."""
    first = [licence(number) for number in range(1, PORTION_MAX + 51)]
    await deliver(feed.office, first)
    await feed.tail.refresh()
    found: list[str] = []
    async with aclosing(feed.stream(AUDITOR)) as portions, asyncio.timeout(WITHIN_S):
        while len(found) < 2 * len(first):
            portion = await anext(portions)
            assert len(portion.changes) <= PORTION_MAX
            found += [one.change.identifier for one in portion.changes]
            if len(found) == PORTION_MAX:
                await deliver(
                    feed.office,
                    [licence(n, fields={"address": "新址"}) for n in range(1, len(first) + 1)],
                )
                await feed.tail.refresh()
    assert len(set(found)) == 2 * len(first)
    # Per holder in order: each first version before its second.
    assert all(one.split(".")[-2] == "001" for one in found[: len(first)])


async def test_the_cursor_moves_on_although_nothing_concerns_the_caller(feed: Feed) -> None:
    """So a quiet subscriber does not read the whole feed again after each restart."""
    feed.granted = {PLATFORM.name: frozenset({PERMIT})}
    _, start = await feed.told(PLATFORM)
    await deliver(feed.office, [licence(1), licence(2)])
    _, cursor = await feed.told(PLATFORM, cursor=start)

    place = feed.watch._cipher(PLATFORM.name, Wanted()).read(cursor)

    row_entry = feed.tail.newest
    assert place.entry >= row_entry


async def test_what_another_process_recorded_is_told_without_being_woken(feed: Feed) -> None:
    """A hub beside the one that recorded asks the database often enough."""
    task = asyncio.create_task(feed.tail.run())
    try:
        async with aclosing(feed.stream(AUDITOR, from_start=False)) as portions:
            await anext(portions)
            await deliver(feed.office, [licence(1)])
            async with asyncio.timeout(2.0):
                while not (await anext(portions)).changes:
                    pass
    finally:
        task.cancel()


def test_a_digest_of_an_identifier_is_a_digest() -> None:
    """And that of none is none."""
    assert identifier_digest("") == ""
    assert identifier_digest("1.2.156") == "As2ErS-t7JS19te_ZhM45Cy9G6uZPBtNLUne_H__aWY"


# ---- Expiry ----


def day_us(day: str, hour: int = 1) -> int:
    """An hour of a day in China, microseconds."""
    moment = datetime.datetime.fromisoformat(f"{day}T{hour:02d}:00:00").replace(tzinfo=CHINA)
    return int(moment.timestamp()) * 1_000_000


async def announce(feed: Feed, day: str, hour: int = 1) -> int:
    office = feed.office
    return await AnnounceExpired(office.database, office.recorder, lambda: day_us(day, hour))()


async def test_a_certificate_is_announced_once_when_its_last_day_is_over(feed: Feed) -> None:
    """Not on its last day, not twice, not once it was replaced; days missed are made up for."""
    await announce(feed, "2030-01-01")
    await deliver(
        feed.office,
        [
            permit(1, valid_until="2030-01-02"),
            permit(2, valid_until="2030-01-05"),
            permit(3, valid_until="2030-01-05"),
            permit(4, valid_until="2030-01-05"),
            permit(5),
        ],
        PERMIT,
    )
    await deliver(feed.office, [permit(3, valid_until="2040-01-01")], PERMIT)
    await deliver(feed.office, [permit(4, op=Op.REVOKE, ruling=RULING)], PERMIT)
    # A suspension does not outlive the validity: whoever was told of it is told of its end.
    suspended = await feed.office.deliver(
        [permit(6, valid_until="2030-01-06")],
        vct=feed.office.catalogue.vct(PERMIT),
        connector="permits",
    )
    await done(feed.office, suspended.results[0].certificate, Verb.SUSPEND)
    _, cursor = await feed.told(AUDITOR)

    assert await announce(feed, "2030-01-02", 23) == 0
    assert await announce(feed, "2030-01-03", 0) == 1
    assert await announce(feed, "2030-01-03", 5) == 0
    assert await announce(feed, "2030-01-09") == 2
    assert await announce(feed, "2030-01-09") == 0

    found, _ = await feed.told(AUDITOR, cursor=cursor)
    assert [(one.change.what, one.change.valid_until) for one in found] == [
        (ChangeKind.EXPIRED, "2030-01-02"),
        (ChangeKind.EXPIRED, "2030-01-05"),
        (ChangeKind.EXPIRED, "2030-01-06"),
    ]


async def test_many_that_end_on_one_day_are_announced_in_portions(feed: Feed) -> None:
    """One entry each; two hubs at once announce each certificate once."""
    await announce(feed, "2030-01-01")
    rows = [permit(number, valid_until="2030-01-01") for number in range(1, BATCH_MAX + 11)]
    await deliver(feed.office, rows, PERMIT)

    counts = await asyncio.gather(announce(feed, "2030-01-02"), announce(feed, "2030-01-02"))
    counts.append(await announce(feed, "2030-01-02"))

    assert sum(counts) == len(rows)
    found, _ = await feed.told(AUDITOR)
    ended = [one.change.identifier for one in found if one.change.what is ChangeKind.EXPIRED]
    assert len(ended) == len(set(ended)) == len(rows)
