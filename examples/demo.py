"""`make demo`: the whole way once, on embedded defaults, with commands a person would type.

Every figure that is printed was computed in this run; `.demo/report.json` holds them.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from connectors.sample import CSV_NAME, GB18030_NAME, write_sample
from examples.second_opinion import Opinions
from hub.cli.main import run as sealway
from hub.clock import legal_day, now_us
from hub.domain.identifier import organisation_check_character, uscc_check_character
from hub.proof.encoding import b64u_decode

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
LICENCE = "11100000MB0143028R001"
ITEM = "331022003000"
BASIS = "行政许可法 第三十一条"
GRANTED = ("name", "credit_code", "scope", "address")
ASKED = ("name", "scope")
RESTAURANT = "DEMO-RESTAURANT"
_OUTCOMES = ("on_file", "obtainable", "commitment", "deferrable", "ask")
COMPANIES = 600
_BALANCE = ("read", "accepted", "unchanged", "quarantined", "refused", "skipped")
START_S_MAX = 60.0
# Says that a folder was made by a demonstration, which the next one may remove.
MARK = "made-by-demo"


@dataclass(frozen=True)
class Department:
    """One issuing department, and the file it hands over."""

    id: str
    title: str
    uscc: str
    region: str
    manifest: Path
    file: Path


@dataclass
class Demo:
    """The folder of one demonstration, and what has been counted in it so far."""

    folder: Path
    console: Console
    departments: tuple[Department, ...]
    report: dict[str, int | float] = field(default_factory=dict)
    timings: list[tuple[str, float]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def profile(self, name: str) -> str:
        """The client profile of an officer or a system."""
        folder = self.home / "officers" / name
        return str((folder if folder.is_dir() else self.folder / "systems" / name) / "client.toml")

    @contextlib.contextmanager
    def chapter(self, title: str) -> Iterator[None]:
        """One step of the story, timed."""
        self.console.rule(f"[bold]{title}", align="left")
        started = time.perf_counter()
        yield
        self.timings.append((title, time.perf_counter() - started))

    def command(
        self, template: str, *more: str, expect: int = 0, show: bool = True, **values: object
    ) -> dict[str, Any]:
        """Run `sealway …` with `--json`; its document. Ends the demo on any other exit code.

        `template` is split at blanks, then `{name}` in each word takes a value, blanks and all.
        """
        words = [*(word.format(**values) for word in template.split()), *more]
        if show:
            shown = " ".join(f"'{word}'" if " " in word else word for word in words)
            shown = shown.replace(f"{self.folder}/", ".demo/").replace(f"{ROOT}/", "")
            self.console.print(f"[dim]$ sealway {shown}[/dim]", highlight=False, soft_wrap=True)
        out, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            code = sealway([*words, "--json"])
        if code != expect:
            self.console.print(said.getvalue(), out.getvalue(), markup=False)
            raise SystemExit(f"sealway {words[0]} ended with {code}, not {expect}")
        document: dict[str, Any] = json.loads(out.getvalue())
        return document

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 when everything came out as it must."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with real registration files")
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="where it runs")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    folder = options.folder.resolve()
    clear(folder)
    demo = Demo(folder, Console(), departments(folder, options.data))
    make_home(demo)
    with serving(demo):
        enrol(demo)
        approve(demo)
        ingest(demo)
        exchange(demo)
        verify(demo)
        plan(demo)
    tamper(demo)
    demo.report["seconds"] = round(time.perf_counter() - started, 1)
    (folder / "report.json").write_text(json.dumps(demo.report, indent=2) + "\n")
    conclude(demo)
    return 0


def clear(folder: Path) -> None:
    """An empty folder for this run. Only what an earlier run left is removed, nothing else."""
    if folder.exists():
        if not (folder / MARK).is_file() and any(folder.iterdir()):
            raise SystemExit(f"{folder} holds other things: name an empty folder, or a new one")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / MARK).touch()


def departments(folder: Path, data: Path | None) -> tuple[Department, ...]:
    """Two departments with a file each: real ones from `data`, or the generated sample."""
    csv = DEPLOY / "connectors" / "business-licence-csv.yaml"
    text = DEPLOY / "connectors" / "business-licence-gb18030.yaml"
    if data is not None:
        files = (data / "hangzhou-2001.csv", data / "ningbo-2001.gb18030.txt")
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise SystemExit(f"{missing[0]} is missing: --data names the folder that holds it")
    else:
        one = write_sample(folder / "files-1", companies=COMPANIES, seed=20260101)
        other = write_sample(folder / "files-2", companies=COMPANIES, first=5_000, seed=20260102)
        files = (one.csv, other.gb18030)
        assert (one.csv.name, other.gb18030.name) == (CSV_NAME, GB18030_NAME)
    return (
        Department(
            "hz-market",
            "杭州市市场监督管理局",
            uscc("11330100", "00251234"),
            "330100",
            csv,
            files[0].resolve(),
        ),
        Department(
            "nb-market",
            "宁波市市场监督管理局",
            uscc("11330200", "00292345"),
            "330200",
            text,
            files[1].resolve(),
        ),
    )


def uscc(head: str, organisation: str) -> str:
    """A credit code with both check characters."""
    seventeen = head + organisation + organisation_check_character(organisation)
    return seventeen + uscc_check_character(seventeen)


def make_home(demo: Demo) -> None:
    """PKI, keys, database, log and three officers."""
    with demo.chapter("1  A hub and its PKI"):
        made = demo.command(
            "init {home} --origin hub.zhejiang.example --region 330000 "
            "--officer zhao --officer qian --officer sun --port {grpc} --http-port {http}",
            home=demo.home,
            grpc=free_port(),
            http=free_port(),
        )
        demo.say(f"{len(made['made'])} things made, officers {', '.join(made['officers'])}")


@contextlib.contextmanager
def serving(demo: Demo) -> Iterator[None]:
    """The hub as a process of its own, stopped at the end."""
    log = (demo.folder / "hub.log").open("wb")
    config = demo.home / "hub.toml"
    command = [sys.executable, "-m", "hub", "serve", "--config", str(config)]
    demo.console.print("[dim]$ sealway serve --config .demo/home/hub.toml &[/dim]", highlight=False)
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
    try:
        wait_until_ready(demo, process)
        yield
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def wait_until_ready(demo: Demo, process: subprocess.Popen[bytes]) -> None:
    """Return when the hub answers; end the demo when it stops or takes too long."""
    address = tomllib.loads((demo.home / "hub.toml").read_text())["grpc"]["address"]
    deadline = time.monotonic() + START_S_MAX
    while not listens(int(address.rpartition(":")[2])):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the hub did not start:\n{(demo.folder / 'hub.log').read_text()}")
        time.sleep(0.05)
    demo.command("doctor --config {home}/hub.toml", home=demo.home)


def listens(port: int) -> bool:
    """Whether somebody answers at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def enrol(demo: Demo) -> None:
    """Two departments with a connector each, and two intake platforms."""
    hall = "service-hall"
    with demo.chapter("2  Departments, connectors and the intake platform"):
        authorities = [(one.id, one.uscc, one.title, one.region) for one in demo.departments]
        authorities.append((hall, uscc("12330000", "00268888"), "浙江省政务服务中心", "330000"))
        for authority, code, title, region in authorities:
            demo.command(
                "authority add {authority} --uscc {code} --title {title} --region {region} "
                "--level 3 --since 2019-01-01 --profile {officer}",
                authority=authority,
                code=code,
                title=title,
                region=region,
                officer=demo.profile("zhao"),
            )
        systems = [(f"{one.id}-connector", one.id, "connector") for one in demo.departments]
        for name, authority, role in (
            *systems,
            ("window-1", hall, "platform"),
            ("window-2", hall, "platform"),
        ):
            folder = demo.folder / "systems" / name
            demo.command("system request {folder} --name {name}", folder=folder, name=name)
            demo.command(
                "system add {name} --authority {authority} --role {role} --request {folder} "
                "--pki {home}/pki --profile {officer}",
                name=name,
                authority=authority,
                role=role,
                folder=folder,
                home=demo.home,
                officer=demo.profile("zhao"),
            )
        demo.say("each system made its own private keys; the hub saw proofs of possession only")


