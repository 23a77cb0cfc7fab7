"""Open and make compact JWS: the rules that every signed text shares (formats-jose.md §2).

Libraries accept any `typ`, keys named by the header, duplicate members and the mirrored signature.
So the header only names a registered key; the key's registration says algorithm and type.

SM2 stands beside ES256 under a name of our own, as JOSE has registered none (formats.md §4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from hub.domain.entry import LogHead as LogHead
from hub.proof import sm2
from hub.proof.encoding import Json, b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.webauthn import Credential

ACCESS_TYP: Final = "sealway-access+jwt"
REQUEST_TYP: Final = "sealway-request+jwt"
SEAL_TYP: Final = "dc+sd-jwt"
STATUS_TYP: Final = "statuslist+jwt"
BATCH_ROOT_TYP: Final = "sealway-batch-root+jwt"
APPROVAL_TYP: Final = "sealway-approval+jwt"
WEBAUTHN_APPROVAL_TYP: Final = "sealway-approval+webauthn"
ATTESTATION_TYP: Final = "sealway-attestation+jwt"
FACE_TYP: Final = "sealway-face+jwt"

FORMAT_VERSION: Final = 1
SKEW_S: Final = 30

# Only our signers make these: a second valid text would be a second `sd_hash` or cache key.
_LOW_S_TYPES: Final = frozenset({SEAL_TYP, STATUS_TYP, ACCESS_TYP, FACE_TYP})
_P256_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_HALF: Final = _P256_N // 2
_ES256: Final = ec.ECDSA(hashes.SHA256())
_ES256_DETERMINISTIC: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

_HEADER: Final = frozenset({"alg", "typ", "kid"})
_SEAL_HEADER: Final = frozenset({"alg", "typ", "kid", "x5c"})


class Algorithm(StrEnum):
    """Signature algorithms, spelled as `alg` spells them."""

    ES256 = "ES256"
    SM2 = "urn:oid:1.2.156.10197.1.501"


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """What the registry knows of a key. `use` is the one `typ` it may sign.

    `public_key` is of the kind that `algorithm` says; absent is one of SM2 whose signatures are not
    to be computed here. One with a `credential` signs in an authenticator, and no JWS.
    """

    kid: str
    algorithm: Algorithm
    use: str
    owner: str
    public_key: ec.EllipticCurvePublicKey | sm2.PublicKey | None
    credential: Credential | None = None


class Keys(Protocol):
    """The registry of keys."""

    def __call__(self, kid: str, /) -> RegisteredKey | None:
        """The key registered under `kid`, or None. `kid` is any text."""
        ...


Sign: TypeAlias = Callable[[bytes], bytes]
"""Signing input in, 64 bytes r ‖ s out; of ES256 with low s."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs, wherever it lives, and the header members that name it."""

    kid: str
    sign: Sign
    x5c: tuple[str, ...] = ()
    algorithm: Algorithm = Algorithm.ES256

    def compact(self, typ: str, payload: bytes) -> str:
        """The compact JWS of `payload` under this key."""
        header = header_segment(typ, self.kid, self.x5c, self.algorithm)
        return sign_jws(header, payload, self.sign)


@dataclass(slots=True, repr=False)  # Freezing would multiply the cost of making one.
class JWS:
    """An authentic compact JWS; its claims are strict JSON, their meaning is not yet checked.

    Never shown in a repr: claims may name a holder.
    """

    compact: str
    header: Mapping[str, Json]
    claims: dict[str, Json]
    key: RegisteredKey

    @property
    def digest(self) -> str:
        """Digest of the whole text, as in `request_digest` and `ath`."""
        return digest(self.compact)

    @property
    def signing_input(self) -> str:
        """`header.payload`: what the signature covers."""
        return self.compact[: self.compact.rindex(".")]


# A system's header is the same text in each of its requests. Only headers of authentic texts are
# kept, so nobody else can fill this.
_HEADERS_MAX: Final = 1024
_HEADERS: Final[dict[tuple[str, str], Mapping[str, Json]]] = {}


