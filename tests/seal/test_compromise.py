"""The compromise drill: a key is declared stolen since T, and everybody is told what that ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.clock import now_us
from hub.domain.row import Op
from hub.domain.seal_states import KeyState
from hub.errors import Reason
from hub.proof.encoding import b64u, emit_json
from hub.proof.jose import SEAL_TYP
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.records.sd_jwt import RecordClaims, open_record
from hub.seal.keys import header_segment
from hub.seal.reseal.compromises import declared_compromises
from hub.seal.reseal.logged_seals import LoggedSeals
from hub.seal.reseal.order import Orders, Resealed
from hub.seal.reseal.records import Reseal
from hub.seal.seal_store import Key
from hub.seal.store import SEAL_OF_VERSION, SIGNATURES
from hub.seal.v1 import seal_pb2
from hub.storage.statements import blob, question
from tests.registry.office import OFFICERS, ORIGIN, REGION, Office, licence
from tests.seal.test_seal_keys import active, approve_licences, fresh_key, signed_by
from tests.seal.test_seals import refused
from tests.seal.test_verify_document import presentation, verified
from tests.simulator import Simulator, copy_home, new_id
from tests.simulator import licence as licence_row

NOW = int(time.time())


async def test_a_compromised_key_signs_nothing_more_until_another_is_in_force(
    office: Office,
) -> None:
    await approve_licences(office)
    await office.deliver([licence(1)])
    key = await active(office)

    await office.carry_out("key.compromise", {"key": key.name, "since": NOW, "cause": "theft"})

    view = await office.seals.key(key.name)
    assert (view.key.state, view.compromised_from) == (KeyState.COMPROMISED, NOW)
    with refused(Reason.KEY_NOT_ACTIVE):
        await office.deliver([licence(2)])
    await office.carry_out("key.activate", await fresh_key(office))
    await office.deliver([licence(2)])


async def test_a_declaration_may_only_move_back(office: Office) -> None:
    """Nobody makes a key believable again for a time in which it was not, nor tells the future."""
    key = (await active(office)).name

    async def declare(since: int) -> None:
        await office.carry_out("key.compromise", {"key": key, "since": since, "cause": "theft"})

    with refused(Reason.FIELD_INVALID):
        await declare(NOW + 86_400)
    await declare(NOW)
    for since in (NOW, NOW + 1):
        with refused(Reason.FIELD_INVALID):
            await declare(since)
    await declare(NOW - 3_600)
    assert {one.since for one in await declared_compromises(office.database)} == {NOW - 3_600}


async def test_a_key_that_never_had_a_certificate_is_not_declared(office: Office) -> None:
    made = await fresh_key(office)

    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await office.approved("key.compromise", {"key": made["key"], "since": NOW, "cause": "x"})


async def test_a_destroyed_key_may_turn_out_to_have_been_copied(office: Office) -> None:
    key = (await active(office)).name
    await office.carry_out("key.retire", {"key": key, "cause": "x"})
    await office.carry_out("key.destroy", {"key": key, "cause": "x"})

    await office.carry_out("key.compromise", {"key": key, "since": NOW, "cause": "copied"})

    view = await office.seals.key(key)
    assert (view.key.state, view.compromised_from) == (KeyState.COMPROMISED, NOW)
    assert view.key.destroy_time_us is not None


@pytest.mark.parametrize(
    ("earlier_s", "verdict", "reason"),
    [
        (3_600, Verdict.INVALID, ProofReason.KEY_COMPROMISED),
        (0, Verdict.CANNOT_CHECK, ProofReason.COMPROMISE_OPEN),
    ],
)
async def test_what_the_hub_says_of_its_own_seals_follows_the_declaration(
    city: Path, tmp_path: Path, earlier_s: int, verdict: Verdict, reason: ProofReason
) -> None:
    """Sealed since then *invalid*; sealed before, and nobody outside vouches: *cannot check*."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await hub.connector().deliver([licence_row(1)])
        data = await presentation(hub, 1)
        before = await verified(hub.platform(), data)
        zhao = hub.officer()
        listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest())
        (key,) = [
            one
            for one in listed.keys
            if one.use == "record" and one.uses and one.state == seal_pb2.Key.STATE_ACTIVE
        ]
        if not earlier_s:
            await asyncio.sleep(1.1)  # Seconds are the unit of `iat` and of a declaration.
        since = int(time.time()) - earlier_s

        await zhao.carry_out(
            "key.compromise", {"key": key.name, "since": since, "cause": "device lost"}
        )

        after = await verified(hub.platform(), data)
        shown = await zhao.call(zhao.seal.GetKey, seal_pb2.GetKeyRequest(name=key.name))
        audit = await hub.audit()
    assert before.verdict is Verdict.VALID
    assert (after.verdict, after.reason) == (verdict, reason)
    assert shown.key.state == seal_pb2.Key.STATE_COMPROMISED
    assert shown.key.compromise_time.seconds == since
    assert audit.findings == []


# -- Sealed anew -----------------------------------------------------------------------------------


