"""Sealed OFD that another implementation reads and validates: ofdrw, Java."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.seal.faces.fonts import FaceFont
from hub.seal.faces.ofd import page_ofd
from hub.seal.faces.page import TextLine
from hub.seal.ofd_package import OfdPackage
from hub.seal.ofd_seal import StampPlace
from tests.chinese_font import needs_font
from tests.ofd_sealing import PLACE, Office
from tests.ofdrw import FETCH_S, OfdrwAbsent, Validated, jars, validate
from tests.proof import ofd_samples as samples
from tests.seal.faces.samples import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * FETCH_S + 60)]


@pytest.fixture(scope="module", autouse=True)
def _ofdrw() -> None:
    try:
        jars()
    except OfdrwAbsent as absent:
        pytest.skip(f"ofdrw: {absent}")


def test_ofdrw_reads_and_validates_what_we_seal_and_nothing_that_was_changed(
    tmp_path: Path,
) -> None:
    """One seal, two seals, a closed document; a page changed, a signature value of another."""
    office, other = Office.open(), Office.open()
    one = office.sealed(places=[PLACE, PLACE])
    two = other.sealed(one)
    closed = office.sealed(two, closing=True)
    page = samples.changed(two, samples.PAGE, one.files[samples.PAGE].replace(b"2016", b"2016 "))
    value = "Doc_0/Signs/Sign_0/SignedValue.dat"
    swapped = samples.changed(one, value, two.files[value.replace("Sign_0", "Sign_1")])

    said = _said(tmp_path, one, two, closed, page, swapped)

    assert said[:3] == [Validated("valid", samples.TEXT)] * 3
    assert said[3] == Validated("invalid", "FileIntegrityException")
    assert said[4].verdict == "invalid"


def test_ofdrw_reads_a_face_that_we_drew_and_sealed_line_for_line(tmp_path: Path) -> None:
    """The text of the licence, Chinese too, as another implementation takes it out of the page."""
    font = FaceFont.open(str(needs_font()))
    one = sample(font)
    place = one.page.seal
    stamp = StampPlace(1, place.x, place.y, place.width, place.height)
    sealed = Office.open().sealed(page_ofd(one.page, font, one.metadata), [stamp], closing=True)

    (said,) = _said(tmp_path, sealed)

    lines = [item.text for item in one.page.items if isinstance(item, TextLine)]
    assert said == Validated("valid", " ".join(lines))


def _said(folder: Path, *packages: OfdPackage) -> list[Validated]:
    files = []
    for number, package in enumerate(packages):
        path = folder / f"{number}.ofd"
        path.write_bytes(package.to_bytes())
        files.append(path)
    return validate(files)
