"""Which entries of the log disclosed values of a certificate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from hub.errors import HubError, Reason
from hub.ledger.proofs import OpenedEntry, Proofs
from hub.ledger.store import DISCLOSED
from hub.storage.database import Database
from hub.storage.statements import integer

PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Disclosures:
    """Finds entries by what they disclosed, and believes only what the tree proves."""

    database: Database
    proofs: Proofs

    async def of(self, certificate: str) -> AsyncIterator[OpenedEntry]:
        """The entries by which values of the version with this identifier left, oldest first.

        What was erased on an order is left out: nobody can say what it said. Raises
        HubError(DIGEST_MISMATCH) where one is not in the log as it is stored.
        """
        after = -1
        while True:
            rows = await self.database.all(DISCLOSED, certificate, after, PAGE)
            for row in rows:
                after = integer(row[0])
                try:
                    entry = await self.proofs.proven(after)
                except HubError as error:
                    if error.reason is not Reason.KEY_UNAVAILABLE:
                        raise
                    continue
                yield entry
            if len(rows) < PAGE:
                return
