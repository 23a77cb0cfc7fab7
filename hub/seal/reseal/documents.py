"""Sealing anew what a stolen key has sealed of documents: originals and annotated copies, whether
it sealed the file or the code on its face.

Files are found as records are: by the entries that recorded them before the theft was declared.
Each is one call and one entry, because setting a face takes a hundred times as long as a record. It
is sealed as any other, under the standing intent in force; that it shall be done again, and the
file before be put aside, is what the intent of kind `key.reseal` says. A face that can no longer be
set is named and passed over. docs/adr/0054, 0057.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Generic

from hub.clock import Clock
from hub.domain.face import (
    SOURCE_PREFIX,
    CopyTerms,
    FaceContent,
    FaceFormat,
    SourceDocument,
)
from hub.domain.qr_text import LOOKUP_PREFIX
from hub.domain.seal_key import KeyUse
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import parse_object
from hub.proof.faces.code import face_code_key
from hub.proof.reasons import ProofError
from hub.proof.sealed_file import SealedFile, read_sealed
from hub.seal.documents.sealed_faces import SealedFace, SealedFaces
from hub.seal.ports import Faces, Kept, ListOriginals, Log, MadeFiles, Recorder
from hub.seal.reseal.compromises import digest_of_key
from hub.seal.reseal.logged_seals import ENTRIES_MAX, Place
from hub.seal.reseal.order import DocumentLeft, Order, Resealed
from hub.seal.seal_store import Key
from hub.seal.store import uses_write
from hub.storage.changes import Answered, Call, Change, record
from hub.storage.statements import Check

_FORMATS: Final = {
    KeyUse.OFD: (FaceFormat.OFD,),
    KeyUse.PDF: (FaceFormat.PDF,),
    KeyUse.FACE: tuple(FaceFormat),
}
# Bodies begin alike; the others need no parsing.
_SEALING: Final = tuple(
    [
        f'{{"v":1,"kind":"{kind}"'.encode()
        for kind in ("document.sealed", "document.fetched", "document.resealed")
    ]
)
# What one file is to blame for; the others can be sealed nevertheless.
_OF_THE_FILE: Final = frozenset(
    {
        Reason.FACE_TEMPLATE_NOT_FOUND,
        Reason.FACE_OVERFLOW,
        Reason.FONT_GLYPH_MISSING,
        Reason.COPY_NOT_MADE,
        Reason.DOCUMENT_TOO_LARGE,
    }
)
# After these it is certain that no row names the new bytes.
_UNSURE: Final = frozenset({Reason.LOG_UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to be sealed anew: of the annotated copy `copy`, or an original."""

    face: FaceContent
    check: Check
    form: FaceFormat
    copy: str
    terms: CopyTerms | None
    # What a copy was made of where its type has no face.
    source: SourceDocument | None
    # Further seals are put on it again by whoever did.
    leaves_room: bool
    digest: str
    size: int

    def left(self, reason: Reason) -> DocumentLeft:
        """It stays as it is, for `reason`."""
        face = self.face
        return DocumentLeft(face.identifier, face.version, self.form.value, self.copy, reason)


