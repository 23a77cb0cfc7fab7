"""Rows of a generated city as ingest would write them, page by page, into an empty database.

Certificate, version, holder, record seal with its header, data keys: disclosures are really
encrypted, a person's under a key of the person. Two things are left out. There is no log, and
random bytes stand in place of signatures: signing a million records measures P-256 and not the
database. So such a database serves measurements and nothing else.

A page is written whole or not at all, and certificate *n* has the same keys and names in every
city. So what is on file says where an interrupted load goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Final

import orjson
from sqlalchemy import bindparam, func, select

from hub.clock import now_us
from hub.proof.records.disclosure import make_disclosures
from hub.registry.store import (
    BOUND,
    CERTIFICATES,
    HOLDERS,
    INSERT_CERTIFICATE,
    INSERT_VERSION,
    CertificateRow,
    VersionRow,
    certificate_row,
)
from hub.seal.store import INSERT_SIGNATURE, PUT_HEADER
from hub.storage.aead import aead
from hub.storage.database import Database, Transaction
from hub.storage.encryption import DATA_KEYS, DataKey, Keyring
from hub.storage.statements import Row, Statement, WriteStatement, insert_into, integer, question
from tests.bench.city import CityCertificate, certificates, citizen

# The same in every process that prepares pages; the keys of nothing real.
KEYRING: Final = Keyring(*(hashlib.sha256(b"scale " + name).digest() for name in (b"1", b"2")))
AUTHORITIES: Final = 40
# As long as those of a real hub: a chain of two X.509 certificates, a payload of seven digests.
_HEADER_CHARACTERS: Final = 1_040
_PAYLOAD_BYTES: Final = 900
_SIGNATURE_BYTES: Final = 64
_SALT_BYTES: Final = 16
# Identifiers of rows begin with the time, as the hub's do; one certificate a millisecond.
_FIRST_MS: Final = 1_700_000_000_000
_LIST_PLACES: Final = 2**17
_LIST_PLACES_USED: Final = _LIST_PLACES // 2
_STRIDE: Final = 7_919
_PERMANENT: Final = "permanent"
# Types without personal fields share a key a month, as in the hub.
_SHARED_KEY: Final = "public:city"

# What a page is written by, in this order; whoever prepares pages names statements by position.
STATEMENTS: Final[tuple[WriteStatement, ...]] = (
    PUT_HEADER,
    insert_into(DATA_KEYS),
    INSERT_CERTIFICATE,
    INSERT_VERSION,
    insert_into(HOLDERS),
    INSERT_SIGNATURE,
)
# Those of the city only, whatever else was put into the database to measure with.
_COUNT: Final[Statement] = question(
    "certificates of the city",
    select(func.count())
    .select_from(CERTIFICATES)
    .where(CERTIFICATES.c.authority.between(bindparam("first"), bindparam("last"))),
    "first",
    "last",
)

Page = list[list[Row]]
"""Rows for each of STATEMENTS."""


def page(first: int, count: int) -> Page:
    """The rows of certificates `first` to `first + count`. Costs CPU alone: any process may."""
    rows: Page = [[] for _ in STATEMENTS]
    headers, keys, *rest = rows
    if first == 0:
        headers += [_header_row(number) for number in range(AUTHORITIES)]
        keys.append(_key_row(_SHARED_KEY))
    keys += [_key_row(_personal_key(number)) for number in _persons(first, count)]
    for one in certificates(count, first):
        for table, row in zip(rest, _rows(one), strict=True):
            table.append(row)
    return rows


async def write(database: Database, prepared: Page) -> None:
    """Write a page in one transaction; durable when it returns."""

    async def work(transaction: Transaction) -> None:
        for statement, rows in zip(STATEMENTS, prepared, strict=True):
            if rows:
                await transaction.write(statement, rows)

    await database.transact(work)


async def on_file(database: Database) -> int:
    """How many certificates are on file: the city's first ones."""
    row = await database.one(_COUNT, "authorities/bureau-00", "authorities/bureau-99")
    assert row is not None
    return integer(row[0])


def version_id(number: int) -> str:
    """The version of certificate `number`."""
    return _id(number, b"version")


def certificate_id(number: int) -> str:
    """The id of certificate `number`."""
    return _id(number, b"certificate")


