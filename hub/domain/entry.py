"""What an operation tells the log: the content of one entry, before it has a place in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.strict_json import Json


@dataclass(slots=True)  # Freezing would multiply the cost of making one.
class Entry:
    """One entry-to-be (formats.md §6). The holder never stands in it.

    `members` are those that belong to the kind: for `fetch` from `grant_digest` to `certificates`,
    for all other kinds the single member `data`. The recorder adds version, origin, region, time
    and the digest of the written rows. `request_digest` is over the request as received.
    """

    kind: str
    caller: str
    key_entry: int
    request_id: str
    request_digest: str
    members: Mapping[str, Json]
    retention_class: str = "evidence"
    # Identifiers of the certificates about which values leave with the entry: by these it is found
    # again when one of them turns out to be wrong.
    disclosed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogHead:
    """A checkpoint of the log: `root` is 32 bytes in base64url."""

    origin: str
    size: int
    root: str

    def claim(self) -> dict[str, Json]:
        """The claim `log` of requests and status lists, and `log_seen` of entries."""
        return {"origin": self.origin, "size": self.size, "root": self.root}


@dataclass(slots=True)  # Freezing would multiply the cost of making one.
class Remember:
    """How a call is recognised when it comes again, and what is kept to answer it.

    The key is (`caller`, `request_id`); `method` and `content` (a digest) are compared. `answer` is
    parameters, never plaintext of personal data.
    """

    caller: str
    request_id: str
    method: str
    content: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry that is durable: its index, its time and the receipt to hand out."""

    index: int
    time_us: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call that was answered before."""

    index: int
    method: str
    content: str
    answer: bytes


class AlreadyRecorded(Exception):
    """The (caller, request id) was answered before; `remembered` says with what.

    Raised by the recorder instead of recording twice. Not an error of the caller's.
    """

    def __init__(self, remembered: Remembered) -> None:
        self.remembered = remembered
        super().__init__(f"answered in entry {remembered.index}")
