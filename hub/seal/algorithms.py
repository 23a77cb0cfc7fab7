"""Signature algorithms of seal keys: make, load, sign, verify; and until when each may seal.

Inside the house a signature is its *octets*: r ‖ s for elliptic curves (low s where the curve is
NIST's), the plain octets of Ed25519 and RSA. `in_format` writes them as a format wants them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.x509.oid import NameOID

from hub.clock import legal_day
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm, SealingDays
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.jose import FACE_TYP, SEAL_TYP
from hub.proof.reasons import ProofError
from hub.proof.thumbprints import PublicHalf, key_thumbprint

RSA_BITS: Final = 3072
X509_TEXT_MAX: Final = 64
PUBLIC_KEY_BYTES_MAX: Final = 4096

_PSS: Final = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
_ORDERS: Final[Mapping[KeyAlgorithm, int]] = MappingProxyType(
    {
        KeyAlgorithm.ES256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        KeyAlgorithm.ES384: int(
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
            "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
            16,
        ),
        KeyAlgorithm.SM2: sm2.ORDER,
    }
)
_SCALAR_BYTES: Final = {KeyAlgorithm.ES256: 32, KeyAlgorithm.ES384: 48, KeyAlgorithm.SM2: 32}
# In SM2 the mirrored signature does not verify, so there is nothing to normalise.
_LOW_S: Final = frozenset({KeyAlgorithm.ES256, KeyAlgorithm.ES384})
_CURVES: Final = {"secp256r1": KeyAlgorithm.ES256, "secp384r1": KeyAlgorithm.ES384}
_HASHES: Final = {KeyAlgorithm.ES256: hashes.SHA256(), KeyAlgorithm.ES384: hashes.SHA384()}

# AlgorithmIdentifier of signatures in PKCS#10: RFC 5758 §3.2, RFC 8410 §3, RFC 4055 §3.1 (SHA-256,
# MGF1 with SHA-256, salt of 32), GB/T 33560 (SM2 with SM3, no parameters).
_X509_ALGORITHMS: Final[Mapping[KeyAlgorithm, bytes]] = MappingProxyType(
    {
        KeyAlgorithm.ES256: bytes.fromhex("300a06082a8648ce3d040302"),
        KeyAlgorithm.ES384: bytes.fromhex("300a06082a8648ce3d040303"),
        KeyAlgorithm.ED25519: bytes.fromhex("300506032b6570"),
        KeyAlgorithm.PS256: bytes.fromhex(
            "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
            "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
        ),
        KeyAlgorithm.SM2: bytes.fromhex("300a06082a811ccf55018375"),
    }
)

_Private: TypeAlias = (
    ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | sm2.PrivateKey
)


@dataclass(frozen=True, slots=True)
class AlgorithmTable:
    """Which algorithm may be used for new seals on which day.

    Retiring an algorithm is a line of configuration (docs/adr/0039); the table is asked when a key
    is made and before every seal.
    """

    days: Mapping[KeyAlgorithm, SealingDays]

    def allows(self, algorithm: KeyAlgorithm, at_us: int) -> bool:
        """Whether new seals may be made with `algorithm` at `at_us` (microseconds)."""
        return legal_day(at_us) in self.days[algorithm]

    def check(self, algorithm: KeyAlgorithm, at_us: int) -> None:
        """`algorithm` may be used at `at_us` (microseconds). Raises HubError(ALGORITHM_RETIRED)."""
        if not self.allows(algorithm, at_us):
            days = self.days[algorithm]
            raise HubError(
                Reason.ALGORITHM_RETIRED,
                algorithm=algorithm.value,
                first=days.first,
                last=days.last or "..",
            )


@dataclass(frozen=True)
class PublicKey:
    """A public key as its SubjectPublicKeyInfo (DER). Raises HubError(PUBLIC_KEY_INVALID) when it
    is asked something that its bytes do not bear out."""

    algorithm: KeyAlgorithm
    spki: bytes

    @classmethod
    def from_spki(cls, spki: bytes) -> PublicKey:
        """The key of a SubjectPublicKeyInfo of one of our algorithms, in its one encoding."""
        key = _load_public(spki)
        public = cls(_algorithm_of(key), spki)
        if _written(key) != spki:
            raise HubError(Reason.PUBLIC_KEY_INVALID, rule="not in the one encoding of its kind")
        return public

    @cached_property
    def kid(self) -> str:
        """What the key is called (`hub.proof.thumbprints`)."""
        return key_thumbprint(self._key)

    def verify(self, data: bytes, octets: bytes) -> None:
        """`octets` is this key's signature over `data`. Raises HubError(KEY_SIGNATURE_WRONG)."""
        try:
            match self._key:
                case ec.EllipticCurvePublicKey() as key:
                    der = in_der(self.algorithm, octets)
                    key.verify(der, data, ec.ECDSA(_HASHES[self.algorithm]))
                case ed25519.Ed25519PublicKey() as key:
                    key.verify(octets, data)
                case rsa.RSAPublicKey() as key:
                    key.verify(octets, data, _PSS, hashes.SHA256())
                case sm2.PublicKey() as key:
                    if not key.verify(data, in_der(self.algorithm, octets)):
                        raise InvalidSignature
        except InvalidSignature as error:
            raise HubError(Reason.KEY_SIGNATURE_WRONG, kid=self.kid) from error

    @cached_property
    def _key(self) -> PublicHalf:
        return _load_public(self.spki)


