"""Sealing anew what a stolen key has sealed: the same records, the same places, another key.

Batch by batch, each one entry of the log, under an intent of kind `key.reseal` whose approvals are
verified anew for every batch. Where it stood nobody keeps: what is left to do is what still carries
the stolen key, so whoever was interrupted begins again. docs/adr/0052.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain.certificate import Custody
from hub.domain.document import Reader
from hub.domain.seal_key import KeyAlgorithm, KeyUse, key_name
from hub.domain.seal_states import KeyState
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, digest, emit_json, parse_object
from hub.proof.jose import SEAL_TYP
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.record_batch import RECORDS_MAX, SEED_BYTES, SHARED, fold_records
from hub.proof.resealing import SealBefore, payload_anew, sealing_key, verify_before
from hub.proof.roster import Approved
from hub.proof.seal_kinds import KEY_RESEAL
from hub.seal.intents import Intents
from hub.seal.key_operations import NAME_MAX
from hub.seal.keys import SigningKey, header_segment
from hub.seal.logged_seals import LoggedSeals, Place
from hub.seal.ports import Database, Log, Recorder
from hub.seal.seal_keys import SealKeys, UsableKey
from hub.seal.seal_store import Key
from hub.seal.store import (
    INSERT_PAST_SIGNATURE,
    PUT_HEADER,
    PUT_PATH,
    PUT_SIGNATURE,
    SEAL_HEADER,
    Sealed,
    past_signature_rows,
    unchanged_intent,
    unchanged_uses,
    uses_write,
)
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import Row, Write, text

BATCH_MAX: Final = 500
_ALGORITHMS: Final = (KeyAlgorithm.ES256, KeyAlgorithm.SM2)


@dataclass(frozen=True, slots=True)
class OrderReseal:
    """`key.reseal`: that the records of a stolen key are sealed anew. `ResealRecords` does it."""

    keys: SealKeys

    async def prepare(self, _: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """From `key`.

        Raises HubError: FIELD_INVALID for a key that seals no records, SEAL_KEY_NOT_FOUND,
        TRANSITION_NOT_ALLOWED for one that is not declared compromised.
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
class Resealed:
    """How many records one batch sealed anew, and where in the log the next one goes on (empty at
    the end)."""

    count: int
    after: str


