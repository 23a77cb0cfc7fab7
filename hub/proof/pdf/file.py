"""What a sealed PDF is made of, as far as strangers may decide it: signatures, ranges, changes.

pyHanko reads the file, tells revisions apart and compares them; what it leaves to its caller is
decided here. It is imported inside of functions, so that the rest of `hub.proof` runs without it.
Nothing here trusts a key: that is `hub.proof.pdf.chain`.
"""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hub.proof.faces.facts import FaceFacts, pdf_facts
from hub.proof.reasons import ProofError, ProofReason, Verdict

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import DiffPolicy
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

PDF_BYTES_MAX: Final = 32 * 1024 * 1024
SIGNATURES_MAX: Final = 32
REVISIONS_MAX: Final = 64
OBJECTS_MAX: Final = 50_000
CMS_BYTES_MAX: Final = 256 * 1024
_STREAM_BYTES_MAX: Final = 32 * 1024 * 1024
_DECODED_BYTES_MAX: Final = 128 * 1024 * 1024

# What pyHanko and asn1crypto raise for bytes that are damaged, besides errors of their own.
_DAMAGED: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    # Also what the decimal module says of a number that is none.
    ArithmeticError,
    zlib.error,
)
# The end of the file behind its last cross-reference table (ISO 32000-2 §7.5.5).
_END: Final = re.compile(
    rb"(?:(?!startxref).)*startxref\s+[0-9]{1,10}\s+%%EOF[\r\n]{0,4}", re.DOTALL
)
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_SUBFILTERS: Final = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached")
_STAMP_SUBFILTER: Final = "/ETSI.RFC3161"
_ALGORITHMS: Final = {
    ("sha256_ecdsa", "sha256", "secp256r1"): "ES256",
    ("sha384_ecdsa", "sha384", "secp384r1"): "ES384",
    ("ed25519", "sha512", None): "Ed25519",
    ("rsassa_pss", "sha256", None): "PS256",
}
# Half the order of the curves that keys of ours are on (FIPS 186-5, SEC 2).
_HALF_ORDERS: Final = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 >> 1,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    )
    >> 1,
}
_DIGESTS: Final = ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512")


def damaged() -> tuple[type[Exception], ...]:
    """Everything that reading a damaged or hostile file may raise."""
    from pyhanko.pdf_utils.misc import PdfError  # noqa: PLC0415

    return (PdfError, *_DAMAGED)


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """One filled signature field: `end` is how many bytes of the file it claims to cover."""

    reader: PdfFileReader
    data: bytes
    name: str
    field: DictionaryObject
    byte_range: tuple[int, ...]
    contents: bytes
    subfilter: str
    is_stamp: bool

    @property
    def end(self) -> int:
        """Where the signed bytes end."""
        return sum(self.byte_range[2:4])

    @property
    def signed_bytes(self) -> bytes:
        """What is signed, once `check_range` has passed: the file without the signature itself."""
        _, before, after, _ = self.byte_range
        return self.data[:before] + self.data[after : self.end]


def open_pdf(data: bytes) -> list[PdfSignature]:
    """The signatures of a PDF in the order in which they were made.

    Raises ProofError(TOO_LARGE) as *cannot check*, (PDF_MALFORMED), (PDF_NOT_SEALED).
    """
    # Its warnings quote the document; what they say stands in the report.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL + 1)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL + 1)
    if len(data) > PDF_BYTES_MAX:
        raise ProofError(ProofReason.TOO_LARGE, verdict=Verdict.CANNOT_CHECK)
    try:
        reader = bounded_reader(data)
        if reader.encrypted:
            raise ProofError(ProofReason.PDF_ENCRYPTED, "encrypted", verdict=Verdict.CANNOT_CHECK)
        if reader.xrefs.hybrid_xrefs_present:
            raise ProofError(ProofReason.PDF_MALFORMED, "two kinds of cross-reference tables")
        if reader.xrefs.total_revisions > REVISIONS_MAX:
            raise ProofError(ProofReason.TOO_LARGE, "revisions", verdict=Verdict.CANNOT_CHECK)
        last = reader.xrefs.get_xref_container_info(reader.xrefs.total_revisions - 1)
        if not _END.fullmatch(data[last.end_location :]):
            raise ProofError(ProofReason.PDF_MALFORMED, "bytes behind its end")
        found = _signatures(reader, data)
    except damaged() as error:
        raise ProofError(ProofReason.PDF_MALFORMED, type(error).__name__) from error
    if all(item.is_stamp for item in found):
        raise ProofError(ProofReason.PDF_NOT_SEALED)
    return sorted(found, key=lambda item: item.end)


