"""What the log says of keys reaches verifiers with its proof, and believed is nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.certificate import Custody
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.key_statements import (
    KeyStatements,
    proven_statements,
    read_statements,
    with_statements,
)
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.trust import Compromise, KeyCustody, Trust, parse_trust, trust_file
from hub.seal.v1 import seal_pb2, seal_pb2_grpc
from hub.v1 import common_pb2
from tests.seal import life
from tests.simulator import Member, Refused, Simulator, copy_home

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY, OTHER = "A" * 43, "B" * 43


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    home = copy_home(city, tmp_path_factory.mktemp("statements") / "home")
    async with Simulator(home) as simulator:
        yield simulator


async def listed(member: Member, page_size: int = 0) -> list[common_pb2.Receipt]:
    """The receipts of every page."""
    stub = seal_pb2_grpc.SealServiceStub(member.channel)
    found: list[common_pb2.Receipt] = []
    token = ""
    while True:
        answer = await member.call(
            stub.ListKeyStatements,
            seal_pb2.ListKeyStatementsRequest(page_size=page_size, page_token=token),
        )
        found += answer.receipts
        token = answer.next_page_token
        if not token:
            return found


async def said(hub: Simulator) -> list[KeyStatements]:
    receipts = await listed(hub.platform())
    return [proven_statements(one.json, hub.trust.log)[0] for one in receipts]


async def test_a_platform_is_shown_custody_and_compromise_of_every_key(hub: Simulator) -> None:
    """Each under the signed log; one key in files, then declared compromised, twice, earlier."""
    zhao = hub.officer()
    before = [one for item in await said(hub) for one in item.custodies]
    seal = "authorities/hz-market/seals/main"
    made = await zhao.carry_out(
        "key.generate", {"seal": seal, "use": "record", "algorithm": "ES256", "home": "files"}
    )
    await zhao.carry_out("key.rotate", {"key": made["key"], "x509_chain": hub.chain_for(made)})
    now = int(time.time())
    for since in (now - 10, now - 20):
        await zhao.carry_out(
            "key.compromise", {"key": made["key"], "since": since, "cause": "lost"}
        )

    after = await said(hub)

    (new,) = [one for item in after for one in item.custodies if one not in before]
    assert len(before) == 2 and {one.custody for one in before} == {Custody.HUB_FILE}
    assert new.custody is Custody.HUB_FILE
    declared = [one for item in after for one in item.compromised]
    assert Compromise(new.key, now - 20) in declared
    assert Compromise(made["key_id"], now - 20) in declared
    trust = with_statements(hub.trust, after, now)
    assert trust.custody_of(new.key) is Custody.HUB_FILE
    assert trust.compromised_from(made["key_id"]) == now - 20


async def test_codes_of_an_authority_are_pinned_where_its_records_are_trusted(
    hub: Simulator,
) -> None:
    """By the certificate of the key that was made for codes; not under another root, and not a
    key of the same seal that is for something else."""
    zhao, seal = hub.officer(), "authorities/hz-market/seals/codes"
    await life.apply_and_make(hub, zhao, seal, ("record", "ES256"), ("face", "ES256"))
    keys = await zhao.call(
        seal_pb2_grpc.SealServiceStub(zhao.channel).ListKeys, seal_pb2.ListKeysRequest(seal=seal)
    )
    (code,) = [one for one in keys.keys if one.use == "face"]
    statements, now = await said(hub), int(time.time())

    trusting = with_statements(hub.trust, statements, now)
    stranger = with_statements(replace(hub.trust, seal_anchors=()), statements, now)

    (pinned,) = set(trusting.face_certificates) - set(hub.trust.face_certificates)
    assert pinned.public_bytes(Encoding.DER) == code.x509_chain[0]
    assert stranger.face_certificates == hub.trust.face_certificates
    assert parse_trust(trust_file(trusting)) == trusting
    # What was signed before the key's certificate ended, or another key took its place, stays so.
    assert with_statements(hub.trust, statements, 2**33) == trusting
    made = await zhao.carry_out("key.generate", {"seal": seal, "use": "face", "algorithm": "ES256"})
    await zhao.carry_out("key.rotate", {"key": made["key"], "x509_chain": hub.chain_for(made)})
    # Its certificate may be a second younger than the first look.
    after = with_statements(hub.trust, await said(hub), int(time.time()))
    assert {*trusting.face_certificates} < {*after.face_certificates}


async def test_pages_of_one_hold_what_one_page_holds(hub: Simulator) -> None:
    """In the order of the log, each entry once."""
    whole, single = await listed(hub.officer()), await listed(hub.officer(), page_size=1)

    entries = [one.entry for one in whole]
    assert entries == sorted(set(entries)) == [one.entry for one in single]


async def test_what_a_receipt_does_not_prove_is_not_believed(hub: Simulator) -> None:
    """A changed body, and a log that is not the pinned one."""
    receipt = (await listed(hub.platform()))[0].json
    members = json.loads(receipt)
    body = b64u_decode(members["body"]).replace(b"hub-file", b"hub-hsm")
    forged = json.dumps(members | {"body": b64u(body)})

    with pytest.raises(ProofError):
        proven_statements(forged, hub.trust.log)
    with pytest.raises(ProofError) as unknown:
        proven_statements(receipt, replace(hub.trust.log, log_keys=()))

    assert unknown.value.reason is ProofReason.NO_LOG_KEY


async def test_a_row_that_names_another_entry_shows_nobody_that_entry(hub: Simulator) -> None:
    """Whoever writes the database cannot have the hub open its log, nor make a key its own."""
    receipts = await listed(hub.platform())
    await hub.officer().grant("any", "window-2")
    other = hub.size - 1
    await hub.hub.database.define(f"UPDATE seal_key_entries SET entry = {other}")

    shown = await listed(hub.platform())

    assert other not in {one.entry for one in shown}
    assert len(shown) < len(receipts)


@pytest.mark.parametrize("name", ["hz-connector", "monitor-1", "hz-desk"])
async def test_who_verifies_nothing_may_not_ask(hub: Simulator, name: str) -> None:
    """The table says who may."""
    with pytest.raises(Refused) as refused:
        await listed(hub.system(name))

    assert refused.value.reason == "ROLE_NOT_ALLOWED"


def entry(kind: str, data: object) -> bytes:
    members = {
        "v": 1,
        "kind": kind,
        "origin": "hub.example",
        "time_us": 1,
        "request_id": "r",
        "caller": "officers/1",
        "data": data,
    }
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("fetch", {"key_digest": KEY, "custody": "hub-file"}),
        ("key.generated", "text"),
        ("key.generated", {"key_digest": "short", "custody": "hub-file"}),
        ("key.generated", {"key_digest": KEY, "custody": "attested"}),
        ("key.compromised", {"key_id": KEY, "key_digest": KEY}),
        ("key.compromised", {"key_id": KEY, "key_digest": KEY, "since": -1}),
        ("key.compromised", {"key_id": KEY, "key_digest": KEY, "since": True}),
        ("key.compromised", {"key_id": KEY, "since": 1}),
    ],
)
async def test_an_entry_that_says_no_such_thing_is_refused(kind: str, data: object) -> None:
    """Only what was meant as a statement about a key is read as one."""
    with pytest.raises(ProofError) as refused:
        read_statements(entry(kind, data), "hub.example")

    assert refused.value.reason in (ProofReason.BODY_KIND, ProofReason.CLAIM_INVALID)


async def test_entries_without_a_digest_say_no_custody() -> None:
    """As they were written before this version."""
    old = entry("seal.applied", {"keys": [{"key_id": KEY, "custody": "hub-file"}]})

    assert read_statements(old, "hub.example") == KeyStatements()


async def test_declarations_move_back_only_and_what_the_reader_wrote_stays() -> None:
    """Nobody makes believable again what was not."""
    trust = Trust(
        "hub.example",
        "330100",
        compromised=(Compromise(KEY, 100), Compromise(KEY, 90)),
        custodies=(KeyCustody(KEY, Custody.DEPARTMENT),),
    )
    later = KeyStatements(compromised=(Compromise(KEY, 95),))
    earlier = KeyStatements(
        (KeyCustody(KEY, Custody.HUB_FILE), KeyCustody(OTHER, Custody.HUB_HSM)),
        (Compromise(KEY, 80), Compromise(OTHER, 7)),
    )

    kept, moved = (with_statements(trust, said, 0) for said in ([later], [earlier, later]))

    assert kept.compromised_from(KEY) == 90
    assert (moved.compromised_from(KEY), moved.compromised_from(OTHER)) == (80, 7)
    assert moved.custody_of(KEY) is Custody.DEPARTMENT
    assert moved.custody_of(OTHER) is Custody.HUB_HSM
