"""Seals and the life of their keys."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.domain.seal_states import KeyState, SealState
from hub.errors import HubError, Reason
from tests.registry.office import AUTHORITY, USCC, Office, uscc

NAME = f"{AUTHORITY}/seals/main"


async def test_a_seal_is_active_with_its_chain(office: Office) -> None:
    """Made, certified, active until its certificate ends."""
    seal, key = await office.seals.get(NAME)

    assert key is not None
    assert (seal.state, key.state) == (SealState.ACTIVE, KeyState.ACTIVE)
    assert key.not_after_us is not None
    assert len(key.x509_chain) == 1


@pytest.mark.parametrize("wrong", ["key", "organisation", "anchor", "profile", "garbage"])
async def test_a_chain_that_is_not_the_seals_is_refused(
    office: Office, tmp_path: Path, wrong: str
) -> None:
    """Another key, another authority, another PKI, another profile, no certificate at all."""
    _, key = await office.seals.get(NAME)
    now = datetime.datetime.now(datetime.UTC)
    pki = office.pki
    if wrong == "anchor":
        pki = type(pki).init(tmp_path / "other", name="Other", now=now)
    if wrong == "garbage":
        chain: tuple[bytes, ...] = (b"garbage",)
    elif wrong == "profile":
        chain = pki.issue(
            "system-client",
            ec.generate_private_key(ec.SECP256R1()).public_key(),
            now=now,
            common_name="x",
        ).chain_der
    else:
        await office.seals.create(office.call(), AUTHORITY, "second", "章", lambda _: b"")
        _, second = await office.seals.get(f"{AUTHORITY}/seals/second")
        assert key is not None
        assert second is not None
        chain = pki.issue(
            "seal",
            key.x509_request if wrong == "anchor" else second.x509_request,
            now=now,
            common_name="second",
            organization="x",
            organization_identifier=uscc(3) if wrong == "organisation" else USCC,
        ).chain_der
    name = f"{AUTHORITY}/seals/second" if wrong == "organisation" else NAME

    with pytest.raises(HubError) as caught:
        await office.seals.activate(office.call(), name, chain, lambda _: b"")

    assert caught.value.reason is Reason.X509_UNTRUSTED


async def test_a_seal_exists_once_and_a_repeated_call_makes_no_second_key(office: Office) -> None:
    """The same call gives the first answer; another call for the same name is refused."""
    call = office.call()
    first = await office.seals.create(
        call, AUTHORITY, "other", "章", lambda v: v.seal.name.encode()
    )

    again = await office.seals.create(call, AUTHORITY, "other", "章", lambda _: b"")

    assert again == first
    with pytest.raises(HubError) as caught:
        await office.seals.create(office.call(), AUTHORITY, "other", "章", lambda _: b"")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    with pytest.raises(HubError) as caught:
        await office.seals.create(office.call(), "authorities/none", "other", "章", lambda _: b"")
    assert caught.value.reason is Reason.AUTHORITY_NOT_FOUND
