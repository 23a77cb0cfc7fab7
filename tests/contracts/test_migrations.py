"""The migrations, on real SQLite and real PostgreSQL."""

from __future__ import annotations

from hub.migrations.migrate import migrate, schema_version
from hub.migrations.tables import METADATA
from hub.registry.store import CERTIFICATES, INSERT_CERTIFICATE
from hub.storage.database import Transaction, open_database
from hub.storage.statements import Row, Statement, question


async def test_a_new_database_gets_every_table_and_the_second_run_does_nothing(
    empty_database_url: str,
) -> None:
    """Each table can be asked for all of its columns."""
    database = await open_database(empty_database_url)
    assert await schema_version(database) == ""

    newest = await migrate(database)

    assert await migrate(database) == newest == await schema_version(database)
    for table in METADATA.sorted_tables:
        assert await database.all(question(table.name, table.select())) == []
    await database.close()


async def test_certificates_keep_their_rows_when_they_move_into_partitions(
    empty_database_url: str,
) -> None:
    """Every row of before is there after, in as many partitions as there are on PostgreSQL; and by
    its id only one of them is searched."""
    database = await open_database(empty_database_url)
    await migrate(database, "0014")
    rows: list[Row] = [
        (f"{id:032x}", "a", "T", str(id), str(id), None, "S", "v", b"[]", "k", "certificate")
        for id in range(200)
    ]

    async def fill(transaction: Transaction) -> None:
        await transaction.write(INSERT_CERTIFICATE, rows)

    await database.transact(fill)
    await migrate(database)

    asked = question("all", CERTIFICATES.select().order_by(CERTIFICATES.c.id))
    assert await database.all(asked) == rows
    if database.engine == "postgresql":
        placed = Statement(
            "partitions", "", "SELECT DISTINCT tableoid::regclass::text FROM registry_certificates"
        )
        assert len(await database.all(placed)) == 8
        asked_by_id = "EXPLAIN SELECT * FROM registry_certificates WHERE id = 'x'"
        plan = [
            row async for page in database.scan(Statement("plan", "", asked_by_id)) for row in page
        ]
        assert sum("registry_certificates_" in str(line[0]) for line in plan) == 1
    await database.close()
