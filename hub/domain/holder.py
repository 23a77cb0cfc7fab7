"""Who holds a certificate: a type of GB/T 36903 Annex A and a number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hub.domain.identifier import citizen_number_fault, parse_citizen_number, uscc_fault
from hub.domain.rules import violation
from hub.errors import HubError, Reason


@dataclass(frozen=True, slots=True)
class HolderType:
    """One line of Annex A. `natural` tells people from organisations."""

    code: str
    zh: str
    en: str
    natural: bool


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
    def natural(self) -> bool:
        """Whether this is a person, whose number nothing may show."""
        return HOLDER_TYPES[self.type].natural

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
    return None if _OTHER_NUMBER.fullmatch(number) else "holder.form"


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
    HolderType("001", "统一社会信用代码", "unified social credit code", False),
    HolderType("099", "其他法人或其他组织有效证件代码", "other organisation document", False),
    HolderType("111", "公民身份号码", "citizen number", True),
    HolderType("114", "中国人民解放军军官证编号", "PLA officer card", True),
    HolderType("115", "中国人民武装警察部队警官证编号", "armed police officer card", True),
    HolderType("118", "中国人民解放军士兵证编号", "PLA soldier card", True),
    HolderType("119", "中国人民武装警察部队士兵证编号", "armed police soldier card", True),
    HolderType("120", "中国人民解放军文职人员证编号", "PLA civilian staff card", True),
    HolderType("122", "中国人民武装警察部队文职人员证编号", "armed police civilian card", True),
    HolderType("411", "外交护照护照号", "diplomatic passport", True),
    HolderType("412", "公务护照护照号", "service passport", True),
    HolderType("413", "公务普通护照护照号", "passport for public affairs", True),
    HolderType("414", "普通护照护照号", "ordinary passport", True),
    HolderType("511", "台湾居民来往大陆通行证号码", "Taiwan residents' permit", True),
    HolderType("516", "港澳居民来往内地通行证号码", "Hong Kong and Macao residents' permit", True),
    HolderType("999", "其他自然人有效证件代码", "other personal document", True),
)
HOLDER_TYPES: Final = {holder_type.code: holder_type for holder_type in _TABLE}

_OTHER_NUMBER: Final = re.compile(r"[0-9A-Z\u4e00-\u9fff()·/-]{3,64}")

# Full-width ASCII and the ideographic space; deliberately not NFKC, which rewrites names as well.
_HALF_WIDTH: Final = {0x3000: " ", **{0xFF01 + i: chr(0x21 + i) for i in range(94)}}
