"""An OFD document (GB/T 33190-2016): its package, what it refers to, the signatures it lists.

Only `OFD.xml` has a fixed name; everything else is found by following references. A reference is
a path from the package's root, or from the folder of the file it stands in; real files leave the
leading slash out and miss the case of a letter, which is tolerated where it is unambiguous.

Nothing here verifies; `hub.proof.ofd.checks` does.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname
from typing import Final

from hub.proof.ofd.xml import Element, check_no_document_type, parse_xml
from hub.proof.ofd.zip import (
    ENTRIES_MAX,
    UNPACKED_BYTES_MAX,
    check_distinct,
    check_name,
    unpack,
)
from hub.proof.reasons import ProofError, ProofReason, Verdict

ENTRY_FILE: Final = "OFD.xml"
PAGES_MAX: Final = 1000
SIGNATURES_MAX: Final = 64
REFERENCES_MAX: Final = 4096
STAMPS_MAX: Final = 1000
_XML: Final = ".xml"


@dataclass(frozen=True, slots=True)
class Package:
    """The files of a package; `spellings` leads from a name in small letters to the real one."""

    files: Mapping[str, bytes] = field(repr=False)
    spellings: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Package:
        """The package of `files` by their names, which no reader takes for others.

        Raises ProofError(ZIP_NAME), (ZIP_PATH_…), (ZIP_DUPLICATE_NAME), (ZIP_TOO_LARGE),
        (XML_DTD), (OFD_STRUCTURE).
        """
        if ENTRY_FILE not in files:
            raise ProofError(ProofReason.OFD_STRUCTURE, f"{ENTRY_FILE} is missing")
        if len(files) > ENTRIES_MAX or sum(map(len, files.values())) > UNPACKED_BYTES_MAX:
            raise ProofError(ProofReason.ZIP_TOO_LARGE)
        check_distinct(files)
        for name, data in files.items():
            check_name(name.encode())
            if name.casefold().endswith(_XML):
                # A viewer that expands entities would show other content than was signed.
                check_no_document_type(data, name)
        return cls(files, {name.casefold(): name for name in files})

    def find(self, location: str, base: str = "") -> str | None:
        """The name of the file at `location`, seen from the folder of the file `base`.

        None where there is none. Raises ProofError(OFD_LOCATION) where the location is no path
        downwards.
        """
        path = location.strip()
        segments = path.removeprefix("/").split("/")
        if not all(segment.strip(".") for segment in segments) or "\\" in path:
            raise ProofError(ProofReason.OFD_LOCATION, repr(location))
        name = "/".join(segments)
        folder = dirname(base)
        if folder and not path.startswith("/"):
            found = self._named(f"{folder}/{name}")
            if found is not None:
                return found
        return self._named(name)

    def follow(self, location: str, base: str = "") -> str:
        """As `find`. Raises ProofError(OFD_FILE_MISSING) where there is none."""
        found = self.find(location, base)
        if found is None:
            raise ProofError(ProofReason.OFD_FILE_MISSING, location.strip())
        return found

    def _named(self, name: str) -> str | None:
        return name if name in self.files else self.spellings.get(name.casefold())


@dataclass(frozen=True, slots=True)
class ListedSignature:
    """A line of `Signatures.xml`. `bare` is Type="Sign": a signature value and no seal."""

    id: str
    bare: bool
    file: str


@dataclass(frozen=True, slots=True)
class Document:
    """The one document of a package. `pages` leads from a page's id to its file."""

    package: Package
    id: str
    file: str
    pages: Mapping[str, str]
    signatures_file: str | None
    signatures: tuple[ListedSignature, ...]

    def texts(self) -> Iterator[str]:
        """What stands on the pages, text object by text object (GB/T 33190 §11.2)."""
        for file in self.pages.values():
            page = parse_xml(self.package.files[file], file, "Page")
            for element in _descendants(page):
                if element.name == "TextCode":
                    yield element.text


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a signature protects. `file` is None where the package has none there."""

    location: str
    file: str | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a seal's picture is shown: the page's id and the box "x y width height" in mm."""

    id: str
    page: str
    box: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A `Signature.xml` with what it points to; `xml` are its original bytes.

    `method` may be left out: the signature value has its own. `time` is what the software wrote, in
    no fixed form: nothing is judged by it.
    """

    listed: ListedSignature
    xml: bytes
    digest_method: str
    method: str | None
    time: str
    references: tuple[Reference, ...]
    stamps: tuple[Stamp, ...]
    seal_file: str | None
    value_file: str


def open_package(data: bytes) -> Package:
    """The package in the archive `data`. Raises ProofError(ZIP_…), (XML_DTD), (OFD_STRUCTURE)."""
    return Package.of(unpack(data))


def read_document(package: Package) -> Document:
    """The document of `package`, with the signatures it lists.

    Raises ProofError(OFD_SEVERAL_DOCUMENTS) as *cannot check*; (OFD_STRUCTURE), (OFD_LOCATION),
    (OFD_FILE_MISSING), (OFD_SIGNATURE_LIST), (XML_…).
    """
    root = parse_xml(package.files[ENTRY_FILE], ENTRY_FILE, "OFD")
    bodies = root.all("DocBody")
    if len(bodies) > 1:
        raise ProofError(ProofReason.OFD_SEVERAL_DOCUMENTS, verdict=Verdict.CANNOT_CHECK)
    body = root.one("DocBody")
    identifier = body.one("DocInfo").maybe("DocID")
    file = package.follow(body.one("DocRoot").value(), ENTRY_FILE)
    document = parse_xml(package.files[file], file, "Document")
    pages = document.one("Pages").all("Page")
    if len(pages) > PAGES_MAX:
        raise document.wrong(f"more than {PAGES_MAX} pages")
    listed = body.maybe("Signatures")
    signatures_file = package.follow(listed.value(), ENTRY_FILE) if listed else None
    return Document(
        package,
        identifier.text.strip() if identifier else "",
        file,
        {page.attribute("ID"): package.follow(page.attribute("BaseLoc"), file) for page in pages},
        signatures_file,
        _listed(package, signatures_file) if signatures_file else (),
    )


def read_signature(document: Document, listed: ListedSignature) -> Signature:
    """The signature that `listed` points to.

    Raises ProofError(OFD_STRUCTURE), (OFD_LOCATION), (OFD_FILE_MISSING), (XML_…).
    A protected file that is missing is no error yet.
    """
    package = document.package
    xml = package.files[listed.file]
    root = parse_xml(xml, listed.file, "Signature")
    info = root.one("SignedInfo")
    references = info.one("References")
    protected = references.all("Reference")
    stamps = info.all("StampAnnot")
    if not protected or len(protected) > REFERENCES_MAX or len(stamps) > STAMPS_MAX:
        raise references.wrong(
            f"not 1 to {REFERENCES_MAX} references and up to {STAMPS_MAX} stamps"
        )
    seal = info.maybe("Seal")
    method = info.maybe("SignatureMethod")
    time = info.maybe("SignatureDateTime")
    return Signature(
        listed=listed,
        xml=xml,
        digest_method=references.attributes.get("CheckMethod", ""),
        method=method.value() if method else None,
        time=time.text.strip() if time else "",
        references=tuple(_reference(package, element) for element in protected),
        stamps=tuple(
            Stamp(item.attribute("ID"), item.attribute("PageRef"), item.attribute("Boundary"))
            for item in stamps
        ),
        seal_file=package.follow(seal.one("BaseLoc").value(), listed.file) if seal else None,
        value_file=package.follow(root.one("SignedValue").value(), listed.file),
    )


def _listed(package: Package, file: str) -> tuple[ListedSignature, ...]:
    root = parse_xml(package.files[file], file, "Signatures")
    found = tuple(
        ListedSignature(
            item.attribute("ID"),
            _is_bare(item),
            package.follow(item.attribute("BaseLoc"), file),
        )
        for item in root.all("Signature")
    )
    if len(found) > SIGNATURES_MAX:
        raise root.wrong(f"more than {SIGNATURES_MAX} signatures")
    ids, files = {item.id for item in found}, {item.file for item in found}
    if not len(ids) == len(files) == len(found):
        raise ProofError(ProofReason.OFD_SIGNATURE_LIST, file)
    return found


def _is_bare(element: Element) -> bool:
    kind = element.attributes.get("Type", "Seal")
    if kind not in ("Seal", "Sign"):
        raise element.wrong(f"Type {kind!r}")
    return kind == "Sign"


def _reference(package: Package, element: Element) -> Reference:
    location = element.attribute("FileRef")
    text = "".join(element.one("CheckValue").value().split())
    try:
        digest = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise element.wrong("CheckValue is not Base64") from None
    # From the root always, whether the leading slash is there or not.
    return Reference(location, package.find(location), digest)


def _descendants(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _descendants(child)
