"""Pictures of seals and faces as the hub takes them in: read and drawn in a process of their own.

Both functions block for as long as that takes, a tenth of a second for what is usual, where a
picture is new to this process of the hub; so loops call them in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from hub.domain.rules import violation
from hub.errors import HubError, Reason
from hub.seal.confined import PYTHON, Confined, OverrunError, Said
from hub.seal.picture_file import (
    PICTURE_BYTES_MAX,
    PictureRefusedError,
    PictureType,
    SealPicture,
    draw_picture,
    read_picture,
)

DPI: Final = 600
PROCESS: Final = Confined(
    (*PYTHON, "hub.seal.pictures"),
    memory_max=268_435_456,
    answer_max=33_554_432,
    cpu_s=2,
    wall_s=10.0,
)
_KEPT: Final = 64

_T = TypeVar("_T")


@lru_cache(_KEPT)
def check_picture(data: bytes) -> SealPicture:
    """The picture in `data`, as `read_picture`. Raises HubError(PICTURE_INVALID) with the rule and
    what to do."""
    if len(data) > PICTURE_BYTES_MAX:
        raise _refused("picture.size", limit=PICTURE_BYTES_MAX)

    def read(said: Mapping[str, Any], _files: Sequence[bytes]) -> SealPicture:
        return SealPicture(PictureType(said["type"]), data, int(said["width"]), int(said["height"]))

    return _asked({}, data, read)


@lru_cache(_KEPT)
def rendered(picture: SealPicture, width_mm: float, dpi: int = DPI) -> bytes:
    """The picture as PNG, as `draw_picture`. Raises HubError(PICTURE_INVALID)."""
    if picture.type is PictureType.PNG:
        return picture.data
    return _asked({"width_mm": width_mm, "dpi": dpi}, picture.data, lambda _, files: files[0])


def _asked(
    words: Mapping[str, Any],
    data: bytes,
    read: Callable[[Mapping[str, Any], Sequence[bytes]], _T],
) -> _T:
    try:
        said, files = PROCESS.ask(words, data)
        if "rule" in said:
            raise _refused(said["rule"], **said["details"])
        return read(said, files)
    except (OverrunError, LookupError, TypeError, ValueError) as error:
        raise _refused("picture.limits") from error


def _refused(rule: str, **details: int) -> HubError:
    broken = violation("picture", rule, **details)
    return HubError(Reason.PICTURE_INVALID, violations=(broken,), rule=rule)


def _answer(words: Mapping[str, Any], files: Sequence[bytes]) -> Said:
    """In the process: the picture, drawn where that is asked."""
    try:
        picture = read_picture(files[0])
        if not words:
            return {"type": picture.type, "width": picture.width, "height": picture.height}, ()
        return {}, (draw_picture(picture, words["width_mm"], words["dpi"]),)
    except PictureRefusedError as error:
        return {"rule": error.rule, "details": error.details}, ()


if __name__ == "__main__":
    PROCESS.serve(_answer)
