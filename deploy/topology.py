"""The whole topology as plain processes on loopback, where containers cannot run.

    python -m deploy.topology

A real PostgreSQL, a real MinIO with the documents and the external head, two hubs on both, and a
real Prometheus with the shipped scrape configuration and alerts. Everything lies in temporary
folders: when the program ends, by Ctrl-C or SIGTERM, its processes are gone and so are they. The
programs are found, fetched or built as the tests do it (`tests/postgresql_server.py`,
`tests/minio_server.py`, `tests/prometheus_server.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import asyncpg
import yaml

from tests import minio_server, postgresql_server, prometheus_server

_ROOT: Final = Path(__file__).resolve().parent.parent
_START_S: Final = 120.0
_STOP_S: Final = 30.0
_OFFICERS: Final = ("wang", "zhao", "chen")


class NotStarted(Exception):
    """A process of the topology ended before it served; the text is what it said."""


@dataclass
class Hub:
    """One of the hubs: its own configuration and ports, the same home."""

    replica: int
    config: Path
    log: Path
    port: int
    http_port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where gRPC is served."""
        return f"127.0.0.1:{self.port}"

    @property
    def http_address(self) -> str:
        """Where health and metrics are served."""
        return f"127.0.0.1:{self.http_port}"

    def start(self) -> None:
        """Serve; answers when it returns. Raises NotStarted."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "serve", "--config", str(self.config)],
                cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        end = time.monotonic() + _START_S
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise NotStarted(self.log.read_text(encoding="utf-8", errors="replace")[-1000:])

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order, by force where that takes too long."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_S)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None


@dataclass(frozen=True)
class Stores:
    """What the hubs keep everything in; each part empty when the first hub begins."""

    database_url: str
    minio: str
    credentials_file: Path
    bucket: str

    def configured(self, text: str) -> str:
        """The configuration `text`, as `sealway init` or deploy/hub.toml has it, on these."""
        text = _with(text, "database", "url", self.database_url)
        text = _with(text, "ledger", "head", f"s3://{self.bucket}/head/checkpoint")
        return (
            f'{text}\n[blobs]\nurl = "s3://{self.bucket}/documents"\n\n[s3]\n'
            f'endpoint = "{self.minio}"\nregion = "{minio_server.REGION}"\n'
            f'credentials_file = "{self.credentials_file}"\n'
        )


@dataclass(frozen=True)
class Topology:
    """What runs, and where."""

    home: Path
    stores: Stores
    hubs: tuple[Hub, ...]
    prometheus: str


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    prepare: Callable[[Path, Stores], None] | None = None,
    seconds: float | None = None,
) -> Iterator[Topology]:
    """Everything, while the context lasts, with its files in `folder`.

    `prepare` makes the home at its first argument on the empty stores of its second; without it
    `sealway init` does. `seconds` replaces how often Prometheus scrapes and judges and how long
    each alert waits. Raises NotStarted, PostgresqlAbsent, MinioAbsent, PrometheusAbsent.
    """
    home = folder / "home"
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgresql_server.running())
        url = asyncio.run(_new_database(server))
        minio = stack.enter_context(minio_server.running())
        stores = Stores(url, minio.endpoint, minio.credentials_file, minio.new_bucket())
        (prepare or begin)(home, stores)
        hubs = tuple(_configured(home, folder, replica) for replica in (0, 1))
        for hub in hubs:
            stack.callback(hub.stop)
            hub.start()
        config = write_prometheus(folder / "prometheus", hubs, seconds)
        data = folder / "prometheus" / "data"
        prometheus = stack.enter_context(prometheus_server.running(config, data, _free_ports(1)[0]))
        yield Topology(home, stores, hubs, prometheus)


def begin(home: Path, stores: Stores) -> None:
    """`sealway init` on these stores. Raises NotStarted."""
    home.mkdir(mode=0o700)
    text = (_ROOT / "deploy" / "hub.toml").read_text(encoding="utf-8")
    (home / "hub.toml").write_text(stores.configured(text), encoding="utf-8")
    officers = [word for name in _OFFICERS for word in ("--officer", name)]
    done = subprocess.run(
        [sys.executable, "-m", "hub", "init", str(home), *officers],
        cwd=_ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=_START_S,
    )  # fmt: skip
    if done.returncode:
        raise NotStarted((done.stdout + done.stderr)[-1000:])


def write_prometheus(folder: Path, hubs: tuple[Hub, ...], seconds: float | None) -> Path:
    """The shipped configuration and alerts in `folder`, on these hubs; the file to start with."""
    folder.mkdir()
    shipped = _ROOT / "deploy" / "prometheus"
    config = yaml.safe_load((shipped / "prometheus.yml").read_text(encoding="utf-8"))
    alerts = yaml.safe_load((shipped / "alerts.yml").read_text(encoding="utf-8"))
    if seconds is not None:
        span = f"{round(seconds * 1000)}ms"
        config["global"] = {"scrape_interval": span, "evaluation_interval": span}
        for group in alerts["groups"]:
            for rule in group["rules"]:
                rule["for"] = span
    _write_yaml(folder / "prometheus.yml", config)
    _write_yaml(folder / "alerts.yml", alerts)
    targets = [{"targets": [hub.http_address for hub in hubs]}]
    (folder / "hubs.json").write_text(json.dumps(targets), encoding="utf-8")
    return folder / "prometheus.yml"


def _configured(home: Path, folder: Path, replica: int) -> Hub:
    """A configuration of its own beside the home's: another number, other ports, all else alike."""
    port, http_port = _free_ports(2)
    text = (home / "hub.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^replica = .*\n", "", text)
    text = text.replace("[hub]\n", f"[hub]\nreplica = {replica}\n", 1)
    text = _with(text, "grpc", "address", f"127.0.0.1:{port}")
    text = _with(text, "http", "address", f"127.0.0.1:{http_port}")
    config = home / f"hub-{replica}.toml"
    config.write_text(text, encoding="utf-8")
    return Hub(replica, config, folder / f"hub-{replica}.log", port, http_port)


