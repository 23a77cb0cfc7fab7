"""SoftHSM2 for tests: a real PKCS#11 module with tokens in a folder of the test's own.

The system's is used where there is one; else the packages are fetched and unpacked once into
`.test/`, which needs no root.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".test" / "softhsm"
LABEL = "sealway"

_PACKAGES = ("softhsm2", "libsofthsm2", "softhsm2-common")
_MODULES = (
    "usr/lib/softhsm/libsofthsm2.so",
    "usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "usr/lib64/softhsm/libsofthsm2.so",
    "usr/local/lib/softhsm/libsofthsm2.so",
)
_FETCH_S = 120


class SoftHsmAbsent(Exception):
    """No module can be had here; the text says why."""


def module() -> Path:
    """The module, fetched where it is missing. Raises SoftHsmAbsent."""
    for root in (Path("/"), FOLDER):
        for name in _MODULES:
            if (root / name).exists():
                return root / name
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise SoftHsmAbsent(f"SoftHSM2 is not installed, and {program} is not here to fetch it")
    FOLDER.parent.mkdir(exist_ok=True)
    with (FOLDER.parent / "softhsm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not FOLDER.exists():
            _fetch()
    return module()


def _fetch() -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as folder:
        whole = Path(folder) / "root"
        try:
            _run(["apt-get", "download", *_PACKAGES], folder)
            for package in Path(folder).glob("*.deb"):
                _run(["dpkg", "-x", str(package), str(whole)], folder)
        except (OSError, subprocess.SubprocessError) as error:
            raise SoftHsmAbsent(f"SoftHSM2 could not be fetched: {error}") from error
        if not any((whole / name).exists() for name in _MODULES):
            raise SoftHsmAbsent("the packages hold no module")
        whole.rename(FOLDER)


def _run(command: list[str], folder: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_FETCH_S)


@dataclass
class SoftToken:
    """One token in its own folder, with its PIN in a file of mode 0600."""

    folder: Path
    pin: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)

    @property
    def configuration(self) -> Path:
        """What SOFTHSM2_CONF has to name before the module is initialised."""
        return self.folder / "softhsm2.conf"

    @property
    def pin_file(self) -> Path:
        """Where the hub reads the PIN."""
        return self.folder / "pin"

    @property
    def uri(self) -> str:
        """The token by RFC 7512."""
        return f"pkcs11:token={LABEL}?module-path={module()}&pin-source=file:{self.pin_file}"

    def create(self) -> None:
        """Initialise the token. Raises SoftHsmAbsent."""
        library = module()
        tokens = self.folder / "tokens"
        tokens.mkdir(parents=True)
        self.configuration.write_text(
            f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        self.write_pin(self.pin)
        tools = (folder / "bin" / "softhsm2-util" for folder in library.parents)
        tool = next((one for one in tools if one.exists()), "softhsm2-util")
        command = [tool, "--init-token", "--free", "--label", LABEL, "--pin", self.pin]
        subprocess.run(
            [*command, "--so-pin", secrets.token_hex(8), "--module", library],
            env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)},
            check=True, capture_output=True,
        )  # fmt: skip

    def write_pin(self, pin: str) -> None:
        """Put another PIN into the file."""
        self.pin_file.touch(mode=0o600)
        self.pin_file.write_text(f"{pin}\n")

    def remove(self) -> None:
        """Pull the token out."""
        (self.folder / "tokens").rename(self.folder / "away")
        (self.folder / "tokens").mkdir()

    def put_back(self) -> None:
        """Put it in again."""
        (self.folder / "tokens").rmdir()
        (self.folder / "away").rename(self.folder / "tokens")


def close_all_sessions() -> None:
    """What a device does when it restarts: every session of this process is gone."""
    library = ctypes.CDLL(str(module()))
    count = ctypes.c_ulong(16)
    slots = (ctypes.c_ulong * 16)()
    assert library.C_GetSlotList(1, slots, ctypes.byref(count)) == 0
    for slot in slots[: count.value]:
        library.C_CloseAllSessions(ctypes.c_ulong(slot))


if __name__ == "__main__":
    try:
        print(module())
    except SoftHsmAbsent as absent:
        raise SystemExit(f"no SoftHSM2: {absent}") from absent
