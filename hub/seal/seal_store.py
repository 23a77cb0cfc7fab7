"""Tables of seals, their keys and their electronic form, the questions asked, rows as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    bindparam,
    literal_column,
    select,
)

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.domain.seal_states import KeyState, SealState
from hub.proof.encoding import b64, b64_decode
from hub.storage.schema import METADATA
from hub.storage.statements import (
    ENTRY_INDEX,
    Check,
    Row,
    Write,
    blob,
    given_or_any,
    insert_into,
    integer,
    put_into,
    question,
    text,
)

SEALS: Final = Table(
    "seal_seals",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("authority", Text, nullable=False),
    Column("authority_uscc", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("seal_type", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_entry", BigInteger, nullable=False),
    # The newest row of `seal_electronic_seals`; 0 where it has none.
    Column("version", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

# `seal` is empty for the hub's own keys, which make seals.
KEYS: Final = Table(
    "seal_keys",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("seal", Text, nullable=False),
    Column("authority_uscc", Text, nullable=False),
    Column("use", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("home", Text, nullable=False),
    Column("custody", Text, nullable=False),
    Column("kid", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_entry", BigInteger, nullable=False),
    Column("uses_max", BigInteger, nullable=False),
    Column("x509_request", LargeBinary, nullable=False),
    Column("x509_chain", LargeBinary, nullable=False),
    Column("not_before_us", BigInteger),
    Column("not_after_us", BigInteger),
    Column("create_time_us", BigInteger, nullable=False),
    Column("activate_time_us", BigInteger),
    Column("retire_time_us", BigInteger),
    Column("destroy_time_us", BigInteger),
    Column("retention_class", Text, nullable=False),
    Index("seal_keys_by_seal", "seal", "use", "state"),
)

KEY_USES: Final = Table(
    "seal_key_uses",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("uses", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Keys in other hands: `since` in seconds, `digest` that of the SubjectPublicKeyInfo, as trust files
# name keys.
COMPROMISES: Final = Table(
    "seal_compromises",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("kid", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Seals in the form of GB/T 38540, as they were signed or as they came; never changed, superseded.
ELECTRONIC_SEALS: Final = Table(
    "seal_electronic_seals",
    METADATA,
    Column("seal", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Text, nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("format_version", BigInteger, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("picture", Text, nullable=False),
    Column("maker_key", Text, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_until_us", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

# Pictures and electronic seals that were put on file before the intent that names their digest.
MATERIALS: Final = Table(
    "seal_materials",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("create_time_us", BigInteger, nullable=False),
    Column("retention_class", Text, nullable=False),
)

PUT_SEAL: Final = put_into(SEALS)
INSERT_SEAL: Final = insert_into(SEALS)
PUT_KEY: Final = put_into(KEYS)
INSERT_KEY: Final = insert_into(KEYS)
PUT_KEY_USES: Final = put_into(KEY_USES)
PUT_COMPROMISE: Final = put_into(COMPROMISES)
INSERT_ELECTRONIC_SEAL: Final = insert_into(ELECTRONIC_SEALS)
PUT_MATERIAL: Final = put_into(MATERIALS)

_SEAL_COLUMNS: Final = tuple(SEALS.columns)
_KEY_COLUMNS: Final = tuple(KEYS.columns)
# Each key with how often it has signed and since when it is compromised; null where never.
_KEYS_WITH_USES: Final = select(*_KEY_COLUMNS, KEY_USES.c.uses, COMPROMISES.c.since).select_from(
    KEYS.outerjoin(KEY_USES, KEY_USES.c.key == KEYS.c.name).outerjoin(
        COMPROMISES, COMPROMISES.c.key == KEYS.c.name
    )
)
_ELECTRONIC_COLUMNS: Final = tuple(ELECTRONIC_SEALS.columns)
_ROWS: Final = bindparam("rows", type_=BigInteger)

SEAL_BY_NAME: Final = question(
    "seal by name", select(*_SEAL_COLUMNS).where(SEALS.c.name == bindparam("name")), "name"
)
SEALS_PAGE: Final = question(
    "a page of seals",
    select(*_SEAL_COLUMNS)
    .where(SEALS.c.name > bindparam("after"))
    .order_by(SEALS.c.name)
    .limit(_ROWS),
    "after",
    "rows",
)
SEALS_OF_AUTHORITY_PAGE: Final = question(
    "a page of an authority's seals",
    select(*_SEAL_COLUMNS)
    .where(SEALS.c.authority == bindparam("authority"), SEALS.c.name > bindparam("after"))
    .order_by(SEALS.c.name)
    .limit(_ROWS),
    "authority",
    "after",
    "rows",
)
SEAL_STATE: Final = question(
    "state of a seal",
    select(SEALS.c.state, SEALS.c.state_entry).where(SEALS.c.name == bindparam("name")),
    "name",
)
KEY_BY_NAME: Final = question(
    "seal key by name", select(*_KEY_COLUMNS).where(KEYS.c.name == bindparam("name")), "name"
)
KEY_STATE: Final = question(
    "state of a seal key",
    select(KEYS.c.state, KEYS.c.state_entry).where(KEYS.c.name == bindparam("name")),
    "name",
)
# A seal has at most one active key of each use and algorithm, so few rows in all.
ACTIVE_KEYS: Final = question(
    "active keys of a seal and use",
    select(*_KEY_COLUMNS)
    .where(
        KEYS.c.seal == bindparam("seal"),
        KEYS.c.use == bindparam("use"),
        KEYS.c.state == literal_column("'active'"),
    )
    .order_by(KEYS.c.algorithm, KEYS.c.name),
    "seal",
    "use",
)
KEYS_OF_SEAL: Final = question(
    "keys of a seal",
    _KEYS_WITH_USES.where(KEYS.c.seal == bindparam("seal")).order_by(
        KEYS.c.use, KEYS.c.create_time_us, KEYS.c.name
    ),
    "seal",
)
KEYS_PAGE: Final = question(
    "a page of seal keys",
    _KEYS_WITH_USES.where(given_or_any("seal", KEYS.c.seal), KEYS.c.name > bindparam("after"))
    .order_by(KEYS.c.name)
    .limit(_ROWS),
    "seal",
    "after",
    "rows",
)
KEYS_OF_HOME: Final = question(
    "ids and states of the keys in a home",
    select(KEYS.c.kid, KEYS.c.state).where(KEYS.c.home == bindparam("home")).order_by(KEYS.c.kid),
    "home",
)
MOVED_KEYS: Final = question(
    "seal keys that a migration moved",
    select(*_KEY_COLUMNS)
    .where(KEYS.c.state_entry == literal_column("-1"))
    .order_by(KEYS.c.name)
    .limit(_ROWS),
    "rows",
)
USES_OF_KEY: Final = question(
    "uses of a seal key", select(KEY_USES.c.uses).where(KEY_USES.c.key == bindparam("key")), "key"
)
ELECTRONIC_SEAL: Final = question(
    "electronic seal of a version",
    select(*_ELECTRONIC_COLUMNS).where(
        ELECTRONIC_SEALS.c.seal == bindparam("seal"),
        ELECTRONIC_SEALS.c.version == bindparam("version", type_=BigInteger),
    ),
    "seal",
    "version",
)
ELECTRONIC_SEAL_NUMBER: Final = question(
    "whether a number of an electronic seal is taken",
    select(ELECTRONIC_SEALS.c.seal).where(ELECTRONIC_SEALS.c.number == bindparam("number")),
    "number",
)
MATERIAL_BY_DIGEST: Final = question(
    "material of a seal",
    select(*MATERIALS.columns).where(MATERIALS.c.digest == bindparam("digest")),
    "digest",
)
# A hub has few keys, and fewer of them are ever stolen.
ALL_COMPROMISES: Final = question(
    "compromised keys",
    select(COMPROMISES.c.kid, COMPROMISES.c.digest, COMPROMISES.c.since).order_by(
        COMPROMISES.c.key
    ),
)
COMPROMISE_OF_KEY: Final = question(
    "since when a key is compromised",
    select(COMPROMISES.c.since).where(COMPROMISES.c.key == bindparam("key")),
    "key",
)
COMPROMISE_ENTRY: Final = question(
    "entry that declares a key compromised",
    select(COMPROMISES.c.entry).where(COMPROMISES.c.key == bindparam("key")),
    "key",
)
KEY_IN_FORCE: Final = question(
    "which key of a seal, use and algorithm is in force",
    select(KEYS.c.name).where(
        KEYS.c.seal == bindparam("seal"),
        KEYS.c.use == bindparam("use"),
        KEYS.c.algorithm == bindparam("algorithm"),
        KEYS.c.state == literal_column("'active'"),
    ),
    "seal",
    "use",
    "algorithm",
)


@dataclass(frozen=True, slots=True)
class Seal:
    """An authority's seal. `seal_type` is the code of GB/T 38540's property, by the deployment's
    own list; `version` is that of its newest electronic form, 0 where it has none."""

    name: str
    authority: str
    authority_uscc: str
    title: str
    seal_type: int
    state: SealState
    state_entry: int
    version: int
    create_time_us: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a seal, or of the hub where `seal` is empty. `x509_chain` is DER, leaf first; empty
    until it is active. `uses_max` 0 sets no limit. Times are those of the states it went through.
    """

    name: str
    seal: str
    authority_uscc: str
    use: KeyUse
    algorithm: KeyAlgorithm
    home: str
    custody: Custody
    kid: str
    state: KeyState
    state_entry: int
    uses_max: int
    x509_request: bytes
    x509_chain: tuple[bytes, ...]
    not_before_us: int | None
    not_after_us: int | None
    create_time_us: int
    activate_time_us: int | None = None
    retire_time_us: int | None = None
    destroy_time_us: int | None = None


