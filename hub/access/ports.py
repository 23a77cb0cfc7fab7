"""What access needs of others, in its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hub.storage.changes import Recorder as Recorder
from hub.storage.statements import Row, Statement, Value


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
