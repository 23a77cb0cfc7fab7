"""Keys that the command line makes where they will be used, encrypted, never replaced."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from certs.files import make_private_folder
from certs.keys import load_key, new_key, new_passphrase_file, read_passphrase, save_key


def own_passphrase(folder: Path) -> bytes:
    """The passphrase of the keys in `folder`, made with the folder where it is missing."""
    if not folder.is_dir():
        make_private_folder(folder)
    new_passphrase_file(folder / "passphrase")
    return read_passphrase(folder / "passphrase")


def own_key(file: Path, passphrase: bytes) -> ec.EllipticCurvePrivateKey:
    """The P-256 key at `file`, made where it is missing. Raises HubError(FILE_UNREADABLE)."""
    if not file.exists():
        save_key(file, new_key(), passphrase)
    return load_key(file, passphrase)
