"""Record seals: the records of one batch sealed one by one, and found again.

Steps of sealing a batch:
1. Find an intent in force for authority, type, version and manifest, and verify its approvals.
2. Open the key that signs the seal's records now.
3. In a thread of its own: draw status places, compose each record and check it, have them signed,
   by the seal's SM2 key too where it has one, build the rows.
4. After the entry is durable: show the statuses that changed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.domain.certificate import Custody, State
from hub.domain.record import Record, SealedRecord, SealingOrder
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.proof.records.batch import SEED_BYTES, fold_records
from hub.proof.records.status_list import Status
from hub.proof.sealing.records import ApprovedIntent, Mandate
from hub.seal.keys import (
    Composed,
    Fold,
    RecordWork,
    SigningKey,
)
from hub.seal.ports import Database
from hub.seal.seal_keys import SealKeys, UsableKey
from hub.seal.signed_records import SignedRecords
from hub.seal.signer import Signer, more_telling
from hub.seal.status_lists import StatusChange, StatusLists
from hub.seal.store import (
    APPROVALS_OF_INTENT,
    INSERT_PATH,
    INSERT_SIGNATURE,
    INTENTS_OF_TYPE,
    PUT_HEADER,
    PUT_STATUS,
    RECORD_SEAL,
    SEAL_HEADER,
    SM2_TWIN,
    USES_OF_INTENT,
    StoredIntent,
    approval_of,
    intent_of,
    unchanged_intent,
    unchanged_uses,
    uses_write,
)
from hub.storage.statements import ENTRY_INDEX, Check, Row, Statement, Write, blob, text

_STATUS_RETENTION: Final = "seal"
_HEADERS_MAX: Final = 1_024
# Validity in time is the verifier's to judge; every other state has ended.
_STATUSES: Final = {State.ACTIVE: Status.VALID, State.SUSPENDED: Status.SUSPENDED}


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What sealing came to: records in their order, and what must be recorded with them."""

    records: tuple[SealedRecord, ...]
    writes: tuple[Write, ...]
    checks: tuple[Check, ...]
    changes: tuple[StatusChange, ...]


@dataclass(frozen=True, slots=True)
class _Authority:
    """Everything that allows the records of one batch to be sealed."""

    intent: StoredIntent
    mandate: Mandate
    approved: ApprovedIntent
    usable: UsableKey
    # The seal's SM2 key, where it has one: what it signs are twins.
    twin: UsableKey | None
    uses: int | None

    @property
    def key(self) -> SigningKey:
        """What signs."""
        return self.usable.signing

    @property
    def keys(self) -> tuple[UsableKey, ...]:
        """Everything that signs, ES256 first."""
        return (self.usable,) if self.twin is None else (self.usable, self.twin)


