"""Tables of access, the questions put to them, and how a row reads.

`access_enrolments` is the history of all keys: rows are added, ended, never removed, so that a
signature made years ago still finds its key and the proof that its owner held it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, select

from hub.access.identity import Authority, DatedName, Officer, System, SystemState
from hub.domain.caller import Role
from hub.proof.encoding import Json, emit_json, parse_json
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Value,
    Write,
    WriteStatement,
    blob,
    insert_into,
    integer,
    put_into,
    question,
    text,
    with_entry_index,
)

RETENTION_CLASS: Final = "evidence"

AUTHORITIES: Final = Table(
    "access_authorities",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("uscc", Text, nullable=False),
    Column("names", LargeBinary, nullable=False),
    Column("region", Text, nullable=False),
    Column("level", BigInteger, nullable=False),
    Column("successors", LargeBinary, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

SYSTEMS: Final = Table(
    "access_systems",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("x509_thumbprint", Text, nullable=False),
    Column("x509_expire_time_us", BigInteger, nullable=False),
    Column("signing_key_id", Text, nullable=False),
    Column("enrolment_entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("revoke_time_us", BigInteger),
    Column("retention_class", Text, nullable=False),
)

OFFICERS: Final = Table(
    "access_officers",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("x509_thumbprint", Text, nullable=False),
    Column("x509_expire_time_us", BigInteger, nullable=False),
    Column("approval_key_id", Text, nullable=False),
    Column("enrolment_entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

ENROLMENTS: Final = Table(
    "access_enrolments",
    METADATA,
    Column("x509_thumbprint", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("x509_certificate", LargeBinary, nullable=False),
    Column("x509_request", LargeBinary, nullable=False),
    Column("x509_key_id", Text, nullable=False),
    Column("signing_request", LargeBinary, nullable=False),
    Column("signing_key_id", Text, nullable=False),
    Column("signing_jwk", LargeBinary, nullable=False),
    Column("signing_use", Text, nullable=False),
    Column("enrolment_entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("end_entry", BigInteger),
    Column("end_time_us", BigInteger),
    Column("retention_class", Text, nullable=False),
)

VERSION: Final = Table(
    "access_version",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

VERSION_NOW: Final = question(
    "access.version", select(VERSION.c.version).where(VERSION.c.id == bindparam("id")), "id"
)
ALL_AUTHORITIES: Final = question(
    "access.authorities", select(*AUTHORITIES.c).order_by(AUTHORITIES.c.name)
)
ALL_SYSTEMS: Final = question("access.systems", select(*SYSTEMS.c).order_by(SYSTEMS.c.name))
ALL_OFFICERS: Final = question("access.officers", select(*OFFICERS.c).order_by(OFFICERS.c.name))
ALL_KEYS: Final = question(
    "access.keys",
    select(
        ENROLMENTS.c.x509_thumbprint,
        ENROLMENTS.c.owner,
        ENROLMENTS.c.x509_key_id,
        ENROLMENTS.c.signing_key_id,
        ENROLMENTS.c.signing_jwk,
        ENROLMENTS.c.signing_use,
        ENROLMENTS.c.end_time_us,
    ).order_by(ENROLMENTS.c.x509_thumbprint),
)
ENROLMENT_BY_THUMBPRINT: Final = question(
    "access.enrolment",
    select(*ENROLMENTS.c).where(ENROLMENTS.c.x509_thumbprint == bindparam("x509_thumbprint")),
    "x509_thumbprint",
)

_INSERT_AUTHORITY: Final = insert_into(AUTHORITIES)
_PUT_AUTHORITY: Final = put_into(AUTHORITIES)
_INSERT_SYSTEM: Final = insert_into(SYSTEMS)
_PUT_SYSTEM: Final = put_into(SYSTEMS)
_INSERT_OFFICER: Final = insert_into(OFFICERS)
_PUT_OFFICER: Final = put_into(OFFICERS)
_INSERT_ENROLMENT: Final = insert_into(ENROLMENTS)
_PUT_ENROLMENT: Final = put_into(ENROLMENTS)
_PUT_VERSION: Final = put_into(VERSION)

_VERSION_ID: Final = 1


@dataclass(frozen=True, slots=True)
class EnrolledKeys:
    """What one enrolment brought: both keys with their proofs. DER as received.

    The `signing_…` members are empty where the owner signs nothing.
    """

    x509_thumbprint: str
    owner: str
    x509_certificate: bytes
    x509_request: bytes
    x509_key_id: str
    signing_request: bytes
    signing_key_id: str
    signing_jwk: bytes
    signing_use: str
    create_time_us: int


@dataclass(frozen=True, slots=True)
class KeyLine:
    """What judging a call needs of one enrolment."""

    x509_thumbprint: str
    owner: str
    x509_key_id: str
    signing_key_id: str
    signing_jwk: bytes
    signing_use: str
    end_time_us: int | None


# -- Version ---------------------------------------------------------------------------------------


def version_question() -> tuple[Value, ...]:
    """The arguments of `VERSION_NOW`."""
    return (_VERSION_ID,)


def version_of(row: Row | None) -> int:
    """The version that `VERSION_NOW` answered; 0 before the first write."""
    return 0 if row is None else integer(row[0])


def version_check(version: int) -> Check:
    """What access knew at `version` is still all there is to know."""
    expected: Row | None = (version,) if version else None
    return Check(VERSION_NOW, version_question(), expected)


def next_version(version: int) -> Write:
    """Ends `version`."""
    return Write(_PUT_VERSION, [(_VERSION_ID, version + 1)])


# -- Rows ------------------------------------------------------------------------------------------


def insert_authority(authority: Authority) -> Write:
    return Write(_INSERT_AUTHORITY, [_authority_row(authority)])


def put_authority(authority: Authority) -> Write:
    return Write(_PUT_AUTHORITY, [_authority_row(authority)])


def insert_system(system: System) -> Write:
    return Write(_INSERT_SYSTEM, [_system_row(system)])


def put_system(system: System) -> Write:
    return Write(_PUT_SYSTEM, [_system_row(system)])


def insert_officer(officer: Officer) -> Write:
    return Write(_INSERT_OFFICER, [_officer_row(officer)])


def put_officer(officer: Officer) -> Write:
    return Write(_PUT_OFFICER, [_officer_row(officer)])


def insert_enrolment(keys: EnrolledKeys) -> Write:
    """A new enrolment, under the entry that it is written with."""
    row = (
        keys.x509_thumbprint,
        keys.owner,
        keys.x509_certificate,
        keys.x509_request,
        keys.x509_key_id,
        keys.signing_request,
        keys.signing_key_id,
        keys.signing_jwk,
        keys.signing_use,
        ENTRY_INDEX,
        keys.create_time_us,
        None,
        None,
        RETENTION_CLASS,
    )
    return Write(_INSERT_ENROLMENT, [row])


def end_enrolment(row: Row, time_us: int) -> Write:
    """The stored enrolment `row`, ended by the entry that this is written with."""
    return Write(_PUT_ENROLMENT, [(*row[:-3], ENTRY_INDEX, time_us, row[-1])])


def authority_of(row: Row) -> Authority:
    names = cast("list[dict[str, str]]", parse_json(blob(row[2])))
    successors = cast("list[str | dict[str, list[str] | str]]", parse_json(blob(row[5])))
    return Authority(
        name=text(row[0]),
        uscc=text(row[1]),
        names=tuple([DatedName(**name) for name in names]),
        region=text(row[3]),
        level=integer(row[4]),
        successors=tuple(
            [one if isinstance(one, str) else str(one["authority"]) for one in successors]
        ),
        generation=integer(row[6]),
        create_time_us=integer(row[7]),
        entrusted=tuple(
            [
                (code, str(one["authority"]))
                for one in successors
                if not isinstance(one, str)
                for code in one["types"]
            ]
        ),
    )


def system_of(row: Row) -> System:
    return System(
        name=text(row[0]),
        authority=text(row[1]),
        role=Role(text(row[2])),
        title=text(row[3]),
        state=SystemState(text(row[4])),
        x509_thumbprint=text(row[5]),
        x509_expire_time_us=integer(row[6]),
        signing_key_id=text(row[7]),
        enrolment_entry=integer(row[8]),
        create_time_us=integer(row[9]),
        revoke_time_us=None if row[10] is None else integer(row[10]),
    )


def officer_of(row: Row) -> Officer:
    return Officer(
        name=text(row[0]),
        x509_thumbprint=text(row[1]),
        x509_expire_time_us=integer(row[2]),
        approval_key_id=text(row[3]),
        enrolment_entry=integer(row[4]),
        create_time_us=integer(row[5]),
    )


def key_line_of(row: Row) -> KeyLine:
    return KeyLine(
        x509_thumbprint=text(row[0]),
        owner=text(row[1]),
        x509_key_id=text(row[2]),
        signing_key_id=text(row[3]),
        signing_jwk=blob(row[4]),
        signing_use=text(row[5]),
        end_time_us=None if row[6] is None else integer(row[6]),
    )


# -- Answers ---------------------------------------------------------------------------------------


def answer_of(write: Write) -> bytes:
    """The one row of `write`, to be remembered as the answer of a call."""
    (row,) = write.rows
    return emit_json([value.decode() if isinstance(value, bytes) else value for value in row])


def authority_answered(answer: bytes, entry: int) -> Authority:
    """The authority that `answer_of` remembered, as it was written with `entry`."""
    return authority_of(_answered(_PUT_AUTHORITY, answer, entry))


def system_answered(answer: bytes, entry: int) -> System:
    """The system that `answer_of` remembered, as it was written with `entry`."""
    return system_of(_answered(_PUT_SYSTEM, answer, entry))


def officer_answered(answer: bytes, entry: int) -> Officer:
    """The officer that `answer_of` remembered, as it was written with `entry`."""
    return officer_of(_answered(_INSERT_OFFICER, answer, entry))


def _answered(statement: WriteStatement, answer: bytes, entry: int) -> Row:
    values = cast("list[str | int | None]", parse_json(answer))
    row = [
        value.encode() if kind == "bytes" and isinstance(value, str) else value
        for value, kind in zip(values, statement.kinds, strict=True)
    ]
    return with_entry_index([tuple(row)], entry)[0]


def _authority_row(authority: Authority) -> Row:
    names = [
        {
            "title": name.title,
            "title_en": name.title_en,
            "from_date": name.from_date,
            "to_date": name.to_date,
        }
        for name in authority.names
    ]
    return (
        authority.name,
        authority.uscc,
        emit_json([{**name} for name in names]),
        authority.region,
        authority.level,
        emit_json(_successors(authority)),
        authority.generation,
        authority.create_time_us,
        RETENTION_CLASS,
    )


def _successors(authority: Authority) -> list[Json]:
    """Names; with the types of each where the hub itself passed them on."""
    if not authority.entrusted:
        return [*authority.successors]
    return [
        {"authority": name, "types": [code for code, to in authority.entrusted if to == name]}
        for name in authority.successors
    ]


def _system_row(system: System) -> Row:
    return (
        system.name,
        system.authority,
        system.role.value,
        system.title,
        system.state.value,
        system.x509_thumbprint,
        system.x509_expire_time_us,
        system.signing_key_id,
        system.enrolment_entry,
        system.create_time_us,
        system.revoke_time_us,
        RETENTION_CLASS,
    )


def _officer_row(officer: Officer) -> Row:
    return (
        officer.name,
        officer.x509_thumbprint,
        officer.x509_expire_time_us,
        officer.approval_key_id,
        officer.enrolment_entry,
        officer.create_time_us,
        RETENTION_CLASS,
    )
