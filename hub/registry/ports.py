"""What the registry needs of others, in its own words; `server` hands it over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from hub.domain.caller import Caller
from hub.domain.certificate import State
from hub.domain.face import CodeKind, CopyTerms, FaceContent, FaceFormat, Listing
from hub.domain.receiver import Received
from hub.domain.record import Record, SealedRecord, SealingOrder
from hub.proof.jose import RegisteredKey
from hub.proof.sealing.documents import SignedDocument
from hub.storage.changes import Recorder as Recorder
from hub.storage.encryption import Subscriber
from hub.storage.statements import Check, Row, Statement, Value, Write


class Database(Protocol):
    """Questions to the database."""

    async def all(self, statement: Statement, *args: Value) -> list[Row]:
        """Every row that answers, at most 10,000."""
        ...

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        """The single row that answers, or None."""
        ...

    def scan(
        self, statement: Statement, *args: Value, page: int = 1000
    ) -> AsyncIterator[list[Row]]:
        """All rows that answer, page by page."""
        ...


class Access(Protocol):
    """Who is calling, in memory."""

    def key(self, kid: str, /) -> RegisteredKey | None:
        """The signing key registered under `kid`."""
        ...

    def check(self, caller: Caller) -> Check:
        """That nothing about identities changed since `caller` was judged."""
        ...

    def answers_for(self, caller: Caller, what: str, defining: str) -> bool:
        """Whether the caller's authority has the credit code `defining`, or has succeeded the one
        that has, as to `what`: a type's code, or `items/` and an item's."""
        ...

    def authority_of(self, system: str) -> str | None:
        """Credit code of the authority of `systems/{system}`, while that may call."""
        ...

    def kept(self, caller: Caller, type_code: str = "") -> Sequence[str]:
        """The authorities whose certificates of a type the caller's authority keeps: its own first,
        then those that it has succeeded as to the type. Without a type, as to any."""
        ...

    def keeper(self, authority: str, type_code: str) -> str | None:
        """The authority that keeps now what `authority` issued of a type, or None."""
        ...

    def level(self, caller: Caller) -> int:
        """Of the caller's authority: 1 nation, 2 province, 3 city, 4 county, 5 other."""
        ...

    def enrolled_us(self, system: str) -> int:
        """When `systems/{system}` was first enrolled. Raises HubError(SYSTEM_NOT_FOUND)."""
        ...


class SealedBatch(Protocol):
    """What sealing came to: records in their order, and what must be recorded with them."""

    @property
    def records(self) -> Sequence[SealedRecord]: ...
    @property
    def writes(self) -> Sequence[Write]: ...
    @property
    def checks(self) -> Sequence[Check]: ...


Batch = TypeVar("Batch", bound=SealedBatch)


class RecordSeals(Protocol[Batch]):
    """Who vouches."""

    async def seal(
        self,
        order: SealingOrder,
        records: Sequence[Record],
        retired: Sequence[tuple[str, str]],
    ) -> Batch:
        """Seal `records`; mark `retired` versions (version id, status place) as invalid.

        Nothing is durable before its writes are recorded under its checks. Raises
        HubError(INTENT_NOT_APPROVED), (INTENT_EXHAUSTED), (KEY_UNAVAILABLE).
        """
        ...

    def publish(self, batch: Batch) -> None:
        """Show the statuses that a durable batch changed."""
        ...


class RecordStatuses(Protocol[Batch]):
    """Who shows in which state a sealed version is."""

    def mark(self, versions: Sequence[tuple[str, str, State]]) -> Batch:
        """The statuses of versions (version id, status place, state), to be recorded."""
        ...

    def publish(self, batch: Batch) -> None:
        """Show the statuses that a durable batch changed."""
        ...


class HolderKeys(Protocol):
    """The keyed hash of holders and of whatever else must not be guessed from its digest."""

    @property
    def holder_key_id(self) -> str: ...

    def holder_index(self, holder_type: str, number: str) -> str:
        """HMAC under the key `holder_key_id`, base64url; both parts are bound into it."""
        ...

    def content_digest(self, content: str) -> str:
        """A keyed hash of a content that a plain digest would let be guessed; the same key."""
        ...


