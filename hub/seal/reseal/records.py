"""Sealing anew what a stolen key has sealed: the same records, the same places, another key.

Batch by batch, each one entry of the log, under an intent of kind `key.reseal` whose approvals are
verified anew for every batch. Where it stood nobody keeps: what is left to do is what still carries
the stolen key, so whoever was interrupted begins again. docs/adr/0052, 0054.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.clock import Clock
from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse, key_name
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import emit_json, parse_object
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.batch import SEED_BYTES, SHARED, fold_records
from hub.proof.sealing.anew import RecordAnew, SealBefore, payload_anew, sealing_key, verify_before
from hub.proof.sealing.records import Mandate
from hub.seal.keys import AnewWork, Fold, LogEvidence
from hub.seal.ports import Database, Recorder
from hub.seal.reseal.documents import ResealDocuments
from hub.seal.reseal.logged_seals import LoggedSeal, Place
from hub.seal.reseal.order import Orders, Resealed
from hub.seal.seal_keys import UsableKey
from hub.seal.seal_store import Key
from hub.seal.signed_records import SignedRecords
from hub.seal.store import (
    INSERT_PAST_SIGNATURE,
    PUT_HEADER,
    PUT_PATH,
    PUT_SIGNATURE,
    SEAL_HEADER,
    Sealed,
    past_signature_rows,
    recorded_here,
    uses_write,
)
from hub.storage.changes import Answered, Call, Change, answered_before, read_and_change_once
from hub.storage.statements import Row, Write, text

BATCH_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Reseal:
    """Seal anew what a stolen key has sealed and is in force: records batch by batch, documents one
    by one (`documents.py`).

    1. The approvals of the intent, verified anew. 2. The next records in force that carry the
    stolen key and stand so in the log before the theft was declared. 3. Each seal and its twin
    verify; of what they say only the time changes. 4. The keys in force sign, both where the seal
    has an SM2 key; a slow one signs a whole batch at once. 5. What was is kept. One entry.

    The two seals of a record are always made anew together, whichever key was stolen: they share
    one payload.
    """

    database: Database
    recorder: Recorder
    orders: Orders
    documents: ResealDocuments[Any]
    clock: Clock
    slow_homes: frozenset[str] = frozenset()

    async def __call__(
        self, call: Call, intent: str, after: str, encode: Callable[[Resealed], bytes]
    ) -> Answered:
        """At most 500 records, or one document, from a place on that the call before named.

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, INTENT_NOT_APPROVED, INTENT_EXHAUSTED,
        TRANSITION_NOT_ALLOWED, FIELD_INVALID where the key in force is in other hands than the
        stolen one was, KEY_NOT_ACTIVE where no other of the stolen one's algorithm is in force,
        DIGEST_MISMATCH for a seal that is not the stolen key's, DECISION_STALE, and what
        `SealKeys.usable` and the key's home raise.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        order = await self.orders.read(intent)
        if order.stolen.use is not KeyUse.RECORD:
            return await self.documents(call, order, after, encode)

        async def decide() -> Change:
            order = await self.orders.read(intent)
            stolen, stored, uses = order.stolen, order.stored, order.uses
            place = Place.read(after)
            found, goes_on = await self.orders.logged.next(stolen, order.declared, place, BATCH_MAX)
            if len(found) > order.left:
                raise HubError(Reason.INTENT_EXHAUSTED, intent=intent, left=order.left)
            done = Resealed(len(found), "" if goes_on is None else str(goes_on))
            data: dict[str, Json] = {
                "intent": intent,
                "digest": order.approved.digest,
                "key": stolen.name,
                "records": len(found),
            }
            writes: list[Write] = []
            checks = [*order.checks]
            if found:
                keys = await self._keys(stolen, len(found))
                work = _Work(
                    stolen,
                    keys,
                    await self._headers(stolen, [one.sealed for one in found]),
                    Mandate(intent, stored.bytes, order.approved.approvals),
                    await self.orders.logged.evidence(order.declared, found),
                    self.clock() // 1_000_000,
                    any(one.key.home in self.slow_homes for one in keys),
                )
                writes = await asyncio.to_thread(work.writes, found)
                writes.append(uses_write(intent, (uses or 0) + len(found)))
                for one in keys:
                    writes += one.writes(len(found))
                    checks += one.checks()
                data["replacement"] = next(
                    one.key.name for one in keys if one.key.algorithm is stolen.algorithm
                )
            return Change("records.resealed", data, writes, checks, encode(done))

        return await read_and_change_once(self.recorder, call, decide)

    async def _keys(self, stolen: Key, count: int) -> tuple[UsableKey, ...]:
        """What signs now, ES256 first; one of them in the place of the stolen key."""
        usable = await self.orders.keys.usable(
            stolen.seal, KeyUse.RECORD, KeyAlgorithm.ES256, count
        )
        _check_custody(stolen, usable.key)
        twin = await self.orders.keys.twin(usable, count)
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
                key = await self.orders.keys.get(key_name(kid))
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
    mandate: Mandate
    evidence: LogEvidence
    now: int
    is_slow: bool
    # Seals of folded records are one; it is verified once.
    _verified: set[tuple[str, bytes, bytes]] = field(default_factory=set)

    def writes(self, found: Sequence[LoggedSeal]) -> list[Write]:
        """What must be recorded. Raises HubError as the call does."""
        places = {entry: at for at, entry in enumerate(dict.fromkeys(one.entry for one in found))}
        records = [self._record(one.sealed, places[one.entry]) for one in found]
        names = _past_names(self.stolen)
        past = [row for one in found for row in past_signature_rows(names, one.sealed)]
        writes = [
            Write(INSERT_PAST_SIGNATURE, past),
            recorded_here(one.sealed for one in found),
        ]
        for group in self._groups(records):
            kept = [
                (one.version_id, one.status_list, one.status_place, one.retention_class)
                for one in group.records
            ]
            for usable in self.keys:
                key = usable.signing
                signed = SignedRecords.of(key, group, key.sign_anew(group))
                writes.append(Write(PUT_HEADER, [signed.header_row]))
                writes.append(Write(PUT_SIGNATURE, signed.rows(kept)))
            writes += _path_writes(group)
        return writes

    def _record(self, one: Sealed, recording: int) -> RecordAnew:
        """What the seal said, now and by this intent."""
        try:
            seals = tuple([(self.headers[seal.header_id], seal.signature) for seal in one.seals])
            before = SealBefore(one.payload, one.path, seals)
            keys = verify_before(before, self._verified)
            if self.stolen.kid not in [key.kid for key in keys]:
                raise ProofError(ProofReason.KEY_UNKNOWN)
            algs = [usable.key.algorithm.value for usable in self.keys]
            payload = payload_anew(before, keys, iat=self.now, intent=self.mandate.name, algs=algs)
        except ProofError as error:
            what = f"record seal of version {one.version_id}"
            raise HubError(Reason.DIGEST_MISMATCH, what=what) from error
        return RecordAnew(
            recording,
            one.version_id,
            before,
            one.status_list,
            one.status_place,
            one.retention_class,
            payload,
        )

    def _groups(self, records: Sequence[RecordAnew]) -> list[AnewWork]:
        """All one by one, or each group of those that share what a batch of records must share
        under one signature."""
        if not self.is_slow or len(records) == 1:
            return [AnewWork(self.mandate, self.evidence, records)]
        groups: dict[bytes, list[RecordAnew]] = {}
        for record in records:
            claims = parse_object(record.payload)
            groups.setdefault(emit_json({name: claims[name] for name in SHARED}), []).append(record)
        return [AnewWork(self.mandate, self.evidence, one, _fold(one)) for one in groups.values()]


