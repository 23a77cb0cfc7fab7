"""Every question and every way to write is understood by both engines, asked or not."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import asyncpg
import pytest

import hub
from hub.storage.statements import Statement, WriteStatement


def statements() -> list[Statement | WriteStatement]:
    """All that stand in modules of the hub under a name of their own."""
    found: list[Statement | WriteStatement] = []
    for module in pkgutil.walk_packages(hub.__path__, "hub."):
        if module.name.rpartition(".")[2].endswith("store") or ".ledger." in module.name:
            named = vars(importlib.import_module(module.name)).values()
            found += [one for one in named if isinstance(one, Statement | WriteStatement)]
    return list(dict.fromkeys(found))


def test_there_are_many() -> None:
    """The walk finds the stores of all components."""
    assert len(statements()) > 200


async def test_postgresql_prepares_each(postgresql_schema: str) -> None:
    connection = await asyncpg.connect(postgresql_schema)
    wrong = []
    try:
        for one in statements():
            try:
                await connection.prepare(one.postgresql)
            except asyncpg.PostgresError as error:
                wrong.append((one, error))
    finally:
        await connection.close()

    assert wrong == []


@pytest.mark.usefixtures("sqlite_schema")
def test_sqlite_prepares_each(sqlite_schema: Path) -> None:
    import sqlite3

    wrong = []
    with sqlite3.connect(sqlite_schema) as connection:
        for one in statements():
            try:
                connection.execute(f"EXPLAIN {one.sqlite}", [None] * one.sqlite.count("?"))
            except sqlite3.Error as error:
                wrong.append((one, error))

    assert wrong == []
