"""PDF documents, keys and certificates for tests of PDF seals: made here, nothing is pretended."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image, ImageDraw

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm
from hub.proof import sm2
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import PdfPicture, SealPlace, prepare_pdf
from tests.proof.sm2_pki import Member, root

NOW = datetime.datetime(2026, 11, 27, 8, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
PLACE = SealPlace("Seal", 1, 120, 200, 40, 40)
SECOND = SealPlace("Second", 1, 20, 200, 40, 40)
THIRD = SealPlace("Third", 1, 70, 200, 40, 40)

Private = (
    ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | sm2.PrivateKey
)


@cache
def private_key(algorithm: KeyAlgorithm, number: int = 0) -> Private:
    """A key of a test run; RSA keys take long to make, so each is made once."""
    match algorithm:
        case KeyAlgorithm.ES256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyAlgorithm.ES384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyAlgorithm.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(public_exponent=65537, key_size=3072)


@dataclass
class Ca:
    """A root that issues what a test asks for, and its revocation list."""

    name: str = "印章 CA"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    revoked: list[tuple[int, datetime.datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        self.root = (
            self._builder(self.subject, self.key.public_key(), NOW - 3650 * DAY, NOW + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(
        self,
        key: Private,
        name: str = "市场监督管理局",
        *,
        begins: datetime.datetime = NOW - 30 * DAY,
        ends: datetime.datetime = NOW + 365 * DAY,
        time_stamping: bool = False,
        organization: str = "",
        names_usage: bool = True,
    ) -> x509.Certificate:
        """A certificate for `key`: of a seal, or of a time stamping service."""
        return self.certify(
            key.public_key(),
            name,
            begins=begins,
            ends=ends,
            time_stamping=time_stamping,
            organization=organization,
            names_usage=names_usage,
        )

    def certify(
        self,
        public: object,
        name: str = "市场监督管理局",
        *,
        begins: datetime.datetime,
        ends: datetime.datetime,
        time_stamping: bool = False,
        organization: str = "",
        names_usage: bool = True,
    ) -> x509.Certificate:
        """As `issue`, for a public key whose other half is elsewhere."""
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organization:
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, organization))
        subject = x509.Name(attributes)
        builder = self._builder(subject, public, begins, ends)
        if names_usage:
            usage = _usage(digital_signature=True, content_commitment=not time_stamping)
            builder = builder.add_extension(usage, critical=True)
        if time_stamping:
            use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(use, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def crl(self, at: datetime.datetime = NOW) -> x509.CertificateRevocationList:
        """The list as of `at`, believed for 30 days."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.subject)
            .last_update(at)
            .next_update(at + 30 * DAY)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        for serial, time in self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(time)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256())

    def _builder(
        self,
        subject: x509.Name,
        public: object,
        begins: datetime.datetime,
        ends: datetime.datetime,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public),  # type: ignore[arg-type]
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


@dataclass
class MemoryKey:
    """A signing key in memory with its chain; it keeps what it was asked to sign."""

    algorithm: KeyAlgorithm
    private: Private
    x509_chain: tuple[bytes, ...]
    kid: str = "k"
    custody: Custody = Custody.HUB_FILE
    signed: list[tuple[bytes, str]] = field(default_factory=list)

    def sign(self, signing_input: bytes, format: str) -> bytes:
        self.signed.append((signing_input, format))
        match self.private:
            case ec.EllipticCurvePrivateKey():
                narrow = self.algorithm is KeyAlgorithm.ES256
                digest = hashes.SHA256() if narrow else hashes.SHA384()
                return self.private.sign(signing_input, ec.ECDSA(digest))
            case rsa.RSAPrivateKey():
                pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
                return self.private.sign(signing_input, pss, hashes.SHA256())
            case _:
                return self.private.sign(signing_input)


@cache
def sm2_root() -> Member:
    """The CA of SM2 keys."""
    return root()


def key_of(
    ca: Ca, algorithm: KeyAlgorithm = KeyAlgorithm.ES256, number: int = 0, **issue: object
) -> MemoryKey:
    """A signing key with a certificate of `ca`; one of SM2 has it of `sm2_root`."""
    if algorithm is KeyAlgorithm.SM2:
        member = sm2_root().issue("市场监督管理局")
        return MemoryKey(algorithm, member.key, (member.der,))
    private = private_key(algorithm, number)
    leaf = ca.issue(private, **issue)  # type: ignore[arg-type]
    return MemoryKey(algorithm, private, (leaf.public_bytes(Encoding.DER),))


def page(text: str = "Business licence of Acme Ltd", *, form: bool = False) -> bytes:
    """A PDF of one A4 page, written by hand: classic cross-reference table, one font.

    With `form` it has a text field that people fill in.
    """
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R"
        + (b" /AcroForm << /Fields [6 0 R] /DA (/F 12 Tf 0 g) >>" if form else b"")
        + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.276 841.89] /Contents 4 0 R"
        b" /Resources << /Font << /F 5 0 R >> >>" + (b" /Annots [6 0 R]" if form else b"") + b" >>",
        stream(f"BT /F 18 Tf 72 700 Td ({text}) Tj ET".encode()),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    if form:
        objects.append(
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (Remark) /F 4 /P 3 0 R"
            b" /Rect [72 600 300 620] /DA (/F 12 Tf 0 g) >>"
        )
    return assemble(objects)


def assemble(objects: Sequence[bytes]) -> bytes:
    """A whole PDF of these objects, the first being the catalog."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    )
    return out.getvalue()


@cache
def picture() -> PdfPicture:
    """A red ring with a transparent ground."""
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((6, 6, 194, 194), outline=(204, 0, 0, 255), width=8)
    out = io.BytesIO()
    image.save(out, "PNG")
    return PdfPicture.of(out.getvalue())


def sealed(
    key: MemoryKey,
    document: bytes | None = None,
    *,
    further: Sequence[SealPlace] = (),
    time: datetime.datetime = NOW,
) -> bytes:
    """`document`, or the licence, with one seal at PLACE."""
    form = CmsForm.of(key)
    prepared = prepare_pdf(document or page(), PLACE, picture(), form, further=further)
    return prepared.seal(key, form, time)


def appended(
    document: bytes, objects: dict[int, bytes], *, root: int = 1, trailer: bytes = b""
) -> bytes:
    """`document` with an incremental update that puts these objects in the place of others."""
    start = int(document[document.rindex(b"startxref") :].split()[1])
    size = max(int(document[document.rindex(b"/Size") :].split()[1]), *(n + 1 for n in objects))
    out = io.BytesIO()
    out.write(document)
    table = b""
    for number, body in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    at = out.tell()
    out.write(b"xref\n" + table)
    out.write(
        b"trailer\n<< /Size %d /Root %d 0 R /Prev %d %s >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, root, start, trailer, at)
    )
    return out.getvalue()


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object that is not compressed."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def object_of(document: bytes, number: int) -> bytes:
    """The newest body of an object, as it stands in the file."""
    head = b"\n%d 0 obj\n" % number
    at = document.rindex(head) + len(head)
    return document[at : document.index(b"\nendobj", at)]
