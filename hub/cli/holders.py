"""Holders on the command line. Personal numbers never stand in arguments: others can read those."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from connectors.profile import read_bounded
from hub.cli.terminal import UsageError
from hub.domain.holder import HOLDER_TYPES, Holder, normalise_holder

HOLDER_BYTES_MAX: Final = 1024

HolderOption = Annotated[
    str | None,
    typer.Option(
        "--holder",
        metavar="TYPE:NUMBER",
        help="An organisation, as 001:CODE, or an area: 901:ZONE, 902:PARCEL. People only by "
        "--holder-file.",
    ),
]
HolderFileOption = Annotated[
    Path | None,
    typer.Option(
        "--holder-file",
        metavar="FILE",
        help="File with one line TYPE:NUMBER, such as 111:…; - reads standard input.",
    ),
]


def read_holder(text: str | None, file: Path | None) -> Holder | None:
    """The holder that was named in one of the two ways, or None.

    Raises UsageError for both at once, for a person in an argument and for another form; HubError
    for a number that breaks its rule.
    """
    if text is not None and file is not None:
        raise UsageError(
            "--holder and --holder-file exclude each other",
            "--holder 与 --holder-file 不能同时使用",
        )
    if file is not None:
        if str(file) == "-":
            line = sys.stdin.readline(HOLDER_BYTES_MAX)
        else:
            line = read_bounded(file, HOLDER_BYTES_MAX, "holder").decode("utf-8", "replace")
        return _holder(line.strip())
    if text is None:
        return None
    kind = HOLDER_TYPES.get(text.partition(":")[0])
    if kind is None or kind.natural:
        raise UsageError(
            "--holder takes organisations (001:CODE) and areas (901:ZONE, 902:PARCEL) only: "
            "arguments can be read by everybody on this machine. Write a person's TYPE:NUMBER into "
            "a file and use --holder-file FILE, or --holder-file - to type it.",
            "--holder 仅用于组织机构（001:代码）和区域（901:区域代码、902:宗地代码）：命令行参数对"
            "本机所有用户可见。自然人请将"
            "“类型:号码”写入文件并使用 --holder-file 文件，或用 --holder-file - 从标准输入读取。",
        )
    return _holder(text)


def _holder(line: str) -> Holder:
    kind, colon, number = line.partition(":")
    if not colon:
        raise UsageError(
            "a holder is written TYPE:NUMBER, such as 001:CODE",
            "持证主体的写法为“类型:号码”，例如 001:代码",
        )
    holder, _ = normalise_holder(kind, number)
    return holder
