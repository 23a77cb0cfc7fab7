"""Verdicts on OFD documents: what was sealed, what was done to it afterwards, each with its reason.

Where an attacker would need the signing key, `resealed` lends it to him: what is tested then is
the rule alone.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.proof.ofd.document import open_package
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind, Remark, Report, StepName
from hub.proof.run import Evidence
from hub.proof.ses.seal import assemble_signature, parse_signature, tbs_sign
from hub.proof.sm2 import SM2_WITH_SM3, sm3
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.ofd_package import OfdPackage
from tests.ofd_sealing import TIME, Office
from tests.proof import ofd_samples as samples
from tests.proof.ofd_samples import RawArchive, RawEntry, changed, without
from tests.proof.sm2_pki import Member

NOW: Final = int(TIME.timestamp()) + 60
SIGN: Final = "Doc_0/Signs/Sign_0"
LIST: Final = "Doc_0/Signs/Signatures.xml"
XML: Final = f"{SIGN}/Signature.xml"
VALUE: Final = f"{SIGN}/SignedValue.dat"
SEAL: Final = f"{SIGN}/Seal.esl"

OFFICE: Final = Office.open()
OTHER: Final = Office.open()
SEALED: Final = OFFICE.sealed()
TWICE: Final = OTHER.sealed(SEALED)
CLOSED: Final = OFFICE.sealed(closing=True)


def report_on(data: bytes, *offices: Office) -> Report:
    """The report of a reader who trusts `offices` (by default both)."""
    trusted = offices or (OFFICE, OTHER)
    anchors = tuple(x509.load_der_x509_certificate(office.root.der) for office in trusted)
    trust = Trust("hub.example", "330000", maker_anchors=anchors, signer_anchors=anchors)
    crls = tuple(office.crl_der() for office in trusted)
    return verify(data, Kind.OFD, trust, Evidence(now=NOW, crls=crls))


def outcome(package: OfdPackage) -> tuple[Verdict, ProofReason | None]:
    """Verdict and reason of the report as a whole."""
    report = report_on(package.to_bytes())
    return report.verdict, report.reason


def reasons(report: Report) -> dict[StepName, ProofReason]:
    """The reasons of the steps that do not hold."""
    return {step.name: step.reason for step in report.steps if step.reason is not None}


def with_value(
    package: OfdPackage, xml: bytes, *, seal: bytes, signer: Member, scope: str = f"/{XML}"
) -> OfdPackage:
    """`package` with `xml` as its description, signed by `signer` under `seal` for `scope`."""
    tbs = tbs_sign(seal=seal, sign_time=TIME, data_hash=sm3(xml), protected=scope)
    value = assemble_signature(tbs, signer.der, SM2_WITH_SM3, signer.key.sign(tbs))
    return changed(changed(package, XML, xml), VALUE, value)


def resealed(package: OfdPackage, edit: Callable[[str], str]) -> OfdPackage:
    """`package` with its description edited and signed again by its own signer."""
    xml = edit(package.files[XML].decode()).encode()
    return with_value(package, xml, seal=OFFICE.seal, signer=OFFICE.signer)


FIRST_REFERENCE: Final = "(<ofd:Reference .*?</ofd:Reference>)"


def text(old: str, new: str) -> Callable[[str], str]:
    """An edit of one text."""
    return lambda xml: xml.replace(old, new, 1)


def pattern(old: str, new: str) -> Callable[[str], str]:
    """An edit of the first match."""
    return lambda xml: re.sub(old, new, xml, count=1)


def method(attribute: str) -> Callable[[str], str]:
    """An edit that names another method for the digests, or none."""
    return pattern('CheckMethod="[^"]*"', attribute)


def digest_of(name: str, data: bytes) -> Callable[[str], str]:
    """An edit that makes the digest of `name` that of `data`."""
    value = b64encode(sm3(data)).decode()
    return pattern(rf'(FileRef="/{re.escape(name)}"><ofd:CheckValue>)[^<]*', rf"\g<1>{value}")


# ---- what holds ------------------------------------------------------------------------------


@pytest.mark.parametrize("package", [SEALED, TWICE, CLOSED, OFFICE.sealed(TWICE, closing=True)])
def test_what_we_seal_is_valid(package: OfdPackage) -> None:
    """Every step of every signature holds, and every file is named with its verdict."""
    report = report_on(package.to_bytes())

    assert reasons(report) == {}
    assert report.verdict is Verdict.VALID
    count = sum(name.endswith("SignedValue.dat") for name in package.files)
    assert {step.part for step in report.steps} == {None, *range(1, count + 1)}
    last = {file.path for file in report.files if file.part == count}
    carrying = {LIST} if package is SEALED or package is TWICE else set()
    carrying |= {
        f"Doc_0/Signs/Sign_{count - 1}/{name}" for name in ("Signature.xml", "SignedValue.dat")
    }
    assert last == set(package.files) - carrying
    assert all(file.verdict is Verdict.VALID for file in report.files)


def test_the_report_says_who_sealed_with_which_seal() -> None:
    """Facts of both signatures."""
    report = report_on(TWICE.to_bytes())

    names = [fact.value for fact in report.facts if fact.name is FactName.SEAL_NAME]
    assert names == ["测试专用章", "测试专用章"]
    assert FactName.SIGNER in {fact.name for fact in report.facts}


def test_without_trust_the_files_are_checked_and_the_chain_is_not() -> None:
    """Cannot check, never valid."""
    report = verify(SEALED.to_bytes(), Kind.OFD, None, Evidence(now=NOW))

    assert report.verdict is Verdict.CANNOT_CHECK
    assert {step.verdict for step in report.steps} == {Verdict.VALID, Verdict.CANNOT_CHECK}
    held = {step.name for step in report.steps if step.verdict is Verdict.VALID}
    assert {StepName.SIGNED_FILES, StepName.UNSIGNED_FILES, StepName.SIGNATURE_VALUE} <= held


def test_a_seal_of_a_stranger_beside_a_good_one_is_not_believed() -> None:
    """Each signature has its own verdict; the document has the worst."""
    report = report_on(TWICE.to_bytes(), OFFICE)

    assert report.verdict is Verdict.INVALID
    assert reasons(report)[StepName.SIGNER_CHAIN] is ProofReason.X509_UNTRUSTED
    assert {step.part for step in report.steps if step.verdict is Verdict.INVALID} == {2}


def test_a_reference_in_other_letters_is_followed_and_remarked_on() -> None:
    """A real file has `TPLS` for `Tpls`."""
    package = resealed(
        SEALED, lambda xml: xml.replace("Doc_0/PublicRes.xml", "Doc_0/publicRES.xml")
    )
    report = report_on(package.to_bytes())

    assert report.verdict is Verdict.VALID
    assert Remark.NAMES_DIFFER in report.remarks


def test_the_method_may_be_left_out() -> None:
    """The schema lets it; the signature value names its own."""
    package = resealed(SEALED, pattern("<ofd:SignatureMethod>.*</ofd:SignatureMethod>", ""))

    assert outcome(package) == (Verdict.VALID, None)


def test_the_seal_need_not_stand_beside_the_signature() -> None:
    """Tax offices leave it out; the one in the signature value counts."""
    reference = f'<ofd:Reference FileRef="/{SEAL}">.*?</ofd:Reference>'
    package = resealed(
        resealed(SEALED, pattern("<ofd:Seal>.*</ofd:Seal>", "")), pattern(reference, "")
    )

    assert outcome(without(package, SEAL)) == (Verdict.VALID, None)


def test_a_signature_of_another_method_than_named_is_invalid() -> None:
    """What the description says is signed, so one of the two was made up."""
    signature = parse_signature(SEALED.files[VALUE])
    value = assemble_signature(
        signature.signed_bytes, signature.signer_x509, "1.2.840.10045.4.3.2", signature.signature
    )
    report = report_on(changed(SEALED, VALUE, value).to_bytes())

    assert report.verdict is Verdict.INVALID
    assert reasons(report)[StepName.SIGNATURE_VALUE] is ProofReason.ALG_NOT_CHECKED
    assert reasons(report)[StepName.SCOPE] is ProofReason.OFD_METHOD_DIFFERS


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (f"/{XML}", (Verdict.VALID, None)),
        (XML, (Verdict.VALID, None)),
        ("Signature.xml", (Verdict.VALID, None)),
        (f"/{LIST}", (Verdict.INVALID, ProofReason.OFD_SCOPE_DIFFERS)),
        (f"/{SIGN}1/Signature.xml", (Verdict.INVALID, ProofReason.OFD_SCOPE_DIFFERS)),
        (f"/../{XML}", (Verdict.INVALID, ProofReason.OFD_LOCATION)),
        ("the whole document", (Verdict.CANNOT_CHECK, ProofReason.OFD_SCOPE_UNKNOWN)),
    ],
)
def test_a_signature_says_what_it_was_made_for(
    scope: str, expected: tuple[Verdict, ProofReason | None]
) -> None:
    """By custom the path of its own description, with or without the leading slash."""
    xml = SEALED.files[XML]
    package = with_value(SEALED, xml, seal=OFFICE.seal, signer=OFFICE.signer, scope=scope)

    assert outcome(package) == expected


# ---- files of others -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "verdict", "expected"),
    [
        (
            "SESV4SignDoc",
            Verdict.INVALID,
            {
                StepName.SIGNER_CHAIN: ProofReason.X509_EXPIRED,
                StepName.SIGNING_TIME: ProofReason.X509_EXPIRED,
                StepName.SEAL_PERIOD: ProofReason.SEAL_EXPIRED,
                StepName.MAKER_CHAIN: ProofReason.X509_EXPIRED,
            },
        ),
        ("allprotected", Verdict.CANNOT_CHECK, {}),
        (
            "DigitalSign",
            Verdict.CANNOT_CHECK,
            {StepName.SIGNATURE_VALUE: ProofReason.OFD_BARE_SIGNATURE},
        ),
        (
            "helloworld",
            Verdict.CANNOT_CHECK,
            {StepName.SIGNED: ProofReason.OFD_NOT_SEALED},
        ),
    ],
)
def test_documents_of_another_implementation_have_the_verdict_that_they_must(
    shared_data: Path, name: str, verdict: Verdict, expected: dict[StepName, ProofReason]
) -> None:
    """Cryptography holds; what does not is time, trust or that there is nothing to check."""
    data = (shared_data / "seals" / f"{name}.ofd").read_bytes()
    trust = Trust("hub.example", "330000")
    report = verify(data, Kind.OFD, trust, Evidence(now=NOW))

    found = {
        step.name: step.reason
        for step in report.steps
        if step.reason not in (None, ProofReason.NO_SEAL_ANCHOR)
    }
    assert found == expected
    assert report.verdict is verdict
    assert all(file.verdict is Verdict.VALID for file in report.files)


# ---- attacks ---------------------------------------------------------------------------------


def edited(package: OfdPackage, name: str, old: str, new: str) -> OfdPackage:
    """`package` with a text replaced in one file."""
    text = package.files[name].decode()
    assert old in text
    return changed(package, name, text.replace(old, new).encode())


def moved(package: OfdPackage, old: str, new: str) -> OfdPackage:
    """`package` with a file, or a folder, under another name."""
    return OfdPackage({name.replace(old, new): data for name, data in package.files.items()})


def swapped(package: OfdPackage) -> OfdPackage:
    """`package` with its two signatures listed in the other order."""
    found = rb"(<ofd:Signature [^>]*>)(<ofd:Signature [^>]*>)"
    return changed(package, LIST, re.sub(found, rb"\2\1", package.files[LIST]))


OTHER_DOCUMENT: Final = samples.changed(
    moved(SEALED, "Doc_0/Document.xml", "Doc_0/Original.xml"),
    "Doc_0/Document.xml",
    samples.DOCUMENT_XML.encode() + b"\n",
)


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        # Files.
        (edited(SEALED, samples.PAGE, samples.TEXT, "经营许可"), ProofReason.OFD_FILE_CHANGED),
        (edited(SEALED, "OFD.xml", "2026-11-27", "2026-11-28"), ProofReason.OFD_FILE_CHANGED),
        (changed(SEALED, "Doc_0/PublicRes.xml", b""), ProofReason.OFD_FILE_CHANGED),
        (without(SEALED, "Doc_0/PublicRes.xml"), ProofReason.OFD_FILE_MISSING),
        (changed(SEALED, "Doc_0/Annots/Annotations.xml", b"<a/>"), ProofReason.OFD_FILE_UNLISTED),
        (changed(SEALED, "empty", b""), ProofReason.OFD_FILE_UNLISTED),
        (
            changed(SEALED, "Doc_0/Pages/Page_1/Content.xml", SEALED.files[samples.PAGE]),
            ProofReason.OFD_FILE_UNLISTED,
        ),
        (
            changed(without(SEALED, samples.PAGE), "Doc_0/Page.xml", SEALED.files[samples.PAGE]),
            ProofReason.OFD_FILE_MISSING,
        ),
        (moved(SEALED, "Doc_0/PublicRes.xml", "Doc_0/Res.xml"), ProofReason.OFD_FILE_MISSING),
        (OTHER_DOCUMENT, ProofReason.OFD_FILE_CHANGED),
        # The second of two seals stands for the first; a closed document for its list.
        (
            edited(
                without(TWICE, XML, VALUE, SEAL), LIST,
                f'<ofd:Signature ID="s001" Type="Seal" BaseLoc="/{XML}"/>', "",
            ),
            ProofReason.OFD_FILE_MISSING,
        ),
        (edited(CLOSED, LIST, "s002", "s009"), ProofReason.OFD_FILE_CHANGED),
        (edited(CLOSED, LIST, "</ofd:Sig", " </ofd:Sig"), ProofReason.OFD_FILE_CHANGED),
        (
            edited(
                edited(TWICE, LIST, "Sign_0", "Sign_x"), LIST, "Sign_1", "Sign_0"
            ),
            ProofReason.OFD_FILE_MISSING,
        ),
        (swapped(TWICE), ProofReason.OFD_FILE_UNLISTED),
        (edited(SEALED, LIST, 'Type="Seal"', 'Type="Stamp"'), ProofReason.OFD_STRUCTURE),
        (
            edited(
                SEALED, LIST, "</ofd:Signatures>",
                '<ofd:Signature ID="x" BaseLoc="/OFD.xml"/>' * 64 + "</ofd:Signatures>",
            ),
            ProofReason.OFD_STRUCTURE,
        ),
        # The seal that is shown.
        (changed(SEALED, SEAL, OTHER.seal), ProofReason.OFD_FILE_CHANGED),
        (
            resealed(changed(SEALED, SEAL, OTHER.seal), digest_of(SEAL, OTHER.seal)),
            ProofReason.OFD_SEAL_DIFFERS,
        ),
        (
            with_value(SEALED, SEALED.files[XML], seal=OFFICE.seal, signer=OTHER.signer),
            ProofReason.SIGNER_NOT_IN_SEAL,
        ),
        # Wrapping: a genuine signature value over something else, or in another place.
        (changed(SEALED, VALUE, OTHER.sealed().files[VALUE]), ProofReason.CONTENT_DIGEST_MISMATCH),
        (edited(SEALED, XML, "220 40 40", "220 80 80"), ProofReason.CONTENT_DIGEST_MISMATCH),
        (
            edited(
                moved(SEALED, "PublicRes.xml", "Res.xml"), XML, "PublicRes.xml", "Res.xml",
            ),
            ProofReason.CONTENT_DIGEST_MISMATCH,
        ),
        (
            edited(moved(SEALED, VALUE, "value.dat"), XML, f"/{VALUE}", "/value.dat"),
            ProofReason.CONTENT_DIGEST_MISMATCH,
        ),
        (moved(SEALED, VALUE, "value.dat"), ProofReason.OFD_FILE_MISSING),
        (
            edited(moved(SEALED, XML, f"{SIGN}/Other.xml"), LIST, XML, f"{SIGN}/Other.xml"),
            ProofReason.OFD_SCOPE_DIFFERS,
        ),
        (
            edited(
                changed(SEALED, f"{SIGN}/Forged.xml", SEALED.files[XML].replace(b"?>", b"?> ")),
                LIST, XML, f"{SIGN}/Forged.xml",
            ),
            ProofReason.OFD_FILE_UNLISTED,
        ),
        (
            edited(SEALED, LIST, "</ofd:Signatures>",
                   f'<ofd:Signature ID="s9" BaseLoc="/{XML}"/></ofd:Signatures>'),
            ProofReason.OFD_SIGNATURE_LIST,
        ),
        # XML.
        (
            changed(SEALED, XML, SEALED.files[XML].replace(
                b"?>", b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>')),
            ProofReason.XML_DTD,
        ),
        (changed(SEALED, samples.PAGE, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
         ProofReason.XML_DTD),
        (changed(SEALED, XML, b"<a>" * 100), ProofReason.XML_TOO_LARGE),
        (changed(SEALED, XML, b"<a>"), ProofReason.XML_MALFORMED),
        # Names.
        (changed(SEALED, "../x", b""), ProofReason.ZIP_PATH_TRAVERSAL),
        (changed(SEALED, "/x", b""), ProofReason.ZIP_PATH_ABSOLUTE),
        (changed(SEALED, "OFD.XML", b""), ProofReason.ZIP_DUPLICATE_NAME),
    ],
)  # fmt: skip
def test_a_document_that_was_changed_is_invalid(package: OfdPackage, reason: ProofReason) -> None:
    """With the reason of the first step that fails."""
    assert outcome(package) == (Verdict.INVALID, reason)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (text("/OFD.xml", "/../OFD.xml"), ProofReason.OFD_LOCATION),
        (method('CheckMethod="MD5"'), ProofReason.OFD_DIGEST_BROKEN),
        (method('CheckMethod="md5"'), ProofReason.OFD_DIGEST_BROKEN),
        (method('CheckMethod="SHA1"'), ProofReason.OFD_DIGEST_BROKEN),
        (method('CheckMethod=""'), ProofReason.OFD_DIGEST_BROKEN),
        (method(""), ProofReason.OFD_DIGEST_BROKEN),
        (text('PageRef="1"', 'PageRef="7"'), ProofReason.OFD_STAMP),
        (text("120 220 40 40", "120 220 40"), ProofReason.OFD_STAMP),
        (pattern("(<ofd:StampAnnot [^>]*>)", r"\1\1"), ProofReason.OFD_STAMP),
        (pattern(FIRST_REFERENCE, r"\1\1"), ProofReason.OFD_FILE_LISTED_TWICE),
        (pattern(FIRST_REFERENCE, ""), ProofReason.OFD_FILE_UNLISTED),
        (pattern("<ofd:Reference .*</ofd:Reference>", ""), ProofReason.OFD_STRUCTURE),
        (pattern("<ofd:CheckValue>", "<ofd:CheckValue>*"), ProofReason.OFD_STRUCTURE),
        (pattern("(<ofd:SignedValue>.*</ofd:SignedValue>)", r"\1\1"), ProofReason.OFD_STRUCTURE),
        (pattern("<ofd:SignedValue>.*</ofd:SignedValue>", ""), ProofReason.OFD_STRUCTURE),
    ],
)
def test_what_breaks_a_rule_is_invalid_even_if_the_signer_did_it(
    edit: Callable[[str], str], reason: ProofReason
) -> None:
    """The signature holds, the rule does not."""
    assert outcome(resealed(SEALED, edit)) == (Verdict.INVALID, reason)


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        # Whoever cuts the seal off has a document without one, and no false verdict on it.
        (
            OfdPackage(samples.package().files | {"Doc_0/x": b""}),
            ProofReason.OFD_NOT_SEALED,
        ),
        # The list may be written anew: what it calls a bare signature has no seal that counts.
        (edited(SEALED, LIST, 'Type="Seal"', 'Type="Sign"'), ProofReason.OFD_BARE_SIGNATURE),
        (resealed(SEALED, method('CheckMethod="SHA-256"')), ProofReason.OFD_METHOD_UNKNOWN),
        (
            resealed(SEALED, text(SM2_WITH_SM3, "1.2.840.113549.1.1.11")),
            ProofReason.OFD_METHOD_UNKNOWN,
        ),
        (
            changed(SEALED, "OFD.xml", SEALED.files["OFD.xml"].replace(
                b"</ofd:OFD>", b"<ofd:DocBody/></ofd:OFD>")),
            ProofReason.OFD_SEVERAL_DOCUMENTS,
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_not_called_valid(
    package: OfdPackage, reason: ProofReason
) -> None:
    """And is no accusation either."""
    assert outcome(package) == (Verdict.CANNOT_CHECK, reason)


def test_a_seal_added_to_a_closed_document_breaks_the_one_that_closed_it() -> None:
    """By hand, since our own code refuses to."""
    added = OTHER.sealed(SEALED)
    later = {name: data for name, data in added.files.items() if "Sign_1" in name}
    package = OfdPackage(CLOSED.files | later | {LIST: added.files[LIST]})

    report = report_on(package.to_bytes())

    found = {step.name: step.reason for step in report.steps if step.part == 1 and step.reason}
    assert found == {
        StepName.SIGNED_FILES: ProofReason.OFD_FILE_CHANGED,
        StepName.UNSIGNED_FILES: ProofReason.OFD_FILE_UNLISTED,
    }


def test_a_later_signature_cannot_excuse_a_file_that_was_added() -> None:
    """It calls a picture its seal; it has to be the seal."""
    xml = TWICE.files[XML.replace("Sign_0", "Sign_1")].decode()
    picture = "Doc_0/Res/picture.png"
    claimed = xml.replace(SEAL.replace("Sign_0", "Sign_1"), picture)
    package = changed(
        changed(TWICE, XML.replace("Sign_0", "Sign_1"), claimed.encode()), picture, b"x"
    )

    report = report_on(package.to_bytes())

    assert report.verdict is Verdict.INVALID
    assert reasons(report)[StepName.SEAL_COPY] is ProofReason.OFD_SEAL_DIFFERS


# ---- archives --------------------------------------------------------------------------------


def raw(*more: RawEntry, **changes: bytes) -> bytes:
    """The sealed package written entry by entry, with more entries or bytes around."""
    entries = [RawEntry(name.encode(), data) for name, data in SEALED.files.items()]
    return RawArchive([*entries, *more], **changes).to_bytes()


def test_the_archive_written_by_hand_is_valid_without_a_change() -> None:
    """Else the next test would prove nothing."""
    assert report_on(raw()).verdict is Verdict.VALID


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (raw(RawEntry(samples.PAGE.encode(), b"<other/>")), ProofReason.ZIP_DUPLICATE_NAME),
        (raw(after=b"\0"), ProofReason.ZIP_TRAILING),
        (raw(before=b"%PDF-1.7\n"), ProofReason.ZIP_PREPENDED),
        (raw(between=b"\0"), ProofReason.ZIP_GAP),
        (
            raw(RawEntry(b"x", b"<x/>", local_name=b"y")),
            ProofReason.ZIP_HEADERS_DIFFER,
        ),
        (raw(RawEntry(b"x", bytes(1 << 22), deflated=True)), ProofReason.ZIP_BOMB),
        (raw(RawEntry(b"x", b"x", flags=1)), ProofReason.ZIP_ENCRYPTED),
        (
            raw(RawEntry(b"x", b"y", made_by=3 << 8 | 20, attributes=0o120777 << 16)),
            ProofReason.ZIP_LINK,
        ),
        (b"PK\x03\x04", ProofReason.ZIP_MALFORMED),
    ],
)
def test_an_archive_that_two_readers_could_read_differently_is_invalid(
    data: bytes, reason: ProofReason
) -> None:
    """However good the seal in it is."""
    report = report_on(data)

    assert (report.verdict, report.reason) == (Verdict.INVALID, reason)


@given(st.data())
def test_no_change_of_a_protected_byte_is_valid(draws: st.DataObject) -> None:
    """Of any file but the open list of signatures."""
    package = draws.draw(st.sampled_from([SEALED, TWICE, CLOSED]))
    closed = package is CLOSED
    name = draws.draw(st.sampled_from([n for n in package.files if closed or n != LIST]))
    data = bytearray(package.files[name])
    for _ in range(draws.draw(st.integers(1, 3))):
        data[draws.draw(st.integers(0, len(data) - 1))] ^= draws.draw(st.integers(1, 255))
    assume(bytes(data) != package.files[name])

    report = report_on(changed(package, name, bytes(data)).to_bytes())

    assert report.verdict is not Verdict.VALID
    assert report.reason is not None


@given(st.data())
def test_an_archive_that_is_damaged_anywhere_is_valid_only_with_the_same_files(
    draws: st.DataObject,
) -> None:
    """The date of an entry is nobody's business; all else is."""
    data = bytearray(TWICE.to_bytes())
    for _ in range(draws.draw(st.integers(1, 4))):
        data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))

    if report_on(bytes(data)).verdict is Verdict.VALID:
        assert open_package(bytes(data)).files == TWICE.files


@given(st.binary(max_size=300))
def test_whatever_the_bytes_are_there_is_a_report(data: bytes) -> None:
    """Nothing but a verdict comes out."""
    try:
        open_package(data)
    except ProofError as error:
        assert error.reason.value.startswith("ZIP_")
    assert report_on(data).verdict is Verdict.INVALID
