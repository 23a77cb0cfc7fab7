"""`sealway db`, on a real home with certificates, from engine to engine and back."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from hub import copies
from hub.config import Config, load
from hub.copies import MANIFEST
from hub.errors import HubError
from hub.ledger.audit import AuditReport
from hub.ledger.checkpoints import FileHead
from hub.migrations.tables import METADATA
from hub.proof.log.row import row_digest
from hub.storage.copies import RowSum
from hub.storage.database import open_database
from hub.storage.statements import question
from tests.cli.conftest import Sealway
from tests.simulator import Simulator, company, copy_home, licence, permit

NUMBERS = range(1, 8)


@pytest.fixture(scope="module")
def delivered(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with certificates of companies and persons; to be copied, never used."""
    home = copy_home(city, tmp_path_factory.mktemp("delivered") / "home")
    asyncio.run(_deliver(home, *NUMBERS))
    return home


@pytest.fixture
def home(delivered: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return copy_home(delivered, tmp_path / "home")


async def _deliver(home: Path, *numbers: int) -> None:
    async with Simulator(home) as hub:
        await hub.connector().deliver([licence(number) for number in numbers])
        await hub.connector().deliver([permit(number) for number in numbers])
        await hub.platform().fetch(holder=company(numbers[0]))


def configured(home: Path, url: str) -> Path:
    """The home's configuration for the database at `url`."""
    file = home / "hub.toml"
    file.write_text(re.sub(r'(?m)^url = ".*"$', f'url = "{url}"', file.read_text()))
    return file


def sums(url: str) -> dict[str, tuple[int, str]]:
    """Number and digest of the rows of every table, read without the code under test."""

    async def read() -> dict[str, tuple[int, str]]:
        database, found = await open_database(url), {}
        for table in METADATA.sorted_tables:
            total = RowSum()
            async for rows in database.scan(question(table.name, table.select())):
                for row in rows:
                    total.add(row_digest(row))
            found[table.name] = (total.rows, total.text())
        await database.close()
        return found

    return asyncio.run(read())


def change(home: Path, statement: str) -> None:
    """Run SQL on the home's SQLite file, as who edits it by hand."""
    with sqlite3.connect(home / "data" / "hub.db") as connection:
        connection.execute(statement)
    connection.close()


# ---- backup and restore ----


def test_a_backup_comes_back_as_it_was_and_the_hub_goes_on(
    home: Path, sealway: Sealway, tmp_path: Path
) -> None:
    """Every row of every table, clean under the audit; the next batch and fetch are served."""
    config, before = home / "hub.toml", sums(f"sqlite:///{home}/data/hub.db")
    made = sealway("db", "backup", "kept", "--config", config, "--json")
    shutil.rmtree(home / "data")

    restored = sealway("db", "restore", "kept", "--config", config, "--json")

    assert (made.code, restored.code) == (0, 0), made.err + restored.err
    assert restored.document["findings"] == []
    assert restored.document["rows"] == sum(rows for rows, _ in before.values())
    assert sums(f"sqlite:///{home}/data/hub.db") == before
    assert sealway("db", "fsck", "--config", config).code == 0
    assert sealway("log", "audit", "--config", config).code == 0
    asyncio.run(_deliver(home, 100))
    for path in [tmp_path / "kept", *(tmp_path / "kept").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0


def test_no_key_is_in_a_backup(home: Path, sealway: Sealway, tmp_path: Path) -> None:
    """Nothing of the files in keys/, nor a holder's number."""
    sealway("db", "backup", "kept", "--config", home / "hub.toml")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "kept").iterdir())

    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        MANIFEST,
        *(f"{table}.rows" for table in METADATA.tables),
    }
    assert (home / "keys" / "passphrase").read_bytes().strip() not in kept
    for key in (home / "keys").rglob("*.key"):
        assert key.read_bytes()[60:92] not in kept


async def test_a_backup_while_the_hub_records_is_of_one_moment(home: Path, tmp_path: Path) -> None:
    """Batches go on during the backup; what is restored elsewhere audits clean."""
    stopped = asyncio.Event()
    async with Simulator(home) as hub:

        async def deliver_on() -> int:
            number = 1000
            while not stopped.is_set():
                await hub.connector().deliver([licence(number)])
                number += 1
            return number - 1000

        delivering = asyncio.create_task(deliver_on())
        await asyncio.sleep(0.2)
        head = (home / "head" / "checkpoint").read_bytes()
        made = await copies.backup(load(home / "hub.toml"), tmp_path / "kept", lambda *_: None)
        size = hub.hub.recorder.head().size
        await asyncio.sleep(0.2)
        stopped.set()
        assert await delivering > 3

    elsewhere = copy_home(home, tmp_path / "elsewhere")
    shutil.rmtree(elsewhere / "data")
    (elsewhere / "head" / "checkpoint").write_bytes(head)
    report = AuditReport()
    await copies.restore(
        load(elsewhere / "hub.toml"),
        tmp_path / "kept",
        report,
        lambda *_: None,
        head_is_lost=False,
    )
    assert report.findings == []
    assert report.size == made.size <= size


