"""IntentService: messages in, dataclasses inside, messages out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.proof.officers.approval import Decision
from hub.seal.decisions import Decisions
from hub.seal.intents import Intents, IntentView, ProposedIntent
from hub.seal.ports import Database
from hub.seal.store import INTENTS_PAGE, IntentState, StoredApproval, intent_of
from hub.seal.v1 import intents_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.seal.v1.IntentService/"
_FORM: Final = "intents/{intent}"

_STATES: Final = {
    IntentState.PROPOSED: pb.Intent.STATE_PROPOSED,
    IntentState.APPROVED: pb.Intent.STATE_APPROVED,
    IntentState.REJECTED: pb.Intent.STATE_REJECTED,
    IntentState.WITHDRAWN: pb.Intent.STATE_WITHDRAWN,
    IntentState.REPLACED: pb.Intent.STATE_REPLACED,
    IntentState.EXECUTED: pb.Intent.STATE_EXECUTED,
}


@dataclass(frozen=True, slots=True)
class IntentService:
    """`hub.seal.v1.IntentService`."""

    database: Database
    intents: Intents
    decisions: Decisions
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def ProposeIntent(
        self, request: pb.ProposeIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ProposeIntentResponse:
        """Write an intent's bytes."""
        answered = await self.intents.propose(
            self._call("ProposeIntent", request),
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
        names.parse(request.intent, _FORM)
        challenge = await self.decisions.challenge(self.current_caller().name, request.intent)
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
        names.parse(request.name, _FORM)
        answered = await self.decisions.decide(
            self._call("ApproveIntent", request),
            request.name,
            request.approval,
            lambda view: pb.ApproveIntentResponse(intent=encode_intent(view)).SerializeToString(),
        )
        response = pb.ApproveIntentResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def WithdrawIntent(
        self, request: pb.WithdrawIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.WithdrawIntentResponse:
        """Take an intent back."""
        names.parse(request.name, _FORM)
        answered = await self.intents.withdraw(
            self._call("WithdrawIntent", request),
            request.name,
            lambda view: pb.WithdrawIntentResponse(intent=encode_intent(view)).SerializeToString(),
        )
        response = pb.WithdrawIntentResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def ExecuteIntent(
        self, request: pb.ExecuteIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ExecuteIntentResponse:
        """Do what an approved intent says."""
        names.parse(request.name, _FORM)
        answered = await self.intents.execute(
            self._call("ExecuteIntent", request),
            request.name,
            lambda view, result: pb.ExecuteIntentResponse(
                intent=encode_intent(view), result=result
            ).SerializeToString(),
        )
        response = pb.ExecuteIntentResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetIntent(
        self, request: pb.GetIntentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetIntentResponse:
        """One intent."""
        names.parse(request.name, _FORM)
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

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def encode_intent(view: IntentView) -> pb.Intent:
    """The message of an intent."""
    return pb.Intent(
        name=view.stored.name,
        kind=view.intent.kind.name,
        state=_STATES[view.stored.state],
        intent_bytes=view.stored.bytes,
        digest=view.stored.digest,
        requester=view.intent.requester,
        approvals=[_encode_approval(approval) for approval in view.approvals],
        quorum=view.quorum,
        counting=view.counting,
        uses=view.uses,
        create_time=wire.timestamp(view.stored.create_time_us),
    )


def decode_proposed_intent(request: pb.ProposeIntentRequest) -> ProposedIntent:
    """What a proposal says."""
    return ProposedIntent(
        intent_id=request.intent_id,
        kind=request.kind,
        members=request.members,
        not_before=request.start_time.seconds if request.HasField("start_time") else None,
        not_after=request.expire_time.seconds if request.HasField("expire_time") else None,
        uses_max=request.uses_max,
        replaces=request.replaces,
    )


def _encode_approval(approval: StoredApproval) -> pb.Approval:
    approved = approval.decision == Decision.APPROVE
    return pb.Approval(
        officer=approval.officer,
        decision=pb.Approval.DECISION_APPROVED if approved else pb.Approval.DECISION_REJECTED,
        approval=approval.approval,
        create_time=wire.timestamp(approval.create_time_us),
    )
