"""What a signer demands before it seals a face as a document (formats.md §8, docs/adr/0051).

An officer approves kinds of files for a type; a signature covers bytes. Between the two stand four
comparisons: the order is what the intent allows; the file says in its own metadata what the order
says; the bytes to be signed are those over this file, this seal and this moment; and nothing in the
file is left outside of them. Each function is one of them and raises HubError(INTENT_NOT_APPROVED).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.domain.face import CopyTerms, FileKind
from hub.proof.face_facts import FaceFacts
from hub.proof.ofd import Package, read_document, read_signature
from hub.proof.ofd_checks import added_files, check_files, digests_of, listed_files
from hub.proof.reasons import ProofError
from hub.proof.sealing import SKEW_S, ApprovedIntent, refused
from hub.proof.ses import assemble_signature, parse_signature
from hub.proof.ses_checks import seconds
from hub.proof.sm2 import SM2_WITH_SM3, sm3

_STAND_IN: Final = b"\x30\x00"


@dataclass(frozen=True, slots=True)
class DocumentOrder:
    """Which face shall be sealed: of which certificate version, and as what.

    `authority_uscc` is that of the authority whose seal it is; `terms` are those of a copy.
    """

    authority_uscc: str
    vct: str
    type_version: int
    identifier: str
    face: str
    terms: CopyTerms | None = None

    @property
    def kind(self) -> FileKind:
        """What is made."""
        return FileKind.ORIGINAL if self.terms is None else FileKind.COPY


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
    if order.terms is not None and order.terms.expire_time_us <= now * 1_000_000:
        raise refused(approved.name, "the copy's time is over")


def check_facts(approved: ApprovedIntent, order: DocumentOrder, facts: FaceFacts | None) -> None:
    """2. The file says of itself what the order says: certificate version, template, and every
    element of a copy, or that it is none."""
    if facts is None or (facts.identifier, facts.face) != (order.identifier, order.face):
        raise refused(approved.name, "the file shows another certificate or template")
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


def check_ofd_bytes(
    approved: ApprovedIntent,
    to_sign: bytes,
    *,
    seal: bytes,
    files: Mapping[str, bytes],
    value_file: str,
    now: int,
) -> None:
    """3 and 4 for OFD: `to_sign` is the TBS_Sign of `seal` over the last `Signature.xml` in
    `files`, of this moment, and that protects every file."""
    name = approved.name
    try:
        read = parse_signature(assemble_signature(to_sign, _STAND_IN, SM2_WITH_SM3, b"\x00"))
        document = read_document(Package.of({**files, value_file: _STAND_IN}))
        signature = read_signature(document, document.signatures[-1])
        check_files(listed_files(signature, digests_of(document.package)))
        check_files(added_files(document, signature, ()))
    except (ProofError, ValueError, LookupError) as error:
        raise refused(name, "the bytes are no seal over this file") from error
    if read.signed_bytes != to_sign or read.seal.der != seal:
        raise refused(name, "the bytes name another seal")
    if sm3(signature.xml) != read.data_hash or not read.protected.endswith("Signature.xml"):
        raise refused(name, "the bytes are about another file")
    if read.sign_time is None or abs(seconds(read.sign_time) - now) > SKEW_S:
        raise refused(name, "the bytes are of another time")
