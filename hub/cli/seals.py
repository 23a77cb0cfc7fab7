"""`sealway seal`: the authorities' electronic seals, under dual control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509

from certs.files import PUBLIC
from connectors.client import HubClient
from connectors.profile import read_bounded
from hub.cli.proposals import (
    FromOption,
    IntentIdOption,
    Proposal,
    ReplacesOption,
    UntilOption,
    propose,
)
from hub.cli.seal_keys import CauseOption, all_keys, shown_warnings
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    in_folder,
    moment,
    request_id,
    resource_name,
    save,
    show_list,
    show_one,
    shown_enum,
    shown_time,
    write,
)
from hub.cli.terminal import Terminal, UsageError
from hub.cli.x509_of_keys import PkiOption, issue_chain, read_chain
from hub.proof.encoding import Json, b64u_decode
from hub.seal.v1 import seal_pb2, seal_pb2_grpc

MATERIAL_BYTES_MAX: Final = 1_048_576
_KEY_PARTS_MAX: Final = 4
_IN_USE: Final = (seal_pb2.Key.STATE_REQUESTED, seal_pb2.Key.STATE_ACTIVE)

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
            help="A key to be made for it; repeat. Otherwise record:ES256.",
        ),
    ] = None,
    intent: IntentIdOption = None,
    start: FromOption = None,
    until: UntilOption = None,
    replaces: ReplacesOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
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
        "keys": [_wanted(text) for text in key or ["record:ES256"]],
    }
    propose(
        Terminal(as_json),
        "seal.apply",
        members,
        Proposal(intent, start, until, replaces, profile, receipt, repeat),
    )


@app.command()
def make(
    seal: SealArgument,
    pki: PkiOption = None,
    chain: ChainsOption = None,
    picture: PictureOption = None,
    size: SizeOption = "40x40",
    number: NumberOption = None,
    valid_until: ValidOption = None,
    maker_key: MakerOption = None,
    intent: IntentIdOption = None,
    start: FromOption = None,
    until: UntilOption = None,
    replaces: ReplacesOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to put a seal in force: with its keys' certificates, and its electronic form.

    Example: sealway seal make authorities/hz-market/seals/main --pki HOME/pki --picture seal.png
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = find_seal(client, seal)
        waiting = [key for key in found.keys if key.state == seal_pb2.Key.STATE_REQUESTED]
        members = _certificates(found, waiting, pki, chain or [])
        form = _Form(picture, size, number, valid_until, maker_key)
        leaf = _leaf_of_ofd(waiting, members)
        if leaf is not None:
            members |= form.members(terminal, client, found, leaf)
    propose(
        terminal,
        "seal.make",
        members,
        Proposal(intent, start, until, replaces, profile, receipt, repeat),
    )


@app.command()
def renew(
    seal: SealArgument,
    pki: PkiOption = None,
    chain: ChainsOption = None,
    picture: PictureOption = None,
    size: SizeOption = "40x40",
    number: NumberOption = None,
    valid_until: ValidOption = None,
    maker_key: MakerOption = None,
    intent: IntentIdOption = None,
    start: FromOption = None,
    until: UntilOption = None,
    replaces: ReplacesOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose new certificates for a seal, and with a key of use ofd its electronic form anew.

    New keys that wait for a certificate take over; where none waits, those in force get a renewed
    one. Without --picture the picture stays.

    Example: sealway seal renew authorities/hz-market/seals/main --pki HOME/pki
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = find_seal(client, seal)
        waiting = [key for key in found.keys if key.state == seal_pb2.Key.STATE_REQUESTED]
        active = [key for key in found.keys if key.state == seal_pb2.Key.STATE_ACTIVE]
        members = _certificates(found, waiting or active, pki, chain or [])
        form = _Form(picture, size, number, valid_until, maker_key)
        leaf = _leaf_of_ofd(found.keys, members)
        if leaf is not None:
            members |= form.members(terminal, client, found, leaf)
    propose(
        terminal,
        "seal.renew",
        members,
        Proposal(intent, start, until, replaces, profile, receipt, repeat),
    )


@app.command("import")
def import_seal(
    seal: SealArgument,
    file: Annotated[Path, typer.Argument(help="The electronic seal (.esl): version 1, 4 or 5.")],
    intent: IntentIdOption = None,
    start: FromOption = None,
    until: UntilOption = None,
    replaces: ReplacesOption = None,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose to keep a lawful electronic seal from outside, byte for byte.

    Example: sealway seal import authorities/hz-market/seals/provincial seal.esl
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        digest = upload(terminal, client, file)
    propose(
        terminal,
        "seal.import",
        {"seal": seal, "digest": digest},
        Proposal(intent, start, until, replaces, profile, receipt, repeat),
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
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        answer: seal_pb2.ExportSealResponse = client.call(
            stub.ExportSeal, seal_pb2.ExportSealRequest(name=seal, version=version)
        )
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

    def command(
        seal: SealArgument,
        cause: CauseOption,
        intent: IntentIdOption = None,
        start: FromOption = None,
        until: UntilOption = None,
        replaces: ReplacesOption = None,
        profile: ProfileOption = None,
        receipt: ReceiptOption = None,
        repeat: RequestIdOption = None,
        as_json: JsonOption = False,
    ) -> None:
        propose(
            Terminal(as_json),
            f"seal.{verb}",
            {"seal": seal, "cause": cause},
            Proposal(intent, start, until, replaces, profile, receipt, repeat),
        )

    example = f"Example: sealway seal {verb} authorities/hz-market/seals/main --cause {zh}"
    app.command(verb, help=f"{en}\n\n{example}")(command)


_state_command("suspend", "Propose that a seal seals nothing until it is resumed.", "公章遗失核查")
_state_command("resume", "Propose that a suspended seal seals again.", "核查完毕")
_state_command("revoke", "Propose to withdraw a seal for good; its keys sign nothing more.", "作废")
_state_command(
    "end", "Propose to end a seal whose authority was merged, split or renamed.", "机构改革"
)


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
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one seal with its keys, its electronic form, and what must be seen to.

    Example: sealway seal show authorities/hz-market/seals/main
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        found = find_seal(client, seal)
    show_one(terminal, found)
    if said := shown_warnings(terminal, found.keys):
        terminal.say(said, said)


def find_seal(client: HubClient, name: str) -> seal_pb2.Seal:
    """The seal of this name."""
    stub = seal_pb2_grpc.SealServiceStub(client.channel)
    answer: seal_pb2.GetSealResponse = client.call(stub.GetSeal, seal_pb2.GetSealRequest(name=name))
    return answer.seal


def _wanted(text: str) -> Json:
    """A key as USE:ALGORITHM[:HOME[:USES]]. Raises UsageError."""
    parts = text.split(":")
    counts = len(parts) == _KEY_PARTS_MAX
    if not 2 <= len(parts) <= _KEY_PARTS_MAX or (counts and not parts[3].isdigit()):
        raise UsageError(
            f"--key {text}: write USE:ALGORITHM[:HOME[:USES]], as in record:ES256",
            f"--key {text}：格式为 用途:算法[:存放处[:次数]]，例如 record:ES256",
        )
    wanted: dict[str, Json] = {"use": parts[0], "algorithm": parts[1], "home": "files"}
    if len(parts) > 2 and parts[2]:
        wanted["home"] = parts[2]
    if counts:
        wanted["signatures_max"] = int(parts[3])
    return wanted


def _certificates(
    seal: seal_pb2.Seal, keys: list[seal_pb2.Key], pki: Path | None, chains: list[str]
) -> dict[str, Json]:
    """The members `seal` and `certificates`: each key's chain from a file, else from the PKI."""
    files = dict(text.rpartition("=")[::2] for text in chains)
    named = {resource_name("keys", name): Path(file) for name, file in files.items()}
    certificates: list[Json] = []
    for key in keys:
        if key.name in named:
            chain = read_chain(named[key.name])
        elif pki is not None:
            chain = issue_chain(pki, key)
        else:
            raise UsageError(
                f"{key.name} ({key.use}, {key.algorithm}) needs a certificate: give --pki, or "
                f"--chain {key.name.removeprefix('keys/')}=FILE",
                f"{key.name}（{key.use}，{key.algorithm}）需要证书：请用 --pki，或 "
                f"--chain {key.name.removeprefix('keys/')}=文件",
            )
        certificates.append({"key": key.name, "x509_chain": chain})
    if not certificates:
        raise UsageError(
            f"{seal.name} has no key that waits for a certificate: sealway key generate",
            f"{seal.name} 没有等待证书的密钥；请先执行 sealway key generate",
        )
    return {"seal": seal.name, "certificates": certificates}


