"""Signed requests for a plan: which items, whose materials, decided when (formats/request.md).

The claims are those of any signed request, with `plan` in the place of `certificates` and
`service_item`; so neither can be taken for the other, whatever `rpc` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.proof.encoding import Json, digest, emit_json
from hub.proof.exchange.request import REQUEST_LIFE_MAX_S, REQUEST_SIZE_MAX
from hub.proof.jose import (
    FORMAT_VERSION,
    REQUEST_TYP,
    Keys,
    LogHead,
    Signer,
    check_equal,
    check_members,
    check_times,
    log_head,
    open_jws,
    optional_string,
    string,
)
from hub.proof.reasons import ProofError, ProofReason

PLAN_RPC: Final = "/hub.exchange.v1.PlanService/PlanMaterials"
ITEMS_MAX: Final = 16
HOLDERS_MAX: Final = 32
FACTS_MAX: Final = 64
TEXT_LENGTH_MAX: Final = 128

_REQUIRED: Final = frozenset(
    {
        "v",
        "iss",
        "aud",
        "region",
        "rpc",
        "jti",
        "iat",
        "exp",
        "ath",
        "plan",
        "matter",
        "basis",
        "clerk",
    }
)
_OPTIONAL: Final = frozenset({"consent", "act", "log"})
_RENEWED: Final = frozenset({"iat", "exp", "ath", "log"})
_PLAN: Final = frozenset({"items", "holders", "decision_date"})
_PLAN_OPTIONAL: Final = frozenset({"facts", "mandate"})
_HOLDER: Final = frozenset({"role", "type", "number"})
_MANDATE: Final = frozenset({"id", "items", "from", "until"})

# Sorted and typed text: in Python True equals 1, in JSON it does not.
_SORTED: Final = json.JSONEncoder(sort_keys=True).encode
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class RoleHolder:
    """Who has a role in the matter: personal data, never shown in a repr."""

    role: str
    type: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StatedMandate:
    """The authorisation (授权委托) that an agent showed: its id or digest, items and days."""

    id: str
    items: tuple[str, ...]
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class PlanClaims:
    """What a request for a plan says. Dates are texts as sent."""

    iss: str
    aud: str
    region: str
    jti: str
    iat: int
    exp: int
    ath: str
    items: tuple[str, ...]
    holders: tuple[RoleHolder, ...]
    decision_date: str
    matter: str
    basis: str
    clerk: str
    facts: Mapping[str, bool | int | str] = field(default_factory=dict, repr=False)
    mandate: StatedMandate | None = None
    consent: str | None = None
    act: str | None = None
    log: LogHead | None = None
    rpc: str = PLAN_RPC


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest(PlanClaims):
    """A verified request: `digest` is that of the whole text as received, `content` that of what
    it says apart from the claims a retry renews. Holders can be guessed from `content`: it is kept
    under a keyed hash only."""

    digest: str
    content: str = field(repr=False)


def sign_plan_request(claims: PlanClaims, signer: Signer) -> str:
    """The request's compact text. Sealing it does not check it: the receiver will."""
    plan: dict[str, Json] = {
        "items": list(claims.items),
        "holders": [
            {"role": one.role, "type": one.type, "number": one.number} for one in claims.holders
        ],
        "decision_date": claims.decision_date,
    }
    if claims.facts:
        plan["facts"] = dict(claims.facts)
    if claims.mandate is not None:
        plan["mandate"] = {
            "id": claims.mandate.id,
            "items": list(claims.mandate.items),
            "from": claims.mandate.start,
            "until": claims.mandate.end,
        }
    payload: dict[str, Json] = {
        "v": FORMAT_VERSION,
        "iss": claims.iss,
        "aud": claims.aud,
        "region": claims.region,
        "rpc": claims.rpc,
        "jti": claims.jti,
        "iat": claims.iat,
        "exp": claims.exp,
        "ath": claims.ath,
        "plan": plan,
        "matter": claims.matter,
        "basis": claims.basis,
        "clerk": claims.clerk,
    }
    if claims.consent is not None:
        payload["consent"] = claims.consent
    if claims.act is not None:
        payload["act"] = claims.act
    if claims.log is not None:
        payload["log"] = claims.log.claim()
    return signer.compact(REQUEST_TYP, emit_json(payload))


