"""Intents: proposed by one officer, approved by others, ended by one rejection or executed once.

What officers sign are the exact bytes of the intent with a nonce of their own; the bytes are made
once and kept. The state in the table only steers: whoever acts on an intent verifies the approvals
again, against the roster that the log proves (`hub.proof.officers.roster`).
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.domain.strict_json import Json, NotStrictJsonError
from hub.domain.strict_json import parse_object as parse_strictly
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.proof.officers.approval import Decision, intent_digest
from hub.proof.officers.intent import (
    INTENT_NONCE_BYTES,
    INTENT_SIZE_MAX,
    SECONDS_MAX,
    USES_MAX,
    Intent,
    Kind,
    check_members,
    parse_intent,
)
from hub.proof.officers.intent_kinds import KINDS, STANDING_SEAL
from hub.proof.officers.roster import Approved, check_approval, verify_approved
from hub.proof.reasons import ProofError, ProofReason
from hub.seal.ended_intents import EndedIntents
from hub.seal.ports import Database, Operation, Recorder, Rosters
from hub.seal.standing_seals import StandingSeals
from hub.seal.store import (
    APPROVALS_OF_INTENT,
    INSERT_INTENT,
    INTENT_BY_NAME,
    PUT_INTENT,
    USES_OF_INTENT,
    IntentState,
    StoredApproval,
    StoredIntent,
    approval_of,
    intent_of,
    intent_row,
    unchanged_intent,
)
from hub.storage.changes import (
    Answered,
    Call,
    Change,
    answered_before,
    read_and_change_once,
    record,
)
from hub.storage.statements import Check, Write

LIFE_S: Final = 7 * 86_400
"""How long an intent holds for which no end was said."""
OPEN: Final = frozenset({IntentState.PROPOSED, IntentState.APPROVED})
"""What may still be decided on, taken back or replaced."""


@dataclass(frozen=True, slots=True)
class ProposedIntent:
    """What shall be allowed; times in seconds, by default seven days from now on.

    `members` is a JSON object of what the kind asks for, `replaces` the name of the intent that
    this one takes the place of, or empty.
    """

    intent_id: str
    kind: str
    members: bytes
    not_before: int | None = None
    not_after: int | None = None
    uses_max: int = 1
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class IntentView:
    """An intent with the decisions on it, its uses so far, the approvals it needs by now, and how
    many of those that it has count now (0 once it is closed or over)."""

    stored: StoredIntent
    intent: Intent
    approvals: tuple[StoredApproval, ...]
    uses: int
    quorum: int
    counting: int


Encode = Callable[[IntentView], bytes]
EncodeResult = Callable[[IntentView, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Intents:
    """All intents; officers decide on them by `hub.seal.decisions`.

    `operations` do what an intent of their kind says; standing ones are used by sealing.
    """

    origin: str
    region: str
    database: Database
    recorder: Recorder
    clock: Clock
    rosters: Rosters
    standing_seals: StandingSeals
    operations: Mapping[str, Operation]
    ended: EndedIntents

    async def get(self, name: str) -> IntentView:
        """One intent. Raises HubError: INTENT_NOT_FOUND, ROSTER_MISSING, ROSTER_BROKEN."""
        row = await self.database.one(INTENT_BY_NAME, name)
        if row is None:
            raise HubError(Reason.INTENT_NOT_FOUND, name=name)
        return await self.view(intent_of(row))

    async def view(self, stored: StoredIntent) -> IntentView:
        """`stored` with its decisions and uses."""
        rows = await self.database.all(APPROVALS_OF_INTENT, stored.name)
        uses = await self.database.one(USES_OF_INTENT, stored.name)
        executed = stored.state is IntentState.EXECUTED
        return await self._viewed(
            stored,
            tuple(approval_of(row) for row in rows),
            int(executed) if uses is None else int(uses[0] or 0),
        )

    async def propose(self, call: Call, proposed: ProposedIntent, encode: Encode) -> Answered:
        """Store the exact bytes of an intent.

        1. The same call again gives the first answer. 2. Kind, members, times and uses. 3. The
        intent that it replaces is the caller's own and open; it ends with the same entry. Raises
        HubError: FIELD_INVALID, INTENT_NOT_FOUND, INTENT_CLOSED, APPROVER_REFUSED, ALREADY_EXISTS,
        ROSTER_MISSING, and whatever the kind's operation refuses.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        names.check_id(proposed.intent_id, field="intent_id")
        kind = self._kind(proposed)
        not_before, not_after = self._times(proposed)
        _check_uses(proposed.uses_max, kind)
        replaced = await self._replaced(call, proposed.replaces)
        roster = await self.rosters.current()
        intent = Intent(
            kind=kind,
            origin=self.origin,
            region=self.region,
            members=await self._prepared(call, kind, proposed.members),
            not_before=not_before,
            not_after=not_after,
            uses_max=proposed.uses_max,
            requester=call.caller.name,
            quorum=roster.quorum.of(kind.name),
            replaces=None if replaced is None else replaced.digest,
            nonce=b64u(secrets.token_bytes(INTENT_NONCE_BYTES)),
        )
        stored = _stored(f"intents/{proposed.intent_id}", intent, self.clock())
        if await self.database.one(INTENT_BY_NAME, stored.name) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=stored.name)
        writes = [Write(INSERT_INTENT, [intent_row(stored)])]
        checks = [Check(INTENT_BY_NAME, (stored.name,), None), self.rosters.check()]
        data: dict[str, Json] = {
            "intent": stored.name,
            "digest": stored.digest,
            "bytes": stored.bytes.decode(),
        }
        if replaced is not None:
            ended = dataclasses.replace(replaced, state=IntentState.REPLACED)
            writes.append(Write(PUT_INTENT, [intent_row(ended)]))
            checks.append(unchanged_intent(replaced))
            data["replaced"] = replaced.name
            data["replaced_not_after"] = read_intent(replaced).not_after
        answer = encode(await self._viewed(stored, (), 0))
        return await record(
            self.recorder, call, Change("intent.proposed", data, writes, checks, answer)
        )

    async def in_force(self, name: str, kind: Kind) -> tuple[StoredIntent, Approved, int | None]:
        """A standing intent of `kind`, its approvals verified anew, and how often it was used
        (None: never yet).

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, INTENT_NOT_APPROVED with the rule.
        """
        view = await self.get(name)
        if view.intent.kind != kind:
            raise _not_approved(name, f"it is of kind {view.intent.kind.name}, not {kind.name}")
        row = await self.database.one(USES_OF_INTENT, name)
        return view.stored, await self._approved(view), None if row is None else int(row[0] or 0)

    async def withdraw(self, call: Call, name: str, encode: Encode) -> Answered:
        """End an intent that has not been executed, approved or not. Its requester only.

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, APPROVER_REFUSED, DECISION_STALE.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        view = await self.get(name)
        _check_own_and_open(view.stored, view.intent, call.caller.name)
        ended = dataclasses.replace(view.stored, state=IntentState.WITHDRAWN)
        answer = encode(dataclasses.replace(view, stored=ended, counting=0))
        return await record(
            self.recorder,
            call,
            Change(
                kind="intent.withdrawn",
                data={
                    "intent": name,
                    "digest": ended.digest,
                    "not_after": view.intent.not_after,
                },
                writes=[Write(PUT_INTENT, [intent_row(ended)])],
                checks=[unchanged_intent(view.stored)],
                answer=answer,
            ),
        )

    async def execute(self, call: Call, name: str, encode: EncodeResult) -> Answered:
        """Do what an approved intent says, once; durable and logged when it returns.

        1. The same call again gives the first answer. 2. The intent is open and not a standing
        one. 3. Its approvals are verified anew, by the roster as it is. 4. The caller proposed it
        or is one whose approval counts. 5. What it does is recorded with the end of the intent, in
        one entry: it is executed whole or not at all. Raises HubError: INTENT_NOT_FOUND,
        INTENT_CLOSED, INTENT_NOT_APPROVED with the rule, APPROVER_REFUSED, DECISION_STALE, and
        whatever the operation refuses.
        """
        view = await self.get(name)
        operation = self.operations.get(view.intent.kind.name)
        if operation is None:
            raise _not_approved(view.stored.name, "it is used by sealing and not executed")

        async def decide() -> Change:
            view = await self.get(name)
            approved = await self._approved(view)
            if call.caller.name not in (view.intent.requester, *approved.officers):
                raise refused(
                    name, "its requester or an approver executes it", "应由提出人或批准人执行"
                )
            change = await operation.execute(call, approved)
            executed = dataclasses.replace(view.stored, state=IntentState.EXECUTED)
            evidence: dict[str, Json] = {
                "intent": name,
                "digest": approved.digest,
                "bytes": approved.data.decode(),
                "approvals": [*approved.approvals],
            }
            return Change(
                kind=change.kind,
                data={**change.data, **evidence},
                writes=[*change.writes, Write(PUT_INTENT, [intent_row(executed)])],
                checks=[*change.checks, unchanged_intent(view.stored), self.rosters.check()],
                answer=encode(
                    dataclasses.replace(view, stored=executed, uses=1, counting=0), change.answer
                ),
            )

        return await read_and_change_once(self.recorder, call, decide, operation.refresh)

    def counting(
        self, stored: StoredIntent, intent: Intent, approvals: Sequence[StoredApproval]
    ) -> int:
        """How many of these approvals count now; 0 of an intent that is closed or over."""
        if stored.state not in OPEN or intent.not_after <= self.clock() // 1_000_000:
            return 0
        return sum(
            one.decision == Decision.APPROVE and self.counts(stored, intent, one)
            for one in approvals
        )

    def counts(self, stored: StoredIntent, intent: Intent, approval: StoredApproval) -> bool:
        """Whether this decision holds now, whatever it is."""
        now = self.clock() // 1_000_000
        try:
            said = check_approval(approval.approval, stored.bytes, intent, self.rosters.newest, now)
        except ProofError:
            return False
        # A row may hold another officer's words, or call them something else.
        return (said.officer, said.decision) == (approval.officer, approval.decision)

    def approved_by(
        self, stored: StoredIntent, approvals: Sequence[StoredApproval], now: int
    ) -> Approved:
        """That enough of these decisions approve the intent at `now` (seconds). Raises ProofError
        as `hub.proof.officers.roster.verify_approved`."""
        roster = self.rosters.newest
        approved = verify_approved(
            stored.bytes, [one.approval for one in approvals], roster, KINDS, now=now
        )
        if (roster.origin, roster.region) != (self.origin, self.region):
            raise ProofError(ProofReason.ORIGIN_WRONG, "roster")
        return approved

    # -- Steps -------------------------------------------------------------------------------------

    async def _viewed(
        self, stored: StoredIntent, approvals: tuple[StoredApproval, ...], uses: int
    ) -> IntentView:
        roster = await self.rosters.current()
        intent = read_intent(stored)
        quorum = max(intent.quorum, roster.quorum.of(intent.kind.name))
        counting = self.counting(stored, intent, approvals)
        return IntentView(stored, intent, approvals, uses, quorum, counting)

    def _times(self, proposed: ProposedIntent) -> tuple[int, int]:
        now = self.clock() // 1_000_000
        start = now if proposed.not_before is None else proposed.not_before
        until = start + LIFE_S if proposed.not_after is None else proposed.not_after
        if not 0 <= start < until <= SECONDS_MAX or until <= now:
            rule = "later than start_time and than now"
            raise HubError(Reason.FIELD_INVALID, field="expire_time", rule=rule)
        return start, until

    def _kind(self, proposed: ProposedIntent) -> Kind:
        known = {STANDING_SEAL.name, *self.operations}
        kind = KINDS.get(proposed.kind) if proposed.kind in known else None
        if kind is None:
            rule = f"one of {', '.join(sorted(known))}"
            raise HubError(Reason.FIELD_INVALID, field="kind", rule=rule)
        return kind

    async def _prepared(self, call: Call, kind: Kind, data: bytes) -> Mapping[str, Json]:
        if len(data) > INTENT_SIZE_MAX:
            rule = f"at most {INTENT_SIZE_MAX} bytes"
            raise HubError(Reason.FIELD_INVALID, field="members", rule=rule)
        try:
            members = parse_strictly(data)
        except NotStrictJsonError as error:
            raise HubError(Reason.FIELD_INVALID, field="members", rule=str(error)) from error
        operation = self.operations.get(kind.name, self.standing_seals)
        prepared = await operation.prepare(call, members)
        check_members(kind, prepared)
        return prepared

    async def _replaced(self, call: Call, name: str) -> StoredIntent | None:
        if not name:
            return None
        names.parse(name, "intents/{intent}")
        view = await self.get(name)
        _check_own_and_open(view.stored, view.intent, call.caller.name)
        return view.stored

    async def _approved(self, view: IntentView) -> Approved:
        """Steps 2 and 3 of executing."""
        await self.ended.refresh()
        # Of the bytes as they stand there: the row may give them another digest.
        ended = self.ended.state(b64u(intent_digest(view.stored.bytes)))
        state = view.stored.state if ended is None else ended
        if state not in OPEN:
            raise HubError(Reason.INTENT_CLOSED, intent=view.stored.name, state=state.value)
        now = self.clock() // 1_000_000
        try:
            return self.approved_by(view.stored, view.approvals, now)
        except ProofError as error:
            raise _not_approved(view.stored.name, error.rule) from error


def read_intent(stored: StoredIntent) -> Intent:
    """What a stored intent's bytes say. Raises HubError(DIGEST_MISMATCH)."""
    try:
        return parse_intent(stored.bytes, KINDS)
    except ProofError as error:
        raise HubError(Reason.DIGEST_MISMATCH, what=stored.name) from error


