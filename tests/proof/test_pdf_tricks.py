"""Tricks on sealed PDFs: whatever is done to one, it is never valid, and the report says why.

Most follow published attacks: incremental saving, signature wrapping and universal forgery
(Mladenov et al. 2019), shadow attacks (Mainka et al. 2021), certified documents (Rohlmann et al.
2021). Where the signer himself plays the trick, he signs it here with a good key.
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Callable

import pypdfium2
import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from hub.errors import HubError, Reason
from hub.proof.reasons import ProofReason, Verdict
from hub.seal.documents.cms import CmsForm, der, sign_cms
from hub.seal.documents.pdf_seal import (
    PreparedPdf,
    QuietWriter,
    pdf_time,
    prepare_further,
    prepare_pdf,
)
from tests.pdf_documents import (
    NOW,
    PLACE,
    SECOND,
    Ca,
    MemoryKey,
    appended,
    assemble,
    key_of,
    object_of,
    page,
    picture,
    sealed,
    stream,
)
from tests.proof.test_pdf import verified

CA = Ca()
KEY = key_of(CA)
FORM = CmsForm.of(KEY)
FORMED = page(form=True)
SEALED = sealed(KEY)
OPEN = sealed(KEY, further=(SECOND,))
# With room for a time stamp: a longer signature fits.
ROOMY = prepare_pdf(page(), PLACE, picture(), FORM, stamped=True).seal(KEY, FORM, NOW)
SEALED_FORM = sealed(KEY, FORMED, further=(SECOND,))


def refused(document: bytes, reason: ProofReason, verdict: Verdict = Verdict.INVALID) -> None:
    report = verified(document, CA)
    assert (report.verdict, report.reason) == (verdict, reason), report.steps


# -- Changes after the seal ------------------------------------------------------------------------

CONTENT = stream(b"BT /F 18 Tf 72 700 Td (Business licence of Evil Ltd) Tj ET")
NEW_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 90 0 R >>"
OVERLAY = (
    b"<< /Type /Annot /Subtype /Stamp /Rect [72 690 400 720] /F 4 /P 3 0 R /AP << /N 91 0 R >> >>"
)
OVERLAY_LOOK = stream(b"1 g 0 0 328 30 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 328 30]")


def with_annotation(document: bytes) -> bytes:
    annotations = object_of(document, 3)
    grown = re.sub(rb"/Annots\s*\[", b"/Annots [ 90 0 R ", annotations)
    assert grown != annotations
    return appended(document, {3: grown, 90: OVERLAY, 91: OVERLAY_LOOK})


def without_permissions(document: bytes) -> bytes:
    catalog = object_of(document, 1)
    start = catalog.index(b"/Perms")
    return appended(document, {1: catalog[:start] + catalog[catalog.index(b">>", start) + 2 :]})


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "text replaced": lambda d: appended(d, {4: CONTENT}),
    "text replaced and back again": lambda d: appended(
        appended(d, {4: CONTENT}), {4: object_of(page(), 4)}
    ),
    "font replaced": lambda d: appended(
        d, {5: b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"}
    ),
    "page added": lambda d: appended(
        d,
        {
            2: b"<< /Type /Pages /Kids [3 0 R 90 0 R] /Count 2 >>",
            90: NEW_PAGE.replace(b"90 0 R", b"91 0 R"),
            91: CONTENT,
        },
    ),
    "page turned": lambda d: appended(
        d, {3: object_of(d, 3).rstrip().removesuffix(b">>") + b"/Rotate 180 >>"}
    ),
    "annotation laid over the text": with_annotation,
    "certification taken back": without_permissions,
    "second catalog": lambda d: appended(
        d, {90: object_of(d, 1).replace(b"/Pages 2 0 R", b"/Pages 91 0 R"),
            91: b"<< /Type /Pages /Kids [92 0 R] /Count 1 >>",
            92: NEW_PAGE.replace(b"2 0 R", b"91 0 R").replace(b"90 0 R", b"93 0 R"), 93: CONTENT},
        root=90,
    ),
    "title replaced": lambda d: appended(
        d, {90: b"<< /Title (Another licence) >>"}, trailer=b"/Info 90 0 R"
    ),
    "metadata added": lambda d: appended(
        d,
        {
            1: object_of(d, 1).rstrip().removesuffix(b">>") + b"/Metadata 90 0 R >>",
            90: stream(
                b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>',
                b"/Type /Metadata /Subtype /XML",
            ),
        },
    ),
    "script added": lambda d: appended(
        d,
        {
            1: object_of(d, 1).rstrip().removesuffix(b">>") + b"/OpenAction 90 0 R >>",
            90: b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>",
        },
    ),
    "object freed": lambda d: appended(d, {90: b"null"}).replace(
        b"90 1\n", b"4 1\n0000000000 00001 f \n90 1\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("document", [SEALED, OPEN], ids=["closed", "open for a second seal"])
def test_a_change_after_the_seal_is_seen(document: bytes, change: Callable[[bytes], bytes]) -> None:
    """Incremental saving: the signature value still holds, the document does not."""
    changed = change(document)

    assert changed.startswith(document)
    refused(changed, ProofReason.PDF_CHANGED)


def test_an_unchanged_object_may_not_be_hidden_in_a_stream() -> None:
    """Object-stream override: a page that an object stream says anew."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(page())))
    writer.stream_xrefs = True
    out = io.BytesIO()
    writer.write(out)
    document = sealed(KEY, out.getvalue())
    reader = PdfFileReader(io.BytesIO(document))
    shown = reader.root["/Pages"]["/Kids"].raw_get(0).idnum
    body = b"<< /Type /Page /MediaBox [0 0 595 842] /Rotate 180 >>"
    size = int(reader.trailer["/Size"])
    start = len(document)
    head = b"%d 0 " % shown
    packed = stream(head + body, b"/Type /ObjStm /N 1 /First %d" % len(head))
    stream_object = b"%d 0 obj\n%s\nendobj\n" % (size, packed)
    at = start + len(stream_object)
    entries = b"".join(
        bytes((kind,)) + where.to_bytes(4, "big") + bytes((index,))
        for kind, where, index in ((2, size, 0), (1, start, 0), (1, at, 0))
    )
    previous = int(document[document.rindex(b"startxref") :].split()[1])
    table = stream(
        entries,
        b"/Type /XRef /W [1 4 1] /Index [%d 1 %d 2] /Size %d /Root %d 0 R /Prev %d"
        % (shown, size, size + 2, reader.trailer.raw_get("/Root").idnum, previous),
    )
    changed = document + stream_object + b"%d 0 obj\n%s\nendobj\n" % (size + 1, table)

    refused(changed + b"startxref\n%d\n%%%%EOF\n" % at, ProofReason.PDF_CHANGED)