@dataclass(frozen=True, slots=True)
class ResealRecords:
    """Seal anew, batch by batch, the records in force of a stolen key.

    1. The approvals of the intent, verified anew. 2. The next records in force that carry the
    stolen key and stand so in the log before the theft was declared. 3. Each seal and its twin
    verify; of what they say only the time changes. 4. The keys in force sign, both where the seal
    has an SM2 key; a slow one signs a whole batch at once. 5. What was is kept. One entry.

    The two seals of a record are always made anew together, whichever key was stolen: they share
    one payload.
    """

    database: Database
    recorder: Recorder
    log: Log
    intents: Intents
    keys: SealKeys
    clock: Clock
    slow_homes: frozenset[str] = frozenset()

    async def __call__(
        self, call: Call, intent: str, after: str, encode: Callable[[Resealed], bytes]
    ) -> Answered:
        """One batch of at most 500 records, from a place on that the batch before named.

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, INTENT_NOT_APPROVED, INTENT_EXHAUSTED,
        TRANSITION_NOT_ALLOWED, FIELD_INVALID where the key in force is in other hands than the
        stolen one was, KEY_NOT_ACTIVE where no other of the stolen one's algorithm is in force,
        DIGEST_MISMATCH for a seal that is not the stolen key's, DECISION_STALE, and what
        `SealKeys.usable` and the key's home raise.
        """

        logged = LoggedSeals(self.database, self.log)

        async def decide() -> Change:
            stored, approved, uses = await self.intents.in_force(intent, KEY_RESEAL)
            stolen = await _stolen(self.keys, approved.intent.text("key"))
            declared = await logged.declaration(stolen)
            found, place = await logged.next(stolen, declared, Place.read(after), BATCH_MAX)
            live = [one.sealed for one in found]
            left = approved.intent.uses_max - (uses or 0)
            if len(live) > left:
                raise HubError(Reason.INTENT_EXHAUSTED, intent=intent, left=left)
            done = Resealed(len(live), "" if place is None else str(place))
            data: dict[str, Json] = {
                "intent": intent,
                "digest": approved.digest,
                "key": stolen.name,
                "records": len(live),
            }
            writes: list[Write] = []
            checks = [unchanged_intent(stored), unchanged_uses(intent, uses)]
            checks.append(self.intents.rosters.check())
            if live:
                keys = await self._keys(stolen, len(live))
                headers = await self._headers(stolen, live)
                work = _Work(stolen, keys, headers, intent, self.clock() // 1_000_000)
                is_slow = any(one.key.home in self.slow_homes for one in keys)
                writes = await asyncio.to_thread(work.writes, live, is_slow)
                writes.append(uses_write(intent, (uses or 0) + len(live)))
                for one in keys:
                    writes += one.writes(len(live))
                    checks += one.checks()
                data["replacement"] = next(
                    one.key.name for one in keys if one.key.algorithm is stolen.algorithm
                )
            return Change("records.resealed", data, writes, checks, encode(done))

        return await read_and_change_once(self.recorder, call, decide)

    async def _keys(self, stolen: Key, count: int) -> tuple[UsableKey, ...]:
        """What signs now, ES256 first; one of them in the place of the stolen key."""
        usable = await self.keys.usable(stolen.seal, KeyUse.RECORD, KeyAlgorithm.ES256, count)
        _check_custody(stolen, usable.key)
        twin = await self.keys.twin(usable, count)
        if twin is not None:
            return usable, twin
        if stolen.algorithm is KeyAlgorithm.SM2:
            raise HubError(
                Reason.KEY_NOT_ACTIVE,
                seal=stolen.seal,
                use=KeyUse.RECORD,
                algorithm=stolen.algorithm,
            )
        return (usable,)

    async def _headers(self, stolen: Key, sealed: Sequence[Sealed]) -> dict[str, str]:
        """The headers of the seals by their id, each of a key that the seal has or had."""
        headers: dict[str, str] = {}
        for header_id in {seal.header_id for one in sealed for seal in one.seals}:
            row = await self.database.one(SEAL_HEADER, header_id)
            try:
                header = "" if row is None else text(row[0])
                kid = sealing_key(header).kid
                key = await self.keys.get(key_name(kid))
                if (key.kid, key.seal) != (kid, stolen.seal):
                    raise HubError(Reason.SEAL_KEY_NOT_FOUND, name=key_name(kid))
            except (ProofError, HubError) as error:
                what = f"header {header_id} of record seals"
                raise HubError(Reason.DIGEST_MISMATCH, what=what) from error
            headers[header_id] = header
        return headers


@dataclass(frozen=True, slots=True)
class _Work:
    """One batch in a thread: verify, write down, sign. `now` is in seconds."""

    stolen: Key
    keys: Sequence[UsableKey]
    headers: Mapping[str, str]
    intent: str
    now: int
    # Seals of folded records are one; it is verified once.
    _verified: set[tuple[str, bytes, bytes]] = field(default_factory=set)

    def writes(self, sealed: Sequence[Sealed], is_slow: bool) -> list[Write]:
        """What must be recorded. Raises HubError as the call does."""
        payloads = [self._payload(one) for one in sealed]
        shown = _folded(payloads) if is_slow and len(payloads) > 1 else [(p, "") for p in payloads]
        names = _past_names(self.stolen)
        past = [row for one in sealed for row in past_signature_rows(names, one)]
        found = [Write(INSERT_PAST_SIGNATURE, past)]
        for usable in self.keys:
            key = usable.signing
            header = header_segment(key)
            row = (digest(header), key.kid, key.algorithm.value, header, "seal")
            found.append(Write(PUT_HEADER, [row]))
            signed = _signed(key, header, [payload for payload, _ in shown])
            found.append(Write(PUT_SIGNATURE, list(_rows(key, digest(header), sealed, signed))))
        paths: list[Row] = [
            (one.version_id, KeyAlgorithm.ES256.value, path, one.retention_class)
            for one, (_, path) in zip(sealed, shown, strict=True)
            if path or one.path
        ]
        return [*found, Write(PUT_PATH, paths)] if paths else found

    def _payload(self, one: Sealed) -> bytes:
        """What the seal said, now and by this intent."""
        try:
            seals = tuple([(self.headers[seal.header_id], seal.signature) for seal in one.seals])
            before = SealBefore(one.payload, one.path, seals)
            keys = verify_before(before, self._verified)
            if self.stolen.kid not in [key.kid for key in keys]:
                raise ProofError(ProofReason.KEY_UNKNOWN)
            algs = [usable.key.algorithm.value for usable in self.keys]
            return payload_anew(before, keys, iat=self.now, intent=self.intent, algs=algs)
        except ProofError as error:
            what = f"record seal of version {one.version_id}"
            raise HubError(Reason.DIGEST_MISMATCH, what=what) from error


def _rows(
    key: SigningKey, header_id: str, sealed: Sequence[Sealed], signed: Sequence[tuple[bytes, bytes]]
) -> Iterator[Row]:
    """The rows of one key's signatures; a twin has no place of its own in a status list."""
    is_twin = key.algorithm is not KeyAlgorithm.ES256
    for one, (payload, signature) in zip(sealed, signed, strict=True):
        yield (
            one.version_id,
            key.algorithm.value,
            key.kid,
            header_id,
            payload,
            signature,
            None if is_twin else one.status_list,
            None if is_twin else one.status_place,
            one.retention_class,
        )


def _signed(key: SigningKey, header: str, payloads: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Each payload with its signature; one that stands there several times is signed once."""
    made = {
        payload: key.sign(f"{header}.{b64u(payload)}".encode(), SEAL_TYP)
        for payload in dict.fromkeys(payloads)
    }
    return [(payload, made[payload]) for payload in payloads]


def _folded(payloads: Sequence[bytes]) -> list[tuple[bytes, str]]:
    """Payload as signed, and path of each; folded are those that share what a batch of records must
    share."""
    groups: dict[bytes, list[int]] = {}
    for place, payload in enumerate(payloads):
        record = parse_object(payload)
        groups.setdefault(emit_json({name: record[name] for name in SHARED}), []).append(place)
    found: dict[int, tuple[bytes, str]] = {}
    for places in groups.values():
        assert len(places) <= RECORDS_MAX
        folded = fold_records([payloads[one] for one in places], secrets.token_bytes(SEED_BYTES))
        for one, path in zip(places, folded.paths, strict=True):
            found[one] = (folded.payload, "~" + "~".join(path))
    return [found[place] for place in range(len(payloads))]


def _past_names(stolen: Key) -> tuple[str, str]:
    """Under which names the seals of a version are kept that are replaced after a theft: the stolen
    key's under its thumbprint, the other's under what cannot be one."""
    if stolen.algorithm is KeyAlgorithm.ES256:
        return stolen.kid, f"{stolen.kid} SM2"
    return f"{stolen.kid} ES256", stolen.kid


async def _stolen(keys: SealKeys, name: str) -> Key:
    key = await keys.get(name)
    if key.use is not KeyUse.RECORD or key.algorithm not in _ALGORITHMS:
        rule = "a key of use record; documents are rendered and sealed anew"
        raise HubError(Reason.FIELD_INVALID, field="key", rule=rule)
    if key.state is not KeyState.COMPROMISED:
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=key.state.value)
    return key


def _check_custody(stolen: Key, key: Key) -> None:
    """A record says in whose custody its key is, and so does what is on file of it."""
    if (stolen.custody, stolen.authority_uscc) != (key.custody, key.authority_uscc):
        rule = f"the key in force is in the custody {Custody(stolen.custody).value}"
        raise HubError(Reason.FIELD_INVALID, field="key", rule=rule)