@dataclass(frozen=True, slots=True, repr=False)
class SoftwareKey:
    """A private key in this process's memory. Any thread may sign."""

    public: PublicKey
    _private: _Private

    @classmethod
    def generate(cls, algorithm: KeyAlgorithm) -> SoftwareKey:
        """A fresh key."""
        match algorithm:
            case KeyAlgorithm.ES256:
                return cls._of(ec.generate_private_key(ec.SECP256R1()))
            case KeyAlgorithm.ES384:
                return cls._of(ec.generate_private_key(ec.SECP384R1()))
            case KeyAlgorithm.ED25519:
                return cls._of(ed25519.Ed25519PrivateKey.generate())
            case KeyAlgorithm.PS256:
                return cls._of(rsa.generate_private_key(65537, RSA_BITS))
            case KeyAlgorithm.SM2:
                return cls._of(sm2.PrivateKey.generate())

    @classmethod
    def load(cls, algorithm: KeyAlgorithm, pkcs8: bytes, passphrase: bytes) -> SoftwareKey:
        """The key of an encrypted PKCS#8 (DER).

        Raises ValueError: damaged, another passphrase, or not a key of `algorithm`.
        """
        private: object
        try:
            if algorithm is KeyAlgorithm.SM2:
                private = sm2.PrivateKey.from_pkcs8(pkcs8, passphrase)
            elif sm2.is_by_sm4(pkcs8):
                plain = sm2.decrypted(pkcs8, passphrase)
                private = serialization.load_der_private_key(plain, None)
            else:
                private = serialization.load_der_private_key(pkcs8, passphrase)
        except (TypeError, UnsupportedAlgorithm, ProofError) as error:
            raise ValueError("not an encrypted private key") from error
        if not isinstance(private, _Private):
            raise ValueError("a private key of another kind")
        key = cls._of(private)
        if key.public.algorithm is not algorithm:
            raise ValueError(f"not a key of {algorithm.value}")
        return key

    def pkcs8(self, passphrase: bytes, profile: CryptoProfile) -> bytes:
        """The key as an encrypted PKCS#8 (DER): under AES-256, in the profile `gm` under SM4.

        Raises ProofError(SM2_UNAVAILABLE) where libcrypto has no SM4.
        """
        by_sm4 = profile is CryptoProfile.GM
        if isinstance(self._private, sm2.PrivateKey):
            return self._private.to_pkcs8(passphrase, sm4=by_sm4)
        encryption = serialization.BestAvailableEncryption(passphrase)
        if not by_sm4:
            return self._in_pkcs8(self._private, encryption)
        plain = self._in_pkcs8(self._private, serialization.NoEncryption())
        return sm2.encrypted_by_sm4(plain, passphrase)

    @staticmethod
    def _in_pkcs8(
        private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey,
        encryption: serialization.KeySerializationEncryption,
    ) -> bytes:
        return private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, encryption
        )

    def sign(self, data: bytes) -> bytes:
        """The octets of a signature over `data`; ECDSA is deterministic (RFC 6979)."""
        # Looked up by the algorithm: this stands in the path of every record.
        ecdsa = _ECDSA.get(self.public.algorithm)
        if ecdsa is not None:
            elliptic = cast(ec.EllipticCurvePrivateKey, self._private)
            return octets_of_der(self.public.algorithm, elliptic.sign(data, ecdsa))
        match self._private:
            case ed25519.Ed25519PrivateKey() as key:
                return key.sign(data)
            case rsa.RSAPrivateKey() as key:
                return key.sign(data, _PSS, hashes.SHA256())
            case sm2.PrivateKey() as key:
                return octets_of_der(KeyAlgorithm.SM2, key.sign(data))
        raise AssertionError("every other kind is ECDSA")

    @classmethod
    def _of(cls, private: _Private) -> SoftwareKey:
        public = private.public if isinstance(private, sm2.PrivateKey) else private.public_key()
        return cls(PublicKey(_algorithm_of(public), _written(public)), private)

    def __repr__(self) -> str:
        return f"SoftwareKey({self.public.kid!r})"


