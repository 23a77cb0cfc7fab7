"""Who holds a certificate: a type of GB/T 36903 Annex A and a number.

An area holds certificates too: what was assessed once for a development zone serves whoever builds
there (区域评估). Annex A has no types for areas; 901 and 902 are this hub's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.identifier import citizen_number_fault, parse_citizen_number, uscc_fault
from hub.domain.rules import violation
from hub.errors import HubError, Reason


class HolderKind(StrEnum):
    """What a holder is; `any` of a certificate type means persons and organisations."""

    PERSON = "person"
    ORGANISATION = "organisation"
    ANY = "any"
    AREA = "area"


# What these hold is no secret of anybody: its numbers are kept in clear and searchable.
PUBLIC_KINDS: Final = frozenset({HolderKind.ORGANISATION, HolderKind.AREA})


@dataclass(frozen=True, slots=True)
class HolderType:
    """One line of Annex A, or of our own."""

    code: str
    zh: str
    en: str
    kind: HolderKind

    @property
    def natural(self) -> bool:
        """Whether these are people."""
        return self.kind is HolderKind.PERSON


@dataclass(frozen=True, slots=True, repr=False)
class Holder:
    """A holder by type and normalised number; the number is checked when it is made.

    Raises HubError(HOLDER_INVALID), USCC_INVALID or CITIZEN_NUMBER_INVALID with the broken rule
    and without the number.
    """

    type: str
    number: str

    def __post_init__(self) -> None:
        rule = holder_fault(self.type, self.number)
        if rule is not None:
            raise _refused(rule)

    @property
    def kind(self) -> HolderKind:
        """Whether this is a person, an organisation or an area."""
        return HOLDER_TYPES[self.type].kind

    @property
    def natural(self) -> bool:
        """Whether this is a person, whose number nothing may show."""
        return self.kind is HolderKind.PERSON

    def __repr__(self) -> str:
        return f"Holder({self.type!r}, {'***' if self.natural else self.number!r})"


def holder_fault(type_code: str, number: str) -> str | None:
    """The rule that a normalised holder breaks, or None."""
    if type_code not in HOLDER_TYPES:
        return "holder.type"
    if type_code == "001":
        return uscc_fault(number)
    if type_code == "111":
        return citizen_number_fault(number)
    if type_code == "901":
        return None if _ZONE.fullmatch(number) else "holder.zone"
    if type_code == "902":
        return None if _PARCEL.fullmatch(number) else "holder.parcel"
    return None if _OTHER_NUMBER.fullmatch(number) else "holder.form"


def is_area(type_code: str) -> bool:
    """Whether a holder of this type, known or not, is an area: what it holds is public."""
    known = HOLDER_TYPES.get(type_code)
    return known is not None and known.kind is HolderKind.AREA


def may_hold(kind: HolderKind, holder_type: str) -> bool:
    """Whether certificates of a type that is held by `kind` may have such a holder."""
    held = HOLDER_TYPES[holder_type].kind
    return held is not HolderKind.AREA if kind is HolderKind.ANY else held is kind


def normalise_holder(type_code: str, text: str) -> tuple[Holder, tuple[str, ...]]:
    """The holder that `text` means, and the rules that changed its number.

    Full-width characters become half-width, outer space goes, letters become capitals; an old
    citizen number of 15 digits is converted (`citizen.from_15`). Raises as `Holder` does.
    """
    rules: list[str] = []
    number = text.translate(_HALF_WIDTH).strip()
    if number != text:
        rules.append("holder.width")
    if number != number.upper():
        number = number.upper()
        rules.append("holder.upper")
    if type_code == "111":
        citizen = parse_citizen_number(number, field="holder.number")
        number = citizen.number
        if citizen.converted:
            rules.append("citizen.from_15")
    return Holder(type_code, number), tuple(rules)


def _refused(rule: str) -> HubError:
    reason = {"uscc": Reason.USCC_INVALID, "citizen": Reason.CITIZEN_NUMBER_INVALID}.get(
        rule.partition(".")[0], Reason.HOLDER_INVALID
    )
    field = "holder.type" if rule == "holder.type" else "holder.number"
    return HubError(reason, violations=(violation(field, rule),), field=field, rule=rule)


_TABLE: Final = (
    HolderType("001", "统一社会信用代码", "unified social credit code", HolderKind.ORGANISATION),
    HolderType(
        "099",
        "其他法人或其他组织有效证件代码",
        "other organisation document",
        HolderKind.ORGANISATION,
    ),
    HolderType("111", "公民身份号码", "citizen number", HolderKind.PERSON),
    HolderType("114", "中国人民解放军军官证编号", "PLA officer card", HolderKind.PERSON),
    HolderType(
        "115", "中国人民武装警察部队警官证编号", "armed police officer card", HolderKind.PERSON
    ),
    HolderType("118", "中国人民解放军士兵证编号", "PLA soldier card", HolderKind.PERSON),
    HolderType(
        "119", "中国人民武装警察部队士兵证编号", "armed police soldier card", HolderKind.PERSON
    ),
    HolderType("120", "中国人民解放军文职人员证编号", "PLA civilian staff card", HolderKind.PERSON),
    HolderType(
        "122", "中国人民武装警察部队文职人员证编号", "armed police civilian card", HolderKind.PERSON
    ),
    HolderType("411", "外交护照护照号", "diplomatic passport", HolderKind.PERSON),
    HolderType("412", "公务护照护照号", "service passport", HolderKind.PERSON),
    HolderType("413", "公务普通护照护照号", "passport for public affairs", HolderKind.PERSON),
    HolderType("414", "普通护照护照号", "ordinary passport", HolderKind.PERSON),
    HolderType("511", "台湾居民来往大陆通行证号码", "Taiwan residents' permit", HolderKind.PERSON),
    HolderType(
        "516",
        "港澳居民来往内地通行证号码",
        "Hong Kong and Macao residents' permit",
        HolderKind.PERSON,
    ),
    HolderType("999", "其他自然人有效证件代码", "other personal document", HolderKind.PERSON),
    HolderType("901", "区域代码", "code of a development zone or another area", HolderKind.AREA),
    HolderType("902", "宗地代码", "code of a parcel of land", HolderKind.AREA),
)
HOLDER_TYPES: Final = {holder_type.code: holder_type for holder_type in _TABLE}

# As the list of development zones writes it (国家级 G, 省级 S and six digits), or a local list.
_ZONE: Final = re.compile(r"[0-9A-Z]{4,24}")
# GB/T 37346: county, cadastral area and sub-area, two letters for the kind of right, a number.
_PARCEL: Final = re.compile(r"[0-9]{12}[A-Z]{2}[0-9]{5}")
_OTHER_NUMBER: Final = re.compile(r"[0-9A-Z\u4e00-\u9fff()·/-]{3,64}")

# Full-width ASCII and the ideographic space; deliberately not NFKC, which rewrites names as well.
_HALF_WIDTH: Final = {0x3000: " ", **{0xFF01 + i: chr(0x21 + i) for i in range(94)}}
