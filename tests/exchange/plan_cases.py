"""Generated matters, and a second, naïve reading of the rules to hold a plan against.

The reading follows the words of the documents, one (item, material, holder) at a time, and shares
no code with `hub.exchange.plan` beyond the values that both speak of.
"""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias, TypeVar

from hub.domain.certificate import State
from hub.domain.certificate_type import Sharing
from hub.domain.document import Level
from hub.domain.on_file import OnFile
from hub.domain.service_item import (
    All,
    Any,
    Compare,
    Condition,
    Fact,
    Grade,
    Material,
    Not,
    Role,
    ServiceItem,
)
from hub.exchange.grants import Grant
from hub.exchange.plan import (
    Mandate,
    Matter,
    Obstacle,
    Outcome,
    Planned,
    Rights,
    TypeFacts,
    plan,
    wanted,
)

TODAY: Final = datetime.date(2026, 3, 2)
NOW_US: Final = 1_772_400_000_000_000
TYPES: Final = ("T1", "T2", "T3", "T4")
ITEMS: Final = ("ITEM-A", "ITEM-B", "ITEM-C")
FIELDS: Final = ("name", "scope", "address")
PEOPLE: Final = ("0", "1", "2")
STOCK: Final = 5_000
AREAS: Final = ("zone", "parcel")
ROLES: Final = (Role.APPLICANT, Role.COMPANY, Role.CO_OWNER, Role.AGENT, Role.AREA)

T = TypeVar("T")
OnFileMap: TypeAlias = "dict[tuple[str, str], list[OnFile]]"
PlanRule: TypeAlias = (
    "Callable[[Matter, Rights, Mapping[tuple[str, str], Sequence[OnFile]]], tuple[Planned, ...]]"
)
Demand: TypeAlias = "tuple[ServiceItem, Material, str]"


@dataclass(frozen=True)
class Case:
    """One generated situation; `facts` say what the catalogue knows of each type."""

    matter: Matter
    grants: tuple[Grant, ...]
    facts: dict[str, TypeFacts]
    on_file: OnFileMap

    @property
    def rights(self) -> Rights:
        by_type: dict[str, list[Grant]] = {}
        for grant in self.grants:
            by_type.setdefault(grant.type_code, []).append(grant)
        return Rights(by_type, NOW_US, self.facts.__getitem__)


# ---- making cases ----


class Chance(random.Random):
    """Quick choices for a million cases; a little less even than the library's own."""

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]
        return seq[int(self.random() * len(seq))]

    def randint(self, a: int, b: int) -> int:
        return a + int(self.random() * (b - a + 1))

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """`count` different ones, in any order."""
        rest = list(things)
        return [rest.pop(int(self.random() * len(rest))) for _ in range(count)]


def make_case(chance: Chance) -> Case:
    """One situation, near the edges of every rule."""
    facts: dict[str, TypeFacts] = {}
    for code in TYPES:
        # Cycles and types that succeed themselves are allowed: the catalogue may be wrong.
        successors = tuple(one for one in TYPES if chance.random() < 0.15)
        sharing = Sharing.NOT_SHARED if chance.random() < 0.1 else Sharing.CONDITIONAL
        facts[code] = TypeFacts(sharing, successors, chance.randint(1, 9))
    items = tuple(_item(chance, code) for code in ITEMS[: chance.randint(1, 3)])
    holders = {}
    for role in ROLES:
        if chance.random() < (0.25 if role is Role.AGENT else 0.85):
            several = role in (Role.CO_OWNER, Role.AREA)
            named = AREAS if role is Role.AREA else PEOPLE
            holders[role] = chance.some(named, chance.randint(1, 2 if several else 1))
    decision_date = TODAY + datetime.timedelta(days=chance.randint(0, 6))
    matter = Matter(
        items=items,
        holders=holders,
        facts={"area": chance.randint(0, 3), "kitchen": chance.random() < 0.5},
        today=TODAY,
        decision_date=decision_date,
        has_consent=chance.random() < 0.5,
        mandate=_mandate(chance) if chance.random() < 0.8 else None,
    )
    on_file: OnFileMap = {}
    for _ in range(chance.randint(0, 14)):
        person, code = chance.choice(PEOPLE + AREAS), chance.choice(TYPES)
        certificate = chance.choice(_certificates()[code])
        on_file.setdefault((person, code), []).append(certificate)
    grants = tuple([chance.choice(_grants()) for _ in range(chance.randint(0, 12))])
    return Case(matter, grants, facts, on_file)


