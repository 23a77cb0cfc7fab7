"""Certificate types: what the catalogue takes, and what a type demands of face values."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hub.domain.certificate_type import (
    RESERVED_NAMES,
    CertificateType,
    FaceField,
    FieldType,
    HolderKind,
    Sensitivity,
    Validity,
    check_fields,
    check_type,
    from_json,
    to_json,
)
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

GOOD: dict[str, Json] = {"name": "甲", "credit_code": "91350100M000100Y43"}


def test_a_type_survives_its_text_and_the_text_is_fixed() -> None:
    """One text per type: its digest is signed into every certificate."""
    assert from_json(to_json(LICENCE)) == LICENCE
    assert to_json(from_json(json.dumps(json.loads(to_json(LICENCE)), indent=1).encode())) == (
        to_json(LICENCE)
    )


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
        (replace(LICENCE, version=0), "type.version"),
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
            "field.count",
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
            "field.length_max",
        ),
    ],
)
def test_a_wrong_type_is_refused(wrong: CertificateType, rule: str) -> None:
    """The catalogue takes no type that could not be sealed later."""
    with pytest.raises(HubError) as refused:
        check_type(wrong)

    assert rule in [one.rule for one in refused.value.violations]


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_no_field_takes_the_name_of_a_claim(name: str) -> None:
    """A disclosure of such a name would replace a clear claim."""
    with pytest.raises(HubError):
        check_type(replace(LICENCE, fields=(face_field(name, 1, FieldType.TEXT),)))


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"colour": 1}, "colour", "member.unknown"),
        ({"name": 1}, "name", "member.kind"),
        ({"holder_kind": "ghost"}, "holder_kind", "member.kind"),
        ({"fields": [1]}, "fields[0]", "member.kind"),
        ({"fields": [{}]}, "fields[0].name", "member.missing"),
        ({"validity": {"long_term": 1, "years": []}}, "validity.long_term", "member.kind"),
        ({"validity": {"long_term": True, "years": ["1"]}}, "validity.years", "type.validity"),
        ({"v": 2}, "v", "row.version"),
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
