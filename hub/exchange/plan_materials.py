"""PlanMaterials: what must the applicant still bring (docs/architecture.md, "Life of a plan")."""

from __future__ import annotations

import datetime
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from hub.clock import Clock, legal_day
from hub.domain.caller import Caller
from hub.domain.entry import Entry
from hub.domain.holder import Holder, HolderKind
from hub.domain.on_file import OnFile
from hub.domain.row import date_violation
from hub.domain.rules import violation
from hub.domain.service_item import Role, ServiceItem
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Text
from hub.exchange.grants import Grant
from hub.exchange.notice import line, notice
from hub.exchange.once import AnswerOnce, Observe, decided, entry_of, opened
from hub.exchange.plan import Mandate, Matter, Planned, Rights, TypeFacts, plan, wanted
from hub.exchange.ports import (
    Access,
    CertificatesOnFile,
    CertificateTypes,
    Recorder,
    ServiceItems,
)
from hub.exchange.snapshot import GrantSnapshot
from hub.proof.encoding import digest
from hub.proof.exchange.plan_request import (
    PLAN_RPC,
    PlanRequest,
    StatedMandate,
    verify_plan_request,
)
from hub.storage.statements import Check

# Longer than the longest time limit of an item, 1,000 working days.
DECISION_DAYS_MAX: Final = 1_500


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One material of an answer: `holder` is its position in the request, `text` what the notice
    says of it."""

    planned: Planned
    holder: int | None
    text: Text


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """What a platform gets for one request."""

    request_id: str
    items: tuple[ServiceItem, ...]
    lines: tuple[PlannedLine, ...]
    notice: Text
    receipt: str
    entry: int


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is answered if it is recorded, and the versions of everything it was based on."""

    items: tuple[ServiceItem, ...]
    lines: tuple[PlannedLine, ...]
    notice: Text
    members: dict[str, Json]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class PlanMaterials:
    """Say of each material of a matter whether it must be asked for.

    1. Verify the signed request against the caller, its token, this hub and this RPC.
    2. Read it: items in force, holders by role, days.
    3. Look for what grants, sharing, consent and mandate allow, in one question.
    4. Judge each material by the demands of its items; write the notice.
    5. Record; nothing leaves before the entry is durable.
    6. Answer, or answer again what was answered before under this id.

    Nothing of a certificate is disclosed but that it is there, who issued it and when. What a
    decision was based on is checked again inside the transaction; where it changed, it is decided
    once more, then refused as ABORTED.
    """

    origin: str
    region: str
    clock: Clock
    recorder: Recorder
    access: Access
    grants: GrantSnapshot
    items: ServiceItems
    types: CertificateTypes
    on_file: CertificatesOnFile
    title: Callable[[str], str]
    keyed_digest: Callable[[str], str]
    identify: Callable[[], Awaitable[Caller]]
    observe: Observe

    async def __call__(self, caller: Caller, request_id: str, signed_request: str) -> PlanAnswer:
        """The answer. Raises HubError."""
        started = time.perf_counter()
        try:
            request = self._verify(caller, request_id, signed_request)
            answer = await decided(partial(self._answer, request), caller, self.identify)
        except HubError as refusal:
            seconds = time.perf_counter() - started
            self.observe("plan", refusal.reason.value, caller.authority, "", seconds)
            raise
        self.observe("plan", "OK", caller.authority, "", time.perf_counter() - started)
        return answer

    def _verify(self, caller: Caller, request_id: str, signed_request: str) -> PlanRequest:
        """Step 1."""
        return opened(
            lambda: verify_plan_request(
                signed_request,
                keys=self.access.key,
                origin=self.origin,
                region=self.region,
                now=self.clock() // 1_000_000,
                token_digest=caller.token_digest,
                token_subject=caller.name,
            ),
            request_id,
        )

    async def _answer(self, request: PlanRequest, caller: Caller) -> PlanAnswer:
        """Steps 2 to 6 for one decision."""
        decision = await self._decide(caller, request)
        receipt, index = await AnswerOnce(self.recorder, PLAN_RPC).record(
            request,
            _entry(caller, request, decision.members),
            decision.checks,
            # The request names holders, so what is compared is kept under a keyed hash.
            self.keyed_digest(request.content),
            orjson.dumps(decision.members),
        )
        return PlanAnswer(
            request.jti, decision.items, decision.lines, decision.notice, receipt, index
        )

    async def _decide(self, caller: Caller, request: PlanRequest) -> _Decision:
        """Steps 2 to 4."""
        checks = (
            self.access.check(caller),
            self.grants.check(),
            self.items.check(),
            self.types.check(),
        )
        now_us = self.clock()
        holders = _holders(request)
        matter = self._matter(request, holders, legal_day(now_us))
        grants: dict[str, list[Grant]] = defaultdict(list)
        for grant in self.grants.of(request.iss):
            grants[grant.type_code].append(grant)
        rights = Rights(grants, now_us, self._facts)
        found = await self._found(wanted(matter, rights), holders)
        planned = plan(matter, rights, found)
        lines = tuple(
            [
                PlannedLine(
                    one,
                    int(one.holder) if one.holder else None,
                    line(matter, one, self.title),
                )
                for one in planned
            ]
        )
        said = notice(matter, planned, [one.text for one in lines])
        used = {one.certificate.identifier: one.certificate for one in planned if one.certificate}
        return _Decision(
            tuple(matter.items),
            lines,
            said,
            _members(matter, lines, said),
            checks + tuple([self.on_file.unchanged(certificate) for certificate in used.values()]),
        )

    def _matter(
        self, request: PlanRequest, holders: Mapping[str, Holder], today: datetime.date
    ) -> Matter:
        """Step 2. Raises HubError(FIELD_INVALID) with the field; what it held is not repeated."""
        items = []
        for index, code in enumerate(request.items):
            item = self.items.item(code)
            if item is None:
                raise HubError(
                    Reason.FIELD_INVALID,
                    field=f"plan.items[{index}]",
                    rule="names a service item in force; list them with `sealway item list`",
                )
            items.append(item)
        decision_date = _date("plan.decision_date", request.decision_date)
        if not 0 <= (decision_date - today).days <= DECISION_DAYS_MAX:
            raise HubError(
                Reason.FIELD_INVALID,
                field="plan.decision_date",
                rule=f"is today or at most {DECISION_DAYS_MAX} days later",
            )
        return Matter(
            items=items,
            holders=_by_role(request, holders),
            facts=request.facts,
            today=today,
            decision_date=decision_date,
            has_consent=request.consent is not None,
            mandate=None if request.mandate is None else _mandate(request.mandate),
        )

    async def _found(
        self, asked: Mapping[tuple[str, str], frozenset[str]], holders: Mapping[str, Holder]
    ) -> dict[tuple[str, str], Sequence[OnFile]]:
        """Step 3."""
        if not asked:
            return {}
        found = await self.on_file.find(
            {(holders[key], code): fields for (key, code), fields in asked.items()}
        )
        return {(key, code): found.get((holders[key], code), ()) for key, code in asked}

    def _facts(self, code: str) -> TypeFacts:
        known = self.types.newest(code)
        if known is None or known.listing is None:
            return TypeFacts()
        listing = known.listing
        return TypeFacts(listing.sharing, listing.successors, listing.evidence_days)


