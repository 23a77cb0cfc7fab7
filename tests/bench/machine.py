"""What a figure depends on: machine, versions, disk, and how much of the CPU others took."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.figures import spread
from tests.bench.processes import ROOT, SERVER_CORE

_PACKAGES: Final = ("grpcio", "protobuf", "cryptography", "uvloop", "sqlalchemy", "orjson")
_FSYNCS: Final = 200
SLOW_FSYNC_US: Final = 1000


def facts(folder: Path) -> dict[str, object]:
    """The machine, in JSON. `folder` lies on the disk that is measured."""
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "fdatasync_us": round(fsync_us(folder), 1),
    }


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "hub"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:12] + ("+" if changed.stdout.strip() else "")


def _cpu_model() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def fsync_us(folder: Path) -> float:
    """Median of an fdatasync after 4 KiB of writing, in microseconds."""
    path = folder / "fsync"
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            file.write(bytes(4096))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1e6)
    path.unlink()
    return spread(took).median


class Steal:
    """The share of CPU time that the hypervisor gave to others since this was made."""

    def __init__(self) -> None:
        self._start = _cpu_ticks()

    def share(self) -> float:
        """Between 0 and 1."""
        total, steal = (now - then for now, then in zip(_cpu_ticks(), self._start, strict=True))
        return steal / total if total else 0.0


def _cpu_ticks() -> tuple[int, int]:
    line = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    ticks = [int(part) for part in line.split()[1:9]]
    return sum(ticks), ticks[7]


def slow_fsync(folder: Path) -> tuple[dict[str, str], str]:
    """The environment of a process whose disk is a millisecond slower; or why there is none."""
    compiler = shutil.which("cc")
    if compiler is None:
        return {}, "no C compiler (cc) to build the shim with"
    library = folder / "slow_fsync.so"
    source = Path(__file__).parent / "slow_fsync.c"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        return {}, f"the shim does not compile: {built.stderr.strip()[:200]}"
    environment = {"LD_PRELOAD": str(library), "SLOW_FSYNC_US": str(SLOW_FSYNC_US)}
    # A shim that does nothing would be a lie in the table.
    probe = "import sys, pathlib; from tests.bench.machine import fsync_us"
    probe += "; print(fsync_us(pathlib.Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", probe, str(folder)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or float(done.stdout) < SLOW_FSYNC_US:
        return {}, "the shim has no effect here"
    return environment, ""


def openssl_signatures_per_second(seconds: int) -> tuple[float, str]:
    """P-256 signatures per second of `openssl speed` on the servers' core; or why not."""
    speed, why_not = openssl_speed("ecdsap256", seconds, SERVER_CORE)
    return (speed.sign if speed else 0.0), why_not


@dataclass(frozen=True, slots=True)
class Speed:
    """What `openssl speed` found, per second of processor time."""

    sign: float
    verify: float


def openssl_speed(algorithm: str, seconds: int, core: int) -> tuple[Speed | None, str]:
    """Signatures and verifications of `algorithm` on one core; or why not."""
    openssl, taskset = shutil.which("openssl"), shutil.which("taskset")
    if openssl is None:
        return None, "no openssl program"
    pin = [taskset, "-c", str(core)] if taskset else []
    done = subprocess.run(
        [*pin, openssl, "speed", "-seconds", str(seconds), "-mr", algorithm],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(
        r"^\+F\d+:\d+:256:(?:CurveSM2:)?([0-9.]+):([0-9.]+)", done.stdout, re.MULTILINE
    )
    if found is None:
        return None, f"openssl speed {algorithm} printed nothing that can be read"
    # Seconds per operation in old versions, operations per second in newer ones.
    sign, verify = (value if value > 1 else 1 / value for value in map(float, found.groups()))
    return Speed(sign, verify), ""
