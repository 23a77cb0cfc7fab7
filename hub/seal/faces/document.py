"""One certificate set into its template: what is written as OFD or PDF, and then sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain.certificate_type import CertificateType
from hub.domain.face import CopyTerms
from hub.domain.strict_json import Json
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Face, Issuance, copy_overlay, set_overlay
from hub.seal.faces.metadata import Metadata, metadata
from hub.seal.faces.ofd import page_ofd
from hub.seal.faces.page import Box, Colour, Page, TextLine
from hub.seal.faces.pdf import page_pdf
from hub.seal.faces.template import Watermark


@dataclass(frozen=True, slots=True)
class FaceDocument:
    """A page with its metadata. `page.seal` is where its seal goes, in millimetres from the upper
    left corner of page 1."""

    page: Page
    metadata: Metadata
    fonts: FaceFonts

    def ofd(self) -> OfdPackage:
        """As OFD, unsealed."""
        return page_ofd(self.page, self.fonts, self.metadata)

    def pdf(self) -> bytes:
        """As PDF, unsealed."""
        return page_pdf(self.page, self.fonts, self.metadata)


def set_face(
    face: Face,
    fields: Mapping[str, Json],
    issuance: Issuance,
    code: str,
    *,
    template: str,
    created: int,
    annotated: CopyTerms | None = None,
) -> FaceDocument:
    """Set one certificate, or an annotated copy of it.

    `code` is the text of its two-dimensional code, `template` names the template and its digest,
    `created` is seconds UTC. It takes a tenth of a second and runs in a thread of its own. Raises
    HubError: FACE_OVERFLOW, FONT_GLYPH_MISSING.
    """
    overlay = None if annotated is None else copy_overlay(annotated)
    page = face.page(fields, issuance, code, overlay=overlay)
    described = metadata(
        face.type, fields, issuance, code=code, face=template, created=created, annotated=annotated
    )
    return FaceDocument(page, described, face.fonts)


_MARK_SIZE: Final = 14.0
_MARK_ANGLE: Final = 25
_MARK_COLOUR: Final = Colour(179, 38, 30)
_MARK: Final = Box(0, 0, 170, 110)
"""In millimetres; it is made as large as the pages that it goes over."""


def mark_lines(annotated: CopyTerms, box: Box, fonts: FaceFonts) -> tuple[TextLine, ...]:
    """What stands across the paper `box`. Raises HubError(FONT_GLYPH_MISSING)."""
    place = Watermark(box, _MARK_SIZE, _MARK_ANGLE, _MARK_COLOUR)
    return tuple(set_overlay(copy_overlay(annotated), place, fonts))


def set_mark(
    certificate_type: CertificateType,
    fields: Mapping[str, Json],
    issuance: Issuance,
    annotated: CopyTerms,
    fonts: FaceFonts,
    *,
    face: str,
    created: int,
) -> FaceDocument:
    """What goes over each page of a document that a department brought, with the metadata of the
    annotated copy that is made of it; `face` names that document. Raises as `set_face`."""
    page = Page(
        _MARK.width, _MARK.height, mark_lines(annotated, _MARK, fonts), seal=_MARK, code=_MARK
    )
    described = metadata(
        certificate_type,
        fields,
        issuance,
        code="",
        face=face,
        created=created,
        annotated=annotated,
    )
    return FaceDocument(page, described, fonts)
