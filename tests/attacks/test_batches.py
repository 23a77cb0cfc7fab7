"""Signed batches that are not whole, not in their place, or not the caller's."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest

from certs.keys import new_key
from hub.proof.encoding import b64u_decode, digest
from hub.proof.exchange.batch import Purpose, sign_batch_root
from hub.proof.jose import BATCH_ROOT_TYP, REQUEST_TYP, es256_signer
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofReason
from hub.registry.v1.registry_pb2 import Row
from tests.attacks.refusals import refused
from tests.simulator import (
    LICENCE,
    LICENCE_VCT,
    ORIGIN,
    PERMIT_VCT,
    USCC,
    Simulator,
    licence,
    permit,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ME = "systems/hz-connector"
ROWS = [licence(7), licence(8)]


def _text(reason: str) -> str:
    return (
        f"the batch is refused ({reason}): {TEXTS[ProofReason(reason)].en} "
        "Nothing of it was stored."
    )


async def _refused_as(hub: Simulator, root_jws: str, rows: list[Row], reason: str) -> None:
    refusal = await refused(
        hub,
        hub.connector().send(root_jws, rows),
        status="INVALID_ARGUMENT",
        reason="BATCH_INVALID",
        en=_text(reason),
        caller=ME,
    )
    assert refusal.details["rule"] == reason


# ---- rows that are not those that were signed ----


def _changed(rows: list[Row]) -> list[Row]:
    return [Row(salt=rows[0].salt, row=rows[0].row.replace(b"7", b"9")), rows[1]]


def _other_salt(rows: list[Row]) -> list[Row]:
    return [Row(salt=bytes(32), row=rows[0].row), rows[1]]


def _swapped(rows: list[Row]) -> list[Row]:
    return [rows[1], rows[0]]


def _doubled(rows: list[Row]) -> list[Row]:
    return [rows[0], rows[0]]


@pytest.mark.parametrize("change", [_changed, _other_salt, _swapped, _doubled])
async def test_rows_that_do_not_match_the_signed_root_are_refused_whole(
    hub: Simulator, change: Callable[[list[Row]], list[Row]]
) -> None:
    """One byte, one salt, another order: none of it is stored, not even the rows that match."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)

    await _refused_as(hub, sign_batch_root(root, connector.signer), change(rows), "ROOT_MISMATCH")


@pytest.mark.parametrize("change", [lambda rows: rows[:1], lambda rows: [*rows, rows[1]]])
async def test_a_row_too_few_or_too_many_is_refused_whole(
    hub: Simulator, change: Callable[[list[Row]], list[Row]]
) -> None:
    """The signed `n` is what counts."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)

    await _refused_as(hub, sign_batch_root(root, connector.signer), change(rows), "BATCH_N")


async def test_a_short_salt_is_refused(hub: Simulator) -> None:
    """A salt that can be guessed protects no sibling."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)
    short = [Row(salt=rows[0].salt[:16], row=rows[0].row), rows[1]]

    await _refused_as(hub, sign_batch_root(root, connector.signer), short, "SALT_LENGTH")


