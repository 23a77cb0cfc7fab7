"""Rename an authority, or let others succeed it, as officers approved it.

Nothing that was issued is touched: certificates, seals and entries keep the name and the code of
their time. Grants name systems and go with them; who may answer for a type is found by following
the successors (`Snapshot.responsible`).
"""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.access.identity import Authority, DatedName, SystemState
from hub.access.ports import Follower
from hub.access.registrar import Registrar
from hub.access.rules import broken, refuse
from hub.access.snapshot import Snapshot
from hub.access.store import next_version, put_authority, put_system, version_check
from hub.clock import legal_day
from hub.domain.reorganization import Reorganization, of_members
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.proof.encoding import emit_json
from hub.proof.officers.intent import check_members
from hub.proof.officers.intent_kinds import AUTHORITY_REORGANIZE
from hub.proof.officers.roster import Approved
from hub.storage.changes import Call, Change
from hub.storage.statements import Write


@dataclass(frozen=True, slots=True)
class ReorganizeAuthority:
    """The operation of `authority.reorganize`.

    `defined` lists what authorities answer for (a type's code, or `items/` and an item's) with the
    credit code of whoever defined it; `issued` of which types who has issued certificates.
    `followers` are what other components have to change with it, in the same entry.
    """

    registrar: Registrar
    defined: Callable[[], Sequence[tuple[str, str]]]
    issued: Callable[[], Awaitable[Sequence[tuple[str, str]]]]
    followers: Sequence[Follower] = ()

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """As proposed, where it could be done today. Raises HubError: FIELD_INVALID with everything
        that is wrong, AUTHORITY_NOT_FOUND."""
        check_members(AUTHORITY_REORGANIZE, members)
        await self._check(of_members(members), self.registrar.directory.current)
        return members

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Do what the intent says, whole or not at all.

        1. The authority has not ended; a name follows the present one; successors are live and take
        over every system, type and item, each once; where they are several, also the types of
        others of which it keeps certificates. 2. What follows elsewhere. 3. Entry
        `authority.renamed` or `authority.succeeded`. Raises HubError: FIELD_INVALID,
        AUTHORITY_NOT_FOUND.
        """
        snapshot = self.registrar.directory.current
        wanted = of_members(approved.intent.members)
        authority = await self._check(wanted, snapshot)
        changed = _changed(authority, wanted)
        writes = [put_authority(changed), *_moved(wanted, snapshot), next_version(snapshot.version)]
        checks = [version_check(snapshot.version)]
        for follower in self.followers:
            followed = await follower(authority.name, changed.successors)
            writes += followed.writes
            checks += followed.checks
        data: dict[str, Json] = {"authority": authority.name, "day": wanted.day}
        answer = emit_json({"authority": authority.name, "successors": [*changed.successors]})
        return Change(
            kind="authority.succeeded" if wanted.successors else "authority.renamed",
            data=data,
            writes=writes,
            checks=checks,
            answer=answer,
        )

    async def refresh(self) -> None:
        """Renew the snapshot of identities."""
        await self.registrar.directory.refresh()

    async def _check(self, wanted: Reorganization, snapshot: Snapshot) -> Authority:
        """Step 1; gives the authority as it is."""
        authority = snapshot.authorities.get(wanted.authority)
        if authority is None:
            raise HubError(Reason.AUTHORITY_NOT_FOUND, name=wanted.authority)
        today = legal_day(self.registrar.clock())
        issued = frozenset(
            code for code, by in await self.issued() if snapshot.keeper(by, code) == authority.name
        )
        refuse(self._violations(wanted, authority, snapshot, today, issued))
        return authority

    def _violations(
        self,
        wanted: Reorganization,
        authority: Authority,
        snapshot: Snapshot,
        today: datetime.date,
        issued: frozenset[str],
    ) -> list[Violation | None]:
        if authority.successors:
            return [broken("members.authority", "authority.ended")]
        found: list[Violation | None] = []
        if bool(wanted.title) == bool(wanted.successors):
            found.append(broken("members.title", "reorganization.either"))
        present = next(name for name in authority.names if not name.to_date)
        if not present.from_date < wanted.day <= today.isoformat():
            found.append(broken("members.day", "day.order"))
        if not wanted.successors:
            return found
        named = [one.authority for one in wanted.successors]
        for index, name in enumerate(named):
            known = snapshot.authorities.get(name)
            if known is None or known.successors or name == authority.name or named.count(name) > 1:
                found.append(broken(f"members.successors[{index}].authority", "successors.live"))
        active = [
            system.name
            for system in snapshot.systems.values()
            if system.authority == authority.name and system.state is SystemState.ACTIVE
        ]
        moved = [system for one in wanted.successors for system in one.systems]
        if sorted(moved) != sorted(active):
            found.append(broken("members.successors", "systems.whole"))
        passed = [what for one in wanted.successors for what in one.entrusted()]
        answered_for = {
            what
            for what, defining in self.defined()
            if snapshot.responsible(what, defining) == authority.name
        }
        # What was issued of others' types passes on by itself where there is one successor only.
        needed = answered_for | issued if len(named) > 1 else answered_for
        if len(set(passed)) < len(passed) or not needed <= set(passed) <= answered_for | issued:
            found.append(broken("members.successors", "types.whole"))
        return found


def _changed(authority: Authority, wanted: Reorganization) -> Authority:
    """The authority as it is from the day on; the name of its time ends the day before."""
    if wanted.successors:
        return replace(
            authority,
            successors=tuple(one.authority for one in wanted.successors),
            entrusted=tuple(
                (what, one.authority) for one in wanted.successors for what in one.entrusted()
            ),
            generation=authority.generation + 1,
        )
    before = datetime.date.fromisoformat(wanted.day) - datetime.timedelta(days=1)
    names = [
        name if name.to_date else replace(name, to_date=before.isoformat())
        for name in authority.names
    ]
    return replace(
        authority, names=(*names, DatedName(wanted.title, wanted.title_en, wanted.day, ""))
    )


def _moved(wanted: Reorganization, snapshot: Snapshot) -> list[Write]:
    """Each system under its new authority; keys and grants stay its own."""
    return [
        put_system(replace(snapshot.systems[system], authority=one.authority))
        for one in wanted.successors
        for system in one.systems
    ]
