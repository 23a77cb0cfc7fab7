"""The trust file: what a verifier has pinned about one hub, and nothing else decides a verdict.

`{"v":1,"origin","region","log_keys":[verifier key],"witness_keys":[verifier key],
"witnesses_min":0,"seal_anchors":["base64 DER"],"status_keys":[JWK]}`; version 2 adds
`"maker_anchors","signer_anchors","pdf_anchors","stamp_anchors":["base64 DER"]`, `"compromised":
[{"key","from"}]` and `"algorithms":[{"algorithm","until"}]`; version 3 adds `"custodies":
[{"key","custody"}]` and `"face_certificates":["base64 DER"]`. It holds public keys only; what
matters is where it was got from, so it is never looked for, only named by its reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.domain.certificate import Custody
from hub.proof import sm2
from hub.proof.encoding import Json, b64, b64_decode, emit_json, parse_object
from hub.proof.jose import (
    FACE_TYP,
    STATUS_TYP,
    Algorithm,
    RegisteredKey,
    jwk,
    jwk_thumbprint,
    public_key_from_jwk,
    sm2_jwk,
    sm2_key_from_jwk,
)
from hub.proof.log.note import is_origin
from hub.proof.log.receipt import LogTrust
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.x509.chain import UNREADABLE, leaf_public_key, organisation

TRUST_BYTES_MAX: Final = 1_048_576
KEY_NAME: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MEMBERS: Final = frozenset(
    {
        "v",
        "origin",
        "region",
        "log_keys",
        "witness_keys",
        "witnesses_min",
        "seal_anchors",
        "status_keys",
    }
)
_MEMBERS_OF_V2: Final = _MEMBERS | {
    "maker_anchors",
    "signer_anchors",
    "pdf_anchors",
    "stamp_anchors",
    "compromised",
    "algorithms",
}
_MEMBERS_OF_V3: Final = _MEMBERS_OF_V2 | {"custodies", "face_certificates"}
_VERSIONS: Final = {1: _MEMBERS, 2: _MEMBERS_OF_V2, 3: _MEMBERS_OF_V3}
KEY_CUSTODIES: Final = {
    item.value: item for item in (Custody.DEPARTMENT, Custody.HUB_HSM, Custody.HUB_FILE)
}


StatusKey: TypeAlias = ec.EllipticCurvePublicKey | sm2.PublicKey
"""What signs status lists; a hub of the profile `gm` has one of each."""


@dataclass(frozen=True, slots=True)
class Compromise:
    """A key in other hands since `since` (seconds); `key` is its `key_digest`."""

    key: str
    since: int


@dataclass(frozen=True, slots=True)
class KeyCustody:
    """A key of this hub's departments and in whose custody it was made; `key` is its
    `key_digest`."""

    key: str
    custody: Custody


@dataclass(frozen=True, slots=True)
class AlgorithmEnd:
    """An algorithm that counts for nothing new from `until` (seconds) on."""

    algorithm: str
    until: int


@dataclass(frozen=True, slots=True)
class FacePin:
    """Whose codes on faces are believed: the key of a pinned certificate, whose owner is the credit
    code in its organizationIdentifier. `x5t` is the certificate's SHA-256, `spki` the key in DER;
    times in seconds."""

    key: RegisteredKey
    x5t: bytes
    spki: bytes
    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True)
class Trust:
    """One hub as its verifier knows it. Log keys stay text: a broken one is *cannot check*.

    `seal_anchors` vouch for record seals, `maker_anchors` for the makers (制章者) of electronic
    seals, `signer_anchors` for who signs under them (签章者), `pdf_anchors` for signers of PDF and
    `stamp_anchors` for time stamp authorities. None stands for another. `face_certificates` are no
    anchors: each is the certificate of one issuer's key for codes.
    """

    origin: str
    region: str
    log_keys: tuple[str, ...] = ()
    witness_keys: tuple[str, ...] = ()
    witnesses_min: int = 0
    seal_anchors: tuple[x509.Certificate, ...] = ()
    status_keys: tuple[StatusKey, ...] = ()
    maker_anchors: tuple[x509.Certificate, ...] = ()
    signer_anchors: tuple[x509.Certificate, ...] = ()
    pdf_anchors: tuple[x509.Certificate, ...] = ()
    stamp_anchors: tuple[x509.Certificate, ...] = ()
    compromised: tuple[Compromise, ...] = ()
    algorithms: tuple[AlgorithmEnd, ...] = ()
    custodies: tuple[KeyCustody, ...] = ()
    face_certificates: tuple[x509.Certificate, ...] = ()

    def custody_of(self, key: str) -> Custody | None:
        """In whose custody the key of this `key_digest` is; None for a stranger's."""
        return next((item.custody for item in self.custodies if item.key == key), None)

    def compromised_from(self, key: str) -> int | None:
        """Since when the key of this `key_digest` is in other hands; None for a good one."""
        return min((item.since for item in self.compromised if item.key == key), default=None)

    def algorithm_until(self, algorithm: str) -> int | None:
        """When `algorithm` ends; None where no end is set."""
        ends = [item.until for item in self.algorithms if item.algorithm == algorithm]
        return min(ends, default=None)

    @property
    def log(self) -> LogTrust:
        """What concerns the log."""
        return LogTrust(self.origin, self.log_keys, self.witness_keys, self.witnesses_min)

    def face_pin(self, kid: str) -> FacePin | None:
        """The pinned issuer of codes under this key; of a renewed certificate the newest."""
        newest_first = sorted(
            self.face_certificates, key=lambda one: one.not_valid_after_utc, reverse=True
        )
        pins = (_face_pin(one) for one in newest_first)
        return next((pin for pin in pins if pin.key.kid == kid), None)

    def status_key(self, kid: str) -> RegisteredKey | None:
        """The pinned status key of this `kid`; a `Keys` for status list tokens and nothing else."""
        for key in self.status_keys:
            is_sm2 = isinstance(key, sm2.PublicKey)
            algorithm = Algorithm.SM2 if is_sm2 else Algorithm.ES256
            if jwk_thumbprint(_jwk(key)) == kid:
                return RegisteredKey(kid, algorithm, STATUS_TYP, self.origin, key)
        return None


