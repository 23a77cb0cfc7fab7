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
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.client import HubRefusedError
from connectors.facade.accounts import Accounts, limited
from connectors.facade.addresses import Addresses
from connectors.facade.codes import DIALECTS, KINDS, RESULTS, FacadeRefusedError, Kind
from connectors.facade.config import Account, FacadeConfig
from connectors.facade.hub_calls import HubCalls, Shared
from connectors.facade.operations import Answer, Document, Limits, check_promise, run
from connectors.facade.questions import (
    Envelope,
    Operation,
    missing,
    read_envelope,
    read_lifetime,
)
from connectors.profile import load_profile, read_bounded
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u_decode
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.trust import TRUST_BYTES_MAX, parse_trust

BODY_BYTES_MAX: Final = 65_536
BODY_S_MAX: Final = 10.0
WAITING_MAX: Final = 64
# Files that are sent to be verified stand in memory: so many at a time, and so many more wait.
FILES_AT_ONCE: Final = 2
FILES_WAITING_MAX: Final = 8
# Documents that are being handed out, each within this time however slowly it is read.
DOCUMENTS_AT_ONCE: Final = 32
DOCUMENT_S_MAX: Final = 300.0
DOWNLOADS: Final = "/documents"
# A multiple of three, so that pieces of base64 fit together.
_PIECE_BYTES: Final = 48 * 1024

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

_UNPROVEN: Final = (
    "枢纽的答复未通过核验，未予返回，请联系运维人员",
    "the hub's answer does not verify",
)
# Where an address answers without an envelope's 200.
_HTTP: Final[Mapping[Kind, int]] = {
    Kind.ABSENT: 404,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
}


