"""A font whose outlines are cubic (CFF) with quadratic ones (TrueType, OpenType 1.9 `glyf`).

OFD asks for OpenType fonts (GB/T 33190), which both are. But ofdrw, and what is built on it, draws
TrueType outlines only: of others a reader sees boxes in the place of Chinese text.
"""

from __future__ import annotations

import io
import struct
from typing import Final, NamedTuple

from fontTools import ttLib
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

# How far a curve may leave the original, in parts of the em.
_ERROR_MAX: Final = 0.001
_CUBIC: Final = "OTTO"
# Programs and composed glyphs.
_ABSENT: Final = (
    *("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs"),
    *("maxStackElements", "maxSizeOfInstructions", "maxComponentElements"),
    *("maxCompositePoints", "maxCompositeContours", "maxComponentDepth"),
)

Outlines = dict[int | None, bytes]
"""Glyphs in TrueType by code point, None for what stands for missing ones."""


def with_true_type(data: bytes, known: Outlines) -> bytes:
    """The font in `data` with TrueType outlines, the same bytes for the same font.

    One that has them comes back as it is. What `known` lacks is added to it: a glyph is converted
    once for all documents.
    """
    # Boxes stand in the glyphs: measuring them again would take most of the time.
    font = ttLib.TTFont(io.BytesIO(data), recalcTimestamp=False, recalcBBoxes=False)
    if font.sfntVersion != _CUBIC:
        return data
    order = font.getGlyphOrder()
    codes = {name: code for code, name in font.getBestCmap().items()}
    drawn = font.getGlyphSet()
    error = _ERROR_MAX * font["head"].unitsPerEm
    table = ttLib.newTable("glyf")
    table.glyphOrder, table.glyphs = order, {}
    shapes = []
    for name in order:
        code = codes.get(name)
        if code not in known:
            pen = TTGlyphPen(None)
            # Curves turn the other way round in TrueType.
            drawn[name].draw(Cu2QuPen(pen, error, reverse_direction=True))
            known[code] = pen.glyph().compile(table)
        table.glyphs[name] = ttLib.getTableModule("glyf").Glyph(known[code])
        shape = _Shape.of(known[code])
        shapes.append(shape)
        font["hmtx"][name] = font["hmtx"][name][0], shape.left
    font["glyf"], font["loca"] = table, ttLib.newTable("loca")
    largest = font["maxp"]
    largest.tableVersion, largest.maxZones = 0x00010000, 1
    largest.maxPoints = max(shape.points for shape in shapes)
    largest.maxContours = max(shape.contours for shape in shapes)
    for limit in _ABSENT:
        setattr(largest, limit, 0)
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\0\1\0\0"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


class _Shape(NamedTuple):
    """What other tables say of a glyph: its left edge in units, and how many points and contours
    it has."""

    left: int
    points: int
    contours: int

    @classmethod
    def of(cls, glyph: bytes) -> _Shape:
        """From the head of a simple glyph; a blank has no bytes."""
        if not glyph:
            return cls(0, 0, 0)
        contours, left = struct.unpack_from(">hh", glyph)
        (last,) = struct.unpack_from(">H", glyph, 10 + 2 * (contours - 1))
        return cls(left, last + 1, contours)
