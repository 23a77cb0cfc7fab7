"""What an import would change of a service item, member by member; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from hub.domain.service_item import ServiceItem, members_of
from hub.domain.strict_json import Json, emit

CHANGES_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One member that differs, `materials[licence].fields` for one of a material; each side as
    JSON, "" where it is not there."""

    place: str
    before: str
    after: str


def is_same(before: ServiceItem, after: ServiceItem) -> bool:
    """Whether two items say the same, whatever their versions."""
    return replace(before, version=0) == replace(after, version=0)


def changes(before: ServiceItem, after: ServiceItem) -> tuple[MemberChange, ...]:
    """What differs but for the version, in the order of the new text; what is gone comes last.

    The order of the materials counts: it is that of the notice an applicant reads.
    """
    old, new = dict(_places(before)), dict(_places(after))
    found = [
        MemberChange(place, old.get(place, ""), text)
        for place, text in new.items()
        if old.get(place) != text
    ]
    found += [MemberChange(place, text, "") for place, text in old.items() if place not in new]
    return tuple(found[:CHANGES_MAX])


def _places(item: ServiceItem) -> Iterator[tuple[str, str]]:
    """Each member with its place; materials go by their id."""
    members = members_of(item)
    for name, value in members.items():
        if name not in ("v", "version", "materials"):
            yield name, _text(value)
    yield "materials", ", ".join(material.id for material in item.materials)
    materials = members["materials"]
    assert isinstance(materials, list)
    for material in materials:
        assert isinstance(material, dict)
        for name, value in material.items():
            if name != "id" and value not in (None, False, []):
                yield f"materials[{material['id']}].{name}", _text(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else emit(value).decode()
