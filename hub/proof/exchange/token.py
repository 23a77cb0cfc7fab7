"""Access tokens: who is calling, over which connection, until when (formats-jose.md §3)."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from hub.proof.encoding import emit_json
from hub.proof.jose import (
    ACCESS_TYP,
    FORMAT_VERSION,
    JWS,
    Keys,
    Signer,
    check_equal,
    check_members,
    check_times,
    integer,
    open_jws,
    string,
)
from hub.proof.reasons import ProofError, ProofReason

TOKEN_SIZE_MAX: Final = 4096
TOKEN_LIFE_MAX_S: Final = 600

_REQUIRED: Final = frozenset(
    {"v", "iss", "sub", "aud", "region", "jti", "iat", "exp", "gen", "cnf"}
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token says. `certificate_digest` is that of the client's certificate in DER;
    `generation` is the authority's when the token was issued."""

    iss: str
    sub: str
    aud: str
    region: str
    jti: str
    iat: int
    exp: int
    generation: int
    certificate_digest: str


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An authentic token of this hub, in force; `digest` is what a request's `ath` must equal."""

    token: AccessToken
    digest: str


def issue_token(token: AccessToken, signer: Signer) -> str:
    """The token's compact text."""
    return signer.compact(
        ACCESS_TYP,
        emit_json(
            {
                "v": FORMAT_VERSION,
                "iss": token.iss,
                "sub": token.sub,
                "aud": token.aud,
                "region": token.region,
                "jti": token.jti,
                "iat": token.iat,
                "exp": token.exp,
                "gen": token.generation,
                "cnf": {"x5t#S256": token.certificate_digest},
            }
        ),
    )


def open_token(compact: str, keys: Keys) -> JWS:
    """An authentic access token with the members of the format (step 1)."""
    jws = open_jws(compact, typ=ACCESS_TYP, keys=keys, size_max=TOKEN_SIZE_MAX)
    check_members(jws.claims, _REQUIRED)
    return jws


def verify_token(
    compact: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    now: int,
    certificate_digest: str,
    generation: int,
    revoked: Container[str],
) -> VerifiedToken:
    """All steps of formats-jose.md §3 in order. `revoked` holds the revoked `jti`.

    Raises ProofError with the reason of the first failing step.
    """
    jws = open_token(compact, keys)
    claims = jws.claims
    check_equal(
        claims,
        {"aud": (origin, ProofReason.AUD_WRONG), "region": (region, ProofReason.REGION_WRONG)},
    )
    issued_generation = integer(claims, "gen")
    jti, iss, sub = string(claims, "jti"), string(claims, "iss"), string(claims, "sub")
    iat, exp = check_times(claims, now=now, life_max_s=TOKEN_LIFE_MAX_S)
    cnf = claims["cnf"]
    bound = cnf.get("x5t#S256") if isinstance(cnf, dict) and len(cnf) == 1 else None
    if not isinstance(bound, str):
        raise ProofError(ProofReason.CNF_MISMATCH)
    token = AccessToken(iss, sub, origin, region, jti, iat, exp, issued_generation, bound)
    verified = VerifiedToken(token, jws.digest)
    check_token(
        verified,
        now=now,
        certificate_digest=certificate_digest,
        generation=generation,
        revoked=revoked,
    )
    return verified


def check_token(
    verified: VerifiedToken,
    *,
    now: int,
    certificate_digest: str,
    generation: int,
    revoked: Container[str],
) -> None:
    """A token verified before still holds now, on this connection; repeated at every call.

    Raises ProofError(EXPIRED), (CNF_MISMATCH) or (TOKEN_REVOKED).
    """
    token = verified.token
    if now >= token.exp:
        raise ProofError(ProofReason.EXPIRED)
    if token.certificate_digest != certificate_digest:
        raise ProofError(ProofReason.CNF_MISMATCH)
    if token.generation != generation or token.jti in revoked:
        raise ProofError(ProofReason.TOKEN_REVOKED)
