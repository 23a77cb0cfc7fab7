"""Plans that ask for too much, by who may not, or with claims that do not hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.exchange.v1 import plan_pb2
from hub.proof.exchange.plan_request import PLAN_RPC, RoleHolder, StatedMandate, sign_plan_request
from hub.proof.exchange.request import sign_request
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofReason
from tests.attacks.refusals import refused
from tests.exchange import plans
from tests.exchange.plans import RESTAURANT, ask, claims, furnish_items, outcomes
from tests.simulator import (
    FETCH,
    Simulator,
    citizen,
    company,
    copy_home,
    licence,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ME = "systems/window-1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """Three licences on file, a restaurant in the catalogue, a grant of window-1 for it."""
    home = copy_home(city, tmp_path_factory.mktemp("plans") / "home")
    async with Simulator(home) as simulator:
        await simulator.connector().deliver([licence(number) for number in range(1, 4)])
        await furnish_items(simulator)
        yield simulator


async def _refused(
    hub: Simulator, *holders: tuple[str, str, str], reason: str, en: str, **changes: Any
) -> None:
    await refused(
        hub,
        ask(hub.platform(), *holders, **changes),
        status="INVALID_ARGUMENT",
        reason=reason,
        en=en,
        caller=ME,
    )


def _invalid(field: str, rule: str) -> str:
    return f"{field} is invalid: {rule}. Correct the field and send the request again."


async def test_a_plan_that_is_allowed_leaves_one_entry_and_discloses_no_field(
    hub: Simulator,
) -> None:
    """The yardstick for the refusals below."""
    size = hub.size

    response = await ask(hub.platform())

    assert outcomes(response) == {"licence": "on_file", "form": "ask", "floor-plan": "deferrable"}
    assert hub.size == size + 1 == response.receipt.entry + 1
    (entry,) = await hub.entries(size)
    assert (entry["kind"], entry["caller"]) == ("plan", ME)
    assert company(1) not in json.dumps(entry) + str(response)
    assert "杭州示例1有限公司" not in str(response)
    clean = await hub.audit()
    assert not clean.findings


async def test_what_the_grant_does_not_name_is_not_offered(hub: Simulator) -> None:
    """window-2 has no grant: its plan is that of an empty database, and one entry."""
    size = hub.size
    platform = hub.platform("window-2")

    on_file = await ask(platform)
    nobody = await ask(platform, ("company", "001", company(77)), ("applicant", "001", company(77)))

    assert on_file.materials[0].obstacles[0].code == "grant_missing"
    assert list(on_file.materials) == list(nobody.materials)
    assert on_file.notice == nobody.notice
    assert [entry["kind"] for entry in await hub.entries(size)] == ["plan", "plan"]


async def test_a_field_beyond_the_grant_is_not_offered(hub: Simulator) -> None:
    """An item that wants the address, which the grant for it does not name."""
    await hub.officer().import_items(plans.document("DEMO-EXCESS", fields=["name", "address"]))
    await hub.officer().grant("for-excess", "window-1", ("name", "scope"), items=("DEMO-EXCESS",))

    response = await ask(hub.platform(), items=("DEMO-EXCESS",))

    (obstacle,) = response.materials[0].obstacles
    assert (obstacle.code, obstacle.text.zh) == (
        "grant_missing",
        "窗口未获授权为本事项调取该证照。",
    )
    assert not response.materials[0].HasField("certificate")


async def test_without_the_consent_that_the_grant_wants_nothing_is_offered(hub: Simulator) -> None:
    """And with it the entry keeps its digest."""
    await hub.officer().import_items(plans.document("DEMO-CONSENT"))
    await hub.officer().grant(
        "with-consent", "window-1", ("name", "scope"), items=("DEMO-CONSENT",), consent=True
    )
    size = hub.size

    without = await ask(hub.platform(), items=("DEMO-CONSENT",))
    given = await ask(hub.platform(), items=("DEMO-CONSENT",), consent="consents/1")

    assert [one.code for one in without.materials[0].obstacles] == ["consent_missing"]
    assert outcomes(given)["licence"] == "on_file"
    first, second = await hub.entries(size)
    assert "consent_digest" not in first["data"]
    assert "consents/1" not in json.dumps(second)


async def test_an_expired_mandate_opens_nothing(hub: Simulator) -> None:
    """The agent is named, the mandate ended: one entry, every certificate asked for."""
    people = (
        ("company", "001", company(1)),
        ("applicant", "001", company(1)),
        ("agent", "111", citizen(1)),
    )
    ended = StatedMandate("mandates/1", (RESTAURANT,), "2020-01-01", "2020-12-31")
    size = hub.size

    response = await ask(hub.platform(), *people, mandate=ended)

    (obstacle,) = response.materials[0].obstacles
    assert obstacle.code == "mandate_missing"
    assert obstacle.text.en == (
        "The agent has no authorisation for this item until the day of the decision."
    )
    (entry,) = await hub.entries(size)
    assert entry["data"]["roles"] == ["company", "applicant", "agent"]
    assert citizen(1) not in json.dumps(entry)


@pytest.mark.parametrize("system", ["hz-department", "hz-connector", "auditor-1", "monitor-1"])
async def test_only_a_platform_plans(hub: Simulator, system: str) -> None:
    """Whatever the request says."""
    member = hub.system(system)
    role = system.partition("-")[2] if system.startswith("hz-") else system.partition("-")[0]
    request = plan_pb2.PlanMaterialsRequest(request_id="x", signed_request="x")

    await refused(
        hub,
        member.raw(PLAN_RPC, request.SerializeToString()),
        status="PERMISSION_DENIED",
        reason="ROLE_NOT_ALLOWED",
        en=f"a caller of role {role} may not call {PLAN_RPC}; "
        "ask with a system or officer that may.",
        caller=f"systems/{system}",
    )


async def test_an_unknown_item_is_refused_and_not_repeated(hub: Simulator) -> None:
    """What stands in its place might be a person's number."""
    await _refused(
        hub,
        reason="FIELD_INVALID",
        en=_invalid(
            "plan.items[1]",
            "names a service item in force; list them with `sealway item list`",
        ),
        items=(RESTAURANT, citizen(1)),
    )