@dataclass(slots=True)
class Facade:
    """One facade: accounts before it, connections to the hub behind it."""

    config: FacadeConfig
    accounts: Accounts
    system: str
    statuses: Mapping[Kind, int]
    limits: Limits
    _connections: queue.LifoQueue[HubCalls]
    # Where callers reach it; `serve` knows the port.
    base_url: str = ""
    _addresses: Addresses = field(default_factory=lambda: Addresses(time.monotonic))
    _free: asyncio.Semaphore = field(init=False)
    _files: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FILES_AT_ONCE))
    _waiting: int = 0
    _files_waiting: int = 0
    _handing_out: int = 0

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.config.facade.calls_at_once)

    @classmethod
    def open(cls, config: FacadeConfig) -> Facade:
        """Raises HubError(FILE_UNREADABLE) and ProofError(TRUST_MALFORMED), (ORIGIN_WRONG)."""
        profile = load_profile(config.path(config.facade.profile))
        trust = parse_trust(read_bounded(profile.trust, TRUST_BYTES_MAX, "trust"))
        if (trust.origin, trust.region) != (profile.origin, profile.region):
            raise ProofError(ProofReason.ORIGIN_WRONG, f"{profile.trust.name} is of {trust.origin}")
        shared = Shared(profile, trust)
        connections: queue.LifoQueue[HubCalls] = queue.LifoQueue()
        for _ in range(config.facade.calls_at_once):
            connections.put(HubCalls.of(profile, shared))
        section = config.facade
        return cls(
            config,
            Accounts(config.accounts, section.token_lifetime_s, time.monotonic),
            profile.name,
            {**DIALECTS[section.dialect], **section.statuses},
            Limits({**RESULTS, **section.results}, section.file_bytes_max, section.copy_days),
            connections,
        )

    def close(self) -> None:
        """Give the connections up; no call is under way any more."""
        while not self._connections.empty():
            self._connections.get().client.close()

    async def answer(self, operation: Operation, request: Request) -> Response:
        """One call, whatever was sent."""
        call = _Call(operation.value, _peer(request))
        try:
            if operation is Operation.VERIFY_FILE:
                async with self._room_for_a_file():
                    response = await self._answer(operation, request, call)
            else:
                response = await self._answer(operation, request, call)
        except Exception as error:  # The edge: whatever it is, the caller gets an envelope.
            response = self._refused(error, call)
        self._log(call)
        return response

    async def download(self, request: Request) -> Response:
        """The document behind an address, once. Errors come with an HTTP status of their own."""
        call = _Call("download", _peer(request))
        token = str(request.path_params["token"])
        try:
            promised = self._addresses.take(token, call.peer)
            call.account = promised.account.name
            try:
                found = await self._do(Operation.ADDRESS, promised.account, promised.data)
            except Exception as error:
                if refusal_of(error).kind in (Kind.UNAVAILABLE, Kind.LIMITED):
                    self._addresses.put_back(token, promised)
                raise
            assert found.document is not None and found.proof is not None, "a file was asked for"
            response = self._raw(found.document, found.proof.entry)
        except Exception as error:
            refused = self._refused(error, call)
            refused.status_code = _HTTP.get(refusal_of(error).kind, 403)
            response = refused
        self._log(call)
        return response

    async def _answer(self, operation: Operation, request: Request, call: _Call) -> Response:
        bytes_max = BODY_BYTES_MAX
        if operation is Operation.VERIFY_FILE:
            bytes_max += self.limits.file_bytes_max * 4 // 3
        body = await _body(request, bytes_max)
        envelope = await run_in_threadpool(read_envelope, body)
        if operation is Operation.TOKEN:
            answer, call.account = await self._token(envelope, call.peer)
            return _json(answer)
        caller = self.accounts.check_token(envelope.access_id, envelope.token, call.peer)
        call.account = caller.name
        if operation is Operation.ADDRESS:
            self.accounts.count_call(caller)
            return _json(self._promise(caller, envelope.data, call))
        found = await self._do(operation, caller, envelope.data)
        if found.document is not None:
            return self._inline(found, call)
        return _json(self._body(found, call.account))

    async def _do(self, operation: Operation, account: Account, data: Mapping[str, Json]) -> Answer:
        """Ask the hub for an account, whose calls are counted."""
        self.accounts.count_call(account)
        return await self._in_turn(lambda hub: run(operation, account, data, hub, self.limits))

    def _promise(self, caller: Account, data: Mapping[str, Json], call: _Call) -> dict[str, object]:
        """An address of a document, made without asking the hub: it tells nothing."""
        check_promise(caller, data)
        most_s = self.config.facade.address_lifetime_s
        lifetime_s = read_lifetime(data, datetime.now(UTC), most_s)
        token = self._addresses.make(caller, call.peer, data, lifetime_s)
        promised = {
            "contentType": "http",
            "content": f"{self.base_url}{DOWNLOADS}/{token}",
            "expiresIn": lifetime_s,
        }
        return {"head": self._done(call.account), "data": promised}

    def _inline(self, found: Answer, call: _Call) -> Response:
        """A document inside of its envelope, piece by piece."""
        assert found.document is not None, "the caller looked"
        text = json.dumps(self._body(found, call.account))
        # Its last member is `data`, which is not empty: the content follows as one more of it.
        begin = text.removesuffix("}}") + ', "content": "'

        async def envelope() -> AsyncIterator[bytes]:
            yield begin.encode()
            async for piece in self._pieces(document):
                yield b64encode(piece)
            yield b'"}}'

        document = found.document
        return self._bounded(document, envelope(), "application/json")

    def _raw(self, document: Document, entry: int) -> Response:
        digest = b64encode(b64u_decode(document.digest)).decode()
        response = self._bounded(document, self._pieces(document), document.media_type)
        response.headers.update(
            {
                "content-disposition": f'attachment; filename="{document.name}"',
                "x-content-type-options": "nosniff",
                # RFC 9530
                "repr-digest": f"sha-256=:{digest}:",
                "sealway-log-entry": str(entry),
            }
        )
        return response

    def _bounded(
        self, document: Document, content: AsyncIterator[bytes], media_type: str
    ) -> Response:
        """One of so many answers that hand documents out. Raises FacadeRefusedError(RATE_LIMITED)
        where there are more already."""
        if self._handing_out >= DOCUMENTS_AT_ONCE:
            document.file.close()
            raise limited()
        self._handing_out += 1

        def release() -> None:
            self._handing_out -= 1
            document.file.close()

        return _Bounded(content, media_type, release)

    async def _pieces(self, document: Document) -> AsyncIterator[bytes]:
        while piece := await run_in_threadpool(document.file.read, _PIECE_BYTES):
            yield piece

    @asynccontextmanager
    async def _room_for_a_file(self) -> AsyncIterator[None]:
        if self._files_waiting >= FILES_WAITING_MAX:
            raise limited()
        self._files_waiting += 1
        try:
            await self._files.acquire()
        finally:
            self._files_waiting -= 1
        try:
            yield
        finally:
            self._files.release()

    def _refused(self, error: Exception, call: _Call) -> JSONResponse:
        refusal = refusal_of(error)
        call.status, call.reason = self.statuses[refusal.kind], refusal.reason
        head = self._head(call.status, refusal.zh, refusal.reason, refusal.en, call.account)
        code = 413 if refusal.reason == "MESSAGE_TOO_LARGE" else 200
        return _json({"head": head, "data": {}}, code)

    def _log(self, call: _Call) -> None:
        line = {
            "event": "facade_call",
            "operation": call.operation,
            "account": call.account,
            "peer": call.peer,
            "status": call.status,
            "reason": call.reason,
            "duration_ms": round((time.perf_counter() - call.started) * 1000, 1),
        }
        _LOG.info(json.dumps(line))

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
        head = self._done(account.name)
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
        head = self._done(account)
        data: dict[str, object] = dict(found.data)
        if found.proof is not None:
            head["logEntry"] = found.proof.entry
            data["proof"] = {"request": found.proof.request, "answer": found.proof.answer}
        return {"head": head, "data": data}

    def _done(self, account: str) -> dict[str, object]:
        return self._head(self.statuses[Kind.OK], "接口调用成功", "OK", "done", account)

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


