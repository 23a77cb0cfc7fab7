"""The fonts that faces and seals are set in: measured, drawn, and cut down to what travels.

A face needs real Chinese text, and whoever opens it may not have the font, so a subset goes with
it. That is lawful only where the font allows it: its embedding bits are checked when it is opened
(OpenType 1.9, OS/2 `fsType`), and licence and copyright travel in the subset's name table.
"""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import uharfbuzz as hb
from fontTools import ttLib
from fontTools.pens.basePen import AbstractPen
from fontTools.pens.recordingPen import DecomposingRecordingPen

from hub.errors import HubError, Reason
from hub.seal.faces.true_type import Outlines, with_true_type

FONT_BYTES_MAX: Final = 128 * 1024 * 1024
MISSING_SHOWN_MAX: Final = 8
FONTS_MAX: Final = 5
"""The main font and four others."""
# What fontTools raises for files that are no fonts.
_UNREADABLE: Final = (OSError, ttLib.TTLibError, struct.error, ValueError, AssertionError)

SYSTEM_FONTS: Final = (
    # Debian and Ubuntu: fonts-noto-cjk.
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    # Fedora, openEuler, Anolis: google-noto-serif-cjk-fonts.
    "/usr/share/fonts/google-noto-serif-cjk-fonts/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    # Arch, Alpine.
    "/usr/share/fonts/noto-cjk/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSerifCJK-Regular.ttc",
)
"""Where open-licence Chinese fonts (SIL OFL) lie on well-known systems, in order of preference."""

# Glyphs stand where the layout puts them: neither hints nor tables of positions are needed.
_SUBSET_FLAGS: Final = (
    hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NOTDEF_OUTLINE | hb.SubsetFlags.NO_LAYOUT_CLOSURE
)
_TABLES_DROPPED: Final = tuple(
    int.from_bytes(tag) for tag in (b"GPOS", b"GDEF", b"GSUB", b"BASE", b"vhea", b"vmtx", b"VORG")
)
# Copyright, names, version, licence and its address (OpenType 1.9, name).
_NAMES_KEPT: Final = (0, 1, 2, 3, 4, 5, 6, 13, 14)

# OS/2 fsType: bits 0 to 3 are the usage, of which only "restricted" (2) forbids embedding.
_RESTRICTED: Final = 0x0002
_LESS_RESTRICTED: Final = 0x000C
_NO_SUBSETTING: Final = 0x0100
_BITMAPS_ONLY: Final = 0x0200


