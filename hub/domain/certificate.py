"""States of a certificate version and the transitions between them, as data."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """The legal state of one version. `EXPIRED` and `NOT_YET_IN_FORCE` follow from the clock.

    The values stand in log entries and receipts.
    """

    ACTIVE = "active"
    # Replaced by a later version or certificate (换发、变更).
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    # Taken away as punishment (吊销) and not deregistered yet (吊销未注销).
    REVOKED = "revoked"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    # Only in answers: nothing is on file.
    ABSENT = "absent"
    # Out of force for a time (暂扣).
    SUSPENDED = "suspended"
    # Lawfully given, taken back because law or circumstances changed (撤回).
    WITHDRAWN = "withdrawn"
    # Should never have been given (撤销).
    ANNULLED = "annulled"
    # Formally closed (注销); the cause stands with the transition.
    DEREGISTERED = "deregistered"


class Verb(StrEnum):
    """What changes the state of a certificate; the values stand in log entries."""

    SUPERSEDE = "supersede"
    SUSPEND = "suspend"
    RESUME = "resume"
    WITHDRAW = "withdraw"
    ANNUL = "annul"
    REVOKE = "revoke"
    DEREGISTER = "deregister"
    # A review body or a court set the decision aside.
    RESTORE = "restore"


class Cause(StrEnum):
    """Why a certificate is deregistered (行政许可法 art. 70)."""

    # Its validity ended and it was not renewed.
    EXPIRED = "expired"
    # It was withdrawn, annulled or revoked before.
    ENDED = "ended"
    # The person died or lost the capacity that it needs.
    DEATH = "death"
    # The organisation ended.
    DISSOLUTION = "dissolution"
    FORCE_MAJEURE = "force-majeure"
    # The holder gave it up.
    HOLDER_REQUEST = "holder-request"
    OTHER = "other"


_IN_TIME: Final = (State.ACTIVE, State.SUSPENDED, State.NOT_YET_IN_FORCE)
_ENDED: Final = (State.WITHDRAWN, State.ANNULLED, State.REVOKED)

# What each verb makes of each state, judged on the day of the change; what stands nowhere is not
# allowed. `ACTIVE` is what is stored: the clock may make it expired or not yet in force at once.
TRANSITIONS: Final[Mapping[tuple[State, Verb], State]] = MappingProxyType(
    {
        (State.ACTIVE, Verb.SUPERSEDE): State.SUPERSEDED,
        (State.EXPIRED, Verb.SUPERSEDE): State.SUPERSEDED,
        (State.NOT_YET_IN_FORCE, Verb.SUPERSEDE): State.SUPERSEDED,
        (State.ACTIVE, Verb.SUSPEND): State.SUSPENDED,
        (State.SUSPENDED, Verb.RESUME): State.ACTIVE,
        **{(state, Verb.WITHDRAW): State.WITHDRAWN for state in _IN_TIME},
        # An ended certificate can still be annulled or revoked: what it gave is judged again.
        **{(state, Verb.ANNUL): State.ANNULLED for state in (*_IN_TIME, State.EXPIRED)},
        **{(state, Verb.REVOKE): State.REVOKED for state in (*_IN_TIME, State.EXPIRED)},
        **{
            (state, Verb.DEREGISTER): State.DEREGISTERED
            for state in (*_IN_TIME, State.EXPIRED, *_ENDED)
        },
        **{
            (state, Verb.RESTORE): State.ACTIVE
            for state in (State.SUSPENDED, *_ENDED, State.DEREGISTERED)
        },
    }
)

# The states in which a certificate may be deregistered for each cause.
CAUSES: Final[Mapping[Cause, frozenset[State]]] = MappingProxyType(
    {
        Cause.EXPIRED: frozenset({State.EXPIRED}),
        Cause.ENDED: frozenset(_ENDED),
        **{
            cause: frozenset({*_IN_TIME, State.EXPIRED, *_ENDED})
            for cause in (
                Cause.DEATH,
                Cause.DISSOLUTION,
                Cause.FORCE_MAJEURE,
                Cause.HOLDER_REQUEST,
                Cause.OTHER,
            )
        },
    }
)


class Custody(StrEnum):
    """In whose hands the sealing key was; each report prints it (formats.md §4)."""

    DEPARTMENT = "department"
    HUB_HSM = "hub-hsm"
    HUB_FILE = "hub-file"
    ATTESTED = "attested"


class Grade(StrEnum):
    """How far a record can be trusted, best first: `A` sealed by the authority's own system, `B`
    by the hub under its delegation, `C` attested afterwards. What was scanned from paper is one
    worse than it would be otherwise: `B` at best, `D` where it was attested afterwards."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Origin(StrEnum):
    """What a record was made from."""

    # The data of the authority's system.
    SYSTEM = "system"
    # A picture of paper, which is never an original (原件).
    SCAN = "scan"


def grade_of(custody: Custody, origin: Origin = Origin.SYSTEM) -> Grade:
    """The trust grade of a record."""
    return _GRADES[custody] if origin is Origin.SYSTEM else _SCANNED[custody]


@dataclass(frozen=True, slots=True)
class Conversion:
    """Who compared a scan with the paper and attests that both are the same (与原件核对无误).

    `officer` is `systems/{system}` of the role converter, `attestation` the digest of what it
    signed.
    """

    officer: str
    attestation: str


_GRADES: Final = MappingProxyType(
    {
        Custody.DEPARTMENT: Grade.A,
        Custody.HUB_HSM: Grade.B,
        Custody.HUB_FILE: Grade.B,
        Custody.ATTESTED: Grade.C,
    }
)
_SCANNED: Final = MappingProxyType(
    {
        Custody.DEPARTMENT: Grade.B,
        Custody.HUB_HSM: Grade.C,
        Custody.HUB_FILE: Grade.C,
        Custody.ATTESTED: Grade.D,
    }
)


def state_on(stored: State, valid_from: str, valid_until: str, today: datetime.date) -> State:
    """The state of a version on the day `today` (local legal day of the hub's region).

    `valid_from` and `valid_until` are ISO dates; an empty `valid_until` means long term (长期),
    an empty `valid_from` no lower bound. The last day of validity is in force. A suspension does
    not outlive the validity.
    """
    if stored not in (State.ACTIVE, State.SUSPENDED):
        return stored
    day = today.isoformat()
    if valid_until and day > valid_until:
        return State.EXPIRED
    if stored is State.ACTIVE and valid_from and day < valid_from:
        return State.NOT_YET_IN_FORCE
    return stored
