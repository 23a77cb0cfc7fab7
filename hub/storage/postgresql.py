"""PostgreSQL 15 or newer through asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Final, Self, TypeVar

import asyncpg

from hub.errors import HubError, Reason
from hub.storage.database import PAGE_ROWS, ROWS_MAX, Engine, Snapshot, Transaction
from hub.storage.statements import Row, Statement, Value, WriteStatement

T = TypeVar("T")

_CONNECTIONS_MAX: Final = 8
_STATEMENTS_CACHED: Final = 512
_TIMEOUT_S: Final = 30.0

# SQLSTATE classes that say "not now": connection, transaction state and rollback, resources,
# operator intervention, system error, internal error. Everything else is a fault of the statement.
_NOT_NOW: Final = frozenset({"08", "25", "40", "53", "57", "58", "XX"})


class Postgresql:
    """The `Database` contract on one PostgreSQL database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to `url`. Raises HubError(DATABASE_UNAVAILABLE)."""
        with _translated():
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=_CONNECTIONS_MAX,
                timeout=_TIMEOUT_S,
                command_timeout=_TIMEOUT_S,
                statement_cache_size=_STATEMENTS_CACHED,
                # A cluster's default must not turn an acknowledged commit into a hope.
                server_settings={"synchronous_commit": "on", "application_name": "sealway"},
            )
        return cls(pool)

    @property
    def engine(self) -> Engine:
        return "postgresql"

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        with _translated():
            return _bounded(statement, await self._pool.fetch(_limited(statement), *args))

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        with _translated():
            return _single(statement, await self._pool.fetch(_limited(statement), *args))

    async def scan(
        self, statement: Statement, *args: Value, page: int = PAGE_ROWS
    ) -> AsyncIterator[list[Row]]:
        async with self.snapshot() as snapshot:
            async for rows in snapshot.scan(statement, *args, page=page):
                yield rows

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        with _translated():
            async with (
                self._pool.acquire(timeout=_TIMEOUT_S) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                # The snapshot is taken by the first statement, not by BEGIN.
                await connection.execute("SELECT 1")
                yield _PostgresqlSnapshot(connection)

    async def transact(self, work: Callable[[Transaction], Coroutine[object, object, T]]) -> T:
        with _translated():
            async with (
                self._turn,
                self._pool.acquire(timeout=_TIMEOUT_S) as connection,
                connection.transaction(),
            ):
                return await work(_PostgresqlTransaction(connection))

    async def define(self, script: str) -> None:
        with _translated():
            async with self._turn, self._pool.acquire(timeout=_TIMEOUT_S) as connection:
                # Several statements in one message are one transaction.
                await connection.execute(script)

    async def close(self) -> None:
        async with self._turn:
            await self._pool.close()


class _PostgresqlQuestions:
    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        return _bounded(statement, await self._connection.fetch(_limited(statement), *args))

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        return _single(statement, await self._connection.fetch(_limited(statement), *args))


class _PostgresqlTransaction(_PostgresqlQuestions):
    async def write(self, statement: WriteStatement, rows: Sequence[Row]) -> None:
        try:
            if len(rows) == 1:
                await self._connection.execute(statement.postgresql, *rows[0])
            else:
                await self._connection.executemany(statement.postgresql, rows)
        except asyncpg.UniqueViolationError as error:
            raise HubError(Reason.ALREADY_EXISTS, name=statement.table) from error

    async def attempt(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        async with self._connection.transaction():
            return await work()


class _PostgresqlSnapshot(_PostgresqlQuestions):
    async def scan(
        self, statement: Statement, *args: Value, page: int = PAGE_ROWS
    ) -> AsyncIterator[list[Row]]:
        cursor = await self._connection.cursor(statement.postgresql, *args)
        while rows := await cursor.fetch(page):
            yield [tuple(row) for row in rows]


@lru_cache(maxsize=1024)
def _limited(statement: Statement) -> str:
    """The statement's text with a limit one above what may come back."""
    text = statement.postgresql  # Our own, compiled; no value of a caller stands in it.
    return f"SELECT * FROM ({text}) AS bounded LIMIT {ROWS_MAX + 1}"  # noqa: S608


def _bounded(statement: Statement, rows: Sequence[asyncpg.Record]) -> list[Row]:
    if len(rows) > ROWS_MAX:
        raise HubError(Reason.INTERNAL, error_id=f"more than {ROWS_MAX} rows: {statement.name}")
    return [tuple(row) for row in rows]


def _single(statement: Statement, rows: Sequence[asyncpg.Record]) -> Row | None:
    if len(rows) > 1:
        raise HubError(Reason.INTERNAL, error_id=f"more than one row: {statement.name}")
    return tuple(rows[0]) if rows else None


@contextmanager
def _translated() -> Iterator[None]:
    """Turn "not now" of server, network and pool into HubError(DATABASE_UNAVAILABLE)."""
    try:
        yield
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state[:2] not in _NOT_NOW:
            raise
        raise HubError(Reason.DATABASE_UNAVAILABLE, rule=f"SQLSTATE {state}") from error
    except (asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise HubError(Reason.DATABASE_UNAVAILABLE, rule=type(error).__name__) from error
