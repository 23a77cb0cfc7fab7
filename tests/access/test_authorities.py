"""Which authorities are registered, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.access.create_authority import create_authority
from hub.access.identity import Authority, DatedName
from hub.errors import HubError, Reason
from tests.access.conftest import USCC, Register, an_authority

OTHER_USCC = "11100000MB0143028R"
PRESENT = DatedName("甲局", "", "2019-01-01", "")
PAST = DatedName("乙局", "", "2001-01-01", "2018-12-31")


async def test_a_registered_authority_is_kept_as_given(register: Register) -> None:
    """Names with their dates and successors come back; the entry carries them."""
    wanted = replace(
        an_authority(OTHER_USCC), names=(PAST, PRESENT), successors=("authorities/market",)
    )

    outcome = await create_authority(register.registrar, register.call(), "old", wanted)

    kept = replace(wanted, name="authorities/old", create_time_us=register.clock(), generation=1)
    assert outcome.resource == kept
    assert register.directory.authority("authorities/old") == kept
    assert outcome.resource.title == "甲局"
    entry = register.recorder.entries[-1]
    assert entry.kind == "authority.created"
    assert entry.members["data"] == {
        "authority": "authorities/old",
        "uscc": OTHER_USCC,
        "names": [
            {"title": "乙局", "from_date": "2001-01-01", "to_date": "2018-12-31"},
            {"title": "甲局", "from_date": "2019-01-01", "to_date": ""},
        ],
        "region": "330100",
        "level": 3,
        "successors": ["authorities/market"],
    }


GOOD = an_authority(OTHER_USCC)


@pytest.mark.parametrize(
    ("wanted", "field", "rule"),
    [
        (replace(GOOD, uscc=OTHER_USCC[:-1] + "1"), "authority.uscc", "uscc.check"),
        (replace(GOOD, uscc=USCC), "authority.uscc", "uscc.taken"),
        (replace(GOOD, names=()), "authority.names", "names.count"),
        (replace(GOOD, names=(PRESENT,) * 51), "authority.names", "names.count"),
        (replace(GOOD, names=(PAST,)), "authority.names", "names.present"),
        (replace(GOOD, names=(PRESENT, PRESENT)), "authority.names", "names.present"),
        (
            replace(GOOD, names=(replace(PRESENT, title=""),)),
            "authority.names[0].title",
            "value.empty",
        ),
        (
            replace(GOOD, names=(replace(PRESENT, title="局" * 10_000),)),
            "authority.names[0].title",
            "value.length",
        ),
        (
            replace(GOOD, names=(replace(PRESENT, title="a\0b"),)),
            "authority.names[0].title",
            "value.control",
        ),
        (
            replace(GOOD, names=(replace(PRESENT, from_date="2019-02-29"),)),
            "authority.names[0].from_date",
            "value.date",
        ),
        (
            replace(GOOD, names=(PRESENT, replace(PAST, to_date="2000-12-31"))),
            "authority.names[1].to_date",
            "names.order",
        ),
        (replace(GOOD, region="33010"), "authority.region", "region.form"),
        (replace(GOOD, region="３３０１００"), "authority.region", "region.form"),
        (replace(GOOD, level=0), "authority.level", "level.range"),
        (replace(GOOD, level=6), "authority.level", "level.range"),
        (
            replace(GOOD, successors=("authorities/none",)),
            "authority.successors[0]",
            "successors.known",
        ),
        (
            replace(GOOD, successors=("authorities/market",) * 2),
            "authority.successors",
            "successors.count",
        ),
    ],
)
async def test_a_wrong_field_is_named_with_its_rule(
    register: Register, wanted: Authority, field: str, rule: str
) -> None:
    """Nothing is stored and nothing logged."""
    before = len(register.recorder.entries)

    with pytest.raises(HubError) as caught:
        await create_authority(register.registrar, register.call(), "new", wanted)

    found = [(violation.field, violation.rule) for violation in caught.value.violations]
    assert caught.value.reason is Reason.FIELD_INVALID
    assert found == [(field, rule)]
    assert len(register.recorder.entries) == before
    assert "authorities/new" not in register.directory.current.authorities


async def test_an_id_is_given_once(register: Register) -> None:
    """A second authority under the same id is refused, whatever it says."""
    with pytest.raises(HubError) as caught:
        await create_authority(register.registrar, register.call(), "market", GOOD)

    assert caught.value.reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("request_id", ["", "5B1C7F52-0D5E-4A0B-8F0E-1F6F2F7A9C01", "7"])
async def test_a_change_needs_a_request_id(register: Register, request_id: str) -> None:
    """A UUID in lower case, or the change could not be repeated safely."""
    call = replace(register.call(), request_id=request_id)

    with pytest.raises(HubError) as caught:
        await create_authority(register.registrar, call, "new", GOOD)

    assert caught.value.reason is Reason.REQUEST_ID_INVALID
