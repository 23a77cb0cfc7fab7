"""Officers and quorum, changed under dual control: each intent makes the next roster.

What an intent does to the roster is pure (`hub.proof.officers.roster_changes`); here stands what it
does to identities. Both are written with one entry, which holds the statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hub.access.enrolment import Enrolment, Proven, prove
from hub.access.identity import Officer
from hub.access.registrar import Registrar
from hub.access.roster_store import insert_roster
from hub.access.rosters import Rosters
from hub.access.rules import broken, refuse
from hub.access.snapshot import Snapshot
from hub.access.store import (
    ENROLMENT_BY_THUMBPRINT,
    end_enrolment,
    insert_enrolment,
    insert_officer,
    next_version,
    put_officer,
    version_check,
)
from hub.domain import names
from hub.domain.document import Reader
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.proof.encoding import b64u_decode, emit_json, parse_object
from hub.proof.jose import APPROVAL_TYP
from hub.proof.officers.intent import Bytes, Intent, Kind, Text, check_members
from hub.proof.officers.intent_kinds import (
    DER_BYTES_MAX,
    OFFICER_ABSENT,
    OFFICER_END,
    OFFICER_ENROL,
    OFFICER_HAND_OVER,
    OFFICER_ROTATE_KEY,
    OFFICER_SUCCEED,
    QUORUM_CHANGE,
)
from hub.proof.officers.roster import Approved, Roster, credential_members
from hub.proof.officers.roster_changes import Link, changed, effect
from hub.proof.reasons import ProofError, ProofReason
from hub.storage.changes import Call, Change
from hub.storage.statements import ENTRY_INDEX, Row, Write

_KEYED = (OFFICER_ENROL, OFFICER_HAND_OVER, OFFICER_ROTATE_KEY)
_FOUND = ("x509_thumbprint", "approval_key", "webauthn")
_PROOFS = ("x509_certificate", "x509_request", "signing_request")


@dataclass(frozen=True, slots=True)
class Identities:
    """What an intent does to identities: rows, and what the entry says besides the roster."""

    writes: Sequence[Write]
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ChangeRoster:
    """The operation of one kind of intent that changes officers or quorum."""

    kind: Kind
    registrar: Registrar
    rosters: Rosters

    async def prepare(self, call: Call, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """As proposed; of new keys, which come as the three proofs of possession, also the
        thumbprint and the approval key that are in them, and where the latter lies.

        Raises HubError(FIELD_INVALID) with everything that is wrong, ROSTER_MISSING.
        """
        roster = await self.rosters.current()
        if self.kind in _KEYED:
            members = self._with_keys(members)
        check_members(self.kind, members)
        if "officer" in members:
            names.parse(str(members["officer"]), "officers/{officer}")
        intent = Intent(
            kind=self.kind,
            origin=roster.origin,
            region=roster.region,
            members=members,
            not_before=0,
            not_after=1,
            uses_max=1,
            requester=call.caller.name,
        )
        try:
            effect(roster, intent, self.registrar.clock() // 1_000_000)
        except ProofError as error:
            raise _refused(error) from error
        return members

    async def execute(self, call: Call, approved: Approved) -> Change:
        """The next statement of the roster, and the identities that follow from it.

        1. What the intent makes of the newest roster. 2. Keys, proven anew. 3. An entry of the
        kind's own with the statement, under the versions that both were decided on. Raises
        HubError: FIELD_INVALID, INTENT_CLOSED, ROSTER_MISSING, ROSTER_BROKEN.
        """
        before = await self.rosters.current()
        if approved.digest in self.rosters.used:
            raise HubError(Reason.INTENT_CLOSED, intent=approved.digest, state="executed")
        snapshot = self.registrar.directory.current
        time_us = self.registrar.clock()
        try:
            after = changed(before, approved, time_us // 1_000_000)
        except ProofError as error:
            raise _refused(error) from error
        identities = await self._identities(snapshot, approved.intent, time_us)
        statement = after.to_bytes()
        link = Link(statement, approved.data, approved.approvals)
        writes = [
            *identities.writes,
            insert_roster(after.number, link),
            next_version(snapshot.version),
        ]
        data = {**identities.data, "roster": statement.decode()}
        return self._change(data, writes, snapshot, after)

    async def refresh(self) -> None:
        """Renew the snapshot of identities; the roster is read anew each time."""
        await self.registrar.directory.refresh()

    def _change(
        self,
        data: Mapping[str, Json],
        writes: Sequence[Write],
        snapshot: Snapshot,
        after: Roster,
    ) -> Change:
        checks = [version_check(snapshot.version)]
        answer = emit_json({"roster": after.number, "digest": after.digest})
        match self.kind.name:
            case OFFICER_ENROL.name:
                return Change("officer.enrolled", data, writes, checks, answer)
            case OFFICER_HAND_OVER.name:
                return Change("officer.handed_over", data, writes, checks, answer)
            case OFFICER_ROTATE_KEY.name:
                return Change("officer.rotated", data, writes, checks, answer)
            case OFFICER_END.name:
                return Change("officer.ended", data, writes, checks, answer)
            case OFFICER_ABSENT.name:
                return Change("officer.absent", data, writes, checks, answer)
            case OFFICER_SUCCEED.name:
                return Change("officer.succeeded", data, writes, checks, answer)
        assert self.kind == QUORUM_CHANGE, "every other kind stands above"
        return Change("quorum.changed", data, writes, checks, answer)

    async def _identities(self, snapshot: Snapshot, intent: Intent, time_us: int) -> Identities:
        """Step 2."""
        if self.kind == QUORUM_CHANGE:
            return Identities((), {})
        name = intent.text("officer")
        data: dict[str, Json] = {"officer": name}
        if self.kind in (OFFICER_END, OFFICER_SUCCEED):
            old = self._enrolled(snapshot, name)
            data["enrolment"] = old.enrolment_entry
            return Identities([end_enrolment(await self._row(old), time_us)], data)
        if self.kind == OFFICER_ABSENT:
            return Identities((), data)
        proven = self._proven(snapshot, intent.members, time_us)
        officer = Officer(
            name=name,
            x509_thumbprint=proven.keys.x509_thumbprint,
            x509_expire_time_us=proven.x509_expire_time_us,
            approval_key_id=proven.keys.signing_key_id,
            enrolment_entry=ENTRY_INDEX,
            create_time_us=time_us,
        )
        data |= proven.data()
        if self.kind == OFFICER_ENROL:
            if name in snapshot.officers:
                raise HubError(Reason.ALREADY_EXISTS, name=name)
            return Identities([insert_officer(officer), insert_enrolment(proven.keys)], data)
        old = self._enrolled(snapshot, name)
        data["follows"] = old.enrolment_entry
        writes = [
            put_officer(replace(officer, create_time_us=old.create_time_us)),
            end_enrolment(await self._row(old), time_us),
            insert_enrolment(proven.keys),
        ]
        return Identities(writes, data)

    def _with_keys(self, members: Mapping[str, Json]) -> Mapping[str, Json]:
        """The members with what the proofs in them hold, each rule of enrolments kept."""
        reader = Reader(members, "", [])
        Text(72).read(reader, "officer", optional=False)
        for name in _PROOFS:
            Bytes(DER_BYTES_MAX).read(reader, name, optional=False)
        reader.check()
        proven = self._proven(self.registrar.directory.current, members, self.registrar.clock())
        found: dict[str, Json] = {
            "x509_thumbprint": proven.keys.x509_thumbprint,
            "approval_key": parse_object(proven.keys.signing_jwk),
        }
        if proven.credential is not None:
            found["webauthn"] = credential_members(proven.credential)
        return {name: said for name, said in members.items() if name not in _FOUND} | found

    def _proven(self, snapshot: Snapshot, members: Mapping[str, Json], time_us: int) -> Proven:
        parts = [b64u_decode(str(members[name])) for name in _PROOFS]
        proven, faults = prove(
            Enrolment(*parts),
            owner=str(members["officer"]),
            use=APPROVAL_TYP,
            authorities=self.registrar.client_authorities,
            used=snapshot.used,
            time_us=time_us,
            field="members",
        )
        refuse(faults)
        assert proven is not None, "nothing was wrong with it"
        return proven

    def _enrolled(self, snapshot: Snapshot, name: str) -> Officer:
        officer = snapshot.officers.get(name)
        if officer is None or officer.end_time_us is not None:
            raise HubError(Reason.OFFICER_NOT_FOUND, name=name)
        return officer

    async def _row(self, officer: Officer) -> Row:
        row = await self.registrar.database.one(ENROLMENT_BY_THUMBPRINT, officer.x509_thumbprint)
        if row is None:
            raise HubError(Reason.DIGEST_MISMATCH, what=f"enrolment of {officer.name}")
        return row


def _refused(error: ProofError) -> HubError:
    """What the roster does not allow, as the rule that is broken."""
    if error.reason is ProofReason.ROSTER_INVALID:
        found: Violation = broken("members", "key.used")
    else:
        found = broken("members", error.detail)
    return HubError(Reason.FIELD_INVALID, violations=(found,), field=found.field, rule=found.rule)
