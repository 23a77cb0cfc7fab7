"""A font in a PDF: a subset of it, how wide its glyphs are, and which characters they stand for.

A composite font with Identity encoding (ISO 32000-2 §9.7): two bytes for each glyph. The font
program goes in as it was cut (§9.9, `CIDFontType0C` or TrueType); a PDF library would take it apart
and put it together again, which takes ten times as long as everything else on a page.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fontTools.ttLib import TTFont
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import PdfFileWriter

from hub.seal.faces.fonts import FontFile

# Glyphs outside of the standard Latin set (§9.8.2); the width of stems is a hint that nobody needs.
_SYMBOLIC: Final = 4
_STEM: Final = 80
# Entries of one block of a CMap (Adobe TN 5014 §2.2).
_BLOCK: Final = 100


@dataclass(frozen=True, slots=True)
class PdfFont:
    """A font that stands in the file as `reference`."""

    reference: Any
    codes: Mapping[str, int]

    def shown(self, text: str) -> str:
        """The operand of Tj that shows a text."""
        return "<" + "".join(f"{self.codes[one]:04x}" for one in text) + ">"


def embed(writer: PdfFileWriter, font: FontFile, characters: frozenset[str]) -> PdfFont:
    """Put the part of `font` that has these characters into the file."""
    program = font.subset(characters)
    cut = TTFont(io.BytesIO(program), lazy=True)
    names = cut.getBestCmap()
    is_cff = "CFF " in cut
    codes = {one: _code(cut, names[ord(one)], is_cff=is_cff) for one in sorted(characters)}
    # Six letters that tell subsets of one font apart (§9.9.2); the same part has the same ones.
    tag = "".join(chr(65 + byte % 26) for byte in hashlib.sha256(program).digest()[:6])
    name = pdf_name(f"/{tag}+{cut['name'].getDebugName(6)}")
    scale = 1000 / cut["head"].unitsPerEm
    metrics = cut["hmtx"].metrics
    widths = generic.ArrayObject()
    for one, code in sorted(codes.items(), key=lambda item: item[1]):
        width = generic.NumberObject(round(metrics[names[ord(one)]][0] * scale))
        widths += [generic.NumberObject(code), generic.ArrayObject([width])]
    descendant = {
        "/Type": pdf_name("/Font"),
        "/Subtype": pdf_name("/CIDFontType0" if is_cff else "/CIDFontType2"),
        "/BaseFont": name,
        "/CIDSystemInfo": dictionary(
            {
                "/Registry": generic.pdf_string("Adobe"),
                "/Ordering": generic.pdf_string("Identity"),
                "/Supplement": generic.NumberObject(0),
            }
        ),
        "/FontDescriptor": writer.add_object(_descriptor(writer, cut, program, name)),
        "/W": widths,
    }
    if not is_cff:
        descendant["/CIDToGIDMap"] = pdf_name("/Identity")
    composite = {
        "/Type": pdf_name("/Font"),
        "/Subtype": pdf_name("/Type0"),
        "/BaseFont": name,
        "/Encoding": pdf_name("/Identity-H"),
        "/DescendantFonts": generic.ArrayObject([writer.add_object(dictionary(descendant))]),
        "/ToUnicode": writer.add_object(_stream(_to_unicode(codes))),
    }
    return PdfFont(writer.add_object(dictionary(composite)), codes)


def dictionary(members: Mapping[str, Any]) -> Any:
    """A dictionary object; names begin with a slash."""
    return generic.DictionaryObject({pdf_name(name): value for name, value in members.items()})


def _code(cut: TTFont, glyph: str, *, is_cff: bool) -> int:
    """The number by which text names a glyph: its CID where the font is keyed by such, else its
    place (§9.7.4.2)."""
    if is_cff and hasattr(cut["CFF "].cff[0], "ROS"):
        return int(glyph.removeprefix("cid"))
    place: int = cut.getGlyphID(glyph)
    return place


def _descriptor(writer: PdfFileWriter, cut: TTFont, program: bytes, name: Any) -> Any:
    head, lines = cut["head"], cut["hhea"]
    scale = 1000 / head.unitsPerEm
    height = round(lines.ascent * scale)
    members = {
        "/Type": pdf_name("/FontDescriptor"),
        "/FontName": name,
        "/Flags": generic.NumberObject(_SYMBOLIC),
        "/FontBBox": generic.ArrayObject(
            generic.NumberObject(round(value * scale))
            for value in (head.xMin, head.yMin, head.xMax, head.yMax)
        ),
        "/ItalicAngle": generic.NumberObject(0),
        "/Ascent": generic.NumberObject(height),
        "/Descent": generic.NumberObject(round(lines.descent * scale)),
        "/CapHeight": generic.NumberObject(height),
        "/StemV": generic.NumberObject(_STEM),
    }
    if "CFF " in cut:
        outlines = _stream(cut.reader["CFF "])
        outlines[pdf_name("/Subtype")] = pdf_name("/CIDFontType0C")
        members["/FontFile3"] = writer.add_object(outlines)
    else:
        members["/FontFile2"] = writer.add_object(_stream(program))
    return dictionary(members)


def _to_unicode(codes: Mapping[str, int]) -> bytes:
    """Which characters the codes stand for (§9.10.3), so that text can be searched and copied."""
    pairs = [f"<{code:04x}> <{one.encode('utf-16-be').hex()}>" for one, code in codes.items()]
    blocks = []
    for at in range(0, len(pairs), _BLOCK):
        block = pairs[at : at + _BLOCK]
        blocks += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <ffff> endcodespacerange",
            *blocks,
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        ]
    ).encode()


def _stream(data: bytes) -> Any:
    stream = generic.StreamObject(stream_data=data)
    stream.compress()
    return stream
