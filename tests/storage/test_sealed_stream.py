"""Encryption of streams in segments, and what somebody with the stored bytes may try."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.crypto import CryptoProfile
from hub.errors import HubError, Reason
from hub.storage.aead import TAG_BYTES, aead, new_key
from hub.storage.sealed_stream import (
    SEGMENT_BYTES,
    StreamOpener,
    StreamSealer,
)

KEY = bytes(range(32))
KEYS = {CryptoProfile.INTERNATIONAL: KEY, CryptoProfile.GM: bytes(range(16))}
SIZE = SEGMENT_BYTES + TAG_BYTES
PLAIN = os.urandom(3 * SEGMENT_BYTES + 5)


def sealed(data: bytes, key: bytes = KEY, context: str = "a", step: int = 1 << 20) -> bytes:
    sealer = StreamSealer(key, context)
    parts = [sealer.feed(data[start : start + step]) for start in range(0, len(data), step)]
    return b"".join([*parts, sealer.finish()])


def opened(data: bytes, key: bytes = KEY, context: str = "a", step: int = 1 << 20) -> bytes:
    opener = StreamOpener(key, context)
    parts = [opener.feed(data[start : start + step]) for start in range(0, len(data), step)]
    return b"".join([*parts, opener.finish()])


@pytest.mark.parametrize("size", [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1])
def test_a_stream_comes_back(size: int) -> None:
    """At every edge of a segment, however it is cut on the way."""
    data = os.urandom(size)

    assert len(sealed(data)) == size + TAG_BYTES * max(1, -(-size // SEGMENT_BYTES))
    assert opened(sealed(data, step=1000), step=777) == data


@given(st.binary(max_size=300), st.integers(1, 50), st.integers(1, 50))
def test_how_it_is_cut_makes_no_difference(data: bytes, first: int, second: int) -> None:
    """The ciphertext depends on key, context and bytes alone."""
    assert sealed(data, step=first) == sealed(data, step=second)
    assert opened(sealed(data), step=first) == data


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_bytes_are_those_of_the_format(key: bytes) -> None:
    """docs/formats/document.md, written by hand: counter, last flag, context."""
    data = b"x" * (SEGMENT_BYTES + 1)
    cipher, context = aead(key), b"sealway/document/v1\x00a"

    assert sealed(data, key) == (
        cipher.encrypt(bytes(12), data[:SEGMENT_BYTES], context)
        + cipher.encrypt(bytes(10) + b"\x01\x01", data[SEGMENT_BYTES:], context)
    )


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize(
    "attack",
    [
        lambda one: one[:-1],
        lambda one: one[: 2 * SIZE],  # The last segment is cut off; what is left is whole.
        lambda one: one[SIZE:],
        lambda one: one + one[:SIZE],
        lambda one: one[:SIZE] + one,
        lambda one: one[SIZE : 2 * SIZE] + one[:SIZE] + one[2 * SIZE :],
        lambda one: one[:SIZE] + one[2 * SIZE :],
        lambda one: bytes([one[0] ^ 1]) + one[1:],
        lambda one: b"",
    ],
    ids=["cut", "truncated", "headless", "longer", "repeated", "swapped", "hole", "bit", "empty"],
)
def test_what_was_done_to_the_stored_bytes_is_found(  # type: ignore[no-untyped-def]
    attack, key: bytes
) -> None:
    """Moved, left out, repeated, cut off or added: nothing of it opens."""
    with pytest.raises(HubError) as error:
        opened(attack(sealed(PLAIN, key)), key)

    assert error.value.reason is Reason.DIGEST_MISMATCH


def test_segments_of_another_stream_do_not_open() -> None:
    """Neither under another key nor under another name."""
    for other in (
        sealed(PLAIN, key=new_key(CryptoProfile.INTERNATIONAL)),
        sealed(PLAIN, context="b"),
    ):
        mixed = sealed(PLAIN)[:SIZE] + other[SIZE:]
        with pytest.raises(HubError):
            opened(mixed)


def test_no_byte_is_given_before_it_was_authenticated() -> None:
    """What came before the damaged place is right, what comes after never leaves."""
    damaged = bytearray(sealed(PLAIN))
    damaged[SIZE + 10] ^= 1
    opener = StreamOpener(KEY, "a")

    assert opener.feed(bytes(damaged[: SIZE + 1])) == PLAIN[:SEGMENT_BYTES]
    with pytest.raises(HubError):
        opener.feed(bytes(damaged[SIZE + 1 :]))
