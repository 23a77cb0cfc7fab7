"""Service items (事项): what a matter of one kind needs, and how each material may be given.

An item is data of the catalogue, versioned and immutable per version. `to_json` gives its one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from hub.domain.certificate import Grade
from hub.domain.document import Level, Reader
from hub.domain.identifier import type_code_fault, uscc_fault
from hub.domain.strict_json import Json, emit

ITEM_BYTES_MAX: Final = 65_536
MATERIALS_MAX: Final = 64
TYPES_MAX: Final = 8
NAME_LENGTH_MAX: Final = 128

Fact: TypeAlias = "bool | int | str"


class Role(StrEnum):
    """Whose certificate a material is, in the matter at hand."""

    APPLICANT = "applicant"
    COMPANY = "company"
    LEGAL_REPRESENTATIVE = "legal-representative"
    SPOUSE = "spouse"
    GUARDIAN = "guardian"
    CO_OWNER = "co-owner"
    AGENT = "agent"
    # The ground that a project stands on: any one of the zones and parcels that are named serves.
    AREA = "area"


@dataclass(frozen=True, slots=True)
class Compare:
    """A fact of the matter equals one of `values`, or is at least `least`."""

    fact: str
    values: tuple[Fact, ...] = ()
    least: int | None = None


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition: TypeAlias = Compare | All | Any | Not


@dataclass(frozen=True, slots=True)
class Material:
    """Something that a matter needs of one role.

    `types` are certificate types (21 characters) any of which serves, the preferred one first; none
    where only paper serves. `grade_min` is the least trust; `age_days_max` how long ago a
    certificate may have been issued or confirmed; `fields` what suffices of it. `is_promisable`:
    a commitment (告知承诺) may stand for it; `deferrable_days`: it may follow so many days later
    (容缺).
    """

    id: str
    name: str
    name_en: str
    role: Role
    types: tuple[str, ...]
    grade_min: Grade
    fields: tuple[str, ...]
    age_days_max: int | None
    condition: Condition | None
    is_promisable: bool
    deferrable_days: int | None


@dataclass(frozen=True, slots=True)
class ServiceItem:
    """One version of an item; 0 while it has none. `authority` is the credit code of whoever
    defines it; `levels` are where it is handled."""

    code: str
    version: int
    name: str
    name_en: str
    authority: str
    levels: tuple[Level, ...]
    working_days: int
    fee: str
    legal_basis: str
    materials: tuple[Material, ...]


def holds(condition: Condition | None, facts: Mapping[str, Fact]) -> bool:
    """Whether `condition` holds; without one it does. Every fact that it names must be in `facts`
    (`facts_of`): what is not known is never guessed."""
    match condition:
        case None:
            return True
        case Compare(fact, values, None):
            # In Python True equals 1; in a document it does not.
            return any(type(one) is type(facts[fact]) and one == facts[fact] for one in values)
        case Compare(fact, _, int(least)):
            value = facts[fact]
            return type(value) is int and value >= least
        case All(parts):
            return all(holds(part, facts) for part in parts)
        case Any(parts):
            return any(holds(part, facts) for part in parts)
        case Not(part):
            return not holds(part, facts)
    raise AssertionError("a condition of no kind")


def facts_of(condition: Condition | None) -> Iterator[str]:
    """The facts that a condition names."""
    match condition:
        case Compare(fact):
            yield fact
        case All(parts) | Any(parts):
            for part in parts:
                yield from facts_of(part)
        case Not(part):
            yield from facts_of(part)


def to_json(item: ServiceItem) -> bytes:
    """The one text of an item: equal items give equal bytes."""
    return emit(members_of(item))


def from_json(data: bytes) -> ServiceItem:
    """The item in `data`, checked. Raises HubError(FIELD_INVALID) with every violation."""
    reader = Reader.of(data, "item")
    item = read_item(reader)
    reader.check()
    return item


def read_item(reader: Reader) -> ServiceItem:
    """The item that `reader` holds; what is wrong is noted there."""
    if reader.value("v") != 1:
        reader.fault("v", "row.version")
    code = reader.text("code", 63)
    if code and not _CODE.fullmatch(code):
        reader.fault("code", "item.code")
    authority = reader.text("authority", 18)
    if authority and (broken := uscc_fault(authority)) is not None:
        reader.fault("authority", broken)
    materials: list[Material] = []
    for one in reader.objects("materials", MATERIALS_MAX):
        material = _material(one)
        if material.id in {known.id for known in materials}:
            one.fault("id", "item.material_id")
        materials.append(material)
    item = ServiceItem(
        code=code,
        version=reader.integer("version", 1, 9999) if reader.has("version") else 0,
        name=reader.text("name", NAME_LENGTH_MAX),
        name_en=reader.text("name_en", 256),
        authority=authority,
        levels=reader.choices("levels", Level),
        working_days=reader.integer("working_days", 0, 1000),
        fee=reader.text("fee", NAME_LENGTH_MAX, optional=True),
        legal_basis=reader.text("legal_basis", 512),
        materials=tuple(materials),
    )
    reader.end()
    return item


def members_of(item: ServiceItem) -> dict[str, Json]:
    """The members of an item's text, in their order."""
    return {
        "v": 1,
        "code": item.code,
        "version": item.version or None,
        "name": item.name,
        "name_en": item.name_en,
        "authority": item.authority,
        "levels": [level.value for level in item.levels],
        "working_days": item.working_days,
        "fee": item.fee or None,
        "legal_basis": item.legal_basis,
        "materials": [_material_members(material) for material in item.materials],
    }


