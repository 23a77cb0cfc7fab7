"""What a template may say, and what it must, in the words of the rules."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import HubError, Reason
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.lint import lint
from hub.seal.faces.template import TEMPLATE_BYTES_MAX, parse_template
from tests.seal.faces.samples import SHIPPED, certificate_type, members, template


def faults(changed: dict[str, Any] | bytes) -> list[tuple[str, str]]:
    """Place and rule of everything that is wrong."""
    data = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
    with pytest.raises(HubError) as refused:
        parse_template(data)
    assert refused.value.reason is Reason.FIELD_INVALID
    return [(one.field, one.rule) for one in refused.value.violations]


def lint_rules(fonts: FaceFonts, **changes: Any) -> list[tuple[str, str]]:
    """What a changed template breaks of its type."""
    found = lint(template(**changes), certificate_type(), fonts)
    return [(one.field, one.rule) for one in found.violations]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_fits_its_type(name: str, fonts: FaceFonts) -> None:
    """Nothing is refused; what may overflow is said with both numbers."""
    found = lint(template(name), certificate_type(name), fonts)

    assert found.violations == ()
    assert {one.rule for one in found.warnings} == {"face.may_overflow"}
    found.check()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"v": 2}, ("v", "face.format")),
        ({"v": True}, ("v", "face.format")),
        ({"type": "11100000MB0143028R000"}, ("type", "type.code")),
        ({"page": "297"}, ("page", "face.lengths")),
        ({"page": "297 5"}, ("page", "face.page")),
        ({"page": "1e3 297"}, ("page", "face.lengths")),
        ({"page": "297 -210"}, ("page", "face.lengths")),
        ({"page": "297.001 210"}, ("page", "face.lengths")),
        ({"seal": "290 100 42 42"}, ("seal", "face.outside")),
        ({"seal": "10 10 0 42"}, ("seal", "face.box")),
        ({"code": None}, ("code", "member.missing")),
        ({"title": ""}, ("title", "value.empty")),
        ({"watermark": None}, ("watermark", "member.missing")),
        ({"script": "alert(1)"}, ("script", "member.unknown")),
        ({"lines": [{"ends": "0 0 400 0", "width": "1"}]}, ("lines[0].ends", "face.outside")),
        ({"lines": [{"ends": "0 0 40 0", "width": "9"}]}, ("lines[0].width", "face.range")),
        (
            {"frames": [{"box": "0 0 4 4", "width": "1", "colour": "red"}]},
            ("frames[0].colour", "face.colour"),
        ),
        (
            {"frames": [{"box": "0 0 4 4", "width": "1", "fill": "#ffffff"}]},
            ("frames[0].fill", "member.unknown"),
        ),
        (
            {"pictures": [{"box": "0 0 4 4", "picture": "*"}]},
            ("pictures[0].picture", "face.picture"),
        ),
        (
            {"pictures": [{"box": "0 0 4 4", "picture": base64.b64encode(b"GIF89a").decode()}]},
            ("pictures[0].picture", "face.picture"),
        ),
        (
            {"texts": [{"text": "字", "box": "0 0 9 9", "size": "5", "align": "justify"}]},
            ("texts[0].align", "member.kind"),
        ),
        (
            {"texts": [{"text": "字", "box": "0 0 9 9", "size": "0.5"}]},
            ("texts[0].size", "face.range"),
        ),
        (
            {"fields": [{"field": "name", "box": "0 0 9 9", "size": "5", "size_min": "6"}]},
            ("fields[0].size_min", "face.size_min"),
        ),
        (
            {"fields": [{"field": "name", "box": "0 0 9 9", "size": "5", "way": "roman"}]},
            ("fields[0].way", "member.kind"),
        ),
    ],
)  # fmt: skip
def test_a_wrong_member_is_refused_with_its_place(
    change: dict[str, Any], fault: tuple[str, str]
) -> None:
    """Field and rule, and nothing is guessed."""
    assert fault in faults({**members(), **change})


def test_every_fault_is_told_at_once() -> None:
    """A designer corrects them in one go."""
    found = faults({**members(), "v": 9, "seal": "x", "watermark": 1})

    assert [place for place, _ in found] == ["v", "seal", "watermark", "watermark"]


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"v":1,"v":1}', b'{"v":1.5}', b"\xff", b'{"a":' * 40 + b"1" + b"}" * 40],
)
def test_what_is_no_strict_json_is_refused(data: bytes) -> None:
    """One text, one meaning."""
    assert faults(data) == [("template", "json.malformed")]


def test_a_template_beyond_its_size_is_not_read() -> None:
    """Before anything of it is parsed."""
    assert faults(b" " * (TEMPLATE_BYTES_MAX + 1)) == [("template", "face.size")]


def test_a_field_that_the_type_does_not_have_is_named(fonts: FaceFonts) -> None:
    """A misspelt field would stay empty on every certificate."""
    fields = [*members()["fields"], {"field": "nmae", "box": "20 20 20 8", "size": "4"}]

    assert ("fields[12].field", "face.unknown_field") in lint_rules(fonts, fields=fields)


@pytest.mark.parametrize("name", ["name", "establish_date", "@identifier", "@authority"])
def test_what_must_stand_on_the_face_is_missed(name: str, fonts: FaceFonts) -> None:
    """Required fields, and what ties the face to its record."""
    fields = [one for one in members()["fields"] if one["field"] != name]

    assert lint_rules(fonts, fields=fields) == [("fields", "face.field_missing")]


def test_a_way_that_does_not_fit_the_kind_is_refused(fonts: FaceFonts) -> None:
    """A name is not written as a date."""
    fields = [
        {**one, "way": "date"} if one["field"] in ("name", "@identifier") else one
        for one in members()["fields"]
    ]

    assert [rule for _, rule in lint_rules(fonts, fields=fields)] == ["face.way", "face.way"]


def test_boxes_that_overlap_are_named(fonts: FaceFonts) -> None:
    """The second one, with the first."""
    fields = [
        {**one, "box": "24 66 40 8"} if one["field"] == "kind" else one
        for one in members()["fields"]
    ]

    found = lint(template(fields=fields), certificate_type(), fonts).violations

    assert ("fields[1].box", "face.overlap") in [(one.field, one.rule) for one in found]
    assert "texts[1].box" in found[0].en


def test_a_code_too_small_to_be_scanned_and_a_fixed_text_too_long_are_refused(
    fonts: FaceFonts,
) -> None:
    """What never works is no template."""
    texts = [{"text": "营业执照" * 20, "box": "88 35 120 16", "size": "12"}]

    assert lint_rules(fonts, code="250 165 20 20", texts=texts) == [
        ("texts[0].box", "face.text_overflow"),
        ("code", "face.code_small"),
    ]


def test_a_template_of_another_version_of_its_type_is_refused(fonts: FaceFonts) -> None:
    """Its fields may mean something else there."""
    assert lint_rules(fonts, type_version=1) == [("type_version", "face.type_version")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(
        ["", "字", "1 2 3 4", "10 10 5 5", "5", "#ff0000", "name", "@identifier", "date", "left"]
    ) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["box", "size", "text", "field", "ends", "width", "picture", "angle", "x"]),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=2000)
@given(st.dictionaries(st.sampled_from([*members(), "other"]), JSON, max_size=6))
def test_any_document_is_read_or_refused_as_declared(changes: dict[str, Any]) -> None:
    """Nothing but FIELD_INVALID comes out of the parser."""
    try:
        parse_template(json.dumps({**members(), **changes}).encode())
    except HubError as refused:
        assert refused.reason is Reason.FIELD_INVALID
        assert refused.violations


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_declared(data: bytes) -> None:
    """Bytes from anywhere."""
    with pytest.raises(HubError) as refused:
        parse_template(data)

    assert refused.value.reason is Reason.FIELD_INVALID
