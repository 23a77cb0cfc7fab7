"""The keys of a seal: which one signs now, how often it has, and when it must be renewed.

Every part that seals asks `SealKeys.usable`; nothing else decides whether a seal may sign.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import SealState
from hub.errors import HubError, Reason
from hub.seal.algorithms import AlgorithmTable, Subject
from hub.seal.keys import KeyHome, MadeKey, SigningKey
from hub.seal.ports import Database
from hub.seal.seal_store import (
    ACTIVE_KEYS,
    KEYS_OF_SEAL,
    SEAL_BY_NAME,
    USES_OF_KEY,
    Key,
    Seal,
    key_of,
    key_uses_write,
    seal_of,
    unchanged_key,
    unchanged_key_uses,
    unchanged_seal,
)
from hub.storage.statements import Check, Write

_DAY_US: Final = 86_400 * 1_000_000
WARNING_DAYS: Final = (30, 7, 1)
"""How long before the end of its certificate a key is warned about."""
USES_WARNED_PERCENT: Final = 90

_REFUSALS: Final = {
    SealState.APPLIED: Reason.SEAL_NOT_MADE,
    SealState.SUSPENDED: Reason.SEAL_SUSPENDED,
    SealState.REVOKED: Reason.SEAL_REVOKED,
    SealState.ENDED: Reason.SEAL_ENDED,
}


@dataclass(frozen=True, slots=True)
class UsableKey:
    """A key that may sign now. What it signs is recorded with `writes` under `checks`."""

    seal: Seal
    key: Key
    signing: SigningKey
    uses: int | None

    def writes(self, count: int) -> tuple[Write, ...]:
        """That it has signed `count` times more."""
        return (key_uses_write(self.key.name, (self.uses or 0) + count),)

    def checks(self) -> tuple[Check, ...]:
        """That seal, key and number of signatures are as they were read."""
        return (
            unchanged_seal(self.seal),
            unchanged_key(self.key),
            unchanged_key_uses(self.key.name, self.uses),
        )


@dataclass(frozen=True, slots=True)
class SealKeys:
    """The keys of seals, opened where they rest and kept open."""

    database: Database
    homes: Mapping[str, KeyHome]
    algorithms: AlgorithmTable
    clock: Clock
    _opened: dict[str, SigningKey] = field(default_factory=dict, repr=False)

    async def usable(
        self, seal_name: str, use: KeyUse, algorithm: KeyAlgorithm, count: int
    ) -> UsableKey:
        """The key of a seal that may sign `count` times now.

        Raises HubError: SEAL_NOT_FOUND; SEAL_NOT_MADE, SEAL_SUSPENDED, SEAL_REVOKED, SEAL_ENDED by
        the seal's state; KEY_NOT_ACTIVE where it has no such key in force; KEY_EXPIRED;
        KEY_EXHAUSTED; ALGORITHM_RETIRED; and what the key's home raises.
        """
        row = await self.database.one(SEAL_BY_NAME, seal_name)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=seal_name)
        seal = seal_of(row)
        if seal.state is not SealState.ACTIVE:
            raise HubError(_REFUSALS[seal.state], name=seal.name)
        rows = await self.database.all(ACTIVE_KEYS, seal.name, use.value)
        keys = [key for key in map(key_of, rows) if key.algorithm is algorithm]
        if not keys:
            raise HubError(Reason.KEY_NOT_ACTIVE, seal=seal.name, use=use, algorithm=algorithm)
        key = keys[0]
        self.algorithms.check(key.algorithm, self.clock())
        self._check_time(key)
        used = await self.database.one(USES_OF_KEY, key.name)
        uses = None if used is None else int(used[0] or 0)
        check_uses(key, uses or 0, count)
        return UsableKey(seal, key, await self.open(key), uses)

    async def of_seal(self, seal_name: str) -> list[Key]:
        """Every key that a seal has or had; those of the hub itself for ""."""
        return [key_of(row) for row in await self.database.all(KEYS_OF_SEAL, seal_name)]

    def home(self, name: str) -> KeyHome:
        """The home of this name. Raises HubError(FIELD_INVALID)."""
        home = self.homes.get(name)
        if home is None:
            known = ", ".join(sorted(self.homes))
            raise HubError(Reason.FIELD_INVALID, field="home", rule=f"one of: {known}")
        return home

    async def make(
        self, home_name: str, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject
    ) -> tuple[MadeKey, KeyHome]:
        """Make a key; it is durable on return, and nothing knows it before it is recorded.

        Raises HubError: FIELD_INVALID for an unknown home, ALGORITHM_RETIRED, ALGORITHM_NOT_HERE,
        and what the home raises.
        """
        home = self.home(home_name)
        self.algorithms.check(algorithm, self.clock())
        return await asyncio.to_thread(home.create, algorithm, use, subject), home

    async def open(self, key: Key) -> SigningKey:
        """`key` from its home. Raises HubError(KEY_UNAVAILABLE)."""
        known = self._opened.get(key.kid)
        if known is None or known.x509_chain != key.x509_chain:
            # What it costs to open a key belongs on no loop.
            known = await asyncio.to_thread(
                self.home(key.home).open, key.kid, key.algorithm, key.use, key.x509_chain
            )
            self._opened[key.kid] = known
        return known

    def forget(self, key: Key) -> None:
        """Let go of a key that has ended."""
        self._opened.pop(key.kid, None)

    def close(self) -> None:
        """Let go of every home."""
        for home in self.homes.values():
            home.close()

    def _check_time(self, key: Key) -> None:
        now = self.clock()
        # What was sealed outside the certificate's life would verify nowhere.
        if not (key.not_before_us or 0) <= now < (key.not_after_us or 0):
            raise HubError(Reason.KEY_EXPIRED, key=key.name)


def check_uses(key: Key, uses: int, count: int) -> None:
    """Refuse what goes beyond the key's limit. Raises HubError(KEY_EXHAUSTED)."""
    if key.uses_max and uses + count > key.uses_max:
        raise HubError(Reason.KEY_EXHAUSTED, key=key.name, left=max(key.uses_max - uses, 0))


@dataclass(frozen=True, slots=True)
class Warning:
    """What an officer must see to: `days` left of a certificate, or `percent` of uses gone."""

    key: str
    seal: str
    days: int | None
    percent: int | None


def warnings(keys: Sequence[tuple[Key, int]], now_us: int) -> list[Warning]:
    """Which of these active keys, each with its uses, end within 30 days or are nearly used up.

    `days` is rounded up to the mark that was passed (30, 7 or 1; 0 where it has ended).
    """
    found = []
    for key, uses in keys:
        left_us = (key.not_after_us or 0) - now_us
        marks = [mark for mark in WARNING_DAYS if left_us <= mark * _DAY_US]
        days = None if not marks else 0 if left_us <= 0 else marks[-1]
        percent = uses * 100 // key.uses_max if key.uses_max else 0
        warned = percent if percent >= USES_WARNED_PERCENT else None
        if days is not None or warned is not None:
            found.append(Warning(key.name, key.seal, days, warned))
    return found


def key_name(kid: str) -> str:
    """The resource name of the key with this thumbprint: ids are lower case, thumbprints are not.

    Folding 43 characters of base64url leaves more than 200 bits apart.
    """
    return f"keys/k-{kid.replace('_', '-').lower()}"
