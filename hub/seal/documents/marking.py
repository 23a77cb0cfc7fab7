"""Marks on documents that departments brought: made in a process that reads one file and ends.

`mark` is called by the hub, from a thread; it starts `python -m hub.seal.documents.marking`, which
has no environment, no file to write and little time, and takes the mark, a page of our own making,
and the document on its standard input. What comes back is marked as a whole, or a reason.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hub.errors import HubError, Reason
from hub.proof.reasons import ReasonText
from hub.seal.documents.marked_pdf import MarkedPdf, MarkRefusedError, Refusal, mark_document

SOURCE_BYTES_MAX: Final = 16 * 1024 * 1024
MEMORY_BYTES_MAX: Final = 768 * 1024 * 1024
CPU_S_MAX: Final = 8
WALL_S_MAX: Final = 20.0
_MARKED_BYTES_MAX: Final = 32 * 1024 * 1024
_COMMAND: Final = (sys.executable, "-I", "-B", "-m", "hub.seal.documents.marking")

RULES: Final[Mapping[Refusal, ReasonText]] = MappingProxyType(
    {
        Refusal.DAMAGED: ReasonText("it cannot be read", "文件无法读取"),
        Refusal.ENCRYPTED: ReasonText("it is encrypted", "文件已加密"),
        Refusal.ACTIVE: ReasonText(
            "it has scripts, actions or files inside", "文件含脚本、动作或内嵌文件"
        ),
        Refusal.XFA: ReasonText("it is a dynamic form (XFA)", "文件为动态表单（XFA）"),
        Refusal.LAYERS: ReasonText(
            "it has layers, which each reader may show or not", "文件含可选图层，显示内容不确定"
        ),
        Refusal.PAGES: ReasonText(
            "it has no page, more than 100, or one of no usual size",
            "文件无页面、超过100页或页面尺寸异常",
        ),
        Refusal.TOO_LARGE: ReasonText("it is too large", "文件过大"),
        Refusal.FORMAT: ReasonText(
            "copies are made of OFD, PDF, PNG, JPEG and TIFF",
            "仅支持为 OFD、PDF、PNG、JPEG、TIFF 文件制作加注件",
        ),
        Refusal.LIMITS: ReasonText(
            "reading it takes too much time or memory", "读取该文件耗时或占用内存过多"
        ),
    }
)
"""What a refusal says to callers."""


def mark(data: bytes, media_type: str, over: bytes) -> MarkedPdf:
    """`data` with the page of the PDF `over` on each of its pages (`marked_pdf.py`).

    Blocks for about a second. Raises HubError(COPY_NOT_MADE) with the rule.
    """
    if len(data) > SOURCE_BYTES_MAX:
        raise not_made(Refusal.TOO_LARGE)
    head = json.dumps({"media_type": media_type, "mark": len(over)}).encode()
    try:
        done = subprocess.run(  # noqa: S603 - our own module.
            _COMMAND,
            input=head + b"\n" + over + data,
            stdout=subprocess.PIPE,
            # What libraries print may hold what stands in the file.
            stderr=subprocess.DEVNULL,
            env={"MALLOC_ARENA_MAX": "1"},
            timeout=WALL_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise not_made(Refusal.LIMITS) from error
    line, _, content = done.stdout.partition(b"\n")
    try:
        said = json.loads(line)
    except ValueError as error:
        raise not_made(Refusal.LIMITS) from error
    if "refused" in said:
        raise not_made(Refusal(said["refused"]))
    if len(content) > _MARKED_BYTES_MAX:
        raise not_made(Refusal.TOO_LARGE)
    return MarkedPdf(content, said["width"], said["height"])


def not_made(refusal: Refusal) -> HubError:
    """What a caller is told of a document that is not marked."""
    rule = RULES[refusal]
    return HubError(Reason.COPY_NOT_MADE, rule=refusal.value, en=rule.en, zh=rule.zh)


def _serve() -> None:
    """Mark what stands on standard input."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, CPU_S_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    given = json.loads(sys.stdin.buffer.readline())
    over, data = sys.stdin.buffer.read(given["mark"]), sys.stdin.buffer.read()
    out = sys.stdout.buffer
    try:
        marked = mark_document(data, given["media_type"], over)
    except MarkRefusedError as error:
        out.write(json.dumps({"refused": error.refusal.value}).encode() + b"\n")
        return
    except MemoryError:
        out.write(json.dumps({"refused": Refusal.LIMITS.value}).encode() + b"\n")
        return
    out.write(json.dumps({"width": marked.width, "height": marked.height}).encode() + b"\n")
    out.write(marked.data)


if __name__ == "__main__":
    _serve()