def check_objects(reader: PdfFileReader) -> None:
    """Every object that the file's tables name is in the file, whole.

    A table may name a place behind the end of the file: an object that does not exist when the file
    is signed, and comes into being with bytes that are appended later, without any table that says
    so. Raises ProofError(PDF_RANGE), and (TOO_LARGE) as *cannot check*.
    """
    tables = reader.xrefs
    named = {
        reference
        for revision in range(tables.total_revisions)
        for reference in tables.explicit_refs_in_revision(revision)
    }
    if len(named) > OBJECTS_MAX:
        raise ProofError(ProofReason.TOO_LARGE, "objects", verdict=Verdict.CANNOT_CHECK)
    try:
        for reference in named:
            reader.get_object(reference)
    except damaged() as error:
        raise ProofError(ProofReason.PDF_RANGE, "an object is not in the file") from error


def check_range(signature: PdfSignature) -> None:
    """The signature covers the file from its first byte to the end of a revision, itself excepted.

    ISO 32000-2 §12.8.1; without this, bytes in a gap could be anything. Raises
    ProofError(PDF_RANGE).
    """
    data, wanted = signature.data, signature.byte_range
    if len(wanted) != 4 or any(type(value) is bool or value < 0 for value in wanted):
        raise ProofError(ProofReason.PDF_RANGE, "not four numbers")
    first, before, after, rest = wanted
    if first or after < before + 2 or not rest or after + rest > len(data):
        raise ProofError(ProofReason.PDF_RANGE, "not two parts of this file")
    gap = data[before:after]
    if gap[:1] != b"<" or gap[-1:] != b">" or not _HEX.issuperset(gap[1:-1]) or len(gap) % 2:
        raise ProofError(ProofReason.PDF_RANGE, "more than the signature is left out")
    if bytes.fromhex(gap[1:-1].decode()) != signature.contents:
        raise ProofError(ProofReason.PDF_RANGE, "another signature is left out")
    if signature.end < len(data) and not data[: signature.end].rstrip(b"\r\n").endswith(b"%%EOF"):
        raise ProofError(ProofReason.PDF_RANGE, "it ends within a revision")


def open_cms(signature: PdfSignature) -> EmbeddedPdfSignature:
    """The CMS of a signature, of a form that can be judged.

    Raises ProofError(CMS_MALFORMED), (CMS_ATTRIBUTES), (CMS_ALGORITHM), and (CMS_FORM_UNKNOWN) as
    *cannot check*.
    """
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature  # noqa: PLC0415

    cms_of(signature)
    try:
        opened = EmbeddedPdfSignature(signature.reader, signature.field, signature.name)
        _check_form(opened, is_stamp=signature.is_stamp)
    except damaged() as error:
        raise ProofError(ProofReason.CMS_MALFORMED, type(error).__name__) from error
    return opened


def cms_of(signature: PdfSignature) -> bytes:
    """The CMS in its place, without the padding. Raises ProofError(CMS_MALFORMED), and
    (CMS_FORM_UNKNOWN) as *cannot check*."""
    cms = _der(signature.contents)
    expected = (_STAMP_SUBFILTER,) if signature.is_stamp else _SUBFILTERS
    if signature.subfilter not in expected:
        raise ProofError(
            ProofReason.CMS_FORM_UNKNOWN, signature.subfilter, verdict=Verdict.CANNOT_CHECK
        )
    return cms


def placed(signature: PdfSignature) -> EmbeddedPdfSignature:
    """The place of a signature whose CMS pyHanko cannot read: for `check_changes` alone."""
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature  # noqa: PLC0415

    class Placed(EmbeddedPdfSignature):
        def __init__(self) -> None:
            reference = signature.field.raw_get("/V")
            self.reader, self.fq_name = signature.reader, signature.name
            self.sig_field, self.sig_object = signature.field, reference.get_object()
            self.byte_range = self.sig_object.raw_get("/ByteRange")
            self.pkcs7_content = signature.contents
            self.signed_revision = self.reader.xrefs.get_last_change(reference.reference)
            self._docmdp = self._fieldmdp = None
            self._docmdp_queried = self._fieldmdp_queried = False

    return Placed()


