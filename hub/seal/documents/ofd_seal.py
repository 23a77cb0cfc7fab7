"""Seals on OFD documents (GB/T 33190 §18, GB/T 38540 §7.2).

A seal adds files to a package and changes none but the list of signatures; the first seal also
names that list in `OFD.xml`. What one seal protects stands in `docs/formats/ofd.md`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from posixpath import dirname
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.ofd.checks import protects_list
from hub.proof.ofd.document import (
    ENTRY_FILE,
    SIGNATURES_MAX,
    Document,
    ListedSignature,
    Package,
    Signature,
    read_document,
    read_signature,
)
from hub.proof.ofd.xml import NAMESPACE
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.ses.checks import (
    check_seal_period,
    check_seal_signature,
    seconds,
)
from hub.proof.ses.seal import SIDE_MM_MAX, V4, Seal, parse_seal, tbs_sign
from hub.proof.sm2 import SM2_WITH_SM3, SM3_OID, sm3
from hub.proof.x509.sm2 import X509, Crl, check_chain, check_in_force, check_not_revoked, parse_x509
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.keys import SigningKey
from hub.seal.ports import TimeStamps

FORMAT: Final = FORMATS[KeyUse.OFD]
STAMPS_MAX: Final = 64
_PROVIDER: Final = '<ofd:Provider ProviderName="sealway" Version="1" Company="sealway"/>'
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OFD: Final = f'xmlns:ofd="{NAMESPACE}"'
_NUMBER: Final = re.compile(r"\d{1,9}$")


@dataclass(frozen=True, slots=True)
class StampPlace:
    """Where the seal is shown. `page` counts from 1; the box is in mm from the top left."""

    page: int
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True)
class SealTrust:
    """Who vouches for a seal: pinned certificates for makers and signers, and current CRLs.

    Without lists (None) revocation is what the register of seals says: a seal or key that officers
    revoked or retired signs nothing.
    """

    makers: Sequence[X509]
    signers: Sequence[X509]
    crls: Sequence[Crl] | None


@dataclass(frozen=True, slots=True)
class OfdSealer:
    """A seal, and the key that may use it. `chains` are those of the maker and of the signer."""

    seal: Seal
    key: SigningKey = field(repr=False)
    chains: tuple[tuple[X509, ...], tuple[X509, ...]] = field(repr=False)

    @classmethod
    def open(cls, seal: bytes, key: SigningKey, trust: SealTrust, time: datetime) -> OfdSealer:
        """`seal` for use with `key` from `time` on, verified as GB/T 38540 §7.2 wants it.

        Signatures, chains and revocation are checked here, once; what time alone changes is
        checked again at each seal. Raises HubError(SEAL_NOT_USABLE), (KEY_USAGE_REFUSED).
        """
        if key.algorithm is not KeyAlgorithm.SM2 or not key.x509_chain:
            raise HubError(Reason.KEY_USAGE_REFUSED, kid=key.kid)
        at = seconds(time)
        try:
            parsed = parse_seal(seal)
            if parsed.version != V4:
                raise ProofError(ProofReason.SEAL_VERSION, f"version {parsed.version}")
            maker = check_chain(check_seal_signature(parsed), (), trust.makers, at=at)
            if key.x509_chain[0] not in parsed.signer_x509s:
                raise ProofError(ProofReason.SIGNER_NOT_IN_SEAL)
            signer, *others = [parse_x509(der) for der in key.x509_chain]
            by = check_chain(signer, others, trust.signers, at=at)
            for each in (maker, by) if trust.crls is not None else ():
                check_not_revoked(each, trust.crls or (), at=at, by=at)
        except ProofError as error:
            raise _unusable(error) from error
        sealer = cls(parsed, key, (maker, by))
        sealer.check(time)
        return sealer

    def check(self, time: datetime) -> None:
        """The seal and every certificate are in force at `time`. Raises
        HubError(SEAL_NOT_USABLE)."""
        at = seconds(time)
        try:
            check_seal_period(self.seal, at)
            for x509 in chain.from_iterable(self.chains):
                check_in_force(x509, at)
        except ProofError as error:
            raise _unusable(error) from error

    def prepare(
        self,
        package: OfdPackage,
        places: Sequence[StampPlace],
        time: datetime,
        *,
        closing: bool = False,
    ) -> PreparedOfd:
        """`package` with all of this seal but its signature, which will say `time`.

        1. Seal and certificates are in force.
        2. The package is read as a verifier reads it, and may take another seal.
        3. Signature list, seal and `Signature.xml` are written; with `closing` the list is
           protected too, and nothing can be added afterwards.

        Raises HubError(SEAL_NOT_USABLE); (OFD_REFUSED) where the package cannot be sealed.
        """
        self.check(time)
        document, before = _open(package)
        plan = _plan(document, before, places)
        files = dict(package.files)
        files[plan.list_file] = _list_xml(document.signatures, plan)
        files[plan.seal_file] = self.seal.der
        if document.signatures_file is None:
            files[ENTRY_FILE] = _with_signatures(files[ENTRY_FILE], plan.list_file)
        xml = _signature_xml(plan, files, time, protect_list=closing)
        files[plan.file] = xml
        to_sign = tbs_sign(
            seal=self.seal.der, sign_time=time, data_hash=sm3(xml), protected=f"/{plan.file}"
        )
        return PreparedOfd(to_sign, self.key.kid, self.chains[1][0], files, plan.value_file)

    def apply(
        self,
        package: OfdPackage,
        places: Sequence[StampPlace],
        time: datetime,
        *,
        closing: bool = False,
        stamps: TimeStamps | None = None,
    ) -> OfdPackage:
        """`package` with this seal added, signed at `time`: prepared, signed, completed.

        With `stamps` the signature value is stamped; without its token there is no seal. Raises
        what `prepare`, `key.sign`, `PreparedOfd.complete` and `stamps.stamp` raise.
        """
        prepared = self.prepare(package, places, time, closing=closing)
        value = self.key.sign(prepared.to_sign, FORMAT)
        return prepared.complete(value, None if stamps is None else stamps.stamp(value))


@dataclass(frozen=True, slots=True, repr=False)
class PreparedOfd:
    """A package that lacks nothing but the signature over `to_sign`, the DER of its TBS_Sign.

    Whoever holds the key may be far away, and may sign many at once.
    """

    to_sign: bytes
    kid: str
    signer: X509
    files: Mapping[str, bytes]
    value_file: str

    def complete(self, value: bytes, time_stamp: bytes | None = None) -> OfdPackage:
        """The sealed package; `time_stamp` is a token over `value`.

        The certificate verifies the signature first: a device that answers with another key's
        would seal for nobody. Raises HubError(KEY_SIGNATURE_WRONG).
        """
        if self.signer.key is None or not self.signer.key.verify(self.to_sign, value):
            raise HubError(Reason.KEY_SIGNATURE_WRONG, kid=self.kid)
        package = OfdPackage(self.files)
        return package.with_value(self.value_file, self.to_sign, self.signer.der, value, time_stamp)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Names and ids of what one seal adds. `stamps` are (id, id of the page, box)."""

    id: str
    max_id: str
    list_file: str
    folder: str
    stamps: tuple[tuple[str, str, str], ...]

    @property
    def file(self) -> str:
        return f"{self.folder}/Signature.xml"

    @property
    def value_file(self) -> str:
        return f"{self.folder}/SignedValue.dat"

    @property
    def seal_file(self) -> str:
        return f"{self.folder}/Seal.esl"


