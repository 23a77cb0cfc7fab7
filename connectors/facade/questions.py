"""What a caller sent, read strictly: the envelope, the purpose, and the names used for one thing.

Deployments spell the same member in several ways; each is taken in every spelling seen.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from connectors.facade.codes import FacadeRefusedError, Kind
from hub.domain.holder import HOLDER_TYPES, Holder, normalise_holder
from hub.domain.identifier import CertificateIdentifier, citizen_number_fault, type_code_fault
from hub.domain.qr_text import SCHEME, QrText
from hub.domain.strict_json import Json, NotStrictJsonError, emit, parse_object
from hub.errors import HubError
from hub.proof.encoding import digest
from hub.proof.faces.code import PREFIX as SIGNED_PREFIX
from hub.proof.faces.code import read_face_code
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError

_CHINA: Final = timezone(timedelta(hours=8))
PURPOSE_LENGTH_MAX: Final = 200
TEXT_LENGTH_MAX: Final = 4_000
VALUES_MAX: Final = 64


class Operation(StrEnum):
    """The operations by the names that callers know."""

    TOKEN = "getToken"  # noqa: S105 - a name
    RETRIEVE = "getDataByHolder"
    DATA_BY_HOLDER = "queryCertInfoByHolderCode"
    DATA = "queryCertInfo"
    FILE = "downloadFile"
    ADDRESS = "downloadUrl"
    VERIFY = "verifyCertInfo"
    VERIFY_FILE = "verifyFile"
    QR = "queryCertInfoByQRcode"
    DICTIONARY = "getCertRemarkInfo"


HOLDER_NUMBER: Final = ("holderCode", "certificateHolderCode")
HOLDER_TYPE: Final = ("holderTypeCode", "certificateHolderTypeCode", "certificateHolderType")
TYPE: Final = ("certTypeCode", "certificateTypeCode", "certificateType")
IDENTIFIER: Final = ("certIdentifier", "certificateIdentifier")

FILE_TYPES: Final = {
    "ofd": "application/ofd",
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "tif": "image/tiff",
    "tiff": "image/tiff",
}
"""Kinds of documents by the ending that callers ask for (GB/T 36905 practice), as media types."""

_IDENTIFIER_TEXT: Final = re.compile(
    r"1\.2\.156\.3005\.2(?:\.[0-9A-Z]{1,64}){3}\.[0-9]{3}\.[0-9A-Z](?![0-9A-Z.])"
)
_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,63}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """`{"head": {…}, "data": {…}}`."""

    access_id: str
    token: str = field(repr=False)
    data: Mapping[str, Json] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why it is asked. `digest` is that of the whole statement as the caller made it, `cause` what
    a copy is made for (certificateCopyCause)."""

    item: str
    matter: str | None
    digest: str
    cause: str


def read_envelope(body: bytes) -> Envelope:
    """The envelope of a call. Raises FacadeRefusedError."""
    try:
        members = parse_object(body)
    except NotStrictJsonError as error:
        raise invalid(
            "JSON", f"请求不是合法的 JSON 对象（{error.fault.value}）", str(error)
        ) from None
    head, data = members.get("head"), members.get("data")
    if not isinstance(head, dict) or not isinstance(data, dict):
        raise missing("head、data")
    access_id, token = head.get("accessId"), head.get("accessToken", "")
    if not isinstance(access_id, str) or not access_id:
        raise missing("head.accessId")
    if not isinstance(token, str) or len(access_id) > 128 or len(token) > 128:
        raise invalid("head", "accessId 或 accessToken 过长或不是文本", "too long or no text")
    return Envelope(access_id, token, data)


