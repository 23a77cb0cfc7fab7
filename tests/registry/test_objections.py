"""An objection over the wire: raised at a window, seen and answered by the department."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import run
from hub.domain.row import Op
from hub.proof.encoding import b64u_decode, parse_object
from hub.registry.v1 import feed_pb2, feed_pb2_grpc, objections_pb2_grpc, registry_pb2
from hub.registry.v1 import objections_pb2 as pb
from tests.exchange import plans
from tests.exchange.verifications import about, about_identifier, ask
from tests.simulator import (
    Fetched,
    Member,
    Refused,
    Simulator,
    bearer,
    by_identifier,
    company,
    copy_home,
    licence,
    new_id,
)

STATEMENT = "企业名称已变更"


def stub(member: Member) -> objections_pb2_grpc.ObjectionServiceStub:
    """The service as `member` calls it."""
    return objections_pb2_grpc.ObjectionServiceStub(member.channel)


async def raised(member: Member, identifier: str) -> pb.RaiseObjectionResponse:
    """An objection to the name on a certificate."""
    request = pb.RaiseObjectionRequest(
        request_id=new_id(),
        identifier=identifier,
        fields=["name"],
        party=pb.Objection.PARTY_HOLDER,
        statement=STATEMENT,
    )
    answer: pb.RaiseObjectionResponse = await member.call(stub(member).RaiseObjection, request)
    return answer


async def answered(
    member: Member, objection: str, decision: pb.AnswerObjectionRequest.Decision
) -> pb.AnswerObjectionResponse:
    """The authority's answer to it."""
    request = pb.AnswerObjectionRequest(
        request_id=new_id(), name=objection, decision=decision, answer="核对无误"
    )
    answer: pb.AnswerObjectionResponse = await member.call(stub(member).AnswerObjection, request)
    return answer


async def settle_objection(hub: Simulator, identifier: str) -> None:
    """Raise an objection, accept and reject it: every entry that there can be."""
    objection = (await raised(hub.platform(), identifier)).objection.name
    department = hub.system("hz-department")
    await hub.platform().fetch(by_identifier(identifier))
    values = {"name": "杭州示例1有限公司"}
    await ask(hub.platform(), **about_identifier(values, identifier))
    await answered(department, objection, pb.AnswerObjectionRequest.DECISION_ACCEPTED)
    await answered(department, objection, pb.AnswerObjectionRequest.DECISION_REJECTED)
    await correct(hub)
    await hub.hub.tell()
    window = hub.platform()
    (notice,) = (await window.call(stub(window).ListNotices, pb.ListNoticesRequest())).notices
    acknowledged = pb.AcknowledgeNoticeRequest(request_id=new_id(), name=notice.name)
    await window.call(stub(window).AcknowledgeNotice, acknowledged)


async def shown(member: Member, name: str) -> registry_pb2.Certificate:
    """A certificate as its department reads it."""
    request = registry_pb2.GetCertificateRequest(name=name)
    return (await member.call(member.registry.GetCertificate, request)).certificate  # type: ignore[no-any-return]


