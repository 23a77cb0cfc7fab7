"""Answers given once and asked for again after the world has changed; states instead of data."""

from __future__ import annotations

import dataclasses
import datetime
import json
import time

import pytest

from hub.domain.row import Op
from hub.proof.encoding import digest
from hub.proof.exchange.request import sign_request
from hub.proof.jose import LogHead
from hub.proof.log.receipt import parse_receipt
from hub.proof.reasons import ProofError, ProofReason
from tests.attacks.refusals import refused
from tests.simulator import (
    ITEM,
    LICENCE,
    ORIGIN,
    Refused,
    Simulator,
    by_holder,
    by_identifier,
    company,
    licence,
)

STALE = (
    "what request {id} was answered with would not be answered today; its original receipt is "
    "attached, without data. Ask again under a new request id."
)
WINDOW_1 = "systems/window-1"


async def test_after_a_revocation_the_retry_gets_the_receipt_and_no_data(
    own_hub: Simulator,
) -> None:
    """What was true then is proven by its receipt; what is true now is not disclosed under it."""
    platform = own_hub.platform()
    claims = await platform.claims()
    compact = sign_request(claims, platform.signer)
    first = platform.verify(await platform.send_raw(compact, claims.jti), claims.jti)
    await own_hub.connector().deliver([licence(1, Op.REVOKE)])

    refusal = await refused(
        own_hub,
        platform.send(compact, claims.jti),
        status="FAILED_PRECONDITION",
        reason="ANSWER_STALE",
        en=STALE.format(id=claims.jti),
        caller=WINDOW_1,
    )

    assert refusal.receipt == first.response.receipt.json
    assert b"presentation" not in json.dumps(refusal.details).encode()


async def test_after_the_grant_was_revoked_the_retry_gets_the_receipt_and_no_data(
    own_hub: Simulator,
) -> None:
    """Rights are checked again at each repetition."""
    platform = own_hub.platform()
    claims = await platform.claims()
    compact = sign_request(claims, platform.signer)
    first = platform.verify(await platform.send_raw(compact, claims.jti), claims.jti)
    await own_hub.officer().revoke_grant("licence-to-window")

    refusal = await refused(
        own_hub,
        platform.send(compact, claims.jti),
        status="FAILED_PRECONDITION",
        reason="ANSWER_STALE",
        en=STALE.format(id=claims.jti),
        caller=WINDOW_1,
    )

    assert refusal.receipt == first.response.receipt.json
    fresh = await platform.claims()
    await refused(
        own_hub,
        platform.send(sign_request(fresh, platform.signer), fresh.jti),
        status="PERMISSION_DENIED",
        reason="GRANT_MISSING",
        en=f"no grant in force gives you certificates of type {LICENCE} for the service item "
        f"{ITEM}; apply to the authority that defines the type.",
        caller=WINDOW_1,
        kind="fetch",
    )


async def test_a_remembered_refusal_stays_after_the_grant_came(own_hub: Simulator) -> None:
    """Nobody collects refused requests and waits; a new attempt needs a new id."""
    platform = own_hub.platform("window-2")
    claims = await platform.claims()
    compact = sign_request(claims, platform.signer)
    text = (
        f"no grant in force gives you certificates of type {LICENCE} for the service item {ITEM}; "
        "apply to the authority that defines the type."
    )
    first = await refused(
        own_hub,
        platform.send(compact, claims.jti),
        status="PERMISSION_DENIED",
        reason="GRANT_MISSING",
        en=text,
        caller="systems/window-2",
        kind="fetch",
    )
    await own_hub.officer().grant("late-grant", "window-2")
    before = await own_hub.state()

    with pytest.raises(Refused) as caught:
        await platform.send(compact, claims.jti)

    assert str(caught.value) == str(first)
    assert caught.value.zh == first.zh
    assert await own_hub.state() == before
    assert (await platform.fetch(holder=company(1))).states == ["active"]


async def test_a_refusal_that_was_not_about_rights_is_not_remembered(own_hub: Simulator) -> None:
    """A request that came too late may come again, signed anew, under the same id."""
    platform = own_hub.platform()
    now = int(time.time())
    claims = await platform.claims(iat=now - 300, exp=now - 180)
    await refused(
        own_hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="INVALID_ARGUMENT",
        reason="REQUEST_INVALID",
        en="the signed request is refused (EXPIRED): The period of validity has ended. "
        "Sign a new one under the same request id.",
        caller=WINDOW_1,
    )
    platform.sent.clear()

    renewed = dataclasses.replace(claims, iat=now, exp=now + 100)
    data = await platform.send_raw(sign_request(renewed, platform.signer), claims.jti)

    assert platform.verify(data, claims.jti).states == ["active"]


