"""`sealway serve`: run the hub until it is told to stop."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from hub.cli.session import JsonOption
from hub.cli.terminal import Terminal, UsageError
from hub.config import Config, load

ConfigOption = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="Configuration of the hub.")
]


app = typer.Typer()


@app.command()
def serve(config: ConfigOption = Path("hub.toml"), as_json: JsonOption = False) -> None:
    """Run the hub. SIGTERM and Ctrl-C stop it gracefully: calls under way are answered.

    It says where once it serves: a line, or with --json {"origin", "grpc_port", "http_port"}.

    Example: sealway serve --config ./home/hub.toml
    """
    terminal, loaded = Terminal(as_json), find_config(config)
    # Only who opens data pays for loading the server.
    from hub.server import serve as run  # noqa: PLC0415
    from hub.serving import Hub  # noqa: PLC0415

    def started(hub: Hub) -> None:
        ports = {"grpc_port": hub.grpc_port, "http_port": hub.http_port}
        terminal.document({"origin": loaded.hub.origin, **ports})
        if not as_json:
            terminal.say(
                f"Sealway hub {loaded.hub.origin}: gRPC on port {hub.grpc_port}, "
                f"HTTP on port {hub.http_port}. Ctrl-C stops it.",
                f"Sealway 枢纽 {loaded.hub.origin}：gRPC 端口 {hub.grpc_port}，"
                f"HTTP 端口 {hub.http_port}。按 Ctrl-C 停止。",
            )
        sys.stdout.flush()

    uvloop.run(run(loaded, started))


def find_config(file: Path) -> Config:
    """The configuration that was named, or `./hub.toml`.

    Raises UsageError where there is none, HubError(CONFIG_INVALID) where it is wrong.
    """
    if not file.is_file():
        raise UsageError(
            f"there is no configuration {file}. Name one: --config FILE; or make a hub's home: "
            "sealway init DIR",
            f"没有配置文件 {file}。请用 --config FILE 指定，或用 sealway init DIR 创建枢纽目录",
        )
    return load(file)
