"""`sealway officer`: the security officers; the first ones come from `sealway init`."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    all_pages,
    connected,
    resource_name,
    show_list,
    show_one,
    shown_time,
)
from hub.cli.terminal import Terminal

app = typer.Typer(no_args_is_help=True, help="Security officers.")


@app.command("list")
def list_officers(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List the officers.

    Example: sealway officer list --profile HOME/officers/wang/client.toml
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)

        def page(token: str) -> tuple[list[access_pb2.Officer], str]:
            answer: access_pb2.ListOfficersResponse = client.call(
                stub.ListOfficers,
                access_pb2.ListOfficersRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.officers), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "officers",
        found,
        (("name", "名称"), ("approval key", "审批密钥"), ("entry", "条目"), ("since", "登记时间")),
        [
            (
                item.name,
                item.approval_key_id,
                str(item.enrolment_entry),
                shown_time(item.create_time),
            )
            for item in found
        ],
    )


@app.command()
def show(
    officer: Annotated[str, typer.Argument(help="Id or name.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one officer.

    Example: sealway officer show wang
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.GetOfficerResponse = client.call(
            stub.GetOfficer,
            access_pb2.GetOfficerRequest(name=resource_name("officers", officer)),
        )
    show_one(Terminal(as_json), answer.officer)
