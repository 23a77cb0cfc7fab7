"""A hub that stops, comes back, or comes back wrong: what the commands make of it."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.outbox import read_outbox
from connectors.sample import CSV_NAME, write_sample
from tests.cli.conftest import Sealway
from tests.hub_process import HubProcess
from tests.simulator import ORIGIN, ROOT, USCC, copy_home

pytestmark = pytest.mark.xdist_group("running-hub")

MANIFEST = ROOT / "deploy" / "connectors" / "business-licence-csv.yaml"
CONNECTOR = "business-licence-csv"
COMPANIES = 2400
BROKEN = 6


@pytest.fixture
def own(city: Path, tmp_path: Path) -> Iterator[HubProcess]:
    """A furnished hub for one test; it does not run yet."""
    process = HubProcess(copy_home(city, tmp_path / "hub"))
    yield process
    process.stop(signal.SIGKILL)


@pytest.mark.slow
def test_a_run_whose_hub_dies_keeps_its_rows_and_ends_where_it_would_have(
    own: HubProcess, sealway: Sealway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two batches: exit 7; the same command goes on, nothing lost or doubled."""
    # Patience is a constant; the way is the real one.
    monkeypatch.setattr("connectors.submit.ATTEMPTS_MAX", 1)
    write_sample(tmp_path, companies=COMPANIES)
    own.start()
    state = tmp_path / "state"
    department = own.profile("systems/hz-department")
    run = (
        *("connect", "run", MANIFEST, "--file", tmp_path / CSV_NAME, "--state", state),
        *("--authority", USCC["hz-market"], "--profile", own.profile("systems/hz-connector")),
    )

    killer = threading.Thread(target=_kill_after_first_batch, args=(own, state))
    killer.start()
    broken_off = sealway(*run, "--json")
    killer.join()
    with read_outbox(state, CONNECTOR) as outbox:
        assert outbox is not None
        left = outbox.open_run()
        assert left is not None
        kept, before = outbox.unanswered(left.id), outbox.counts(left.id)
    own.start()
    resumed = sealway(*run, "--json")
    again = sealway(*run, "--json")
    found = sealway(
        *("certificate", "search", "--authority", "hz-market", "--profile", department, "--json")
    )

    assert broken_off.code == 7
    assert broken_off.document["error"]["reason"] == "HUB_UNAVAILABLE"
    assert kept is not None
    assert 0 < before.accepted < COMPANIES
    assert (resumed.code, resumed.document["resumed"]) == (6, True)
    assert resumed.document["read"] == COMPANIES + BROKEN
    assert resumed.document["accepted"] == COMPANIES
    assert (again.document["unchanged"], again.document["accepted"]) == (COMPANIES, 0)
    assert len({item["name"] for item in found.document["certificates"]}) == COMPANIES


def test_doctor_and_serve_refuse_a_restored_old_database(
    own: HubProcess, sealway: Sealway, tmp_path: Path
) -> None:
    """The external head is ahead of it: going on would fork the log."""
    old = shutil.copytree(own.home / "data", tmp_path / "backup")
    own.start()
    granted = sealway(
        *("grant", "add", "later", "--recipient", "window-2", "--type", "11100000MB0143028R001"),
        *("--field", "name", "--item", "331022003000", "--basis", "行政许可法 第三十一条"),
        *("--from", "2026-01-01", "--until", "2026-12-31"),
        *("--profile", own.profile("officers/zhao")),
    )
    own.stop()
    shutil.rmtree(own.home / "data")
    shutil.copytree(old, own.home / "data")

    doctor = sealway("doctor", "--config", own.config, "--json")
    serve = sealway("serve", "--config", own.config)

    assert granted.code == 0, granted.err
    marks = {check["check"]: check for check in doctor.document["checks"]}
    assert doctor.code == 1
    assert marks["database and log"]["mark"] == "fault"
    assert marks["database and log"]["detail"]["en"] == "LOG_ROLLED_BACK"
    assert marks["database and log"]["remedy"]["zh"]
    assert serve.code == 1
    assert "LOG_ROLLED_BACK" in serve.err


@pytest.mark.parametrize(
    ("table", "key", "column"),
    [
        ("access_authorities", "name", "uscc"),
        ("exchange_grants", "id", "fields"),
        ("registry_types", "code", "metadata"),
    ],
)
def test_the_audit_names_table_and_key_of_a_flipped_byte(
    own: HubProcess, sealway: Sealway, table: str, key: str, column: str
) -> None:
    """Clean before; after, exit 1 and the one row that was changed."""
    audit = ("log", "audit", "--config", own.config)
    clean = sealway(*audit, "--json")
    with contextlib.closing(sqlite3.connect(own.home / "data" / "hub.db")) as db, db:
        name, value = db.execute(f"SELECT {key}, {column} FROM {table} LIMIT 1").fetchone()
        data = bytearray(value if isinstance(value, bytes) else value.encode())
        data[len(data) // 2] ^= 1
        changed = bytes(data) if isinstance(value, bytes) else data.decode()
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (changed, name))

    found = sealway(*audit, "--json")
    shown = sealway("--lang", "zh", *audit)

    assert (clean.code, clean.document["findings"]) == (0, [])
    assert found.code == shown.code == 1
    (finding,) = found.document["findings"]
    assert finding["table"] == table
    assert name in finding["key"]
    assert table in shown.out
    assert "发现 1 处问题" in shown.out


def _kill_after_first_batch(hub: HubProcess, state: Path) -> None:
    """End the hub as soon as the outbox holds a receipt of the run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with read_outbox(state, CONNECTOR) as outbox, contextlib.suppress(sqlite3.Error):
            run = None if outbox is None else outbox.open_run()
            if outbox is not None and run is not None and outbox.receipts(run.id):
                break
        time.sleep(0.005)
    hub.stop(signal.SIGKILL)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_hub_says_once_where_it_serves(own: HubProcess, options: tuple[str, ...]) -> None:
    """To a person or as JSON; a supervisor waits for it and need not try the ports."""
    command = [sys.executable, "-m", "hub", "serve", "--config", str(own.config), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        while options and not said.endswith("}\n"):
            said += process.stdout.readline()
        with socket.create_connection(("127.0.0.1", own.port), timeout=5):
            pass
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=60)

    ports = {"grpc_port": own.port, "http_port": own.http_port}
    if options:
        assert json.loads(said) == {"origin": ORIGIN, **ports}
    else:
        assert said == (
            f"Sealway hub {ORIGIN}: gRPC on port {own.port}, HTTP on port {own.http_port}. "
            "Ctrl-C stops it.\n"
        )
    assert (rest, process.returncode) == ("", 0)
