"""The database seam: named questions in, plain rows out, one write transaction at a time.

Two engines keep the same contract (tests/contracts/test_database.py). SQLite is read on the event
loop, where a question costs less than a thread hop, and written by one thread; PostgreSQL goes
through asyncpg. Every failure of the engine itself leaves as HubError(DATABASE_UNAVAILABLE).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from hub.errors import HubError, Reason
from hub.storage.statements import Row, Statement, Value, WriteStatement

ROWS_MAX: Final = 10_000
PAGE_ROWS: Final = 1000

T = TypeVar("T")
Engine: TypeAlias = Literal["sqlite", "postgresql"]


class Questions(Protocol):
    """What can be asked, of the database as it is now or inside one transaction."""

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        """Every row, at most ROWS_MAX; more is an error of the question (use `scan`)."""
        ...

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        """The row, or None. Two rows are an error of the question."""
        ...


class Transaction(Questions, Protocol):
    """One write transaction. Usable only inside the `work` that received it.

    On SQLite its coroutines never suspend; `work` must await nothing else.
    """

    async def write(self, statement: WriteStatement, rows: Sequence[Row]) -> None:
        """Insert or replace whole rows in their order. Raises HubError(ALREADY_EXISTS)."""
        ...

    async def attempt(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Run `work` under a savepoint: when it raises, only what it wrote is undone."""
        ...


class Snapshot(Questions, Protocol):
    """One state of the whole database, unmoved by what is written meanwhile."""

    def scan(
        self, statement: Statement, *args: Value, page: int = PAGE_ROWS
    ) -> AsyncIterator[list[Row]]:
        """Any number of rows in bounded memory, `page` at a time."""
        ...


class Database(Questions, Protocol):
    """A database of the hub. Methods belong to the event loop that opened it."""

    @property
    def engine(self) -> Engine:
        """Which engine answers."""
        ...

    def scan(
        self, statement: Statement, *args: Value, page: int = PAGE_ROWS
    ) -> AsyncIterator[list[Row]]:
        """As `Snapshot.scan`, on a snapshot of its own."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """A snapshot on its own connection. On SQLite the log of pages grows while it is held."""
        ...

    async def transact(self, work: Callable[[Transaction], Coroutine[object, object, T]]) -> T:
        """Run `work` in one write transaction; transactions follow one another.

        Durable when it returns. When it raises, nothing was kept - except that a failure of the
        engine at the very end (HubError DATABASE_UNAVAILABLE) leaves open whether it was: read.
        """
        ...

    async def define(self, script: str) -> None:
        """Run statements that define the schema, all or none. For migrations."""
        ...

    async def close(self) -> None:
        """Finish the transaction under way and let go of every connection."""
        ...


async def open_database(url: str) -> Database:
    """The database at `sqlite:///relative/file`, `sqlite:////absolute/file` or `postgresql://…`.

    A missing SQLite file is created, an unreachable server is HubError(DATABASE_UNAVAILABLE).
    """
    # Each engine's driver is loaded only where it is used.
    if url.startswith("sqlite:///"):
        from hub.storage.sqlite import Sqlite  # noqa: PLC0415

        return Sqlite(url.removeprefix("sqlite:///"))
    if url.startswith("postgresql://"):
        from hub.storage.postgresql import Postgresql  # noqa: PLC0415

        return await Postgresql.open(url)
    # The URL itself may hold a password and is not repeated.
    raise HubError(
        Reason.FIELD_INVALID,
        field="database.url",
        rule="begins with sqlite:/// or postgresql://",
    )
