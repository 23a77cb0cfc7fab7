"""Documents and electronic seals with everything that shows they may be signed, without any hub:
officers who approve, faces with metadata, certificates for whatever key a home has made."""

from __future__ import annotations

import dataclasses
import io
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from pyhanko.pdf_utils import generic

from hub.domain.crypto import CryptoProfile
from hub.domain.face import CopyTerms, FileKind
from hub.domain.holder import Holder
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Op, Row
from hub.domain.seal_key import SEALING_DAYS, KeyAlgorithm, KeyUse, key_name
from hub.proof.encoding import b64u, digest
from hub.proof.faces.code import FaceCode, code_payload
from hub.proof.jose import FACE_TYP, header_segment
from hub.proof.officers.approval import Decision
from hub.proof.officers.roster_changes import Link
from hub.proof.sealing.documents import Document, DocumentOrder, OfdFile, PdfFile
from hub.proof.sealing.records import Mandate
from hub.proof.sealing.seals import Order, moment_of
from hub.proof.sm2 import PublicKey as Sm2PublicKey
from hub.proof.x509.make_sm2 import make_certificate
from hub.proof.x509.sm2 import parse_x509
from hub.seal.algorithms import PublicKey, Subject
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import OfdSealer, SealTrust
from hub.seal.documents.pdf_seal import PreparedPdf, open_writer, prepare_pdf
from hub.seal.homes.process import SignerProcess
from hub.seal.keys import (
    CodeWork,
    DocumentWork,
    KeyHome,
    KeyOrder,
    MadeKey,
    SealWork,
    SigningKey,
)
from hub.seal.signer_process.process import Settings
from tests.ofd_sealing import PLACE, PNG
from tests.pdf_documents import PLACE as PDF_PLACE
from tests.pdf_documents import Ca, page, picture
from tests.proof import ofd_samples
from tests.proof.officers import ORIGIN, REGION, Bench
from tests.proof.seals import seal_of
from tests.proof.sm2_pki import ENDS, SIGNER, STARTS, Member, name, root

USCC: Final = "11110000000021135M"
CODE: Final = "11100000MB0143028R001"
VCT: Final = f"https://hub.hangzhou.example/vct/{CODE}"
FACE: Final = f"certificateTypes/{CODE.lower()}/faceTemplates/v001 digest"
IDENTIFIER: Final = str(CertificateIdentifier.make(CODE, USCC, "0" * 32, 1))
HOLDER: Final = Holder("001", USCC)
SEAL: Final = "authorities/market/seals/documents"
_CHINA: Final = timezone(timedelta(hours=8))


def terms_of_copy(now: int) -> CopyTerms:
    """A copy that is made at `now` (seconds) and lasts a minute."""
    return CopyTerms(
        "annotatedCopies/c1",
        "办理许可",
        "服务中心",
        "服务中心",
        now * 1_000_000,
        (now + 60) * 1_000_000,
    )


