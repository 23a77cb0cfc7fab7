"""Sealed PDFs, verified: what holds, what is open, at which time, each with its reason."""

from __future__ import annotations

import datetime
import io
from contextlib import closing
from pathlib import Path

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from typer.testing import CliRunner

from hub.cli.verify import app
from hub.domain.seal_key import KeyAlgorithm
from hub.proof.key_checks import key_digest
from hub.proof.moment import Basis
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.reports.report import FactName, Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.trust import AlgorithmEnd, Compromise, Trust, trust_file
from hub.proof.verify import verify
from hub.proof.worker import Verifiers
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import prepare_further
from tests.pdf_documents import (
    DAY,
    NOW,
    SECOND,
    THIRD,
    Ca,
    MemoryKey,
    key_of,
    page,
    picture,
    sealed,
)
from tests.proof.sm2_pdfs import cms_of, with_cms


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def verified(
    document: bytes,
    ca: Ca,
    *,
    at: datetime.datetime = NOW,
    lists: bool = True,
    **trust: object,
) -> Report:
    """The report, with the root pinned, and with its current revocation list."""
    crls = (ca.crl(at).public_bytes(Encoding.DER),) if lists else ()
    pinned = Trust("hub", "330100", **{"pdf_anchors": (ca.root,), **trust})  # type: ignore[arg-type]
    evidence = Evidence(now=int(at.timestamp()), crls=crls)
    return verify(document, Kind.PDF, pinned, evidence)


def outcomes(report: Report, part: int | None = 1) -> list[tuple[StepName, Verdict]]:
    return [(step.name, step.verdict) for step in report.steps if step.part == part]


@pytest.mark.parametrize(
    "algorithm",
    [KeyAlgorithm.ES256, KeyAlgorithm.ES384, KeyAlgorithm.ED25519, KeyAlgorithm.PS256],
)
def test_a_sealed_document_is_valid(ca: Ca, algorithm: KeyAlgorithm) -> None:
    """Every step, each in its place, and the facts that they prove."""
    document = sealed(key_of(ca, algorithm))
    report = verified(document, ca)
    facts = {fact.name: fact.value for fact in report.facts}

    assert recognise(document) is Kind.PDF
    assert report.verdict is Verdict.VALID
    assert outcomes(report, None) == [(StepName.SIGNED, Verdict.VALID)]
    assert outcomes(report) == [
        (name, Verdict.VALID)
        for name in (
            StepName.SIGNED_RANGE,
            StepName.SIGNATURE_FORMAT,
            StepName.CONTENT_DIGEST,
            StepName.SIGNATURE_VALUE,
            StepName.LATER_CHANGES,
            StepName.SIGNER_CHAIN,
            StepName.REVOCATION,
        )
    ]
    assert facts == {
        FactName.CUSTODY: "unverified",
        FactName.ALGORITHM: algorithm.value,
        FactName.SIGNED_TIME: "2026-11-27T08:00:00Z",
        FactName.SIGNER: "市场监督管理局",
    }


def test_without_a_list_revocation_is_open(ca: Ca) -> None:
    """Not known to be revoked is not known to be good."""
    report = verified(sealed(key_of(ca)), ca, lists=False)

    assert report.verdict is Verdict.CANNOT_CHECK
    assert report.reason is ProofReason.NO_CRL


def test_without_an_anchor_the_signer_is_open(ca: Ca) -> None:
    """The mathematics hold; whose they are nobody says."""
    report = verified(sealed(key_of(ca)), ca, pdf_anchors=())

    assert report.verdict is Verdict.CANNOT_CHECK
    assert report.reason is ProofReason.NO_PDF_ANCHOR
    assert (StepName.SIGNATURE_VALUE, Verdict.VALID) in outcomes(report)
    assert FactName.SIGNER not in {fact.name for fact in report.facts}


def test_without_a_trust_file_the_signature_is_checked_all_the_same(ca: Ca) -> None:
    """Nothing is pinned: *cannot check*, and a changed document is still invalid."""
    document = sealed(key_of(ca))
    evidence = Evidence(now=int(NOW.timestamp()))

    unpinned = verify(document, Kind.PDF, None, evidence)
    assert (unpinned.verdict, unpinned.reason) == (
        Verdict.CANNOT_CHECK,
        ProofReason.NO_PDF_ANCHOR,
    )
    assert unpinned.steps[-1].reason is ProofReason.NO_TRUST
    changed = document.replace(b"Acme", b"Evil")
    assert verify(changed, Kind.PDF, None, evidence).verdict is Verdict.INVALID


