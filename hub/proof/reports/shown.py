"""What people may look at beside a report: the seal's picture and the text of the first page.

Neither proves anything, and neither is needed to verify.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.proof.encoding import Json, parse_object
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.reports.page_text import CHARACTERS_MAX, LINES_MAX, text_of
from hub.proof.reports.report import Kind
from hub.proof.reports.thumbnail import Thumbnail, parse_thumbnail, thumbnail_of, thumbnail_to_json


@dataclass(frozen=True, slots=True)
class Shown:
    """What can be shown of a file; the lines of `text` are as they stand in it, not escaped."""

    picture: Thumbnail | None
    text: tuple[str, ...]


def shown_of(data: bytes, kind: Kind) -> Shown:
    """What can be shown of `data`."""
    return Shown(thumbnail_of(data, kind), text_of(data, kind))


def shown_to_json(shown: Shown) -> dict[str, Json]:
    """As the worker sends it."""
    return {"picture": thumbnail_to_json(shown.picture), "text": list(shown.text)}


def parse_shown(data: bytes) -> Shown:
    """What a worker sent. Raises ProofError(JSON_MALFORMED) for anything else."""
    members = parse_object(data)
    lines = members.get("text")
    if members.keys() != {"picture", "text"} or not isinstance(lines, list):
        raise ProofError(ProofReason.JSON_MALFORMED, "shown")
    text = tuple([line for line in lines if isinstance(line, str)])
    if (
        len(text) < len(lines)
        or len(text) > LINES_MAX
        or max(map(len, text), default=0) > (CHARACTERS_MAX)
    ):
        raise ProofError(ProofReason.JSON_MALFORMED, "text")
    return Shown(parse_thumbnail(members["picture"]), text)
