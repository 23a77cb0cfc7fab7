"""Asking a hub for a document, the way a platform does it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import grpc

from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.exchange.v1 import exchange_pb2, shared_documents_pb2
from hub.proof.encoding import b64u
from hub.proof.exchange.answer_receipt import (
    AnsweredDocument,
    handed_out_first,
    verify_document_receipt,
)
from hub.proof.exchange.request import RequestedCertificate, sign_request
from hub.proof.log.receipt import VerifiedReceipt
from hub.v1 import common_pb2
from tests.simulator import DEADLINE_S, LICENCE_VCT, Platform, Refused, bearer

RPC: Final = "/hub.exchange.v1.SharedDocumentService/FetchDocument"


@dataclass(frozen=True)
class Came:
    """An answer whose receipt holds."""

    header: shared_documents_pb2.FetchDocumentResponse.Header
    data: bytes
    receipt: VerifiedReceipt


def digest_of(data: bytes) -> str:
    return b64u(hashlib.sha256(data).digest())


async def fetch(
    platform: Platform, identifier: str, *, media_type: str = "", **claims: Any
) -> Came:
    """One document, its receipt verified. Raises Refused and ProofError."""
    wanted = RequestedCertificate(LICENCE_VCT, (DOCUMENT_FIELD,), cert=identifier)
    made = await platform.claims(**{"rpc": RPC, "certificates": (wanted,), **claims})
    return await send(platform, sign_request(made, platform.signer), made.jti, media_type)


async def send(platform: Platform, compact: str, request_id: str, media_type: str = "") -> Came:
    request = shared_documents_pb2.FetchDocumentRequest(
        request_id=request_id, signed_request=compact, media_type=media_type
    )
    call = platform.channel.unary_stream(RPC)(
        request.SerializeToString(), metadata=bearer(await platform.token()), timeout=DEADLINE_S
    )
    try:
        messages = [
            shared_documents_pb2.FetchDocumentResponse.FromString(data) async for data in call
        ]
    except grpc.aio.AioRpcError as error:
        raise Refused(error) from error
    header, data = messages[0].header, b"".join(one.chunk for one in messages[1:])
    state = exchange_pb2.FetchedCertificate.State.Name(header.state)
    said = AnsweredDocument(state.removeprefix("STATE_").lower())
    if header.digest:
        said = AnsweredDocument(
            said.state,
            header.media_type,
            len(data),
            digest_of(data),
            "scan" if header.origin == common_pb2.CERTIFICATE_ORIGIN_SCAN else None,
        )
    if header.HasField("resealed"):
        said = handed_out_first(header.resealed.json.encode(), said, platform.hub.trust.log)
    receipt = verify_document_receipt(
        header.receipt.json.encode(), [compact], platform.name, said, platform.hub.trust.log
    )
    return Came(header, data, receipt)
