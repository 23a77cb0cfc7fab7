"""`sealway notice`: what was wrong of what a system was given."""

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
    next_step,
    request_id,
    show_list,
    shown_time,
    write,
    written,
)
from hub.cli.terminal import Terminal
from hub.registry.v1 import objections_pb2 as pb
from hub.registry.v1 import objections_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="What was wrong of what your system was given.")


@app.command("list")
def list_(
    open_: Annotated[
        bool, typer.Option("--open", help="Only those that nobody has acknowledged.")
    ] = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List notices of corrections: a window those sent to it, a department those of its own.

    Example: sealway notice list --open
    """
    with connected(profile) as client:
        stub = objections_pb2_grpc.ObjectionServiceStub(client.channel)
        wanted = pb.ListNoticesRequest.Filter(unacknowledged=open_)

        def page(token: str) -> tuple[list[pb.Notice], str]:
            answer: pb.ListNoticesResponse = client.call(
                stub.ListNotices,
                pb.ListNoticesRequest(page_size=PAGE_SIZE, page_token=token, filter=wanted),
            )
            return list(answer.notices), answer.next_page_token

        found = all_pages(page)
    terminal = Terminal(as_json)
    show_list(
        terminal,
        "notices",
        found,
        (
            ("name", "名称"),
            ("wrong", "有误的版本"),
            ("fields", "字段"),
            ("log entries", "日志条目"),
            ("right", "更正后的版本"),
            ("acknowledged", "确认时间"),
        ),
        [
            (
                item.name,
                "\n".join(one.identifier for one in item.received),
                ", ".join(dict.fromkeys(name for one in item.received for name in one.fields)),
                ", ".join(str(entry) for one in item.received for entry in one.entries),
                item.correction,
                shown_time(item.acknowledge_time),
            )
            for item in found
        ],
    )
    waiting = next((one.name for one in found if not one.HasField("acknowledge_time")), None)
    if waiting is not None:
        next_step(terminal, f"sealway notice acknowledge {waiting}")


@app.command()
def acknowledge(
    notice: Annotated[str, typer.Argument(help="systems/{s}/notices/{n}")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that your system has put right what it was given wrongly.

    Example: sealway notice acknowledge systems/window-1/notices/0190…
    """
    terminal = Terminal(as_json)
    request = pb.AcknowledgeNoticeRequest(request_id=request_id(repeat), name=notice)
    with connected(profile) as client:
        stub = objections_pb2_grpc.ObjectionServiceStub(client.channel)
        answer: pb.AcknowledgeNoticeResponse = write(
            terminal, client, stub.AcknowledgeNotice, request
        )
    terminal.document(written(answer.notice, answer.receipt))
    terminal.say(f"Acknowledged {answer.notice.name}.", f"已确认 {answer.notice.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, "sealway notice list --open")
