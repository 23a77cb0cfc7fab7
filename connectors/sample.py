"""Synthetic business registrations for demonstrations: seeded, check digits valid, nobody real.

Companies lie in region 330299, which GB/T 2260 does not assign; names are invented and end in
（演示）. Some rows are broken on purpose. The same seed gives the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from hub.domain.identifier import organisation_check_character, uscc_check_character

REGION: Final = "330299"
HEADER: Final = (
    "企业名称",
    "统一社会信用代码",
    "注册日期",
    "企业类型",
    "注册资金",
    "经营范围",
    "所在省份",
    "地区",
    "注册地址",
)
CSV_NAME: Final = "business-licence.csv"
GB18030_NAME: Final = "business-licence.gb18030.txt"

_TRADE_NAMES: Final = ("星禾", "云帆", "青石", "远桥", "明溪", "知行", "和风", "晨曦", "蓝岸")
_TRADES: Final = ("商贸", "餐饮管理", "信息技术", "五金制品", "物流", "文化传播", "纺织品")
_KINDS: Final = ("有限责任公司", "个体工商户", "个人独资企业", "N/A")
_CAPITALS: Final = (
    "50(万元人民币)",
    "13(万美元)",
    "5,000(万元人民币)",
    "20万人民币",
    "358.6735(万欧元)",
    "N/A",
)
_SCOPES: Final = (
    "一般项目：日用百货销售；五金产品零售。**",
    "许可项目：餐饮服务。一般项目：食品销售",
    '软件开发，"云"平台运维，信息咨询服务',
    "园林绿化工程施工；苗木种植*",
    "N/A",
)
_ROADS: Final = ["示例路", "演示大道", "样本街", "模型巷"]
_FIRST_DAY: Final = date(2001, 1, 1)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was written: two files with the same rows, and how many of them are broken."""

    csv: Path
    gb18030: Path
    rows: int
    broken: int


def write_sample(folder: Path, *, companies: int, first: int = 0, seed: int = 20260101) -> Sample:
    """Write both files into `folder`: `companies` good rows and one of each broken kind.

    Companies are numbered from `first` on, and the number decides the credit code.

    Raises ValueError for less than one company or more than a million.
    """
    if not 1 <= companies <= 1_000_000:
        raise ValueError("between 1 and 1,000,000 companies")
    chance = random.Random(seed)  # noqa: S311 - the same seed gives the same bytes
    lines = [_company(chance, first + number) for number in range(companies)]
    for number, spoil in enumerate(_BROKEN):
        place = chance.randrange(len(lines) + 1)
        lines.insert(place, spoil(_company(chance, first + companies + number)))
    folder.mkdir(parents=True, exist_ok=True)
    csv, text = folder / CSV_NAME, folder / GB18030_NAME
    csv.write_bytes(_joined([_csv(HEADER), *map(_csv, lines)]).encode("utf-8"))
    text.write_bytes(_joined([_escaped(HEADER), *map(_escaped, lines)]).encode("gb18030"))
    return Sample(csv, text, len(lines), len(_BROKEN))


def _company(chance: random.Random, number: int) -> tuple[str, ...]:
    name = (
        f"宁波{chance.choice(_TRADE_NAMES)}{chance.choice(_TRADES)}{number:06d}号有限公司（演示）"
    )
    day = _FIRST_DAY + timedelta(days=chance.randrange(365))
    return (
        name,
        _credit_code(number),
        day.isoformat(),
        chance.choice(_KINDS),
        chance.choice(_CAPITALS),
        chance.choice(_SCOPES),
        "浙江",
        "宁波",
        f"演示区{chance.choice(_ROADS)}{chance.randrange(1, 999)}号",
    )


def _credit_code(number: int) -> str:
    """A valid code of the unassigned region; different numbers give different codes."""
    # MA.. is what new registrations get; six digits leave room for a million and one.
    serial = f"MD{number:06d}"
    body = f"91{REGION}{serial}{organisation_check_character(serial)}"
    return body + uscc_check_character(body)


def _wrong_check(row: tuple[str, ...]) -> tuple[str, ...]:
    last = "0" if row[1][-1] != "0" else "1"
    return (row[0], row[1][:-1] + last, *row[2:])


def _impossible_date(row: tuple[str, ...]) -> tuple[str, ...]:
    return (*row[:2], "2001-02-30", *row[3:])


def _long_name(row: tuple[str, ...]) -> tuple[str, ...]:
    return ("长" * 10_000, *row[1:])


def _nul(row: tuple[str, ...]) -> tuple[str, ...]:
    return (row[0] + "\x00", *row[1:])


def _no_name(row: tuple[str, ...]) -> tuple[str, ...]:
    return ("", *row[1:])


def _too_few_columns(row: tuple[str, ...]) -> tuple[str, ...]:
    return row[:5]


_BROKEN: Final[tuple[Callable[[tuple[str, ...]], tuple[str, ...]], ...]] = (
    _wrong_check,
    _impossible_date,
    _long_name,
    _nul,
    _no_name,
    _too_few_columns,
)


def _csv(cells: tuple[str, ...]) -> str:
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"') else cell
        for cell in cells
    )


def _escaped(cells: tuple[str, ...]) -> str:
    return "|".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells)


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)
