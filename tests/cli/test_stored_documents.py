"""`sealway db` and `sealway document` with documents on file: in a folder, and in a real S3 store
that holds the external head as well."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import io
import json
import os
import re
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub import upkeep
from hub.cli import documents as command
from hub.config import load
from hub.copies import MANIFEST
from hub.home import open_blobs
from hub.ledger.checkpoints import FileHead
from hub.proof.encoding import b64u, b64u_decode
from hub.registry.scrub import ORPHAN_HOURS_MIN
from hub.registry.v1 import registry_pb2
from hub.storage import key_files
from hub.storage.blobs import StoredBlob
from tests.cli.conftest import Sealway
from tests.minio_server import REGION, MinioServer
from tests.registry.clerk import PDF, Clerk
from tests.simulator import LICENCE, Simulator, company, copy_home, licence

COUNT = 3


@pytest.fixture(scope="module", autouse=True)
def derived_keys() -> Iterator[None]:
    """Each key file's key is derived once: every command here opens all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_files, "_cipher", functools.lru_cache(key_files._cipher))
        yield


@dataclass
class Kept:
    """A hub's home with documents on file, and the way to their bytes behind its back."""

    home: Path
    minio: MinioServer | None = None
    bucket: str = ""

    @property
    def config(self) -> Path:
        return self.home / "hub.toml"

    def blobs(self) -> list[str]:
        """The names of all stored blobs, in hexadecimal."""
        if self.minio is None:
            folder = self.home / "data" / "documents"
            return sorted(one.name for one in folder.glob("[0-9a-f][0-9a-f]/*"))
        listed = self.minio.client().list_objects(self.bucket, "documents/", recursive=True)
        return sorted(str(one.object_name).rpartition("/")[2] for one in listed)

    def overwrite(self, name: str, data: bytes) -> None:
        """Other bytes under a name."""
        if self.minio is None:
            (self.home / "data" / "documents" / name[:2] / name).write_bytes(data)
        else:
            self.minio.client().put_object(
                self.bucket, f"documents/{name[:2]}/{name}", io.BytesIO(data), len(data)
            )

    def remove(self, name: str) -> None:
        if self.minio is None:
            (self.home / "data" / "documents" / name[:2] / name).unlink()
        else:
            self.minio.client().remove_object(self.bucket, f"documents/{name[:2]}/{name}")

    def lose(self) -> None:
        """Database and documents are gone; keys and the external head are not."""
        for name in self.blobs():
            self.remove(name)
        shutil.rmtree(self.home / "data")

    def names(self) -> list[str]:
        """The resource names of the documents, in the order in which they are scanned."""
        return asyncio.run(_on_file(self.home))


async def _on_file(home: Path) -> list[str]:
    async with Simulator(home) as hub:
        clerk = Clerk(hub.system("hz-department"))
        found = [one.name for parent in await _parents(hub) for one in await clerk.listed(parent)]
        return sorted(found, key=lambda name: name.rpartition("/")[2])


async def _parents(hub: Simulator) -> list[str]:
    department = hub.system("hz-department")
    request = registry_pb2.SearchCertificatesRequest()
    request.filter.certificate_type = f"certificateTypes/{LICENCE.lower()}"
    found = await department.call(department.registry.SearchCertificates, request)
    return [one.name for one in found.certificates]


def content(number: int) -> bytes:
    """The document of certificate `number`."""
    return PDF + b"%d" % number


async def _furnish(home: Path) -> None:
    async with Simulator(home) as hub:
        await hub.connector().deliver([licence(number) for number in range(1, COUNT + 1)])
        clerk = Clerk(hub.system("hz-department"))
        for number, parent in enumerate(await _parents(hub)):
            await clerk.upload(parent, [content(number)])


async def _contents(home: Path) -> set[bytes]:
    """What the hub of a home hands out, every document."""
    async with Simulator(home) as hub:
        clerk = Clerk(hub.system("hz-department"))
        return {
            (await clerk.download(one.name))[1]
            for parent in await _parents(hub)
            for one in await clerk.listed(parent)
        }


async def _go_on(home: Path) -> None:
    async with Simulator(home) as hub:
        await hub.connector().deliver([licence(50)])
        await hub.platform().fetch(holder=company(50))


