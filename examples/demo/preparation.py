"""Chapters 1 to 4: a hub, its members, seals under dual control, and the departments' files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from examples.demo.cast import DEPLOY, LICENCE, Department, uscc
from examples.demo.stage import Demo, free_port

GRANTED: Final = ("name", "credit_code", "scope", "address")
HALL: Final = "service-hall"
TAX: Final = "hz-tax"
_BALANCE: Final = ("read", "accepted", "unchanged", "quarantined", "refused", "skipped")
# What a run of a connector ends with where rows were set aside.
_SET_ASIDE: Final = 6


def make_home(demo: Demo, font: str) -> None:
    """PKI, keys, database, log and three officers; `font` is written into the configuration."""
    with demo.chapter("1  A hub and its PKI"):
        made = demo.command(
            "init {home} --origin hub.zhejiang.example --region 330000 "
            "--officer zhao --officer qian --officer sun --port {grpc} --http-port {http}",
            home=demo.home,
            grpc=free_port(),
            http=free_port(),
        )
        demo.say(f"{len(made['made'])} things made, officers {', '.join(made['officers'])}")
    if font:
        with (demo.home / "hub.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n[faces]\nfont = {json.dumps(font)}\n")


def enrol(demo: Demo) -> None:
    """Departments with a connector each, two intake platforms, and who is told of changes."""
    with demo.chapter("2  Departments, connectors and the intake platform"):
        for authority, code, title, region, level in (
            *((one.id, one.uscc, one.title, one.region, one.level) for one in demo.departments),
            (TAX, uscc("11330100", "00255678"), "国家税务总局杭州市税务局", "330100", 3),
            (HALL, uscc("12330000", "00268888"), "浙江省政务服务中心", "330000", 3),
        ):
            demo.command(
                "authority add {authority} --uscc {code} --title {title} --region {region} "
                "--level {level} --since 2019-01-01 --profile {officer}",
                authority=authority,
                code=code,
                title=title,
                region=region,
                level=level,
                officer=demo.profile("zhao"),
            )
        systems = [
            *((f"{one.id}-connector", one.id, "connector") for one in demo.departments),
            *((f"{name}-office", name, "department") for name in _offices(demo)),
            ("window-1", HALL, "platform"),
            ("window-2", HALL, "platform"),
        ]
        for number, (name, authority, role) in enumerate(systems):
            add_system(demo, name, authority, role, show=number == 0)
        demo.say(f"and {len(systems) - 1} systems more, in the same way")
        demo.say("each system made its own private keys; the hub saw proofs of possession only")


def _offices(demo: Demo) -> tuple[str, ...]:
    """Whose own systems announce changes or are told of them."""
    return (demo.registers[0].id, *(one.id for one in demo.dependents), TAX)


def add_system(demo: Demo, name: str, authority: str, role: str, *, show: bool) -> None:
    """Keys made where they are used, and their enrolment."""
    folder = demo.folder / "systems" / name
    demo.command("system request {folder} --name {name}", show=show, folder=folder, name=name)
    demo.command(
        "system add {name} --authority {authority} --role {role} --request {folder} "
        "--pki {home}/pki --profile {officer}",
        show=show,
        name=name,
        authority=authority,
        role=role,
        folder=folder,
        home=demo.home,
        officer=demo.profile("zhao"),
    )


def approve(demo: Demo) -> None:
    """The catalogue, a seal for each department, and standing intents that two officers sign."""
    officer = demo.profile("zhao")
    with demo.chapter("3  A catalogue, seals, and intents under dual control"):
        loaded = demo.command(
            "catalogue load {folder} --profile {officer}",
            folder=DEPLOY / "catalogue",
            officer=officer,
        )
        demo.say(f"the seed catalogue: {counted(loaded)}")
        for department in demo.departments:
            approve_sealing(demo, department, show=department is demo.departments[0])
        demo.say(f"and so for {len(demo.departments) - 1} departments more")
        demo.say("zhao proposed, qian and sun signed: without both, nothing is sealed")


def approve_sealing(demo: Demo, department: Department, *, show: bool) -> None:
    """A seal, and an intent that one officer proposes and two others approve."""
    intent, officer = f"{department.id}-licences", demo.profile("zhao")
    seal = f"authorities/{department.id}/seals/main"
    applied = demo.command(
        "seal apply main --authority {id} --title {title} --id {id}-seal --profile {officer}",
        show=show,
        id=department.id,
        title=department.title,
        officer=officer,
    )
    carry_out(demo, applied["name"], show=show)
    made = demo.command(
        "seal make {seal} --pki {home}/pki --id {id}-seal-made --profile {officer}",
        show=show,
        seal=seal,
        home=demo.home,
        id=department.id,
        officer=officer,
    )
    carry_out(demo, made["name"], show=show)
    demo.command(
        "intent propose {intent} --seal authorities/{id}/seals/main --type {type_code} "
        "--from 2026-01-01 --until 2035-12-31 --uses-max 1000000 --profile {officer}",
        show=show,
        intent=intent,
        id=department.id,
        type_code=department.type_code,
        officer=officer,
    )
    for other in ("qian", "sun"):
        demo.command(
            "intent approve {intent} --yes --profile {other}",
            show=show,
            intent=intent,
            other=demo.profile(other),
        )


def carry_out(demo: Demo, intent: str, *, show: bool) -> None:
    """Two officers approve what zhao proposed, and zhao executes it."""
    for other in ("qian", "sun"):
        demo.command(
            "intent approve {intent} --yes --profile {other}",
            show=show,
            intent=intent,
            other=demo.profile(other),
        )
    demo.command(
        "intent execute {intent} --profile {officer}",
        show=show,
        intent=intent,
        officer=demo.profile("zhao"),
    )


def ingest(demo: Demo) -> None:
    """Each department's file through its connector, the registers' twice."""
    totals = dict.fromkeys(_BALANCE, 0)
    with demo.chapter("4  The departments' files become sealed certificates"):
        for register in demo.registers:
            first = connect(demo, register, expect=set_aside(demo, register))
            for name in _BALANCE:
                totals[name] += first[name]
            rest = " + ".join(f"{name} {first[name]}" for name in _BALANCE[1:])
            demo.say(f"{register.file.name}: read {first['read']} = {rest}")
            again = connect(demo, register, expect=set_aside(demo, register), show=False)
            if again["accepted"] or again["unchanged"] != first["accepted"]:
                raise SystemExit(f"the second run of {register.id} was not 'unchanged': {again}")
        demo.say("run again, every row was unchanged and nothing was sent")
        if totals["quarantined"]:
            show_quarantine(demo)
        licences = sum(connect(demo, one)["accepted"] for one in demo.dependents)
        demo.say(f"and {licences} licences of departments that repeat what the register says")
    demo.report["rows_read"] = totals.pop("read")
    demo.report |= totals
    demo.report["dependent_licences"] = licences


def connect(
    demo: Demo, department: Department, *, expect: int = 0, show: bool = True
) -> dict[str, Any]:
    """One run of a department's connector."""
    return demo.command(
        "connect run {manifest} --file {file} --authority {code} --profile {profile}",
        expect=expect,
        show=show,
        manifest=department.manifest,
        file=department.file,
        code=department.uscc,
        profile=demo.profile(f"{department.id}-connector"),
    )


