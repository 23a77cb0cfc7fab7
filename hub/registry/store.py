"""Tables of the registry, the questions asked of them, and rows as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson
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
    or_,
    select,
    text,
    union_all,
)

from hub.domain.association import NamedIdentifier
from hub.domain.certificate import Custody, Grade, Origin, State, grade_of
from hub.proof.encoding import digest
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Value,
    Write,
    blob,
    given_or_any,
    insert_into,
    integer,
    put_into,
    question,
)

# How many values one look-up question takes; shorter lists repeat their last value.
LOOK_UP_VALUES: Final = 200
FOUND_MAX: Final = 20
# How many pairs of holder and type one question of a plan takes; shorter lists repeat their last.
PAIRS: Final = 32
PAIRS_FOUND_MAX: Final = 1_000

TYPES: Final = Table(
    "registry_types",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("integrity", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

CATALOGUE: Final = Table(
    "registry_catalogue",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
)

# The number of a type that organisations hold is a public fact; of any other type only its keyed
# hash is kept. `number_index` is what is searched in both cases. That a number stands once is kept
# by the turns below: PostgreSQL holds certificates in partitions by their id, across which no index
# is unique (docs/adr/0046).
CERTIFICATES: Final = Table(
    "registry_certificates",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("number_index", Text, nullable=False),
    Column("number_key_id", Text),
    Column("serial", Text, nullable=False),
    Column("current_version_id", Text, nullable=False),
    Column("holder_indexes", LargeBinary, nullable=False),
    Column("holder_key_id", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_certificates_by_number", "number_index", "authority", "type_code"),
    Index("registry_certificates_of_authority", "authority", "id"),
    Index("registry_certificates_of_type", "type_code", "id"),
    sqlite_with_rowid=False,
    postgresql_partition_by="HASH (id)",
)

# In these states the end of validity changes the state; what has ended otherwise stays as it ended.
_LIVE: Final = (State.ACTIVE.value, State.SUSPENDED.value)
_IS_ENDING: Final = text(f"state IN ('{_LIVE[0]}', '{_LIVE[1]}') AND valid_until <> ''")
VERSIONS: Final = Table(
    "registry_versions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("certificate_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("identifier", Text, nullable=False, unique=True),
    Column("type_version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_entry", BigInteger, nullable=False),
    Column("issue_date", Text, nullable=False),
    Column("valid_from", Text, nullable=False),
    Column("valid_until", Text, nullable=False),
    Column("content_mac", Text, nullable=False),
    Column("content_key_id", Text, nullable=False),
    Column("public_fields", LargeBinary, nullable=False),
    Column("disclosures", LargeBinary, nullable=False),
    Column("data_key_id", Text, nullable=False),
    Column("custody", Text, nullable=False),
    Column("status_place", Text, nullable=False),
    Column("source_time_us", BigInteger),
    Column("batch", Text, nullable=False),
    Column("row_index", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    Index("registry_versions_of_certificate", "certificate_id", "version", unique=True),
    # Whose validity ends when: for whoever announces it.
    Index(
        "registry_versions_ending",
        "valid_until",
        "id",
        sqlite_where=_IS_ENDING,
        postgresql_where=_IS_ENDING,
    ),
)
# What the index above holds; literals, so that both engines see that it answers.
ENDING: Final = and_(
    VERSIONS.c.state.in_([literal_column(f"'{state}'") for state in _LIVE]),
    VERSIONS.c.valid_until != literal_column("''"),
)

HOLDERS: Final = Table(
    "registry_holders",
    METADATA,
    Column("holder_index", Text, primary_key=True),
    Column("type_code", Text, primary_key=True),
    Column("certificate_id", Text, primary_key=True),
    Column("holder_key_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Under which identifiers others are seen as well: what follows from all links of holders together,
# kept so that a look-up follows them within its one question.
REACH: Final = Table(
    "registry_reach",
    METADATA,
    Column("holder_index", Text, primary_key=True),
    Column("reached_index", Text, primary_key=True),
    Column("holder_key_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What the authority's own system said of a certificate since its newest version was stored.
CONFIRMATIONS: Final = Table(
    "registry_confirmations",
    METADATA,
    Column("certificate_id", Text, primary_key=True),
    Column("is_gone", BigInteger, nullable=False),
    Column("confirm_time_us", BigInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What is objected to now, for whoever reads a certificate: the fields of all its open objections.
ANNOTATIONS: Final = Table(
    "registry_annotations",
    METADATA,
    Column("certificate_id", Text, primary_key=True),
    Column("fields", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What was made from scanned paper, who compared both, and the digest of what was signed for it. The
# attestation itself stays with the department's row: it names the row by a digest without a salt,
# from which a person's number could be guessed.
SCANS: Final = Table(
    "registry_scans",
    METADATA,
    Column("version_id", Text, primary_key=True),
    Column("officer", Text, nullable=False),
    Column("attestation", Text, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

BATCHES: Final = Table(
    "registry_batches",
    METADATA,
    Column("iss", Text, primary_key=True),
    Column("connector", Text, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("chain_digest", Text, nullable=False),
    Column("root_jws", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("results", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

# Every write to the certificates of an authority and type replaces this row, so one check covers
# all of them, those included that are not on file yet.
TURNS: Final = Table(
    "registry_turns",
    METADATA,
    Column("authority", Text, primary_key=True),
    Column("type_code", Text, primary_key=True),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

INSERT_TYPE: Final = insert_into(TYPES)
PUT_CATALOGUE: Final = put_into(CATALOGUE)
INSERT_CERTIFICATE: Final = insert_into(CERTIFICATES)
PUT_CERTIFICATE: Final = put_into(CERTIFICATES)
INSERT_VERSION: Final = insert_into(VERSIONS)
PUT_VERSION: Final = put_into(VERSIONS)
PUT_HOLDER: Final = put_into(HOLDERS)
PUT_REACH: Final = put_into(REACH)
INSERT_SCAN: Final = insert_into(SCANS)
INSERT_BATCH: Final = insert_into(BATCHES)
PUT_TURN: Final = put_into(TURNS)

BOUND: Final = "bound"
# By a later decision of its authority: the seal does not name this holder.
ATTACHED: Final = "attached"
RELEASED: Final = "released"
_IS_BOUND: Final = HOLDERS.c.state != literal_column(f"'{RELEASED}'")

_CERTIFICATE_COLUMNS: Final = tuple(CERTIFICATES.columns)
_VERSION_COLUMNS: Final = tuple(VERSIONS.columns)
_WIDTH: Final = len(_CERTIFICATE_COLUMNS)
_CURRENT: Final = CERTIFICATES.join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id)
_OWNED: Final = VERSIONS.join(CERTIFICATES, CERTIFICATES.c.id == VERSIONS.c.certificate_id)
_CONFIRMED: Final = CONFIRMATIONS.c.certificate_id == CERTIFICATES.c.id
_ANNOTATED: Final = ANNOTATIONS.c.certificate_id == CERTIFICATES.c.id
_SCANNED: Final = SCANS.c.version_id == VERSIONS.c.id
SHOWN: Final = (
    _CURRENT.outerjoin(CONFIRMATIONS, _CONFIRMED)
    .outerjoin(ANNOTATIONS, _ANNOTATED)
    .outerjoin(SCANS, _SCANNED)
)
_SHOWN_VERSIONS: Final = (
    _OWNED.outerjoin(CONFIRMATIONS, _CONFIRMED)
    .outerjoin(ANNOTATIONS, _ANNOTATED)
    .outerjoin(SCANS, _SCANNED)
)
LOOK_UP: Final = tuple(f"value{index}" for index in range(LOOK_UP_VALUES))

# The identifier that is asked for and those that are seen under it, for whoever looks by holder. A
# list of so few values is joined by index; `OR` would not be.
_ASKED: Final = select(bindparam("holder_index", type_=Text).label("holder_index")).cte("asked")
_IDENTIFIERS: Final = union_all(
    select(_ASKED.c.holder_index),
    select(REACH.c.reached_index)
    .select_from(_ASKED.join(REACH, REACH.c.holder_index == _ASKED.c.holder_index))
    .where(REACH.c.state == literal_column(f"'{BOUND}'")),
)
# A certificate that names two of them is held once.
HELD: Final = (
    select(HOLDERS.c.certificate_id)
    .where(HOLDERS.c.holder_index.in_(_IDENTIFIERS), _IS_BOUND)
    .distinct()
    .subquery("held")
)

ALL_TYPES: Final = question(
    "all certificate types",
    select(
        TYPES.c.code,
        TYPES.c.version,
        TYPES.c.metadata,
        TYPES.c.integrity,
        TYPES.c.create_time_us,
    ).order_by(TYPES.c.code, TYPES.c.version),
)
CATALOGUE_VERSION: Final = question(
    "version of the catalogue",
    select(CATALOGUE.c.version).where(CATALOGUE.c.id == bindparam("id", type_=BigInteger)),
    "id",
)
ON_FILE: Final = question(
    "certificates by number, with their newest version",
    select(*_CERTIFICATE_COLUMNS, *_VERSION_COLUMNS)
    .select_from(_CURRENT)
    .where(
        CERTIFICATES.c.authority == bindparam("authority"),
        CERTIFICATES.c.type_code == bindparam("type_code"),
        CERTIFICATES.c.number_index.in_([bindparam(name) for name in LOOK_UP]),
    ),
    "authority",
    "type_code",
    *LOOK_UP,
)
IDENTIFIERS: Final = question(
    "identifiers in use",
    select(VERSIONS.c.identifier).where(
        VERSIONS.c.identifier.in_([bindparam(name) for name in LOOK_UP])
    ),
    *LOOK_UP,
)
LAST_BATCH: Final = question(
    "last batch of a chain",
    select(BATCHES.c.seq, BATCHES.c.chain_digest)
    .where(
        BATCHES.c.iss == bindparam("iss"),
        BATCHES.c.connector == bindparam("connector"),
        BATCHES.c.purpose == bindparam("purpose"),
    )
    .order_by(BATCHES.c.seq.desc())
    .limit(literal_column("1")),
    "iss",
    "connector",
    "purpose",
)
BATCH: Final = question(
    "one batch of a chain",
    select(BATCHES.c.chain_digest, BATCHES.c.results, BATCHES.c.entry).where(
        BATCHES.c.iss == bindparam("iss"),
        BATCHES.c.connector == bindparam("connector"),
        BATCHES.c.purpose == bindparam("purpose"),
        BATCHES.c.seq == bindparam("seq", type_=BigInteger),
    ),
    "iss",
    "connector",
    "purpose",
    "seq",
)
TURN: Final = question(
    "last change of an authority's certificates of a type",
    select(TURNS.c.entry).where(
        TURNS.c.authority == bindparam("authority"), TURNS.c.type_code == bindparam("type_code")
    ),
    "authority",
    "type_code",
)
REACHED_STATE: Final = question(
    "state of a version, while a holder's look-up reaches it",
    select(VERSIONS.c.state, VERSIONS.c.state_entry).where(
        VERSIONS.c.certificate_id.in_(select(HELD.c.certificate_id)),
        VERSIONS.c.id == bindparam("id"),
    ),
    "holder_index",
    "id",
)
ISSUED: Final = question(
    "which authority has issued certificates of which type",
    select(TURNS.c.type_code, TURNS.c.authority).where(TURNS.c.type_code != literal_column("''")),
)
HOLDING: Final = question(
    "how a holder holds a certificate",
    select(HOLDERS.c.state).where(
        HOLDERS.c.holder_index == bindparam("holder_index"),
        HOLDERS.c.type_code == bindparam("type_code"),
        HOLDERS.c.certificate_id == bindparam("certificate_id"),
    ),
    "holder_index",
    "type_code",
    "certificate_id",
)
VERSION_STATE: Final = question(
    "state of a version",
    select(VERSIONS.c.state, VERSIONS.c.state_entry).where(VERSIONS.c.id == bindparam("id")),
    "id",
)
TRUST: Final = question(
    "custody of a version's seal, and who attests to it where it is a scan",
    select(VERSIONS.c.custody, SCANS.c.officer)
    .select_from(VERSIONS.outerjoin(SCANS, _SCANNED))
    .where(VERSIONS.c.id == bindparam("id")),
    "id",
)

# What a disclosure reads: one indexed question per certificate, columns in the order of
# `StoredVersion`.
_FOUND_COLUMNS: Final = (
    VERSIONS.c.id,
    VERSIONS.c.identifier,
    VERSIONS.c.version,
    CERTIFICATES.c.authority,
    CERTIFICATES.c.type_code,
    VERSIONS.c.state,
    VERSIONS.c.state_entry,
    VERSIONS.c.valid_from,
    VERSIONS.c.valid_until,
    VERSIONS.c.disclosures,
    VERSIONS.c.data_key_id,
    ANNOTATIONS.c.fields,
)
FOUND_BY_IDENTIFIER: Final = question(
    "a version to disclose, by identifier",
    select(*_FOUND_COLUMNS)
    .select_from(_OWNED.outerjoin(ANNOTATIONS, _ANNOTATED))
    .where(VERSIONS.c.identifier == bindparam("identifier")),
    "identifier",
)
FOUND_BY_HOLDER: Final = question(
    "versions to disclose, by holder and type, and how each is held",
    select(*_FOUND_COLUMNS, HOLDERS.c.holder_index, HOLDERS.c.state)
    .select_from(
        HOLDERS.join(CERTIFICATES, CERTIFICATES.c.id == HOLDERS.c.certificate_id)
        .join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id)
        .outerjoin(ANNOTATIONS, _ANNOTATED)
    )
    .where(
        HOLDERS.c.holder_index.in_(_IDENTIFIERS),
        HOLDERS.c.type_code == bindparam("type_code"),
        _IS_BOUND,
    )
    .order_by(VERSIONS.c.issue_date.desc(), VERSIONS.c.id)
    .limit(literal_column(str(FOUND_MAX))),
    "holder_index",
    "type_code",
)
REACHED_BY: Final = question(
    "the identifiers that are seen under several holders",
    select(REACH.c.holder_index, REACH.c.reached_index)
    .where(
        REACH.c.holder_index.in_([bindparam(f"holder{index}") for index in range(PAIRS)]),
        REACH.c.state == literal_column(f"'{BOUND}'"),
    )
    .order_by(REACH.c.holder_index, REACH.c.reached_index),
    *[f"holder{index}" for index in range(PAIRS)],
)
# What a plan looks at: the newest versions of many pairs of holder and type in one question.
_PAIRS: Final = tuple([(f"holder{index}", f"type{index}") for index in range(PAIRS)])
ON_FILE_FOR_PLAN: Final = question(
    "newest versions for pairs of holder and type",
    select(
        HOLDERS.c.holder_index,
        VERSIONS.c.id,
        VERSIONS.c.identifier,
        VERSIONS.c.version,
        HOLDERS.c.type_code,
        CERTIFICATES.c.authority,
        VERSIONS.c.state,
        VERSIONS.c.state_entry,
        VERSIONS.c.issue_date,
        VERSIONS.c.valid_from,
        VERSIONS.c.valid_until,
        VERSIONS.c.custody,
        VERSIONS.c.create_time_us,
        VERSIONS.c.public_fields,
        VERSIONS.c.disclosures,
        VERSIONS.c.data_key_id,
        CONFIRMATIONS.c.is_gone,
        CONFIRMATIONS.c.confirm_time_us,
        CONFIRMATIONS.c.time_us,
        ANNOTATIONS.c.fields,
        SCANS.c.officer,
        HOLDERS.c.state,
    )
    .select_from(
        HOLDERS.join(CERTIFICATES, CERTIFICATES.c.id == HOLDERS.c.certificate_id)
        .join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id)
        .outerjoin(CONFIRMATIONS, _CONFIRMED)
        .outerjoin(ANNOTATIONS, _ANNOTATED)
        .outerjoin(SCANS, _SCANNED)
    )
    .where(
        or_(
            *[
                and_(
                    HOLDERS.c.holder_index == bindparam(holder),
                    HOLDERS.c.type_code == bindparam(type_code),
                )
                for holder, type_code in _PAIRS
            ]
        ),
        _IS_BOUND,
    )
    .order_by(VERSIONS.c.issue_date.desc(), VERSIONS.c.id)
    .limit(literal_column(str(PAIRS_FOUND_MAX))),
    *[name for pair in _PAIRS for name in pair],
)

# Columns that people may see, in the order of `certificate_view`.
VIEW_COLUMNS: Final = (
    CERTIFICATES.c.id,
    CERTIFICATES.c.authority,
    CERTIFICATES.c.type_code,
    CERTIFICATES.c.number,
    VERSIONS.c.identifier,
    VERSIONS.c.version,
    VERSIONS.c.type_version,
    VERSIONS.c.state,
    VERSIONS.c.state_entry,
    VERSIONS.c.issue_date,
    VERSIONS.c.valid_from,
    VERSIONS.c.valid_until,
    VERSIONS.c.custody,
    VERSIONS.c.public_fields,
    VERSIONS.c.create_time_us,
    CONFIRMATIONS.c.is_gone,
    CONFIRMATIONS.c.confirm_time_us,
    CONFIRMATIONS.c.time_us,
    VERSIONS.c.id,
    ANNOTATIONS.c.fields,
    SCANS.c.officer,
    CERTIFICATES.c.holder_indexes,
)
_ROWS: Final = bindparam("rows", type_=BigInteger)
CERTIFICATE_BY_NAME: Final = question(
    "a certificate in its newest version",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.id == bindparam("id"), CERTIFICATES.c.authority == bindparam("authority")
    ),
    "id",
    "authority",
)
VERSIONS_PAGE: Final = question(
    "a page of a certificate's versions, newest first",
    select(*VIEW_COLUMNS)
    .select_from(_SHOWN_VERSIONS)
    .where(
        CERTIFICATES.c.id == bindparam("id"),
        CERTIFICATES.c.authority == bindparam("authority"),
        VERSIONS.c.version < bindparam("before", type_=BigInteger),
    )
    .order_by(VERSIONS.c.version.desc())
    .limit(_ROWS),
    "id",
    "authority",
    "before",
    "rows",
)
# Whose certificates are not the caller's are left out here, not afterwards: to read and drop them
# takes time, and pages of nothing with a next page tell of them, too.
OF_AUTHORITY: Final = given_or_any("authority", CERTIFICATES.c.authority)
VIEW_BY_IDENTIFIER: Final = question(
    "a certificate by any of its identifiers; of one authority unless that is empty",
    select(*VIEW_COLUMNS)
    .select_from(_SHOWN_VERSIONS)
    .where(VERSIONS.c.identifier == bindparam("identifier"), OF_AUTHORITY),
    "identifier",
    "authority",
)
SEARCH_BY_HOLDER: Final = question(
    "a page of a holder's certificates; of one authority unless that is empty",
    select(*VIEW_COLUMNS)
    .select_from(
        HELD.join(CERTIFICATES, CERTIFICATES.c.id == HELD.c.certificate_id)
        .join(VERSIONS, VERSIONS.c.id == CERTIFICATES.c.current_version_id)
        .outerjoin(CONFIRMATIONS, _CONFIRMED)
        .outerjoin(ANNOTATIONS, _ANNOTATED)
        .outerjoin(SCANS, _SCANNED)
    )
    .where(
        OF_AUTHORITY,
        CERTIFICATES.c.id > bindparam("after"),
    )
    .order_by(CERTIFICATES.c.id)
    .limit(_ROWS),
    "holder_index",
    "authority",
    "after",
    "rows",
)
SEARCH_BY_NUMBER: Final = question(
    "a page of certificates with one of two number indexes; of one authority unless that is empty",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.number_index.in_([bindparam("number"), bindparam("keyed")]),
        OF_AUTHORITY,
        CERTIFICATES.c.id > bindparam("after"),
    )
    .order_by(CERTIFICATES.c.id)
    .limit(_ROWS),
    "number",
    "keyed",
    "authority",
    "after",
    "rows",
)
SEARCH_BY_AUTHORITY: Final = question(
    "a page of an authority's certificates",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.authority == bindparam("authority"), CERTIFICATES.c.id > bindparam("after")
    )
    .order_by(CERTIFICATES.c.id)
    .limit(_ROWS),
    "authority",
    "after",
    "rows",
)
SEARCH_BY_TYPE: Final = question(
    "a page of a type's certificates",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.type_code == bindparam("type_code"), CERTIFICATES.c.id > bindparam("after")
    )
    .order_by(CERTIFICATES.c.id)
    .limit(_ROWS),
    "type_code",
    "after",
    "rows",
)
SEARCH_BY_AUTHORITY_AND_TYPE: Final = question(
    "a page of an authority's certificates of a type",
    select(*VIEW_COLUMNS)
    .select_from(SHOWN)
    .where(
        CERTIFICATES.c.authority == bindparam("authority"),
        CERTIFICATES.c.type_code == bindparam("type_code"),
        CERTIFICATES.c.id > bindparam("after"),
    )
    .order_by(CERTIFICATES.c.id)
    .limit(_ROWS),
    "authority",
    "type_code",
    "after",
    "rows",
)


class CertificateRow(NamedTuple):
    """A certificate: what stays the same from version to version, and which version is newest."""

    id: str
    authority: str
    type_code: str
    number: str
    number_index: str
    number_key_id: str | None
    serial: str
    current_version_id: str
    holder_indexes: tuple[str, ...]
    holder_key_id: str
    retention_class: str


class VersionRow(NamedTuple):
    """One version, as the row that is stored: made by the thousand, it is nothing but its columns.

    `state` and `custody` are values of their enums. `disclosures` are encrypted under
    `data_key_id`; empty dates mean no bound.
    """

    id: str
    certificate_id: str
    version: int
    identifier: str
    type_version: int
    state: str
    state_entry: int
    issue_date: str
    valid_from: str
    valid_until: str
    content_mac: str
    content_key_id: str
    public_fields: bytes
    disclosures: bytes
    data_key_id: str
    custody: str
    status_place: str
    source_time_us: int | None
    batch: str
    row_index: int
    create_time_us: int
    retention_class: str


@dataclass(frozen=True, slots=True)
class Presence:
    """What an authority's own system says of a certificate: whether it does not list it any more,
    and when it was last confirmed, by a version or by a word."""

    is_gone: bool
    confirm_time_us: int


@dataclass(frozen=True, slots=True)
class CertificateView:
    """What people may see of one version; no personal field, no holder."""

    id: str
    authority: str
    type_code: str
    number: str
    identifier: str
    version: int
    type_version: int
    state: State
    state_entry: int
    issue_date: str
    valid_from: str
    valid_until: str
    custody: Custody
    public_fields: bytes
    create_time_us: int
    presence: Presence
    version_id: str
    objected: tuple[str, ...]
    # Who attests to a scan (`systems/{system}`); "" for what is none.
    converted_by: str
    holder_count: int
    # What else the version names; read where somebody is shown it.
    named: tuple[NamedIdentifier, ...] = ()

    @property
    def origin(self) -> Origin:
        """What it was made from."""
        return Origin.SCAN if self.converted_by else Origin.SYSTEM


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch answered before."""

    chain_digest: str
    results: bytes
    entry: int


