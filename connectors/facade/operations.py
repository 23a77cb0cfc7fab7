"""What each operation does: read, ask the hub, shape the answer as callers know it.

Runs in a worker thread. Base members of the standard's data that the seal does not hold (number,
dates) are left out, never made up.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from connectors.client import HubRefusedError
from connectors.documents import document_of
from connectors.facade.codes import RESULT_TEXTS, FacadeRefusedError, Kind
from connectors.facade.config import Account
from connectors.facade.hub_calls import Found, HubCalls, Proof, Question
from connectors.facade.questions import (
    FILE_TYPES,
    HOLDER_NUMBER,
    HOLDER_TYPE,
    IDENTIFIER,
    TYPE,
    Operation,
    Purpose,
    has_any,
    invalid,
    read_content,
    read_file_type,
    read_holder,
    read_identifier,
    read_purpose,
    read_qr,
    read_stated,
    read_type,
)
from hub.domain.certificate_type import DOCUMENT_FIELD, CertificateType, FieldType
from hub.domain.holder import Holder as DomainHolder
from hub.domain.identifier import CertificateIdentifier
from hub.domain.qr_text import QrText
from hub.domain.strict_json import Json
from hub.errors import Reason
from hub.proof.encoding import b64u
from hub.proof.exchange.request import CERTIFICATES_MAX, CopyPurpose, Holder, RequestedCertificate
from hub.proof.moment import iso_time
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind as ProofKind
from hub.proof.reports.report import StepName
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify

SPOOL_BYTES: Final = 1024 * 1024
_COMPACT_DATE: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` of the answer, and the proof of what was exchanged; no proof where nothing was."""

    data: dict[str, Json] = field(repr=False)
    proof: Proof | None = None
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document that came whole and was verified; `file` is read from its beginning, and closed by
    whoever hands it out."""

    file: IO[bytes] = field(repr=False)
    name: str
    media_type: str
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Codes of results, how large a file may be that is sent to be verified, and how many days a
    copy may be used."""

    results: Mapping[str, int]
    file_bytes_max: int
    copy_days: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an account, its purpose read and allowed."""

    account: Account
    purpose: Purpose
    data: Mapping[str, Json] = field(repr=False)
    hub: HubCalls
    limits: Limits

    def check_document(self, type_code: str) -> None:
        """The account may have documents of a type. Raises FacadeRefusedError."""
        if DOCUMENT_FIELD not in self.fields(type_code):
            raise forbidden("DOCUMENT_NOT_ALLOWED", "无获取该类型证照文件的权限", "documents")

    def face(self, type_code: str) -> tuple[str, ...]:
        """As `fields`, without the document. Raises FacadeRefusedError where nothing is left."""
        fields = tuple(name for name in self.fields(type_code) if name != DOCUMENT_FIELD)
        if not fields:
            raise forbidden("FIELD_NOT_ALLOWED", "无获取该类型照面项的权限", "fields")
        return fields

    def fields(self, type_code: str) -> tuple[str, ...]:
        """The fields of a type that the account may have. Raises FacadeRefusedError."""
        fields = self.account.types.get(type_code)
        if fields is None:
            raise forbidden("TYPE_NOT_ALLOWED", "无访问该证照类型的权限", "the type")
        return tuple(fields)

    def question(self, *certificates: RequestedCertificate) -> Question:
        """The question to the hub, signed by the facade and for the account."""
        return Question(
            certificates=certificates,
            service_item=self.purpose.item,
            matter=self.purpose.matter or f"facade/{uuid.uuid4()}",
            basis=self.account.basis,
            clerk=self.account.name,
            act=f"{self.account.name}/causes/{self.purpose.digest}",
        )

    def by_holder(
        self, type_code: str, holder: DomainHolder, fields: tuple[str, ...]
    ) -> RequestedCertificate:
        named = Holder(holder.type, holder.number)
        return RequestedCertificate(self.vct(type_code), fields, holder=named)

    def by_identifier(self, identifier: CertificateIdentifier) -> RequestedCertificate:
        fields = self.face(identifier.type_code)
        return RequestedCertificate(self.vct(identifier.type_code), fields, cert=str(identifier))

    def vct(self, type_code: str) -> str:
        return f"https://{self.hub.origin}/vct/{type_code}"


def run(
    operation: Operation, account: Account, data: Mapping[str, Json], hub: HubCalls, limits: Limits
) -> Answer:
    """Do `operation`. Raises FacadeRefusedError, HubRefusedError, HubError and ProofError."""
    purpose = check_call(operation, account, data)
    return _OPERATIONS[operation](Asked(account, purpose, data, hub, limits))


def check_call(operation: Operation, account: Account, data: Mapping[str, Json]) -> Purpose:
    """The purpose of a call that the account may make. Raises FacadeRefusedError."""
    if operation not in account.operations:
        raise forbidden("OPERATION_NOT_ALLOWED", "未获得该接口的授权", "the operation")
    purpose = read_purpose(data)
    if purpose.item not in account.items:
        raise forbidden("ITEM_NOT_ALLOWED", "未获得该事项的用证授权", "the service item")
    return purpose


def check_promise(account: Account, data: Mapping[str, Json]) -> None:
    """Of a call for an address, what can be said without the hub. Raises FacadeRefusedError."""
    check_call(Operation.ADDRESS, account, data)
    if DOCUMENT_FIELD not in account.types.get(read_identifier(data).type_code, ()):
        raise forbidden("DOCUMENT_NOT_ALLOWED", "无获取该类型证照文件的权限", "documents")
    read_file_type(data)


def _retrieve(asked: Asked) -> Answer:
    """Identifiers of what the holder has in force, found with the least of fields."""
    type_code = read_type(asked.data)
    fields = asked.face(type_code)[:1]
    wanted = asked.by_holder(type_code, read_holder(asked.data), fields)
    try:
        found, proof = asked.hub.fetch(asked.question(wanted))
    except HubRefusedError as refusal:
        listed: list[Json] = [*_by_themselves(refusal)]
        return Answer({"certificateIdentifiers": listed})
    check_state(found[0].state)
    return Answer({"certificateIdentifiers": [found[0].identifier]}, proof)


def _data_by_holder(asked: Asked) -> Answer:
    """The data of every certificate of a type that the holder has in force."""
    type_code = read_type(asked.data)
    wanted = asked.by_holder(type_code, read_holder(asked.data), asked.face(type_code))
    try:
        found, proof = asked.hub.fetch(asked.question(wanted))
    except HubRefusedError as refusal:
        identifiers = [
            CertificateIdentifier.parse(text, lenient=True) for text in _by_themselves(refusal)
        ]
        wanted_ones = [asked.by_identifier(one) for one in identifiers]
        found, proof = asked.hub.fetch(asked.question(*wanted_ones))
    return _data_answer(asked, found, proof)


def _data(asked: Asked) -> Answer:
    """The data of one certificate."""
    wanted = asked.by_identifier(read_identifier(asked.data))
    return _data_answer(asked, *asked.hub.fetch(asked.question(wanted)))


def _by_qr(asked: Asked) -> Answer:
    """As `_data`, for the identifier that a scanned code holds.

    A code of this hub's own forms is verified: it names the place that the seal names, and one that
    is signed is its issuer's, by the certificates pinned here. It may still stand on a forged
    paper.
    """
    code = read_qr(asked.data, asked.hub.origin)
    is_verified = code.place is not None
    if code.signed:
        is_verified = _check_signed(code.signed, asked.hub.trust)
    found, proof = asked.hub.fetch(asked.question(asked.by_identifier(code.identifier)))
    answer = _data_answer(asked, found, proof)
    if code.place is not None and code.place != _qr_text(asked, found[0]):
        raise FacadeRefusedError(
            Kind.INVALID,
            "QRCODE_DIFFERS",
            "二维码与该证照不符",
            "the code is not that of this certificate",
        )
    return Answer({**answer.data, "qrcodeVerified": is_verified}, answer.proof)


def _check_signed(text: str, trust: Trust) -> bool:
    """Whether a pinned issuer has signed the code; False where that cannot be checked.

    Days and status are those that the hub answers. Raises FacadeRefusedError.
    """
    report = verify(text.encode(), ProofKind.FACE_CODE, trust, Evidence(now=int(time.time())))
    judged = [one for one in report.steps if one.name in (StepName.CODE, StepName.SIGNER_KEY)]
    for step in judged:
        if step.verdict is Verdict.INVALID and step.outcome is not None:
            raise FacadeRefusedError(
                Kind.INVALID, "QRCODE_INVALID", step.outcome.zh, step.outcome.en
            )
    return all(step.verdict is Verdict.VALID for step in judged)


def _file(asked: Asked) -> Answer:
    """A copy for the cause that the caller names, or, of a type without a face, the document on
    file; whole and verified before anything leaves."""
    identifier, media_type = read_identifier(asked.data), read_file_type(asked.data)
    asked.check_document(identifier.type_code)
    wanted = document_of(asked.vct(identifier.type_code), str(identifier))
    # Small ones stay in memory; of larger ones the disk has bytes without a name.
    file = SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - whoever hands it out closes it
    try:
        purpose = CopyPurpose(
            asked.purpose.cause, int(time.time()) + asked.limits.copy_days * 86_400
        )
        fetched, proof = asked.hub.fetch_document(asked.question(wanted), media_type, file, purpose)
        check_state(fetched.said.state)
        kind, digest = fetched.came.media_type, fetched.came.digest
        if kind is None or digest is None:
            raise FacadeRefusedError(
                Kind.ABSENT,
                "DOCUMENT_NOT_ON_FILE",
                "该证照没有可下载的文件",
                "the certificate has no document of this kind on file",
            )
    except BaseException:
        file.close()
        raise
    file.seek(0)
    data: dict[str, Json] = {
        "certificateIdentifier": str(identifier),
        "contentType": "base64",
        "mediaType": kind,
        "size": fetched.came.size,
        "digest": digest,
        "origin": fetched.said.origin or "system",
        "trustGrade": fetched.trust_grade,
        "annotated": bool(fetched.copy),
        # The seals inside of it are its reader's to check.
        "signatureChecked": False,
    }
    if fetched.copy:
        data["annotatedCopy"] = fetched.copy
        data["copyExpireTime"] = iso_time(purpose.until)
    if fetched.objected:
        data["objectedFields"] = list(fetched.objected)
    ending = next(ending for ending, one in FILE_TYPES.items() if one == kind)
    return Answer(data, proof, Document(file, f"{identifier}.{ending}", kind, digest))


def _verify_file(asked: Asked) -> Answer:
    """Whether a file is a document on file, byte for byte; its own seals are not looked at."""
    content = read_content(asked.data, asked.limits.file_bytes_max)
    identifier = read_identifier(asked.data) if has_any(asked.data, IDENTIFIER) else None
    type_code = read_type(asked.data) if identifier is None else identifier.type_code
    asked.check_document(type_code)
    values: dict[str, Json] = {DOCUMENT_FIELD: b64u(sha256(content).digest())}
    wanted = RequestedCertificate(
        asked.vct(type_code), (DOCUMENT_FIELD,), cert=str(identifier) if identifier else None
    )
    result, proof = asked.hub.verify(asked.question(wanted), values)
    answer = _result(asked, f"file_{result}", proof)
    return Answer({**answer.data, "signatureChecked": False}, answer.proof)


def _verify(asked: Asked) -> Answer:
    """Whether what is stated is right; what cannot be compared is refused, never passed over."""
    stated = read_stated(asked.data)
    place: dict[str, Json] = dict(asked.data)
    place |= {name: stated.pop(name) for name in _PLACES if name in stated}
    if not has_any(place, IDENTIFIER) and not (
        has_any(place, HOLDER_NUMBER) and has_any(place, HOLDER_TYPE)
    ):
        return _result(asked, "insufficient")
    if has_any(place, IDENTIFIER):
        identifier = read_identifier(place)
        type_code = identifier.type_code
        if has_any(place, TYPE) and read_type(place) != type_code:
            raise invalid(TYPE[0], "证照类型代码与证照标识不一致", "is not that of the identifier")
    else:
        identifier, type_code = None, read_type(place)
    allowed = asked.fields(type_code)
    values = _face_values(stated, asked.hub.certificate_type(type_code))
    if not values:
        return _result(asked, "insufficient")
    if not set(values) <= set(allowed):
        raise forbidden("FIELD_NOT_ALLOWED", "无核验所列照面项的权限", "a field")
    fields = tuple(sorted(values))
    if identifier is None:
        wanted = asked.by_holder(type_code, read_holder(place), fields)
    else:
        vct = f"https://{asked.hub.origin}/vct/{type_code}"
        wanted = RequestedCertificate(vct, fields, cert=str(identifier))
    result, proof = asked.hub.verify(asked.question(wanted), values)
    return _result(asked, result, proof)


def _dictionary(asked: Asked) -> Answer:
    """The fields on the face of a type. Public: nothing of a certificate is asked."""
    type_code = read_type(asked.data)
    asked.fields(type_code)
    certificate_type = asked.hub.certificate_type(type_code)
    fields: list[Json] = [
        {
            "columnName": one.name,
            "name": one.label,
            "valueType": one.type.value,
            "required": one.required,
            "orderNum": one.order,
        }
        for one in certificate_type.fields
    ]
    return Answer(
        {"certTypeCode": type_code, "certTypeName": certificate_type.name, "certRemark": fields}
    )


def _data_answer(asked: Asked, found: list[Found], proof: Proof) -> Answer:
    for one in found:
        check_state(one.state)
    certificates: list[Json] = [_cert_data(asked, one) for one in found]
    return Answer({"certData": certificates}, proof)


def _cert_data(asked: Asked, found: Found) -> dict[str, Json]:
    """One certificate as callers know it; members that nobody sealed are not there."""
    assert found.presentation is not None, "a certificate in force comes with its data"
    record, disclosed = found.presentation.record, found.presentation.disclosed
    type_code = record.vct.rpartition("/")[2]
    certificate_type = asked.hub.certificate_type(type_code, record.type_version)
    data: dict[str, Json] = {
        "certificateIdentifier": record.cert,
        "certificateVersion": f"{record.version:03d}",
        "certificateTypeCode": type_code,
        "certificateType": certificate_type.name,
        "issueDeptCode": record.iss,
        "custody": record.custody.value,
        "origin": found.presentation.origin.value,
        "trustGrade": found.presentation.grade.value,
        "qrcode": str(_qr_text(asked, found)),
    }
    if found.objected:
        data["objectedFields"] = list(found.objected)
    if "holder_number" in disclosed:
        data["certificateHolderTypeCode"] = disclosed["holder_type"]
        data["certificateHolderCode"] = disclosed["holder_number"]
    data["surface"] = [
        {
            "name": one.label,
            "value": disclosed[one.name],
            "valueType": one.type.value,
            "columnName": one.name,
            "orderNum": one.order,
        }
        for one in certificate_type.fields
        if one.name in disclosed
    ]
    return data


def _qr_text(asked: Asked, found: Found) -> QrText:
    """The code that belongs on the face of a certificate, as its seal has it."""
    assert found.presentation is not None, "a certificate in force comes with its data"
    record = found.presentation.record
    return QrText.of_status(asked.hub.origin, record.cert, record.status.uri, record.status.idx)


def _face_values(stated: Mapping[str, Json], known: CertificateType) -> dict[str, Json]:
    """`stated` by the names of the type's fields; labels count as names, 20260131 as a date."""
    by_label = {one.label: one for one in known.fields}
    by_name = {one.name: one for one in known.fields}
    values: dict[str, Json] = {}
    for number, (name, value) in enumerate(stated.items(), start=1):
        one = by_name.get(name) or by_label.get(name)
        if one is None or one.name in values:
            # The name might be anything: it is not repeated.
            raise invalid(
                "certData", f"certData 第 {number} 项不是该类型的照面项，无法核验", "no field"
            )
        if one.type is FieldType.DATE and isinstance(value, str) and _COMPACT_DATE.fullmatch(value):
            value = f"{value[:4]}-{value[4:6]}-{value[6:]}"  # noqa: PLW2901 - one spelling
        values[one.name] = value
    return values


