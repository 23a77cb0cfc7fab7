"""The trust file: what a verifier has pinned about one hub, and nothing else decides a verdict.

`{"v":1,"origin","region","log_keys":[verifier key],"witness_keys":[verifier key],
"witnesses_min":0,"seal_anchors":["base64 DER"],"status_keys":[JWK]}`. It holds public keys only;
what matters is where it was got from, so it is never looked for, only named by its reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from hub.proof.encoding import Json, b64, b64_decode, emit_json, parse_object
from hub.proof.jose import (
    STATUS_TYP,
    Algorithm,
    RegisteredKey,
    jwk,
    public_key_from_jwk,
    thumbprint,
)
from hub.proof.note import is_origin
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.receipt import LogTrust

TRUST_BYTES_MAX: Final = 1_048_576
_MEMBERS: Final = {
    "v",
    "origin",
    "region",
    "log_keys",
    "witness_keys",
    "witnesses_min",
    "seal_anchors",
    "status_keys",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """One hub as its verifier knows it. Log keys stay text: a broken one is *cannot check*."""

    origin: str
    region: str
    log_keys: tuple[str, ...] = ()
    witness_keys: tuple[str, ...] = ()
    witnesses_min: int = 0
    seal_anchors: tuple[x509.Certificate, ...] = ()
    status_keys: tuple[ec.EllipticCurvePublicKey, ...] = ()

    @property
    def log(self) -> LogTrust:
        """What concerns the log."""
        return LogTrust(self.origin, self.log_keys, self.witness_keys, self.witnesses_min)

    def status_key(self, kid: str) -> RegisteredKey | None:
        """The pinned status key of this `kid`; a `Keys` for status list tokens and nothing else."""
        for key in self.status_keys:
            if thumbprint(key) == kid:
                return RegisteredKey(kid, Algorithm.ES256, STATUS_TYP, self.origin, key)
        return None


def trust_file(trust: Trust) -> bytes:
    """`trust` as the bytes of a trust file."""
    members: dict[str, Json] = {
        "v": 1,
        "origin": trust.origin,
        "region": trust.region,
        "log_keys": list(trust.log_keys),
        "witness_keys": list(trust.witness_keys),
        "witnesses_min": trust.witnesses_min,
        "seal_anchors": [b64(item.public_bytes(Encoding.DER)) for item in trust.seal_anchors],
        "status_keys": [dict(jwk(key)) for key in trust.status_keys],
    }
    return emit_json(members) + b"\n"


def parse_trust(data: bytes) -> Trust:
    """The trust file in `data`. Raises ProofError(TRUST_MALFORMED) as *cannot check*."""
    try:
        return _parse(data)
    except ProofError as error:
        if error.reason is ProofReason.TRUST_MALFORMED:
            raise
        raise _malformed(error.reason.value) from error


def _parse(data: bytes) -> Trust:
    if len(data) > TRUST_BYTES_MAX:
        raise _malformed(f"more than {TRUST_BYTES_MAX} bytes")
    members = parse_object(data)
    if members.keys() != _MEMBERS:
        raise _malformed(f"members {', '.join(sorted(members.keys() ^ _MEMBERS))}")
    if type(members["v"]) is not int or members["v"] != 1:
        raise _malformed("v")
    witnesses_min = members["witnesses_min"]
    if type(witnesses_min) is not int or witnesses_min < 0:
        raise _malformed("witnesses_min")
    origin = _text(members["origin"], "origin")
    if not is_origin(origin):
        raise _malformed("origin")
    return Trust(
        origin=origin,
        region=_text(members["region"], "region"),
        log_keys=_texts(members, "log_keys"),
        witness_keys=_texts(members, "witness_keys"),
        witnesses_min=witnesses_min,
        seal_anchors=tuple(_anchor(item) for item in _texts(members, "seal_anchors")),
        status_keys=tuple(_status_key(item) for item in _items(members, "status_keys")),
    )


def _anchor(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(b64_decode(text))
    except (ValueError, ProofError) as error:
        raise _malformed("seal_anchors") from error


def _status_key(value: Json) -> ec.EllipticCurvePublicKey:
    if not isinstance(value, dict):
        raise _malformed("status_keys")
    return public_key_from_jwk(value)


def _items(members: dict[str, Json], name: str) -> Sequence[Json]:
    value = members[name]
    if not isinstance(value, list):
        raise _malformed(name)
    return value


def _texts(members: dict[str, Json], name: str) -> tuple[str, ...]:
    return tuple(_text(item, name) for item in _items(members, name))


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed(name)
    return value


def _malformed(detail: str) -> ProofError:
    return ProofError(ProofReason.TRUST_MALFORMED, detail, verdict=Verdict.CANNOT_CHECK)
