"""The scrub: every stored document is read again, and both sides are compared; and how bytes that
are nobody's go, once somebody has said so.

The scrub changes nothing. A digest is checked over the stored bytes, so it needs no key and sees no
document.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.errors import HubError, Reason
from hub.registry.document_store import DOCUMENT_OF_BLOB, STORED_PAGE
from hub.registry.ports import Database
from hub.storage.blobs import BlobStore, StoredBlob
from hub.storage.statements import text

FINDINGS_MAX: Final = 1000
ORPHANS_MAX: Final = 10_000
# Younger bytes may belong to an upload under way, whose row comes last.
ORPHAN_HOURS_MIN: Final = 24
_PAGE: Final = 500
_HOUR_US: Final = 3_600_000_000


class Fault(StrEnum):
    """What can be wrong with a stored document."""

    DAMAGED = "damaged"
    MISSING = "missing"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: `name` is a document's resource name, or of an orphan the digest of its bytes."""

    fault: Fault
    name: str
    blob: str


@dataclass(slots=True)
class ScrubReport:
    """What was looked at and what was found; beyond FINDINGS_MAX findings are only counted."""

    documents: int = 0
    bytes: int = 0
    blobs: int = 0
    findings: list[Finding] = field(default_factory=list)
    found: int = 0

    def add(self, fault: Fault, name: str, blob: str) -> None:
        """One more fault."""
        self.found += 1
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(fault, name, blob))


@dataclass(slots=True)
class _Pace:
    """Holds reading back to so many bytes per second."""

    bytes_per_s: int
    began_s: float = field(default_factory=time.monotonic)
    read: int = 0

    async def take(self, size: int) -> None:
        self.read += size
        ahead_s = self.read / self.bytes_per_s - (time.monotonic() - self.began_s)
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)


async def scrub(
    database: Database, blobs: BlobStore, report: ScrubReport, *, bytes_per_s: int, now_us: int
) -> AsyncIterator[None]:
    """Fill `report`; yields after each document and each page of blobs. The hub may run.

    1. Every row: its bytes are there and have their digest.
    2. Every blob older than a day: a row names it.

    Raises HubError(BLOBS_UNAVAILABLE): what cannot be read is neither sound nor damaged.
    """
    pace, after = _Pace(bytes_per_s), ""
    while rows := await database.all(STORED_PAGE, after, _PAGE):
        for row in rows:
            after, authority, certificate, blob = map(text, row)
            name = f"{authority}/certificates/{certificate}/documents/{after}"
            await _check(blobs, report, pace, name, blob)
            yield
    last, before_us = "", now_us - ORPHAN_HOURS_MIN * _HOUR_US
    while page := await blobs.page(last):
        report.blobs += len(page)
        for one in page:
            if await _is_orphan(database, one, before_us):
                report.add(Fault.ORPHAN, one.digest, one.digest)
        last = page[-1].digest
        yield


async def find_orphans(
    database: Database, blobs: BlobStore, *, hours: int, now_us: int
) -> list[StoredBlob]:
    """Blobs that no row names and that are older than `hours`, the first ORPHANS_MAX of them.

    Raises HubError(BLOBS_UNAVAILABLE).
    """
    assert hours >= ORPHAN_HOURS_MIN, "younger bytes may belong to an upload under way"
    found: list[StoredBlob] = []
    last, before_us = "", now_us - hours * _HOUR_US
    while page := await blobs.page(last):
        for one in page:
            if await _is_orphan(database, one, before_us):
                found.append(one)
                if len(found) == ORPHANS_MAX:
                    return found
        last = page[-1].digest
    return found


async def remove_orphan(database: Database, blobs: BlobStore, orphan: StoredBlob) -> bool:
    """Take an orphan away, unless a row names it by now; whether it was taken.

    Raises HubError(BLOBS_UNAVAILABLE).
    """
    if await database.one(DOCUMENT_OF_BLOB, orphan.digest) is not None:
        return False
    await blobs.remove(orphan.digest)
    return True


async def _is_orphan(database: Database, blob: StoredBlob, before_us: int) -> bool:
    return blob.time_us < before_us and await database.one(DOCUMENT_OF_BLOB, blob.digest) is None


async def _check(blobs: BlobStore, report: ScrubReport, pace: _Pace, name: str, blob: str) -> None:
    report.documents += 1
    try:
        async for data in blobs.read(blob):
            report.bytes += len(data)
            await pace.take(len(data))
    except HubError as error:
        if error.reason is Reason.BLOB_MISSING:
            report.add(Fault.MISSING, name, blob)
        elif error.reason is Reason.DIGEST_MISMATCH:
            report.add(Fault.DAMAGED, name, blob)
        else:
            raise
