"""A page as SVG, glyphs as outlines, and as PNG: what a preview on a screen needs, and no font."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Final

from hub.proof.reports.svg import draw_svg
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.page import Colour, Page, Picture, Shape, TextLine, number
from hub.seal.picture_file import MM_PER_INCH, SIDE_PIXELS_MAX

PREVIEW_DPI: Final = 150


def page_svg(page: Page, fonts: FaceFonts) -> bytes:
    """The page as SVG on white ground, one user unit per millimetre."""
    width, height = number(page.width), number(page.height)
    body = []
    for item in page.items:
        if isinstance(item, TextLine):
            body.append(_text(item, fonts))
        elif isinstance(item, Shape):
            body.append(_shape(item))
        else:
            body.append(_picture(item))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(body)}</svg>'
    ).encode()


def page_png(page: Page, fonts: FaceFonts, dpi: int = PREVIEW_DPI) -> bytes:
    """The page as PNG; no side has more than 4,096 pixels."""
    longest = max(page.width, page.height) / MM_PER_INCH * dpi
    scale = min(1.0, SIDE_PIXELS_MAX / longest)
    return draw_svg(page_svg(page, fonts), int(page.width / MM_PER_INCH * dpi * scale))


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


def _text(line: TextLine, fonts: FaceFonts) -> str:
    turn = math.radians(-line.angle)
    cosine, sine = math.cos(turn) * line.size, math.sin(turn) * line.size
    steps = []
    moved = 0.0
    for character, advance in zip(line.text, line.advances, strict=True):
        for letter, points in svg_steps(fonts, character):
            placed = []
            for x, y in points:
                right, down = x + moved / line.size, -y
                placed.append(number(line.x + right * cosine - down * sine))
                placed.append(number(line.y + right * sine + down * cosine))
            steps.append(letter + " ".join(placed))
        moved += advance
    return f'<path d="{"".join(steps)}"{_paint("fill", line.colour)}/>'


def _shape(shape: Shape) -> str:
    steps = "".join(letter + " ".join(map(number, points)) for letter, points in shape.path)
    fill = ' fill="none"' if shape.fill is None else _paint("fill", shape.fill)
    stroke = ""
    if shape.stroke is not None:
        stroke = f'{_paint("stroke", shape.stroke)} stroke-width="{number(shape.width)}"'
    return f'<path d="{steps}"{fill}{stroke}/>'


def _picture(picture: Picture) -> str:
    box = picture.box
    data = b64encode(picture.png).decode()
    return (
        f'<image x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" '
        f'height="{number(box.height)}" preserveAspectRatio="none" '
        f'xlink:href="data:image/png;base64,{data}"/>'
    )


def _paint(kind: str, colour: Colour) -> str:
    opacity = "" if colour.alpha == 1 else f' {kind}-opacity="{number(colour.alpha)}"'
    return f' {kind}="{colour.rgb}"{opacity}'
