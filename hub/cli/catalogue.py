"""`sealway catalogue`: a folder of types and items, loaded as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from connectors.client import HubClient, HubRefusedError
from connectors.profile import read_bounded
from hub.cli import items
from hub.cli.certificate_types import METADATA_BYTES_MAX
from hub.cli.session import JsonOption, ProfileOption, connected, request_id, write
from hub.cli.terminal import Terminal, UsageError
from hub.domain.certificate_type import CertificateType, from_json
from hub.errors import Reason
from hub.registry.v1 import registry_pb2, registry_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="Types and service items together.")


@app.command()
def load(
    folder: Annotated[Path, typer.Argument(help="Folder with types/*.json and items.json.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish every type of a folder and import its items; what is there already is left alone.

    Example: sealway catalogue load deploy/catalogue
    """
    terminal = Terminal(as_json)
    files = sorted((folder / "types").glob("*.json"))
    if not files:
        raise UsageError(
            f"{folder} has no folder types with JSON files",
            f"{folder} 中没有含 JSON 的 types 文件夹",
        )
    types = [_read(file) for file in files]
    portions = items.read_portions(folder / "items.json")
    with (
        connected(profile) as client,
        terminal.progress("types", "证照类型", total=len(types)) as bar,
    ):
        published = 0
        for certificate_type, metadata in types:
            published += _publish(terminal, client, certificate_type, metadata)
            bar.advance(bar.task_ids[0])
        changes = items.diff(terminal, client, portions)
        entries = items.apply(terminal, client, portions, changes, request_id(None))
    terminal.document(
        {
            "types": len(types),
            "types_published": published,
            "items": len(changes),
            "entries": entries,
        }
    )
    terminal.say(
        f"{published} of {len(types)} types published.",
        f"{len(types)} 个证照类型中发布 {published} 个。",
    )
    items.show_changes(terminal, changes)


def _read(file: Path) -> tuple[CertificateType, bytes]:
    metadata = read_bounded(file, METADATA_BYTES_MAX, "certificate type")
    return from_json(metadata), metadata


def _publish(
    terminal: Terminal, client: HubClient, certificate_type: CertificateType, metadata: bytes
) -> bool:
    """Whether it had to be published: the same bytes on file are left alone."""
    stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
    wanted = registry_pb2.GetCertificateTypeRequest(
        name=f"certificateTypes/{certificate_type.code.lower()}", version=certificate_type.version
    )
    try:
        known: registry_pb2.GetCertificateTypeResponse = client.call(
            stub.GetCertificateType, wanted
        )
        if known.certificate_type.metadata == metadata:
            return False
    except HubRefusedError as refusal:
        if refusal.reason is not Reason.CERTIFICATE_TYPE_NOT_FOUND:
            raise
    request = registry_pb2.CreateCertificateTypeRequest(
        request_id=request_id(None), metadata=metadata
    )
    write(terminal, client, stub.CreateCertificateType, request)
    return True
