"""A hub as operators run it: `sealway serve` in a process of its own, stopped and started at will.

Its home is a copy of a furnished one (see `tests.simulator.furnish`), on ports chosen here.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connectors.profile import profile_text
from tests.simulator import ORIGIN, REGION, ROOT

START_S_MAX: Final = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class HubProcess:
    """The hub of one home; it does not run until `start`."""

    home: Path
    port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        file = self.home / "hub.toml"
        text = file.read_text()
        for section, port in (("grpc", self.port), ("http", self.http_port)):
            pattern = rf'(?m)(^\[{section}\]\naddress = )".*"$'
            text = re.sub(pattern, rf'\1"127.0.0.1:{port}"', text)
        file.write_text(text)

    @property
    def config(self) -> Path:
        """Configuration of the hub."""
        return self.home / "hub.toml"

    def start(self) -> None:
        """Serving when this returns."""
        command = [sys.executable, "-m", "hub", "serve", "--config", str(self.config)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        deadline = time.monotonic() + START_S_MAX
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "the hub ended"
            assert time.monotonic() < deadline, "the hub did not start in time"
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Ended when this returns: in order, or at once with SIGKILL. Harmless where it is not."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def profile(self, name: str) -> Path:
        """The client profile of `officers/…` or `systems/…`."""
        folder = self.home / name
        (folder / "ca.pem").write_bytes((self.home / "officers" / "zhao" / "ca.pem").read_bytes())
        (folder / "trust.json").write_bytes((self.home / "trust.json").read_bytes())
        text = profile_text(
            {
                "address": f"127.0.0.1:{self.port}",
                "origin": ORIGIN,
                "region": REGION,
                "ca": "ca.pem",
                "certificate": "client.pem",
                "key": "client.key",
                "trust": "trust.json",
            },
            {
                "name": name,
                "signing_key": "approval.key" if name.startswith("officers/") else "signing.key",
                "passphrase_file": "passphrase",
            },
        )
        (folder / "client.toml").write_text(text)
        return folder / "client.toml"