class FontFile:
    """One font. Any thread may use it.

    `name` is its full name; `size` 1 is the em in what is measured and drawn.
    """

    def __init__(self, data: bytes, number: int, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._font = ttLib.TTFont(io.BytesIO(data), fontNumber=number, lazy=True)
        self._face = hb.Face(hb.Blob(data), max(number, 0))
        self._cmap: dict[int, str] = self._font.getBestCmap() or {}
        self._units: int = self._font["head"].unitsPerEm
        self._metrics = self._font["hmtx"].metrics
        self._outlines = self._font.getGlyphSet()
        self._true_type: Outlines = {}
        self.ascent: float = self._font["hhea"].ascent / self._units
        self.descent: float = -self._font["hhea"].descent / self._units
        self.family = str(self._font["name"].getDebugName(1))

    @classmethod
    def open(cls, path: str = "", face: str = "") -> FontFile:
        """The font in the file `path`, or the first of `SYSTEM_FONTS` that is there.

        `face` is the family name of one face of a collection; without it the first whose name ends
        in SC (simplified Chinese) is taken. Raises HubError: FONT_MISSING, FONT_NOT_EMBEDDABLE.
        """
        file = _find(path)
        try:
            if file.stat().st_size > FONT_BYTES_MAX:
                raise HubError(Reason.FONT_MISSING, font=file)
            data = file.read_bytes()
            number, name = _face(data, face)
            font = cls(data, number, name)
        except (*_UNREADABLE, KeyError) as error:
            raise HubError(Reason.FONT_MISSING, font=file) from error
        font.check_embedding()
        return font

    def check_embedding(self) -> None:
        """That a subset of it may travel in a document. Raises HubError(FONT_NOT_EMBEDDABLE)."""
        bits: int = self._font["OS/2"].fsType
        is_restricted = bool(bits & _RESTRICTED) and not bits & _LESS_RESTRICTED
        if is_restricted or bits & (_NO_SUBSETTING | _BITMAPS_ONLY):
            raise HubError(Reason.FONT_NOT_EMBEDDABLE, font=self.name, fs_type=f"{bits:#06x}")

    def has(self, character: str) -> bool:
        """Whether it has a glyph for a character."""
        return ord(character) in self._cmap

    def advance(self, character: str) -> float:
        """How far a character that it has moves on at size 1."""
        width: int = self._metrics[self._cmap[ord(character)]][0]
        return width / self._units

    def outline(self, character: str) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
        """The glyph at size 1, y upwards, as pen calls: `moveTo`, `lineTo`, `curveTo`, `qCurveTo`,
        `closePath`."""
        # The font reads its glyphs when they are first asked for.
        with self._lock:
            recording = DecomposingRecordingPen(self._outlines)
            pen: AbstractPen = recording
            self._outlines[self._cmap[ord(character)]].draw(pen)
        scale = 1 / self._units
        return [
            (call, tuple((x * scale, y * scale) for x, y in points))
            for call, points in recording.value
        ]

    def subset(self, characters: frozenset[str]) -> bytes:
        """The font with these characters only, the same bytes for the same characters."""
        wanted = hb.SubsetInput()
        wanted.flags = _SUBSET_FLAGS
        wanted.unicode_set.update(ord(one) for one in characters)
        wanted.layout_feature_tag_set.clear()
        wanted.name_id_set.clear()
        wanted.name_id_set.update(_NAMES_KEPT)
        wanted.drop_table_tag_set.update(_TABLES_DROPPED)
        data: bytes = hb.subset(self._face, wanted).blob.data
        return data

    def true_type_subset(self, characters: frozenset[str]) -> bytes:
        """As `subset`, with TrueType outlines: what draws OFD draws others as boxes."""
        with self._lock:
            return with_true_type(self.subset(characters), self._true_type)


class FaceFonts:
    """The fonts of a hub: a main one, and others for characters that it lacks, such as rare ones in
    names (生僻字). Any thread may use them.

    Characters are asked for after `check_characters` found them.
    """

    def __init__(self, files: Sequence[FontFile]) -> None:
        self.files = tuple(files)
        main = self.files[0]
        self.ascent, self.descent = main.ascent, main.descent
        self._numbers: dict[str, int] = {}

    @classmethod
    def open(cls, path: str = "", face: str = "", more: Sequence[str] = ()) -> FaceFonts:
        """The main font as `FontFile.open` finds it, and those in the files `more` in their order.

        Raises HubError: FONT_MISSING, FONT_NOT_EMBEDDABLE.
        """
        return cls([FontFile.open(path, face), *(FontFile.open(one) for one in more)])

    def check_characters(self, text: Iterable[str]) -> None:
        """That one of them has a glyph for each. Raises HubError(FONT_GLYPH_MISSING) with code
        points: a single rare character names nobody, and whoever must find a font for it has to
        know it."""
        missing = sorted({ord(one) for one in text if self._number(one) < 0})
        if missing:
            shown = ", ".join(f"U+{code:04X}" for code in missing[:MISSING_SHOWN_MAX])
            raise HubError(Reason.FONT_GLYPH_MISSING, font=self.files[0].name, characters=shown)

    def number(self, character: str) -> int:
        """Which of `files` sets a character: the first that has it."""
        number = self._number(character)
        assert number >= 0, "checked before"
        return number

    def advance(self, character: str) -> float:
        """How far a character moves on at size 1."""
        return self.files[self.number(character)].advance(character)

    def outline(self, character: str) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
        """As `FontFile.outline`."""
        return self.files[self.number(character)].outline(character)

    def _number(self, character: str) -> int:
        known = self._numbers.get(character)
        if known is None:
            found = (n for n, one in enumerate(self.files) if one.has(character))
            known = self._numbers[character] = next(found, -1)
        return known


def _find(path: str) -> Path:
    if path:
        if not Path(path).is_file():
            raise HubError(Reason.FONT_MISSING, font=path)
        return Path(path)
    found = next((Path(one) for one in SYSTEM_FONTS if Path(one).is_file()), None)
    if found is None:
        raise HubError(Reason.FONT_MISSING, font="fonts-noto-cjk")
    return found


def _face(data: bytes, family: str) -> tuple[int, str]:
    """Number and full name of the face to be used."""
    if data[:4] != b"ttcf":
        return -1, str(ttLib.TTFont(io.BytesIO(data), lazy=True)["name"].getDebugName(4))
    faces = ttLib.TTCollection(io.BytesIO(data), lazy=True).fonts
    names = [str(one["name"].getDebugName(1)) for one in faces]
    wanted = [
        number
        for number, name in enumerate(names)
        if (name == family if family else name.endswith(" SC"))
    ]
    if family and not wanted:
        raise KeyError(family)
    number = wanted[0] if wanted else 0
    return number, str(faces[number]["name"].getDebugName(4))
