"""An intent ends once: whoever writes the database cannot have it carried out again."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hub.clock import now_us
from hub.proof.officers.approval import Decision
from hub.seal import ended_intents
from hub.seal.ended_intents import EndedIntents
from hub.seal.v1 import intents_pb2
from tests.access.officers import new_keys
from tests.faults.test_postgresql import begin_in
from tests.simulator import Refused, Simulator, copy_home, licence

SEAL = "authorities/hz-market/seals/main"
PAUSE = {"seal": SEAL, "cause": "inspection"}


def write(hub: Simulator, *statements: str) -> None:
    """What somebody does who can write the database; each statement changes something."""
    with sqlite3.connect(hub.home / "data" / "hub.db", timeout=10) as connection:
        for sql in statements:
            assert connection.execute(sql).rowcount, sql
    connection.close()


def set_back(intent: str) -> str:
    return f"UPDATE seal_intents SET state = 'approved' WHERE name = 'intents/{intent}'"


async def refusal(call: Any) -> tuple[str, str]:
    """Reason, and the state or rule that it names."""
    with pytest.raises(Refused) as caught:
        await call
    details = caught.value.details
    return caught.value.reason, details.get("state", details.get("rule", ""))


async def approved(hub: Simulator, intent: str, kind: str, members: dict[str, Any]) -> None:
    await hub.officer().propose_kind(intent, kind, members)
    for name in ("qian", "sun"):
        await hub.officer(name).approve(intent)


async def executed(hub: Simulator) -> None:
    """A seal was suspended, resumed and got a key, each by an intent of its own."""
    key = {"seal": SEAL, "use": "pdf", "algorithm": "ES256"}
    for intent, kind, members in (
        ("pause", "seal.suspend", PAUSE),
        ("go-on", "seal.resume", PAUSE),
        ("more", "key.generate", key),
    ):
        await approved(hub, intent, kind, members)
        await hub.officer().execute(intent)


async def test_what_was_executed_is_not_executed_again(city: Path, tmp_path: Path) -> None:
    """Set back by SQL, under its own name or another: of three kinds, before and after a start."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await executed(hub)
        write(
            hub,
            *map(set_back, ("pause", "go-on", "more")),
            "UPDATE seal_intents SET name = 'intents/fresh' WHERE name = 'intents/go-on'",
            "UPDATE seal_approvals SET intent = 'intents/fresh' WHERE intent = 'intents/go-on'",
        )
        before = (await hub.state()).domain()

        for intent in ("pause", "fresh", "more"):
            assert await refusal(hub.officer().execute(intent)) == ("INTENT_CLOSED", "executed")

        assert (await hub.state()).domain() == before
    async with Simulator(hub.home) as hub:
        for intent in ("pause", "fresh", "more"):
            assert await refusal(hub.officer().execute(intent)) == ("INTENT_CLOSED", "executed")
        assert (await hub.state()).domain() == before


async def test_two_that_say_the_same_are_two(city: Path, tmp_path: Path) -> None:
    """Proposed in one second by one officer: the approvals and the end of each are its own."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        zhao, qian = hub.officer(), hub.officer("qian")
        now = int(time.time())
        for intent in ("first", "second"):
            await zhao.propose_kind(intent, "quorum.change", {"default": 2}, now=now)
        kept = await qian.signed_approval("first")
        await qian.signed_approval("second")
        assert await refusal(qian.send_approval("second", kept)) == (
            "APPROVAL_INVALID",
            "INTENT_MISMATCH",
        )
        for intent in ("first", "second"):
            for name in ("qian", "sun"):
                await hub.officer(name).approve(intent)

        assert [(await zhao.execute(one))["roster"] for one in ("first", "second")] == [1, 2]


async def test_what_was_stopped_stays_stopped(city: Path, tmp_path: Path) -> None:
    """Rejected, with the rejection deleted; withdrawn; replaced: approved by two before."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        zhao = hub.officer()
        end = {"seal": SEAL, "cause": "gone"}
        for number, intent in enumerate(("rejected", "withdrawn", "replaced")):
            cause = {**end, "cause": f"gone {number}"}
            await zhao.propose_kind(intent, "seal.suspend", cause)
            await hub.officer("qian").approve(intent)
        await hub.officer("sun").approve("withdrawn")
        await hub.officer("sun").approve("replaced")
        kept = await hub.officer("sun").signed_approval("rejected")
        await hub.officer("sun").approve("rejected", Decision.REJECT)
        await zhao.withdraw("withdrawn")
        await zhao.propose_kind(
            "edited", "seal.suspend", {**end, "cause": "new"}, replaces="intents/replaced"
        )
        write(
            hub,
            *map(set_back, ("rejected", "withdrawn", "replaced")),
            f"UPDATE seal_approvals SET decision = 'approve', approval = '{kept}'"
            " WHERE intent = 'intents/rejected' AND officer = 'officers/sun'",
        )

        for intent in ("rejected", "withdrawn", "replaced"):
            assert await refusal(zhao.execute(intent)) == ("INTENT_CLOSED", intent)


