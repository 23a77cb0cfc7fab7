"""What access needs of others, in its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from hub.storage.changes import Recorder as Recorder
from hub.storage.statements import Check, Row, Statement, Value, Write


@dataclass(frozen=True, slots=True)
class Followed:
    """What else is written when an authority changes, and on what that was decided."""

    writes: Sequence[Write]
    checks: Sequence[Check]


class Follower(Protocol):
    """Another component's part in a reorganisation, such as the end of an authority's seals."""

    async def __call__(self, authority: str, successors: Sequence[str]) -> Followed:
        """What follows where `authority` is renamed (no successors) or succeeded."""
        ...


class Stored(Protocol):
    """One state of the database, unmoved by what is written meanwhile."""

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        """The single row that answers, or None."""
        ...

    def scan(
        self, statement: Statement, *args: Value, page: int = 1000
    ) -> AsyncIterator[list[Row]]:
        """All rows that answer, page by page."""
        ...


class Database(Protocol):
    """Questions to the database. Raise HubError(DATABASE_UNAVAILABLE)."""

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        """Every row that answers, at most 10,000."""
        ...

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        """The single row that answers now, or None."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Stored]:
        """One state of the whole database."""
        ...
