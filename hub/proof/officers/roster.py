"""The roster: which officers may approve, with which keys, and how many of them it takes.

A roster is a statement, numbered from 0 and chained by digests. `init` makes number 0; each later
one follows from the one before and an intent that satisfied the one *before* (`roster_changes`).
So whoever knows number 0 can follow the chain to any later number and needs no database for it.

Who counts (`verify_approved`): an officer whose key the roster has now, who was not absent when
signing nor, where the intent is executed once, is absent now; never the requester, each officer
once. A statement that has one key or certificate for two officers is no roster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from hub.domain.document import Reader
from hub.domain.strict_json import Json
from hub.errors import HubError
from hub.proof.encoding import b64u, digest, emit_json, parse_object
from hub.proof.jose import (
    APPROVAL_TYP,
    WEBAUTHN_APPROVAL_TYP,
    Algorithm,
    RegisteredKey,
    jwk,
    public_key_from_jwk,
)
from hub.proof.jose import thumbprint as thumbprint_of
from hub.proof.officers.approval import Approval, Decision, intent_digest, verify_approval
from hub.proof.officers.intent import (
    DIGEST,
    MOMENT,
    NAME,
    QUORUM_MAX,
    QUORUM_MIN,
    Bytes,
    Flag,
    Integer,
    Intent,
    Key,
    Kind,
    Member,
    Object,
    Objects,
    Text,
    parse_intent,
)
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.webauthn import CREDENTIAL_ID_BYTES_MAX, ORIGIN_LENGTH_MAX, Credential

OFFICERS_MAX: Final = 64
ABSENCES_MAX: Final = 32
ROSTER_SIZE_MAX: Final = 262_144
APPROVALS_MAX: Final = 16
"""How many approvals of one intent are looked at."""
CREDENTIAL: Final = (
    Member("rp_id", Text(ORIGIN_LENGTH_MAX)),
    Member("origin", Text(ORIGIN_LENGTH_MAX)),
    Member("credential_id", Bytes(CREDENTIAL_ID_BYTES_MAX)),
)
"""What is said of a key that lies in an authenticator."""

_ABSENCE: Final = (
    Member("from", MOMENT),
    Member("until", MOMENT),
    Member("substitute", NAME, optional=True),
)
_OFFICER: Final = (
    Member("officer", NAME),
    Member("key", Key()),
    Member("webauthn", Object(CREDENTIAL), optional=True),
    Member("x509_thumbprint", DIGEST),
    Member("since", MOMENT),
    Member("standby", Flag(), optional=True),
    Member("absences", Objects(ABSENCES_MAX, _ABSENCE), optional=True),
)
_STATEMENT: Final = (
    Member("v", Integer(1, 1)),
    Member("kind", Text(16)),
    Member("origin", Text(255)),
    Member("region", Text(6)),
    Member("number", Integer(0, 2**31)),
    Member("prev", DIGEST, optional=True),
    Member("intent", DIGEST, optional=True),
    Member("time", MOMENT),
    Member("officers", Objects(OFFICERS_MAX, _OFFICER)),
    Member("default", Integer(QUORUM_MIN, QUORUM_MAX)),
    Member(
        "kinds",
        Objects(
            64, (Member("kind", Text(64)), Member("approvals", Integer(QUORUM_MIN, QUORUM_MAX)))
        ),
        optional=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Absence:
    """When an officer does not act, `until` excluded, and who on standby acts instead. Seconds."""

    start: int
    until: int
    substitute: str = ""

    def covers(self, at: int) -> bool:
        """Whether it lasts at `at`."""
        return self.start <= at < self.until


@dataclass(frozen=True, slots=True)
class Officer:
    """Who may approve with which key since when (seconds). One on standby only substitutes.

    The key of one with a `credential` lies in an authenticator that a browser asks.
    """

    name: str
    key: ec.EllipticCurvePublicKey
    x509_thumbprint: str
    since: int
    is_standby: bool = False
    absences: tuple[Absence, ...] = ()
    credential: Credential | None = None

    @property
    def key_id(self) -> str:
        """RFC 7638 thumbprint of the approval key."""
        return thumbprint_of(self.key)


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many officers besides the requester approve an intent, by its kind."""

    default: int = QUORUM_MIN
    kinds: Mapping[str, int] = field(default_factory=dict)

    def of(self, kind: str) -> int:
        """What an intent of `kind` needs."""
        return self.kinds.get(kind, self.default)

    @property
    def most(self) -> int:
        """What the most demanding kind needs."""
        return max(self.default, *self.kinds.values(), QUORUM_MIN)


