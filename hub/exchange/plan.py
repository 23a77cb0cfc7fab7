"""What must the applicant still bring? The rule behind `PlanMaterials`; pure.

For each material of a matter the first of these that holds: it is on file and usable; its
department has it and can confirm it; a commitment may stand for it; it may follow later; it must be
asked for, with the reason in words that a clerk can read out (一次性告知). What no grant allows is
never looked at, so an answer tells nothing about it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.certificate import State, state_on
from hub.domain.certificate_type import EVIDENCE_DAYS, Sharing
from hub.domain.service_item import Fact, Grade, Material, Role, ServiceItem, facts_of, holds
from hub.errors import HubError, Reason, Text
from hub.exchange.grants import Grant, find_grant

ITEMS_MAX: Final = 16
HOLDERS_MAX: Final = 32
_SUCCESSIONS_MAX: Final = 8


class Outcome(StrEnum):
    """What becomes of a material, the best first."""

    ON_FILE = "on-file"
    OBTAINABLE = "obtainable"
    COMMITMENT = "commitment"
    DEFERRABLE = "deferrable"
    ASK = "ask"


class Obstacle(StrEnum):
    """Why a material is not on file and usable."""

    PAPER_ONLY = "paper-only"
    HOLDER_UNKNOWN = "holder-unknown"
    MANDATE_MISSING = "mandate-missing"
    NOT_SHARED = "not-shared"
    GRANT_MISSING = "grant-missing"
    CONSENT_MISSING = "consent-missing"
    ABSENT = "absent"
    NOT_IN_FORCE = "not-in-force"
    TRUST_TOO_LOW = "trust-too-low"
    FIELDS_MISSING = "fields-missing"
    STALE = "stale"
    GONE_AT_SOURCE = "gone-at-source"


OBSTACLES: Final[Mapping[Obstacle, Text]] = {
    Obstacle.PAPER_ONLY: Text(
        "No electronic certificate serves for this material.", "该材料没有可用的电子证照。"
    ),
    Obstacle.HOLDER_UNKNOWN: Text(
        "Whose certificate it is was not stated.", "未提供该材料对应的持证主体信息。"
    ),
    Obstacle.MANDATE_MISSING: Text(
        "The agent has no authorisation for these items on these days.",
        "代理人没有覆盖本事项和期限的授权委托。",
    ),
    Obstacle.NOT_SHARED: Text("Its department does not share it.", "该证照的主管部门未开放共享。"),
    Obstacle.GRANT_MISSING: Text(
        "The service window may not fetch it for these items.", "窗口未获授权为本事项调取该证照。"
    ),
    Obstacle.CONSENT_MISSING: Text(
        "The holder's consent is needed to fetch it.", "调取该证照需持证主体同意。"
    ),
    Obstacle.ABSENT: Text("It is not on file.", "证照库中没有该证照。"),
    Obstacle.NOT_IN_FORCE: Text(
        "The one on file is not in force on the day of the decision.",
        "库中证照在预计办结日不处于有效状态。",
    ),
    Obstacle.TRUST_TOO_LOW: Text(
        "The one on file is not trusted enough for this item.",
        "库中证照的可信等级未达到本事项要求。",
    ),
    Obstacle.FIELDS_MISSING: Text(
        "The one on file lacks a value that is needed.", "库中证照缺少所需的信息项。"
    ),
    Obstacle.STALE: Text(
        "The one on file was issued or confirmed too long ago.", "库中证照的签发或核实时间过久。"
    ),
    Obstacle.GONE_AT_SOURCE: Text(
        "Its department does not list it any more and must confirm it.",
        "主管部门的系统中已查不到该证照，需其核实。",
    ),
}


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What a plan needs of a certificate type. `successors` replaced it (多证合一);
    `evidence_days`: working days in which its department confirms one."""

    sharing: Sharing = Sharing.CONDITIONAL
    successors: tuple[str, ...] = ()
    evidence_days: int = EVIDENCE_DAYS


