"""What a CA signs: certificates and revocation lists, in P-256 or in SM2. Pure but for the key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from certs.index import IndexLine
from certs.issued import der_of
from certs.keys import (
    CaKey,
    InternationalKey,
    PublicKey,
    algorithm_of,
    check_csr,
    check_sm2_csr,
)
from certs.profiles import Profile
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.x509.make_sm2 import make_certificate, make_crl
from hub.proof.x509.sm2 import parse_x509

REASONS: Final[Mapping[str, x509.ReasonFlags]] = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key_compromise": x509.ReasonFlags.key_compromise,
    "affiliation_changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation_of_operation": x509.ReasonFlags.cessation_of_operation,
    "privilege_withdrawn": x509.ReasonFlags.privilege_withdrawn,
}


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA that signs now. `certificate` is None while it makes its own, its first."""

    key: CaKey = field(repr=False)
    certificate: x509.Certificate | None
    crl_url: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate shall name: with which key, as what, under which names."""

    key: PublicKey
    subject: x509.Name
    names: x509.SubjectAlternativeName | None


def sign_certificate(
    rules: Profile, issuer: Issuer, holder: Holder, now: datetime
) -> x509.Certificate:
    """A certificate of the profile `rules` from `now` (whole seconds) on, never beyond its CA's."""
    parent = issuer.certificate
    not_before = now - timedelta(minutes=rules.backdate_minutes)
    not_after = now + timedelta(days=rules.validity_days)
    if parent is not None:
        not_before = max(not_before, parent.not_valid_before_utc)
        not_after = min(not_after, parent.not_valid_after_utc)
    authority = x509.AuthorityKeyIdentifier(_key_identifier(public_half(issuer.key)), None, None)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (rules.x509_basic_constraints(), True),
        (rules.x509_key_usage(), True),
        (x509.SubjectKeyIdentifier(_key_identifier(holder.key)), False),
        (authority, False),
    ]
    extended = rules.x509_extended_key_usage()
    if extended is not None:
        extensions.append((extended, False))
    if holder.names is not None:
        extensions.append((holder.names, False))
    if parent is not None and issuer.crl_url is not None:
        extensions.append((_distribution_point(issuer.crl_url), False))
    serial = x509.random_serial_number()
    issuer_name = holder.subject if parent is None else parent.subject
    if isinstance(issuer.key, sm2.PrivateKey):
        assert isinstance(holder.key, sm2.PublicKey), "CA and profile are of one algorithm"
        der = make_certificate(
            subject=holder.subject,
            key=holder.key,
            issuer=issuer_name,
            not_before=not_before,
            not_after=not_after,
            extensions=extensions,
            sign=issuer.key.sign,
            serial=serial,
        )
        return x509.load_der_x509_certificate(der)
    assert not isinstance(holder.key, sm2.PublicKey), "as above"
    builder = (
        x509.CertificateBuilder()
        .serial_number(serial)
        .subject_name(holder.subject)
        .issuer_name(issuer_name)
        .public_key(holder.key)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer.key, hashes.SHA256())


# -- revocation lists


def is_crl_due(
    current: x509.CertificateRevocationList,
    revoked: Sequence[IndexLine],
    crl_days: int,
    now: datetime,
) -> bool:
    """Whether another list must be signed: it lists something else, or half its time is over."""
    # A list in SM2 names serials and times only.
    says_why = current.signature_algorithm_oid.dotted_string != sm2.SM2_WITH_SM3
    listed = {(one.serial_number, _reason(one) if says_why else None) for one in current}
    wanted = {(int(line.serial, 16), line.reason if says_why else None) for line in revoked}
    return listed != wanted or now >= current.last_update_utc + timedelta(days=crl_days) / 2


def sign_crl(
    key: CaKey,
    issuer: x509.Name,
    current: x509.CertificateRevocationList | None,
    revoked: Sequence[IndexLine],
    *,
    now: datetime,
    next_update: datetime,
) -> x509.CertificateRevocationList:
    """The list of `revoked` after `current`, of the CA called `issuer`."""
    if isinstance(key, sm2.PrivateKey):
        times = {int(line.serial, 16): line.revoke_time for line in revoked}
        der = make_crl(
            issuer=issuer,
            this_update=now,
            next_update=next_update,
            revoked={serial: time for serial, time in times.items() if time is not None},
            sign=key.sign,
        )
        return x509.load_der_x509_crl(der)
    # Seconds since 1970 grow without a counter that could be lost; never below the last list.
    number = int(now.timestamp())
    if current is not None:
        last = current.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        number = max(number, last + 1)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(now)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for line in revoked:
        builder = builder.add_revoked_certificate(_revoked_entry(line))
    return builder.sign(key, hashes.SHA256())


def _revoked_entry(line: IndexLine) -> x509.RevokedCertificate:
    assert line.revoke_time is not None and line.reason is not None, "only revoked lines are listed"
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(int(line.serial, 16))
        .revocation_date(line.revoke_time)
    )
    # RFC 5280 §5.3.1: an unspecified reason is left out.
    if line.reason != "unspecified":
        builder = builder.add_extension(x509.CRLReason(REASONS[line.reason]), critical=False)
    return builder.build()


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return "unspecified"
    return next((name for name, known in REASONS.items() if known is flag), flag.name)


def _distribution_point(url: str) -> x509.CRLDistributionPoints:
    names = [x509.UniformResourceIdentifier(url)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


# -- keys


def proven_key(rules: Profile, key: bytes | PublicKey) -> PublicKey:
    """The key, of the profile's algorithm, whose possession a request proves."""
    if isinstance(key, bytes):
        return check_sm2_csr(key) if rules.is_sm2 else check_csr(key, rules.algorithms)
    if algorithm_of(key) not in rules.algorithms:
        rule = f"the profile {rules.name} is for keys of {' or '.join(rules.algorithms)}"
        raise HubError(Reason.X509_KEY_REFUSED, profile=rules.name, rule=rule)
    return key


def public_half(key: CaKey) -> PublicKey:
    """The public key of a CA's."""
    return key.public if isinstance(key, sm2.PrivateKey) else key.public_key()


def public_key_of(certificate: x509.Certificate) -> PublicKey:
    """The key of a certificate that was issued here; `cryptography` reads no SM2 key."""
    if certificate.signature_algorithm_oid.dotted_string == sm2.SM2_WITH_SM3:
        key = parse_x509(der_of(certificate)).key
        assert key is not None, "only SM2 keys are certified with SM2"
        return key
    other = certificate.public_key()
    assert isinstance(other, InternationalKey), "no others are certified"
    return other


def _key_identifier(key: PublicKey) -> bytes:
    """SHA-1 of the point (RFC 5280 §4.2.1.2, method 1): a name, no protection."""
    if isinstance(key, sm2.PublicKey):
        return hashlib.sha1(key.point, usedforsecurity=False).digest()
    return x509.SubjectKeyIdentifier.from_public_key(key).digest