def sealing_anew(office: Office, *slow: str) -> Reseal:
    log = LoggedSeals(office.database, office.recorder.proofs)
    return Reseal(
        office.database,
        office.recorder,
        Orders(office.intents, office.seals.keys, log),
        None,  # type: ignore[arg-type]  # No key of documents here.
        now_us,
        frozenset(slow),
    )


async def batch(office: Office, intent: str, after: str = "", *slow: str) -> Resealed:
    answered = await sealing_anew(office, *slow)(
        office.call(), intent, after, lambda done: f"{done.count} {done.after}".encode()
    )
    count, _, last = answered.answer.decode().partition(" ")
    return Resealed(int(count), last)


async def stolen_with_successor(office: Office, records: int) -> tuple[Key, Key]:
    """A stolen key that sealed so many licences, and the key in force after it."""
    await approve_licences(office)
    today = datetime.now(UTC).date().isoformat()
    # Every other one is attested: it is older than its connector.
    days = [{}, {"issue_date": today, "valid_from": today}]
    await office.deliver([licence(one + 1, **days[one % 2]) for one in range(records)])
    stolen = await active(office)
    await office.carry_out("key.compromise", {"key": stolen.name, "since": NOW, "cause": "x"})
    await office.carry_out("key.activate", await fresh_key(office))
    return stolen, await active(office)


async def ordered(office: Office, key: str, uses_max: int = 1_000) -> str:
    await office.propose(
        "anew", kind="key.reseal", members=emit_json({"key": key}), uses_max=uses_max
    )
    for officer in OFFICERS[1:]:
        await office.decide(officer, "intents/anew")
    return "intents/anew"


def claims_of(office: Office, text: str, key: Key) -> RecordClaims:
    """What a seal says, once signature and chain are verified and it is by `key`."""
    found = open_record(
        f"{text}~",
        origin=ORIGIN,
        region=REGION,
        keys=None,
        anchors=office.anchors,
        now=int(time.time()),
    )
    assert found.kid == key.kid
    return found.record


async def seals_of(office: Office) -> dict[str, str]:
    rows = await office.database.all(question("versions", select(SIGNATURES.c.version_id)))
    return {str(row[0]): await office.record_seals.record_seal(str(row[0])) for row in rows}


@pytest.mark.parametrize("slow", [(), ("files",)])
async def test_records_are_sealed_anew_and_say_the_same(
    office: Office, slow: tuple[str, ...]
) -> None:
    """One by one, and folded under one signature: only time, order and key are others. What
    was folded folds out again."""
    stolen, fresh = await stolen_with_successor(office, 20)
    before = await seals_of(office)

    done = await batch(office, await ordered(office, stolen.name), "", *slow)

    after = await seals_of(office)
    assert done == Resealed(20, "")
    assert await signed_by(office) == Counter({fresh.kid: 20})
    for version_id, text in after.items():
        was = claims_of(office, before[version_id], stolen)
        now = claims_of(office, text, fresh)
        assert now.delegation == (was.delegation and "intents/anew")
        assert now.iat >= was.iat
        assert replace(now, iat=was.iat, delegation=was.delegation) == was
    assert ("~" in next(iter(after.values()))) is bool(slow)
    assert (await office.seals.key(fresh.name)).uses == 20

    # And once more, from what is folded to what is not.
    await office.carry_out("key.compromise", {"key": fresh.name, "since": NOW, "cause": "x"})
    await office.carry_out("key.activate", await fresh_key(office))
    await office.propose(
        "again", kind="key.reseal", members=emit_json({"key": fresh.name}), uses_max=20
    )
    for officer in OFFICERS[1:]:
        await office.decide(officer, "intents/again")
    assert await batch(office, "intents/again") == Resealed(20, "")
    third = await active(office)
    again = [claims_of(office, one, third) for one in (await seals_of(office)).values()]
    assert {one.delegation for one in again} == {None, "intents/again"}
    assert all("~" not in text for text in (await seals_of(office)).values())


async def test_what_was_interrupted_begins_again_and_seals_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen, fresh = await stolen_with_successor(office, 5)
    intent = await ordered(office, stolen.name)
    monkeypatch.setattr("hub.seal.reseal.records.BATCH_MAX", 2)

    first = await batch(office, intent)
    begun_again = await batch(office, intent)
    last = await batch(office, intent, begun_again.after)

    assert [one.count for one in (first, begun_again, last)] == [2, 2, 1]
    assert last.after == ""
    assert (await batch(office, intent)).count == 0
    assert (await office.seals.key(fresh.name)).uses == 5


async def test_two_at_once_seal_each_record_once(office: Office) -> None:
    stolen, fresh = await stolen_with_successor(office, 4)
    intent = await ordered(office, stolen.name)

    done = await asyncio.gather(batch(office, intent), batch(office, intent))

    assert sorted(one.count for one in done) == [0, 4]
    assert (await office.seals.key(fresh.name)).uses == 4


