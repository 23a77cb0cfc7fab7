"""`kill -9` of the connector at every durable step of a run, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.sample import Sample, write_sample
from hub.proof.log.receipt import open_proof, parse_receipt
from tests.conftest import ROOT
from tests.faults.processes import (
    EPOCH,
    Armed,
    HubProcess,
    Journal,
    Launcher,
    check_home,
    hub_process,
)
from tests.simulator import USCC

COMPANIES = 7
PAGE_ROWS = 8
STEPS_MAX = 80
RUN_S_MAX = 30.0
SOME_QUARANTINED = 6

COMMIT = ["before commit", "after commit"]
CREATE = ["after create .lock", "after create .sqlite"]
# A page: staged, sent, settled.
PAGE = [*COMMIT, "before submit", "after submit", *COMMIT]
# Schema, begin of the run, two pages, what is gone from quarantine, end of the run.
RUN = [*CREATE, *COMMIT, *COMMIT, *PAGE, *PAGE, *COMMIT, *COMMIT]


@dataclass
class ConnectorProcess:
    """`sealway connect run` of one manifest on one file, as a process."""

    launcher: Launcher
    hub: HubProcess
    folder: Path

    def prepare(self, number: int) -> Sample:
        """A connector without memory, and a file of two pages that no other one has."""
        types, manifests = self.folder / "types", self.folder / "connectors"
        for folder in (types, manifests):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "deploy" / "types" / "business-licence.json", types)
        text = (ROOT / "deploy" / "connectors" / "business-licence-csv.yaml").read_text()
        self.id = f"licences-{number}"
        self.manifest = manifests / f"{self.id}.yaml"
        self.manifest.write_text(text.replace("id: business-licence-csv", f"id: {self.id}"))
        self.sample = write_sample(
            self.folder / f"files-{number}", companies=COMPANIES, first=100 * number
        )
        self.fault = Armed(self.folder / "process")
        return self.sample

    async def run(self) -> int:
        """Run it once; the exit status, −9 where it was killed."""
        return await self.ended(self.begin())

    def begin(self) -> int:
        """Begin a run; its process id."""
        command = ["connect", "run", str(self.manifest), "--file", str(self.sample.csv)]
        command += ["--authority", USCC["hz-market"], "--json"]
        command += ["--profile", str(self.hub.profile("systems/hz-connector"))]
        return self.launcher.run(
            self.fault.folder, command, {"connectors.run.PAGE_RECORDS_MAX": PAGE_ROWS}
        )

    async def ended(self, pid: int) -> int:
        """The exit status of a run, once it is over."""
        status = await asyncio.to_thread(self.launcher.wait, pid, RUN_S_MAX)
        assert status is not None, self.fault.output
        return status

    def report(self) -> Mapping[str, Any]:
        """The document that the last run printed."""
        text = self.fault.output
        document: dict[str, Any] = json.JSONDecoder().raw_decode(text[text.index("{") :])[0]
        return document

    def receipts(self) -> list[str | None]:
        """The receipt of each batch in its outbox, in the order of the chain."""
        file = next(self.hub.home.rglob(f"{self.id}.sqlite"))
        with contextlib.closing(sqlite3.connect(file)) as db:
            return [row[0] for row in db.execute("SELECT receipt FROM batches ORDER BY seq")]


@pytest.mark.slow
async def test_a_connector_killed_at_any_durable_step_delivers_each_row_once(
    launcher: Launcher, home: Path, tmp_path: Path
) -> None:
    """The next plain run finishes and balances; each good row is one certificate, each batch has
    its receipt, and the broken rows wait in quarantine once."""
    died_at, made = [], 0
    async with hub_process(launcher, home) as hub:
        await hub.start()
        connector = ConnectorProcess(launcher, hub, tmp_path / "connector")
        for number in range(1, STEPS_MAX):
            sample = connector.prepare(number)
            connector.fault.arm(number)

            status = await connector.run()

            noted = connector.fault.disarm()
            if status != -signal.SIGKILL:
                assert status == SOME_QUARANTINED
                assert noted == RUN
            else:
                died_at.append(noted[-1])
                assert await connector.run() == SOME_QUARANTINED, connector.fault.output
            made += COMPANIES
            check_balance(connector.report(), sample)
            check_receipts(connector, hub)
            assert await certificates(hub) == made
            if status != -signal.SIGKILL:
                break
    assert died_at == RUN
    await check_home(home, Journal())


@pytest.mark.slow
@pytest.mark.parametrize("step", ["before commit", "after commit", "before answer"])
async def test_a_connector_outlives_a_hub_that_is_killed_and_comes_back(
    launcher: Launcher, home: Path, tmp_path: Path, step: str
) -> None:
    """The same run sends the same batch again and ends as if nothing had happened."""
    async with hub_process(launcher, home) as hub:
        await hub.start()
        hub.keep_port()
        connector = ConnectorProcess(launcher, hub, tmp_path / "connector")
        sample = connector.prepare(1)
        hub.fault.arm(EPOCH.index(step) + 1)
        pid = connector.begin()

        assert await hub.killed() == -signal.SIGKILL
        assert hub.fault.disarm()[-1] == step
        await hub.start()

        assert await connector.ended(pid) == SOME_QUARANTINED, connector.fault.output
        report = connector.report()
        check_balance(report, sample)
        assert (report["new"], report["resumed"]) == (COMPANIES, False)
        check_receipts(connector, hub)
        assert await certificates(hub) == COMPANIES
    await check_home(home, Journal())


def check_balance(report: Mapping[str, Any], sample: Sample) -> None:
    """Every row of the file ended in exactly one way, each good one accepted now or before."""
    ends = ("accepted", "unchanged", "quarantined", "refused", "skipped")
    assert report["read"] == sum(report[end] for end in ends) == sample.rows
    assert report["accepted"] + report["unchanged"] == COMPANIES
    assert report["quarantined"] == report["quarantine_open"] == sample.broken


def check_receipts(connector: ConnectorProcess, hub: HubProcess) -> None:
    """Two batches, the receipt of each on disk and genuine."""
    receipts = connector.receipts()
    assert len(receipts) == 2
    for text in receipts:
        assert text is not None
        receipt = parse_receipt(text.encode())
        open_proof(receipt, receipt.proof, hub.trust.log)


async def certificates(hub: HubProcess) -> int:
    """How many certificates the running hub has on file."""
    with contextlib.closing(sqlite3.connect(hub.home / "data" / "hub.db")) as db:
        found: int = db.execute("SELECT count(*) FROM registry_certificates").fetchone()[0]
    return found