def _open(package: OfdPackage) -> tuple[Document, tuple[Signature, ...]]:
    """The document and its signatures so far, none of which closed it."""
    try:
        document = read_document(Package.of(package.files))
        before = tuple(read_signature(document, listed) for listed in document.signatures)
    except ProofError as error:
        text = TEXTS[error.reason]
        raise HubError(Reason.OFD_REFUSED, en=text.en, zh=text.zh) from error
    if any(protects_list(document, signature) for signature in before):
        raise _refused("its last seal closed it", "最后一枚印章已锁定文件")
    if len(before) >= SIGNATURES_MAX:
        raise _refused(f"it has {SIGNATURES_MAX} seals", f"已有{SIGNATURES_MAX}枚印章")
    return document, before


def _plan(document: Document, before: Sequence[Signature], places: Sequence[StampPlace]) -> _Plan:
    if not 1 <= len(places) <= STAMPS_MAX:
        raise _refused(f"1 to {STAMPS_MAX} places are needed", f"印章位置须为1至{STAMPS_MAX}处")
    pages = tuple(document.pages)
    boxes = []
    for place in places:
        if not 1 <= place.page <= len(pages):
            raise _refused(f"there is no page {place.page}", f"没有第{place.page}页")
        sides = [
            round(side, 3) for side in (place.x_mm, place.y_mm, place.width_mm, place.height_mm)
        ]
        # Not a number is not within anything either.
        if not all(0 <= side <= SIDE_MM_MAX for side in sides) or 0 in sides[2:]:
            raise _refused("a place is not a box on the page", "印章位置不在页面内")
        boxes.append((pages[place.page - 1], " ".join(f"{side:g}" for side in sides)))
    used = [item.id for item in document.signatures]
    used += [stamp.id for signature in before for stamp in signature.stamps]
    number = max((_number(text) for text in used), default=0) + 1
    ids = [f"s{number + offset:03}" for offset in range(len(boxes) + 1)]
    root = dirname(document.signatures_file or f"{dirname(document.file)}/Signs/-").lstrip("/")
    if not root.isascii():
        # `propertyInfo` of the signature value is an IA5String.
        raise _refused("the path of its parts is not ASCII", "文档路径含非 ASCII 字符")
    taken = {
        name.removeprefix(f"{root}/").split("/")[0].casefold() for name in document.package.files
    }
    free = next(n for n in range(len(taken) + 1) if f"sign_{n}" not in taken)
    return _Plan(
        id=ids[0],
        max_id=ids[-1],
        list_file=document.signatures_file or f"{root}/Signatures.xml",
        folder=f"{root}/Sign_{free}",
        stamps=tuple((own, page, box) for own, (page, box) in zip(ids[1:], boxes, strict=True)),
    )


