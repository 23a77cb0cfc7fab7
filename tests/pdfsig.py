"""`pdfsig` of poppler for tests: the system's, or Debian's packages, unpacked once without root.

`python -m tests.pdfsig` gets it. It checks signatures with Mozilla's NSS, in a database of the
test's own, whose anchors `certutil` of the same packages sets.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".test" / "pdfsig"
_PACKAGES = ("poppler-utils", "libnss3-tools")
_FETCH_S = 200


class PdfsigAbsent(Exception):
    """It cannot be had here; the text says why."""


@dataclass(frozen=True)
class Pdfsig:
    """The programs, and where their libraries are."""

    pdfsig: str
    certutil: str
    libraries: str

    def judge(self, folder: Path, document: bytes, root_pem: bytes) -> str:
        """What `pdfsig` says of each signature, with one anchor."""
        (folder / "document.pdf").write_bytes(document)
        (folder / "root.pem").write_bytes(root_pem)
        database = folder / "nss"
        database.mkdir()
        self._run(folder, self.certutil, "-N", "-d", f"sql:{database}", "--empty-password")
        self._run(
            folder, self.certutil, "-A", "-d", f"sql:{database}", "-n", "root", "-t", "CT,C,C",
            "-i", "root.pem",
        )  # fmt: skip
        # With `-no-ocsp` its 22.12 trusts nothing; certificates of tests name no OCSP service.
        return self._run(folder, self.pdfsig, "-nssdir", f"sql:{database}", "document.pdf")

    def _run(self, folder: Path, *command: str) -> str:
        environment = {**os.environ, "LD_LIBRARY_PATH": self.libraries, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        return done.stdout + done.stderr


def programs() -> Pdfsig:
    """What is on the search path, else what is fetched. Raises PdfsigAbsent."""
    pdfsig, certutil = shutil.which("pdfsig"), shutil.which("certutil")
    if pdfsig is not None and certutil is not None:
        return Pdfsig(pdfsig, certutil, os.environ.get("LD_LIBRARY_PATH", ""))
    if not FOLDER.exists():
        FOLDER.parent.mkdir(exist_ok=True)
        with (FOLDER.parent / "pdfsig.lock").open("w") as lock:
            # Several test processes: one fetches, the others wait for it.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not FOLDER.exists():
                _fetch()
    libraries = [str(path) for path in FOLDER.glob("usr/lib/*-linux-gnu*")]
    libraries += [f"{path}/nss" for path in libraries]
    binaries = FOLDER / "usr/bin"
    return Pdfsig(str(binaries / "pdfsig"), str(binaries / "certutil"), ":".join(libraries))


def _fetch() -> None:
    for program in ("apt-get", "apt-cache", "dpkg-query", "dpkg-deb"):
        if shutil.which(program) is None:
            raise PdfsigAbsent(f"pdfsig is not on the search path, and {program} is not here")
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as name:
        folder = Path(name)
        _call(["apt-get", "download", "-q", *_missing(folder)], folder)
        for package in sorted(folder.glob("*.deb")):
            _call(["dpkg-deb", "-x", package.name, "whole"], folder)
        if not (folder / "whole/usr/bin/pdfsig").exists():
            raise PdfsigAbsent("the packages hold no pdfsig")
        # Renamed when complete, so that an interrupted one is never taken for the programs.
        (folder / "whole").rename(FOLDER)


def _missing(folder: Path) -> list[str]:
    """The packages with all that they depend on, as far as it is not installed."""
    without = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"]
    options = [f"--no-{kind}" for kind in without]
    listed = _call(["apt-cache", "depends", "--recurse", *options, *_PACKAGES], folder)
    wanted = {line for line in listed.splitlines() if line and line[0].isalnum()}
    if not wanted.issuperset(_PACKAGES):
        raise PdfsigAbsent("apt-cache knows no poppler-utils; run apt-get update")
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
        raise PdfsigAbsent(f"{command[0]} took longer than {_FETCH_S} s") from error
    if done.returncode:
        raise PdfsigAbsent(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


if __name__ == "__main__":
    try:
        print(programs().pdfsig)
    except PdfsigAbsent as absent:
        raise SystemExit(f"no pdfsig: {absent}") from absent
