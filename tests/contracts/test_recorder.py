"""The recorder's contract, on real SQLite and real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.entry import AlreadyRecorded, LogHead
from hub.errors import HubError, Reason
from hub.ledger.recorder import Recorder
from hub.proof.encoding import b64u_decode
from hub.proof.log.merkle import check_consistency
from hub.proof.log.receipt import make_receipt, open_proof, parse_receipt
from tests.ledger.audits import audited
from tests.ledger.logs import (
    ORIGIN,
    THING,
    TRUST,
    Log,
    absent,
    at_version,
    entry,
    index_and_size,
    insert_thing,
    new_log,
    put_thing,
    remember,
)


@pytest.fixture
async def log(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Log]:
    made = await new_log(empty_database_url, tmp_path)
    yield made
    await made.database.close()


@pytest.fixture
async def recorder(log: Log) -> AsyncIterator[Recorder]:
    started = await log.started()
    yield started
    await started.close()


async def test_what_was_recorded_is_written_proven_and_audits_clean(
    log: Log, recorder: Recorder
) -> None:
    """Rows, entry and receipt belong together."""
    recorded = await recorder.record(entry(), [put_thing("a", 1)], [absent("a")])

    assert await log.database.one(THING, "a") == (1, None)
    index, size = index_and_size(recorded.receipt)
    assert index == recorded.index < size == recorder.head().size
    report = await audited(log)
    assert (report.findings, report.entries) == ([], size)


async def test_the_body_has_the_members_of_the_format_in_order(recorder: Recorder) -> None:
    """formats.md §6."""
    of = entry()
    recorded = await recorder.record(of, [put_thing("a", 1)], [])

    members = json.loads(parse_receipt(recorded.receipt.encode()).body)

    assert list(members) == [
        "v", "kind", "origin", "region", "time_us", "request_id", "caller", "key_entry",
        "request_digest", "data", "writes",
    ]  # fmt: skip
    assert members["origin"] == ORIGIN
    assert members["time_us"] == recorded.time_us


async def test_one_stale_member_of_a_group_is_answered_alone(log: Log, recorder: Recorder) -> None:
    """64 members in one epoch, one of them decided on something that has changed."""
    await recorder.record(entry(), [put_thing("a", 1)], [])
    checks = [[at_version("a", 2 if number == 40 else 1)] for number in range(64)]

    outcomes = await asyncio.gather(
        *(recorder.record(entry(), (), check) for check in checks), return_exceptions=True
    )

    refused = [item for item in outcomes if isinstance(item, BaseException)]
    assert len(refused) == 1 and outcomes[40] is refused[0]
    assert isinstance(refused[0], HubError) and refused[0].reason is Reason.DECISION_STALE
    assert recorder.observer.last_epoch_entries == 63
    assert recorder.observer.ungrouped_epochs == 0
    assert (await audited(log)).findings == []


async def test_one_member_whose_row_exists_is_answered_alone(log: Log, recorder: Recorder) -> None:
    """The group is rolled back and its members run singly; only one fails."""
    await recorder.record(entry(), [insert_thing("a")], [])

    outcomes = await asyncio.gather(
        *(
            recorder.record(entry(), [insert_thing("a" if number == 7 else f"n{number}")], [])
            for number in range(20)
        ),
        return_exceptions=True,
    )

    refused = [item for item in outcomes if isinstance(item, BaseException)]
    assert len(refused) == 1 and outcomes[7] is refused[0]
    assert isinstance(refused[0], HubError) and refused[0].reason is Reason.ALREADY_EXISTS
    assert recorder.observer.ungrouped_epochs == 1
    assert (await audited(log)).findings == []


async def test_two_writers_of_one_epoch_cannot_both_replace_one_version(
    log: Log, recorder: Recorder
) -> None:
    """A check holds against the writes of the members before it, not only against the database."""
    await recorder.record(entry(), [put_thing("a", 1)], [])

    outcomes = await asyncio.gather(
        *(recorder.record(entry(), [put_thing("a", 2)], [at_version("a", 1)]) for _ in range(5)),
        return_exceptions=True,
    )

    assert sum(not isinstance(item, BaseException) for item in outcomes) == 1
    assert (await audited(log)).findings == []


async def test_nothing_is_disclosed_after_its_revocation_in_log_order(recorder: Recorder) -> None:
    """A reader collected after the writer that stales it stands before it in the log."""
    await recorder.record(entry(), [put_thing("a", 1)], [])

    write, read = await asyncio.gather(
        recorder.record(entry(), [put_thing("a", 2)], [at_version("a", 1)]),
        recorder.record(entry(), (), [at_version("a", 1)]),
    )

    assert read.index < write.index


async def test_a_repeated_call_is_recorded_once(log: Log, recorder: Recorder) -> None:
    """The second finds the first, with its answer and its receipt, byte for byte."""
    of = entry()
    first = await recorder.record(of, [put_thing("a", 1)], [], remember=remember(of, b"answer"))

    with pytest.raises(AlreadyRecorded) as known:
        await recorder.record(of, [put_thing("a", 2)], [], remember=remember(of, b"other"))

    assert known.value.remembered.index == first.index
    assert known.value.remembered.answer == b"answer"
    assert await recorder.receipt(first.index) == first.receipt
    assert await log.database.one(THING, "a") == (1, None)


async def test_concurrent_duplicates_have_one_effect(log: Log, recorder: Recorder) -> None:
    """All of them wait for the one that is under way."""
    of = entry()

    outcomes = await asyncio.gather(
        *(recorder.record(of, [insert_thing("a")], [], remember=remember(of)) for _ in range(8)),
        return_exceptions=True,
    )

    recorded = [item for item in outcomes if not isinstance(item, BaseException)]
    assert len(recorded) == 1
    assert sum(isinstance(item, AlreadyRecorded) for item in outcomes) == 7
    assert (await audited(log)).findings == []


async def test_a_duplicate_in_a_group_leaves_the_group_together(recorder: Recorder) -> None:
    """A retry that nobody caught before does not make the others run singly."""
    of = entry()
    await recorder.record(of, (), [], remember=remember(of))
    others = [entry() for _ in range(10)]

    outcomes = await asyncio.gather(
        recorder.record(of, (), [], remember=remember(of)),
        *(recorder.record(other, (), [], remember=remember(other)) for other in others),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], AlreadyRecorded)
    assert not any(isinstance(item, BaseException) for item in outcomes[1:])


async def test_receipts_are_the_same_bytes_after_a_restart(log: Log) -> None:
    """With and without the head that the caller had seen; past full tiles too."""
    recorder = await log.started()
    await asyncio.gather(*(recorder.record(entry(), (), []) for _ in range(3)))
    seen = recorder.head()
    receipts = {}
    for count in (1, 40, 300, 5):
        recorded = await asyncio.gather(
            *(recorder.record(entry(), (), [], log_seen=seen) for _ in range(count)),
            *(recorder.record(entry(), (), []) for _ in range(count)),
        )
        receipts |= {item.index: item.receipt for item in recorded}
        seen = recorder.head()
    await recorder.close()

    again = await log.started()

    for index, receipt in receipts.items():
        assert await again.receipt(index) == receipt
    await again.close()


async def test_a_receipt_proves_that_the_log_continues_what_the_caller_saw(
    recorder: Recorder,
) -> None:
    """The proof of consistency verifies with the published algorithm."""
    await asyncio.gather(*(recorder.record(entry(), (), []) for _ in range(5)))
    seen = recorder.head()
    await asyncio.gather(*(recorder.record(entry(), (), []) for _ in range(300)))

    recorded = await recorder.record(entry(), (), [], log_seen=seen)

    receipt = parse_receipt(recorded.receipt.encode())
    _, checkpoint = open_proof(receipt, receipt.proof, TRUST)
    root = b64u_decode(seen.root)
    check_consistency(seen.size, root, checkpoint.size, checkpoint.root, receipt.consistency)
    assert json.loads(receipt.body)["log_seen"]["size"] == seen.size
    assert recorded.receipt == make_receipt(
        receipt.body, receipt.salt, receipt.proof, receipt.consistency
    )


async def test_a_head_larger_than_ours_or_of_another_log_is_refused(recorder: Recorder) -> None:
    """The first means that somebody rolled this log back; nothing is recorded."""
    head = recorder.head()
    ahead = LogHead(head.origin, head.size + 1, head.root)
    foreign = LogHead("other.example", 1, "A" * 43)

    with pytest.raises(HubError) as first:
        await recorder.record(entry(), (), [], log_seen=ahead)
    with pytest.raises(HubError) as second:
        await recorder.record(entry(), (), [], log_seen=foreign)

    assert first.value.reason is Reason.LOG_SEEN_AHEAD
    assert second.value.reason is Reason.FIELD_INVALID


async def test_a_value_that_no_json_holds_is_answered_alone(recorder: Recorder) -> None:
    """An integer beyond 2^53 would read differently elsewhere; only its member fails."""
    bad = entry(2**60)

    outcomes = await asyncio.gather(
        recorder.record(bad, (), []), recorder.record(entry(), (), []), return_exceptions=True
    )

    assert isinstance(outcomes[0], TypeError)
    assert not isinstance(outcomes[1], BaseException)


async def test_close_records_what_is_queued_and_refuses_the_rest(log: Log) -> None:
    """No call is lost between accepting and closing."""
    log.window_s = 5.0
    recorder = await log.started()
    calls = [asyncio.create_task(recorder.record(entry(), (), [])) for _ in range(10)]
    await asyncio.sleep(0.01)

    await recorder.close()

    assert len([await call for call in calls]) == 10
    with pytest.raises(HubError) as error:
        await recorder.record(entry(), (), [])
    assert error.value.reason is Reason.LOG_UNAVAILABLE


async def test_a_full_epoch_does_not_wait_for_its_window(log: Log) -> None:
    """The number of members is bounded, and the rest goes into the next epoch."""
    log.window_s, log.members_max = 1.0, 8
    recorder = await log.started()

    async with asyncio.timeout(20):
        await asyncio.gather(*(recorder.record(entry(), (), []) for _ in range(32)))

    assert recorder.observer.last_epoch_entries <= 8
    await recorder.close()


async def test_an_idle_log_beats(log: Log) -> None:
    """One entry of kind heartbeat per interval, so that readiness can tell silence from death."""
    log.heartbeat_s = 0.05
    recorder = await log.started()
    before = recorder.head().size

    await asyncio.sleep(0.4)

    assert recorder.head().size >= before + 2
    assert recorder.observer.epoch_time_us > 0
    await recorder.close()
    assert (await audited(log)).findings == []
