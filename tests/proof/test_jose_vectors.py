"""All golden JOSE vectors: positives verify and are reproduced, negatives are refused."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from hub.proof.encoding import b64u, b64u_decode, digest, emit_json
from hub.proof.exchange.batch import (
    BatchRoot,
    LastRoot,
    Purpose,
    check_chain,
    leaf_proof,
    record_leaf,
    row_leaf,
    sign_batch_root,
)
from hub.proof.exchange.request import (
    Holder,
    RequestClaims,
    RequestedCertificate,
    same_request,
    sign_request,
)
from hub.proof.exchange.token import AccessToken, issue_token
from hub.proof.jose import (
    SEAL_TYP,
    Algorithm,
    LogHead,
    RegisteredKey,
    jwk_thumbprint,
    sign_jws,
    thumbprint,
)
from hub.proof.log.merkle import root as merkle_root
from hub.proof.officers.approval import (
    Approval,
    Decision,
    challenge,
    challenge_input,
    intent_digest,
    sign_approval,
)
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.records.disclosure import Disclosure, make_disclosure, process
from hub.proof.records.sd_jwt import (
    Custody,
    Expectation,
    RecordClaims,
    Source,
    StatusReference,
    present,
    record_payload,
    verify_presentation,
)
from hub.proof.records.status_list import StatusClaims, StatusList, sign_status_list
from tests.proof.jose_vectors import (
    ANCHORS,
    GOLDEN,
    NOW,
    ORIGIN,
    REGION,
    REGISTERED,
    VECTORS,
    check_approval,
    check_case,
    check_presentation,
    check_request,
    check_root,
    check_row,
    check_status,
    check_token,
    keys,
    private_key,
    signer,
)


def test_golden_copy_equals_the_shared_vectors(shared_data: Path) -> None:
    """The copy tested here is the one other implementers use."""
    assert GOLDEN.read_bytes() == (shared_data / "vectors" / "jose.json").read_bytes()


@pytest.mark.parametrize("case", VECTORS["negative"], ids=lambda case: case["name"])
def test_negative_is_refused_with_exactly_its_reason(case: dict[str, Any]) -> None:
    """Each altered text is refused by the step that the format names, and by no other."""
    with pytest.raises(ProofError) as caught:
        check_case(case)
    assert caught.value.reason == case["reason"]
    status = case["check"] == "status"
    assert caught.value.verdict is (Verdict.CANNOT_CHECK if status else Verdict.INVALID)


def test_all_negatives_are_present() -> None:
    """No case was lost on the way."""
    assert len(VECTORS["negative"]) == 104


def signed_members() -> list[tuple[str, dict[str, Any]]]:
    """Every member with compact, header and claims, and the key that signs it."""
    members = [("token", token) for token in VECTORS["tokens"]]
    members += [("system", item) for item in VECTORS["requests"] if "claims" in item]
    members += [("seal", VECTORS["record_seal"]), ("status", VECTORS["status"])]
    members += [("connector", VECTORS["batch"]), ("connector", VECTORS["batch"]["next"])]
    return [*members, ("officer", VECTORS["approval"])]


@pytest.mark.parametrize(("key", "member"), signed_members())
def test_signer_reproduces_the_text(key: str, member: dict[str, Any]) -> None:
    """Deterministic signatures give the same bytes from the same header and claims."""
    compact = sign_jws(member["header"], emit_json(member["claims"]), private_key(key))
    assert compact == member["compact"]
    assert digest(compact) == member["digest"]


@pytest.mark.parametrize("name", list(VECTORS["keys"]))
def test_kid_is_the_thumbprint(name: str) -> None:
    """RFC 7638 over the key gives the `kid` of the vectors."""
    assert thumbprint(private_key(name).public_key()) == VECTORS["keys"][name]["kid"]


def test_token_verifies_and_is_reproduced() -> None:
    """The access token says what the vectors say, and issuing it again gives the same text."""
    vector = VECTORS["tokens"][0]
    verified = check_token(vector["compact"], {})
    assert verified.digest == vector["digest"]
    claims = vector["claims"]
    assert verified.token == AccessToken(
        claims["iss"],
        claims["sub"],
        claims["aud"],
        claims["region"],
        claims["jti"],
        claims["iat"],
        claims["exp"],
        claims["gen"],
        claims["cnf"]["x5t#S256"],
    )
    assert issue_token(verified.token, signer("token")) == vector["compact"]


def request_of(claims: dict[str, Any]) -> RequestClaims:
    """The claims of a vector as we hold them."""
    plain = {name: value for name, value in claims.items() if name != "v"}
    plain["certificates"] = tuple(
        RequestedCertificate(
            item["vct"],
            tuple(item["fields"]),
            item.get("cert"),
            Holder(**item["holder"]) if "holder" in item else None,
        )
        for item in claims["certificates"]
    )
    if "log" in claims:
        plain["log"] = LogHead(**claims["log"])
    return RequestClaims(**plain)


@pytest.mark.parametrize("vector", VECTORS["requests"][:2], ids=lambda vector: vector["name"])
def test_request_verifies_and_is_reproduced(vector: dict[str, Any]) -> None:
    """A request says what the vectors say, and signing it again gives the same text."""
    verified = check_request(vector["compact"], {})
    expected = request_of(vector["claims"])
    assert verified.digest == vector["digest"]
    for name in RequestClaims.__slots__:
        assert getattr(verified, name) == getattr(expected, name)
    assert sign_request(expected, signer("system")) == vector["compact"]


def test_mirrored_twin_is_the_same_request() -> None:
    """The mirrored signature has another digest and is answered as the first request."""
    first, other, twin = [check_request(vector["compact"], {}) for vector in VECTORS["requests"]]
    assert twin.digest == VECTORS["requests"][2]["digest"] != first.digest
    assert same_request(first, twin)
    assert not same_request(first, other)


def record_claims(claims: dict[str, Any]) -> RecordClaims:
    """The clear claims of a vector as we hold them."""
    return RecordClaims(
        origin=claims["origin"],
        region=claims["region"],
        iss=claims["iss"],
        vct=claims["vct"],
        vct_integrity=claims["vct#integrity"],
        type_version=claims["type_version"],
        iat=claims["iat"],
        cert=claims["cert"],
        version=claims["version"],
        status=StatusReference(**claims["status"]["status_list"]),
        custody=Custody(claims["custody"]),
        src=Source(**claims["src"]),
        algs=tuple(claims["algs"]),
    )


def ordered_disclosures() -> list[Disclosure]:
    """The vector's disclosures, made anew, in the order of their digests."""
    vector = VECTORS["record_seal"]
    made = {
        digest(disclosure.text): disclosure
        for disclosure in (
            make_disclosure(b64u_decode(item["salt"]), name, item["value"])
            for name, item in vector["disclosures"].items()
        )
    }
    return [made[item] for item in vector["claims"]["_sd"] if item in made]


