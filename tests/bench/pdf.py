"""PDF seals in one thread, against pyHanko's own signing of the same file in the same seconds.

pyHanko signs as its documentation shows: `SimpleSigner`, a certifying PAdES signature with a
picture in a box. Ours do the same; "general" prepares and seals, "prepared" only seals.
Verification is held against pyHanko's validation of one and the same sealed file.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from typing import Final

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from pyhanko.keys import load_private_key_from_pemder_data
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import PdfPicture, prepare_pdf
from tests.bench import goals
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal
from tests.bench.session import Effort, Result
from tests.pdf_documents import NOW, PLACE, Ca, key_of, page

SIGNED: Final = "pyHanko signatures"
VALIDATED: Final = "pyHanko validations"
_BOX: Final = (340, 160, 453, 273)


def pdf(effort: Effort) -> Result:
    """Seals of one page, general and prepared, and verifications of it."""
    result = Result("pdf")
    ca = Ca()
    key = key_of(ca)
    form = CmsForm.of(key)
    image = Image.new("RGBA", (400, 400), (200, 0, 0, 128))
    png = io.BytesIO()
    image.save(png, "PNG")
    picture = PdfPicture.of(png.getvalue())
    prepared = prepare_pdf(page(), PLACE, picture, form)
    sealed = prepared.seal(key, form, NOW)
    root = asn1_x509.Certificate.load(ca.root.public_bytes(Encoding.DER))
    trust = Trust("bench", "", pdf_anchors=(ca.root,))
    evidence = Evidence(now=int(NOW.timestamp()), crls=(ca.crl().public_bytes(Encoding.DER),))
    sign = _signer(key.x509_chain, key.private, image)
    programs: dict[str, tuple[str, Callable[[], object]]] = {
        "general": (
            SIGNED, lambda: prepare_pdf(page(), PLACE, picture, form).seal(key, form, NOW)
        ),
        "prepared": (SIGNED, lambda: prepared.seal(key, form, NOW)),
        "verifications": (VALIDATED, lambda: verify(sealed, Kind.PDF, trust, evidence)),
    }  # fmt: skip
    yardsticks: dict[str, Callable[[], object]] = {
        SIGNED: sign,
        VALIDATED: lambda: _validate(sealed, root),
    }
    if verify(sealed, Kind.PDF, trust, evidence).verdict is not Verdict.VALID:
        raise RuntimeError("a sealed document did not verify")
    if not (_validate(sealed, root) and _validate(sign(), root)):
        raise RuntimeError("pyHanko did not accept a sealed document")
    values: list[tuple[str, float]] = []
    steal = Steal()
    for _ in range(effort.rounds):
        for name, (yardstick, program) in programs.items():
            values.append((yardstick, _rate(yardsticks[yardstick], effort.seconds / 2)))
            values.append((name, _rate(program, effort.seconds / 4)))
    values.append((SIGNED, _rate(sign, effort.seconds / 2)))
    control = control_ratios(values, SIGNED)
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    held = {"general": goals.PDF_GENERAL, "prepared": goals.PDF_PREPARED}
    for name, (yardstick, _) in programs.items():
        ratios = neighbour_ratios(values, name, yardstick)
        result.ratio(f"{name} ÷ {yardstick}", ratios, held.get(name))
    for name in (*programs, *yardsticks):
        result.figures[f"{name} per second"] = spread([v for n, v in values if n == name]).median
    return result


def _signer(chain: Sequence[bytes], private: object, image: Image.Image) -> Callable[[], bytes]:
    """pyHanko signs the same page with the same key, certificate and picture."""
    pem = private.private_bytes(  # type: ignore[attr-defined]
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(chain[0]),
        signing_key=load_private_key_from_pemder_data(pem, None),
        cert_registry=SimpleCertificateStore(),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="Seal",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    style = StaticStampStyle(background=PdfImage(image), border_width=0, background_opacity=1)

    def sign() -> bytes:
        out = signers.PdfSigner(
            metadata, signer, stamp_style=style, new_field_spec=SigFieldSpec("Seal", box=_BOX)
        ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(page())))
        data: bytes = out.getvalue()
        return data

    return sign


def _validate(document: bytes, root: asn1_x509.Certificate) -> bool:
    (signature,) = PdfFileReader(io.BytesIO(document)).embedded_signatures
    context = ValidationContext(trust_roots=[root], moment=NOW, allow_fetching=False)
    status = validate_pdf_signature(signature, context)
    return bool(status.bottom_line)


def _rate(program: Callable[[], object], seconds: float) -> float:
    """Runs per second, for `seconds` at least."""
    count, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        program()
        count += 1
    return count / passed
