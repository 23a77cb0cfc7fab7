"""Proof of possession: whoever enrols a key shows that it holds it, and the proof is kept.

The private keys never leave their owner; what comes is the client certificate and, for each key, a
PKCS#10 request that the key signed. For an officer's key in an authenticator it is a JSON text that
the authenticator signed (`hub.proof.webauthn`).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

from hub.access.rules import broken
from hub.access.store import EnrolledKeys
from hub.domain.strict_json import Json
from hub.errors import Violation
from hub.proof.encoding import b64u, digest, emit_json
from hub.proof.jose import APPROVAL_TYP, WEBAUTHN_APPROVAL_TYP, jwk, thumbprint
from hub.proof.reasons import ProofError
from hub.proof.webauthn import Credential, verify_credential_proof
from hub.proof.x509.chain import UNREADABLE

DER_BYTES_MAX: Final = 8_192

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a member hands in, all DER; `signing_request` is empty where it signs nothing, and the
    proof of a credential where an officer's key lies in an authenticator."""

    x509_certificate: bytes
    x509_request: bytes
    signing_request: bytes


@dataclass(frozen=True, slots=True)
class Proven:
    """An enrolment whose every rule holds: the keys as they are kept, and the certificate's end."""

    keys: EnrolledKeys
    x509_expire_time_us: int
    credential: Credential | None = None

    def data(self) -> dict[str, Json]:
        """The proofs, as the log entry carries them."""
        keys = self.keys
        members: dict[str, Json] = {
            "x509_certificate": b64u(keys.x509_certificate),
            "x509_request": b64u(keys.x509_request),
            "x509_thumbprint": keys.x509_thumbprint,
        }
        if keys.signing_use:
            members["signing_request"] = b64u(keys.signing_request)
            members["signing_key_id"] = keys.signing_key_id
            members["signing_use"] = keys.signing_use
        return members


@dataclass(frozen=True, slots=True)
class ClientAuthorities:
    """Which authorities issue client certificates; each of them is an anchor."""

    certificates: tuple[x509.Certificate, ...]

    @classmethod
    def from_pem(cls, bundle: bytes) -> ClientAuthorities:
        """Those of a PEM bundle. Raises ValueError where it holds none or is damaged."""
        return cls(tuple(x509.load_pem_x509_certificates(bundle)))

    def trusts(self, certificate: x509.Certificate, time: datetime) -> bool:
        """Whether `certificate` chains to one of them at `time`. Its usage is not looked at."""
        policy = (
            verification.PolicyBuilder()
            .store(verification.Store(list(self.certificates)))
            .time(time)
            .max_chain_depth(1)
            .extension_policies(
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
                ee_policy=verification.ExtensionPolicy.permit_all(),
            )
        )
        try:
            policy.build_client_verifier().verify(certificate, list(self.certificates))
        except verification.VerificationError:
            return False
        return True


def prove(
    enrolment: Enrolment,
    *,
    owner: str,
    use: str,
    authorities: ClientAuthorities,
    used: Container[str],
    time_us: int,
    field: str,
) -> tuple[Proven | None, Sequence[Violation]]:
    """`enrolment` proven for `owner`, or every rule that it breaks.

    1. The certificate: a P-256 client certificate, in force, from a trusted authority. 2. Its
    request: same key, signed by it. 3. The signing request: signed by its key, which is another
    one; present exactly where `use`, the `typ` it will sign, is not empty. An approval key may lie
    in an authenticator instead, with the proof of its credential. 4. Nothing of it is in
    `used`: thumbprints and key ids ever enrolled.
    """
    names = [f"{field}.{name}" for name in ("x509_certificate", "x509_request", "signing_request")]
    certificate, client_key, found = _client_certificate(
        enrolment.x509_certificate, authorities, _EPOCH + timedelta(microseconds=time_us), names[0]
    )
    request_key, faults = _requested_key(enrolment.x509_request, names[1])
    found += faults
    if client_key is not None and request_key is not None and client_key != request_key:
        found.append(broken(names[1], "csr.other_key"))
    signing_key = credential = None
    if use and not enrolment.signing_request:
        found.append(broken(names[2], "signing.required"))
    elif use == APPROVAL_TYP and enrolment.signing_request.startswith(b"{"):
        use = WEBAUTHN_APPROVAL_TYP
        signing_key, credential, faults = _credential(enrolment.signing_request, owner, names[2])
        found += faults
    elif use:
        signing_key, faults = _requested_key(enrolment.signing_request, names[2])
        found += faults
        if signing_key is not None and signing_key == client_key:
            found.append(broken(names[2], "signing.same_key"))
    elif enrolment.signing_request:
        found.append(broken(names[2], "signing.unwanted"))
    if client_key is None or certificate is None:
        return None, found
    keys = _enrolled(enrolment, client_key, signing_key, owner=owner, use=use, time_us=time_us)
    if keys.x509_thumbprint in used or keys.x509_key_id in used:
        found.append(broken(names[0], "key.used"))
    if keys.signing_key_id and keys.signing_key_id in used:
        found.append(broken(names[2], "key.used"))
    if found:
        return None, found
    return Proven(keys, _microseconds(certificate.not_valid_after_utc), credential), ()


