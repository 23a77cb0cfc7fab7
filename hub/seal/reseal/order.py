"""The order to seal anew what a stolen key has sealed: an intent of kind `key.reseal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain.document import Reader
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.officers.roster import Approved
from hub.proof.officers.seal_kinds import KEY_RESEAL
from hub.seal.intents import Intents
from hub.seal.key_operations import NAME_MAX
from hub.seal.reseal.logged_seals import LoggedSeals
from hub.seal.seal_keys import SealKeys
from hub.seal.seal_store import Key
from hub.seal.store import StoredIntent, unchanged_intent, unchanged_uses
from hub.storage.changes import Call, Change
from hub.storage.statements import Check

_RECORDS: Final = (KeyAlgorithm.ES256, KeyAlgorithm.SM2)
_DOCUMENTS: Final = (KeyUse.OFD, KeyUse.PDF, KeyUse.FACE)


@dataclass(frozen=True, slots=True)
class OrderReseal:
    """`key.reseal`: that what a stolen key has sealed is sealed anew. `Reseal` does it."""

    keys: SealKeys

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `key`.

        Raises HubError: FIELD_INVALID for a key that seals neither records nor documents nor codes,
        SEAL_KEY_NOT_FOUND, TRANSITION_NOT_ALLOWED for one that is not declared compromised.
        """
        reader = Reader(members, "", [])
        name = reader.text("key", NAME_MAX)
        reader.end()
        reader.check()
        key = await _stolen(self.keys, name)
        return {"key": key.name, "seal": key.seal}

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Raises HubError(INTENT_NOT_APPROVED): it is used batch by batch."""
        rule = "it is used by `sealway seal reseal`, batch by batch, and not executed"
        raise HubError(Reason.INTENT_NOT_APPROVED, intent=approved.intent.text("key"), rule=rule)

    async def refresh(self) -> None:
        """Nothing is decided in memory."""


@dataclass(frozen=True, slots=True)
class DocumentLeft:
    """A document that could not be sealed anew, and why; `copy` is empty of an original."""

    identifier: str
    version: int
    media_type: str
    copy: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many records, or documents, one call sealed anew, which document it passed over, and
    where in the log the next one goes on (empty at the end)."""

    count: int
    after: str
    documents: int = 0
    left: DocumentLeft | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An approved intent to seal anew what `stolen` sealed before entry `declared`; `uses` is how
    often it was used (None: never)."""

    stored: StoredIntent
    approved: Approved
    uses: int | None
    stolen: Key
    declared: int
    # That intent, its uses and the roster are as they were read.
    checks: tuple[Check, ...]

    @property
    def left(self) -> int:
        """How many uses are left."""
        return self.approved.intent.uses_max - (self.uses or 0)


@dataclass(frozen=True, slots=True)
class Orders:
    """Intents to seal anew, and the keys and the log that they are about."""

    intents: Intents
    keys: SealKeys
    logged: LoggedSeals

    async def read(self, name: str) -> Order:
        """The order of this name, its approvals verified anew.

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, INTENT_NOT_APPROVED,
        TRANSITION_NOT_ALLOWED, and DIGEST_MISMATCH where the log does not declare the theft.
        """
        stored, approved, uses = await self.intents.in_force(name, KEY_RESEAL)
        stolen = await _stolen(self.keys, approved.intent.text("key"))
        checks = (
            unchanged_intent(stored),
            unchanged_uses(name, uses),
            self.intents.rosters.check(),
        )
        declared = await self.logged.declaration(stolen)
        return Order(stored, approved, uses, stolen, declared, checks)


async def _stolen(keys: SealKeys, name: str) -> Key:
    key = await keys.get(name)
    if key.use not in _DOCUMENTS and (
        key.use is not KeyUse.RECORD or key.algorithm not in _RECORDS
    ):
        rule = "a key that seals records, documents or codes"
        raise HubError(Reason.FIELD_INVALID, field="key", rule=rule)
    if key.state is not KeyState.COMPROMISED:
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=key.state.value)
    return key
