"""What a signer demands before it seals a face as a document (formats.md §8, docs/adr/0051).

An officer approves kinds of files for a type; a signature covers bytes. Between the two stand four
comparisons: the order is what the intent allows; the file says in its own metadata what the order
says; the bytes to be signed are those over this file, this seal and this moment; and nothing in the
file is left outside of them. `check_ofd` and `check_pdf` make all four: the hub before it asks for
a signature, a signer process before it gives one. Where one fails, they raise
HubError(INTENT_NOT_APPROVED) with its rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.domain.face import SOURCE_PREFIX, CopyTerms, FileKind, SourceDocument
from hub.domain.identifier import IDENTIFIER_ROOT
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.faces.facts import FaceFacts, code_in_file, ofd_facts
from hub.proof.ofd.checks import added_files, check_files, digests_of, listed_files
from hub.proof.ofd.document import Package, read_document, read_signature
from hub.proof.pdf.file import check_range, open_pdf, read_face, stated_time
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import (
    SKEW_S,
    ApprovedIntent,
    CertifiedKey,
    Mandate,
    check_certified,
    refused,
)
from hub.proof.ses.checks import check_listed, check_seal_period, check_seal_signature, seconds
from hub.proof.ses.seal import V4, Seal, assemble_signature, parse_signature
from hub.proof.sm2 import SM2_WITH_SM3, sm3
from hub.proof.x509.sm2 import X509, check_chain

DOCUMENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""What a file may have that is sealed under an intent; faces have some hundred kilobytes."""

_SOURCE: Final = re.compile(f"{SOURCE_PREFIX}[A-Za-z0-9_-]{{43}}")
_STAND_IN: Final = b"\x30\x00"


@dataclass(frozen=True, slots=True)
class DocumentOrder:
    """Which face shall be sealed: of which certificate version, and as what.

    `authority_uscc` is that of the authority whose seal it is; `terms` are those of a copy. `face`
    is the template's name and digest, or what `SourceDocument.face` says of a marked copy.
    `is_further` says that the seal is put on an original beside those that it has.
    """

    authority_uscc: str
    vct: str
    type_version: int
    identifier: str
    face: str
    terms: CopyTerms | None = None
    is_further: bool = False

    @property
    def kind(self) -> FileKind:
        """What is made."""
        if self.is_further:
            return FileKind.FURTHER
        return FileKind.ORIGINAL if self.terms is None else FileKind.COPY


@dataclass(frozen=True, slots=True)
class OfdFile:
    """An OFD that lacks nothing but its signature value: its parts by name, where the value will
    stand, and the electronic seal (SESeal, DER) on it."""

    files: Mapping[str, bytes] = field(repr=False)
    value_file: str
    seal: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A PDF that lacks nothing but its signature, whose place is full of zeros."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A face that shall be sealed: what was ordered, the file, and the exact bytes to be signed,
    which are its TBS_Sign or the attributes of its CMS."""

    order: DocumentOrder
    file: OfdFile | PdfFile
    to_sign: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document that `key` has signed under a mandate: by which request, and the time stamp over
    its signature (RFC 3161), empty where it has none."""

    request_id: str
    mandate: Mandate
    document: Document
    key: CertifiedKey
    time_stamp: bytes = field(repr=False)


def check_document_order(approved: ApprovedIntent, order: DocumentOrder, *, now: int) -> None:
    """1. `order` is what was approved, and approved still at `now` (seconds)."""
    intent = approved.intent
    if not intent.not_before <= now < approved.until:
        raise refused(approved.name, "the intent is not in force now")
    if order.kind.value not in intent.documents:
        raise refused(approved.name, f"it allows no file of the kind {order.kind.value}")
    wanted = (intent.authority, intent.vct, intent.type_version)
    if (order.authority_uscc, order.vct, order.type_version) != wanted:
        raise refused(approved.name, "authority, type or type version differ")
    code = order.vct.rpartition("/")[2]
    template = f"certificateTypes/{code.lower()}/faceTemplates/"
    if not order.identifier.startswith(f"{IDENTIFIER_ROOT}.{code}."):
        raise refused(approved.name, "the certificate is of another type")
    # Where no template is approved a copy is made of what the department brought.
    is_marked = order.terms is not None and _SOURCE.fullmatch(order.face) is not None
    if not is_marked and not order.face.startswith(template):
        raise refused(approved.name, "the template is of another type")
    if order.terms is not None and order.terms.expire_time_us <= now * 1_000_000:
        raise refused(approved.name, "the copy's time is over")


def check_source(approved: ApprovedIntent, order: DocumentOrder, source: SourceDocument) -> None:
    """The department's document that a marked copy is made of is the one that `order` names."""
    if digest(source.data) != source.digest or order.face != source.face:
        raise refused(approved.name, "the copy is made of another document")


