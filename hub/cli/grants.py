"""`sealway grant`: who may have which fields of which type, for which service items."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    keep_receipt,
    moment,
    next_step,
    request_id,
    resource_name,
    show_list,
    show_one,
    shown_enum,
    shown_time,
    type_name,
    write,
    written,
)
from hub.cli.terminal import Terminal
from hub.exchange.v1 import exchange_pb2, exchange_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="Permissions to have fields of certificates.")


@app.command()
def add(
    grant: Annotated[str, typer.Argument(help="Id: 3 to 63 of a-z, 0-9 and hyphen.")],
    recipient: Annotated[str, typer.Option(help="System that may have the fields.")],
    certificate_type: Annotated[str, typer.Option("--type", help="Type code, 21 characters.")],
    field: Annotated[list[str], typer.Option(help="Field that may be disclosed; repeat.")],
    item: Annotated[list[str], typer.Option(help="Code of a service item (事项); repeat.")],
    basis: Annotated[str, typer.Option(help="Law and article.")],
    start: Annotated[str, typer.Option("--from", help="First day or moment.")],
    until: Annotated[str, typer.Option(help="Last day or moment.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Permit a system to have fields of a type. Officers, and the department that owns the type.

    Example: sealway grant add licence-to-window --recipient window-1 --type 11100000MB0143028R001
    --field name --field scope --item 331022003000 --basis "行政许可法 第三十一条" --from 2026-01-01
    --until 2026-12-31
    """
    terminal = Terminal(as_json)
    wanted = exchange_pb2.Grant(
        recipient=resource_name("systems", recipient),
        certificate_type=type_name(certificate_type),
        fields=field,
        service_items=item,
        legal_basis=basis,
        start_time=moment(start, option="--from"),
        expire_time=moment(until, option="--until", end_of_day=True),
    )
    request = exchange_pb2.CreateGrantRequest(
        request_id=request_id(repeat), grant_id=grant, grant=wanted
    )
    with connected(profile) as client:
        stub = exchange_pb2_grpc.ExchangeServiceStub(client.channel)
        answer: exchange_pb2.CreateGrantResponse = write(
            terminal, client, stub.CreateGrant, request
        )
    terminal.document(written(answer.grant, answer.receipt))
    terminal.say(f"Granted {answer.grant.name}.", f"已授权 {answer.grant.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(
        terminal,
        f"sealway exchange fetch --holder 001:CODE --type {certificate_type} "
        f"--field {field[0]} --item {item[0]} --matter MATTER --basis BASIS",
    )


@app.command("list")
def list_grants(
    recipient: Annotated[str, typer.Option(help="Only those of this system.")] = "",
    certificate_type: Annotated[str, typer.Option("--type", help="Only those of this type.")] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List grants in the order of their creation.

    Example: sealway grant list --recipient window-1
    """
    narrow = exchange_pb2.ListGrantsRequest.Filter(
        recipient=resource_name("systems", recipient) if recipient else "",
        certificate_type=type_name(certificate_type) if certificate_type else "",
    )
    with connected(profile) as client:
        stub = exchange_pb2_grpc.ExchangeServiceStub(client.channel)

        def page(token: str) -> tuple[list[exchange_pb2.Grant], str]:
            answer: exchange_pb2.ListGrantsResponse = client.call(
                stub.ListGrants,
                exchange_pb2.ListGrantsRequest(
                    page_size=PAGE_SIZE, page_token=token, filter=narrow
                ),
            )
            return list(answer.grants), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "grants",
        found,
        (
            ("name", "名称"),
            ("recipient", "接收方"),
            ("type", "证照类型"),
            ("fields", "字段"),
            ("until", "截止"),
            ("state", "状态"),
        ),
        [
            (
                grant.name,
                grant.recipient,
                grant.certificate_type.removeprefix("certificateTypes/").upper(),
                ", ".join(grant.fields),
                shown_time(grant.expire_time),
                shown_enum(grant, "state"),
            )
            for grant in found
        ],
    )


@app.command()
def show(
    grant: Annotated[str, typer.Argument(help="Id or name.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one grant.

    Example: sealway grant show licence-to-window
    """
    with connected(profile) as client:
        stub = exchange_pb2_grpc.ExchangeServiceStub(client.channel)
        answer: exchange_pb2.GetGrantResponse = client.call(
            stub.GetGrant, exchange_pb2.GetGrantRequest(name=resource_name("grants", grant))
        )
    show_one(Terminal(as_json), answer.grant)


@app.command()
def revoke(
    grant: Annotated[str, typer.Argument(help="Id or name.")],
    cause: Annotated[str, typer.Option(help="Why; kept in the log, no personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a grant at once and for good.

    Example: sealway grant revoke licence-to-window --cause "agreement ended"
    """
    terminal = Terminal(as_json)
    request = exchange_pb2.RevokeGrantRequest(
        request_id=request_id(repeat), name=resource_name("grants", grant), cause=cause
    )
    with connected(profile) as client:
        stub = exchange_pb2_grpc.ExchangeServiceStub(client.channel)
        answer: exchange_pb2.RevokeGrantResponse = write(
            terminal, client, stub.RevokeGrant, request
        )
    terminal.document(written(answer.grant, answer.receipt))
    terminal.say(f"Revoked {answer.grant.name}.", f"已撤销 {answer.grant.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
