"""CopyService: messages in, annotated copies out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.exchange.annotate import AnnotateCopy, AnnotatedCopies, CopyState, Given
from hub.exchange.copy_store import AnnotatedCopy
from hub.exchange.v1 import copies_pb2 as pb
from hub.proof.encoding import digest
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size
from hub.v1 import common_pb2

# The state of each copy is a question of its own.
PAGE_MAX: Final = 100
_CREATE: Final = "/hub.exchange.v1.CopyService/CreateAnnotatedCopy"
_STATES: Final = {
    CopyState.IN_FORCE: pb.AnnotatedCopy.STATE_IN_FORCE,
    CopyState.EXPIRED: pb.AnnotatedCopy.STATE_EXPIRED,
    CopyState.ORIGINAL_ENDED: pb.AnnotatedCopy.STATE_ORIGINAL_ENDED,
}


@dataclass(frozen=True, slots=True)
class CopyService:
    """`hub.exchange.v1.CopyService`."""

    annotate: AnnotateCopy
    copies: AnnotatedCopies
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def CreateAnnotatedCopy(
        self, request: pb.CreateAnnotatedCopyRequest, _context: object
    ) -> pb.CreateAnnotatedCopyResponse:
        """Register a copy of what was fetched."""
        call = Call(
            self.current_caller(),
            names.check_request_id(request.request_id),
            _CREATE,
            digest(request.SerializeToString(deterministic=True)),
        )
        made = await self.annotate(
            call,
            Given(
                names.check_request_id(request.fetch_request_id),
                request.certificate,
                request.purpose,
                request.expire_time.ToMicroseconds(),
            ),
        )
        return pb.CreateAnnotatedCopyResponse(
            annotated_copy=await self._encode(made.copy),
            receipt=common_pb2.Receipt(json=made.receipt, entry=made.copy.entry),
        )

    async def GetAnnotatedCopy(
        self, request: pb.GetAnnotatedCopyRequest, _context: object
    ) -> pb.GetAnnotatedCopyResponse:
        """One copy."""
        (copy_id,) = names.parse(request.name, "annotatedCopies/{annotated_copy}")
        copy = await self.copies.get(self.current_caller(), copy_id)
        return pb.GetAnnotatedCopyResponse(annotated_copy=await self._encode(copy))

    async def ListAnnotatedCopies(
        self, request: pb.ListAnnotatedCopiesRequest, _context: object
    ) -> pb.ListAnnotatedCopiesResponse:
        """A page of the copies that the caller may see."""
        caller = self.current_caller()
        size = min(page_size(request.page_size), PAGE_MAX)
        scope = f"ListAnnotatedCopies {caller.name} {digest(request.identifier)}"
        found, after = await self.copies.page(
            caller,
            request.identifier,
            after=self.pages.read(request.page_token, scope),
            size=size,
        )
        return pb.ListAnnotatedCopiesResponse(
            annotated_copies=[await self._encode(copy) for copy in found],
            next_page_token=self.pages.make(after, scope) if after else "",
        )

    async def _encode(self, copy: AnnotatedCopy) -> pb.AnnotatedCopy:
        return pb.AnnotatedCopy(
            name=f"annotatedCopies/{copy.id}",
            identifier=copy.identifier,
            certificate_type=f"certificateTypes/{copy.type_code.lower()}",
            authority=copy.authority,
            fields=copy.fields,
            sd_hash=copy.sd_hash,
            purpose=copy.purpose,
            maker=copy.maker,
            maker_authority=copy.maker_authority,
            create_time=wire.timestamp(copy.create_time_us),
            expire_time=wire.timestamp(copy.expire_time_us),
            state=_STATES[await self.copies.state(copy)],
            fetch_entry=copy.fetch_entry,
            create_entry=copy.entry,
        )
