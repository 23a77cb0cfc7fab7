"""Checkpoints of the log: signing them, and the file that keeps the newest one.

The note signature is deterministic, so a checkpoint is a function of size, root and key and is
computed again instead of being stored.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.domain.crypto import CryptoProfile
from hub.errors import HubError, Reason
from hub.ledger.ports import ExternalHead, HeadMoved
from hub.proof.encoding import b64, digest
from hub.proof.log.merkle import EMPTY_ROOT
from hub.proof.log.note import (
    Checkpoint,
    KeyType,
    VerifierKey,
    open_checkpoint,
    signature_line,
)
from hub.proof.reasons import ProofError
from hub.storage.key_files import read_key_file, write_key_file

T = TypeVar("T")

_LOG_KEY: Final = "log"


class LogKey:
    """The log's own signing key; its name is the origin."""

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self.origin: Final = origin
        self.verifier: Final = VerifierKey(origin, KeyType.LOG, key.public_key().public_bytes_raw())
        self._key = key

    @classmethod
    def create(
        cls,
        path: Path,
        origin: str,
        passphrase: bytes,
        profile: CryptoProfile = CryptoProfile.INTERNATIONAL,
    ) -> LogKey:
        """Make the key file. Raises HubError(KEY_FILE_EXISTS)."""
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        write_key_file(path, secret, purpose=_LOG_KEY, passphrase=passphrase, profile=profile)
        return cls.open(path, origin, passphrase)

    @classmethod
    def open(cls, path: Path, origin: str, passphrase: bytes) -> LogKey:
        """The key of the file. Raises HubError(FILE_UNREADABLE)."""
        secret = read_key_file(path, purpose=_LOG_KEY, passphrase=passphrase)
        return cls(origin, Ed25519PrivateKey.from_private_bytes(secret))

    def sign(self, size: int, root: bytes) -> str:
        """The checkpoint of the log at `size`, the same bytes each time."""
        text = f"{self.origin}\n{size}\n{b64(root)}\n"
        return f"{text}\n{signature_line(self.verifier, self._key.sign(text.encode()))}"

    def verify(self, note: str) -> Checkpoint:
        """The checkpoint that this key signed. Raises HubError(LOG_HEAD_INVALID)."""
        try:
            return open_checkpoint(note, self.origin, [self.verifier.text()])
        except ProofError as error:
            raise HubError(Reason.LOG_HEAD_INVALID, rule=error.reason.value) from error


async def create_log(head: ExternalHead, key: LogKey) -> None:
    """Begin a log: its external head says size 0. Raises HeadMoved where one stands already."""
    await head.create(key.sign(0, EMPTY_ROOT))


# Two blocks of a device: what is written to one cannot damage the other.
_SLOT_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class _Slot:
    """One of the two places of a `FileHead`; the one with the higher number holds the head."""

    place: int
    number: int
    checkpoint: str

    def encode(self) -> bytes:
        """The block: number and digest, the checkpoint, and line feeds up to its end.

        Raises HubError(LOG_UNAVAILABLE) for a checkpoint that is too long.
        """
        note = self.checkpoint.encode()
        block = b"%d %s\n%s" % (self.number, digest(note).encode(), note)
        if len(block) >= _SLOT_BYTES:
            raise HubError(Reason.LOG_UNAVAILABLE, rule=f"a head of {len(note)} bytes")
        return block.ljust(_SLOT_BYTES, b"\n")

    @classmethod
    def decode(cls, place: int, block: bytes) -> _Slot | None:
        """What a block holds, or None where its writing did not come to its end."""
        line, _, rest = block.partition(b"\n")
        number, _, expected = line.partition(b" ")
        note = rest.rstrip(b"\n") + b"\n"
        if not number.isdigit() or digest(note).encode() != expected:
            return None
        return cls(place, int(number), note.decode())


class FileHead:
    """The external head as a file outside the database.

    It holds the last two checkpoints in two blocks that are written in turn: an interrupted write
    leaves the other one, and a write in place needs one flush and no room.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-head")

    async def read(self) -> str | None:
        return await self._run(self._read)

    async def create(self, checkpoint: str) -> None:
        await self._run(partial(self._create, checkpoint))

    async def advance(self, expected: str, checkpoint: str) -> None:
        await self._run(partial(self._advance, expected, checkpoint))

    def advance_now(self, expected: str, checkpoint: str) -> None:
        """As `advance`; blocks the thread that calls it."""
        try:
            self._advance(expected, checkpoint)
        except OSError as error:
            raise HubError(Reason.LOG_UNAVAILABLE, rule=error.strerror) from error

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            raise HubError(Reason.LOG_UNAVAILABLE, rule=error.strerror) from error

    def _read(self) -> str | None:
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            newest = _newest(file)
        finally:
            os.close(file)
        if newest is None:
            raise HubError(Reason.LOG_HEAD_INVALID, rule="holds no whole checkpoint")
        return newest.checkpoint

    def _create(self, checkpoint: str) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._path.with_name(f".{self._path.name}.next")
        with aside.open("wb") as file:
            file.write(_Slot(0, 1, checkpoint).encode().ljust(2 * _SLOT_BYTES, b"\n"))
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link never takes the place of another file.
            os.link(aside, self._path)
        except FileExistsError as error:
            raise HeadMoved(f"{self._path.name} stands already") from error
        finally:
            aside.unlink()
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _advance(self, expected: str, checkpoint: str) -> None:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise HeadMoved(f"{self._path.name} is gone") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            newest = _newest(file)
            if newest is None or newest.checkpoint != expected:
                raise HeadMoved(f"{self._path.name} holds another checkpoint")
            slot = _Slot(1 - newest.place, newest.number + 1, checkpoint)
            if os.pwrite(file, slot.encode(), slot.place * _SLOT_BYTES) != _SLOT_BYTES:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            os.fdatasync(file)
        finally:
            os.close(file)


def _newest(file: int) -> _Slot | None:
    data = os.pread(file, 2 * _SLOT_BYTES, 0)
    blocks = (data[:_SLOT_BYTES], data[_SLOT_BYTES:])
    slots = [_Slot.decode(place, block) for place, block in enumerate(blocks)]
    whole = [slot for slot in slots if slot is not None]
    return max(whole, key=lambda slot: slot.number, default=None)
