"""`sealway certificate`: what is on file, without personal fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from hub.cli.certificate_states import add_commands
from hub.cli.holders import HolderFileOption, HolderOption, read_holder
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    all_pages,
    connected,
    next_step,
    resource_name,
    show_list,
    show_one,
    shown_enum,
    type_name,
)
from hub.cli.terminal import Terminal, UsageError
from hub.cli.watch import watch
from hub.registry.v1 import registry_pb2, registry_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="Certificates on file, without personal fields.")
app.command()(watch)


@app.command()
def search(
    holder: HolderOption = None,
    holder_file: HolderFileOption = None,
    certificate_type: Annotated[str, typer.Option("--type", help="Type code.")] = "",
    number: Annotated[str, typer.Option(help="Number printed on the certificate.")] = "",
    identifier: Annotated[str, typer.Option(help="GB/T 36904 identifier.")] = "",
    associated: Annotated[
        str,
        typer.Option(
            help="Certificates that name this identifier: renewed from it, changing it, derived "
            "from it."
        ),
    ] = "",
    authority: Annotated[str, typer.Option(help="The authority that issued it.")] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find certificates; departments see their own authority's, auditors all.

    Example: sealway certificate search --holder 001:91330100MA2XXXXX1A --type 11100000MB0143028R001

    What goes back to one: sealway certificate search --associated 1.2.156.3005.2.….001.4
    """
    wanted = read_holder(holder, holder_file)
    narrow = registry_pb2.SearchCertificatesRequest.Filter(
        holder=registry_pb2.Holder(type=wanted.type, number=wanted.number) if wanted else None,
        certificate_type=type_name(certificate_type) if certificate_type else "",
        number=number,
        identifier=identifier,
        authority=resource_name("authorities", authority) if authority else "",
        associated=associated,
    )
    if not narrow.ByteSize():
        raise UsageError(
            "name at least one of --holder, --holder-file, --type, --number, --identifier, "
            "--associated, --authority",
            "请至少指定 --holder、--holder-file、--type、--number、--identifier、--associated、"
            "--authority 之一",
        )
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)

        def page(token: str) -> tuple[list[registry_pb2.Certificate], str]:
            answer: registry_pb2.SearchCertificatesResponse = client.call(
                stub.SearchCertificates,
                registry_pb2.SearchCertificatesRequest(
                    filter=narrow, page_size=PAGE_SIZE, page_token=token
                ),
            )
            return list(answer.certificates), answer.next_page_token

        found = all_pages(page)
    _show(Terminal(as_json), found)


@app.command()
def show(
    certificate: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one certificate in its newest version.

    Example: sealway certificate show authorities/hz-market/certificates/0f3a…
    """
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
        answer: registry_pb2.GetCertificateResponse = client.call(
            stub.GetCertificate, registry_pb2.GetCertificateRequest(name=certificate)
        )
    terminal = Terminal(as_json)
    show_one(terminal, answer.certificate)
    next_step(terminal, f"sealway certificate search --associated {answer.certificate.identifier}")


@app.command()
def versions(
    certificate: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of one certificate, newest first.

    Example: sealway certificate versions authorities/hz-market/certificates/0f3a…
    """
    with connected(profile) as client:
        stub = registry_pb2_grpc.RegistryServiceStub(client.channel)

        def page(token: str) -> tuple[list[registry_pb2.Certificate], str]:
            answer: registry_pb2.ListCertificateVersionsResponse = client.call(
                stub.ListCertificateVersions,
                registry_pb2.ListCertificateVersionsRequest(
                    parent=certificate, page_size=PAGE_SIZE, page_token=token
                ),
            )
            return list(answer.certificates), answer.next_page_token

        found = all_pages(page)
    _show(Terminal(as_json), found)


add_commands(app)


def _show(terminal: Terminal, found: Sequence[registry_pb2.Certificate]) -> None:
    show_list(
        terminal,
        "certificates",
        found,
        (
            ("name", "名称"),
            ("identifier", "证照标识"),
            ("number", "证照编号"),
            ("state", "状态"),
            ("from", "生效"),
            ("until", "截止"),
        ),
        [
            (
                item.name,
                item.identifier,
                item.number,
                shown_enum(item, "state"),
                item.valid_from,
                item.valid_until or terminal.choose("long term", "长期"),
            )
            for item in found
        ],
    )
