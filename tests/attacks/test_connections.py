"""Connections without a client certificate, under a foreign one, under one that nobody enrolled."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from certs.keys import new_key
from certs.pki import Pki
from hub.proof.exchange.request import sign_request
from hub.proof.jose import es256_signer
from tests.attacks.refusals import failed_to_connect, refused
from tests.simulator import Member, Refused, Simulator

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "/hub.access.v1.AccessService/CreateToken"
HEALTH = "/grpc.health.v1.Health/Check"
CHECKPOINT = "/hub.ledger.v1.LedgerService/GetCheckpoint"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A PKI like ours that is not ours."""
    folder = tmp_path_factory.mktemp("foreign") / "pki"
    return Pki.init(folder, name="Sealway", now=datetime.datetime.now(datetime.UTC))


def _stranger(hub: Simulator, pki: Pki, profile: str = "system-client") -> Member:
    """A client whose certificate says that it is window-1, issued by `pki` just now."""
    key = new_key()
    now = datetime.datetime.now(datetime.UTC)
    issued = pki.issue(profile, key.public_key(), now=now, common_name="window-1")
    channel = hub.channel(key, issued.chain_pem)
    return Member(hub, "systems/window-1", es256_signer(key), channel)


@pytest_asyncio.fixture(loop_scope="module")
async def nobody(hub: Simulator) -> AsyncIterator[Member]:
    """A client without a certificate."""
    member = Member(hub, "", es256_signer(new_key()), hub.channel())
    yield member
    await member.channel.close()


@pytest.mark.parametrize("path", [TOKEN, HEALTH, CHECKPOINT])
async def test_without_a_client_certificate_the_handshake_fails(
    hub: Simulator, nobody: Member, path: str
) -> None:
    """Not even health and reflection are open to it."""
    await failed_to_connect(hub, nobody.raw(path, b"", token=""))


async def test_a_genuine_token_without_the_client_certificate_does_not_connect(
    hub: Simulator, nobody: Member
) -> None:
    """The token was stolen, the key was not."""
    token = await hub.platform().token()

    await failed_to_connect(hub, nobody.raw(CHECKPOINT, b"", token=token))


@pytest.mark.parametrize("path", [TOKEN, HEALTH])
async def test_under_a_foreign_authority_the_handshake_fails(
    hub: Simulator, foreign: Pki, path: str
) -> None:
    """The same names, another root."""
    stranger = _stranger(hub, foreign)

    await failed_to_connect(hub, stranger.raw(path, b"", token=""))

    await stranger.channel.close()


async def test_an_unencrypted_connection_is_not_understood(hub: Simulator) -> None:
    """There is no port without TLS."""
    async with grpc.aio.insecure_channel(hub.address) as channel:
        member = Member(hub, "", es256_signer(new_key()), channel)

        await failed_to_connect(hub, member.raw(HEALTH, b"", token=""))


async def test_a_client_that_does_not_know_our_root_does_not_connect(
    hub: Simulator, foreign: Pki, tmp_path: Path
) -> None:
    """The hub proves itself as well."""
    credentials = grpc.ssl_channel_credentials(foreign.tls_anchor_pem)
    async with grpc.aio.secure_channel(hub.address, credentials) as channel:
        member = Member(hub, "", es256_signer(new_key()), channel)

        await failed_to_connect(hub, member.raw(HEALTH, b"", token=""))


@pytest.mark.parametrize("path", [TOKEN, CHECKPOINT])
async def test_a_certificate_of_our_own_authority_that_nobody_enrolled_is_refused(
    hub: Simulator, path: str
) -> None:
    """The name in a certificate is not an identity: its enrolment is."""
    stranger = _stranger(hub, hub.pki)
    token = "" if path == TOKEN else await hub.platform().token()

    await refused(
        hub,
        stranger.raw(path, b"", token=token),
        status="UNAUTHENTICATED",
        reason="PEER_UNKNOWN",
        en="the client certificate of this connection is not enrolled; ask a security officer.",
        caller=None,
    )

    await stranger.channel.close()


async def test_a_request_over_a_second_connection_of_the_same_system_is_its_own(
    hub: Simulator,
) -> None:
    """Tokens belong to the certificate, not to one connection."""
    platform = hub.platform()
    second = hub.connect(type(platform), platform.name)
    claims = await platform.claims()
    second.sent = platform.sent

    data = await second.send_raw(
        sign_request(claims, platform.signer), claims.jti, token=await platform.token()
    )

    assert platform.verify(data, claims.jti).states == ["active"]
    await second.channel.close()


async def test_health_tells_a_member_without_a_token_that_the_hub_serves(hub: Simulator) -> None:
    """What probes use, and what the handshake tests above were refused."""
    before = await hub.state()

    answer = await hub.system("monitor-1").raw(HEALTH, b"", token="")

    assert answer == b"\x08\x01"
    assert await hub.state() == before


async def test_an_unknown_method_is_not_served(hub: Simulator) -> None:
    """What is not in the policy table does not exist."""
    before = await hub.state()

    with pytest.raises(Refused) as caught:
        await hub.platform().raw("/hub.exchange.v1.ExchangeService/DropTables", b"")

    assert caught.value.status == "UNIMPLEMENTED"
    assert await hub.state() == before
