"""The one page on which an officer's browser asks its authenticator.

It is served from this process to this machine: bound to loopback, under an address with a secret in
it that is good for one opening, until it is answered or its time is over. The page loads nothing
from elsewhere and no other page can hold it in a frame. What it shows was computed here; what comes
back is checked here before anything is sent to the hub.
"""

from __future__ import annotations

import contextlib
import errno
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeAlias

from hub.cli.terminal import Terminal, UsageError
from hub.errors import HubError
from hub.proof.encoding import Json, parse_object
from hub.proof.reasons import ProofError

PORT: Final = 47443
RP_ID: Final = "localhost"
"""Loopback pages have this relying party, which is nobody's sign-in."""
LIFE_S: Final = 300
ANSWER_BYTES_MAX: Final = 16_384
_POLL_S: Final = 0.1

Step: TypeAlias = Callable[[Mapping[str, Json]], Mapping[str, Json] | None]
"""What the page answered, in; what it shall ask next, or None where that was all. Raises ProofError
where the answer does not hold."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the officer reads, in both languages, and the button's words."""

    title: tuple[str, str]
    lines: Sequence[tuple[str, str]]
    button: tuple[str, str]


def origin_of(port: int) -> str:
    """The origin of the page at `port`."""
    return f"http://{RP_ID}:{port}"


def ask_browser(
    terminal: Terminal, page: Page, first: Mapping[str, Json], step: Step, *, port: int
) -> None:
    """Serve `page` until its questions, `first` and those that `step` makes of answers, are
    answered.

    Raises UsageError where the port is taken or nobody answers in time, and whatever `step` does.
    """
    asking = _Asking(page, origin_of(port), first, step)
    with contextlib.ExitStack() as stack:
        try:
            servers = [stack.enter_context(one) for one in _listening(port)]
        except OSError as error:
            raise UsageError(
                f"port {port} is taken; end what listens there, or make a credential for another",
                f"端口 {port} 已被占用；请先结束占用该端口的程序，或为其他端口制作凭据",
            ) from error
        for server in servers:
            server.asking = asking
            threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True).start()
            stack.callback(server.shutdown)
        url = f"{asking.origin}/{asking.token}"
        terminal.say(f"Open on this machine: {url}", f"请在本机打开：{url}")
        if not asking.over.wait(LIFE_S):
            raise UsageError(
                f"nobody answered on the page within {LIFE_S} s; run the command again",
                f"{LIFE_S} 秒内网页上无人应答，请重新执行命令",
            )
    if asking.error is not None:
        raise asking.error


@dataclass(slots=True)
class _Asking:
    """One page and how far it is. Whoever opens it first has it."""

    page: Page
    origin: str
    question: Mapping[str, Json]
    step: Step
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    # What answers have to know: only the page that was opened holds it.
    answer_token: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def open(self, path: str) -> bytes | None:
        """The page, once: its address is used up. None for any other path."""
        with self._turn:
            if not self.token or not _is_same(path, f"/{self.token}"):
                return None
            self.token, self.answer_token = "", secrets.token_urlsafe(32)
        return _html(self).encode()

    def answer(self, path: str, data: bytes) -> Mapping[str, Json] | None:
        """What follows `data`: the next question, or nothing where that was all or it does not
        hold. None for any other path."""
        with self._turn:
            if not self.answer_token or not _is_same(path, f"/{self.answer_token}"):
                return None
            try:
                following = self.step(parse_object(data))
            except (ProofError, HubError, UsageError) as error:
                # Raised where the command waits for it.
                self.error, following = error, None
            if following is None:
                self.answer_token = ""
            return {"refused": True} if self.error is not None else following or {}


class _Server(ThreadingHTTPServer):
    """Threads, since a browser opens connections that it may never use."""

    asking: _Asking

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks off is not worth a trace on the officer's screen."""


class _ServerOfVersion6(_Server):
    address_family = socket.AF_INET6


