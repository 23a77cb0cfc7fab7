"""An OFD of a department with a mark on every page, as a new package without anybody's seal.

The pages and what they draw with are kept byte for byte; `OFD.xml` and `Document.xml` are written
anew from what was read of them, so that outlines, attachments, tags, extensions and signatures stay
behind, and so does every file that no page draws with: nothing leaves unmarked. The mark is an
annotation of the type Watermark on each page (GB/T 33190-2016 §15), behind those that were there.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hub.proof.ofd.document import ENTRY_FILE, Document, Package, open_package, read_document
from hub.proof.ofd.xml import NAMESPACE, Element, parse_xml
from hub.proof.reasons import ProofError
from hub.seal.documents.marked_pdf import PAGES_MAX, MarkRefusedError, Refusal
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.ofd import entry_xml, font_list, text_object, xml_file
from hub.seal.faces.page import Box, Page, TextLine, number

_FOLDER: Final = "SealwayMark"
_ID_MAX: Final = 2**31 - 1_000_000
_SIDE_MM: Final = (10.0, 5_000.0)
_ANNOTATIONS_MAX: Final = 2_000
_RESOURCES: Final = ("PublicRes", "DocumentRes")
# What lists of resources name as files (GB/T 33190-2016 §7.9).
_FILE_ELEMENTS: Final = ("FontFile", "MediaFile")
_PROFILE: Final = "Profile"

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
        file = self.document.file
        root = parse_xml(self.document.package.files[file], file, "Document")
        if root.all("Actions"):
            raise MarkRefusedError(Refusal.ACTIVE)
        pages = root.one("Pages").all("Page")
        if not 1 <= len(pages) <= PAGES_MAX:
            raise MarkRefusedError(Refusal.PAGES)
        common = root.one("CommonData")
        folder = join(dirname(file), _FOLDER)
        contents = [self._page(page) for page in pages]
        boxes = [_box(content, common) for content in contents]
        marks = [tuple(self.lines(box)) for box in boxes]
        first = _unit_id(common)
        files = dict(self._drawn_with(common, contents))
        shown = Page(1, 1, tuple(line for mark in marks for line in mark), boxes[0], boxes[0])
        files[f"{folder}/Res.xml"] = font_list(self.fonts, shown, first)
        for font, characters in shown.characters.items():
            files[f"{folder}/Res/font_{font}.ttf"] = self.fonts.files[font].true_type_subset(
                characters
            )
        next_id = first + len(self.fonts.files)
        before = self._annotations(root)
        listed = []
        for index, (page, box, mark) in enumerate(zip(pages, boxes, marks, strict=True)):
            identifier = page.attribute("ID")
            annotations = [
                *map(_copied, before.get(identifier, ())),
                _annotation(box, mark, next_id, first, self.metadata.created),
            ]
            files[f"{folder}/Page_{index}.xml"] = xml_file(
                f'<ofd:PageAnnot xmlns:ofd="{NAMESPACE}">{"".join(annotations)}</ofd:PageAnnot>'
            )
            next_id += 1 + len(mark)
            location = f"<ofd:FileLoc>Page_{index}.xml</ofd:FileLoc>"
            listed.append(f"<ofd:Page PageID={quoteattr(identifier)}>{location}</ofd:Page>")
        files[f"{folder}/Annotations.xml"] = xml_file(
            f'<ofd:Annotations xmlns:ofd="{NAMESPACE}">{"".join(listed)}</ofd:Annotations>'
        )
        files[file] = _document_xml(root, common, folder, next_id)
        entry = entry_xml(self.metadata, files, file)
        marked = OfdPackage({ENTRY_FILE: entry, **files})
        read_document(Package.of(marked.files))
        return MarkedOfd(marked, boxes[0].width, boxes[0].height)

    def _read(self, file: str, root: str) -> Element:
        """A file that pages are drawn with. Raises MarkRefusedError where anything in it acts."""
        found = parse_xml(self.document.package.files[file], file, root)
        if any(element.name == "Actions" for element in _elements(found)):
            raise MarkRefusedError(Refusal.ACTIVE)
        return found

    def _page(self, page: Element) -> Element:
        """What a page or a template that `page` lists consists of."""
        location = page.attribute("BaseLoc")
        return self._read(self.document.package.follow(location, page.file), "Page")

    def _drawn_with(self, common: Element, pages: Sequence[Element]) -> Iterator[tuple[str, bytes]]:
        """The pages, their templates, the resources of both and the files that these name."""
        package = self.document.package
        drawn = [*pages, *map(self._page, common.all("TemplatePage"))]
        lists = [one for name in _RESOURCES for one in common.all(name)]
        lists += [one for page in drawn for one in page.all("PageRes")]
        names = {page.file for page in drawn}
        for listed in lists:
            name = package.follow(listed.value(), listed.file)
            names |= {name, *self._resource_files(self._read(name, "Res"))}
        return ((name, package.files[name]) for name in sorted(names))

    def _resource_files(self, resources: Element) -> Iterator[str]:
        """The files of a list of resources; one that is missing was missing before."""
        folder = normpath(resources.attributes.get("BaseLoc", "").strip() or ".")
        for element in _elements(resources):
            location = element.attributes.get(_PROFILE, "")
            if element.name in _FILE_ELEMENTS:
                location = element.value()
            if location:
                within = location if folder == "." else join(folder, location.strip())
                found = self.document.package.find(within, resources.file)
                if found is not None:
                    yield found

    def _annotations(self, root: Element) -> Mapping[str, Sequence[Element]]:
        """Those that the document has: the id of a page, and what is seen on it."""
        package = self.document.package
        found: dict[str, list[Element]] = {}
        listed = root.maybe("Annotations")
        if listed is None:
            return found
        name = package.follow(listed.value(), listed.file)
        for page in self._read(name, "Annotations").all("Page"):
            file = package.follow(page.one("FileLoc").value(), name)
            seen = [
                annotation
                for annotation in self._read(file, "PageAnnot").all("Annot")
                if annotation.attributes.get("Visible", "true").strip() in ("true", "1")
            ]
            found.setdefault(page.attribute("PageID"), []).extend(seen)
        if sum(map(len, found.values())) > _ANNOTATIONS_MAX:
            raise MarkRefusedError(Refusal.PAGES)
        return found


def _elements(root: Element) -> Iterator[Element]:
    """`root` and what stands in it."""
    yield root
    for child in root.children:
        yield from _elements(child)


def _box(content: Element, common: Element) -> Box:
    """The paper of a page. Raises MarkRefusedError for one that has no usual size."""
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


def _document_xml(root: Element, common: Element, folder: str, unit_id: int) -> bytes:
    """The document anew: its paper, its resources and pages, and the marks in `folder`.

    Their paths begin at the root: ofdrw looks for the second of several relative ones in the folder
    of the first, and would draw no mark.
    """
    marks = f"/{escape(folder)}"
    kept = [_copied(one) for one in common.all("PageArea")]
    kept += [_copied(one) for name in _RESOURCES for one in common.all(name)]
    # The order of the schema: the mark's resources stand with those of their kind.
    resources = f"<ofd:PublicRes>{marks}/Res.xml</ofd:PublicRes>"
    kept.insert(len(common.all("PageArea")) + len(common.all("PublicRes")), resources)
    kept += [_copied(one) for one in common.all("TemplatePage")]
    kept += [_copied(one) for one in common.all("DefaultCS")]
    return xml_file(
        f'<ofd:Document xmlns:ofd="{NAMESPACE}"><ofd:CommonData>'
        f"<ofd:MaxUnitID>{unit_id}</ofd:MaxUnitID>{''.join(kept)}</ofd:CommonData>"
        f"{_copied(root.one('Pages'))}"
        f"<ofd:Annotations>{marks}/Annotations.xml</ofd:Annotations></ofd:Document>"
    )


def _copied(element: Element) -> str:
    """An element as it was read, and nothing that was not; attributes of other namespaces are
    passed over as their elements are."""
    attributes = "".join(
        f" {name}={quoteattr(value)}"
        for name, value in element.attributes.items()
        if " " not in name
    )
    # Spaces of a text are characters on the page; those between elements are not.
    text = element.text.strip() if element.children else element.text
    inner = escape(text) + "".join(map(_copied, element.children))
    return f"<ofd:{element.name}{attributes}>{inner}</ofd:{element.name}>"


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