async def test_an_answer_about_nothing_becomes_stale_when_something_is_there(
    own_hub: Simulator,
) -> None:
    """`absent` was an answer as well."""
    platform = own_hub.platform()
    claims = await platform.claims(certificates=(by_holder(company(4)),))
    compact = sign_request(claims, platform.signer)
    first = platform.verify(await platform.send_raw(compact, claims.jti), claims.jti)
    assert first.states == ["absent"]
    await own_hub.connector().deliver([licence(4)])

    refusal = await refused(
        own_hub,
        platform.send(compact, claims.jti),
        status="FAILED_PRECONDITION",
        reason="ANSWER_STALE",
        en=STALE.format(id=claims.jti),
        caller=WINDOW_1,
    )

    assert refusal.receipt == first.response.receipt.json


async def test_what_is_not_in_force_is_answered_by_its_state_alone(own_hub: Simulator) -> None:
    """Expired, revoked, superseded, not yet in force: no presentation, no field in the entry."""
    today = datetime.datetime.now(datetime.UTC).date()
    later = (today + datetime.timedelta(days=400)).isoformat()
    ended = licence(5, valid_until="2011-01-01")
    await own_hub.connector().deliver([ended, licence(6), licence(7), licence(8, valid_from=later)])
    changed = licence(7, Op.CHANGE, fields={"address": "浙江省杭州市新路1号"})
    first = await own_hub.platform().fetch(holder=company(7))
    old_identifier = first.verified.entry.certificates[0].cert
    assert old_identifier is not None
    await own_hub.connector().deliver([licence(6, Op.REVOKE), changed])
    size = own_hub.size

    fetched = await own_hub.platform().fetch(
        by_holder(company(5)),
        by_holder(company(6)),
        by_identifier(old_identifier),
        by_holder(company(8)),
        by_holder(company(99)),
    )

    assert fetched.states == ["expired", "revoked", "superseded", "not_yet_in_force", "absent"]
    assert [given.presentation for given in fetched.response.certificates] == [""] * 5
    (entry,) = await own_hub.entries(size)
    assert [item["fields"] for item in entry["certificates"]] == [[]] * 5
    assert [item for item in entry["certificates"] if "sd_hash" in item] == []


async def test_an_ambiguous_holder_is_told_the_identifiers_and_nothing_else(
    own_hub: Simulator,
) -> None:
    """Two licences in force of one holder: the caller must say which one."""
    other = licence(
        1, number="second-licence", source_key="second-licence", issue_date="2002-01-01"
    )
    newer = (await own_hub.connector().deliver([other])).results[0].identifier
    older = (await own_hub.connector().deliver([licence(1)])).results[0].identifier
    platform = own_hub.platform()
    claims = await platform.claims()

    refusal = await refused(
        own_hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="FAILED_PRECONDITION",
        reason="CERTIFICATE_AMBIGUOUS",
        en="the holder has several certificates of this type in force; ask by identifier, one of: "
        f"{newer} {older}.",
        caller=WINDOW_1,
    )

    assert refusal.details == {"identifiers": f"{newer} {older}"}
    assert (await platform.fetch(by_identifier(older))).states == ["active"]


async def test_a_forked_log_is_noticed_by_the_client(own_hub: Simulator) -> None:
    """A client that kept another head than this log ever had is not fooled by valid signatures."""
    platform = own_hub.platform()
    await platform.fetch(holder=company(1))
    assert platform.head is not None
    kept = LogHead(ORIGIN, platform.head.size, digest("the root of another history"))
    await own_hub.connector().deliver([licence(9)])
    platform.head = kept

    with pytest.raises(ProofError) as caught:
        await platform.fetch(holder=company(1))

    assert caught.value.reason is ProofReason.CONSISTENCY_MISMATCH
    assert platform.head == kept


async def test_a_receipt_is_the_only_thing_that_says_what_was_exchanged(
    own_hub: Simulator,
) -> None:
    """The body in a receipt is the entry of the log, and names no holder."""
    fetched = await own_hub.platform().fetch(holder=company(1))

    body = json.loads(parse_receipt(fetched.response.receipt.json.encode()).body)

    assert body == (await own_hub.entries())[-1]
    assert body["kind"] == "fetch"
    assert company(1) not in json.dumps({**body, "certificates": None})