def _fold(records: Sequence[RecordAnew]) -> Fold:
    seed = secrets.token_bytes(SEED_BYTES)
    return Fold(seed, fold_records([one.payload for one in records], seed))


def _path_writes(work: AnewWork) -> list[Write]:
    """What leads to each record; empty where one was folded and is no longer."""
    paths = [""] * len(work.records) if work.fold is None else work.fold.paths
    rows: list[Row] = [
        (one.version_id, KeyAlgorithm.ES256.value, path, one.retention_class)
        for one, path in zip(work.records, paths, strict=True)
        if path or one.before.path
    ]
    return [Write(PUT_PATH, rows)] if rows else []


def _past_names(stolen: Key) -> tuple[str, str]:
    """Under which names the seals of a version are kept that are replaced after a theft: the stolen
    key's under its thumbprint, the other's under what cannot be one."""
    if stolen.algorithm is KeyAlgorithm.ES256:
        return stolen.kid, f"{stolen.kid} SM2"
    return f"{stolen.kid} ES256", stolen.kid


def _check_custody(stolen: Key, key: Key) -> None:
    """A record says in whose custody its key is, and so does what is on file of it."""
    if (stolen.custody, stolen.authority_uscc) != (key.custody, key.authority_uscc):
        rule = f"the key in force is in the custody {Custody(stolen.custody).value}"
        raise HubError(Reason.FIELD_INVALID, field="key", rule=rule)
