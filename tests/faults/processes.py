"""Hubs and connectors as processes of their own, and a client's journal of what it was promised."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import select

from hub import upkeep
from hub.config import load
from hub.domain.row import Row
from hub.exchange.v1 import exchange_pb2
from hub.ledger.audit import AuditReport, audit
from hub.proof.exchange import request as signed
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.jose import LogHead
from hub.proof.log.receipt import open_proof, parse_receipt
from hub.registry.store import CERTIFICATES
from hub.registry.v1 import registry_pb2
from hub.storage.statements import question
from tests.conftest import ROOT
from tests.simulator import (
    USCC,
    Connector,
    Platform,
    Refused,
    Simulator,
    by_holder,
    chain_digest,
)

# How long a campaign is: kills under load, and how much of what is alike is left out.
ROUNDS_USUAL = 12
ROUNDS = int(os.environ.get("FAULT_ROUNDS", ROUNDS_USUAL))
START_S_MAX = 30.0
_AT_ONCE = 16
# How a call ends whose hub is gone or has stopped recording: nobody decided.
UNDECIDED = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
# What gRPC's client says by itself where the connection breaks before a stream has begun.
LOST = "Internal error from Core"

# An epoch: commit, the head; then the answers.
EPOCH = [
    "before commit",
    "after commit",
    "before fdatasync checkpoint",
    "after fdatasync checkpoint",
    "before answer",
]

_NUMBERS = question(
    "every number on file",
    select(CERTIFICATES.c.authority, CERTIFICATES.c.type_code, CERTIFICATES.c.number_index),
)


class Launcher:
    """The process of `tests.faults.launcher`; usable from several threads."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.launcher"],
            cwd=ROOT,
            env={**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._turn = threading.Lock()

    def run(
        self, folder: Path, arguments: Sequence[str], settings: Mapping[str, object] | None = None
    ) -> int:
        """Begin `sealway ARGUMENTS` with its files in `folder`; the process id."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "output").unlink(missing_ok=True)
        order = {"run": list(arguments), "folder": str(folder), "set": dict(settings or {})}
        pid: int = self._order(order)["pid"]
        return pid

    def derive_keys(self, home: Path) -> None:
        """Spare later hubs on copies of `home` the derivation of its keys."""
        keys = home / "keys"
        self._order({"keys": str(keys), "passphrase": str(keys / "passphrase")})

    def wait(self, pid: int, seconds: float) -> int | None:
        """The exit status, −signal when killed; None where it runs on after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            status: int | None = self._order({"wait": pid, "seconds": 0})["status"]
            if status is not None or time.monotonic() > end:
                return status
            time.sleep(0.005)

    def close(self) -> None:
        """End it, and with it everything it started."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@dataclass
class Armed:
    """The folder of a process, and when it is to die."""

    folder: Path

    def arm(self, step: int) -> None:
        """Note durable steps from now on and die at number `step`; 0: only note them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / "arm.new"
        draft.write_text(str(step))
        draft.replace(self.folder / "arm")

    def disarm(self) -> list[str]:
        """The steps noted since it was armed."""
        (self.folder / "arm").unlink(missing_ok=True)
        file = self.folder / "steps"
        noted = file.read_text().splitlines() if file.exists() else []
        if noted:
            os.truncate(file, 0)
        return noted

    @property
    def output(self) -> str:
        """What the process has printed so far."""
        file = self.folder / "output"
        return file.read_text(encoding="utf-8") if file.exists() else ""


class NotStarted(Exception):  # what a hub did
    """A hub that ended before it served: exit status and what it said."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status, self.text = status, text


class HubProcess(Simulator):
    """A hub as its own process on the home at `home`; clients call it as they call a simulator."""

    def __init__(
        self, launcher: Launcher, home: Path, name: str = "hub", config: str = "hub.toml"
    ) -> None:
        """`name` is that of its folder beside the home, `config` of its configuration in it."""
        super().__init__(home)
        self.fault = Armed(home.parent / f"{home.name}-{name}")
        self._launcher = launcher
        self._config_file = home / config
        self._pid = 0
        self._ports = (0, 0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Serve. Raises NotStarted."""
        pid = self._launcher.run(self.fault.folder, ["serve", "--config", str(self._config_file)])
        self._pid = pid
        end = time.monotonic() + START_S_MAX
        while True:
            found = re.search(r"gRPC on port (\d+), HTTP on port (\d+)", self.fault.output)
            if found:
                self._ports = (int(found[1]), int(found[2]))
                return
            status = self._launcher.wait(pid, 0)
            if status is not None:
                self._pid = 0
                raise NotStarted(status, self.fault.output)
            if time.monotonic() > end:
                await self.kill()
                raise RuntimeError(f"the hub did not start: {self.fault.output}")
            await asyncio.sleep(0.01)

    async def stop(self) -> int | None:
        """End it gracefully, by force where that takes too long; its exit status."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int | None:
        """`kill -9`; its exit status."""
        return await self._end(signal.SIGKILL)

    async def killed(self) -> int | None:
        """The exit status of a hub that is going to reach the step at which it dies."""
        return await self.gone(START_S_MAX)

    async def gone(self, seconds: float = 0.3) -> int | None:
        """The exit status of a hub that was killed by its own step; None where it runs on."""
        status = await asyncio.to_thread(self._launcher.wait, self._pid, seconds)
        if status is not None:
            self._pid = 0
            await self.hang_up()
        return status

    async def hang_up(self) -> None:
        """Close every client connection; the next use opens a new one."""
        for member in self._members.values():
            await member.channel.close()
        self._members.clear()

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        return self._pid

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def http_port(self) -> int:
        """Where status lists are served."""
        return self._ports[1]

    def connector(self, name: str = "hz-connector") -> Connector:
        connector: Connector = self._member(Connector, f"systems/{name}")
        connector.authority_uscc = USCC[name.replace("connector", "market")]
        return connector

    def keep_port(self) -> None:
        """Serve on the same port after each restart, as clients with a profile need it."""
        text = self._config_file.read_text()
        address = re.compile(r'(?ms)^(\[grpc\]\naddress = ")[^"]*')
        self._config_file.write_text(address.sub(rf"\g<1>{self.address}", text))

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /health."""
        return await asyncio.to_thread(_get, f"http://127.0.0.1:{self._ports[1]}/health")

    async def _end(self, number: int) -> int | None:
        await self.hang_up()
        if not self._pid:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)
        status = await asyncio.to_thread(self._launcher.wait, self._pid, 15)
        if status is None:
            os.kill(self._pid, signal.SIGKILL)
            status = await asyncio.to_thread(self._launcher.wait, self._pid, 15)
        self._pid = 0
        return status


