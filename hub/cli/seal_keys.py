"""`sealway key`: the keys of seals, and those of the hub that make seals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connectors.client import HubClient
from hub.cli.proposals import (
    Proposal,
    propose,
    proposing,
)
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    all_pages,
    connected,
    moment,
    next_step,
    resource_name,
    save,
    show_list,
    show_one,
    shown_enum,
    shown_time,
)
from hub.cli.terminal import Terminal, UsageError
from hub.cli.x509_of_keys import PkiOption, issue_chain, read_chain
from hub.domain.seal_key import KeyUse
from hub.proof.encoding import Json
from hub.proof.officers.intent import USES_MAX
from hub.seal.v1 import seal_pb2, seal_pb2_grpc

app = typer.Typer(
    no_args_is_help=True, help="Keys of seals: made, put in force and ended under dual control."
)

KeyArgument = Annotated[str, typer.Argument(help="Id or name, as `sealway key list` shows it.")]
CauseOption = Annotated[str, typer.Option(help="Why, for the officers who decide and for the log.")]
ChainOption = Annotated[
    Path | None,
    typer.Option(
        "--chain", metavar="FILE", help="The CA's answer: X.509 chain in PEM, leaf first."
    ),
]

_WARNINGS: Final = {
    seal_pb2.Key.WARNING_ENDS_IN_30_DAYS: ("ends within 30 days", "30 日内到期"),
    seal_pb2.Key.WARNING_ENDS_IN_7_DAYS: ("ends within 7 days", "7 日内到期"),
    seal_pb2.Key.WARNING_ENDS_IN_1_DAY: ("ends within a day", "1 日内到期"),
    seal_pb2.Key.WARNING_ENDED: ("certificate has ended", "证书已到期"),
    seal_pb2.Key.WARNING_NEARLY_USED_UP: ("uses nearly gone", "使用次数将尽"),
}


@app.command()
@proposing
def generate(
    use: Annotated[
        str, typer.Option(help="record, ofd, pdf, face (codes); maker for the hub's own.")
    ],
    algorithm: Annotated[str, typer.Option(help="ES256, ES384, Ed25519, PS256 or SM2.")],
    seal: Annotated[
        str | None, typer.Option(help="authorities/{authority}/seals/{seal}; not with maker.")
    ] = None,
    authority: Annotated[
        str | None, typer.Option(help="With maker: the authority that runs the hub.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="With maker: common name of its certificate.")
    ] = None,
    home: Annotated[str, typer.Option(help="Home in which it shall rest.")] = "files",
    uses_max: Annotated[
        int | None, typer.Option(min=1, help="How often it may sign; otherwise without limit.")
    ] = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose a new key. Executing the intent makes it and gives the request for its certificate.

    Example: sealway key generate --use record --algorithm ES256
    --seal authorities/hz-market/seals/main
    """
    members: dict[str, Json] = {"use": use, "algorithm": algorithm, "home": home}
    if seal:
        members["seal"] = seal
    if authority:
        members["authority"] = resource_name("authorities", authority)
    if title:
        members["title"] = title
    if uses_max:
        members["signatures_max"] = uses_max
    propose(
        "key.generate",
        members,
        proposal,
    )


@app.command()
@proposing
def activate(
    key: KeyArgument,
    pki: PkiOption = None,
    chain: ChainOption = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose to put a key in force with its X.509 chain, or to install a renewed chain for it.

    Example: sealway key activate k-3yq0 --chain answer-of-the-ca.pem
    """
    propose(
        "key.activate",
        _chain_for(key, pki, chain, proposal.profile),
        proposal,
    )


@app.command()
@proposing
def rotate(
    key: KeyArgument,
    pki: PkiOption = None,
    chain: ChainOption = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose that a new key takes over from the one in force, which signs nothing more.

    Nothing stops meanwhile: what was sealed before stays valid, what comes after carries the new
    key.

    Example: sealway key rotate k-3yq0 --pki HOME/pki
    """
    propose(
        "key.rotate",
        _chain_for(key, pki, chain, proposal.profile),
        proposal,
    )


@app.command()
@proposing
def retire(
    key: KeyArgument,
    cause: CauseOption,
    proposal: Proposal,
) -> None:
    """Propose that a key signs nothing more.

    Example: sealway key retire k-3yq0 --cause "device replaced"
    """
    propose(
        "key.retire",
        {"key": resource_name("keys", key), "cause": cause},
        proposal,
    )


@app.command()
@proposing
def destroy(
    key: KeyArgument,
    cause: CauseOption,
    proposal: Proposal,
) -> None:
    """Propose to destroy a retired or never activated key for ever.

    Example: sealway key destroy k-3yq0 --cause "retired for a year"
    """
    propose(
        "key.destroy",
        {"key": resource_name("keys", key), "cause": cause},
        proposal,
    )


@app.command()
@proposing
def compromise(
    key: KeyArgument,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Since when it is in other hands: day or time.")
    ],
    cause: CauseOption,
    proposal: Proposal,
) -> None:
    """Propose to declare that a key is in other hands since a moment: it signs nothing more.

    What a time stamp or witnesses prove to be older stays valid.

    Example: sealway key compromise k-3yq0 --since 2026-11-01T08:00:00+08:00 --cause "theft"
    """
    propose(
        "key.compromise",
        {
            "key": resource_name("keys", key),
            "since": moment(since, option="--since").seconds,
            "cause": cause,
        },
        proposal,
    )


