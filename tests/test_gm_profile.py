"""A whole hub of the profile `gm`: what it stores, what it signs, and that it stays what it is."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from hub.access.v1 import access_pb2
from hub.cli import doctor
from hub.config import load
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.exchange.v1 import exchange_pb2
from hub.home import open_keys
from hub.proof import sm2
from hub.proof.encoding import digest
from hub.proof.exchange.request import sign_request
from hub.proof.jose import Algorithm
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.recognise import peek
from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.storage.encryption import DATA_KEYS
from hub.storage.statements import question
from tests.simulator import (
    Refused,
    Simulator,
    by_identifier,
    company,
    copy_home,
    licence,
    make_home,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def home(gm_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_home(gm_city, tmp_path_factory.mktemp("gm") / "home")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(home: Path) -> AsyncIterator[Simulator]:
    async with Simulator(home) as simulator:
        await simulator.connector().deliver([licence(number) for number in range(1, 4)])
        yield simulator


async def test_data_keys_are_of_sm4_and_what_they_seal_comes_back(hub: Simulator) -> None:
    """A wrapped key of SM4 is 16 bytes between nonce and tag; a fetch by holder finds and opens."""
    rows = await hub.hub.database.all(question("keys", DATA_KEYS.select()))
    assert rows
    assert {len(bytes(row[1])) for row in rows} == {12 + 16 + 16}  # type: ignore[arg-type]

    fetched = await hub.platform().fetch(holder=company(1))

    assert fetched.states == ["active"]
    assert fetched.fields()["holder_number"] == company(1)


async def test_the_hubs_own_keys_lie_under_sm4(hub: Simulator, home: Path) -> None:
    """Every key file of the hub, and the PKCS#8 files of seals."""
    names = ("key-encryption", "holder-index", "log", "token", "status", "token-sm2", "status-sm2")
    files = sorted(path.name for path in (home / "keys").glob("*.key"))

    assert files == sorted(f"{name}.key" for name in names)
    for name in files:
        assert (home / "keys" / name).read_bytes().startswith(b"sealway-key-file/v1 sm4\n")
    seals = [path.read_bytes() for path in (home / "keys" / "seals").glob("*.key")]
    assert seals
    for pem in seals:
        assert sm2.is_by_sm4(base64.b64decode(b"".join(pem.splitlines()[1:-1])))


async def test_either_twin_of_an_access_token_is_accepted(hub: Simulator) -> None:
    """One payload, two keys; a damaged SM2 signature is refused as any other."""
    window = hub.platform()
    peer = window.hub.hub.tokens.directory.current
    thumbprint = next(mark for mark, one in peer.peers.items() if one.name == window.name)
    issued = hub.hub.tokens.create(thumbprint)

    assert issued.sm2_access_token.split(".")[1] == issued.access_token.split(".")[1]
    assert peek(issued.sm2_access_token, 0)["alg"] == Algorithm.SM2.value
    for token in (issued.access_token, issued.sm2_access_token):
        caller = hub.hub.tokens.authenticate(token, thumbprint)
        assert caller.name == window.name
    header, payload, signature = issued.sm2_access_token.split(".")
    es256 = issued.access_token.split(".")
    for wrong in (
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.{es256[2]}",
        f"{es256[0]}.{payload}.{signature}",
    ):
        with pytest.raises(HubError) as refused:
            hub.hub.tokens.authenticate(wrong, thumbprint)
        assert refused.value.reason is Reason.TOKEN_INVALID


async def test_an_sm2_status_list_decides_like_its_twin(hub: Simulator) -> None:
    """Both keys are in the trust file that `init` made; of a reader who pinned one, one counts."""
    fetched = await hub.platform().fetch(holder=company(2))
    text = fetched.response.certificates[0].presentation
    request = hub.platform().sent[fetched.response.request_id][0]
    lists, now = hub.hub.status_lists, int(time.time())
    es256, twin = await lists.token(1), await lists.sm2_token(1)
    assert es256.split(".")[1] == twin.split(".")[1]

    def judged(token: str, trust: Trust) -> tuple[Verdict, ProofReason | None]:
        evidence = Evidence(now, requests=(request,), status_tokens=(token,))
        report = verify(text.encode(), Kind.PRESENTATION, trust, evidence)
        steps = (StepName.STATUS, StepName.STATUS_LIST)
        step = [one for one in report.steps if one.name in steps][-1]
        return step.verdict, step.reason

    assert judged(twin, hub.trust) == judged(es256, hub.trust) == (Verdict.VALID, None)
    one = dataclasses.replace(hub.trust, status_keys=hub.trust.status_keys[:1])
    assert judged(es256, one) == (Verdict.VALID, None)
    assert judged(twin, one) == (Verdict.CANNOT_CHECK, ProofReason.KEY_UNKNOWN)


