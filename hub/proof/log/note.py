"""Signed notes, verifier keys and checkpoints of the log (formats-ledger.md §4).

A checkpoint is a note of exactly three lines, signed by the log and perhaps cosigned by witnesses.
Whoever opens one brings the keys: nothing in a note chooses the key that it is checked with.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from hub.domain.strict_json import INTEGER_MAX
from hub.proof.encoding import b64, b64_decode
from hub.proof.log.merkle import HASH_BYTES
from hub.proof.reasons import ProofError, ProofReason, Verdict

NOTE_BYTES_MAX: Final = 131_072
SIGNATURE_LINES_MAX: Final = 64

_DASH: Final = "\u2014 "
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_ORIGIN: Final = re.compile(r"[\x21-\x2a\x2c-\x7e]{1,255}")
_KEY_ID_BYTES: Final = 4


class KeyType(IntEnum):
    """What a line of a note signs; lines of other types are never known and so never count."""

    LOG = 0x01
    WITNESS = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and the type under which its signature lines stand."""

    name: str
    type: KeyType
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of the hash over name, type and key."""
        typed = bytes([self.type]) + self.public
        return hashlib.sha256(self.name.encode() + b"\n" + typed).digest()[:_KEY_ID_BYTES]

    def text(self) -> str:
        """The key as it is written into trust files."""
        return f"{self.name}+{self.id.hex()}+{b64(bytes([self.type]) + self.public)}"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One valid line of a trusted witness; `time_s` is in seconds since 1970."""

    witness: VerifierKey
    time_s: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the log as a note states it. `cosignatures` are those that were verified."""

    origin: str
    size: int
    root: bytes
    cosignatures: tuple[Cosignature, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    key_id: bytes
    signature: bytes


def is_origin(text: str) -> bool:
    """Whether `text` may name a log: 1 to 255 characters of ASCII 21 to 7E without `+`."""
    return _ORIGIN.fullmatch(text) is not None


def parse_verifier_key(text: str, key_type: KeyType) -> VerifierKey:
    """The key written as `text`, which must be of `key_type` and carry its own id.

    Raises ProofError(VKEY_MALFORMED) with the verdict *cannot check*: a broken pin says nothing
    about what was to be checked with it.
    """
    parts = text.split("+", 2)  # Base64 may hold further plus signs.
    if len(parts) != 3 or not _is_key_name(parts[0]):
        raise _unusable_key(text)
    name, key_id, encoded = parts
    try:
        typed = b64_decode(encoded)
    except ProofError as error:
        raise _unusable_key(text) from error
    if len(typed) != 1 + HASH_BYTES or typed[0] != key_type:
        raise _unusable_key(text)
    key = VerifierKey(name, key_type, typed[1:])
    if key_id != key.id.hex():
        raise _unusable_key(text)
    return key


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines that a checkpoint's signatures cover."""
    if not is_origin(origin) or not 0 <= size <= INTEGER_MAX or len(root) != HASH_BYTES:
        raise ProofError(ProofReason.CHECKPOINT_MALFORMED, f"origin {origin!r}, size {size}")
    return f"{origin}\n{size}\n{b64(root)}\n"


