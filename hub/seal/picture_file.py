"""Pictures of seals as files: what is one, and SVG as pixels.

A seal's picture travels inside every signature made with it and is decoded by whoever looks, so
what comes in is refused rather than repaired: a picture is one PNG or one SVG of shapes, small, and
without anything that acts, animates or reaches out.

These functions read what others made: they run in a process of their own (`pictures.py`).
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from PIL import Image

from hub.proof.reports.svg import SvgRefusedError, draw_svg, small_png, svg_size

PICTURE_BYTES_MAX: Final = 524_288
SIDE_PIXELS_MAX: Final = 4096
PIXELS_MAX: Final = 6_000_000
MM_PER_INCH: Final = 25.4


class PictureType(StrEnum):
    """The kinds of pictures that are taken, as GB/T 38540 names them."""

    PNG = "PNG"
    SVG = "SVG"


@dataclass(frozen=True, slots=True)
class SealPicture:
    """A checked picture: its bytes as they came, and its size in pixels (PNG) or whole millimetres
    (SVG), rounded up."""

    type: PictureType
    data: bytes = field(repr=False)
    width: int
    height: int


class PictureRefusedError(Exception):
    """No picture that is taken; `rule` is the id of the rule that it breaks."""

    def __init__(self, rule: str, **details: int) -> None:
        super().__init__(rule)
        self.rule, self.details = rule, details


def read_picture(data: bytes) -> SealPicture:
    """The picture in `data`, once it was found harmless and really drawn.

    1. Size. 2. Kind by its first bytes. 3. PNG: side and area from the header alone, the chunks
    whole and nothing behind them, one frame, and decoded. SVG: no DTD, elements and attributes of
    the lists in `hub.proof.reports.svg`, and drawn to something that can be seen. Raises
    PictureRefusedError.
    """
    if len(data) > PICTURE_BYTES_MAX:
        raise PictureRefusedError("picture.size", limit=PICTURE_BYTES_MAX)
    if data.startswith(_PNG_MAGIC):
        return _check_png(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _check_svg(data)
    raise PictureRefusedError("picture.kind")


def draw_picture(picture: SealPicture, width_mm: float, dpi: int) -> bytes:
    """The picture as PNG on a transparent ground. A PNG is given back as it came. Raises
    PictureRefusedError."""
    if picture.type is PictureType.PNG:
        return picture.data
    # The higher side is bounded as well; its millimetres are rounded up.
    most = SIDE_PIXELS_MAX * min(1.0, picture.width / picture.height)
    try:
        return draw_svg(picture.data, max(1, math.ceil(min(most, width_mm / MM_PER_INCH * dpi))))
    except SvgRefusedError as error:
        raise PictureRefusedError(error.rule, **error.details) from error


# -- PNG -------------------------------------------------------------------------------------------

_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_CHUNKS_MAX: Final = 4096
_ANIMATED: Final = frozenset({b"acTL", b"fcTL", b"fdAT"})


def _check_png(data: bytes) -> SealPicture:
    width, height = _check_chunks(data)
    try:
        with warnings.catch_warnings():
            # Its own warning of large pictures comes long after our limit.
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.size != (width, height):
                    raise PictureRefusedError("picture.png")
                image.load()
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise PictureRefusedError("picture.png") from error
    return SealPicture(PictureType.PNG, data, width, height)


def _check_chunks(data: bytes) -> tuple[int, int]:
    """Width and height, from chunks that are whole (PNG, W3C 2003, §5); nothing is decoded."""
    place, size = len(_PNG_MAGIC), (0, 0)
    for index in range(_CHUNKS_MAX):
        if place + 12 > len(data):
            raise PictureRefusedError("picture.png")
        length, kind = struct.unpack_from(">I4s", data, place)
        if (kind == b"IHDR") != (index == 0) or place + 12 + length > len(data):
            raise PictureRefusedError("picture.png")
        if kind == b"IHDR":
            if length != 13:
                raise PictureRefusedError("picture.png")
            size = struct.unpack_from(">II", data, place + 8)
            _check_pixels(*size)
        if kind in _ANIMATED:
            raise PictureRefusedError("picture.animated")
        place += 12 + length
        if kind == b"IEND":
            if place != len(data):
                raise PictureRefusedError("picture.trailing")
            return size
    raise PictureRefusedError("picture.png")


def _check_pixels(width: int, height: int) -> None:
    if not (0 < width <= SIDE_PIXELS_MAX and 0 < height <= SIDE_PIXELS_MAX):
        raise PictureRefusedError("picture.side", limit=SIDE_PIXELS_MAX)
    if width * height > PIXELS_MAX:
        raise PictureRefusedError("picture.pixels", limit=PIXELS_MAX)


# -- SVG -------------------------------------------------------------------------------------------


def _check_svg(data: bytes) -> SealPicture:
    try:
        width, height = svg_size(data)
        drawn = small_png(data, 128)
    except SvgRefusedError as error:
        raise PictureRefusedError(error.rule, **error.details) from error
    with Image.open(io.BytesIO(drawn), formats=("PNG",)) as image:
        if image.getchannel("A").getextrema()[1] == 0:
            raise PictureRefusedError("picture.nothing")
    return SealPicture(PictureType.SVG, data, math.ceil(width), math.ceil(height))
