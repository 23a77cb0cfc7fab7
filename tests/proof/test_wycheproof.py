"""Wycheproof's JWS vectors, through the layers of ours that they can reach.

The vectors carry no `typ`, name keys by `kid` instead of thumbprint and sign bare text, so our own
header rules refuse every one of them (`test_none_passes_our_header_rules`). What can be compared is
beneath: segments and base64url (J2), strict JSON of the header (J3), the registered key's use (J6)
and algorithm (J7), and the signature (J8). `open_beneath_typ` runs exactly these, in our order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.encoding import b64u_decode, parse_object
from hub.proof.jose import (
    REQUEST_TYP,
    Algorithm,
    RegisteredKey,
    open_jws,
    public_key_from_jwk,
    split_segments,
    verify_signature,
)
from hub.proof.reasons import ProofError, ProofReason

# Valid to Wycheproof (an empty payload, foreign characters skipped), refused here before J7.
STRICTER_HERE = {
    "emptyPayload",
    "InvalidCharacterInsertedInHeader",
    "InvalidCharacterInsertedInPayload",
}

Case = tuple[dict[str, Any], dict[str, Any]]


def open_beneath_typ(compact: str, key: RegisteredKey) -> bytes:
    """The payload of an authentic text, without our rules on `typ`, members and `kid`."""
    segments = split_segments(compact)
    header, payload, signature = [b64u_decode(segment) for segment in segments]
    alg = parse_object(header).get("alg")
    if key.use != REQUEST_TYP:
        raise ProofError(ProofReason.KEY_USAGE)
    if alg != key.algorithm.value:
        raise ProofError(ProofReason.ALG_MISMATCH)
    verify_signature(key, compact.rpartition(".")[0].encode(), signature, low_s=False)
    return payload


def registered(public: dict[str, Any]) -> RegisteredKey:
    """The group's key as a registry would hold it: a key not meant to verify signs nothing."""
    verifies = public.get("use", "sig") == "sig" and "verify" in public.get("key_ops", ["verify"])
    use = REQUEST_TYP if verifies else "none"
    return RegisteredKey("kid", Algorithm.ES256, use, "owner", public_key_from_jwk(public))


def load(shared_data: Path) -> Iterator[Case]:
    """Every test beside its group."""
    path = shared_data / "wycheproof" / "json_web_signature_test.json"
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        for test in group["tests"]:
            yield group, test


def is_p256(group: dict[str, Any]) -> bool:
    """Whether the group is about ES256."""
    return group.get("public", {}).get("crv") == "P-256"


def test_es256_groups_give_the_stated_verdict(shared_data: Path) -> None:
    """Each ES256 case is accepted or refused as Wycheproof says."""
    verdicts = {"valid": 0, "invalid": 0}
    for group, test in load(shared_data):
        if not is_p256(group):
            continue
        try:
            open_beneath_typ(test["jws"], registered(group["public"]))
            verdict = "valid"
        except ProofError:
            verdict = "invalid"
        assert verdict == test["result"], (test["tcId"], test["comment"])
        verdicts[verdict] += 1
    assert verdicts == {"valid": 2, "invalid": 39}


def test_other_algorithms_are_refused(shared_data: Path) -> None:
    """RSA, HMAC, P-521 and `none` never pass, whatever Wycheproof says of them."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    ours = RegisteredKey("kid", Algorithm.ES256, REQUEST_TYP, "owner", key)
    refused: dict[str, int] = {}
    for group, test in load(shared_data):
        if is_p256(group) or not isinstance(test["jws"], str):
            continue
        with pytest.raises(ProofError) as caught:
            open_beneath_typ(test["jws"], ours)
        reason = caught.value.reason
        refused[reason] = refused.get(reason, 0) + 1
        if test["result"] == "valid" and test["comment"] not in STRICTER_HERE:
            assert reason is ProofReason.ALG_MISMATCH, (test["tcId"], test["comment"])
    assert refused[ProofReason.ALG_MISMATCH] > 200


def test_none_passes_our_header_rules(shared_data: Path) -> None:
    """As none names a type, none is ever opened as one of ours."""
    for group, test in load(shared_data):
        if not isinstance(test["jws"], str):
            continue
        public = group.get("public", {})
        key = registered(public) if public.get("crv") == "P-256" else None
        with pytest.raises(ProofError):
            open_jws(test["jws"], typ=REQUEST_TYP, keys=lambda _, k=key: k, size_max=65_536)
