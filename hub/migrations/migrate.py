"""Bring a database to the newest schema.

Alembic keeps the revisions and writes their text; the text runs through the same `Database` that
the hub uses, because no synchronous PostgreSQL driver is among the dependencies. So a revision
states its changes as SQL and never reads (docs/adr/0014).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, Table, Text, select

from hub.storage.database import Database
from hub.storage.statements import Statement, question

_FOLDER: Final = Path(__file__).resolve().parent
_VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", Text))
_CURRENT: Final = question("schema_version", select(_VERSION.c.version_num))
_IS_NEW: Final = Statement(
    "schema_is_new",
    "SELECT name FROM sqlite_schema WHERE name = 'alembic_version'",
    "SELECT table_name::text FROM information_schema.tables"
    " WHERE table_schema = current_schema() AND table_name = 'alembic_version'",
)


async def migrate(database: Database) -> str:
    """Run the revisions that `database` lacks, all or none; the newest revision's id.

    Doing it again does nothing. Raises HubError(DATABASE_UNAVAILABLE).
    """
    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["dialect"] = database.engine
    config.attributes["output"] = output
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    current = await schema_version(database)
    if current == newest:
        return newest
    command.upgrade(config, f"{current}:{newest}" if current else newest, sql=True)
    await database.define(output.getvalue())
    return newest


async def schema_version(database: Database) -> str:
    """The revision at which `database` stands; empty for a new one."""
    if await database.one(_IS_NEW) is None:
        return ""
    row = await database.one(_CURRENT)
    return str(row[0]) if row else ""
