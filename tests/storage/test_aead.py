"""Encryption of stored data: SM4-GCM against the vector of its RFC, and one form for both."""

from __future__ import annotations

import os

import pytest
from cryptography.exceptions import InvalidTag

from hub.domain.crypto import CryptoProfile
from hub.storage.aead import KEY_BYTES, NONCE_BYTES, TAG_BYTES, aead, has_sm4, new_key, profile_of

PROFILES = list(CryptoProfile)


def test_sm4_gcm_is_that_of_rfc_8998() -> None:
    """Appendix A.1."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    associated = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = bytes.fromhex("".join(letter * 16 for letter in "ABCDEFEA"))
    ciphertext = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    )
    tag = bytes.fromhex("83DE3541E4C2B58177E065A9BF7B62EC")

    assert has_sm4()
    assert aead(key).encrypt(nonce, plain, associated) == ciphertext + tag
    assert aead(key).decrypt(nonce, ciphertext + tag, associated) == plain


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 65_536])
def test_both_profiles_have_one_form(profile: CryptoProfile, size: int) -> None:
    """Ciphertext as long as the plaintext, the tag behind it; nothing else opens."""
    key, nonce, data = new_key(profile), os.urandom(NONCE_BYTES), os.urandom(size)
    sealed = aead(key).encrypt(nonce, data, b"context")

    assert len(sealed) == size + TAG_BYTES
    assert aead(key).decrypt(nonce, sealed, b"context") == data
    flipped = bytes([sealed[0] ^ 1]) + sealed[1:]
    for other, given_nonce, given, context in (
        (new_key(profile), nonce, sealed, b"context"),
        (key, os.urandom(NONCE_BYTES), sealed, b"context"),
        (key, nonce, flipped, b"context"),
        (key, nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), b"context"),
        (key, nonce, sealed[:-1], b"context"),
        (key, nonce, sealed[: TAG_BYTES - 1], b"context"),
        (key, nonce, b"", b"context"),
        (key, nonce, sealed, b"another"),
        (key, nonce, sealed, None),
    ):
        with pytest.raises(InvalidTag):
            aead(other).decrypt(given_nonce, given, context)


def test_the_length_of_a_key_says_its_profile() -> None:
    """And there is no third."""
    for profile, size in KEY_BYTES.items():
        assert len(new_key(profile)) == size
        assert profile_of(bytes(size)) is profile
    for size in (0, 15, 17, 24, 31, 33, 64):
        with pytest.raises(ValueError, match="32 or 16"):
            aead(bytes(size))
