"""Signed codes on faces, scanned: what comes off the paper is what was signed, or nothing."""

from __future__ import annotations

import dataclasses
import io
import random
from contextlib import closing

import pypdfium2
import pytest
from PIL import Image, ImageFilter

from hub.proof.faces.code import FaceCode, sign_face_code
from hub.proof.faces.code_picture import text_in_picture
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind
from hub.proof.run import Evidence
from hub.proof.worker import Verifiers
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Face, Overlay, code_modules
from hub.seal.faces.page import Page
from hub.seal.faces.pdf import page_pdf
from tests.proof.test_code_checks import TRUST
from tests.proof.test_face_code import CODE, NOW, SIGNER
from tests.seal.faces.samples import ISSUANCE, SHIPPED, VALUES, certificate_type, sample, template

COPY = Overlay(("仅用于：办理食品经营许可", "提供给：浙江省政务服务中心"))


def face(fonts: FaceFonts, name: str, code: FaceCode = CODE) -> tuple[str, bytes]:
    """The text of a signed code, and the face of an annotated copy that carries it, as PDF."""
    text = sign_face_code(code, SIGNER)
    kind = certificate_type(name)
    values = {one.name: VALUES[one.name] for one in kind.fields if one.name in VALUES}
    page: Page = Face(template(name), kind, fonts).page(values, ISSUANCE, text, overlay=COPY)
    return text, page_pdf(page, fonts, sample(fonts, name).metadata)


def scanned(pdf: bytes, dpi: int, seed: int = 1) -> bytes:
    """A page off a flat-bed: turned a little, blurred, noisy, as JPEG."""
    chance = random.Random(seed)
    page = pypdfium2.PdfDocument(pdf)[0].render(scale=dpi / 72).to_pil().convert("L")
    page = page.rotate(chance.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=255)
    page = page.filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 0.9) * dpi / 200))
    noise = Image.effect_noise(page.size, 24)
    out = io.BytesIO()
    Image.blend(page, noise, 0.08).save(out, "JPEG", quality=70)
    return out.getvalue()


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("name", SHIPPED)
def test_the_code_of_a_shipped_face_is_read_from_a_scan(
    name: str, dpi: int, fonts: FaceFonts
) -> None:
    """Of a whole page, under the words of a copy."""
    text, pdf = face(fonts, name)

    assert text_in_picture(scanned(pdf, dpi)) == text


def test_a_scan_is_verified_in_the_worker(fonts: FaceFonts) -> None:
    """From the picture to what the paper must say; without the status list it cannot be more."""
    _, pdf = face(fonts, "business-licence")
    with closing(Verifiers()) as verifiers:
        report = verifiers.verify(scanned(pdf, 200), TRUST, Evidence(now=NOW))
    assert report is not None and report.kind is Kind.FACE_CODE
    facts = {fact.name: fact.value for fact in report.facts}
    assert (report.verdict, report.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_STATUS)
    assert (facts[FactName.NAME], facts[FactName.NUMBER]) == (CODE.name, CODE.number)


@pytest.mark.parametrize("damage", ["none", "small", "cut", "two"])
def test_a_picture_without_exactly_one_code_says_nothing(damage: str, fonts: FaceFonts) -> None:
    _, pdf = face(fonts, "business-licence")
    picture = scanned(pdf, 200)
    image = Image.open(io.BytesIO(picture))
    if damage == "none":
        image = Image.new("L", (500, 500), 255)
    elif damage == "small":
        image = image.resize((image.width // 4, image.height // 4))
    elif damage == "two":
        _, other = face(fonts, "business-licence", dataclasses.replace(CODE, number="2"))
        second = Image.open(io.BytesIO(scanned(other, 200)))
        both = Image.new("L", (image.width, 2 * image.height), 255)
        both.paste(image, (0, 0))
        both.paste(second, (0, image.height))
        image = both
    out = io.BytesIO()
    image.save(out, "PNG")
    data = picture[: len(picture) // 3] if damage == "cut" else out.getvalue()

    with pytest.raises(ProofError) as caught:
        text_in_picture(data)

    cut = damage == "cut"
    expected = ProofReason.PICTURE_UNREADABLE if cut else ProofReason.CODE_NOT_FOUND
    assert caught.value.reason is expected
    assert caught.value.verdict is Verdict.CANNOT_CHECK


def test_the_size_of_a_code_is_known() -> None:
    """What docs/formats/qr-code.md says of a company's licence."""
    text = sign_face_code(CODE, SIGNER)

    assert (len(text), len(code_modules(text))) == (649, 81)
