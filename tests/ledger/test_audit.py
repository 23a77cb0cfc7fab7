"""The audit names what was changed, removed or added without an entry."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hub.domain.entry import Entry
from hub.ledger.audit import EXTERNAL_HEAD
from hub.ledger.checkpoints import FileHead
from hub.storage.database import open_database
from tests.ledger.audits import audited
from tests.ledger.logs import KEY, Log, entry, new_log, put_thing, remember

ENTRIES = 600


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of some 600 entries, closed: two full tiles, rows written once and twice."""
    path = tmp_path_factory.mktemp("log")
    log = await new_log(f"sqlite:///{path}/hub.db", path)
    recorder = await log.started()
    import asyncio

    async def one(number: int) -> None:
        of: Entry = entry(number)
        await recorder.record(of, [put_thing(f"t{number}", 1)], [], remember=remember(of))

    await asyncio.gather(*(one(number) for number in range(ENTRIES)))
    await recorder.record(entry(), [put_thing("t5", 2, b"newer")], [])
    await recorder.close()
    await log.database.close()
    return path


async def faults(folder: Path, tmp_path: Path, *changes: str) -> set[tuple[str, str]]:
    """(table, key) of each finding after `changes` to a copy of the log."""
    with sqlite3.connect(folder / "hub.db") as source:
        copy = sqlite3.connect(tmp_path / "hub.db")
        source.backup(copy)
    for change in changes:
        assert copy.execute(change).rowcount == 1
    copy.commit()
    copy.close()
    (tmp_path / "checkpoint").write_bytes((folder / "head" / "checkpoint").read_bytes())
    database = await open_database(f"sqlite:///{tmp_path}/hub.db")
    report = await audited(Log(database, FileHead(tmp_path / "checkpoint")))
    await database.close()
    assert report.is_clean == (not report.findings)
    return {(finding.table, finding.key) for finding in report.findings}


def flipped(column: str, table: str, where: str) -> str:
    """SQL that changes the last byte of a column of bytes."""
    changed = f"CASE substr({column}, -1) WHEN x'00' THEN x'01' ELSE x'00' END"
    cut = f"substr({column}, 1, length({column}) - 1)"
    return f"UPDATE {table} SET {column} = CAST({cut} || {changed} AS BLOB) WHERE {where}"


async def test_an_untouched_log_is_clean(folder: Path, tmp_path: Path) -> None:
    """Nothing is found where nothing was changed."""
    assert await faults(folder, tmp_path) == set()


@pytest.mark.parametrize(
    ("change", "table", "key"),
    [
        (flipped("sealed", "ledger_entries", "number = 300"), "ledger_entries", "300"),
        (flipped("commitment", "ledger_entries", "number = 300"), "ledger_entries", "300"),
        (flipped("hashes", "ledger_tiles", "level = 0 AND number = 1"), "ledger_tiles", "0/1"),
        ("DELETE FROM ledger_tiles WHERE level = 0 AND number = 0", "ledger_tiles", "0/0"),
        ("UPDATE test_things SET version = 3 WHERE id = 't7'", "test_things", "t7"),
        ("UPDATE test_things SET content = x'' WHERE id = 't7'", "test_things", "t7"),
        ("UPDATE test_things SET version = 1, content = NULL WHERE id = 't5'", "test_things", "t5"),
        ("DELETE FROM test_things WHERE id = 't9'", "test_things", "t9"),
        ("INSERT INTO test_things VALUES ('new', 1, NULL)", "test_things", "new"),
        ("UPDATE storage_data_keys SET kek_id = 'x'", "storage_data_keys", "evidence"),
        (
            "UPDATE ledger_requests SET answer = x'01' WHERE entry = 44",
            "ledger_requests",
            "systems%2Ftester",
        ),
        (flipped("root", "ledger_head", "id = 1"), "ledger_head", "1"),
    ],
)
async def test_each_changed_byte_is_named(
    folder: Path, tmp_path: Path, change: str, table: str, key: str
) -> None:
    """Bodies and salts are sealed together, so a byte of either is a byte of `sealed`."""
    found = await faults(folder, tmp_path, change)

    assert found
    assert all(name == table and text.startswith(key) for name, text in found)


async def test_a_changed_list_of_written_rows_is_named(folder: Path, tmp_path: Path) -> None:
    """Rewriting row and digest together is not enough: the body holds the digest of the list."""
    change = "UPDATE ledger_entries SET writes = CAST('[]' AS BLOB) WHERE number = 300"

    found = await faults(folder, tmp_path, change)

    assert ("ledger_entries", "300") in found


async def test_a_changed_root_of_an_epoch_is_named(folder: Path, tmp_path: Path) -> None:
    """Receipts are made against the roots of epochs."""
    with sqlite3.connect(folder / "hub.db") as source:
        size = source.execute("SELECT min(size) FROM ledger_epochs WHERE size > 256").fetchone()[0]

    found = await faults(folder, tmp_path, flipped("root", "ledger_epochs", f"size = {size}"))

    assert found == {("ledger_epochs", str(size))}


async def test_a_removed_entry_is_named(folder: Path, tmp_path: Path) -> None:
    """A gap is seen, and the head no longer fits."""
    found = await faults(folder, tmp_path, "DELETE FROM ledger_entries WHERE number = 300")

    assert ("ledger_entries", "300") in found


async def test_a_log_that_lost_its_end_is_named_by_the_external_head(
    folder: Path, tmp_path: Path
) -> None:
    """The head outside says more than the database has."""
    with sqlite3.connect(folder / "hub.db") as source:
        last = source.execute("SELECT max(number) FROM ledger_entries").fetchone()[0]
        root = source.execute("SELECT root FROM ledger_epochs WHERE size = ?", (last,)).fetchone()[
            0
        ]

    found = await faults(
        folder,
        tmp_path,
        f"DELETE FROM ledger_entries WHERE number = {last}",
        f"DELETE FROM ledger_epochs WHERE size = {last + 1}",
        f"UPDATE ledger_head SET size = {last}, root = x'{root.hex()}'",
    )

    assert (EXTERNAL_HEAD, str(last + 1)) in found


async def test_a_changed_external_head_is_named(folder: Path, tmp_path: Path) -> None:
    """A head that does not verify, and one of another root."""
    database = await open_database(f"sqlite:///{folder}/hub.db")
    path = tmp_path / "checkpoint"
    head = FileHead(path)
    note = await FileHead(folder / "head" / "checkpoint").read()
    assert note is not None
    size = KEY.verify(note).size

    for forged in (note.replace(f"\n{size}\n", f"\n{size + 1}\n"), KEY.sign(size, bytes(32))):
        path.unlink(missing_ok=True)
        await head.create(forged)
        report = await audited(Log(database, head))
        assert {finding.table for finding in report.findings} == {EXTERNAL_HEAD}

    await database.close()


async def test_a_destroyed_evidence_key_is_erasure_and_not_alteration(
    folder: Path, tmp_path: Path
) -> None:
    """The leaves stand; what was said is gone, and the loss of the key row itself is named."""
    found = await faults(folder, tmp_path, "UPDATE storage_data_keys SET wrapped = x''")

    assert {table for table, _ in found} == {"storage_data_keys"}
