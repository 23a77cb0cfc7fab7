"""Private keys as files, signing requests with proof of possession, and names of X.509 objects.

Keys made here are P-256, and SM2 where a profile says so; requests may be of what else the profile
allows. A private key never appears in a message, a repr or an argument list.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from certs.files import PRIVATE, make_private_folder, read_bounded, read_secret, write_new
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.reasons import ProofError
from hub.proof.x509.make_sm2 import check_request

P256: Final = "P-256"
P384: Final = "P-384"
ED25519: Final = "Ed25519"
RSA: Final = "RSA"
SM2: Final = "SM2"
ALGORITHMS: Final = (P256, P384, ED25519, RSA, SM2)
RSA_BITS_MIN: Final = 3072

InternationalKey: TypeAlias = (
    ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
)
PublicKey: TypeAlias = InternationalKey | sm2.PublicKey
CaKey: TypeAlias = ec.EllipticCurvePrivateKey | sm2.PrivateKey

SECRET_BYTES_MAX: Final = 16 * 1024
CSR_BYTES_MAX: Final = 16 * 1024
CRL_BYTES_MAX: Final = 64 * 1024 * 1024
CERTIFICATE_BYTES_MAX: Final = 64 * 1024

# X.520 upper bounds of commonName and organizationName.
NAME_MAX: Final = 64

_CERTIFICATE_BLOCK: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL
)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key, in memory only."""
    return ec.generate_private_key(ec.SECP256R1())


