"""Messages on a Unix socket: each behind its length, and only between processes of one owner."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from pathlib import Path
from typing import Final

from hub.errors import HubError, Reason

MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
"""A batch of 10,000 rows with their records has some 40 MB."""

_LENGTH: Final = struct.Struct(">I")
_CREDENTIALS: Final = struct.Struct("3i")
_NAME: Final = "socket"
_BACKLOG: Final = 64
# How long one that is about to end may take.
_TAKE_S: Final = 3.0


def listen(folder: Path) -> socket.socket:
    """A socket in `folder`, which is made for its owner alone (0700), while no other process has
    one there. Raises OSError where one still does after three seconds."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _take(folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with _Opened(folder) as path:
        (folder / _NAME).unlink(missing_ok=True)
        listener.bind(path)
    listener.listen(_BACKLOG)
    return listener


def _take(folder: Path) -> None:
    """Hold the folder until this process ends: another that listened there would take over the
    socket, and count for itself."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + _TAKE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > end:
                os.close(lock)
                raise
            time.sleep(0.05)
        else:
            return  # Never closed.


def connect(folder: Path, timeout_s: float) -> socket.socket:
    """A connection to whoever listens in `folder`. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.settimeout(timeout_s)
    try:
        with _Opened(folder) as path:
            connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def peer_uid(connection: socket.socket) -> int:
    """Whose process is at the other end (SO_PEERCRED, which the kernel fills in)."""
    size = _CREDENTIALS.size
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(_CREDENTIALS.unpack(credentials)[1])


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message. Raises OSError, HubError(MESSAGE_TOO_LARGE)."""
    if len(message) > MESSAGE_BYTES_MAX:
        raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=len(message), bytes_max=MESSAGE_BYTES_MAX)
    connection.sendall(_LENGTH.pack(len(message)) + message)


def receive(connection: socket.socket) -> bytes | None:
    """The next message; None where the other end closed. Raises OSError, also for one too long."""
    head = _exactly(connection, _LENGTH.size)
    if head is None:
        return None
    length = _LENGTH.unpack(head)[0]
    if length > MESSAGE_BYTES_MAX:
        raise ConnectionError("a message longer than any")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        count = connection.recv_into(view[at:])
        if count == 0:
            return None
        at += count
    return bytes(data)


class _Opened:
    """A path of the folder's socket that is short: the kernel takes 107 bytes, homes lie deeper."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor = -1

    def __enter__(self) -> str:
        self._descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._descriptor}/{_NAME}"

    def __exit__(self, *_raised: object) -> None:
        os.close(self._descriptor)