@dataclass(frozen=True, slots=True)
class _Form:
    """What was said of the electronic form; None where it follows from something else."""

    picture: Path | None
    size: str
    number: str | None
    valid_until: str | None
    maker_key: str | None

    def members(
        self, terminal: Terminal, client: HubClient, seal: seal_pb2.Seal, leaf: x509.Certificate
    ) -> dict[str, Json]:
        """The members about the electronic form; `leaf` is the signer's certificate."""
        (code,) = leaf.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
        # From the certificate, so that a repetition says the same.
        version = seal.electronic_seal.version + 1
        made_up = f"{code.value!s}-{leaf.serial_number % 16**8:08X}-{version}"
        ends = int(leaf.not_valid_after_utc.timestamp())
        if self.valid_until is not None:
            stamp = moment(self.valid_until, option="--valid-until", end_of_day=True)
            ends = stamp.seconds
        width, height = self._size()
        return {
            "number": self.number or made_up,
            "picture": self._picture(terminal, client, seal.electronic_seal.picture),
            "width_mm": width,
            "height_mm": height,
            "valid_from": int(leaf.not_valid_before_utc.timestamp()),
            "valid_until": ends,
            "maker_key": self._maker(client),
        }

    def _size(self) -> tuple[int, int]:
        width, _, height = self.size.partition("x")
        if not width.isdigit() or not height.isdigit():
            raise UsageError(
                f"--size {self.size}: write whole millimetres, as in 40x40",
                f"--size {self.size}：请写整毫米数，例如 40x40",
            )
        return int(width), int(height)

    def _picture(self, terminal: Terminal, client: HubClient, kept: str) -> str:
        if self.picture is not None:
            return upload(terminal, client, self.picture)
        if not kept:
            raise UsageError(
                "an electronic seal needs its picture: --picture seal.png",
                "电子印章需要印章图像：请用 --picture 指定",
            )
        return kept

    def _maker(self, client: HubClient) -> str:
        if self.maker_key is not None:
            return resource_name("keys", self.maker_key)
        makers = [
            key.name
            for key in all_keys(client, "")
            if key.use == "maker" and key.state == seal_pb2.Key.STATE_ACTIVE
        ]
        if len(makers) != 1:
            raise UsageError(
                f"the hub has {len(makers)} keys that make seals: name one with --maker-key, or "
                "have one generated: sealway key generate --use maker",
                f"枢纽有 {len(makers)} 个制章密钥：请用 --maker-key 指定，"
                "或执行 sealway key generate --use maker",
            )
        return makers[0]


