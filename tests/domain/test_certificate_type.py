"""Certificate types: what the catalogue takes, and what a type demands of face values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from hub.domain.association import IdentifierMode
from hub.domain.certificate_type import (
    RESERVED_NAMES,
    CertificateType,
    FaceField,
    FieldType,
    HolderKind,
    Kind,
    Listing,
    Sensitivity,
    Sharing,
    Validity,
    check_fields,
    from_json,
    to_json,
)
from hub.domain.document import Level
from hub.domain.strict_json import Json
from hub.errors import HubError


def face_field(name: str, order: int, kind: FieldType, **changes: object) -> FaceField:
    """An optional public field without a rule, with changes."""
    plain = FaceField(name, name.title(), kind, False, Sensitivity.PUBLIC, None, order, 200)
    return replace(plain, **changes)


LICENCE = CertificateType(
    code="11100000MB0143028R001",
    version=1,
    name="营业执照",
    name_en="Business licence",
    defining_authority="11100000MB0143028R",
    holder_kind=HolderKind.ORGANISATION,
    validity=Validity(long_term=True, years=(10, 20)),
    fields=(
        face_field("name", 1, FieldType.TEXT, required=True, length_max=10),
        face_field("credit_code", 2, FieldType.CODE, required=True, rule="uscc"),
        face_field("capital", 3, FieldType.AMOUNT),
        face_field("established", 4, FieldType.DATE),
        face_field("copies", 5, FieldType.INTEGER),
        face_field("branch", 6, FieldType.BOOLEAN),
        face_field("area", 7, FieldType.CODE, rule="33[0-9]{4}"),
    ),
    retention_class="permanent",
)

LISTED = replace(
    LICENCE,
    validity=Validity(long_term=False, years=(), months=(6,), days=(30,)),
    fields=(
        face_field("name", 1, FieldType.TEXT, short_name="CZZT", group="持证主体"),
        face_field("scope", 2, FieldType.TEXT, short_name="KZ_JYFW"),
    ),
    listing=Listing(
        kind=Kind.LICENCE,
        is_demonstration=True,
        defining_authority_name="市场监管总局",
        defining_level=Level.NATION,
        issuing_levels=(Level.CITY, Level.COUNTY),
        issuing_authorities=("113301000025123419",),
        items=("330100-OPEN",),
        sharing=Sharing.CONDITIONAL,
        sharing_basis="《国务院关于在线政务服务的若干规定》第十条",
        evidence_days=3,
        successors=("11100000MB0143028R002",),
    ),
)

GOOD: dict[str, Json] = {"name": "甲", "credit_code": "91350100M000100Y43"}


def test_a_type_survives_its_text_and_the_text_is_fixed() -> None:
    """One text per type: its digest is signed into every certificate."""
    assert from_json(to_json(LICENCE)) == LICENCE
    assert to_json(from_json(json.dumps(json.loads(to_json(LICENCE)), indent=1).encode())) == (
        to_json(LICENCE)
    )


def test_a_listed_type_survives_its_text() -> None:
    """All elements of GB/T 36902, in the one text of format version 2."""
    data = to_json(LISTED)

    assert from_json(data) == LISTED
    assert json.loads(data)["v"] == 2
    # What is said by saying nothing stands nowhere: published digests stay what they were.
    assert "identifiers" not in json.loads(data)["listing"]
    lenient = replace(LISTED.listing, identifiers=IdentifierMode.LENIENT)
    assert (
        from_json(to_json(replace(LISTED, listing=lenient))).identifiers is IdentifierMode.LENIENT
    )


def test_the_text_of_a_type_without_listing_is_what_it_always_was() -> None:
    """`vct#integrity` of sealed records hangs on these bytes."""
    assert hashlib.sha256(to_json(LICENCE)).hexdigest() == (
        "c07498ab4de3809cfcaebbc4753e2567181f3ece1dd38e6c4d031a0d5b55bd05"
    )


def test_short_names_are_no_part_of_version_1() -> None:
    """A document says in its first member what may stand in it."""
    document = json.loads(to_json(LICENCE))
    document["fields"][0]["short_name"] = "ZZMC"

    with pytest.raises(HubError) as refused:
        from_json(json.dumps(document).encode())

    assert [(one.field, one.rule) for one in refused.value.violations] == [
        ("fields[0].short_name", "member.unknown")
    ]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"kind": "paper"}, "listing.kind", "member.kind"),
        ({"defining_level": "planet"}, "listing.defining_level", "member.kind"),
        ({"issuing_levels": ["city", "city"]}, "listing.issuing_levels", "member.repeated"),
        (
            {"issuing_levels": [], "issuing_authorities": []},
            "listing.issuing_levels",
            "type.issuer",
        ),
        (
            {"issuing_authorities": ["113301000025123418"]},
            "listing.issuing_authorities",
            "type.issuer",
        ),
        ({"sharing_basis": None}, "listing.sharing_basis", "member.missing"),
        ({"evidence_days": 0}, "listing.evidence_days", "value.range"),
        ({"successors": ["11100000MB0143028R001"]}, "listing.successors", "type.successor"),
        ({"successors": ["x"]}, "listing.successors", "type.successor"),
        ({"items": "x"}, "listing.items", "member.list"),
        ({"identifiers": "loose"}, "listing.identifiers", "member.kind"),
        ({"colour": 1}, "listing.colour", "member.unknown"),
    ],
)
def test_a_wrong_listing_is_refused_by_place_and_rule(
    change: dict[str, object], field: str, rule: str
) -> None:
    """The catalogue's elements are read as strictly as the face."""
    document = json.loads(to_json(LISTED))
    document["listing"] |= change

    with pytest.raises(HubError) as refused:
        from_json(json.dumps(document).encode())

    assert [(one.field, one.rule) for one in refused.value.violations] == [(field, rule)]


