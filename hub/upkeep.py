"""What the command line does with a hub's data while no hub serves, or beside one that does.

Each opens what it needs, says what it found, and lets go of everything.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import MetaData

from hub.access.enrol_officer import enrol_officer
from hub.access.enrolment import ClientAuthorities, Enrolment
from hub.access.found_roster import found_roster
from hub.access.registrar import Registrar
from hub.access.roster_store import NEWEST_ROSTER
from hub.access.snapshot import Directory
from hub.clock import now_us
from hub.config import Config
from hub.errors import HubError, Reason
from hub.fsck import check_documents, check_structure
from hub.home import open_blobs, open_head, open_keys
from hub.introductions import ProvenKeys
from hub.ledger.checkpoints import create_log
from hub.ledger.proofs import Proofs
from hub.ledger.store import READ_HEAD
from hub.metrics import Metrics
from hub.migrations.migrate import Pending, migrate, pending
from hub.proof.log.receipt import LogTrust
from hub.registry import scrub
from hub.registry.scrub import ScrubReport
from hub.server import open_recorder
from hub.storage.blobs import BlobStore, StoredBlob
from hub.storage.copies import Progress
from hub.storage.database import Database, open_database
from hub.storage.encryption import DataKeys
from hub.storage.schema import METADATA
from hub.storage.structure import StructureReport


async def create_home(config: Config, officers: Mapping[str, Enrolment]) -> bool:
    """Make the database, the log and the first officers of a hub that has its keys.

    Idempotent: what exists is left as it is. Returns whether anything was made.
    """
    keys = open_keys(config)
    database = await open_database(config.database_url)
    try:
        await migrate(database)
        head = open_head(config)
        has_entries = await database.one(READ_HEAD, 1) is not None
        made = not has_entries and await head.read() is None
        if made:
            await create_log(head, keys.log)
        data_keys = DataKeys(database, keys.keyring, now_us)
        recorder = open_recorder(config, keys, database, data_keys, Metrics())
        await recorder.start()
        try:
            directory = Directory(database)
            await directory.refresh()
            authorities = ClientAuthorities.from_pem(config.path(config.tls.client_ca).read_bytes())
            registrar = Registrar(directory, database, recorder, now_us, authorities)
            for name, enrolment in officers.items():
                if f"officers/{name}" not in directory.current.officers:
                    # The same officer again is the same request.
                    request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"sealway:init:{name}"))
                    await enrol_officer(registrar, request_id, name, enrolment)
                    made = True
            if await database.one(NEWEST_ROSTER) == (-1,):
                proven = ProvenKeys(directory, recorder.proofs)
                await proven.prove()
                await found_roster(registrar, config.hub.origin, config.hub.region, proven)
                made = True
        finally:
            await recorder.close()
    finally:
        await database.close()
    return made


async def migrate_database(config: Config, *, dry_run: bool) -> Pending:
    """Bring the schema up to date; what was run, or with `dry_run` what would be."""
    database = await open_database(config.database_url)
    try:
        found = await pending(database)
        if not dry_run:
            await migrate(database)
        return found
    finally:
        await database.close()


async def check_database(
    config: Config, progress: Progress, *, bytes_per_s: int | None
) -> tuple[StructureReport, ScrubReport | None]:
    """Whether the tables fit together, and the stored documents with them, which are read at most
    so fast, or not at all. Raises HubError(SCHEMA_OTHER) where the tables are of another.
    """
    blobs = open_blobs(config)
    database = await open_database(config.database_url)
    try:
        found = await pending(database)
        if found.revisions:
            raise HubError(Reason.SCHEMA_OTHER, found=found.current or "-", expected=found.target)
        report = StructureReport()
        await check_structure(database, report, progress)
        if bytes_per_s is None:
            return report, None
        seen = await check_documents(database, blobs, report, progress, bytes_per_s=bytes_per_s)
        return report, seen
    finally:
        await database.close()
        await blobs.close()


@dataclass(frozen=True, slots=True)
class OpenedLedger:
    """What an audit reads: nothing here can write."""

    database: Database
    data_keys: DataKeys
    metadata: MetaData
    trust: LogTrust
    external_head: str | None


@contextlib.asynccontextmanager
async def open_ledger_for_audit(config: Config) -> AsyncIterator[OpenedLedger]:
    """The data of a hub, running or not, for `hub.ledger.audit.audit`."""
    keys = open_keys(config)
    try:
        external_head = await open_head(config).read()
    except HubError as error:
        if error.reason is not Reason.LOG_HEAD_INVALID:
            raise
        external_head = ""  # A finding like any other: the audit goes on and names it.
    database = await open_database(config.database_url)
    try:
        yield OpenedLedger(
            database,
            DataKeys(database, keys.keyring, now_us),
            METADATA,
            LogTrust(config.hub.origin, (keys.log.verifier.text(),)),
            external_head,
        )
    finally:
        await database.close()


async def find_orphans(config: Config, *, hours: int) -> list[StoredBlob]:
    """Bytes in the store of documents that no row names and that are older than `hours`.

    Raises HubError: LOG_ROLLED_BACK, LOG_HEAD_MISSING where the database is not the one that the
    external head covers: to another database, every document would look like nobody's.
    """
    async with _open_documents_for_removal(config) as (database, blobs):
        return await scrub.find_orphans(database, blobs, hours=hours, now_us=now_us())


async def remove_orphans(
    config: Config, orphans: Sequence[StoredBlob], progress: Progress
) -> list[StoredBlob]:
    """Remove what is still nobody's of `orphans`, and say what was. Raises as `find_orphans`."""
    removed = []
    async with _open_documents_for_removal(config) as (database, blobs):
        for number, orphan in enumerate(orphans, start=1):
            if await scrub.remove_orphan(database, blobs, orphan):
                removed.append(orphan)
            progress("orphans", number, len(orphans))
    return removed


@contextlib.asynccontextmanager
async def _open_documents_for_removal(
    config: Config,
) -> AsyncIterator[tuple[Database, BlobStore]]:
    keys = open_keys(config)
    note = await open_head(config).read()
    if note is None:
        raise HubError(Reason.LOG_HEAD_MISSING)
    async with open_documents_for_scrub(config) as (database, blobs):
        proofs = Proofs(database, DataKeys(database, keys.keyring, now_us), keys.log)
        await proofs.load()
        await proofs.check_continues(keys.log.verify(note))
        yield database, blobs


@contextlib.asynccontextmanager
async def open_documents_for_scrub(config: Config) -> AsyncIterator[tuple[Database, BlobStore]]:
    """The rows and the bytes of all documents, of a hub that runs or not; no key is opened."""
    blobs = open_blobs(config)
    database = await open_database(config.database_url)
    try:
        yield database, blobs
    finally:
        await database.close()
        await blobs.close()
