"""gRPC ↔ domain for documents, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.face import FaceFormat
from hub.errors import HubError, Reason
from hub.registry.documents import CHUNK_BYTES_MAX, Document, Documents, Upload
from hub.registry.seal_document import SealDocument, Wanted
from hub.registry.v1 import documents_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.registry.v1.DocumentService/"
_CERTIFICATE: Final = "authorities/{authority}/certificates/{certificate}"
_DOCUMENT: Final = _CERTIFICATE + "/documents/{document}"


@dataclass(frozen=True, slots=True)
class DocumentService:
    """`hub.registry.v1.DocumentService`."""

    documents: Documents
    seal: SealDocument
    pages: PageTokens
    current_caller: Callable[[], Caller]
    content_digest: Callable[[str], str]

    async def UploadDocument(
        self, requests: AsyncIterator[pb.UploadDocumentRequest], _context: grpc.aio.ServicerContext
    ) -> pb.UploadDocumentResponse:
        """Keep a document."""
        first = await anext(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            rule = "the first message is the header"
            raise HubError(Reason.FIELD_INVALID, field="header", rule=rule)
        kept = await self.documents.upload(self._upload(first.header), _chunks(requests))
        return pb.UploadDocumentResponse(
            document=encode_document(kept.document), receipt=wire.receipt(kept)
        )

    async def DownloadDocument(
        self, request: pb.DownloadDocumentRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.DownloadDocumentResponse]:
        """Hand a document out."""
        authority, certificate, document = names.parse(request.name, _DOCUMENT)
        call = self._call("DownloadDocument", request)
        handed = await self.documents.download(
            call, f"authorities/{authority}", certificate, document
        )
        header = pb.DownloadDocumentResponse.Header(
            document=encode_document(handed.kept.document), receipt=wire.receipt(handed.kept)
        )
        yield pb.DownloadDocumentResponse(header=header)
        async for chunk in handed.chunks:
            yield pb.DownloadDocumentResponse(chunk=chunk)

    async def SealDocument(
        self, request: pb.SealDocumentRequest, _context: grpc.aio.ServicerContext
    ) -> pb.SealDocumentResponse:
        """Make the original of a version."""
        authority, certificate = names.parse(request.parent, _CERTIFICATE)
        if request.version < 1:
            rule = "a version of the certificate, 1 or more"
            raise HubError(Reason.FIELD_INVALID, field="version", rule=rule)
        if request.media_type not in tuple(FaceFormat):
            rule = f"one of {', '.join(FaceFormat)}"
            raise HubError(Reason.FIELD_INVALID, field="media_type", rule=rule)
        if (request.open or request.further) and request.media_type != FaceFormat.OFD:
            rule = f"{FaceFormat.OFD}: a file of another kind takes one seal"
            raise HubError(Reason.FIELD_INVALID, field="media_type", rule=rule)
        wanted = Wanted(
            f"authorities/{authority}",
            certificate,
            request.version,
            FaceFormat(request.media_type),
            request.open,
            request.further,
        )
        kept = await self.seal(self._call("SealDocument", request), wanted)
        return pb.SealDocumentResponse(
            document=encode_document(kept.document), receipt=wire.receipt(kept)
        )

    async def ListDocuments(
        self, request: pb.ListDocumentsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListDocumentsResponse:
        """A page of a certificate's documents."""
        authority, certificate = names.parse(request.parent, _CERTIFICATE)
        caller = self.current_caller()
        size = page_size(request.page_size)
        scope = f"ListDocuments {caller.name} {request.parent}"
        after = self.pages.read(request.page_token, scope)
        found, last = await self.documents.page(
            caller, f"authorities/{authority}", certificate, after=after, size=size
        )
        return pb.ListDocumentsResponse(
            documents=[encode_document(one) for one in found],
            next_page_token=self.pages.make(last, scope) if last else "",
        )

    def _upload(self, header: pb.UploadDocumentRequest.Header) -> Upload:
        authority, certificate = names.parse(header.parent, _CERTIFICATE)
        if header.version < 1:
            rule = "a version of the certificate, 1 or more"
            raise HubError(Reason.FIELD_INVALID, field="header.version", rule=rule)
        return Upload(
            self._call("UploadDocument", header),
            f"authorities/{authority}",
            certificate,
            header.version,
            header.media_type,
            header.digest,
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        # Keyed: a header names the digest of a document, which somebody could guess.
        return wire.call(self.current_caller(), _PATH + method, request, self.content_digest)


async def _chunks(requests: AsyncIterator[pb.UploadDocumentRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            rule = "every message after the first is a chunk"
            raise HubError(Reason.FIELD_INVALID, field="chunk", rule=rule)
        if len(request.chunk) > CHUNK_BYTES_MAX:
            raise HubError(
                Reason.MESSAGE_TOO_LARGE, bytes=len(request.chunk), bytes_max=CHUNK_BYTES_MAX
            )
        yield request.chunk


def encode_document(document: Document) -> pb.Document:
    """The message of a document."""
    row = document.row
    return pb.Document(
        name=row.name,
        version=row.version,
        media_type=row.media_type,
        size=row.size,
        digest=document.digest,
        uploader=row.uploader,
        entry=row.entry,
        create_time=wire.timestamp(row.create_time_us),
    )
