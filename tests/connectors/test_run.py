"""A run reaches the end of the file, balances, and moves its cursor on receipts only."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.client import HubRefusedError
from connectors.manifest import load_manifest
from connectors.outbox import StagedBatch
from connectors.run import ConnectorRun, exit_code_of
from connectors.sample import write_sample
from connectors.sources.delimited import open_delimited
from hub.errors import HubError, Reason
from tests.children import fork, wait
from tests.connectors.conftest import GOOD, OTHER, Bench, make_bench
from tests.connectors.small_hub import SmallHub, UnreachableHub, identity, log_trust, now_us


def balanced(report) -> bool:
    """read = accepted + unchanged + quarantined + refused + skipped."""
    counts = report.counts
    ends = counts.accepted + counts.unchanged + counts.quarantined + counts.refused + counts.skipped
    return counts.read == ends


def test_the_sample_is_accepted_but_for_the_rows_broken_on_purpose(bench: Bench) -> None:
    """Six rows of six kinds go to quarantine, each with its rule; the rest is new."""
    sample = write_sample(bench.folder / "connectors", companies=200)

    report = bench.run()

    assert (report.counts.read, report.counts.new) == (206, 200)
    assert (report.counts.quarantined, report.exit_code) == (sample.broken, 6)
    assert balanced(report)
    with bench.outbox() as outbox:
        rules = {
            tuple(error.rule for error in one.row.errors)
            for one in outbox.quarantined(all_states=False, limit=100)
        }
    assert rules == {
        ("uscc.check", "uscc.check"),
        ("date.not_real",),
        ("value.length",),
        ("structure.nul",),
        ("value.required",),
        ("structure.columns",),
    }


def test_both_forms_of_the_sample_give_the_same_rows(bench: Bench, tmp_path_factory) -> None:
    """UTF-8 with quotation marks and GB18030 with escapes mean the same companies."""
    other = make_bench(tmp_path_factory.mktemp("gb"), "business-licence-gb18030.yaml")
    for one in (bench, other):
        write_sample(one.folder / "connectors", companies=50)
        one.run()

    assert len(bench.hub.state["certificates"]) == 50
    assert bench.hub.state["certificates"] == other.hub.state["certificates"]


def test_the_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """Same seed, same bytes; another seed, others."""
    first = write_sample(tmp_path / "a", companies=30)
    same = write_sample(tmp_path / "b", companies=30)
    other = write_sample(tmp_path / "c", companies=30, seed=2)

    assert first.csv.read_bytes() == same.csv.read_bytes()
    assert first.gb18030.read_bytes() == same.gb18030.read_bytes()
    assert first.csv.read_bytes() != other.csv.read_bytes()


def test_a_second_run_sends_nothing(bench: Bench) -> None:
    """Rows whose bytes were accepted are unchanged; quarantine counts the sighting."""
    write_sample(bench.folder / "connectors", companies=100)
    first = bench.run()
    calls = bench.hub.calls

    second = bench.run()

    assert bench.hub.calls == calls
    assert second.counts.unchanged == first.counts.new
    assert (second.counts.accepted, second.counts.quarantined) == (0, 6)
    assert balanced(second)
    with bench.outbox() as outbox:
        found = outbox.quarantined(all_states=True, limit=100)
        assert [one.sightings for one in found] == [2] * 6


def test_a_changed_row_is_sent_alone(bench: Bench) -> None:
    """The hub gets the one row whose bytes differ, as the second version."""
    bench.write(GOOD, OTHER)
    bench.run()

    bench.write(GOOD, OTHER.replace("零售", "批发"))
    report = bench.run()

    assert (report.counts.changed, report.counts.unchanged) == (1, 1)
    versions = bench.hub.state["certificates"]
    assert [len(one) for one in versions.values()] == [1, 2]


def test_a_corrected_row_leaves_quarantine(bench: Bench) -> None:
    """`passed` when its key passes; `gone` when the file no longer holds it."""
    bench.write(GOOD.replace("2001-01-01", "2001-02-30"), OTHER + ",surplus")
    bench.run()

    bench.write(GOOD, OTHER)
    report = bench.run()

    assert (report.counts.new, report.quarantine_open) == (2, 0)
    with bench.outbox() as outbox:
        states = [one.state.value for one in outbox.quarantined(all_states=True, limit=9)]
    assert states == ["passed", "gone"]


def test_a_row_refused_by_the_hub_is_counted_and_kept(bench: Bench) -> None:
    """Refused is not accepted: it is quarantined with the hub's error and sent again next time."""
    bench.write(GOOD, OTHER)
    hub = SmallHub(bench.folder / "hub.json", refuse=lambda number: number.startswith("111"))

    report = bench.run(hub)

    assert (report.counts.new, report.counts.refused, report.exit_code) == (1, 1, 6)
    assert balanced(report)
    with bench.outbox() as outbox:
        (one,) = outbox.quarantined(all_states=False, limit=9)
    assert [(error.code, error.rule) for error in one.row.errors] == [("E-SUB-001", "CONFLICT")]
    hub.refuse = lambda _: False
    again = bench.run(hub)
    assert (again.counts.new, again.counts.unchanged, again.quarantine_open) == (1, 1, 0)


