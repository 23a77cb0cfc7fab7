"""What seals need of others, in their own words; `server` hands it over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.domain.entry import Entry, LogHead, Recorded, Remember, Remembered
from hub.proof.jose import RegisteredKey
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


class Recorder(Protocol):
    """The one way to write."""

    async def record(
        self,
        entry: Entry,
        writes: Sequence[Write],
        checks: Sequence[Check],
        *,
        remember: Remember | None = None,
    ) -> Recorded:
        """Durable, signed and receipted when it returns.

        `ENTRY_INDEX` in a row becomes the entry's index. Raises AlreadyRecorded;
        HubError(DECISION_STALE) where a check differs; HubError(LOG_UNAVAILABLE).
        """
        ...

    async def remembered(self, caller: str, request_id: str) -> Remembered | None:
        """What this caller was answered before under this id."""
        ...

    async def receipt(self, index: int) -> str:
        """The receipt of an entry as it was first handed out."""
        ...

    def head(self) -> LogHead:
        """The newest signed head."""
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


class Officers(Protocol):
    """Who may approve, in memory."""

    def approval_key(self, kid: str, /) -> RegisteredKey | None:
        """The approval key registered under `kid`; its owner is `officers/{officer}`."""
        ...

    def key_entry(self, officer: str) -> int | None:
        """The log entry that enrolled the officer's approval key."""
        ...


class Types(Protocol):
    """The catalogue, in memory."""

    def newest_version(self, code: str) -> int | None:
        """The newest version of the type with this 21-character code."""
        ...
