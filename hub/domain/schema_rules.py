"""What a person reads where a configuration file or a manifest does not have its schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hub.errors import Text


class SchemaFault(ValueError):
    """A rule of our own that a schema's check found broken, with both texts."""

    def __init__(self, en: str, zh: str) -> None:
        self.text = Text(en, zh)
        super().__init__(en)


def schema_text(fault: Mapping[str, Any]) -> Text:
    """One of pydantic's `ValidationError.errors()` in both languages, without the value found."""
    context = fault.get("ctx", {})
    own = context.get("error")
    if isinstance(own, SchemaFault):
        return own.text
    text = _TEXTS.get(fault["type"])
    if text is None:
        return Text(fault["msg"], f"不符合规则：{fault['msg']}")
    # "'a', 'b' or 'c'" is a list in any language.
    chinese = {name: re.sub(", | or ", "、", str(value)) for name, value in context.items()}
    return Text(text.en.format_map(context), text.zh.format_map(chinese))


MISSING: Final = Text("is missing", "缺失")
_NUMBER: Final = Text("should be a number", "应为数字")
_INTEGER: Final = Text("should be a whole number", "应为整数")
_TABLE: Final = Text("should be a group of members", "应为一组成员")
_LIST: Final = Text("should be a list", "应为列表")
_CHOICE: Final = Text("should be {expected}", "应为 {expected}")

_TEXTS: Final = {
    "missing": MISSING,
    "extra_forbidden": Text("this key is not known", "未知的键"),
    "literal_error": _CHOICE,
    "enum": _CHOICE,
    "string_type": Text("should be a text", "应为文本"),
    "string_too_short": Text(
        "should have {min_length} or more characters", "至少应有 {min_length} 个字符"
    ),
    "string_too_long": Text(
        "should have at most {max_length} characters", "最多 {max_length} 个字符"
    ),
    "string_pattern_mismatch": Text("should match {pattern}", "应符合 {pattern}"),
    "too_short": Text("should have {min_length} or more members", "至少应有 {min_length} 项"),
    "too_long": Text("should have at most {max_length} members", "最多 {max_length} 项"),
    "greater_than": Text("should be more than {gt}", "应大于 {gt}"),
    "greater_than_equal": Text("should be {ge} or more", "应不小于 {ge}"),
    "less_than": Text("should be less than {lt}", "应小于 {lt}"),
    "less_than_equal": Text("should be {le} or less", "应不大于 {le}"),
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": Text("should be true or false", "应为 true 或 false"),
    "bool_parsing": Text("should be true or false", "应为 true 或 false"),
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "dict_type": _TABLE,
    "list_type": _LIST,
    "tuple_type": _LIST,
}