def certificate_row(certificate: CertificateRow) -> Row:
    """The row of a certificate."""
    return (
        certificate.id,
        certificate.authority,
        certificate.type_code,
        certificate.number,
        certificate.number_index,
        certificate.number_key_id,
        certificate.serial,
        certificate.current_version_id,
        orjson.dumps(certificate.holder_indexes),
        certificate.holder_key_id,
        certificate.retention_class,
    )


def on_file_of(row: Row) -> tuple[CertificateRow, VersionRow]:
    """Certificate and newest version in a row of `ON_FILE`."""
    return _certificate_of(row[:_WIDTH]), VersionRow._make(row[_WIDTH:])


def view_of(row: Row) -> CertificateView:
    """What people may see, from a row of the viewing questions."""
    return CertificateView(
        id=str(row[0]),
        authority=str(row[1]),
        type_code=str(row[2]),
        number=str(row[3]),
        identifier=str(row[4]),
        version=integer(row[5]),
        type_version=integer(row[6]),
        state=State(str(row[7])),
        state_entry=integer(row[8]),
        issue_date=str(row[9]),
        valid_from=str(row[10]),
        valid_until=str(row[11]),
        custody=Custody(str(row[12])),
        public_fields=blob(row[13]),
        create_time_us=integer(row[14]),
        presence=presence_of(integer(row[14]), row[15:18]),
        version_id=str(row[18]),
        objected=objected_of(row[19]),
        converted_by="" if row[20] is None else str(row[20]),
        holder_count=len(orjson.loads(blob(row[21]))),
    )


