"""How every change of identities is made: decided on a snapshot, recorded under its version.

The version check makes the log's order truthful and lets only one of two concurrent changes pass
on the same snapshot; the other one decides again on what is true by then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from hub.access.enrolment import ClientAuthorities
from hub.access.ports import Database, Recorder
from hub.access.snapshot import Directory, Snapshot
from hub.access.store import next_version, version_check
from hub.clock import Clock
from hub.domain.names import check_request_id
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.storage.changes import Call, Change, read_and_change_once
from hub.storage.statements import Write

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall happen: an entry of `kind` with `data`, rows, and what the call answers."""

    kind: str
    data: Mapping[str, Json]
    writes: Sequence[Write]
    answer: bytes


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The resource as the first call left it; `entry` and `receipt` are absent for a mere check."""

    resource: T
    entry: int | None
    receipt: str | None


Decide: TypeAlias = Callable[[Snapshot], Awaitable[Decision]]
Read: TypeAlias = Callable[[bytes, int], T]
"""A resource out of an answer and the index of the entry that it was recorded in."""


@dataclass(frozen=True, slots=True)
class Registrar:
    """Changes identities. The operations are functions that take it."""

    directory: Directory
    database: Database
    recorder: Recorder
    clock: Clock
    client_authorities: ClientAuthorities

    async def check(self, decide: Decide, read: Read[T]) -> Outcome[T]:
        """What `change` would answer, without doing it; its own entry index reads as 0."""
        decision = await decide(self.directory.current)
        return Outcome(read(decision.answer, 0), None, None)

    async def change(self, call: Call, decide: Decide, read: Read[T]) -> Outcome[T]:
        """Do what `decide` decides; durable, logged and in the snapshot when it returns.

        1. The same call again gives the first answer. 2. The caller still is who it was, on the
        snapshot that is decided on. 3. Decide and record under the snapshot's version; where that
        has ended meanwhile, decide again once. Raises what `decide` raises and HubError:
        REQUEST_ID_INVALID, REQUEST_ID_REUSED, TOKEN_REVOKED, DECISION_STALE, LOG_UNAVAILABLE.
        """

        async def judged(snapshot: Snapshot) -> Decision:
            peer = snapshot.peer_of(call.caller.name)
            if peer is None or peer.enrolment_entry != call.caller.enrolment_entry:
                raise HubError(Reason.TOKEN_REVOKED)
            return await decide(snapshot)

        return await self.found(call, judged, read)

    async def found(self, call: Call, decide: Decide, read: Read[T]) -> Outcome[T]:
        """As `change` for the operator of `sealway init`, who has no identity in the hub yet."""
        check_request_id(call.request_id)

        async def decided() -> Change:
            snapshot = self.directory.current
            decision = await decide(snapshot)
            return Change(
                decision.kind,
                decision.data,
                [*decision.writes, next_version(snapshot.version)],
                [version_check(snapshot.version)],
                decision.answer,
            )

        answered = await read_and_change_once(self.recorder, call, decided, self.directory.refresh)
        assert answered.entry is not None, "it was recorded"
        return Outcome(read(answered.answer, answered.entry), answered.entry, answered.receipt)
