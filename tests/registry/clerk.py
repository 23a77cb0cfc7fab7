"""A system that uploads and downloads documents."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import grpc

from hub.proof.encoding import b64u
from hub.registry.v1 import documents_pb2 as pb
from hub.registry.v1 import documents_pb2_grpc
from tests.simulator import Member, Refused, bearer, new_id

PDF: Final = b"%PDF-1.7\n" + bytes(range(256)) * 1200


class Clerk:
    """A system that uploads and downloads, chunk by chunk as it is told."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.stub = documents_pb2_grpc.DocumentServiceStub(member.channel)

    async def upload(
        self, parent: str, chunks: Sequence[bytes] = (PDF,), **changes: Any
    ) -> pb.UploadDocumentResponse:
        header = {
            "request_id": new_id(),
            "parent": parent,
            "version": 1,
            "media_type": "application/pdf",
            "digest": b64u(hashlib.sha256(b"".join(chunks)).digest()),
            **changes,
        }
        messages = [pb.UploadDocumentRequest(header=pb.UploadDocumentRequest.Header(**header))]
        messages += [pb.UploadDocumentRequest(chunk=chunk) for chunk in chunks]
        return await self.send(messages)

    async def send(self, messages: Sequence[pb.UploadDocumentRequest]) -> pb.UploadDocumentResponse:
        async def each() -> AsyncIterator[pb.UploadDocumentRequest]:
            for message in messages:
                yield message

        try:
            return await self.stub.UploadDocument(  # type: ignore[no-any-return, misc]
                each(), metadata=bearer(await self.member.token()), timeout=60
            )
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error

    async def download(
        self, name: str, request_id: str = ""
    ) -> tuple[pb.DownloadDocumentResponse.Header, bytes]:
        request = pb.DownloadDocumentRequest(request_id=request_id or new_id(), name=name)
        call = self.stub.DownloadDocument(
            request, metadata=bearer(await self.member.token()), timeout=60
        )
        try:
            messages = [message async for message in call]  # type: ignore[attr-defined]
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error
        return messages[0].header, b"".join(message.chunk for message in messages[1:])

    async def listed(self, parent: str) -> list[pb.Document]:
        answer = await self.member.call(
            self.stub.ListDocuments, pb.ListDocumentsRequest(parent=parent)
        )
        return list(answer.documents)