def read_purpose(data: Mapping[str, Json]) -> Purpose:
    """The purpose, which every call states. Raises FacadeRefusedError(USE_CAUSE_…)."""
    cause = data.get("useCause")
    if isinstance(cause, str) and cause.strip():
        try:
            cause = parse_object(cause.encode())
        except (NotStrictJsonError, UnicodeEncodeError):
            raise _use_cause("INVALID", "useCause 应为 JSON 对象") from None
    if not isinstance(cause, dict) or not cause:
        raise _use_cause("MISSING", "每次调用必须说明用证目的 useCause")
    for value in cause.values():
        if not isinstance(value, str) or len(value) > PURPOSE_LENGTH_MAX:
            raise _use_cause("INVALID", f"useCause 各项应为不超过 {PURPOSE_LENGTH_MAX} 字的文本")
    for name in (
        "certificateSystemName",
        "certificateCallCategory",
        "certificateEventCode",
        "certificateCopyCause",
    ):
        if not str(cause.get(name, "")).strip():
            raise _use_cause("MISSING", f"useCause 缺少 {name}")
    if cause["certificateCallCategory"] != "0":
        raise _use_cause("INVALID", "本枢纽仅受理与政务事项相关的调用（certificateCallCategory=0）")
    item = str(cause["certificateEventCode"])
    if _CODE.fullmatch(item) is None:
        raise _use_cause("INVALID", "certificateEventCode 不是事项编码")
    copied_for = str(cause["certificateCopyCause"])
    if not copied_for.isprintable():
        raise _use_cause("INVALID", "certificateCopyCause 含有控制字符")
    return Purpose(item, _matter(data), digest(emit(cause)), copied_for)


def _matter(data: Mapping[str, Json]) -> str | None:
    """The number of the matter (办件编号) where one is given; it goes into the ledger."""
    value = data.get("businessCode")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _CODE.fullmatch(value) is None:
        raise invalid("businessCode", "businessCode 不是办件编号", "is no number of a matter")
    if citizen_number_fault(value) is None:
        raise invalid("businessCode", "businessCode 不得为公民身份号码", "is a citizen number")
    return value


def read_type(data: Mapping[str, Json]) -> str:
    """The type code. Raises FacadeRefusedError."""
    code = _text(data, TYPE)
    if type_code_fault(code) is not None:
        raise FacadeRefusedError(
            Kind.TYPE_CODE,
            "TYPE_CODE_INVALID",
            "证照类型代码有误：应为21位，前18位为定义机构的统一社会信用代码",
            "the type code is wrong: 21 characters that begin with a credit code",
        )
    return code


def read_holder(data: Mapping[str, Json]) -> Holder:
    """The holder, normalised. Raises FacadeRefusedError, without the number."""
    number, kind = _text(data, HOLDER_NUMBER), _text(data, HOLDER_TYPE)
    if kind not in HOLDER_TYPES:
        raise FacadeRefusedError(
            Kind.HOLDER_TYPE,
            "HOLDER_INVALID",
            "持证主体代码类型不符合规范",
            "the holder's type is none of GB/T 36903",
        )
    try:
        return normalise_holder(kind, number)[0]
    except HubError as error:
        raise invalid(HOLDER_NUMBER[0], error.text("zh"), error.text("en")) from None


def read_identifier(data: Mapping[str, Json]) -> CertificateIdentifier:
    """The identifier. Raises FacadeRefusedError."""
    return _identifier(_text(data, IDENTIFIER))


@dataclass(frozen=True, slots=True)
class ScannedCode:
    """What a code's text holds: of one of this hub's forms also where the status stands, and
    `signed`, the text of one that is signed, whose signature was not looked at."""

    identifier: CertificateIdentifier
    place: QrText | None = None
    signed: str = field(default="", repr=False)


def read_qr(data: Mapping[str, Json], origin: str) -> ScannedCode:
    """The code that was scanned; of any form that is not ours whatever identifier is in it. Raises
    FacadeRefusedError."""
    text = _text(data, ("qrcode",))
    if text.startswith(SIGNED_PREFIX):
        try:
            code = read_face_code(text)
        except ProofError as error:
            reason = TEXTS[error.reason]
            raise invalid("qrcode", reason.zh, reason.en) from None
        if code.origin != origin:
            raise invalid("qrcode", "二维码属于另一个枢纽", "the code is of another hub")
        place = QrText(origin, code.identifier, code.status_list, code.status_place)
        return ScannedCode(_identifier(code.identifier), place, text)
    if text.startswith(SCHEME):
        try:
            place = QrText.parse(text, origin)
        except HubError as error:
            raise invalid("qrcode", error.text("zh"), error.text("en")) from None
        return ScannedCode(_identifier(place.identifier), place)
    found = _IDENTIFIER_TEXT.search(text)
    if found is None:
        raise invalid("qrcode", "二维码内容中没有电子证照标识", "the code holds no identifier")
    return ScannedCode(_identifier(found.group()))


def read_file_type(data: Mapping[str, Json]) -> str:
    """The media type that was asked for, empty for any. Raises FacadeRefusedError."""
    asked = data.get("fileType")
    if asked is None or asked == "":
        return ""
    known = FILE_TYPES.get(asked.lower()) if isinstance(asked, str) else None
    if known is None:
        names = "、".join(FILE_TYPES)
        raise invalid("fileType", f"fileType 应为 {names} 之一", "is none of the known kinds")
    return known


