"""The stage: the folder of one demonstration, its commands, its hub and its streams."""

from __future__ import annotations

import contextlib
import io
import json
import queue
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from examples.demo.cast import ROOT, Department
from hub.cli.main import run as sealway

START_S_MAX: Final = 60.0
# A change that is not on a stream by then is lost, whatever the machine does; a stream that starts
# has this long for its first one.
STREAM_S_MAX: Final = 60.0
_LOOK_S: Final = 0.5


@dataclass
class Demo:
    """The folder of one demonstration, who plays in it, and what has been counted so far."""

    folder: Path
    console: Console
    registers: tuple[Department, Department]
    dependents: tuple[Department, Department]
    report: dict[str, int | float] = field(default_factory=dict)
    timings: list[tuple[str, float]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def departments(self) -> tuple[Department, ...]:
        """Everybody who issues."""
        return (*self.registers, *self.dependents)

    @property
    def trust(self) -> Path:
        """What a verifier is given."""
        return self.home / "trust.json"

    def profile(self, name: str) -> str:
        """The client profile of an officer or a system."""
        folder = self.home / "officers" / name
        return str((folder if folder.is_dir() else self.folder / "systems" / name) / "client.toml")

    @contextlib.contextmanager
    def chapter(self, title: str) -> Iterator[None]:
        """One step of the story, timed."""
        self.console.rule(f"[bold]{title}", align="left")
        started = time.perf_counter()
        yield
        self.timings.append((title, time.perf_counter() - started))

    def command(
        self, template: str, *more: str, expect: int = 0, show: bool = True, **values: object
    ) -> dict[str, Any]:
        """Run `sealway …` with `--json`; its document. Ends the demo on any other exit code.

        `template` is split at blanks, then `{name}` in each word takes a value, blanks and all.
        """
        words = [*(word.format(**values) for word in template.split()), *more]
        if show:
            self.show(words)
        out, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            code = sealway([*words, "--json"])
        if code != expect:
            self.console.print(said.getvalue(), out.getvalue(), markup=False)
            raise SystemExit(f"sealway {words[0]} ended with {code}, not {expect}")
        document: dict[str, Any] = json.loads(out.getvalue())
        return document

    def show(self, words: list[str], end: str = "") -> None:
        """A command as a person would type it here."""
        shown = " ".join(f"'{word}'" if " " in word else word for word in words)
        shown = shown.replace(f"{self.folder}/", ".demo/").replace(f"{ROOT}/", "")
        self.console.print(f"[dim]$ sealway {shown}{end}[/dim]", highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False)


@dataclass(frozen=True)
class Told:
    """A change as a stream told it, and when it arrived (seconds since 1970)."""

    change: dict[str, Any]
    arrived_s: float

    @property
    def delay_ms(self) -> int:
        """From the hub's decision, which was not durable yet, to here."""
        decided = datetime.fromisoformat(self.change["change_time"]).timestamp()
        return round((self.arrived_s - decided) * 1000)


@dataclass
class Stream:
    """`sealway certificate watch` of one system, a process of its own."""

    process: subprocess.Popen[str]
    log: Path
    told: queue.SimpleQueue[Told] = field(default_factory=queue.SimpleQueue)

    def read(self) -> None:
        """Take in what is printed, until the process ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            arrived_s = time.time()
            self.told.put(Told(json.loads(line), arrived_s))

    def until(self, is_wanted: Callable[[dict[str, Any]], bool]) -> Told:
        """The first change that is wanted. Ends the demo where none comes."""
        deadline = time.monotonic() + STREAM_S_MAX
        while time.monotonic() < deadline:
            is_over = self.process.poll() is not None
            try:
                told = self.told.get(timeout=_LOOK_S)
            except queue.Empty:
                if is_over:
                    break
            else:
                if is_wanted(told.change):
                    return told
        raise SystemExit(f"a change did not arrive on a stream: {self.log.read_text()}")

    def catch_up(self, changes: int) -> None:
        """Return when that many have come: from here on the stream is live."""
        for _ in range(changes):
            self.until(lambda _change: True)


@contextlib.contextmanager
def watching(demo: Demo, system: str, *options: str) -> Iterator[Stream]:
    """A stream of everything that `system` is told, from the beginning of the feed on."""
    words = ["certificate", "watch", "--from-start", *options, "--profile", demo.profile(system)]
    demo.show(words, end=" &")
    path = demo.folder / f"{system}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", *words, "--json"],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            text=True,
        )
        stream = Stream(process, path)
        reader = threading.Thread(target=stream.read, daemon=True)
        reader.start()
        try:
            yield stream
        finally:
            process.terminate()
            process.wait(30)
            reader.join(30)


@contextlib.contextmanager
def serving(demo: Demo) -> Iterator[None]:
    """The hub as a process of its own, stopped at the end."""
    config = demo.home / "hub.toml"
    command = [sys.executable, "-m", "hub", "serve", "--config", str(config)]
    demo.show(["serve", "--config", str(config)], end=" &")
    with (demo.folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        try:
            _wait_until_ready(demo, process)
            yield
        finally:
            process.terminate()
            process.wait(30)


def http_address(demo: Demo) -> str:
    """Where the hub publishes what anybody may read."""
    address: str = tomllib.loads((demo.home / "hub.toml").read_text())["http"]["address"]
    return address


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(demo: Demo, process: subprocess.Popen[bytes]) -> None:
    """Return when the hub answers; end the demo when it stops or takes too long."""
    address = tomllib.loads((demo.home / "hub.toml").read_text())["grpc"]["address"]
    deadline = time.monotonic() + START_S_MAX
    while not _listens(int(address.rpartition(":")[2])):
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"the hub did not start:\n{(demo.folder / 'hub.log').read_text()}")
        time.sleep(0.05)
    demo.command("doctor --config {home}/hub.toml", home=demo.home)


def _listens(port: int) -> bool:
    """Whether somebody answers at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
