"""Annotated copies (加注件) made at fetch: the face for one purpose, one recipient and a time.

1. Purpose and expiry are sound.
2. A request that was answered before gets the same bytes; those that were sealed anew in their
   place, with the entry that says so; or ANSWER_STALE where they would not be given today.
3. The face is set, watermarked and sealed again by its authority; of a type without a face, the
   document that the department brought is.
4. The file is stored; copy, file and use of the seal are recorded in one entry with its digest.

The original never leaves: whoever is given a copy can show what for, and until when.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Final, Generic

import orjson

from hub.clock import Clock
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.entry import Entry
from hub.domain.face import CopyTerms, FaceContent, FaceFormat, SourceDocument
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.exchange.annotate import LIFE_DAYS_MAX
from hub.exchange.copy_store import AnnotatedCopy, insert_copy
from hub.exchange.once import AnswerOnce
from hub.exchange.ports import (
    Faces,
    FoundCertificate,
    Kept,
    MadeDocuments,
    SealedFace,
    SealedFaces,
    SharedDocument,
)
from hub.proof.exchange.request import CopyPurpose, SignedRequest
from hub.storage.statements import ENTRY_INDEX, Check

_DAY_S: Final = 86_400
_CHUNK_BYTES: Final = 256 * 1024
SOURCE_BYTES_MAX: Final = 16 * 1024 * 1024
"""A document of a department that is larger is not read into memory for a copy."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A copy's file with what the entry says of it. As `SharedDocument`.

    `resealed` is the receipt, and the entry, of what put this file in the place of the one that was
    handed out first.
    """

    name: str
    media_type: str
    size: int
    digest: str = field(repr=False)
    entry: int
    expire_time_us: int
    chunks: AsyncIterator[bytes] = field(repr=False)
    resealed: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a copy as it was decided: `said` is what entry and answer have of the
    certificate, `entry_of` makes the entry of more of it; `content` is what a retry repeats.
    `source` is the document of a type without a face, which the copy is then made of.
    """

    caller: Caller
    request: SignedRequest
    certificate: FoundCertificate
    media_type: str
    content: str
    said: Mapping[str, Json]
    checks: Sequence[Check]
    entry_of: Callable[[dict[str, Json]], Entry]
    source: SharedDocument | None = None


