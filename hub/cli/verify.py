"""`sealway verify`: is this file genuine? Offline, by the trust file alone."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text
from typer.core import TyperCommand

from hub.proof.reasons import ProofError, ReasonText, Verdict
from hub.proof.recognise import recognise
from hub.proof.report import FACT_TEXTS, REMARK_TEXTS, Fact, Report, Step
from hub.proof.run import Evidence
from hub.proof.trust import Trust, parse_trust
from hub.proof.verify import verify

app = typer.Typer()

FILE_BYTES_MAX: Final = 4_194_304
EXIT_USAGE: Final = 64
# What a hub's own head file begins with (`FileHead`): number and digest of the checkpoint below.
_HEAD_FILE: Final = re.compile(rb"[0-9]{1,20} [A-Za-z0-9_-]{43}\n")
EXIT_CODES: Final = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.CANNOT_CHECK: 2}

_MARKS: Final = {
    Verdict.VALID: ("✔", "green"),
    Verdict.INVALID: ("✘", "red"),
    Verdict.CANNOT_CHECK: ("?", "yellow"),
}
_VERDICTS: Final = {
    Verdict.VALID: ReasonText("VALID", "验证通过"),
    Verdict.INVALID: ReasonText("INVALID", "验证不通过"),
    Verdict.CANNOT_CHECK: ReasonText("CANNOT CHECK", "无法验证"),
}
_NEXT: Final = {
    Verdict.VALID: ReasonText(
        "Keep the file; it can be verified again at any time.", "请保存该文件，可随时再次验证。"
    ),
    Verdict.INVALID: ReasonText(
        "Do not rely on this file. Keep it as it is and give it, with this report, to the hub's"
        " operator.",
        "请勿采信该文件。请原样保存，并连同本报告交给枢纽运营方。",
    ),
    Verdict.CANNOT_CHECK: ReasonText(
        "Neither genuine nor false so far. Supply what the steps marked ? ask for, and verify"
        " again.",
        "目前无法判定真伪。请补充标有 ? 的步骤所需的材料后重新验证。",
    ),
}


class VerifyCommand(TyperCommand):
    """Ends in 64 for wrong usage: 2, which the command line gives otherwise, means a verdict."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """As inherited."""
        with _wrong_usage():
            return super().make_context(*args, **kwargs)

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """As inherited."""
        with _wrong_usage():
            return super().invoke(*args, **kwargs)


@app.command("verify", cls=VerifyCommand)
def verify_command(
    file: Annotated[
        Path,
        typer.Argument(
            help="Record seal, presentation, receipt, answer of a fetch, a plan or a verification,"
            " checkpoint or status list."
        ),
    ],
    trust: Annotated[
        Path | None, typer.Option(help="Trust file of the hub (sealway init writes trust.json).")
    ] = None,
    request: Annotated[
        list[Path] | None, typer.Option(help="A request sent under this id; repeatable.")
    ] = None,
    answer: Annotated[
        Path | None, typer.Option(help="The answer file that a bare receipt belongs to.")
    ] = None,
    as_system: Annotated[
        str | None, typer.Option("--as", metavar="SYSTEM", help="My system id.")
    ] = None,
    status: Annotated[
        list[Path] | None, typer.Option(help="A current status list token; repeatable.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Verify as of this time (ISO 8601 or seconds)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the full report as JSON.")] = False,
) -> None:
    """Verify FILE offline. 离线验证文件。

    Exit code: 0 valid, 1 invalid, 2 cannot check, 64 wrong usage.

    Example: sealway verify answer.json --request answer.json.request.jws --as systems/window-1
    --trust trust.json
    """
    data = _read(file)
    if _HEAD_FILE.match(data):
        raise typer.BadParameter(
            f"{file.name} is a hub's own head, two checkpoints in turn; verify what `sealway log"
            f" checkpoint --out FILE` stores / {file.name} 是枢纽自用的日志头文件；请验证"
            " sealway log checkpoint --out FILE 保存的检查点"
        )
    kind = recognise(data)
    if kind is None:
        raise typer.BadParameter(
            f"{file.name} is none of: record seal, presentation, receipt, answer, plan,"
            f" verification, checkpoint, status list token / 无法识别 {file.name} 的格式"
        )
    evidence = Evidence(
        now=_clock(at),
        requests=tuple(_read_text(path) for path in request or ()),
        system=as_system,
        answer=None if answer is None else _read(answer),
        status_tokens=tuple(_read_text(path) for path in status or ()),
    )
    report = verify(data, kind, _trust(trust), evidence)
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that knows no Chinese shows escapes, not a stack trace.
        sys.stdout.reconfigure(errors="backslashreplace")
    if as_json:
        json.dump(report.to_json(), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        _print(report, file)
    raise typer.Exit(EXIT_CODES[report.verdict])


@contextmanager
def _wrong_usage() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        error.exit_code = EXIT_USAGE
        raise


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise typer.BadParameter(
            f"{path} cannot be read ({error.strerror}) / 无法读取 {path}"
        ) from error
    if len(data) > FILE_BYTES_MAX:
        raise typer.BadParameter(f"{path} is larger than {FILE_BYTES_MAX} bytes / {path} 过大")
    return data


def _read_text(path: Path) -> str:
    try:
        return _read(path).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{path} is not a compact JWS / {path} 不是 JWS 文本") from error


def _trust(path: Path | None) -> Trust | None:
    if path is None:
        return None
    try:
        return parse_trust(_read(path))
    except ProofError as error:
        raise typer.BadParameter(
            f"{path} is not a trust file ({error.detail}) / 信任文件 {path} 无效"
        ) from error


def _clock(text: str | None) -> int:
    if text is None:
        return int(time.time())
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--at {text!r} is not a time / 时间格式无效") from error
    if moment.tzinfo is None:
        raise typer.BadParameter(f"--at {text!r} names no time zone / 时间缺少时区")
    return int(moment.timestamp())


def _print(report: Report, file: Path) -> None:
    console = Console(soft_wrap=True)
    console.print(Text(f"{file.name}: {report.kind.value}", style="bold"))
    for step in report.steps:
        console.print(_step_line(step))
    rows = [_fact_cells(fact) for fact in report.facts]
    width = max((cell_len(label) for label, _ in rows), default=0)
    for label, value in rows:
        # Never folded: identifiers and roots are there to be copied.
        console.print(Text(f"  {set_cell_size(label, width)}  {value}"))
    for remark in report.remarks:
        text = REMARK_TEXTS[remark]
        console.print(Text(f"! {text.en} {text.zh}", style="yellow"))
    advice, verdict = _NEXT[report.verdict], _VERDICTS[report.verdict]
    reason = "" if report.reason is None else f" ({report.reason.value})"
    console.print(Text(f"{advice.en} {advice.zh}"))
    mark, colour = _MARKS[report.verdict]
    console.print(Text(f"{mark} {verdict.en} {verdict.zh}{reason}", style=f"bold {colour}"))


def _step_line(step: Step) -> Text:
    mark, colour = _MARKS[step.verdict]
    which = "" if step.part is None else f" [{step.part}]"
    line = Text(f"{mark} ", style=colour)
    line.append(f"{step.number}.{which} {step.title.en} · {step.title.zh}", style="default")
    if step.reason is not None and step.outcome is not None:
        detail = f" ({_printable(step.detail)})" if step.detail else ""
        outcome = f"{step.outcome.en} {step.outcome.zh}"
        line.append(f"\n     {step.reason.value}{detail}: {outcome}", style=colour)
    return line


def _fact_cells(fact: Fact) -> tuple[str, str]:
    text = FACT_TEXTS[fact.name]
    which = "" if fact.part is None else f"[{fact.part}] "
    value = ", ".join(fact.value) if isinstance(fact.value, tuple) else str(fact.value)
    return f"{which}{text.en} {text.zh}", _printable(value)


def _printable(text: str) -> str:
    """`text` with control and direction characters as escapes: it comes from others."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
