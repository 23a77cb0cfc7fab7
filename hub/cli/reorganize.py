"""`sealway reorganize`: rename an authority, or let others succeed it, as officers approve it."""

from __future__ import annotations

from typing import Annotated

import typer

from connectors.client import HubClient
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.proposals import (
    Proposal,
    propose,
    proposing,
)
from hub.cli.session import (
    PAGE_SIZE,
    all_pages,
    connected,
    resource_name,
)
from hub.cli.terminal import UsageError
from hub.domain.reorganization import Reorganization, Share, to_members
from hub.proof.officers.intent_kinds import AUTHORITY_REORGANIZE
from hub.registry.v1 import items_pb2, items_pb2_grpc, registry_pb2, registry_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="Rename, merge and split departments (机构改革).")


@app.callback()
def reorganize() -> None:
    """Rename, merge and split departments (机构改革)."""


@app.command("propose")
@proposing
def propose_change(
    authority: Annotated[str, typer.Argument(help="Id or name of the department that changes.")],
    day: Annotated[str, typer.Option(help="First day of the change, YYYY-MM-DD.")],
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
    *,
    proposal: Proposal,
) -> None:
    """Propose what shall change. Nothing happens before officers approved and one executed it.

    With one successor all systems, types and items of the department pass to it; of a split each
    is named, and every other type of which the department has issued certificates.

    Example: sealway reorganize propose hz-market --to hz-regulation --day 2026-03-01
    """
    if bool(rename) == bool(to):
        raise UsageError(
            "write either --rename, or --to for each successor",
            "请写 --rename，或用 --to 指定承继机构（二选一）",
        )
    name = resource_name("authorities", authority)
    successors = [resource_name("authorities", one) for one in to or ()]
    with connected(proposal.profile) as client:
        options = (system or [], certificate_type or [], item or [])
        shares = _shares(client, name, successors, options)
    propose(
        AUTHORITY_REORGANIZE.name,
        to_members(Reorganization(name, day, rename, rename_en, shares)),
        proposal,
    )


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
