"""Keys in other hands: declared by officers (`key.compromise`), believed by whoever verifies.

A stolen key signs with any signing time and names any place of a status list, so neither says what
is false: only who holds the key does. What it sealed before is told apart by proofs from outside
(`hub.proof.key_checks`, formats.md §6); docs/adr/0052.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.clock import Clock
from hub.domain.document import Reader
from hub.domain.seal_key import KeyAlgorithm
from hub.domain.seal_states import KeyVerb
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import emit_json
from hub.proof.key_checks import key_digest
from hub.proof.officers.intent import SECONDS_MAX
from hub.proof.officers.roster import Approved
from hub.proof.officers.seal_kinds import CAUSE_MAX
from hub.proof.trust import Compromise
from hub.proof.x509.sm2 import parse_x509
from hub.seal.key_operations import NAME_MAX, check_key_step
from hub.seal.ports import Database
from hub.seal.seal_keys import SealKeys
from hub.seal.seal_store import (
    ALL_COMPROMISES,
    COMPROMISE_OF_KEY,
    PUT_COMPROMISE,
    PUT_KEY,
    Key,
    key_row,
    unchanged_key,
)
from hub.storage.changes import Call, Change
from hub.storage.statements import ENTRY_INDEX, Write, integer, text


@dataclass(frozen=True, slots=True)
class CompromiseKey:
    """`key.compromise`: a key signs nothing more and is in other hands since a declared moment.

    Declared again it may only have begun earlier: nobody makes believable again what was not.
    """

    database: Database
    keys: SealKeys
    clock: Clock

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `key`, `since` (seconds, not in the future) and `cause`.

        Raises HubError: FIELD_INVALID, SEAL_KEY_NOT_FOUND, TRANSITION_NOT_ALLOWED.
        """
        reader = Reader(members, "", [])
        name, cause = reader.text("key", NAME_MAX), reader.text("cause", CAUSE_MAX)
        since = reader.integer("since", 0, SECONDS_MAX)
        reader.end()
        reader.check()
        await self._key(name, since)
        return {"key": name, "since": since, "cause": cause}

    async def execute(self, _: Call, approved: Approved) -> Change:
        """Stop the key and publish since when it is not to be believed."""
        said = approved.intent.members["since"]
        assert isinstance(said, int), "the kind says so"
        key = await self._key(approved.intent.text("key"), said)
        state = check_key_step(key, KeyVerb.COMPROMISE)
        stopped = dataclasses.replace(
            key,
            state=state,
            state_entry=ENTRY_INDEX,
            retire_time_us=key.retire_time_us or self.clock(),
        )
        spki = digest_of_key(key)
        row = (key.name, key.kid, spki, said, ENTRY_INDEX, "seal")
        self.keys.forget(key)
        return Change(
            kind="key.compromised",
            data={
                "key": key.name,
                "seal": key.seal,
                "key_id": key.kid,
                "key_digest": spki,
                "since": said,
            },
            writes=[Write(PUT_KEY, [key_row(stopped)]), Write(PUT_COMPROMISE, [row])],
            checks=[unchanged_key(key)],
            answer=emit_json({"key": key.name, "state": state.value, "since": said}),
        )

    async def refresh(self) -> None:
        """Nothing is decided in memory."""

    async def _key(self, name: str, since: int) -> Key:
        key = await self.keys.get(name)
        check_key_step(key, KeyVerb.COMPROMISE)
        if not key.x509_chain:
            # Nobody believes a key without a certificate.
            raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=key.state.value)
        if since > self.clock() // 1_000_000:
            raise HubError(Reason.FIELD_INVALID, field="since", rule="not in the future")
        declared = await self.database.one(COMPROMISE_OF_KEY, name)
        if declared is not None and integer(declared[0]) <= since:
            rule = f"earlier than the {integer(declared[0])} that is declared already"
            raise HubError(Reason.FIELD_INVALID, field="since", rule=rule)
        return key


async def declared_compromises(database: Database) -> tuple[Compromise, ...]:
    """Every key that officers of this hub declared compromised, by each name that a trust file may
    call it: the `kid` of record seals, and the digest of the public key of all others."""
    rows = await database.all(ALL_COMPROMISES)
    return tuple(
        Compromise(text(name), integer(since)) for kid, spki, since in rows for name in (kid, spki)
    )


def digest_of_key(key: Key) -> str:
    """The digest of its public key, by which trust files name keys of documents."""
    leaf = key.x509_chain[0]
    if key.algorithm is KeyAlgorithm.SM2:
        found = parse_x509(leaf).key
        assert found is not None, "it was certified here"
        return key_digest(found.to_spki())
    spki = x509.load_der_x509_certificate(leaf).public_key()
    return key_digest(spki.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
