"""Keys that revision 0016 moved out of the table of seals, recorded once the log proves them.

A migration cannot record, and a row that no entry names is what the audit finds. So the first start
afterwards records the moved rows as they are, but only those whose key and chain stand in the entry
that made or activated the seal: what somebody wrote into the database by hand stays a finding.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from typing import Final

from hub.domain.entry import Entry
from hub.domain.seal_states import KeyState
from hub.errors import HubError
from hub.proof.encoding import b64, parse_object
from hub.seal.ports import Database, Proofs, Recorder
from hub.seal.seal_store import (
    MOVED_KEYS,
    PUT_KEY,
    PUT_SEAL,
    SEAL_BY_NAME,
    Key,
    Seal,
    key_of,
    key_row,
    seal_of,
    seal_row,
    unchanged_key,
    unchanged_seal,
)
from hub.storage.statements import ENTRY_INDEX, Check, Write

_LOG: Final = logging.getLogger("sealway.seal")
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class RecordMovedKeys:
    """Record what the migration moved. Doing it again does nothing."""

    database: Database
    recorder: Recorder
    proofs: Proofs

    async def __call__(self) -> int:
        """How many keys were recorded. Raises HubError: LOG_UNAVAILABLE, DECISION_STALE."""
        seals: list[Seal] = []
        keys: list[Key] = []
        checks: list[Check] = []
        for row in await self.database.all(MOVED_KEYS, _AT_ONCE):
            key = key_of(row)
            found = await self.database.one(SEAL_BY_NAME, key.seal)
            seal = None if found is None else seal_of(found)
            if seal is None or not await self._is_proven(seal, key):
                _LOG.error('{"event":"moved_key_not_proven","key":"%s"}', key.name)
                continue
            checks += [unchanged_seal(seal), unchanged_key(key)]
            seals.append(dataclasses.replace(seal, state_entry=ENTRY_INDEX))
            keys.append(dataclasses.replace(key, state_entry=ENTRY_INDEX))
        if not keys:
            return 0
        entry = Entry(
            kind="seal_keys.moved",
            caller="hub",
            key_entry=0,
            request_id="",
            request_digest="",
            members={"data": {"keys": [key.name for key in keys]}},
        )
        writes = [
            Write(PUT_SEAL, [seal_row(seal) for seal in seals]),
            Write(PUT_KEY, [key_row(key) for key in keys]),
        ]
        await self.recorder.record(entry, writes, checks)
        return len(keys)

    async def _is_proven(self, seal: Seal, key: Key) -> bool:
        """Whether the entry that brought the seal into its state names this key and chain."""
        try:
            entry = await self.proofs.proven(seal.state_entry)
        except HubError:
            return False
        body = parse_object(entry.body)
        data = body.get("data")
        active = key.state is KeyState.ACTIVE
        if body["kind"] != ("seal.activated" if active else "seal.created"):
            return False
        if not isinstance(data, dict):
            return False
        if (data.get("seal"), data.get("key_id")) != (seal.name, key.kid):
            return False
        if active:
            return data.get("x509_chain") == [b64(der) for der in key.x509_chain]
        return not key.x509_chain and data.get("x509_request") == b64(key.x509_request)
