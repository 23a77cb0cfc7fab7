"""gRPC ↔ domain for the change feed, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.clock import Clock, legal_day
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate import state_on
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.registry.feed import (
    TYPES_MAX,
    Portion,
    ToldChange,
    Wanted,
    WatchChanges,
    identifier_digest,
)
from hub.registry.feed_store import ChangeKind
from hub.registry.service import STATES
from hub.registry.v1 import feed_pb2 as pb

_KINDS: Final = {
    ChangeKind.NEW: pb.Change.KIND_NEW,
    ChangeKind.CHANGED: pb.Change.KIND_CHANGED,
    ChangeKind.CORRECTED: pb.Change.KIND_CORRECTED,
    ChangeKind.STATE: pb.Change.KIND_STATE,
    ChangeKind.EXPIRED: pb.Change.KIND_EXPIRED,
    ChangeKind.DOCUMENT: pb.Change.KIND_DOCUMENT,
    ChangeKind.FACT: pb.Change.KIND_FACT,
    ChangeKind.OBJECTION: pb.Change.KIND_OBJECTION,
    ChangeKind.NOTICE: pb.Change.KIND_NOTICE,
    ChangeKind.HOLDER: pb.Change.KIND_HOLDER,
}
_STARTS: Final[dict[int, bool]] = {
    pb.WatchChangesRequest.START_UNSPECIFIED: False,
    pb.WatchChangesRequest.START_NOW: False,
    pb.WatchChangesRequest.START_BEGINNING: True,
}


@dataclass(frozen=True, slots=True)
class FeedService:
    """`hub.registry.v1.FeedService`."""

    clock: Clock
    watch: WatchChanges
    current_caller: Callable[[], Caller]

    async def WatchChanges(
        self, request: pb.WatchChangesRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.WatchChangesResponse]:
        """Stream changes until the caller goes."""
        portions = self.watch(
            self.current_caller(),
            decode_wanted(request.filter),
            request.cursor,
            digest(request.SerializeToString(deterministic=True)),
            from_start=_from_start(request.start),
        )
        async with aclosing(portions):
            async for portion in portions:
                yield encode_portion(portion, self.clock())


def decode_wanted(message: pb.WatchChangesRequest.Filter) -> Wanted:
    """The filter. Raises HubError(NAME_MALFORMED), (FIELD_INVALID)."""
    if len(message.certificate_types) > TYPES_MAX:
        rule = f"at most {TYPES_MAX} types"
        raise HubError(Reason.FIELD_INVALID, field="filter.certificate_types", rule=rule)
    codes = [
        names.parse(name, "certificateTypes/{certificate_type}")[0].upper()
        for name in message.certificate_types
    ]
    if message.authority:
        names.parse(message.authority, "authorities/{authority}")
    return Wanted(frozenset(codes), message.authority)


def encode_portion(portion: Portion, now_us: int) -> pb.WatchChangesResponse:
    """The message of a portion, states judged at `now_us`."""
    response = pb.WatchChangesResponse(
        changes=[_encode_change(one, now_us) for one in portion.changes], cursor=portion.cursor
    )
    if portion.through_us:
        response.through_time.CopyFrom(wire.timestamp(portion.through_us))
    return response


def _encode_change(told: ToldChange, now_us: int) -> pb.Change:
    change = told.change
    state = state_on(change.state, change.valid_from, change.valid_until, legal_day(now_us))
    name = f"{change.authority}/certificates/{change.certificate_id}"
    return pb.Change(
        id=f"{change.entry}-{change.position}",
        kind=_KINDS[change.what],
        authority=change.authority,
        certificate_type=f"certificateTypes/{change.type_code.lower()}",
        certificate=name if told.is_named else "",
        identifier=change.identifier if told.is_named else "",
        identifier_digest=identifier_digest(change.identifier),
        replaces_digest=identifier_digest(change.replaces),
        version=change.version,
        state=STATES[state],
        holders=told.holders,
        change_time=wire.timestamp(change.time_us),
        reference=change.reference,
    )


def _from_start(start: int) -> bool:
    if start not in _STARTS:
        raise HubError(Reason.FIELD_INVALID, field="start", rule="a value of Start")
    return _STARTS[start]
