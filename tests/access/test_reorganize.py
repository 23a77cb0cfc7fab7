"""Departments are renamed, merged and split: one intent, one entry, nothing issued changes."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.access.v1 import access_pb2
from hub.domain.reorganization import Reorganization, Share, to_members
from hub.exchange.v1 import exchange_pb2
from hub.registry.v1 import items_pb2
from hub.seal.v1 import intents_pb2, seal_pb2
from tests.simulator import (
    BASIS,
    DEFINER,
    ITEM,
    LICENCE,
    PERMIT,
    ROOT,
    USCC,
    Refused,
    Simulator,
    company,
    copy_home,
    credit_code,
    licence,
    new_id,
)

OLD, NEW, OTHER = "authorities/nb-market", "authorities/nb-regulation", "authorities/nb-drugs"
SYSTEMS = ("systems/nb-connector", "systems/nb-department")
INTENTS = ("seal_intents", "seal_approvals")
SHARE = {"authority": "authorities/nb-regulation", "systems": [], "types": [], "items": []}
NEW_USCC = credit_code("11330200", "00300001")
# The authority's seals end, and their keys with them.
ENDED = ("seal_seals", "seal_keys")


@pytest_asyncio.fixture
async def hub(city: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    """A hub where two more departments are registered, and the definer of the types."""
    async with Simulator(copy_home(city, tmp_path / "home")) as simulator:
        zhao = simulator.officer()
        await zhao.add_authority("nb-regulation", NEW_USCC, "宁波市监管局", "330200")
        await zhao.add_authority(
            "nb-drugs", credit_code("11330200", "00300002"), "宁波市药监局", "330200"
        )
        await zhao.add_authority("definer", DEFINER, "市场监管总局", "110000")
        yield simulator


def rename(**changes: Any) -> Reorganization:
    """A new name for the department of Ningbo."""
    wanted = Reorganization(authority=OLD, day="2026-03-01", title="宁波市市场监管委员会")
    return dataclasses.replace(wanted, **changes)


def merge(**changes: Any) -> Reorganization:
    """The department of Ningbo goes into another one."""
    return rename(**{"title": "", "successors": (Share(NEW, SYSTEMS, ()),), **changes})


def split_definer() -> Reorganization:
    """The definer's two types go to two departments."""
    shares = (Share(NEW, (), (LICENCE,)), Share(OTHER, (), (PERMIT,)))
    return rename(authority="authorities/definer", title="", successors=shares)


async def carry_out(hub: Simulator, wanted: Reorganization) -> access_pb2.Authority:
    """Proposed, approved by two others, executed; the authority as it is then."""
    zhao = hub.officer()
    result = await zhao.carry_out("authority.reorganize", to_members(wanted))
    answer = await zhao.call(
        zhao.access.GetAuthority, access_pb2.GetAuthorityRequest(name=wanted.authority)
    )
    authority: access_pb2.Authority = answer.authority
    assert result == {"authority": authority.name, "successors": list(authority.successors)}
    return authority


async def test_a_new_name_begins_where_the_old_one_ends(hub: Simulator) -> None:
    """Both are kept with their days; intent and approvals stand in the entry."""
    size = hub.size

    authority = await carry_out(hub, rename())

    names = [(one.title, one.from_date, one.to_date) for one in authority.names]
    assert names == [
        ("宁波市市场监督管理局", "2019-01-01", "2026-02-28"),
        ("宁波市市场监管委员会", "2026-03-01", ""),
    ]
    entry = (await hub.entries(size))[-1]
    assert entry["kind"] == "authority.renamed"
    assert json.loads(entry["data"]["bytes"])["title"] == "宁波市市场监管委员会"
    assert len(entry["data"]["approvals"]) == 2
    assert (await hub.audit()).findings == []


@pytest.mark.parametrize("wanted", [rename, merge])
async def test_the_seals_of_an_authority_end_with_it(
    hub: Simulator, wanted: Callable[[], Reorganization]
) -> None:
    """In the entry of the reorganisation: a batch after it is refused by the seal's own reason, and
    the successor's seal begins where it is made."""
    zhao, size = hub.officer(), hub.size
    await carry_out(hub, wanted())

    name = "authorities/nb-market/seals/main"
    answer = await zhao.call(zhao.seal.GetSeal, seal_pb2.GetSealRequest(name=name))

    assert answer.seal.state == seal_pb2.Seal.STATE_ENDED
    assert [key.state for key in answer.seal.keys] == [seal_pb2.Key.STATE_RETIRED]
    assert (await hub.entries(size))[-1]["kind"].startswith("authority.")
    if wanted is rename:
        with pytest.raises(Refused) as refused:
            await hub.connector("nb-connector").deliver([licence(7)])
        assert refused.value.reason == "SEAL_ENDED"
    assert (await hub.audit()).findings == []


