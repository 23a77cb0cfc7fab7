"""What officers approve when an authority is renamed, merged into others or split. Pure.

The intent names every system, type and service item that passes on, so that what is signed is all
there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.document import Reader
from hub.domain.row import date_violation
from hub.domain.strict_json import Json, emit

INTENT_BYTES_MAX: Final = 65_536
SUCCESSORS_MAX: Final = 20
SYSTEMS_MAX: Final = 200
TYPES_MAX: Final = 400
ITEMS_MAX: Final = 3_000
KIND: Final = "reorganization"

_SECONDS_MAX: Final = 2**53 - 1


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
    """One change of one authority from `day` on: a new name, or successors. Times in seconds."""

    origin: str
    region: str
    authority: str
    day: str
    title: str
    title_en: str
    successors: tuple[Share, ...]
    not_after: int
    requester: str


def to_bytes(wanted: Reorganization) -> bytes:
    """The intent's bytes; written once and kept."""
    members: dict[str, Json] = {
        "v": 1,
        "kind": KIND,
        "origin": wanted.origin,
        "region": wanted.region,
        "authority": wanted.authority,
        "day": wanted.day,
    }
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
    else:
        members["title"] = wanted.title
        if wanted.title_en:
            members["title_en"] = wanted.title_en
    members["not_after"] = wanted.not_after
    members["requester"] = wanted.requester
    return emit(members)


def read_bytes(data: bytes) -> Reorganization:
    """What the bytes say. Unknown members are refused, and so is a name beside successors.

    Raises HubError(FIELD_INVALID) with every violation.
    """
    reader = Reader.of(data, "intent")
    reader.integer("v", 1, 1)
    if reader.text("kind", 64) != KIND:
        reader.fault("kind", "member.kind", kind=KIND)
    shares = []
    for one in reader.objects("successors", SUCCESSORS_MAX):
        shares.append(
            Share(
                one.text("authority", 128),
                one.texts("systems", SYSTEMS_MAX, 128),
                one.texts("types", TYPES_MAX, 21),
                one.texts("items", ITEMS_MAX, 64),
            )
        )
        one.end()
    day = reader.text("day", 10)
    if date_violation("day", day) is not None:
        reader.fault("day", "value.date")
    wanted = Reorganization(
        origin=reader.text("origin", 255),
        region=reader.text("region", 6),
        authority=reader.text("authority", 128),
        day=day,
        # Read only where there are no successors: beside them it is an unknown member.
        title="" if shares else reader.text("title", 200),
        title_en="" if shares else reader.text("title_en", 200, optional=True),
        successors=tuple(shares),
        not_after=reader.integer("not_after", 0, _SECONDS_MAX),
        requester=reader.text("requester", 128),
    )
    reader.end()
    reader.check()
    return wanted
