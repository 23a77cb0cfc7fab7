"""What one component is to another: the registers of one, in the words of whoever asks.

`server` hands these over. They answer the ports of several components at once, which is why they
stand in none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from hub.access.ports import Followed
from hub.access.rosters import Rosters
from hub.access.snapshot import Directory, Snapshot
from hub.clock import Clock
from hub.domain.caller import Caller
from hub.errors import HubError
from hub.exchange.snapshot import GrantSnapshot
from hub.ledger.proofs import Proofs
from hub.proof.encoding import parse_object
from hub.proof.jose import RegisteredKey, thumbprint
from hub.proof.officers.roster_changes import Link
from hub.seal.ports import AuthorityFacts
from hub.seal.seal_keys import SealKeys
from hub.seal.seal_operations import end_seals
from hub.storage.database import Database
from hub.storage.statements import Check

_LOG: Final = logging.getLogger("sealway.server")
_ENROLMENTS: Final = frozenset(
    {
        "officer.enrolled",
        "officer.rotated",
        "officer.handed_over",
        "system.enrolled",
        "system.rotated",
    }
)


@dataclass(frozen=True, slots=True)
class Identities:
    """The register of identities, in the words of whoever asks: exchange, registry, seals."""

    directory: Directory

    def key(self, kid: str, /) -> RegisteredKey | None:
        """The signing or approval key registered under `kid`."""
        return self.directory.key(kid)

    def check(self, caller: Caller) -> Check:
        """That nothing about identities changed since `caller` was judged."""
        return self.directory.version_check(caller)

    def answers_for(self, caller: Caller, what: str, defining: str) -> bool:
        """Whether the caller's authority defined it, or has succeeded the one that did."""
        responsible = self.directory.current.responsible(what, defining)
        return responsible is not None and responsible == caller.authority

    def responsible(self, what: str, defining: str) -> str | None:
        """The authority that answers for what the credit code `defining` defined; None where none
        is registered."""
        return self.directory.current.responsible(what, defining)

    def level(self, caller: Caller) -> int:
        """The level of the caller's authority."""
        return self.directory.authority(caller.authority).level

    def keeper(self, authority: str, type_code: str) -> str | None:
        """The authority that keeps now what `authority` issued of a type."""
        return self.directory.current.keeper(authority, type_code)

    def kept(self, caller: Caller, type_code: str = "") -> tuple[str, ...]:
        """Whose certificates of a type the caller's authority keeps, its own first."""
        snapshot = self.directory.current
        names = (caller.authority, *sorted(snapshot.predecessors(caller.authority)))
        if not type_code:
            return names
        return tuple(
            [name for name in names if snapshot.keeper(name, type_code) == caller.authority]
        )

    def has_system(self, name: str) -> bool:
        """Whether an active system has this name."""
        return self.directory.current.peer_of(name) is not None

    def facts(self, name: str) -> AuthorityFacts | None:
        """Credit code and present name of an authority."""
        authority = self.directory.current.authorities.get(name)
        return AuthorityFacts(authority.uscc, authority.title) if authority is not None else None

    def title(self, name: str) -> str:
        """The present name of an authority; its resource name where it is not known."""
        authority = self.directory.current.authorities.get(name)
        return authority.title if authority is not None else name

    def key_entry(self, officer: str) -> int | None:
        """The log entry that enrolled an officer's approval key."""
        known = self.directory.current.officers.get(officer)
        return known.enrolment_entry if known is not None else None

    def authority_of(self, system: str) -> str | None:
        """Credit code of the authority of a system that may call."""
        peer = self.directory.current.peer_of(system)
        return None if peer is None else peer.authority_uscc

    def enrolled_us(self, system: str) -> int:
        """When a system was first enrolled. Raises HubError(SYSTEM_NOT_FOUND)."""
        return self.directory.system(system).create_time_us


@dataclass(frozen=True, slots=True)
class GrantedTypes:
    """The register of grants, in the words of the change feed."""

    grants: GrantSnapshot
    clock: Clock

    def types_granted(self, recipient: str) -> frozenset[str]:
        """The codes of the types for which a system has a grant in force now."""
        now = self.clock()
        return frozenset(
            grant.type_code for grant in self.grants.of(recipient) if grant.is_in_force(now)
        )

    def fields_granted(self, recipient: str, type_code: str) -> frozenset[str]:
        """The fields of a type that a system's grants in force now name, taken together."""
        now = self.clock()
        return frozenset(
            name
            for grant in self.grants.of(recipient)
            if grant.type_code == type_code and grant.is_in_force(now)
            for name in grant.fields
        )

    def check(self) -> Check:
        """That no grant changed since this was answered."""
        return self.grants.check()


@dataclass(frozen=True, slots=True)
class SignerEvidence:
    """What a signer process is shown: the chain of rosters, and the receipts of systems' keys."""

    rosters: Rosters
    proven: ProvenKeys

    def links(self, after: int) -> list[Link]:
        """The statements of the roster after number `after`."""
        return self.rosters.links(after)

    def receipts(self) -> Mapping[str, str]:
        """By key id, the receipt of the entry that enrolled it."""
        return dict(self.proven.receipts)


@dataclass(slots=True)
class ProvenKeys:
    """The keys that sealing believes: those whose enrolment stands in the log.

    A row of the database proves nothing, since whoever can write there could add an officer. So
    before a batch is sealed, each key that is new is looked up in the log, under its signed root.
    """

    directory: Directory
    proofs: Proofs
    # Whoever signs elsewhere is shown the entries themselves.
    keeps_receipts: bool = False
    receipts: dict[str, str] = field(default_factory=dict)
    _proven: dict[str, RegisteredKey] = field(default_factory=dict)

    def __call__(self, kid: str, /) -> RegisteredKey | None:
        """The key under `kid`, while it is registered and proven."""
        key = self.directory.key(kid)
        return key if key is not None and self._proven.get(kid) == key else None

    async def prove(self) -> None:
        """Prove what has been enrolled since. A key that the log does not know stays unknown."""
        snapshot = self.directory.current
        for kid, key in snapshot.keys.items():
            if self._proven.get(kid) != key and await self._is_enrolled(snapshot, key):
                self._proven[kid] = key

    async def _is_enrolled(self, snapshot: Snapshot, key: RegisteredKey) -> bool:
        member = snapshot.peer_of(key.owner)
        if member is None or not isinstance(key.public_key, EllipticCurvePublicKey):
            return False
        try:
            if not self.proofs.covers(member.enrolment_entry):
                return False  # Enrolled this moment: the root is not signed yet.
            entry = await self.proofs.proven(member.enrolment_entry)
        except HubError as error:
            _LOG.error('{"event":"key_not_proven","reason":"%s"}', error.reason.value)
            return False
        body = parse_object(entry.body)
        data = body.get("data")
        if body["kind"] not in _ENROLMENTS or not isinstance(data, dict):
            return False
        proven = (
            key.owner in (data.get("system"), data.get("officer"))
            and data.get("signing_key_id") == key.kid == thumbprint(key.public_key)
            and data.get("signing_use") == key.use
        )
        if proven and self.keeps_receipts and "system" in data:
            self.receipts[key.kid] = await self.proofs.receipt(entry)
        return proven


@dataclass(frozen=True, slots=True)
class EndSeals:
    """The end of an authority's seals, as part of its reorganisation."""

    database: Database
    keys: SealKeys
    clock: Clock

    async def __call__(
        self,
        authority: str,
        successors: Sequence[str],
    ) -> Followed:
        """A seal names its authority as it was, so it ends with a new name as well."""
        return Followed(*await end_seals(self.database, self.keys, authority, self.clock()))