def identifier(number: int) -> str:
    """As long as an identifier of GB/T 36904."""
    return f"1.2.156.3005.2.{_id(number, b'serial').upper()}.{number:09d}.001.X"


def _id(number: int, what: bytes) -> str:
    scattered = hashlib.sha256(b"%b %d" % (what, number)).hexdigest()
    return f"{_FIRST_MS + number:012x}{scattered[:20]}"


def _persons(first: int, count: int) -> Iterator[int]:
    """Persons whose first certificate has a place in this page: their keys come with it."""
    return iter(range(-(-first // 3), -(-(first + count) // 3)))


def _personal_key(person: int) -> str:
    return f"holder:{KEYRING.holder_index('111', citizen(person))}"


def _secret(key_id: str) -> bytes:
    """The same key for the same id, so that no page needs another one's."""
    return hashlib.sha256(b"scale data key " + key_id.encode()).digest()


def _key_row(key_id: str) -> Row:
    wrapped = KEYRING.wrap(_secret(key_id), key_id)
    return (key_id, wrapped, KEYRING.kek_id, _PERMANENT, now_us())


def _header_row(authority: int) -> Row:
    text = f"{authority:02d}".ljust(_HEADER_CHARACTERS, "x")
    return (f"header-{authority:02d}", f"key-{authority:02d}", "ES256", text, "seal")


def _rows(one: CityCertificate) -> tuple[Row, Row, Row, Row]:
    """Certificate, version, holder and signature."""
    holder = KEYRING.holder_index(one.holder_type, one.holder)
    certificate, version = certificate_id(one.number), version_id(one.number)
    number = one.certificate_number
    stored = CertificateRow(
        id=certificate,
        authority=one.authority,
        type_code=one.type_code,
        number="" if one.is_personal else number,
        number_index=KEYRING.content_digest(number) if one.is_personal else number,
        number_key_id=KEYRING.holder_key_id if one.is_personal else None,
        serial=certificate.upper(),
        current_version_id=version,
        holder_indexes=(holder,),
        holder_key_id=KEYRING.holder_key_id,
        retention_class=_PERMANENT,
    )
    place = f"{1 + one.number // _LIST_PLACES_USED}/{one.number * _STRIDE % _LIST_PLACES}"
    made = VersionRow(
        id=version,
        certificate_id=certificate,
        version=1,
        identifier=identifier(one.number),
        type_version=1,
        state="active",
        state_entry=1,
        issue_date=one.issue_date,
        valid_from=one.issue_date,
        valid_until=one.valid_until,
        content_mac=holder,
        content_key_id=KEYRING.holder_key_id,
        public_fields=b"{}" if one.is_personal else orjson.dumps(dict(one.fields)),
        disclosures=_disclosures(one, f"holder:{holder}" if one.is_personal else _SHARED_KEY),
        data_key_id=f"holder:{holder}" if one.is_personal else _SHARED_KEY,
        custody="hub-file",
        status_place=place,
        source_time_us=None,
        batch="scale",
        row_index=one.number,
        create_time_us=now_us(),
        retention_class=_PERMANENT,
    )
    return (
        certificate_row(stored),
        made,
        (holder, one.type_code, certificate, KEYRING.holder_key_id, BOUND, _PERMANENT),
        _signature_row(one, version, place),
    )


def _disclosures(one: CityCertificate, key_id: str) -> bytes:
    values = {"holder_type": one.holder_type, "holder_number": one.holder, **dict(one.fields)}
    made, _ = make_disclosures([os.urandom(_SALT_BYTES) for _ in values], values)
    key = DataKey(key_id, aead(_secret(key_id)))
    return key.seal(orjson.dumps([tuple(each) for each in made]), version_id(one.number).encode())


def _signature_row(one: CityCertificate, version: str, place: str) -> Row:
    authority = one.authority[-2:]
    number, _, position = place.partition("/")
    return (
        version,
        "ES256",
        f"key-{authority}",
        f"header-{authority}",
        os.urandom(_PAYLOAD_BYTES),
        os.urandom(_SIGNATURE_BYTES),
        int(number),
        int(position),
        _PERMANENT,
    )


def row_count(prepared: Sequence[Sequence[Row]]) -> int:
    """How many rows a page has."""
    return sum(map(len, prepared))
