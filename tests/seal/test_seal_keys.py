"""The life of a key: made, in force, rotated under load, used up, warned about, ended."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certs.pki import Pki
from hub.clock import now_us
from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState
from hub.errors import HubError, Reason
from hub.proof.x509.sm2 import parse_x509
from hub.registry.decide import Outcome
from hub.seal.algorithms import PublicKey, octets_of_der
from hub.seal.seal_keys import KeyWarning, warnings_of
from hub.seal.seal_store import Key
from hub.seal.seals import keys_to_see_to
from tests.registry.office import AUTHORITY, OFFICERS, Office, licence, uscc
from tests.seal.test_seals import MAIN, refused

DAY_US = 86_400 * 1_000_000
# What a key of use `pdf` signs, in outline: a SET of attributes.
ATTRIBUTES = bytes.fromhex("31053003060155")


async def fresh_key(office: Office, **changes: Any) -> dict[str, Any]:
    """A record key that waits for its certificate, with its chain as an intent names it."""
    members = {"seal": MAIN, "use": "record", "algorithm": "ES256"} | changes
    made = await office.carry_out("key.generate", members)
    return {"key": made["key"], "x509_chain": office.chain_for(made)}


async def active(office: Office) -> Key:
    (one,) = [
        view.key
        for view in (await office.seals.get(MAIN)).keys
        if view.key.use is KeyUse.RECORD and view.key.state is KeyState.ACTIVE
    ]
    return one


async def approve_licences(office: Office) -> None:
    await office.propose()
    for officer in OFFICERS[1:]:
        await office.decide(officer, "intents/licences")


async def signed_by(office: Office) -> Counter[str]:
    """How many records each key has signed, by the rows of their signatures."""
    from sqlalchemy import select

    from hub.seal.store import SIGNATURES
    from hub.storage.statements import question

    rows = await office.database.all(question("signers", select(SIGNATURES.c.key_id)))
    return Counter(str(row[0]) for row in rows)


async def test_a_key_rotates_while_batches_come_in_and_none_fails(office: Office) -> None:
    """Every batch is accepted; records before carry the old key, those after the new one; and both
    read back whole."""
    await approve_licences(office)
    old = await active(office)
    fresh = await fresh_key(office)
    rotation = await office.approved("key.rotate", fresh)
    outcomes: list[Outcome] = []
    well_under_way = asyncio.Event()

    async def ingest() -> None:
        for number in range(1, 41):
            ingested = await office.deliver([licence(number)])
            outcomes.extend(row.outcome for row in ingested.results)
            if number == 12:
                well_under_way.set()

    running = asyncio.create_task(ingest())
    await asyncio.wait_for(well_under_way.wait(), 30)
    await office.execute(rotation)
    during = len(outcomes)
    await running

    new = await active(office)
    counts = await signed_by(office)
    assert during < 40
    assert outcomes == [Outcome.NEW] * 40
    assert new.name == fresh["key"] != old.name
    assert sum(counts.values()) == 40
    assert counts[old.kid] >= 12
    assert counts[new.kid] >= 40 - during - 1
    view = await office.seals.key(old.name)
    assert (view.key.state, view.uses) == (KeyState.RETIRED, counts[old.kid])
    assert (await office.seals.key(new.name)).uses == counts[new.kid]


async def test_rotation_needs_a_key_to_take_over_from_and_activation_none(office: Office) -> None:
    """Two keys of one seal, use and algorithm are never in force together."""
    fresh = await fresh_key(office)

    with refused(Reason.FIELD_INVALID):
        await office.approved("key.activate", fresh)
    await office.carry_out("key.retire", {"key": (await active(office)).name, "cause": "x"})
    with refused(Reason.KEY_NOT_ACTIVE):
        await office.approved("key.rotate", fresh)
    await office.carry_out("key.activate", fresh)
    assert (await active(office)).name == fresh["key"]


async def test_two_activations_at_once_leave_one_key_in_force(office: Office) -> None:
    """Both were approved while none was in force; the second to come is refused."""
    one, other = await fresh_key(office), await fresh_key(office)
    await office.carry_out("key.retire", {"key": (await active(office)).name, "cause": "x"})
    approved = [await office.approved("key.activate", key) for key in (one, other)]

    done = await asyncio.gather(*map(office.execute, approved), return_exceptions=True)

    refusals = [one for one in done if isinstance(one, HubError)]
    assert len(refusals) == 1
    assert refusals[0].reason in (Reason.FIELD_INVALID, Reason.DECISION_STALE)
    assert (await active(office)).name in (one["key"], other["key"])


async def test_a_renewed_chain_for_the_same_key_is_activated_in_place(office: Office) -> None:
    """The key stays, its certificate is another, and records carry the new chain."""
    before = await active(office)
    leaf = x509.load_der_x509_certificate(before.x509_chain[0])
    renewed = office.pki.renew(f"{leaf.serial_number:040x}", now=leaf.not_valid_before_utc)

    from hub.proof.encoding import b64u

    chain = [b64u(der) for der in renewed.chain_der]
    await office.carry_out("key.activate", {"key": before.name, "x509_chain": chain})

    after = await active(office)
    assert after.kid == before.kid
    assert after.x509_chain == renewed.chain_der != before.x509_chain
    assert after.activate_time_us == before.activate_time_us


@pytest.mark.parametrize("wrong", ["key", "organisation", "anchor", "profile", "garbage"])
async def test_a_chain_that_is_not_the_keys_is_refused(
    office: Office, tmp_path: Path, wrong: str
) -> None:
    """Another key, another authority, another PKI, another profile, no certificate at all."""
    import datetime

    from hub.proof.encoding import b64u, b64u_decode

    now = datetime.datetime.now(datetime.UTC)
    made = await office.carry_out(
        "key.generate", {"seal": MAIN, "use": "record", "algorithm": "ES256"}
    )
    if wrong == "key":
        chain = (await fresh_key(office))["x509_chain"]
    elif wrong == "organisation":
        issued = office.pki.issue(
            "seal",
            b64u_decode(made["x509_request"]),
            now=now,
            common_name="x",
            organization="x",
            organization_identifier=uscc(3),
        )
        chain = [b64u(der) for der in issued.chain_der]
    elif wrong == "anchor":
        chain = office.chain_for(made, Pki.init(tmp_path / "other", name="Other", now=now))
    elif wrong == "profile":
        issued = office.pki.issue(
            "system-client", b64u_decode(made["x509_request"]), now=now, common_name="x"
        )
        chain = [b64u(der) for der in issued.chain_der]
    else:
        chain = [b64u(b"garbage")]

    with refused(Reason.X509_UNTRUSTED):
        await office.approved("key.rotate", {"key": made["key"], "x509_chain": chain})


async def test_a_key_that_is_used_up_seals_nothing_more(office: Office) -> None:
    """Nine of ten uses warn; what goes beyond is refused whole; rotating goes on."""
    await approve_licences(office)
    await office.carry_out("key.rotate", await fresh_key(office, signatures_max=10))
    await office.deliver([licence(number) for number in range(9)])

    view = await office.seals.key((await active(office)).name)
    assert warnings_of(view.key, view.uses, now_us()) == [KeyWarning.NEARLY_USED_UP]
    with pytest.raises(HubError) as caught:
        await office.deliver([licence(number) for number in range(9, 11)])
    assert caught.value.reason is Reason.KEY_EXHAUSTED
    assert caught.value.details["left"] == "1"
    await office.deliver([licence(9)])
    await office.carry_out("key.rotate", await fresh_key(office))
    await office.deliver([licence(10)])


async def test_a_certificate_that_ends_is_warned_of_and_then_refused(office: Office) -> None:
    """At 30, 7 and 1 days, and when it has ended."""
    await approve_licences(office)
    key = await active(office)
    ends = key.not_after_us
    assert ends is not None

    found = [
        warnings_of(key, 0, ends - left)
        for left in (
            *(30 * DAY_US + 1, 30 * DAY_US, 7 * DAY_US + 1, 7 * DAY_US),
            *(DAY_US + 1, DAY_US, 1, 0),
        )
    ]
    late = dataclasses.replace(office.record_seals.keys, clock=lambda: ends)

    assert found == [
        [],
        [KeyWarning.ENDS_IN_30_DAYS],
        [KeyWarning.ENDS_IN_30_DAYS],
        [KeyWarning.ENDS_IN_7_DAYS],
        [KeyWarning.ENDS_IN_7_DAYS],
        [KeyWarning.ENDS_IN_1_DAY],
        [KeyWarning.ENDS_IN_1_DAY],
        [KeyWarning.ENDED],
    ]
    assert warnings_of(dataclasses.replace(key, state=KeyState.RETIRED), 0, ends) == []
    with refused(Reason.KEY_EXPIRED):
        await late.usable(MAIN, KeyUse.RECORD, KeyAlgorithm.ES256, 1)


async def test_a_destroyed_key_is_gone_and_an_active_one_is_not_destroyed(office: Office) -> None:
    """Its file is removed before the log says so, and the state never comes back."""
    key = await active(office)
    files = office.record_seals.keys.homes["files"]
    there = files.health().count
    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await office.approved("key.destroy", {"key": key.name, "cause": "x"})
    await office.carry_out("key.retire", {"key": key.name, "cause": "x"})

    await office.carry_out("key.destroy", {"key": key.name, "cause": "x"})

    assert files.health().count == there - 1
    assert (await office.seals.key(key.name)).key.state is KeyState.DESTROYED
    assert key.name not in [one.key.name for one in (await office.seals.get(MAIN)).keys]
    with refused(Reason.TRANSITION_NOT_ALLOWED):
        await office.approved("key.activate", {"key": key.name, "x509_chain": ["AA"]})
    with refused(Reason.KEY_NOT_ACTIVE):
        await office.record_seals.keys.usable(MAIN, KeyUse.RECORD, KeyAlgorithm.ES256, 1)


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm), ids=str)
async def test_the_whole_life_of_a_key_of_each_algorithm(
    office: Office, algorithm: KeyAlgorithm
) -> None:
    """Made, certified by the PKI, in force, signing, rotated, retired, destroyed: the same life,
    whatever the algorithm."""
    keys = office.record_seals.keys
    wanted = {"use": "pdf", "algorithm": algorithm.value}

    async def signs() -> str:
        usable = await keys.usable(MAIN, KeyUse.PDF, algorithm, 1)
        signature = usable.signing.sign(ATTRIBUTES, FORMATS[KeyUse.PDF])
        has_der = algorithm not in (KeyAlgorithm.ED25519, KeyAlgorithm.PS256)
        octets = octets_of_der(algorithm, signature) if has_der else signature
        PublicKey.from_spki(spki_of(usable.signing.x509_chain[0])).verify(ATTRIBUTES, octets)
        return usable.key.name

    first = await fresh_key(office, **wanted)
    with refused(Reason.KEY_NOT_ACTIVE):
        await signs()
    await office.carry_out("key.activate", first)
    assert await signs() == first["key"]
    second = await fresh_key(office, **wanted)
    await office.carry_out("key.rotate", second)
    assert await signs() == second["key"]
    states = {}
    for name, steps in ((first["key"], ["destroy"]), (second["key"], ["retire", "destroy"])):
        states[name] = [(await office.seals.key(name)).key.state]
        for step in steps:
            await office.carry_out(f"key.{step}", {"key": name, "cause": "its time is over"})
            states[name].append((await office.seals.key(name)).key.state)
    assert states == {
        first["key"]: [KeyState.RETIRED, KeyState.DESTROYED],
        second["key"]: [KeyState.ACTIVE, KeyState.RETIRED, KeyState.DESTROYED],
    }
    with refused(Reason.KEY_NOT_ACTIVE):
        await signs()
    with refused(Reason.KEY_UNAVAILABLE):
        await keys.open((await office.seals.key(second["key"])).key)


def spki_of(certificate: bytes) -> bytes:
    """The key in a certificate, which `cryptography` cannot read where it is SM2."""
    parsed = parse_x509(certificate)
    if parsed.key is not None:
        return parsed.key.to_spki()
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "members",
    [
        {"seal": MAIN, "use": "maker", "algorithm": "SM2"},
        {"use": "record", "algorithm": "ES256", "authority": AUTHORITY, "title": "x"},
        {"use": "maker", "algorithm": "SM2", "authority": AUTHORITY},
        {"use": "maker", "algorithm": "ES256", "authority": AUTHORITY, "title": "x"},
        {"seal": MAIN, "use": "record", "algorithm": "PS256"},
        {"seal": MAIN, "use": "record", "algorithm": "ES256", "signatures_max": 0},
    ],
)
async def test_a_key_without_sense_is_not_proposed(office: Office, members: dict[str, Any]) -> None:
    """A maker's key belongs to the hub, every other to a seal, each use has its algorithms."""
    with refused(Reason.FIELD_INVALID):
        await office.approved("key.generate", members)


async def test_what_officers_must_see_to_is_named_by_seal_use_and_key(office: Office) -> None:
    """As the doctor says it: nothing while all is well, then the mark that was passed."""
    key = await active(office)
    assert key.not_after_us is not None

    well = await keys_to_see_to(office.database, now_us())
    late = await keys_to_see_to(office.database, key.not_after_us - 6 * DAY_US)

    assert well == []
    assert late == [(f"{MAIN}/record ({key.name})", [KeyWarning.ENDS_IN_7_DAYS])]
