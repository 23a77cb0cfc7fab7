"""A correction reaches whoever was given what was wrong.

Whom, is computed from the log: the entries by which fields left of the versions that said the same
as the one that was corrected. A field is wrong where the correction says something else.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from hub.clock import Clock
from hub.domain.caller import Caller, Role
from hub.domain.entry import Entry
from hub.domain.identifier import VERSION_MAX
from hub.domain.receiver import Received
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.records.disclosure import values_of
from hub.registry.feed_store import (
    NEXT_CORRECTION,
    ChangeKind,
    StoredChange,
    change_of,
    changes_write,
)
from hub.registry.feed_store import Change as FeedChange
from hub.registry.notice_store import (
    ALL_NOTICES,
    INSERT_NOTICE,
    NOTICE,
    NOTICES_OF,
    PUT_NOTICE,
    SEALED_VALUES,
    TOLD,
    Gave,
    NoticeRow,
    notice_of,
    put_telling,
    unchanged_notice,
    unchanged_telling,
)
from hub.registry.ports import Access, Database, DataKey, DataKeys, Receivers, Recorder
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import ENTRY_INDEX, Row, Write, blob, text

ENTRIES_SHOWN: Final = 20
CORRECTIONS_MAX: Final = 500

Values: TypeAlias = Mapping[str, Json]
"""What a version says, by the names of its claims."""

# Who it is about: where that was wrong, all that was said of the wrong one was.
_HOLDER: Final = frozenset({"holder_type", "holder_number", "holders"})


@dataclass(frozen=True, slots=True)
class TellReceivers:
    """Tell the receivers of each correction, in the order of the log.

    1. Read the next correction, and which fields of which versions were wrong.
    2. Find in the log who was given any of these.
    3. Record a notice to each of them, what its feed says, and how far this is, as one entry.

    A run that was cut off goes on there, and of several hubs one tells and the others find it done.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    data_keys: DataKeys[DataKey]
    receivers: Receivers

    async def __call__(self) -> int:
        """How many notices were sent. Raises HubError: LOG_UNAVAILABLE, DATABASE_UNAVAILABLE,
        DIGEST_MISMATCH where the log is not as it was recorded."""
        sent = 0
        for _ in range(CORRECTIONS_MAX):
            try:
                count = await self._step()
            except HubError as error:
                if error.reason is not Reason.DECISION_STALE:
                    raise
                # Another hub was faster: read again next time.
                return sent
            if count is None:
                break
            sent += count
        return sent

    async def _step(self) -> int | None:
        """Tell of one correction; None where there is none left."""
        known = await self.database.one(TOLD, 1)
        place = (0, -1) if known is None else known
        found = await self.database.all(NEXT_CORRECTION, *place, 1)
        if not found:
            return None
        change = change_of(found[0])
        wrong = wrong_fields(await self._versions(change))
        notices = await self._notices(change, str(found[0][-1]), wrong)
        await self._record(known, change, wrong, notices)
        return len(notices)

    async def _versions(self, change: StoredChange) -> list[tuple[str, Values]]:
        """The correction and the versions before it, newest first, as far as they can be read."""
        rows = await self.database.all(
            SEALED_VALUES, change.certificate_id, change.version, VERSION_MAX
        )
        versions: list[tuple[str, Values]] = []
        for identifier, version_id, sealed, data_key_id in rows:
            key = await self.data_keys.find(text(data_key_id))
            if key is None:
                # Erased on an order: what it said is nobody's to compare.
                break
            opened = key.open(blob(sealed), text(version_id).encode())
            versions.append((text(identifier), values_of(orjson.loads(opened))))
        return versions

    async def _notices(
        self, change: StoredChange, retention: str, wrong: Mapping[str, frozenset[str]]
    ) -> list[NoticeRow]:
        """Step 2."""
        given: dict[str, dict[str, list[Received]]] = defaultdict(dict)
        for identifier, fields in wrong.items():
            async for received in self.receivers.of(identifier):
                if received.entry < change.entry and received.of(fields):
                    given[received.system].setdefault(identifier, []).append(received)
                # Others are served meanwhile, however often the version was fetched.
                await asyncio.sleep(0)
        ids = _ids(self.clock())
        return [
            _notice(change, retention, system, _gave(by_version, wrong), next(ids))
            for system, by_version in sorted(given.items())
        ]

    async def _record(
        self,
        known: Row | None,
        change: StoredChange,
        wrong: Mapping[str, frozenset[str]],
        notices: Sequence[NoticeRow],
    ) -> None:
        """Step 3."""
        writes = [put_telling(change.entry, change.position)]
        if notices:
            writes.append(Write(INSERT_NOTICE, list[Row](notices)))
            told = [_told(change, notice) for notice in notices]
            writes.append(changes_write(told, notices[0].create_time_us))
        entry = Entry(
            kind="correction.told",
            caller="hub",
            key_entry=0,
            request_id="",
            request_digest="",
            members={
                "data": {
                    "certificate": change.identifier,
                    "objection": change.reference,
                    "versions": list[Json](wrong),
                    "fields": list[Json](sorted(frozenset[str]().union(*wrong.values()))),
                    "n": len(notices),
                }
            },
        )
        await self.recorder.record(entry, writes, [unchanged_telling(known)])


