"""A face is sealed as OFD or PDF: composed, checked against what was approved, signed.

What signs is a key of the seal; nothing reaches it before `hub.proof.sealing.documents` has
compared the file, the intent and the bytes. Both functions run in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from hub.proof.sealing.documents import (
    Document,
    DocumentOrder,
    OfdFile,
    PdfFile,
    SignedDocument,
    check_ofd,
    check_pdf,
)
from hub.proof.sealing.records import ApprovedIntent, Mandate
from hub.proof.ses.seal import parse_seal
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import OfdSealer, SealTrust, StampPlace
from hub.seal.documents.pdf_seal import PdfPicture, SealPlace, prepare_pdf
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.page import Box
from hub.seal.keys import DocumentWork, SigningKey
from hub.seal.pictures import check_picture, rendered
from hub.seal.ports import TimeStamps
from hub.seal.round_seal import RoundSeal, draw_round_seal
from hub.seal.seal_store import ElectronicSeal

FIELD: Final = "Seal"
_PICTURE_DPI: Final = 300


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that one seal on one file needs. `electronic` is the seal's newest electronic
    form, where it has one; `place` its box in millimetres on page 1."""

    approved: ApprovedIntent
    mandate: Mandate = field(repr=False)
    order: DocumentOrder
    key: SigningKey = field(repr=False)
    electronic: ElectronicSeal | None
    place: Box
    now_us: int
    stamps: TimeStamps | None = None

    @property
    def now(self) -> int:
        """Seconds."""
        return self.now_us // 1_000_000

    @property
    def time(self) -> datetime:
        """What the seal says when it was made."""
        return datetime.fromtimestamp(self.now, UTC)


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """The sealed file, and what of it was signed."""

    data: bytes = field(repr=False)
    signed: SignedDocument


def seal_ofd(
    drawing: Drawing, package: OfdPackage, trust: SealTrust, *, closing: bool = True
) -> SealedDocument:
    """`package` under the electronic seal; with `closing` no other can be added.

    Raises HubError: INTENT_NOT_APPROVED with the rule, SEAL_NOT_USABLE, OFD_REFUSED,
    TIME_STAMP_UNAVAILABLE, and what the key raises.
    """
    assert drawing.electronic is not None, "an OFD key signs under an electronic seal"
    seal, box = drawing.electronic.der, drawing.place
    sealer = OfdSealer.open(seal, drawing.key, trust, drawing.time)
    place = StampPlace(1, box.x, box.y, box.width, box.height)
    prepared = sealer.prepare(package, [place], drawing.time, closing=closing)
    file = OfdFile(prepared.files, prepared.value_file, seal)
    document = Document(drawing.order, file, prepared.to_sign)
    check_ofd(drawing.approved, document, drawing.key, makers=trust.makers, now=drawing.now)
    work = DocumentWork(drawing.mandate, document)
    value = drawing.key.sign_document(work)
    stamp = b"" if drawing.stamps is None else drawing.stamps.stamp(value)
    data = prepared.complete(value, stamp or None).to_bytes()
    return SealedDocument(data, _signed(drawing, work, stamp))


def seal_pdf(drawing: Drawing, document: bytes, title: str, fonts: FaceFonts) -> SealedDocument:
    """`document` under a visible seal, closed; without an electronic form the seal is drawn from
    its `title`. Raises as `seal_ofd`, PDF_REFUSED instead of OFD_REFUSED."""
    box, form = drawing.place, CmsForm.of(drawing.key)
    if drawing.electronic is None:
        data = draw_round_seal(RoundSeal(title), fonts)
    else:
        data = parse_seal(drawing.electronic.der).picture.data
    picture = PdfPicture.of(rendered(check_picture(data), box.width, dpi=_PICTURE_DPI))
    place = SealPlace(FIELD, 1, box.x, box.y, box.width, box.height)
    prepared = prepare_pdf(document, place, picture, form, stamped=drawing.stamps is not None)

    file = PdfFile(prepared.unsigned(drawing.time))
    asked = _Asked(drawing, file, form)
    data = prepared.seal(
        drawing.key,
        form,
        drawing.time,
        stamps=None if drawing.stamps is None else asked,
        sign=asked.sign,
    )
    return SealedDocument(data, asked.signed())


@dataclass(slots=True)
class _Asked:
    """What is asked for a PDF, of the key and of the time stamping service, and kept."""

    drawing: Drawing
    file: PdfFile
    form: CmsForm
    _work: DocumentWork | None = None
    _token: bytes = b""

    def sign(self, attributes: bytes) -> bytes:
        drawing, document = self.drawing, Document(self.drawing.order, self.file, attributes)
        check_pdf(drawing.approved, document, drawing.key, self.form, now=drawing.now)
        self._work = DocumentWork(drawing.mandate, document)
        return drawing.key.sign_document(self._work)

    def stamp(self, data: bytes) -> bytes:
        assert self.drawing.stamps is not None, "asked for"
        self._token = self.drawing.stamps.stamp(data)
        return self._token

    def signed(self) -> SignedDocument:
        assert self._work is not None, "it was signed"
        return _signed(self.drawing, self._work, self._token)


def _signed(drawing: Drawing, work: DocumentWork, time_stamp: bytes) -> SignedDocument:
    return SignedDocument(work.request_id, work.mandate, work.document, drawing.key, time_stamp)
