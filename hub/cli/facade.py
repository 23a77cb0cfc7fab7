"""`sealway facade`: the JSON/HTTP facade of the GB/T 36906 family, and its accounts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from certs.files import PRIVATE
from connectors.facade.accounts import new_secret
from connectors.facade.config import load_facade
from hub.cli.session import JsonOption, in_folder, new_id, save
from hub.cli.terminal import Terminal, UsageError

app = typer.Typer(
    no_args_is_help=True, help="Serve systems written for a provincial platform (GB/T 36906)."
)


@app.callback()
def facade() -> None:
    """Serve systems written for a provincial platform (GB/T 36906)."""


@app.command()
def serve(
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="Configuration of the facade.")
    ] = Path("facade.toml"),
) -> None:
    """Run the facade. SIGTERM and Ctrl-C stop it; calls under way are answered.

    It signs as the system of its client profile, in the name of the account that asks.

    Example: sealway facade serve --config facade.toml
    """
    if not config.is_file():
        raise UsageError(
            f"there is no configuration {config}. Name one: --config FILE; docs/facade.md shows it",
            f"没有配置文件 {config}。请用 --config FILE 指定；格式见 docs/facade.md",
        )
    loaded = load_facade(config)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    from connectors.facade.serve import serve as run  # noqa: PLC0415 - loads a web server

    run(loaded)


@app.command()
def account(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the new account.")],
    secret_file: Annotated[
        Path,
        typer.Option("--secret", metavar="FILE", help="Write the secret here, for the caller."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Make the secret of an account, and the lines of facade.toml that hold its hash.

    The secret stands in the file alone and cannot be read back from the hash.

    Example: sealway facade account shop-portal --secret shop-portal.secret
    """
    terminal = Terminal(as_json)
    identifier = new_id(account_id, option="ID")
    if secret_file.exists():
        raise UsageError(f"{secret_file} exists already", f"{secret_file} 已存在")
    secret, kept = new_secret()
    save(secret_file, f"{secret}\n".encode(), mode=PRIVATE)
    terminal.document({"id": identifier, "app_key": identifier, "secret": kept})
    terminal.say(
        f"Secret: {in_folder(secret_file)}. Add to facade.toml, with networks, operations, types, "
        "items and basis:",
        f"密钥：{in_folder(secret_file)}。请加入 facade.toml，并补充 networks、operations、types、"
        "items 和 basis：",
    )
    lines = f'[[accounts]]\nid = "{identifier}"\napp_key = "{identifier}"\nsecret = "{kept}"'
    terminal.say(lines, lines)
