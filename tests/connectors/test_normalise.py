"""What cells mean: only declared forms, each change named."""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.faults import CellFaultError
from connectors.normalise.amounts import parse_amount
from connectors.normalise.dates import DateForm, parse_date
from connectors.normalise.text import clean, half_width, has_private_use, without_footnote
from hub.domain.certificate_type import FieldType
from hub.domain.identifier import USCC_ALPHABET

EVERY = tuple(DateForm)


@pytest.mark.parametrize(
    ("text", "forms", "value", "rules"),
    [
        ("2017-07-14", (DateForm.ISO,), "2017-07-14", []),
        ("2017-7-14", (DateForm.ISO,), "2017-07-14", ["date.iso"]),
        ("２０１７-07-14", (DateForm.ISO,), "2017-07-14", ["date.iso"]),
        ("20170714", EVERY, "2017-07-14", ["date.compact"]),
        ("2017.07.14", EVERY, "2017-07-14", ["date.dotted"]),
        ("2017/7/14", EVERY, "2017-07-14", ["date.slash"]),
        ("2017年7月14日", EVERY, "2017-07-14", ["date.zh"]),
        ("二〇一七年七月十四日", EVERY, "2017-07-14", ["date.zh_num"]),
        ("二○一七年十二月三十一日", EVERY, "2017-12-31", ["date.zh_num"]),
        ("二零一七年十月二十日", EVERY, "2017-10-20", ["date.zh_num"]),
        ("2017-7-14 0:00", EVERY, "2017-07-14", ["date.iso_time"]),
        ("2017-07-14T00:00:00+08:00", EVERY, "2017-07-14", ["date.iso_time"]),
        ("民國106年7月14日", EVERY, "2017-07-14", ["date.roc"]),
        ("106.07.14", EVERY, "2017-07-14", ["date.roc"]),
    ],
)
def test_declared_dates(text: str, forms, value: str, rules: list[str]) -> None:
    """Each form gives the ISO date and, unless it was ISO already, its rule."""
    noted: list[str] = []

    assert parse_date(text, forms, noted) == value
    assert noted == rules


@pytest.mark.parametrize(
    ("text", "forms", "rule"),
    [
        ("20170714", (DateForm.ISO,), "date.form"),
        ("106.07.14", (DateForm.DOTTED,), "date.form"),
        ("2001-02-30", EVERY, "date.not_real"),
        ("0000-00-00", EVERY, "date.not_real"),
        ("2017年7月", EVERY, "date.partial"),
        ("2017", EVERY, "date.partial"),
        ("42930", EVERY, "date.form"),
        ("十十年七月十四日", EVERY, "date.form"),
        ("二〇一七年十一十月十四日", EVERY, "date.form"),
        ("长期", EVERY, "date.form"),
    ],
)
def test_other_dates_are_refused(text: str, forms, rule: str) -> None:
    """An undeclared form is never tried, a day never assumed."""
    with pytest.raises(CellFaultError) as refused:
        parse_date(text, forms, [])

    assert refused.value.rule == rule


@given(st.text("〇○零一二三四五六七八九十年月日民国0123456789-./:T +Z", max_size=24))
def test_no_text_makes_a_date_that_does_not_exist(text: str) -> None:
    """A real ISO date or a fault; no other exception."""
    with contextlib.suppress(CellFaultError):
        assert date.fromisoformat(parse_date(text, EVERY, []))


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_day_is_read_in_every_form(day: date) -> None:
    """Written in a form, read back in it."""
    texts = {
        DateForm.ISO: day.isoformat(),
        DateForm.COMPACT: f"{day:%Y%m%d}",
        DateForm.ZH: f"{day.year}年{day.month}月{day.day}日",
        DateForm.SLASH: f"{day.year}/{day.month}/{day.day}",
        DateForm.DOTTED: f"{day.year}.{day.month:02}.{day.day:02}",
    }
    for form, text in texts.items():
        assert parse_date(text, (form,), []) == day.isoformat()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50(万元人民币)", "500000.00 CNY"),
        ("100（万元人民币）", "1000000.00 CNY"),
        ("13(万美元)", "130000.00 USD"),
        ("5,000(万元人民币)", "50000000.00 CNY"),
        ("20万人民币", "200000.00 CNY"),
        ("5万人民币元", "50000.00 CNY"),
        ("30(万)", "300000.00 CNY"),
        ("81,000(万日元)", "810000000.00 JPY"),
        ("358.6735(万欧元)", "3586735.00 EUR"),
        ("1,341.4105(万香港元)", "13414105.00 HKD"),
        ("50(万法国法郎)", "500000.00 FRF"),
        ("400万美元", "4000000.00 USD"),
        ("38.8000(万美元)", "388000.00 USD"),
        ("500000.00", "500000.00 CNY"),
        ("2亿元", "200000000.00 CNY"),
    ],
)
def test_amounts_as_registers_print_them(text: str, value: str) -> None:
    """Unit and currency are read, not guessed; CNY stands where the manifest declares it."""
    assert parse_amount(text, "CNY", []) == value