def objected_of(fields: Value) -> tuple[str, ...]:
    """The fields of an annotation; none where there never was one."""
    return () if fields is None else tuple(orjson.loads(blob(fields)))


def trust_of(custody: Value, officer: Value) -> tuple[Grade, Origin]:
    """How far a version can be trusted, and what it was made from; nobody attests to what is no
    scan."""
    origin = Origin.SYSTEM if officer is None else Origin.SCAN
    return grade_of(Custody(str(custody)), origin), origin


def presence_of(create_time_us: int, confirmation: Row) -> Presence:
    """What the authority says of a version that was stored at `create_time_us`; `confirmation` are
    `is_gone`, `confirm_time_us` and `time_us` of `CONFIRMATIONS`, all None where it said nothing.

    A version that came after the last confirmation is itself the newest word.
    """
    is_gone, confirm_time_us, time_us = (integer(value or 0) for value in confirmation)
    return Presence(
        is_gone=bool(is_gone) and time_us > create_time_us,
        confirm_time_us=max(create_time_us, confirm_time_us),
    )


def etag_of(identifier: str, state_entry: int) -> str:
    """What changes with each version and state of a certificate."""
    return digest(f"{identifier} {state_entry}")[:22]


def batch_of(row: Row) -> StoredBatch:
    """A batch answered before."""
    return StoredBatch(str(row[0]), blob(row[1]), integer(row[2]))


