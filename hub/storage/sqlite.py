"""SQLite: read on the event loop, written by one thread, durable at each commit."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from hub.errors import HubError, Reason
from hub.storage.database import PAGE_ROWS, ROWS_MAX, Engine, Snapshot, Transaction
from hub.storage.statements import Row, Statement, Value, WriteStatement

T = TypeVar("T")

# Another process may look at the file (a backup, the command line); it never holds it for long.
_BUSY_MS: Final = 5000
_CACHE_KIB: Final = 32 * 1024
_STATEMENTS_CACHED: Final = 512
_MAPPED_BYTES: Final = 4 * 1024**3
# Request ids are random, so each entry touches a page of its own; rarer checkpoints write a page
# that was touched often only once.
_CHECKPOINT_PAGES: Final = 8192
_KEY_TAKEN: Final = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_ROWID,
    }
)


@dataclass(frozen=True, slots=True)
class _Job:
    """Work for the writer, and how to hand back its outcome."""

    run: Callable[[sqlite3.Connection], object]
    done: Callable[[object, BaseException | None], object]


class Sqlite:
    """The `Database` contract on one SQLite file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._reader = _connect(path)
        self._writer = _connect(path)
        # Reading must never become writing by accident.
        self._reader.execute("PRAGMA query_only=ON")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        # Whoever holds it has the writer, whichever thread its statements run in.
        self._turn = asyncio.Lock()
        self._thread = threading.Thread(target=self._write, name="database-writer", daemon=True)
        self._thread.start()

    @property
    def engine(self) -> Engine:
        return "sqlite"

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        return _all(self._reader, statement, args)

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        return _one(self._reader, statement, args)

    async def scan(
        self, statement: Statement, *args: Value, page: int = PAGE_ROWS
    ) -> AsyncIterator[list[Row]]:
        async with self.snapshot() as snapshot:
            async for rows in snapshot.scan(statement, *args, page=page):
                yield rows

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Snapshot]:
        connection = _connect(self._path)
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("BEGIN")
            # The snapshot is taken by the first read, not by BEGIN.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            yield _SqliteSnapshot(connection)
        finally:
            connection.close()

    async def transact(self, work: Callable[[Transaction], Coroutine[object, object, T]]) -> T:
        async with self._turn:
            return await self._run(lambda connection: _commit(connection, _work(connection, work)))

    async def transact_then(
        self,
        work: Callable[[Transaction], Coroutine[object, object, T]],
        then: Callable[[T], object],
        *,
        is_short: bool,
    ) -> T:
        """As `transact`; the writer thread calls `then` with the durable result before it returns.

        `then` may block and must not raise: its failure would look like one of the transaction.
        The statements of work that `is_short` run here and only the commit in the thread: it needs
        the interpreter as much as whoever waits does, and two threads would take it from each
        other all the time. Waiting for the disk is what the thread is for.
        """

        def finish(connection: sqlite3.Connection, result: T) -> T:
            _commit(connection, result)
            then(result)
            return result

        async with self._turn:
            if not is_short:
                return await self._run(lambda writer: finish(writer, _work(writer, work)))
            self._check_open()
            result = _work(self._writer, work)
            return await self._run(lambda writer: finish(writer, result))

    async def define(self, script: str) -> None:
        def run(connection: sqlite3.Connection) -> None:
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{script};\nCOMMIT")
            except sqlite3.Error as error:
                if connection.in_transaction:
                    connection.rollback()
                raise _unavailable(error) from error

        async with self._turn:
            await self._run(run)

    async def close(self) -> None:
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        self._writer.close()

    async def _run(self, run: Callable[[sqlite3.Connection], T]) -> T:
        self._check_open()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: object, error: BaseException | None) -> None:
            if future.done():
                return  # Whoever waited has been cancelled; the work stands all the same.
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)  # type: ignore[arg-type]  # What `run` returned.

        self._jobs.put(_Job(run, lambda *outcome: loop.call_soon_threadsafe(settle, *outcome)))
        return await future

    def _check_open(self) -> None:
        if not self._thread.is_alive():
            raise HubError(Reason.DATABASE_UNAVAILABLE, rule="it is closed")

    def _write(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                value = job.run(self._writer)
            except BaseException as error:
                job.done(None, error)
            else:
                job.done(value, None)


class _SqliteTransaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        return _all(self._connection, statement, args)

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        return _one(self._connection, statement, args)

    async def write(self, statement: WriteStatement, rows: Sequence[Row]) -> None:
        try:
            self._connection.executemany(statement.sqlite, rows)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in _KEY_TAKEN:
                raise HubError(Reason.ALREADY_EXISTS, name=statement.table) from error
            raise
        except (sqlite3.OperationalError, sqlite3.InternalError) as error:
            raise _unavailable(error) from error

    async def attempt(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        self._connection.execute("SAVEPOINT attempt")
        try:
            result = await work()
        except BaseException:
            self._connection.execute("ROLLBACK TO attempt")
            self._connection.execute("RELEASE attempt")
            raise
        self._connection.execute("RELEASE attempt")
        return result


class _SqliteSnapshot:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        return await asyncio.to_thread(_all, self._connection, statement, args)

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        return await asyncio.to_thread(_one, self._connection, statement, args)

    async def scan(
        self, statement: Statement, *args: Value, page: int = PAGE_ROWS
    ) -> AsyncIterator[list[Row]]:
        cursor = await asyncio.to_thread(self._connection.execute, statement.sqlite, args)
        try:
            while rows := await asyncio.to_thread(cursor.fetchmany, page):
                yield rows
        except sqlite3.OperationalError as error:
            raise _unavailable(error) from error
        finally:
            cursor.close()


def _connect(path: str) -> sqlite3.Connection:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS_CACHED,
        )
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        # Without FULL a commit may be lost with the power although it was acknowledged.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        # Each commit of the writer empties a reader's cache; mapped pages cost it no call.
        connection.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}")
    except (sqlite3.Error, OSError) as error:
        raise _unavailable(error) from error
    return connection


