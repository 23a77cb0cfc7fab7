"""`sealway fact`: a fact that changed, announced once, and who has followed."""

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
    resource_name,
    show_list,
    shown_enum,
    shown_time,
    write,
    written,
)
from hub.cli.terminal import Terminal
from hub.registry.v1 import facts_pb2, facts_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="A fact that changed, and the certificates with it.")


@app.command()
def announce(
    certificate: Annotated[
        str, typer.Argument(help="Your own certificate that shows it: authorities/{a}/…")
    ],
    facts: Annotated[list[str], typer.Option("--fact", help="What changed; may be repeated.")],
    basis: Annotated[str, typer.Option(help="Law and article, or the decision.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Announce a change: every other certificate of that organisation with the fact has to follow.

    Example: sealway fact announce authorities/market/certificates/0f3a… --fact address --basis "…"
    """
    terminal = Terminal(as_json)
    request = facts_pb2.AnnounceFactChangeRequest(
        request_id=request_id(repeat), certificate=certificate, facts=facts, legal_basis=basis
    )
    with connected(profile) as client:
        stub = facts_pb2_grpc.FactServiceStub(client.channel)
        answer: facts_pb2.AnnounceFactChangeResponse = write(
            terminal, client, stub.AnnounceFactChange, request
        )
    change = answer.fact_change
    terminal.document(written(change, answer.receipt))
    terminal.say(
        f"Announced as {change.name}; certificates that have to follow: {change.follow_ups}.",
        f"已通告 {change.name}；需随之变更的证照：{change.follow_ups} 件。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway fact list {change.name}")


@app.command("list")
def list_(
    fact_change: Annotated[
        str, typer.Argument(help="An announcement of yours; otherwise your own certificates.")
    ] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what has to follow, and where each stands.

    Example: sealway fact list
    """
    change = resource_name("factChanges", fact_change) if fact_change else ""
    with connected(profile) as client:
        stub = facts_pb2_grpc.FactServiceStub(client.channel)

        def page(token: str) -> tuple[list[facts_pb2.FollowUp], str]:
            answer: facts_pb2.ListFollowUpsResponse = client.call(
                stub.ListFollowUps,
                facts_pb2.ListFollowUpsRequest(
                    fact_change=change, page_size=PAGE_SIZE, page_token=token
                ),
            )
            return list(answer.follow_ups), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "follow_ups",
        found,
        (
            ("name", "名称"),
            ("authority", "机构"),
            ("facts", "事实"),
            ("shown by", "依据证照"),
            ("announced", "通告时间"),
            ("state", "状态"),
        ),
        [
            (
                item.name,
                item.authority,
                ", ".join(item.facts),
                item.source_identifier,
                shown_time(item.announce_time),
                shown_enum(item, "state"),
            )
            for item in found
        ],
    )


@app.command()
def decline(
    follow_up: Annotated[str, typer.Argument(help="factChanges/{f}/followUps/{u}")],
    reason: Annotated[str, typer.Option(help="Why it is not changed; no personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a certificate is not changed.

    Example: sealway fact decline factChanges/0190…/followUps/0f3a… --reason "replaced in May"
    """
    terminal = Terminal(as_json)
    request = facts_pb2.DeclineFollowUpRequest(
        request_id=request_id(repeat), name=follow_up, decline_reason=reason
    )
    with connected(profile) as client:
        stub = facts_pb2_grpc.FactServiceStub(client.channel)
        answer: facts_pb2.DeclineFollowUpResponse = write(
            terminal, client, stub.DeclineFollowUp, request
        )
    terminal.document(written(answer.follow_up, answer.receipt))
    terminal.say(f"Declined {answer.follow_up.name}.", f"已说明不变更 {answer.follow_up.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
