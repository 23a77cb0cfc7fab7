"""A hub home with certificates on file, a platform that may fetch them, and the hub as a process.

The home is made by the product's own commands and API (`tests.simulator`), once per run; each
variant serves a copy of it with other settings.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
from cryptography.hazmat.primitives import serialization

from certs.keys import load_key, read_passphrase
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.proof.exchange.batch import BatchRoot, Purpose, row_leaf, sign_batch_root
from hub.proof.jose import es256_signer
from hub.proof.log.merkle import root as merkle_root
from hub.registry.v1 import registry_pb2
from tests import simulator as city
from tests.bench.jobs import FETCH_PATH, Job, Signing
from tests.bench.processes import SERVER_CORE, Server, read_line, running

ROWS_PER_BATCH: Final = 1_000
PLATFORM: Final = "window-1"
CONNECTOR: Final = "hz-connector"
# What the platform asks for: name and scope of a licence, found by its holder's credit code.
FIELDS: Final = city.ASKED
_SERVE: Final = re.compile(r"gRPC on port (\d+), HTTP on port (\d+)")
_START_TIMEOUT_S: Final = 300
_TOKEN_AGE_MAX_S: Final = 120


@dataclass(frozen=True, slots=True)
class Stage:
    """A home that is ready to be copied and served, and the files of those who call."""

    folder: Path
    home: Path
    certificates: int

    @property
    def holders_file(self) -> Path:
        return self.folder / "holders"

    @property
    def signing_key(self) -> Path:
        return self.folder / f"{PLATFORM}-signing.pem"

    @property
    def signing_public_key(self) -> Path:
        return self.folder / f"{PLATFORM}-signing.pub"

    def tls(self, system: str = PLATFORM) -> dict[str, str]:
        """Files of a system's side of TLS, as a `Job` names them."""
        return {
            "ca": str(self.home / "pki" / "trust" / "tls.pem"),
            "certificate": str(self.home / "systems" / system / "client.pem"),
            "key": str(self.folder / f"{system}-client.pem"),
        }

    def server_tls(self) -> tuple[str, ...]:
        """TLS options of a yardstick: those of the hub."""
        tls = self.home / "tls"
        return (
            *("--certificate", str(tls / "server.pem")),
            *("--key", str(tls / "server.key")),
            *("--client-ca", str(tls / "client-ca.pem")),
        )


@dataclass(slots=True)
class RunningHub:
    """`sealway serve` on one copy of the home."""

    stage: Stage
    server: Server
    address: str
    http: str
    _token: str = ""
    _token_time_s: float = 0.0

    def token(self, system: str = PLATFORM) -> str:
        """A token of a system that lasts for any segment."""
        if system != PLATFORM or time.monotonic() > self._token_time_s + _TOKEN_AGE_MAX_S:
            with self.channel(system) as channel:
                answer = access_pb2_grpc.AccessServiceStub(channel).CreateToken(
                    access_pb2.CreateTokenRequest(), timeout=60
                )
            if system != PLATFORM:
                return str(answer.access_token)
            self._token, self._token_time_s = answer.access_token, time.monotonic()
        return self._token

    @contextlib.contextmanager
    def channel(self, system: str) -> Iterator[grpc.Channel]:
        """A connection of a system."""
        tls = self.stage.tls(system)
        credentials = grpc.ssl_channel_credentials(
            Path(tls["ca"]).read_bytes(),
            Path(tls["key"]).read_bytes(),
            Path(tls["certificate"]).read_bytes(),
        )
        options = (("grpc.max_receive_message_length", 16 * 1024 * 1024),)
        with grpc.secure_channel(self.address, credentials, options=options) as channel:
            yield channel

    def signing(self, certificates: int = 1) -> Signing:
        """How requests of the platform are signed; they name the newest head, as clients do."""
        origin, size, root = self._get("/checkpoint").split("\n")[:3]
        return Signing(
            key_file=str(self.stage.signing_key),
            issuer=f"systems/{PLATFORM}",
            origin=origin,
            region=city.REGION,
            token=self.token(),
            vct=city.LICENCE_VCT,
            fields=FIELDS,
            holders_file=str(self.stage.holders_file),
            service_item=city.ITEM,
            basis=city.BASIS,
            certificates=certificates,
            log_origin=origin,
            log_size=int(size),
            log_root=base64.urlsafe_b64encode(base64.b64decode(root)).rstrip(b"=").decode(),
        )

    def job(self, target: str, *, seconds: float, requests_max: int, **more: object) -> Job:
        """A segment of fetches; `certificates` says how many each request names."""
        certificates = more.pop("certificates", 1)
        assert isinstance(certificates, int)
        return Job(
            target=target,
            address=self.address,
            path=FETCH_PATH,
            seconds=seconds,
            requests_max=requests_max,
            signing=self.signing(certificates),
            **self.stage.tls(),
            **more,  # type: ignore[arg-type]
        )

    def epochs(self) -> tuple[float, float]:
        """Epochs so far, and the entries in them."""
        text = self._get("/metrics")
        return _sample(text, "sealway_epoch_members_count"), _sample(
            text, "sealway_epoch_members_sum"
        )

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.http}{path}", timeout=60) as answer:
            return str(answer.read().decode())


