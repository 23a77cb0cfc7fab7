"""The database contract, against real SQLite and real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import BigInteger, bindparam, select

from hub.errors import HubError, Reason
from hub.proof.log.row import row_digest
from hub.storage.database import ROWS_MAX, Database, Transaction, open_database
from hub.storage.statements import question
from tests.ledger.logs import INSERT_THING, PUT_THING, THING, THINGS, create_tables

ALL = question("all_things", select(*THINGS.columns).order_by(THINGS.c.id))


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(empty_database_url)
    await create_tables(opened, (THINGS,))
    yield opened
    await opened.close()


async def put(database: Database, *rows: tuple[str, int, bytes | None]) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.write(PUT_THING, rows)

    await database.transact(work)


async def test_rows_come_back_as_they_were_written(database: Database) -> None:
    """Values and therefore row digests are the same on every engine."""
    rows = [("a", 2**63 - 1, b"\x00\xff"), ("名", -(2**63), None), ("z", 0, b"")]

    await put(database, *rows)

    found = await database.all(ALL)
    assert found == sorted(rows)
    assert [row_digest(row) for row in found] == [row_digest(row) for row in sorted(rows)]


async def test_one_answers_none_for_no_row(database: Database) -> None:
    """Absence is None, not an error."""
    assert await database.one(THING, "absent") is None


async def test_one_refuses_two_rows(database: Database) -> None:
    """A question that was thought to be unique and is not never answers with either row."""
    await put(database, ("a", 1, None), ("b", 1, None))

    with pytest.raises(HubError) as error:
        await database.one(ALL)

    assert error.value.reason is Reason.INTERNAL


async def test_put_replaces_the_whole_row(database: Database) -> None:
    """Nothing of the old row remains."""
    await put(database, ("a", 1, b"old"))
    await put(database, ("a", 2, None))

    assert await database.all(ALL) == [("a", 2, None)]


async def test_inserting_an_existing_key_says_which_table(database: Database) -> None:
    """The engine's own error never leaves the storage."""
    await put(database, ("a", 1, None))

    async def work(transaction: Transaction) -> None:
        await transaction.write(INSERT_THING, [("b", 1, None), ("a", 2, None)])

    with pytest.raises(HubError) as error:
        await database.transact(work)

    assert error.value.reason is Reason.ALREADY_EXISTS
    assert error.value.details["name"] == "test_things"
    assert await database.all(ALL) == [("a", 1, None)]


async def test_a_transaction_that_raises_keeps_nothing(database: Database) -> None:
    """All or nothing, whatever was raised."""

    async def work(transaction: Transaction) -> None:
        await transaction.write(PUT_THING, [("a", 1, None)])
        raise LookupError("enough")

    with pytest.raises(LookupError):
        await database.transact(work)

    assert await database.all(ALL) == []


async def test_an_attempt_that_fails_undoes_only_itself(database: Database) -> None:
    """What was written before and is written after stays."""

    async def work(transaction: Transaction) -> None:
        await transaction.write(PUT_THING, [("before", 1, None)])

        async def attempt() -> None:
            await transaction.write(PUT_THING, [("undone", 1, None)])
            await transaction.write(INSERT_THING, [("before", 2, None)])

        with pytest.raises(HubError):
            await transaction.attempt(attempt)
        assert await transaction.one(THING, "undone") is None
        await transaction.write(PUT_THING, [("after", 1, None)])

    await database.transact(work)

    assert [row[0] for row in await database.all(ALL)] == ["after", "before"]


async def test_attempts_nest(database: Database) -> None:
    """An inner attempt undone leaves the outer one whole."""

    async def work(transaction: Transaction) -> None:
        async def inner() -> None:
            await transaction.write(PUT_THING, [("inner", 1, None)])
            raise LookupError

        async def outer() -> None:
            await transaction.write(PUT_THING, [("outer", 1, None)])
            with pytest.raises(LookupError):
                await transaction.attempt(inner)

        await transaction.attempt(outer)

    await database.transact(work)

    assert [row[0] for row in await database.all(ALL)] == ["outer"]


async def test_transactions_follow_one_another(database: Database) -> None:
    """Each reads what the one before wrote: no increment is lost."""
    await put(database, ("n", 0, None))

    async def work(transaction: Transaction) -> None:
        row = await transaction.one(THING, "n")
        assert row is not None and isinstance(row[0], int)
        await transaction.write(PUT_THING, [("n", row[0] + 1, None)])

    await asyncio.gather(*(database.transact(work) for _ in range(25)))

    assert await database.one(THING, "n") == (25, None)


async def test_readers_see_only_what_is_committed(database: Database) -> None:
    """A reader beside a transaction sees the state before it."""
    await put(database, ("n", 1, None))
    seen: list[object] = []

    async def work(transaction: Transaction) -> None:
        await transaction.write(PUT_THING, [("n", 2, None)])
        seen.append(await transaction.one(THING, "n"))
        raise LookupError

    with pytest.raises(LookupError):
        await database.transact(work)

    assert seen == [(2, None)]
    assert await database.one(THING, "n") == (1, None)


