"""What must the applicant still bring? The rule behind `PlanMaterials`; pure.

For each material of a matter the first of these that holds: it is on file and usable; its
department has it and can confirm it; a commitment may stand for it; it may follow later; it must be
asked for, with the reason in words that a clerk can read out (一次性告知). What no grant allows is
never looked for (`wanted`) and never looked at (`plan`), so an answer tells nothing about it.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.certificate import State, state_on
from hub.domain.certificate_type import EVIDENCE_DAYS, Sharing
from hub.domain.objection import in_doubt
from hub.domain.on_file import OnFile
from hub.domain.service_item import Fact, Material, Role, ServiceItem, facts_of, holds
from hub.errors import HubError, Reason, Text
from hub.exchange.grants import Grant, find_grant

# The entry of a plan names each of them and must fit into one receipt.
DEMANDS_MAX: Final = 200
SERVING_MAX: Final = 32


class Outcome(StrEnum):
    """What becomes of a material, the best first. The values stand in entries and receipts."""

    ON_FILE = "on_file"
    OBTAINABLE = "obtainable"
    COMMITMENT = "commitment"
    DEFERRABLE = "deferrable"
    ASK = "ask"


class Obstacle(StrEnum):
    """Why a material is not on file and usable. The values stand in entries and receipts."""

    PAPER_ONLY = "paper_only"
    HOLDER_UNKNOWN = "holder_unknown"
    MANDATE_MISSING = "mandate_missing"
    NOT_SHARED = "not_shared"
    GRANT_MISSING = "grant_missing"
    CONSENT_MISSING = "consent_missing"
    ABSENT = "absent"
    NOT_IN_FORCE = "not_in_force"
    TRUST_TOO_LOW = "trust_too_low"
    FIELDS_MISSING = "fields_missing"
    STALE = "stale"
    GONE_AT_SOURCE = "gone_at_source"
    OBJECTED = "objected"


OBSTACLES: Final[Mapping[Obstacle, Text]] = {
    Obstacle.PAPER_ONLY: Text(
        "No electronic certificate serves for this material.", "该材料没有可用的电子证照。"
    ),
    Obstacle.HOLDER_UNKNOWN: Text(
        "Whose certificate it is was not stated.", "未提供该材料对应的持证主体信息。"
    ),
    Obstacle.MANDATE_MISSING: Text(
        "The agent has no authorisation for this item until the day of the decision.",
        "代理人没有覆盖本事项至预计办结日的授权委托。",
    ),
    Obstacle.NOT_SHARED: Text("Its department does not share it.", "该证照的主管部门未开放共享。"),
    Obstacle.GRANT_MISSING: Text(
        "The service window may not fetch it for this item.", "窗口未获授权为本事项调取该证照。"
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
    Obstacle.OBJECTED: Text(
        "Somebody objects to what it says, and its department must confirm it.",
        "该证照的信息存在异议，需主管部门核实。",
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
class Mandate:
    """An authorisation (授权委托): for these items, from and until these days, both included."""

    items: frozenset[str]
    start: datetime.date
    end: datetime.date


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter at hand. `holders` name each role's people by keys that mean nothing here; one
    person has one key, whatever the role. It is expected to be decided on `decision_date`."""

    items: Sequence[ServiceItem]
    holders: Mapping[Role, Sequence[str]]
    facts: Mapping[str, Fact]
    today: datetime.date
    decision_date: datetime.date
    has_consent: bool = False
    mandate: Mandate | None = None


@dataclass(frozen=True, slots=True)
class Rights:
    """What the caller may have, by certificate type, and what the catalogue says of types."""

    grants: Mapping[str, Sequence[Grant]]
    now_us: int
    facts: Callable[[str], TypeFacts]


@dataclass(frozen=True, slots=True)
class Use:
    """A material of an item."""

    item: str
    material: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One material, counted once for all `uses` that it serves.

    `material` is the first of them, demanding what all of them demand. `certificate` is the one on
    file, or the one to be confirmed; `working_days` how long its department has; `due` the day by
    which what is deferred must come. `obstacles` say why it is no better.
    """

    uses: tuple[Use, ...]
    material: Material
    holder: str
    outcome: Outcome
    certificate: OnFile | None = None
    working_days: int | None = None
    due: datetime.date | None = None
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True)
class _Demand:
    """One material that one item needs of one holder; `holder` is "" where nobody said who.

    Of an area any of several codes serves: `others` are the rest of them.
    """

    item: str
    material: Material
    holder: str
    others: tuple[str, ...] = ()

    @property
    def holders(self) -> tuple[str, ...]:
        """Whose certificates serve; nobody's where nobody said who."""
        return (self.holder, *self.others) if self.holder else ()