async def test_what_was_issued_before_keeps_the_name_of_its_time(hub: Simulator) -> None:
    """Neither a certificate nor its seal is written anew; it is fetched and verifies as before."""
    await hub.connector("nb-connector").deliver([licence(1)])
    before = await hub.state()
    fetched = await hub.platform().fetch(holder=company(1))

    await carry_out(hub, merge())

    after = await hub.state()
    for table, rows in before.domain().items():
        if table.startswith(("registry_", "seal_", "exchange_")) and table not in (
            *INTENTS,
            *ENDED,
        ):
            assert after.domain()[table] == rows, table
    again = await hub.platform().fetch(holder=company(1))
    assert again.fields() == fetched.fields()
    presentation = again.presentations[0]
    assert presentation is not None
    assert presentation.record.iss == USCC["nb-market"]


async def test_systems_pass_on_with_keys_and_roles(hub: Simulator) -> None:
    """The connector delivers for the successor, under its code and its own seal and intent."""
    zhao = hub.officer()
    authority = await carry_out(hub, merge())

    assert list(authority.successors) == [NEW]
    seal = await zhao.make_seal("nb-regulation", "宁波市监管局")
    await zhao.propose("nb-new", seal, LICENCE)
    for name in ("qian", "sun"):
        await hub.officer(name).approve("nb-new")
    connector = hub.connector("nb-connector")
    assert connector.authority_uscc == NEW_USCC
    await connector.new_token()
    delivered = await connector.deliver([licence(5)])
    assert delivered.results[0].certificate.startswith(f"{NEW}/certificates/")
    with pytest.raises(Refused) as refused:
        await connector.deliver([licence(6)], authority=USCC["nb-market"])
    assert refused.value.reason == "AUTHORITY_NOT_ALLOWED"


async def _grant(hub: Simulator, system: str, type_code: str) -> None:
    """A department grants a field of a type. Raises Refused."""
    department = hub.system(system)
    await department.new_token()
    now = int(time.time())
    grant = exchange_pb2.Grant(
        recipient="systems/window-2",
        certificate_type=f"certificateTypes/{type_code.lower()}",
        fields=["name"],
        service_items=[ITEM],
        legal_basis=BASIS,
    )
    grant.start_time.FromSeconds(now - 60)
    grant.expire_time.FromSeconds(now + 86_400)
    await department.call(
        department.exchange.CreateGrant,
        exchange_pb2.CreateGrantRequest(request_id=new_id(), grant_id=new_id(), grant=grant),
    )


async def test_who_answers_for_a_type_follows_the_successors(hub: Simulator) -> None:
    """After a split and a merge: grants of one type by one department, of the other by nobody
    else."""
    await hub.officer().enrol("regulation-1", "nb-regulation", "department")
    with pytest.raises(Refused, match="AUTHORITY_NOT_ALLOWED"):
        await _grant(hub, "regulation-1", LICENCE)

    await carry_out(hub, split_definer())

    await _grant(hub, "regulation-1", LICENCE)
    with pytest.raises(Refused, match="AUTHORITY_NOT_ALLOWED"):
        await _grant(hub, "regulation-1", PERMIT)
    onward = merge(
        authority=NEW,
        day=time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3 * 86_400)),
        successors=(Share("authorities/hz-market", ("systems/regulation-1",), (LICENCE,)),),
    )
    await carry_out(hub, onward)
    await _grant(hub, "hz-department", LICENCE)
    assert hub.hub.directory.current.responsible(PERMIT, DEFINER) == OTHER
    assert (await hub.audit()).findings == []


async def test_service_items_pass_on_too(hub: Simulator) -> None:
    """The successor imports the next version; who has not succeeded may not."""
    page = (ROOT / "docs" / "formats" / "service-item.md").read_text(encoding="utf-8")
    shown = page.partition("```json\n")[2].partition("```")[0]
    members = {**json.loads(shown), "authority": USCC["nb-market"]}
    members.pop("version", None)
    await hub.officer().import_items(json.dumps(members).encode())
    await hub.officer().enrol("regulation-1", "nb-regulation", "department")
    department = hub.system("regulation-1")
    renamed = json.dumps({**members, "name": "新名称"}).encode()
    call = items_pb2.ImportItemsRequest(request_id=new_id(), items=[renamed])
    with pytest.raises(Refused, match="AUTHORITY_NOT_ALLOWED"):
        await department.call(department.items.ImportItems, call)
    with pytest.raises(Refused) as forgotten:
        await carry_out(hub, merge())

    await carry_out(hub, merge(successors=(Share(NEW, SYSTEMS, (), (members["code"],)),)))

    assert forgotten.value.violations == [("members.successors", "types.whole")]
    call.request_id = new_id()
    answer = await department.call(department.items.ImportItems, call)
    assert len(answer.changes) == 1


