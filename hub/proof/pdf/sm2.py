"""A signature with SM2 in a PDF: as `hub.proof.pdf.verify`, over a CMS that pyHanko cannot read.

PAdES knows no SM2; what is judged here is what national software writes (GB/T 35275 within the
signature dictionary of ISO 32000), and the same algorithms in the CMS of RFC 5652.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from hub.domain.seal_key import KeyAlgorithm
from hub.proof.key_checks import check_key, key_digest, note_custody
from hub.proof.moment import Moment, Times, iso_time
from hub.proof.pdf.chain import Stored, check_usage
from hub.proof.pdf.cms_sm2 import Sm2Cms, check_digest, check_value, parse_sm2_cms
from hub.proof.pdf.file import PdfSignature, cms_of, damaged, dictionary_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, StepName
from hub.proof.run import Evidence, Run
from hub.proof.time_stamp import verify_token
from hub.proof.trust import Trust
from hub.proof.x509.sm2 import X509, check_chain, check_not_revoked, parse_anchors, parse_crls

_SM2: Final = KeyAlgorithm.SM2.value
# 1.2.156.10197, the arc of SM2, SM3 and of the content types of GB/T 35275, as DER writes it.
_NATIONAL_ARC: Final = bytes.fromhex("2a811ccf55")


def names_sm2(signature: PdfSignature) -> bool:
    """Whether the CMS names an algorithm of the national standards for its digest or signature, or
    cannot be read as another and names one somewhere."""
    from asn1crypto import cms  # noqa: PLC0415

    if _NATIONAL_ARC not in signature.contents:
        return False
    try:
        # A time stamp in it may be national where the signature is not.
        (signer,) = cms.ContentInfo.load(signature.contents)["content"]["signer_infos"]
        named = (signer["digest_algorithm"], signer["signature_algorithm"])
        return any(_NATIONAL_ARC in one["algorithm"].dump() for one in named)
    except damaged():
        return True


@dataclass(frozen=True, slots=True)
class Sm2Signature:
    """One signature under verification."""

    run: Run
    signature: PdfSignature
    stored: Stored
    trust: Trust
    evidence: Evidence

    def verify(self, check_changes: Callable[[], None], stamps: Sequence[int]) -> None:
        """Steps 2 to 8; `stamps` are the times of document time stamps behind it."""
        run = self.run
        cms = run.step(StepName.SIGNATURE_FORMAT, lambda: parse_sm2_cms(cms_of(self.signature)))
        if cms is None:
            return
        content = self.signature.signed_bytes
        if not run.check(StepName.CONTENT_DIGEST, lambda: check_digest(cms, content)):
            return
        if not run.check(StepName.SIGNATURE_VALUE, lambda: check_value(cms)):
            return
        assert cms.signer.key is not None, "it has verified the signature"
        key = key_digest(cms.signer.key.to_spki())
        run.fact(FactName.ALGORITHM, _SM2)
        note_custody(run, self.trust, key)
        run.check(StepName.LATER_CHANGES, check_changes)
        times = self._times(cms, stamps)
        chain = run.step(StepName.SIGNER_CHAIN, lambda: self._chain(cms, key, times))
        if chain is not None:
            run.fact(FactName.SIGNER, cms.signer.title)
            run.check(StepName.REVOCATION, lambda: self._check_revocation(chain, times))

    def _times(self, cms: Sm2Cms, stamps: Sequence[int]) -> Times:
        run, found = self.run, [*stamps]
        signed = cms.time if cms.time is not None else dictionary_time(self.signature)
        if signed is not None:
            run.fact(FactName.SIGNED_TIME, iso_time(signed))
        for token in cms.tokens:
            check = partial(verify_token, token, cms.signature, self.trust.stamp_anchors)
            stamped = run.step(StepName.TIME_STAMP, check)
            if stamped is not None:
                run.fact(FactName.STAMPED_TIME, iso_time(stamped))
                found.append(stamped)
        return replace(self.evidence.logged, signed=signed, stamped=min(found, default=None))

    def _moment(self, times: Times) -> Moment:
        return self.run.judged_at(times.judged(self.evidence.reader))

    def _chain(self, cms: Sm2Cms, key: str, times: Times) -> tuple[X509, ...]:
        moment = self._moment(times)
        check_usage(cms.signer.der)
        pinned = parse_anchors(self.trust.pdf_anchors)
        if not pinned:
            raise ProofError(ProofReason.NO_PDF_ANCHOR, verdict=Verdict.CANNOT_CHECK)
        chain = check_chain(cms.signer, cms.others, pinned, at=moment.time)
        check_key(self.trust, key, _SM2, times, self.evidence.reader)
        return chain

    def _check_revocation(self, chain: Sequence[X509], times: Times) -> None:
        moment = self._moment(times)
        proven = times.outside is not None
        # Without a proof from outside, whoever holds a revoked key antedates what he signs.
        at = moment.time if proven else self.evidence.reader.time
        check_not_revoked(chain, parse_crls(self.stored.crls), at=at, by=moment.time, proven=proven)
