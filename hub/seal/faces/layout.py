"""One layout for every format: a template and the values of a certificate become a page.

1. Each value is written as its way says. 2. It is broken into lines that fit its box, smaller where
it must and may. 3. Pictures, lines, texts, values, the code, and over all of it the watermark.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import segno

from hub.clock import legal_day
from hub.domain.certificate_type import CertificateType
from hub.domain.face import CopyTerms
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.page import (
    BLACK,
    Box,
    Colour,
    Item,
    Page,
    Picture,
    TextLine,
    blocks,
    circle,
    frame,
    line,
)
from hub.seal.faces.template import (
    DATES,
    Align,
    FaceTemplate,
    PlacedField,
    Setting,
    Standing,
    Valign,
    Watermark,
)
from hub.seal.faces.writing import LONG_TERM, Way, way_of, written
from hub.seal.pictures import check_picture, rendered

LINE_HEIGHT: Final = 1.4
"""Baseline to baseline, as a part of the size."""
QUIET_MODULES: Final = 4
"""Light modules around a code (ISO/IEC 18004 §5.3.8)."""
_SHRINK: Final = 0.95
_WATERMARK_ALPHA: Final = 0.28
_PICTURE_DPI: Final = 300

# GB/T 15834 §5.1.10: what no line begins with, and what none ends with.
_NOT_FIRST: Final = frozenset("，。、；：！？）》」』】〉〕…—·,.;:!?)]}%％")
_NOT_LAST: Final = frozenset("（《「『【〈〔([{")


@dataclass(frozen=True, slots=True)
class Issuance:
    """What a face says beside the fields of its type. Days are `YYYY-MM-DD`, "" for none; holders
    are pairs of type (GB/T 36903 Annex A) and number."""

    identifier: str
    number: str
    authority_title: str
    authority_uscc: str
    holders: tuple[tuple[str, str], ...] = field(repr=False)
    issue_date: str
    valid_from: str
    valid_until: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is written across a face: what a copy was made for, or that it is a sample."""

    lines: tuple[str, ...]


SAMPLE: Final = Overlay(("样张", "无效"))


def copy_overlay(terms: CopyTerms) -> Overlay:
    """What stands across an annotated copy (加注件); its last day is one on which it may still be
    used."""
    made, last = legal_day(terms.made_time_us), legal_day(terms.expire_time_us - 1)
    return Overlay(
        (
            f"仅用于：{terms.purpose}",
            f"提供给：{terms.recipient}",
            f"{made.isoformat()} 制作　{last.isoformat()} 前有效",
        )
    )


