"""`sealway system`: software that calls the hub. Its private keys never leave its own folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs.files import PUBLIC, write_replacing
from certs.keys import CSR_BYTES_MAX, make_csr
from certs.pki import IssuedCertificate, Pki
from connectors.client import HubClient
from connectors.profile import profile_text, read_bounded
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.keys import own_key, own_passphrase
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
    passphrase = own_passphrase(folder)
    files = []
    for kind in ("client", "signing") if signing else ("client",):
        key = own_key(folder / f"{kind}.key", passphrase)
        file = folder / f"{kind}.csr"
        if not file.is_file():
            # A request is signed with randomness: written once, so that a repeat changes nothing.
            write_replacing(file, make_csr(key, name), mode=PUBLIC)
        files.append(str(file))
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
        _equip(folder, answer.system.name, issued, pki, client)
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
        _equip(folder, name, issued, pki, client)
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
    request_der = _request_der(folder / "client.csr")
    signing = folder / "signing.csr"
    issued = Pki.open(pki).issue(
        "system-client", request_der, now=datetime.now(UTC), common_name=system
    )
    return issued, access_pb2.Enrolment(
        x509_certificate=issued.der,
        x509_request=request_der,
        signing_request=_request_der(signing) if signing.is_file() else b"",
    )


def _request_der(file: Path) -> bytes:
    data = read_bounded(file, CSR_BYTES_MAX, "signing request")
    try:
        return x509.load_pem_x509_csr(data).public_bytes(serialization.Encoding.DER)
    except ValueError as error:
        raise UsageError(
            f"{file} is not a PKCS#10 request in PEM; make it with: sealway system request",
            f"{file} 不是 PEM 格式的 PKCS#10 请求；请用 sealway system request 生成",
        ) from error


def _equip(
    folder: Path, name: str, issued: IssuedCertificate, pki: Path, client: HubClient
) -> None:
    """Everything in the system's folder that it needs to call the hub, beside its keys."""
    hub = client.profile
    write_replacing(folder / "client.pem", issued.chain_pem)
    write_replacing(folder / "ca.pem", Pki.open(pki).tls_anchor_pem)
    write_replacing(folder / "trust.json", hub.trust.read_bytes())
    system = {"name": name}
    if (folder / "signing.key").is_file():
        system["signing_key"] = "signing.key"
    if (folder / "passphrase").is_file():
        system["passphrase_file"] = "passphrase"  # noqa: S105 - the file's name
    text = profile_text(
        {
            "address": hub.address,
            "origin": hub.origin,
            "region": hub.region,
            "ca": "ca.pem",
            "certificate": "client.pem",
            "key": "client.key",
            "trust": "trust.json",
        },
        system,
    )
    write_replacing(folder / "client.toml", text.encode())