def test_the_outbox_waits_for_a_hub_that_is_away(bench: Bench) -> None:
    """Nothing moves without a receipt; the same bytes are sent when the hub is back."""
    bench.write(GOOD, OTHER)
    away = UnreachableHub(HubError(Reason.HUB_UNAVAILABLE, address="hub", rule="no route"))
    with pytest.raises(HubError):
        bench.run(away)
    with bench.outbox() as outbox:
        run = outbox.open_run()
        assert run is not None
        assert run.cursor is None
        staged = outbox.unanswered(run.id)
    assert staged is not None

    sent = []
    hub = bench.hub

    class Recording:
        def submit(self, batch):
            sent.append(batch)
            return hub.submit(batch)

    report = bench.run(Recording())

    assert sent == [staged[0]]
    assert (report.resumed, report.counts.new) == (True, 2)


def test_a_replaced_file_does_not_lose_the_staged_batch(bench: Bench) -> None:
    """What was signed for the old file is delivered first; the new file is read from its start."""
    bench.write(GOOD)
    with pytest.raises(HubError):
        bench.run(UnreachableHub(HubError(Reason.HUB_UNAVAILABLE, address="hub", rule="away")))

    bench.write(OTHER)
    report = bench.run()

    assert (report.resumed, report.counts.read, report.counts.new) == (False, 1, 1)
    assert len(bench.hub.state["certificates"]) == 2


class RefusingHub:
    """Refuses every batch for one reason, as the hub does over the wire."""

    def __init__(self, reason: Reason, status: str, **details: str) -> None:
        self.refusal = HubRefusedError(reason, status=status, **details)

    def submit(self, batch):
        """Always raises."""
        raise self.refusal


CONTENT = [
    (Reason.AUTHORITY_NOT_ALLOWED, "PERMISSION_DENIED", {}),
    (Reason.ISSUER_NOT_ALLOWED, "PERMISSION_DENIED", {}),
    (Reason.CERTIFICATE_TYPE_NOT_FOUND, "NOT_FOUND", {}),
    (Reason.INTENT_NOT_APPROVED, "FAILED_PRECONDITION", {}),
    (Reason.BATCH_INVALID, "INVALID_ARGUMENT", {"rule": "REGION_WRONG"}),
]
STANDING = [
    (Reason.BATCH_INVALID, "INVALID_ARGUMENT", {"rule": "BATCH_SEQ"}),
    (Reason.BATCH_INVALID, "INVALID_ARGUMENT", {"rule": "BATCH_PREV"}),
    (Reason.ROLE_NOT_ALLOWED, "PERMISSION_DENIED", {}),
    (Reason.PEER_UNKNOWN, "UNAUTHENTICATED", {}),
    (Reason.LOG_UNAVAILABLE, "UNAVAILABLE", {}),
]


def staged(bench: Bench) -> StagedBatch | None:
    """The batch that waits for an answer."""
    with bench.outbox() as outbox:
        run = outbox.open_run()
        found = None if run is None else outbox.unanswered(run.id)
    return None if found is None else found[0]


@pytest.mark.parametrize(("reason", "status", "details"), CONTENT, ids=str)
def test_a_batch_refused_for_its_content_is_signed_again_once_that_is_corrected(
    bench: Bench, reason: Reason, status: str, details: dict[str, str]
) -> None:
    """A wrong authority or version spoils one run, not the outbox: nothing waits, all is new."""
    bench.write(GOOD, OTHER, OTHER + ",surplus")

    with pytest.raises(HubRefusedError):
        bench.run(RefusingHub(reason, status, **details))

    assert staged(bench) is None
    report = bench.run()
    assert (report.counts.read, report.counts.new, report.counts.quarantined) == (3, 2, 1)
    assert balanced(report)
    assert list(bench.hub.state["batches"]) == ["1"]