async def test_a_window_objects_and_the_department_answers(city: Path, tmp_path: Path) -> None:
    """Marked at once for whoever looks it up, told on the feed, and unmarked by the answer."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        (issued,) = (await hub.connector().deliver([licence(1)])).results
        window, department = hub.platform(), hub.system("hz-department")
        stream = feed_pb2_grpc.FeedServiceStub(department.channel).WatchChanges(
            feed_pb2.WatchChangesRequest(), metadata=bearer(await department.token())
        )
        await stream.read()

        made = (await raised(window, issued.identifier)).objection
        told = (await asyncio.wait_for(stream.read(), 10)).changes[0]
        stream.cancel()
        marked = await shown(department, issued.certificate)
        listed = await department.call(
            stub(department).ListObjections,
            pb.ListObjectionsRequest(filter={"state": pb.Objection.STATE_RAISED}),
        )
        read = await department.call(
            stub(department).GetObjection, pb.GetObjectionRequest(name=made.name)
        )
        for name in ("nb-department", "window-2"):
            stranger = hub.system(name)
            with pytest.raises(Refused) as caught:
                await stranger.call(
                    stub(stranger).GetObjection, pb.GetObjectionRequest(name=made.name)
                )
            assert caught.value.reason == "OBJECTION_NOT_FOUND"
        done = await answered(department, made.name, pb.AnswerObjectionRequest.DECISION_REJECTED)
        after = await shown(department, issued.certificate)
        report = await hub.audit()

    assert (told.kind, told.certificate, told.reference) == (
        feed_pb2.Change.KIND_OBJECTION,
        issued.certificate,
        made.name,
    )
    assert list(marked.objected_fields) == ["name"]
    assert [one.name for one in listed.objections] == [made.name]
    assert (read.objection.statement, made.statement) == (STATEMENT, "")
    assert done.objection.state == pb.Objection.STATE_REJECTED
    assert list(after.objected_fields) == []
    assert not report.findings


async def test_whoever_is_given_what_is_doubted_is_told(city: Path, tmp_path: Path) -> None:
    """In the answer and the receipt of a fetch, of a verification, and as the obstacle of a plan;
    who asks for other fields is told nothing. What was answered before is stale."""
    values, others = {"name": "杭州示例1有限公司"}, {"scope": "软件开发;批发、零售:机械设备"}
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:
        (issued,) = (await hub.connector().deliver([licence(1)])).results
        await plans.furnish_items(hub)
        window, department = hub.platform(), hub.system("hz-department")
        before = await window.fetch(holder=company(1))
        objection = (await raised(window, issued.identifier)).objection.name

        fetched = await window.fetch(holder=company(1))
        other = await window.fetch(holder=company(1), fields=("scope",))
        confirmed = await ask(window, **about(values))
        other_confirmed = await ask(window, **about(others))
        wrong = await ask(window, **about({"name": "别的公司"}))
        planned = await plans.ask(window)
        with pytest.raises(Refused) as stale:
            await window.send(before.verified.request.compact, before.verified.request.request_id)
        await answered(department, objection, pb.AnswerObjectionRequest.DECISION_REJECTED)
        after = await window.fetch(holder=company(1))
        replanned = await plans.ask(window)

    assert objected(fetched) == (["name"], ["name"])
    assert objected(other) == objected(before) == objected(after) == ([], [])
    assert confirmed.result == other_confirmed.result == "in_force"
    assert list(confirmed.response.objected_fields) == ["name"]
    assert list(other_confirmed.response.objected_fields) == []
    assert (wrong.result, list(wrong.response.objected_fields)) == ("not_confirmed", [])
    assert plans.outcomes(planned)["licence"] == "obtainable"
    assert [one.code for one in planned.materials[0].obstacles] == ["objected"]
    assert plans.outcomes(replanned)["licence"] == "on_file"
    assert stale.value.reason == "ANSWER_STALE"


def objected(fetched: Fetched) -> tuple[list[str], object]:
    """What the answer and the body of its entry say is objected to."""
    receipt = parse_object(fetched.response.receipt.json.encode())
    (logged,) = parse_object(b64u_decode(str(receipt["body"])))["certificates"]  # type: ignore[misc]
    assert isinstance(logged, dict)
    return list(fetched.response.certificates[0].objected_fields), logged.get("objected", [])


async def correct(hub: Simulator, objection: str = "") -> str:
    """The name of company 1, corrected; the identifier of the version that is right."""
    row = licence(1, Op.CORRECT, fields={"name": "杭州更名有限公司"}, objection=objection or None)
    (result,) = (await hub.connector().deliver([row])).results
    assert not result.errors
    return str(result.identifier)


async def test_a_correction_reaches_who_was_given_what_was_wrong(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On its stream and its list, with its own receipts; it acknowledges. Who was given another
    field, and the window next door, hear nothing."""
    async with Simulator(copy_home(city, tmp_path / "home")) as hub:

        async def sealway(system: str, *words: str, expect: int = 0) -> Any:
            profile = str(hub.profile(f"systems/{system}"))
            code = await asyncio.to_thread(run, ["notice", *words, "--json", "--profile", profile])
            out = capsys.readouterr().out
            assert code == expect, out
            return json.loads(out)

        (issued,) = (await hub.connector().deliver([licence(1)])).results
        await hub.officer().grant("next-door", "window-2", ("scope",))
        window, next_door = hub.platform(), hub.platform("window-2")
        streams = []
        for member in (window, next_door):
            stream = feed_pb2_grpc.FeedServiceStub(member.channel).WatchChanges(
                feed_pb2.WatchChangesRequest(), metadata=bearer(await member.token())
            )
            await stream.read()
            streams.append(stream)
        fetched = await window.fetch(holder=company(1))
        confirmed = await ask(window, **about({"name": "杭州示例1有限公司"}))
        await next_door.fetch(by_identifier(issued.identifier, ("scope",)))
        objection = (await raised(window, issued.identifier)).objection.name

        right = await correct(hub, objection)
        told = [[], []]
        for number, stream in enumerate(streams):
            while len(told[number]) < (3 if number == 0 else 2):
                told[number] += (await asyncio.wait_for(stream.read(), 10)).changes
        (notice,) = (await sealway("window-1", "list", "--open"))["notices"]
        of_department = await sealway("hz-department", "list")
        of_next_door = await sealway("window-2", "list")
        await sealway("window-2", "acknowledge", notice["name"], expect=1)
        done = await sealway("window-1", "acknowledge", notice["name"])
        after = await sealway("window-1", "list", "--open")
        for stream in streams:
            stream.cancel()
        report = await hub.audit()

    kinds = [[one.kind for one in changes] for changes in told]
    assert kinds[0] == [
        feed_pb2.Change.KIND_OBJECTION,
        feed_pb2.Change.KIND_CORRECTED,
        feed_pb2.Change.KIND_NOTICE,
    ]
    assert kinds[1] == kinds[0][:2]
    assert told[0][2].reference == notice["name"]
    assert notice["received"] == [
        {
            "identifier": issued.identifier,
            "fields": ["name"],
            "entries": [str(fetched.verified.index), str(confirmed.receipt.index)],
            "entries_n": 2,
        }
    ]
    assert (notice["correction"], notice["objection"]) == (right, objection)
    assert [one["name"] for one in of_department["notices"]] == [notice["name"]]
    assert of_next_door["notices"] == after["notices"] == []
    assert done["acknowledge_time"]
    assert not report.findings
