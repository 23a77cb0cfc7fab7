"""Officers with keys, and what they sign, for tests of intents and rosters without any hub."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.encoding import b64u, digest
from hub.proof.jose import es256_signer, jwk
from hub.proof.officers.approval import Approval, Decision, intent_digest, sign_approval
from hub.proof.officers.intent import Intent
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.officers.roster import Officer, Quorum, Roster, verify_approved
from hub.proof.officers.roster_changes import Link, changed, founded
from hub.proof.webauthn import Credential
from tests.authenticator import Authenticator

ORIGIN: Final = "hub.hangzhou.example"
REGION: Final = "330100"
NOW: Final = 1_772_000_000
DAY: Final = 86_400


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def with_authenticators(roster: Roster, devices: Mapping[str, Authenticator]) -> Roster:
    """The roster in which the keys of some officers lie in authenticators."""
    officers = {
        f"officers/{name}": dataclasses.replace(
            roster.officers[f"officers/{name}"],
            key=device.key.public_key(),
            credential=Credential(device.rp_id, device.page, b64u(device.credential_id)),
        )
        for name, device in devices.items()
    }
    return dataclasses.replace(roster, officers={**roster.officers, **officers})


@dataclass
class Bench:
    """A few officers; their keys by name."""

    keys: dict[str, ec.EllipticCurvePrivateKey] = field(
        default_factory=lambda: {
            f"officers/{name}": new_key() for name in ("ann", "bob", "cat", "dan")
        }
    )

    def founded(self, quorum: Quorum | None = None) -> Roster:
        """Number 0, of everybody."""
        officers = [
            Officer(name, key.public_key(), digest(name), NOW - 365 * DAY)
            for name, key in self.keys.items()
        ]
        return founded(ORIGIN, REGION, NOW - 30 * DAY, officers, quorum or Quorum())

    def intent(
        self, kind: str = "officer.end", members: Mapping[str, Any] | None = None, **changes: Any
    ) -> bytes:
        """An intent by Ann; without members the end of Dan."""
        values: dict[str, Any] = {
            "kind": KINDS[kind],
            "origin": ORIGIN,
            "region": REGION,
            "members": members or {"officer": "officers/dan", "cause": "left"},
            "not_before": NOW - DAY,
            "not_after": NOW + 30 * DAY,
            "uses_max": 1,
            "requester": "officers/ann",
        }
        return Intent(**(values | changes)).to_bytes()

    def approval(self, name: str, intent: bytes, *, signer: str = "", **changes: Any) -> str:
        """The approval of `officers/{name}`, or what another one signs in its name."""
        key = self.keys[f"officers/{signer or name}"]
        return sign_approval(self.said(name, intent, **changes), es256_signer(key))

    def touched(self, name: str, intent: bytes, device: Authenticator, **changes: Any) -> str:
        """The approval by an authenticator; `changes` as `Authenticator.sign` takes them."""
        return device.approve(self.said(name, intent), **changes)

    def said(self, name: str, intent: bytes, **changes: Any) -> Approval:
        """What `officers/{name}` approves."""
        values: dict[str, Any] = {
            "origin": ORIGIN,
            "region": REGION,
            "officer": f"officers/{name}",
            "intent": intent_digest(intent),
            "nonce": secrets.token_bytes(32),
            "decision": Decision.APPROVE,
            "not_after": NOW + 10 * DAY,
            "key_entry": 1,
            "iat": NOW - 60,
        }
        return Approval(**(values | changes))

    def link(
        self, before: Roster, kind: str, members: Mapping[str, Any], *by: str, at: int = NOW
    ) -> tuple[Roster, Link]:
        """The next statement, carried by an intent of Ann's that `by` approved."""
        intent = self.intent(kind, members)
        approvals = tuple(self.approval(name, intent, iat=at) for name in by or ("bob", "cat"))
        approved = verify_approved(intent, approvals, before, KINDS, now=at)
        after = changed(before, approved, at)
        return after, Link(after.to_bytes(), intent, approved.approvals)

    def new_keys(self, name: str, *, standby: bool = False) -> dict[str, Any]:
        """Members that give `officers/{name}` a fresh key, which it has from now on."""
        key = self.keys[f"officers/{name}"] = new_key()
        proof = b64u(b"proof")
        return {
            "officer": f"officers/{name}",
            **({"standby": True} if standby else {}),
            "x509_thumbprint": digest(secrets.token_bytes(8)),
            "approval_key": jwk(key.public_key()),
            "x509_certificate": proof,
            "x509_request": proof,
            "signing_request": proof,
        }
