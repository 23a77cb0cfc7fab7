"""The change feed: what becomes of certificates, in the order of the log, to whoever may know.

The table of changes is the queue: a subscriber reads on from its place in it, so a slow one costs
no memory and loses nothing, and a restart changes nothing. Nobody is told of what the external head
does not cover yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag

from hub.clock import Clock
from hub.domain.caller import Caller, Role
from hub.domain.entry import Entry, LogHead
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.reasons import ProofError
from hub.registry.catalogue import Catalogue
from hub.registry.feed_store import (
    CHANGES_AFTER,
    NEWEST_CHANGE,
    ChangeKind,
    StoredChange,
    change_of,
)
from hub.registry.ports import Access, Database, Grants, Recorder, SubscriberKeys
from hub.storage.aead import AEAD, NONCE_BYTES
from hub.storage.encryption import KeyedDigest

# Changes of one portion: with the next one being read, the memory that a subscriber takes.
PORTION_MAX: Final = 200
STREAMS_PER_SYSTEM_MAX: Final = 4
STREAMS_MAX: Final = 256
TYPES_MAX: Final = 100
# How long a stream is silent at most, and how often its rights are judged while it waits.
HEARTBEAT_S: Final = 10.0
JUDGE_S: Final = 0.5
# How often other processes are asked for what they recorded; our own wake the feed at once.
POLL_S: Final = 0.5
_RETRY_S: Final = 5.0

_CURSOR_CHARACTERS_MAX: Final = 256
_IDENTIFIER_DOMAIN: Final = b"sealway/feed/v1\x00"
_HOLDER_DOMAIN: Final = b"sealway/feed-holder/v1\x00"
# Behind every position of an entry.
_LAST: Final = 2**62
_PLACE: Final = struct.Struct(">QQ")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the feed: what stands at it has been sent."""

    entry: int
    position: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscriber asks for; no type and no authority means all that it may know."""

    type_codes: frozenset[str] = frozenset()
    authority: str = ""

    @property
    def text(self) -> str:
        """The same filter is the same text."""
        return f"{' '.join(sorted(self.type_codes))}\n{self.authority}"


@dataclass(frozen=True, slots=True)
class Rights:
    """Of what one subscriber is told now. `own` are the authorities whose certificates are its own,
    as far as `keeps` (authority, type) says that nobody else took them over."""

    name: str
    wanted: Wanted
    granted: frozenset[str]
    own: frozenset[str]
    keeps: Callable[[str, str], bool]
    sees_all: bool

    def may_know(self, change: StoredChange) -> bool:
        """Whether the change is wanted and the subscriber's to know."""
        if change.what is ChangeKind.NOTICE and not change.reference.startswith(f"{self.name}/"):
            return False
        wanted = self.wanted
        if wanted.authority and wanted.authority != change.authority:
            return False
        if wanted.type_codes and change.type_code not in wanted.type_codes:
            return False
        # What it was given it may be told of, even where its grant has ended since.
        is_told = change.what is ChangeKind.NOTICE
        return is_told or self.is_own(change) or change.type_code in self.granted

    def is_own(self, change: StoredChange) -> bool:
        """Whether the subscriber could look the certificate up as well."""
        if self.sees_all:
            return True
        return change.authority in self.own and self.keeps(change.authority, change.type_code)


@dataclass(frozen=True, slots=True)
class ToldChange:
    """A change as one subscriber is told of it. `is_named` allows certificate and identifier."""

    change: StoredChange
    is_named: bool
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """Changes in the order of the log, the cursor behind them, and up to when that is everything.

    `through_us` is 0 where that is not known yet.
    """

    changes: tuple[ToldChange, ...]
    cursor: str
    through_us: int


