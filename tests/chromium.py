"""Chromium for tests, without a window, spoken to over a pipe (Chrome DevTools Protocol).

The system's is used where there is one; else Debian's packages are unpacked once into `.test/`,
which needs no root. `python -m tests.chromium` gets it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.debian import PackagesAbsent, unpacked

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".test" / "chromium"
_PROGRAM = "usr/lib/chromium/chromium-headless-shell"
_ANSWER_S = 30.0
# The browser reads its commands from descriptor 3 and answers on 4.
_ON_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_OPTIONS = (
    "--headless=new",
    # Tests run as root in containers, and open pages of their own alone.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
)


def program() -> tuple[str, dict[str, str]]:
    """Where it is, and what its environment must say. Raises PackagesAbsent."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found, {}
    whole = unpacked(FOLDER, ("chromium-headless-shell",), _PROGRAM)
    libraries = sorted({str(path.parent) for path in whole.glob("usr/lib/**/*.so*")})
    return str(whole / _PROGRAM), {"LD_LIBRARY_PATH": ":".join(libraries)}


@dataclass
class Browser:
    """One tab, with an authenticator that is always touched and always recognises its user."""

    _to: int
    _from: int
    _session: str = ""
    _authenticator: str = ""
    _sent: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def open_tab(self) -> None:
        """A tab with a virtual authenticator."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self.call("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "usb",
            "hasResidentKey": False,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self.call("WebAuthn.addVirtualAuthenticator", options=options)
        self._authenticator = made["authenticatorId"]

    def recognise(self, *, user: bool) -> None:
        """Whether the authenticator recognises who touches it from now on."""
        self.call(
            "WebAuthn.setUserVerified", authenticatorId=self._authenticator, isUserVerified=user
        )

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page, as if its user had caused it."""
        answer = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """The first value of an expression that is not false."""
        end = time.monotonic() + _ANSWER_S
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}: {self.run('document.body.innerText')}")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; events are passed over."""
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._sent:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], _ANSWER_S)
            assert ready, "the browser says nothing"
            more = os.read(self._from, 65_536)
            assert more, "the browser has ended"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile in `folder`, ended at the end. Raises PackagesAbsent."""
    path, environment = program()
    to_child, to = os.pipe()
    from_, from_child = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_3_AND_4, str(to_child), str(from_child), path, *_OPTIONS,
         f"--user-data-dir={folder}", "about:blank"],
        env={**os.environ, **environment, "HOME": str(folder)}, pass_fds=(to_child, from_child),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        os.close(to_child)
        os.close(from_child)
        opened = Browser(to, from_)
        opened.open_tab()
        yield opened
    finally:
        process.terminate()
        process.wait(30)
        os.close(to)
        os.close(from_)


if __name__ == "__main__":
    try:
        print(program()[0])
    except PackagesAbsent as absent:
        raise SystemExit(f"no Chromium: {absent}") from absent
