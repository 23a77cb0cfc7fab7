"""What a sealed face says of itself in its metadata (docs/formats/face-template.md, "Metadata").

Names are the pinyin initials of GB/T 36903; those that it lacks are ours. Whatever is read here is
believed only as far as the seal over the file holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from hub.domain.qr_text import LOOKUP_PREFIX
from hub.proof.faces.code import FaceCode, read_face_code
from hub.proof.ofd.document import ENTRY_FILE, Package
from hub.proof.ofd.xml import parse_xml
from hub.proof.reasons import ProofError, ProofReason

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

IDENTIFIER_ITEM: Final = "ZZBS"
PURPOSE_ITEM: Final = "JZJZZSY"
MAKER_ITEM: Final = "JZJZZZ"
MADE_ITEM: Final = "JZJZZSJ"
EXPIRE_ITEM: Final = "JZJYXQJZSJ"
FACE_ITEM: Final = "SEALWAY_FACE"
"""Which template a file was set in: its name and the digest of its bytes."""
RECIPIENT_ITEM: Final = "SEALWAY_RECIPIENT"
"""Whom an annotated copy was made for; GB/T 36903 has no element for it."""
COPY_ITEM: Final = "SEALWAY_COPY"
"""The name of an annotated copy in the register."""
CODE_ITEM: Final = "SEALWAY_CODE"
"""The text of the two-dimensional code that stands on it."""

ITEMS_MAX: Final = 500
TEXT_MAX: Final = 10_000
CHINA: Final = timezone(timedelta(hours=8))
"""The time of every day that stands on a face."""
_COPY_ITEMS: Final = (PURPOSE_ITEM, RECIPIENT_ITEM, MADE_ITEM, EXPIRE_ITEM)


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What an annotated copy says of itself; times in seconds."""

    name: str
    purpose: str
    recipient: str
    made: int
    expires: int


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """Which certificate version a file shows, in which template, and as which copy, if any."""

    identifier: str
    face: str
    copy: CopyFacts | None
    items: Mapping[str, str] = field(repr=False)

    @property
    def code(self) -> str:
        """The text of its two-dimensional code; "" in a file that does not repeat it."""
        return self.items.get(CODE_ITEM, "")


def ofd_facts(package: Package) -> FaceFacts | None:
    """The facts in `OFD.xml`; None where the file is no face of a hub. Raises ProofError."""
    entry = package.find(ENTRY_FILE)
    if entry is None:
        return None
    root = parse_xml(package.files[entry], entry, "OFD")
    body = root.all("DocBody")
    info = body[0].maybe("DocInfo") if body else None
    listed = info.maybe("CustomDatas") if info is not None else None
    data = [] if listed is None else listed.all("CustomData")
    if len(data) > ITEMS_MAX:
        raise ProofError(ProofReason.FACE_METADATA, "too many items")
    items: dict[str, str] = {}
    for one in data:
        name = one.attributes.get("Name", "")
        if name in items:
            # Each reader would take another one.
            raise ProofError(ProofReason.FACE_METADATA, f"{name} stands twice")
        items[name] = one.text
    return read_facts(items)


def pdf_facts(reader: PdfFileReader) -> FaceFacts | None:
    """The facts in the document information; None where the file is no face of a hub.

    Raises ProofError, and what pyHanko raises for a damaged file.
    """
    if "/Info" not in reader.trailer_view:
        return None
    info = reader.trailer_view["/Info"]
    if len(info) > ITEMS_MAX:
        raise ProofError(ProofReason.FACE_METADATA, "too many items")
    return read_facts({str(name).removeprefix("/"): str(info[name]) for name in info})


def read_facts(items: Mapping[str, str]) -> FaceFacts | None:
    """The facts in a file's items. Raises ProofError(FACE_METADATA): they contradict themselves."""
    identifier, face = items.get(IDENTIFIER_ITEM, ""), items.get(FACE_ITEM, "")
    if not face:
        return None
    if not identifier or any(len(text) > TEXT_MAX for text in items.values()):
        raise ProofError(ProofReason.FACE_METADATA, IDENTIFIER_ITEM)
    # A copy that lacks one of these says less than the law demands: no copy, and no original.
    named = [name for name in _COPY_ITEMS if name in items]
    if not named and COPY_ITEM not in items and MAKER_ITEM not in items:
        return FaceFacts(identifier, face, None, items)
    if len(named) != len(_COPY_ITEMS):
        raise ProofError(ProofReason.FACE_METADATA, "an annotated copy lacks one of its elements")
    copy = CopyFacts(
        name=items.get(COPY_ITEM, ""),
        purpose=items[PURPOSE_ITEM],
        recipient=items[RECIPIENT_ITEM],
        made=_seconds(items[MADE_ITEM], MADE_ITEM),
        expires=_seconds(items[EXPIRE_ITEM], EXPIRE_ITEM),
    )
    return FaceFacts(identifier, face, copy, items)


def code_in_file(facts: FaceFacts) -> FaceCode | None:
    """What the signed code of a file claims, which is what the rest of the metadata says; None for
    a lookup code, whose identifier is compared, and for none.

    The signature of the code is not looked at. Raises ProofError: FACE_CODE_DIFFERS with the
    claim, and as `read_face_code`.
    """
    text = facts.code
    if not text:
        return None
    if text.startswith(LOOKUP_PREFIX):
        # SEALWAY:1:origin:identifier:list:place
        if text.split(":")[3:4] != [facts.identifier]:
            raise ProofError(ProofReason.FACE_CODE_DIFFERS, "identifier")
        return None
    code = read_face_code(text)
    said = {
        "identifier": (code.identifier, facts.identifier),
        "number": (code.number, facts.items.get("ZZBH", "")),
        "from": (code.valid_from.replace("-", ""), facts.items.get("ZZYXQQSRQ", "")),
        "until": (code.valid_until.replace("-", ""), facts.items.get("ZZYXQJZRQ", "")),
        "name": (code.name, facts.items.get("CZZT", code.name)),
    }
    for name, (in_code, in_file) in said.items():
        if in_code != in_file:
            raise ProofError(ProofReason.FACE_CODE_DIFFERS, name)
    return code


def _seconds(text: str, name: str) -> int:
    try:
        return int(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=CHINA).timestamp())
    except ValueError as error:
        raise ProofError(ProofReason.FACE_METADATA, name) from error
