"""`sealway certificate watch`: what becomes of certificates, one line each, as it happens."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from certs.files import PRIVATE
from connectors.client import HubClient, HubRefusedError
from hub.cli.session import (
    ProfileOption,
    connected,
    plain,
    resource_name,
    save,
    shown_enum,
    shown_time,
    type_name,
)
from hub.cli.terminal import Terminal, UsageError
from hub.errors import Reason
from hub.registry.v1 import feed_pb2, feed_pb2_grpc

_CURSOR_BYTES_MAX: Final = 1024
# A hub that is restarted is back within this time; every fifth second is often enough to ask.
_PAUSE_S: Final = 5.0
_AWAY_S_MAX: Final = 600.0


def watch(
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Type code; may be repeated.")
    ] = None,
    authority: Annotated[str, typer.Option(help="The authority that issued them.")] = "",
    cursor_file: Annotated[
        Path | None,
        typer.Option(
            "--cursor-file",
            metavar="FILE",
            help="Go on where this file says; moved on after each portion is printed.",
        ),
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Without a cursor: everything there ever was.")
    ] = False,
    count: Annotated[
        int, typer.Option(min=0, help="End after this many changes; 0 means never.")
    ] = 0,
    profile: ProfileOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per change and line.")
    ] = False,
) -> None:
    """Watch what you may know of: a platform its granted types, a department its own as well.

    Example: sealway certificate watch --type 11100000MB0143028R001 --cursor-file licences.cursor
    """
    request = feed_pb2.WatchChangesRequest(
        filter=feed_pb2.WatchChangesRequest.Filter(
            certificate_types=[type_name(one) for one in types or ()],
            authority=resource_name("authorities", authority) if authority else "",
        ),
        cursor=_read_cursor(cursor_file),
        start=feed_pb2.WatchChangesRequest.START_BEGINNING
        if from_start
        else feed_pb2.WatchChangesRequest.START_NOW,
    )
    printed = 0
    with connected(profile) as client:
        for portion in _portions(client, Terminal(as_json), request):
            for change in portion.changes:
                sys.stdout.write(_line(change, as_json=as_json) + "\n")
            # Printed first, then moved on: what is interrupted in between is printed again.
            sys.stdout.flush()
            if cursor_file is not None:
                save(cursor_file, portion.cursor.encode(), mode=PRIVATE)
            printed += len(portion.changes)
            if count and printed >= count:
                return


@dataclass(slots=True)
class _Away:
    """How long the hub has been away, once it was there."""

    since_s: float = 0.0

    def wait(self, refusal: HubRefusedError) -> bool:
        """Whether to come again; waits where that makes sense."""
        if refusal.reason is Reason.TOKEN_EXPIRED:
            return True
        if not refusal.is_unavailable:
            return False
        now_s = time.monotonic()
        self.since_s = self.since_s or now_s
        if now_s - self.since_s > _AWAY_S_MAX:
            return False
        time.sleep(_PAUSE_S)
        return True


def _portions(
    client: HubClient, terminal: Terminal, request: feed_pb2.WatchChangesRequest
) -> Iterator[feed_pb2.WatchChangesResponse]:
    """Portions without end: a stream that ended with its token or its hub goes on in a new one."""
    stub = feed_pb2_grpc.FeedServiceStub(client.channel)
    is_known, away = False, _Away()
    while True:
        try:
            with closing(client.watch(stub.WatchChanges, request)) as portions:
                for portion in portions:
                    is_known, away.since_s = True, 0.0
                    request.cursor = portion.cursor
                    yield portion
        except HubRefusedError as refusal:
            if refusal.is_unavailable and is_known and not away.since_s:
                terminal.say("The hub is away; trying again.", "枢纽暂时不可用，正在重试。")
            if not is_known or not away.wait(refusal):
                raise


def _read_cursor(file: Path | None) -> str:
    if file is None or not file.exists():
        return ""
    try:
        with file.open(encoding="ascii") as opened:
            return opened.read(_CURSOR_BYTES_MAX).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--cursor-file {file}: holds no cursor; name another file to begin anew",
            f"--cursor-file {file}：不含游标；如需重新开始，请另选文件",
        ) from error


def _line(change: feed_pb2.Change, *, as_json: bool) -> str:
    if as_json:
        # Escapes, so that a line is a line for every reader.
        return json.dumps(plain(change))
    parts = (
        shown_time(change.change_time),
        shown_enum(change, "kind"),
        shown_enum(change, "state"),
        change.certificate_type.removeprefix("certificateTypes/").upper(),
        change.identifier or change.identifier_digest,
        change.reference,
    )
    return "  ".join(part for part in parts if part)
