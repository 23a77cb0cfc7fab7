"""Whoever wants to act alone: officers against the quorum, and the database against officers."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import bindparam, select

from hub.errors import HubError, Reason
from hub.proof.jose import es256_signer
from hub.proof.officers.approval import Approval, Decision, intent_digest, sign_approval
from hub.seal.store import INTENTS
from hub.seal.v1 import intents_pb2
from hub.storage.statements import question
from tests.access.officers import new_keys
from tests.simulator import ORIGIN, REGION, Officer, Refused, Simulator, copy_home, licence, new_id

QUORUM = {"default": 2}
_BYTES = question(
    "bytes of the intent",
    select(INTENTS.c.bytes).where(INTENTS.c.name == bindparam("name")),
    "name",
)


@pytest_asyncio.fixture
async def hub(city: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    """A hub of its own: officers zhao, qian and sun, who change here."""
    async with Simulator(copy_home(city, tmp_path / "home")) as simulator:
        yield simulator


async def proposed(hub: Simulator, intent: str = "change", **more: Any) -> Officer:
    """An intent by zhao that leaves the quorum as it is."""
    zhao = hub.officer()
    await zhao.propose_kind(intent, "quorum.change", QUORUM, **more)
    return zhao


async def refusal(call: Any) -> tuple[str, str]:
    """Reason, and the rule where it names one."""
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.reason, caught.value.details.get("rule", "")


async def state_of(hub: Simulator, intent: str = "change") -> str:
    auditor = hub.officer("sun")
    answer = await auditor.call(
        auditor.intents.GetIntent, intents_pb2.GetIntentRequest(name=f"intents/{intent}")
    )
    return intents_pb2.Intent.State.Name(answer.intent.state).removeprefix("STATE_")


async def counting(hub: Simulator, intent: str) -> tuple[int, int]:
    """How many approvals count, and how many are needed."""
    qian = hub.officer("qian")
    answer = await qian.call(
        qian.intents.GetIntent, intents_pb2.GetIntentRequest(name=f"intents/{intent}")
    )
    return answer.intent.counting, answer.intent.quorum


def write(hub: Simulator, sql: str, *values: object) -> None:
    """What somebody does who can write the database."""
    with sqlite3.connect(hub.home / "data" / "hub.db", timeout=10) as connection:
        assert connection.execute(sql, values).rowcount
    connection.close()


# ---- one officer alone ----


async def test_who_proposes_does_not_decide(hub: Simulator) -> None:
    """Neither is a nonce given, nor does an approval signed without one count."""
    zhao = await proposed(hub)

    assert (await refusal(zhao.approve("change")))[0] == "APPROVER_REFUSED"
    assert await hub.officer("qian").approve("change") == "PROPOSED"
    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2)",
    )


async def test_nobody_approves_twice_and_who_approved_may_reject(hub: Simulator) -> None:
    """A second approval would count twice; a rejection after one takes belief away."""
    await proposed(hub)
    qian = hub.officer("qian")
    await qian.approve("change")

    assert (await refusal(qian.approve("change")))[0] == "APPROVER_REFUSED"
    assert await state_of(hub) == "PROPOSED"
    assert await qian.approve("change", Decision.REJECT) == "REJECTED"
    assert (await refusal(hub.officer("sun").approve("change")))[0] == "INTENT_CLOSED"


@pytest.mark.parametrize("member", ["x509_certificate", "signing_request"])
async def test_a_second_account_needs_keys_of_its_own(hub: Simulator, member: str) -> None:
    """Neither certificate nor approval key of an officer serves for another name."""
    zhao = hub.officer()
    first = new_keys(hub, "twin")
    await zhao.carry_out("officer.enrol", first)
    second = {**new_keys(hub, "twin-2"), member: first[member]}
    if member == "x509_certificate":
        second["x509_request"] = first["x509_request"]

    with pytest.raises(Refused) as caught:
        await zhao.propose_kind("twice", "officer.enrol", second)

    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.violations == [(f"members.{member}", "key.used")]


async def test_who_neither_proposed_nor_approved_does_not_execute(hub: Simulator) -> None:
    """A fourth officer has no part in it; an approver has."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")

    assert (await refusal(hub.officer("liu").execute("change")))[0] == "APPROVER_REFUSED"
    assert (await hub.officer("sun").execute("change"))["roster"] == 2


