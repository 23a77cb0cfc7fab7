"""The receipt of a plan: that this plan was the answer to this request, and stands in the log.

The steps are those of a fetch's receipt (docs/formats/receipt.md); the entry is of another kind,
and what is compared are materials and the notice instead of presentations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.proof.encoding import Json, b64u, b64u_decode, digest, parse_object
from hub.proof.jose import LogHead, integer, log_head, string
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.receipt import (
    FetchEntry,
    LogTrust,
    SentRequest,
    VerifiedReceipt,
    check_request_head,
    check_time,
    grade_of,
    open_proof,
    open_upgrades,
    parse_receipt,
)

KIND: Final = "plan"


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


def verify_plan_receipt(
    data: bytes,
    requests: Sequence[str],
    me: str,
    answer: AnsweredPlan,
    trust: LogTrust,
) -> VerifiedReceipt:
    """Every step for `answer`; `requests` are those sent under this id by `me`.

    Raises ProofError with the reason of the first step that fails, *cannot check* where no log key
    is pinned.
    """
    receipt = parse_receipt(data)
    proof, checkpoint = open_proof(receipt, receipt.proof, trust)
    entry, said = _read_entry(receipt.body, trust.origin)
    request = _match_request(entry, requests, me)
    _match_answer(said, answer)
    check_time(entry, request)
    check_request_head(request, checkpoint, receipt.consistency)
    checkpoints = [checkpoint, *open_upgrades(receipt, proof.index, checkpoint, trust)]
    heads = [LogHead(item.origin, item.size, b64u(item.root)) for item in checkpoints]
    before = [request.log] if request.log else []
    return VerifiedReceipt(
        entry=entry,
        request=request,
        index=proof.index,
        head=heads[-1],
        grade=grade_of(checkpoints, trust.witnesses_min),
        proven_from=(*before, *heads[:-1]),
    )


def _read_entry(body: bytes, origin: str) -> tuple[FetchEntry, dict[str, Json]]:
    """The entry as far as it is compared, and what it says was answered."""
    try:
        members = parse_object(body)
        if type(members.get("v")) is not int or members["v"] != 1:
            raise ProofError(ProofReason.BODY_VERSION)
        if members.get("kind") != KIND:
            raise ProofError(ProofReason.BODY_KIND)
        if members.get("origin") != origin:
            raise ProofError(ProofReason.BODY_ORIGIN, f"expected {origin}")
        said = members["data"]
        entry = FetchEntry(
            time_us=integer(members, "time_us"),
            region=string(members, "region"),
            request_id=string(members, "request_id"),
            caller=string(members, "caller"),
            request_digest=string(members, "request_digest"),
            outcome="answered",
            certificates=(),
        )
    except (ProofError, KeyError) as error:
        if isinstance(error, ProofError) and error.reason in _OF_THE_BODY:
            raise
        raise ProofError(ProofReason.BODY_MALFORMED) from error
    if not isinstance(said, dict):
        raise ProofError(ProofReason.BODY_MALFORMED, "data")
    return entry, said


def _match_request(entry: FetchEntry, requests: Sequence[str], me: str) -> SentRequest:
    """The one request of mine that the entry answers; its signature is not looked at."""
    if entry.caller != me:
        raise ProofError(ProofReason.CALLER_NOT_ME, f"the entry names {entry.caller}")
    for compact in requests:
        if digest(compact) == entry.request_digest:
            break
    else:
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "none has the entry's request_digest")
    try:
        claims = parse_object(b64u_decode(compact.split(".")[1]))
        request = SentRequest(
            compact=compact,
            caller=string(claims, "iss"),
            request_id=string(claims, "jti"),
            issued_time_s=integer(claims, "iat"),
            certificates=(),
            log=log_head(claims),
        )
    except (ProofError, KeyError, IndexError) as error:
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "not a signed request") from error
    if "plan" not in claims or request.caller != me or request.request_id != entry.request_id:
        raise ProofError(ProofReason.REQUEST_NOT_MINE, "its iss, jti or plan differs")
    return request


def _match_answer(said: dict[str, Json], answer: AnsweredPlan) -> None:
    logged = said.get("materials")
    if not isinstance(logged, list) or len(logged) != len(answer.materials):
        raise ProofError(ProofReason.PLAN_DIFFERS, "the number of materials")
    for number, (given, entered) in enumerate(zip(answer.materials, logged, strict=True), 1):
        if _logged(entered) != given:
            raise ProofError(ProofReason.PLAN_DIFFERS, f"material {number}")
    if said.get("notice_digest") != digest(f"{answer.notice_zh}\n{answer.notice_en}"):
        raise ProofError(ProofReason.PLAN_DIFFERS, "the notice")


def _logged(value: Json) -> AnsweredMaterial | None:
    if not isinstance(value, dict):
        return None
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


_OF_THE_BODY: Final = frozenset(
    {ProofReason.BODY_VERSION, ProofReason.BODY_KIND, ProofReason.BODY_ORIGIN}
)
