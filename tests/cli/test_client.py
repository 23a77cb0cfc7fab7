"""The client's channel, token and repetition, seen from the hub."""

from __future__ import annotations

import pytest

from connectors import client as client_module
from connectors.client import HubClient, HubRefusedError
from connectors.profile import load_profile
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.errors import HubError, Reason
from tests.cli.conftest import Sealway
from tests.cli.loopback import Loopback


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PAUSES_S", (0.0, 0.0, 0.0))


def test_an_unavailable_write_is_repeated_under_the_same_request_id(
    hub: Loopback, sealway: Sealway
) -> None:
    """A repetition has one effect, so the id must not change."""
    profile = hub.profile("officer", "wang")
    hub.refuse("CreateAuthority", HubError(Reason.LOG_UNAVAILABLE), times=2)

    ran = sealway(*_add_authority(), "--profile", profile)

    assert ran.code == 0
    ids = [call.request_id for call in hub.calls["CreateAuthority"]]
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_repetition_is_bounded_and_says_how_to_go_on(hub: Loopback, sealway: Sealway) -> None:
    """After four attempts it ends in 7 and names the id to repeat under."""
    profile = hub.profile("officer", "wang")
    hub.refuse("CreateAuthority", HubError(Reason.LOG_UNAVAILABLE), times=9)

    ran = sealway(*_add_authority(), "--profile", profile)

    assert ran.code == 7
    assert len(hub.calls["CreateAuthority"]) == 4
    assert f"--request-id {hub.calls['CreateAuthority'][0].request_id}" in ran.out


def test_a_refusal_is_not_repeated(hub: Loopback, sealway: Sealway) -> None:
    """What the hub decided stays decided."""
    profile = hub.profile("officer", "wang")
    hub.refuse("CreateAuthority", HubError(Reason.ROLE_NOT_ALLOWED))

    ran = sealway(*_add_authority(), "--profile", profile)

    assert ran.code == 1
    assert len(hub.calls["CreateAuthority"]) == 1


def test_a_wait_longer_than_we_wait_is_told_and_not_slept(hub: Loopback, sealway: Sealway) -> None:
    """The hub asked for a minute: the person decides."""
    profile = hub.profile("officer", "wang")
    hub.refuse("ListAuthorities", HubError(Reason.RATE_LIMITED, retry_after_s=60))

    ran = sealway("authority", "list", "--profile", profile)

    assert ran.code == 1
    assert "wait 60 s" in ran.err
    assert len(hub.calls["ListAuthorities"]) == 1


def test_a_token_that_was_revoked_is_replaced_once(hub: Loopback) -> None:
    """A changed generation costs one more token, and never a loop."""
    hub.refuse("ListAuthorities", HubError(Reason.TOKEN_REVOKED), times=3)
    with HubClient(load_profile(hub.profile("officer", "wang"))) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)

        with pytest.raises(HubRefusedError) as refused:
            client.call(stub.ListAuthorities, access_pb2.ListAuthoritiesRequest())

    assert refused.value.reason is Reason.TOKEN_REVOKED
    assert len(hub.tokens) == 2


@pytest.mark.parametrize(("life_s", "tokens"), [(600, 1), (30, 3)])
def test_a_token_is_renewed_before_a_call_could_outlive_it(
    hub: Loopback, life_s: int, tokens: int
) -> None:
    """One token while it lasts; another as soon as a call could outlive it."""
    hub.token_life_s = life_s
    with HubClient(load_profile(hub.profile("officer", "wang"))) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)

        for _ in range(3):
            client.call(stub.ListAuthorities, access_pb2.ListAuthoritiesRequest())

    assert len(hub.tokens) == tokens


def test_a_list_gathers_every_page_into_one_document(hub: Loopback, sealway: Sealway) -> None:
    """2,500 authorities are three pages and one answer."""
    profile = hub.profile("officer", "wang")
    hub.authorities = [access_pb2.Authority(name=f"authorities/a{n}") for n in range(2500)]

    ran = sealway("authority", "list", "--profile", profile, "--json")

    assert ran.code == 0
    names = [item["name"] for item in ran.document["authorities"]]
    assert names == [item.name for item in hub.authorities]
    assert [call.page_size for call in hub.calls["ListAuthorities"]] == [1000] * 3


def test_a_receipt_is_kept_byte_for_byte(hub: Loopback, sealway: Sealway) -> None:
    """What proves the write is what the hub sent, not what we would write."""
    profile = hub.profile("officer", "wang")
    file = hub.folder / "receipt.json"

    ran = sealway(*_add_authority(), "--profile", profile, "--receipt", file, "--json")

    assert ran.code == 0
    assert file.read_text() == ran.document["receipt"]
    assert ran.document["name"] == "authorities/market"


def _add_authority() -> tuple[str, ...]:
    return (
        *("authority", "add", "market", "--uscc", "113301000025123419", "--title", "市场监管局"),
        *("--region", "330100", "--level", "3", "--since", "2019-01-01"),
    )


@pytest.mark.parametrize("address", ["127.0.0.1:65536", "[::1]:99999", "hub:" + "9" * 5_000])
def test_a_profile_with_a_port_that_is_none_says_so(
    hub: Loopback, sealway: Sealway, address: str
) -> None:
    """gRPC would take 65536 for 0: whoever mistypes would be told of a refused connection."""
    profile = hub.profile("officer", "wang")
    lines = profile.read_text().splitlines()
    text = "\n".join(
        f'address = "{address}"' if line.startswith("address") else line for line in lines
    )
    profile.write_text(text)

    ran = sealway(*_add_authority(), "--profile", profile)

    assert ran.code != 0
    assert "[hub] address has a port above 65535" in ran.err