@pytest.mark.parametrize(("reason", "status", "details"), STANDING, ids=str)
def test_a_batch_refused_for_another_reason_waits(
    bench: Bench, reason: Reason, status: str, details: dict[str, str]
) -> None:
    """Whose rights ended, or whose outbox is an old copy, may have an answer that was lost."""
    bench.write(GOOD, OTHER)

    with pytest.raises(HubRefusedError):
        bench.run(RefusingHub(reason, status, **details))

    assert staged(bench) is not None


@pytest.mark.parametrize(("reason", "status", "details"), CONTENT, ids=str)
def test_a_batch_of_an_earlier_run_is_taken_back_only_where_the_hub_cannot_have_it(
    bench: Bench, reason: Reason, status: str, details: dict[str, str]
) -> None:
    """It may have been taken and its answer lost; a missing type or intent excludes that."""
    bench.write(GOOD, OTHER)
    with pytest.raises(HubError):
        bench.run(UnreachableHub(HubError(Reason.HUB_UNAVAILABLE, address="hub", rule="away")))
    first = staged(bench)
    refusals = [RefusingHub(reason, status, **details)]

    class RefusingOnce:
        def submit(self, batch):
            return refusals.pop().submit(batch) if refusals else bench.hub.submit(batch)

    if reason in (Reason.CERTIFICATE_TYPE_NOT_FOUND, Reason.INTENT_NOT_APPROVED):
        report = bench.run(RefusingOnce())
        assert (report.resumed, report.counts.new, report.receipts) == (True, 2, 1)
        assert balanced(report)
    else:
        with pytest.raises(HubRefusedError):
            bench.run(RefusingOnce())
        assert staged(bench) == first


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda answer: replace(answer, seq=7), "another batch"),
        (lambda answer: replace(answer, batch="x"), "another batch"),
        (lambda answer: replace(answer, results=answer.results[:1]), "1 results for 2 rows"),
        (
            lambda answer: replace(
                answer, results=(replace(answer.results[0], outcome="lost"), answer.results[1])
            ),
            "no known outcome",
        ),
        (lambda answer: replace(answer, receipt="{}"), "receipt"),
        (
            lambda answer: replace(
                answer, receipt=answer.receipt.replace('"proof":"', '"proof":"x')
            ),
            "receipt",
        ),
        (lambda answer: replace(answer, receipt=answer.receipt + "\ud800"), "receipt"),
    ],
)
def test_an_answer_that_does_not_hold_moves_nothing(bench: Bench, spoil, rule: str) -> None:
    """The cursor stays, and the batch is sent again."""
    bench.write(GOOD, OTHER)

    with pytest.raises(HubError) as refused:
        bench.run(SmallHub(bench.folder / "hub.json", spoil=spoil))

    assert refused.value.reason is Reason.HUB_ANSWER_INVALID
    assert rule in refused.value.details["rule"]
    assert exit_code_of(refused.value, "") == 7
    assert bench.run().counts.new == 2


def test_a_receipt_of_another_log_or_batch_is_not_believed(bench: Bench) -> None:
    """The checkpoint must be signed by the pinned key, the entry must name this root."""
    bench.write(GOOD)
    first = bench.run()
    assert first.receipts == 1
    receipt = next(iter(bench.hub.state["batches"].values()))["receipt"]
    bench.write(GOOD, OTHER)
    with pytest.raises(HubError) as refused:
        bench.run(
            SmallHub(
                bench.folder / "hub.json", spoil=lambda answer: replace(answer, receipt=receipt)
            )
        )
    assert "request_digest" in refused.value.details["rule"]

    stranger = log_trust(Ed25519PrivateKey.from_private_bytes(b"\x08" * 32))
    with bench.outbox() as outbox:
        from connectors.manifest import load_manifest

        loaded = load_manifest(bench.manifest)
        run = ConnectorRun(
            loaded,
            replace(identity(), trust=stranger),
            outbox,
            bench.hub,
            now_us,
            lambda _done, _all: None,
        )
        with pytest.raises(HubError) as refused:
            run(open_delimited(loaded.source_path, loaded.format))
    assert "NOTE" in refused.value.details["rule"]


