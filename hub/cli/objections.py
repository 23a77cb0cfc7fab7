"""`sealway objection`: what is said to be wrong on a certificate, and what becomes of it."""

from __future__ import annotations

from enum import StrEnum
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
    show_one,
    shown_enum,
    shown_time,
    write,
    written,
)
from hub.cli.terminal import Terminal
from hub.registry.v1 import objections_pb2 as pb
from hub.registry.v1 import objections_pb2_grpc

app = typer.Typer(
    no_args_is_help=True, help="What is said to be wrong on a certificate, and the answer."
)


class For(StrEnum):
    """For whom an objection is raised."""

    HOLDER = "holder"
    AUTHORITY = "authority"


class OfState(StrEnum):
    """Where an objection stands."""

    RAISED = "raised"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CORRECTED = "corrected"


class Decision(StrEnum):
    """What an authority decides."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@app.command("raise")
def raise_(
    identifier: Annotated[str, typer.Argument(help="The certificate's identifier, 1.2.156…")],
    fields: Annotated[
        list[str],
        typer.Option("--field", help="What is wrong; may be repeated. holder_number: the holder."),
    ],
    statement: Annotated[str, typer.Option(help="How it shows; no personal data.")],
    party: Annotated[
        For, typer.Option("--for", help="The holder at a window, or your own authority.")
    ] = For.HOLDER,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Object to fields of a certificate: they are marked at once wherever it is read.

    Example: sealway objection raise 1.2.156.3005.2.… --field address --statement "moved in March"
    """
    terminal = Terminal(as_json)
    request = pb.RaiseObjectionRequest(
        request_id=request_id(repeat),
        identifier=identifier,
        fields=fields,
        party=f"PARTY_{party.name}",
        statement=statement,
    )
    with connected(profile) as client:
        stub = objections_pb2_grpc.ObjectionServiceStub(client.channel)
        answer: pb.RaiseObjectionResponse = write(terminal, client, stub.RaiseObjection, request)
    made = answer.objection
    terminal.document(written(made, answer.receipt))
    terminal.say(
        f"Raised as {made.name}; {made.authority} answers by {made.due_date}.",
        f"已提出 {made.name}；{made.authority} 应于 {made.due_date} 前答复。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway objection show {made.name}")


@app.command("list")
def list_(
    state: Annotated[OfState | None, typer.Option(help="Only those in this state.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those that are open and late.")
    ] = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the objections that you raised, and those that your authority answers.

    Example: sealway objection list --overdue
    """
    wanted = pb.ListObjectionsRequest.Filter(
        state=f"STATE_{state.name}" if state else None, overdue=overdue
    )
    with connected(profile) as client:
        stub = objections_pb2_grpc.ObjectionServiceStub(client.channel)

        def page(token: str) -> tuple[list[pb.Objection], str]:
            answer: pb.ListObjectionsResponse = client.call(
                stub.ListObjections,
                pb.ListObjectionsRequest(page_size=PAGE_SIZE, page_token=token, filter=wanted),
            )
            return list(answer.objections), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "objections",
        found,
        (
            ("name", "名称"),
            ("certificate", "证照标识"),
            ("fields", "字段"),
            ("raised", "提出时间"),
            ("due", "期限"),
            ("state", "状态"),
        ),
        [
            (
                item.name,
                item.identifier,
                ", ".join(item.fields),
                shown_time(item.raise_time),
                item.due_date,
                shown_enum(item, "state"),
            )
            for item in found
        ],
    )


@app.command("show")
def show_(
    objection: Annotated[str, typer.Argument(help="objections/{o}")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one objection with what was written.

    Example: sealway objection show objections/0190…
    """
    name = resource_name("objections", objection)
    with connected(profile) as client:
        stub = objections_pb2_grpc.ObjectionServiceStub(client.channel)
        answer: pb.GetObjectionResponse = client.call(
            stub.GetObjection, pb.GetObjectionRequest(name=name)
        )
    terminal = Terminal(as_json)
    show_one(terminal, answer.objection)
    if answer.objection.state == pb.Objection.STATE_RAISED:
        next_step(terminal, f"sealway objection answer {name} accepted|rejected --reason TEXT")


@app.command()
def answer(
    objection: Annotated[str, typer.Argument(help="objections/{o}")],
    decision: Annotated[Decision, typer.Argument(help="What your authority decided.")],
    reason: Annotated[str, typer.Option(help="Why; who raised it reads it. No personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept or reject an objection to a certificate of your authority.

    Example: sealway objection answer objections/0190… rejected --reason "as in the register"
    """
    terminal = Terminal(as_json)
    request = pb.AnswerObjectionRequest(
        request_id=request_id(repeat),
        name=resource_name("objections", objection),
        decision=f"DECISION_{decision.name}",
        answer=reason,
    )
    with connected(profile) as client:
        stub = objections_pb2_grpc.ObjectionServiceStub(client.channel)
        response: pb.AnswerObjectionResponse = write(
            terminal, client, stub.AnswerObjection, request
        )
    answered = response.objection
    terminal.document(written(answered, response.receipt))
    if decision is Decision.ACCEPTED:
        terminal.say(
            f"Accepted {answered.name}. Deliver a row with op correct that names it, "
            f"by {answered.due_date}.",
            f"已采纳 {answered.name}。请于 {answered.due_date} 前报送注明该异议的更正数据"
            "（op 为 correct）。",
        )
    else:
        terminal.say(f"Rejected {answered.name}.", f"已驳回 {answered.name}。")
    keep_receipt(terminal, response.receipt, receipt)
    next_step(terminal, "sealway objection list --state raised")