def look_up(values: Sequence[str]) -> list[tuple[str, ...]]:
    """`values` in portions of exactly LOOK_UP_VALUES; the last is filled up with its last value."""
    portions = []
    for start in range(0, len(values), LOOK_UP_VALUES):
        portion = tuple(values[start : start + LOOK_UP_VALUES])
        portions.append(portion + (portion[-1],) * (LOOK_UP_VALUES - len(portion)))
    return portions


def put_turn(authority: str, type_code: str) -> Write:
    """That this entry changed the authority's certificates of the type."""
    return Write(PUT_TURN, [(authority, type_code, ENTRY_INDEX, "registry")])


def unchanged_turn(authority: str, type_code: str, turn: Row | None) -> Check:
    """That nothing changed the authority's certificates of the type since `turn` was read."""
    return Check(TURN, (authority, type_code), turn)


def put_catalogue(version: int) -> Write:
    """The catalogue's next version."""
    return Write(PUT_CATALOGUE, [(1, version)])


def unchanged_catalogue(version: int) -> Check:
    """That the catalogue is the one that was loaded; version 0 is an empty one."""
    return Check(CATALOGUE_VERSION, (1,), (version,) if version else None)


def _certificate_of(row: Row) -> CertificateRow:
    return CertificateRow(
        id=str(row[0]),
        authority=str(row[1]),
        type_code=str(row[2]),
        number=str(row[3]),
        number_index=str(row[4]),
        number_key_id=None if row[5] is None else str(row[5]),
        serial=str(row[6]),
        current_version_id=str(row[7]),
        holder_indexes=tuple(orjson.loads(blob(row[8]))),
        holder_key_id=str(row[9]),
        retention_class=str(row[10]),
    )