def test_the_brake_stops_a_file_of_another_layout(bench: Bench) -> None:
    """100 % bad rows: exit 8, the cursor unmoved, nothing quarantined, nothing sent."""
    bench.write(*[GOOD.replace("2001-01-01", "n/a")] * 300)

    with pytest.raises(HubError) as refused:
        bench.run()

    assert refused.value.reason is Reason.RUN_BRAKED
    assert exit_code_of(refused.value, "") == 8
    assert bench.hub.calls == 0
    with bench.outbox() as outbox:
        assert outbox.open_quarantined() == 0


def test_only_one_run_at_a_time(bench: Bench) -> None:
    """The second process is refused and touches nothing."""
    bench.write(GOOD)
    with bench.outbox(), pytest.raises(HubError) as refused:
        bench.run()

    assert refused.value.reason is Reason.OUTBOX_LOCKED


def test_repeated_rows_in_one_file_are_unchanged(bench: Bench) -> None:
    """The same row twice is sent once, within a page and across pages."""
    bench.write(*[GOOD] * 1500)

    report = bench.run()

    assert (report.counts.new, report.counts.unchanged) == (1, 1499)


def test_large_rows_are_cut_into_batches_that_fit_a_message(bench: Bench) -> None:
    """At most 1,000 rows and 4,000,000 bytes per batch; the small hub asserts both."""
    sample = write_sample(bench.folder / "connectors", companies=600)
    text = sample.csv.read_text()
    sample.csv.write_text(text.replace("示例路", "长" * 490).replace("商贸", "商" * 60))
    lines = sample.csv.read_text().splitlines()
    scope = '"' + "经营" * 1990 + '"'
    rows = [lines[0]]
    for line in lines[1:]:
        parts = line.split(",")
        if len(parts) == 9 and '"' not in line:
            parts[5] = scope
        rows.append(",".join(parts))
    sample.csv.write_bytes(("\r\n".join(rows) + "\r\n").encode())

    report = bench.run()

    assert report.receipts >= 2
    assert balanced(report)


# Death at every durable step.


def run_until(bench: Bench, step: int | None) -> int:
    """The exit status of a run in a child, negative where it was killed at the `step`-th step.

    Durable steps are the begin and the commit of every transaction of the outbox, the write of the
    cursor inside, and the moments before the hub stores and after it stored a batch.
    """
    left = step

    def count() -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def trace(statement: str) -> None:
        if statement.startswith(("BEGIN", "COMMIT", "UPDATE runs", "INSERT INTO pages")):
            count()

    class Watched:
        def submit(self, batch):
            count()
            answer = bench.hub.submit(batch)
            count()
            return answer

    def work() -> None:
        loaded = load_manifest(bench.manifest)
        with bench.outbox() as outbox:
            outbox._db.set_trace_callback(trace)
            run = ConnectorRun(
                loaded, identity(), outbox, Watched(), now_us, lambda _done, _all: None
            )
            run(open_delimited(loaded.source_path, loaded.format))

    return wait(fork(work))


def test_death_at_any_durable_step_loses_nothing_and_stores_nothing_twice(
    tmp_path: Path,
) -> None:
    """kill -9 at step n for every n; the next run brings hub and connector to the same state."""
    expected = None
    killed = 0
    for step in range(200):
        folder = tmp_path / str(step)
        folder.mkdir()
        bench = make_bench(folder, "business-licence-csv.yaml")
        write_sample(folder / "connectors", companies=1100)
        status = run_until(bench, step)
        dead = status == -signal.SIGKILL
        assert dead or status == 0

        report = bench.run()
        with bench.outbox() as outbox:
            quarantine = [
                (one.row.line, one.state.value)
                for one in outbox.quarantined(all_states=True, limit=99)
            ]
        state = bench.hub.state
        assert {len(versions) for versions in state["certificates"].values()} == {1}
        final = (
            sorted(state["certificates"]),
            len(state["batches"]),
            len(state["leaves"]),
            sorted(quarantine),
        )
        expected = expected or final
        assert final == expected
        assert len(state["certificates"]) == 1100
        assert balanced(report)
        if not dead:
            break
        killed += 1

    assert killed >= 20