def save_key(path: Path, key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> None:
    """Write `key` as PKCS#8 with mode 0600, encrypted when a passphrase is given.

    Durable when it returns; the folder is made with mode 0700 where it is missing. Raises
    HubError(KEY_FILE_EXISTS): a key is never overwritten.
    """
    if not path.parent.is_dir():
        make_private_folder(path.parent)
    try:
        write_new(path, private_pem(key, passphrase), mode=PRIVATE)
    except FileExistsError as error:
        raise HubError(Reason.KEY_FILE_EXISTS, path=path) from error


def save_sm2_key(path: Path, key: sm2.PrivateKey, passphrase: bytes) -> None:
    """As `save_key`, for an SM2 key, which is always encrypted."""
    try:
        write_new(path, _armoured(key.to_pkcs8(passphrase)), mode=PRIVATE)
    except FileExistsError as error:
        raise HubError(Reason.KEY_FILE_EXISTS, path=path) from error


def load_sm2_key(path: Path, passphrase: bytes) -> sm2.PrivateKey:
    """The SM2 key at `path`. Raises HubError(FILE_UNREADABLE) as `load_key`."""
    pem = read_secret(path, bytes_max=SECRET_BYTES_MAX, what="private key")
    try:
        body = b"".join(pem.split(_BEGIN)[1].split(_END)[0].split())
        return sm2.PrivateKey.from_pkcs8(base64.b64decode(body, validate=True), passphrase)
    except (IndexError, ValueError, ProofError):
        # The cause may quote the file: it is dropped on purpose.
        raise _bad_key(path, "is damaged, or the passphrase does not fit") from None


def load_key(path: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    """The P-256 key at `path`. A passphrase given for an unencrypted file is refused.

    Raises HubError(FILE_UNREADABLE): absent, reachable by others, damaged, another algorithm, or
    the passphrase does not fit.
    """
    data = read_secret(path, bytes_max=SECRET_BYTES_MAX, what="private key")
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except TypeError:
        rule = "is encrypted: give its passphrase file"
        if passphrase is not None:
            rule = "is not encrypted although a passphrase was given"
        raise _bad_key(path, rule) from None
    except (ValueError, UnsupportedAlgorithm):
        # The cause may quote the file: it is dropped on purpose.
        raise _bad_key(path, "is damaged, or the passphrase does not fit") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _bad_key(path, "is not a P-256 key")
    return key


def private_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> bytes:
    """`key` as PKCS#8 PEM, encrypted when a passphrase is given."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def new_passphrase_file(path: Path) -> bool:
    """A passphrase of 256 random bits stands at `path`, mode 0600; False if one stood there."""
    if path.exists():
        return False
    if not path.parent.is_dir():
        make_private_folder(path.parent)
    write_new(path, secrets.token_urlsafe(32).encode() + b"\n", mode=PRIVATE)
    return True


def read_passphrase(path: Path) -> bytes:
    """The passphrase at `path`, without the line end. Raises HubError(FILE_UNREADABLE)."""
    passphrase = read_secret(path, bytes_max=SECRET_BYTES_MAX, what="passphrase").rstrip(b"\r\n")
    if not passphrase:
        raise HubError(Reason.FILE_UNREADABLE, what="passphrase", path=path, rule="is empty")
    return passphrase


def make_csr(key: ec.EllipticCurvePrivateKey, common_name: str) -> bytes:
    """A PKCS#10 request (PEM) that proves possession of `key`."""
    check_name("common_name", common_name)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


# What a request of each algorithm is hashed with. RSA signs with PSS: MGF1 over the same hash and a
# salt as long (RFC 4055 §3.1), as the hub's own requests have it.
_REQUEST_HASHES: Final = {P256: "sha256", P384: "sha384", ED25519: None, RSA: "sha256"}


def check_csr(csr: bytes, algorithms: Collection[str] = (P256,)) -> InternationalKey:
    """The key, of one of `algorithms`, whose possession the request (PEM or DER) proves.

    Everything else in it is ignored: name and use are decided by whoever enrols, not by whoever
    asks. Raises HubError(CSR_INVALID).
    """
    if len(csr) > CSR_BYTES_MAX:
        raise HubError(Reason.CSR_INVALID, rule=f"larger than {CSR_BYTES_MAX} bytes")
    wanted = " or ".join(algorithms)
    try:
        pem = csr.lstrip().startswith(b"-----BEGIN")
        request = x509.load_pem_x509_csr(csr) if pem else x509.load_der_x509_csr(csr)
        key = request.public_key()
        algorithm = algorithm_of(key)
        if algorithm not in algorithms:
            raise HubError(Reason.CSR_INVALID, rule=f"the key is {algorithm}, not {wanted}")
        hashed = request.signature_hash_algorithm
        if (hashed.name if hashed else None) != _REQUEST_HASHES[algorithm]:
            rule = f"a key of {algorithm} signs with {_REQUEST_HASHES[algorithm]}"
            raise HubError(Reason.CSR_INVALID, rule=rule)
        proven = _is_proven(request)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        rule = f"neither a PEM nor a DER PKCS#10 request with a key of {wanted}"
        raise HubError(Reason.CSR_INVALID, rule=rule) from error
    if not proven:
        rule = "its signature does not verify with the key in it"
        if algorithm == RSA:
            rule += " by RSA-PSS with SHA-256 and a salt of 32 bytes"
        raise HubError(Reason.CSR_INVALID, rule=rule)
    assert isinstance(key, InternationalKey), "algorithm_of knows no others"
    return key


def algorithm_of(key: object) -> str:
    """Which of ours a public key is of, or what it is instead."""
    match key:
        case ec.EllipticCurvePublicKey():
            return {"secp256r1": P256, "secp384r1": P384}.get(key.curve.name, key.curve.name)
        case ed25519.Ed25519PublicKey():
            return ED25519
        case rsa.RSAPublicKey():
            return RSA if key.key_size >= RSA_BITS_MIN else f"RSA of {key.key_size} bits"
        case sm2.PublicKey():
            return SM2
    return "of another kind"


def _is_proven(request: x509.CertificateSigningRequest) -> bool:
    key = request.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return request.is_signature_valid
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    try:
        key.verify(request.signature, request.tbs_certrequest_bytes, pss, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def check_sm2_csr(csr: bytes) -> sm2.PublicKey:
    """The SM2 key whose possession the request (PEM or DER) proves. Raises as `check_csr`."""
    if len(csr) > CSR_BYTES_MAX:
        raise HubError(Reason.CSR_INVALID, rule=f"larger than {CSR_BYTES_MAX} bytes")
    try:
        if csr.lstrip().startswith(b"-----BEGIN"):
            csr = x509.load_pem_x509_csr(csr).public_bytes(serialization.Encoding.DER)
        key, _name = check_request(csr)
    except (ValueError, ProofError) as error:
        rule = "neither a PEM nor a DER PKCS#10 request signed with the SM2 key in it"
        raise HubError(Reason.CSR_INVALID, rule=rule) from error
    return key


def read_certificate(path: Path) -> x509.Certificate:
    """The first X.509 certificate of a PEM or DER file. Raises HubError(FILE_UNREADABLE)."""
    what = "X.509 certificate"
    data = read_bounded(path, bytes_max=CERTIFICATE_BYTES_MAX, what=what)
    block = _CERTIFICATE_BLOCK.search(data)
    try:
        if block is not None:
            return x509.load_pem_x509_certificate(block.group())
        return x509.load_der_x509_certificate(data)
    except (ValueError, x509.InvalidVersion) as error:
        rule = "is neither PEM nor DER"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule) from error


def read_crl(path: Path) -> x509.CertificateRevocationList:
    """The revocation list of a DER file. Raises HubError(FILE_UNREADABLE)."""
    what = "revocation list"
    data = read_bounded(path, bytes_max=CRL_BYTES_MAX, what=what)
    try:
        return x509.load_der_x509_crl(data)
    except (ValueError, x509.InvalidVersion) as error:
        rule = "is not DER; remove it and sign the lists anew"
        raise HubError(Reason.FILE_UNREADABLE, what=what, path=path, rule=rule) from error


def thumbprint(certificate: x509.Certificate) -> str:
    """`x5t#S256` of RFC 8705: base64url of the SHA-256 of the DER, without padding."""
    return _b64u(hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest())


def spki(key: PublicKey) -> bytes:
    """The key as SubjectPublicKeyInfo (DER)."""
    if isinstance(key, sm2.PublicKey):
        return key.to_spki()
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_digest(key: PublicKey) -> str:
    """The name of a public key here: base64url of the SHA-256 of its SubjectPublicKeyInfo."""
    return _b64u(hashlib.sha256(spki(key)).digest())


def has_sm2() -> bool:
    """Whether libcrypto computes SM2 here."""
    try:
        sm2.PrivateKey.generate()
    except ProofError:
        return False
    return True


def check_name(field: str, text: str) -> None:
    """`text` can stand in a subject: 1 to 64 printable characters, no blank at either end."""
    if not text or len(text) > NAME_MAX or not text.isprintable() or text != text.strip():
        rule = f"1 to {NAME_MAX} printable characters without blanks at either end"
        raise HubError(Reason.FIELD_INVALID, field=field, rule=rule)


_BEGIN: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
_END: Final = b"-----END ENCRYPTED PRIVATE KEY-----\n"


def _armoured(der: bytes) -> bytes:
    return _BEGIN + base64.encodebytes(der) + _END


def _bad_key(path: Path, rule: str) -> HubError:
    return HubError(Reason.FILE_UNREADABLE, what="private key", path=path, rule=rule)


def _b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