def field_filled(document: bytes) -> bytes:
    field = object_of(document, 6).rstrip().removesuffix(b">>")
    return appended(document, {6: field + b"/V (Genuine) /AP << /N 90 0 R >> >>", 90: OVERLAY_LOOK})


def appearance_of_the_seal_swapped(document: bytes) -> bytes:
    number = seal_field(document)
    field = re.sub(
        rb"/AP\s*<<\s*/N \d+ 0 R\s*>>", b"/AP << /N 90 0 R >>", object_of(document, number)
    )
    return appended(document, {number: field, 90: OVERLAY_LOOK})


def seal_field(document: bytes) -> int:
    fields = PdfFileReader(io.BytesIO(document)).root["/AcroForm"]["/Fields"]
    for field in fields:
        if field.get_object().get("/T") == PLACE.field:
            return field.idnum
    raise AssertionError("no seal")


@pytest.mark.parametrize("change", [field_filled, appearance_of_the_seal_swapped, with_annotation])
def test_forms_stand_still(change: Callable[[bytes], bytes]) -> None:
    """Form appearance swap: neither a form field nor the seal's picture changes, even where a
    second seal is awaited (P=2)."""
    refused(change(SEALED_FORM), ProofReason.PDF_CHANGED)


def test_default_fonts_of_a_form_stand_still() -> None:
    """What a viewer uses to draw fields anew (DA, DR, NeedAppearances) is part of the document."""
    reader = PdfFileReader(io.BytesIO(SEALED_FORM))
    root = object_of(SEALED_FORM, 1)
    at = reader.root.raw_get("/AcroForm")
    if hasattr(at, "idnum"):
        number, form = at.idnum, object_of(SEALED_FORM, at.idnum)
    else:
        number, form = 1, root
    changed = form.replace(b"/Fields", b"/NeedAppearances true /Fields")
    assert changed != form

    refused(appended(SEALED_FORM, {number: changed}), ProofReason.PDF_CHANGED)


