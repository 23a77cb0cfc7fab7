"""Rename an authority, or let others succeed it, as two officers approved it.

Nothing that was issued is touched: certificates, seals and entries keep the name and the code of
their time. Grants name systems and go with them; who may answer for a type is found by following
the successors (`Snapshot.responsible`).
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hub.access.identity import Authority, DatedName, SystemState
from hub.access.registrar import Decision, Outcome, Registrar
from hub.access.rules import broken, refuse
from hub.access.snapshot import Snapshot
from hub.access.store import answer_of, authority_answered, put_authority, put_system
from hub.clock import legal_day
from hub.domain.reorganization import INTENT_BYTES_MAX, Reorganization, read_bytes
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.proof import approval as approvals_format
from hub.proof.encoding import b64u
from hub.proof.jose import Keys
from hub.proof.reasons import TEXTS, ProofError
from hub.storage.changes import Call
from hub.storage.statements import Write

APPROVALS_NEEDED: Final = 2
APPROVALS_MAX: Final = 4
CHALLENGE_LIFE_S: Final = 600
CHALLENGES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """The nonce for one approval of one intent by one officer."""

    nonce: bytes = field(repr=False)
    expire_time_us: int
    key_entry: int


@dataclass(slots=True)
class Reorganizations:
    """Changes of authorities. Challenges are kept in memory: a restart asks officers again.

    `defined` lists what authorities answer for (a type's code, or `items/` and an item's) with the
    credit code of whoever defined it; `issued` of which types who has issued certificates. `keys`
    believes only what the log proves, after `prove`.
    """

    registrar: Registrar
    origin: str
    region: str
    defined: Callable[[], Sequence[tuple[str, str]]]
    issued: Callable[[], Awaitable[Sequence[tuple[str, str]]]]
    keys: Keys
    prove: Callable[[], Awaitable[None]]
    _challenges: dict[tuple[str, bytes], Challenge] = field(default_factory=dict, repr=False)

    def challenge(self, officer: str, intent: bytes) -> Challenge:
        """A fresh nonce for `officer`. Raises HubError: FIELD_INVALID, APPROVER_REFUSED,
        OFFICER_NOT_FOUND, RATE_LIMITED."""
        wanted = self._read(intent)
        if wanted.requester == officer:
            raise _refused("who proposes it does not approve it", "提出人不得审批")
        key_entry = self.registrar.directory.officer(officer).enrolment_entry
        now_us = self.registrar.clock()
        for key in [k for k, one in self._challenges.items() if one.expire_time_us <= now_us]:
            del self._challenges[key]
        if len(self._challenges) >= CHALLENGES_MAX:
            raise HubError(Reason.RATE_LIMITED, retry_after_s=CHALLENGE_LIFE_S)
        made = Challenge(
            secrets.token_bytes(approvals_format.NONCE_BYTES),
            now_us + CHALLENGE_LIFE_S * 1_000_000,
            key_entry,
        )
        self._challenges[officer, approvals_format.intent_digest(intent)] = made
        return made

    async def apply(
        self, call: Call, intent: bytes, approvals: Sequence[str]
    ) -> Outcome[Authority]:
        """Do what `intent` says.

        1. It is of this hub, in time, and its requester's call. 2. Two others approved these
        very bytes, each under a nonce of its own. 3. The authority has not ended; a name follows
        the present one; successors are live and take over every system, type and item, each once;
        where they are several, also the types of others of which it keeps certificates.
        4. Entry `authority.renamed` or `authority.succeeded`, with the intent and the approvals.
        Raises HubError: FIELD_INVALID, AUTHORITY_NOT_FOUND, APPROVER_REFUSED, APPROVAL_INVALID,
        and as `Registrar.change`.
        """

        async def decide(snapshot: Snapshot) -> Decision:
            wanted = self._read(intent)
            if wanted.requester != call.caller.name:
                raise _refused("its requester carries it out", "应由提出人执行")
            await self.prove()
            self._check_approvals(intent, approvals)
            authority = snapshot.authorities.get(wanted.authority)
            if authority is None:
                raise HubError(Reason.AUTHORITY_NOT_FOUND, name=wanted.authority)
            today = legal_day(self.registrar.clock())
            issued = frozenset(
                code
                for code, by in await self.issued()
                if snapshot.keeper(by, code) == authority.name
            )
            refuse(self._violations(wanted, authority, snapshot, today, issued))
            changed = _changed(authority, wanted)
            write = put_authority(changed)
            data: dict[str, Json] = {
                "authority": authority.name,
                "day": wanted.day,
                "intent": intent.decode(),
                "digest": b64u(approvals_format.intent_digest(intent)),
                "approvals": [*approvals],
            }
            return Decision(
                "authority.succeeded" if wanted.successors else "authority.renamed",
                data,
                [write, *_moved(wanted, snapshot)],
                answer_of(write),
            )

        outcome = await self.registrar.change(call, decide, authority_answered)
        # Used up only now: a decision that is made twice needs them twice.
        used = approvals_format.intent_digest(intent)
        for key in [key for key in self._challenges if key[1] == used]:
            del self._challenges[key]
        return outcome

    def _read(self, intent: bytes) -> Reorganization:
        """Step 1, as far as it is the same for everybody."""
        if len(intent) > INTENT_BYTES_MAX:
            rule = f"at most {INTENT_BYTES_MAX} bytes"
            raise HubError(Reason.FIELD_INVALID, field="intent", rule=rule)
        wanted = read_bytes(intent)
        if (wanted.origin, wanted.region) != (self.origin, self.region):
            rule = f"the intent is for {self.origin} in {self.region}"
            raise HubError(Reason.FIELD_INVALID, field="intent.origin", rule=rule)
        if wanted.not_after <= self.registrar.clock() // 1_000_000:
            raise HubError(Reason.FIELD_INVALID, field="intent.not_after", rule="not yet over")
        return wanted

    def _check_approvals(self, intent: bytes, approvals: Sequence[str]) -> None:
        """Step 2. One rejection, or one approval that does not hold, refuses all."""
        if not APPROVALS_NEEDED <= len(approvals) <= APPROVALS_MAX:
            rule = f"{APPROVALS_NEEDED} to {APPROVALS_MAX} approvals"
            raise HubError(Reason.FIELD_INVALID, field="approvals", rule=rule)
        officers = {self._approver(intent, text) for text in approvals}
        if len(officers) < len(approvals):
            raise _refused("each officer approves once", "每名安全员只能审批一次")

    def _approver(self, intent: bytes, text: str) -> str:
        """Who approved with `text`. Raises HubError(APPROVAL_INVALID), (APPROVER_REFUSED)."""
        now_us = self.registrar.clock()
        digest = approvals_format.intent_digest(intent)
        try:
            jws = approvals_format.open_approval(text, self.keys)
            issued = self._challenges.get((jws.key.owner, digest))
            if issued is None or issued.expire_time_us <= now_us:
                raise _invalid(
                    "NONCE_MISMATCH",
                    "No nonce is open; ask for a challenge.",
                    "无有效随机数，请先申请。",
                )
            said = approvals_format.verify_approval(
                text,
                keys=self.keys,
                origin=self.origin,
                region=self.region,
                now=now_us // 1_000_000,
                intent=intent,
                nonce=issued.nonce,
            )
        except ProofError as error:
            words = TEXTS[error.reason]
            raise _invalid(error.reason.value, words.en, words.zh) from error
        if said.decision is not approvals_format.Decision.APPROVE:
            raise _refused("an officer rejected it", "有安全员驳回")
        if said.key_entry != issued.key_entry:
            raise _invalid("CLAIM_INVALID", "key_entry is not the key's.", "key_entry 不符。")
        return said.officer

    def _violations(
        self,
        wanted: Reorganization,
        authority: Authority,
        snapshot: Snapshot,
        today: datetime.date,
        issued: frozenset[str],
    ) -> list[Violation | None]:
        """Step 3."""
        if authority.successors:
            return [broken("intent.authority", "authority.ended")]
        found: list[Violation | None] = []
        present = next(name for name in authority.names if not name.to_date)
        if not present.from_date < wanted.day <= today.isoformat():
            found.append(broken("intent.day", "day.order"))
        if not wanted.successors:
            return found
        named = [one.authority for one in wanted.successors]
        for index, name in enumerate(named):
            known = snapshot.authorities.get(name)
            if known is None or known.successors or name == authority.name or named.count(name) > 1:
                found.append(broken(f"intent.successors[{index}].authority", "successors.live"))
        active = [
            system.name
            for system in snapshot.systems.values()
            if system.authority == authority.name and system.state is SystemState.ACTIVE
        ]
        moved = [system for one in wanted.successors for system in one.systems]
        if sorted(moved) != sorted(active):
            found.append(broken("intent.successors", "systems.whole"))
        passed = [what for one in wanted.successors for what in one.entrusted()]
        answered_for = {
            what
            for what, defining in self.defined()
            if snapshot.responsible(what, defining) == authority.name
        }
        # What was issued of others' types passes on by itself where there is one successor only.
        needed = answered_for | issued if len(named) > 1 else answered_for
        if len(set(passed)) < len(passed) or not needed <= set(passed) <= answered_for | issued:
            found.append(broken("intent.successors", "types.whole"))
        return found


def _changed(authority: Authority, wanted: Reorganization) -> Authority:
    """The authority as it is from the day on; the name of its time ends the day before."""
    if wanted.successors:
        return replace(
            authority,
            successors=tuple(one.authority for one in wanted.successors),
            entrusted=tuple(
                (what, one.authority) for one in wanted.successors for what in one.entrusted()
            ),
            generation=authority.generation + 1,
        )
    before = datetime.date.fromisoformat(wanted.day) - datetime.timedelta(days=1)
    names = [
        name if name.to_date else replace(name, to_date=before.isoformat())
        for name in authority.names
    ]
    return replace(
        authority, names=(*names, DatedName(wanted.title, wanted.title_en, wanted.day, ""))
    )


def _moved(wanted: Reorganization, snapshot: Snapshot) -> list[Write]:
    """Each system under its new authority; keys and grants stay its own."""
    return [
        put_system(replace(snapshot.systems[system], authority=one.authority))
        for one in wanted.successors
        for system in one.systems
    ]


def _refused(en: str, zh: str) -> HubError:
    return HubError(Reason.APPROVER_REFUSED, intent="the reorganization", en=en, zh=zh)


def _invalid(rule: str, en: str, zh: str) -> HubError:
    return HubError(Reason.APPROVAL_INVALID, rule=rule, en=en, zh=zh)
