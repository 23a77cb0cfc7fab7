"""`pdfsig` of poppler for tests: the system's, or Debian's packages, unpacked once without root.

`python -m tests.pdfsig` gets it. It checks signatures with Mozilla's NSS, in a database of the
test's own, whose anchors `certutil` of the same packages sets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.debian import PackagesAbsent, unpacked

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".test" / "pdfsig"
_PACKAGES = ("poppler-utils", "libnss3-tools")


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
    """What is on the search path, else what is fetched. Raises PackagesAbsent."""
    pdfsig, certutil = shutil.which("pdfsig"), shutil.which("certutil")
    if pdfsig is not None and certutil is not None:
        return Pdfsig(pdfsig, certutil, os.environ.get("LD_LIBRARY_PATH", ""))
    unpacked(FOLDER, _PACKAGES, "usr/bin/pdfsig")
    libraries = [str(path) for path in FOLDER.glob("usr/lib/*-linux-gnu*")]
    libraries += [f"{path}/nss" for path in libraries]
    binaries = FOLDER / "usr/bin"
    return Pdfsig(str(binaries / "pdfsig"), str(binaries / "certutil"), ":".join(libraries))


def needs_pdfsig() -> Pdfsig:
    """For tests, which are skipped where it cannot be had, and fail where CI is true."""
    try:
        return programs()
    except PackagesAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"pdfsig is required: {absent}")
        pytest.skip(f"no pdfsig: {absent}")


def outcomes(
    pdfsig: Pdfsig, folder: Path, document: bytes, root_pem: bytes
) -> list[tuple[str, str]]:
    """Signature and certificate validation of each signature, in the file's order."""
    text = pdfsig.judge(folder, document, root_pem)
    signatures = re.findall(r"Signature Validation: (.*)", text)
    certificates = re.findall(r"Certificate Validation: (.*)", text)
    certificates += [""] * (len(signatures) - len(certificates))
    return list(zip(signatures, certificates, strict=True))


if __name__ == "__main__":
    try:
        print(programs().pdfsig)
    except PackagesAbsent as absent:
        raise SystemExit(f"no pdfsig: {absent}") from absent