def test_a_backup_behind_the_external_head_is_refused_in_plain_words(
    home: Path, sealway: Sealway
) -> None:
    """What the head says, what the backup holds, how much would be taken back; nothing written."""
    config = home / "hub.toml"
    made = sealway("db", "backup", "kept", "--config", config, "--json").document
    asyncio.run(_deliver(home, 50))
    size = load_head(home)
    shutil.rmtree(home / "data")

    refused = sealway("db", "restore", "kept", "--config", config, "--json")
    with_flag = sealway("db", "restore", "kept", "--config", config, "--head-lost")
    in_chinese = sealway("--lang", "zh", "db", "restore", "kept", "--config", config)

    assert refused.code == with_flag.code == in_chinese.code == 1
    error = refused.document["error"]
    assert error["reason"] == "BACKUP_BEHIND_HEAD"
    assert error["details"]["head"] == str(size)
    assert error["details"]["size"] == str(made["size"])
    assert error["details"]["missing"] == str(size - made["size"])
    assert f"this log has {size} entries" in with_flag.err.replace("\n", " ")
    assert "never put an older head" in with_flag.err.replace("\n", " ")
    assert f"本日志有 {size} 个条目" in in_chinese.err
    assert not (home / "data").exists()


def load_head(home: Path) -> int:
    """How many entries the external head covers."""
    note = asyncio.run(FileHead(home / "head" / "checkpoint").read())
    assert note is not None
    return int(note.splitlines()[1])


def test_a_lost_head_is_begun_anew_only_when_that_is_said(home: Path, sealway: Sealway) -> None:
    """Without the flag the restore is refused before it writes."""
    config = home / "hub.toml"
    sealway("db", "backup", "kept", "--config", config)
    shutil.rmtree(home / "data")
    size = load_head(home)
    shutil.rmtree(home / "head")

    refused = sealway("db", "restore", "kept", "--config", config, "--json")
    assert not (home / "data").exists()
    restored = sealway("db", "restore", "kept", "--config", config, "--head-lost")

    assert refused.document["error"]["reason"] == "LOG_HEAD_MISSING"
    assert restored.code == 0, restored.err
    assert load_head(home) == size
    asyncio.run(_deliver(home, 60))


def test_a_backup_is_never_put_over_data(home: Path, sealway: Sealway) -> None:
    """The database that is there stays as it is."""
    config = home / "hub.toml"
    sealway("db", "backup", "kept", "--config", config)
    before = sums(f"sqlite:///{home}/data/hub.db")

    refused = sealway("db", "restore", "kept", "--config", config, "--json")

    assert refused.code == 1
    assert refused.document["error"]["reason"] == "DATABASE_NOT_EMPTY"
    assert sums(f"sqlite:///{home}/data/hub.db") == before


def test_a_backup_goes_into_a_new_folder_only(home: Path, sealway: Sealway) -> None:
    """An earlier backup cannot be damaged by a later one."""
    sealway("db", "backup", "kept", "--config", home / "hub.toml")

    assert sealway("db", "backup", "kept", "--config", home / "hub.toml").code == 64


