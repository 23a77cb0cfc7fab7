"""What a seal's key is for: its algorithm, its use, and the one format that it signs.

"One key, one format" (formats.md, conventions): a key made for one use refuses the bytes of any
other, so a signature cannot be carried from a record to a document or back.
"""

from __future__ import annotations

from collections.abc import Mapping
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


FORMATS: Final[Mapping[KeyUse, str]] = MappingProxyType(
    {
        KeyUse.RECORD: "dc+sd-jwt",
        KeyUse.MAKER: "ses-seal",
        KeyUse.OFD: "ses-signature",
        KeyUse.PDF: "cms-attributes",
    }
)
"""The format tag of the bytes that each use signs."""
