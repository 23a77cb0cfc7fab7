"""Encryption at rest: a keyring beside the database, wrapped data keys inside it.

Destroying a data key erases everything that was sealed with it, backups included; so personal data
has one key per holder, and evidence another per class and month (formats.md §10).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, select

from hub.clock import Clock
from hub.domain.crypto import CryptoProfile
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.storage.aead import AEAD, KEY_BYTES, NONCE_BYTES, aead, new_key, profile_of
from hub.storage.database import Database
from hub.storage.key_files import read_key_file, write_key_file
from hub.storage.schema import METADATA
from hub.storage.statements import Check, Row, Write, insert_into, question

DATA_KEYS: Final = Table(
    "storage_data_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("kek_id", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

_FIND: Final = question(
    "data_key",
    select(DATA_KEYS.c.wrapped, DATA_KEYS.c.kek_id).where(DATA_KEYS.c.id == bindparam("id")),
    "id",
)
_INSERT: Final = insert_into(DATA_KEYS)

_HOLDER_KEY_BYTES: Final = 32
_CACHED_MAX: Final = 4096
_WRAP_CONTEXT: Final = b"sealway/data-key/v1\x00"
_HOLDER_DOMAIN: Final = b"sealway/holder/v1\x00"
_CONTENT_DOMAIN: Final = b"sealway/request-content/v1\x00"
_PAGE_DOMAIN: Final = b"sealway/page-tokens/v1"
_SUBSCRIBER_DOMAIN: Final = b"sealway/subscriber/v1\x00"
_CURSOR_DOMAIN: Final = b"sealway/feed-cursor/v1\x00"
_KEK: Final = "key-encryption"
_HOLDER: Final = "holder-index"


@dataclass(frozen=True, slots=True, repr=False)
class DataKey:
    """One data key, unwrapped: only in memory, never shown."""

    id: str
    cipher: AEAD

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Nonce ‖ ciphertext ‖ tag (`aead.py`); opens only under the same `context`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self.cipher.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext. Raises HubError(DIGEST_MISMATCH) where key, context or bytes differ."""
        try:
            return self.cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"sealed under {self.id}") from error


KeyedDigest: TypeAlias = Callable[[bytes], bytes]
"""A keyed hash of 32 bytes."""


@dataclass(frozen=True, slots=True, repr=False)
class Subscriber:
    """What one system knows holders and places of the change feed by: nobody else's are alike."""

    digest: KeyedDigest
    places: AEAD


