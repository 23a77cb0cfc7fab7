"""After a reorganisation: the successor changes and finds what its predecessor issued, nobody else
does, and what was issued keeps the name of its time."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.identifier import CertificateIdentifier
from hub.domain.reorganization import Share
from hub.domain.row import Op
from hub.registry.v1 import (
    facts_pb2,
    facts_pb2_grpc,
    holders_pb2,
    holders_pb2_grpc,
    objections_pb2,
    registry_pb2,
    states_pb2,
)
from hub.v1 import common_pb2
from tests.access.test_reorganize import (
    NEW,
    NEW_USCC,
    OLD,
    OTHER,
    SYSTEMS,
    carry_out,
    merge,
    rename,
)
from tests.access.test_reorganize import hub as hub
from tests.attacks.test_states import RULING
from tests.registry.clerk import Clerk
from tests.registry.test_holders import merger
from tests.registry.test_objections import answered, raised
from tests.simulator import (
    BASIS,
    LICENCE,
    PERMIT,
    PERMIT_VCT,
    Refused,
    Simulator,
    company,
    licence,
    new_id,
    permit,
)


async def found(hub: Simulator, system: str, **wanted: Any) -> list[str]:
    """The names of what a department finds."""
    member = hub.system(system)
    request = registry_pb2.SearchCertificatesRequest(filter=wanted)
    answer = await member.call(member.registry.SearchCertificates, request)
    return [one.name for one in answer.certificates]


async def suspended(hub: Simulator, system: str, name: str) -> registry_pb2.Certificate:
    """A certificate, suspended by a department as it shows it."""
    member = hub.system(system)
    shown = await member.call(
        member.registry.GetCertificate, registry_pb2.GetCertificateRequest(name=name)
    )
    request = states_pb2.SuspendCertificateRequest(
        request_id=new_id(), name=name, etag=shown.certificate.etag, ruling=RULING
    )
    answer = await member.call(member.states.SuspendCertificate, request)
    certificate: registry_pb2.Certificate = answer.certificate
    return certificate


async def seal_for(hub: Simulator, authority: str, uscc: str, type_code: str) -> None:
    """A seal of the successor, and an approved intent for a type."""
    zhao = hub.officer()
    seal = await zhao.make_seal(authority.removeprefix("authorities/"), "电子印章")
    await zhao.propose(f"successor-{type_code[-3:].lower()}", seal, type_code)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve(f"successor-{type_code[-3:].lower()}")


async def test_whoever_it_goes_into_changes_and_finds_what_was_issued(hub: Simulator) -> None:
    """By call, by batch and by answering objections; name and identifier stay of their time."""
    first, second = (await hub.connector("nb-connector").deliver([licence(1), licence(2)])).results
    objection = (await raised(hub.platform(), first.identifier)).objection.name
    await carry_out(hub, merge())
    await seal_for(hub, NEW, NEW_USCC, LICENCE)

    state = await suspended(hub, "nb-department", second.certificate)
    accepted = await answered(
        hub.system("nb-department"),
        objection,
        objections_pb2.AnswerObjectionRequest.DECISION_ACCEPTED,
    )
    row = licence(1, Op.CORRECT, fields={"name": "宁波更名有限公司"}, objection=objection)
    delivery = await hub.connector("nb-connector").deliver([row, licence(3)])
    corrected, own = delivery.results
    fetched = await hub.platform().fetch(holder=company(1))
    department = hub.system("nb-department")
    clerk = Clerk(department)
    document = (await clerk.upload(first.certificate, version=1)).document
    history = await department.call(
        department.states.ListCertificateTransitions,
        states_pb2.ListCertificateTransitionsRequest(parent=second.certificate),
    )

    assert state.state == common_pb2.CERTIFICATE_STATE_SUSPENDED
    assert accepted.objection.state == objections_pb2.Objection.STATE_ACCEPTED
    # The certificate keeps its name, and its next version the code of whoever issued the first.
    assert corrected.certificate == first.certificate
    was = CertificateIdentifier.parse(first.identifier)
    assert CertificateIdentifier.parse(corrected.identifier) == was.next_version()
    assert CertificateIdentifier.parse(own.identifier).issuer == NEW_USCC
    assert fetched.fields()["name"] == "宁波更名有限公司"
    assert history.transitions[0].authority == NEW
    assert document.name.startswith(f"{first.certificate}/documents/")
    for wanted, names in (
        ({"number": company(1)}, {first.certificate}),
        ({"identifier": first.identifier}, {first.certificate}),
        ({"authority": OLD}, {first.certificate, second.certificate}),
        ({"authority": NEW}, {own.certificate}),
        (
            {"certificate_type": f"certificateTypes/{LICENCE.lower()}"},
            {first.certificate, second.certificate, own.certificate},
        ),
    ):
        assert set(await found(hub, "nb-department", **wanted)) == names, wanted
    # A neighbour that took over nothing.
    with pytest.raises(Refused, match="CERTIFICATE_NOT_FOUND"):
        await suspended(hub, "hz-department", first.certificate)
    with pytest.raises(Refused, match="AUTHORITY_NOT_ALLOWED"):
        await found(hub, "hz-department", authority=OLD)
    assert await found(hub, "hz-department", number=company(1)) == []
    assert (await hub.audit()).findings == []


async def test_whoever_it_goes_into_answers_for_its_holders(hub: Simulator) -> None:
    """What has to follow an announcement passes on, and so does tying identifiers to holders."""
    (theirs,) = (await hub.connector().deliver([licence(1)])).results
    (ours,) = (await hub.connector("nb-connector").deliver([licence(1)])).results
    neighbour = hub.system("hz-department")
    event = facts_pb2.AnnounceHolderEventRequest(
        request_id=new_id(),
        certificate=theirs.certificate,
        event=facts_pb2.AnnounceHolderEventRequest.EVENT_DISSOLUTION,
        document_digest="A" * 43,
        legal_basis=BASIS,
    )
    await neighbour.call(
        facts_pb2_grpc.FactServiceStub(neighbour.channel).AnnounceHolderEvent, event
    )
    await carry_out(hub, merge())

    successor = hub.system("nb-department")
    facts = facts_pb2_grpc.FactServiceStub(successor.channel)
    holders = holders_pb2_grpc.HolderServiceStub(successor.channel)
    (follow_up,) = (
        await successor.call(facts.ListFollowUps, facts_pb2.ListFollowUpsRequest())
    ).follow_ups
    declined = await successor.call(
        facts.DeclineFollowUp,
        facts_pb2.DeclineFollowUpRequest(
            request_id=new_id(), name=follow_up.name, decline_reason="清算中"
        ),
    )
    linked = await successor.call(holders.LinkHolderIdentifiers, merger(ours.certificate, 7))
    (listed,) = (
        await successor.call(holders.ListHolderLinks, holders_pb2.ListHolderLinksRequest())
    ).links

    assert follow_up.certificate == ours.certificate
    assert declined.follow_up.state == facts_pb2.FollowUp.STATE_DECLINED
    assert listed.name == linked.link.name
    stub = holders_pb2_grpc.HolderServiceStub(neighbour.channel)
    with pytest.raises(Refused, match="CERTIFICATE_NOT_FOUND"):
        await neighbour.call(stub.LinkHolderIdentifiers, merger(ours.certificate, 8))
    assert (await hub.audit()).findings == []


async def test_of_a_split_each_has_the_types_that_it_took_over(hub: Simulator) -> None:
    """And nothing of the others; a type that nobody takes makes the split not whole."""
    zhao = hub.officer()
    await zhao.propose("nb-permits", f"{OLD}/seals/main", PERMIT)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("nb-permits")
    connector = hub.connector("nb-connector")
    (one,) = (await connector.deliver([licence(1)])).results
    (other,) = (await connector.deliver([permit(1)], vct=PERMIT_VCT)).results
    connector_system, department_system = SYSTEMS

    def shares(*types: tuple[str, ...]) -> tuple[Share, ...]:
        return (
            Share(NEW, (connector_system,), types[0]),
            Share(OTHER, (department_system,), types[1]),
        )

    for incomplete in (((LICENCE,), ()), ((LICENCE, PERMIT), (PERMIT,)), ((), ())):
        with pytest.raises(Refused) as refused:
            await carry_out(hub, merge(successors=shares(*incomplete)))
        assert refused.value.violations == [("members.successors", "types.whole")]
    await carry_out(hub, merge(successors=shares((LICENCE,), (PERMIT,))))
    await seal_for(hub, NEW, NEW_USCC, LICENCE)

    (changed,) = (
        await hub.connector("nb-connector").deliver([licence(1, Op.CHANGE, fields={"scope": "新"})])
    ).results
    await suspended(hub, "nb-department", other.certificate)

    assert changed.certificate == one.certificate
    assert await found(hub, "nb-department", authority=OLD) == [other.certificate]
    assert await found(hub, "nb-department", number=company(1)) == []
    with pytest.raises(Refused, match="CERTIFICATE_NOT_FOUND"):
        await suspended(hub, "nb-department", one.certificate)
    with pytest.raises(Refused, match="CERTIFICATE_NOT_FOUND"):
        await Clerk(hub.system("nb-department")).upload(one.certificate)
    await Clerk(hub.system("nb-department")).upload(other.certificate)
    assert (await hub.audit()).findings == []


async def test_a_new_name_changes_nothing_about_who_may(hub: Simulator) -> None:
    """The authority is the same one; its seals, which name it as it was, are made anew."""
    (one,) = (await hub.connector("nb-connector").deliver([licence(1)])).results
    await carry_out(hub, rename())
    seal = await hub.officer().make_seal("nb-market", "宁波市市场监管委员会", "renamed")
    await hub.officer().propose("renamed", seal, LICENCE)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("renamed")

    (again,) = (
        await hub.connector("nb-connector").deliver([licence(1, Op.CHANGE, fields={"scope": "新"})])
    ).results
    await suspended(hub, "nb-department", one.certificate)

    assert again.certificate == one.certificate
    assert await found(hub, "nb-department", number=company(1)) == [one.certificate]
