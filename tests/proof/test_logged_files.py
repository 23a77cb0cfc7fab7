"""A receipt of the log about the very file: when a sealed document existed, by whose word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.proof.encoding import b64u
from hub.proof.key_checks import key_digest
from hub.proof.log import merkle, note
from hub.proof.log.receipt import entry_leaf, make_receipt, proof_text
from hub.proof.moment import Basis, Moment
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.trust import Compromise, Trust
from hub.proof.verify import verify
from hub.proof.worker import Verifiers
from hub.proof.x509.sm2 import parse_x509
from tests.ofd_sealing import TIME
from tests.proof.test_ofd_verify import OFFICE, SEALED
from tests.proof.test_verify_command import LOG_KEY, LOG_VKEY, ORIGIN

FILE = SEALED.to_bytes()
SIGNED = int(TIME.timestamp())
NOW = SIGNED + 3_600
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
WITNESS = note.VerifierKey(
    "witness.example/w1", note.KeyType.WITNESS, WITNESS_KEY.public_key().public_bytes_raw()
)
ANCHOR = x509.load_der_x509_certificate(OFFICE.root.der)


def of(data: bytes) -> str:
    return b64u(hashlib.sha256(data).digest())


def receipt(data: dict[str, str], *, cosigned: int | None = None, time: int = SIGNED + 5) -> bytes:
    """A receipt of a log of five entries, the last about `data`; cosigned at a time, or not."""
    body = json.dumps(
        {
            "v": 1,
            "kind": "document.uploaded",
            "origin": ORIGIN,
            "region": "330100",
            "time_us": time * 1_000_000,
            "request_id": "1",
            "caller": "systems/a",
            "data": data,
        }
    ).encode()
    tree = [*[bytes([at]) * 32 for at in range(4)], entry_leaf(bytes(32), body)]
    head = note.sign_checkpoint(ORIGIN, 5, merkle.root(tree), LOG_KEY)
    if cosigned is not None:
        text = head.partition("\n\n")[0] + "\n"
        signature = WITNESS_KEY.sign(note.cosigned_bytes(text, cosigned))
        head += note.signature_line(WITNESS, cosigned.to_bytes(8, "big") + signature)
    proof = proof_text(4, merkle.inclusion_path(tree, 4), head)
    return make_receipt(body, bytes(32), proof, []).encode()


SIGNER_KEY = parse_x509(OFFICE.signer.der).key
assert SIGNER_KEY is not None
SPKI = SIGNER_KEY.to_spki()
ABOUT_IT = {"document": "d", "digest": of(FILE)}


def trust(*, compromised: int | None = None) -> Trust:
    return Trust(
        origin=ORIGIN,
        region="330100",
        log_keys=(LOG_VKEY.text(),),
        witness_keys=(WITNESS.text(),),
        witnesses_min=1,
        maker_anchors=(ANCHOR,),
        signer_anchors=(ANCHOR,),
        compromised=() if compromised is None else (Compromise(key_digest(SPKI), compromised),),
    )


def judged(pinned: Trust, given: bytes | None, data: bytes = FILE) -> Report:
    evidence = Evidence(now=NOW, crls=(OFFICE.crl_der(),), receipt=given)
    return verify(data, Kind.OFD, pinned, evidence)


def moments(report: Report) -> set[Basis]:
    return {step.moment.basis for step in report.steps if step.moment is not None}


def test_the_log_says_when_a_document_existed() -> None:
    """Its time judges, and every step names it."""
    report = judged(trust(), receipt(ABOUT_IT))
    key = next(step for step in report.steps if step.name is StepName.SIGNER_CHAIN)

    assert report.verdict is Verdict.VALID, report.steps
    assert key.moment == Moment(SIGNED + 5, Basis.LOGGED)
    assert [fact.value for fact in report.facts if fact.name is FactName.LOGGED_TIME] == [
        datetime.fromtimestamp(SIGNED + 5, UTC).isoformat().replace("+00:00", "Z")
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        # Nothing but the signer's word.
        (None, ProofReason.COMPROMISE_OPEN),
        # The hub alone might help to antedate.
        (receipt(ABOUT_IT), ProofReason.COMPROMISE_OPEN),
        # A witness had seen it a minute before the key was stolen.
        (receipt(ABOUT_IT, cosigned=SIGNED + 40), None),
        # Or a second after.
        (receipt(ABOUT_IT, cosigned=SIGNED + 101), ProofReason.COMPROMISE_OPEN),
    ],
)
def test_what_was_witnessed_before_the_compromise_stays_valid(
    given: bytes | None, reason: ProofReason | None
) -> None:
    """The key was stolen a hundred seconds after the seal."""
    report = judged(trust(compromised=SIGNED + 100), given)

    verdict = Verdict.VALID if reason is None else Verdict.CANNOT_CHECK
    assert (report.verdict, report.reason) == (verdict, reason)


def test_what_was_sealed_after_the_compromise_is_compromised_whatever_came_with_it() -> None:
    """The receipt is genuine, and later than the theft."""
    report = judged(trust(compromised=SIGNED), receipt(ABOUT_IT, cosigned=SIGNED + 40))

    assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.KEY_COMPROMISED)


@pytest.mark.parametrize("data", [{"digest": of(b"another file")}, {"document": of(FILE)}, {}])
def test_a_receipt_about_something_else_proves_nothing(data: dict[str, str]) -> None:
    """The document may be genuine: *cannot check*, and no time of it counts."""
    report = judged(trust(), receipt(data))

    assert (report.verdict, report.reason) == (
        Verdict.CANNOT_CHECK,
        ProofReason.RECEIPT_OTHER_FILE,
    )
    assert moments(report) == {Basis.SIGNED}


def test_a_forged_receipt_is_invalid() -> None:
    """It is part of what was handed in."""
    forged = receipt(ABOUT_IT).replace(b'"salt":"A', b'"salt":"B')

    report = judged(trust(), forged)

    assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.ROOT_MISMATCH)


@pytest.fixture(scope="module")
def verifiers() -> Iterator[Verifiers]:
    verifiers = Verifiers()
    yield verifiers
    verifiers.close()


def test_the_receipt_reaches_the_worker(verifiers: Verifiers) -> None:
    """The same report as without one."""
    evidence = Evidence(now=NOW, crls=(OFFICE.crl_der(),), receipt=receipt(ABOUT_IT))

    found = verifiers.verify(FILE, trust(), evidence)

    assert found is not None
    assert (found.verdict, Basis.LOGGED in moments(found)) == (Verdict.VALID, True)
