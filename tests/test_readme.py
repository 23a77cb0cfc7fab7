"""What the README says is so: two commands, paths that exist, and a demonstration that runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chinese_font import FontAbsent, font_file
from tests.demonstration import demonstrate, figures_add_up

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
PROMISED = ["make demo", "make test"]
COMPANIES = 1200
BROKEN = 12


@pytest.mark.parametrize("name", READMES)
def test_a_readme_names_exactly_two_commands(name: str) -> None:
    """Its one block of commands holds `make demo` and `make test`, and the Makefile has both."""
    (block,) = _command_blocks(name)
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert block.split("\n") == PROMISED
    for command in PROMISED:
        assert re.search(rf"(?m)^{command.split()[1]}:", targets)


def test_the_test_command_is_what_continuous_integration_runs() -> None:
    """The README's way of testing is the tested one."""
    file = ROOT / ".ci" / "run"
    if not file.is_file():
        pytest.skip(".ci/run stands only in a checkout")

    assert "make test" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_every_path_that_a_readme_names_exists(name: str) -> None:
    """Links, and folders and files in code marks."""
    text = (ROOT / name).read_text(encoding="utf-8")
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    marked = re.findall(r"`([\w./-]+/[\w./-]*)`", text)

    assert linked
    missing = [path for path in (*linked, *marked) if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("name", READMES)
def test_a_readme_says_what_is_not_claimed(name: str) -> None:
    """No conformance, in the language of the page."""
    text = (ROOT / name).read_text(encoding="utf-8")

    assert any(words in text for words in ("No conformance", "不声明符合"))


@pytest.mark.slow
def test_the_demonstration_runs_to_its_end_on_the_sample(tmp_path: Path) -> None:
    """Every step came out as it must, and the figures of its report add up."""
    try:
        font = ("--font", font_file())
    except FontAbsent:
        font = ()
    report = demonstrate(tmp_path / "demo", *font)

    figures_add_up(report)
    assert report["annotated_copies"] == bool(font)
    assert report["accepted"] == COMPANIES
    assert report["quarantined"] == BROKEN


def test_the_demonstration_empties_no_folder_that_is_not_its_own(tmp_path: Path) -> None:
    """A mistyped --folder costs nothing."""
    kept = tmp_path / "kept"
    kept.write_text("precious")

    ended = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--folder", str(tmp_path)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert ended.returncode != 0
    assert str(tmp_path) in ended.stderr
    assert kept.read_text() == "precious"


def _command_blocks(name: str) -> list[str]:
    """The fenced blocks that hold commands: everything but the picture of the parts."""
    blocks = re.findall(r"(?ms)^```\w*\n(.*?)\n```", (ROOT / name).read_text(encoding="utf-8"))
    return [block for block in blocks if block.startswith("make")]
