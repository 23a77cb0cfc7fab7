"""`sealway system`: software that calls the hub. Its private keys never leave its own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certs.issued import IssuedCertificate
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.member_folders import equip, issue, make_requests, request_der
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    in_folder,
    keep_receipt,
    new_id,
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
from hub.cli.terminal import Terminal, UsageError

ROLES = {
    "department": access_pb2.System.ROLE_DEPARTMENT,
    "platform": access_pb2.System.ROLE_PLATFORM,
    "connector": access_pb2.System.ROLE_CONNECTOR,
    "auditor": access_pb2.System.ROLE_AUDITOR,
    "monitor": access_pb2.System.ROLE_MONITOR,
    "converter": access_pb2.System.ROLE_CONVERTER,
}

RequestOption = Annotated[
    Path, typer.Option("--request", metavar="DIR", help="Folder made by `sealway system request`.")
]
PkiOption = Annotated[
    Path, typer.Option("--pki", metavar="DIR", help="Folder of the PKI that issues certificates.")
]

app = typer.Typer(no_args_is_help=True, help="Software that calls the hub.")


@app.command()
def request(
    folder: Annotated[Path, typer.Argument(help="The system's own folder; made where missing.")],
    name: Annotated[str, typer.Option(help="Id of the system: 3 to 63 of a-z, 0-9 and hyphen.")],
    signing: Annotated[
        bool,
        typer.Option(help="Make a signing key as well; platforms and connectors need one."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Make the keys of a system and the requests that prove it has them. Run it where it runs.

    Keys are written encrypted, mode 0600, and are never replaced: a second run keeps them.

    Example: sealway system request /etc/sealway/window-1 --name window-1
    """
    terminal = Terminal(as_json)
    new_id(name, option="--name")
    kinds = ("client", "signing") if signing else ("client",)
    files = [str(file) for file in make_requests(folder, name, kinds)]
    terminal.document({"name": f"systems/{name}", "requests": files})
    terminal.say(
        f"Keys and requests of systems/{name} are in {in_folder(folder)}.",
        f"systems/{name} 的密钥和证书请求位于 {in_folder(folder)}。",
    )
    next_step(
        terminal,
        f"sealway system add {name} --authority A --role platform --request {in_folder(folder)} "
        "--pki HOME/pki --profile HOME/officers/OFFICER/client.toml",
    )


@app.command()
def add(
    system: Annotated[str, typer.Argument(help="Id, as in its requests.")],
    authority: Annotated[str, typer.Option(help="The authority it calls for.")],
    role: Annotated[str, typer.Option(help=" | ".join(ROLES))],
    folder: RequestOption,
    pki: PkiOption,
    title: Annotated[str, typer.Option(help="What it is.")] = "",
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enrol a system: its CA signs the request, the hub takes both proofs. Officers only.

    Writes certificate, anchor, trust file and client.toml into the system's folder.

    Example: sealway system add window-1 --authority hz-window --role platform
    --request ./window-1 --pki HOME/pki --profile HOME/officers/wang/client.toml
    """
    terminal = Terminal(as_json)
    if role not in ROLES:
        known = ", ".join(ROLES)
        raise UsageError(
            f"--role {role}: write one of {known}", f"--role {role}：应为 {known} 之一"
        )
    with connected(profile) as client:
        issued, enrolment = _issue(system, folder, pki)
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.CreateSystemResponse = write(
            terminal,
            client,
            stub.CreateSystem,
            access_pb2.CreateSystemRequest(
                request_id=request_id(repeat),
                system_id=system,
                system=access_pb2.System(
                    authority=resource_name("authorities", authority), role=ROLES[role], title=title
                ),
                enrolment=enrolment,
            ),
        )
        equip(folder, answer.system.name, issued, pki, client)
    terminal.document(written(answer.system, answer.receipt))
    terminal.say(f"Enrolled {answer.system.name}.", f"已登记 {answer.system.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
    file = in_folder(folder / "client.toml")
    terminal.say(f"Client profile: {file}", f"客户端配置：{file}")
    next_step(terminal, f"sealway log checkpoint --profile {file}")


@app.command()
def rotate(
    system: Annotated[str, typer.Argument(help="Id or name.")],
    folder: RequestOption,
    pki: PkiOption,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace both keys of a system by those of a new request folder. The old ones end at once.

    Example: sealway system rotate window-1 --request ./window-1-2027 --pki HOME/pki
    """
    terminal = Terminal(as_json)
    name = resource_name("systems", system)
    with connected(profile) as client:
        issued, enrolment = _issue(name.removeprefix("systems/"), folder, pki)
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.RotateSystemKeysResponse = write(
            terminal,
            client,
            stub.RotateSystemKeys,
            access_pb2.RotateSystemKeysRequest(
                request_id=request_id(repeat), name=name, enrolment=enrolment
            ),
        )
        equip(folder, name, issued, pki, client)
    terminal.document(written(answer.system, answer.receipt))
    terminal.say(f"{name} has new keys.", f"{name} 已更换密钥。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway log checkpoint --profile {in_folder(folder / 'client.toml')}")


@app.command()
def revoke(
    system: Annotated[str, typer.Argument(help="Id or name.")],
    cause: Annotated[str, typer.Option(help="Why; kept in the log, no personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a system for good; its tokens stop working within a second. Officers only.

    Example: sealway system revoke window-1 --cause "key lost"
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.RevokeSystemResponse = write(
            terminal,
            client,
            stub.RevokeSystem,
            access_pb2.RevokeSystemRequest(
                request_id=request_id(repeat), name=resource_name("systems", system), cause=cause
            ),
        )
    terminal.document(written(answer.system, answer.receipt))
    terminal.say(f"Revoked {answer.system.name}.", f"已吊销 {answer.system.name}。")
    keep_receipt(terminal, answer.receipt, receipt)


@app.command("list")
def list_systems(
    authority: Annotated[str, typer.Option(help="Only those of this authority.")] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the systems.

    Example: sealway system list --authority hz-market
    """
    narrow = access_pb2.ListSystemsRequest.Filter(
        authority=resource_name("authorities", authority) if authority else ""
    )
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)

        def page(token: str) -> tuple[list[access_pb2.System], str]:
            answer: access_pb2.ListSystemsResponse = client.call(
                stub.ListSystems,
                access_pb2.ListSystemsRequest(page_size=PAGE_SIZE, page_token=token, filter=narrow),
            )
            return list(answer.systems), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "systems",
        found,
        (
            ("name", "名称"),
            ("role", "角色"),
            ("authority", "单位"),
            ("state", "状态"),
            ("certificate until", "证书有效期至"),
        ),
        [
            (
                item.name,
                shown_enum(item, "role"),
                item.authority,
                shown_enum(item, "state"),
                shown_time(item.x509_expire_time),
            )
            for item in found
        ],
    )


@app.command()
def show(
    system: Annotated[str, typer.Argument(help="Id or name.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one system with the thumbprints of its keys.

    Example: sealway system show window-1
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.GetSystemResponse = client.call(
            stub.GetSystem, access_pb2.GetSystemRequest(name=resource_name("systems", system))
        )
    show_one(Terminal(as_json), answer.system)


def _issue(system: str, folder: Path, pki: Path) -> tuple[IssuedCertificate, access_pb2.Enrolment]:
    """The system's certificate and what proves its keys; the same again where it was issued."""
    issued = issue(pki, "system-client", system, folder)
    signing = folder / "signing.csr"
    return issued, access_pb2.Enrolment(
        x509_certificate=issued.der,
        x509_request=request_der(folder / "client.csr"),
        signing_request=request_der(signing) if signing.is_file() else b"",
    )
