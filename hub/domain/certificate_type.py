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

from hub.domain.association import FORMLESS, IdentifierMode
from hub.domain.document import Level, Reader
from hub.domain.holder import PUBLIC_KINDS
from hub.domain.holder import HolderKind as HolderKind
from hub.domain.identifier import citizen_number_fault, type_code_fault, uscc_fault
from hub.domain.row import FIELD_NAME, FIELDS_MAX, TEXT_LENGTH_MAX, date_violation, text_violation
from hub.domain.rules import violation
from hub.domain.strict_json import INTEGER_MAX, Json, emit
from hub.errors import Violation

ISSUERS_MAX: Final = 256
ITEMS_MAX: Final = 256
SUCCESSORS_MAX: Final = 8
# Where a type says nothing of it.
EVIDENCE_DAYS: Final = 5

DOCUMENT_FIELD: Final = "@document"
"""Names, among the fields of a grant or request, the document that shows the whole face. No field
of a type can have this name."""
FILES_FIELD: Final = "docs"
"""The digests of a version's sealed files, which a record shows as it shows a field. No field of a
type can have this name."""


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


class Kind(StrEnum):
    """What the catalogue lists a type as: licence or certificate (证照), personal document (证件),
    approval (批文), proof (证明), material (材料)."""

    LICENCE = "licence"
    PERSONAL_DOCUMENT = "personal-document"
    APPROVAL = "approval"
    PROOF = "proof"
    MATERIAL = "material"


class Sharing(StrEnum):
    """How a type may be shared (GB/T 36902 practice): without condition, under one, not at all."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not-shared"


@dataclass(frozen=True, slots=True)
class FaceField:
    """One field on the face. `rule` is a checker's name (`CHECKERS`), a pattern that the whole
    value must match, or None. `short_name` are pinyin initials (GB/T 36903), `group` is the heading
    under which it stands on the face, `fact` what it says that other certificates say as well;
    "" for none."""

    name: str
    label: str
    type: FieldType
    required: bool
    sensitivity: Sensitivity
    rule: str | None
    order: int
    length_max: int
    short_name: str = ""
    group: str = ""
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """How long certificates of a type last: the terms allowed, and whether without end."""

    long_term: bool
    years: tuple[int, ...]
    months: tuple[int, ...] = ()
    days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What the catalogue says of a type beside its face (GB/T 36902).

    Where `issuing_authorities` (credit codes) are named, no other issues; otherwise those of
    `issuing_levels` do. `items` are service items that end in such a certificate; `successors` are
    types that replaced it (多证合一), any of which serves in its place; `evidence_days` are working
    days in which its authority confirms one. `is_demonstration`: the code is a local one that no
    authority assigned. `identifiers`: what is demanded of those that departments give.
    `may_be_unbound`: a row may name no holder, as those of old registers do.
    """

    kind: Kind
    is_demonstration: bool
    defining_authority_name: str
    defining_level: Level
    issuing_levels: tuple[Level, ...]
    issuing_authorities: tuple[str, ...]
    items: tuple[str, ...]
    sharing: Sharing
    sharing_basis: str
    evidence_days: int
    successors: tuple[str, ...]
    identifiers: IdentifierMode = IdentifierMode.STRICT
    may_be_unbound: bool = False


@dataclass(frozen=True, slots=True)
class CertificateType:
    """One version of a type. `code` has 21 characters; `fields` stand in their order. Without
    `listing` its text is of format version 1, with one of version 2."""

    code: str
    version: int
    name: str
    name_en: str
    defining_authority: str
    holder_kind: HolderKind
    validity: Validity
    fields: tuple[FaceField, ...]
    retention_class: str
    listing: Listing | None = None

    @property
    def identifiers(self) -> IdentifierMode:
        """What it demands of identifiers that others made; strict where it says nothing."""
        return IdentifierMode.STRICT if self.listing is None else self.listing.identifiers

    @property
    def has_public_numbers(self) -> bool:
        """Whether the numbers of its certificates are public facts; others may be personal."""
        return self.holder_kind in PUBLIC_KINDS

    def takes_identifier(self, fault: str) -> bool:
        """Whether an identifier that others made is taken with this `fault`, "" for none.

        What has not even the form of one may be anything, a person's number too: where numbers may
        be personal it is not taken in any mode.
        """
        if not fault:
            return True
        is_lenient = self.identifiers is IdentifierMode.LENIENT
        return is_lenient and (self.has_public_numbers or fault not in FORMLESS)

    @property
    def may_be_unbound(self) -> bool:
        """Whether a row may name no holder; never where it says nothing."""
        return self.listing is not None and self.listing.may_be_unbound


