"""The hub stamps its own checkpoints: by the clock, through outages, for whoever asks later."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hub.cli import doctor
from hub.cli.doctor import Mark, _stamped_log
from hub.cli.main import run
from hub.clock import now_us
from hub.config import load
from hub.errors import HubError, Reason
from hub.ledger.recorder import Recorder
from hub.ledger.stamps import CheckpointStamps
from hub.ledger.store import LAST_STAMP
from hub.ledger.v1 import ledger_pb2
from hub.proof.log.receipt import parse_proof, parse_receipt
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind, Report
from hub.proof.run import Evidence
from hub.proof.time_stamp import verify_token
from hub.proof.verify import verify
from hub.seal.reseal.compromises import declared_compromises
from hub.seal.v1 import seal_pb2
from tests.ledger.logs import entry, new_log
from tests.simulator import Fetched, Refused, Simulator, company, copy_home, licence
from tests.test_documents_total import undocumented
from tests.time_stamp_server import TimeStampServer, absent, serving

HOUR_S = 3600
TSA_ANCHOR = Path("tls", "tsa-ca.pem")


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[TimeStampServer]:
    if absent():
        pytest.skip("openssl is not installed")
    folder = tmp_path / "tsa"
    folder.mkdir()
    with serving(folder) as server:
        yield server


def stamped_home(city: Path, tmp_path: Path, tsa: TimeStampServer) -> Path:
    """A furnished home whose hub has a time stamping service."""
    home = copy_home(city, tmp_path / "home")
    (home / TSA_ANCHOR).write_bytes(tsa.ca.root.public_bytes(Encoding.PEM))
    with (home / "hub.toml").open("a") as file:
        file.write(f'\n[seal]\ntsa_url = "{tsa.url}"\n')
    return home


def stamps_of(hub: Simulator) -> CheckpointStamps:
    stamps = hub.hub.stamps
    assert stamps is not None
    return stamps


async def stamped(hub: Simulator) -> None:
    """Wait until the hub has made its first stamp by itself."""
    for _ in range(400):
        if "checkpoint.stamped" in await kinds(hub):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the hub made no stamp in 20 seconds")


async def kinds(hub: Simulator) -> list[str]:
    return [str(one["kind"]) for one in await hub.entries()]


def later(hub: Simulator, seconds: float) -> None:
    """The hub's stamps look at the clock so much later."""
    stamps_of(hub).clock = lambda: now_us() + int(seconds * 1_000_000)


# -- What a stamp is for ---------------------------------------------------------------------------


async def test_what_was_sealed_before_a_theft_outlives_it_by_itself(
    city: Path, tmp_path: Path, tsa: TimeStampServer
) -> None:
    """Nobody saw to anything beforehand: the receipt that is asked for after the theft is enough.
    What was fetched after the last stamp is not saved by it."""
    async with Simulator(stamped_home(city, tmp_path, tsa), stamp_every_s=HOUR_S) as hub:
        await stamped(hub)
        await hub.connector().deliver([licence(1)])
        before = await hub.platform().fetch(holder=company(1))
        later(hub, 2 * HOUR_S)
        await stamps_of(hub).stamp_if_due()
        after = await hub.platform().fetch(holder=company(1))
        await asyncio.sleep(1.1)  # Seconds are the unit of a stamp and of a declaration.
        zhao = hub.officer()
        listed = await zhao.call(zhao.seal.ListKeys, seal_pb2.ListKeysRequest())
        (key,) = [one for one in listed.keys if one.use == "record" and one.uses]
        stolen = {"key": key.name, "since": int(time.time()), "cause": "device lost"}
        await zhao.carry_out("key.compromise", stolen)

        kept = await judged(hub, tsa, before, await receipt_now(hub, before))
        as_given = await judged(hub, tsa, before, None)
        unproven = await judged(hub, tsa, after, await receipt_now(hub, after))
        audit = await hub.audit()
        entries = [one for one in await hub.entries() if one["kind"] == "checkpoint.stamped"]

    assert (kept.verdict, kept.reason) == (Verdict.VALID, None)
    assert {fact.value for fact in kept.facts if fact.name is FactName.GRADE} == {"stamped"}
    for report in (as_given, unproven):
        assert (report.verdict, report.reason) == (
            Verdict.CANNOT_CHECK,
            ProofReason.COMPROMISE_OPEN,
        )
    assert audit.findings == []
    assert [undocumented(one) for one in entries] == [[], []]