@dataclass(slots=True)
class _Call:
    """One call, as its line of the log tells it."""

    operation: str
    peer: str
    account: str = ""
    status: int = 0
    reason: str = "OK"
    started: float = field(default_factory=time.perf_counter)


class _Bounded(StreamingResponse):
    """A document on its way: whoever reads too slowly is given up, and what it holds let go."""

    def __init__(
        self, content: AsyncIterator[bytes], media_type: str, release: Callable[[], None]
    ) -> None:
        super().__init__(content, media_type=media_type, headers={"cache-control": "no-store"})
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(DOCUMENT_S_MAX):
                await super().__call__(scope, receive, send)
        finally:
            self._release()


def build_app(facade: Facade) -> Starlette:
    """The HTTP application of `facade`."""

    def handler(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            return await facade.answer(operation, request)

        return handle

    paths = {**PATHS, **facade.config.facade.paths}
    return Starlette(
        routes=[
            *(
                Route(path, handler(operation), methods=["POST"])
                for path, operation in paths.items()
            ),
            # Not by a method list, which would let HEAD use the address up.
            Route(f"{DOWNLOADS}/{{token:str}}", _OnlyGet(facade)),
        ]
    )


@dataclass(frozen=True, slots=True)
class _OnlyGet:
    facade: Facade

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response: Response = Response(status_code=405, headers={"allow": "GET"})
        if request.method == "GET":
            response = await self.facade.download(request)
        await response(scope, receive, send)


def _json(body: object, code: int = 200) -> JSONResponse:
    return JSONResponse(body, code, headers={"cache-control": "no-store"})


def _peer(request: Request) -> str:
    return request.client.host if request.client is not None else ""


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
        if error.reason is Reason.LOG_SEEN_AHEAD:
            # The kept head proves a longer log: somebody has rolled the hub's back.
            _LOG.error(json.dumps({"event": "facade_log_behind", "reason": error.code}))
            return FacadeRefusedError(kind, error.code, *_UNPROVEN)
        return FacadeRefusedError(kind, error.code, error.text("zh"), error.text("en"))
    if isinstance(error, HubError) and error.reason is Reason.MESSAGE_TOO_LARGE:
        return FacadeRefusedError(
            Kind.INVALID, error.reason.value, error.text("zh"), error.text("en")
        )
    if isinstance(error, ProofError):
        _LOG.error(json.dumps({"event": "facade_proof", "reason": error.reason.value}))
        return FacadeRefusedError(Kind.INTERNAL, error.reason.value, *_UNPROVEN)
    # The type only: a message or a stack of a stranger may quote what was sent.
    _LOG.error(json.dumps({"event": "facade_error", "type": type(error).__name__}))
    return FacadeRefusedError(Kind.INTERNAL, "INTERNAL", "系统内部错误", "internal error")


async def _body(request: Request, bytes_max: int) -> bytes:
    """The body, bounded in bytes and in time. Raises HubError and FacadeRefusedError."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=len(body), bytes_max=bytes_max)
    except (TimeoutError, ClientDisconnect) as error:
        raise FacadeRefusedError(
            Kind.INVALID, "BODY_INCOMPLETE", "请求未完整送达", "the body did not arrive whole"
        ) from error
    return bytes(body)
