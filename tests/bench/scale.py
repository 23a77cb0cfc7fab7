"""`python -m tests.bench.run scale [--sizes 10000,1000000]`: how figures grow with the city.

For each engine and size, into a fresh database: rows loaded per second, bytes per certificate,
search by holder, and what a fetch reads of the database. The loader writes the rows that ingest
would (certificate, version, holder index, record seal, data key of the holder; disclosures really
encrypted) without the log and with random bytes in place of signatures: signing a million records
measures P-256 and not the database. So such a database serves these figures and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import orjson

from hub.clock import now_us
from hub.migrations.migrate import migrate
from hub.registry.store import (
    BOUND,
    FOUND_BY_IDENTIFIER,
    HOLDERS,
    INSERT_CERTIFICATE,
    INSERT_VERSION,
    SEARCH_BY_HOLDER,
)
from hub.seal.store import INSERT_SIGNATURE, RECORD_SEAL
from hub.storage.database import Database, Transaction, open_database
from hub.storage.encryption import DataKeys, Keyring
from hub.storage.statements import Row, Statement, WriteStatement, insert_into
from tests.bench import machine
from tests.bench.city import CityCertificate, certificates
from tests.bench.processes import ROOT
from tests.postgresql_server import PostgresqlAbsent, running

SIZES: Final = (10_000, 1_000_000)
_PAGE: Final = 5_000
_ASKED: Final = 2_000
_PARTITIONS: Final = 16
_PAYLOAD: Final = 900
_FREE_PER_CERTIFICATE: Final = 12_000
_INSERT_HOLDER: Final = insert_into(HOLDERS)


@dataclass(slots=True)
class Loader:
    """Rows of certificates as ingest would write them."""

    keyring: Keyring
    data_keys: DataKeys
    _keys: dict[str, str] = field(default_factory=dict)

    def rows(self, page: Sequence[CityCertificate]) -> list[tuple[WriteStatement, list[Row]]]:
        """The rows of a page, by table."""
        written: dict[WriteStatement, list[Row]] = {}
        for one in page:
            self._add(one, written)
        return list(written.items())

    def _add(self, one: CityCertificate, written: dict[WriteStatement, list[Row]]) -> None:
        holder = self.keyring.holder_index(one.holder_type, one.holder)
        certificate, version = certificate_id(one.number), version_id(one.number)
        # Each version has a key of its own here; the hub shares one per holder.
        key, write = self.data_keys.new(f"holder:{holder}:{one.number}", "permanent")
        written.setdefault(write.statement, []).extend(write.rows)
        salted = [json.dumps([os.urandom(16).hex(), *pair]) for pair in one.fields]
        number = one.certificate_number
        number_index = self.keyring.content_digest(number) if one.is_personal else number
        written.setdefault(INSERT_CERTIFICATE, []).append(
            (certificate, one.authority, one.type_code, "" if one.is_personal else number,
             number_index, self.keyring.holder_key_id, certificate, version,
             orjson.dumps([holder]), self.keyring.holder_key_id, "permanent")
        )  # fmt: skip
        public = b"{}" if one.is_personal else orjson.dumps(dict(one.fields))
        written.setdefault(INSERT_VERSION, []).append(
            (version, certificate, 1, identifier(one.number), 1, "active", 1, one.issue_date,
             one.issue_date, one.valid_until, holder, self.keyring.holder_key_id, public,
             key.seal(orjson.dumps(salted), version.encode()), key.id, "authority", "", None,
             "scale", one.number, now_us(), "permanent")
        )  # fmt: skip
        written.setdefault(_INSERT_HOLDER, []).append(
            (holder, one.type_code, certificate, self.keyring.holder_key_id, BOUND, "permanent")
        )
        written.setdefault(INSERT_SIGNATURE, []).append(
            (version, "ES256", "seal", "header", os.urandom(_PAYLOAD), os.urandom(64), 1,
             one.number, "permanent")
        )  # fmt: skip


def certificate_id(number: int) -> str:
    """Random-looking, as the hub's ids are, and found again without keeping them."""
    return hashlib.sha256(b"certificate %d" % number).hexdigest()[:32]


def version_id(number: int) -> str:
    """As `certificate_id`."""
    return hashlib.sha256(b"version %d" % number).hexdigest()[:32]


def identifier(number: int) -> str:
    """As long as an identifier of GB/T 36904."""
    return f"1.2.156.3005.2.{certificate_id(number).upper()}.{number:09d}.001.X"


async def load(database: Database, loader: Loader, count: int) -> float:
    """Fill an empty database; seconds that it took, generation and encryption included."""
    began = time.perf_counter()
    for first in range(0, count, _PAGE):
        page = loader.rows(list(certificates(min(_PAGE, count - first), first)))

        async def write(
            transaction: Transaction, page: list[tuple[WriteStatement, list[Row]]] = page
        ) -> None:
            for statement, rows in page:
                await transaction.write(statement, rows)

        await database.transact(write)
    return time.perf_counter() - began


async def timed(ask: Callable[[int], Awaitable[object]], count: int) -> list[int]:
    """p50 and p99 in microseconds of questions about certificates all over the city."""
    took = []
    for turn in range(_ASKED):
        number = turn * 104_729 % count
        began = time.perf_counter()
        await ask(number)
        took.append((time.perf_counter() - began) * 1e6)
    return _spread(took)


