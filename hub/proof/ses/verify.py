"""The report on a seal, and on a signature under one: the checks of `ses_checks` in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography.x509 import Certificate

from hub.domain.seal_key import KeyAlgorithm
from hub.proof.key_checks import check_key, key_digest, note_custody
from hub.proof.moment import Moment, Times, iso_time
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.reports.report import FactName, Remark, StepName
from hub.proof.run import Evidence, Run
from hub.proof.ses.checks import (
    check_content,
    check_listed,
    check_made,
    check_seal_period,
    check_seal_signature,
    check_signature_value,
    check_signing_time,
    check_stamped,
    seconds,
)
from hub.proof.ses.seal import V5, Seal, SesSignature, parse_seal, parse_signature
from hub.proof.time_stamp import verify_token
from hub.proof.trust import Trust
from hub.proof.x509.sm2 import X509, check_chain, check_not_revoked, parse_anchors, parse_crls

_SM2: Final = KeyAlgorithm.SM2.value


def verify_seal(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """A seal by itself, judged at the reader's moment."""
    seal = run.step(StepName.SEAL_FORMAT, lambda: parse_seal(data))
    if seal is None:
        return
    maker = _Judge(run, trust, evidence).seal(seal, evidence.reader)
    if maker is not None:
        note_custody(run, trust, _digest_of(maker))


def verify_seal_signature(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """A `SignedValue.dat` by itself: everything but the content, which is not there."""
    verify_under_seal(run, data, trust, evidence, content=None)


def verify_under_seal(
    run: Run, data: bytes, trust: Trust, evidence: Evidence, *, content: bytes | None
) -> SesSignature | None:
    """A signature and the seal in it, made over `content`; None where its form is wrong.

    For the steps of a sealed document: it notes steps and facts on `run` and raises nothing.
    """
    signature = run.step(StepName.SIGNATURE_FORMAT, lambda: parse_signature(data))
    if signature is None:
        return None
    _Judge(run, trust, evidence).signature(signature)
    if content is None:
        run.missing(ProofReason.NO_CONTENT, StepName.CONTENT_DIGEST)
    else:
        run.check(StepName.CONTENT_DIGEST, lambda: check_content(signature, content))
    return signature


@dataclass(frozen=True, slots=True)
class _Judge:
    """Notes on `run` what `trust` and `evidence` say of one seal or signature."""

    run: Run
    trust: Trust
    evidence: Evidence

    def signature(self, signature: SesSignature) -> None:
        """Checks 2 to 6 of a signature."""
        run = self.run
        signed = None if signature.sign_time is None else seconds(signature.sign_time)
        signer = run.step(StepName.SIGNATURE_VALUE, lambda: check_signature_value(signature))
        if signer is not None:
            run.fact(FactName.ALGORITHM, _SM2)
            note_custody(run, self.trust, _digest_of(signer))
            if signed is not None:
                run.fact(FactName.SIGNED_TIME, iso_time(signed))
        times = self._times(signed, signature.time_stamp, signature.signature)
        run.check(
            StepName.SIGNER_LISTED, lambda: check_listed(signature.seal, signature.signer_x509)
        )
        moment = self._moment(times)
        self.seal(signature.seal, moment)
        if signer is not None:
            chain = self._chain(StepName.SIGNER_CHAIN, signer, self.trust.signer_anchors, moment)
            if chain is not None:
                run.fact(FactName.SIGNER, signer.title)
                self._not_revoked(StepName.SIGNER_STATUS, chain, moment, times)
            self._key(StepName.SIGNER_KEY, signer, times)
            run.check(StepName.SIGNING_TIME, lambda: self._signing_time(signature, signer, times))

    def seal(self, seal: Seal, moment: Moment) -> X509 | None:
        """Checks 2 to 6 of a seal that is judged at `moment`; its maker, who signed it."""
        run = self.run
        maker = run.step(StepName.SEAL_SIGNATURE, lambda: check_seal_signature(seal))
        if maker is not None:
            starts, ends = seconds(seal.valid_from_time), seconds(seal.valid_to_time)
            run.fact(FactName.SEAL_NUMBER, seal.number)
            run.fact(FactName.SEAL_NAME, seal.name)
            run.fact(FactName.SEAL_VERSION, seal.version)
            run.fact(FactName.SEAL_PERIOD, f"{iso_time(starts)} – {iso_time(ends)}")
        times = self._times(seconds(seal.create_time), seal.time_stamp, seal.signature)
        if maker is not None:
            self._maker(maker, times, moment, lasting=seal.version == V5)
        run.check(StepName.SEAL_PERIOD, lambda: self._seal_period(seal, moment))
        return maker

    def _seal_period(self, seal: Seal, moment: Moment) -> None:
        at = self.run.judged_at(moment).time
        check_made(seal, at)
        check_seal_period(seal, at)

    def _maker(self, maker: X509, times: Times, moment: Moment, *, lasting: bool) -> None:
        """A seal of version 5 is `lasting`: its maker is judged when it was made."""
        when = self._moment(times) if lasting else moment
        chain = self._chain(StepName.MAKER_CHAIN, maker, self.trust.maker_anchors, when)
        if chain is not None:
            self.run.fact(FactName.MAKER, maker.title)
            self._not_revoked(StepName.MAKER_STATUS, chain, when, times)
        self._key(StepName.MAKER_KEY, maker, times)
        if when.time <= maker.not_after < moment.time:
            self.run.remark(Remark.MAKER_ENDED)

    def _times(self, signed: int | None, token: bytes | None, value: bytes) -> Times:
        """What is known of when a signature of this `value` was made."""
        if token is None:
            return replace(self.evidence.logged, signed=signed)

        def check() -> int:
            stamped = verify_token(token, value, self.trust.stamp_anchors)
            check_stamped(signed, stamped)
            self.run.fact(FactName.STAMPED_TIME, iso_time(stamped))
            return stamped

        stamped = self.run.step(StepName.TIME_STAMP, check)
        return replace(self.evidence.logged, signed=signed, stamped=stamped)

    def _moment(self, times: Times) -> Moment:
        """When a signature is judged; that it lies in the future is noted by its own step."""
        try:
            return times.judged(self.evidence.reader)
        except ProofError:
            return self.evidence.reader

    def _chain(
        self, step: StepName, leaf: X509, anchors: Sequence[Certificate], moment: Moment
    ) -> tuple[X509, ...] | None:
        def check() -> tuple[X509, ...]:
            self.run.judged_at(moment)
            # A seal holds no issuing certificate: those that are needed are pinned.
            return check_chain(leaf, (), parse_anchors(anchors), at=moment.time)

        return self.run.step(step, check)

    def _not_revoked(
        self, step: StepName, chain: Sequence[X509], moment: Moment, times: Times
    ) -> None:
        """Not by `moment`; and not since, unless somebody outside vouches for the time."""

        def check() -> None:
            lists = parse_crls(self.evidence.crls)
            proven = times.outside is not None
            check_not_revoked(chain, lists, at=self.evidence.now, by=moment.time, proven=proven)

        self.run.check(step, check)

    def _key(self, step: StepName, of: X509, times: Times) -> None:
        def check() -> None:
            check_key(self.trust, _digest_of(of), _SM2, times, self.evidence.reader)

        self.run.check(step, check)

    def _signing_time(self, signature: SesSignature, signer: X509, times: Times) -> None:
        check_signing_time(signature, signer)
        times.judged(self.evidence.reader)


def _digest_of(x509: X509) -> str:
    """The `key_digest` of a key that has verified a signature."""
    assert x509.key is not None, "it has verified one"
    return key_digest(x509.key.to_spki())
