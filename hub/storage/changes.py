"""How every change is made: one entry, repeated calls answered alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.domain.caller import Caller
from hub.domain.entry import AlreadyRecorded, Entry, Recorded, Remember, Remembered
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.storage.statements import Check, Write


class Recorder(Protocol):
    """The one way to write."""

    async def record(
        self,
        entry: Entry,
        writes: Sequence[Write],
        checks: Sequence[Check],
        *,
        remember: Remember | None = None,
    ) -> Recorded:
        """Durable, signed and receipted when it returns.

        `ENTRY_INDEX` in a row becomes the entry's index. Raises AlreadyRecorded;
        HubError(DECISION_STALE) where a check differs; HubError(LOG_UNAVAILABLE).
        """
        ...

    async def remembered(self, caller: str, request_id: str) -> Remembered | None:
        """What this caller was answered before under this id."""
        ...

    async def receipt(self, index: int) -> str:
        """The receipt of an entry as it was first handed out."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call that writes: whose, under which id, and the digest of what it says."""

    caller: Caller
    request_id: str
    method: str
    content: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer's bytes as first given, with the entry that proves it; none for a mere check."""

    answer: bytes
    entry: int | None
    receipt: str


@dataclass(frozen=True, slots=True)
class Change:
    """What shall happen: an entry of `kind` with `data`, rows, and what the call answers."""

    kind: str
    data: Mapping[str, Json]
    writes: Sequence[Write]
    checks: Sequence[Check]
    answer: bytes


async def change_once(
    recorder: Recorder,
    call: Call,
    decide: Callable[[], Change],
    refresh: Callable[[], Awaitable[None]],
    *,
    validate_only: bool = False,
) -> Answered:
    """As `read_and_change_once` for what is decided in memory. With `validate_only` nothing is
    written."""
    if validate_only:
        return Answered(decide().answer, None, "")

    async def decided() -> Change:
        return decide()

    return await read_and_change_once(recorder, call, decided, refresh)


async def read_and_change_once(
    recorder: Recorder,
    call: Call,
    decide: Callable[[], Awaitable[Change]],
    refresh: Callable[[], Awaitable[None]] | None = None,
) -> Answered:
    """Make what `decide` reads and comes to, once for `call`; durable and logged when it returns.

    A call answered before gets its first answer. Where something changed meanwhile, decide once
    more. `refresh` renews what is decided on in memory, before that and after a change. Raises
    HubError: whatever `decide` does, REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE.
    """
    first = await answered_before(recorder, call)
    if first is not None:
        return first
    try:
        answered = await record(recorder, call, await decide())
    except HubError as error:
        if error.reason is not Reason.DECISION_STALE:
            raise
        if refresh is not None:
            await refresh()
        answered = await record(recorder, call, await decide())
    if refresh is not None:
        await refresh()
    return answered


async def answered_before(recorder: Recorder, call: Call) -> Answered | None:
    """The answer that the same call was given before. Raises HubError(REQUEST_ID_REUSED)."""
    remembered = await recorder.remembered(call.caller.name, call.request_id)
    return None if remembered is None else await _first_answer(recorder, call, remembered)


async def record(recorder: Recorder, call: Call, change: Change) -> Answered:
    """Make `change` once for `call`, decided by whoever calls this; durable when it returns.

    Raises HubError: REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE.
    """
    entry = Entry(
        kind=change.kind,
        caller=call.caller.name,
        key_entry=call.caller.enrolment_entry,
        request_id=call.request_id,
        request_digest=call.content,
        members={"data": {**change.data}},
    )
    remember = Remember(call.caller.name, call.request_id, call.method, call.content, change.answer)
    try:
        recorded = await recorder.record(entry, change.writes, change.checks, remember=remember)
    except AlreadyRecorded as already:
        return await _first_answer(recorder, call, already.remembered)
    return Answered(change.answer, recorded.index, recorded.receipt)


async def _first_answer(recorder: Recorder, call: Call, first: Remembered) -> Answered:
    if (first.method, first.content) != (call.method, call.content):
        raise HubError(Reason.REQUEST_ID_REUSED, request_id=call.request_id)
    return Answered(first.answer, first.index, await recorder.receipt(first.index))
