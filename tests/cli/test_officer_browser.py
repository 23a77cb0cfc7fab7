"""An officer with an authenticator, from the first key to an approval: in a real browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from hub.cli import officer_page
from hub.cli.officer_page import ANSWER_BYTES_MAX
from hub.cli.terminal import Terminal, UsageError
from tests import chromium
from tests.authenticator import Authenticator, b64u
from tests.cli.conftest import Sealway
from tests.debian import PackagesAbsent
from tests.hub_process import HubProcess, free_port
from tests.simulator import ROOT, copy_home

SEAL = "authorities/hz-market/seals/main"
CLICK = "document.getElementById('go').click()"
SAID = "document.getElementById('said').textContent"


@dataclass
class Waiting:
    """A command that serves its page."""

    process: subprocess.Popen[str]
    url: str
    said: str

    @property
    def origin(self) -> str:
        return self.url.rpartition("/")[0]

    def end(self) -> tuple[int, str]:
        """Its exit code, and everything that it said."""
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, self.said + out + err


Begin = Callable[..., Waiting]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a command in a process of its own and waits for its page's address."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> Waiting:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", *map(str, arguments)], cwd=ROOT, text=True,
            env={**os.environ, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        running.append(process)
        return Waiting(process, *_address(process.stdout))

    yield start
    for process in running:
        process.kill()
        process.communicate()


def _address(stream: IO[str] | None) -> tuple[str, str]:
    assert stream is not None
    said = ""
    for line in stream:
        said += line
        found = re.search(r"http://localhost:\S+", line)
        if found is not None:
            return found[0], said
    raise AssertionError(f"no address: {said}")


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[chromium.Browser]:
    try:
        with chromium.browser(tmp_path / "browser") as opened:
            yield opened
    except PackagesAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Chromium is required: {absent}")
        pytest.skip(f"no Chromium: {absent}")


@pytest.fixture
def served(city: Path, tmp_path: Path) -> Iterator[HubProcess]:
    process = HubProcess(copy_home(city, tmp_path / "home"))
    process.start()
    yield process
    process.stop()


def test_an_officer_approves_in_the_browser(
    served: HubProcess, tab: chromium.Browser, begin: Begin, sealway: Sealway, tmp_path: Path
) -> None:
    """A credential is made, enrolled under dual control, and approves what its page shows in both
    languages. Where the authenticator does not recognise its user nothing is approved."""
    liu, port = tmp_path / "liu", free_port()

    def done(*arguments: str | Path, by: str = "zhao") -> dict[str, Any]:
        profile = served.profile(f"officers/{by}")
        ran = sealway(*arguments, "--profile", profile, "--json")
        assert ran.code == 0, ran.err
        document: dict[str, Any] = json.loads(ran.out)
        return document

    request = begin("officer", "request", liu, "--name", "liu", "--browser", "--port", str(port))
    tab.go(request.url)
    assert "officers/liu" in tab.wait("document.body && document.body.innerText")
    tab.wait("document.getElementById('go') !== null")
    tab.run(CLICK)
    code, said = request.end()
    assert code == 0, said
    assert not (liu / "approval.key").exists()
    assert sealway("officer", "request", liu, "--name", "liu").code == 64
    done("officer", "enrol", "liu", "--request", liu, "--pki", served.home / "pki", "--id", "liu")
    for name in ("qian", "sun"):
        done("intent", "approve", "liu", "--yes", by=name)
    done("intent", "execute", "liu")

    profile = served.profile("officers/zhao")
    listed = sealway("officer", "list", "--profile", profile)
    assert listed.out.count("(authenticator)") == 1

    done("seal", "suspend", SEAL, "--cause", "检查", "--id", "pause")
    profile = liu / "client.toml"
    plain = sealway("intent", "approve", "pause", "--yes", "--profile", profile)
    assert (plain.code, "add --browser" in plain.err) == (64, True)
    approve = begin("intent", "approve", "pause", "--browser", "--profile", profile)
    tab.go(approve.url)
    tab.wait("document.getElementById('go') !== null")
    text = tab.run("document.body.innerText")
    digest = done("intent", "show", "pause")["digest"]
    assert f"Suspend the seal {SEAL}" in text and f"暂停使用印章 {SEAL}" in text
    assert '"检查"' in text and digest in text and digest in approve.said
    tab.recognise(user=False)
    tab.run(CLICK)
    assert "not done" in tab.wait(f"!document.getElementById('go').disabled && {SAID}")
    tab.recognise(user=True)
    tab.run(CLICK)

    code, said = approve.end()
    assert code == 0, said
    assert "close this page" in tab.wait(f"{SAID} !== '…' && {SAID}")
    shown = done("intent", "show", "pause")
    assert [one["officer"] for one in shown["approvals"]] == ["officers/liu"]
    assert shown["counting"] == 1


def answered(
    waiting: Waiting, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request to the page's port."""
    port = int(waiting.origin.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    usual = {"Host": f"localhost:{port}"}
    connection.request(method, path, body or None, usual | headers)
    response = connection.getresponse()
    found = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return found


def test_the_page_is_for_one_opening_and_for_itself(begin: Begin, tmp_path: Path) -> None:
    """By no other path, name, site or second opening does anybody reach it; an answer that does not
    hold ends the command, and nothing is written."""
    port = free_port()
    device = Authenticator(page=f"http://localhost:{port}")
    folder = tmp_path / "liu"
    waiting = begin("officer", "request", folder, "--name", "liu", "--browser", "--port", str(port))
    path = waiting.url.removeprefix(waiting.origin)

    for other in ("/", path + "x", path[:-1], "/favicon.ico", "/../etc/passwd"):
        assert answered(waiting, "GET", other)[0] == 404
    assert answered(waiting, "GET", path, Host="hub.example")[0] == 404
    status, headers, page = answered(waiting, "GET", path)
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert answered(waiting, "GET", path)[0] == 404

    found = re.search(rb'const answers = "(/[^"]+)"', page)
    assert found is not None
    place = found[1].decode()
    attested = json.dumps({"attested": b64u(device.attested())}).encode()
    own = {"Origin": waiting.origin, "Content-Type": "application/json"}
    for refused in (
        {**own, "Origin": "https://evil.example"},
        {**own, "Origin": "null"},
        {**own, "Content-Type": "text/plain"},
        {**own, "Host": "evil.example"},
        {**own, "Content-Length": str(ANSWER_BYTES_MAX + 1)},
    ):
        assert answered(waiting, "POST", place, attested, **refused)[0] == 404
    assert answered(waiting, "POST", path, attested, **own)[0] == 404
    status, _, body = answered(waiting, "POST", place, attested, **own)
    question = json.loads(body)
    assert (status, question["ask"]) == (200, "get")
    assert question["credential_id"] == b64u(device.credential_id)

    wrong = device.sign(bytes(32)).members()
    _, _, body = answered(waiting, "POST", place, json.dumps(wrong).encode(), **own)

    assert json.loads(body) == {"refused": True}
    code, said = waiting.end()
    assert code == 1 and "CHALLENGE_MISMATCH" in said
    assert not (folder / "credential.json").exists()


def test_a_page_that_nobody_can_open_or_answers_ends_by_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The port is another program's, on either address of `localhost`; and after its time."""
    monkeypatch.setattr(officer_page, "LIFE_S", 1)
    page, port = officer_page.Page(("a", "甲"), (), ("b", "乙")), free_port()

    def refusal() -> str:
        with pytest.raises(UsageError) as caught:
            officer_page.ask_browser(Terminal(False), page, {}, lambda _: None, port=port)
        return caught.value.en

    families = [(socket.AF_INET, "127.0.0.1")]
    if socket.has_dualstack_ipv6():
        families.append((socket.AF_INET6, "::1"))
    for family, address in families:
        with socket.create_server((address, port), family=family):
            assert f"port {port} is taken" in refusal()
    assert "nobody answered" in refusal()
    assert capsys.readouterr().out.count("http://localhost:") == 1
