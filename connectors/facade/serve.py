"""Run a facade until SIGTERM or Ctrl-C; calls under way are answered."""

from __future__ import annotations

import socket

import uvicorn

from connectors.facade.app import Facade, build_app
from connectors.facade.config import FacadeConfig

_STOP_S: int = 10
_CONNECTIONS_MAX: int = 512


def serve(config: FacadeConfig) -> None:
    """Raises HubError and ProofError where it cannot be opened."""
    facade = Facade.open(config)
    section = config.facade
    host, _, port = section.address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), int(port)), family=family)
    certificate = config.path(section.certificate) if section.certificate is not None else None
    key = config.path(section.key) if section.key is not None else None
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(facade),
            ssl_certfile=certificate,
            ssl_keyfile=key,
            access_log=False,
            server_header=False,
            # Addresses come from the connection; no header is believed.
            proxy_headers=False,
            lifespan="off",
            log_level="warning",
            limit_concurrency=_CONNECTIONS_MAX,
            timeout_graceful_shutdown=_STOP_S,
        )
    )
    scheme = "http" if certificate is None else "https"
    facade.base_url = section.public_url or f"{scheme}://{host}:{listener.getsockname()[1]}"
    print(  # noqa: T201 - a person or a supervisor waits for this line
        f"Sealway facade of {facade.system}: {scheme} on port {listener.getsockname()[1]}. "
        "Ctrl-C stops it.",
        flush=True,
    )
    try:
        server.run([listener])
    finally:
        facade.close()