async def receipt_now(hub: Simulator, fetched: Fetched) -> bytes:
    """The receipt as the hub gives it to its caller now."""
    platform, index = hub.platform(), fetched.verified.index
    request = ledger_pb2.GetInclusionProofRequest(entry=index)
    answer = await platform.call(platform.ledger.GetInclusionProof, request)
    return bytes(answer.receipt.json.encode())


async def judged(
    hub: Simulator, tsa: TimeStampServer, fetched: Fetched, receipt: bytes | None
) -> Report:
    """What a reader says who pins the service and knows of the declaration."""
    response = fetched.response
    answer = {
        "request_id": response.request_id,
        "certificates": [
            {"state": "active", "presentation": one.presentation} for one in response.certificates
        ],
        "receipt": json.loads(response.receipt.json),
    }
    trust = replace(
        hub.trust,
        stamp_anchors=(tsa.ca.root,),
        compromised=tuple(await declared_compromises(hub.hub.database)),
    )
    sent = tuple(hub.platform().sent[response.request_id])
    tokens = (await hub.hub.status_lists.token(1),)
    evidence = Evidence(int(time.time()) + 1, sent, receipt=receipt, status_tokens=tokens)
    data = json.dumps(answer).encode()
    return await asyncio.to_thread(verify, data, Kind.ANSWER, trust, evidence)


# -- Outages ---------------------------------------------------------------------------------------


async def test_an_outage_is_made_up_for_by_one_stamp(
    city: Path, tmp_path: Path, tsa: TimeStampServer
) -> None:
    """Three intervals pass without the service; sealing stops at the limit and not before, what is
    on file goes on leaving, and one stamp sets everything right."""
    home = stamped_home(city, tmp_path, tsa)
    async with Simulator(home, stamp_every_s=HOUR_S, stamp_age_max_s=3 * HOUR_S) as hub:
        await stamped(hub)
        asked = tsa.asked
        tsa.answer = lambda _: (503, "text/plain", b"")
        fetched = []
        for number in (1, 2):
            later(hub, number * HOUR_S + 60)
            await hub.connector().deliver([licence(number)])
            fetched.append(await hub.platform().fetch(holder=company(number)))
            with pytest.raises(HubError) as failed:
                await stamps_of(hub).stamp_if_due()
            assert failed.value.reason is Reason.TIME_STAMP_UNAVAILABLE
        later(hub, 3 * HOUR_S + 60)

        with pytest.raises(Refused) as refused:
            await hub.connector().deliver([licence(3)])
        await hub.platform().fetch(holder=company(1))
        assert hub.metrics()["sealway_stamp_age_seconds"] > 3 * HOUR_S
        assert (await kinds(hub)).count("checkpoint.stamped") == 1
        tsa.answer = tsa.honest
        await stamps_of(hub).stamp_if_due()
        await hub.connector().deliver([licence(3)])

        covering = [await first_stamp(hub, tsa, one) for one in fetched]
        age_s, count = hub.metrics()["sealway_stamp_age_seconds"], tsa.asked - asked
    assert (refused.value.status, refused.value.reason) == ("UNAVAILABLE", "STAMPS_OVERDUE")
    # Both entries by the one stamp after the outage.
    assert len(set(covering)) == 1
    assert age_s < HOUR_S
    assert count == 3