def read_lifetime(data: Mapping[str, Json], now: datetime, most_s: int) -> int:
    """Seconds until `expiryTime` (yyyyMMddHHmmss in China), at most `most_s`, which it is without
    one. Raises FacadeRefusedError where that time has passed."""
    asked = data.get("expiryTime")
    if asked is None or asked == "":
        return most_s
    try:
        end = datetime.strptime(str(asked), "%Y%m%d%H%M%S").replace(tzinfo=_CHINA)
    except ValueError:
        rule = "expiryTime 应为 yyyyMMddHHmmss"
        raise invalid("expiryTime", rule, "is no time of 14 digits") from None
    seconds = int((end - now).total_seconds())
    if seconds < 1:
        raise invalid("expiryTime", "expiryTime 早于当前时间", "has passed")
    return min(seconds, most_s)


def read_content(data: Mapping[str, Json], bytes_max: int) -> bytes:
    """The file that was sent to be verified. Raises FacadeRefusedError."""
    kind, content = data.get("contentType", "base64"), data.get("content")
    if kind != "base64":
        raise invalid("contentType", "contentType 只支持 base64", "is not base64")
    if not isinstance(content, str) or not content:
        raise missing("content")
    try:
        decoded = b64decode(content, validate=True)
    except ValueError:
        raise invalid("content", "content 不是合法的 base64", "is no base64") from None
    if len(decoded) > bytes_max:
        raise invalid("content", f"文件超过 {bytes_max} 字节", f"more than {bytes_max} bytes")
    return decoded


def read_stated(data: Mapping[str, Json]) -> dict[str, Json]:
    """`certData` of verify information, without empty values. Raises FacadeRefusedError."""
    stated = data.get("certData")
    if isinstance(stated, str) and stated.strip():
        try:
            stated = parse_object(stated.encode())
        except (NotStrictJsonError, UnicodeEncodeError):
            raise invalid("certData", "certData 应为 JSON 对象", "is no JSON object") from None
    if not isinstance(stated, dict):
        raise missing("certData")
    if len(stated) > VALUES_MAX:
        raise invalid("certData", f"certData 最多 {VALUES_MAX} 项", f"more than {VALUES_MAX}")
    for value in stated.values():
        if isinstance(value, dict | list) or (
            isinstance(value, str) and len(value) > TEXT_LENGTH_MAX
        ):
            raise invalid("certData", "certData 各项应为文本、整数或布尔值", "texts and integers")
    return {name: value for name, value in stated.items() if value is not None and value != ""}


def has_any(data: Mapping[str, Json], names: tuple[str, ...]) -> bool:
    """Whether a member was given in one of its spellings."""
    return any(data.get(name) not in (None, "") for name in names)


def missing(name: str) -> FacadeRefusedError:
    """A member that must be there."""
    return FacadeRefusedError(
        Kind.MISSING, "FIELD_MISSING", f"必填参数 {name} 为空", f"{name} is missing"
    )


def invalid(name: str, zh: str, en: str) -> FacadeRefusedError:
    """A member that breaks a rule; the texts never quote it."""
    return FacadeRefusedError(Kind.INVALID, "FIELD_INVALID", f"参数值错误：{zh}", f"{name}: {en}")


def _text(data: Mapping[str, Json], names: tuple[str, ...]) -> str:
    for name in names:
        value = data.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or len(value) > TEXT_LENGTH_MAX:
            raise invalid(name, f"{name} 应为文本且不超过 {TEXT_LENGTH_MAX} 字", "is no such text")
        return value
    raise missing(names[0])


def _identifier(text: str) -> CertificateIdentifier:
    try:
        return CertificateIdentifier.parse(text, lenient=True)
    except HubError as error:
        raise invalid(IDENTIFIER[0], error.text("zh"), error.text("en")) from None


def _use_cause(fault: str, zh: str) -> FacadeRefusedError:
    kind = Kind.MISSING if fault == "MISSING" else Kind.INVALID
    return FacadeRefusedError(
        kind,
        f"USE_CAUSE_{fault}",
        zh,
        "state in useCause: certificateSystemName, certificateCallCategory (0), "
        "certificateEventCode, certificateCopyCause, at most 200 characters each",
    )
