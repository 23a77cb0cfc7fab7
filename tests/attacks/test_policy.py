"""Every RPC under every role, and what is visible inside an RPC that a role may call."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from hub.access.v1 import access_pb2
from hub.exchange.v1 import exchange_pb2
from hub.ledger.v1 import ledger_pb2
from hub.policy import POLICY
from hub.registry.v1 import registry_pb2
from hub.seal.v1 import seal_pb2
from tests.attacks.refusals import refused
from tests.simulator import (
    DEADLINE_S,
    INGEST,
    LICENCE,
    PERMIT_VCT,
    Member,
    Refused,
    Simulator,
    State,
    bearer,
    citizen,
    company,
    licence,
    permit,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = {
    "officer": "officers/zhao",
    "department": "systems/hz-department",
    "platform": "systems/window-1",
    "connector": "systems/hz-connector",
    "auditor": "systems/auditor-1",
    "monitor": "systems/monitor-1",
    "converter": "systems/hz-desk",
}


WATCH = "/hub.registry.v1.FeedService/WatchChanges"


def _member(hub: Simulator, role: str) -> Member:
    name = NAMES[role]
    return hub.officer() if role == "officer" else hub.system(name.removeprefix("systems/"))


async def _call(member: Member, path: str) -> bytes:
    """An empty message: whoever may call is told that it says nothing. A stream that goes on by
    itself is left after its first message."""
    if path == WATCH:
        watched = member.channel.unary_stream(path)(
            b"", metadata=bearer(await member.token()), timeout=DEADLINE_S
        )
        try:
            first: bytes = await watched.read()
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error
        watched.cancel()
        return first
    if path != INGEST:
        return await member.raw(path, b"")

    async def one() -> AsyncIterator[bytes]:
        yield b""

    stream = member.channel.stream_stream(path)(
        one(), metadata=bearer(await member.token()), timeout=DEADLINE_S
    )
    try:
        return b"".join([answer async for answer in stream])
    except grpc.aio.AioRpcError as error:
        raise Refused(error) from error


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def furnished(hub: Simulator) -> State:
    """What is kept before anybody has called."""
    return await hub.state()


@pytest.mark.parametrize("role", list(NAMES))
@pytest.mark.parametrize("path", list(POLICY), ids=lambda path: path.rpartition("/")[2])
async def test_the_policy_table_is_what_the_wire_does(
    hub: Simulator, furnished: State, path: str, role: str
) -> None:
    """Deny by default: a role that is not named is refused and on record, one that is is heard."""
    member = _member(hub, role)
    if role not in POLICY[path]:
        await refused(
            hub,
            _call(member, path),
            status="PERMISSION_DENIED",
            reason="ROLE_NOT_ALLOWED",
            en=f"a caller of role {role} may not call {path}; "
            "ask with a system or officer that may.",
            caller=NAMES[role],
        )
        return
    size = hub.size
    try:
        await _call(member, path)
    except Refused as refusal:
        assert refusal.status in ("INVALID_ARGUMENT", "NOT_FOUND")
        assert refusal.reason != "ROLE_NOT_ALLOWED"
        assert hub.size == size + 1
    else:
        # Who watches is on record from the start.
        assert hub.size == size + (path == WATCH)
    assert (await hub.state()).domain() == furnished.domain()


# ---- inside an RPC ----


def _search(**members: object) -> registry_pb2.SearchCertificatesRequest:
    return registry_pb2.SearchCertificatesRequest(
        filter=registry_pb2.SearchCertificatesRequest.Filter(**members)
    )


async def test_a_department_finds_only_certificates_of_its_own_authority(hub: Simulator) -> None:
    """The same holder, asked for by two departments."""
    await hub.connector("nb-connector").deliver([licence(30)])
    wanted = _search(holder=registry_pb2.Holder(type="001", number=company(30)))

    found = {}
    for name in ("hz-department", "nb-department", "auditor-1"):
        member = hub.system(name)
        answer = await member.call(member.registry.SearchCertificates, wanted)
        found[name] = len(answer.certificates)

    assert found == {"hz-department": 0, "nb-department": 1, "auditor-1": 1}


async def test_a_department_may_not_name_another_authority(hub: Simulator) -> None:
    """Asking for the other's is refused, not answered with an empty list."""
    member = hub.system("hz-department")

    await refused(
        hub,
        member.call(member.registry.SearchCertificates, _search(authority="authorities/nb-market")),
        status="PERMISSION_DENIED",
        reason="AUTHORITY_NOT_ALLOWED",
        en="what belongs to authorities/nb-market is not open to you; "
        "ask for what is your own authority's.",
        caller="systems/hz-department",
    )


async def test_another_departments_certificate_does_not_exist(hub: Simulator) -> None:
    """By name it is as absent as one that never was: existence is not told either."""
    answer = await hub.connector("nb-connector").deliver([licence(31)])
    name = answer.results[0].certificate
    mine = hub.system("nb-department")
    read = await mine.call(
        mine.registry.GetCertificate, registry_pb2.GetCertificateRequest(name=name)
    )
    assert read.certificate.name == name
    member = hub.system("hz-department")

    for method, request, asked in (
        (member.registry.GetCertificate, registry_pb2.GetCertificateRequest(name=name), name),
        (
            member.registry.ListCertificateVersions,
            registry_pb2.ListCertificateVersionsRequest(parent=name),
            name,
        ),
    ):
        await refused(
            hub,
            member.call(method, request),
            status="NOT_FOUND",
            reason="CERTIFICATE_NOT_FOUND",
            en=f"there is no certificate {asked}. Find it with `sealway certificate search`.",
            caller="systems/hz-department",
        )


