"""A page as PDF, unsealed: text with a subset CID font and its ToUnicode map, shapes, pictures.

Written with pyHanko, which seals PDF here too, so that what it signs is what it wrote. The text can
be searched and copied; its fonts are in the file.
"""

from __future__ import annotations

import datetime
import io
import math
import zlib
from typing import Any, Final

from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.metadata.model import ExpandedName, XmpStructure, XmpValue
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.page import Colour, Page, Picture, Shape, TextLine, number
from hub.seal.faces.pdf_font import dictionary, embed

POINTS_PER_MM: Final = 72 / 25.4
XMP_NAMESPACE: Final = "urn:sealway:certificate:1#"
"""Of the metadata items in XMP; their names are those of GB/T 36903."""


def page_pdf(page: Page, fonts: FaceFonts, metadata: Metadata) -> bytes:
    """The page as a PDF of one page. Two calls give files that differ in their random IDs."""
    writer = PdfFileWriter(stream_xrefs=False, info=None)
    writer.output_version = (1, 7)
    writing = _Writing(writer, page, fonts)
    commands = writing.commands()
    content = generic.StreamObject(stream_data=commands)
    content.compress()
    written = PageObject(
        contents=writer.add_object(content),
        media_box=generic.ArrayObject(
            generic.FloatObject(f"{value * POINTS_PER_MM:.4f}")
            for value in (0, 0, page.width, page.height)
        ),
        resources=writing.resources(),
    )
    writer.insert_page(written)
    _describe(writer, metadata)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


class _Writing:
    """One page on its way into content operators, and the resources that these name."""

    def __init__(self, writer: PdfFileWriter, page: Page, fonts: FaceFonts) -> None:
        self._writer = writer
        self._page = page
        self._fonts = {
            font: embed(writer, fonts.files[font], characters)
            for font, characters in page.characters.items()
        }
        self._alphas: dict[float, str] = {}
        self._pictures: dict[bytes, str] = {}

    def commands(self) -> bytes:
        """All items. The page's axes are scaled to millimetres; y is turned over by hand, because
        a mirrored page would mirror its text."""
        scale = f"{POINTS_PER_MM:.6f}"
        parts = [f"{scale} 0 0 {scale} 0 0 cm".encode()]
        for item in self._page.items:
            if isinstance(item, TextLine):
                parts.append(self._text(item))
            elif isinstance(item, Shape):
                parts.append(self._shape(item))
            else:
                parts.append(self._picture(item))
        return b"\n".join(parts)

    def resources(self) -> Any:
        """Fonts, pictures and transparencies, once `commands` has named them."""
        states = {
            name: generic.DictionaryObject(
                {
                    pdf_name("/ca"): generic.FloatObject(f"{alpha:.4f}"),
                    pdf_name("/CA"): generic.FloatObject(f"{alpha:.4f}"),
                }
            )
            for alpha, name in self._alphas.items()
        }
        return dictionary(
            {
                "/Font": dictionary(
                    {f"/F{number}": font.reference for number, font in self._fonts.items()}
                ),
                "/ExtGState": dictionary(states),
                "/XObject": dictionary(
                    {
                        name: self._writer.add_object(image)
                        for png, name in self._pictures.items()
                        for image in (_image(self._writer, png),)
                    }
                ),
            }
        )

    def _text(self, line: TextLine) -> bytes:
        turn = math.radians(line.angle)
        cosine, sine = number(math.cos(turn)), number(math.sin(turn))
        minus = number(-math.sin(turn))
        place = f"{number(line.x)} {number(self._page.height - line.y)}"
        head = (
            f"q {self._alpha(line.colour)}{_rgb(line.colour)} rg BT "
            f"/F{line.font} {number(line.size)} Tf {number(line.spacing)} Tc "
            f"{cosine} {sine} {minus} {cosine} {place} Tm "
        )
        return f"{head}{self._fonts[line.font].shown(line.text)} Tj ET Q".encode()

    def _shape(self, shape: Shape) -> bytes:
        height = self._page.height
        steps = []
        for letter, points in shape.path:
            placed = [
                number(height - value if index % 2 else value) for index, value in enumerate(points)
            ]
            steps.append(" ".join([*placed, _OPERATORS[letter]]))
        colour = shape.fill or shape.stroke
        assert colour is not None, "a shape is filled or stroked"
        paint = {(True, True): "B", (True, False): "f", (False, True): "S"}[
            shape.fill is not None, shape.stroke is not None
        ]
        head = f"q {self._alpha(colour)}"
        if shape.fill is not None:
            head += f"{_rgb(shape.fill)} rg "
        if shape.stroke is not None:
            head += f"{_rgb(shape.stroke)} RG {number(shape.width)} w "
        return f"{head}{' '.join(steps)} {paint} Q".encode()

    def _picture(self, picture: Picture) -> bytes:
        name = self._pictures.setdefault(picture.png, f"/Im{len(self._pictures)}")
        box = picture.box
        return (
            f"q {number(box.width)} 0 0 {number(box.height)} {number(box.x)} "
            f"{number(self._page.height - box.bottom)} cm {name} Do Q"
        ).encode()

    def _alpha(self, colour: Colour) -> str:
        if colour.alpha == 1:
            return ""
        return f"{self._alphas.setdefault(colour.alpha, f'/GS{len(self._alphas)}')} gs "


_OPERATORS: Final = {"M": "m", "L": "l", "C": "c", "Z": "h"}


def _image(writer: PdfFileWriter, png: bytes) -> Any:
    """A picture that was checked, with its transparency as a mask."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
        image = opened.convert("RGBA")
    colours = _samples(image.convert("RGB"), "/DeviceRGB")
    colours[pdf_name("/SMask")] = writer.add_object(_samples(image.getchannel("A"), "/DeviceGray"))
    return colours


def _samples(image: Image.Image, space: str) -> Any:
    return generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Image"),
            pdf_name("/Width"): generic.NumberObject(image.width),
            pdf_name("/Height"): generic.NumberObject(image.height),
            pdf_name("/ColorSpace"): pdf_name(space),
            pdf_name("/BitsPerComponent"): generic.NumberObject(8),
            pdf_name("/Filter"): pdf_name("/FlateDecode"),
        },
        encoded_data=zlib.compress(image.tobytes()),
    )


def _describe(writer: PdfFileWriter, metadata: Metadata) -> None:
    """The items in XMP, and in the document information for readers that know no XMP."""
    created = datetime.datetime.fromtimestamp(metadata.created, datetime.UTC)
    items = {
        ExpandedName(XMP_NAMESPACE, name): XmpValue(value) for name, value in metadata.items.items()
    }
    described = writer.document_meta
    described.title, described.author = metadata.title, metadata.author
    described.creator, described.created = "Sealway", created
    described.xmp_extra = [XmpStructure(items)]
    info = {f"/{name}": generic.TextStringObject(value) for name, value in metadata.items.items()}
    info |= {
        "/Title": generic.TextStringObject(metadata.title),
        "/Author": generic.TextStringObject(metadata.author),
        "/Creator": generic.TextStringObject("Sealway"),
        "/CreationDate": generic.pdf_date(created),
    }
    writer.set_info(writer.add_object(dictionary(info)))


def _rgb(colour: Colour) -> str:
    return " ".join(number(value / 255) for value in (colour.red, colour.green, colour.blue))
