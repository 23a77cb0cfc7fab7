"""`sealway seal`: the authorities' electronic seals."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from certs.keys import NAME_MAX
from certs.pki import Pki
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.authorities import current_title
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
from hub.seal.v1 import seal_pb2, seal_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="Electronic seals of authorities.")


@app.command()
def add(
    seal: Annotated[str, typer.Argument(help="Id: 3 to 63 of a-z, 0-9 and hyphen.")],
    authority: Annotated[str, typer.Option(help="The authority whose seal it is.")],
    title: Annotated[str, typer.Option(help="What stands on the seal.")],
    pki: Annotated[Path, typer.Option("--pki", metavar="DIR", help="PKI with the seal CA.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a seal: the hub makes its key, the seal CA certifies it, the hub installs the chain.

    A run that was interrupted is finished by repeating it under the same --request-id.

    Example: sealway seal add main --authority hz-market --title 杭州市市场监督管理局 --pki HOME/pki
    """
    terminal = Terminal(as_json)
    parent = resource_name("authorities", authority)
    first = request_id(repeat)
    with connected(profile) as client:
        access = access_pb2_grpc.AccessServiceStub(client.channel)
        found: access_pb2.GetAuthorityResponse = client.call(
            access.GetAuthority, access_pb2.GetAuthorityRequest(name=parent)
        )
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        created: seal_pb2.CreateSealResponse = write(
            terminal,
            client,
            stub.CreateSeal,
            seal_pb2.CreateSealRequest(request_id=first, parent=parent, seal_id=seal, title=title),
        )
        issued = Pki.open(pki).issue(
            "seal",
            created.x509_request,
            now=datetime.now(UTC),
            common_name=title[:NAME_MAX],
            organization=(current_title(found.authority) or title)[:NAME_MAX],
            organization_identifier=found.authority.uscc,
        )
        # Follows from the first id, so that a repetition repeats both calls.
        second = str(uuid.uuid5(uuid.UUID(first), "ActivateSeal"))
        answer: seal_pb2.ActivateSealResponse = client.call(
            stub.ActivateSeal,
            seal_pb2.ActivateSealRequest(
                request_id=second, name=created.seal.name, x509_chain=issued.chain_der
            ),
        )
    terminal.document(written(answer.seal, answer.receipt))
    terminal.say(
        f"{answer.seal.name} is active; its key is in the hub's custody.",
        f"{answer.seal.name} 已启用；其密钥由枢纽保管。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(
        terminal,
        f"sealway intent propose NAME --seal {answer.seal.name} --type CODE --from DAY --until DAY "
        "--uses-max N",
    )


@app.command("list")
def list_seals(
    authority: Annotated[str, typer.Option(help="Only those of this authority.")] = "-",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the seals.

    Example: sealway seal list --authority hz-market
    """
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)

        def page(token: str) -> tuple[list[seal_pb2.Seal], str]:
            answer: seal_pb2.ListSealsResponse = client.call(
                stub.ListSeals,
                seal_pb2.ListSealsRequest(
                    parent=resource_name("authorities", authority),
                    page_size=PAGE_SIZE,
                    page_token=token,
                ),
            )
            return list(answer.seals), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "seals",
        found,
        (
            ("name", "名称"),
            ("title", "印文"),
            ("state", "状态"),
            ("custody", "保管"),
            ("certificate until", "证书有效期至"),
        ),
        [
            (
                item.name,
                item.title,
                shown_enum(item, "state"),
                shown_enum(item, "custody").replace("_", "-"),
                shown_time(item.expire_time),
            )
            for item in found
        ],
    )


@app.command()
def show(
    seal: Annotated[str, typer.Argument(help="authorities/{authority}/seals/{seal}")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one seal with its chain.

    Example: sealway seal show authorities/hz-market/seals/main
    """
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        answer: seal_pb2.GetSealResponse = client.call(
            stub.GetSeal, seal_pb2.GetSealRequest(name=seal)
        )
    show_one(Terminal(as_json), answer.seal)
