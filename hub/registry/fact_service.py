"""gRPC ↔ domain for announced changes of facts, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.holder_event import HolderEvent
from hub.errors import HubError, Reason
from hub.registry.evidence import Evidence
from hub.registry.fact_store import FollowUp
from hub.registry.facts import (
    AnnounceFactChange,
    Announcement,
    FactChange,
    FollowUps,
    FollowUpState,
    follow_up_state,
)
from hub.registry.holder_events import AnnounceHolderEvent, EventAnnouncement
from hub.registry.v1 import facts_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.registry.v1.FactService/"
_STATES: Final = {
    FollowUpState.OPEN: pb.FollowUp.STATE_OPEN,
    FollowUpState.DONE: pb.FollowUp.STATE_DONE,
    FollowUpState.DECLINED: pb.FollowUp.STATE_DECLINED,
    FollowUpState.ENDED: pb.FollowUp.STATE_ENDED,
}
_EVENTS: Final = {
    pb.AnnounceHolderEventRequest.EVENT_DEATH: HolderEvent.DEATH,
    pb.AnnounceHolderEventRequest.EVENT_DISSOLUTION: HolderEvent.DISSOLUTION,
    pb.AnnounceHolderEventRequest.EVENT_GUARDIANSHIP_BEGUN: HolderEvent.GUARDIANSHIP_BEGUN,
    pb.AnnounceHolderEventRequest.EVENT_GUARDIANSHIP_ENDED: HolderEvent.GUARDIANSHIP_ENDED,
}


@dataclass(frozen=True, slots=True)
class FactService:
    """`hub.registry.v1.FactService`."""

    announce: AnnounceFactChange
    announce_event: AnnounceHolderEvent
    follow_ups: FollowUps
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def AnnounceFactChange(
        self, request: pb.AnnounceFactChangeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.AnnounceFactChangeResponse:
        """Announce that facts have changed."""
        authority, certificate = names.parse(
            request.certificate, "authorities/{authority}/certificates/{certificate}"
        )
        answered = await self.announce(
            self._call("AnnounceFactChange", request),
            Announcement(
                f"authorities/{authority}", certificate, tuple(request.facts), request.legal_basis
            ),
            lambda made: encode_fact_change(made).SerializeToString(),
        )
        return pb.AnnounceFactChangeResponse(
            fact_change=pb.FactChange.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    async def AnnounceHolderEvent(
        self, request: pb.AnnounceHolderEventRequest, _context: grpc.aio.ServicerContext
    ) -> pb.AnnounceHolderEventResponse:
        """Announce what happened to a holder."""
        authority, certificate = names.parse(
            request.certificate, "authorities/{authority}/certificates/{certificate}"
        )
        event = _EVENTS.get(request.event)
        if event is None:
            raise HubError(Reason.FIELD_INVALID, field="event", rule="an event of this list")
        answered = await self.announce_event(
            self._call("AnnounceHolderEvent", request),
            EventAnnouncement(
                f"authorities/{authority}",
                certificate,
                event,
                Evidence(request.document_digest, request.legal_basis),
            ),
            lambda made: encode_fact_change(made).SerializeToString(),
        )
        return pb.AnnounceHolderEventResponse(
            fact_change=pb.FactChange.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    async def ListFollowUps(
        self, request: pb.ListFollowUpsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListFollowUpsResponse:
        """A page of follow-ups."""
        caller = self.current_caller()
        change = ""
        if request.fact_change:
            (change,) = names.parse(request.fact_change, "factChanges/{fact_change}")
        scope = f"ListFollowUps {caller.name} {change}"
        page = await self.follow_ups.list(
            caller,
            change,
            after=self.pages.read(request.page_token, scope),
            size=page_size(request.page_size),
        )
        return pb.ListFollowUpsResponse(
            follow_ups=[
                encode_follow_up(
                    one,
                    is_named=caller.role is Role.AUDITOR or self.follow_ups.is_own(caller, one),
                )
                for one in page.follow_ups
            ],
            next_page_token=self.pages.make(page.after, scope) if page.after else "",
        )

    async def DeclineFollowUp(
        self, request: pb.DeclineFollowUpRequest, _context: grpc.aio.ServicerContext
    ) -> pb.DeclineFollowUpResponse:
        """Say why a certificate is not changed."""
        change, certificate = names.parse(
            request.name, "factChanges/{fact_change}/followUps/{follow_up}"
        )
        call = self._call("DeclineFollowUp", request)
        answered = await self.follow_ups.decline(
            call,
            change,
            certificate,
            request.decline_reason,
            lambda one: encode_follow_up(one, is_named=True).SerializeToString(),
        )
        return pb.DeclineFollowUpResponse(
            follow_up=pb.FollowUp.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def encode_fact_change(made: FactChange) -> pb.FactChange:
    """The message of an announcement."""
    return pb.FactChange(
        name=f"factChanges/{made.id}",
        certificate=f"{made.source.authority}/certificates/{made.source.id}",
        identifier=made.source.identifier,
        facts=made.facts,
        legal_basis=made.legal_basis,
        announce_time=wire.timestamp(made.time_us),
        follow_ups=made.follow_ups,
    )


def encode_follow_up(one: FollowUp, *, is_named: bool) -> pb.FollowUp:
    """The message of a follow-up; its certificate is named to who keeps it, and to auditors."""
    name = f"{one.authority}/certificates/{one.certificate_id}"
    return pb.FollowUp(
        name=f"factChanges/{one.fact_change}/followUps/{one.certificate_id}",
        authority=one.authority,
        certificate_type=f"certificateTypes/{one.type_code.lower()}",
        certificate=name if is_named else "",
        facts=one.facts,
        source_identifier=one.source_identifier,
        state=_STATES[follow_up_state(one)],
        decline_reason=one.decline_reason,
        announce_time=wire.timestamp(one.time_us),
    )