def _with(text: str, section: str, name: str, value: str) -> str:
    """`text`, a configuration, with another value of a field that stands in it."""
    pattern = rf'(?ms)(^\[{section}\]\n(?:(?!^\[).)*?^{name} = )"[^"]*"'
    changed, count = re.subn(pattern, lambda found: f'{found[1]}"{value}"', text, count=1)
    if count != 1:
        raise ValueError(f"{section}.{name} does not stand in the configuration")
    return changed


def _write_yaml(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


async def _new_database(server: str) -> str:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute("CREATE DATABASE hub ENCODING 'UTF8' TEMPLATE template0")
    finally:
        await connection.close()
    return server.rsplit("/", 1)[0] + "/hub"


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _told(topology: Topology) -> str:
    """What a person needs to know of what runs."""
    first, second = topology.hubs
    profile = topology.home / "officers" / _OFFICERS[0] / "client.toml"
    return f"""\
PostgreSQL  {topology.stores.database_url}
MinIO       {topology.stores.minio}, bucket {topology.stores.bucket}
hub 0       gRPC {first.address}, HTTP http://{first.http_address}, log {first.log}
hub 1       gRPC {second.address}, HTTP http://{second.http_address}, log {second.log}
Prometheus  {topology.prometheus}
home        {topology.home}

Next:
  .venv/bin/sealway doctor --config {first.config}
  .venv/bin/sealway authority list --profile {profile}
  open {topology.prometheus}/alerts, then: kill -9 {second.process.pid if second.process else 0}
Ctrl-C ends everything and removes its folders."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run it until somebody ends it."""
    # Each ends the contexts in order, and with them every process.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="sealway-topology-"))
    try:
        with running(folder) as topology:
            _point_profiles(topology)
            print(_told(topology), flush=True)  # noqa: T201
            while True:
                signal.pause()
    except KeyboardInterrupt:
        return 0
    except (
        NotStarted,
        postgresql_server.PostgresqlAbsent,
        minio_server.MinioAbsent,
        prometheus_server.PrometheusAbsent,
    ) as fault:
        print(f"not started: {fault}", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _point_profiles(topology: Topology) -> None:
    """The officers' profiles name the address that was configured; hub 0 listens elsewhere."""
    for profile in topology.home.glob("officers/*/client.toml"):
        text = re.sub(
            r'(?m)^address = ".*"$',
            f'address = "{topology.hubs[0].address}"',
            profile.read_text(encoding="utf-8"),
        )
        profile.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
