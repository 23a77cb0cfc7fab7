"""`sealway certificate suspend|resume|…`: decisions of the authority that issued a certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from google.protobuf.message import Message

from connectors.client import HubClient, HubRefusedError
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    keep_receipt,
    request_id,
    show_list,
    shown_enum,
    shown_time,
    write,
    written,
)
from hub.cli.terminal import Terminal, UsageError
from hub.registry.v1 import registry_pb2, registry_pb2_grpc, states_pb2, states_pb2_grpc

CertificateArgument = Annotated[str, typer.Argument(help="authorities/{a}/certificates/{c}")]
BasisOption = Annotated[str, typer.Option(help="Law and article.")]
DocumentOption = Annotated[str, typer.Option(help="Number of the decision (文号).")]
OnOption = Annotated[str, typer.Option("--on", help="Day of the decision, YYYY-MM-DD.")]
ByOption = Annotated[
    str, typer.Option("--by", help="Who decided, if not the authority: review body or court.")
]
EtagOption = Annotated[
    str, typer.Option(help="Decided on this etag (see show); otherwise on what is there now.")
]

# As a person writes them, and as the API does.
_CAUSES: Final = {
    name.removeprefix("CAUSE_").lower().replace("_", "-"): name
    for name, number in states_pb2.Ruling.Cause.items()
    if number
}


@dataclass(frozen=True, slots=True)
class _Verb:
    """A decision that takes a ruling and nothing else: the call, and the help of its command."""

    request: Callable[..., Message]
    method: Callable[[states_pb2_grpc.CertificateStateServiceStub], Callable[..., Any]]
    help: str


_VERBS: Final = {
    "suspend": _Verb(
        states_pb2.SuspendCertificateRequest,
        lambda stub: stub.SuspendCertificate,
        """Suspend a certificate that is in force (暂扣).

    Example: sealway certificate suspend authorities/hz-market/certificates/0f3a… --basis
    "食品安全法 第一百二十二条" --document 杭市监〔2026〕12号 --on 2026-01-05
    """,
    ),
    "resume": _Verb(
        states_pb2.ResumeCertificateRequest,
        lambda stub: stub.ResumeCertificate,
        """Put a suspended certificate back in force (暂扣发还).

    Example: sealway certificate resume authorities/hz-market/certificates/0f3a… --basis
    "行政处罚法 第九条" --document 杭市监〔2026〕19号 --on 2026-02-05
    """,
    ),
    "withdraw": _Verb(
        states_pb2.WithdrawCertificateRequest,
        lambda stub: stub.WithdrawCertificate,
        """Take back what was lawfully given: law or circumstances changed (撤回).

    Example: sealway certificate withdraw authorities/hz-market/certificates/0f3a… --basis
    "行政许可法 第八条" --document 杭市监〔2026〕20号 --on 2026-02-05
    """,
    ),
    "annul": _Verb(
        states_pb2.AnnulCertificateRequest,
        lambda stub: stub.AnnulCertificate,
        """End what should never have been given (撤销).

    Example: sealway certificate annul authorities/hz-market/certificates/0f3a… --basis
    "行政许可法 第六十九条" --document 杭市监〔2026〕21号 --on 2026-02-05
    """,
    ),
    "revoke": _Verb(
        states_pb2.RevokeCertificateRequest,
        lambda stub: stub.RevokeCertificate,
        """Take a certificate away as punishment (吊销); deregister it afterwards.

    Example: sealway certificate revoke authorities/hz-market/certificates/0f3a… --basis
    "食品安全法 第一百二十四条" --document 杭市监罚〔2026〕7号 --on 2026-02-05
    """,
    ),
}


def add_commands(app: typer.Typer) -> None:
    """Add the verbs to `sealway certificate`."""
    for name, verb in _VERBS.items():
        app.command(name, help=verb.help)(_command(verb))
    for command in (deregister, restore, confirm, history):
        app.command()(command)


def _command(verb: _Verb) -> Callable[..., None]:
    def decide(
        certificate: CertificateArgument,
        basis: BasisOption,
        document: DocumentOption,
        on: OnOption,
        by: ByOption = "",
        etag: EtagOption = "",
        profile: ProfileOption = None,
        receipt: ReceiptOption = None,
        repeat: RequestIdOption = None,
        as_json: JsonOption = False,
    ) -> None:
        _change(
            verb.request,
            verb.method,
            (certificate, etag, _ruling(basis, document, on, by), request_id(repeat)),
            profile,
            receipt,
            Terminal(as_json),
        )

    return decide


def deregister(
    certificate: CertificateArgument,
    basis: BasisOption,
    document: DocumentOption,
    on: OnOption,
    cause: Annotated[str, typer.Option(help=f"One of {', '.join(_CAUSES)}.")],
    by: ByOption = "",
    etag: EtagOption = "",
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a certificate formally (注销), with its cause.

    Example: sealway certificate deregister authorities/hz-market/certificates/0f3a… --basis
    "行政许可法 第七十条" --document 杭市监〔2026〕22号 --on 2026-02-05 --cause ended
    """
    _change(
        states_pb2.DeregisterCertificateRequest,
        lambda stub: stub.DeregisterCertificate,
        (certificate, etag, _ruling(basis, document, on, by, cause), request_id(repeat)),
        profile,
        receipt,
        Terminal(as_json),
    )


