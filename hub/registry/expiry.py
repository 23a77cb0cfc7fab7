"""Announce certificates whose validity has ended.

The state follows from the clock and needs nobody; this only puts it on the feed, once per version.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

from hub.clock import Clock, legal_day
from hub.domain.entry import Entry
from hub.errors import HubError, Reason
from hub.registry.feed_store import (
    ENDED_ON,
    EXPIRY_NOW,
    NEXT_END,
    EndedVersion,
    changes_write,
    ended_of,
    put_expiry,
    unchanged_expiry,
)
from hub.registry.ports import Database, Recorder
from hub.registry.store import VERSION_STATE
from hub.storage.statements import Check, Row, Write

# Versions of one log entry, and entries of one run: the rest waits for the next.
BATCH_MAX: Final = 200
BATCHES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class AnnounceExpired:
    """Announce what ended since the last run, day by day.

    The last day of validity is in force, so a day is announced when it is over. What is kept is the
    first day that is not announced as a whole and how far in it; a run that was cut off goes on
    there, and of several hubs one announces and the others find it done. What ended before the
    first run of all, but for the day before it, is not announced.
    """

    database: Database
    recorder: Recorder
    clock: Clock

    async def __call__(self) -> int:
        """How many were announced. Raises HubError: LOG_UNAVAILABLE, DATABASE_UNAVAILABLE."""
        announced = 0
        for _ in range(BATCHES_MAX):
            try:
                count = await self._step()
            except HubError as error:
                if error.reason is not Reason.DECISION_STALE:
                    raise
                # Another hub was faster, or a certificate changed: read again next time.
                return announced
            if count is None:
                break
            announced += count
        return announced

    async def _step(self) -> int | None:
        """Announce one batch; None where nothing is left."""
        known = await self.database.one(EXPIRY_NOW, 1)
        today = legal_day(self.clock())
        day, after = (today - datetime.timedelta(days=1)).isoformat(), ""
        if known is not None:
            day, after = str(known[0]), str(known[1])
        end = today.isoformat()
        if day >= end:
            return None
        rows = await self.database.all(ENDED_ON, day, after, BATCH_MAX)
        if not rows:
            following = await self.database.all(NEXT_END, day, end, 1)
            if not following:
                await self._record(known, end, "", [])
                return None
            day = str(following[0][0])
            rows = await self.database.all(ENDED_ON, day, "", BATCH_MAX)
        ended = [ended_of(row) for row in rows]
        await self._record(known, day, ended[-1].id if ended else "", ended)
        return len(ended)

    async def _record(
        self, known: Row | None, day: str, after: str, ended: list[EndedVersion]
    ) -> None:
        writes: list[Write] = [put_expiry(day, after)]
        checks: list[Check] = [unchanged_expiry(known)]
        if ended:
            writes.append(changes_write([one.change for one in ended], self.clock()))
        checks += [
            Check(VERSION_STATE, (one.id,), (one.change.state.value, one.state_entry))
            for one in ended
        ]
        entry = Entry(
            kind="expiry.announced",
            caller="hub",
            key_entry=0,
            request_id="",
            request_digest="",
            members={"data": {"day": day, "n": len(ended)}},
        )
        await self.recorder.record(entry, writes, checks)
