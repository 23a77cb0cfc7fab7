"""The seal's picture in a terminal: made in the worker, without a byte of the file in it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image, ImageDraw

from hub.proof.encoding import Json, b64u
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.reports.thumbnail import SIDE_MAX, Thumbnail, parse_thumbnail, thumbnail_to_json
from hub.proof.ses.seal import Picture
from hub.proof.worker import Verifiers
from tests.proof.seals import seal_of, signature_of
from tests.proof.sm2_pki import root
from tests.proof.test_verify_command import Save, run, save

__all__ = ["save"]

MAKER = root()


@pytest.fixture(scope="module")
def verifiers() -> Iterator[Verifiers]:
    verifiers = Verifiers()
    yield verifiers
    verifiers.close()


def drawn(form: str, size: tuple[int, int] = (200, 100), mode: str = "RGB") -> bytes:
    """A black bar on the left half."""
    picture = Image.new(mode, size, "white")
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill="black")
    data = io.BytesIO()
    picture.save(data, form)
    return data.getvalue()


def sealed(picture: bytes) -> bytes:
    return seal_of(MAKER, MAKER, picture=Picture("PNG", picture, 40, 40))


def huge_png(side: int = 60_000) -> bytes:
    """A few bytes that say they are a picture of 3,600,000,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100_000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["PNG", "GIF", "JPEG", "BMP"])
def test_a_picture_is_made_small_and_keeps_its_proportion(verifiers: Verifiers, form: str) -> None:
    """Whatever seals are drawn in."""
    found = verifiers.show(sealed(drawn(form))).picture

    assert found is not None
    assert (found.width, found.height) == (SIDE_MAX, SIDE_MAX // 2)
    middle = 3 * (found.width * (found.height // 2))
    assert max(found.rgb[middle : middle + 3]) < 16
    assert min(found.rgb[middle + 3 * (SIDE_MAX - 2) :][:3]) > 239


def test_the_picture_of_a_signature_is_that_of_its_seal(verifiers: Verifiers) -> None:
    """A `SignedValue.dat` carries the whole seal."""
    seal = sealed(drawn("PNG"))

    assert verifiers.show(signature_of(MAKER, seal)).picture == verifiers.show(seal).picture


@pytest.mark.parametrize(
    "picture",
    [
        huge_png(),
        drawn("TIFF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x1b[2J\x1b]0;title\x07",
        drawn("PNG")[:60],
    ],
    ids=["60,000 pixels a side", "another form", "svg", "escapes", "cut off"],
)
def test_what_cannot_be_shown_is_not(verifiers: Verifiers, picture: bytes) -> None:
    """The seal is verified all the same, by the same worker."""
    before = verifiers.show(sealed(drawn("PNG"))).picture

    assert verifiers.show(sealed(picture)).picture is None
    assert verifiers.show(sealed(drawn("PNG"))).picture == before


def svg(inside: str, side: str = "40mm") -> bytes:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="20mm" viewBox="0 0 2 1">'
    )
    return f"{head}{inside}</svg>".encode()


def sealed_svg(picture: bytes) -> bytes:
    return seal_of(MAKER, MAKER, picture=Picture("svg", picture, 40, 20))


def test_a_seal_of_shapes_is_drawn_as_one_of_pixels(verifiers: Verifiers) -> None:
    """A black left half, in the proportion of the picture."""
    found = verifiers.show(sealed_svg(svg('<rect x="0" y="0" width="1" height="1"/>'))).picture

    assert found is not None
    assert (found.width, found.height) == (SIDE_MAX, SIDE_MAX // 2)
    assert max(found.rgb[:3]) < 16
    assert min(found.rgb[-3:]) > 239


@pytest.mark.parametrize(
    "picture",
    [
        svg('<image href="/etc/hostname" width="1" height="1"/>'),
        svg("<text>x</text>"),
        svg('<rect width="1" height="1" fill="url(#x)"/>'),
        svg('<rect width="1" height="1"/>', side="9999mm"),
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg(""),
        svg('<rect width="1" height="1"/>' * 2_001),
        drawn("PNG"),
    ],
    ids=["a file", "text", "an address", "too large", "entities", "too many", "not what it says"],
)
def test_an_svg_that_we_would_not_take_is_not_drawn(verifiers: Verifiers, picture: bytes) -> None:
    assert verifiers.show(sealed_svg(picture)).picture is None


def test_what_has_no_seal_has_no_picture(verifiers: Verifiers) -> None:
    """Other kinds, damaged files, and what is no format of ours."""
    for data in (b"%PDF-1.7\n", b"PK\x03\x04 OFD.xml", sealed(drawn("PNG"))[:-1], b"GIF89a"):
        assert verifiers.show(data).picture is None


def test_show_prints_blocks_and_nothing_of_the_files_own(save: Save) -> None:
    """Two lines of the picture in one; the report follows, as without it."""
    file = save("seal.esl", sealed(drawn("PNG")))

    shown = run(file, "--as-of", "1750000000", "--show", "--simple")
    plain = run(file, "--as-of", "1750000000", "--simple")

    lines = shown.stdout.splitlines()
    picture = lines[: SIDE_MAX // 4]
    assert {line.strip() for line in picture} == {"█" * (SIDE_MAX // 2)}
    assert "\n".join(lines[SIDE_MAX // 4 :]) == plain.stdout.rstrip("\n")
    assert shown.exit_code == plain.exit_code


@pytest.mark.parametrize(
    "members",
    [
        {"width": 0, "height": 0, "rgb": ""},
        {"width": SIDE_MAX + 1, "height": 1, "rgb": b64u(bytes(3 * (SIDE_MAX + 1)))},
        {"width": 2, "height": 2, "rgb": b64u(bytes(11))},
        {"width": True, "height": 1, "rgb": b64u(bytes(3))},
        {"width": 1, "height": 1, "rgb": None},
    ],
)
def test_a_picture_of_a_worker_that_lies_is_refused(members: Json) -> None:
    """Its size is what its bytes have, within the limit."""

    with pytest.raises(ProofError) as refused:
        parse_thumbnail(members)

    assert refused.value.reason is ProofReason.JSON_MALFORMED


def test_a_picture_crosses_as_it_was_made() -> None:
    """And none is none."""

    picture = Thumbnail(2, 1, bytes(range(6)))

    assert parse_thumbnail(thumbnail_to_json(picture)) == picture
    assert parse_thumbnail(thumbnail_to_json(None)) is None
