"""Rows that did not pass: what was read, where it stood, and every error, until it passes.

The raw bytes stay on the connector's machine. They may hold personal data, in columns that are
not even mapped, so they are shown or exported only to whoever asks for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from connectors.faults import RowError

RAW_BYTES_MAX: Final = 8192

Exported: TypeAlias = str | int | list[dict[str, str]]


class QuarantineState(StrEnum):
    """`open` until the row passes in a later run (`passed`) or its file no longer holds it."""

    OPEN = "open"
    PASSED = "passed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row to be kept apart. `key` is its source key, or the digest of its bytes without one.

    `raw` holds at most `RAW_BYTES_MAX` bytes of `size`; the file itself holds the rest.
    """

    key: str
    file: str
    line: int
    offset: int
    size: int
    raw: bytes
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row in quarantine. `sightings` counts the runs that met it with errors."""

    id: int
    state: QuarantineState
    row: BadRow
    sightings: int
    first_seen_us: int
    last_seen_us: int


def errors_json(errors: Iterable[RowError]) -> str:
    """Errors as they are stored and exported."""
    return json.dumps([asdict(error) for error in errors], ensure_ascii=False)


def errors_from_json(text: str) -> tuple[RowError, ...]:
    """The errors that `errors_json` wrote."""
    return tuple(RowError(**members) for members in json.loads(text))


def export(
    rows: Iterable[Quarantined], charset: str, *, show_raw: bool
) -> list[dict[str, Exported]]:
    """Quarantined rows for people and tools, with what was read where `show_raw` asks for it."""
    found: list[dict[str, Exported]] = []
    for one in rows:
        members: dict[str, Exported] = {
            "id": one.id,
            "state": one.state.value,
            "file": one.row.file,
            "line": one.row.line,
            "offset": one.row.offset,
            "bytes": one.row.size,
            "sightings": one.sightings,
            "first_seen_us": one.first_seen_us,
            "last_seen_us": one.last_seen_us,
            "errors": [asdict(error) for error in one.row.errors],
        }
        if show_raw:
            members["raw"] = one.row.raw.decode(charset, "replace").rstrip("\r\n")
        found.append(members)
    return found
