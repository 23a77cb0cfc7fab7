"""Messages in, messages out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import grpc
import pytest

from hub.access.rosters import Rosters
from hub.access.service import AccessService, decode_authority, encode_authority
from hub.access.v1 import access_pb2 as pb
from hub.domain.caller import Caller, Role
from hub.errors import HubError, Reason
from hub.storage.encryption import Keyring
from hub.storage.paging import PageTokens
from tests.access.conftest import Register, an_authority
from tests.access.members import Member

OTHER_USCC = "11100000MB0143028R"


@dataclass
class Desk:
    """The service as one member of the hub sees it."""

    register: Register
    member: Member

    def service(self) -> AccessService:
        return AccessService(
            self.register.registrar,
            self.register.tokens,
            PageTokens(Keyring(bytes(32), b"k" * 32).page_digest(), self.register.clock),
            self._caller,
            lambda: self.member.thumbprint,
            Rosters(self.register.database, self.register.recorder.recorder.proofs),
        )

    def _caller(self) -> Caller:
        token = self.register.token(self.member)
        return self.register.tokens.authenticate(token, self.member.thumbprint)


class Context(grpc.aio.ServicerContext):
    """A context that is never asked anything."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"the service asked its context for {name}")


Context.__abstractmethods__ = frozenset()
CONTEXT = Context()


def _enrolment(member: Member) -> pb.Enrolment:
    parts = member.enrolment()
    return pb.Enrolment(
        x509_certificate=parts.x509_certificate,
        x509_request=parts.x509_request,
        signing_request=parts.signing_request,
    )


def _create_system(system_id: str, member: Member, authority: str) -> pb.CreateSystemRequest:
    return pb.CreateSystemRequest(
        request_id=str(uuid.uuid4()),
        system_id=system_id,
        system=pb.System(authority=authority, role=pb.System.ROLE_DEPARTMENT, title="系统"),
        enrolment=_enrolment(member),
    )


def test_an_authority_survives_the_way_out_and_in() -> None:
    """Encoding and decoding lose nothing that a caller may say."""
    authority = an_authority()

    assert decode_authority(encode_authority(authority)) == authority


async def test_a_member_gets_its_token(register: Register) -> None:
    """CreateToken answers who one is; the token is accepted."""
    service = Desk(register, register.officer).service()

    answer = await service.CreateToken(pb.CreateTokenRequest(), CONTEXT)

    assert (answer.caller, answer.region) == ("officers/first", "330100")
    assert answer.expire_time.ToMicroseconds() == register.clock() + 600_000_000
    register.tokens.authenticate(answer.access_token, register.officer.thumbprint)


async def test_a_system_lives_from_enrolment_to_revocation(register: Register) -> None:
    """Each answer carries the system as stored and the receipt of its entry."""
    service = Desk(register, register.officer).service()
    member, successor = Member(register.ca), Member(register.ca)

    created = await service.CreateSystem(
        _create_system("licences", member, "authorities/market"), CONTEXT
    )
    rotated = await service.RotateSystemKeys(
        pb.RotateSystemKeysRequest(
            request_id=str(uuid.uuid4()),
            name="systems/licences",
            enrolment=_enrolment(successor),
        ),
        CONTEXT,
    )
    revoked = await service.RevokeSystem(
        pb.RevokeSystemRequest(
            request_id=str(uuid.uuid4()), name="systems/licences", cause="replaced"
        ),
        CONTEXT,
    )
    read = await service.GetSystem(pb.GetSystemRequest(name="systems/licences"), CONTEXT)

    assert created.system.role == pb.System.ROLE_DEPARTMENT
    assert created.system.title == "系统"
    assert created.system.x509_thumbprint == member.thumbprint
    assert created.system.enrolment_entry == created.receipt.entry
    assert rotated.system.x509_thumbprint == successor.thumbprint
    assert rotated.system.enrolment_entry == rotated.receipt.entry > created.receipt.entry
    assert revoked.system.state == pb.System.STATE_REVOKED
    assert not created.system.HasField("revoke_time")
    assert revoked.system.HasField("revoke_time")
    assert read.system == revoked.system
    assert register.recorder.entries[-1].request_id != ""


