"""Tables of intents and of what was sealed, the questions asked of them, and rows as values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    literal_column,
    select,
)

from hub.proof.records.status_list import Status
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    blob,
    insert_into,
    integer,
    put_into,
    question,
)

# A renewed chain gives its key a second header; records keep the one they were signed with.
HEADERS: Final = Table(
    "seal_headers",
    METADATA,
    Column("header_id", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("header", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
)

INTENTS: Final = Table(
    "seal_intents",
    METADATA,
    Column("name", Text, primary_key=True),
    # What a standing intent is found by; empty and 0 in one of another kind.
    Column("authority", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("type_version", BigInteger, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("decisions", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("seal_intents_by_type", "authority", "type_code"),
)

APPROVALS: Final = Table(
    "seal_approvals",
    METADATA,
    Column("intent", Text, primary_key=True),
    Column("officer", Text, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("approval", Text, nullable=False),
    Column("nonce", LargeBinary, nullable=False, unique=True),
    Column("key_id", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

USES: Final = Table(
    "seal_intent_uses",
    METADATA,
    Column("intent", Text, primary_key=True),
    Column("uses", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# `status_list` and `status_place` are where the version's status stands; a second signature of the
# same version has none.
SIGNATURES: Final = Table(
    "seal_signatures",
    METADATA,
    Column("version_id", Text, primary_key=True),
    Column("algorithm", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("header_id", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("status_list", BigInteger),
    Column("status_place", BigInteger),
    Column("retention_class", Text, nullable=False),
    Index("seal_signatures_by_status", "status_list", "status_place", unique=True),
)

# What leads to a record in a batch under one signature: disclosures of hub/proof/records/batch.py,
# outermost first, each with a `~` before it. A record that is signed alone has none.
PATHS: Final = Table(
    "seal_paths",
    METADATA,
    Column("version_id", Text, primary_key=True),
    Column("algorithm", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# A place that is given out reads VALID for as long as there is no row of it here.
STATUS: Final = Table(
    "seal_status",
    METADATA,
    Column("list", BigInteger, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("version_id", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    # The log entry of the last change: who follows the log reads what came after the last one seen.
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("seal_status_by_entry", "entry"),
    sqlite_with_rowid=False,
)

# One row: the entry that sums up which intents have ended (ended_intents.py).
ENDED: Final = Table(
    "seal_ended_intents",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

# Seals that a re-sealing replaced, as they were: nothing that was ever handed out is forgotten.
PAST_SIGNATURES: Final = Table(
    "seal_past_signatures",
    METADATA,
    Column("version_id", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("header_id", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("path", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
)

# The entry that recorded a version's seal, where that is another than put the version on file. It
# only says where to look.
SEAL_ENTRIES: Final = Table(
    "seal_record_entries",
    METADATA,
    Column("version_id", Text, primary_key=True),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

PUT_HEADER: Final = put_into(HEADERS)
INSERT_INTENT: Final = insert_into(INTENTS)
PUT_INTENT: Final = put_into(INTENTS)
PUT_APPROVAL: Final = put_into(APPROVALS)
PUT_USES: Final = put_into(USES)
PUT_ENDED: Final = put_into(ENDED)
INSERT_SIGNATURE: Final = insert_into(SIGNATURES)
PUT_SIGNATURE: Final = put_into(SIGNATURES)
INSERT_PAST_SIGNATURE: Final = insert_into(PAST_SIGNATURES)
INSERT_PATH: Final = insert_into(PATHS)
PUT_PATH: Final = put_into(PATHS)
PUT_STATUS: Final = put_into(STATUS)
PUT_SEAL_ENTRY: Final = put_into(SEAL_ENTRIES)

_INTENT_COLUMNS: Final = tuple(INTENTS.columns)
_APPROVAL_COLUMNS: Final = tuple(APPROVALS.columns)

INTENT_BY_NAME: Final = question(
    "intent by name", select(*_INTENT_COLUMNS).where(INTENTS.c.name == bindparam("name")), "name"
)
ENDED_SUMMARY: Final = question(
    "entry that sums up which intents have ended",
    select(ENDED.c.entry).where(ENDED.c.id == bindparam("id", type_=BigInteger)),
    "id",
)
INTENT_STATE: Final = question(
    "state of an intent",
    select(INTENTS.c.state, INTENTS.c.decisions).where(INTENTS.c.name == bindparam("name")),
    "name",
)
INTENTS_PAGE: Final = question(
    "a page of intents",
    select(*_INTENT_COLUMNS)
    .where(
        (INTENTS.c.create_time_us > bindparam("after_us", type_=BigInteger))
        | (
            (INTENTS.c.create_time_us == bindparam("same_us", type_=BigInteger))
            & (INTENTS.c.name > bindparam("after"))
        )
    )
    .order_by(INTENTS.c.create_time_us, INTENTS.c.name)
    .limit(bindparam("rows", type_=BigInteger)),
    "after_us",
    "same_us",
    "after",
    "rows",
)
# A type has a handful of intents over the years; the newest ones are the ones that can be in force.
INTENTS_OF_TYPE: Final = question(
    "newest intents of an authority and type",
    select(*_INTENT_COLUMNS)
    .where(
        INTENTS.c.authority == bindparam("authority"),
        INTENTS.c.type_code == bindparam("type_code"),
        INTENTS.c.state == literal_column("'approved'"),
    )
    .order_by(INTENTS.c.create_time_us.desc(), INTENTS.c.name)
    .limit(literal_column("100")),
    "authority",
    "type_code",
)
APPROVALS_OF_INTENT: Final = question(
    "approvals of an intent",
    select(*_APPROVAL_COLUMNS)
    .where(APPROVALS.c.intent == bindparam("intent"))
    .order_by(APPROVALS.c.create_time_us, APPROVALS.c.officer),
    "intent",
)
NEWEST_APPROVAL_OF_KEY: Final = question(
    "newest approval made with a key",
    select(APPROVALS.c.approval)
    .where(APPROVALS.c.key_id == bindparam("key_id"))
    .order_by(APPROVALS.c.create_time_us.desc())
    .limit(literal_column("1")),
    "key_id",
)
USES_OF_INTENT: Final = question(
    "uses of an intent", select(USES.c.uses).where(USES.c.intent == bindparam("intent")), "intent"
)
# Twins have one payload, so what leads to a record in a batch is kept once, beside ES256.
RECORD_SEAL: Final = question(
    "record seal of a version",
    select(SIGNATURES.c.header_id, SIGNATURES.c.payload, SIGNATURES.c.signature, PATHS.c.path)
    .select_from(
        SIGNATURES.outerjoin(
            PATHS,
            and_(
                PATHS.c.version_id == SIGNATURES.c.version_id,
                PATHS.c.algorithm == literal_column("'ES256'"),
            ),
        )
    )
    .where(
        SIGNATURES.c.version_id == bindparam("version_id"),
        SIGNATURES.c.algorithm == literal_column("'ES256'"),
    ),
    "version_id",
)
# Of the seal as it is now: a twin of what was sealed anew since is none.
_TWINS: Final = SIGNATURES.alias("twins")
SM2_TWIN: Final = question(
    "SM2 twin of a version's record seal",
    select(_TWINS.c.header_id, _TWINS.c.payload, _TWINS.c.signature, PATHS.c.path)
    .select_from(
        _TWINS.join(
            SIGNATURES,
            and_(
                SIGNATURES.c.version_id == _TWINS.c.version_id,
                SIGNATURES.c.payload == _TWINS.c.payload,
                SIGNATURES.c.algorithm == literal_column("'ES256'"),
            ),
        ).outerjoin(
            PATHS,
            and_(
                PATHS.c.version_id == _TWINS.c.version_id,
                PATHS.c.algorithm == literal_column("'ES256'"),
            ),
        )
    )
    .where(
        _TWINS.c.version_id == bindparam("version_id"),
        _TWINS.c.algorithm == literal_column("'SM2'"),
    ),
    "version_id",
)
SEAL_HEADER: Final = question(
    "header of record seals",
    select(HEADERS.c.header).where(HEADERS.c.header_id == bindparam("header_id")),
    "header_id",
)

_SEALS: Final = (
    select(
        SIGNATURES.c.version_id,
        SIGNATURES.c.payload,
        SIGNATURES.c.key_id,
        SIGNATURES.c.header_id,
        SIGNATURES.c.signature,
        _TWINS.c.key_id,
        _TWINS.c.header_id,
        _TWINS.c.signature,
        SIGNATURES.c.status_list,
        SIGNATURES.c.status_place,
        SIGNATURES.c.retention_class,
        PATHS.c.path,
        STATUS.c.value,
    )
    .select_from(
        SIGNATURES.outerjoin(
            _TWINS,
            and_(
                _TWINS.c.version_id == SIGNATURES.c.version_id,
                _TWINS.c.algorithm == literal_column("'SM2'"),
                _TWINS.c.payload == SIGNATURES.c.payload,
            ),
        )
        .outerjoin(
            PATHS,
            and_(
                PATHS.c.version_id == SIGNATURES.c.version_id,
                PATHS.c.algorithm == SIGNATURES.c.algorithm,
            ),
        )
        .outerjoin(
            STATUS,
            and_(
                STATUS.c.list == SIGNATURES.c.status_list,
                STATUS.c.place == SIGNATURES.c.status_place,
            ),
        )
    )
    .where(SIGNATURES.c.algorithm == literal_column("'ES256'"))
)
SEAL_OF_VERSION: Final = question(
    "seal of a version with its SM2 twin",
    _SEALS.where(SIGNATURES.c.version_id == bindparam("version_id")),
    "version_id",
)
SEALS_ASKED: Final = 100
"""How many versions one question takes; shorter lists repeat their last."""
_VERSIONS: Final = [f"version_{number}" for number in range(SEALS_ASKED)]
SEALS_OF_VERSIONS: Final = question(
    "seals of versions with their SM2 twins",
    _SEALS.where(SIGNATURES.c.version_id.in_([bindparam(name) for name in _VERSIONS])),
    *_VERSIONS,
)
SEAL_ENTRY: Final = question(
    "entry that recorded the seal of a version anew",
    select(SEAL_ENTRIES.c.entry).where(SEAL_ENTRIES.c.version_id == bindparam("version_id")),
    "version_id",
)
PAST_SEALS: Final = question(
    "seals of a version that were replaced",
    select(
        HEADERS.c.key_id,
        PAST_SIGNATURES.c.header_id,
        PAST_SIGNATURES.c.payload,
        PAST_SIGNATURES.c.signature,
    )
    .select_from(PAST_SIGNATURES.join(HEADERS, HEADERS.c.header_id == PAST_SIGNATURES.c.header_id))
    .where(PAST_SIGNATURES.c.version_id == bindparam("version_id")),
    "version_id",
)
# Answered from the index alone.
ALL_PLACES: Final = question(
    "all places given out",
    select(SIGNATURES.c.status_list, SIGNATURES.c.status_place)
    .where(SIGNATURES.c.status_list.is_not(None))
    .order_by(SIGNATURES.c.status_list, SIGNATURES.c.status_place),
)
ALL_STATUS: Final = question(
    "all statuses",
    select(STATUS.c.list, STATUS.c.place, STATUS.c.value, STATUS.c.entry).order_by(
        STATUS.c.list, STATUS.c.place
    ),
)
STATUS_SINCE: Final = question(
    "statuses changed since an entry",
    select(STATUS.c.list, STATUS.c.place, STATUS.c.value, STATUS.c.entry)
    .where(STATUS.c.entry > bindparam("entry"))
    .order_by(STATUS.c.entry),
    "entry",
)
LIST_IN_USE: Final = question(
    "whether a status list is in use",
    select(SIGNATURES.c.status_list)
    .where(SIGNATURES.c.status_list == bindparam("list"))
    .limit(bindparam("rows")),
    "list",
    "rows",
)


class IntentState(StrEnum):
    """Where an intent stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """An officer's decision as received, with the nonce it answers."""

    intent: str
    officer: str
    decision: str
    approval: str
    nonce: bytes
    key_id: str
    entry: int
    create_time_us: int


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """An intent: `bytes` are what approvals cover, all else is for looking up."""

    name: str
    authority: str
    type_code: str
    type_version: int
    bytes: bytes
    digest: str
    state: IntentState
    decisions: int
    create_time_us: int


