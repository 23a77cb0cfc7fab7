"""Instructions per request in the real server, counted by callgrind: the figure without noise.

Under valgrind the server is some fifty times slower while windows of time stay what they are. So
the epoch's window is made so long, and so many requests are kept in flight, that epochs are exactly
as full as they were measured to be in reality. Two portions of different size are counted; their
difference has no handshakes, warm-up or start in it. Waiting, cache misses and the kernel's share
are not seen.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench import goals, stage
from tests.bench.figures import spread
from tests.bench.processes import Server, echo_server
from tests.bench.session import Result, Segment, Session

_WINDOW_MS: Final = 400
_SMALL: Final = 60
_SECONDS: Final = 90.0
_CONTROL_TIMEOUT_S: Final = 120


def instructions(session: Session, hub: stage.RunningHub) -> Result:
    """Instructions of a fetch ÷ those of an echo; also those of yardstick B."""
    result = Result("instructions")
    if shutil.which("valgrind") is None or shutil.which("callgrind_control") is None:
        result.skipped = "no valgrind"
        return result
    real = session.fetch("fetch", hub)
    in_flight = max(1, round(real.epoch_mean))
    slow = dataclasses.replace(
        session, effort=dataclasses.replace(session.effort, seconds=_SECONDS)
    )
    counts: dict[str, float] = {}
    for kind in ("A", "B"):
        folder = _folder(session, kind)
        with echo_server(
            folder,
            kind.lower(),
            answer_bytes=session.answer_bytes,
            tls=session.stage.server_tls(),
            signer=session.stage.signing_public_key,
            interpreter=_interpreter(folder),
        ) as (server, address):
            slow.echoes = {kind: (server, address)}

            def echo(requests: int, kind: str = kind) -> Segment:
                return slow.echo(
                    kind, hub, requests_max=requests, in_flight=in_flight, connections=1
                )

            counts[kind] = _count(server, folder, session, echo)
    folder = _folder(session, "fetch")
    with stage.serving(
        session.stage,
        "counted",
        ledger={"window_ms": _WINDOW_MS, "heartbeat_s": 3600},
        interpreter=_interpreter(folder),
    ) as counted:
        segments: list[Segment] = []

        def drive(requests: int) -> Segment:
            segment = slow.fetch(
                "fetch", counted, requests_max=requests, in_flight=in_flight, connections=1
            )
            segments.append(segment)
            return segment

        counts["fetch"] = _count(counted.server, folder, session, drive)
    for name, count in counts.items():
        result.figures[f"{name} kIr per request"] = count / 1000
    result.figures["entries per epoch in reality"] = real.epoch_mean
    result.figures["entries per epoch when counted"] = spread(
        [segment.epoch_mean for segment in segments]
    ).median
    result.ratio("fetch ÷ A", [counts["fetch"] / counts["A"]], goals.INSTRUCTIONS)
    result.ratio("fetch ÷ B", [counts["fetch"] / counts["B"]])
    return result


def _folder(session: Session, name: str) -> Path:
    folder = session.folder / f"callgrind-{name}"
    folder.mkdir()
    return folder


def _interpreter(folder: Path) -> tuple[str, ...]:
    return (
        "valgrind",
        "--quiet",
        "--tool=callgrind",
        "--instr-atstart=no",
        "--fair-sched=yes",
        f"--callgrind-out-file={folder / 'out'}",
        sys.executable,
    )


def _count(
    server: Server, folder: Path, session: Session, drive: Callable[[int], Segment]
) -> float:
    """Instructions per request: the slope between a small and a large portion."""
    _checked(drive(_SMALL))
    _control(server, "--instr=on")
    totals = []
    for number, requests in enumerate((_SMALL, _SMALL + session.effort.callgrind_requests), 1):
        _control(server, "--zero")
        _checked(drive(requests))
        _control(server, "--dump")
        totals.append(_total(folder / f"out.{number}"))
    return (totals[1] - totals[0]) / session.effort.callgrind_requests


def _checked(segment: Segment) -> None:
    if segment.outcome.failures:
        raise RuntimeError(f"wrong answers under callgrind: {segment.outcome.first_failure}")


def _control(server: Server, option: str) -> None:
    subprocess.run(
        ["callgrind_control", option, str(server.process.pid)],
        check=True,
        capture_output=True,
        timeout=_CONTROL_TIMEOUT_S,
    )


def _total(dump: Path) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", dump.read_text(errors="replace"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"callgrind wrote no totals into {dump.name}")
    return int(found.group(1))
