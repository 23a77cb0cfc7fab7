"""`sealway copy`: annotated copies (加注件) of certificates that were fetched."""

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
    write,
    written,
)
from hub.cli.terminal import Terminal
from hub.exchange.v1 import copies_pb2, copies_pb2_grpc

app = typer.Typer(
    no_args_is_help=True, help="Annotated copies (加注件): for a purpose and a time, no originals."
)


@app.command()
def make(
    fetch: Annotated[str, typer.Argument(help="Request id of the fetch that gave the data.")],
    purpose: Annotated[
        str, typer.Option(help="Why the copy is made; it stands on it. No personal data.")
    ],
    until: Annotated[str, typer.Option(help="Last day or moment of its use, at most 366 days.")],
    number: Annotated[
        int, typer.Option(min=1, max=20, help="Which certificate of that fetch, from 1.")
    ] = 1,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register an annotated copy of a certificate that was fetched and is still in force.

    Example: sealway copy make 6f1c…-… --purpose "办理食品经营许可" --until 2026-12-31
    """
    terminal = Terminal(as_json)
    request = copies_pb2.CreateAnnotatedCopyRequest(
        request_id=request_id(repeat),
        fetch_request_id=fetch,
        certificate=number - 1,
        purpose=purpose,
        expire_time=moment(until, option="--until", end_of_day=True),
    )
    with connected(profile) as client:
        stub = copies_pb2_grpc.CopyServiceStub(client.channel)
        answer: copies_pb2.CreateAnnotatedCopyResponse = write(
            terminal, client, stub.CreateAnnotatedCopy, request
        )
    copy = answer.annotated_copy
    terminal.document(written(copy, answer.receipt))
    terminal.say(
        f"Registered {copy.name}, until {shown_time(copy.expire_time)}.",
        f"已登记加注件 {copy.name}，有效期至 {shown_time(copy.expire_time)}。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway copy show {copy.name}")


@app.command()
def show(
    copy: Annotated[str, typer.Argument(help="annotatedCopies/{c}, or the id alone.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one annotated copy and whether it may be used now.

    Example: sealway copy show annotatedCopies/019c…
    """
    with connected(profile) as client:
        stub = copies_pb2_grpc.CopyServiceStub(client.channel)
        answer: copies_pb2.GetAnnotatedCopyResponse = client.call(
            stub.GetAnnotatedCopy,
            copies_pb2.GetAnnotatedCopyRequest(name=resource_name("annotatedCopies", copy)),
        )
    terminal = Terminal(as_json)
    show_one(terminal, answer.annotated_copy)
    next_step(terminal, f"sealway copy list --identifier {answer.annotated_copy.identifier}")


@app.command("list")
def list_copies(
    identifier: Annotated[
        str, typer.Option(help="Only copies of the certificate with this identifier.")
    ] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List annotated copies: a platform its own, a department those of its certificates.

    Example: sealway copy list --identifier 1.2.156.3005.2.11100000000013338W001.….001.4
    """
    with connected(profile) as client:
        stub = copies_pb2_grpc.CopyServiceStub(client.channel)

        def page(token: str) -> tuple[list[copies_pb2.AnnotatedCopy], str]:
            answer: copies_pb2.ListAnnotatedCopiesResponse = client.call(
                stub.ListAnnotatedCopies,
                copies_pb2.ListAnnotatedCopiesRequest(
                    identifier=identifier, page_size=PAGE_SIZE, page_token=token
                ),
            )
            return list(answer.annotated_copies), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "annotated_copies",
        found,
        (
            ("name", "名称"),
            ("identifier", "证照标识"),
            ("purpose", "制作事由"),
            ("until", "有效期至"),
            ("state", "状态"),
        ),
        [
            (
                one.name,
                one.identifier,
                one.purpose,
                shown_time(one.expire_time),
                shown_enum(one, "state"),
            )
            for one in found
        ],
    )
