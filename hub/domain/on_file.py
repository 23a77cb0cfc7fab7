"""A certificate on file, as far as it matters whether it serves: no value of it, no holder."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.certificate import Grade, Origin, State


@dataclass(frozen=True, slots=True)
class OnFile:
    """The newest version of a certificate.

    `state` is the stored one, as of entry `state_entry`; what follows from the clock is judged by
    whoever asks. Dates are ISO; `valid_until` is "" for long term. `confirm_date` is the later of
    issue and the source's last word on it. Of the fields that were asked about, `fields` have a
    value. `is_gone`: its department does not list it any more. `objected` are the
    fields to which somebody objects. `linked_to` is the keyed hash of the identifier that was asked
    for, where the seal names another one of the holder, or none.
    """

    version_id: str
    identifier: str
    version: int
    type_code: str
    authority: str
    state: State
    state_entry: int
    issue_date: str
    confirm_date: str
    valid_from: str
    valid_until: str
    grade: Grade
    fields: frozenset[str]
    is_gone: bool = False
    objected: frozenset[str] = frozenset()
    linked_to: str = ""
    # A scan is never an original (原件).
    origin: Origin = Origin.SYSTEM