def condition_members(condition: Condition) -> dict[str, Json]:
    """The members of a condition."""
    match condition:
        case Compare(fact, values, None):
            if len(values) == 1:
                return {"fact": fact, "equals": values[0]}
            return {"fact": fact, "in": list(values)}
        case Compare(fact, _, least):
            return {"fact": fact, "at_least": least}
        case All(parts):
            return {"all": [condition_members(part) for part in parts]}
        case Any(parts):
            return {"any": [condition_members(part) for part in parts]}
        case Not(part):
            return {"not": condition_members(part)}
    raise AssertionError("a condition of no kind")


def _material(reader: Reader) -> Material:
    identifier = reader.text("id", 32)
    if identifier and not _MATERIAL_ID.fullmatch(identifier):
        reader.fault("id", "item.material_id")
    types = reader.texts("types", TYPES_MAX, 21)
    if any(type_code_fault(code) is not None for code in types):
        reader.fault("types", "item.type")
    condition: Condition | None = None
    if reader.has("condition"):
        condition = _condition(reader.value("condition"), _DEPTH_MAX)
        if condition is None or sum(1 for _ in facts_of(condition)) > _PARTS_MAX:
            reader.fault("condition", "item.condition")
    material = Material(
        id=identifier,
        name=reader.text("name", NAME_LENGTH_MAX),
        name_en=reader.text("name_en", 256),
        role=reader.choice("role", Role),
        types=types,
        grade_min=reader.choice("grade_min", Grade),
        fields=reader.texts("fields", 64, 64),
        age_days_max=reader.integer("age_days_max", 1, 36_500)
        if reader.has("age_days_max")
        else None,
        condition=condition,
        is_promisable=reader.flag("promisable", optional=True),
        deferrable_days=reader.integer("deferrable_days", 1, 365)
        if reader.has("deferrable_days")
        else None,
    )
    reader.end()
    return material


def _condition(value: Json, depth: int) -> Condition | None:
    """The condition that `value` writes out, or None where it is none."""
    if not isinstance(value, dict) or depth == 0:
        return None
    match value:
        case {"fact": str(fact), "equals": bool() | int() | str() as wanted, **rest} if not rest:
            return Compare(fact, (wanted,)) if _FACT.fullmatch(fact) else None
        case {"fact": str(fact), "in": list(values), **rest} if not rest:
            known = [one for one in values if isinstance(one, bool | int | str)]
            fits = 1 <= len(known) == len(values) <= _PARTS_MAX and _FACT.fullmatch(fact)
            return Compare(fact, tuple(known)) if fits else None
        case {"fact": str(fact), "at_least": int(least), **rest} if not rest:
            fits = not isinstance(least, bool) and _FACT.fullmatch(fact)
            return Compare(fact, (), least) if fits else None
        case {"all": list(values), **rest} if not rest:
            return _combined(All, values, depth)
        case {"any": list(values), **rest} if not rest:
            return _combined(Any, values, depth)
        case {"not": part, **rest} if not rest:
            inner = _condition(part, depth - 1)
            return Not(inner) if inner is not None else None
    return None


def _combined(kind: type[All] | type[Any], values: list[Json], depth: int) -> Condition | None:
    parts = [_condition(value, depth - 1) for value in values[: _PARTS_MAX + 1]]
    known = [part for part in parts if part is not None]
    return kind(tuple(known)) if 1 <= len(known) == len(values) <= _PARTS_MAX else None


def _material_members(material: Material) -> dict[str, Json]:
    condition = material.condition
    return {
        "id": material.id,
        "name": material.name,
        "name_en": material.name_en,
        "role": material.role.value,
        "types": list(material.types),
        "grade_min": material.grade_min.value,
        "fields": list(material.fields),
        "age_days_max": material.age_days_max,
        "condition": None if condition is None else condition_members(condition),
        "promisable": material.is_promisable,
        "deferrable_days": material.deferrable_days,
    }


_CODE: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{2,62}")
_MATERIAL_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_FACT: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_DEPTH_MAX: Final = 4
_PARTS_MAX: Final = 32