async def test_only_its_requester_takes_an_intent_back(hub: Simulator) -> None:
    """Others reject; and after withdrawal nobody decides and nobody executes."""
    zhao = await proposed(hub)
    qian, sun = hub.officer("qian"), hub.officer("sun")
    kept = await sun.signed_approval("change")
    assert (await refusal(qian.withdraw("change")))[0] == "APPROVER_REFUSED"
    await qian.approve("change")

    await zhao.withdraw("change")

    assert (await refusal(sun.send_approval("change", kept)))[0] == "INTENT_CLOSED"
    assert (await refusal(sun.approve("change")))[0] == "INTENT_CLOSED"
    assert (await refusal(zhao.execute("change")))[0] == "INTENT_CLOSED"


async def test_one_rejection_ends_even_an_approved_intent(hub: Simulator) -> None:
    """Of four officers two approve and one rejects."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")

    assert await hub.officer("liu").approve("change", Decision.REJECT) == "REJECTED"

    assert (await refusal(zhao.execute("change")))[0] == "INTENT_CLOSED"


async def test_an_edit_voids_approvals(hub: Simulator) -> None:
    """It is another intent, which names the one that ends with it."""
    zhao = await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    assert (
        await refusal(
            hub.officer("qian").propose_kind(
                "mine", "quorum.change", QUORUM, days=2, replaces="intents/change"
            )
        )
    )[0] == "APPROVER_REFUSED"

    await zhao.propose_kind("edited", "quorum.change", QUORUM, days=2, replaces="intents/change")

    assert await state_of(hub) == "REPLACED"
    assert (await refusal(zhao.execute("change")))[0] == "INTENT_CLOSED"
    assert await refusal(zhao.execute("edited")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (0 of 2)",
    )


# ---- approvals that are not what they seem ----


async def test_a_nonce_serves_one_approval_of_one_intent(hub: Simulator) -> None:
    """Sent again, for another intent, or made without one."""
    await proposed(hub)
    await proposed(hub, "other", days=2)
    qian = hub.officer("qian")
    approval = await qian.signed_approval("change")
    await qian.signed_approval("other")

    assert await refusal(qian.send_approval("other", approval)) == (
        "APPROVAL_INVALID",
        "INTENT_MISMATCH",
    )
    await qian.send_approval("change", approval)
    assert await refusal(qian.send_approval("change", approval)) == (
        "APPROVAL_INVALID",
        "NONCE_MISMATCH",
    )
    fresh = await hub.officer("sun").signed_approval("other", nonce=bytes(32))
    assert await refusal(hub.officer("sun").send_approval("other", fresh)) == (
        "APPROVAL_INVALID",
        "NONCE_MISMATCH",
    )
    # The nonce that was open is used up by the failure.
    again = await hub.officer("sun").signed_approval("change")
    assert await refusal(hub.officer("sun").send_approval("other", again)) == (
        "APPROVAL_INVALID",
        "NONCE_MISMATCH",
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"origin": "hub.ningbo.example"}, "ORIGIN_WRONG"),
        ({"region": "330200"}, "REGION_WRONG"),
        ({"officer": "officers/qian"}, "OFFICER_MISMATCH"),
        ({"not_after": 1}, "EXPIRED"),
        ({"not_after": 4_102_444_800}, "EXP_TOO_FAR"),
        ({"iat": 4_102_444_800}, "IAT_FUTURE"),
        ({"iat": 1_700_000_000}, "CLAIM_INVALID"),
        ({"key_entry": 999}, "CLAIM_INVALID"),
    ],
)
async def test_an_approval_says_what_it_must(
    hub: Simulator, changes: dict[str, Any], rule: str
) -> None:
    """Of another hub, in another's name, at another time: refused, and nothing is stored."""
    await proposed(hub)
    sun, before = hub.officer("sun"), (await hub.state()).domain()

    approval = await sun.signed_approval("change", **changes)

    assert await refusal(sun.send_approval("change", approval)) == ("APPROVAL_INVALID", rule)
    assert (await hub.state()).domain() == before


