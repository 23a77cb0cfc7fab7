"""`python -m tests.bench.run scale [--sizes 10000,1000000]`: how figures grow with the city.

For each engine one database, grown to each size in turn (`city_rows`): rows loaded per second,
bytes per certificate, search by holder, what a fetch and what a plan of 20 materials read of the
database. The others are measured at the smallest size of the run. With `--folder` the databases are
kept and a later run goes on where this one ended, at its end or at `--seconds-max`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import asyncpg

from hub.clock import now_us
from hub.domain.holder import Holder
from hub.migrations.migrate import migrate
from hub.registry.on_file import OnFileReader
from hub.registry.read import CertificateReader
from hub.registry.store import (
    FOUND_BY_HOLDER,
    FOUND_BY_IDENTIFIER,
    LOOK_UP,
    ON_FILE,
    SEARCH_BY_HOLDER,
)
from hub.registry.transition_store import HELD
from hub.seal.store import RECORD_SEAL
from hub.storage.database import Database, open_database
from hub.storage.encryption import DataKeys
from hub.storage.statements import Row, Statement
from tests.bench import machine, plan
from tests.bench.city import certificates
from tests.bench.city_rows import (
    KEYRING,
    certificate_id,
    identifier,
    on_file,
    page,
    row_count,
    version_id,
    write,
)
from tests.bench.processes import ROOT
from tests.postgresql_server import PostgresqlAbsent, running

SIZES: Final = (10_000, 1_000_000)
MATERIALS: Final = 20
_PAGE: Final = 5_000
_ASKED: Final = 2_000
_PLANS: Final = 500
_LICENCES: Final = 2_000
# Scatters the questions over the whole city.
_STRIDE: Final = 104_729


def _by_holder(number: int) -> Row:
    one = next(certificates(1, number))
    return (KEYRING.holder_index(one.holder_type, one.holder), one.type_code)


def _by_number(number: int) -> Row:
    one = next(certificates(1, number))
    keyed = KEYRING.content_digest(one.certificate_number)
    index = keyed if one.is_personal else one.certificate_number
    return (one.authority, one.type_code, *[index] * len(LOOK_UP))


# Everything that finds certificates, each with its arguments for the certificate of a number.
_ASKED_OF_CERTIFICATES: Final[dict[str, tuple[Statement, Callable[[int], Row]]]] = {
    "by_id": (
        HELD,
        lambda number: (certificate_id(number), next(certificates(1, number)).authority),
    ),
    "by_identifier": (FOUND_BY_IDENTIFIER, lambda number: (identifier(number),)),
    "by_holder": (FOUND_BY_HOLDER, _by_holder),
    "by_number": (ON_FILE, _by_number),
}
_FREE_PER_CERTIFICATE: Final = 6_000
_TOLD_EVERY_S: Final = 20.0
_WORKERS: Final = max(1, (os.cpu_count() or 2) - 1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load did; `on_file` is what is there in the end, which `--seconds-max` may cut."""

    on_file: int
    certificates: int
    rows: int
    seconds: float

    def figures(self) -> dict[str, object]:
        """Per second, where something was loaded."""
        if not self.certificates:
            return {"loaded": 0}
        return {
            "loaded": self.certificates,
            "certificates_per_s": round(self.certificates / self.seconds),
            "rows_per_s": round(self.rows / self.seconds),
        }


async def load(database: Database, until: int, seconds_max: float) -> Loaded:
    """Grow the city to `until`, or until the time is over. What is on file stays.

    Pages are prepared in other processes while the one before is written, at most two ahead.
    """
    first = begin = await on_file(database)
    loop = asyncio.get_running_loop()
    # Not forked: this process has threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_WORKERS, mp_context=context) as pool:
        # A process that starts is no part of the load.
        await asyncio.gather(*(loop.run_in_executor(pool, page, 0, 1) for _ in range(_WORKERS)))
        rows, began = 0, time.perf_counter()
        told, ends = began, began + seconds_max
        ahead: deque[tuple[int, asyncio.Future[list[list[tuple[object, ...]]]]]] = deque()
        starts = iter(range(first, until, _PAGE))
        while True:
            while len(ahead) <= _WORKERS and time.perf_counter() < ends:
                start = next(starts, None)
                if start is None:
                    break
                count = min(_PAGE, until - start)
                ahead.append((count, loop.run_in_executor(pool, page, start, count)))
            if not ahead:
                break
            count, preparing = ahead.popleft()
            prepared = await preparing
            await write(database, prepared)
            first, rows = first + count, rows + row_count(prepared)
            if time.perf_counter() - told > _TOLD_EVERY_S:
                told = time.perf_counter()
                rate = round((first - begin) / (told - began))
                print(f"  {first:,} of {until:,}, {rate:,}/s", file=sys.stderr, flush=True)
        return Loaded(first, first - begin, rows, time.perf_counter() - began)


