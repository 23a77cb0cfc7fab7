"""Through which states a seal and its keys go, as data: nothing else changes them.

Each step is an operation that officers approve first (docs/access.md) and one entry of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class SealState(StrEnum):
    """Where a seal stands. Only an active one seals."""

    APPLIED = "applied"
    """Applied for and approved; its keys wait for their certificates."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    """Withdrawn for good."""
    ENDED = "ended"
    """Its authority was merged or renamed: its successor's seal took over."""


class SealVerb(StrEnum):
    """What is done to a seal; as `seal.{verb}` the kind of its intent."""

    APPLY = "apply"
    MAKE = "make"
    IMPORT = "import"
    RENEW = "renew"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    END = "end"


class KeyState(StrEnum):
    """Where a key stands. Only an active one signs."""

    REQUESTED = "requested"
    """Made; it waits for its X.509 certificate."""
    ACTIVE = "active"
    RETIRED = "retired"
    """Signs nothing more; what it signed is verified as before."""
    DESTROYED = "destroyed"
    COMPROMISED = "compromised"
    """In other hands since a declared moment; signs nothing more."""


class KeyVerb(StrEnum):
    """What is done to a key; as `key.{verb}` the kind of its intent."""

    GENERATE = "generate"
    ACTIVATE = "activate"
    ROTATE = "rotate"
    RETIRE = "retire"
    DESTROY = "destroy"
    COMPROMISE = "compromise"


SEAL_STEPS: Final[Mapping[SealVerb, Mapping[SealState | None, SealState]]] = MappingProxyType(
    {
        SealVerb.APPLY: {None: SealState.APPLIED},
        # From active to active: its successor, which is another electronic seal.
        SealVerb.IMPORT: {None: SealState.ACTIVE, SealState.ACTIVE: SealState.ACTIVE},
        SealVerb.MAKE: {SealState.APPLIED: SealState.ACTIVE},
        SealVerb.RENEW: {SealState.ACTIVE: SealState.ACTIVE},
        SealVerb.SUSPEND: {SealState.ACTIVE: SealState.SUSPENDED},
        SealVerb.RESUME: {SealState.SUSPENDED: SealState.ACTIVE},
        SealVerb.REVOKE: {
            SealState.APPLIED: SealState.REVOKED,
            SealState.ACTIVE: SealState.REVOKED,
            SealState.SUSPENDED: SealState.REVOKED,
        },
        SealVerb.END: {
            SealState.APPLIED: SealState.ENDED,
            SealState.ACTIVE: SealState.ENDED,
            SealState.SUSPENDED: SealState.ENDED,
        },
    }
)
"""From which states each verb leads where; None: there is no such seal yet."""

KEY_STEPS: Final[Mapping[KeyVerb, Mapping[KeyState | None, KeyState]]] = MappingProxyType(
    {
        KeyVerb.GENERATE: {None: KeyState.REQUESTED},
        # From active to active: a renewed certificate for the same key.
        KeyVerb.ACTIVATE: {
            KeyState.REQUESTED: KeyState.ACTIVE,
            KeyState.ACTIVE: KeyState.ACTIVE,
        },
        KeyVerb.ROTATE: {KeyState.REQUESTED: KeyState.ACTIVE},
        KeyVerb.RETIRE: {KeyState.ACTIVE: KeyState.RETIRED},
        KeyVerb.DESTROY: {
            KeyState.REQUESTED: KeyState.DESTROYED,
            KeyState.RETIRED: KeyState.DESTROYED,
            KeyState.COMPROMISED: KeyState.DESTROYED,
        },
        # What was destroyed here may have been copied before; what is declared once may turn out to
        # have begun earlier.
        KeyVerb.COMPROMISE: {
            KeyState.ACTIVE: KeyState.COMPROMISED,
            KeyState.RETIRED: KeyState.COMPROMISED,
            KeyState.DESTROYED: KeyState.COMPROMISED,
            KeyState.COMPROMISED: KeyState.COMPROMISED,
        },
    }
)
"""From which states each verb leads where; rotating also retires the key that was active."""


def seal_step(verb: SealVerb, state: SealState) -> SealState | None:
    """Where `verb` leads a seal in `state`; None where it may not be done."""
    return SEAL_STEPS[verb].get(state)


def key_step(verb: KeyVerb, state: KeyState) -> KeyState | None:
    """Where `verb` leads a key in `state`; None where it may not be done."""
    return KEY_STEPS[verb].get(state)