@dataclass(slots=True)
class Tail:
    """How far the feed reaches: entries below `end` are recorded, signed and under the head."""

    database: Database
    head: Callable[[], LogHead]
    follow: Callable[[], Awaitable[None]]
    clock: Clock
    end: int = 0
    newest: int = -1
    through_us: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something was written by this process."""
        self._wake.set()

    async def run(self) -> None:
        """Follow the log until cancelled; what cannot be read now is read later."""
        while True:
            self._wake.clear()
            try:
                await self.refresh()
            except HubError as error:
                _log.warning('{"event":"feed_delayed","reason":"%s"}', error.reason.value)
            await _set_within(self._wake, POLL_S)

    async def refresh(self) -> None:
        """Take in what was recorded. Raises HubError where the database does not answer."""
        time_us = self.clock()
        await self.follow()
        end = self.head().size
        if end > self.end:
            found = await self.database.all(NEWEST_CHANGE, self.end, end, 1)
            self.end = end
            if found:
                self.newest = int(found[0][0] or 0)
                grown, self._grown = self._grown, asyncio.Event()
                grown.set()
        self.through_us = time_us

    async def more_than(self, place: Place, within_s: float) -> None:
        """Wait until there is a change behind `place`, or the time is over."""
        if not self.has_more(place):
            await _set_within(self._grown, within_s)

    def has_more(self, place: Place) -> bool:
        """Whether there is a change behind `place`."""
        return Place(self.newest, _LAST) > place


@dataclass(slots=True)
class WatchChanges:
    """Stream changes to one subscriber.

    1. A stream is free for this system, the filter is one that it may watch, the cursor its own.
    2. Record that it watches.
    3. Judge the caller and its grants, read on, send; and again, until it goes or has no right.
    """

    database: Database
    recorder: Recorder
    tail: Tail
    access: Access
    grants: Grants
    catalogue: Catalogue
    keys: SubscriberKeys
    identify: Callable[[], Caller]
    heartbeat_s: float = HEARTBEAT_S
    _open: dict[str, int] = field(default_factory=dict)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(self._open.values())

    async def __call__(
        self, caller: Caller, wanted: Wanted, cursor: str, request_digest: str, *, from_start: bool
    ) -> AsyncGenerator[Portion, None]:
        """Portions until the caller goes.

        Raises HubError: RATE_LIMITED, CHANGES_NOT_GRANTED, CERTIFICATE_TYPE_NOT_FOUND,
        CURSOR_INVALID, LOG_SEEN_AHEAD, and whatever ends the caller's identity meanwhile.
        """
        self._take_slot(caller.name)
        try:
            for code in wanted.type_codes:
                if self.catalogue.newest(code) is None:
                    raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=code)
            self._rights(caller, wanted)
            place = self._begin(caller, wanted, cursor, from_start=from_start)
            await self._record(caller, wanted, place, request_digest)
            async with aclosing(self._stream(caller.name, wanted, place)) as portions:
                async for portion in portions:
                    yield portion
        finally:
            self._free_slot(caller.name)

    async def _stream(
        self, name: str, wanted: Wanted, place: Place
    ) -> AsyncGenerator[Portion, None]:
        """Step 3. What is sent first is where the stream stands."""
        loop = asyncio.get_running_loop()
        pseudonyms = _Pseudonyms(self.keys.subscriber(name).digest)
        yield self._portion(name, wanted, (), place, 0)
        sent_s = loop.time()
        while True:
            rights = self._rights(self.identify(), wanted)
            end, through_us = self.tail.end, self.tail.through_us
            told: tuple[ToldChange, ...] = ()
            if self.tail.has_more(place):
                rows = await self.database.all(
                    CHANGES_AFTER, place.entry, place.position, end, PORTION_MAX
                )
                changes = [change_of(row) for row in rows]
                told = tuple(
                    self._told(one, rights, pseudonyms) for one in changes if rights.may_know(one)
                )
                if len(changes) == PORTION_MAX:
                    place = Place(changes[-1].entry, changes[-1].position)
                    through_us = changes[-1].time_us
                else:
                    place = max(place, Place(end - 1, _LAST))
            elif loop.time() - sent_s >= self.heartbeat_s:
                place = max(place, Place(end - 1, _LAST))
            if told or loop.time() - sent_s >= self.heartbeat_s:
                # A reader that is slow holds the stream here, with one portion in memory.
                yield self._portion(name, wanted, told, place, through_us)
                sent_s = loop.time()
            # On SQLite a question never suspends: others must have their turn.
            await asyncio.sleep(0)
            await self.tail.more_than(place, min(JUDGE_S, self.heartbeat_s))

    def _rights(self, caller: Caller, wanted: Wanted) -> Rights:
        """What `caller` may know of `wanted` now. Raises HubError(CHANGES_NOT_GRANTED)."""
        if caller.role is Role.AUDITOR:
            return Rights(caller.name, wanted, frozenset(), frozenset(), _nothing, sees_all=True)
        granted = self.grants.types_granted(caller.name)
        own: frozenset[str] = frozenset()
        if caller.role is Role.DEPARTMENT:
            kept = frozenset(self.access.kept(caller))
            own = kept & {wanted.authority} if wanted.authority else kept
        missing = wanted.type_codes - granted
        if not own and (missing or not granted):
            types = ", ".join(sorted(missing)) or "any type"
            raise HubError(Reason.CHANGES_NOT_GRANTED, types=types)

        def keeps(authority: str, type_code: str) -> bool:
            return authority in self.access.kept(caller, type_code)

        return Rights(caller.name, wanted, granted, own, keeps, sees_all=False)

    def _told(self, change: StoredChange, rights: Rights, pseudonyms: _Pseudonyms) -> ToldChange:
        certificate_type = self.catalogue.newest(change.type_code)
        is_public = certificate_type is not None and certificate_type.has_public_numbers
        return ToldChange(
            change,
            is_public or rights.is_own(change),
            tuple([pseudonyms(index) for index in change.holder_indexes]),
        )

    def _begin(self, caller: Caller, wanted: Wanted, cursor: str, *, from_start: bool) -> Place:
        size = self.tail.head().size
        if not cursor:
            return Place(0, 0) if from_start else Place(size - 1, _LAST)
        place = self._cipher(caller.name, wanted).read(cursor)
        if place.entry >= size:
            # Given out by a log that was longer: somebody rolled it back.
            raise HubError(Reason.LOG_SEEN_AHEAD, seen=place.entry + 1, size=size)
        return place

    def _portion(
        self,
        name: str,
        wanted: Wanted,
        told: tuple[ToldChange, ...],
        place: Place,
        through_us: int,
    ) -> Portion:
        return Portion(told, self._cipher(name, wanted).make(place), through_us)

    def _cipher(self, name: str, wanted: Wanted) -> _Cursors:
        return _Cursors(self.keys.subscriber(name).places, wanted.text)

    async def _record(
        self, caller: Caller, wanted: Wanted, place: Place, request_digest: str
    ) -> None:
        """Step 2."""
        entry = Entry(
            kind="changes.watched",
            caller=caller.name,
            key_entry=caller.enrolment_entry,
            request_id="",
            request_digest=request_digest,
            members={
                "data": {
                    "types": [*sorted(wanted.type_codes)],
                    "authority": wanted.authority,
                    "after_entry": place.entry,
                }
            },
        )
        await self.recorder.record(entry, (), ())

    def _take_slot(self, name: str) -> None:
        mine = self._open.get(name, 0)
        if mine >= STREAMS_PER_SYSTEM_MAX or self.streams >= STREAMS_MAX:
            raise HubError(Reason.RATE_LIMITED, retry_after_s=_RETRY_S)
        self._open[name] = mine + 1

    def _free_slot(self, name: str) -> None:
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]


def _nothing(_authority: str, _type_code: str) -> bool:
    """Keeps nothing of its own."""
    return False


def identifier_digest(identifier: str) -> str:
    """By what a certificate is known to whoever has its identifier already; empty for none."""
    if not identifier:
        return ""
    return b64u(hashlib.sha256(_IDENTIFIER_DOMAIN + identifier.encode()).digest())


@dataclass(frozen=True, slots=True)
class _Pseudonyms:
    """Holders under names that only one subscriber knows (formats.md §10)."""

    digest: KeyedDigest = field(repr=False)

    def __call__(self, holder_index: str) -> str:
        return b64u(self.digest(_HOLDER_DOMAIN + holder_index.encode()))


@dataclass(frozen=True, slots=True)
class _Cursors:
    """Places as texts that only this hub reads, for one subscriber and one filter."""

    cipher: AEAD = field(repr=False)
    scope: str

    def make(self, place: Place) -> str:
        nonce = os.urandom(NONCE_BYTES)
        data = _PLACE.pack(place.entry, place.position)
        return b64u(nonce + self.cipher.encrypt(nonce, data, self.scope.encode()))

    def read(self, cursor: str) -> Place:
        """The place. Raises HubError(CURSOR_INVALID)."""
        if len(cursor) > _CURSOR_CHARACTERS_MAX:
            raise HubError(Reason.CURSOR_INVALID, field="cursor")
        try:
            data = b64u_decode(cursor)
            opened = self.cipher.decrypt(
                data[:NONCE_BYTES], data[NONCE_BYTES:], self.scope.encode()
            )
        except (ProofError, InvalidTag, ValueError) as error:
            raise HubError(Reason.CURSOR_INVALID, field="cursor") from error
        return Place(*_PLACE.unpack(opened))


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
