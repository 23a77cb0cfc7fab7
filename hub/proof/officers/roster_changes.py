"""How one roster follows from another: the effect of each kind of intent, and the chain. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.domain.strict_json import Json
from hub.proof.jose import public_key_from_jwk
from hub.proof.officers.intent import Intent, Kind
from hub.proof.officers.intent_kinds import (
    ABSENT_DAYS_MAX,
    OFFICER_ABSENT,
    OFFICER_END,
    OFFICER_ENROL,
    OFFICER_HAND_OVER,
    OFFICER_ROTATE_KEY,
    OFFICER_SUCCEED,
    QUORUM_CHANGE,
)
from hub.proof.officers.roster import (
    ABSENCES_MAX,
    OFFICERS_MAX,
    Absence,
    Approved,
    Officer,
    Quorum,
    Roster,
    check_distinct,
    credential_of,
    parse_roster,
    verify_approved,
)
from hub.proof.reasons import ProofError, ProofReason

_DAY_S: Final = 86_400
_DISPLAYING_MIN: Final = 2


@dataclass(frozen=True, slots=True)
class Link:
    """A statement and what carried it: an intent's bytes with its approvals; empty of number 0."""

    statement: bytes
    intent: bytes = b""
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the chain was followed: its last statement and the intents that carried it there."""

    roster: Roster
    used: frozenset[str]


def founded(
    origin: str, region: str, time: int, officers: Sequence[Officer], quorum: Quorum
) -> Roster:
    """Number 0. Raises ProofError: ROSTER_INVALID, ROSTER_CHANGE_REFUSED (too few officers)."""
    named = {one.name: one for one in sorted(officers, key=lambda one: one.name)}
    roster = Roster(origin, region, 0, None, None, time, named, quorum)
    _check(roster)
    return roster


def changed(before: Roster, approved: Approved, time: int) -> Roster:
    """The statement that follows from `before` when `approved` is executed at `time` (seconds).

    Raises ProofError: ROSTER_CHANGE_REFUSED with the rule, ROSTER_INVALID.
    """
    after = replace(
        effect(before, approved.intent, time),
        number=before.number + 1,
        prev=before.digest,
        intent=approved.digest,
        time=max(time, before.time),
    )
    _check(after)
    return after


def effect(before: Roster, intent: Intent, time: int) -> Roster:
    """Officers and quorum as `intent` leaves them at `time`. Raises as `changed`."""
    after = _EFFECTS[intent.kind.name](before, intent, time)
    _check(after)
    return after


def begin(statement: bytes, pinned: str) -> Chain:
    """The chain at number 0, whose digest must be `pinned`: nothing in it says whose it is.

    Raises ProofError: as `parse_roster`, ROSTER_BROKEN.
    """
    roster = parse_roster(statement)
    if roster.number != 0 or roster.digest != pinned:
        raise ProofError(ProofReason.ROSTER_BROKEN, "not the number 0 that is known")
    return Chain(roster, frozenset())


def follow(chain: Chain, link: Link, kinds: Mapping[str, Kind]) -> Chain:
    """The chain with one more statement, once the link proves that it follows.

    1. It is the next one and names the one before. 2. Its intent was approved under the one before,
    at the statement's time, and has carried no other statement. 3. It says exactly what that intent
    does. Raises ProofError: as `parse_roster` and `verify_approved`, ROSTER_BROKEN.
    """
    before, after = chain.roster, parse_roster(link.statement)
    if (after.number, after.prev) != (before.number + 1, before.digest) or after.time < before.time:
        raise ProofError(ProofReason.ROSTER_BROKEN, "number, prev or time")
    approved = verify_approved(link.intent, link.approvals, before, kinds, now=after.time)
    if approved.digest in chain.used:
        raise ProofError(ProofReason.ROSTER_BROKEN, "its intent carried another statement")
    if changed(before, approved, after.time).to_bytes() != link.statement:
        raise ProofError(ProofReason.ROSTER_BROKEN, "not what its intent does")
    return Chain(after, chain.used | {approved.digest})


# -- What each kind does ---------------------------------------------------------------------------


def _enrol(before: Roster, intent: Intent, time: int) -> Roster:
    name = intent.text("officer")
    if name in before.officers:
        raise _refused("officer.known")
    if len(before.officers) >= OFFICERS_MAX:
        raise _refused("officers.too_many")
    new = Officer(
        name=name,
        key=public_key_from_jwk(_object(intent, "approval_key")),
        x509_thumbprint=intent.text("x509_thumbprint"),
        since=time,
        is_standby="standby" in intent.members,
        credential=credential_of(intent.members),
    )
    named = {**before.officers, name: new}
    return replace(before, officers={one: named[one] for one in sorted(named)})


def _new_keys(before: Roster, intent: Intent, time: int) -> Roster:
    old = _officer(before, intent.text("officer"))
    is_own = intent.requester == old.name
    if intent.kind == OFFICER_ROTATE_KEY and not is_own:
        raise _refused("officer.own_key")
    new = replace(
        old,
        key=public_key_from_jwk(_object(intent, "approval_key")),
        x509_thumbprint=intent.text("x509_thumbprint"),
        since=time,
        credential=credential_of(intent.members),
    )
    if new.key_id == old.key_id or new.x509_thumbprint == old.x509_thumbprint:
        raise _refused("key.used")
    if intent.kind == OFFICER_HAND_OVER:
        # Absences were those of the person before.
        new = replace(new, absences=())
    return _with(before, new)


def _end(before: Roster, intent: Intent, _: int) -> Roster:
    name = _officer(before, intent.text("officer")).name
    return replace(
        before, officers={key: one for key, one in before.officers.items() if key != name}
    )


def _absent(before: Roster, intent: Intent, time: int) -> Roster:
    officer = _officer(before, intent.text("officer"))
    absence = Absence(_moment(intent, "from"), _moment(intent, "until"), intent.text("substitute"))
    if not max(absence.start, time) < absence.until <= absence.start + ABSENT_DAYS_MAX * _DAY_S:
        raise _refused("absence.order")
    if absence.substitute:
        substitute = before.officers.get(absence.substitute)
        if substitute is None or not substitute.is_standby or substitute.name == officer.name:
            raise _refused("substitute.standby")
    return _with(before, replace(officer, absences=(*officer.absences, absence)[-ABSENCES_MAX:]))


def _succeed(before: Roster, intent: Intent, time: int) -> Roster:
    successor = _officer(before, intent.text("successor"))
    if not successor.is_standby:
        raise _refused("substitute.standby")
    after = _with(before, replace(successor, is_standby=False, since=time))
    return _end(after, intent, time)


def _quorum(before: Roster, intent: Intent, _: int) -> Roster:
    kinds: dict[str, int] = {}
    value = intent.members.get("kinds", [])
    for one in value if isinstance(value, list) else []:
        assert isinstance(one, dict), "it was read as one"
        approvals = one["approvals"]
        assert type(approvals) is int, "it was read as one"
        kinds[str(one["kind"])] = approvals
    default = intent.members["default"]
    assert type(default) is int, "it was read as one"
    return replace(before, quorum=Quorum(default, kinds))


_EFFECTS: Final[Mapping[str, Callable[[Roster, Intent, int], Roster]]] = {
    OFFICER_ENROL.name: _enrol,
    OFFICER_HAND_OVER.name: _new_keys,
    OFFICER_ROTATE_KEY.name: _new_keys,
    OFFICER_END.name: _end,
    OFFICER_ABSENT.name: _absent,
    OFFICER_SUCCEED.name: _succeed,
    QUORUM_CHANGE.name: _quorum,
}


def _check(roster: Roster) -> None:
    """One key, one officer; and enough officers that every kind can still be decided: two of them
    with keys that no browser asks for, as one of these may be the requester."""
    check_distinct(roster)
    regular = [one for one in roster.officers.values() if not one.is_standby]
    if len(regular) < roster.quorum.most + 1:
        raise _refused("officers.too_few")
    if sum(one.credential is None for one in regular) < _DISPLAYING_MIN:
        raise _refused("officers.display")


def _officer(roster: Roster, name: str) -> Officer:
    officer = roster.officers.get(name)
    if officer is None:
        raise _refused("officer.unknown")
    return officer


def _with(roster: Roster, officer: Officer) -> Roster:
    return replace(roster, officers={**roster.officers, officer.name: officer})


def _object(intent: Intent, name: str) -> dict[str, Json]:
    value = intent.members[name]
    assert isinstance(value, dict), "it was read as one"
    return value


def _moment(intent: Intent, name: str) -> int:
    value = intent.members[name]
    assert type(value) is int, "it was read as one"
    return value


def _refused(rule: str) -> ProofError:
    return ProofError(ProofReason.ROSTER_CHANGE_REFUSED, rule)