@app.command()
@proposing
def reseal(
    key: KeyArgument,
    proposal: Proposal,
) -> None:
    """Propose to seal anew what a compromised key has sealed, with its seal's key in force.

    Once approved: `sealway seal reseal`.

    Example: sealway key reseal k-3yq0
    """
    propose(
        "key.reseal",
        {"key": resource_name("keys", key)},
        proposal,
        uses_max=USES_MAX,
    )


@app.command("list")
def list_keys(
    seal: Annotated[str, typer.Option(help="Only those of this seal.")] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List keys with what must be seen to: certificates that end, uses that are nearly gone.

    Example: sealway key list --seal authorities/hz-market/seals/main
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = all_keys(client, seal)
    show_list(
        terminal,
        "keys",
        found,
        (
            ("name", "名称"),
            ("seal", "印章"),
            ("use", "用途"),
            ("algorithm", "算法"),
            ("home", "存放"),
            ("state", "状态"),
            ("uses", "已用"),
            ("certificate until", "证书有效期至"),
            ("see to", "待处理"),
        ),
        [
            (
                item.name,
                item.seal,
                item.use,
                item.algorithm,
                item.home,
                shown_enum(item, "state"),
                f"{item.uses} / {item.uses_max}" if item.uses_max else str(item.uses),
                shown_time(item.expire_time),
                shown_warnings(terminal, [item]),
            )
            for item in found
        ],
    )


@app.command()
def show(
    key: KeyArgument,
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write its own X.509 certificate here, as PEM."),
    ] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one key with its request and chain; write its certificate, such as readers of codes pin.

    Example: sealway key show k-3yq0 --certificate codes.pem
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = find_key(client, key)
    if certificate is not None:
        if not found.x509_chain:
            raise UsageError(f"{found.name} has no certificate yet", f"{found.name} 尚无数字证书")
        leaf = x509.load_der_x509_certificate(found.x509_chain[0])
        save(certificate, leaf.public_bytes(Encoding.PEM), mode=0o644)
        terminal.say(f"Certificate: {certificate}", f"数字证书：{certificate}")
    show_one(terminal, found)
    if found.use == KeyUse.FACE and certificate is not None:
        next_step(terminal, f"sealway trust pin TRUST.JSON --face {certificate}")
    if said := shown_warnings(terminal, [found]):
        terminal.say(said, said)


def all_keys(client: HubClient, seal: str) -> list[seal_pb2.Key]:
    """Every key of a seal, or of all for ""."""
    stub = seal_pb2_grpc.SealServiceStub(client.channel)

    def page(token: str) -> tuple[list[seal_pb2.Key], str]:
        answer: seal_pb2.ListKeysResponse = client.call(
            stub.ListKeys,
            seal_pb2.ListKeysRequest(seal=seal, page_size=PAGE_SIZE, page_token=token),
        )
        return list(answer.keys), answer.next_page_token

    return all_pages(page)


def shown_warnings(terminal: Terminal, keys: Sequence[seal_pb2.Key]) -> str:
    """What must be seen to of these keys, one line for each; empty where nothing must."""
    return "\n".join(
        f"{key.use} {key.algorithm}: {terminal.choose(*_WARNINGS[warning])}"
        for key in keys
        for warning in key.warnings
        if warning in _WARNINGS
    )


def find_key(client: HubClient, key: str) -> seal_pb2.Key:
    """The key of this name or id."""
    stub = seal_pb2_grpc.SealServiceStub(client.channel)
    answer: seal_pb2.GetKeyResponse = client.call(
        stub.GetKey, seal_pb2.GetKeyRequest(name=resource_name("keys", key))
    )
    return answer.key


def _chain_for(
    key: str, pki: Path | None, chain: Path | None, profile: Path | None
) -> dict[str, Json]:
    """The members `key` and `x509_chain` of an intent. Raises UsageError."""
    if (pki is None) == (chain is None):
        raise UsageError(
            "give either --pki, whose CA certifies the key, or --chain, another CA's answer",
            "请提供 --pki（由本枢纽的 CA 签发）或 --chain（其他 CA 签发的证书）之一",
        )
    if chain is not None:
        return {"key": resource_name("keys", key), "x509_chain": read_chain(chain)}
    assert pki is not None, "one of the two is given"
    with connected(profile) as client:
        found = find_key(client, key)
    return {"key": found.name, "x509_chain": issue_chain(pki, found)}
