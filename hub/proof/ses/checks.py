"""What must hold of a seal (GB/T 38540 §6.3) and of a signature under it (§7.3), check by check.

Each function is one numbered check of `docs/formats/seal.md`. It raises ProofError with its reason,
or returns what the next needs; times are seconds. `hub.proof.ses.verify` puts them into a report.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hub.proof.moment import AHEAD_S_MAX, iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.ses.seal import V5, CertDigest, Seal, SesSignature
from hub.proof.sm2 import SM2_WITH_SM3, sm3
from hub.proof.x509.sm2 import X509, check_chain, check_in_force, parse_x509

_SM3: Final = "SM3"


def check_seal_signature(seal: Seal) -> X509:
    """The maker's certificate, whose key signed the seal.

    Raises SEAL_SIGNATURE_INVALID, X509_MALFORMED, ALG_MISMATCH; ALG_NOT_CHECKED and SM2_UNAVAILABLE
    as *cannot check*.
    """
    return _signed_by(
        seal.maker_x509,
        seal.algorithm,
        seal.signed_bytes,
        seal.signature,
        ProofReason.SEAL_SIGNATURE_INVALID,
    )


def check_seal_period(seal: Seal, at: int) -> None:
    """The seal is valid `at`. Raises SEAL_NOT_YET_VALID, SEAL_EXPIRED."""
    starts, ends = seconds(seal.valid_from_time), seconds(seal.valid_to_time)
    if at < starts:
        detail = f"from {iso_time(starts)}, judged at {iso_time(at)}"
        raise ProofError(ProofReason.SEAL_NOT_YET_VALID, detail)
    if at > ends:
        detail = f"until {iso_time(ends)}, judged at {iso_time(at)}"
        raise ProofError(ProofReason.SEAL_EXPIRED, detail)


def check_maker(seal: Seal, anchors: Sequence[X509], at: int) -> tuple[X509, ...]:
    """The way from the maker's certificate to one of `anchors`, judged `at`; of version 5 when the
    seal was made.

    A seal holds no issuing certificate: those that are needed are pinned. Raises as `check_chain`.
    """
    when = seconds(seal.create_time) if seal.version == V5 else at
    return check_chain(parse_x509(seal.maker_x509), (), anchors, at=when)


def check_made(seal: Seal, at: int) -> None:
    """A seal of version 5 was made by `at` (GM/T 0031-2025; earlier versions do not ask).

    Raises SIGNED_LATER.
    """
    made = seconds(seal.create_time)
    if seal.version == V5 and made > at + AHEAD_S_MAX:
        detail = f"made {iso_time(made)}, judged at {iso_time(at)}"
        raise ProofError(ProofReason.SIGNED_LATER, detail)


def check_signature_value(signature: SesSignature) -> X509:
    """The signer's certificate, whose key made the signature.

    Raises SIGNATURE_INVALID, and otherwise as `check_seal_signature`.
    """
    return _signed_by(
        signature.signer_x509,
        signature.algorithm,
        signature.signed_bytes,
        signature.signature,
        ProofReason.SIGNATURE_INVALID,
    )


def check_listed(seal: Seal, signer_x509: bytes) -> None:
    """The signer's certificate (DER) is one that the seal was made for.

    Raises SIGNER_NOT_IN_SEAL; SIGNER_DIGEST_UNKNOWN as *cannot check*: the standard leaves open
    how digests are made, and only the plain SM3 of the DER is known here.
    """
    if signer_x509 in seal.signer_x509s:
        return
    if CertDigest(_SM3, sm3(signer_x509)) in seal.signer_digests:
        return
    if any(item.type != _SM3 for item in seal.signer_digests):
        raise ProofError(ProofReason.SIGNER_DIGEST_UNKNOWN, verdict=Verdict.CANNOT_CHECK)
    raise ProofError(ProofReason.SIGNER_NOT_IN_SEAL)


def check_signing_time(signature: SesSignature, signer: X509) -> None:
    """The time that the signer named lies in the validity of its certificate and of the seal.

    Raises SIGNING_TIME_UNKNOWN as *cannot check*, X509_… and SEAL_….
    """
    if signature.sign_time is None:
        raise ProofError(ProofReason.SIGNING_TIME_UNKNOWN, verdict=Verdict.CANNOT_CHECK)
    at = seconds(signature.sign_time)
    check_in_force(signer, at)
    check_seal_period(signature.seal, at)


def check_content(signature: SesSignature, content: bytes) -> None:
    """`content` is what was signed. Raises CONTENT_DIGEST_MISMATCH."""
    if sm3(content) != signature.data_hash:
        raise ProofError(ProofReason.CONTENT_DIGEST_MISMATCH, signature.protected)


def check_stamped(signed: int | None, stamped: int) -> None:
    """What says itself when it was made is not younger than its time stamp, but for clocks.

    Raises TIME_STAMP_INVALID.
    """
    if signed is not None and signed > stamped + AHEAD_S_MAX:
        raise ProofError(ProofReason.TIME_STAMP_INVALID, "it is older than what it stamps")


def seconds(time: datetime) -> int:
    """Seconds since 1970 UTC, as reports and certificates count."""
    return int(time.timestamp())


def _signed_by(
    x509: bytes, algorithm: str, signed_bytes: bytes, signature: bytes, wrong: ProofReason
) -> X509:
    by = parse_x509(x509)
    if algorithm != SM2_WITH_SM3:
        raise ProofError(ProofReason.ALG_NOT_CHECKED, algorithm, verdict=Verdict.CANNOT_CHECK)
    if by.key is None:
        raise ProofError(ProofReason.ALG_MISMATCH, "the certificate holds no SM2 key")
    if not by.key.verify(signed_bytes, signature):
        raise ProofError(wrong)
    return by
