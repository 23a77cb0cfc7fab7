"""Entries, proof texts and receipts against the vectors and against alterations."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.proof.encoding import b64u, digest
from hub.proof.jose import LogHead
from hub.proof.log import merkle, note, receipt
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, ProofReason, Verdict
from tests.proof.vectors import LEDGER, answered, decoded, leaves, log_trust, receipt_cases

CASES = receipt_cases()
BY_NAME = {case["name"]: case for case in CASES}
LEAVES = leaves()


def verified(case: dict[str, Any], data: bytes | None = None) -> receipt.VerifiedReceipt:
    known = case["known"]
    return receipt.verify_receipt(
        case["receipt"].encode() if data is None else data,
        known["requests"],
        known["me"],
        answered(known["answer"]),
        log_trust(known["trust"]),
    )


@pytest.mark.parametrize("entry", LEDGER["entries"], ids=lambda entry: str(entry["i"]))
def test_commitment_entry_and_leaf_equal_the_vectors(entry: dict[str, Any]) -> None:
    """Salt and body give the commitment, the 49 public bytes and the leaf of the vectors."""
    salt, body = decoded(entry["salt"]), decoded(entry["body"])
    commitment = receipt.commit(salt, body)

    assert commitment.hex() == entry["commitment_hex"]
    assert receipt.entry_bytes(commitment).hex() == entry["entry_hex"]
    assert receipt.entry_leaf(salt, body).hex() == entry["leaf_hex"]
    assert receipt.entry_leaf(salt, body) == LEAVES[entry["i"]]


@pytest.mark.parametrize("case", LEDGER["proof_texts"], ids=lambda case: str(case["size"]))
def test_proof_texts_are_written_and_read_as_in_the_vectors(case: dict[str, Any]) -> None:
    """The text made from path and checkpoint is that of the vectors, and reads back."""
    path = merkle.inclusion_path(LEAVES[: case["size"]], case["index"])
    head = next(
        item["note_text"]
        for item in LEDGER["checkpoints"]
        if item["size"] == case["size"] and "cosigned" not in item
    )

    assert receipt.proof_text(case["index"], path, head) == case["proof_text"]
    assert receipt.parse_proof(case["proof_text"]) == receipt.Proof(
        case["index"], tuple(path), head
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n\n",
        "c2sp.org/tlog-proof@v1\n3\n\nx",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 3\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 3\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 3\n" + (64 * ("A" * 43 + "=\n")) + "\nx",
        "c2sp.org/tlog-proof@v1\nindex 3\nno empty line\n",
    ],
)
def test_a_malformed_proof_text_is_refused(text: str) -> None:
    """Header, index, hashes and the empty line are each demanded."""
    with pytest.raises(ProofError) as caught:
        receipt.parse_proof(text)

    assert caught.value.reason is ProofReason.PROOF_MALFORMED


@pytest.mark.parametrize("name", BY_NAME)
def test_each_receipt_is_judged_as_the_vectors_say(name: str) -> None:
    """Verdict, grade, index and head of a valid case; verdict and reason of any other."""
    case = BY_NAME[name]
    expected = case["expected"]
    if expected["verdict"] == "valid":
        result = verified(case)

        assert result.grade == expected["grade"]
        assert result.index == expected["index"]
        assert (result.head.size, result.head.root) == (expected["size"], expected["root"])
        return
    with pytest.raises(ProofError) as caught:
        verified(case)

    assert caught.value.verdict == expected["verdict"]
    assert caught.value.reason == expected["reason"]


def test_all_cases_are_walked() -> None:
    """No case of the vectors is lost: 6 valid, 46 invalid, 2 that cannot be checked."""
    verdicts = [case["expected"]["verdict"] for case in CASES]

    assert len(BY_NAME) == len(CASES)
    assert [verdicts.count(verdict) for verdict in Verdict] == [6, 46, 2]


@pytest.mark.parametrize("name", ["receipt-5", "receipt-1000"])
def test_receipts_are_made_as_in_the_vectors(name: str) -> None:
    """The text made from body, salt, proof and consistency has the members of the vectors."""
    members = json.loads(BY_NAME[name]["receipt"])

    made = receipt.make_receipt(
        decoded(members["body"]),
        decoded(members["salt"]),
        members["proof"],
        [decoded(item) for item in members["consistency"]],
    )

    assert json.loads(made) == members
    assert verified(BY_NAME[name], made.encode()).entry.outcome == "answered"


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_altered_receipt_never_verifies(data: st.DataObject) -> None:
    """One character of a valid receipt replaced by another: refused, and by no other exception."""
    case = BY_NAME[data.draw(st.sampled_from(["receipt-5", "receipt-1000", "receipt-5-upgraded"]))]
    raw = bytearray(case["receipt"].encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    if json.loads(case["receipt"]) == _parsed(bytes(raw)) or _unknown_line_altered(case, raw):
        return  # White space or another escape of the same text: the same receipt.

    with pytest.raises(ProofError):
        verified(case, bytes(raw))


def test_members_of_other_types_are_refused() -> None:
    """`true`, `1.0`, "1" and null are no version; objects and numbers are no text."""
    members = json.loads(BY_NAME["receipt-5"]["receipt"])
    malformed = ProofReason.RECEIPT_MALFORMED
    cases: list[tuple[dict[str, Any], ProofReason]] = [
        ({"v": True}, malformed),
        ({"v": 1.0}, malformed),
        ({"v": "1"}, malformed),
        ({"v": 2}, ProofReason.RECEIPT_VERSION),
        ({"proof": 7}, malformed),
        ({"consistency": "x"}, malformed),
        ({"consistency": [7]}, ProofReason.BASE64_NOT_CANONICAL),
        ({"consistency": [b64u(bytes(31))]}, malformed),
        ({"consistency": [b64u(bytes(32))] * 64}, malformed),
        ({"salt": None}, ProofReason.BASE64_NOT_CANONICAL),
        ({"later": {}}, malformed),
        ({"later": [{"proof": ""}]}, malformed),
        ({"body": b64u(bytes(receipt.BODY_BYTES_MAX + 1))}, ProofReason.BODY_MALFORMED),
        ({"grade": "witnessed"}, malformed),
    ]
    for change, reason in cases:
        with pytest.raises(ProofError) as caught:
            receipt.parse_receipt(json.dumps(members | change).encode())
        assert caught.value.reason is reason, change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": True}, ProofReason.BODY_VERSION),
        ({"origin": "other.example"}, ProofReason.BODY_ORIGIN),
        ({"consent_digest": None}, ProofReason.BODY_MALFORMED),
        ({"time_us": "1"}, ProofReason.BODY_MALFORMED),
        ({"certificates": [7]}, ProofReason.BODY_MALFORMED),
        (
            {"certificates": [{"vct": "x", "state": "active", "sd_hash": "x"}]},
            ProofReason.BODY_MALFORMED,
        ),
    ],
)
def test_a_body_is_read_strictly(change: dict[str, Any], reason: ProofReason) -> None:
    """Version, origin and the types of members are checked although the entry is logged."""
    body = json.loads(decoded(json.loads(BY_NAME["receipt-5"]["receipt"])["body"]))

    with pytest.raises(ProofError) as caught:
        receipt.read_entry(
            json.dumps(body | change).encode(), "hub.example/sealway", receipt.ExchangeKind.FETCH
        )

    assert caught.value.reason is reason


def test_one_witness_under_two_names_or_with_two_keys_counts_once() -> None:
    """The grade needs different witnesses, and at least one even where none is demanded."""

    def seen(*pairs: tuple[str, int]) -> list[note.Checkpoint]:
        signed = tuple(
            note.Cosignature(note.VerifierKey(name, note.KeyType.WITNESS, bytes([key] * 32)), 9)
            for name, key in pairs
        )
        return [note.Checkpoint("hub.example", 1, bytes(32), signed)]

    assert receipt.grade_of(seen(("a", 1), ("b", 2)), 2) is receipt.Grade.WITNESSED
    assert receipt.grade_of(seen(("a", 1), ("b", 1)), 2) is receipt.Grade.LOGGED
    assert receipt.grade_of(seen(("a", 1), ("a", 2)), 2) is receipt.Grade.LOGGED
    assert receipt.grade_of(seen(), 0) is receipt.Grade.LOGGED


def test_a_stored_head_is_replaced_only_by_a_larger_one_proven_to_follow() -> None:
    """First contact and a proven larger head are kept; a smaller or unproven one is not."""
    small, large = verified(BY_NAME["receipt-5"]), verified(BY_NAME["receipt-1000"])
    between = LogHead("hub.example/sealway", 100, b64u(merkle.root(LEAVES[:100])))

    assert receipt.may_replace_head(None, small)
    assert receipt.may_replace_head(small.head, large)
    assert not receipt.may_replace_head(large.head, small)
    assert not receipt.may_replace_head(between, large)
    assert not receipt.may_replace_head(large.head, large)


def test_two_roots_at_one_size_are_reported_and_not_ignored() -> None:
    """A fork of the log is an error, never merely a head that is not kept."""
    forked = LogHead("hub.example/sealway", 5, b64u(bytes(32)))

    with pytest.raises(ProofError) as caught:
        receipt.may_replace_head(forked, verified(BY_NAME["receipt-5"]))

    assert caught.value.reason is ProofReason.CONSISTENCY_MISMATCH


def test_a_receipt_of_our_own_making_verifies_from_end_to_end() -> None:
    """An entry put into a fresh tree and signed under a fresh key passes every step."""
    key = Ed25519PrivateKey.generate()
    vkey = note.VerifierKey("hub.test", note.KeyType.LOG, key.public_key().public_bytes_raw())
    claims = {"iss": "systems/a", "jti": "1", "iat": 1000, "certificates": []}
    request = f"e30.{b64u(json.dumps(claims).encode())}.c2ln"
    body = json.dumps(
        {
            "v": 1,
            "kind": "fetch",
            "origin": "hub.test",
            "region": "330100",
            "time_us": 1_000_000_000,
            "request_id": "1",
            "caller": "systems/a",
            "request_digest": digest(request),
            "outcome": "answered",
            "certificates": [],
        }
    ).encode()
    tree = [*LEAVES[:6], receipt.entry_leaf(bytes(32), body)]
    head = note.sign_checkpoint("hub.test", 7, merkle.root(tree), key)
    proof = receipt.proof_text(6, merkle.inclusion_path(tree, 6), head)

    result = receipt.verify_receipt(
        receipt.make_receipt(body, bytes(32), proof, []).encode(),
        [request],
        "systems/a",
        [],
        receipt.LogTrust("hub.test", (vkey.text(),)),
    )

    assert (result.index, result.grade) == (6, receipt.Grade.LOGGED)


def test_every_reason_has_a_text_in_both_languages() -> None:
    """Whatever a vector is refused for can be said to a person in English and Chinese."""
    for case in CASES:
        if "reason" in case["expected"]:
            text = TEXTS[ProofReason(case["expected"]["reason"])]
            assert text.en
            assert text.zh


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _unknown_line_altered(case: dict[str, Any], raw: bytearray) -> bool:
    """Whether only a signature line of an unknown key differs: such lines mean nothing, and a
    witness whose name was altered is one."""
    log, witness = (f"\u2014 {LEDGER['keys'][name]['name']} " for name in ("log", "witness"))

    def said(value: Any, place: str = "") -> list[tuple[str, str]]:
        """Every line of every text that says something, and where it stands."""
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            return [one for name, inner in pairs for one in said(inner, f"{place}/{name}")]
        lines = str(value).split("\n")
        return [
            (place, line)
            for line in lines
            if not line.startswith("\u2014 ") or line.startswith((log, witness))
        ]

    before, after = said(json.loads(case["receipt"])), said(_parsed(bytes(raw)))
    fewer = [
        before[:number] + before[number + 1 :]
        for number, (_, line) in enumerate(before)
        if line.startswith(witness)
    ]
    return after in (before, *fewer)