@pytest.mark.parametrize(
    ("text", "currency", "rule"),
    [
        ("30(万)", None, "amount.currency"),
        ("五十万", "CNY", "amount.form"),
        ("50(万元人民币", "CNY", "amount.form"),
        ("5,00(万元人民币)", "CNY", "amount.form"),
        ("-5万元", "CNY", "amount.form"),
        ("万元人民币", "CNY", "amount.form"),
        ("50万贝壳", "CNY", "amount.form"),
        ("1e5", "CNY", "amount.form"),
        ("0.123456元", "CNY", "amount.precision"),
        ("9" * 40, "CNY", "amount.precision"),
    ],
)
def test_other_amounts_are_refused(text: str, currency: str | None, rule: str) -> None:
    """What is not understood is not turned into money."""
    with pytest.raises(CellFaultError) as refused:
        parse_amount(text, currency, [])

    assert refused.value.rule == rule


@given(st.decimals(min_value=0, max_value=10**11, places=4))
def test_an_amount_keeps_its_value(number: Decimal) -> None:
    """`万元` multiplies by ten thousand exactly, with or without separators."""
    for text in (f"{number}万元", f"{number:,}(万元人民币)"):
        value, currency = parse_amount(text, "CNY", []).split()
        assert (Decimal(value), currency) == (number * 10_000, "CNY")


def test_invisible_characters_and_outer_space_go_with_their_rules() -> None:
    """Zero width, BOM inside, DEL, full-width space; inner space stays."""
    rules: list[str] = []
    assert clean("　宁波\u200b 市\x7f\ufeff ", rules) == "宁波 市"
    assert rules == ["text.invisible", "text.strip"]
    rules.clear()
    assert clean("宁波 市", rules) == "宁波 市"
    assert rules == []


def test_names_keep_their_printed_characters() -> None:
    """No NFKC: circled digits, units and private-use characters stay."""
    for text in ("①号㎡㈱Ⅱ", "（示例）", "大榭\ue001头村"):
        assert clean(text, []) == text
    assert has_private_use("大榭\ue001头村")
    assert not has_private_use("大榭头村　")
    assert half_width("（ＡＢ１２）　①") == "(AB12) ①"


def test_declared_footnote_marks_go() -> None:
    """At the end only."""
    rules: list[str] = []
    assert without_footnote("零售**", "*", rules) == "零售"
    assert without_footnote("*零*售", "*", rules) == "*零*售"
    assert rules == ["text.footnote"]


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """Idempotent, and silent the second time."""
    once = clean(text, [])
    rules: list[str] = []

    assert clean(once, rules) == once
    assert rules == []


@given(st.text(USCC_ALPHABET, max_size=20))
def test_half_width_leaves_ascii_alone(text: str) -> None:
    """And takes the full-width form back to it."""
    wide = "".join(chr(ord(character) + 0xFEE0) for character in text)

    assert half_width(text) == text == half_width(wide)


def test_every_field_type_has_a_name_of_its_own() -> None:
    """The manifest's table of forms covers the catalogue's types."""
    from connectors.manifest import _KINDS

    assert set(_KINDS) == set(FieldType)