@dataclass(frozen=True, slots=True)
class Face:
    """Sets certificates of one type into one template."""

    template: FaceTemplate
    type: CertificateType
    fonts: FaceFonts

    def page(
        self,
        fields: Mapping[str, Json],
        issuance: Issuance,
        code: str,
        *,
        overlay: Overlay | None = None,
        shows_seal_place: bool = False,
    ) -> Page:
        """The page of one certificate; `code` is the text of its two-dimensional code.

        Raises HubError: FACE_OVERFLOW where a value does not fit its box even at its smallest,
        FONT_GLYPH_MISSING.
        """
        template = self.template
        items: list[Item] = []
        for picture in template.pictures:
            items.append(_picture(picture.picture, picture.box))
        items += [line(one.ends, one.width, one.colour) for one in template.lines]
        items += [frame(one.box, one.width, one.colour) for one in template.frames]
        for number, fixed in enumerate(template.texts):
            items += self._set(f"texts[{number}]", fixed.text, fixed.setting)
        for placed in template.fields:
            text = self.text_of(placed, fields, issuance)
            if text:
                items += self._set(placed.name, text, placed.setting)
        items.append(_code(code, template.code))
        if shows_seal_place:
            seal = template.seal
            radius = min(seal.width, seal.height) / 2
            items.append(
                circle(seal.x + seal.width / 2, seal.y + seal.height / 2, radius, 0.3, _PLACEHOLDER)
            )
        if overlay is not None:
            items += set_overlay(overlay, template.watermark, self.fonts)
        return Page(template.width, template.height, tuple(items), template.seal, template.code)

    def text_of(self, placed: PlacedField, fields: Mapping[str, Json], issuance: Issuance) -> str:
        """What stands in a field's box, "" for nothing."""
        if placed.name.startswith("@"):
            value: Json = _standing(Standing(placed.name), issuance)
            is_date = Standing(placed.name) in DATES
            way = placed.way or (Way.DATE if is_date else Way.TEXT)
            if not value and placed.name == Standing.VALID_UNTIL:
                value = LONG_TERM
        else:
            value = fields.get(placed.name)
            kind = next(one.type for one in self.type.fields if one.name == placed.name)
            way = placed.way or way_of(kind)
        return placed.absent if value in (None, "") else written(value, way)

    def fits(self, text: str, setting: Setting) -> bool:
        """Whether a text can be set into a box at all."""
        return self._lines(text, setting) is not None

    def _set(self, name: str, text: str, setting: Setting) -> list[TextLine]:
        self.fonts.check_characters(text)
        found = self._lines(text, setting)
        if found is None:
            raise HubError(Reason.FACE_OVERFLOW, field=name, characters=len(text))
        size, lines = found
        box, step = setting.box, size * LINE_HEIGHT
        height = _height(len(lines), size)
        top = (
            box.y
            + {
                Valign.TOP: 0.0,
                Valign.MIDDLE: (box.height - height) / 2,
                Valign.BOTTOM: box.height - height,
            }[setting.valign]
        )
        # An em box sits on its baseline as the font's own ascent and descent divide it.
        baseline = self.fonts.ascent / (self.fonts.ascent + self.fonts.descent)
        placed = []
        for index, one in enumerate(lines):
            placed += self._line(one, setting, size, top + index * step + size * baseline)
        return placed

    def _line(self, text: str, setting: Setting, size: float, y: float) -> list[TextLine]:
        advances = [self.fonts.advance(one) * size + setting.spacing for one in text]
        room = setting.box.width - (sum(advances) - setting.spacing)
        x = (
            setting.box.x
            + {Align.LEFT: 0.0, Align.CENTRE: room / 2, Align.RIGHT: room}[setting.align]
        )
        whole = TextLine(x, y, size, text, tuple(advances), setting.spacing, setting.colour)
        return _by_font(whole, self.fonts)

    def _lines(self, text: str, setting: Setting) -> tuple[float, list[str]] | None:
        """The largest size from `size` down to `size_min` at which the text fits, and its lines."""
        box, size = setting.box, setting.size
        dense = text.replace(" ", "")
        natural = sum(map(self.fonts.advance, dense))
        while True:
            # No breaking puts more on the lines than their width, spaces at line ends aside; most
            # sizes fail by that alone.
            needed = natural * size + (len(dense) - 1) * setting.spacing
            room = lines_max(box.height, size) * (box.width + setting.spacing)
            lines = None
            if needed <= room + 1e-6:
                lines = self._break(text, size, box.width, setting.spacing)
            if lines is not None and _height(len(lines), size) <= box.height + 1e-6:
                return size, lines
            if size <= setting.size_min:
                return None
            size = max(size * _SHRINK, setting.size_min)

    def _break(self, text: str, size: float, width: float, spacing: float) -> list[str] | None:
        """`text` in lines no wider than `width`; None where a part that is not broken is wider."""
        lines: list[str] = []
        current, used = "", -spacing
        for part in _parts(text):
            part_width = sum(self.fonts.advance(one) * size + spacing for one in part)
            if used + part_width > width + 1e-6:
                if current.strip():
                    lines.append(current.rstrip(" "))
                current, used = "", -spacing
                part = part.lstrip(" ")  # noqa: PLW2901 - a line begins with no space.
                part_width = sum(self.fonts.advance(one) * size + spacing for one in part)
                if part_width - spacing > width + 1e-6:
                    return None
            current += part
            used += part_width
        return [*lines, current.rstrip(" ")] if current.strip() else lines or [text]


_PLACEHOLDER: Final = Colour(204, 0, 0, 0.5)


def _standing(name: Standing, issuance: Issuance) -> str:
    return {
        Standing.IDENTIFIER: issuance.identifier,
        Standing.NUMBER: issuance.number,
        Standing.ISSUE_DATE: issuance.issue_date,
        Standing.VALID_FROM: issuance.valid_from,
        Standing.VALID_UNTIL: issuance.valid_until,
        Standing.AUTHORITY: issuance.authority_title,
        Standing.HOLDER_NUMBER: "、".join(number for _, number in issuance.holders),
    }[name]