class SealOrigin(StrEnum):
    """Where an electronic seal comes from; one is never passed off as the other."""

    MADE = "made"
    """Signed by a seal-maker key of this hub."""
    IMPORTED = "imported"
    """A lawful seal from outside, kept byte for byte."""


@dataclass(frozen=True, slots=True)
class ElectronicSeal:
    """A seal in the form of GB/T 38540 (or GM/T 0031): `der` as signed. `picture` is a digest."""

    seal: str
    version: int
    number: str
    origin: SealOrigin
    format_version: int
    der: bytes
    picture: str
    maker_key: str
    valid_from_us: int
    valid_until_us: int
    entry: int
    create_time_us: int


@dataclass(frozen=True, slots=True)
class Material:
    """A picture (`format` PNG or SVG) or an electronic seal (ESL), by the digest of its bytes."""

    digest: str
    format: str
    data: bytes
    create_time_us: int


def seal_row(seal: Seal) -> Row:
    """The row of a seal."""
    return (
        seal.name,
        seal.authority,
        seal.authority_uscc,
        seal.title,
        seal.seal_type,
        seal.state.value,
        seal.state_entry,
        seal.version,
        seal.create_time_us,
        "seal",
    )


def seal_of(row: Row) -> Seal:
    """The seal in a row."""
    return Seal(
        name=text(row[0]),
        authority=text(row[1]),
        authority_uscc=text(row[2]),
        title=text(row[3]),
        seal_type=integer(row[4]),
        state=SealState(text(row[5])),
        state_entry=integer(row[6]),
        version=integer(row[7]),
        create_time_us=integer(row[8]),
    )