def test_record_seal_is_reproduced() -> None:
    """Disclosures, digests, payload, signature and record leaf come out byte for byte."""
    vector = VECTORS["record_seal"]
    for name, item in vector["disclosures"].items():
        disclosure = make_disclosure(b64u_decode(item["salt"]), name, item["value"])
        assert disclosure.text == item["disclosure"]
        assert digest(disclosure.text) == item["digest"]
    payload = record_payload(record_claims(vector["claims"]), vector["claims"]["_sd"])
    compact = signer("seal", tuple(vector["header"]["x5c"])).compact(SEAL_TYP, payload)
    assert compact == vector["compact"]
    assert b64u(record_leaf(compact.rpartition(".")[0])) == vector["record_leaf"]


@pytest.mark.parametrize("vector", VECTORS["presentations"], ids=lambda vector: vector["name"])
def test_presentation_verifies_and_is_reproduced(vector: dict[str, Any]) -> None:
    """A presentation discloses what the vectors say, and the same names give the same bytes."""
    presentation = check_presentation(vector["text"], vector["expect"])
    assert presentation.sd_hash == vector["sd_hash"]
    assert presentation.claims == vector["claims"]
    assert presentation.custody is Custody.DEPARTMENT
    compact, *texts = vector["text"].split("~")[:-1]
    assert process(VECTORS["record_seal"]["claims"], texts) == vector["claims"]
    assert present(compact, ordered_disclosures(), presentation.disclosed.keys()) == vector["text"]


