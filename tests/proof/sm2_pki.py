"""An SM2 PKI in memory: a root, a seal-maker and signers, made with our own code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.proof.sm2 import PrivateKey
from hub.proof.x509.make_sm2 import make_certificate

STARTS = datetime(2025, 1, 1, tzinfo=UTC)
ENDS = datetime(2035, 1, 1, tzinfo=UTC)


def name(common_name: str) -> x509.Name:
    """A subject of a department."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "测试部门"),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, "11110000000021135M"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def usage(*bits: str) -> x509.KeyUsage:
    """KeyUsage with these bits set."""
    known = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{bit: bit in bits for bit in known})


SIGNER = ((usage("digital_signature", "content_commitment"), True),)
CA = (
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (usage("key_cert_sign", "crl_sign"), True),
)


@dataclass(frozen=True)
class Member:
    """A key with its certificate."""

    key: PrivateKey
    subject: x509.Name
    der: bytes

    def issue(
        self,
        common_name: str,
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = SIGNER,
        *,
        starts: datetime = STARTS,
        ends: datetime = ENDS,
        serial: int | None = None,
    ) -> Member:
        """A new member below this one."""
        return issue(self, common_name, extensions, starts=starts, ends=ends, serial=serial)


def issue(
    issuer: Member | None,
    common_name: str,
    extensions: tuple[tuple[x509.ExtensionType, bool], ...],
    *,
    starts: datetime = STARTS,
    ends: datetime = ENDS,
    serial: int | None = None,
) -> Member:
    """A new member below `issuer`, or one that signs itself."""
    key = PrivateKey.generate()
    subject = name(common_name)
    der = make_certificate(
        subject=subject,
        key=key.public,
        issuer=subject if issuer is None else issuer.subject,
        not_before=starts,
        not_after=ends,
        extensions=extensions,
        sign=key.sign if issuer is None else issuer.key.sign,
        serial=serial,
    )
    return Member(key, subject, der)


def root() -> Member:
    """A CA that signs itself."""
    return issue(None, "测试根", CA)