def test_what_is_shared_with_everybody_needs_no_law() -> None:
    """Sharing without condition is the rule; the exception names its basis."""
    document = json.loads(to_json(LISTED))
    document["listing"] |= {"sharing": "unconditional", "sharing_basis": None}

    listing = from_json(json.dumps(document).encode()).listing

    assert listing is not None
    assert (listing.sharing, listing.sharing_basis) == (Sharing.UNCONDITIONAL, "")


@pytest.mark.parametrize(
    ("fields", "place", "rule"),
    [
        (
            (
                face_field("a", 1, FieldType.TEXT, short_name="A"),
                face_field("b", 2, FieldType.TEXT, short_name="A"),
            ),
            "fields[1].short_name",
            "field.duplicate",
        ),
        (
            (face_field("a", 1, FieldType.TEXT, short_name="zzmc"),),
            "fields[0].short_name",
            "field.short_name",
        ),
        (
            (face_field("a", 1, FieldType.TEXT, group="长" * 33),),
            "fields[0].group",
            "value.length",
        ),
    ],
)
def test_short_names_and_groups_keep_their_form(
    fields: tuple[FaceField, ...], place: str, rule: str
) -> None:
    """A face dictionary is looked up by short name."""
    with pytest.raises(HubError) as refused:
        from_json(to_json(replace(LISTED, fields=fields)))

    assert [(one.field, one.rule) for one in refused.value.violations] == [(place, rule)]


def test_good_values_have_no_violation() -> None:
    """Optional fields may be absent or null."""
    values: dict[str, Json] = {
        "capital": "500000.00 CNY",
        "established": "2001-01-31",
        "copies": 2,
        "branch": False,
        "area": "330100",
    }
    assert check_fields(LICENCE, GOOD | values) == ()
    assert check_fields(LICENCE, GOOD | dict.fromkeys(values)) == ()


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", None, "value.required"),
        ("name", "", "value.empty"),
        ("name", "长" * 11, "value.length"),
        ("name", "a\x00", "value.control"),
        ("name", 1, "value.text"),
        ("credit_code", "91350100M000100Y44", "uscc.check"),
        ("credit_code", "91350100 M00100Y44", "value.code"),
        ("capital", "50万", "value.amount"),
        ("capital", "05 CNY", "value.amount"),
        ("established", "2001-02-29", "value.date"),
        ("copies", True, "value.integer"),
        ("copies", "2", "value.integer"),
        ("branch", 1, "value.boolean"),
        ("area", "110000", "value.pattern"),
        ("area", "330100\n", "value.code"),
        ("unknown", "x", "value.unknown_field"),
    ],
)
def test_a_wrong_value_names_field_and_rule(field: str, value: Json, rule: str) -> None:
    """Exactly one violation per fault."""
    found = check_fields(LICENCE, GOOD | {field: value})

    assert [(one.field, one.rule) for one in found] == [(f"fields.{field}", rule)]


