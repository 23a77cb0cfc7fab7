"""Whole copies of a hub's data: backup, restore and move, each checked against the log.

A copy holds every table, the log included, and is bound to the log: its entries come to the root
of the external head, and the entries name every other row by its digest. A backup holds the bytes
of the documents as well, each under the digest that its row names. Keys are never part of it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub.clock import now_us
from hub.config import Config
from hub.document_copies import (
    CopiedDocuments,
    check_documents,
    copy_documents_in,
    copy_documents_out,
)
from hub.errors import HubError, Reason
from hub.home import HubKeys, open_blobs, open_head, open_keys
from hub.ledger.audit import AuditReport, audit
from hub.ledger.copied import CopiedLog
from hub.ledger.ports import ExternalHead
from hub.ledger.store import ENTRIES, LAST_EPOCH, READ_HEAD, decode_head
from hub.migrations.migrate import migrate, pending, schema_version
from hub.migrations.tables import METADATA
from hub.proof.encoding import b64u
from hub.proof.log.merkle import EMPTY_ROOT
from hub.proof.log.receipt import LogTrust
from hub.storage.copies import (
    Progress,
    TableFile,
    check_files,
    check_rows,
    copy_in,
    copy_out,
    is_empty,
)
from hub.storage.database import Database, Snapshot, open_database
from hub.storage.encryption import DataKeys
from hub.storage.occupied import check_unoccupied
from hub.storage.statements import integer

MANIFEST: Final = "manifest.json"
VERSION: Final = 2
# Version 1 says nothing of documents: they were left to means of the store's own.
_VERSIONS: Final = (1, VERSION)
_MANIFEST_BYTES_MAX: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy holds. `head` is the external head of the time, `size` and `root` the log's;
    without `documents` their bytes are not part of it."""

    origin: str
    schema: str
    create_time: str
    last_time: str
    head: str
    size: int
    root: str
    tables: tuple[TableFile, ...]
    documents: CopiedDocuments | None = None

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def bytes(self) -> int:
        """Bytes of all tables' files."""
        return sum(table.bytes for table in self.tables)

    def text(self) -> str:
        """The manifest as its file."""
        members = {
            "v": VERSION,
            "origin": self.origin,
            "schema": self.schema,
            "create_time": self.create_time,
            "last_time": self.last_time,
            "head": self.head,
            "size": self.size,
            "root": self.root,
            "tables": [table.members() for table in self.tables],
            "documents": self.documents.members() if self.documents is not None else None,
        }
        return json.dumps(members, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class _Log:
    """Whose log a copy belongs to, and the external head that it must continue."""

    keys: HubKeys
    head: str

    def copied(self) -> CopiedLog:
        """What watches the entries of a copy. Raises HubError(LOG_HEAD_INVALID)."""
        return CopiedLog(self.keys.log.verify(self.head))


async def backup(
    config: Config, folder: Path, progress: Progress, *, with_documents: bool = True
) -> Manifest:
    """Copy the data as they are at one moment into the new folder; a hub may run meanwhile.

    Documents follow their table: bytes never change under their name, and those that a row names
    stay. The manifest comes last: a folder without one is no backup. Raises HubError:
    LOG_HEAD_MISSING, LOG_ROLLED_BACK and DIGEST_MISMATCH where the database is not what the
    external head covers, SCHEMA_OTHER, BLOBS_UNAVAILABLE, BACKUP_UNWRITABLE.
    """
    # Before the snapshot, which therefore holds everything that this head covers.
    log = _Log(open_keys(config), await _head_of(open_head(config)))
    database = await open_database(config.database_url)
    try:
        manifest = await _copy_tables(database, log, folder, progress)
    finally:
        await database.close()
    if with_documents:
        store = open_blobs(config)
        try:
            documents = await copy_documents_out(store, folder, manifest.tables, progress)
        finally:
            await store.close()
        manifest = replace(manifest, documents=documents)
    with _writing(folder):
        _write_durably(folder, manifest.text())
    return manifest


async def restore(
    config: Config, folder: Path, report: AuditReport, progress: Progress, *, head_is_lost: bool
) -> Manifest:
    """Put the backup in `folder` into the configured, empty database and the store of documents,
    and audit it there.

    The backup is read and checked whole before anything is written; then documents, then all rows
    in one transaction. `head_is_lost` begins the external head anew where there is none. Raises
    HubError: BACKUP_INVALID, BACKUP_BEHIND_HEAD, LOG_ROLLED_BACK, LOG_HEAD_MISSING,
    DATABASE_NOT_EMPTY, SCHEMA_OTHER, DIGEST_MISMATCH, BLOBS_UNAVAILABLE.
    """
    keys, manifest = open_keys(config), _read_manifest(folder)
    if manifest.origin != config.hub.origin:
        raise _invalid(folder, f"it is of the hub {manifest.origin}")
    external = open_head(config)
    if head_is_lost and await external.read() is None:
        head = manifest.head
    else:
        head_is_lost = False
        head = await _head_of(external)
    log = _Log(keys, head)
    copied = log.copied()
    check_files(folder, manifest.tables, progress, {ENTRIES.name: copied.watch})
    if (copied.size, copied.root()) != (manifest.size, manifest.root):
        raise _invalid(folder, "its entries are not the log of its manifest")
    copied.check_head(manifest.last_time)
    documents = manifest.documents
    if documents is not None:
        await check_documents(folder, manifest.tables, documents, progress)
    database = await open_database(config.database_url)
    try:
        await _check_empty(database, manifest.schema)
        if documents is not None:
            store = open_blobs(config)
            try:
                await copy_documents_in(store, folder, manifest.tables, documents, progress)
            finally:
                await store.close()
        await _load_copy(database, folder, manifest, progress)
        if head_is_lost:
            await external.create(head)
        await _audit(database, log, report, progress)
    finally:
        await database.close()
    return manifest


async def move(config: Config, url: str, report: AuditReport, progress: Progress) -> Manifest:
    """Copy the configured database into the empty one at `url`, and audit it there.

    Documents stay in their store. No hub may run. The files in between lie in the hub's home and
    are removed. Raises HubError: DATABASE_IN_USE, DATABASE_NOT_EMPTY, and as `backup` and
    `restore`.
    """
    external = open_head(config)
    await check_unoccupied(config.database_url)
    log = _Log(open_keys(config), await _head_of(external))
    source = await open_database(config.database_url)
    target: Database | None = None
    folder = Path(tempfile.mkdtemp(prefix=".move-", dir=config.home))
    try:
        target = await open_database(url)
        if target.engine == source.engine and url == config.database_url:
            raise HubError(Reason.DATABASE_NOT_EMPTY)
        await _check_empty(target, await schema_version(source))
        manifest = await _copy_tables(source, log, folder / "copy", progress)
        await _load_copy(target, folder / "copy", manifest, progress)
        await _audit(target, log, report, progress)
        if await external.read() != log.head:
            raise HubError(Reason.DATABASE_IN_USE)
        return manifest
    finally:
        shutil.rmtree(folder)
        await source.close()
        if target is not None:
            await target.close()


async def _head_of(external: ExternalHead) -> str:
    note = await external.read()
    if note is None:
        raise HubError(Reason.LOG_HEAD_MISSING)
    return note


async def _copy_tables(database: Database, log: _Log, folder: Path, progress: Progress) -> Manifest:
    copied = log.copied()
    lacking = await pending(database)
    if lacking.revisions:
        raise HubError(Reason.SCHEMA_OTHER, found=lacking.current or "-", expected=lacking.target)
    _make_folder(folder)
    async with database.snapshot() as snapshot:
        size, root = decode_head(await snapshot.one(READ_HEAD, 1)) or (0, EMPTY_ROOT)
        last_time = await _last_time(snapshot)
        watches = {ENTRIES.name: copied.watch}
        with _writing(folder):
            tables = await copy_out(snapshot, METADATA, folder, progress, watches)
    if (copied.size, copied.root()) != (size, b64u(root)):
        raise HubError(Reason.DIGEST_MISMATCH, what=f"log of {size} entries")
    if copied.size < copied.head.size:
        raise HubError(Reason.LOG_ROLLED_BACK, head=copied.head.size, size=size)
    copied.check_head(last_time)
    return Manifest(
        copied.head.origin,
        lacking.target,
        _time(now_us()),
        last_time,
        log.head,
        size,
        b64u(root),
        tuple(tables),
    )


def _make_folder(folder: Path) -> None:
    with _writing(folder):
        folder.mkdir(mode=0o700, parents=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A disk that is full, or a folder that cannot be written, in our words."""
    try:
        yield
    except OSError as error:
        raise HubError(Reason.BACKUP_UNWRITABLE, path=folder, rule=error.strerror) from error


async def _load_copy(
    database: Database, folder: Path, manifest: Manifest, progress: Progress
) -> None:
    await _check_empty(database, manifest.schema)
    await migrate(database, to=manifest.schema)
    await copy_in(database, folder, manifest.tables, progress)
    await check_rows(database, manifest.tables, progress)
    await migrate(database)


async def _check_empty(database: Database, schema: str) -> None:
    found = await schema_version(database)
    if not found:
        return
    if found != schema:
        raise HubError(Reason.SCHEMA_OTHER, found=found, expected=schema)
    if not await is_empty(database, METADATA):
        raise HubError(Reason.DATABASE_NOT_EMPTY)


async def _audit(database: Database, log: _Log, report: AuditReport, progress: Progress) -> None:
    key = log.keys.log
    steps = audit(
        database,
        DataKeys(database, log.keys.keyring, now_us),
        metadata=METADATA,
        trust=LogTrust(key.origin, (key.verifier.text(),)),
        external_head=log.head,
        report=report,
    )
    async for step in steps:
        progress(step.part, step.done, step.total)


async def _last_time(snapshot: Snapshot) -> str:
    row = await snapshot.one(LAST_EPOCH, 1)
    return _time(integer(row[1])) if row is not None else "-"


def _time(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat(timespec="seconds")


def _write_durably(folder: Path, text: str) -> None:
    """The manifest, whole or not at all, after the files that it speaks of."""
    aside = folder / f".{MANIFEST}"
    with aside.open("x", encoding="utf-8") as file:
        aside.chmod(0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(folder / MANIFEST)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            members = json.loads(file.read(_MANIFEST_BYTES_MAX))
        if members["v"] not in _VERSIONS:
            raise ValueError(f"version {members['v']}")
        documents = members.get("documents")
        return Manifest(
            documents=CopiedDocuments.parse(documents) if documents is not None else None,
            tables=tuple(TableFile.parse(table) for table in members["tables"]),
            size=int(members["size"]),
            **_texts(members, "origin", "schema", "create_time", "last_time", "head", "root"),
        )
    except OSError as error:
        raise _invalid(path, str(error.strerror)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(path, f"is no manifest: {error}") from error


def _texts(members: Mapping[str, object], *names: str) -> dict[str, str]:
    return {name: str(members[name]) for name in names}


def _invalid(path: Path, rule: str) -> HubError:
    return HubError(Reason.BACKUP_INVALID, path=path, rule=rule)
