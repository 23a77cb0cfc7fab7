"""Grants and the rule that reads them. Pure; `store` keeps them, `fetch` asks.

An empty field list discloses nothing; what no grant names is not granted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.domain.strict_json import Json, emit
from hub.errors import HubError, Reason
from hub.proof.encoding import digest


@dataclass(frozen=True, slots=True)
class Grant:
    """The permission to have `fields` of a type for service items, on a legal basis.

    `id` is opaque; `recipient` is `systems/{system}`; `type_code` the 21-character code; times are
    microseconds UTC, `expire_us` excluded; `revoke_us` is 0 while active. `digest` is that of what
    was permitted; it stands in the log entry of each use.
    """

    id: str
    recipient: str
    type_code: str
    fields: tuple[str, ...]
    service_items: tuple[str, ...]
    legal_basis: str
    start_us: int
    expire_us: int
    consent_required: bool
    calls_per_day_max: int
    create_entry: int
    create_us: int
    revoke_us: int = 0
    digest: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        permitted: dict[str, Json] = {
            "id": self.id,
            "recipient": self.recipient,
            "type": self.type_code,
            "fields": list(self.fields),
            "service_items": list(self.service_items),
            "legal_basis": self.legal_basis,
            "start_us": self.start_us,
            "expire_us": self.expire_us,
            "consent_required": self.consent_required,
            "calls_per_day_max": self.calls_per_day_max,
        }
        object.__setattr__(self, "digest", digest(emit(permitted)))

    def is_in_force(self, now_us: int) -> bool:
        """Whether it may be used now."""
        return not self.revoke_us and self.start_us <= now_us < self.expire_us


def find_grant(
    grants: Iterable[Grant],
    *,
    type_code: str,
    service_item: str,
    fields: Iterable[str],
    now_us: int,
) -> Grant:
    """The first grant of a recipient that allows `fields` of a type for a service item.

    Fields of several grants are never merged: each grant has a legal basis of its own, and a
    disclosure stands on one. Raises HubError(GRANT_MISSING) where no grant in force names type and
    service item, HubError(FIELD_NOT_GRANTED) with the fields that the best of them lacks.
    """
    wanted = set(fields)
    missing: set[str] | None = None
    for grant in grants:
        if grant.type_code != type_code or service_item not in grant.service_items:
            continue
        if not grant.is_in_force(now_us):
            continue
        lacking = wanted - set(grant.fields)
        if not lacking:
            return grant
        if missing is None or len(lacking) < len(missing):
            missing = lacking
    if missing is None:
        raise HubError(Reason.GRANT_MISSING, type=type_code, service_item=service_item)
    raise HubError(
        Reason.FIELD_NOT_GRANTED,
        fields=", ".join(sorted(missing)),
        type=type_code,
        service_item=service_item,
    )
