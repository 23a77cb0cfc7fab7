"""Secrets, tokens and bounds by themselves, on a clock that the tests move."""

from __future__ import annotations

import json
import ssl
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from certs.pki import Pki
from certs.server import server_key_and_cert
from connectors.facade import accounts as module
from connectors.facade.accounts import Accounts, hash_secret, new_secret
from connectors.facade.codes import DIALECTS, RESULT_TEXTS, RESULTS, FacadeRefusedError, Kind
from connectors.facade.config import Account, FacadeConfig, load_facade
from hub.errors import HubError
from hub.proof.log.note import KeyType, VerifierKey
from tests.facade.conftest import SECRET, FacadeProcess, Portal, holder, write_config
from tests.hub_process import HubProcess, free_port
from tests.simulator import BASIS, ITEM, LICENCE

HERE = "127.0.0.1"
KEPT = hash_secret(SECRET, bytes(16))


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def account(name: str = "portal", **changes: Any) -> Account:
    members = {
        "id": name,
        "app_key": name,
        "secret": KEPT,
        "networks": ["127.0.0.0/8"],
        "operations": ["queryCertInfo"],
        "types": {LICENCE: ["name"]},
        "items": [ITEM],
        "basis": BASIS,
    }
    return Account.model_validate({**members, **changes})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(clock: Clock) -> Accounts:
    return Accounts([account(), account("other")], 60, clock)


def refused(accounts: Accounts, token: str, *, key: str = "portal", peer: str = HERE) -> str:
    """The reason why `token` is not taken."""
    with pytest.raises(FacadeRefusedError) as caught:
        accounts.check_token(key, token, peer)
    return caught.value.reason


def test_a_token_ends_by_the_clock_and_cannot_be_used_again(
    accounts: Accounts, clock: Clock
) -> None:
    """One second before it is good, then it is gone."""
    token = accounts.new_token(accounts.check_secret("portal", SECRET, HERE), HERE)
    clock.now = 59
    assert accounts.check_token("portal", token, HERE).id == "portal"

    clock.now = 60

    assert refused(accounts, token) == "TOKEN_EXPIRED"
    assert refused(accounts, token) == "TOKEN_REFUSED"


def test_a_token_is_bound_to_its_address_and_key(accounts: Accounts) -> None:
    """Replayed from elsewhere, or under another name, it is nothing."""
    token = accounts.new_token(accounts.check_secret("portal", SECRET, HERE), HERE)

    assert refused(accounts, token, peer="127.0.0.2") == "TOKEN_REFUSED"
    assert refused(accounts, token, key="other") == "TOKEN_REFUSED"
    assert refused(accounts, token[:-1] + "!") == "TOKEN_REFUSED"


def test_an_account_keeps_eight_tokens_and_the_store_is_bounded(accounts: Accounts) -> None:
    """The oldest of an account ends with its ninth; others are not touched."""
    mine = accounts.check_secret("portal", SECRET, HERE)
    others = accounts.new_token(accounts.check_secret("other", SECRET, HERE), HERE)
    tokens = [accounts.new_token(mine, HERE) for _ in range(9)]

    assert refused(accounts, tokens[0]) == "TOKEN_REFUSED"
    assert accounts.check_token("portal", tokens[1], HERE) is mine
    assert accounts.check_token("other", others, HERE).id == "other"
    assert len(accounts._tokens) == 9