@dataclass(frozen=True, slots=True)
class MakeCopy(Generic[Kept]):
    """Make annotated copies, or give them out again. Whether the caller may have one was asked."""

    clock: Clock
    faces: Faces
    seals: SealedFaces
    documents: MadeDocuments[Kept]
    title: Callable[[str], str]

    async def has_face(self, certificate: FoundCertificate) -> bool:
        """Whether copies of it can be made: then nothing else is handed out."""
        type_version = await self.faces.type_version(certificate.version_id)
        code = certificate.vct.rpartition("/")[2]
        return await self.seals.has_face(code, type_version)

    async def __call__(self, once: AnswerOnce, asked: Asked) -> tuple[MadeFile, str, int]:
        """The file, the receipt and its entry; None for a format in which no faces are made.

        Raises HubError: FIELD_INVALID, REQUEST_ID_REUSED, ANSWER_STALE with the receipt, and what
        sealing, storing and recording raise.
        """
        purpose = asked.request.copy
        if purpose is None:
            rule = "what the copy is for and until when: an original is not given out"
            raise HubError(Reason.FIELD_INVALID, field="copy", rule=rule)
        face = await self.faces.read(asked.certificate.identifier)
        assert face is not None, "it was found a moment ago"
        first = await once.first(asked.request, asked.content)
        if first is not None:
            return await self._again(once, asked, face, first)
        self._check(purpose)
        return await self._made(once, asked, face, purpose)

    def _check(self, purpose: CopyPurpose) -> None:
        """Step 1; what the purpose may be was checked with the request."""
        left_s = purpose.until - self.clock() // 1_000_000
        if not 0 < left_s <= LIFE_DAYS_MAX * _DAY_S:
            rule = f"later than now, by at most {LIFE_DAYS_MAX} days"
            raise HubError(Reason.FIELD_INVALID, field="copy.until", rule=rule)

    async def _again(
        self, once: AnswerOnce, asked: Asked, face: FaceContent, before: tuple[bytes, str, int]
    ) -> tuple[MadeFile, str, int]:
        """Step 2."""
        answer, receipt, entry = before
        first: dict[str, Json] = orjson.loads(answer)
        name, until, digest = (first.get(one) for one in ("copy", "expire_time_us", "digest"))
        same = all(first.get(member) == value for member, value in asked.said.items())
        document = None
        if same and isinstance(name, str) and isinstance(until, int) and self.clock() < until:
            document = await self.documents.made(face, str(first["media_type"]), name)
        if document is None or not isinstance(until, int):
            raise HubError(Reason.ANSWER_STALE, receipt=receipt, request_id=asked.request.jti)
        made = _file(str(name), document, until)
        if document.digest != digest:
            anew = await once.recorder.receipt(document.entry)
            made = replace(made, resealed=(anew, document.entry))
        return made, receipt, entry

    async def _made(
        self, once: AnswerOnce, asked: Asked, face: FaceContent, purpose: CopyPurpose
    ) -> tuple[MadeFile, str, int]:
        """Steps 3 and 4."""
        now_us, copy_id = self.clock(), names.new_id_at(self.clock(), 16)
        title = self.title(asked.caller.authority)
        terms = CopyTerms(
            name=f"annotatedCopies/{copy_id}",
            purpose=purpose.purpose,
            recipient=title,
            maker=title,
            made_time_us=now_us - now_us % 1_000_000,
            expire_time_us=purpose.until * 1_000_000,
        )
        async with await self._sealing(asked, face, terms) as sealed:
            kept = await self.documents.keep(
                face, sealed.media_type, sealed.data, made_as=terms.name, copy_id=copy_id
            )
            said = {**asked.said, **_said(terms, sealed, kept.size, kept.digest)}
            if asked.source is not None:
                said["document_entry"] = asked.source.entry
            row = self._row(asked, terms, copy_id, kept.digest)
            try:
                receipt, entry = await once.record(
                    asked.request,
                    asked.entry_of(said),
                    (*asked.checks, *sealed.checks),
                    asked.content,
                    orjson.dumps(said),
                    writes=(insert_copy(row), *kept.writes, *sealed.writes),
                )
            except HubError as error:
                if error.reason is Reason.LOG_UNAVAILABLE:
                    raise  # Nobody knows whether a row names it: a scrub does.
                await self.documents.discard(kept)
                if error.reason is not Reason.ANSWER_STALE:
                    raise
                # The same request, at the same time, was first.
                first = await once.first(asked.request, asked.content)
                assert first is not None, "it was answered"
                return await self._again(once, asked, face, first)
        made = MadeFile(
            terms.name,
            sealed.media_type,
            kept.size,
            kept.digest,
            entry,
            terms.expire_time_us,
            _pieces(sealed.data),
        )
        return made, receipt, entry

    async def _sealing(
        self, asked: Asked, face: FaceContent, terms: CopyTerms
    ) -> AbstractAsyncContextManager[SealedFace]:
        """Step 3, to be entered."""
        if asked.source is None:
            wanted = FaceFormat(asked.media_type) if asked.media_type else None
            return self.seals.sealed(face, wanted, terms)
        return self.seals.marked(face, await _whole(asked.source), terms)

    def _row(self, asked: Asked, terms: CopyTerms, copy_id: str, digest: str) -> AnnotatedCopy:
        return AnnotatedCopy(
            id=copy_id,
            identifier=asked.certificate.identifier,
            type_code=asked.certificate.vct.rpartition("/")[2],
            authority=asked.certificate.authority,
            fields=(DOCUMENT_FIELD,),
            sd_hash=digest,
            purpose=terms.purpose,
            maker=asked.caller.name,
            maker_authority=asked.caller.authority,
            create_time_us=terms.made_time_us,
            expire_time_us=terms.expire_time_us,
            fetch_entry=ENTRY_INDEX,
            entry=ENTRY_INDEX,
        )


async def _whole(document: SharedDocument) -> SourceDocument:
    if document.size > SOURCE_BYTES_MAX:
        raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=SOURCE_BYTES_MAX)
    data = b"".join([chunk async for chunk in document.chunks])
    return SourceDocument(document.media_type, document.digest, data)


def is_made(media_type: str) -> bool:
    """Whether faces are sealed in this format; empty leaves the format open."""
    return not media_type or media_type in tuple(FaceFormat)


def _said(terms: CopyTerms, sealed: SealedFace, size: int, digest: str) -> dict[str, Json]:
    """What entry and answer say of a copy beside the certificate."""
    return {
        "media_type": sealed.media_type,
        "size": size,
        "digest": digest,
        "copy": terms.name,
        "purpose": terms.purpose,
        "expire_time_us": terms.expire_time_us,
        "face": sealed.face,
        "seal": sealed.seal,
        "intent": sealed.intent,
        **({} if sealed.code is None else {"code": sealed.code.value}),
    }


def _file(name: str, document: SharedDocument, expire_time_us: int) -> MadeFile:
    return MadeFile(
        name,
        document.media_type,
        document.size,
        document.digest,
        document.entry,
        expire_time_us,
        document.chunks,
    )


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), _CHUNK_BYTES):
        yield data[at : at + _CHUNK_BYTES]
