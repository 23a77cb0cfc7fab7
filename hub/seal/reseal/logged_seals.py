"""The records that a key sealed, as the log has them and not as rows do.

Whoever writes to the database and holds a stolen key could put a seal of his own there, to have it
sealed anew. So what is sealed anew is found by reading the log: each entry that sealed records
names the digest of every row that it wrote, and stands in the tree before the entry that declared
the key stolen. What no entry names is never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.domain.seal_key import KeyAlgorithm
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, parse_object
from hub.proof.log.row import row_digest
from hub.proof.records.status_list import Status
from hub.proof.sealing.anew import COMPROMISED, SEALING, recorded_rows
from hub.seal.keys import LogEvidence
from hub.seal.ports import Database, Log
from hub.seal.seal_store import COMPROMISE_ENTRY, Key
from hub.seal.store import (
    PAST_SEALS,
    SEAL_ENTRY,
    SEALS_ASKED,
    SEALS_OF_VERSIONS,
    SIGNATURES,
    Sealed,
    sealed_of,
)
from hub.storage.statements import Row, integer, text

ENTRIES_MAX: Final = 100_000
"""How many entries one search reads at most."""
LOOKED_MAX: Final = 10_000
"""How many seals it looks up at most."""

# Bodies begin alike; the others need no parsing.
_SEALING: Final = tuple([f'{{"v":1,"kind":"{kind}"'.encode() for kind in SEALING])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search goes on: the entry, and the seal in it."""

    entry: int = 0
    seal: int = 0

    @classmethod
    def read(cls, text: str) -> Place:
        """The place in `text`, the first for an empty one. Raises HubError(FIELD_INVALID)."""
        entry, _, seal = (text or "0.0").partition(".")
        if not (entry.isdecimal() and seal.isdecimal()):
            raise HubError(Reason.FIELD_INVALID, field="page_token", rule="one that was given")
        return cls(int(entry), int(seal))

    def __str__(self) -> str:
        return f"{self.entry}.{self.seal}"


@dataclass(frozen=True, slots=True)
class LoggedSeal:
    """A version's seal as it stands, and the entry that recorded it so."""

    entry: int
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class LoggedSeals:
    """The log and the rows that it names."""

    database: Database
    log: Log

    async def declaration(self, key: Key) -> int:
        """The entry that declared `key` stolen. Raises HubError(DIGEST_MISMATCH) where the log has
        none such."""
        row = await self.database.one(COMPROMISE_ENTRY, key.name)
        body: dict[str, Json] = {}
        if row is not None:
            body = parse_object((await self.log.proven(integer(row[0]))).body)
        data = body.get("data")
        if (
            row is None
            or body.get("kind") != COMPROMISED
            or not isinstance(data, dict)
            or (data.get("key"), data.get("key_id")) != (key.name, key.kid)
        ):
            raise HubError(Reason.DIGEST_MISMATCH, what=f"declaration of {key.name}")
        return integer(row[0])

    async def next(
        self, key: Key, before: int, place: Place, count: int
    ) -> tuple[list[LoggedSeal], Place | None]:
        """The next seals by `key` that are in force and were recorded before entry `before`, at
        most `count`; where to go on, None at the end.

        Raises HubError: DIGEST_MISMATCH for a row that differs from what was recorded last, and as
        `Log.bodies`.
        """
        search = _Search(self, key, count)
        async for bodies in self.log.bodies(place.entry):
            for entry, body in bodies:
                if entry >= before:
                    return search.found, None
                if not body.startswith(_SEALING):
                    continue
                first = place.seal if entry == place.entry else 0
                stopped = await search.entry(entry, body, first)
                if stopped is not None:
                    return search.found, stopped
            if bodies[-1][0] - place.entry >= ENTRIES_MAX:
                return search.found, Place(bodies[-1][0] + 1)
        return search.found, None

    async def recorded(self, sealed: Sealed, stored: int) -> tuple[str, bytes] | None:
        """What of the log shows that `sealed` was recorded: a receipt of the entry under the newest
        checkpoint, and the digests of its rows; entry `stored` put the version on file. None where
        neither that one nor the one that a row names has recorded it so.

        Raises HubError: ENTRY_NOT_FOUND, KEY_UNAVAILABLE, DIGEST_MISMATCH.
        """
        row = await self.database.one(SEAL_ENTRY, sealed.version_id)
        entry = stored if row is None else integer(row[0])
        body = (await self.log.proven(entry)).body
        writes = await self.log.writes(entry)
        rows = recorded_rows(body, writes, SIGNATURES.name)
        if not body.startswith(_SEALING) or not _is_recorded(sealed, rows):
            return None
        (receipt,) = await self.log.receipts_now([entry])
        return receipt, writes

    async def evidence(self, declared: int, found: Sequence[LoggedSeal]) -> LogEvidence:
        """What of the log shows that `found` were sealed before entry `declared` declared the
        theft, the entries in the order of `found`. Raises as `Log.receipts_now`."""
        entries = list(dict.fromkeys(one.entry for one in found))
        declaration, *receipts = await self.log.receipts_now([declared, *entries])
        writes = [await self.log.writes(entry) for entry in entries]
        return LogEvidence(declaration, list(zip(receipts, writes, strict=True)))