def key_row(key: Key) -> Row:
    """The row of a key."""
    return (
        key.name,
        key.seal,
        key.authority_uscc,
        key.use.value,
        key.algorithm.value,
        key.home,
        key.custody.value,
        key.kid,
        key.state.value,
        key.state_entry,
        key.uses_max,
        key.x509_request,
        orjson.dumps([b64(der) for der in key.x509_chain]),
        key.not_before_us,
        key.not_after_us,
        key.create_time_us,
        key.activate_time_us,
        key.retire_time_us,
        key.destroy_time_us,
        "seal",
    )


def key_of(row: Row) -> Key:
    """The key in a row."""
    return Key(
        name=text(row[0]),
        seal=text(row[1]),
        authority_uscc=text(row[2]),
        use=KeyUse(text(row[3])),
        algorithm=KeyAlgorithm(text(row[4])),
        home=text(row[5]),
        custody=Custody(text(row[6])),
        kid=text(row[7]),
        state=KeyState(text(row[8])),
        state_entry=integer(row[9]),
        uses_max=integer(row[10]),
        x509_request=blob(row[11]),
        x509_chain=tuple(b64_decode(der) for der in orjson.loads(blob(row[12]))),
        not_before_us=None if row[13] is None else integer(row[13]),
        not_after_us=None if row[14] is None else integer(row[14]),
        create_time_us=integer(row[15]),
        activate_time_us=None if row[16] is None else integer(row[16]),
        retire_time_us=None if row[17] is None else integer(row[17]),
        destroy_time_us=None if row[18] is None else integer(row[18]),
    )