def approve(demo: Demo) -> None:
    """A type, a seal for each department, and standing intents that two officers sign."""
    officer = demo.profile("zhao")
    with demo.chapter("3  A type, seals, and intents under dual control"):
        demo.command(
            "type add {file} --profile {officer}",
            file=DEPLOY / "types" / "business-licence.json",
            officer=officer,
        )
        for department in demo.departments:
            intent = f"{department.id}-licences"
            demo.command(
                "seal add main --authority {id} --title {title} --pki {home}/pki "
                "--profile {officer}",
                id=department.id,
                title=department.title,
                home=demo.home,
                officer=officer,
            )
            demo.command(
                "intent propose {intent} --seal authorities/{id}/seals/main --type {licence} "
                "--from 2026-01-01 --until 2035-12-31 --uses-max 1000000 --profile {officer}",
                intent=intent,
                id=department.id,
                licence=LICENCE,
                officer=officer,
            )
            for other in ("qian", "sun"):
                demo.command(
                    "intent approve {intent} --yes --profile {other}",
                    intent=intent,
                    other=demo.profile(other),
                )
        demo.say("zhao proposed, qian and sun signed: without both, nothing is sealed")


def ingest(demo: Demo) -> None:
    """Each department's file through its connector, twice."""
    totals = dict.fromkeys(_BALANCE, 0)
    with demo.chapter("4  The departments' files become sealed certificates"):
        for department in demo.departments:
            # The sample that the project ships has rows that are broken on purpose.
            expect = 6 if department.file.is_relative_to(demo.folder) else 0
            first = connect(demo, department, expect, show=True)
            for name in _BALANCE:
                totals[name] += first[name]
            rest = " + ".join(f"{name} {first[name]}" for name in _BALANCE[1:])
            demo.say(f"{department.file.name}: read {first['read']} = {rest}")
            again = connect(demo, department, expect, show=False)
            if again["accepted"] or again["unchanged"] != first["accepted"]:
                raise SystemExit(f"the second run of {department.id} was not 'unchanged': {again}")
        demo.say("run again, every row was unchanged and nothing was sent")
        if totals["quarantined"]:
            show_quarantine(demo)
    demo.report["rows_read"] = totals.pop("read")
    demo.report |= totals


