"""A time stamp over the checkpoint of a receipt: the entry stood in the log by then."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hub.cli.main import run
from hub.proof.encoding import b64u
from hub.proof.log.receipt import STAMP_BYTES_MAX, add_stamp, last_proof, parse_proof, parse_receipt
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from tests.ofd_sealing import TIME
from tests.proof.test_logged_files import ABOUT_IT, FILE, receipt, trust
from tests.time_stamp_server import TimeStampServer, absent, serving

RECEIPT = receipt(ABOUT_IT)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampServer]:
    if absent():
        pytest.skip("openssl is not installed")
    with serving(tmp_path_factory.mktemp("tsa")) as server:
        yield server


@pytest.fixture(scope="module")
def anchors(tsa: TimeStampServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("anchors") / "tsa.pem"
    file.write_bytes(tsa.ca.root.public_bytes(Encoding.PEM))
    return file


@pytest.fixture(scope="module")
def stamped(tsa: TimeStampServer, anchors: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """RECEIPT as `sealway log stamp` gives it back."""
    folder = tmp_path_factory.mktemp("stamped")
    (folder / "receipt.json").write_bytes(RECEIPT)
    given = ["log", "stamp", str(folder / "receipt.json"), "--out", str(folder / "out.json")]
    assert run([*given, "--tsa", tsa.url, "--tsa-anchors", str(anchors)]) == 0
    return (folder / "out.json").read_bytes()


def judged(given: bytes, pinned: Trust) -> Report:
    """By the clock, as a stamp is made by the clock; so no revocation list of TIME reaches here."""
    return verify(FILE, Kind.OFD, pinned, Evidence(now=int(time.time()) + 5, receipt=given))


def reasons(report: Report) -> set[ProofReason]:
    return {step.reason for step in report.steps if step.reason is not None}


def pins(tsa: TimeStampServer, *, compromised: int | None = None) -> Trust:
    return replace(trust(compromised=compromised), stamp_anchors=(tsa.ca.root,))


def test_a_stamp_before_the_theft_keeps_what_was_sealed(
    tsa: TimeStampServer, stamped: bytes
) -> None:
    """It outlives the key, as a witness does; a stamp after the theft proves nothing of before."""
    later, earlier = int(time.time()) + 1_000, int(TIME.timestamp()) + 100

    kept = judged(stamped, pins(tsa, compromised=later))
    unstamped = judged(RECEIPT, pins(tsa, compromised=later))
    too_late = judged(stamped, pins(tsa, compromised=earlier))

    assert reasons(kept) == {ProofReason.NO_CRL}
    facts = {fact.name: fact.value for fact in kept.facts}
    assert facts[FactName.GRADE] == "stamped"
    assert FactName.STAMPED_TIME in facts
    for report in (unstamped, too_late):
        assert reasons(report) == {ProofReason.NO_CRL, ProofReason.COMPROMISE_OPEN}


def test_a_stamp_of_nobody_one_knows_is_not_believed(stamped: bytes) -> None:
    """As a witness whom the reader has not pinned: no step, and the grade without it."""
    report = judged(stamped, trust())

    assert reasons(report) == {ProofReason.NO_CRL}
    assert all(step.name is not StepName.TIME_STAMP for step in report.steps)
    assert {fact.value for fact in report.facts if fact.name is FactName.GRADE} == {"logged"}


def test_a_stamp_over_something_else_is_a_fault(tsa: TimeStampServer, stamped: bytes) -> None:
    """It was over the checkpoint of another receipt."""
    members = json.loads(receipt(ABOUT_IT, time=int(TIME.timestamp()) + 9))
    proof = members["proof"]
    stamp = json.loads(stamped)["later"][0]["stamp"]
    members["later"] = [{"proof": proof, "consistency": [], "stamp": stamp}]

    report = judged(json.dumps(members).encode(), pins(tsa))

    assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.TIME_STAMP_INVALID)


@pytest.mark.parametrize("stamp", [7, "=", b64u(bytes(STAMP_BYTES_MAX + 1))])
def test_a_stamp_is_text_of_a_bounded_size(stamp: object) -> None:
    members = json.loads(RECEIPT)
    members["later"] = [{"proof": members["proof"], "consistency": [], "stamp": stamp}]

    with pytest.raises(ProofError):
        parse_receipt(json.dumps(members).encode())


def test_a_second_stamp_goes_over_the_last_checkpoint(stamped: bytes) -> None:
    """What was there stays as it was."""
    twice = add_stamp(stamped, b"token")

    before, after = json.loads(stamped), json.loads(twice)
    assert after["later"][:-1] == before["later"]
    assert last_proof(parse_receipt(twice)) == before["proof"]
    assert parse_proof(after["later"][1]["proof"]).checkpoint


@pytest.mark.parametrize(
    ("url", "code"), [("", 64), ("http://example.org/tsa", 64), ("http://127.0.0.1:1/tsa", 1)]
)
def test_where_there_is_no_stamp_nothing_is_written(
    url: str, code: int, anchors: Path, tmp_path: Path
) -> None:
    """No address, one that others could read along, and a service that is away."""
    (tmp_path / "receipt.json").write_bytes(RECEIPT)
    given = ["log", "stamp", str(tmp_path / "receipt.json"), "--out", str(tmp_path / "out.json")]

    assert run([*given, "--tsa", url, "--tsa-anchors", str(anchors)]) == code
    assert not (tmp_path / "out.json").exists()
