"""ReorganizationService: messages in, dataclasses inside, messages out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub import wire
from hub.access.reorganize import Reorganizations
from hub.access.service import encode_authority
from hub.access.v1 import reorganization_pb2 as pb
from hub.domain.caller import Caller
from hub.proof.encoding import digest
from hub.storage.changes import Call
from hub.v1 import common_pb2

_METHOD: Final = "/hub.access.v1.ReorganizationService/ReorganizeAuthority"


@dataclass(frozen=True, slots=True)
class ReorganizationService:
    """`hub.access.v1.ReorganizationService`."""

    reorganizations: Reorganizations
    current_caller: Callable[[], Caller]

    async def CreateReorganizationChallenge(
        self, request: pb.CreateReorganizationChallengeRequest, _context: object
    ) -> pb.CreateReorganizationChallengeResponse:
        """A nonce for the calling officer."""
        challenge = self.reorganizations.challenge(self.current_caller().name, request.intent)
        expire_time = wire.timestamp(challenge.expire_time_us)
        return pb.CreateReorganizationChallengeResponse(
            nonce=challenge.nonce, expire_time=expire_time, key_entry=challenge.key_entry
        )

    async def ReorganizeAuthority(
        self, request: pb.ReorganizeAuthorityRequest, _context: object
    ) -> pb.ReorganizeAuthorityResponse:
        """Do what two officers approved."""
        caller = self.current_caller()
        content = digest(request.SerializeToString(deterministic=True))
        outcome = await self.reorganizations.apply(
            Call(caller, request.request_id, _METHOD, content),
            request.intent,
            tuple(request.approvals),
        )
        assert outcome.entry is not None
        assert outcome.receipt is not None, "what is applied is recorded"
        return pb.ReorganizeAuthorityResponse(
            authority=encode_authority(outcome.resource),
            receipt=common_pb2.Receipt(json=outcome.receipt, entry=outcome.entry),
        )
