"""SVG as pictures of seals have it: shapes of a short list, nothing that acts, loads, reaches out.

Asked before one is taken in, and before a stranger's is drawn. lxml reads it and resvg draws it;
both are imported inside of functions, as the auditor's kit has neither.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lxml import etree

ELEMENTS_MAX: Final = 2_000
DEPTH_MAX: Final = 12
SIDE_MM_MAX: Final = 300.0

_SVG: Final = "{http://www.w3.org/2000/svg}"
_SHAPES: Final = frozenset(
    ["svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"]
)
_WORDS: Final = frozenset(["title", "desc"])
_ATTRIBUTES: Final = frozenset(
    re.findall(
        r"\S+",
        "version width height viewBox preserveAspectRatio id transform d cx cy r rx ry x y x1 y1 "
        "x2 y2 points fill fill-rule fill-opacity stroke stroke-width stroke-linecap "
        "stroke-linejoin stroke-miterlimit stroke-opacity opacity color",
    )
)
_VALUE: Final = re.compile(r"[\w\s.,#%()+-]*", re.ASCII)
_SIDE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)mm")


class SvgRefusedError(ValueError):
    """Not such an SVG; `rule` is the id of the rule that it breaks."""

    def __init__(self, rule: str, **details: int) -> None:
        super().__init__(rule)
        self.rule, self.details = rule, details


def svg_size(data: bytes) -> tuple[float, float]:
    """Width and height in millimetres of a harmless SVG. Raises SvgRefusedError."""
    from lxml import etree  # noqa: PLC0415

    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"<?xml-stylesheet" in data:
        raise SvgRefusedError("picture.svg")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        data.decode("utf-8-sig")
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SvgRefusedError("picture.svg") from error
    if root.tag != f"{_SVG}svg" or root.getroottree().docinfo.doctype:
        raise SvgRefusedError("picture.svg")
    _check_elements(root)
    sides = [_SIDE.fullmatch(root.get(name, "")) for name in ("width", "height")]
    width, height = [float(found[1]) if found else 0.0 for found in sides]
    if not (1 <= width <= SIDE_MM_MAX and 1 <= height <= SIDE_MM_MAX):
        raise SvgRefusedError("picture.svg_size", most=int(SIDE_MM_MAX))
    return width, height


def small_png(data: bytes, side_max: int) -> bytes:
    """A harmless SVG as PNG, at most so many pixels on the longer side. Raises SvgRefusedError."""
    width, height = svg_size(data)
    return draw_svg(data, max(1, int(side_max * min(1.0, width / height))))


def draw_svg(svg: bytes, width_pixels: int) -> bytes:
    """An SVG that `svg_size` let pass, as PNG so many pixels wide. Raises SvgRefusedError."""
    import resvg_py  # noqa: PLC0415

    try:
        return resvg_py.svg_to_bytes(
            svg_string=svg.decode("utf-8-sig"), width=width_pixels, dpi=96, skip_system_fonts=True
        )
    except ValueError as error:
        raise SvgRefusedError("picture.svg") from error


def _check_elements(root: etree._Element) -> None:
    """Only shapes, of the lists above. Text is refused: without its font another seal is seen."""
    from lxml import etree  # noqa: PLC0415

    for count, element in enumerate(root.iter(), start=1):
        if count > ELEMENTS_MAX:
            raise SvgRefusedError("picture.svg_large", limit=ELEMENTS_MAX)
        if isinstance(element, etree._Comment):
            continue
        name = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
        if name in _WORDS and not len(element) and not element.attrib:
            continue
        if name not in _SHAPES:
            raise SvgRefusedError("picture.svg_element")
        if len(list(element.iterancestors())) > DEPTH_MAX:
            raise SvgRefusedError("picture.svg_large", limit=ELEMENTS_MAX)
        for attribute, value in element.attrib.items():
            # No address can be written without one of `:/"'`; a fragment leads to what is refused.
            if attribute not in _ATTRIBUTES or not _VALUE.fullmatch(value) or "url" in value:
                raise SvgRefusedError("picture.svg_attribute")
