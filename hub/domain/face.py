"""A certificate as its face shows it: read by the registry, set into a template by the seals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.domain.strict_json import Json


class FileKind(StrEnum):
    """What a sealed face is; the values stand in standing intents."""

    ORIGINAL = "original"
    """原件: for the department that issues it and for auditors."""
    COPY = "annotated-copy"
    """加注件: for one purpose, one recipient and a time."""


class FaceFormat(StrEnum):
    """In which format a face is sealed, by its media type."""

    OFD = "application/ofd"
    PDF = "application/pdf"


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
