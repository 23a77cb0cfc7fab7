"""Sealed PDFs: accepted by pyHanko, shown by PDFium, closed as declared, refused when they must."""

from __future__ import annotations

import datetime
import io

import pypdfium2
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind, StepName
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import PDF_BYTES_MAX, SealPlace, prepare_further, prepare_pdf
from tests.pdf_documents import (
    NOW,
    PLACE,
    SECOND,
    THIRD,
    Ca,
    assemble,
    key_of,
    page,
    picture,
    sealed,
    sm2_root,
)


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def judged(document: bytes, ca: Ca) -> list[PdfSignatureStatus]:
    """What pyHanko says of each signature, with our root as its only anchor."""
    root = asn1_x509.Certificate.load(ca.root.public_bytes(Encoding.DER))
    return [
        validate_pdf_signature(
            signature, ValidationContext(trust_roots=[root], moment=NOW, allow_fetching=False)
        )
        for signature in PdfFileReader(io.BytesIO(document)).embedded_signatures
    ]


@pytest.mark.parametrize(
    "algorithm",
    [KeyAlgorithm.ES256, KeyAlgorithm.ES384, KeyAlgorithm.ED25519, KeyAlgorithm.PS256],
)
def test_pyhanko_accepts_what_is_sealed(ca: Ca, algorithm: KeyAlgorithm) -> None:
    """Valid, trusted, over the whole file, and nothing may change any more."""
    document = sealed(key_of(ca, algorithm))
    (status,) = judged(document, ca)
    (signature,) = PdfFileReader(io.BytesIO(document)).embedded_signatures

    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert signature.docmdp_level is MDPPerm.NO_CHANGES
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert status.signer_reported_dt == NOW


def test_the_document_stands_unchanged_before_its_seal(ca: Ca) -> None:
    """An incremental update: the first bytes are the document that was given."""
    assert sealed(key_of(ca)).startswith(page())


def test_the_seal_is_seen_where_it_was_put(ca: Ca) -> None:
    """PDFium draws the red ring at its place, the ground shows through, the text stays text."""
    document = sealed(key_of(ca))
    pdf = pypdfium2.PdfDocument(document)
    pdf.init_forms()
    drawn = pdf[0].render(scale=2, may_draw_forms=True).to_pil().convert("RGB")
    per_mm = 2 * 72 / 25.4
    left, middle = round((PLACE.x_mm + 2) * per_mm), round((PLACE.y_mm + 20) * per_mm)
    red, green, blue = drawn.getpixel((left, middle))

    assert (red, green, blue) == (204, 0, 0)
    assert drawn.getpixel((round((PLACE.x_mm + 20) * per_mm), middle)) == (255, 255, 255)
    assert drawn.getpixel((round((PLACE.x_mm - 3) * per_mm), middle)) == (255, 255, 255)
    assert "Business licence of Acme Ltd" in pdf[0].get_textpage().get_text_range()


def test_declared_seals_follow_without_breaking_earlier_ones(ca: Ca) -> None:
    """Three seals in a row; after the last nothing may change any more."""
    key = key_of(ca)
    form = CmsForm.of(key)
    document = sealed(key, further=(SECOND, THIRD))
    for place in (SECOND, THIRD):
        prepared = prepare_further(document, place.field, picture(), form)
        document = prepared.seal(key, form, NOW)
        assert all(status.bottom_line for status in judged(document, ca))
    signatures = PdfFileReader(io.BytesIO(document)).embedded_signatures

    assert [item.field_name for item in signatures] == ["Seal", "Second", "Third"]
    assert [item.docmdp_level for item in signatures] == [
        MDPPerm.FILL_FORMS,
        MDPPerm.FILL_FORMS,
        MDPPerm.NO_CHANGES,
    ]


def test_declared_places_are_sealed_in_any_order_but_after_the_last_one_none(ca: Ca) -> None:
    """The last place closes the document: what comes after it breaks it, and pyHanko says so."""
    key = key_of(ca)
    form = CmsForm.of(key)
    document = sealed(key, further=(SECOND, THIRD))
    for place in (THIRD, SECOND):
        document = prepare_further(document, place.field, picture(), form).seal(key, form, NOW)

    assert [status.bottom_line for status in judged(document, ca)] == [True, False, True]


@pytest.mark.parametrize("first", [KeyAlgorithm.ES256, KeyAlgorithm.SM2])
def test_seals_with_sm2_and_others_follow_each_other(ca: Ca, first: KeyAlgorithm) -> None:
    """Each is judged by its own algorithm, and under the anchors of both."""
    algorithms = [KeyAlgorithm.ES256, KeyAlgorithm.SM2]
    second = algorithms[1 - algorithms.index(first)]
    document, key = sealed(key_of(ca, first), further=(SECOND,)), key_of(ca, second)
    form = CmsForm.of(key)
    document = prepare_further(document, SECOND.field, picture(), form).seal(key, form, NOW)

    anchors = (ca.root, load_der_x509_certificate(sm2_root().der))
    trust = Trust("hub", "330100", pdf_anchors=anchors)
    report = verify(document, Kind.PDF, trust, Evidence(now=int(NOW.timestamp())))
    unknown = [(one.name, one.reason) for one in report.steps if one.verdict is not Verdict.VALID]

    assert unknown == [(StepName.REVOCATION, ProofReason.NO_CRL)] * 2
    assert [one.value for one in report.facts if one.name is FactName.ALGORITHM] == [first, second]


