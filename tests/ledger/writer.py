"""A writer to be killed: records without end and prints each receipt it was given."""

from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path

from hub.domain.entry import Entry
from hub.ledger.checkpoints import FileHead
from hub.ledger.recorder import Recorder
from hub.storage.database import open_database
from tests.ledger.logs import Log, put_thing, remember


async def _record(recorder: Recorder, name: str) -> None:
    version = 0
    while True:
        version += 1
        request_id = str(uuid.uuid4())
        of = Entry("test", "systems/tester", 0, request_id, "A" * 43, {"data": {}})
        writes = [put_thing(name, version)]
        recorded = await recorder.record(of, writes, [], remember=remember(of))
        sys.stdout.write(recorded.receipt + "\n")
        sys.stdout.flush()


async def main(folder: Path) -> None:
    """Record with eight calls under way."""
    database = await open_database(f"sqlite:///{folder}/hub.db")
    recorder = await Log(database, FileHead(folder / "head" / "checkpoint")).started()
    await asyncio.gather(*(_record(recorder, f"thing{number}") for number in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
