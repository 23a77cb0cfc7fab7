"""One target per parser: bytes in, a declared end or an exception that is a bug.

A target returns for whatever bytes; the errors that its parser declares are caught here, and
nothing else is. Where signatures stand in the way of the parser behind them, the target signs what
it is given with a key that is trusted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, cast

from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import HubError
from hub.proof.encoding import b64u_decode
from hub.proof.faces.code import sign_face_code
from hub.proof.jose import sign_jws
from hub.proof.log import merkle, note
from hub.proof.log.receipt import parse_receipt
from hub.proof.ofd.document import open_package
from hub.proof.officers.intent import in_words, parse_intent
from hub.proof.officers.intent_kinds import KINDS
from hub.proof.officers.roster import check_approval, parse_roster
from hub.proof.officers.roster_changes import Chain, follow
from hub.proof.pdf.cms_sm2 import check_value, parse_sm2_cms
from hub.proof.reasons import ProofError, Verdict
from hub.proof.recognise import recognise, status_uris
from hub.proof.records.status_list import Status
from hub.proof.reports.page_text import text_of
from hub.proof.reports.report import Kind, Report
from hub.proof.reports.report_json import parse_report, report_to_json
from hub.proof.reports.thumbnail import thumbnail_of
from hub.proof.run import Evidence
from hub.proof.ses.seal import Picture, parse_seal, parse_signature
from hub.proof.trust import parse_trust
from hub.proof.verify import verify
from hub.proof.webauthn import attested_key, verify_credential_proof
from hub.proof.x509.sm2 import parse_crl, parse_x509
from hub.seal.documents.marked_ofd import mark_ofd
from hub.seal.documents.marked_pdf import MarkRefusedError, mark_document
from hub.seal.documents.source_ofd import read_source
from hub.seal.faces.metadata import Metadata
from hub.seal.faces.page import Box, Page
from hub.seal.faces.pdf import page_pdf
from hub.seal.faces.template import parse_template
from hub.seal.picture_file import PictureRefusedError, draw_picture, read_picture
from tests.authenticator import RP_ID, Authenticator
from tests.ofd_sealing import PNG
from tests.proof import test_face_code as face_codes
from tests.proof.jose_vectors import NOW, VECTORS, private_key
from tests.proof.ofd_samples import changed
from tests.proof.officers import NOW as OFFICERS_NOW
from tests.proof.officers import Bench, with_authenticators
from tests.proof.seals import seal_of
from tests.proof.sm2_pdfs import FORMS, cms_of, golden
from tests.proof.sm2_pki import Member
from tests.proof.test_ofd_verify import SEALED, report_on
from tests.proof.test_pdf import verified
from tests.proof.test_pdf_tricks import CA, SEALED_FORM
from tests.proof.test_pdf_tricks import SEALED as SEALED_PDF
from tests.proof.test_ses_verify import EVIDENCE, MAKER, SEAL, SIGNATURE, SIGNER, TRUST, crl
from tests.proof.test_verify_command import (
    LOG_KEY,
    ORIGIN,
    TWO_FIELDS,
    hub_trust,
    leaves,
    saved_answer,
    status_token,
)
from tests.seal.faces.samples import early_licence, plain_face

HUB: Final = parse_trust(hub_trust())
_RECORD: Final = TWO_FIELDS.encode()
_STATUS: Final = status_token(Status.VALID)
_HEADER, _PAYLOAD, _ = TWO_FIELDS.partition("~")[0].split(".")
_DISCLOSED: Final = TWO_FIELDS.partition("~")[2]
_OF_HUB: Final = Evidence(NOW, status_tokens=(_STATUS,))
_CHECKPOINT: Final = note.sign_checkpoint(ORIGIN, 5, merkle.root(leaves()[:5]), LOG_KEY).encode()
_MEMBERS: Final = sorted(SEALED.files)
_FACE_CODE: Final = sign_face_code(face_codes.CODE, face_codes.SIGNER)
_OFFICERS: Final = Bench()
# The same in every process: a credential that one has kept is genuine in another one.
_DEVICE: Final = Authenticator(key=ec.derive_private_key(1, ec.SECP256R1()))
_CHAIN: Final = Chain(_OFFICERS.founded(), frozenset())
_TOUCHED: Final = with_authenticators(_OFFICERS.founded(), {"cat": _DEVICE})
_SUSPEND: Final = _OFFICERS.intent("seal.suspend", {"seal": "seals/main", "cause": "x"})
_SUSPENDING: Final = parse_intent(_SUSPEND, KINDS)
_NEXT: Final = _OFFICERS.link(_CHAIN.roster, "quorum.change", {"default": 3})[1]


@dataclass(frozen=True)
class Target:
    """`run` returns for any bytes; `seeds` are files that the parser reads to their end."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    bytes_max: int


