"""What a sealed file says about its certificate beside its looks (GB/T 36903, GB/T 36905).

Names are the pinyin initials that deployed systems use for GB/T 36903; the placement of 36905 could
not be compared with its text (docs/formats/face-template.md).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.clock import CHINA
from hub.domain.certificate_type import CertificateType
from hub.domain.face import CopyTerms
from hub.domain.holder import HOLDER_TYPES
from hub.domain.strict_json import Json
from hub.proof.faces.facts import (
    CODE_ITEM,
    COPY_ITEM,
    EXPIRE_ITEM,
    FACE_ITEM,
    IDENTIFIER_ITEM,
    MADE_ITEM,
    MAKER_ITEM,
    PURPOSE_ITEM,
    RECIPIENT_ITEM,
)
from hub.seal.faces.layout import Issuance
from hub.seal.faces.writing import Way, written


@dataclass(frozen=True, slots=True)
class Metadata:
    """Title of the file and its items by short name, in their order; `created` is seconds UTC."""

    title: str
    author: str
    created: int
    items: Mapping[str, str] = field(repr=False)


def metadata(
    certificate_type: CertificateType,
    fields: Mapping[str, Json],
    issuance: Issuance,
    *,
    code: str,
    face: str,
    created: int,
    annotated: CopyTerms | None = None,
) -> Metadata:
    """The items of one certificate's file, those without value left out: a certificate without end
    has no ZZYXQJZRQ. Fields of the type stand under their short names."""
    holders = issuance.holders
    items = {
        "ZZMC": certificate_type.name,
        "ZZLXMC": certificate_type.name,
        "ZZLXDM": certificate_type.code,
        "ZZBH": issuance.number,
        IDENTIFIER_ITEM: issuance.identifier,
        "ZZBFJG": issuance.authority_title,
        "ZZBFJGDM": issuance.authority_uscc,
        "ZZBFRQ": issuance.issue_date.replace("-", ""),
        "CZZTDM": "^".join(number for _, number in holders),
        "CZZTDMLX": "^".join(HOLDER_TYPES[kind].zh for kind, _ in holders),
        "CZZTDMLXDM": "^".join(kind for kind, _ in holders),
        "ZZYXQQSRQ": issuance.valid_from.replace("-", ""),
        "ZZYXQJZRQ": issuance.valid_until.replace("-", ""),
    }
    for one in certificate_type.fields:
        value = fields.get(one.name)
        if one.short_name and one.short_name not in items and value is not None:
            items[one.short_name] = written(value, Way.TEXT)
    if annotated is not None:
        items |= {
            MADE_ITEM: _moment(annotated.made_time_us),
            MAKER_ITEM: annotated.maker,
            PURPOSE_ITEM: annotated.purpose,
            EXPIRE_ITEM: _moment(annotated.expire_time_us),
            RECIPIENT_ITEM: annotated.recipient,
            COPY_ITEM: annotated.name,
        }
    items |= {CODE_ITEM: code, FACE_ITEM: face}
    kept = {name: value for name, value in items.items() if value}
    return Metadata(certificate_type.name, issuance.authority_title, created, kept)


def _moment(time_us: int) -> str:
    """`YYYYMMDDhhmmss` in China's time."""
    moment = datetime.datetime.fromtimestamp(time_us // 1_000_000, CHINA)
    return moment.strftime("%Y%m%d%H%M%S")