@pytest.mark.parametrize("other", ["stranger", "same name"])
def test_a_signer_of_another_root_is_untrusted(ca: Ca, other: str) -> None:
    """A root's name is anybody's; its key is not."""
    stranger = Ca() if other == "same name" else Ca("Somebody Else")
    report = verified(sealed(key_of(stranger)), ca)

    assert report.verdict is Verdict.INVALID
    assert report.reason is ProofReason.X509_UNTRUSTED


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [
        (NOW - 9 * DAY, NOW - 1 * DAY, ProofReason.X509_EXPIRED),
        (NOW + 1 * DAY, NOW + 9 * DAY, ProofReason.X509_NOT_YET_VALID),
    ],
)
def test_a_certificate_is_judged_when_it_signed(
    ca: Ca, begins: datetime.datetime, ends: datetime.datetime, reason: ProofReason
) -> None:
    """Expired at signing is its own reason, and no wrong signature."""
    report = verified(sealed(key_of(ca, begins=begins, ends=ends)), ca, at=NOW + 2 * DAY)

    assert report.verdict is Verdict.INVALID
    assert report.reason is reason
    assert (StepName.SIGNATURE_VALUE, Verdict.VALID) in outcomes(report)


def test_a_certificate_may_have_expired_since(ca: Ca) -> None:
    """The chain holds at the signing time, which the report names; revocation is open, as lists
    do not go on about what has expired."""
    report = verified(sealed(key_of(ca, ends=NOW + DAY)), ca, at=NOW + 5 * DAY)
    (chain,) = [step for step in report.steps if step.name is StepName.SIGNER_CHAIN]

    assert chain.verdict is Verdict.VALID
    assert chain.moment is not None
    assert (chain.moment.time, chain.moment.basis) == (int(NOW.timestamp()), Basis.SIGNED)
    assert report.reason is ProofReason.NO_CRL


def test_a_seal_from_the_future_is_no_seal(ca: Ca) -> None:
    """A signer whose clock is days ahead of the reader's."""
    report = verified(sealed(key_of(ca), time=NOW + 3 * DAY), ca)

    assert report.verdict is Verdict.INVALID
    assert report.reason is ProofReason.SIGNED_LATER


def test_a_certificate_for_connections_signs_no_document(ca: Ca) -> None:
    """Key usage and purpose are the issuer's word on what the key is for."""
    key = key_of(ca, time_stamping=True)
    report = verified(sealed(key), ca)

    assert report.verdict is Verdict.INVALID
    assert report.reason is ProofReason.X509_USAGE


def test_a_certificate_that_names_no_usage_cannot_be_checked(ca: Ca) -> None:
    """RFC 5280 lets an issuer leave KeyUsage out; nobody says then what the key is for. One of
    another issuer is untrusted all the same."""
    document = sealed(key_of(ca, names_usage=False))
    known, unknown = verified(document, ca), verified(document, Ca())

    assert (known.verdict, known.reason) == (Verdict.CANNOT_CHECK, ProofReason.X509_USAGE)
    assert (unknown.verdict, unknown.reason) == (Verdict.INVALID, ProofReason.X509_UNTRUSTED)


def test_a_national_name_beside_the_signature_makes_it_none_of_sm2(ca: Ca) -> None:
    """What is not signed, as a time stamp, may name what it likes."""
    document = sealed(key_of(ca))
    signed = cms.ContentInfo.load(cms_of(document))
    (signer,) = signed["content"]["signer_infos"]
    signer["unsigned_attrs"] = cms.CMSAttributes(
        [{"type": "1.2.156.10197.1.501", "values": [core.Null()]}]
    )
    document = with_cms(document, signed.dump(force=True))

    report = verified(document, ca)

    assert report.verdict is Verdict.VALID, report.reason


@pytest.mark.parametrize(
    ("revoked", "verdict", "reason"),
    [
        (NOW - DAY, Verdict.INVALID, ProofReason.X509_REVOKED),
        # Only the signer says that he signed before: whoever has the key now can say so, too.
        (NOW + DAY, Verdict.CANNOT_CHECK, ProofReason.X509_REVOKED_SINCE),
    ],
)
def test_a_revoked_certificate(
    revoked: datetime.datetime, verdict: Verdict, reason: ProofReason
) -> None:
    """Before the signature it counts; after it, the signer's own word is not enough."""
    ca = Ca()
    key = key_of(ca)
    serial = x509.load_der_x509_certificate(key.x509_chain[0]).serial_number
    ca.revoked.append((serial, revoked))
    report = verified(sealed(key), ca, at=NOW + 3 * DAY)

    assert report.verdict is verdict
    assert report.reason is reason


