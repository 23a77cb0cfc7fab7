"""A log to test with: real database, real keys, real head file, and a toy table beside it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from hub.clock import now_us
from hub.domain.entry import Entry, Remember
from hub.ledger.checkpoints import FileHead, LogKey, create_log
from hub.ledger.ports import ExternalHead, Observer
from hub.ledger.recorder import Recorder, RecorderSettings
from hub.ledger.store import (
    ENTRIES,
    EPOCHS,
    HEAD,
    READ_HEAD,
    REQUESTS,
    STAMPS,
    TILES,
    decode_head,
)
from hub.proof.log.receipt import LogTrust, open_proof, parse_receipt
from hub.storage.database import Database, open_database
from hub.storage.encryption import DATA_KEYS, DataKeys, Keyring
from hub.storage.statements import Check, Write, insert_into, put_into, question

ORIGIN: Final = "hub.test.example"
KEY: Final = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TRUST: Final = LogTrust(ORIGIN, (KEY.verifier.text(),))

THINGS: Final = Table(
    "test_things",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("content", LargeBinary),
)
INSERT_THING: Final = insert_into(THINGS)
PUT_THING: Final = put_into(THINGS)
THING: Final = question(
    "thing",
    select(THINGS.c.version, THINGS.c.content).where(THINGS.c.id == bindparam("id")),
    "id",
)
LEDGER_TABLES: Final = (ENTRIES, REQUESTS, STAMPS, TILES, EPOCHS, HEAD, DATA_KEYS)

_NUMBERS = itertools.count()


async def create_tables(database: Database, tables: Sequence[Table]) -> None:
    """Create `tables` in `database`."""
    sqlite_dialect = sqlite.dialect()
    dialect = sqlite_dialect if database.engine == "sqlite" else postgresql.dialect()
    await database.define(
        ";\n".join(str(CreateTable(table).compile(dialect=dialect)) for table in tables)
    )


async def new_database(url: str) -> Database:
    """An empty database with the ledger's tables and the toy one."""
    database = await open_database(url)
    await create_tables(database, (*LEDGER_TABLES, THINGS))
    return database


@dataclass
class Log:
    """A recorder on a database and a head, to be opened and closed as often as needed."""

    database: Database
    head: ExternalHead
    keyring: Keyring = field(default_factory=lambda: Keyring(bytes(32), bytes(32)))
    window_s: float = 0.001
    members_max: int = 256
    heartbeat_s: float = 3600.0

    def recorder(self) -> Recorder:
        """A recorder that is not started."""
        return Recorder(
            database=self.database,
            data_keys=DataKeys(self.database, self.keyring, now_us),
            head=self.head,
            key=KEY,
            clock=now_us,
            settings=RecorderSettings(
                region="330100",
                window_s=self.window_s,
                members_max=self.members_max,
                heartbeat_s=self.heartbeat_s,
            ),
            observer=Observer(),
        )

    async def stored_size(self) -> int:
        """The size of the log that the database has committed."""
        head = decode_head(await self.database.one(READ_HEAD, 1))
        return head[0] if head is not None else 0

    async def started(self) -> Recorder:
        """A recorder that records."""
        recorder = self.recorder()
        await recorder.start()
        return recorder


async def new_log(url: str, folder: Path, **options: float) -> Log:
    """A new log, begun: its head says size 0."""
    head = FileHead(folder / "head" / "checkpoint")
    await create_log(head, KEY)
    return Log(await new_database(url), head, **options)  # type: ignore[arg-type]


def entry(number: int | None = None, kind: str = "test") -> Entry:
    """An entry of its own request."""
    number = next(_NUMBERS) if number is None else number
    return Entry(
        kind=kind,
        caller="systems/tester",
        key_entry=0,
        request_id=f"00000000-0000-4000-8000-{number:012d}",
        request_digest="A" * 43,
        members={"data": {"number": number}},
    )


def remember(of: Entry, answer: bytes = b"") -> Remember:
    """How the call of entry `of` is recognised."""
    return Remember(of.caller, of.request_id, "/test", "content", answer)


def put_thing(name: str, version: int, content: bytes | None = None) -> Write:
    """Insert or replace one row."""
    return Write(PUT_THING, ((name, version, content),))


def insert_thing(name: str, version: int = 1) -> Write:
    """Insert one row."""
    return Write(INSERT_THING, ((name, version, None),))


def at_version(name: str, version: int) -> Check:
    """Holds while the row is at `version` with no content."""
    return Check(THING, (name,), (version, None))


def absent(name: str) -> Check:
    """Holds while there is no such row."""
    return Check(THING, (name,), None)


def index_and_size(receipt: str) -> tuple[int, int]:
    """Index and size of a receipt whose proof and checkpoint verify."""
    proof, checkpoint = open_proof(parse := parse_receipt(receipt.encode()), parse.proof, TRUST)
    return proof.index, checkpoint.size
