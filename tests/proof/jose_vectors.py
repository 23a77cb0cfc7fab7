"""The golden JOSE vectors and how each kind is checked with this project's verifiers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.encoding import b64u_decode, digest
from hub.proof.exchange.batch import (
    LastRoot,
    Purpose,
    VerifiedRoot,
    check_chain,
    parse_leaf_proof,
    verify_batch_root,
    verify_row,
)
from hub.proof.exchange.request import SignedRequest, verify_request
from hub.proof.exchange.token import VerifiedToken, verify_token
from hub.proof.jose import Algorithm, RegisteredKey, Signer, es256_signer, public_key_from_jwk
from hub.proof.officers.approval import Approval, verify_approval
from hub.proof.records.sd_jwt import Expectation, Presentation, verify_presentation
from hub.proof.records.status_list import (
    Status,
    VerifiedStatusList,
    read_status,
    verify_status_list,
)

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "jose.json"
VECTORS: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))

NOW: int = VECTORS["now"]
ORIGIN: str = VECTORS["origin"]
REGION: str = VECTORS["region"]
RPC: str = VECTORS["rpc"]
CLIENT_DIGEST = digest(base64.b64decode(VECTORS["client_certificate"]))
ANCHORS = tuple(
    x509.load_der_x509_certificate(base64.b64decode(item)) for item in VECTORS["trust_anchors"]
)
REGISTERED = {
    key["kid"]: RegisteredKey(
        key["kid"],
        Algorithm.ES256,
        key["use"],
        key["owner"],
        public_key_from_jwk(key["jwk"]),
    )
    for key in VECTORS["keys"].values()
    if "use" in key
}


def keys(kid: str) -> RegisteredKey | None:
    """The registry of the vectors."""
    return REGISTERED.get(kid)


def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A private test key of the vectors."""
    return ec.derive_private_key(
        int.from_bytes(b64u_decode(VECTORS["keys"][name]["jwk"]["d"])), ec.SECP256R1()
    )


def signer(name: str, x5c: tuple[str, ...] = ()) -> Signer:
    """The signer of a test key."""
    return es256_signer(private_key(name), x5c)


def check_token(compact: str, given: dict[str, Any]) -> VerifiedToken:
    """`given` holds what differs from the defaults, as in the vectors."""
    certificate = given.get("cert")
    return verify_token(
        compact,
        keys=keys,
        origin=ORIGIN,
        region=REGION,
        now=given.get("now", NOW),
        certificate_digest=digest(bytes.fromhex(certificate["hex"]))
        if certificate
        else CLIENT_DIGEST,
        generation=given.get("generation", VECTORS["tokens"][0]["generation"]),
        revoked=frozenset(given.get("revoked", ())),
    )


def check_request(compact: str, given: dict[str, Any]) -> SignedRequest:
    """A request made with the first token, unless `given` says otherwise."""
    token = given.get("token", VECTORS["tokens"][0]["compact"])
    return verify_request(
        compact,
        keys=keys,
        origin=ORIGIN,
        region=REGION,
        rpc=RPC,
        now=given.get("now", NOW),
        token_digest=digest(token),
        token_subject="systems/window-1",
    )


def check_presentation(text: str, expect: dict[str, Any]) -> Presentation:
    """A presentation against `expect` of the vectors."""
    holder = expect.get("holder")
    expected = Expectation(
        origin=ORIGIN,
        region=REGION,
        vct=expect["vct"],
        fields=frozenset(expect["fields"]),
        cert=expect.get("cert"),
        holder=(holder["type"], holder["number"]) if holder else None,
        version=expect.get("version"),
    )
    return verify_presentation(text, expected, keys=keys, anchors=ANCHORS, now=NOW)


def check_status_list(compact: str, given: dict[str, Any]) -> VerifiedStatusList:
    """A status list token against the record's reference."""
    return verify_status_list(
        compact,
        keys=keys,
        origin=ORIGIN,
        region=REGION,
        uri=VECTORS["status"]["reference"]["uri"],
        now=given.get("now", NOW),
        highest_iat=given.get("highest_iat"),
    )


def check_status(compact: str, given: dict[str, Any]) -> Status:
    """The status the record's reference, or the one given, reads."""
    reference = given.get("ref", VECTORS["status"]["reference"])
    return read_status(check_status_list(compact, given), reference["idx"])


def check_root(compact: str, given: dict[str, Any]) -> VerifiedRoot:
    """A batch root and its place in the chain."""
    verified = verify_batch_root(
        compact,
        keys=keys,
        origin=ORIGIN,
        region=REGION,
        purpose=Purpose(given.get("purpose", "row")),
        now=given.get("now", NOW),
    )
    last = given.get("last")
    check_chain(verified.root, LastRoot(last["seq"], last["digest"]) if last else None)
    return verified


def check_row(proof: dict[str, Any], row: str, salt: str) -> bytes:
    """A row's leaf, proven in the golden batch."""
    parsed = parse_leaf_proof(proof | {"root_jws": VECTORS["batch"]["compact"]})
    verified = check_root(parsed.root_jws, {})
    return verify_row(verified.root, parsed, salt=b64u_decode(salt), row=row.encode())


def check_approval(compact: str, given: dict[str, Any]) -> Approval:
    """An approval of the golden intent under its nonce, unless `given` says otherwise."""
    golden = VECTORS["approval"]
    intent = given.get("intent")
    nonce = given.get("nonce")
    return verify_approval(
        compact,
        keys=keys,
        origin=ORIGIN,
        region=REGION,
        now=given.get("now", NOW),
        intent=bytes.fromhex(intent["hex"]) if intent else golden["intent"].encode(),
        nonce=bytes.fromhex(nonce["hex"]) if nonce else b64u_decode(golden["claims"]["nonce"]),
    )


def check_case(case: dict[str, Any]) -> object:
    """Run one negative case through the verifier that its `check` names."""
    given = case.get("given", {})
    text = case["input"]
    match case["check"]:
        case "token":
            return check_token(text, given)
        case "request":
            return check_request(text, given)
        case "presentation":
            return check_presentation(text, case["expect"])
        case "status":
            return check_status(text, given)
        case "root":
            return check_root(text, given)
        case "row":
            return check_row(text, case["row"], case["salt"])
        case "approval":
            return check_approval(text, given)
    raise AssertionError(case["check"])
