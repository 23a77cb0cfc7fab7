"""Who counts, what an intent makes of a roster, and that nothing else can follow in the chain."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.encoding import digest, emit_json
from hub.proof.officers.approval import Decision
from hub.proof.officers.intent import in_words, parse_intent
from hub.proof.officers.intent_kinds import KINDS, ROSTER_KINDS
from hub.proof.officers.roster import (
    Absence,
    Approved,
    Quorum,
    Roster,
    parse_roster,
    verify_approved,
)
from hub.proof.officers.roster_changes import Chain, Link, begin, changed, follow
from hub.proof.reasons import ProofError, ProofReason
from tests.proof.jose_vectors import VECTORS
from tests.proof.officers import DAY, NOW, Bench

R = ProofReason


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture
def roster(bench: Bench) -> Roster:
    return bench.founded()


def refused(call: Any) -> tuple[ProofReason, str]:
    """Reason and detail of a refusal."""
    with pytest.raises(ProofError) as caught:
        call()
    return caught.value.reason, caught.value.detail


def verify(intent: bytes, approvals: list[str], roster: Roster, now: int = NOW) -> Approved:
    return verify_approved(intent, approvals, roster, KINDS, now=now)


def with_officer(roster: Roster, name: str, **changes: Any) -> Roster:
    """The roster with other facts about an officer."""
    officer = dataclasses.replace(roster.officers[f"officers/{name}"], **changes)
    return dataclasses.replace(roster, officers={**roster.officers, officer.name: officer})


# ---- the bytes of intents ----


def test_the_golden_intent_is_a_standing_one() -> None:
    """Its bytes are those that were signed before there were other kinds."""
    data = VECTORS["approval"]["intent"].encode()

    intent = parse_intent(data, KINDS)

    assert (intent.kind.name, intent.uses_max, intent.quorum) == ("standing-seal", 100000, 2)
    assert intent.to_bytes() == data
    assert "seals/b2f1" in in_words(intent, "en") and "seals/b2f1" in in_words(intent, "zh")


def test_a_key_of_no_seal_is_the_hubs_own_in_words() -> None:
    """What is left out has words of its own, in both languages."""
    members = {
        "authority": "authorities/city",
        "authority_uscc": "11330100002489514L",
        "title": "制章者",
        "use": "maker",
        "algorithm": "SM2",
        "home": "files",
    }
    intent = parse_intent(Bench().intent("key.generate", members), KINDS)

    assert "for maker, of the hub itself; its certificate names 制章者" in in_words(intent, "en")
    assert "所属印章 枢纽自身；" in in_words(intent, "zh")


@pytest.mark.parametrize(
    "change",
    [
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1 '),
        (b'"v":1', b'"v":1,"more":1'),
        (b'"kind":"officer.end"', b'"kind":"officer.fire"'),
        (b'"kind":"officer.end"', b'"kind":"quorum.change"'),
        (b'"cause":"left",', b""),
        (b'"cause":"left"', b'"cause":null'),
        (b'"cause":"left"', b'"cause":"le\xef\xbb\xbfft"'),
        (b'"uses_max":1', b'"uses_max":2'),
        (b'"uses_max":1', b'"quorum":2,"uses_max":1'),
        (b'"requester":"officers/ann"', b'"requester":"systems/ann"'),
        (b'"requester":"officers/ann"', b'"requester":"officers/ann","nonce":"AAAA"'),
        (
            b'"requester":"officers/ann"',
            b'"nonce":"AAAAAAAAAAAAAAAAAAAAAA","requester":"officers/ann"',
        ),
        (b'"officer":"officers/dan","cause":"left"', b'"cause":"left","officer":"officers/dan"'),
    ],
)
def test_an_intent_in_any_other_spelling_is_none(bench: Bench, change: tuple[bytes, bytes]) -> None:
    """One meaning, one text."""
    data = bench.intent().replace(*change)
    assert data != bench.intent()

    assert refused(lambda: parse_intent(data, KINDS))[0] is R.INTENT_INVALID


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_an_intent_and_a_roster_or_refused(data: bytes) -> None:
    """Nothing but declared errors."""
    for parse in (lambda: parse_intent(data, KINDS), lambda: parse_roster(data)):
        with pytest.raises(ProofError):
            parse()


# ---- who counts ----


def test_two_others_are_enough(bench: Bench, roster: Roster) -> None:
    """Until the earlier of intent and approvals ends."""
    intent = bench.intent()
    approvals = [bench.approval("bob", intent), bench.approval("cat", intent, not_after=NOW + 60)]

    approved = verify(intent, approvals, roster)

    assert approved.officers == ("officers/bob", "officers/cat")
    assert (approved.data, approved.until) == (intent, NOW + 60)
    assert list(approved.approvals) == approvals


def test_a_third_approval_outlasts_the_shortest(bench: Bench, roster: Roster) -> None:
    """It holds as long as any two of them do."""
    intent = bench.intent()
    ends = {"bob": NOW + 60, "cat": NOW + 120, "dan": NOW + 180}
    approvals = [bench.approval(name, intent, not_after=end) for name, end in ends.items()]

    assert verify(intent, approvals, roster).until == NOW + 120


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (lambda b, i: b.approval("ann", i), "APPROVER_NOT_COUNTED"),
        (lambda b, i: b.approval("bob", i), None),
        (lambda b, i: b.approval("cat", i, signer="bob"), "OFFICER_MISMATCH"),
        (lambda b, i: b.approval("cat", i, not_after=NOW), "EXPIRED"),
        (lambda b, i: b.approval("cat", i, not_after=NOW + 31 * DAY), "EXP_TOO_FAR"),
        (lambda b, i: b.approval("cat", i, iat=NOW + 31), "IAT_FUTURE"),
        (lambda b, i: b.approval("cat", i, iat=NOW - 366 * DAY), "APPROVER_NOT_COUNTED"),
        (lambda b, i: b.approval("cat", i, origin="hub.ningbo.example"), "ORIGIN_WRONG"),
        (lambda b, i: b.approval("cat", i, region="330200"), "REGION_WRONG"),
        (
            lambda b, i: b.approval("cat", b.intent(uses_max=1, not_after=NOW + DAY)),
            "INTENT_MISMATCH",
        ),
        (lambda b, i: b.approval("cat", i)[:-4] + "AAAA", "SIGNATURE_INVALID"),
        (lambda b, i: "x", "JWS_MALFORMED"),
    ],
)
def test_what_does_not_count_leaves_one_of_two(
    bench: Bench, roster: Roster, second: Any, why: str | None
) -> None:
    """The requester, the same officer again, another's key, another time, hub or intent."""
    intent = bench.intent()
    detail = "1 of 2" if why is None else f"1 of 2; {why}"

    got = refused(
        lambda: verify(intent, [bench.approval("bob", intent), second(bench, intent)], roster)
    )

    assert got == (R.QUORUM_NOT_REACHED, detail)


