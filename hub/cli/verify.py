"""`sealway verify`: is this file genuine? Offline, by the trust file alone."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from datetime import time as clock_time
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cryptography import x509
from typer.core import TyperCommand

from hub.cli.report_text import LANGUAGES, print_report, print_shown
from hub.clock import CHINA
from hub.domain.qr_text import SCHEME
from hub.proof.faces.code_picture import is_picture
from hub.proof.jose import Algorithm
from hub.proof.log.receipt import parse_receipt
from hub.proof.reasons import ProofError, Verdict
from hub.proof.recognise import recognise
from hub.proof.reports.report import Kind, Report
from hub.proof.reports.report_json import report_to_json
from hub.proof.reports.shown import Shown
from hub.proof.reports.summary import KIND_TEXTS
from hub.proof.run import Evidence
from hub.proof.trust import Trust, parse_trust
from hub.proof.verify import SELF_CONTAINED, idle_evidence, verify
from hub.proof.worker import FILE_BYTES_MAX, Verifiers

app = typer.Typer()

EXIT_USAGE: Final = 64
_STANDARD_INPUT: Final = "-"
# What a hub's own head file begins with (`FileHead`): number and digest of the checkpoint below.
_HEAD_FILE: Final = re.compile(rb"[0-9]{1,20} [A-Za-z0-9_-]{43}\n")
# How the parts of the evidence are called here.
_OPTIONS: Final = {
    "requests": "--request",
    "answer": "--answer",
    "status_tokens": "--status",
    "crls": "--crl",
    "receipt": "--receipt",
    "record": "--record",
    "twin": "--twin",
    "required": "--require",
}
EXIT_CODES: Final = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.CANNOT_CHECK: 2}


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
        str,
        typer.Argument(
            help="Record seal, presentation, receipt, answer of a fetch, a plan or a verification,"
            " checkpoint or status list; sealed OFD or PDF, electronic seal (.esl) or signature"
            " under one (SignedValue.dat); code on a face as PNG, JPEG or text, which may stand"
            " here itself (SEALWAY:2:…); - for standard input."
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
    twin: Annotated[
        Path | None, typer.Option(help="The other twin of FILE, a record sealed with SM2 too.")
    ] = None,
    require: Annotated[
        str | None,
        typer.Option(metavar="ES256|SM2", help="A record must be sealed with this algorithm."),
    ] = None,
    as_system: Annotated[
        str | None, typer.Option("--as", metavar="SYSTEM", help="My system id.")
    ] = None,
    status: Annotated[
        list[Path] | None, typer.Option(help="A current status list token; repeatable.")
    ] = None,
    crl: Annotated[
        list[Path] | None,
        typer.Option(
            help="Revocation list (X.509, DER) of an authority of signers or seal-makers;"
            " repeatable."
        ),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            help="Receipt of the log about FILE itself: proves when a document existed. Of an"
            " answer: a later one of its entry, with the time stamps since."
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Record seal or presentation that the face in FILE must agree with."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            "--at",
            metavar="TIME",
            help="Verify as of this day, time (ISO 8601) or second instead of now.",
        ),
    ] = None,
    simple: Annotated[
        bool, typer.Option("--simple", help="One paragraph instead of every step.")
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show",
            help="Show the seal's picture and the text of the first page, which prove nothing.",
        ),
    ] = False,
    lang: Annotated[
        str | None,
        typer.Option("--lang", metavar="zh|en", help="Language of the report; otherwise both."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the full report as JSON.")] = False,
) -> None:
    """Verify FILE offline. 离线验证文件。

    Exit code: 0 valid, 1 invalid, 2 cannot check, 64 wrong usage.

    Example: sealway verify answer.json --request answer.json.request.jws --as systems/window-1
    --trust trust.json
    """
    if lang not in (None, *LANGUAGES):
        raise typer.BadParameter(f"--lang {lang}: write zh or en / --lang {lang}：应为 zh 或 en")
    if require not in (None, *Algorithm.__members__):
        raise typer.BadParameter(
            f"--require {require}: write ES256 or SM2 / --require {require}：应为 ES256 或 SM2"
        )
    name, data = _given(file)
    if _HEAD_FILE.match(data):
        raise typer.BadParameter(
            f"{name} is a hub's own head, two checkpoints in turn; verify what `sealway log"
            f" checkpoint --out FILE` stores / {name} 是枢纽自用的日志头文件；请验证"
            " sealway log checkpoint --out FILE 保存的检查点"
        )
    kind = recognise(data)
    if kind is None:
        raise typer.BadParameter(
            f"{name} is none of: record seal, presentation, receipt, answer, plan,"
            " verification, checkpoint, status list token, OFD, PDF, electronic seal, signature"
            f" under a seal, code on a face / 无法识别 {name} 的格式"
        )
    evidence = Evidence(
        now=_clock(at),
        requests=tuple(_read_text(path) for path in request or ()),
        system=as_system,
        answer=None if answer is None else _read(answer),
        status_tokens=tuple(_read_text(path) for path in status or ()),
        crls=tuple(map(_list, crl or ())),
        receipt=None if receipt is None else _receipt(receipt),
        record=None if record is None else _read(record),
        as_of=at is not None,
        twin=None if twin is None else _read_text(twin),
        required=None if require is None else Algorithm[require],
    )
    idle = idle_evidence(kind, evidence)
    if idle is not None:
        kind_texts, option = KIND_TEXTS[kind], _OPTIONS[idle]
        raise typer.BadParameter(
            f"{option} has nothing to be compared with in {name}, which is of the kind"
            f" {kind_texts.en!r} / {option} 不适用于{kind_texts.zh}"
        )
    report, shown = _judged(data, kind, _trust(trust), evidence, show=show and not as_json)
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that knows no Chinese shows escapes, not a stack trace.
        sys.stdout.reconfigure(errors="backslashreplace")
    languages = (lang,) if lang else LANGUAGES
    if as_json:
        json.dump(report_to_json(report), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        if shown is not None:
            print_shown(shown, languages)
        print_report(report, name, languages, simple=simple)
    raise typer.Exit(EXIT_CODES[report.verdict])


@contextmanager
def _wrong_usage() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        error.exit_code = EXIT_USAGE
        raise


def _judged(
    data: bytes, kind: Kind, trust: Trust | None, evidence: Evidence, *, show: bool
) -> tuple[Report, Shown | None]:
    """The report, and what can be shown; strangers' bytes are read where they can be killed."""
    if kind not in SELF_CONTAINED and not is_picture(data):
        return verify(data, kind, trust, evidence), None
    verifiers = Verifiers()
    try:
        report = verifiers.verify(data, trust, evidence)
        assert report is not None  # Recognised before.
        return report, verifiers.show(data) if show else None
    finally:
        verifiers.close()