def dictionary_time(signature: PdfSignature) -> int | None:
    """The signing time in the signature dictionary, in seconds; None where there is none."""
    from pyhanko.pdf_utils.generic import parse_pdf_date  # noqa: PLC0415

    try:
        said = signature.field.raw_get("/V").get_object()["/M"]
        return int(parse_pdf_date(said, strict=True).timestamp())
    except damaged():
        return None


def check_digest(opened: EmbeddedPdfSignature) -> Callable[[], None]:
    """The signed bytes are those of the document; returns the check of the signature value.

    Raises ProofError(CMS_ATTRIBUTES): the signed attributes are of another signature, and
    (CONTENT_DIGEST_MISMATCH); the returned check raises ProofError(SIGNATURE_INVALID).
    """
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity  # noqa: PLC0415

    try:
        intact, valid = validate_sig_integrity(
            opened.signer_info, opened.signer_cert, "data", opened.compute_digest()
        )
    except damaged() as error:
        raise ProofError(ProofReason.CMS_ATTRIBUTES, type(error).__name__) from error
    if not intact:
        raise ProofError(ProofReason.CONTENT_DIGEST_MISMATCH)

    def check_value() -> None:
        if not valid:
            raise ProofError(ProofReason.SIGNATURE_INVALID)

    return check_value


def check_low_s(opened: EmbeddedPdfSignature) -> None:
    """A signature of ours by ECDSA has the lower of its two values of s: the other one verifies as
    well, so whoever sees a file could make another that nobody sealed. Raises
    ProofError(SIGNATURE_HIGH_S)."""
    key = opened.signer_cert.public_key
    half = _HALF_ORDERS.get(key.curve[1]) if key.algorithm == "ec" else None
    if half is None:
        return
    _, s = decode_dss_signature(opened.signer_info["signature"].native)
    if s > half:
        raise ProofError(ProofReason.SIGNATURE_HIGH_S)


def read_face(signature: PdfSignature) -> FaceFacts | None:
    """What a face says of itself in the document information, as it was when it was signed: later
    revisions may say something else of the document. Raises ProofError."""
    try:
        return pdf_facts(bounded_reader(signature.data[: signature.end]))
    except damaged() as error:
        raise ProofError(ProofReason.FACE_METADATA, "document information") from error


def stated_time(signature: PdfSignature) -> int | None:
    """When the signature's dictionary says that it was made, in seconds; there may be no CMS yet.

    Raises ProofError(PDF_MALFORMED)."""
    from pyhanko.pdf_utils.generic import parse_pdf_date  # noqa: PLC0415

    try:
        text = signature.field["/V"].get("/M")
        return None if text is None else int(parse_pdf_date(str(text)).timestamp())
    except damaged() as error:
        raise ProofError(ProofReason.PDF_MALFORMED, "time of signing") from error


def signed_time(opened: EmbeddedPdfSignature) -> int | None:
    """The signer's own word on when he signed, in seconds; None where he does not say."""
    try:
        time = opened.self_reported_timestamp
        return None if time is None else int(time.timestamp())
    except damaged():
        return None


def algorithm(opened: EmbeddedPdfSignature) -> str:
    """The signature's algorithm as `KeyAlgorithm` names it, else as CMS does."""
    name = opened.signer_info["signature_algorithm"]["algorithm"].native
    key = opened.signer_cert.public_key
    curve = key.curve[1] if key.algorithm == "ec" else None
    return _ALGORITHMS.get((name, opened.md_algorithm, curve), str(name))