def test_one_byte_changed_voids_every_approval(bench: Bench, roster: Roster) -> None:
    """Each byte of the intent in turn: no approval counts for what is left."""
    intent = bench.intent()
    approvals = [bench.approval(name, intent) for name in ("bob", "cat")]
    kept = set()
    for index in range(len(intent)):
        other = bytearray(intent)
        other[index] ^= 1
        reason, _ = refused(lambda other=bytes(other): verify(other, approvals, roster))
        kept.add(reason)

    assert R.QUORUM_NOT_REACHED in kept
    assert verify(intent, approvals, roster).intent.members["cause"] == "left"


def test_one_rejection_ends_it(bench: Bench, roster: Roster) -> None:
    """However many approve."""
    intent = bench.intent()
    approvals = [bench.approval(name, intent) for name in ("bob", "cat")]
    no = bench.approval("dan", intent, decision=Decision.REJECT)

    assert refused(lambda: verify(intent, [*approvals, no], roster)) == (
        R.INTENT_REJECTED,
        "officers/dan",
    )


@pytest.mark.parametrize("now", [NOW - 2 * DAY, NOW + 30 * DAY])
def test_an_intent_has_its_time(bench: Bench, roster: Roster, now: int) -> None:
    """Neither before nor after."""
    intent = bench.intent()
    approvals = [bench.approval(name, intent) for name in ("bob", "cat")]

    assert refused(lambda: verify(intent, approvals, roster, now))[0] is R.INTENT_NOT_IN_FORCE


