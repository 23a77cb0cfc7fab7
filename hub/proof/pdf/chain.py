"""Whose certificate a PDF signature bears: chain, revocation and time stamps, at the right time.

Paths are built and checked by pyhanko-certvalidator, offline, with the anchors of the reader's
trust file and nothing of the system's. It is imported inside of functions, as in `pdf_file`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cryptography import x509

from hub.proof.pdf.file import damaged
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.time_stamp import offline_context, verify_signed_data

if TYPE_CHECKING:
    from asn1crypto import cms
    from asn1crypto import x509 as asn1_x509
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
    from pyhanko_certvalidator import ValidationContext

TOKENS_MAX: Final = 4
STORED_MAX: Final = 256

# Purposes under which a document may be signed, where a certificate names any (RFC 5280 §4.2.1.12,
# RFC 9336 for documents; mail protection is what many authorities write for lack of it).
_PURPOSES: Final = frozenset(
    {"any_extended_key_usage", "1.3.6.1.5.5.7.3.36", "email_protection", "1.2.840.113583.1.1.5"}
)
_USAGES: Final = frozenset({"digital_signature", "non_repudiation"})


@dataclass(frozen=True, slots=True)
class Stored:
    """What a document keeps for its verification in later years (its document security store)."""

    certificates: tuple[asn1_x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    def and_lists(self, crls: tuple[bytes, ...]) -> Stored:
        """With revocation lists that the reader has besides."""
        return replace(self, crls=self.crls + crls)


def read_stored(reader: PdfFileReader) -> Stored:
    """The document security store of a PDF; empty where it has none or a damaged one."""
    from pyhanko.sign.validation.dss import DocumentSecurityStore  # noqa: PLC0415

    try:
        store = DocumentSecurityStore.read_dss(reader)
        certificates = tuple(store.load_certs())[:STORED_MAX]
        crls = tuple(item.get_object().data for item in store.crls[:STORED_MAX])
        ocsps = tuple(item.get_object().data for item in store.ocsps[:STORED_MAX])
    except damaged():
        # Nothing is believed of it that does not verify, and nothing is lost but evidence.
        return Stored()
    return Stored(certificates, crls, ocsps)


def check_chain(
    opened: EmbeddedPdfSignature,
    stored: Stored,
    anchors: Sequence[x509.Certificate],
    at: int,
) -> None:
    """The signer's certificate leads to a pinned anchor, was in force `at`, and may sign documents.

    Raises ProofError(NO_PDF_ANCHOR) as *cannot check*, (X509_EXPIRED), (X509_NOT_YET_VALID),
    (X509_USAGE), (X509_UNTRUSTED); at last (X509_USAGE) as *cannot check* where nobody says what
    the key is for.
    """
    if not anchors:
        raise ProofError(ProofReason.NO_PDF_ANCHOR, verdict=Verdict.CANNOT_CHECK)
    is_named = check_usage(opened.signer_cert.dump())
    _validate(opened, stored, offline_context(anchors, at, "soft-fail"))
    if not is_named:
        raise ProofError(ProofReason.X509_USAGE, "none named", verdict=Verdict.CANNOT_CHECK)


def check_revocation(
    opened: EmbeddedPdfSignature,
    stored: Stored,
    anchors: Sequence[x509.Certificate],
    judged: int,
    *,
    read: int | None,
) -> None:
    """The signer's certificate was not revoked when it signed, by the lists that are given.

    Where nobody but the signer says when that was, the lists have to cover `read`, the reader's
    own moment, and a revocation since then leaves it open. Raises ProofError(X509_REVOKED), and
    (X509_REVOKED_SINCE) or (NO_CRL) as *cannot check*.
    """
    from pyhanko_certvalidator.errors import RevokedError  # noqa: PLC0415

    context = offline_context(
        anchors,
        judged if read is None else read,
        "require",
        crls=stored.crls,
        ocsps=stored.ocsps,
    )
    try:
        _validate(opened, stored, context)
    except ProofError as error:
        if not isinstance(error.__cause__, RevokedError):
            raise ProofError(ProofReason.NO_CRL, verdict=Verdict.CANNOT_CHECK) from error
        revoked = error.__cause__.revocation_dt
        if revoked.timestamp() > judged:
            raise ProofError(
                ProofReason.X509_REVOKED_SINCE,
                revoked.isoformat(),
                verdict=Verdict.CANNOT_CHECK,
            ) from error
        raise ProofError(ProofReason.X509_REVOKED, revoked.isoformat()) from error


def signature_stamps(opened: EmbeddedPdfSignature) -> list[cms.SignedData]:
    """The time stamp tokens over the signature value (B-T). Raises ProofError(CMS_MALFORMED)."""
    from pyhanko.sign.validation.generic_cms import extract_tst_data_iter  # noqa: PLC0415

    try:
        tokens = list(extract_tst_data_iter(opened.signer_info, signed=False))
    except damaged() as error:
        raise ProofError(ProofReason.CMS_MALFORMED, "unsigned attributes") from error
    if len(tokens) > TOKENS_MAX:
        raise ProofError(ProofReason.CMS_MALFORMED, "time stamps")
    return tokens


def verify_stamp(
    opened: EmbeddedPdfSignature,
    token: cms.SignedData | None,
    stored: Stored,
    anchors: Sequence[x509.Certificate],
) -> int:
    """The time in seconds that a token vouches for: of the signature value, or, without a token,
    of the document (a document time stamp is its own token).

    The chain is judged at that time, as RFC 3161 §4 leaves it. Raises ProofError(NO_STAMP_ANCHOR)
    as *cannot check*, and (TIME_STAMP_INVALID).
    """
    from pyhanko.sign.validation.generic_cms import message_imprint_checker  # noqa: PLC0415

    if token is None:
        certificates = stored.certificates
        return verify_signed_data(opened.signed_data, opened.compute_digest, anchors, certificates)
    imprint = message_imprint_checker(opened.signer_info)
    return verify_signed_data(token, imprint, anchors, stored.certificates)


def _validate(opened: EmbeddedPdfSignature, stored: Stored, context: ValidationContext) -> None:
    from pyhanko_certvalidator import CertificateValidator  # noqa: PLC0415
    from pyhanko_certvalidator.errors import (  # noqa: PLC0415
        ExpiredError,
        NotYetValidError,
        PathError,
        ValidationError,
    )

    validator = CertificateValidator(
        opened.signer_cert,
        intermediate_certs=[*opened.other_embedded_certs[:STORED_MAX], *stored.certificates],
        validation_context=context,
    )
    try:
        asyncio.run(validator.async_validate_usage(set()))  # type: ignore[no-untyped-call]
    except ExpiredError as error:
        raise ProofError(ProofReason.X509_EXPIRED) from error
    except NotYetValidError as error:
        raise ProofError(ProofReason.X509_NOT_YET_VALID) from error
    except (ValidationError, PathError) as error:
        raise ProofError(ProofReason.X509_UNTRUSTED, type(error).__name__) from error
    except damaged() as error:
        raise ProofError(ProofReason.X509_UNTRUSTED, type(error).__name__) from error


def check_usage(leaf_der: bytes) -> bool:
    """Nothing in the certificate says that its key is not for documents; whether KeyUsage says that
    it is, which RFC 5280 lets an issuer leave out. Raises ProofError(X509_USAGE)."""
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415

    try:
        leaf = asn1_x509.Certificate.load(leaf_der)
        usage, purposes = leaf.key_usage_value, leaf.extended_key_usage_value
        is_other = usage is not None and _USAGES.isdisjoint(usage.native)
        named = None if purposes is None else set(purposes.native)
    except damaged() as error:
        raise ProofError(ProofReason.X509_USAGE, type(error).__name__) from error
    if is_other or (named is not None and named.isdisjoint(_PURPOSES)):
        raise ProofError(ProofReason.X509_USAGE)
    return usage is not None
