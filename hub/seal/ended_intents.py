"""Which intents have ended, as the log says it and not as a row does.

A row can be set back to `approved` by whoever writes the database, or put in again with its genuine
approvals. So the digests of intents that were executed, rejected, withdrawn or replaced are taken
from the entries of the log: each proven to stand in the tree, and none of them left out. They are
kept in memory until the intent itself is over, when nothing can be done under it anyway.

A hub that starts would have to read the whole log. So now and then an entry sums up what has ended
by then, and reading begins with it. A row says which entry; one that names an older summary, or
none, makes the start longer and nothing else.

What ends or resumes keys and seals passes by on the way, and is kept for whoever signs elsewhere
(`tell_signers.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import orjson

from hub.clock import Clock
from hub.domain.entry import Entry
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.officers.intent import SECONDS_MAX
from hub.proof.officers.seal_kinds import NEW_STATES
from hub.seal.ports import Database, Log, Recorder
from hub.seal.store import ENDED_SUMMARY, PUT_ENDED, IntentState
from hub.storage.statements import ENTRY_INDEX, Check, Write, integer

SUMMARY_EVERY: Final = 20_000
"""How many entries are read at a start at most, where every summary could be written."""
SUMMARY_MAX: Final = 1_500
"""How many intents one entry can hold. Of more there is none until some of them are over."""

_KEPT_S: Final = 86_400
_LOG: Final = logging.getLogger("sealway.seal")
# Every entry about an intent says so in these bytes; the others need no parsing.
_MARK: Final = b'"intent":"intents/'
_ENDING: Final[Mapping[Json, IntentState]] = {
    "intent.rejected": IntentState.REJECTED,
    "intent.withdrawn": IntentState.WITHDRAWN,
}
_EXECUTED: Final = frozenset({"digest", "bytes", "approvals"})
_TOLD: Final = frozenset(kind.name for kind in NEW_STATES)


class Decided(NamedTuple):
    """A decision as an entry holds it: an intent that was carried out, with its approvals, or an
    officer's rejection of one, whose bytes the entry does not repeat."""

    intent: str
    bytes: bytes
    approvals: tuple[str, ...]
    rejection: str


@dataclass(frozen=True, slots=True)
class End:
    """How an intent ended, and when it would have been over (seconds)."""

    state: IntentState
    not_after: int

    def is_kept(self, now: int) -> bool:
        """Whether the intent is not over, or not for long: a clock may be set back by a day."""
        return now < self.not_after + _KEPT_S