def _holders(request: PlanRequest) -> dict[str, Holder]:
    """Everybody by the first position at which the request names them.

    Raises HubError(HOLDER_INVALID), (USCC_INVALID) or (CITIZEN_NUMBER_INVALID) without the number.
    """
    positions: dict[Holder, str] = {}
    for index, one in enumerate(request.holders):
        try:
            positions.setdefault(Holder(one.type, one.number), str(index))
        except HubError as error:
            # Which of them it is; the rule says what is wrong, and nobody repeats the number.
            field = error.details["field"].replace("holder.", f"plan.holders[{index}].")
            rule = error.details["rule"]
            raise HubError(
                error.reason, violations=(violation(field, rule),), field=field, rule=rule
            ) from error
    return {position: holder for holder, position in positions.items()}


def _by_role(request: PlanRequest, holders: Mapping[str, Holder]) -> dict[Role, list[str]]:
    positions = {holder: position for position, holder in holders.items()}
    by_role: dict[Role, list[str]] = defaultdict(list)
    for index, one in enumerate(request.holders):
        if one.role not in tuple(Role):
            raise HubError(
                Reason.FIELD_INVALID,
                field=f"plan.holders[{index}].role",
                rule=f"is one of {', '.join(Role)}",
            )
        holder = Holder(one.type, one.number)
        if (holder.kind is HolderKind.AREA) is not (one.role == Role.AREA):
            raise HubError(
                Reason.FIELD_INVALID,
                field=f"plan.holders[{index}].type",
                rule="is 901 or 902 in the role area, and in no other",
            )
        position = positions[holder]
        if position in by_role[Role(one.role)]:
            raise HubError(
                Reason.FIELD_INVALID,
                field=f"plan.holders[{index}]",
                rule="names nobody twice in one role",
            )
        by_role[Role(one.role)].append(position)
    return dict(by_role)


def _mandate(stated: StatedMandate) -> Mandate:
    return Mandate(
        frozenset(stated.items),
        _date("plan.mandate.from", stated.start),
        _date("plan.mandate.until", stated.end),
    )


def _date(field: str, text: str) -> datetime.date:
    broken = date_violation(field, text)
    if broken is not None:
        raise HubError(Reason.FIELD_INVALID, violations=(broken,), field=field, rule=broken.rule)
    return datetime.date.fromisoformat(text)


def _members(matter: Matter, lines: Sequence[PlannedLine], said: Text) -> dict[str, Json]:
    """What the entry says of the answer; the same text is compared when the call is repeated."""
    return {
        "service_items": [{"code": item.code, "version": item.version} for item in matter.items],
        "decision_date": matter.decision_date.isoformat(),
        "materials": [_line_members(one) for one in lines],
        "notice_digest": digest(f"{said.zh}\n{said.en}"),
    }


def _line_members(one: PlannedLine) -> dict[str, Json]:
    planned = one.planned
    members: dict[str, Json] = {
        "uses": [f"{use.item}/{use.material}" for use in planned.uses],
        "outcome": planned.outcome.value,
    }
    if one.holder is not None:
        members["holder"] = one.holder
    if planned.certificate is not None:
        members["cert"] = planned.certificate.identifier
        members["state_entry"] = planned.certificate.state_entry
    if planned.due is not None:
        members["due_date"] = planned.due.isoformat()
    if planned.obstacles:
        members["obstacles"] = [obstacle.value for obstacle in planned.obstacles]
    return members


def _entry(caller: Caller, request: PlanRequest, members: dict[str, Json]) -> Entry:
    data: dict[str, Json] = {
        "matter": request.matter,
        "basis": request.basis,
        "roles": [one.role for one in request.holders],
        **members,
    }
    if request.consent is not None:
        data["consent_digest"] = digest(request.consent)
    if request.mandate is not None:
        data["mandate_digest"] = digest(request.mandate.id)
    if request.act is not None:
        data["act"] = request.act
    return entry_of("plan", caller, request, {"data": data})