async def test_nothing_is_sealed_anew_without_approval_beyond_it_or_for_a_good_key(
    office: Office,
) -> None:
    await approve_licences(office)
    good = await active(office)
    members = emit_json({"key": good.name})
    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await office.propose("good", kind="key.reseal", members=members)
    await office.deliver([licence(1), licence(2)])
    await office.carry_out("key.compromise", {"key": good.name, "since": NOW, "cause": "x"})
    await office.propose("open", kind="key.reseal", members=members, uses_max=9)
    with refused(Reason.INTENT_NOT_APPROVED):
        await batch(office, "intents/open")
    with refused(Reason.INTENT_NOT_APPROVED):
        await batch(office, "intents/licences")
    one = await ordered(office, good.name, uses_max=1)
    with refused(Reason.INTENT_EXHAUSTED):
        await batch(office, one)
    for officer in OFFICERS[1:]:
        await office.decide(officer, "intents/open")
    with refused(Reason.KEY_NOT_ACTIVE):
        await batch(office, "intents/open")
    with refused(Reason.INTENT_NOT_APPROVED):
        await office.execute("intents/open")
    assert await signed_by(office) == Counter({good.kid: 2})


@pytest.mark.parametrize("signs", [True, False])
async def test_what_the_log_does_not_have_is_not_sealed_anew(office: Office, signs: bool) -> None:
    """Somebody wrote into the database, even the thief with a signature of the stolen key; the
    batch stops and names the version."""
    stolen, fresh = await stolen_with_successor(office, 2)
    intent = await ordered(office, stolen.name)
    (version_id, *_) = await seals_of(office)
    row = await office.database.one(SEAL_OF_VERSION, version_id)
    assert row is not None
    forged, signature = blob(row[1]).replace(b'"version":1', b'"version":2'), blob(row[4])
    if signs:
        home = office.seals.keys.homes["files"]
        key = home.open(stolen.kid, stolen.algorithm, stolen.use, stolen.x509_chain)
        signature = key.sign(f"{header_segment(key)}.{b64u(forged)}".encode(), SEAL_TYP)
    await office.database.define(
        f"UPDATE seal_signatures SET payload = x'{forged.hex()}', "
        f"signature = x'{signature.hex()}' WHERE version_id = '{version_id}'"
    )

    with refused(Reason.DIGEST_MISMATCH) as refusal:
        await batch(office, intent)

    assert version_id in str(refusal.value.details)
    assert await signed_by(office) == Counter({stolen.kid: 2})
    assert (await office.seals.key(fresh.name)).uses == 0


async def test_a_theft_that_the_log_does_not_declare_starts_nothing(office: Office) -> None:
    """A row that says which entry declared it is believed as far as that entry does."""
    stolen, _ = await stolen_with_successor(office, 1)
    intent = await ordered(office, stolen.name)
    await office.database.define("UPDATE seal_compromises SET entry = entry + 1")

    with refused(Reason.DIGEST_MISMATCH):
        await batch(office, intent)


async def test_the_whole_drill(city: Path, tmp_path: Path) -> None:
    """Stolen, stopped, replaced, sealed anew: what is handed out is valid again, and what was
    handed out before is not. What had ended stays so; the log bears out every row."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await hub.connector().deliver([licence_row(number) for number in (1, 2, 3)])
        await hub.connector().deliver([licence_row(3, Op.REVOKE)])
        zhao, platform = hub.officer(), hub.platform()
        before = await presentation(hub, 1)
        listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest())
        (key,) = [one for one in listed.keys if one.use == "record" and one.uses]
        stolen = {"key": key.name, "since": int(time.time()) - 3_600, "cause": "device lost"}
        await zhao.carry_out("key.compromise", stolen)
        wanted = {"seal": key.seal, "use": "record", "algorithm": "ES256"}
        fresh = await zhao.carry_out("key.generate", wanted)
        activated = {"key": fresh["key"], "x509_chain": hub.chain_for(fresh)}
        await zhao.carry_out("key.activate", activated)
        await zhao.propose_kind("anew", "key.reseal", {"key": key.name}, uses_max=1_000)
        for officer in ("qian", "sun"):
            await hub.officer(officer).approve("anew")

        request = seal_pb2.ResealRecordsRequest(request_id=new_id(), intent="intents/anew")
        answer = await zhao.call(zhao.seal.ResealRecords, request)
        repeated = await zhao.call(zhao.seal.ResealRecords, request)

        old = await verified(platform, before)
        new = await verified(platform, await presentation(hub, 1))
        await hub.connector().deliver([licence_row(1, Op.REVOKE)])
        revoked = await verified(platform, await presentation(hub, 2))
        audit = await hub.audit()
    assert (answer.records, answer.next_page_token) == (key.uses - 1, "")
    assert repeated == answer
    assert (old.verdict, old.reason) == (Verdict.INVALID, ProofReason.KEY_COMPROMISED)
    assert new.verdict is Verdict.VALID
    assert revoked.verdict is Verdict.VALID
    assert audit.findings == []