def test_presentation_verifies_with_anchors_alone() -> None:
    """A verifier without a key registry takes the key from the chain that its anchors vouch for."""
    vector = VECTORS["presentations"][0]
    expect = vector["expect"]
    expected = Expectation(ORIGIN, REGION, expect["vct"], frozenset(expect["fields"]))
    got = verify_presentation(vector["text"], expected, keys=None, anchors=ANCHORS, now=NOW)
    assert got.sd_hash == vector["sd_hash"]


@pytest.mark.parametrize("registry", [keys, None])
def test_presentation_without_any_anchor_cannot_be_checked(registry: Any) -> None:
    """Who has pinned no anchor learns that the chain could not be checked, not that it is wrong."""
    vector = VECTORS["presentations"][0]
    expect = vector["expect"]
    expected = Expectation(ORIGIN, REGION, expect["vct"], frozenset(expect["fields"]))
    with pytest.raises(ProofError) as caught:
        verify_presentation(vector["text"], expected, keys=registry, anchors=(), now=NOW)
    assert caught.value.reason is ProofReason.X5C_UNTRUSTED
    assert caught.value.verdict is Verdict.CANNOT_CHECK


def test_sm2_twin_is_recognised_and_cannot_be_checked() -> None:
    """The SM2 text shares the payload; its signature is never reported as valid or invalid."""
    twin = VECTORS["sm2_twin"]
    assert jwk_thumbprint(twin["jwk"]) == twin["kid"]
    assert twin["es256"].split(".")[1] == twin["sm2"].split(".")[1]
    sm2_key = RegisteredKey(twin["kid"], Algorithm.SM2, SEAL_TYP, "113301000025123419", None)
    registry = REGISTERED | {twin["kid"]: sm2_key}
    claims = VECTORS["record_seal"]["claims"]
    disclosed = present(twin["sm2"], ordered_disclosures(), {"name"})
    expected = Expectation(ORIGIN, REGION, claims["vct"], frozenset({"name"}))
    with pytest.raises(ProofError) as caught:
        verify_presentation(disclosed, expected, keys=registry.get, anchors=ANCHORS, now=NOW)
    assert caught.value.reason is ProofReason.ALG_NOT_CHECKED
    assert caught.value.verdict is Verdict.CANNOT_CHECK
    es256 = present(twin["es256"], ordered_disclosures(), {"name"})
    got = verify_presentation(es256, expected, keys=registry.get, anchors=ANCHORS, now=NOW)
    assert got.record.algs == ("ES256", "SM2")


def test_status_list_answers_as_stated() -> None:
    """Each index of the vectors reads its status, and the record's own reads valid."""
    vector = VECTORS["status"]
    for index, answer in vector["answers"].items():
        status = check_status(vector["compact"], {"ref": {"idx": int(index)}})
        assert status.name.lower() == answer
    assert check_status(vector["compact"], {}).name == "VALID"


def test_status_list_token_is_reproduced() -> None:
    """The token from its claims and `lst`; what `lst` unpacks to from the entries set."""
    vector = VECTORS["status"]
    claims = vector["claims"]
    made = StatusList(vector["entries"])
    for index, status in vector["set"].items():
        made.set(int(index), status)
    said = StatusClaims(
        claims["iss"],
        claims["sub"],
        ORIGIN,
        REGION,
        claims["iat"],
        claims["exp"],
        claims["ttl"],
        LogHead(**claims["log"]),
    )
    compact = sign_status_list(said, claims["status_list"]["lst"], signer("status"))
    assert compact == vector["compact"]
    own = sign_status_list(said, made.compress(), signer("status"))
    for index in (*map(int, vector["set"]), 1, 54321):
        given = {"ref": {"idx": index}}
        assert check_status(own, given) == check_status(vector["compact"], given)


