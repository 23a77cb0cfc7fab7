"""OpenSSL's command, the second opinion on everything with SM2."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest


def openssl(
    *arguments: object, folder: Path, check: bool = False
) -> subprocess.CompletedProcess[str]:
    """What `openssl arguments` does in `folder`; skips the test where there is none with SM2."""
    return subprocess.run(
        [_command(), *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=check
    )


@cache
def _command() -> str:
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("openssl is not installed")
    version = subprocess.run([command, "version"], capture_output=True, text=True, check=True)
    if version.stdout < "OpenSSL 3":
        pytest.skip(f"{version.stdout.strip()}: SM2 needs OpenSSL 3")
    return command
