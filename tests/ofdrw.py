"""ofdrw, another implementation of OFD (Java): fetched once by Maven, then run on files.

`python -m tests.ofdrw` fetches it. The jars lie in `.test/`, outside the repository's history;
`tests/interop/ofdrw/` names their version and the digest of each. Maven keeps what it fetched, so
a second checkout only copies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final = ROOT / "tests" / "interop" / "ofdrw"
JARS: Final = ROOT / ".test" / "ofdrw-2.3.3"
FETCH_S: Final = 240
_RUN_S: Final = 120


class OfdrwAbsent(Exception):
    """ofdrw cannot be had here; the text says why."""


@dataclass(frozen=True)
class Validated:
    """What ofdrw says of a file: "valid" and the text of its first page, or the class of the Java
    exception. `fonts` names those in the file that it found."""

    verdict: str
    text: str
    fonts: str = field(default="", compare=False)


def validate(files: Sequence[Path]) -> list[Validated]:
    """ofdrw's word on each of `files`, in one virtual machine. Raises OfdrwAbsent."""
    lines = _run("Validate", *files).splitlines()
    if len(lines) != len(files):
        raise AssertionError(f"ofdrw said of {len(files)} files: {lines}")
    return [Validated(*line.split("\t", 2)) for line in lines]


def sign(folder: Path, documents: Sequence[tuple[str, Path, Path]]) -> None:
    """Have ofdrw seal `documents` with the `key.pk8`, `signer.der` and `seal.esl` of `folder`.

    Each is (mode, from, to); the mode is ContinueSign, or WholeProtected for the last seal. Raises
    OfdrwAbsent.
    """
    _run("Sign", folder, *(word for document in documents for word in document))


def sign_cms(folder: Path, signatures: Sequence[tuple[str, Path, Path]]) -> None:
    """Have Bouncy Castle, which ofdrw brings, sign with SM2 by the `key.pk8` and `signer.der` of
    `folder`. Each is (form, content, where the CMS goes); `Cms.java` says the forms. Raises
    OfdrwAbsent.
    """
    _run("Cms", folder, *(word for signature in signatures for word in signature))


def verify_cms(signatures: Sequence[tuple[Path, Path, Path, Path]]) -> list[str]:
    """What Bouncy Castle says of detached CMS with SM2, each by (root, revocation list, CMS,
    content); `CmsVerify.java` says the words. Raises OfdrwAbsent."""
    return _run("CmsVerify", *(path for signature in signatures for path in signature)).splitlines()


def _run(program: str, *words: Path | str) -> str:
    folder, java = jars(), _program("java")
    done = subprocess.run(
        [java, "-Xmx256m", "-cp", f"{folder}/*", PROJECT / f"{program}.java",
         *(word.resolve() if isinstance(word, Path) else word for word in words)],
        capture_output=True, timeout=_RUN_S, check=False, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(
            f"{program} ended with {done.returncode}: {done.stderr.decode()[-2000:]}"
        )
    return done.stdout.decode()


def needs_ofdrw() -> None:
    """For tests, which are skipped where Java or Maven is missing. With both at hand, a fetch that
    fails is a failure where CI is true."""
    try:
        jars()
    except OfdrwAbsent as absent:
        at_hand = shutil.which("java") and shutil.which("mvn")
        if at_hand and os.environ.get("CI") == "true":
            pytest.fail(f"ofdrw: {absent}")
        pytest.skip(f"ofdrw: {absent}")


def jars() -> Path:
    """The folder of the jars, fetched where they are missing. Raises OfdrwAbsent."""
    if JARS.is_dir():
        return JARS
    maven = _program("mvn")
    _program("java")
    JARS.parent.mkdir(exist_ok=True)
    with (JARS.parent / "ofdrw.lock").open("w") as lock:
        # Several test processes: one fetches, the others wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not JARS.is_dir():
            _fetch(maven)
    return JARS


def _fetch(maven: str) -> None:
    with tempfile.TemporaryDirectory(dir=JARS.parent) as folder:
        copied = Path(folder) / "jars"
        command = [maven, "-q", "-B", "-f", str(PROJECT / "pom.xml")]
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={copied}"]
        try:
            # What an earlier checkout fetched needs no network.
            for offline in (["-o"], []):
                done = subprocess.run(
                    [*command, *offline, *goal], capture_output=True, timeout=FETCH_S, check=False
                )
                if not done.returncode:
                    break
        except subprocess.TimeoutExpired as error:
            raise OfdrwAbsent(f"Maven took longer than {FETCH_S} s; run: make test") from error
        if done.returncode:
            text = done.stdout.decode(errors="replace").strip()[:300]
            raise OfdrwAbsent(f"Maven cannot fetch it: {text}")
        _check(copied)
        copied.rename(JARS)


def _check(folder: Path) -> None:
    """What came is what was pinned, no more and no less."""
    pinned = (PROJECT / "jars.sha256").read_text(encoding="ascii")
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    if pinned.split() != [word for name in sorted(found) for word in (found[name], name)]:
        raise OfdrwAbsent("the jars are other than those pinned in tests/interop/ofdrw/jars.sha256")


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise OfdrwAbsent(f"{name} is not installed")
    return path


if __name__ == "__main__":
    try:
        print(jars())
    except OfdrwAbsent as absent:
        raise SystemExit(f"no ofdrw: {absent}") from absent
