"""PostgreSQL 15 or newer through asyncpg."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
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

# Below this many rows COPY saves nothing.
_COPY_ROWS_MIN: Final = 16

# How many questions are asked in one, and how many parameters such a question may have: longer
# ones are lists already.
_GATHERED_MAX: Final = 64
_PARAMETERS_MAX: Final = 8
_PARAMETER: Final = re.compile(r"\$(\d+)")

# SQLSTATE classes that say "not now": connection, transaction state and rollback, resources,
# operator intervention, system error, internal error. Everything else is a fault of the statement.
_NOT_NOW: Final = frozenset({"08", "25", "40", "53", "57", "58", "XX"})


class Postgresql:
    """The `Database` contract on one PostgreSQL database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()
        self._gathering = _Gathering(pool)

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
            return await self._gathering.ask(statement, args)

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        with _translated():
            rows = await self._gathering.ask(statement, args)
        return _single(statement, rows)

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


@dataclass(slots=True)
class _Asked:
    """The same question with several arguments, and who waits for each answer."""

    args: list[Row] = field(default_factory=list)
    futures: list[asyncio.Future[list[Row]]] = field(default_factory=list)


class _Gathering:
    """Asks what is asked in the same turn of the event loop in one statement.

    A busy hub looks up dozens of certificates at once; each statement costs the server far more
    than another row of it. Everybody gets the rows of their own arguments, in their order, and
    nobody an answer older than their question.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._asked: dict[Statement, _Asked] = {}
        self._texts: dict[Statement, str] = {}
        # The loop itself keeps no task alive.
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, statement: Statement, args: Row) -> list[Row]:
        """The rows, at most ROWS_MAX."""
        if not 0 < len(args) <= _PARAMETERS_MAX:
            return await self._ask_alone(statement, args)
        loop = asyncio.get_running_loop()
        asked = self._asked.get(statement)
        if asked is None:
            asked = self._asked[statement] = _Asked()
            loop.call_soon(self._send, statement, asked)
        future: asyncio.Future[list[Row]] = loop.create_future()
        asked.args.append(args)
        asked.futures.append(future)
        if len(asked.args) == _GATHERED_MAX:
            del self._asked[statement]  # Whoever comes now begins the next one.
        return await future

    def _send(self, statement: Statement, asked: _Asked) -> None:
        if self._asked.get(statement) is asked:
            del self._asked[statement]
        task = asyncio.create_task(self._answer(statement, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, statement: Statement, asked: _Asked) -> None:
        answers: list[list[Row]] | None = None
        if len(asked.args) > 1:
            # One bad argument fails all: they are asked singly then, and each hears of its own.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                answers = await self._ask_together(statement, asked.args)
        if answers is None:
            await asyncio.gather(
                *(
                    self._settle(statement, args, future)
                    for args, future in zip(asked.args, asked.futures, strict=True)
                )
            )
            return
        for future, rows in zip(asked.futures, answers, strict=True):
            if not future.done():  # Whoever waited may have been cancelled.
                future.set_result(rows)

    async def _settle(
        self, statement: Statement, args: Row, future: asyncio.Future[list[Row]]
    ) -> None:
        try:
            rows = await self._ask_alone(statement, args)
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(rows)

    async def _ask_alone(self, statement: Statement, args: Row) -> list[Row]:
        return _bounded(statement, await self._pool.fetch(_limited(statement), *args))

    async def _ask_together(self, statement: Statement, asked: list[Row]) -> list[list[Row]] | None:
        """The rows of each; None where they are too many to be held at once."""
        text = self._texts.get(statement)
        async with self._pool.acquire(timeout=_TIMEOUT_S) as connection:
            if text is None:
                prepared = await connection.prepare(statement.postgresql)
                types = [parameter.name for parameter in prepared.get_parameters()]
                text = self._texts[statement] = _gathered(statement, types)
            # One list per parameter.
            columns = [list(column) for column in zip(*asked, strict=True)]
            rows = await connection.fetch(text, *columns)
        if len(rows) > ROWS_MAX:
            return None
        answers: list[list[Row]] = [[] for _ in asked]
        for row in rows:
            answers[row[0] - 1].append(tuple(row)[1:])
        return answers


def _gathered(statement: Statement, types: Sequence[str]) -> str:
    """The statement once for each row of arguments, whose number stands before what it found."""
    inner = _PARAMETER.sub(r"asked.p\1", statement.postgresql)
    lists = ", ".join(f"${number}::{name}[]" for number, name in enumerate(types, start=1))
    names = ", ".join(f"p{number}" for number in range(1, len(types) + 1))
    return (
        f"SELECT asked.number, found.* FROM unnest({lists})"  # noqa: S608
        f" WITH ORDINALITY AS asked({names}, number), LATERAL ({inner}) AS found"
        f" LIMIT {ROWS_MAX + 1}"
    )


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
            elif statement.replaces or len(rows) < _COPY_ROWS_MIN:
                await self._connection.executemany(statement.postgresql, rows)
            else:
                await self._connection.copy_records_to_table(
                    statement.table, records=rows, columns=statement.columns
                )
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


def _single(statement: Statement, rows: Sequence[asyncpg.Record] | list[Row]) -> Row | None:
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
