"""A Chinese font with an open licence (SIL OFL) for tests: the system's, or Debian's package.

`python -m tests.chinese_font` fetches it into the user's cache, where every checkout finds it; no
right to install anything is needed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from hub.seal.faces.fonts import SYSTEM_FONTS

PACKAGE = "fonts-noto-cjk"
INSIDE = Path("usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")
_FETCH_S = 200


class FontAbsent(Exception):
    """No Chinese font can be had here; the text says why."""


def font_file() -> Path:
    """The file of the font, fetched where it is missing. Raises FontAbsent."""
    for path in SYSTEM_FONTS:
        if Path(path).is_file():
            return Path(path)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sealway-tests/fonts"
    file = cache / INSIDE.name
    if file.is_file():
        return file
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise FontAbsent(f"{program} is not installed, which fetches {PACKAGE}")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        # Several test processes: one fetches, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file():
            _fetch(file)
    return file


def needs_font() -> Path:
    """The same for a test, which is skipped where there is none, and fails where CI is true."""
    try:
        return font_file()
    except FontAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a Chinese font is required: {absent}")
        pytest.skip(f"no Chinese font: {absent}")


def _fetch(file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.parent) as name:
        folder = Path(name)
        _run(["apt-get", "download", PACKAGE], folder)
        (package,) = folder.glob(f"{PACKAGE}_*.deb")
        _run(["dpkg", "-x", package.name, "unpacked"], folder)
        (folder / "unpacked" / INSIDE).rename(file)


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=_FETCH_S, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FontAbsent(f"{command[0]} took longer than {_FETCH_S} s") from error
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip()[-300:]
        raise FontAbsent(f"{' '.join(command[:2])} failed: {text}")


if __name__ == "__main__":
    print(font_file())