def wrong_fields(versions: Sequence[tuple[str, Values]]) -> dict[str, frozenset[str]]:
    """What was wrong, by identifier: of the version that the first one corrects, and of those
    before it for as long as they said the same. `versions` are newest first.

    Where the holder was wrong, everything was.
    """
    if not versions:
        return {}
    _, correct = versions[0]
    wrong: dict[str, frozenset[str]] = {}
    fields: frozenset[str] | None = None
    said: Values = {}
    for identifier, values in versions[1:]:
        if fields is None:
            said = values
            fields = frozenset(name for name in values if correct.get(name) != values[name])
        else:
            fields = frozenset(name for name in fields if values.get(name) == said[name])
        if not fields:
            break
        wrong[identifier] = frozenset(values) if fields & _HOLDER else fields
    return wrong


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Notices, and after which id the next page begins; empty on the last."""

    notices: tuple[NoticeRow, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Notices:
    """See notices, and acknowledge them."""

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access

    async def list(
        self, caller: Caller, after: str, size: int, *, unacknowledged: bool
    ) -> NoticePage:
        """A page of what the caller may see, by id."""
        most = 0 if unacknowledged else 2**62
        if caller.role is Role.AUDITOR:
            rows = await self.database.all(ALL_NOTICES, most, after, size + 1)
        else:
            whose = self.access.kept(caller) if caller.role is Role.DEPARTMENT else ("",)
            by_id: dict[str, Row] = {}
            for authority in whose:
                asked = (authority, caller.name, most, after, size + 1)
                by_id |= {text(row[0]): row for row in await self.database.all(NOTICES_OF, *asked)}
            rows = [by_id[id] for id in sorted(by_id)][: size + 1]
        page = tuple(notice_of(row) for row in rows[:size])
        found = tuple(one for one in page if self._may_see(caller, one))
        return NoticePage(found, page[-1].id if len(rows) > size else "")

    def _may_see(self, caller: Caller, notice: NoticeRow) -> bool:
        """Whether it was sent to the caller, or is about a certificate that its authority keeps."""
        if caller.role is Role.AUDITOR or notice.system == caller.name:
            return True
        return notice.authority in self.access.kept(caller, notice.type_code)

    async def acknowledge(
        self, call: Call, name: str, notice_id: str, encode: Callable[[NoticeRow], bytes]
    ) -> Answered:
        """Say that the caller has dealt with it; durable when it returns.

        Raises HubError: NOTICE_NOT_FOUND (also where it is another's), TRANSITION_NOT_ALLOWED where
        it was before, REQUEST_ID_REUSED, DECISION_STALE.
        """

        async def decide() -> Change:
            row = await self.database.one(NOTICE, notice_id)
            notice = None if row is None else notice_of(row)
            if notice is None or notice.name != name or notice.system != call.caller.name:
                raise HubError(Reason.NOTICE_NOT_FOUND, name=name)
            if notice.acknowledge_time_us:
                raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state="acknowledged")
            done = notice._replace(acknowledge_time_us=self.clock(), entry=ENTRY_INDEX)
            return Change(
                kind="notice.acknowledged",
                data={"notice": name},
                writes=[Write(PUT_NOTICE, [done])],
                checks=[self.access.check(call.caller), unchanged_notice(notice)],
                answer=encode(done),
            )

        return await read_and_change_once(self.recorder, call, decide)


def _gave(
    by_version: Mapping[str, Sequence[Received]], wrong: Mapping[str, frozenset[str]]
) -> list[Gave]:
    gave = []
    for identifier, received in by_version.items():
        fields = {name for one in received for name in one.of(wrong[identifier])}
        is_named = any(one.is_named for one in received)
        entries = sorted({one.entry for one in received})
        gave.append(
            Gave(
                identifier if is_named else "",
                sorted(fields),
                entries[:ENTRIES_SHOWN],
                len(entries),
            )
        )
    return gave


def _ids(time_us: int) -> Iterator[tuple[str, int]]:
    """Ids that sort in their order, behind those of earlier times; each with its time."""
    for number in itertools.count():
        yield f"{time_us // 1000:012x}{number:04x}{os.urandom(8).hex()}", time_us


def _notice(
    change: StoredChange, retention: str, system: str, gave: Sequence[Gave], made: tuple[str, int]
) -> NoticeRow:
    id, time_us = made
    return NoticeRow(
        id=id,
        system=system,
        authority=change.authority,
        type_code=change.type_code,
        certificate_id=change.certificate_id,
        # Who does not know which certificate it was is not told which it is now.
        correction=change.identifier if any(one.identifier for one in gave) else "",
        objection=change.reference,
        received=orjson.dumps([[*one] for one in gave]),
        create_time_us=time_us,
        acknowledge_time_us=0,
        entry=ENTRY_INDEX,
        retention_class=retention,
    )


def _told(change: StoredChange, notice: NoticeRow) -> FeedChange:
    """What the feed of the receiver says."""
    return FeedChange(
        what=ChangeKind.NOTICE,
        authority=change.authority,
        type_code=change.type_code,
        certificate_id=change.certificate_id,
        identifier=change.identifier,
        version=change.version,
        state=change.state,
        valid_from=change.valid_from,
        valid_until=change.valid_until,
        holder_indexes=change.holder_indexes,
        retention_class=notice.retention_class,
        replaces=change.replaces,
        reference=notice.name,
    )
