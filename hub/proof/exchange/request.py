"""Signed requests: what one system asked for, in its own words (formats-jose.md §4)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.row import text_violation
from hub.proof.encoding import Json, b64u_decode, emit_json, parse_object
from hub.proof.jose import (
    FORMAT_VERSION,
    JWS,
    REQUEST_TYP,
    Keys,
    LogHead,
    Signer,
    check_equal,
    check_members,
    check_times,
    integer,
    log_head,
    open_jws,
    optional_string,
    split_segments,
    string,
)
from hub.proof.reasons import ProofError, ProofReason

REQUEST_SIZE_MAX: Final = 65_536
REQUEST_LIFE_MAX_S: Final = 120
CERTIFICATES_MAX: Final = 20
FIELDS_MAX: Final = 64
VIA_MAX: Final = 4
VALUE_LENGTH_MAX: Final = 4_000
PURPOSE_LENGTH_MAX: Final = 200

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
        "certificates",
        "service_item",
        "matter",
        "basis",
        "clerk",
    }
)
_OPTIONAL: Final = frozenset({"consent", "act", "fwd", "via", "log", "values", "copy"})
_RENEWED: Final = frozenset({"iat", "exp", "ath", "log"})
"""Claims that a retry renews; all others must be the same (formats.md §2)."""

# Sorted and typed text: in Python True equals 1, in JSON it does not.
_SORTED: Final = json.JSONEncoder(sort_keys=True).encode

_BY_CERT: Final = frozenset({"cert", "vct", "fields"})
_BY_HOLDER: Final = frozenset({"holder", "vct", "fields"})
_BY_VALUES: Final = frozenset({"vct", "fields"})
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, repr=False)
class Holder:
    """A holder as a request names it: personal data, never shown in a repr."""

    type: str
    number: str


@dataclass(frozen=True, slots=True)
class RequestedCertificate:
    """One certificate asked for: exactly one of `cert` (identifier) and `holder` is present;
    neither where a document is confirmed, which names its certificate itself."""

    vct: str
    fields: tuple[str, ...]
    cert: str | None = None
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class CopyPurpose:
    """What an annotated copy is wanted for, and until when (seconds) it may be used."""

    purpose: str
    until: int


@dataclass(slots=True)  # Freezing would multiply the cost of making one.
class RequestClaims:
    """What a request says. `fwd` and `via` are present together or not at all."""

    iss: str
    aud: str
    region: str
    rpc: str
    jti: str
    iat: int
    exp: int
    ath: str
    certificates: tuple[RequestedCertificate, ...]
    service_item: str
    matter: str
    basis: str
    clerk: str
    consent: str | None = None
    act: str | None = None
    fwd: str | None = field(default=None, repr=False)
    via: tuple[str, ...] = ()
    log: LogHead | None = None
    # What somebody says of the one certificate, to be confirmed; personal data like the holder.
    values: Mapping[str, Json] | None = field(default=None, repr=False)
    copy: CopyPurpose | None = None


@dataclass(slots=True, kw_only=True)  # Freezing would multiply the cost of making one.
class SignedRequest(RequestClaims):
    """A verified request.

    `digest` is that of the whole text as received (`request_digest`); `content` are the claims
    apart from those a retry renews: the same request where they are the same JSON. They name
    holders: whoever keeps them keeps them encrypted or as a keyed hash.
    """

    compact: str = field(repr=False)
    digest: str
    content: Mapping[str, Json] = field(repr=False)
    kid: str


def sign_request(claims: RequestClaims, signer: Signer) -> str:
    """The request's compact text. Sealing it does not check it: the receiver will."""
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
        "certificates": [_certificate_claim(wanted) for wanted in claims.certificates],
        "service_item": claims.service_item,
        "matter": claims.matter,
        "basis": claims.basis,
        "clerk": claims.clerk,
    }
    if claims.consent is not None:
        payload["consent"] = claims.consent
    if claims.act is not None:
        payload["act"] = claims.act
    if claims.fwd is not None:
        payload["fwd"] = claims.fwd
        payload["via"] = list(claims.via)
    if claims.log is not None:
        payload["log"] = claims.log.claim()
    if claims.values is not None:
        payload["values"] = dict(claims.values)
    if claims.copy is not None:
        payload["copy"] = {"purpose": claims.copy.purpose, "until": claims.copy.until}
    return signer.compact(REQUEST_TYP, emit_json(payload))


