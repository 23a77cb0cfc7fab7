"""The receipt of a verification: that this answer to these values stands in the log.

The steps are those of a fetch's receipt (docs/formats/receipt.md); the entry is of another kind,
and what is compared is one result instead of presentations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.proof.encoding import Json, b64u, parse_object
from hub.proof.jose import LogHead
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.receipt import (
    FetchEntry,
    LogTrust,
    SentRequest,
    VerifiedReceipt,
    check_request_head,
    check_time,
    grade_of,
    match_request,
    open_proof,
    open_upgrades,
    parse_receipt,
)

KIND: Final = "verification"


def verify_verification_receipt(
    data: bytes, requests: Sequence[str], me: str, result: str, trust: LogTrust
) -> VerifiedReceipt:
    """Every step for a `result` in lower case; `requests` are those sent under this id by `me`.

    The outcome of the entry returned is the result, and it names no certificates. Raises ProofError
    with the reason of the first step that fails, *cannot check* where no log key is pinned.
    """
    receipt = parse_receipt(data)
    proof, checkpoint = open_proof(receipt, receipt.proof, trust)
    entry, said = _read_entry(receipt.body, trust.origin)
    request = match_request(entry, requests, me)
    _match_question(said, request)
    if entry.outcome != result:
        raise ProofError(ProofReason.STATE_DIFFERS, f"{result[:32]} given, {entry.outcome[:32]}")
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
    """The entry as far as it is compared, and what it says was asked."""
    try:
        members = parse_object(body)
    except ProofError as error:
        raise ProofError(ProofReason.BODY_MALFORMED, error.reason.value) from error
    if type(members.get("v")) is not int or members["v"] != 1:
        raise ProofError(ProofReason.BODY_VERSION)
    if members.get("kind") != KIND:
        raise ProofError(ProofReason.BODY_KIND)
    if members.get("origin") != origin:
        raise ProofError(ProofReason.BODY_ORIGIN, f"expected {origin}")
    said, time_us = members.get("data"), members.get("time_us")
    if not isinstance(said, dict) or type(time_us) is not int:
        raise ProofError(ProofReason.BODY_MALFORMED, "data or time_us")
    entry = FetchEntry(
        time_us=time_us,
        region=_text(members, "region"),
        request_id=_text(members, "request_id"),
        caller=_text(members, "caller"),
        request_digest=_text(members, "request_digest"),
        outcome=_text(said, "result"),
        certificates=(),
    )
    return entry, said


def _match_question(said: dict[str, Json], request: SentRequest) -> None:
    """The entry is about the type, the fields and, where it was named, the identifier asked for."""
    asked = request.certificates[0] if len(request.certificates) == 1 else None
    if asked is None or said.get("vct") != asked.vct or said.get("cert") != asked.cert:
        raise ProofError(ProofReason.CERTIFICATES_DIFFER, "the entry is about something else")
    if said.get("fields") != list(asked.fields):
        raise ProofError(ProofReason.CERTIFICATES_DIFFER, "the entry names other fields")


def _text(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ProofError(ProofReason.BODY_MALFORMED, name)
    return value