# ---- claims ----


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "hub.other.example"}, "AUD_WRONG"),
        ({"region": "110000"}, "REGION_WRONG"),
        ({"purpose": Purpose.RECORD}, "BATCH_PURPOSE"),
        ({"iss": "systems/nb-connector"}, "ISS_MISMATCH"),
        ({"iat": int(time.time()) + 3600}, "IAT_FUTURE"),
        ({"n": 0, "root": bytes(32)}, "BATCH_N"),
        ({"n": 3}, "BATCH_N"),
        ({"connector": "x" * 200}, "CLAIM_INVALID"),
        ({"batch": ""}, "CLAIM_INVALID"),
        ({"seq": 0}, "CLAIM_INVALID"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
async def test_a_root_that_does_not_say_what_it_must_is_refused(
    hub: Simulator, changes: dict[str, Any], reason: str
) -> None:
    """For another hub, about something else, by somebody else."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS, **changes)

    await _refused_as(hub, sign_batch_root(root, connector.signer), rows, reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seq": 3}, "BATCH_SEQ"),
        ({"seq": 30}, "BATCH_SEQ"),
        ({"prev": digest("another")}, "BATCH_PREV"),
        ({"seq": 1, "prev": None}, "BATCH_SEQ"),
        ({"connector": "new", "seq": 2}, "BATCH_SEQ"),
    ],
    ids=["jumps by one", "jumps far", "other prev", "first again", "new chain not at one"],
)
async def test_a_root_out_of_its_place_is_refused_and_kept_as_evidence(
    hub: Simulator, changes: dict[str, Any], reason: str
) -> None:
    """A jump reveals a dropped batch, another `prev` a second history: the root is kept."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS, **changes)
    compact = sign_batch_root(root, connector.signer)

    await _refused_as(hub, compact, rows, reason)

    (entry,) = await hub.entries(hub.size - 1)
    assert entry["data"]["root_jws"] == compact
    assert entry["data"]["last_seq"] == (0 if "connector" in changes else 1)


# ---- signatures ----


async def test_a_root_signed_with_a_key_nobody_knows_is_refused(hub: Simulator) -> None:
    """Whoever holds the connection does not hold the signing key."""
    root, rows = await hub.connector().batch(ROWS)

    await _refused_as(hub, sign_batch_root(root, es256_signer(new_key())), rows, "KEY_UNKNOWN")


async def test_a_root_signed_under_the_right_name_with_the_wrong_key_is_refused(
    hub: Simulator,
) -> None:
    """The `kid` alone proves nothing."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)
    stranger = dataclasses.replace(es256_signer(new_key()), kid=connector.signer.kid)

    await _refused_as(hub, sign_batch_root(root, stranger), rows, "SIGNATURE_INVALID")


async def test_a_platforms_key_signs_no_batches(hub: Simulator) -> None:
    """One key, one format."""
    root, rows = await hub.connector().batch(ROWS)

    await _refused_as(hub, sign_batch_root(root, hub.platform().signer), rows, "KEY_USAGE")


async def test_a_root_under_another_type_is_refused(hub: Simulator) -> None:
    """The same claims as a request."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)
    payload = b64u_decode(sign_batch_root(root, connector.signer).split(".")[1])

    await _refused_as(hub, connector.signer.compact(REQUEST_TYP, payload), rows, "TYP_WRONG")


async def test_a_root_with_a_claim_twice_is_refused(hub: Simulator) -> None:
    """Two parsers would read two sequences."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)
    payload = b64u_decode(sign_batch_root(root, connector.signer).split(".")[1])
    twice = payload.replace(b'"seq":', b'"seq":9,"seq":', 1)

    await _refused_as(
        hub, connector.signer.compact(BATCH_ROOT_TYP, twice), rows, "JSON_DUPLICATE_MEMBER"
    )


# ---- rights ----


async def test_another_departments_batch_is_refused(hub: Simulator) -> None:
    """Ningbo's connector signs in the name of Hangzhou's authority."""
    connector = hub.connector("nb-connector")
    root, rows = await connector.batch(ROWS, authority=USCC["hz-market"])

    await refused(
        hub,
        connector.send(sign_batch_root(root, connector.signer), rows),
        status="PERMISSION_DENIED",
        reason="AUTHORITY_NOT_ALLOWED",
        en=f"what belongs to {USCC['hz-market']} is not open to you; "
        "ask for what is your own authority's.",
        caller="systems/nb-connector",
    )


async def test_another_connectors_genuine_batch_is_refused(hub: Simulator) -> None:
    """Ningbo sends what Hangzhou signed."""
    root, rows = await hub.connector().batch(ROWS)
    compact = sign_batch_root(root, hub.connector().signer)

    refusal = await refused(
        hub,
        hub.connector("nb-connector").send(compact, rows),
        status="INVALID_ARGUMENT",
        reason="BATCH_INVALID",
        en=_text("ISS_MISMATCH"),
        caller="systems/nb-connector",
    )
    assert refusal.details["rule"] == "ISS_MISMATCH"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"vct": LICENCE_VCT[:-1] + "9"}, f"{LICENCE_VCT[:-1]}9 version 1"),
        ({"vct": f"https://x.example/vct/{LICENCE}"}, f"https://x.example/vct/{LICENCE} version 1"),
        ({"type_version": 2}, f"{LICENCE_VCT} version 2"),
    ],
    ids=["code", "other hub", "version"],
)
async def test_a_type_that_is_not_published_is_refused(
    hub: Simulator, changes: dict[str, Any], name: str
) -> None:
    """Code, hub and version must be known before a row is looked at."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS, **changes)

    await refused(
        hub,
        connector.send(sign_batch_root(root, connector.signer), rows),
        status="NOT_FOUND",
        reason="CERTIFICATE_TYPE_NOT_FOUND",
        en=f"there is no certificate type {name}. List those published with `sealway type list`.",
        caller=ME,
    )


async def test_a_type_without_an_approved_intent_is_not_sealed(hub: Simulator) -> None:
    """Ningbo has no intent for qualifications: nothing is sealed, so nothing is stored."""
    connector = hub.connector("nb-connector")
    root, rows = await connector.batch([permit(1)], vct=PERMIT_VCT, connector="permits")

    refusal = await refused(
        hub,
        connector.send(
            sign_batch_root(dataclasses.replace(root, seq=1, prev=None), connector.signer), rows
        ),
        status="FAILED_PRECONDITION",
        reason="INTENT_NOT_APPROVED",
        en="the intent - allows nothing: no approved intent for this authority, type, "
        "type version and manifest. Have officers approve one that fits.",
        caller="systems/nb-connector",
    )
    assert refusal.details


# ---- the same batch again ----


async def test_the_same_batch_again_is_answered_from_the_first_time(hub: Simulator) -> None:
    """A lost answer costs nothing: the same bytes, no entry, no row."""
    connector = hub.connector()
    root, rows = await connector.batch([licence(1)], connector="again", seq=1, prev=None)
    compact = sign_batch_root(root, connector.signer)
    first = await connector.send(compact, rows)
    before = await hub.state()

    again = await connector.send(compact, rows)

    assert again == first
    assert await hub.state() == before


async def test_another_batch_in_the_place_of_an_answered_one_is_refused(hub: Simulator) -> None:
    """A second history of the same connector is evidence, not a correction."""
    connector = hub.connector()
    root, rows = await connector.batch([licence(1)], connector="forked", seq=1, prev=None)
    await connector.send(sign_batch_root(root, connector.signer), rows)
    other, other_rows = await connector.batch([licence(2)], connector="forked", seq=1, prev=None)

    await _refused_as(hub, sign_batch_root(other, connector.signer), other_rows, "BATCH_SEQ")


async def test_the_batch_that_the_attacks_above_start_from_is_accepted(hub: Simulator) -> None:
    """Otherwise they would prove nothing. Last, because it moves the chain on."""
    connector = hub.connector()
    root, rows = await connector.batch(ROWS)
    assert (root.aud, root.seq) == (ORIGIN, 2)

    answer = await connector.send(sign_batch_root(root, connector.signer), rows)

    assert [result.identifier[-5:-2] for result in answer.results] == ["001", "001"]
