"""Verification of anything the hub hands out, offline: one engine over bytes.

What a file is, is recognised by its content. Each step says what it checked and how it ended; a
step that lacks an input is *cannot check* and the others go on, a step that fails ends its thread.
The verdict is the worst of the steps, so whatever was not checked is never *valid*; a record whose
status nobody supplied is therefore *cannot check* as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from hub.proof import receipt as receipts
from hub.proof.answer_receipt import (
    AnsweredDocument,
    AnsweredMaterial,
    AnsweredPlan,
    logged_materials,
    match_document,
    match_plan,
    match_question,
    match_result,
)
from hub.proof.encoding import Json, b64u, b64u_decode, emit_json, parse_object
from hub.proof.jose import SEAL_TYP, STATUS_TYP, Keys
from hub.proof.note import Checkpoint, open_checkpoint
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.receipt import (
    Answered,
    ExchangeEntry,
    ExchangeKind,
    LoggedCertificate,
    Receipt,
    SentRequest,
)
from hub.proof.report import Fact, FactName, FactValue, Kind, Remark, Report, Step, StepName
from hub.proof.request import RequestedCertificate
from hub.proof.sd_jwt import (
    HOLDER_CLAIMS,
    Custody,
    Expectation,
    Presentation,
    check_asked,
    check_version,
    open_record,
)
from hub.proof.status_list import (
    Status,
    open_status_list,
    read_status,
    verify_status_list,
)
from hub.proof.trust import Trust

_UNVERIFIED: Final = "unverified"
_ANSWERS: Final = (Kind.ANSWER, Kind.PLAN, Kind.VERIFICATION, Kind.DOCUMENT)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the reader knows besides the file: his clock (seconds), requests, answer, statuses.

    `requests` are the compact texts he sent under the request id, `system` is his system id (by
    default the one his first request names), `answer` the bytes of the answer file that a bare
    receipt belongs to, `status_tokens` current status list tokens.
    """

    now: int
    requests: tuple[str, ...] = ()
    system: str | None = None
    answer: bytes | None = None
    status_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer file taken apart; `receipt` is its receipt's text, nothing verified.

    `said` are the certificates of a fetch, the plan, the result of a verification, or what was said
    of a document.
    """

    request_id: str | None
    said: tuple[Answered, ...] | AnsweredPlan | AnsweredDocument | str
    receipt: bytes | None

    @property
    def kind(self) -> ExchangeKind:
        """The kind of the entry that must say the same."""
        match self.said:
            case AnsweredPlan():
                return ExchangeKind.PLAN
            case AnsweredDocument():
                return ExchangeKind.DOCUMENT
            case str():
                return ExchangeKind.VERIFICATION
            case _:
                return ExchangeKind.FETCH


def recognise(data: bytes) -> Kind | None:
    """What `data` is meant to be, judged leniently; None for what is none of our formats."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if text.lstrip().startswith("{"):
        return _recognise_json(text)
    if "\n" in text.rstrip("\r\n"):
        return Kind.CHECKPOINT if _looks_like_note(text) else None
    compact, tilde, disclosures = text.strip().partition("~")
    typ = _typ(compact)
    if typ == STATUS_TYP and not tilde:
        return Kind.STATUS_LIST
    if typ == SEAL_TYP or tilde:
        return Kind.PRESENTATION if disclosures else Kind.RECORD
    return None


def verify(data: bytes, kind: Kind, trust: Trust | None, evidence: Evidence) -> Report:
    """The report on `data`, which was recognised as `kind`. Raises nothing, whatever it holds."""
    run = _Run(kind, trust, evidence)
    if trust is None:
        run.fail(StepName.TRUST, ProofError(ProofReason.NO_TRUST, verdict=Verdict.CANNOT_CHECK))
        if kind in (Kind.RECORD, Kind.PRESENTATION):
            run.facts.append(Fact(FactName.CUSTODY, _UNVERIFIED))
        return run.report()
    if kind is Kind.RECEIPT:
        answer = _answer_for(run, evidence.answer)
        _verify_receipt(run, trust, data, answer)
    elif kind in _ANSWERS:
        _verify_answer(run, trust, data)
    elif kind is Kind.CHECKPOINT:
        _verify_checkpoint(run, trust, data)
    elif kind is Kind.STATUS_LIST:
        _verify_status_token(run, trust, data)
    else:
        _verify_record(run, trust, data)
    return run.report()


def parse_answer(data: bytes) -> Answer:
    """The answer file in `data`. Raises ProofError(ANSWER_MALFORMED)."""
    try:
        members = parse_object(data)
    except ProofError as error:
        raise ProofError(ProofReason.ANSWER_MALFORMED, error.reason.value) from error
    request_id, receipt = members.get("request_id"), members.get("receipt")
    said = _said(members)
    if not isinstance(request_id, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "request_id")
    return Answer(
        request_id,
        said,
        # Strictly parsed once already; hashes and signatures are over strings inside.
        None if receipt is None else emit_json(receipt),
    )


class _Run:
    """Steps, facts and remarks of one verification as they come about."""

    def __init__(self, kind: Kind, trust: Trust | None, evidence: Evidence) -> None:
        self.kind = kind
        self.trust = trust
        self.evidence = evidence
        self.steps: list[Step] = []
        self.facts: list[Fact] = []
        self.remarks: list[Remark] = []
        self.certificate: int | None = None

    def step(self, name: StepName, check: Callable[[], _T]) -> _T | None:
        """What `check` returns, noted as valid; None where it raised, noted with its reason."""
        try:
            result = check()
        except ProofError as error:
            self.fail(name, error)
            return None
        self._note(name, Verdict.VALID)
        return result

    def check(self, name: StepName, check: Callable[[], None]) -> bool:
        """Whether `check` passed."""

        def passed() -> bool:
            check()
            return True

        return self.step(name, passed) is not None

    def fail(self, name: StepName, error: ProofError) -> None:
        self._note(name, error.verdict, error.reason, error.detail)

    def missing(self, reason: ProofReason, *names: StepName) -> None:
        """Note steps that lack an input."""
        for name in names:
            self._note(name, Verdict.CANNOT_CHECK, reason)

    def fact(self, name: FactName, value: FactValue) -> None:
        self.facts.append(Fact(name, value, self.certificate))

    def remark(self, remark: Remark) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)

    def report(self) -> Report:
        return Report(self.kind, tuple(self.steps), tuple(self.facts), tuple(self.remarks))

    def _note(
        self,
        name: StepName,
        verdict: Verdict,
        reason: ProofReason | None = None,
        detail: str = "",
    ) -> None:
        number = len(self.steps) + 1
        self.steps.append(Step(number, name, verdict, reason, detail, self.certificate))