def check_facts(approved: ApprovedIntent, order: DocumentOrder, facts: FaceFacts | None) -> None:
    """2. The file says of itself what the order says: certificate version, template, and every
    element of a copy, or that it is none; its code says what the rest of its metadata says."""
    if facts is None or (facts.identifier, facts.face) != (order.identifier, order.face):
        raise refused(approved.name, "the file shows another certificate or template")
    try:
        code_in_file(facts)
    except ProofError as error:
        rule = f"the code in the file is not of this face: {error.reason.value}"
        raise refused(approved.name, rule) from error
    terms, said = order.terms, facts.copy
    if terms is None or said is None:
        if terms is not None or said is not None:
            raise refused(approved.name, "the file is a copy, or is none, against the order")
        return
    if (said.name, said.purpose, said.recipient, said.made, said.expires) != (
        terms.name,
        terms.purpose,
        terms.recipient,
        terms.made_time_us // 1_000_000,
        terms.expire_time_us // 1_000_000,
    ):
        raise refused(approved.name, "the file says other than the order what it is a copy for")


def check_ofd(
    approved: ApprovedIntent,
    document: Document,
    key: CertifiedKey,
    *,
    makers: Sequence[X509],
    now: int,
) -> None:
    """All four comparisons for OFD at `now` (seconds); `makers` are the pinned anchors of
    seal-makers. Raises HubError: INTENT_NOT_APPROVED with the rule, DOCUMENT_TOO_LARGE,
    KEY_EXPIRED.
    """
    file, name = document.file, approved.name
    if not isinstance(file, OfdFile):
        raise refused(name, "the file is no OFD")
    _check_size(sum(map(len, file.files.values())))
    check_document_order(approved, document.order, now=now)
    check_certified(approved.name, approved.intent.authority, key, now=now)
    try:
        facts = ofd_facts(Package.of(file.files))
    except ProofError as error:
        raise refused(name, f"the file cannot be read: {error.reason.value}") from error
    check_facts(approved, document.order, facts)
    seal = _check_ofd_bytes(name, document.to_sign, file, now)
    try:
        if seal.version != V4:
            raise refused(name, f"the seal is of version {seal.version}")
        check_listed(seal, key.x509_chain[0])
        check_seal_period(seal, now)
        check_chain(check_seal_signature(seal), (), makers, at=now)
    except ProofError as error:
        raise refused(name, f"the seal cannot be used: {error.reason.value}") from error


def _check_ofd_bytes(name: str, to_sign: bytes, file: OfdFile, now: int) -> Seal:
    """3 and 4 for OFD: `to_sign` is the TBS_Sign of the seal over the last `Signature.xml` in the
    file, of this moment, and that protects every part. The seal that it names."""
    try:
        read = parse_signature(assemble_signature(to_sign, _STAND_IN, SM2_WITH_SM3, b"\x00"))
        opened = read_document(Package.of({**file.files, file.value_file: _STAND_IN}))
        signature = read_signature(opened, opened.signatures[-1])
        check_files(listed_files(signature, digests_of(opened.package)))
        check_files(added_files(opened, signature, ()))
    except (ProofError, ValueError, LookupError) as error:
        raise refused(name, "the bytes are no seal over this file") from error
    if read.signed_bytes != to_sign or read.seal.der != file.seal:
        raise refused(name, "the bytes name another seal")
    own = f"/{opened.signatures[-1].file}"
    if (read.data_hash, read.protected) != (sm3(signature.xml), own):
        raise refused(name, "the bytes are about another file")
    if read.sign_time is None or abs(seconds(read.sign_time) - now) > SKEW_S:
        raise refused(name, "the bytes are of another time")
    return read.seal


class SignedAttributes(Protocol):
    """The form of the signed attributes of one key (`hub.seal.documents.cms`)."""

    def digest(self, *parts: bytes) -> bytes:
        """The digest of a document that comes in parts."""
        ...

    def digest_in(self, attributes: bytes) -> bytes:
        """The digest that `attributes` are about. Raises ValueError where they are not exactly
        this key's own."""
        ...


def check_pdf(
    approved: ApprovedIntent,
    document: Document,
    key: CertifiedKey,
    form: SignedAttributes,
    *,
    now: int,
) -> None:
    """All four comparisons for PDF at `now` (seconds); `form` is that of `key`.

    Raises HubError: INTENT_NOT_APPROVED with the rule, DOCUMENT_TOO_LARGE, KEY_EXPIRED.
    """
    file, name = document.file, approved.name
    if not isinstance(file, PdfFile):
        raise refused(name, "the file is no PDF")
    _check_size(len(file.data))
    check_document_order(approved, document.order, now=now)
    check_certified(approved.name, approved.intent.authority, key, now=now)
    try:
        (signature,) = open_pdf(file.data)
        check_range(signature)
        facts, time = read_face(signature), stated_time(signature)
    except (ProofError, ValueError) as error:
        raise refused(name, "the file cannot be read, or has not one place to be signed") from error
    check_facts(approved, document.order, facts)
    if signature.end != len(file.data) or any(signature.contents):
        raise refused(name, "the place of the signature is not all that is left out")
    try:
        signed = form.digest_in(document.to_sign)
    except ValueError as error:
        raise refused(name, "the bytes are no attributes of this key") from error
    _, before, after, _ = signature.byte_range
    if form.digest(file.data[:before], file.data[after:]) != signed:
        raise refused(name, "the bytes are about another file")
    if time is None or abs(time - now) > SKEW_S:
        raise refused(name, "the bytes are of another time")


def _check_size(size: int) -> None:
    if size > DOCUMENT_BYTES_MAX:
        raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=DOCUMENT_BYTES_MAX)