def _leaf_of_ofd(keys: Sequence[seal_pb2.Key], members: dict[str, Json]) -> x509.Certificate | None:
    """The signer's certificate that the intent brings, else the one in force; None without OFD."""
    ofd = [key for key in keys if key.use == "ofd" and key.state in _IN_USE]
    if not ofd:
        return None
    names = {key.name for key in ofd}
    certificates = members["certificates"]
    assert isinstance(certificates, list), "made so"
    for one in certificates:
        assert isinstance(one, dict), "made so"
        chain = one["x509_chain"]
        if one["key"] in names and isinstance(chain, list):
            return x509.load_der_x509_certificate(b64u_decode(str(chain[0])))
    (active,) = [key for key in ofd if key.state == seal_pb2.Key.STATE_ACTIVE]
    return x509.load_der_x509_certificate(active.x509_chain[0])


def upload(terminal: Terminal, client: HubClient, file: Path) -> str:
    """Put a picture or an electronic seal on file; its digest."""
    data = read_bounded(file, MATERIAL_BYTES_MAX, "picture or electronic seal")
    stub = seal_pb2_grpc.SealServiceStub(client.channel)
    answer: seal_pb2.AddSealMaterialResponse = write(
        terminal,
        client,
        stub.AddSealMaterial,
        seal_pb2.AddSealMaterialRequest(request_id=request_id(None), data=data),
    )
    return answer.digest
