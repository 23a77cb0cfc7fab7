"""The round official seal (公章), drawn here for whoever has no picture of one."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from typing import Final

from PIL import Image

from hub.errors import HubError, Reason
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.page import number
from hub.seal.faces.svg import svg_steps

PALETTE_COLOURS_MAX: Final = 256

SEAL_RED: Final = "#e60012"
DIAMETER_MM: Final = 40.0
_NAME_MAX: Final = 40
_CODE: Final = re.compile(r"[0-9A-Z]{1,18}")


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


def _wrong(name: str, rule: str) -> HubError:
    return HubError(Reason.FIELD_INVALID, field=name, rule=rule)
