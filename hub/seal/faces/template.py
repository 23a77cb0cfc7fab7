"""A face template: how certificates of one type look, as its defining authority describes it.

One strict JSON document (docs/formats/face-template.md). Every length is a text in millimetres with
at most two decimals, as OFD writes them (`ST_Box`: "x y width height"), because the JSON that we
sign and keep has whole numbers only.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from hub.domain.document import Reader
from hub.domain.identifier import type_code_fault
from hub.domain.rules import violation
from hub.errors import HubError, Reason
from hub.seal.faces.page import BLACK, Box, Colour
from hub.seal.faces.writing import WAYS, Way
from hub.seal.pictures import check_picture

TEMPLATE_BYTES_MAX: Final = 1_048_576
TEXTS_MAX: Final = 128
FIELDS_MAX: Final = 80
SHAPES_MAX: Final = 256
PICTURES_MAX: Final = 8
PICTURE_TEXT_MAX: Final = 720_000
TEXT_LENGTH_MAX: Final = 400
PAGE_MAX_MM: Final = 1200.0
SIZE_MIN_MM: Final = 1.0
SIZE_MAX_MM: Final = 60.0

E = TypeVar("E", bound=StrEnum)


class Align(StrEnum):
    """Where lines stand in their box, left to right."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


class Valign(StrEnum):
    """Where lines stand in their box, top to bottom."""

    TOP = "top"
    MIDDLE = "middle"
    BOTTOM = "bottom"


class Standing(StrEnum):
    """What a face can show beside the fields of its type; the names begin so that no field of a
    type can be called alike."""

    IDENTIFIER = "@identifier"
    NUMBER = "@number"
    ISSUE_DATE = "@issue_date"
    VALID_FROM = "@valid_from"
    VALID_UNTIL = "@valid_until"
    AUTHORITY = "@authority"
    HOLDER_NUMBER = "@holder_number"


DATES: Final = frozenset({Standing.ISSUE_DATE, Standing.VALID_FROM, Standing.VALID_UNTIL})


@dataclass(frozen=True, slots=True)
class Setting:
    """How text is set into its box. A value that does not fit at `size` is made smaller, down to
    `size_min`; equal where it may not be."""

    box: Box
    size: float
    size_min: float
    align: Align
    valign: Valign
    spacing: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class FixedText:
    """What stands on every certificate alike."""

    text: str
    setting: Setting


@dataclass(frozen=True, slots=True)
class PlacedField:
    """Where the value of a field stands, how it is written, and what stands there without one."""

    name: str
    setting: Setting
    way: Way | None
    absent: str


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line between two points."""

    ends: tuple[float, float, float, float]
    width: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Frame:
    """The outline of a box."""

    box: Box
    width: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A picture, PNG or SVG, over its box: an emblem, an ornament."""

    box: Box
    picture: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watermark:
    """Where and how an annotated copy says what it was made for."""

    box: Box
    size: float
    angle: int
    colour: Colour


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """One template, of one version of a type."""

    type_code: str
    type_version: int
    title: str
    width: float
    height: float
    texts: tuple[FixedText, ...]
    fields: tuple[PlacedField, ...]
    lines: tuple[Line, ...]
    frames: tuple[Frame, ...]
    pictures: tuple[PlacedPicture, ...]
    seal: Box
    code: Box
    watermark: Watermark

    @property
    def page(self) -> Box:
        """The whole page."""
        return Box(0, 0, self.width, self.height)

    @property
    def boxes(self) -> Mapping[str, Box]:
        """Every box by its place in the document, in its order."""
        found: dict[str, Box] = {}
        for name, boxes in (
            ("texts", [one.setting.box for one in self.texts]),
            ("fields", [one.setting.box for one in self.fields]),
            ("frames", [one.box for one in self.frames]),
            ("pictures", [one.box for one in self.pictures]),
        ):
            found |= {f"{name}[{number}].box": box for number, box in enumerate(boxes)}
        return found | {"seal": self.seal, "code": self.code, "watermark.box": self.watermark.box}


def parse_template(data: bytes) -> FaceTemplate:
    """The template in `data`, strict JSON; unknown members are refused, white space is free.

    What it says of the type's fields is checked by `lint`. Raises HubError(FIELD_INVALID) with
    every violation.
    """
    if len(data) > TEMPLATE_BYTES_MAX:
        broken = violation("template", "face.size", limit=TEMPLATE_BYTES_MAX)
        raise HubError(
            Reason.FIELD_INVALID, violations=(broken,), field="template", rule=broken.rule
        )
    reader = Reader.of(data, "template")
    template = _template(reader)
    reader.check()
    return template


