"""Secrets as files: mode 0600, encrypted under a passphrase, named by their purpose.

A file says what its secret is for, and that is part of what is authenticated: a key renamed into
the place of another is refused.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.errors import HubError, Reason

_MAGIC: Final = b"sealway-key-file/v1\n"
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_FILE_BYTES_MAX: Final = 64 * 1024
_TOO_OPEN: Final = 0o037


def write_key_file(path: Path, secret: bytes, *, purpose: str, passphrase: bytes) -> None:
    """Put `secret` at `path`, encrypted; whole, and durable when it returns, or not at all.

    Raises HubError(KEY_FILE_EXISTS): a key is never overwritten.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(passphrase, salt).encrypt(nonce, secret, _MAGIC + purpose.encode())
    # Complete before it gets its name: half a key would keep the place of a whole one for ever.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    opened = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(_MAGIC + salt + nonce + sealed)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, refuses to replace.
        path.hardlink_to(aside)
    except FileExistsError as error:
        raise HubError(Reason.KEY_FILE_EXISTS, path=path) from error
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key_file(path: Path, *, purpose: str, passphrase: bytes) -> bytes:
    """The secret at `path`.

    Raises HubError(FILE_UNREADABLE): absent, reachable by others, damaged, made for another
    purpose, or the passphrase does not fit.
    """
    try:
        if path.stat().st_mode & _TOO_OPEN:
            raise _unreadable(path, "others may reach it; run: chmod 600")
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be read") from error
    head = len(_MAGIC) + _SALT_BYTES
    if not data.startswith(_MAGIC) or len(data) < head + _NONCE_BYTES:
        raise _unreadable(path, "is not a key file of this hub")
    salt, nonce = data[len(_MAGIC) : head], data[head : head + _NONCE_BYTES]
    try:
        return _cipher(passphrase, salt).decrypt(
            nonce, data[head + _NONCE_BYTES :], _MAGIC + purpose.encode()
        )
    except InvalidTag as error:
        rule = f"is damaged, not meant as {purpose}, or the passphrase does not fit"
        raise _unreadable(path, rule) from error


def _cipher(passphrase: bytes, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase))


def _unreadable(path: Path, rule: str) -> HubError:
    return HubError(Reason.FILE_UNREADABLE, what="key", path=path, rule=rule)
