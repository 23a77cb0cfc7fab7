"""Register a department."""

from __future__ import annotations

import re
from typing import Final

from hub.access.identity import Authority, DatedName
from hub.access.registrar import Decision, Outcome, Registrar
from hub.access.rules import broken, id_violation, refuse
from hub.access.snapshot import Snapshot
from hub.access.store import answer_of, authority_answered, insert_authority
from hub.domain.identifier import uscc_fault
from hub.domain.row import date_violation, text_violation
from hub.domain.rules import violation
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.storage.changes import Call

NAMES_MAX: Final = 50
SUCCESSORS_MAX: Final = 20
TITLE_MAX: Final = 200
LEVELS: Final = range(1, 6)

_REGION: Final = re.compile(r"[0-9]{6}")


async def create_authority(
    registrar: Registrar,
    call: Call,
    authority_id: str,
    wanted: Authority,
    *,
    validate_only: bool = False,
) -> Outcome[Authority]:
    """Register `wanted` as `authorities/{authority_id}`; its own name and times are ignored.

    1. Every rule of its fields. 2. Neither id nor credit code is taken. 3. Entry
    `authority.created`. Raises HubError: FIELD_INVALID with everything that is wrong,
    ALREADY_EXISTS, and as `Registrar.change`.
    """
    name = f"authorities/{authority_id}"

    async def decide(snapshot: Snapshot) -> Decision:
        refuse(_violations(authority_id, wanted, snapshot))
        if name in snapshot.authorities:
            raise HubError(Reason.ALREADY_EXISTS, name=name)
        authority = Authority(
            name,
            wanted.uscc,
            wanted.names,
            wanted.region,
            wanted.level,
            wanted.successors,
            create_time_us=registrar.clock(),
        )
        write = insert_authority(authority)
        return Decision("authority.created", _data(authority), [write], answer_of(write))

    if validate_only:
        return await registrar.check(decide, authority_answered)
    return await registrar.change(call, decide, authority_answered)


def _violations(authority_id: str, wanted: Authority, snapshot: Snapshot) -> list[Violation | None]:
    name = f"authorities/{authority_id}"
    found = [id_violation("authority_id", authority_id)]
    fault = uscc_fault(wanted.uscc)
    if fault is not None:
        found.append(violation("authority.uscc", fault))
    for known in snapshot.authorities.values():
        if known.uscc == wanted.uscc and known.name != name:
            found.append(broken("authority.uscc", "uscc.taken"))
    found += _name_violations(wanted.names)
    if not _REGION.fullmatch(wanted.region):
        found.append(broken("authority.region", "region.form"))
    if wanted.level not in LEVELS:
        found.append(broken("authority.level", "level.range"))
    count = len(wanted.successors)
    if count > SUCCESSORS_MAX or len(set(wanted.successors)) != count:
        return [*found, broken("authority.successors", "successors.count")]
    for index, successor in enumerate(wanted.successors):
        if successor == name or successor not in snapshot.authorities:
            found.append(broken(f"authority.successors[{index}]", "successors.known"))
    return found


def _name_violations(dated_names: tuple[DatedName, ...]) -> list[Violation | None]:
    if not 1 <= len(dated_names) <= NAMES_MAX:
        return [broken("authority.names", "names.count")]
    found: list[Violation | None] = []
    for index, dated in enumerate(dated_names):
        field = f"authority.names[{index}]"
        found.append(text_violation(f"{field}.title", dated.title, TITLE_MAX))
        if dated.title_en:
            found.append(text_violation(f"{field}.title_en", dated.title_en, TITLE_MAX))
        found.append(date_violation(f"{field}.from_date", dated.from_date))
        if dated.to_date:
            found.append(date_violation(f"{field}.to_date", dated.to_date))
            # Dates of this form are in the order of their texts.
            if dated.to_date < dated.from_date:
                found.append(broken(f"{field}.to_date", "names.order"))
    if sum(not dated.to_date for dated in dated_names) != 1:
        found.append(broken("authority.names", "names.present"))
    return found


def _data(authority: Authority) -> dict[str, Json]:
    return {
        "authority": authority.name,
        "uscc": authority.uscc,
        "names": [
            {"title": dated.title, "from_date": dated.from_date, "to_date": dated.to_date}
            for dated in authority.names
        ],
        "region": authority.region,
        "level": authority.level,
        "successors": list(authority.successors),
    }
