"""The HTTP side: status lists, type metadata, checkpoint, health and metrics.

Everything but health and metrics is signed or named by a digest inside something signed, so it may
be cached and fetched through anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.errors import HubError, Reason

STATUS_LIST_TYPE: Final = "application/statuslist+jwt"
# As long as a status list may be used without asking again.
_STATUS_AGE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the answers come from.

    `status_token` and its SM2 twin raise HubError(STATUS_LIST_NOT_FOUND); the twin is empty unless
    the hub is of the profile `gm`. `type_metadata` gives the bytes that `vct#integrity` covers, or
    None; `problems` names what keeps the hub from being ready.
    """

    status_token: Callable[[int], Awaitable[str]]
    sm2_status_token: Callable[[int], Awaitable[str]]
    type_metadata: Callable[[str, int], bytes | None]
    checkpoint: Callable[[], str]
    metrics: Callable[[], bytes]
    problems: Callable[[], list[str]]


def build_app(sources: Sources) -> Starlette:
    """The HTTP application over `sources`."""

    async def status(request: Request) -> Response:
        if "time" in request.query_params:
            # A list of another day would say who was asked about when.
            return PlainTextResponse("no status of another time is served", status_code=501)
        wanted = {"es256": sources.status_token, "sm2": sources.sm2_status_token}.get(
            request.query_params.get("alg", "es256")
        )
        if wanted is None:
            return PlainTextResponse("alg is es256 or sm2", status_code=400)
        try:
            token = await wanted(int(request.path_params["number"]))
        except HubError as error:
            code = 404 if error.reason is Reason.STATUS_LIST_NOT_FOUND else 503
            return PlainTextResponse(error.text("en"), status_code=code)
        if not token:
            return PlainTextResponse("this hub signs no status with SM2", status_code=404)
        return Response(
            token,
            media_type=STATUS_LIST_TYPE,
            headers={"cache-control": f"public, max-age={_STATUS_AGE_S}"},
        )

    async def type_metadata(request: Request) -> Response:
        text = request.query_params.get("version", "0")
        version = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
        metadata = sources.type_metadata(request.path_params["code"].upper(), version)
        if metadata is None:
            return PlainTextResponse("no such certificate type", status_code=404)
        return Response(metadata, media_type="application/json")

    async def checkpoint(_request: Request) -> Response:
        return Response(
            sources.checkpoint(),
            media_type="text/plain; charset=utf-8",
            headers={"cache-control": "no-cache"},
        )

    async def health(_request: Request) -> Response:
        problems = sources.problems()
        return JSONResponse(
            {"ready": not problems, "problems": problems}, status_code=503 if problems else 200
        )

    async def metrics(_request: Request) -> Response:
        return Response(sources.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return Starlette(
        routes=[
            Route("/status/{number:int}", status),
            Route("/vct/{code}", type_metadata),
            Route("/checkpoint", checkpoint),
            Route("/health", health),
            Route("/metrics", metrics),
        ]
    )
