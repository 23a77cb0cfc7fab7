"""`sealway intent`: nothing is sealed without an intent that two officers approved."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Annotated, Final

import typer

from connectors.client import HubClient
from hub.cli.session import (
    PAGE_SIZE,
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
    all_pages,
    connected,
    keep_receipt,
    moment,
    next_step,
    request_id,
    resource_name,
    show_list,
    show_one,
    shown_enum,
    shown_time,
    type_name,
    write,
    written,
)
from hub.cli.terminal import Document, Terminal, UsageError
from hub.clock import CHINA
from hub.proof.approval import Approval, Decision, intent_digest, sign_approval
from hub.proof.encoding import Json, b64u, parse_object
from hub.proof.reasons import ProofError, ProofReason
from hub.seal.v1 import seal_pb2, seal_pb2_grpc

APPROVAL_LIFE_S: Final = 900
# Members of an intent that are seconds, and the last second that a calendar has.
_TIMES: Final = ("not_before", "not_after")
_SECONDS_MAX: Final = 253_402_271_999

app = typer.Typer(no_args_is_help=True, help="What shall be sealed, under dual control.")


@app.command()
def propose(
    intent: Annotated[str, typer.Argument(help="Id: 3 to 63 of a-z, 0-9 and hyphen.")],
    seal: Annotated[str, typer.Option(help="authorities/{authority}/seals/{seal}")],
    certificate_type: Annotated[str, typer.Option("--type", help="Type code, 21 characters.")],
    start: Annotated[str, typer.Option("--from", help="First day or moment.")],
    until: Annotated[str, typer.Option(help="Last day or moment.")],
    uses_max: Annotated[int, typer.Option(min=1, help="How many record seals at most.")],
    manifest: Annotated[
        str, typer.Option(help="Digest of the one connector manifest allowed; else any.")
    ] = "",
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose: seal what this authority submits for this type. Two other officers must approve.

    Example: sealway intent propose licences-2026 --seal authorities/hz-market/seals/main
    --type 11100000MB0143028R001 --from 2026-01-01 --until 2026-12-31 --uses-max 100000
    """
    terminal = Terminal(as_json)
    request = seal_pb2.ProposeIntentRequest(
        request_id=request_id(repeat),
        intent_id=intent,
        seal=seal,
        certificate_type=type_name(certificate_type),
        start_time=moment(start, option="--from"),
        expire_time=moment(until, option="--until", end_of_day=True),
        uses_max=uses_max,
        manifest=manifest,
    )
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        answer: seal_pb2.ProposeIntentResponse = write(
            terminal, client, stub.ProposeIntent, request
        )
    terminal.document({**written(answer.intent, answer.receipt), **_readable(answer.intent)})
    terminal.say(
        f"Proposed {answer.intent.name}, digest {answer.intent.digest}.",
        f"已提出 {answer.intent.name}，摘要 {answer.intent.digest}。",
    )
    keep_receipt(terminal, answer.receipt, receipt)
    who = terminal.choose("two officers other than the proposer", "提出人以外的两名安全员")
    next_step(
        terminal,
        f"sealway intent approve {intent} --profile HOME/officers/OFFICER/client.toml ({who})",
    )


