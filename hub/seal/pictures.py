"""Pictures of seals: those uploaded are checked, the round official seal is drawn here.

A seal's picture travels inside every signature made with it and is decoded by whoever looks, so
what comes in is refused rather than repaired: a picture is one PNG or one SVG of shapes, small, and
without anything that acts, animates or reaches out.
"""

from __future__ import annotations

import io
import math
import re
import struct
import warnings
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from PIL import Image

from hub.domain.rules import violation
from hub.errors import HubError, Reason
from hub.proof.reports.svg import SvgRefusedError, draw_svg, small_png, svg_size
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.page import number

PICTURE_BYTES_MAX: Final = 524_288
PALETTE_COLOURS_MAX: Final = 256
SIDE_PIXELS_MAX: Final = 4096
PIXELS_MAX: Final = 6_000_000
DPI: Final = 600
MM_PER_INCH: Final = 25.4

SEAL_RED: Final = "#e60012"
DIAMETER_MM: Final = 40.0
_NAME_MAX: Final = 40
_CODE: Final = re.compile(r"[0-9A-Z]{1,18}")


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


def check_picture(data: bytes) -> SealPicture:
    """The picture in `data`, once it was found harmless and really drawn.

    1. Size. 2. Kind by its first bytes. 3. PNG: side and area from the header alone, the chunks
    whole and nothing behind them, one frame, and decoded. SVG: no DTD, elements and attributes of
    the lists below, and drawn to something that can be seen. Raises HubError(PICTURE_INVALID) with
    the rule and what to do.
    """
    if len(data) > PICTURE_BYTES_MAX:
        raise _refused("picture.size", limit=PICTURE_BYTES_MAX)
    if data.startswith(_PNG_MAGIC):
        return _check_png(data)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _check_svg(data)
    raise _refused("picture.kind")


def rendered(picture: SealPicture, width_mm: float, dpi: int = DPI) -> bytes:
    """The picture as PNG on a transparent ground. A PNG is given back as it came."""
    if picture.type is PictureType.PNG:
        return picture.data
    # The higher side is bounded as well; its millimetres are rounded up.
    most = SIDE_PIXELS_MAX * min(1.0, picture.width / picture.height)
    pixels = max(1, math.ceil(min(most, width_mm / MM_PER_INCH * dpi)))
    return render_svg(picture.data, pixels)


def render_svg(svg: bytes, width_pixels: int) -> bytes:
    """An SVG that was checked, as PNG so many pixels wide. Raises HubError(PICTURE_INVALID)."""
    try:
        return draw_svg(svg, width_pixels)
    except SvgRefusedError as error:
        raise _refused(error.rule) from error