async def test_a_snapshot_does_not_move(database: Database) -> None:
    """Scan and questions of one snapshot show one state, whatever is written meanwhile."""
    await put(database, *((f"{number:03}", 1, None) for number in range(25)))

    async with database.snapshot() as snapshot:
        await put(database, ("000", 2, None), ("zzz", 1, None))
        pages = [rows async for rows in snapshot.scan(ALL, page=10)]
        one = await snapshot.one(THING, "000")

    assert [len(rows) for rows in pages] == [10, 10, 5]
    assert one == (1, None)
    assert await database.one(THING, "000") == (2, None)


async def test_a_question_with_too_many_rows_is_refused(database: Database) -> None:
    """Everything is bounded; the same question can be scanned."""
    await put(database, *((f"{number:06}", 1, None) for number in range(ROWS_MAX + 1)))

    with pytest.raises(HubError) as error:
        await database.all(ALL)

    assert error.value.reason is Reason.INTERNAL
    assert sum([len(rows) async for rows in database.scan(ALL)]) == ROWS_MAX + 1


async def test_a_definition_is_whole_or_absent(database: Database) -> None:
    """A migration that fails in its second statement leaves nothing of the first."""
    with pytest.raises(Exception, match=r"."):
        await database.define(
            "CREATE TABLE half (id BIGINT);\nCREATE TABLE test_things (id BIGINT)"
        )

    await database.define("CREATE TABLE half (id BIGINT)")


async def test_what_was_committed_is_there_after_reopening(empty_database_url: str) -> None:
    """`transact` returns only when the rows are durable."""
    first = await open_database(empty_database_url)
    await create_tables(first, (THINGS,))
    await put(first, ("a", 1, None))
    await first.close()

    second = await open_database(empty_database_url)

    assert await second.all(ALL) == [("a", 1, None)]
    await second.close()


async def test_an_unknown_url_is_refused_without_repeating_it() -> None:
    """A URL may carry a password."""
    with pytest.raises(HubError) as error:
        await open_database("mysql://root:secret@host/db")

    assert "secret" not in str(error.value)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    """The driver's error is translated."""
    with pytest.raises(HubError) as error:
        await open_database("postgresql://nobody@127.0.0.1:1/none")

    assert error.value.reason is Reason.DATABASE_UNAVAILABLE


SAME_VERSION = question(
    "things of a version",
    select(THINGS.c.id)
    .where(THINGS.c.version == bindparam("version", type_=BigInteger))
    .order_by(THINGS.c.id.desc()),
    "version",
)


async def test_questions_asked_at_once_are_each_answered_with_their_own(
    database: Database,
) -> None:
    """More than are gathered in one statement, present and absent, in the order that was asked."""
    await put(database, *((f"{number:04}", number % 7, None) for number in range(200)))
    names = [f"{number:04}" for number in range(0, 400, 3)]

    found = await asyncio.gather(*(database.one(THING, name) for name in names))
    lists = await asyncio.gather(*(database.all(SAME_VERSION, number) for number in range(9)))

    assert found == [(int(name) % 7, None) if int(name) < 200 else None for name in names]
    assert [[row[0] for row in rows] for rows in lists] == [
        [f"{each:04}" for each in reversed(range(200)) if each % 7 == number] for number in range(9)
    ]


async def test_a_question_sees_what_was_committed_before_it_was_asked(database: Database) -> None:
    """However many others ask the same meanwhile."""
    for number in range(20):
        asking = [asyncio.create_task(database.one(THING, "n")) for _ in range(5)]
        await put(database, ("n", number, None))

        assert await database.one(THING, "n") == (number, None)
        await asyncio.gather(*asking)


async def test_whoever_stops_waiting_takes_nothing_from_the_others(database: Database) -> None:
    """A cancelled question among those that are asked at once."""
    await put(database, ("a", 1, None), ("b", 2, None))
    asking = [asyncio.create_task(database.one(THING, name)) for name in "aabb"]
    await asyncio.sleep(0)
    asking[0].cancel()

    assert await asyncio.gather(*asking[1:]) == [(1, None), (2, None), (2, None)]


async def test_a_bad_argument_fails_its_own_question_only(postgresql_url: str) -> None:
    """The server refuses a text with a zero byte; those who asked at the same time are answered."""
    database = await open_database(postgresql_url)
    await create_tables(database, (THINGS,))
    await put(database, ("a", 1, None))

    found = await asyncio.gather(
        *(database.one(THING, name) for name in ("a", "\x00", "b")), return_exceptions=True
    )
    await database.close()

    assert (found[0], found[2]) == ((1, None), None)
    assert isinstance(found[1], Exception)


async def test_many_rows_are_written_as_few_are(database: Database) -> None:
    """Bulk has a way of its own on PostgreSQL: values, nulls and refusals are the same."""
    rows = [
        (f"{number:05}", 2**62 + number, b"\x00" if number % 2 else None) for number in range(2500)
    ]

    async def insert(transaction: Transaction) -> None:
        await transaction.write(INSERT_THING, rows)

    await database.transact(insert)
    with pytest.raises(HubError) as error:
        await database.transact(insert)

    assert error.value.reason is Reason.ALREADY_EXISTS
    assert error.value.details["name"] == "test_things"
    assert await database.all(ALL) == rows