async def test_an_approval_ends_when_it_says(hub: Simulator) -> None:
    """Approved, and a second later not any more; the officer may say it again."""
    zhao = await proposed(hub)
    await hub.officer("qian").approve("change")
    sun = hub.officer("sun")
    short = await sun.signed_approval("change", not_after=int(time.time()) + 2)
    answer = await sun.send_approval("change", short)
    assert answer.intent.state == intents_pb2.Intent.STATE_APPROVED
    await asyncio.sleep(2)

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; EXPIRED)",
    )

    assert await sun.approve("change") == "APPROVED"
    assert (await zhao.execute("change"))["roster"] == 1


# ---- officers who are away, have left, or have other keys ----


async def test_who_is_absent_neither_decides_nor_counts(hub: Simulator) -> None:
    """From the moment of the absence on; what was approved before waits for the return."""
    zhao = await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    now = int(time.time())
    away = {"officer": "officers/sun", "from": now - 60, "until": now + 3600}
    await zhao.carry_out("officer.absent", away)

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; APPROVER_NOT_COUNTED)",
    )
    await proposed(hub, "later", days=2)
    assert (await refusal(hub.officer("sun").approve("later")))[0] == "APPROVER_REFUSED"


async def test_who_has_left_does_not_count(hub: Simulator) -> None:
    """The approval is from before; and the connection is refused at once."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    await proposed(hub)
    for name in ("qian", "liu"):
        await hub.officer(name).approve("change")
    end = {"officer": "officers/liu", "cause": "left"}
    await zhao.carry_out("officer.end", end)

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; KEY_UNKNOWN)",
    )
    assert (await refusal(hub.officer("liu").approve("change")))[0] == "TOKEN_REVOKED"
    assert (await refusal(hub.officer("liu").new_token()))[0] == "PEER_UNKNOWN"


@pytest.mark.parametrize("kind", ["officer.rotate-key", "officer.hand-over"])
async def test_an_approval_ends_with_its_key(hub: Simulator, kind: str) -> None:
    """Whoever rotates, or takes over, approves anew; the old key approves nothing more."""
    zhao = await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    old = hub.officer("sun")
    requester, by = (
        (old, ("zhao", "qian")) if kind == "officer.rotate-key" else (zhao, ("qian", "sun"))
    )
    await requester.carry_out(kind, new_keys(hub, "sun", "sun-2"), by=by)

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; KEY_UNKNOWN)",
    )
    assert (await refusal(old.approve("change")))[0] == "TOKEN_REVOKED"
    new = hub.officer("sun", keys_of="officers/sun-2")
    assert await new.approve("change") == "APPROVED"
    assert (await zhao.execute("change"))["roster"] == 2


async def test_a_standing_intent_outlives_an_approver_whom_a_third_joined(hub: Simulator) -> None:
    """Before one who approved it leaves, another approves it; sealing goes on without a gap."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    assert await counting(hub, "hz-001") == (2, 2)
    assert await hub.officer("liu").approve("hz-001") == "APPROVED"
    assert await counting(hub, "hz-001") == (3, 2)
    await zhao.carry_out("officer.end", {"officer": "officers/sun", "cause": "left"})
    assert await counting(hub, "hz-001") == (2, 2)

    delivered = await hub.connector().deliver([licence(1)])
    assert delivered.results[0].certificate


# ---- the quorum itself ----


async def test_a_quorum_lowered_in_the_same_minute_helps_nothing(hub: Simulator) -> None:
    """What was proposed while three had to approve is approved by three."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    strict = {"default": 3}
    await zhao.carry_out("quorum.change", strict)
    away = {"officer": "officers/liu", "from": 2_000_000_000, "until": 2_000_086_400}
    await zhao.propose_kind("away", "officer.absent", away)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("away")
    lower = zhao.carry_out("quorum.change", QUORUM, intent="lower")
    assert await refusal(lower) == ("INTENT_NOT_APPROVED", "QUORUM_NOT_REACHED (2 of 3)")
    await hub.officer("liu").approve("lower")
    await zhao.execute("lower")

    assert await refusal(zhao.execute("away")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (2 of 3)",
    )


async def test_a_raised_quorum_counts_at_once(hub: Simulator) -> None:
    """Also for what two had approved before."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    await zhao.carry_out("quorum.change", {"default": 3})

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (2 of 3)",
    )


