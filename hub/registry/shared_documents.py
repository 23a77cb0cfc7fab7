"""What a platform may be handed of documents; whether it may is not asked here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from hub.registry.document_store import (
    DOCUMENT_WITH_DIGEST,
    DOCUMENTS_OF_VERSION,
    IDENTIFIERS_WITH_DIGEST,
    document_of,
)
from hub.registry.documents import Documents
from hub.registry.ports import Database, HolderKeys
from hub.storage.statements import text


@dataclass(frozen=True, slots=True)
class SharedDocument:
    """A document on file. `digest` is the SHA-256 of its bytes, base64url; `entry` the log entry
    that put it on file; `chunks` raise DIGEST_MISMATCH, BLOB_MISSING and BLOBS_UNAVAILABLE, and no
    byte of them was not authenticated."""

    media_type: str
    size: int
    digest: str = field(repr=False)
    entry: int
    chunks: AsyncIterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SharedDocuments:
    """Documents by the version that they show, and by their digest."""

    database: Database
    holder_keys: HolderKeys
    documents: Documents

    async def newest(self, version_id: str, media_type: str) -> SharedDocument | None:
        """The newest document of a version, of this media type unless it is empty.

        Raises HubError(KEY_UNAVAILABLE) where it was erased.
        """
        rows = await self.database.all(DOCUMENTS_OF_VERSION, version_id)
        for row in map(document_of, rows):
            if media_type in ("", row.media_type):
                document = await self.documents.opened(row)
                chunks = await self.documents.chunks(document)
                return SharedDocument(row.media_type, row.size, document.digest, row.entry, chunks)
        return None

    async def has(self, version_id: str, digest: str) -> bool:
        """Whether a document of the version has these bytes."""
        mac = self.holder_keys.content_digest(digest)
        return await self.database.one(DOCUMENT_WITH_DIGEST, version_id, mac) is not None

    async def identifiers_with(self, digest: str) -> Sequence[str]:
        """Identifiers of the versions that have a document with these bytes, at most 20."""
        mac = self.holder_keys.content_digest(digest)
        return [text(row[0]) for row in await self.database.all(IDENTIFIERS_WITH_DIGEST, mac)]
