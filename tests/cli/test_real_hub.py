"""The commands against a hub that runs as operators run it: real storage, keys, TLS and log."""

from __future__ import annotations

import datetime
import json
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from openpyxl import Workbook, load_workbook

from certs.pki import Pki
from connectors.client import HubClient
from connectors.profile import load_profile
from connectors.sample import CSV_NAME, write_sample
from hub.cli.main import command_line, commands
from hub.clock import legal_day, now_us
from hub.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from hub.proof.log.note import KeyType, VerifierKey
from hub.proof.trust import parse_trust, trust_file
from hub.registry.v1 import items_pb2, items_pb2_grpc
from tests.chinese_font import FontAbsent, font_file
from tests.cli.conftest import Ran, Sealway
from tests.exchange.plans import RESTAURANT, document
from tests.hub_process import HubProcess, free_port
from tests.seal.faces.samples import early_licence
from tests.seal.life import PICTURE, outside_seal
from tests.simulator import (
    BASIS,
    ITEM,
    LICENCE,
    MATTER,
    PERMIT,
    ROOT,
    USCC,
    citizen,
    credit_code,
    new_id,
)

pytestmark = pytest.mark.xdist_group("running-hub")

COMPANIES = 30
BROKEN = 6
NEW_USCC = credit_code("11330000", "00277777")
SMALL_TYPE = "119900009000000141011"
SMALL_ITEM = "DEMO-SENIOR-CARD"
LICENCE_TYPE = f"certificateTypes/{LICENCE.lower()}"
# A company without certificates, so that nobody sees anything new.
_LINKED = ("--holder", f"001:{credit_code('91330100', '99999999')}", "--kind", "merger", "--since",
           "2026-01-05", "--basis", BASIS)  # fmt: skip
Invocations = dict[tuple[str, ...], list[str | Path]]


class Caller:
    """Runs commands under one profile, as documents."""

    def __init__(self, sealway: Sealway, profile: Path) -> None:
        self.sealway = sealway
        self.profile = profile

    def __call__(self, *words: str | Path, expect: int = 0) -> Any:
        """The document of one command; the test fails on another exit code."""
        ran = self.run(*words, "--json")
        assert ran.code == expect, (ran.out, ran.err)
        return ran.document

    def run(self, *words: str | Path) -> Ran:
        return self.sealway(*words, "--profile", self.profile)


@pytest.fixture
def officer(running_hub: HubProcess, sealway: Sealway) -> Caller:
    return Caller(sealway, running_hub.profile("officers/zhao"))


@pytest.fixture
def department(running_hub: HubProcess, sealway: Sealway) -> Caller:
    return Caller(sealway, running_hub.profile("systems/hz-department"))


@pytest.fixture
def window(running_hub: HubProcess, sealway: Sealway) -> Caller:
    return Caller(sealway, running_hub.profile("systems/window-1"))


@pytest.fixture
def connector(running_hub: HubProcess, sealway: Sealway) -> Caller:
    return Caller(sealway, running_hub.profile("systems/hz-connector"))


@pytest.fixture(scope="session")
def planned(running_hub: HubProcess) -> str:
    """A service item in the catalogue, and the window's grant for it."""
    with HubClient(load_profile(running_hub.profile("officers/zhao"))) as client:
        client.call(
            items_pb2_grpc.ItemServiceStub(client.channel).ImportItems,
            items_pb2.ImportItemsRequest(request_id=new_id(), items=[document()]),
        )
        grant = exchange_pb2.Grant(
            recipient="systems/window-1",
            certificate_type=LICENCE_TYPE,
            fields=("name", "scope"),
            service_items=(RESTAURANT,),
            legal_basis=BASIS,
            start_time=Timestamp(seconds=int(time.time()) - 60),
            expire_time=Timestamp(seconds=int(time.time()) + 86_400),
        )
        client.call(
            exchange_pb2_grpc.ExchangeServiceStub(client.channel).CreateGrant,
            exchange_pb2.CreateGrantRequest(
                request_id=new_id(), grant_id="for-restaurant", grant=grant
            ),
        )
    return RESTAURANT


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A department's folder: manifest, type and a file with broken rows."""
    folder = tmp_path_factory.mktemp("desk")
    for kind, name in (
        ("connectors", "business-licence-csv.yaml"),
        ("types", "business-licence.json"),
    ):
        (folder / kind).mkdir()
        shutil.copy(ROOT / "deploy" / kind / name, folder / kind / name)
    write_sample(folder / "connectors", companies=COMPANIES)
    return folder


@pytest.fixture
def manifest(desk: Path) -> Path:
    return desk / "connectors" / "business-licence-csv.yaml"


@pytest.fixture
def delivered(connector: Caller, manifest: Path) -> Any:
    """The report of a run over the department's file; later runs find everything unchanged."""
    return connector("connect", "run", manifest, "--authority", USCC["hz-market"], expect=6)


@pytest.fixture
def licences(delivered: Any, department: Caller) -> list[dict[str, Any]]:
    """The certificates on file, as the department sees them."""
    found = department("certificate", "search", "--authority", "hz-market")["certificates"]
    assert len(found) == COMPANIES
    return list(found)


def _codes(manifest: Path) -> list[str]:
    """The holders of the file in the order of its lines."""
    lines = (manifest.parent / CSV_NAME).read_text(encoding="utf-8").splitlines()[1:]
    return [cells[1] for cells in (line.split(",") for line in lines) if len(cells) == 9]


def _ask(*more: str | Path) -> list[str | Path]:
    asked = ["--type", LICENCE, "--field", "name", "--field", "scope", "--item", ITEM]
    return ["exchange", "fetch", *asked, "--matter", MATTER, "--basis", BASIS, *more]


# ---- members ----


def test_authorities_are_listed_and_shown_by_id_or_name(officer: Caller) -> None:
    """Both spellings name the same department."""
    listed = officer("authority", "list")["authorities"]
    shown = officer("authority", "show", "hz-market")

    assert {item["name"]: item["uscc"] for item in listed}.items() >= {
        f"authorities/{name}": uscc for name, uscc in USCC.items()
    }.items()
    assert shown == officer("authority", "show", "authorities/hz-market")
    assert shown["uscc"] == USCC["hz-market"]


def test_officers_are_listed_with_their_approval_keys(officer: Caller) -> None:
    """Three officers, three different keys; one is shown alike."""
    listed = officer("officer", "list")["officers"]

    assert [item["name"] for item in listed] == [
        f"officers/{name}" for name in ("qian", "sun", "zhao")
    ]
    assert len({item["approval_key_id"] for item in listed}) == 3
    assert officer("officer", "show", "sun") == listed[1]


