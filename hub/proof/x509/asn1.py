"""The ASN.1 of X.509 certificates, revocation lists and requests (RFC 5280, RFC 2986), as classes.

What is signed, named or of an algorithm's own is an `asn1.TLV` and kept as it came.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

Time: TypeAlias = asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class AlgorithmIdentifier:
    """Parameters are absent in GB/T 20518 and NULL in certificates of some CAs."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class SubjectPublicKeyInfo:
    """A key and what kind it is."""

    algorithm: asn1.TLV
    key: asn1.BitString


@asn1.sequence
class Attribute:
    """One part of a name."""

    type: ObjectIdentifier
    value: asn1.TLV


@asn1.sequence
class Wrapped:
    """A SEQUENCE around one element, to read what has no name as a structure of its own."""

    element: asn1.TLV


@asn1.sequence
class WrappedName:
    """A wrapped Name."""

    name: list[asn1.SetOf[Attribute]]


@asn1.sequence
class Extension:
    """What a certificate, list or entry says besides."""

    oid: ObjectIdentifier
    critical: bool | None
    value: bytes


@asn1.sequence
class BasicConstraints:
    """Whether the subject is a CA, and how many CAs may stand below it."""

    ca: bool | None
    path_length: int | None


@asn1.sequence
class Validity:
    """From when until when, both included."""

    not_before: Time
    not_after: Time


@asn1.sequence
class Signed:
    """The outer form of certificates, revocation lists and requests alike."""

    tbs: asn1.TLV
    algorithm: asn1.TLV
    signature: asn1.BitString


@asn1.sequence
class TbsCertificate:
    """What the issuer signs."""

    version: Annotated[int | None, asn1.Explicit(0)]
    serial: int
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: Validity
    subject: asn1.TLV
    public_key: asn1.TLV
    issuer_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[Extension] | None, asn1.Explicit(3)]


@asn1.sequence
class Revoked:
    """An entry of a revocation list."""

    serial: int
    time: Time
    extensions: list[Extension] | None


@asn1.sequence
class TbsCrl:
    """What the issuer of a revocation list signs."""

    version: int | None
    signature: asn1.TLV
    issuer: asn1.TLV
    this_update: Time
    next_update: Time | None
    revoked: list[Revoked] | None
    extensions: Annotated[list[Extension] | None, asn1.Explicit(0)]


@asn1.sequence
class RequestInfo:
    """What whoever asks for a certificate signs; attributes are kept empty."""

    version: int
    subject: asn1.TLV
    public_key: asn1.TLV
    attributes: Annotated[asn1.SetOf[Attribute], asn1.Implicit(0)]