def set_overlay(overlay: Overlay, place: Watermark, fonts: FaceFonts) -> list[TextLine]:
    """The lines about the middle of their box, turned together, as large as fits."""
    box = place.box
    turn = math.radians(place.angle)
    for text in overlay.lines:
        fonts.check_characters(text)
    widest = max(sum(map(fonts.advance, one)) for one in overlay.lines)
    # The turned block lies within its box.
    block = len(overlay.lines) * LINE_HEIGHT
    across = abs(math.cos(turn)) * widest + abs(math.sin(turn)) * block
    down = abs(math.sin(turn)) * widest + abs(math.cos(turn)) * block
    size = min(place.size, box.width / across, box.height / down)
    colour = Colour(place.colour.red, place.colour.green, place.colour.blue, _WATERMARK_ALPHA)
    x, y = box.x + box.width / 2, box.y + box.height / 2
    lines = []
    for index, text in enumerate(overlay.lines):
        advances = tuple(fonts.advance(one) * size for one in text)
        right = -sum(advances) / 2
        down = ((index - (len(overlay.lines) - 1) / 2) * LINE_HEIGHT + 0.35) * size
        lines += _by_font(
            TextLine(
                x + right * math.cos(turn) + down * math.sin(turn),
                y - right * math.sin(turn) + down * math.cos(turn),
                size,
                text,
                advances,
                colour=colour,
                angle=place.angle,
            ),
            fonts,
        )
    return lines


def _by_font(whole: TextLine, fonts: FaceFonts) -> list[TextLine]:
    """A line in parts, each of characters that stand together and have the same font."""
    turn = math.radians(whole.angle)
    parts, moved, start = [], 0.0, 0
    for font, group in itertools.groupby(whole.text, fonts.number):
        text = "".join(group)
        advances = whole.advances[start : start + len(text)]
        parts.append(
            dataclasses.replace(
                whole,
                x=whole.x + moved * math.cos(turn),
                y=whole.y - moved * math.sin(turn),
                text=text,
                advances=advances,
                font=font,
            )
        )
        moved += sum(advances)
        start += len(text)
    return parts


def lines_max(height: float, size: float) -> int:
    """How many lines of a size fit a height."""
    return int((height - size + 1e-6) / (size * LINE_HEIGHT)) + 1 if height >= size - 1e-6 else 0


def _height(count: int, size: float) -> float:
    return size + (count - 1) * size * LINE_HEIGHT


def _parts(text: str) -> Iterator[str]:
    """Pieces that stay on one line: words of letters and digits, and characters with the marks that
    must not be parted from them."""
    part = ""
    for one in text:
        keeps = part and (
            one in _NOT_FIRST or part[-1] in _NOT_LAST or (_is_word(one) and _is_word(part[-1]))
        )
        if part and not keeps:
            yield part
            part = ""
        part += one
    if part:
        yield part


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _picture(picture: bytes, box: Box) -> Picture:
    return Picture(box, rendered(check_picture(picture), box.width, _PICTURE_DPI))


def code_modules(text: str) -> Sequence[Sequence[int]]:
    """The modules of a code, rows of 0 and 1, error correction level M, without quiet zone.

    Raises HubError(FIELD_INVALID) for a text that no code holds.
    """
    try:
        return [list(row) for row in segno.make_qr(text, error="m", boost_error=False).matrix]
    except (segno.DataOverflowError, ValueError) as error:
        raise HubError(
            Reason.FIELD_INVALID, field="code", rule="a text that a code holds"
        ) from error


def module_side(text: str, box: Box) -> float:
    """How wide a module of the code is in its box, quiet zone included, in millimetres."""
    return min(box.width, box.height) / (len(code_modules(text)) + 2 * QUIET_MODULES)


def _code(text: str, box: Box) -> Item:
    """The code in its box; dark modules of a row as one block each run."""
    rows, module = code_modules(text), module_side(text, box)
    side = len(rows) + 2 * QUIET_MODULES
    x = box.x + (box.width - module * side) / 2 + module * QUIET_MODULES
    y = box.y + (box.height - module * side) / 2 + module * QUIET_MODULES
    runs = []
    for down, row in enumerate(rows):
        start = None
        for right, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = right
            elif not dark and start is not None:
                runs.append(
                    Box(x + start * module, y + down * module, (right - start) * module, module)
                )
                start = None
    return blocks(runs, BLACK)
