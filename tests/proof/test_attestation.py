"""Attestations of scans: what they are about, and everything that makes them worth nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.domain.certificate import Conversion, Origin
from hub.proof.encoding import digest, emit_json
from hub.proof.exchange.attestation import (
    STATEMENT,
    Subject,
    attested_digest,
    sign_attestation,
    verify_attestation,
)
from hub.proof.jose import (
    APPROVAL_TYP,
    ATTESTATION_TYP,
    Algorithm,
    RegisteredKey,
    es256_signer,
)
from hub.proof.reasons import ProofError, ProofReason
from tests.simulator import LICENCE_VCT, ORIGIN, REGION, USCC, licence

NOW = int(time.time())
KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = es256_signer(KEY)
OFFICER = "systems/hz-desk"
SCAN = replace(licence(1), origin=Origin.SCAN)
SUBJECT = Subject(ORIGIN, REGION, USCC["hz-market"], LICENCE_VCT, 1, attested_digest(SCAN))


def keys(kid: str, use: str = ATTESTATION_TYP, owner: str = OFFICER) -> RegisteredKey | None:
    """One key is registered."""
    if kid != SIGNER.kid:
        return None
    return RegisteredKey(kid, Algorithm.ES256, use, owner, KEY.public_key())


def claims(**changes: Any) -> str:
    """A signed text like an attestation, with other claims."""
    members: dict[str, Any] = {
        "v": 1,
        "origin": ORIGIN,
        "region": REGION,
        "officer": OFFICER,
        "authority": SUBJECT.authority,
        "vct": LICENCE_VCT,
        "type_version": 1,
        "row": SUBJECT.row,
        "statement": STATEMENT,
        "iat": NOW,
    }
    return SIGNER.compact(ATTESTATION_TYP, emit_json(members | changes))


def test_an_attestation_names_its_officer_and_itself_by_digest() -> None:
    """What is sealed of it: who, and the digest of the whole text."""
    compact = sign_attestation(SUBJECT, OFFICER, NOW, SIGNER)

    assert verify_attestation(compact, SUBJECT, keys=keys, now=NOW) == Conversion(
        OFFICER, digest(compact)
    )
    assert len(compact) < 1024


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"origin": "hub.other.example"}, ProofReason.ORIGIN_WRONG),
        ({"region": "330200"}, ProofReason.REGION_WRONG),
        ({"officer": "systems/other"}, ProofReason.OFFICER_MISMATCH),
        ({"authority": USCC["nb-market"]}, ProofReason.ATTESTATION_MISMATCH),
        ({"vct": LICENCE_VCT[:-1] + "2"}, ProofReason.ATTESTATION_MISMATCH),
        ({"type_version": 2}, ProofReason.ATTESTATION_MISMATCH),
        ({"row": digest("another row")}, ProofReason.ATTESTATION_MISMATCH),
        ({"statement": "与复印件核对无误"}, ProofReason.CLAIM_INVALID),
        ({"iat": NOW + 31}, ProofReason.IAT_FUTURE),
        ({"v": 2}, ProofReason.FORMAT_VERSION),
        ({"exp": NOW}, ProofReason.CLAIM_UNKNOWN),
    ],
)
def test_another_claim_is_worth_nothing(changes: dict[str, Any], reason: ProofReason) -> None:
    """Each claim is compared with what is known from elsewhere."""
    with pytest.raises(ProofError) as refused:
        verify_attestation(claims(**changes), SUBJECT, keys=keys, now=NOW)

    assert refused.value.reason is reason


def test_a_key_for_something_else_attests_nothing() -> None:
    """One key, one format: neither an approval key, nor an approval."""
    compact = sign_attestation(SUBJECT, OFFICER, NOW, SIGNER)
    approval = SIGNER.compact(APPROVAL_TYP, b"{}")

    for text, use, reason in (
        (compact, APPROVAL_TYP, ProofReason.KEY_USAGE),
        (approval, ATTESTATION_TYP, ProofReason.TYP_WRONG),
        (compact[:-4] + "AAAA", ATTESTATION_TYP, ProofReason.SIGNATURE_INVALID),
    ):
        with pytest.raises(ProofError) as refused:
            verify_attestation(text, SUBJECT, keys=lambda kid, use=use: keys(kid, use), now=NOW)
        assert refused.value.reason is reason


def test_whatever_the_row_says_is_attested_and_the_attestation_is_not() -> None:
    """One digest for the row with and without it; another for any other content."""
    assert attested_digest(replace(SCAN, attestation="x")) == SUBJECT.row
    for other in (
        replace(SCAN, number="2"),
        replace(SCAN, origin=Origin.SYSTEM),
        replace(SCAN, valid_until="2030-01-01"),
        replace(SCAN, fields={**SCAN.fields, "name": "别的公司"}),
    ):
        assert attested_digest(other) != SUBJECT.row
