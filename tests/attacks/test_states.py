"""Decisions about certificates over the wire: who may, what is shown, what is refused whole."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.row import Op
from hub.registry.v1 import registry_pb2, states_pb2
from tests.simulator import Refused, Simulator, company, licence, new_id

RULING = states_pb2.Ruling(
    legal_basis="行政许可法 第七十条", document="杭市监〔2026〕12号", decision_date="2026-01-05"
)
shared = pytest.mark.asyncio(loop_scope="module")
VERBS = ("Suspend", "Resume", "Withdraw", "Annul", "Revoke", "Deregister", "Restore")


async def on_file(hub: Simulator, number: int = 1) -> registry_pb2.Certificate:
    """The licence of a company as its department sees it."""
    department = hub.system("hz-department")
    narrow = registry_pb2.SearchCertificatesRequest.Filter(number=company(number))
    request = registry_pb2.SearchCertificatesRequest(filter=narrow)
    (found,) = (await department.call(department.registry.SearchCertificates, request)).certificates
    return found


async def decide(hub: Simulator, verb: str, system: str = "hz-department", **changes: Any) -> Any:
    """One decision about the first licence as it is now."""
    member = hub.system(system)
    one = await on_file(hub)
    values: dict[str, Any] = {
        "request_id": new_id(),
        "name": one.name,
        "etag": one.etag,
        "ruling": RULING,
    }
    request = getattr(states_pb2, f"{verb}CertificateRequest")(**(values | changes))
    return await member.call(getattr(member.states, f"{verb}Certificate"), request)


async def test_every_verb_reaches_the_platform_that_asks(own_hub: Simulator) -> None:
    """What the department decided is what a fetch answers next, and its receipt says so."""
    cause, body = states_pb2.Ruling.CAUSE_ENDED, "杭州市中级人民法院"
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("Suspend", {}, "suspended"),
        ("Resume", {}, "active"),
        ("Withdraw", {}, "withdrawn"),
        ("Restore", {"deciding_body": body}, "active"),
        ("Annul", {}, "annulled"),
        ("Restore", {"deciding_body": body}, "active"),
        ("Revoke", {}, "revoked"),
        ("Deregister", {"cause": cause}, "deregistered"),
    ]

    for verb, more, state in steps:
        ruling = states_pb2.Ruling()
        ruling.CopyFrom(RULING)
        ruling.MergeFrom(states_pb2.Ruling(**more))
        answer = await decide(own_hub, verb, ruling=ruling)
        fetched = await own_hub.platform().fetch(holder=company(1))
        shown = await on_file(own_hub)
        assert fetched.states == [state]
        assert bool(fetched.response.certificates[0].presentation) is (state == "active")
        assert (shown.state, shown.etag, shown.state_entry) == (
            answer.certificate.state,
            answer.certificate.etag,
            answer.receipt.entry,
        )

    department = own_hub.system("hz-department")
    listed = await department.call(
        department.states.ListCertificateTransitions,
        states_pb2.ListCertificateTransitionsRequest(parent=shown.name),
    )
    assert len(listed.transitions) == len(steps)
    assert listed.transitions[0].ruling.cause == cause
    assert listed.transitions[0].system == "systems/hz-department"


@pytest.mark.parametrize("verb", VERBS)
@shared
async def test_another_department_is_refused_alike_for_what_is_and_what_is_not_there(
    hub: Simulator, verb: str
) -> None:
    """Its own authority is all that it may decide about."""
    name = (await on_file(hub)).name
    absent = name.rpartition("/")[0] + "/" + "0" * 32
    texts = set()

    for target in (name, absent):
        with pytest.raises(Refused) as caught:
            await decide(hub, verb, "nb-department", name=target)
        assert (caught.value.status, caught.value.reason) == (
            "PERMISSION_DENIED",
            "AUTHORITY_NOT_ALLOWED",
        )
        texts.add((caught.value.en, caught.value.zh))

    assert len(texts) == 1
    assert (await on_file(hub)).state == registry_pb2.Certificate(state=1).state


@pytest.mark.parametrize(
    ("verb", "changes", "status", "reason"),
    [
        ("Resume", {}, "FAILED_PRECONDITION", "TRANSITION_NOT_ALLOWED"),
        ("Suspend", {"etag": "x"}, "ABORTED", "ETAG_STALE"),
        ("Suspend", {"ruling": states_pb2.Ruling()}, "INVALID_ARGUMENT", "FIELD_INVALID"),
        ("Suspend", {"ruling": states_pb2.Ruling(cause=99)}, "INVALID_ARGUMENT", "FIELD_INVALID"),
        ("Suspend", {"request_id": "1"}, "INVALID_ARGUMENT", "REQUEST_ID_INVALID"),
        ("Suspend", {"name": "certificates/1"}, "INVALID_ARGUMENT", "NAME_MALFORMED"),
        (
            "Suspend",
            {"name": "authorities/hz-market/certificates/" + "0" * 32},
            "NOT_FOUND",
            "CERTIFICATE_NOT_FOUND",
        ),
    ],
)
@shared
async def test_what_does_not_hold_is_refused_and_changes_nothing(
    hub: Simulator, verb: str, changes: dict[str, Any], status: str, reason: str
) -> None:
    """Status and reason are exact; the certificate is what it was."""
    before = await on_file(hub)

    with pytest.raises(Refused) as caught:
        await decide(hub, verb, **changes)

    assert (caught.value.status, caught.value.reason) == (status, reason)
    assert await on_file(hub) == before


@shared
async def test_a_platform_a_connector_and_an_auditor_decide_nothing(hub: Simulator) -> None:
    """The policy refuses them before anything is looked at."""
    for system in ("window-1", "hz-connector", "auditor-1"):
        with pytest.raises(Refused, match="ROLE_NOT_ALLOWED"):
            await decide(hub, "Revoke", system)


async def test_a_connector_says_what_is_gone_and_reads_nothing(own_hub: Simulator) -> None:
    """The flag is set and cleared, fetch goes on, and its answer carries no certificate."""
    one, connector = await on_file(own_hub), own_hub.connector()
    seen = []

    for presence in (registry_pb2.PRESENCE_GONE, registry_pb2.PRESENCE_LISTED):
        request = states_pb2.ConfirmCertificateRequest(
            request_id=new_id(), name=one.name, presence=presence
        )
        answer = await connector.call(connector.states.ConfirmCertificate, request)
        assert [field.name for field, _ in answer.ListFields()] == ["receipt"]
        seen.append((await on_file(own_hub)).presence)

    assert seen == [registry_pb2.PRESENCE_GONE, registry_pb2.PRESENCE_LISTED]
    assert (await own_hub.platform().fetch(holder=company(1))).states == ["active"]
    other = own_hub.connector("nb-connector")
    with pytest.raises(Refused, match="AUTHORITY_NOT_ALLOWED"):
        await other.call(
            other.states.ConfirmCertificate,
            states_pb2.ConfirmCertificateRequest(
                request_id=new_id(), name=one.name, presence=registry_pb2.PRESENCE_GONE
            ),
        )
    with pytest.raises(Refused, match="FIELD_INVALID"):
        await connector.call(
            connector.states.ConfirmCertificate,
            states_pb2.ConfirmCertificateRequest(request_id=new_id(), name=one.name),
        )


async def test_an_old_export_does_not_bring_a_suspended_certificate_back(
    own_hub: Simulator,
) -> None:
    """A batch says something else of it: refused, and it stays suspended."""
    await decide(own_hub, "Suspend")

    answer = await own_hub.connector().deliver([licence(1, Op.CHANGE, issue_date="2002-02-02")])

    assert [error.reason for error in answer.results[0].errors] == ["row.suspended"]
    assert (await own_hub.platform().fetch(holder=company(1))).states == ["suspended"]