@pytest.mark.parametrize(
    ("kind", "members", "rule"),
    [
        ("quorum.change", {"default": 3}, "officers.too_few"),
        ("quorum.change", {"default": 1}, "value.range"),
        ("officer.end", {"officer": "officers/sun", "cause": "left"}, "officers.too_few"),
        ("officer.end", {"officer": "officers/wang", "cause": "left"}, "officer.unknown"),
        ("officer.end", {"officer": "officers/sun"}, "member.missing"),
        ("officer.end", {"officer": "officers/sun", "cause": "x", "more": 1}, "member.unknown"),
    ],
)
async def test_what_could_not_be_executed_is_not_proposed(
    hub: Simulator, kind: str, members: dict[str, Any], rule: str
) -> None:
    """Nobody is asked to approve it; nothing is stored."""
    before = (await hub.state()).domain()

    with pytest.raises(Refused) as caught:
        await hub.officer().propose_kind("wrong", kind, members)

    assert caught.value.reason == "FIELD_INVALID"
    assert rule in [one for _, one in caught.value.violations]
    assert (await hub.state()).domain() == before


# ---- at the same moment ----


async def test_of_two_executions_at_once_exactly_one_happens(hub: Simulator) -> None:
    """One entry, one roster; the other one finds the intent closed."""
    zhao = await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    size = hub.size

    outcomes = await asyncio.gather(
        *(hub.officer(name).execute("change") for name in ("zhao", "qian", "sun")),
        return_exceptions=True,
    )

    done = [one for one in outcomes if isinstance(one, dict)]
    refused = [one.reason for one in outcomes if isinstance(one, Refused)]
    assert len(done) == 1
    assert refused == ["INTENT_CLOSED", "INTENT_CLOSED"]
    entries = [entry for entry in await hub.entries(size) if entry["kind"] == "quorum.changed"]
    assert len(entries) == 1
    assert (await hub.hub.rosters.current()).number == 1
    assert await state_of(hub) == "EXECUTED"
    assert zhao.name in entries[0]["data"]["bytes"]
    assert len(entries[0]["data"]["approvals"]) == 2


async def test_two_approvals_at_once_are_both_kept(hub: Simulator) -> None:
    """Or one is asked to decide again; never does one of them vanish."""
    await proposed(hub)

    outcomes = await asyncio.gather(
        *(hub.officer(name).approve("change") for name in ("qian", "sun")), return_exceptions=True
    )

    for name, outcome in zip(("qian", "sun"), outcomes, strict=True):
        if isinstance(outcome, Refused):
            assert outcome.reason == "DECISION_STALE"
            await hub.officer(name).approve("change")
    assert await state_of(hub) == "APPROVED"
    assert (await hub.officer().execute("change"))["roster"] == 1