def _all(connection: sqlite3.Connection, statement: Statement, args: Row) -> list[Row]:
    try:
        cursor = connection.execute(statement.sqlite, args)
        rows = cursor.fetchmany(ROWS_MAX + 1)
    except sqlite3.OperationalError as error:
        raise _unavailable(error) from error
    if len(rows) > ROWS_MAX:
        cursor.close()
        raise HubError(Reason.INTERNAL, error_id=f"more than {ROWS_MAX} rows: {statement.name}")
    return rows


def _one(connection: sqlite3.Connection, statement: Statement, args: Row) -> Row | None:
    # A cursor that is not read to its end pins the write-ahead log, hence never `fetchone`.
    rows = _all(connection, statement, args)
    if len(rows) > 1:
        raise HubError(Reason.INTERNAL, error_id=f"more than one row: {statement.name}")
    return rows[0] if rows else None


def _work(
    connection: sqlite3.Connection, work: Callable[[Transaction], Coroutine[object, object, T]]
) -> T:
    """Begin a transaction and do what belongs to it; undone where that fails."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        return _drive(work(_SqliteTransaction(connection)))
    except BaseException as error:
        _undo(connection, error)
        raise


def _commit(connection: sqlite3.Connection, result: T) -> T:
    """Make the open transaction durable; undone where that fails."""
    try:
        connection.execute("COMMIT")
    except BaseException as error:
        _undo(connection, error)
        raise
    return result


def _undo(connection: sqlite3.Connection, error: BaseException) -> None:
    """Roll back what is open, then raise the failure of an engine as ours."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    if isinstance(error, sqlite3.OperationalError | sqlite3.InternalError):
        raise _unavailable(error) from error


def _drive(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine that never suspends, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("work awaited something other than its transaction")


def _unavailable(error: Exception) -> HubError:
    rule = getattr(error, "sqlite_errorname", type(error).__name__)
    return HubError(Reason.DATABASE_UNAVAILABLE, rule=rule)
