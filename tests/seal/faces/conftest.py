"""One font for all tests of faces."""

from __future__ import annotations

import os

import pytest

from hub.seal.faces.fonts import FaceFont
from tests.chinese_font import FontAbsent, font_file


@pytest.fixture(scope="session")
def font() -> FaceFont:
    """A real Chinese font; skipped where there is none."""
    try:
        return FaceFont.open(str(font_file()))
    except FontAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a Chinese font is required: {absent}")
        pytest.skip(f"no Chinese font: {absent}")
