"""The documents of a backup: the bytes that a copy's rows name, in a folder beside the tables.

They are what the store holds, ciphertext under its own digest, so a backup needs no key and shows
no document. Which there are is read from the copied table, never from the store: bytes of an upload
under way, or nobody's, are not part of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from hub.errors import HubError, Reason
from hub.registry.document_store import DOCUMENTS
from hub.registry.scrub import Fault
from hub.storage.blobs import BlobStore, FolderBlobs
from hub.storage.copies import Progress, TableFile, read_rows
from hub.storage.statements import text

FOLDER: Final = "documents"
# A store that lacks more is not damaged but lost, or another one: no backup is made of it.
LACKING_MAX: Final = 1000
_FAULTS: Final = {Reason.BLOB_MISSING: Fault.MISSING, Reason.DIGEST_MISMATCH: Fault.DAMAGED}


class Named(NamedTuple):
    """A document as a copied row names it: its resource name, and the digest of its bytes."""

    document: str
    blob: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """A document whose bytes the store did not have, or not as they were, when it was copied."""

    document: str
    blob: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class CopiedDocuments:
    """What a backup holds: how many, how many bytes, and which are lacking."""

    stored: int
    bytes: int
    lacking: tuple[Lacking, ...]

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> CopiedDocuments:
        """As it stands in a manifest. Raises ValueError, KeyError, TypeError."""
        stored, size, lacking = members["stored"], members["bytes"], members["lacking"]
        if not isinstance(stored, int) or not isinstance(size, int):
            raise ValueError("stored and bytes of the documents are counts")
        if not isinstance(lacking, list) or len(lacking) > LACKING_MAX:
            raise ValueError(f"lacking lists at most {LACKING_MAX} documents")
        return cls(
            stored,
            size,
            tuple(
                Lacking(str(one["document"]), str(one["blob"]), Fault(one["fault"]))
                for one in lacking
            ),
        )

    def members(self) -> dict[str, object]:
        """The same for a manifest."""
        lacking = [
            {"document": one.document, "blob": one.blob, "fault": one.fault.value}
            for one in self.lacking
        ]
        return {"stored": self.stored, "bytes": self.bytes, "lacking": lacking}


@dataclass(slots=True)
class _Meter:
    """Watches one document pass: its bytes, and whether it was its source that failed."""

    passed: int = 0
    has_failed: bool = False

    async def passing(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for data in stream:
                self.passed += len(data)
                yield data
        except HubError:
            self.has_failed = True
            raise


async def copy_documents_out(
    store: BlobStore, folder: Path, tables: Sequence[TableFile], progress: Progress
) -> CopiedDocuments:
    """Copy the bytes of every document of the copied tables into `folder`; durable on return.

    What the store lacks is named in the answer. Raises HubError: BLOBS_UNAVAILABLE,
    BACKUP_UNWRITABLE, and BLOB_MISSING or DIGEST_MISMATCH where more than LACKING_MAX are lacking.
    """
    kept, size, lacking = FolderBlobs(folder / FOLDER), 0, list[Lacking]()
    table = _table(tables)
    try:
        for number, named in enumerate(_named(folder, table), start=1):
            meter = _Meter()
            try:
                await kept.write(meter.passing(store.read(named.blob)))
                size += meter.passed
            except HubError as error:
                if not meter.has_failed:
                    rule = error.details["rule"]
                    raise HubError(
                        Reason.BACKUP_UNWRITABLE, path=folder / FOLDER, rule=rule
                    ) from error
                if error.reason not in _FAULTS or len(lacking) == LACKING_MAX:
                    raise
                lacking.append(Lacking(*named, _FAULTS[error.reason]))
            progress(FOLDER, number, table.rows)
    finally:
        await kept.close()
    return CopiedDocuments(table.rows - len(lacking), size, tuple(lacking))


async def check_documents(
    folder: Path, tables: Sequence[TableFile], copied: CopiedDocuments, progress: Progress
) -> None:
    """The folder has the bytes of every document but the lacking ones, each with its digest.

    Raises HubError(BACKUP_INVALID) that names the first document of which it has not.
    """
    kept, lacking = FolderBlobs(folder / FOLDER), _blobs(copied)
    table = _table(tables)
    try:
        for number, named in enumerate(_named(folder, table), start=1):
            if named.blob not in lacking:
                await _check(kept, folder, named)
            progress(FOLDER, number, table.rows)
    finally:
        await kept.close()


async def copy_documents_in(
    store: BlobStore,
    folder: Path,
    tables: Sequence[TableFile],
    copied: CopiedDocuments,
    progress: Progress,
) -> None:
    """Put the bytes of every copied document into the store; each is durable when it is there.

    Before any row names them: what a restore that fails leaves is nobody's, and found by a scrub.
    Raises HubError(BLOBS_UNAVAILABLE); it may be repeated.
    """
    kept, lacking = FolderBlobs(folder / FOLDER), _blobs(copied)
    table = _table(tables)
    try:
        for number, named in enumerate(_named(folder, table), start=1):
            if named.blob not in lacking:
                await store.write(kept.read(named.blob))
            progress(FOLDER, number, table.rows)
    finally:
        await kept.close()


async def _check(kept: FolderBlobs, folder: Path, named: Named) -> None:
    try:
        async for _ in kept.read(named.blob):
            pass
    except HubError as error:
        rule = f"the bytes of {named.document} are {_FAULTS.get(error.reason, 'unreadable')}"
        raise HubError(Reason.BACKUP_INVALID, path=folder / FOLDER, rule=rule) from error


def _table(tables: Sequence[TableFile]) -> TableFile:
    """The copied table of documents; without rows where the copy is of before there were any."""
    for table in tables:
        if table.name == DOCUMENTS.name:
            return table
    return TableFile(DOCUMENTS.name, (), (), 0, 0, "", "")


def _named(folder: Path, table: TableFile) -> Iterator[Named]:
    if not table.rows:
        return
    names = ("authority", "certificate_id", "id", "blob")
    if not set(names) <= set(table.columns):
        rule = "its columns are not those of a table of documents"
        raise HubError(Reason.BACKUP_INVALID, path=folder / table.file, rule=rule)
    places = [table.columns.index(name) for name in names]
    for row in read_rows(folder, table):
        authority, certificate, document, blob = (text(row[place]) for place in places)
        yield Named(f"{authority}/certificates/{certificate}/documents/{document}", blob)


def _blobs(copied: CopiedDocuments) -> frozenset[str]:
    return frozenset(one.blob for one in copied.lacking)
