"""VerificationService: messages in, an answer of one word out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.domain.caller import Caller
from hub.domain.certificate import Origin
from hub.exchange.v1 import verification_pb2 as pb
from hub.exchange.verify_information import Result, VerifyInformation
from hub.v1 import common_pb2

_RESULTS: Final = {
    Result.IN_FORCE: pb.VerifyInformationResponse.RESULT_IN_FORCE,
    Result.NOT_YET_IN_FORCE: pb.VerifyInformationResponse.RESULT_NOT_YET_IN_FORCE,
    Result.SUSPENDED: pb.VerifyInformationResponse.RESULT_SUSPENDED,
    Result.ENDED: pb.VerifyInformationResponse.RESULT_ENDED,
    Result.INSUFFICIENT: pb.VerifyInformationResponse.RESULT_INSUFFICIENT,
    Result.NOT_CONFIRMED: pb.VerifyInformationResponse.RESULT_NOT_CONFIRMED,
}

ORIGINS: Final = {
    Origin.SYSTEM: common_pb2.CERTIFICATE_ORIGIN_SYSTEM,
    Origin.SCAN: common_pb2.CERTIFICATE_ORIGIN_SCAN,
}


@dataclass(frozen=True, slots=True)
class VerificationService:
    """`hub.exchange.v1.VerificationService`."""

    verify: VerifyInformation
    current_caller: Callable[[], Caller]

    async def VerifyInformation(
        self, request: pb.VerifyInformationRequest, _context: object
    ) -> pb.VerifyInformationResponse:
        """Say whether values are right, and disclose nothing else."""
        answer = await self.verify(
            self.current_caller(), request.request_id, request.signed_request
        )
        return pb.VerifyInformationResponse(
            request_id=answer.request_id,
            result=_RESULTS[answer.result],
            objected_fields=answer.objected,
            trust_grade="" if answer.trust is None else answer.trust[0].value,
            origin=None if answer.trust is None else ORIGINS[answer.trust[1]],
            receipt=common_pb2.Receipt(json=answer.receipt, entry=answer.entry),
        )
