"""The change feed over the wire: in time, across restarts, and ended when rights end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from hub.domain.row import Op
from hub.registry.v1 import feed_pb2 as pb
from hub.registry.v1 import feed_pb2_grpc
from hub.v1 import common_pb2
from tests.simulator import (
    LICENCE,
    PERMIT,
    PERMIT_VCT,
    Member,
    Refused,
    Simulator,
    bearer,
    copy_home,
    licence,
    permit,
)

TYPE = f"certificateTypes/{LICENCE.lower()}"
WITHIN_S = 10.0
# The goal is 2 s at p99 (tests/bench/feed.py measures it); a loaded machine gets more.
TOLD_WITHIN_S = 5.0


class Stream:
    """An open stream of one member."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.cursor = ""

    async def read(self) -> pb.WatchChangesResponse:
        """The next message. Raises Refused where the stream ended."""
        try:
            message = await asyncio.wait_for(self._call.read(), WITHIN_S)
        except grpc.aio.AioRpcError as error:
            raise Refused(error) from error
        if message is grpc.aio.EOF:
            raise EOFError
        assert isinstance(message, pb.WatchChangesResponse)
        self.cursor = message.cursor
        return message

    async def changes(self, count: int) -> list[pb.Change]:
        """At least `count` changes."""
        found: list[pb.Change] = []
        while len(found) < count:
            found += (await self.read()).changes
        return found

    async def refusal(self) -> Refused:
        """How the stream ends."""
        with pytest.raises(Refused) as caught:
            while True:
                await self.read()
        return caught.value


@asynccontextmanager
async def watching(
    member: Member, request: pb.WatchChangesRequest | None = None, *, token: str | None = None
) -> AsyncIterator[Stream]:
    stub = feed_pb2_grpc.FeedServiceStub(member.channel)
    metadata = bearer(await member.token() if token is None else token)
    call = stub.WatchChanges(request or pb.WatchChangesRequest(), metadata=metadata)
    try:
        yield Stream(call)
    finally:
        call.cancel()


@pytest.fixture
async def hub(city: Path, tmp_path: Path) -> AsyncIterator[Simulator]:
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        yield hub


async def test_a_revocation_is_told_in_time(hub: Simulator) -> None:
    """To a platform with a grant, with what it needs to recognise the certificate, and no more."""
    await hub.connector().deliver([licence(1)])
    async with watching(hub.platform()) as stream:
        await stream.read()
        began = time.monotonic()
        await hub.connector().deliver([licence(1, Op.REVOKE)])
        (change,) = await stream.changes(1)
        assert time.monotonic() - began < TOLD_WITHIN_S
    assert change.kind == pb.Change.KIND_STATE
    assert change.state == common_pb2.CERTIFICATE_STATE_REVOKED
    assert change.certificate_type == TYPE
    assert change.identifier
    assert len(change.holders) == 1
    report = await hub.audit()
    assert not report.findings


async def test_the_log_says_who_watches(hub: Simulator) -> None:
    """One entry per stream, about the filter and the place."""
    request = pb.WatchChangesRequest(filter=pb.WatchChangesRequest.Filter(certificate_types=[TYPE]))
    size = hub.size
    async with watching(hub.platform(), request) as stream:
        await stream.read()
    (entry,) = [one for one in await hub.entries(size) if one["kind"] == "changes.watched"]
    assert entry["caller"] == "systems/window-1"
    assert entry["data"] == {"types": [LICENCE], "authority": "", "after_entry": size - 1}


async def test_a_cursor_lives_longer_than_the_hub(city: Path, tmp_path: Path) -> None:
    """A stream goes on after a restart with what happened meanwhile."""
    home = copy_home(city, tmp_path / "home")
    async with Simulator(home) as hub:
        async with watching(hub.platform()) as stream:
            await stream.read()
            await hub.connector().deliver([licence(1)])
            first = await stream.changes(1)
        await hub.connector().deliver([licence(2)])
    async with Simulator(home) as hub:
        await hub.connector().deliver([licence(3)])
        async with watching(hub.platform(), pb.WatchChangesRequest(cursor=stream.cursor)) as again:
            rest = await again.changes(2)
        beginning = pb.WatchChangesRequest(start=pb.WatchChangesRequest.START_BEGINNING)
        async with watching(hub.platform(), beginning) as whole:
            everything = await whole.changes(3)
    assert [one.id for one in (*first, *rest)] == [one.id for one in everything]


