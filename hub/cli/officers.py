"""`sealway officer`: the security officers. The first come from `sealway init`; every later change
is an intent that the others approve.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final

import typer

from certs.files import PUBLIC, write_replacing
from connectors.profile import read_bounded
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.authenticators import make_credential
from hub.cli.member_folders import equip, issue, make_requests, request_der
from hub.cli.officer_page import PORT
from hub.cli.proposals import (
    Proposal,
    propose,
    proposing,
)
from hub.cli.quorum import newest_roster
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    all_pages,
    connected,
    in_folder,
    moment,
    new_id,
    next_step,
    resource_name,
    show_list,
    show_one,
    shown_time,
)
from hub.cli.terminal import Terminal, UsageError
from hub.domain.strict_json import Json
from hub.proof.encoding import b64u
from hub.proof.officers.intent import Kind
from hub.proof.officers.intent_kinds import (
    OFFICER_ABSENT,
    OFFICER_END,
    OFFICER_ENROL,
    OFFICER_HAND_OVER,
    OFFICER_ROTATE_KEY,
    OFFICER_SUCCEED,
)
from hub.proof.officers.roster import Roster
from hub.proof.webauthn import CREDENTIAL_PROOF_BYTES_MAX

CREDENTIAL_FILE: Final = "credential.json"

OfficerArgument = Annotated[str, typer.Argument(help="Id or name.")]
RequestOption = Annotated[
    Path, typer.Option("--request", metavar="DIR", help="Folder made by `sealway officer request`.")
]
PkiOption = Annotated[
    Path, typer.Option("--pki", metavar="DIR", help="Folder of the PKI that issues certificates.")
]

app = typer.Typer(no_args_is_help=True, help="Security officers.")


@app.command()
def request(
    folder: Annotated[Path, typer.Argument(help="The officer's own folder; made where missing.")],
    name: Annotated[str, typer.Option(help="Id of the officer: 3 to 63 of a-z, 0-9 and hyphen.")],
    browser: Annotated[
        bool,
        typer.Option(
            "--browser",
            help="Keep the approval key in an authenticator, asked on a page of this machine.",
        ),
    ] = False,
    port: Annotated[
        int, typer.Option(min=1024, max=65535, help="With --browser: the page's port, for good.")
    ] = PORT,
    as_json: JsonOption = False,
) -> None:
    """Make an officer's keys and the requests that prove them. The officer runs it, and keeps them.

    Keys are written encrypted, mode 0600, and are never replaced: a second run keeps them.

    Example: sealway officer request ./liu --name liu
    """
    terminal = Terminal(as_json)
    new_id(name, option="--name")
    if (folder / ("approval.key" if browser else CREDENTIAL_FILE)).exists():
        raise UsageError(
            f"{in_folder(folder)} has an approval key of the other kind; use a new folder",
            f"{in_folder(folder)} 已有另一种审批密钥，请使用新目录",
        )
    kinds = ("client",) if browser else ("client", "approval")
    files = [str(file) for file in make_requests(folder, name, kinds)]
    if browser:
        credential = folder / CREDENTIAL_FILE
        if not credential.is_file():
            proof = make_credential(terminal, f"officers/{name}", port=port)
            write_replacing(credential, proof, mode=PUBLIC)
        files.append(str(credential))
    terminal.document({"name": f"officers/{name}", "requests": files})
    terminal.say(
        f"Keys and requests of officers/{name} are in {in_folder(folder)}.",
        f"officers/{name} 的密钥和证书请求位于 {in_folder(folder)}。",
    )
    next_step(
        terminal, f"sealway officer enrol {name} --request {in_folder(folder)} --pki HOME/pki"
    )


@app.command()
@proposing
def enrol(
    officer: OfficerArgument,
    folder: RequestOption,
    pki: PkiOption,
    standby: Annotated[
        bool, typer.Option("--standby", help="Counts only while it substitutes somebody absent.")
    ] = False,
    *,
    proposal: Proposal,
) -> None:
    """Propose to enrol an officer. Writes certificate and client.toml into the officer's folder.

    Example: sealway officer enrol liu --request ./liu --pki HOME/pki
    """
    more: dict[str, Json] = {"standby": True} if standby else {}
    _propose_keys(
        OFFICER_ENROL,
        officer,
        folder,
        pki,
        more,
        proposal,
    )


@app.command("hand-over")
@proposing
def hand_over(
    officer: OfficerArgument,
    folder: RequestOption,
    pki: PkiOption,
    proposal: Proposal,
) -> None:
    """Propose that a new person takes over an office, with keys of its own.

    The keys before end when the intent is executed, at the earliest on the day of --from.

    Example: sealway officer hand-over sun --request ./sun-new --pki HOME/pki --from 2026-03-01
    """
    _propose_keys(
        OFFICER_HAND_OVER,
        officer,
        folder,
        pki,
        {},
        proposal,
    )


@app.command("rotate-key")
@proposing
def rotate_key(
    officer: OfficerArgument,
    folder: RequestOption,
    pki: PkiOption,
    proposal: Proposal,
) -> None:
    """Propose new keys of your own. The keys before end when the intent is executed, and approvals
    made with them count no longer.

    Example: sealway officer rotate-key zhao --request ./zhao-2027 --pki HOME/pki
    """
    _propose_keys(
        OFFICER_ROTATE_KEY,
        officer,
        folder,
        pki,
        {},
        proposal,
    )


@app.command()
@proposing
def end(
    officer: OfficerArgument,
    cause: Annotated[str, typer.Option(help="Why; kept in the log, no personal data.")],
    proposal: Proposal,
) -> None:
    """Propose to end an office. Standing intents that the officer approved may need another
    approval before.

    Example: sealway officer end liu --cause "office closed"
    """
    propose(
        OFFICER_END.name,
        {"officer": resource_name("officers", officer), "cause": cause},
        proposal,
    )


@app.command()
@proposing
def absent(
    officer: OfficerArgument,
    first: Annotated[str, typer.Option("--away-from", help="First day or moment of the absence.")],
    last: Annotated[str, typer.Option("--away-until", help="Last day or moment of it.")],
    substitute: Annotated[str, typer.Option(help="Officer on standby who acts in that time.")] = "",
    *,
    proposal: Proposal,
) -> None:
    """Propose an absence, in which the officer does not count and the substitute does.

    Example: sealway officer absent sun --away-from 2026-03-01 --away-until 2026-03-14
    --substitute liu
    """
    members: dict[str, Json] = {
        "officer": resource_name("officers", officer),
        "from": moment(first, option="--away-from").seconds,
        "until": moment(last, option="--away-until", end_of_day=True).seconds + 1,
    }
    if substitute:
        members["substitute"] = resource_name("officers", substitute)
    propose(
        OFFICER_ABSENT.name,
        members,
        proposal,
    )


@app.command()
@proposing
def succeed(
    officer: OfficerArgument,
    successor: Annotated[str, typer.Option("--by", help="Officer on standby.")],
    proposal: Proposal,
) -> None:
    """Propose that one on standby takes an officer's place. Have it approved in good time, with a
    late --until, and execute it when the officer cannot act any more.

    Example: sealway officer succeed sun --by liu --until 2026-12-31
    """
    members: dict[str, Json] = {
        "officer": resource_name("officers", officer),
        "successor": resource_name("officers", successor),
    }
    propose(
        OFFICER_SUCCEED.name,
        members,
        proposal,
    )


@app.command("list")
def list_officers(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List the officers, and who of them may decide now.

    Example: sealway officer list --profile HOME/officers/wang/client.toml
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)

        def page(token: str) -> tuple[list[access_pb2.Officer], str]:
            answer: access_pb2.ListOfficersResponse = client.call(
                stub.ListOfficers,
                access_pb2.ListOfficersRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.officers), answer.next_page_token

        found = all_pages(page)
        roster, _ = newest_roster(client)
    terminal = Terminal(as_json)
    show_list(
        terminal,
        "officers",
        found,
        (
            ("name", "名称"),
            ("state", "状态"),
            ("approval key", "审批密钥"),
            ("entry", "条目"),
            ("since", "登记时间"),
        ),
        [
            (
                item.name,
                _state(terminal, roster, item.name),
                _approval_key(terminal, roster, item),
                str(item.enrolment_entry),
                shown_time(item.create_time),
            )
            for item in found
        ],
    )


@app.command()
def show(
    officer: OfficerArgument,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one officer.

    Example: sealway officer show wang
    """
    with connected(profile) as client:
        stub = access_pb2_grpc.AccessServiceStub(client.channel)
        answer: access_pb2.GetOfficerResponse = client.call(
            stub.GetOfficer,
            access_pb2.GetOfficerRequest(name=resource_name("officers", officer)),
        )
    show_one(Terminal(as_json), answer.officer)


