"""Approvals: an officer's decision on one exact intent (formats-jose.md §8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.proof.encoding import b64u, b64u_decode, emit_json, parse_object
from hub.proof.jose import (
    APPROVAL_TYP,
    FORMAT_VERSION,
    JWS,
    Keys,
    Signer,
    check_equal,
    check_issued,
    check_members,
    integer,
    open_jws,
    string,
)
from hub.proof.reasons import ProofError, ProofReason

APPROVAL_SIZE_MAX: Final = 8192
NONCE_BYTES: Final = 32
OFFICER_BYTES_MAX: Final = 0xFFFF

_INTENT_PREFIX: Final = b"sealway/intent/v1\x00"
_CHALLENGE_PREFIX: Final = b"sealway/approval/v1\x00"
_REQUIRED: Final = frozenset(
    {
        "v",
        "origin",
        "region",
        "officer",
        "intent",
        "nonce",
        "decision",
        "not_after",
        "challenge",
        "key_entry",
        "iat",
    }
)


class Decision(StrEnum):
    """What the officer decided."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Approval:
    """What an approval says. `not_after` is in seconds; `key_entry` enrolled the officer's key."""

    origin: str
    region: str
    officer: str
    intent: bytes
    nonce: bytes
    decision: Decision
    not_after: int
    key_entry: int
    iat: int


def intent_digest(intent: bytes) -> bytes:
    """I: the digest of an intent's exact bytes."""
    return hashlib.sha256(_INTENT_PREFIX + intent).digest()


def challenge_input(approval: Approval) -> bytes:
    """What the challenge hashes. Raises ProofError(CLAIM_INVALID) where it cannot be written."""
    officer = approval.officer.encode("utf-8", "surrogatepass")
    if (
        len(officer) > OFFICER_BYTES_MAX
        or len(approval.nonce) != NONCE_BYTES
        or not 0 <= approval.not_after < 2**64
    ):
        raise ProofError(ProofReason.CLAIM_INVALID)
    return b"".join(
        (
            _CHALLENGE_PREFIX,
            approval.intent,
            approval.nonce,
            len(officer).to_bytes(2),
            officer,
            b"\x01" if approval.decision is Decision.APPROVE else b"\x00",
            approval.not_after.to_bytes(8),
        )
    )


def challenge(approval: Approval) -> bytes:
    """The 32 bytes that a WebAuthn authenticator signs and the JWS form repeats."""
    return hashlib.sha256(challenge_input(approval)).digest()


def sign_approval(approval: Approval, signer: Signer) -> str:
    """The approval's compact text. `approval.intent` is the intent's digest I."""
    return signer.compact(
        APPROVAL_TYP,
        emit_json(
            {
                "v": FORMAT_VERSION,
                "origin": approval.origin,
                "region": approval.region,
                "officer": approval.officer,
                "intent": b64u(approval.intent),
                "nonce": b64u(approval.nonce),
                "decision": approval.decision.value,
                "not_after": approval.not_after,
                "challenge": b64u(challenge(approval)),
                "key_entry": approval.key_entry,
                "iat": approval.iat,
            }
        ),
    )


def open_approval(compact: str, keys: Keys) -> JWS:
    """An authentic approval with the members of the format (step 1)."""
    jws = open_jws(compact, typ=APPROVAL_TYP, keys=keys, size_max=APPROVAL_SIZE_MAX)
    check_members(jws.claims, _REQUIRED)
    return jws


def verify_approval(
    compact: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    now: int,
    intent: bytes,
    nonce: bytes | None,
) -> Approval:
    """All steps of formats-jose.md §8 in order.

    `intent` is the stored intent's bytes, `nonce` the one issued and not yet used; None takes the
    approval's own, for whoever cannot know which one the hub issued. An approval that outlives its
    intent is refused as EXP_TOO_FAR. Raises ProofError with the reason of the first failing step.
    """
    jws = open_approval(compact, keys)
    claims = jws.claims
    digest_of_intent = intent_digest(intent)
    if nonce is None:
        nonce = b64u_decode(string(claims, "nonce"))
    check_equal(
        claims,
        {
            "origin": (origin, ProofReason.ORIGIN_WRONG),
            "region": (region, ProofReason.REGION_WRONG),
            "intent": (b64u(digest_of_intent), ProofReason.INTENT_MISMATCH),
            "nonce": (b64u(nonce), ProofReason.NONCE_MISMATCH),
            "officer": (jws.key.owner, ProofReason.OFFICER_MISMATCH),
        },
    )
    if claims["decision"] not in tuple(Decision):
        raise ProofError(ProofReason.CLAIM_INVALID, "decision")
    approval = Approval(
        origin=origin,
        region=region,
        officer=jws.key.owner,
        intent=digest_of_intent,
        nonce=nonce,
        decision=Decision(string(claims, "decision")),
        not_after=integer(claims, "not_after"),
        key_entry=integer(claims, "key_entry"),
        iat=integer(claims, "iat"),
    )
    check_issued(approval.iat, now)
    if now >= approval.not_after:
        raise ProofError(ProofReason.EXPIRED)
    _check_within_intent(approval.not_after, intent)
    if claims["challenge"] != b64u(challenge(approval)):
        raise ProofError(ProofReason.CHALLENGE_MISMATCH)
    return approval


def _check_within_intent(not_after: int, intent: bytes) -> None:
    latest = parse_object(intent).get("not_after")
    if type(latest) is not int or not_after > latest:
        raise ProofError(ProofReason.EXP_TOO_FAR)
