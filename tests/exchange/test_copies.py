"""Annotated copies: for a purpose and a time, made of what was given, and never an original."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from hub.domain.row import Op
from hub.exchange.v1 import copies_pb2 as pb
from hub.exchange.v1 import copies_pb2_grpc
from tests.exchange import plans
from tests.exchange.annotated import PURPOSE, annotate, make, wanted
from tests.simulator import (
    ASKED,
    LICENCE,
    Member,
    Refused,
    Simulator,
    by_holder,
    by_identifier,
    company,
    copy_home,
    licence,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """A few licences on file."""
    home = copy_home(city, tmp_path_factory.mktemp("copies") / "home")
    async with Simulator(home) as simulator:
        await simulator.connector().deliver([licence(number) for number in range(1, 7)])
        yield simulator


async def fetched(hub: Simulator, *numbers: int) -> tuple[str, list[str]]:
    """The request id of a fetch, and the identifiers of what it gave."""
    answer = await hub.platform().fetch(*[by_holder(company(number)) for number in numbers])
    certificates = answer.verified.entry.certificates
    return answer.response.request_id, [one.cert or "" for one in certificates]


async def shown(member: Member, name: str) -> pb.AnnotatedCopy:
    """A copy as a member sees it. Raises Refused."""
    stub = copies_pb2_grpc.CopyServiceStub(member.channel)
    answer = await member.call(stub.GetAnnotatedCopy, pb.GetAnnotatedCopyRequest(name=name))
    copy: pb.AnnotatedCopy = answer.annotated_copy
    return copy


async def listed(member: Member, **asked: Any) -> list[str]:
    """Names of the copies that a member sees, page by page."""
    stub = copies_pb2_grpc.CopyServiceStub(member.channel)
    names: list[str] = []
    token = ""
    while True:
        answer = await member.call(
            stub.ListAnnotatedCopies,
            pb.ListAnnotatedCopiesRequest(page_size=1, page_token=token, **asked),
        )
        names += [one.name for one in answer.annotated_copies]
        token = answer.next_page_token
        if not token:
            return names


async def test_a_copy_says_what_it_is_of_and_for_and_until_when(hub: Simulator) -> None:
    """All four elements of GB/T 36903, what was given, and the entries of fetch and copy."""
    request_id, (_, second) = await fetched(hub, 1, 2)
    request = wanted(request_id, certificate=1)

    answer = await make(hub.platform(), request)

    copy = answer.annotated_copy
    assert (copy.identifier, copy.purpose, copy.maker) == (second, PURPOSE, "systems/window-1")
    assert copy.maker_authority == "authorities/service-hall"
    assert copy.authority == "authorities/hz-market"
    assert copy.certificate_type == f"certificateTypes/{LICENCE.lower()}"
    assert list(copy.fields) == list(ASKED)
    assert copy.expire_time == request.expire_time
    assert abs(copy.create_time.seconds - time.time()) < 60
    assert copy.state == pb.AnnotatedCopy.STATE_IN_FORCE
    entries = await hub.entries()
    made, fetch = entries[copy.create_entry], entries[copy.fetch_entry]
    assert (made["kind"], fetch["kind"]) == ("copy.made", "fetch")
    assert made["data"]["sd_hash"] == fetch["certificates"][1]["sd_hash"] == copy.sd_hash
    assert made["data"]["copy"] == copy.name
    # The same call again is the same copy.
    assert await make(hub.platform(), request) == answer
    assert (await hub.audit()).findings == []


async def test_it_is_seen_by_whom_it_concerns_and_by_nobody_else(hub: Simulator) -> None:
    """Its maker, who issued the original, an auditor; for all others it is not there."""
    request_id, (identifier,) = await fetched(hub, 3)
    copy = (await make(hub.platform(), wanted(request_id))).annotated_copy
    other = await annotate(hub.platform(), identifier)

    for name in ("window-1", "hz-department", "auditor-1"):
        member = hub.platform(name) if name == "window-1" else hub.system(name)
        assert await shown(member, copy.name) == copy
        assert await listed(member, identifier=identifier) == [copy.name, other.name]
    for name in ("window-2", "nb-department"):
        member = hub.platform(name) if name == "window-2" else hub.system(name)
        with pytest.raises(Refused) as refused:
            await shown(member, copy.name)
        assert (refused.value.status, refused.value.reason) == ("NOT_FOUND", "COPY_NOT_FOUND")
        assert await listed(member, identifier=identifier) == []
        assert copy.name not in await listed(member)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": ""}, "purpose"),
        ({"purpose": "办" * 201}, "purpose"),
        ({"purpose": "a\x00b"}, "purpose"),
        ({"expire_time": Timestamp(seconds=int(time.time()) - 1)}, "expire_time"),
        ({"expire_time": Timestamp(seconds=int(time.time()) + 367 * 86_400)}, "expire_time"),
        ({"expire_time": Timestamp()}, "expire_time"),
        ({"certificate": 1}, "fetch_request_id"),
        ({"certificate": -1}, "fetch_request_id"),
        ({"fetch_request_id": "0b0c1a52-0000-4000-8000-000000000000"}, "fetch_request_id"),
    ],
)
async def test_what_is_wrong_is_named(hub: Simulator, changes: dict[str, Any], field: str) -> None:
    """Nothing is registered."""
    request_id, _ = await fetched(hub, 4)
    before = (await hub.state()).domain()

    with pytest.raises(Refused) as refused:
        await make(hub.platform(), wanted(request_id, **changes))

    assert (refused.value.status, refused.value.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert refused.value.details["field"] == field
    assert (await hub.state()).domain() == before


async def test_another_platforms_fetch_and_a_fetch_without_data_give_no_copy(
    hub: Simulator,
) -> None:
    """A copy is of what its maker was given."""
    mine, _ = await fetched(hub, 4)
    nothing = await hub.platform().fetch(holder=company(99))

    for platform, request_id in (
        (hub.platform("window-2"), mine),
        (hub.platform(), nothing.response.request_id),
    ):
        with pytest.raises(Refused) as refused:
            await make(platform, wanted(request_id))
        assert refused.value.details["field"] == "fetch_request_id"


async def test_a_copy_ends_with_its_time_and_with_its_original(hub: Simulator) -> None:
    """And of what has ended no copy is made."""
    request_id, _ = await fetched(hub, 5)
    soon = Timestamp(seconds=int(time.time()) + 2)
    short = (await make(hub.platform(), wanted(request_id, expire_time=soon))).annotated_copy
    long = (await make(hub.platform(), wanted(request_id))).annotated_copy

    changed = licence(5, Op.CHANGE, fields={"scope": "餐饮服务"})
    await hub.connector().deliver([changed])

    assert (await shown(hub.platform(), long.name)).state == (pb.AnnotatedCopy.STATE_ORIGINAL_ENDED)
    with pytest.raises(Refused) as refused:
        await make(hub.platform(), wanted(request_id))
    assert (refused.value.status, refused.value.reason) == (
        "FAILED_PRECONDITION",
        "CERTIFICATE_NOT_IN_FORCE",
    )
    await asyncio.sleep(max(0.0, soon.seconds - time.time()))
    assert (await shown(hub.platform(), short.name)).state == pb.AnnotatedCopy.STATE_EXPIRED


async def test_no_copy_is_taken_for_an_original(hub: Simulator) -> None:
    """Its id names nothing that can be fetched, and a plan does not count it."""
    request_id, (identifier,) = await fetched(hub, 6)
    copy = (await make(hub.platform(), wanted(request_id))).annotated_copy
    await plans.furnish_items(hub)
    people = [(role, "001", company(6)) for role in ("company", "applicant")]
    before = await plans.ask(hub.platform(), *people)
    await make(hub.platform(), wanted(request_id))

    with pytest.raises(Refused) as refused:
        await hub.platform().fetch(by_identifier(copy.name.rpartition("/")[2]))
    assert refused.value.reason == "IDENTIFIER_INVALID"
    fetch = await hub.platform().fetch(holder=company(6))
    assert [one.cert for one in fetch.verified.entry.certificates] == [identifier]
    after = await plans.ask(hub.platform(), *people)
    assert [(one.outcome, one.certificate.cert) for one in after.materials] == [
        (one.outcome, one.certificate.cert) for one in before.materials
    ]


async def test_a_grant_that_was_revoked_allows_no_copy(hub: Simulator) -> None:
    """What was given before stays given; a new use of it needs the right as it is now."""
    await hub.officer().grant("for-a-while", "window-2")
    window = hub.platform("window-2")
    fetch = await window.fetch(holder=company(4))
    await make(window, wanted(fetch.response.request_id))
    await hub.officer().revoke_grant("for-a-while")

    with pytest.raises(Refused) as refused:
        await make(window, wanted(fetch.response.request_id))

    assert (refused.value.status, refused.value.reason) == ("PERMISSION_DENIED", "GRANT_MISSING")
