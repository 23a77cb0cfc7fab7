"""Debian's packages for tests, unpacked once into a folder; needs no root."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

_FETCH_S = 400
_WITHOUT = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")


class PackagesAbsent(Exception):
    """They cannot be had here; the text says why."""


def unpacked(folder: Path, packages: Sequence[str], program: str) -> Path:
    """`folder` with the files of `packages` and of all that they depend on and is not installed.

    `program` is a file that must be there then. Raises PackagesAbsent.
    """
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            # Several test processes: one fetches, the others wait for it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _fetch(folder, packages, program)
    return folder


def _fetch(folder: Path, packages: Sequence[str], program: str) -> None:
    for tool in ("apt-get", "apt-cache", "dpkg-query", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise PackagesAbsent(f"{program} is not installed, and {tool} is not here to fetch it")
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        place = Path(name)
        _call(["apt-get", "download", "-q", *_missing(packages, place)], place)
        for package in sorted(place.glob("*.deb")):
            _call(["dpkg-deb", "-x", package.name, "whole"], place)
        if not (place / "whole" / program).exists():
            raise PackagesAbsent(f"the packages hold no {program}")
        # Renamed when complete, so that an interrupted one is never taken for the programs.
        (place / "whole").rename(folder)


def _missing(packages: Sequence[str], folder: Path) -> list[str]:
    options = [f"--no-{kind}" for kind in _WITHOUT]
    listed = _call(["apt-cache", "depends", "--recurse", *options, *packages], folder)
    wanted = {line for line in listed.splitlines() if line and line[0].isalnum()}
    if not wanted.issuperset(packages):
        raise PackagesAbsent(f"apt-cache knows no {packages[0]}; run apt-get update")
    here = _call(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"], folder)
    installed = {line.split()[1] for line in here.splitlines() if line.startswith("installed ")}
    return sorted(wanted - installed)


def _call(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=_FETCH_S, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise PackagesAbsent(f"{command[0]} took longer than {_FETCH_S} s") from error
    if done.returncode:
        raise PackagesAbsent(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-300:]}")
    return done.stdout
