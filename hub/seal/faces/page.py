"""A page as it will look, independent of any file format: what `layout` makes and writers write.

Lengths are millimetres from the upper left corner, y downwards. Items are painted in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than an edge."""
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether `other` lies in it."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


@dataclass(frozen=True, slots=True)
class Colour:
    """RGB, 0 to 255 each, and how much it covers, 0 to 1."""

    red: int
    green: int
    blue: int
    alpha: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Colour:
        """`#rrggbb`. Raises ValueError."""
        if len(text) != 7 or text[0] != "#":
            raise ValueError(text)
        return cls(int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))

    @property
    def rgb(self) -> str:
        """As CSS and SVG write it."""
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


BLACK: Final = Colour(0, 0, 0)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text that begins at (`x`, `y`) on its baseline; `size` is the em.

    `advances` say how far each character moves on. `angle` (degrees, anticlockwise) turns it about
    its beginning. All of it is set in one `font` (`FaceFonts.files`).
    """

    x: float
    y: float
    size: float
    text: str = field(repr=False)
    advances: tuple[float, ...]
    spacing: float = 0.0
    colour: Colour = BLACK
    angle: float = 0.0
    font: int = 0

    @property
    def width(self) -> float:
        """From its beginning to the end of its last character."""
        return sum(self.advances) - self.spacing


Step: TypeAlias = "tuple[str, tuple[float, ...]]"
"""Part of a path: `M` x y, `L` x y, `C` x1 y1 x2 y2 x y, `Z`; absolute."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A path that is filled, stroked, or both; it lies in `box`."""

    path: tuple[Step, ...]
    box: Box
    fill: Colour | None = None
    stroke: Colour | None = None
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG stretched over its box."""

    box: Box
    png: bytes = field(repr=False)


Item: TypeAlias = "TextLine | Shape | Picture"


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `seal` is where the seal goes, `code` where the two-dimensional code stands."""

    width: float
    height: float
    items: tuple[Item, ...] = field(repr=False)
    seal: Box
    code: Box

    @property
    def characters(self) -> Mapping[int, frozenset[str]]:
        """Every character that is set on it, by its font, in the order of fonts."""
        found: dict[int, set[str]] = {}
        for item in self.items:
            if isinstance(item, TextLine):
                found.setdefault(item.font, set()).update(item.text)
        return {font: frozenset(found[font]) for font in sorted(found)}


def line(ends: tuple[float, float, float, float], width: float, colour: Colour) -> Shape:
    """A straight line from x1 y1 to x2 y2."""
    x1, y1, x2, y2 = ends
    half = width / 2
    box = Box(min(x1, x2) - half, min(y1, y2) - half, abs(x2 - x1) + width, abs(y2 - y1) + width)
    return Shape((("M", (x1, y1)), ("L", (x2, y2))), box, stroke=colour, width=width)


def frame(box: Box, width: float, colour: Colour) -> Shape:
    """The outline of a box, its middle on the sides of the box."""
    half = width / 2
    outer = Box(box.x - half, box.y - half, box.width + width, box.height + width)
    return Shape(tuple(_rectangle(box)), outer, stroke=colour, width=width)


def blocks(boxes: Sequence[Box], colour: Colour) -> Shape:
    """Filled rectangles as one shape. There is at least one."""
    steps = tuple(step for box in boxes for step in _rectangle(box))
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Shape(steps, Box(x, y, right - x, bottom - y), fill=colour)


# How far the handles of four cubic curves lie off the corners of a circle of radius 1.
_HANDLE: Final = 0.5522847498


def circle(x: float, y: float, radius: float, width: float, colour: Colour) -> Shape:
    """The outline of a circle about (`x`, `y`)."""
    r, h = radius, radius * _HANDLE
    steps: tuple[Step, ...] = (
        ("M", (x + r, y)),
        ("C", (x + r, y + h, x + h, y + r, x, y + r)),
        ("C", (x - h, y + r, x - r, y + h, x - r, y)),
        ("C", (x - r, y - h, x - h, y - r, x, y - r)),
        ("C", (x + h, y - r, x + r, y - h, x + r, y)),
        ("Z", ()),
    )
    outer = radius + width / 2
    return Shape(steps, Box(x - outer, y - outer, 2 * outer, 2 * outer), None, colour, width)


def number(value: float) -> str:
    """A length as every writer writes it: at most four decimals, no exponent, no negative zero."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rectangle(box: Box) -> tuple[Step, ...]:
    return (
        ("M", (box.x, box.y)),
        ("L", (box.right, box.y)),
        ("L", (box.right, box.bottom)),
        ("L", (box.x, box.bottom)),
        ("Z", ()),
    )