# -- Receipt and answer ----------------------------------------------------------------------------


def _verify_answer(run: _Run, trust: Trust, data: bytes) -> None:
    """The receipt, then each presentation against the request and against the entry; plans and
    verifications have none."""
    answer = run.step(StepName.ANSWER_FILE, lambda: parse_answer(data))
    if answer is None:
        return
    outcome = None
    if answer.receipt is None:
        run.missing(ProofReason.NO_RECEIPT, StepName.RECEIPT)
    else:
        outcome = _verify_receipt(run, trust, answer.receipt, answer)
    entry, request = outcome or (None, None)
    asked = request.certificates if request else ()
    logged = entry.certificates if entry else ()
    certificates = answer.said if isinstance(answer.said, tuple) else ()
    for number, given in enumerate(certificates, 1):
        run.certificate = number
        if request is not None:
            # Compared with the entry by then.
            run.fact(FactName.STATE, given.state)
        if given.presentation is not None:
            _verify_given(
                run,
                trust,
                given.presentation,
                _nth(asked, number),
                _nth(logged, number),
            )
    run.certificate = None


def _verify_given(
    run: _Run,
    trust: Trust,
    text: str,
    asked: RequestedCertificate | None,
    logged: LoggedCertificate | None,
) -> None:
    presentation = _open_seal(run, trust, text)
    if presentation is None:
        return
    version = logged.version if logged else None
    if asked is None:
        run.missing(ProofReason.NO_REQUEST, StepName.ASKED)
    elif not run.check(
        StepName.ASKED, lambda: check_asked(presentation, _expectation(trust, asked, version))
    ):
        return
    if logged is not None and not run.check(
        StepName.ENTRY_MATCH, lambda: _check_logged(presentation, logged)
    ):
        return
    _verify_status(run, trust, presentation)


def _verify_receipt(
    run: _Run, trust: Trust, data: bytes, answer: Answer | None
) -> tuple[ExchangeEntry, SentRequest | None] | None:
    """The steps of formats-ledger.md §6; the entry and my request, as far as they were verified."""
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
    if kind is None and not run.evidence.requests:
        _verify_act(run, trust, receipt, proof.index, checkpoint)
        return None
    kind = kind or ExchangeKind.FETCH
    entry = run.step(StepName.ENTRY, lambda: _read_entry(receipt, trust, kind))
    if entry is None:
        return None
    _entry_facts(run, entry, proof.index)
    request: SentRequest | None = None
    if run.evidence.requests:
        request = _verify_exchange(run, receipt, checkpoint, entry, answer)
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
    if not _verify_upgrades(run, trust, receipt, proof.index, checkpoint):
        return None
    return entry, request


