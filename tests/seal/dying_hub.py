"""A hub that is killed when a key was made and its record is about to be written.

`python -m tests.seal.dying_hub HOME` carries out the approved intent `more` there.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from hub.domain.entry import Entry
from hub.ledger.recorder import Recorder
from tests.simulator import Simulator

_record = Recorder.record


async def _record_or_die(recorder: Recorder, entry: Entry, *rest: Any, **more: Any) -> Any:
    if entry.kind == "key.generated":
        os.kill(os.getpid(), signal.SIGKILL)
    return await _record(recorder, entry, *rest, **more)


async def main(home: Path) -> None:
    async with Simulator(home) as hub:
        await hub.officer().execute("more")


if __name__ == "__main__":
    Recorder.record = _record_or_die  # type: ignore[method-assign]
    asyncio.run(main(Path(sys.argv[1])))
