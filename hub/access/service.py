"""AccessService: messages in, dataclasses inside, messages out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import grpc

from hub import wire
from hub.access.create_authority import create_authority
from hub.access.enrolment import Enrolment
from hub.access.identity import Authority, DatedName, Officer, System, SystemState
from hub.access.registrar import Outcome, Registrar
from hub.access.rosters import Rosters
from hub.access.systems import WantedSystem, create_system, revoke_system, rotate_system_keys
from hub.access.tokens import Tokens
from hub.access.v1 import access_pb2 as pb
from hub.access.v1 import access_pb2_grpc
from hub.domain.caller import Caller, Role
from hub.domain.names import parse
from hub.errors import HubError, Reason
from hub.proof.officers.roster import parse_roster
from hub.storage.changes import Call
from hub.storage.paging import page_size
from hub.v1 import common_pb2

_SERVICE: Final = "/hub.access.v1.AccessService/"

_ROLES: Final = {
    pb.System.ROLE_DEPARTMENT: Role.DEPARTMENT,
    pb.System.ROLE_PLATFORM: Role.PLATFORM,
    pb.System.ROLE_CONNECTOR: Role.CONNECTOR,
    pb.System.ROLE_AUDITOR: Role.AUDITOR,
    pb.System.ROLE_MONITOR: Role.MONITOR,
    pb.System.ROLE_CONVERTER: Role.CONVERTER,
}
_ROLE_NUMBERS: Final = {role: number for number, role in _ROLES.items()}
_STATES: Final = {
    SystemState.ACTIVE: pb.System.STATE_ACTIVE,
    SystemState.REVOKED: pb.System.STATE_REVOKED,
}

_R = TypeVar("_R")


class PageTokens(Protocol):
    """Opaque tokens that name the last row of a page, bound to method and filter."""

    def make(self, after: str, scope: str) -> str: ...
    def read(self, token: str, scope: str) -> str: ...


@dataclass(frozen=True, slots=True)
class AccessService(access_pb2_grpc.AccessServiceServicer):
    """`current_caller` and `peer_thumbprint` answer for the call that is being served."""

    registrar: Registrar
    tokens: Tokens
    page_tokens: PageTokens
    current_caller: Callable[[], Caller]
    peer_thumbprint: Callable[[], str]
    rosters: Rosters

    async def CreateToken(
        self, request: pb.CreateTokenRequest, context: grpc.aio.ServicerContext
    ) -> pb.CreateTokenResponse:
        issued = self.tokens.create(self.peer_thumbprint())
        return pb.CreateTokenResponse(
            access_token=issued.access_token,
            expire_time=wire.timestamp(issued.expire_time_us),
            caller=issued.caller,
            origin=issued.origin,
            region=issued.region,
            sm2_access_token=issued.sm2_access_token,
        )

    async def CreateAuthority(
        self, request: pb.CreateAuthorityRequest, context: grpc.aio.ServicerContext
    ) -> pb.CreateAuthorityResponse:
        outcome = await create_authority(
            self.registrar,
            self._call("CreateAuthority", request),
            request.authority_id,
            decode_authority(request.authority),
            validate_only=request.validate_only,
        )
        return pb.CreateAuthorityResponse(
            authority=encode_authority(outcome.resource), receipt=_receipt(outcome)
        )

    async def GetAuthority(
        self, request: pb.GetAuthorityRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetAuthorityResponse:
        parse(request.name, "authorities/{authority}")
        authority = self.registrar.directory.authority(request.name)
        return pb.GetAuthorityResponse(authority=encode_authority(authority))

    async def ListAuthorities(
        self, request: pb.ListAuthoritiesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListAuthoritiesResponse:
        page, token = self._page(
            self.registrar.directory.current.authorities, request, "ListAuthorities"
        )
        return pb.ListAuthoritiesResponse(
            authorities=[encode_authority(authority) for authority in page], next_page_token=token
        )

    async def CreateSystem(
        self, request: pb.CreateSystemRequest, context: grpc.aio.ServicerContext
    ) -> pb.CreateSystemResponse:
        system = request.system
        outcome = await create_system(
            self.registrar,
            self._call("CreateSystem", request),
            request.system_id,
            WantedSystem(system.authority, _ROLES.get(system.role), system.title),
            decode_enrolment(request.enrolment),
            validate_only=request.validate_only,
        )
        return pb.CreateSystemResponse(
            system=encode_system(outcome.resource), receipt=_receipt(outcome)
        )

    async def GetSystem(
        self, request: pb.GetSystemRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetSystemResponse:
        parse(request.name, "systems/{system}")
        caller = self.current_caller()
        system = self.registrar.directory.system(request.name)
        if caller.role is Role.DEPARTMENT and system.authority != caller.authority:
            raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=system.authority)
        return pb.GetSystemResponse(system=encode_system(system))

    async def ListSystems(
        self, request: pb.ListSystemsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListSystemsResponse:
        caller = self.current_caller()
        authority = request.filter.authority
        if caller.role is Role.DEPARTMENT:
            if authority not in ("", caller.authority):
                raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=authority)
            authority = caller.authority
        systems = {
            name: system
            for name, system in self.registrar.directory.current.systems.items()
            if authority in ("", system.authority)
        }
        page, token = self._page(systems, request, f"ListSystems {authority}")
        return pb.ListSystemsResponse(
            systems=[encode_system(system) for system in page], next_page_token=token
        )

    async def RotateSystemKeys(
        self, request: pb.RotateSystemKeysRequest, context: grpc.aio.ServicerContext
    ) -> pb.RotateSystemKeysResponse:
        outcome = await rotate_system_keys(
            self.registrar,
            self._call("RotateSystemKeys", request),
            request.name,
            decode_enrolment(request.enrolment),
        )
        return pb.RotateSystemKeysResponse(
            system=encode_system(outcome.resource), receipt=_receipt(outcome)
        )

    async def RevokeSystem(
        self, request: pb.RevokeSystemRequest, context: grpc.aio.ServicerContext
    ) -> pb.RevokeSystemResponse:
        outcome = await revoke_system(
            self.registrar,
            self._call("RevokeSystem", request),
            request.name,
            request.cause,
        )
        return pb.RevokeSystemResponse(
            system=encode_system(outcome.resource), receipt=_receipt(outcome)
        )

    async def GetOfficer(
        self, request: pb.GetOfficerRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetOfficerResponse:
        parse(request.name, "officers/{officer}")
        officer = self.registrar.directory.officer(request.name)
        return pb.GetOfficerResponse(officer=encode_officer(officer))

    async def ListOfficers(
        self, request: pb.ListOfficersRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListOfficersResponse:
        page, token = self._page(self.registrar.directory.current.officers, request, "ListOfficers")
        return pb.ListOfficersResponse(
            officers=[encode_officer(officer) for officer in page], next_page_token=token
        )

    async def GetRoster(
        self, request: pb.GetRosterRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetRosterResponse:
        link, entry = await self.rosters.link(
            request.number if request.HasField("number") else None
        )
        roster = parse_roster(link.statement)
        return pb.GetRosterResponse(
            roster=pb.Roster(
                number=roster.number,
                digest=roster.digest,
                statement=link.statement,
                intent_bytes=link.intent,
                approvals=link.approvals,
                entry=entry,
            )
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _SERVICE + method, request)

    def _page(
        self,
        resources: Mapping[str, _R],
        request: pb.ListAuthoritiesRequest | pb.ListSystemsRequest | pb.ListOfficersRequest,
        scope: str,
    ) -> tuple[list[_R], str]:
        """One page of what is ordered by name, and the token of the next one."""
        size = page_size(request.page_size)
        after = self.page_tokens.read(request.page_token, scope)
        names = list(resources)
        start = bisect_right(names, after)
        page = names[start : start + size]
        more = start + size < len(names)
        token = self.page_tokens.make(page[-1], scope) if more else ""
        return [resources[name] for name in page], token


def decode_authority(message: pb.Authority) -> Authority:
    """What a caller may say of an authority."""
    return Authority(
        name="",
        uscc=message.uscc,
        names=tuple(
            [
                DatedName(name.title, name.title_en, name.from_date, name.to_date)
                for name in message.names
            ]
        ),
        region=message.region,
        level=message.level,
        successors=tuple(message.successors),
    )


def encode_authority(authority: Authority) -> pb.Authority:
    return pb.Authority(
        name=authority.name,
        uscc=authority.uscc,
        names=[
            pb.DatedName(
                title=name.title,
                title_en=name.title_en,
                from_date=name.from_date,
                to_date=name.to_date,
            )
            for name in authority.names
        ],
        region=authority.region,
        level=authority.level,
        successors=authority.successors,
        create_time=wire.timestamp(authority.create_time_us),
    )


def decode_enrolment(message: pb.Enrolment) -> Enrolment:
    return Enrolment(message.x509_certificate, message.x509_request, message.signing_request)


def encode_system(system: System) -> pb.System:
    return pb.System(
        name=system.name,
        authority=system.authority,
        role=_ROLE_NUMBERS[system.role],
        title=system.title,
        state=_STATES[system.state],
        x509_thumbprint=system.x509_thumbprint,
        signing_key_id=system.signing_key_id,
        enrolment_entry=system.enrolment_entry,
        create_time=wire.timestamp(system.create_time_us),
        revoke_time=None
        if system.revoke_time_us is None
        else wire.timestamp(system.revoke_time_us),
        x509_expire_time=wire.timestamp(system.x509_expire_time_us),
    )


def encode_officer(officer: Officer) -> pb.Officer:
    return pb.Officer(
        name=officer.name,
        approval_key_id=officer.approval_key_id,
        x509_thumbprint=officer.x509_thumbprint,
        enrolment_entry=officer.enrolment_entry,
        create_time=wire.timestamp(officer.create_time_us),
        end_time=None if officer.end_time_us is None else wire.timestamp(officer.end_time_us),
    )


def _receipt(outcome: Outcome[_R]) -> common_pb2.Receipt | None:
    if outcome.receipt is None:
        return None
    return common_pb2.Receipt(json=outcome.receipt, entry=outcome.entry)
