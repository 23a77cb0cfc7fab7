"""The signer process as the hub uses it: round trip, records one by one, records of a batch, files
and codes of faces.

The yardstick is `openssl speed` P-256 on one core. What is signed is what a real hub sent: every
request carries its intent, approvals and batch, and is checked anew; journal writes go to the disk.
"""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.seal.algorithms import Subject
from hub.seal.homes.process import SignerProcess
from hub.seal.homes.signers import SignerHome
from hub.seal.keys import DocumentWork, SigningKey
from hub.seal.v1 import signer_pb2 as pb
from tests.bench.figures import control_ratios, neighbour_ratios, spread, why_invalid
from tests.bench.machine import Steal, openssl_speed
from tests.bench.processes import DRIVER_CORE, ROOT
from tests.bench.session import Effort, Result
from tests.seal.mandates import USCC, Mandates, signer_process
from tests.simulator import Simulator, copy_home, licence, make_city

_SPEED_SECONDS = 1
_OURS_SECONDS = 0.5
_BATCH = 500

Values = list[tuple[str, float]]


def signer(effort: Effort) -> Result:
    """Per second of time: questions, requests with one record, records in requests of 500."""
    result = Result("signer")
    with tempfile.TemporaryDirectory(prefix="bench-signer-", dir=ROOT / ".test") as folder:
        city = Path(folder) / "city"
        make_city(city)
        home = copy_home(city, Path(folder) / "home")
        with (home / "hub.toml").open("a") as file:
            file.write('\n[seal]\nsigner = "process"\n')
        asyncio.run(_measured(home, effort, result))
    return result


async def _measured(home: Path, effort: Effort, result: Result) -> None:
    """What is signed is of now, within thirty seconds, so each round has requests of its own."""
    steal, values = Steal(), Values()
    async with Simulator(home) as hub:
        files = hub.hub.seals.keys.homes["files"]
        assert isinstance(files, SignerHome)
        assert isinstance(files.signer, SignerProcess)
        with tempfile.TemporaryDirectory(prefix="bench-faces-", dir=ROOT / ".test") as folder:
            faces = Faces.begin(Path(folder))
            for number in range(effort.rounds):
                requests = [await _sent(hub, number, count) for count in (1, _BATCH)]
                programs = _programs(files.signer, requests) | faces.programs()
                if not await asyncio.to_thread(_measure, programs, result, values):
                    return
            faces.process.close()
    _openssl(result, values)
    _report(result, values, steal)


async def _sent(hub: Simulator, number: int, count: int) -> pb.SignRecords:
    """The request that a batch of `count` rows made in round `number`."""
    sent: list[pb.SignRecords] = []
    sign = SignerProcess.sign

    def keep(process: SignerProcess, request: pb.SignRecords) -> list[bytes]:
        sent.append(request)
        return sign(process, request)

    SignerProcess.sign = keep  # type: ignore[method-assign]
    try:
        first = 1 + (number * 2 + (count > 1)) * _BATCH
        rows = [licence(first + row) for row in range(count)]
        await hub.connector().deliver(rows)
    finally:
        SignerProcess.sign = sign  # type: ignore[method-assign]
    return sent[-1]


def _programs(
    process: SignerProcess, requests: Sequence[pb.SignRecords]
) -> dict[str, tuple[Callable[[], object], int]]:
    """What is called, and how many records each call signs."""
    single, batch = requests
    question = pb.SignerCall(check=pb.CheckSignerHome(home="files"))
    return {
        "round trip": (lambda: process.ask(question), 1),
        "records, one by one": (lambda: _sign(process, single), 1),
        f"records, {_BATCH} in one": (lambda: _sign(process, batch), _BATCH),
    }


def _measure(
    programs: Mapping[str, tuple[Callable[[], object], int]], result: Result, values: Values
) -> bool:
    """One round. False where there is no yardstick."""
    if not _openssl(result, values):
        return False
    for name, (call, count) in programs.items():
        values.append((name, _rate(call) * count))
    return True


def _report(result: Result, values: Values, steal: Steal) -> None:
    control = control_ratios(values, "openssl P-256 sign")
    result.steal = steal.share()
    result.ratio("control", control)
    result.invalid = why_invalid(control, result.steal, 0)
    for name in ("records, one by one", f"records, {_BATCH} in one"):
        title = f"{name} ÷ openssl P-256 sign"
        result.ratio(title, neighbour_ratios(values, name, "openssl P-256 sign"), None)
    for name in dict.fromkeys(name for name, _ in values):
        result.figures[f"{name} per second"] = spread([v for n, v in values if n == name]).median


@dataclass(frozen=True)
class Faces:
    """A process of its own, with keys for files and codes of small faces."""

    process: SignerProcess
    ofd: SigningKey
    pdf: SigningKey
    code: SigningKey

    @classmethod
    def begin(cls, folder: Path) -> Faces:
        """Start it and make the keys."""
        mandates = Mandates()
        process = signer_process(folder, mandates)
        home = SignerHome(process, "files", Custody.HUB_FILE, frozenset(KeyAlgorithm))

        def key(algorithm: KeyAlgorithm, use: KeyUse) -> SigningKey:
            subject = Subject("seal", "authority", USCC)
            public = mandates.make(home, algorithm, use, subject).public
            return home.open(public.kid, algorithm, use, (mandates.certificate(public),))

        return cls(
            process,
            key(KeyAlgorithm.SM2, KeyUse.OFD),
            key(KeyAlgorithm.ES256, KeyUse.PDF),
            key(KeyAlgorithm.ES256, KeyUse.FACE),
        )

    def programs(self) -> dict[str, tuple[Callable[[], object], int]]:
        """What is signed is of now, within thirty seconds, so it is composed for each round."""
        evidence = self.process.evidence
        assert isinstance(evidence, Mandates)
        mandates = dataclasses.replace(evidence, now=int(time.time()))
        standing = mandates.standing(uses_max=1_000_000)
        ofd, pdf = mandates.document(self.ofd, standing), mandates.document(self.pdf, standing)
        code = mandates.code(self.code, standing)
        return {
            "OFD of a face": (lambda: self.ofd.sign_document(_again(ofd)), 1),
            "PDF of a face": (lambda: self.pdf.sign_document(_again(pdf)), 1),
            "code of a face": (lambda: self.code.sign_face_code(code), 1),
        }


def _again(work: DocumentWork) -> DocumentWork:
    """The same file under a new id: under its own the process would answer what it has signed."""
    return dataclasses.replace(work, request_id=str(uuid.uuid4()))


def _sign(process: SignerProcess, request: pb.SignRecords) -> None:
    """The same records under a new id: signed, counted and written down anew. A record is of now,
    within thirty seconds."""
    request.request_id = str(uuid.uuid4())
    assert len(process.sign(request)) == len(request.records)


def _rate(call: Callable[[], object]) -> float:
    """Calls per second."""
    calls, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < _OURS_SECONDS:
        call()
        calls += 1
    return calls / spent


def _openssl(result: Result, values: Values) -> bool:
    speed, why_not = openssl_speed("ecdsap256", _SPEED_SECONDS, DRIVER_CORE)
    if speed is None:
        result.skipped = why_not
        return False
    values.append(("openssl P-256 sign", speed.sign))
    return True