def test_a_shadow_is_not_swapped_in() -> None:
    """Hide-and-replace: the other text was in the sealed file already, referred to by nothing."""
    objects = [object_of(page(), number) for number in range(1, 6)]
    shadowed = sealed(KEY, assemble([*objects, CONTENT]))
    assert verified(shadowed, CA).verdict is Verdict.VALID
    swapped = object_of(shadowed, 3).replace(b"/Contents 4 0 R", b"/Contents 6 0 R")

    refused(appended(shadowed, {3: swapped}), ProofReason.PDF_CHANGED)


def test_a_cover_is_not_lifted() -> None:
    """Hide: a form that covers the text is made empty after the seal."""
    text = b"BT /F 18 Tf 72 700 Td (Business licence of Evil Ltd) Tj ET q /Cover Do Q"
    objects = [object_of(page(), number) for number in range(1, 6)]
    objects[2] = objects[2].replace(b"/Resources <<", b"/Resources << /XObject << /Cover 6 0 R >>")
    objects[3] = stream(text)
    cover = stream(b"1 g 0 0 595 842 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 595 842]")
    document = sealed(KEY, assemble([*objects, cover]))
    assert verified(document, CA).verdict is Verdict.VALID
    lifted = stream(b"", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")

    refused(appended(document, {6: lifted}), ProofReason.PDF_CHANGED)


# -- Later signatures ------------------------------------------------------------------------------


def with_undeclared(document: bytes, box: bytes, name: str = "Late") -> bytes:
    """A second signature, good by itself, in a field that an attacker adds."""
    corners = tuple(int(value) for value in box.split()) or None
    writer = QuietWriter(io.BytesIO(document))
    steps = PdfCMSEmbedder(SigFieldSpec(name, box=corners)).write_cms(name, writer)
    next(steps)
    steps.send(SigObjSetup(SignatureObject(NOW, bytes_reserved=8192)))
    digest, out = steps.send(SigIOSetup("sha256"))
    steps.send(FORM.assemble(*sign_cms(KEY, FORM, digest.document_digest)))
    return out.getvalue()


@pytest.mark.parametrize("box", [b"", b"72 690 400 720"], ids=["unseen", "seen"])
@pytest.mark.parametrize("document", [SEALED, OPEN], ids=["closed", "open"])
def test_no_seal_is_added_where_none_was_declared(document: bytes, box: bytes) -> None:
    """Evil annotation by signature: the certified document opens its declared places alone."""
    report = verified(with_undeclared(document, box), CA)

    assert report.verdict is Verdict.INVALID
    assert report.reason in (ProofReason.PDF_CHANGED, ProofReason.PDF_UNDECLARED)


def test_a_document_that_nobody_certified_stays_open() -> None:
    """Signed by two in turn, as other software does it: not forged, and not as sealed either."""
    once = with_undeclared(page(), b"72 690 400 720")
    assert verified(once, CA).verdict is Verdict.VALID

    refused(
        with_undeclared(once, b"72 600 400 620", "Later"),
        ProofReason.PDF_UNDECLARED,
        Verdict.CANNOT_CHECK,
    )


@pytest.mark.parametrize("certified", [True, False])
def test_an_empty_field_is_not_laid_over_the_text(certified: bool) -> None:
    """A signature field that nobody signs needs no key; what it shows covers the page all the
    same."""
    document = OPEN if certified else with_undeclared(page(), b"100 100 200 200")
    writer = QuietWriter(io.BytesIO(document))
    field = SigFieldSpec("Cover", box=(72, 690, 400, 720), empty_field_appearance=True)
    append_signature_field(writer, field)
    out = io.BytesIO()
    writer.write(out)

    refused(out.getvalue(), ProofReason.PDF_CHANGED)


def test_the_first_seal_is_not_taken_out() -> None:
    """Without its field, the seal is gone: a document that nobody sealed, or not this one."""
    root = PdfFileReader(io.BytesIO(OPEN)).root
    number = root.raw_get("/AcroForm").idnum
    form = re.sub(rb"/Fields\s*\[[^\]]*\]", b"/Fields []", object_of(OPEN, number))
    catalog = {
        90: b"<< /Type /Catalog /Pages 91 0 R >>",
        91: b"<< /Type /Pages /Kids [] /Count 0 >>",
    }

    refused(appended(OPEN, {number: form}), ProofReason.PDF_NOT_SEALED)
    refused(appended(OPEN, catalog, root=90), ProofReason.PDF_NOT_SEALED)


# -- Objects that are not there yet ----------------------------------------------------------------


def moved(document: bytes, number: int, offset: int) -> bytes:
    """`document` whose table says that an object stands somewhere else."""
    real = document.index(b"\n%d 0 obj" % number) + 1
    return document.replace(b"%010d 00000 n" % real, b"%010d 00000 n" % offset)


def filled_in(document: bytes, start: int, text: bytes) -> bytes:
    """`document` with `text` at `start`, behind its end, in an update that says nothing of it."""
    padding = start - len(document) - len(b"90 0 obj\n()\nendobj\n")
    body = b"90 0 obj\n(%s)\nendobj\n%s" % (b"x" * padding, text)
    previous = int(document[document.rindex(b"startxref") :].split()[1])
    return (
        document
        + body
        + (
            b"xref\n90 1\n%010d 00000 n \ntrailer\n<< /Size 91 /Root 1 0 R /Prev %d >>\n"
            b"startxref\n%d\n%%%%EOF\n" % (len(document), previous, len(document) + len(body))
        )
    )


def test_a_place_behind_the_end_is_not_filled_in() -> None:
    """The page's content is to come: nothing is shown when it is sealed, and what is appended later
    is shown under a seal whose digest, range and revisions all hold."""
    behind = 40_000
    early = with_undeclared(moved(page(), 4, behind), b"100 100 200 200")
    late = filled_in(early, behind, b"4 0 obj\n%s\nendobj\n" % CONTENT)
    text = pypdfium2.PdfDocument(late)[0].get_textpage().get_text_range()
    assert "Evil" in text

    refused(late, ProofReason.PDF_RANGE)


def test_a_stream_does_not_reach_beyond_what_is_signed() -> None:
    """Begun before the seal, ended after it: the seal itself is part of the page's content."""
    open_ended = page().replace(object_of(page(), 4), b"<< /Length 40000 >>\nstream\nBT ET %")
    table = open_ended.index(b"xref\n")
    open_ended = re.sub(rb"startxref\n[0-9]+", b"startxref\n%d" % table, open_ended)
    number = b"\n5 0 obj"
    shifted = open_ended.index(number) + 1
    open_ended = open_ended.replace(b"%010d" % (page().index(number) + 1), b"%010d" % shifted)
    early = with_undeclared(open_ended, b"100 100 200 200")
    start = open_ended.index(b"BT ET %") + 40_000
    late = filled_in(early, start, b"\nendstream\nendobj\n")

    refused(late, ProofReason.PDF_RANGE)


def test_what_hangs_on_the_future_is_not_sealed() -> None:
    """Other verifiers may not look: so no such document gets a seal of ours."""
    with pytest.raises(HubError) as caught:
        sealed(KEY, moved(page(), 4, 40_000))

    assert caught.value.reason is Reason.PDF_REFUSED
    assert "is not in the file" in caught.value.text("en")


# -- Byte ranges -----------------------------------------------------------------------------------


def signed_with_range(change: Callable[[PreparedPdf], tuple[int, ...]]) -> bytes:
    """A document whose signer signs another range than the file, and says so in it."""
    prepared = prepare_pdf(page(), PLACE, picture(), FORM)
    numbers = change(prepared)
    data = bytearray(prepared.data)
    data[prepared.time_at : prepared.time_at + len(pdf_time(NOW))] = pdf_time(NOW)
    at = data.index(b"/ByteRange [") + len(b"/ByteRange [")
    room = re.match(rb"[^\n]*", bytes(data[at:])).group()  # type: ignore[union-attr]
    written = b" ".join(b"%d" % number for number in numbers) + b"]"
    assert len(written) <= len(room)
    data[at : at + len(room)] = written.ljust(len(room))
    parts = [bytes(data[a : a + n]) for a, n in zip(numbers[::2], numbers[1::2], strict=False)]
    attributes, signature = sign_cms(KEY, FORM, FORM.digest(*parts))
    contents = FORM.assemble(attributes, signature).hex().encode()
    start, stop = prepared.reserved
    data[start + 1 : stop - 1] = contents.ljust(stop - start - 2, b"0")
    return bytes(data)


def good(prepared: PreparedPdf) -> tuple[int, ...]:
    start, stop = prepared.reserved
    return 0, start, stop, len(prepared.data) - stop


def test_the_range_of_the_tricks_is_good_where_nothing_is_played() -> None:
    """So that each case below fails for its own trick alone."""
    assert verified(signed_with_range(good), CA).verdict is Verdict.VALID


RANGES: dict[str, Callable[[PreparedPdf], tuple[int, ...]]] = {
    "a gap behind": lambda p: (0, p.reserved[0], p.reserved[1] + 9, good(p)[3] - 9),
    "a gap before": lambda p: (0, p.reserved[0] - 9, p.reserved[1], good(p)[3]),
    "not from the first byte": lambda p: (9, p.reserved[0] - 9, p.reserved[1], good(p)[3]),
    "brackets signed too": lambda p: (0, p.reserved[0] + 1, p.reserved[1] - 1, good(p)[3] + 1),
    "not to the end": lambda p: (*good(p)[:3], good(p)[3] - 20),
    "two numbers": lambda p: (0, p.reserved[0]),
    "six numbers": lambda p: (0, 9, 9, p.reserved[0] - 9, *good(p)[2:]),
    "the gap twice": lambda p: (0, p.reserved[0], p.reserved[0], good(p)[3]),
}


@pytest.mark.parametrize("change", RANGES.values(), ids=RANGES)
def test_a_range_leaves_out_the_signature_and_nothing_else(
    change: Callable[[PreparedPdf], tuple[int, ...]],
) -> None:
    """Byte-range gaps: the signer himself leaves room for what he wants to say later."""
    refused(signed_with_range(change), ProofReason.PDF_RANGE)


def test_a_signature_is_not_wrapped() -> None:
    """Signature wrapping: the signed end of the file is moved back, and another put in between."""
    numbers = [int(n) for n in re.search(rb"/ByteRange \[(.*?)\]", SEALED).group(1).split()]  # type: ignore[union-attr]
    _, before, after, rest = numbers
    evil = b"\n4 0 obj\n%s\nendobj\n" % CONTENT
    moved = SEALED[:after] + evil + SEALED[after:]
    written = b"/ByteRange [0 %d %d %d]" % (before, after + len(evil), rest)
    old = re.search(rb"/ByteRange \[.*?\][ ]*", SEALED).group()  # type: ignore[union-attr]
    moved = moved.replace(old, written.ljust(len(old)))
    report = verified(moved, CA)

    assert report.verdict is Verdict.INVALID
    assert report.reason in (ProofReason.PDF_RANGE, ProofReason.PDF_MALFORMED)


@pytest.mark.parametrize(
    "wrong",
    [
        b"/ByteRange null",
        b"/ByteRange [0 0 0 0]",
        b"/ByteRange [0 -1 5 9]",
        b"/ByteRange [/A /B /C /D]",
        b"/ByteRange [0 1 2 99999999]",
        b"/ByteRange []",
        b"/Nothing [0 0 0 0]",
    ],
)
def test_a_signature_without_a_range_is_none(wrong: bytes) -> None:
    """Universal forgery: a dictionary that some readers took for valid since nothing failed."""
    old = re.search(rb"/ByteRange \[.*?\][ ]*", SEALED).group()  # type: ignore[union-attr]
    report = verified(SEALED.replace(old, wrong.ljust(len(old))), CA)

    assert report.verdict is Verdict.INVALID
    assert report.reason in (ProofReason.PDF_RANGE, ProofReason.PDF_MALFORMED)


@pytest.mark.parametrize(
    "tail",
    [b"%", b"\n\n\n\n\n", b"PK\x03\x04junk", b"%%EOF\n", b"startxref\n0\n%%EOF\n", b"\x00" * 10],
)
def test_nothing_stands_behind_the_end(tail: bytes) -> None:
    """Bytes that no revision has: another format could begin there."""
    report = verified(SEALED + tail, CA)

    assert report.verdict is Verdict.INVALID
    assert report.reason in (ProofReason.PDF_MALFORMED, ProofReason.PDF_RANGE)


# -- The signature itself --------------------------------------------------------------------------


def with_contents(document: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """`document` with another CMS in the place of its own, padded as before."""
    match = re.search(rb"/Contents <([0-9a-fA-F]+)>", document)
    assert match is not None
    raw = bytes.fromhex(match.group(1).decode())
    size = 4 + int.from_bytes(raw[2:4], "big")
    contents = change(raw[:size]).hex().encode().ljust(len(match.group(1)), b"0")
    assert len(contents) == len(match.group(1)), "there is no room for it"
    return document[: match.start(1)] + contents + document[match.end(1) :]


def reassembled(change: Callable[[cms.ContentInfo], None]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        info = cms.ContentInfo.load(data)
        change(info)
        encoded: bytes = info.dump(force=True)
        return encoded

    return changed


def two_signers(info: cms.ContentInfo) -> None:
    signers = info["content"]["signer_infos"]
    signers.append(signers[0].copy())


def content_inside(info: cms.ContentInfo) -> None:
    info["content"]["encap_content_info"]["content"] = b"another content"


SIGNATURES: dict[str, tuple[Callable[[bytes], bytes], ProofReason]] = {
    "bytes behind it": (lambda d: d + b"\x01", ProofReason.CMS_MALFORMED),
    "a length that is not minimal": (
        lambda d: d[:1] + b"\x83\x00" + d[2:4] + d[4:], ProofReason.CMS_MALFORMED,
    ),
    "an indefinite length": (
        lambda d: d[:1] + b"\x80" + d[4:] + b"\x00\x00", ProofReason.CMS_MALFORMED,
    ),
    "cut": (lambda d: d[:400], ProofReason.CMS_MALFORMED),
    "empty": (lambda _: b"", ProofReason.CMS_MALFORMED),
    "zeros": (lambda _: bytes(64), ProofReason.CMS_MALFORMED),
    "no CMS": (lambda _: der(0x30, b"\x02\x01\x01"), ProofReason.CMS_MALFORMED),
    "two signers": (reassembled(two_signers), ProofReason.CMS_MALFORMED),
    "a content of its own": (reassembled(content_inside), ProofReason.CMS_MALFORMED),
    "another document's": (
        lambda _: FORM.assemble(*sign_cms(KEY, FORM, hashlib.sha256(b"other").digest())),
        ProofReason.CONTENT_DIGEST_MISMATCH,
    ),
    "a changed value": (lambda d: d[:-1] + bytes((d[-1] ^ 1,)), ProofReason.SIGNATURE_INVALID),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_is_one_cms_of_this_document(
    change: Callable[[bytes], bytes], reason: ProofReason
) -> None:
    """Each in its one encoding, with nothing beside it."""
    refused(with_contents(ROOMY, change), reason)


def test_a_certificate_is_not_exchanged() -> None:
    """Same key, same name, same serial, later end: the signed attributes name the first."""
    renewed = key_of(CA, ends=NOW.replace(year=2036))
    old = x509.load_der_x509_certificate(KEY.x509_chain[0])
    builder = x509.CertificateBuilder(
        x509.load_der_x509_certificate(renewed.x509_chain[0]).issuer,
        old.subject,
        old.public_key(),
        old.serial_number,
        old.not_valid_before_utc,
        NOW.replace(year=2036),
        list(old.extensions),
    )
    twin = builder.sign(CA.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def exchange(info: cms.ContentInfo) -> None:
        info["content"]["certificates"] = [cms.CertificateChoices.load(twin)]

    refused(with_contents(ROOMY, reassembled(exchange)), ProofReason.CMS_ATTRIBUTES)


def test_sm2_beside_another_digest_is_not_judged() -> None:
    """No standard has it; what another standard writes of SM2 is in test_pdf_sm2."""
    old, new = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06082a811ccf55018375")
    document = with_contents(SEALED, lambda d: d.replace(old, new))

    refused(document, ProofReason.ALG_NOT_CHECKED, Verdict.CANNOT_CHECK)


def test_an_unknown_form_is_not_judged() -> None:
    """A SubFilter that is not ours: what its bytes mean is another standard's matter."""
    document = SEALED.replace(b"/ETSI.CAdES.detached", b"/ETSI.Other.detached")

    refused(document, ProofReason.CMS_FORM_UNKNOWN, Verdict.CANNOT_CHECK)


# -- Too much --------------------------------------------------------------------------------------


def test_a_bomb_is_not_unpacked() -> None:
    """An object stream of a few kilobytes that would be gigabytes."""
    bomb = zlib.compress(zlib.compress(bytes(200 * 1024 * 1024), 9), 9)
    objects = [object_of(page(), number) for number in range(1, 6)]
    packed = stream(bomb, b"/Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode]")
    document = assemble([*objects, packed])
    table = document.index(b"xref\n")
    entries = b"".join(
        bytes((kind,)) + where.to_bytes(4, "big") + bytes((index,))
        for kind, where, index in (
            (0, 0, 0),
            (2, 6, 0),
            *((1, document.index(b"\n%d 0 obj" % n) + 1, 0) for n in range(2, 7)),
        )
    )
    stream_table = stream(entries, b"/Type /XRef /W [1 4 1] /Size 8 /Index [0 7] /Root 1 0 R")
    document = document[:table] + b"7 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        stream_table,
        table,
    )

    refused(document, ProofReason.PDF_MALFORMED)


def test_very_many_revisions_are_not_compared() -> None:
    """Each would be compared with each seal."""
    document = SEALED
    for number in range(70):
        document = appended(document, {100 + number: b"null"})

    refused(document, ProofReason.TOO_LARGE, Verdict.CANNOT_CHECK)


def test_a_later_seal_of_a_stranger_does_not_count() -> None:
    """He fills the declared place with a key that nobody trusts: his part is invalid."""
    stranger: MemoryKey = key_of(Ca("Somebody Else"))
    form = CmsForm.of(stranger)
    document = prepare_further(OPEN, SECOND.field, picture(), form).seal(stranger, form, NOW)
    report = verified(document, CA)

    assert report.reason is ProofReason.X509_UNTRUSTED
    assert [step.part for step in report.steps if step.verdict is Verdict.INVALID] == [2]
