"""What can be wrong with a row before the hub sees it: code, texts, and what to do about it.

Codes are public and never renamed. Rules of the domain (`hub.domain.rules`) bring their own texts;
here they get their code, and rules that only a connector knows get both. Nothing names a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.rules import RULES
from hub.errors import Text, Violation


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of one row, as quarantine shows it. `field` is the column or member concerned."""

    code: str
    field: str
    rule: str
    en: str
    zh: str
    hint_en: str
    hint_zh: str


class CellFaultError(Exception):
    """A cell breaks a rule; `rule` is a key of `RULES` here or in the domain."""

    def __init__(self, rule: str, **details: str | int) -> None:
        self.rule = rule
        self.details = details
        super().__init__(rule)


def row_error(field: str, rule: str, **details: str | int) -> RowError:
    """`rule` as broken by `field`."""
    own = _OWN.get(rule)
    text = own.text if own else RULES[rule]
    hint = own.hint if own else _HINT_SOURCE
    code = own.code if own else _CODES.get(rule.partition(".")[0], "E-FLD-000")
    return RowError(
        code=code,
        field=field,
        rule=rule,
        en=text.en.format_map(details),
        zh=text.zh.format_map(details),
        hint_en=hint.en,
        hint_zh=hint.zh,
    )


def from_violation(violation: Violation) -> RowError:
    """A violation found by the domain's rules as an error of a row."""
    code = _CODES.get(violation.rule.partition(".")[0], "E-FLD-000")
    hint = _HINT_SOURCE
    return RowError(
        code, violation.field, violation.rule, violation.en, violation.zh, hint.en, hint.zh
    )


def from_hub(field: str, reason: str, en: str, zh: str) -> RowError:
    """An error that the hub found."""
    return RowError("E-SUB-001", field, reason, en, zh, _HINT_SOURCE.en, _HINT_SOURCE.zh)


@dataclass(frozen=True, slots=True)
class _OwnRule:
    code: str
    text: Text
    hint: Text


_HINT_SOURCE: Final = Text(
    "correct the row in the source system; the next run takes it",
    "请在来源系统中更正该行，下次运行会自动采集",
)
_HINT_CHARSET: Final = Text(
    "compare `source.charset` in the manifest with how the file was exported",
    "请核对清单中的 source.charset 与文件导出时的编码",
)
_HINT_EXPORT: Final = Text(
    "export the file again; compare separator and quoting with the manifest",
    "请重新导出文件，并核对清单中的分隔符和引号设置",
)
_HINT_MANIFEST: Final = Text(
    "correct the cell at the source, or declare its form in the manifest",
    "请在来源系统中更正，或在清单中声明该写法",
)

_OWN: Final[dict[str, _OwnRule]] = {
    "encoding.invalid": _OwnRule(
        "E-ENC-001",
        Text(
            "the line is not {charset}: byte {position} of the line",
            "该行不是有效的 {charset} 编码：行内第 {position} 字节",
        ),
        _HINT_CHARSET,
    ),
    "encoding.replacement": _OwnRule(
        "E-ENC-002",
        Text(
            "the text holds U+FFFD: a character was lost before the file was written",
            "文本含有 U+FFFD：字符在写入文件之前已丢失",
        ),
        _HINT_SOURCE,
    ),
    "encoding.mojibake": _OwnRule(
        "E-ENC-003",
        Text(
            "the text was decoded with a wrong charset before it was written",
            "文本在写入之前已被错误的编码转换（乱码）",
        ),
        _HINT_SOURCE,
    ),
    "structure.nul": _OwnRule(
        "E-STR-001",
        Text("the line holds a NUL byte", "该行含有 NUL 字节"),
        _HINT_EXPORT,
    ),
    "structure.columns": _OwnRule(
        "E-STR-002",
        Text(
            "the line has {found} columns, the header {expected}",
            "该行有 {found} 列，表头有 {expected} 列",
        ),
        _HINT_EXPORT,
    ),
    "structure.quote": _OwnRule(
        "E-STR-003",
        Text(
            "a quotation mark is not closed or not doubled",
            "引号未闭合或未成对转义",
        ),
        _HINT_EXPORT,
    ),
    "structure.escape": _OwnRule(
        "E-STR-004",
        Text(
            "a backslash stands before neither a backslash nor the separator",
            "反斜杠之后既不是反斜杠也不是分隔符",
        ),
        _HINT_EXPORT,
    ),
    "structure.line_length": _OwnRule(
        "E-STR-005",
        Text("the line is longer than {limit} bytes", "该行超过 {limit} 字节"),
        _HINT_EXPORT,
    ),
    "structure.truncated": _OwnRule(
        "E-STR-006",
        Text(
            "the last line has no line end: the file may be cut off",
            "末行没有换行符：文件可能被截断",
        ),
        Text(
            "fetch the file again; where the source never ends its last line, declare "
            "`source.final_newline: optional`",
            "请重新获取文件；如来源系统从不在末行写换行符，请在清单中声明 "
            "source.final_newline: optional",
        ),
    ),
    "date.form": _OwnRule(
        "E-FLD-021",
        Text(
            "the date has none of the declared forms: {formats}",
            "日期不符合已声明的格式：{formats}",
        ),
        _HINT_MANIFEST,
    ),
    "date.not_real": _OwnRule(
        "E-FLD-022", Text("this date does not exist", "该日期不存在"), _HINT_SOURCE
    ),
    "date.partial": _OwnRule(
        "E-FLD-023",
        Text(
            "the date has no day; a day is never assumed",
            "日期没有具体到日，系统不会自动补日",
        ),
        _HINT_SOURCE,
    ),
    "validity.empty": _OwnRule(
        "E-FLD-024",
        Text(
            "the end of validity is empty; empty does not mean long term",
            "有效期截止为空；空值不等于长期",
        ),
        _HINT_MANIFEST,
    ),
    "amount.form": _OwnRule(
        "E-FLD-031",
        Text(
            "the amount is not a number with a known unit and currency",
            "金额不是带已知单位和币种的数字",
        ),
        _HINT_MANIFEST,
    ),
    "amount.currency": _OwnRule(
        "E-FLD-032",
        Text(
            "the amount names no currency and the manifest declares none",
            "金额没有币种，清单也未声明默认币种",
        ),
        _HINT_MANIFEST,
    ),
    "amount.precision": _OwnRule(
        "E-FLD-033",
        Text(
            "the amount is finer than four decimals or has more than 16 digits",
            "金额小数超过4位或整数超过16位",
        ),
        _HINT_SOURCE,
    ),
    "code.float": _OwnRule(
        "E-FLD-090",
        Text(
            "a number was stored as a floating-point value; its last digits are lost",
            "号码被当作浮点数保存，末尾数字已丢失",
        ),
        _HINT_SOURCE,
    ),
    "lifecycle.unknown": _OwnRule(
        "E-FLD-041",
        Text(
            "the operation is not declared under `lifecycle.values`",
            "操作类型未在清单 lifecycle.values 中声明",
        ),
        _HINT_MANIFEST,
    ),
    "table.unknown": _OwnRule(
        "E-FLD-042",
        Text(
            "the value is not declared under `values`",
            "该值未在清单 values 中声明",
        ),
        _HINT_MANIFEST,
    ),
}

_CODES: Final[dict[str, str]] = {
    "uscc": "E-ID-007",
    "citizen": "E-ID-001",
    "holder": "E-ID-010",
    "organisation_code": "E-ID-008",
    "identifier": "E-ID-011",
    "value": "E-FLD-001",
    "row": "E-FLD-002",
}