async def measure(database: Database, count: int) -> dict[str, list[int]]:
    """p50 and p99 in microseconds of what is asked of the database, all over the city."""
    keys = DataKeys(database, KEYRING, now_us)
    reader = CertificateReader(database, keys, KEYRING, now_us, "scale.example")
    plans = OnFileReader(database, keys, KEYRING)

    async def search(number: int) -> None:
        one = next(certificates(1, number))
        index = KEYRING.holder_index(one.holder_type, one.holder)
        assert await database.all(SEARCH_BY_HOLDER, index, "", "", 51)

    async def fetch(number: int) -> None:
        found = await reader.by_identifier(identifier(number))
        assert found is not None
        assert await found.disclosures({"name", "scope"})
        assert await database.one(RECORD_SEAL, version_id(number)) is not None

    async def plan_materials(number: int) -> None:
        city = list(certificates(MATERIALS, min(number, count - MATERIALS)))
        pairs = {(Holder(one.holder_type, one.holder), one.type_code) for one in city}
        found = await plans.find(dict.fromkeys(pairs, frozenset({"name", "address"})))
        assert found.keys() == pairs

    return {
        "search_us": await timed(search, count, _ASKED),
        "fetch_reads_us": await timed(fetch, count, _ASKED),
        "plan_reads_us": await timed(plan_materials, count, _PLANS),
    }


async def timed(ask: Callable[[int], Awaitable[object]], count: int, asked: int) -> list[int]:
    """p50 and p99 in microseconds of questions about certificates all over the city."""
    took = []
    for turn in range(asked):
        number = turn * _STRIDE % count
        began = time.perf_counter()
        await ask(number)
        took.append((time.perf_counter() - began) * 1e6)
    return _spread(took)


def _spread(took: Sequence[float]) -> list[int]:
    """p50 and p99."""
    return [round(statistics.median(took)), round(statistics.quantiles(took, n=100)[98])]


async def grow(url: str, size: int, asked: argparse.Namespace) -> dict[str, object]:
    """Grow the database at `url` to `size` and measure there; without figures where the time was
    over before."""
    database = await open_database(url)
    try:
        await migrate(database)
        loaded = await load(database, size, asked.seconds_max)
        if loaded.certificates:
            analyse = "ANALYZE" if database.engine == "postgresql" else "PRAGMA optimize"
            await database.define(analyse)
    finally:
        # What SQLite keeps beside its file is merged into it.
        await database.close()
    line = {"certificates": loaded.on_file, **loaded.figures()}
    if loaded.on_file < size:
        return {**line, "stopped": f"after {asked.seconds_max:g} s of loading"}
    database = await open_database(url)
    try:
        bytes_each = round(await _size(database, url) / loaded.on_file)
        line |= {"bytes_per_certificate": bytes_each, **await measure(database, size)}
    finally:
        await database.close()
    if asked.whole and url.startswith("postgresql"):
        line |= await against_whole(url, size)
    return line


async def _size(database: Database, url: str) -> int:
    """Bytes of the database on disk."""
    if database.engine == "sqlite":
        return _file_bytes(url)
    asked = Statement("size", "", "SELECT pg_database_size(current_database())::bigint")
    row = await database.one(asked)
    assert row is not None and isinstance(row[0], int)
    return row[0]


def _file_bytes(url: str) -> int:
    return Path(url.removeprefix("sqlite:///")).stat().st_size


