"""A slice of the campaign, and that the campaign would notice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import pytest

from hub.domain.certificate_type import Sharing
from hub.domain.on_file import OnFile
from hub.domain.service_item import Role
from hub.exchange.plan import Matter, Outcome, Planned, Rights, TypeFacts, plan
from tests.exchange.plan_cases import EVERYTHING, Chance, PlanRule, check, make_case, run

OnFiles = Mapping[tuple[str, str], Sequence[OnFile]]


@pytest.mark.parametrize("seed", [-1, -2, -3, -4])
def test_generated_plans_ask_for_nothing_usable_and_offer_nothing_ungranted(seed: int) -> None:
    """5,000 matters against an independent reading of the rules; every outcome and every obstacle
    occurs. `make plan-campaign` runs a million."""
    counted = run(seed, 5_000)

    assert set(counted) == EVERYTHING


def _granted_everything(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    generous = {
        code: [dataclasses.replace(grant, fields=("name", "scope", "address")) for grant in grants]
        for code, grants in rights.grants.items()
    }
    return plan(matter, dataclasses.replace(rights, grants=generous), on_file)


def _shared(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    def facts(code: str) -> TypeFacts:
        return dataclasses.replace(rights.facts(code), sharing=Sharing.UNCONDITIONAL)

    return plan(matter, dataclasses.replace(rights, facts=facts), on_file)


def _consented(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    return plan(dataclasses.replace(matter, has_consent=True), rights, on_file)


def _without_agent(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    holders = {role: who for role, who in matter.holders.items() if role is not Role.AGENT}
    return plan(dataclasses.replace(matter, holders=holders), rights, on_file)


def _decided_today(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    return plan(dataclasses.replace(matter, decision_date=matter.today), rights, on_file)


def _asks_for_everything(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    return tuple(
        dataclasses.replace(one, outcome=Outcome.ASK, certificate=None)
        for one in plan(matter, rights, on_file)
    )


def _looks_at_the_first_only(
    matter: Matter, rights: Rights, on_file: OnFiles
) -> tuple[Planned, ...]:
    return plan(matter, rights, {pair: found[:1] for pair, found in on_file.items()})


def _without_succession(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    def facts(code: str) -> TypeFacts:
        return dataclasses.replace(rights.facts(code), successors=())

    return plan(matter, dataclasses.replace(rights, facts=facts), on_file)


def _nothing_counted_once(matter: Matter, rights: Rights, on_file: OnFiles) -> tuple[Planned, ...]:
    return tuple(
        dataclasses.replace(one, uses=(use,))
        for one in plan(matter, rights, on_file)
        for use in one.uses
    )


@pytest.mark.parametrize(
    "broken",
    [
        _granted_everything,
        _shared,
        _consented,
        _without_agent,
        _decided_today,
        _asks_for_everything,
        _looks_at_the_first_only,
        _without_succession,
        _nothing_counted_once,
    ],
)
def test_a_rule_that_forgets_one_thing_is_found_out(broken: PlanRule) -> None:
    """The second reading is no echo of the first: each of these is noticed within 2,000 cases."""
    assert _first_failure(lambda number: check(make_case(Chance(number)), broken)) is not None


def _first_failure(attempt: Callable[[int], object]) -> int | None:
    for number in range(2_000):
        try:
            attempt(number)
        except (AssertionError, KeyError):
            return number
    return None