def check_changes(
    signature: PdfSignature, opened: EmbeddedPdfSignature, later: list[PdfSignature]
) -> None:
    """Nothing was changed after the signature but what formats.md §11 allows: the document security
    store, document time stamps, and signatures in places that were declared and open.

    Raises ProofError(PDF_RANGE): what was signed hangs on what came later; (PDF_CHANGED); and
    (PDF_UNDECLARED): a later signature, in a document that nobody certified as *cannot check*.
    """
    from pyhanko.sign.fields import enumerate_sig_fields  # noqa: PLC0415
    from pyhanko.sign.validation.status import SignatureCoverageLevel  # noqa: PLC0415

    if signature.end == len(signature.data):
        return
    _check_stands_alone(signature, opened.signed_revision)
    try:
        if opened.evaluate_signature_coverage() is not SignatureCoverageLevel.ENTIRE_REVISION:
            raise ProofError(ProofReason.PDF_RANGE, "it ends within a revision")
        certified = opened.docmdp_level is not None
        old = signature.reader.get_historical_resolver(opened.signed_revision)
        declared = {name for name, _, _ in enumerate_sig_fields(old, filled_status=False)}
        _compare(opened, as_certified=certified)
        for item in later:
            if not item.is_stamp and item.name not in declared:
                verdict = Verdict.INVALID if certified else Verdict.CANNOT_CHECK
                raise ProofError(ProofReason.PDF_UNDECLARED, item.name, verdict=verdict)
        if not certified:
            # Else a field that nobody signs, or a time stamp, could be laid over the text.
            _compare(opened, as_certified=True)
    except damaged() as error:
        raise ProofError(ProofReason.PDF_CHANGED, type(error).__name__) from error


def _compare(opened: EmbeddedPdfSignature, *, as_certified: bool) -> None:
    """Each later revision with the one before. Raises ProofError(PDF_CHANGED)."""
    from pyhanko.sign.diff_analysis import SuspiciousModification  # noqa: PLC0415
    from pyhanko.sign.diff_analysis.policy_api import ModificationLevel  # noqa: PLC0415
    from pyhanko.sign.fields import MDPPerm  # noqa: PLC0415

    level = opened.docmdp_level or (MDPPerm.FILL_FORMS if as_certified else None)
    result = _policy().review_file(
        opened.reader, opened.signed_revision, field_mdp_spec=opened.fieldmdp, doc_mdp=level
    )
    if isinstance(result, SuspiciousModification):
        raise ProofError(ProofReason.PDF_CHANGED, str(result).partition("\n")[0])
    closed = level is MDPPerm.NO_CHANGES
    allowed = ModificationLevel.LTA_UPDATES if closed else ModificationLevel.FORM_FILLING
    if result.modification_level > allowed:
        raise ProofError(ProofReason.PDF_CHANGED, "more than it allows")


def bounded_reader(data: bytes) -> PdfFileReader:
    from pyhanko.pdf_utils.decode_limits import (  # noqa: PLC0415
        DecodeLimits,
        DocumentDecodeBudget,
        StreamDecodeLimits,
    )
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415

    limits = DecodeLimits(
        per_stream=StreamDecodeLimits(max_output_size=_STREAM_BYTES_MAX),
        document_budget=DocumentDecodeBudget(base_allowance=_DECODED_BYTES_MAX, max_ratio=2),
    )
    return PdfFileReader(io.BytesIO(data), strict=True, decode_limits=limits)


def _check_stands_alone(signature: PdfSignature, revision: int) -> None:
    """What is signed is a whole document by itself; nothing of it hangs on what came later."""
    try:
        alone = bounded_reader(signature.data[: signature.end])
        revisions = alone.xrefs.total_revisions
    except damaged() as error:
        raise ProofError(ProofReason.PDF_RANGE, "no document by itself") from error
    if revisions != revision + 1:
        raise ProofError(ProofReason.PDF_RANGE, "it ends within a revision")
    check_objects(alone)


def _signatures(reader: PdfFileReader, data: bytes) -> list[PdfSignature]:
    from pyhanko.pdf_utils.generic import IndirectObject  # noqa: PLC0415
    from pyhanko.sign.fields import enumerate_sig_fields  # noqa: PLC0415
    from pyhanko.sign.validation.pdf_embedded import extract_contents  # noqa: PLC0415

    found: list[PdfSignature] = []
    for name, value, field in enumerate_sig_fields(reader, filled_status=True):
        if len(found) == SIGNATURES_MAX:
            raise ProofError(ProofReason.TOO_LARGE, "signatures", verdict=Verdict.CANNOT_CHECK)
        if not isinstance(field.get_object().raw_get("/V"), IndirectObject):
            raise ProofError(ProofReason.PDF_MALFORMED, "a signature that is no object")
        dictionary = value.get_object()
        found.append(
            PdfSignature(
                reader,
                data,
                name,
                field.get_object(),
                tuple(int(number) for number in dictionary.raw_get("/ByteRange").get_object()),
                extract_contents(dictionary),
                str(dictionary.get("/SubFilter", "")),
                dictionary.get("/Type") == "/DocTimeStamp",
            )
        )
    return found


