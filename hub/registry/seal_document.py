"""Originals (原件): a version's face, set and sealed once, and kept with its documents; and further
seals on one that was left open.

1. The caller keeps the certificate; a call answered before is answered again.
2. The version is in force and has no original in this format: there is one. A further seal takes
   the newest one that there is.
3. The face is set and sealed by its authority, under an intent that names originals; a further seal
   is put beside the others, under one that names further seals.
4. The file is stored, and the record of the version sealed anew with its digest; its row, its
   digest, that record and the uses of the seal are one entry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from hub.clock import Clock
from hub.domain.certificate import State
from hub.domain.face import FaceContent, FaceFormat
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.registry.document_store import DOCUMENTS_OF_VERSION, DocumentRow, document_of
from hub.registry.documents import Documents, Kept
from hub.registry.faces import FaceReader
from hub.registry.listed_files import ListOriginals
from hub.registry.made_documents import MadeDocuments, UnrecordedDocument
from hub.registry.ports import SealedFace, SealedFaces
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import Check

# After these it is certain that no row names the new bytes.
_UNSURE: Final = frozenset({Reason.LOG_UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which version, in which format; whether it stays open for further seals, and whether this
    is one."""

    authority: str
    certificate_id: str
    version: int
    format: FaceFormat
    is_open: bool = False
    is_further: bool = False


@dataclass(frozen=True, slots=True)
class SealDocument:
    """Make the original of a version, where its authority asks for it."""

    clock: Clock
    documents: Documents
    made: MadeDocuments
    faces: FaceReader
    seals: SealedFaces
    list_originals: ListOriginals

    async def __call__(self, call: Call, wanted: Wanted) -> Kept:
        """The document; durable when it returns.

        Raises HubError: AUTHORITY_NOT_ALLOWED, CERTIFICATE_NOT_FOUND, CERTIFICATE_NOT_IN_FORCE,
        ALREADY_EXISTS, REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE, and what setting,
        sealing and storing raise.
        """
        documents, caller = self.documents, call.caller
        await documents.check_kept(caller, wanted.authority, wanted.certificate_id)
        first = await answered_before(documents.recorder, call)
        if first is not None:
            return await self._kept(wanted, first)
        identifier = await self.faces.identifier(
            wanted.authority, wanted.certificate_id, wanted.version
        )
        found = await self.faces.certificates.by_identifier(identifier or "")
        if found is None or identifier is None:
            name = f"{wanted.authority}/certificates/{wanted.certificate_id}"
            name += f" (version {wanted.version})"
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)
        if found.state is not State.ACTIVE:
            raise HubError(Reason.CERTIFICATE_NOT_IN_FORCE, identifier=identifier)
        face = await self.faces.read(identifier)
        assert face is not None, "it was found a moment ago"
        before = await self._before(face, wanted)
        checks = (documents.access.check(caller), found.check)
        return await self._made(call, wanted, face, before, checks)

    async def _before(self, face: FaceContent, wanted: Wanted) -> DocumentRow | None:
        """Step 2: the original that a further seal is put on. Two calls at once are told apart by
        the seal's turn and the key's uses."""
        rows = await self.documents.database.all(DOCUMENTS_OF_VERSION, face.version_id)
        originals = [row for row in map(document_of, rows) if row.is_original(wanted.format.value)]
        if wanted.is_further:
            if not originals:
                name = f"{wanted.authority}/certificates/{wanted.certificate_id}/documents/-"
                raise HubError(Reason.DOCUMENT_NOT_FOUND, name=name)
            return originals[0]
        if originals:
            raise HubError(Reason.ALREADY_EXISTS, name=originals[0].name)
        return None

    @asynccontextmanager
    async def _sealed(
        self, face: FaceContent, wanted: Wanted, before: DocumentRow | None
    ) -> AsyncIterator[SealedFace]:
        """Step 3."""
        closing = not wanted.is_open
        if before is None:
            async with self.seals.sealed(face, wanted.format, None, closing=closing) as sealed:
                yield sealed
            return
        chunks = await self.documents.chunks(await self.documents.opened(before))
        original = b"".join([chunk async for chunk in chunks])
        async with self.seals.further(face, original, closing=closing) as sealed:
            yield sealed

    async def _made(
        self,
        call: Call,
        wanted: Wanted,
        face: FaceContent,
        before: DocumentRow | None,
        checks: tuple[Check, ...],
    ) -> Kept:
        """Steps 3 and 4."""
        async with self._sealed(face, wanted, before) as sealed:
            if await self._before(face, wanted) != before:
                raise HubError(Reason.DECISION_STALE)
            # The record names the file by the keys of the seal that it was first sealed by.
            first = sealed.seal if before is None else before.uploader
            kept = await self.made.keep(face, sealed.media_type, sealed.data, made_as=first)
            listed = await self.list_originals(face, wanted.format, sealed, kept.name, seal=first)
            further: dict[str, Json] = {}
            if before is not None:
                further = {"further_to": before.name}
            change = Change(
                "document.sealed",
                {
                    "document": kept.name,
                    "cert": face.identifier,
                    "version": face.version,
                    "media_type": sealed.media_type,
                    "size": kept.size,
                    "digest": kept.digest,
                    "face": sealed.face,
                    "code": None if sealed.code is None else sealed.code.value,
                    "seal": sealed.seal,
                    "intent": sealed.intent,
                    "listing": listed.which.value,
                    **further,
                },
                writes=(*kept.writes, *sealed.writes, *listed.writes),
                checks=(*checks, *sealed.checks, *listed.checks),
                answer=kept.id.encode(),
            )
            answered = await self._recorded(call, change, kept)
        return await self._kept(wanted, answered)

    async def _recorded(self, call: Call, change: Change, kept: UnrecordedDocument) -> Answered:
        try:
            answered = await record(self.documents.recorder, call, change)
        except HubError as error:
            if error.reason not in _UNSURE:
                await self.made.discard(kept)
            raise
        if answered.answer != kept.id.encode():
            await self.made.discard(kept)  # The same call, at the same time, was first.
        return answered

    async def _kept(self, wanted: Wanted, answered: Answered) -> Kept:
        return await self.documents.kept(wanted.authority, wanted.certificate_id, answered)
