"""What ends when a system is revoked or its keys are rotated, and how fast."""

from __future__ import annotations

import time

import pytest

from hub.access.v1 import access_pb2
from hub.ledger.v1 import ledger_pb2
from hub.proof.exchange.batch import sign_batch_root
from hub.proof.exchange.request import sign_request
from tests.attacks.refusals import refused
from tests.simulator import Platform, Simulator, company, licence, new_id

CHECKPOINT = "/hub.ledger.v1.LedgerService/GetCheckpoint"
REVOKED = (
    "the access token or the keys behind it have ended; call CreateToken, and where that is "
    "refused ask a security officer."
)
UNKNOWN = "the client certificate of this connection is not enrolled; ask a security officer."


async def _works(platform: Platform) -> bool:
    answer = await platform.raw(CHECKPOINT, b"")
    return ledger_pb2.GetCheckpointResponse.FromString(answer).head.size > 0


async def test_a_revoked_system_is_refused_within_a_second_on_its_open_connection(
    own_hub: Simulator,
) -> None:
    """Token and connection are from before; both end with the revocation's entry."""
    platform = own_hub.platform()
    claims = await platform.claims()
    assert await _works(platform)

    await own_hub.officer().revoke("window-1")
    revoked = time.monotonic()

    await refused(
        own_hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="UNAUTHENTICATED",
        reason="TOKEN_REVOKED",
        en=REVOKED,
        caller=None,
    )
    assert time.monotonic() - revoked < 1.0


async def test_a_revoked_system_gets_no_new_token(own_hub: Simulator) -> None:
    """On the open connection and on a new one."""
    platform = own_hub.platform()
    assert await _works(platform)
    await own_hub.officer().revoke("window-1")
    again = own_hub.connect(Platform, "systems/window-1")

    for member in (platform, again):
        await refused(
            own_hub,
            member.new_token(),
            status="UNAUTHENTICATED",
            reason="PEER_UNKNOWN",
            en=UNKNOWN,
            caller=None,
        )
    await again.channel.close()


async def test_a_revocation_names_the_enrolment_and_the_revoker(own_hub: Simulator) -> None:
    """Non-repudiation: who ended what, and why."""
    enrolled = next(
        index
        for index, entry in enumerate(await own_hub.entries())
        if entry["kind"] == "system.enrolled" and entry["data"]["system"] == "systems/window-1"
    )

    await own_hub.officer("qian").revoke("window-1")

    entry = (await own_hub.entries())[-1]
    assert entry["kind"] == "system.revoked"
    assert entry["data"]["enrolment"] == enrolled
    assert entry["data"]["revoker"] == entry["caller"] == "officers/qian"
    assert entry["data"]["cause"] == "key lost"


async def test_tokens_of_the_same_authority_end_and_can_be_had_again(own_hub: Simulator) -> None:
    """The authority's generation moved on; whoever is still enrolled asks for a new token."""
    other = own_hub.platform("window-2")
    assert await _works(other)

    await own_hub.officer().revoke("window-1")

    await refused(
        own_hub,
        other.raw(CHECKPOINT, b""),
        status="UNAUTHENTICATED",
        reason="TOKEN_REVOKED",
        en=REVOKED,
        caller=None,
    )
    await other.new_token()
    assert await _works(other)


async def test_other_authorities_do_not_notice(own_hub: Simulator) -> None:
    """Hangzhou's connector goes on with its token."""
    connector = own_hub.connector()
    token = await connector.token()

    await own_hub.officer().revoke("window-1")

    await connector.deliver([licence(20)])
    assert await connector.token() == token


async def test_a_connector_revoked_before_its_batch_arrived_stores_nothing(
    own_hub: Simulator,
) -> None:
    """The signature is from before, and does not count any more."""
    connector = own_hub.connector()
    root, rows = await connector.batch([licence(20)])

    await own_hub.officer().revoke("hz-connector")

    await refused(
        own_hub,
        connector.send(sign_batch_root(root, connector.signer), rows),
        status="UNAUTHENTICATED",
        reason="TOKEN_REVOKED",
        en=REVOKED,
        caller=None,
    )


async def test_what_was_answered_before_the_revocation_stays_proven(own_hub: Simulator) -> None:
    """A receipt of yesterday verifies tomorrow: the entry stands before the revocation's."""
    platform = own_hub.platform()
    fetched = await platform.fetch(holder=company(1))

    await own_hub.officer().revoke("window-1")

    request_id = fetched.verified.entry.request_id
    again = platform.verify(fetched.data, request_id)
    assert again.verified.index == fetched.verified.index


async def test_after_a_rotation_the_old_keys_neither_connect_nor_sign(own_hub: Simulator) -> None:
    """Both keys end at once: a new connection under old keys has no identity."""
    old = own_hub.platform()
    assert await _works(old)
    folder = own_hub.home / "systems" / "window-1-new"
    enrolment = own_hub.equip(folder, "window-1")
    officer = own_hub.officer()
    await officer.call(
        officer.access.RotateSystemKeys,
        access_pb2.RotateSystemKeysRequest(
            request_id=new_id(), name="systems/window-1", enrolment=enrolment
        ),
    )

    await refused(
        own_hub,
        old.raw(CHECKPOINT, b""),
        status="UNAUTHENTICATED",
        reason="TOKEN_REVOKED",
        en=REVOKED,
        caller=None,
    )
    new = own_hub.connect(Platform, "systems/window-1", keys_of="systems/window-1-new")
    assert (await new.fetch(holder=company(1))).states == ["active"]
    claims = await new.claims()
    await refused(
        own_hub,
        new.send(sign_request(claims, old.signer), claims.jti),
        status="INVALID_ARGUMENT",
        reason="REQUEST_INVALID",
        en="the signed request is refused (KEY_UNKNOWN): No registered key has this key "
        "identifier. Sign a new one under the same request id.",
        caller="systems/window-1",
    )
    await new.channel.close()


@pytest.mark.parametrize("officer", ["zhao", "sun"])
async def test_revoking_twice_is_refused(own_hub: Simulator, officer: str) -> None:
    """The second revocation changes nothing and says so."""
    await own_hub.officer().revoke("window-1")

    await refused(
        own_hub,
        own_hub.officer(officer).revoke("window-1"),
        status="FAILED_PRECONDITION",
        reason="TRANSITION_NOT_ALLOWED",
        en="systems/window-1 is revoked, which does not allow this. Look at its state first.",
        caller=f"officers/{officer}",
    )
