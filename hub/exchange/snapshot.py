"""All grants in memory: a decision reads no database for them.

Loaded at start, refreshed when the version row changed and after each write of our own. A decision
carries `check()`, so a snapshot that is late costs a second decision, never a wrong disclosure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hub.exchange.grants import Grant
from hub.exchange.store import ALL_GRANTS, THE_VERSION, check_version, decode_grant
from hub.storage.statements import Check, Row, Statement, Value


class Database(Protocol):
    """Questions to the database."""

    async def one(self, statement: Statement, *args: Value) -> Row | None: ...
    def scan(self, statement: Statement, *args: Value) -> AsyncIterator[list[Row]]: ...


@dataclass(slots=True)
class GrantSnapshot:
    """Grants by id and by recipient, as of `version`."""

    database: Database
    version: int = 0
    _by_id: dict[str, Grant] = field(default_factory=dict)
    _by_recipient: dict[str, list[Grant]] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Load what is in the database where its version is another than ours."""
        row = await self.database.one(THE_VERSION, 1)
        version = int(row[0] or 0) if row else 0
        if version == self.version:
            return
        by_id: dict[str, Grant] = {}
        by_recipient: dict[str, list[Grant]] = defaultdict(list)
        async for rows in self.database.scan(ALL_GRANTS):
            for grant in map(decode_grant, rows):
                by_id[grant.id] = grant
                by_recipient[grant.recipient].append(grant)
        self._by_id, self._by_recipient, self.version = by_id, dict(by_recipient), version

    def of(self, recipient: str) -> Sequence[Grant]:
        """The grants of one recipient, revoked ones included."""
        return self._by_recipient.get(recipient, ())

    def get(self, grant_id: str) -> Grant | None:
        """One grant."""
        return self._by_id.get(grant_id)

    def all(self) -> Sequence[Grant]:
        """Every grant in the order of its creation."""
        return sorted(self._by_id.values(), key=lambda grant: (grant.create_us, grant.id))

    def check(self) -> Check:
        """That this snapshot is still the newest."""
        return check_version(self.version)
