"""What keeps a PDF seal verifiable for years: evidence and time stamps added behind the seal.

A seal with a time stamp (B-T), with chains and revocation lists as of its making in the document
(B-LT), and with a time stamp over all of that (B-LTA) is judged at the time of its stamp for as
long as the stamp holds; before that ends, another one is added (ETSI EN 319 142-1 §5.4, §5.5,
formats.md §12). Nothing here needs the seal's key, and nothing changes the sealed document.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Protocol

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from hub.proof.pdf.file import check_range, open_pdf
from hub.proof.reasons import ProofError
from hub.seal.documents.cms import filled
from hub.seal.documents.pdf_seal import (
    TIME_STAMP_BYTES_MAX,
    UNREADABLE,
    damaged,
    open_writer,
    refused,
)


class DigestStamps(Protocol):
    """A time stamping service that takes a digest (`hub.seal.documents.time_stamps`)."""

    def stamp_digest(self, digest: bytes) -> bytes:
        """The RFC 3161 token over a SHA-256, verified.

        Raises HubError(TIME_STAMP_UNAVAILABLE): no answer, or one that does not hold.
        """
        ...


def add_evidence(document: bytes, certificates: Sequence[bytes], crls: Sequence[bytes]) -> bytes:
    """`document` with chains and revocation lists (DER) in its security store: B-LT.

    They are kept as they are; whether they prove anything is for the verifier to say. They belong
    to no signature of their own (VRI), so that more may be added later: a changed entry would be a
    change of the document. Raises HubError(PDF_REFUSED).
    """
    _check_sealed(document)
    writer = open_writer(document)
    try:
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,
            certs=[asn1_x509.Certificate.load(item, strict=True) for item in certificates],
            crls=[asn1_crl.CertificateList.load(item, strict=True) for item in crls],
        )
        out = io.BytesIO()
        writer.write(out)  # type: ignore[no-untyped-call]
    except UNREADABLE as error:
        raise damaged(error) from error
    return out.getvalue()


def add_document_stamp(document: bytes, stamps: DigestStamps) -> bytes:
    """`document` with a time stamp over all of it: B-LTA, and again before that one ends.

    Raises HubError(PDF_REFUSED), and what `stamps.stamp_digest` raises.
    """
    writer = open_writer(document)
    # A name that no earlier time stamp of this document has.
    name = f"Stamp-{hashlib.sha256(document).hexdigest()[:16]}"
    try:
        steps = PdfCMSEmbedder(SigFieldSpec(name)).write_cms(name, writer)
        next(steps)
        steps.send(SigObjSetup(DocumentTimestamp(bytes_reserved=2 * TIME_STAMP_BYTES_MAX)))
        digest, output = steps.send(SigIOSetup("sha256"))
    except UNREADABLE as error:
        raise damaged(error) from error
    token = stamps.stamp_digest(digest.document_digest)
    data = output.getvalue()
    start, end = digest.reserved_region_start, digest.reserved_region_end
    return filled((data[:start], data[end:]), end - start, token)


def _check_sealed(document: bytes) -> None:
    try:
        check_range([item for item in open_pdf(document) if not item.is_stamp][-1])
    except ProofError as error:
        raise refused(f"it is no sealed PDF ({error.reason.value})", "不是已签章的 PDF") from error
