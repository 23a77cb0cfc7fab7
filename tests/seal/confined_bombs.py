"""A confined process that goes wrong: `python -m tests.seal.confined_bombs HOW`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.seal.confined import Confined, Said


def process(how: str, **limits: float) -> Confined:
    """One that ends as `how` says."""
    command = (sys.executable, "-m", "tests.seal.confined_bombs", how)
    values: dict[str, Any] = {"cpu_s": 1, "wall_s": 20.0}
    return Confined(command, memory_max=300_000_000, answer_max=1_000, **(values | limits))


def _answer(words: Mapping[str, Any], files: Sequence[bytes]) -> Said:
    how = sys.argv[1]
    if how == "loop":
        while True:
            pass
    if how == "sleep":
        time.sleep(60)
    if how == "memory":
        return {"held": len(bytes(600_000_000))}, ()
    if how == "flood":
        os.write(1, bytes(5_000))
        time.sleep(60)
    if how == "raise":
        raise ValueError("what stands in the file")
    if how == "exit":
        os._exit(0)
    if how == "garbage":
        os.write(1, b"\x00\x00\x00\x09[]")
        os._exit(0)
    if how == "no words":
        os.write(1, b"\x00\x00\x00\x02[]")
        os._exit(0)
    if how == "write":
        Path(words["file"]).write_bytes(b"x")
    if how == "look":
        return {"environment": dict(os.environ)}, ()
    return {"sizes": [len(one) for one in files]}, files[:1]


if __name__ == "__main__":
    process("").serve(_answer)
