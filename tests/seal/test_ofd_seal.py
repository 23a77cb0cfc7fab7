"""Seals on OFD documents: what is added, what stays as it was, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.ofd.checks import (
    added_files,
    check_files,
    check_methods,
    check_scope,
    check_seal_file,
    check_stamps,
    digests_of,
    listed_files,
    protects_list,
)
from hub.proof.ofd.document import Document, Signature, open_package, read_document, read_signature
from hub.proof.ses.checks import check_content, check_signature_value
from hub.proof.ses.seal import parse_signature
from hub.proof.sm2 import PrivateKey
from hub.proof.x509.make_sm2 import check_request, make_certificate
from hub.seal.algorithms import Subject
from hub.seal.documents import ofd_seal
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import OfdSealer, SealTrust, StampPlace
from hub.seal.homes.files import KeyFiles
from tests.ofd_sealing import PLACE, TIME, MemberKey, Office
from tests.proof import ofd_samples as samples
from tests.proof.seals import seal_of
from tests.proof.sm2_pki import ENDS, SIGNER, STARTS, name


@pytest.fixture(scope="module")
def office() -> Office:
    return Office.open()


@pytest.fixture(scope="module")
def other() -> Office:
    return Office.open()


def signatures(package: OfdPackage) -> tuple[Document, list[Signature]]:
    """What a reader of the archive finds."""
    document = read_document(open_package(package.to_bytes()))
    return document, [read_signature(document, listed) for listed in document.signatures]


def check_all(package: OfdPackage) -> None:
    """Every signature holds, as far as its own certificate goes."""
    document, found = signatures(package)
    for index, signature in enumerate(found):
        check_methods(signature)
        check_stamps(document, signature)
        check_files(listed_files(signature, digests_of(document.package)))
        check_files(added_files(document, signature, found[index + 1 :]))
        value = parse_signature(document.package.files[signature.value_file])
        check_signature_value(value)
        check_content(value, signature.xml)
        check_scope(document, signature, value.protected, value.algorithm)
        check_seal_file(document, signature, value.seal.der)


def test_a_seal_protects_every_file_and_leaves_all_but_the_entry_file_as_it_was(
    office: Office,
) -> None:
    """What was rendered is what was sealed."""
    before = samples.package()
    after = office.sealed(before)

    document, (signature,) = signatures(after)
    check_all(after)
    assert {item.file for item in signature.references} == {
        *before.files,
        "Doc_0/Signs/Sign_0/Seal.esl",
    }
    same = {name: after.files[name] for name in before.files if name != "OFD.xml"}
    assert same == {name: data for name, data in before.files.items() if name != "OFD.xml"}
    added = b"<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>"
    assert after.files["OFD.xml"].replace(added, b"") == before.files["OFD.xml"]
    assert signature.stamps[0].page == "1"
    assert signature.stamps[0].box == "120 220 40 40"
    assert not protects_list(document, signature)


def test_the_key_signs_the_exact_bytes_once(office: Office) -> None:
    """They are in the signature value as they were signed."""
    office.key.signed.clear()
    package = office.sealed()

    value = parse_signature(package.files["Doc_0/Signs/Sign_0/SignedValue.dat"])
    assert office.key.signed == [value.signed_bytes]
    assert value.sign_time == TIME
    assert value.protected == "/Doc_0/Signs/Sign_0/Signature.xml"


def test_what_is_sealed_twice_differs_in_the_signature_alone(office: Office) -> None:
    """Nothing of the day, of the machine or of chance is in a package."""
    first, second = office.sealed().files, office.sealed().files

    assert [name for name in first if first[name] != second[name]] == [
        "Doc_0/Signs/Sign_0/SignedValue.dat"
    ]


def test_later_seals_leave_earlier_ones_whole_and_the_last_closes_the_document(
    office: Office, other: Office
) -> None:
    """Three seals, the third over the list of all."""
    one = office.sealed()
    two = other.sealed(one, [PLACE, replace(PLACE, x_mm=10.5)])
    three = office.sealed(two, closing=True)

    for package in (one, two, three):
        check_all(package)
    document, found = signatures(three)
    assert [protects_list(document, item) for item in found] == [False, False, True]
    ids = [item.listed.id for item in found] + [s.id for item in found for s in item.stamps]
    assert sorted(ids) == ["s001", "s002", "s003", "s004", "s005", "s006", "s007"]
    assert found[1].stamps[1].box == "10.5 220 40 40"
    for file, data in one.files.items():
        assert three.files[file] == data or file == "Doc_0/Signs/Signatures.xml"
    # The later seals stand for the earlier ones.
    assert "Doc_0/Signs/Sign_0/SignedValue.dat" in {item.file for item in found[1].references}


def test_a_closed_document_takes_no_further_seal(office: Office) -> None:
    """It would break the one that closed it."""
    closed = office.sealed(closing=True)

    with pytest.raises(HubError) as raised:
        office.sealed(closed)

    assert raised.value.reason is Reason.OFD_REFUSED
    assert "closed" in raised.value.details["en"]


@pytest.mark.parametrize("sample", ["helloworld", "SESV4SignDoc", "DigitalSign"])
def test_documents_of_another_implementation_are_sealed(
    shared_data: Path, office: Office, sample: str
) -> None:
    """Also beside the signatures that they have, which stay as they were."""
    before = OfdPackage.from_bytes((shared_data / "seals" / f"{sample}.ofd").read_bytes())
    after = office.sealed(before)

    document, found = signatures(after)
    for index, signature in enumerate(found):
        check_files(listed_files(signature, digests_of(document.package)))
        check_files(added_files(document, signature, found[index + 1 :]))
    assert found[-1].listed.file.startswith("Doc_0/Signs/Sign_")
    assert {name for name in before.files if before.files[name] != after.files[name]} <= {
        "OFD.xml",
        "Doc_0/Signs/Signatures.xml",
    }


def test_a_document_that_another_implementation_closed_is_not_sealed(
    shared_data: Path, office: Office
) -> None:
    """`allprotected.ofd` protects its list."""
    closed = OfdPackage.from_bytes((shared_data / "seals" / "allprotected.ofd").read_bytes())

    with pytest.raises(HubError) as raised:
        office.sealed(closed)

    assert raised.value.reason is Reason.OFD_REFUSED


@pytest.mark.parametrize(
    "xml",
    [
        samples.OFD_XML.replace("ofd:", "").replace("xmlns:ofd", "xmlns"),
        samples.OFD_XML.replace("ofd:", "o:").replace("xmlns:ofd", "xmlns:o"),
        samples.OFD_XML.replace("</ofd:DocBody>", "</ofd:DocBody ><!-- </ofd:DocBody> -->"),
    ],
)
def test_the_entry_file_may_be_written_in_any_way(office: Office, xml: str) -> None:
    """Other prefixes, white space, comments."""
    package = samples.changed(samples.package(), "OFD.xml", xml.encode())

    check_all(office.sealed(package))


def refusal(seal: Any) -> HubError:
    """Why `seal` was refused."""
    with pytest.raises(HubError) as raised:
        seal()
    return raised.value


@pytest.mark.parametrize(
    "places",
    [
        [],
        [PLACE] * 65,
        [replace(PLACE, page=0)],
        [replace(PLACE, page=2)],
        [replace(PLACE, width_mm=0)],
        [replace(PLACE, x_mm=-1)],
        [replace(PLACE, height_mm=1001)],
        [replace(PLACE, x_mm=float("nan"))],
        [replace(PLACE, x_mm=float("inf"))],
    ],
)
def test_a_place_that_is_none_is_refused(office: Office, places: list[StampPlace]) -> None:
    """Before anything is signed."""
    office.key.signed.clear()

    assert refusal(lambda: office.sealed(places=places)).reason is Reason.OFD_REFUSED
    assert office.key.signed == []


@pytest.mark.parametrize(
    "package",
    [
        samples.without(samples.package(), "OFD.xml"),
        samples.without(samples.package(), samples.PAGE),
        samples.changed(samples.package(), "../x", b""),
        samples.changed(samples.package(), "doc_0/document.xml", b""),
        samples.changed(samples.package(), "x.xml", b"<!DOCTYPE x><x/>"),
        samples.changed(
            samples.package(),
            "OFD.xml",
            samples.OFD_XML.replace("UTF-8", "UTF-16").encode("utf-16"),
        ),
        OfdPackage(
            {name.replace("Doc_0", "文档"): data for name, data in samples.package().files.items()}
            | {"OFD.xml": samples.OFD_XML.replace("Doc_0", "文档").encode()}
        ),
    ],
)
def test_a_package_that_a_verifier_would_refuse_is_not_sealed(
    office: Office, package: OfdPackage
) -> None:
    """Nothing is signed that could not be verified."""
    office.key.signed.clear()

    assert refusal(lambda: office.sealed(package)).reason is Reason.OFD_REFUSED
    assert office.key.signed == []


# ---- the seal is verified before it is used (GB/T 38540 §7.2) --------------------------------


def unusable(
    office: Office,
    *,
    seal: bytes | None = None,
    key: MemberKey | None = None,
    trust: SealTrust | None = None,
    time: datetime = TIME,
) -> str:
    """The rule by which the seal cannot be used."""
    error = refusal(
        lambda: OfdSealer.open(
            seal or office.seal, key or office.key, trust or office.trust(), time
        )
    )
    assert error.reason is Reason.SEAL_NOT_USABLE
    return str(error.details["rule"])


def test_a_seal_is_used_only_by_whom_it_was_made_for(office: Office, other: Office) -> None:
    """Not with another seal's key, nor with a renewed certificate."""
    assert unusable(office, key=other.key) == "SIGNER_NOT_IN_SEAL"
    renewed = office.root.issue("市场监督管理局")
    assert unusable(office, key=MemberKey(renewed)) == "SIGNER_NOT_IN_SEAL"