@app.command()
def approve(
    intent: Annotated[str, typer.Argument(help="Id or name.")],
    reject: Annotated[bool, typer.Option("--reject", help="Reject instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show exactly what would be approved, then sign the decision with the officer's approval key.

    The digest is recomputed here from the bytes shown: what is signed is what was read.

    Example: sealway intent approve licences-2026 --profile HOME/officers/zhao/client.toml
    """
    terminal = Terminal(as_json)
    name = resource_name("intents", intent)
    with connected(profile) as client:
        signer = client.profile.signer()
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        found: seal_pb2.GetIntentResponse = client.call(
            stub.GetIntent, seal_pb2.GetIntentRequest(name=name)
        )
        content = found.intent.intent_bytes
        members = _check_intent(client, found.intent)
        _show_content(terminal, name, content, members)
        _confirm(terminal, yes=yes, reject=reject)
        challenge: seal_pb2.CreateApprovalChallengeResponse = client.call(
            stub.CreateApprovalChallenge, seal_pb2.CreateApprovalChallengeRequest(intent=name)
        )
        if challenge.intent_bytes != content:
            raise ProofError(ProofReason.INTENT_MISMATCH, "the hub changed it after showing it")
        now = int(time.time())
        approval = Approval(
            origin=client.profile.origin,
            region=client.profile.region,
            officer=client.profile.name,
            intent=intent_digest(content),
            nonce=challenge.nonce,
            decision=Decision.REJECT if reject else Decision.APPROVE,
            not_after=min(now + APPROVAL_LIFE_S, _not_after(members)),
            key_entry=challenge.key_entry,
            iat=now,
        )
        answer: seal_pb2.ApproveIntentResponse = write(
            terminal,
            client,
            stub.ApproveIntent,
            seal_pb2.ApproveIntentRequest(
                request_id=request_id(repeat),
                name=name,
                approval=sign_approval(approval, signer),
            ),
        )
    state = shown_enum(answer.intent, "state")
    terminal.document({**written(answer.intent, answer.receipt), **_readable(answer.intent)})
    terminal.say(f"{name} is now: {state}.", f"{name} 当前状态：{state}。")
    keep_receipt(terminal, answer.receipt, receipt)
    if answer.intent.state == seal_pb2.Intent.STATE_PROPOSED:
        who = terminal.choose("another officer's", "另一名安全员的配置")
        next_step(terminal, f"sealway intent approve {intent} --profile ({who})")
    elif answer.intent.state == seal_pb2.Intent.STATE_APPROVED:
        next_step(terminal, "sealway connect run connector.yaml")


@app.command("list")
def list_intents(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List intents in the order of their creation.

    Example: sealway intent list
    """
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)

        def page(token: str) -> tuple[list[seal_pb2.Intent], str]:
            answer: seal_pb2.ListIntentsResponse = client.call(
                stub.ListIntents,
                seal_pb2.ListIntentsRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.intents), answer.next_page_token

        found = all_pages(page)
    show_list(
        Terminal(as_json),
        "intents",
        found,
        (
            ("name", "名称"),
            ("state", "状态"),
            ("proposed by", "提出人"),
            ("approvals", "审批"),
            ("uses", "已用"),
            ("since", "提出时间"),
        ),
        [
            (
                item.name,
                shown_enum(item, "state"),
                item.requester,
                ", ".join(approval.officer for approval in item.approvals),
                str(item.uses),
                shown_time(item.create_time),
            )
            for item in found
        ],
    )


@app.command()
def show(
    intent: Annotated[str, typer.Argument(help="Id or name.")],
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one intent: the exact bytes that approvals cover, and the approvals.

    Example: sealway intent show licences-2026
    """
    with connected(profile) as client:
        stub = seal_pb2_grpc.SealServiceStub(client.channel)
        answer: seal_pb2.GetIntentResponse = client.call(
            stub.GetIntent, seal_pb2.GetIntentRequest(name=resource_name("intents", intent))
        )
    show_one(Terminal(as_json), answer.intent, _readable(answer.intent))


def _readable(intent: seal_pb2.Intent) -> dict[str, Document]:
    """The intent's bytes as text: they are JSON, and base64 shows nobody anything."""
    return {"intent_bytes": intent.intent_bytes.decode("utf-8", "replace")}


def _check_intent(client: HubClient, intent: seal_pb2.Intent) -> dict[str, Json]:
    """The members of an intent that is this hub's and has the digest it is said to have."""
    members = parse_object(intent.intent_bytes)
    if b64u(intent_digest(intent.intent_bytes)) != intent.digest:
        raise ProofError(ProofReason.INTENT_MISMATCH, "digest")
    if members.get("origin") != client.profile.origin:
        raise ProofError(ProofReason.ORIGIN_WRONG, "intent")
    if members.get("region") != client.profile.region:
        raise ProofError(ProofReason.REGION_WRONG, "intent")
    return members


def _not_after(members: dict[str, Json]) -> int:
    value = members.get("not_after")
    if not isinstance(value, int):
        raise ProofError(ProofReason.CLAIM_INVALID, "not_after")
    return value


def _show_content(terminal: Terminal, name: str, content: bytes, members: dict[str, Json]) -> None:
    """Every member, then the digest. An escape or an override in a value is shown, not obeyed."""
    terminal.say(f"{name}: you decide on exactly this.", f"{name}：您将对以下内容作出决定。")
    for member, value in members.items():
        line = f"  {member}: {json.dumps(value, ensure_ascii=not _is_plain(value))}"
        if member in _TIMES and isinstance(value, int) and 0 <= value <= _SECONDS_MAX:
            # Nobody decides on a number of seconds.
            line += f" ({datetime.fromtimestamp(value, CHINA):%Y-%m-%d %H:%M:%S %z})"
        terminal.say(line, line)
    digest = b64u(intent_digest(content))
    terminal.say(f"Digest computed here: {digest}", f"本机计算的摘要：{digest}")


def _is_plain(value: Json) -> bool:
    return not isinstance(value, str) or value.isprintable()


def _confirm(terminal: Terminal, *, yes: bool, reject: bool) -> None:
    if yes:
        return
    if terminal.as_json:
        raise UsageError("--json does not ask: add --yes", "--json 不询问：请加 --yes")
    question = (
        terminal.choose("Reject it?", "确认驳回？")
        if reject
        else terminal.choose("Approve it?", "确认批准？")
    )
    if not typer.confirm(question):
        raise typer.Exit(1)