class Keyring:
    """The keys that live beside the database: wrapping of data keys, index of holders.

    `profile` is that of the key that wraps, and of all that is encrypted and looked up here.
    """

    def __init__(self, key_encryption: bytes, holder_index: bytes) -> None:
        self.profile: Final = profile_of(key_encryption)
        self._wrapping = aead(key_encryption)
        self._digest = _keyed_digest(holder_index, self.profile)
        self.kek_id: Final = _key_id(_KEK, key_encryption)
        self.holder_key_id: Final = _key_id(_HOLDER, holder_index)

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: bytes,
        profile: CryptoProfile = CryptoProfile.INTERNATIONAL,
    ) -> Keyring:
        """Make the keys that `folder` lacks; what an interrupted call has made is kept.

        Raises HubError(FILE_UNREADABLE) where a key that is there does not open.
        """
        made = {_KEK: new_key(profile), _HOLDER: secrets.token_bytes(_HOLDER_KEY_BYTES)}
        for purpose, secret in made.items():
            path = folder / f"{purpose}.key"
            if not path.exists():
                write_key_file(
                    path, secret, purpose=purpose, passphrase=passphrase, profile=profile
                )
        return cls.open(folder, passphrase, profile)

    @classmethod
    def open(
        cls,
        folder: Path,
        passphrase: bytes,
        profile: CryptoProfile = CryptoProfile.INTERNATIONAL,
    ) -> Keyring:
        """The keys of `folder`. Raises HubError(FILE_UNREADABLE), also where they were made for
        another profile, or for one that cannot be computed here."""
        kek, holder = (
            read_key_file(folder / f"{purpose}.key", purpose=purpose, passphrase=passphrase)
            for purpose in (_KEK, _HOLDER)
        )
        path = folder / f"{_KEK}.key"
        if profile_of(kek) is not profile:
            rule = f"is of the profile {profile_of(kek)}; crypto.profile never changes after init"
            raise HubError(Reason.FILE_UNREADABLE, what="key", path=path, rule=rule)
        return cls(kek, holder)

    def holder_index(self, holder_type: str, number: str) -> str:
        """The keyed hash by which a holder is found (formats.md §10); under `holder_key_id`."""
        message = _HOLDER_DOMAIN + holder_type.encode() + b"\x00" + number.encode()
        return self._keyed(message)

    def content_digest(self, content: str) -> str:
        """A keyed hash of what a request says: it names holders, a plain one could be guessed."""
        return self._keyed(_CONTENT_DOMAIN + content.encode())

    def page_digest(self) -> KeyedDigest:
        """What page tokens are made with; the same for all processes of one hub."""
        return _keyed_digest(self._digest(_PAGE_DOMAIN), self.profile)

    def subscriber(self, name: str) -> Subscriber:
        """What the system `name` knows holders and places by; the same for all processes."""
        digest = _keyed_digest(self._digest(_SUBSCRIBER_DOMAIN + name.encode()), self.profile)
        return Subscriber(digest, aead(digest(_CURSOR_DOMAIN)[: KEY_BYTES[self.profile]]))

    def _keyed(self, message: bytes) -> str:
        return b64u(self._digest(message))

    def wrap(self, key: bytes, data_key_id: str) -> bytes:
        """`key` encrypted for the table; opens only for the same id."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, _WRAP_CONTEXT + data_key_id.encode())

    def unwrap(self, wrapped: bytes, data_key_id: str) -> bytes:
        """The key. Raises HubError(DIGEST_MISMATCH)."""
        context = _WRAP_CONTEXT + data_key_id.encode()
        try:
            return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"data key {data_key_id}") from error


class DataKeys:
    """Data keys by id. New ones are handed out with the `Write` that keeps them."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._cached: OrderedDict[str, DataKey] = OrderedDict()

    def new(self, data_key_id: str, retention_class: str) -> tuple[DataKey, Write]:
        """A fresh key and the row that must be recorded before anything sealed with it.

        Where others may create the same id, record it with `absent(data_key_id)` as a check.
        """
        secret = new_key(self._keyring.profile)
        row: Row = (
            data_key_id,
            self._keyring.wrap(secret, data_key_id),
            self._keyring.kek_id,
            retention_class,
            self._clock(),
        )
        return DataKey(data_key_id, aead(secret)), Write(_INSERT, (row,))

    def new_stream_key(self) -> bytes:
        """A key for one stream and never for a second one: its nonces are counted, not drawn."""
        return new_key(self._keyring.profile)

    def absent(self, data_key_id: str) -> Check:
        """Holds while no key has this id."""
        return Check(_FIND, (data_key_id,), None)

    async def get(self, data_key_id: str) -> DataKey:
        """The key. Raises HubError(KEY_UNAVAILABLE) where it is absent, or was destroyed."""
        key = await self.find(data_key_id)
        if key is None:
            raise HubError(Reason.KEY_UNAVAILABLE, key=data_key_id)
        return key

    async def find(self, data_key_id: str) -> DataKey | None:
        """The key, or None where it is absent, or was destroyed."""
        known = self._cached.get(data_key_id)
        if known is not None:
            self._cached.move_to_end(data_key_id)
            return known
        row = await self._database.one(_FIND, data_key_id)
        if row is None or row[0] == b"":  # A destroyed key leaves its row, without the key.
            return None
        wrapped, kek_id = row
        if not isinstance(wrapped, bytes) or kek_id != self._keyring.kek_id:
            raise HubError(Reason.KEY_UNAVAILABLE, key=data_key_id)
        key = DataKey(data_key_id, aead(self._keyring.unwrap(wrapped, data_key_id)))
        self._cached[data_key_id] = key
        if len(self._cached) > _CACHED_MAX:
            self._cached.popitem(last=False)
        return key

    def forget(self, data_key_id: str) -> None:
        """Drop the key from memory; for whoever destroys it in the database."""
        self._cached.pop(data_key_id, None)


def _keyed_digest(key: bytes, profile: CryptoProfile) -> KeyedDigest:
    """HMAC-SHA256, in the profile `gm` HMAC-SM3. A copy of a hash that has taken the key costs
    less than taking it each time."""
    if profile is CryptoProfile.GM:
        by_sm3 = HMAC(key, SM3())

        def sm3(message: bytes) -> bytes:
            keyed = by_sm3.copy()
            keyed.update(message)
            return keyed.finalize()

        return sm3
    by_sha256 = hmac.new(key, digestmod="sha256")

    def sha256(message: bytes) -> bytes:
        keyed = by_sha256.copy()
        keyed.update(message)
        return keyed.digest()

    return sha256


def _key_id(purpose: str, secret: bytes) -> str:
    """A name for a key that tells nothing about it and stays the same."""
    return f"{purpose}:{hashlib.sha256(b'sealway/key-id/v1' + secret).hexdigest()[:16]}"