@dataclass(frozen=True, slots=True)
class RecordSeals:
    """Seals records under standing intents and gives the seals out again."""

    database: Database
    signer: Signer
    keys: SealKeys
    status_lists: StatusLists
    prove_keys: Callable[[], Awaitable[None]]
    # Homes whose keys sign so slowly that a batch of records gets one signature.
    slow_homes: frozenset[str] = frozenset()
    # Thousands of records share one header, which never changes.
    _headers: dict[str, str] = field(default_factory=dict, repr=False)

    async def seal(
        self,
        order: SealingOrder,
        records: Sequence[Record],
        retired: Sequence[tuple[str, str]],
    ) -> SealedBatch:
        """Seal `records` and mark `retired` versions (version id, status place) as invalid.

        Nothing is durable before its writes are recorded under its checks; then call `publish`.
        Raises HubError: INTENT_NOT_APPROVED, INTENT_EXHAUSTED, and what `SealKeys.usable` raises.
        """
        if not records:
            return await asyncio.to_thread(_retire, retired)
        await self.prove_keys()
        authority = await self._authorise(order, len(records))
        return await asyncio.to_thread(self._seal, authority, order, records, retired)

    def mark(self, versions: Sequence[tuple[str, str, State]]) -> SealedBatch:
        """The statuses of versions (version id, status place, state): what is not in force reads
        invalid. Nothing is durable before its writes are recorded; then call `publish`."""
        return _mark(
            [
                (version_id, place, _STATUSES.get(state, Status.INVALID))
                for version_id, place, state in versions
            ]
        )

    def publish(self, batch: SealedBatch) -> None:
        """Show the statuses that a durable batch changed."""
        self.status_lists.publish(batch.changes)

    async def record_seal(self, version_id: str) -> str:
        """The compact JWS that seals this version, with the disclosures that lead to it where its
        batch has one signature. Raises HubError(DIGEST_MISMATCH)."""
        sealed = await self._stored(RECORD_SEAL, version_id)
        if not sealed:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"record seal of version {version_id}")
        return sealed

    async def sm2_twin(self, version_id: str) -> str:
        """As `record_seal`, its SM2 twin; empty where the version was sealed without one."""
        return await self._stored(SM2_TWIN, version_id)

    async def _stored(self, question: Statement, version_id: str) -> str:
        row = await self.database.one(question, version_id)
        if row is None:
            return ""
        header_id, payload, signature = text(row[0]), blob(row[1]), blob(row[2])
        path = "" if row[3] is None else text(row[3])
        header = self._headers.get(header_id) or await self._header(header_id)
        return f"{header}.{b64u(payload)}.{b64u(signature)}{path}"

    async def _header(self, header_id: str) -> str:
        row = await self.database.one(SEAL_HEADER, header_id)
        if row is None:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"header {header_id} of record seals")
        if len(self._headers) >= _HEADERS_MAX:
            self._headers.clear()
        header = self._headers[header_id] = text(row[0])
        return header

    async def _authorise(self, order: SealingOrder, count: int) -> _Authority:
        """Steps 1 and 2. Of several intents in force the newest with enough uses left counts."""
        refusal = HubError(
            Reason.INTENT_NOT_APPROVED,
            intent="-",
            rule="no approved intent for this authority, type, type version and manifest",
        )
        rows = await self.database.all(INTENTS_OF_TYPE, order.authority, order.type_code)
        for intent in map(intent_of, rows):
            if intent.type_version != order.type_version:
                continue
            try:
                return await self._open(intent, order, count)
            except HubError as error:
                refusal = more_telling(refusal, error)
        raise refusal

    async def _open(self, intent: StoredIntent, order: SealingOrder, count: int) -> _Authority:
        rows = await self.database.all(APPROVALS_OF_INTENT, intent.name)
        approvals = tuple([approval_of(row).approval for row in rows])
        mandate = Mandate(intent.name, intent.bytes, approvals)
        approved = self.signer.approve(intent.name, intent.bytes, approvals)
        row = await self.database.one(USES_OF_INTENT, intent.name)
        uses = None if row is None else int(row[0] or 0)
        self.signer.check(approved, order, count, uses or 0)
        usable = await self.keys.usable(
            approved.intent.seal, KeyUse.RECORD, KeyAlgorithm.ES256, count
        )
        if usable.key.authority_uscc != order.authority_uscc:
            raise HubError(Reason.KEY_UNAVAILABLE, key=approved.intent.seal)
        twin = await self.keys.twin(usable, count)
        return _Authority(intent, mandate, approved, usable, twin, uses)

    def _seal(
        self,
        authority: _Authority,
        order: SealingOrder,
        records: Sequence[Record],
        retired: Sequence[tuple[str, str]],
    ) -> SealedBatch:
        """Step 3; runs in a thread."""
        drawn = self.status_lists.draw(len(records))
        places = [(place, self.status_lists.uri(number)) for number, place in drawn]
        uses = authority.uses or 0
        algs = tuple([one.key.algorithm.value for one in authority.keys])
        composed = self.signer.compose(
            authority.approved, authority.key, order, records, places, algs=algs
        )
        is_slow = any(one.key.home in self.slow_homes for one in authority.keys)
        fold = _fold(composed) if is_slow and len(composed) > 1 else None
        work = RecordWork(authority.mandate, order, composed, fold)
        signed = [
            SignedRecords.of(one.signing, work, one.signing.sign_records(work))
            for one in authority.keys
        ]
        kept = [
            (record.version_id, number, place, record.retention_class)
            for record, (number, place) in zip(records, drawn, strict=True)
        ]
        sealed = [
            SealedRecord(
                record.version_id,
                Custody.ATTESTED if record.backfill else authority.key.custody,
                f"{number}/{place}",
                one.disclosures,
            )
            for record, one, (number, place) in zip(records, composed, drawn, strict=True)
        ]
        replaced = [
            (one.version_id, one.status_place)
            for record, one in zip(records, sealed, strict=True)
            if not record.in_force
        ]
        ended = _retire([*replaced, *retired])
        return SealedBatch(
            records=tuple(sealed),
            writes=(
                Write(PUT_HEADER, [one.header_row for one in signed]),
                Write(INSERT_SIGNATURE, [row for one in signed for row in one.rows(kept)]),
                *_path_writes(authority, composed, fold),
                uses_write(authority.intent.name, uses + len(records)),
                *(write for one in authority.keys for write in one.writes(len(records))),
                *ended.writes,
            ),
            checks=(
                unchanged_intent(authority.intent),
                unchanged_uses(authority.intent.name, authority.uses),
                *(check for one in authority.keys for check in one.checks()),
            ),
            changes=ended.changes,
        )


def _retire(retired: Sequence[tuple[str, str]]) -> SealedBatch:
    return _mark([(version_id, place, Status.INVALID) for version_id, place in retired])


def _mark(versions: Sequence[tuple[str, str, Status]]) -> SealedBatch:
    rows: list[Row] = []
    changes: list[StatusChange] = []
    for version_id, status_place, status in versions:
        number, _, place = status_place.partition("/")
        change = StatusChange(int(number), int(place), status)
        changes.append(change)
        row = (change.list_number, change.place, version_id, int(change.value))
        rows.append((*row, ENTRY_INDEX, _STATUS_RETENTION))
    return SealedBatch((), (Write(PUT_STATUS, rows),) if rows else (), (), tuple(changes))


def _path_writes(
    authority: _Authority, composed: Sequence[Composed], fold: Fold | None
) -> list[Write]:
    if fold is None:
        return []
    algorithm = authority.key.algorithm.value
    rows: list[Row] = [
        (one.record.version_id, algorithm, path, one.record.retention_class)
        for one, path in zip(composed, fold.paths, strict=True)
    ]
    return [Write(INSERT_PATH, rows)]


def _fold(composed: Sequence[Composed]) -> Fold:
    seed = secrets.token_bytes(SEED_BYTES)
    return Fold(seed, fold_records([one.payload for one in composed], seed))
