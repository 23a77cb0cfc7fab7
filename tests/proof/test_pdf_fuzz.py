"""Sealed PDFs with something changed anywhere: a report comes, and never a valid one."""

from __future__ import annotations

import re

from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind, Report
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_archive import add_evidence
from hub.seal.documents.pdf_seal import prepare_further
from tests.pdf_documents import NOW, SECOND, Ca, key_of, page, picture, sealed

CA = Ca()
KEY = key_of(CA)
CRL = CA.crl().public_bytes(Encoding.DER)
TRUST = Trust("hub", "330100", pdf_anchors=(CA.root,))
EVIDENCE = Evidence(now=int(NOW.timestamp()), crls=(CRL,))
ONE = sealed(KEY)
FORM = CmsForm.of(KEY)
# Two seals and a security store: four revisions.
TWO = add_evidence(
    prepare_further(
        sealed(KEY, page(form=True), further=(SECOND,)), "Second", picture(), FORM
    ).seal(KEY, FORM, NOW),
    [CA.root.public_bytes(Encoding.DER)],
    [CRL],
)
FEW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def judged(document: bytes) -> Report:
    """Any exception is a failure: `verify` raises nothing."""
    return verify(document, Kind.PDF, TRUST, EVIDENCE)


def unchanged(document: bytes, changed: bytes) -> bool:
    """Whether all that is signed is as it was, and the signatures mean the same bytes."""
    return len(changed) == len(document) and _decoded(changed) == _decoded(document)


def _decoded(document: bytes) -> bytes:
    """With the hexadecimal digits of signatures in one spelling."""
    return re.sub(rb"/Contents <([0-9a-fA-F]*)>", lambda m: m.group(0).lower(), document)


def test_what_is_changed_below_is_valid_as_it_is() -> None:
    """Else nothing is shown."""
    assert judged(ONE).verdict is Verdict.VALID
    assert judged(TWO).verdict is Verdict.VALID


@FEW
@given(st.integers(0, len(ONE) - 1), st.integers(1, 255))
def test_no_byte_of_a_sealed_document_is_free(at: int, change: int) -> None:
    """Every byte is under the seal, or is the seal."""
    changed = bytearray(ONE)
    changed[at] ^= change

    if judged(bytes(changed)).verdict is Verdict.VALID:
        assert unchanged(ONE, bytes(changed))


def test_a_name_that_begins_as_a_number_is_damage() -> None:
    """The reader's library takes it for one, and leaves it to the decimal module to say no."""
    for name in (b"/Catalog", b"/Sig\n", b"/Annot", b"/DocMDP", b"/1.2"):
        assert name in ONE
        changed = ONE.replace(name, b"." + name[1:], 1)
        assert judged(changed).verdict is not Verdict.VALID


def test_every_byte_around_the_signature_is_looked_at() -> None:
    """Brackets, the range, the last bytes: where an off-by-one would hide."""
    start = ONE.index(b"/Contents <")
    end = ONE.index(b">", start)
    near = [*range(start, start + 16), *range(end - 3, end + 60), *range(len(ONE) - 12, len(ONE))]
    for at in near:
        changed = ONE[:at] + bytes((ONE[at] ^ 1,)) + ONE[at + 1 :]
        assert judged(changed).verdict is not Verdict.VALID, at


@FEW
@given(
    st.integers(0, len(TWO)),
    st.integers(0, 400),
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [b"%%EOF\n", b"startxref\n0\n", b"endobj\n4 0 obj\n", b"<<", b">>", b"[", b"]", b"("]
        ),
    ),
)
@example(len(TWO), 0, b" ")
@example(0, 0, b" ")
def test_pieces_are_not_exchanged(at: int, cut: int, piece: bytes) -> None:
    """Something cut, something put in, anywhere in a document with several revisions."""
    changed = TWO[:at] + piece + TWO[at + cut :]

    if judged(changed).verdict is Verdict.VALID:
        assert changed == TWO or only_evidence(changed)


def only_evidence(changed: bytes) -> bool:
    """Nothing but the last revision differs, which is the security store and under no seal."""
    sealed_part = TWO[: TWO.rindex(b"%%EOF\n", 0, TWO.rindex(b"%%EOF")) + 6]
    return changed.startswith(sealed_part)


@FEW
@given(st.binary(max_size=400))
def test_rubbish_behind_a_header_is_no_document(rubbish: bytes) -> None:
    """And ends in a report."""
    assert judged(b"%PDF-1.7\n" + rubbish).verdict is not Verdict.VALID


@FEW
@given(st.data())
def test_the_signature_itself_may_be_anything(data: st.DataObject) -> None:
    """ASN.1 that was tampered with. What the signature covers, its value and its certificate are
    what they were, or it is not valid; other certificates may come and go."""
    match = re.search(rb"/Contents <([0-9a-fA-F]+)>", ONE)
    assert match is not None
    tampered = bytearray(bytes.fromhex(match.group(1).decode()))
    size = 4 + int.from_bytes(tampered[2:4], "big")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, size - 1))
        tampered[at] = data.draw(st.integers(0, 255))
    changed = ONE[: match.start(1)] + tampered.hex().encode() + ONE[match.end(1) :]

    if judged(changed).verdict is Verdict.VALID:
        assert signed_parts(bytes(tampered)) == signed_parts(bytes.fromhex(match.group(1).decode()))


def signed_parts(contents: bytes) -> tuple[bytes, ...]:
    """Attributes, value, algorithm and signer's name of a CMS."""
    (signer,) = cms.ContentInfo.load(contents)["content"]["signer_infos"]
    names = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm")
    return (*(signer[name].dump() for name in names), signer["signature"].native)
