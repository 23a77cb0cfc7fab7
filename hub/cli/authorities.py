"""`sealway authority`: the departments that issue certificates."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    keep_receipt,
    next_step,
    request_id,
    resource_name,
    show_list,
    show_one,
    write,
    written,
)
from hub.cli.terminal import Terminal

app = typer.Typer(no_args_is_help=True, help="Departments that issue certificates.")


@app.command()
def add(
    authority: Annotated[str, typer.Argument(help="Id: 3 to 63 of a-z, 0-9 and hyphen.")],
    uscc: Annotated[str, typer.Option(help="Unified social credit code, 18 characters.")],
    title: Annotated[str, typer.Option(help="Name in Chinese.")],
    region: Annotated[str, typer.Option(help="Six digits of GB/T 2260.")],
    level: Annotated[
        int, typer.Option(min=1, max=5, help="1 national, 2 province, 3 city, 4 county, 5 other.")
    ],
    since: Annotated[str, typer.Option(help="First day of the name, YYYY-MM-DD.")],
    title_en: Annotated[str, typer.Option(help="Name in English.")] = "",
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a department. Officers only.

    Example: sealway authority add hz-market --uscc 113301000025123419 --title 杭州市市场监督管理局
    --region 330100 --level 3 --since 2019-01-01
    """
    terminal = Terminal(as_json)
    name = access_pb2.DatedName(title=title, title_en=title_en, from_date=since)
    request = access_pb2.CreateAuthorityRequest(
        request_id=request_id(repeat),
        authority_id=authority,
        authority=access_pb2.Authority(uscc=uscc, names=[name], region=region, level=level),
    )
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.CreateAuthorityResponse = write(
            terminal, client, stub.CreateAuthority, request
        )
    terminal.document(written(answer.authority, answer.receipt))
    terminal.say(f"Registered {answer.authority.name}.", f"已登记 {answer.authority.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway seal apply main --authority {authority} --title {title}")


@app.command("list")
def list_authorities(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List the departments.

    Example: sealway authority list --json
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)

        def page(token: str) -> tuple[list[access_pb2.Authority], str]:
            answer: access_pb2.ListAuthoritiesResponse = client.call(
                stub.ListAuthorities,
                access_pb2.ListAuthoritiesRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.authorities), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "authorities",
        found,
        (("name", "名称"), ("title", "单位"), ("USCC", "信用代码"), ("region", "地区")),
        [(item.name, current_title(item), item.uscc, item.region) for item in found],
    )


@app.command()
def show(
    authority: Annotated[str, typer.Argument(help="Id or name.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one department.

    Example: sealway authority show hz-market
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.GetAuthorityResponse = client.call(
            stub.GetAuthority,
            access_pb2.GetAuthorityRequest(name=resource_name("authorities", authority)),
        )
    show_one(Terminal(as_json), answer.authority)


def current_title(authority: access_pb2.Authority) -> str:
    """The name in use; empty where none is."""
    return next((name.title for name in authority.names if not name.to_date), "")
