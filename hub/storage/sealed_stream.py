"""Encryption of a stream in segments, so that nothing long is ever whole in memory.

Each stream has a fresh key of its own, which its owner keeps sealed under a data key. A segment is
AES-256-GCM, in the profile `gm` SM4-GCM, over at most 64 KiB; its nonce is its number and whether
it is the last. So segments cannot be moved, left out, repeated, cut off at the end or added to, and
a segment of another stream opens nowhere (docs/formats/document.md).
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag

from hub.errors import HubError, Reason
from hub.storage.aead import TAG_BYTES, aead

SEGMENT_BYTES: Final = 64 * 1024
_DOMAIN: Final = b"sealway/document/v1\x00"


class StreamSealer:
    """Encrypts what it is fed; `context` names the stream and must be given again to open it."""

    def __init__(self, key: bytes, context: str) -> None:
        self._cipher = aead(key)
        self._context = _DOMAIN + context.encode()
        self._rest = bytearray()
        self._number = 0

    def feed(self, data: bytes) -> bytes:
        """The whole segments so far. At least one byte is kept back: the last segment says so."""
        self._rest += data
        sealed = []
        while len(self._rest) > SEGMENT_BYTES:
            sealed.append(self._seal(bytes(self._rest[:SEGMENT_BYTES]), is_last=False))
            del self._rest[:SEGMENT_BYTES]
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The last segment."""
        return self._seal(bytes(self._rest), is_last=True)

    def _seal(self, segment: bytes, *, is_last: bool) -> bytes:
        nonce = _nonce(self._number, is_last=is_last)
        self._number += 1
        return self._cipher.encrypt(nonce, segment, self._context)


class StreamOpener:
    """Decrypts what it is fed. Every byte that it gives was authenticated in its place."""

    def __init__(self, key: bytes, context: str) -> None:
        self._cipher = aead(key)
        self._what = context
        self._context = _DOMAIN + context.encode()
        self._rest = bytearray()
        self._number = 0

    def feed(self, data: bytes) -> bytes:
        """The plaintext of whole segments so far. Raises HubError(DIGEST_MISMATCH)."""
        self._rest += data
        size = SEGMENT_BYTES + TAG_BYTES
        opened = []
        while len(self._rest) > size:
            opened.append(self._open(bytes(self._rest[:size]), is_last=False))
            del self._rest[:size]
        return b"".join(opened)

    def finish(self) -> bytes:
        """The last plaintext. Raises HubError(DIGEST_MISMATCH), also where the stream was cut."""
        return self._open(bytes(self._rest), is_last=True)

    def _open(self, segment: bytes, *, is_last: bool) -> bytes:
        nonce = _nonce(self._number, is_last=is_last)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, segment, self._context)
        except (InvalidTag, ValueError) as error:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"document {self._what}") from error


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")