def trust_file(trust: Trust) -> bytes:
    """`trust` as the bytes of a trust file."""
    members: dict[str, Json] = {
        "v": 3,
        "origin": trust.origin,
        "region": trust.region,
        "log_keys": list(trust.log_keys),
        "witness_keys": list(trust.witness_keys),
        "witnesses_min": trust.witnesses_min,
        "seal_anchors": _written(trust.seal_anchors),
        "status_keys": [dict(_jwk(key)) for key in trust.status_keys],
        "maker_anchors": _written(trust.maker_anchors),
        "signer_anchors": _written(trust.signer_anchors),
        "pdf_anchors": _written(trust.pdf_anchors),
        "stamp_anchors": _written(trust.stamp_anchors),
        "compromised": [{"key": item.key, "from": item.since} for item in trust.compromised],
        "algorithms": [
            {"algorithm": item.algorithm, "until": item.until} for item in trust.algorithms
        ],
        "custodies": [{"key": item.key, "custody": item.custody.value} for item in trust.custodies],
        "face_certificates": _written(trust.face_certificates),
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
    version = members.get("v")
    if type(version) is not int or version not in _VERSIONS:
        raise _malformed("v")
    expected = _VERSIONS[version]
    if members.keys() != expected:
        raise _malformed(f"members {', '.join(sorted(members.keys() ^ expected))}")
    origin = _text(members["origin"], "origin")
    if not is_origin(origin):
        raise _malformed("origin")
    return Trust(
        origin=origin,
        region=_text(members["region"], "region"),
        log_keys=_texts(members, "log_keys"),
        witness_keys=_texts(members, "witness_keys"),
        witnesses_min=_count(members, "witnesses_min"),
        seal_anchors=_anchors(members, "seal_anchors"),
        status_keys=tuple(_status_key(item) for item in _items(members, "status_keys")),
        maker_anchors=_anchors(members, "maker_anchors"),
        signer_anchors=_anchors(members, "signer_anchors"),
        pdf_anchors=_anchors(members, "pdf_anchors"),
        stamp_anchors=_anchors(members, "stamp_anchors"),
        compromised=tuple(_compromise(item) for item in _items(members, "compromised")),
        algorithms=tuple(_algorithm_end(item) for item in _items(members, "algorithms")),
        custodies=_custodies(_items(members, "custodies")),
        face_certificates=_face_certificates(members),
    )


def _written(anchors: Sequence[x509.Certificate]) -> list[Json]:
    return [b64(item.public_bytes(Encoding.DER)) for item in anchors]


def _anchors(members: dict[str, Json], name: str) -> tuple[x509.Certificate, ...]:
    try:
        # An SM2 certificate can be read here, though its key cannot.
        return tuple(
            [x509.load_der_x509_certificate(b64_decode(item)) for item in _texts(members, name)]
        )
    except (*UNREADABLE, ProofError) as error:
        raise _malformed(name) from error


def _face_certificates(members: dict[str, Json]) -> tuple[x509.Certificate, ...]:
    found = _anchors(members, "face_certificates")
    try:
        for one in found:
            _face_pin(one)
    except ProofError as error:
        raise _malformed("face_certificates") from error
    return found


def _face_pin(certificate: x509.Certificate) -> FacePin:
    """Raises ProofError for one that names no authority, or has no P-256 key."""
    key = leaf_public_key([certificate])
    owner = organisation(certificate)
    if owner is None:
        raise ProofError(ProofReason.X5C_INVALID, "organizationIdentifier")
    kid = jwk_thumbprint(jwk(key))
    return FacePin(
        RegisteredKey(kid, Algorithm.ES256, FACE_TYP, owner, key),
        certificate.fingerprint(hashes.SHA256()),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        int(certificate.not_valid_before_utc.timestamp()),
        int(certificate.not_valid_after_utc.timestamp()),
    )


def _compromise(value: Json) -> Compromise:
    if not isinstance(value, dict) or value.keys() != {"key", "from"}:
        raise _malformed("compromised")
    key = _text(value["key"], "compromised")
    if not KEY_NAME.fullmatch(key):
        raise _malformed("compromised")
    return Compromise(key, _count(value, "from"))


def _custodies(values: Sequence[Json]) -> tuple[KeyCustody, ...]:
    """Each key once: two custodies of one key would leave it to the order which of them holds."""
    found = tuple([_custody(value) for value in values])
    if len({item.key for item in found}) < len(found):
        raise _malformed("custodies")
    return found


def _custody(value: Json) -> KeyCustody:
    if not isinstance(value, dict) or value.keys() != {"key", "custody"}:
        raise _malformed("custodies")
    key = _text(value["key"], "custodies")
    custody = KEY_CUSTODIES.get(_text(value["custody"], "custodies"))
    if custody is None or not KEY_NAME.fullmatch(key):
        raise _malformed("custodies")
    return KeyCustody(key, custody)


def _algorithm_end(value: Json) -> AlgorithmEnd:
    if not isinstance(value, dict) or value.keys() != {"algorithm", "until"}:
        raise _malformed("algorithms")
    return AlgorithmEnd(_text(value["algorithm"], "algorithms"), _count(value, "until"))


def _status_key(value: Json) -> StatusKey:
    if not isinstance(value, dict):
        raise _malformed("status_keys")
    return sm2_key_from_jwk(value) if value.get("crv") == "SM2" else public_key_from_jwk(value)


def _jwk(key: StatusKey) -> dict[str, str]:
    return sm2_jwk(key) if isinstance(key, sm2.PublicKey) else jwk(key)


def _items(members: dict[str, Json], name: str) -> Sequence[Json]:
    # What a version does not know yet is empty.
    value = members.get(name, [])
    if not isinstance(value, list):
        raise _malformed(name)
    return value


def _texts(members: dict[str, Json], name: str) -> tuple[str, ...]:
    return tuple(_text(item, name) for item in _items(members, name))


def _count(members: dict[str, Json], name: str) -> int:
    value = members[name]
    if type(value) is not int or value < 0:
        raise _malformed(name)
    return value


def _text(value: Json, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise _malformed(name)
    return value


def _malformed(detail: str) -> ProofError:
    return ProofError(ProofReason.TRUST_MALFORMED, detail, verdict=Verdict.CANNOT_CHECK)
