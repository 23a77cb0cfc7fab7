"""The documents are complete: fields, metrics, entry kinds and reasons have a place, no others."""

from __future__ import annotations

import ast
import asyncio
import re
import tomllib
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from hub.access.v1 import access_pb2
from hub.cli import init
from hub.config import Config, load
from hub.errors import TEXTS, Reason
from hub.metrics import LatencyHistogram, Metrics
from hub.proof.exchange.plan_request import StatedMandate
from hub.proof.officers.approval import Decision
from hub.registry.v1 import (
    facts_pb2,
    facts_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    registry_pb2,
    states_pb2,
)
from hub.rpc import status_of
from hub.seal import ended_intents
from hub.seal.v1 import faces_pb2, faces_pb2_grpc
from tests.access.officers import change_officers
from tests.access.test_reorganize import NEW_USCC, carry_out, merge, rename
from tests.attacks.test_states import RULING, decide, on_file
from tests.chinese_font import needs_font
from tests.exchange import handed, plans
from tests.exchange.annotated import make as make_copy
from tests.exchange.annotated import wanted as wanted_copy
from tests.exchange.verifications import about, about_identifier, ask
from tests.fact_types import issue_both
from tests.registry.clerk import Clerk
from tests.registry.test_holders import befall_and_link
from tests.registry.test_objections import settle_objection
from tests.seal import life as seals_and_keys
from tests.seal.faces.samples import early_licence
from tests.simulator import LICENCE, Refused, Simulator, bearer, company, copy_home, licence, new_id

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
DEPLOY = ROOT / "deploy"
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")
AUDIT = (DOCS / "audit.md").read_text(encoding="utf-8")
ERRORS = (DOCS / "errors.md").read_text(encoding="utf-8")
DEPLOYED = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])

_METRIC = re.compile(r"\bsealway_[a-z0-9_]+")


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted name of every field that a file may set."""
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields_of(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def named_in(members: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted name of every field that a file does set."""
    for name, value in members.items():
        if isinstance(value, dict):
            yield from named_in(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


# -- Configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field", list(fields_of(Config)))
def test_a_configuration_field_has_one_row_in_operations(field: str) -> None:
    """Default, meaning and what happens when it is wrong are written down once."""
    rows = [line for line in OPERATIONS.splitlines() if line.startswith(f"| `{field}` |")]

    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].strip("|").split("|"))


