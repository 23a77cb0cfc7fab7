"""The document of a certificate, fetched as a platform does it: on record, whole, and verified.

Bytes are written as they come and are to be believed once `fetch_document` has returned: then they
have the digest that the receipt's log entry names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Final

from connectors.client import AccessToken, HubClient
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.errors import HubError, Reason
from hub.exchange.v1 import exchange_pb2, shared_documents_pb2, shared_documents_pb2_grpc
from hub.proof.encoding import b64u
from hub.proof.exchange.answer_receipt import (
    AnsweredDocument,
    handed_out_first,
    verify_document_receipt,
)
from hub.proof.exchange.request import RequestedCertificate
from hub.proof.log.receipt import LogTrust, VerifiedReceipt
from hub.v1 import common_pb2

FETCH_DOCUMENT_RPC: Final = "/hub.exchange.v1.SharedDocumentService/FetchDocument"
DOCUMENT_BYTES_MAX: Final = 100_000_000
_STREAM_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """A verified answer: what was said, and its proof. `compact` is the signed request, `copy` the
    name of the annotated copy that came, empty where it is a document on file.

    `came` is the file that came. Where it was put in the place of the one that was said, which a
    key had sealed that was compromised since, `resealed` is the receipt of the entry that says so.
    """

    said: AnsweredDocument
    came: AnsweredDocument
    objected: tuple[str, ...]
    trust_grade: str
    receipt: bytes = field(repr=False)
    verified: VerifiedReceipt
    compact: str = field(repr=False)
    copy: str = ""
    resealed: bytes = field(default=b"", repr=False)


def document_of(vct: str, identifier: str) -> RequestedCertificate:
    """The claim that asks for the document of a certificate."""
    return RequestedCertificate(vct, (DOCUMENT_FIELD,), cert=identifier)


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """A request under one id: `sign` makes what is sent under a token and adds it to `sent`, which
    has every text that was ever sent under the id. Empty, `media_type` leaves the kind open."""

    request_id: str
    sign: Callable[[AccessToken], str]
    sent: Sequence[str]
    media_type: str = ""


def fetch_document(
    client: HubClient, question: DocumentQuestion, into: IO[bytes], trust: LogTrust
) -> FetchedDocument:
    """Ask for a document, write its bytes into `into`, and verify the receipt over them.

    Raises HubRefusedError, HubError(DOCUMENT_TOO_LARGE) and ProofError; the bytes are then worth
    nothing.
    """

    def make(token: AccessToken) -> shared_documents_pb2.FetchDocumentRequest:
        return shared_documents_pb2.FetchDocumentRequest(
            request_id=question.request_id,
            signed_request=question.sign(token),
            media_type=question.media_type,
        )

    stub = shared_documents_pb2_grpc.SharedDocumentServiceStub(client.channel)
    messages = client.stream_signed(stub.FetchDocument, make, seconds=_STREAM_S)
    header: shared_documents_pb2.FetchDocumentResponse.Header = next(messages).header
    hasher, size = hashlib.sha256(), 0
    for message in messages:
        size += len(message.chunk)
        if size > DOCUMENT_BYTES_MAX:
            raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=DOCUMENT_BYTES_MAX)
        hasher.update(message.chunk)
        into.write(message.chunk)
    state = exchange_pb2.FetchedCertificate.State.Name(header.state)
    said = AnsweredDocument(state.removeprefix("STATE_").lower())
    if header.digest or size:
        # Of the bytes that came, whatever the header said of them.
        said = replace(
            said,
            media_type=header.media_type,
            size=size,
            digest=b64u(hasher.digest()),
            origin=_origin(header),
        )
    receipt, resealed = header.receipt.json.encode(), header.resealed.json.encode()
    came = said
    if resealed:
        said = handed_out_first(resealed, came, trust)
    me = client.profile.name
    verified = verify_document_receipt(receipt, question.sent, me, said, trust)
    return FetchedDocument(
        said,
        came,
        tuple(header.objected_fields),
        header.trust_grade,
        receipt,
        verified,
        verified.request.compact,
        header.annotated_copy,
        resealed,
    )


def _origin(header: shared_documents_pb2.FetchDocumentResponse.Header) -> str | None:
    """What is no original, by the name that the entry has for it."""
    is_scan = header.origin == common_pb2.CERTIFICATE_ORIGIN_SCAN
    return "scan" if is_scan else None
