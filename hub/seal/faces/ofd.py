"""A page as the files of an OFD package (GB/T 33190-2016), unsealed; `docs/formats` says which.

Units are millimetres from the upper left corner, as our page has them. Text is text: characters
with their advances, in a font whose subset lies in the package.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hub.proof.ofd.document import ENTRY_FILE
from hub.proof.ofd.xml import NAMESPACE
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.faces.fonts import FONTS_MAX, FaceFonts
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.page import Box, Colour, Page, Picture, Shape, TextLine, number

PAGE_ID: Final = 1
"""The ID of the one page, which stamps refer to."""
FOLDER: Final = "Doc_0"

_LAYER_ID: Final = 2
# One for each font that a hub may have, then the pictures and all objects of the page.
_FONT_ID: Final = 3
_FIRST_ID: Final = _FONT_ID + FONTS_MAX


def page_ofd(page: Page, fonts: FaceFonts, metadata: Metadata) -> OfdPackage:
    """The page as a package of one document; the same page gives the same bytes."""
    pictures: list[bytes] = []
    for item in page.items:
        if isinstance(item, Picture) and item.png not in pictures:
            pictures.append(item.png)
    picture_ids = {png: _FIRST_ID + index for index, png in enumerate(pictures)}
    first = _FIRST_ID + len(pictures)
    content = _content(page, first, picture_ids)
    files = {
        f"{FOLDER}/Document.xml": _document(page, first + len(page.items), bool(pictures)),
        f"{FOLDER}/PublicRes.xml": font_list(fonts, page, _FONT_ID),
        f"{FOLDER}/Pages/Page_0/Content.xml": content,
    }
    for font, characters in page.characters.items():
        files[f"{FOLDER}/Res/font_{font}.ttf"] = fonts.files[font].true_type_subset(characters)
    if pictures:
        files[f"{FOLDER}/DocumentRes.xml"] = _document_res(picture_ids)
        for png, identifier in picture_ids.items():
            files[f"{FOLDER}/Res/image_{identifier}.png"] = png
    return OfdPackage({ENTRY_FILE: entry_xml(metadata, files, f"{FOLDER}/Document.xml"), **files})


def entry_xml(metadata: Metadata, files: Mapping[str, bytes], document: str) -> bytes:
    """`OFD.xml` of a package of these other files, whose one document is in the file `document`."""
    created = datetime.datetime.fromtimestamp(metadata.created, datetime.UTC)
    whole = hashlib.sha256(repr(metadata.items).encode())
    for path in sorted(files):
        whole.update(hashlib.sha256(files[path]).digest())
    items = "".join(
        f"<ofd:CustomData Name={quoteattr(name)}>{escape(value)}</ofd:CustomData>"
        for name, value in metadata.items.items()
    )
    return xml_file(
        f'<ofd:OFD xmlns:ofd="{NAMESPACE}" Version="1.1" DocType="OFD"><ofd:DocBody><ofd:DocInfo>'
        f"<ofd:DocID>{whole.hexdigest()[:32]}</ofd:DocID>"
        f"<ofd:Title>{escape(metadata.title)}</ofd:Title>"
        f"<ofd:Author>{escape(metadata.author)}</ofd:Author>"
        f"<ofd:CreationDate>{created.date().isoformat()}</ofd:CreationDate>"
        f"<ofd:Creator>Sealway</ofd:Creator>"
        f"<ofd:CustomDatas>{items}</ofd:CustomDatas></ofd:DocInfo>"
        f"<ofd:DocRoot>{escape(document)}</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    )


def _document(page: Page, unit_id_max: int, has_pictures: bool) -> bytes:
    area = f"0 0 {number(page.width)} {number(page.height)}"
    resources = "<ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>" if has_pictures else ""
    return xml_file(
        f'<ofd:Document xmlns:ofd="{NAMESPACE}"><ofd:CommonData>'
        f"<ofd:MaxUnitID>{unit_id_max}</ofd:MaxUnitID>"
        f"<ofd:PageArea><ofd:PhysicalBox>{area}</ofd:PhysicalBox></ofd:PageArea>"
        f"<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>{resources}</ofd:CommonData>"
        f'<ofd:Pages><ofd:Page ID="{PAGE_ID}" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages>'
        f"</ofd:Document>"
    )


def font_list(fonts: FaceFonts, page: Page, first_id: int) -> bytes:
    """The resource file with the fonts of a page, whose subsets lie in `Res` beside it."""
    listed = "".join(
        f'<ofd:Font ID="{first_id + font}" FontName={quoteattr(fonts.files[font].name)} '
        f"FamilyName={quoteattr(fonts.files[font].family)}>"
        f"<ofd:FontFile>font_{font}.ttf</ofd:FontFile></ofd:Font>"
        for font in page.characters
    )
    return xml_file(
        f'<ofd:Res xmlns:ofd="{NAMESPACE}" BaseLoc="Res"><ofd:Fonts>{listed}</ofd:Fonts></ofd:Res>'
    )


def _document_res(pictures: Mapping[bytes, int]) -> bytes:
    media = "".join(
        f'<ofd:MultiMedia ID="{one}" Type="Image" Format="PNG">'
        f"<ofd:MediaFile>image_{one}.png</ofd:MediaFile></ofd:MultiMedia>"
        for one in pictures.values()
    )
    return xml_file(
        f'<ofd:Res xmlns:ofd="{NAMESPACE}" BaseLoc="Res">'
        f"<ofd:MultiMedias>{media}</ofd:MultiMedias></ofd:Res>"
    )


def _content(page: Page, first_id: int, pictures: Mapping[bytes, int]) -> bytes:
    objects = []
    for identifier, item in enumerate(page.items, start=first_id):
        if isinstance(item, TextLine):
            objects.append(text_object(item, identifier, _FONT_ID + item.font))
        elif isinstance(item, Shape):
            objects.append(_path(item, identifier))
        else:
            objects.append(_image(item, identifier, pictures[item.png]))
    return xml_file(
        f'<ofd:Page xmlns:ofd="{NAMESPACE}"><ofd:Content><ofd:Layer ID="{_LAYER_ID}">'
        f"{''.join(objects)}</ofd:Layer></ofd:Content></ofd:Page>"
    )


def text_object(line: TextLine, identifier: int, font_id: int) -> str:
    """One line of text in the font `font_id`.

    The baseline begins at (0, 0) of the object's own axes, which CTM turns and moves to where they
    lie in its box; the box holds all of the line, because readers clip to it.
    """
    turn = math.radians(line.angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    corners = [
        (right * cosine + down * sine, -right * sine + down * cosine)
        for right in (0, line.width)
        for down in (-line.size, line.size * 0.35)
    ]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    width, height = max(x for x, _ in corners) - left, max(y for _, y in corners) - top
    box = Box(line.x + left, line.y + top, max(width, 0.01), height)
    start, matrix = (-left, -top), ""
    if line.angle:
        moved = (cosine, -sine, sine, cosine, -left, -top)
        start, matrix = (0.0, 0.0), f' CTM="{" ".join(map(number, moved))}"'
    steps = " ".join(map(number, line.advances[:-1]))
    delta = f' DeltaX="{steps}"' if steps else ""
    return (
        f'<ofd:TextObject ID="{identifier}" Boundary="{_box(box)}" Font="{font_id}" '
        f'Size="{number(line.size)}"{matrix}>{_fill(line.colour)}'
        f'<ofd:TextCode X="{number(start[0])}" Y="{number(start[1])}"{delta}>{escape(line.text)}'
        f"</ofd:TextCode></ofd:TextObject>"
    )


def _path(shape: Shape, identifier: int) -> str:
    box = shape.box
    data = " ".join(
        _LETTERS[letter] + "".join(f" {number(value)}" for value in _moved(points, box))
        for letter, points in shape.path
    )
    fill = ' Fill="true"' if shape.fill is not None else ""
    stroke = "" if shape.stroke is not None else ' Stroke="false"'
    inner = "" if shape.stroke is None else _colour("StrokeColor", shape.stroke)
    inner += "" if shape.fill is None else _fill(shape.fill)
    width = f' LineWidth="{number(shape.width)}"' if shape.stroke is not None else ""
    return (
        f'<ofd:PathObject ID="{identifier}" Boundary="{_box(box)}"{width}{stroke}{fill}>'
        f"{inner}<ofd:AbbreviatedData>{data}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def _image(picture: Picture, identifier: int, resource: int) -> str:
    box = picture.box
    return (
        f'<ofd:ImageObject ID="{identifier}" Boundary="{_box(box)}" '
        f'CTM="{number(box.width)} 0 0 {number(box.height)} 0 0" ResourceID="{resource}"/>'
    )


# The letters of AbbreviatedData (GB/T 33190 §9.1): B is a cubic curve, C closes.
_LETTERS: Final = {"M": "M", "L": "L", "C": "B", "Z": "C"}


def _moved(points: Sequence[float], box: Box) -> list[float]:
    """Absolute x and y by turns, relative to the box."""
    return [value - (box.y if index % 2 else box.x) for index, value in enumerate(points)]


def _box(box: Box) -> str:
    return " ".join(map(number, (box.x, box.y, box.width, box.height)))


def _fill(colour: Colour) -> str:
    return _colour("FillColor", colour)


def _colour(name: str, colour: Colour) -> str:
    # Of an object's own Alpha ofdrw knows nothing where it makes PDF, of a colour's it does.
    alpha = "" if colour.alpha == 1 else f' Alpha="{round(colour.alpha * 255)}"'
    return f'<ofd:{name} Value="{colour.red} {colour.green} {colour.blue}"{alpha}/>'


def xml_file(body: str) -> bytes:
    """An XML file with this root element."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()
