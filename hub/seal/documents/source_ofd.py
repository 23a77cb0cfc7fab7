"""An OFD that a department brought, as far as a marked copy needs it (`marked_ofd.py`).

The pages and what they draw with are kept byte for byte. Of `Document.xml` is taken what was
understood; so outlines, attachments, tags, extensions and signatures stay behind, and so does every
file that no page draws with: nothing leaves unmarked.

These functions read what others made: they run in a process of their own (`marking.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hub.proof.ofd.document import Document, open_package, read_document
from hub.proof.ofd.xml import Element, parse_xml
from hub.proof.reasons import ProofError
from hub.seal.documents.marked_pdf import PAGES_MAX, MarkRefusedError, Refusal

_ID_MAX: Final = 2**31 - 1_000_000
_SIDE_MM: Final = (10.0, 5_000.0)
_ANNOTATIONS_MAX: Final = 2_000
_RESOURCES: Final = ("PublicRes", "DocumentRes")
# What lists of resources name as files (GB/T 33190-2016 §7.9).
_FILE_ELEMENTS: Final = ("FontFile", "MediaFile")
_PROFILE: Final = "Profile"


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page: its ID, its paper in millimetres, and its visible annotations as XML."""

    id: str
    width: float
    height: float
    annotations: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourceOfd:
    """What `Document.xml`, the file of this name, says: the first ID that is free, its pages; as
    XML the paper and resources that stand before the mark's in the order of the schema, those
    behind, and the list of pages. And the files that pages draw with."""

    file: str
    unit_id: int
    pages: tuple[SourcePage, ...]
    before: str = field(repr=False)
    behind: str = field(repr=False)
    listed: str = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)


def read_source(data: bytes) -> SourceOfd:
    """The OFD in `data`. Raises MarkRefusedError."""
    try:
        return _Reading(read_document(open_package(data))).source()
    except ProofError as error:
        raise MarkRefusedError(Refusal.DAMAGED) from error


@dataclass(frozen=True, slots=True)
class _Reading:
    document: Document

    def source(self) -> SourceOfd:
        file = self.document.file
        root = parse_xml(self.document.package.files[file], file, "Document")
        if root.all("Actions"):
            raise MarkRefusedError(Refusal.ACTIVE)
        listed = root.one("Pages").all("Page")
        if not 1 <= len(listed) <= PAGES_MAX:
            raise MarkRefusedError(Refusal.PAGES)
        common = root.one("CommonData")
        contents = [self._page(page) for page in listed]
        seen = self._annotations(root)
        pages = []
        for page, content in zip(listed, contents, strict=True):
            identifier = page.attribute("ID")
            annotations = "".join(map(_copied, seen.get(identifier, ())))
            pages.append(SourcePage(identifier, *_paper(content, common), annotations))
        return SourceOfd(
            file,
            _unit_id(common),
            tuple(pages),
            _kept(common, "PageArea", "PublicRes"),
            _kept(common, "DocumentRes", "TemplatePage", "DefaultCS"),
            _copied(root.one("Pages")),
            dict(self._drawn_with(common, contents)),
        )

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


def _paper(content: Element, common: Element) -> tuple[float, float]:
    """Width and height of a page. Raises MarkRefusedError for one that has no usual size."""
    area = content.maybe("Area") or common.one("PageArea")
    sides = _sides(area.one("PhysicalBox").value())
    if not all(_SIDE_MM[0] <= side <= _SIDE_MM[1] for side in sides[2:]):
        raise MarkRefusedError(Refusal.PAGES)
    return sides[2], sides[3]


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


def _kept(common: Element, *names: str) -> str:
    return "".join(_copied(one) for name in names for one in common.all(name))


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
