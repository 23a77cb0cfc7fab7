"""What the hub's log says of its keys: to whoever verifies here, and elsewhere with its proof."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final

from hub.errors import HubError
from hub.proof.key_statements import KeyStatements, read_statements
from hub.proof.reasons import ProofError
from hub.seal.key_entry_store import ENTRIES_ABOUT_KEYS, ENTRIES_OF_KEYS
from hub.seal.ports import Database, Log, Recorder
from hub.seal.reseal.compromises import declared_compromises
from hub.storage.paging import PAGE_BYTES_MAX
from hub.storage.statements import integer

_LOG: Final = logging.getLogger("sealway.seal")


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Entries with their receipts, each proven again under the newest head, and the number after
    which the next page begins; None on the last."""

    receipts: list[tuple[int, str]]
    next: int | None


@dataclass(slots=True)
class ProvenKeyStatements:
    """Entries that made keys, put them in force or declared them compromised. What one says is
    believed once the log proves it, and kept: entries never change."""

    origin: str
    database: Database
    recorder: Recorder
    log: Log
    _said: dict[int, KeyStatements] = field(default_factory=dict, repr=False)

    async def known(self) -> list[KeyStatements]:
        """Which keys are in other hands; in whose custody the hub's keys were made, and under which
        certificates they came into force (of the first 10,000 entries).

        A declaration counts as it stands in the database, since it only takes belief away. The rest
        counts as the log proves it.
        """
        for row in await self.database.all(ENTRIES_OF_KEYS):
            await self._said_by(integer(row[0]))
        declared = KeyStatements(compromised=await declared_compromises(self.database))
        return [declared, *self._said.values()]

    async def page(self, after: int, size: int) -> StatementPage:
        """The entries after number `after`, at most `size` of them. Left out is what was erased,
        what is not signed yet, and what says nothing of keys, whatever a row calls it: nobody is
        shown another entry. Raises HubError(DIGEST_MISMATCH)."""
        rows = await self.database.all(ENTRIES_ABOUT_KEYS, after, size + 1)
        entries = [integer(row[0]) for row in rows]
        newest = self.recorder.head().size
        receipts: list[tuple[int, str]] = []
        total = 0
        for position, index in enumerate(entries[:size]):
            if index >= newest or await self._said_by(index) is None:
                continue
            receipt = await self.log.proven_receipt(index, newest)
            total += len(receipt)
            if receipts and total > PAGE_BYTES_MAX:
                return StatementPage(receipts, entries[position - 1])
            receipts.append((index, receipt))
        return StatementPage(receipts, entries[size - 1] if len(entries) > size else None)

    async def _said_by(self, index: int) -> KeyStatements | None:
        """What entry `index` says; None, and a line in the log, where it proves nothing of keys."""
        said = self._said.get(index)
        if said is None and self.log.covers(index):
            try:
                said = read_statements((await self.log.proven(index)).body, self.origin)
            except (HubError, ProofError) as error:
                _LOG.error(
                    '{"event":"key_statement_not_proven","entry":%d,"reason":"%s"}',
                    index,
                    error.reason.value,
                )
                return None
            self._said[index] = said
        return said