def uses_of(row: Row) -> int:
    """How often the key of a row has signed, where the question asks for that as well."""
    return 0 if row[len(_KEY_COLUMNS)] is None else integer(row[len(_KEY_COLUMNS)])


def since_of(row: Row) -> int | None:
    """Since when (seconds) the key of such a row is compromised; None for a good one."""
    value = row[len(_KEY_COLUMNS) + 1]
    return None if value is None else integer(value)


def electronic_seal_row(electronic: ElectronicSeal) -> Row:
    """The row of an electronic seal that is written with the entry being made."""
    return (
        electronic.seal,
        electronic.version,
        electronic.number,
        electronic.origin.value,
        electronic.format_version,
        electronic.der,
        electronic.picture,
        electronic.maker_key,
        electronic.valid_from_us,
        electronic.valid_until_us,
        ENTRY_INDEX,
        electronic.create_time_us,
        "seal",
    )


def electronic_seal_of(row: Row) -> ElectronicSeal:
    """The electronic seal in a row."""
    return ElectronicSeal(
        seal=text(row[0]),
        version=integer(row[1]),
        number=text(row[2]),
        origin=SealOrigin(text(row[3])),
        format_version=integer(row[4]),
        der=blob(row[5]),
        picture=text(row[6]),
        maker_key=text(row[7]),
        valid_from_us=integer(row[8]),
        valid_until_us=integer(row[9]),
        entry=integer(row[10]),
        create_time_us=integer(row[11]),
    )


def material_row(material: Material) -> Row:
    """The row of a material."""
    return (material.digest, material.format, material.data, material.create_time_us, "seal")


def material_of(row: Row) -> Material:
    """The material in a row."""
    return Material(text(row[0]), text(row[1]), blob(row[2]), integer(row[3]))


def unchanged_seal(seal: Seal) -> Check:
    """That the seal stands as it was read."""
    return Check(SEAL_STATE, (seal.name,), (seal.state.value, seal.state_entry))


def unchanged_key(key: Key) -> Check:
    """That the key stands as it was read."""
    return Check(KEY_STATE, (key.name,), (key.state.value, key.state_entry))


def key_uses_write(key: str, uses: int) -> Write:
    """How often a key has signed, the signatures being made included."""
    return Write(PUT_KEY_USES, [(key, uses, "seal")])


def unchanged_key_uses(key: str, uses: int | None) -> Check:
    """That the key signed nothing since `uses` was read (None: never yet)."""
    return Check(USES_OF_KEY, (key,), None if uses is None else (uses,))


def unchanged_in_force(key: Key, in_force: str | None) -> Check:
    """That of the seal, use and algorithm of `key` this key is in force, or none."""
    args = (key.seal, key.use.value, key.algorithm.value)
    return Check(KEY_IN_FORCE, args, None if in_force is None else (in_force,))
