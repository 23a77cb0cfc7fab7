"""The HTTP side of the facade: envelopes in, envelopes out, one line of log per call.

Answers are 200 with a status in the head, as callers expect; other codes only where nobody looked
at the envelope (413, and 404 and 405 by the router).
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.client import HubRefusedError
from connectors.facade.accounts import Accounts, limited
from connectors.facade.codes import DIALECTS, KINDS, RESULTS, FacadeRefusedError, Kind
from connectors.facade.config import FacadeConfig
from connectors.facade.hub_calls import HubCalls, Shared
from connectors.facade.operations import Answer, run
from connectors.facade.questions import Envelope, Operation, missing, read_envelope
from connectors.profile import load_profile, read_bounded
from hub.errors import HubError, Reason
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.trust import TRUST_BYTES_MAX, parse_trust

BODY_BYTES_MAX: Final = 65_536
BODY_S_MAX: Final = 10.0
WAITING_MAX: Final = 64

# Where the operations stand at deployed platforms (standards.md §1.8), beside `/{name}`.
PATHS: Final[Mapping[str, Operation]] = {
    **{f"/{operation.value}": operation for operation in Operation},
    "/zzgx/token": Operation.TOKEN,
    "/zzgx/zzjs": Operation.RETRIEVE,
    "/zzgx/zzcx": Operation.DATA_BY_HOLDER,
    "/zzysj": Operation.DATA,
    "/zzgx/zzxxxz": Operation.FILE,
    "/zzdzxz": Operation.ADDRESS,
    "/zzwjyz": Operation.VERIFY_FILE,
}

_LOG: Final = logging.getLogger("sealway.facade")

T = TypeVar("T")


@dataclass(slots=True)
class Facade:
    """One facade: accounts before it, connections to the hub behind it."""

    config: FacadeConfig
    accounts: Accounts
    system: str
    statuses: Mapping[Kind, int]
    results: Mapping[str, int]
    _connections: queue.LifoQueue[HubCalls]
    _free: asyncio.Semaphore = field(init=False)
    _waiting: int = 0

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.config.facade.calls_at_once)

    @classmethod
    def open(cls, config: FacadeConfig) -> Facade:
        """Raises HubError(FILE_UNREADABLE) and ProofError(TRUST_MALFORMED), (ORIGIN_WRONG)."""
        profile = load_profile(config.path(config.facade.profile))
        trust = parse_trust(read_bounded(profile.trust, TRUST_BYTES_MAX, "trust"))
        if (trust.origin, trust.region) != (profile.origin, profile.region):
            raise ProofError(ProofReason.ORIGIN_WRONG, f"{profile.trust.name} is of {trust.origin}")
        shared = Shared(trust)
        connections: queue.LifoQueue[HubCalls] = queue.LifoQueue()
        for _ in range(config.facade.calls_at_once):
            connections.put(HubCalls.of(profile, shared))
        section = config.facade
        return cls(
            config,
            Accounts(config.accounts, section.token_lifetime_s, time.monotonic),
            profile.name,
            {**DIALECTS[section.dialect], **section.statuses},
            {**RESULTS, **section.results},
            connections,
        )

    def close(self) -> None:
        """Give the connections up; no call is under way any more."""
        while not self._connections.empty():
            self._connections.get().client.close()

    async def answer(self, operation: Operation, request: Request) -> Response:
        """One call, whatever was sent."""
        started = time.perf_counter()
        peer = request.client.host if request.client is not None else ""
        account = ""
        code = 200
        try:
            envelope = read_envelope(await _body(request))
            if operation is Operation.TOKEN:
                body, account = await self._token(envelope, peer)
            else:
                caller = self.accounts.check_token(envelope.access_id, envelope.token, peer)
                account = caller.name
                self.accounts.count_call(caller)
                found = await self._in_turn(
                    lambda hub: run(operation, caller, envelope.data, hub, self.results)
                )
                body = self._body(found, account)
            status, reason = self.statuses[Kind.OK], "OK"
        except Exception as error:  # The edge: whatever it is, the caller gets an envelope.
            refusal = refusal_of(error)
            status, reason = self.statuses[refusal.kind], refusal.reason
            code = 413 if reason == "MESSAGE_TOO_LARGE" else 200
            body = {"head": self._head(status, refusal.zh, reason, refusal.en, account), "data": {}}
        line = {
            "event": "facade_call",
            "operation": operation.value,
            "account": account,
            "peer": peer,
            "status": status,
            "reason": reason,
            "duration_ms": round((time.perf_counter() - started) * 1000, 1),
        }
        _LOG.info(json.dumps(line))
        return JSONResponse(body, code, headers={"cache-control": "no-store"})

    async def _token(self, envelope: Envelope, peer: str) -> tuple[dict[str, object], str]:
        app_key, secret = envelope.data.get("appKey"), envelope.data.get("appSecret")
        if not isinstance(app_key, str) or not isinstance(secret, str) or not secret:
            raise missing("appKey、appSecret")
        if app_key != envelope.access_id or len(secret) > 256:
            raise FacadeRefusedError(
                Kind.IDENTITY, "ACCOUNT_REFUSED", "身份验证不通过：账号或密钥不符", "refused"
            )
        # Hashing is slow on purpose: it waits for its turn like everything that costs.
        account = await self._in_turn(
            lambda _hub: self.accounts.check_secret(app_key, secret, peer)
        )
        token = self.accounts.new_token(account, peer)
        lifetime_s = self.accounts.token_lifetime_s
        head = self._head(self.statuses[Kind.OK], "接口调用成功", "OK", "done", account.name)
        data = {"accessToken": token, "expiresIn": lifetime_s}
        return {"head": head, "data": data}, account.name

    async def _in_turn(self, work: Callable[[HubCalls], T]) -> T:
        """`work` in a thread with a connection of its own. Raises FacadeRefusedError(RATE_LIMITED)
        where too many wait already."""
        if self._waiting >= WAITING_MAX:
            raise limited()
        self._waiting += 1
        try:
            async with self._free:
                hub = self._connections.get_nowait()
                try:
                    return await run_in_threadpool(work, hub)
                finally:
                    self._connections.put(hub)
        finally:
            self._waiting -= 1

    def _body(self, found: Answer, account: str) -> dict[str, object]:
        head = self._head(self.statuses[Kind.OK], "接口调用成功", "OK", "done", account)
        data: dict[str, object] = dict(found.data)
        if found.proof is not None:
            head["logEntry"] = found.proof.entry
            data["proof"] = {"request": found.proof.request, "answer": found.proof.answer}
        return {"head": head, "data": data}

    def _head(
        self, status: int, message: str, reason: str, message_en: str, account: str
    ) -> dict[str, object]:
        """Status and message as the standard has them; what follows is ours, and says who signs."""
        return {
            "status": status,
            "message": message,
            "reason": reason,
            "messageEn": message_en,
            "actingSystem": self.system,
            "onBehalfOf": account,
        }


def build_app(facade: Facade) -> Starlette:
    """The HTTP application of `facade`."""

    def handler(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            return await facade.answer(operation, request)

        return handle

    paths = {**PATHS, **facade.config.facade.paths}
    return Starlette(
        routes=[
            Route(path, handler(operation), methods=["POST"]) for path, operation in paths.items()
        ]
    )


def refusal_of(error: Exception) -> FacadeRefusedError:
    """What a caller is told. Whatever is not meant for callers is told as an internal error."""
    if isinstance(error, FacadeRefusedError):
        return error
    if isinstance(error, HubRefusedError):
        kind = KINDS.get(error.reason, Kind.INVALID)
        if kind is Kind.UNAVAILABLE:
            # Where the hub stands, and as whom the facade comes, is no caller's business.
            zh, en = "服务超时，请稍后再试", "the hub does not answer now; repeat later"
            return FacadeRefusedError(kind, error.code, zh, en)
        return FacadeRefusedError(kind, error.code, error.text("zh"), error.text("en"))
    if isinstance(error, HubError) and error.reason is Reason.MESSAGE_TOO_LARGE:
        return FacadeRefusedError(
            Kind.INVALID, error.reason.value, error.text("zh"), error.text("en")
        )
    if isinstance(error, ProofError):
        _LOG.error(json.dumps({"event": "facade_proof", "reason": error.reason.value}))
        zh = "枢纽的答复未通过核验，未予返回，请联系运维人员"
        return FacadeRefusedError(
            Kind.INTERNAL, error.reason.value, zh, "the hub's answer does not verify"
        )
    # The type only: a message or a stack of a stranger may quote what was sent.
    _LOG.error(json.dumps({"event": "facade_error", "type": type(error).__name__}))
    return FacadeRefusedError(Kind.INTERNAL, "INTERNAL", "系统内部错误", "internal error")


async def _body(request: Request) -> bytes:
    """The body, bounded in bytes and in time. Raises HubError and FacadeRefusedError."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise HubError(
                        Reason.MESSAGE_TOO_LARGE, bytes=len(body), bytes_max=BODY_BYTES_MAX
                    )
    except (TimeoutError, ClientDisconnect) as error:
        raise FacadeRefusedError(
            Kind.INVALID, "BODY_INCOMPLETE", "请求未完整送达", "the body did not arrive whole"
        ) from error
    return bytes(body)
