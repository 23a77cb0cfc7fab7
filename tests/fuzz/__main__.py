"""`python -m tests.fuzz [TARGET …] [--seconds N]`: fuzz with atheris, and write docs/fuzz.md.

Each target runs in a process of its own, guided by coverage of our code and of the libraries that
it calls. Inputs that were interesting are kept in `.test/fuzz/TARGET` and are the next run's seeds;
each is read again by the code as it is in use, within 2 s and 256 MiB (`limited.py`). An input that
is a finding stays there as `finding-…`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.limited import Limited

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT / ".test" / "fuzz"
PAGE = ROOT / "docs" / "fuzz.md"
# One input may take so long, instrumented as it is, before it is a finding.
INPUT_S_MAX = 10
MEMORY_MB_MAX = 1024
INSTRUMENTED = ["hub", "pyhanko", "pyhanko_certvalidator", "asn1crypto", "PIL"]


@dataclass(frozen=True)
class Outcome:
    """What one target's run came to."""

    name: str
    executions: int
    kept: int
    seconds: int
    features: int
    findings: int


def main(arguments: Sequence[str]) -> int:
    """Run the targets one after the other; 1 where there is a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--page", action="store_true", help="write docs/fuzz.md")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        _inside(options.targets[0], options.seconds)
        return 0
    try:
        importlib.import_module("atheris")
    except ImportError:
        print("atheris is not installed here; tests/fuzz/test_targets.py runs without it.")
        return 0
    names = options.targets or _names()
    outcomes = [_run(name, options.seconds) for name in names]
    for outcome in outcomes:
        print(outcome)
    if options.page:
        PAGE.write_text(_page(outcomes), encoding="utf-8")
    return 1 if any(outcome.findings for outcome in outcomes) else 0


def _names() -> list[str]:
    script = "from tests.fuzz.targets import TARGETS; print(*TARGETS)"
    command = [sys.executable, "-c", script]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def _run(name: str, seconds: int) -> Outcome:
    """One target in a process of its own, which a finding ends."""
    folder = CORPORA / name
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--inside"]
    # Its own limits end it; this one is for a process that hangs.
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds * 3 + 120, check=False
    )
    (folder.parent / f"{name}.log").write_text(done.stderr + done.stdout, encoding="utf-8")
    executions = re.findall(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    features = re.findall(r"\bft: (\d+)", done.stderr)
    seconds, kept = round(time.monotonic() - began), _kept(folder)
    over = _read_again(name, kept)
    return Outcome(
        name,
        int(executions[-1]) if executions else 0,
        len(kept),
        seconds,
        int(features[-1]) if features else 0,
        (0 if done.returncode == 0 and executions else 1) + over,
    )


def _kept(folder: Path) -> list[Path]:
    return [one for one in sorted(folder.iterdir()) if not one.name.startswith("finding-")]


def _read_again(name: str, kept: Sequence[Path]) -> int:
    """How many inputs raise what is not declared, or overrun a limit, as the code is in use."""
    found = 0
    with Limited() as limited:
        for file in kept:
            said = limited.run(name, file.read_bytes())
            if said:
                file.rename(file.with_name(f"finding-{file.name}"))
                print(f"{name}: {file.name}: {said}")
                found += 1
    return found


def _inside(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        targets = importlib.import_module("tests.fuzz.targets").TARGETS
    target = targets[name]
    folder = CORPORA / name
    for number, seed in enumerate(target.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    os.environ.pop("PYTHONPATH", None)
    atheris.Setup(
        [
            sys.argv[0],
            str(folder),
            f"-max_total_time={seconds}",
            f"-max_len={target.bytes_max}",
            f"-timeout={INPUT_S_MAX}",
            f"-rss_limit_mb={MEMORY_MB_MAX}",
            f"-artifact_prefix={folder}/finding-",
            "-print_final_stats=1",
            "-verbosity=1",
        ],
        target.run,
    )
    atheris.Fuzz()


def _page(outcomes: Sequence[Outcome]) -> str:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Fuzzing\n"
    rows = [
        f"| `{item.name}` | {item.executions:,} | {item.kept:,} | {item.seconds} |"
        f" {item.features:,} |"
        f" {item.findings} |"
        for item in outcomes
    ]
    table = "\n".join(
        [
            f"Run of {datetime.now(UTC):%Y-%m-%d}:",
            "",
            "| target | inputs | read again | seconds | features | findings |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )
    head, _, rest = text.partition("\nRun of ")
    _, _, tail = rest.partition("\n\n## ")
    return f"{head.rstrip()}\n\n{table}\n" + (f"\n## {tail}" if tail else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