def test_operations_names_no_field_that_is_refused() -> None:
    """A field that was removed from the configuration goes from the page as well."""
    section = OPERATIONS.partition("\n## Configuration by field\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)

    assert sorted(rows) == sorted(fields_of(Config))


def test_the_default_of_a_field_on_the_page_is_the_one_of_the_code() -> None:
    """Sections that have defaults are shown with exactly these."""
    defaults = Config.model_validate({"hub": {"origin": "hub.test.example", "region": "330100"}})
    for field in fields_of(Config):
        if field in ("hub.origin", "hub.region"):
            continue
        row = next(x for x in OPERATIONS.splitlines() if x.startswith(f"| `{field}` |"))

        assert row.split("|")[2].strip() == f"`{attrgetter(field)(defaults)}`"


def test_the_development_file_says_what_init_writes() -> None:
    """Nobody starts from two different sets of defaults."""
    text = init._config_text(None, None, "127.0.0.1", init.PORT_DEFAULT, init.HTTP_PORT_DEFAULT)

    written = tomllib.loads(text)

    assert tomllib.loads((DEPLOY / "hub.toml").read_text(encoding="utf-8")) == written


@pytest.mark.parametrize("name", ["hub.toml", "hub.production.toml"])
def test_a_shipped_configuration_loads(name: str) -> None:
    """What is handed out is accepted by the hub as it is."""
    assert load(DEPLOY / name).home == DEPLOY


def test_the_production_file_names_every_field() -> None:
    """In production nothing is left to a default that a later version may change."""
    members = tomllib.loads((DEPLOY / "hub.production.toml").read_text(encoding="utf-8"))

    assert sorted(named_in(members)) == sorted(fields_of(Config))


# -- Metrics ---------------------------------------------------------------------------------------


def metrics() -> dict[str, tuple[str, ...]]:
    """Each metric's name as Prometheus shows it, with its labels."""
    found = {}
    for metric in Metrics().registry._collector_to_names:
        if isinstance(metric, LatencyHistogram):
            found[metric.name] = metric.labels
            continue
        name = metric._name + ("_total" if metric._type == "counter" else "")
        found[name] = tuple(metric._labelnames)
    return found


@pytest.mark.parametrize(("name", "labels"), list(metrics().items()))
def test_a_metric_has_one_row_with_its_labels(name: str, labels: tuple[str, ...]) -> None:
    """Whoever writes an alert finds meaning and labels in one place."""
    rows = [line for line in OPERATIONS.splitlines() if line.startswith(f"| `{name}` |")]

    assert len(rows) == 1
    assert re.findall(r"`(\w+)`", rows[0].split("|")[2]) == list(labels)


def test_pages_and_alerts_name_no_metric_that_is_not_there() -> None:
    """An alert on a metric that nobody exports never rings."""
    alerts = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    known = {name + suffix for name in metrics() for suffix in ("", "_bucket", "_count", "_sum")}

    assert set(_METRIC.findall(OPERATIONS + alerts)) - known == set()


def test_every_alert_selects_by_labels_that_its_metric_has() -> None:
    """A selector on a label that a metric lacks matches nothing."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    selected = 0
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("critical", "warning")
            assert {"summary", "summary_zh"} <= rule["annotations"].keys()
            assert rule["alert"] in OPERATIONS
            for name, selector in re.findall(r"\b(sealway_\w+)\{([^}]*)\}", rule["expr"]):
                base = re.sub(r"_(bucket|count|sum)$", "", name)
                labels = set(re.findall(r"(\w+)\s*!?=~?", selector))
                assert labels <= set(metrics()[base])
                selected += 1

    assert selected > 0


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_a_shipped_yaml_file_is_yaml(path: Path) -> None:
    """Nothing that is handed out fails on its first line."""
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


# -- Entry kinds -----------------------------------------------------------------------------------


def entry_sources() -> dict[Path, ast.Module]:
    """The modules that can write entries: the components, what they record with, and the edge."""
    paths = [ROOT / "hub" / "rpc.py", ROOT / "hub" / "storage" / "changes.py"]
    for component in ("access", "registry", "seal", "exchange", "ledger"):
        paths += [
            path
            for path in (ROOT / "hub" / component).rglob("*.py")
            # Generated code, what draws faces and what keeps keys record nothing.
            if path.parent.name not in ("v1", "faces", "homes")
        ]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}


def kind_takers(tree: ast.Module) -> dict[str, int]:
    """Functions and dataclasses with a parameter or field `kind`, and its position in a call."""
    takers = {"Entry": 0}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
        elif isinstance(node, ast.ClassDef):
            names = [
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            ]
        else:
            continue
        if "kind" in names:
            takers[node.name] = names.index("kind")
    return takers


def written_kinds() -> set[str]:
    """Every entry kind that the code can write; fails where one cannot be read off the source."""
    sources = entry_sources()
    takers = {path: kind_takers(tree) for path, tree in sources.items()}
    kinds: set[str] = set()
    for path, tree in sources.items():
        here = dict(takers[path])
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)):
            # Names mean what their module says: another `Decision` is another thing.
            module = ROOT / ((node.module or "").replace(".", "/") + ".py")
            there = takers.get(module, {})
            here |= {item.name: there[item.name] for item in node.names if item.name in there}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in here:
                kinds |= constants(kind_of(call, here[name]))
    return kinds


def kind_of(call: ast.Call, position: int) -> ast.expr | None:
    """The argument of a call that is its kind; None where it gives none."""
    for keyword in call.keywords:
        if keyword.arg == "kind":
            return keyword.value
    return call.args[position] if len(call.args) > position else None


def constants(expression: ast.expr | None) -> set[str]:
    """The texts that an expression can be; a `kind` handed on is counted where it comes from."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        return {expression.value}
    if isinstance(expression, ast.IfExp):
        return constants(expression.body) | constants(expression.orelse)
    if isinstance(expression, ast.Name) and expression.id == "kind":
        return set()
    if isinstance(expression, ast.Attribute) and expression.attr == "kind":
        return set()
    text = "nothing" if expression is None else ast.unparse(expression)
    raise AssertionError(f"an entry's kind is not a plain text: {text}")


def test_the_kinds_found_in_the_source_are_all_of_them() -> None:
    """The search is not blind: it meets each way in which a component names a kind."""
    assert {
        "fetch",  # Entry(kind=…)
        "refusal",  # a function's argument
        "heartbeat",  # the hub's own
        "authority.created",  # first argument of a dataclass
        "intent.rejected",  # the second branch of a choice
        "grant.revoked",  # a method's argument
    } <= written_kinds()


def test_the_audit_page_has_exactly_the_kinds_that_can_be_written() -> None:
    """Each kind has one heading, and no heading stands for a kind that nothing writes."""
    listed = re.findall(r"^### `([a-z_.]+)`$", AUDIT, re.MULTILINE)

    assert sorted(listed) == sorted(written_kinds())


def undocumented(body: dict[str, Any]) -> list[str]:
    """The members of an entry's body that the page does not name for its kind."""
    every, _, kinds = AUDIT.partition("\n## Kinds\n")
    kinds = kinds.partition("\n## ")[0]
    proofs, *sections = kinds.split("\n### ")
    section = next(one for one in sections if one.startswith(f"`{body['kind']}`\n"))
    if "the proofs" in section or "new proofs" in section or "the evidence" in section:
        section += proofs
    shared = re.findall(r"^\| (`.+?`) \|", every, re.MULTILINE)
    members = [name for name in body if name != "data" and f"`{name}`" not in " ".join(shared)]
    members += body.get("data", {})
    for certificate in body.get("certificates", []):
        members += certificate
    for material in body.get("data", {}).get("materials", []):
        members += material
    return [name for name in members if f"`{name}`" not in section]


async def draw_face(hub: Simulator) -> None:
    """One officer drafts how the licence looks, another approves it."""
    parent = f"certificateTypes/{LICENCE.lower()}"
    zhao, qian = hub.officer("zhao"), hub.officer("qian")
    drafted = await zhao.call(
        faces_pb2_grpc.FaceServiceStub(zhao.channel).CreateFaceTemplate,
        faces_pb2.CreateFaceTemplateRequest(
            request_id=new_id(), parent=parent, template=early_licence()
        ),
    )
    await qian.call(
        faces_pb2_grpc.FaceServiceStub(qian.channel).ApproveFaceTemplate,
        faces_pb2.ApproveFaceTemplateRequest(
            request_id=new_id(),
            name=drafted.face_template.name,
            digest=drafted.face_template.digest,
        ),
    )


async def test_every_member_of_a_real_entry_is_on_the_audit_page(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub does everything that it can record; the page explains each member of each entry."""
    needs_font()
    monkeypatch.setattr(ended_intents, "SUMMARY_EVERY", 1)
    async with Simulator(copy_home(city, tmp_path / "home"), heartbeat_s=1) as hub:
        zhao, platform, connector = hub.officer(), hub.platform(), hub.connector()
        delivered = await connector.deliver([licence(1)])
        await decide(hub, "Suspend")
        confirmed = states_pb2.ConfirmCertificateRequest(
            request_id=new_id(),
            name=(await on_file(hub)).name,
            presence=registry_pb2.PRESENCE_LISTED,
        )
        await connector.call(connector.states.ConfirmCertificate, confirmed)
        body = states_pb2.Ruling(deciding_body="杭州市中级人民法院")
        body.MergeFrom(RULING)
        await decide(hub, "Restore", ruling=body)
        fetched = await platform.fetch(holder=company(1))
        await platform.fetch(holder=company(2), consent="consents/1", log=fetched.verified.head)
        await platform.fetch(holder=company(1), act="accounts/portal")
        await make_copy(platform, wanted_copy(fetched.response.request_id))
        values = {"name": "杭州示例1有限公司"}
        await ask(platform, **about(values), act="accounts/portal", consent="consents/1")
        cert = fetched.verified.entry.certificates[0].cert or ""
        await ask(platform, **about_identifier(values, cert))
        clerk = Clerk(hub.system("hz-department"))
        uploaded = await clerk.upload(delivered.results[0].certificate)
        await clerk.download(uploaded.document.name)
        await zhao.grant("documents", "window-1", ("@document",))
        head = fetched.verified.head
        await handed.fetch(platform, cert, act="accounts/portal", consent="consents/1", log=head)
        department = hub.system("hz-department")
        facts = facts_pb2_grpc.FactServiceStub(department.channel)
        source, _ = await issue_both(hub)
        announced = await department.call(
            facts.AnnounceFactChange,
            facts_pb2.AnnounceFactChangeRequest(
                request_id=new_id(), certificate=source, facts=["address"], legal_basis="法"
            ),
        )
        neighbour = hub.system("nb-department")
        listed = await neighbour.call(
            facts_pb2_grpc.FactServiceStub(neighbour.channel).ListFollowUps,
            facts_pb2.ListFollowUpsRequest(),
        )
        assert announced.fact_change.follow_ups == len(listed.follow_ups) == 1
        await neighbour.call(
            facts_pb2_grpc.FactServiceStub(neighbour.channel).DeclineFollowUp,
            facts_pb2.DeclineFollowUpRequest(
                request_id=new_id(), name=listed.follow_ups[0].name, decline_reason="已停业"
            ),
        )
        await settle_objection(hub, cert)
        await befall_and_link(hub, delivered.results[0].certificate)
        watching = feed_pb2_grpc.FeedServiceStub(platform.channel).WatchChanges(
            feed_pb2.WatchChangesRequest(), metadata=bearer(await platform.token())
        )
        await watching.read()
        watching.cancel()
        await zhao.import_items(plans.document())
        await zhao.grant("planned", "window-1", ("name", "scope"), items=(plans.RESTAURANT,))
        mandate = StatedMandate("mandates/1", (plans.RESTAURANT,), "2020-01-01", "2099-12-31")
        people = [(role, "001", company(1)) for role in ("company", "applicant", "agent")]
        stated: dict[str, Any] = {"consent": "consents/1", "act": "accounts/portal", "log": head}
        await plans.ask(platform, *people, mandate=mandate, **stated)
        with pytest.raises(Refused, match="GRANT_MISSING"):
            await platform.fetch(holder=company(1), service_item="331022009999")
        with pytest.raises(Refused, match="BATCH_SEQ"):
            await connector.deliver([licence(2)], seq=1, prev=None)
        await seals_and_keys.live(hub)
        seal = "authorities/hz-market/seals/main"
        # Other limits than the intent in force: the same bytes twice would be one intent.
        await zhao.propose("rejected", seal, LICENCE, uses_max=1)
        await hub.officer("sun").approve("rejected", Decision.REJECT)
        await zhao.propose("withdrawn", seal, LICENCE, uses_max=2)
        await zhao.withdraw("withdrawn")
        await zhao.revoke_grant("licence-to-window")
        await carry_out(hub, rename())
        await zhao.add_authority("nb-regulation", NEW_USCC, "宁波市监管局", "330200")
        await carry_out(hub, merge(day="2026-03-02"))
        enrolment = hub.equip(hub.home / "systems" / "window-2-new", "window-2")
        rotation = access_pb2.RotateSystemKeysRequest(
            request_id=new_id(), name="systems/window-2", enrolment=enrolment
        )
        await zhao.call(zhao.access.RotateSystemKeys, rotation)
        await zhao.revoke("window-1")
        page = (DOCS / "formats" / "service-item.md").read_text(encoding="utf-8")
        shown = page.partition("```json\n")[2].partition("\n```")[0]
        await zhao.import_items(shown.encode())
        await draw_face(hub)
        await zhao.end_catalogue(LICENCE, "DEMO-RESTAURANT")
        await change_officers(hub)
        await hub.hub.ended_intents.refresh()
        await hub.hub.ended_intents.sum_up()
        entries = await hub.entries()
        for _ in range(100):
            if entries[-1]["kind"] == "heartbeat":
                break
            await asyncio.sleep(0.1)  # An idle log writes it by itself, after a second.
            entries = await hub.entries()

    # Only a database of before revision 0016 has keys to move (tests/contracts/test_seal_keys.py).
    # Sealed faces and time stamps have tests of their own, which ask `undocumented` too.
    elsewhere = {"seal_keys.moved", "document.sealed", "document.resealed", "checkpoint.stamped"}
    assert {body["kind"] for body in entries} == written_kinds() - elsewhere
    assert [(body["kind"], found) for body in entries if (found := undocumented(body))] == []


# -- Reasons ---------------------------------------------------------------------------------------


def cell(text: str) -> str:
    """A text as it stands in a table."""
    return text.replace("|", "\\|")


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_has_one_row_with_status_and_texts_of_the_code(reason: Reason) -> None:
    """Whoever meets a reason finds its status, both texts and what to do."""
    rows = [line for line in ERRORS.splitlines() if line.startswith(f"| `{reason}` |")]
    assert len(rows) == 1
    cells = [item.strip() for item in re.split(r"(?<!\\)\|", rows[0])[1:-1]]

    assert len(cells) == 5
    _, status, en, zh, remedy = cells
    assert status in (status_of(reason).name, "–")
    assert (en, zh) == (cell(TEXTS[reason].en), cell(TEXTS[reason].zh))
    assert len(remedy) > 2


def test_the_errors_page_lists_no_reason_that_is_not_there() -> None:
    """The page and the enum have the same members."""
    listed = re.findall(r"^\| `([A-Z0-9_]+)` \|", ERRORS, re.MULTILINE)

    assert sorted(listed) == sorted(reason.value for reason in Reason)


def test_a_reason_without_status_is_raised_by_no_component() -> None:
    """Only what never crosses the wire may be shown without a gRPC status."""
    without = set(re.findall(r"^\| `([A-Z0-9_]+)` \| – \|", ERRORS, re.MULTILINE))
    raised: set[str] = set()
    for tree in entry_sources().values():
        # A reason in a table of `rpc` is mapped there, not raised: only calls count.
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            raised |= {
                item.attr
                for item in [*call.args, *(keyword.value for keyword in call.keywords)]
                if isinstance(item, ast.Attribute)
                and isinstance(item.value, ast.Name)
                and item.value.id == "Reason"
            }

    assert without
    assert without & raised == set()
