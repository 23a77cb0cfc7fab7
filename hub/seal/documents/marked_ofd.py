"""An OFD of a department with a mark on every page, as a new package without anybody's seal.

`OFD.xml` and `Document.xml` are written anew around what was read of it (`source_ofd.py`). The mark
is an annotation of the type Watermark on each page (GB/T 33190-2016 §15), behind those that were
there.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from posixpath import dirname, join
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hub.proof.ofd.document import ENTRY_FILE
from hub.proof.ofd.xml import NAMESPACE
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.source_ofd import SourceOfd
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.ofd import entry_xml, font_list, text_object, xml_file
from hub.seal.faces.page import Box, Page, TextLine, number

_FOLDER: Final = "SealwayMark"

Lines = Callable[[Box], tuple[TextLine, ...]]
"""The lines of the mark in a box, in millimetres."""


@dataclass(frozen=True, slots=True)
class MarkedOfd:
    """A package whose pages are all marked; the size is that of the first, in millimetres."""

    package: OfdPackage = field(repr=False)
    width: float
    height: float


def mark_ofd(source: SourceOfd, lines: Lines, fonts: FaceFonts, metadata: Metadata) -> MarkedOfd:
    """`source` with `lines` over each of its pages and the metadata of a copy.

    Raises HubError(FONT_GLYPH_MISSING).
    """
    folder = join(dirname(source.file), _FOLDER)
    # Objects stand in the axes of the paper, whatever corner its box names.
    boxes = [Box(0, 0, page.width, page.height) for page in source.pages]
    marks = [lines(box) for box in boxes]
    shown = Page(1, 1, tuple(line for mark in marks for line in mark), boxes[0], boxes[0])
    files = dict(source.files)
    files[f"{folder}/Res.xml"] = font_list(fonts, shown, source.unit_id)
    for font, characters in shown.characters.items():
        subset = fonts.files[font].true_type_subset(characters)
        files[f"{folder}/Res/font_{font}.ttf"] = subset
    next_id = source.unit_id + len(fonts.files)
    listed = []
    for index, (page, box, mark) in enumerate(zip(source.pages, boxes, marks, strict=True)):
        annotation = _annotation(box, mark, next_id, source.unit_id, metadata.created)
        files[f"{folder}/Page_{index}.xml"] = xml_file(
            f'<ofd:PageAnnot xmlns:ofd="{NAMESPACE}">{page.annotations}{annotation}</ofd:PageAnnot>'
        )
        next_id += 1 + len(mark)
        location = f"<ofd:FileLoc>Page_{index}.xml</ofd:FileLoc>"
        listed.append(f"<ofd:Page PageID={quoteattr(page.id)}>{location}</ofd:Page>")
    files[f"{folder}/Annotations.xml"] = xml_file(
        f'<ofd:Annotations xmlns:ofd="{NAMESPACE}">{"".join(listed)}</ofd:Annotations>'
    )
    files[source.file] = _document_xml(source, folder, next_id)
    entry = entry_xml(metadata, files, source.file)
    return MarkedOfd(OfdPackage({ENTRY_FILE: entry, **files}), boxes[0].width, boxes[0].height)


def _document_xml(source: SourceOfd, folder: str, unit_id: int) -> bytes:
    """The document anew: its paper, its resources and pages, and the marks in `folder`.

    Their paths begin at the root: ofdrw looks for the second of several relative ones in the folder
    of the first, and would draw no mark.
    """
    marks = f"/{escape(folder)}"
    return xml_file(
        f'<ofd:Document xmlns:ofd="{NAMESPACE}"><ofd:CommonData>'
        f"<ofd:MaxUnitID>{unit_id}</ofd:MaxUnitID>{source.before}"
        f"<ofd:PublicRes>{marks}/Res.xml</ofd:PublicRes>{source.behind}</ofd:CommonData>"
        f"{source.listed}"
        f"<ofd:Annotations>{marks}/Annotations.xml</ofd:Annotations></ofd:Document>"
    )


def _annotation(
    box: Box, mark: tuple[TextLine, ...], identifier: int, font_id: int, created: int
) -> str:
    """The mark on a page."""
    objects = "".join(
        text_object(line, identifier + 1 + index, font_id + line.font)
        for index, line in enumerate(mark)
    )
    day = datetime.datetime.fromtimestamp(created, datetime.UTC).date().isoformat()
    boundary = " ".join(map(number, (box.x, box.y, box.width, box.height)))
    return (
        f'<ofd:Annot ID="{identifier}" Type="Watermark" Creator="Sealway" '
        f'LastModDate="{day}" ReadOnly="true">'
        f'<ofd:Appearance Boundary="{boundary}">{objects}</ofd:Appearance></ofd:Annot>'
    )
