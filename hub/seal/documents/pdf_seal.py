"""Seals on PDF documents: one visible PAdES signature that closes the document (formats.md §11).

Sealing is two steps. `prepare_pdf` does all that needs no key: it appends the seal's field, its
picture and an empty place for the signature to the document. `PreparedPdf.seal` then takes the
digest, has the key sign, and writes the signature into its place. A document that is prepared once
can be kept and sealed later, or sealed again under a new key, at the cost of one signature.

The first seal certifies the document (DocMDP, ISO 32000-2 §12.8.2.2). Places for later seals are
declared in the same revision: with none, nothing may change any more (P=1); with some, these places
alone may be filled in (P=2 and FieldMDP). The last of them closes the document again (P=1). The
document security store and document time stamps may follow in any case: they are not changes of the
document (ETSI EN 319 142-1 §5.4, §5.5).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final

from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.form_tools import get_single_field_annot
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
    enumerate_sig_fields,
)
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigIOSetup,
    SigMDPSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from hub.errors import HubError, Reason
from hub.proof.pdf.file import check_objects
from hub.proof.reasons import ProofError
from hub.seal.documents.cms import CmsForm, filled, sign_cms
from hub.seal.keys import SigningKey
from hub.seal.ports import TimeStamps

# Less than a verifier reads (`hub.proof.pdf.file`): later seals and evidence come on top.
PDF_BYTES_MAX: Final = 24 * 1024 * 1024
FIELDS_MAX: Final = 16
POINTS_PER_MM: Final = 72 / 25.4
TIME_STAMP_BYTES_MAX: Final = 12 * 1024

# What pyHanko raises for documents that are damaged or beyond it, besides its own errors.
UNREADABLE: Final = (
    PdfError,
    SigningError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    ArithmeticError,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class SealPlace:
    """Where a seal stands. `page` counts from 1; the box is in millimetres from the top left."""

    field: str
    page: int
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, repr=False)
class PdfPicture:
    """A seal's picture, compressed once: colours and opacity as PDF keeps them."""

    width: int
    height: int
    colours: bytes
    opacity: bytes

    @classmethod
    def of(cls, png: bytes) -> PdfPicture:
        """The picture in `png`, which `hub.seal.pictures` has checked."""
        with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
            image = opened.convert("RGBA")
        return cls(
            image.width,
            image.height,
            zlib.compress(image.convert("RGB").tobytes()),
            zlib.compress(image.getchannel("A").tobytes()),
        )


@dataclass(frozen=True, slots=True, repr=False)
class PreparedPdf:
    """A document whose only missing bytes are the time of sealing and the signature.

    `reserved` is where the signature goes, angle brackets included; `time_at`, behind it, is where
    the time goes.
    """

    data: bytes
    digest_name: str
    reserved: tuple[int, int]
    time_at: int

    def seal(
        self,
        key: SigningKey,
        form: CmsForm,
        time: datetime,
        *,
        stamps: TimeStamps | None = None,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """The sealed document: B-B, or B-T with `stamps`. `form` is the form of `key`; `sign` asks
        it for the signature where the key must be shown more than the exact bytes.

        Raises HubError(KEY_USAGE_REFUSED) where the document was prepared for another algorithm,
        and what the key and `stamps.stamp` raise; without its time stamp there is no seal.
        """
        if form.digest_name != self.digest_name:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=key.kid)
        start, end = self.reserved
        around = self.covered(time)
        attributes, signature = sign_cms(key, form, form.digest(*around), sign)
        token = b"" if stamps is None else stamps.stamp(signature)
        return filled(around, end - start, form.assemble(attributes, signature, token))

    def covered(self, time: datetime) -> tuple[bytes, bytes]:
        """What a signature of this `time` covers: everything before its place, and behind it."""
        start, end = self.reserved
        written = pdf_time(time)
        later = self.time_at + len(written)
        tail = b"".join((self.data[end : self.time_at], written, self.data[later:]))
        return self.data[:start], tail

    def unsigned(self, time: datetime) -> bytes:
        """The document as it will be sealed at `time`, with zeros in the place of the signature."""
        start, end = self.reserved
        return filled(self.covered(time), end - start, b"")


def pdf_time(time: datetime) -> bytes:
    """`time` as it stands in a PDF, in UTC (ISO 32000-2 §7.9.4). Its length never varies."""
    return time.astimezone(UTC).strftime("(D:%Y%m%d%H%M%SZ)").encode()


