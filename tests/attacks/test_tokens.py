"""Access tokens that are not the caller's own, valid, fresh one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import grpc
import pytest
from cryptography.hazmat.primitives import serialization

from hub.home import HubKeys, open_keys
from hub.ledger.v1 import ledger_pb2
from hub.proof.encoding import b64u, b64u_decode, emit_json, parse_object
from hub.proof.exchange.token import AccessToken, issue_token
from hub.proof.jose import ACCESS_TYP, sign_jws
from tests.attacks.refusals import refused
from tests.simulator import ORIGIN, REGION, Refused, Simulator, new_id, thumbprint_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVALID = "the access token is not one of this hub for this connection; call CreateToken."
CHECKPOINT = "/hub.ledger.v1.LedgerService/GetCheckpoint"


@pytest.fixture(scope="module")
def keys(hub: Simulator) -> HubKeys:
    """The hub's own keys: what is forged here is as good as the hub's."""
    return open_keys(hub.config)


@pytest.fixture(scope="module")
def genuine(hub: Simulator) -> AccessToken:
    """What a valid token of window-1 says."""
    now = int(time.time())
    chain = (hub.home / "systems" / "window-1" / "client.pem").read_bytes()
    return AccessToken(
        iss=ORIGIN,
        sub="systems/window-1",
        aud=ORIGIN,
        region=REGION,
        jti=str(uuid.uuid4()),
        iat=now,
        exp=now + 600,
        generation=hub.hub.directory.current.peers[thumbprint_of(chain)].generation,
        certificate_digest=thumbprint_of(chain),
    )


async def test_what_the_forgeries_below_start_from_is_accepted(
    hub: Simulator, keys: HubKeys, genuine: AccessToken
) -> None:
    """Otherwise the tests below would prove nothing."""
    token = issue_token(genuine, keys.token)

    answer = await hub.platform().raw(CHECKPOINT, b"", token=token)

    assert ledger_pb2.GetCheckpointResponse.FromString(answer).head.size == hub.size


async def test_another_systems_token_is_refused(hub: Simulator) -> None:
    """A stolen token is useless without the client key it is bound to."""
    stolen = await hub.platform("window-1").token()

    await refused(
        hub,
        hub.platform("window-2").raw(CHECKPOINT, b"", token=stolen),
        status="UNAUTHENTICATED",
        reason="TOKEN_INVALID",
        en=INVALID,
        caller=None,
    )


async def test_a_token_that_has_ended_is_refused(
    hub: Simulator, keys: HubKeys, genuine: AccessToken
) -> None:
    """Ten minutes are over, although the hub itself signed it."""
    old = replace(genuine, iat=genuine.iat - 700, exp=genuine.iat - 100)

    await refused(
        hub,
        hub.platform().raw(CHECKPOINT, b"", token=issue_token(old, keys.token)),
        status="UNAUTHENTICATED",
        reason="TOKEN_EXPIRED",
        en="the access token has expired; call CreateToken.",
        caller=None,
    )


async def test_no_token_is_refused(hub: Simulator) -> None:
    """The client certificate alone opens only CreateToken, health and reflection."""
    await refused(
        hub,
        hub.platform().raw(CHECKPOINT, b"", token=""),
        status="UNAUTHENTICATED",
        reason="TOKEN_MISSING",
        en="there is no access token; call CreateToken and send authorization: Bearer.",
        caller=None,
    )


def _header(token: str, **changes: str) -> str:
    header = parse_object(b64u_decode(token.partition(".")[0]))
    return b64u(emit_json({**header, **changes}))


def _alg_none(token: str, keys: HubKeys) -> str:
    return f"{_header(token, alg='none')}.{token.split('.')[1]}."


def _alg_none_with_signature(token: str, keys: HubKeys) -> str:
    return ".".join([_header(token, alg="none"), *token.split(".")[1:]])


def _hs256(token: str, keys: HubKeys) -> str:
    """The public key as the secret of a MAC: what libraries fell for that trust the header."""
    assert keys.token_key.public_key is not None
    secret = keys.token_key.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signing_input = f"{_header(token, alg='HS256')}.{token.split('.')[1]}"
    return f"{signing_input}.{b64u(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


def _padded(token: str, keys: HubKeys) -> str:
    return token + "=="


def _mirrored(token: str, keys: HubKeys) -> str:
    """(r, n−s): a second signature of the same text, refused where our signers are low-s."""
    head, _, signature = token.rpartition(".")
    raw = b64u_decode(signature)
    n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return f"{head}.{b64u(raw[:32] + (n - int.from_bytes(raw[32:])).to_bytes(32))}"


def _duplicate_claim(token: str, keys: HubKeys) -> str:
    payload = b64u_decode(token.split(".")[1])
    twice = payload.replace(b'"sub":', b'"sub":"systems/window-2","sub":', 1)
    return keys.token.compact(ACCESS_TYP, twice)


def _signed_by_another_key_of_the_hub(token: str, keys: HubKeys) -> str:
    return keys.status.compact(ACCESS_TYP, b64u_decode(token.split(".")[1]))


def _of_another_type(token: str, keys: HubKeys) -> str:
    header = parse_object(b64u_decode(token.partition(".")[0]))
    return sign_jws({**header, "typ": "JWT"}, b64u_decode(token.split(".")[1]), keys.token.sign)


def _altered(token: str, keys: HubKeys) -> str:
    head, payload, signature = token.split(".")
    claims = {**parse_object(b64u_decode(payload)), "gen": 999}
    return f"{head}.{b64u(emit_json(claims))}.{signature}"


def _overlong(token: str, keys: HubKeys) -> str:
    return token + "A" * 20_000


@pytest.mark.parametrize(
    "forge",
    [
        _alg_none,
        _alg_none_with_signature,
        _hs256,
        _padded,
        _mirrored,
        _duplicate_claim,
        _signed_by_another_key_of_the_hub,
        _of_another_type,
        _altered,
        _overlong,
    ],
)
async def test_a_forged_token_is_refused_without_a_word_on_which_step_failed(
    hub: Simulator,
    keys: HubKeys,
    genuine: AccessToken,
    forge: Callable[[str, HubKeys], str],
) -> None:
    """Every step of formats.md §1 and §3 that a forger could slip through."""
    token = forge(issue_token(genuine, keys.token), keys)

    await refused(
        hub,
        hub.platform().raw(CHECKPOINT, b"", token=token),
        status="UNAUTHENTICATED",
        reason="TOKEN_INVALID",
        en=INVALID,
        caller=None,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "hub.other.example"},
        {"iss": "hub.other.example"},
        {"region": "110000"},
        {"sub": "systems/window-2"},
        {"certificate_digest": b64u(hashlib.sha256(b"another").digest())},
        {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 4000},
        {"exp": int(time.time()) + 3600},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_token_of_the_hub_that_says_something_else_is_refused(
    hub: Simulator, keys: HubKeys, genuine: AccessToken, changes: dict[str, str]
) -> None:
    """For another hub or region, for another system or connection, from the future, too long."""
    token = issue_token(replace(genuine, **changes), keys.token)

    await refused(
        hub,
        hub.platform().raw(CHECKPOINT, b"", token=token),
        status="UNAUTHENTICATED",
        reason="TOKEN_INVALID",
        en=INVALID,
        caller=None,
    )


async def test_a_token_in_another_scheme_counts_as_none(hub: Simulator) -> None:
    """Basic and bare tokens are not half understood."""
    member = hub.platform()
    token = await member.token()
    for value in (token, f"Basic {base64.b64encode(token.encode()).decode()}", f"bearer {token}"):
        await refused(
            hub,
            member.raw(CHECKPOINT, b"", authorization=value),
            status="UNAUTHENTICATED",
            reason="TOKEN_MISSING",
            en="there is no access token; call CreateToken and send authorization: Bearer.",
            caller=None,
        )


async def test_a_request_under_a_stolen_token_is_refused_before_it_is_read(
    hub: Simulator,
) -> None:
    """The signed request is genuine; the connection is not the one its token belongs to."""
    thief, victim = hub.platform("window-2"), hub.platform("window-1")

    await refused(
        hub,
        thief.send("x.y.z", new_id(), token=await victim.token()),
        status="UNAUTHENTICATED",
        reason="TOKEN_INVALID",
        en=INVALID,
        caller=None,
    )


async def test_a_forwarded_certificate_is_refused(hub: Simulator) -> None:
    """TLS ends at the hub: what a header says of a certificate is believed by nobody."""
    platform = hub.platform()
    token = await platform.token()

    async def attempt() -> None:
        try:
            await platform.channel.unary_unary(CHECKPOINT)(
                ledger_pb2.GetCheckpointRequest().SerializeToString(),
                metadata=(
                    ("authorization", f"Bearer {token}"),
                    ("x-forwarded-client-cert", "Hash=00"),
                ),
                timeout=10,
            )
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error

    await refused(
        hub,
        attempt(),
        status="UNAUTHENTICATED",
        reason="FORWARDED_CERTIFICATE",
        en="header x-forwarded-client-cert names a client certificate; present the certificate in "
        "the TLS handshake and leave the header out.",
        caller=None,
    )
