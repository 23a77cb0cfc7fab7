"""PDF documents that another implementation signed with SM2: what holds, and each trick."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

import pytest
from asn1crypto import cms as asn1_cms
from cryptography import x509

from hub.domain.certificate import Custody
from hub.proof.key_checks import key_digest
from hub.proof.pdf.cms_sm2 import parse_sm2_cms
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.reports.report import Fact, FactName, Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.trust import Compromise, KeyCustody, Trust
from hub.proof.verify import verify
from hub.proof.x509.make_sm2 import make_crl
from tests.ofdrw import needs_ofdrw
from tests.pdf_documents import appended
from tests.proof.sm2_pdfs import CRL, ROOT, cms_of, golden, signed_by_java, with_cms
from tests.proof.sm2_pki import ENDS, STARTS, Member, root

NOW = int(datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC).timestamp())
ESS, PLAIN, GM = (golden(form) for form in ("ess", "plain", "gm"))
ANCHOR = x509.load_der_x509_certificate(ROOT.read_bytes())


def verified(
    document: bytes,
    anchors: Sequence[x509.Certificate] = (ANCHOR,),
    crl: bytes = CRL.read_bytes(),
    **trust: object,
) -> Report:
    pinned = Trust("hub", "330100", pdf_anchors=tuple(anchors), **trust)  # type: ignore[arg-type]
    assert recognise(document) is Kind.PDF
    return verify(document, Kind.PDF, pinned, Evidence(now=NOW, crls=(crl,) if crl else ()))


def failures(report: Report) -> dict[StepName, tuple[Verdict, ProofReason | None]]:
    return {
        step.name: (step.verdict, step.reason)
        for step in report.steps
        if step.verdict is not Verdict.VALID
    }


@pytest.mark.parametrize("document", [ESS, GM], ids=["RFC 5652", "GB/T 35275"])
def test_a_document_signed_with_sm2_is_valid(document: bytes) -> None:
    """Every step of other algorithms, by a signature that is not ours."""
    report = verified(document)

    assert (report.verdict, failures(report)) == (Verdict.VALID, {})
    assert [step.name for step in report.steps if step.part == 1] == [
        StepName.SIGNED_RANGE,
        StepName.SIGNATURE_FORMAT,
        StepName.CONTENT_DIGEST,
        StepName.SIGNATURE_VALUE,
        StepName.LATER_CHANGES,
        StepName.SIGNER_CHAIN,
        StepName.REVOCATION,
    ]
    facts = {fact.name: fact.value for fact in report.facts}
    assert facts[FactName.ALGORITHM] == "SM2"
    assert facts[FactName.SIGNER] == "测试部门 / 签章者"
    assert facts[FactName.CUSTODY] == "unverified"


def test_what_bouncy_castle_signs_now_is_valid() -> None:
    """Not only the files that are kept."""
    needs_ofdrw()
    authority = root()
    signer = authority.issue("另一签章者", serial=78)
    pinned = (x509.load_der_x509_certificate(authority.der),)

    for form, document in signed_by_java(signer, ("ess", "gm")).items():
        report = verified(document, pinned, revocation(authority, {}))

        assert (form, report.verdict, failures(report)) == (form, Verdict.VALID, {})


def revocation(authority: Member, revoked: dict[int, datetime.datetime]) -> bytes:
    return make_crl(
        issuer=authority.subject,
        this_update=STARTS,
        next_update=ENDS,
        revoked=revoked,
        sign=authority.key.sign,
    )


def test_without_the_attribute_that_names_the_certificate_it_is_open() -> None:
    """In the CMS of RFC 5652, where others have it; GB/T 35275 knows none."""
    assert failures(verified(PLAIN)) == {
        StepName.SIGNATURE_FORMAT: (Verdict.CANNOT_CHECK, ProofReason.CMS_ATTRIBUTES)
    }


@pytest.mark.parametrize(
    ("arguments", "step", "reason"),
    [
        ({"anchors": ()}, StepName.SIGNER_CHAIN, ProofReason.NO_PDF_ANCHOR),
        ({"crl": b""}, StepName.REVOCATION, ProofReason.NO_CRL),
    ],
)
def test_what_the_reader_lacks_is_open(
    arguments: dict[str, object], step: StepName, reason: ProofReason
) -> None:
    report = verified(GM, **arguments)  # type: ignore[arg-type]

    assert failures(report) == {step: (Verdict.CANNOT_CHECK, reason)}


def test_a_signer_of_another_root_is_refused_and_a_stolen_key_too() -> None:
    """As under any other algorithm; and custody is said by the same digest."""
    other = (x509.load_der_x509_certificate(root().der),)
    key = parse_sm2_cms(cms_of(GM).rstrip(b"\0")).signer.key
    assert key is not None
    digest = key_digest(key.to_spki())

    stranger = verified(GM, other)
    stolen = verified(GM, compromised=(Compromise(digest, 0),))
    ours = verified(GM, custodies=(KeyCustody(digest, Custody.HUB_HSM),))

    assert stranger.reason is ProofReason.X509_UNTRUSTED
    assert stolen.reason is ProofReason.KEY_COMPROMISED
    assert Fact(FactName.CUSTODY, "hub-hsm", 1) in ours.facts


def test_a_change_of_the_text_and_a_later_one_are_refused() -> None:
    """One under the signature, one behind it."""
    changed = GM.replace(b"Business licence", b"Business license")
    page = GM[GM.index(b"3 0 obj") : GM.index(b"endobj", GM.index(b"3 0 obj"))]
    body = page.split(b"obj", 1)[1].replace(b"595.276", b"295.276")
    later = appended(GM, {3: body})

    assert verified(changed).reason is ProofReason.CONTENT_DIGEST_MISMATCH
    assert failures(verified(later))[StepName.LATER_CHANGES][0] is Verdict.INVALID


# -- What no signature covers, written otherwise ---------------------------------------------------


def rewritten(document: bytes, change: Callable[[asn1_cms.SignedData], None]) -> bytes:
    """ESS with its SignedData changed by an encoder that is not ours."""
    info = asn1_cms.ContentInfo.load(cms_of(document))
    change(info["content"])
    return with_cms(document, info.dump(force=True))


def of_signer(name: str, value: object) -> Callable[[asn1_cms.SignedData], None]:
    def change(data: asn1_cms.SignedData) -> None:
        data["signer_infos"][0][name] = value

    return change


def drop_certificates(data: asn1_cms.SignedData) -> None:
    data["certificates"] = []


def drop_signer(data: asn1_cms.SignedData) -> None:
    data["signer_infos"] = []


def other_version(data: asn1_cms.SignedData) -> None:
    data["version"] = "v3"


def other_value(data: asn1_cms.SignedData) -> None:
    value = bytearray(data["signer_infos"][0]["signature"].native)
    value[-1] ^= 1
    data["signer_infos"][0]["signature"] = bytes(value)


TRICKS = {
    "no certificate": (drop_certificates, Verdict.INVALID, ProofReason.CMS_MALFORMED),
    "no signer": (drop_signer, Verdict.INVALID, ProofReason.CMS_MALFORMED),
    "another version": (other_version, Verdict.INVALID, ProofReason.CMS_MALFORMED),
    "another signature": (other_value, Verdict.INVALID, ProofReason.SIGNATURE_INVALID),
    "another digest": (
        of_signer("digest_algorithm", {"algorithm": "sha256"}),
        Verdict.CANNOT_CHECK,
        ProofReason.ALG_NOT_CHECKED,
    ),
    "another algorithm": (
        of_signer("signature_algorithm", {"algorithm": "sha256_ecdsa"}),
        Verdict.CANNOT_CHECK,
        ProofReason.ALG_NOT_CHECKED,
    ),
    "no attributes": (
        of_signer("signed_attrs", None),
        Verdict.CANNOT_CHECK,
        ProofReason.CMS_FORM_UNKNOWN,
    ),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_cms_that_was_touched_is_never_valid(trick: str) -> None:
    change, verdict, reason = TRICKS[trick]

    report = verified(rewritten(ESS, change))

    assert (report.verdict, report.reason) == (verdict, reason)


@pytest.mark.parametrize("document", [ESS, GM], ids=["RFC 5652", "GB/T 35275"])
def test_lengths_that_are_not_minimal_and_bytes_behind_are_refused(document: bytes) -> None:
    """The same signature in other bytes has another digest."""
    cms = cms_of(document).rstrip(b"\0")
    longer = cms[:1] + b"\x83\0" + cms[2:]

    for written in (longer, cms + b"\1"):
        report = verified(with_cms(document, written))

        assert (report.verdict, report.reason) == (Verdict.INVALID, ProofReason.CMS_MALFORMED)


@pytest.mark.parametrize("at", range(40, 800, 37))
def test_no_changed_byte_of_the_cms_is_valid(at: int) -> None:
    """Wherever it is: signed, or the one form of what is not."""
    cms = bytearray(cms_of(GM))
    cms[at] ^= 0x01

    assert verified(with_cms(GM, bytes(cms))).verdict is not Verdict.VALID
