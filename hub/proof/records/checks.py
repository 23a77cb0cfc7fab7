"""Record seals, presentations and status lists (formats-jose.md §5 and §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hub.proof.exchange.request import RequestedCertificate
from hub.proof.jose import Keys
from hub.proof.key_checks import BY_HUB, UNVERIFIED, check_key
from hub.proof.log import receipt as receipts
from hub.proof.log.receipt import LoggedCertificate
from hub.proof.moment import Basis, Moment, Times, iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.recognise import peek
from hub.proof.records.sd_jwt import (
    HOLDER_CLAIMS,
    Custody,
    Expectation,
    Presentation,
    StatusReference,
    check_asked,
    check_version,
    open_record,
)
from hub.proof.records.status_list import (
    Status,
    open_status_list,
    read_status,
    verify_status_list,
)
from hub.proof.records.twin import check_same, check_sealed_with, check_twins
from hub.proof.reports.report import FactName, Kind, Remark, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import Trust


def verify_record(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """The seal, what was asked if a request is given, the status."""
    text = data.decode().strip()
    requests = evidence.requests
    # A seal kept alone is not written as a presentation; asked-for data must be one.
    alone = run.kind is Kind.RECORD and not requests
    text = text if not alone or "~" in text else f"{text}~"
    twin = evidence.twin if evidence.twin is None or "~" in evidence.twin else f"{evidence.twin}~"
    presentation = open_seal(run, text, trust, evidence, Times(), twin=twin)
    if presentation is None:
        return
    if requests:
        checked = run.check(StepName.ASKED, lambda: _check_requests(trust, presentation, requests))
    else:
        checked = run.check(StepName.IDENTIFIER, lambda: check_version(presentation.record))
    run.remark(Remark.NO_FIELDS if not presentation.disclosed else Remark.NOT_AN_EXCHANGE)
    if checked:
        verify_status(run, trust, evidence, presentation.record.status)


def open_seal(
    run: Run,
    text: str,
    trust: Trust,
    evidence: Evidence,
    times: Times,
    *,
    twin: str | None,
) -> Presentation | None:
    """The presentation, if its seal holds; whose custody the key was in is said in any case.

    Where its `twin` is given, or a seal by one algorithm required, that is a step of its own.

    `times` are those that a verified entry of the log proves of this very text, and of its twin.
    """
    presentation = None
    if not trust.seal_anchors:
        run.missing(ProofReason.NO_SEAL_ANCHOR, StepName.SEAL)
    else:
        presentation = run.step(StepName.SEAL, lambda: _open_record(run, text, trust, evidence))
    if presentation is None:
        run.fact(FactName.CUSTODY, UNVERIFIED)
        return None
    _record_facts(run, presentation)
    known = replace(times, signed=presentation.record.iat)
    run.check(StepName.SIGNER_KEY, lambda: _check_key(run, presentation, known, trust, evidence))
    verified = {presentation.algorithm}
    if twin is not None:

        def open_twin() -> Presentation:
            check_same(text, twin)
            other = _open_record(run, twin, trust, evidence)
            check_twins(presentation, other)
            _check_key(run, other, known, trust, evidence)
            return other

        other = run.step(StepName.TWIN, open_twin)
        if other is not None:
            verified.add(other.algorithm)
    required = evidence.required
    if required is not None:
        run.check(
            StepName.REQUIRED_ALGORITHM,
            lambda: check_sealed_with(required, presentation, verified),
        )
    return presentation


def _check_key(
    run: Run, presentation: Presentation, times: Times, trust: Trust, evidence: Evidence
) -> None:
    """A trust file names the key of a record seal by its `kid`."""
    run.judged_at(times.judged(evidence.reader))
    check_key(trust, presentation.kid, presentation.algorithm.name, times, evidence.reader)


def _open_record(run: Run, text: str, trust: Trust, evidence: Evidence) -> Presentation:
    presentation = open_record(
        text,
        origin=trust.origin,
        region=trust.region,
        keys=None,
        anchors=trust.seal_anchors,
        now=evidence.now,
    )
    run.judged_at(Moment(presentation.record.iat, Basis.SIGNED))
    return presentation


def _check_requests(trust: Trust, presentation: Presentation, requests: Sequence[str]) -> None:
    """The presentation answers one of the certificates asked for.

    With a single one its own reason is raised; of several, that of the one of the same type.
    """
    asked = [item for text in requests for item in receipts.read_sent_request(text).certificates]
    if not asked:
        raise ProofError(ProofReason.CERTIFICATES_DIFFER, "the request asks for nothing")
    failures: list[ProofError] = []
    for item in asked:
        try:
            check_asked(presentation, expectation(trust, item, None))
        except ProofError as error:
            failures.append(error)
        else:
            return
    other_type = (ProofReason.VCT_MISMATCH, ProofReason.CERT_MISMATCH)
    raise next((error for error in failures if error.reason not in other_type), failures[0])


def expectation(trust: Trust, asked: RequestedCertificate, version: int | None) -> Expectation:
    """What a presentation must be that answers `asked`, of `version` where the entry names one."""
    holder = (asked.holder.type, asked.holder.number) if asked.holder else None
    return Expectation(
        origin=trust.origin,
        region=trust.region,
        vct=asked.vct,
        fields=frozenset(asked.fields),
        cert=asked.cert,
        holder=holder,
        version=version,
    )


def check_logged(presentation: Presentation, logged: LoggedCertificate) -> None:
    """The end of P12: identifier, version and type equal the entry's."""
    record = presentation.record
    if record.cert != logged.cert:
        raise ProofError(ProofReason.CERT_MISMATCH, "another than was logged")
    if record.version != logged.version:
        raise ProofError(ProofReason.VERSION_MISMATCH, "another than was logged")
    if record.vct != logged.vct:
        raise ProofError(ProofReason.VCT_MISMATCH, "another than was logged")