# Grants and certificates are drawn from a stock: to make one costs as much as to judge a case.
@cache
def _grants() -> list[Grant]:
    return [_grant(Chance(f"grant {number}"), number) for number in range(STOCK)]


@cache
def _certificates() -> dict[str, list[OnFile]]:
    return {
        code: [
            _certificate(Chance(f"{code} {number}"), index * STOCK + number, code)
            for number in range(STOCK)
        ]
        for index, code in enumerate(TYPES)
    }


def _item(chance: Chance, code: str) -> ServiceItem:
    materials = tuple(_material(chance, f"m{index}") for index in range(chance.randint(1, 3)))
    return ServiceItem(code, 1, code, code, "x", (Level.COUNTY,), 5, "", "law", materials)


def _material(chance: Chance, name: str) -> Material:
    return Material(
        id=name,
        name=chance.choice(("form", "plan")),
        name_en="form",
        role=chance.choice(ROLES),
        types=tuple(chance.some(TYPES, chance.choice((0, 1, 1, 1, 1, 2, 2)))),
        grade_min=chance.choice(tuple(Grade)),
        fields=tuple(chance.some(FIELDS, chance.randint(0, 2))),
        age_days_max=chance.choice((None, None, 5, 30)),
        condition=_condition(chance, 2) if chance.random() < 0.4 else None,
        is_promisable=chance.random() < 0.25,
        deferrable_days=chance.choice((None, None, 1, 10)),
    )


def _condition(chance: Chance, depth: int) -> Condition:
    kind = chance.randint(0, 4 if depth else 1)
    match kind:
        case 0:
            return Compare("kitchen", (chance.choice((True, False, 1)),))
        case 1:
            return Compare("area", (), chance.randint(0, 3))
        case 2:
            return Not(_condition(chance, depth - 1))
        case 3:
            return All((_condition(chance, depth - 1), _condition(chance, depth - 1)))
    return Any((_condition(chance, depth - 1), _condition(chance, depth - 1)))


def _mandate(chance: Chance) -> Mandate:
    return Mandate(
        frozenset(chance.some(ITEMS, chance.randint(1, 3))),
        TODAY + datetime.timedelta(days=chance.randint(-3, 1)),
        TODAY + datetime.timedelta(days=chance.randint(0, 9)),
    )


def _certificate(chance: Chance, number: int, code: str) -> OnFile:
    issued = TODAY - datetime.timedelta(days=chance.choice((1, 4, 5, 6, 30, 400)))
    confirmed = issued + datetime.timedelta(days=chance.choice((0, 0, 1)))
    starts = TODAY + datetime.timedelta(days=chance.choice((-400, -400, 0, 3, 6)))
    ends = TODAY + datetime.timedelta(days=chance.choice((-1, 0, 3, 6, 400)))
    return OnFile(
        version_id=f"v{number}",
        identifier=f"C{number}",
        version=1,
        type_code=code,
        authority="authorities/market",
        state=State.ACTIVE if chance.random() < 0.8 else State.REVOKED,
        state_entry=number,
        issue_date=issued.isoformat(),
        confirm_date=confirmed.isoformat(),
        valid_from=starts.isoformat() if chance.random() < 0.5 else "",
        valid_until=ends.isoformat() if chance.random() < 0.5 else "",
        grade=chance.choice(tuple(Grade)),
        fields=frozenset(one for one in FIELDS if chance.random() < 0.9),
        is_gone=chance.random() < 0.15,
        objected=frozenset(one for one in (*FIELDS, "holder_number") if chance.random() < 0.05),
    )


def _grant(chance: Chance, number: int) -> Grant:
    return Grant(
        id=f"g{number}",
        recipient="systems/window-1",
        type_code=chance.choice(TYPES),
        fields=tuple(one for one in FIELDS if chance.random() < 0.9),
        service_items=tuple(chance.some(ITEMS, chance.choice((1, 2, 3, 3)))),
        legal_basis="law",
        start_us=NOW_US + chance.choice((-10, -10, -10, -10, 0, 1)),
        expire_us=NOW_US + chance.choice((10, 10, 10, 10, 1, 0)),
        consent_required=chance.random() < 0.3,
        calls_per_day_max=0,
        create_entry=0,
        create_us=number,
        revoke_us=NOW_US - 1 if chance.random() < 0.1 else 0,
    )