def restore(
    certificate: CertificateArgument,
    basis: BasisOption,
    document: DocumentOption,
    on: OnOption,
    by: ByOption,
    etag: EtagOption = "",
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Undo a suspension or an end that a review body or a court set aside.

    Example: sealway certificate restore authorities/hz-market/certificates/0f3a… --basis
    "行政诉讼法 第七十条" --document (2026)浙01行终3号 --on 2026-03-05 --by 杭州市中级人民法院
    """
    _change(
        states_pb2.RestoreCertificateRequest,
        lambda stub: stub.RestoreCertificate,
        (certificate, etag, _ruling(basis, document, on, by), request_id(repeat)),
        profile,
        receipt,
        Terminal(as_json),
    )


def confirm(
    certificate: CertificateArgument,
    *,
    gone: Annotated[
        bool, typer.Option("--gone/--listed", help="Whether its own system does not list it.")
    ],
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether the authority's own system still lists a certificate. Its state stays.

    Example: sealway certificate confirm authorities/hz-market/certificates/0f3a… --gone
    """
    terminal = Terminal(as_json)
    presence = registry_pb2.PRESENCE_GONE if gone else registry_pb2.PRESENCE_LISTED
    request = states_pb2.ConfirmCertificateRequest(
        request_id=request_id(repeat), name=certificate, presence=presence
    )
    with connected(profile) as client:
        stub = states_pb2_grpc.CertificateStateServiceStub(client.channel)
        answer: states_pb2.ConfirmCertificateResponse = write(
            terminal, client, stub.ConfirmCertificate, request
        )
    terminal.document({"receipt": answer.receipt.json, "entry": answer.receipt.entry})
    terminal.say(f"Noted for {certificate}.", f"已记录 {certificate}。")
    keep_receipt(terminal, answer.receipt, receipt)


def history(
    certificate: CertificateArgument,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List how a certificate's state was changed, newest first.

    Example: sealway certificate history authorities/hz-market/certificates/0f3a…
    """
    with connected(profile) as client:
        stub = states_pb2_grpc.CertificateStateServiceStub(client.channel)

        def page(token: str) -> tuple[list[states_pb2.Transition], str]:
            answer: states_pb2.ListCertificateTransitionsResponse = client.call(
                stub.ListCertificateTransitions,
                states_pb2.ListCertificateTransitionsRequest(
                    parent=certificate, page_size=PAGE_SIZE, page_token=token
                ),
            )
            return list(answer.transitions), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "transitions",
        found,
        (
            ("recorded", "记录时间"),
            ("done", "操作"),
            ("state", "状态"),
            ("basis", "法律依据"),
            ("decision", "文号"),
            ("by", "作出机关"),
            ("system", "系统"),
        ),
        [
            (
                shown_time(item.create_time),
                shown_enum(item, "verb"),
                f"{shown_enum(item, 'from_state')} → {shown_enum(item, 'to_state')}",
                item.ruling.legal_basis,
                item.ruling.document,
                item.ruling.deciding_body or item.authority,
                item.system,
            )
            for item in found
        ],
    )


def _ruling(basis: str, document: str, on: str, by: str, cause: str = "") -> states_pb2.Ruling:
    if cause and cause not in _CAUSES:
        known = ", ".join(_CAUSES)
        raise UsageError(
            f"--cause {cause}: write one of {known}", f"--cause {cause}：应为 {known} 之一"
        )
    return states_pb2.Ruling(
        legal_basis=basis,
        document=document,
        decision_date=on,
        deciding_body=by,
        cause=_CAUSES.get(cause),
    )


def _etag(client: HubClient, certificate: str) -> str:
    """What the certificate is now."""
    stub = registry_pb2_grpc.RegistryServiceStub(client.channel)
    answer: registry_pb2.GetCertificateResponse = client.call(
        stub.GetCertificate, registry_pb2.GetCertificateRequest(name=certificate)
    )
    return answer.certificate.etag


def _change(
    kind: Callable[..., Message],
    method: Callable[[states_pb2_grpc.CertificateStateServiceStub], Callable[..., Any]],
    wanted: tuple[str, str, states_pb2.Ruling, str],
    profile: Path | None,
    receipt: Path | None,
    terminal: Terminal,
) -> None:
    """What the seven verbs share. `wanted` are certificate, etag, ruling and request id."""
    certificate, etag, ruling, identifier = wanted
    with connected(profile) as client:
        etag = etag or _etag(client, certificate)
        request = kind(request_id=identifier, name=certificate, etag=etag, ruling=ruling)
        stub = states_pb2_grpc.CertificateStateServiceStub(client.channel)
        try:
            answer = write(terminal, client, method(stub), request)
        except HubRefusedError as refusal:
            if refusal.is_unavailable:
                # A repetition says the same only with the same etag.
                terminal.say(f"and --etag {etag}", f"以及 --etag {etag}")
            raise
    terminal.document(written(answer.certificate, answer.receipt))
    state = shown_enum(answer.certificate, "state")
    terminal.say(f"{certificate} is {state} now.", f"{certificate} 当前状态：{state}。")
    keep_receipt(terminal, answer.receipt, receipt)