def sign_checkpoint(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> str:
    """The checkpoint as a note with the log's own line; the key's name is the origin."""
    text = checkpoint_text(origin, size, root)
    public = VerifierKey(origin, KeyType.LOG, key.public_key().public_bytes_raw())
    return f"{text}\n{signature_line(public, key.sign(text.encode()))}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """A line for a note; `signature` is all that follows the key id (a witness's time included)."""
    return f"{_DASH}{key.name} {b64(key.id + signature)}\n"


def cosigned_bytes(text: str, time_s: int) -> bytes:
    """What a witness signs: its time and the whole checkpoint text (formats-ledger.md §4)."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def open_checkpoint(
    note: str, origin: str, log_keys: Iterable[str], witness_keys: Iterable[str] = ()
) -> Checkpoint:
    """The checkpoint in `note` after every line of a pinned key was verified (§4, steps 1 to 5).

    Keys are given as text. Raises ProofError: NO_LOG_KEY and VKEY_MALFORMED as *cannot check*,
    NOTE_MALFORMED, BASE64_NOT_CANONICAL, CHECKPOINT_MALFORMED, ORIGIN_WRONG, NOTE_SIGNATURE and
    NOTE_NOT_SIGNED as *invalid*.
    """
    known = _pinned_keys(origin, log_keys, witness_keys)
    text, lines = _parse_note(note)
    checkpoint = parse_checkpoint_text(text)
    if checkpoint.origin != origin:
        raise ProofError(ProofReason.ORIGIN_WRONG, f"{checkpoint.origin}, expected {origin}")
    signed, cosignatures = _verify_lines(text, lines, known)
    if not signed:
        raise ProofError(ProofReason.NOTE_NOT_SIGNED, f"no line of a key pinned for {origin}")
    return Checkpoint(checkpoint.origin, checkpoint.size, checkpoint.root, cosignatures)


def parse_checkpoint_text(text: str) -> Checkpoint:
    """The three lines of a checkpoint. Raises CHECKPOINT_MALFORMED or BASE64_NOT_CANONICAL."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] != "":
        raise ProofError(ProofReason.CHECKPOINT_MALFORMED, "not exactly three lines")
    origin, size, root_text = lines[:3]
    if not is_origin(origin):
        raise ProofError(ProofReason.CHECKPOINT_MALFORMED, "line 1, the origin")
    number = parse_decimal(size)
    if number is None:
        raise ProofError(ProofReason.CHECKPOINT_MALFORMED, "line 2, the size")
    root = b64_decode(root_text)
    if len(root) != HASH_BYTES:
        raise ProofError(ProofReason.CHECKPOINT_MALFORMED, "line 3, the root")
    return Checkpoint(origin, number, root)


def parse_decimal(text: str) -> int | None:
    """The number written as `text` without leading zeros and below 2^53, or None."""
    if not _DECIMAL.fullmatch(text) or int(text) > INTEGER_MAX:
        return None
    return int(text)


def _pinned_keys(
    origin: str, log_keys: Iterable[str], witness_keys: Iterable[str]
) -> dict[tuple[str, bytes], VerifierKey]:
    logs = [parse_verifier_key(text, KeyType.LOG) for text in log_keys]
    if not logs:
        raise ProofError(ProofReason.NO_LOG_KEY, f"for {origin}", verdict=Verdict.CANNOT_CHECK)
    for key in logs:
        if key.name != origin:
            raise _unusable_key(key.text())
    witnesses = [parse_verifier_key(text, KeyType.WITNESS) for text in witness_keys]
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in (*logs, *witnesses):
        if known.setdefault((key.name, key.id), key) != key:
            raise _unusable_key(key.text())
    return known


def _parse_note(note: str) -> tuple[str, list[_Line]]:
    """The signed text and the signature lines. Raises NOTE_MALFORMED, BASE64_NOT_CANONICAL."""
    if len(note.encode()) > NOTE_BYTES_MAX:
        raise ProofError(ProofReason.NOTE_MALFORMED, f"more than {NOTE_BYTES_MAX} bytes")
    if any(character < " " and character != "\n" for character in note):
        raise ProofError(ProofReason.NOTE_MALFORMED, "a control character")
    if not note.endswith("\n"):
        raise ProofError(ProofReason.NOTE_MALFORMED, "no final newline")
    end = note.rfind("\n\n")
    lines = note[end + 2 : -1].split("\n")
    if end < 0 or lines == [""]:
        raise ProofError(ProofReason.NOTE_MALFORMED, "no signature line after an empty line")
    if len(lines) > SIGNATURE_LINES_MAX:
        raise ProofError(ProofReason.NOTE_MALFORMED, f"more than {SIGNATURE_LINES_MAX} signatures")
    return note[: end + 1], [_parse_line(line) for line in lines]


def _parse_line(line: str) -> _Line:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not _is_key_name(name):
        raise ProofError(ProofReason.NOTE_MALFORMED, "not a signature line")
    blob = b64_decode(encoded)
    if len(blob) <= _KEY_ID_BYTES:
        raise ProofError(ProofReason.NOTE_MALFORMED, "an empty signature")
    return _Line(name, blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


def _verify_lines(
    text: str, lines: Sequence[_Line], known: dict[tuple[str, bytes], VerifierKey]
) -> tuple[bool, tuple[Cosignature, ...]]:
    """Whether the log signed, and the cosignatures; every line of a known pair must verify."""
    own = {key.public for key in known.values() if key.type is KeyType.LOG}
    signed, cosignatures = False, []
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        signature, signed_bytes, time_s = line.signature, text.encode(), 0
        if key.type is KeyType.WITNESS:
            time_s, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            signed_bytes = cosigned_bytes(text, time_s)
        try:
            # The library refuses a wrong length and a scalar not below the group order.
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed_bytes)
        except InvalidSignature as error:
            raise ProofError(ProofReason.NOTE_SIGNATURE, f"the line of {key.name}") from error
        if key.type is KeyType.LOG:
            signed = True
        elif key.public not in own:  # The log is never a witness of itself.
            cosignatures.append(Cosignature(key, time_s))
    return signed, tuple(cosignatures)


def _is_key_name(text: str) -> bool:
    return bool(text) and "+" not in text and not any(c.isspace() for c in text)


def _unusable_key(text: str) -> ProofError:
    return ProofError(ProofReason.VKEY_MALFORMED, text[:300], verdict=Verdict.CANNOT_CHECK)
