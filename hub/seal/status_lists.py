"""Status lists: which sealed versions are still valid, for whoever verifies offline.

The database is the truth; the lists are held in memory and follow each entry that changes them, of
this process at once and of others within a second. A version gets a random place that was never
used before, in a list that keeps more than half of its places as decoys, so that a place tells
nothing about when or what was sealed. Each process draws from lists of its own, so no two of them
ever draw the same place.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.entry import LogHead
from hub.errors import HubError, Reason
from hub.proof.jose import Signer
from hub.proof.records.status_list import Status, StatusClaims, StatusList, sign_status_list
from hub.seal.ports import Database
from hub.seal.store import ALL_PLACES, ALL_STATUS, LIST_IN_USE, STATUS_SINCE
from hub.storage.statements import integer

LIST_PLACES: Final = 2**17
LIST_PLACES_USED_MAX: Final = LIST_PLACES // 2
TOKEN_LIFE_S: Final = 300
TOKEN_AGE_MAX_S: Final = 60
REPLICAS_MAX: Final = 16
LISTS_MAX: Final = 4096 * REPLICAS_MAX
"""Highest number of a list; replica r of at most 16 opens the numbers r + 1, r + 17, …"""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One place that reads `value` from now on."""

    list_number: int
    place: int
    value: Status


@dataclass(slots=True)
class _Token:
    """A token that was built at `built_us` on the list as it was after `changes` changes; `twin` is
    the same payload signed with SM2, or empty."""

    text: str
    twin: str
    built_us: int
    changes: int


@dataclass(slots=True)
class _List:
    statuses: StatusList = field(default_factory=lambda: StatusList(LIST_PLACES))
    used: bytearray = field(default_factory=lambda: bytearray(LIST_PLACES))
    used_n: int = 0
    changes: int = 0
    token: _Token | None = None


@dataclass(slots=True)
class StatusLists:
    """All lists of one hub. `load` once before the first use."""

    origin: str
    region: str
    database: Database
    signer: Signer
    clock: Clock
    head: Callable[[], LogHead]
    replica: int = 0
    # In the profile `gm`: what signs the SM2 twins.
    twin: Signer | None = None
    # The newest entry whose changes are shown.
    _entry: int = -1
    _lists: dict[int, _List] = field(default_factory=dict)
    # Places are drawn by the threads that seal.
    _drawing: threading.Lock = field(default_factory=threading.Lock)

    async def load(self) -> None:
        """Read every status there is."""
        lists: dict[int, _List] = {}
        async for rows in self.database.scan(ALL_PLACES):
            for number, place in rows:
                one = lists.setdefault(integer(number), _List())
                one.used[integer(place)] = 1
                one.used_n += 1
        newest = -1
        async for rows in self.database.scan(ALL_STATUS):
            for number, place, value, entry in rows:
                lists[integer(number)].statuses.set(integer(place), Status(integer(value)))
                newest = max(newest, integer(entry))
        with self._drawing:
            self._lists, self._entry = lists, newest

    async def refresh(self) -> None:
        """Show what other processes changed."""
        for number, place, value, entry in await self.database.all(STATUS_SINCE, self._entry):
            self.publish([StatusChange(integer(number), integer(place), Status(integer(value)))])
            self._entry = max(self._entry, integer(entry))

    def uri(self, number: int) -> str:
        """Where list `number` is published."""
        return f"https://{self.origin}/status/{number}"

    def draw(self, count: int) -> list[tuple[int, int]]:
        """`count` places (list, place) that are never given out again. Any thread may call.

        What was drawn and not recorded is lost until the next start, which harms nobody.
        Raises HubError(STATUS_LIST_NOT_FOUND) when no further list may be opened.
        """
        drawn: list[tuple[int, int]] = []
        with self._drawing:
            first = 1 + self.replica
            number = max(
                (n for n in self._lists if n % REPLICAS_MAX == first % REPLICAS_MAX), default=first
            )
            one = self._lists.setdefault(number, _List())
            while len(drawn) < count:
                if one.used_n >= LIST_PLACES_USED_MAX:
                    number += REPLICAS_MAX
                    if number > LISTS_MAX:
                        raise HubError(Reason.STATUS_LIST_NOT_FOUND, name=f"statusLists/{number}")
                    one = self._lists.setdefault(number, _List())
                place = secrets.randbits(17)
                if not one.used[place]:
                    one.used[place] = 1
                    one.used_n += 1
                    drawn.append((number, place))
        return drawn

    def publish(self, changes: Sequence[StatusChange]) -> None:
        """Show changes whose entry is durable."""
        for change in changes:
            one = self._lists.setdefault(change.list_number, _List())
            one.statuses.set(change.place, change.value)
            one.changes += 1

    async def token(self, number: int) -> str:
        """The signed list, built anew after a change and at least once a minute.

        Raises HubError(STATUS_LIST_NOT_FOUND).
        """
        return (await self._token(number)).text

    async def sm2_token(self, number: int) -> str:
        """Its SM2 twin; empty where the hub is not of the profile `gm`. Raises as `token`."""
        return (await self._token(number)).twin

    async def _token(self, number: int) -> _Token:
        one = self._lists.get(number)
        if one is None:
            # Another process may have opened it.
            if await self.database.one(LIST_IN_USE, number, 1) is None:
                raise HubError(Reason.STATUS_LIST_NOT_FOUND, name=f"statusLists/{number}")
            one = self._lists.setdefault(number, _List())
        now_us = self.clock()
        token = one.token
        fresh = token is not None and now_us - token.built_us < TOKEN_AGE_MAX_S * 1_000_000
        if token is None or not fresh or token.changes != one.changes:
            token = one.token = self._build(number, one, now_us)
        return token

    def _build(self, number: int, one: _List, now_us: int) -> _Token:
        now = now_us // 1_000_000
        head = self.head()
        claims = StatusClaims(
            iss=self.origin,
            uri=self.uri(number),
            origin=self.origin,
            region=self.region,
            iat=now,
            exp=now + TOKEN_LIFE_S,
            ttl=TOKEN_AGE_MAX_S,
            log=head if head.size else None,
        )
        lst = one.statuses.compress()
        twin = sign_status_list(claims, lst, self.twin) if self.twin is not None else ""
        return _Token(sign_status_list(claims, lst, self.signer), twin, now_us, one.changes)
