"""Ingest: take one signed batch, decide what becomes of each row, seal, store, log.

A batch is one entry or none: whatever is wrong with its signature, its place in the chain or its
tree refuses it as a whole; what is wrong with a row refuses that row and says so.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeVar

import orjson

from hub.clock import CHINA, Clock, legal_day
from hub.domain.association import Relation
from hub.domain.caller import Caller
from hub.domain.certificate import Conversion
from hub.domain.certificate_type import CertificateType
from hub.domain.document import LEVEL_NUMBERS
from hub.domain.entry import Entry
from hub.domain.identifier import CertificateIdentifier
from hub.domain.record import Record, SealingOrder
from hub.domain.row import Row as ScannedRow
from hub.domain.rules import violation
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.proof.encoding import b64u, b64u_decode, parse_object
from hub.proof.exchange.attestation import Subject, attested_digest, verify_attestation
from hub.proof.exchange.batch import (
    INGEST_LEAVES_MAX,
    SALT_BYTES,
    BatchRoot,
    LastRoot,
    Purpose,
    VerifiedRoot,
    check_chain,
    row_leaf,
    verify_batch_root,
)
from hub.proof.log.merkle import root as merkle_root
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.disclosure import values_of
from hub.registry.assemble import Assembly, assemble, key_ids, record_of
from hub.registry.association_store import GOES_BACK_TO
from hub.registry.catalogue import Catalogue, PublishedType
from hub.registry.decide import Decision, Issuer, Outcome, Remarks, RowResult, decide
from hub.registry.item_store import ListState
from hub.registry.judge import (
    Attest,
    BrokenRuleError,
    FaultyRow,
    Judge,
    SoundRow,
    is_public,
)
from hub.registry.objection_store import ANNOTATION, unchanged_objections
from hub.registry.objections import open_objections
from hub.registry.ports import (
    Access,
    Database,
    DataKey,
    DataKeys,
    HolderKeys,
    Recorder,
    RecordSeals,
    SealedBatch,
)
from hub.registry.store import (
    ATTACHED,
    BATCH,
    HOLDING,
    IDENTIFIERS,
    INSERT_BATCH,
    LAST_BATCH,
    ON_FILE,
    TURN,
    CertificateRow,
    VersionRow,
    batch_of,
    look_up,
    on_file_of,
    put_turn,
    unchanged_turn,
)
from hub.registry.transition_store import GONE, unchanged_confirmation
from hub.registry.turn import Turn
from hub.storage.statements import ENTRY_INDEX, Check, Row, Write

BATCH_BYTES_MAX: Final = 4_000_000
NAME_LENGTH_MAX: Final = 128
# How far what rows go back to is followed: by steps, and by certificates in all.
CHAIN_STEPS_MAX: Final = 64
CHAIN_CERTIFICATES_MAX: Final = 10_000
# Every batch with associations replaces this turn, so that two batches at once close no circle.
_ASSOCIATIONS_TURN: Final = ("associations", "")
RPC: Final = "/hub.registry.v1.RegistryService/IngestBatches"

_B = TypeVar("_B", bound=SealedBatch)


@dataclass(frozen=True, slots=True)
class DeliveredRow:
    """A row as it came: salt and bytes."""

    salt: bytes = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ingested:
    """The answer to one batch; the same for every repetition."""

    batch: str
    seq: int
    results: tuple[RowResult, ...]
    entry: int
    receipt: str


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch whose root is authentic, the caller's, and about a published type."""

    caller: Caller
    verified: VerifiedRoot
    published: PublishedType
    rows: Sequence[DeliveredRow]

    @property
    def root(self) -> BatchRoot:
        return self.verified.root


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a decision is based on, as read from the database."""

    on_file: Mapping[str, tuple[CertificateRow, VersionRow]]
    serials: frozenset[str]
    # Of each authority whose certificates of the type are kept, its own first.
    turns: Mapping[str, Row | None]
    remarks: Remarks
    # What is checked of them: the mark of each certificate with objections, each word of a source.
    annotations: Mapping[str, Row | None]
    confirmations: Mapping[str, Row]
    goes_back_to: Mapping[str, frozenset[str]]
    associations_turn: Row | None


@dataclass(slots=True)
class IngestBatch(Generic[_B]):
    """Take one signed batch of a connector.

    1. Size, signature, addressee, authority, type; the root belongs to the caller.
    2. One batch of an authority at a time. A batch answered before is answered again.
    3. Its place in the chain; a gap is refused and kept as evidence.
    4. In a thread: every leaf, the root, and each row judged by itself.
    5. Read what is on file and decide, row by row.
    6. Seal the new versions one by one, encrypt, and record everything as one entry. Where
       something changed meanwhile, decide once more.
    7. Show the new statuses, answer.
    """

    origin: str
    region: str
    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    catalogue: Catalogue
    seals: RecordSeals[_B]
    holder_keys: HolderKeys
    data_keys: DataKeys[DataKey]
    observe: Callable[[Mapping[Outcome, int]], None]
    identify: Callable[[], Awaitable[Caller]]
    _turns: dict[str, Turn] = field(default_factory=dict)

    async def __call__(
        self, caller: Caller, root_jws: str, rows: Sequence[DeliveredRow]
    ) -> Ingested:
        """One result per row and one receipt; durable when it returns.

        Raises HubError: MESSAGE_TOO_LARGE, BATCH_INVALID with the exact rule,
        AUTHORITY_NOT_ALLOWED, ISSUER_NOT_ALLOWED, CERTIFICATE_TYPE_NOT_FOUND,
        INTENT_NOT_APPROVED, INTENT_EXHAUSTED,
        DECISION_STALE, LOG_UNAVAILABLE. Then nothing of the batch is stored.
        """
        batch = self._verify(caller, root_jws, rows)
        # An authority is never removed, so a lock per authority is bounded by their number.
        turn = self._turns.setdefault(caller.authority, Turn())
        # What comes alone is urgent: it does not wait for the batches that wait for a slow key.
        async with turn.taken(urgent=len(rows) == 1):
            first = await self._answered_before(batch)
            if first is not None:
                return first
            await self._check_chain(batch)
            judged = await asyncio.to_thread(
                _judge, batch, self.holder_keys, partial(self._attest, batch)
            )
            try:
                return await self._ingest(batch, judged)
            except HubError as error:
                if error.reason is not Reason.DECISION_STALE:
                    raise
            # The caller too is judged anew: identities or the type may be what changed.
            await self.catalogue.refresh()
            batch = dataclasses.replace(batch, caller=await self.identify())
            return await self._ingest(batch, judged)

    def _verify(self, caller: Caller, root_jws: str, rows: Sequence[DeliveredRow]) -> _Batch:
        """Step 1."""
        size = len(root_jws) + sum([len(row.salt) + len(row.data) for row in rows])
        if size > BATCH_BYTES_MAX:
            raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=size, bytes_max=BATCH_BYTES_MAX)
        try:
            verified = verify_batch_root(
                root_jws,
                keys=self.access.key,
                origin=self.origin,
                region=self.region,
                purpose=Purpose.ROW,
                now=self.clock() // 1_000_000,
                leaves_max=INGEST_LEAVES_MAX,
            )
        except ProofError as error:
            raise refused(error.reason) from error
        root = verified.root
        if root.iss != caller.name:
            raise refused(ProofReason.ISS_MISMATCH)
        if root.authority != caller.authority_uscc:
            raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=root.authority[:18])
        if not all(0 < len(text) <= NAME_LENGTH_MAX for text in (root.connector, root.batch)):
            raise refused(ProofReason.CLAIM_INVALID)
        if root.n != len(rows):
            raise refused(ProofReason.BATCH_N)
        code = self.catalogue.code_of(root.vct)
        published = None if code is None else self.catalogue.find(code, root.type_version)
        if published is None:
            name = f"{root.vct[:200]} version {root.type_version}"
            raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=name)
        self._check_issuer(published.type.code, caller)
        return _Batch(caller, verified, published, rows)

    def _check_issuer(self, code: str, caller: Caller) -> None:
        """That the type in its newest version lets the caller's authority issue: one that it names
        or whoever has succeeded that; where it names none, those of its levels.

        Raises HubError(ISSUER_NOT_ALLOWED).
        """
        newest = self.catalogue.newest(code)
        listing = None if newest is None else newest.listing
        if listing is None:
            return
        if listing.issuing_authorities:
            named = listing.issuing_authorities
            may_issue = any(self.access.answers_for(caller, code, one) for one in named)
            rule = "it is none of the authorities that the type names"
        else:
            levels = listing.issuing_levels
            may_issue = self.access.level(caller) in {LEVEL_NUMBERS[one] for one in levels}
            rule = f"the type is issued at the levels {', '.join(levels)}"
        if not may_issue:
            raise HubError(
                Reason.ISSUER_NOT_ALLOWED, authority=caller.authority_uscc, type=code, rule=rule
            )

    def _attest(self, batch: _Batch, row: ScannedRow) -> Conversion:
        """Who attests to a scanned row. Raises BrokenRuleError; runs in a thread."""
        root = batch.root
        subject = Subject(
            self.origin,
            self.region,
            root.authority,
            root.vct,
            root.type_version,
            attested_digest(row),
        )
        assert row.attestation is not None, "a scan without attestation is no row"
        try:
            conversion = verify_attestation(
                row.attestation, subject, keys=self.access.key, now=self.clock() // 1_000_000
            )
        except ProofError as error:
            text = TEXTS[error.reason]
            broken = violation("attestation", "row.attestation", en=text.en, zh=text.zh)
            raise BrokenRuleError(broken) from error
        if self.access.authority_of(conversion.officer) != root.authority:
            raise BrokenRuleError(violation("attestation", "row.attestation_officer"))
        return conversion

    async def _answered_before(self, batch: _Batch) -> Ingested | None:
        """Step 2. The signature's bytes do not count: the root's claims are what was answered."""
        root = batch.root
        row = await self.database.one(BATCH, root.iss, root.connector, root.purpose.value, root.seq)
        if row is None:
            return None
        stored = batch_of(row)
        if stored.chain_digest != batch.verified.chain_digest:
            raise await self._chain_broken(batch, ProofReason.BATCH_SEQ)
        receipt = await self.recorder.receipt(stored.entry)
        return Ingested(root.batch, root.seq, decode_results(stored.results), stored.entry, receipt)

    async def _check_chain(self, batch: _Batch) -> None:
        """Step 3."""
        last = await self._last(batch)
        try:
            check_chain(
                batch.root, None if last is None else LastRoot(int(last[0] or 0), str(last[1]))
            )
        except ProofError as error:
            raise await self._chain_broken(batch, error.reason) from error

    async def _chain_broken(self, batch: _Batch, reason: ProofReason) -> HubError:
        """The refusal of an authentic root out of its place; the root is kept in its entry."""
        refusal = refused(reason)
        last = await self._last(batch)
        data: dict[str, Json] = {
            "rpc": RPC,
            "reason": refusal.reason.value,
            "details": dict(refusal.details),
            "root_jws": batch.verified.compact,
            "last_seq": 0 if last is None else int(last[0] or 0),
        }
        await self.recorder.record(self._entry(batch, "refusal", data), (), ())
        refusal.recorded = True
        return refusal

    async def _last(self, batch: _Batch) -> Row | None:
        root = batch.root
        return await self.database.one(LAST_BATCH, root.iss, root.connector, root.purpose.value)

    async def _ingest(self, batch: _Batch, judged: Sequence[SoundRow | FaultyRow]) -> Ingested:
        """Steps 5 to 7 for one decision."""
        root, caller, published = batch.root, batch.caller, batch.published
        # Read first: whatever changes after this makes the decision stale.
        self._check_issuer(published.type.code, caller)
        checks = [
            self.access.check(caller),
            self.catalogue.check(),
            await self._chain_check(batch),
        ]
        basis = await self._read(batch, judged)
        code = published.type.code
        checks += [unchanged_turn(whose, code, turn) for whose, turn in basis.turns.items()]
        checks += [unchanged_objections(*one) for one in basis.annotations.items()]
        checks += [unchanged_confirmation(*one) for one in basis.confirmations.items()]
        turns = [put_turn(whose, code) for whose in basis.turns]
        if basis.goes_back_to:
            checks.append(unchanged_turn(*_ASSOCIATIONS_TURN, basis.associations_turn))
            turns.append(put_turn(*_ASSOCIATIONS_TURN))
        enrolled_on = legal_day(self.access.enrolled_us(caller.name)).isoformat()
        decision, records = await asyncio.to_thread(
            _decide, self._issuer(batch), judged, basis, published.type, enrolled_on
        )
        retired = [(version.id, version.status_place) for version in decision.ended.values()]
        sealed = await self.seals.seal(self._order(batch), records, retired)
        assembly = await self._assemble(batch, decision, sealed)
        results = encode_results(decision.results)
        counts = Counter(result.outcome for result in decision.results)
        try:
            recorded = await self.recorder.record(
                self._entry(batch, "ingest", _data(batch, counts)),
                [
                    *assembly.writes,
                    *sealed.writes,
                    *turns,
                    self._batch_write(batch, results),
                ],
                [*checks, *assembly.checks, *sealed.checks],
            )
        except HubError as error:
            # Then it is open whether it was recorded. A status that may have ended must not go on
            # reading valid: the repetition finds the batch stored and publishes nothing.
            if error.reason is Reason.LOG_UNAVAILABLE:
                self.seals.publish(sealed)
            raise
        self.seals.publish(sealed)
        self.observe(counts)
        return Ingested(
            root.batch, root.seq, tuple(decision.results), recorded.index, recorded.receipt
        )

    async def _chain_check(self, batch: _Batch) -> Check:
        root = batch.root
        last = await self._last(batch)
        return Check(LAST_BATCH, (root.iss, root.connector, root.purpose.value), last)

    async def _read(self, batch: _Batch, judged: Sequence[SoundRow | FaultyRow]) -> _Basis:
        code = batch.published.type.code
        kept = self.access.kept(batch.caller, code)
        turns = {whose: await self.database.one(TURN, whose, code) for whose in kept}
        sound = [row for row in judged if isinstance(row, SoundRow)]
        on_file: dict[str, tuple[CertificateRow, VersionRow]] = {}
        ambiguous: set[str] = set()
        for portion in look_up(sorted({row.number_index for row in sound})):
            for whose in kept:
                for row in await self.database.all(ON_FILE, whose, code, *portion):
                    certificate, newest = on_file_of(row)
                    known = on_file.setdefault(certificate.number_index, (certificate, newest))
                    # Its own goes before those that it took over; these are not told apart.
                    is_own = batch.caller.authority in (known[0].authority, certificate.authority)
                    if known[0] is not certificate and not is_own:
                        ambiguous.add(certificate.number_index)
        # A serial is in use where its first version is on file, whatever its number.
        wanted = {
            str(CertificateIdentifier(code, batch.root.authority, row.row.serial, 1))
            for row in sound
            if row.row.serial is not None
        }
        serials: set[str] = set()
        for portion in look_up(sorted(wanted)):
            for found in await self.database.all(IDENTIFIERS, *portion):
                serials.add(CertificateIdentifier.parse(str(found[0])).serial)
        named = {
            one.first for row in sound for one in row.named if one.relation is not Relation.KNOWN_AS
        }
        associations_turn = await self.database.one(TURN, *_ASSOCIATIONS_TURN) if named else None
        goes_back_to = await self._goes_back_to(named)
        remarks, annotations, confirmations = await self._remarks(sound, on_file)
        remarks = dataclasses.replace(remarks, ambiguous=frozenset(ambiguous))
        return _Basis(
            on_file,
            frozenset(serials),
            turns,
            remarks,
            annotations,
            confirmations,
            goes_back_to,
            associations_turn,
        )

    async def _remarks(
        self, sound: Sequence[SoundRow], on_file: Mapping[str, tuple[CertificateRow, VersionRow]]
    ) -> tuple[Remarks, dict[str, Row | None], dict[str, Row]]:
        """What is said of the certificates on file, and the rows that must stay as they are."""
        disputed = {
            on_file[row.number_index][0].id: on_file[row.number_index][1]
            for row in sound
            if row.row.objection is not None and row.number_index in on_file
        }
        values = {id: await self._values(disputed[id]) for id in sorted(disputed)}
        annotations = {id: await self.database.one(ANNOTATION, id) for id in sorted(disputed)}
        objections = {id: await open_objections(self.database, id) for id in annotations}
        confirmations: dict[str, Row] = {}
        for portion in look_up(sorted(certificate.id for certificate, _ in on_file.values())):
            for row in await self.database.all(GONE, *portion):
                confirmations[str(row[0])] = row[1:]
        attached = {
            certificate.id: certificate.holder_indexes
            for row in sound
            if not row.holder_indexes and row.number_index in on_file
            for certificate in (on_file[row.number_index][0],)
            if await self._is_attached(certificate)
        }
        remarks = Remarks(objections, frozenset(confirmations), values, attached)
        return remarks, annotations, confirmations

    async def _values(self, version: VersionRow) -> Mapping[str, Json]:
        """What a version says; nothing where it was erased."""
        key = await self.data_keys.find(version.data_key_id)
        if key is None:
            return {}
        return values_of(orjson.loads(key.open(version.disclosures, version.id.encode())))

    async def _is_attached(self, certificate: CertificateRow) -> bool:
        """Whether its one holder was found out later; whoever binds or unbinds takes a turn."""
        if len(certificate.holder_indexes) != 1:
            return False
        name = (certificate.holder_indexes[0], certificate.type_code, certificate.id)
        return await self.database.one(HOLDING, *name) == (ATTACHED,)

    async def _goes_back_to(self, named: set[str]) -> Mapping[str, frozenset[str]]:
        """What the certificates `named` go back to, and those again, by first identifiers.

        What lies beyond the limits is left out.
        """
        found: dict[str, frozenset[str]] = {}
        ahead = named
        for _ in range(CHAIN_STEPS_MAX):
            if not ahead or len(found) > CHAIN_CERTIFICATES_MAX:
                break
            further: dict[str, set[str]] = {one: set() for one in ahead}
            for portion in look_up(sorted(ahead)):
                for row in await self.database.all(GOES_BACK_TO, *portion):
                    further[str(row[0])].add(str(row[1]))
            found |= {one: frozenset(names) for one, names in further.items()}
            ahead = {name for names in further.values() for name in names} - found.keys()
        return found

    async def _assemble(self, batch: _Batch, decision: Decision, sealed: _B) -> Assembly:
        """Rows of all tables, personal and public values encrypted."""
        now_us = self.clock()
        month = datetime.datetime.fromtimestamp(now_us / 1_000_000, CHINA).strftime("%Y%m")
        ids = key_ids(
            decision.versions, shared=f"public:{month}" if is_public(batch.published.type) else None
        )
        keys: dict[str, DataKey] = {}
        writes: list[Write] = []
        checks: list[Check] = []
        for key_id in sorted(set(ids.values())):
            key = await self.data_keys.find(key_id)
            if key is None:
                key, write = self.data_keys.new(key_id, batch.published.type.retention_class)
                writes.append(write)
                checks.append(self.data_keys.absent(key_id))
            keys[key_id] = key
        rows = await asyncio.to_thread(
            assemble,
            decision,
            sealed.records,
            {version_id: keys[key_id] for version_id, key_id in ids.items()},
            batch.published.type,
            content_key_id=self.holder_keys.holder_key_id,
            batch=f"{batch.root.iss} {batch.root.connector} {batch.root.seq}",
            now_us=now_us,
        )
        return Assembly((*writes, *rows), tuple(checks))

    def _issuer(self, batch: _Batch) -> Issuer:
        certificate_type = batch.published.type
        return Issuer(
            authority=batch.caller.authority,
            authority_uscc=batch.caller.authority_uscc,
            type_code=certificate_type.code,
            retention_class=certificate_type.retention_class,
            key_id=self.holder_keys.holder_key_id,
            public_numbers=certificate_type.has_public_numbers,
            time_us=self.clock(),
            system=batch.caller.name,
            is_retired=self.catalogue.standing(certificate_type.code).state is ListState.RETIRED,
        )

    def _order(self, batch: _Batch) -> SealingOrder:
        root, published = batch.root, batch.published
        return SealingOrder(
            authority=batch.caller.authority,
            authority_uscc=root.authority,
            type_code=published.type.code,
            vct=root.vct,
            type_version=root.type_version,
            integrity=published.integrity,
            digests_n=published.digests_n,
            manifest=root.manifest,
            batch=root.batch,
            rows_n=root.n,
            root_jws=batch.verified.compact,
            rows=[(row.salt, row.data) for row in batch.rows],
        )

    def _entry(self, batch: _Batch, kind: str, data: dict[str, Json]) -> Entry:
        root = batch.root
        return Entry(
            kind=kind,
            caller=batch.caller.name,
            key_entry=batch.caller.enrolment_entry,
            request_id=f"{root.connector}/{root.purpose.value}/{root.seq}",
            request_digest=batch.verified.digest,
            members={"data": data},
        )

    def _batch_write(self, batch: _Batch, results: bytes) -> Write:
        root = batch.root
        row = (
            root.iss,
            root.connector,
            root.purpose.value,
            root.seq,
            batch.verified.chain_digest,
            batch.verified.compact,
            _key_id(batch.verified),
            results,
            ENTRY_INDEX,
            self.clock(),
            batch.published.type.retention_class,
        )
        return Write(INSERT_BATCH, [row])


def refused(reason: ProofReason) -> HubError:
    """The refusal of a whole batch."""
    text = TEXTS[reason]
    return HubError(Reason.BATCH_INVALID, rule=reason.value, en=text.en, zh=text.zh)


def encode_results(results: Sequence[RowResult]) -> bytes:
    """Results as they are kept to be answered again."""
    return orjson.dumps(
        [
            (
                result.outcome,
                result.certificate,
                result.identifier,
                [(one.field, one.rule, one.en, one.zh) for one in result.violations],
            )
            for result in results
        ]
    )


def decode_results(data: bytes) -> tuple[RowResult, ...]:
    """Results as they were kept."""
    return tuple(
        RowResult(
            Outcome(outcome), certificate, identifier, tuple(Violation(*one) for one in violations)
        )
        for outcome, certificate, identifier, violations in orjson.loads(data)
    )


def _judge(batch: _Batch, keys: HolderKeys, attest: Attest) -> list[SoundRow | FaultyRow]:
    """Step 4, in a thread: every leaf and the root, and each row judged.

    Raises HubError(BATCH_INVALID) where the tree is another.
    """
    if any(len(row.salt) != SALT_BYTES for row in batch.rows):
        raise refused(ProofReason.SALT_LENGTH)
    if merkle_root([row_leaf(row.salt, row.data) for row in batch.rows]) != batch.root.root:
        raise refused(ProofReason.ROOT_MISMATCH)
    judge = Judge(batch.published.type, keys, attest)
    return [judge(index, row.data) for index, row in enumerate(batch.rows)]


def _decide(
    issuer: Issuer,
    judged: Sequence[SoundRow | FaultyRow],
    basis: _Basis,
    certificate_type: CertificateType,
    enrolled_on: str,
) -> tuple[Decision, list[Record]]:
    """Step 5 without its reading; runs in a thread."""
    decision = decide(
        issuer, judged, basis.on_file, basis.serials, basis.goes_back_to, remarks=basis.remarks
    )
    records = [
        record_of(made, certificate_type, enrolled_on=enrolled_on) for made in decision.versions
    ]
    return decision, records


def _key_id(verified: VerifiedRoot) -> str:
    """The key that signed; its registration was checked with the signature."""
    return str(parse_object(b64u_decode(verified.compact.partition(".")[0]))["kid"])


def _data(batch: _Batch, counts: Mapping[Outcome, int]) -> dict[str, Json]:
    root = batch.root
    return {
        "authority": root.authority,
        "connector": root.connector,
        "batch": root.batch,
        "seq": root.seq,
        "n": root.n,
        "root": b64u(root.root),
        "vct": root.vct,
        "type_version": root.type_version,
        "manifest": root.manifest,
        "counts": {outcome.value: counts.get(outcome, 0) for outcome in Outcome},
    }
