"""Targets in a process that can be killed: each input has 2 s of processor time and 256 MiB.

As a module it is that process (`python -m tests.fuzz.limited`): it loads every target, then answers
one input after the other. The memory is counted from what the loaded code takes.
"""

from __future__ import annotations

import base64
import contextlib
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parents[2]
CPU_S_MAX: Final = 2.0
MEMORY_BYTES_MAX: Final = 268_435_456
# For one that waits for something, which uses no processor.
WALL_S_MAX: Final = 60.0
_HEAD: Final = struct.Struct(">HI")
_SEEDS: Final = "seeds of "
_COMMAND: Final = (sys.executable, "-m", "tests.fuzz.limited")


def _loop(_: bytes) -> None:
    while True:
        pass


def _memory(_: bytes) -> None:
    bytes(2 * MEMORY_BYTES_MAX)


BOMBS: Final[Mapping[str, Callable[[bytes], None]]] = {"loop": _loop, "memory": _memory}
"""Targets that overrun a limit, by which a test sees that there is one."""


@dataclass
class Limited:
    """The process, started where there is none. One thread asks."""

    _process: subprocess.Popen[bytes] | None = None
    _seeds: dict[str, list[bytes]] = field(default_factory=dict)

    def seeds(self, name: str) -> list[bytes]:
        """The seeds of a target there: keys are made anew by each process."""
        if name not in self._seeds:
            said = self._ask(f"{_SEEDS}{name}", b"")
            assert said is not None, "it only tells them"
            self._seeds[name] = [base64.b64decode(one) for one in said.split()]
        return self._seeds[name]

    def run(self, name: str, data: bytes) -> str:
        """What was wrong with target `name` on `data`; "" for nothing."""
        said = self._ask(name, data)
        if said is not None:
            return said.decode()
        code = self.close()
        ended = signal.Signals(-code).name if code < 0 else "ended"
        return f"{ended}: {name} took more than {CPU_S_MAX} s, or crashed"

    def _ask(self, name: str, data: bytes) -> bytes | None:
        """The answer; None where the process has ended."""
        if self._process is None:
            self._process = subprocess.Popen(
                _COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        process = self._process
        assert process.stdin is not None, "asked for"
        assert process.stdout is not None, "asked for"
        end = threading.Timer(WALL_S_MAX, process.kill)
        end.start()
        try:
            process.stdin.write(_HEAD.pack(len(name), len(data)) + name.encode() + data)
            process.stdin.flush()
            head = _read(process.stdout, _HEAD.size)
            return None if head is None else _read(process.stdout, _HEAD.unpack(head)[1])
        except BrokenPipeError:
            return None
        finally:
            end.cancel()

    def close(self) -> int:
        """End the process; what it ended with."""
        process, self._process = self._process, None
        self._seeds.clear()
        if process is None:
            return 0
        with process:
            assert process.stdin is not None, "asked for"
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return process.returncode

    def __enter__(self) -> Limited:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()


def _read(stream: IO[bytes], length: int) -> bytes | None:
    data = stream.read(length)
    return data if len(data) == length else None


def main() -> None:
    """Answer until standard input ends."""
    from tests.fuzz.targets import TARGETS

    targets = {**BOMBS, **{name: target.run for name, target in TARGETS.items()}}
    # What a parser prints is no answer.
    given, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = taken + MEMORY_BYTES_MAX
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    while (head := _read(given, _HEAD.size)) is not None:
        name_length, length = _HEAD.unpack(head)
        name, data = given.read(name_length).decode(), given.read(length)
        if name.startswith(_SEEDS):
            seeds = TARGETS[name.removeprefix(_SEEDS)].seeds
            _tell(answers, b"\n".join(base64.b64encode(one) or b"=" for one in seeds))
            continue
        said = ""
        # Ends the process: nothing in it could, while a library computes.
        signal.setitimer(signal.ITIMER_PROF, CPU_S_MAX)
        try:
            targets[name](data)
        except BaseException:
            said = traceback.format_exc()
        signal.setitimer(signal.ITIMER_PROF, 0)
        _tell(answers, said.encode())


def _tell(answers: IO[bytes], said: bytes) -> None:
    answers.write(_HEAD.pack(0, len(said)) + said)
    answers.flush()


if __name__ == "__main__":
    main()
