"""`sealway reorganize`: rename an authority, or let others succeed it, with two approvals.

One officer drafts and carries out; two others read the draft and sign it, each with the own key.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from certs.files import PRIVATE
from connectors.client import HubClient
from connectors.profile import read_bounded
from hub.access.v1 import (
    access_pb2,
    access_pb2_grpc,
    reorganization_pb2,
    reorganization_pb2_grpc,
)
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
    next_step,
    request_id,
    resource_name,
    save,
    write,
    written,
)
from hub.cli.terminal import Terminal, UsageError
from hub.domain.reorganization import (
    INTENT_BYTES_MAX,
    Reorganization,
    Share,
    read_bytes,
    to_bytes,
)
from hub.proof.approval import (
    APPROVAL_SIZE_MAX,
    Approval,
    Decision,
    intent_digest,
    sign_approval,
)
from hub.proof.encoding import b64u, parse_object
from hub.registry.v1 import items_pb2, items_pb2_grpc, registry_pb2, registry_pb2_grpc

APPROVAL_LIFE_S: Final = 600
DRAFT_LIFE_S: Final = 30 * 86_400

app = typer.Typer(no_args_is_help=True, help="Rename, merge and split departments (机构改革).")


@app.callback()
def reorganize() -> None:
    """Rename, merge and split departments (机构改革)."""


@app.command()
def draft(
    authority: Annotated[str, typer.Argument(help="Id or name of the department that changes.")],
    day: Annotated[str, typer.Option(help="First day of the change, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write the draft here.")],
    rename: Annotated[str, typer.Option(help="New name in Chinese.")] = "",
    rename_en: Annotated[str, typer.Option(help="New name in English.")] = "",
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Successor; repeat where it is split.")
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option("--system", metavar="SYSTEM=SUCCESSOR", help="Of a split: who gets it."),
    ] = None,
    certificate_type: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="CODE=SUCCESSOR", help="Of a split: who answers for it."),
    ] = None,
    item: Annotated[
        list[str] | None,
        typer.Option("--item", metavar="CODE=SUCCESSOR", help="Of a split: who answers for it."),
    ] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write down what shall change. Nothing happens until two other officers approved it.

    With one successor all systems, types and items of the department pass to it; of a split each
    is named, and every other type of which the department has issued certificates.

    Example: sealway reorganize draft hz-market --to hz-regulation --day 2026-03-01 --out merge.json
    """
    terminal = Terminal(as_json)
    if bool(rename) == bool(to):
        raise UsageError(
            "write either --rename, or --to for each successor",
            "请写 --rename，或用 --to 指定承继机构（二选一）",
        )
    name = resource_name("authorities", authority)
    successors = [resource_name("authorities", one) for one in to or ()]
    with connected(profile) as client:
        options = (system or [], certificate_type or [], item or [])
        shares = _shares(client, name, successors, options)
        wanted = Reorganization(
            origin=client.profile.origin,
            region=client.profile.region,
            authority=name,
            day=day,
            title=rename,
            title_en=rename_en,
            successors=shares,
            not_after=int(time.time()) + DRAFT_LIFE_S,
            requester=client.profile.name,
        )
    intent = to_bytes(wanted)
    read_bytes(intent)
    save(out, intent, mode=PRIVATE)
    digest = b64u(intent_digest(intent))
    terminal.document({"intent": intent.decode(), "digest": digest})
    terminal.say(
        f"Draft: {in_folder(out)}, digest {digest}", f"草案：{in_folder(out)}，摘要 {digest}"
    )
    next_step(terminal, f"sealway reorganize approve {in_folder(out)} --out OFFICER.approval")