def items_of(terms: CopyTerms) -> dict[str, str]:
    """The metadata of a face that is such a copy."""

    def written(time_us: int) -> str:
        return datetime.fromtimestamp(time_us // 1_000_000, _CHINA).strftime("%Y%m%d%H%M%S")

    return {
        "ZZBS": IDENTIFIER,
        "SEALWAY_FACE": FACE,
        "SEALWAY_COPY": terms.name,
        "SEALWAY_RECIPIENT": terms.recipient,
        "JZJZZSJ": written(terms.made_time_us),
        "JZJZZZ": terms.maker,
        "JZJZZSY": terms.purpose,
        "JZJYXQJZSJ": written(terms.expire_time_us),
        "CZZTDM": HOLDER.number,
        "CZZTDMLXDM": HOLDER.type,
        "ZZBFRQ": "20260101",
        "ZZYXQQSRQ": "20260101",
    }


def row_of_face() -> Row:
    """What the department sent of the certificate that these faces and codes show."""
    return Row(
        Op.ISSUE,
        "1",
        "91330100MADEM0022M",
        None,
        "2026-01-01",
        "2026-01-01",
        None,
        (HOLDER,),
        {"name": "杭州某某有限公司"},
    )


def face_package(items: Mapping[str, str]) -> OfdPackage:
    """The sample OFD with these items."""
    files = dict(ofd_samples.package().files)
    data = "".join(
        f'<ofd:CustomData Name="{name}">{value}</ofd:CustomData>' for name, value in items.items()
    )
    listed = f"<ofd:CustomDatas>{data}</ofd:CustomDatas></ofd:DocInfo>"
    files["OFD.xml"] = files["OFD.xml"].replace(b"</ofd:DocInfo>", listed.encode())
    return OfdPackage(files)


def face_pdf(form: CmsForm, items: Mapping[str, str]) -> PreparedPdf:
    """The sample PDF with these items, and a place for the seal."""
    writer, out = open_writer(page()), io.BytesIO()
    writer.set_info(
        generic.DictionaryObject(
            {generic.pdf_name(f"/{name}"): generic.TextStringObject(items[name]) for name in items}
        )
    )
    writer.write(out)
    return prepare_pdf(out.getvalue(), PDF_PLACE, picture(), form)


def signer_process(folder: Path, mandates: Mandates, token_uri: str = "") -> SignerProcess:
    """A process without a hub, which is shown these mandates; its keys are in `folder`."""
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("sixteen characters or more")
    (folder / "makers.pem").write_text(ssl.DER_cert_to_PEM_cert(mandates.sm2.der))
    settings = Settings(
        folder=str(folder / "signer"),
        keys_folder=str(folder / "keys"),
        passphrase_file=str(passphrase),
        algorithms={one.value: str(days) for one, days in SEALING_DAYS.items()},
        maker_ca=str(folder / "makers.pem"),
        token_uri=token_uri,
        # Files that the hub itself reads are tried under the other profile.
        profile=CryptoProfile.GM.value,
    )
    return SignerProcess(settings, ORIGIN, REGION, "log", mandates)


@dataclass
class Mandates:
    """An authority's officers, who approve what keys shall sign; certificates of two algorithms.

    It is the evidence that a signer is shown, too."""

    bench: Bench = field(default_factory=Bench)
    ca: Ca = field(default_factory=Ca)
    sm2: Member = field(default_factory=root)
    now: int = field(default_factory=lambda: int(time.time()))
    orders: int = 0

    def links(self, after: int) -> Sequence[Link]:
        """As in `Evidence`: the first statement and no other."""
        return [Link(self.bench.founded().to_bytes(), b"", ())] if after < 0 else []

    def receipts(self) -> Mapping[str, str]:
        """As in `Evidence`: no department's key."""
        return {}

    def certificate(self, public: PublicKey) -> bytes:
        """DER for a key of the authority."""
        if public.algorithm is not KeyAlgorithm.SM2:
            key = load_der_public_key(public.spki)
            at = datetime.fromtimestamp(self.now, UTC)
            begins, ends = at - timedelta(days=1), at + timedelta(days=1)
            issued = self.ca.certify(key, begins=begins, ends=ends, organization=USCC)
            return issued.public_bytes(Encoding.DER)
        return make_certificate(
            subject=name("印章"),
            key=Sm2PublicKey.from_spki(public.spki),
            issuer=self.sm2.subject,
            not_before=STARTS,
            not_after=ENDS,
            extensions=SIGNER,
            sign=self.sm2.key.sign,
        )

    def mandate(
        self, kind: str, members: Mapping[str, Any], signed_s: int = -30, **changes: Any
    ) -> Mandate:
        """An intent of Ann's that Bob and Cat approve `signed_s` from now, in force for an hour."""
        times = {"not_before": self.now - 60, "not_after": self.now + 3_600}
        intent = self.bench.intent(kind, members, **{**times, **changes})
        approvals = tuple(
            self.bench.approval(who, intent, iat=self.now + signed_s, not_after=self.now + 3_600)
            for who in ("bob", "cat")
        )
        return Mandate("intents/one", intent, approvals)

    def rejection(self, name: str, mandate: Mandate, **changes: Any) -> str:
        """What `officers/{name}` signs to end the intent of `mandate`."""
        said = {"decision": Decision.REJECT, "iat": self.now - 10, "not_after": self.now + 3_600}
        return self.bench.approval(name, mandate.intent, **(said | changes))

    def order(
        self,
        home: str,
        algorithm: KeyAlgorithm,
        use: KeyUse,
        subject: Subject,
        changes: Mapping[str, Any] = MappingProxyType({}),
    ) -> KeyOrder:
        """A key to be made, for which no other order asks; `changes` are what the intent says
        otherwise."""
        self.orders += 1
        members = {
            **({"seal": SEAL} if use is not KeyUse.MAKER else {}),
            "authority": "authorities/market",
            "authority_uscc": subject.organization_identifier,
            "title": subject.common_name,
            "use": use.value,
            "algorithm": algorithm.value,
            "home": home,
        }
        not_after = self.now + 3_600 + self.orders
        return KeyOrder(self.mandate("key.generate", members | {**changes}, not_after=not_after), 0)

    def make(
        self,
        home: KeyHome,
        algorithm: KeyAlgorithm,
        use: KeyUse,
        subject: Subject,
        changes: Mapping[str, Any] = MappingProxyType({}),
    ) -> MadeKey:
        """A key that officers have ordered; `changes` as in `order`."""
        order = self.order(home.name, algorithm, use, subject, changes)
        return home.create(algorithm, use, subject, order)

    def standing(self, uses_max: int = 10, seal: str = SEAL) -> Mandate:
        """A standing intent for copies."""
        members = {
            "seal": seal,
            "authority": USCC,
            "vct": VCT,
            "type_version": 1,
            "documents": [FileKind.COPY.value],
        }
        return self.mandate("standing-seal", members, uses_max=uses_max)

    def document(self, key: SigningKey, mandate: Mandate | None = None) -> DocumentWork:
        """A copy to be sealed by `key`."""
        terms = terms_of_copy(self.now)
        order = DocumentOrder(USCC, VCT, 1, IDENTIFIER, FACE, terms)
        make = self._ofd if key.use is KeyUse.OFD else self._pdf
        return DocumentWork(mandate or self.standing(), make(order, key, items_of(terms)))

    def code(self, key: SigningKey, mandate: Mandate | None = None, **changes: Any) -> CodeWork:
        """The code of that copy, to be signed by `key`; `changes` are what it says otherwise."""
        code = FaceCode(
            origin=ORIGIN,
            region=REGION,
            identifier=IDENTIFIER,
            type_version=1,
            name="杭州某某有限公司",
            number="91330100MADEM0022M",
            valid_from="2026-01-01",
            valid_until="",
            status_list=1,
            status_place=7,
            iat=self.now,
        )
        payload = code_payload(dataclasses.replace(code, **changes))
        to_sign = f"{header_segment(FACE_TYP, key.kid)}.{b64u(payload)}".encode()
        order = DocumentOrder(USCC, VCT, 1, IDENTIFIER, FACE, terms_of_copy(self.now))
        return CodeWork(mandate or self.standing(), order, to_sign)

    def seal(self, key: SigningKey, **changes: Any) -> SealWork:
        """An electronic seal to be made by `key`; `changes` are what the intent says otherwise."""
        signer = self.sm2.issue("市场监督管理局").der
        members: dict[str, Any] = {
            "seal": SEAL,
            "authority": USCC,
            "title": "市场监督管理局",
            "certificates": [{"key": "keys/k-signer", "x509_chain": [b64u(signer)]}],
            "number": "330100-1",
            "seal_type": 1,
            "picture": digest(PNG),
            "width_mm": 40,
            "height_mm": 40,
            "valid_from": self.now - 60,
            "valid_until": self.now + 86_400,
            "maker_key": key_name(key.kid),
        }
        order = Order.of(members)
        assert order is not None
        info = order.info("PNG", PNG, [signer], moment_of(self.now))
        return SealWork(self.mandate("seal.make", members | changes), info)

    def _ofd(self, order: DocumentOrder, key: SigningKey, items: Mapping[str, str]) -> Document:
        at = datetime.fromtimestamp(self.now, UTC)
        maker = self.sm2.issue("制章者")
        signer = Member(maker.key, maker.subject, key.x509_chain[0])
        seal = seal_of(maker, signer)
        anchors = (parse_x509(self.sm2.der),)
        sealer = OfdSealer.open(seal, key, SealTrust(anchors, anchors, None), at)
        prepared = sealer.prepare(face_package(items), [PLACE], at, closing=True)
        return Document(order, OfdFile(prepared.files, prepared.value_file, seal), prepared.to_sign)

    def _pdf(self, order: DocumentOrder, key: SigningKey, items: Mapping[str, str]) -> Document:
        at, form = datetime.fromtimestamp(self.now, UTC), CmsForm.of(key)
        prepared = face_pdf(form, items)
        attributes = form.attributes(form.digest(*prepared.covered(at)))
        return Document(order, PdfFile(prepared.unsigned(at)), attributes)
