"""What the commands that propose an intent share: how it is named, how long it holds, what next."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from hub.cli.session import (
    connected,
    keep_receipt,
    moment,
    next_step,
    request_id,
    resource_name,
    write,
    written,
)
from hub.cli.terminal import Document, Terminal
from hub.clock import CHINA
from hub.proof.encoding import Json
from hub.proof.intent import in_words, parse_intent
from hub.proof.intent_kinds import KINDS
from hub.seal.v1 import intents_pb2, intents_pb2_grpc

PROPOSAL_DAYS: Final = 7

IntentIdOption = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="ID",
        help="Id of the intent; otherwise made from kind and day.",
        rich_help_panel="Intent",
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DAY",
        help="Not before this day or moment; otherwise now.",
        rich_help_panel="Intent",
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="DAY",
        help=f"To be executed by this day or moment; otherwise within {PROPOSAL_DAYS} days.",
        rich_help_panel="Intent",
    ),
]
ReplacesOption = Annotated[
    str | None,
    typer.Option(
        "--replaces",
        metavar="INTENT",
        help="An intent of yours that this one takes the place of; its approvals end.",
        rich_help_panel="Intent",
    ),
]


def propose(
    terminal: Terminal,
    kind: str,
    members: Mapping[str, Json],
    *,
    intent: str | None,
    start: str | None,
    until: str | None,
    uses_max: int = 1,
    replaces: str | None = None,
    profile: Path | None,
    receipt: Path | None,
    repeat: str | None,
) -> None:
    """Propose an intent, show what it says in words, and say who must decide on it next."""
    now = int(time.time())
    name = intent or f"{kind.replace('.', '-')}-{_day(now)}-{secrets.token_hex(3)}"
    request = intents_pb2.ProposeIntentRequest(
        request_id=request_id(repeat),
        intent_id=name,
        kind=kind,
        members=json.dumps(members, ensure_ascii=False).encode(),
        start_time=moment(start, option="--from") if start else Timestamp(seconds=now),
        expire_time=moment(until, option="--until", end_of_day=True)
        if until
        else Timestamp(seconds=now + PROPOSAL_DAYS * 86_400),
        uses_max=uses_max,
        replaces=resource_name("intents", replaces) if replaces else "",
    )
    with connected(profile) as client:
        stub = intents_pb2_grpc.IntentServiceStub(client.channel)
        answer: intents_pb2.ProposeIntentResponse = write(
            terminal, client, stub.ProposeIntent, request
        )
    terminal.document({**written(answer.intent, answer.receipt), **readable(answer.intent)})
    made = answer.intent
    terminal.say(
        f"Proposed {made.name}, digest {made.digest}.",
        f"已提出 {made.name}，摘要 {made.digest}。",
    )
    said = parse_intent(made.intent_bytes, KINDS)
    terminal.say(in_words(said, "en"), in_words(said, "zh"))
    keep_receipt(terminal, answer.receipt, receipt)
    after_decision(terminal, made)


def after_decision(terminal: Terminal, intent: intents_pb2.Intent) -> None:
    """What usually follows in the intent's state."""
    short = intent.name.removeprefix("intents/")
    if intent.state == intents_pb2.Intent.STATE_PROPOSED:
        given = sum(
            one.decision == intents_pb2.Approval.DECISION_APPROVED for one in intent.approvals
        )
        left = max(1, intent.quorum - given)
        who = terminal.choose(
            f"{left} more officers other than the proposer",
            f"还需提出人以外的 {left} 名安全员",
        )
        next_step(
            terminal,
            f"sealway intent approve {short} --profile HOME/officers/OFFICER/client.toml ({who})",
        )
    elif intent.state == intents_pb2.Intent.STATE_APPROVED:
        kind = KINDS.get(intent.kind)
        standing = kind is not None and kind.is_standing
        next_step(
            terminal,
            "sealway connect run connector.yaml" if standing else f"sealway intent execute {short}",
        )


def readable(intent: intents_pb2.Intent) -> dict[str, Document]:
    """The intent's bytes as text: they are JSON, and base64 shows nobody anything."""
    return {"intent_bytes": intent.intent_bytes.decode("utf-8", "replace")}


def _day(now: int) -> str:
    return f"{datetime.fromtimestamp(now, CHINA):%Y%m%d}"
