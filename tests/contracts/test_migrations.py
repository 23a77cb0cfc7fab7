"""The migrations, on real SQLite and real PostgreSQL."""

from __future__ import annotations

from hub.migrations.migrate import migrate, schema_version
from hub.migrations.tables import METADATA
from hub.storage.database import open_database
from hub.storage.statements import question


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
