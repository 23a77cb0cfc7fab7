"""What a signer compares before it seals a face as a document: each difference is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from cryptography.x509 import load_der_x509_certificate

from hub.domain.certificate import Custody
from hub.domain.face import FileKind, SourceDocument
from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.faces.code import sign_face_code, unsigned_text
from hub.proof.faces.facts import CopyFacts, FaceFacts, read_facts
from hub.proof.jose import sm2_thumbprint, thumbprint
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.sealing.documents import (
    DOCUMENT_BYTES_MAX,
    Document,
    DocumentOrder,
    OfdFile,
    PdfFile,
    check_document_order,
    check_facts,
    check_ofd,
    check_pdf,
    check_source,
)
from hub.proof.sealing.records import ApprovedIntent, StandingIntent
from hub.proof.ses.seal import tbs_sign
from hub.proof.sm2 import sm3
from hub.proof.x509.sm2 import parse_x509
from hub.seal.documents.cms import CmsForm
from tests.ofd_sealing import PLACE, TIME, Office
from tests.pdf_documents import Ca, MemoryKey, key_of, page
from tests.proof import ofd_samples
from tests.proof.test_face_code import CODE
from tests.proof.test_face_code import SIGNER as CODE_SIGNER
from tests.seal.mandates import (
    FACE,
    IDENTIFIER,
    USCC,
    VCT,
    face_package,
    face_pdf,
    items_of,
    terms_of_copy,
)

NOW = int(TIME.timestamp())
TERMS = terms_of_copy(NOW)
COPY = CopyFacts("annotatedCopies/c1", "办理许可", "服务中心", NOW, NOW + 60)
ORDER = DocumentOrder(USCC, VCT, 1, IDENTIFIER, FACE, TERMS)
ITEMS = items_of(TERMS)
OWN_CODE = dataclasses.replace(CODE, identifier=IDENTIFIER)


def approved(*documents: str) -> ApprovedIntent:
    intent = StandingIntent(
        origin="hub.test.example",
        region="330000",
        seal="authorities/a/seals/s",
        authority=USCC,
        vct=VCT,
        type_version=1,
        manifest=None,
        not_before=NOW - 10,
        not_after=NOW + 1000,
        uses_max=10,
        requester="officers/zhao",
        documents=documents or (FileKind.COPY.value,),
    )
    return ApprovedIntent("intents/i", intent, "digest", NOW + 1000)


def refused(act: Callable[[], None]) -> str:
    """The rule by which `act` is refused."""
    with pytest.raises(HubError) as caught:
        act()
    assert caught.value.reason is Reason.INTENT_NOT_APPROVED
    return str(caught.value.details["rule"])


def test_what_was_approved_passes() -> None:
    check_document_order(approved(), ORDER, now=NOW)
    check_facts(approved(), ORDER, FaceFacts(ORDER.identifier, FACE, COPY, {}))
    original = dataclasses.replace(ORDER, terms=None)
    check_document_order(approved("original"), original, now=NOW)
    check_facts(approved("original"), original, FaceFacts(ORDER.identifier, FACE, None, {}))


@pytest.mark.parametrize(
    ("order", "documents", "now", "rule"),
    [
        ({}, ("original",), NOW, "no file of the kind"),
        ({"terms": None}, ("annotated-copy",), NOW, "no file of the kind"),
        ({"authority_uscc": "x"}, (), NOW, "authority, type"),
        ({"vct": VCT + "x"}, (), NOW, "authority, type"),
        ({"type_version": 2}, (), NOW, "authority, type"),
        ({"identifier": "1.2.156.3005.2.X.Y.Z.001.O"}, (), NOW, "certificate is of another type"),
        ({"face": "certificateTypes/x/faceTemplates/v001 d"}, (), NOW, "template is of another"),
        ({}, (), NOW + 60, "time is over"),
        ({}, (), NOW + 1000, "not in force"),
        ({}, (), NOW - 11, "not in force"),
    ],
)
def test_an_order_beyond_the_intent_is_refused(
    order: Mapping[str, Any], documents: tuple[str, ...], now: int, rule: str
) -> None:
    changed = dataclasses.replace(ORDER, **order)

    assert rule in refused(lambda: check_document_order(approved(*documents), changed, now=now))


@pytest.mark.parametrize(
    "facts",
    [
        None,
        FaceFacts("another", FACE, COPY, {}),
        FaceFacts(ORDER.identifier, "another template", COPY, {}),
        FaceFacts(ORDER.identifier, FACE, None, {}),
        *[
            FaceFacts(ORDER.identifier, FACE, dataclasses.replace(COPY, **change), {})
            for change in (
                {"name": "annotatedCopies/c2"},
                {"purpose": "其他"},
                {"recipient": "他人"},
                {"made": NOW - 1},
                {"expires": NOW + 61},
            )
        ],
    ],
)
def test_a_file_that_says_something_else_is_refused(facts: FaceFacts | None) -> None:
    assert refused(lambda: check_facts(approved(), ORDER, facts))


@pytest.mark.parametrize(
    ("code", "changes", "reason"),
    [
        ("SEALWAY:2:NONE", {}, "CODE_MALFORMED"),
        (f"SEALWAY:1:HUB.TEST.EXAMPLE:{IDENTIFIER}X:1:1", {}, "FACE_CODE_DIFFERS"),
        (sign_face_code(CODE, CODE_SIGNER), {}, "FACE_CODE_DIFFERS"),
        (unsigned_text(OWN_CODE), {"ZZBH": "another"}, "FACE_CODE_DIFFERS"),
        (unsigned_text(OWN_CODE), {"ZZYXQJZRQ": "20990101"}, "FACE_CODE_DIFFERS"),
    ],
)
def test_a_file_with_the_code_of_another_face_is_refused(
    code: str, changes: Mapping[str, str], reason: str
) -> None:
    items = {
        "SEALWAY_CODE": code,
        "ZZBH": OWN_CODE.number,
        "ZZYXQQSRQ": OWN_CODE.valid_from.replace("-", ""),
        "ZZYXQJZRQ": OWN_CODE.valid_until.replace("-", ""),
    }
    own = {**items, "SEALWAY_CODE": unsigned_text(OWN_CODE)}
    check_facts(approved(), ORDER, FaceFacts(IDENTIFIER, FACE, COPY, own))

    facts = FaceFacts(IDENTIFIER, FACE, COPY, {**items, **changes})

    assert reason in refused(lambda: check_facts(approved(), ORDER, facts))


def test_a_copy_passes_for_no_original() -> None:
    original = dataclasses.replace(ORDER, terms=None)

    rule = refused(
        lambda: check_facts(approved(), original, FaceFacts(ORDER.identifier, FACE, COPY, {}))
    )

    assert "is a copy" in rule


def test_the_metadata_of_a_copy_is_read_whole() -> None:
    facts = read_facts(ITEMS)

    assert facts is not None
    assert (facts.identifier, facts.copy) == (ORDER.identifier, COPY)
    assert read_facts({"ZZBS": "x"}) is None


@pytest.mark.parametrize(
    "items",
    [
        *[{k: v for k, v in ITEMS.items() if k != name} for name in ("JZJZZSY", "JZJYXQJZSJ")],
        {k: v for k, v in ITEMS.items() if k not in {"JZJZZSY", "JZJZZSJ", "JZJYXQJZSJ"}},
        {**ITEMS, "JZJYXQJZSJ": "20261332000000"},
        {**ITEMS, "ZZBS": ""},
    ],
)
def test_a_copy_that_lacks_an_element_is_none(items: dict[str, str]) -> None:
    """Nor is it an original: it would be one without its expiry."""
    with pytest.raises(ProofError) as caught:
        read_facts(items)

    assert caught.value.reason is ProofReason.FACE_METADATA


@dataclasses.dataclass
class Key:
    """What is looked at of a key."""

    kid: str
    x509_chain: tuple[bytes, ...]
    algorithm: KeyAlgorithm
    custody: Custody = Custody.HUB_FILE


def test_ofd_bytes_are_those_over_this_file_this_seal_and_this_moment() -> None:
    """Every difference is refused by its own rule, also where whoever asks chose it himself."""
    office, other = Office.open(), Office.open()
    prepared = office.sealer().prepare(face_package(ITEMS), [PLACE], TIME, closing=True)
    files, xml = (
        dict(prepared.files),
        prepared.value_file.replace("SignedValue.dat", "Signature.xml"),
    )
    signer = parse_x509(office.signer.der)
    assert signer.key is not None
    own = Key(sm2_thumbprint(signer.key), (office.signer.der,), KeyAlgorithm.SM2)

    def check(
        to_sign: bytes = prepared.to_sign, *, key: Key = own, now: int = NOW, **changes: Any
    ) -> None:
        file: dict[str, Any] = {
            "files": files,
            "value_file": prepared.value_file,
            "seal": office.seal,
        }
        makers = changes.pop("makers", (parse_x509(office.root.der),))
        document = Document(ORDER, OfdFile(**{**file, **changes}), to_sign)
        check_ofd(approved(), document, key, makers=makers, now=now)

    def signed(**changes: Any) -> bytes:
        given: dict[str, Any] = {
            "seal": office.seal,
            "sign_time": TIME,
            "data_hash": sm3(files[xml]),
            "protected": f"/{xml}",
            **changes,
        }
        return tbs_sign(**given)

    check()
    assert signed() == prepared.to_sign
    page = next(name for name in files if name.endswith("Content.xml"))
    entry = files["OFD.xml"]
    for attempt, rule in (
        (lambda: check(signed(data_hash=sm3(b"other"))), "another file"),
        (lambda: check(signed(sign_time=TIME + timedelta(seconds=31))), "another time"),
        (lambda: check(now=NOW + 31), "another time"),
        (lambda: check(signed(seal=other.seal)), "another seal"),
        (lambda: check(seal=other.seal), "another seal"),
        (lambda: check(signed(seal=other.seal), seal=other.seal), "SIGNER_NOT_IN_SEAL"),
        (lambda: check(makers=(parse_x509(other.root.der),)), "X509_UNTRUSTED"),
        (lambda: check(makers=()), "NO_SEAL_ANCHOR"),
        (lambda: check(key=dataclasses.replace(own, kid="k")), "not certified"),
        (lambda: check(key=dataclasses.replace(own, x509_chain=())), "not certified"),
        (lambda: check(prepared.to_sign + b"\x00"), "no seal over this file"),
        (lambda: check(prepared.to_sign[:-1]), "no seal over this file"),
        (lambda: check(files={**files, page: files[page] + b" "}), "no seal over this file"),
        (lambda: check(files={**files, "Doc_0/extra.xml": b"<x/>"}), "no seal over this file"),
        (lambda: check(files={**files, "OFD.xml": entry[:-9]}), "cannot be read"),
        (lambda: check(files=ofd_samples.package().files), "another certificate"),
        (lambda: check_ofd(approved(), PDF, own, makers=(), now=NOW), "is no OFD"),
    ):
        assert rule in refused(attempt), rule
    with pytest.raises(HubError) as caught:
        check(files={**files, "Doc_0/large": bytes(DOCUMENT_BYTES_MAX)})
    assert caught.value.reason is Reason.DOCUMENT_TOO_LARGE


def es256_key() -> MemoryKey:
    key = key_of(Ca(), organization=USCC)
    public = load_der_x509_certificate(key.x509_chain[0]).public_key()
    return dataclasses.replace(key, kid=thumbprint(public))


def sm2_key() -> MemoryKey:
    key = key_of(Ca(), KeyAlgorithm.SM2)
    return dataclasses.replace(key, kid=sm2_thumbprint(key.private.public))


@pytest.mark.parametrize("key_made", [es256_key, sm2_key])
def test_pdf_bytes_are_the_attributes_over_this_whole_file_at_this_moment(
    key_made: Callable[[], MemoryKey],
) -> None:
    """Nothing but the place of the signature is left out; it is empty, and there is one."""
    own = key_made()
    form, stranger = CmsForm.of(own), CmsForm.of(key_made())
    prepared = face_pdf(form, ITEMS)
    file = prepared.unsigned(TIME)
    attributes = form.attributes(form.digest(*prepared.covered(TIME)))

    def check(data: bytes = file, to_sign: bytes = attributes, now: int = NOW) -> None:
        document = Document(ORDER, PdfFile(data), to_sign)
        check_pdf(approved(), document, own, form, now=now)

    check()
    start, end = prepared.reserved
    filled = file[:start] + b"<" + b"01" * ((end - start - 2) // 2) + b">" + file[end:]
    other = face_pdf(form, {**ITEMS, "JZJZZSY": "其他"}).unsigned(TIME)
    for attempt, rule in (
        (lambda: check(to_sign=form.attributes(form.digest(b"other"))), "another file"),
        (lambda: check(to_sign=b"e30.e30"), "no attributes of this key"),
        (
            lambda: check(to_sign=stranger.attributes(form.digest_in(attributes))),
            "no attributes of this key",
        ),
        (lambda: check(file.replace(b"Acme", b"Evil")), "another file"),
        (lambda: check(other), "what it is a copy for"),
        (lambda: check(now=NOW + 31), "another time"),
        (lambda: check(filled), "not all that is left out"),
        (lambda: check(file + b"\n% more"), "cannot be read"),
        (lambda: check(page()), "cannot be read"),
        (lambda: check_pdf(approved(), OFD, own, form, now=NOW), "is no PDF"),
    ):
        assert rule in refused(attempt), rule


PDF = Document(ORDER, PdfFile(b""), b"")
OFD = Document(ORDER, OfdFile({}, "", b""), b"")


def test_a_marked_copy_names_the_document_that_it_is_made_of() -> None:
    """In the place of a template, of copies only, and by the digest of its very bytes."""
    source = SourceDocument("application/pdf", digest(b"brought"), b"brought")
    order = dataclasses.replace(ORDER, face=source.face)

    check_document_order(approved(), order, now=NOW)
    check_source(approved(), order, source)

    original = dataclasses.replace(order, terms=None)
    assert "template" in refused(
        lambda: check_document_order(approved("original"), original, now=NOW)
    )
    vague = dataclasses.replace(order, face="document ")
    assert "template" in refused(lambda: check_document_order(approved(), vague, now=NOW))
    for other in (
        dataclasses.replace(source, data=b"another"),
        SourceDocument("application/pdf", digest(b"another"), b"another"),
    ):
        assert "another document" in refused(
            lambda other=other: check_source(approved(), order, other)
        )
