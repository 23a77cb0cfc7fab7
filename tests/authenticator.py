"""An authenticator in software: what a browser and a security key make together, byte by byte.

Written from the W3C recommendation and not with the product's code. `changes` make what an
attacker, or an authenticator that is none of ours, would send.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from hub.proof.jose import thumbprint
from hub.proof.officers.approval import Approval, challenge, webauthn_approval
from hub.proof.webauthn import Assertion, credential_proof, possession_challenge

RP_ID = "localhost"
PAGE = "http://localhost:47443"
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One credential of P-256. It counts its signatures unless `count` is None."""

    rp_id: str = RP_ID
    page: str = PAGE
    count: int | None = 0
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def kid(self) -> str:
        return thumbprint(self.key.public_key())

    def data(self, usual: int, **changes: Any) -> bytes:
        """Authenticator data without a credential, with the `usual` flags."""
        flags = changes.get("flags", usual)
        rp_id = changes.get("rp_id", self.rp_id)
        count = changes.get("count", self.count or 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4)

    def cose(self) -> bytes:
        """The public key as canonical CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}."""
        numbers = self.key.public_key().public_numbers()
        head = bytes([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01])
        x, y = numbers.x.to_bytes(32), numbers.y.to_bytes(32)
        return head + bytes([0x21, 0x58, 0x20]) + x + bytes([0x22, 0x58, 0x20]) + y

    def attested(self, **changes: Any) -> bytes:
        """Authenticator data of a credential that is made now."""
        identifier, cose = changes.get("identifier", self.credential_id), self.cose()
        body = bytes(16) + len(identifier).to_bytes(2) + identifier + changes.get("cose", cose)
        return self.data(0x45, **changes) + body + changes.get("more", b"")

    def sign(self, value: bytes, **changes: Any) -> Assertion:
        """What `navigator.credentials.get` gives for the challenge `value`."""
        if self.count is not None and "count" not in changes:
            self.count += 1
        said = {
            "type": "webauthn.get",
            "challenge": b64u(value),
            "origin": self.page,
            "crossOrigin": False,
            **changes.get("client", {}),
        }
        client = changes.get("client_data") or json.dumps(said, separators=(",", ":")).encode()
        data = self.data(0x05, **changes) + changes.get("extension", b"")
        signed = data + hashlib.sha256(client).digest()
        # Deterministic, so that vectors can be made again.
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        if "high_s" in changes:
            signature = with_s(signature, high=changes["high_s"])
        return Assertion(data, client, signature)

    def proof(self, officer: str, **changes: Any) -> bytes:
        """What enrols this credential for `officer`."""
        attested = self.attested(**changes)
        assertion = self.sign(possession_challenge(officer, attested), **changes)
        return credential_proof(officer, self.rp_id, self.page, attested, assertion)

    def approve(self, approval: Approval, **changes: Any) -> str:
        """The text of an approval."""
        assertion = self.sign(challenge(approval), **changes)
        return webauthn_approval(approval, self.kid, b64u(self.credential_id), assertion)


def with_s(signature: bytes, *, high: bool) -> bytes:
    """The signature, or its mirror, with the s that is asked for."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, max(s, _N - s) if high else min(s, _N - s))
