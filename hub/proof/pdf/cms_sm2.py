"""CMS signatures with SM2 and SM3, detached: those of RFC 5652, and of GB/T 35275 (GM/T 0010),
which uses types and algorithms of its own in the same structure.

No library here reads them, so this is the part of RFC 5652 §5 that a sealed document needs: one
signer, named by issuer and serial, with signed attributes. All of it is strict DER.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cryptography.hazmat import asn1

from hub.proof.der import element, read_der, write_der
from hub.proof.pdf import cms_asn1 as wire
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.sm2 import SM2_WITH_SM3, SM3_OID, sm3
from hub.proof.x509.asn1 import Wrapped
from hub.proof.x509.sm2 import X509, parse_x509

CMS_BYTES_MAX: Final = 256 * 1024
CERTIFICATES_MAX: Final = 16
TOKENS_MAX: Final = 4

# Of what type the whole is, and what is signed: RFC 5652 §4 and §5.1, GB/T 35275.
_TYPES: Final = {
    "1.2.840.113549.1.7.2": "1.2.840.113549.1.7.1",
    "1.2.156.10197.6.1.4.2.2": "1.2.156.10197.6.1.4.2.1",
}
_NATIONAL: Final = "1.2.156.10197.6.1.4.2.2"
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
# SM2 with SM3, and SM2 alone, which GB/T 35275 names beside the digest.
_SM2: Final = frozenset({SM2_WITH_SM3, "1.2.156.10197.1.301.1"})
_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
_TIME_STAMP_TOKEN: Final = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an object identifier.
_SEQUENCE: Final = b"\x30"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sm2Cms:
    """One signature. `attributes` is the SET that is signed, `time` the signer's word (seconds),
    `tokens` time stamps over `signature`, `others` certificates besides the signer's."""

    signer: X509
    others: tuple[X509, ...]
    attributes: bytes
    message_digest: bytes
    time: int | None
    signature: bytes
    tokens: tuple[bytes, ...]


def parse_sm2_cms(der: bytes) -> Sm2Cms:
    """The signature in `der`.

    Raises ProofError(CMS_MALFORMED), (CMS_ATTRIBUTES) and (X509_MALFORMED); as *cannot check*
    (CMS_FORM_UNKNOWN), (ALG_NOT_CHECKED) for other algorithms, and (CMS_ATTRIBUTES) where RFC 5652
    has no attribute that says whose certificate was meant. GB/T 35275 knows none; there the SM2
    signature, which covers the key of its signer, stands for it.
    """
    info = _read(wire.ContentInfo, der)
    content_type = _TYPES.get(info.type.dotted_string)
    if content_type is None:
        raise _open(ProofReason.CMS_FORM_UNKNOWN, info.type.dotted_string)
    data = _read(wire.SignedData, write_der(info.content))
    signers = data.signers.as_list()
    if len(signers) != 1:
        raise _malformed("not one signer")
    signer = _read(wire.SignerInfo, write_der(signers[0]))
    _check_algorithms(data, signer)
    if data.content.type.dotted_string != content_type:
        raise _malformed("content type")
    if (data.version, signer.version) != (1, 1):
        # By issuer and serial there is no other (RFC 5652 §5.1, §5.3; GB/T 35275).
        raise _malformed("version")
    by, others = _certificates(data, signer)
    if signer.signed is None:
        raise _open(ProofReason.CMS_FORM_UNKNOWN, "no signed attributes")
    attributes = _by_type(signer.signed.as_list())
    if _read(wire.WrappedType, _wrapped(attributes, _CONTENT_TYPE)).type != data.content.type:
        raise ProofError(ProofReason.CMS_ATTRIBUTES, "content type")
    if _SIGNING_CERTIFICATE_V2 in attributes:
        _check_certificate(attributes[_SIGNING_CERTIFICATE_V2], by)
    elif info.type.dotted_string != _NATIONAL:
        raise _open(ProofReason.CMS_ATTRIBUTES, "no signing certificate")
    time = None
    if _SIGNING_TIME in attributes:
        read = _read(wire.WrappedTime, _wrapped(attributes, _SIGNING_TIME))
        time = int(read.time.as_datetime().timestamp())
    return Sm2Cms(
        signer=by,
        others=others,
        attributes=_as_set(signer.signed),
        message_digest=_read(wire.WrappedOctets, _wrapped(attributes, _MESSAGE_DIGEST)).octets,
        time=time,
        signature=signer.signature,
        tokens=_tokens(signer),
    )


def check_digest(cms: Sm2Cms, content: bytes) -> None:
    """`content` is what was signed. Raises ProofError(CONTENT_DIGEST_MISMATCH)."""
    if sm3(content) != cms.message_digest:
        raise ProofError(ProofReason.CONTENT_DIGEST_MISMATCH)


