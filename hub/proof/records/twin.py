"""The two twins of a record: one payload sealed with ES256 and with SM2 (docs/adr/0049).

Each twin is a whole presentation and verifies by itself. That both say the same follows from their
bytes: the payload segment and everything behind the first `~` are equal, only header and signature
differ. So whatever is proven of the one, a receipt above all, is proven of the other.

A twin can be stripped, but not unnoticed: `algs`, which both signatures cover, names both.
"""

from __future__ import annotations

from collections.abc import Collection

from hub.proof.jose import Algorithm, split_segments
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.sd_jwt import Presentation


def check_same(one: str, other: str) -> None:
    """Two presentations differ in header and signature alone.

    Raises ProofError(TWIN_MISMATCH), (JWS_MALFORMED).
    """
    left, _, shown = one.partition("~")
    right, _, shown_beside = other.partition("~")
    if split_segments(left)[1] != split_segments(right)[1] or shown != shown_beside:
        raise ProofError(ProofReason.TWIN_MISMATCH)


def check_twins(one: Presentation, other: Presentation) -> None:
    """Two verified presentations are sealed by two algorithms. Raises ProofError(TWIN_MISMATCH)."""
    if one.algorithm is other.algorithm:
        raise ProofError(ProofReason.TWIN_MISMATCH, f"both are {one.algorithm.name}")


def check_sealed_with(
    required: Algorithm, presentation: Presentation, verified: Collection[Algorithm]
) -> None:
    """The record's seal by `required` is among those that were `verified`.

    Raises ProofError: TWIN_MISSING as *cannot check* where the record names such a seal and nobody
    showed it, ALG_REQUIRED where it has none.
    """
    if required in verified:
        return
    if required.name in presentation.record.algs:
        raise ProofError(ProofReason.TWIN_MISSING, required.name, verdict=Verdict.CANNOT_CHECK)
    raise ProofError(ProofReason.ALG_REQUIRED, required.name)
