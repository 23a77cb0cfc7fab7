"""Enrol systems, replace their keys, end them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from hub.access.enrolment import Enrolment, Proven, prove
from hub.access.identity import SIGNING_USE, System, SystemState
from hub.access.registrar import Decision, Outcome, Registrar
from hub.access.rules import broken, id_violation, refuse
from hub.access.snapshot import Snapshot
from hub.access.store import (
    ENROLMENT_BY_THUMBPRINT,
    answer_of,
    end_enrolment,
    insert_enrolment,
    insert_system,
    put_authority,
    put_system,
    system_answered,
)
from hub.domain.caller import Role
from hub.domain.names import parse
from hub.domain.row import text_violation
from hub.errors import HubError, Reason, Violation
from hub.storage.changes import Call
from hub.storage.statements import ENTRY_INDEX, Row

TITLE_MAX: Final = 200
CAUSE_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class WantedSystem:
    """A system to be enrolled; `role` is None where none was given that systems can have."""

    authority: str
    role: Role | None
    title: str


async def create_system(
    registrar: Registrar,
    call: Call,
    system_id: str,
    wanted: WantedSystem,
    enrolment: Enrolment,
    *,
    validate_only: bool = False,
) -> Outcome[System]:
    """Enrol `wanted` as `systems/{system_id}`.

    1. Every rule of its fields. 2. Possession of both keys, which nobody enrolled before. 3. Entry
    `system.enrolled` with the proofs. Raises HubError: FIELD_INVALID with everything that is wrong,
    ALREADY_EXISTS, and as `Registrar.change`.
    """
    name = f"systems/{system_id}"

    async def decide(snapshot: Snapshot) -> Decision:
        found = _violations(system_id, wanted, snapshot)
        time_us = registrar.clock()
        use = SIGNING_USE.get(wanted.role, "") if wanted.role is not None else ""
        proven, faults = _prove(
            registrar, snapshot, enrolment, owner=name, use=use, time_us=time_us
        )
        if wanted.role is None:
            # Without its role nobody can say whether it signs.
            faults = [fault for fault in faults if not fault.rule.startswith("signing.")]
        refuse([*found, *faults])
        if name in snapshot.systems:
            raise HubError(Reason.ALREADY_EXISTS, name=name)
        assert proven is not None and wanted.role is not None
        system = System(
            name=name,
            authority=wanted.authority,
            role=wanted.role,
            title=wanted.title,
            state=SystemState.ACTIVE,
            x509_thumbprint=proven.keys.x509_thumbprint,
            x509_expire_time_us=proven.x509_expire_time_us,
            signing_key_id=proven.keys.signing_key_id,
            enrolment_entry=ENTRY_INDEX,
            create_time_us=time_us,
        )
        write = insert_system(system)
        return Decision(
            "system.enrolled",
            {
                "system": name,
                "authority": system.authority,
                "role": system.role.value,
                **proven.data(),
            },
            [write, insert_enrolment(proven.keys)],
            answer_of(write),
        )

    if validate_only:
        return await registrar.check(decide, system_answered)
    return await registrar.change(call, decide, system_answered)


async def rotate_system_keys(
    registrar: Registrar, call: Call, name: str, enrolment: Enrolment
) -> Outcome[System]:
    """Replace client certificate and signing key of `name`; the old ones end at once.

    1. The system may call. 2. Possession of both keys, which nobody enrolled before. 3. Entry
    `system.rotated` with the proofs and the enrolment that it follows. Raises HubError:
    SYSTEM_NOT_FOUND, TRANSITION_NOT_ALLOWED, FIELD_INVALID, and as `Registrar.change`.
    """

    async def decide(snapshot: Snapshot) -> Decision:
        old = _active(snapshot, name)
        time_us = registrar.clock()
        use = SIGNING_USE.get(old.role, "")
        proven, faults = _prove(
            registrar, snapshot, enrolment, owner=name, use=use, time_us=time_us
        )
        refuse(faults)
        assert proven is not None
        system = replace(
            old,
            x509_thumbprint=proven.keys.x509_thumbprint,
            x509_expire_time_us=proven.x509_expire_time_us,
            signing_key_id=proven.keys.signing_key_id,
            enrolment_entry=ENTRY_INDEX,
        )
        write = put_system(system)
        ended = end_enrolment(await _enrolment_row(registrar, old), time_us)
        return Decision(
            "system.rotated",
            {
                "system": name,
                "follows": old.enrolment_entry,
                "ended_x509_thumbprint": old.x509_thumbprint,
                "ended_signing_key_id": old.signing_key_id,
                **proven.data(),
            },
            [write, ended, insert_enrolment(proven.keys)],
            answer_of(write),
        )

    return await registrar.change(call, decide, system_answered)


async def revoke_system(registrar: Registrar, call: Call, name: str, cause: str) -> Outcome[System]:
    """End `name` for good; its connections and tokens are refused when this returns.

    The tokens of all systems of its authority end as well; those that are enrolled ask for new
    ones. 1. The system may call. 2. Entry `system.revoked`, which names the enrolment and the
    revoker. Raises HubError: SYSTEM_NOT_FOUND, TRANSITION_NOT_ALLOWED, FIELD_INVALID, and as
    `Registrar.change`.
    """

    async def decide(snapshot: Snapshot) -> Decision:
        refuse([text_violation("cause", cause, CAUSE_MAX)])
        old = _active(snapshot, name)
        time_us = registrar.clock()
        system = replace(old, state=SystemState.REVOKED, revoke_time_us=time_us)
        authority = snapshot.authorities[old.authority]
        write = put_system(system)
        return Decision(
            "system.revoked",
            {
                "system": name,
                "enrolment": old.enrolment_entry,
                "x509_thumbprint": old.x509_thumbprint,
                "signing_key_id": old.signing_key_id,
                "revoker": call.caller.name,
                "cause": cause,
            },
            [
                write,
                end_enrolment(await _enrolment_row(registrar, old), time_us),
                put_authority(replace(authority, generation=authority.generation + 1)),
            ],
            answer_of(write),
        )

    return await registrar.change(call, decide, system_answered)


def _violations(system_id: str, wanted: WantedSystem, snapshot: Snapshot) -> list[Violation | None]:
    found = [id_violation("system_id", system_id)]
    if wanted.authority not in snapshot.authorities:
        found.append(broken("system.authority", "authority.known"))
    elif snapshot.authorities[wanted.authority].successors:
        found.append(broken("system.authority", "authority.ended"))
    if wanted.role is None or wanted.role is Role.OFFICER:
        found.append(broken("system.role", "role.known"))
    if wanted.title:
        found.append(text_violation("system.title", wanted.title, TITLE_MAX))
    return found


def _prove(
    registrar: Registrar,
    snapshot: Snapshot,
    enrolment: Enrolment,
    *,
    owner: str,
    use: str,
    time_us: int,
) -> tuple[Proven | None, list[Violation]]:
    proven, faults = prove(
        enrolment,
        owner=owner,
        use=use,
        authorities=registrar.client_authorities,
        used=snapshot.used,
        time_us=time_us,
        field="enrolment",
    )
    return proven, list(faults)


def _active(snapshot: Snapshot, name: str) -> System:
    parse(name, "systems/{system}")
    system = snapshot.systems.get(name)
    if system is None:
        raise HubError(Reason.SYSTEM_NOT_FOUND, name=name)
    if system.state is not SystemState.ACTIVE:
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=system.state.value)
    return system


async def _enrolment_row(registrar: Registrar, system: System) -> Row:
    row = await registrar.database.one(ENROLMENT_BY_THUMBPRINT, system.x509_thumbprint)
    if row is None:
        raise HubError(Reason.DIGEST_MISMATCH, what=f"enrolment of {system.name}")
    return row