def _get(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@dataclass(frozen=True)
class Asked:
    """A signed request as it was sent, and the token that it names."""

    request_id: str
    compact: str
    token: str


@dataclass(frozen=True)
class Delivery:
    """A signed batch as it was sent, and what the next one continues."""

    system: str
    data: bytes
    chain: tuple[int, str]


@dataclass
class Journal:
    """What clients were promised: every byte of each answer, beside what was sent for it."""

    answered: dict[str, tuple[Asked, bytes]] = field(default_factory=dict)
    delivered: list[tuple[Delivery, bytes]] = field(default_factory=list)
    head: LogHead | None = None

    async def ask(self, platform: Platform, *holders: str) -> Asked:
        """A request for the licences of `holders`, under the newest head that was seen."""
        platform.head = self.head
        wanted = tuple(by_holder(holder) for holder in holders)
        token = await platform.token()
        claims = await platform.claims(certificates=wanted)
        return Asked(claims.jti, signed.sign_request(claims, platform.signer), token)

    async def fetch(self, platform: Platform, asked: Asked) -> bytes:
        """Send it, verify the answer, note it. Raises Refused and ProofError."""
        data = await platform.send_raw(asked.compact, asked.request_id, token=asked.token)
        verified = platform.verify(data, asked.request_id).verified
        if self.head is None or verified.head.size > self.head.size:
            self.head = verified.head
        self.answered[asked.request_id] = (asked, data)
        return data

    async def batch(self, connector: Connector, rows: Sequence[Row]) -> Delivery:
        """The next batch of `connector`, signed."""
        ends = [one.chain for one, _ in self.delivered if one.system == connector.name]
        connector._chain = ends[-1] if ends else (0, None)
        root, salted = await connector.batch(rows)
        compact = sign_batch_root(root, connector.signer)
        message = registry_pb2.IngestBatchesRequest(root_jws=compact, rows=salted)
        data, chain = message.SerializeToString(), (root.seq, chain_digest(compact))
        return Delivery(connector.name, data, chain)

    async def deliver(self, connector: Connector, delivery: Delivery) -> bytes:
        """Send it, verify the receipt, note the answer. Raises Refused and ProofError."""
        data = await connector.send_raw(delivery.data)
        receipt = registry_pb2.IngestBatchesResponse.FromString(data).receipt
        parsed = parse_receipt(receipt.json.encode())
        open_proof(parsed, parsed.proof, connector.hub.trust.log)
        self.delivered.append((delivery, data))
        return data

    async def check(self, hub: Simulator, answers_max: int = 1000) -> None:
        """Everything acknowledged is still there: each repetition is answered with the same bytes,
        and what they say verifies."""
        repeated = list(self.answered.values())[-answers_max:]
        for start in range(0, len(repeated), _AT_ONCE):
            some = repeated[start : start + _AT_ONCE]
            await asyncio.gather(*(self._check_answer(hub, *one) for one in some))
        for delivery, answer in self.delivered:
            connector = hub.connector(delivery.system.removeprefix("systems/"))
            assert await connector.send_raw(delivery.data) == answer

    async def _check_answer(self, hub: Simulator, asked: Asked, answer: bytes) -> None:
        platform = hub.platform()
        data = await platform.send_raw(asked.compact, asked.request_id, token=asked.token)
        assert data == answer
        platform.verify(data, asked.request_id)


async def check_home(home: Path, journal: Journal) -> AuditReport:
    """The stopped hub's data: the audit is clean, each promise stands at its place in the log, and
    nothing is there twice."""
    report = await audited(home)
    assert report.findings == []
    async with Simulator(home) as hub:
        entries = await hub.entries()
        ids = Counter(
            (body["kind"], body["caller"], body["request_id"])
            for body in entries
            if body["kind"] in ("fetch", "ingest")
        )
        assert [one for one, count in ids.items() if count > 1] == []
        for asked, answer in journal.answered.values():
            receipt = exchange_pb2.FetchCertificatesResponse.FromString(answer).receipt
            assert entries[receipt.entry]["request_id"] == asked.request_id
        for delivery, answer in journal.delivered:
            receipt = registry_pb2.IngestBatchesResponse.FromString(answer).receipt
            body = entries[receipt.entry]
            assert (body["caller"], body["data"]["seq"]) == (
                delivery.system,
                delivery.chain[0],
            )
        await _check_certificates(hub)
    return report


async def _check_certificates(hub: Simulator) -> None:
    """One certificate per number, one version of each, since no row changed anything."""
    state = await hub.state()
    tables = {name: len(rows) for name, rows in state.tables.items()}
    numbers = set()
    async for rows in hub.hub.database.scan(_NUMBERS):
        numbers.update(rows)
    assert len(numbers) == tables["registry_certificates"] == tables["registry_versions"]


async def audited(home: Path) -> AuditReport:
    """`sealway log audit` on the home of a hub, running or not."""
    report = AuditReport()
    async with upkeep.open_ledger_for_audit(load(home / "hub.toml")) as opened:
        async for _ in audit(
            opened.database,
            opened.data_keys,
            metadata=opened.metadata,
            trust=opened.trust,
            external_head=opened.external_head,
            report=report,
        ):
            pass
    return report


async def undecided(work: Any) -> bool:
    """Whether `work` ended without a decision; any refusal that is one fails the test."""
    try:
        await work
    except Refused as refusal:
        assert refusal.status in UNDECIDED or refusal.message == LOST, refusal
        return True
    return False


@contextlib.contextmanager
def launching() -> Iterator[Launcher]:
    """A launcher, ended with everything that it started."""
    launcher = Launcher()
    try:
        yield launcher
    finally:
        launcher.close()


@contextlib.asynccontextmanager
async def hub_process(
    launcher: Launcher, home: Path, name: str = "hub"
) -> AsyncIterator[HubProcess]:
    """A hub that has not been started, ended in any case."""
    hub = HubProcess(launcher, home, name)
    try:
        yield hub
    finally:
        await hub.stop()