def _check_form(opened: EmbeddedPdfSignature, *, is_stamp: bool) -> None:
    signed_data = opened.signed_data
    content = signed_data["encap_content_info"]
    if content["content_type"].native != ("tst_info" if is_stamp else "data"):
        raise ProofError(ProofReason.CMS_MALFORMED, "content type")
    if not is_stamp and content["content"].native is not None:
        raise ProofError(ProofReason.CMS_MALFORMED, "it holds a content of its own")
    # What no signature covers has the one value that follows from the rest (RFC 5652 §5.1, §5.3).
    by_name = opened.signer_info["sid"].name == "issuer_and_serial_number"
    versions = ("v1" if by_name else "v3", "v1" if by_name and not is_stamp else "v3")
    if (opened.signer_info["version"].native, signed_data["version"].native) != versions:
        raise ProofError(ProofReason.CMS_MALFORMED, "version")
    if [item["algorithm"].native for item in signed_data["digest_algorithms"]] != [
        opened.signer_info["digest_algorithm"]["algorithm"].native
    ]:
        raise ProofError(ProofReason.CMS_MALFORMED, "digest algorithms")
    attributes = [item["type"].native for item in opened.signer_info["signed_attrs"]]
    if len(set(attributes)) != len(attributes):
        raise ProofError(ProofReason.CMS_ATTRIBUTES, "twice the same")
    if "signing_certificate_v2" not in attributes and not is_stamp:
        # Without it, whose certificate was meant is anybody's word (ETSI EN 319 142-1 §6.3).
        raise ProofError(
            ProofReason.CMS_ATTRIBUTES, "no signing certificate", verdict=Verdict.CANNOT_CHECK
        )
    if opened.md_algorithm not in _DIGESTS:
        raise ProofError(ProofReason.CMS_ALGORITHM, opened.md_algorithm)


def _der(contents: bytes) -> bytes:
    """The one DER element in `contents`; what follows it must be the padding of the place."""
    if len(contents) < 2 or contents[0] != 0x30 or len(contents) > CMS_BYTES_MAX:
        raise ProofError(ProofReason.CMS_MALFORMED, "no CMS")
    length, head = contents[1], 2
    if length & 0x80:
        octets = length & 0x7F
        head += octets
        length = int.from_bytes(contents[2:head], "big")
        minimal = max(1, (length.bit_length() + 7) // 8)
        if not 1 <= octets <= 4 or octets != minimal or length < 0x80:
            raise ProofError(ProofReason.CMS_MALFORMED, "length")
    if head + length > len(contents) or any(contents[head + length :]):
        raise ProofError(ProofReason.CMS_MALFORMED, "bytes behind the signature")
    return contents[: head + length]


def _policy() -> DiffPolicy:
    """pyHanko's rules without those that let titles, metadata, form fields and fonts change."""
    from pyhanko.sign.diff_analysis import (  # noqa: PLC0415
        CatalogModificationRule,
        DSSCompareRule,
        FormUpdatingRule,
        ObjectStreamRule,
        SigFieldCreationRule,
        SigFieldModificationRule,
        StandardDiffPolicy,
        XrefStreamRule,
    )
    from pyhanko.sign.diff_analysis.policy_api import ModificationLevel  # noqa: PLC0415

    lta = ModificationLevel.LTA_UPDATES
    return StandardDiffPolicy(
        global_rules=[
            CatalogModificationRule({"/AcroForm", "/DSS", "/Extensions", "/Version"}),
            XrefStreamRule().as_qualified(lta),
            ObjectStreamRule().as_qualified(lta),
            DSSCompareRule().as_qualified(lta),
        ],
        form_rule=FormUpdatingRule(
            [SigFieldCreationRule(), SigFieldModificationRule()],
            ignored_acroform_keys={"/Fields"},
        ),
    )
