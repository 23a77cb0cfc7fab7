"""Authorities, systems and officers as the hub knows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.caller import Role
from hub.proof.jose import ATTESTATION_TYP, BATCH_ROOT_TYP, REQUEST_TYP

SIGNING_USE: Final = {
    Role.DEPARTMENT: REQUEST_TYP,
    Role.PLATFORM: REQUEST_TYP,
    Role.CONNECTOR: BATCH_ROOT_TYP,
    Role.CONVERTER: ATTESTATION_TYP,
}
"""What a system's key signs: one key, one format. Systems of other roles sign nothing."""


class SystemState(StrEnum):
    """Whether a system may call."""

    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class DatedName:
    """A name from its first to its last day, `YYYY-MM-DD`; no last day while it is in use."""

    title: str
    title_en: str
    from_date: str
    to_date: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A department that issues certificates.

    `generation` rises when one of its systems is revoked: every token issued to the authority's
    systems before ends then, because a neighbour of a lost machine may be lost as well.
    """

    name: str
    uscc: str
    names: tuple[DatedName, ...]
    region: str
    level: int
    successors: tuple[str, ...]
    generation: int = 1
    create_time_us: int = 0
    # Of an authority that was succeeded: who answers for which of its types, by code.
    entrusted: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """The present name: the one without a last day."""
        return next(name.title for name in self.names if not name.to_date)


@dataclass(frozen=True, slots=True)
class System:
    """A piece of software that calls the hub, with its present keys.

    `x509_thumbprint` is the digest of its client certificate in DER; `signing_key_id` the RFC 7638
    thumbprint of its signing key, empty where it signs nothing; `enrolment_entry` the log entry
    that enrolled these keys.
    """

    name: str
    authority: str
    role: Role
    title: str
    state: SystemState
    x509_thumbprint: str
    x509_expire_time_us: int
    signing_key_id: str
    enrolment_entry: int
    create_time_us: int
    revoke_time_us: int | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    """A security officer with client certificate and approval key; `end_time_us` is absent while
    in office. Who may approve when, the roster says."""

    name: str
    x509_thumbprint: str
    x509_expire_time_us: int
    approval_key_id: str
    enrolment_entry: int
    create_time_us: int
    end_time_us: int | None = None
