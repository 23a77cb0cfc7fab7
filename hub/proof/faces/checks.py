"""What a sealed face shows, held against time and record: the last step on OFD and PDF files.

A file without the metadata of a face is a document like any other, and has no such step.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from hub.proof.encoding import b64u
from hub.proof.faces.code_checks import check_face_code
from hub.proof.faces.facts import FaceFacts
from hub.proof.moment import iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.records.checks import verify_record
from hub.proof.records.sd_jwt import open_record
from hub.proof.reports.report import FactName, Kind, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import Trust


def verify_face(
    run: Run, data: bytes, read: Callable[[], FaceFacts | None], trust: Trust, evidence: Evidence
) -> None:
    """Note which certificate version the file shows and, of an annotated copy (加注件), what it is
    for; it is over when the reader's clock says so. `read` is called once the seals were checked.

    Nothing is noted where a seal does not hold: then the file proves nothing that it says. With the
    record of `evidence` the two must be about the same certificate and version, and an original is
    one of the files that the record names, where it shows any.
    """
    if any(step.verdict is Verdict.INVALID for step in run.steps):
        return
    try:
        facts = read()
    except ProofError as error:
        run.fail(StepName.FACE, error)
        return
    if facts is None:
        if evidence.record is not None:
            run.fail(StepName.FACE, ProofError(ProofReason.FACE_DIFFERS, "it is no face"))
        return
    run.fact(FactName.IDENTIFIER, facts.identifier)
    run.fact(FactName.FACE, facts.face)
    if facts.copy is not None:
        run.fact(FactName.COPY, facts.copy.name)
        run.fact(FactName.PURPOSE, facts.copy.purpose)
        run.fact(FactName.RECIPIENT, facts.copy.recipient)
        run.fact(FactName.EXPIRES, iso_time(facts.copy.expires))
    run.check(StepName.FACE, lambda: _check_time(run, facts, evidence))
    if facts.code:
        run.check(StepName.FACE_CODE, lambda: check_face_code(run, facts, trust, evidence))
    if evidence.record is not None:
        record = evidence.record
        run.check(StepName.FACE_RECORD, lambda: _check_record(facts, data, record, trust, evidence))


def _check_time(run: Run, facts: FaceFacts, evidence: Evidence) -> None:
    """A copy may be used now. Raises COPY_EXPIRED."""
    if facts.copy is None:
        return
    now = run.judged_at(evidence.reader).time
    if now >= facts.copy.expires:
        raise ProofError(ProofReason.COPY_EXPIRED, f"until {iso_time(facts.copy.expires)}")


def _check_record(
    facts: FaceFacts, data: bytes, record: bytes, trust: Trust, evidence: Evidence
) -> None:
    """The record's seal holds, and it is that of the certificate version shown.

    Raises FACE_DIFFERS, FILE_NOT_LISTED, the reason of a record that does not verify, and its
    reason as *cannot check* where its seal could not be judged. What a status says of it is the
    record's own report.
    """
    kind = recognise(record)
    if kind not in (Kind.RECORD, Kind.PRESENTATION):
        raise ProofError(ProofReason.FACE_DIFFERS, "what was given is no record")
    beside = Run(kind)
    verify_record(beside, record, trust, evidence)
    failed = [step for step in beside.steps if step.verdict is Verdict.INVALID]
    if failed:
        raise ProofError(failed[0].reason or ProofReason.FACE_DIFFERS, "record")
    named = [fact.value for fact in beside.facts if fact.name is FactName.IDENTIFIER]
    if not named:
        unknown = [step.reason for step in beside.steps if step.reason is not None]
        reason = unknown[0] if unknown else ProofReason.NO_SEAL_ANCHOR
        raise ProofError(reason, "record", verdict=Verdict.CANNOT_CHECK)
    if named[0] != facts.identifier:
        raise ProofError(ProofReason.FACE_DIFFERS, str(named[0]))
    if facts.copy is None:
        _check_listed(data, record.decode().strip(), trust, evidence.now)


def _check_listed(data: bytes, record: str, trust: Trust, now: int) -> None:
    """`data` is one of the files that a verified record names; copies are made after it. Raises
    FILE_NOT_LISTED."""
    text = record if "~" in record else f"{record}~"
    docs = open_record(
        text,
        origin=trust.origin,
        region=trust.region,
        keys=None,
        anchors=trust.seal_anchors,
        now=now,
    ).disclosed.get("docs")
    if docs is None:
        return
    digests = (
        [one.get("sha256") for one in docs if isinstance(one, dict)]
        if isinstance(docs, list)
        else []
    )
    if b64u(sha256(data).digest()) not in digests:
        raise ProofError(ProofReason.FILE_NOT_LISTED)