def check_value(cms: Sm2Cms) -> None:
    """The attributes were signed by the key of the signer's certificate.

    Raises ProofError(ALG_MISMATCH), (SIGNATURE_INVALID), and (SM2_UNAVAILABLE) as *cannot check*.
    """
    if cms.signer.key is None:
        raise ProofError(ProofReason.ALG_MISMATCH, "the certificate holds no SM2 key")
    if not cms.signer.key.verify(cms.attributes, cms.signature):
        raise ProofError(ProofReason.SIGNATURE_INVALID)


def _check_algorithms(data: wire.SignedData, signer: wire.SignerInfo) -> None:
    digests = [item.algorithm.dotted_string for item in data.digest_algorithms.as_list()]
    used = signer.signature_algorithm.algorithm.dotted_string
    if used not in _SM2:
        raise _open(ProofReason.ALG_NOT_CHECKED, used)
    if signer.digest_algorithm.algorithm.dotted_string != SM3_OID:
        raise _open(ProofReason.ALG_NOT_CHECKED, "SM2 with another digest than SM3")
    if digests != [SM3_OID]:
        raise _malformed("digest algorithms")


def _certificates(data: wire.SignedData, signer: wire.SignerInfo) -> tuple[X509, tuple[X509, ...]]:
    """The certificate that the signer names, and the others."""
    name = write_der(signer.signer)
    if name[:1] != _SEQUENCE:
        raise _open(ProofReason.CMS_FORM_UNKNOWN, "the signer is not named by issuer and serial")
    named = _read(wire.IssuerAndSerial, name)
    held = [] if data.certificates is None else data.certificates.as_list()
    if len(held) > CERTIFICATES_MAX:
        raise _malformed("certificates")
    certificates = [parse_x509(write_der(item)) for item in held]
    issuer = write_der(named.issuer)
    found = [item for item in certificates if (item.issuer, item.serial) == (issuer, named.serial)]
    if len(found) != 1:
        raise _malformed("not one certificate of the signer")
    return found[0], tuple([item for item in certificates if item is not found[0]])


def _check_certificate(attribute: bytes, signer: X509) -> None:
    """The first certificate that the attribute names is the signer's (RFC 5035 §3)."""
    meant = _read(wire.SigningCertificate, attribute).certificates
    if not meant:
        raise ProofError(ProofReason.CMS_ATTRIBUTES, "signing certificate")
    algorithm = meant[0].algorithm
    name = _SHA256 if algorithm is None else algorithm.algorithm.dotted_string
    if name == SM3_OID:
        digest = sm3(signer.der)
    elif name == _SHA256:
        digest = hashlib.sha256(signer.der).digest()
    else:
        raise _open(ProofReason.ALG_NOT_CHECKED, name)
    if meant[0].digest != digest:
        raise ProofError(ProofReason.CMS_ATTRIBUTES, "signing certificate")


def _tokens(signer: wire.SignerInfo) -> tuple[bytes, ...]:
    attributes = [] if signer.unsigned is None else signer.unsigned.as_list()
    tokens = [
        write_der(value)
        for attribute in attributes
        if attribute.type.dotted_string == _TIME_STAMP_TOKEN
        for value in attribute.values.as_list()
    ]
    if len(tokens) > TOKENS_MAX:
        raise _malformed("time stamps")
    return tuple(tokens)


def _by_type(attributes: Sequence[wire.CmsAttribute]) -> dict[str, bytes]:
    """The one value of each attribute."""
    found = {}
    for attribute in attributes:
        values = attribute.values.as_list()
        if len(values) != 1:
            raise ProofError(ProofReason.CMS_ATTRIBUTES, "not one value")
        found[attribute.type.dotted_string] = write_der(values[0])
    if len(found) != len(attributes):
        raise ProofError(ProofReason.CMS_ATTRIBUTES, "twice the same")
    return found


def _wrapped(attributes: dict[str, bytes], name: str) -> bytes:
    """The value of an attribute in a SEQUENCE of its own, to be read as a structure."""
    value = attributes.get(name)
    if value is None:
        raise ProofError(ProofReason.CMS_ATTRIBUTES, f"no {name}")
    return write_der(Wrapped(element=element(value)))


def _as_set(attributes: asn1.SetOf[wire.CmsAttribute]) -> bytes:
    """The attributes under the tag of a SET, as they are signed (RFC 5652 §5.4)."""
    written = write_der(wire.SignedAttributes(attributes=attributes))
    return write_der(_read(Wrapped, written).element)


def _read(structure: type[_T], der: bytes) -> _T:
    return read_der(structure, der, bytes_max=CMS_BYTES_MAX, reason=ProofReason.CMS_MALFORMED)


def _open(reason: ProofReason, detail: str) -> ProofError:
    return ProofError(reason, detail, verdict=Verdict.CANNOT_CHECK)


def _malformed(detail: str) -> ProofError:
    return ProofError(ProofReason.CMS_MALFORMED, detail)
