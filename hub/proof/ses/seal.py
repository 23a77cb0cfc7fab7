"""Electronic seals and signatures under them (GB/T 38540): reading every version, writing V4.

Read values keep the bytes they came from: `der` whole, `signed_bytes` what the signature covers.
Nothing is verified here (`hub.proof.ses.checks` does), except that the bytes are what they claim
to be in form. A seal is made in two steps, so that its signing key sees exactly what it signs:

    info = seal_info(…);  seal = assemble_seal(info, maker_x509, SM2_WITH_SM3, sign(info))
    tbs = tbs_sign(seal, …);  signature = assemble_signature(tbs, signer_x509, …, sign(tbs))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from hub.proof.der import element, read_der, write_der
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.ses import asn1 as wire

SEAL_BYTES_MAX: Final = 4 * 1024 * 1024
SIGNATURE_BYTES_MAX: Final = SEAL_BYTES_MAX + 256 * 1024
TEXT_CHARACTERS_MAX: Final = 1024
SIDE_MM_MAX: Final = 1000
SM3_BYTES: Final = 32
EXTENSIONS_MAX: Final = 64

V1: Final = 1
V4: Final = 4
V5: Final = 5

_T = TypeVar("_T")
_ID: Final = "ES"
_OF_CERTIFICATES: Final = 1
_OF_DIGESTS: Final = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """What the seal looks like: bytes of `type` (PNG, SVG, ofd …), drawn at this size."""

    type: str
    data: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class Extension:
    """Data of a vendor's own, under an object identifier."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class CertDigest:
    """A signer's X.509 certificate by its digest; the standard leaves the algorithm open."""

    type: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """An electronic seal (SESeal). Who may use it stands in `signer_x509s` or `signer_digests`."""

    der: bytes
    version: int
    vendor: str
    number: str
    type: int
    name: str
    signer_x509s: tuple[bytes, ...]
    signer_digests: tuple[CertDigest, ...]
    create_time: datetime
    valid_from_time: datetime
    valid_to_time: datetime
    picture: Picture
    extensions: tuple[Extension, ...]
    maker_x509: bytes
    algorithm: str
    signature: bytes
    signed_bytes: bytes
    time_stamp: bytes | None


@dataclass(frozen=True, slots=True)
class SesSignature:
    """A signature under a seal (SES_Signature), over the SM3 digest of what `protected` names.

    `sign_time` is the signer's word; None where a V1 signature carries a time stamp in its place.
    """

    der: bytes
    version: int
    seal: Seal
    sign_time: datetime | None
    data_hash: bytes
    protected: str
    extensions: tuple[Extension, ...]
    signer_x509: bytes
    algorithm: str
    signature: bytes
    signed_bytes: bytes
    time_stamp: bytes | None


# ---- reading --------------------------------------------------------------------------------


def parse_seal(der: bytes) -> Seal:
    """The seal in `der`. Raises ProofError(SEAL_MALFORMED); (SEAL_VERSION) as *cannot check*."""
    if len(der) > SEAL_BYTES_MAX:
        raise _malformed(f"more than {SEAL_BYTES_MAX} bytes")
    try:
        outer = _read(wire.Seal, der)
    except ProofError:
        return _seal_v1(der)
    info = _seal_info(write_der(outer.info))
    if info.header.version == V1:
        raise _malformed("version 1 in the shape of version 4")
    if outer.time_stamp is not None and info.header.version != V5:
        raise _malformed("a time stamp, which came with version 5")
    return _seal(
        der,
        info,
        _property(info),
        maker_x509=outer.certificate,
        algorithm=outer.algorithm,
        signature=outer.signature,
        signed_bytes=write_der(outer.info),
        time_stamp=_optional_bits(outer.time_stamp),
    )


def parse_signature(der: bytes) -> SesSignature:
    """The signature in `der`, with its seal. Raises ProofError as `parse_seal` does."""
    try:
        outer = _read(wire.Signature, der)
    except ProofError:
        return _signature_v1(der)
    tbs = _read(wire.ToSign, write_der(outer.to_sign))
    seal = parse_seal(write_der(tbs.seal))
    return SesSignature(
        der=der,
        version=_same_version(tbs.version, seal),
        seal=seal,
        sign_time=tbs.time.as_datetime(),
        data_hash=_digest(tbs.data_hash),
        protected=_text(tbs.protected.as_str()),
        extensions=_extensions(tbs.extensions),
        signer_x509=outer.certificate,
        algorithm=outer.algorithm.dotted_string,
        signature=_bits(outer.signature),
        signed_bytes=write_der(outer.to_sign),
        time_stamp=_optional_bits(outer.time_stamp),
    )


def _seal_v1(der: bytes) -> Seal:
    outer = _read(wire.SealV1, der)
    info = _seal_info(write_der(outer.info))
    if info.header.version != V1:
        raise _malformed(f"version {info.header.version} in the shape of version 1")
    by = outer.sign_info
    signed = wire.SealSignedV1(info=outer.info, certificate=by.certificate, algorithm=by.algorithm)
    return _seal(
        der,
        info,
        _read(wire.PropertyV1, write_der(info.property)),
        maker_x509=by.certificate,
        algorithm=by.algorithm,
        signature=by.signature,
        signed_bytes=write_der(signed),
        time_stamp=None,
    )


