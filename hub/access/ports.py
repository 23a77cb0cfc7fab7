"""What access needs of others, in its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hub.domain.entry import Entry, Recorded, Remember, Remembered
from hub.storage.statements import Check, Row, Statement, Value, Write


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

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        """The single row that answers now, or None."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Stored]:
        """One state of the whole database."""
        ...


class Recorder(Protocol):
    """The one way to write."""

    async def record(
        self,
        entry: Entry,
        writes: Sequence[Write],
        checks: Sequence[Check],
        *,
        remember: Remember | None = None,
    ) -> Recorded:
        """Write and log in one step; durable, signed and receipted when it returns.

        `ENTRY_INDEX` in a row becomes the entry's index. Raises AlreadyRecorded;
        HubError(DECISION_STALE) where a check differs; HubError(LOG_UNAVAILABLE).
        """
        ...

    async def remembered(self, caller: str, request_id: str) -> Remembered | None:
        """What this caller was answered before under this id."""
        ...

    async def receipt(self, index: int) -> str:
        """The receipt of an entry as it was first handed out."""
        ...
