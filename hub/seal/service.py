"""gRPC ↔ domain for seals, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate import Custody
from hub.domain.seal_states import SealState
from hub.errors import HubError, Reason
from hub.proof.approval import Decision
from hub.seal.intents import Intents, IntentView, ProposedIntent
from hub.seal.ports import Database
from hub.seal.seal_store import SEALS_OF_AUTHORITY_PAGE, SEALS_PAGE, seal_of
from hub.seal.seals import Seals, SealView
from hub.seal.status_lists import StatusLists
from hub.seal.store import (
    INTENTS_PAGE,
    IntentState,
    StoredApproval,
    intent_of,
)
from hub.seal.v1 import seal_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size
from hub.v1 import common_pb2

_PATH: Final = "/hub.seal.v1.SealService/"
_ANY_AUTHORITY: Final = "authorities/-"

_SEAL_STATES: Final = {
    SealState.APPLIED: pb.Seal.STATE_APPLIED,
    SealState.ACTIVE: pb.Seal.STATE_ACTIVE,
    SealState.SUSPENDED: pb.Seal.STATE_SUSPENDED,
    SealState.REVOKED: pb.Seal.STATE_REVOKED,
    SealState.ENDED: pb.Seal.STATE_ENDED,
}
_INTENT_STATES: Final = {
    IntentState.PROPOSED: pb.Intent.STATE_PROPOSED,
    IntentState.APPROVED: pb.Intent.STATE_APPROVED,
    IntentState.REJECTED: pb.Intent.STATE_REJECTED,
}
_CUSTODIES: Final = {
    Custody.DEPARTMENT: common_pb2.CUSTODY_DEPARTMENT,
    Custody.HUB_HSM: common_pb2.CUSTODY_HUB_HSM,
    Custody.HUB_FILE: common_pb2.CUSTODY_HUB_FILE,
    Custody.ATTESTED: common_pb2.CUSTODY_ATTESTED,
}


@dataclass(frozen=True, slots=True)
class SealService:
    """`hub.seal.v1.SealService`."""

    database: Database
    seals: Seals
    intents: Intents
    status_lists: StatusLists
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def CreateSeal(
        self, request: pb.CreateSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateSealResponse:
        """Make a seal and its key."""
        names.parse(request.parent, "authorities/{authority}")
        call = self._call("CreateSeal", request)
        answered = await self.seals.create(
            call,
            request.parent,
            request.seal_id,
            request.title,
            lambda view: pb.CreateSealResponse(
                seal=encode_seal(view), x509_request=view.key.x509_request if view.key else b""
            ).SerializeToString(),
        )
        response = pb.CreateSealResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def ActivateSeal(
        self, request: pb.ActivateSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ActivateSealResponse:
        """Install a chain."""
        names.parse(request.name, "authorities/{authority}/seals/{seal}")
        call = self._call("ActivateSeal", request)
        answered = await self.seals.activate(
            call,
            request.name,
            tuple(request.x509_chain),
            lambda view: pb.ActivateSealResponse(seal=encode_seal(view)).SerializeToString(),
        )
        response = pb.ActivateSealResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetSeal(
        self, request: pb.GetSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetSealResponse:
        """One seal."""
        names.parse(request.name, "authorities/{authority}/seals/{seal}")
        return pb.GetSealResponse(seal=encode_seal(await self.seals.get(request.name)))

    async def ListSeals(
        self, request: pb.ListSealsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListSealsResponse:
        """A page of seals by name."""
        size = page_size(request.page_size)
        scope = f"ListSeals {request.parent}"
        after = self.pages.read(request.page_token, scope)
        if request.parent == _ANY_AUTHORITY:
            rows = await self.database.all(SEALS_PAGE, after, size + 1)
        else:
            names.parse(request.parent, "authorities/{authority}")
            rows = await self.database.all(SEALS_OF_AUTHORITY_PAGE, request.parent, after, size + 1)
        page = [await self.seals.view(seal_of(row)) for row in rows[:size]]
        more = len(rows) > size
        return pb.ListSealsResponse(
            seals=[encode_seal(view) for view in page],
            next_page_token=self.pages.make(page[-1].seal.name, scope) if more else "",
        )

    async def ProposeIntent(
        self, request: pb.ProposeIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ProposeIntentResponse:
        """Propose a standing intent."""
        call = self._call("ProposeIntent", request)
        answered = await self.intents.propose(
            call,
            decode_proposed_intent(request),
            lambda view: pb.ProposeIntentResponse(intent=encode_intent(view)).SerializeToString(),
        )
        response = pb.ProposeIntentResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def CreateApprovalChallenge(
        self, request: pb.CreateApprovalChallengeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateApprovalChallengeResponse:
        """A nonce for the calling officer."""
        names.parse(request.intent, "intents/{intent}")
        challenge = await self.intents.challenge(self.current_caller().name, request.intent)
        return pb.CreateApprovalChallengeResponse(
            intent_bytes=challenge.intent_bytes,
            nonce=challenge.nonce,
            expire_time=wire.timestamp(challenge.expire_time_us),
            key_entry=challenge.key_entry,
        )

    async def ApproveIntent(
        self, request: pb.ApproveIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ApproveIntentResponse:
        """Record an officer's decision."""
        names.parse(request.name, "intents/{intent}")
        call = self._call("ApproveIntent", request)
        answered = await self.intents.decide(
            call,
            request.name,
            request.approval,
            lambda view: pb.ApproveIntentResponse(intent=encode_intent(view)).SerializeToString(),
        )
        response = pb.ApproveIntentResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetIntent(
        self, request: pb.GetIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetIntentResponse:
        """One intent."""
        names.parse(request.name, "intents/{intent}")
        return pb.GetIntentResponse(intent=encode_intent(await self.intents.get(request.name)))

    async def ListIntents(
        self, request: pb.ListIntentsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListIntentsResponse:
        """A page of intents in the order of their creation."""
        size = page_size(request.page_size)
        after = self.pages.read(request.page_token, "ListIntents")
        time_text, _, name = after.partition(" ")
        after_us = int(time_text or -1)
        rows = await self.database.all(INTENTS_PAGE, after_us, after_us, name, size + 1)
        page = [intent_of(row) for row in rows[:size]]
        views = [await self.intents.view(intent) for intent in page]
        more = len(rows) > size
        last = f"{page[-1].create_time_us} {page[-1].name}" if more else ""
        return pb.ListIntentsResponse(
            intents=[encode_intent(view) for view in views],
            next_page_token=self.pages.make(last, "ListIntents") if more else "",
        )

    async def GetStatusList(
        self, request: pb.GetStatusListRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetStatusListResponse:
        """A status list token."""
        collection, _, number = request.name.partition("/")
        # Lists are numbered from 1, so their names are shorter than other ids.
        if collection != "statusLists" or not number.isascii() or not number.isdigit():
            raise HubError(
                Reason.NAME_MALFORMED, name=request.name[:100], form="statusLists/{status_list}"
            )
        return pb.GetStatusListResponse(token=await self.status_lists.token(int(number[:9])))

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def encode_seal(view: SealView) -> pb.Seal:
    """The message of a seal."""
    seal, key = view
    message = pb.Seal(
        name=seal.name,
        title=seal.title,
        state=_SEAL_STATES[seal.state],
        create_time=wire.timestamp(seal.create_time_us),
    )
    if key is not None:
        message.key_id, message.algorithm = key.kid, key.algorithm.value
        message.custody = _CUSTODIES[key.custody]
        message.x509_chain.extend(key.x509_chain)
        if key.not_after_us is not None:
            message.expire_time.CopyFrom(wire.timestamp(key.not_after_us))
    return message


def encode_intent(view: IntentView) -> pb.Intent:
    """The message of an intent."""
    return pb.Intent(
        name=view.intent.name,
        state=_INTENT_STATES[view.intent.state],
        intent_bytes=view.intent.bytes,
        digest=view.intent.digest,
        requester=view.requester,
        approvals=[_encode_approval(approval) for approval in view.approvals],
        uses=view.uses,
        create_time=wire.timestamp(view.intent.create_time_us),
    )


def decode_proposed_intent(request: pb.ProposeIntentRequest) -> ProposedIntent:
    """What a proposal says. Raises HubError(NAME_MALFORMED) or (FIELD_INVALID)."""
    names.parse(request.seal, "authorities/{authority}/seals/{seal}")
    (type_id,) = names.parse(request.certificate_type, "certificateTypes/{certificate_type}")
    for field in ("start_time", "expire_time"):
        if not request.HasField(field):
            raise HubError(Reason.FIELD_INVALID, field=field, rule="is required")
    return ProposedIntent(
        intent_id=request.intent_id,
        seal=request.seal,
        type_code=type_id.upper(),
        not_before=request.start_time.seconds,
        not_after=request.expire_time.seconds,
        uses_max=request.uses_max,
        manifest=request.manifest,
    )


def _encode_approval(approval: StoredApproval) -> pb.Approval:
    approved = approval.decision == Decision.APPROVE
    return pb.Approval(
        officer=approval.officer,
        decision=pb.Approval.DECISION_APPROVED if approved else pb.Approval.DECISION_REJECTED,
        approval=approval.approval,
        create_time=wire.timestamp(approval.create_time_us),
    )
