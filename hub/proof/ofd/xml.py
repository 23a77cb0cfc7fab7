"""XML of an OFD document: elements of the one namespace, nothing that reaches outside.

Read by the standard library's expat. A document type is refused before anything of it is looked at,
so there are no entities, internal or external, to expand (XML 1.0 §2.8, §4.2). Depth, elements and
bytes are bounded. Elements of other namespaces are passed over: they are extensions that a reader
may know or not (GB/T 33190 §5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from hub.proof.reasons import ProofError, ProofReason

NAMESPACE: Final = "http://www.ofdspec.org/2016"
XML_BYTES_MAX: Final = 16 * 1024 * 1024
ELEMENTS_MAX: Final = 200_000
DEPTH_MAX: Final = 64
_SEPARATOR: Final = " "
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


@dataclass(slots=True)
class Element:
    """An element of the OFD namespace; `file` is where it stands, for errors."""

    name: str
    attributes: Mapping[str, str]
    file: str
    pieces: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text, without that of its children."""
        return "".join(self.pieces)

    def all(self, name: str) -> list[Element]:
        """The children called `name`, in their order."""
        return [child for child in self.children if child.name == name]

    def maybe(self, name: str) -> Element | None:
        """The child called `name`, or None. Raises ProofError(OFD_STRUCTURE) where there are
        several: each reader would take another one."""
        found = self.all(name)
        if len(found) > 1:
            raise self.wrong(f"{name} stands {len(found)} times")
        return found[0] if found else None

    def one(self, name: str) -> Element:
        """The one child called `name`. Raises ProofError(OFD_STRUCTURE)."""
        found = self.maybe(name)
        if found is None:
            raise self.wrong(f"{name} is missing")
        return found

    def value(self) -> str:
        """The text, which must not be empty. Raises ProofError(OFD_STRUCTURE)."""
        text = self.text.strip()
        if not text:
            raise self.wrong("empty")
        return text

    def attribute(self, name: str) -> str:
        """An attribute that must be there. Raises ProofError(OFD_STRUCTURE)."""
        value = self.attributes.get(name, "").strip()
        if not value:
            raise self.wrong(f"attribute {name} is missing")
        return value

    def wrong(self, what: str) -> ProofError:
        """The error that this element is not as the standard wants it."""
        return ProofError(ProofReason.OFD_STRUCTURE, f"{self.file}: {self.name}: {what}")


def parse_xml(data: bytes, file: str, root: str) -> Element:
    """The root element of `data`, which must be called `root`; `file` names it in errors.

    Raises ProofError(XML_DTD), (XML_TOO_LARGE), (XML_MALFORMED), (OFD_STRUCTURE).
    """
    reader = _Reader(file)
    reader.read(data)
    found = reader.top.children
    if len(found) != 1 or found[0].name != root:
        raise ProofError(ProofReason.OFD_STRUCTURE, f"{file}: not {root} of {NAMESPACE}")
    return found[0]


def check_no_document_type(data: bytes, file: str) -> None:
    """Raise ProofError(XML_DTD) where `data` has a document type, whatever the XML is about.

    What expat cannot read (a page in GB 18030, say) is searched for the letters instead.
    """

    def refuse(*_: object) -> None:
        raise ProofError(ProofReason.XML_DTD, file)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):
        if _DOCTYPE.search(data):
            refuse()


class _Reader:
    def __init__(self, file: str) -> None:
        self.top = Element("", {}, file)
        self._file = file
        # The element whose child comes next; None inside of what is passed over.
        self._open: list[Element | None] = [self.top]
        self._count = 0

    def read(self, data: bytes) -> None:
        if len(data) > XML_BYTES_MAX:
            raise ProofError(ProofReason.XML_TOO_LARGE, self._file)
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            # ValueError and LookupError: an encoding that Python does not know, or not as text.
            raise ProofError(ProofReason.XML_MALFORMED, self._file) from error

    def _doctype(self, *_: object) -> None:
        raise ProofError(ProofReason.XML_DTD, self._file)

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MAX or len(self._open) > DEPTH_MAX:
            raise ProofError(ProofReason.XML_TOO_LARGE, self._file)
        parent = self._open[-1]
        namespace, _, name = qualified.rpartition(_SEPARATOR)
        element = None
        if parent is not None and namespace == NAMESPACE:
            element = Element(name, attributes, self._file)
            parent.children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if element is not None:
            element.pieces.append(text)
