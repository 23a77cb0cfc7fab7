"""The ASN.1 of CMS SignedData (RFC 5652 §5; GB/T 35275 names other types), as classes."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from hub.proof.x509.asn1 import AlgorithmIdentifier, Time


@asn1.sequence
class ContentInfo:
    """What kind of CMS follows."""

    type: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


@asn1.sequence
class DetachedContent:
    """The type of what is signed, which lies elsewhere."""

    type: ObjectIdentifier


@asn1.sequence
class SignedData:
    """A content with certificates and signatures."""

    version: int
    digest_algorithms: asn1.SetOf[AlgorithmIdentifier]
    content: DetachedContent
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    lists: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[asn1.TLV]


@asn1.sequence
class IssuerAndSerial:
    """Which certificate is meant: its issuer (of ESS as GeneralNames) and serial."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class CmsAttribute:
    """An attribute and its values."""

    type: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class SignerInfo:
    """One signature. `signer` is a choice."""

    version: int
    signer: asn1.TLV
    digest_algorithm: AlgorithmIdentifier
    signed: Annotated[asn1.SetOf[CmsAttribute] | None, asn1.Implicit(0)]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned: Annotated[asn1.SetOf[CmsAttribute] | None, asn1.Implicit(1)]


@asn1.sequence
class SignedAttributes:
    """Around the attributes, to write them as the SET that is signed."""

    attributes: asn1.SetOf[CmsAttribute]


@asn1.sequence
class EssCertificate:
    """ESSCertIDv2 (RFC 5035 §4); without an algorithm it is SHA-256."""

    algorithm: AlgorithmIdentifier | None
    digest: bytes
    issuer_serial: IssuerAndSerial | None


@asn1.sequence
class SigningCertificate:
    """SigningCertificateV2 (RFC 5035 §3)."""

    certificates: list[EssCertificate]


# Values of attributes, each wrapped to be read as a structure.


@asn1.sequence
class WrappedType:
    """The type of the content."""

    type: ObjectIdentifier


@asn1.sequence
class WrappedOctets:
    """A digest."""

    octets: bytes


@asn1.sequence
class WrappedTime:
    """When it was signed."""

    time: Time
