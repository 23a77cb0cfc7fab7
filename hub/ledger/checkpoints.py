"""Checkpoints of the log: signing them, and the file that keeps the newest one.

The note signature is deterministic, so a checkpoint is a function of size, root and key and is
computed again instead of being stored.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.errors import HubError, Reason
from hub.ledger.ports import ExternalHead, HeadMoved
from hub.proof.merkle import EMPTY_ROOT
from hub.proof.note import (
    NOTE_BYTES_MAX,
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
    def create(cls, path: Path, origin: str, passphrase: bytes) -> LogKey:
        """Make the key file. Raises HubError(KEY_FILE_EXISTS)."""
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        write_key_file(path, secret, purpose=_LOG_KEY, passphrase=passphrase)
        return cls.open(path, origin, passphrase)

    @classmethod
    def open(cls, path: Path, origin: str, passphrase: bytes) -> LogKey:
        """The key of the file. Raises HubError(FILE_UNREADABLE)."""
        secret = read_key_file(path, purpose=_LOG_KEY, passphrase=passphrase)
        return cls(origin, Ed25519PrivateKey.from_private_bytes(secret))

    def sign(self, size: int, root: bytes) -> str:
        """The checkpoint of the log at `size`, the same bytes each time."""
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
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


class FileHead:
    """The external head as a file outside the database: the checkpoint and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f".{path.name}.next")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-head")

    async def read(self) -> str | None:
        return await self._run(self._read)

    async def create(self, checkpoint: str) -> None:
        await self._run(partial(self._replace, None, checkpoint))

    async def advance(self, expected: str, checkpoint: str) -> None:
        await self._run(partial(self._replace, expected, checkpoint))

    def advance_now(self, expected: str, checkpoint: str) -> None:
        """As `advance`; blocks the thread that calls it."""
        try:
            self._replace(expected, checkpoint)
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
            try:
                return os.read(file, NOTE_BYTES_MAX).decode()
            finally:
                os.close(file)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise HubError(Reason.LOG_HEAD_INVALID, rule="not UTF-8") from error

    def _replace(self, expected: str | None, checkpoint: str) -> None:
        if expected is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # The lock is on the folder: the file itself is replaced each time.
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self._read() != expected:
                raise HeadMoved(f"{self._path.name} holds another checkpoint")
            with self._aside.open("wb", buffering=0) as file:
                data = checkpoint.encode()
                if file.write(data) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            self._aside.replace(self._path)
            os.fsync(folder)
        finally:
            os.close(folder)