@dataclass(frozen=True, slots=True)
class Roster:
    """One statement. `prev` is the digest of the statement before, `intent` that of the intent
    that carried it; both are absent in number 0. `time` is when it began to hold, in seconds."""

    origin: str
    region: str
    number: int
    prev: str | None
    intent: str | None
    time: int
    officers: Mapping[str, Officer]
    quorum: Quorum

    @property
    def digest(self) -> str:
        """SHA-256 of the statement's bytes, base64url."""
        return digest(self.to_bytes())

    def key(self, kid: str, /) -> RegisteredKey | None:
        """The approval key `kid` of an officer of this roster."""
        for officer in self.officers.values():
            if officer.key_id == kid:
                use = APPROVAL_TYP if officer.credential is None else WEBAUTHN_APPROVAL_TYP
                return RegisteredKey(
                    kid, Algorithm.ES256, use, officer.name, officer.key, officer.credential
                )
        return None

    def is_acting(self, name: str, at: int) -> bool:
        """Whether the officer may decide at `at`: enrolled by then and not absent, or on standby
        and substitute of somebody who is absent."""
        officer = self.officers.get(name)
        if officer is None or at < officer.since:
            return False
        if any(absence.covers(at) for absence in officer.absences):
            return False
        return not officer.is_standby or any(
            absence.substitute == name and absence.covers(at)
            for other in self.officers.values()
            for absence in other.absences
        )

    def to_bytes(self) -> bytes:
        """The statement's bytes; written once and kept."""
        members: dict[str, Json] = {
            "v": 1,
            "kind": "roster",
            "origin": self.origin,
            "region": self.region,
            "number": self.number,
        }
        if self.prev is not None:
            members["prev"] = self.prev
        if self.intent is not None:
            members["intent"] = self.intent
        members["time"] = self.time
        members["officers"] = [_officer_members(one) for one in self.officers.values()]
        members["default"] = self.quorum.default
        if self.quorum.kinds:
            members["kinds"] = [
                {"kind": kind, "approvals": approvals}
                for kind, approvals in self.quorum.kinds.items()
            ]
        return emit_json(members)


@dataclass(frozen=True, slots=True)
class Approved:
    """An intent that enough officers approved. `approvals` are the texts that count, of `officers`
    in the same order; `time` (seconds) is when the last of them was signed, `until` when there will
    be too few of them."""

    intent: Intent
    data: bytes
    digest: str
    approvals: tuple[str, ...]
    officers: tuple[str, ...]
    time: int
    until: int


def parse_roster(data: bytes) -> Roster:
    """The statement in `data`, read strictly. Whether it follows from the one before is not looked
    at here.

    Raises ProofError: TOO_LARGE, the JSON reasons, ROSTER_INVALID with what is wrong.
    """
    if len(data) > ROSTER_SIZE_MAX:
        raise ProofError(ProofReason.TOO_LARGE, "roster")
    members = parse_object(data)
    reader = Reader(members, "", [])
    for member in _STATEMENT:
        member.form.read(reader, member.name, optional=member.optional)
    reader.end()
    try:
        reader.check()
    except HubError as error:
        raise ProofError(ProofReason.ROSTER_INVALID, error.details.get("field", "")) from error
    roster = _roster(members)
    check_distinct(roster)
    first = roster.number == 0
    if first != (roster.prev is None) or first != (roster.intent is None):
        raise ProofError(ProofReason.ROSTER_INVALID, "prev")
    if members["kind"] != "roster" or roster.to_bytes() != data:
        raise ProofError(ProofReason.ROSTER_INVALID, "spelling")
    return roster


def check_distinct(roster: Roster) -> None:
    """Raises ProofError(ROSTER_INVALID) where two officers have one name, key or certificate."""
    for what in (
        [one.key_id for one in roster.officers.values()],
        [one.x509_thumbprint for one in roster.officers.values()],
    ):
        if len(set(what)) < len(what):
            raise ProofError(ProofReason.ROSTER_INVALID, "one key or certificate of two officers")


def verify_approved(
    data: bytes,
    approvals: Sequence[str],
    roster: Roster,
    kinds: Mapping[str, Kind],
    *,
    now: int,
) -> Approved:
    """The intent in `data`, once enough officers of `roster` approved these very bytes.

    1. The intent, of the roster's hub. 2. It is in force at `now` (seconds). 3. Each approval is
    authentic, of an acting officer other than the requester, and in force; one that is not does not
    count, and a rejection ends the intent. 4. As many officers as the intent and the roster demand;
    one of them, where the kind needs it, computed what it signed. Raises ProofError: as
    `parse_intent`, ORIGIN_WRONG, REGION_WRONG, INTENT_NOT_IN_FORCE, INTENT_REJECTED,
    QUORUM_NOT_REACHED with what became of each approval, DISPLAY_MISSING.
    """
    intent = parse_intent(data, kinds)
    if intent.origin != roster.origin:
        raise ProofError(ProofReason.ORIGIN_WRONG, "intent")
    if intent.region != roster.region:
        raise ProofError(ProofReason.REGION_WRONG, "intent")
    if not intent.not_before <= now < intent.not_after:
        raise ProofError(ProofReason.INTENT_NOT_IN_FORCE)
    counted: dict[str, tuple[Approval, str]] = {}
    why: list[str] = []
    for text in approvals[:APPROVALS_MAX]:
        try:
            approval = check_approval(text, data, intent, roster, now)
        except ProofError as error:
            why.append(error.reason.value)
            continue
        if approval.decision is Decision.REJECT:
            raise ProofError(ProofReason.INTENT_REJECTED, approval.officer)
        counted[approval.officer] = (approval, text)
    needed = max(intent.quorum, roster.quorum.of(intent.kind.name))
    if len(counted) < needed:
        detail = f"{len(counted)} of {needed}" + (f"; {', '.join(why)}" if why else "")
        raise ProofError(ProofReason.QUORUM_NOT_REACHED, detail)
    until = _nth_end(counted.values(), needed)
    if intent.kind.needs_display:
        displayed = [one for one in counted.values() if one[0].is_displayed]
        if not displayed:
            raise ProofError(ProofReason.DISPLAY_MISSING)
        until = min(until, _nth_end(displayed, 1))
    return Approved(
        intent=intent,
        data=data,
        digest=b64u(intent_digest(data)),
        approvals=tuple(text for _, text in counted.values()),
        officers=tuple(counted),
        time=max(approval.iat for approval, _ in counted.values()),
        until=min(intent.not_after, until),
    )


