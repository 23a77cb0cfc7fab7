"""Change the state of a certificate: one decision of its authority, one entry of the log."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.clock import Clock, legal_day
from hub.domain.caller import Caller
from hub.domain.certificate import CAUSES, TRANSITIONS, State, Verb, state_on
from hub.domain.row import date_violation, text_violation
from hub.domain.rules import violation
from hub.domain.ruling import (
    BASIS_LENGTH_MAX,
    BODY_LENGTH_MAX,
    DOCUMENT_LENGTH_MAX,
    Ruling,
)
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.registry.feed_store import Change as FeedChange
from hub.registry.feed_store import ChangeKind, changes_write
from hub.registry.ports import Access, Database, Recorder, RecordStatuses, SealedBatch
from hub.registry.store import (
    CERTIFICATE_BY_NAME,
    PUT_VERSION,
    VERSION_STATE,
    CertificateRow,
    CertificateView,
    VersionRow,
    etag_of,
    on_file_of,
    put_turn,
    view_of,
)
from hub.registry.transition_store import (
    CONFIRMATION,
    HELD,
    INSERT_TRANSITION,
    TRANSITIONS_PAGE,
    TransitionRow,
    put_confirmation,
    transition_of,
    unchanged_confirmation,
)
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import ENTRY_INDEX, Check, Write, integer

_B = TypeVar("_B", bound=SealedBatch)


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be done with which certificate, as its authority saw it (`etag`)."""

    verb: Verb
    authority: str
    certificate_id: str
    etag: str
    ruling: Ruling

    @property
    def name(self) -> str:
        """The certificate's resource name."""
        return f"{self.authority}/certificates/{self.certificate_id}"


@dataclass(frozen=True, slots=True)
class ChangeState(Generic[_B]):
    """Change the state of a certificate.

    1. The same call again gives the first answer.
    2. The certificate is of the caller's authority, or of one that it has succeeded; the ruling is
       complete.
    3. Read the newest version; it is the one that the order is about.
    4. Its state today allows the verb, for this cause.
    5. Record the state, its place in the status list, the ruling, and what the change feed says of
       it, as one entry. Where something changed meanwhile, decide once more.
    6. Show the status.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    statuses: RecordStatuses[_B]
    identify: Callable[[], Awaitable[Caller]]

    async def __call__(
        self, call: Call, order: Order, encode: Callable[[CertificateView], bytes]
    ) -> Answered:
        """The answer, whose bytes know nothing of their entry; durable when it returns.

        Raises HubError: AUTHORITY_NOT_ALLOWED, FIELD_INVALID, CERTIFICATE_NOT_FOUND, ETAG_STALE,
        TRANSITION_NOT_ALLOWED, REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE. Then nothing is
        changed.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        check_kept(self.access, call.caller, order.authority)
        _check(order, legal_day(self.clock()).isoformat())
        try:
            return await self._change(call, order, encode)
        except HubError as error:
            if error.reason is not Reason.DECISION_STALE:
                raise
        # The caller too is judged anew: identities may be what changed.
        call = dataclasses.replace(call, caller=await self.identify())
        check_kept(self.access, call.caller, order.authority)
        return await self._change(call, order, encode)

    async def _change(
        self, call: Call, order: Order, encode: Callable[[CertificateView], bytes]
    ) -> Answered:
        """Steps 3 to 6 for one decision."""
        access = self.access.check(call.caller)
        certificate, version, view = await self._read(call.caller, order)
        now_us = self.clock()
        before = state_on(
            State(version.state), version.valid_from, version.valid_until, legal_day(now_us)
        )
        after = _next_state(order, before)
        transition = TransitionRow(
            certificate.id,
            ENTRY_INDEX,
            version.identifier,
            order.verb.value,
            before.value,
            after.value,
            order.ruling.legal_basis,
            order.ruling.document,
            order.ruling.decision_date,
            order.ruling.deciding_body,
            order.ruling.cause.value if order.ruling.cause else "",
            call.caller.authority,
            call.caller.name,
            now_us,
            certificate.retention_class,
        )
        marked = self.statuses.mark([(version.id, version.status_place, after)])
        changed = version._replace(state=after.value, state_entry=ENTRY_INDEX)
        change = Change(
            kind="certificate.transition",
            data=_data(order.name, transition, version),
            writes=[
                Write(PUT_VERSION, [changed]),
                Write(INSERT_TRANSITION, [transition]),
                # A batch that was decided on the old state is decided again.
                put_turn(certificate.authority, certificate.type_code),
                changes_write([_told(certificate, version, after)], now_us),
                *marked.writes,
            ],
            checks=[
                access,
                Check(VERSION_STATE, (version.id,), (version.state, version.state_entry)),
                *marked.checks,
            ],
            answer=encode(dataclasses.replace(view, state=after)),
        )
        try:
            answered = await record(self.recorder, call, change)
        except HubError as error:
            # Then it is open whether it was recorded, and what may have ended must not read valid.
            if error.reason is Reason.LOG_UNAVAILABLE and after is not State.ACTIVE:
                self.statuses.publish(marked)
            raise
        self.statuses.publish(marked)
        return answered

    async def _read(
        self, caller: Caller, order: Order
    ) -> tuple[CertificateRow, VersionRow, CertificateView]:
        """Step 3."""
        name = (order.certificate_id, order.authority)
        held = await self.database.one(HELD, *name)
        shown = await self.database.one(CERTIFICATE_BY_NAME, *name)
        if held is None or shown is None:
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=order.name)
        (certificate, version), view = on_file_of(held), view_of(shown)
        check_type_kept(self.access, caller, certificate)
        if (version.identifier, version.state_entry) != (view.identifier, view.state_entry):
            raise HubError(Reason.DECISION_STALE)
        if order.etag != etag_of(version.identifier, version.state_entry):
            raise HubError(Reason.ETAG_STALE, name=order.name)
        return certificate, version, view


