"""All identities in memory: who a connection is, whose key a signature is made with.

A snapshot never changes; the directory exchanges it. What is decided on a snapshot carries the
check that its version still is the newest one, so a decision made on an old snapshot is never
recorded.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Never, TypeVar

from hub.access.identity import Authority, Officer, System, SystemState
from hub.access.ports import Database, Stored
from hub.access.store import (
    ALL_AUTHORITIES,
    ALL_KEYS,
    ALL_OFFICERS,
    ALL_SYSTEMS,
    VERSION_NOW,
    KeyLine,
    authority_of,
    key_line_of,
    officer_of,
    system_of,
    version_check,
    version_of,
    version_question,
)
from hub.domain.caller import Caller, Role
from hub.errors import HubError, Reason
from hub.proof.encoding import parse_object
from hub.proof.jose import Algorithm, RegisteredKey, public_key_from_jwk
from hub.storage.statements import Check, Row, Statement

REFRESH_S: Final = 0.5
"""A change made by another process counts within a second: this long plus loading."""

UNCONFIRMED_S_MAX: Final = 5.0
"""Longest time for which a snapshot is believed when the database does not answer."""

_LOG: Final = logging.getLogger("sealway.access")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a client certificate belongs to. Officers have no authority and generation 0."""

    name: str
    role: Role
    authority: str
    authority_uscc: str
    enrolment_entry: int
    x509_thumbprint: str
    x509_expire_time_us: int
    generation: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything access knew at `version`. Resources are kept in the order of their names.

    `peers` goes by thumbprint, `keys` by key id, both present ones only; `used` holds every
    thumbprint and key id ever enrolled.
    """

    version: int
    authorities: Mapping[str, Authority]
    systems: Mapping[str, System]
    officers: Mapping[str, Officer]
    peers: Mapping[str, Peer]
    keys: Mapping[str, RegisteredKey]
    used: frozenset[str]

    def responsible(self, what: str, defining: str) -> str | None:
        """The authority that answers for `what` now, a type's code or `items/` and an item's: the
        one with the credit code `defining`, or whoever has succeeded it.

        None where nobody is registered for it, or a split left it to nobody.
        """
        current = next((one for one in self.authorities.values() if one.uscc == defining), None)
        return self._last(current, what)

    def keeper(self, authority: str, type_code: str) -> str | None:
        """The authority that keeps now what `authority` issued of a type: itself until it was
        succeeded, then whoever took the type over."""
        return self._last(self.authorities.get(authority), type_code)

    def predecessors(self, authority: str) -> frozenset[str]:
        """All authorities that `authority` has succeeded in something, and those before them."""
        before = {
            name: set(one.successors) for name, one in self.authorities.items() if one.successors
        }
        found: set[str] = set()
        ahead = {authority}
        while ahead:
            ahead = {name for name, to in before.items() if to & ahead} - found
            found |= ahead
        return frozenset(found)

    def _last(self, current: Authority | None, what: str) -> str | None:
        """Who stands at the end of the line of successors as to `what`."""
        # Successors were live when they succeeded, so the way has an end.
        for _ in range(len(self.authorities)):
            if current is None or not current.successors:
                break
            to = dict(current.entrusted).get(what)
            if to is None and len(current.successors) == 1:
                to = current.successors[0]
            current = self.authorities.get(to) if to is not None else None
        return None if current is None or current.successors else current.name

    def peer_of(self, name: str) -> Peer | None:
        """The system or officer of this name, while it may call."""
        member = self.systems.get(name) or self.officers.get(name)
        return None if member is None else self.peers.get(member.x509_thumbprint)


_NONE: Final[Mapping[str, Never]] = MappingProxyType({})
_NOTHING: Final = Snapshot(-1, _NONE, _NONE, _NONE, _NONE, _NONE, frozenset())


@dataclass(slots=True)
class Directory:
    """The newest snapshot. `refresh` once before the first call; keep `watch` running."""

    database: Database
    _snapshot: Snapshot = _NOTHING
    _confirmed_s: float = field(default=float("-inf"))
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def current(self) -> Snapshot:
        """The newest snapshot.

        Raises HubError(DATABASE_UNAVAILABLE) where nobody confirmed it for `UNCONFIRMED_S_MAX`:
        whoever was revoked meanwhile must not be let in.
        """
        if time.monotonic() - self._confirmed_s > UNCONFIRMED_S_MAX:
            raise HubError(
                Reason.DATABASE_UNAVAILABLE, retry_after_s=1.0, rule="identities are unconfirmed"
            )
        return self._snapshot

    def key(self, kid: str) -> RegisteredKey | None:
        """The key registered under `kid` for a system or officer that may sign now."""
        return self.current.keys.get(kid)

    def version_check(self, caller: Caller) -> Check:
        """The identities on which `caller` was judged are still the newest ones."""
        return version_check(caller.generation)

    def authority(self, name: str) -> Authority:
        """Raises HubError(AUTHORITY_NOT_FOUND)."""
        return _found(self.current.authorities, name, Reason.AUTHORITY_NOT_FOUND)

    def system(self, name: str) -> System:
        """Raises HubError(SYSTEM_NOT_FOUND)."""
        return _found(self.current.systems, name, Reason.SYSTEM_NOT_FOUND)

    def officer(self, name: str) -> Officer:
        """Raises HubError(OFFICER_NOT_FOUND)."""
        return _found(self.current.officers, name, Reason.OFFICER_NOT_FOUND)

    async def refresh(self) -> None:
        """What was committed before this call counts when it returns."""
        async with self._loading:
            begun = time.monotonic()
            version = await self._version()
            if version != self._snapshot.version:
                self._snapshot = await self._load()
            self._confirmed_s = begun

    async def watch(self) -> None:
        """Refresh until cancelled. A database that does not answer is asked again."""
        while True:
            try:
                await self.refresh()
            except HubError as error:
                _LOG.warning('{"event":"access_refresh_failed","reason":"%s"}', error.reason.value)
            await asyncio.sleep(REFRESH_S)

    async def _version(self) -> int:
        return version_of(await self.database.one(VERSION_NOW, *version_question()))

    async def _load(self) -> Snapshot:
        async with self.database.snapshot() as stored:
            return make_snapshot(
                version_of(await stored.one(VERSION_NOW, *version_question())),
                [authority_of(row) async for row in _rows(stored, ALL_AUTHORITIES)],
                [system_of(row) async for row in _rows(stored, ALL_SYSTEMS)],
                [officer_of(row) async for row in _rows(stored, ALL_OFFICERS)],
                [key_line_of(row) async for row in _rows(stored, ALL_KEYS)],
                known=self._snapshot.keys,
            )


def make_snapshot(
    version: int,
    authorities: list[Authority],
    systems: list[System],
    officers: list[Officer],
    lines: list[KeyLine],
    *,
    known: Mapping[str, RegisteredKey],
) -> Snapshot:
    """The snapshot of what the tables hold; keys in `known` are not parsed again."""
    by_name = {authority.name: authority for authority in authorities}
    peers = {
        system.x509_thumbprint: _system_peer(system, by_name)
        for system in systems
        if system.state is SystemState.ACTIVE
    }
    # An officer leaves with the keys: no row of officers says it.
    ends = {line.x509_thumbprint: line.end_time_us for line in lines}
    officers = [replace(one, end_time_us=ends.get(one.x509_thumbprint)) for one in officers]
    peers.update(
        {one.x509_thumbprint: _officer_peer(one) for one in officers if one.end_time_us is None}
    )
    keys: dict[str, RegisteredKey] = {}
    used: set[str] = set()
    for line in lines:
        used.update((line.x509_thumbprint, line.x509_key_id))
        if not line.signing_key_id:
            continue
        used.add(line.signing_key_id)
        if line.end_time_us is None:
            keys[line.signing_key_id] = known.get(line.signing_key_id) or _registered(line)
    return Snapshot(
        version,
        MappingProxyType(by_name),
        MappingProxyType({system.name: system for system in systems}),
        MappingProxyType({officer.name: officer for officer in officers}),
        MappingProxyType(peers),
        MappingProxyType(keys),
        frozenset(used),
    )


async def _rows(stored: Stored, statement: Statement) -> AsyncIterator[Row]:
    async for page in stored.scan(statement):
        for row in page:
            yield row


def _system_peer(system: System, authorities: Mapping[str, Authority]) -> Peer:
    authority = authorities[system.authority]
    return Peer(
        system.name,
        system.role,
        authority.name,
        authority.uscc,
        system.enrolment_entry,
        system.x509_thumbprint,
        system.x509_expire_time_us,
        authority.generation,
    )


def _officer_peer(officer: Officer) -> Peer:
    return Peer(
        officer.name,
        Role.OFFICER,
        "",
        "",
        officer.enrolment_entry,
        officer.x509_thumbprint,
        officer.x509_expire_time_us,
        0,
    )


def _registered(line: KeyLine) -> RegisteredKey:
    public_key = public_key_from_jwk(parse_object(line.signing_jwk))
    return RegisteredKey(
        line.signing_key_id, Algorithm.ES256, line.signing_use, line.owner, public_key
    )


def _found(resources: Mapping[str, _T], name: str, reason: Reason) -> _T:
    resource = resources.get(name)
    if resource is None:
        raise HubError(reason, name=name)
    return resource