def wanted(matter: Matter, rights: Rights) -> dict[tuple[str, str], frozenset[str]]:
    """Each (holder, type) that may be looked for, and the fields that matter of it.

    Raises HubError(FIELD_INVALID) where the matter states too little or asks for too much.
    """
    found: dict[tuple[str, str], frozenset[str]] = {}
    for demand in _demands(matter):
        if not _is_mandated(demand, matter):
            continue
        for code in _serving(demand.material.types, rights.facts) if demand.holder else ():
            if _refused(code, demand, matter, rights) is None:
                for key in [(holder, code) for holder in demand.holders]:
                    found[key] = found.get(key, frozenset()) | set(demand.material.fields)
    return found


def plan(
    matter: Matter, rights: Rights, on_file: Mapping[tuple[str, str], Sequence[OnFile]]
) -> tuple[Planned, ...]:
    """What becomes of each material of `matter`, in the order of the items.

    Each item is judged by its own demands, then what is the same is counted once. `on_file` goes
    by holder and type; what it holds beyond `wanted` is not looked at. Raises as `wanted`.
    """
    same: dict[object, list[Planned]] = {}
    for demand in _demands(matter):
        material = demand.material
        thing = (demand.holder or material.role, frozenset(material.types) or material.name)
        same.setdefault(thing, []).append(_planned(demand, matter, rights, on_file))
    return tuple([line for group in same.values() for line in _counted_once(group)])


def _demands(matter: Matter) -> list[_Demand]:
    demands = []
    for item in matter.items:
        for material in item.materials:
            _check_facts(material, matter.facts)
            if not holds(material.condition, matter.facts):
                continue
            holders = matter.holders.get(material.role, ())
            if not holders and material.role is Role.AGENT:
                # Nobody acts for the applicant, so there is nobody to bring it.
                continue
            if material.role is Role.AREA and holders:
                demands.append(_Demand(item.code, material, holders[0], tuple(holders[1:])))
                continue
            demands += [_Demand(item.code, material, holder) for holder in holders or ("",)]
    if len(demands) > DEMANDS_MAX:
        raise HubError(
            Reason.FIELD_INVALID,
            field="plan.items",
            rule=f"at most {DEMANDS_MAX} materials in one plan, each counted per holder",
        )
    return demands


def _check_facts(material: Material, facts: Mapping[str, Fact]) -> None:
    missing = sorted(set(facts_of(material.condition)) - facts.keys())
    if missing:
        raise HubError(
            Reason.FIELD_INVALID,
            field=f"plan.facts.{missing[0]}",
            rule=f"is stated, as material {material.id} is needed depending on it",
        )


def _serving(types: Sequence[str], facts: Callable[[str], TypeFacts]) -> list[str]:
    """`types`, each followed by those that replaced it and those that replaced these."""
    found: dict[str, None] = {}
    for code in types:
        line = [code]
        while line and len(found) < SERVING_MAX:
            new = [one for one in dict.fromkeys(line) if one not in found]
            found.update(dict.fromkeys(new))
            line = [after for one in new for after in facts(one).successors]
    return list(found)[:SERVING_MAX]


def _planned(
    demand: _Demand,
    matter: Matter,
    rights: Rights,
    on_file: Mapping[tuple[str, str], Sequence[OnFile]],
) -> Planned:
    """What becomes of one demand, looked at alone."""
    material, uses = demand.material, (Use(demand.item, demand.material.id),)
    obstacles: dict[Obstacle, None] = {}
    confirmable: OnFile | None = None
    for obstacle, certificate in _tried(demand, matter, rights, on_file):
        if obstacle is None:
            return Planned(uses, material, demand.holder, Outcome.ON_FILE, certificate)
        obstacles[obstacle] = None
        if obstacle in _CONFIRMABLE and confirmable is None:
            confirmable = certificate
    outcome, days, due = Outcome.ASK, None, None
    if confirmable is not None:
        outcome = Outcome.OBTAINABLE
        days = rights.facts(confirmable.type_code).evidence_days
    elif material.is_promisable:
        outcome = Outcome.COMMITMENT
    elif material.deferrable_days is not None:
        outcome = Outcome.DEFERRABLE
        due = matter.today + datetime.timedelta(days=material.deferrable_days)
    reasons = tuple(obstacles)
    return Planned(uses, material, demand.holder, outcome, confirmable, days, due, reasons)