@dataclass(frozen=True, slots=True)
class ResealDocuments(Generic[Kept]):
    """Seal anew, one by one, the files in force of a stolen key of documents."""

    recorder: Recorder
    log: Log
    faces: Faces
    files: MadeFiles[Kept]
    seals: SealedFaces
    list_originals: ListOriginals
    clock: Clock

    async def __call__(
        self, call: Call, order: Order, after: str, encode: Callable[[Resealed], bytes]
    ) -> Answered:
        """The next file from a place in the log on.

        1. Which entry sealed a file under the stolen key's seal. 2. It is the newest of its copy or
        original, the stolen key's, in force. 3. The face is set and sealed again: a copy for the
        same purpose, recipient and time. 4. The file before stays on file. One entry; where the
        file cannot be set any more, the entry and the answer name it.

        Raises HubError: INTENT_EXHAUSTED, DIGEST_MISMATCH for a file that is no face,
        KEY_NOT_ACTIVE where a stolen key of codes has no successor, DECISION_STALE, and what
        sealing and storing raise.
        """
        found, place = await self._next(order, Place.read(after))
        goes_on = "" if place is None else str(place)
        if found is None:
            return await self._nothing(call, order, encode(Resealed(0, goes_on)))
        if order.left < 1:
            raise HubError(Reason.INTENT_EXHAUSTED, intent=order.stored.name, left=0)
        try:
            return await self._resealed(
                call, order, found, encode(Resealed(0, goes_on, documents=1))
            )
        except HubError as error:
            if error.reason not in _OF_THE_FILE:
                raise
            left = found.left(error.reason)
            return await self._nothing(call, order, encode(Resealed(0, goes_on, left=left)), left)

    async def _nothing(
        self, call: Call, order: Order, answer: bytes, left: DocumentLeft | None = None
    ) -> Answered:
        """Record that this call sealed nothing, and which file it passed over."""
        data: dict[str, Json] = {
            "intent": order.stored.name,
            "digest": order.approved.digest,
            "key": order.stolen.name,
            "records": 0,
        }
        if left is not None:
            data |= {
                "cert": left.identifier,
                "version": left.version,
                "media_type": left.media_type,
                "copy": left.copy,
                "reason": left.reason.value,
            }
        return await record(self.recorder, call, Change("records.resealed", data, (), (), answer))

    async def _next(self, order: Order, place: Place) -> tuple[_Found | None, Place | None]:
        """Steps 1 and 2, and where to go on; no place at the end."""
        forms = _FORMATS[order.stolen.use]
        async for bodies in self.log.bodies(place.entry):
            for entry, body in bodies:
                if entry >= order.declared:
                    return None, None
                data = parse_object(body).get("data") if body.startswith(_SEALING) else None
                if not isinstance(data, dict) or data.get("seal") != order.stolen.seal:
                    continue
                found = await self._found(order, data) if data["media_type"] in forms else None
                if found is not None:
                    return found, Place(entry + 1)
            if bodies[-1][0] - place.entry >= ENTRIES_MAX:
                return None, Place(bodies[-1][0] + 1)
        return None, None

    async def _found(self, order: Order, data: Mapping[str, Json]) -> _Found | None:
        """The file that an entry recorded, where it shall be sealed anew."""
        current = await self.faces.in_force(str(data["cert"]))
        if current is None:
            return None
        (face, check), form = current, FaceFormat(str(data["media_type"]))
        copy = str(data.get("copy", ""))
        file = await self.files.made(face, form.value, copy)
        if file is None or (copy and file.digest != data["digest"]):
            return None  # It was sealed anew already. An original may have further seals since.
        read = b"".join([chunk async for chunk in file.chunks])
        try:
            sealed = read_sealed(read, form)
            is_by = _is_by(order.stolen, sealed)
        except ProofError as error:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"file of {face.identifier}") from error
        terms = sealed.terms
        if terms is not None and not copy:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"file of {face.identifier}")
        is_over = terms is not None and terms.expire_time_us <= self.clock()
        if is_over or not is_by:
            return None
        source = await self._source(face, sealed.facts.face)
        return _Found(
            face,
            check,
            form,
            copy,
            terms,
            source,
            sealed.leaves_room,
            file.digest,
            file.size,
        )

    async def _source(self, face: FaceContent, made_of: str) -> SourceDocument | None:
        """The department's document that a marked copy names; None of what shows a face."""
        if not made_of.startswith(SOURCE_PREFIX):
            return None
        source = await self.files.brought(face, made_of.removeprefix(SOURCE_PREFIX))
        if source is None:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"document of {face.identifier}")
        return source

    def _sealing(self, order: Order, found: _Found) -> AbstractAsyncContextManager[SealedFace]:
        """Step 3, to be entered. A code by a stolen key gives way to no lookup code."""
        if found.source is not None and found.terms is not None:
            return self.seals.marked(found.face, found.source, found.terms)
        demands_key = order.stolen.use is KeyUse.FACE
        return self.seals.sealed(
            found.face,
            found.form,
            found.terms,
            demands_key=demands_key,
            closing=not found.leaves_room,
        )

    async def _resealed(self, call: Call, order: Order, found: _Found, answer: bytes) -> Answered:
        """Steps 3 and 4."""
        stolen = order.stolen
        async with self._sealing(order, found) as sealed:
            kept = await self.files.keep(
                found.face, found.form.value, sealed.data, made_as=found.copy or sealed.seal
            )
            said: dict[str, Json] = {"copy": found.copy}
            listed = None
            if not found.copy:
                listed = await self.list_originals(
                    found.face, found.form, sealed, kept.name, seal=sealed.seal
                )
                said = {"document": kept.name, "listing": listed.which.value}
            change = Change(
                "document.resealed",
                {
                    "order": order.stored.name,
                    "order_digest": order.approved.digest,
                    "key": stolen.name,
                    **said,
                    "cert": found.face.identifier,
                    "version": found.face.version,
                    "media_type": found.form.value,
                    "size_before": found.size,
                    "digest_before": found.digest,
                    "size": kept.size,
                    "digest": kept.digest,
                    "face": sealed.face,
                    "seal": sealed.seal,
                    "intent": sealed.intent,
                    **({} if sealed.code is None else {"code": sealed.code.value}),
                },
                writes=(
                    *kept.writes,
                    *sealed.writes,
                    *(() if listed is None else listed.writes),
                    uses_write(order.stored.name, (order.uses or 0) + 1),
                ),
                checks=(
                    found.check,
                    *order.checks,
                    *sealed.checks,
                    *(() if listed is None else listed.checks),
                ),
                answer=answer,
            )
            try:
                return await record(self.recorder, call, change)
            except HubError as error:
                if error.reason not in _UNSURE:
                    await self.files.discard(kept)
                raise


def _is_by(key: Key, file: SealedFile) -> bool:
    """Whether `key` sealed the file, or the code on it. Raises ProofError for what is no code."""
    if key.use is not KeyUse.FACE:
        return digest_of_key(key) in file.keys
    code = file.facts.code
    is_signed = bool(code) and not code.startswith(LOOKUP_PREFIX)
    return is_signed and face_code_key(code) == key.kid