def test_new_keys_of_a_system_end_the_old_ones_and_a_revocation_ends_both(
    officer: Caller, running_hub: HubProcess, sealway: Sealway, tmp_path: Path
) -> None:
    """Rotation and revocation are felt by the system itself, at once."""
    old, new = tmp_path / "old", tmp_path / "new"
    pki = ("--pki", running_hub.home / "pki")
    for folder in (old, new):
        assert sealway("system", "request", folder, "--name", "short-lived").code == 0
    added = officer(
        *("system", "add", "short-lived", "--authority", "service-hall", "--role", "platform"),
        *("--request", old, *pki),
    )
    as_old = Caller(sealway, old / "client.toml")
    as_new = Caller(sealway, new / "client.toml")
    as_old("type", "list")

    rotated = officer("system", "rotate", "short-lived", "--request", new, *pki)
    after_rotation = as_old("type", "list", expect=1)["error"]
    as_new("type", "list")
    revoked = officer("system", "revoke", "short-lived", "--cause", "test ended")
    after_revocation = as_new("type", "list", expect=1)["error"]

    assert rotated["x509_thumbprint"] != added["x509_thumbprint"]
    assert rotated["entry"] > added["entry"]
    assert after_rotation["reason"] == "PEER_UNKNOWN"
    assert after_revocation["reason"] == "PEER_UNKNOWN"
    assert revoked["state"] == "STATE_REVOKED"
    listed = officer("system", "list", "--authority", "service-hall")["systems"]
    assert {item["name"]: item["state"] for item in listed}[
        "systems/short-lived"
    ] == "STATE_REVOKED"
    assert officer("system", "show", "short-lived")["state"] == "STATE_REVOKED"


# ---- types, seals, intents, grants ----


def test_a_type_is_shown_with_the_document_that_was_published(officer: Caller) -> None:
    """Byte for byte, for whoever writes a manifest."""
    listed = officer("type", "list")["certificate_types"]
    shown = officer("type", "show", LICENCE)

    assert {item["code"] for item in listed} == {LICENCE, PERMIT}
    published = (ROOT / "deploy" / "types" / "business-licence.json").read_text(encoding="utf-8")
    assert shown["metadata"] == published
    assert officer("type", "show", LICENCE_TYPE, "--version", "1") == shown


def test_seals_are_listed_by_authority_and_shown(officer: Caller) -> None:
    """Active, in the hub's custody, and only those that were asked for."""
    every = officer("seal", "list")["seals"]
    (of_one,) = officer("seal", "list", "--authority", "nb-market")["seals"]

    assert len(every) == 2
    assert of_one["name"] == "authorities/nb-market/seals/main"
    assert of_one["state"] == "STATE_ACTIVE"
    assert officer("seal", "show", of_one["name"])["title"] == of_one["title"]


def test_a_rejected_intent_is_closed_and_its_proposer_never_decides(
    officer: Caller, running_hub: HubProcess, sealway: Sealway
) -> None:
    """One rejection ends it; who proposed it is refused from the beginning."""
    qian = Caller(sealway, running_hub.profile("officers/qian"))
    sun = Caller(sealway, running_hub.profile("officers/sun"))
    officer(
        *("intent", "propose", "too-wide", "--seal", "authorities/nb-market/seals/main"),
        *("--type", PERMIT, "--from", "2026-01-01", "--until", "2035-12-31", "--uses-max", "9"),
    )

    own = officer("intent", "approve", "too-wide", "--yes", expect=1)["error"]
    rejected = qian("intent", "reject", "too-wide", "--yes")
    late = sun("intent", "approve", "too-wide", "--yes", expect=1)["error"]

    assert own["reason"] == "APPROVER_REFUSED"
    assert rejected["state"] == "STATE_REJECTED"
    assert late["reason"] == "INTENT_CLOSED"
    shown = officer("intent", "show", "too-wide")
    assert [item["officer"] for item in shown["approvals"]] == ["officers/qian"]
    assert json.loads(shown["intent_bytes"])["seal"] == "authorities/nb-market/seals/main"
    listed = {item["name"]: item["state"] for item in officer("intent", "list")["intents"]}
    assert listed["intents/too-wide"] == "STATE_REJECTED"
    assert listed["intents/hz-001"] == "STATE_APPROVED"


def test_what_people_are_shown_is_readable_and_whole(officer: Caller) -> None:
    """An intent with its approvals, byte for byte what they cover; signatures only in --json."""
    shown = officer.run("intent", "show", "hz-001")
    document = officer("intent", "show", "hz-001")

    assert shown.code == 0
    assert "officer: officers/qian, decision: DECISION_APPROVED" in shown.out
    assert document["approvals"][0]["approval"] not in shown.out
    for member in json.loads(document["intent_bytes"]):
        assert f'"{member}"' in shown.out


def test_a_revoked_grant_gives_nothing_any_more(
    officer: Caller, running_hub: HubProcess, sealway: Sealway, licences: list[dict[str, Any]]
) -> None:
    """What window-2 could have is refused the moment after."""
    window = Caller(sealway, running_hub.profile("systems/window-2"))
    officer(
        *("grant", "add", "for-a-moment", "--recipient", "window-2", "--type", LICENCE),
        *("--field", "name", "--field", "scope", "--item", ITEM, "--basis", BASIS),
        *("--from", "2026-01-01", "--until", "2035-12-31"),
    )
    (listed,) = officer("grant", "list", "--recipient", "window-2")["grants"]
    question = _ask("--cert", licences[0]["identifier"])
    window(*question)

    revoked = officer("grant", "revoke", "for-a-moment", "--cause", "test ended")
    refused = window(*question, expect=1)["error"]

    assert listed["name"] == "grants/for-a-moment"
    assert revoked["state"] == "STATE_REVOKED"
    assert officer("grant", "show", "for-a-moment")["state"] == "STATE_REVOKED"
    assert refused["reason"] == "GRANT_MISSING"


def test_a_trust_file_takes_over_what_the_log_proves_and_nothing_else(
    window: Caller, running_hub: HubProcess, tmp_path: Path
) -> None:
    """Custodies of the hub's keys, once; without the pinned key of the log the file stays."""
    file, other = tmp_path / "trust.json", tmp_path / "other.json"
    file.write_bytes((running_hub.home / "trust.json").read_bytes())
    trust = parse_trust(file.read_bytes())
    stranger = VerifierKey(trust.origin, KeyType.LOG, secrets.token_bytes(32)).text()
    other.write_bytes(trust_file(replace(trust, log_keys=(stranger,))))
    before = other.read_bytes()

    first = window("trust", "update", file)
    again = window("trust", "update", file)
    refused = window("trust", "update", other, expect=1)

    updated = parse_trust(file.read_bytes())
    assert {one.custody.value for one in updated.custodies} == {"hub-file"}
    assert {one.key for one in updated.custodies} <= {one["key"] for one in first["changes"]}
    taken = {"custodies": (), "compromised": (), "face_certificates": ()}
    assert replace(updated, **taken) == replace(trust, **taken)
    assert (again["entries"], again["changes"]) == (first["entries"], [])
    assert "error" in refused
    assert other.read_bytes() == before


# ---- certificates and their exchange ----


def test_a_department_finds_shows_and_lists_its_certificates(
    department: Caller, licences: list[dict[str, Any]]
) -> None:
    """By holder, number and identifier the same one; its versions; no personal field."""
    one = licences[0]

    for option, value in (
        ("--holder", f"001:{one['number']}"),
        ("--number", one["number"]),
        ("--identifier", one["identifier"]),
    ):
        found = department("certificate", "search", option, value, "--type", LICENCE)
        assert [item["name"] for item in found["certificates"]] == [one["name"]]
    assert department("certificate", "show", one["name"])["identifier"] == one["identifier"]
    (version,) = department("certificate", "versions", one["name"])["certificates"]
    assert version["name"] == one["name"]