def _not_forged(report: Report, *, genuine: bool) -> None:
    """No input may be valid that is not one of ours."""
    assert genuine or report.verdict is not Verdict.VALID, "a forgery is valid"


def _seal(data: bytes) -> None:
    for kind in (Kind.SEAL, Kind.SEAL_SIGNATURE):
        _not_forged(verify(data, kind, TRUST, EVIDENCE), genuine=data == SEAL)
    recognise(data)


def _signed(content: bytes, member: Member) -> bytes:
    """`content`, whatever it is, in the frame of a seal or of a signature under one."""
    algorithm = bytes.fromhex("06082a811ccf55018375")
    signature = _element(0x03, b"\0" + member.key.sign(content))
    return _element(0x30, content + _element(0x04, member.der) + algorithm + signature)


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _seal_info(data: bytes) -> None:
    """What a seal says, under a good signature of its maker."""
    seal = _signed(data, MAKER)
    verify(seal, Kind.SEAL, TRUST, EVIDENCE)
    thumbnail_of(seal, Kind.SEAL)


def _seal_use(data: bytes) -> None:
    """What is signed under a seal, by a good signer."""
    verify(_signed(data, SIGNER), Kind.SEAL_SIGNATURE, TRUST, EVIDENCE)


def _x509(data: bytes) -> None:
    with contextlib.suppress(ProofError):
        parse_x509(data)
    with contextlib.suppress(ProofError):
        parse_crl(data)


def _ofd_archive(data: bytes) -> None:
    report = report_on(data)
    if report.verdict is Verdict.VALID:
        _not_forged(report, genuine=open_package(data).files == SEALED.files)


def _ofd_file(data: bytes) -> None:
    """One file of a sealed document replaced: the first byte says which."""
    if not data:
        return
    name = _MEMBERS[data[0] % len(_MEMBERS)]
    package = changed(SEALED, name, data[1:])
    text_of(package.to_bytes(), Kind.OFD)
    report = report_on(package.to_bytes())
    # No seal covers the list of seals: later ones are added to it.
    is_signed = not name.endswith("Signatures.xml")
    _not_forged(report, genuine=not is_signed or package.files == SEALED.files)


def _pdf(data: bytes) -> None:
    text_of(data, Kind.PDF)
    report = verified(data, CA)
    # Twins of a signature, digits in another case, are the same seal: the text says enough.
    _not_forged(report, genuine=b"Business licence of Acme Ltd" in data)


def _cms(data: bytes) -> None:
    """The CMS with SM2 of a PDF."""
    with contextlib.suppress(ProofError):
        check_value(parse_sm2_cms(data))


def _text(data: bytes) -> None:
    """Whatever is text: records, status lists, notes, receipts, answers."""
    status_uris(data)
    kind = recognise(data)
    if kind is not None and kind is not Kind.PDF:
        genuine = data.strip() in (_RECORD, _STATUS.encode()) or kind is Kind.CHECKPOINT
        _not_forged(verify(data, kind, HUB, _OF_HUB), genuine=genuine)


def _claims(data: bytes) -> None:
    """The payload of a record seal, under a good signature."""
    compact = sign_jws(_HEADER, data, private_key("seal"))
    verify(f"{compact}~{_DISCLOSED}".encode(), Kind.PRESENTATION, HUB, _OF_HUB)


def _disclosures(data: bytes) -> None:
    """What is disclosed, behind a good seal."""
    seal = TWO_FIELDS.partition("~")[0].encode()
    text = seal + b"~" + data
    if recognise(text) is Kind.PRESENTATION:
        _not_forged(verify(text, Kind.PRESENTATION, HUB, _OF_HUB), genuine=_ours(data))


def _ours(data: bytes) -> bool:
    """Any of the record's own disclosures may be shown, or left out."""
    own = {item["disclosure"] for item in VECTORS["record_seal"]["disclosures"].values()}
    return {part for part in data.decode("ascii", "replace").strip().split("~") if part} <= own


def _receipt(data: bytes) -> None:
    with contextlib.suppress(ProofError):
        parse_receipt(data)
    verify(data, Kind.RECEIPT, HUB, _OF_HUB)


def _picture(data: bytes) -> None:
    with contextlib.suppress(PictureRefusedError):
        draw_picture(read_picture(data), 40.0, 600)
    thumbnail_of(seal_of(MAKER, SIGNER, picture=Picture("PNG", data, 40, 40)), Kind.SEAL)


def _face(data: bytes) -> None:
    """A face template, as a department sends it."""
    with contextlib.suppress(HubError):
        parse_template(data)