def _template(reader: Reader) -> FaceTemplate:
    if reader.value("v") != 1 or isinstance(reader.value("v"), bool):
        reader.fault("v", "face.format")
    code = reader.text("type", 21)
    if code and type_code_fault(code) is not None:
        reader.fault("type", "type.code")
    width, height = _lengths(reader, "page", 2) or (1.0, 1.0)
    if not (10.0 <= width <= PAGE_MAX_MM and 10.0 <= height <= PAGE_MAX_MM):
        reader.fault("page", "face.page", most=int(PAGE_MAX_MM))
    template = FaceTemplate(
        type_code=code,
        type_version=reader.integer("type_version", 1, 9999),
        title=reader.text("title", 128),
        width=width,
        height=height,
        texts=tuple(
            FixedText(one.text("text", TEXT_LENGTH_MAX), _setting(one, has_fallback=False))
            for one in reader.objects("texts", TEXTS_MAX)
        ),
        fields=tuple(_field(one) for one in reader.objects("fields", FIELDS_MAX)),
        lines=tuple(_line(one) for one in reader.objects("lines", SHAPES_MAX)),
        frames=tuple(_frame(one) for one in reader.objects("frames", SHAPES_MAX)),
        pictures=tuple(_picture(one) for one in reader.objects("pictures", PICTURES_MAX)),
        seal=_box(reader, "seal"),
        code=_box(reader, "code"),
        watermark=_watermark(reader),
    )
    for place, box in template.boxes.items():
        if not template.page.holds(box):
            reader.fault(place, "face.outside")
    for number, one in enumerate(template.lines):
        x1, y1, x2, y2 = one.ends
        if not (max(x1, x2) <= width and max(y1, y2) <= height):
            reader.fault(f"lines[{number}].ends", "face.outside")
    reader.end()
    return template


def _field(reader: Reader) -> PlacedField:
    name = reader.text("field", 64)
    way: Way | None = None
    if reader.has("way"):
        named = reader.text("way", 32)
        if named in WAYS:
            way = Way(named)
        else:
            reader.fault("way", "member.kind", kind=", ".join(WAYS))
    absent = reader.text("absent", 64, optional=True)
    return PlacedField(name, _setting(reader, has_fallback=True), way, absent)


def _setting(reader: Reader, *, has_fallback: bool) -> Setting:
    size = _length(reader, "size", SIZE_MIN_MM, SIZE_MAX_MM)
    size_min = size
    if has_fallback and reader.has("size_min"):
        size_min = _length(reader, "size_min", SIZE_MIN_MM, SIZE_MAX_MM)
        if size_min > size:
            reader.fault("size_min", "face.size_min")
    setting = Setting(
        box=_box(reader, "box"),
        size=size,
        size_min=size_min,
        align=_choice(reader, "align", Align, Align.LEFT),
        valign=_choice(reader, "valign", Valign, Valign.TOP),
        spacing=_length(reader, "spacing", 0.0, 50.0) if reader.has("spacing") else 0.0,
        colour=_colour(reader),
    )
    reader.end()
    return setting


def _line(reader: Reader) -> Line:
    x1, y1, x2, y2 = _lengths(reader, "ends", 4) or (0.0, 0.0, 1.0, 1.0)
    made = Line((x1, y1, x2, y2), _length(reader, "width", 0.05, 5.0), _colour(reader))
    reader.end()
    return made


def _frame(reader: Reader) -> Frame:
    made = Frame(_box(reader, "box"), _length(reader, "width", 0.05, 5.0), _colour(reader))
    reader.end()
    return made


def _picture(reader: Reader) -> PlacedPicture:
    box, text = _box(reader, "box"), reader.text("picture", PICTURE_TEXT_MAX)
    reader.end()
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        reader.fault("picture", "face.picture")
        return PlacedPicture(box, b"")
    try:
        check_picture(data)
    except HubError:
        reader.fault("picture", "face.picture")
    return PlacedPicture(box, data)


def _watermark(reader: Reader) -> Watermark:
    inner = reader.object("watermark")
    if inner is None:
        reader.fault("watermark", "member.missing")
        return Watermark(Box(0, 0, 1, 1), 1.0, 0, BLACK)
    made = Watermark(
        _box(inner, "box"),
        _length(inner, "size", SIZE_MIN_MM, SIZE_MAX_MM),
        inner.integer("angle", -90, 90),
        _colour(inner),
    )
    inner.end()
    return made


def _choice(reader: Reader, name: str, choices: type[E], otherwise: E) -> E:
    return reader.choice(name, choices) if reader.has(name) else otherwise


def _colour(reader: Reader) -> Colour:
    if not reader.has("colour"):
        return BLACK
    try:
        return Colour.parse(reader.text("colour", 7))
    except ValueError:
        reader.fault("colour", "face.colour")
        return BLACK


def _box(reader: Reader, name: str) -> Box:
    x, y, width, height = _lengths(reader, name, 4) or (0.0, 0.0, 1.0, 1.0)
    if not (width > 0 and height > 0):
        reader.fault(name, "face.box")
    return Box(x, y, width, height)


def _length(reader: Reader, name: str, least: float, most: float) -> float:
    (value,) = _lengths(reader, name, 1) or (least,)
    if not least <= value <= most:
        reader.fault(name, "face.range", least=f"{least:g}", most=f"{most:g}")
        return least
    return value


def _lengths(reader: Reader, name: str, count: int) -> tuple[float, ...]:
    """So many lengths in one text, or none where it is faulty."""
    text = reader.text(name, 64)
    parts = text.split(" ") if text else []
    if len(parts) != count or not all(map(_LENGTH.fullmatch, parts)):
        if text:
            reader.fault(name, "face.lengths", count=count)
        return ()
    return tuple(map(float, parts))


_LENGTH: Final = re.compile(r"(?:0|[1-9][0-9]{0,3})(?:\.[0-9]{1,2})?")
