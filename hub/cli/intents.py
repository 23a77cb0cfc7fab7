"""`sealway intent`: no key is used and no officer changes before others approved it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from connectors.client import HubClient
from connectors.profile import read_bounded
from hub.cli.authenticators import approve_in_browser
from hub.cli.proposals import (
    Proposal,
    after_decision,
    after_execution,
    propose,
    proposing,
    readable,
)
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
    resource_name,
    show_list,
    show_one,
    shown_enum,
    shown_time,
    shown_value,
    type_name,
    write,
    written,
)
from hub.cli.terminal import Document, Terminal, UsageError
from hub.clock import CHINA
from hub.domain.strict_json import Json
from hub.proof.encoding import b64u, parse_object
from hub.proof.jose import Signer
from hub.proof.officers.approval import Approval, Decision, intent_digest, sign_approval
from hub.proof.officers.intent import INTENT_SIZE_MAX, SECONDS_MAX, Intent, in_words, parse_intent
from hub.proof.officers.intent_kinds import KINDS, STANDING_SEAL
from hub.proof.reasons import ProofError, ProofReason
from hub.seal.v1 import intents_pb2, intents_pb2_grpc

# Members of an intent that are seconds.
_TIMES: Final = ("not_before", "not_after", "from", "until")

IntentArgument = Annotated[str, typer.Argument(help="Id or name.")]
BrowserOption = Annotated[
    bool,
    typer.Option(
        "--browser", help="Sign with an authenticator, on a page of this command on this machine."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

app = typer.Typer(no_args_is_help=True, help="What shall be done, under dual control.")


@app.command("propose")
@proposing
def propose_intent(
    intent: Annotated[str, typer.Argument(help="Id: 3 to 63 of a-z, 0-9 and hyphen.")],
    seal: Annotated[str, typer.Option(help="authorities/{authority}/seals/{seal}")] = "",
    certificate_type: Annotated[str, typer.Option("--type", help="Type code, 21 characters.")] = "",
    uses_max: Annotated[int, typer.Option(min=1, help="How many record seals at most.")] = 1,
    manifest: Annotated[
        str, typer.Option(help="Digest of the one connector manifest allowed; else any.")
    ] = "",
    documents: Annotated[
        list[str] | None,
        typer.Option(
            "--document",
            metavar="KIND",
            help="Files that may be made of the faces too: annotated-copy, original, "
            "further-seal; repeatable.",
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="Another kind of intent; its members come from --members.")
    ] = STANDING_SEAL.name,
    members: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON object of the kind's members."),
    ] = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose: seal what this authority submits for this type, or an intent of another kind.

    As many other officers as the roster says must approve it.

    Example: sealway intent propose licences-2026 --seal authorities/hz-market/seals/main
    --type 11100000MB0143028R001 --from 2026-01-01 --until 2026-12-31 --uses-max 100000
    """
    if members is not None:
        said = parse_object(read_bounded(members, INTENT_SIZE_MAX, "members"))
    else:
        said = _standing(seal, certificate_type, manifest, documents or [])
    propose(
        kind,
        said,
        proposal,
        uses_max=uses_max,
    )


