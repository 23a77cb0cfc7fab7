"""CMS SignedData as a PDF seal carries it: PAdES baseline B-B (ETSI EN 319 142-1 §5, RFC 5652).

Three signed attributes, no more: content type, digest of the document, and the digest of the
signer's certificate (ESS signing-certificate-v2, RFC 5035), so that the signature holds for one
document and one certificate. The signing time stands in the signature dictionary of the PDF, as
PAdES wants it. With SM2, which PAdES does not name, all of this is the same, and SM3 every digest.
Everything that is the same for one key is encoded once, in `CmsForm`; a seal then costs one digest,
one signature and two concatenations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import load_der_x509_certificate

from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.reasons import ProofError
from hub.proof.x509.sm2 import parse_x509
from hub.seal.keys import SigningKey

FORMAT: Final = FORMATS[KeyUse.PDF]

_INTEGER: Final = 0x02
_OCTETS: Final = 0x04
_OID: Final = 0x06
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_CONTEXT_2: Final = 0xA2
_NULL: Final = b"\x05\x00"


def der(tag: int, *parts: bytes) -> bytes:
    """One DER element with a definite, minimal length (X.690 §10.1)."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytearray((first * 40 + second,))
    for arc in rest:
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        content += bytes(reversed(digits))
    return der(_OID, bytes(content))


# How much longer the certificates of a key's successor may be.
_SUCCESSOR_BYTES_MAX: Final = 512
_ES256: Final = ec.ECDSA(hashes.SHA256())
_ES384: Final = ec.ECDSA(hashes.SHA384())
_PSS: Final = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
_DATA: Final = _oid("1.2.840.113549.1.7.1")
_SIGNED_DATA: Final = _oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE: Final = _oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = _oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE_V2: Final = _oid("1.2.840.113549.1.9.16.2.47")
_TIME_STAMP_TOKEN: Final = _oid("1.2.840.113549.1.9.16.2.14")
_SHA256: Final = der(_SEQUENCE, _oid("2.16.840.1.101.3.4.2.1"))
_SHA384: Final = der(_SEQUENCE, _oid("2.16.840.1.101.3.4.2.2"))
_SHA512: Final = der(_SEQUENCE, _oid("2.16.840.1.101.3.4.2.3"))
_SM3: Final = der(_SEQUENCE, _oid(sm2.SM3_OID))
_MGF1_SHA256: Final = der(_SEQUENCE, _oid("1.2.840.113549.1.1.8"), _SHA256)
_PSS_PARAMETERS: Final = der(
    _SEQUENCE,
    der(_CONTEXT_0, _SHA256),
    der(_CONTEXT_1, _MGF1_SHA256),
    der(_CONTEXT_2, der(_INTEGER, b"\x20")),
)


@dataclass(frozen=True, slots=True)
class _Algorithm:
    """How a key algorithm stands in CMS: the document's digest, the two identifiers, and how long a
    signature gets (RSA: up to 4096 bits). `names_certificate` is the digest by which the attributes
    name the signer's certificate, and its identifier, which is left out where it is the default."""

    digest: hashes.HashAlgorithm
    signature_bytes_max: int
    digest_identifier: bytes
    signature_identifier: bytes
    names_certificate: tuple[hashes.HashAlgorithm, bytes] = (hashes.SHA256(), b"")


_ALGORITHMS: Final = {
    # RFC 5754 §3.3
    KeyAlgorithm.ES256: _Algorithm(
        hashes.SHA256(), 72, _SHA256, der(_SEQUENCE, _oid("1.2.840.10045.4.3.2"))
    ),
    KeyAlgorithm.ES384: _Algorithm(
        hashes.SHA384(), 104, _SHA384, der(_SEQUENCE, _oid("1.2.840.10045.4.3.3"))
    ),
    # RFC 8419 §3: the digest that goes with Ed25519 is SHA-512.
    KeyAlgorithm.ED25519: _Algorithm(
        hashes.SHA512(), 64, _SHA512, der(_SEQUENCE, _oid("1.3.101.112"))
    ),
    # RFC 4056 §3, with the parameters of RFC 7518 §3.5.
    KeyAlgorithm.PS256: _Algorithm(
        hashes.SHA256(),
        512,
        _SHA256,
        der(_SEQUENCE, _oid("1.2.840.113549.1.1.10"), _PSS_PARAMETERS),
    ),
    # No RFC has them. The identifiers are those of certificates (GB/T 33560), without parameters.
    KeyAlgorithm.SM2: _Algorithm(
        hashes.SM3(), 72, _SM3, der(_SEQUENCE, _oid(sm2.SM2_WITH_SM3)), (hashes.SM3(), _SM3)
    ),
}


