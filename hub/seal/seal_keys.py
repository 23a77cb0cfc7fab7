"""The keys of a seal: which one signs now, how often it has, and when it must be renewed.

Every part that seals asks `SealKeys.usable`; nothing else decides whether a seal may sign.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState, SealState
from hub.errors import HubError, Reason
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import AlgorithmTable, Subject
from hub.seal.keys import KeyHome, KeyOrder, MadeKey, SigningKey
from hub.seal.ports import Database
from hub.seal.seal_store import (
    ACTIVE_KEYS,
    KEY_BY_NAME,
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

    key: Key
    signing: SigningKey
    uses: int | None
    # None for the hub's own keys.
    seal: Seal | None

    def writes(self, count: int) -> tuple[Write, ...]:
        """That it has signed `count` times more."""
        return (key_uses_write(self.key.name, (self.uses or 0) + count),)

    def checks(self) -> tuple[Check, ...]:
        """That seal, key and number of signatures are as they were read."""
        return (
            *(() if self.seal is None else (unchanged_seal(self.seal),)),
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
    # Raises HubError(STAMPS_OVERDUE) where nothing may be sealed for want of time stamps.
    stamped: Callable[[], None] | None = None
    # Whether SM2 seals every record, as twin, and every PDF, alone: so in the profile `gm`.
    demands_sm2: bool = False
    _opened: dict[str, SigningKey] = field(default_factory=dict, repr=False)

    async def usable(
        self, seal_name: str, use: KeyUse, algorithm: KeyAlgorithm, count: int
    ) -> UsableKey:
        """The key of a seal that may sign `count` times now.

        Raises HubError: SEAL_NOT_FOUND; SEAL_NOT_MADE, SEAL_SUSPENDED, SEAL_REVOKED, SEAL_ENDED by
        the seal's state; KEY_NOT_ACTIVE where it has no such key in force; KEY_EXPIRED;
        KEY_EXHAUSTED; ALGORITHM_RETIRED; STAMPS_OVERDUE; and what the key's home raises.
        """
        row = await self.database.one(SEAL_BY_NAME, seal_name)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=seal_name)
        seal = seal_of(row)
        if seal.state is not SealState.ACTIVE:
            raise HubError(_REFUSALS[seal.state], name=seal.name)
        keys = await self.in_force(seal.name, use, algorithm)
        if not keys:
            raise HubError(Reason.KEY_NOT_ACTIVE, seal=seal.name, use=use, algorithm=algorithm)
        return await self._usable(keys[0], seal, count)

    async def twin(self, usable: UsableKey, count: int) -> UsableKey | None:
        """The SM2 key of the seal of `usable`, a key of records, where it has one: what it signs
        are twins (docs/adr/0049).

        One that may not sign now stops the batch: a record without the twin that its seal promises
        would be found out years later. Raises HubError: TWIN_CUSTODY, and as `usable`.
        """
        seal = usable.key.seal
        if not await self.in_force(seal, KeyUse.RECORD, KeyAlgorithm.SM2):
            if self.demands_sm2:
                raise HubError(
                    Reason.KEY_NOT_ACTIVE,
                    seal=seal,
                    use=KeyUse.RECORD,
                    algorithm=KeyAlgorithm.SM2,
                )
            return None
        twin = await self.usable(seal, KeyUse.RECORD, KeyAlgorithm.SM2, count)
        if twin.signing.custody is not usable.signing.custody:
            raise HubError(Reason.TWIN_CUSTODY, key=twin.key.name, other=usable.key.name)
        return twin

    async def maker(self, name: str) -> UsableKey:
        """The hub's own key that may make one seal now.

        Raises HubError: SEAL_KEY_NOT_FOUND, KEY_NOT_ACTIVE, KEY_EXPIRED, KEY_EXHAUSTED,
        ALGORITHM_RETIRED, STAMPS_OVERDUE, and what the key's home raises.
        """
        key = await self.get(name)
        if key.use is not KeyUse.MAKER or key.state is not KeyState.ACTIVE:
            raise HubError(
                Reason.KEY_NOT_ACTIVE, seal="-", use=KeyUse.MAKER, algorithm=key.algorithm
            )
        return await self._usable(key, None, 1)

    async def _usable(self, key: Key, seal: Seal | None, count: int) -> UsableKey:
        if self.stamped is not None:
            self.stamped()
        self.algorithms.check(key.algorithm, self.clock())
        self._check_time(key)
        used = await self.database.one(USES_OF_KEY, key.name)
        uses = None if used is None else int(used[0] or 0)
        check_uses(key, uses or 0, count)
        return UsableKey(key, await self.open(key), uses, seal)

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

    def check_makeable(self, home_name: str, algorithm: KeyAlgorithm, use: KeyUse) -> KeyHome:
        """The home, where keys of `algorithm` for `use` may be made now.

        Raises HubError: FIELD_INVALID for an unknown home, or one of a department for a maker's
        key; ALGORITHM_RETIRED, ALGORITHM_NOT_HERE.
        """
        home = self.home(home_name)
        self.algorithms.check(algorithm, self.clock())
        if algorithm not in home.algorithms:
            raise HubError(Reason.ALGORITHM_NOT_HERE, algorithm=algorithm.value, home=home.name)
        if use is KeyUse.MAKER and home.custody is Custody.DEPARTMENT:
            # Its signer compares what it signs with rows that the department sent.
            rule = "another home: a department's signer makes no electronic seals"
            raise HubError(Reason.FIELD_INVALID, field="home", rule=rule)
        return home

    async def make(
        self,
        home: KeyHome,
        algorithm: KeyAlgorithm,
        use: KeyUse,
        subject: Subject,
        order: KeyOrder,
    ) -> MadeKey:
        """Make a key; it is durable on return, and nothing knows it before it is recorded.

        Raises HubError: ALGORITHM_RETIRED, and what the home raises.
        """
        self.algorithms.check(algorithm, self.clock())
        return await asyncio.to_thread(home.create, algorithm, use, subject, order)

    async def notice(self, homes: Iterable[str], mandate: Mandate, rejection: str = "") -> None:
        """Tell these homes, as `KeyHome.notice`. Raises HubError where one was not told."""
        for name in homes:
            await asyncio.to_thread(self.home(name).notice, mandate, rejection)

    async def get(self, name: str) -> Key:
        """The key of this name. Raises HubError: NAME_MALFORMED, SEAL_KEY_NOT_FOUND."""
        names.parse(name, "keys/{key}")
        row = await self.database.one(KEY_BY_NAME, name)
        if row is None:
            raise HubError(Reason.SEAL_KEY_NOT_FOUND, name=name)
        return key_of(row)

    async def in_force(self, seal_name: str, use: KeyUse, algorithm: KeyAlgorithm) -> list[Key]:
        """The active keys of a seal (of the hub for "") for a use and algorithm: one or none."""
        rows = await self.database.all(ACTIVE_KEYS, seal_name, use.value)
        return [key for key in map(key_of, rows) if key.algorithm is algorithm]

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


class KeyWarning(StrEnum):
    """What an officer must see to."""

    ENDS_IN_30_DAYS = "ends-in-30-days"
    ENDS_IN_7_DAYS = "ends-in-7-days"
    ENDS_IN_1_DAY = "ends-in-1-day"
    ENDED = "ended"
    NEARLY_USED_UP = "nearly-used-up"


def warnings_of(key: Key, uses: int, now_us: int) -> list[KeyWarning]:
    """What must be seen to of a key; nothing of one that is not active."""
    if key.state is not KeyState.ACTIVE:
        return []
    found = []
    left_us = (key.not_after_us or 0) - now_us
    passed = [warning for days, warning in _MARKS if left_us <= days * _DAY_US]
    if passed:
        found.append(passed[-1])
    if key.uses_max and uses * 100 >= key.uses_max * USES_WARNED_PERCENT:
        found.append(KeyWarning.NEARLY_USED_UP)
    return found


# The last mark that was passed counts.
_MARKS: Final = (
    (30, KeyWarning.ENDS_IN_30_DAYS),
    (7, KeyWarning.ENDS_IN_7_DAYS),
    (1, KeyWarning.ENDS_IN_1_DAY),
    (0, KeyWarning.ENDED),
)