def test_an_officer_whose_key_was_rotated_does_not_count(bench: Bench, roster: Roster) -> None:
    """Although the approval is from before: the roster that decides is the newest."""
    own = Bench(dict(bench.keys))
    intent = own.intent()
    approvals = [own.approval(name, intent) for name in ("bob", "cat")]
    keys = own.new_keys("cat")
    rotation = own.intent("officer.rotate-key", keys, requester="officers/cat")
    by = [own.approval(name, rotation) for name in ("ann", "bob")]
    after = changed(roster, verify(rotation, by, roster), NOW)

    assert verify(intent, approvals, roster).officers == ("officers/bob", "officers/cat")
    assert refused(lambda: verify(intent, approvals, after)) == (
        R.QUORUM_NOT_REACHED,
        "1 of 2; KEY_UNKNOWN",
    )


def test_an_officer_who_has_left_does_not_count(bench: Bench, roster: Roster) -> None:
    """The end of an office ends its approvals."""
    intent = bench.intent("quorum.change", {"default": 2})
    approvals = [bench.approval(name, intent) for name in ("bob", "dan")]
    after, _ = bench.link(roster, "officer.end", {"officer": "officers/dan", "cause": "left"})

    assert verify(intent, approvals, roster)
    assert refused(lambda: verify(intent, approvals, after))[1] == "1 of 2; KEY_UNKNOWN"


AWAY = Absence(NOW - 10, NOW + 10, "")


def test_absence_decides_at_signing_and_at_execution(bench: Bench, roster: Roster) -> None:
    """A deed waits for those who approved it; a standing intent outlasts their holidays."""
    away = with_officer(roster, "cat", absences=(AWAY,))
    deed = bench.intent()
    seal = {
        "seal": "authorities/a/seals/main",
        "authority": "113301000025123419",
        "vct": "https://hub.hangzhou.example/vct/11100000MB0143028R001",
        "type_version": 1,
    }
    standing = bench.intent("standing-seal", seal, uses_max=9)

    def both(intent: bytes, iat: int) -> list[str]:
        return [bench.approval(name, intent, iat=iat) for name in ("bob", "cat")]

    assert refused(lambda: verify(deed, both(deed, NOW - 60), away))[0] is R.QUORUM_NOT_REACHED
    assert refused(lambda: verify(deed, both(deed, NOW), away, NOW + 20))[0] is R.QUORUM_NOT_REACHED
    assert verify(deed, both(deed, NOW - 60), away, NOW + 20)
    assert verify(standing, both(standing, NOW - 60), away)
    assert refused(lambda: verify(standing, both(standing, NOW), away))[0] is R.QUORUM_NOT_REACHED


def test_a_substitute_counts_in_the_absence_only(bench: Bench, roster: Roster) -> None:
    """One on standby counts for nobody else and at no other time."""
    ready = with_officer(roster, "dan", is_standby=True)
    away = with_officer(
        ready, "cat", absences=(dataclasses.replace(AWAY, substitute="officers/dan"),)
    )
    intent = bench.intent("quorum.change", {"default": 2})

    def by_dan(iat: int) -> list[str]:
        return [bench.approval(name, intent, iat=iat) for name in ("bob", "dan")]

    assert verify(intent, by_dan(NOW), away).officers == ("officers/bob", "officers/dan")
    assert refused(lambda: verify(intent, by_dan(NOW), ready))[0] is R.QUORUM_NOT_REACHED
    assert refused(lambda: verify(intent, by_dan(NOW), away, NOW + 20))[0] is R.QUORUM_NOT_REACHED


def test_the_stricter_of_two_policies_counts(bench: Bench, roster: Roster) -> None:
    """That under which it was proposed and that under which it is executed."""
    intent = bench.intent(quorum=3)
    approvals = [bench.approval(name, intent) for name in ("bob", "cat")]
    plain = bench.intent()
    two = [bench.approval(name, plain) for name in ("bob", "cat")]
    strict = dataclasses.replace(roster, quorum=Quorum(2, {"officer.end": 3}))

    assert refused(lambda: verify(intent, approvals, roster))[1] == "2 of 3"
    assert refused(lambda: verify(plain, two, strict))[1] == "2 of 3"
    assert verify(plain, [*two, bench.approval("dan", plain)], strict)


