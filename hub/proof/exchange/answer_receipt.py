"""Receipts of answers without presentations: a plan, a verification of values, a document.

The steps are those of a fetch's receipt (docs/formats/receipt.md); the entry is of another kind,
and what is compared are materials and the notice, one result, or the facts of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hub.proof.encoding import Json, digest, parse_object
from hub.proof.log.receipt import (
    ExchangeEntry,
    ExchangeKind,
    LogTrust,
    SentRequest,
    VerifiedReceipt,
    open_proof,
    parse_receipt,
    read_act,
    verify_exchange,
)
from hub.proof.reasons import ProofError, ProofReason


@dataclass(frozen=True, slots=True)
class AnsweredMaterial:
    """One material of an answer, as far as the entry names it; `holder` is a position."""

    uses: tuple[str, ...]
    outcome: str
    holder: int | None
    cert: str | None
    due_date: str | None
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredPlan:
    """What an answer says: each material, and the notice in Chinese and English."""

    materials: tuple[AnsweredMaterial, ...]
    notice_zh: str
    notice_en: str


@dataclass(frozen=True, slots=True)
class AnsweredDocument:
    """What an answer says of a document: a state in lower case, and facts of the bytes that came,
    None where none did; `origin` is named where the certificate is a scan."""

    state: str
    media_type: str | None = None
    size: int | None = None
    digest: str | None = field(default=None, repr=False)
    origin: str | None = None


def verify_plan_receipt(
    data: bytes,
    requests: Sequence[str],
    me: str,
    answer: AnsweredPlan,
    trust: LogTrust,
) -> VerifiedReceipt:
    """Every step for a plan; `requests` are those sent under this id by `me`.

    Raises ProofError with the reason of the first step that fails, *cannot check* where no log key
    is pinned.
    """
    return verify_exchange(
        data,
        requests,
        me,
        trust,
        kind=ExchangeKind.PLAN,
        match=lambda entry, _request: match_plan(entry, answer),
    )


def verify_verification_receipt(
    data: bytes, requests: Sequence[str], me: str, result: str, trust: LogTrust
) -> VerifiedReceipt:
    """Every step for a `result` in lower case; `requests` are those sent under this id by `me`.

    The outcome of the entry returned is the result, and it names no certificates. Raises ProofError
    as `verify_plan_receipt`.
    """

    def match(entry: ExchangeEntry, request: SentRequest) -> None:
        match_question(entry, request)
        match_result(entry, result)

    return verify_exchange(data, requests, me, trust, kind=ExchangeKind.VERIFICATION, match=match)


def verify_document_receipt(
    data: bytes, requests: Sequence[str], me: str, answer: AnsweredDocument, trust: LogTrust
) -> VerifiedReceipt:
    """Every step for a document, whose digest whoever received the bytes has computed over them.

    The outcome of the entry returned is the state. Raises ProofError as `verify_plan_receipt`.
    """

    def match(entry: ExchangeEntry, request: SentRequest) -> None:
        match_question(entry, request)
        match_document(entry, answer)

    return verify_exchange(data, requests, me, trust, kind=ExchangeKind.DOCUMENT, match=match)


def handed_out_first(receipt: bytes, came: AnsweredDocument, trust: LogTrust) -> AnsweredDocument:
    """What was handed out before `came` was sealed anew in its place, as the log says.

    Raises ProofError as `verify_plan_receipt`, STATE_DIFFERS where the entry is about another file.
    """
    parsed = parse_receipt(receipt)
    open_proof(parsed, parsed.proof, trust)
    kind, data = read_act(parsed.body, trust.origin).kind, parse_object(parsed.body).get("data")
    if kind != "document.resealed" or not isinstance(data, dict):
        raise ProofError(ProofReason.BODY_KIND)
    if (data.get("digest"), data.get("size")) != (came.digest, came.size):
        raise ProofError(ProofReason.STATE_DIFFERS, "digest is not what is logged")
    digest_before, size_before = data.get("digest_before"), data.get("size_before")
    if not isinstance(digest_before, str) or not isinstance(size_before, int):
        raise ProofError(ProofReason.BODY_MALFORMED, "data")
    return replace(came, digest=digest_before, size=size_before)


def match_plan(entry: ExchangeEntry, answer: AnsweredPlan) -> None:
    """Step 8 of a plan. Raises PLAN_DIFFERS."""
    logged = logged_materials(entry)
    if len(logged) != len(answer.materials):
        raise ProofError(ProofReason.PLAN_DIFFERS, "the number of materials")
    for number, (given, entered) in enumerate(zip(answer.materials, logged, strict=True), 1):
        if entered != given:
            raise ProofError(ProofReason.PLAN_DIFFERS, f"material {number}")
    said = digest(f"{answer.notice_zh}\n{answer.notice_en}")
    if entry.data.get("notice_digest") != said:
        raise ProofError(ProofReason.PLAN_DIFFERS, "the notice")


def match_question(entry: ExchangeEntry, request: SentRequest) -> None:
    """Step 8 of a verification or a document as far as it needs no answer: the entry is about the
    type, the fields and, where it was named, the identifier asked for. Raises CERTIFICATES_DIFFER.
    """
    asked = request.certificates[0] if len(request.certificates) == 1 else None
    said = entry.data
    if asked is None or said.get("vct") != asked.vct or said.get("cert") != asked.cert:
        raise ProofError(ProofReason.CERTIFICATES_DIFFER, "the entry is about something else")
    if said.get("fields") != list(asked.fields):
        raise ProofError(ProofReason.CERTIFICATES_DIFFER, "the entry names other fields")


def match_result(entry: ExchangeEntry, result: str) -> None:
    """The rest of step 8 of a verification. Raises STATE_DIFFERS."""
    if entry.outcome != result:
        raise ProofError(ProofReason.STATE_DIFFERS, f"{result[:32]} given, {entry.outcome[:32]}")


def match_document(entry: ExchangeEntry, answer: AnsweredDocument) -> None:
    """The rest of step 8 of a document. Raises STATE_DIFFERS."""
    given: dict[str, Json] = {
        "state": answer.state,
        "media_type": answer.media_type,
        "size": answer.size,
        "digest": answer.digest,
        "origin": answer.origin,
    }
    for name, value in given.items():
        if entry.data.get(name) != value:
            raise ProofError(ProofReason.STATE_DIFFERS, f"{name} is not what is logged")


def logged_materials(entry: ExchangeEntry) -> tuple[AnsweredMaterial, ...]:
    """The materials as the entry names them. Raises BODY_MALFORMED."""
    logged = entry.data.get("materials")
    if not isinstance(logged, list):
        raise ProofError(ProofReason.BODY_MALFORMED, "materials")
    return tuple([_logged(one) for one in logged])


def _logged(value: Json) -> AnsweredMaterial:
    if not isinstance(value, dict):
        raise ProofError(ProofReason.BODY_MALFORMED, "materials")
    holder, cert, due_date = value.get("holder"), value.get("cert"), value.get("due_date")
    return AnsweredMaterial(
        uses=_texts(value.get("uses")),
        outcome=str(value.get("outcome")),
        holder=holder if type(holder) is int else None,
        cert=cert if isinstance(cert, str) else None,
        due_date=due_date if isinstance(due_date, str) else None,
        obstacles=_texts(value.get("obstacles", [])),
    )


def _texts(value: Json) -> tuple[str, ...]:
    return tuple([str(one) for one in value]) if isinstance(value, list) else ()