def _sample(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def build(folder: Path, certificates: int) -> Stage:
    """A home with `certificates` licences on file; takes seconds, and more with their number."""
    stage = Stage(folder, folder / "home", certificates)
    city.make_home(stage.home)

    async def furnish() -> None:
        async with city.Simulator(stage.home) as hub:
            await _furnish(hub)
            connector = hub.connector(CONNECTOR)
            for first in range(0, certificates, ROWS_PER_BATCH):
                last = min(certificates, first + ROWS_PER_BATCH)
                rows = [city.licence(number) for number in range(first, last)]
                answer = await connector.deliver(rows)
                _check_all_new(answer)
            if certificates:
                # One answer is verified as a client verifies it before any is counted.
                await hub.platform(PLATFORM).fetch(holder=city.company(0))

    asyncio.run(furnish())
    holders = "".join(f"001 {city.company(number)}\n" for number in range(certificates))
    stage.holders_file.write_text(holders, encoding="ascii")
    _unlock_keys(stage)
    return stage


async def _furnish(hub: city.Simulator) -> None:
    """One department with seal and intent, its connector, and a platform with a grant."""
    zhao = hub.officer("zhao")
    title = "杭州市市场监督管理局"
    uscc = city.USCC
    await zhao.add_authority("hz-market", uscc["hz-market"], title, "330100")
    await zhao.add_authority("service-hall", uscc["service-hall"], "浙江省政务服务中心", "330000")
    await zhao.enrol(CONNECTOR, "hz-market", "connector")
    await zhao.enrol(PLATFORM, "service-hall", "platform")
    types = city.ROOT / "deploy" / "types"
    await zhao.publish((types / "business-licence.json").read_bytes())
    seal = await zhao.make_seal("hz-market", title)
    await zhao.propose("hz-licences", seal, city.LICENCE)
    for other in ("qian", "sun"):
        await hub.officer(other).approve("hz-licences")
    await zhao.grant("licence-to-window", PLATFORM)


def _check_all_new(answer: registry_pb2.IngestBatchesResponse) -> None:
    new = registry_pb2.RowResult.OUTCOME_NEW
    wrong = [result for result in answer.results if result.outcome != new]
    if wrong:
        raise RuntimeError(f"{len(wrong)} rows were not accepted; the first: {wrong[0]}")


def _unlock_keys(stage: Stage) -> None:
    """The load driver's copies: plain PEM, mode 0600, in a folder that is removed after the run."""
    for system, name in ((PLATFORM, "client"), (PLATFORM, "signing"), (CONNECTOR, "client")):
        folder = stage.home / "systems" / system
        key = load_key(folder / f"{name}.key", read_passphrase(folder / "passphrase"))
        path = stage.folder / f"{system}-{name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(city.unencrypted(key))
        if name == "signing":
            stage.signing_public_key.write_bytes(
                key.public_key().public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                )
            )


@contextlib.contextmanager
def serving(
    stage: Stage,
    name: str,
    *,
    ledger: Mapping[str, float] | None = None,
    environment: Mapping[str, str] | None = None,
    interpreter: Sequence[str] = (sys.executable,),
) -> Iterator[RunningHub]:
    """`sealway serve` on a copy of the home; `ledger` sets fields of that section.

    The copy is removed on leaving.
    """
    home = stage.folder / name
    city.copy_home(stage.home, home)
    settings = "".join(f"{key} = {value}\n" for key, value in (ledger or {}).items())
    file = home / "hub.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("[ledger]\n", f"[ledger]\n{settings}"))
    log = stage.folder / f"{name}.log"
    arguments = [*interpreter, "-m", "hub", "serve", "--config", str(file)]
    try:
        with running(arguments, core=SERVER_CORE, log=log, environment=environment) as server:
            line = read_line(server, _START_TIMEOUT_S, "sealway serve", log)
            found = _SERVE.search(line)
            if found is None:
                raise RuntimeError(f"sealway serve said: {line}")
            grpc_port, http_port = found.groups()
            yield RunningHub(
                stage, server, f"127.0.0.1:{grpc_port}", f"http://127.0.0.1:{http_port}"
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def batches(stage: Stage, count: int) -> list[registry_pb2.IngestBatchesRequest]:
    """Signed batches of new licences that follow what the stage has delivered."""
    folder = stage.home / "systems" / CONNECTOR
    signer = es256_signer(load_key(folder / "signing.key", read_passphrase(folder / "passphrase")))
    seq = -(-stage.certificates // ROWS_PER_BATCH)
    if seq:
        raise ValueError("batches continue an empty stage")
    prev = None
    made = []
    for number in range(count):
        first = number * ROWS_PER_BATCH
        rows = [
            registry_pb2.Row(
                salt=(first + row).to_bytes(32), row=city.emit_row(city.licence(first + row))
            )
            for row in range(ROWS_PER_BATCH)
        ]
        root = BatchRoot(
            purpose=Purpose.ROW,
            iss=f"systems/{CONNECTOR}",
            aud=city.ORIGIN,
            region=city.REGION,
            authority=city.USCC["hz-market"],
            connector="licences",
            batch=f"batch-{number + 1}",
            seq=number + 1,
            prev=prev,
            n=len(rows),
            root=merkle_root([row_leaf(row.salt, row.row) for row in rows]),
            vct=city.LICENCE_VCT,
            type_version=1,
            manifest=city.MANIFEST,
            iat=int(time.time()),
        )
        compact = sign_batch_root(root, signer)
        prev = city.chain_digest(compact)
        made.append(registry_pb2.IngestBatchesRequest(root_jws=compact, rows=rows))
    return made
