"""Asking a hub to confirm values, the way a platform does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.exchange.v1 import verification_pb2 as pb
from hub.proof.exchange.answer_receipt import verify_verification_receipt
from hub.proof.exchange.request import RequestedCertificate, sign_request
from hub.proof.log.receipt import VerifiedReceipt
from tests.simulator import LICENCE_VCT, Platform, by_holder, company

RPC: Final = "/hub.exchange.v1.VerificationService/VerifyInformation"


@dataclass(frozen=True)
class Heard:
    """A verified answer."""

    result: str
    response: pb.VerifyInformationResponse
    receipt: VerifiedReceipt
    compact: str


def about(
    values: Mapping[str, Any], holder: str = "", *, vct: str = LICENCE_VCT, holder_type: str = "001"
) -> dict[str, Any]:
    """The claims of a question about a holder's certificate; of company 1 unless named."""
    wanted = by_holder(holder or company(1), tuple(values), vct=vct, holder_type=holder_type)
    return {"certificates": (wanted,), "values": values}


def about_identifier(
    values: Mapping[str, Any], identifier: str, *, vct: str = LICENCE_VCT
) -> dict[str, Any]:
    """The claims of a question about one version."""
    wanted = RequestedCertificate(vct, tuple(values), cert=identifier)
    return {"certificates": (wanted,), "values": values}


async def ask(platform: Platform, **claims: Any) -> Heard:
    """One question, its receipt verified. Raises Refused and ProofError."""
    made = await platform.claims(**{"rpc": RPC, **claims})
    return await send(platform, sign_request(made, platform.signer), made.jti)


async def send(platform: Platform, compact: str, request_id: str) -> Heard:
    """A signed question, whatever it says; its receipt verified."""
    request = pb.VerifyInformationRequest(request_id=request_id, signed_request=compact)
    data = await platform.raw(RPC, request.SerializeToString())
    response = pb.VerifyInformationResponse.FromString(data)
    result = result_of(response)
    receipt = verify_verification_receipt(
        response.receipt.json.encode(), [compact], platform.name, result, platform.hub.trust.log
    )
    return Heard(result, response, receipt, compact)


def result_of(response: pb.VerifyInformationResponse) -> str:
    """The result as receipts spell it."""
    return response.Result.Name(response.result).removeprefix("RESULT_").lower()