def _result(asked: Asked, result: str, proof: Proof | None = None) -> Answer:
    return Answer(
        {"result": asked.limits.results[result], "resultMessage": RESULT_TEXTS[result]}, proof
    )


def _by_themselves(refusal: HubRefusedError) -> list[str]:
    """The identifiers by which the hub wants the holder's certificates to be asked for."""
    if refusal.reason not in (Reason.CERTIFICATE_AMBIGUOUS, Reason.HOLDER_LINKED):
        raise refusal
    return refusal.details.get("identifiers", "").split()[:CERTIFICATES_MAX]


def check_state(state: str) -> None:
    """Nothing of a certificate that is not in force is shown. Raises FacadeRefusedError."""
    if state == "active":
        return
    kind, zh = _STATES.get(state, (Kind.ENDED, "证照已废止或已注销"))
    reason = "CERTIFICATE_" + state.upper()
    raise FacadeRefusedError(kind, reason, zh, f"the certificate is {state}")


def forbidden(reason: str, zh: str, en: str) -> FacadeRefusedError:
    """What the account may not have."""
    return FacadeRefusedError(Kind.FORBIDDEN, reason, zh, f"the account may not have {en}")


_PLACES: Final = (*HOLDER_NUMBER, *HOLDER_TYPE, *TYPE, *IDENTIFIER)
_STATES: Final = {
    "absent": (Kind.ABSENT, "未找到匹配的证照"),
    "expired": (Kind.EXPIRED, "证照已过期"),
    "suspended": (Kind.RESTRICTED, "证照已受限使用"),
    "not_yet_in_force": (Kind.RESTRICTED, "证照尚未生效"),
}
_OPERATIONS: Final[Mapping[Operation, Callable[[Asked], Answer]]] = {
    Operation.RETRIEVE: _retrieve,
    Operation.DATA_BY_HOLDER: _data_by_holder,
    Operation.DATA: _data,
    Operation.FILE: _file,
    # What is asked of the hub when somebody comes to the address.
    Operation.ADDRESS: _file,
    Operation.QR: _by_qr,
    Operation.VERIFY: _verify,
    Operation.VERIFY_FILE: _verify_file,
    Operation.DICTIONARY: _dictionary,
}
