"""Access tokens: issued over mutual TLS, bound to the client certificate, judged at every call.

A token is verified once per connection certificate and snapshot; after that a call costs one
digest and one look-up (formats.md §3, RFC 8705).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Final

from hub.access.snapshot import Directory, Peer, Snapshot
from hub.clock import Clock
from hub.domain.caller import Caller
from hub.errors import HubError, Reason
from hub.proof.exchange.token import (
    TOKEN_LIFE_MAX_S,
    TOKEN_SIZE_MAX,
    AccessToken,
    issue_token,
    verify_token,
)
from hub.proof.jose import RegisteredKey, Signer
from hub.proof.reasons import ProofError, ProofReason

HELD_MAX: Final = 10_000
"""Tokens kept as verified; the oldest gives way, and is verified again when it comes."""

_REFUSALS: Final = {
    ProofReason.EXPIRED: Reason.TOKEN_EXPIRED,
    ProofReason.TOKEN_REVOKED: Reason.TOKEN_REVOKED,
}


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A fresh token and what its bearer should know; `sm2_access_token` is its twin, or empty."""

    access_token: str = field(repr=False)
    expire_time_us: int
    caller: str
    origin: str
    region: str
    sm2_access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Held:
    caller: Caller
    expire_time_us: int


@dataclass(slots=True)
class Tokens:
    """Issues tokens with `signer`, whose public half is `key`, and judges those that come.

    In the profile `gm` each has an SM2 twin, by `twin` and its `twin_key`; either is accepted.
    """

    directory: Directory
    signer: Signer
    key: RegisteredKey
    origin: str
    region: str
    clock: Clock
    lifetime_s: int = TOKEN_LIFE_MAX_S
    twin: Signer | None = None
    twin_key: RegisteredKey | None = None
    # End of the newest token, for the metrics; 0 before the first.
    newest_expire_time_us: int = 0
    _held: dict[tuple[str, str], _Held] = field(default_factory=dict, repr=False)
    _held_on: Snapshot | None = field(default=None, repr=False)

    def create(self, thumbprint: str) -> IssuedToken:
        """A token for whoever holds the client certificate of this connection.

        It ends with the certificate at the latest. Raises HubError(PEER_UNKNOWN).
        """
        peer = self.directory.current.peers.get(thumbprint)
        if peer is None:
            raise HubError(Reason.PEER_UNKNOWN)
        now_s = self.clock() // 1_000_000
        end_s = min(now_s + self.lifetime_s, peer.x509_expire_time_us // 1_000_000)
        if end_s <= now_s:
            raise HubError(Reason.PEER_UNKNOWN)
        token = AccessToken(
            iss=self.origin,
            sub=peer.name,
            aud=self.origin,
            region=self.region,
            jti=str(uuid.uuid4()),
            iat=now_s,
            exp=end_s,
            generation=peer.generation,
            certificate_digest=thumbprint,
        )
        compact = issue_token(token, self.signer)
        self.newest_expire_time_us = end_s * 1_000_000
        twin = issue_token(token, self.twin) if self.twin is not None else ""
        return IssuedToken(compact, end_s * 1_000_000, peer.name, self.origin, self.region, twin)

    def authenticate(self, authorization: str, thumbprint: str) -> Caller:
        """The caller whose token and client certificate agree, judged on the newest snapshot.

        `authorization` is the token itself, without the scheme. Raises HubError: TOKEN_MISSING;
        PEER_UNKNOWN where the certificate was never enrolled; TOKEN_REVOKED where the certificate,
        its system or the authority's generation has ended; TOKEN_EXPIRED; TOKEN_INVALID for
        everything else, without saying which step failed.
        """
        snapshot = self.directory.current
        if snapshot is not self._held_on:
            # Verdicts belong to one snapshot: whoever was revoked is in none of the later ones.
            self._held.clear()
            self._held_on = snapshot
        if len(authorization) > TOKEN_SIZE_MAX:
            raise HubError(Reason.TOKEN_INVALID)
        held_by = (authorization, thumbprint)
        held = self._held.get(held_by)
        now_us = self.clock()
        if held is None or now_us >= held.expire_time_us:
            held = self._verify(authorization, thumbprint, snapshot, now_us // 1_000_000)
            if len(self._held) >= HELD_MAX:
                del self._held[next(iter(self._held))]
            self._held[held_by] = held
        return held.caller

    def _verify(self, compact: str, thumbprint: str, snapshot: Snapshot, now_s: int) -> _Held:
        if not compact:
            raise HubError(Reason.TOKEN_MISSING)
        peer = snapshot.peers.get(thumbprint)
        if peer is None:
            ended = thumbprint in snapshot.used
            raise HubError(Reason.TOKEN_REVOKED if ended else Reason.PEER_UNKNOWN)
        try:
            verified = verify_token(
                compact,
                keys=self._key,
                origin=self.origin,
                region=self.region,
                now=now_s,
                certificate_digest=thumbprint,
                generation=peer.generation,
                revoked=frozenset(),
            )
        except ProofError as error:
            raise HubError(_REFUSALS.get(error.reason, Reason.TOKEN_INVALID)) from error
        if verified.token.sub != peer.name or verified.token.iss != self.origin:
            raise HubError(Reason.TOKEN_INVALID)
        caller = _caller(peer, verified.digest, snapshot.version)
        return _Held(caller, verified.token.exp * 1_000_000)

    def _key(self, kid: str) -> RegisteredKey | None:
        known = (self.key, self.twin_key)
        return next((key for key in known if key is not None and key.kid == kid), None)


def _caller(peer: Peer, token_digest: str, generation: int) -> Caller:
    return Caller(
        name=peer.name,
        role=peer.role,
        authority=peer.authority,
        authority_uscc=peer.authority_uscc,
        enrolment_entry=peer.enrolment_entry,
        token_digest=token_digest,
        generation=generation,
    )
