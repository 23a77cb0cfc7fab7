"""How every change of seals and intents is made: one entry, repeated calls answered alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.domain.caller import Caller
from hub.domain.entry import AlreadyRecorded, Entry, Remember, Remembered
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.seal.ports import Recorder
from hub.storage.statements import Check, Write


@dataclass(frozen=True, slots=True)
class Call:
    """One call that writes: whose, under which id, and the digest of what it says."""

    caller: Caller
    request_id: str
    method: str
    content: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer's bytes as first given, with the entry that proves it."""

    answer: bytes
    entry: int
    receipt: str


@dataclass(frozen=True, slots=True)
class Change:
    """What shall happen: an entry of `kind` with `data`, rows, and what the call answers."""

    kind: str
    data: Mapping[str, Json]
    writes: Sequence[Write]
    checks: Sequence[Check]
    answer: bytes


async def answered_before(recorder: Recorder, call: Call) -> Answered | None:
    """The answer that the same call was given before. Raises HubError(REQUEST_ID_REUSED)."""
    remembered = await recorder.remembered(call.caller.name, call.request_id)
    return None if remembered is None else await _first_answer(recorder, call, remembered)


async def record(recorder: Recorder, call: Call, change: Change) -> Answered:
    """Make `change` once for `call`; durable and logged when it returns.

    Raises HubError: REQUEST_ID_REUSED, DECISION_STALE, ALREADY_EXISTS, LOG_UNAVAILABLE.
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


async def _first_answer(recorder: Recorder, call: Call, remembered: Remembered) -> Answered:
    if (remembered.method, remembered.content) != (call.method, call.content):
        raise HubError(Reason.REQUEST_ID_REUSED, request_id=call.request_id)
    receipt = await recorder.receipt(remembered.index)
    return Answered(remembered.answer, remembered.index, receipt)
