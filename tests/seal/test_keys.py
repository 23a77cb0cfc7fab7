"""Seal keys: made here, kept encrypted, used for one format; seals and their chains."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, emit_json
from hub.proof.jose import (
    APPROVAL_TYP,
    SEAL_TYP,
    STATUS_TYP,
    Algorithm,
    RegisteredKey,
    verify_signature,
)
from hub.seal.keys import SIGNED_BYTES_MAX, FileKey, KeyFiles, header_segment
from hub.seal.store import SealState
from tests.registry.office import AUTHORITY, USCC, Office, uscc

NAME = f"{AUTHORITY}/seals/main"


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("sixteen characters or more")
    return KeyFiles(tmp_path / "keys", passphrase)


def made(files: KeyFiles) -> FileKey:
    kid, _ = files.create("印章", USCC, "市场监督管理局")
    return files.open(kid, (b"chain",))


def test_a_key_rests_encrypted_and_is_opened_again(files: KeyFiles) -> None:
    """Mode 0600, an encrypted PKCS#8 text, and nothing of it in a repr."""
    key = made(files)

    (path,) = files.folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert repr(key) == f"FileKey({key.kid!r})"


def test_the_request_proves_the_key_and_names_the_authority(files: KeyFiles) -> None:
    """PKCS#10 with organizationIdentifier = credit code, signed by the new key."""
    _, der = files.create("印章", USCC, "市场监督管理局")

    request = x509.load_der_x509_csr(der)

    assert request.is_signature_valid
    (organisation,) = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    assert organisation.value == USCC


def test_a_key_open_to_others_is_not_used(files: KeyFiles) -> None:
    """Neither the key's file nor the passphrase's may be readable by others."""
    kid, _ = files.create("印章", USCC, "市场监督管理局")
    path = files.folder / f"seal-{kid}.key"
    for secret in (path, files.passphrase_file):
        secret.chmod(0o640)
        with pytest.raises(HubError) as caught:
            files.open(kid, ())
        assert caught.value.reason is Reason.KEY_UNAVAILABLE
        secret.chmod(0o600)
    files.passphrase_file.write_text("another passphrase altogether")
    with pytest.raises(HubError) as caught:
        files.open(kid, ())
    assert caught.value.reason is Reason.KEY_UNAVAILABLE


def test_a_key_signs_its_one_format_only(files: KeyFiles) -> None:
    """No digest, no approval, no status list, no header with another chain or member."""
    key = made(files)
    header = header_segment(key)
    members = {"alg": "ES256", "typ": SEAL_TYP, "kid": key.kid, "x5c": []}

    signature = key.sign(f"{header}.e30".encode(), SEAL_TYP)

    registered = RegisteredKey(key.kid, Algorithm.ES256, SEAL_TYP, "", key._private.public_key())
    verify_signature(registered, f"{header}.e30".encode(), signature, low_s=True)
    for data, format in (
        (bytes(32), SEAL_TYP),
        (f"{header}.e30".encode(), APPROVAL_TYP),
        (f"{header}.e30".encode(), STATUS_TYP),
        (f"{b64u(emit_json(dict(members)))}.e30".encode(), SEAL_TYP),
        (f"{b64u(emit_json({'alg': 'ES256', 'typ': APPROVAL_TYP}))}.e30".encode(), SEAL_TYP),
        (f"{header}.{'A' * SIGNED_BYTES_MAX}".encode(), SEAL_TYP),
    ):
        with pytest.raises(HubError) as caught:
            key.sign(data, format)
        assert caught.value.reason is Reason.KEY_USAGE_REFUSED


async def test_a_seal_is_active_with_its_chain(office: Office) -> None:
    """Made, certified, active until its certificate ends."""
    seal = await office.seals.get(NAME)

    assert seal.state is SealState.ACTIVE
    assert seal.expire_time_us is not None
    assert len(seal.x509_chain) == 1


@pytest.mark.parametrize("wrong", ["key", "organisation", "anchor", "profile", "garbage"])
async def test_a_chain_that_is_not_the_seals_is_refused(
    office: Office, tmp_path: Path, wrong: str
) -> None:
    """Another key, another authority, another PKI, another profile, no certificate at all."""
    seal = await office.seals.get(NAME)
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
        second = await office.seals.get(f"{AUTHORITY}/seals/second")
        chain = pki.issue(
            "seal",
            seal.x509_request if wrong == "anchor" else second.x509_request,
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
    first = await office.seals.create(call, AUTHORITY, "other", "章", lambda s: s.key_id.encode())

    again = await office.seals.create(call, AUTHORITY, "other", "章", lambda _: b"")

    assert again == first
    with pytest.raises(HubError) as caught:
        await office.seals.create(office.call(), AUTHORITY, "other", "章", lambda _: b"")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    with pytest.raises(HubError) as caught:
        await office.seals.create(office.call(), "authorities/none", "other", "章", lambda _: b"")
    assert caught.value.reason is Reason.AUTHORITY_NOT_FOUND