def prepare_pdf(
    document: bytes,
    place: SealPlace,
    picture: PdfPicture,
    form: CmsForm,
    *,
    further: Sequence[SealPlace] = (),
    stamped: bool = False,
) -> PreparedPdf:
    """`document` with its first seal's place made, and the places of `further` seals declared.

    `stamped` leaves room for a time stamp. Raises HubError(PDF_REFUSED): damaged, encrypted,
    already signed, no such page, a box beyond the page, two places of one name.
    """
    names = [place.field, *(item.field for item in further)]
    if len(set(names)) != len(names) or len(names) > FIELDS_MAX:
        raise refused("places have one name each, 16 at most", "印章位置名称须唯一，且不超过16个")
    writer = open_writer(document)
    try:
        if any(True for _ in enumerate_sig_fields(writer.prev, filled_status=True)):
            raise refused("it is signed already", "文件已有签名")
        open_names = [item.field for item in further]
        for item in further:
            open_names.remove(item.field)
            append_signature_field(
                writer,
                SigFieldSpec(
                    sig_field_name=item.field,
                    on_page=item.page - 1,
                    box=_box(writer, item),
                    field_mdp_spec=_lock(open_names),
                    doc_mdp_update_value=_level(open_names),
                ),
            )
        embedder = PdfCMSEmbedder(
            SigFieldSpec(place.field, on_page=place.page - 1, box=_box(writer, place))
        )
        names = [item.field for item in further]
        mdp = SigMDPSetup(
            form.digest_name, certify=True, field_lock=_lock(names), docmdp_perms=_level(names)
        )
        return _prepare(writer, embedder, place.field, picture, form, mdp=mdp, stamped=stamped)
    except UNREADABLE as error:
        raise damaged(error) from error


def prepare_further(
    document: bytes,
    field: str,
    picture: PdfPicture,
    form: CmsForm,
    *,
    stamped: bool = False,
) -> PreparedPdf:
    """`document` with its declared place `field` made ready for the next seal.

    Raises HubError(PDF_REFUSED): damaged, or no place of this name is declared and free.
    """
    writer = open_writer(document)
    try:
        found = next(enumerate_sig_fields(writer.prev, filled_status=False, with_name=field), None)
        if found is None:
            raise refused(f"no free place {field} is declared", f"没有可用的预留印章位置 {field}")
        lock = found[2].get_object().get("/Lock")
        mdp = None
        if isinstance(lock, generic.DictionaryObject):
            mdp = SigMDPSetup(form.digest_name, field_lock=FieldMDPSpec.from_pdf_object(lock))
        return _prepare(writer, PdfCMSEmbedder(), field, picture, form, mdp=mdp, stamped=stamped)
    except UNREADABLE as error:
        raise damaged(error) from error


class _TimePlaceholder(generic.PdfObject):
    """Room for the time of sealing; knows where it was written."""

    at: int = 0

    def write_to_stream(self, stream: IO[bytes], *_: object, **__: object) -> None:
        self.at = stream.tell()
        stream.write(pdf_time(datetime.fromtimestamp(0, UTC)))


class QuietWriter(IncrementalPdfFileWriter):
    """Appends what it is told and nothing else.

    pyHanko's writer also renews title block and XMP packet with each revision, which after a seal
    would be a change of the document.
    """

    def _update_meta(self) -> None:
        pass


def open_writer(document: bytes) -> QuietWriter:
    """An update of `document` is begun. Raises HubError(PDF_REFUSED), (DOCUMENT_TOO_LARGE)."""
    if len(document) > PDF_BYTES_MAX:
        raise HubError(Reason.DOCUMENT_TOO_LARGE, bytes_max=PDF_BYTES_MAX)
    try:
        writer = QuietWriter(io.BytesIO(document), strict=True)
        hybrid = writer.prev.xrefs.hybrid_xrefs_present
    except UNREADABLE as error:
        raise damaged(error) from error
    if writer.prev.encrypted:
        raise refused("it is encrypted", "文件已加密")
    try:
        check_objects(writer.prev)
    except ProofError as error:
        raise refused("an object of it is not in the file", "文件缺少其引用的对象") from error
    if hybrid:
        # Two readers could see two documents in one file.
        raise refused("it has two kinds of cross-reference tables", "文件含有混合交叉引用表")
    return writer