async def test_a_fact_that_is_not_stated_is_asked_for(hub: Simulator) -> None:
    """Never guessed."""
    await _refused(
        hub,
        reason="FIELD_INVALID",
        en=_invalid(
            "plan.facts.premises_m2",
            "is stated, as material floor-plan is needed depending on it",
        ),
        facts={},
    )


async def test_too_many_holders_are_refused(hub: Simulator) -> None:
    """Before anything is looked for."""
    people = tuple(RoleHolder("co-owner", "001", company(number)) for number in range(1, 34))
    text = TEXTS[ProofReason.PLAN_SHAPE].en

    await _refused(
        hub,
        reason="REQUEST_INVALID",
        en=f"the signed request is refused (PLAN_SHAPE): {text} "
        "Sign a new one under the same request id.",
        holders=people,
    )


async def test_a_plan_is_no_fetch_and_a_fetch_is_no_plan(hub: Simulator) -> None:
    """Each is refused at the other method for its members, before `rpc` is looked at."""
    platform = hub.platform()
    planned = dataclasses.replace(await claims(platform), rpc=FETCH)
    fetched = await platform.claims(rpc=PLAN_RPC)
    for attempt in (
        platform.send(sign_plan_request(planned, platform.signer), planned.jti),
        plans.send(platform, sign_request(fetched, platform.signer), fetched.jti),
    ):
        refusal = await refused(
            hub,
            attempt,
            status="INVALID_ARGUMENT",
            reason="REQUEST_INVALID",
            en=f"the signed request is refused (CLAIM_MISSING): "
            f"{TEXTS[ProofReason.CLAIM_MISSING].en} Sign a new one under the same request id.",
            caller=ME,
        )
        assert refusal.details["rule"] == "CLAIM_MISSING"


async def test_a_plan_that_is_repeated_after_a_revocation_is_stale(hub: Simulator) -> None:
    """The original receipt without the plan; a new id gets the plan of today, one entry."""
    platform = hub.platform()
    people = (("company", "001", company(3)), ("applicant", "001", company(3)))
    made = await claims(platform, *people)
    compact = sign_plan_request(made, platform.signer)
    first = await plans.send(platform, compact, made.jti)
    await hub.officer().import_items(plans.document("DEMO-OTHER"))
    again = await plans.send(platform, compact, made.jti)
    assert again == first
    await hub.officer().revoke_grant("licence-for-restaurant")
    size = hub.size

    with pytest.raises(Exception, match="ANSWER_STALE"):
        await plans.send(platform, compact, made.jti)

    assert [entry["kind"] for entry in await hub.entries(size)] == ["refusal"]
    today = await ask(platform, *people)
    assert [one.code for one in today.materials[0].obstacles] == ["grant_missing"]
