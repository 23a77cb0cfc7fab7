"""A face is sealed as OFD or PDF: composed, checked against what was approved, signed.

What signs is a key of the seal; nothing reaches it before `hub.proof.document_sealing` has compared
the file, the intent and the bytes. Both functions run in a thread.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pyhanko.pdf_utils.reader import PdfFileReader

from hub.proof.document_sealing import (
    DocumentOrder,
    check_document_order,
    check_facts,
    check_ofd_bytes,
)
from hub.proof.face_facts import ofd_facts, pdf_facts
from hub.proof.ofd import Package
from hub.proof.reasons import ProofError
from hub.proof.sealing import ApprovedIntent, refused
from hub.proof.ses import parse_seal
from hub.seal.cms import CmsForm
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.page import Box
from hub.seal.keys import SigningKey
from hub.seal.ofd_package import OfdPackage
from hub.seal.ofd_seal import FORMAT, OfdSealer, SealTrust, StampPlace
from hub.seal.pdf_seal import (
    UNREADABLE,
    PdfPicture,
    PreparedPdf,
    SealPlace,
    prepare_pdf,
)
from hub.seal.pictures import RoundSeal, check_picture, draw_round_seal, rendered
from hub.seal.ports import TimeStamps
from hub.seal.seal_store import ElectronicSeal

FIELD: Final = "Seal"
_PICTURE_DPI: Final = 300


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that one seal on one file needs. `electronic` is the seal's newest electronic
    form, where it has one; `place` its box in millimetres on page 1."""

    approved: ApprovedIntent
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


def seal_ofd(drawing: Drawing, package: OfdPackage, trust: SealTrust) -> bytes:
    """`package` under the electronic seal, closed. Raises HubError: INTENT_NOT_APPROVED with the
    rule, SEAL_NOT_USABLE, OFD_REFUSED, TIME_STAMP_UNAVAILABLE, and what the key raises."""
    assert drawing.electronic is not None, "an OFD key signs under an electronic seal"
    seal, box, approved = drawing.electronic.der, drawing.place, drawing.approved
    sealer = OfdSealer.open(seal, drawing.key, trust, drawing.time)
    place = StampPlace(1, box.x, box.y, box.width, box.height)
    prepared = sealer.prepare(package, [place], drawing.time, closing=True)
    check_document_order(approved, drawing.order, now=drawing.now)
    try:
        facts = ofd_facts(Package.of(prepared.files))
    except ProofError as error:
        raise refused(approved.name, f"the file cannot be read: {error.reason.value}") from error
    check_facts(approved, drawing.order, facts)
    check_ofd_bytes(
        approved,
        prepared.to_sign,
        seal=seal,
        files=prepared.files,
        value_file=prepared.value_file,
        now=drawing.now,
    )
    value = drawing.key.sign(prepared.to_sign, FORMAT)
    stamp = None if drawing.stamps is None else drawing.stamps.stamp(value)
    return prepared.complete(value, stamp).to_bytes()


def seal_pdf(drawing: Drawing, document: bytes, title: str, fonts: FaceFonts) -> bytes:
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

    def allow(attributes: bytes) -> None:
        _check_pdf_bytes(drawing, document, prepared, form, attributes)

    return prepared.seal(drawing.key, form, drawing.time, stamps=drawing.stamps, allow=allow)


def _check_pdf_bytes(
    drawing: Drawing, document: bytes, prepared: PreparedPdf, form: CmsForm, attributes: bytes
) -> None:
    """All four comparisons for PDF: the face that says what was ordered is the file's first
    revision, and `attributes` are over that file at this moment."""
    name = drawing.approved.name
    check_document_order(drawing.approved, drawing.order, now=drawing.now)
    try:
        facts = pdf_facts(PdfFileReader(io.BytesIO(document)))
    except (ProofError, *UNREADABLE) as error:
        raise refused(name, "the file cannot be read") from error
    check_facts(drawing.approved, drawing.order, facts)
    covered = prepared.covered(drawing.time)
    try:
        signed = form.digest_in(attributes)
    except ValueError as error:
        raise refused(name, "the bytes are no attributes of this key") from error
    if not covered[0].startswith(document) or form.digest(*covered) != signed:
        raise refused(name, "the bytes are about another file")
