"""A generated city: certificates of companies and persons, lawful in every check digit.

No real person or company can be meant: the region 990000 is assigned to nobody. Certificate number
n is always the same, so a city of a million begins with the city of ten thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from hub.domain.identifier import (
    citizen_check_character,
    organisation_check_character,
    uscc_check_character,
)

REGION: Final = "990000"
DEFINER: Final = "11100000MB0143028R"

# Suffix of the type code, share in a thousand, held by a company, years of validity (0: no end).
_TYPES: Final = (
    ("101", 170, True, 0),  # business licence
    ("102", 60, True, 5),  # food business
    ("103", 25, True, 5),  # tobacco retail
    ("104", 20, True, 5),  # road freight
    ("105", 15, True, 3),  # public place, hygiene
    ("106", 10, True, 0),  # construction start
    ("201", 210, False, 0),  # household register
    ("202", 160, False, 10),  # driving licence
    ("203", 120, False, 0),  # social security card
    ("204", 90, False, 0),  # marriage
    ("205", 60, False, 5),  # qualification
    ("206", 40, False, 0),  # senior card
    ("207", 20, False, 1),  # residence permit
)
_AUTHORITIES: Final = 40
_FIRST_BIRTH: Final = date(1940, 1, 1)
_BIRTH_DAYS: Final = 29_000
_SERIALS: Final = 999
_FIRST_ISSUE: Final = date(2012, 1, 1)
_ISSUE_DAYS: Final = 5_000
# Scatters what follows each other in the numbering over the whole city.
_STRIDE: Final = 7_919


@dataclass(frozen=True, slots=True)
class CityCertificate:
    """One certificate of the city, before it is sealed and stored."""

    number: int
    type_code: str
    authority: str
    holder_type: str
    holder: str
    certificate_number: str
    issue_date: str
    valid_until: str
    fields: tuple[tuple[str, str], ...]

    @property
    def is_personal(self) -> bool:
        """Whether a person holds it."""
        return self.holder_type == "111"


def company(number: int) -> str:
    """The credit code of company `number`, below a hundred million."""
    organisation = f"{number:08d}"
    seventeen = f"91{REGION}{organisation}{organisation_check_character(organisation)}"
    return seventeen + uscc_check_character(seventeen)


def citizen(number: int) -> str:
    """The citizen number of person `number`, below 28 million."""
    days, serial = number % _BIRTH_DAYS, number // _BIRTH_DAYS
    if serial >= _SERIALS:
        raise ValueError("the city has no more persons")
    birth = _FIRST_BIRTH + timedelta(days=days)
    seventeen = f"{REGION}{birth:%Y%m%d}{serial + 1:03d}"
    return seventeen + citizen_check_character(seventeen)


def certificates(count: int, first: int = 0) -> Iterator[CityCertificate]:
    """Certificates `first` to `first + count`, each the same in every city."""
    places = [kind for kind in _TYPES for _ in range(kind[1])]
    for number in range(first, first + count):
        suffix, _, by_company, years = places[number * _STRIDE % len(places)]
        # A company holds some two certificates, a person some three; a few hold many more.
        holder = number // 2 if by_company else number // 3
        holder = holder % 50 if number % 997 == 0 else holder
        issued = _FIRST_ISSUE + timedelta(days=number * _STRIDE % _ISSUE_DAYS)
        ends = issued + timedelta(days=365 * years) if years else None
        yield CityCertificate(
            number=number,
            type_code=f"{DEFINER}{suffix}",
            authority=f"authorities/bureau-{number * _STRIDE // 13 % _AUTHORITIES:02d}",
            holder_type="001" if by_company else "111",
            holder=company(holder) if by_company else citizen(holder),
            certificate_number=f"示{suffix}字第{number:09d}号",
            issue_date=issued.isoformat(),
            valid_until=ends.isoformat() if ends else "",
            fields=(
                ("name", f"示例{holder}有限公司" if by_company else f"示例{holder}"),
                ("address", f"示例市第{number % 97}大道{number % 1999}号"),
                ("scope", "批发、零售：食品、日用品；仓储服务（不含危险品）"),
                ("remark", f"第{number}号"),
            ),
        )