def _into_s3(home: Path, minio: MinioServer) -> str:
    """The home's external head and its documents lie in a new bucket from now on."""
    checkpoint = asyncio.run(FileHead(home / "head" / "checkpoint").read())
    assert checkpoint is not None
    bucket, data = minio.new_bucket(), checkpoint.encode()
    minio.client().put_object(bucket, "checkpoint", io.BytesIO(data), len(data))
    shutil.rmtree(home / "head")
    file = home / "hub.toml"
    text = re.sub(r'(?m)^head = ".*"$', f'head = "s3://{bucket}/checkpoint"', file.read_text())
    file.write_text(
        f'{text}\n[blobs]\nurl = "s3://{bucket}/documents"\n'
        f'[s3]\nendpoint = "{minio.endpoint}"\nregion = "{REGION}"\n'
        f'credentials_file = "{minio.credentials_file}"\n'
    )
    return bucket


@pytest.fixture(scope="module")
def furnished(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with documents in a folder; to be copied, never used."""
    home = copy_home(city, tmp_path_factory.mktemp("documents") / "home")
    asyncio.run(_furnish(home))
    return home


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, city: Path, furnished: Path, tmp_path: Path) -> Kept:
    """A home of its own for each test, on each kind of store."""
    if request.param == "folder":
        return Kept(copy_home(furnished, tmp_path / "home"))
    minio: MinioServer = request.getfixturevalue("minio")
    home = copy_home(city, tmp_path / "home")
    bucket = _into_s3(home, minio)
    asyncio.run(_furnish(home))
    return Kept(home, minio, bucket)


async def _write(home: Path, data: bytes) -> str:
    """Bytes that belong to no document; their digest."""

    async def stream() -> Iterator[bytes]:  # type: ignore[misc]
        yield data

    blobs = open_blobs(load(home / "hub.toml"))
    try:
        return await blobs.write(stream())  # type: ignore[arg-type]
    finally:
        await blobs.close()


# ---- backup and restore ----


def test_documents_come_back_with_everything_else(kept: Kept, sealway: Sealway) -> None:
    """Database and store are lost; afterwards every document is handed out as it was, the audit and
    the check are clean, and the hub goes on."""
    before = kept.blobs()
    made = sealway("db", "backup", "kept", "--config", kept.config, "--json")
    kept.lose()

    restored = sealway("db", "restore", "kept", "--config", kept.config, "--json")

    assert (made.code, restored.code) == (0, 0), made.err + restored.err
    for ran in (made, restored):
        assert ran.document["documents"]["stored"] == len(before) == COUNT
        assert ran.document["documents"]["lacking"] == []
    assert restored.document["findings"] == []
    assert kept.blobs() == before
    assert sealway("db", "fsck", "--config", kept.config).code == 0
    assert asyncio.run(_contents(kept.home)) == {content(number) for number in range(COUNT)}
    asyncio.run(_go_on(kept.home))


def test_what_the_store_lacks_is_named_and_does_not_stop_a_backup(
    kept: Kept, sealway: Sealway
) -> None:
    """One document is damaged, one is gone: exit code 1, both by name, and the third comes back."""
    damaged, gone, whole = kept.blobs()
    kept.overwrite(damaged, b"something else")
    kept.remove(gone)

    made = sealway("db", "backup", "kept", "--config", kept.config, "--json")
    kept.lose()
    restored = sealway("db", "restore", "kept", "--config", kept.config, "--json")
    told = sealway("db", "fsck", "--config", kept.config, "--json")

    assert (made.code, restored.code, told.code) == (1, 1, 1)
    lacking = {one["blob"]: one["fault"] for one in made.document["documents"]["lacking"]}
    assert lacking == {digest_of(damaged): "damaged", digest_of(gone): "missing"}
    assert restored.document["documents"] == made.document["documents"]
    assert restored.document["findings"] == []
    assert kept.blobs() == [whole]
    assert {one["key"] for one in told.document["findings"]} == {
        one["document"] for one in made.document["documents"]["lacking"]
    }


def digest_of(name: str) -> str:
    """A blob's digest, from its name in hexadecimal."""
    return b64u(bytes.fromhex(name))


@pytest.mark.parametrize("damage", ["a byte", "a file", "the list", "the columns"])
def test_a_backup_with_damaged_documents_is_refused_before_anything_is_written(
    furnished: Path, sealway: Sealway, tmp_path: Path, damage: str
) -> None:
    """Neither a row nor a document comes from a backup that is not whole."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    sealway("db", "backup", "kept", "--config", kept.config)
    kept.lose()
    stored = sorted((tmp_path / "kept" / "documents").glob("[0-9a-f][0-9a-f]/*"))
    manifest = tmp_path / "kept" / MANIFEST
    members = json.loads(manifest.read_text())
    if damage == "a byte":
        data = bytearray(stored[1].read_bytes())
        data[-1] ^= 1
        stored[1].write_bytes(data)
    elif damage == "a file":
        stored[1].unlink()
    elif damage == "the list":
        members["documents"]["lacking"] = [{"document": "x", "blob": "y", "fault": "none"}]
    else:
        (table,) = (one for one in members["tables"] if one["name"] == "registry_documents")
        table["columns"][table["columns"].index("blob")] = "other"
    manifest.write_text(json.dumps(members))

    refused = sealway("db", "restore", "kept", "--config", kept.config, "--json")

    assert refused.code == 1
    assert refused.document["error"]["reason"] == "BACKUP_INVALID"
    assert not (kept.home / "data").exists()


def test_a_backup_may_leave_documents_to_their_store(
    furnished: Path, sealway: Sealway, tmp_path: Path
) -> None:
    """It says so, as a backup of the first format does; what the store still has is served."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    made = sealway("db", "backup", "kept", "--config", kept.config, "--no-documents", "--json")
    manifest = tmp_path / "kept" / MANIFEST
    members = json.loads(manifest.read_text())
    assert members["documents"] is None and members["v"] == 2
    del members["documents"]
    manifest.write_text(json.dumps({**members, "v": 1}))
    (kept.home / "data" / "hub.db").unlink()

    restored = sealway("db", "restore", "kept", "--config", kept.config, "--json")

    assert (made.code, restored.code) == (0, 0), restored.err
    assert made.document["documents"] is None is restored.document["documents"]
    assert "Documents are not part of it" in restored.err
    assert sealway("db", "fsck", "--config", kept.config).code == 0


def test_without_the_store_there_is_no_backup_and_no_clean_check(
    kept: Kept, sealway: Sealway, tmp_path: Path
) -> None:
    """What cannot be read is neither sound nor damaged."""
    if kept.minio is None:
        shutil.rmtree(kept.home / "data" / "documents")
        (kept.home / "data" / "documents").write_text("in the way")
    else:
        kept.minio.kill()
    try:
        made = sealway("db", "backup", "kept", "--config", kept.config, "--json")
        told = sealway("db", "fsck", "--config", kept.config, "--json")
    finally:
        if kept.minio is not None:
            kept.minio.start()

    # With the head in the same store, the log is what is missed first.
    assert made.document["error"]["reason"] in ("BLOBS_UNAVAILABLE", "LOG_UNAVAILABLE")
    assert made.code == 7
    assert not (tmp_path / "kept" / MANIFEST).exists()
    assert told.code == 2
    assert [one["table"] for one in told.document["unchecked"]] == ["documents"]
    assert told.document["findings"] == []


def test_a_backup_behind_a_head_in_s3_is_refused_in_plain_words(
    city: Path, minio: MinioServer, sealway: Sealway, tmp_path: Path
) -> None:
    """As with a file: what the head says, what the backup holds; nothing written. A database that
    is put back by hand is refused as well."""
    home = copy_home(city, tmp_path / "home")
    kept = Kept(home, minio, _into_s3(home, minio))
    asyncio.run(_furnish(home))
    made = sealway("db", "backup", "kept", "--config", kept.config, "--json").document
    shutil.copytree(home / "data", tmp_path / "old")
    asyncio.run(_go_on(home))
    shutil.rmtree(home / "data")

    refused = sealway("db", "restore", "kept", "--config", kept.config, "--json")

    assert refused.code == 1
    error = refused.document["error"]
    assert error["reason"] == "BACKUP_BEHIND_HEAD"
    assert error["details"]["size"] == str(made["size"])
    assert int(error["details"]["missing"]) >= 2
    assert "Restoring it would take back" in error["en"]
    assert not (home / "data").exists()
    shutil.copytree(tmp_path / "old", home / "data")
    assert "LOG_ROLLED_BACK" in sealway("db", "backup", "other", "--config", kept.config).err


def test_a_hub_with_its_head_and_documents_in_s3_moves_to_postgresql(
    city: Path, minio: MinioServer, sealway: Sealway, postgresql_url: str, tmp_path: Path
) -> None:
    """The documents stay where they are and are handed out under the new database."""
    home = copy_home(city, tmp_path / "home")
    kept = Kept(home, minio, _into_s3(home, minio))
    asyncio.run(_furnish(home))
    before = kept.blobs()

    moved = sealway("db", "move", "--to", postgresql_url, "--config", kept.config, "--json")
    text = re.sub(r'(?m)^url = "sqlite.*"$', f'url = "{postgresql_url}"', kept.config.read_text())
    kept.config.write_text(text)

    assert moved.code == 0, moved.err
    assert kept.blobs() == before
    assert sealway("db", "fsck", "--config", kept.config).code == 0
    assert asyncio.run(_contents(home)) == {content(number) for number in range(COUNT)}

    # From PostgreSQL and a bucket back into a file and a folder.
    made = sealway("db", "backup", "kept", "--config", kept.config)
    text = re.sub(r'(?m)^url = "postgresql.*"$', 'url = "sqlite:///data/back.db"', text)
    kept.config.write_text(re.sub(r'(?m)^\[blobs\]\nurl = ".*"$', "", text))
    restored = sealway("db", "restore", "kept", "--config", kept.config)

    assert (made.code, restored.code) == (0, 0), made.err + restored.err
    assert Kept(home).blobs() == before
    assert asyncio.run(_contents(home)) == {content(number) for number in range(COUNT)}


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """Nothing can write more into any file meanwhile: a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [40_000, 200_000])
def test_a_full_disk_ends_a_backup_in_plain_words(
    furnished: Path, sealway: Sealway, tmp_path: Path, size: int
) -> None:
    """Among the tables or among the documents: the folder is named, and is no backup."""
    config, folder = copy_home(furnished, tmp_path / "home") / "hub.toml", tmp_path / "kept"

    with _files_of_at_most(size):
        made = sealway("db", "backup", folder, "--config", config, "--json")

    assert (made.code, made.document["error"]["reason"]) == (1, "BACKUP_UNWRITABLE")
    assert made.document["error"]["details"]["path"].startswith(str(folder))
    assert not (folder / MANIFEST).exists()
    assert sealway("db", "restore", folder, "--config", config).code == 1


@pytest.mark.parametrize(
    ("size", "reason"), [(200_000, "BLOBS_UNAVAILABLE"), (400_000, "DATABASE_UNAVAILABLE")]
)
def test_a_full_disk_ends_a_restore_and_with_room_the_same_restore_goes_through(
    furnished: Path, sealway: Sealway, tmp_path: Path, size: int, reason: str
) -> None:
    """Exit code 7, no row in the database; the same command again restores everything."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    folder = tmp_path / "kept"
    assert sealway("db", "backup", folder, "--config", kept.config).code == 0
    kept.lose()
    words = ("db", "restore", folder, "--config", kept.config, "--json")

    with _files_of_at_most(size):
        failed = sealway(*words)
    again = sealway(*words)

    assert (failed.code, failed.document["error"]["reason"]) == (7, reason), failed.err
    assert again.code == 0, again.err
    assert again.document["findings"] == []
    assert asyncio.run(_contents(kept.home)) == {content(number) for number in range(COUNT)}


# ---- fsck ----


def _damage(kept: Kept) -> tuple[str, str]:
    name = kept.blobs()[0]
    kept.overwrite(name, b"something else")
    return name, "other bytes"


def _lose_one(kept: Kept) -> tuple[str, str]:
    name = kept.blobs()[0]
    kept.remove(name)
    return name, "no bytes"


@pytest.mark.parametrize("harm", [_damage, _lose_one])
def test_fsck_names_a_document_whose_bytes_are_not_there(
    kept: Kept, sealway: Sealway, harm: Callable[[Kept], tuple[str, str]]
) -> None:
    """Clean before; afterwards its resource name, what is wrong, and where its bytes would lie."""
    assert sealway("db", "fsck", "--config", kept.config).code == 0
    documents = kept.names()
    name, words = harm(kept)

    told = sealway("db", "fsck", "--config", kept.config, "--json")
    tables = sealway("db", "fsck", "--config", kept.config, "--no-documents", "--json")
    shown = sealway("--lang", "zh", "db", "fsck", "--config", kept.config)

    assert (told.code, shown.code) == (1, 1)
    (finding,) = told.document["findings"]
    assert finding["table"] == "documents" and finding["key"] in documents
    assert words in finding["fault"] and f"{name[:2]}/{name}" in finding["fault"]
    assert told.document["documents"] == COUNT
    assert (tables.code, tables.document["documents"]) == (0, None)
    assert "均属文件存储" in shown.out


def test_documents_whose_table_cannot_be_read_are_not_taken_for_sound(
    furnished: Path, sealway: Sealway, tmp_path: Path
) -> None:
    """Exit code 2; nothing of the store is said to be nobody's."""
    home = copy_home(furnished, tmp_path / "home")
    with sqlite3.connect(home / "data" / "hub.db") as database:
        database.execute("DROP TABLE registry_documents")

    told = sealway("db", "fsck", "--config", home / "hub.toml", "--json")

    assert told.code == 2
    assert "documents" in {one["table"] for one in told.document["unchecked"]}
    assert told.document["findings"] == []


# ---- orphans ----


def _age(kept: Kept, digest: str, hours: float) -> None:
    """As if the blob had been written so long ago; only a folder's clock can be set."""
    name = b64u_decode(digest).hex()
    path = kept.home / "data" / "documents" / name[:2] / name
    then = path.stat().st_mtime - hours * 3600
    os.utime(path, (then, then))


def test_orphans_go_when_somebody_says_how_many_and_not_before(
    furnished: Path, sealway: Sealway, tmp_path: Path
) -> None:
    """Listed first; another number removes nothing; young ones and documents stay in any case."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    old = [asyncio.run(_write(kept.home, data)) for data in (b"one", b"two")]
    young = asyncio.run(_write(kept.home, b"three"))
    for digest in old:
        _age(kept, digest, 50)
    _age(kept, young, 20)
    words = ("document", "prune", "--config", kept.config, "--older-than-hours", "48")

    listed = sealway(*words, "--json")
    wrong = sealway(*words, "--confirm", "3", "--json")
    assert len(kept.blobs()) == COUNT + 3
    checked = sealway("db", "fsck", "--config", kept.config, "--json")
    removed = sealway(*words, "--confirm", "2", "--json")
    nothing = sealway(*words, "--json")

    assert (listed.code, wrong.code, checked.code, removed.code, nothing.code) == (0, 1, 1, 0, 0)
    assert {one["blob"] for one in listed.document["orphans"]} == set(old)
    assert listed.document["removed"] == wrong.document["removed"] == []
    assert {one["key"] for one in checked.document["findings"]} == set(old)
    assert set(removed.document["removed"]) == set(old)
    assert nothing.document["orphans"] == []
    assert len(kept.blobs()) == COUNT + 1
    assert asyncio.run(_contents(kept.home)) == {content(number) for number in range(COUNT)}


def test_orphans_younger_than_a_day_are_out_of_reach(
    furnished: Path, sealway: Sealway, tmp_path: Path
) -> None:
    """They may belong to an upload under way; the option says so itself."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    words = ("document", "prune", "--config", kept.config)

    assert command._PRUNE_HOURS_MIN == ORPHAN_HOURS_MIN == 24
    assert sealway(*words, "--older-than-hours", "23").code == 64


def test_nothing_is_pruned_beside_a_database_that_is_not_the_logs(
    furnished: Path, sealway: Sealway, tmp_path: Path
) -> None:
    """To an old database, or an empty one, every newer document would look like nobody's."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    asyncio.run(_go_on(kept.home))
    for path in (kept.home / "data").glob("hub.db*"):
        path.unlink()
    for path in (furnished / "data").glob("hub.db*"):
        shutil.copy(path, kept.home / "data")
    for name in kept.blobs():
        _age(kept, digest_of(name), 1000)
    words = ("document", "prune", "--config", kept.config, "--json")

    behind = sealway(*words)
    for path in (kept.home / "data").glob("hub.db*"):
        path.unlink()
    assert sealway("db", "migrate", "--config", kept.config).code == 0
    empty = sealway(*words)

    for refused in (behind, empty):
        assert refused.document["error"]["reason"] == "LOG_ROLLED_BACK"
    assert len(kept.blobs()) == COUNT


def test_bytes_that_a_row_names_meanwhile_are_not_removed(furnished: Path, tmp_path: Path) -> None:
    """Between listing and removing the database is asked once more."""
    kept = Kept(copy_home(furnished, tmp_path / "home"))
    digest = hashlib.sha256(b"x").digest()
    orphan = asyncio.run(_write(kept.home, b"x"))
    assert b64u(digest) == orphan
    _age(kept, orphan, 50)
    _age(kept, digest_of(kept.blobs()[0]), 50)
    listed = [StoredBlob(digest_of(name), 1, 0) for name in kept.blobs()]

    removed = asyncio.run(upkeep.remove_orphans(load(kept.config), listed, lambda *_: None))

    assert [one.digest for one in removed] == [orphan]
    assert len(kept.blobs()) == COUNT
