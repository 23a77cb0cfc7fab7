"""Found the roster: number 0 holds the first officers. Every later one is under dual control."""

from __future__ import annotations

import uuid
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from hub.access.enrol_officer import OPERATOR
from hub.access.registrar import Registrar
from hub.access.roster_store import insert_roster, newest_roster_check
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.proof.jose import APPROVAL_TYP, Keys
from hub.proof.officers.roster import Officer, Quorum, Roster
from hub.proof.officers.roster_changes import Link, founded
from hub.proof.reasons import ProofError
from hub.storage.changes import Call, Change, change_once

_METHOD: Final = "init/found-roster"
_REQUEST_ID: Final = str(uuid.uuid5(uuid.NAMESPACE_URL, "sealway:init:roster"))


async def found_roster(registrar: Registrar, origin: str, region: str, keys: Keys) -> Roster:
    """Make number 0 of all officers that are enrolled and whose approval key is among `keys`,
    those that the log proves. Two of them besides the requester approve an intent.

    Done once; later calls give the same answer. Raises HubError: OFFICERS_TOO_FEW, and as
    `change_once`.
    """
    snapshot = registrar.directory.current
    time_us = registrar.clock()
    officers = []
    for one in snapshot.officers.values():
        key = keys(one.approval_key_id)
        if (
            key is not None
            and (key.owner, key.use) == (one.name, APPROVAL_TYP)
            and isinstance(key.public_key, EllipticCurvePublicKey)
        ):
            since = one.create_time_us // 1_000_000
            officers.append(Officer(one.name, key.public_key, one.x509_thumbprint, since))
    try:
        roster = founded(origin, region, time_us // 1_000_000, officers, Quorum())
    except ProofError as error:
        raise HubError(Reason.OFFICERS_TOO_FEW, count=len(officers)) from error
    statement = roster.to_bytes()

    def decide() -> Change:
        return Change(
            kind="roster.founded",
            data={"roster": statement.decode()},
            writes=[insert_roster(0, Link(statement))],
            checks=[newest_roster_check(-1)],
            answer=statement,
        )

    call = Call(OPERATOR, _REQUEST_ID, _METHOD, digest("roster"))
    await change_once(registrar.recorder, call, decide, registrar.directory.refresh)
    return roster