def verify_status(run: Run, trust: Trust, evidence: Evidence, reference: StatusReference) -> None:
    """P12: what the list says of the record at the reader's clock."""
    if not evidence.status_tokens:
        run.missing(ProofReason.NO_STATUS, StepName.STATUS)
        run.remark(Remark.STATUS_NOT_CHECKED)
        return
    listed = run.step(StepName.STATUS_LIST, lambda: _read_status(run, trust, evidence, reference))
    if listed is None:
        return
    status, as_of = listed
    run.fact(FactName.STATUS, status.name.lower())
    run.fact(FactName.STATUS_TIME, iso_time(as_of))
    run.check(StepName.STATUS, lambda: _check_in_force(status))


def _read_status(
    run: Run, trust: Trust, evidence: Evidence, reference: StatusReference
) -> tuple[Status, int]:
    """What the list says of the record, and when the list was made."""
    tokens = evidence.status_tokens
    token = next((text for text in tokens if peek(text, 1).get("sub") == reference.uri), tokens[0])
    verified = verify_status_list(
        token,
        keys=_status_keys(trust),
        origin=trust.origin,
        region=trust.region,
        uri=reference.uri,
        now=evidence.now,
        highest_iat=None,
    )
    run.judged_at(evidence.reader)
    return read_status(verified, reference.idx), verified.claims.iat


def _check_in_force(status: Status) -> None:
    if status is Status.INVALID:
        raise ProofError(ProofReason.STATUS_REVOKED)
    if status is Status.SUSPENDED:
        raise ProofError(ProofReason.STATUS_SUSPENDED)


def verify_status_token(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """A status list by itself."""
    text = data.decode().strip()

    def check() -> None:
        keys = _status_keys(trust)
        subject = open_status_list(text, keys).claims["sub"]
        verified = verify_status_list(
            text,
            keys=keys,
            origin=trust.origin,
            region=trust.region,
            uri=subject if isinstance(subject, str) else "",
            now=evidence.now,
            highest_iat=None,
        )
        claims = verified.claims
        run.fact(FactName.ORIGIN, claims.origin)
        run.fact(FactName.LIST, claims.uri)
        run.fact(FactName.ENTRIES, 4 * len(verified.array))
        run.fact(FactName.STATUS_TIME, iso_time(claims.iat))
        run.fact(FactName.EXPIRES, iso_time(claims.exp))

    run.check(StepName.STATUS_LIST, check)


def _status_keys(trust: Trust) -> Keys:
    if not trust.status_keys:
        raise ProofError(ProofReason.NO_STATUS_KEY, verdict=Verdict.CANNOT_CHECK)
    return trust.status_key


def _record_facts(run: Run, presentation: Presentation) -> None:
    record = presentation.record
    run.fact(FactName.CUSTODY, record.custody.value)
    by = record.delegation or record.attested_by
    if by is not None:
        run.fact(FactName.SEALED_FOR, by)
    if record.conversion is not None:
        run.fact(FactName.CONVERTED_BY, record.conversion.officer)
    run.fact(FactName.ISSUER, record.iss)
    run.fact(FactName.IDENTIFIER, record.cert)
    run.fact(FactName.VERSION, record.version)
    run.fact(FactName.TYPE, record.vct)
    run.fact(FactName.SEALED_TIME, iso_time(record.iat))
    # Names only: a report may be passed on where the values may not.
    run.fact(FactName.FIELDS, tuple(sorted(presentation.disclosed.keys() - HOLDER_CLAIMS)))
    if record.custody in BY_HUB:
        run.remark(Remark.SEALED_BY_HUB)
    elif record.custody is Custody.ATTESTED:
        run.remark(Remark.ATTESTED)
    if record.conversion is not None:
        run.remark(Remark.SCAN)
