"""The one-time notice, word for word, and the page that prints it."""

from __future__ import annotations

import datetime

from hub.cli.notice_page import NoticePage, PageText, Section
from hub.domain.certificate import State
from hub.domain.on_file import OnFile
from hub.domain.service_item import Grade, Role
from hub.exchange.notice import line, notice
from hub.exchange.plan import Matter, Obstacle, Outcome, Planned, Use
from tests.exchange.planning import ITEM, item, material

DAY = datetime.date(2026, 12, 3)
CERTIFICATE = OnFile(
    version_id="v",
    identifier="1.2",
    version=1,
    type_code="T",
    authority="authorities/market",
    state=State.ACTIVE,
    state_entry=1,
    issue_date="2020-01-01",
    confirm_date="2020-01-01",
    valid_from="",
    valid_until="",
    grade=Grade.B,
    fields=frozenset(),
)


def _planned(outcome: Outcome, name: str, role: Role = Role.COMPANY, **more: object) -> Planned:
    return Planned((Use(ITEM, name),), material(name, role), "0", outcome, **more)  # type: ignore[arg-type]


def _matter(*names: str) -> Matter:
    needed = item(ITEM, *[material(name, Role.COMPANY) for name in names])
    return Matter([needed], {Role.COMPANY: ["0"], Role.CO_OWNER: ["1", "0"]}, {}, DAY, DAY)


def test_every_outcome_has_its_heading_and_its_line_in_both_languages() -> None:
    """What must be brought stands first; departments are named by their present names."""
    planned = [
        _planned(Outcome.ON_FILE, "a", certificate=CERTIFICATE),
        _planned(Outcome.OBTAINABLE, "b", certificate=CERTIFICATE, working_days=5),
        _planned(Outcome.COMMITMENT, "c"),
        _planned(Outcome.DEFERRABLE, "d", due=DAY),
        _planned(Outcome.ASK, "e", Role.CO_OWNER, obstacles=(Obstacle.ABSENT, Obstacle.STALE)),
    ]

    matter = _matter("a")
    lines = [line(matter, one, lambda _: "杭州市市场监督管理局") for one in planned]
    said = notice(matter, planned, lines)

    assert said.zh == (
        "一次性告知书\n"
        "事项：事项DEMO-RESTAURANT（DEMO-RESTAURANT）\n"
        "预计办结日：2026-12-03\n"
        "\n"
        "需您提交（1 项）\n"
        "1. 材料e（共有人 2）。原因：证照库中没有该证照。库中证照的签发或核实时间过久。\n"
        "\n"
        "可先受理、后补交（容缺受理）（1 项）\n"
        "1. 材料d（企业）：请于 2026-12-03 前补交。\n"
        "\n"
        "可以书面承诺代替（告知承诺）（1 项）\n"
        "1. 材料c（企业）：请签署告知承诺书。\n"
        "\n"
        "由主管部门核实，无需您提交（1 项）\n"
        "1. 材料b（企业）：由杭州市市场监督管理局在 5 个工作日内核实。\n"
        "\n"
        "证照库已有，无需您提交（1 项）\n"
        "1. 材料a（企业）。\n"
    )
    assert "Please bring (1)\n1. Material e (co-owner 2). Reason: It is not on file. " in said.en
    assert "1. Material d (company): by 2026-12-03.\n" in said.en
    assert "confirms it within 5 working days.\n" in said.en


def test_who_need_bring_nothing_is_told_so() -> None:
    """An empty list would leave the applicant wondering."""
    matter, promised = _matter("a"), _planned(Outcome.COMMITMENT, "c")

    said = notice(matter, [promised], [line(matter, promised, str)])

    assert said.zh.endswith("您无需再提交任何材料。\n")
    assert said.en.endswith("You need not bring anything else.\n")


def test_the_page_holds_no_markup_of_anybody_else() -> None:
    """Names come from a catalogue that people edit."""
    evil = PageText('<script>alert("1")</script>', "<img src=x onerror=y>")
    page = NoticePage(
        items=[evil],
        matter="</title><script>",
        decision_date="2026-12-03",
        sections=[Section(evil, [evil], is_brought=True), Section(evil, [], is_brought=False)],
        origin="hub.<b>",
        entry=7,
        notice_digest="d",
    ).html()

    assert page.count("<script") == page.count("<img") == page.count("<b>") == 0
    assert page.count("<section") == 1
    assert "@media print" in page
    assert "default-src 'none'" in page