def connect(demo: Demo, department: Department, expect: int, *, show: bool) -> dict[str, Any]:
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


def show_quarantine(demo: Demo) -> None:
    """The first broken rows, with what is wrong and what to do."""
    department = demo.departments[0]
    listed = demo.command(
        "connect quarantine list {manifest} --profile {profile}",
        manifest=department.manifest,
        profile=demo.profile(f"{department.id}-connector"),
    )
    for row in listed["rows"][:3]:
        error = row["errors"][0]
        demo.say(f"line {row['line']}: {error['code']} {error['field']}: {error['en']}")


def exchange(demo: Demo) -> None:
    """What a grant allows, and what none does."""
    fields = [word for name in GRANTED for word in ("--field", name)]
    with demo.chapter("5  The intake platform asks the hub, not the applicant"):
        demo.command(
            "grant add licence-to-window --recipient window-1 --type {licence} --item {item} "
            "--basis {basis} --from 2026-01-01 --until 2035-12-31 --profile {officer}",
            *fields,
            licence=LICENCE,
            item=ITEM,
            basis=BASIS,
            officer=demo.profile("zhao"),
        )
        fetched, disclosed = 0, 0
        for number, holder in enumerate(holders(demo)):
            kept = ("--out", str(demo.folder / f"answer-{number}.json"))
            answer = fetch(demo, "window-1", holder, ASKED, *kept)
            found = answer["verified"]["found"][0]
            fields = [name for name in found["fields"] if not name.startswith("holder_")]
            fetched, disclosed = fetched + 1, disclosed + len(fields)
            name = found["fields"]["name"]
            demo.say(f"{name}: {', '.join(fields)}; custody {found['custody']}")
        one = holders(demo)[0]
        excess = fetch(demo, "window-1", one, (*ASKED, "capital"), expect=1)["error"]
        demo.say(f"a field too many: {excess['reason']}: {excess['en']}")
        missing = fetch(demo, "window-2", one, ASKED, expect=1)["error"]
        demo.say(f"a platform without a grant: {missing['reason']}: {missing['en']}")
    demo.report |= {"fetched": fetched, "fields_disclosed": disclosed}