def _code(data: bytes) -> None:
    """A scanned text, and what is signed in one, behind a good signature."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(ProofError):
        face_codes.verified(text)
        assert text == _FACE_CODE, "a forgery is read"
    with contextlib.suppress(ProofError):
        face_codes.verified(face_codes.signed_payload(data))


def _marked(data: bytes) -> None:
    """A department's document, of which an annotated copy shall be made."""
    with contextlib.suppress(MarkRefusedError):
        if data.startswith(b"PK"):
            nothing: Any = SimpleNamespace(files=())
            mark_ofd(read_source(data), lambda _: (), nothing, _COPY)
        else:
            mark_document(
                data, "image/png" if data.startswith(b"\x89") else "application/pdf", _MARK
            )


def _own_files(data: bytes) -> None:
    """A trust file; and a report as a worker that was taken over might write it."""
    with contextlib.suppress(ProofError):
        parse_trust(data)
    with contextlib.suppress(ProofError):
        parse_report(data)


def _dual_control(data: bytes) -> None:
    """An intent and a roster, which have one spelling each; the next link of a chain; an
    authenticator's approval, and the proof of its credential."""
    with contextlib.suppress(ProofError):
        intent = parse_intent(data, KINDS)
        assert intent.to_bytes() == data
        assert in_words(intent, "en") and in_words(intent, "zh")
    with contextlib.suppress(ProofError):
        assert parse_roster(data).to_bytes() == data
    for link in (
        dataclasses.replace(_NEXT, statement=data),
        dataclasses.replace(_NEXT, intent=data),
        dataclasses.replace(_NEXT, approvals=(_NEXT.approvals[0], data.decode("utf-8", "replace"))),
    ):
        with contextlib.suppress(ProofError):
            follow(_CHAIN, link, KINDS)
            assert data in (_NEXT.statement, _NEXT.intent, _NEXT.approvals[1].encode())
    with contextlib.suppress(ProofError):
        assert verify_credential_proof(data).public_key == _DEVICE.key.public_key()
    with contextlib.suppress(ProofError):
        attested_key(data, RP_ID)
    with contextlib.suppress(ProofError):
        text = data.decode("utf-8", "replace")
        assert check_approval(text, _SUSPEND, _SUSPENDING, _TOUCHED, OFFICERS_NOW).counter


_COPY: Final = Metadata("title", "author", 1, {"ZZBS": "identifier"})
# Without words: no font is needed to find out what a document of others does.
_MARK: Final = page_pdf(
    Page(170, 110, (), Box(0, 0, 1, 1), Box(0, 0, 1, 1)), cast("Any", None), _COPY
)
_SVG: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="40mm" height="40mm" viewBox="0 0 40 40">'
    b'<circle cx="20" cy="20" r="18" fill="none" stroke="#c00" stroke-width="1"/></svg>'
)

TARGETS: Final = {
    "seal": Target(_seal, (SEAL, SIGNATURE), 16_384),
    "seal-info": Target(_seal_info, (parse_seal(SEAL).signed_bytes,), 16_384),
    "seal-use": Target(_seal_use, (parse_signature(SIGNATURE).signed_bytes,), 16_384),
    "x509": Target(_x509, (MAKER.der, crl({})), 8_192),
    "ofd-archive": Target(_ofd_archive, (SEALED.to_bytes(),), 65_536),
    "ofd-file": Target(
        _ofd_file,
        tuple(bytes([at]) + SEALED.files[name] for at, name in enumerate(_MEMBERS)),
        16_384,
    ),
    "pdf": Target(_pdf, (SEALED_PDF, SEALED_FORM), 65_536),
    "cms": Target(_cms, tuple(cms_of(golden(form)).rstrip(b"\0") for form in FORMS), 8_192),
    "text": Target(
        _text,
        (_RECORD, _STATUS.encode(), _CHECKPOINT, json.dumps(saved_answer()).encode()),
        32_768,
    ),
    "claims": Target(_claims, (b64u_decode(_PAYLOAD),), 8_192),
    "disclosures": Target(_disclosures, (_DISCLOSED.encode(),), 8_192),
    "receipt": Target(_receipt, (json.dumps(saved_answer()["receipt"]).encode(),), 32_768),
    "picture": Target(_picture, (PNG, _SVG), 16_384),
    "face": Target(_face, (early_licence(), plain_face("11100000MB0143028R001")), 16_384),
    "marked": Target(_marked, (SEALED_PDF, SEALED_FORM, SEALED.to_bytes(), PNG), 65_536),
    "code": Target(_code, (_FACE_CODE.encode(), face_codes.packed(_FACE_CODE)[2]), 2_048),
    "dual-control": Target(
        _dual_control,
        (
            _NEXT.statement,
            _NEXT.intent,
            _NEXT.approvals[1].encode(),
            _OFFICERS.touched("cat", _SUSPEND, _DEVICE).encode(),
            _DEVICE.proof("officers/cat"),
            _DEVICE.attested(),
        ),
        16_384,
    ),
    "own-files": Target(
        _own_files,
        (hub_trust(), json.dumps(report_to_json(report_on(SEALED.to_bytes()))).encode()),
        32_768,
    ),
}
