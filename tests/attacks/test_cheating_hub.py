"""A hub that lies to its client: genuine seals, genuine receipts, in the wrong place.

Between the client and the hub stands one that has the hub's own TLS key and changes what passes.
Everything it hands out was really sealed and really logged - for another question. The command line
must say exactly what is wrong, show nothing and store nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from certs.keys import load_key, read_passphrase
from hub.cli.main import run as sealway
from hub.exchange.v1.exchange_pb2 import FetchCertificatesResponse, FetchedCertificate
from hub.proof.encoding import b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.jose import LogHead
from tests.simulator import FETCH, ITEM, LICENCE, ORIGIN, Simulator, company

WINDOW_1: Final = "systems/window-1"
SECRET: Final = "杭州示例1有限公司"

Cheat = Callable[[FetchCertificatesResponse], None]


@dataclass
class Relay:
    """Passes every call on to the hub, and the answers to fetches through `cheat`."""

    upstream: grpc.aio.Channel
    cheat: Cheat | None = None
    port: int = 0
    fetched: list[bytes] = field(default_factory=list)

    async def unary(self, path: str, data: bytes, context: grpc.aio.ServicerContext) -> bytes:
        metadata = [
            (name, value)
            for name, value in context.invocation_metadata() or ()
            if name == "authorization"
        ]
        try:
            answer = bytes(await self.upstream.unary_unary(path)(data, metadata=metadata))
        except grpc.aio.AioRpcError as error:
            details = [pair for pair in error.trailing_metadata() or () if pair[0].endswith("-bin")]
            await context.abort(error.code(), error.details() or "", tuple(details))
            raise AssertionError("abort raises") from error
        if path == FETCH:
            self.fetched.append(answer)
            if self.cheat is not None:
                response = FetchCertificatesResponse.FromString(answer)
                self.cheat(response)
                answer = response.SerializeToString()
        return answer


class _Everything(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        path = details.method

        async def call(data: bytes, context: grpc.aio.ServicerContext) -> bytes:
            return await self._relay.unary(path, data, context)

        return grpc.unary_unary_rpc_method_handler(call)


@asynccontextmanager
async def relayed(hub: Simulator) -> AsyncIterator[Relay]:
    """A relay under the hub's own certificate, which calls upstream as window-1."""
    folder = hub.home / WINDOW_1
    key = load_key(folder / "client.key", read_passphrase(folder / "passphrase"))
    upstream = hub.channel(key, (folder / "client.pem").read_bytes())
    relay = Relay(upstream)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Everything(relay),))
    credentials = grpc.ssl_server_credentials(
        [((hub.home / "tls/server.key").read_bytes(), (hub.home / "tls/server.pem").read_bytes())],
        (hub.home / "tls/client-ca.pem").read_bytes(),
        require_client_auth=True,
    )
    relay.port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield relay
    finally:
        await server.stop(None)
        await upstream.close()


