"""Values are written as Chinese documents write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.seal.faces.writing import Way, capital_sum, han_number, written

UNITS = {"仟": 1000, "佰": 100, "拾": 10}


@pytest.mark.parametrize(
    ("value", "way", "expected"),
    [
        ("2026-01-31", Way.DATE, "2026年1月31日"),
        ("2026-01-31", Way.DATE_PADDED, "2026年01月31日"),
        ("2026-11-20", Way.DATE_HAN, "二〇二六年十一月二十日"),
        ("2026-01-31", Way.DATE_ISO, "2026-01-31"),
        ("9999-12-31", Way.DATE, "长期"),
        ("1250000.00 CNY", Way.AMOUNT, "1,250,000.00元"),
        ("1250000 USD", Way.AMOUNT, "1,250,000美元"),
        ("5 XAU", Way.AMOUNT, "5XAU"),
        ("1250000.00 CNY", Way.AMOUNT_WAN, "125万元"),
        ("1250500.50 CNY", Way.AMOUNT_WAN, "125.05005万元"),
        ("9999.00 CNY", Way.AMOUNT_WAN, "9,999.00元"),
        ("1250000.00 CNY", Way.AMOUNT_CAPITAL, "壹佰贰拾伍万元整"),
        ("1250000.00 USD", Way.AMOUNT_CAPITAL, "1,250,000.00美元"),
        ("1.001 CNY", Way.AMOUNT_CAPITAL, "1.001元"),
        (True, Way.BOOLEAN, "是"),
        (False, Way.TEXT, "否"),
        (12, Way.INTEGER, "12"),
        ("壹仟万元整", Way.TEXT, "壹仟万元整"),
    ],
)
def test_a_value_is_written(value: str | int, way: Way, expected: str) -> None:
    """Each way, with what it does to values that it cannot write."""
    assert written(value, way) == expected


@pytest.mark.parametrize(
    ("sum_of", "expected"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角"),
        ("10.05", "壹拾元零伍分"),
        ("1005", "壹仟零伍元整"),
        ("100000500", "壹亿零伍佰元整"),
        ("10000000000000", "壹拾万亿元整"),
        ("100010000", "壹亿零壹万元整"),
        ("20000030.40", "贰仟万零叁拾元肆角"),
    ],
)
def test_a_sum_in_capitals(sum_of: str, expected: str) -> None:
    """Zeros are said once where something follows them."""
    assert capital_sum(sum_of) == expected


def _read(text: str) -> int:
    """A whole sum in capitals, read by other rules than it was written by."""
    total = section = digit = 0
    for one in text.removesuffix("元整"):
        if one in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(one)
        elif one in UNITS:
            section, digit = section + digit * UNITS[one], 0
        elif one == "万":
            section, digit = (section + digit) * 10_000, 0
        else:
            total, section, digit = (total + section + digit) * 100_000_000, 0, 0
    return total + section + digit


@given(st.integers(1, 10**16 - 1))
def test_a_sum_in_capitals_reads_as_itself(value: int) -> None:
    """No two sums are written alike, and no zero is said twice."""
    text = capital_sum(str(value))

    assert _read(text) == value
    assert not re.search("零零|零元|零万|零亿", text)


def test_days_and_months_in_chinese() -> None:
    """1 to 31, none twice."""
    assert [han_number(n) for n in (1, 10, 11, 20, 31)] == ["一", "十", "十一", "二十", "三十一"]
    assert len({han_number(n) for n in range(1, 100)}) == 99