def fetch(
    demo: Demo, system: str, holder: str, fields: Sequence[str], *more: str, expect: int = 0
) -> dict[str, Any]:
    """One fetch; the client verifies seals and receipt before it shows anything."""
    return demo.command(
        "exchange fetch --holder 001:{holder} --type {licence} --item {item} "
        "--matter 330000-2026-000017 --basis {basis} --profile {profile}",
        *[word for name in fields for word in ("--field", name)],
        *more,
        expect=expect,
        holder=holder,
        licence=LICENCE,
        item=ITEM,
        basis=BASIS,
        profile=demo.profile(system),
    )


def holders(demo: Demo) -> list[str]:
    """A few credit codes out of the departments' own files."""
    found = []
    for department in demo.departments:
        is_csv = department.file.suffix == ".csv"
        text = department.file.read_bytes().decode("utf-8-sig" if is_csv else "gb18030")
        for line in text.splitlines()[1:8:3]:
            cells = line.split("," if is_csv else "|")
            if len(cells) == 9 and uscc_is_good(cells[1]):
                found.append(cells[1])
    return found


def uscc_is_good(code: str) -> bool:
    """Whether this is a credit code as it stands."""
    return len(code) == 18 and code.isupper() and uscc_check_character(code[:17]) == code[17]


def verify(demo: Demo) -> None:
    """Everything that was answered, offline: with our verifier and with software not ours."""
    trust = str(demo.home / "trust.json")
    answers = sorted(demo.folder.glob("answer-?.json"))
    status = [word for file in status_lists(demo, answers) for word in ("--status", str(file))]
    opinions = Opinions(demo.folder)
    verified, receipts = 0, 0
    with demo.chapter("6  Anybody verifies, offline"):
        for answer in answers:
            report = demo.command(
                "verify {answer} --request {answer}.request.jws --as systems/window-1 "
                "--trust {trust}",
                *status,
                show=answer == answers[0],
                answer=answer,
                trust=trust,
            )
            verified += report["verdict"] == "valid"
            receipts += any(fact["name"] == "grade" for fact in report["facts"])
            for presentation in presentations(answer):
                opinions.check(presentation, trust)
        demo.say(
            f"sealway verify: {verified} of {len(answers)} answers valid, each with seal, status "
            "and receipt"
        )
        for line in opinions.lines():
            demo.say(line)
    demo.report |= {"verified_offline": verified, "receipts_verified": receipts}


def presentations(answer: Path) -> list[str]:
    """The presentations in a stored answer."""
    document = json.loads(answer.read_bytes())
    return [str(certificate["presentation"]) for certificate in document["certificates"]]


def status_lists(demo: Demo, answers: Sequence[Path]) -> list[Path]:
    """The status list tokens that the presentations name, got over HTTP as anybody gets them."""
    address = tomllib.loads((demo.home / "hub.toml").read_text())["http"]["address"]
    numbers = set()
    for presentation in (text for answer in answers for text in presentations(answer)):
        claims = json.loads(b64u_decode(presentation.split(".")[1]))
        numbers.add(claims["status"]["status_list"]["uri"].rpartition("/")[2])
    files = []
    for number in sorted(numbers):
        file = demo.folder / f"status-{number}.jwt"
        with urllib.request.urlopen(f"http://{address}/status/{number}", timeout=10) as response:
            file.write_bytes(response.read())
        files.append(file)
    return files