@dataclass(frozen=True, slots=True, repr=False)
class CmsForm:
    """All of a CMS that depends on the key alone. Made once per key, used for every seal."""

    algorithm: KeyAlgorithm
    check_value: Callable[[bytes, bytes], None]
    """Raises InvalidSignature where a value is not the certificate's over these bytes."""
    _suite: _Algorithm
    _fixed_attributes: tuple[bytes, bytes]
    _before_signer: bytes
    _signer: bytes

    @classmethod
    def of(cls, key: SigningKey) -> CmsForm:
        """The form of `key`. Raises HubError(KEY_USAGE_REFUSED): it makes no PDF seals."""
        if not key.x509_chain:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=key.kid)
        suite, leaf = _ALGORITHMS[key.algorithm], key.x509_chain[0]
        try:
            check_value = _check_of(key.algorithm, leaf)
        except (ValueError, UnsupportedAlgorithm, ProofError) as error:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=key.kid) from error
        identifier = der(_SEQUENCE, *_issuer_and_serial(leaf))
        named_by, named_identifier = suite.names_certificate
        named = der(_SEQUENCE, named_identifier, der(_OCTETS, _digest(named_by, leaf)))
        return cls(
            key.algorithm,
            check_value,
            suite,
            (
                _attribute(_CONTENT_TYPE, _DATA),
                # ESSCertIDv2 without the issuer (RFC 5035 §4).
                _attribute(_SIGNING_CERTIFICATE_V2, der(_SEQUENCE, der(_SEQUENCE, named))),
            ),
            b"".join(
                (
                    der(_INTEGER, b"\x01"),
                    der(_SET, suite.digest_identifier),
                    # No content of its own: the PDF is what is signed.
                    der(_SEQUENCE, _DATA),
                    der(_CONTEXT_0, *sorted(key.x509_chain)),
                )
            ),
            der(_INTEGER, b"\x01") + identifier + suite.digest_identifier,
        )

    @property
    def digest_name(self) -> str:
        """The document's digest as pyHanko calls it."""
        return self._suite.digest.name

    def digest(self, *parts: bytes | memoryview) -> bytes:
        """The digest of a document that comes in parts."""
        return _digest(self._suite.digest, *parts)

    def attributes(self, digest: bytes) -> bytes:
        """The exact bytes to be signed: the DER SET OF the signed attributes (RFC 5652 §5.4)."""
        return der(
            _SET,
            *sorted((*self._fixed_attributes, _attribute(_MESSAGE_DIGEST, der(_OCTETS, digest)))),
        )

    def digest_in(self, attributes: bytes) -> bytes:
        """The document digest that `attributes` are about, where they are this key's own.

        There is one encoding for a digest, so whatever is not exactly what `attributes()` makes
        is refused. Raises ValueError.
        """
        size = self._suite.digest.digest_size
        marker = _MESSAGE_DIGEST + bytes((_SET, size + 2, _OCTETS, size))
        digest = attributes.partition(marker)[2][:size]
        if len(digest) != size or self.attributes(digest) != attributes:
            raise ValueError("not the signed attributes of a PDF seal of this key")
        return digest

    def assemble(self, attributes: bytes, signature: bytes, time_stamp: bytes = b"") -> bytes:
        """The whole ContentInfo; `time_stamp` is the RFC 3161 token over the signature (B-T)."""
        unsigned = der(_CONTEXT_1, _attribute(_TIME_STAMP_TOKEN, time_stamp)) if time_stamp else b""
        signer = der(
            _SEQUENCE,
            self._signer,
            # The same bytes as were signed, under the implicit tag [0].
            bytes((_CONTEXT_0,)) + attributes[1:],
            self._suite.signature_identifier,
            der(_OCTETS, signature),
            unsigned,
        )
        signed_data = der(_SEQUENCE, self._before_signer, der(_SET, signer))
        return der(_SEQUENCE, _SIGNED_DATA, der(_CONTEXT_0, signed_data))

    def size_max(self) -> int:
        """Upper bound of the bytes of a CMS without a time stamp, of this key or of its successor,
        whose certificates may be a little longer."""
        attributes = self.attributes(bytes(self._suite.digest.digest_size))
        largest = self.assemble(attributes, bytes(self._suite.signature_bytes_max))
        return len(largest) + _SUCCESSOR_BYTES_MAX


