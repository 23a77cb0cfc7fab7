"""gRPC ↔ domain for objections, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.errors import HubError, Reason
from hub.registry.notice_store import NoticeRow
from hub.registry.notices import Notices
from hub.registry.objection_store import ObjectionRow, ObjectionState, Party
from hub.registry.objections import (
    NO_WORDS,
    AnswerObjection,
    Objections,
    RaiseObjection,
    Stated,
    Words,
)
from hub.registry.v1 import objections_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.registry.v1.ObjectionService/"
_NAME: Final = "objections/{objection}"
_STATES: Final = {
    ObjectionState.RAISED: pb.Objection.STATE_RAISED,
    ObjectionState.ACCEPTED: pb.Objection.STATE_ACCEPTED,
    ObjectionState.REJECTED: pb.Objection.STATE_REJECTED,
    ObjectionState.CORRECTED: pb.Objection.STATE_CORRECTED,
}
_STATES_READ: Final[dict[int, ObjectionState]] = {
    number: state for state, number in _STATES.items()
}
_PARTIES: Final = {
    Party.HOLDER: pb.Objection.PARTY_HOLDER,
    Party.AUTHORITY: pb.Objection.PARTY_AUTHORITY,
}
_PARTIES_READ: Final[dict[int, Party]] = {number: party for party, number in _PARTIES.items()}
_DECISIONS: Final[dict[int, bool]] = {
    pb.AnswerObjectionRequest.DECISION_ACCEPTED: True,
    pb.AnswerObjectionRequest.DECISION_REJECTED: False,
}


@dataclass(frozen=True, slots=True)
class ObjectionService:
    """`hub.registry.v1.ObjectionService`."""

    raise_objection: RaiseObjection
    answer: AnswerObjection
    objections: Objections
    notices: Notices
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def RaiseObjection(
        self, request: pb.RaiseObjectionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.RaiseObjectionResponse:
        """Object to fields of a certificate."""
        answered = await self.raise_objection(
            self._call("RaiseObjection", request),
            decode_stated(request),
            lambda made: encode_objection(made).SerializeToString(),
        )
        return pb.RaiseObjectionResponse(
            objection=pb.Objection.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    async def GetObjection(
        self, request: pb.GetObjectionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetObjectionResponse:
        """One objection."""
        (objection,) = names.parse(request.name, _NAME)
        found, words = await self.objections.get(self.current_caller(), objection)
        return pb.GetObjectionResponse(objection=encode_objection(found, words))

    async def ListObjections(
        self, request: pb.ListObjectionsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListObjectionsResponse:
        """A page of objections."""
        caller, wanted = self.current_caller(), request.filter
        if wanted.state and wanted.state not in _STATES_READ:
            raise HubError(Reason.FIELD_INVALID, field="filter.state", rule="a value of State")
        scope = f"ListObjections {caller.name} {wanted.state} {wanted.overdue}"
        page = await self.objections.list(
            caller,
            _STATES_READ.get(wanted.state),
            self.pages.read(request.page_token, scope),
            page_size(request.page_size),
            overdue=wanted.overdue,
        )
        return pb.ListObjectionsResponse(
            objections=[encode_objection(one) for one in page.objections],
            next_page_token=self.pages.make(page.after, scope) if page.after else "",
        )

    async def AnswerObjection(
        self, request: pb.AnswerObjectionRequest, _context: grpc.aio.ServicerContext
    ) -> pb.AnswerObjectionResponse:
        """Accept or reject an objection."""
        (objection,) = names.parse(request.name, _NAME)
        if request.decision not in _DECISIONS:
            raise HubError(Reason.FIELD_INVALID, field="decision", rule="accepted or rejected")
        answered = await self.answer(
            self._call("AnswerObjection", request),
            objection,
            request.answer,
            lambda one: encode_objection(one).SerializeToString(),
            is_accepted=_DECISIONS[request.decision],
        )
        return pb.AnswerObjectionResponse(
            objection=pb.Objection.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    async def ListNotices(
        self, request: pb.ListNoticesRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListNoticesResponse:
        """A page of notices."""
        caller, wanted = self.current_caller(), request.filter
        scope = f"ListNotices {caller.name} {wanted.unacknowledged}"
        page = await self.notices.list(
            caller,
            self.pages.read(request.page_token, scope),
            page_size(request.page_size),
            unacknowledged=wanted.unacknowledged,
        )
        return pb.ListNoticesResponse(
            notices=[encode_notice(one) for one in page.notices],
            next_page_token=self.pages.make(page.after, scope) if page.after else "",
        )

    async def AcknowledgeNotice(
        self, request: pb.AcknowledgeNoticeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.AcknowledgeNoticeResponse:
        """Say that a notice was dealt with."""
        _, notice = names.parse(request.name, "systems/{system}/notices/{notice}")
        answered = await self.notices.acknowledge(
            self._call("AcknowledgeNotice", request),
            request.name,
            notice,
            lambda done: encode_notice(done).SerializeToString(),
        )
        return pb.AcknowledgeNoticeResponse(
            notice=pb.Notice.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def decode_stated(message: pb.RaiseObjectionRequest) -> Stated:
    """What is objected to. Raises HubError(FIELD_INVALID)."""
    if message.party not in _PARTIES_READ:
        raise HubError(Reason.FIELD_INVALID, field="party", rule="holder or authority")
    return Stated(
        message.identifier, tuple(message.fields), _PARTIES_READ[message.party], message.statement
    )


def encode_objection(row: ObjectionRow, words: Words = NO_WORDS) -> pb.Objection:
    """The message of an objection."""
    message = pb.Objection(
        name=row.name,
        authority=row.authority,
        certificate_type=f"certificateTypes/{row.type_code.lower()}",
        identifier=row.identifier,
        fields=row.field_names,
        party=_PARTIES[Party(row.party)],
        raised_by=row.raised_by,
        state=_STATES[ObjectionState(row.state)],
        due_date=row.due_date,
        statement=words.statement,
        answer=words.answer,
        correction=row.correction,
        raise_time=wire.timestamp(row.raise_time_us),
    )
    if row.answer_time_us:
        message.answer_time.CopyFrom(wire.timestamp(row.answer_time_us))
    return message


def encode_notice(row: NoticeRow) -> pb.Notice:
    """The message of a notice."""
    message = pb.Notice(
        name=row.name,
        authority=row.authority,
        certificate_type=f"certificateTypes/{row.type_code.lower()}",
        received=[
            pb.Notice.Received(
                identifier=one.identifier,
                fields=one.fields,
                entries=one.entries,
                entries_n=one.entries_n,
            )
            for one in row.gave
        ],
        correction=row.correction,
        objection=row.objection,
        create_time=wire.timestamp(row.create_time_us),
    )
    if row.acknowledge_time_us:
        message.acknowledge_time.CopyFrom(wire.timestamp(row.acknowledge_time_us))
    return message
