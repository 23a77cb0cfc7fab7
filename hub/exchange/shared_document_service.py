"""SharedDocumentService: a header, then the bytes of a document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic

from hub import wire
from hub.domain.caller import Caller
from hub.exchange.fetch_document import FetchDocument, HandedDocument
from hub.exchange.make_copy import MadeFile
from hub.exchange.ports import Kept
from hub.exchange.service import encode_state
from hub.exchange.v1 import shared_documents_pb2 as pb
from hub.exchange.verification_service import ORIGINS
from hub.v1 import common_pb2


@dataclass(frozen=True, slots=True)
class SharedDocumentService(Generic[Kept]):
    """`hub.exchange.v1.SharedDocumentService`."""

    fetch: FetchDocument[Kept]
    current_caller: Callable[[], Caller]

    async def FetchDocument(
        self, request: pb.FetchDocumentRequest, _context: object
    ) -> AsyncIterator[pb.FetchDocumentResponse]:
        """Hand a document out."""
        handed = await self.fetch(
            self.current_caller(),
            request.request_id,
            request.signed_request,
            request.media_type,
        )
        yield pb.FetchDocumentResponse(header=encode_header(handed))
        if handed.document is not None:
            async for chunk in handed.document.chunks:
                yield pb.FetchDocumentResponse(chunk=chunk)


def encode_header(handed: HandedDocument) -> pb.FetchDocumentResponse.Header:
    """The first message of an answer."""
    header = pb.FetchDocumentResponse.Header(
        state=encode_state(handed.state),
        objected_fields=handed.objected,
        receipt=common_pb2.Receipt(json=handed.receipt, entry=handed.entry),
    )
    if handed.document is not None:
        header.media_type = handed.document.media_type
        header.size = handed.document.size
        header.digest = handed.document.digest
    if isinstance(handed.document, MadeFile):
        header.annotated_copy = handed.document.name
        header.expire_time.CopyFrom(wire.timestamp(handed.document.expire_time_us))
        if handed.document.resealed is not None:
            anew, entry = handed.document.resealed
            header.resealed.CopyFrom(common_pb2.Receipt(json=anew, entry=entry))
    if handed.trust is not None:
        grade, origin = handed.trust
        header.trust_grade, header.origin = grade.value, ORIGINS[origin]
    return header
