"""Receipts, answers and checkpoints: what was exchanged, as the log holds it.

The steps are those of formats-ledger.md §6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from hub.proof.encoding import b64u, parse_object
from hub.proof.exchange.answer_file import Answer, parse_answer
from hub.proof.exchange.answer_receipt import (
    AnsweredDocument,
    AnsweredPlan,
    logged_materials,
    match_document,
    match_plan,
    match_question,
    match_result,
)
from hub.proof.exchange.request import RequestedCertificate
from hub.proof.log import receipt as receipts
from hub.proof.log.note import Checkpoint, open_checkpoint
from hub.proof.log.receipt import (
    ExchangeEntry,
    ExchangeKind,
    LoggedCertificate,
    Receipt,
    SentRequest,
)
from hub.proof.moment import Times, iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.recognise import peek
from hub.proof.records.checks import check_logged, expectation, open_seal, verify_status
from hub.proof.records.sd_jwt import check_asked
from hub.proof.reports.report import FactName, Remark, StepName
from hub.proof.run import Evidence, Run
from hub.proof.time_stamp import verify_token
from hub.proof.trust import Trust

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Logged:
    """An entry and my request, as far as they were verified, and when it was logged."""

    entry: ExchangeEntry
    request: SentRequest | None
    times: Times


def verify_answer(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """The receipt, then each presentation against the request and against the entry; plans and
    verifications have none."""
    answer = run.step(StepName.ANSWER_FILE, lambda: parse_answer(data))
    if answer is None:
        return
    outcome = None
    # A later one of the same entry holds what happened to the log since: witnesses, time stamps.
    receipt = answer.receipt if evidence.receipt is None else evidence.receipt
    if receipt is None:
        run.missing(ProofReason.NO_RECEIPT, StepName.RECEIPT)
    else:
        outcome = _verify_receipt(run, receipt, trust, evidence, answer)
    entry, request = (outcome.entry, outcome.request) if outcome else (None, None)
    asked = request.certificates if request else ()
    logged = entry.certificates if entry else ()
    # What was given is compared with the entry where a request is, and nowhere else.
    times = outcome.times if outcome and request else Times()
    certificates = answer.said if isinstance(answer.said, tuple) else ()
    for number, given in enumerate(certificates, 1):
        with run.part(number):
            if request is not None:
                # Compared with the entry by then.
                run.fact(FactName.STATE, given.state)
            if given.presentation is not None:
                _verify_given(
                    run,
                    given.presentation,
                    trust,
                    evidence,
                    times,
                    twin=given.sm2_presentation,
                    asked=_nth(asked, number),
                    logged=_nth(logged, number),
                )


def verify_receipt(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """A receipt, compared with my requests and the answer as far as I have them."""
    answer = None
    if evidence.answer is not None:
        given = evidence.answer
        answer = run.step(StepName.ANSWER_FILE, lambda: parse_answer(given))
    _verify_receipt(run, data, trust, evidence, answer)


def verify_checkpoint(run: Run, data: bytes, trust: Trust, _evidence: Evidence) -> None:
    """A checkpoint by itself: signed by the log, cosigned by whom."""
    checkpoint = run.step(
        StepName.CHECKPOINT,
        lambda: open_checkpoint(data.decode(), trust.origin, trust.log_keys, trust.witness_keys),
    )
    if checkpoint is not None:
        _checkpoint_facts(run, trust, [checkpoint])


def verify_logged_file(run: Run, data: bytes, receipt: bytes, trust: Trust) -> Times:
    """When the log, and its witnesses, knew the very file `data`: by the receipt of the entry that
    put it on file or handed it out."""
    parsed = run.step(StepName.RECEIPT, lambda: receipts.parse_receipt(receipt))
    if parsed is None:
        return Times()
    opened = run.step(StepName.LOGGED, lambda: receipts.open_proof(parsed, parsed.proof, trust.log))
    act = run.step(StepName.ENTRY, lambda: receipts.read_act(parsed.body, trust.origin))
    if opened is None or act is None:
        return Times()
    if not run.check(StepName.LOGGED_FILE, lambda: _check_file(parsed.body, data)):
        return Times()
    logged = act.time_us // 1_000_000
    run.fact(FactName.LOGGED_TIME, iso_time(logged))
    held = _verify_upgrades(run, trust, parsed, opened[0].index, opened[1])
    return Times(logged=logged) if held is None else held.times(trust, logged)


def _check_file(body: bytes, data: bytes) -> None:
    """The entry names the digest of the file; of another file it says nothing about this one."""
    details = parse_object(body).get("data")
    named = details.get("digest") if isinstance(details, dict) else None
    if named != b64u(hashlib.sha256(data).digest()):
        raise ProofError(ProofReason.RECEIPT_OTHER_FILE, verdict=Verdict.CANNOT_CHECK)


def _verify_given(
    run: Run,
    text: str,
    trust: Trust,
    evidence: Evidence,
    times: Times,
    *,
    twin: str | None,
    asked: RequestedCertificate | None,
    logged: LoggedCertificate | None,
) -> None:
    presentation = open_seal(run, text, trust, evidence, times, twin=twin)
    if presentation is None:
        return
    version = logged.version if logged else None
    if asked is None:
        run.missing(ProofReason.NO_REQUEST, StepName.ASKED)
    elif not run.check(
        StepName.ASKED, lambda: check_asked(presentation, expectation(trust, asked, version))
    ):
        return
    if logged is not None and not run.check(
        StepName.ENTRY_MATCH, lambda: check_logged(presentation, logged)
    ):
        return
    verify_status(run, trust, evidence, presentation.record.status)


def _verify_receipt(
    run: Run, data: bytes, trust: Trust, evidence: Evidence, answer: Answer | None
) -> _Logged | None:
    """The steps of formats-ledger.md §6."""
    receipt = run.step(StepName.RECEIPT, lambda: receipts.parse_receipt(data))
    if receipt is None:
        return None
    opened = run.step(
        StepName.LOGGED, lambda: receipts.open_proof(receipt, receipt.proof, trust.log)
    )
    if opened is None:
        return None
    proof, checkpoint = opened
    kind = _kind_of(receipt) if answer is None else answer.kind
    if kind is None and not evidence.requests:
        _verify_act(run, trust, receipt, proof.index, checkpoint)
        return None
    kind = kind or ExchangeKind.FETCH
    entry = run.step(StepName.ENTRY, lambda: _read_entry(receipt, trust, kind))
    if entry is None:
        return None
    _entry_facts(run, entry, proof.index)
    request: SentRequest | None = None
    if evidence.requests:
        request = _verify_exchange(run, evidence, receipt, checkpoint, entry, answer=answer)
        if request is None:
            return None
    else:
        run.missing(
            ProofReason.NO_REQUEST,
            StepName.REQUEST,
            StepName.ANSWER,
            StepName.TIME,
            StepName.CONTINUITY,
        )
    held = _verify_upgrades(run, trust, receipt, proof.index, checkpoint)
    if held is None:
        return None
    return _Logged(entry, request, held.times(trust, entry.time_us // 1_000_000))


def _verify_act(
    run: Run, trust: Trust, receipt: Receipt, index: int, checkpoint: Checkpoint
) -> None:
    """The receipt of a change, such as `--receipt` keeps: there is no answer to compare."""
    act = run.step(StepName.ENTRY, lambda: receipts.read_act(receipt.body, trust.origin))
    if act is None:
        return
    run.fact(FactName.ENTRY_KIND, act.kind)
    run.fact(FactName.REQUEST_ID, act.request_id)
    run.fact(FactName.CALLER, act.caller)
    run.fact(FactName.LOGGED_TIME, iso_time(act.time_us // 1_000_000))
    run.fact(FactName.INDEX, index)
    run.remark(Remark.AN_ACT)
    _verify_upgrades(run, trust, receipt, index, checkpoint)


def _read_entry(receipt: Receipt, trust: Trust, kind: ExchangeKind) -> ExchangeEntry:
    """Step 6; what a plan's entry names can be shown afterwards."""
    entry = receipts.read_entry(receipt.body, trust.origin, kind)
    if kind is ExchangeKind.PLAN:
        logged_materials(entry)
    return entry