def test_one_key_or_certificate_of_two_officers_is_no_roster(roster: Roster) -> None:
    """One person with two accounts would count twice."""
    ann = roster.officers["officers/ann"]
    for same in ({"key": ann.key}, {"x509_thumbprint": ann.x509_thumbprint}):
        data = with_officer(roster, "bob", **same).to_bytes()
        assert refused(lambda data=data: parse_roster(data))[0] is R.ROSTER_INVALID


# ---- the chain ----


def grown(bench: Bench, roster: Roster) -> list[Link]:
    """A chain in which every kind of change happens once."""
    links = [Link(roster.to_bytes())]

    def add(kind: str, members: dict[str, Any], *by: str) -> None:
        nonlocal roster
        roster, link = bench.link(roster, kind, members, *by)
        links.append(link)

    add("officer.enrol", bench.new_keys("eve", standby=True))
    away = {"officer": "officers/dan", "from": NOW - 600, "until": NOW + DAY}
    add("officer.absent", {**away, "substitute": "officers/eve"})
    add("officer.succeed", {"officer": "officers/dan", "successor": "officers/eve"})
    add("officer.hand-over", bench.new_keys("eve"))
    kinds = [{"kind": "quorum.change", "approvals": 3}]
    add("quorum.change", {"default": 2, "kinds": kinds})
    add("quorum.change", {"default": 3}, "bob", "cat", "eve")
    return links


def test_a_chain_of_every_kind_of_change_is_followed(bench: Bench) -> None:
    """By its statements alone; the last one says what is left."""
    own = Bench(dict(bench.keys))
    links = grown(own, own.founded())
    chain = begin(links[0].statement, digest(links[0].statement))
    seen = []
    for link in links[1:]:
        # Each statement comes some seconds after the one before, as approvals need their keys.
        chain = follow(chain, link, KINDS)
        seen.append(parse_intent(link.intent, KINDS).kind.name)

    assert set(seen) == {kind.name for kind in ROSTER_KINDS} - {"officer.rotate-key", "officer.end"}
    assert list(chain.roster.officers) == [
        f"officers/{name}" for name in ("ann", "bob", "cat", "eve")
    ]
    assert chain.roster.quorum == Quorum(3)
    assert len(chain.used) == len(links) - 1


def test_the_chain_begins_with_the_number_0_that_is_known(bench: Bench, roster: Roster) -> None:
    """Another hub's, or an attacker's, has another digest."""
    other = Bench().founded()

    assert refused(lambda: begin(other.to_bytes(), roster.digest))[0] is R.ROSTER_BROKEN
    after, _ = bench.link(roster, "quorum.change", {"default": 3})
    assert refused(lambda: begin(after.to_bytes(), after.digest))[0] is R.ROSTER_BROKEN


def test_nothing_else_follows(bench: Bench, roster: Roster) -> None:
    """Another number, time, officer, intent, approval, or an intent that carried one before."""
    chain = Chain(roster, frozenset())
    after, link = bench.link(roster, "quorum.change", {"default": 3})
    assert follow(chain, link, KINDS).roster == after

    def other(**changes: Any) -> Link:
        return dataclasses.replace(link, statement=dataclasses.replace(after, **changes).to_bytes())

    lower = bench.intent("quorum.change", {"default": 2})
    cases = [
        (other(number=2), R.ROSTER_BROKEN),
        (other(prev=digest("x")), R.ROSTER_BROKEN),
        (other(time=roster.time - 1), R.ROSTER_BROKEN),
        (other(time=NOW + 31 * DAY), R.INTENT_NOT_IN_FORCE),
        (other(quorum=Quorum(2)), R.ROSTER_BROKEN),
        (other(intent=digest("x")), R.ROSTER_BROKEN),
        (other(officers=with_officer(after, "dan", is_standby=True).officers), R.ROSTER_BROKEN),
        (dataclasses.replace(link, approvals=link.approvals[:1]), R.QUORUM_NOT_REACHED),
        (dataclasses.replace(link, intent=lower), R.QUORUM_NOT_REACHED),
        (Link(after.to_bytes()), R.JSON_MALFORMED),
    ]
    for case, reason in cases:
        assert refused(lambda case=case: follow(chain, case, KINDS))[0] is reason
    assert refused(lambda: follow(Chain(after, frozenset()), link, KINDS))[0] is R.ROSTER_BROKEN