def test_all_violations_are_named() -> None:
    """Not the first only."""
    found = check_fields(LICENCE, {"copies": "x", "branch": "y", "z": 1})

    assert [one.rule for one in found] == [
        "value.unknown_field",
        "value.required",
        "value.required",
        "value.integer",
        "value.boolean",
    ]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (replace(LICENCE, code="11100000MB0143028X001"), "type.code"),
        (replace(LICENCE, code="11100000MB0143028R000"), "type.code"),
        (replace(LICENCE, defining_authority="11100000000013338W"), "type.authority"),
        (replace(LICENCE, version=0), "value.range"),
        (replace(LICENCE, validity=Validity(False, ())), "type.validity"),
        (replace(LICENCE, retention_class="30 Y"), "type.retention"),
        (replace(LICENCE, fields=()), "field.count"),
        (replace(LICENCE, name="a\x00"), "value.control"),
        (
            replace(LICENCE, fields=(face_field("a", 1, FieldType.TEXT, rule="("),)),
            "field.pattern",
        ),
        (
            replace(LICENCE, fields=(face_field("1a", 1, FieldType.TEXT),)),
            "field.name",
        ),
        (
            replace(
                LICENCE, fields=tuple(face_field(f"f{i}", i, FieldType.TEXT) for i in range(1, 66))
            ),
            "member.list",
        ),
        (
            replace(
                LICENCE,
                fields=(face_field("a", 2, FieldType.TEXT), face_field("b", 1, FieldType.TEXT)),
            ),
            "field.order",
        ),
        (
            replace(LICENCE, fields=(face_field("a", 1, FieldType.TEXT, length_max=4001),)),
            "value.range",
        ),
    ],
)
def test_a_wrong_type_is_refused(wrong: CertificateType, rule: str) -> None:
    """The catalogue takes no type that could not be sealed later."""
    with pytest.raises(HubError) as refused:
        from_json(to_json(wrong))

    assert rule in [one.rule for one in refused.value.violations]


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_no_field_takes_the_name_of_a_claim(name: str) -> None:
    """A disclosure of such a name would replace a clear claim."""
    with pytest.raises(HubError):
        from_json(to_json(replace(LICENCE, fields=(face_field(name, 1, FieldType.TEXT),))))


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"colour": 1}, "colour", "member.unknown"),
        ({"name": 1}, "name", "value.text"),
        ({"holder_kind": "ghost"}, "holder_kind", "member.kind"),
        ({"fields": [1]}, "fields[0]", "member.kind"),
        ({"fields": [{}]}, "fields[0].name", "member.missing"),
        ({"validity": {"long_term": 1, "years": []}}, "validity.long_term", "value.boolean"),
        ({"validity": {"long_term": True, "years": ["1"]}}, "validity.years", "value.range"),
        ({"v": 3}, "v", "type.format"),
        ({"v": True}, "v", "type.format"),
        ({"v": 2}, "listing", "member.missing"),
        ({"listing": {}}, "listing", "member.unknown"),
        (
            {"validity": {"long_term": True, "years": [], "days": [1]}},
            "validity.days",
            "member.unknown",
        ),
    ],
)
def test_a_wrong_document_is_refused_by_place_and_rule(
    change: dict[str, object], field: str, rule: str
) -> None:
    """A type document is read as strictly as a row."""
    data = json.dumps(json.loads(to_json(LICENCE)) | change).encode()

    with pytest.raises(HubError) as refused:
        from_json(data)

    assert (field, rule) in [(one.field, one.rule) for one in refused.value.violations]
