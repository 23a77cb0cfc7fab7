"""Documents of certificates: kept and handed out as streams, never whole in memory.

A document is digested while it comes, encrypted segment by segment under a key of its own that is
sealed under the data key of its version, and stored under the digest of its ciphertext. Destroying
the data key of a holder therefore erases the documents as well, backups included.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import orjson

from hub.clock import Clock
from hub.domain.caller import Caller, Role
from hub.domain.names import new_id
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode
from hub.registry.document_store import (
    DOCUMENT,
    DOCUMENTS_PAGE,
    INSERT_DOCUMENT,
    VERSION_TO_ATTACH,
    AttachedVersion,
    DocumentRow,
    document_of,
)
from hub.registry.ports import Access, Blobs, Database, DataKey, DataKeys, HolderKeys, Recorder
from hub.registry.store import CERTIFICATE_BY_NAME, view_of
from hub.storage.changes import Answered, Call, Change, change_once
from hub.storage.sealed_stream import StreamOpener, StreamSealer
from hub.storage.statements import ENTRY_INDEX, Write

DOCUMENT_BYTES_MAX: Final = 100_000_000
CHUNK_BYTES_MAX: Final = 1024 * 1024
_SNIFFED_BYTES: Final = 16
# A client that falls silent is not waited for; a whole upload has a time as well.
_SILENCE_S: Final = 30.0
_UPLOAD_S: Final = 1800.0
_THREADS: Final = 4

# What the first bytes of each accepted type are. OFD is a ZIP archive.
MEDIA_TYPES: Final = {
    "application/pdf": (b"%PDF-",),
    "application/ofd": (b"PK\x03\x04",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}

# Refusals upon which it is certain that no row names the new bytes.
_NOT_RECORDED: Final = frozenset(
    {Reason.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED, Reason.DECISION_STALE}
)


@dataclass(frozen=True, slots=True)
class Upload:
    """What an upload says before its bytes come. `digest` is the SHA-256 that they must have."""

    call: Call
    authority: str
    certificate_id: str
    version: int
    media_type: str
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A document on file and the digest of its bytes, which only its data key gives."""

    row: DocumentRow
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A document with the receipt of the entry that put it on file, or handed it out."""

    document: Document
    entry: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Handed:
    """A document that is being handed out: its entry is durable, its bytes follow."""

    kept: Kept
    chunks: AsyncIterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Documents:
    """Upload, list, download. Whose a document is, is asked here; the roles stand in `policy`."""

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    blobs: Blobs
    data_keys: DataKeys[DataKey]
    holder_keys: HolderKeys
    identify: Callable[[], Awaitable[Caller]]
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_THREADS, thread_name_prefix="documents"),
        repr=False,
    )

    async def upload(self, upload: Upload, chunks: AsyncIterator[bytes]) -> Kept:
        """Keep a document with a version of a certificate of the caller's own authority.

        1. The version is on file; a call answered before is answered again without its bytes.
        2. The bytes are digested, encrypted and stored as they come.
        3. One entry with the row; then the receipt.

        Nothing is on file before step 3, and where a step refuses, what was stored is removed.
        Raises HubError: AUTHORITY_NOT_ALLOWED, CERTIFICATE_NOT_FOUND, DOCUMENT_TYPE_REFUSED,
        DOCUMENT_TOO_LARGE, DOCUMENT_INCOMPLETE, DOCUMENT_DIGEST_WRONG, ALREADY_EXISTS,
        BLOBS_UNAVAILABLE, REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE.
        """
        call = upload.call
        await self.check_kept(call.caller, upload.authority, upload.certificate_id)
        _check_header(upload)
        version = await self._version(upload)
        remembered = await self.recorder.remembered(call.caller.name, call.request_id)
        if remembered is not None:
            if (remembered.method, remembered.content) != (call.method, call.content):
                raise HubError(Reason.REQUEST_ID_REUSED, request_id=call.request_id)
            receipt = await self.recorder.receipt(remembered.index)
            answered = Answered(remembered.answer, remembered.index, receipt)
            return await self.kept(upload.authority, upload.certificate_id, answered)
        data_key = await self.data_keys.get(version.data_key_id)
        sealing = _Sealing(upload, self.data_keys.new_stream_key())
        try:
            async with asyncio.timeout(_UPLOAD_S):
                blob = await self.blobs.write(self._sealed(sealing, chunks))
        except TimeoutError as error:
            rule = f"the upload took longer than {_UPLOAD_S:g} s"
            raise HubError(Reason.DOCUMENT_INCOMPLETE, rule=rule) from error
        return await self._record(upload, version, data_key, sealing, blob)

    async def page(
        self, caller: Caller, authority: str, certificate_id: str, *, after: str, size: int
    ) -> tuple[list[Document], str]:
        """Documents of a certificate by id, and the id after which the next page begins.

        Raises HubError: AUTHORITY_NOT_ALLOWED, CERTIFICATE_NOT_FOUND, KEY_UNAVAILABLE where the
        documents were erased.
        """
        await self.check_kept(caller, authority, certificate_id)
        if await self.database.one(CERTIFICATE_BY_NAME, certificate_id, authority) is None:
            name = f"{authority}/certificates/{certificate_id}"
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)
        rows = await self.database.all(DOCUMENTS_PAGE, certificate_id, authority, after, size + 1)
        found = [await self.opened(document_of(row)) for row in rows[:size]]
        return found, found[-1].row.id if len(rows) > size else ""

    async def download(
        self, call: Call, authority: str, certificate_id: str, document_id: str
    ) -> Handed:
        """Hand out a document to its authority or an auditor. Its entry is durable on return.

        Raises HubError: DOCUMENT_NOT_FOUND, KEY_UNAVAILABLE where it was erased,
        REQUEST_ID_REUSED, LOG_UNAVAILABLE; the chunks raise DIGEST_MISMATCH, BLOB_MISSING,
        BLOBS_UNAVAILABLE, and no byte leaves that was not authenticated.
        """
        await self.check_kept(call.caller, authority, certificate_id)
        row = await self.database.one(DOCUMENT, document_id, certificate_id, authority)
        if row is None:
            raise _not_found(authority, certificate_id, document_id)
        document = await self.opened(document_of(row))
        caller = call.caller

        def decide() -> Change:
            self._check_authority(caller, authority)
            data: dict[str, Json] = {"document": document.row.name, "digest": document.digest}
            checks = [self.access.check(caller)]
            return Change("document.downloaded", data, (), checks, b"")

        async def renew() -> None:
            nonlocal caller
            caller = await self.identify()

        answered = await change_once(self.recorder, call, decide, renew)
        assert answered.entry is not None, "an entry is made unless it is only a check"
        kept = Kept(document, answered.entry, answered.receipt)
        return Handed(kept, await self.chunks(document))

    def _check_authority(self, caller: Caller, authority: str) -> None:
        """Its authority's own systems, those of whoever succeeded it, and auditors."""
        if caller.role is not Role.AUDITOR and authority not in self.access.kept(caller):
            raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=authority)

    async def check_kept(self, caller: Caller, authority: str, certificate_id: str) -> None:
        """As `_check_authority`; of what another issued only types that were taken over.

        Raises HubError(AUTHORITY_NOT_ALLOWED), (CERTIFICATE_NOT_FOUND).
        """
        self._check_authority(caller, authority)
        if caller.role is Role.AUDITOR or authority == caller.authority:
            return
        row = await self.database.one(CERTIFICATE_BY_NAME, certificate_id, authority)
        if row is None or authority not in self.access.kept(caller, view_of(row).type_code):
            name = f"{authority}/certificates/{certificate_id}"
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)

    # ---- upload ----

    async def _version(self, upload: Upload) -> AttachedVersion:
        row = await self.database.one(
            VERSION_TO_ATTACH, upload.certificate_id, upload.authority, upload.version
        )
        if row is None:
            name = f"{upload.authority}/certificates/{upload.certificate_id}"
            name += f" (version {upload.version})"
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)
        return AttachedVersion(str(row[0]), str(row[1]), str(row[2]))

    async def _sealed(
        self, sealing: _Sealing, chunks: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        """The ciphertext of what comes; raises when it is known that it must not be kept."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(_SILENCE_S):
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                rule = f"no message for {_SILENCE_S:g} s"
                raise HubError(Reason.DOCUMENT_INCOMPLETE, rule=rule) from error
            if chunk is None:
                break
            yield await loop.run_in_executor(self._threads, partial(sealing.feed, chunk))
        yield await loop.run_in_executor(self._threads, sealing.finish)

    async def _record(
        self,
        upload: Upload,
        version: AttachedVersion,
        data_key: DataKey,
        sealing: _Sealing,
        blob: str,
    ) -> Kept:
        document_id = sealing.id
        secret = {"digest": upload.digest, "key": b64u(sealing.key)}
        row = DocumentRow(
            id=document_id,
            certificate_id=upload.certificate_id,
            authority=upload.authority,
            version_id=version.id,
            version=upload.version,
            media_type=upload.media_type,
            size=sealing.size,
            digest_mac=self.holder_keys.content_digest(upload.digest),
            digest_key_id=self.holder_keys.holder_key_id,
            sealed=data_key.seal(orjson.dumps(secret), document_id.encode()),
            data_key_id=version.data_key_id,
            blob=blob,
            uploader=upload.call.caller.name,
            entry=ENTRY_INDEX,
            create_time_us=self.clock(),
            retention_class=version.retention_class,
        )
        caller = upload.call.caller

        def decide() -> Change:
            self._check_authority(caller, upload.authority)
            data: dict[str, Json] = {
                "document": row.name,
                "version": row.version,
                "media_type": row.media_type,
                "size": row.size,
                "digest": upload.digest,
                "blob": row.blob,
            }
            writes = [Write(INSERT_DOCUMENT, [row])]
            checks = [self.access.check(caller)]
            return Change("document.uploaded", data, writes, checks, document_id.encode())

        async def renew() -> None:
            nonlocal caller
            caller = await self.identify()

        try:
            answered = await change_once(self.recorder, upload.call, decide, renew)
        except HubError as error:
            if error.reason in _NOT_RECORDED:
                await self._discard(blob)
            raise
        if answered.answer != row.id.encode():
            await self._discard(blob)  # The same call, at the same time, was first.
        return await self.kept(upload.authority, upload.certificate_id, answered)

    async def _discard(self, blob: str) -> None:
        try:
            await self.blobs.remove(blob)
        except HubError:
            return  # Nothing names it: the scrub finds it and says so.

    async def kept(self, authority: str, certificate_id: str, answered: Answered) -> Kept:
        """The document that a call was answered with. Raises HubError(DOCUMENT_NOT_FOUND)."""
        document_id = answered.answer.decode()
        row = await self.database.one(DOCUMENT, document_id, certificate_id, authority)
        if row is None or answered.entry is None:
            raise _not_found(authority, certificate_id, document_id)
        return Kept(await self.opened(document_of(row)), answered.entry, answered.receipt)

    # ---- download ----

    async def opened(self, row: DocumentRow) -> Document:
        """A row with the digest that its data key gives. Raises HubError(KEY_UNAVAILABLE)."""
        return Document(row, (await self._secret(row))["digest"])

    async def chunks(self, document: Document) -> AsyncIterator[bytes]:
        """What will be the document's bytes, piece by piece; the key is read at once.

        Raises HubError(KEY_UNAVAILABLE); the iteration raises DIGEST_MISMATCH, BLOB_MISSING and
        BLOBS_UNAVAILABLE, and no byte comes that was not authenticated.
        """
        key = b64u_decode((await self._secret(document.row))["key"])
        return self._opened_chunks(document, key)

    async def _secret(self, row: DocumentRow) -> dict[str, str]:
        key = await self.data_keys.get(row.data_key_id)
        secret: dict[str, str] = orjson.loads(key.open(row.sealed, row.id.encode()))
        return secret

    async def _opened_chunks(self, document: Document, key: bytes) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        opener = StreamOpener(key, document.row.id)
        async for sealed in self.blobs.read(document.row.blob):
            if data := await loop.run_in_executor(self._threads, partial(opener.feed, sealed)):
                yield data
        yield await loop.run_in_executor(self._threads, opener.finish)


class _Sealing:
    """An upload under way, in whichever thread: counts, digests, encrypts, and judges."""

    def __init__(self, upload: Upload, key: bytes) -> None:

        self.id: Final = new_id()
        self.key: Final = key
        self.size = 0
        self._upload = upload
        self._hasher = hashlib.sha256()
        self._sealer = StreamSealer(key, self.id)
        self._first = b""

    def feed(self, data: bytes) -> bytes:
        self.size += len(data)
        if self.size > DOCUMENT_BYTES_MAX:
            raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=DOCUMENT_BYTES_MAX)
        if len(self._first) < _SNIFFED_BYTES:
            self._first += data[:_SNIFFED_BYTES]
            if len(self._first) >= _SNIFFED_BYTES:
                self._check_type()
        self._hasher.update(data)
        return self._sealer.feed(data)

    def finish(self) -> bytes:
        if len(self._first) < _SNIFFED_BYTES:
            self._check_type()
        if b64u(self._hasher.digest()) != self._upload.digest:
            raise HubError(Reason.DOCUMENT_DIGEST_WRONG, bytes=self.size)
        return self._sealer.finish()

    def _check_type(self) -> None:
        media_type = self._upload.media_type
        if not self._first.startswith(MEDIA_TYPES[media_type]):
            raise HubError(
                Reason.DOCUMENT_TYPE_REFUSED, media_type=media_type, known=", ".join(MEDIA_TYPES)
            )


def _check_header(upload: Upload) -> None:
    if upload.media_type not in MEDIA_TYPES:
        raise HubError(
            Reason.DOCUMENT_TYPE_REFUSED,
            media_type=upload.media_type[:80],
            known=", ".join(MEDIA_TYPES),
        )
    if len(upload.digest) != 43 or upload.digest.strip(_B64U):
        rule = "SHA-256 of the document in base64url without padding, 43 characters"
        raise HubError(Reason.FIELD_INVALID, field="header.digest", rule=rule)


_B64U: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _not_found(authority: str, certificate_id: str, document_id: str) -> HubError:
    name = f"{authority}/certificates/{certificate_id}/documents/{document_id}"
    return HubError(Reason.DOCUMENT_NOT_FOUND, name=name)
