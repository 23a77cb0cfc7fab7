"""Who is calling, once authenticated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a caller is; the policy table says what each may call."""

    DEPARTMENT = "department"
    PLATFORM = "platform"
    CONNECTOR = "connector"
    AUDITOR = "auditor"
    MONITOR = "monitor"
    OFFICER = "officer"
    # Where a conversion officer of a department attests that scans agree with the paper.
    CONVERTER = "converter"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller: client certificate and access token agree.

    `name` is `systems/{system}` or `officers/{officer}`; `authority` the resource name of the
    authority it acts for (empty for officers), `authority_uscc` its credit code; `enrolment_entry`
    the log entry that enrolled its keys; `token_digest` what `ath` of a signed request must equal;
    `generation` the access generation on which this identity was judged.
    """

    name: str
    role: Role
    authority: str
    authority_uscc: str
    enrolment_entry: int
    token_digest: str
    generation: int
