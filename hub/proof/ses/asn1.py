"""The ASN.1 of electronic seals: GM/T 0031-2014 (V1), GB/T 38540-2020 (V4), GM/T 0031-2025 (V5).

One class per structure, fields in the order of the standards; `hub.proof.ses.seal` gives them
meaning. What is signed, and what is a choice, is an `asn1.TLV` and kept as it came.
"""

from __future__ import annotations

from typing import Annotated, Final

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

SIGNERS_MAX: Final = 256


@asn1.sequence
class Header:
    """SES_Header: the letters "ES", the version, who defines the seal's format."""

    id: asn1.IA5String
    version: int
    vendor: asn1.IA5String


@asn1.sequence
class CertDigest:
    """CertDigestObj: a signer's X.509 certificate by its digest."""

    type: asn1.PrintableString
    value: bytes


@asn1.sequence
class PropertyV1:
    """SES_ESPropertyInfo of GM/T 0031-2014."""

    type: int
    name: str
    certificates: Annotated[list[bytes], asn1.Size(1, SIGNERS_MAX)]
    created: asn1.UTCTime
    valid_from: asn1.UTCTime
    valid_to: asn1.UTCTime


@asn1.sequence
class PropertyOfCertificates:
    """SES_ESPropertyInfo with certListType 1."""

    type: int
    name: str
    list_type: int
    certificates: Annotated[list[bytes], asn1.Size(1, SIGNERS_MAX)]
    created: asn1.GeneralizedTime
    valid_from: asn1.GeneralizedTime
    valid_to: asn1.GeneralizedTime


@asn1.sequence
class PropertyOfDigests:
    """SES_ESPropertyInfo with certListType 2."""

    type: int
    name: str
    list_type: int
    digests: Annotated[list[CertDigest], asn1.Size(1, SIGNERS_MAX)]
    created: asn1.GeneralizedTime
    valid_from: asn1.GeneralizedTime
    valid_to: asn1.GeneralizedTime


@asn1.sequence
class Picture:
    """SES_ESPictureInfo; width and height are millimetres."""

    type: asn1.IA5String
    data: bytes
    width: int
    height: int


@asn1.sequence
class Extension:
    """ExtData."""

    oid: ObjectIdentifier
    critical: bool | None
    value: bytes


@asn1.sequence
class SealInfo:
    """SES_SealInfo."""

    header: Header
    number: asn1.IA5String
    property: asn1.TLV
    picture: Picture
    extensions: list[Extension] | None


@asn1.sequence
class SignInfoV1:
    """SES_SignInfo of GM/T 0031-2014."""

    certificate: bytes
    algorithm: ObjectIdentifier
    signature: asn1.BitString


@asn1.sequence
class SealV1:
    """SESeal of GM/T 0031-2014."""

    info: asn1.TLV
    sign_info: SignInfoV1


@asn1.sequence
class SealSignedV1:
    """What the maker's signature of a V1 seal covers."""

    info: asn1.TLV
    certificate: bytes
    algorithm: ObjectIdentifier


@asn1.sequence
class Seal:
    """SESeal; the time stamp came with V5."""

    info: asn1.TLV
    certificate: bytes
    algorithm: ObjectIdentifier
    signature: asn1.BitString
    time_stamp: Annotated[asn1.BitString | None, asn1.Explicit(0)]


@asn1.sequence
class ToSignV1:
    """TBS_Sign of GM/T 0031-2014; the time is a UTCTime or a time stamp token."""

    version: int
    seal: asn1.TLV
    time: asn1.BitString
    data_hash: asn1.BitString
    protected: asn1.IA5String
    certificate: bytes
    algorithm: ObjectIdentifier


@asn1.sequence
class SignatureV1:
    """SES_Signature of GM/T 0031-2014."""

    to_sign: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class ToSign:
    """TBS_Sign."""

    version: int
    seal: asn1.TLV
    time: asn1.GeneralizedTime
    data_hash: asn1.BitString
    protected: asn1.IA5String
    extensions: Annotated[list[Extension] | None, asn1.Explicit(0)]


@asn1.sequence
class Signature:
    """SES_Signature."""

    to_sign: asn1.TLV
    certificate: bytes
    algorithm: ObjectIdentifier
    signature: asn1.BitString
    time_stamp: Annotated[asn1.BitString | None, asn1.Explicit(0)]
