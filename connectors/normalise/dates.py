"""Dates in the forms that a manifest declares, and validity that may be without end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from connectors.faults import CellFaultError
from connectors.normalise.text import half_width

_CHINESE_DIGITS: Final = str.maketrans("〇○零Ｏ一二三四五六七八九", "0000123456789")


class DateForm(StrEnum):
    """How a source writes dates. A form that is not declared is never tried."""

    ISO = "iso"
    COMPACT = "compact"
    DOTTED = "dotted"
    SLASH = "slash"
    ZH = "zh"
    ZH_NUM = "zh_num"
    ISO_TIME = "iso_time"
    ROC = "roc"


def parse_date(text: str, forms: Sequence[DateForm], rules: list[str]) -> str:
    """The ISO date that `text` means; a form other than plain ISO is noted as `date.<form>`.

    Raises CellFaultError: `date.form`, `date.not_real`, `date.partial`.
    """
    plain = half_width(text)
    for form in forms:
        parts = _FORMS[form](plain)
        if parts is None:
            continue
        found = _real(*parts)
        if found != text:
            rules.append(f"date.{form.value}")
        return found
    if _PARTIAL.fullmatch(plain):
        raise CellFaultError("date.partial")
    raise CellFaultError("date.form", formats=", ".join(forms))


def _real(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError as error:
        raise CellFaultError("date.not_real") from error


_Parts = tuple[int, int, int]


def _numbers(pattern: str) -> Callable[[str], _Parts | None]:
    compiled = re.compile(pattern, re.ASCII)

    def parse(text: str) -> _Parts | None:
        match = compiled.fullmatch(text)
        return None if match is None else (int(match[1]), int(match[2]), int(match[3]))

    return parse


def _zh_num(text: str) -> _Parts | None:
    match = _ZH_NUM.fullmatch(text)
    if match is None:
        return None
    year = match[1].translate(_CHINESE_DIGITS)
    return (int(year), _below_hundred(match[2]), _below_hundred(match[3]))


def _below_hundred(text: str) -> int:
    """`十二`, `二十`, `三十一`, `七`, and digit by digit: `一二`."""
    if "十" not in text:
        return int(text.translate(_CHINESE_DIGITS))
    tens, _, ones = text.partition("十")
    return (int(tens.translate(_CHINESE_DIGITS)) if tens else 1) * 10 + (
        int(ones.translate(_CHINESE_DIGITS)) if ones else 0
    )


def _roc(text: str) -> _Parts | None:
    match = _ROC.fullmatch(text)
    if match is None:
        return None
    return (int(match[1] or match[4]) + 1911, int(match[2] or match[5]), int(match[3] or match[6]))


_ZH_NUM: Final = re.compile(
    r"([〇○零一二三四五六七八九]{4})年"
    r"([〇○零一二三四五六七八九十]{1,2})月([〇○零一二三四五六七八九十]{1,3})日"
)
_ROC: Final = re.compile(
    r"民[国國]([0-9]{2,3})年([0-9]{1,2})月([0-9]{1,2})日|([0-9]{2,3})\.([0-9]{1,2})\.([0-9]{1,2})"
)
_PARTIAL: Final = re.compile(r"[0-9]{4}(年|年[0-9]{1,2}月|[-./][0-9]{1,2})?")
_FORMS: Final[dict[DateForm, Callable[[str], _Parts | None]]] = {
    DateForm.ISO: _numbers(r"(\d{4})-(\d{1,2})-(\d{1,2})"),
    DateForm.COMPACT: _numbers(r"(\d{4})(\d{2})(\d{2})"),
    DateForm.DOTTED: _numbers(r"(\d{4})\.(\d{1,2})\.(\d{1,2})"),
    DateForm.SLASH: _numbers(r"(\d{4})/(\d{1,2})/(\d{1,2})"),
    DateForm.ZH: _numbers(r"(\d{4})年(\d{1,2})月(\d{1,2})日"),
    DateForm.ZH_NUM: _zh_num,
    DateForm.ISO_TIME: _numbers(
        r"(\d{4})-(\d{1,2})-(\d{1,2})[T ]\d{1,2}:\d{2}"
        r"(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?"
    ),
    DateForm.ROC: _roc,
}
