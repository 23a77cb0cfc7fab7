"""Standing intents: proposed by one officer, approved by two others, ended by one rejection.

What officers sign are the exact bytes of the intent with a nonce of their own; the bytes are made
once and kept. The state in the table only steers: the signer verifies the approvals again.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.errors import HubError, Reason
from hub.proof.approval import (
    APPROVAL_SIZE_MAX,
    NONCE_BYTES,
    Approval,
    Decision,
    intent_digest,
    verify_approval,
)
from hub.proof.encoding import b64u, b64u_decode, emit_json, parse_object
from hub.proof.reasons import TEXTS, ProofError
from hub.seal.ports import Database, Officers, Recorder, Types
from hub.seal.seal_store import SEAL_BY_NAME, seal_of
from hub.seal.signer import APPROVALS_MAX, APPROVALS_NEEDED, StandingIntent, intent_bytes
from hub.seal.store import (
    APPROVALS_OF_INTENT,
    INSERT_APPROVAL,
    INSERT_INTENT,
    INTENT_BY_NAME,
    PUT_INTENT,
    USES_OF_INTENT,
    IntentState,
    StoredApproval,
    StoredIntent,
    approval_of,
    approval_row,
    intent_of,
    intent_row,
    unchanged_intent,
)
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import Check, Write

USES_MAX: Final = 1_000_000_000
CHALLENGE_LIFE_S: Final = 600
CHALLENGES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class ProposedIntent:
    """What shall be allowed; times in seconds. An empty `manifest` allows every manifest."""

    intent_id: str
    seal: str
    type_code: str
    not_before: int
    not_after: int
    uses_max: int
    manifest: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an officer signs over; the nonce serves for one decision by this officer."""

    intent_bytes: bytes
    nonce: bytes = field(repr=False)
    expire_time_us: int
    key_entry: int


@dataclass(frozen=True, slots=True)
class IntentView:
    """An intent with the decisions on it and its uses so far."""

    intent: StoredIntent
    approvals: tuple[StoredApproval, ...]
    uses: int

    @property
    def requester(self) -> str:
        """Who proposed it."""
        return _said(self.intent.bytes, "requester")


