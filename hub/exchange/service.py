"""gRPC ↔ domain for exchange, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.certificate import State
from hub.errors import HubError, Reason
from hub.exchange.change_grants import ChangeGrants
from hub.exchange.fetch import FetchCertificates
from hub.exchange.grants import Grant
from hub.exchange.snapshot import GrantSnapshot
from hub.exchange.v1 import exchange_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size
from hub.v1 import common_pb2

_PATH: Final = "/hub.exchange.v1.ExchangeService/"

_STATES: Final = {
    State.ACTIVE: pb.FetchedCertificate.STATE_ACTIVE,
    State.SUPERSEDED: pb.FetchedCertificate.STATE_SUPERSEDED,
    State.EXPIRED: pb.FetchedCertificate.STATE_EXPIRED,
    State.REVOKED: pb.FetchedCertificate.STATE_REVOKED,
    State.NOT_YET_IN_FORCE: pb.FetchedCertificate.STATE_NOT_YET_IN_FORCE,
    State.ABSENT: pb.FetchedCertificate.STATE_ABSENT,
    State.SUSPENDED: pb.FetchedCertificate.STATE_SUSPENDED,
    State.WITHDRAWN: pb.FetchedCertificate.STATE_WITHDRAWN,
    State.ANNULLED: pb.FetchedCertificate.STATE_ANNULLED,
    State.DEREGISTERED: pb.FetchedCertificate.STATE_DEREGISTERED,
}


def encode_state(state: State) -> pb.FetchedCertificate.State:
    """A certificate's state as the API names it."""
    return _STATES[state]


@dataclass(frozen=True, slots=True)
class ExchangeService:
    """`hub.exchange.v1.ExchangeService`."""

    fetch: FetchCertificates
    change: ChangeGrants
    grants: GrantSnapshot
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def FetchCertificates(
        self, request: pb.FetchCertificatesRequest, _context: grpc.aio.ServicerContext
    ) -> pb.FetchCertificatesResponse:
        """Disclose what a grant allows."""
        answer = await self.fetch(
            self.current_caller(),
            request.request_id,
            request.signed_request,
            with_sm2_twin=request.with_sm2_twin,
        )
        return pb.FetchCertificatesResponse(
            request_id=answer.request_id,
            certificates=[
                pb.FetchedCertificate(
                    state=_STATES[fetched.state],
                    presentation=fetched.presentation,
                    objected_fields=fetched.objected,
                    sm2_presentation=fetched.sm2_presentation,
                )
                for fetched in answer.certificates
            ],
            receipt=common_pb2.Receipt(json=answer.receipt, entry=answer.entry),
        )

    async def CreateGrant(
        self, request: pb.CreateGrantRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateGrantResponse:
        """Create a grant."""
        changed = await self.change.create(
            self._call("CreateGrant", request),
            decode_grant(request.grant_id, request.grant),
            validate_only=request.validate_only,
        )
        return pb.CreateGrantResponse(
            grant=encode_grant(changed.grant), receipt=wire.receipt(changed)
        )

    async def RevokeGrant(
        self, request: pb.RevokeGrantRequest, _context: grpc.aio.ServicerContext
    ) -> pb.RevokeGrantResponse:
        """End a grant."""
        (grant_id,) = names.parse(request.name, "grants/{grant}")
        changed = await self.change.revoke(
            self._call("RevokeGrant", request), grant_id, request.cause
        )
        return pb.RevokeGrantResponse(
            grant=encode_grant(changed.grant), receipt=wire.receipt(changed)
        )

    async def GetGrant(
        self, request: pb.GetGrantRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetGrantResponse:
        """One grant; a platform sees its own only."""
        (grant_id,) = names.parse(request.name, "grants/{grant}")
        grant = self.grants.get(grant_id)
        if grant is None or not _may_see(self.current_caller(), grant):
            raise HubError(Reason.GRANT_NOT_FOUND, name=request.name)
        return pb.GetGrantResponse(grant=encode_grant(grant))

    async def ListGrants(
        self, request: pb.ListGrantsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListGrantsResponse:
        """A page of the grants that the caller may see."""
        caller = self.current_caller()
        wanted = request.filter
        size = page_size(request.page_size)
        scope = f"ListGrants {caller.name} {wanted.recipient} {wanted.certificate_type}"
        after = self.pages.read(request.page_token, scope)
        type_code = wanted.certificate_type.removeprefix("certificateTypes/").upper()
        visible = [
            grant
            for grant in self.grants.all()
            if _may_see(caller, grant)
            and wanted.recipient in ("", grant.recipient)
            and type_code in ("", grant.type_code)
            and _position(grant) > after
        ]
        page = visible[:size]
        more = len(visible) > size
        return pb.ListGrantsResponse(
            grants=[encode_grant(grant) for grant in page],
            next_page_token=self.pages.make(_position(page[-1]), scope) if more else "",
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def _may_see(caller: Caller, grant: Grant) -> bool:
    return caller.role is not Role.PLATFORM or caller.name == grant.recipient


def _position(grant: Grant) -> str:
    """Text that sorts in the order of creation."""
    return f"{grant.create_us:020d} {grant.id}"


def decode_grant(grant_id: str, message: pb.Grant) -> Grant:
    """The grant that `message` asks for. Raises HubError(NAME_MALFORMED)."""
    names.parse(message.recipient, "systems/{system}")
    (type_id,) = names.parse(message.certificate_type, "certificateTypes/{certificate_type}")
    return Grant(
        id=grant_id,
        recipient=message.recipient,
        type_code=type_id.upper(),
        fields=tuple(message.fields),
        service_items=tuple(message.service_items),
        legal_basis=message.legal_basis,
        start_us=message.start_time.ToMicroseconds(),
        expire_us=message.expire_time.ToMicroseconds(),
        consent_required=message.consent_required,
        calls_per_day_max=message.calls_per_day_max,
        create_entry=0,
        create_us=0,
    )


def encode_grant(grant: Grant) -> pb.Grant:
    """`grant` as the API shows it."""
    message = pb.Grant(
        name=f"grants/{grant.id}",
        recipient=grant.recipient,
        certificate_type=f"certificateTypes/{grant.type_code.lower()}",
        fields=grant.fields,
        service_items=grant.service_items,
        legal_basis=grant.legal_basis,
        start_time=wire.timestamp(grant.start_us),
        expire_time=wire.timestamp(grant.expire_us),
        consent_required=grant.consent_required,
        calls_per_day_max=grant.calls_per_day_max,
        state=pb.Grant.STATE_REVOKED if grant.revoke_us else pb.Grant.STATE_ACTIVE,
        create_time=wire.timestamp(grant.create_us),
        create_entry=grant.create_entry,
    )
    if grant.revoke_us:
        message.revoke_time.CopyFrom(wire.timestamp(grant.revoke_us))
    return message