def _spread(took: Sequence[float]) -> list[int]:
    """p50 and p99."""
    return [round(statistics.median(took)), round(statistics.quantiles(took, n=100)[98])]


async def measure(url: str, count: int) -> dict[str, object]:
    """Every figure of one engine at one size."""
    keyring = Keyring(os.urandom(32), os.urandom(32))
    database = await open_database(url)
    try:
        await migrate(database)
        data_keys = DataKeys(database, keyring, now_us)
        seconds = await load(database, Loader(keyring, data_keys), count)
        if database.engine == "postgresql":
            await database.define("ANALYZE")
        else:
            await database.define("PRAGMA optimize")

        async def search(number: int) -> None:
            one = next(certificates(1, number))
            index = keyring.holder_index(one.holder_type, one.holder)
            assert await database.all(SEARCH_BY_HOLDER, index, "", "", 51)

        async def fetch(number: int) -> None:
            row = await database.one(FOUND_BY_IDENTIFIER, identifier(number))
            assert row is not None
            assert await database.one(RECORD_SEAL, version_id(number)) is None  # No header row.
            key = await data_keys.get(str(row[10]))
            assert isinstance(row[9], bytes)
            key.open(row[9], str(row[0]).encode())

        searched, fetched = await timed(search, count), await timed(fetch, count)
        size = await size_of(database, url)
        return {
            "engine": database.engine,
            "certificates": count,
            "certificates_per_s": round(count / seconds),
            "rows_per_s": round(5 * count / seconds),
            "bytes_per_certificate": round(size / count),
            "search_us": searched,
            "fetch_reads_us": fetched,
            **(await partitioned(url, count) if database.engine == "postgresql" else {}),
        }
    finally:
        await database.close()


async def size_of(database: Database, url: str) -> int:
    """Bytes of the database on disk."""
    if database.engine == "sqlite":
        return _file_bytes(url.removeprefix("sqlite:///"))
    asked = Statement("size", "", "SELECT pg_database_size(current_database())::bigint")
    row = await database.one(asked)
    assert row is not None and isinstance(row[0], int)
    return row[0]


def _file_bytes(path: str) -> int:
    return sum(Path(path + end).stat().st_size for end in ("", "-wal"))


async def partitioned(url: str, count: int) -> dict[str, object]:
    """The same reads where certificates and versions are hash-partitioned by their id."""
    connection = await asyncpg.connect(url)
    names = ("registry_certificates", "registry_versions")
    try:
        for name in names:
            await connection.execute(
                f"CREATE TABLE parted_{name} (LIKE {name} INCLUDING DEFAULTS, PRIMARY KEY (id))"
                " PARTITION BY HASH (id)"
            )
            for part in range(_PARTITIONS):
                await connection.execute(
                    f"CREATE TABLE parted_{name}_{part} PARTITION OF parted_{name}"
                    f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {part})"
                )
            await connection.execute(f"INSERT INTO parted_{name} SELECT * FROM {name}")
        # Unique it cannot be: the key of the partition is not in it.
        await connection.execute("CREATE INDEX ON parted_registry_versions (identifier)")
        await connection.execute("ANALYZE")
        texts = {"whole": FOUND_BY_IDENTIFIER.postgresql}
        texts["partitioned"] = texts["whole"]
        for name in names:
            texts["partitioned"] = texts["partitioned"].replace(name, f"parted_{name}")
        asked = {label: await connection.prepare(text) for label, text in texts.items()}
        took: dict[str, list[float]] = {label: [] for label in texts}
        for turn in range(_ASKED):
            for label, prepared in asked.items():  # In turn, so that the machine is the same.
                began = time.perf_counter()
                rows = await prepared.fetch(identifier(turn * 104_729 % count))
                took[label].append((time.perf_counter() - began) * 1e6)
                assert len(rows) == 1
        return {f"by_identifier_{label}_us": _spread(each) for label, each in took.items()}
    finally:
        await connection.close()


def main(arguments: Sequence[str]) -> int:
    """Run it; a JSON line per engine and size."""
    parser = argparse.ArgumentParser(prog="tests.bench.run scale", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="certificates, by comma")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    asked = parser.parse_args(arguments)
    sizes = [int(size) for size in asked.sizes.split(",")]
    parent = ROOT / ".test"
    parent.mkdir(exist_ok=True)
    for engine in (asked.engine,) if asked.engine else ("sqlite", "postgresql"):
        for size in sizes:
            if shutil.disk_usage(parent).free < size * _FREE_PER_CERTIFICATE:
                print(f"{engine} {size}: skipped, too little room on the disk")
                continue
            with tempfile.TemporaryDirectory(prefix="scale-", dir=parent) as folder:
                load_before = round(os.getloadavg()[0], 2)
                try:
                    result = _measured(engine, Path(folder), size)
                except PostgresqlAbsent as absent:
                    print(f"{engine} {size}: skipped, {absent}")
                    continue
            print(json.dumps({**result, "load_before": load_before}), flush=True)
    print(json.dumps(machine.facts(parent)))
    return 0


def _measured(engine: str, folder: Path, size: int) -> dict[str, object]:
    if engine == "sqlite":
        return asyncio.run(measure(f"sqlite:///{folder}/hub.db", size))
    with running() as url:
        return asyncio.run(measure(url, size))