def _approval_key(terminal: Terminal, roster: Roster, officer: access_pb2.Officer) -> str:
    """The key's id, and whether it lies in an authenticator."""
    known = roster.officers.get(officer.name)
    if known is None or known.credential is None:
        return officer.approval_key_id
    return f"{officer.approval_key_id} ({terminal.choose('authenticator', '认证器')})"


def _state(terminal: Terminal, roster: Roster, name: str) -> str:
    """Whether an officer may decide now."""
    known = roster.officers.get(name)
    if known is None:
        return terminal.choose("ended", "已终止")
    if roster.is_acting(name, int(time.time())):
        return terminal.choose("acting", "在任")
    return (
        terminal.choose("standby", "候补")
        if known.is_standby
        else terminal.choose("absent", "缺席")
    )


def _propose_keys(
    kind: Kind,
    officer: str,
    folder: Path,
    pki: Path,
    more: dict[str, Json],
    proposal: Proposal,
) -> None:
    """An officer's new keys: certificate issued, folder made ready, intent proposed."""
    name = resource_name("officers", officer)
    issued = issue(pki, "officer", name.removeprefix("officers/"), folder)
    with connected(proposal.profile) as client:
        file = equip(folder, name, issued, pki, client)
    members: dict[str, Json] = {
        "officer": name,
        **more,
        "x509_certificate": b64u(issued.der),
        "x509_request": b64u(request_der(folder / "client.csr")),
        "signing_request": b64u(_approval_proof(folder)),
    }
    propose(kind.name, members, proposal)
    shown = in_folder(file)
    proposal.terminal.say(
        f"Client profile, once executed: {shown}", f"客户端配置（执行后生效）：{shown}"
    )


def _approval_proof(folder: Path) -> bytes:
    """What proves the approval key: of an authenticator where the folder has one, else a file's."""
    credential = folder / CREDENTIAL_FILE
    if credential.is_file():
        return read_bounded(credential, CREDENTIAL_PROOF_BYTES_MAX, "credential")
    return request_der(folder / "approval.csr")
