"""What a seal's key is for: its algorithm, its use, and the one format that it signs.

"One key, one format" (formats.md, conventions): a key made for one use refuses the bytes of any
other, so a signature cannot be carried from a record to a document or back.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class KeyAlgorithm(StrEnum):
    """How a key signs. The values stand in intents, rows and answers."""

    ES256 = "ES256"
    """ECDSA on P-256 with SHA-256 (RFC 7518 §3.4)."""
    ES384 = "ES384"
    """ECDSA on P-384 with SHA-384 (RFC 7518 §3.4)."""
    ED25519 = "Ed25519"
    """RFC 8032; in JOSE by RFC 9864."""
    PS256 = "PS256"
    """RSASSA-PSS with SHA-256 and a salt of 32 bytes, 3072 bits or more (RFC 7518 §3.5)."""
    SM2 = "SM2"
    """SM2 with SM3 and the default id (GB/T 32918.2, OID 1.2.156.10197.1.501)."""


class KeyUse(StrEnum):
    """What a key may sign for as long as it lives."""

    RECORD = "record"
    """Record seals: the header and payload of an SD-JWT (formats.md §4)."""
    MAKER = "maker"
    """Electronic seals themselves: the seal-maker's signature (GB/T 38540 §6.2)."""
    OFD = "ofd"
    """Sealed OFD: the signature over TBS_Sign (GB/T 38540 §7.2)."""
    PDF = "pdf"
    """Sealed PDF: the signed attributes of a CMS (RFC 5652 §5.4, ETSI EN 319 142-1)."""
    FACE = "face"
    """Codes on the faces of certificates, ES256 only: header and payload of a JWS (formats.md
    §11)."""


SIGNED_BYTES_MAX: Final = 64 * 1024
"""What one signature may cover."""

FORMATS: Final[Mapping[KeyUse, str]] = MappingProxyType(
    {
        KeyUse.RECORD: "dc+sd-jwt",
        KeyUse.MAKER: "ses-seal",
        KeyUse.OFD: "ses-signature",
        KeyUse.PDF: "cms-attributes",
        KeyUse.FACE: "sealway-face+jwt",
    }
)
"""The format tag of the bytes that each use signs."""


@dataclass(frozen=True, slots=True)
class SealingDays:
    """The legal days, both included, on which an algorithm may be used for new seals.

    Written `2026-01-01/2035-12-31`, or `2026-01-01/..` where no end is known (ISO 8601-2).
    """

    first: datetime.date
    last: datetime.date | None = None

    @classmethod
    def parse(cls, text: str) -> SealingDays:
        """The days that `text` says. Raises ValueError."""
        first, _, last = text.partition("/")
        begin = datetime.date.fromisoformat(first)
        if last == "..":
            return cls(begin)
        end = datetime.date.fromisoformat(last)
        if end < begin:
            raise ValueError("the last day is before the first")
        return cls(begin, end)

    def __contains__(self, day: datetime.date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        return f"{self.first}/{self.last or '..'}"


_SINCE: Final = datetime.date(2026, 1, 1)
# NIST IR 8547 (draft of November 2024): signatures on elliptic curves and by RSA are disallowed
# after 2035. For SM2 no end has been announced.
_UNTIL: Final = datetime.date(2035, 12, 31)

SEALING_DAYS: Final[Mapping[KeyAlgorithm, SealingDays]] = MappingProxyType(
    {
        KeyAlgorithm.ES256: SealingDays(_SINCE, _UNTIL),
        KeyAlgorithm.ES384: SealingDays(_SINCE, _UNTIL),
        KeyAlgorithm.ED25519: SealingDays(_SINCE, _UNTIL),
        KeyAlgorithm.PS256: SealingDays(_SINCE, _UNTIL),
        KeyAlgorithm.SM2: SealingDays(_SINCE),
    }
)
"""What is known today; the configuration may say otherwise. What was sealed stays verifiable."""

ALGORITHMS: Final[Mapping[KeyUse, frozenset[KeyAlgorithm]]] = MappingProxyType(
    {
        # No other JOSE algorithm is in the profile of record seals; SM2 only as a twin.
        KeyUse.RECORD: frozenset({KeyAlgorithm.ES256, KeyAlgorithm.SM2}),
        # GB/T 38540 knows one algorithm.
        KeyUse.MAKER: frozenset({KeyAlgorithm.SM2}),
        KeyUse.OFD: frozenset({KeyAlgorithm.SM2}),
        KeyUse.PDF: frozenset(KeyAlgorithm),
        # Whoever scans a code knows one algorithm: browsers have no other.
        KeyUse.FACE: frozenset({KeyAlgorithm.ES256}),
    }
)
"""What keys of each use may be."""


def key_name(kid: str) -> str:
    """The resource name of the key with this thumbprint: ids are lower case, thumbprints are not.

    Folding 43 characters of base64url leaves more than 200 bits apart.
    """
    return f"keys/k-{kid.replace('_', '-').lower()}"