@dataclass(frozen=True, slots=True)
class ConfirmCertificate:
    """Keep what an authority's own system says of a certificate; its state is not touched."""

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access

    async def __call__(
        self, call: Call, authority: str, certificate_id: str, *, is_gone: bool
    ) -> Answered:
        """Durable when it returns. Raises HubError: AUTHORITY_NOT_ALLOWED, CERTIFICATE_NOT_FOUND,
        REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE."""
        first = await answered_before(self.recorder, call)
        if first is not None:
            return first
        check_kept(self.access, call.caller, authority)
        access = self.access.check(call.caller)
        held = await self.database.one(HELD, certificate_id, authority)
        if held is None:
            name = f"{authority}/certificates/{certificate_id}"
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)
        said = await self.database.one(CONFIRMATION, certificate_id)
        certificate, version = on_file_of(held)
        check_type_kept(self.access, call.caller, certificate)
        now_us = self.clock()
        confirm_time_us = 0 if said is None else integer(said[1])
        change = Change(
            kind="certificate.confirmed",
            data={
                "certificate": f"{authority}/certificates/{certificate_id}",
                "identifier": version.identifier,
                "gone": is_gone,
            },
            writes=[
                put_confirmation(
                    certificate_id,
                    is_gone=is_gone,
                    confirm_time_us=confirm_time_us if is_gone else now_us,
                    time_us=now_us,
                    retention_class=certificate.retention_class,
                )
            ],
            checks=[access, unchanged_confirmation(certificate_id, said)],
            answer=b"",
        )
        return await record(self.recorder, call, change)


@dataclass(frozen=True, slots=True)
class Transitions:
    """Reads how states were changed."""

    database: Database

    async def page(
        self, certificate_id: str, *, after: str, size: int
    ) -> tuple[list[TransitionRow], str]:
        """Transitions, newest first, and after which the next page begins; empty on the last."""
        before = int(after) if after else 2**62
        rows = await self.database.all(TRANSITIONS_PAGE, certificate_id, before, size + 1)
        found = [transition_of(row) for row in rows[:size]]
        return found, str(found[-1].entry) if len(rows) > size else ""


def check_kept(access: Access, caller: Caller, authority: str) -> None:
    """Raises HubError(AUTHORITY_NOT_ALLOWED) for another's certificates than those of the caller's
    authority and of whoever it has succeeded, before anything is looked up."""
    if authority not in access.kept(caller):
        raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=authority)


def check_type_kept(access: Access, caller: Caller, certificate: CertificateRow) -> None:
    """Raises HubError(CERTIFICATE_NOT_FOUND) where another took over certificates of this type."""
    if certificate.authority not in access.kept(caller, certificate.type_code):
        name = f"{certificate.authority}/certificates/{certificate.id}"
        raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)


def _next_state(order: Order, before: State) -> State:
    """Step 4."""
    after = TRANSITIONS.get((before, order.verb))
    cause = order.ruling.cause
    if after is None or (cause is not None and before not in CAUSES[cause]):
        raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=order.name, state=before.value)
    return after


def _check(order: Order, today: str) -> None:
    """Step 2 for the ruling. Raises HubError(FIELD_INVALID) with every violation."""
    ruling = order.ruling
    found: list[Violation | None] = [
        text_violation("ruling.legal_basis", ruling.legal_basis, BASIS_LENGTH_MAX),
        text_violation("ruling.document", ruling.document, DOCUMENT_LENGTH_MAX),
        date_violation("ruling.decision_date", ruling.decision_date),
    ]
    if found[2] is None and ruling.decision_date > today:
        found.append(violation("ruling.decision_date", "ruling.future"))
    if ruling.deciding_body:
        found.append(text_violation("ruling.deciding_body", ruling.deciding_body, BODY_LENGTH_MAX))
    elif order.verb is Verb.RESTORE:
        found.append(violation("ruling.deciding_body", "ruling.body"))
    if (ruling.cause is not None) is not (order.verb is Verb.DEREGISTER):
        found.append(violation("ruling.cause", "ruling.cause"))
    if not order.etag:
        found.append(violation("etag", "value.empty"))
    broken = tuple(one for one in found if one is not None)
    if broken:
        raise HubError(
            Reason.FIELD_INVALID, violations=broken, field=broken[0].field, rule=broken[0].rule
        )


def _told(certificate: CertificateRow, version: VersionRow, after: State) -> FeedChange:
    """What the change feed says of it."""
    return FeedChange(
        what=ChangeKind.STATE,
        authority=certificate.authority,
        type_code=certificate.type_code,
        certificate_id=certificate.id,
        identifier=version.identifier,
        version=version.version,
        state=after,
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        holder_indexes=certificate.holder_indexes,
        retention_class=certificate.retention_class,
    )


def _data(name: str, transition: TransitionRow, version: VersionRow) -> dict[str, Json]:
    data: dict[str, Json] = {
        "certificate": name,
        "identifier": transition.identifier,
        "state_entry": version.state_entry,
        "verb": transition.verb,
        "from": transition.from_state,
        "to": transition.to_state,
        "legal_basis": transition.legal_basis,
        "document": transition.document,
        "decision_date": transition.decision_date,
    }
    if transition.deciding_body:
        data["deciding_body"] = transition.deciding_body
    if transition.cause:
        data["cause"] = transition.cause
    return data
