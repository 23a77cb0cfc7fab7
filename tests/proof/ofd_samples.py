"""OFD documents for tests: a small one of our own, and archives with one thing wrong in them."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import Final

from hub.seal.documents.ofd_package import OfdPackage

NAMESPACE: Final = 'xmlns:ofd="http://www.ofdspec.org/2016"'
TEXT: Final = "营业执照"

OFD_XML: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<ofd:OFD {NAMESPACE} Version="1.1" DocType="OFD"><ofd:DocBody><ofd:DocInfo>\
<ofd:DocID>0123456789abcdef0123456789abcdef</ofd:DocID><ofd:CreationDate>2026-11-27</ofd:CreationDate>\
</ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"""
DOCUMENT_XML: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<ofd:Document {NAMESPACE}><ofd:CommonData><ofd:MaxUnitID>9</ofd:MaxUnitID><ofd:PageArea>\
<ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea><ofd:PublicRes>PublicRes.xml\
</ofd:PublicRes></ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/>\
</ofd:Pages></ofd:Document>"""
RESOURCES_XML: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<ofd:Res {NAMESPACE} BaseLoc="Res"><ofd:Fonts><ofd:Font ID="3" FontName="宋体" FamilyName="宋体"/>\
</ofd:Fonts></ofd:Res>"""
PAGE_XML: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<ofd:Page {NAMESPACE}><ofd:Content><ofd:Layer ID="2"><ofd:TextObject ID="4" Boundary="30 25 60 8" \
Font="3" Size="6"><ofd:TextCode X="0" Y="6" DeltaX="6 6 6">{TEXT}</ofd:TextCode></ofd:TextObject>\
</ofd:Layer></ofd:Content></ofd:Page>"""
PAGE: Final = "Doc_0/Pages/Page_0/Content.xml"


def package() -> OfdPackage:
    """One page with one line of text."""
    return OfdPackage(
        {
            "OFD.xml": OFD_XML.encode(),
            "Doc_0/Document.xml": DOCUMENT_XML.encode(),
            "Doc_0/PublicRes.xml": RESOURCES_XML.encode(),
            PAGE: PAGE_XML.encode(),
        }
    )


def annotated(within: bytes = b"", *, page: bytes = b"1") -> OfdPackage:
    """The sample with a stamp on a page and one that is not shown, an attachment, tags, and a
    picture that the stamp draws; `within` stands in the stamp's text."""
    sample = package()
    document = sample.files["Doc_0/Document.xml"].replace(
        b"</ofd:Pages>",
        b"</ofd:Pages><ofd:Outlines><ofd:OutlineElem Title='1'><ofd:Actions/></ofd:OutlineElem>"
        b"</ofd:Outlines><ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>"
        b"<ofd:CustomTags>Tags/CustomTags.xml</ofd:CustomTags>"
        b"<ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>",
    )
    space = NAMESPACE.encode()
    stamp = (
        b'<ofd:Appearance Boundary="9 9 50 20"><ofd:TextObject ID="7" Boundary="0 0 50 20" Font="3"'
        b' Size="6"><ofd:TextCode X="0" Y="6"> \xe5\xb7\xb2 \xe9\xaa\x8c &lt;</ofd:TextCode>%s'
        b"</ofd:TextObject></ofd:Appearance>" % within
    )
    resources = sample.files["Doc_0/PublicRes.xml"].replace(
        b"</ofd:Res>",
        b'<ofd:MultiMedias><ofd:MultiMedia ID="8" Type="Image"><ofd:MediaFile>stamp.png'
        b"</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias></ofd:Res>",
    )
    return OfdPackage(
        {
            **sample.files,
            "Doc_0/Document.xml": document.replace(b">9<", b">20<"),
            "Doc_0/PublicRes.xml": resources,
            "Doc_0/Res/stamp.png": b"picture",
            "Doc_0/Annots/Annotations.xml": b"<ofd:Annotations %s><ofd:Page PageID='%s'>"
            b"<ofd:FileLoc>Page.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>" % (space, page),
            "Doc_0/Annots/Page.xml": b"<ofd:PageAnnot %s><ofd:Annot ID='5' Type='Stamp' Creator='a'"
            b" LastModDate='2026-11-27' xml:lang='zh'>%s</ofd:Annot><ofd:Annot ID='6' Type='Stamp'"
            b" Creator='a' LastModDate='2026-11-27' Visible='false'>%s</ofd:Annot></ofd:PageAnnot>"
            % (space, stamp, stamp),
            "Doc_0/Tags/CustomTags.xml": b"<ofd:CustomTags %s/>" % space,
            "Doc_0/Attachs/Attachments.xml": b"<ofd:Attachments %s/>" % space,
            "Doc_0/Attachs/unmarked.pdf": b"%PDF-1.7 the same, unmarked",
        }
    )


@dataclass(frozen=True)
class RawEntry:
    """One entry as it is to stand in the archive; `None` means what is right."""

    name: bytes
    data: bytes = b""
    deflated: bool = False
    flags: int = 0
    made_by: int = 20
    attributes: int = 0
    size: int | None = None
    crc: int | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    extra: bytes = b""
    descriptor: bytes = b""
    offset: int | None = None
    method: int | None = None
    comment: bytes = b""

    @property
    def packed(self) -> bytes:
        """The data as they stand in the archive."""
        if not self.deflated:
            return self.data
        stream = zlib.compressobj(9, zlib.DEFLATED, -15)
        return stream.compress(self.data) + stream.flush()


@dataclass
class RawArchive:
    """An archive written field by field."""

    entries: list[RawEntry]
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""
    comment: bytes = b""
    count: int | None = None
    places: list[int] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The bytes, with whatever is wrong."""
        body, directory = self.before, b""
        for entry in self.entries:
            self.places.append(len(body))
            body += self._local(entry) + self.between
        for entry, place in zip(self.entries, self.places, strict=True):
            directory += self._central(entry, place)
        count = len(self.entries) if self.count is None else self.count
        end = struct.pack(
            "<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body),
            len(self.comment),
        )  # fmt: skip
        return body + directory + end + self.comment + self.after

    @staticmethod
    def _facts(entry: RawEntry) -> tuple[int, int, int, int]:
        method = (8 if entry.deflated else 0) if entry.method is None else entry.method
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        size = len(entry.data) if entry.size is None else entry.size
        return method, crc, len(entry.packed), size

    def _local(self, entry: RawEntry) -> bytes:
        method, crc, packed, size = self._facts(entry)
        if entry.local_size is not None:
            size = entry.local_size
        if entry.descriptor:
            crc = packed = size = 0
        name = entry.name if entry.local_name is None else entry.local_name
        header = struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, entry.flags, method, 0, 33, crc, packed, size,
            len(name), len(entry.extra),
        )  # fmt: skip
        return header + name + entry.extra + entry.packed + entry.descriptor

    def _central(self, entry: RawEntry, place: int) -> bytes:
        method, crc, packed, size = self._facts(entry)
        header = struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", entry.made_by, 20, entry.flags, method, 0, 33, crc,
            packed, size, len(entry.name), len(entry.extra), len(entry.comment), 0, 0,
            entry.attributes, place if entry.offset is None else entry.offset,
        )  # fmt: skip
        return header + entry.name + entry.extra + entry.comment


def changed(package: OfdPackage, name: str, data: bytes) -> OfdPackage:
    """`package` with other bytes in one file, or with one file more."""
    return replace(package, files={**package.files, name: data})


def without(package: OfdPackage, *names: str) -> OfdPackage:
    """`package` without some of its files."""
    return replace(
        package, files={name: data for name, data in package.files.items() if name not in names}
    )
