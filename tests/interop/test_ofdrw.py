"""Sealed OFD that another implementation reads and validates: ofdrw, Java."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.seal.ofd_package import OfdPackage
from tests.ofd_sealing import PLACE, Office
from tests.ofdrw import FETCH_S, OfdrwAbsent, Validated, jars, validate
from tests.proof import ofd_samples as samples

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


def _said(folder: Path, *packages: OfdPackage) -> list[Validated]:
    files = []
    for number, package in enumerate(packages):
        path = folder / f"{number}.ofd"
        path.write_bytes(package.to_bytes())
        files.append(path)
    return validate(files)