def _client_certificate(
    der: bytes, authorities: ClientAuthorities, time: datetime, field: str
) -> tuple[x509.Certificate | None, ec.EllipticCurvePublicKey | None, list[Violation]]:
    try:
        if len(der) > DER_BYTES_MAX:
            return None, None, [broken(field, "x509.form")]
        certificate = x509.load_der_x509_certificate(der)
        key = _p256(certificate.public_key())
        usable = _is_for_clients(certificate)
    except UNREADABLE:
        return None, None, [broken(field, "x509.form")]
    if key is None:
        return None, None, [broken(field, "x509.form")]
    found = []
    if not usable:
        found.append(broken(field, "x509.usage"))
    if not certificate.not_valid_before_utc <= time < certificate.not_valid_after_utc:
        found.append(broken(field, "x509.in_force"))
    elif not authorities.trusts(certificate, time):
        found.append(broken(field, "x509.untrusted"))
    return certificate, key, found


def _is_for_clients(certificate: x509.Certificate) -> bool:
    """Extended key usage clientAuth, signatures allowed, not a CA."""
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            return False
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            return False
    return x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _requested_key(
    der: bytes, field: str
) -> tuple[ec.EllipticCurvePublicKey | None, list[Violation]]:
    """The key whose possession the request proves."""
    try:
        if len(der) > DER_BYTES_MAX:
            return None, [broken(field, "csr.form")]
        request = x509.load_der_x509_csr(der)
        key = _p256(request.public_key())
        signed = request.is_signature_valid
    except UNREADABLE:
        return None, [broken(field, "csr.form")]
    if key is None:
        return None, [broken(field, "csr.form")]
    if not signed:
        return None, [broken(field, "csr.signature")]
    return key, []


def _credential(
    proof: bytes, owner: str, field: str
) -> tuple[ec.EllipticCurvePublicKey | None, Credential | None, list[Violation]]:
    """The key of a credential whose possession the proof shows, and where it lies."""
    try:
        proven = verify_credential_proof(proof)
    except ProofError:
        return None, None, [broken(field, "credential.proof")]
    if proven.officer != owner:
        return None, None, [broken(field, "credential.proof")]
    return proven.public_key, proven.credential, []


def _p256(key: object) -> ec.EllipticCurvePublicKey | None:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    return None


def _enrolled(
    enrolment: Enrolment,
    client_key: ec.EllipticCurvePublicKey,
    signing_key: ec.EllipticCurvePublicKey | None,
    *,
    owner: str,
    use: str,
    time_us: int,
) -> EnrolledKeys:
    return EnrolledKeys(
        x509_thumbprint=digest(enrolment.x509_certificate),
        owner=owner,
        x509_certificate=enrolment.x509_certificate,
        x509_request=enrolment.x509_request,
        x509_key_id=thumbprint(client_key),
        signing_request=enrolment.signing_request,
        signing_key_id="" if signing_key is None else thumbprint(signing_key),
        signing_jwk=b"" if signing_key is None else emit_json({**jwk(signing_key)}),
        signing_use=use,
        create_time_us=time_us,
    )


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