def test_a_compromised_key_and_an_ended_algorithm(ca: Ca) -> None:
    """The trust file's word goes above the certificate's (formats.md §12)."""
    key = key_of(ca)
    document = sealed(key)
    spki = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    at = int(NOW.timestamp())
    for trust, reason in (
        ({"compromised": (Compromise(key_digest(spki), at - 1),)}, ProofReason.KEY_COMPROMISED),
        ({"compromised": (Compromise(key_digest(spki), at + 1),)}, ProofReason.COMPROMISE_OPEN),
        ({"algorithms": (AlgorithmEnd("ES256", at - 1),)}, ProofReason.ALGORITHM_ENDED),
        ({"algorithms": (AlgorithmEnd("ES384", at - 1),)}, None),
    ):
        assert verified(document, ca, **trust).reason is reason  # type: ignore[arg-type]


def test_declared_seals_are_parts_of_their_own(ca: Ca) -> None:
    """Three seals: each valid after the next, as the first declared them."""
    key = key_of(ca)
    document = three_seals(key)
    report = verified(document, ca)

    assert report.verdict is Verdict.VALID
    assert {step.part for step in report.steps} == {None, 1, 2, 3}


def three_seals(key: MemoryKey) -> bytes:
    form = CmsForm.of(key)
    document = sealed(key, further=(SECOND, THIRD))
    for place in (SECOND, THIRD):
        document = prepare_further(document, place.field, picture(), form).seal(key, form, NOW)
    return document


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (page(), ProofReason.PDF_NOT_SEALED),
        (b"%PDF-1.7", ProofReason.PDF_MALFORMED),
        (page() + b"PK\x03\x04 another file", ProofReason.PDF_MALFORMED),
        (page()[:-100], ProofReason.PDF_MALFORMED),
        (page() + page(), ProofReason.PDF_MALFORMED),
    ],
)
def test_what_is_no_sealed_document(ca: Ca, document: bytes, reason: ProofReason) -> None:
    """A document without a seal is not an invalid seal, and the report says which it is."""
    report = verified(document, ca)

    assert report.verdict is Verdict.INVALID
    assert report.reason is reason


def test_an_encrypted_document_is_not_judged(ca: Ca) -> None:
    """Even where no password is asked: what is shown depends on a key."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(page())))
    writer.encrypt(owner_pass="owner", user_pass="")
    out = io.BytesIO()
    writer.write(out)
    report = verified(out.getvalue(), ca)

    assert report.verdict is Verdict.CANNOT_CHECK
    assert report.reason is ProofReason.PDF_ENCRYPTED


def test_the_worker_comes_to_the_same_report(ca: Ca) -> None:
    """Within its limits of time and memory, lists and trust handed over."""
    trust = Trust("hub", "330100", pdf_anchors=(ca.root,))
    crls = (ca.crl().public_bytes(Encoding.DER),)
    evidence = Evidence(now=int(NOW.timestamp()), crls=crls)
    with closing(Verifiers()) as verifiers:
        report = verifiers.verify(sealed(key_of(ca)), trust, evidence)

    assert report is not None
    assert report.verdict is Verdict.VALID, report.steps


def test_the_command_line_judges_it(ca: Ca, tmp_path: Path) -> None:
    """`sealway verify`: 0 valid, 1 invalid, 2 cannot check, with steps for people and machines."""
    document = sealed(key_of(ca))
    files = {
        "sealed.pdf": document,
        "changed.pdf": document.replace(b"Acme", b"Evil"),
        "trust.json": trust_file(Trust("hub.test", "330100", pdf_anchors=(ca.root,))),
        "ca.crl": ca.crl().public_bytes(Encoding.DER),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    trust = ["--trust", str(tmp_path / "trust.json"), "--at", str(int(NOW.timestamp()))]
    lists = ["--crl", str(tmp_path / "ca.crl")]
    sealed_file, changed = str(tmp_path / "sealed.pdf"), str(tmp_path / "changed.pdf")

    def ran(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout

    assert ran(sealed_file, *trust, *lists)[0] == 0
    assert ran(sealed_file, *trust)[0] == 2
    code, text = ran(changed, *trust, *lists)
    assert (code, "CONTENT_DIGEST_MISMATCH" in text) == (1, True)
