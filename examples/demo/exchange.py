"""Chapters 5 and 6: what a platform is given and what not, and anybody verifies it, offline."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from examples.demo.cast import LICENCE, Company, listed
from examples.demo.preparation import add_grant
from examples.demo.stage import Demo, http_address
from examples.second_opinion import Opinions
from hub.proof.encoding import b64u_decode

ITEM: Final = "331022003000"
BASIS: Final = "行政许可法 第三十一条"
ASKED: Final = ("name", "scope")


def exchange(demo: Demo) -> None:
    """What a grant allows, and what none does."""
    with demo.chapter("5  The intake platform asks the hub, not the applicant"):
        add_grant(demo, "licence-to-window", recipient="window-1", item=ITEM, basis=BASIS)
        companies = [one for register in demo.registers for one in listed(register)]
        disclosed = 0
        for number, company in enumerate(companies):
            found = fetch(demo, company, answer_file(demo, number))
            fields = [name for name in found["fields"] if not name.startswith("holder_")]
            disclosed += len(fields)
            demo.say(f"{found['fields']['name']}: {', '.join(fields)}; custody {found['custody']}")
        one = companies[0]
        excess = ask(demo, "window-1", one, (*ASKED, "capital"), expect=1)["error"]
        demo.say(f"a field too many: {excess['reason']}: {excess['en']}")
        missing = ask(demo, "window-2", one, ASKED, expect=1)["error"]
        demo.say(f"a platform without a grant: {missing['reason']}: {missing['en']}")
    if (excess["reason"], missing["reason"]) != ("FIELD_NOT_GRANTED", "GRANT_MISSING"):
        raise SystemExit(f"refused for other reasons: {excess} {missing}")
    demo.report |= {"fetched": len(companies), "fields_disclosed": disclosed, "refused_requests": 2}


def fetch(demo: Demo, company: Company, out: Path) -> dict[str, Any]:
    """What the platform is given of a company's licence; the answer is kept in `out`."""
    answer = ask(demo, "window-1", company, ASKED, "--out", str(out))
    found: dict[str, Any] = answer["verified"]["found"][0]
    return found


def ask(
    demo: Demo,
    system: str,
    company: Company,
    fields: Sequence[str],
    *more: str,
    expect: int = 0,
) -> dict[str, Any]:
    """One fetch; the client verifies seals and receipt before it shows anything."""
    return demo.command(
        "exchange fetch --holder 001:{holder} --type {licence} --item {item} "
        "--matter 330000-2026-000017 --basis {basis} --profile {profile}",
        *[word for name in fields for word in ("--field", name)],
        *more,
        expect=expect,
        holder=company.code,
        licence=LICENCE,
        item=ITEM,
        basis=BASIS,
        profile=demo.profile(system),
    )


def answer_file(demo: Demo, number: int) -> Path:
    """Where an answer is kept; its request stands beside it."""
    return demo.folder / f"answer-{number}.json"


def verify(demo: Demo) -> None:
    """Everything that was answered, offline: with our verifier and with software not ours."""
    answers = [answer_file(demo, number) for number in range(int(demo.report["fetched"]))]
    opinions = Opinions(demo.folder)
    verified, receipts = 0, 0
    with demo.chapter("6  Anybody verifies, offline"):
        for answer in answers:
            report = verify_answer(demo, answer, show=answer == answers[0])
            verified += report["verdict"] == "valid"
            receipts += any(fact["name"] == "grade" for fact in report["facts"])
            for presentation in presentations(answer):
                opinions.check(presentation, str(demo.trust))
        demo.say(
            f"sealway verify: {verified} of {len(answers)} answers valid, each with seal, status "
            "and receipt"
        )
        for line in opinions.lines():
            demo.say(line)
    demo.report |= {"verified_offline": verified, "receipts_verified": receipts}


def verify_answer(
    demo: Demo, answer: Path, *, expect: int = 0, show: bool = True
) -> dict[str, Any]:
    """The report on a stored answer, with the status lists as they are published now."""
    status = [word for file in status_lists(demo, answer) for word in ("--status", str(file))]
    return demo.command(
        "verify {answer} --request {answer}.request.jws --as systems/window-1 --trust {trust}",
        *status,
        expect=expect,
        show=show,
        answer=answer,
        trust=demo.trust,
    )


def presentations(answer: Path) -> list[str]:
    """The presentations in a stored answer."""
    document = json.loads(answer.read_bytes())
    return [str(certificate["presentation"]) for certificate in document["certificates"]]


def status_lists(demo: Demo, answer: Path) -> list[Path]:
    """The status list tokens that the presentations name, got over HTTP as anybody gets them."""
    numbers = set()
    for presentation in presentations(answer):
        claims = json.loads(b64u_decode(presentation.split(".")[1]))
        numbers.add(claims["status"]["status_list"]["uri"].rpartition("/")[2])
    files = []
    for number in sorted(numbers):
        file = demo.folder / f"status-{number}.jwt"
        url = f"http://{http_address(demo)}/status/{number}"
        with urllib.request.urlopen(url, timeout=10) as response:
            file.write_bytes(response.read())
        files.append(file)
    return files