async def against_whole(url: str, count: int) -> dict[str, object]:
    """What is asked of certificates, of the partitions they lie in and of one whole table.

    Copies the table, and drops the copy again.
    """
    connection = await asyncpg.connect(url)
    table = "registry_certificates"
    try:
        await connection.execute(f"DROP TABLE IF EXISTS whole_{table}")
        await connection.execute(f"CREATE TABLE whole_{table} (LIKE {table} INCLUDING ALL)")
        await connection.execute(f"INSERT INTO whole_{table} SELECT * FROM {table}")
        await connection.execute("ANALYZE")
        figures: dict[str, object] = {}
        for name, (statement, arguments) in _ASKED_OF_CERTIFICATES.items():
            text = statement.postgresql
            asked = {
                "partitioned": await connection.prepare(text),
                "whole": await connection.prepare(text.replace(table, f"whole_{table}")),
            }
            took: dict[str, list[float]] = {label: [] for label in asked}
            for turn in range(_ASKED):
                given = arguments(turn * _STRIDE % count)
                for label, prepared in asked.items():  # In turn, so that the machine is the same.
                    began = time.perf_counter()
                    rows = await prepared.fetch(*given)
                    took[label].append((time.perf_counter() - began) * 1e6)
                    assert rows
            figures |= {f"{name}_{label}_us": _spread(each) for label, each in took.items()}
        return figures
    finally:
        await connection.execute(f"DROP TABLE IF EXISTS whole_{table}")
        await connection.close()


def main(arguments: Sequence[str]) -> int:
    """Run it; a JSON line per engine and size."""
    parser = argparse.ArgumentParser(prog="tests.bench.run scale", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="certificates, by comma")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--folder", type=Path, help="keep the databases here, and go on with them")
    parser.add_argument(
        "--seconds-max", type=float, default=3_600.0, help="of loading, for each engine and size"
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="at the last size also the whole way of a plan; once in a database",
    )
    parser.add_argument(
        "--whole", action="store_true", help="PostgreSQL: also certificates in one whole table"
    )
    asked = parser.parse_args(arguments)
    sizes = sorted({int(size) for size in asked.sizes.split(",")})
    if sizes[0] < MATERIALS:
        parser.error(f"--sizes: at least {MATERIALS} certificates")
    parent = ROOT / ".test"
    parent.mkdir(exist_ok=True)
    kept = asked.folder
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    for engine in (asked.engine,) if asked.engine else ("sqlite", "postgresql"):
        where = (
            nullcontext(str(kept))
            if kept is not None
            else tempfile.TemporaryDirectory(prefix="scale-", dir=parent)
        )
        with where as folder:
            try:
                _engine(engine, Path(folder), sizes, asked)
            except PostgresqlAbsent as absent:
                print(f"{engine}: skipped, {absent}")
    print(json.dumps(machine.facts(parent)))
    return 0


def _engine(engine: str, folder: Path, sizes: Sequence[int], asked: argparse.Namespace) -> None:
    """Every size of one engine, the smallest first."""
    server = (
        nullcontext(f"sqlite:///{folder}/hub.db")
        if engine == "sqlite"
        else running(None if asked.folder is None else folder / "postgresql")
    )
    with server as url:
        smallest: dict[str, object] = {}
        for size in sizes:
            taken = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
            if shutil.disk_usage(folder).free + taken < size * _FREE_PER_CERTIFICATE:
                print(f"{engine} {size}: skipped, too little room on the disk", flush=True)
                return
            load_before = round(os.getloadavg()[0], 2)
            line = asyncio.run(grow(url, size, asked))
            smallest = smallest or line
            against = _against(line, smallest)
            print(
                json.dumps({"engine": engine, **line, **against, "load_before": load_before}),
                flush=True,
            )
            if "stopped" in line:
                return
        if asked.plan:
            # It needs licences of its own, delivered and logged, among the city's.
            whole = asyncio.run(plan.run(url, _LICENCES, _PLANS))
            told = {**asdict(whole), "certificates": sizes[-1]}
            print(json.dumps({"engine": engine, "program": "plan", **told}), flush=True)


def _against(line: dict[str, object], smallest: dict[str, object]) -> dict[str, object]:
    """Medians relative to those at the smallest size of this run."""
    ratios: dict[str, object] = {}
    for name in ("search_us", "fetch_reads_us", "plan_reads_us"):
        one, other = line.get(name), smallest.get(name)
        if line is not smallest and isinstance(one, list) and isinstance(other, list):
            ratios[name.replace("_us", "_ratio")] = round(one[0] / other[0], 2)
    return ratios
