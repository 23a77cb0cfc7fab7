"""A real Prometheus for tests and for the local topology: found, or unpacked once from a package.

`python -m tests.prometheus_server` gets it. The programs lie in `.test/`, outside the repository's
history. Nothing is installed on the machine: the package is unpacked, no service of it is started.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_UNPACKED = _ROOT / ".test" / "prometheus"
_PACKAGE_S = 240
_START_S = 30.0


class PrometheusAbsent(Exception):
    """No server can be had here; the text says why."""


@dataclass(frozen=True)
class Programs:
    """The server, and the tool that checks its files."""

    server: Path
    tool: Path


def programs() -> Programs:
    """What is on the search path, else what Debian's package holds. Raises PrometheusAbsent."""
    server, tool = shutil.which("prometheus"), shutil.which("promtool")
    if server is not None and tool is not None:
        return Programs(Path(server), Path(tool))
    if not _UNPACKED.exists():
        _UNPACKED.parent.mkdir(exist_ok=True)
        with (_UNPACKED.parent / "prometheus.lock").open("w") as lock:
            # Several test processes: one unpacks, the others wait for it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _UNPACKED.exists():
                _unpack()
    return Programs(_UNPACKED / "usr/bin/prometheus", _UNPACKED / "usr/bin/promtool")


def _unpack() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PrometheusAbsent(
            "prometheus and promtool are not on the search path, and this is no Debian"
        )
    with tempfile.TemporaryDirectory(dir=_UNPACKED.parent) as name:
        folder = Path(name)
        try:
            done = _run(["apt-get", "download", "-q", "prometheus"], folder)
            if done.returncode:
                # A new machine has no list of packages yet.
                _run(["apt-get", "update", "-q"], folder)
                done = _run(["apt-get", "download", "-q", "prometheus"], folder)
            packages = list(folder.glob("prometheus_*.deb"))
            if done.returncode or len(packages) != 1:
                raise PrometheusAbsent(f"apt-get download: {done.stderr.strip()[-300:]}")
            done = _run(["dpkg-deb", "-x", str(packages[0]), "programs"], folder)
        except subprocess.TimeoutExpired as error:
            raise PrometheusAbsent(f"{error.cmd[0]} took longer than {_PACKAGE_S} s") from error
        if done.returncode:
            raise PrometheusAbsent(f"dpkg-deb: {done.stderr.strip()[-300:]}")
        # Renamed when complete, so that an interrupted one is never taken for the programs.
        (folder / "programs").rename(_UNPACKED)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=_PACKAGE_S,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextlib.contextmanager
def running(config: Path, data: Path, port: int) -> Iterator[str]:
    """A server with this configuration while the context lasts; yields its address.

    Ready to be asked when it yields. Raises PrometheusAbsent.
    """
    data.mkdir(parents=True, exist_ok=True)
    log = data / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [programs().server, f"--config.file={config}", f"--storage.tsdb.path={data / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=data,
        )  # fmt: skip
    try:
        _wait(server, f"http://127.0.0.1:{port}/-/ready", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
        if server.poll() is None:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(ready, timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.05)
    text = log.read_bytes().decode(errors="replace").strip()[-300:]
    raise PrometheusAbsent(f"the server did not start: {text}")


if __name__ == "__main__":
    try:
        print(programs().server)
    except PrometheusAbsent as absent:
        raise SystemExit(f"no Prometheus: {absent}") from absent
