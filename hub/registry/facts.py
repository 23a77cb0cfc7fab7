"""One change of a fact, many certificates: announce it once, and see who has followed.

What changed is not sent: the announcing department's own certificate shows it. Only certificates
that name the same organisation as their holder follow, so nobody learns of a person from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import orjson

from hub.clock import Clock, legal_day
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.certificate import State, state_on
from hub.domain.certificate_type import HolderKind
from hub.domain.holder_event import HolderEvent, is_personal
from hub.domain.row import text_violation
from hub.errors import HubError, Reason
from hub.registry.catalogue import Catalogue
from hub.registry.fact_store import (
    FACT_CHANGE,
    FOLLOW_UPS_OF_AUTHORITY,
    FOLLOW_UPS_OF_CHANGE,
    HELD_BY,
    HELD_NOW,
    ONE_FOLLOW_UP,
    FollowUp,
    Held,
    follow_up_of,
    held_of,
    put_declined,
    put_fact_change,
    put_follow_ups,
    unchanged_follow_up,
)
from hub.registry.feed_store import Change as FeedChange
from hub.registry.feed_store import ChangeKind, changes_write
from hub.registry.ports import Access, Database, Recorder
from hub.registry.store import VERSION_STATE
from hub.storage.changes import Answered, Call, Change, change_once
from hub.storage.statements import Check, Row, blob

FACTS_MAX: Final = 8
FACT_LENGTH_MAX: Final = 64
TEXT_LENGTH_MAX: Final = 400
# One entry takes them all.
FOLLOW_UPS_MAX: Final = 1_000


class FollowUpState(StrEnum):
    """Where a follow-up stands."""

    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class FactChange:
    """An announcement."""

    id: str
    source: Held
    facts: tuple[str, ...]
    legal_basis: str
    time_us: int
    follow_ups: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a department announces: which certificate of its own shows which facts."""

    authority: str
    certificate_id: str
    facts: tuple[str, ...]
    legal_basis: str

    @property
    def certificate(self) -> str:
        """The certificate's resource name."""
        return f"{self.authority}/certificates/{self.certificate_id}"


