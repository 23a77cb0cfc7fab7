"""Certificates and requests as members make them, the honest and the others."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.access.enrolment import Enrolment
from hub.proof.encoding import digest

NOW = datetime.datetime(2026, 3, 1, 8, tzinfo=datetime.UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000

DER = serialization.Encoding.DER
CLIENT = x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = x509.oid.ExtendedKeyUsageOID.SERVER_AUTH


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def csr(key: ec.EllipticCurvePrivateKey) -> bytes:
    request = x509.CertificateSigningRequestBuilder().subject_name(subject("member"))
    return request.sign(key, hashes.SHA256()).public_bytes(DER)


def csr_signed_by(other: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A request that holds the public half of `key` and is signed by `other`."""
    mine, theirs = (
        half.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        for half in (key, other)
    )
    forged = csr(other).replace(theirs, mine)
    assert mine in forged
    return forged


@dataclass(frozen=True)
class Ca:
    """A client authority."""

    name: str = "Client CA"
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key, repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        name = subject(self.name)
        return (
            self._builder(name, self.key.public_key(), NOW, 3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(
        self,
        key: ec.EllipticCurvePrivateKey,
        *,
        usage: x509.ObjectIdentifier = CLIENT,
        start: datetime.datetime = NOW,
        days: int = 365,
        ca: bool = False,
    ) -> bytes:
        builder = (
            self._builder(subject("member"), key.public_key(), start, days)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(_usage(ca=ca), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(DER)

    def _builder(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        start: datetime.datetime,
        days: int,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(subject(self.name))
            .serial_number(x509.random_serial_number())
            .public_key(key)
            .not_valid_before(start - datetime.timedelta(hours=1))
            .not_valid_after(start + datetime.timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )


@dataclass(frozen=True)
class Member:
    """Somebody with a client certificate and a signing key."""

    ca: Ca
    client_key: ec.EllipticCurvePrivateKey = field(default_factory=new_key, repr=False)
    signing_key: ec.EllipticCurvePrivateKey = field(default_factory=new_key, repr=False)
    certificate: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "certificate", self.certificate or self.ca.issue(self.client_key))

    @property
    def thumbprint(self) -> str:
        return digest(self.certificate)

    def enrolment(self, *, signs: bool = True) -> Enrolment:
        return Enrolment(
            self.certificate, csr(self.client_key), csr(self.signing_key) if signs else b""
        )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
