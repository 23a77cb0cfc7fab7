"""Pictures of seals: what comes in is checked, what we draw is a seal."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hub.domain.rules import violation
from hub.errors import HubError, Reason
from hub.seal.confined import Confined
from hub.seal.faces.fonts import FaceFonts
from hub.seal.picture_file import (
    PICTURE_BYTES_MAX,
    PictureRefusedError,
    PictureType,
    draw_picture,
    read_picture,
)
from hub.seal.pictures import check_picture, rendered
from hub.seal.round_seal import RoundSeal, draw_round_seal, with_palette
from tests.seal.faces.conftest import fonts as fonts

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40mm" height="40mm" viewBox="0 0 40 40">'
    '<circle cx="20" cy="20" r="19" fill="none" stroke="#e60012"/>%s</svg>'
)
BUREAU = RoundSeal("杭州市示例市场监督管理局", "行政审批专用章", "3301000012345")


def png(width: int = 8, height: int = 8, mode: str = "RGBA") -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new(mode, (width, height), 1).save(buffer, "PNG")
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int, height: int) -> bytes:
    """A PNG that claims a size, with nothing in it."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IEND", b"")


def rule(data: bytes) -> str:
    """The rule that refuses a picture."""
    with pytest.raises(HubError) as refused:
        check_picture(data)
    assert refused.value.reason is Reason.PICTURE_INVALID
    return refused.value.violations[0].rule


def test_a_png_and_an_svg_are_taken_as_they_are() -> None:
    """Their bytes are kept: a seal's signature covers them."""
    small = check_picture(png(30, 20))
    drawing = check_picture((SVG % "").encode())

    assert (small.type, small.width, small.height) == (PictureType.PNG, 30, 20)
    assert (drawing.type, drawing.width, drawing.height) == (PictureType.SVG, 40, 40)
    assert rendered(small, 40) == png(30, 20)
    with Image.open(io.BytesIO(rendered(drawing, 40, 300))) as image:
        assert image.size == (473, 473)


