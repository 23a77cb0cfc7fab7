"""What a mistyped command line is told, in both languages: what, which rule, what to write."""

from __future__ import annotations

import re
from typing import Final

import typer

from hub.cli.terminal import UsageError

_TEXTS: Final = (
    (r"No such command '(?P<a>[^']*)'\.", "没有命令“{a}”。"),
    (r"No such option: (?P<a>\S+)", "没有选项 {a}"),
    (r"Missing option '(?P<a>[^']*)'\.", "缺少选项 {a}。"),
    (r"Missing argument '(?P<a>[^']*)'\.", "缺少参数 {a}。"),
    (r"Missing command\.", "缺少命令。"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<a>.*)\)", "多余的参数：{a}"),
    (r"Option '(?P<a>[^']*)' requires an argument\.", "选项 {a} 需要一个值。"),
    (r"Option '(?P<a>[^']*)' requires (?P<b>\d+) arguments\.", "选项 {a} 需要 {b} 个值。"),
    (r"Option '(?P<a>[^']*)' does not take a value\.", "选项 {a} 不带值。"),
    (r"Invalid value for '(?P<a>[^']*)': (?P<b>.*)", "{a} 的值无效：{b}"),
    # Where a command says both itself, the Chinese stands behind.
    (r"Invalid value: .* / (?P<a>.*)", "{a}"),
)
_HINTS: Final = (
    (r"Did you mean '(?P<a>.*)'\?", "您是否要用：{a}？"),
    (r"\(Possible options: (?P<a>.*)\)", "（相近的选项：{a}）"),
)
_RULES: Final = (
    (r"Input should be a valid integer.*", "write a whole number", "应为整数"),
    (r"Input should be greater than or equal to (\S+)", r"write \1 or more", r"应不小于 \1"),
    (r"file '(.*)' does not exist\.", r"there is no file \1", r"没有文件 \1"),
    (r"file '(.*)' is a directory\.", r"\1 is a folder", r"\1 是目录"),
    (r"Input should be less than or equal to (\S+)", r"write \1 or less", r"应不大于 \1"),
)


def usage_error(error: typer.TyperException) -> UsageError:
    """The fault that the command line's parser found, with the help that is nearest to it."""
    message = error.format_message()
    path = getattr(getattr(error, "ctx", None), "command_path", "")
    see = "sealway " + path.removeprefix("sealway").strip()
    english = re.sub(r"^Invalid value: (.*) / .*$", r"\1", message)
    for rule, en, _ in _RULES:
        english = re.sub(rule, en, english)
    return UsageError(english, _chinese(message), see=see.strip())


def _chinese(message: str) -> str:
    """`message` in Chinese; unchanged where it is none of the parser's own."""
    for rule, _, zh in _RULES:
        message = re.sub(rule, zh, message)
    for pattern, text in _TEXTS:
        found = re.match(pattern, message)
        if found is not None:
            rest = message[found.end() :].strip()
            return text.format_map(found.groupdict()) + _hint(rest)
    return message


def _hint(rest: str) -> str:
    for pattern, text in _HINTS:
        found = re.fullmatch(pattern, rest)
        if found is not None:
            return text.format_map(found.groupdict())
    return rest
