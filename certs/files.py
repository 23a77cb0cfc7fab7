"""Files that are whole or absent: written aside, synchronised, then put in place in one step."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hub.errors import HubError, Reason

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644

# Group-readable secrets are how container platforms mount them; everything wider is refused.
_TOO_OPEN: Final = 0o037


def make_private_folder(path: Path) -> None:
    """`path` exists with mode 0700 when this returns; its missing parents are made as well."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def write_replacing(path: Path, data: bytes, *, mode: int = PUBLIC) -> bool:
    """Put `data` at `path`, whole and durable, whatever stood there; False if it was the same.

    A process killed at any moment leaves either the old bytes or the new ones.
    """
    if path.is_file() and path.read_bytes() == data:
        return False
    with _written_aside(path, data, mode) as aside:
        aside.replace(path)
    return True


def write_new(path: Path, data: bytes, *, mode: int = PUBLIC) -> None:
    """Put `data` at `path`, whole and durable. Raises FileExistsError where anything is there."""
    with _written_aside(path, data, mode) as aside:
        # A link, unlike a rename, refuses to replace: a private key cannot be had back.
        path.hardlink_to(aside)


def write_absent(path: Path, data: bytes, *, mode: int = PUBLIC) -> bool:
    """As `write_new`; False, and nothing changed, where anything stands at `path`."""
    try:
        write_new(path, data, mode=mode)
    except FileExistsError:
        return False
    return True


def read_bounded(path: Path, *, bytes_max: int, what: str) -> bytes:
    """The bytes of a file of at most `bytes_max`. Raises HubError(FILE_UNREADABLE)."""
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        rule = error.strerror or "cannot be read"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule) from error
    if len(data) > bytes_max:
        rule = f"larger than {bytes_max} bytes"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule)
    return data


def read_secret(path: Path, *, bytes_max: int, what: str) -> bytes:
    """As `read_bounded`, for secrets: a file that others may read is refused, not believed."""
    data = read_bounded(path, bytes_max=bytes_max, what=what)
    mode = path.stat().st_mode & 0o777
    if mode & _TOO_OPEN:
        rule = f"its mode {mode:04o} lets others reach it; run: chmod 600"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule)
    return data


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path` against every other thread and process of this machine."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _written_aside(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A durable file beside `path`, gone afterwards; then the folder is synchronised too."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    opened = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(opened, "wb") as file:
            os.fchmod(opened, mode)
            file.write(data)
            file.flush()
            os.fsync(opened)
        yield aside
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