def open_jws(compact: str, *, typ: str, keys: Keys, size_max: int) -> JWS:
    """An authentic JWS of exactly this `typ` (steps J1 to J8, and strict JSON of J9).

    Raises ProofError with the reason of the first failing step. Members of the claims are checked
    by `check_members`.
    """
    if len(compact) > size_max:
        raise ProofError(ProofReason.TOO_LARGE)
    segments = split_segments(compact)
    known = _HEADERS.get((typ, segments[0]))
    header_bytes = b64u_decode(segments[0]) if known is None else b""
    payload, signature = b64u_decode(segments[1]), b64u_decode(segments[2])
    if known is None:
        header: Mapping[str, Json] = parse_object(header_bytes)
        _check_header(header, typ)
    else:
        header = known
    key = _registered(header, typ, keys)
    verify_signature(
        key,
        compact[: -len(segments[2]) - 1].encode(),
        signature,
        low_s=typ in _LOW_S_TYPES,
    )
    if known is None and len(_HEADERS) < _HEADERS_MAX:
        _HEADERS[typ, segments[0]] = header
    return JWS(compact, header, parse_object(payload), key)


def split_segments(compact: str) -> tuple[str, str, str]:
    """The three non-empty segments of a compact JWS. Raises ProofError(JWS_MALFORMED)."""
    segments = compact.split(".", 3)
    if len(segments) != 3 or not all(segments):
        raise ProofError(ProofReason.JWS_MALFORMED)
    return segments[0], segments[1], segments[2]


def check_members(
    claims: Mapping[str, Json],
    required: frozenset[str],
    optional: frozenset[str] = frozenset(),
) -> None:
    """Required and no other members, and the version we know (rest of step J9).

    Raises ProofError(CLAIM_MISSING), (CLAIM_UNKNOWN) or (FORMAT_VERSION).
    """
    names = claims.keys()
    if missing := required - names:
        raise ProofError(ProofReason.CLAIM_MISSING, min(missing))
    if len(names) > len(required) and names - required - optional:
        raise ProofError(ProofReason.CLAIM_UNKNOWN)
    version = claims["v"]
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise ProofError(ProofReason.FORMAT_VERSION)


def check_times(claims: Mapping[str, Json], *, now: int, life_max_s: int) -> tuple[int, int]:
    """`iat` and `exp`, in force at `now` (seconds) and no further apart than `life_max_s`.

    Raises ProofError(CLAIM_INVALID), (IAT_FUTURE), (EXP_TOO_FAR) or (EXPIRED).
    """
    iat, exp = integer(claims, "iat"), integer(claims, "exp")
    check_issued(iat, now)
    if not 0 < exp - iat <= life_max_s:
        raise ProofError(ProofReason.EXP_TOO_FAR)
    if now >= exp:
        raise ProofError(ProofReason.EXPIRED)
    return iat, exp


def check_issued(iat: int, now: int) -> None:
    """`iat` is at most the tolerated skew ahead of `now`. Raises ProofError(IAT_FUTURE)."""
    if iat > now + SKEW_S:
        raise ProofError(ProofReason.IAT_FUTURE)


def check_equal(
    claims: Mapping[str, Json], expected: Mapping[str, tuple[str, ProofReason]]
) -> None:
    """Each claim named is a string and equals what is expected, else its reason is raised."""
    for name, (value, reason) in expected.items():
        if claims[name] != value:
            raise ProofError(reason)


def integer(claims: Mapping[str, Json], name: str, *, least: int = 0) -> int:
    """The integer claim `name`, at least `least`. Raises ProofError(CLAIM_INVALID)."""
    value = claims[name]
    if type(value) is not int or value < least:
        raise ProofError(ProofReason.CLAIM_INVALID, name)
    return value


def string(claims: Mapping[str, Json], name: str) -> str:
    """The non-empty string claim `name`. Raises ProofError(CLAIM_INVALID)."""
    value = claims[name]
    if not isinstance(value, str) or not value:
        raise ProofError(ProofReason.CLAIM_INVALID, name)
    return value


def optional_string(claims: Mapping[str, Json], name: str) -> str | None:
    """As `string`, or None where the claim is absent (null is not absent)."""
    return string(claims, name) if name in claims else None


