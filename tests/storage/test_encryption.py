"""Keys at rest, data keys, holder index, page tokens."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.domain.crypto import CryptoProfile
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.proof.sm2 import sm3
from hub.storage import key_files
from hub.storage.aead import KEY_BYTES, aead
from hub.storage.database import Transaction, open_database
from hub.storage.encryption import DATA_KEYS, DataKeys, Keyring
from hub.storage.key_files import read_key_file, write_key_file
from hub.storage.paging import PageTokens, page_size
from tests.ledger.logs import create_tables

PROFILES = list(CryptoProfile)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_key_file_opens_only_for_its_purpose_and_passphrase(
    tmp_path: Path, profile: CryptoProfile
) -> None:
    """A key moved into the place of another is refused, and so is a damaged one."""
    path = tmp_path / "keys" / "a.key"
    write_key_file(path, b"secret", purpose="a", passphrase=b"pass", profile=profile)

    assert read_key_file(path, purpose="a", passphrase=b"pass") == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"secret" not in path.read_bytes()
    for purpose, passphrase in (("b", b"pass"), ("a", b"other")):
        with pytest.raises(HubError) as error:
            read_key_file(path, purpose=purpose, passphrase=passphrase)
        assert error.value.reason is Reason.FILE_UNREADABLE
    with pytest.raises(HubError) as exists:
        write_key_file(path, b"x", purpose="a", passphrase=b"pass")
    assert exists.value.reason is Reason.KEY_FILE_EXISTS


def test_in_gm_a_key_file_is_under_sm4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line says so and is authenticated; without SM4 it is neither written nor read."""
    path, other = tmp_path / "a.key", tmp_path / "b.key"
    gm = CryptoProfile.GM
    write_key_file(path, b"secret", purpose="a", passphrase=b"pass", profile=gm)
    data = path.read_bytes()
    line, rest = data.split(b"\n", 1)
    derived = Scrypt(salt=rest[:16], length=16, n=2**15, r=8, p=1).derive(b"pass")

    assert line == b"sealway-key-file/v1 sm4"
    opened = aead(derived).decrypt(rest[16:28], rest[28:], line + b"\na")
    assert opened == b"secret"
    path.write_bytes(data.replace(b" sm4\n", b"\n", 1))
    with pytest.raises(HubError, match="is damaged"):
        read_key_file(path, purpose="a", passphrase=b"pass")
    path.write_bytes(data)
    monkeypatch.setattr(key_files, "has_sm4", lambda: False)
    with pytest.raises(HubError, match="does not compute"):
        read_key_file(path, purpose="a", passphrase=b"pass")
    with pytest.raises(HubError, match="does not compute"):
        write_key_file(other, b"secret", purpose="a", passphrase=b"pass", profile=gm)
    assert not other.exists()


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A leaked key is not used as if it were secret."""
    path = tmp_path / "a.key"
    write_key_file(path, b"secret", purpose="a", passphrase=b"pass")
    path.chmod(0o644)

    with pytest.raises(HubError) as error:
        read_key_file(path, purpose="a", passphrase=b"pass")

    assert "chmod 600" in str(error.value.details["rule"])


def test_the_holder_index_is_that_of_the_format(tmp_path: Path) -> None:
    """HMAC-SHA256(k_v, "sealway/holder/v1" 00 type 00 number), and it survives reopening."""
    keyring = Keyring(bytes(32), b"k" * 32)
    message = b"sealway/holder/v1\x00citizen\x00110101199003077571"

    index = keyring.holder_index("citizen", "110101199003077571")

    assert index == b64u(hmac.new(b"k" * 32, message, hashlib.sha256).digest())
    created = Keyring.create(tmp_path, b"pass")
    opened = Keyring.open(tmp_path, b"pass")
    assert opened.holder_index("a", "b") == created.holder_index("a", "b")
    assert opened.holder_key_id == created.holder_key_id != keyring.holder_key_id


def test_in_gm_the_holder_index_is_by_sm3(tmp_path: Path) -> None:
    """HMAC (RFC 2104) with SM3 over the same message; every key derived from it follows."""
    keyring = Keyring(bytes(16), b"k" * 32)
    message = b"sealway/holder/v1\x00citizen\x00110101199003077571"
    inner = sm3(bytes(x ^ 0x36 for x in b"k" * 32 + bytes(32)) + message)
    expected = sm3(bytes(x ^ 0x5C for x in b"k" * 32 + bytes(32)) + inner)

    assert keyring.profile is CryptoProfile.GM
    assert keyring.holder_index("citizen", "110101199003077571") == b64u(expected)
    by_sha256 = Keyring(bytes(32), b"k" * 32)
    assert keyring.page_digest()(b"") != by_sha256.page_digest()(b"")
    assert keyring.subscriber("a").digest(b"") != by_sha256.subscriber("a").digest(b"")
    created = Keyring.create(tmp_path, b"pass", CryptoProfile.GM)
    opened = Keyring.open(tmp_path, b"pass", CryptoProfile.GM)
    assert opened.holder_index("a", "b") == created.holder_index("a", "b")


@pytest.mark.parametrize("profile", PROFILES)
def test_keys_of_one_profile_do_not_open_under_the_other(
    tmp_path: Path, profile: CryptoProfile
) -> None:
    """A configuration that was changed after `init` is refused, and says why."""
    (other,) = set(PROFILES) - {profile}
    Keyring.create(tmp_path, b"pass", profile)

    with pytest.raises(HubError) as refused:
        Keyring.open(tmp_path, b"pass", other)

    assert refused.value.reason is Reason.FILE_UNREADABLE
    assert f"profile {profile}" in str(refused.value.details["rule"])


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_data_key_opens_what_it_sealed_and_nothing_else(
    tmp_path: Path, profile: CryptoProfile
) -> None:
    """Context, key and bytes are bound together; a destroyed key opens nothing."""
    database = await open_database(f"sqlite:///{tmp_path}/hub.db")
    await create_tables(database, (DATA_KEYS,))
    keys = DataKeys(database, Keyring(bytes(KEY_BYTES[profile]), bytes(32)), lambda: 1)
    key, write = keys.new("holder:1", "personal")

    async def work(transaction: Transaction) -> None:
        await transaction.write(write.statement, write.rows)

    assert await keys.find("holder:1") is None
    await database.transact(work)
    found = await keys.get("holder:1")
    sealed = found.seal("张三".encode(), b"context")

    assert key.open(sealed, b"context") == "张三".encode()
    with pytest.raises(HubError) as other:
        key.open(sealed, b"another")
    with pytest.raises(HubError) as absent:
        await keys.get("holder:2")
    assert other.value.reason is Reason.DIGEST_MISMATCH
    assert absent.value.reason is Reason.KEY_UNAVAILABLE
    assert "GCM" not in repr(found)
    assert len(keys.new_stream_key()) == KEY_BYTES[profile]
    await database.close()


async def test_a_wrapped_key_moved_to_another_id_does_not_open(tmp_path: Path) -> None:
    """Otherwise whoever can write the database could give one holder's key to another."""
    keyring = Keyring(bytes(32), bytes(32))
    wrapped = keyring.wrap(b"x" * 32, "holder:1")

    assert keyring.unwrap(wrapped, "holder:1") == b"x" * 32
    with pytest.raises(HubError):
        keyring.unwrap(wrapped, "holder:2")


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000)])
def test_page_sizes_are_bounded(asked: int, given: int) -> None:
    """0 means 50, above 1000 means 1000."""
    assert page_size(asked) == given