def open_request(compact: str, keys: Keys) -> JWS:
    """An authentic request with the members of the format (step 1)."""
    jws = open_jws(compact, typ=REQUEST_TYP, keys=keys, size_max=REQUEST_SIZE_MAX)
    check_members(jws.claims, _REQUIRED, _OPTIONAL)
    return jws


def verify_request(
    compact: str,
    *,
    keys: Keys,
    origin: str,
    region: str,
    rpc: str,
    now: int,
    token_digest: str,
    token_subject: str,
    takes_values: bool = False,
    takes_copy: bool = False,
) -> SignedRequest:
    """All steps of formats-jose.md §4 in order, for a call made with a token already verified.

    `takes_values`: the method confirms values, so they must be there; otherwise they must not.
    `takes_copy`: the method makes annotated copies, so it may say what for; otherwise it must not.
    Raises ProofError with the reason of the first failing step. `fwd` is parsed, not verified:
    whose requests this hub forwards for is decided by who holds the peers' keys.
    """
    jws = open_request(compact, keys)
    claims = jws.claims
    check_equal(
        claims,
        {
            "aud": (origin, ProofReason.AUD_WRONG),
            "region": (region, ProofReason.REGION_WRONG),
            "rpc": (rpc, ProofReason.RPC_WRONG),
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
    certificates = _certificates(claims["certificates"], takes_values=takes_values)
    via = _via(claims, origin)
    values = _values(claims, certificates) if takes_values else None
    if "values" in claims and not takes_values:
        raise ProofError(ProofReason.CLAIM_INVALID, "values")
    copy = _copy(claims["copy"]) if "copy" in claims else None
    if copy is not None and not takes_copy:
        raise ProofError(ProofReason.CLAIM_INVALID, "copy")
    return SignedRequest(
        iss=token_subject,
        aud=origin,
        region=region,
        rpc=rpc,
        jti=jti,
        iat=iat,
        exp=exp,
        ath=token_digest,
        certificates=certificates,
        service_item=string(claims, "service_item"),
        matter=string(claims, "matter"),
        basis=string(claims, "basis"),
        clerk=string(claims, "clerk"),
        consent=optional_string(claims, "consent"),
        act=optional_string(claims, "act"),
        fwd=optional_string(claims, "fwd"),
        via=via,
        log=log_head(claims),
        values=values,
        copy=copy,
        compact=compact,
        digest=jws.digest,
        content=_content(claims, VIA_MAX),
        kid=jws.key.kid,
    )


def same_request(first: SignedRequest, second: SignedRequest) -> bool:
    """Whether one is a retry of the other: same system, id and content (formats.md §2)."""
    # `iss` and `jti` are part of the content.
    return _SORTED(first.content) == _SORTED(second.content)


def _certificate_claim(wanted: RequestedCertificate) -> dict[str, Json]:
    claim: dict[str, Json] = {}
    if wanted.cert is not None:
        claim["cert"] = wanted.cert
    if wanted.holder is not None:
        claim["holder"] = {"type": wanted.holder.type, "number": wanted.holder.number}
    claim["vct"] = wanted.vct
    claim["fields"] = list(wanted.fields)
    return claim


def _certificates(value: Json, *, takes_values: bool) -> tuple[RequestedCertificate, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= CERTIFICATES_MAX:
        raise ProofError(ProofReason.CERTIFICATES_COUNT)
    return tuple([_certificate(item, takes_values=takes_values) for item in value])


def _certificate(value: Json, *, takes_values: bool) -> RequestedCertificate:
    if not isinstance(value, dict):
        raise ProofError(ProofReason.CERTIFICATES_SHAPE)
    names = value.keys()
    try:
        if names == _BY_CERT:
            vct, cert, holder = string(value, "vct"), string(value, "cert"), None
        elif names == _BY_HOLDER:
            vct, cert, holder = string(value, "vct"), None, _holder(value["holder"])
        elif names == _BY_VALUES and takes_values and value["fields"] == [DOCUMENT_FIELD]:
            vct, cert, holder = string(value, "vct"), None, None
        else:
            raise ProofError(ProofReason.CERTIFICATES_SHAPE)
    except ProofError as error:
        raise ProofError(ProofReason.CERTIFICATES_SHAPE) from error
    return RequestedCertificate(vct, _fields(value["fields"]), cert, holder)


def _holder(value: Json) -> Holder:
    if not isinstance(value, dict) or value.keys() != {"type", "number"}:
        raise ProofError(ProofReason.CERTIFICATES_SHAPE)
    return Holder(string(value, "type"), string(value, "number"))


def _fields(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ProofError(ProofReason.FIELDS_EMPTY)
    if len(value) > FIELDS_MAX:
        raise ProofError(ProofReason.CERTIFICATES_SHAPE)
    fields = tuple([name for name in value if isinstance(name, str) and name])
    if len(fields) != len(value):
        raise ProofError(ProofReason.CERTIFICATES_SHAPE)
    if len(set(fields)) != len(fields):
        raise ProofError(ProofReason.FIELDS_DUPLICATE)
    return fields


def _values(
    claims: Mapping[str, Json], certificates: tuple[RequestedCertificate, ...]
) -> dict[str, Json]:
    """One value for each field of the one certificate; texts, integers and booleans only."""
    values = claims.get("values")
    if len(certificates) != 1:
        raise ProofError(ProofReason.CERTIFICATES_COUNT)
    if not isinstance(values, dict) or values.keys() != set(certificates[0].fields):
        raise ProofError(ProofReason.CLAIM_INVALID, "values")
    for value in values.values():
        is_text = isinstance(value, str) and 0 < len(value) <= VALUE_LENGTH_MAX
        if not is_text and not isinstance(value, int):
            raise ProofError(ProofReason.CLAIM_INVALID, "values")
    return values


def _copy(value: Json) -> CopyPurpose:
    """One line of purpose, and a moment."""
    if not isinstance(value, dict) or value.keys() != {"purpose", "until"}:
        raise ProofError(ProofReason.CLAIM_INVALID, "copy")
    purpose, until = string(value, "purpose"), integer(value, "until", least=1)
    if text_violation("copy.purpose", purpose, PURPOSE_LENGTH_MAX) is not None:
        raise ProofError(ProofReason.CLAIM_INVALID, "copy.purpose")
    return CopyPurpose(purpose, until)


def _via(claims: Mapping[str, Json], origin: str) -> tuple[str, ...]:
    if "fwd" not in claims and "via" not in claims:
        return ()
    value = claims.get("via")
    if "fwd" not in claims or not isinstance(value, list) or not 1 <= len(value) <= VIA_MAX:
        raise ProofError(ProofReason.VIA_INVALID)
    via = tuple([name for name in value if isinstance(name, str) and name])
    if len(via) != len(value) or len(set(via)) != len(via) or origin in via:
        raise ProofError(ProofReason.VIA_INVALID)
    return via


def _content(claims: Mapping[str, Json], forwards_left: int) -> dict[str, Json]:
    content = {name: value for name, value in claims.items() if name not in _RENEWED}
    if "fwd" in content:
        content["fwd"] = _content(
            _forwarded_claims(content["fwd"], forwards_left), forwards_left - 1
        )
    return content


def _forwarded_claims(fwd: Json, forwards_left: int) -> dict[str, Json]:
    """What the forwarded request says, strictly parsed; its signature is its addressee's matter."""
    if forwards_left == 0 or not isinstance(fwd, str):
        raise ProofError(ProofReason.VIA_INVALID)
    try:
        segments = [b64u_decode(segment) for segment in split_segments(fwd)]
        return parse_object(segments[1])
    except ProofError as error:
        raise ProofError(ProofReason.VIA_INVALID, "fwd") from error