@pytest.mark.parametrize(
    "damage",
    ["a byte", "the end", "a file", "the manifest", "a table name", "another row", "no manifest"],
)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    home: Path, sealway: Sealway, tmp_path: Path, damage: str
) -> None:
    """Whatever was changed, the file is named."""
    config, kept = home / "hub.toml", tmp_path / "kept"
    sealway("db", "backup", "kept", "--config", config)
    shutil.rmtree(home / "data")
    rows, manifest = kept / "registry_versions.rows", kept / MANIFEST
    data = bytearray(rows.read_bytes())
    members = json.loads(manifest.read_text())
    named = "registry_versions.rows"
    if damage == "a byte":
        data[len(data) // 2] ^= 1
        rows.write_bytes(data)
    elif damage == "the end":
        rows.write_bytes(data[:-1])
    elif damage == "a file":
        rows.unlink()
    elif damage == "the manifest":
        members["size"] += 1
        manifest.write_text(json.dumps(members))
        named = "kept"
    elif damage == "a table name":
        members["tables"][0]["name"] = "registry_types; DROP TABLE registry_types"
        manifest.write_text(json.dumps(members))
        named = MANIFEST
    elif damage == "another row":
        rows.write_bytes(data + data[: 4 + int.from_bytes(data[:4], "big")])
    else:
        manifest.unlink()
        named = MANIFEST

    refused = sealway("db", "restore", "kept", "--config", config, "--json")

    assert refused.code == 1
    error = refused.document["error"]
    assert error["reason"] == "BACKUP_INVALID"
    assert error["details"]["path"].endswith(named)
    assert not (home / "data").exists()


def test_a_forged_row_whose_sums_were_made_to_fit_is_named_by_the_audit(
    home: Path, sealway: Sealway
) -> None:
    """The manifest is not what a backup is believed by: the log is."""
    config = home / "hub.toml"
    change(home, "UPDATE registry_versions SET valid_until = '2099-12-31'")
    sealway("db", "backup", "kept", "--config", config)
    shutil.rmtree(home / "data")

    restored = sealway("db", "restore", "kept", "--config", config, "--json")

    assert restored.code == 1
    assert {item["table"] for item in restored.document["findings"]} == {"registry_versions"}


def test_a_shortened_log_is_not_backed_up(home: Path, sealway: Sealway, tmp_path: Path) -> None:
    """A database behind its external head gives no backup that looks like one."""
    change(home, "DELETE FROM ledger_entries WHERE number > 3")

    refused = sealway("db", "backup", "kept", "--config", home / "hub.toml", "--json")

    assert refused.document["error"]["reason"] == "DIGEST_MISMATCH"
    assert not (tmp_path / "kept" / MANIFEST).exists()


# ---- move ----


def test_a_hub_moves_to_postgresql_and_back(
    home: Path, sealway: Sealway, postgresql_url: str, tmp_path: Path
) -> None:
    """Same rows on both; a hub goes on with either; the files in between are gone."""
    config, url = home / "hub.toml", f"sqlite:///{home}/data/hub.db"

    moved = sealway("db", "move", "--to", postgresql_url, "--config", config, "--json")

    assert moved.code == 0, moved.err
    assert moved.document["findings"] == []
    assert sums(postgresql_url) == sums(url)
    assert list(home.glob(".move-*")) == []
    configured(home, postgresql_url)
    asyncio.run(_deliver(home, 70))
    assert sealway("db", "fsck", "--config", config).code == 0
    sealway("db", "backup", "kept", "--config", config)

    back = f"sqlite:///{tmp_path}/back.db"
    returned = sealway("db", "move", "--to", back, "--config", config)

    assert returned.code == 0, returned.err
    assert sums(back) == sums(postgresql_url)
    configured(home, back)
    asyncio.run(_deliver(home, 80))


def test_a_move_into_a_database_with_data_is_refused(
    home: Path, sealway: Sealway, postgresql_url: str
) -> None:
    """The second move finds what the first one wrote."""
    config = home / "hub.toml"
    assert sealway("db", "move", "--to", postgresql_url, "--config", config).code == 0
    before = sums(postgresql_url)

    refused = sealway("db", "move", "--to", postgresql_url, "--config", config, "--json")

    assert refused.document["error"]["reason"] == "DATABASE_NOT_EMPTY"
    assert sums(postgresql_url) == before


async def test_a_move_away_from_a_running_hub_is_refused(
    home: Path, tmp_path: Path, postgresql_url: str
) -> None:
    """On either engine: nothing is made at the target, and once the hub has stopped it goes."""
    sqlite = load(home / "hub.toml")
    await _move_when_stopped(home, sqlite, postgresql_url)
    postgresql = load(configured(home, postgresql_url))
    await _move_when_stopped(home, postgresql, f"sqlite:///{tmp_path}/target.db")


async def _move_when_stopped(home: Path, config: Config, url: str) -> None:
    async with Simulator(home):
        with pytest.raises(HubError, match="another process"):
            await copies.move(config, url, AuditReport(), lambda *_: None)
    await copies.move(config, url, AuditReport(), lambda *_: None)


# ---- schema ----


def test_migrate_shows_then_does_then_has_nothing_to_do(home: Path, sealway: Sealway) -> None:
    """The dry run prints the statements and makes no table."""
    config = configured(home, "sqlite:///data/other.db")

    dry = sealway("db", "migrate", "--config", config, "--dry-run", "--json")
    again = sealway("db", "migrate", "--config", config, "--dry-run")
    done = sealway("db", "migrate", "--config", config, "--json")
    nothing = sealway("db", "migrate", "--config", config, "--json")

    assert "CREATE TABLE registry_versions" in dry.document["script"]
    assert "CREATE TABLE registry_versions" in again.out
    assert dry.document["revisions"] == done.document["revisions"] != []
    assert dry.document["current"] == done.document["current"] == ""
    assert nothing.document["revisions"] == []
    assert nothing.document["current"] == done.document["target"]


def test_a_database_of_a_newer_program_is_refused(home: Path, sealway: Sealway) -> None:
    """Nobody guesses what a later release made of the tables."""
    change(home, "UPDATE alembic_version SET version_num = '9999'")

    for words in (("migrate",), ("fsck",), ("backup", "kept")):
        refused = sealway("db", *words, "--config", home / "hub.toml", "--json")
        assert refused.document["error"]["reason"] == "SCHEMA_OTHER"


# ---- fsck ----

BROKEN = {
    "a version without its certificate": (
        "DELETE FROM registry_certificates WHERE id = (SELECT min(certificate_id)"
        " FROM registry_versions)",
        {"registry_versions", "registry_holders"},
    ),
    "a certificate without its version": (
        "UPDATE registry_certificates SET current_version_id = 'gone'"
        " WHERE id = (SELECT min(id) FROM registry_certificates)",
        {"registry_certificates"},
    ),
    "a holder that no index names": (
        "DELETE FROM registry_holders WHERE certificate_id = (SELECT min(id)"
        " FROM registry_certificates)",
        {"registry_certificates"},
    ),
    "a seal without its version": (
        "UPDATE seal_signatures SET version_id = 'gone' WHERE version_id = (SELECT min(id)"
        " FROM registry_versions)",
        {"seal_signatures", "registry_versions"},
    ),
    "a data key that is gone": (
        "DELETE FROM storage_data_keys WHERE id LIKE 'evidence:%'",
        {"ledger_entries"},
    ),
    "a place given out twice": (
        "UPDATE registry_versions SET status_place = (SELECT max(status_place)"
        " FROM registry_versions)",
        {"registry_versions"},
    ),
    "an entry of the future": (
        "UPDATE registry_versions SET state_entry = 999999 WHERE id = (SELECT min(id)"
        " FROM registry_versions)",
        {"registry_versions"},
    ),
}


@pytest.fixture(scope="module")
def moved(
    delivered: Path, postgresql_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The home with certificates, moved to the database `moved`; both are to be copied."""
    home = copy_home(delivered, tmp_path_factory.mktemp("moved") / "home")
    asyncio.run(_execute(postgresql_server, "CREATE DATABASE moved"))
    url = postgresql_server.rsplit("/", 1)[0] + "/moved"
    asyncio.run(copies.move(load(home / "hub.toml"), url, AuditReport(), lambda *_: None))
    configured(home, url)
    return home


@dataclass(frozen=True)
class Kept:
    """A home of a test's own, and its database as who edits it by hand has it."""

    config: Path
    change: Callable[[str], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, delivered: Path, tmp_path: Path) -> Iterator[Kept]:
    """With certificates, on each engine in turn."""
    if request.param == "sqlite":
        home = copy_home(delivered, tmp_path / "home")
        yield Kept(home / "hub.toml", lambda statement: change(home, statement))
        return
    home = copy_home(request.getfixturevalue("moved"), tmp_path / "home")
    server = request.getfixturevalue("postgresql_server")
    asyncio.run(_execute(server, "CREATE DATABASE kept TEMPLATE moved"))
    url = server.rsplit("/", 1)[0] + "/kept"
    yield Kept(configured(home, url), lambda statement: asyncio.run(_execute(url, statement)))
    asyncio.run(_execute(server, "DROP DATABASE kept WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("fault", list(BROKEN))
def test_fsck_names_the_table_of_what_does_not_fit(
    kept: Kept, sealway: Sealway, fault: str
) -> None:
    """Clean before, a finding with table and key after, on both engines."""
    statement, tables = BROKEN[fault]
    assert sealway("db", "fsck", "--config", kept.config).code == 0
    kept.change(statement)

    found = sealway("db", "fsck", "--config", kept.config, "--json")

    assert found.code == 1
    assert {item["table"] for item in found.document["findings"]} == tables
    assert all(item["key"] for item in found.document["findings"])
    assert found.document["unchecked"] == []


UNREADABLE = {"sqlite": "CAST('[' AS BLOB)", "postgresql": "'['"}


def test_what_fsck_cannot_check_is_not_clean(
    kept: Kept, sealway: Sealway, request: pytest.FixtureRequest
) -> None:
    """A list that is no JSON: exit code 2, the rest is checked all the same."""
    engine = request.node.callspec.params["kept"]
    kept.change(f"UPDATE registry_certificates SET holder_indexes = {UNREADABLE[engine]}")

    found = sealway("db", "fsck", "--config", kept.config, "--json")

    assert found.code == 2
    assert [item["table"] for item in found.document["unchecked"]] == ["registry_certificates"]
    assert found.document["findings"] == []
