"""The one-time notice (一次性告知): what a clerk reads out and the applicant takes home. Pure.

It names materials, departments and days; never a holder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hub.domain.service_item import Role
from hub.errors import Text
from hub.exchange.plan import OBSTACLES, Matter, Outcome, Planned

_HEADINGS: Final[Mapping[Outcome, Text]] = {
    Outcome.ASK: Text("Please bring", "需您提交"),
    Outcome.DEFERRABLE: Text("Accepted now, to be delivered later", "可先受理、后补交（容缺受理）"),
    Outcome.COMMITMENT: Text("A written commitment stands for it", "可以书面承诺代替（告知承诺）"),
    Outcome.OBTAINABLE: Text(
        "Confirmed by the department; you need not bring it", "由主管部门核实，无需您提交"
    ),
    Outcome.ON_FILE: Text("On file already; you need not bring it", "证照库已有，无需您提交"),
}

_ROLES: Final[Mapping[Role, Text]] = {
    Role.APPLICANT: Text("applicant", "申请人"),
    Role.COMPANY: Text("company", "企业"),
    Role.LEGAL_REPRESENTATIVE: Text("legal representative", "法定代表人"),
    Role.SPOUSE: Text("spouse", "配偶"),
    Role.GUARDIAN: Text("guardian", "监护人"),
    Role.CO_OWNER: Text("co-owner", "共有人"),
    Role.AGENT: Text("agent", "代理人"),
    Role.AREA: Text("zone or parcel", "区域或宗地"),
}


def notice(matter: Matter, planned: Sequence[Planned], lines: Sequence[Text]) -> Text:
    """The whole notice in both languages, of the `line` of each material."""
    return Text(
        _notice(matter, planned, [one.en for one in lines], "en"),
        _notice(matter, planned, [one.zh for one in lines], "zh"),
    )


def line(matter: Matter, one: Planned, title: Callable[[str], str]) -> Text:
    """What the notice says of one material; `title` gives an authority's present name."""
    number = _number(matter, one)
    role = _ROLES[one.material.role]
    en = f"{one.material.name_en} ({role.en}{number})"
    zh = f"{one.material.name}（{role.zh}{number}）"
    match one.outcome:
        case Outcome.ON_FILE:
            return Text(f"{en}.", f"{zh}。")
        case Outcome.OBTAINABLE:
            assert one.certificate is not None, "somebody confirms something"
            who = title(one.certificate.authority)
            return Text(
                f"{en}: {who} confirms it within {one.working_days} working days.",
                f"{zh}：由{who}在 {one.working_days} 个工作日内核实。",
            )
        case Outcome.DEFERRABLE:
            assert one.due is not None, "what is deferred has a day"
            return Text(f"{en}: by {one.due}.", f"{zh}：请于 {one.due} 前补交。")
        case Outcome.COMMITMENT:
            return Text(f"{en}: sign the commitment.", f"{zh}：请签署告知承诺书。")
        case Outcome.ASK:
            reasons = [OBSTACLES[obstacle] for obstacle in one.obstacles]
            return Text(
                f"{en}. Reason: {' '.join([reason.en for reason in reasons])}",
                f"{zh}。原因：{''.join([reason.zh for reason in reasons])}",
            )


def _number(matter: Matter, one: Planned) -> str:
    """Which of several holders of a role, counted from 1; "" where there is only one, and for an
    area, of which any serves."""
    if one.material.role is Role.AREA:
        return ""
    holders = matter.holders.get(one.material.role, ())
    return f" {holders.index(one.holder) + 1}" if len(holders) > 1 else ""


def _notice(matter: Matter, planned: Sequence[Planned], lines: Sequence[str], language: str) -> str:
    is_zh = language == "zh"
    text = ["一次性告知书" if is_zh else "What you need: one-time notice"]
    for item in matter.items:
        text.append(
            f"事项：{item.name}（{item.code}）" if is_zh else f"Item: {item.name_en} ({item.code})"
        )
    day = matter.decision_date
    text.append(f"预计办结日：{day}" if is_zh else f"Expected decision: {day}")
    for outcome, heading in _HEADINGS.items():
        these = [said for one, said in zip(planned, lines, strict=True) if one.outcome is outcome]
        if these:
            count = f"（{len(these)} 项）" if is_zh else f" ({len(these)})"
            text += ["", (heading.zh if is_zh else heading.en) + count]
            text += [f"{number}. {said}" for number, said in enumerate(these, 1)]
    if not any(one.outcome is Outcome.ASK for one in planned):
        text += ["", "您无需再提交任何材料。" if is_zh else "You need not bring anything else."]
    return "\n".join(text) + "\n"
