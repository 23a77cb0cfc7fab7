"""Runs the product in processes that can be killed at any durable step.

One process loads everything once and forks a child per order, so that a start costs no import.
Orders and answers are one JSON line each:

    {"run": [arguments of sealway], "folder": where, "set": {"module.NAME": value}} → {"pid": …}
    {"keys": folder, "passphrase": file} → {}: later children need not derive these keys again
    {"wait": pid, "seconds": …} → {"status": exit status, −signal when killed, null while it runs}

A child writes its output to `folder/output`. While `folder/arm` exists, it appends the name of each
durable step it comes to, to `folder/steps`, and kills itself at the step whose number `arm` holds
(0: never). Nothing of this is known to the product: its calls are wrapped from outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_MODULES = (
    "connectors.run",
    "hub.cli.main",
    "hub.ledger.audit",
    "hub.server",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "uvicorn.lifespan.off",
)


class Steps:
    """Counts durable steps while armed."""

    def __init__(self, folder: Path) -> None:
        self._arm = folder / "arm"
        self._log = os.open(folder / "steps", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self._count = 0

    def reach(self, name: str) -> None:
        """The process is about to do, or has just done, `name`."""
        try:
            last = int(self._arm.read_text())
        except (FileNotFoundError, ValueError):
            return
        with self._lock:
            self._count += 1
            os.write(self._log, f"{name}\n".encode())
            if self._count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        """`call`, with a step before and one after it."""

        @functools.wraps(call)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            said = name(*arguments)
            self.reach(f"before {said}")
            result = call(*arguments, **named)
            self.reach(f"after {said}")
            return result

        return wrapped


def watch(steps: Steps) -> None:
    """Wrap every call by which something becomes durable or leaves the process."""
    from connectors.submit import GrpcSubmitter
    from hub.ledger.recorder import Recorder

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *arguments)
            steps.reach("before commit")
            cursor = super().execute(sql, *arguments)
            steps.reach("after commit")
            return cursor

    setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Connection))  # noqa: B010
    os.fsync = steps.around(os.fsync, lambda file: f"fsync {_file_name(file)}")
    os.fdatasync = steps.around(os.fdatasync, lambda file: f"fdatasync {_file_name(file)}")
    os.replace = steps.around(os.replace, lambda _source, target: f"replace {Path(target).name}")
    GrpcSubmitter.submit = steps.around(GrpcSubmitter.submit, lambda *_: "submit")  # type: ignore[method-assign]
    create = os.open

    def open_file(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        file = create(path, flags, *arguments, **named)
        if flags & os.O_CREAT:
            steps.reach(f"after create {Path(path).suffix}")
        return file

    os.open = open_file
    record = Recorder.record

    async def recorded(*arguments: Any, **named: Any) -> Any:
        result = await record(*arguments, **named)
        steps.reach("before answer")
        return result

    Recorder.record = recorded  # type: ignore[method-assign]


def _file_name(file: int) -> str:
    path = Path(f"/proc/self/fd/{file}").readlink()
    # The rest of a key file's name is new each time.
    return path.suffix if path.suffix == ".key" else path.name


def _become(order: dict[str, Any]) -> None:
    """Be `sealway` with the order's arguments; does not return."""
    code = 70
    try:
        _die_with_parent()
        folder = Path(order["folder"])
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for target in (1, 2):
            os.dup2(output, target)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for name, value in order.get("set", {}).items():
            module, _, attribute = name.rpartition(".")
            setattr(importlib.import_module(module), attribute, value)
        watch(Steps(folder))
        from hub.cli.main import run

        code = run(order["run"])
    except BaseException as error:
        # Told in the output, and by the exit status.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(pid: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            return None
        time.sleep(0.005)


def remember_derived_keys() -> None:
    """Derive the key of a passphrase and salt once per process; that is slow on purpose."""
    from hub.storage import key_files

    key_files._cipher = functools.lru_cache(key_files._cipher)


def derive_keys(folder: Path, passphrase: Path) -> None:
    """Derive what opens every key file below `folder`."""
    from hub.errors import HubError
    from hub.storage.key_files import read_key_file

    for file in folder.rglob("*.key"):
        # No key is for this purpose, but its cipher is remembered.
        with contextlib.suppress(HubError):
            read_key_file(file, purpose="", passphrase=passphrase.read_bytes().strip())


def main() -> None:
    """Serve orders until the input ends."""
    _die_with_parent()
    for module in _MODULES:
        importlib.import_module(module)
    remember_derived_keys()
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = {"status": _wait(order["wait"], order["seconds"])}
        elif "keys" in order:
            derive_keys(Path(order["keys"]), Path(order["passphrase"]))
            answer = {}
        else:
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                _become(order)
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
