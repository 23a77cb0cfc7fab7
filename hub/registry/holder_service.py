"""gRPC ↔ domain for identifiers of holders, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.holder import Holder
from hub.domain.holder_link import LinkKind
from hub.errors import HubError, Reason
from hub.registry.evidence import Evidence
from hub.registry.holder_bindings import HolderBindings
from hub.registry.holder_link_store import LINKED, UNLINKED, LinkRow
from hub.registry.holder_links import HolderLinks, LinkOrder
from hub.registry.v1 import holders_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size

_PATH: Final = "/hub.registry.v1.HolderService/"
_KINDS: Final = {
    LinkKind.FIFTEEN_TO_EIGHTEEN: pb.HolderLink.KIND_FIFTEEN_TO_EIGHTEEN,
    LinkKind.RENEWED_DOCUMENT: pb.HolderLink.KIND_RENEWED_DOCUMENT,
    LinkKind.PERMIT: pb.HolderLink.KIND_PERMIT,
    LinkKind.RENAME: pb.HolderLink.KIND_RENAME,
    LinkKind.MERGER: pb.HolderLink.KIND_MERGER,
}
_KINDS_READ: Final = {number: kind for kind, number in _KINDS.items()}
_STATES: Final = {
    LINKED: pb.HolderLink.STATE_LINKED,
    UNLINKED: pb.HolderLink.STATE_UNLINKED,
}


@dataclass(frozen=True, slots=True)
class HolderService:
    """`hub.registry.v1.HolderService`."""

    links: HolderLinks
    bindings: HolderBindings
    pages: PageTokens
    current_caller: Callable[[], Caller]
    content_digest: Callable[[str], str]

    async def LinkHolderIdentifiers(
        self, request: pb.LinkHolderIdentifiersRequest, _context: grpc.aio.ServicerContext
    ) -> pb.LinkHolderIdentifiersResponse:
        """Link an identifier to a holder."""
        authority, certificate = names.parse(
            request.certificate, "authorities/{authority}/certificates/{certificate}"
        )
        kind = _KINDS_READ.get(request.kind)
        if kind is None:
            raise HubError(Reason.FIELD_INVALID, field="kind", rule="a kind of this list")
        order = LinkOrder(
            f"authorities/{authority}",
            certificate,
            Holder(request.former.type, request.former.number),
            kind,
            request.effective_date,
            Evidence(request.document_digest, request.legal_basis),
        )
        answered = await self.links.link(
            self._call("LinkHolderIdentifiers", request),
            order,
            lambda made: encode_link(made).SerializeToString(),
        )
        return pb.LinkHolderIdentifiersResponse(
            link=pb.HolderLink.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    async def UnlinkHolderIdentifiers(
        self, request: pb.UnlinkHolderIdentifiersRequest, _context: grpc.aio.ServicerContext
    ) -> pb.UnlinkHolderIdentifiersResponse:
        """Take a link back."""
        (link_id,) = names.parse(request.name, "holderLinks/{holder_link}")
        answered = await self.links.unlink(
            self._call("UnlinkHolderIdentifiers", request),
            link_id,
            Evidence(request.document_digest, request.legal_basis),
            lambda ended: encode_link(ended).SerializeToString(),
        )
        return pb.UnlinkHolderIdentifiersResponse(
            link=pb.HolderLink.FromString(answered.answer), receipt=wire.receipt(answered)
        )

    async def ListHolderLinks(
        self, request: pb.ListHolderLinksRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListHolderLinksResponse:
        """A page of links."""
        caller = self.current_caller()
        scope = f"ListHolderLinks {caller.name}"
        found, after = await self.links.list(
            caller,
            after=self.pages.read(request.page_token, scope),
            size=page_size(request.page_size),
        )
        return pb.ListHolderLinksResponse(
            links=[encode_link(one) for one in found],
            next_page_token=self.pages.make(after, scope) if after else "",
        )

    async def BindCertificate(
        self, request: pb.BindCertificateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.BindCertificateResponse:
        """Say whose a certificate is."""
        authority, certificate = names.parse(
            request.name, "authorities/{authority}/certificates/{certificate}"
        )
        answered = await self.bindings.bind(
            self._call("BindCertificate", request),
            f"authorities/{authority}",
            certificate,
            Holder(request.holder.type, request.holder.number),
            Evidence(request.document_digest, request.legal_basis),
        )
        return pb.BindCertificateResponse(receipt=wire.receipt(answered))

    async def UnbindCertificate(
        self, request: pb.UnbindCertificateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.UnbindCertificateResponse:
        """Take that back."""
        authority, certificate = names.parse(
            request.name, "authorities/{authority}/certificates/{certificate}"
        )
        answered = await self.bindings.unbind(
            self._call("UnbindCertificate", request),
            f"authorities/{authority}",
            certificate,
            Evidence(request.document_digest, request.legal_basis),
        )
        return pb.UnbindCertificateResponse(receipt=wire.receipt(answered))

    def _call(self, method: str, request: wire.Request) -> Call:
        # The request names a holder: what is compared with a repetition is a keyed hash.
        return wire.call(self.current_caller(), _PATH + method, request, self.content_digest)


def encode_link(row: LinkRow) -> pb.HolderLink:
    """The message of a link."""
    return pb.HolderLink(
        name=f"holderLinks/{row.id}",
        kind=_KINDS[LinkKind(row.what)],
        state=_STATES[row.state],
        authority=row.authority,
        identifier=row.identifier,
        effective_date=row.effective_date,
        document_digest=row.document_digest,
        legal_basis=row.legal_basis,
        unlink_document_digest=row.unlink_document_digest,
        unlink_legal_basis=row.unlink_legal_basis,
        create_time=wire.timestamp(row.time_us),
        unlink_time=wire.timestamp(row.unlink_time_us) if row.unlink_time_us else None,
    )
