"""Whose keys sealed a file that a hub made, and what it says of itself; nothing is verified."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.face import CopyTerms, FaceFormat
from hub.proof.face_facts import MAKER_ITEM, FaceFacts, ofd_facts
from hub.proof.key_checks import key_digest
from hub.proof.ofd import open_package, read_document, read_signature
from hub.proof.pdf_file import open_cms, open_pdf, read_face
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.ses import parse_signature
from hub.proof.x509_sm2 import parse_x509


@dataclass(frozen=True, slots=True)
class SealedFile:
    """Digests of the public keys that sealed it, and the facts of its face."""

    keys: frozenset[str]
    facts: FaceFacts

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
    keys, facts = _ofd(data) if form is FaceFormat.OFD else _pdf(data)
    if facts is None:
        raise ProofError(ProofReason.FACE_METADATA, "the file is no face of a hub")
    return SealedFile(frozenset(keys), facts)


def _ofd(data: bytes) -> tuple[set[str], FaceFacts | None]:
    package = open_package(data)
    document, keys = read_document(package), set[str]()
    for listed in document.signatures:
        signature = read_signature(document, listed)
        leaf = parse_x509(parse_signature(package.files[signature.value_file]).signer_x509)
        if leaf.key is not None:
            keys.add(key_digest(leaf.key.to_spki()))
    return keys, ofd_facts(package)


def _pdf(data: bytes) -> tuple[set[str], FaceFacts | None]:
    signatures = [one for one in open_pdf(data) if not one.is_stamp]
    opened = [open_cms(one) for one in signatures]
    keys = {key_digest(one.signer_cert.public_key.dump()) for one in opened}
    return keys, read_face(signatures[0])