async def test_a_department_sees_its_own_and_not_its_neighbours(hub: Simulator) -> None:
    """Nothing of another authority's certificates, not even that there are any."""
    beginning = pb.WatchChangesRequest(start=pb.WatchChangesRequest.START_BEGINNING)
    await hub.connector("nb-connector").deliver([licence(1)])
    await hub.connector("hz-connector").deliver([licence(2)])
    async with watching(hub.system("hz-department"), beginning) as stream:
        found = await stream.changes(1)
        assert {one.authority for one in found} == {"authorities/hz-market"}
    other = pb.WatchChangesRequest(
        filter=pb.WatchChangesRequest.Filter(authority="authorities/nb-market")
    )
    async with watching(hub.system("hz-department"), other) as stream:
        refusal = await stream.refusal()
    assert (refusal.status, refusal.reason) == (
        "PERMISSION_DENIED",
        "CHANGES_NOT_GRANTED",
    )


async def test_a_system_that_is_revoked_hears_nothing_more(hub: Simulator) -> None:
    """The stream ends by itself, soon, and says why."""
    async with watching(hub.platform()) as stream:
        await stream.read()
        await hub.officer().revoke("window-1")
        began = time.monotonic()
        refusal = await stream.refusal()
        assert time.monotonic() - began < TOLD_WITHIN_S
    assert (refusal.status, refusal.reason) == ("UNAUTHENTICATED", "TOKEN_REVOKED")


async def test_a_grant_that_is_revoked_ends_the_stream(hub: Simulator) -> None:
    """Where no other is left."""
    async with watching(hub.platform()) as stream:
        await stream.read()
        await hub.officer().revoke_grant("licence-to-window")
        began = time.monotonic()
        refusal = await stream.refusal()
        assert time.monotonic() - began < TOLD_WITHIN_S
    assert refusal.reason == "CHANGES_NOT_GRANTED"


async def test_a_stream_ends_with_its_token(hub: Simulator) -> None:
    """And goes on with the next one."""
    hub.hub.tokens.lifetime_s = 2
    member = hub.platform()
    async with watching(member, token=await member.new_token()) as stream:
        await stream.read()
        refusal = await stream.refusal()
    assert (refusal.status, refusal.reason) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")
    request = pb.WatchChangesRequest(cursor=stream.cursor)
    async with watching(member, request, token=await member.new_token()) as stream:
        await stream.read()


@pytest.mark.parametrize("name", ["hz-connector", "monitor-1"])
async def test_a_role_that_has_no_use_for_it_is_refused(hub: Simulator, name: str) -> None:
    """As the policy table says."""
    async with watching(hub.system(name)) as stream:
        refusal = await stream.refusal()
    assert refusal.reason == "ROLE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.WatchChangesRequest(cursor="AAAA"), "CURSOR_INVALID"),
        (pb.WatchChangesRequest(start=77), "FIELD_INVALID"),  # type: ignore[arg-type]
        (
            pb.WatchChangesRequest(
                filter=pb.WatchChangesRequest.Filter(certificate_types=["x' OR 1=1"])
            ),
            "NAME_MALFORMED",
        ),
        (
            pb.WatchChangesRequest(
                filter=pb.WatchChangesRequest.Filter(certificate_types=[TYPE] * 101)
            ),
            "FIELD_INVALID",
        ),
        (
            pb.WatchChangesRequest(filter=pb.WatchChangesRequest.Filter(authority="'; DROP")),
            "NAME_MALFORMED",
        ),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(
    hub: Simulator, request_: pb.WatchChangesRequest, reason: str
) -> None:
    """And nothing is streamed."""
    async with watching(hub.platform(), request_) as stream:
        refusal = await stream.refusal()
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", reason)
    assert not stream.cursor


async def test_who_goes_away_leaves_nothing_behind(hub: Simulator) -> None:
    """Its places are free at once, so that it can come again."""
    for _ in range(3):
        async with (
            watching(hub.platform()) as first,
            watching(hub.platform()) as second,
            watching(hub.platform()) as third,
            watching(hub.platform()) as fourth,
        ):
            for stream in (first, second, third, fourth):
                await stream.read()
            async with watching(hub.platform()) as fifth:
                refusal = await fifth.refusal()
            assert refusal.status == "RESOURCE_EXHAUSTED"
        for _ in range(500):
            if not hub.metrics()["sealway_feed_streams"]:
                break
            await asyncio.sleep(0.02)
        assert hub.metrics()["sealway_feed_streams"] == 0


async def test_a_persons_certificate_is_told_without_its_identifier(hub: Simulator) -> None:
    """A platform that never had it cannot ask for it afterwards."""
    await hub.officer().grant("permit-to-window", "window-1", ("grade",), type_code=PERMIT)
    async with watching(hub.platform()) as stream:
        await stream.read()
        await hub.connector().deliver([permit(1)], vct=PERMIT_VCT)
        (change,) = await stream.changes(1)
    assert (change.certificate, change.identifier) == ("", "")
    assert change.identifier_digest
