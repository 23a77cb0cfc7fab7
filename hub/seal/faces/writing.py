"""How a value is written on a face: dates, money, yes and no, as Chinese documents write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.domain.certificate_type import FieldType
from hub.domain.strict_json import Json


class Way(StrEnum):
    """A way of writing a value, which a template names."""

    TEXT = "text"
    """As it stands."""
    DATE = "date"
    """2026年1月31日"""
    DATE_PADDED = "date.padded"
    """2026年01月31日"""
    DATE_HAN = "date.han"
    """二〇二六年一月三十一日"""
    DATE_ISO = "date.iso"
    """2026-01-31"""
    AMOUNT = "amount"
    """1,250,000.00元; the currency's name where it is not CNY: 1,250,000.00美元"""
    AMOUNT_WAN = "amount.wan"
    """125万元; below ten thousand in full."""
    AMOUNT_CAPITAL = "amount.capital"
    """壹佰贰拾伍万元整, as cheques and licences write sums; CNY only, others as `amount`."""
    INTEGER = "integer"
    """1250000"""
    BOOLEAN = "boolean"
    """是, 否"""


LONG_TERM: Final = "长期"
"""What stands for an end that there is none of."""

_OPEN_ENDS: Final = frozenset({"9999-12-31"})
_CURRENCIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CNY": "元",
        "USD": "美元",
        "EUR": "欧元",
        "HKD": "港元",
        "MOP": "澳门元",
        "TWD": "新台币元",
        "JPY": "日元",
        "GBP": "英镑",
        "SGD": "新加坡元",
        "KRW": "韩元",
    }
)
_DIGITS: Final = "〇一二三四五六七八九"
_CAPITALS: Final = "零壹贰叁肆伍陆柒捌玖"
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def written(value: Json, way: Way) -> str:
    """`value` as `way` writes it. A value that is not of the form that the way writes is written as
    it stands: it was checked against its type when it came."""
    if isinstance(value, bool):
        return "是" if value else "否"
    text = str(value)
    writer = _WRITERS.get(way)
    return text if writer is None else writer(text)


def way_of(kind: FieldType) -> Way:
    """How values of a kind are written where a template names no way."""
    return _USUAL.get(kind, Way.TEXT)


def may_write(way: Way, kind: FieldType) -> bool:
    """Whether values of a kind can be written in this way."""
    return way is Way.TEXT or way in _FOR.get(kind, ())


def han_number(number: int) -> str:
    """1 to 99 in Chinese numerals: 十, 十一, 二十, 三十一."""
    tens, ones = divmod(number, 10)
    head = {0: "", 1: "十"}.get(tens, f"{_DIGITS[tens]}十")
    return head + (_DIGITS[ones] if ones else "")


def capital_sum(text: str) -> str:
    """A sum of yuan, `1250000.50`, in the capitals of cheques: 壹佰贰拾伍万元伍角.

    At most sixteen digits before the point and two decimals that are not zero; anything else is
    given back as it is.
    """
    whole, _, decimals = text.partition(".")
    cents = (decimals.rstrip("0") or "0").ljust(2, "0")
    if not whole.isdigit() or len(whole) > 16 or len(cents) > 2:
        return text
    jiao, fen = int(cents[0]), int(cents[1])
    yuan = _capital_whole(int(whole))
    head = f"{yuan}元" if yuan else ""
    if not jiao and not fen:
        return f"{head or '零元'}整"
    tail = f"{_CAPITALS[jiao]}角" if jiao else ("零" if head else "")
    return head + tail + (f"{_CAPITALS[fen]}分" if fen else "")


def _capital_whole(number: int) -> str:
    """A whole number in capitals, "" for zero."""
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    said = ""
    is_zero_due = False
    for unit in reversed(range(len(groups))):
        group = groups[unit]
        if not group:
            # 亿 is said although nothing is left below it: 壹万亿.
            if unit == 2 and said:
                said += "亿"
            is_zero_due = True
            continue
        if said and (is_zero_due or group < 1000):
            said += "零"
        is_zero_due = False
        said += _capital_group(group) + ("", "万", "亿", "万")[unit]
    return said


def _capital_group(group: int) -> str:
    """1 to 9999 in capitals."""
    said, is_zero_due = "", False
    for place, unit in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit, group = divmod(group, place)
        if digit:
            said += ("零" if is_zero_due and said else "") + _CAPITALS[digit] + unit
            is_zero_due = False
        else:
            is_zero_due = True
    return said


def _date(form: Callable[[str, str, str], str]) -> Callable[[str], str]:
    def write(text: str) -> str:
        found = _DATE.fullmatch(text)
        if text in _OPEN_ENDS:
            return LONG_TERM
        return text if found is None else form(found[1], found[2], found[3])

    return write


def _amount(text: str) -> str:
    value, _, currency = text.partition(" ")
    whole, point, decimals = value.partition(".")
    if not whole.isdigit():
        return text
    return f"{int(whole):,}{point}{decimals}{_CURRENCIES.get(currency, currency)}"


def _amount_wan(text: str) -> str:
    value, _, currency = text.partition(" ")
    whole, _, decimals = value.partition(".")
    if not whole.isdigit() or int(whole) < 10_000:
        return _amount(text)
    rest = (whole[-4:] + decimals).rstrip("0")
    return f"{whole[:-4]}{'.' if rest else ''}{rest}万{_CURRENCIES.get(currency, currency)}"


def _amount_capital(text: str) -> str:
    value, _, currency = text.partition(" ")
    capital = capital_sum(value)
    return _amount(text) if currency != "CNY" or capital == value else capital


_WRITERS: Final[Mapping[Way, Callable[[str], str]]] = MappingProxyType(
    {
        Way.DATE: _date(lambda y, m, d: f"{y}年{int(m)}月{int(d)}日"),
        Way.DATE_PADDED: _date(lambda y, m, d: f"{y}年{m}月{d}日"),
        Way.DATE_HAN: _date(
            lambda y, m, d: (
                "".join(_DIGITS[int(one)] for one in y)
                + f"年{han_number(int(m))}月{han_number(int(d))}日"
            )
        ),
        Way.DATE_ISO: _date(lambda y, m, d: f"{y}-{m}-{d}"),
        Way.AMOUNT: _amount,
        Way.AMOUNT_WAN: _amount_wan,
        Way.AMOUNT_CAPITAL: _amount_capital,
    }
)
_USUAL: Final[Mapping[FieldType, Way]] = MappingProxyType(
    {
        FieldType.DATE: Way.DATE,
        FieldType.AMOUNT: Way.AMOUNT,
        FieldType.INTEGER: Way.INTEGER,
        FieldType.BOOLEAN: Way.BOOLEAN,
    }
)
_FOR: Final[Mapping[FieldType, frozenset[Way]]] = MappingProxyType(
    {
        FieldType.DATE: frozenset({Way.DATE, Way.DATE_PADDED, Way.DATE_HAN, Way.DATE_ISO}),
        FieldType.AMOUNT: frozenset({Way.AMOUNT, Way.AMOUNT_WAN, Way.AMOUNT_CAPITAL}),
        FieldType.INTEGER: frozenset({Way.INTEGER}),
        FieldType.BOOLEAN: frozenset({Way.BOOLEAN}),
    }
)
WAYS: Final = tuple(Way)