def _nth_end(counted: Iterable[tuple[Approval, str]], needed: int) -> int:
    """When fewer than `needed` of these approvals will be left."""
    return sorted((approval.not_after for approval, _ in counted), reverse=True)[needed - 1]


def check_approval(text: str, data: bytes, intent: Intent, roster: Roster, now: int) -> Approval:
    """The decision in `text` on the intent, which counts at `now` (seconds).

    Its nonce is taken as it says: whether it was issued only the hub that issued it can know.
    Raises ProofError: as `verify_approval`, APPROVER_NOT_COUNTED with the rule.
    """
    approval = verify_approval(
        text,
        keys=roster.key,
        origin=roster.origin,
        region=roster.region,
        now=now,
        intent=data,
        nonce=None,
    )
    if approval.officer == intent.requester:
        raise ProofError(ProofReason.APPROVER_NOT_COUNTED, "requester")
    # A standing intent outlasts the holidays of those who approved it; a deed waits for them.
    moments = (approval.iat,) if intent.kind.is_standing else (approval.iat, now)
    if not all(roster.is_acting(approval.officer, moment) for moment in moments):
        raise ProofError(ProofReason.APPROVER_NOT_COUNTED, "absent or not yet in office")
    return approval


def _roster(members: Mapping[str, Json]) -> Roster:
    """The statement of members that were read."""
    officers: dict[str, Officer] = {}
    for one in _objects(members, "officers"):
        officer = Officer(
            name=str(one["officer"]),
            key=public_key_from_jwk(_object(one["key"])),
            x509_thumbprint=str(one["x509_thumbprint"]),
            since=_integer(one["since"]),
            is_standby="standby" in one,
            credential=credential_of(one),
            absences=tuple(
                Absence(
                    _integer(absence["from"]),
                    _integer(absence["until"]),
                    str(absence.get("substitute", "")),
                )
                for absence in _objects(one, "absences")
            ),
        )
        if officer.name in officers:
            raise ProofError(ProofReason.ROSTER_INVALID, "an officer occurs twice")
        officers[officer.name] = officer
    kinds = {str(one["kind"]): _integer(one["approvals"]) for one in _objects(members, "kinds")}
    return Roster(
        origin=str(members["origin"]),
        region=str(members["region"]),
        number=_integer(members["number"]),
        prev=str(members["prev"]) if "prev" in members else None,
        intent=str(members["intent"]) if "intent" in members else None,
        time=_integer(members["time"]),
        officers=officers,
        quorum=Quorum(_integer(members["default"]), kinds),
    )


def _officer_members(officer: Officer) -> dict[str, Json]:
    members: dict[str, Json] = {
        "officer": officer.name,
        "key": {**jwk(officer.key)},
    }
    if officer.credential is not None:
        members["webauthn"] = credential_members(officer.credential)
    members["x509_thumbprint"] = officer.x509_thumbprint
    members["since"] = officer.since
    if officer.is_standby:
        members["standby"] = True
    if officer.absences:
        members["absences"] = [_absence_members(one) for one in officer.absences]
    return members


def credential_members(credential: Credential) -> dict[str, Json]:
    """The member `webauthn` of an officer's keys."""
    return {
        "rp_id": credential.rp_id,
        "origin": credential.origin,
        "credential_id": credential.credential_id,
    }


def credential_of(members: Mapping[str, Json]) -> Credential | None:
    """The credential in the member `webauthn`, which was read as one; None where it is absent."""
    if "webauthn" not in members:
        return None
    said = _object(members["webauthn"])
    return Credential(str(said["rp_id"]), str(said["origin"]), str(said["credential_id"]))


def _absence_members(absence: Absence) -> dict[str, Json]:
    members: dict[str, Json] = {"from": absence.start, "until": absence.until}
    if absence.substitute:
        members["substitute"] = absence.substitute
    return members


def _objects(members: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    value = members.get(name, [])
    assert isinstance(value, list), "it was read as one"
    return [_object(one) for one in value]


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict), "it was read as one"
    return value


def _integer(value: Json) -> int:
    assert type(value) is int, "it was read as one"
    return value
