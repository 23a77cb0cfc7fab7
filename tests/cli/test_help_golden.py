"""The texts of `--help`, all of them: a change is seen in review."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import typer
import typer.rich_utils

from hub.cli.main import command_line, commands
from tests.cli.conftest import Sealway

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "help.txt"


def _with_groups() -> list[tuple[str, ...]]:
    """Every command and, before its first one, each group."""
    found: dict[tuple[str, ...], None] = {(): None}
    for words in commands(command_line()):
        found.update({words[:length]: None for length in range(1, len(words) + 1)})
    return list(found)


@pytest.fixture
def texts(sealway: Sealway, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every help text, 100 columns wide, without colours or trailing blanks."""
    monkeypatch.setenv("COLUMNS", "100")
    # Read once when Typer is imported, so a variable of the environment would come too late.
    monkeypatch.setattr(typer.rich_utils, "MAX_WIDTH", 100)
    monkeypatch.setenv("NO_COLOR", "1")
    parts = []
    for words in _with_groups():
        ran = sealway(*words, "--help")
        assert ran.code == 0, ran.err
        lines = [line.rstrip() for line in ran.out.strip("\n").splitlines()]
        parts.append("\n".join(["$ sealway " + " ".join((*words, "--help")), *lines, ""]))
    return "\n".join(parts)


def test_golden_help_texts(texts: str) -> None:
    """Equal to tests/golden/help.txt; `make golden` rewrites it."""
    if os.environ.get("SEALWAY_GOLDEN") == "write":
        GOLDEN.write_text(texts, encoding="utf-8")

    assert texts == GOLDEN.read_text(encoding="utf-8")


def test_every_command_shows_an_example(sealway: Sealway) -> None:
    """Nobody has to guess how a command is written."""
    silent = [
        words
        for words in commands(command_line())
        if not re.search(r"Example|sealway", sealway(*words, "--help").out.split("\n", 3)[-1])
    ]

    assert silent == []