def digest_claim(claims: Mapping[str, Json], name: str) -> bytes:
    """The 32 bytes that claim `name` carries in base64url. Raises ProofError(CLAIM_INVALID)."""
    try:
        value = b64u_decode(string(claims, name))
    except ProofError as error:
        raise ProofError(ProofReason.CLAIM_INVALID, name) from error
    if len(value) != 32:
        raise ProofError(ProofReason.CLAIM_INVALID, name)
    return value


def log_head(claims: Mapping[str, Json]) -> LogHead | None:
    """The optional claim `log`. Raises ProofError(CLAIM_INVALID)."""
    if "log" not in claims:
        return None
    value = claims["log"]
    if not isinstance(value, dict) or value.keys() != {"origin", "size", "root"}:
        raise ProofError(ProofReason.CLAIM_INVALID, "log")
    digest_claim(value, "root")
    return LogHead(
        string(value, "origin"),
        integer(value, "size", least=1),
        string(value, "root"),
    )


# -- Signatures ------------------------------------------------------------------------------------


def verify_signature(
    key: RegisteredKey, signing_input: bytes, signature: bytes, *, low_s: bool
) -> None:
    """The raw signature is this key's over `signing_input` (step J8).

    `low_s` is about ES256 alone: the mirrored signature of SM2 does not verify. Raises
    ProofError(SIGNATURE_LENGTH), (SIGNATURE_HIGH_S) or (SIGNATURE_INVALID); as *cannot check*
    (ALG_NOT_CHECKED) where the registry has no key to compute with, and (SM2_UNAVAILABLE).
    """
    if len(signature) != 64:
        raise ProofError(ProofReason.SIGNATURE_LENGTH)
    if key.public_key is None:
        raise ProofError(ProofReason.ALG_NOT_CHECKED, verdict=Verdict.CANNOT_CHECK)
    if isinstance(key.public_key, sm2.PublicKey):
        if not key.public_key.verify(signing_input, sm2.signature_from_raw(signature)):
            raise ProofError(ProofReason.SIGNATURE_INVALID)
        return
    r = int.from_bytes(signature[:32])
    s = int.from_bytes(signature[32:])
    if not (0 < r < _P256_N and 0 < s < _P256_N):
        raise ProofError(ProofReason.SIGNATURE_INVALID)
    if low_s and s > _P256_HALF:
        raise ProofError(ProofReason.SIGNATURE_HIGH_S)
    try:
        key.public_key.verify(encode_dss_signature(r, s), signing_input, _ES256)
    except InvalidSignature as error:
        raise ProofError(ProofReason.SIGNATURE_INVALID) from error


def raw_signature(der: bytes) -> bytes:
    """A DER signature over P-256 as r ‖ s with low s."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32) + min(s, _P256_N - s).to_bytes(32)


def es256_sign(private_key: ec.EllipticCurvePrivateKey) -> Sign:
    """Signing with a P-256 key held in this process: RFC 6979, then low s."""

    def sign(signing_input: bytes) -> bytes:
        return raw_signature(private_key.sign(signing_input, _ES256_DETERMINISTIC))

    return sign


def es256_signer(private_key: ec.EllipticCurvePrivateKey, x5c: tuple[str, ...] = ()) -> Signer:
    """The signer of a P-256 key held in this process, with its chain if it seals records."""
    return Signer(thumbprint(private_key.public_key()), es256_sign(private_key), x5c)


def sm2_signer(private_key: sm2.PrivateKey) -> Signer:
    """The signer of an SM2 key held in this process."""

    def sign(signing_input: bytes) -> bytes:
        return sm2.signature_to_raw(private_key.sign(signing_input))

    return Signer(sm2_thumbprint(private_key.public), sign, algorithm=Algorithm.SM2)


def sign_jws(
    header: Mapping[str, Json] | str,
    payload: bytes,
    key: ec.EllipticCurvePrivateKey | Sign,
) -> str:
    """The compact JWS. `header` may be given as its finished segment, `key` as what signs."""
    segment = header if isinstance(header, str) else b64u(emit_json(dict(header)))
    signing_input = f"{segment}.{b64u(payload)}"
    sign = es256_sign(key) if isinstance(key, ec.EllipticCurvePrivateKey) else key
    return f"{signing_input}.{b64u(sign(signing_input.encode()))}"


@lru_cache(maxsize=256)
def header_segment(
    typ: str, kid: str, x5c: tuple[str, ...] = (), algorithm: Algorithm = Algorithm.ES256
) -> str:
    """The encoded header: `alg, typ, kid` and, for seals, `x5c`."""
    header: dict[str, Json] = {"alg": algorithm.value, "typ": typ, "kid": kid}
    if x5c:
        header["x5c"] = list(x5c)
    return b64u(emit_json(header))


# -- Keys ------------------------------------------------------------------------------------------


def jwk(public_key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The public P-256 key as a JWK with exactly `kty, crv, x, y`."""
    numbers = public_key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": b64u(numbers.x.to_bytes(32)),
        "y": b64u(numbers.y.to_bytes(32)),
    }


