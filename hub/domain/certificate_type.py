"""What a kind of certificate looks like: its fields, their rules, who may hold it, for how long.

A type is data of the catalogue (GB/T 36902), versioned and immutable per version. `to_json` gives
its one text, the type metadata document; every seal carries the SHA-256 of the bytes that were
published as `vct#integrity`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

from hub.domain.identifier import citizen_number_fault, type_code_fault, uscc_fault
from hub.domain.row import FIELD_NAME, FIELDS_MAX, TEXT_LENGTH_MAX, date_violation, text_violation
from hub.domain.rules import violation
from hub.domain.strict_json import Json, NotStrictJsonError, emit, parse_object
from hub.errors import HubError, Reason, Violation


class FieldType(StrEnum):
    """How a face field's value is written in a row: texts, but for integer and boolean.

    `amount` is a decimal number and an ISO 4217 currency: `500000.00 CNY`.
    """

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    INTEGER = "integer"
    AMOUNT = "amount"
    BOOLEAN = "boolean"


class Sensitivity(StrEnum):
    """`public`: facts of an organisation, in clear and searchable. `personal`: encrypted."""

    PUBLIC = "public"
    PERSONAL = "personal"


class HolderKind(StrEnum):
    """Who may hold certificates of a type."""

    PERSON = "person"
    ORGANISATION = "organisation"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class FaceField:
    """One field on the face. `rule` is a checker's name (`CHECKERS`), a pattern that the whole
    value must match, or None."""

    name: str
    label: str
    type: FieldType
    required: bool
    sensitivity: Sensitivity
    rule: str | None
    order: int
    length_max: int


@dataclass(frozen=True, slots=True)
class Validity:
    """How long certificates of a type last: whole years allowed, and whether without end."""

    long_term: bool
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CertificateType:
    """One version of a type. `code` has 21 characters; `fields` stand in their order."""

    code: str
    version: int
    name: str
    name_en: str
    defining_authority: str
    holder_kind: HolderKind
    validity: Validity
    fields: tuple[FaceField, ...]
    retention_class: str


FieldsCheck: TypeAlias = Callable[[Mapping[str, Json]], tuple[Violation, ...]]


def check_type(certificate_type: CertificateType) -> CertificateType:
    """The type itself. Raises HubError(FIELD_INVALID) with every rule of the catalogue it breaks:
    code and defining authority, version, texts, validity, field names, rules and number."""
    found = _type_violations(certificate_type)
    if found:
        first = found[0]
        raise HubError(
            Reason.FIELD_INVALID, violations=tuple(found), field=first.field, rule=first.rule
        )
    return certificate_type


def check_fields(
    certificate_type: CertificateType, fields: Mapping[str, Json]
) -> tuple[Violation, ...]:
    """Every rule of the type that these face values break; empty where all is well.

    A value that is absent or None is missing only where the field is required.
    """
    return fields_check(certificate_type)(fields)


def fields_check(certificate_type: CertificateType) -> FieldsCheck:
    """`check_fields` of one type, prepared once for many rows."""
    checks = {field.name: _value_check(field) for field in certificate_type.fields}
    required = frozenset([field.name for field in certificate_type.fields if field.required])
    all_of_them = frozenset(checks)

    def check(fields: Mapping[str, Json]) -> tuple[Violation, ...]:
        found = []
        if not fields.keys() <= all_of_them:
            found += [
                violation(f"fields.{name}"[:80], "value.unknown_field")
                for name in fields
                if name not in all_of_them
            ]
        for name, value_violation in checks.items():
            value = fields.get(name)
            if value is not None:
                broken = value_violation(value)
                if broken is not None:
                    found.append(broken)
            elif name in required:
                found.append(violation(f"fields.{name}", "value.required"))
        return tuple(found)

    return check


def to_json(certificate_type: CertificateType) -> bytes:
    """The one text of a type: equal types give equal bytes."""
    return emit(_members(certificate_type))


def from_json(data: bytes) -> CertificateType:
    """The type in `data`, checked. Unknown members are refused; white space is free.

    Raises HubError(FIELD_INVALID) with every violation.
    """
    try:
        members = parse_object(data)
    except NotStrictJsonError as error:
        broken = violation("type", "json.malformed", detail=str(error))
        raise HubError(
            Reason.FIELD_INVALID, violations=(broken,), field="type", rule=broken.rule
        ) from error
    found = _shape(members, _TYPE_KINDS, "")
    fields, validity = members.get("fields"), members.get("validity")
    if isinstance(validity, dict):
        found += _shape(validity, _VALIDITY_KINDS, "validity.")
    for index, field in enumerate(fields if isinstance(fields, list) else []):
        if isinstance(field, dict):
            found += _shape(field, _FIELD_KINDS, f"fields[{index}].")
        else:
            found.append(violation(f"fields[{index}]", "member.kind", kind="an object"))
    if found:
        raise HubError(
            Reason.FIELD_INVALID,
            violations=tuple(found),
            field=found[0].field,
            rule=found[0].rule,
        )
    return check_type(_type(members))


def _value_check(field: FaceField) -> Callable[[Json], Violation | None]:
    """What a value of `field` must be: of its kind first, then as its rule demands."""
    place, limit, kind = f"fields.{field.name}", field.length_max, _KIND_CHECKS[field.type]
    if field.rule is None:
        return lambda value: kind(place, value, limit)
    checker = CHECKERS.get(field.rule)
    pattern = _pattern(field.rule) if checker is None else None

    def check(value: Json) -> Violation | None:
        broken = kind(place, value, limit)
        if broken is not None:
            return broken
        if checker is not None:
            rule = checker(str(value))
            return None if rule is None else violation(place, rule)
        assert pattern is not None, "a rule is a checker's name or a pattern"
        return None if pattern.fullmatch(str(value)) else violation(place, "value.pattern")

    return check


def _code_violation(place: str, value: Json, limit: int) -> Violation | None:
    if not isinstance(value, str) or not _CODE.fullmatch(value) or len(value) > limit:
        return violation(place, "value.code")
    return text_violation(place, value, limit)


def _date_violation(place: str, value: Json, _: int) -> Violation | None:
    return date_violation(place, value)


def _integer_violation(place: str, value: Json, _: int) -> Violation | None:
    # bool is an int to Python, never to us.
    return None if type(value) is int else violation(place, "value.integer")


def _amount_violation(place: str, value: Json, _: int) -> Violation | None:
    fits = isinstance(value, str) and _AMOUNT.fullmatch(value) is not None
    return None if fits else violation(place, "value.amount")


def _boolean_violation(place: str, value: Json, _: int) -> Violation | None:
    return None if isinstance(value, bool) else violation(place, "value.boolean")


def _type_violations(certificate_type: CertificateType) -> list[Violation]:
    found: list[Violation | None] = []
    if type_code_fault(certificate_type.code) is not None:
        found.append(violation("code", "type.code"))
    if certificate_type.code[:18] != certificate_type.defining_authority:
        found.append(violation("defining_authority", "type.authority"))
    if not 1 <= certificate_type.version <= 9999:
        found.append(violation("version", "type.version"))
    found.append(text_violation("name", certificate_type.name, 128))
    found.append(text_violation("name_en", certificate_type.name_en, 256))
    years = certificate_type.validity.years
    known = len(set(years)) == len(years) and all(1 <= year <= 100 for year in years)
    if not known or not (years or certificate_type.validity.long_term):
        found.append(violation("validity", "type.validity"))
    if not _RETENTION.fullmatch(certificate_type.retention_class):
        found.append(violation("retention_class", "type.retention"))
    found += _fields_violations(certificate_type.fields)
    return [one for one in found if one is not None]


def _fields_violations(fields: tuple[FaceField, ...]) -> list[Violation | None]:
    found: list[Violation | None] = []
    if not 1 <= len(fields) <= FIELDS_MAX:
        found.append(violation("fields", "field.count"))
    names: set[str] = set()
    last = 0
    for index, field in enumerate(fields[: FIELDS_MAX + 1]):
        place = f"fields[{index}]"
        if not FIELD_NAME.fullmatch(field.name):
            found.append(violation(f"{place}.name", "field.name"))
        elif field.name in RESERVED_NAMES:
            found.append(violation(f"{place}.name", "field.reserved"))
        if field.name in names:
            found.append(violation(f"{place}.name", "field.duplicate"))
        names.add(field.name)
        found.append(text_violation(f"{place}.label", field.label, 64))
        if field.order <= last:
            found.append(violation(f"{place}.order", "field.order"))
        last = field.order
        if not 1 <= field.length_max <= TEXT_LENGTH_MAX:
            found.append(violation(f"{place}.length_max", "field.length_max"))
        if field.rule is not None and not _rule_known(field.rule):
            found.append(violation(f"{place}.rule", "field.pattern"))
    return found


def _rule_known(rule: str) -> bool:
    if rule in CHECKERS:
        return True
    try:
        return 0 < len(rule) <= 256 and _pattern(rule) is not None
    except (re.error, OverflowError, RecursionError):
        return False


@lru_cache(maxsize=1024)
def _pattern(rule: str) -> re.Pattern[str]:
    return re.compile(rule)


def _members(certificate_type: CertificateType) -> dict[str, Json]:
    return {
        "v": 1,
        "code": certificate_type.code,
        "type_version": certificate_type.version,
        "name": certificate_type.name,
        "name_en": certificate_type.name_en,
        "defining_authority": certificate_type.defining_authority,
        "holder_kind": certificate_type.holder_kind.value,
        "validity": {
            "long_term": certificate_type.validity.long_term,
            "years": list(certificate_type.validity.years),
        },
        "retention_class": certificate_type.retention_class,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "type": field.type.value,
                "required": field.required,
                "sensitivity": field.sensitivity.value,
                "rule": field.rule,
                "order": field.order,
                "length_max": field.length_max,
            }
            for field in certificate_type.fields
        ],
    }


def _shape(
    members: Mapping[str, Json], kinds: Mapping[str, tuple[type, ...]], place: str
) -> list[Violation]:
    """Unknown, missing and wrongly kinded members; choices are compared with their enum."""
    found = [
        violation(place + name[:64], "member.unknown") for name in members if name not in kinds
    ]
    for name, allowed in kinds.items():
        if name not in members:
            found.append(violation(place + name, "member.missing"))
            continue
        value = members[name]
        choice = allowed[0]
        if issubclass(choice, StrEnum):
            if value not in tuple(choice):
                found.append(violation(place + name, "member.kind", kind=", ".join(choice)))
        elif type(value) not in allowed:
            names = " or ".join(kind.__name__ for kind in allowed)
            found.append(violation(place + name, "member.kind", kind=names))
    if members.get("v", 1) != 1:
        found.append(violation(place + "v", "row.version"))
    years = members.get("years")
    if isinstance(years, list) and not all(type(year) is int for year in years):
        found.append(violation(place + "years", "type.validity"))
    return found


def _type(members: Mapping[str, Json]) -> CertificateType:
    """The members as a value; `_shape` has accepted all of them."""
    validity, fields = members["validity"], members["fields"]
    assert isinstance(validity, dict)
    assert isinstance(fields, list)
    years = validity["years"]
    assert isinstance(years, list)
    return CertificateType(
        code=str(members["code"]),
        version=_int(members["type_version"]),
        name=str(members["name"]),
        name_en=str(members["name_en"]),
        defining_authority=str(members["defining_authority"]),
        holder_kind=HolderKind(str(members["holder_kind"])),
        validity=Validity(bool(validity["long_term"]), tuple(_int(year) for year in years)),
        fields=tuple(_field(field) for field in fields if isinstance(field, dict)),
        retention_class=str(members["retention_class"]),
    )


def _field(members: Mapping[str, Json]) -> FaceField:
    rule = members["rule"]
    return FaceField(
        name=str(members["name"]),
        label=str(members["label"]),
        type=FieldType(str(members["type"])),
        required=bool(members["required"]),
        sensitivity=Sensitivity(str(members["sensitivity"])),
        rule=None if rule is None else str(rule),
        order=_int(members["order"]),
        length_max=_int(members["length_max"]),
    )


def _int(value: Json) -> int:
    assert isinstance(value, int)
    return value


# Claims of the seal and of the drafts behind it (formats-jose.md §5): a field of such a name would
# hide a claim or clash with one.
RESERVED_NAMES: Final = frozenset(
    {
        "v",
        "origin",
        "region",
        "iss",
        "vct",
        "vct#integrity",
        "type_version",
        "iat",
        "cert",
        "version",
        "status",
        "custody",
        "src",
        "algs",
        "_sd",
        "_sd_alg",
        "...",
        "delegation",
        "attested_by",
        "cnf",
        "nbf",
        "exp",
        "aud",
        "sub",
        "jti",
        "aka_vcts",
        "holder_type",
        "holder_number",
        "holders",
        "docs",
    }
)

# Rules that a type may name in place of a pattern.
CHECKERS: Final[dict[str, Callable[[str], str | None]]] = {
    "uscc": uscc_fault,
    "citizen": citizen_number_fault,
}

_KIND_CHECKS: Final[dict[FieldType, Callable[[str, Json, int], Violation | None]]] = {
    FieldType.TEXT: text_violation,
    FieldType.CODE: _code_violation,
    FieldType.DATE: _date_violation,
    FieldType.INTEGER: _integer_violation,
    FieldType.AMOUNT: _amount_violation,
    FieldType.BOOLEAN: _boolean_violation,
}

_TYPE_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "v": (int,),
    "code": (str,),
    "type_version": (int,),
    "name": (str,),
    "name_en": (str,),
    "defining_authority": (str,),
    "holder_kind": (HolderKind,),
    "validity": (dict,),
    "retention_class": (str,),
    "fields": (list,),
}
_VALIDITY_KINDS: Final[dict[str, tuple[type, ...]]] = {"long_term": (bool,), "years": (list,)}
_FIELD_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "name": (str,),
    "label": (str,),
    "type": (FieldType,),
    "required": (bool,),
    "sensitivity": (Sensitivity,),
    "rule": (str, type(None)),
    "order": (int,),
    "length_max": (int,),
}

_CODE: Final = re.compile(r"\S{1,128}")
_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,4})? [A-Z]{3}")
_RETENTION: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
