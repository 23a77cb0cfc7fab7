"""Fixtures of the command line's tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.cli.main import run
from tests.cli.loopback import Loopback, start


@dataclass
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document."""
        return json.loads(self.out)


Sealway = Callable[..., Ran]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Loopback]:
    """A hub on loopback."""
    loopback, server = start(tmp_path)
    yield loopback
    server.stop(None).wait()


@pytest.fixture
def sealway(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Sealway:
    """Runs one command in an empty folder, in English unless it says otherwise."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES", "SEALWAY_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Ran:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call