@dataclass(frozen=True, slots=True)
class Intents:
    """Standing intents. Challenges are kept in memory: a restart asks officers to begin again."""

    origin: str
    region: str
    database: Database
    recorder: Recorder
    clock: Clock
    officers: Officers
    types: Types
    _challenges: dict[tuple[str, str], Challenge] = field(default_factory=dict, repr=False)

    async def get(self, name: str) -> IntentView:
        """One intent. Raises HubError(INTENT_NOT_FOUND)."""
        return await self.view(await self._stored(name))

    async def view(self, intent: StoredIntent) -> IntentView:
        """`intent` with its decisions and uses."""
        rows = await self.database.all(APPROVALS_OF_INTENT, intent.name)
        uses = await self.database.one(USES_OF_INTENT, intent.name)
        return IntentView(
            intent,
            tuple(approval_of(row) for row in rows),
            0 if uses is None else int(uses[0] or 0),
        )

    async def propose(
        self, call: Call, proposed: ProposedIntent, encode: Callable[[IntentView], bytes]
    ) -> Answered:
        """Store the exact bytes of an intent. Raises HubError: FIELD_INVALID, SEAL_NOT_FOUND,
        CERTIFICATE_TYPE_NOT_FOUND, ALREADY_EXISTS."""
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        names.check_id(proposed.intent_id, field="intent_id")
        _check_limits(proposed)
        row = await self.database.one(SEAL_BY_NAME, proposed.seal)
        if row is None:
            raise HubError(Reason.SEAL_NOT_FOUND, name=proposed.seal)
        seal = seal_of(row)
        type_version = self.types.newest_version(proposed.type_code)
        if type_version is None:
            name = f"certificateTypes/{proposed.type_code.lower()}"
            raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=name)
        standing = StandingIntent(
            origin=self.origin,
            region=self.region,
            seal=seal.name,
            authority=seal.authority_uscc,
            vct=f"https://{self.origin}/vct/{proposed.type_code}",
            type_version=type_version,
            manifest=proposed.manifest or None,
            not_before=proposed.not_before,
            not_after=proposed.not_after,
            uses_max=proposed.uses_max,
            requester=call.caller.name,
        )
        data = emit_json(intent_bytes(standing))
        intent = StoredIntent(
            name=f"intents/{proposed.intent_id}",
            authority=seal.authority,
            type_code=proposed.type_code,
            type_version=type_version,
            bytes=data,
            digest=b64u(intent_digest(data)),
            state=IntentState.PROPOSED,
            decisions=0,
            create_time_us=self.clock(),
        )
        if await self.database.one(INTENT_BY_NAME, intent.name) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=intent.name)
        return await record(
            self.recorder,
            call,
            Change(
                kind="intent.proposed",
                data={"intent": intent.name, "digest": intent.digest, "bytes": data.decode()},
                writes=[Write(INSERT_INTENT, [intent_row(intent)])],
                checks=[Check(INTENT_BY_NAME, (intent.name,), None)],
                answer=encode(IntentView(intent, (), 0)),
            ),
        )

    async def challenge(self, officer: str, name: str) -> Challenge:
        """A fresh nonce for one decision by `officer`; an earlier one for the same ends.

        Raises HubError: INTENT_NOT_FOUND, INTENT_CLOSED, APPROVER_REFUSED, OFFICER_NOT_FOUND.
        """
        view = await self.get(name)
        self._check_may_decide(view, officer)
        key_entry = self.officers.key_entry(officer)
        if key_entry is None:
            raise HubError(Reason.OFFICER_NOT_FOUND, name=officer)
        now_us = self.clock()
        for key in [k for k, one in self._challenges.items() if one.expire_time_us <= now_us]:
            del self._challenges[key]
        if len(self._challenges) >= CHALLENGES_MAX:
            raise HubError(Reason.RATE_LIMITED, retry_after_s=CHALLENGE_LIFE_S)
        challenge = Challenge(
            view.intent.bytes,
            secrets.token_bytes(NONCE_BYTES),
            now_us + CHALLENGE_LIFE_S * 1_000_000,
            key_entry,
        )
        self._challenges[officer, name] = challenge
        return challenge

    async def decide(
        self, call: Call, name: str, approval: str, encode: Callable[[IntentView], bytes]
    ) -> Answered:
        """Record an officer's signed approval or rejection.

        1. The same call again gives the first answer. 2. The intent is open, and this officer may
        decide and has not. 3. The nonce issued to it is used up, whatever follows. 4. The approval
        holds. 5. Two approvals put the intent in force, one rejection ends it. Raises HubError:
        INTENT_NOT_FOUND, INTENT_CLOSED, APPROVER_REFUSED, APPROVAL_INVALID, DECISION_STALE.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        officer = call.caller.name
        view = await self.get(name)
        self._check_may_decide(view, officer)
        challenge = self._challenges.pop((officer, name), None)
        if challenge is None or challenge.expire_time_us <= self.clock():
            raise _invalid(
                "NONCE_MISMATCH", "No nonce is open; ask for a challenge.", "无有效随机数,请先申请"
            )
        said = self._verify(view.intent, approval, challenge, officer)
        stored = StoredApproval(
            intent=name,
            officer=officer,
            decision=said.decision.value,
            approval=approval,
            nonce=challenge.nonce,
            key_id=_key_id(approval),
            entry=0,
            create_time_us=self.clock(),
        )
        approvals = (*view.approvals, stored)
        intent = dataclasses.replace(view.intent, state=_state(approvals), decisions=len(approvals))
        approved = said.decision is Decision.APPROVE
        return await record(
            self.recorder,
            call,
            Change(
                kind="intent.approved" if approved else "intent.rejected",
                data={
                    "intent": name,
                    "digest": intent.digest,
                    "officer": officer,
                    "approval": approval,
                    "state": intent.state.value,
                },
                writes=[
                    Write(INSERT_APPROVAL, [approval_row(stored)]),
                    Write(PUT_INTENT, [intent_row(intent)]),
                ],
                checks=[unchanged_intent(view.intent)],
                answer=encode(IntentView(intent, approvals, view.uses)),
            ),
        )

    async def _stored(self, name: str) -> StoredIntent:
        row = await self.database.one(INTENT_BY_NAME, name)
        if row is None:
            raise HubError(Reason.INTENT_NOT_FOUND, name=name)
        return intent_of(row)

    def _check_may_decide(self, view: IntentView, officer: str) -> None:
        if view.intent.state is not IntentState.PROPOSED or len(view.approvals) >= APPROVALS_MAX:
            raise HubError(
                Reason.INTENT_CLOSED, intent=view.intent.name, state=view.intent.state.value
            )
        if officer == view.requester:
            raise _refused(view, "who proposed an intent does not decide on it", "提出人不得审批")
        if any(approval.officer == officer for approval in view.approvals):
            raise _refused(view, "this officer has decided already", "该安全员已作出决定")

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
                keys=self.officers.approval_key,
                origin=self.origin,
                region=self.region,
                now=self.clock() // 1_000_000,
                intent=intent.bytes,
                nonce=challenge.nonce,
            )
        except ProofError as error:
            text = TEXTS[error.reason]
            raise _invalid(error.reason.value, text.en, text.zh) from error
        if said.officer != officer:
            raise _invalid("OFFICER_MISMATCH", "It is another officer's.", "该审批属于其他安全员。")
        if said.key_entry != challenge.key_entry:
            raise _invalid(
                "CLAIM_INVALID",
                "key_entry is not the entry of the key.",
                "key_entry 与密钥登记不符。",
            )
        return said


def _check_limits(proposed: ProposedIntent) -> None:
    if not 0 <= proposed.not_before < proposed.not_after:
        raise HubError(Reason.FIELD_INVALID, field="expire_time", rule="later than start_time")
    if not 1 <= proposed.uses_max <= USES_MAX:
        raise HubError(Reason.FIELD_INVALID, field="uses_max", rule=f"1 to {USES_MAX}")
    if proposed.manifest:
        try:
            sized = len(b64u_decode(proposed.manifest)) == 32
        except ProofError:
            sized = False
        if not sized:
            rule = "SHA-256 of the manifest's bytes, base64url"
            raise HubError(Reason.FIELD_INVALID, field="manifest", rule=rule)


def _state(approvals: Sequence[StoredApproval]) -> IntentState:
    if any(approval.decision == Decision.REJECT for approval in approvals):
        return IntentState.REJECTED
    enough = len({approval.officer for approval in approvals}) >= APPROVALS_NEEDED
    return IntentState.APPROVED if enough else IntentState.PROPOSED


def _said(data: bytes, member: str) -> str:
    return str(parse_object(data)[member])


def _key_id(approval: str) -> str:
    return str(parse_object(b64u_decode(approval.partition(".")[0]))["kid"])


def _refused(view: IntentView, en: str, zh: str) -> HubError:
    return HubError(Reason.APPROVER_REFUSED, intent=view.intent.name, en=en, zh=zh)


def _invalid(rule: str, en: str, zh: str) -> HubError:
    return HubError(Reason.APPROVAL_INVALID, rule=rule, en=en, zh=zh)
