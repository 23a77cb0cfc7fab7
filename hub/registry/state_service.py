"""CertificateStateService: messages in, one decision of an authority, messages out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from google.protobuf.message import Message

from hub import wire
from hub.clock import Clock
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate import Cause, State, Verb
from hub.domain.ruling import Ruling
from hub.errors import HubError, Reason
from hub.registry.change_state import (
    ConfirmCertificate,
    Order,
    Transitions,
)
from hub.registry.search import SearchCertificates
from hub.registry.service import CERTIFICATE, STATES, encode_certificate
from hub.registry.store import CertificateView, etag_of
from hub.registry.transition_store import TransitionRow
from hub.registry.v1 import registry_pb2, states_pb2
from hub.storage.changes import Answered, Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.registry.v1.CertificateStateService/"
_VERBS: Final = {
    Verb.SUSPEND: states_pb2.Transition.VERB_SUSPEND,
    Verb.RESUME: states_pb2.Transition.VERB_RESUME,
    Verb.WITHDRAW: states_pb2.Transition.VERB_WITHDRAW,
    Verb.ANNUL: states_pb2.Transition.VERB_ANNUL,
    Verb.REVOKE: states_pb2.Transition.VERB_REVOKE,
    Verb.DEREGISTER: states_pb2.Transition.VERB_DEREGISTER,
    Verb.RESTORE: states_pb2.Transition.VERB_RESTORE,
}
_CAUSES: Final = {
    Cause.EXPIRED: states_pb2.Ruling.CAUSE_EXPIRED,
    Cause.ENDED: states_pb2.Ruling.CAUSE_ENDED,
    Cause.DEATH: states_pb2.Ruling.CAUSE_DEATH,
    Cause.DISSOLUTION: states_pb2.Ruling.CAUSE_DISSOLUTION,
    Cause.FORCE_MAJEURE: states_pb2.Ruling.CAUSE_FORCE_MAJEURE,
    Cause.HOLDER_REQUEST: states_pb2.Ruling.CAUSE_HOLDER_REQUEST,
    Cause.OTHER: states_pb2.Ruling.CAUSE_OTHER,
}
_CAUSES_READ: Final = {number: cause for cause, number in _CAUSES.items()}


class ChangeRequest(Protocol):
    """The one shape of all seven requests."""

    request_id: str
    name: str
    etag: str

    @property
    def ruling(self) -> states_pb2.Ruling: ...


ResponseT = TypeVar("ResponseT", bound=Message)


@dataclass(frozen=True, slots=True)
class CertificateStateService:
    """`hub.registry.v1.CertificateStateService`."""

    clock: Clock
    change: Callable[[Call, Order, Callable[[CertificateView], bytes]], Awaitable[Answered]]
    confirm: ConfirmCertificate
    transitions: Transitions
    search: SearchCertificates
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def SuspendCertificate(
        self, request: states_pb2.SuspendCertificateRequest, _context: object
    ) -> states_pb2.SuspendCertificateResponse:
        """暂扣."""
        return await self._change(Verb.SUSPEND, request, states_pb2.SuspendCertificateResponse)

    async def ResumeCertificate(
        self, request: states_pb2.ResumeCertificateRequest, _context: object
    ) -> states_pb2.ResumeCertificateResponse:
        """暂扣发还."""
        return await self._change(Verb.RESUME, request, states_pb2.ResumeCertificateResponse)

    async def WithdrawCertificate(
        self, request: states_pb2.WithdrawCertificateRequest, _context: object
    ) -> states_pb2.WithdrawCertificateResponse:
        """撤回."""
        return await self._change(Verb.WITHDRAW, request, states_pb2.WithdrawCertificateResponse)

    async def AnnulCertificate(
        self, request: states_pb2.AnnulCertificateRequest, _context: object
    ) -> states_pb2.AnnulCertificateResponse:
        """撤销."""
        return await self._change(Verb.ANNUL, request, states_pb2.AnnulCertificateResponse)

    async def RevokeCertificate(
        self, request: states_pb2.RevokeCertificateRequest, _context: object
    ) -> states_pb2.RevokeCertificateResponse:
        """吊销."""
        return await self._change(Verb.REVOKE, request, states_pb2.RevokeCertificateResponse)

    async def DeregisterCertificate(
        self, request: states_pb2.DeregisterCertificateRequest, _context: object
    ) -> states_pb2.DeregisterCertificateResponse:
        """注销."""
        return await self._change(
            Verb.DEREGISTER, request, states_pb2.DeregisterCertificateResponse
        )

    async def RestoreCertificate(
        self, request: states_pb2.RestoreCertificateRequest, _context: object
    ) -> states_pb2.RestoreCertificateResponse:
        """Set aside on review or by a court."""
        return await self._change(Verb.RESTORE, request, states_pb2.RestoreCertificateResponse)

    async def ConfirmCertificate(
        self, request: states_pb2.ConfirmCertificateRequest, _context: object
    ) -> states_pb2.ConfirmCertificateResponse:
        """Whether the authority's own system lists it."""
        authority, certificate = names.parse(request.name, CERTIFICATE)
        if request.presence not in (registry_pb2.PRESENCE_LISTED, registry_pb2.PRESENCE_GONE):
            raise HubError(Reason.FIELD_INVALID, field="presence", rule="listed or gone")
        answered = await self.confirm(
            self._call("ConfirmCertificate", request),
            f"authorities/{authority}",
            certificate,
            is_gone=request.presence == registry_pb2.PRESENCE_GONE,
        )
        return states_pb2.ConfirmCertificateResponse(receipt=wire.receipt(answered))

    async def ListCertificateTransitions(
        self, request: states_pb2.ListCertificateTransitionsRequest, _context: object
    ) -> states_pb2.ListCertificateTransitionsResponse:
        """A page of a certificate's transitions."""
        authority, certificate = names.parse(request.parent, CERTIFICATE)
        caller = self.current_caller()
        size = page_size(request.page_size)
        scope = f"ListCertificateTransitions {caller.name} {request.parent}"
        after = self.pages.read(request.page_token, scope)
        await self.search.get(caller, f"authorities/{authority}", certificate)
        found, after = await self.transitions.page(certificate, after=after, size=size)
        return states_pb2.ListCertificateTransitionsResponse(
            transitions=[encode_transition(one) for one in found],
            next_page_token=self.pages.make(after, scope) if after else "",
        )

    async def _change(
        self, verb: Verb, request: ChangeRequest, response: Callable[..., ResponseT]
    ) -> ResponseT:
        authority, certificate = names.parse(request.name, CERTIFICATE)
        order = Order(
            verb,
            f"authorities/{authority}",
            certificate,
            request.etag,
            decode_ruling(request.ruling),
        )
        assert isinstance(request, Message), "every request is a message"
        answered = await self.change(
            self._call(f"{verb.value.capitalize()}Certificate", request),
            order,
            lambda view: encode_certificate(view, self.clock()).SerializeToString(),
        )
        assert answered.entry is not None, "it was recorded"
        shown = registry_pb2.Certificate.FromString(answered.answer)
        shown.state_entry = answered.entry
        shown.etag = etag_of(shown.identifier, answered.entry)
        return response(certificate=shown, receipt=wire.receipt(answered))

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def decode_ruling(message: states_pb2.Ruling) -> Ruling:
    """The ruling; what else is wrong with it is the operation's to say."""
    if message.cause and message.cause not in _CAUSES_READ:
        raise HubError(Reason.FIELD_INVALID, field="ruling.cause", rule="a cause of this list")
    return Ruling(
        legal_basis=message.legal_basis,
        document=message.document,
        decision_date=message.decision_date,
        deciding_body=message.deciding_body,
        cause=_CAUSES_READ.get(message.cause),
    )


def encode_transition(row: TransitionRow) -> states_pb2.Transition:
    """The message of a transition."""
    return states_pb2.Transition(
        identifier=row.identifier,
        verb=_VERBS[Verb(row.verb)],
        from_state=STATES[State(row.from_state)],
        to_state=STATES[State(row.to_state)],
        ruling=states_pb2.Ruling(
            legal_basis=row.legal_basis,
            document=row.document,
            decision_date=row.decision_date,
            deciding_body=row.deciding_body,
            cause=_CAUSES[Cause(row.cause)] if row.cause else None,
        ),
        authority=row.authority,
        system=row.system,
        create_time=wire.timestamp(row.time_us),
        entry=row.entry,
    )
