"""What may be looked up, by whom, and what it shows."""

from __future__ import annotations

import dataclasses

import orjson
import pytest

from hub.domain.caller import Caller, Role
from hub.domain.holder import Holder
from hub.domain.row import Row
from hub.errors import HubError, Reason
from hub.registry.search import Filter
from hub.registry.service import encode_certificate
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    OFFICERS,
    PERMIT,
    Office,
    licence,
    uscc,
)
from tests.registry.test_ingest import CITIZEN, permit


def department(authority: str = AUTHORITY) -> Caller:
    return Caller("systems/d", Role.DEPARTMENT, authority, "", 1, "", 1)


async def fill(office: Office) -> None:
    await office.deliver([licence(1), licence(2)])
    await office.deliver([permit("P-1"), permit("P-2")], vct=office.catalogue.vct(PERMIT))


async def numbers(office: Office, wanted: Filter, caller: Caller | None = None) -> list[str]:
    page = await office.search.search(
        caller or office.officer(OFFICERS[0]), wanted, after="", size=50
    )
    assert page.after == ""
    return sorted(view.number or view.type_code for view in page.certificates)


async def test_each_filter_narrows(office: Office) -> None:
    """By holder, type, number, identifier, authority, and any two of them."""
    await fill(office)
    identifier = (await office.deliver([licence(3)])).results[0].identifier

    assert await numbers(office, Filter(holder=Holder("001", uscc(1)))) == [uscc(1)]
    assert await numbers(office, Filter(holder=Holder("111", CITIZEN))) == [PERMIT, PERMIT]
    assert await numbers(office, Filter(type_code=LICENCE)) == sorted(map(uscc, (1, 2, 3)))
    assert await numbers(office, Filter(number=uscc(2))) == [uscc(2)]
    assert await numbers(office, Filter(identifier=identifier)) == [uscc(3)]
    assert len(await numbers(office, Filter(authority=AUTHORITY))) == 5
    assert await numbers(office, Filter(authority=AUTHORITY, type_code=PERMIT)) == [PERMIT] * 2
    assert await numbers(office, Filter(holder=Holder("001", uscc(1)), number=uscc(2))) == []
    assert await numbers(office, Filter(identifier=identifier, type_code=PERMIT)) == []


async def test_a_personal_number_is_found_with_its_type_only_and_never_shown(
    office: Office,
) -> None:
    """Kept as a keyed hash; the type says under which."""
    await fill(office)

    assert await numbers(office, Filter(number="P-1")) == []
    assert await numbers(office, Filter(number="P-1", type_code=PERMIT)) == [PERMIT]


async def test_a_department_sees_its_own_authority_only(office: Office) -> None:
    """Another authority's certificates are not there for it, and may not be asked for by name."""
    await fill(office)
    name = (await office.deliver([licence(1)])).results[0].certificate
    certificate_id = name.rpartition("/")[2]
    stranger = department("authorities/transport")

    assert len(await numbers(office, Filter(type_code=LICENCE), department())) == 2
    assert await numbers(office, Filter(type_code=LICENCE), stranger) == []
    with pytest.raises(HubError) as caught:
        await office.search.search(stranger, Filter(authority=AUTHORITY), after="", size=5)
    assert caught.value.reason is Reason.AUTHORITY_NOT_ALLOWED
    with pytest.raises(HubError) as caught:
        await office.search.get(stranger, AUTHORITY, certificate_id)
    assert caught.value.reason is Reason.CERTIFICATE_NOT_FOUND
    assert (await office.search.get(department(), AUTHORITY, certificate_id)).number == uscc(1)


async def test_an_empty_filter_is_refused(office: Office) -> None:
    """Nobody lists everything by accident."""
    with pytest.raises(HubError) as caught:
        await office.search.search(department(), Filter(), after="", size=5)

    assert caught.value.details["field"] == "filter"


async def test_public_fields_are_shown_and_personal_ones_never(office: Office) -> None:
    """A company's facts in clear; of a person's certificate only what is public."""
    await fill(office)
    officer = office.officer(OFFICERS[0])
    company = await office.search.search(officer, Filter(number=uscc(1)), after="", size=5)
    person = await office.search.search(officer, Filter(type_code=PERMIT), after="", size=5)

    shown = encode_certificate(company.certificates[0], office.ingest.clock())
    assert orjson.loads(shown.public_fields)["name"] == "杭州示例1有限公司"
    assert shown.number == uscc(1)
    assert orjson.loads(person.certificates[0].public_fields) == {"grade": "一级"}
    assert person.certificates[0].number == ""


async def test_a_page_goes_on_where_other_rows_stand_between(office: Office) -> None:
    """Rows that the filter drops do not end a page before its time."""
    mixed: list[Row] = [licence(number) for number in range(9)]
    await office.deliver(mixed)
    await office.deliver(
        [permit(f"P-{number}") for number in range(9)], vct=office.catalogue.vct(PERMIT)
    )
    wanted = Filter(holder=Holder("111", CITIZEN), type_code=PERMIT)
    officer, after, seen = office.officer(OFFICERS[0]), "", []

    for _ in range(10):
        page = await office.search.search(officer, wanted, after=after, size=4)
        seen += [view.id for view in page.certificates]
        after = page.after
        if not after:
            break

    assert len(seen) == len(set(seen)) == 9
    assert dataclasses.asdict(page.certificates[0])["type_code"] == PERMIT
