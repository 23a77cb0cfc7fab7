"""Officers' decisions on intents: a nonce for each, and what was signed over it taken in.

Challenges are kept in memory: a restart asks officers to begin again.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.errors import HubError, Reason
from hub.proof.jose import SKEW_S
from hub.proof.officers.approval import (
    APPROVAL_SIZE_MAX,
    NONCE_BYTES,
    Approval,
    Decision,
    approval_counter,
    approval_key_id,
    verify_approval,
)
from hub.proof.officers.roster import APPROVALS_MAX
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError
from hub.proof.webauthn import check_counter
from hub.seal.intents import OPEN, Encode, Intents, IntentView, refused
from hub.seal.ports import Officers
from hub.seal.store import (
    NEWEST_APPROVAL_OF_KEY,
    PUT_APPROVAL,
    PUT_INTENT,
    IntentState,
    StoredApproval,
    StoredIntent,
    approval_row,
    intent_row,
    unchanged_intent,
)
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import Check, Write, text

CHALLENGE_LIFE_S: Final = 600
CHALLENGES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an officer signs over; the nonce serves for one decision by this officer."""

    intent_bytes: bytes
    nonce: bytes = field(repr=False)
    issue_time_us: int
    key_entry: int

    @property
    def expire_time_us(self) -> int:
        """When the nonce ends."""
        return self.issue_time_us + CHALLENGE_LIFE_S * 1_000_000


