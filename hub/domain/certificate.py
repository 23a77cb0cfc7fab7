"""States of a certificate version and the transitions between them, as data."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The legal state of one version. `EXPIRED` and `NOT_YET_IN_FORCE` follow from the clock.

    The values stand in log entries and receipts.
    """

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    # Only in answers: nothing is on file.
    ABSENT = "absent"


# What may follow what. Expiry needs no row: it is judged on reading, and a certificate whose
# validity has ended may still be renewed or revoked.
TRANSITIONS: Final[frozenset[tuple[State, State]]] = frozenset(
    {
        (State.ACTIVE, State.SUPERSEDED),
        (State.ACTIVE, State.REVOKED),
    }
)


class Custody(StrEnum):
    """In whose hands the sealing key was; each report prints it (formats.md §4)."""

    DEPARTMENT = "department"
    HUB_HSM = "hub-hsm"
    HUB_FILE = "hub-file"
    ATTESTED = "attested"


def state_on(stored: State, valid_from: str, valid_until: str, today: datetime.date) -> State:
    """The state of a version on the day `today` (local legal day of the hub's region).

    `valid_from` and `valid_until` are ISO dates; an empty `valid_until` means long term (长期),
    an empty `valid_from` no lower bound. The last day of validity is in force.
    """
    if stored is not State.ACTIVE:
        return stored
    day = today.isoformat()
    if valid_until and day > valid_until:
        return State.EXPIRED
    if valid_from and day < valid_from:
        return State.NOT_YET_IN_FORCE
    return State.ACTIVE
