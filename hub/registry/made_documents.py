"""Documents that the hub makes: sealed faces, kept like those that departments bring.

Their bytes are encrypted under a key of their own that is sealed under the data key of the version
that they show, so erasing a holder erases them too. `uploader` of such a row names what it was made
as: the annotated copy whose file it is, or the seal that made an original.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import orjson

from hub.clock import Clock
from hub.domain.face import FaceContent, SourceDocument
from hub.domain.names import new_id
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.registry.document_store import (
    DOCUMENTS_OF_VERSION,
    FILE_OF_COPY,
    INSERT_DOCUMENT,
    VERSION_TO_ATTACH,
    AttachedVersion,
    DocumentRow,
    document_of,
)
from hub.registry.documents import DOCUMENT_BYTES_MAX, Documents
from hub.registry.shared_documents import SharedDocument
from hub.storage.sealed_stream import StreamSealer
from hub.storage.statements import ENTRY_INDEX, Write


@dataclass(frozen=True, slots=True)
class UnrecordedDocument:
    """Bytes that are stored and that no row names yet: record `writes`, or `discard` it."""

    id: str
    name: str
    digest: str
    size: int
    writes: Sequence[Write] = field(repr=False)
    blob: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MadeDocuments:
    """Keeps what the hub has sealed, in the store of all documents."""

    clock: Clock
    documents: Documents

    async def keep(
        self, face: FaceContent, media_type: str, data: bytes, *, made_as: str, copy_id: str = ""
    ) -> UnrecordedDocument:
        """Store `data` as a document of the version that `face` shows; `copy_id` gives its id.

        The bytes are durable on return. Raises HubError: KEY_UNAVAILABLE where the holder was
        erased, DOCUMENT_TOO_LARGE, BLOBS_UNAVAILABLE.
        """
        if len(data) > DOCUMENT_BYTES_MAX:
            raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=DOCUMENT_BYTES_MAX)
        documents = self.documents
        found = await documents.database.one(
            VERSION_TO_ATTACH, face.certificate_id, face.authority, face.version
        )
        assert found is not None, "its face was read"
        version = AttachedVersion(str(found[0]), str(found[1]), str(found[2]))
        data_key = await documents.data_keys.get(version.data_key_id)
        document_id, key = copy_id or new_id(), documents.data_keys.new_stream_key()
        digest = b64u(hashlib.sha256(data).digest())
        sealed = await asyncio.to_thread(_sealed, key, document_id, data)
        blob = await documents.blobs.write(_once(sealed))
        row = DocumentRow(
            id=document_id,
            certificate_id=face.certificate_id,
            authority=face.authority,
            version_id=version.id,
            version=face.version,
            media_type=media_type,
            size=len(data),
            digest_mac=documents.holder_keys.content_digest(digest),
            digest_key_id=documents.holder_keys.holder_key_id,
            sealed=data_key.seal(
                orjson.dumps({"digest": digest, "key": b64u(key)}), document_id.encode()
            ),
            data_key_id=version.data_key_id,
            blob=blob,
            uploader=made_as,
            entry=ENTRY_INDEX,
            create_time_us=self.clock(),
            retention_class=version.retention_class,
        )
        return UnrecordedDocument(
            document_id, row.name, digest, len(data), [Write(INSERT_DOCUMENT, [row])], blob
        )

    async def discard(self, document: UnrecordedDocument) -> None:
        """Remove what was not recorded; where that fails, a scrub finds it."""
        try:
            await self.documents.blobs.remove(document.blob)
        except HubError:
            return

    async def made(self, face: FaceContent, media_type: str, copy: str) -> SharedDocument | None:
        """The newest file of the annotated copy `copy` of this version, or of its original for "":
        what was sealed anew comes in place of what was sealed first.

        Raises HubError(KEY_UNAVAILABLE) where it was erased.
        """
        row = await self._newest(face.version_id, media_type, copy)
        if row is None:
            return None
        document = await self.documents.opened(row)
        chunks = await self.documents.chunks(document)
        return SharedDocument(row.media_type, row.size, document.digest, row.entry, chunks)

    async def _newest(self, version_id: str, media_type: str, copy: str) -> DocumentRow | None:
        database = self.documents.database
        if copy:
            found = await database.one(FILE_OF_COPY, version_id, copy)
            return None if found is None else document_of(found)
        rows = map(document_of, await database.all(DOCUMENTS_OF_VERSION, version_id))
        return next((row for row in rows if row.is_original(media_type)), None)

    async def brought(self, face: FaceContent, digest: str) -> SourceDocument | None:
        """The document of this version with this digest that the department brought, whole.

        Raises HubError: KEY_UNAVAILABLE where it was erased, DIGEST_MISMATCH, BLOB_MISSING,
        BLOBS_UNAVAILABLE.
        """
        rows = await self.documents.database.all(DOCUMENTS_OF_VERSION, face.version_id)
        for row in map(document_of, rows):
            document = await self.documents.opened(row)
            if document.digest == digest:
                chunks = await self.documents.chunks(document)
                data = b"".join([chunk async for chunk in chunks])
                return SourceDocument(row.media_type, digest, data)
        return None


def _sealed(key: bytes, document_id: str, data: bytes) -> bytes:
    sealer = StreamSealer(key, document_id)
    return sealer.feed(data) + sealer.finish()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
