"""The roster that counts: read from the database, believed only as far as log and officers prove.

Number 0 is the one that `init` put into the log. Each later one must follow from the one before by
an intent that satisfied it, and stand in the log as well. So a row that somebody writes into the
database adds no officer and lowers no quorum; it stops all approvals instead.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.access.ports import Database
from hub.access.roster_store import (
    ROSTER_BY_NUMBER,
    ROSTERS_AFTER,
    link_of,
    newest_roster_check,
)
from hub.errors import HubError, Reason
from hub.proof.encoding import digest, parse_object
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.officers.roster import Roster
from hub.proof.officers.roster_changes import Chain, Link, begin, follow
from hub.proof.reasons import ProofError
from hub.storage.statements import Check

# The entry of number 0; those of later numbers have the kind of what happened.
_FOUNDED: Final = "roster.founded"


class ProvenEntry(Protocol):
    """An entry of the log."""

    @property
    def body(self) -> bytes:
        """Its JSON."""
        ...


class Proofs(Protocol):
    """The log, as far as its signed root covers it."""

    def covers(self, index: int) -> bool:
        """Whether the root that is signed covers entry `index`."""
        ...

    async def proven(self, index: int) -> ProvenEntry:
        """Entry `index`. Raises HubError where the log does not prove it."""
        ...


@dataclass(slots=True)
class Rosters:
    """The chain of rosters, followed as far as it reaches. `refresh` before `newest`."""

    database: Database
    proofs: Proofs
    _chain: Chain | None = field(default=None)
    _links: list[Link] = field(default_factory=list)
    _following: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def newest(self) -> Roster:
        """The last roster that was followed to. Raises HubError(ROSTER_MISSING)."""
        if self._chain is None:
            raise HubError(Reason.ROSTER_MISSING)
        return self._chain.roster

    @property
    def used(self) -> frozenset[str]:
        """Digests of the intents that carried a statement: none of them carries another."""
        return frozenset() if self._chain is None else self._chain.used

    async def current(self) -> Roster:
        """The newest roster of all. Raises HubError: ROSTER_MISSING, ROSTER_BROKEN."""
        await self.refresh()
        return self.newest

    async def refresh(self) -> None:
        """Follow what was recorded since. Raises HubError(ROSTER_BROKEN): nothing counts then."""
        async with self._following:
            after = -1 if self._chain is None else self._chain.roster.number
            for row in await self.database.all(ROSTERS_AFTER, after):
                link, entry = link_of(row)
                if not self.proofs.covers(entry):
                    break  # Its root is not signed yet: nobody was told of it, and it counts next.
                after += 1
                try:
                    self._chain = await self._followed(link, entry)
                    self._links.append(link)
                except ProofError as error:
                    raise HubError(Reason.ROSTER_BROKEN, number=after, rule=str(error)) from error

    async def link(self, number: int | None) -> tuple[Link, int]:
        """The statement of this number, or the newest, with what carried it, and its entry.

        Raises HubError: ROSTER_NOT_FOUND, ROSTER_MISSING, ROSTER_BROKEN.
        """
        newest = (await self.current()).number
        wanted = newest if number is None else number
        row = await self.database.one(ROSTER_BY_NUMBER, wanted) if 0 <= wanted <= newest else None
        if row is None:
            raise HubError(Reason.ROSTER_NOT_FOUND, number=wanted, newest=newest)
        return link_of(row)

    def links(self, after: int) -> list[Link]:
        """The statements followed to after number `after`, with what carried each."""
        return self._links[after + 1 :]

    def check(self) -> Check:
        """That the roster followed to still is the newest one."""
        return newest_roster_check(self.newest.number)

    async def _followed(self, link: Link, entry: int) -> Chain:
        body = parse_object((await self.proofs.proven(entry)).body)
        data = body.get("data")
        statement = data.get("roster") if isinstance(data, dict) else None
        if statement != link.statement.decode("utf-8", "replace"):
            raise HubError(Reason.ROSTER_BROKEN, number="?", rule=f"entry {entry} says another one")
        if self._chain is not None:
            return follow(self._chain, link, KINDS)
        if (body["kind"], body["caller"]) != (_FOUNDED, "init"):
            raise HubError(Reason.ROSTER_BROKEN, number=0, rule=f"entry {entry} is not init's")
        return begin(link.statement, digest(link.statement))