@dataclass
class Client:
    """window-1 at a terminal, whose profile leads to the relay."""

    hub: Simulator
    relay: Relay
    profile: Path

    async def fetch(
        self, number: int = 1, *more: str, out: Path | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Exit code and document of one `sealway exchange fetch`."""
        arguments = ["exchange", "fetch", "--holder", f"001:{company(number)}", "--type", LICENCE]
        arguments += ["--field", "name", "--field", "scope", "--item", ITEM, "--matter", "m-1"]
        arguments += ["--basis", "b", "--profile", str(self.profile), "--json", *more]
        arguments += ["--out", str(out)] if out is not None else []
        said = io.StringIO()

        def command() -> int:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
                return sealway(arguments)

        code = await asyncio.to_thread(command)
        return code, json.loads(said.getvalue())


@pytest.fixture
async def client(own_hub: Simulator) -> AsyncIterator[Client]:
    """A terminal behind a relay that does not cheat yet."""
    async with relayed(own_hub) as relay:
        profile = own_hub.profile(WINDOW_1)
        address = f"127.0.0.1:{relay.port}"
        profile.write_text(profile.read_text().replace(own_hub.address, address))
        yield Client(own_hub, relay, profile)


def _assert_noticed(answered: tuple[int, dict[str, Any]], reason: str, out: Path) -> None:
    """The command ended with exactly this reason, and neither showed nor stored the answer."""
    code, document = answered
    assert code == 1, document
    assert document["error"]["reason"] == reason
    assert document["error"]["en"]
    assert document["error"]["zh"]
    assert SECRET not in json.dumps(document, ensure_ascii=False)
    assert not out.exists()


async def test_an_honest_relay_changes_nothing(client: Client, tmp_path: Path) -> None:
    """Otherwise the tests below would prove nothing."""
    code, document = await client.fetch(out=tmp_path / "answer.json")

    assert code == 0, document
    assert document["verified"]["found"][0]["fields"]["name"] == SECRET


def _of_company_2(first: FetchCertificatesResponse) -> Cheat:
    """The genuine seal of another holder."""

    def cheat(response: FetchCertificatesResponse) -> None:
        response.certificates[0].CopyFrom(first.certificates[0])

    return cheat


def _whole_answer(first: FetchCertificatesResponse) -> Cheat:
    """Another holder's seal with its own genuine receipt."""
    return lambda response: response.CopyFrom(first)


def _receipt_of_another(first: FetchCertificatesResponse) -> Cheat:
    """The right seal with the receipt of another exchange."""
    return lambda response: response.receipt.CopyFrom(first.receipt)


def _no_receipt(first: FetchCertificatesResponse) -> Cheat:
    return lambda response: response.ClearField("receipt")


def _stripped(first: FetchCertificatesResponse) -> Cheat:
    """A disclosure is left out: still a genuine presentation, not the one that was logged."""

    def cheat(response: FetchCertificatesResponse) -> None:
        parts = response.certificates[0].presentation.split("~")
        response.certificates[0].presentation = "~".join([parts[0], *parts[2:]])

    return cheat


def _merged(first: FetchCertificatesResponse) -> Cheat:
    """A disclosure of another exchange is added."""

    def cheat(response: FetchCertificatesResponse) -> None:
        extra = first.certificates[0].presentation.split("~")[1]
        response.certificates[0].presentation += f"{extra}~"

    return cheat


def _said_to_be_revoked(first: FetchCertificatesResponse) -> Cheat:
    """Data withheld under a state that was not logged."""

    def cheat(response: FetchCertificatesResponse) -> None:
        response.certificates[0].CopyFrom(
            FetchedCertificate(state=FetchedCertificate.STATE_REVOKED)
        )

    return cheat


def _one_more(first: FetchCertificatesResponse) -> Cheat:
    return lambda response: response.certificates.append(first.certificates[0])


def _none_at_all(first: FetchCertificatesResponse) -> Cheat:
    return lambda response: response.ClearField("certificates")


def _edited_receipt(**changes: Callable[[Any], Any]) -> Callable[..., Cheat]:
    def prepare(first: FetchCertificatesResponse) -> Cheat:
        def cheat(response: FetchCertificatesResponse) -> None:
            members = parse_object(response.receipt.json.encode())
            for name, change in changes.items():
                members[name] = change(members[name])
            response.receipt.json = emit_json(members).decode()

        return cheat

    return prepare


def _other_matter(body: str) -> str:
    return b64u(b64u_decode(body).replace(b"m-1", b"m-2"))


def _unsigned(proof: str) -> str:
    return proof.rpartition("\n\u2014 ")[0] + "\n"


def _other_signature(proof: str) -> str:
    head, _, line = proof.rstrip("\n").rpartition(" ")
    changed = "A" if line[20] != "A" else "B"
    return f"{head} {line[:20]}{changed}{line[21:]}\n"


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (_of_company_2, "SD_HASH_MISMATCH"),
        (_whole_answer, "REQUEST_NOT_MINE"),
        (_receipt_of_another, "REQUEST_NOT_MINE"),
        (_no_receipt, "RECEIPT_MALFORMED"),
        (_stripped, "SD_HASH_MISMATCH"),
        (_merged, "SD_HASH_MISMATCH"),
        (_said_to_be_revoked, "STATE_DIFFERS"),
        (_one_more, "CERTIFICATES_DIFFER"),
        (_none_at_all, "CERTIFICATES_DIFFER"),
        (_edited_receipt(body=_other_matter), "ROOT_MISMATCH"),
        (_edited_receipt(salt=lambda _: b64u(bytes(32))), "ROOT_MISMATCH"),
        (_edited_receipt(proof=_unsigned), "NOTE_MALFORMED"),
        (_edited_receipt(proof=_other_signature), "NOTE_SIGNATURE"),
        (_edited_receipt(v=lambda _: 2), "RECEIPT_VERSION"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_genuine_parts_in_the_wrong_place_are_noticed(
    client: Client,
    tmp_path: Path,
    prepare: Callable[[FetchCertificatesResponse], Cheat],
    reason: str,
) -> None:
    """Each lie by its own reason; nothing is shown, nothing is stored."""
    code, _ = await client.fetch(2)
    assert code == 0
    head = (client.profile.parent / "log-head.json").read_bytes()
    first = FetchCertificatesResponse.FromString(client.relay.fetched[-1])
    client.relay.cheat = prepare(first)
    out = tmp_path / "answer.json"

    _assert_noticed(await client.fetch(1, out=out), reason, out)
    assert (client.profile.parent / "log-head.json").read_bytes() == head


async def test_a_hub_that_shows_another_history_is_noticed(client: Client, tmp_path: Path) -> None:
    """The kept head is not one of this log: a fork, or a restored database under the same key."""
    code, _ = await client.fetch(2)
    assert code == 0
    file = client.profile.parent / "log-head.json"
    size = parse_object(file.read_bytes())["size"]
    assert isinstance(size, int)
    kept = emit_json(LogHead(ORIGIN, size, digest("another history")).claim())
    file.write_bytes(kept)
    out = tmp_path / "answer.json"

    _assert_noticed(await client.fetch(1, out=out), "CONSISTENCY_MISMATCH", out)
    assert file.read_bytes() == kept


async def test_a_hub_that_was_turned_back_says_so_itself(client: Client, tmp_path: Path) -> None:
    """The client saw more entries than there are: the hub refuses, the client keeps its proof."""
    file = client.profile.parent / "log-head.json"
    kept = emit_json(LogHead(ORIGIN, client.hub.size + 5, digest("seen")).claim())
    file.write_bytes(kept)
    out = tmp_path / "answer.json"

    _assert_noticed(await client.fetch(1, out=out), "LOG_SEEN_AHEAD", out)
    assert file.read_bytes() == kept
