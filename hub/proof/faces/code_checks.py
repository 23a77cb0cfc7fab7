"""Codes of faces (docs/formats/qr-code.md): what the paper must say, and whether that still holds.

A genuine code can stand on a forged paper, so the facts are there to be compared with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.domain.qr_text import LOOKUP_PREFIX, PREVIEW_PREFIX, status_uri
from hub.proof.encoding import b64u
from hub.proof.faces.code import FaceCode, face_code_key, verify_face_code
from hub.proof.faces.code_picture import is_picture, text_in_picture
from hub.proof.faces.facts import CHINA, FaceFacts, code_in_file
from hub.proof.jose import Algorithm, RegisteredKey
from hub.proof.key_checks import check_key, key_digest, note_custody
from hub.proof.moment import Basis, Moment, Times, iso_time
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.checks import verify_status
from hub.proof.records.sd_jwt import StatusReference
from hub.proof.reports.report import FactName, Remark, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import FacePin, Trust

LONG_TERM: Final = "长期"


def verify_code(run: Run, data: bytes, trust: Trust, evidence: Evidence) -> None:
    """The signature of a pinned issuer, its key, its days, its status; of a picture first what its
    code says."""
    text: str | None
    if is_picture(data):
        text = run.step(StepName.PICTURE, lambda: text_in_picture(data))
    else:
        # Line ends and no spaces: Base45 has one for a character.
        text = data.decode().strip("\r\n")
    if text is None:
        return
    verify_text(run, text, trust, evidence)


def verify_text(run: Run, text: str, trust: Trust, evidence: Evidence) -> None:
    """As `verify_code`, of the text of a code."""
    opened = run.step(StepName.CODE, lambda: _open(run, text, trust, evidence))
    if opened is None:
        return
    code, pin = opened
    run.remark(Remark.COMPARE_WITH_PAPER)
    _facts(run, code, pin)
    note_custody(run, trust, key_digest(pin.spki))
    run.check(StepName.SIGNER_KEY, lambda: _check_key(run, code, pin, trust, evidence))
    run.check(StepName.CODE_DAYS, lambda: _check_days(run, code, evidence))
    reference = StatusReference(code.status_place, status_uri(code.origin, code.status_list))
    verify_status(run, trust, evidence, reference)


def check_face_code(run: Run, facts: FaceFacts, trust: Trust, evidence: Evidence) -> None:
    """The code in a face's metadata says what the rest of them says, and a signed one holds.

    The seal of the file stands for what it says, so a code of an issuer that nobody pinned is no
    more than not checked. Raises FACE_CODE_DIFFERS, and what the code itself fails for.
    """
    if code_in_file(facts) is None:
        return
    if trust.face_pin(face_code_key(facts.code)) is None:
        run.remark(Remark.CODE_NOT_PINNED)
        return
    code, pin = _open(run, facts.code, trust, evidence)
    _check_key(run, code, pin, trust, evidence)


def _open(run: Run, text: str, trust: Trust, evidence: Evidence) -> tuple[FaceCode, FacePin]:
    if text.startswith(PREVIEW_PREFIX):
        raise ProofError(ProofReason.CODE_PREVIEW)
    if text.startswith(LOOKUP_PREFIX):
        raise ProofError(ProofReason.CODE_UNSIGNED, verdict=Verdict.CANNOT_CHECK)
    if not trust.face_certificates:
        raise ProofError(ProofReason.NO_FACE_PIN, verdict=Verdict.CANNOT_CHECK)
    used: list[FacePin] = []

    def keys(kid: str) -> RegisteredKey | None:
        pin = trust.face_pin(kid)
        if pin is None:
            return None
        used.append(pin)
        return pin.key

    code = verify_face_code(
        text, keys=keys, origin=trust.origin, region=trust.region, now=evidence.now
    )
    run.judged_at(Moment(code.iat, Basis.SIGNED))
    pin = used[0]
    if code.iat < pin.not_before:
        raise ProofError(ProofReason.X509_NOT_YET_VALID)
    if code.iat > pin.not_after:
        raise ProofError(ProofReason.X509_EXPIRED)
    return code, pin


def _check_key(run: Run, code: FaceCode, pin: FacePin, trust: Trust, evidence: Evidence) -> None:
    times = Times(signed=code.iat)
    run.judged_at(times.judged(evidence.reader))
    check_key(trust, key_digest(pin.spki), Algorithm.ES256.name, times, evidence.reader)


def _check_days(run: Run, code: FaceCode, evidence: Evidence) -> None:
    """Its own days hold the reader's. Raises CODE_DAYS."""
    now = run.judged_at(evidence.reader).time
    if not code.is_valid_on(datetime.fromtimestamp(now, CHINA).date()):
        days = f"{code.valid_from or '..'}/{code.valid_until or '..'}"
        raise ProofError(ProofReason.CODE_DAYS, days)


def _facts(run: Run, code: FaceCode, pin: FacePin) -> None:
    run.fact(FactName.NAME, code.name)
    if code.number:
        run.fact(FactName.NUMBER, code.number)
    if code.valid_from:
        run.fact(FactName.VALID_FROM, code.valid_from)
    run.fact(FactName.VALID_UNTIL, code.valid_until or LONG_TERM)
    run.fact(FactName.IDENTIFIER, code.identifier)
    run.fact(FactName.ISSUER, code.issuer)
    run.fact(FactName.SIGNED_TIME, iso_time(code.iat))
    run.fact(FactName.PINNED, b64u(pin.x5t))
