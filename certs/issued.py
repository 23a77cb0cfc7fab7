"""What a PKI hands out: an X.509 certificate with its way to the anchor, and a revocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs.index import IndexLine
from certs.keys import thumbprint


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """An X.509 certificate with the way to its anchor; `created`: not there before."""

    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...]
    created: bool

    @property
    def der(self) -> bytes:
        return der_of(self.certificate)

    @property
    def pem(self) -> bytes:
        return pem_of(self.certificate)

    @property
    def chain_der(self) -> tuple[bytes, ...]:
        """Leaf first, the anchor left out: the members of `x5c`."""
        return tuple(der_of(certificate) for certificate in (self.certificate, *self.issuers))

    @property
    def chain_pem(self) -> bytes:
        """Leaf first, the anchor left out: what a TLS peer presents."""
        return b"".join(pem_of(certificate) for certificate in (self.certificate, *self.issuers))

    @property
    def serial(self) -> str:
        return serial_of(self.certificate)

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.certificate)

    @property
    def not_after(self) -> datetime:
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation that is durable and listed; `changed` is False where it was so before."""

    line: IndexLine
    changed: bool


def serial_of(certificate: x509.Certificate) -> str:
    """The serial as the index has it: 40 lower-case hexadecimal digits."""
    return f"{certificate.serial_number:040x}"


def der_of(certificate: x509.Certificate) -> bytes:
    """The certificate as DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def pem_of(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)