@dataclass(frozen=True, slots=True)
class _Basis:
    """The announcing certificate, and the others of its holders."""

    source: Held | None
    others: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class AnnounceFactChange:
    """Announce that facts have changed.

    1. The facts and the legal basis are written as they must be.
    2. The certificate is kept by the caller's authority, in force, held by an organisation, and its
       type says that it carries the facts.
    3. Whatever else its holders have that is in force or suspended and carries one of the facts
       gets a follow-up and a place on the feed; record all of it as one entry.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    catalogue: Catalogue

    async def __call__(
        self, call: Call, announcement: Announcement, encode: Callable[[FactChange], bytes]
    ) -> Answered:
        """Durable when it returns. Raises HubError: FIELD_INVALID, CERTIFICATE_NOT_FOUND,
        TRANSITION_NOT_ALLOWED, REQUEST_ID_REUSED, DECISION_STALE. Then nothing is announced."""
        _check_texts(announcement)
        if announcement.authority not in self.access.kept(call.caller):
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=announcement.certificate)
        basis = await self._read(announcement)

        async def refresh() -> None:
            nonlocal basis
            basis = await self._read(announcement)

        return await change_once(
            self.recorder,
            call,
            lambda: self._decide(call.caller, announcement, basis, encode),
            refresh,
        )

    async def _read(self, announcement: Announcement) -> _Basis:
        row = await self.database.one(HELD_NOW, announcement.certificate_id, announcement.authority)
        if row is None:
            return _Basis(None, ())
        source = held_of(row)
        return _Basis(source, await held_elsewhere(self.database, source))

    def _decide(
        self,
        caller: Caller,
        announcement: Announcement,
        basis: _Basis,
        encode: Callable[[FactChange], bytes],
    ) -> Change:
        """Steps 2 and 3."""
        source, now_us = basis.source, self.clock()
        if source is None or source.authority not in self.access.kept(caller, source.type_code):
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=announcement.certificate)
        self._check_source(source, announcement, now_us)
        found: list[tuple[Held, tuple[str, ...]]] = []
        for held in basis.others:
            carried = self._carried(held, announcement.facts)
            if carried and is_live(held.state):
                found.append((held, carried))
        if len(found) > FOLLOW_UPS_MAX or len(basis.others) > FOLLOW_UPS_MAX:
            rule = f"at most {FOLLOW_UPS_MAX} certificates of its holder"
            raise HubError(Reason.FIELD_INVALID, field="certificate", rule=rule)
        made = FactChange(
            names.new_id_at(now_us),
            source,
            announcement.facts,
            announcement.legal_basis,
            now_us,
            len(found),
        )
        writes = [
            put_fact_change(made.id, source, made.facts, made.legal_basis, now_us),
        ]
        if found:
            reference = f"factChanges/{made.id}"
            changes = [told(held, reference) for held, _ in found]
            writes += [put_follow_ups(made.id, found), changes_write(changes, now_us)]
        state = Check(VERSION_STATE, (source.version_id,), (source.state.value, source.state_entry))
        return Change(
            kind="fact.announced",
            data={
                "fact_change": f"factChanges/{made.id}",
                "certificate": source.identifier,
                "facts": list(made.facts),
                "legal_basis": made.legal_basis,
                "n": len(found),
            },
            writes=writes,
            checks=[self.access.check(caller), state],
            answer=encode(made),
        )

    def _check_source(self, source: Held, announcement: Announcement, now_us: int) -> None:
        state = state_on(source.state, source.valid_from, source.valid_until, legal_day(now_us))
        if state is not State.ACTIVE:
            raise HubError(
                Reason.TRANSITION_NOT_ALLOWED, name=announcement.certificate, state=state.value
            )
        published = self.catalogue.find(source.type_code, source.type_version)
        if published is None or published.type.holder_kind is not HolderKind.ORGANISATION:
            rule = "of a type that organisations hold"
            raise HubError(Reason.FIELD_INVALID, field="certificate", rule=rule)
        lacking = set(announcement.facts) - set(self._carried(source, announcement.facts))
        if lacking:
            rule = f"its type carries no fact {', '.join(sorted(lacking))}"
            raise HubError(Reason.FIELD_INVALID, field="facts", rule=rule)

    def _carried(self, held: Held, facts: Sequence[str]) -> tuple[str, ...]:
        """Those of `facts` that a certificate carries, as the version of its type says."""
        published = self.catalogue.find(held.type_code, held.type_version)
        if published is None:
            return ()
        carried = {field.fact for field in published.type.fields if field.fact}
        return tuple(fact for fact in facts if fact in carried)


@dataclass(frozen=True, slots=True)
class FollowUpPage:
    """Follow-ups, and after which place the next page begins; empty on the last."""

    follow_ups: tuple[FollowUp, ...]
    after: str


@dataclass(frozen=True, slots=True)
class FollowUps:
    """See what has to follow, and decline it."""

    database: Database
    recorder: Recorder
    access: Access

    async def list(
        self, caller: Caller, fact_change: str, *, after: str, size: int
    ) -> FollowUpPage:
        """A page of one announcement's, or of the caller's own certificates'.

        What is another authority's announcement is answered like what is not there, but for the
        caller's own certificates. Raises HubError(FACT_CHANGE_NOT_FOUND), (FIELD_INVALID).
        """
        if fact_change:
            return await self._of_change(caller, fact_change, after, size)
        if caller.role is Role.AUDITOR:
            raise HubError(Reason.FIELD_INVALID, field="fact_change", rule="name an announcement")
        change, _, certificate = after.partition("/")
        rows: list[Row] = []
        for authority in self.access.kept(caller):
            rows += await self.database.all(
                FOLLOW_UPS_OF_AUTHORITY, authority, change, certificate, size + 1
            )
        return self._page(rows, size, caller)

    async def _of_change(
        self, caller: Caller, fact_change: str, after: str, size: int
    ) -> FollowUpPage:
        row = await self.database.one(FACT_CHANGE, fact_change)
        sees_all = caller.role is Role.AUDITOR
        if row is None or not (sees_all or row[0] in self.access.kept(caller)):
            raise HubError(Reason.FACT_CHANGE_NOT_FOUND, name=f"factChanges/{fact_change}")
        # Whoever announced something of a person does not learn what that person has elsewhere.
        own_only = not sees_all and is_personal(orjson.loads(blob(row[1])))
        _, _, certificate = after.partition("/")
        rows: list[Row] = []
        for authority in self.access.kept(caller) if own_only else ("",):
            rows += await self.database.all(
                FOLLOW_UPS_OF_CHANGE, fact_change, authority, certificate, size + 1
            )
        return self._page(rows, size, caller if own_only else None)

    def _page(self, rows: Sequence[Row], size: int, caller: Caller | None) -> FollowUpPage:
        """The first of `rows`, which may come from several questions; of those only what `caller`
        keeps, where that is asked: another may have taken over certificates of a type."""
        ordered = sorted(map(follow_up_of, rows), key=_place)
        page = ordered[:size]
        found = [one for one in page if caller is None or self.is_own(caller, one)]
        return FollowUpPage(tuple(found), "/".join(_place(page[-1])) if len(rows) > size else "")

    def is_own(self, caller: Caller, one: FollowUp) -> bool:
        """Whether the caller's authority keeps the certificate that has to follow."""
        return one.authority in self.access.kept(caller, one.type_code)

    async def decline(
        self,
        call: Call,
        fact_change: str,
        certificate_id: str,
        reason: str,
        encode: Callable[[FollowUp], bytes],
    ) -> Answered:
        """Say why a certificate is not changed; durable when it returns.

        Raises HubError: FIELD_INVALID, FACT_CHANGE_NOT_FOUND (also where it is not the caller's),
        TRANSITION_NOT_ALLOWED where it is not open, REQUEST_ID_REUSED, DECISION_STALE.
        """
        _check_text("decline_reason", reason)
        name = f"factChanges/{fact_change}/followUps/{certificate_id}"
        row = await self.database.one(ONE_FOLLOW_UP, fact_change, certificate_id)

        async def refresh() -> None:
            nonlocal row
            row = await self.database.one(ONE_FOLLOW_UP, fact_change, certificate_id)

        def decide() -> Change:
            one = None if row is None else follow_up_of(row)
            if row is None or one is None or not self.is_own(call.caller, one):
                raise HubError(Reason.FACT_CHANGE_NOT_FOUND, name=name)
            state = follow_up_state(one)
            if state is not FollowUpState.OPEN:
                raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=state.value)
            return Change(
                kind="fact.declined",
                data={"follow_up": name, "decline_reason": reason},
                writes=[put_declined(one, reason)],
                checks=[
                    self.access.check(call.caller),
                    unchanged_follow_up(fact_change, certificate_id, row),
                ],
                answer=encode(_declined(one, reason)),
            )

        return await change_once(self.recorder, call, decide, refresh)