def _signature_v1(der: bytes) -> SesSignature:
    outer = _read(wire.SignatureV1, der)
    tbs = _read(wire.ToSignV1, write_der(outer.to_sign))
    seal = parse_seal(write_der(tbs.seal))
    return SesSignature(
        der=der,
        version=_same_version(tbs.version, seal),
        seal=seal,
        sign_time=_time_v1(_bits(tbs.time)),
        data_hash=_digest(tbs.data_hash),
        protected=_text(tbs.protected.as_str()),
        extensions=(),
        signer_x509=tbs.certificate,
        algorithm=tbs.algorithm.dotted_string,
        signature=_bits(outer.signature),
        signed_bytes=write_der(outer.to_sign),
        time_stamp=None,
    )


def _seal_info(der: bytes) -> wire.SealInfo:
    info = _read(wire.SealInfo, der)
    if info.header.id.as_str() != _ID:
        raise _malformed("its header does not begin with ES")
    if info.header.version not in (V1, V4, V5):
        detail = f"version {info.header.version}" if abs(info.header.version) < 1000 else ""
        raise ProofError(ProofReason.SEAL_VERSION, detail, verdict=Verdict.CANNOT_CHECK)
    return info


def _property(info: wire.SealInfo) -> wire.PropertyOfCertificates | wire.PropertyOfDigests:
    """The list of signers is an untagged choice: its content tells which, its type must agree."""
    der = write_der(info.property)
    try:
        by_x509 = _read(wire.PropertyOfCertificates, der)
    except ProofError:
        by_digest = _read(wire.PropertyOfDigests, der)
        if by_digest.list_type != _OF_DIGESTS:
            raise _malformed("certListType does not say digests") from None
        return by_digest
    if by_x509.list_type != _OF_CERTIFICATES:
        raise _malformed("certListType does not say certificates")
    return by_x509


def _seal(
    der: bytes,
    info: wire.SealInfo,
    of: wire.PropertyV1 | wire.PropertyOfCertificates | wire.PropertyOfDigests,
    *,
    maker_x509: bytes,
    algorithm: ObjectIdentifier,
    signature: asn1.BitString,
    signed_bytes: bytes,
    time_stamp: bytes | None,
) -> Seal:
    return Seal(
        der=der,
        version=info.header.version,
        vendor=_text(info.header.vendor.as_str()),
        number=_text(info.number.as_str()),
        type=_within(of.type, 0, 2**31 - 1, "the type of the seal"),
        name=_text(of.name),
        signer_x509s=() if isinstance(of, wire.PropertyOfDigests) else tuple(of.certificates),
        signer_digests=_digests(of) if isinstance(of, wire.PropertyOfDigests) else (),
        create_time=of.created.as_datetime(),
        valid_from_time=of.valid_from.as_datetime(),
        valid_to_time=of.valid_to.as_datetime(),
        picture=_picture(info.picture),
        extensions=_extensions(info.extensions),
        maker_x509=maker_x509,
        algorithm=algorithm.dotted_string,
        signature=_bits(signature),
        signed_bytes=signed_bytes,
        time_stamp=time_stamp,
    )


def _digests(of: wire.PropertyOfDigests) -> tuple[CertDigest, ...]:
    return tuple(CertDigest(_text(item.type.as_str()), item.value) for item in of.digests)


def _picture(item: wire.Picture) -> Picture:
    return Picture(
        type=_text(item.type.as_str()),
        data=item.data,
        width_mm=_within(item.width, 1, SIDE_MM_MAX, "the width of the picture"),
        height_mm=_within(item.height, 1, SIDE_MM_MAX, "the height of the picture"),
    )


def _extensions(items: Sequence[wire.Extension] | None) -> tuple[Extension, ...]:
    found = items or ()
    if len(found) > EXTENSIONS_MAX:
        raise _malformed(f"more than {EXTENSIONS_MAX} extensions")
    return tuple(
        Extension(item.oid.dotted_string, bool(item.critical), item.value) for item in found
    )


def _same_version(version: int, seal: Seal) -> int:
    if version != seal.version:
        raise _malformed("the signature has another version than its seal")
    return version


def _digest(bits: asn1.BitString) -> bytes:
    digest = _bits(bits)
    if len(digest) != SM3_BYTES:
        raise _malformed("dataHash is not 32 bytes")
    return digest


def _time_v1(data: bytes) -> datetime | None:
    """A time, or None for a time stamp token: GM/T 0031-2014 leaves it to the signer."""
    try:
        time = read_der(asn1.UTCTime, data, bytes_max=SM3_BYTES, reason=ProofReason.SEAL_MALFORMED)
    except ProofError:
        return None
    return time.as_datetime()


def _bits(bits: asn1.BitString) -> bytes:
    if bits.padding_bits():
        raise _malformed("a BIT STRING of a part of a byte")
    return bits.as_bytes()


