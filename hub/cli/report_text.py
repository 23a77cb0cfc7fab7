"""A report of a verification as people read it: one paragraph, or every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import category

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from hub.proof.moment import iso_time
from hub.proof.reasons import ReasonText, Verdict
from hub.proof.reports.report import FACT_TEXTS, REMARK_TEXTS, Fact, FactName, File, Report, Step
from hub.proof.reports.shown import Shown
from hub.proof.reports.summary import (
    BASIS_TEXTS,
    KIND_TEXTS,
    advice,
    custody_text,
    summarise,
    verdict_text,
)
from hub.proof.reports.thumbnail import Thumbnail

LANGUAGES: Final = ("en", "zh")
_FILES_SHOWN_MAX: Final = 20
# Seals are red on white: half of the light is gone where there is ink.
_DARK_BELOW: Final = 3 * 170
_BLOCKS: Final = {
    (True, True): "█",
    (True, False): "▀",
    (False, True): "▄",
    (False, False): " ",
}
_MARKS: Final = {
    Verdict.VALID: ("✔", "green"),
    Verdict.INVALID: ("✘", "red"),
    Verdict.CANNOT_CHECK: ("?", "yellow"),
}


def print_report(report: Report, name: str, languages: Sequence[str], *, simple: bool) -> None:
    """Print the report on the file called `name`, in one language or in both."""
    page = _Page(Console(soft_wrap=True), tuple(languages))
    if simple:
        page.simple(report, name)
    else:
        page.detailed(report, name)


def print_shown(shown: Shown, languages: tuple[str, ...]) -> None:
    """Print the picture and the text of a file, as far as there are any."""
    if shown.picture is not None:
        print_picture(shown.picture)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    if shown.text:
        heading = {
            "en": "Text of the first page, which proves nothing:",
            "zh": "首页文字，不具证明效力：",
        }
        console.print(" / ".join(heading[language] for language in languages))
    for line in shown.text:
        console.print(f"  {printable(line)}")


def print_picture(picture: Thumbnail) -> None:
    """Print a picture in half blocks, two of its lines in one; without colours, light and dark."""
    console = Console(soft_wrap=True)
    for top in range(0, picture.height, 2):
        line = Text("  ")
        for column in range(picture.width):
            upper, lower = _pixel(picture, column, top), _pixel(picture, column, top + 1)
            if console.color_system is None:
                line.append(_BLOCKS[_is_dark(upper), _is_dark(lower)])
            else:
                colour = Color.from_rgb(*upper)
                line.append("▀", Style(color=colour, bgcolor=Color.from_rgb(*lower)))
        console.print(line)


def printable(text: str) -> str:
    """`text` with control and direction characters as escapes: it comes from others. Spaces are
    neither, the wide one of Chinese texts too."""
    return "".join(
        c if c.isprintable() or category(c) == "Zs" else f"\\u{ord(c):04x}" for c in text
    )


def _pixel(picture: Thumbnail, column: int, row: int) -> tuple[int, int, int]:
    """Paper below the last line."""
    if row >= picture.height:
        return (255, 255, 255)
    at = 3 * (row * picture.width + column)
    red, green, blue = picture.rgb[at : at + 3]
    return red, green, blue


def _is_dark(pixel: tuple[int, int, int]) -> bool:
    return sum(pixel) < _DARK_BELOW


@dataclass(frozen=True, slots=True)
class _Page:
    console: Console
    languages: tuple[str, ...]

    def simple(self, report: Report, name: str) -> None:
        """The verdict and one paragraph per language."""
        mark, colour = _MARKS[report.verdict]
        self.console.print(Text(f"{mark} {name}", style=f"bold {colour}"))
        text = summarise(report)
        for language in self.languages:
            self.console.print(Text(printable(text.zh if language == "zh" else text.en)))

    def detailed(self, report: Report, name: str) -> None:
        """Every step, then facts, files and remarks, what to do, and the verdict."""
        self.console.print(Text(f"{name}: {self._in(KIND_TEXTS[report.kind])}", style="bold"))
        for step in report.steps:
            self.console.print(self._step(step))
        rows = [self._fact(fact) for fact in report.facts]
        width = max((cell_len(label) for label, _ in rows), default=0)
        for label, value in rows:
            # Never folded: identifiers and roots are there to be copied.
            self.console.print(Text(f"  {set_cell_size(label, width)}  {value}"))
        self._files(report)
        for remark in report.remarks:
            self.console.print(Text(f"! {self._in(REMARK_TEXTS[remark])}", style="yellow"))
        reason = "" if report.reason is None else f" ({report.reason.value})"
        self.console.print(Text(self._in(advice(report))))
        mark, colour = _MARKS[report.verdict]
        verdict = self._in(verdict_text(report))
        self.console.print(Text(f"{mark} {verdict}{reason}", style=f"bold {colour}"))

    def _step(self, step: Step) -> Text:
        mark, colour = _MARKS[step.verdict]
        line = Text(f"{mark} ", style=colour)
        line.append(f"{step.number}.{_which(step.part)} {self._in(step.title, ' · ')}", "default")
        if step.moment is not None:
            whose = self._in(BASIS_TEXTS[step.moment.basis])
            line.append(f"  [{iso_time(step.moment.time)} ({whose})]", style="dim")
        if step.reason is not None and step.outcome is not None:
            detail = f" ({printable(step.detail)})" if step.detail else ""
            line.append(f"\n     {step.reason.value}{detail}: {self._in(step.outcome)}", colour)
        return line

    def _fact(self, fact: Fact) -> tuple[str, str]:
        which = "" if fact.part is None else f"[{fact.part}] "
        value = ", ".join(fact.value) if isinstance(fact.value, tuple) else str(fact.value)
        if fact.name is FactName.CUSTODY:
            value = f"{value} ({self._in(custody_text(value))})"
        return f"{which}{self._in(FACT_TEXTS[fact.name])}", printable(value)

    def _files(self, report: Report) -> None:
        """How many files are as sealed, and each one that is not."""
        good = sum(1 for file in report.files if file.verdict is Verdict.VALID)
        if report.files:
            text = ReasonText(
                f"{good} of {len(report.files)} files are as sealed.",
                f"{len(report.files)} 个文件中有 {good} 个与签章时一致。",
            )
            self.console.print(Text(f"  {self._in(text)}"))
        others = [file for file in report.files if file.verdict is not Verdict.VALID]
        for file in others[:_FILES_SHOWN_MAX]:
            self.console.print(_file(file))
        if len(others) > _FILES_SHOWN_MAX:
            self.console.print(Text(f"  … {len(others) - _FILES_SHOWN_MAX}"))

    def _in(self, text: ReasonText, between: str = " ") -> str:
        return between.join(text.zh if one == "zh" else text.en for one in self.languages)


def _file(file: File) -> Text:
    mark, colour = _MARKS[file.verdict]
    reason = "" if file.reason is None else f": {file.reason.value}"
    return Text(f"  {mark}{_which(file.part)} {printable(file.path)}{reason}", style=colour)


def _which(part: int | None) -> str:
    return "" if part is None else f" [{part}]"
