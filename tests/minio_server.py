"""A real MinIO server for tests: built once from its source, then a process on loopback.

`python -m tests.minio_server` builds it. The program lies in `.test/`, outside the repository's
history; Go keeps what it compiled, so a second checkout only links it again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minio import Minio
from minio.error import S3Error

from hub.storage.s3 import Bucket, S3Settings

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
REGION = "us-east-1"
ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".test" / f"minio-{VERSION}"
BUILD_S = 540
# A test that waits for the build must end within its own limit.
_BUILD_IN_TEST_S = 240
_START_S = 30.0


class MinioAbsent(Exception):
    """No server can be had here; the text says why."""


def program(build_s: int = _BUILD_IN_TEST_S) -> Path:
    """The server's program, built where it is missing. Raises MinioAbsent."""
    if PROGRAM.exists():
        return PROGRAM
    go = shutil.which("go")
    if go is None:
        raise MinioAbsent("Go is not installed, which builds the server")
    PROGRAM.parent.mkdir(exist_ok=True)
    with (PROGRAM.parent / "minio.lock").open("w") as lock:
        # Several test processes: one builds, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not PROGRAM.exists():
            _build(go, build_s)
    return PROGRAM


def _build(go: str, build_s: int) -> None:
    with tempfile.TemporaryDirectory(dir=PROGRAM.parent) as folder:
        command = [go, "install", "-ldflags=-s -w", f"github.com/minio/minio@{VERSION}"]
        try:
            done = subprocess.run(
                command, env={**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}, timeout=build_s,
                capture_output=True, check=False, cwd=folder,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise MinioAbsent(f"the build took longer than {build_s} s; run: make test") from error
        if done.returncode:
            text = done.stderr.decode(errors="replace").strip()[-300:]
            raise MinioAbsent(f"go install failed: {text}")
        (Path(folder) / "minio").rename(PROGRAM)


@dataclass
class MinioServer:
    """One server with its own folder; it can be killed, stopped for a while and started again."""

    folder: Path
    port: int
    access_key: str = "sealway-test"
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials_file(self) -> Path:
        """Access key and secret key, as the hub reads them."""
        path = self.folder / "credentials"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(f"{self.access_key}\n{self.secret_key}\n", encoding="ascii")
        return path

    def start(self) -> None:
        """Serve; answers when it returns. Raises MinioAbsent."""
        environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(self.folder),
            "MINIO_ROOT_USER": self.access_key, "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_BROWSER": "off", "MINIO_UPDATE": "off", "MINIO_REGION": REGION,
            "MINIO_CI_CD": "1", "GOMAXPROCS": "2",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [program(), "server", self.folder / "data", "--quiet", "--anonymous",
             "--address", f"127.0.0.1:{self.port}"],
            env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=(self.folder / "log").open("ab"),
        )  # fmt: skip
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self.process.poll() is None:
            # Its own word that it is ready comes before it takes signed requests.
            with contextlib.suppress(OSError, S3Error):
                url = f"{self.endpoint}/minio/health/ready"
                with urllib.request.urlopen(url, timeout=2) as answer:
                    if answer.status == 200:
                        self.client().list_buckets()
                        return
            time.sleep(0.05)
        self.kill()
        text = (self.folder / "log").read_bytes().decode(errors="replace").strip()[-300:]
        raise MinioAbsent(f"the server did not start: {text}")

    def kill(self) -> None:
        """End it at once; its data stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        """Let it take connections and answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        # Its threads stop one by one; until all have, it may still answer.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def settings(self) -> S3Settings:
        """How the hub reaches it."""
        return S3Settings(self.endpoint, REGION, self.credentials_file)

    def new_bucket(self) -> str:
        """A fresh, empty bucket."""
        name = f"test-{secrets.token_hex(8)}"
        self.client().make_bucket(name)
        return name

    def bucket(self) -> Bucket:
        """A fresh, empty bucket, opened as the hub opens it."""
        return Bucket(self.settings(), self.new_bucket())

    def client(self) -> Minio:
        """A client of the test's own."""
        return Minio(f"127.0.0.1:{self.port}", self.access_key, self.secret_key,
                     secure=False, region=REGION)  # fmt: skip


@contextlib.contextmanager
def running() -> Iterator[MinioServer]:
    """A server while the context lasts. Raises MinioAbsent."""
    program()
    folder = Path(tempfile.mkdtemp(prefix="sealway-minio-"))
    server = MinioServer(folder, _free_port())
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    try:
        print(program(BUILD_S))
    except MinioAbsent as absent:
        raise SystemExit(f"no MinIO: {absent}") from absent
