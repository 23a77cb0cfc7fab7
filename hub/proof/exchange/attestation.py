"""A conversion officer's word that a scan agrees with the paper (formats/attestation.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from hub.domain.certificate import Conversion
from hub.domain.row import Row, emit_row
from hub.proof.encoding import b64u, digest, emit_json
from hub.proof.jose import (
    ATTESTATION_TYP,
    FORMAT_VERSION,
    Keys,
    Signer,
    check_equal,
    check_issued,
    check_members,
    integer,
    open_jws,
)
from hub.proof.reasons import ProofError, ProofReason

ATTESTATION_SIZE_MAX: Final = 4096
STATEMENT: Final = "与原件核对无误"
"""Compared with the original and found the same: what is attested, in the words of the law."""

_PREFIX: Final = b"sealway/attested-row/v1\x00"
_REQUIRED: Final = frozenset(
    {
        "v",
        "origin",
        "region",
        "officer",
        "authority",
        "vct",
        "type_version",
        "row",
        "statement",
        "iat",
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an attestation must be about. `authority` is a credit code; `row` is the digest of the
    row without its attestation (`attested_digest`)."""

    origin: str
    region: str
    authority: str
    vct: str
    type_version: int
    row: str


def attested_digest(row: Row) -> str:
    """The digest of everything that a row says beside its attestation, base64url."""
    said = emit_row(replace(row, attestation=None))
    return b64u(hashlib.sha256(_PREFIX + said).digest())


def sign_attestation(subject: Subject, officer: str, iat: int, signer: Signer) -> str:
    """The compact text in which `officer` (`systems/{system}`) attests; `iat` in seconds."""
    return signer.compact(
        ATTESTATION_TYP,
        emit_json(
            {
                "v": FORMAT_VERSION,
                "origin": subject.origin,
                "region": subject.region,
                "officer": officer,
                "authority": subject.authority,
                "vct": subject.vct,
                "type_version": subject.type_version,
                "row": subject.row,
                "statement": STATEMENT,
                "iat": iat,
            }
        ),
    )


def verify_attestation(compact: str, subject: Subject, *, keys: Keys, now: int) -> Conversion:
    """Who attests to `subject`. Raises ProofError with the reason of the first failing step.

    Whether the officer belongs to the authority is for whoever knows both.
    """
    jws = open_jws(compact, typ=ATTESTATION_TYP, keys=keys, size_max=ATTESTATION_SIZE_MAX)
    check_members(jws.claims, _REQUIRED)
    check_equal(
        jws.claims,
        {
            "origin": (subject.origin, ProofReason.ORIGIN_WRONG),
            "region": (subject.region, ProofReason.REGION_WRONG),
            "officer": (jws.key.owner, ProofReason.OFFICER_MISMATCH),
            "authority": (subject.authority, ProofReason.ATTESTATION_MISMATCH),
            "vct": (subject.vct, ProofReason.ATTESTATION_MISMATCH),
            "row": (subject.row, ProofReason.ATTESTATION_MISMATCH),
            "statement": (STATEMENT, ProofReason.CLAIM_INVALID),
        },
    )
    if integer(jws.claims, "type_version") != subject.type_version:
        raise ProofError(ProofReason.ATTESTATION_MISMATCH, "type_version")
    check_issued(integer(jws.claims, "iat"), now)
    return Conversion(jws.key.owner, digest(compact))
