"""What was assessed once for an area serves whoever builds there (区域评估)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from hub.domain.certificate import Grade
from hub.domain.certificate_type import CertificateType, from_json
from hub.domain.holder import Holder
from hub.domain.row import Op, Row
from hub.domain.service_item import Role
from hub.errors import HubError, Reason
from hub.registry.search import Filter
from tests.conftest import ROOT
from tests.exchange.planning import (
    ITEM,
    Window,
    by_material,
    company,
    item,
    material,
    obstacles,
    open_window,
)
from tests.registry.office import LICENCE, OFFICERS, licence, uscc

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLOOD: Final[CertificateType] = from_json(
    (ROOT / "deploy/catalogue/types/demo-area-flood.json").read_bytes()
)
ZONE: Final = Holder("901", "G330101")
PARCELS: Final = (Holder("902", "330106001002GB00003"), Holder("902", "330106001002GB00004"))
ELSEWHERE: Final = Holder("902", "330106001002GB00009")


def assessment(number: str, *holders: Holder) -> Row:
    """A flood impact assessment of these areas."""
    return Row(
        op=Op.ISSUE,
        source_key=number,
        number=number,
        serial=None,
        issue_date="2024-05-01",
        valid_from=None,
        valid_until="2099-04-30",
        holders=holders,
        fields={
            "area_name": "示例经济技术开发区",
            "area_codes": " ".join(holder.number for holder in holders),
            "extent": "开发区规划范围",
            "conclusion": "满足防洪要求",
        },
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Window]:
    """A window with an item that needs a flood assessment, and one on file."""
    folder = tmp_path_factory.mktemp("areas")
    async with open_window(f"sqlite:///{folder}/hub.db", folder) as opened:
        await opened.office.open_type(FLOOD, "flood")
        await opened.office.deliver(
            [assessment("区域洪评2024-01", ZONE, *PARCELS)],
            vct=opened.office.catalogue.vct(FLOOD.code),
        )
        await opened.grant(FLOOD.code, "extent", "conclusion")
        await opened.grant(LICENCE, "name")
        opened.define(
            item(
                ITEM,
                material(
                    "flood",
                    Role.AREA,
                    FLOOD.code,
                    fields=("extent", "conclusion"),
                    grade_min=Grade.C,
                ),
                material("licence", Role.COMPANY, LICENCE),
            )
        )
        yield opened


def area(*holders: Holder) -> list[tuple[str, str, str]]:
    """The areas of a matter."""
    return [("area", one.type, one.number) for one in holders]


@pytest.mark.parametrize(
    ("named", "outcome", "why"),
    [
        ((ZONE,), "on_file", []),
        ((PARCELS[1],), "on_file", []),
        # Any of them will do: one line, not one for each.
        ((ELSEWHERE, ZONE), "on_file", []),
        ((ZONE, *PARCELS), "on_file", []),
        ((ELSEWHERE,), "ask", ["absent"]),
        ((), "ask", ["holder_unknown"]),
    ],
)
async def test_the_assessment_of_the_zone_or_the_parcel_serves(
    window: Window, named: tuple[Holder, ...], outcome: str, why: list[str]
) -> None:
    """Whoever names the ground need not have it assessed again."""
    answer = await window.ask(company(1), *area(*named))

    assert len(answer.lines) == 2
    found = by_material(answer)["flood"]
    assert (found.planned.outcome.value, obstacles(found)) == (outcome, why)
    assert found.holder == (1 if named else None)
    assert "材料flood（区域或宗地）" in answer.notice.zh
    assert "Material flood (zone or parcel)" in answer.notice.en


@pytest.mark.parametrize(("role", "holder"), [("company", ZONE), ("area", Holder("001", uscc(1)))])
async def test_an_area_has_the_role_of_an_area_and_nothing_else_has(
    window: Window, role: str, holder: Holder
) -> None:
    """A company is no ground, and ground is no company."""
    with pytest.raises(HubError) as refused:
        await window.ask((role, holder.type, holder.number))

    assert refused.value.reason is Reason.FIELD_INVALID
    assert refused.value.details["field"] == "plan.holders[0].type"
    assert holder.number not in str(refused.value)


async def test_it_is_found_by_zone_and_by_parcel_with_its_number_in_clear(window: Window) -> None:
    """What an area holds is public: no number of it is hidden, no key of its own encrypts it."""
    office = window.office
    officer = office.officer(OFFICERS[0])

    for holder in (ZONE, *PARCELS):
        page = await office.search.search(officer, Filter(holder=holder), after="", size=5)
        assert [view.number for view in page.certificates] == ["区域洪评2024-01"]
    by_number = await office.search.search(
        officer, Filter(number="区域洪评2024-01"), after="", size=5
    )
    assert [view.type_code for view in by_number.certificates] == [FLOOD.code]
    assert "示例经济技术开发区" in by_number.certificates[0].public_fields.decode()
    absent = await office.search.search(officer, Filter(holder=ELSEWHERE), after="", size=5)
    assert absent.certificates == ()


async def test_only_areas_hold_what_areas_hold(window: Window) -> None:
    """Neither an assessment of a company, nor a licence of a parcel."""
    office = window.office
    wrong = assessment("区域洪评2024-02", Holder("001", uscc(1)))

    (first,) = (await office.deliver([wrong], vct=office.catalogue.vct(FLOOD.code))).results
    (second,) = (await office.deliver([licence(1, holders=(PARCELS[0],))])).results

    for result, kind in ((first, "area"), (second, "organisation")):
        (violation,) = result.violations
        assert (violation.field, violation.rule) == ("holders[0].type", "holder.kind")
        assert violation.en == f"this certificate type is held by {kind} only"