async def test_a_reader_may_demand_sm2_from_token_to_status(hub: Simulator) -> None:
    """The request hangs on the SM2 token, the record carries its twin, the list is the SM2 one and
    its ES256 key is pinned by nobody: everything holds, and the ES256 seal alone is not enough."""
    delivered = await hub.connector().deliver([licence(9)])
    identifier = delivered.results[0].identifier
    window = hub.platform()
    access = await window.access.CreateToken(access_pb2.CreateTokenRequest(), timeout=10)
    claims = await window.claims(
        ath=digest(access.sm2_access_token), certificates=(by_identifier(identifier),)
    )
    data = await window.send_raw(
        sign_request(claims, window.signer),
        claims.jti,
        token=access.sm2_access_token,
        with_sm2_twin=True,
    )
    (given,) = exchange_pb2.FetchCertificatesResponse.FromString(data).certificates
    trust = dataclasses.replace(
        hub.trust,
        status_keys=tuple(one for one in hub.trust.status_keys if isinstance(one, sm2.PublicKey)),
    )
    evidence = Evidence(
        int(time.time()),
        requests=tuple(window.sent[claims.jti]),
        status_tokens=(await hub.hub.status_lists.sm2_token(1),),
        required=Algorithm.SM2,
    )

    def judged(text: str, twin: str | None) -> Report:
        given = dataclasses.replace(evidence, twin=twin)
        return verify(text.encode(), Kind.PRESENTATION, trust, given)

    with_twin = judged(given.presentation, given.sm2_presentation)
    alone = judged(given.presentation, None)

    assert (with_twin.verdict, with_twin.reason) == (Verdict.VALID, None)
    assert alone.verdict is Verdict.CANNOT_CHECK


async def test_no_record_is_sealed_without_its_twin(hub: Simulator, home: Path) -> None:
    """A seal whose SM2 key has ended seals nothing until the next one is in force; the doctor says
    which."""
    config = load(home / "hub.toml")
    zhao, seal = hub.officer(), "authorities/hz-market/seals/main"
    (key,) = await hub.hub.seals.keys.in_force(seal, KeyUse.RECORD, KeyAlgorithm.SM2)
    await zhao.carry_out("key.retire", {"key": key.name, "cause": "its time is over"})

    with pytest.raises(Refused) as refused:
        await hub.connector().deliver([licence(10)])

    assert refused.value.reason == "KEY_NOT_ACTIVE"
    assert refused.value.details["algorithm"] == "SM2"
    found = await asyncio.to_thread(doctor._national_keys, config)
    assert (found.mark, found.detail.en) == (doctor.Mark.FAULT, f"missing: {seal} record:SM2")
    wanted = {"seal": seal, "use": "record", "algorithm": "SM2"}
    made = await zhao.carry_out("key.generate", wanted)
    chain = hub.chain_for(made)
    await zhao.carry_out("key.activate", {"key": made["key"], "x509_chain": chain})
    await hub.connector().deliver([licence(10)])
    assert (await asyncio.to_thread(doctor._national_keys, config)).mark is doctor.Mark.GOOD


async def test_both_status_lists_are_served(hub: Simulator) -> None:
    """`?alg=sm2` over HTTP; another name is refused."""
    base = f"http://127.0.0.1:{hub.hub.http_port}/status/1"
    async with httpx.AsyncClient() as client:
        es256, twin, other = [
            await client.get(base, params=params)
            for params in ({}, {"alg": "sm2"}, {"alg": "none"})
        ]

    assert peek(es256.text, 0)["alg"] == Algorithm.ES256.value
    assert peek(twin.text, 0)["alg"] == Algorithm.SM2.value
    assert twin.headers["content-type"] == "application/statuslist+jwt"
    assert other.status_code == 400


async def test_a_request_hangs_on_the_token_that_is_sent(hub: Simulator) -> None:
    """`ath` is the digest of that twin; a request made with the other is refused."""
    window = hub.platform()
    answer = await window.access.CreateToken(access_pb2.CreateTokenRequest(), timeout=10)
    right = await window.claims(ath=digest(answer.sm2_access_token))
    wrong = await window.claims(ath=digest(answer.access_token))

    answered = await window.send(
        sign_request(right, window.signer), right.jti, token=answer.sm2_access_token
    )

    assert len(answered.certificates) == 1
    with pytest.raises(Refused) as refused:
        await window.send(
            sign_request(wrong, window.signer), wrong.jti, token=answer.sm2_access_token
        )
    assert refused.value.reason == "REQUEST_INVALID"


async def test_a_profile_never_changes(hub: Simulator, home: Path, tmp_path: Path) -> None:
    """Another word in the configuration opens nothing, and says why; `init` refuses it as well."""
    copy = copy_home(home, tmp_path / "home")
    config = load(copy / "hub.toml")
    assert config.crypto.profile is CryptoProfile.GM
    assert open_keys(config).token_twin is not None
    file = copy / "hub.toml"
    file.write_text(file.read_text().replace('profile = "gm"', 'profile = "international"'))

    with pytest.raises(HubError) as refused:
        open_keys(load(file))

    assert refused.value.reason is Reason.FILE_UNREADABLE
    assert "of the profile gm" in str(refused.value.details["rule"])


async def test_the_doctor_shows_the_profile(
    hub: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And finds a fault where the library that is installed has no SM4."""
    config = load(home / "hub.toml")

    found = doctor._profile(config)
    monkeypatch.setattr(doctor, "has_sm4", lambda: False)
    without = doctor._profile(config)

    assert (found.mark, found.detail.en) == (doctor.Mark.GOOD, "gm: SM4-GCM, HMAC-SM3")
    assert without.mark is doctor.Mark.FAULT


async def test_init_keeps_the_profile(hub: Simulator, home: Path, tmp_path: Path) -> None:
    """A second run with the other word is wrong usage, and touches nothing."""
    copy = copy_home(home, tmp_path / "home")
    before = (copy / "hub.toml").read_bytes()

    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="ended with 64"):
        pool.submit(make_home, copy, "--crypto", "international").result()

    assert (copy / "hub.toml").read_bytes() == before
