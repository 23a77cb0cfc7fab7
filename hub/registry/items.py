"""Service items (事项): imported in versions, in memory for every decision."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.domain.service_item import ServiceItem, from_json
from hub.registry.item_store import (
    ALL_ITEMS,
    ITEMS_VERSION_ID,
    PUBLISHED,
    STANDINGS_OF,
    Listed,
    ListState,
    Standing,
    standing_of,
    unchanged_items,
)
from hub.registry.ports import Database
from hub.registry.store import CATALOGUE_VERSION
from hub.storage.statements import Check, Row, blob, integer


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One version of an item, and the text that is kept of it."""

    item: ServiceItem
    document: bytes = field(repr=False)
    entry: int
    create_time_us: int


@dataclass(slots=True)
class Items:
    """All service items in memory. `refresh` once before the first use."""

    database: Database
    version: int = -1
    _versions: dict[tuple[str, int], StoredItem] = field(default_factory=dict)
    _newest: dict[str, StoredItem] = field(default_factory=dict)
    _standings: dict[str, Standing] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Load what is in the database where its version is another than ours.

        A version never changes, so texts that are in memory are not read again.
        """
        row = await self.database.one(CATALOGUE_VERSION, ITEMS_VERSION_ID)
        version = integer(row[0]) if row else 0
        if version == self.version:
            return
        versions: dict[tuple[str, int], StoredItem] = {}
        newest: dict[str, StoredItem] = {}
        async for rows in self.database.scan(ALL_ITEMS):
            for stored in await asyncio.to_thread(self._read, rows):
                code = stored.item.code
                versions[code, stored.item.version] = newest[code] = stored
        standings: dict[str, Standing] = {}
        async for rows in self.database.scan(STANDINGS_OF, Listed.ITEM.value):
            standings.update(map(standing_of, rows))
        self._versions, self._newest = versions, newest
        self._standings, self.version = standings, version

    def item(self, code: str) -> ServiceItem | None:
        """The item that a matter of this kind is planned by: the newest version, unless the item
        is retired."""
        stored = self._newest.get(code)
        if stored is None or self.standing(code).state is ListState.RETIRED:
            return None
        return stored.item

    def find(self, code: str, version: int = 0) -> StoredItem | None:
        """A version of an item, retired or not; 0 means the newest."""
        return self._versions.get((code, version)) if version else self._newest.get(code)

    def standing(self, code: str) -> Standing:
        """Where the item stands."""
        return self._standings.get(code, PUBLISHED)

    def all(self) -> Sequence[StoredItem]:
        """The newest version of every item, in the order of their codes."""
        return [self._newest[code] for code in sorted(self._newest)]

    def _read(self, rows: Sequence[Row]) -> list[StoredItem]:
        found = []
        for code, number, document, entry, time_us in rows:
            stored = self._versions.get((str(code), integer(number)))
            if stored is None:
                text = blob(document)
                stored = StoredItem(from_json(text), text, integer(entry), integer(time_us))
            found.append(stored)
        return found

    def check(self) -> Check:
        """That this snapshot is still the newest."""
        return unchanged_items(self.version)