def sign_cms(
    key: SigningKey,
    form: CmsForm,
    digest: bytes,
    sign: Callable[[bytes], bytes] | None = None,
) -> tuple[bytes, bytes]:
    """Attributes over `digest` and `key`'s signature of them, which `sign` asks for where more than
    the attributes must be shown.

    The certificate verifies the signature first: a device that answers with another key's would
    seal for nobody. Raises HubError(KEY_SIGNATURE_WRONG), and what the key raises.
    """
    attributes = form.attributes(digest)
    signature = key.sign(attributes, FORMAT) if sign is None else sign(attributes)
    try:
        form.check_value(attributes, signature)
    except InvalidSignature as error:
        raise HubError(Reason.KEY_SIGNATURE_WRONG, kid=key.kid) from error
    return attributes, signature


def _check_of(algorithm: KeyAlgorithm, leaf: bytes) -> Callable[[bytes, bytes], None]:
    """What checks data and signature with the certificate's key, which is of `algorithm`.

    Raises ValueError for another kind of key; the check raises InvalidSignature.
    """
    if algorithm is KeyAlgorithm.SM2:
        return _sm2_check_of(leaf)
    match algorithm, load_der_x509_certificate(leaf).public_key():
        case KeyAlgorithm.ES256, ec.EllipticCurvePublicKey(curve=ec.SECP256R1()) as curve_key:
            return lambda data, value: curve_key.verify(value, data, _ES256)
        case KeyAlgorithm.ES384, ec.EllipticCurvePublicKey(curve=ec.SECP384R1()) as curve_key:
            return lambda data, value: curve_key.verify(value, data, _ES384)
        case KeyAlgorithm.ED25519, ed25519.Ed25519PublicKey() as edwards_key:
            return lambda data, value: edwards_key.verify(value, data)
        case KeyAlgorithm.PS256, rsa.RSAPublicKey() as rsa_key:
            return lambda data, value: rsa_key.verify(value, data, _PSS, hashes.SHA256())
    raise ValueError("the certificate is of another kind of key")


def _sm2_check_of(leaf: bytes) -> Callable[[bytes, bytes], None]:
    """As `_check_of`; `cryptography` reads no such key. Raises ProofError for no certificate."""
    key = parse_x509(leaf).key
    if key is None:
        raise ValueError("the certificate is of another kind of key")

    def check(data: bytes, value: bytes) -> None:
        if not key.verify(data, value):
            raise InvalidSignature

    return check


def filled(around: tuple[bytes, bytes], room: int, contents: bytes) -> bytes:
    """A document whose bytes before and behind its reserved place, of `room` bytes, are `around`,
    with `contents` in the place: in hexadecimal, brackets included. Raises HubError(PDF_REFUSED).
    """
    written = contents.hex().encode()
    if len(written) > room - 2:
        raise HubError(
            Reason.PDF_REFUSED, en="there is no room for the signature", zh="签名预留空间不足"
        )
    head, tail = around
    return b"".join((head, b"<", written.ljust(room - 2, b"0"), b">", tail))


def _digest(algorithm: hashes.HashAlgorithm, *parts: bytes | memoryview) -> bytes:
    state = hashes.Hash(algorithm)
    for part in parts:
        state.update(part)
    return state.finalize()


def _attribute(oid: bytes, *values: bytes) -> bytes:
    return der(_SEQUENCE, oid, der(_SET, *values))


def _issuer_and_serial(leaf: bytes) -> Sequence[bytes]:
    """Both as they stand in the certificate: a name that is encoded anew might differ."""
    certificate = asn1_x509.Certificate.load(leaf, strict=True)
    return certificate.issuer.dump(), certificate["tbs_certificate"]["serial_number"].dump()