def _verify_act(
    run: _Run, trust: Trust, receipt: Receipt, index: int, checkpoint: Checkpoint
) -> None:
    """The receipt of a change, such as `--receipt` keeps: there is no answer to compare."""
    act = run.step(StepName.ENTRY, lambda: receipts.read_act(receipt.body, trust.origin))
    if act is None:
        return
    run.fact(FactName.ENTRY_KIND, act.kind)
    run.fact(FactName.REQUEST_ID, act.request_id)
    run.fact(FactName.CALLER, act.caller)
    run.fact(FactName.LOGGED_TIME, _time(act.time_us // 1_000_000))
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
    run: _Run,
    receipt: Receipt,
    checkpoint: Checkpoint,
    entry: ExchangeEntry,
    answer: Answer | None,
) -> SentRequest | None:
    """Steps 7 to 10: what the entry says against what was asked and given."""
    evidence = run.evidence
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


def _without_answer(run: _Run, entry: ExchangeEntry, request: SentRequest) -> bool:
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


def _verify_upgrades(
    run: _Run, trust: Trust, receipt: Receipt, index: int, checkpoint: Checkpoint
) -> bool:
    """Steps 11 and 12."""
    checkpoints = [checkpoint]
    if receipt.later:
        later = run.step(
            StepName.UPGRADES,
            lambda: receipts.open_upgrades(receipt, index, checkpoint, trust.log),
        )
        if later is None:
            return False
        checkpoints += later
    _checkpoint_facts(run, trust, checkpoints)
    return True


def _answer_for(run: _Run, data: bytes | None) -> Answer | None:
    """The answer a bare receipt is compared with, if the reader has one."""
    if data is None:
        return None
    return run.step(StepName.ANSWER_FILE, lambda: parse_answer(data))


# -- Record seal and presentation ------------------------------------------------------------------


def _verify_record(run: _Run, trust: Trust, data: bytes) -> None:
    """The seal, what was asked if a request is given, the status."""
    text = data.decode().strip()
    requests = run.evidence.requests
    # A seal kept alone is not written as a presentation; asked-for data must be one.
    alone = run.kind is Kind.RECORD and not requests
    presentation = _open_seal(run, trust, text if not alone or "~" in text else f"{text}~")
    if presentation is None:
        return
    if requests:
        checked = run.check(StepName.ASKED, lambda: _check_requests(trust, presentation, requests))
    else:
        checked = run.check(StepName.IDENTIFIER, lambda: check_version(presentation.record))
    run.remark(Remark.NO_FIELDS if not presentation.disclosed else Remark.NOT_AN_EXCHANGE)
    if checked:
        _verify_status(run, trust, presentation)


def _open_seal(run: _Run, trust: Trust, text: str) -> Presentation | None:
    presentation = None
    if not trust.seal_anchors:
        run.missing(ProofReason.NO_SEAL_ANCHOR, StepName.SEAL)
    else:
        presentation = run.step(
            StepName.SEAL,
            lambda: open_record(
                text,
                origin=trust.origin,
                region=trust.region,
                keys=None,
                anchors=trust.seal_anchors,
                now=run.evidence.now,
            ),
        )
    if presentation is None:
        run.fact(FactName.CUSTODY, _UNVERIFIED)
        return None
    _record_facts(run, presentation)
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
            check_asked(presentation, _expectation(trust, item, None))
        except ProofError as error:
            failures.append(error)
        else:
            return
    other_type = (ProofReason.VCT_MISMATCH, ProofReason.CERT_MISMATCH)
    raise next((error for error in failures if error.reason not in other_type), failures[0])


def _expectation(trust: Trust, asked: RequestedCertificate, version: int | None) -> Expectation:
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


def _check_logged(presentation: Presentation, logged: LoggedCertificate) -> None:
    """The end of P12: identifier, version and type equal the entry's."""
    record = presentation.record
    if record.cert != logged.cert:
        raise ProofError(ProofReason.CERT_MISMATCH, "another than was logged")
    if record.version != logged.version:
        raise ProofError(ProofReason.VERSION_MISMATCH, "another than was logged")
    if record.vct != logged.vct:
        raise ProofError(ProofReason.VCT_MISMATCH, "another than was logged")


def _verify_status(run: _Run, trust: Trust, presentation: Presentation) -> None:
    """P12: what the list says of the record at the reader's clock."""
    if not run.evidence.status_tokens:
        run.missing(ProofReason.NO_STATUS, StepName.STATUS)
        run.remark(Remark.STATUS_NOT_CHECKED)
        return
    run.check(StepName.STATUS, lambda: _check_status(run, trust, presentation))


def _check_status(run: _Run, trust: Trust, presentation: Presentation) -> None:
    reference = presentation.record.status
    tokens = run.evidence.status_tokens
    token = next((text for text in tokens if _subject(text) == reference.uri), tokens[0])
    verified = verify_status_list(
        token,
        keys=_status_keys(trust),
        origin=trust.origin,
        region=trust.region,
        uri=reference.uri,
        now=run.evidence.now,
        highest_iat=None,
    )
    status = read_status(verified, reference.idx)
    run.fact(FactName.STATUS, status.name.lower())
    run.fact(FactName.STATUS_TIME, _time(verified.claims.iat))
    if status is Status.INVALID:
        raise ProofError(ProofReason.STATUS_REVOKED)
    if status is Status.SUSPENDED:
        raise ProofError(ProofReason.STATUS_SUSPENDED)


# -- Status list and checkpoint --------------------------------------------------------------------


def _verify_status_token(run: _Run, trust: Trust, data: bytes) -> None:
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
            now=run.evidence.now,
            highest_iat=None,
        )
        claims = verified.claims
        run.fact(FactName.ORIGIN, claims.origin)
        run.fact(FactName.LIST, claims.uri)
        run.fact(FactName.ENTRIES, 4 * len(verified.array))
        run.fact(FactName.STATUS_TIME, _time(claims.iat))
        run.fact(FactName.EXPIRES, _time(claims.exp))

    run.check(StepName.STATUS_LIST, check)


