"""What officers approve when an authority is renamed, merged into others or split. Pure.

The intent names every system, type and service item that passes on, so that what is signed is all
there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from hub.domain.strict_json import Json

SUCCESSORS_MAX: Final = 20
SYSTEMS_MAX: Final = 200
TYPES_MAX: Final = 400
ITEMS_MAX: Final = 3_000


@dataclass(frozen=True, slots=True)
class Share:
    """What one successor takes over: systems by name, types and service items by code."""

    authority: str
    systems: tuple[str, ...]
    types: tuple[str, ...]
    items: tuple[str, ...] = ()

    def entrusted(self) -> tuple[str, ...]:
        """Whatever it answers for from then on: type codes, and item codes after `items/`."""
        return (*self.types, *(f"items/{code}" for code in self.items))


@dataclass(frozen=True, slots=True)
class Reorganization:
    """One change of one authority from `day` on: a new name, or successors."""

    authority: str
    day: str
    title: str = ""
    title_en: str = ""
    successors: tuple[Share, ...] = ()


def to_members(wanted: Reorganization) -> dict[str, Json]:
    """The members of the intent that says it."""
    members: dict[str, Json] = {"authority": wanted.authority, "day": wanted.day}
    if wanted.title:
        members["title"] = wanted.title
    if wanted.title_en:
        members["title_en"] = wanted.title_en
    if wanted.successors:
        members["successors"] = [
            {
                "authority": one.authority,
                "systems": [*one.systems],
                "types": [*one.types],
                "items": [*one.items],
            }
            for one in wanted.successors
        ]
    return members


def of_members(members: Mapping[str, Json]) -> Reorganization:
    """What an intent's members say that were read."""
    shares = cast("list[dict[str, list[str]]]", members.get("successors", []))
    return Reorganization(
        authority=str(members["authority"]),
        day=str(members["day"]),
        title=str(members.get("title", "")),
        title_en=str(members.get("title_en", "")),
        successors=tuple(
            Share(
                str(one["authority"]),
                tuple(one["systems"]),
                tuple(one["types"]),
                tuple(one["items"]),
            )
            for one in shares
        ),
    )
