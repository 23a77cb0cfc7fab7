"""What a WebAuthn authenticator signs, and the credentials that officers approve with.

A browser has the authenticator sign `authenticator data ‖ SHA-256(client data)`. The client data
name the challenge and the page's origin; the authenticator data name the relying party, say whether
the officer was there and was recognised, and count. Nothing of it shows what is approved.

No signature comes with a new credential unless its maker attests it, and we ask for none. So who
enrols one signs once with it: over the authenticator data that hold its key, and its own name.

Only P-256 (ES256), and only keys that stay in one authenticator: a credential that is copied to
other devices is in whoever's hand can add a device.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.encoding import Json, b64u, b64u_decode, emit_json, parse_object
from hub.proof.reasons import ProofError, ProofReason

CREDENTIAL_ID_BYTES_MAX: Final = 1023
CLIENT_DATA_BYTES_MAX: Final = 2048
CREDENTIAL_PROOF_BYTES_MAX: Final = 8192
ORIGIN_LENGTH_MAX: Final = 255
ASSERTED: Final = ("authenticator_data", "client_data", "signature")
"""The members that an assertion has in a JSON text, each base64url."""

_PRESENT: Final = 0x01
_VERIFIED: Final = 0x04
_ATTESTED: Final = 0x40
_ASSERTION_BYTES: Final = 37
_ATTESTED_START: Final = 55
_SIGNATURE_BYTES_MAX: Final = 72
_ES256: Final = ec.ECDSA(hashes.SHA256())
# A COSE key of ES256 has one encoding (CTAP2 canonical CBOR): {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
_COSE_HEAD: Final = bytes.fromhex("a5010203262001215820")
_COSE_MIDDLE: Final = bytes.fromhex("225820")
_PROOF_PREFIX: Final = b"sealway/credential/v1\x00"
_ORIGIN: Final = re.compile(r"(https://([a-z0-9.-]+)|http://(localhost))(:[1-9][0-9]{0,4})?")
_PROOF_MEMBERS: Final = ("v", "officer", "rp_id", "origin", "attested", *ASSERTED)


@dataclass(frozen=True, slots=True)
class Credential:
    """What an officer's authenticator answers to: the relying party, the one origin whose page may
    ask, and the credential's id in base64url."""

    rp_id: str
    origin: str
    credential_id: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator signed, with the signature (DER)."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    @classmethod
    def of(cls, members: Mapping[str, Json]) -> Assertion:
        """As the members of a JSON text hold it. Raises ProofError: WEBAUTHN_MALFORMED, BASE64_…"""
        parts = [members.get(name) for name in ASSERTED]
        if not all(isinstance(part, str) for part in parts):
            raise ProofError(ProofReason.WEBAUTHN_MALFORMED, "assertion")
        return cls(*(b64u_decode(str(part)) for part in parts))

    def members(self) -> dict[str, Json]:
        """As they stand in a JSON text."""
        parts = (self.authenticator_data, self.client_data, self.signature)
        return {name: b64u(part) for name, part in zip(ASSERTED, parts, strict=True)}


@dataclass(frozen=True, slots=True)
class ProvenCredential:
    """A credential whose holder has shown that it has the key."""

    officer: str
    credential: Credential
    public_key: ec.EllipticCurvePublicKey


def verify_assertion(
    assertion: Assertion,
    credential: Credential,
    public_key: ec.EllipticCurvePublicKey,
    challenge: bytes,
) -> int:
    """That the officer's authenticator signed `challenge` for a page of the credential's origin;
    its counter.

    1. Sizes. 2. Client data: strict JSON, `type`, `challenge`, `origin`, not from within a page of
    another origin. 3. Authenticator data: the relying party's digest, the officer was present and
    verified, nothing else. 4. The signature; the mirrored one is as good, as authenticators do not
    choose. Whether the counter went back, whoever knows the last one judges (`check_counter`).
    Raises ProofError: WEBAUTHN_MALFORMED, the JSON reasons, WEBAUTHN_TYPE, CHALLENGE_MISMATCH,
    WEBAUTHN_ORIGIN, WEBAUTHN_CROSS_ORIGIN, WEBAUTHN_RP, WEBAUTHN_USER, SIGNATURE_INVALID.
    """
    if len(assertion.client_data) > CLIENT_DATA_BYTES_MAX:
        raise ProofError(ProofReason.TOO_LARGE, "client data")
    if not 0 < len(assertion.signature) <= _SIGNATURE_BYTES_MAX:
        raise ProofError(ProofReason.SIGNATURE_LENGTH)
    _check_client_data(parse_object(assertion.client_data), credential.origin, challenge)
    data = assertion.authenticator_data
    if len(data) != _ASSERTION_BYTES:
        raise ProofError(ProofReason.WEBAUTHN_MALFORMED, "authenticator data")
    _check_authenticator(data, credential.rp_id, _PRESENT | _VERIFIED)
    signed = data + hashlib.sha256(assertion.client_data).digest()
    try:
        public_key.verify(assertion.signature, signed, _ES256)
    except InvalidSignature as error:
        raise ProofError(ProofReason.SIGNATURE_INVALID) from error
    return counter(data)


def counter(authenticator_data: bytes) -> int:
    """How often the authenticator says that it has signed; 0 where it does not count."""
    return int.from_bytes(authenticator_data[33:37])


