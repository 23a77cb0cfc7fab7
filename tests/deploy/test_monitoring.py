"""Prometheus' and Grafana's files: judged by Prometheus' own tool and by what the hub exports."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hub.metrics import LatencyHistogram, Metrics
from tests.deploy.dashboard import DEPLOY, FILE, questions
from tests.prometheus_server import Programs

PROMETHEUS = DEPLOY / "prometheus"
VARIABLES = {"__rate_interval": "1m", "recipient": ".*", "issuer": ".*"}


def _labels() -> dict[str, frozenset[str]]:
    """Each name under which a sample is scraped, with the labels that it can have."""
    found = {}
    for metric in Metrics().registry._collector_to_names:
        if isinstance(metric, LatencyHistogram):
            name, kind, own = metric.name, "histogram", metric.labels
        else:
            name, kind, own = metric._name, metric._type, metric._labelnames
        labels = frozenset(own) | {"instance", "job"}
        if kind == "histogram":
            found[f"{name}_bucket"] = labels | {"le"}
            found[f"{name}_sum"] = found[f"{name}_count"] = labels
        else:
            found[name + ("_total" if kind == "counter" else "")] = labels
    return found


def _alerts() -> dict[str, str]:
    rules = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))
    return {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}


def _run(programs: Programs, *words: str | Path) -> str:
    """What `promtool` says; it must find nothing wrong."""
    done = subprocess.run(
        [programs.tool, *words], cwd=PROMETHEUS, capture_output=True, text=True, check=False,
        timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_configuration_and_the_alerts(prometheus: Programs) -> None:
    """Its own tool reads the files as the server does."""
    said = _run(prometheus, "check", "config", "prometheus.yml")

    assert f"{len(_alerts())} rules found" in said


def test_every_alert_rings_when_it_must_and_only_then(prometheus: Programs) -> None:
    """Prometheus' own rule tests; each alert is seen ringing, and each seen silent."""
    file = PROMETHEUS / "alerts_test.yml"
    _run(prometheus, "test", "rules", file)

    rings, silent = set(), set()
    for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
        for case in test["alert_rule_test"]:
            (rings if case["exp_alerts"] else silent).add(case["alertname"])
    assert rings == set(_alerts())
    # Of certificates that end, several stand in one case, and one does not ring.
    ends = {"SealwayCertificateEndsSoon", "SealwayCertificateEndsThisWeek"}
    assert silent == set(_alerts()) - ends


def test_every_question_of_the_dashboard_is_promql(prometheus: Programs, tmp_path: Path) -> None:
    """A panel with a syntax error shows nothing, and nobody is told."""
    rules = [
        {"record": f"dashboard:{number}", "expr": question.filled(VARIABLES)}
        for number, question in enumerate(questions())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    said = _run(prometheus, "check", "rules", file)

    assert f"{len(rules)} rules found" in said


@pytest.mark.parametrize(
    "expression",
    [*_alerts().values(), *(one.filled(VARIABLES) for one in questions())],
)
def test_names_and_labels_are_those_that_the_hub_exports(expression: str) -> None:
    """Whoever asks for a metric or a label that is not there gets silence for an answer."""
    known = _labels()
    bare = re.sub(r'"[^"]*"', '""', expression)
    names = set(re.findall(r"\bsealway_\w+", bare))
    assert names or "up" in bare
    assert names <= known.keys()
    shared = frozenset.union(*(known[name] for name in names)) if names else {"job", "instance"}

    selected = {
        label
        for selector in re.findall(r"\{([^}]*)\}", bare)
        for label in re.findall(r"(\w+)\s*(?:!=|=~|!~|=)", selector)
    }
    grouped = {
        label.strip() for listed in re.findall(r"\bby\s*\(([^)]*)\)", bare)
        for label in listed.split(",")
    }  # fmt: skip

    assert selected | grouped <= shared


def test_the_dashboard_shows_what_it_is_for() -> None:
    """Latency per pair of departments, epochs, ingest, expiry; each id and each place once."""
    board = json.loads(FILE.read_text(encoding="utf-8"))
    asked = " ".join(question.expression for question in questions())
    for name in (
        "sealway_exchange_seconds_bucket",
        "sealway_epoch_seconds_bucket",
        "sealway_ingest_rows_total",
        "sealway_x509_expire_timestamp_seconds",
    ):
        assert name in asked
    assert "sum by (le, recipient, issuer)" in asked
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_dashboard_asks_the_data_source_that_is_provisioned() -> None:
    """A panel on another data source stays empty."""
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    text = FILE.read_text(encoding="utf-8")

    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {source["uid"], "sealway"}
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose["services"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "sealway.yml").read_text())[
        "providers"
    ]
    mounted = {line.split(":")[1] for line in compose["services"]["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounted


def test_compose_names_only_what_is_there() -> None:
    """Mounted files, volumes, secrets and dependencies: a missing one ends `up` half-way."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert set(services) == {"hub", "postgres", "minio", "prometheus", "grafana"}
    named: set[str] = set()
    for service in services.values():
        assert set(service.get("secrets", ())) <= compose["secrets"].keys()
        assert set(service.get("depends_on", ())) <= services.keys()
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
            else:
                named.add(source)
        for image in (service.get("image", ":pinned"),):
            assert image.rpartition(":")[2] not in ("", "latest")
    assert named == compose["volumes"].keys()
    hubs = json.loads((PROMETHEUS / "hubs.compose.json").read_text())
    assert {target.split(":")[0] for hub in hubs for target in hub["targets"]} <= services.keys()
