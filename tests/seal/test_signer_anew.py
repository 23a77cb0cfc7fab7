"""Sealing anew through the signer process: what it is shown, and that it signs nothing else."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.errors import Reason
from hub.proof.encoding import parse_object
from hub.proof.reasons import Verdict
from hub.seal.v1 import seal_pb2
from hub.seal.v1 import signer_pb2 as pb
from tests import softhsm
from tests.seal.test_signer_process import Signing, kept_requests, with_process
from tests.seal.test_verify_document import presentation, verified
from tests.simulator import Simulator, copy_home, licence, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Resealing(Signing):
    """A hub that sealed three records anew, with ES256 and SM2, after its ES256 key was stolen."""

    records: int = 0
    place: str = "files"

    @property
    def has_twins(self) -> bool:
        """A token of tests has no SM2, and keys of one seal are kept in the same hands."""
        return self.place == "files"

    @property
    def asked(self) -> list[pb.SignRecordsAnew]:
        """What the process was asked to seal anew: ES256, SM2."""
        return [one for one in self.requests if isinstance(one, pb.SignRecordsAnew)]

    def refused(self, change: Callable[[pb.SignRecordsAnew], None]) -> str:
        """The rule by which a changed request is refused; nothing of it is counted."""
        counted = "SELECT sum(uses), (SELECT count(*) FROM requests) FROM uses"
        before = self.journal(counted)
        request = pb.SignRecordsAnew()
        request.CopyFrom(self.asked[0])
        request.request_id = str(uuid.uuid4())
        change(request)
        answer = self.by_hand(sign_anew=request)
        assert answer.refused.reason == Reason.INTENT_NOT_APPROVED.value
        assert self.journal(counted) == before
        return answer.refused.details["rule"]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["files", "pkcs11"])
async def resealing(
    city: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Resealing]:
    """The ES256 keys, the stolen one and its successor, in files or in a token."""
    folder, lines = tmp_path_factory.mktemp("anew"), list[str]()
    with kept_requests() as requests, pytest.MonkeyPatch.context() as patch:
        if request.param == "pkcs11":
            token = softhsm.SoftToken(tmp_path_factory.mktemp("token"))
            try:
                token.create()
            except softhsm.SoftHsmAbsent as absent:
                pytest.skip(str(absent))
            patch.setenv("SOFTHSM2_CONF", str(token.configuration))
            lines = ["[seal.pkcs11]", f'uri = "{token.uri}"']
        home = with_process(copy_home(city, folder / "home"), *lines)
        async with Simulator(home) as hub:
            yield await _drill(Resealing(hub, requests, place=request.param))
            assert (await hub.audit()).findings == []


async def _drill(drill: Resealing) -> Resealing:
    hub, zhao, place = drill.hub, drill.hub.officer(), drill.place
    if place != "files":
        seal = "authorities/hz-market/seals/main"
        await _put_in_force(hub, seal, "ES256", place, "key.rotate")
    await hub.connector().deliver([licence(1), licence(2)])
    listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest())
    (key,) = [one for one in listed.keys if one.use == "record" and one.uses]
    if drill.has_twins:
        await _put_in_force(hub, key.seal, "SM2", place, "key.activate")
    await hub.connector().deliver([licence(3)])
    await zhao.carry_out(
        "key.compromise", {"key": key.name, "since": int(time.time()) - 3_600, "cause": "x"}
    )
    await _put_in_force(hub, key.seal, "ES256", place, "key.activate")
    await zhao.propose_kind("anew", "key.reseal", {"key": key.name}, uses_max=1_000)
    for officer in ("qian", "sun"):
        await hub.officer(officer).approve("anew")
    request = seal_pb2.ResealRecordsRequest(request_id=new_id(), intent="intents/anew")
    drill.records = (await zhao.call(zhao.seal.ResealRecords, request)).records
    assert drill.records == key.uses + 1
    return drill


async def _put_in_force(hub: Simulator, seal: str, algorithm: str, place: str, by: str) -> None:
    zhao = hub.officer()
    wanted = {"seal": seal, "use": "record", "algorithm": algorithm, "home": place}
    made = await zhao.carry_out("key.generate", wanted)
    await zhao.carry_out(by, {"key": made["key"], "x509_chain": hub.chain_for(made)})


async def test_the_process_seals_anew_and_counts_each_algorithm(resealing: Resealing) -> None:
    """Records with and without a twin before have both seals now, and verify."""
    asked = resealing.asked

    algorithms = ["ES256", "SM2"] if resealing.has_twins else ["ES256"]
    assert [one.key.algorithm for one in asked] == algorithms
    assert {one.key.home for one in asked} == {resealing.place}
    assert {len(record.seals) for record in asked[0].records} == {1, len(algorithms)}
    newest = resealing.journal(f"{_USES} LIMIT {len(algorithms)}")
    uses = {str(row[0]).partition(" ")[2]: row[1] for row in newest}
    assert uses == dict.fromkeys(["", "SM2"][: len(algorithms)], resealing.records)
    report = await verified(resealing.hub.platform(), await presentation(resealing.hub, 1))
    assert report.verdict is Verdict.VALID


_USES = "SELECT intent, uses FROM uses ORDER BY rowid DESC"


def _swap(place: str) -> Callable[[pb.SignRecordsAnew], None]:
    """Bytes of the first record changed in one place."""

    def change(request: pb.SignRecordsAnew) -> None:
        record = request.records[0]
        setattr(record, place, getattr(record, place).replace(b'"version":1', b'"version":2'))

    return change


def _of_first(request: pb.SignRecordsAnew, **values: Any) -> None:
    for name, value in values.items():
        setattr(request.records[0], name, value)


def _keep_one(request: pb.SignRecordsAnew) -> None:
    del request.entries[1:]
    request.entries[0].writes = request.entries[0].writes.replace(b"seal_", b"seal-", 1)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_swap("payload"), "a record says other than the one before"),
        (_swap("before"), "SIGNATURE_INVALID"),
        (lambda asked: _of_first(asked, entry=9), "a record names no entry"),
        (lambda asked: _of_first(asked, status_place=9), "the log recorded another seal"),
        (lambda asked: _of_first(asked, version_id="v-other"), "the log recorded another seal"),
        (_keep_one, "BODY_MALFORMED"),
        (lambda asked: asked.records.append(asked.records[0]), "each of another version"),
        (lambda asked: asked.approvals.pop(), "QUORUM_NOT_REACHED"),
        (
            lambda asked: setattr(asked, "declaration", asked.entries[0].receipt),
            "BODY_KIND",
        ),
        (
            lambda asked: setattr(asked.entries[0], "receipt", asked.declaration),
            "BODY_KIND",
        ),
    ],
)
async def test_nothing_is_signed_but_what_the_log_recorded_before_the_theft(
    resealing: Resealing, change: Callable[[pb.SignRecordsAnew], None], rule: str
) -> None:
    assert rule in resealing.refused(change)


async def test_another_intent_allows_nothing(resealing: Resealing) -> None:
    """A standing intent to seal records, approved and in force, is none to seal anew."""
    standing = next(one for one in resealing.requests if isinstance(one, pb.SignRecords))

    def change(request: pb.SignRecordsAnew) -> None:
        request.intent, request.intent_name = standing.intent, standing.intent_name
        request.approvals[:] = standing.approvals

    assert "no intent to seal anew" in resealing.refused(change)


async def test_what_was_recorded_after_the_declaration_is_not_sealed_anew(
    resealing: Resealing,
) -> None:
    """The hub was taken over, and its log got the thief's seals too late: here the entry that
    sealed anew stands for such a one."""
    log = resealing.hub.hub.recorder.proofs
    kinds = {
        parse_object(body)["kind"]: index
        async for bodies in log.bodies(0)
        for index, body in bodies
    }
    declared, last = kinds["key.compromised"], kinds["records.resealed"]
    declaration, receipt = await log.receipts_now([declared, last])
    writes = await log.writes(last)

    def change(request: pb.SignRecordsAnew) -> None:
        request.declaration = declaration
        for entry in request.entries:
            entry.receipt, entry.writes = receipt, writes

    assert "after the theft was declared" in resealing.refused(change)