async def held_elsewhere(database: Database, source: Held) -> tuple[Held, ...]:
    """What the holders of `source` have besides it, by id; some more than may follow at most."""
    others: dict[str, Held] = {}
    for index in source.holder_indexes:
        rows = await database.all(HELD_BY, index, FOLLOW_UPS_MAX + 2)
        others |= {held.id: held for held in map(held_of, rows) if held.id != source.id}
    return tuple(others[key] for key in sorted(others))


def is_live(state: State) -> bool:
    """Whether a certificate in this stored state has to follow what is announced."""
    return state in (State.ACTIVE, State.SUSPENDED)


def follow_up_state(one: FollowUp) -> FollowUpState:
    """Where it stands: what its authority said first, then what its certificate says."""
    if one.decline_reason:
        return FollowUpState.DECLINED
    if one.newest_version > one.version:
        return FollowUpState.DONE
    if not is_live(one.state):
        return FollowUpState.ENDED
    return FollowUpState.OPEN


def _declined(one: FollowUp, reason: str) -> FollowUp:
    return dataclasses.replace(one, decline_reason=reason)


def _place(one: FollowUp) -> tuple[str, str]:
    return one.fact_change, one.certificate_id


def told(held: Held, reference: str) -> FeedChange:
    """What the change feed says of a certificate that an announcement concerns."""
    return FeedChange(
        ChangeKind.FACT,
        held.authority,
        held.type_code,
        held.id,
        held.identifier,
        held.version,
        held.state,
        held.valid_from,
        held.valid_until,
        held.holder_indexes,
        held.retention_class,
        reference=reference,
    )


def _check_texts(announcement: Announcement) -> None:
    """Step 1."""
    facts = announcement.facts
    if not 1 <= len(facts) <= FACTS_MAX or len(set(facts)) != len(facts):
        rule = f"1 to {FACTS_MAX} facts, each once"
        raise HubError(Reason.FIELD_INVALID, field="facts", rule=rule)
    for index, fact in enumerate(facts):
        _check_text(f"facts[{index}]", fact, FACT_LENGTH_MAX)
        if fact in tuple(HolderEvent):
            rule = "what happened to a holder is announced as such: sealway holder event"
            raise HubError(Reason.FIELD_INVALID, field=f"facts[{index}]", rule=rule)
    _check_text("legal_basis", announcement.legal_basis)


def _check_text(field: str, value: str, length_max: int = TEXT_LENGTH_MAX) -> None:
    broken = text_violation(field, value, length_max)
    if broken is not None:
        raise HubError(
            Reason.FIELD_INVALID, violations=(broken,), field=broken.field, rule=broken.rule
        )
