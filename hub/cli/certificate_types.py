"""`sealway type`: the kinds of certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from connectors.profile import read_bounded
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
    show_one,
    shown_enum,
    shown_time,
    type_name,
    write,
    written,
)
from hub.cli.terminal import Document, Terminal
from hub.registry.v1 import registry_pb2, registry_pb2_grpc

METADATA_BYTES_MAX: Final = 262_144

app = typer.Typer(no_args_is_help=True, help="Kinds of certificates.")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The type as one JSON object; kept byte for byte.")],
    check: Annotated[bool, typer.Option("--check", help="Check only; nothing is written.")] = False,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a type, or a new version of it.

    Example: sealway type add business-licence.json --receipt type.receipt.json
    """
    terminal = Terminal(as_json)
    request = registry_pb2.CreateCertificateTypeRequest(
        request_id=request_id(repeat),
        metadata=read_bounded(file, METADATA_BYTES_MAX, "certificate type"),
        validate_only=check,
    )
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
        answer: registry_pb2.CreateCertificateTypeResponse = write(
            terminal, client, stub.CreateCertificateType, request
        )
    added = answer.certificate_type
    if check:
        terminal.document(_with_metadata(added))
        terminal.say(f"{added.code}: correct; nothing written.", f"{added.code}：正确，未写入。")
        return
    terminal.document({**written(added, answer.receipt), **_with_metadata(added)})
    terminal.say(
        f"Published {added.name}, version {added.version}.",
        f"已发布 {added.name}，版本 {added.version}。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(
        terminal,
        f"sealway intent propose NAME --seal authorities/A/seals/S --type {added.code} "
        "--from DAY --until DAY --uses-max N",
    )


@app.command("list")
def list_types(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List the types in their newest versions.

    Example: sealway type list --json
    """
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)

        def page(token: str) -> tuple[list[registry_pb2.CertificateType], str]:
            answer: registry_pb2.ListCertificateTypesResponse = client.call(
                stub.ListCertificateTypes,
                registry_pb2.ListCertificateTypesRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.certificate_types), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "certificate_types",
        found,
        (
            ("code", "类型代码"),
            ("version", "版本"),
            ("title", "名称"),
            ("state", "状态"),
            ("since", "发布时间"),
        ),
        [
            (
                item.code,
                str(item.version),
                item.title,
                shown_enum(item, "state"),
                shown_time(item.create_time),
            )
            for item in found
        ],
    )


@app.command()
def show(
    code: Annotated[str, typer.Argument(help="Type code, 21 characters, or name.")],
    version: Annotated[int, typer.Option(min=0, help="0 means the newest.")] = 0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one type with its metadata document.

    Example: sealway type show 11100000MB0143028R001 --version 2
    """
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
        answer: registry_pb2.GetCertificateTypeResponse = client.call(
            stub.GetCertificateType,
            registry_pb2.GetCertificateTypeRequest(name=type_name(code), version=version),
        )
    show_one(Terminal(as_json), answer.certificate_type, _with_metadata(answer.certificate_type))


@app.command()
def deprecate(
    code: Annotated[str, typer.Argument(help="Type code, 21 characters, or name.")],
    cause: Annotated[str, typer.Option(help="Why; kept in the log, no personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that another type should be used; nothing else changes, a new version takes it back.

    Example: sealway type deprecate 11100000MB0143028R001 --cause "replaced by 002"
    """
    terminal = Terminal(as_json)
    request = registry_pb2.DeprecateCertificateTypeRequest(
        request_id=request_id(repeat), name=type_name(code), cause=cause
    )
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
        answer: registry_pb2.DeprecateCertificateTypeResponse = write(
            terminal, client, stub.DeprecateCertificateType, request
        )
    _show_changed(terminal, answer, ("Deprecated", "已标记为不再推荐"), receipt)


@app.command()
def retire(
    code: Annotated[str, typer.Argument(help="Type code, 21 characters, or name.")],
    cause: Annotated[str, typer.Option(help="Why; kept in the log, no personal data.")],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a type for good: nothing new is issued under it, what is on file stays valid.

    Example: sealway type retire 11100000MB0143028R001 --cause "replaced by 002"
    """
    terminal = Terminal(as_json)
    request = registry_pb2.RetireCertificateTypeRequest(
        request_id=request_id(repeat), name=type_name(code), cause=cause
    )
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
        answer: registry_pb2.RetireCertificateTypeResponse = write(
            terminal, client, stub.RetireCertificateType, request
        )
    _show_changed(terminal, answer, ("Retired", "已废止"), receipt)


def _show_changed(
    terminal: Terminal,
    answer: registry_pb2.DeprecateCertificateTypeResponse
    | registry_pb2.RetireCertificateTypeResponse,
    said: tuple[str, str],
    receipt: Path | None,
) -> None:
    """The type as it is now, and what was done to it in English and Chinese."""
    changed = answer.certificate_type
    terminal.document({**written(changed, answer.receipt), **_with_metadata(changed)})
    terminal.say(f"{said[0]} {changed.name}.", f"{said[1]} {changed.name}。")
    keep_receipt(terminal, answer.receipt, receipt)


def _with_metadata(shown: registry_pb2.CertificateType) -> dict[str, Document]:
    """The document as text: base64 says nothing to a reader."""
    return {"metadata": shown.metadata.decode("utf-8", "replace")}