FieldsCheck: TypeAlias = Callable[[Mapping[str, Json]], tuple[Violation, ...]]


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
    """The type in `data`, every rule of the catalogue kept. Unknown members are refused; white
    space is free. Format version 1 has no listing, and neither short names nor groups of fields.

    Raises HubError(FIELD_INVALID) with every violation.
    """
    reader = Reader.of(data, "type")
    certificate_type = _type(reader)
    reader.check()
    return certificate_type


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
    listing, validity = certificate_type.listing, certificate_type.validity
    lasting: dict[str, Json] = {"long_term": validity.long_term, "years": list(validity.years)}
    if listing is not None:
        lasting |= {"months": list(validity.months), "days": list(validity.days)}
    members: dict[str, Json] = {
        "v": 1 if listing is None else 2,
        "code": certificate_type.code,
        "type_version": certificate_type.version,
        "name": certificate_type.name,
        "name_en": certificate_type.name_en,
        "defining_authority": certificate_type.defining_authority,
        "holder_kind": certificate_type.holder_kind.value,
        "validity": lasting,
        "retention_class": certificate_type.retention_class,
    }
    if listing is not None:
        members["listing"] = _listing_members(listing)
    members["fields"] = [
        _field_members(field, is_listed=listing is not None) for field in certificate_type.fields
    ]
    return members


def _listing_members(listing: Listing) -> dict[str, Json]:
    members: dict[str, Json] = {
        "kind": listing.kind.value,
        "demonstration": listing.is_demonstration,
        "defining_authority_name": listing.defining_authority_name,
        "defining_level": listing.defining_level.value,
        "issuing_levels": [level.value for level in listing.issuing_levels],
        "issuing_authorities": list(listing.issuing_authorities),
        "items": list(listing.items),
        "sharing": listing.sharing.value,
        "sharing_basis": listing.sharing_basis or None,
        "evidence_days": listing.evidence_days,
        "successors": list(listing.successors),
    }
    # Absent where strict, so that the bytes of types that say nothing stay what they were.
    if listing.identifiers is not IdentifierMode.STRICT:
        members["identifiers"] = listing.identifiers.value
    if listing.may_be_unbound:
        members["unbound"] = True
    return members


def _field_members(field: FaceField, *, is_listed: bool) -> dict[str, Json]:
    members: dict[str, Json] = {
        "name": field.name,
        "label": field.label,
        "type": field.type.value,
        "required": field.required,
        "sensitivity": field.sensitivity.value,
        "rule": field.rule,
        "order": field.order,
        "length_max": field.length_max,
    }
    if is_listed:
        members |= {"short_name": field.short_name or None, "group": field.group or None}
        if field.fact:
            members["fact"] = field.fact
    return members


def _type(reader: Reader) -> CertificateType:
    v = reader.value("v")
    if type(v) is not int or v not in (1, 2):
        reader.fault("v", "type.format")
    code = reader.text("code", 21)
    if code and type_code_fault(code) is not None:
        reader.fault("code", "type.code")
    defining = reader.text("defining_authority", 18)
    if code and defining and code[:18] != defining:
        reader.fault("defining_authority", "type.authority")
    retention_class = reader.text("retention_class", 32)
    if retention_class and not _RETENTION.fullmatch(retention_class):
        reader.fault("retention_class", "type.retention")
    inner = reader.object("listing") if v == 2 else None
    if v == 2 and inner is None:
        reader.fault("listing", "member.missing")
    certificate_type = CertificateType(
        code=code,
        version=reader.integer("type_version", 1, 9999),
        name=reader.text("name", 128),
        name_en=reader.text("name_en", 256),
        defining_authority=defining,
        holder_kind=reader.choice("holder_kind", HolderKind),
        validity=_validity(reader, is_listed=v == 2),
        fields=_fields(reader, is_listed=v == 2),
        retention_class=retention_class,
        listing=None if inner is None else _listing(inner, code),
    )
    reader.end()
    return certificate_type