def _counted_once(group: Sequence[Planned]) -> list[Planned]:
    """The same material for several uses, one line for each outcome.

    What is supplied without the applicant stays as it is; what must be brought anyway serves those
    who would be content with a commitment or a later delivery.
    """
    is_asked = any(one.outcome is Outcome.ASK for one in group)
    lines: dict[object, Planned] = {}
    for one in group:
        if is_asked and one.outcome in (Outcome.COMMITMENT, Outcome.DEFERRABLE):
            one = dataclasses.replace(one, outcome=Outcome.ASK, due=None)  # noqa: PLW2901
        certificate = one.certificate.identifier if one.certificate is not None else ""
        key = (one.outcome, certificate)
        lines[key] = _both(lines[key], one) if key in lines else one
    return list(lines.values())


def _both(first: Planned, second: Planned) -> Planned:
    """One line for two uses; what is demanded is what satisfies both."""
    one, other = first.material, second.material
    return dataclasses.replace(
        first,
        uses=first.uses + second.uses,
        material=dataclasses.replace(
            one,
            grade_min=min(one.grade_min, other.grade_min),
            fields=tuple(dict.fromkeys(one.fields + other.fields)),
            age_days_max=_least(one.age_days_max, other.age_days_max),
        ),
        due=None if first.due is None or second.due is None else min(first.due, second.due),
        obstacles=tuple(dict.fromkeys(first.obstacles + second.obstacles)),
    )


def _least(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _tried(
    demand: _Demand,
    matter: Matter,
    rights: Rights,
    on_file: Mapping[tuple[str, str], Sequence[OnFile]],
) -> Iterator[tuple[Obstacle | None, OnFile | None]]:
    """What stands in the way of each possibility, the preferred one first; None: nothing does."""
    if not demand.material.types:
        yield Obstacle.PAPER_ONLY, None
    elif not demand.holder:
        yield Obstacle.HOLDER_UNKNOWN, None
    elif not _is_mandated(demand, matter):
        yield Obstacle.MANDATE_MISSING, None
    else:
        for code in _serving(demand.material.types, rights.facts):
            refused = _refused(code, demand, matter, rights)
            if refused is not None:
                yield refused, None
                continue
            # One certificate may be that of several of the areas.
            found = {
                one.version_id: one
                for holder in demand.holders
                for one in on_file.get((holder, code), ())
            }
            if not found:
                yield Obstacle.ABSENT, None
            for certificate in sorted(found.values(), key=_preference):
                yield _flaw(certificate, demand.material, matter.decision_date), certificate


def _is_mandated(demand: _Demand, matter: Matter) -> bool:
    """Whether who speaks may: an agent needs an authorisation in scope and date."""
    if not matter.holders.get(Role.AGENT):
        return True
    mandate = matter.mandate
    return (
        mandate is not None
        and mandate.start <= matter.today
        and matter.decision_date <= mandate.end
        and demand.item in mandate.items
    )


def _refused(code: str, demand: _Demand, matter: Matter, rights: Rights) -> Obstacle | None:
    """Why certificates of this type may not even be looked for."""
    if rights.facts(code).sharing is Sharing.NOT_SHARED:
        return Obstacle.NOT_SHARED
    grants = rights.grants.get(code, ())
    without_consent = [grant for grant in grants if not grant.consent_required]
    if _is_granted(without_consent, code, demand, rights.now_us):
        return None
    if _is_granted(grants, code, demand, rights.now_us):
        return None if matter.has_consent else Obstacle.CONSENT_MISSING
    return Obstacle.GRANT_MISSING


def _is_granted(grants: Sequence[Grant], code: str, demand: _Demand, now_us: int) -> bool:
    try:
        find_grant(
            grants,
            type_code=code,
            service_item=demand.item,
            fields=demand.material.fields,
            now_us=now_us,
        )
    except HubError:
        return False
    return True


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
    # Its department decides whether it is right; what the applicant could bring says the same.
    if in_doubt(certificate.objected, material.fields):
        return Obstacle.OBJECTED
    if material.age_days_max is not None:
        confirmed = datetime.date.fromisoformat(certificate.confirm_date)
        if (day - confirmed).days > material.age_days_max:
            return Obstacle.STALE
    return None


_CONFIRMABLE: Final = frozenset({Obstacle.STALE, Obstacle.GONE_AT_SOURCE, Obstacle.OBJECTED})
