"""A client in another language: `grpcurl` (Go), which knows of the API only what the hub reflects.

It is built once from its pinned module into `.test/bin`, outside of what is committed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from certs.keys import load_key, read_passphrase
from hub.ledger.v1 import ledger_pb2
from hub.proof.encoding import b64u
from hub.proof.log.note import open_checkpoint
from tests.conftest import ROOT
from tests.simulator import Simulator, copy_home, unencrypted

VERSION: Final = "v1.9.3"
MODULE: Final = f"github.com/fullstorydev/grpcurl/cmd/grpcurl@{VERSION}"
BUILD_S_MAX: Final = 900
CALL_S_MAX: Final = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(BUILD_S_MAX),
]


@dataclass(frozen=True)
class Ran:
    """How one call ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Grpcurl:
    """`grpcurl` as one member of the city, over mutual TLS."""

    program: Path
    hub: Simulator
    folder: Path

    async def __call__(
        self, *words: str, data: str = "", certificate: bool = True, token: str = ""
    ) -> Ran:
        """Run it; `words` follow the address, `data` is the request as JSON."""
        arguments = ["-cacert", str(self.folder / "ca.pem"), "-connect-timeout", "5"]
        if certificate:
            arguments += ["-cert", str(self.folder / "client.pem")]
            arguments += ["-key", str(self.folder / "client.pem.key")]
        if data:
            arguments += ["-d", data]
        environment = dict(os.environ)
        if token:
            # A token on the command line could be read by every user of the machine.
            environment["TOKEN"] = token
            arguments += ["-expand-headers", "-H", "authorization: Bearer ${TOKEN}"]
        process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            self.hub.address,
            *words,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(CALL_S_MAX):
            out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())


@pytest.fixture(scope="module")
def program() -> Path:
    """The built program; skipped where it cannot be had, which CI does not accept."""
    built = ROOT / ".test" / "bin" / f"grpcurl-{VERSION}"
    if built.is_file():
        return built
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go toolchain: the client in another language was not built")
    folder = built.parent
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, "install", MODULE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_S_MAX,
        check=False,
    )
    if done.returncode != 0:
        reason = f"grpcurl cannot be built here: {done.stderr.strip()[-300:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Renamed when complete, so that an interrupted build is never taken for the program.
    (folder / "grpcurl").rename(built)
    return built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """A furnished hub."""
    home = copy_home(city, tmp_path_factory.mktemp("interop") / "home")
    async with Simulator(home) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def grpcurl(program: Path, hub: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Grpcurl:
    """The client as window-1. Its key is unencrypted, for the program reads no other."""
    folder = tmp_path_factory.mktemp("window-1")
    own = hub.home / "systems" / "window-1"
    key = load_key(own / "client.key", read_passphrase(own / "passphrase"))
    (folder / "client.pem.key").touch(mode=0o600)
    (folder / "client.pem.key").write_bytes(unencrypted(key))
    (folder / "client.pem").write_bytes((own / "client.pem").read_bytes())
    (folder / "ca.pem").write_bytes(hub.pki.tls_anchor_pem)
    return Grpcurl(program, hub, folder)


async def _token(grpcurl: Grpcurl) -> str:
    ran = await grpcurl("hub.access.v1.AccessService/CreateToken")
    assert ran.code == 0, ran.err
    return str(ran.document["access_token"])


async def test_reflection_names_every_service(grpcurl: Grpcurl) -> None:
    """A stranger with a client certificate can learn the API, and nothing else."""
    ran = await grpcurl("list")

    assert ran.code == 0, ran.err
    assert set(ran.out.split()) >= {
        "grpc.health.v1.Health",
        "hub.access.v1.AccessService",
        "hub.exchange.v1.ExchangeService",
        "hub.ledger.v1.LedgerService",
        "hub.registry.v1.RegistryService",
        "hub.seal.v1.SealService",
    }


async def test_reflection_describes_messages(grpcurl: Grpcurl) -> None:
    """Enough to write a call without our files."""
    ran = await grpcurl("describe", "hub.exchange.v1.FetchCertificatesRequest")

    assert ran.code == 0, ran.err
    assert "string signed_request = 2;" in ran.out


async def test_health_is_told_without_a_token(grpcurl: Grpcurl) -> None:
    """The standard health service, as probes call it."""
    ran = await grpcurl("grpc.health.v1.Health/Check")

    assert ran.code == 0, ran.err
    assert ran.document == {"status": "SERVING"}


async def test_a_token_is_made_and_opens_the_log(grpcurl: Grpcurl, hub: Simulator) -> None:
    """CreateToken over mutual TLS, then a call under the token; the checkpoint verifies."""
    ran = await grpcurl("hub.ledger.v1.LedgerService/GetCheckpoint", token=await _token(grpcurl))

    assert ran.code == 0, ran.err
    document = ran.document
    checkpoint = open_checkpoint(document["checkpoint"], hub.trust.origin, hub.trust.log_keys)
    assert checkpoint.size == int(document["head"]["size"]) == hub.size
    assert b64u(checkpoint.root) == document["head"]["root"]


async def test_bytes_and_numbers_arrive_as_they_left(grpcurl: Grpcurl, hub: Simulator) -> None:
    """A proof in JSON from Go has the bytes of a proof in protobuf from Python."""
    member = hub.platform("window-2")
    ours = await member.call(
        member.ledger.GetInclusionProof, ledger_pb2.GetInclusionProofRequest(entry=3)
    )

    ran = await grpcurl(
        "hub.ledger.v1.LedgerService/GetInclusionProof",
        data='{"entry": 3}',
        token=await _token(grpcurl),
    )

    assert ran.code == 0, ran.err
    assert ran.document == {
        "proof": ours.proof,
        "entry": base64.b64encode(ours.entry).decode(),
    }


async def test_a_refusal_is_readable_in_another_language(grpcurl: Grpcurl) -> None:
    """Status and text; the details are the standard messages of google.rpc."""
    ran = await grpcurl("hub.ledger.v1.LedgerService/GetCheckpoint")

    assert ran.code != 0
    assert "Code: Unauthenticated" in ran.err
    assert "there is no access token; call CreateToken" in ran.err


async def test_without_a_client_certificate_it_does_not_connect(grpcurl: Grpcurl) -> None:
    """Go's TLS is refused like Python's."""
    ran = await grpcurl("grpc.health.v1.Health/Check", certificate=False)

    assert ran.code != 0
    assert "SERVING" not in ran.out
