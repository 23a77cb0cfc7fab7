"""Secrets as files: mode 0600, encrypted under a passphrase, named by their purpose.

A file says what its secret is for, and that is part of what is authenticated: a key renamed into
the place of another is refused. Its first line says what it is encrypted with (`aead.py`), so a
file opens without anybody telling.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.domain.crypto import CryptoProfile
from hub.errors import HubError, Reason
from hub.storage.aead import AEAD, KEY_BYTES, NONCE_BYTES, aead, has_sm4

_FIRST_LINE: Final = {
    CryptoProfile.INTERNATIONAL: b"sealway-key-file/v1\n",
    CryptoProfile.GM: b"sealway-key-file/v1 sm4\n",
}
_SALT_BYTES: Final = 16
_FILE_BYTES_MAX: Final = 64 * 1024
_TOO_OPEN: Final = 0o037


def write_key_file(
    path: Path,
    secret: bytes,
    *,
    purpose: str,
    passphrase: bytes,
    profile: CryptoProfile = CryptoProfile.INTERNATIONAL,
) -> None:
    """Put `secret` at `path`, encrypted; whole, and durable when it returns, or not at all.

    Raises HubError(KEY_FILE_EXISTS): a key is never overwritten; (FILE_UNREADABLE) where the
    installed `cryptography` has no SM4 and the profile wants it.
    """
    _check_computable(path, profile)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    line = _FIRST_LINE[profile]
    sealed = _cipher(passphrase, salt, profile).encrypt(nonce, secret, line + purpose.encode())
    # Complete before it gets its name: half a key would keep the place of a whole one for ever.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    opened = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(line + salt + nonce + sealed)
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
    purpose, the passphrase does not fit, or the installed `cryptography` has no SM4.
    """
    try:
        if path.stat().st_mode & _TOO_OPEN:
            raise _unreadable(path, "others may reach it; run: chmod 600")
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be read") from error
    found = [(one, line) for one, line in _FIRST_LINE.items() if data.startswith(line)]
    if not found or len(data) < len(found[0][1]) + _SALT_BYTES + NONCE_BYTES:
        raise _unreadable(path, "is not a key file of this hub")
    ((profile, line),) = found
    _check_computable(path, profile)
    rest = data[len(line) :]
    salt, nonce = rest[:_SALT_BYTES], rest[_SALT_BYTES : _SALT_BYTES + NONCE_BYTES]
    sealed = rest[_SALT_BYTES + NONCE_BYTES :]
    try:
        return _cipher(passphrase, salt, profile).decrypt(nonce, sealed, line + purpose.encode())
    except InvalidTag as error:
        rule = f"is damaged, not meant as {purpose}, or the passphrase does not fit"
        raise _unreadable(path, rule) from error


def _check_computable(path: Path, profile: CryptoProfile) -> None:
    if profile is CryptoProfile.GM and not has_sm4():
        rule = "is encrypted by SM4-GCM, which the installed cryptography does not compute"
        raise _unreadable(path, rule)


def _cipher(passphrase: bytes, salt: bytes, profile: CryptoProfile) -> AEAD:
    kdf = Scrypt(salt=salt, length=KEY_BYTES[profile], n=2**15, r=8, p=1)
    return aead(kdf.derive(passphrase))


def _unreadable(path: Path, rule: str) -> HubError:
    return HubError(Reason.FILE_UNREADABLE, what="key", path=path, rule=rule)
