"""Keys of seals on real SQLite and real PostgreSQL: moved by the migration, recorded if proven."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text

from hub.clock import now_us
from hub.domain.entry import Entry
from hub.domain.seal_key import key_name
from hub.domain.seal_states import KeyState, SealState
from hub.ledger.checkpoints import FileHead, create_log
from hub.ledger.ports import Observer
from hub.ledger.recorder import Recorder, RecorderSettings
from hub.migrations.migrate import migrate
from hub.proof.encoding import b64
from hub.seal.moved_keys import RecordMovedKeys
from hub.seal.seal_store import KEY_BY_NAME, SEAL_BY_NAME, key_of, seal_of
from hub.storage.database import open_database
from hub.storage.encryption import DataKeys, Keyring
from hub.storage.statements import ENTRY_INDEX, Row, Write, insert_into
from tests.ledger.logs import KEY

CHAIN: Final = (b"leaf", b"issuer")
# The table as it was before revision 0016.
OLD_SEALS: Final = insert_into(
    Table(
        "seal_seals",
        MetaData(),
        *[Column(name, Text) for name in ("name", "authority", "authority_uscc", "title", "state")],
        Column("state_entry", BigInteger),
        *[Column(name, Text) for name in ("key_id", "algorithm", "custody")],
        Column("x509_request", LargeBinary),
        Column("x509_chain", LargeBinary),
        Column("create_time_us", BigInteger),
        Column("expire_time_us", BigInteger),
        Column("retention_class", Text),
    )
)


def _old_row(name: str, kid: str, state: str, entry: int, chain: tuple[bytes, ...]) -> Row:
    stored = orjson.dumps([b64(der) for der in chain])
    head = (name, "authorities/market", "113301000025123419", "印章", state, entry, kid)
    return (*head, "ES256", "hub-file", b"request", stored, 1, 2 if chain else None, "seal")


def _entry(kind: str, **data: str | list[str]) -> Entry:
    return Entry(kind, "officers/first", 0, "", "", {"data": {**data}})


async def test_moved_keys_are_recorded_once_where_the_log_proves_them(
    empty_database_url: str, tmp_path: Path
) -> None:
    """An active and a requested seal become two seals with a key each, as entries of the log; a
    row that somebody wrote by hand is moved as well and stays unrecorded, so the audit names it."""
    database = await open_database(empty_database_url)
    await migrate(database, "0014")
    data_keys = DataKeys(
        database, Keyring(secrets.token_bytes(32), secrets.token_bytes(32)), now_us
    )
    head = FileHead(tmp_path / "checkpoint")
    await create_log(head, KEY)
    settings = RecorderSettings("330100", window_s=0.001, heartbeat_s=3600.0)
    recorder = Recorder(
        database=database,
        data_keys=data_keys,
        head=head,
        key=KEY,
        clock=now_us,
        settings=settings,
        observer=Observer(),
    )
    await recorder.start()
    active, requested, forged = "Key_One-", "Key_Two", "Forged"
    await recorder.record(
        _entry(
            "seal.activated", seal="a/main", key_id=active, x509_chain=[b64(der) for der in CHAIN]
        ),
        [Write(OLD_SEALS, [_old_row("a/main", active, "active", ENTRY_INDEX, CHAIN)])],
        [],
    )
    named = {"seal": "a/new", "key_id": requested, "x509_request": b64(b"request")}
    await recorder.record(
        _entry("seal.created", **named),
        [
            Write(OLD_SEALS, [_old_row("a/new", requested, "requested", ENTRY_INDEX, ())]),
            # It points at an entry that is about another seal.
            Write(OLD_SEALS, [_old_row("a/forged", forged, "active", 1, CHAIN)]),
        ],
        [],
    )

    await migrate(database)
    record = RecordMovedKeys(database, recorder, recorder.proofs)
    recorded, again = await record(), await record()

    assert (recorded, again) == (2, 0)
    rows = [await database.one(KEY_BY_NAME, key_name(kid)) for kid in (active, requested, forged)]
    one, two, three = [key_of(row) for row in rows if row is not None]
    assert (one.name, one.kid, one.seal) == ("keys/k-key-one-", active, "a/main")
    assert (one.state, one.x509_chain, one.not_after_us) == (KeyState.ACTIVE, CHAIN, 2)
    assert (two.state, two.x509_chain) == (KeyState.REQUESTED, ())
    assert one.state_entry == two.state_entry > 1
    assert three.state_entry == -1
    states = []
    for name in ("a/main", "a/new"):
        row = await database.one(SEAL_BY_NAME, name)
        assert row is not None
        states.append(seal_of(row).state)
    assert states == [SealState.ACTIVE, SealState.APPLIED]
    await recorder.close()
    await database.close()