@app.command()
def approve(
    intent: Annotated[Path, typer.Argument(metavar="FILE", help="The draft.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write the approval here.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a draft, as an officer who did not write it. It holds for ten minutes.

    Example: sealway reorganize approve merge.json --out qian.approval
    """
    terminal = Terminal(as_json)
    content = read_bounded(intent, INTENT_BYTES_MAX, "intent")
    wanted = read_bytes(content)
    digest = b64u(intent_digest(content))
    terminal.say("You decide on exactly this.", "您将对以下内容作出决定。")
    for member, value in parse_object(content).items():
        line = f"  {member}: {json.dumps(value, ensure_ascii=not str(value).isprintable())}"
        terminal.say(line, line)
    terminal.say(f"Digest computed here: {digest}", f"本机计算的摘要：{digest}")
    if not yes:
        if as_json:
            raise UsageError("--json does not ask: add --yes", "--json 不询问：请加 --yes")
        if not typer.confirm(terminal.choose("Approve it?", "确认批准？")):
            raise typer.Exit(1)
    with connected(profile) as client:
        stub = reorganization_pb2_grpc.ReorganizationServiceStub(client.channel)
        challenge: reorganization_pb2.CreateReorganizationChallengeResponse = client.call(
            stub.CreateReorganizationChallenge,
            reorganization_pb2.CreateReorganizationChallengeRequest(intent=content),
        )
        now = int(time.time())
        approval = sign_approval(
            Approval(
                origin=client.profile.origin,
                region=client.profile.region,
                officer=client.profile.name,
                intent=intent_digest(content),
                nonce=challenge.nonce,
                decision=Decision.APPROVE,
                not_after=min(now + APPROVAL_LIFE_S, wanted.not_after),
                key_entry=challenge.key_entry,
                iat=now,
            ),
            client.profile.signer(),
        )
    save(out, approval.encode(), mode=PRIVATE)
    terminal.document({"digest": digest, "approval": approval})
    terminal.say(f"Approval: {in_folder(out)}", f"审批：{in_folder(out)}")
    next_step(
        terminal, f"sealway reorganize apply {in_folder(intent)} --approval {in_folder(out)} …"
    )


@app.command("apply")
def apply_draft(
    intent: Annotated[Path, typer.Argument(metavar="FILE", help="The draft.")],
    approval: Annotated[
        list[Path], typer.Option("--approval", metavar="FILE", help="An approval; two are needed.")
    ],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out a draft that two other officers approved, whole or not at all.

    Example: sealway reorganize apply merge.json --approval qian.approval --approval sun.approval
    """
    terminal = Terminal(as_json)
    request = reorganization_pb2.ReorganizeAuthorityRequest(
        request_id=request_id(repeat),
        intent=read_bounded(intent, INTENT_BYTES_MAX, "intent"),
        approvals=[
            read_bounded(file, APPROVAL_SIZE_MAX, "approval").decode("ascii", "replace")
            for file in approval
        ],
    )
    with connected(profile) as client:
        stub = reorganization_pb2_grpc.ReorganizationServiceStub(client.channel)
        answer: reorganization_pb2.ReorganizeAuthorityResponse = write(
            terminal, client, stub.ReorganizeAuthority, request
        )
    terminal.document(written(answer.authority, answer.receipt))
    successors = ", ".join(answer.authority.successors)
    if successors:
        terminal.say(
            f"{answer.authority.name} is succeeded by {successors}.",
            f"{answer.authority.name} 由 {successors} 承继。",
        )
    else:
        title = answer.authority.names[-1].title
        terminal.say(f"{answer.authority.name} is now {title}.", f"现名称：{title}。")
    keep_receipt(terminal, answer.receipt, receipt)


def _shares(
    client: HubClient, name: str, successors: list[str], options: tuple[list[str], ...]
) -> tuple[Share, ...]:
    """Who takes over what. Raises UsageError where a split does not say it."""
    if not successors:
        return ()
    if len(successors) == 1 and not any(options):
        uscc = _uscc_of(client, name)
        systems = _systems_of(client, name)
        return (Share(successors[0], systems, _types_of(client, uscc), _items_of(client, uscc)),)
    by_successor: dict[str, tuple[list[str], list[str], list[str]]] = {
        one: ([], [], []) for one in successors
    }
    for index, option in enumerate(options):
        for text in option:
            what, equals, to = text.partition("=")
            successor = resource_name("authorities", to)
            if not equals or successor not in by_successor:
                raise UsageError(
                    f"{text}: write NAME=SUCCESSOR with a successor named by --to",
                    f"{text}：应为“名称=承继机构”，且该机构已用 --to 指定",
                )
            by_successor[successor][index].append(what if index else resource_name("systems", what))
    return tuple(
        Share(one, *(tuple(sorted(names)) for names in shares))
        for one, shares in by_successor.items()
    )


def _systems_of(client: HubClient, name: str) -> tuple[str, ...]:
    stub = access_pb2_grpc.AccessServiceStub(client.channel)

    def page(token: str) -> tuple[list[access_pb2.System], str]:
        wanted = access_pb2.ListSystemsRequest.Filter(authority=name)
        answer: access_pb2.ListSystemsResponse = client.call(
            stub.ListSystems,
            access_pb2.ListSystemsRequest(page_size=PAGE_SIZE, page_token=token, filter=wanted),
        )
        return list(answer.systems), answer.next_page_token

    return tuple(
        item.name for item in all_pages(page) if item.state == access_pb2.System.STATE_ACTIVE
    )


def _uscc_of(client: HubClient, name: str) -> str:
    stub = access_pb2_grpc.AccessServiceStub(client.channel)
    found: access_pb2.GetAuthorityResponse = client.call(
        stub.GetAuthority, access_pb2.GetAuthorityRequest(name=name)
    )
    return found.authority.uscc


def _types_of(client: HubClient, uscc: str) -> tuple[str, ...]:
    """The types that the department defined; what it took over from others is named by --type."""
    stub = registry_pb2_grpc.RegistryServiceStub(client.channel)

    def page(token: str) -> tuple[list[registry_pb2.CertificateType], str]:
        answer: registry_pb2.ListCertificateTypesResponse = client.call(
            stub.ListCertificateTypes,
            registry_pb2.ListCertificateTypesRequest(page_size=PAGE_SIZE, page_token=token),
        )
        return list(answer.certificate_types), answer.next_page_token

    return tuple(item.code for item in all_pages(page) if item.code.startswith(uscc))


def _items_of(client: HubClient, uscc: str) -> tuple[str, ...]:
    """The items that the department defined; what it took over from others is named by --item."""
    stub = items_pb2_grpc.ItemServiceStub(client.channel)

    def page(token: str) -> tuple[list[items_pb2.Item], str]:
        answer: items_pb2.ListItemsResponse = client.call(
            stub.ListItems,
            items_pb2.ListItemsRequest(
                page_size=PAGE_SIZE,
                page_token=token,
                filter=items_pb2.ListItemsRequest.Filter(authority=uscc),
            ),
        )
        return list(answer.items), answer.next_page_token

    return tuple(item.code for item in all_pages(page))
