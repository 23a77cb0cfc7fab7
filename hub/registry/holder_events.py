"""Announce what happened to a holder: its certificates are listed to their authorities.

No state changes by it: each authority decides about its own certificates, and where that stands is
seen as with any announced fact. What a person has elsewhere is told to nobody else, so neither the
answer nor the entry, which its receipt shows to the announcer, says how much it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock, legal_day
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate import State, state_on
from hub.domain.holder import Holder
from hub.domain.holder_event import HolderEvent
from hub.domain.rules import violation
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.registry.evidence import Evidence, check_evidence, field_invalid
from hub.registry.fact_store import (
    HELD_NOW,
    Held,
    held_of,
    put_fact_change,
    put_follow_ups,
)
from hub.registry.facts import FOLLOW_UPS_MAX, FactChange, held_elsewhere, is_live, told
from hub.registry.feed_store import changes_write
from hub.registry.ports import Access, Database, Recorder
from hub.registry.read import CertificateReader
from hub.registry.store import VERSION_STATE
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import Check, Write

# A licence is often closed before the end of the company is announced.
_SHOWS: Final = frozenset({State.ACTIVE, State.DEREGISTERED})


@dataclass(frozen=True, slots=True)
class EventAnnouncement:
    """What happened to the holder of which certificate of one's own."""

    authority: str
    certificate_id: str
    event: HolderEvent
    evidence: Evidence

    @property
    def certificate(self) -> str:
        """The certificate's resource name."""
        return f"{self.authority}/certificates/{self.certificate_id}"


@dataclass(frozen=True, slots=True)
class _Basis:
    """The certificate that shows it, whom its seal names, and what that holder has elsewhere."""

    source: Held
    holder: Holder = field(repr=False)
    elsewhere: Sequence[Held]


@dataclass(frozen=True, slots=True)
class AnnounceHolderEvent:
    """Announce what happened to a holder.

    1. The evidence is written as it must be.
    2. The certificate is of the caller's authority, in force or deregistered; its seal names one
       holder, to whom such a thing can happen.
    3. Whatever else that holder has that is in force or suspended, under whichever identifier, gets
       a follow-up; what an organisation has also a place on the feed. Record it as one entry.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    reader: CertificateReader

    async def __call__(
        self, call: Call, announcement: EventAnnouncement, encode: Callable[[FactChange], bytes]
    ) -> Answered:
        """Durable when it returns. Raises HubError: FIELD_INVALID, CERTIFICATE_NOT_FOUND,
        TRANSITION_NOT_ALLOWED, REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE. Then nothing is
        announced."""
        check_evidence(announcement.evidence)
        if announcement.authority not in self.access.kept(call.caller):
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=announcement.certificate)

        async def decide() -> Change:
            return self._decide(call.caller, announcement, await self._read(announcement), encode)

        return await read_and_change_once(self.recorder, call, decide)

    async def _read(self, announcement: EventAnnouncement) -> _Basis:
        row = await self.database.one(HELD_NOW, announcement.certificate_id, announcement.authority)
        if row is None:
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=announcement.certificate)
        source = held_of(row)
        holder = await self.reader.sealed_holder(source.identifier)
        if holder is None:
            raise field_invalid(violation("certificate", "link.one_holder"))
        return _Basis(source, holder, await held_elsewhere(self.database, source))

    def _decide(
        self,
        caller: Caller,
        announcement: EventAnnouncement,
        basis: _Basis,
        encode: Callable[[FactChange], bytes],
    ) -> Change:
        """Steps 2 and 3."""
        source, event, now_us = basis.source, announcement.event, self.clock()
        if source.authority not in self.access.kept(caller, source.type_code):
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=announcement.certificate)
        state = state_on(source.state, source.valid_from, source.valid_until, legal_day(now_us))
        if state not in _SHOWS:
            raise HubError(
                Reason.TRANSITION_NOT_ALLOWED, name=announcement.certificate, state=state.value
            )
        if basis.holder.kind is not event.befalls:
            raise field_invalid(violation("event", "event.holder", kind=event.befalls.value))
        concerned = [held for held in basis.elsewhere if is_live(held.state)]
        if len(concerned) > FOLLOW_UPS_MAX:
            raise field_invalid(violation("certificate", "row.count", limit=FOLLOW_UPS_MAX))
        basis_text = announcement.evidence.legal_basis
        made = FactChange(
            names.new_id_at(now_us),
            source,
            (event.value,),
            basis_text,
            now_us,
            0 if basis.holder.natural else len(concerned),
        )
        reference = f"factChanges/{made.id}"
        data: dict[str, Json] = {
            "fact_change": reference,
            "event": event.value,
            "certificate": source.identifier,
            "document_digest": announcement.evidence.document_digest,
            "legal_basis": basis_text,
        }
        writes: list[Write] = [put_fact_change(made.id, source, made.facts, basis_text, now_us)]
        if concerned:
            writes.append(put_follow_ups(made.id, [(held, made.facts) for held in concerned]))
        if not basis.holder.natural:
            data["n"] = len(concerned)
            if concerned:
                writes.append(changes_write([told(held, reference) for held in concerned], now_us))
        shown = (source.state.value, source.state_entry)
        return Change(
            kind="holder.event",
            data=data,
            writes=writes,
            checks=[
                self.access.check(caller),
                Check(VERSION_STATE, (source.version_id,), shown),
            ],
            answer=encode(made),
        )
