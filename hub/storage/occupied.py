"""Whether another process has the database open: asked before a hub's data is moved away."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import asyncpg

from hub.errors import HubError, Reason

_PREFIX: Final = "sqlite:///"
_TIMEOUT_S: Final = 30.0
_OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'sealway'"
)


async def check_unoccupied(url: str) -> None:
    """Raises HubError: DATABASE_IN_USE where a hub or a command has the database at `url` open.

    Call it before opening the database. It holds nothing: who starts a moment later is not seen.
    """
    if url.startswith(_PREFIX):
        occupied = _is_file_open(Path(url.removeprefix(_PREFIX)))
    else:
        occupied = await _is_server_used(url)
    if occupied:
        raise HubError(Reason.DATABASE_IN_USE)


def _is_file_open(path: Path) -> bool:
    if not path.is_file():
        return False
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout=0")
        # Every connection in WAL mode shares a lock for as long as it lives: an exclusive reader
        # comes in only where there is none.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return True
        raise HubError(Reason.DATABASE_UNAVAILABLE, rule=error.sqlite_errorname) from error
    finally:
        connection.close()
    return False


async def _is_server_used(url: str) -> bool:
    try:
        connection = await asyncpg.connect(
            url, timeout=_TIMEOUT_S, server_settings={"application_name": "sealway-asks"}
        )
        try:
            return bool(await connection.fetchval(_OTHERS))
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise HubError(Reason.DATABASE_UNAVAILABLE, rule=type(error).__name__) from error
