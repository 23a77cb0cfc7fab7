"""What stands in an OFD document, found by following its references."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.proof.ofd.checks import added_files, digests_of, listed_files, misspelt, protects_list
from hub.proof.ofd.document import (
    PAGES_MAX,
    Document,
    Package,
    open_package,
    read_document,
    read_signature,
)
from hub.proof.ofd.zip import ENTRIES_MAX
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.seal.documents.ofd_package import OfdPackage
from tests.proof import ofd_samples as samples


def opened(package: OfdPackage) -> Document:
    """The document as a reader of the archive finds it."""
    return read_document(open_package(package.to_bytes()))


def refused(package: OfdPackage) -> ProofError:
    """Why `package` is not read."""
    with pytest.raises(ProofError) as raised:
        opened(package)
    return raised.value


def test_a_package_is_the_same_bytes_whenever_and_in_whatever_order_it_is_made() -> None:
    """Nothing of the day, of the machine or of a dictionary's order."""
    package = samples.package()
    other = OfdPackage(dict(reversed(package.files.items())))

    assert package.to_bytes() == other.to_bytes()
    assert OfdPackage.from_bytes(package.to_bytes()).files == package.files


def test_text_is_read_from_the_pages() -> None:
    """Page by page, as characters."""
    document = opened(samples.package())

    assert list(document.texts()) == [samples.TEXT]
    assert document.pages == {"1": samples.PAGE}
    assert document.signatures == ()


@pytest.mark.parametrize("location", ["Doc_0/Document.xml", "/Doc_0/Document.xml"])
def test_a_leading_slash_may_be_left_out(location: str) -> None:
    """Real files do."""
    xml = samples.OFD_XML.replace("Doc_0/Document.xml", location)

    document = opened(samples.changed(samples.package(), "OFD.xml", xml.encode()))

    assert document.file == "Doc_0/Document.xml"


def test_a_reference_from_the_root_is_found_without_its_slash_from_a_folder() -> None:
    """`Doc_0/Pages/…` written in a file of `Doc_0`."""
    xml = samples.DOCUMENT_XML.replace("Pages/Page_0", "Doc_0/Pages/Page_0")
    package = samples.changed(samples.package(), "Doc_0/Document.xml", xml.encode())

    assert opened(package).pages == {"1": samples.PAGE}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Doc_0/Document.xml", "../Document.xml", ProofReason.OFD_LOCATION),
        ("Doc_0/Document.xml", "Doc_0/./Document.xml", ProofReason.OFD_LOCATION),
        ("Doc_0/Document.xml", "Doc_0\\Document.xml", ProofReason.OFD_LOCATION),
        ("Doc_0/Document.xml", "Doc_1/Document.xml", ProofReason.OFD_FILE_MISSING),
        ("<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>", "", ProofReason.OFD_STRUCTURE),
        (
            "</ofd:DocRoot>",
            "</ofd:DocRoot><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>",
            ProofReason.OFD_STRUCTURE,
        ),
        ("Doc_0/Document.xml", " ", ProofReason.OFD_STRUCTURE),
        ("2016", "2017", ProofReason.OFD_STRUCTURE),
        ("</ofd:OFD>", "", ProofReason.XML_MALFORMED),
        ("</ofd:OFD>", "<ofd:DocBody/></ofd:OFD>", ProofReason.OFD_SEVERAL_DOCUMENTS),
    ],
)
def test_an_entry_file_that_leads_nowhere_or_to_two_places_is_refused(
    old: str, new: str, reason: ProofReason
) -> None:
    """Each with its reason."""
    xml = samples.OFD_XML.replace(old, new)
    error = refused(samples.changed(samples.package(), "OFD.xml", xml.encode()))

    assert error.reason is reason
    several = reason is ProofReason.OFD_SEVERAL_DOCUMENTS
    assert error.verdict is (Verdict.CANNOT_CHECK if several else Verdict.INVALID)


def test_too_many_pages_are_refused() -> None:
    """Before they are followed."""
    page = '<ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/>'
    xml = samples.DOCUMENT_XML.replace(page, page * (PAGES_MAX + 1))
    error = refused(samples.changed(samples.package(), "Doc_0/Document.xml", xml.encode()))

    assert error.reason is ProofReason.OFD_STRUCTURE


def test_a_page_without_an_id_is_refused() -> None:
    """Stamps refer to it."""
    xml = samples.DOCUMENT_XML.replace('Page ID="1"', "Page")
    error = refused(samples.changed(samples.package(), "Doc_0/Document.xml", xml.encode()))

    assert error.reason is ProofReason.OFD_STRUCTURE


def test_a_package_of_too_many_files_is_refused() -> None:
    """Also where no archive is around them yet."""
    files = samples.package().files | {f"x/{number}": b"" for number in range(ENTRIES_MAX)}
    with pytest.raises(ProofError) as raised:
        Package.of(files)

    assert raised.value.reason is ProofReason.ZIP_TOO_LARGE


def test_a_document_type_in_a_file_that_only_a_viewer_reads_is_refused() -> None:
    """It could show other content tomorrow than was sealed today."""
    xml = samples.PAGE_XML.replace("?>", '?><!DOCTYPE x SYSTEM "http://127.0.0.1/x">')
    with pytest.raises(ProofError) as raised:
        opened(samples.changed(samples.package(), samples.PAGE, xml.encode()))

    assert raised.value.reason is ProofReason.XML_DTD


@pytest.mark.parametrize(
    ("name", "bare", "closed"),
    [("SESV4SignDoc", False, False), ("allprotected", False, True), ("DigitalSign", True, False)],
)
def test_files_of_another_implementation_are_as_they_were_sealed(
    shared_data: Path, name: str, bare: bool, closed: bool
) -> None:
    """Every digest holds and no file is left out."""
    document = read_document(open_package((shared_data / "seals" / f"{name}.ofd").read_bytes()))
    signature = read_signature(document, document.signatures[0])

    assert [
        verdict
        for verdict in listed_files(signature, digests_of(document.package))
        if verdict.error
    ] == []
    assert added_files(document, signature) == ()
    assert signature.listed.bare is bare
    assert protects_list(document, signature) is closed
    assert misspelt(signature) == ()


def test_a_document_without_seal_is_read(shared_data: Path) -> None:
    """It lists no signature."""
    document = read_document(open_package((shared_data / "seals" / "helloworld.ofd").read_bytes()))

    assert document.signatures == ()
    assert list(document.texts()) == ["你好呀，OFD Reader&Writer！"]
