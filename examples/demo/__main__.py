"""`make demo`: the whole way once, on embedded defaults, with commands a person would type.

Every figure that is printed was computed in this run; `.demo/report.json` holds them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from examples.demo import scoreboard
from examples.demo.address import move
from examples.demo.cast import ROOT, dependents, listed, registers
from examples.demo.copies import copy
from examples.demo.exchange import exchange, verify
from examples.demo.preparation import approve, enrol, ingest, make_home
from examples.demo.restaurant import plan, register_today
from examples.demo.stage import Demo, serving
from examples.demo.tamper import tamper

# Says that a folder was made by a demonstration, which the next one may remove.
MARK: Final = "made-by-demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 when everything came out as it must."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with real registration files")
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="where it runs")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the report only; the story goes to standard error",
    )
    parser.add_argument("--font", default="", help="Chinese font that may be embedded")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    folder = options.folder.resolve()
    clear(folder)
    sources = registers(folder, options.data)
    console = Console(stderr=options.json)
    demo = Demo(folder, console, sources, dependents(folder, listed(sources[0])))
    make_home(demo, options.font)
    with serving(demo):
        enrol(demo)
        approve(demo)
        ingest(demo)
        exchange(demo)
        verify(demo)
        copy(demo, options.font)
        register_today(demo)
        plan(demo)
        move(demo)
    tamper(demo)
    demo.report["seconds"] = round(time.perf_counter() - started, 1)
    report = json.dumps(demo.report, indent=2) + "\n"
    (folder / "report.json").write_text(report)
    scoreboard.show(demo)
    if options.json:
        sys.stdout.write(report)
    return 0


def clear(folder: Path) -> None:
    """An empty folder for this run. Only what an earlier run left is removed, nothing else."""
    if folder.exists():
        if not (folder / MARK).is_file() and any(folder.iterdir()):
            raise SystemExit(f"{folder} holds other things: name an empty folder, or a new one")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / MARK).touch()


if __name__ == "__main__":
    sys.exit(main())