_ECDSA: Final = {
    algorithm: ec.ECDSA(hash_algorithm, deterministic_signing=True)
    for algorithm, hash_algorithm in _HASHES.items()
}


# ---- signatures --------------------------------------------------------------------------------


def octets_of_der(algorithm: KeyAlgorithm, der: bytes) -> bytes:
    """r ‖ s of a DER signature, low s where the curve is NIST's."""
    r, s = decode_dss_signature(der)
    return octets_of_pair(algorithm, r, s)


def octets_of_pair(algorithm: KeyAlgorithm, r: int, s: int) -> bytes:
    """r ‖ s, low s where the curve is NIST's; some devices give either half."""
    if algorithm in _LOW_S:
        s = min(s, _ORDERS[algorithm] - s)
    size = _SCALAR_BYTES[algorithm]
    return r.to_bytes(size) + s.to_bytes(size)


def in_der(algorithm: KeyAlgorithm, octets: bytes) -> bytes:
    """The signature as DER where it is a pair of numbers, else as it is.

    Raises InvalidSignature for a pair of another length.
    """
    size = _SCALAR_BYTES.get(algorithm)
    if size is None:
        return octets
    if len(octets) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(octets[:size]), int.from_bytes(octets[size:]))


def in_format(format: str, algorithm: KeyAlgorithm, octets: bytes) -> bytes:
    """The signature as its format carries it: JOSE the octets (RFC 7518 §3.4), all others DER."""
    return octets if format in (SEAL_TYP, FACE_TYP) else in_der(algorithm, octets)


JOSE_NAMES: Final[Mapping[KeyAlgorithm, str]] = MappingProxyType(
    {
        **{algorithm: algorithm.value for algorithm in KeyAlgorithm},
        # No registered name exists (formats.md §4).
        KeyAlgorithm.SM2: "urn:oid:1.2.156.10197.1.501",
    }
)
"""`alg` of each algorithm."""


# ---- certificate requests ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose key it is, as its certificate will name it; longer texts are cut.

    `organization_identifier` is the authority's credit code.
    """

    common_name: str
    organization: str
    organization_identifier: str

    def name(self) -> bytes:
        """The X.501 name (DER): at most 64 characters of each (X.520, upper bounds)."""
        # The library counts the bytes of a common name.
        common_name = self.common_name.encode()[:X509_TEXT_MAX].decode(errors="ignore")
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization[:X509_TEXT_MAX]),
                x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, self.organization_identifier),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        ).public_bytes()


def request_info(public: PublicKey, subject: Subject) -> bytes:
    """What a certificate request signs: the CertificationRequestInfo (RFC 2986 §4.1), DER."""
    return _der(0x30, b"\x02\x01\x00", subject.name(), public.spki, b"\xa0\x00")


def certificate_request(public: PublicKey, info: bytes, octets: bytes) -> bytes:
    """The PKCS#10 request of `info` and its signature (DER), which was checked to be the key's.

    Raises HubError(KEY_SIGNATURE_WRONG): a device that signs otherwise than we verify is found out
    when its first key is made.
    """
    public.verify(info, octets)
    signature = _der(0x03, b"\x00", in_der(public.algorithm, octets))
    return _der(0x30, info, _X509_ALGORITHMS[public.algorithm], signature)


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


# ---- public keys -------------------------------------------------------------------------------


def _load_public(spki: bytes) -> PublicHalf:
    if len(spki) > PUBLIC_KEY_BYTES_MAX:
        raise HubError(Reason.PUBLIC_KEY_INVALID, rule="too large")
    try:
        return sm2.PublicKey.from_spki(spki)
    except ProofError:
        pass  # Of another algorithm.
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise HubError(Reason.PUBLIC_KEY_INVALID, rule="not a public key") from error
    if not isinstance(key, PublicHalf):
        raise HubError(Reason.PUBLIC_KEY_INVALID, rule="of an algorithm that seals nothing")
    return key


def _algorithm_of(key: PublicHalf) -> KeyAlgorithm:
    match key:
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return _CURVES[key.curve.name]
        case ed25519.Ed25519PublicKey():
            return KeyAlgorithm.ED25519
        case rsa.RSAPublicKey() if key.key_size >= RSA_BITS:
            return KeyAlgorithm.PS256
        case sm2.PublicKey():
            return KeyAlgorithm.SM2
    raise HubError(Reason.PUBLIC_KEY_INVALID, rule="of a curve or size that seals nothing")


def _written(key: PublicHalf) -> bytes:
    if isinstance(key, sm2.PublicKey):
        return key.to_spki()
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