def test_small_status_array_is_laid_out_as_in_the_vectors() -> None:
    """Index 0 stands in the two lowest bits of byte 0; 3 is never written, so it is left out."""
    small = VECTORS["status"]["small"][0]
    assert zlib.decompress(b64u_decode(small["lst"])).hex() == small["bytes"]
    made = StatusList()
    mask = bytearray(3)
    for index, status in enumerate(small["statuses"]):
        if status != 3:
            made.set(index, status)
            mask[index >> 2] |= 3 << ((index & 3) * 2)
    expected = bytes(a & b for a, b in zip(bytes.fromhex(small["bytes"]), mask, strict=True))
    assert zlib.decompress(b64u_decode(made.compress()))[:3] == expected


def test_batch_root_rows_and_chain() -> None:
    """The root is reproduced, every row is proven at its place, and the next root follows."""
    vector = VECTORS["batch"]
    verified = check_root(vector["compact"], {})
    assert verified.chain_digest == vector["chain_digest"]
    assert verified.digest == vector["digest"]
    leaves = []
    for row in vector["rows"]:
        leaf = row_leaf(b64u_decode(row["salt"]), row["row"].encode())
        assert b64u(leaf) == row["leaf"]
        assert check_row(row["proof"], row["row"], row["salt"]) == leaf
        leaves.append(leaf)
    assert merkle_root(leaves) == verified.root.root
    for index, row in enumerate(vector["rows"]):
        assert leaf_proof(leaves, index, "batch.compact").emit() == row["proof"]
    assert digest(vector["manifest"]) == verified.root.manifest
    assert sign_batch_root(verified.root, signer("connector")) == vector["compact"]
    last = {"seq": 1, "digest": verified.chain_digest}
    following = check_root(vector["next"]["compact"], {"last": last})
    assert following.digest == vector["next"]["digest"]
    assert sign_batch_root(following.root, signer("connector")) == vector["next"]["compact"]


def test_gap_in_a_chain_is_told_from_the_authentic_root() -> None:
    """A root after a dropped batch opens, so that it can be kept, and is refused by the chain."""
    root = check_root(VECTORS["batch"]["compact"], {}).root
    assert isinstance(root, BatchRoot)
    assert root.purpose is Purpose.ROW
    with pytest.raises(ProofError) as caught:
        check_chain(root, LastRoot(7, "x"))
    assert caught.value.reason is ProofReason.BATCH_SEQ


def test_approval_verifies_and_is_reproduced() -> None:
    """Intent digest, challenge input, challenge and text are those of the vectors."""
    vector = VECTORS["approval"]
    claims = vector["claims"]
    approval = Approval(
        origin=ORIGIN,
        region=REGION,
        officer=claims["officer"],
        intent=intent_digest(vector["intent"].encode()),
        nonce=b64u_decode(claims["nonce"]),
        decision=Decision.APPROVE,
        not_after=claims["not_after"],
        key_entry=claims["key_entry"],
        iat=claims["iat"],
    )
    assert b64u(approval.intent) == vector["I"]
    assert challenge_input(approval).hex() == vector["challenge_input"]
    assert b64u(challenge(approval)) == vector["challenge"]
    assert sign_approval(approval, signer("officer")) == vector["compact"]
    assert check_approval(vector["compact"], {}) == approval


def test_every_member_of_the_vectors_is_walked() -> None:
    """A new kind of vector must not pass unnoticed."""
    plain = {"format", "v", "note", "now", "origin", "region", "rpc"}
    walked = {"keys", "trust_anchors", "client_certificate", "tokens", "requests", "record_seal"}
    walked |= {"presentations", "sm2_twin", "status", "batch", "approval", "negative"}
    assert json.loads(GOLDEN.read_text(encoding="utf-8")).keys() == plain | walked
