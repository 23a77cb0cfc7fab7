"""The chain in `x5c`: whose key sealed a record, and who vouches for it (formats-jose.md §5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hub.proof.encoding import Json, b64_decode
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.x509.sm2 import X509, check_chain, parse_anchors, parse_x509

X5C_MAX: Final = 4

UNREADABLE: Final = (
    ValueError,
    TypeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for X.509 that is malformed or beyond it; not all are ValueErrors."""


def load_x509_chain(x5c: Json) -> tuple[x509.Certificate, ...]:
    """The chain, leaf first, without the root. Raises ProofError(X5C_INVALID)."""
    if not isinstance(x5c, list) or not 1 <= len(x5c) <= X5C_MAX:
        raise ProofError(ProofReason.X5C_INVALID)
    try:
        chain = tuple([x509.load_der_x509_certificate(_der(item)) for item in x5c])
        has_root = any(x509_cert.issuer == x509_cert.subject for x509_cert in chain)
    except UNREADABLE as error:
        raise ProofError(ProofReason.X5C_INVALID) from error
    if has_root:
        raise ProofError(ProofReason.X5C_INVALID, "root")
    return chain


def load_sm2_chain(x5c: Json) -> tuple[X509, tuple[X509, ...]]:
    """The leaf and the others of an SM2 twin's chain, without the root.

    Raises ProofError(X5C_INVALID).
    """
    if not isinstance(x5c, list) or not 1 <= len(x5c) <= X5C_MAX:
        raise ProofError(ProofReason.X5C_INVALID)
    try:
        leaf, *others = [parse_x509(_der(item)) for item in x5c]
    except ProofError as error:
        raise ProofError(ProofReason.X5C_INVALID, error.detail) from error
    if any(one.issuer == one.subject for one in (leaf, *others)):
        raise ProofError(ProofReason.X5C_INVALID, "root")
    return leaf, tuple(others)


def check_sm2_chain(
    leaf: X509, others: Sequence[X509], anchors: Sequence[x509.Certificate], *, at: int
) -> None:
    """As `check_x509_chain`, of a chain signed with SM2 throughout, to one of the SM2 `anchors`."""
    try:
        check_chain(leaf, others, _sm2_anchors(anchors), at=at)
    except ProofError as error:
        unchecked = error.verdict is Verdict.CANNOT_CHECK
        detail = "no SM2 anchor" if unchecked and not error.detail else error.detail
        raise ProofError(ProofReason.X5C_UNTRUSTED, detail, verdict=error.verdict) from error


def _sm2_anchors(anchors: Sequence[x509.Certificate]) -> list[X509]:
    """Those that can vouch for an SM2 chain."""
    return [anchor for anchor in parse_anchors(anchors) if anchor.key is not None]


def leaf_public_key(chain: Sequence[x509.Certificate]) -> ec.EllipticCurvePublicKey:
    """The leaf's P-256 key. Raises ProofError(X5C_KEY_MISMATCH) for any other kind."""
    try:
        key = chain[0].public_key()
    except UNREADABLE as error:
        raise ProofError(ProofReason.X5C_INVALID) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ProofError(ProofReason.X5C_KEY_MISMATCH)
    return key


def organisation(leaf: x509.Certificate) -> str | None:
    """The one organizationIdentifier of the subject, or None."""
    try:
        names = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    except UNREADABLE as error:
        raise ProofError(ProofReason.X5C_INVALID) from error
    value = names[0].value if len(names) == 1 else None
    return value if isinstance(value, str) else None


def check_x509_chain(
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    *,
    at: int,
) -> None:
    """The chain leads to a pinned anchor, all in force `at` (seconds), each used as it may be.

    Raises ProofError(X5C_UNTRUSTED); where no anchor is pinned at all, as *cannot check*.
    """
    if not anchors:
        raise ProofError(ProofReason.X5C_UNTRUSTED, "no anchor", verdict=Verdict.CANNOT_CHECK)
    try:
        trusted = any(_leads_to(chain, anchor, at) for anchor in anchors)
    except UNREADABLE as error:
        raise ProofError(ProofReason.X5C_UNTRUSTED) from error
    if not trusted:
        raise ProofError(ProofReason.X5C_UNTRUSTED)


def _der(item: Json) -> bytes:
    if not isinstance(item, str):
        raise ProofError(ProofReason.X5C_INVALID)
    try:
        return b64_decode(item)
    except ProofError as error:
        raise ProofError(ProofReason.X5C_INVALID) from error


def _leads_to(chain: Sequence[x509.Certificate], anchor: x509.Certificate, at: int) -> bool:
    whole = [*chain, anchor]
    if not all(_in_force(x509_cert, at) and _understood(x509_cert) for x509_cert in whole):
        return False
    usage = _key_usage(whole[0])
    if usage is None or not usage.digital_signature:
        return False
    if not all(_may_issue(issuer, below=depth) for depth, issuer in enumerate(whole[1:])):
        return False
    return all(_issued(issuer, x509_cert) for x509_cert, issuer in pairwise(whole))


def _in_force(x509_cert: x509.Certificate, at: int) -> bool:
    starts, ends = x509_cert.not_valid_before_utc, x509_cert.not_valid_after_utc
    return starts.timestamp() <= at <= ends.timestamp()


def _understood(x509_cert: x509.Certificate) -> bool:
    """No critical extension that we would ignore (RFC 5280 §4.2)."""
    known = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage)
    return all(
        isinstance(extension.value, known)
        for extension in x509_cert.extensions
        if extension.critical
    )


def _may_issue(issuer: x509.Certificate, *, below: int) -> bool:
    """A CA whose path length allows `below` further CAs beneath it."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    usage = _key_usage(issuer)
    if not constraints.ca or (usage is not None and not usage.key_cert_sign):
        return False
    return constraints.path_length is None or below <= constraints.path_length


def _key_usage(x509_cert: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return x509_cert.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _issued(issuer: x509.Certificate, x509_cert: x509.Certificate) -> bool:
    try:
        x509_cert.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def read_x509_bundle(pem: bytes) -> tuple[X509, ...]:
    """The certificates in a PEM bundle, in any algorithm. Raises ValueError,
    ProofError(X509_MALFORMED)."""
    found = x509.load_pem_x509_certificates(pem)
    return tuple(parse_x509(one.public_bytes(Encoding.DER)) for one in found)