@dataclass(frozen=True, slots=True)
class OnFile:
    """A certificate on file. `state` is the stored one; dates are ISO, `valid_until` "" for long
    term; `confirm_date` is the later of issue and last confirmation; `fields` have a value."""

    identifier: str
    type_code: str
    authority: str
    state: State
    issue_date: str
    confirm_date: str
    valid_from: str
    valid_until: str
    grade: Grade
    fields: frozenset[str]
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Mandate:
    """An authorisation (授权委托): for these items, from and until these days, both included."""

    items: frozenset[str]
    start: datetime.date
    end: datetime.date


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter at hand. `holders` name each role's people by keys that mean nothing here; it is
    expected to be decided on `decision_date`."""

    items: Sequence[ServiceItem]
    holders: Mapping[Role, Sequence[str]]
    facts: Mapping[str, Fact]
    today: datetime.date
    decision_date: datetime.date
    has_consent: bool = False
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """What the caller may have, and what the catalogue says of types."""

    grants: Sequence[Grant]
    now_us: int
    types: Mapping[str, TypeFacts]


@dataclass(frozen=True, slots=True)
class Planned:
    """One material, counted once for all `items` that need it.

    `certificate` is the one on file, or the one to be confirmed; `working_days` how long its
    department has; `due` the day by which what is deferred must come. `obstacles` say why it is no
    better.
    """

    items: tuple[str, ...]
    material: Material
    holder: str
    outcome: Outcome
    certificate: OnFile | None = None
    working_days: int | None = None
    due: datetime.date | None = None
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True)
class _Need:
    """A material that is needed, with what each item wants to see of it."""

    material: Material
    holder: str
    wanted: tuple[tuple[str, tuple[str, ...]], ...]


def types_of(matter: Matter, types: Mapping[str, TypeFacts]) -> frozenset[str]:
    """Every certificate type that a plan of `matter` may look for."""
    return frozenset(
        code for need in _needs(matter) for code in _serving(need.material.types, types)
    )


def plan(
    matter: Matter, rights: Rights, on_file: Mapping[tuple[str, str], Sequence[OnFile]]
) -> tuple[Planned, ...]:
    """What becomes of each material of `matter`, in the order of the items.

    `on_file` goes by holder and type; what it holds beyond the grants is not looked at. Raises
    HubError(FIELD_INVALID) where a condition asks for a fact that the matter does not state.
    """
    return tuple([_planned(need, matter, rights, on_file) for need in _needs(matter)])


def _needs(matter: Matter) -> list[_Need]:
    """Each material once per holder: of several items the strictest demand counts."""
    needs: dict[object, _Need] = {}
    for item in matter.items:
        for material in item.materials:
            _check_facts(material, matter.facts)
            if not holds(material.condition, matter.facts):
                continue
            for holder in matter.holders.get(material.role) or ("",):
                key = (material.role, holder, material.types or material.name)
                wanted = ((item.code, material.fields),)
                known = needs.get(key)
                if known is None:
                    needs[key] = _Need(material, holder, wanted)
                else:
                    both = _stricter(known.material, material)
                    needs[key] = _Need(both, holder, known.wanted + wanted)
    return list(needs.values())


def _check_facts(material: Material, facts: Mapping[str, Fact]) -> None:
    missing = sorted(set(facts_of(material.condition)) - facts.keys())
    if missing:
        raise HubError(
            Reason.FIELD_INVALID,
            field=f"facts.{missing[0]}",
            rule=f"is stated, as material {material.id} is needed depending on it",
        )


def _stricter(first: Material, second: Material) -> Material:
    """What satisfies both demands; `first` gives the names."""
    return Material(
        id=first.id,
        name=first.name,
        name_en=first.name_en,
        role=first.role,
        types=first.types,
        grade_min=min(first.grade_min, second.grade_min),
        fields=first.fields + tuple(name for name in second.fields if name not in first.fields),
        age_days_max=_least(first.age_days_max, second.age_days_max),
        condition=None,
        is_promisable=first.is_promisable and second.is_promisable,
        deferrable_days=None
        if first.deferrable_days is None or second.deferrable_days is None
        else min(first.deferrable_days, second.deferrable_days),
    )


def _least(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _serving(types: Sequence[str], facts: Mapping[str, TypeFacts]) -> list[str]:
    """`types`, each followed by those that replaced it."""
    found: list[str] = []
    for code in types:
        line = [code]
        for _ in range(_SUCCESSIONS_MAX):
            for one in line:
                if one not in found:
                    found.append(one)
            line = [after for one in line if one in facts for after in facts[one].successors]
    return found


def _planned(
    need: _Need,
    matter: Matter,
    rights: Rights,
    on_file: Mapping[tuple[str, str], Sequence[OnFile]],
) -> Planned:
    items = tuple(dict.fromkeys(item for item, _ in need.wanted))
    obstacles: dict[Obstacle, None] = {}
    confirmable: OnFile | None = None
    for obstacle, certificate in _tried(need, matter, rights, on_file):
        if obstacle is None:
            return Planned(items, need.material, need.holder, Outcome.ON_FILE, certificate)
        obstacles[obstacle] = None
        if obstacle in _CONFIRMABLE and confirmable is None:
            confirmable = certificate
    outcome, days, due = Outcome.ASK, None, None
    if confirmable is not None:
        outcome = Outcome.OBTAINABLE
        days = rights.types.get(confirmable.type_code, _NO_FACTS).evidence_days
    elif need.material.is_promisable:
        outcome = Outcome.COMMITMENT
    elif need.material.deferrable_days is not None:
        outcome = Outcome.DEFERRABLE
        due = matter.today + datetime.timedelta(days=need.material.deferrable_days)
    return Planned(
        items, need.material, need.holder, outcome, confirmable, days, due, tuple(obstacles)
    )


def _tried(
    need: _Need,
    matter: Matter,
    rights: Rights,
    on_file: Mapping[tuple[str, str], Sequence[OnFile]],
) -> Iterator[tuple[Obstacle | None, OnFile | None]]:
    """What stands in the way of each possibility, the preferred one first; None: nothing does."""
    if not need.material.types:
        yield Obstacle.PAPER_ONLY, None
    elif not need.holder:
        yield Obstacle.HOLDER_UNKNOWN, None
    elif not _is_mandated(need, matter):
        yield Obstacle.MANDATE_MISSING, None
    else:
        for code in _serving(need.material.types, rights.types):
            refused = _refused(code, need, matter, rights)
            if refused is not None:
                yield refused, None
                continue
            found = on_file.get((need.holder, code), ())
            if not found:
                yield Obstacle.ABSENT, None
            for certificate in sorted(found, key=_preference):
                yield _flaw(certificate, need.material, matter.decision_date), certificate


def _is_mandated(need: _Need, matter: Matter) -> bool:
    """Whether who speaks may: an agent needs an authorisation in scope and date."""
    if Role.AGENT not in matter.holders:
        return True
    mandate = matter.mandate
    return (
        mandate is not None
        and mandate.start <= matter.today
        and matter.decision_date <= mandate.end
        and all(item in mandate.items for item, _ in need.wanted)
    )


def _refused(code: str, need: _Need, matter: Matter, rights: Rights) -> Obstacle | None:
    """Why certificates of this type may not even be looked for."""
    if rights.types.get(code, _NO_FACTS).sharing is Sharing.NOT_SHARED:
        return Obstacle.NOT_SHARED
    for item, fields in need.wanted:
        try:
            grant = find_grant(
                rights.grants,
                type_code=code,
                service_item=item,
                fields=fields,
                now_us=rights.now_us,
            )
        except HubError:
            return Obstacle.GRANT_MISSING
        if grant.consent_required and not matter.has_consent:
            return Obstacle.CONSENT_MISSING
    return None


def _preference(certificate: OnFile) -> tuple[str, int, str]:
    """The most trusted first, then the newest."""
    issued = datetime.date.fromisoformat(certificate.issue_date).toordinal()
    return certificate.grade.value, -issued, certificate.identifier


def _flaw(certificate: OnFile, material: Material, day: datetime.date) -> Obstacle | None:
    """Why this certificate does not serve on the day of the decision."""
    state = state_on(certificate.state, certificate.valid_from, certificate.valid_until, day)
    if state is not State.ACTIVE:
        return Obstacle.NOT_IN_FORCE
    if certificate.grade > material.grade_min:
        return Obstacle.TRUST_TOO_LOW
    if not certificate.fields.issuperset(material.fields):
        return Obstacle.FIELDS_MISSING
    if certificate.is_gone:
        return Obstacle.GONE_AT_SOURCE
    if material.age_days_max is not None:
        confirmed = datetime.date.fromisoformat(certificate.confirm_date)
        if (day - confirmed).days > material.age_days_max:
            return Obstacle.STALE
    return None


_NO_FACTS: Final = TypeFacts()
_CONFIRMABLE: Final = frozenset({Obstacle.STALE, Obstacle.GONE_AT_SOURCE})