def test_changes_are_printed_line_by_line_and_the_cursor_follows(
    department: Caller, window: Caller, licences: list[dict[str, Any]], tmp_path: Path
) -> None:
    """What is printed is not printed again; a cursor of somebody else is refused."""
    cursor, start = tmp_path / "cursor", ("certificate", "watch", "--from-start")
    named = {one["name"] for one in licences}

    ran = department.run(*start, "--cursor-file", cursor, "--count", str(COMPANIES), "--json")

    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0 and len(lines) >= COMPANIES
    assert named <= {line["certificate"] for line in lines}
    assert {line["authority"] for line in lines} == {"authorities/hz-market"}
    assert cursor.stat().st_mode & 0o777 == 0o600
    foreign = window.run("certificate", "watch", "--cursor-file", cursor, "--count", "1", "--json")
    assert (foreign.code, json.loads(foreign.out)["error"]["reason"]) == (1, "CURSOR_INVALID")
    people = department.run(*start, "--count", "1")
    assert LICENCE in people.out and "new" in people.out
    cursor.write_bytes(b"\xff")
    assert department.run("certificate", "watch", "--cursor-file", cursor).code == 64


def test_a_document_goes_up_and_comes_down(
    running_hub: HubProcess, department: Caller, licences: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The same bytes, receipts for both, and a scrub that finds everything whole."""
    file, copy, name = _pdf(tmp_path), tmp_path / "copy.pdf", licences[1]["name"]

    up = department(
        "document", "upload", name, file, "--version", "1", "--receipt", tmp_path / "receipt"
    )
    down = department("document", "download", up["name"], copy)

    assert copy.read_bytes() == file.read_bytes()
    assert up["name"] in {one["name"] for one in department("document", "list", name)["documents"]}
    assert (tmp_path / "receipt").read_text(encoding="utf-8") == up["receipt"]
    assert down["entry"] > up["entry"]
    report = department.sealway("document", "scrub", "--config", running_hub.config, "--json")
    assert (report.code, report.document["found"]) == (0, 0)


def test_a_platform_gets_a_document_and_recognises_it(
    officer: Caller,
    department: Caller,
    window: Caller,
    licences: list[dict[str, Any]],
    tmp_path: Path,
) -> None:
    """The same bytes, an answer that verifies offline, and the file that somebody shows later is
    confirmed without anybody typing its identifier; another file is not."""
    one, file, copy = licences[2], _pdf(tmp_path), tmp_path / "copy.pdf"
    _grant_documents(officer.sealway, officer.profile)
    purpose = ("--type", LICENCE, "--item", ITEM, "--matter", MATTER, "--basis", BASIS)
    asked = ("exchange", "document", copy, "--cert", one["identifier"], *purpose)
    out = ("--out", tmp_path / "answer.json")

    none = window(*asked, expect=1)
    department("document", "upload", one["name"], file, "--version", "1")
    came = window(*asked, *out)
    offline = _verified(window, tmp_path / "answer.json")
    confirmed = window("exchange", "verify", "--document", copy, *purpose)
    other = tmp_path / "other.pdf"
    other.write_bytes(file.read_bytes() + b"x")
    refused = window("exchange", "verify", "--document", other, *purpose, expect=1)

    assert (none["state"], none["digest"], none["file"]) == ("active", None, None)
    assert copy.read_bytes() == file.read_bytes()
    assert (came["state"], came["size"]) == ("active", len(file.read_bytes()))
    assert (offline["kind"], offline["verdict"]) == ("document", "valid")
    assert (confirmed["result"], refused["result"]) == ("in_force", "not_confirmed")
    assert window.run("exchange", "verify", *purpose).code == 64


def _grant_documents(sealway: Sealway, officer: Path) -> None:
    """window-1 may have the documents of licences, from whichever test needs it first."""
    sealway(
        *("grant", "add", "licence-documents", "--recipient", "window-1", "--type", LICENCE),
        *("--field", "@document", "--item", ITEM, "--basis", BASIS, "--from", "2026-01-01"),
        *("--until", "2035-12-31", "--profile", officer, "--json"),
    )


def test_a_document_that_does_not_come_leaves_no_file(
    department: Caller, licences: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Neither the file nor a draft beside it; one without a type is asked for it."""
    name = licences[0]["name"]
    unknown = f"{name}/documents/{'0' * 32}"
    plain = tmp_path / "a.txt"
    plain.write_bytes(b"text")

    refused = department("document", "download", unknown, tmp_path / "a.pdf", expect=1)["error"]
    untyped = department("document", "upload", name, plain, "--version", "1", expect=64)["error"]
    wrong = department(
        *("document", "upload", name, plain, "--version", "1", "--media-type", "image/png"),
        expect=1,
    )["error"]

    assert refused["reason"] == "DOCUMENT_NOT_FOUND"
    assert "--media-type" in untyped["en"] and "--media-type" in untyped["zh"]
    assert wrong["reason"] == "DOCUMENT_TYPE_REFUSED"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_department_decides_about_its_certificates(
    department: Caller, licences: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Suspended on the etag that was read, a stale one is refused, resumed; the history says it."""
    name = licences[-1]["name"]
    ruling = (
        "--basis",
        "食品安全法 第一百二十二条",
        "--document",
        "杭市监12号",
        "--on",
        "2026-01-05",
    )
    seen = department("certificate", "show", name)

    suspended = department("certificate", "suspend", name, *ruling, "--etag", seen["etag"])
    late = department("certificate", "revoke", name, *ruling, "--etag", seen["etag"], expect=1)[
        "error"
    ]
    wrong = department("certificate", "deregister", name, *ruling, "--cause", "boredom", expect=64)[
        "error"
    ]
    shown = department.run("certificate", "resume", name, *ruling)
    department("certificate", "confirm", name, "--gone", "--receipt", tmp_path / "receipt.json")
    history = department("certificate", "history", name)["transitions"]

    assert suspended["state"] == "CERTIFICATE_STATE_SUSPENDED"
    assert late["reason"] == "ETAG_STALE"
    assert "holder-request" in wrong["en"]
    assert f"{name} is active now." in shown.out
    assert (tmp_path / "receipt.json").is_file()
    assert department("certificate", "show", name)["presence"] == "PRESENCE_GONE"
    assert [item["verb"] for item in history] == ["VERB_RESUME", "VERB_SUSPEND"]
    department("certificate", "confirm", name, "--listed")


def test_others_do_not_see_a_departments_certificates(
    running_hub: HubProcess, sealway: Sealway, window: Caller, licences: list[dict[str, Any]]
) -> None:
    """Another department is told nothing, a platform is sent to its grants, an auditor sees all."""
    other = Caller(sealway, running_hub.profile("systems/nb-department"))
    auditor = Caller(sealway, running_hub.profile("systems/auditor-1"))
    search = ("certificate", "search", "--number", licences[0]["number"])

    found = other("certificate", "search", "--number", licences[0]["number"])
    refused = window(*search, expect=1)["error"]

    assert found == {"certificates": []}
    assert refused["reason"] == "ROLE_NOT_ALLOWED"
    assert len(auditor(*search)["certificates"]) == 1


def test_a_certificate_is_fetched_by_identifier_and_its_stored_answer_verifies(
    window: Caller, sealway: Sealway, licences: list[dict[str, Any]], tmp_path: Path
) -> None:
    """What was written can be taken elsewhere and verified there, with the command it proposes."""
    answer = tmp_path / "answer.json"

    ran = window.run(*_ask("--cert", licences[0]["identifier"], "--out", answer))

    assert ran.code == 0, ran.err
    proposed = next(line for line in ran.out.splitlines() if line.startswith("Next: sealway "))
    assert sealway(*proposed.removeprefix("Next: sealway ").split()).code in (0, 2)
    stored = json.loads(answer.read_text(encoding="utf-8"))
    assert set(stored) == {"request_id", "certificates", "receipt"}


def test_a_holder_is_named_in_a_file(
    window: Caller, delivered: Any, manifest: Path, tmp_path: Path
) -> None:
    """As a person's number always is; nothing of it stands in the arguments."""
    code = _codes(manifest)[0]
    file = tmp_path / "holder"
    file.write_text(f"001:{code}\n")

    (found,) = window(*_ask("--holder-file", file))["verified"]["found"]

    assert found["state"] == "active"
    assert found["fields"]["holder_number"] == code


def test_twenty_certificates_come_in_one_answer_and_twenty_one_in_none(
    window: Caller, licences: list[dict[str, Any]]
) -> None:
    """In the order of the question, under one receipt."""
    certs = [item["identifier"] for item in licences]
    twenty = [word for cert in certs[:20] for word in ("--cert", cert)]

    answer = window(*_ask(*twenty))
    refused = window(*_ask(*twenty, "--cert", certs[20]), expect=64)["error"]

    assert [found["cert"] for found in answer["verified"]["found"]] == certs[:20]
    assert all(set(found["fields"]) >= {"name", "scope"} for found in answer["verified"]["found"])
    assert "20" in refused["en"]


def test_values_are_confirmed_and_wrong_ones_are_not(
    window: Caller, licences: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Yes with a state, or no with exit 1; the receipt was verified, no other field is shown."""
    one = licences[0]
    question = [
        *("exchange", "verify", "--cert", one["identifier"], "--type", LICENCE, "--item", ITEM),
        *("--matter", MATTER, "--basis", BASIS, "--out", tmp_path / "answer.json", "--values"),
    ]

    right = window(*question, _values(tmp_path, credit_code=one["number"]))
    offline = _verified(window, tmp_path / "answer.json")
    (tmp_path / "answer.json.request.jws").unlink()
    wrong = window(*question, _values(tmp_path, credit_code=NEW_USCC), expect=1)
    malformed = tmp_path / "list.json"
    malformed.write_text("[]")

    assert (right["result"], wrong["result"]) == ("in_force", "not_confirmed")
    assert (offline["kind"], offline["verdict"]) == ("verification", "valid")
    assert set(right) == {
        *("request_id", "result", "receipt", "verified"),
        *("objected", "trust_grade", "origin"),
    }
    assert window(*question, malformed, expect=64)["error"]["reason"] == "USAGE"


def test_a_plan_says_what_to_bring_and_prints_the_notice(
    window: Caller, planned: str, delivered: Any, manifest: Path, tmp_path: Path
) -> None:
    """The receipt was verified and can be again, offline; the page names nobody."""
    code = _codes(manifest)[0]
    people = tmp_path / "people.txt"
    people.write_text(f"applicant=111:{citizen(1)}\n", encoding="utf-8")
    notice, out = tmp_path / "notice.html", tmp_path / "plan.json"
    question = [
        *("exchange", "plan", "--item", planned, "--holder", f"company=001:{code}"),
        *("--holder-file", people, "--matter", "330000-2026-<b>1</b>", "--basis", BASIS),
    ]

    answer = window(*question, "--fact", "premises_m2=80", "--notice", notice, "--out", out)
    ran = window.run(*question, "--fact", "premises_m2=80")
    refused = window(*question, expect=1)["error"]

    outcomes = {one["uses"][0]["material"]: one["outcome"] for one in answer["materials"]}
    assert outcomes == {"licence": "on_file", "form": "ask", "floor-plan": "deferrable"}
    assert set(json.loads(out.read_text(encoding="utf-8"))) == {*answer} - {"verified"}
    offline = _verified(window, out)
    assert (offline["kind"], offline["verdict"]) == ("plan", "valid")
    page = notice.read_text(encoding="utf-8")
    assert "&lt;b&gt;1&lt;/b&gt;" in page
    assert "申请表（申请人）" in page
    assert not re.search(r"<script|<b>|https?://|src=|href=", page)
    assert citizen(1) not in page + ran.out
    assert code not in page
    assert "3 materials: 1 on file, 0 obtainable, 0 by commitment, 1 later, 1 to be brought." in (
        ran.out
    )
    assert "Next: sealway exchange fetch --cert" in ran.out
    assert refused["reason"] == "FIELD_INVALID"
    assert "plan.facts.premises_m2" in refused["en"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--holder", "company=001"],
        ["--holder", "applicant=111:330101199003071011"],
        ["--holder", "company=001:91330100MA2XXXXX1A", "--fact", "premises"],
    ],
)
def test_a_plan_that_is_written_wrongly_is_a_usage_error_or_names_the_rule(
    window: Caller, words: list[str]
) -> None:
    """People never stand in arguments; nothing is sent."""
    question = ["exchange", "plan", "--item", "DEMO", "--matter", MATTER, "--basis", BASIS]

    ran = window.run(*question, *words, "--json")

    assert ran.code in (1, 64)
    assert ran.document["error"]["reason"] in ("USAGE", "USCC_INVALID")
    assert "330101199003071011" not in ran.out + ran.err


# ---- the log ----


def test_a_checkpoint_grows_with_the_log_and_every_entry_of_it_is_proved(
    officer: Caller, running_hub: HubProcess, tmp_path: Path
) -> None:
    """Two checkpoints, consistent; the new entry has its proof, its receipt verifies offline."""
    first = officer("log", "checkpoint")
    added = officer(
        *("grant", "add", f"grant-{free_port()}", "--recipient", "window-2", "--type", LICENCE),
        *("--field", "name", "--item", "331022003999", "--basis", BASIS),
        *("--from", "2026-01-01", "--until", "2026-12-31"),
        *("--receipt", tmp_path / "receipt.json"),
    )

    second = officer("log", "checkpoint", "--out", tmp_path / "checkpoint")
    proved = officer("log", "prove", added["entry"], "--out", tmp_path / "proof")

    assert second["size"] > int(added["entry"]) >= first["size"]
    assert (tmp_path / "checkpoint").read_text(encoding="utf-8") == second["checkpoint"]
    assert (tmp_path / "proof").read_text(encoding="utf-8") == proved["proof"]
    assert officer("log", "prove", "999999", expect=1)["error"]["reason"] == "ENTRY_NOT_FOUND"
    trust = ("--trust", officer.profile.with_name("trust.json"), "--json")
    kept = officer.sealway("verify", tmp_path / "receipt.json", *trust)
    assert (kept.code, kept.document["verdict"]) == (0, "valid")
    assert {"name": "entry_kind", "value": "grant.created"} in kept.document["facts"]


# ---- a department's file ----


def test_a_file_becomes_certificates_and_a_second_run_sends_nothing(
    connector: Caller, manifest: Path, delivered: Any
) -> None:
    """Every row is accounted for, in this run and the next."""
    again = connector("connect", "run", manifest, "--authority", USCC["hz-market"], expect=6)

    for report in (delivered, again):
        assert report["read"] == COMPANIES + BROKEN
        assert report["accepted"] + report["unchanged"] == COMPANIES
        assert report["quarantined"] == BROKEN
    assert (again["accepted"], again["receipts"]) == (0, 0)


def test_quarantine_names_each_broken_row_until_it_is_corrected(
    connector: Caller, manifest: Path, delivered: Any
) -> None:
    """List, one row, export: the same rows with the same errors."""
    listed = connector("connect", "quarantine", "list", manifest)["rows"]
    exported = connector("connect", "quarantine", "export", manifest)["rows"]
    shown = connector("connect", "quarantine", "show", manifest, str(listed[0]["id"]))

    assert len(listed) == BROKEN
    assert listed == exported
    assert shown == listed[0]
    assert all(row["errors"][0]["zh"] and row["errors"][0]["hint_zh"] for row in listed)


# ---- the catalogue ----


def test_items_go_out_as_a_workbook_and_come_back_changed(
    officer: Caller, window: Caller, tmp_path: Path
) -> None:
    """Shown before it is written, written upon what was shown, and told by cell where it fails."""
    seed = json.loads((ROOT / "deploy" / "catalogue" / "items.json").read_bytes())
    material = {**seed[0]["materials"][0], "types": [LICENCE], "fields": ["name"]}
    item = {**seed[0], "code": "DEMO-BY-WORKBOOK", "materials": [material]}
    (tmp_path / "items.json").write_text(json.dumps([item]), encoding="utf-8")
    first = officer("item", "import", tmp_path / "items.json", "--yes")
    assert first["changes"][0]["outcome"] == "OUTCOME_NEW" and len(first["entries"]) == 1

    assert officer("item", "export", tmp_path / "items.xlsx")["items"] >= 1
    book = load_workbook(tmp_path / "items.xlsx")
    row = [cell.value for cell in book["items"]["A"]].index("DEMO-BY-WORKBOOK") + 1
    book["items"][f"G{row}"] = 3
    book.save(tmp_path / "items.xlsx")
    unsure = officer("item", "import", tmp_path / "items.xlsx", expect=64)["error"]
    shown = officer("item", "diff", tmp_path / "items.xlsx")["changes"]
    written = officer("item", "import", tmp_path / "items.xlsx", "--yes")
    again = officer("item", "import", tmp_path / "items.xlsx", "--yes")

    assert "--yes" in unsure["en"]
    (changed,) = [one for one in shown if one["outcome"] == "OUTCOME_CHANGED"]
    assert changed["members"] == [{"place": "working_days", "before": "5", "after": "3"}]
    assert written["changes"] == shown
    assert again["entries"] == []
    assert window("item", "show", "DEMO-BY-WORKBOOK")["version"] == 2
    assert window("item", "import", tmp_path / "items.xlsx", expect=1)["error"]["reason"] == (
        "ROLE_NOT_ALLOWED"
    )

    # The same row edited from what was exported first: somebody else was faster.
    book["items"][f"G{row}"] = 4
    row = [cell.value for cell in book["materials"]["A"]].index("DEMO-BY-WORKBOOK") + 1
    book["materials"][f"H{row}"] = "name;colour"
    book.save(tmp_path / "items.xlsx")
    refused = officer("item", "diff", tmp_path / "items.xlsx", expect=1)["error"]
    faults = {one["rule"]: one["field"] for one in refused["violations"]}
    assert faults == {
        "item.stale": f"items!B{_row(book, 'items')} (version)",
        "item.field_unknown": f"materials!H{row} (fields)",
    }


def _row(book: Workbook, sheet: str) -> int:
    """Where the item of the test stands."""
    return [cell.value for cell in book[sheet]["A"]].index("DEMO-BY-WORKBOOK") + 1


# ---- every command as a program sees it ----


@pytest.fixture
def invocations(
    running_hub: HubProcess,
    sealway: Sealway,
    manifest: Path,
    licences: list[dict[str, Any]],
    tmp_path: Path,
) -> Invocations:
    """Arguments with which each command succeeds on the running hub, in an order to run them in."""
    decided = [licence["name"] for licence in licences[-6:-1]]
    department: list[str | Path] = ["--profile", running_hub.profile("systems/hz-department")]
    window: list[str | Path] = ["--profile", running_hub.profile("systems/window-1")]
    return (
        _invocations(running_hub, sealway, manifest, licences[0], tmp_path)
        | _faces(running_hub, sealway, tmp_path)
        | _decisions(decided, department)
        | _objections(sealway, licences[-1]["identifier"], department, window)
        | _seals(running_hub, sealway, tmp_path)
    )


@pytest.mark.usefixtures("planned")
def test_every_command_answers_a_program_with_one_json_document(
    sealway: Sealway, invocations: Invocations
) -> None:
    """All of them, by list: a command that is missing here fails this test."""
    leaves = set(commands(command_line()))

    streaming = {("serve",), ("facade", "serve"), ("certificate", "watch")}
    # Serves too: tests/connectors/test_remote_signer.py.
    streaming |= {("connect", "sign-serve")}
    # No type of this city carries a fact, and none allows a certificate without a holder:
    # tests/registry/test_facts.py and test_holders.py run these in one that has.
    elsewhere = {
        *(("fact", "announce"), ("fact", "decline")),
        *(("holder", "bind"), ("holder", "unbind")),
    }
    # Nobody is told of anything here: tests/registry/test_objections.py corrects what was fetched.
    elsewhere |= {("notice", "acknowledge")}
    # Want a time stamping service: tests/proof/test_stamped_receipts.py, test_preserve.py.
    elsewhere |= {("log", "stamp"), ("document", "preserve")}
    # Draw with a font, which not every machine can have: tests/chinese_font.py.
    drawing = {words for words in leaves if words[0] == "face" or words == ("seal", "draw")}
    elsewhere |= drawing - invocations.keys()
    # Seals a face, with a font too: tests/exchange/test_made_copies.py asks the hub for it.
    elsewhere |= {("document", "seal")}
    # Want a hub that does not run, or an empty database: tests/cli/test_database.py.
    at_rest = {("db", "restore"), ("db", "move")}
    assert set(invocations) == leaves - streaming - elsewhere - at_rest
    for words, more in invocations.items():
        ran = sealway(*words, *more, "--json")
        document = json.loads(ran.out)
        assert isinstance(document, dict), words
        assert ran.code in (0, 6) and "error" not in document, (words, ran.out, ran.err)


def test_the_chain_of_rosters_is_followed_from_a_pinned_number_0(officer: Caller) -> None:
    """With the right digest it is verified, with another one it is another hub's."""
    first = officer("quorum", "show", "--number", "0")

    verified = officer("quorum", "verify", "--pin", first["digest"])
    wrong = officer("quorum", "verify", "--pin", "A" * 43, expect=1)["error"]

    assert verified["pinned"] is True
    assert verified["number"] == officer("quorum", "show")["number"]
    assert wrong["reason"] == "ROSTER_BROKEN"


def test_every_command_that_calls_a_hub_says_in_json_that_there_is_none(
    running_hub: HubProcess,
    sealway: Sealway,
    invocations: Invocations,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit 7, one document, both languages, and the address that did not answer."""
    # Patience is a constant; the way is the real one.
    for module in ("client", "submit"):
        monkeypatch.setattr(f"connectors.{module}.ATTEMPTS_MAX", 1)
    nowhere = free_port()
    for words, more in invocations.items():
        if "--profile" not in more or words[:2] == ("connect", "quarantine"):
            continue
        profile = Path(more[more.index("--profile") + 1])
        text = profile.read_text(encoding="utf-8")
        profile.write_text(text.replace(f":{running_hub.port}", f":{nowhere}"), encoding="utf-8")
        # With the outbox of the runs before, nothing would be new and nobody be asked.
        state = ("--state", tmp_path / "state") if words == ("connect", "run") else ()
        try:
            ran = sealway(*words, *more, *state, "--json")
        finally:
            profile.write_text(text, encoding="utf-8")
        error = json.loads(ran.out)["error"]
        assert (ran.code, error["reason"]) == (7, "HUB_UNAVAILABLE"), (words, ran.out)
        assert str(nowhere) in error["en"] and str(nowhere) in error["zh"], words


def _decisions(certificates: Sequence[str], department: list[str | Path]) -> Invocations:
    """Every verb about certificates of their own, which no other test looks at."""
    ruling = ("--basis", "行政许可法 第六十九条", "--document", "12号", "--on", "2026-01-05")
    first, second, third, fourth, fifth = certificates
    more = [*ruling, *department]
    return {
        ("certificate", "suspend"): [first, *more],
        ("certificate", "resume"): [first, *more],
        ("certificate", "history"): [first, *department],
        ("certificate", "withdraw"): [second, *more],
        ("certificate", "restore"): [second, "--by", "杭州市中级人民法院", *more],
        ("certificate", "annul"): [third, *more],
        ("certificate", "revoke"): [fourth, *more],
        ("certificate", "deregister"): [fourth, "--cause", "ended", *more],
        ("certificate", "confirm"): [fifth, "--listed", *department],
    }


def _objections(
    sealway: Sealway, identifier: str, department: list[str | Path], window: list[str | Path]
) -> Invocations:
    """One that the department raised itself, to be answered, and a window's."""
    stated = (identifier, "--field", "name", "--statement", "与登记不符")
    made = sealway("objection", "raise", *stated, *department, "--json").document["name"]
    return {
        ("objection", "raise"): [*stated, "--for", "holder", *window],
        ("objection", "list"): ["--state", "raised", *window],
        ("objection", "show"): [made, *department],
        ("notice", "list"): ["--open", *window],
        ("objection", "answer"): [made, "rejected", "--reason", "核对无误", *department],
    }


def _for_a_month() -> list[str]:
    until = legal_day(now_us()) + datetime.timedelta(days=30)
    return ["--purpose", "办理食品经营许可", "--until", until.isoformat()]


def _of_scans(manifest: Path) -> Path:
    """The same manifest, of a register that was scanned."""
    text = manifest.read_text(encoding="utf-8")
    scans = manifest.with_name("scans.yaml")
    scans.write_text(
        text.replace("lifecycle:", "scan: {attestations: attestations.txt}\nlifecycle:", 1),
        encoding="utf-8",
    )
    return scans


def _invocations(
    running_hub: HubProcess, sealway: Sealway, manifest: Path, licence: dict[str, Any], folder: Path
) -> Invocations:
    zhao = ["--profile", running_hub.profile("officers/zhao")]
    qian = ["--profile", running_hub.profile("officers/qian")]
    sun = ["--profile", running_hub.profile("officers/sun")]
    department = ["--profile", running_hub.profile("systems/hz-department")]
    connector = ["--profile", running_hub.profile("systems/hz-connector")]
    window = ["--profile", running_hub.profile("systems/window-1")]
    pki = ["--pki", running_hub.home / "pki"]
    fresh = f"n{free_port()}"
    for system in (folder / fresh, folder / "rotated"):
        assert sealway("system", "request", system, "--name", fresh).code == 0
    for name, kept in ((fresh, "officer"), ("sun", "sun"), ("zhao", "zhao")):
        assert sealway("officer", "request", folder / kept, "--name", name).code == 0
    dates = ["--from", "2026-01-01", "--until", "2035-12-31"]
    config = ["--config", running_hub.config]
    seal, hall = "authorities/hz-market/seals/main", "service-hall"
    trust = ["--trust", running_hub.home / "trust.json"]
    pinned = folder / "pinned.json"
    pinned.write_bytes((running_hub.home / "trust.json").read_bytes())
    pdf = _pdf(folder)
    upload = ("document", "upload", licence["name"], _pdf(folder), "--version", "1")
    document = sealway(*upload, *department, "--json").document["name"]
    _grant_documents(sealway, running_hub.profile("officers/zhao"))
    linked = ("holder", "link", licence["name"], *_LINKED, "--evidence", pdf, *department)
    link = sealway(*linked, "--json").document["name"]
    grant = ["--recipient", "window-2", "--type", LICENCE, "--field", "name", "--basis", BASIS]
    fetched = sealway(*_ask("--cert", licence["identifier"]), *window, "--json").document
    copying = ("copy", "make", fetched["request_id"], *_for_a_month(), *window, "--json")
    copied = sealway(*copying).document
    undecided, withdrawn, executable = _intents(sealway, folder, zhao, qian, sun)
    standby = _standby(sealway, folder, pki, zhao, qian, sun)
    return {
        ("init",): [folder / "home"],
        ("doctor",): config,
        ("authority", "add"): [
            *(fresh, "--uscc", NEW_USCC, "--title", "甲局", "--region", "330000"),
            *("--level", "2", "--since", "2019-01-01", *zhao),
        ],
        ("authority", "list"): zhao,
        ("authority", "show"): ["hz-market", *zhao],
        ("system", "request"): [folder / fresh, "--name", fresh],
        ("system", "add"): [
            *(fresh, "--authority", hall, "--role", "platform"),
            *("--request", folder / fresh, *pki, *zhao),
        ],
        ("system", "rotate"): [fresh, "--request", folder / "rotated", *pki, *zhao],
        ("system", "revoke"): [fresh, "--cause", "test ended", *zhao],
        ("system", "list"): zhao,
        ("system", "show"): ["window-1", *zhao],
        ("officer", "request"): [folder / "officer", "--name", fresh],
        ("officer", "enrol"): [fresh, "--request", folder / "officer", *pki, *zhao],
        ("officer", "hand-over"): ["sun", "--request", folder / "sun", *pki, *zhao],
        ("officer", "rotate-key"): ["zhao", "--request", folder / "zhao", *pki, *zhao],
        ("officer", "end"): [standby, "--cause", "test ended", *zhao],
        ("officer", "absent"): [
            *("sun", "--away-from", "2030-01-01", "--away-until", "2030-01-14"),
            *("--substitute", standby, *zhao),
        ],
        ("officer", "succeed"): ["sun", "--by", standby, "--until", "2031-12-31", *zhao],
        ("quorum", "show"): zhao,
        ("quorum", "verify"): zhao,
        ("quorum", "change"): ["--default", "2", "--kind", "officer.end=2", *zhao],
        ("officer", "list"): zhao,
        ("officer", "show"): ["sun", *zhao],
        ("type", "add"): [_next_version(folder), "--check", *zhao],
        ("type", "list"): zhao,
        ("type", "show"): [LICENCE, *zhao],
        ("catalogue", "load"): [_small_catalogue(folder), *zhao],
        ("item", "list"): zhao,
        ("item", "show"): [SMALL_ITEM, *zhao],
        ("item", "export"): [folder / "exported.xlsx", *zhao],
        ("item", "diff"): [folder / "catalogue" / "items.json", *zhao],
        ("item", "import"): [folder / "catalogue" / "items.json", "--yes", *zhao],
        ("item", "retire"): [SMALL_ITEM, "--cause", "test ended", *zhao],
        ("type", "deprecate"): [SMALL_TYPE, "--cause", "test ended", *zhao],
        ("type", "retire"): [SMALL_TYPE, "--cause", "test ended", *zhao],
        ("seal", "list"): zhao,
        ("seal", "show"): [seal, *zhao],
        ("intent", "propose"): [
            *(fresh, "--seal", seal, "--type", LICENCE, *dates, "--uses-max", "5", *zhao),
        ],
        ("intent", "approve"): [fresh, "--yes", *qian],
        ("intent", "reject"): [undecided, "--yes", *qian],
        ("intent", "withdraw"): [withdrawn, *zhao],
        ("intent", "execute"): [executable, *zhao],
        ("intent", "list"): zhao,
        ("intent", "show"): [fresh, *zhao],
        ("grant", "add"): [fresh, *grant, "--item", "331022003001", *dates, *zhao],
        ("grant", "list"): zhao,
        ("grant", "show"): [fresh, *zhao],
        ("grant", "revoke"): [fresh, "--cause", "test ended", *zhao],
        ("connect", "lint"): [manifest],
        ("connect", "preview"): [manifest],
        ("connect", "attest"): [_of_scans(manifest)],
        ("connect", "run"): [manifest, "--authority", USCC["hz-market"], *connector],
        ("connect", "quarantine", "list"): [manifest, *connector],
        ("connect", "quarantine", "show"): [manifest, "1", *connector],
        ("connect", "quarantine", "export"): [manifest, *connector],
        ("exchange", "fetch"): [*_ask("--cert", licence["identifier"])[2:], *window],
        ("copy", "make"): [fetched["request_id"], *_for_a_month(), *window],
        ("copy", "show"): [copied["name"], *window],
        ("copy", "list"): ["--identifier", licence["identifier"], *department],
        ("exchange", "verify"): [
            *("--cert", licence["identifier"], "--type", LICENCE, "--item", ITEM),
            *("--values", _values(folder, credit_code=licence["number"])),
            *("--matter", MATTER, "--basis", BASIS, *window),
        ],
        ("exchange", "document"): [
            *(folder / "fetched.pdf", "--cert", licence["identifier"], "--type", LICENCE),
            *("--item", ITEM, "--matter", MATTER, "--basis", BASIS, *window),
        ],
        ("exchange", "plan"): [
            *("--item", RESTAURANT, "--holder", f"company=001:{licence['number']}"),
            *("--fact", "premises_m2=1", "--matter", MATTER, "--basis", BASIS, *window),
        ],
        ("reorganize", "propose"): [
            *(hall, "--rename", "浙江省政务服务局", "--day", "2020-01-01", *zhao),
        ],
        ("facade", "account"): [fresh, "--secret", folder / "portal.secret"],
        ("certificate", "search"): ["--number", licence["number"], *department],
        ("certificate", "show"): [licence["name"], *department],
        ("certificate", "versions"): [licence["name"], *department],
        ("document", "upload"): [licence["name"], pdf, "--version", "1", *department],
        ("document", "list"): [licence["name"], *department],
        ("document", "download"): [document, folder / "again.pdf", *department],
        ("document", "scrub"): config,
        ("document", "prune"): config,
        ("fact", "list"): department,
        ("holder", "link"): [licence["name"], *_LINKED, "--evidence", pdf, *department],
        ("holder", "unlink"): [link, "--evidence", pdf, "--basis", BASIS, *department],
        ("holder", "links"): department,
        ("holder", "event"): [
            *(licence["name"], "--event", "dissolution", "--evidence", pdf, "--basis", BASIS),
            *department,
        ],
        ("db", "migrate"): ["--dry-run", *config],
        ("db", "backup"): [folder / "backup", *config],
        ("db", "fsck"): config,
        ("log", "checkpoint"): ["--out", folder / "checkpoint", *zhao],
        ("log", "prove"): ["1", *zhao],
        ("log", "audit"): config,
        ("verify",): [folder / "checkpoint", *trust],
        ("trust", "show"): [pinned],
        ("trust", "pin"): [pinned, "--pdf", running_hub.home / "tls" / "seal-ca.pem"],
        ("trust", "compromised"): [
            *(pinned, "--since", "2026-01-31"),
            *("--certificate", running_hub.home / "tls" / "seal-ca.pem"),
        ],
        ("trust", "end"): [pinned, "SM2", "--until", "2035-12-31"],
        ("trust", "update"): [pinned, *zhao],
    }


def _faces(running_hub: HubProcess, sealway: Sealway, folder: Path) -> Invocations:
    """How a licence looks, drafted by one officer and to be approved by another."""
    try:
        font = font_file()
    except FontAbsent:
        return {}
    zhao = ["--profile", running_hub.profile("officers/zhao")]
    qian = ["--profile", running_hub.profile("officers/qian")]
    template = folder / "face.json"
    template.write_bytes(early_licence())
    licence = ROOT / "deploy" / "types" / "business-licence.json"
    drafted = sealway("face", "add", template, "--type", LICENCE, *zhao, "--json").document
    return {
        ("face", "lint"): [template, "--type", licence, "--font", font],
        ("face", "preview"): [template, "--out", folder / "preview.ofd", *zhao],
        ("face", "add"): [template, "--type", LICENCE, *zhao],
        ("face", "approve"): [drafted["name"], "--digest", drafted["digest"], *qian],
        ("face", "list"): ["--type", LICENCE, *zhao],
        ("face", "show"): [drafted["name"], "--out", folder / "kept.json", *zhao],
        ("seal", "draw"): ["--name", "某局", "--font", font, "--out", folder / "drawn.png"],
    }


def _verified(window: Caller, answer: Path) -> Any:
    """The report of `sealway verify` on an answer that was stored."""
    request = answer.with_name(f"{answer.name}.request.jws")
    trust = window.profile.with_name("trust.json")
    ran = window.sealway("verify", answer, "--request", request, "--trust", trust, "--json")
    assert ran.code == 0, ran.out
    return ran.document


def _pdf(folder: Path) -> Path:
    """A document like no other, as far as a hub looks into it."""
    file = folder / f"{secrets.token_hex(8)}.pdf"
    file.write_bytes(b"%PDF-1.7\n" + secrets.token_bytes(300_000))
    return file


def _seals(running_hub: HubProcess, sealway: Sealway, folder: Path) -> Invocations:
    """Every command about seals and keys, on one of their own that exists in electronic form."""
    zhao, qian, sun = [
        ["--profile", running_hub.profile(f"officers/{name}")] for name in ("zhao", "qian", "sun")
    ]
    pki = ["--pki", running_hub.home / "pki"]
    authority = "authorities/nb-market"
    seal = f"{authority}/seals/s{free_port()}"

    def run(*words: str | Path) -> dict[str, Any]:
        """Propose, approve, execute; what came of it."""
        proposed = sealway(*words, *zhao, "--json")
        assert proposed.code == 0, proposed.err
        name = proposed.document["name"]
        for officer in (qian, sun):
            assert sealway("intent", "approve", name, "--yes", *officer).code == 0
        executed = sealway("intent", "execute", name, *zhao, "--json")
        assert executed.code == 0, executed.err
        result: dict[str, Any] = executed.document["result"]
        return result

    (folder / "seal.png").write_bytes(PICTURE)
    others = Pki.open(running_hub.home / "pki")
    (folder / "outside.esl").write_bytes(outside_seal(f"N-{free_port()}", others))
    picture = ("--picture", folder / "seal.png")
    maker = ("--use", "maker", "--algorithm", "SM2", "--authority", authority, "--title", "制章")
    makers = [
        one["name"]
        for one in sealway("key", "list", *zhao, "--json").document["keys"]
        if (one["use"], one["state"]) == ("maker", "STATE_ACTIVE")
    ]
    if not makers:
        makers = [run("key", "generate", *maker)["key"]]
        run("key", "activate", makers[0], *pki)
    keys = ("--key", "record:ES256", "--key", "ofd:SM2:files:1000")
    applied = ("--authority", authority, "--title", "甲章", *keys)
    run("seal", "apply", seal.rpartition("/")[2], *applied)
    run("seal", "make", seal, *pki, *picture)
    second = f"s{free_port()}"
    run("seal", "apply", second, *applied)
    waiting = run("key", "generate", "--seal", seal, "--use", "record", "--algorithm", "ES256")
    another = run("key", "generate", "--seal", seal, "--use", "pdf", "--algorithm", "ES256")
    key = sealway("key", "list", "--seal", seal, *zhao, "--json").document["keys"][0]
    cause = ("--cause", "test ended", *zhao)
    # The same bytes twice would be one intent.
    wanted = ("--seal", seal, "--use", "record", "--algorithm", "ES256", "--until", "2031-12-31")
    successor = run("key", "generate", *wanted)
    run("key", "rotate", successor["key"], *pki)
    (stolen,) = [
        one
        for one in sealway("key", "list", "--seal", seal, *zhao, "--json").document["keys"]
        if one["state"] == "STATE_RETIRED"
    ]
    run("key", "compromise", stolen["name"], "--since", "2026-01-31", "--cause", "x")
    anew = sealway("key", "reseal", stolen["name"], *zhao, "--json").document["name"]
    for officer in (qian, sun):
        assert sealway("intent", "approve", anew, "--yes", *officer).code == 0
    suspended = f"{authority}/seals/suspended"
    if sealway("seal", "show", suspended, *zhao).code != 0:
        run("seal", "import", suspended, folder / "outside.esl")
        run("seal", "suspend", suspended, "--cause", "x")
        (folder / "outside.esl").write_bytes(outside_seal(f"N-{free_port()}", others))
    commands: Invocations = {
        ("key", "list"): ["--seal", seal, *zhao],
        ("key", "show"): [key["name"], *zhao],
        ("key", "generate"): ["--seal", seal, "--use", "pdf", "--algorithm", "PS256", *zhao],
        ("key", "activate"): [another["key"], *pki, *zhao],
        ("key", "rotate"): [waiting["key"], *pki, *zhao],
        ("key", "retire"): [makers[0], *cause],
        ("key", "destroy"): [waiting["key"], *cause],
        ("key", "reseal"): [stolen["name"], "--until", "2031-12-31", *zhao],
        ("seal", "reseal"): [anew, *zhao],
        ("key", "compromise"): [makers[0], "--since", "2026-01-31", *cause],
        ("seal", "apply"): [f"s{free_port()}", *applied, *zhao],
        ("seal", "make"): [f"{authority}/seals/{second}", *pki, *picture, *zhao],
        ("seal", "renew"): [seal, *pki, *zhao],
        ("seal", "import"): [f"{authority}/seals/outside", folder / "outside.esl", *zhao],
        ("seal", "export"): [seal, folder / "exported.esl", *zhao],
        ("seal", "resume"): [suspended, *cause],
    }
    return commands | {("seal", verb): [seal, *cause] for verb in ("suspend", "revoke", "end")}


def _intents(sealway: Sealway, folder: Path, *officers: list[str | Path]) -> list[str]:
    """Three intents of the first officer, the last of which the others approved."""
    zhao, *others = officers
    members = folder / "quorum.json"
    members.write_text('{"default":2}', encoding="utf-8")
    names = [f"quorum-{free_port()}" for _ in range(3)]
    kind = ("--kind", "quorum.change", "--members", members)
    for year, name in enumerate(names, start=2030):
        # The same bytes twice would be one intent.
        until = ("--until", f"{year}-12-31")
        assert sealway("intent", "propose", name, *kind, *until, *zhao).code == 0
    for officer in others:
        assert sealway("intent", "approve", names[2], "--yes", *officer).code == 0
    return names


def _standby(
    sealway: Sealway, folder: Path, pki: list[str | Path], *officers: list[str | Path]
) -> str:
    """An officer on standby, enrolled by the others from end to end."""
    zhao, *others = officers
    name = f"standby-{free_port()}"
    where = ("--request", folder / name, *pki)
    assert sealway("officer", "request", folder / name, "--name", name).code == 0
    enrolling = ("officer", "enrol", name, *where, "--standby", "--id", name, *zhao)
    assert sealway(*enrolling).code == 0
    for officer in others:
        assert sealway("intent", "approve", name, "--yes", *officer).code == 0
    assert sealway("intent", "execute", name, *zhao).code == 0
    listed = sealway("officer", "list", "--profile", folder / name / "client.toml")
    assert "standby" in listed.out, listed.err
    return name


def _values(folder: Path, **values: str) -> Path:
    """What is stated of a certificate, in a file as personal data always are."""
    file = folder / "values.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    return file


def _small_catalogue(folder: Path) -> Path:
    """One type and one item of the seed catalogue, which nothing else here uses."""
    seed, small = ROOT / "deploy" / "catalogue", folder / "catalogue"
    (small / "types").mkdir(parents=True)
    shutil.copy(seed / "types" / "demo-senior-card.json", small / "types" / "card.json")
    (item,) = [
        one for one in json.loads((seed / "items.json").read_bytes()) if one["code"] == SMALL_ITEM
    ]
    material = {**item["materials"][0], "types": [SMALL_TYPE], "fields": ["name"]}
    text = json.dumps([{**item, "materials": [material]}])
    (small / "items.json").write_text(text, encoding="utf-8")
    return small


def _next_version(folder: Path) -> Path:
    """The second version of the business licence."""
    text = (ROOT / "deploy" / "types" / "business-licence.json").read_text(encoding="utf-8")
    file = folder / "type.json"
    file.write_text(json.dumps({**json.loads(text), "type_version": 2}), encoding="utf-8")
    return file
