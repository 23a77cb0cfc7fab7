"""Sealing keys: what signs, and the files in which such keys rest encrypted.

A key is made inside the hub and never leaves it. It signs one format for life: `FileKey.sign` looks
into the bytes it is given and refuses any other, so a seal key signs no approval and no token.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.domain.certificate import Custody
from hub.errors import HubError, Reason
from hub.proof.encoding import Json, b64, b64u, b64u_decode, emit_json, parse_object
from hub.proof.jose import SEAL_TYP, Algorithm, es256_sign, thumbprint
from hub.proof.reasons import ProofError

SIGNED_BYTES_MAX: Final = 64 * 1024
PASSPHRASE_BYTES_MIN: Final = 16
PASSPHRASE_BYTES_MAX: Final = 1024
X509_TEXT_MAX: Final = 64


class SigningKey(Protocol):
    """A key of a seal, wherever it rests. Any thread may sign."""

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        ...

    @property
    def algorithm(self) -> Algorithm:
        """The one algorithm of this key."""
        ...

    @property
    def custody(self) -> Custody:
        """In whose hands the key is."""
        ...

    @property
    def x509_chain(self) -> tuple[bytes, ...]:
        """DER, leaf first, without the root."""
        ...

    def sign(self, signing_input: bytes, format: str) -> bytes:
        """r ‖ s over the exact bytes, which must be of `format` (a `typ`). Never a digest.

        Raises HubError(KEY_USAGE_REFUSED), (KEY_UNAVAILABLE).
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class FileKey:
    """A P-256 key read from an encrypted file; custody is the hub's, by delegation."""

    kid: str
    x509_chain: tuple[bytes, ...]
    _private: ec.EllipticCurvePrivateKey = field(repr=False)
    _headers: set[bytes] = field(default_factory=set, repr=False)

    @property
    def algorithm(self) -> Algorithm:
        return Algorithm.ES256

    @property
    def custody(self) -> Custody:
        return Custody.HUB_FILE

    def sign(self, signing_input: bytes, format: str) -> bytes:
        if format != SEAL_TYP or len(signing_input) > SIGNED_BYTES_MAX:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)
        header = signing_input.partition(b".")[0]
        if header not in self._headers:
            self._check_header(header)
            self._headers.add(header)
        return es256_sign(self._private)(signing_input)

    def _check_header(self, segment: bytes) -> None:
        """The header is exactly this key's for its one format; there is one such text per chain."""
        try:
            members = parse_object(b64u_decode(segment.decode("ascii", "replace")))
        except ProofError as error:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid) from error
        if b64u(emit_json(members)).encode() != segment or members != {
            "alg": self.algorithm.value,
            "typ": SEAL_TYP,
            "kid": self.kid,
            "x5c": [b64(der) for der in self.x509_chain],
        }:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=self.kid)

    def __repr__(self) -> str:
        return f"FileKey({self.kid!r})"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Seal keys as PKCS#8 files, encrypted under the passphrase in `passphrase_file` (0600).

    The file of a key is `{folder}/seal-{kid}.key`. Files are never overwritten or removed.
    """

    folder: Path
    passphrase_file: Path

    def create(self, title: str, uscc: str, authority_title: str) -> tuple[str, bytes]:
        """Make a key; durable on return. Gives its thumbprint and a PKCS#10 request (DER)."""
        private = ec.generate_private_key(ec.SECP256R1())
        kid = thumbprint(private.public_key())
        encryption = serialization.BestAvailableEncryption(self._passphrase())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        self._write(self._path(kid), pem)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, authority_title[:X509_TEXT_MAX]),
                x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, uscc),
                x509.NameAttribute(NameOID.COMMON_NAME, title[:X509_TEXT_MAX]),
            ]
        )
        request = x509.CertificateSigningRequestBuilder(subject).sign(private, hashes.SHA256())
        return kid, request.public_bytes(serialization.Encoding.DER)

    def open(self, kid: str, x509_chain: tuple[bytes, ...]) -> FileKey:
        """The key `kid`. Raises HubError(KEY_UNAVAILABLE): no file, open to others, damaged."""
        path = self._path(kid)
        try:
            _check_private(path)
            private = serialization.load_pem_private_key(path.read_bytes(), self._passphrase())
        except (OSError, ValueError, TypeError) as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=kid) from error
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise HubError(Reason.KEY_UNAVAILABLE, key=kid)
        if thumbprint(private.public_key()) != kid:
            raise HubError(Reason.KEY_UNAVAILABLE, key=kid)
        return FileKey(kid, x509_chain, private)

    def _path(self, kid: str) -> Path:
        return self.folder / f"seal-{kid}.key"

    def _passphrase(self) -> bytes:
        try:
            _check_private(self.passphrase_file)
            passphrase = self.passphrase_file.read_bytes().strip()
        except OSError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key="passphrase") from error
        if not PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
            raise HubError(Reason.KEY_UNAVAILABLE, key="passphrase")
        return passphrase

    def _write(self, path: Path, data: bytes) -> None:
        """Write a new private file; file and folder entry are on disk on return."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise HubError(Reason.KEY_UNAVAILABLE, key=path.name) from error


def header_segment(key: SigningKey) -> str:
    """The protected header of every record that `key` seals, as it stands in the JWS."""
    header: dict[str, Json] = {
        "alg": key.algorithm.value,
        "typ": SEAL_TYP,
        "kid": key.kid,
        "x5c": [b64(der) for der in key.x509_chain],
    }
    return b64u(emit_json(header))


def _check_private(path: Path) -> None:
    """Refuse a secret that others may read or change."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise PermissionError(f"{path.name} is open to others")
