"""A reference sealing service for tests (docs/formats/sealing-service.md): it really signs.

`lie` replaces its next answers; `signed` counts signatures, whoever got them.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.domain.seal_key import KeyAlgorithm
from hub.proof.encoding import b64u, b64u_decode, digest
from hub.seal.algorithms import SoftwareKey, Subject, certificate_request, request_info


@dataclass
class SealingService:
    """The service's keys and what it signed, by idempotency key. Refuses what it was not told."""

    keys: dict[str, tuple[SoftwareKey, str]] = field(default_factory=dict)
    answers: dict[str, tuple[str, Any]] = field(default_factory=dict)
    ordered: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    signed: int = 0
    lie: Callable[[Any], Response] | None = None
    url: str = ""

    def application(self) -> Starlette:
        """The routes of the contract."""
        return Starlette(
            routes=[
                Route("/v1/keys", self.make, methods=["POST"]),
                Route("/v1/keys", self.count, methods=["GET"]),
                Route("/v1/keys/{kid}", self.show, methods=["GET"]),
                Route("/v1/keys/{kid}", self.destroy, methods=["DELETE"]),
                Route("/v1/signatures", self.sign, methods=["POST"]),
            ]
        )

    async def make(self, request: Request) -> Response:
        self.ordered.append(await request.json())
        return await self._once(request, self._made)

    def _made(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = SoftwareKey.generate(KeyAlgorithm(asked["algorithm"]))
        self.keys[key.public.kid] = (key, asked["use"])
        subject = Subject(
            asked["common_name"], asked["organization"], asked["organization_identifier"]
        )
        info = request_info(key.public, subject)
        made = certificate_request(key.public, info, key.sign(info))
        return {
            "request_id": asked["request_id"],
            "public_key": b64u(key.public.spki),
            "x509_request": b64u(made),
        }

    async def count(self, _request: Request) -> Response:
        answer = {"count": len(self.keys)}
        return self.lie(answer) if self.lie else JSONResponse(answer)

    async def show(self, request: Request) -> Response:
        found = self.keys.get(request.path_params["kid"])
        if found is None:
            return JSONResponse({"error": "KEY_NOT_FOUND"}, 404)
        key, use = found
        return JSONResponse(
            {
                "algorithm": key.public.algorithm.value,
                "use": use,
                "public_key": b64u(key.public.spki),
            }
        )

    async def destroy(self, request: Request) -> Response:
        if self.keys.pop(request.path_params["kid"], None) is None:
            return JSONResponse({"error": "KEY_NOT_FOUND"}, 404)
        return Response(status_code=204)

    async def sign(self, request: Request) -> Response:
        self.asked.append(await request.json())
        answer = await self._once(request, self._signed)
        return (
            self.lie(json.loads(answer.body)) if self.lie and answer.status_code == 200 else answer
        )

    def _signed(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        found = self.keys.get(asked["key_id"])
        if found is None:
            return None
        data = b64u_decode(asked["bytes"])
        self.signed += 1
        return {
            "request_id": asked["request_id"],
            "key_id": asked["key_id"],
            "digest": digest(data),
            "signature": b64u(found[0].sign(data)),
            "x509_chain": self.chain,
        }

    async def _once(
        self, request: Request, do: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> JSONResponse:
        """What was done under this idempotency key is answered again, and done once."""
        body = await request.body()
        asked = json.loads(body)
        idempotency_key = request.headers["idempotency-key"]
        first = self.answers.get(idempotency_key)
        if first is not None and first[0] != digest(body):
            return JSONResponse({"error": "IDEMPOTENCY_KEY_REUSED"}, 409)
        if first is None:
            answer = do(asked)
            if answer is None:
                return JSONResponse({"error": "KEY_NOT_FOUND"}, 404)
            first = self.answers[idempotency_key] = (digest(body), answer)
        return JSONResponse(first[1])

    @contextlib.contextmanager
    def serving(self, *tls: Path) -> Iterator[str]:
        """Its address on loopback while the context is open; `tls` are certificate, key and the
        anchors of clients, who must show a certificate then."""
        more: dict[str, Any] = {}
        if tls:
            certificate, key, anchors = map(str, tls)
            more = {
                "ssl_certfile": certificate,
                "ssl_keyfile": key,
                "ssl_ca_certs": anchors,
                "ssl_cert_reqs": ssl.CERT_REQUIRED,
            }
        server = uvicorn.Server(
            uvicorn.Config(self.application(), port=0, log_level="critical", lifespan="off", **more)
        )
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        end = time.monotonic() + 20
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        try:
            yield self.url
        finally:
            server.should_exit = True
            thread.join(10)
