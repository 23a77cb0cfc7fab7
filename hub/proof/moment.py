"""Which time judges a signature, and who vouches for it.

A signature is judged when it was made, not when it is looked at. What the signer says of that time
is only his word; a time stamp or an entry of the log proves that it existed by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from hub.proof.reasons import ProofError, ProofReason

# Clocks of honest signers and readers differ by so much (formats.md, conventions).
AHEAD_S_MAX = 30


class Basis(StrEnum):
    """Whose word a time is."""

    STAMPED = "time stamp"
    """A time stamp authority's (RFC 3161), whose token was verified."""
    WITNESSED = "witnesses"
    """Of the witnesses that the trust file demands, who cosigned a checkpoint which holds it."""
    LOGGED = "log entry"
    """The hub's log's, under a checkpoint that was verified."""
    SIGNED = "signing time"
    """The signer's own: believed of keys that are in force, and of no others."""
    AS_OF = "asked moment"
    """The reader asked about this moment."""
    NOW = "now"
    """The reader's clock."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in seconds since 1970 UTC, and whose word it is."""

    time: int
    basis: Basis

    def __str__(self) -> str:
        return f"{iso_time(self.time)} ({self.basis.value})"


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of when one signature was made, in seconds; None for what is not known.

    `signed` is the signer's word, `stamped` that of a verified time stamp over the signature,
    `witnessed` that of the witnesses of a log entry which holds it, `logged` of that entry itself.
    """

    signed: int | None = None
    stamped: int | None = None
    witnessed: int | None = None
    logged: int | None = None

    @property
    def outside(self) -> int | None:
        """The earliest time that somebody outside of signer and hub vouches for.

        The hub's own entry is not enough against a hub that helps to antedate (formats.md §6).
        """
        known = [time for time in (self.stamped, self.witnessed) if time is not None]
        return min(known, default=None)

    def judged(self, reader: Moment) -> Moment:
        """The moment that the signature is judged at: the earliest proven one, else the signer's
        word, else the reader's own.

        Raises ProofError(SIGNED_LATER) where that lies after the reader's moment.
        """
        proven = [
            Moment(time, basis)
            for time, basis in (
                (self.stamped, Basis.STAMPED),
                (self.witnessed, Basis.WITNESSED),
                (self.logged, Basis.LOGGED),
            )
            if time is not None
        ]
        if proven:
            moment = min(proven, key=lambda item: item.time)
        elif self.signed is not None:
            moment = Moment(self.signed, Basis.SIGNED)
        else:
            return reader
        if moment.time > reader.time + AHEAD_S_MAX:
            raise ProofError(ProofReason.SIGNED_LATER, str(moment))
        return moment


def iso_time(seconds: int) -> str:
    """ISO 8601 in UTC; a time beyond the calendar as the number it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