@dataclass(slots=True)
class _Search:
    """One search: what it is after, and what it has found."""

    seals: LoggedSeals
    key: Key
    count: int
    found: list[LoggedSeal] = field(default_factory=list)
    _looked: int = 0

    async def entry(self, entry: int, body: bytes, first: int) -> Place | None:
        """Look up what `entry` sealed from seal `first` on; where to go on if this is enough."""
        writes = await self.seals.log.writes(entry)
        rows = recorded_rows(body, writes, SIGNATURES.name)
        wanted = f"/{self.key.algorithm.value}"
        versions = [key.removesuffix(wanted) for key in rows if key.endswith(wanted)]
        for at in range(first, len(versions), SEALS_ASKED):
            if self._looked >= LOOKED_MAX:
                return Place(entry, at)
            asked = versions[at : at + SEALS_ASKED]
            self._looked += len(asked)
            stored = await self._stored(asked)
            for number, version_id in enumerate(asked, at):
                if len(self.found) == self.count:
                    return Place(entry, number)
                # One that is not there was erased since.
                if version_id in stored:
                    await self._judge(entry, stored[version_id], rows)
        return None

    async def _stored(self, versions: Sequence[str]) -> dict[str, Sealed]:
        """The seals of some versions as they are stored now."""
        padded = [*versions, *[versions[-1]] * (SEALS_ASKED - len(versions))]
        rows = await self.seals.database.all(SEALS_OF_VERSIONS, *padded)
        return {one.version_id: one for one in map(sealed_of, rows)}

    async def _judge(self, entry: int, sealed: Sealed, rows: dict[str, str]) -> None:
        """Take a seal in where it is the key's, as this entry recorded it, and in force."""
        if self.key.kid not in [seal.key_id for seal in sealed.seals]:
            return
        if not _is_recorded(sealed, rows):
            await self._check_replaced(sealed, rows)
        # What is superseded or has ended reads invalid: nobody needs a seal on it.
        elif sealed.status is not Status.INVALID:
            self.found.append(LoggedSeal(entry, sealed))

    async def _check_replaced(self, sealed: Sealed, rows: dict[str, str]) -> None:
        """What this entry recorded was replaced since, by what another entry recorded.

        Raises HubError(DIGEST_MISMATCH) where nothing that was kept is what it recorded.
        """
        algorithm = self.key.algorithm
        recorded = rows[f"{sealed.version_id}/{algorithm.value}"]
        is_twin = algorithm is not KeyAlgorithm.ES256
        place: Row = (None, None) if is_twin else (sealed.status_list, sealed.status_place)
        for row in await self.seals.database.all(PAST_SEALS, sealed.version_id):
            key_id, *rest = row
            past = (sealed.version_id, algorithm.value, key_id, *rest, *place)
            if b64u(row_digest((*past, sealed.retention_class))) == recorded:
                return
        raise HubError(Reason.DIGEST_MISMATCH, what=f"record seal of version {sealed.version_id}")


def _is_recorded(sealed: Sealed, rows: Mapping[str, str]) -> bool:
    """Whether an entry that wrote `rows` recorded this seal, and its twin."""
    return all(
        rows.get(f"{sealed.version_id}/{text(one[1])}") == b64u(row_digest(one))
        for one in sealed.signature_rows()
    )