def _status_keys(trust: Trust) -> Keys:
    if not trust.status_keys:
        raise ProofError(ProofReason.NO_STATUS_KEY, verdict=Verdict.CANNOT_CHECK)
    return trust.status_key


def _verify_checkpoint(run: _Run, trust: Trust, data: bytes) -> None:
    checkpoint = run.step(
        StepName.CHECKPOINT,
        lambda: open_checkpoint(data.decode(), trust.origin, trust.log_keys, trust.witness_keys),
    )
    if checkpoint is not None:
        _checkpoint_facts(run, trust, [checkpoint])


# -- Facts -----------------------------------------------------------------------------------------


def _entry_facts(run: _Run, entry: ExchangeEntry, index: int) -> None:
    run.fact(FactName.REQUEST_ID, entry.request_id)
    run.fact(FactName.CALLER, entry.caller)
    run.fact(FactName.OUTCOME, entry.outcome)
    run.fact(FactName.LOGGED_TIME, _time(entry.time_us // 1_000_000))
    run.fact(FactName.INDEX, index)
    if entry.kind is ExchangeKind.PLAN:
        lines = [f"{', '.join(one.uses)}: {one.outcome}" for one in logged_materials(entry)]
        run.fact(FactName.MATERIALS, tuple(lines))


def _checkpoint_facts(run: _Run, trust: Trust, checkpoints: Sequence[Checkpoint]) -> None:
    last = checkpoints[-1]
    names = {item.witness.name for point in checkpoints for item in point.cosignatures}
    grade = receipts.grade_of(checkpoints, trust.witnesses_min)
    run.fact(FactName.ORIGIN, last.origin)
    run.fact(FactName.SIZE, last.size)
    run.fact(FactName.ROOT, b64u(last.root))
    run.fact(FactName.GRADE, grade.value)
    run.fact(FactName.WITNESSES, tuple(sorted(names)))
    if grade is receipts.Grade.LOGGED and trust.witnesses_min > 0:
        run.remark(Remark.ONLY_LOGGED)


def _record_facts(run: _Run, presentation: Presentation) -> None:
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
    run.fact(FactName.SEALED_TIME, _time(record.iat))
    # Names only: a report may be passed on where the values may not.
    run.fact(FactName.FIELDS, tuple(sorted(presentation.disclosed.keys() - HOLDER_CLAIMS)))
    if record.custody in (Custody.HUB_FILE, Custody.HUB_HSM):
        run.remark(Remark.SEALED_BY_HUB)
    elif record.custody is Custody.ATTESTED:
        run.remark(Remark.ATTESTED)
    if record.conversion is not None:
        run.remark(Remark.SCAN)


# -- Reading leniently, to know what a thing is meant to be ----------------------------------------


def _recognise_json(text: str) -> Kind | None:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        # Damaged, and still meant as a receipt: to be reported as one that does not hold.
        return Kind.RECEIPT if '"proof"' in text else None
    for member, kind in (
        ("certificates", Kind.ANSWER),
        ("materials", Kind.PLAN),
        ("result", Kind.VERIFICATION),
        ("media_type", Kind.DOCUMENT),
    ):
        if member in members:
            return kind
    return Kind.RECEIPT if members.keys() & {"body", "salt", "proof"} else None


def _looks_like_note(text: str) -> bool:
    """Whether the second line is a number or an empty line is followed by a signature line."""
    lines = text.split("\n")
    return lines[1].strip().isdecimal() or "\n\n\u2014 " in text


def _typ(compact: str) -> Json:
    """The `typ` of a JWS that may be damaged."""
    return _segment(compact, 0).get("typ")


def _subject(compact: str) -> Json:
    return _segment(compact, 1).get("sub")


def _segment(compact: str, number: int) -> dict[str, Json]:
    try:
        return parse_object(b64u_decode(compact.split(".")[number]))
    except (IndexError, ProofError):
        return {}


def _me(evidence: Evidence) -> str:
    """My system id: as given, or as my first request says."""
    if evidence.system is not None:
        return evidence.system
    return str(_segment(evidence.requests[0], 1).get("iss", ""))


def _kind_of(receipt: Receipt) -> ExchangeKind | None:
    """Which exchange a bare receipt is meant to be about; None for another entry."""
    try:
        kind = parse_object(receipt.body).get("kind")
    except ProofError:
        return ExchangeKind.FETCH
    return next((known for known in ExchangeKind if known == kind), None)


# -- An answer file --------------------------------------------------------------------------------


def _said(
    members: dict[str, Json],
) -> tuple[Answered, ...] | AnsweredPlan | AnsweredDocument | str:
    if "certificates" in members:
        return tuple([_answered(item) for item in _list(members, "certificates")])
    if "materials" in members:
        notice = _object(members.get("notice"), "notice")
        return AnsweredPlan(
            tuple([_material(item) for item in _list(members, "materials")]),
            _text(notice, "zh"),
            _text(notice, "en"),
        )
    if "media_type" in members:
        return _document(members)
    return _text(members, "result")


def _document(members: dict[str, Json]) -> AnsweredDocument:
    """Facts of the bytes are null where none came."""
    names = ("media_type", "size", "digest", "origin")
    media_type, size, digest, origin = (members.get(name) for name in names)
    if not isinstance(media_type, str | None) or not isinstance(digest, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "media_type or digest")
    if not isinstance(origin, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "origin")
    if type(size) not in (int, type(None)):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "size")
    return AnsweredDocument(
        _text(members, "state"),
        media_type,
        size if isinstance(size, int) else None,
        digest,
        origin,
    )


def _answered(value: Json) -> Answered:
    members = _object(value, "certificates")
    state, presentation = members.get("state"), members.get("presentation")
    if not isinstance(state, str) or not isinstance(presentation, str | None):
        raise ProofError(ProofReason.ANSWER_MALFORMED, "certificates")
    return Answered(state, presentation)


def _material(value: Json) -> AnsweredMaterial:
    """What the entry names of a material; its texts stand in the notice."""
    members = _object(value, "materials")
    uses = [_object(item, "uses") for item in _list(members, "uses")]
    obstacles = [_object(item, "obstacles") for item in _list(members, "obstacles", absent=True)]
    certificate = members.get("certificate")
    holder = members.get("holder")
    return AnsweredMaterial(
        uses=tuple([f"{_text(use, 'item')}/{_text(use, 'material')}" for use in uses]),
        outcome=_text(members, "outcome"),
        holder=holder if type(holder) is int else None,
        cert=None if certificate is None else _text(_object(certificate, "certificate"), "cert"),
        due_date=_text(members, "due_date") if "due_date" in members else None,
        obstacles=tuple([_text(obstacle, "code") for obstacle in obstacles]),
    )


def _object(value: Json, name: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ProofError(ProofReason.ANSWER_MALFORMED, name)
    return value


def _list(members: dict[str, Json], name: str, *, absent: bool = False) -> list[Json]:
    value = members.get(name, [] if absent else None)
    if not isinstance(value, list):
        raise ProofError(ProofReason.ANSWER_MALFORMED, name)
    return value


def _text(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ProofError(ProofReason.ANSWER_MALFORMED, name)
    return value


def _nth(items: Sequence[_T], number: int) -> _T | None:
    return items[number - 1] if number <= len(items) else None


def _time(seconds: int) -> str:
    """ISO 8601 in UTC; a time beyond the calendar as the number it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