def _verify_exchange(
    run: Run,
    evidence: Evidence,
    receipt: Receipt,
    checkpoint: Checkpoint,
    entry: ExchangeEntry,
    *,
    answer: Answer | None,
) -> SentRequest | None:
    """Steps 7 to 10: what the entry says against what was asked and given."""
    me = _me(evidence)
    request = run.step(
        StepName.REQUEST, lambda: receipts.match_request(entry, evidence.requests, me)
    )
    if request is None:
        return None
    if answer is not None:
        holds = run.check(StepName.ANSWER, lambda: _match_answer(entry, request, answer))
    else:
        holds = _without_answer(run, entry, request)
    holds = holds and run.check(StepName.TIME, lambda: receipts.check_time(entry, request))
    holds = holds and run.check(
        StepName.CONTINUITY,
        lambda: receipts.check_request_head(request, checkpoint, receipt.consistency),
    )
    return request if holds else None


def _without_answer(run: Run, entry: ExchangeEntry, request: SentRequest) -> bool:
    """What can be compared of step 8 while the answer is missing; whether to go on."""
    try:
        if entry.kind is ExchangeKind.FETCH:
            receipts.match_certificates(entry, request)
        elif entry.kind is not ExchangeKind.PLAN:
            match_question(entry, request)
    except ProofError as error:
        run.fail(StepName.ANSWER, error)
        return False
    run.missing(ProofReason.NO_ANSWER, StepName.ANSWER)
    return True


