"""What a person or a program sees: texts in their language, tables, or one JSON document.

Exit codes, the same for every command unless its help says otherwise: 0 done · 1 refused, invalid
or findings · 2 cannot check · 7 hub, database or store unavailable, the same call may be repeated ·
64 usage · 130 interrupted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from connectors.client import HubRefusedError
from hub.errors import HubError, Reason
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, Verdict

Document: TypeAlias = (
    "bool | int | float | str | Sequence[Document] | Mapping[str, Document] | None"
)

LANGUAGE: Final[ContextVar[str]] = ContextVar("language", default="en")
"""Language of texts for people, "en" or "zh"; set once, before a command runs."""


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    REFUSED = 1
    CANNOT_CHECK = 2
    UNAVAILABLE = 7
    USAGE = 64
    INTERRUPTED = 130


# What a command that opens data itself finds away; the same command may be repeated.
_AWAY: Final = frozenset(
    {Reason.DATABASE_UNAVAILABLE, Reason.BLOBS_UNAVAILABLE, Reason.LOG_UNAVAILABLE}
)


class UsageError(Exception):
    """The command line is wrong by itself: what, which rule, what to write instead.

    `see` is the command whose help says more.
    """

    def __init__(self, en: str, zh: str, *, see: str = "sealway") -> None:
        self.en = en
        self.zh = zh
        self.see = see
        super().__init__(en)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command speaks. With `as_json` only `document` writes to standard output."""

    as_json: bool

    @property
    def language(self) -> str:
        """Language of texts for people."""
        return LANGUAGE.get()

    def choose(self, en: str, zh: str) -> str:
        """The text in the person's language."""
        return zh if self.language == "zh" else en

    def say(self, en: str, zh: str) -> None:
        """A line for people; to standard error where the output is a document."""
        text = self.choose(en, zh)
        _console(stderr=self.as_json).print(text, markup=False, highlight=False, soft_wrap=True)

    def document(self, value: Document) -> None:
        """The one JSON document of this run; nothing where people read."""
        if self.as_json:
            write_document(value)

    def table(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """A table for people; `columns` are headings in English and Chinese."""
        if self.as_json:
            return
        table = Table(header_style="bold")
        for column in columns:
            # A narrow terminal folds: half a name is of no use to anybody.
            table.add_column(self.choose(*column), overflow="fold")
        for row in rows:
            # Values come from others: never read as markup.
            table.add_row(*(Text(value) for value in row))
        _console().print(table)

    @contextmanager
    def progress(self, en: str, zh: str, *, total: int | None) -> Iterator[Progress]:
        """A bar on standard error while long work runs; silent where nobody watches."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=_console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        with bar:
            bar.add_task(self.choose(en, zh), total=total)
            yield bar


def write_document(value: Document) -> None:
    """`value` as JSON on standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    # Standard output may be ASCII only; the document then says the same with escapes.
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    sys.stdout.write(text + "\n")


def report_error(error: Exception, *, as_json: bool, exit_code: int | None = None) -> int:
    """Say what went wrong and what to do; returns the exit code of it.

    `error` is a UsageError, HubError or ProofError. With `as_json` the document on standard output
    says the same in both languages. `exit_code` is that of a command with codes of its own.
    """
    usual, document, lines = _explained(error)
    code = usual if exit_code is None else exit_code
    if as_json:
        write_document({"error": {**document, "exit_code": int(code)}})
    console = _console(stderr=True)
    language = LANGUAGE.get()
    for style, line in lines:
        console.print(Text(line["zh" if language == "zh" else "en"], style=style), soft_wrap=True)
    return code


_Line: TypeAlias = "tuple[str, dict[str, str]]"


def _explained(error: Exception) -> tuple[ExitCode, dict[str, Document], list[_Line]]:
    if isinstance(error, UsageError):
        return _usage(error)
    if isinstance(error, ProofError):
        return _proof(error)
    if isinstance(error, HubError):
        return _hub(error)
    raise error


def _usage(error: UsageError) -> tuple[ExitCode, dict[str, Document], list[_Line]]:
    texts = {"en": error.en, "zh": error.zh}
    return (
        ExitCode.USAGE,
        {"reason": "USAGE", **texts},
        [
            ("bold red", {"en": f"usage: {error.en}", "zh": f"用法有误：{error.zh}"}),
            ("", {"en": f"See: {error.see} --help", "zh": f"用法说明：{error.see} --help"}),
        ],
    )


def _proof(error: ProofError) -> tuple[ExitCode, dict[str, Document], list[_Line]]:
    text = TEXTS.get(error.reason)
    en, zh = (text.en, text.zh) if text else (error.reason.value, error.reason.value)
    unchecked = error.verdict is Verdict.CANNOT_CHECK
    verdict = (
        {"en": "cannot check", "zh": "无法核验"} if unchecked else {"en": "invalid", "zh": "无效"}
    )
    document: dict[str, Document] = {
        "reason": error.reason.value,
        "verdict": error.verdict.value,
        "detail": error.detail,
        "en": en,
        "zh": zh,
    }
    lines: list[_Line] = [
        (
            "bold red",
            {
                "en": f"{verdict['en']}: {error.reason.value}: {en}",
                "zh": f"{verdict['zh']}：{error.reason.value}：{zh}",
            },
        )
    ]
    if error.detail:
        lines.append(("", {"en": f"  at: {error.detail}", "zh": f"  位置：{error.detail}"}))
    return (ExitCode.CANNOT_CHECK if unchecked else ExitCode.REFUSED), document, lines


def _hub(error: HubError) -> tuple[ExitCode, dict[str, Document], list[_Line]]:
    code, reason = ExitCode.REFUSED, error.reason.value
    document: dict[str, Document] = {}
    if isinstance(error, HubRefusedError):
        reason = error.code
        document["status"] = error.status
        if error.is_unavailable:
            code = ExitCode.UNAVAILABLE
    elif error.reason in _AWAY:
        code = ExitCode.UNAVAILABLE
    en, zh = error.text("en"), error.text("zh")
    document.update(
        reason=reason,
        en=en,
        zh=zh,
        details=dict(error.details),
        violations=[
            {"field": item.field, "rule": item.rule, "en": item.en, "zh": item.zh}
            for item in error.violations
        ],
    )
    lines: list[_Line] = [("bold red", {"en": f"{reason}: {en}", "zh": f"{reason}：{zh}"})]
    lines += [
        ("", {"en": f"  {item.field}: {item.en}", "zh": f"  {item.field}：{item.zh}"})
        for item in error.violations
        # A single one is the sentence itself, where that has a place for it.
        if len(error.violations) > 1 or not (item.field in en and item.en in en)
    ]
    if error.retry_after_s is not None:
        document["retry_after_s"] = error.retry_after_s
        wait = f"{error.retry_after_s:g}"
        lines.append(("", {"en": f"  wait {wait} s", "zh": f"  请等待 {wait} 秒"}))
    return code, document, lines


def _console(*, stderr: bool = False) -> Console:
    # Made for each use: tests and pipes exchange the streams. A pipe is given room for its columns.
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 200)
