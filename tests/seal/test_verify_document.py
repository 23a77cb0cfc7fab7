"""The hub verifies what callers bring: its own pins, its newest status, in a worker."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from hub.domain.row import Op
from hub.proof.reasons import Verdict
from hub.proof.recognise import peek
from hub.proof.reports.report import Report, StepName
from hub.proof.reports.report_json import parse_report
from hub.proof.trust import Compromise, trust_file
from hub.seal.documents import verify_document
from hub.seal.report_service import encode_report
from hub.seal.v1 import reports_pb2 as pb
from hub.seal.v1 import reports_pb2_grpc
from tests.simulator import (
    Fetched,
    Member,
    Refused,
    Simulator,
    bearer,
    company,
    copy_home,
    licence,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

Message = pb.VerifyDocumentRequest
Header = pb.VerifyDocumentRequest.Header


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(city: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """Two licences on file."""
    home = copy_home(city, tmp_path_factory.mktemp("reports") / "home")
    async with Simulator(home) as simulator:
        await simulator.connector().deliver([licence(1), licence(2)])
        yield simulator


async def send(member: Member, messages: Sequence[Message]) -> pb.VerifyDocumentResponse:
    stub = reports_pb2_grpc.ReportServiceStub(member.channel)

    async def each() -> AsyncIterator[Message]:
        for message in messages:
            yield message

    try:
        return await stub.VerifyDocument(  # type: ignore[no-any-return, misc]
            each(), metadata=bearer(await member.token()), timeout=60
        )
    except grpc.aio.AioRpcError as error:
        raise Refused(error) from error


async def verified(member: Member, data: bytes, **header: Any) -> Report:
    """The report, which both forms of the answer agree about."""
    middle = len(data) // 2
    messages = [Message(header=Header(**header))]
    messages += [Message(chunk=part) for part in (data[:middle], data[middle:])]
    answer = await send(member, messages)
    report = parse_report(answer.json.encode())
    assert encode_report(report) == answer.report
    assert json.loads(answer.json)["summary"]["zh"] == answer.report.summary_zh
    return report


async def presentation(hub: Simulator, number: int) -> bytes:
    fetched = await hub.platform().fetch(holder=company(number))
    return fetched.response.certificates[0].presentation.encode()


async def test_a_record_is_valid_with_the_newest_status_of_the_hub(hub: Simulator) -> None:
    """Without any list from the caller; every role that may see seals may ask."""
    data = await presentation(hub, 1)

    for member in (hub.platform(), hub.system("hz-department"), hub.officer()):
        report = await verified(member, data)

        assert (report.verdict, report.reason) == (Verdict.VALID, None)


async def test_a_revoked_record_is_invalid_at_once(hub: Simulator) -> None:
    """The list that the hub would publish now is the one that counts."""
    data = await presentation(hub, 2)
    before = await verified(hub.platform(), data)
    await hub.connector().deliver([licence(2, Op.REVOKE)])

    after = await verified(hub.platform(), data)

    assert before.verdict is Verdict.VALID
    assert (after.verdict, str(after.reason)) == (Verdict.INVALID, "STATUS_REVOKED")


async def test_a_changed_record_is_invalid_and_another_moment_is_named(hub: Simulator) -> None:
    """What was asked about stands in the report."""
    data = await presentation(hub, 1)
    changed = data.replace(b".", b".A", 1)
    moment = int(time.time()) - 3600

    broken = await verified(hub.platform(), changed)
    early = await verified(hub.platform(), data, as_of_time=Timestamp(seconds=moment))

    assert broken.verdict is Verdict.INVALID
    assert early.verdict is Verdict.INVALID
    assert str(early.reason) == "IAT_FUTURE"


async def test_what_the_caller_has_besides_is_held_against_the_file(hub: Simulator) -> None:
    """As on the command line: an algorithm that is required, and a twin that is none."""
    data = await presentation(hub, 1)

    es256 = await verified(hub.platform(), data, required_algorithm="ES256")
    sm2 = await verified(hub.platform(), data, required_algorithm="SM2")
    twin = await verified(hub.platform(), data, twin=data.decode())

    assert es256.verdict is Verdict.VALID
    assert StepName.REQUIRED_ALGORITHM in [step.name for step in es256.steps]
    assert sm2.verdict is not Verdict.VALID
    assert [step.verdict for step in twin.steps if step.name is StepName.TWIN] == [Verdict.INVALID]


@pytest.mark.parametrize(
    ("brought", "field"),
    [
        ({"record": b"x"}, "record"),
        ({"receipt": b"x"}, "receipt"),
        ({"answer": b"x"}, "answer"),
        ({"revocation_lists": [b"x"]}, "revocation_lists"),
    ],
)
async def test_what_is_compared_with_nothing_is_refused(
    hub: Simulator, brought: dict[str, Any], field: str
) -> None:
    """Whoever gave it would believe that the record was held against it."""
    with pytest.raises(Refused) as refused:
        await verified(hub.platform(), await presentation(hub, 1), **brought)

    assert (refused.value.reason, refused.value.details["field"]) == ("FIELD_INVALID", field)


async def test_a_receipt_is_judged_with_the_request_that_it_belongs_to(hub: Simulator) -> None:
    """With another request it is not the answer to what was asked."""
    platform = hub.platform()
    mine, other = [await platform.fetch(holder=company(1)) for _ in range(2)]
    receipt = mine.response.receipt.json.encode()

    async def outcome(asked: Fetched, system: str) -> Verdict:
        requests = platform.sent[asked.response.request_id]
        report = await verified(platform, receipt, requests=requests, system=system)
        (step,) = [step for step in report.steps if step.name is StepName.REQUEST]
        return step.verdict

    assert await outcome(mine, "systems/window-1") is Verdict.VALID
    assert await outcome(other, "systems/window-1") is Verdict.INVALID
    assert await outcome(mine, "systems/window-2") is Verdict.INVALID


async def test_a_compromise_in_the_trust_file_counts_without_a_restart(hub: Simulator) -> None:
    """The file is read again when it changes; while it is damaged nothing is verified."""
    data = await presentation(hub, 1)
    file = hub.home / "trust.json"
    good = file.read_bytes()
    header = peek(data.decode(), 0)
    trust = replace(
        hub.trust, compromised=(Compromise(str(header["kid"]), int(time.time()) + 3600),)
    )

    file.write_bytes(trust_file(trust))
    open_ = await verified(hub.platform(), data)
    file.write_bytes(b"{}")
    with pytest.raises(Refused) as refused:
        await verified(hub.platform(), data)
    file.write_bytes(good)
    again = await verified(hub.platform(), data)

    assert (open_.verdict, str(open_.reason)) == (Verdict.CANNOT_CHECK, "COMPROMISE_OPEN")
    assert refused.value.reason == "TRUST_UNAVAILABLE"
    assert again.verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([], "header"),
        ([Message(chunk=b"x")], "header"),
        ([Message(header=Header()), Message(header=Header())], "chunk"),
        ([Message(header=Header()), Message(chunk=b"GIF89a")], "chunk"),
        ([Message(header=Header())], "chunk"),
        ([Message(header=Header(as_of_time=Timestamp(seconds=-1)))], "as_of_time"),
        ([Message(header=Header(revocation_lists=[b"x"] * 17))], "revocation_lists"),
        ([Message(header=Header(requests=["x"] * 17))], "requests"),
        ([Message(header=Header(requests=["中"]))], "requests"),
        ([Message(header=Header(twin="x" * 65_537))], "twin"),
        ([Message(header=Header(required_algorithm="RS256"))], "required_algorithm"),
        ([Message(header=Header(record=bytes(1_048_577)))], "record"),
        ([Message(header=Header(receipt=bytes(1_048_577)))], "receipt"),
    ],
)
async def test_a_malformed_stream_is_refused(
    hub: Simulator, messages: list[Message], field: str
) -> None:
    """With the field that is wrong."""
    with pytest.raises(Refused) as refused:
        await send(hub.platform(), messages)

    assert refused.value.reason == "FIELD_INVALID"
    assert refused.value.details["field"] == field


async def test_a_file_that_is_too_large_is_refused_while_it_comes(hub: Simulator) -> None:
    """Nobody makes the hub hold more than it said."""
    chunks = [Message(chunk=b"%PDF-" + bytes(1_000_000))] * 34

    with pytest.raises(Refused) as refused:
        await send(hub.platform(), [Message(header=Header()), *chunks])

    assert refused.value.reason == "DOCUMENT_TOO_LARGE"


async def test_a_chunk_that_is_too_large_is_refused(hub: Simulator) -> None:
    """As with uploads."""
    with pytest.raises(Refused) as refused:
        await send(
            hub.platform(), [Message(header=Header()), Message(chunk=bytes(1024 * 1024 + 1))]
        )

    assert refused.value.reason == "MESSAGE_TOO_LARGE"


async def test_only_so_many_files_are_open_at_a_time(
    hub: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Further callers are told when to come back; the place is free again afterwards."""
    monkeypatch.setattr(verify_document, "OPEN_MAX", 1)
    member = hub.platform()
    stub = reports_pb2_grpc.ReportServiceStub(member.channel)
    held = stub.VerifyDocument(metadata=bearer(await member.token()), timeout=60)
    await held.write(Message(header=Header()))
    await held.write(Message(chunk=b"%PDF-"))
    await asyncio.sleep(0.2)

    with pytest.raises(Refused) as refused:
        await send(member, [Message(header=Header()), Message(chunk=b"%PDF-")])
    await held.done_writing()
    await held
    after = await send(member, [Message(header=Header()), Message(chunk=b"%PDF-")])

    assert (refused.value.reason, refused.value.retry_after_s) == ("RATE_LIMITED", 2.0)
    assert after.report.kind == "PDF document"


@pytest.mark.parametrize("name", ["hz-connector", "monitor-1", "hz-desk"])
async def test_who_sees_no_seals_may_not_ask(hub: Simulator, name: str) -> None:
    """The table says who may."""
    with pytest.raises(Refused) as refused:
        await verified(hub.system(name), b"%PDF-")

    assert refused.value.reason == "ROLE_NOT_ALLOWED"