def with_palette(png: bytes) -> bytes:
    """The same pixels in a third of the bytes, where a PNG has few colours, as drawn seals have:
    electronic seals are small. Others are given back as they came."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        pixels = image.convert("RGBA")
    if pixels.getcolors(PALETTE_COLOURS_MAX) is None:
        return png
    data = pixels.tobytes()
    colours = [data[at : at + 4] for at in range(0, len(data), 4)]
    place = {colour: index for index, colour in enumerate(dict.fromkeys(colours))}
    indexed = Image.frombytes("P", pixels.size, bytes(map(place.__getitem__, colours)))
    indexed.putpalette(b"".join(colour[:3] for colour in place))
    packed = io.BytesIO()
    indexed.save(packed, "PNG", transparency=bytes(colour[3] for colour in place), optimize=True)
    return packed.getvalue()


# -- The round official seal -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoundSeal:
    """A round official seal (公章): the authority's name on its arc, a five-pointed star, what it
    is for below the star, its code along the lower edge; "" for none. `diameter` in millimetres."""

    name: str
    purpose: str = ""
    code: str = ""
    diameter: float = DIAMETER_MM


def draw_round_seal(seal: RoundSeal, fonts: FaceFonts) -> bytes:
    """The seal as SVG of shapes only, so that it looks the same wherever it is opened; equal seals
    and fonts give equal bytes.

    Raises HubError: FIELD_INVALID for a name, purpose, code or diameter that cannot stand on a
    seal, FONT_GLYPH_MISSING.
    """
    _check_round_seal(seal)
    fonts.check_characters(seal.name + seal.purpose + seal.code)
    # Drawn on a seal of 40 mm about (0, 0), then scaled to its diameter.
    paths = [_star(7.0)]
    paths += _on_arc(seal.name, fonts, radius=14.3, size=5.2, sweep_max=256.0, is_upper=True)
    if seal.code:
        paths += _on_arc(seal.code, fonts, radius=17.6, size=1.9, sweep_max=90.0, is_upper=False)
    if seal.purpose:
        paths += _straight(seal.purpose, fonts, y=12.2, size=3.6, width_max=20.0)
    side = number(seal.diameter)
    body = "".join(f'<path d="{path}"/>' for path in paths)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}mm" height="{side}mm" '
        f'viewBox="-20 -20 40 40"><circle cx="0" cy="0" r="19.4" fill="none" '
        f'stroke="{SEAL_RED}" stroke-width="1.2"/><g fill="{SEAL_RED}">{body}</g></svg>'
    ).encode()


def _check_round_seal(seal: RoundSeal) -> None:
    if not 0 < len(seal.name) <= _NAME_MAX or not seal.name.isprintable():
        raise _wrong("name", f"1 to {_NAME_MAX} printable characters")
    if len(seal.purpose) > 12 or not seal.purpose.isprintable():
        raise _wrong("purpose", "at most 12 printable characters")
    if seal.code and not _CODE.fullmatch(seal.code):
        raise _wrong("code", "at most 18 digits or capital letters")
    if not 20.0 <= seal.diameter <= 60.0:
        raise _wrong("diameter", "20 to 60 mm")


def _star(radius: float) -> str:
    points = []
    # The inner corners of a regular pentagram lie at this part of its radius.
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    for corner in range(10):
        angle = math.radians(-90 + 36 * corner)
        r = inner if corner % 2 else radius
        points.append(f"{number(r * math.cos(angle))} {number(r * math.sin(angle))}")
    return "M" + "L".join(points) + "Z"


def _on_arc(
    text: str, fonts: FaceFonts, *, radius: float, size: float, sweep_max: float, is_upper: bool
) -> list[str]:
    """Each character of `text` as a path, standing on the circle of its baseline; in the upper half
    it reads clockwise with its feet inwards, in the lower one the other way round.

    What would need more than `sweep_max` degrees is made narrower.
    """
    widths = [fonts.advance(one) * size for one in text]
    gap = size * 0.28
    needed = sum(widths) + gap * (len(text) - 1)
    room = math.radians(sweep_max) * radius
    narrow = min(1.0, room / needed)
    turn = 1 if is_upper else -1
    angle = (-90.0 if is_upper else 90.0) - turn * math.degrees(needed * narrow / radius) / 2
    paths = []
    for one, width in zip(text, widths, strict=True):
        middle = angle + turn * math.degrees(width * narrow / radius) / 2
        x = radius * math.cos(math.radians(middle))
        y = radius * math.sin(math.radians(middle))
        facing = middle + 90 if is_upper else middle - 90
        paths.append(_glyph(fonts, one, size, narrow, (x, y, facing)))
        angle += turn * math.degrees((width + gap) * narrow / radius)
    return paths


def _straight(text: str, fonts: FaceFonts, *, y: float, size: float, width_max: float) -> list[str]:
    """Each character as a path on a line about x = 0, made narrower where it is too long."""
    widths = [fonts.advance(one) * size for one in text]
    narrow = min(1.0, width_max / sum(widths))
    x = -sum(widths) * narrow / 2
    paths = []
    for one, width in zip(text, widths, strict=True):
        paths.append(_glyph(fonts, one, size, narrow, (x + width * narrow / 2, y, 0)))
        x += width * narrow
    return paths


def _glyph(
    fonts: FaceFonts, character: str, size: float, narrow: float, at: tuple[float, float, float]
) -> str:
    """A glyph with the middle of its baseline at x and y, turned by so many degrees."""
    x, y, turn = at
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    half = fonts.advance(character) / 2

    def place(point: tuple[float, float]) -> str:
        right, down = (point[0] - half) * size * narrow, -point[1] * size
        return (
            f"{number(x + right * cosine - down * sine)} {number(y + right * sine + down * cosine)}"
        )

    return "".join(
        letter + " ".join(map(place, points)) for letter, points in svg_steps(fonts, character)
    )


def svg_steps(
    fonts: FaceFonts, character: str
) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    """The outline of a character at size 1, y upwards, in the letters of an SVG path."""
    steps: list[tuple[str, tuple[tuple[float, float], ...]]] = []
    for call, points in fonts.outline(character):
        if call == "moveTo":
            steps.append(("M", points))
        elif call == "lineTo":
            steps.append(("L", points))
        elif call == "curveTo":
            steps.append(("C", points))
        elif call == "qCurveTo":
            steps += _quadratic(points)
        else:
            steps.append(("Z", ()))
    return steps


def _quadratic(
    points: tuple[tuple[float, float], ...],
) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    """A TrueType curve, whose points between two handles are implied (OpenType 1.9, glyf)."""
    handles, end = points[:-1], points[-1]
    steps: list[tuple[str, tuple[tuple[float, float], ...]]] = []
    for index, handle in enumerate(handles):
        after = handles[index + 1] if index + 1 < len(handles) else None
        goal = end if after is None else ((handle[0] + after[0]) / 2, (handle[1] + after[1]) / 2)
        steps.append(("Q", (handle, goal)))
    return steps or [("L", (end,))]


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
                    raise _refused("picture.png")
                image.load()
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise _refused("picture.png") from error
    return SealPicture(PictureType.PNG, data, width, height)


def _check_chunks(data: bytes) -> tuple[int, int]:
    """Width and height, from chunks that are whole (PNG, W3C 2003, §5); nothing is decoded."""
    place, size = len(_PNG_MAGIC), (0, 0)
    for index in range(_CHUNKS_MAX):
        if place + 12 > len(data):
            raise _refused("picture.png")
        length, kind = struct.unpack_from(">I4s", data, place)
        if (kind == b"IHDR") != (index == 0) or place + 12 + length > len(data):
            raise _refused("picture.png")
        if kind == b"IHDR":
            if length != 13:
                raise _refused("picture.png")
            size = struct.unpack_from(">II", data, place + 8)
            _check_pixels(*size)
        if kind in _ANIMATED:
            raise _refused("picture.animated")
        place += 12 + length
        if kind == b"IEND":
            if place != len(data):
                raise _refused("picture.trailing")
            return size
    raise _refused("picture.png")


def _check_pixels(width: int, height: int) -> None:
    if not (0 < width <= SIDE_PIXELS_MAX and 0 < height <= SIDE_PIXELS_MAX):
        raise _refused("picture.side", limit=SIDE_PIXELS_MAX)
    if width * height > PIXELS_MAX:
        raise _refused("picture.pixels", limit=PIXELS_MAX)


# -- SVG -------------------------------------------------------------------------------------------


def _check_svg(data: bytes) -> SealPicture:
    try:
        width, height = svg_size(data)
        drawn = small_png(data, 128)
    except SvgRefusedError as error:
        raise _refused(error.rule, **error.details) from error
    with Image.open(io.BytesIO(drawn), formats=("PNG",)) as image:
        if image.getchannel("A").getextrema()[1] == 0:
            raise _refused("picture.nothing")
    return SealPicture(PictureType.SVG, data, math.ceil(width), math.ceil(height))


def _refused(rule: str, **details: int) -> HubError:
    broken = violation("picture", rule, **details)
    return HubError(Reason.PICTURE_INVALID, violations=(broken,), rule=rule)


def _wrong(name: str, rule: str) -> HubError:
    return HubError(Reason.FIELD_INVALID, field=name, rule=rule)
