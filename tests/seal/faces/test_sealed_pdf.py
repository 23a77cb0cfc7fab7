"""From face to sealed PDF: rendered, sealed with a drawn seal at the template's place, verified."""

from __future__ import annotations

from contextlib import closing

import pypdfium2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hub.proof.reasons import Verdict
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.worker import Verifiers
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import PdfPicture, SealPlace, prepare_pdf
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.pdf import page_pdf
from hub.seal.pictures import check_picture, rendered
from hub.seal.round_seal import RoundSeal, draw_round_seal
from tests.pdf_documents import NOW, Ca, key_of
from tests.seal.faces.samples import SHIPPED, sample
from tests.seal.faces.test_faces import pdf_text


@pytest.mark.parametrize("name", SHIPPED)
def test_a_face_is_sealed_and_verified_in_the_worker(name: str, fonts: FaceFonts) -> None:
    """With its Chinese font and metadata: the text stays, the seal is red, the verdict is valid."""
    one = sample(fonts, name)
    face = page_pdf(one.page, fonts, one.metadata)
    drawn = check_picture(draw_round_seal(RoundSeal("杭州市市场监督管理局"), fonts))
    box = one.page.seal
    place = SealPlace("Seal", 1, box.x, box.y, box.width, box.height)
    ca = Ca()
    key = key_of(ca)
    form = CmsForm.of(key)
    picture = PdfPicture.of(rendered(drawn, box.width, dpi=300))

    document = prepare_pdf(face, place, picture, form).seal(key, form, NOW)

    assert pdf_text(document) == pdf_text(face)
    assert _reds(document, box.x, box.y, box.width) > 500
    trust = Trust("hub", "330100", pdf_anchors=(ca.root,))
    crls = (ca.crl().public_bytes(Encoding.DER),)
    with closing(Verifiers()) as verifiers:
        report = verifiers.verify(document, trust, Evidence(now=int(NOW.timestamp()), crls=crls))
    assert report is not None
    assert report.verdict is Verdict.VALID, report.steps


def _reds(document: bytes, x: float, y: float, width: float) -> int:
    """Red pixels within the seal's box, as PDFium draws it."""
    pdf = pypdfium2.PdfDocument(document)
    pdf.init_forms()
    per_mm = 2 * 72 / 25.4
    box = tuple(round(value * per_mm) for value in (x, y, x + width, y + width))
    image = pdf[0].render(scale=2, may_draw_forms=True).to_pil().convert("RGB").crop(box)
    pixels = zip(*[iter(image.tobytes())] * 3, strict=True)
    return sum(red > 180 and green < 90 and blue < 90 for red, green, blue in pixels)