def test_a_prepared_document_is_sealed_by_any_key_of_its_algorithm(ca: Ca) -> None:
    """Prepared once, kept, sealed twice: same bytes but for time and signature."""
    # The successor's name, and so its certificate, is longer.
    first, second = key_of(ca), key_of(ca, KeyAlgorithm.ES256, 1, name="市场监督管理局行政审批专用")
    prepared = prepare_pdf(page(), PLACE, picture(), CmsForm.of(first))
    later = NOW + datetime.timedelta(days=3)
    documents = [
        prepared.seal(key, CmsForm.of(key), time) for key, time in ((first, NOW), (second, later))
    ]

    assert len(documents[0]) == len(documents[1]) == len(prepared.data)
    for document, time in zip(documents, (NOW, later), strict=True):
        (status,) = judged(document, ca)
        assert status.bottom_line
        assert status.signer_reported_dt == time
    with pytest.raises(HubError) as refused:
        other = key_of(ca, KeyAlgorithm.ES384)
        prepared.seal(other, CmsForm.of(other), NOW)
    assert refused.value.reason is Reason.KEY_USAGE_REFUSED


def test_a_document_with_cross_reference_streams_is_sealed(ca: Ca) -> None:
    """PDF 1.5 and later: objects and tables in streams."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(page())))
    writer.stream_xrefs = True
    out = io.BytesIO()
    writer.write(out)
    (status,) = judged(sealed(key_of(ca), out.getvalue()), ca)

    assert status.bottom_line


ROTATED = page().replace(b"/Parent 2 0 R", b"/Rotate 90   ", 1)


@pytest.mark.parametrize(
    ("document", "place", "rule"),
    [
        (b"", PLACE, "cannot be read"),
        (b"%PDF-1.7\nnothing", PLACE, "cannot be read"),
        (page()[:-200], PLACE, "cannot be read"),
        (page(), SealPlace("Seal", 2, 1, 1, 40, 40), "no page 2"),
        (page(), SealPlace("Seal", 0, 1, 1, 40, 40), "no page 0"),
        (page(), SealPlace("Seal", 1, 180, 1, 40, 40), "beyond page 1"),
        (page(), SealPlace("Seal", 1, 1, -1, 40, 40), "beyond page 1"),
        (page(), SealPlace("Seal", 1, 1, 1, 0, 40), "beyond page 1"),
        (page(), SealPlace("Seal", 1, float("nan"), 1, 40, 40), "beyond page 1"),
        (ROTATED, PLACE, "page 1 is rotated"),
    ],
)
def test_what_cannot_be_sealed_is_refused(
    ca: Ca, document: bytes, place: SealPlace, rule: str
) -> None:
    """With the rule in words; no key was asked."""
    key = key_of(ca)
    with pytest.raises(HubError) as refused:
        prepare_pdf(document, place, picture(), CmsForm.of(key))

    assert refused.value.reason is Reason.PDF_REFUSED
    assert rule in refused.value.text("en")
    assert not key.signed


def test_a_signed_document_takes_no_first_seal(ca: Ca) -> None:
    """Sealing anew would break the seal that is there."""
    key = key_of(ca)
    document = sealed(key)
    for call in (
        lambda: prepare_pdf(document, SECOND, picture(), CmsForm.of(key)),
        lambda: prepare_further(document, "Seal", picture(), CmsForm.of(key)),
        lambda: prepare_further(document, "Second", picture(), CmsForm.of(key)),
        lambda: prepare_pdf(page(), PLACE, picture(), CmsForm.of(key), further=(PLACE,)),
    ):
        with pytest.raises(HubError) as refused:
            call()
        assert refused.value.reason is Reason.PDF_REFUSED


def test_a_document_beyond_the_limit_is_refused(ca: Ca) -> None:
    """Before it is read."""
    with pytest.raises(HubError) as refused:
        prepare_pdf(bytes(PDF_BYTES_MAX + 1), PLACE, picture(), CmsForm.of(key_of(ca)))

    assert refused.value.reason is Reason.DOCUMENT_TOO_LARGE


def test_a_circular_tree_of_pages_ends(ca: Ca) -> None:
    """A page that is its own grandparent is refused, not followed."""
    document = assemble(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
        ]
    )
    with pytest.raises(HubError) as refused:
        prepare_pdf(document, PLACE, picture(), CmsForm.of(key_of(ca)))

    assert refused.value.reason is Reason.PDF_REFUSED