def _stored(name: str, intent: Intent, time_us: int) -> StoredIntent:
    data = intent.to_bytes()
    is_seal = intent.kind == STANDING_SEAL
    version = intent.members.get("type_version", 0)
    return StoredIntent(
        name=name,
        authority=intent.text("seal").partition("/seals/")[0] if is_seal else "",
        type_code=intent.text("vct").rpartition("/")[2] if is_seal else "",
        type_version=version if is_seal and isinstance(version, int) else 0,
        bytes=data,
        digest=b64u(intent_digest(data)),
        state=IntentState.PROPOSED,
        decisions=0,
        create_time_us=time_us,
    )


def _check_uses(uses_max: int, kind: Kind) -> None:
    most = USES_MAX if kind.is_standing else 1
    if not 1 <= uses_max <= most:
        raise HubError(Reason.FIELD_INVALID, field="uses_max", rule=f"1 to {most}")


def _check_own_and_open(stored: StoredIntent, intent: Intent, officer: str) -> None:
    if intent.requester != officer:
        raise refused(stored.name, "only its requester takes it back", "只能由提出人撤回或替换")
    if stored.state not in OPEN:
        raise HubError(Reason.INTENT_CLOSED, intent=stored.name, state=stored.state.value)


def refused(name: str, en: str, zh: str) -> HubError:
    return HubError(Reason.APPROVER_REFUSED, intent=name, en=en, zh=zh)


def _not_approved(name: str, rule: str) -> HubError:
    return HubError(Reason.INTENT_NOT_APPROVED, intent=name, rule=rule)