def plan(demo: Demo) -> None:
    """A company that was registered today opens a restaurant: what must it still bring?"""
    officer, notice = demo.profile("zhao"), demo.folder / "notice.html"
    with demo.chapter("7  Open a restaurant: what must the applicant still bring?"):
        company = register_today(demo)
        loaded = demo.command(
            "catalogue load {folder} --profile {officer}",
            folder=DEPLOY / "catalogue",
            officer=officer,
        )
        demo.say(f"the seed catalogue: {counted(loaded)}")
        demo.command(
            "grant add licence-for-restaurants --recipient window-1 --type {licence} "
            "--item {item} --basis {basis} --from 2026-01-01 --until 2035-12-31 "
            "--profile {officer}",
            *[word for name in GRANTED for word in ("--field", name)],
            licence=LICENCE,
            item=RESTAURANT,
            basis=BASIS,
            officer=officer,
        )
        answer = demo.command(
            "exchange plan --item {item} --holder company=001:{company} --fact has_agent=false "
            "--fact premises_owned=false --fact premises_m2=120 --matter 330000-2026-000018 "
            "--basis {basis} --notice {notice} --profile {window}",
            item=RESTAURANT,
            company=company,
            basis=BASIS,
            notice=notice,
            window=demo.profile("window-1"),
        )
        outcomes = dict.fromkeys(_OUTCOMES, 0)
        for material in answer["materials"]:
            outcomes[material["outcome"]] += 1
            demo.say(
                f"{material['outcome']:<10}  {material['name']['zh']} {material['name']['en']}"
            )
        demo.say("the one-time notice to print (一次性告知): .demo/notice.html")
    if not outcomes["on_file"] or not notice.is_file():
        raise SystemExit(f"the licence registered today is not on file: {answer}")
    demo.report |= {f"plan_{name}": count for name, count in outcomes.items()}


def register_today(demo: Demo) -> str:
    """One more row in a copy of the first department's file, and its connector run; the credit
    code of the company. It was registered under the hub's seal, so it is not a backfill."""
    department = demo.departments[0]
    company, today = uscc("91330299", "MA9DEM00"), legal_day(now_us()).isoformat()
    cells = ("星禾餐饮管理有限公司（演示）", company, today, "有限责任公司", "50(万元人民币)")
    more = ("许可项目：餐饮服务", "浙江省", "杭州市", "示例路1号")
    copy = demo.folder / "today.csv"
    text = department.file.read_bytes().decode("utf-8-sig")
    end = "\r\n" if "\r\n" in text else "\n"
    copy.write_text(text + ",".join(cells + more) + end, encoding="utf-8", newline="")
    expect = 6 if department.file.is_relative_to(demo.folder) else 0
    ran = connect(demo, dataclasses.replace(department, file=copy), expect, show=True)
    demo.say(f"a licence of today: {ran['accepted']} accepted, {ran['unchanged']} unchanged")
    return company


def counted(loaded: dict[str, Any]) -> str:
    """How many of what was loaded."""
    return ", ".join(f"{name} {value}" for name, value in loaded.items() if type(value) is int)


def tamper(demo: Demo) -> None:
    """Flip one byte of a stored row and let the audit name it."""
    audit = "log audit --config {home}/hub.toml"
    with demo.chapter("8  Somebody edits one byte of the database"):
        clean = demo.command(audit, home=demo.home)
        demo.say(f"before: {clean['entries']} entries and {clean['rows']} rows recomputed, clean")
        key = flip_one_byte(demo.home / "data" / "hub.db")
        findings = demo.command(audit, home=demo.home, expect=1)["findings"]
        named = [(item["table"], item["key"]) for item in findings]
        if named != [("registry_versions", key)]:
            raise SystemExit(f"the audit did not name registry_versions {key}: {findings}")
        demo.say(f"after: {findings[0]['table']} {findings[0]['key']}: {findings[0]['fault']}")
    demo.report["tamper_detected"] = len(named)


def flip_one_byte(database: Path) -> str:
    """Change one byte of one stored certificate; the key of its row."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        key, fields = connection.execute(
            "SELECT id, public_fields FROM registry_versions ORDER BY id LIMIT 1 OFFSET 100"
        ).fetchone()
        changed = bytearray(fields)
        changed[len(changed) // 2] ^= 1
        connection.execute(
            "UPDATE registry_versions SET public_fields = ? WHERE id = ?", (bytes(changed), key)
        )
    return str(key)


def conclude(demo: Demo) -> None:
    """What was done, how long it took, where to look next."""
    demo.console.rule("[bold]What was done", align="left")
    table = Table("step", "seconds", box=None)
    for title, seconds in demo.timings:
        table.add_row(title, f"{seconds:.1f}")
    demo.console.print(table)
    facts = Table("figure", "value", box=None)
    for name, value in demo.report.items():
        facts.add_row(name, str(value))
    demo.console.print(facts)
    demo.console.print(
        "Report: .demo/report.json. Look next: docs/architecture.md, "
        "`.venv/bin/sealway --help`, `make test`.",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main())