@dataclass(frozen=True, slots=True)
class Decisions:
    """What officers decide, and the challenges that are open."""

    intents: Intents
    officers: Officers
    _challenges: dict[tuple[str, str], Challenge] = field(default_factory=dict, repr=False)

    async def challenge(self, officer: str, name: str) -> Challenge:
        """A fresh nonce for one decision by `officer`; an earlier one for the same ends.

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, APPROVER_REFUSED, OFFICER_NOT_FOUND.
        """
        view = await self.intents.get(name)
        self._check_may_decide(view, officer)
        key_entry = self.officers.key_entry(officer)
        if key_entry is None:
            raise HubError(Reason.OFFICER_NOT_FOUND, name=officer)
        now_us = self.intents.clock()
        for key in [k for k, one in self._challenges.items() if one.expire_time_us <= now_us]:
            del self._challenges[key]
        if len(self._challenges) >= CHALLENGES_MAX:
            raise HubError(Reason.RATE_LIMITED, retry_after_s=CHALLENGE_LIFE_S)
        nonce = secrets.token_bytes(NONCE_BYTES)
        challenge = Challenge(view.stored.bytes, nonce, now_us, key_entry)
        self._challenges[officer, name] = challenge
        return challenge

    async def decide(self, call: Call, name: str, approval: str, encode: Encode) -> Answered:
        """Record an officer's signed approval or rejection.

        1. The same call again gives the first answer. 2. The intent is open, and this officer may
        decide. 3. The nonce issued to it is used up, whatever follows. 4. The approval holds, is no
        second one, and an authenticator that counts has counted on since its last one. 5. Enough
        approvals put the intent in force, one rejection ends it. Raises HubError: INTENT_NOT_FOUND,
        INTENT_CLOSED, APPROVER_REFUSED, APPROVAL_INVALID, DECISION_STALE.
        """
        first = await answered_before(self.intents.recorder, call)
        if first is not None:
            return first
        officer = call.caller.name
        view = await self.intents.get(name)
        self._check_may_decide(view, officer)
        challenge = self._challenges.pop((officer, name), None)
        if challenge is None or challenge.expire_time_us <= self.intents.clock():
            raise _invalid(
                "NONCE_MISMATCH", "No nonce is open; ask for a challenge.", "无有效随机数,请先申请"
            )
        said = self._verify(view.stored, approval, challenge, officer)
        if said.decision is Decision.APPROVE:
            self._check_not_approved(view, officer)
        key_id = approval_key_id(approval)
        counted = await self._counted(said, key_id)
        stored = StoredApproval(
            intent=name,
            officer=officer,
            decision=said.decision.value,
            approval=approval,
            nonce=challenge.nonce,
            key_id=key_id,
            entry=0,
            create_time_us=self.intents.clock(),
        )
        # An officer's earlier approval gives way: to one with a new key, or to a rejection.
        approvals = (*(one for one in view.approvals if one.officer != officer), stored)
        intent = dataclasses.replace(
            view.stored,
            state=self._state(view, approvals),
            decisions=view.stored.decisions + 1,
        )
        approved = said.decision is Decision.APPROVE
        counting = self.intents.counting(intent, view.intent, approvals)
        changed = dataclasses.replace(view, stored=intent, approvals=approvals, counting=counting)
        return await record(
            self.intents.recorder,
            call,
            Change(
                kind="intent.approved" if approved else "intent.rejected",
                data={
                    "intent": name,
                    "digest": intent.digest,
                    "officer": officer,
                    "approval": approval,
                    "state": intent.state.value,
                    "not_after": view.intent.not_after,
                },
                writes=[
                    Write(PUT_APPROVAL, [approval_row(stored)]),
                    Write(PUT_INTENT, [intent_row(intent)]),
                ],
                checks=[unchanged_intent(view.stored), self.intents.rosters.check(), *counted],
                answer=encode(changed),
            ),
        )

    # -- Steps -------------------------------------------------------------------------------------

    def _check_may_decide(self, view: IntentView, officer: str) -> None:
        """An approved intent takes further decisions: a standing one outlives those who leave, and
        a rejection ends it at any time."""
        stored = view.stored
        if stored.state not in OPEN or stored.decisions >= APPROVALS_MAX:
            raise HubError(Reason.INTENT_CLOSED, intent=stored.name, state=stored.state.value)
        now = self.intents.clock() // 1_000_000
        if view.intent.not_after <= now:
            raise HubError(Reason.INTENT_CLOSED, intent=stored.name, state="expired")
        if officer == view.intent.requester:
            raise refused(
                stored.name, "who proposed an intent does not decide on it", "提出人不得审批"
            )
        if not self.intents.rosters.newest.is_acting(officer, now):
            raise refused(
                stored.name,
                "the officer is absent, on standby or not in office",
                "缺席、候补或不在任",
            )

    def _check_not_approved(self, view: IntentView, officer: str) -> None:
        """Nobody approves twice; but whoever has approved may think better of it and reject."""
        if any(
            self.intents.counts(view.stored, view.intent, one)
            for one in view.approvals
            if one.officer == officer
        ):
            raise refused(
                view.stored.name, "this officer has decided already", "该安全员已作出决定"
            )

    def _verify(
        self, intent: StoredIntent, approval: str, challenge: Challenge, officer: str
    ) -> Approval:
        if len(approval) > APPROVAL_SIZE_MAX:
            raise HubError(
                Reason.FIELD_INVALID, field="approval", rule=f"at most {APPROVAL_SIZE_MAX} bytes"
            )
        try:
            said = verify_approval(
                approval,
                keys=self.intents.rosters.newest.key,
                origin=self.intents.origin,
                region=self.intents.region,
                now=self.intents.clock() // 1_000_000,
                intent=intent.bytes,
                nonce=challenge.nonce,
            )
        except ProofError as error:
            raise _not_held(error) from error
        if said.officer != officer:
            raise _invalid("OFFICER_MISMATCH", "It is another officer's.", "该审批属于其他安全员。")
        if said.key_entry != challenge.key_entry:
            raise _invalid(
                "CLAIM_INVALID",
                "key_entry is not the entry of the key.",
                "key_entry 与密钥登记不符。",
            )
        if said.iat < challenge.issue_time_us // 1_000_000 - SKEW_S:
            # Whoever is absent now cannot say that it was signed before.
            raise _invalid(
                "CLAIM_INVALID", "iat is before the nonce.", "iat 早于随机数的签发时间。"
            )
        return said

    async def _counted(self, said: Approval, key_id: str) -> list[Check]:
        """That an authenticator has counted on since its newest approval, of whatever intent, and
        that this one still is the newest when the next is recorded."""
        if said.counter is None:
            return []
        newest = await self.intents.database.one(NEWEST_APPROVAL_OF_KEY, key_id)
        try:
            check_counter(said.counter, 0 if newest is None else approval_counter(text(newest[0])))
        except ProofError as error:
            raise _not_held(error) from error
        return [Check(NEWEST_APPROVAL_OF_KEY, (key_id,), newest)]

    def _state(self, view: IntentView, approvals: Sequence[StoredApproval]) -> IntentState:
        if any(approval.decision == Decision.REJECT for approval in approvals):
            return IntentState.REJECTED
        # An intent may be approved before it begins.
        now = max(self.intents.clock() // 1_000_000, view.intent.not_before)
        try:
            self.intents.approved_by(view.stored, approvals, now)
        except ProofError:
            return IntentState.PROPOSED
        return IntentState.APPROVED


def _not_held(error: ProofError) -> HubError:
    words = TEXTS[error.reason]
    return _invalid(error.reason.value, words.en, words.zh)


def _invalid(rule: str, en: str, zh: str) -> HubError:
    return HubError(Reason.APPROVAL_INVALID, rule=rule, en=en, zh=zh)
