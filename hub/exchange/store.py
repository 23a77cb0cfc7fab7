"""Tables and statements of exchange; rows in, grants out. Decides nothing."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, bindparam, select

from hub.exchange.grants import Grant
from hub.storage.schema import METADATA
from hub.storage.statements import (
    Check,
    Row,
    Value,
    Write,
    blob,
    integer,
    put_into,
    question,
)

RETENTION_CLASS: Final = "evidence"

GRANTS: Final = Table(
    "exchange_grants",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("service_items", LargeBinary, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("expire_us", BigInteger, nullable=False),
    Column("consent_required", BigInteger, nullable=False),
    Column("calls_per_day_max", BigInteger, nullable=False),
    Column("create_entry", BigInteger, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("revoke_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

VERSION: Final = Table(
    "exchange_version",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

ALL_GRANTS: Final = question("exchange.all_grants", select(GRANTS).order_by(GRANTS.c.id))
THE_VERSION: Final = question(
    "exchange.version", select(VERSION.c.version).where(VERSION.c.id == bindparam("id")), "id"
)
_PUT_GRANT: Final = put_into(GRANTS)
_PUT_VERSION: Final = put_into(VERSION)


def put_grant(grant: Grant) -> Write:
    """`grant` as it shall stand."""
    row: Row = (
        grant.id,
        grant.recipient,
        grant.type_code,
        orjson.dumps(grant.fields),
        orjson.dumps(grant.service_items),
        grant.legal_basis,
        grant.start_us,
        grant.expire_us,
        int(grant.consent_required),
        grant.calls_per_day_max,
        grant.create_entry,
        grant.create_us,
        grant.revoke_us,
        RETENTION_CLASS,
    )
    return Write(_PUT_GRANT, (row,))


def decode_grant(row: Row) -> Grant:
    """The grant in one row of `exchange_grants`."""
    id_, recipient, type_code, fields, service_items, legal_basis, *rest = row
    start, expire, consent, calls, create_entry, create, revoke = map(integer, rest[:-1])
    return Grant(
        id=str(id_),
        recipient=str(recipient),
        type_code=str(type_code),
        fields=_texts(fields),
        service_items=_texts(service_items),
        legal_basis=str(legal_basis),
        start_us=start,
        expire_us=expire,
        consent_required=bool(consent),
        calls_per_day_max=calls,
        create_entry=create_entry,
        create_us=create,
        revoke_us=revoke,
    )


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(orjson.loads(blob(value)))


def put_version(version: int) -> Write:
    """The version that the next decision is based on."""
    return Write(_PUT_VERSION, ((1, version, RETENTION_CLASS),))


def check_version(version: int) -> Check:
    """That no grant changed since `version`; 0 stands for none written yet."""
    return Check(THE_VERSION, (1,), (version,) if version else None)