async def test_a_department_sees_only_its_own_systems(hub: Simulator) -> None:
    """List, filter and get."""
    member = hub.system("hz-department")

    answer = await member.call(member.access.ListSystems, access_pb2.ListSystemsRequest())

    assert {system.authority for system in answer.systems} == {"authorities/hz-market"}
    for method, request in (
        (
            member.access.GetSystem,
            access_pb2.GetSystemRequest(name="systems/nb-connector"),
        ),
        (
            member.access.ListSystems,
            access_pb2.ListSystemsRequest(
                filter=access_pb2.ListSystemsRequest.Filter(authority="authorities/nb-market")
            ),
        ),
    ):
        await refused(
            hub,
            member.call(method, request),
            status="PERMISSION_DENIED",
            reason="AUTHORITY_NOT_ALLOWED",
            en="what belongs to authorities/nb-market is not open to you; "
            "ask for what is your own authority's.",
            caller="systems/hz-department",
        )


async def test_a_platform_sees_only_its_own_grants(hub: Simulator) -> None:
    """Another's grant does not exist for it."""
    own, other = hub.platform("window-1"), hub.platform("window-2")
    listed = await other.call(other.exchange.ListGrants, exchange_pb2.ListGrantsRequest())
    assert not listed.grants
    listed = await own.call(own.exchange.ListGrants, exchange_pb2.ListGrantsRequest())
    assert [grant.name for grant in listed.grants] == ["grants/licence-to-window"]

    await refused(
        hub,
        other.call(
            other.exchange.GetGrant,
            exchange_pb2.GetGrantRequest(name="grants/licence-to-window"),
        ),
        status="NOT_FOUND",
        reason="GRANT_NOT_FOUND",
        en="there is no grant grants/licence-to-window that you may see. "
        "List them with `sealway grant list`.",
        caller="systems/window-2",
    )


async def test_a_department_grants_only_types_that_it_defines(hub: Simulator) -> None:
    """Hangzhou issues licences; the ministry defines them."""
    member = hub.system("hz-department")
    grant = exchange_pb2.Grant(
        recipient="systems/window-2",
        certificate_type=f"certificateTypes/{LICENCE.lower()}",
        fields=["name"],
        service_items=["331022003000"],
        legal_basis="行政许可法",
    )
    grant.start_time.FromSeconds(1_700_000_000)
    grant.expire_time.FromSeconds(2_000_000_000)

    await refused(
        hub,
        member.call(
            member.exchange.CreateGrant,
            exchange_pb2.CreateGrantRequest(
                request_id="5a1c5bd5-5c3c-4a45-9d2e-8e54c8a2f0aa", grant_id="mine", grant=grant
            ),
        ),
        status="PERMISSION_DENIED",
        reason="AUTHORITY_NOT_ALLOWED",
        en="what belongs to authorities/hz-market is not open to you; "
        "ask for what is your own authority's.",
        caller="systems/hz-department",
    )


async def test_a_connector_sees_its_own_authoritys_seals_through_nobody(hub: Simulator) -> None:
    """Seals are listed per authority; a department is refused another's."""
    member = hub.system("hz-department")

    answer = await member.call(
        member.seal.ListSeals, seal_pb2.ListSealsRequest(parent="authorities/hz-market")
    )

    assert [seal.name for seal in answer.seals] == ["authorities/hz-market/seals/main"]


async def test_a_receipt_is_handed_to_its_caller_and_to_auditors_only(hub: Simulator) -> None:
    """Anybody may have a proof; the opening of an entry is for those it concerns."""
    fetched = await hub.platform().fetch(holder=company(1))
    index = fetched.verified.index
    opened = {}
    for name, member in (
        ("own", hub.platform("window-1")),
        ("other", hub.platform("window-2")),
        ("auditor", hub.system("auditor-1")),
        ("connector", hub.connector()),
    ):
        answer = await member.call(
            member.ledger.GetInclusionProof, ledger_pb2.GetInclusionProofRequest(entry=index)
        )
        assert answer.proof and len(answer.entry) == 49
        opened[name] = answer.HasField("receipt")

    assert opened == {"own": True, "other": False, "auditor": True, "connector": False}


async def test_a_search_by_holder_shows_neither_the_holder_nor_personal_fields(
    hub: Simulator,
) -> None:
    """Registry RPCs show public facts: the grade, not whose it is."""
    await hub.connector().deliver([permit(3)], vct=PERMIT_VCT)
    member = hub.system("auditor-1")

    answer = await member.call(
        member.registry.SearchCertificates,
        _search(holder=registry_pb2.Holder(type="111", number=citizen(3))),
    )

    assert len(answer.certificates) == 1
    shown = answer.SerializeToString()
    assert "一级".encode() in shown
    for personal in (citizen(3), "王示例3"):
        assert personal.encode() not in shown
