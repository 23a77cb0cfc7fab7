"""Sealed PDF documents (PAdES, ETSI EN 319 142-1; formats.md §11): the steps of their verification.

Each signature of the file is a part of its own, in the order in which they were made. Of each:

1. `signed-range`: it covers the file from its first byte to the end of a revision.
2. `signature-format`: one CMS in DER, with the attributes that bind document and certificate.
3. `content-digest`: these bytes are the ones that were signed.
4. `signature-value`: by the key of the certificate that the signature names; with low s where it
   is one of this hub's departments.
5. `later-changes`: what was added since is what it allows: evidence, time stamps, declared seals.
6. `time-stamp`, where there is one: when it was signed is not the signer's word alone.
7. `signer-chain`: the certificate was in force then, and leads to an anchor of the trust file.
8. `revocation`: it was not revoked then; *cannot check* where the document keeps no lists.

A document time stamp has steps 1, 2, 5 and 6. Meant to be run where it can be killed
(`hub.proof.worker`): a PDF is a program for its reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from hub.proof.faces.checks import verify_face
from hub.proof.key_checks import check_key, key_digest, note_custody
from hub.proof.moment import Times, iso_time
from hub.proof.pdf.chain import (
    Stored,
    check_chain,
    check_revocation,
    read_stored,
    signature_stamps,
    verify_stamp,
)
from hub.proof.pdf.file import (
    PdfSignature,
    algorithm,
    check_changes,
    check_digest,
    check_low_s,
    check_range,
    open_cms,
    open_pdf,
    placed,
    read_face,
    signed_time,
)
from hub.proof.pdf.sm2 import Sm2Signature, names_sm2
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import Trust
from hub.proof.x509.sm2 import title_of

if TYPE_CHECKING:
    from asn1crypto import cms
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature


def verify_pdf(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """Note the steps of every signature in the PDF `data`. Raises nothing."""
    signatures = run.step(StepName.SIGNED, lambda: open_pdf(data))
    if signatures is None:
        return
    stored = read_stored(signatures[0].reader).and_lists(evidence.crls)
    file = _File(run, signatures, stored, trust, evidence)
    for number, signature in enumerate(signatures):
        with run.part(number + 1):
            if signature.is_stamp:
                file.verify_document_stamp(number)
            else:
                file.verify_signature(number)
    seals = [signature for signature in signatures if not signature.is_stamp]
    if seals:
        # What was listed is the file as it was sealed, without evidence that was added since.
        sealed = data[: seals[0].end]
        verify_face(run, sealed, lambda: read_face(seals[0]), trust, evidence)


@dataclass(frozen=True, slots=True)
class _File:
    """One PDF under verification."""

    run: Run
    signatures: Sequence[PdfSignature]
    stored: Stored
    trust: Trust
    evidence: Evidence

    def verify_signature(self, number: int) -> None:
        """Steps 1 to 8; what depends on a step that fails is not looked at."""
        run, signature = self.run, self.signatures[number]
        if not run.check(StepName.SIGNED_RANGE, lambda: check_range(signature)):
            return
        if names_sm2(signature):
            self._verify_sm2(number)
            return
        opened = run.step(StepName.SIGNATURE_FORMAT, lambda: open_cms(signature))
        if opened is None:
            return
        value = run.step(StepName.CONTENT_DIGEST, lambda: check_digest(opened))
        if value is None:
            return
        key = _digest_of(opened)

        def check_value() -> None:
            value()
            if self.trust.custody_of(key) is not None:
                check_low_s(opened)

        if not run.check(StepName.SIGNATURE_VALUE, check_value):
            return
        run.fact(FactName.ALGORITHM, algorithm(opened))
        note_custody(run, self.trust, key)
        run.check(StepName.LATER_CHANGES, partial(self._check_changes, number, opened))
        times = self._times(number, opened)
        chained = run.check(StepName.SIGNER_CHAIN, lambda: self._check_chain(opened, times))
        if chained:
            run.fact(FactName.SIGNER, title_of(opened.signer_cert.subject.dump()))
            run.check(StepName.REVOCATION, lambda: self._check_revocation(opened, times))

    def verify_document_stamp(self, number: int) -> None:
        """Steps 1, 2, 5 and 6 of a document time stamp."""
        signature = self.signatures[number]
        if not self.run.check(StepName.SIGNED_RANGE, lambda: check_range(signature)):
            return
        opened = self.run.step(StepName.SIGNATURE_FORMAT, lambda: _open_stamp(signature))
        if opened is None:
            return
        self.run.check(StepName.LATER_CHANGES, partial(self._check_changes, number, opened))
        stamped = self.run.step(StepName.TIME_STAMP, lambda: self._stamp(opened, None))
        if stamped is not None:
            self.run.fact(FactName.STAMPED_TIME, iso_time(stamped))

    def _verify_sm2(self, number: int) -> None:
        signature = self.signatures[number]
        Sm2Signature(self.run, signature, self.stored, self.trust, self.evidence).verify(
            lambda: self._check_changes(number, placed(signature)), self._document_stamps(number)
        )

    def _check_changes(self, number: int, opened: EmbeddedPdfSignature) -> None:
        check_changes(self.signatures[number], opened, list(self.signatures[number + 1 :]))

    def _times(self, number: int, opened: EmbeddedPdfSignature) -> Times:
        """What is known of when it was signed; the steps of time stamps are noted on the way."""
        run = self.run
        signed = signed_time(opened)
        if signed is not None:
            run.fact(FactName.SIGNED_TIME, iso_time(signed))
        stamps = self._document_stamps(number)
        try:
            tokens = signature_stamps(opened)
        except ProofError as error:
            run.fail(StepName.TIME_STAMP, error)
            tokens = []
        for token in tokens:
            stamped = run.step(StepName.TIME_STAMP, partial(self._stamp, opened, token))
            if stamped is not None:
                run.fact(FactName.STAMPED_TIME, iso_time(stamped))
                stamps.append(stamped)
        return replace(self.evidence.logged, signed=signed, stamped=min(stamps, default=None))

    def _document_stamps(self, number: int) -> list[int]:
        """The times of the document time stamps behind a signature; each has steps of its own."""
        times = []
        for later in self.signatures[number + 1 :]:
            if later.is_stamp:
                try:
                    check_range(later)
                    times.append(self._stamp(_open_stamp(later), None))
                except ProofError:
                    continue
        return times

    def _stamp(self, opened: EmbeddedPdfSignature, token: cms.SignedData | None) -> int:
        return verify_stamp(opened, token, self.stored, self.trust.stamp_anchors)

    def _check_chain(self, opened: EmbeddedPdfSignature, times: Times) -> None:
        moment = self.run.judged_at(times.judged(self.evidence.reader))
        check_chain(opened, self.stored, self.trust.pdf_anchors, moment.time)
        key = _digest_of(opened)
        check_key(self.trust, key, algorithm(opened), times, self.evidence.reader)

    def _check_revocation(self, opened: EmbeddedPdfSignature, times: Times) -> None:
        moment = self.run.judged_at(times.judged(self.evidence.reader))
        # Without a proof from outside, whoever holds a revoked key antedates what he signs.
        read = self.evidence.reader.time if times.outside is None else None
        check_revocation(opened, self.stored, self.trust.pdf_anchors, moment.time, read=read)


def _open_stamp(signature: PdfSignature) -> EmbeddedPdfSignature:
    """As `open_cms`. Raises ProofError(ALG_NOT_CHECKED) as *cannot check* where it names SM2, which
    pyHanko does not compute."""
    if names_sm2(signature):
        raise ProofError(ProofReason.ALG_NOT_CHECKED, "SM2", verdict=Verdict.CANNOT_CHECK)
    return open_cms(signature)


def _digest_of(opened: EmbeddedPdfSignature) -> str:
    return key_digest(opened.signer_cert.public_key.dump())
