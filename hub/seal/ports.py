"""What seals need of others, in their own words; `server` hands it over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hub.domain.caller import Caller
from hub.domain.certificate_type import CertificateType
from hub.domain.entry import LogHead
from hub.domain.face import FaceContent, FaceFormat, Listing, SourceDocument
from hub.domain.strict_json import Json
from hub.proof.officers.roster import Approved, Roster
from hub.proof.sealing.documents import SignedDocument
from hub.storage import changes
from hub.storage.changes import Call, Change
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


class Recorder(changes.Recorder, Protocol):
    """The one way to write, and how far the log reaches."""

    def head(self) -> LogHead:
        """The newest signed head."""
        ...

    async def follow(self) -> None:
        """Take over what other processes have recorded."""
        ...


class Opened(Protocol):
    """An entry of the log, opened."""

    @property
    def body(self) -> bytes:
        """The entry's JSON."""
        ...


class Proofs(Protocol):
    """The readable side of the log."""

    async def proven(self, index: int) -> Opened:
        """The entry at `index`, which stands in the tree that the external head covers.

        Raises HubError: ENTRY_NOT_FOUND, KEY_UNAVAILABLE where it was erased, DIGEST_MISMATCH.
        """
        ...


class Log(Proofs, Protocol):
    """The log, also from one entry to the next, and what proves it to others."""

    def covers(self, index: int) -> bool:
        """Whether the root that is signed covers entry `index`."""
        ...

    async def proven_receipt(self, index: int, size: int) -> str:
        """The receipt of the entry at `index`, proven again in the log of `size`. Raises as
        `proven`."""
        ...

    def bodies(self, first: int) -> AsyncIterator[Sequence[tuple[int, bytes]]]:
        """Number and body of every entry from `first` on, proven, and none of them left out.

        Raises HubError: KEY_UNAVAILABLE where one was erased, DIGEST_MISMATCH.
        """
        ...

    async def writes(self, index: int) -> bytes:
        """What is kept beside the body of entry `index`: [table, key, row digest] of each row that
        it wrote, as JSON. Believed only as far as the body has its digest.

        Raises HubError(ENTRY_NOT_FOUND).
        """
        ...

    async def receipts_now(self, indexes: Sequence[int]) -> list[str]:
        """Receipts of entries, all under the newest checkpoint.

        Raises HubError: ENTRY_NOT_FOUND, KEY_UNAVAILABLE, DIGEST_MISMATCH.
        """
        ...


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """What a seal says of its authority: credit code and name."""

    uscc: str
    title: str


class Authorities(Protocol):
    """The register of authorities, in memory."""

    def facts(self, name: str) -> AuthorityFacts | None:
        """Credit code and name now in use of `authorities/{authority}`, or None."""
        ...


class Access(Protocol):
    """Who is calling, and who answers for a type, in memory."""

    def check(self, caller: Caller) -> Check:
        """That nothing about identities changed since `caller` was judged."""
        ...

    def facts(self, name: str) -> AuthorityFacts | None:
        """Credit code and name now in use of `authorities/{authority}`, or None."""
        ...

    def responsible(self, what: str, defining: str) -> str | None:
        """The authority that answers for what the credit code `defining` defined, or has succeeded
        it; None where none is registered."""
        ...


class Officers(Protocol):
    """Who is enrolled, in memory."""

    def key_entry(self, officer: str) -> int | None:
        """The log entry that enrolled the officer's approval key."""
        ...


class Rosters(Protocol):
    """Who may approve, and how many it takes: believed only as far as log and officers prove it."""

    @property
    def newest(self) -> Roster:
        """The roster as last read. Raises HubError(ROSTER_MISSING)."""
        ...

    async def current(self) -> Roster:
        """The roster as it is now. Raises HubError: ROSTER_MISSING, ROSTER_BROKEN."""
        ...

    def check(self) -> Check:
        """That the roster as last read still is the newest."""
        ...


class Operation(Protocol):
    """What one kind of intent does, once enough officers approved it.

    A component offers its operations to `server`, which hands them to `Intents` by kind.
    """

    async def prepare(self, call: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """The kind's own members, from those that `call` proposes: what follows from others is
        filled in, and what could not be executed is refused here already.

        Raises HubError with everything that is wrong.
        """
        ...

    async def execute(self, call: Call, approved: Approved) -> Change:
        """What shall be recorded, decided on what is true now; its answer is a JSON object for
        whoever executes. Writes nothing itself; asked again where something changed meanwhile.
        """
        ...

    async def refresh(self) -> None:
        """Renew what is decided on in memory: before deciding again and after every change."""
        ...


class Types(Protocol):
    """The catalogue, in memory."""

    def newest_version(self, code: str) -> int | None:
        """The newest version of the type with this 21-character code."""
        ...


class PublishedType(Protocol):
    """One version of a type, as published."""

    @property
    def type(self) -> CertificateType:
        """What it says."""
        ...


class Catalogue(Protocol):
    """The catalogue with its types, in memory."""

    def find(self, code: str, version: int = 0) -> PublishedType | None:
        """A version of a type; 0 means the newest."""
        ...

    def check(self) -> Check:
        """That this snapshot is still the newest."""
        ...

    async def refresh(self) -> None:
        """Load what others published."""
        ...


class Faces(Protocol):
    """Certificates as their faces show them."""

    async def in_force(self, identifier: str) -> tuple[FaceContent, Check] | None:
        """The version with this identifier, where it is in force, and that it stays so.

        Raises HubError: KEY_UNAVAILABLE where its values were erased, DIGEST_MISMATCH.
        """
        ...


class MadeFile(Protocol):
    """A file that the hub made, as it is kept."""

    @property
    def size(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def chunks(self) -> AsyncIterator[bytes]: ...


class KeptFile(Protocol):
    """Bytes that are stored, and what must be recorded so that they are on file."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def writes(self) -> Sequence[Write]: ...


Kept = TypeVar("Kept", bound=KeptFile)


class MadeFiles(Protocol[Kept]):
    """Where files that the hub made are kept."""

    async def made(self, face: FaceContent, media_type: str, copy: str) -> MadeFile | None:
        """The newest file of the annotated copy with this name, or of the original for "".

        Raises HubError(KEY_UNAVAILABLE) where it was erased; reading raises DIGEST_MISMATCH,
        BLOB_MISSING, BLOBS_UNAVAILABLE.
        """
        ...

    async def brought(self, face: FaceContent, digest: str) -> SourceDocument | None:
        """The document with this digest that the department brought. Raises as `made`."""
        ...

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


class ListedOriginals(Protocol):
    """Whether a record names its originals now, and what must be recorded with it."""

    @property
    def which(self) -> Listing: ...
    @property
    def writes(self) -> Sequence[Write]: ...
    @property
    def checks(self) -> Sequence[Check]: ...


class ListOriginals(Protocol):
    """Who names the originals of a version in its record."""

    async def __call__(
        self, face: FaceContent, form: FaceFormat, sealed: SealedFile, name: str, *, seal: str
    ) -> ListedOriginals:
        """With `sealed`, in `form`, as the newest, called `name`, by the keys of `seal`. Raises
        HubError as documents and seals do."""
        ...


class TimeStamps(Protocol):
    """A time stamping service (RFC 3161)."""

    def stamp(self, data: bytes) -> bytes:
        """The token over `data`, verified.

        Raises HubError(TIME_STAMP_UNAVAILABLE): no answer, or one that does not hold.
        """
        ...
