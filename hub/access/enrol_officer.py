"""Enrol the first officers. Whoever comes later is enrolled by those, under dual control."""

from __future__ import annotations

from typing import Final

from hub.access.enrolment import Enrolment, prove
from hub.access.identity import Officer
from hub.access.registrar import Decision, Outcome, Registrar
from hub.access.rules import id_violation, refuse
from hub.access.snapshot import Snapshot
from hub.access.store import answer_of, insert_enrolment, insert_officer, officer_answered
from hub.domain.caller import Caller, Role
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.jose import APPROVAL_TYP
from hub.storage.changes import Call
from hub.storage.statements import ENTRY_INDEX

OPERATOR: Final = Caller("init", Role.OFFICER, "", "", 0, "", 0)
"""The caller of these entries. Who sets the hub up does an officer's work and has no identity in
it, as the enrolment entry 0 says: the first entry of a log is the hub's own."""

_METHOD: Final = "init/enrol-officer"


async def enrol_officer(
    registrar: Registrar, request_id: str, officer_id: str, enrolment: Enrolment
) -> Outcome[Officer]:
    """Enrol `officers/{officer_id}` with client certificate and approval key.

    `enrolment.signing_request` is made with the approval key. 1. No authority is registered yet:
    from then on the hub is in use, and `init` adds nobody. 2. Possession of both keys. 3. Entry
    `officer.enrolled` with the proofs. Raises HubError: FIELD_INVALID with everything that is
    wrong, ALREADY_EXISTS, TRANSITION_NOT_ALLOWED, and as `Registrar.change`.
    """
    name = f"officers/{officer_id}"
    parts = (enrolment.x509_certificate, enrolment.x509_request, enrolment.signing_request)
    content = digest(" ".join([name, *(digest(part) for part in parts)]))

    async def decide(snapshot: Snapshot) -> Decision:
        time_us = registrar.clock()
        proven, faults = prove(
            enrolment,
            owner=name,
            use=APPROVAL_TYP,
            authorities=registrar.client_authorities,
            used=snapshot.used,
            time_us=time_us,
            field="enrolment",
        )
        refuse([id_violation("officer_id", officer_id), *faults])
        if name in snapshot.officers:
            raise HubError(Reason.ALREADY_EXISTS, name=name)
        if snapshot.authorities:
            raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state="in use")
        assert proven is not None
        officer = Officer(
            name=name,
            x509_thumbprint=proven.keys.x509_thumbprint,
            x509_expire_time_us=proven.x509_expire_time_us,
            approval_key_id=proven.keys.signing_key_id,
            enrolment_entry=ENTRY_INDEX,
            create_time_us=time_us,
        )
        write = insert_officer(officer)
        return Decision(
            "officer.enrolled",
            {"officer": name, **proven.data()},
            [write, insert_enrolment(proven.keys)],
            answer_of(write),
        )

    call = Call(OPERATOR, request_id, _METHOD, content)
    return await registrar.found(call, decide, officer_answered)
