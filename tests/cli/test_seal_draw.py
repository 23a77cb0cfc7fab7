"""`sealway seal draw`: a picture that a seal can be made with, or a clear word why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from hub.cli.main import run
from hub.seal.pictures import check_picture
from tests.chinese_font import FontAbsent, font_file

NAME = "杭州市市场监督管理局"


@pytest.fixture(scope="module")
def font() -> str:
    """A real Chinese font; skipped where there is none."""
    try:
        return str(font_file())
    except FontAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a Chinese font is required: {absent}")
        pytest.skip(f"no Chinese font: {absent}")


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture_is_drawn_in_its_size(font: str, tmp_path: Path, suffix: str) -> None:
    """As vector, or with six hundred dots to the inch; either may stand on a seal."""
    out = tmp_path / f"seal.{suffix}"

    code = run(["seal", "draw", "--name", NAME, "--code", "33", "--font", font, "--out", str(out)])

    assert code == 0
    picture = check_picture(out.read_bytes())
    assert picture.type.value == suffix.upper()
    if suffix == "png":
        with Image.open(out) as image:
            assert abs(image.width - 40 / 25.4 * 600) <= 1
            assert image.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
        # An electronic seal has 64 KiB for its picture and its certificates.
        assert out.stat().st_size < 48 * 1024


def test_what_cannot_stand_on_a_seal_is_named(
    font: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No name, another kind of file, no such font: nothing is written."""
    out = str(tmp_path / "seal.png")

    assert run(["seal", "draw", "--name", "", "--font", font, "--out", out]) == 1
    assert "FIELD_INVALID: name" in capsys.readouterr().err
    assert run(["seal", "draw", "--name", NAME, "--font", "/nowhere", "--out", out]) == 1
    assert "FONT_MISSING" in capsys.readouterr().err
    assert run(["seal", "draw", "--name", NAME, "--font", font, "--out", out + ".jpg"]) == 64
    assert list(tmp_path.iterdir()) == []
