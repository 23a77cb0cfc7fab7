"""Every way in which a call over the facade can name a certificate, asked about one of another
department: the matrix of all RPCs (`matrix.py`), continued over HTTP.

A facade signs as one system. Here it is `window-2`, which may have nothing of the other department;
`window-1` may, and is the control.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from connectors.facade.accounts import hash_secret
from connectors.facade.app import DOWNLOADS, Facade
from connectors.facade.config import load_facade
from connectors.facade.questions import Operation
from tests.attacks.matrix import Seen, Target, plain, questions_asked
from tests.simulator import BASIS, GRANTED, ITEM, LICENCE, Simulator, company, licence

PEER: Final = "127.0.0.1"
BASE: Final = "http://facade.example"
CAUSE: Final = {
    "certificateSystemName": "示例办事平台",
    "certificateCallCategory": "0",
    "certificateEventCode": ITEM,
    "certificateCopyCause": "核对申请人主体资格",
}


def _holder(target: Target) -> dict[str, Any]:
    code = company(target.company_number)
    return {"holderCode": code, "holderTypeCode": "001", "certTypeCode": LICENCE}


def _identifier(target: Target) -> dict[str, Any]:
    return {"certIdentifier": target.identifier}


def _stated(target: Target) -> dict[str, Any]:
    return {"certData": {"name": licence(target.company_number).fields["name"]}}


def _shown(target: Target) -> dict[str, Any]:
    content = b64encode(target.document()).decode()
    return {"certTypeCode": LICENCE, "contentType": "base64", "content": content}


@dataclass(frozen=True)
class FacadeProbe:
    """One operation, and what of its request names a certificate."""

    operation: Operation
    names: str
    data: Callable[[Target], Mapping[str, Any]]

    def __str__(self) -> str:
        return f"{self.operation.value}-{self.names.replace(' ', '-')}"


FACADE_PROBES: Final = (
    FacadeProbe(Operation.RETRIEVE, "a holder", _holder),
    FacadeProbe(Operation.DATA_BY_HOLDER, "a holder", _holder),
    FacadeProbe(Operation.DATA, "an identifier", _identifier),
    FacadeProbe(Operation.QR, "a code", lambda one: {"qrcode": f"https://v/?z={one.identifier}"}),
    FacadeProbe(Operation.VERIFY, "a holder", lambda one: {**_holder(one), **_stated(one)}),
    FacadeProbe(Operation.VERIFY, "an identifier", lambda o: {**_identifier(o), **_stated(o)}),
    FacadeProbe(Operation.FILE, "an identifier", _identifier),
    FacadeProbe(Operation.ADDRESS, "an identifier", _identifier),
    FacadeProbe(Operation.VERIFY_FILE, "a file", _shown),
    FacadeProbe(
        Operation.VERIFY_FILE, "a file and an identifier", lambda o: {**_shown(o), **_identifier(o)}
    ),
)
NAMES_NOTHING: Final = frozenset({Operation.TOKEN, Operation.DICTIONARY})


@dataclass
class Caller:
    """An account of a facade that signs as one system, without HTTP between."""

    facade: Facade
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, hub: Simulator, system: str, folder: Path) -> Caller:
        """Two accounts: `all` may ask for licences, `permits` for another type only."""
        folder.mkdir()
        profile = hub.profile(f"systems/{system}")
        lines = [f'[facade]\nprofile = "{profile}"\ncalls_at_once = 1']
        for name, code in (("all", LICENCE), ("permits", f"{LICENCE[:18]}002")):
            fields = json.dumps([*GRANTED, "@document"])
            lines.append(
                f'[[accounts]]\nid = "{name}"\napp_key = "{name}"\nitems = ["{ITEM}"]\n'
                f'secret = "{hash_secret("x", bytes(16))}"\nnetworks = ["{PEER}/32"]\n'
                f"operations = {json.dumps([one.value for one in Operation])}\n"
                f'basis = "{BASIS}"\ncalls_per_minute_max = 100000\n'
                f"[accounts.types]\n{code} = {fields}"
            )
        (folder / "facade.toml").write_text("\n".join(lines), encoding="utf-8")
        facade = Facade.open(load_facade(folder / "facade.toml"))
        facade.base_url = BASE
        caller = cls(facade)
        caller.renew()
        return caller

    def renew(self) -> None:
        """New tokens: they live for a quarter of an hour."""
        for account in self.facade.config.accounts:
            self.tokens[account.app_key] = self.facade.accounts.new_token(account, PEER)

    async def call(
        self, operation: Operation, data: Mapping[str, Any], account: str = "all"
    ) -> tuple[int, bytes]:
        """HTTP status and body of one call; of a call for an address, of what it leads to."""
        head = {"accessId": account, "accessToken": self.tokens[account]}
        body = json.dumps({"head": head, "data": {**data, "useCause": CAUSE}}).encode()
        answer = await _served(await self.facade.answer(operation, _request("POST", body)))
        if operation is not Operation.ADDRESS:
            return answer
        promised = json.loads(answer[1])
        if promised["head"]["status"] != 0:
            return answer
        token = promised["data"]["content"].removeprefix(f"{BASE}{DOWNLOADS}/")
        return await _served(await self.facade.download(_request("GET", b"", token=token)))


async def look_over(
    caller: Caller, probe: FacadeProbe, target: Target, account: str = "all"
) -> Seen:
    """Ask, and note everything that can be told apart, the hub's work included."""
    with questions_asked() as asked:
        status, body = await caller.call(probe.operation, probe.data(target), account)
    said: Any = json.loads(body) if body.startswith(b"{") else len(body)
    return Seen(str(status), plain(said, target), [], list(asked))


def _request(method: str, body: bytes, **path: str) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http", "method": method, "path": "/", "headers": [], "query_string": b"",
        "client": (PEER, 1), "path_params": path,
    }  # fmt: skip
    return Request(scope, receive)


async def _served(response: Response) -> tuple[int, bytes]:
    """What goes over the wire."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent)
