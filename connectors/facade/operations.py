"""What each operation does: read, ask the hub, shape the answer as callers know it.

Runs in a worker thread. Base members of the standard's data that the seal does not hold (number,
dates) are left out, never made up.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.client import HubRefusedError
from connectors.facade.codes import RESULT_TEXTS, FacadeRefusedError, Kind
from connectors.facade.config import Account
from connectors.facade.hub_calls import Found, HubCalls, Proof, Question
from connectors.facade.questions import (
    HOLDER_NUMBER,
    HOLDER_TYPE,
    IDENTIFIER,
    TYPE,
    Operation,
    Purpose,
    has_any,
    invalid,
    read_holder,
    read_identifier,
    read_purpose,
    read_qr,
    read_stated,
    read_type,
)
from hub.domain.certificate_type import CertificateType, FieldType
from hub.domain.holder import Holder as DomainHolder
from hub.domain.identifier import CertificateIdentifier
from hub.domain.strict_json import Json
from hub.errors import Reason
from hub.proof.request import CERTIFICATES_MAX, Holder, RequestedCertificate

_COMPACT_DATE: Final = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` of the answer, and the proof of what was exchanged; no proof where nothing was."""

    data: dict[str, Json] = field(repr=False)
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an account, its purpose read and allowed."""

    account: Account
    purpose: Purpose
    data: Mapping[str, Json] = field(repr=False)
    hub: HubCalls
    results: Mapping[str, int]

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
        return RequestedCertificate(self._vct(type_code), fields, holder=named)

    def by_identifier(self, identifier: CertificateIdentifier) -> RequestedCertificate:
        fields = self.fields(identifier.type_code)
        return RequestedCertificate(self._vct(identifier.type_code), fields, cert=str(identifier))

    def _vct(self, type_code: str) -> str:
        return f"https://{self.hub.origin}/vct/{type_code}"


def run(
    operation: Operation,
    account: Account,
    data: Mapping[str, Json],
    hub: HubCalls,
    results: Mapping[str, int],
) -> Answer:
    """Do `operation`. Raises FacadeRefusedError, HubRefusedError and ProofError."""
    if operation not in account.operations:
        raise forbidden("OPERATION_NOT_ALLOWED", "未获得该接口的授权", "the operation")
    purpose = read_purpose(data)
    if purpose.item not in account.items:
        raise forbidden("ITEM_NOT_ALLOWED", "未获得该事项的用证授权", "the service item")
    work = _OPERATIONS.get(operation)
    if work is None:
        raise FacadeRefusedError(
            Kind.NOT_SERVED,
            "OPERATION_NOT_SERVED",
            "证照源未提供此服务接口",
            "this hub keeps no certificate files yet; ask for the data",
        )
    return work(Asked(account, purpose, data, hub, results))


def _retrieve(asked: Asked) -> Answer:
    """Identifiers of what the holder has in force, found with the least of fields."""
    type_code = read_type(asked.data)
    fields = asked.fields(type_code)[:1]
    wanted = asked.by_holder(type_code, read_holder(asked.data), fields)
    try:
        found, proof = asked.hub.fetch(asked.question(wanted))
    except HubRefusedError as refusal:
        listed: list[Json] = [*_by_themselves(refusal)]
        return Answer({"certificateIdentifiers": listed})
    _check_state(found[0])
    return Answer({"certificateIdentifiers": [found[0].identifier]}, proof)


def _data_by_holder(asked: Asked) -> Answer:
    """The data of every certificate of a type that the holder has in force."""
    type_code = read_type(asked.data)
    wanted = asked.by_holder(type_code, read_holder(asked.data), asked.fields(type_code))
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
    """As `_data`, for the identifier that a scanned code holds."""
    wanted = asked.by_identifier(read_qr(asked.data))
    answer = _data_answer(asked, *asked.hub.fetch(asked.question(wanted)))
    # The text was only read: a genuine code may stand on a forged paper.
    return Answer({**answer.data, "qrcodeVerified": False}, answer.proof)


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
        _check_state(one)
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
    }
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
    return Answer({"result": asked.results[result], "resultMessage": RESULT_TEXTS[result]}, proof)


def _by_themselves(refusal: HubRefusedError) -> list[str]:
    """The identifiers by which the hub wants the holder's certificates to be asked for."""
    if refusal.reason not in (Reason.CERTIFICATE_AMBIGUOUS, Reason.HOLDER_LINKED):
        raise refusal
    return refusal.details.get("identifiers", "").split()[:CERTIFICATES_MAX]


def _check_state(found: Found) -> None:
    """Nothing of a certificate that is not in force is shown. Raises FacadeRefusedError."""
    if found.state == "active":
        return
    kind, zh = _STATES.get(found.state, (Kind.ENDED, "证照已废止或已注销"))
    reason = "CERTIFICATE_" + found.state.upper()
    raise FacadeRefusedError(kind, reason, zh, f"the certificate is {found.state}")


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
    Operation.QR: _by_qr,
    Operation.VERIFY: _verify,
    Operation.DICTIONARY: _dictionary,
}
