"""`sealway holder`: identifiers that belong to one holder, and what happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.holders import HolderFileOption, HolderOption, read_holder
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    digest_of,
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
from hub.cli.terminal import Terminal, UsageError
from hub.registry.v1 import (
    facts_pb2,
    facts_pb2_grpc,
    holders_pb2,
    holders_pb2_grpc,
    registry_pb2,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Holders: other identifiers, found out later, death, dissolution, guardianship.",
)

EvidenceOption = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        metavar="FILE",
        help="The document that shows it. Only its SHA-256 digest is sent; keep the file.",
    ),
]
BasisOption = Annotated[str, typer.Option(help="Law and article, or the decision.")]

# As a person writes them, and as the API does.
_KINDS: Final = {
    name.removeprefix("KIND_").lower().replace("_", "-"): name
    for name, number in holders_pb2.HolderLink.Kind.items()
    if number
}
_EVENTS: Final = {
    name.removeprefix("EVENT_").lower().replace("_", "-"): name
    for name, number in facts_pb2.AnnounceHolderEventRequest.Event.items()
    if number
}


@app.command()
def link(
    certificate: Annotated[
        str, typer.Argument(help="Your own certificate of the holder: authorities/{a}/…")
    ],
    kind: Annotated[str, typer.Option(help=" | ".join(_KINDS))],
    since: Annotated[str, typer.Option(help="Since when, YYYY-MM-DD.")],
    basis: BasisOption,
    holder: HolderOption = None,
    holder_file: HolderFileOption = None,
    evidence: EvidenceOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Link another identifier (--holder, --holder-file) to the holder of a certificate of yours.

    Example: sealway holder link authorities/market/certificates/0f3a… --kind merger
    --holder 001:91330100MA2XXXXX1A --since 2026-01-05 --evidence decision.pdf --basis "…"
    """
    terminal = Terminal(as_json)
    chosen = _one_of(_KINDS, kind, "--kind")
    former = read_holder(holder, holder_file)
    if former is None:
        raise UsageError(
            "name the identifier to be linked: --holder, or --holder-file for people",
            "请用 --holder（自然人用 --holder-file）指定要关联的标识",
        )
    request = holders_pb2.LinkHolderIdentifiersRequest(
        request_id=request_id(repeat),
        certificate=certificate,
        former=registry_pb2.Holder(type=former.type, number=former.number),
        kind=chosen,
        effective_date=since,
        document_digest=digest_of(evidence),
        legal_basis=basis,
    )
    with connected(profile) as client:
        stub = holders_pb2_grpc.HolderServiceStub(client.channel)
        answer: holders_pb2.LinkHolderIdentifiersResponse = write(
            terminal, client, stub.LinkHolderIdentifiers, request
        )
    terminal.document(written(answer.link, answer.receipt))
    terminal.say(
        f"Linked as {answer.link.name}: look-ups by holder follow it from now on.",
        f"已关联 {answer.link.name}：此后按持证主体的查询均予适用。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, "sealway holder links")


@app.command()
def unlink(
    holder_link: Annotated[str, typer.Argument(help="holderLinks/{l}, see links.")],
    evidence: EvidenceOption,
    basis: BasisOption,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a link back: look-ups answer as if it had never been.

    Example: sealway holder unlink holderLinks/0190… --evidence judgment.pdf --basis "…"
    """
    terminal = Terminal(as_json)
    request = holders_pb2.UnlinkHolderIdentifiersRequest(
        request_id=request_id(repeat),
        name=resource_name("holderLinks", holder_link),
        document_digest=digest_of(evidence),
        legal_basis=basis,
    )
    with connected(profile) as client:
        stub = holders_pb2_grpc.HolderServiceStub(client.channel)
        answer: holders_pb2.UnlinkHolderIdentifiersResponse = write(
            terminal, client, stub.UnlinkHolderIdentifiers, request
        )
    terminal.document(written(answer.link, answer.receipt))
    terminal.say(f"Unlinked {answer.link.name}.", f"已解除关联 {answer.link.name}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, "sealway holder links")


@app.command()
def links(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List the links that your authority made, ended ones too; an auditor sees all.

    Example: sealway holder links
    """
    with connected(profile) as client:
        stub = holders_pb2_grpc.HolderServiceStub(client.channel)

        def page(token: str) -> tuple[list[holders_pb2.HolderLink], str]:
            answer: holders_pb2.ListHolderLinksResponse = client.call(
                stub.ListHolderLinks,
                holders_pb2.ListHolderLinksRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.links), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "links",
        found,
        (
            ("name", "名称"),
            ("kind", "关联类型"),
            ("shown by", "依据证照"),
            ("since", "起始日期"),
            ("linked", "关联时间"),
            ("state", "状态"),
        ),
        [
            (
                item.name,
                shown_enum(item, "kind"),
                item.identifier,
                item.effective_date,
                shown_time(item.create_time),
                shown_enum(item, "state"),
            )
            for item in found
        ],
    )


@app.command()
def bind(
    certificate: Annotated[str, typer.Argument(help="Your unbound one: authorities/{a}/…")],
    evidence: EvidenceOption,
    basis: BasisOption,
    holder: HolderOption = None,
    holder_file: HolderFileOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whose a certificate is whose row named no holder; its seal stays as it is.

    Example: sealway holder bind authorities/market/certificates/0f3a… --holder-file holder.txt
    --evidence archive.pdf --basis "…"
    """
    terminal = Terminal(as_json)
    found = read_holder(holder, holder_file)
    if found is None:
        raise UsageError(
            "name the holder: --holder, or --holder-file for people",
            "请用 --holder（自然人用 --holder-file）指定持证主体",
        )
    request = holders_pb2.BindCertificateRequest(
        request_id=request_id(repeat),
        name=certificate,
        holder=registry_pb2.Holder(type=found.type, number=found.number),
        document_digest=digest_of(evidence),
        legal_basis=basis,
    )
    with connected(profile) as client:
        stub = holders_pb2_grpc.HolderServiceStub(client.channel)
        answer: holders_pb2.BindCertificateResponse = write(
            terminal, client, stub.BindCertificate, request
        )
    terminal.document(written(answer, answer.receipt))
    terminal.say(f"Bound {certificate}.", f"已绑定 {certificate}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway certificate show {certificate}")


@app.command()
def unbind(
    certificate: Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")],
    evidence: EvidenceOption,
    basis: BasisOption,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a binding back that was made with bind.

    Example: sealway holder unbind authorities/market/certificates/0f3a… --evidence note.pdf
    --basis "…"
    """
    terminal = Terminal(as_json)
    request = holders_pb2.UnbindCertificateRequest(
        request_id=request_id(repeat),
        name=certificate,
        document_digest=digest_of(evidence),
        legal_basis=basis,
    )
    with connected(profile) as client:
        stub = holders_pb2_grpc.HolderServiceStub(client.channel)
        answer: holders_pb2.UnbindCertificateResponse = write(
            terminal, client, stub.UnbindCertificate, request
        )
    terminal.document(written(answer, answer.receipt))
    terminal.say(f"Unbound {certificate}.", f"已解除绑定 {certificate}。")
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway certificate show {certificate}")


@app.command()
def event(
    certificate: Annotated[
        str, typer.Argument(help="Your own certificate of the holder: authorities/{a}/…")
    ],
    what: Annotated[str, typer.Option("--event", help=" | ".join(_EVENTS))],
    evidence: EvidenceOption,
    basis: BasisOption,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Announce what happened to a holder: its certificates are listed to their authorities.

    No state changes by it; each authority decides about its own.

    Example: sealway holder event authorities/civil/certificates/0f3a… --event death
    --evidence certificate.pdf --basis "…"
    """
    terminal = Terminal(as_json)
    request = facts_pb2.AnnounceHolderEventRequest(
        request_id=request_id(repeat),
        certificate=certificate,
        event=_one_of(_EVENTS, what, "--event"),
        document_digest=digest_of(evidence),
        legal_basis=basis,
    )
    with connected(profile) as client:
        stub = facts_pb2_grpc.FactServiceStub(client.channel)
        answer: facts_pb2.AnnounceHolderEventResponse = write(
            terminal, client, stub.AnnounceHolderEvent, request
        )
    change = answer.fact_change
    terminal.document(written(change, answer.receipt))
    terminal.say(
        f"Announced as {change.name}; each authority is shown its own certificates.",
        f"已通告 {change.name}；各机构可见本机构受影响的证照。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    next_step(terminal, f"sealway fact list {change.name}")


def _one_of(known: Mapping[str, str], text: str, option: str) -> str:
    """The API's name of what a person wrote. Raises UsageError."""
    if text not in known:
        listed = ", ".join(known)
        raise UsageError(
            f"{option} {text}: write one of {listed}", f"{option} {text}：应为 {listed} 之一"
        )
    return known[text]