def _listening(port: int) -> Iterator[_Server]:
    """Servers on every address that `localhost` may mean: whoever had one of them would be asked
    for the page in its place, and would have its origin. Raises OSError."""
    yield _Server(("127.0.0.1", port), _Handler)
    try:
        yield _ServerOfVersion6(("::1", port), _Handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise  # Otherwise this machine has no such address.


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

    def do_GET(self) -> None:
        asking = self.server.asking
        page = asking.open(self.path) if self._is_ours() else None
        if page is None:
            self._refuse()
        else:
            self._send(200, "text/html; charset=utf-8", page, _policy(asking.nonce))

    def do_POST(self) -> None:
        asking, size = self.server.asking, self.headers.get("Content-Length", "")
        if (
            not self._is_ours()
            or self.headers.get("Origin") != asking.origin
            or self.headers.get("Content-Type") != "application/json"
            or not (size.isascii() and size.isdecimal() and int(size) <= ANSWER_BYTES_MAX)
        ):
            self._refuse()
            return
        following = asking.answer(self.path, self.rfile.read(int(size)))
        if following is None:
            self._refuse()
            return
        self._send(200, "application/json", json.dumps(following).encode(), "default-src 'none'")
        if "ask" not in following:
            asking.over.set()

    def _is_ours(self) -> bool:
        """Asked for by the name that the page has: another name may be another site's."""
        return self.headers.get("Host") == self.server.asking.origin.removeprefix("http://")

    def _refuse(self) -> None:
        self._send(404, "text/plain; charset=utf-8", b"not found\n", "default-src 'none'")

    def _send(self, status: int, kind: str, body: bytes, policy: str) -> None:
        self.send_response_only(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Connection": "close",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Addresses hold secrets: nothing is logged."""


def _is_same(path: str, expected: str) -> bool:
    return secrets.compare_digest(path.encode("utf-8", "replace"), expected.encode())


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _html(asking: _Asking) -> str:
    page = asking.page
    lines = "".join(
        f'<p lang="zh">{escape(zh)}</p>' + (f'<p lang="en">{escape(en)}</p>' if en != zh else "")
        for en, zh in page.lines
    )
    # Inside a script element only this character could end it.
    question = json.dumps(dict(asking.question)).replace("<", "\\u003c")
    return _PAGE.format_map(
        {
            "title_zh": escape(page.title[1]),
            "title_en": escape(page.title[0]),
            "lines": lines,
            "button": f"{escape(page.button[1])} · {escape(page.button[0])}",
            "question": question,
            "answers": json.dumps(f"/{asking.answer_token}"),
            "nonce": asking.nonce,
            "script": _SCRIPT,
            "style": _STYLE,
        }
    )


_STYLE: Final = """
body { font: 16px/1.6 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", sans-serif;
  max-width: 46em; margin: 2em auto; padding: 0 1em; color: #111; background: #fff }
h1 { font-size: 1.3em } h1 span, p[lang=en] { color: #444 }
p { margin: .2em 0; overflow-wrap: anywhere; white-space: pre-wrap }
button { font: inherit; padding: .5em 1.5em; margin: 1em 0 }
#said { min-height: 1.6em; font-weight: bold }
"""

_SCRIPT: Final = """
const question = JSON.parse(document.getElementById("question").textContent);
const button = document.getElementById("go");
const said = document.getElementById("said");
const bytes = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");

async function make(ask) {
  const made = await navigator.credentials.create({publicKey: {
    challenge: bytes(ask.challenge),
    rp: {id: ask.rp_id, name: "Sealway"},
    user: {id: bytes(ask.user), name: ask.officer, displayName: ask.officer},
    pubKeyCredParams: [{type: "public-key", alg: -7}],
    authenticatorSelection: {residentKey: "discouraged", userVerification: "required"},
    attestation: "none",
    timeout: 120000,
  }});
  return {attested: text(made.response.getAuthenticatorData())};
}

async function sign(ask) {
  const made = await navigator.credentials.get({publicKey: {
    challenge: bytes(ask.challenge),
    rpId: ask.rp_id,
    allowCredentials: [{type: "public-key", id: bytes(ask.credential_id)}],
    userVerification: "required",
    timeout: 120000,
  }});
  return {
    authenticator_data: text(made.response.authenticatorData),
    client_data: text(made.response.clientDataJSON),
    signature: text(made.response.signature),
  };
}

async function send(answer) {
  const response = await fetch(answers, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(answer),
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

button.addEventListener("click", async () => {
  button.disabled = true;
  said.textContent = "…";
  try {
    while (question.value.ask) {
      const ask = question.value;
      question.value = await send(await (ask.ask === "create" ? make(ask) : sign(ask)));
    }
  } catch (error) {
    said.textContent = `未完成 · not done: ${error.name}: ${error.message}`;
    button.disabled = false;
    return;
  }
  said.textContent = question.value.refused
    ? "不成立，请查看命令行 · does not hold: see the command line"
    : "已交回命令行，可关闭本页 · handed to the command line; close this page";
});
"""

_PAGE: Final = """<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>Sealway · {title_zh}</title>
<style nonce="{nonce}">{style}</style>
</head>
<body>
<h1>{title_zh} <span lang="en">{title_en}</span></h1>
{lines}
<button id="go" type="button">{button}</button>
<p id="said" role="status"></p>
<script id="question" type="application/json" nonce="{nonce}">{{"value":{question}}}</script>
<script nonce="{nonce}">const answers = {answers};{script}</script>
</body>
</html>
"""
