"""One font for all tests of faces."""

from __future__ import annotations

import pytest

from hub.seal.faces.fonts import FaceFonts
from tests.chinese_font import needs_font


@pytest.fixture(scope="session")
def fonts() -> FaceFonts:
    """A real Chinese font; skipped where there is none."""
    return FaceFonts.open(str(needs_font()))