def _prepare(
    writer: QuietWriter,
    embedder: PdfCMSEmbedder,
    field: str,
    picture: PdfPicture,
    form: CmsForm,
    *,
    mdp: SigMDPSetup | None,
    stamped: bool,
) -> PreparedPdf:
    """pyHanko's protocol for foreign signatures, up to the document that waits for one."""
    steps = embedder.write_cms(field, writer)
    annotation = get_single_field_annot(next(steps).get_object())
    _show(writer, annotation, picture)
    room = form.size_max() + (TIME_STAMP_BYTES_MAX if stamped else 0)
    signature = SignatureObject(subfilter=SigSeedSubFilter.PADES, bytes_reserved=2 * room)
    time = signature[pdf_name("/M")] = _TimePlaceholder()
    steps.send(SigObjSetup(signature, mdp_setup=mdp))
    digest, output = steps.send(SigIOSetup(form.digest_name))
    return PreparedPdf(
        output.getvalue(),
        form.digest_name,
        (digest.reserved_region_start, digest.reserved_region_end),
        time.at,
    )


def _show(writer: QuietWriter, annotation: generic.DictionaryObject, picture: PdfPicture) -> None:
    """Give the seal's field its picture, which fills its box."""
    left, bottom, right, top = (float(value) for value in annotation["/Rect"])
    opacity = writer.add_object(_image(picture, "/DeviceGray", picture.opacity))
    image = _image(picture, "/DeviceRGB", picture.colours)
    image[pdf_name("/SMask")] = opacity
    width, height = right - left, top - bottom
    appearance = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(
                [generic.FloatObject(value) for value in (0, 0, width, height)]
            ),
            pdf_name("/Resources"): generic.DictionaryObject(
                {
                    pdf_name("/XObject"): generic.DictionaryObject(
                        {pdf_name("/Seal"): writer.add_object(image)}
                    )
                }
            ),
        },
        stream_data=f"q {width:.3f} 0 0 {height:.3f} 0 0 cm /Seal Do Q".encode(),
    )
    annotation[pdf_name("/AP")] = generic.DictionaryObject(
        {pdf_name("/N"): writer.add_object(appearance)}
    )
    writer.update_container(annotation)


def _image(picture: PdfPicture, colours: str, data: bytes) -> generic.StreamObject:
    return generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Image"),
            pdf_name("/Width"): generic.NumberObject(picture.width),
            pdf_name("/Height"): generic.NumberObject(picture.height),
            pdf_name("/ColorSpace"): pdf_name(colours),
            pdf_name("/BitsPerComponent"): generic.NumberObject(8),
            pdf_name("/Filter"): pdf_name("/FlateDecode"),
        },
        encoded_data=data,
    )


def _box(writer: IncrementalPdfFileWriter, place: SealPlace) -> Any:
    """The box in points from the bottom left, as PDF counts; fractions are fine."""
    pages = int(writer.root["/Pages"]["/Count"])
    if not 1 <= place.page <= pages:
        raise refused(f"it has no page {place.page}", f"文件没有第 {place.page} 页")
    page = writer.find_page_for_modification(place.page - 1)[0].get_object()
    if int(_inherited(page, "/Rotate", 0)) % 360:
        raise refused(f"page {place.page} is rotated", f"第 {place.page} 页已旋转")
    left, bottom, right, top = (float(value) for value in _inherited(page, "/MediaBox", ()))
    x0 = left + place.x_mm * POINTS_PER_MM
    y1 = top - place.y_mm * POINTS_PER_MM
    x1 = x0 + place.width_mm * POINTS_PER_MM
    y0 = y1 - place.height_mm * POINTS_PER_MM
    if not (left <= x0 < x1 <= right and bottom <= y0 < y1 <= top):
        raise refused(
            f"the place {place.field} lies beyond page {place.page}",
            f"印章位置 {place.field} 超出第 {place.page} 页",
        )
    return x0, y0, x1, y1


def _inherited(page: generic.DictionaryObject, name: str, default: object) -> Any:
    """An attribute that a page may have from the nodes above it (ISO 32000-2 §7.7.3.4)."""
    node = page
    for _ in range(64):
        if name in node:
            return node[name]
        if "/Parent" not in node:
            return default
        node = node["/Parent"]
    raise refused("its tree of pages has no end", "页面树无终点")


def _lock(open_names: Sequence[str]) -> FieldMDPSpec:
    """Which fields a seal closes: all but those that are declared and still open."""
    if open_names:
        return FieldMDPSpec(FieldMDPAction.EXCLUDE, list(open_names))
    return FieldMDPSpec(FieldMDPAction.ALL)


def _level(open_names: Sequence[str]) -> MDPPerm:
    return MDPPerm.FILL_FORMS if open_names else MDPPerm.NO_CHANGES


def refused(en: str, zh: str) -> HubError:
    """The one refusal of this module and of `pdf_archive`, with its rule."""
    return HubError(Reason.PDF_REFUSED, en=en, zh=zh)


def damaged(error: Exception) -> HubError:
    """The refusal of a document that pyHanko cannot read."""
    return refused(f"it cannot be read ({type(error).__name__})", "文件无法读取")