def test_a_picture_of_sixty_thousand_squared_is_refused_from_its_header() -> None:
    """Fourteen gigabytes of pixels cost nothing: they are never asked for."""
    tracemalloc.start()
    began = time.perf_counter()

    with pytest.raises(PictureRefusedError) as refused:
        read_picture(header(60_000, 60_000))

    assert refused.value.rule == rule(header(60_000, 60_000)) == "picture.side"
    assert time.perf_counter() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_what_inflates_beyond_its_header_is_not_decoded() -> None:
    """The pixels are those of the header, whatever the stream would give."""
    ihdr = struct.pack(">IIBBBBB", 4, 4, 8, 6, 0, 0, 0)
    bomb = zlib.compress(bytes(60_000_000), 9)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")

    picture = check_picture(data)

    assert (picture.width, picture.height) == (4, 4)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "picture.kind"),
        (b"GIF89a", "picture.kind"),
        (b"\xff\xd8\xff\xe0", "picture.kind"),
        (b"x" * (PICTURE_BYTES_MAX + 1), "picture.size"),
        (header(0, 4), "picture.side"),
        (header(4000, 4000), "picture.pixels"),
        (header(8, 8), "picture.png"),
        (png()[:-5], "picture.png"),
        (png() + b"<script>", "picture.trailing"),
        (png()[:40] + bytes(8) + png()[48:], "picture.png"),
        (png()[:8] + png()[33:], "picture.png"),
        (png()[:33] + chunk(b"acTL", bytes(8)) + png()[33:], "picture.animated"),
    ],
)
def test_a_png_that_is_not_one_picture_is_refused(data: bytes, found: str) -> None:
    """Each with its rule."""
    assert rule(data) == found


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ("<script>alert(1)</script>", "picture.svg_element"),
        ("<text>公章</text>", "picture.svg_element"),
        ('<image href="file:///etc/passwd"/>', "picture.svg_element"),
        ('<use href="#a"/>', "picture.svg_element"),
        ("<foreignObject/>", "picture.svg_element"),
        ("<style>@import 'x'</style>", "picture.svg_element"),
        ("<animate/>", "picture.svg_element"),
        ('<a href="x"/>', "picture.svg_element"),
        ("<?php x ?>", "picture.svg_element"),
        ('<path xmlns="urn:other" d="M0 0"/>', "picture.svg_element"),
        ('<path d="M0 0" onload="x"/>', "picture.svg_attribute"),
        ('<path d="M0 0" style="fill:red"/>', "picture.svg_attribute"),
        ('<path d="M0 0" fill="url(#a)"/>', "picture.svg_attribute"),
        ('<path d="M0 0" fill="url(http://x/)"/>', "picture.svg_attribute"),
        ('<g filter="x"/>', "picture.svg_attribute"),
        ("<g>" * 20 + "</g>" * 20, "picture.svg_large"),
        ('<path d="M0 0"/>' * 2001, "picture.svg_large"),
        ("<path", "picture.svg"),
    ],
)
def test_an_svg_beyond_shapes_is_refused(inside: str, found: str) -> None:
    """Refused, not repaired: what is shown is what was uploaded."""
    assert rule((SVG % inside).encode()) == found


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + SVG % "&a;", "picture.svg"),
        ('<?xml-stylesheet href="x"?>' + SVG % "", "picture.svg"),
        (SVG.replace("40mm", "40px", 1) % "", "picture.svg_size"),
        (SVG.replace("40mm", "900mm", 1) % "", "picture.svg_size"),
        (SVG.replace('stroke="#e60012"', "") % "", "picture.nothing"),
        ("<html/>", "picture.svg"),
        ((SVG % "").encode("utf-16").decode("latin-1"), "picture.kind"),
    ],
)
def test_xml_that_is_no_plain_svg_is_refused(data: str, found: str) -> None:
    """No document type, no style sheet, a size in millimetres, and something to see."""
    assert rule(data.encode("latin-1") if data.startswith("\xff") else data.encode()) == found


def test_the_round_seal_is_drawn_alike_every_time_and_passes_its_own_check(
    fonts: FaceFonts,
) -> None:
    """Shapes only, 40 mm, the same bytes, and accepted like an upload."""
    drawn = draw_round_seal(BUREAU, fonts)

    assert draw_round_seal(BUREAU, fonts) == drawn
    picture = check_picture(drawn)
    assert (picture.type, picture.width, picture.height) == (PictureType.SVG, 40, 40)
    tree = ElementTree.fromstring(drawn)
    paths = tree.findall(".//{http://www.w3.org/2000/svg}path")
    assert len(paths) == 1 + len(BUREAU.name + BUREAU.purpose + BUREAU.code)


