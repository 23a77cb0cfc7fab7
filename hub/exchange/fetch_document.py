"""Fetch a document: hand out what a person would be shown, once it is on record."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic

import orjson

from hub.clock import Clock
from hub.domain.caller import Caller
from hub.domain.certificate import Grade, Origin, State
from hub.domain.certificate_type import DOCUMENT_FIELD
from hub.domain.entry import Entry
from hub.domain.identifier import CertificateIdentifier
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.exchange.fetch import content_of
from hub.exchange.grants import find_grant
from hub.exchange.make_copy import Asked, MadeFile, MakeCopy, is_made
from hub.exchange.once import AnswerOnce, Observe, decided, entry_of, opened_signed
from hub.exchange.ports import (
    Access,
    Certificates,
    FoundCertificate,
    Kept,
    Recorder,
    SharedDocument,
    SharedDocuments,
)
from hub.exchange.snapshot import GrantSnapshot
from hub.proof.encoding import digest
from hub.proof.exchange.request import SignedRequest
from hub.storage.statements import Check

RPC: Final = "/hub.exchange.v1.SharedDocumentService/FetchDocument"


@dataclass(frozen=True, slots=True)
class HandedDocument:
    """What a platform gets: a state, and a document where the certificate is in force and has one.

    `objected` are fields of the face to which somebody objects now; `trust` goes with a document.
    """

    state: State
    document: SharedDocument | MadeFile | None
    objected: tuple[str, ...]
    trust: tuple[Grade, Origin] | None
    receipt: str
    entry: int


@dataclass(frozen=True, slots=True)
class FetchDocument(Generic[Kept]):
    """Hand out an annotated copy of one version of a certificate; of a type without a face, where
    no copy was asked for, the newest document that its department brought.

    1. Verify the signed request: one certificate, by identifier, and `@document` alone.
    2. Find the grant that names `@document` for this matter.
    3. Read the certificate, judge its state now, and find its document or make its copy
       (`make_copy`).
    4. Record; no byte leaves before the entry is durable.
    5. Answer, or answer again what was answered before under this id.

    A document shows the whole face, so no list of fields allows it: its grant names it by itself.
    """

    origin: str
    region: str
    clock: Clock
    recorder: Recorder
    access: Access
    grants: GrantSnapshot
    certificates: Certificates
    documents: SharedDocuments
    make_copy: MakeCopy[Kept]
    keyed_digest: Callable[[str], str]
    identify: Callable[[], Awaitable[Caller]]
    observe: Observe

    async def __call__(
        self, caller: Caller, request_id: str, signed_request: str, media_type: str
    ) -> HandedDocument:
        """The answer; its chunks are still to be read. Raises HubError."""
        started = time.perf_counter()
        try:
            request = self._verify(caller, request_id, signed_request)
            answer, issuer = await decided(
                partial(self._answer, request, media_type), caller, self.identify
            )
        except HubError as refusal:
            seconds = time.perf_counter() - started
            self.observe("document", refusal.reason.value, caller.authority, "", seconds)
            raise
        self.observe("document", "OK", caller.authority, issuer, time.perf_counter() - started)
        return answer

    def _verify(self, caller: Caller, request_id: str, signed_request: str) -> SignedRequest:
        """Step 1."""
        request = opened_signed(self, RPC, caller, request_id, signed_request, takes_copy=True)
        wanted = request.certificates[0]
        if len(request.certificates) > 1 or wanted.fields != (DOCUMENT_FIELD,):
            rule = f"one certificate, and {DOCUMENT_FIELD} as its only field"
            raise HubError(Reason.FIELD_INVALID, field="certificates", rule=rule)
        if wanted.cert is None:
            rule = "a document is asked for by the identifier of its certificate"
            raise HubError(Reason.FIELD_INVALID, field="certificates.cert", rule=rule)
        # What is no identifier might be anything, a person's number too: it goes into no entry.
        CertificateIdentifier.parse(wanted.cert, lenient=True)
        return request

    async def _answer(
        self, request: SignedRequest, media_type: str, caller: Caller
    ) -> tuple[HandedDocument, str]:
        """Steps 2 to 5 for one decision, and the issuing authority for the metrics."""
        checks: tuple[Check, ...] = (self.access.check(caller), self.grants.check())
        wanted = request.certificates[0]
        grant = find_grant(
            self.grants.of(request.iss),
            type_code=wanted.vct.rpartition("/")[2],
            service_item=request.service_item,
            fields=wanted.fields,
            now_us=self.clock(),
        )
        certificate = await self._find(request)
        state, document, trust = State.ABSENT, None, None
        objected: tuple[str, ...] = ()
        if certificate is not None:
            checks = (*checks, certificate.check)
            state = certificate.state
        # Which document was meant is part of what a retry repeats.
        content = self.keyed_digest(f"{media_type}\n{content_of(request)}")
        if certificate is not None and state is State.ACTIVE:
            objected = tuple(certificate.objected)
        has_face = (
            certificate is not None
            and state is State.ACTIVE
            and await self.make_copy.has_face(certificate)
        )
        if certificate is not None and state is State.ACTIVE and not has_face:
            document = await self.documents.newest(certificate.version_id, media_type)
        # Where a copy was asked for, nothing leaves unmarked.
        is_marked = document is not None and request.copy is not None
        if certificate is not None and (is_marked or (has_face and is_made(media_type))):
            trust = await self.certificates.trust(certificate.version_id)
            asked = Asked(
                caller=caller,
                request=request,
                certificate=certificate,
                media_type=media_type,
                content=content,
                said=_said(certificate, None, objected, trust),
                checks=checks,
                entry_of=partial(self._entry, caller, request, grant.digest),
                source=document,
            )
            copy, receipt, index = await self.make_copy(AnswerOnce(self.recorder, RPC), asked)
            handed = HandedDocument(state, copy, objected, trust, receipt, index)
            return handed, certificate.authority
        if certificate is not None and document is not None:
            trust = await self.certificates.trust(certificate.version_id)
        said = _said(certificate, document, objected, trust)
        receipt, index = await AnswerOnce(self.recorder, RPC).record(
            request,
            self._entry(caller, request, grant.digest, said),
            checks,
            content,
            orjson.dumps(said),
        )
        issuer = certificate.authority if certificate is not None else ""
        return HandedDocument(state, document, objected, trust, receipt, index), issuer

    async def _find(self, request: SignedRequest) -> FoundCertificate | None:
        """Step 3. Of another type than the one granted: whether it exists is nobody's business."""
        wanted = request.certificates[0]
        assert wanted.cert is not None, "step 1 lets nothing else through"
        certificate = await self.certificates.by_identifier(wanted.cert)
        return certificate if certificate is not None and certificate.vct == wanted.vct else None

    def _entry(
        self, caller: Caller, request: SignedRequest, grant_digest: str, said: dict[str, Json]
    ) -> Entry:
        wanted = request.certificates[0]
        data: dict[str, Json] = {
            "service_item": request.service_item,
            "matter": request.matter,
            "basis": request.basis,
            "grant_digest": grant_digest,
            "cert": wanted.cert,
            "vct": wanted.vct,
            "fields": list(wanted.fields),
            **said,
        }
        if request.act is not None:
            data["act"] = request.act
        if request.consent is not None:
            data["consent_digest"] = digest(request.consent)
        return entry_of(
            "document.fetched",
            caller,
            request,
            {"data": data},
            disclosed=(wanted.cert,) if wanted.cert is not None and "digest" in said else (),
        )


def _said(
    certificate: FoundCertificate | None,
    document: SharedDocument | None,
    objected: tuple[str, ...],
    trust: tuple[Grade, Origin] | None,
) -> dict[str, Json]:
    """What is answered, as entry and receipt have it."""
    if certificate is None:
        return {"state": State.ABSENT.value}
    said: dict[str, Json] = {
        "state": certificate.state.value,
        "state_entry": certificate.state_entry,
    }
    if document is not None:  # One on file: what is made says so by itself.
        said |= {
            "media_type": document.media_type,
            "size": document.size,
            "digest": document.digest,
            "document_entry": document.entry,
        }
    if trust is not None and trust[1] is not Origin.SYSTEM:
        said["origin"] = trust[1].value
    if objected:
        said["objected"] = list(objected)
    return said
