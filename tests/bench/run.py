"""`python -m tests.bench.run [names…] [--quick] [--json FILE]`: run programs, print, keep.

`… run scale` and `… run reseal` are programs of their own (`scale.py`, `reseal.py`).

Only loopback; every process and folder of a run is gone when it ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bench import machine, report, reseal, scale, stage
from tests.bench.feed import feed
from tests.bench.fetch import epoch_of_one, fetch, fetch_20, fetch_20_slow_disk, fetch_slow_disk
from tests.bench.ingest import ingest
from tests.bench.instructions import instructions
from tests.bench.latency import latency
from tests.bench.ofd import ofd
from tests.bench.pdf import pdf
from tests.bench.processes import DRIVER_CORE, ROOT
from tests.bench.record_seals import record_seals
from tests.bench.session import FULL, QUICK, Effort, Result, Session, opened
from tests.bench.signer import signer
from tests.bench.sm2 import sm2

ESSENTIAL: Final = ("fetch", "fetch-20", "ingest")
SLOW: Final = f"fsync +{machine.SLOW_FSYNC_US / 1000:g} ms"

Program = Callable[[Session, stage.RunningHub, Mapping[str, str]], Result]

PROGRAMS: Final[Mapping[str, Program]] = {
    "fetch": lambda session, hub, _: fetch(session, hub),
    "fetch-20": lambda session, hub, _: fetch_20(session, hub),
    "latency": lambda session, hub, _: latency(session, hub),
    "ingest": lambda session, _hub, _: ingest(session, {}, ""),
    "epoch-1": lambda session, hub, _: epoch_of_one(session, hub, {}, ""),
    "feed": lambda session, _hub, _: feed(session),
    "instructions": lambda session, hub, _: instructions(session, hub),
}
# These measure what needs no hub around it.
ALONE: Final[Mapping[str, Callable[[Effort], Result]]] = {
    "ofd": ofd,
    "pdf": pdf,
    "record-seals": record_seals,
    "signer": signer,
    "sm2": sm2,
}
NAMES: Final = (*PROGRAMS, *ALONE)
SEALS: Final = tuple(ALONE)
"""What `seals` stands for; its lines are kept."""
ON_SLOW_DISK: Final[Mapping[str, Program]] = {
    "fetch": lambda session, _hub, slow: fetch_slow_disk(session, slow),
    "fetch-20": lambda session, _hub, slow: fetch_20_slow_disk(session, slow),
    "ingest": lambda session, _hub, slow: ingest(session, slow, SLOW),
    "epoch-1": lambda session, hub, slow: epoch_of_one(session, hub, slow, SLOW),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for. 0 when every program measured or was skipped with a reason."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["scale"]:
        return scale.main(given[1:])  # It needs no hub, and has options of its own.
    if given[:1] == ["reseal"]:
        return reseal.main(given[1:])
    parser = argparse.ArgumentParser(prog="tests.bench.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; or seals")
    parser.add_argument("--quick", action="store_true", help="the essentials in about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON lines there too")
    asked = parser.parse_args(given)
    seals = asked.names == ["seals"]
    if seals:
        asked.names = list(SEALS)
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no program {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    # An end from outside takes the same way as an error: through every `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, {DRIVER_CORE})
    names = tuple(asked.names) or (ESSENTIAL if asked.quick else NAMES)
    console = Console(soft_wrap=True)
    parent = ROOT / ".test"
    parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        facts = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine.facts(Path(folder)),
        }
        results, failed = _run(Path(folder), names, console, quick=asked.quick)
    if asked.json is not None:
        lines = [report.line(result, facts, quick=asked.quick) for result in results]
        asked.json.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not asked.quick and not asked.names and not failed:
        for path in report.keep(results, facts):
            console.print(f"Written: {path.relative_to(ROOT)}")
    if seals and not failed:
        console.print(
            f"Written: {report.append(results, facts, quick=asked.quick).relative_to(ROOT)}"
        )
    return 1 if failed else 0


def _run(
    folder: Path, names: Sequence[str], console: Console, *, quick: bool
) -> tuple[list[Result], bool]:
    results: list[Result] = []
    effort = QUICK if quick else FULL
    whole = True

    def measure(title: str, program: Callable[[], Result]) -> None:
        nonlocal whole
        try:
            result = program()
        except Exception:
            # What one program lacks does not keep the others from measuring.
            console.print(f"[red]{title} failed[/red]")
            traceback.print_exc()
            whole = False
            return
        report.show(console, result)
        results.append(result)

    for name in names:
        if name in ALONE:
            measure(name, partial(ALONE[name], effort))
    if not set(names) & PROGRAMS.keys():
        return results, not whole
    slow, why_not = ({}, "") if quick else machine.slow_fsync(folder)
    console.print("Building a hub with certificates on file …")
    with opened(folder, effort) as (session, hub):
        for name in names:
            if name in PROGRAMS:
                measure(name, partial(PROGRAMS[name], session, hub, slow))
            if name in ON_SLOW_DISK and not quick:
                if why_not:
                    measure(name, partial(Result, name, SLOW, skipped=why_not))
                else:
                    measure(f"{name} {SLOW}", partial(ON_SLOW_DISK[name], session, hub, slow))
    return results, not whole


if __name__ == "__main__":
    sys.exit(main())
