"""Bring a database to the newest schema.

Alembic keeps the revisions and writes their text; the text runs through the same `Database` that
the hub uses, because no synchronous PostgreSQL driver is among the dependencies. So a revision
states its changes as SQL and never reads (docs/adr/0014).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from sqlalchemy import Column, MetaData, Table, Text, select

from hub.errors import HubError, Reason
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


@dataclass(frozen=True, slots=True)
class Pending:
    """What a database lacks: from which revision to which, which lie in between, as which SQL."""

    current: str
    target: str
    revisions: tuple[str, ...]
    script: str


async def pending(database: Database, to: str = "") -> Pending:
    """The revisions that `database` lacks up to `to`, the newest where it is empty; runs nothing.

    Raises HubError: DATABASE_UNAVAILABLE, SCHEMA_OTHER where this program does not know the
    database's revision, or `to`.
    """
    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["dialect"] = database.engine
    config.attributes["output"] = output
    known = ScriptDirectory.from_config(config)
    target = to or known.get_current_head() or ""
    current = await schema_version(database)
    try:
        found = known.iterate_revisions(target, current or "base")
        revisions = tuple(revision.revision for revision in found)[::-1]
    except (CommandError, RevisionError) as error:
        raise HubError(Reason.SCHEMA_OTHER, found=current or "-", expected=target) from error
    if revisions:
        command.upgrade(config, f"{current}:{target}" if current else target, sql=True)
    return Pending(current, target, revisions, output.getvalue())


async def migrate(database: Database, to: str = "") -> str:
    """Run the revisions that `database` lacks, all or none; the id of the one it then stands at.

    Doing it again does nothing. Raises HubError: DATABASE_UNAVAILABLE, SCHEMA_OTHER.
    """
    lacking = await pending(database, to)
    if lacking.revisions:
        await database.define(lacking.script)
    return lacking.target


async def schema_version(database: Database) -> str:
    """The revision at which `database` stands; empty for a new one."""
    if await database.one(_IS_NEW) is None:
        return ""
    row = await database.one(_CURRENT)
    return str(row[0]) if row else ""