def test_a_negative_page_size_is_refused() -> None:
    """It is not silently corrected."""
    with pytest.raises(HubError) as error:
        page_size(-1)
    assert error.value.reason is Reason.PAGE_SIZE_INVALID


def test_a_page_token_holds_for_its_scope_and_a_day() -> None:
    """Another filter, another byte, another key or another day: refused."""
    now = [1_000_000_000_000_000]
    tokens = PageTokens(Keyring(bytes(32), b"k" * 32).page_digest(), lambda: now[0])
    token = tokens.make("certificates/名", "list?type=a")

    assert tokens.read(token, "list?type=a") == "certificates/名"
    assert tokens.read("", "list?type=a") == ""
    other = Keyring(bytes(32), b"x" * 32).page_digest()
    foreign = PageTokens(other, lambda: now[0]).make("a", "list?type=a")
    bad = [(token, "list?type=b"), *((text, "list?type=a") for text in (token[4:], "!", foreign))]
    now[0] += 23 * 3600 * 1_000_000
    assert tokens.read(token, "list?type=a")
    now[0] += 2 * 3600 * 1_000_000
    for text, scope in [*bad, (token, "list?type=a")]:
        with pytest.raises(HubError) as error:
            tokens.read(text, scope)
        assert error.value.reason is Reason.PAGE_TOKEN_INVALID
