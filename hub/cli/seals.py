"""`sealway seal`: the authorities' electronic seals, under dual control."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from certs.files import PUBLIC
from connectors.client import HubClient
from hub.cli.proposals import (
    Proposal,
    propose,
    proposing,
)
from hub.cli.seal_forms import SealForm, certificates_of, leaf_of_ofd, upload, wanted_key
from hub.cli.seal_keys import CauseOption, shown_warnings
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    all_pages,
    connected,
    in_folder,
    next_step,
    request_id,
    resource_name,
    save,
    show_list,
    show_one,
    shown_enum,
    shown_time,
    write,
)
from hub.cli.terminal import ExitCode, Terminal, UsageError
from hub.cli.x509_of_keys import PkiOption
from hub.proof.encoding import Json
from hub.seal.v1 import seal_pb2, seal_pb2_grpc

app = typer.Typer(no_args_is_help=True, help="Electronic seals of authorities.")

SealArgument = Annotated[str, typer.Argument(help="authorities/{authority}/seals/{seal}")]
ChainsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--chain", metavar="KEY=FILE", help="Another CA's answer for a key (PEM); repeat."
    ),
]
PictureOption = Annotated[
    Path | None,
    typer.Option(help="PNG or SVG of the seal; needed where it has a key of use ofd."),
]
SizeOption = Annotated[str, typer.Option(metavar="WxH", help="Size on paper in millimetres.")]
NumberOption = Annotated[
    str | None,
    typer.Option(help="Number of the electronic seal; otherwise from the signer's certificate."),
]
ValidOption = Annotated[
    str | None,
    typer.Option("--valid-until", help="Last day; otherwise the end of the signer's certificate."),
]
MakerOption = Annotated[
    str | None, typer.Option("--maker-key", help="The hub's key that makes it; otherwise its only.")
]


@app.command()
@proposing
def apply(
    seal: Annotated[str, typer.Argument(help="Id: 3 to 63 of a-z, 0-9 and hyphen.")],
    authority: Annotated[str, typer.Option(help="The authority whose seal it is.")],
    title: Annotated[str, typer.Option(help="What stands on the seal.")],
    seal_type: Annotated[
        int,
        typer.Option("--type", min=0, help="Its type, by your own list: 1 for an official one."),
    ] = 1,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="USE:ALGORITHM[:HOME[:USES]]",
            help="A key to be made for it; repeat. Otherwise record:ES256. For a hub of the profile"
            " gm name record:SM2 as well, and pdf:SM2 for PDF.",
        ),
    ] = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose a new seal. Executing the intent makes its keys; then: sealway seal make.

    Example: sealway seal apply main --authority hz-market --title 杭州市市场监督管理局
    --key record:ES256 --key ofd:SM2
    """
    parent = resource_name("authorities", authority)
    members: dict[str, Json] = {
        "seal": f"{parent}/seals/{seal}",
        "title": title,
        "seal_type": seal_type,
        "keys": [wanted_key(text) for text in key or ["record:ES256"]],
    }
    propose(
        "seal.apply",
        members,
        proposal,
    )


