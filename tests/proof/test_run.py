"""How steps are collected, which time judges, and what a file is taken for."""

from __future__ import annotations

import pytest

from hub.proof.moment import Basis, Moment, Times
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.reports.report import FACT_TEXTS, STEP_TEXTS, FactName, Kind, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import Trust
from hub.proof.verify import VERIFIERS, verify

NOW = Moment(2_000, Basis.NOW)


def raising(reason: ProofReason, verdict: Verdict = Verdict.INVALID) -> None:
    raise ProofError(reason, "why", verdict=verdict)


def test_a_step_is_numbered_and_says_how_it_ended_and_how_long_it_took() -> None:
    """Valid, invalid and *cannot check* steps stand in the order in which they were made."""
    run = Run(Kind.SEAL)

    found = run.step(StepName.SEAL_FORMAT, lambda: 7)
    held = run.check(StepName.SEAL_SIGNATURE, lambda: raising(ProofReason.SIGNATURE_INVALID))
    run.missing(ProofReason.NO_SEAL_ANCHOR, StepName.MAKER_CHAIN)

    report = run.report()
    assert (found, held) == (7, False)
    assert [(step.number, step.verdict, step.reason) for step in report.steps] == [
        (1, Verdict.VALID, None),
        (2, Verdict.INVALID, ProofReason.SIGNATURE_INVALID),
        (3, Verdict.CANNOT_CHECK, ProofReason.NO_SEAL_ANCHOR),
    ]
    assert all(0 <= step.used_us < 1_000_000 for step in report.steps)
    assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.SIGNATURE_INVALID)


def test_a_fact_of_a_check_that_fails_is_not_in_the_report() -> None:
    """What was not proven is not said, even where it was read before the check failed."""
    run = Run(Kind.SEAL)

    def check() -> None:
        run.fact(FactName.SEAL_NAME, "a name that nobody signed")
        raising(ProofReason.SIGNATURE_INVALID)

    run.check(StepName.SEAL_SIGNATURE, check)

    assert run.report().facts == ()


def test_a_part_numbers_what_is_noted_inside_and_nothing_after() -> None:
    """Steps, facts and files of the second signature are told from those of the document."""
    run = Run(Kind.OFD)

    with run.part(2):
        run.check(StepName.SIGNATURE_VALUE, lambda: None)
        run.fact(FactName.SIGNER, "CN=a")
        run.file("Doc_0/Document.xml", ProofError(ProofReason.SIGNATURE_INVALID))
    run.check(StepName.UNSIGNED_FILES, lambda: None)

    report = run.report()
    assert [step.part for step in report.steps] == [2, None]
    assert report.facts[0].part == report.files[0].part == 2


def test_a_step_names_the_time_that_it_judged_at() -> None:
    """The moment belongs to the step that set it, also where that step fails."""
    run = Run(Kind.SEAL)

    def expired() -> None:
        run.judged_at(Times(signed=1_000).judged(NOW))
        raising(ProofReason.EXPIRED)

    run.check(StepName.SEAL_PERIOD, expired)
    run.check(StepName.SEAL_FORMAT, lambda: None)

    assert [step.moment for step in run.report().steps] == [Moment(1_000, Basis.SIGNED), None]


@pytest.mark.parametrize(
    ("times", "moment"),
    [
        (Times(), NOW),
        (Times(signed=1_000), Moment(1_000, Basis.SIGNED)),
        (Times(signed=1_000, stamped=1_500), Moment(1_500, Basis.STAMPED)),
        (Times(signed=1_000, logged=1_400), Moment(1_400, Basis.LOGGED)),
        (Times(signed=1_000, stamped=1_500, logged=1_400), Moment(1_400, Basis.LOGGED)),
        (Times(signed=2_030), Moment(2_030, Basis.SIGNED)),
    ],
)
def test_the_time_that_judges_is_the_earliest_proven_one(times: Times, moment: Moment) -> None:
    """Then the signer's word, then the reader's clock."""
    assert times.judged(NOW) == moment


def test_a_signature_of_the_future_is_refused() -> None:
    """Beyond the 30 s by which clocks differ."""
    with pytest.raises(ProofError) as refused:
        Times(signed=2_031).judged(NOW)

    assert refused.value.reason is ProofReason.SIGNED_LATER


def test_what_strangers_wrote_is_kept_short() -> None:
    """A detail or fact of a megabyte does not make a report of a megabyte."""
    run = Run(Kind.SEAL)

    run.fail(StepName.SEAL_FORMAT, ProofError(ProofReason.JSON_MALFORMED, "x" * 10_000))
    run.fact(FactName.SEAL_NAME, "章" * 10_000)

    report = run.report()
    assert len(report.steps[0].detail) == 201
    assert len(str(report.facts[0].value)) == 201


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04" + bytes(26) + b"OFD.xml", Kind.OFD),
        (b"PK\x03\x04" + bytes(26) + b"word/document.xml", None),
        (b"%PDF-1.7\n", Kind.PDF),
        (b"\n\n%PDF-1.7\n", Kind.PDF),
        (bytes(1025) + b"%PDF-1.7\n", None),
        (bytes.fromhex("30823082308230") + b"\x00", None),
        (bytes.fromhex("3010300e300c16024553020104"), Kind.SEAL),
        (bytes.fromhex("30820100308200f0308200e016024553"), Kind.SEAL),
        (bytes.fromhex("3010300e020104"), Kind.SEAL_SIGNATURE),
        (bytes.fromhex("3006020101020102"), None),
        (b"0", None),
        (b"", None),
    ],
)
def test_a_file_is_recognised_by_its_content(data: bytes, kind: Kind | None) -> None:
    """Whatever it is called; what is none of ours is nothing."""
    assert recognise(data) is kind


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_its_checks_and_nothing_is_valid_of_an_empty_file(kind: Kind) -> None:
    """Whatever is recognised is checked, and finding nothing wrong is not enough."""
    assert kind in VERIFIERS
    assert verify(b"", kind, None, Evidence(now=0)).verdict is not Verdict.VALID
    assert verify(b"", kind, Trust("a", "b"), Evidence(now=0)).verdict is not Verdict.VALID


def test_every_step_and_fact_has_its_text() -> None:
    """In both languages."""
    assert STEP_TEXTS.keys() == set(StepName)
    assert FACT_TEXTS.keys() == set(FactName)
