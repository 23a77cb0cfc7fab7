"""`sealway serve`: run the hub until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import uvloop

from hub.cli.terminal import UsageError
from hub.config import Config, load

ConfigOption = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="Configuration of the hub.")
]


app = typer.Typer()


@app.command()
def serve(config: ConfigOption = Path("hub.toml")) -> None:
    """Run the hub. SIGTERM and Ctrl-C stop it gracefully: calls under way are answered.

    Example: sealway serve --config ./home/hub.toml
    """
    loaded = find_config(config)
    from hub import server  # noqa: PLC0415 - only who opens data pays for loading the server

    uvloop.run(server.serve(loaded))


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