# ---- the second reading ----


def is_needed(condition: Condition | None, facts: Mapping[str, Fact]) -> bool:
    """Whether a condition holds; a number is never a yes."""
    if condition is None:
        return True
    if isinstance(condition, Compare):
        fact = facts[condition.fact]
        if condition.least is not None:
            return not isinstance(fact, bool) and isinstance(fact, int) and fact >= condition.least
        return repr(fact) in [repr(value) for value in condition.values]
    if isinstance(condition, Not):
        return not is_needed(condition.part, facts)
    answers = [is_needed(part, facts) for part in condition.parts]
    return False not in answers if isinstance(condition, All) else True in answers


def demands(case: Case) -> list[Demand]:
    """Every (item, material, holder) of the matter; nobody acts where no agent is named."""
    found = []
    for item in case.matter.items:
        for material in item.materials:
            if is_needed(material.condition, case.matter.facts):
                people = case.matter.holders.get(material.role)
                if people and material.role is Role.AREA:
                    # The first stands for all: any of them will do.
                    found.append((item, material, people[0]))
                elif people:
                    found += [(item, material, person) for person in people]
                elif material.role is not Role.AGENT:
                    found.append((item, material, ""))
    return found


def replacements(code: str, facts: Mapping[str, TypeFacts]) -> set[str]:
    """A type and whatever replaced it, however often."""
    reached, grew = {code}, True
    while grew:
        more = {after for one in reached for after in facts[one].successors}
        grew = not more <= reached
        reached |= more
    return reached


def is_allowed(case: Case, item: ServiceItem, material: Material, code: str) -> bool:
    """Whether this type may be looked for: sharing, mandate, and one grant for everything."""
    matter = case.matter
    if case.facts[code].sharing is Sharing.NOT_SHARED:
        return False
    if matter.holders.get(Role.AGENT):
        mandate = matter.mandate
        if mandate is None or item.code not in mandate.items:
            return False
        if mandate.start > TODAY or matter.decision_date > mandate.end:
            return False
    return any(
        grant.type_code == code
        and item.code in grant.service_items
        and grant.start_us <= NOW_US < grant.expire_us
        and not grant.revoke_us
        and all(name in grant.fields for name in material.fields)
        and (matter.has_consent or not grant.consent_required)
        for grant in case.grants
    )


def whose(case: Case, demand: Demand) -> list[str]:
    """Whose certificates serve: the person's, or those of any area of the matter."""
    _, material, person = demand
    if material.role is Role.AREA:
        return list(case.matter.holders.get(Role.AREA, ()))
    return [person] if person else []


def possible(case: Case, demand: Demand) -> list[OnFile]:
    """Certificates of the right person and type, of those that may be looked for."""
    item, material, _ = demand
    codes = {one for code in material.types for one in replacements(code, case.facts)}
    return [
        certificate
        for code in codes
        if is_allowed(case, item, material, code)
        for person in whose(case, demand)
        for certificate in case.on_file.get((person, code), [])
    ]


def needs_confirmation(certificate: OnFile, material: Material, day: datetime.date) -> bool | None:
    """Whether it would serve if its department confirmed it; None where it serves in no way."""
    date = day.isoformat()
    in_time = (not certificate.valid_from or certificate.valid_from <= date) and (
        not certificate.valid_until or date <= certificate.valid_until
    )
    if certificate.state is not State.ACTIVE or not in_time:
        return None
    if "ABCD".index(certificate.grade.value) > "ABCD".index(material.grade_min.value):
        return None
    if set(material.fields) - certificate.fields:
        return None
    if material.age_days_max is not None:
        latest = datetime.date.fromisoformat(certificate.confirm_date) + datetime.timedelta(
            days=material.age_days_max
        )
        if day > latest:
            return True
    doubted = certificate.objected & {*material.fields, "holder_number"}
    return certificate.is_gone or bool(doubted)


def expected(case: Case, demand: Demand) -> Outcome:
    """What becomes of one demand, looked at alone."""
    _, material, _ = demand
    words = [
        needs_confirmation(certificate, material, case.matter.decision_date)
        for certificate in possible(case, demand)
    ]
    if False in words:
        return Outcome.ON_FILE
    if True in words:
        return Outcome.OBTAINABLE
    if material.is_promisable:
        return Outcome.COMMITMENT
    return Outcome.ASK if material.deferrable_days is None else Outcome.DEFERRABLE


