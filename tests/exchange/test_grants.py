"""The rule that reads grants."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import HubError, Reason
from hub.exchange.grants import Grant, find_grant

LICENCE = "11100000MB0143028R001"
GRANT = Grant(
    id="g-1",
    recipient="systems/window-1",
    type_code=LICENCE,
    fields=("name", "scope"),
    service_items=("331022003000",),
    legal_basis="行政许可法 第三十一条",
    start_us=1_000,
    expire_us=2_000,
    consent_required=False,
    calls_per_day_max=0,
    create_entry=7,
    create_us=1,
)


def find(*grants: Grant, fields: tuple[str, ...] = ("name",), **changes: object) -> Grant:
    asked = {"type_code": LICENCE, "service_item": "331022003000", "now_us": 1_500} | changes
    return find_grant(grants, fields=fields, **asked)


def refusal(*grants: Grant, **asked: object) -> HubError:
    with pytest.raises(HubError) as caught:
        find(*grants, **asked)
    return caught.value


def test_a_grant_that_names_all_of_it_allows_it() -> None:
    """Type, service item, time and every field stand in one grant."""
    assert find(GRANT, fields=("name", "scope")) is GRANT


@pytest.mark.parametrize(
    "changes",
    [
        {"type_code": "11100000000013338W011"},
        {"service_item": "331022003001"},
        {"now_us": 999},
        {"now_us": 2_000},
    ],
    ids=["other type", "other service item", "before its start", "at its end"],
)
def test_what_no_grant_in_force_names_is_missing(changes: dict[str, object]) -> None:
    """Deny by default; the end of a grant is excluded."""
    assert refusal(GRANT, **changes).reason is Reason.GRANT_MISSING


def test_a_revoked_grant_is_no_grant() -> None:
    """Revocation takes effect with its entry."""
    revoked = dataclasses.replace(GRANT, revoke_us=1_400)

    assert refusal(revoked).reason is Reason.GRANT_MISSING


def test_one_field_too_many_refuses_and_names_it() -> None:
    """The excess field stands in the refusal, the granted ones do not."""
    error = refusal(GRANT, fields=("name", "address"))

    assert error.reason is Reason.FIELD_NOT_GRANTED
    assert error.details["fields"] == "address"


def test_fields_of_two_grants_are_not_merged() -> None:
    """A disclosure stands on one legal basis."""
    other = dataclasses.replace(GRANT, id="g-2", fields=("address",))

    error = refusal(GRANT, other, fields=("name", "address"))

    assert error.reason is Reason.FIELD_NOT_GRANTED


def test_an_empty_field_list_discloses_nothing() -> None:
    """A grant without fields allows no field."""
    empty = dataclasses.replace(GRANT, fields=())

    assert refusal(empty).reason is Reason.FIELD_NOT_GRANTED


FIELDS = st.sets(st.sampled_from(["name", "scope", "address", "capital"]), min_size=1)


@given(granted=st.lists(FIELDS, max_size=4), wanted=FIELDS)
def test_a_grant_is_found_exactly_when_one_covers_all_fields(
    granted: list[set[str]], wanted: set[str]
) -> None:
    """Over all small cases: allowed if and only if some single grant holds every field."""
    grants = [
        dataclasses.replace(GRANT, id=f"g-{number}", fields=tuple(sorted(fields)))
        for number, fields in enumerate(granted)
    ]
    allowed = any(wanted <= fields for fields in granted)

    if allowed:
        found = find(*grants, fields=tuple(wanted))
        assert wanted <= set(found.fields)
    else:
        assert refusal(*grants, fields=tuple(wanted)).reason in {
            Reason.GRANT_MISSING,
            Reason.FIELD_NOT_GRANTED,
        }


def test_the_digest_of_a_grant_covers_what_it_permits() -> None:
    """Each change of what is permitted changes the digest that log entries carry."""
    changed = [
        dataclasses.replace(GRANT, fields=("name",)),
        dataclasses.replace(GRANT, recipient="systems/window-2"),
        dataclasses.replace(GRANT, service_items=("331022003001",)),
        dataclasses.replace(GRANT, legal_basis="行政许可法 第三十二条"),
        dataclasses.replace(GRANT, expire_us=2_001),
        dataclasses.replace(GRANT, consent_required=True),
        dataclasses.replace(GRANT, calls_per_day_max=1),
    ]

    digests = {grant.digest for grant in (GRANT, *changed)}

    assert len(digests) == len(changed) + 1
