"""Chapters 8 and 9: a licence issued now reaches who must know, and its holder plans a matter."""

from __future__ import annotations

import dataclasses
from typing import Final

from examples.demo.cast import FIRE, LICENCE, Company, uscc, write_licences, written
from examples.demo.exchange import BASIS
from examples.demo.preparation import TAX, add_grant, connect, set_aside
from examples.demo.stage import Demo, watching
from hub.clock import legal_day, now_us

RESTAURANT: Final = "DEMO-RESTAURANT"
TAX_BASIS: Final = "税收征收管理法 第十五条"
COMPANY: Final = uscc("91330299", "MA9DEM00")
_OUTCOMES: Final = ("on_file", "obtainable", "commitment", "deferrable", "ask")


def register_today(demo: Demo) -> None:
    """A company is registered; the tax bureau, which may know of licences, hears of it."""
    with demo.chapter("8  A licence issued now is on the tax bureau's stream"):
        office = f"{TAX}-office"
        add_grant(demo, "licence-to-tax", recipient=office, item="DEMO-TAX", basis=TAX_BASIS)
        with watching(demo, office, "--type", LICENCE) as stream:
            stream.catch_up(int(demo.report["accepted"]))
            demo.say(f"caught up with {demo.report['accepted']} licences, then silent")
            issue_one_more(demo)
            told = stream.until(lambda change: change["kind"] == "KIND_NEW")
        demo.say(
            f"the tax bureau is told of {told.change['identifier']}, {told.delay_ms} ms after it "
            "was decided"
        )
    demo.report |= {"stream_caught_up": demo.report["accepted"], "stream_ms": told.delay_ms}


def gone_at_the_source(demo: Demo) -> None:
    """The fire brigade has checked the premises, but its own system does not list the certificate:
    whoever plans with it must have it confirmed."""
    _, brigade = demo.dependents
    file, office = demo.folder / "fire-today.csv", demo.profile(f"{brigade.id}-office")
    premises = Company("星禾餐饮管理有限公司（演示）", COMPANY, "示例路1号")
    write_licences(file, brigade.type_code, [premises], legal_day(now_us()).isoformat())
    connect(demo, dataclasses.replace(brigade, file=file))
    found = demo.command(
        "certificate search --holder 001:{company} --profile {office}",
        company=COMPANY,
        office=office,
    )
    demo.command(
        "certificate confirm {certificate} --gone --profile {office}",
        certificate=found["certificates"][0]["name"],
        office=office,
    )


def issue_one_more(demo: Demo) -> None:
    """One more row in a copy of the first register's file, and its connector run.

    It is registered under the hub's seal on the day itself, so it is not a backfill.
    """
    register = demo.registers[0]
    cells = ("星禾餐饮管理有限公司（演示）", COMPANY, legal_day(now_us()).isoformat())
    more = ("有限责任公司", "50(万元人民币)", "许可项目：餐饮服务", "浙江省", "杭州市", "示例路1号")
    copy = demo.folder / "today.csv"
    text = register.file.read_bytes().decode("utf-8-sig")
    copy.write_text(text + written([(*cells, *more)]), encoding="utf-8", newline="")
    today = dataclasses.replace(register, file=copy)
    ran = connect(demo, today, expect=set_aside(demo, register))
    demo.say(f"a licence of today: {ran['accepted']} accepted, {ran['unchanged']} unchanged")


def plan(demo: Demo) -> None:
    """The company opens a restaurant: what must it still bring?"""
    notice, kept = demo.folder / "notice.html", demo.folder / "plan.json"
    with demo.chapter("9  Open a restaurant: what must the applicant still bring?"):
        add_grant(
            demo, "licence-for-restaurants", recipient="window-1", item=RESTAURANT, basis=BASIS
        )
        add_grant(
            demo,
            "fire-safety-for-restaurants",
            recipient="window-1",
            item=RESTAURANT,
            basis=BASIS,
            of=(FIRE, ("name", "address")),
        )
        gone_at_the_source(demo)
        answer = demo.command(
            "exchange plan --item {item} --holder company=001:{company} --fact has_agent=false "
            "--fact premises_owned=false --fact premises_m2=320 --matter 330000-2026-000018 "
            "--basis {basis} --notice {notice} --out {kept} --profile {window}",
            item=RESTAURANT,
            company=COMPANY,
            basis=BASIS,
            notice=notice,
            kept=kept,
            window=demo.profile("window-1"),
        )
        outcomes = dict.fromkeys(_OUTCOMES, 0)
        for material in answer["materials"]:
            outcomes[material["outcome"]] += 1
            demo.say(
                f"{material['outcome']:<10}  {material['name']['zh']} {material['name']['en']}"
            )
        demo.say("the one-time notice to print (一次性告知): .demo/notice.html")
        verified = demo.command(
            "verify {kept} --request {kept}.request.jws --as systems/window-1 --trust {trust}",
            kept=kept,
            trust=demo.trust,
        )
        demo.say(f"the plan as it was kept, offline: {verified['verdict']}")
    if not outcomes["on_file"] or not notice.is_file():
        raise SystemExit(f"the licence registered today is not on file: {answer}")
    demo.report |= {f"plan_{name}": count for name, count in outcomes.items()}
