"""Keys in encrypted files: the home that needs nothing but a disk. Custody: the hub's, where it
is the hub that holds them."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.domain.certificate import Custody
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import SoftwareKey, Subject, certificate_request, request_info
from hub.seal.keys import KeyOrder, KeysHere, MadeKey, SealKey, check_private

PASSPHRASE_BYTES_MIN: Final = 16
PASSPHRASE_BYTES_MAX: Final = 1024
FILE_BYTES_MAX: Final = 16 * 1024

_BEGIN: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
_END: Final = b"-----END ENCRYPTED PRIVATE KEY-----\n"
# Of a record seal's key the file has been called so since there was no other use.
_PREFIXES: Final = {KeyUse.RECORD: "seal"} | {
    use: use.value for use in KeyUse if use is not KeyUse.RECORD
}


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Keys as PKCS#8 files, encrypted under the passphrase in `passphrase_file` (0600).

    The file of a key is `{folder}/{use}-{kid}.key`, so a key made for one use is not found for
    another. Files are never overwritten.
    """

    folder: Path
    passphrase_file: Path
    # As in `KeyHome`.
    name: str = "files"
    custody: Custody = Custody.HUB_FILE
    # What new files are encrypted with; those of either profile open.
    profile: CryptoProfile = CryptoProfile.INTERNATIONAL

    @property
    def algorithms(self) -> frozenset[KeyAlgorithm]:
        """As in `KeyHome`."""
        return frozenset(KeyAlgorithm)

    def create(
        self, algorithm: KeyAlgorithm, use: KeyUse, subject: Subject, _order: KeyOrder | None = None
    ) -> MadeKey:
        """As in `KeyHome`."""
        key = SoftwareKey.generate(algorithm)
        try:
            pkcs8 = key.pkcs8(self._passphrase(), self.profile)
        except ProofError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=error.detail) from error
        self._write(self._path(use, key.public.kid), pkcs8)
        info = request_info(key.public, subject)
        return MadeKey(key.public, certificate_request(key.public, info, key.sign(info)))

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> SealKey:
        """As in `KeyHome`: no file, open to others, damaged, or not this key."""
        path = self._path(use, kid)
        try:
            check_private(path)
            key = SoftwareKey.load(algorithm, _read(path), self._passphrase())
        except (OSError, ValueError) as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=kid) from error
        if key.public.kid != kid:
            raise HubError(Reason.KEY_UNAVAILABLE, key=kid)
        return SealKey(kid, algorithm, use, self.custody, x509_chain, key.sign)

    def destroy(self, kid: str, _mandate: Mandate | None = None) -> None:
        """As in `KeyHome`. What a disk keeps of a removed file is as encrypted as it was."""
        try:
            for use in KeyUse:
                self._path(use, kid).unlink(missing_ok=True)
            if self.folder.exists():
                _sync(self.folder)
        except OSError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=kid) from error

    def notice(self, _mandate: Mandate, _rejection: str = "") -> None:
        """As in `KeyHome`: whoever opens its keys knows."""

    def health(self) -> KeysHere:
        """As in `KeyHome`."""
        self._passphrase()
        try:
            files = sorted(self.folder.glob("*.key"))
            for path in files:
                check_private(path)
        except OSError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=str(error)) from error
        return KeysHere(len(files), frozenset(path.stem.partition("-")[2] for path in files))

    def close(self) -> None:
        """As in `KeyHome`: nothing is open."""

    def _path(self, use: KeyUse, kid: str) -> Path:
        if "/" in kid or not kid.isascii():
            raise HubError(Reason.KEY_UNAVAILABLE, key="whose thumbprint is none")
        return self.folder / f"{_PREFIXES[use]}-{kid}.key"

    def _passphrase(self) -> bytes:
        try:
            check_private(self.passphrase_file)
            passphrase = self.passphrase_file.read_bytes().strip()
        except OSError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key="passphrase") from error
        if not PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
            raise HubError(Reason.KEY_UNAVAILABLE, key="passphrase")
        return passphrase

    def _write(self, path: Path, pkcs8: bytes) -> None:
        """Write a new private file; file and folder entry are on disk on return."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_BEGIN + base64.encodebytes(pkcs8) + _END)
                file.flush()
                os.fsync(file.fileno())
            _sync(self.folder)
        except OSError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=path.name) from error


def _read(path: Path) -> bytes:
    """The DER in a PEM file. Raises OSError, ValueError."""
    with path.open("rb") as file:
        text = file.read(FILE_BYTES_MAX)
    if not text.startswith(_BEGIN) or not text.endswith(_END):
        raise ValueError("not an encrypted private key in PEM")
    return base64.b64decode(text[len(_BEGIN) : -len(_END)])


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
