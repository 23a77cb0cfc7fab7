"""Whose keys sealed a file that a hub made, and what it says of itself; nothing is verified."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.face import CopyTerms, FaceFormat
from hub.proof.faces.facts import MAKER_ITEM, FaceFacts, ofd_facts
from hub.proof.key_checks import key_digest
from hub.proof.ofd.checks import protects_list
from hub.proof.ofd.document import open_package, read_document, read_signature
from hub.proof.pdf.cms_sm2 import parse_sm2_cms
from hub.proof.pdf.file import PdfSignature, cms_of, open_cms, open_pdf, read_face
from hub.proof.pdf.sm2 import names_sm2
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.ses.seal import parse_signature
from hub.proof.x509.sm2 import X509, parse_x509


@dataclass(frozen=True, slots=True)
class SealedFile:
    """Digests of the public keys that sealed it, the facts of its face, and whether its first seal
    left room for others."""

    keys: frozenset[str]
    facts: FaceFacts
    leaves_room: bool = False

    @property
    def terms(self) -> CopyTerms | None:
        """What an annotated copy says of itself; None of an original."""
        copy = self.facts.copy
        if copy is None:
            return None
        return CopyTerms(
            name=copy.name,
            purpose=copy.purpose,
            recipient=copy.recipient,
            maker=self.facts.items.get(MAKER_ITEM, ""),
            made_time_us=copy.made * 1_000_000,
            expire_time_us=copy.expires * 1_000_000,
        )


def read_sealed(data: bytes, form: FaceFormat) -> SealedFile:
    """The keys and facts in a sealed face. Raises ProofError."""
    keys, facts, leaves_room = _ofd(data) if form is FaceFormat.OFD else _pdf(data)
    if facts is None:
        raise ProofError(ProofReason.FACE_METADATA, "the file is no face of a hub")
    return SealedFile(frozenset(keys), facts, leaves_room)


def _ofd(data: bytes) -> tuple[set[str], FaceFacts | None, bool]:
    package = open_package(data)
    document, keys = read_document(package), set[str]()
    signatures = [read_signature(document, listed) for listed in document.signatures]
    for signature in signatures:
        value = parse_signature(package.files[signature.value_file])
        keys |= _sm2_key(parse_x509(value.signer_x509))
    leaves_room = bool(signatures) and not protects_list(document, signatures[0])
    return keys, ofd_facts(package), leaves_room


def _pdf(data: bytes) -> tuple[set[str], FaceFacts | None, bool]:
    signatures = [one for one in open_pdf(data) if not one.is_stamp]
    keys = set[str]().union(*[_pdf_key(one) for one in signatures])
    return keys, read_face(signatures[0]), False


def _pdf_key(signature: PdfSignature) -> set[str]:
    if names_sm2(signature):
        return _sm2_key(parse_sm2_cms(cms_of(signature)).signer)
    return {key_digest(open_cms(signature).signer_cert.public_key.dump())}


def _sm2_key(signer: X509) -> set[str]:
    """Its key's digest; nothing of a certificate that holds none of SM2."""
    return set() if signer.key is None else {key_digest(signer.key.to_spki())}
