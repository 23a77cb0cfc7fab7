"""A small picture of the seal in a file, for people to look at; it proves nothing.

Runs in the worker only (`hub.proof.worker`): pictures are a stranger's bytes as the rest is.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from hub.proof.encoding import Json, b64u, b64u_decode
from hub.proof.ofd.document import open_package, read_document, read_signature
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.reports.report import Kind
from hub.proof.reports.svg import SvgRefusedError, small_png
from hub.proof.ses.seal import Picture, parse_seal, parse_signature

SIDE_MAX: Final = 44
_PIXELS_MAX: Final = 16_000_000
# What seals are drawn in; Pillow knows eighty more, and is not asked for them.
_FORMATS: Final = ("PNG", "GIF", "JPEG", "BMP")
_SVG: Final = "SVG"
# Drawn larger and made small with the others, which is better to look at.
_SVG_PIXELS: Final = 4 * SIDE_MAX


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """`rgb` has three bytes per pixel, line by line; at most `SIDE_MAX` pixels each way."""

    width: int
    height: int
    rgb: bytes


def thumbnail_of(data: bytes, kind: Kind) -> Thumbnail | None:
    """The picture of the seal in `data`, of its first one; None where there is none to be shown.

    Shown are pixels, and SVG as we take it in ourselves. A picture that is an OFD is not drawn.
    """
    try:
        picture = _picture(data, kind)
        if picture is None:
            return None
        if picture.type.upper() == _SVG:
            return _drawn(small_png(picture.data, _SVG_PIXELS))
        return _drawn(picture.data)
    except (ProofError, SvgRefusedError, ImportError):
        return None


def thumbnail_to_json(thumbnail: Thumbnail | None) -> Json:
    """As the worker sends it."""
    if thumbnail is None:
        return None
    return {"width": thumbnail.width, "height": thumbnail.height, "rgb": b64u(thumbnail.rgb)}


def parse_thumbnail(members: Json) -> Thumbnail | None:
    """What a worker sent. Raises ProofError(JSON_MALFORMED) for what is no picture."""
    if members is None:
        return None
    if not isinstance(members, dict):
        raise ProofError(ProofReason.JSON_MALFORMED, "thumbnail")
    width, height, rgb = (members.get(name) for name in ("width", "height", "rgb"))
    if type(width) is int and type(height) is int and isinstance(rgb, str):
        pixels = b64u_decode(rgb)
        whole = len(pixels) == 3 * width * height
        if whole and 0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX:
            return Thumbnail(width, height, pixels)
    raise ProofError(ProofReason.JSON_MALFORMED, "thumbnail")


def _picture(data: bytes, kind: Kind) -> Picture | None:
    match kind:
        case Kind.SEAL:
            return parse_seal(data).picture
        case Kind.SEAL_SIGNATURE:
            return parse_signature(data).seal.picture
        case Kind.OFD:
            document = read_document(open_package(data))
            for listed in document.signatures:
                value = document.package.files[read_signature(document, listed).value_file]
                return parse_signature(value).seal.picture
    return None


def _drawn(data: bytes) -> Thumbnail | None:
    """On white; the sides keep their proportion."""
    from PIL import Image  # noqa: PLC0415 - the auditor's kit needs no picture library.

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            # Before a single pixel is decoded.
            if opened.width * opened.height > _PIXELS_MAX:
                return None
            drawn = opened.convert("RGBA")
        drawn.thumbnail((SIDE_MAX, SIDE_MAX))
        page = Image.new("RGBA", drawn.size, "white")
        page.alpha_composite(drawn)
        return Thumbnail(page.width, page.height, page.convert("RGB").tobytes())
    except MemoryError:
        raise
    except Exception:
        return None
