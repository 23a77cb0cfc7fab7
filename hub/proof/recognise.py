"""What a file is meant to be, judged leniently by its content: a name proves nothing."""

from __future__ import annotations

import json
from typing import Final

from hub.domain.qr_text import SCHEME, status_uri
from hub.proof.encoding import Json, b64u_decode, parse_object
from hub.proof.faces.code import read_face_code
from hub.proof.faces.code_picture import is_picture
from hub.proof.jose import SEAL_TYP, STATUS_TYP
from hub.proof.reasons import ProofError
from hub.proof.reports.report import Kind

# ISO 32000-1 §7.5.2 wants the header first; readers look for it in so many bytes.
_PDF_HEADER_WITHIN: Final = 1024
TEXT_BYTES_MAX: Final = 4_194_304
"""No format of ours that is text is larger."""
_SEQUENCE: Final = 0x30


def recognise(data: bytes) -> Kind | None:
    """What `data` is meant to be; None for what is none of our formats."""
    if data.startswith(b"PK\x03\x04"):
        return Kind.OFD if b"OFD.xml" in data else None
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN]:
        return Kind.PDF
    if data[:1] == bytes([_SEQUENCE]):
        return _recognise_der(data)
    if is_picture(data):
        return Kind.FACE_CODE
    if len(data) > TEXT_BYTES_MAX:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if text.startswith(SCHEME):
        return Kind.FACE_CODE
    if text.lstrip().startswith("{"):
        return _recognise_json(text)
    if "\n" in text.rstrip("\r\n"):
        return Kind.CHECKPOINT if _looks_like_note(text) else None
    return _recognise_compact(text.strip())


def peek(compact: str, number: int) -> dict[str, Json]:
    """The members of one segment of a JWS that may be damaged; none where it cannot be read."""
    try:
        return parse_object(b64u_decode(compact.split(".")[number]))
    except (IndexError, ProofError):
        return {}


def status_uris(data: bytes) -> tuple[str, ...]:
    """Which status lists the records in a file name, nothing verified; none where it has none.

    For whoever fetches lists before he verifies: at most 20, as an answer has certificates.
    """
    if len(data) > TEXT_BYTES_MAX:
        return ()
    try:
        text = data.decode().strip()
        if text.startswith(SCHEME):
            code = read_face_code(text)
            return (status_uri(code.origin, code.status_list),)
        members = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError, ProofError):
        return ()
    given = members.get("certificates") if isinstance(members, dict) else [{"presentation": text}]
    found: dict[str, None] = {}
    for item in given[:20] if isinstance(given, list) else ():
        presentation = item.get("presentation") if isinstance(item, dict) else None
        if isinstance(presentation, str):
            status = peek(presentation.partition("~")[0], 1).get("status")
            reference = status.get("status_list") if isinstance(status, dict) else None
            uri = reference.get("uri") if isinstance(reference, dict) else None
            if isinstance(uri, str):
                found[uri] = None
    return tuple(found)


def _recognise_der(data: bytes) -> Kind | None:
    """A seal begins with its header `"ES"`, a signature under a seal with its version."""
    match _first_tags(data):
        case [0x30, 0x30, 0x30, 0x16]:  # IA5String
            return Kind.SEAL
        case [0x30, 0x30, 0x02]:  # INTEGER
            return Kind.SEAL_SIGNATURE
    return None


def _first_tags(data: bytes) -> list[int]:
    """The tags of the first element, of its first element, and so on: four at most."""
    tags: list[int] = []
    at = 0
    while len(tags) < 4 and at + 1 < len(data):
        tags.append(data[at])
        if data[at] != _SEQUENCE:
            break
        length = data[at + 1]
        at += 2 + (length & 0x7F if length & 0x80 else 0)
    return tags


def _recognise_compact(text: str) -> Kind | None:
    compact, tilde, disclosures = text.partition("~")
    typ = peek(compact, 0).get("typ")
    if typ == STATUS_TYP and not tilde:
        return Kind.STATUS_LIST
    if typ == SEAL_TYP or tilde:
        return Kind.PRESENTATION if disclosures else Kind.RECORD
    return None


def _recognise_json(text: str) -> Kind | None:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        # Damaged, and still meant as a receipt: to be reported as one that does not hold.
        return Kind.RECEIPT if '"proof"' in text else None
    for member, kind in (
        ("certificates", Kind.ANSWER),
        ("materials", Kind.PLAN),
        ("result", Kind.VERIFICATION),
        ("media_type", Kind.DOCUMENT),
    ):
        if member in members:
            return kind
    return Kind.RECEIPT if members.keys() & {"body", "salt", "proof"} else None


def _looks_like_note(text: str) -> bool:
    """Whether the second line is a number or an empty line is followed by a signature line."""
    lines = text.split("\n")
    return lines[1].strip().isdecimal() or "\n\n\u2014 " in text