def public_key_from_jwk(members: Mapping[str, Json]) -> ec.EllipticCurvePublicKey:
    """The P-256 key of a JWK; members other than `kty, crv, x, y` are ignored.

    Raises ProofError(JWK_INVALID), also for a point off the curve.
    """
    try:
        if members.get("kty") != "EC" or members.get("crv") != "P-256":
            raise ProofError(ProofReason.JWK_INVALID)
        x, y = digest_claim(members, "x"), digest_claim(members, "y")
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()
        )
        return numbers.public_key()
    except (KeyError, ValueError, ProofError) as error:
        raise ProofError(ProofReason.JWK_INVALID) from error


def sm2_thumbprint(public_key: sm2.PublicKey) -> str:
    """The `kid` of an SM2 key (formats.md §4)."""
    return jwk_thumbprint(sm2_jwk(public_key))


def sm2_jwk(public_key: sm2.PublicKey) -> dict[str, str]:
    """The public SM2 key as a JWK; `crv` is `SM2`, which nobody has registered."""
    x, y = public_key.point[1:33], public_key.point[33:]
    return {"kty": "EC", "crv": "SM2", "x": b64u(x), "y": b64u(y)}


def sm2_key_from_jwk(members: Mapping[str, Json]) -> sm2.PublicKey:
    """The SM2 key of a JWK. Raises ProofError(JWK_INVALID), (SM2_UNAVAILABLE) as *cannot check*."""
    try:
        if members.get("kty") != "EC" or members.get("crv") != "SM2":
            raise ProofError(ProofReason.JWK_INVALID)
        return sm2.PublicKey(b"\x04" + digest_claim(members, "x") + digest_claim(members, "y"))
    except (KeyError, ProofError) as error:
        if isinstance(error, ProofError) and error.reason is ProofReason.SM2_UNAVAILABLE:
            raise
        raise ProofError(ProofReason.JWK_INVALID) from error


def jwk_thumbprint(members: Mapping[str, str]) -> str:
    """RFC 7638 over `crv, kty, x, y`; also for SM2 keys, whose `crv` is `SM2`."""
    return digest(emit_json({name: members[name] for name in ("crv", "kty", "x", "y")}))


def thumbprint(public_key: ec.EllipticCurvePublicKey) -> str:
    """The `kid` of a P-256 key."""
    return jwk_thumbprint(jwk(public_key))


# -- Steps -----------------------------------------------------------------------------------------


def _check_header(header: Mapping[str, Json], typ: str) -> None:
    if "typ" not in header:
        raise ProofError(ProofReason.TYP_MISSING)
    if header["typ"] != typ:
        raise ProofError(ProofReason.TYP_WRONG)
    members = header.keys()
    if typ != SEAL_TYP:
        exact = members == _HEADER
    else:
        # A registered key needs no chain; who opens a record asks for one nevertheless.
        twin = header.get("alg") == Algorithm.SM2 and members == _HEADER
        exact = members == _SEAL_HEADER or twin
    if not exact:
        raise ProofError(ProofReason.HEADER_MEMBER)


def _registered(header: Mapping[str, Json], typ: str, keys: Keys) -> RegisteredKey:
    kid = header["kid"]
    key = keys(kid) if isinstance(kid, str) else None
    if key is None:
        raise ProofError(ProofReason.KEY_UNKNOWN)
    if key.use != typ:
        raise ProofError(ProofReason.KEY_USAGE)
    if header["alg"] != key.algorithm.value:
        raise ProofError(ProofReason.ALG_MISMATCH)
    return key
