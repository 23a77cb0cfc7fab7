"""Vectors of approvals by authenticators, for whoever writes another verifier.

`python -m tests.proof.webauthn_vectors` writes `docs/vectors/webauthn_approvals.json`; everything
in it follows from the names in here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.officers.approval import Decision
from hub.proof.reasons import ProofReason as R
from tests.authenticator import Authenticator, b64u
from tests.proof.officers import NOW, ORIGIN, REGION, Bench, with_authenticators

FILE: Final = Path(__file__).resolve().parents[2] / "docs/vectors/webauthn_approvals.json"
_SUSPEND: Final = {"seal": "authorities/hz-market/seals/main", "cause": "inspection"}
_PAGE: Final = "http://localhost:47443"

# What the authenticator was made to sign, and what a verifier says of it; None: it holds.
SIGNED: Final[list[tuple[str, dict[str, Any], R | None]]] = [
    ("low s", {"high_s": False}, None),
    ("high s: authenticators do not choose", {"high_s": True}, None),
    ("a counter of 0: it does not count", {"count": 0}, None),
    ("a creation", {"client": {"type": "webauthn.create"}}, R.WEBAUTHN_TYPE),
    ("another challenge", {"client": {"challenge": b64u(bytes(32))}}, R.CHALLENGE_MISMATCH),
    ("another port", {"client": {"origin": "http://localhost:47444"}}, R.WEBAUTHN_ORIGIN),
    ("a frame in another page", {"client": {"crossOrigin": True}}, R.WEBAUTHN_CROSS_ORIGIN),
    ("a page around", {"client": {"topOrigin": "https://x.example"}}, R.WEBAUTHN_CROSS_ORIGIN),
    ("another relying party", {"rp_id": "sign-in.example"}, R.WEBAUTHN_RP),
    ("nobody present", {"flags": 0x04}, R.WEBAUTHN_USER),
    ("nobody verified", {"flags": 0x01}, R.WEBAUTHN_USER),
    ("a key that is copied elsewhere", {"flags": 0x1D}, R.WEBAUTHN_MALFORMED),
    ("an extension", {"flags": 0x85, "extension": b"\xa0"}, R.WEBAUTHN_MALFORMED),
    ("a byte behind", {"extension": b"\x00"}, R.WEBAUTHN_MALFORMED),
    ("a member twice", {"client_data": b'{"type":"x","type":"x"}'}, R.JSON_DUPLICATE_MEMBER),
]
# Of new credentials.
PROVEN: Final[list[tuple[str, dict[str, Any], R | None]]] = [
    ("as it should be", {}, None),
    ("another relying party", {"rp_id": "sign-in.example"}, R.WEBAUTHN_RP),
    ("nobody verified", {"flags": 0x41}, R.WEBAUTHN_USER),
    ("a key that may be copied elsewhere", {"flags": 0x4D}, R.WEBAUTHN_MALFORMED),
    ("bytes behind the key", {"more": b"\x00"}, R.WEBAUTHN_MALFORMED),
]


def _key(name: str) -> ec.EllipticCurvePrivateKey:
    value = int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 1
    return ec.derive_private_key(value, ec.SECP256R1())


def make() -> dict[str, Any]:
    """The file: a roster with two authenticators, one intent, what was signed, and the verdicts."""
    bench = Bench({f"officers/{name}": _key(name) for name in ("ann", "bob", "cat", "dan")})
    devices = {
        name: Authenticator(
            key=_key(f"{name}'s device"), credential_id=hashlib.sha256(name.encode()).digest()
        )
        for name in ("cat", "dan")
    }
    roster = with_authenticators(bench.founded(), devices)
    suspend = bench.intent("seal.suspend", _SUSPEND)
    quorum = bench.intent("quorum.change", {"default": 2})

    def by(name: str, intent: bytes, case: str, **changes: Any) -> str:
        nonce = hashlib.sha256(f"{name} {case}".encode()).digest()
        decision = changes.pop("decision", Decision.APPROVE)
        said = bench.said(name, intent, nonce=nonce, decision=decision)
        return devices[name].approve(said, **{"count": 7, **changes})

    two = [by("cat", suspend, "two"), by("dan", suspend, "two")]
    browsers = [by("cat", quorum, "quorum"), by("dan", quorum, "quorum")]
    nonce = hashlib.sha256(b"bob").digest()
    shown = bench.approval("bob", quorum, nonce=nonce)
    no = by("dan", suspend, "no", decision=Decision.REJECT)
    return {
        "origin": ORIGIN,
        "region": REGION,
        "now": NOW,
        "roster": roster.to_bytes().decode(),
        "intent": suspend.decode(),
        "quorum_intent": quorum.decode(),
        "approvals": [
            {"name": name, "text": by("cat", suspend, name, **changes), "reason": reason}
            for name, changes, reason in SIGNED
        ],
        "counted": [
            _counted("two authenticators", "intent", two, None),
            _counted("one of them twice", "intent", two[:1] * 2, R.QUORUM_NOT_REACHED),
            _counted("one rejects", "intent", [two[0], no], R.INTENT_REJECTED),
            _counted("browsers alone", "quorum_intent", browsers, R.DISPLAY_MISSING),
            _counted("with one JWS", "quorum_intent", [browsers[0], shown], None),
        ],
        "credentials": [
            {
                "name": name,
                "text": devices["cat"].proof("officers/cat", **{"count": 1, **changes}).decode(),
                "reason": reason,
            }
            for name, changes, reason in PROVEN
        ],
    }


def _counted(name: str, intent: str, approvals: list[str], reason: R | None) -> dict[str, Any]:
    return {"name": name, "intent": intent, "approvals": approvals, "reason": reason}


if __name__ == "__main__":
    FILE.write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
