"""A certificate as its face shows it: read by the registry, set into a template by the seals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.domain.certificate_type import CertificateType
from hub.domain.strict_json import Json

_HOLDER_NAME: Final = ("CZZT", "name")
_NUMBER: Final = "ZZBH"


class FileKind(StrEnum):
    """What a sealed face is; the values stand in standing intents."""

    ORIGINAL = "original"
    """原件: for the department that issues it and for auditors."""
    COPY = "annotated-copy"
    """加注件: for one purpose, one recipient and a time."""
    FURTHER = "further-seal"
    """加盖: another seal of the authority on an original that was left open."""


class FaceFormat(StrEnum):
    """In which format a face is sealed, by its media type."""

    OFD = "application/ofd"
    PDF = "application/pdf"


class CodeKind(StrEnum):
    """Which code a face carries (docs/formats/qr-code.md); the values stand in log entries.

    All but the first name a certificate and prove nothing by themselves.
    """

    SIGNED = "signed"
    NO_KEY = "no-key"
    """The seal has no key for codes in force."""
    OTHER_ISSUER = "other-issuer"
    """The identifier names a predecessor, for whom the authority's key does not sign."""
    NO_NAME = "no-name"
    """The type has no field that is its holder's name."""
    NO_ROOM = "no-room"
    """The signed code would not be read from paper, in the box that the template gives it."""


class Listing(StrEnum):
    """Whether a record names an original among its sealed files (`docs`), or why it does not; the
    values stand in log entries."""

    LISTED = "listed"
    NO_KEY = "no-key"
    """The original's seal has no key of records in force, or none of SM2 for a record's twin."""
    OTHER_ISSUER = "other-issuer"
    """The record names a predecessor, for whom the authority's key does not sign."""
    OTHER_CUSTODY = "other-custody"
    """That key is in other hands than the record says."""
    COMPROMISED = "compromised"
    """The record's own key is declared stolen: it is sealed anew first."""
    ELSEWHERE = "elsewhere"
    """The key is in a signer that has not sealed the file, or not the record before."""


@dataclass(frozen=True, slots=True)
class FaceContent:
    """One version of a certificate. Days are `YYYY-MM-DD`, "" for none; holders are pairs of type
    and number; `fields` are those of its type; `status_place` is `LIST/PLACE` as its seal has it.

    `authority` is a resource name; `number` is empty where the hub does not know it.
    """

    version_id: str
    certificate_id: str
    authority: str
    type_code: str
    type_version: int
    identifier: str
    version: int
    number: str
    holders: tuple[tuple[str, str], ...] = field(repr=False)
    fields: Mapping[str, Json] = field(repr=False)
    issue_date: str
    valid_from: str
    valid_until: str
    status_place: str

    def printed_number(self, certificate_type: CertificateType) -> str:
        """The number on the face: one that the hub keeps as a hash only is a field of it."""
        return self.number or self._field(certificate_type, _NUMBER)

    def holder_name(self, certificate_type: CertificateType) -> str:
        """The holder's name on the face: the field 持证者 of GB/T 36903, else the one called
        `name`; "" where the type has neither."""
        found = (self._field(certificate_type, name) for name in _HOLDER_NAME)
        return next((text for text in found if text), "")

    def _field(self, certificate_type: CertificateType, wanted: str) -> str:
        for one in certificate_type.fields:
            value = self.fields.get(one.name)
            if wanted in (one.short_name, one.name) and isinstance(value, str):
                return value
        return ""


SOURCE_PREFIX: Final = "document "


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document that a department brought, whole; `digest` is its SHA-256 in base64url."""

    media_type: str
    digest: str = field(repr=False)
    data: bytes = field(repr=False)

    @property
    def face(self) -> str:
        """What a copy that is made of it names in the place of a template."""
        return f"{SOURCE_PREFIX}{self.digest}"

    @property
    def marked_as(self) -> FaceFormat:
        """As what a copy of it is sealed: scans become pages of a PDF."""
        return FaceFormat.OFD if self.media_type == FaceFormat.OFD else FaceFormat.PDF


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """What an annotated copy says of itself; times in microseconds UTC, in whole seconds. `name` is
    that of its row in the register."""

    name: str
    purpose: str
    recipient: str
    maker: str
    made_time_us: int
    expire_time_us: int
