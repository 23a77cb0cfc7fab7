"""Strict DER (X.690 §8 and §10) for bytes of strangers, and back.

The bytes are read by `cryptography.hazmat.asn1`, whose parser is Rust: definite, minimal lengths,
minimal integers, no trailing bytes, nothing nested deeper than the structure that is asked for. A
structure is a class; an element that is declared as `asn1.TLV` keeps its bytes as they came, which
is what signatures are verified over. Why not a parser of ours: ADR 33.

One tolerance: `critical` and the like are declared `bool | None` instead of with their DEFAULT,
because real seals write the default out. Absent and FALSE mean the same, and both survive.
"""

from __future__ import annotations

from typing import TypeVar

from cryptography.hazmat import asn1

from hub.proof.reasons import ProofError, ProofReason

_T = TypeVar("_T")


def read_der(structure: type[_T], data: bytes, *, bytes_max: int, reason: ProofReason) -> _T:
    """All of `data` as one `structure`. Raises ProofError(reason), its detail without content."""
    if len(data) > bytes_max:
        raise ProofError(reason, f"more than {bytes_max} bytes")
    try:
        return asn1.decode_der(structure, data)
    except ValueError as error:
        raise ProofError(reason, "not strict DER, or not in the order of the standard") from error


def write_der(value: object) -> bytes:
    """The DER of a structure. Of an element read as `asn1.TLV`: its bytes as they came."""
    return asn1.encode_der(value)


def element(der: bytes) -> asn1.TLV:
    """One element that is ours and done, to be put into a structure as it is."""
    return asn1.decode_der(asn1.TLV, der)