@dataclass(frozen=True, slots=True)
class StoredSeal:
    """One key's signature over a record's payload."""

    algorithm: str
    key_id: str
    header_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A version's seal as it is stored, ES256 first, then its twin where it has one; `path` is
    empty for a record that is signed alone."""

    version_id: str
    payload: bytes
    seals: tuple[StoredSeal, ...]
    status_list: int
    status_place: int
    retention_class: str
    path: str
    status: Status

    def signature_rows(self) -> list[Row]:
        """Its rows."""
        return [self.row(seal, self.payload) for seal in self.seals]

    def row(self, seal: StoredSeal, payload: bytes) -> Row:
        """The row of `seal` over `payload` for this version; a twin has no place of its own in a
        status list."""
        is_twin = seal.algorithm != "ES256"
        return (
            self.version_id,
            seal.algorithm,
            seal.key_id,
            seal.header_id,
            payload,
            seal.signature,
            None if is_twin else self.status_list,
            None if is_twin else self.status_place,
            self.retention_class,
        )


def sealed_of(row: Row) -> Sealed:
    """The seal in a row of `SEAL_OF_VERSION`."""
    seals = [StoredSeal("ES256", str(row[2]), str(row[3]), blob(row[4]))]
    if row[5] is not None:
        seals.append(StoredSeal("SM2", str(row[5]), str(row[6]), blob(row[7])))
    return Sealed(
        version_id=str(row[0]),
        payload=blob(row[1]),
        seals=tuple(seals),
        status_list=integer(row[8]),
        status_place=integer(row[9]),
        retention_class=str(row[10]),
        path="" if row[11] is None else str(row[11]),
        status=Status.VALID if row[12] is None else Status(integer(row[12])),
    )


def recorded_here(seals: Iterable[Sealed]) -> Write:
    """That the entry being made is the one that records these seals, made anew."""
    rows = [(one.version_id, ENTRY_INDEX, one.retention_class) for one in seals]
    return Write(PUT_SEAL_ENTRY, rows)


def past_signature_rows(names: Sequence[str], sealed: Sealed) -> list[Row]:
    """The rows of a version's seals that are replaced, each under its name: what it was replaced
    after. Whose they were stands in their headers."""
    return [
        (
            sealed.version_id,
            name,
            seal.header_id,
            sealed.payload,
            seal.signature,
            sealed.path,
            sealed.retention_class,
        )
        for name, seal in zip(names, sealed.seals, strict=False)
    ]


def intent_row(intent: StoredIntent) -> Row:
    """The row of an intent."""
    return (
        intent.name,
        intent.authority,
        intent.type_code,
        intent.type_version,
        intent.bytes,
        intent.digest,
        intent.state.value,
        intent.decisions,
        intent.create_time_us,
        "seal",
    )


def intent_of(row: Row) -> StoredIntent:
    """The intent in a row."""
    return StoredIntent(
        name=str(row[0]),
        authority=str(row[1]),
        type_code=str(row[2]),
        type_version=integer(row[3]),
        bytes=blob(row[4]),
        digest=str(row[5]),
        state=IntentState(str(row[6])),
        decisions=integer(row[7]),
        create_time_us=integer(row[8]),
    )


def approval_row(approval: StoredApproval) -> Row:
    """The row of an approval that is written with the entry being made."""
    return (
        approval.intent,
        approval.officer,
        approval.decision,
        approval.approval,
        approval.nonce,
        approval.key_id,
        ENTRY_INDEX,
        approval.create_time_us,
        "seal",
    )


def approval_of(row: Row) -> StoredApproval:
    """The approval in a row."""
    return StoredApproval(
        intent=str(row[0]),
        officer=str(row[1]),
        decision=str(row[2]),
        approval=str(row[3]),
        nonce=blob(row[4]),
        key_id=str(row[5]),
        entry=integer(row[6]),
        create_time_us=integer(row[7]),
    )


def uses_write(intent: str, uses: int) -> Write:
    """The number of record seals made under an intent, the ones being made included."""
    return Write(PUT_USES, [(intent, uses, "seal")])


def unchanged_uses(intent: str, uses: int | None) -> Check:
    """That no record was sealed under the intent since `uses` was read (None: never yet)."""
    return Check(USES_OF_INTENT, (intent,), None if uses is None else (uses,))


def unchanged_intent(intent: StoredIntent) -> Check:
    """That the intent stands as it was read."""
    return Check(INTENT_STATE, (intent.name,), (intent.state.value, intent.decisions))
