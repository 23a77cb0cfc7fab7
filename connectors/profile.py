"""Client profiles: where a hub is, whom it must prove to be, and whose keys are used to call it.

    [hub]
    address = "127.0.0.1:7443"
    origin = "hub.hangzhou.example"
    region = "330100"
    ca = "ca.pem"                  # anchor of the hub's TLS certificate
    certificate = "client.pem"     # own chain, leaf first
    key = "client.key"
    trust = "trust.json"           # what proofs of this hub are checked with

    [system]
    name = "systems/window-1"
    signing_key = "signing.key"    # of requests, batches or approvals; absent where none are signed
    passphrase_file = "passphrase" # of both keys; absent where they are not encrypted

Paths are relative to the profile's folder.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import HubError, Reason
from hub.proof.jose import Signer, es256_signer

PROFILE_BYTES_MAX: Final = 64 * 1024
_PORT_MAX: Final = 65_535
SECRET_BYTES_MAX: Final = 16 * 1024

_HUB: Final = ("address", "origin", "region", "ca", "certificate", "key", "trust")
_SYSTEM: Final = ("name", "signing_key", "passphrase_file")

# Readable by the group is how container platforms mount secrets; everything wider is refused.
_TOO_OPEN: Final = 0o037


@dataclass(frozen=True, slots=True)
class Profile:
    """A client profile with its paths resolved. Keys are read when used and never kept in it."""

    path: Path
    address: str
    origin: str
    region: str
    ca: Path
    certificate: Path
    key: Path
    trust: Path
    name: str
    signing_key: Path | None = None
    passphrase_file: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the profile lies, and what a client of it remembers."""
        return self.path.parent

    def client_key_pem(self) -> bytes:
        """The TLS key as unencrypted PEM, for memory only. Raises HubError(FILE_UNREADABLE)."""
        return self._load_key(self.key).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def signer(self) -> Signer:
        """The signer of requests, batches or approvals. Raises HubError(FILE_UNREADABLE)."""
        if self.signing_key is None:
            raise _unreadable("client profile", self.path, "[system] signing_key is missing")
        return es256_signer(self._load_key(self.signing_key))

    def _load_key(self, path: Path) -> ec.EllipticCurvePrivateKey:
        passphrase = None
        data = _read_secret(path, "private key")
        if self.passphrase_file is not None and b"ENCRYPTED" in data:
            passphrase = _read_secret(self.passphrase_file, "passphrase").rstrip(b"\r\n")
        try:
            key = serialization.load_pem_private_key(data, passphrase)
        except TypeError:
            rule = "is encrypted: name its passphrase_file in the profile"
            raise _unreadable("private key", path, rule) from None
        except (ValueError, UnsupportedAlgorithm):
            # The cause may quote the file: it is dropped on purpose.
            rule = "is damaged, or the passphrase does not fit"
            raise _unreadable("private key", path, rule) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise _unreadable("private key", path, "is not a P-256 key")
        return key


def load_profile(path: Path) -> Profile:
    """The profile at `path`. Raises HubError(FILE_UNREADABLE) naming the member that is wrong."""
    what = "client profile"
    try:
        document = tomllib.loads(read_bounded(path, PROFILE_BYTES_MAX, what).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(what, path, f"is not TOML ({error})") from error
    if unknown := sorted(document.keys() - {"hub", "system"}):
        raise _unreadable(what, path, f"[{unknown[0]}] is none of [hub], [system]")
    hub = _table(document, "hub", path, required=_HUB)
    system = _table(document, "system", path, required=("name",))
    port = hub["address"].rpartition(":")[2]
    # gRPC would take a larger one for what is left of it in 16 bits.
    if port.isascii() and port.isdigit() and (len(port) > 5 or int(port) > _PORT_MAX):
        raise _unreadable(what, path, f"[hub] address has a port above {_PORT_MAX}")
    folder = path.parent
    signing_key, passphrase_file = system.get("signing_key"), system.get("passphrase_file")
    return Profile(
        path=path,
        address=hub["address"],
        origin=hub["origin"],
        region=hub["region"],
        ca=folder / hub["ca"],
        certificate=folder / hub["certificate"],
        key=folder / hub["key"],
        trust=folder / hub["trust"],
        name=system["name"],
        signing_key=folder / signing_key if signing_key else None,
        passphrase_file=folder / passphrase_file if passphrase_file else None,
    )


def profile_text(hub: Mapping[str, str], system: Mapping[str, str]) -> str:
    """The TOML text of a profile with these members, in the order of the format."""
    lines = ["[hub]"]
    lines += [f"{name} = {json.dumps(hub[name], ensure_ascii=False)}" for name in _HUB]
    lines += ["", "[system]"]
    lines += [
        f"{name} = {json.dumps(system[name], ensure_ascii=False)}"
        for name in _SYSTEM
        if name in system
    ]
    return "\n".join(lines) + "\n"


def read_bounded(path: Path, bytes_max: int, what: str) -> bytes:
    """The bytes of a file of at most `bytes_max`. Raises HubError(FILE_UNREADABLE)."""
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise _unreadable(what, path, error.strerror or "cannot be read") from error
    if len(data) > bytes_max:
        raise _unreadable(what, path, f"larger than {bytes_max} bytes")
    return data


def _read_secret(path: Path, what: str) -> bytes:
    data = read_bounded(path, SECRET_BYTES_MAX, what)
    mode = path.stat().st_mode & 0o777
    if mode & _TOO_OPEN:
        rule = f"its mode {mode:04o} lets others reach it; run: chmod 600"
        raise _unreadable(what, path, rule)
    return data


def _table(
    document: Mapping[str, object], name: str, path: Path, *, required: tuple[str, ...]
) -> dict[str, str]:
    known = _HUB if name == "hub" else _SYSTEM
    table = document.get(name)
    if not isinstance(table, dict):
        raise _unreadable("client profile", path, f"the table [{name}] is missing")
    texts: dict[str, str] = {}
    for member, value in table.items():
        if member not in known:
            rule = f"[{name}] {member} is none of {', '.join(known)}"
            raise _unreadable("client profile", path, rule)
        if not isinstance(value, str) or not value:
            raise _unreadable("client profile", path, f"[{name}] {member} is not a text")
        texts[member] = value
    for member in required:
        if member not in texts:
            raise _unreadable("client profile", path, f"[{name}] {member} is missing")
    return texts


def _unreadable(what: str, path: Path, rule: str) -> HubError:
    return HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule)
