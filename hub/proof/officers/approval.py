"""Approvals: an officer's decision on one exact intent (formats-jose.md §8).

In one of two forms, which the officer's key decides: a JWS over everything that is said, or a JSON
text beside what an authenticator signed (WebAuthn), which is the challenge alone. What the
challenge does not hold (`origin`, `region`, `key_entry`, `iat`) is in that text the word of whoever
took it in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.encoding import Json, b64u, b64u_decode, emit_json, parse_object
from hub.proof.jose import (
    APPROVAL_TYP,
    FORMAT_VERSION,
    WEBAUTHN_APPROVAL_TYP,
    Keys,
    RegisteredKey,
    Signer,
    check_equal,
    check_issued,
    check_members,
    integer,
    open_jws,
    string,
)
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.webauthn import ASSERTED, Assertion, counter, verify_assertion

APPROVAL_SIZE_MAX: Final = 8192
NONCE_BYTES: Final = 32
OFFICER_BYTES_MAX: Final = 0xFFFF

_INTENT_PREFIX: Final = b"sealway/intent/v1\x00"
_CHALLENGE_PREFIX: Final = b"sealway/approval/v1\x00"
# The members of both forms in their order.
_JWS_ORDER: Final = (
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
)
_WEBAUTHN_ORDER: Final = (
    "typ",
    *(name for name in _JWS_ORDER if name != "challenge"),
    "kid",
    "credential_id",
    *ASSERTED,
)


class Decision(StrEnum):
    """What the officer decided."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Approval:
    """What an approval says. `not_after` is in seconds; `key_entry` enrolled the officer's key.

    `counter` is the authenticator's, and None of a JWS: the officer who made one computed what it
    signed, while a browser shows a page's word for it.
    """

    origin: str
    region: str
    officer: str
    intent: bytes
    nonce: bytes
    decision: Decision
    not_after: int
    key_entry: int
    iat: int
    counter: int | None = None

    @property
    def is_displayed(self) -> bool:
        """Whether what was signed was computed where the officer read it."""
        return self.counter is None


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
    claims = {**_claims(approval), "challenge": b64u(challenge(approval))}
    return signer.compact(APPROVAL_TYP, emit_json({name: claims[name] for name in _JWS_ORDER}))


def webauthn_approval(
    approval: Approval, kid: str, credential_id: str, assertion: Assertion
) -> str:
    """The text of an approval whose challenge an authenticator signed; `kid` is its key's."""
    return emit_json(
        {
            "typ": WEBAUTHN_APPROVAL_TYP,
            **_claims(approval),
            "kid": kid,
            "credential_id": credential_id,
            **assertion.members(),
        }
    ).decode()


def approval_counter(text: str) -> int:
    """The authenticator's counter in an approval that was verified when it came; 0 of a JWS."""
    if not text.startswith("{"):
        return 0
    return counter(Assertion.of(parse_object(text.encode())).authenticator_data)


def approval_key_id(text: str) -> str:
    """The `kid` that an approval names, of whatever form. Raises ProofError; proves nothing."""
    if text.startswith("{"):
        return string(parse_object(text.encode()), "kid")
    return string(parse_object(b64u_decode(text.partition(".")[0])), "kid")


def verify_approval(
    text: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    now: int,
    intent: bytes,
    nonce: bytes | None,
) -> Approval:
    """All steps of formats-jose.md §8 in order, of an approval of either form.

    `intent` is the stored intent's bytes, `nonce` the one issued and not yet used; None takes the
    approval's own, for whoever cannot know which one the hub issued. An approval that outlives its
    intent is refused as EXP_TOO_FAR. Of the authenticator's form the signature comes last: what it
    covers follows from what is said. Raises ProofError with the reason of the first failing step.
    """
    assertion = None
    if text.startswith("{"):
        claims, key, assertion = _open_webauthn(text, keys)
    else:
        jws = open_jws(text, typ=APPROVAL_TYP, keys=keys, size_max=APPROVAL_SIZE_MAX)
        check_members(jws.claims, frozenset(_JWS_ORDER))
        claims, key = jws.claims, jws.key
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
            "officer": (key.owner, ProofReason.OFFICER_MISMATCH),
        },
    )
    if claims["decision"] not in tuple(Decision):
        raise ProofError(ProofReason.CLAIM_INVALID, "decision")
    approval = Approval(
        origin=origin,
        region=region,
        officer=key.owner,
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
    if assertion is not None:
        return _asserted(approval, assertion, key)
    if claims["challenge"] != b64u(challenge(approval)):
        raise ProofError(ProofReason.CHALLENGE_MISMATCH)
    return approval


# -- Steps -----------------------------------------------------------------------------------------


def _claims(approval: Approval) -> dict[str, Json]:
    """What both forms say."""
    return {
        "v": FORMAT_VERSION,
        "origin": approval.origin,
        "region": approval.region,
        "officer": approval.officer,
        "intent": b64u(approval.intent),
        "nonce": b64u(approval.nonce),
        "decision": approval.decision.value,
        "not_after": approval.not_after,
        "key_entry": approval.key_entry,
        "iat": approval.iat,
    }


def _open_webauthn(text: str, keys: Keys) -> tuple[dict[str, Json], RegisteredKey, Assertion]:
    """The members of the authenticator's form, and the key and the assertion that they name.

    Exactly ours in our spelling: the text is kept, and nobody signed its spelling.
    """
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > APPROVAL_SIZE_MAX:
        raise ProofError(ProofReason.TOO_LARGE)
    claims = parse_object(data)
    if claims.get("typ") != WEBAUTHN_APPROVAL_TYP:
        raise ProofError(ProofReason.TYP_WRONG)
    check_members(claims, frozenset(_WEBAUTHN_ORDER))
    key = keys(string(claims, "kid"))
    if key is None:
        raise ProofError(ProofReason.KEY_UNKNOWN)
    if key.use != WEBAUTHN_APPROVAL_TYP or key.credential is None:
        raise ProofError(ProofReason.KEY_USAGE)
    if claims["credential_id"] != key.credential.credential_id:
        raise ProofError(ProofReason.KEY_UNKNOWN, "credential_id")
    if emit_json({name: claims[name] for name in _WEBAUTHN_ORDER}) != data:
        raise ProofError(ProofReason.WEBAUTHN_MALFORMED, "spelling")
    return claims, key, Assertion.of(claims)


def _asserted(approval: Approval, assertion: Assertion, key: RegisteredKey) -> Approval:
    assert key.credential is not None and isinstance(key.public_key, ec.EllipticCurvePublicKey), (
        "it was opened as one"
    )
    counted = verify_assertion(assertion, key.credential, key.public_key, challenge(approval))
    return replace(approval, counter=counted)


def _check_within_intent(not_after: int, intent: bytes) -> None:
    latest = parse_object(intent).get("not_after")
    if type(latest) is not int or not_after > latest:
        raise ProofError(ProofReason.EXP_TOO_FAR)
