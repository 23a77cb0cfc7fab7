"""Files of others are read in a process that reads one and ends (docs/adr/0044).

Such a process has no environment, may write no file, and has little time and memory; what it says
comes back as bytes. One that was taken over can lie about the file that it was given, and nothing
else. It is started anew and never forked: the hub has threads, and secrets in memory.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, TypeAlias

PYTHON: Final = (sys.executable, "-I", "-B", "-m")
"""What runs a module of ours, which serves one request (`Confined.serve`)."""
AT_ONCE: Final = 4
_ROOMS: Final = threading.BoundedSemaphore(AT_ONCE)
_LENGTH_BYTES: Final = 4
_PART_BYTES: Final = 65_536

Said: TypeAlias = "tuple[Mapping[str, Any], Sequence[bytes]]"
"""What is asked or answered: a few words, and the bytes of files."""


class OverrunError(Exception):
    """The process was ended, or ended without an answer."""


@dataclass(frozen=True, slots=True)
class Confined:
    """A process and its limits: memory and answer in bytes, processor and clock in seconds."""

    command: Sequence[str]
    memory_max: int
    answer_max: int
    cpu_s: int
    wall_s: float

    def ask(self, words: Mapping[str, Any], *files: bytes) -> Said:
        """The answer. Blocks for as long as the process may take, and before that while others are
        asked, `AT_ONCE` at most. Raises OverrunError."""
        with (
            _ROOMS,
            subprocess.Popen(  # noqa: S603 - our own module
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What libraries print may hold what stands in the file.
                stderr=subprocess.DEVNULL,
                env={"MALLOC_ARENA_MAX": "1"},
            ) as process,
        ):
            assert process.stdin is not None, "asked for"
            assert process.stdout is not None, "asked for"
            end = threading.Timer(self.wall_s, process.kill)
            told = threading.Thread(target=_tell, args=(process.stdin, _packed(words, files)))
            end.start()
            told.start()
            try:
                answer = _heard(process.stdout, self.answer_max)
            finally:
                end.cancel()
                process.kill()
                told.join()
        try:
            return _unpacked(answer)
        except (ValueError, TypeError) as error:
            raise OverrunError from error

    def serve(self, answer: Callable[[Mapping[str, Any], Sequence[bytes]], Said]) -> None:
        """In that process: answer what stands on standard input, within the limits."""
        # What loading it has used is not the file's. The kernel ends it; a process that was taken
        # over may stop the timer, and not the limit.
        signal.setitimer(signal.ITIMER_PROF, self.cpu_s)
        used_s = math.ceil(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        for limit, value in (
            (resource.RLIMIT_AS, self.memory_max),
            (resource.RLIMIT_CPU, used_s + self.cpu_s),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(limit, (value, value))
        # Without an answer it was too much for it, whatever ended it.
        with contextlib.suppress(MemoryError):
            said = _packed(*answer(*_unpacked(sys.stdin.buffer.read())))
            sys.stdout.buffer.write(said)
            sys.stdout.buffer.flush()


def _tell(stdin: IO[bytes], request: bytes) -> None:
    """All of the request; a process that ended needs none of it."""
    with contextlib.suppress(BrokenPipeError):
        stdin.write(request)
    with contextlib.suppress(BrokenPipeError):
        stdin.close()


def _heard(stdout: IO[bytes], bytes_max: int) -> bytes:
    """The answer, or as much of it as is too much. Memory is taken for what comes, no more."""
    answer = bytearray()
    while len(answer) <= bytes_max and (part := os.read(stdout.fileno(), _PART_BYTES)):
        answer += part
    return bytes(answer) if len(answer) <= bytes_max else b""


def _packed(words: Mapping[str, Any], files: Sequence[bytes]) -> bytes:
    parts = (json.dumps(words).encode(), *files)
    return b"".join(len(one).to_bytes(_LENGTH_BYTES) + one for one in parts)


def _unpacked(data: bytes) -> Said:
    """Raises ValueError, TypeError."""
    parts, at = [], 0
    while at < len(data):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(data[begin - _LENGTH_BYTES : begin])
        parts.append(data[begin:at])
    if at != len(data) or not parts:
        raise ValueError("cut off")
    words = json.loads(parts[0])
    if not isinstance(words, dict):
        raise TypeError("no words")
    return words, parts[1:]
