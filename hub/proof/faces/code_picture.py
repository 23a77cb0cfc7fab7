"""The code in a scan or photograph of a face: what its text is, and nothing more.

The decoder (`zxing-cpp`, the extra `scan`) is imported inside of the function: without it pictures
are *cannot check* and texts are verified as ever. Meant to be run where it can be killed
(`hub.proof.worker`): pictures come from strangers.
"""

from __future__ import annotations

import io
from typing import Final

from hub.domain.qr_text import SCHEME
from hub.proof.reasons import ProofError, ProofReason, Verdict

PIXELS_MAX: Final = 36_000_000
_MAGIC: Final = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}


def is_picture(data: bytes) -> bool:
    """Whether the file is a PNG or JPEG by its first bytes."""
    return data.startswith(tuple(_MAGIC))


def text_in_picture(data: bytes) -> str:
    """The text of the one code of a hub in a picture.

    Raises ProofError, always *cannot check*: SCANNER_MISSING; PICTURE_UNREADABLE where it is
    damaged or has more than 36 million pixels; CODE_NOT_FOUND where none or several were read.
    """
    try:
        import zxingcpp  # noqa: PLC0415
        from PIL import Image  # noqa: PLC0415
    except ImportError as error:
        raise _unchecked(ProofReason.SCANNER_MISSING) from error
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_MAGIC.values())) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise _unchecked(ProofReason.PICTURE_UNREADABLE)
            picture = opened.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unchecked(ProofReason.PICTURE_UNREADABLE) from error
    formats, plain = zxingcpp.barcode_formats_from_str("QRCode"), zxingcpp.TextMode.Plain
    read = zxingcpp.read_barcodes(picture, formats=formats, text_mode=plain)
    texts = {one.text for one in read if one.text.startswith(SCHEME)}
    if len(texts) != 1:
        raise _unchecked(ProofReason.CODE_NOT_FOUND, f"{len(texts)} codes")
    return texts.pop()


def _unchecked(reason: ProofReason, detail: str = "") -> ProofError:
    return ProofError(reason, detail, verdict=Verdict.CANNOT_CHECK)
