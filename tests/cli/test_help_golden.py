"""The texts of `--help`, all of them: a change is seen in review."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import typer.rich_utils

from hub.cli.main import app
from tests.cli.conftest import Sealway

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "help.txt"


def commands(group: typer.Typer, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command as the words that call it, groups included, in the order of registration."""
    yield words
    for command in group.registered_commands:
        function = command.callback
        assert function is not None
        yield (*words, command.name or function.__name__.replace("_", "-"))
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, (*words, str(inner.name)))


@pytest.fixture
def texts(sealway: Sealway, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every help text, 100 columns wide, without colours or trailing blanks."""
    monkeypatch.setenv("COLUMNS", "100")
    # Read once when Typer is imported, so a variable of the environment would come too late.
    monkeypatch.setattr(typer.rich_utils, "MAX_WIDTH", 100)
    monkeypatch.setenv("NO_COLOR", "1")
    parts = []
    for words in commands(app):
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
        for words in commands(app)
        if len(words) > 0
        and not is_group(words)
        and not re.search(r"Example|sealway", sealway(*words, "--help").out.split("\n", 3)[-1])
    ]

    assert silent == []


def is_group(words: tuple[str, ...]) -> bool:
    """Whether these words name a group of commands."""
    group = app
    for word in words:
        inner = next((each for each in group.registered_groups if each.name == word), None)
        if inner is None or inner.typer_instance is None:
            return False
        group = inner.typer_instance
    return True
