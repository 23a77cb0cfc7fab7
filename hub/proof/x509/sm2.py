"""X.509 certificates with SM2 keys, their chains and revocation lists (RFC 5280, GB/T 20518).

`cryptography` verifies every other chain (`hub.proof.x509.chain`) and knows no SM2. This is the
small part of RFC 5280 §6 that seals need: names chained byte by byte, every certificate in force at
one time, issuers that may issue, a pinned anchor at the end. Name constraints, policies and
whatever else is marked critical are refused, not ignored.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeVar

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from hub.proof.der import element, read_der, write_der
from hub.proof.moment import iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.sm2 import SM2_WITH_SM3, PublicKey
from hub.proof.x509 import asn1 as wire

X509_BYTES_MAX: Final = 16 * 1024
CRL_BYTES_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 6

# AlgorithmIdentifier of an SM2 key: id-ecPublicKey on the curve 1.2.156.10197.1.301.
SM2_KEY: Final = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")

_T = TypeVar("_T")
_COMMON_NAME: Final = "2.5.4.3"
_ORGANIZATION: Final = "2.5.4.10"
_ORGANIZATION_IDENTIFIER: Final = "2.5.4.97"
_TITLE: Final = (_ORGANIZATION, _COMMON_NAME)
_KEY_USAGE: Final = "2.5.29.15"
_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"
_UNDERSTOOD: Final = frozenset({_KEY_USAGE, _BASIC_CONSTRAINTS, _EXTENDED_KEY_USAGE})

# Of the bits of KeyUsage (RFC 5280 §4.2.1.3), first bit first.
_DIGITAL_SIGNATURE: Final = 0
_KEY_CERT_SIGN: Final = 5
_CRL_SIGN: Final = 6

# Tags of the texts of a name: UTF8String, PrintableString, IA5String; BMPString in UTF-16.
_TEXTS: Final = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii", 0x1E: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class X509:
    """What a chain is judged by. `key` is None where it is not an SM2 key."""

    der: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: int
    not_after: int
    key: PublicKey | None
    key_usage: frozenset[int] | None
    ca: bool
    path_length: int | None
    foreign_critical: tuple[str, ...]
    signed_bytes: bytes
    signature: bytes | None

    @property
    def may_sign(self) -> bool:
        """Whether the key is for signatures: KeyUsage is there and says digitalSignature."""
        return self.key_usage is not None and _DIGITAL_SIGNATURE in self.key_usage

    @property
    def may_issue(self) -> bool:
        """Whether this is a CA whose key may sign certificates."""
        return self.ca and self.key_usage is not None and _KEY_CERT_SIGN in self.key_usage

    @property
    def common_name(self) -> str:
        """For people; empty where there is none."""
        return _attribute(self.subject, _COMMON_NAME)

    @property
    def title(self) -> str:
        """Who it is, for people."""
        return title_of(self.subject)

    @property
    def organization_identifier(self) -> str:
        """The unified social credit code of the organisation, where the subject has one."""
        return _attribute(self.subject, _ORGANIZATION_IDENTIFIER)


@dataclass(frozen=True, slots=True)
class Crl:
    """A revocation list: whose, of when, and since when which serial is revoked (seconds)."""

    issuer: bytes
    this_update: int
    next_update: int | None
    revoked: dict[int, int]
    signed_bytes: bytes
    signature: bytes


@lru_cache(maxsize=256)
def parse_x509(der: bytes) -> X509:
    """The certificate in `der`. Raises ProofError(X509_MALFORMED).

    One that is not signed with SM2 has no `signature` here, and can be no link of a chain.
    """
    outer = _read(wire.Signed, der, X509_BYTES_MAX)
    signed_bytes = write_der(outer.tbs)
    tbs = _read(wire.TbsCertificate, signed_bytes, X509_BYTES_MAX)
    if write_der(tbs.signature) != write_der(outer.algorithm):
        raise _malformed("two signature algorithms")
    extensions = _by_oid(tbs.extensions or ())
    constraints = wire.BasicConstraints(ca=None, path_length=None)
    if _BASIC_CONSTRAINTS in extensions:
        constraints = _read(
            wire.BasicConstraints, extensions[_BASIC_CONSTRAINTS].value, X509_BYTES_MAX
        )
    return X509(
        der=der,
        serial=tbs.serial,
        issuer=write_der(tbs.issuer),
        subject=write_der(tbs.subject),
        not_before=_seconds(tbs.validity.not_before),
        not_after=_seconds(tbs.validity.not_after),
        key=_sm2_key(tbs.public_key),
        key_usage=_key_usage(extensions.get(_KEY_USAGE)),
        ca=bool(constraints.ca),
        path_length=constraints.path_length,
        foreign_critical=tuple(
            oid for oid, item in extensions.items() if item.critical and oid not in _UNDERSTOOD
        ),
        signed_bytes=signed_bytes,
        signature=_sm2_signature(outer),
    )


def parse_anchors(anchors: Sequence[Certificate]) -> list[X509]:
    """What is pinned, as far as it can be read here: another algorithm's root in a form of its own
    ends no chain of SM2, and breaks none either."""
    found = []
    for anchor in anchors:
        with contextlib.suppress(ProofError):
            found.append(parse_x509(anchor.public_bytes(Encoding.DER)))
    return found


@lru_cache(maxsize=16)
def parse_crl(der: bytes) -> Crl:
    """The revocation list in `der`. Raises ProofError(CRL_MALFORMED) as *cannot check*: also for
    another algorithm, and for a list that is indirect, partial, or the difference to another.
    """
    try:
        return _parse_crl(der)
    except ProofError as error:
        # It is the reader's, and says nothing against what he verifies.
        raise ProofError(error.reason, error.detail, verdict=Verdict.CANNOT_CHECK) from error


def parse_crls(ders: Iterable[bytes]) -> list[Crl]:
    """As `parse_crl`, those of `ders` that are signed with SM2: whoever holds lists of several
    authorities gives all of them, and one of another algorithm is about no certificate here."""
    return [parse_crl(der) for der in ders if _is_sm2_crl(der)]


def _is_sm2_crl(der: bytes) -> bool:
    reason = ProofReason.CRL_MALFORMED
    try:
        outer = read_der(wire.Signed, der, bytes_max=CRL_BYTES_MAX, reason=reason)
    except ProofError:
        return True  # No list at all: `parse_crl` says so.
    return _sm2_signature(outer) is not None


def _parse_crl(der: bytes) -> Crl:
    reason = ProofReason.CRL_MALFORMED
    outer = read_der(wire.Signed, der, bytes_max=CRL_BYTES_MAX, reason=reason)
    signed_bytes = write_der(outer.tbs)
    tbs = read_der(wire.TbsCrl, signed_bytes, bytes_max=CRL_BYTES_MAX, reason=reason)
    signature = _sm2_signature(outer)
    if signature is None:
        raise ProofError(reason, "not signed with SM2")
    entries = tbs.revoked or ()
    if any(item.critical for entry in entries for item in entry.extensions or ()):
        raise ProofError(reason, "a critical extension of an entry")
    if any(item.critical for item in tbs.extensions or ()):
        raise ProofError(reason, "a critical extension: not a whole list of its issuer's own")
    return Crl(
        issuer=write_der(tbs.issuer),
        this_update=_seconds(tbs.this_update),
        next_update=None if tbs.next_update is None else _seconds(tbs.next_update),
        revoked={entry.serial: _seconds(entry.time) for entry in entries},
        signed_bytes=signed_bytes,
        signature=signature,
    )


def check_in_force(x509: X509, at: int) -> None:
    """`at` (seconds) lies in its validity. Raises X509_NOT_YET_VALID or X509_EXPIRED."""
    if at < x509.not_before:
        detail = f"from {iso_time(x509.not_before)}, judged at {iso_time(at)}"
        raise ProofError(ProofReason.X509_NOT_YET_VALID, detail)
    if at > x509.not_after:
        detail = f"until {iso_time(x509.not_after)}, judged at {iso_time(at)}"
        raise ProofError(ProofReason.X509_EXPIRED, detail)


def check_chain(
    leaf: X509, others: Sequence[X509], anchors: Sequence[X509], *, at: int
) -> tuple[X509, ...]:
    """The way from `leaf` over `others` to one of `anchors`, all in force `at` (seconds).

    What can be said of the leaf alone comes first: X509_NOT_YET_VALID, X509_EXPIRED, X509_USAGE.
    Then X509_UNTRUSTED, where no anchor is pinned NO_SEAL_ANCHOR as *cannot check*. A leaf that
    is itself pinned is trusted for itself alone. One of which nobody says what its key is for (no
    KeyUsage, which RFC 5280 allows) is X509_USAGE as *cannot check*, at last.
    """
    check_in_force(leaf, at)
    if leaf.key_usage is not None and not leaf.may_sign:
        raise ProofError(ProofReason.X509_USAGE, "its key is not for signatures")
    if leaf.foreign_critical:
        raise ProofError(ProofReason.X509_USAGE, f"critical {leaf.foreign_critical[0]}")
    if not anchors:
        raise ProofError(ProofReason.NO_SEAL_ANCHOR, verdict=Verdict.CANNOT_CHECK)
    pinned = {anchor.der for anchor in anchors}
    chain = (leaf,)
    found = chain if leaf.der in pinned else _extend(chain, [*anchors, *others], pinned, at)
    if found is None:
        raise ProofError(ProofReason.X509_UNTRUSTED)
    if leaf.key_usage is None:
        raise ProofError(ProofReason.X509_USAGE, "none named", verdict=Verdict.CANNOT_CHECK)
    return found


def check_not_revoked(
    chain: Sequence[X509], crls: Sequence[Crl], *, at: int, by: int, proven: bool = True
) -> None:
    """No certificate of `chain` below its anchor was revoked at `by` (seconds).

    Each needs a list of its issuer that is current `at`. Raises X509_REVOKED; as *cannot check*
    NO_CRL, where a list is missing or too old, and X509_REVOKED_SINCE, where it was revoked later
    and nobody has `proven` that what it signed is from before.
    """
    for x509, issuer in pairwise(chain):
        lists = [crl for crl in crls if _is_of(crl, issuer) and _is_current(crl, at)]
        if not lists:
            raise ProofError(ProofReason.NO_CRL, issuer.common_name, verdict=Verdict.CANNOT_CHECK)
        since = min(
            (crl.revoked[x509.serial] for crl in lists if x509.serial in crl.revoked), default=None
        )
        if since is not None and since <= by:
            raise ProofError(ProofReason.X509_REVOKED, iso_time(since))
        if since is not None and since <= at and not proven:
            raise ProofError(
                ProofReason.X509_REVOKED_SINCE, iso_time(since), verdict=Verdict.CANNOT_CHECK
            )


def _extend(
    chain: tuple[X509, ...], candidates: Sequence[X509], pinned: set[bytes], at: int
) -> tuple[X509, ...] | None:
    """The first way on from `chain` that ends in an anchor, depth first and never in a circle."""
    if len(chain) > DEPTH_MAX:
        return None
    for issuer in candidates:
        if issuer in chain or not _issued(issuer, chain, at):
            continue
        if issuer.der in pinned:
            return (*chain, issuer)
        found = _extend((*chain, issuer), candidates, pinned, at)
        if found is not None:
            return found
    return None


def _issued(issuer: X509, chain: Sequence[X509], at: int) -> bool:
    """Whether `issuer`, in force `at`, may have issued the last of `chain`, and did."""
    x509 = chain[-1]
    return (
        issuer.subject == x509.issuer
        and issuer.may_issue
        and not issuer.foreign_critical
        and issuer.not_before <= at <= issuer.not_after
        and (issuer.path_length is None or len(chain) - 1 <= issuer.path_length)
        and issuer.key is not None
        and x509.signature is not None
        and issuer.key.verify(x509.signed_bytes, x509.signature)
    )


def _is_of(crl: Crl, issuer: X509) -> bool:
    return (
        crl.issuer == issuer.subject
        and issuer.key_usage is not None
        and _CRL_SIGN in issuer.key_usage
        and issuer.key is not None
        and issuer.key.verify(crl.signed_bytes, crl.signature)
    )


def _is_current(crl: Crl, at: int) -> bool:
    return crl.this_update <= at and (crl.next_update is None or at <= crl.next_update)


def _sm2_key(spki: asn1.TLV) -> PublicKey | None:
    """None for any other kind of key; an SM2 key that is no point of the curve is refused."""
    info = _read(wire.SubjectPublicKeyInfo, write_der(spki), X509_BYTES_MAX)
    if write_der(info.algorithm) != SM2_KEY or info.key.padding_bits():
        return None
    try:
        return PublicKey(info.key.as_bytes())
    except ProofError as error:
        if error.reason is ProofReason.SM2_KEY_INVALID:
            raise _malformed(error.detail) from error
        raise


def _sm2_signature(outer: wire.Signed) -> bytes | None:
    try:
        algorithm = _read(wire.AlgorithmIdentifier, write_der(outer.algorithm), X509_BYTES_MAX)
    except ProofError:
        return None
    if algorithm.algorithm.dotted_string != SM2_WITH_SM3 or outer.signature.padding_bits():
        return None
    return outer.signature.as_bytes()


def _by_oid(extensions: Sequence[wire.Extension]) -> dict[str, wire.Extension]:
    found = {item.oid.dotted_string: item for item in extensions}
    if len(found) != len(extensions):
        raise _malformed("an extension stands twice")
    return found


def _key_usage(extension: wire.Extension | None) -> frozenset[int] | None:
    if extension is None:
        return None
    bits = _read(asn1.BitString, extension.value, X509_BYTES_MAX)
    octets = bits.as_bytes()
    count = len(octets) * 8 - bits.padding_bits()
    return frozenset(bit for bit in range(count) if octets[bit // 8] & 0x80 >> bit % 8)


def title_of(name: bytes) -> str:
    """Who a name in a certificate (DER) is, for people: organisation and common name, once where
    they are the same."""
    return " / ".join(filter(None, dict.fromkeys(_attribute(name, oid) for oid in _TITLE)))


def _attribute(name: bytes, oid: str) -> str:
    """The last text of this type in a name; empty where there is none that can be read."""
    try:
        wrapped = write_der(wire.Wrapped(element=element(name)))
        parts = _read(wire.WrappedName, wrapped, X509_BYTES_MAX).name
    except ProofError:
        return ""
    text = ""
    for part in parts:
        for item in part.as_list():
            encoding = _TEXTS.get(item.value.tag_bytes[0])
            if item.type.dotted_string == oid and encoding is not None:
                text = bytes(item.value.data).decode(encoding, "replace")
    return text


def _seconds(time: wire.Time) -> int:
    return int(time.as_datetime().timestamp())


def _read(structure: type[_T], der: bytes, bytes_max: int) -> _T:
    return read_der(structure, der, bytes_max=bytes_max, reason=ProofReason.X509_MALFORMED)


def _malformed(detail: str) -> ProofError:
    return ProofError(ProofReason.X509_MALFORMED, detail)
