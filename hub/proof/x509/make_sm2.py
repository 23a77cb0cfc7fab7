"""SM2 requests (PKCS#10, RFC 2986), X.509 certificates and revocation lists, made.

Each is made around a `sign` that turns the exact bytes into an SM2 signature (DER), so that a key
in hardware serves as well as one in a file. Who may have which certificate is decided elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from hub.proof.der import element, read_der, write_der
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.sm2 import SM2_WITH_SM3, PublicKey
from hub.proof.x509 import asn1 as wire

REQUEST_BYTES_MAX: Final = 16 * 1024

# RFC 5280 §4.1.2.5: from 2050 on times are written as GeneralizedTime.
_UTC_TIME_UNTIL: Final = 2050
_ALGORITHM: Final = write_der(
    wire.AlgorithmIdentifier(algorithm=ObjectIdentifier(SM2_WITH_SM3), parameters=None)
)

Sign = Callable[[bytes], bytes]


def make_request(subject: x509.Name, key: PublicKey, sign: Sign) -> bytes:
    """A PKCS#10 request (DER) for `subject`, signed with the private half of `key`."""
    info = wire.RequestInfo(
        version=0,
        subject=element(subject.public_bytes()),
        public_key=element(key.to_spki()),
        attributes=asn1.SetOf([]),
    )
    return _signed(write_der(info), sign)


def check_request(der: bytes) -> tuple[PublicKey, bytes]:
    """The key whose possession the request proves, and the name in it (DER).

    The name is what whoever asks would like; who issues decides. Raises ProofError(CSR_MALFORMED)
    and (SIGNATURE_INVALID).
    """
    reason = ProofReason.CSR_MALFORMED
    outer = read_der(wire.Signed, der, bytes_max=REQUEST_BYTES_MAX, reason=reason)
    signed_bytes = write_der(outer.tbs)
    info = read_der(wire.RequestInfo, signed_bytes, bytes_max=REQUEST_BYTES_MAX, reason=reason)
    if write_der(outer.algorithm) != _ALGORITHM or outer.signature.padding_bits():
        raise ProofError(reason, "not signed with SM2")
    key = PublicKey.from_spki(write_der(info.public_key))
    if not key.verify(signed_bytes, outer.signature.as_bytes()):
        raise ProofError(ProofReason.SIGNATURE_INVALID)
    return key, write_der(info.subject)


def make_certificate(
    *,
    subject: x509.Name,
    key: PublicKey,
    issuer: x509.Name,
    not_before: datetime,
    not_after: datetime,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    sign: Sign,
    serial: int | None = None,
) -> bytes:
    """An X.509 certificate (DER) with `extensions` as (value, critical); a random serial if None.

    `sign` is the issuer's; times are kept to the second.
    """
    tbs = wire.TbsCertificate(
        version=2,
        serial=secrets.randbits(127) + 1 if serial is None else serial,
        signature=element(_ALGORITHM),
        issuer=element(issuer.public_bytes()),
        validity=wire.Validity(not_before=_time(not_before), not_after=_time(not_after)),
        subject=element(subject.public_bytes()),
        public_key=element(key.to_spki()),
        issuer_id=None,
        subject_id=None,
        extensions=[
            wire.Extension(oid=value.oid, critical=critical or None, value=value.public_bytes())
            for value, critical in extensions
        ]
        or None,
    )
    return _signed(write_der(tbs), sign)


def make_crl(
    *,
    issuer: x509.Name,
    this_update: datetime,
    next_update: datetime,
    revoked: Mapping[int, datetime],
    sign: Sign,
) -> bytes:
    """A revocation list (DER) of the serials that `issuer` revoked, and when."""
    tbs = wire.TbsCrl(
        version=1,
        signature=element(_ALGORITHM),
        issuer=element(issuer.public_bytes()),
        this_update=_time(this_update),
        next_update=_time(next_update),
        # An empty list is left out (RFC 5280 §5.1.2.6).
        revoked=[
            wire.Revoked(serial=serial, time=_time(time), extensions=None)
            for serial, time in revoked.items()
        ]
        or None,
        extensions=None,
    )
    return _signed(write_der(tbs), sign)


def _signed(tbs: bytes, sign: Sign) -> bytes:
    return write_der(
        wire.Signed(
            tbs=element(tbs),
            algorithm=element(_ALGORITHM),
            signature=asn1.BitString(sign(tbs), 0),
        )
    )


def _time(time: datetime) -> wire.Time:
    time = time.astimezone(UTC).replace(microsecond=0)
    return asn1.UTCTime(time) if time.year < _UTC_TIME_UNTIL else asn1.GeneralizedTime(time)
