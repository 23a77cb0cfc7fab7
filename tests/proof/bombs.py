"""A worker whose verification is hostile, as a file might make it: `python -m tests.proof.bombs`.

What to do stands in the file, behind the first bytes of a seal.
"""

from __future__ import annotations

import os
import signal
import time

from hub.proof.reports.report import Kind, Report, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import Trust
from hub.proof.worker import serve

# Begins as an electronic seal does, for which no library need be loaded.
BOMB = bytes.fromhex("3010300e300c1602")


def explode(data: bytes, kind: Kind, _trust: Trust | None, _evidence: Evidence) -> Report:
    """Do what the file says; a file that says nothing is fine."""
    match data.removeprefix(BOMB):
        case b"loop":
            while True:
                pass
        case b"sleep":
            time.sleep(60)
        case b"nap":
            time.sleep(0.6)
        case b"memory":
            held = [bytes(1_000_000)]
            while True:
                held.append(bytes(1_000_000))
        case b"256 MiB":
            # Whoever asks for all that there may be gets none of it.
            bytes(268_435_456)
        case b"128 MiB":
            bytes(134_217_728)
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"error":
            raise KeyError("a bug")
        case b"lie":
            os.write(0, (7).to_bytes(8, "big") + b'{"v":9}')
        case b"flood":
            os.write(0, (1 << 40).to_bytes(8, "big"))
    run = Run(kind)
    run.check(StepName.PACKAGE, lambda: None)
    return run.report()


if __name__ == "__main__":
    serve(explode)
