"""What the ledger needs from outside: a place for its head, and someone who watches."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from hub.storage.database import Transaction

T = TypeVar("T")


class HeadMoved(Exception):
    """The external head is not the one expected: another writer has the log."""


class ExternalHead(Protocol):
    """The newest signed checkpoint, kept apart from the database and never rolled back with it."""

    async def read(self) -> str | None:
        """The checkpoint, or None where there never was one. Raises HubError(LOG_UNAVAILABLE)."""
        ...

    async def create(self, checkpoint: str) -> None:
        """Keep the first checkpoint, durably. Raises HeadMoved where one stands already."""
        ...

    async def advance(self, expected: str, checkpoint: str) -> None:
        """Replace `expected` by `checkpoint` in one step, durable on return.

        Raises HeadMoved where another stands there, HubError(LOG_UNAVAILABLE) where it cannot be
        written; then whether it was written is open.
        """
        ...


class TimeStamps(Protocol):
    """A time stamping service (RFC 3161)."""

    def stamp(self, data: bytes) -> bytes:
        """The verified token over `data`. Blocks its thread for as long as the network does.

        Raises HubError(TIME_STAMP_UNAVAILABLE): no answer, or one that does not hold.
        """
        ...


@runtime_checkable
class BlockingHead(Protocol):
    """An external head that can also be advanced without an event loop."""

    def advance_now(self, expected: str, checkpoint: str) -> None:
        """As `ExternalHead.advance`; blocks the thread that calls it."""
        ...


@runtime_checkable
class CommittingThread(Protocol):
    """A database that can go on to something else in the thread that has committed."""

    async def transact_then(
        self,
        work: Callable[[Transaction], Coroutine[object, object, T]],
        then: Callable[[T], object],
        *,
        is_short: bool,
    ) -> T:
        """As `Database.transact`, with `then` called after the commit; it must not raise.

        Work that `is_short` may hold the event loop for as long as its statements take.
        """
        ...


@dataclass(slots=True)
class Observer:
    """What the recorder shows of itself; read by readiness and metrics, written by the recorder.

    Times are microseconds since 1970, 0 before the first.
    """

    # Called after each epoch with its entries and its duration in seconds.
    on_epoch: Callable[[int, float], None] | None = None
    # Called after each epoch that wrote rows of a domain.
    on_rows: Callable[[], None] | None = None
    epoch_time_us: int = 0
    signature_time_us: int = 0
    epochs: int = 0
    entries: int = 0
    stale: int = 0
    failed_epochs: int = 0
    ungrouped_epochs: int = 0
    last_epoch_entries: int = 0
    last_epoch_duration_us: int = 0
    is_recording: bool = False
