"""A hub process with licences on file, and a facade process before it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509

from connectors.facade.accounts import hash_secret
from hub.domain.row import Op
from hub.proof.trust import trust_file
from hub.registry.v1 import holders_pb2_grpc
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.v1 import seal_pb2
from tests import pdf_documents
from tests.chinese_font import FontAbsent, font_file
from tests.exchange.faced import SEAL, add_face, allow, make_seal
from tests.hub_process import HubProcess, free_port
from tests.proof import ofd_samples
from tests.registry.clerk import Clerk
from tests.registry.test_holders import merger
from tests.seal.faces.samples import plain_face
from tests.simulator import (
    BASIS,
    GRANTED,
    ITEM,
    LICENCE,
    PERMIT,
    PERMIT_VCT,
    ROOT,
    Simulator,
    citizen,
    company,
    copy_home,
    licence,
    permit,
)

SECRET: Final = "a secret of the tests"
START_S_MAX: Final = 60.0
OFD: Final = OfdPackage(
    {**ofd_samples.package().files, "Doc_0/Res/large.dat": bytes(range(256)) * 8_000}
).to_bytes()
CAUSE: Final = {
    "certificateSystemName": "示例办事平台",
    "certificateCallCategory": "0",
    "certificateMatterName": "食品经营许可",
    "certificateEventCode": ITEM,
    "certificateCopyCause": "核对申请人主体资格",
}
ALL: Final = [
    "getToken",
    "getDataByHolder",
    "queryCertInfoByHolderCode",
    "queryCertInfo",
    "downloadFile",
    "downloadUrl",
    "verifyCertInfo",
    "verifyFile",
    "queryCertInfoByQRcode",
    "getCertRemarkInfo",
]


@dataclass
class FacadeProcess:
    """The facade of one configuration; it does not run until `start`."""

    config: Path
    port: int
    log: Path = field(init=False)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serving when this returns; what it prints and logs is in `log`."""
        self.log = self.config.with_suffix(".log")
        command = [sys.executable, "-m", "hub", "facade", "serve", "--config", str(self.config)]
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
        deadline = time.monotonic() + START_S_MAX
        while b"Ctrl-C" not in self.log.read_bytes():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "the facade did not start in time"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """HTTP status and envelope of one call."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body,
            headers={"content-type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else {}


@dataclass
class Portal:
    """A system written for a provincial platform: it knows an address, a key and a secret."""

    facade: FacadeProcess
    app_key: str = "portal"
    token: str = ""

    def log_in(self, secret: str = SECRET) -> dict[str, Any]:
        """The answer of `getToken`; the token is kept."""
        data = {"appKey": self.app_key, "appSecret": secret}
        answer = self.raw("/getToken", {"head": {"accessId": self.app_key}, "data": data})
        self.token = answer["data"].get("accessToken", "")
        return answer

    def call(self, operation: str, *, cause: Any = CAUSE, **data: Any) -> dict[str, Any]:
        """The envelope of one call with this token and purpose."""
        if not self.token:
            assert self.log_in()["head"]["status"] == 0
        if cause is not None:
            data["useCause"] = cause
        head = {"accessId": self.app_key, "accessToken": self.token}
        return self.raw(f"/{operation.lstrip('/')}", {"head": head, "data": data})

    def raw(self, path: str, envelope: Any) -> dict[str, Any]:
        status, answer = self.facade.post(path, json.dumps(envelope).encode())
        assert status == 200, (status, answer)
        return answer


def write_config(file: Path, profile: Path, port: int, **changes: Any) -> Path:
    """A facade.toml with two accounts: `portal` may do everything, `narrow` very little."""
    kept = hash_secret(SECRET, bytes(16))
    section = {"address": f"127.0.0.1:{port}", "profile": str(profile), **changes}
    lines = ["[facade]", *(f"{name} = {json.dumps(value)}" for name, value in section.items())]
    fields = {LICENCE: [*GRANTED, "@document"], PERMIT: ["name", "@document"]}
    for name, operations, types, networks in (
        ("portal", ALL, fields, ["127.0.0.0/8"]),
        (
            "narrow",
            ["verifyCertInfo", "queryCertInfo", "downloadFile", "downloadUrl"],
            {LICENCE: ["name"]},
            ["127.0.0.0/8"],
        ),
        ("elsewhere", ALL, fields, ["192.0.2.0/24"]),
    ):
        lines += [
            "[[accounts]]",
            f'id = "{name}"',
            f'app_key = "{name}"',
            f'secret = "{kept}"',
            f"networks = {json.dumps(networks)}",
            f"operations = {json.dumps(operations)}",
            f'items = ["{ITEM}"]',
            f'basis = "{BASIS}"',
            f"calls_per_minute_max = {40 if name == 'narrow' else 100000}",
            "[accounts.types]",
            *(f"{code} = {json.dumps(names)}" for code, names in types.items()),
        ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


async def take_over(simulator: Simulator, successor: int, other: int) -> None:
    """Company `successor` has taken over company `other`, and its own licence has ended since."""
    connector, department = simulator.connector(), simulator.system("hz-department")
    answer = await connector.deliver([licence(successor), licence(other)])
    await department.call(
        holders_pb2_grpc.HolderServiceStub(department.channel).LinkHolderIdentifiers,
        merger(answer.results[0].certificate, other),
    )
    await connector.deliver([licence(successor, valid_until="2020-12-31")])


def has_font() -> bool:
    """Whether faces can be set here."""
    try:
        font_file()
    except FontAbsent:
        return False
    return True


async def pin_codes(simulator: Simulator) -> None:
    """Let who has the hub's trust file believe the codes that SEAL's key signs."""
    officer = simulator.officer()
    listed = await officer.call(officer.seal.ListKeys, seal_pb2.ListKeysRequest(seal=SEAL))
    (key,) = [one for one in listed.keys if one.use == "face"]
    pinned = x509.load_der_x509_certificate(key.x509_chain[0])
    trust = replace(simulator.trust, face_certificates=(pinned,))
    (simulator.home / "trust.json").write_bytes(trust_file(trust))


@pytest.fixture(scope="package")
def hub_process(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub with licences in several states and a person's qualification."""
    home = copy_home(city, tmp_path_factory.mktemp("facade") / "home")

    async def fill() -> None:
        async with Simulator(home) as simulator:
            connector = simulator.connector()
            rows = [licence(number) for number in range(1, 9)]
            rows += [licence(9, number="330100000009A"), licence(9, number="330100000009B")]
            rows += [licence(10, valid_until="2020-12-31"), licence(11)]
            delivered = await connector.deliver(rows)
            clerk = Clerk(simulator.system("hz-department"))
            for number in (1, 2, 3, 11):
                (row,) = (
                    result
                    for result, one in zip(delivered.results, rows, strict=True)
                    if one.number == company(number)
                )
                await clerk.upload(row.certificate, [document(number)])
                if number == 2:
                    halves = [OFD[:1_000_000], OFD[1_000_000:2_000_000], OFD[2_000_000:]]
                    await clerk.upload(row.certificate, halves, media_type="application/ofd")
            await simulator.officer().grant(
                "documents", "window-1", (*GRANTED, "@document"), type_code=LICENCE
            )
            await connector.deliver([licence(11, Op.REVOKE)])
            await connector.deliver([permit(1)], vct=PERMIT_VCT)
            await take_over(simulator, 13, 12)
            await simulator.officer().grant(
                "permits", "window-1", ("name", "@document"), type_code=PERMIT
            )
            if has_font():
                await make_seal(simulator)
                await add_face(simulator, plain_face(PERMIT), PERMIT)
                await allow(simulator, "permits", ["annotated-copy"], type_code=PERMIT)
                await allow(simulator, "licences", ["annotated-copy"])
                await pin_codes(simulator)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, fill()).result()
    process = HubProcess(home)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="package")
def facade(
    hub_process: HubProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FacadeProcess]:
    """A facade that signs as window-1."""
    port = free_port()
    file = tmp_path_factory.mktemp("facade-config") / "facade.toml"
    write_config(file, hub_process.profile("systems/window-1"), port)
    process = FacadeProcess(file, port)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def portal(facade: FacadeProcess) -> Portal:
    return Portal(facade)


def document(number: int) -> bytes:
    """The document of the licence of company `number`."""
    return pdf_documents.page(f"Licence {number}")


def holder(number: int) -> dict[str, str]:
    """Company `number` as callers name it."""
    return {"holderCode": company(number), "holderTypeCode": "001", "certTypeCode": LICENCE}


def person(number: int) -> dict[str, str]:
    """Person `number` as callers name it."""
    return {"holderCode": citizen(number), "holderTypeCode": "111", "certTypeCode": PERMIT}