def _optional_bits(bits: asn1.BitString | None) -> bytes | None:
    return None if bits is None else _bits(bits)


def _text(text: str) -> str:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise _malformed(f"a text of more than {TEXT_CHARACTERS_MAX} characters")
    return text


def _within(value: int, least: int, most: int, what: str) -> int:
    if not least <= value <= most:
        raise _malformed(f"{what} is not from {least} to {most}")
    return value


def _read(structure: type[_T], der: bytes) -> _T:
    return read_der(
        structure, der, bytes_max=SIGNATURE_BYTES_MAX, reason=ProofReason.SEAL_MALFORMED
    )


def _malformed(detail: str) -> ProofError:
    return ProofError(ProofReason.SEAL_MALFORMED, detail)


# ---- writing (V4) ---------------------------------------------------------------------------


def seal_info(
    *,
    vendor: str,
    number: str,
    type: int,
    name: str,
    signer_x509s: Sequence[bytes],
    create_time: datetime,
    valid_from_time: datetime,
    valid_to_time: datetime,
    picture: Picture,
    extensions: Sequence[Extension] = (),
) -> bytes:
    """The DER of a SES_SealInfo of version 4: what the seal's maker signs.

    Signers are listed by their whole X.509 certificates. Times are kept to the second, in UTC.
    Raises ProofError(SEAL_MALFORMED) where the parts make no seal that `parse_seal` would read.
    """
    if not 1 <= len(signer_x509s) <= wire.SIGNERS_MAX:
        raise _malformed(f"not 1 to {wire.SIGNERS_MAX} signers")
    listed = wire.PropertyOfCertificates(
        type=_within(type, 0, 2**31 - 1, "the type of the seal"),
        name=_text(name),
        list_type=_OF_CERTIFICATES,
        certificates=list(signer_x509s),
        created=_generalized(create_time),
        valid_from=_generalized(valid_from_time),
        valid_to=_generalized(valid_to_time),
    )
    info = wire.SealInfo(
        header=wire.Header(id=_ia5(_ID), version=V4, vendor=_ia5(vendor)),
        number=_ia5(number),
        property=element(write_der(listed)),
        picture=wire.Picture(
            type=_ia5(picture.type),
            data=picture.data,
            width=_within(picture.width_mm, 1, SIDE_MM_MAX, "the width of the picture"),
            height=_within(picture.height_mm, 1, SIDE_MM_MAX, "the height of the picture"),
        ),
        extensions=_written(extensions),
    )
    return write_der(info)


def assemble_seal(info: bytes, maker_x509: bytes, algorithm: str, signature: bytes) -> bytes:
    """The seal of a signed `info`; the maker's certificate and signature as DER."""
    return write_der(
        wire.Seal(
            info=element(info),
            certificate=maker_x509,
            algorithm=ObjectIdentifier(algorithm),
            signature=asn1.BitString(signature, 0),
            time_stamp=None,
        )
    )


def tbs_sign(
    *,
    seal: bytes,
    sign_time: datetime,
    data_hash: bytes,
    protected: str,
    extensions: Sequence[Extension] = (),
) -> bytes:
    """The DER of a TBS_Sign of version 4: what the signer signs.

    `data_hash` is the SM3 digest of what `protected` names: in OFD, the absolute path of
    Signature.xml in the package. Raises ProofError as `parse_seal` does.
    """
    if parse_seal(seal).version != V4:
        raise _malformed("signatures are made under seals of version 4")
    return write_der(
        wire.ToSign(
            version=V4,
            seal=element(seal),
            time=_generalized(sign_time),
            data_hash=asn1.BitString(data_hash, 0),
            protected=_ia5(protected),
            extensions=_written(extensions),
        )
    )


def assemble_signature(
    tbs: bytes,
    signer_x509: bytes,
    algorithm: str,
    signature: bytes,
    time_stamp: bytes | None = None,
) -> bytes:
    """The signature of a signed `tbs`; `time_stamp` a token over the signature's bytes."""
    return write_der(
        wire.Signature(
            to_sign=element(tbs),
            certificate=signer_x509,
            algorithm=ObjectIdentifier(algorithm),
            signature=asn1.BitString(signature, 0),
            time_stamp=None if time_stamp is None else asn1.BitString(time_stamp, 0),
        )
    )


def _written(extensions: Sequence[Extension]) -> list[wire.Extension] | None:
    if len(extensions) > EXTENSIONS_MAX:
        raise _malformed(f"more than {EXTENSIONS_MAX} extensions")
    items = [
        # DER leaves the default out (X.690 §11.5).
        wire.Extension(
            oid=ObjectIdentifier(item.oid), critical=item.critical or None, value=item.value
        )
        for item in extensions
    ]
    return items or None


def _generalized(time: datetime) -> asn1.GeneralizedTime:
    return asn1.GeneralizedTime(time.astimezone(UTC).replace(microsecond=0))


def _ia5(text: str) -> asn1.IA5String:
    if not text.isascii():
        raise _malformed("a text that is not ASCII where only ASCII may stand")
    return asn1.IA5String(_text(text))
