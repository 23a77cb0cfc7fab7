"""The vectors of intents and rosters: what must be followed, what is refused, and why.

They are pinned for other implementers; SEALWAY_GOLDEN=write makes them anew, with new keys.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hub.proof.encoding import b64u, digest
from hub.proof.officers.approval import Decision, intent_digest
from hub.proof.officers.intent import parse_intent
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.officers.roster import Quorum, parse_roster, verify_approved
from hub.proof.officers.roster_changes import Chain, Link, begin, follow
from hub.proof.reasons import ProofError, ProofReason
from tests.proof.officers import DAY, NOW, Bench

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "dual-control.json"


def shown(link: Link) -> dict[str, Any]:
    """A link as the file has it: the exact texts."""
    members: dict[str, Any] = {"statement": link.statement.decode()}
    if link.intent:
        members["intent"] = link.intent.decode()
        members["approvals"] = list(link.approvals)
    return members


def read(members: dict[str, Any]) -> Link:
    return Link(
        members["statement"].encode(),
        members.get("intent", "").encode(),
        tuple(members.get("approvals", [])),
    )


def made() -> dict[str, Any]:
    """A chain of four statements, and what does not follow from its second last."""
    bench = Bench()
    roster = bench.founded()
    links = [Link(roster.to_bytes())]
    away = {"officer": "officers/dan", "from": NOW - 600, "until": NOW + DAY}
    for kind, members, by in (
        ("officer.enrol", bench.new_keys("eve", standby=True), ("bob", "cat")),
        ("officer.absent", {**away, "substitute": "officers/eve"}, ("bob", "cat")),
        ("quorum.change", {"default": 3}, ("cat", "eve")),
    ):
        before = roster
        roster, link = bench.link(before, kind, members, *by)
        links.append(link)
    last = links[-1]
    other = bench.intent("quorum.change", {"default": 2})
    no = bench.approval("bob", last.intent, iat=NOW, decision=Decision.REJECT)
    late = [bench.approval(name, last.intent, iat=NOW, not_after=NOW) for name in ("cat", "eve")]
    alone = bench.approval("ann", last.intent, iat=NOW)
    absent = bench.approval("dan", last.intent, iat=NOW)

    def statement(**changes: Any) -> bytes:
        return dataclasses.replace(roster, **changes).to_bytes()

    def link_with(**changes: Any) -> Link:
        return dataclasses.replace(last, **changes)

    spaced = last.intent.replace(b'"v":1', b'"v": 1')
    refused = {
        "another number": link_with(statement=statement(number=5)),
        "another predecessor": link_with(statement=statement(prev=digest("x"))),
        "before its predecessor": link_with(statement=statement(time=NOW - 40 * DAY)),
        "after the intent's end": link_with(statement=statement(time=NOW + 30 * DAY)),
        "another effect": link_with(statement=statement(quorum=Quorum(2))),
        "another intent named": link_with(statement=statement(intent=digest("x"))),
        "a member more": link_with(statement=last.statement.replace(b'"v":1', b'"v":1,"w":1')),
        "one key of two officers": link_with(
            statement=statement(
                officers={
                    **roster.officers,
                    "officers/bob": dataclasses.replace(
                        roster.officers["officers/bob"], key=roster.officers["officers/ann"].key
                    ),
                }
            )
        ),
        "one approval": link_with(approvals=last.approvals[:1]),
        "one approval twice": link_with(approvals=last.approvals[:1] * 2),
        "the requester's own": link_with(approvals=(last.approvals[0], alone)),
        "of an absent officer": link_with(approvals=(last.approvals[0], absent)),
        "expired": link_with(approvals=tuple(late)),
        "a rejection beside enough": link_with(approvals=(*last.approvals, no)),
        "approvals of another intent": link_with(intent=other),
        "another spelling of the intent": link_with(intent=spaced),
        "no intent": Link(last.statement),
        "the intent of the statement before": link_with(
            intent=links[-2].intent, approvals=links[-2].approvals
        ),
    }
    chain = Chain(before, frozenset())
    return {
        "first": digest(links[0].statement),
        "last": roster.digest,
        "chain": [shown(link) for link in links],
        "refused_after_the_third": [
            {"name": name, **shown(link), "reason": reason_of(chain, link)}
            for name, link in refused.items()
        ],
        "intents": [
            {"bytes": link.intent.decode(), "digest": b64u(intent_digest(link.intent))}
            for link in links[1:]
        ],
    }


def reason_of(chain: Chain, link: Link) -> str:
    with pytest.raises(ProofError) as caught:
        follow(chain, link, KINDS)
    return caught.value.reason.value


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    if os.environ.get("SEALWAY_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(made(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    loaded: dict[str, Any] = json.loads(GOLDEN.read_bytes())
    return loaded


def test_the_chain_is_followed_to_its_last_statement(vectors: dict[str, Any]) -> None:
    """From the digest of number 0 on, by texts alone."""
    first, *rest = [read(one) for one in vectors["chain"]]
    chain = begin(first.statement, vectors["first"])
    for link in rest:
        chain = follow(chain, link, KINDS)

    assert chain.roster.digest == vectors["last"]
    assert chain.roster.quorum == Quorum(3)
    assert chain.used == {one["digest"] for one in vectors["intents"]}


def test_each_refusal_has_its_one_reason(vectors: dict[str, Any]) -> None:
    """As an implementer of the page would find it."""
    chain = begin(read(vectors["chain"][0]).statement, vectors["first"])
    for one in vectors["chain"][1:3]:
        chain = follow(chain, read(one), KINDS)

    found = {one["name"]: reason_of(chain, read(one)) for one in vectors["refused_after_the_third"]}

    assert found == {one["name"]: one["reason"] for one in vectors["refused_after_the_third"]}
    assert found["of an absent officer"] == "QUORUM_NOT_REACHED"
    assert found["the intent of the statement before"] == "ROSTER_BROKEN"
    assert set(found.values()) == {
        reason.value
        for reason in (
            ProofReason.ROSTER_BROKEN,
            ProofReason.ROSTER_INVALID,
            ProofReason.INTENT_NOT_IN_FORCE,
            ProofReason.INTENT_REJECTED,
            ProofReason.INTENT_INVALID,
            ProofReason.QUORUM_NOT_REACHED,
            ProofReason.JSON_MALFORMED,
        )
    }


def test_digests_and_who_counted(vectors: dict[str, Any]) -> None:
    """I of each intent; the substitute counts in the absence."""
    for one in vectors["intents"]:
        data = one["bytes"].encode()
        assert b64u(intent_digest(data)) == one["digest"]
        assert parse_intent(data, KINDS).to_bytes() == data
    before = parse_roster(vectors["chain"][2]["statement"].encode())
    link = read(vectors["chain"][3])

    approved = verify_approved(link.intent, link.approvals, before, KINDS, now=NOW)

    assert approved.officers == ("officers/cat", "officers/eve")