async def test_a_repeated_message_gets_the_first_answer(register: Register) -> None:
    """Byte for byte, and a changed one is refused."""
    service = Desk(register, register.officer).service()
    request = _create_system("licences", Member(register.ca), "authorities/market")

    first = await service.CreateSystem(request, CONTEXT)
    again = await service.CreateSystem(request, CONTEXT)
    request.system.title = "其他"
    with pytest.raises(HubError) as caught:
        await service.CreateSystem(request, CONTEXT)

    assert again.SerializeToString(deterministic=True) == first.SerializeToString(
        deterministic=True
    )
    assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_check_carries_no_receipt(register: Register) -> None:
    """`validate_only` has no entry."""
    service = Desk(register, register.officer).service()
    request = pb.CreateAuthorityRequest(
        request_id=str(uuid.uuid4()),
        authority_id="traffic",
        authority=encode_authority(an_authority(OTHER_USCC)),
        validate_only=True,
    )

    answer = await service.CreateAuthority(request, CONTEXT)

    assert answer.authority.uscc == OTHER_USCC
    assert not answer.HasField("receipt")


async def test_lists_come_in_pages_in_the_order_of_names(register: Register) -> None:
    """Every resource once, whatever the size of a page; a token serves its own list only."""
    service = Desk(register, register.officer).service()
    for system_id in ("ccc", "aaa", "bbb"):
        await register.enrol(system_id, Member(register.ca))

    names, token = [], ""
    while True:
        page = await service.ListSystems(
            pb.ListSystemsRequest(page_size=2, page_token=token), CONTEXT
        )
        names += [system.name for system in page.systems]
        token = page.next_page_token
        if not token:
            break
        first_token = token

    assert names == ["systems/aaa", "systems/bbb", "systems/ccc"]
    with pytest.raises(HubError) as caught:
        await service.ListOfficers(pb.ListOfficersRequest(page_token=first_token), CONTEXT)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID
    with pytest.raises(HubError) as caught:
        await service.ListAuthorities(pb.ListAuthoritiesRequest(page_size=-1), CONTEXT)
    assert caught.value.reason is Reason.PAGE_SIZE_INVALID


async def test_a_department_sees_its_own_systems_only(register: Register) -> None:
    """Another authority's systems are neither listed nor shown."""
    officers = Desk(register, register.officer).service()
    await officers.CreateAuthority(
        pb.CreateAuthorityRequest(
            request_id=str(uuid.uuid4()),
            authority_id="traffic",
            authority=encode_authority(an_authority(OTHER_USCC)),
        ),
        CONTEXT,
    )
    await officers.CreateSystem(
        _create_system("their-system", Member(register.ca), "authorities/traffic"), CONTEXT
    )
    member = Member(register.ca)
    await register.enrol("my-system", member, Role.DEPARTMENT)
    service = Desk(register, member).service()

    listed = await service.ListSystems(pb.ListSystemsRequest(), CONTEXT)
    assert [system.name for system in listed.systems] == ["systems/my-system"]
    with pytest.raises(HubError) as caught:
        await service.GetSystem(pb.GetSystemRequest(name="systems/their-system"), CONTEXT)
    assert caught.value.reason is Reason.AUTHORITY_NOT_ALLOWED
    with pytest.raises(HubError) as caught:
        await service.ListSystems(
            pb.ListSystemsRequest(
                filter=pb.ListSystemsRequest.Filter(authority="authorities/traffic")
            ),
            CONTEXT,
        )
    assert caught.value.reason is Reason.AUTHORITY_NOT_ALLOWED
    every = await officers.ListSystems(
        pb.ListSystemsRequest(filter=pb.ListSystemsRequest.Filter(authority="authorities/traffic")),
        CONTEXT,
    )
    assert [system.name for system in every.systems] == ["systems/their-system"]


async def test_what_is_not_there_is_told_from_a_wrong_name(register: Register) -> None:
    """NOT_FOUND for a well-formed name, NAME_MALFORMED for another text."""
    service = Desk(register, register.officer).service()

    for name, reason in (
        ("officers/nobody", Reason.OFFICER_NOT_FOUND),
        ("systems/first", Reason.NAME_MALFORMED),
        ("officers/", Reason.NAME_MALFORMED),
        ("officers/first\0", Reason.NAME_MALFORMED),
    ):
        with pytest.raises(HubError) as caught:
            await service.GetOfficer(pb.GetOfficerRequest(name=name), CONTEXT)
        assert caught.value.reason is reason

    answer = await service.GetOfficer(pb.GetOfficerRequest(name="officers/first"), CONTEXT)
    assert answer.officer.x509_thumbprint == register.officer.thumbprint
    assert answer.officer.approval_key_id
