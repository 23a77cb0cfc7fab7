"""The hub has its own checkpoints time stamped, so that nobody has to think of it beforehand.

A stamp (RFC 3161) over a checkpoint says of every entry below it: it stood in the log by then. So
one stamp now and then is enough, and after an outage of the service the next one makes up for all
that were missed. Whoever asks for a receipt later finds the stamp in it
(`Proofs.upgraded_receipt`); what was sealed before a key was stolen stays valid by it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.entry import Entry
from hub.errors import HubError, Reason
from hub.ledger.ports import TimeStamps
from hub.ledger.recorder import HUB_CALLER, Recorder
from hub.ledger.store import INSERT_STAMP, LAST_STAMP
from hub.storage.database import Database
from hub.storage.statements import Check, Write, integer

RETRY_S: Final = 60.0
"""How long after a failure the service is asked again; sooner where stamps are due more often."""

_RETENTION: Final = "evidence"
_LOG: Final = logging.getLogger("sealway.ledger")


@dataclass(slots=True)
class CheckpointStamps:
    """The time stamps of one log. Several hubs on one database make one between them.

    A checkpoint is stamped every `every_s` seconds. With `age_max_s`, nothing is sealed any more
    once the newest stamp is older than that (`check`); 0 seals on.
    """

    database: Database
    recorder: Recorder
    service: TimeStamps
    clock: Clock
    every_s: float
    age_max_s: float = 0.0
    # When the newest stamp was asked for; before the first of a log, when this process began.
    _time_us: int = field(init=False)

    def __post_init__(self) -> None:
        self._time_us = self.clock()

    async def load(self) -> None:
        """Read how old the newest stamp is. Raises HubError(DATABASE_UNAVAILABLE)."""
        await self._newest()

    async def run(self) -> None:
        """Stamp for ever; a failure is said in the log lines and tried again."""
        while True:
            try:
                wait_s = await self.stamp_if_due()
            except HubError as error:
                wait_s = min(RETRY_S, self.every_s)
                _LOG.warning('{"event":"stamp_delayed","reason":"%s"}', error.reason.value)
            await asyncio.sleep(wait_s)

    async def stamp_if_due(self) -> float:
        """Have the newest checkpoint stamped where the last stamp is old enough; the seconds until
        the next is due.

        Raises HubError: TIME_STAMP_UNAVAILABLE, LOG_UNAVAILABLE, DATABASE_UNAVAILABLE.
        """
        newest = await self._newest()
        # A time to come, by a clock that was wrong, puts nothing off.
        if newest is not None and newest[1] <= self.clock() and self.age_s() < self.every_s:
            return self.every_s - self.age_s()
        # One after the other without a turn of the loop: they are of the same head.
        head, note = self.recorder.head(), self.recorder.checkpoint()
        if not head.size:
            return min(RETRY_S, self.every_s)
        time_us = self.clock()
        token = await asyncio.to_thread(self.service.stamp, note.encode())
        entry = Entry(
            kind="checkpoint.stamped",
            caller=HUB_CALLER,
            key_entry=0,
            request_id="",
            request_digest="",
            members={"data": {"size": head.size, "root": head.root}},
            retention_class=_RETENTION,
        )
        write = Write(INSERT_STAMP, ((head.size, time_us, token, _RETENTION),))
        try:
            await self.recorder.record(entry, (write,), (Check(LAST_STAMP, (1,), newest),))
        except HubError as error:
            # Another hub on this database was faster.
            if error.reason is not Reason.DECISION_STALE:
                raise
            await self._newest()
        else:
            self._time_us = time_us
        return self.every_s

    def age_s(self) -> float:
        """How long entries have been without a stamp at most, in seconds."""
        return max(0.0, (self.clock() - self._time_us) / 1_000_000)

    def check(self) -> None:
        """Refuse to seal where the newest stamp is too old. Raises HubError(STAMPS_OVERDUE)."""
        if self.age_max_s and self.age_s() > self.age_max_s:
            raise HubError(Reason.STAMPS_OVERDUE, limit=int(self.age_max_s))

    async def _newest(self) -> tuple[int, int] | None:
        """Size and time of the newest stamp of this log, by whichever hub."""
        row = await self.database.one(LAST_STAMP, 1)
        if row is None:
            return None
        size, self._time_us = integer(row[0]), integer(row[1])
        return size, self._time_us