async def test_an_execution_happens_whole_or_not_at_all(
    hub: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the log does not take it nothing has changed; the same call again does it once."""
    zhao = await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    before, request_id = (await hub.state()).domain(), new_id()
    recorder = hub.hub.recorder

    async def broken(*_: object, **__: object) -> None:
        raise HubError(Reason.LOG_UNAVAILABLE, retry_after_s=1.0)

    with monkeypatch.context() as patch:
        patch.setattr(type(recorder), "record", broken)
        with pytest.raises(Refused) as caught:
            await zhao.execute("change", request_id)
    assert caught.value.status == "UNAVAILABLE"
    assert (await hub.state()).domain() == before

    first = await zhao.execute("change", request_id)

    assert (
        await zhao.execute("change", request_id)
        == first
        == {
            "roster": 1,
            "digest": (await hub.hub.rosters.current()).digest,
        }
    )


# ---- whoever writes the database ----


async def test_a_row_of_approvals_made_by_hand_counts_for_nothing(hub: Simulator) -> None:
    """Neither with an attacker's key nor as a state; what counts are signatures of the roster."""
    zhao = await proposed(hub)
    await hub.officer("qian").approve("change")
    bytes_ = (await hub.hub.database.all(_BYTES, "intents/change"))[0][0]
    assert isinstance(bytes_, bytes)
    now = int(time.time())
    forged = sign_approval(
        Approval(
            origin=ORIGIN,
            region=REGION,
            officer="officers/sun",
            intent=intent_digest(bytes_),
            nonce=bytes(32),
            decision=Decision.APPROVE,
            not_after=now + 3600,
            key_entry=1,
            iat=now,
        ),
        es256_signer(ec.generate_private_key(ec.SECP256R1())),
    )
    write(
        hub,
        "INSERT INTO seal_approvals SELECT intent, 'officers/sun', decision, ?, ?, key_id, entry,"
        " create_time_us, retention_class FROM seal_approvals WHERE intent = 'intents/change'",
        forged,
        bytes(32),
    )
    write(hub, "UPDATE seal_intents SET state = 'approved' WHERE name = 'intents/change'")

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; KEY_UNKNOWN)",
    )


async def test_one_officers_words_in_the_row_of_another_are_not_shown_as_counting(
    hub: Simulator,
) -> None:
    """Officers who look see one of two, whatever state the row of the intent has."""
    zhao = await proposed(hub)
    await hub.officer("qian").approve("change")
    write(
        hub,
        "INSERT INTO seal_approvals SELECT intent, 'officers/sun', decision, approval, ?,"
        " key_id, entry, create_time_us, retention_class FROM seal_approvals"
        " WHERE intent = 'intents/change'",
        bytes(32),
    )
    write(hub, "UPDATE seal_intents SET state = 'approved' WHERE name = 'intents/change'")

    shown = await zhao.call(
        zhao.intents.GetIntent, intents_pb2.GetIntentRequest(name="intents/change")
    )

    assert (shown.intent.counting, shown.intent.quorum) == (1, 2)
    assert (await refusal(zhao.execute("change")))[0] == "INTENT_NOT_APPROVED"


async def test_a_genuine_approval_of_another_intent_counts_for_nothing(hub: Simulator) -> None:
    """Copied by hand under the intent that the attacker wants."""
    zhao = await proposed(hub)
    await proposed(hub, "harmless", days=2)
    await hub.officer("qian").approve("change")
    await hub.officer("sun").approve("harmless")
    write(
        hub, "UPDATE seal_approvals SET intent = 'intents/change' WHERE intent = 'intents/harmless'"
    )

    assert await refusal(zhao.execute("change")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; INTENT_MISMATCH)",
    )


async def test_one_byte_changed_after_the_first_approval_voids_it(hub: Simulator) -> None:
    """The second officer may approve what stands there now: it is one approval of that."""
    zhao = hub.officer()
    await zhao.carry_out("officer.enrol", new_keys(hub, "liu"))
    end = {"officer": "officers/liu", "cause": "left"}
    await zhao.propose_kind("end", "officer.end", end)
    await hub.officer("qian").approve("end")
    write(
        hub,
        "UPDATE seal_intents SET bytes = CAST(replace(CAST(bytes AS TEXT), 'left', 'lift') AS BLOB)"
        " WHERE name = 'intents/end'",
    )

    assert await hub.officer("sun").approve("end") == "PROPOSED"

    assert await refusal(zhao.execute("end")) == (
        "INTENT_NOT_APPROVED",
        "QUORUM_NOT_REACHED (1 of 2; INTENT_MISMATCH)",
    )


async def test_an_executed_intent_that_reads_approved_again_is_not_executed_again(
    hub: Simulator,
) -> None:
    """The chain of rosters knows which intents carried it."""
    zhao = await proposed(hub)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("change")
    await zhao.execute("change")
    write(hub, "UPDATE seal_intents SET state = 'approved' WHERE name = 'intents/change'")

    assert (await refusal(zhao.execute("change")))[0] == "INTENT_CLOSED"
    assert (await hub.hub.rosters.current()).number == 1