def _given(argument: str) -> tuple[str, bytes]:
    """What to call it, and its bytes: the argument itself, standard input or a file."""
    if argument.startswith(SCHEME):
        return "code", argument.encode()
    if argument == _STANDARD_INPUT:
        data = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise typer.BadParameter(f"more than {FILE_BYTES_MAX} bytes came / 输入过大")
        return "standard input", data
    path = Path(argument)
    return path.name, _read(path)


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


def _list(path: Path) -> bytes:
    """What is no list at all was not meant: no verdict hangs on it."""
    data = _read(path)
    try:
        x509.load_der_x509_crl(data)
    except ValueError as error:
        raise typer.BadParameter(
            f"{path} is no revocation list in DER / {path} 不是 DER 格式的吊销列表"
        ) from error
    return data


def _receipt(path: Path) -> bytes:
    """As `_list`; a forged one is the verifier's to find."""
    data = _read(path)
    try:
        parse_receipt(data)
    except ProofError as error:
        raise typer.BadParameter(f"{path} is no receipt / {path} 不是回执") from error
    return data


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
    """In seconds; a day means its beginning in China, as with every other command."""
    if text is None:
        return int(time.time())
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    try:
        if len(text) == len("2026-01-01"):
            return int(datetime.combine(date.fromisoformat(text), clock_time(), CHINA).timestamp())
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_time(text) from error
    if moment.tzinfo is None:
        raise _no_time(text)
    return int(moment.timestamp())


def _no_time(text: str) -> typer.BadParameter:
    example = "2026-01-31T08:00:00+08:00"
    return typer.BadParameter(
        f"--as-of {text!r}: write a day, 2026-01-31, a time with its zone, {example}, or seconds"
        f" / --as-of {text!r}：请写日期（2026-01-31）、带时区的时间（{example}）或秒数"
    )
