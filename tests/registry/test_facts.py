"""A changed fact announced over the wire, and at the terminal: two departments, one company."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import run
from hub.registry.v1 import facts_pb2 as pb
from hub.registry.v1 import facts_pb2_grpc, feed_pb2, feed_pb2_grpc
from tests.fact_types import issue_both
from tests.simulator import Refused, Simulator, bearer, copy_home, new_id

BASIS = "《公司法》第三十四条"


async def test_a_change_reaches_the_other_department(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On its stream and its list; it declines with a reason, and the announcer sees how it stands
    without seeing whose certificate it is."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        source, follows = await issue_both(hub)

        async def sealway(system: str, *words: str, expect: int = 0) -> Any:
            profile = str(hub.profile(f"systems/{system}"))
            code = await asyncio.to_thread(run, ["fact", *words, "--json", "--profile", profile])
            out = capsys.readouterr().out
            assert code == expect, out
            return json.loads(out)

        neighbour = hub.system("nb-department")
        stream = feed_pb2_grpc.FeedServiceStub(neighbour.channel).WatchChanges(
            feed_pb2.WatchChangesRequest(), metadata=bearer(await neighbour.token())
        )
        await stream.read()

        made = await sealway("hz-department", "announce", source, "--fact", "address",
                             "--basis", BASIS)  # fmt: skip
        told = (await asyncio.wait_for(stream.read(), 10)).changes[0]
        stream.cancel()
        (listed,) = (await sealway("nb-department", "list"))["follow_ups"]
        (seen,) = (await sealway("hz-department", "list", made["name"]))["follow_ups"]
        await sealway("nb-department", "list", made["name"], expect=1)
        declined = await sealway("nb-department", "decline", listed["name"], "--reason", "已停业")
        (after,) = (await sealway("hz-department", "list", made["name"]))["follow_ups"]
        report = await hub.audit()

    assert made["follow_ups"] == 1
    assert (told.kind, told.certificate, told.reference) == (
        feed_pb2.Change.KIND_FACT,
        follows,
        made["name"],
    )
    assert listed["certificate"] == follows
    assert (seen["certificate"], seen["authority"]) == ("", "authorities/nb-market")
    assert declined["state"] == after["state"] == "STATE_DECLINED"
    assert after["decline_reason"] == "已停业"
    assert not report.findings


async def test_only_a_department_announces(city: Path, tmp_path: Path) -> None:
    """And only about its own certificates."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        source, _ = await issue_both(hub)
        request = pb.AnnounceFactChangeRequest(
            request_id=new_id(), certificate=source, facts=["address"], legal_basis=BASIS
        )
        for name, reason in (
            ("window-1", "ROLE_NOT_ALLOWED"),
            ("auditor-1", "ROLE_NOT_ALLOWED"),
            ("nb-department", "CERTIFICATE_NOT_FOUND"),
        ):
            member = hub.system(name)
            stub = facts_pb2_grpc.FactServiceStub(member.channel)
            with pytest.raises(Refused) as caught:
                await member.call(stub.AnnounceFactChange, request)
            assert caught.value.reason == reason
