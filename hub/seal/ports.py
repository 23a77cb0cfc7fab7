"""What seals need of others, in their own words; `server` hands it over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from hub.domain.entry import LogHead
from hub.proof.jose import RegisteredKey
from hub.storage import changes
from hub.storage.statements import Row, Statement, Value


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
