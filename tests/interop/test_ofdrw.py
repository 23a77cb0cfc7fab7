"""Sealed OFD between two implementations: ofdrw (Java) validates what we seal, and we its seals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind, Report
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.marked_ofd import mark_ofd
from hub.seal.documents.marking import read_ofd
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import StampPlace
from hub.seal.faces.fonts import FaceFonts
from hub.seal.faces.layout import Overlay, set_overlay
from hub.seal.faces.ofd import page_ofd
from hub.seal.faces.page import Box, Colour, TextLine
from hub.seal.faces.template import Watermark
from tests.chinese_font import needs_font
from tests.ofd_sealing import PLACE, Office
from tests.ofdrw import FETCH_S, Validated, needs_ofdrw, sign, validate
from tests.proof import ofd_samples as samples
from tests.seal.faces.samples import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * FETCH_S + 60)]

VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"


@dataclass(frozen=True)
class Documents:
    """Documents by name, and what ofdrw says of each. It seals with `other`'s seal."""

    office: Office
    other: Office
    packages: dict[str, OfdPackage]
    said: dict[str, Validated]

    def report(self, name: str) -> Report:
        """Our own word, with all trust that there is."""
        now = datetime.now(UTC)
        offices = (self.office, self.other)
        anchors = tuple(x509.load_der_x509_certificate(office.root.der) for office in offices)
        trust = Trust("hub.example", "330000", maker_anchors=anchors, signer_anchors=anchors)
        crls = tuple(office.crl_der(at=now) for office in offices)
        evidence = Evidence(now=int(now.timestamp()), crls=crls)
        return verify(self.packages[name].to_bytes(), Kind.OFD, trust, evidence)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    """All documents of this module: two virtual machines are started, not two for each."""
    needs_ofdrw()
    folder = tmp_path_factory.mktemp("ofdrw")
    office, other = Office.open(), Office.open()
    plain = samples.package()
    one = office.sealed(places=[PLACE, PLACE])
    two = other.sealed(one)
    page = one.files[samples.PAGE].replace(b"2016", b"2016 ")
    packages = {
        "one seal": one,
        "two seals": two,
        "closed": office.sealed(two, closing=True),
        "changed page": samples.changed(two, samples.PAGE, page),
        "value of another": samples.changed(one, VALUE, other.sealed().files[VALUE]),
        **_sealed_by_ofdrw(folder, other, plain, one),
    }
    packages["ofdrw, then ours"] = office.sealed(packages["ofdrw"], closing=True)
    files = [_written(folder, name, package) for name, package in packages.items()]
    return Documents(office, other, packages, dict(zip(packages, validate(files), strict=True)))


def _sealed_by_ofdrw(
    folder: Path, office: Office, plain: OfdPackage, sealed: OfdPackage
) -> dict[str, OfdPackage]:
    """`plain` and `sealed` with a seal of ofdrw's, the list open and closed."""
    (folder / "key.pk8").write_bytes(office.signer.key.to_pkcs8())
    (folder / "signer.der").write_bytes(office.signer.der)
    (folder / "seal.esl").write_bytes(office.seal)
    asked = {
        "ofdrw": ("ContinueSign", plain),
        "ofdrw, closed": ("WholeProtected", plain),
        "ours, then ofdrw": ("ContinueSign", sealed),
        "ours, then ofdrw, closed": ("WholeProtected", sealed),
    }
    words = [
        (mode, _written(folder, f"{name} from", package), folder / f"{name} to")
        for name, (mode, package) in asked.items()
    ]
    sign(folder, words)
    return {
        name: OfdPackage.from_bytes(to.read_bytes())
        for name, (_, _, to) in zip(asked, words, strict=True)
    }


def _written(folder: Path, name: str, package: OfdPackage) -> Path:
    path = folder / name
    path.write_bytes(package.to_bytes())
    return path


@pytest.mark.parametrize("name", ["one seal", "two seals", "closed"])
def test_ofdrw_reads_and_validates_what_we_seal(documents: Documents, name: str) -> None:
    """Every seal of it, and the text of the page."""
    assert documents.said[name] == Validated("valid", samples.TEXT)


def test_ofdrw_refuses_what_was_changed(documents: Documents) -> None:
    """Else its word would be worth nothing."""
    assert documents.said["changed page"] == Validated("invalid", "FileIntegrityException")
    assert documents.said["value of another"].verdict == "invalid"


@pytest.mark.parametrize(
    ("name", "seals"),
    [
        ("ofdrw", 1),
        ("ofdrw, closed", 1),
        ("ours, then ofdrw", 2),
        ("ours, then ofdrw, closed", 2),
        ("ofdrw, then ours", 2),
    ],
)
def test_seals_of_both_are_valid_to_both_in_one_document(
    documents: Documents, name: str, seals: int
) -> None:
    """Neither breaks the other's."""
    report = documents.report(name)

    assert [step for step in report.steps if step.reason] == []
    assert report.verdict is Verdict.VALID
    assert {step.part for step in report.steps} == {None, *range(1, seals + 1)}
    assert documents.said[name] == Validated("valid", samples.TEXT)


def test_ofdrw_reads_a_face_that_we_drew_and_sealed_line_for_line(
    documents: Documents, tmp_path: Path
) -> None:
    """The text of the licence, Chinese too, as another implementation takes it out of the page."""
    fonts = FaceFonts.open(str(needs_font()))
    one = sample(fonts)
    place = one.page.seal
    stamp = StampPlace(1, place.x, place.y, place.width, place.height)
    face = page_ofd(one.page, fonts, one.metadata)
    sealed = documents.office.sealed(face, [stamp], closing=True)

    (said,) = validate([_written(tmp_path, "face", sealed)])

    lines = [item.text for item in one.page.items if isinstance(item, TextLine)]
    assert said == Validated("valid", " ".join(lines))


@pytest.mark.parametrize("document", [samples.package(), samples.annotated()], ids=["plain", "own"])
def test_ofdrw_reads_a_marked_document_of_a_department(
    documents: Documents, document: OfdPackage, tmp_path: Path
) -> None:
    """Its own words as before, the mark behind its own annotations, and our seal over all."""
    fonts = FaceFonts.open(str(needs_font()))

    def lines(box: Box) -> tuple[TextLine, ...]:
        place = Watermark(box, 14, 25, Colour(179, 38, 30))
        return tuple(set_overlay(Overlay(("仅用于：办理许可",)), place, fonts))

    brought = documents.office.sealed(document, [PLACE]).to_bytes()
    made = mark_ofd(read_ofd(brought), lines, fonts, sample(fonts).metadata)
    stamp = StampPlace(1, 150, 240, 40, 40)
    sealed = documents.office.sealed(made.package, [stamp], closing=True)

    (said,) = validate([_written(tmp_path, "marked", sealed)])

    assert said == Validated("valid", samples.TEXT)
    # Without it ofdrw draws no mark.
    assert fonts.files[0].name in said.fonts
