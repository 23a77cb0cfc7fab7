"""Marks on documents that departments brought: read in a process that reads one file and ends.

`mark` and `read_ofd` are called by the hub, from a thread. A PDF or a scan comes back marked as a
whole, with a page of our own making over each of its own; of an OFD comes back what was read of it,
to be written anew with the mark (`marked_ofd.py`). Or a reason comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from hub.errors import HubError, Reason
from hub.proof.reasons import ReasonText
from hub.seal.confined import PYTHON, Confined, OverrunError, Said
from hub.seal.documents.marked_pdf import MarkedPdf, MarkRefusedError, Refusal, mark_document
from hub.seal.documents.source_ofd import SourceOfd, SourcePage, read_source

SOURCE_BYTES_MAX: Final = 16 * 1024 * 1024
PROCESS: Final = Confined(
    (*PYTHON, "hub.seal.documents.marking"),
    memory_max=768 * 1024 * 1024,
    # What an OFD unpacks to, at most (`hub.proof.ofd.document`).
    answer_max=128 * 1024 * 1024,
    cpu_s=8,
    wall_s=20.0,
)
_MARKED_BYTES_MAX: Final = 32 * 1024 * 1024

_T = TypeVar("_T")

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

    def marked(said: Mapping[str, Any], files: Sequence[bytes]) -> MarkedPdf:
        return MarkedPdf(files[0], float(said["width"]), float(said["height"]))

    made = _asked({"media_type": media_type}, (data, over), marked)
    if len(made.data) > _MARKED_BYTES_MAX:
        raise not_made(Refusal.TOO_LARGE)
    return made


def read_ofd(data: bytes) -> SourceOfd:
    """What a copy needs of the OFD `data`. Raises as `mark`."""

    def read(said: Mapping[str, Any], files: Sequence[bytes]) -> SourceOfd:
        before, behind, listed = said["kept"]
        return SourceOfd(
            file=said["file"],
            unit_id=int(said["unit_id"]),
            pages=tuple([SourcePage(name, w, h, seen) for name, w, h, seen in said["pages"]]),
            before=before,
            behind=behind,
            listed=listed,
            files=dict(zip(said["names"], files, strict=True)),
        )

    return _asked({}, (data,), read)


def not_made(refusal: Refusal) -> HubError:
    """What a caller is told of a document that is not marked."""
    rule = RULES[refusal]
    return HubError(Reason.COPY_NOT_MADE, rule=refusal.value, en=rule.en, zh=rule.zh)


def _asked(
    words: Mapping[str, Any],
    files: Sequence[bytes],
    read: Callable[[Mapping[str, Any], Sequence[bytes]], _T],
) -> _T:
    if len(files[0]) > SOURCE_BYTES_MAX:
        raise not_made(Refusal.TOO_LARGE)
    try:
        said, made = PROCESS.ask(words, *files)
        if "refused" in said:
            raise not_made(Refusal(said["refused"]))
        return read(said, made)
    except (OverrunError, LookupError, TypeError, ValueError) as error:
        raise not_made(Refusal.LIMITS) from error


def _answer(words: Mapping[str, Any], files: Sequence[bytes]) -> Said:
    """In the process: the document marked, or an OFD read."""
    try:
        if words:
            made = mark_document(files[0], words["media_type"], files[1])
            return {"width": made.width, "height": made.height}, (made.data,)
        ofd = read_source(files[0])
    except MarkRefusedError as error:
        return {"refused": error.refusal.value}, ()
    said = {
        "file": ofd.file,
        "unit_id": ofd.unit_id,
        "pages": [(page.id, page.width, page.height, page.annotations) for page in ofd.pages],
        "kept": (ofd.before, ofd.behind, ofd.listed),
        "names": list(ofd.files),
    }
    return said, list(ofd.files.values())


if __name__ == "__main__":
    PROCESS.serve(_answer)
