"""A file or code that a department's signer is asked to seal says what the department's row says.

The checks before it (`hub.proof.sealing.documents`, `hub.proof.sealing.codes`) tie bytes, file and
intent together. What a face says of its certificate comes from the hub; here it is compared with
the row that was sent, as far as a row says it: number, holders, days, and the value of every field
that stands in the file's metadata. Titles of authority and type are the hub's, and so are glyphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.domain.row import Row
from hub.proof.faces.code import FaceCode
from hub.proof.faces.facts import FaceFacts, ofd_facts
from hub.proof.ofd.document import Package
from hub.proof.pdf.file import open_pdf, read_face
from hub.proof.reasons import ProofError
from hub.proof.sealing.codes import read_code
from hub.seal.v1 import signer_pb2 as pb

# Items of the metadata that say nothing of the row: names of type and authority, what makes a copy,
# and what every PDF says of itself (docs/formats/face-template.md; ISO 32000-2 §14.3.3).
_OTHERS: Final = frozenset(
    [
        *("ZZMC", "ZZLXMC", "ZZLXDM", "ZZBS", "ZZBFJG", "ZZBFJGDM", "CZZTDMLX"),
        *("JZJZZSJ", "JZJZZZ", "JZJZZSY", "JZJYXQJZSJ"),
        *("SEALWAY_FACE", "SEALWAY_RECIPIENT", "SEALWAY_COPY", "SEALWAY_CODE"),
        *("Title", "Author", "Subject", "Keywords", "Creator", "Producer", "Trapped"),
        *("CreationDate", "ModDate"),
    ]
)


def facts_of(asked: pb.SignDocument) -> FaceFacts | None:
    """What the file says of itself; None where that cannot be read."""
    try:
        if asked.WhichOneof("file") == "ofd":
            return ofd_facts(Package.of(dict(asked.ofd.files)))
        (signature,) = open_pdf(asked.pdf)
        return read_face(signature)
    except (ProofError, ValueError):
        return None


def code_of(asked: pb.SignFaceCode) -> FaceCode | None:
    """What the code says; None where that cannot be read."""
    try:
        return read_code(asked.to_sign)
    except ProofError:
        return None


def difference_of_face(row: Row, facts: FaceFacts) -> str | None:
    """The first thing by name in which a file's metadata and the row differ; values are personal
    data."""
    holders = row.holders
    said = {
        "ZZBH": row.number,
        "CZZTDM": "^".join(holder.number for holder in holders),
        "CZZTDMLXDM": "^".join(holder.type for holder in holders),
        "ZZBFRQ": _day(row.issue_date),
        "ZZYXQQSRQ": _day(row.valid_from),
        "ZZYXQJZRQ": _day(row.valid_until),
    }
    if "ZZBH" not in facts.items:
        # The hub keeps some numbers as a hash only: their faces show none.
        said.pop("ZZBH")
    for name, value in said.items():
        if facts.items.get(name, "") != value:
            return f"another {name}"
    return _difference_of_fields(row, facts.items, said)


def _difference_of_fields(
    row: Row, items: Mapping[str, str], said: Mapping[str, str]
) -> str | None:
    """Fields stand under names of their type, which is not here: each value must be one that the
    row has."""
    values = {_written(value) for value in row.fields.values()}
    for name, value in items.items():
        if name not in said and name not in _OTHERS and value not in values:
            return f"another value of {name}"
    return None


def difference_of_code(row: Row, code: FaceCode) -> str | None:
    """The first thing by name in which a code and the row differ."""
    # A number that the hub keeps as a hash only stands in no code.
    if code.number and code.number not in (row.number, *map(_written, row.fields.values())):
        return "another number"
    if code.name not in map(_written, row.fields.values()):
        return "another name"
    if (code.valid_from, code.valid_until) != (row.valid_from, row.valid_until or ""):
        return "other days"
    return None


def _day(day: str | None) -> str:
    return (day or "").replace("-", "")


def _written(value: object) -> str:
    """A value as the metadata has it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