def set_aside(demo: Demo, register: Department) -> int:
    """How a run of a register ends: the sample has rows that are broken on purpose."""
    return _SET_ASIDE if register.file.is_relative_to(demo.folder) else 0


def show_quarantine(demo: Demo) -> None:
    """The first broken rows, with what is wrong and what to do."""
    register = demo.registers[0]
    listed = demo.command(
        "connect quarantine list {manifest} --profile {profile}",
        manifest=register.manifest,
        profile=demo.profile(f"{register.id}-connector"),
    )
    for row in listed["rows"][:3]:
        error = row["errors"][0]
        demo.say(f"line {row['line']}: {error['code']} {error['field']}: {error['en']}")


def add_grant(
    demo: Demo,
    name: str,
    *,
    recipient: str,
    item: str,
    basis: str,
    of: tuple[str, tuple[str, ...]] = (LICENCE, GRANTED),
) -> None:
    """What `recipient` may be given for one service item: fields of a type, of business licences
    unless another is named."""
    type_code, fields = of
    demo.command(
        "grant add {name} --recipient {recipient} --type {type_code} --item {item} "
        "--basis {basis} --from 2026-01-01 --until 2035-12-31 --profile {officer}",
        *[word for one in fields for word in ("--field", one)],
        name=name,
        recipient=recipient,
        type_code=type_code,
        item=item,
        basis=basis,
        officer=demo.profile("zhao"),
    )


def counted(loaded: Mapping[str, Any]) -> str:
    """How many of what was loaded."""
    return ", ".join(f"{name} {value}" for name, value in loaded.items() if type(value) is int)