def test_the_round_seal_looks_like_one(fonts: FaceFonts) -> None:
    """A red ring to its edge, a star in the middle, and nothing outside the circle."""
    data = rendered(check_picture(draw_round_seal(BUREAU, fonts)), 40, 300)

    with Image.open(io.BytesIO(data)) as image:
        side = image.width
        alpha = image.getchannel("A")
        assert side >= 40 / 25.4 * 300
        assert image.getpixel((side // 2, side // 2)) == (230, 0, 18, 255)
        assert image.getpixel((side // 2, 6)) == (230, 0, 18, 255)
        assert [alpha.getpixel(corner) for corner in ((0, 0), (side - 1, side - 1))] == [0, 0]
        # Name above, purpose and code below, left and right alike within a character.
        left = sum(alpha.crop((0, 0, side // 2, side)).histogram()[128:])
        right = sum(alpha.crop((side // 2, 0, side, side)).histogram()[128:])
        assert 0.9 < left / right < 1.1


@pytest.mark.parametrize("colours", [1, 256, 257])
def test_few_colours_go_into_a_palette_and_no_pixel_changes(colours: int) -> None:
    """Half-transparent pixels included; beyond 256 the picture is given back as it came."""
    image = Image.new("RGBA", (40, 40))
    seen = [(at % colours % 200, at % colours // 200, 9, at % colours % 200) for at in range(1600)]
    image.putdata(seen)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")

    packed = with_palette(buffer.getvalue())

    with Image.open(io.BytesIO(packed)) as made:
        assert made.mode == ("P" if colours <= 256 else "RGBA")
        assert made.convert("RGBA").tobytes() == image.tobytes()


def test_names_of_two_to_forty_characters_stand_on_the_arc(fonts: FaceFonts) -> None:
    """A long name becomes narrower, and meets neither ring nor code."""
    for name in ("某局", "中华人民共和国" * 5 + "示例局示例"):
        drawn = draw_round_seal(RoundSeal(name, code="330100001234512345"), fonts)
        with Image.open(io.BytesIO(rendered(check_picture(drawn), 40, 150))) as image:
            assert image.getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize(
    ("seal", "field"),
    [
        (RoundSeal(""), "name"),
        (RoundSeal("局" * 41), "name"),
        (RoundSeal("局\n"), "name"),
        (RoundSeal("某局", purpose="章" * 13), "purpose"),
        (RoundSeal("某局", code="33-01"), "code"),
        (RoundSeal("某局", diameter=200), "diameter"),
    ],
)
def test_what_cannot_stand_on_a_seal_is_refused(
    seal: RoundSeal, field: str, fonts: FaceFonts
) -> None:
    """By its field."""
    with pytest.raises(HubError) as refused:
        draw_round_seal(seal, fonts)

    assert refused.value.details["field"] == field


def test_a_character_without_glyph_is_refused_on_a_seal(fonts: FaceFonts) -> None:
    """A seal with a box in it is no seal."""
    with pytest.raises(HubError) as refused:
        draw_round_seal(RoundSeal("某\u0e01局"), fonts)

    assert refused.value.reason is Reason.FONT_GLYPH_MISSING


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=2000)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=40).map(lambda tail: png()[: 8 + len(tail)] + tail),
        st.tuples(st.integers(0, len(png()) - 1), st.integers(0, 255)).map(
            lambda change: png()[: change[0]] + bytes([change[1]]) + png()[change[0] + 1 :]
        ),
        st.text(alphabet='<>/="& apthMgsvurl#();:10', max_size=60).map(
            lambda text: (SVG % text).encode()
        ),
        st.sampled_from(["d", "points", "transform", "viewBox", "stroke-width"]).flatmap(
            lambda name: st.text(alphabet="MLCAZHVmz0123456789 .,-e()rotaeml", max_size=60).map(
                lambda value: (SVG % f'<path {name}="{value}" stroke="#f00"/>').encode()
            )
        ),
    )
)
def test_any_bytes_are_a_picture_or_refused_as_declared(data: bytes) -> None:
    """Nothing but a refusal comes out, by a rule that has words, and soon."""
    try:
        draw_picture(read_picture(data), 40, 600)
    except PictureRefusedError as refused:
        assert violation("picture", refused.rule, **refused.details)


def test_a_picture_that_takes_too_long_to_draw_is_refused() -> None:
    """Small at the check, and an hour's work at the size of a seal: its process is ended."""
    disc = '<circle cx="20" cy="20" r="19" fill="#e60012" fill-opacity="0.5"/>'
    picture = check_picture((SVG % (disc * 1_990)).encode())
    began = time.perf_counter()

    with pytest.raises(HubError) as refused:
        rendered(picture, 170, 600)

    assert refused.value.reason is Reason.PICTURE_INVALID
    assert refused.value.violations[0].rule == "picture.limits"
    assert time.perf_counter() - began < 9


def test_a_picture_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing many files under one seal starts no process for each."""
    picture = check_picture((SVG % "<g/>").encode())
    png_of_it = rendered(picture, 30, 300)
    monkeypatch.setattr(Confined, "ask", None)

    assert check_picture((SVG % "<g/>").encode()) == picture
    assert rendered(picture, 30, 300) == png_of_it
