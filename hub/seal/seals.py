"""Seals and their keys as they stand: what readers, metrics and warnings are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState
from hub.errors import HubError, Reason
from hub.seal.key_operations import find_seal
from hub.seal.ports import Database
from hub.seal.seal_keys import KeyWarning, SealKeys, warnings_of
from hub.seal.seal_store import (
    COMPROMISE_OF_KEY,
    ELECTRONIC_SEAL,
    KEYS_OF_HOME,
    KEYS_OF_SEAL,
    KEYS_PAGE,
    SEALS_OF_AUTHORITY_PAGE,
    SEALS_PAGE,
    USES_OF_KEY,
    ElectronicSeal,
    Key,
    Seal,
    electronic_seal_of,
    key_of,
    seal_of,
    since_of,
    uses_of,
)
from hub.storage.statements import integer, text

_KEYS_WATCHED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key, how often it has signed, and since when (seconds) it is in other hands."""

    key: Key
    uses: int
    compromised_from: int | None = None


@dataclass(frozen=True, slots=True)
class SealView:
    """A seal, its keys that are not destroyed, and its newest electronic form."""

    seal: Seal
    keys: tuple[KeyView, ...]
    electronic: ElectronicSeal | None


@dataclass(frozen=True, slots=True)
class Seals:
    """Reading seals and keys. What is done to them are operations (`seal_operations`)."""

    database: Database
    keys: SealKeys

    async def get(self, name: str) -> SealView:
        """One seal. Raises HubError: NAME_MALFORMED, SEAL_NOT_FOUND."""
        return await self._view(await find_seal(self.database, name))

    async def page(self, authority: str, after: str, rows: int) -> list[SealView]:
        """Seals after a name, of an authority, or of all for ""."""
        if authority:
            found = await self.database.all(SEALS_OF_AUTHORITY_PAGE, authority, after, rows)
        else:
            found = await self.database.all(SEALS_PAGE, after, rows)
        return [await self._view(seal_of(row)) for row in found]

    async def key(self, name: str) -> KeyView:
        """One key. Raises HubError: NAME_MALFORMED, SEAL_KEY_NOT_FOUND."""
        key = await self.keys.get(name)
        row = await self.database.one(USES_OF_KEY, key.name)
        since = await self.database.one(COMPROMISE_OF_KEY, key.name)
        return KeyView(
            key,
            0 if row is None else int(row[0] or 0),
            None if since is None else integer(since[0]),
        )

    async def key_page(self, seal: str, after: str, rows: int) -> list[KeyView]:
        """Keys after a name, of a seal, or all for ""."""
        found = await self.database.all(KEYS_PAGE, seal, after, rows)
        return [KeyView(key_of(row), uses_of(row), since_of(row)) for row in found]

    async def electronic(self, name: str, version: int) -> ElectronicSeal:
        """A seal in electronic form, the newest for version 0.

        Raises HubError: NAME_MALFORMED, SEAL_NOT_FOUND, also where it has no such form.
        """
        seal = await find_seal(self.database, name)
        wanted = version or seal.version
        row = await self.database.one(ELECTRONIC_SEAL, name, wanted)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=f"{name} (electronic form {wanted})")
        return electronic_seal_of(row)

    async def expiries(self) -> list[tuple[str, int]]:
        """Name and end (microseconds) of the chain of every key in force; at most 10,000."""
        rows = await self.database.all(KEYS_PAGE, "", "", _KEYS_WATCHED_MAX)
        keys = [key for key in map(key_of, rows) if key.state is KeyState.ACTIVE]
        return [(_label(key), key.not_after_us or 0) for key in keys]

    async def _view(self, seal: Seal) -> SealView:
        rows = await self.database.all(KEYS_OF_SEAL, seal.name)
        keys = tuple([KeyView(key_of(row), uses_of(row), since_of(row)) for row in rows])
        row = await self.database.one(ELECTRONIC_SEAL, seal.name, seal.version)
        alive = tuple([one for one in keys if one.key.state is not KeyState.DESTROYED])
        return SealView(seal, alive, None if row is None else electronic_seal_of(row))


def _label(key: Key) -> str:
    """What a metric calls a key: its seal and use, so that a rotation keeps the series."""
    return f"{key.seal}/{key.use.value}" if key.seal else key.use.value


@dataclass(frozen=True, slots=True)
class HomeCompared:
    """Where a home and the rows of its keys differ, by ids: `nobodys` live there and no row knows
    them, or knows them as destroyed, as a hub leaves them that ended between making or destroying a
    key and recording it; `gone` do not live there, and shall sign or wait for their certificate."""

    nobodys: list[str]
    gone: list[str]


async def compare_home(database: Database, home: str, here: frozenset[str]) -> HomeCompared:
    """The rows of the keys in `home` beside those that live there."""
    known: dict[str, str] = {}
    async for rows in database.scan(KEYS_OF_HOME, home):
        known |= {text(kid): text(state) for kid, state in rows}
    destroyed, needed = KeyState.DESTROYED, (KeyState.ACTIVE, KeyState.REQUESTED)
    return HomeCompared(
        sorted(kid for kid in here if known.get(kid, destroyed) == destroyed),
        sorted(kid for kid, state in known.items() if state in needed and kid not in here),
    )


async def keys_to_see_to(database: Database, now_us: int) -> list[tuple[str, list[KeyWarning]]]:
    """What officers must see to, by seal, use and key; of the first 10,000 keys."""
    found: list[tuple[str, list[KeyWarning]]] = []
    for row in await database.all(KEYS_PAGE, "", "", _KEYS_WATCHED_MAX):
        key = key_of(row)
        warned = warnings_of(key, uses_of(row), now_us)
        if warned:
            found.append((f"{_label(key)} ({key.name})", warned))
    return found


async def seals_without_sm2(database: Database) -> list[str]:
    """Keys of SM2 that seals lack where the profile `gm` demands them, as `SEAL USE:SM2`: beside
    one of another algorithm for records, or for PDF; of the first 10,000 keys."""
    rows = await database.all(KEYS_PAGE, "", "", _KEYS_WATCHED_MAX)
    keys = [key for key in map(key_of, rows) if key.seal and key.state is KeyState.ACTIVE]
    national = {(key.seal, key.use) for key in keys if key.algorithm is KeyAlgorithm.SM2}
    demanded = {(key.seal, key.use) for key in keys if key.use in (KeyUse.RECORD, KeyUse.PDF)}
    return sorted(f"{seal} {use.value}:SM2" for seal, use in demanded - national)
