"""No input makes a verifier raise anything but ProofError, and no altered text passes."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.encoding import b64u, b64u_decode, parse_json
from hub.proof.jose import sign_jws
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.disclosure import process
from tests.proof.jose_vectors import VECTORS, check_case, private_key

GOLDEN_ROW = VECTORS["batch"]["rows"][1]
SUBJECTS: list[dict[str, Any]] = [
    {"check": "token", "key": "token", **VECTORS["tokens"][0]},
    *({"check": "request", "key": "system", **item} for item in VECTORS["requests"][:2]),
    {"check": "status", "key": "status", **VECTORS["status"]},
    {"check": "root", "key": "connector", **VECTORS["batch"]},
    {"check": "approval", "key": "officer", **VECTORS["approval"]},
]
PRESENTATIONS = VECTORS["presentations"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["", "_sd", "...", "2026", "a.b", "sha-256", "ES256"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["_sd", "...", "_sd_alg", "cert", "vct", "fields", "holder", "type"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def outcome(case: dict[str, Any]) -> bool:
    """Whether the case verifies; any exception but ProofError escapes and fails the test."""
    try:
        check_case(case)
    except ProofError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_altered_text_is_refused(data: st.DataObject) -> None:
    """One character replaced, added or removed anywhere in a signed text: ProofError."""
    subject = data.draw(st.sampled_from(SUBJECTS + PRESENTATIONS))
    text = subject.get("compact", subject.get("text"))
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "A", "_", ".", "~", "=", "\n", "é", "\ud800", "AA"]))
    altered = text[:at] + put + text[at + 1 :]
    case = {"check": subject.get("check", "presentation"), "input": altered}
    case["expect"] = subject.get("expect")
    assert altered == text or not outcome(case)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_signed_nonsense_raises_only_proof_errors(data: st.DataObject) -> None:
    """A key holder signs a claim of any JSON type: accepted or refused, never a crash."""
    subject = data.draw(st.sampled_from(SUBJECTS))
    claims = copy.deepcopy(subject["claims"])
    name = data.draw(st.sampled_from([*sorted(claims), "act", "fwd", "via", "log", "consent"]))
    claims[name] = data.draw(json_values)
    payload = json.dumps(claims).encode("utf-8", "surrogatepass")
    compact = sign_jws(subject["header"], payload, private_key(subject["key"]))
    outcome({"check": subject["check"], "input": compact})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_signed_nonsense_in_a_record_raises_only_proof_errors(data: st.DataObject) -> None:
    """The same for record seals, their header and their disclosures."""
    seal = VECTORS["record_seal"]
    header, claims = copy.deepcopy(seal["header"]), copy.deepcopy(seal["claims"])
    where = data.draw(st.sampled_from([header, claims]))
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(json_values)
    elements = data.draw(st.lists(json_values, max_size=4))
    extra = b64u(json.dumps(elements).encode("utf-8", "surrogatepass"))
    compact = sign_jws(
        b64u(json.dumps(header).encode("utf-8", "surrogatepass")),
        json.dumps(claims).encode("utf-8", "surrogatepass"),
        private_key("seal"),
    )
    first = seal["disclosures"]["name"]["disclosure"]
    text = "~".join([compact, data.draw(st.sampled_from([first, extra])), ""])
    outcome({"check": "presentation", "input": text, "expect": PRESENTATIONS[0]["expect"]})


@settings(max_examples=150, deadline=None)
@given(json_values, st.lists(json_values, max_size=3))
def test_general_processing_raises_only_proof_errors(payload: Any, disclosures: list[Any]) -> None:
    """Any payload and any disclosures: processed or refused."""
    texts = [b64u(json.dumps(item).encode("utf-8", "surrogatepass")) for item in disclosures]
    try:
        process({"claims": payload, "_sd": [payload]}, texts)
    except ProofError:
        return


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_row_proofs_raise_only_proof_errors(data: st.DataObject) -> None:
    """A proof with a member of any type is refused, never a crash."""
    proof = copy.deepcopy(GOLDEN_ROW["proof"])
    name = data.draw(st.sampled_from(sorted(proof)))
    proof[name] = data.draw(json_values)
    if proof == GOLDEN_ROW["proof"]:
        return
    case = {"check": "row", "input": proof, "row": GOLDEN_ROW["row"], "salt": GOLDEN_ROW["salt"]}
    assert name == "root_jws" or not outcome(case)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_strict_json_accepts_less_than_the_library_and_nothing_else(data: bytes) -> None:
    """What we accept, `json` reads to the same value; all else is a ProofError."""
    try:
        value = parse_json(data)
    except ProofError:
        return
    assert json.loads(data) == value


@settings(max_examples=300, deadline=None)
@given(st.text("ABYZabyz0189-_+/=\n é", max_size=9))
def test_base64url_has_one_text_for_one_value(text: str) -> None:
    """What is accepted comes back when encoded; foreign characters are named as such."""
    try:
        assert b64u(b64u_decode(text)) == text
    except ProofError as error:
        foreign = set(text) & set("+/=\n é")
        assert (error.reason is ProofReason.BASE64_ALPHABET) == bool(foreign)