async def test_a_standing_intent_that_was_rejected_seals_nothing_more(
    city: Path, tmp_path: Path
) -> None:
    """The row reads approved and the rejection is gone; the log knows."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        await hub.officer().carry_out("officer.enrol", new_keys(hub, "liu"))
        await hub.officer("liu").approve("hz-001", Decision.REJECT)
        write(
            hub,
            set_back("hz-001"),
            "DELETE FROM seal_approvals WHERE intent = 'intents/hz-001'"
            " AND officer = 'officers/liu'",
        )
        await hub.hub.ended_intents.refresh()

        assert await refusal(hub.connector().deliver([licence(1)])) == (
            "INTENT_CLOSED",
            "rejected",
        )


async def test_a_start_reads_on_from_the_summary(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A summary in the log stands for what lies before it; a row that names an older one, or
    none, or an entry that is no summary, makes the start longer and nothing else."""
    monkeypatch.setattr(ended_intents, "SUMMARY_EVERY", 1)
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        ended = hub.hub.ended_intents
        await ended.refresh()
        assert await ended.sum_up()
        first = hub.size
        await executed(hub)
        write(hub, set_back("pause"))
        await ended.refresh()
        assert await ended.sum_up()

    for sql in (
        "UPDATE seal_ended_intents SET retention_class = 'seal'",
        f"UPDATE seal_ended_intents SET entry = {first - 1}",
        "UPDATE seal_ended_intents SET entry = 0",
        "UPDATE seal_ended_intents SET entry = 999999",
        "DELETE FROM seal_ended_intents",
    ):
        write(hub, sql)
        async with Simulator(hub.home) as hub:
            assert await refusal(hub.officer().execute("pause")) == ("INTENT_CLOSED", "executed")


async def test_what_is_over_anyway_is_left_out(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a summary, a day after its last second: nothing can be done under it, and memory stays
    bounded."""
    monkeypatch.setattr(ended_intents, "SUMMARY_EVERY", 1)
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        zhao = hub.officer()
        digests = {}
        for intent, days in (("short", 1), ("long", 30)):
            await zhao.propose_kind(intent, "seal.suspend", PAUSE, days=days)
            await zhao.withdraw(intent)
            shown = await zhao.call(
                zhao.intents.GetIntent, intents_pb2.GetIntentRequest(name=f"intents/{intent}")
            )
            digests[intent] = shown.intent.digest

        async def known_in(days: int) -> list[str]:
            """What a hub knows that reads on in so many days."""
            at_us = now_us() + days * 86_400_000_000
            recorder = hub.hub.recorder
            ended = EndedIntents(hub.hub.database, recorder, recorder.proofs, lambda: at_us)
            await ended.load()
            found = [name for name, digest in digests.items() if ended.state(digest)]
            assert await ended.sum_up()
            return found

        assert [await known_in(days) for days in (0, 1, 3, 3)] == [
            ["short", "long"],
            ["short", "long"],
            ["short", "long"],
            ["long"],
        ]


async def test_where_the_log_cannot_be_read_nothing_is_done(city: Path, tmp_path: Path) -> None:
    """The entry of the deed is exchanged for another: what it said nobody knows."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        size = hub.size
        await executed(hub)
    write(
        hub,
        set_back("pause"),
        "UPDATE ledger_entries SET sealed = (SELECT sealed FROM ledger_entries WHERE number = 1)"
        f" WHERE number > {size}",
    )
    async with Simulator(hub.home) as hub:
        for call in (hub.officer().execute("pause"), hub.connector().deliver([licence(1)])):
            assert (await refusal(call))[0] == "DIGEST_MISMATCH"


async def test_one_hub_does_not_do_again_what_another_did(
    city: Path, tmp_path: Path, postgresql_url: str
) -> None:
    """Two hubs on one database: the second reads what the first recorded before it acts."""
    home = copy_home(city, tmp_path / "home")
    await begin_in(home, postgresql_url)
    other = Simulator(home)
    replica = other.config.hub.model_copy(update={"replica": 1})
    other.config = other.config.model_copy(update={"hub": replica})
    async with Simulator(home) as first, other as second:
        await approved(first, "pause", "seal.suspend", PAUSE)
        await first.officer().execute("pause")
        connection = await asyncpg.connect(postgresql_url)
        assert await connection.execute(set_back("pause")) == "UPDATE 1"
        await connection.close()

        for hub in (second, first):
            assert await refusal(hub.officer().execute("pause")) == ("INTENT_CLOSED", "executed")