async def test_a_department_that_has_ended_gets_nothing_new(hub: Simulator) -> None:
    """Neither systems nor a second end."""
    await carry_out(hub, merge())

    with pytest.raises(Refused) as system:
        await hub.officer().enrol("late", "nb-market", "department")
    with pytest.raises(Refused) as again:
        await carry_out(hub, merge(successors=(Share(OTHER, (), ()),)))

    assert system.value.violations == [("system.authority", "authority.ended")]
    assert again.value.violations == [("members.authority", "authority.ended")]


@pytest.mark.parametrize(
    ("wanted", "violation"),
    [
        (merge(successors=(Share(NEW, SYSTEMS[:1], ()),)), ("members.successors", "systems.whole")),
        (
            merge(successors=(Share(NEW, SYSTEMS, ()), Share(OTHER, SYSTEMS[:1], ()))),
            ("members.successors", "systems.whole"),
        ),
        (
            merge(successors=(Share(NEW, (*SYSTEMS, "systems/window-1"), ()),)),
            ("members.successors", "systems.whole"),
        ),
        (
            merge(successors=(Share(NEW, SYSTEMS, (LICENCE,)),)),
            ("members.successors", "types.whole"),
        ),
        (
            merge(successors=(Share(OLD, SYSTEMS, ()),)),
            ("members.successors[0].authority", "successors.live"),
        ),
        (
            merge(successors=(Share("authorities/none", SYSTEMS, ()),)),
            ("members.successors[0].authority", "successors.live"),
        ),
        (rename(day="2019-01-01"), ("members.day", "day.order")),
        (rename(day="2999-01-01"), ("members.day", "day.order")),
    ],
)
async def test_a_change_that_is_not_whole_is_refused(
    hub: Simulator, wanted: Reorganization, violation: tuple[str, str]
) -> None:
    """Although two officers approved it; nothing is stored but the refusal."""
    before = await hub.state()

    with pytest.raises(Refused) as refused:
        await carry_out(hub, wanted)

    assert refused.value.status == "INVALID_ARGUMENT"
    assert violation in refused.value.violations
    assert (await hub.state()).domain() == before.domain()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"day": "2026-02-30"}, "value.date"),
        ({"more": 1}, "member.unknown"),
        ({"title": "x" * 201}, "value.length"),
        ({"title": None}, "member.missing"),
        ({"successors": to_members(merge())["successors"]}, "reorganization.either"),
        ({"successors": [{"authority": NEW}]}, "member.missing"),
        ({"successors": [{**SHARE, "more": 1}]}, "member.unknown"),
        ({"successors": [SHARE] * 21}, "member.list"),
    ],
)
async def test_a_proposal_in_another_form_is_refused(
    hub: Simulator, changes: dict[str, Any], rule: str
) -> None:
    """So nobody can approve it either."""
    with pytest.raises(Refused) as refused:
        await hub.officer().propose_kind(
            "wrong", "authority.reorganize", {**to_members(rename()), **changes}
        )

    assert refused.value.reason == "FIELD_INVALID"
    assert rule in [one for _, one in refused.value.violations]


async def test_what_has_changed_since_it_was_approved_is_decided_anew(hub: Simulator) -> None:
    """A system that came meanwhile stands in no share: the intent does not fit any more."""
    zhao = hub.officer()
    await zhao.propose_kind("merge", "authority.reorganize", to_members(merge()))
    for name in ("qian", "sun"):
        await hub.officer(name).approve("merge")
    await zhao.enrol("late", "nb-market", "department")

    with pytest.raises(Refused) as refused:
        await zhao.execute("merge")

    assert refused.value.violations == [("members.successors", "systems.whole")]
    assert len(hub.hub.directory.authority(OLD).names) == 1


async def test_only_officers_reorganize(hub: Simulator) -> None:
    """A department does not end its neighbour."""
    department = hub.system("hz-department")

    with pytest.raises(Refused, match="ROLE_NOT_ALLOWED"):
        await department.call(
            department.intents.ProposeIntent,
            intents_pb2.ProposeIntentRequest(
                request_id=new_id(), intent_id="mine", kind="authority.reorganize"
            ),
        )
    listed = await department.call(
        department.access.ListAuthorities, access_pb2.ListAuthoritiesRequest()
    )
    assert OLD in {one.name for one in listed.authorities}
