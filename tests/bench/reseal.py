"""`python -m tests.bench.run reseal [--seals 1000000]`: does finding what to seal anew slow down?

A log of entries that sealed a thousand records each, all by one key, on each engine. Searched from
its beginning to its end in batches of 500, as `Reseal` does; printed are the median milliseconds
of a batch (search and evidence) at the start, in the middle and at the end, and of a search that
finds nothing because everything was sealed anew already.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

from hub.domain.entry import Entry
from hub.seal.reseal.logged_seals import LoggedSeals, Place
from hub.seal.reseal.records import BATCH_MAX
from hub.seal.seal_store import Key
from hub.seal.store import INSERT_SIGNATURE
from hub.storage.statements import Row, Write
from tests.postgresql_server import PostgresqlAbsent, running
from tests.registry.office import LICENCE_TYPE, Office, open_office
from tests.seal.test_seal_keys import active

_ROWS: Final = 1_000
_ASKED: Final = 20
_PAYLOAD_BYTES: Final = 1_100
_NEVER: Final = 2**53


def _rows(key: Key, entry: int) -> list[Row]:
    made: list[Row] = []
    for number in range(entry * _ROWS, (entry + 1) * _ROWS):
        place = (1 + number // 2**20, number % 2**20)
        payload, signature = os.urandom(_PAYLOAD_BYTES), os.urandom(64)
        row = (f"v{number:012d}", "ES256", key.kid, "header", payload, signature, *place, "seal")
        made.append(row)
    return made


async def _fill(office: Office, key: Key, seals: int) -> None:
    for entry in range(seals // _ROWS):
        said = Entry("ingest", "hub", 0, "", "", {"data": {}}, "seal")
        rows = await asyncio.to_thread(_rows, key, entry)
        await office.recorder.record(said, [Write(INSERT_SIGNATURE, rows)], ())


async def _batches(logged: LoggedSeals, key: Key, place: Place | None) -> tuple[list[float], int]:
    """Milliseconds of some batches from a place on, and how many seals they found."""
    took, found = list[float](), 0
    while place is not None and len(took) < _ASKED:
        began = time.perf_counter()
        batch, place = await logged.next(key, _NEVER, place, BATCH_MAX)
        if batch:
            await logged.evidence(batch[0].entry, batch)
        took.append((time.perf_counter() - began) * 1000)
        found += len(batch)
    return took, found


async def measure(url: str, folder: Path, seals: int) -> dict[str, object]:
    """One engine. Raises AssertionError where seals were not found."""
    async with open_office(url, folder) as office:
        await office.publish_type(LICENCE_TYPE)
        await office.make_seal()
        key, first = await active(office), office.recorder.head().size
        began = time.perf_counter()
        await _fill(office, key, seals)
        line: dict[str, object] = {"seals": seals, "filled_s": round(time.perf_counter() - began)}
        logged = LoggedSeals(office.database, office.recorder.proofs)
        entries = seals // _ROWS
        last = entries - -(-_ASKED * BATCH_MAX // _ROWS)
        for name, entry in (("start", 0), ("middle", entries // 2), ("end", last)):
            took, found = await _batches(logged, key, Place(first + entry))
            assert found == _ASKED * BATCH_MAX, f"{found} found at the {name}"
            line[f"{name}_ms"] = round(statistics.median(took), 1)
        sealed_anew = replace(key, kid="another")
        began = time.perf_counter()
        place: Place | None = Place()
        while place is not None:
            found_none, place = await logged.next(sealed_anew, _NEVER, place, BATCH_MAX)
            assert not found_none
        line["nothing_left_s"] = round(time.perf_counter() - began, 1)
        return line


def main(arguments: Sequence[str]) -> int:
    """Print one line of JSON for each engine."""
    parser = argparse.ArgumentParser(prog="reseal", description=__doc__)
    parser.add_argument("--seals", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"))
    asked = parser.parse_args(arguments)
    for engine in (asked.engine,) if asked.engine else ("sqlite", "postgresql"):
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                running() if engine == "postgresql" else nullcontext("") as server,
            ):
                url = server or f"sqlite:///{folder}/hub.db"
                line = asyncio.run(measure(url, Path(folder), asked.seals))
        except PostgresqlAbsent as absent:
            line = {"skipped": str(absent)}
        print(json.dumps({"engine": engine, **line}), flush=True)
    return 0