def _validity(reader: Reader, *, is_listed: bool) -> Validity:
    inner = reader.object("validity")
    if inner is None:
        reader.fault("validity", "member.missing")
        return Validity(long_term=True, years=())
    validity = Validity(
        long_term=inner.flag("long_term"),
        years=inner.integers("years", 100, 1, 100),
        months=inner.integers("months", 100, 1, 1200) if is_listed else (),
        days=inner.integers("days", 100, 1, 36_500) if is_listed else (),
    )
    if not (validity.long_term or validity.years or validity.months or validity.days):
        reader.fault("validity", "type.validity")
    inner.end()
    return validity


def _listing(reader: Reader, code: str) -> Listing:
    sharing = reader.choice("sharing", Sharing)
    listing = Listing(
        kind=reader.choice("kind", Kind),
        is_demonstration=reader.flag("demonstration", optional=True),
        defining_authority_name=reader.text("defining_authority_name", 256),
        defining_level=reader.choice("defining_level", Level),
        issuing_levels=reader.choices("issuing_levels", Level),
        issuing_authorities=reader.texts("issuing_authorities", ISSUERS_MAX, 18),
        items=reader.texts("items", ITEMS_MAX, 63),
        sharing=sharing,
        # What is not shared with everybody needs a law that says so.
        sharing_basis=reader.text("sharing_basis", 512, optional=sharing is Sharing.UNCONDITIONAL),
        evidence_days=reader.integer("evidence_days", 1, 100)
        if reader.has("evidence_days")
        else EVIDENCE_DAYS,
        successors=reader.texts("successors", SUCCESSORS_MAX, 21),
        identifiers=reader.choice("identifiers", IdentifierMode)
        if reader.has("identifiers")
        else IdentifierMode.STRICT,
        may_be_unbound=reader.flag("unbound", optional=True),
    )
    if any(uscc_fault(issuer) is not None for issuer in listing.issuing_authorities):
        reader.fault("issuing_authorities", "type.issuer")
    if any(type_code_fault(one) is not None or one == code for one in listing.successors):
        reader.fault("successors", "type.successor")
    if not (listing.issuing_levels or listing.issuing_authorities):
        reader.fault("issuing_levels", "type.issuer")
    reader.end()
    return listing


def _fields(reader: Reader, *, is_listed: bool) -> tuple[FaceField, ...]:
    fields: list[FaceField] = []
    for one in reader.objects("fields", FIELDS_MAX):
        field = _field(one, is_listed=is_listed)
        if field.name in {known.name for known in fields}:
            one.fault("name", "field.duplicate")
        if field.short_name and field.short_name in {known.short_name for known in fields}:
            one.fault("short_name", "field.duplicate")
        if fields and field.order <= fields[-1].order:
            one.fault("order", "field.order")
        fields.append(field)
    if not fields:
        reader.fault("fields", "field.count")
    return tuple(fields)


def _field(reader: Reader, *, is_listed: bool) -> FaceField:
    name = reader.text("name", 64)
    if name in RESERVED_NAMES:
        reader.fault("name", "field.reserved")
    elif name and not FIELD_NAME.fullmatch(name):
        reader.fault("name", "field.name")
    rule = reader.value("rule")
    if rule is not None and not (isinstance(rule, str) and _rule_known(rule)):
        reader.fault("rule", "field.pattern")
        rule = None
    short_name = reader.text("short_name", 32, optional=True) if is_listed else ""
    if short_name and not _SHORT_NAME.fullmatch(short_name):
        reader.fault("short_name", "field.short_name")
    field = FaceField(
        name=name,
        label=reader.text("label", 64),
        type=reader.choice("type", FieldType),
        required=reader.flag("required"),
        sensitivity=reader.choice("sensitivity", Sensitivity),
        rule=rule,
        order=reader.integer("order", 1, INTEGER_MAX),
        length_max=reader.integer("length_max", 1, TEXT_LENGTH_MAX),
        short_name=short_name,
        group=reader.text("group", 32, optional=True) if is_listed else "",
        fact=reader.text("fact", 64, optional=True) if is_listed else "",
    )
    reader.end()
    return field


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
        "conversion",
        "records",
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

_CODE: Final = re.compile(r"\S{1,128}")
_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,4})? [A-Z]{3}")
_RETENTION: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SHORT_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
