"""Amounts of money as registers print them: `50(万元人民币)`, `5,000(万日元)`, `20万人民币`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from connectors.faults import CellFaultError
from connectors.normalise.text import half_width

_AMOUNT: Final = re.compile(
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
    r"\s*(?P<bracket>\()?(?P<scale>[亿万千]?)(?P<currency>[^()0-9]{0,8})(?(bracket)\))"
)
_SCALES: Final = {"": Decimal(1), "千": Decimal(1000), "万": Decimal(10_000), "亿": Decimal(10**8)}
_PLAIN: Final = frozenset({"", "元"})
_CURRENCIES: Final = {
    name: code
    for code, names in {
        "CNY": "人民币 元人民币 人民币元",
        "USD": "美元",
        "HKD": "香港元 港元 港币",
        "JPY": "日元",
        "EUR": "欧元",
        "FRF": "法国法郎",
        "GBP": "英镑",
        "DEM": "德国马克",
        "TWD": "新台币 台币",
        "SGD": "新加坡元",
        "CAD": "加拿大元",
        "AUD": "澳大利亚元 澳元",
        "CHF": "瑞士法郎",
        "KRW": "韩元",
    }.items()
    for name in names.split()
}


def parse_amount(text: str, currency: str | None, rules: list[str]) -> str:
    """The amount as `500000.00 CNY`: two to four decimals and an ISO 4217 code.

    `currency` is what the manifest declares for amounts that name none; using it is noted as
    `amount.currency_declared`, every other change of form as `amount.form`.
    Raises CellFaultError: `amount.form`, `amount.currency`, `amount.precision`.
    """
    match = _AMOUNT.fullmatch(half_width(text))
    if match is None:
        raise CellFaultError("amount.form")
    if match["currency"] in _PLAIN:
        if currency is None:
            raise CellFaultError("amount.currency")
        code = currency
        rules.append("amount.currency_declared")
    else:
        known = _CURRENCIES.get(match["currency"])
        if known is None:
            raise CellFaultError("amount.form")
        code = known
    amount = f"{_decimal(match['number'], match['scale'])} {code}"
    if amount != text:
        rules.append("amount.form")
    return amount


def _decimal(number: str, scale: str) -> str:
    if len(number) > 32:
        raise CellFaultError("amount.precision")
    value = Decimal(number.replace(",", "")) * _SCALES[scale]
    text = f"{value.normalize():f}"
    whole, _, fraction = text.partition(".")
    if len(fraction) > 4 or len(whole) > 16:
        raise CellFaultError("amount.precision")
    return f"{whole}.{fraction.ljust(2, '0')}"