def test_a_seal_that_was_changed_is_not_used(office: Office) -> None:
    """Its maker's signature does not hold."""
    seal = office.seal.replace("测试专用章".encode(), "财政专用章".encode())

    assert unusable(office, seal=seal) == "SEAL_SIGNATURE_INVALID"
    assert unusable(office, seal=office.seal + b"\0") == "SEAL_MALFORMED"


def test_a_seal_of_another_version_is_read_and_not_used(shared_data: Path, office: Office) -> None:
    """Signatures are made under seals of version 4."""
    for version in ("V1", "V5"):
        seal = (shared_data / "seals" / f"User{version}.esl").read_bytes()
        assert unusable(office, seal=seal) == "SEAL_VERSION"


def test_a_document_with_the_most_seals_takes_no_further_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verifier reads so many."""
    sealed = office.sealed()
    monkeypatch.setattr(ofd_seal, "SIGNATURES_MAX", 1)

    assert refusal(lambda: office.sealed(sealed)).reason is Reason.OFD_REFUSED


def test_maker_and_signer_need_a_pinned_root(office: Office, other: Office) -> None:
    """Each for itself."""
    ours, theirs = office.trust(), other.trust()

    assert unusable(office, trust=replace(ours, makers=theirs.makers)) == "X509_UNTRUSTED"
    assert unusable(office, trust=replace(ours, signers=theirs.signers)) == "X509_UNTRUSTED"
    assert unusable(office, trust=replace(ours, makers=())) == "NO_SEAL_ANCHOR"


def test_nothing_is_sealed_after_a_revocation_or_without_a_current_list(office: Office) -> None:
    """Cannot check is never good enough to sign."""
    assert unusable(office, trust=office.trust(office.maker)) == "X509_REVOKED"
    assert unusable(office, trust=office.trust(office.signer)) == "X509_REVOKED"
    assert unusable(office, trust=replace(office.trust(), crls=())) == "NO_CRL"
    assert unusable(office, time=TIME + timedelta(days=1)) == "NO_CRL"


def test_time_is_judged_at_each_seal(office: Office) -> None:
    """A sealer that was opened in time does not outlive its certificates."""
    sealer = office.sealer()

    for time in (ENDS + timedelta(seconds=1), STARTS - timedelta(seconds=1)):
        error = refusal(lambda time=time: sealer.apply(samples.package(), [PLACE], time))
        assert error.reason is Reason.SEAL_NOT_USABLE
    short = Office.open(valid_to_time=TIME)
    short.sealed()
    error = refusal(
        lambda: short.sealer().apply(samples.package(), [PLACE], TIME + timedelta(seconds=1))
    )
    assert error.details["rule"] == "SEAL_EXPIRED"


def test_a_key_of_another_algorithm_makes_no_ofd_seal(office: Office) -> None:
    """Nor one without a certificate."""
    key = replace(office.key, algorithm=KeyAlgorithm.ES256)

    error = refusal(lambda: OfdSealer.open(office.seal, key, office.trust(), TIME))

    assert error.reason is Reason.KEY_USAGE_REFUSED


def test_a_signature_made_elsewhere_completes_a_prepared_package(office: Office) -> None:
    """As a signer process does it, for many at once."""
    sealer = office.sealer()
    prepared = [
        sealer.prepare(samples.package(), [PLACE], TIME, closing=closing)
        for closing in (False, True)
    ]

    values = [office.signer.key.sign(item.to_sign) for item in prepared]

    for item, value in zip(prepared, values, strict=True):
        check_all(item.complete(value))
    error = refusal(lambda: prepared[0].complete(values[1]))
    assert error.reason is Reason.KEY_SIGNATURE_WRONG


def test_a_device_that_signs_with_another_key_seals_nothing(office: Office) -> None:
    """What it gave is verified before it is kept."""
    wrong = replace(office.signer, key=PrivateKey.generate())
    sealer = OfdSealer.open(office.seal, MemberKey(wrong), office.trust(), TIME)

    error = refusal(lambda: sealer.apply(samples.package(), [PLACE], TIME))

    assert error.reason is Reason.KEY_SIGNATURE_WRONG


@dataclass(frozen=True)
class Stamps:
    """A time stamping service, here or away."""

    token: bytes | None

    def stamp(self, data: bytes) -> bytes:
        if self.token is None:
            raise HubError(Reason.KEY_UNAVAILABLE, kid="tsa")
        return self.token + data


def test_a_time_stamp_is_over_the_signature_value_and_without_it_there_is_no_seal(
    office: Office,
) -> None:
    """GB/T 38540 §7.2: the token follows the signature."""
    sealed = office.sealer().apply(samples.package(), [PLACE], TIME, stamps=Stamps(b"token"))

    value = parse_signature(sealed.files["Doc_0/Signs/Sign_0/SignedValue.dat"])
    assert value.time_stamp == b"token" + value.signature
    refusal(lambda: office.sealer().apply(samples.package(), [PLACE], TIME, stamps=Stamps(None)))


def test_a_key_made_in_a_home_seals_after_its_request_was_answered(tmp_path: Path) -> None:
    """From the key's birth to a document that a stranger verifies."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("sixteen characters or more")
    home = KeyFiles(tmp_path / "keys", passphrase)
    office = Office.open()

    made = home.create(
        KeyAlgorithm.SM2,
        KeyUse.OFD,
        Subject("电子印章", "杭州市市场监督管理局", "91330100MADEM0022M"),
    )
    public, _ = check_request(made.x509_request)
    leaf = make_certificate(
        subject=name("电子印章"), key=public, issuer=office.root.subject, not_before=STARTS,
        not_after=ENDS, extensions=SIGNER, sign=office.root.key.sign,
    )  # fmt: skip
    key = home.open(made.public.kid, KeyAlgorithm.SM2, KeyUse.OFD, (leaf,))
    signer = replace(office.signer, der=leaf)
    sealer = OfdSealer.open(seal_of(office.maker, signer), key, office.trust(), TIME)

    check_all(sealer.apply(samples.package(), [PLACE], TIME, closing=True))
