"""`sealway quorum`: how many officers approve an intent, and the roster that says so."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from connectors.client import HubClient
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.cli.proposals import (
    Proposal,
    propose,
    proposing,
)
from hub.cli.session import JsonOption, ProfileOption, connected
from hub.cli.terminal import Terminal, UsageError
from hub.clock import CHINA
from hub.domain.strict_json import Json
from hub.proof.encoding import parse_object
from hub.proof.officers.intent import QUORUM_MAX, QUORUM_MIN
from hub.proof.officers.intent_kinds import KINDS, QUORUM_CHANGE
from hub.proof.officers.roster import Roster, parse_roster
from hub.proof.officers.roster_changes import Link, begin, follow
from hub.proof.reasons import ProofError, ProofReason

app = typer.Typer(no_args_is_help=True, help="How many officers approve an intent.")


@app.command()
def show(
    number: Annotated[
        int | None, typer.Option(min=0, help="An earlier roster; otherwise the newest.")
    ] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the roster: quorum by kind of intent, officers, absences, and what carried it.

    Example: sealway quorum show
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        roster, found = _roster(client, number)
    terminal.document(
        {
            "number": roster.number,
            "digest": roster.digest,
            "roster": parse_object(found.statement),
            "statement": found.statement.decode(),
            "intent_bytes": found.intent_bytes.decode("utf-8", "replace"),
            "approvals": list(found.approvals),
            "entry": found.entry,
        }
    )
    terminal.say(
        f"Roster number {roster.number}, log entry {found.entry}, digest {roster.digest}.",
        f"第 {roster.number} 号名册，日志条目 {found.entry}，摘要 {roster.digest}。",
    )
    terminal.table(
        (("kind of intent", "意图种类"), ("approvals", "须批准人数")),
        [(kind, str(roster.quorum.of(kind))) for kind in KINDS],
    )
    terminal.table(
        (("officer", "安全员"), ("standby", "候补"), ("since", "任职自"), ("absences", "缺席")),
        [
            (
                one.name,
                terminal.choose("yes", "是") if one.is_standby else "",
                _day(one.since),
                ", ".join(
                    f"{_day(away.start)} – {_day(away.until)} {away.substitute}".rstrip()
                    for away in one.absences
                ),
            )
            for one in roster.officers.values()
        ],
    )


@app.command()
@proposing
def change(
    default: Annotated[
        int,
        typer.Option(
            min=QUORUM_MIN,
            max=QUORUM_MAX,
            help="Officers besides the requester, for kinds not named.",
        ),
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND=N", help="Another number for a kind; repeat."),
    ] = None,
    *,
    proposal: Proposal,
) -> None:
    """Propose another quorum; as many as the present one demands must approve it.

    A higher number counts for intents that are approved already: standing ones may need more
    approvals. A lower one does not help an intent that was proposed before.

    Example: sealway quorum change --default 2 --kind authority.reorganize=3
    """
    members: dict[str, Json] = {"default": default}
    kinds: list[Json] = []
    for text in kind or ():
        name, _, wanted = text.partition("=")
        if name not in KINDS or not wanted.isdecimal():
            raise UsageError(
                f"--kind {text}: write KIND=N, with one of {', '.join(KINDS)}",
                f"--kind {text}：应为“种类=人数”，种类为 {', '.join(KINDS)} 之一",
            )
        kinds.append({"kind": name, "approvals": int(wanted)})
    if kinds:
        members["kinds"] = kinds
    propose(
        QUORUM_CHANGE.name,
        members,
        proposal,
    )


@app.command()
def verify(
    pin: Annotated[
        str, typer.Option(help="Digest of roster number 0, as somebody kept it outside the hub.")
    ] = "",
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow the chain of rosters from number 0: each change by an intent that the officers before
    it approved. Nothing that the hub says is believed but number 0; pin its digest.

    Example: sealway quorum verify --pin 0KHzeHgnyvhaAjHDJ9XeKi4iv5Is3ElWCRTOhDJtYV8
    """
    terminal = Terminal(as_json)
    with connected(profile) as client:
        newest, _ = newest_roster(client)
        links = []
        for number in range(newest.number + 1):
            _, found = _roster(client, number)
            links.append(Link(found.statement, found.intent_bytes, tuple(found.approvals)))
        first = parse_roster(links[0].statement)
        chain = begin(links[0].statement, pin or first.digest)
        for link in links[1:]:
            chain = follow(chain, link, KINDS)
    roster = chain.roster
    if (roster.origin, roster.region) != (client.profile.origin, client.profile.region):
        raise ProofError(ProofReason.ORIGIN_WRONG, "roster")
    terminal.document(
        {
            "first": first.digest,
            "pinned": bool(pin),
            "number": roster.number,
            "digest": roster.digest,
        }
    )
    terminal.say(
        f"Rosters 0 to {roster.number} follow from one another; the newest is {roster.digest}.",
        f"第 0 至 {roster.number} 号名册逐一相承；最新名册摘要 {roster.digest}。",
    )
    if not pin:
        terminal.say(
            f"Number 0 was taken as the hub shows it. Keep its digest and pin it: {first.digest}",
            f"第 0 号名册按枢纽所示采用。请留存其摘要并用 --pin 指定：{first.digest}",
        )


def newest_roster(client: HubClient) -> tuple[Roster, access_pb2.Roster]:
    """The newest roster as the hub shows it, and what proves it."""
    return _roster(client, None)


def _roster(client: HubClient, number: int | None) -> tuple[Roster, access_pb2.Roster]:
    stub = access_pb2_grpc.AccessServiceStub(client.channel)
    answer: access_pb2.GetRosterResponse = client.call(
        stub.GetRoster, access_pb2.GetRosterRequest(number=number)
    )
    roster = parse_roster(answer.roster.statement)
    if roster.digest != answer.roster.digest:
        raise ProofError(ProofReason.ROSTER_INVALID, "digest")
    return roster, answer.roster


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, CHINA):%Y-%m-%d %H:%M}"
