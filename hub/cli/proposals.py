"""What the commands that propose an intent share: how it is named, how long it holds, what next."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer

from hub.cli.session import (
    JsonOption,
    ProfileOption,
    ReceiptOption,
    RequestIdOption,
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
from hub.proof.encoding import Json
from hub.proof.officers.intent import in_words, parse_intent
from hub.proof.officers.intent_kinds import KINDS, ROSTER_KINDS
from hub.proof.officers.seal_kinds import (
    KEY_ACTIVATE,
    KEY_COMPROMISE,
    KEY_GENERATE,
    KEY_RESEAL,
    KEY_RETIRE,
    KEY_ROTATE,
    SEAL_APPLY,
    SEAL_IMPORT,
    SEAL_MAKE,
    SEAL_RENEW,
)
from hub.seal.v1 import intents_pb2, intents_pb2_grpc

IntentIdOption = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="ID",
        help="Id of the intent; otherwise made up.",
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
        help="To be executed by this day or moment; otherwise within 7 days.",
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


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is said of every intent beside what it is about: the options of whatever proposes."""

    intent: IntentIdOption = None
    start: FromOption = None
    until: UntilOption = None
    replaces: ReplacesOption = None
    profile: ProfileOption = None
    receipt: ReceiptOption = None
    repeat: RequestIdOption = None
    as_json: JsonOption = False

    @property
    def terminal(self) -> Terminal:
        """Where the answer goes."""
        return Terminal(self.as_json)


def proposing(function: Callable[..., None]) -> Callable[..., None]:
    """`function(…, proposal)` as a command that has its own options and those of every proposal.

    Typer reads options from the signature: there, the fields of `Proposal` stand for `proposal`. An
    option of its own of the same name stands for the field's.
    """
    signature = inspect.signature(function, eval_str=True)
    own = {name: one for name, one in signature.parameters.items() if name != "proposal"}
    shared = inspect.signature(Proposal, eval_str=True).parameters
    both = own | {name: one for name, one in shared.items() if name not in own}
    options = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in both.values()]

    @functools.wraps(function)
    def command(**given: Any) -> None:
        proposal = Proposal(**{name: given[name] for name in shared})
        function(**{name: given[name] for name in own}, proposal=proposal)

    command.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in options}
    return command


def propose(
    kind: str, members: Mapping[str, Json], proposal: Proposal, *, uses_max: int = 1
) -> None:
    """Propose an intent, show what it says in words, and say who must decide on it next."""
    terminal, identifier = proposal.terminal, request_id(proposal.repeat)
    # A repetition under its id says the same: nothing here comes from the clock or from chance.
    request = intents_pb2.ProposeIntentRequest(
        request_id=identifier,
        intent_id=proposal.intent or f"{kind.replace('.', '-')}-{identifier[:8]}",
        kind=kind,
        members=json.dumps(members, ensure_ascii=False).encode(),
        start_time=moment(proposal.start, option="--from") if proposal.start else None,
        expire_time=moment(proposal.until, option="--until", end_of_day=True)
        if proposal.until
        else None,
        uses_max=uses_max,
        replaces=resource_name("intents", proposal.replaces) if proposal.replaces else "",
    )
    with connected(proposal.profile) as client:
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
    keep_receipt(terminal, answer.receipt, proposal.receipt)
    after_decision(terminal, made)


def after_decision(terminal: Terminal, intent: intents_pb2.Intent) -> None:
    """What usually follows in the intent's state."""
    short = intent.name.removeprefix("intents/")
    if intent.state == intents_pb2.Intent.STATE_PROPOSED:
        left = intent.quorum - intent.counting
        who = (
            terminal.choose(
                f"{left} more officers other than the proposer",
                f"还需提出人以外的 {left} 名安全员",
            )
            if left > 0
            else terminal.choose(
                "one officer more, who does not use --browser",
                "还需一名不使用 --browser 的安全员",
            )
        )
        next_step(
            terminal,
            f"sealway intent approve {short} --profile HOME/officers/OFFICER/client.toml ({who})",
        )
    elif intent.state == intents_pb2.Intent.STATE_APPROVED:
        kind = KINDS.get(intent.kind)
        if intent.kind == KEY_RESEAL.name:
            command = f"sealway seal reseal {short}"
        elif kind is not None and kind.is_standing:
            command = "sealway connect run connector.yaml"
        else:
            command = f"sealway intent execute {short}"
        next_step(terminal, command)


def after_execution(
    terminal: Terminal, intent: intents_pb2.Intent, result: Mapping[str, Document]
) -> None:
    """What usually follows what was done, with the names that the intent or its result has."""
    command = _AFTER.get(intent.kind)
    if command is None:
        return
    said = parse_intent(intent.intent_bytes, KINDS)
    keys = said.members.get("keys")
    if isinstance(keys, list) and any(
        isinstance(key, dict) and key["use"] == "ofd" for key in keys
    ):
        command += " --picture seal.png"
    next_step(terminal, command.format_map({**said.members, **result}))


_AFTER: Final[Mapping[str, str]] = MappingProxyType(
    {
        SEAL_APPLY.name: "sealway seal make {seal} --pki HOME/pki",
        SEAL_MAKE.name: "sealway intent propose INTENT --seal {seal} --type TYPE --uses-max COUNT",
        SEAL_RENEW.name: "sealway seal show {seal}",
        SEAL_IMPORT.name: "sealway seal show {seal}",
        KEY_GENERATE.name: "sealway key activate {key} --pki HOME/pki",
        KEY_ACTIVATE.name: "sealway key show {key}",
        KEY_ROTATE.name: "sealway key show {key}",
        KEY_RETIRE.name: "sealway key destroy {key} --cause TEXT",
        KEY_COMPROMISE.name: "sealway key reseal {key}",
        **{kind.name: "sealway quorum show" for kind in ROSTER_KINDS},
    }
)


def readable(intent: intents_pb2.Intent) -> dict[str, Document]:
    """The intent's bytes as text: they are JSON, and base64 shows nobody anything."""
    return {"intent_bytes": intent.intent_bytes.decode("utf-8", "replace")}