def check_counter(now: int, last: int) -> None:
    """That an authenticator which counts has counted on. Raises ProofError(WEBAUTHN_COUNTER).

    One that stands still or goes back is a copy of the key, or its original after a copy signed.
    """
    if (now or last) and now <= last:
        raise ProofError(ProofReason.WEBAUTHN_COUNTER)


def attested_key(authenticator_data: bytes, rp_id: str) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    """Key and credential id of a credential that was made just now.

    Raises ProofError: WEBAUTHN_MALFORMED, also for what stands behind the key; WEBAUTHN_RP,
    WEBAUTHN_USER, JWK_INVALID for a point off the curve.
    """
    data = authenticator_data
    size = int.from_bytes(data[_ATTESTED_START - 2 : _ATTESTED_START])
    end = _ATTESTED_START + size
    x, y = data[end + 10 : end + 42], data[end + 45 : end + 77]
    if (
        not 0 < size <= CREDENTIAL_ID_BYTES_MAX
        or len(data) != end + 77
        or data[end : end + 10] != _COSE_HEAD
        or data[end + 42 : end + 45] != _COSE_MIDDLE
    ):
        raise ProofError(ProofReason.WEBAUTHN_MALFORMED, "attested credential")
    _check_authenticator(data, rp_id, _PRESENT | _VERIFIED | _ATTESTED)
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
    try:
        return numbers.public_key(), data[_ATTESTED_START:end]
    except ValueError as error:
        raise ProofError(ProofReason.JWK_INVALID) from error


def check_origin(origin: str, rp_id: str) -> None:
    """That pages of `origin` may ask for credentials of `rp_id`.

    HTTPS, or HTTP of `localhost`; its host is `rp_id` or lies below it. Raises
    ProofError(WEBAUTHN_ORIGIN).
    """
    found = _ORIGIN.fullmatch(origin)
    host = "" if found is None else found[2] or found[3]
    if len(origin) > ORIGIN_LENGTH_MAX or not rp_id or f".{host}"[-len(rp_id) - 1 :] != f".{rp_id}":
        raise ProofError(ProofReason.WEBAUTHN_ORIGIN)


# -- The proof that goes with a new credential -----------------------------------------------------


def possession_challenge(officer: str, attested: bytes) -> bytes:
    """What a new credential signs: whose it is, and the authenticator data that hold its key."""
    name = officer.encode()
    parts = (_PROOF_PREFIX, len(name).to_bytes(2), name, hashlib.sha256(attested).digest())
    return hashlib.sha256(b"".join(parts)).digest()


def credential_proof(
    officer: str, rp_id: str, origin: str, attested: bytes, assertion: Assertion
) -> bytes:
    """The text that enrols a credential of `officer`."""
    return emit_json(
        {
            "v": 1,
            "officer": officer,
            "rp_id": rp_id,
            "origin": origin,
            "attested": b64u(attested),
            **assertion.members(),
        }
    )


def verify_credential_proof(proof: bytes) -> ProvenCredential:
    """The credential in `proof`, whose holder has its key.

    1. Exactly our members and spelling. 2. The origin fits the relying party. 3. The attested key.
    4. Its signature over name and key. Raises ProofError: TOO_LARGE, the JSON reasons,
    WEBAUTHN_MALFORMED, and as `check_origin`, `attested_key` and `verify_assertion`.
    """
    if len(proof) > CREDENTIAL_PROOF_BYTES_MAX:
        raise ProofError(ProofReason.TOO_LARGE, "credential")
    members = parse_object(proof)
    texts = {name: str(members.get(name)) for name in _PROOF_MEMBERS if name != "v"}
    if emit_json({"v": 1, **texts}) != proof:
        raise ProofError(ProofReason.WEBAUTHN_MALFORMED, "members or spelling")
    officer, rp_id, origin = texts["officer"], texts["rp_id"], texts["origin"]
    check_origin(origin, rp_id)
    attested = b64u_decode(texts["attested"])
    public_key, credential_id = attested_key(attested, rp_id)
    credential = Credential(rp_id, origin, b64u(credential_id))
    verify_assertion(
        Assertion.of(texts), credential, public_key, possession_challenge(officer, attested)
    )
    return ProvenCredential(officer, credential, public_key)


# -- Steps -----------------------------------------------------------------------------------------


def _check_client_data(members: Mapping[str, Json], origin: str, challenge: bytes) -> None:
    """Browsers differ in what else they say, so other members are let pass."""
    if members.get("type") != "webauthn.get":
        raise ProofError(ProofReason.WEBAUTHN_TYPE)
    if members.get("challenge") != b64u(challenge):
        raise ProofError(ProofReason.CHALLENGE_MISMATCH)
    if members.get("origin") != origin:
        raise ProofError(ProofReason.WEBAUTHN_ORIGIN)
    if members.get("crossOrigin", False) is not False or "topOrigin" in members:
        raise ProofError(ProofReason.WEBAUTHN_CROSS_ORIGIN)


def _check_authenticator(data: bytes, rp_id: str, flags: int) -> None:
    if data[:32] != hashlib.sha256(rp_id.encode()).digest():
        raise ProofError(ProofReason.WEBAUTHN_RP)
    if data[32] & flags != flags:
        raise ProofError(ProofReason.WEBAUTHN_USER)
    if data[32] != flags:
        raise ProofError(ProofReason.WEBAUTHN_MALFORMED, "flags: copied elsewhere, or extensions")