@app.command()
def approve(
    intent: IntentArgument,
    yes: YesOption = False,
    browser: BrowserOption = False,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show exactly what would be approved, then sign the approval with the officer's approval key.

    The digest is recomputed here from the bytes shown: what is signed is what was read. The
    approval holds as long as the intent. With --browser the page's button is the question;
    officers, quorum and keys of seals need one approval without.

    Example: sealway intent approve licences-2026 --profile HOME/officers/zhao/client.toml
    """
    _decide(Decision.APPROVE, intent, profile, receipt, repeat, as_json, yes=yes, browser=browser)


@app.command()
def reject(
    intent: IntentArgument,
    yes: YesOption = False,
    browser: BrowserOption = False,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an intent, then sign its rejection. One rejection ends it, approved or not.

    Example: sealway intent reject licences-2026 --profile HOME/officers/zhao/client.toml
    """
    _decide(Decision.REJECT, intent, profile, receipt, repeat, as_json, yes=yes, browser=browser)


@app.command()
def withdraw(
    intent: IntentArgument,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back an intent that you proposed and that has not been executed, approved or not.

    Example: sealway intent withdraw licences-2026
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        stub = intents_pb2_grpc.IntentServiceStub(client.channel)
        answer: intents_pb2.WithdrawIntentResponse = write(
            terminal,
            client,
            stub.WithdrawIntent,
            intents_pb2.WithdrawIntentRequest(
                request_id=request_id(repeat), name=resource_name("intents", intent)
            ),
        )
    terminal.document({**written(answer.intent, answer.receipt), **readable(answer.intent)})
    terminal.say(f"{answer.intent.name} is withdrawn.", f"{answer.intent.name} 已撤回。")
    keep_receipt(terminal, answer.receipt, receipt)


@app.command()
def execute(
    intent: IntentArgument,
    profile: ProfileOption = None,
    receipt: ReceiptOption = None,
    repeat: RequestIdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out an approved intent, once: as who proposed it or as one of those who approved it.

    Example: sealway intent execute officer-end-20260301-1f2e3d
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        stub = intents_pb2_grpc.IntentServiceStub(client.channel)
        answer: intents_pb2.ExecuteIntentResponse = write(
            terminal,
            client,
            stub.ExecuteIntent,
            intents_pb2.ExecuteIntentRequest(
                request_id=request_id(repeat), name=resource_name("intents", intent)
            ),
        )
    result: dict[str, Document] = {**parse_object(answer.result)}
    terminal.document(
        {**written(answer.intent, answer.receipt), **readable(answer.intent), "result": result}
    )
    terminal.say(f"{answer.intent.name} is carried out.", f"{answer.intent.name} 已执行。")
    for member, value in result.items():
        for number, line in enumerate(shown_value(value).splitlines()):
            text = f"    {_plainly(line)}" if number else f"  {member}: {_plainly(line)}"
            terminal.say(text, text)
    keep_receipt(terminal, answer.receipt, receipt)
    after_execution(terminal, answer.intent, result)


@app.command("list")
def list_intents(profile: ProfileOption = None, as_json: JsonOption = False) -> None:
    """List intents in the order of their creation.

    Example: sealway intent list
    """
    with connected(profile) as client:
        stub = intents_pb2_grpc.IntentServiceStub(client.channel)

        def page(token: str) -> tuple[list[intents_pb2.Intent], str]:
            answer: intents_pb2.ListIntentsResponse = client.call(
                stub.ListIntents,
                intents_pb2.ListIntentsRequest(page_size=PAGE_SIZE, page_token=token),
            )
            return list(answer.intents), answer.next_page_token

        found = all_pages(page)
    terminal = Terminal(as_json)
    show_list(
        terminal,
        "intents",
        found,
        (
            ("name", "名称"),
            ("kind", "种类"),
            ("state", "状态"),
            ("proposed by", "提出人"),
            ("approvals", "审批"),
            ("counting", "计入"),
            ("uses", "已用"),
            ("since", "提出时间"),
        ),
        [
            (
                item.name,
                item.kind,
                shown_enum(item, "state"),
                item.requester,
                ", ".join(approval.officer for approval in item.approvals),
                f"{item.counting}/{item.quorum}",
                str(item.uses),
                shown_time(item.create_time),
            )
            for item in found
        ],
    )
    for item in found:
        if item.state == intents_pb2.Intent.STATE_APPROVED and _is_short(item):
            terminal.say(
                f"{item.name}: only {item.counting} of {item.quorum} approvals count now. Have "
                "another officer approve it, or nothing can be done under it.",
                f"{item.name}：目前仅有 {item.counting} 个审批计入，须 {item.quorum} 个。"
                "请由其他安全员补充批准，否则不可使用。",
            )


@app.command()
def show(
    intent: IntentArgument,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one intent: the exact bytes that approvals cover, and the approvals.

    Example: sealway intent show licences-2026
    """
    with connected(profile) as client:
        stub = intents_pb2_grpc.IntentServiceStub(client.channel)
        answer: intents_pb2.GetIntentResponse = client.call(
            stub.GetIntent, intents_pb2.GetIntentRequest(name=resource_name("intents", intent))
        )
    show_one(Terminal(as_json), answer.intent, readable(answer.intent))


def _is_short(intent: intents_pb2.Intent) -> bool:
    """Whether an intent that is not over has lost approvals that it needs."""
    until = parse_object(intent.intent_bytes).get("not_after")
    return intent.counting < intent.quorum and isinstance(until, int) and until > time.time()


def _standing(
    seal: str, certificate_type: str, manifest: str, documents: Sequence[str]
) -> dict[str, Json]:
    if not seal or not certificate_type:
        raise UsageError(
            "name --seal and --type, or --kind with --members",
            "请写 --seal 和 --type，或 --kind 和 --members",
        )
    members: dict[str, Json] = {"seal": seal, "certificate_type": type_name(certificate_type)}
    if manifest:
        members["manifest"] = manifest
    if documents:
        members["documents"] = list(documents)
    return members


def _decide(
    decision: Decision,
    intent: str,
    profile: Path | None,
    receipt: Path | None,
    repeat: str | None,
    as_json: bool,
    *,
    yes: bool,
    browser: bool,
) -> None:
    """Show, ask, sign, send."""
    terminal = Terminal(as_json)
    name = resource_name("intents", intent)
    with connected(profile) as client:
        signer = None if browser else _signer(client)
        stub = intents_pb2_grpc.IntentServiceStub(client.channel)
        found: intents_pb2.GetIntentResponse = client.call(
            stub.GetIntent, intents_pb2.GetIntentRequest(name=name)
        )
        content = found.intent.intent_bytes
        said = _check_intent(client, found.intent)
        shown = _content(name, content, said)
        for line in shown:
            terminal.say(*line)
        if not browser:
            _confirm(terminal, yes=yes, decision=decision)
        challenge: intents_pb2.CreateApprovalChallengeResponse = client.call(
            stub.CreateApprovalChallenge, intents_pb2.CreateApprovalChallengeRequest(intent=name)
        )
        if challenge.intent_bytes != content:
            raise ProofError(ProofReason.INTENT_MISMATCH, "the hub changed it after showing it")
        approval = Approval(
            origin=client.profile.origin,
            region=client.profile.region,
            officer=client.profile.name,
            intent=intent_digest(content),
            nonce=challenge.nonce,
            decision=decision,
            not_after=said.not_after,
            key_entry=challenge.key_entry,
            iat=int(time.time()),
        )
        answer: intents_pb2.ApproveIntentResponse = write(
            terminal,
            client,
            stub.ApproveIntent,
            intents_pb2.ApproveIntentRequest(
                request_id=request_id(repeat),
                name=name,
                approval=approve_in_browser(terminal, client, approval, shown)
                if signer is None
                else sign_approval(approval, signer),
            ),
        )
    state = shown_enum(answer.intent, "state")
    terminal.document({**written(answer.intent, answer.receipt), **readable(answer.intent)})
    terminal.say(f"{name} is now: {state}.", f"{name} 当前状态：{state}。")
    keep_receipt(terminal, answer.receipt, receipt)
    after_decision(terminal, answer.intent)


def _signer(client: HubClient) -> Signer:
    """What signs with the approval key in a file."""
    if client.profile.signing_key is None:
        raise UsageError(
            "this profile names no approval key; with one in an authenticator add --browser",
            "该配置没有审批密钥；密钥在认证器中时请加 --browser",
        )
    return client.profile.signer()


def _check_intent(client: HubClient, intent: intents_pb2.Intent) -> Intent:
    """What an intent says that is this hub's and has the digest it is said to have."""
    if b64u(intent_digest(intent.intent_bytes)) != intent.digest:
        raise ProofError(ProofReason.INTENT_MISMATCH, "digest")
    said = parse_intent(intent.intent_bytes, KINDS)
    if said.origin != client.profile.origin:
        raise ProofError(ProofReason.ORIGIN_WRONG, "intent")
    if said.region != client.profile.region:
        raise ProofError(ProofReason.REGION_WRONG, "intent")
    return said


def _content(name: str, content: bytes, said: Intent) -> list[tuple[str, str]]:
    """The sentence, every member, then the digest, each in English and Chinese. An escape or an
    override in a value is shown, not obeyed."""
    lines = [
        (f"{name}: you decide on exactly this.", f"{name}：您将对以下内容作出决定。"),
        (_plainly(in_words(said, "en")), _plainly(in_words(said, "zh"))),
    ]
    for member, value in parse_object(content).items():
        line = f"  {member}: {json.dumps(value, ensure_ascii=not _is_plain(value))}"
        if member in _TIMES and isinstance(value, int) and 0 <= value <= SECONDS_MAX:
            # Nobody decides on a number of seconds.
            line += f" ({datetime.fromtimestamp(value, CHINA):%Y-%m-%d %H:%M:%S %z})"
        lines.append((line, line))
    digest = b64u(intent_digest(content))
    return [*lines, (f"Digest computed here: {digest}", f"本机计算的摘要：{digest}")]


def _plainly(sentence: str) -> str:
    """A sentence in which every character shows itself."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in sentence
    )


def _is_plain(value: Document) -> bool:
    return not isinstance(value, str) or value.isprintable()


def _confirm(terminal: Terminal, *, yes: bool, decision: Decision) -> None:
    if yes:
        return
    if terminal.as_json:
        raise UsageError("--json does not ask: add --yes", "--json 不询问：请加 --yes")
    question = (
        terminal.choose("Reject it?", "确认驳回？")
        if decision is Decision.REJECT
        else terminal.choose("Approve it?", "确认批准？")
    )
    if not typer.confirm(question):
        raise typer.Exit(1)