@dataclass(slots=True)
class EndedIntents:
    """The intents that ended and are not over. `refresh` before `check`."""

    database: Database
    recorder: Recorder
    log: Log
    clock: Clock
    # Whether somebody takes what was decided.
    keeps_decided: bool = False
    _decided: list[Decided] = field(default_factory=list, repr=False)
    _ended: dict[str, End] = field(default_factory=dict, repr=False)
    # How many entries were read, and how many of them the newest summary covers.
    _size: int = 0
    _summed: int = 0
    # Why the log could not be read to its end the last time.
    _fault: HubError | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def load(self) -> Self:
        """Begin with the summary that the database names, if the log holds it, then read on.

        Where the log cannot be read the hub starts all the same, and does nothing under intents.
        """
        row = await self.database.one(ENDED_SUMMARY, 1)
        if row is not None:
            try:
                self._begin(orjson.loads((await self.log.proven(integer(row[0]))).body))
            except HubError as error:
                _LOG.warning(
                    '{"event":"ended_intents_read_anew","entry":%d,"reason":"%s"}',
                    integer(row[0]),
                    error.reason.value,
                )
        with contextlib.suppress(HubError):
            await self.refresh()
        return self

    async def refresh(self) -> None:
        """Read what was recorded since, by this process or another.

        Raises HubError: LOG_UNAVAILABLE, DATABASE_UNAVAILABLE, and KEY_UNAVAILABLE or
        DIGEST_MISMATCH where an entry cannot be read: what it ended nobody knows.
        """
        async with self._reading:
            try:
                await self.recorder.follow()
                async for bodies in self.log.bodies(self._size):
                    for _, body in bodies:
                        self._take(body)
                    self._size = bodies[-1][0] + 1
            except HubError as error:
                self._fault = error
                raise
            self._fault = None
            now = self.clock() // 1_000_000
            if len(self._ended) > SUMMARY_MAX:
                self._ended = {key: end for key, end in self._ended.items() if end.is_kept(now)}

    def state(self, digest: str) -> IntentState | None:
        """How the intent with this digest ended; None where it has not.

        Raises HubError as the last `refresh` where that failed: then nobody knows.
        """
        if self._fault is not None:
            raise self._fault.with_traceback(None)
        end = self._ended.get(digest)
        return None if end is None else end.state

    def take_decided(self) -> list[Decided]:
        """What ends keys, seals and intents, or resumes seals, of what was read since the last
        time."""
        decided, self._decided = self._decided, []
        return decided

    async def sum_up(self) -> bool:
        """Write a summary where one is due; whether one was written.

        Of several hubs one writes it. Raises HubError(LOG_UNAVAILABLE).
        """
        if self._size - self._summed < SUMMARY_EVERY or len(self._ended) > SUMMARY_MAX:
            return False
        known = await self.database.one(ENDED_SUMMARY, 1)
        size, now = self._size, self.clock() // 1_000_000
        ended: list[Json] = [
            [key, end.state.value, end.not_after]
            for key, end in self._ended.items()
            if end.is_kept(now)
        ]
        entry = Entry(
            kind="intents.ended",
            caller="hub",
            key_entry=0,
            request_id="",
            request_digest="",
            members={"data": {"size": size, "ended": ended}},
        )
        self._summed = size
        try:
            await self.recorder.record(
                entry,
                [Write(PUT_ENDED, [(1, ENTRY_INDEX, "seal")])],
                [Check(ENDED_SUMMARY, (1,), known)],
            )
        except HubError as error:
            if error.reason is not Reason.DECISION_STALE:
                raise
            return False
        return True

    def _begin(self, body: Mapping[str, Json]) -> None:
        data = body.get("data")
        if (body["kind"], body["caller"]) != ("intents.ended", "hub") or not isinstance(data, dict):
            raise HubError(Reason.DIGEST_MISMATCH, what="summary of ended intents")
        size, ended = data["size"], data["ended"]
        assert isinstance(size, int) and isinstance(ended, list), "the hub wrote it"
        for one in ended:
            assert isinstance(one, list), "the hub wrote it"
            digest, state, not_after = one
            assert isinstance(not_after, int), "the hub wrote it"
            self._ended[str(digest)] = End(IntentState(str(state)), not_after)
        self._size = self._summed = size

    def _take(self, body: bytes) -> None:
        if _MARK not in body:
            return
        members: dict[str, Json] = orjson.loads(body)
        kind, data = members["kind"], members.get("data")
        if not isinstance(data, dict):
            return
        if kind == "intent.proposed":
            replaced = orjson.loads(str(data["bytes"])).get("replaces")
            if replaced is not None:
                # Entries of older versions do not say when an intent would have been over.
                not_after = data.get("replaced_not_after", SECONDS_MAX)
                assert isinstance(not_after, int), "the hub wrote it"
                self._ended[str(replaced)] = End(IntentState.REPLACED, not_after)
        elif kind in _ENDING:
            not_after = data.get("not_after", SECONDS_MAX)
            assert isinstance(not_after, int), "the hub wrote it"
            self._ended[str(data["digest"])] = End(_ENDING[kind], not_after)
            if kind == "intent.rejected" and self.keeps_decided:
                rejection = str(data["approval"])
                self._decided.append(Decided(str(data["intent"]), b"", (), rejection))
        elif data.keys() >= _EXECUTED:
            intent = orjson.loads(str(data["bytes"]))
            not_after = intent["not_after"]
            assert isinstance(not_after, int), "the hub wrote it"
            self._ended[str(data["digest"])] = End(IntentState.EXECUTED, not_after)
            if intent["kind"] in _TOLD and self.keeps_decided:
                approvals = data["approvals"]
                assert isinstance(approvals, list), "the hub wrote it"
                said = str(data["bytes"]).encode()
                texts = tuple(map(str, approvals))
                self._decided.append(Decided(str(data["intent"]), said, texts, ""))