@app.command("draw")
def draw_picture(
    name: Annotated[str, typer.Option(help="What stands on the arc: the authority's name.")],
    out: Annotated[Path, typer.Option(help="Where to write it; ends in .svg or .png.")],
    purpose: Annotated[
        str, typer.Option(help="What it is for, below the star, such as 行政审批专用章.")
    ] = "",
    code: Annotated[str, typer.Option(help="Its code along the lower edge.")] = "",
    diameter: Annotated[float, typer.Option(help="Millimetres on paper.")] = 40.0,
    font: Annotated[
        str, typer.Option(metavar="FILE", help="Font to draw with; empty: the system's.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Draw the picture of a round official seal (公章), without a hub: arc, star, code.

    Example: sealway seal draw --name 杭州市市场监督管理局 --code 3301000012345 --out seal.png
    """
    # Fonts and pictures take long to load, and no other command needs them.
    from hub.seal import picture_file, round_seal  # noqa: PLC0415
    from hub.seal.faces.fonts import FaceFonts  # noqa: PLC0415
    from hub.seal.pictures import DPI  # noqa: PLC0415

    terminal = Terminal(as_json)
    if out.suffix.lower() not in (".svg", ".png"):
        raise UsageError(
            f"--out {out}: end it in .svg or .png", f"--out {out}：应以 .svg 或 .png 结尾"
        )
    seal = round_seal.RoundSeal(name, purpose, code, diameter)
    picture = picture_file.read_picture(round_seal.draw_round_seal(seal, FaceFonts.open(font)))
    data = picture.data
    if out.suffix.lower() == ".png":
        data = round_seal.with_palette(picture_file.draw_picture(picture, diameter, DPI))
    save(out, data, mode=PUBLIC)
    terminal.document({"picture": str(out), "diameter_mm": diameter})
    terminal.say(f"Picture: {out}", f"印模：{out}")
    next_step(terminal, f"sealway seal make SEAL --picture {out}")


@app.command()
@proposing
def make(
    seal: SealArgument,
    pki: PkiOption = None,
    chain: ChainsOption = None,
    picture: PictureOption = None,
    size: SizeOption = "40x40",
    number: NumberOption = None,
    valid_until: ValidOption = None,
    maker_key: MakerOption = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose to put a seal in force: with its keys' certificates, and its electronic form.

    Example: sealway seal make authorities/hz-market/seals/main --pki HOME/pki --picture seal.png
    """
    with connected(proposal.profile) as client:
        found = find_seal(client, seal)
        waiting = [key for key in found.keys if key.state == seal_pb2.Key.STATE_REQUESTED]
        members = certificates_of(found, waiting, pki, chain or [])
        form = SealForm(picture, size, number, valid_until, maker_key)
        leaf = leaf_of_ofd(waiting, members)
        if leaf is not None:
            members |= form.members(proposal.terminal, client, found, leaf)
    propose(
        "seal.make",
        members,
        proposal,
    )


@app.command()
@proposing
def renew(
    seal: SealArgument,
    pki: PkiOption = None,
    chain: ChainsOption = None,
    picture: PictureOption = None,
    size: SizeOption = "40x40",
    number: NumberOption = None,
    valid_until: ValidOption = None,
    maker_key: MakerOption = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose new certificates for a seal, and with a key of use ofd its electronic form anew.

    New keys that wait for a certificate take over; where none waits, those in force get a renewed
    one. Without --picture the picture stays.

    Example: sealway seal renew authorities/hz-market/seals/main --pki HOME/pki
    """
    with connected(proposal.profile) as client:
        found = find_seal(client, seal)
        waiting = [key for key in found.keys if key.state == seal_pb2.Key.STATE_REQUESTED]
        active = [key for key in found.keys if key.state == seal_pb2.Key.STATE_ACTIVE]
        members = certificates_of(found, waiting or active, pki, chain or [])
        form = SealForm(picture, size, number, valid_until, maker_key)
        leaf = leaf_of_ofd(found.keys, members)
        if leaf is not None:
            members |= form.members(proposal.terminal, client, found, leaf)
    propose(
        "seal.renew",
        members,
        proposal,
    )


@app.command("import")
@proposing
def import_seal(
    seal: SealArgument,
    file: Annotated[Path, typer.Argument(help="The electronic seal (.esl): version 1, 4 or 5.")],
    proposal: Proposal,
) -> None:
    """Propose to keep a lawful electronic seal from outside, byte for byte.

    Example: sealway seal import authorities/hz-market/seals/provincial seal.esl
    """
    with connected(proposal.profile) as client:
        digest = upload(proposal.terminal, client, file)
    propose(
        "seal.import",
        {"seal": seal, "digest": digest},
        proposal,
    )


@app.command()
def export(
    seal: SealArgument,
    file: Annotated[Path, typer.Argument(help="Where the electronic seal (.esl) goes.")],
    version: Annotated[int, typer.Option(min=0, help="0 means the newest.")] = 0,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a seal in electronic form, byte for byte as it was made or imported.

    Example: sealway seal export authorities/hz-market/seals/main main.esl
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        answer = _exported(client, seal, version)
    save(file, answer.seal_der, mode=PUBLIC)
    terminal.document({"file": str(file), "number": answer.electronic_seal.number})
    made = answer.electronic_seal.origin == seal_pb2.ElectronicSeal.ORIGIN_MADE_HERE
    terminal.say(
        f"{in_folder(file)}: number {answer.electronic_seal.number}, "
        f"{'made here' if made else 'imported'}.",
        f"{in_folder(file)}：编号 {answer.electronic_seal.number}，"
        f"{'由本枢纽制作' if made else '从外部导入'}。",
    )


def _state_command(verb: str, en: str, zh: str) -> None:
    """One command for each verb that only changes a seal's state."""

    @proposing
    def command(seal: SealArgument, cause: CauseOption, proposal: Proposal) -> None:
        propose(f"seal.{verb}", {"seal": seal, "cause": cause}, proposal)

    example = f"Example: sealway seal {verb} authorities/hz-market/seals/main --cause {zh}"
    app.command(verb, help=f"{en}\n\n{example}")(command)


_state_command("suspend", "Propose that a seal seals nothing until it is resumed.", "公章遗失核查")
_state_command("resume", "Propose that a suspended seal seals again.", "核查完毕")
_state_command("revoke", "Propose to withdraw a seal for good; its keys sign nothing more.", "作废")
_state_command(
    "end", "Propose to end a seal whose authority was merged, split or renamed.", "机构改革"
)


@app.command()
def reseal(
    intent: Annotated[str, typer.Argument(help="The approved intent of `sealway key reseal`.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Seal anew what a compromised key has sealed: records in batches of 500, documents one by one,
    each one log entry.

    Interrupted, it is started again: what is left is what still carries that key. Documents whose
    face can no longer be set are listed at the end, with why; the command then exits with 1.

    Example: sealway seal reseal key-reseal-1f8c2a90
    """
    terminal = Terminal(as_json)
    name = resource_name("intents", intent)
    records, documents, entries, token = 0, 0, list[int](), ""
    left: list[seal_pb2.DocumentLeft] = []
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        while True:
            answer: seal_pb2.ResealRecordsResponse = write(
                terminal,
                client,
                stub.ResealRecords,
                seal_pb2.ResealRecordsRequest(
                    request_id=request_id(None), intent=name, page_token=token
                ),
            )
            records += answer.records
            documents += answer.documents
            if answer.HasField("left"):
                left.append(answer.left)
            entries.append(answer.receipt.entry)
            entry = answer.receipt.entry
            terminal.say(
                f"{records} records, {documents} documents sealed anew (log entry {entry}).",
                f"已重新用印 {records} 条记录、{documents} 份文件（日志条目 {entry}）。",
            )
            token = answer.next_page_token
            if not token:
                break
    terminal.document(
        {
            "intent": name,
            "records": records,
            "documents": documents,
            "entries": entries,
            "left": [
                {
                    "certificate": one.certificate_identifier,
                    "version": one.version,
                    "media_type": one.media_type,
                    "copy": one.copy,
                    "reason": one.reason,
                }
                for one in left
            ],
        }
    )
    if left:
        _tell_left(terminal, left, name)
        raise typer.Exit(ExitCode.REFUSED)
    if records or documents:
        terminal.say(
            "Everyone who keeps a trust file still believes the stolen key until he updates it.",
            "持有信任文件的各方在更新之前仍信任被盗密钥。",
        )
        next_step(terminal, "sealway trust update trust.json")
    else:
        terminal.say(
            "Nothing in force carries that key any more.", "已无有效记录或文件使用该密钥。"
        )


def _tell_left(terminal: Terminal, left: Sequence[seal_pb2.DocumentLeft], intent: str) -> None:
    """Which documents stay as they are, and what to do."""
    terminal.table(
        (("certificate", "证照"), ("format", "格式"), ("copy", "副本"), ("reason", "原因")),
        [(one.certificate_identifier, one.media_type, one.copy, one.reason) for one in left],
    )
    terminal.say(
        f"{len(left)} documents are as they were. Mend the template of their face or what the "
        "reason names, and run the command again: it seals only what is left.",
        f"{len(left)} 份文件未能重新用印。请按原因修正版面模板等后再次执行本命令，仅处理剩余文件。",
    )
    next_step(terminal, f"sealway seal reseal {intent.removeprefix('intents/')}")


@app.command("list")
def list_seals(
    authority: Annotated[str, typer.Option(help="Only those of this authority.")] = "-",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the seals, and what must be seen to.

    Example: sealway seal list --authority hz-market
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)

        def page(token: str) -> tuple[list[seal_pb2.Seal], str]:
            answer: seal_pb2.ListSealsResponse = client.call(
                stub.ListSeals,
                seal_pb2.ListSealsRequest(
                    parent=resource_name("authorities", authority),
                    page_size=PAGE_SIZE,
                    page_token=token,
                ),
            )
            return list(answer.seals), answer.next_page_token

        found = all_pages(page)
    show_list(
        terminal,
        "seals",
        found,
        (
            ("name", "名称"),
            ("title", "印文"),
            ("state", "状态"),
            ("keys", "密钥"),
            ("electronic seal until", "电子印章有效期至"),
            ("see to", "待处理"),
        ),
        [
            (
                item.name,
                item.title,
                shown_enum(item, "state"),
                ", ".join(
                    f"{key.use}:{key.algorithm}"
                    for key in item.keys
                    if key.state == seal_pb2.Key.STATE_ACTIVE
                ),
                shown_time(item.electronic_seal.expire_time),
                shown_warnings(terminal, item.keys),
            )
            for item in found
        ],
    )


@app.command()
def show(
    seal: SealArgument,
    draw: Annotated[
        bool, typer.Option("--draw", help="Draw its picture; in a process that can be killed.")
    ] = False,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one seal with its keys, its electronic form, and what must be seen to.

    Example: sealway seal show authorities/hz-market/seals/main --draw
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = find_seal(client, seal)
        electronic = _exported(client, seal, 0).seal_der if draw else b""
    show_one(terminal, found)
    if electronic and not as_json:
        _draw(electronic)
    if said := shown_warnings(terminal, found.keys):
        terminal.say(said, said)


def find_seal(client: HubClient, name: str) -> seal_pb2.Seal:
    """The seal of this name."""
    stub = seal_pb2_grpc.SealServiceStub(client.channel)
    answer: seal_pb2.GetSealResponse = client.call(stub.GetSeal, seal_pb2.GetSealRequest(name=name))
    return answer.seal


def _exported(client: HubClient, name: str, version: int) -> seal_pb2.ExportSealResponse:
    stub = seal_pb2_grpc.SealServiceStub(client.channel)
    answer: seal_pb2.ExportSealResponse = client.call(
        stub.ExportSeal, seal_pb2.ExportSealRequest(name=name, version=version)
    )
    return answer


def _draw(electronic: bytes) -> None:
    """The picture in half blocks. Whoever made the seal drew it, so it is read in a worker."""
    from hub.cli.report_text import print_picture  # noqa: PLC0415 - only where it is asked for
    from hub.proof.worker import Verifiers  # noqa: PLC0415

    verifiers = Verifiers()
    try:
        picture = verifiers.show(electronic).picture
    finally:
        verifiers.close()
    if picture is not None:
        print_picture(picture)