def thing(demand: Demand) -> tuple[str, object]:
    """What counts as the same material."""
    _, material, person = demand
    return person or material.role.value, frozenset(material.types) or material.name


# ---- holding one against the other ----


def check(case: Case, rule: PlanRule = plan) -> Counter[str]:
    """Everything that a plan promises, of one case. Raises AssertionError; counts what occurred."""
    all_demands = demands(case)
    planned = rule(case.matter, case.rights, case.on_file)
    alone = [expected(case, demand) for demand in all_demands]
    asked = {
        thing(demand)
        for demand, outcome in zip(all_demands, alone, strict=True)
        if outcome is Outcome.ASK
    }
    lines = {(use.item, use.material, line.holder): line for line in planned for use in line.uses}
    assert sum(len(line.uses) for line in planned) == len(lines) == len(all_demands)

    for demand, outcome in zip(all_demands, alone, strict=True):
        item, material, person = demand
        line = lines[item.code, material.id, person]
        if outcome in (Outcome.COMMITMENT, Outcome.DEFERRABLE) and thing(demand) in asked:
            outcome = Outcome.ASK  # noqa: PLW2901 - it must be brought anyway
        assert line.outcome is outcome, f"{outcome} expected, {line.outcome} planned"
        _check_line(case, demand, line)
    same = Counter(
        (thing(demand), lines[demand[0].code, demand[1].id, demand[2]].outcome)
        for demand in all_demands
    )
    per_line = Counter(
        (thing(next(one for one in all_demands if _is_use(one, line))), line.outcome)
        for line in planned
        if line.certificate is None
    )
    assert all(count == 1 for count in per_line.values()), "counted twice"
    assert set(per_line) <= set(same)
    _check_silence(case, planned, rule)
    return Counter(
        [line.outcome.value for line in planned]
        + [obstacle.value for line in planned for obstacle in line.obstacles]
    )


def _is_use(demand: Demand, line: Planned) -> bool:
    item, material, person = demand
    return person == line.holder and (item.code, material.id) in [
        (use.item, use.material) for use in line.uses
    ]


def _check_line(case: Case, demand: Demand, line: Planned) -> None:
    _, material, _ = demand
    day = case.matter.decision_date
    if line.outcome in (Outcome.ON_FILE, Outcome.OBTAINABLE):
        found = line.certificate
        assert found is not None
        assert found in possible(case, demand), "offers what may not be looked for"
        assert needs_confirmation(found, material, day) is (line.outcome is Outcome.OBTAINABLE)
    else:
        assert line.certificate is None
    if line.outcome is Outcome.OBTAINABLE:
        assert line.certificate is not None
        assert line.working_days == case.facts[line.certificate.type_code].evidence_days
    if line.outcome is Outcome.DEFERRABLE:
        assert line.due is not None
        assert material.deferrable_days is not None
        assert TODAY < line.due <= TODAY + datetime.timedelta(days=material.deferrable_days)
    assert bool(line.obstacles) is (line.outcome is not Outcome.ON_FILE), "no reason"


def _check_silence(case: Case, planned: tuple[Planned, ...], rule: PlanRule) -> None:
    """Nothing is looked for beyond the rights, and what stands there changes no answer."""
    looked = wanted(case.matter, case.rights)
    may: dict[tuple[str, str], set[str]] = {}
    for demand in demands(case):
        item, material, _ = demand
        for code in {one for first in material.types for one in replacements(first, case.facts)}:
            for person in whose(case, demand):
                if is_allowed(case, item, material, code):
                    may.setdefault((person, code), set()).update(material.fields)
    assert looked == may, "looks for other things than it may"
    allowed = {pair: found for pair, found in case.on_file.items() if pair in looked}
    if len(allowed) < len(case.on_file):
        assert rule(case.matter, case.rights, allowed) == planned, "tells what it may not"


EVERYTHING: Final = {one.value for one in Outcome} | {one.value for one in Obstacle}


def run(seed: int, cases: int) -> Counter[str]:
    """Check `cases` generated cases. The first that fails names itself by seed and number."""
    counted: Counter[str] = Counter()
    for number in range(cases):
        case = make_case(Chance(f"{seed}/{number}"))
        try:
            counted += check(case)
        except AssertionError as error:
            raise AssertionError(f"case {seed}/{number}: {error}") from error
    return counted
