"""Key files, the table of algorithms; seals and their chains. See `contracts/test_key_homes`."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.config import parse
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import SEALING_DAYS, KeyAlgorithm, KeyUse, SealingDays
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.jose import thumbprint
from hub.seal.algorithms import AlgorithmTable, Subject
from hub.seal.homes.files import KeyFiles
from hub.seal.key_operations import GenerateKey
from tests.registry.office import AUTHORITY, OFFICERS, USCC, Office, licence

NAME = f"{AUTHORITY}/seals/main"
ES256 = KeyAlgorithm.ES256
SUBJECT = Subject("印章", "市场监督管理局", USCC)


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("sixteen characters or more")
    return KeyFiles(tmp_path / "keys", passphrase)


def made(files: KeyFiles, use: KeyUse = KeyUse.RECORD) -> str:
    return files.create(ES256, use, SUBJECT).public.kid


@pytest.mark.parametrize("profile", list(CryptoProfile), ids=str)
def test_a_key_rests_encrypted(files: KeyFiles, profile: CryptoProfile) -> None:
    """Mode 0600, an encrypted PKCS#8 text that OpenSSL opens with the passphrase, for every use; in
    the profile `gm` under SM4. A home of the other profile opens it too."""
    other, files = files, dataclasses.replace(files, profile=profile)
    for algorithm, use, name in (
        (ES256, KeyUse.RECORD, "seal"),
        (KeyAlgorithm.ES384, KeyUse.PDF, "pdf"),
        (KeyAlgorithm.ED25519, KeyUse.PDF, "pdf"),
        (KeyAlgorithm.PS256, KeyUse.PDF, "pdf"),
        (KeyAlgorithm.SM2, KeyUse.OFD, "ofd"),
        (KeyAlgorithm.SM2, KeyUse.MAKER, "maker"),
    ):
        kid = files.create(algorithm, use, SUBJECT).public.kid
        path = files.folder / f"{name}-{kid}.key"

        command = ["openssl", "pkey", "-in", path, "-passin", f"file:{files.passphrase_file}"]
        subprocess.run([*command, "-noout"], check=True, capture_output=True)

        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        der = base64.b64decode(b"".join(path.read_bytes().splitlines()[1:-1]))
        assert sm2.is_by_sm4(der) is (profile is CryptoProfile.GM)
        assert other.open(kid, algorithm, use, ()).kid == kid


def test_a_key_file_of_an_earlier_release_opens(files: KeyFiles) -> None:
    """What `cryptography` wrote as PEM under the passphrase."""
    private = ec.generate_private_key(ec.SECP256R1())
    kid = thumbprint(private.public_key())
    encryption = serialization.BestAvailableEncryption(b"sixteen characters or more")
    path = files.folder / f"seal-{kid}.key"
    files.folder.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
    )

    assert files.open(kid, ES256, KeyUse.RECORD, ()).kid == kid


def test_a_key_open_to_others_is_not_used(files: KeyFiles) -> None:
    """Neither the key's file nor the passphrase's may be readable by others."""
    kid = made(files)
    path = files.folder / f"seal-{kid}.key"
    for secret in (path, files.passphrase_file):
        secret.chmod(0o640)
        for attempt in (lambda: files.open(kid, ES256, KeyUse.RECORD, ()), files.health):
            with pytest.raises(HubError) as caught:
                attempt()
            assert caught.value.reason is Reason.KEY_UNAVAILABLE
        secret.chmod(0o600)
    files.passphrase_file.write_text("another passphrase altogether")
    with pytest.raises(HubError) as caught:
        files.open(kid, ES256, KeyUse.RECORD, ())
    assert caught.value.reason is Reason.KEY_UNAVAILABLE


@pytest.mark.parametrize("damage", [b"", b"garbage", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"])
def test_a_damaged_key_file_is_unavailable(files: KeyFiles, damage: bytes) -> None:
    """No parser error escapes."""
    for algorithm in (ES256, KeyAlgorithm.SM2):
        kid = files.create(algorithm, KeyUse.RECORD, SUBJECT).public.kid
        path = files.folder / f"seal-{kid}.key"
        path.write_bytes(damage + b"-----END ENCRYPTED PRIVATE KEY-----\n")

        with pytest.raises(HubError) as caught:
            files.open(kid, algorithm, KeyUse.RECORD, ())

        assert caught.value.reason is Reason.KEY_UNAVAILABLE


def us(day: datetime.date, hour: int = 12) -> int:
    china = datetime.timezone(datetime.timedelta(hours=8))
    moment = datetime.datetime.combine(day, datetime.time(hour), china)
    return int(moment.timestamp()) * 1_000_000


def test_an_algorithm_seals_from_its_first_day_to_its_last() -> None:
    """Days of China, both included; no end where none is known."""
    table = AlgorithmTable(SEALING_DAYS | {ES256: SealingDays.parse("2026-03-01/2026-11-30")})
    for day in (datetime.date(2026, 3, 1), datetime.date(2026, 11, 30)):
        table.check(ES256, us(day, 0))
        table.check(ES256, us(day, 23))
    for day in (datetime.date(2026, 2, 28), datetime.date(2026, 12, 1)):
        with pytest.raises(HubError) as caught:
            table.check(ES256, us(day))
        assert caught.value.reason is Reason.ALGORITHM_RETIRED
        assert caught.value.details["algorithm"] == "ES256"
    table.check(KeyAlgorithm.SM2, us(datetime.date(2099, 1, 1)))
    with pytest.raises(HubError):
        table.check(KeyAlgorithm.PS256, us(datetime.date(2036, 1, 1)))


@pytest.mark.parametrize("text", ["2026-02-30/..", "2026-01-02/2026-01-01", "2026-01-01", "x/y"])
def test_days_that_do_not_exist_refuse_the_configuration(text: str) -> None:
    """The field is named."""
    file = f'[hub]\norigin = "h.example"\nregion = "330100"\n[seal.algorithms]\nSM2 = "{text}"\n'
    with pytest.raises(HubError) as caught:
        parse(file, Path("hub.toml"))

    assert caught.value.reason is Reason.CONFIG_INVALID
    assert caught.value.details["rule"] == "seal.algorithms.SM2"


async def test_a_retired_algorithm_makes_no_key_and_no_seal(office: Office) -> None:
    """The table decides when the key is made and when each batch is sealed; the rest stays."""
    for officer in OFFICERS[1:]:
        if officer is OFFICERS[1]:
            await office.propose()
        await office.decide(officer, "intents/licences")
    await office.deliver([licence(1)])
    retired = AlgorithmTable(SEALING_DAYS | {ES256: SealingDays.parse("2026-01-01/2026-01-31")})
    keys = dataclasses.replace(office.record_seals.keys, algorithms=retired)
    members = {"use": "pdf", "algorithm": "ES256", "seal": f"{AUTHORITY}/seals/main"}
    approved = await office.approved("key.generate", members)
    operation = office.intents.operations["key.generate"]
    assert isinstance(operation, GenerateKey)
    object.__setattr__(operation.maker, "keys", keys)
    object.__setattr__(office.record_seals, "keys", keys)

    with pytest.raises(HubError) as made_none:
        await office.execute(approved)
    with pytest.raises(HubError) as sealed_none:
        await office.deliver([licence(2)])

    assert made_none.value.reason is sealed_none.value.reason is Reason.ALGORITHM_RETIRED
    assert await office.count("seal_signatures") == 1
