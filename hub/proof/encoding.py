"""Strict base64 and JSON: one text for one value, or a refusal.

JOSE libraries accept padded base64, duplicate members (the last wins) and numbers as text. Each of
these gives a second text with another meaning or another digest, so everything signed goes through
this file before a signature is looked at (formats.md §1, formats-jose.md §1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import pybase64

from hub.domain import strict_json
from hub.domain.strict_json import Fault, NotStrictJsonError
from hub.domain.strict_json import Json as Json
from hub.proof.reasons import ProofError, ProofReason

_URL_SAFE: Final = b"-_"
# How a text may end whose last group has two or three characters: the unused bits are zero.
_LAST_CHARACTERS: Final = {1: "", 2: "AQgw", 3: "AEIMQUYcgkosw048"}


def b64u(data: bytes) -> str:
    """`data` as base64url without padding."""
    return pybase64.b64encode_as_string(data, _URL_SAFE).rstrip("=")


def b64u_each(blocks: Sequence[bytes]) -> list[str]:
    """Each of `blocks`, all of one length, as `b64u` gives it, for the price of one call.

    A block filled up with zero bytes to a multiple of three encodes by itself, and the characters
    that only the filling needs are cut off.
    """
    if not blocks:
        return []
    size = len(blocks[0])
    filling = bytes(-size % 3)
    whole = (size + len(filling)) // 3 * 4
    kept = (size * 8 + 5) // 6
    text_of_all = pybase64.b64encode_as_string(filling.join([*blocks, b""]), _URL_SAFE)
    return [text_of_all[start : start + kept] for start in range(0, len(text_of_all), whole)]


def b64u_decode(text: str) -> bytes:
    """The bytes of canonical unpadded base64url.

    Raises ProofError(BASE64_ALPHABET) for a foreign character, padding included, and
    ProofError(BASE64_NON_CANONICAL) where encoding again does not give the same text.
    """
    # The library takes the characters of standard base64 as well.
    if "+" in text or "/" in text or "=" in text:
        raise ProofError(ProofReason.BASE64_ALPHABET)
    try:
        data = pybase64.b64decode(text + "=" * (-len(text) % 4), _URL_SAFE, validate=True)
    except ValueError as error:
        known = text.isascii() and all(letter.isalnum() or letter in "-_" for letter in text)
        reason = ProofReason.BASE64_NON_CANONICAL if known else ProofReason.BASE64_ALPHABET
        raise ProofError(reason) from error
    # Within the alphabet only the bits that the last character leaves over could differ.
    if (left := len(text) % 4) and text[-1] not in _LAST_CHARACTERS[left]:
        raise ProofError(ProofReason.BASE64_NON_CANONICAL)
    return data


def b64(data: bytes) -> str:
    """`data` as padded standard base64, as C2SP texts and `x5c` carry it."""
    return pybase64.b64encode_as_string(data)


def b64_decode(text: str) -> bytes:
    """The bytes of canonical padded standard base64. Raises ProofError(BASE64_NOT_CANONICAL)."""
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise ProofError(ProofReason.BASE64_NOT_CANONICAL) from error
    if b64(data) != text:
        raise ProofError(ProofReason.BASE64_NOT_CANONICAL)
    return data


def digest(data: bytes | str) -> str:
    """SHA-256 as 43 characters of base64url; text is hashed as its UTF-8 bytes."""
    return b64u(hashlib.sha256(data.encode() if isinstance(data, str) else data).digest())


def emit_json(value: Json) -> bytes:
    """JSON as we write it. Raises ProofError(JSON_MALFORMED) for a lone surrogate."""
    try:
        return strict_json.emit(value)
    except NotStrictJsonError as error:
        raise ProofError(_REASONS[error.fault], str(error)) from error


def parse_json(data: bytes) -> Json:
    """One strict JSON value.

    Raises ProofError with JSON_MALFORMED, JSON_DUPLICATE_MEMBER, JSON_NUMBER or JSON_DEPTH.
    """
    try:
        return strict_json.parse(data)
    except NotStrictJsonError as error:
        raise ProofError(_REASONS[error.fault], str(error)) from error


def parse_object(data: bytes) -> dict[str, Json]:
    """As `parse_json`, and the value is an object."""
    try:
        return strict_json.parse_object(data)
    except NotStrictJsonError as error:
        raise ProofError(_REASONS[error.fault], str(error)) from error


_REASONS: Final = {
    Fault.MALFORMED: ProofReason.JSON_MALFORMED,
    Fault.DUPLICATE_MEMBER: ProofReason.JSON_DUPLICATE_MEMBER,
    Fault.NUMBER: ProofReason.JSON_NUMBER,
    Fault.DEPTH: ProofReason.JSON_DEPTH,
}
