"""An OFD of a department with a mark on every page, as a new package without anybody's seal.

The pages and what they draw with are kept byte for byte; `OFD.xml` and `Document.xml` are written
anew from what was read of them, so that outlines, actions, attachments and signatures stay behind.
The mark is an annotation of the type Watermark on each page (GB/T 33190-2016 §15).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from posixpath import dirname
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hub.proof.ofd import ENTRY_FILE, Document, Package, open_package, read_document, read_signature
from hub.proof.ofd_xml import NAMESPACE, Element, parse_xml
from hub.proof.reasons import ProofError
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.ofd import entry_xml, font_list, text_object, xml_file
from hub.seal.faces.page import Box, Page, TextLine, number
from hub.seal.marked_pdf import PAGES_MAX, MarkRefusedError, Refusal
from hub.seal.ofd_package import OfdPackage

_FOLDER: Final = "SealwayMark"
_ID_MAX: Final = 2**31 - 1_000_000
_SIDE_MM: Final = (10.0, 5_000.0)
# What looks different from reader to reader, acts, or would be lost.
_REFUSED: Final = ("Annotations", "Attachments", "CustomTags", "Extensions")
_RESOURCES: Final = ("PublicRes", "DocumentRes")

Lines = Callable[[Box], tuple[TextLine, ...]]
"""The lines of the mark in a box, in millimetres."""


@dataclass(frozen=True, slots=True)
class MarkedOfd:
    """A package whose pages are all marked; the size is that of the first, in millimetres."""

    package: OfdPackage = field(repr=False)
    width: float
    height: float


def mark_ofd(data: bytes, lines: Lines, fonts: FaceFonts, metadata: Metadata) -> MarkedOfd:
    """`data` with `lines` over each of its pages and the metadata of a copy.

    Raises MarkRefusedError; and HubError(FONT_GLYPH_MISSING).
    """
    try:
        document = read_document(open_package(data))
        return _Marking(document, lines, fonts, metadata).marked()
    except ProofError as error:
        raise MarkRefusedError(Refusal.DAMAGED) from error


@dataclass(frozen=True, slots=True)
class _Marking:
    document: Document
    lines: Lines
    fonts: FaceFonts
    metadata: Metadata

    def marked(self) -> MarkedOfd:
        package, file = self.document.package, self.document.file
        root = parse_xml(package.files[file], file, "Document")
        if any(root.all(name) for name in _REFUSED):
            raise MarkRefusedError(Refusal.LAYERS)
        if root.all("Actions"):
            raise MarkRefusedError(Refusal.ACTIVE)
        pages = root.one("Pages").all("Page")
        if not 1 <= len(pages) <= PAGES_MAX:
            raise MarkRefusedError(Refusal.PAGES)
        common = root.one("CommonData")
        folder = f"{dirname(file)}/{_FOLDER}" if dirname(file) else _FOLDER
        boxes = [self._box(page, common) for page in pages]
        marks = [tuple(self.lines(box)) for box in boxes]
        first = _unit_id(common)
        files = dict(self._kept())
        shown = Page(1, 1, tuple(line for mark in marks for line in mark), boxes[0], boxes[0])
        files[f"{folder}/Res.xml"] = font_list(self.fonts, shown, first)
        for font, characters in shown.characters.items():
            files[f"{folder}/Res/font_{font}.otf"] = self.fonts.files[font].subset(characters)
        next_id = first + len(self.fonts.files)
        listed = []
        for index, (page, box, mark) in enumerate(zip(pages, boxes, marks, strict=True)):
            files[f"{folder}/Page_{index}.xml"] = _annotation(
                box, mark, next_id, first, self.metadata.created
            )
            next_id += 1 + len(mark)
            location = f"<ofd:FileLoc>Page_{index}.xml</ofd:FileLoc>"
            listed.append(
                f"<ofd:Page PageID={quoteattr(page.attribute('ID'))}>{location}</ofd:Page>"
            )
        files[f"{folder}/Annotations.xml"] = xml_file(
            f'<ofd:Annotations xmlns:ofd="{NAMESPACE}">{"".join(listed)}</ofd:Annotations>'
        )
        files[file] = _document_xml(root, common, next_id)
        entry = entry_xml(self.metadata, files, file)
        marked = OfdPackage({ENTRY_FILE: entry, **files})
        read_document(Package.of(marked.files))
        return MarkedOfd(marked, boxes[0].width, boxes[0].height)

    def _kept(self) -> Mapping[str, bytes]:
        """Everything but the entry, and what signatures consist of."""
        document = self.document
        dropped = {ENTRY_FILE, document.signatures_file}
        for listed in document.signatures:
            signature = read_signature(document, listed)
            dropped |= {listed.file, signature.value_file, signature.seal_file}
        files = document.package.files
        return {name: data for name, data in files.items() if name not in dropped}

    def _box(self, page: Element, common: Element) -> Box:
        """The paper of a page. Raises MarkRefusedError for one that acts or has no usual size."""
        package, file = self.document.package, self.document.file
        name = package.follow(page.attribute("BaseLoc"), file)
        content = parse_xml(package.files[name], name, "Page")
        if content.all("Actions"):
            raise MarkRefusedError(Refusal.ACTIVE)
        area = content.maybe("Area") or common.one("PageArea")
        sides = _sides(area.one("PhysicalBox").value())
        if not all(_SIDE_MM[0] <= side <= _SIDE_MM[1] for side in sides[2:]):
            raise MarkRefusedError(Refusal.PAGES)
        # Objects stand in the axes of the paper, whatever corner its box names.
        return Box(0, 0, sides[2], sides[3])


def _sides(text: str) -> list[float]:
    try:
        sides = [float(one) for one in text.split()]
    except ValueError as error:
        raise MarkRefusedError(Refusal.DAMAGED) from error
    if len(sides) != 4:
        raise MarkRefusedError(Refusal.DAMAGED)
    return sides


def _unit_id(common: Element) -> int:
    """The first ID that is free."""
    text = common.one("MaxUnitID").value()
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < _ID_MAX):
        raise MarkRefusedError(Refusal.DAMAGED)
    return int(text) + 1


def _document_xml(root: Element, common: Element, unit_id: int) -> bytes:
    """The document anew: its paper, its resources and pages, and the marks."""
    kept = [_copied(one) for one in common.all("PageArea")]
    kept += [_copied(one) for name in _RESOURCES for one in common.all(name)]
    # The order of the schema: the mark's resources stand with those of their kind.
    resources = f"<ofd:PublicRes>{_FOLDER}/Res.xml</ofd:PublicRes>"
    kept.insert(len(common.all("PageArea")) + len(common.all("PublicRes")), resources)
    kept += [_copied(one) for one in common.all("TemplatePage")]
    kept += [_copied(one) for one in common.all("DefaultCS")]
    return xml_file(
        f'<ofd:Document xmlns:ofd="{NAMESPACE}"><ofd:CommonData>'
        f"<ofd:MaxUnitID>{unit_id}</ofd:MaxUnitID>{''.join(kept)}</ofd:CommonData>"
        f"{_copied(root.one('Pages'))}"
        f"<ofd:Annotations>{_FOLDER}/Annotations.xml</ofd:Annotations></ofd:Document>"
    )


def _copied(element: Element) -> str:
    """An element as it was read, and nothing that was not."""
    attributes = "".join(
        f" {name}={quoteattr(value)}" for name, value in element.attributes.items()
    )
    inner = escape(element.text.strip()) + "".join(map(_copied, element.children))
    return f"<ofd:{element.name}{attributes}>{inner}</ofd:{element.name}>"


def _annotation(
    box: Box, mark: tuple[TextLine, ...], identifier: int, font_id: int, created: int
) -> bytes:
    objects = "".join(
        text_object(line, identifier + 1 + index, font_id + line.font)
        for index, line in enumerate(mark)
    )
    day = datetime.datetime.fromtimestamp(created, datetime.UTC).date().isoformat()
    boundary = " ".join(map(number, (box.x, box.y, box.width, box.height)))
    return xml_file(
        f'<ofd:PageAnnot xmlns:ofd="{NAMESPACE}"><ofd:Annot ID="{identifier}" Type="Watermark" '
        f'Creator="Sealway" LastModDate="{day}" ReadOnly="true">'
        f'<ofd:Appearance Boundary="{boundary}">{objects}</ofd:Appearance></ofd:Annot>'
        f"</ofd:PageAnnot>"
    )