def verify_plan_request(
    compact: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    now: int,
    token_digest: str,
    token_subject: str,
) -> PlanRequest:
    """All steps of formats/request.md in order, for a call made with a token already verified.

    Raises ProofError with the reason of the first failing step. What the plan asks for (roles,
    numbers, days, items) is text here; whoever plans checks it.
    """
    jws = open_jws(compact, typ=REQUEST_TYP, keys=keys, size_max=REQUEST_SIZE_MAX)
    claims = jws.claims
    check_members(claims, _REQUIRED, _OPTIONAL)
    check_equal(
        claims,
        {
            "aud": (origin, ProofReason.AUD_WRONG),
            "region": (region, ProofReason.REGION_WRONG),
            "rpc": (PLAN_RPC, ProofReason.RPC_WRONG),
        },
    )
    iat, exp = check_times(claims, now=now, life_max_s=REQUEST_LIFE_MAX_S)
    if claims["ath"] != token_digest:
        raise ProofError(ProofReason.ATH_MISMATCH)
    if claims["iss"] != token_subject or jws.key.owner != token_subject:
        raise ProofError(ProofReason.ISS_MISMATCH)
    jti = string(claims, "jti")
    if _UUID.fullmatch(jti) is None:
        raise ProofError(ProofReason.CLAIM_INVALID, "jti")
    plan = _object(claims["plan"], _PLAN, _PLAN_OPTIONAL)
    return PlanRequest(
        iss=token_subject,
        aud=origin,
        region=region,
        jti=jti,
        iat=iat,
        exp=exp,
        ath=token_digest,
        items=_texts(plan["items"], ITEMS_MAX),
        holders=tuple([_holder(one) for one in _list(plan["holders"], HOLDERS_MAX)]),
        decision_date=_text(plan["decision_date"]),
        facts=_facts(plan.get("facts", {})),
        mandate=_mandate(plan["mandate"]) if "mandate" in plan else None,
        matter=string(claims, "matter"),
        basis=string(claims, "basis"),
        clerk=string(claims, "clerk"),
        consent=optional_string(claims, "consent"),
        act=optional_string(claims, "act"),
        log=log_head(claims),
        digest=jws.digest,
        content=digest(_SORTED({n: v for n, v in claims.items() if n not in _RENEWED})),
    )


def _object(
    value: Json, required: frozenset[str], optional: frozenset[str] = frozenset()
) -> dict[str, Json]:
    if not isinstance(value, dict) or not required <= value.keys() <= required | optional:
        raise ProofError(ProofReason.PLAN_SHAPE)
    return value


def _list(value: Json, most: int) -> list[Json]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise ProofError(ProofReason.PLAN_SHAPE, f"1 to {most}")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= TEXT_LENGTH_MAX:
        raise ProofError(ProofReason.PLAN_SHAPE)
    return value


def _texts(value: Json, most: int) -> tuple[str, ...]:
    texts = tuple([_text(one) for one in _list(value, most)])
    if len(set(texts)) < len(texts):
        raise ProofError(ProofReason.PLAN_SHAPE, "named twice")
    return texts


def _holder(value: Json) -> RoleHolder:
    members = _object(value, _HOLDER)
    return RoleHolder(_text(members["role"]), _text(members["type"]), _text(members["number"]))


def _facts(value: Json) -> dict[str, bool | int | str]:
    if not isinstance(value, dict) or len(value) > FACTS_MAX:
        raise ProofError(ProofReason.PLAN_SHAPE, "facts")
    return {_text(name): one if isinstance(one, int) else _text(one) for name, one in value.items()}


def _mandate(value: Json) -> StatedMandate:
    members = _object(value, _MANDATE)
    return StatedMandate(
        _text(members["id"]),
        _texts(members["items"], ITEMS_MAX),
        _text(members["from"]),
        _text(members["until"]),
    )