def test_an_intent_carries_one_statement(bench: Bench, roster: Roster) -> None:
    """An old change that was undone since is not done again with its old approvals."""
    chain = Chain(roster, frozenset())
    up, first = bench.link(roster, "quorum.change", {"default": 3})
    chain = follow(chain, first, KINDS)
    down, second = bench.link(up, "quorum.change", {"default": 2}, "bob", "cat", "dan")
    chain = follow(chain, second, KINDS)
    approved = verify(first.intent, list(first.approvals), down)
    again = Link(changed(down, approved, NOW).to_bytes(), first.intent, first.approvals)

    assert refused(lambda: follow(chain, again, KINDS)) == (
        R.ROSTER_BROKEN,
        "its intent carried another statement",
    )


def test_a_quorum_cannot_lower_itself(bench: Bench) -> None:
    """What three must approve, two do not lower."""
    strict = bench.founded(Quorum(3))
    intent = bench.intent("quorum.change", {"default": 2})
    two = [bench.approval(name, intent) for name in ("bob", "cat")]

    assert refused(lambda: verify(intent, two, strict))[1] == "2 of 3"


@pytest.mark.parametrize(
    ("kind", "members", "rule"),
    [
        ("officer.end", {"officer": "officers/zoe", "cause": "x"}, "officer.unknown"),
        ("quorum.change", {"default": 4}, "officers.too_few"),
        ("officer.absent", {"officer": "officers/dan", "from": 5, "until": 5}, "absence.order"),
        (
            "officer.absent",
            {"officer": "officers/dan", "from": NOW, "until": NOW + 367 * DAY},
            "absence.order",
        ),
        (
            "officer.absent",
            {
                "officer": "officers/dan",
                "from": NOW,
                "until": NOW + DAY,
                "substitute": "officers/cat",
            },
            "substitute.standby",
        ),
        (
            "officer.succeed",
            {"officer": "officers/dan", "successor": "officers/cat"},
            "substitute.standby",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    bench: Bench, roster: Roster, kind: str, members: dict[str, Any], rule: str
) -> None:
    """With its rule, although two officers approved it."""
    assert refused(lambda: bench.link(roster, kind, members)) == (R.ROSTER_CHANGE_REFUSED, rule)


def test_keys_are_rotated_by_their_owner_and_never_twice_the_same(bench: Bench) -> None:
    """Ann cannot give Cat a key, and an old key is no new one."""
    own = Bench(dict(bench.keys))
    roster = own.founded()
    keys = own.new_keys("cat")
    assert refused(lambda: own.link(roster, "officer.rotate-key", keys, "bob", "dan")) == (
        R.ROSTER_CHANGE_REFUSED,
        "officer.own_key",
    )
    after, _ = own.link(roster, "officer.hand-over", keys, "bob", "dan")
    assert refused(lambda: own.link(after, "officer.hand-over", keys, "bob", "dan")) == (
        R.ROSTER_CHANGE_REFUSED,
        "key.used",
    )
    assert (
        refused(lambda: own.link(after, "officer.enrol", keys, "bob", "dan"))[1] == "officer.known"
    )


def test_too_few_officers_are_never_left(bench: Bench) -> None:
    """One proposes and two approve: of three nobody leaves before another came."""
    own = Bench({name: bench.keys[name] for name in list(bench.keys)[:3]})
    end = {"officer": "officers/bob", "cause": "left"}

    assert refused(lambda: own.link(own.founded(), "officer.end", end)) == (
        R.ROSTER_CHANGE_REFUSED,
        "officers.too_few",
    )


def test_a_statement_in_any_other_spelling_is_none(roster: Roster) -> None:
    """One meaning, one text; and the page's example differs only in its line breaks."""
    data = roster.to_bytes()
    members = json.loads(data)
    for other in (
        data + b" ",
        emit_json({**members, "more": 1}),
        emit_json({**members, "default": 1}),
        emit_json({**members, "officers": members["officers"][:1] * 2}),
        emit_json({**members, "prev": digest("x")}),
        emit_json(dict(reversed(members.items()))),
    ):
        assert refused(lambda other=other: parse_roster(other))[0] is R.ROSTER_INVALID
    assert parse_roster(data) == roster