def test_ten_wrong_secrets_close_the_door_for_five_minutes(
    accounts: Accounts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For that address, even with the right one; then it opens again."""
    for number in range(10):
        with pytest.raises(FacadeRefusedError) as wrong:
            accounts.check_secret("portal", f"guess {number}", HERE)
        assert wrong.value.reason == "ACCOUNT_REFUSED"

    with pytest.raises(FacadeRefusedError) as closed:
        accounts.check_secret("portal", SECRET, HERE)
    assert closed.value.kind is Kind.LIMITED
    assert accounts.check_secret("portal", SECRET, "127.0.0.9").id == "portal"
    clock.now = 300

    assert accounts.check_secret("portal", SECRET, HERE).id == "portal"
    monkeypatch.setattr(module, "PEERS_MAX", 3)
    for number in range(10):
        with pytest.raises(FacadeRefusedError):
            accounts.check_secret("nobody", "x", f"192.0.2.{number}")
    assert len(accounts._failures) == 3


def test_calls_are_counted_by_the_minute(clock: Clock) -> None:
    """The third of two is refused, and the next minute begins anew."""
    small = account(calls_per_minute_max=2)
    accounts = Accounts([small], 60, clock)
    accounts.count_call(small)
    accounts.count_call(small)

    with pytest.raises(FacadeRefusedError):
        accounts.count_call(small)

    clock.now = 60
    accounts.count_call(small)


def test_a_secret_is_kept_as_a_salted_hash_only() -> None:
    """Two of the same secret differ; neither shows it."""
    secret, kept = new_secret()

    assert secret not in kept
    assert hash_secret(secret, bytes(16)) != hash_secret(secret, b"\x01" * 16)
    assert kept not in repr(account(secret=kept))


# -- Configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"operations": ["getEverything"]}, "operations"),
        ({"operations": []}, "operations"),
        ({"networks": []}, "networks"),
        ({"networks": ["everywhere"]}, "networks"),
        ({"types": {"X": ["name"]}}, "types"),
        ({"types": {LICENCE: []}}, "types"),
        ({"items": []}, "items"),
        ({"id": "Portal"}, "id"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_an_account_that_says_too_little_or_too_much_is_refused(
    changes: dict[str, Any], named: str
) -> None:
    """Nothing is allowed by being left out."""
    with pytest.raises(ValidationError, match=named):
        account(**changes)


@pytest.mark.parametrize(
    "section",
    [
        {"address": "0.0.0.0:7490"},
        {"address": "facade.example:7490"},
        {"certificate": "server.pem"},
        {"dialect": "other"},
        {"token_lifetime_s": 7201},
    ],
)
def test_a_facade_without_tls_listens_on_loopback_only(section: dict[str, Any]) -> None:
    """And the other rules of the section."""
    with pytest.raises(ValidationError):
        FacadeConfig.model_validate({"facade": section, "accounts": [account()]})


def test_two_accounts_never_share_a_key() -> None:
    """Else one would be told as the other."""
    with pytest.raises(ValidationError, match="app_key"):
        FacadeConfig.model_validate({"accounts": [account(), account("other", app_key="portal")]})


def test_every_kind_has_a_code_in_every_dialect() -> None:
    """Only success is 0, and every result has a code and a sentence."""
    for codes in DIALECTS.values():
        assert set(codes) == set(Kind)
        assert [kind for kind, code in codes.items() if code == 0] == [Kind.OK]
    assert set(RESULTS) == set(RESULT_TEXTS)


# -- Around a real hub -----------------------------------------------------------------------------


def test_over_tls_with_other_codes_and_addresses(hub_process: HubProcess, tmp_path: Path) -> None:
    """The dialect, single codes, results and addresses are the deployment's to choose."""
    port = free_port()
    pki = Pki.open(hub_process.home / "pki")
    server_key_and_cert(
        pki,
        tmp_path,
        now=datetime.now(UTC),
        common_name="facade.test.example",
        dns_names=("localhost",),
    )
    file = write_config(
        tmp_path / "facade.toml",
        hub_process.profile("systems/window-1"),
        port,
        certificate="server.pem",
        key="server.key",
        dialect="real-estate",
    )
    text = file.read_text().replace(
        "[[accounts]]",
        '[facade.paths]\n"/api/verify" = "verifyCertInfo"\n[facade.results]\nnot_confirmed = 6\n'
        "[facade.statuses]\nabsent = 77\n[[accounts]]",
        1,
    )
    file.write_text(text)
    process = FacadeProcess(file, port)
    process.start()
    try:
        context = ssl.create_default_context(cadata=pki.tls_anchor_pem.decode())

        def post(path: str, token: str = "", **data: Any) -> dict[str, Any]:
            envelope = {"head": {"accessId": "portal", "accessToken": token}, "data": data}
            request = urllib.request.Request(
                f"https://localhost:{port}{path}", json.dumps(envelope).encode(), method="POST"
            )
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return dict(json.loads(answer.read()))

        token = post("/getToken", appKey="portal", appSecret=SECRET)["data"]["accessToken"]
        cause = {
            "certificateSystemName": "s",
            "certificateCallCategory": "0",
            "certificateEventCode": ITEM,
            "certificateCopyCause": "c",
        }
        # Purpose and values as text, the way some callers send them.
        stated = json.dumps({"name": "另一家"})
        verified = post(
            "/api/verify", token, **holder(2), certData=stated, useCause=json.dumps(cause)
        )
        absent = post("/queryCertInfoByHolderCode", token, **holder(90), useCause=cause)
        nothing = post("/queryCertInfo", token, certIdentifier="x")

        assert verified["data"]["result"] == 6
        assert absent["head"]["status"] == 77
        assert nothing["head"]["status"] == 5
    finally:
        process.stop()


def test_a_hub_that_is_away_is_a_timeout_to_callers(
    hub_process: HubProcess, tmp_path: Path
) -> None:
    """Its address is not told; the facade itself goes on."""
    profile = hub_process.profile("systems/window-1")
    text = profile.read_text()
    away = profile.with_name("away.toml")
    away.write_text(text.replace(f":{hub_process.port}", f":{free_port()}"))
    port = free_port()
    process = FacadeProcess(write_config(tmp_path / "facade.toml", away, port), port)
    process.start()
    try:
        answer = Portal(process).call("queryCertInfoByHolderCode", **holder(1))

        assert answer["head"]["status"] == 902
        assert answer["head"]["reason"] == "HUB_UNAVAILABLE"
        assert "127.0.0.1" not in json.dumps(answer)
    finally:
        process.stop()


def test_an_answer_that_does_not_verify_is_not_handed_on(
    hub_process: HubProcess, tmp_path: Path
) -> None:
    """With the key of another log pinned, the hub's receipts prove nothing."""
    profile = hub_process.profile("systems/window-1")
    other = json.loads(profile.with_name("trust.json").read_text())
    strange = VerifierKey(
        other["origin"], KeyType.LOG, Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    )
    other["log_keys"] = [strange.text()]
    (tmp_path / "trust.json").write_text(json.dumps(other))
    one = profile.with_name("other.toml")
    pinned = json.dumps(str(tmp_path / "trust.json"))
    one.write_text(profile.read_text().replace('"trust.json"', pinned))
    port = free_port()
    process = FacadeProcess(write_config(tmp_path / "facade.toml", one, port), port)
    process.start()
    try:
        answer = Portal(process).call("queryCertInfoByHolderCode", **holder(1))

        assert answer["head"]["status"] == 900
        assert answer["data"] == {}
        assert "杭州示例1" not in json.dumps(answer, ensure_ascii=False)
    finally:
        process.stop()


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Every wrong field at once."""
    file = tmp_path / "facade.toml"
    file.write_text("[facade]\naddress = 7\nmore = 1\n")

    with pytest.raises(HubError) as wrong:
        load_facade(file)

    for field in ("facade.address", "facade.more", "accounts"):
        assert field in str(wrong.value)
