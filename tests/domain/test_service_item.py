"""Service items: one text, every fault named, conditions that guess nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.certificate import Grade
from hub.domain.document import Level
from hub.domain.service_item import (
    All,
    Any,
    Compare,
    Condition,
    Fact,
    Material,
    Not,
    Role,
    ServiceItem,
    condition_members,
    facts_of,
    from_json,
    holds,
    to_json,
)
from hub.domain.strict_json import Json
from hub.errors import HubError

LICENCE = "11100000MB0143028R001"

ITEM = ServiceItem(
    code="330100-OPEN",
    version=3,
    name="食品经营许可",
    name_en="Food business licence",
    authority="11100000MB0143028R",
    levels=(Level.CITY, Level.COUNTY),
    working_days=20,
    fee="",
    legal_basis="《中华人民共和国食品安全法》第三十五条",
    materials=(
        Material(
            id="licence",
            name="营业执照",
            name_en="Business licence",
            role=Role.COMPANY,
            types=(LICENCE,),
            grade_min=Grade.B,
            fields=("name", "scope"),
            age_days_max=365,
            condition=All((Compare("m2", (), 50), Not(Compare("kind", ("online", "truck"))))),
            is_promisable=True,
            deferrable_days=10,
        ),
    ),
)


def facts() -> st.SearchStrategy[Fact]:
    """Values that look alike: 1, True and "1" are three facts."""
    return st.sampled_from([0, 1, 2, True, False, "1", "True", ""])


def conditions() -> st.SearchStrategy[Condition]:
    """Conditions as deep and wide as a document may hold."""
    compare = st.builds(
        Compare, st.sampled_from("ab"), st.lists(facts(), min_size=1, max_size=3).map(tuple)
    ) | st.builds(lambda least: Compare("a", (), least), st.integers(-2, 3))
    return st.recursive(
        compare,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(All, st.lists(inner, min_size=1, max_size=2).map(tuple))
            | st.builds(Any, st.lists(inner, min_size=1, max_size=2).map(tuple))
        ),
        max_leaves=6,
    )


def documented(condition: Json) -> bytes:
    """An item whose material is needed under `condition`."""
    document = json.loads(to_json(ITEM))
    document["materials"][0]["condition"] = condition
    return json.dumps(document).encode()


def test_an_item_survives_its_text_and_the_text_is_fixed() -> None:
    """Equal items give equal bytes, so a change is a change of bytes."""
    assert from_json(to_json(ITEM)) == ITEM
    assert to_json(from_json(json.dumps(json.loads(to_json(ITEM)), indent=1).encode())) == (
        to_json(ITEM)
    )


def test_what_may_be_null_may_be_left_out() -> None:
    """A person who writes a file writes what matters."""
    document = json.loads(to_json(ITEM))
    for name in ("version", "fee"):
        del document[name]
    for name in ("age_days_max", "condition", "promisable", "deferrable_days"):
        del document["materials"][0][name]

    item = from_json(json.dumps(document).encode())

    material = item.materials[0]
    assert (item.version, item.fee) == (0, "")
    assert (material.condition, material.age_days_max) == (None, None)
    assert (material.is_promisable, material.deferrable_days) == (False, None)


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"v": 2}, "v", "row.version"),
        ({"code": "ab"}, "code", "item.code"),
        ({"code": "-ABC"}, "code", "item.code"),
        ({"code": "330100-open"}, "code", "item.code"),
        ({"authority": "11100000MB0143028X"}, "authority", "uscc.check"),
        ({"levels": ["moon"]}, "levels", "member.kind"),
        ({"working_days": -1}, "working_days", "value.range"),
        ({"working_days": True}, "working_days", "value.range"),
        ({"legal_basis": ""}, "legal_basis", "value.empty"),
        ({"name": None}, "name", "member.missing"),
        ({"materials": [{}] * 65}, "materials", "member.list"),
        ({"materials": [1]}, "materials[0]", "member.kind"),
        ({"colour": "red"}, "colour", "member.unknown"),
    ],
)
def test_a_wrong_item_is_refused_by_place_and_rule(
    change: dict[str, object], field: str, rule: str
) -> None:
    """Exactly the member that is wrong."""
    data = json.dumps(json.loads(to_json(ITEM)) | change).encode()

    with pytest.raises(HubError) as refused:
        from_json(data)

    assert [(one.field, one.rule) for one in refused.value.violations] == [(field, rule)]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"id": "Licence"}, "id", "item.material_id"),
        ({"role": "ghost"}, "role", "member.kind"),
        ({"types": ["11100000MB0143028R000"]}, "types", "item.type"),
        ({"types": [LICENCE, LICENCE]}, "types", "member.repeated"),
        ({"types": [1]}, "types[0]", "value.text"),
        ({"grade_min": "E"}, "grade_min", "member.kind"),
        ({"age_days_max": 0}, "age_days_max", "value.range"),
        ({"promisable": 1}, "promisable", "value.boolean"),
        ({"deferrable_days": 366}, "deferrable_days", "value.range"),
        ({"colour": "red"}, "colour", "member.unknown"),
    ],
)
def test_a_wrong_material_is_refused_by_place_and_rule(
    change: dict[str, object], field: str, rule: str
) -> None:
    """The place leads into the list."""
    document = json.loads(to_json(ITEM))
    document["materials"][0] |= change

    with pytest.raises(HubError) as refused:
        from_json(json.dumps(document).encode())

    assert [(one.field, one.rule) for one in refused.value.violations] == [
        (f"materials[0].{field}", rule)
    ]


def test_two_materials_of_one_id_are_refused() -> None:
    """A diff and a notice name a material by its id."""
    document = json.loads(to_json(ITEM))
    document["materials"] *= 2

    with pytest.raises(HubError) as refused:
        from_json(json.dumps(document).encode())

    assert [(one.field, one.rule) for one in refused.value.violations] == [
        ("materials[1].id", "item.material_id")
    ]


@pytest.mark.parametrize(
    "condition",
    [
        {},
        [],
        "always",
        {"fact": "m2"},
        {"fact": "M2", "equals": 1},
        {"fact": "m2", "equals": None},
        {"fact": "m2", "equals": 1, "in": [1]},
        {"fact": "m2", "in": []},
        {"fact": "m2", "in": [1, None]},
        {"fact": "m2", "at_least": True},
        {"fact": "m2", "at_least": "50"},
        {"all": []},
        {"all": [{"fact": "m2", "equals": 1}], "any": []},
        {"any": [{"fact": "m2", "equals": 1}] * 33},
        {"not": {"not": {"not": {"not": {"fact": "m2", "equals": 1}}}}},
    ],
)
def test_what_is_no_condition_is_refused(condition: Json) -> None:
    """Nothing is read as "always needed" or "never needed" by mistake."""
    with pytest.raises(HubError) as refused:
        from_json(documented(condition))

    assert [(one.field, one.rule) for one in refused.value.violations] == [
        ("materials[0].condition", "item.condition")
    ]


@given(conditions(), facts(), facts())
def test_a_condition_means_what_its_text_means(condition: Condition, a: Fact, b: Fact) -> None:
    """Read back, it holds for the same facts; computed here a second time from the text alone."""

    def meant(text: Json) -> bool:
        assert isinstance(text, dict)
        match text:
            case {"fact": name, "equals": wanted}:
                return json.dumps({"a": a, "b": b}[str(name)]) == json.dumps(wanted)
            case {"fact": name, "in": list(wanted)}:
                return json.dumps({"a": a, "b": b}[str(name)]) in map(json.dumps, wanted)
            case {"fact": "a", "at_least": int(least)}:
                return json.dumps(a).lstrip("-").isdigit() and int(a) >= least
            case {"all": list(parts)}:
                return all(map(meant, parts))
            case {"any": list(parts)}:
                return any(map(meant, parts))
            case {"not": part}:
                return not meant(part)
        raise AssertionError(text)

    members = condition_members(condition)

    assert holds(condition, {"a": a, "b": b}) is meant(members)
    assert set(facts_of(condition)) <= {"a", "b"}


def test_a_fact_that_is_not_stated_is_never_guessed() -> None:
    """`holds` needs every fact; `facts_of` says which."""
    condition = All(
        (Compare("m2", (), 50), Any((Compare("kind", ("a",)), Not(Compare("x", (1,))))))
    )

    assert list(facts_of(condition)) == ["m2", "kind", "x"]
    with pytest.raises(KeyError):
        holds(condition, {"m2": 60})
    assert holds(None, {})