def _match_answer(entry: ExchangeEntry, request: SentRequest, answer: Answer) -> None:
    if answer.request_id not in (None, entry.request_id):
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "the answer has another request id")
    match answer.said:
        case AnsweredPlan() as plan:
            match_plan(entry, plan)
        case AnsweredDocument() as document:
            match_question(entry, request)
            match_document(entry, document)
        case str(result):
            match_question(entry, request)
            match_result(entry, result)
        case certificates:
            receipts.match_answer(entry, request, certificates)


@dataclass(frozen=True, slots=True)
class _Held:
    """All checkpoints that hold an entry, the first one first, and when (seconds) the earliest of
    them was stamped by a time stamp authority of the reader's, None where none was."""

    checkpoints: list[Checkpoint]
    stamped: int | None

    def times(self, trust: Trust, logged: int) -> Times:
        """What is known of when the entry stood in the log."""
        witnessed = receipts.witnessed_time(self.checkpoints, trust.witnesses_min)
        return Times(stamped=self.stamped, witnessed=witnessed, logged=logged)


def _verify_upgrades(
    run: Run, trust: Trust, receipt: Receipt, index: int, checkpoint: Checkpoint
) -> _Held | None:
    """Steps 11 and 12."""
    checkpoints = [checkpoint]
    if receipt.later:
        later = run.step(
            StepName.UPGRADES,
            lambda: receipts.open_upgrades(receipt, index, checkpoint, trust.log),
        )
        if later is None:
            return None
        checkpoints += later
    stamped = _stamped(run, trust, receipt)
    _checkpoint_facts(run, trust, checkpoints, is_stamped=stamped is not None)
    return _Held(checkpoints, stamped)


def _stamped(run: Run, trust: Trust, receipt: Receipt) -> int | None:
    """The earliest time of the stamps that hold. Of an authority that the reader has not pinned
    nothing is believed, as of a witness that he does not know; one that does not hold is a fault.
    """
    times = []
    for upgrade in receipt.later:
        token, proof = upgrade.stamp, upgrade.proof
        if token is None or not trust.stamp_anchors:
            continue
        checkpoint = receipts.parse_proof(proof).checkpoint.encode()
        time = run.step(
            StepName.TIME_STAMP, partial(verify_token, token, checkpoint, trust.stamp_anchors)
        )
        if time is not None:
            run.fact(FactName.STAMPED_TIME, iso_time(time))
            times.append(time)
    return min(times, default=None)


def _entry_facts(run: Run, entry: ExchangeEntry, index: int) -> None:
    run.fact(FactName.REQUEST_ID, entry.request_id)
    run.fact(FactName.CALLER, entry.caller)
    run.fact(FactName.OUTCOME, entry.outcome)
    run.fact(FactName.LOGGED_TIME, iso_time(entry.time_us // 1_000_000))
    run.fact(FactName.INDEX, index)
    if entry.kind is ExchangeKind.PLAN:
        lines = [f"{', '.join(one.uses)}: {one.outcome}" for one in logged_materials(entry)]
        run.fact(FactName.MATERIALS, tuple(lines))


def _checkpoint_facts(
    run: Run, trust: Trust, checkpoints: Sequence[Checkpoint], *, is_stamped: bool = False
) -> None:
    last = checkpoints[-1]
    names = {item.witness.name for point in checkpoints for item in point.cosignatures}
    grade = receipts.grade_of(checkpoints, trust.witnesses_min)
    run.fact(FactName.ORIGIN, last.origin)
    run.fact(FactName.SIZE, last.size)
    run.fact(FactName.ROOT, b64u(last.root))
    run.fact(FactName.GRADE, (receipts.Grade.STAMPED if is_stamped else grade).value)
    run.fact(FactName.WITNESSES, tuple(sorted(names)))
    if grade is receipts.Grade.LOGGED and trust.witnesses_min > 0:
        run.remark(Remark.ONLY_LOGGED)


def _me(evidence: Evidence) -> str:
    """My system id: as given, or as my first request says."""
    if evidence.system is not None:
        return evidence.system
    return str(peek(evidence.requests[0], 1).get("iss", ""))


def _kind_of(receipt: Receipt) -> ExchangeKind | None:
    """Which exchange a bare receipt is meant to be about; None for another entry."""
    try:
        kind = parse_object(receipt.body).get("kind")
    except ProofError:
        return ExchangeKind.FETCH
    return next((known for known in ExchangeKind if known == kind), None)


def _nth(items: Sequence[_T], number: int) -> _T | None:
    return items[number - 1] if number <= len(items) else None
