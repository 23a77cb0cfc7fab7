"""What exchange needs of its peers, in exchange's words; `server` hands it over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from hub.domain.caller import Caller
from hub.domain.certificate import Grade, Origin, State
from hub.domain.certificate_type import CertificateType
from hub.domain.entry import Entry, LogHead, Recorded, Remember, Remembered
from hub.domain.face import CodeKind, CopyTerms, FaceContent, FaceFormat, SourceDocument
from hub.domain.holder import Holder
from hub.domain.on_file import OnFile
from hub.domain.service_item import ServiceItem
from hub.proof.jose import RegisteredKey
from hub.proof.records.disclosure import Disclosure
from hub.storage.statements import Check, Write


class Recorder(Protocol):
    """The one way to write."""

    async def record(
        self,
        entry: Entry,
        writes: Sequence[Write],
        checks: Sequence[Check],
        *,
        remember: Remember | None = None,
        log_seen: LogHead | None = None,
    ) -> Recorded:
        """Durable, signed and under the external head when it returns.

        Raises AlreadyRecorded when (caller, request id) was answered before;
        HubError(DECISION_STALE) when a check differs: decide again once;
        HubError(LOG_UNAVAILABLE): nothing may leave;
        HubError(LOG_SEEN_AHEAD): the caller has seen more of the log than there is.
        """
        ...

    async def remembered(self, caller: str, request_id: str) -> Remembered | None:
        """What was answered under this id before."""
        ...

    async def receipt(self, index: int) -> str:
        """The receipt that entry `index` was given, byte for byte."""
        ...


class OpenedEntry(Protocol):
    """An entry of the log with its body, proven to stand there."""

    @property
    def index(self) -> int: ...
    @property
    def caller(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class Disclosures(Protocol):
    """Which entries disclosed what."""

    def of(self, certificate: str) -> AsyncIterator[OpenedEntry]:
        """The entries by which values of the version with this identifier left, oldest first."""
        ...


class FoundCertificate(Protocol):
    """One version on file, as far as a disclosure needs it."""

    @property
    def version_id(self) -> str: ...
    @property
    def identifier(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def vct(self) -> str: ...
    @property
    def authority(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def state_entry(self) -> int: ...
    @property
    def objected(self) -> Sequence[str]:
        """The fields to which somebody objects now."""
        ...

    @property
    def check(self) -> Check:
        """That this is still the state on which a decision is based."""
        ...

    @property
    def is_linked(self) -> bool:
        """Whether its seal names another identifier of the holder than the one asked for, or
        none."""
        ...

    async def disclosures(self, names: Container[str]) -> Sequence[Disclosure]:
        """The disclosures with these names in `_sd` order; decrypted when asked."""
        ...


class Certificates(Protocol):
    """What is on file."""

    async def by_identifier(self, identifier: str) -> FoundCertificate | None:
        """The version with this identifier, its state judged now."""
        ...

    async def by_holder(
        self, holder_type: str, number: str, vct: str
    ) -> Sequence[FoundCertificate]:
        """Newest versions of this type of the holder, links followed, newest issue first; at most
        20."""
        ...

    async def trust(self, version_id: str) -> tuple[Grade, Origin]:
        """How far a version that was found can be trusted, and what it was made from."""
        ...


class SharedDocument(Protocol):
    """A document on file. The chunks raise DIGEST_MISMATCH, BLOB_MISSING and BLOBS_UNAVAILABLE; no
    byte of them was not authenticated."""

    @property
    def media_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def entry(self) -> int: ...
    @property
    def chunks(self) -> AsyncIterator[bytes]: ...


class SharedDocuments(Protocol):
    """The documents of certificates on file."""

    async def newest(self, version_id: str, media_type: str) -> SharedDocument | None:
        """The newest document of a version, of this media type unless it is empty.

        Raises HubError(KEY_UNAVAILABLE) where it was erased.
        """
        ...

    async def has(self, version_id: str, digest: str) -> bool:
        """Whether a document of the version has this digest."""
        ...

    async def identifiers_with(self, digest: str) -> Sequence[str]:
        """Identifiers of the versions that have a document with this digest, at most 20."""
        ...


class Faces(Protocol):
    """Certificates as their faces show them."""

    async def read(self, identifier: str) -> FaceContent | None:
        """The version with this identifier, whole. Raises HubError(KEY_UNAVAILABLE)."""
        ...

    async def type_version(self, version_id: str) -> int:
        """In which version of its type a certificate version was issued."""
        ...


class SealedFace(Protocol):
    """A sealed file, and what must be recorded with it."""

    @property
    def media_type(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def seal(self) -> str: ...
    @property
    def intent(self) -> str: ...
    @property
    def face(self) -> str: ...
    @property
    def code(self) -> CodeKind | None: ...
    @property
    def writes(self) -> Sequence[Write]: ...
    @property
    def checks(self) -> Sequence[Check]: ...


class SealedFaces(Protocol):
    """Who sets and seals faces."""

    async def has_face(self, type_code: str, type_version: int) -> bool:
        """Whether certificates of this version of a type are set in an approved template."""
        ...

    def sealed(
        self, content: FaceContent, wanted: FaceFormat | None, terms: CopyTerms | None
    ) -> AbstractAsyncContextManager[SealedFace]:
        """An annotated copy under the authority's seal, in any format for None; record its writes
        before the context ends. Raises HubError as the seals do."""
        ...

    def marked(
        self, content: FaceContent, source: SourceDocument, terms: CopyTerms
    ) -> AbstractAsyncContextManager[SealedFace]:
        """An annotated copy of a document that the department brought, where its type has no face;
        as `sealed`. Raises HubError(COPY_NOT_MADE) for what cannot be marked."""
        ...


class UnrecordedDocument(Protocol):
    """Bytes that are stored and that no row names yet."""

    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def writes(self) -> Sequence[Write]: ...


Kept = TypeVar("Kept", bound=UnrecordedDocument)


class MadeDocuments(Protocol[Kept]):
    """Where files that the hub made are kept."""

    async def keep(
        self, face: FaceContent, media_type: str, data: bytes, *, made_as: str, copy_id: str = ""
    ) -> Kept:
        """Store `data`; durable on return, on file once its writes are recorded.

        Raises HubError: KEY_UNAVAILABLE, BLOBS_UNAVAILABLE.
        """
        ...

    async def discard(self, document: Kept) -> None:
        """Remove what was not recorded."""
        ...

    async def made(self, face: FaceContent, media_type: str, copy: str) -> SharedDocument | None:
        """The newest file of the annotated copy with this name.

        Raises HubError(KEY_UNAVAILABLE) where it was erased.
        """
        ...


class CertificateTypes(Protocol):
    """The catalogue, in memory."""

    def newest(self, code: str) -> CertificateType | None:
        """The newest version of the type with this 21-character code."""
        ...

    def check(self) -> Check:
        """That no type changed since it was read."""
        ...


class Seals(Protocol):
    """Who vouches."""

    async def record_seal(self, version_id: str) -> str:
        """The compact JWS that seals this version. Raises HubError(DIGEST_MISMATCH)."""
        ...

    async def sm2_twin(self, version_id: str) -> str:
        """Its SM2 twin over the same payload; empty where there is none."""
        ...


class Access(Protocol):
    """Who is calling."""

    def key(self, kid: str) -> RegisteredKey | None:
        """The signing key registered under `kid`."""
        ...

    def check(self, caller: Caller) -> Check:
        """That nothing about identities changed since `caller` was judged."""
        ...

    def answers_for(self, caller: Caller, what: str, defining: str) -> bool:
        """Whether the caller's authority has the credit code `defining`, or has succeeded the one
        that has, as to `what`: a type's code, or `items/` and an item's."""
        ...

    def has_system(self, name: str) -> bool:
        """Whether an active system has this name."""
        ...


class ServiceItems(Protocol):
    """The items of the catalogue, in memory."""

    def item(self, code: str) -> ServiceItem | None:
        """The newest version of an item that is in force."""
        ...

    def check(self) -> Check:
        """That no item changed since it was read."""
        ...


class CertificatesOnFile(Protocol):
    """What is on file, for a plan."""

    async def find(
        self, wanted: Mapping[tuple[Holder, str], frozenset[str]]
    ) -> Mapping[tuple[Holder, str], Sequence[OnFile]]:
        """The newest versions for each (holder, type code), all in one question; `wanted` names
        the fields whose values matter."""
        ...

    def unchanged(self, certificate: OnFile) -> Check:
        """That its version is still in the state on which a decision is based."""
        ...
