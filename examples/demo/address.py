"""Chapter 10: a company moves; who holds the old answer can see it, who must follow is told."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from typing import Any, Final

from examples.demo.cast import (
    LICENCE,
    Company,
    Department,
    entry_of,
    listed,
    write_licences,
    written,
)
from examples.demo.exchange import answer_file, fetch, verify_answer
from examples.demo.preparation import connect
from examples.demo.stage import Demo, watching

NEW_ADDRESS: Final = "示例新区模型大道88号"
BASIS: Final = "市场主体登记管理条例 第二十四条"


def move(demo: Demo) -> None:
    """One announcement instead of a queue at each counter.

    1. Departments whose licences repeat the address listen.
    2. The register delivers the new address; the answer that a platform kept was valid, and is
       not any more; a new one is.
    3. The register announces the change once; each dependent department is told, and no other
       company's certificate is touched.
    4. One department follows; the register sees who has and who has not.
    """
    register, company = demo.registers[0], listed(demo.registers[0])[0]
    with contextlib.ExitStack() as stack, demo.chapter("10  A company moves"):
        streams = [
            stack.enter_context(watching(demo, f"{one.id}-office")) for one in demo.dependents
        ]
        for stream in streams:
            stream.catch_up(int(demo.report["dependent_licences"]) // len(streams))
        flipped = deliver_address(demo, register, company)
        announced = announce(demo, register, company)
        told = [stream.until(lambda change: change["kind"] == "KIND_FACT") for stream in streams]
        for department, one in zip(demo.dependents, told, strict=True):
            demo.say(f"{department.title} is told, {one.delay_ms} ms after the announcement")
        follow(demo, demo.dependents[0], company)
        states = follow_ups(demo, register, announced["name"])
    demo.report |= {
        "status_flipped": flipped,
        "follow_ups": announced["follow_ups"],
        "alerted": len(told),
        "alert_ms": max(one.delay_ms for one in told),
        "follow_ups_done": states["STATE_DONE"],
        "follow_ups_open": states["STATE_OPEN"],
    }


def deliver_address(demo: Demo, register: Department, company: Company) -> int:
    """The register's row with the new address; how many kept answers this made invalid."""
    kept, fresh = answer_file(demo, 0), demo.folder / "answer-moved.json"
    before = verify_answer(demo, kept)
    cells = entry_of(register, company)
    delta = demo.folder / "moved.csv"
    header = register.file.read_bytes().decode("utf-8-sig").splitlines()[0].split(",")
    delta.write_text(written([header, [*cells[:-1], NEW_ADDRESS]]), encoding="utf-8", newline="")
    ran = connect(demo, dataclasses.replace(register, file=delta))
    after = verify_answer(demo, kept, expect=1)
    demo.say(f"the answer kept from chapter 5: {before['verdict']} before, then {after['reason']}")
    fetch(demo, company, fresh)
    now = verify_answer(demo, fresh)
    demo.say(f"asked again: {now['verdict']}")
    if (ran["accepted"], after["reason"], now["verdict"]) != (1, "STATUS_REVOKED", "valid"):
        raise SystemExit(f"the public status did not follow the address: {ran} {after} {now}")
    return int(before["verdict"] == "valid")


def announce(demo: Demo, register: Department, company: Company) -> dict[str, Any]:
    """The register says once that the address has changed."""
    office = demo.profile(f"{register.id}-office")
    found = demo.command(
        "certificate search --holder 001:{company} --type {licence} --profile {office}",
        company=company.code,
        licence=LICENCE,
        office=office,
    )
    announced = demo.command(
        "fact announce {certificate} --fact address --basis {basis} --profile {office}",
        certificate=found["certificates"][0]["name"],
        basis=BASIS,
        office=office,
    )
    demo.say(f"announced once; {announced['follow_ups']} certificates of others carry the address")
    return announced


def follow(demo: Demo, department: Department, company: Company) -> None:
    """A department issues its licence anew with the address of the register."""
    file = demo.folder / f"{department.id}-moved.csv"
    moved = dataclasses.replace(company, address=NEW_ADDRESS)
    write_licences(file, department.type_code, [moved])
    ran = connect(demo, dataclasses.replace(department, file=file))
    demo.say(f"{department.title} follows: {ran['accepted']} licence changed")


def follow_ups(demo: Demo, register: Department, fact_change: str) -> Counter[str]:
    """How many follow-ups are in which state, as the announcing department sees it."""
    shown = demo.command(
        "fact list {fact_change} --profile {office}",
        fact_change=fact_change,
        office=demo.profile(f"{register.id}-office"),
    )["follow_ups"]
    for one in shown:
        demo.say(f"{one['authority']}: {one['state'].removeprefix('STATE_').lower()}")
    return Counter(one["state"] for one in shown)