async def first_stamp(hub: Simulator, tsa: TimeStampServer, fetched: Fetched) -> bytes:
    """The stamp in the receipt as it is now; verified, over the checkpoint beside it."""
    (first, *_) = parse_receipt(await receipt_now(hub, fetched)).later
    assert first.stamp is not None
    note = parse_proof(first.proof).checkpoint.encode()
    moment = await asyncio.to_thread(verify_token, first.stamp, note, (tsa.ca.root,))
    assert abs(moment - time.time()) < 60
    return first.stamp


async def test_without_a_limit_sealing_goes_on(
    city: Path, tmp_path: Path, tsa: TimeStampServer
) -> None:
    """And a service that is away at the start keeps no hub from starting."""
    tsa.answer = lambda _: (503, "text/plain", b"")
    async with Simulator(stamped_home(city, tmp_path, tsa)) as hub:
        later(hub, 90 * 24 * HOUR_S)
        await hub.connector().deliver([licence(1)])
        assert "checkpoint.stamped" not in await kinds(hub)


async def test_the_doctor_looks_at_the_stamps_of_the_log(
    city: Path, tmp_path: Path, tsa: TimeStampServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None yet; one that no reader of the trust file would believe; believed; too old."""
    home = stamped_home(city, tmp_path, tsa)
    config = load(home / "hub.toml")

    async def found() -> tuple[Mark, str]:
        (one,) = await asyncio.to_thread(lambda: list(_stamped_log(config)))
        return one.mark, one.detail.en

    assert await found() == (Mark.WARNING, "none for more than 7200 s")
    async with Simulator(home) as hub:
        await stamped(hub)
        assert await found() == (Mark.WARNING, "trust.json pins no anchor of the service")
        command = ["trust", "pin", str(home / "trust.json"), "--stamp", str(home / TSA_ANCHOR)]
        assert await asyncio.to_thread(run, command) == 0
        assert (await found())[0] is Mark.GOOD
    monkeypatch.setattr(doctor, "now_us", lambda: now_us() + 2 * HOUR_S * 1_000_000)
    assert (await found())[0] is Mark.WARNING


# -- Several hubs, and settings --------------------------------------------------------------------


@dataclass
class Slow:
    """A service that two ask before the first has its answer."""

    asked: int = 0

    def stamp(self, data: bytes) -> bytes:
        self.asked += 1
        time.sleep(0.05)
        return data


async def test_hubs_on_one_log_make_one_stamp_between_them(
    empty_database_url: str, tmp_path: Path
) -> None:
    """Two that are due at once; afterwards neither is, also not one that starts."""
    log = await new_log(empty_database_url, tmp_path)
    recorder = await log.started()
    await recorder.record(entry(), (), ())
    service = Slow()

    def hub(recorder: Recorder) -> CheckpointStamps:
        return CheckpointStamps(log.database, recorder, service, now_us, HOUR_S)

    one, two = hub(recorder), hub(recorder)
    try:
        await asyncio.gather(one.stamp_if_due(), two.stamp_if_due())

        assert service.asked == 2
        assert recorder.head().size == 3  # The entry, the evidence key's, and one stamp's.
        left = [await each.stamp_if_due() for each in (one, two, hub(recorder))]
        assert service.asked == 2
        assert all(HOUR_S - 60 < seconds <= HOUR_S for seconds in left)
        assert await log.database.one(LAST_STAMP, 1) is not None
    finally:
        await recorder.close()
        await log.database.close()


@pytest.mark.parametrize(
    ("ledger", "seal"),
    [
        ("stamp_age_max_s = 7200", ""),
        ("stamp_every_s = 3601\nstamp_age_max_s = 7200", "https://tsa.example/"),
        ("stamp_every_s = 0\nstamp_age_max_s = 7200", "https://tsa.example/"),
    ],
)
def test_a_limit_that_could_only_stop_the_hub_is_refused(
    tmp_path: Path, ledger: str, seal: str
) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(
        f'[hub]\norigin = "hub"\nregion = "330100"\n[ledger]\n{ledger}\n'
        f'[seal]\ntsa_url = "{seal}"\n'
    )

    with pytest.raises(HubError) as refused:
        load(file)

    assert refused.value.reason is Reason.CONFIG_INVALID