class Receivers(Protocol):
    """Who was given what."""

    def of(self, identifier: str) -> AsyncIterator[Received]:
        """What left of the version with this identifier, entry by entry, oldest first."""
        ...


class Blobs(Protocol):
    """Stored bytes by their digest."""

    async def write(self, stream: AsyncIterator[bytes]) -> str:
        """Keep what `stream` yields; its digest. Durable on return; nothing where it raises.

        Raises HubError(BLOBS_UNAVAILABLE).
        """
        ...

    def read(self, digest: str) -> AsyncIterator[bytes]:
        """The bytes, in pieces. Raises HubError: BLOB_MISSING, DIGEST_MISMATCH at the end at the
        latest, BLOBS_UNAVAILABLE.
        """
        ...

    async def remove(self, digest: str) -> None:
        """Take the bytes away; nothing where there are none. Raises HubError(BLOBS_UNAVAILABLE)."""
        ...


class DataKey(Protocol):
    """One data key, unwrapped."""

    @property
    def id(self) -> str: ...

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt; opens only under the same `context`."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext. Raises HubError(DIGEST_MISMATCH)."""
        ...


Key_co = TypeVar("Key_co", bound=DataKey, covariant=True)


class DataKeys(Protocol[Key_co]):
    """Data keys by id."""

    def new(self, data_key_id: str, retention_class: str) -> tuple[Key_co, Write]:
        """A fresh key, and the row that must be recorded with what it encrypts."""
        ...

    def new_stream_key(self) -> bytes:
        """A key for one stream and never for a second one."""
        ...

    def absent(self, data_key_id: str) -> Check:
        """That no key has this id."""
        ...

    async def find(self, data_key_id: str) -> Key_co | None:
        """The key, or None where there is none."""
        ...

    async def get(self, data_key_id: str) -> Key_co:
        """The key. Raises HubError(KEY_UNAVAILABLE)."""
        ...


class SubscriberKeys(Protocol):
    """The keys under which subscribers of the change feed know holders."""

    def subscriber(self, name: str) -> Subscriber:
        """Those of the system `name`; the same in every process of one hub."""
        ...


class Grants(Protocol):
    """Who may have what, in memory."""

    def types_granted(self, recipient: str) -> frozenset[str]:
        """The codes of the types for which `systems/{system}` has a grant in force now."""
        ...

    def fields_granted(self, recipient: str, type_code: str) -> frozenset[str]:
        """The fields of a type that its grants in force now name, taken together."""
        ...

    def check(self) -> Check:
        """That no grant changed since this was answered."""
        ...


class SealedFile(Protocol):
    """A file that a seal has sealed, and what of it was signed."""

    @property
    def media_type(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def signed(self) -> SignedDocument: ...
    @property
    def seal(self) -> str: ...


class SealedFace(SealedFile, Protocol):
    """A sealed face, and what must be recorded with it."""

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


class ListedFiles(Protocol):
    """Whether a record names its files now, and what must be recorded with it."""

    @property
    def which(self) -> Listing: ...
    @property
    def writes(self) -> Sequence[Write]: ...
    @property
    def checks(self) -> Sequence[Check]: ...


class ListFiles(Protocol):
    """Who seals records anew that name their files."""

    async def __call__(
        self,
        version_id: str,
        stored: int,
        sealed: SealedFile,
        name: str,
        docs: tuple[str, str],
        *,
        seal: str,
    ) -> ListedFiles:
        """The record of a version that entry `stored` put on file, by the keys of `seal`, with
        another disclosure of `docs` now that `sealed` is there. Raises HubError as the seals do."""
        ...


class SealedFaces(Protocol):
    """Who sets and seals faces."""

    def sealed(
        self,
        content: FaceContent,
        wanted: FaceFormat | None,
        terms: CopyTerms | None,
        *,
        closing: bool,
    ) -> AbstractAsyncContextManager[SealedFace]:
        """The face under the authority's seal, an original without `terms`, which takes others
        unless it is `closing`; record its writes before the context ends. Raises HubError as the
        seals do."""
        ...

    def further(
        self, content: FaceContent, original: bytes, *, closing: bool
    ) -> AbstractAsyncContextManager[SealedFace]:
        """`original`, an OFD, with another seal; as `sealed`."""
        ...
