"""States and transitions: the whole table, and the clock."""

from __future__ import annotations

import datetime

import pytest

from hub.domain.certificate import (
    CAUSES,
    TRANSITIONS,
    Cause,
    Custody,
    Grade,
    Origin,
    State,
    Verb,
    grade_of,
    state_on,
)

# Written out a second time, one line per state, so that no pair is allowed by accident. Columns:
VERBS = (
    Verb.SUPERSEDE,
    Verb.SUSPEND,
    Verb.RESUME,
    Verb.WITHDRAW,
    Verb.ANNUL,
    Verb.REVOKE,
    Verb.DEREGISTER,
    Verb.RESTORE,
)
MATRIX = {
    State.ACTIVE: "superseded suspended - withdrawn annulled revoked deregistered -",
    State.SUSPENDED: "- - active withdrawn annulled revoked deregistered active",
    State.NOT_YET_IN_FORCE: "superseded - - withdrawn annulled revoked deregistered -",
    State.EXPIRED: "superseded - - - annulled revoked deregistered -",
    State.SUPERSEDED: "- - - - - - - -",
    State.WITHDRAWN: "- - - - - - deregistered active",
    State.ANNULLED: "- - - - - - deregistered active",
    State.REVOKED: "- - - - - - deregistered active",
    State.DEREGISTERED: "- - - - - - - active",
    State.ABSENT: "- - - - - - - -",
}
ENDED = {State.WITHDRAWN, State.ANNULLED, State.REVOKED}
OPEN = {State.ACTIVE, State.SUSPENDED, State.NOT_YET_IN_FORCE, State.EXPIRED}


def test_the_table_above_has_every_state_and_every_verb() -> None:
    """Nothing new goes unjudged."""
    assert set(MATRIX) == set(State)
    assert set(VERBS) == set(Verb)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_makes_of_a_state_what_the_law_says(state: State, verb: Verb) -> None:
    """Every pair, those that are not allowed included."""
    wanted = MATRIX[state].split()[VERBS.index(verb)]

    assert TRANSITIONS.get((state, verb)) == (None if wanted == "-" else State(wanted))


@pytest.mark.parametrize("cause", list(Cause))
def test_a_cause_of_deregistration_fits_some_states_only(cause: Cause) -> None:
    """What expired is closed as expired; what was taken away before as ended; the rest both."""
    wanted = {Cause.EXPIRED: {State.EXPIRED}, Cause.ENDED: ENDED}.get(cause, OPEN | ENDED)

    assert CAUSES[cause] == wanted
    assert all((state, Verb.DEREGISTER) in TRANSITIONS for state in wanted)


@pytest.mark.parametrize(
    ("stored", "day", "judged"),
    [
        (State.ACTIVE, "2025-12-31", State.NOT_YET_IN_FORCE),
        (State.ACTIVE, "2026-01-01", State.ACTIVE),
        (State.ACTIVE, "2026-12-31", State.ACTIVE),
        (State.ACTIVE, "2027-01-01", State.EXPIRED),
        (State.SUSPENDED, "2025-12-31", State.SUSPENDED),
        (State.SUSPENDED, "2026-12-31", State.SUSPENDED),
        (State.SUSPENDED, "2027-01-01", State.EXPIRED),
        *[
            (state, "2027-01-01", state)
            for state in (State.SUPERSEDED, *sorted(ENDED), State.DEREGISTERED)
        ],
    ],
)
def test_expiry_follows_from_the_clock(stored: State, day: str, judged: State) -> None:
    """The last day is in force; a suspension does not outlive the validity; an end stays."""
    today = datetime.date.fromisoformat(day)

    assert state_on(stored, "2026-01-01", "2026-12-31", today) is judged


def test_a_certificate_of_long_term_does_not_expire() -> None:
    """No end is no date far away."""
    assert state_on(State.ACTIVE, "", "", datetime.date(9999, 12, 31)) is State.ACTIVE


@pytest.mark.parametrize(
    ("custody", "grade", "scanned"),
    [
        (Custody.DEPARTMENT, Grade.A, Grade.B),
        (Custody.HUB_HSM, Grade.B, Grade.C),
        (Custody.HUB_FILE, Grade.B, Grade.C),
        (Custody.ATTESTED, Grade.C, Grade.D),
    ],
)
def test_trust_follows_from_who_sealed_it_and_from_what(
    custody: Custody, grade: Grade, scanned: Grade
) -> None:
    """Paper that was scanned is one worse, and B at best."""
    assert grade_of(custody) is grade
    assert grade_of(custody, Origin.SCAN) is scanned