def _number(identifier: str) -> int:
    found = _NUMBER.search(identifier)
    return int(found.group()) if found else 0


def _list_xml(listed: Sequence[ListedSignature], plan: _Plan) -> bytes:
    signatures = [(item.id, "Sign" if item.bare else "Seal", item.file) for item in listed]
    signatures.append((plan.id, "Seal", plan.file))
    lines = "".join(
        f'<ofd:Signature ID={quoteattr(own)} Type="{kind}" BaseLoc={quoteattr("/" + file)}/>'
        for own, kind, file in signatures
    )
    return (
        f"{_HEAD}<ofd:Signatures {_OFD}><ofd:MaxSignId>{plan.max_id}</ofd:MaxSignId>"
        f"{lines}</ofd:Signatures>"
    ).encode()


def _signature_xml(
    plan: _Plan, files: dict[str, bytes], time: datetime, *, protect_list: bool
) -> bytes:
    references = "".join(
        f"<ofd:Reference FileRef={quoteattr('/' + name)}><ofd:CheckValue>"
        f"{b64encode(sm3(files[name])).decode()}</ofd:CheckValue></ofd:Reference>"
        for name in sorted(files)
        if protect_list or name != plan.list_file
    )
    stamps = "".join(
        f'<ofd:StampAnnot ID="{own}" PageRef={quoteattr(page)} Boundary="{box}"/>'
        for own, page, box in plan.stamps
    )
    return (
        f"{_HEAD}<ofd:Signature {_OFD}><ofd:SignedInfo>{_PROVIDER}"
        f"<ofd:SignatureMethod>{SM2_WITH_SM3}</ofd:SignatureMethod>"
        f"<ofd:SignatureDateTime>{time.astimezone(UTC):%Y%m%d%H%M%SZ}</ofd:SignatureDateTime>"
        f'<ofd:References CheckMethod="{SM3_OID}">{references}</ofd:References>{stamps}'
        f"<ofd:Seal><ofd:BaseLoc>{_text(plan.seal_file)}</ofd:BaseLoc></ofd:Seal>"
        f"</ofd:SignedInfo><ofd:SignedValue>{_text(plan.value_file)}</ofd:SignedValue>"
        "</ofd:Signature>"
    ).encode()


def _text(name: str) -> str:
    return escape(f"/{name}")


def _with_signatures(xml: bytes, list_file: str) -> bytes:
    """`OFD.xml` with the list named at the end of `DocBody`; every other byte stays."""
    at: list[int] = []

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "DocBody":
            at.append(parser.CurrentByteIndex)

    parser = expat.ParserCreate()
    parser.EndElementHandler = end
    parser.Parse(xml, True)
    tag = xml[at[-1] :] if at else b""
    if not tag.startswith(b"</"):
        raise _refused("OFD.xml is not written in UTF-8", "OFD.xml 不是 UTF-8 编码")
    prefix = tag[2 : tag.index(b"DocBody")]
    element = b"<%bSignatures>%b</%bSignatures>" % (prefix, _text(list_file).encode(), prefix)
    return xml[: at[-1]] + element + xml[at[-1] :]


def _refused(en: str, zh: str) -> HubError:
    return HubError(Reason.OFD_REFUSED, en=f"{en}.", zh=f"{zh}。")


def _unusable(error: ProofError) -> HubError:
    text = TEXTS[error.reason]
    return HubError(Reason.SEAL_NOT_USABLE, rule=error.reason.value, en=text.en, zh=text.zh)
