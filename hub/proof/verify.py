"""Verification of anything the hub hands out, offline: one engine over bytes.

What a file is, is recognised by its content (`hub.proof.recognise`); this table says which module
checks it, `hub.proof.run` how its steps are collected. A step that lacks an input is *cannot check*
and the others go on, a step that fails ends its thread. The verdict is the worst of the steps, so
whatever was not checked is never *valid*; a record whose status nobody supplied is therefore
*cannot check* as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hub.proof.exchange.answer_checks import (
    verify_answer,
    verify_checkpoint,
    verify_logged_file,
    verify_receipt,
)
from hub.proof.faces.code_checks import verify_code
from hub.proof.key_checks import UNVERIFIED
from hub.proof.ofd.verify import verify_ofd
from hub.proof.pdf.verify import verify_pdf
from hub.proof.reasons import ProofReason
from hub.proof.records.checks import verify_record, verify_status_token
from hub.proof.reports.report import FactName, Kind, Report, StepName
from hub.proof.run import Evidence, Run, Verifier
from hub.proof.ses.verify import verify_seal, verify_seal_signature
from hub.proof.trust import Trust

VERIFIERS: Final[Mapping[Kind, Verifier]] = {
    Kind.RECORD: verify_record,
    Kind.PRESENTATION: verify_record,
    Kind.RECEIPT: verify_receipt,
    Kind.ANSWER: verify_answer,
    Kind.PLAN: verify_answer,
    Kind.VERIFICATION: verify_answer,
    Kind.DOCUMENT: verify_answer,
    Kind.CHECKPOINT: verify_checkpoint,
    Kind.STATUS_LIST: verify_status_token,
    Kind.SEAL: verify_seal,
    Kind.SEAL_SIGNATURE: verify_seal_signature,
    Kind.OFD: verify_ofd,
    Kind.PDF: verify_pdf,
    Kind.FACE_CODE: verify_code,
}
"""Who checks what: every kind, so that whatever is recognised is checked."""

# These carry certificates of their own, so that their signatures are checked without a trust file;
# whose they are is not.
SELF_CONTAINED: Final = (Kind.OFD, Kind.PDF, Kind.SEAL, Kind.SEAL_SIGNATURE)
SEALED: Final = (*SELF_CONTAINED, Kind.RECORD, Kind.PRESENTATION, Kind.FACE_CODE)
_RECORDS: Final = (Kind.RECORD, Kind.PRESENTATION)
_ANSWERS: Final = (Kind.ANSWER, Kind.PLAN, Kind.VERIFICATION, Kind.DOCUMENT)
# What each part of the evidence is held against; the clock and the reader's own name serve all.
_SERVES: Final[Mapping[str, tuple[Kind, ...]]] = {
    "requests": (*_RECORDS, *_ANSWERS, Kind.RECEIPT),
    "answer": (Kind.RECEIPT,),
    "status_tokens": (*_RECORDS, *_ANSWERS, Kind.RECEIPT, Kind.OFD, Kind.PDF, Kind.FACE_CODE),
    "crls": SELF_CONTAINED,
    "receipt": (*SELF_CONTAINED, *_ANSWERS),
    "record": (Kind.OFD, Kind.PDF),
    "twin": _RECORDS,
    "required": (*_RECORDS, Kind.ANSWER),
}
_NOTHING_PINNED: Final = Trust(origin="", region="")


def idle_evidence(kind: Kind, evidence: Evidence) -> str | None:
    """The first part of `evidence` that nothing of a file of this kind is compared with.

    Whoever gave it believes that it was, so it is an error of the caller and no verdict.
    """
    brought = (name for name in _SERVES if getattr(evidence, name))
    return next((name for name in brought if kind not in _SERVES[name]), None)


def verify(data: bytes, kind: Kind, trust: Trust | None, evidence: Evidence) -> Report:
    """The report on `data`, which was recognised as `kind`. Raises nothing, whatever it holds."""
    run = Run(kind)
    if trust is not None or kind in SELF_CONTAINED:
        pinned = trust or _NOTHING_PINNED
        if kind in SELF_CONTAINED and evidence.receipt is not None:
            logged = verify_logged_file(run, data, evidence.receipt, pinned)
            evidence = replace(evidence, logged=logged)
        VERIFIERS[kind](run, data, pinned, evidence)
    if trust is None:
        run.missing(ProofReason.NO_TRUST, StepName.TRUST)
    if kind in SEALED and not any(fact.name is FactName.CUSTODY for fact in run.facts):
        # Said of everything sealed, also where no signature could be verified.
        run.fact(FactName.CUSTODY, UNVERIFIED)
    return run.report()
