"""Authenticated encryption of what is stored: AES-256-GCM, or SM4-GCM in the profile `gm`.

The length of a key says which: 32 bytes are of AES-256, 16 of SM4 (GB/T 32907), and there is no
third. Both take nonces of 12 bytes and give tags of 16 behind the ciphertext (NIST SP 800-38D;
RFC 8998 for SM4), so whatever is stored has one form.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.domain.crypto import CryptoProfile

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
KEY_BYTES: Final = {CryptoProfile.INTERNATIONAL: 32, CryptoProfile.GM: 16}
_PROFILES: Final = {size: profile for profile, size in KEY_BYTES.items()}


class AEAD(Protocol):
    """A key that encrypts. Any thread may use it."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Ciphertext ‖ tag. A nonce is used once under a key."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plaintext. Raises InvalidTag, ValueError."""
        ...


def aead(key: bytes) -> AEAD:
    """What `key` encrypts with. Raises ValueError for a length that no algorithm here has."""
    if profile_of(key) is CryptoProfile.GM:
        return _SM4GCM(key)
    return AESGCM(key)


def new_key(profile: CryptoProfile) -> bytes:
    """A fresh key."""
    return secrets.token_bytes(KEY_BYTES[profile])


def profile_of(key: bytes) -> CryptoProfile:
    """Which profile a key is of. Raises ValueError for a length that no algorithm here has."""
    profile = _PROFILES.get(len(key))
    if profile is None:
        raise ValueError("a key of AES-256 or SM4 is 32 or 16 bytes long")
    return profile


def has_sm4() -> bool:
    """Whether the libcrypto of `cryptography` computes SM4-GCM; some builds leave it out."""
    try:
        _SM4GCM(bytes(16)).encrypt(bytes(NONCE_BYTES), b"", None)
    except UnsupportedAlgorithm:
        return False
    return True


@dataclass(frozen=True, slots=True, repr=False)
class _SM4GCM:
    """SM4-GCM in the shape of `AESGCM`; `cryptography` has only its parts."""

    key: bytes

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """As `AEAD.encrypt`."""
        encryptor = Cipher(algorithms.SM4(self.key), modes.GCM(nonce)).encryptor()
        if associated_data:
            encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """As `AEAD.decrypt`."""
        if len(data) < TAG_BYTES:
            raise InvalidTag
        mode = modes.GCM(nonce, data[-TAG_BYTES:])
        decryptor = Cipher(algorithms.SM4(self.key), mode).decryptor()
        if associated_data:
            decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-TAG_BYTES]) + decryptor.finalize()
