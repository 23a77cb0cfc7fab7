"""Objections (异议): say that a certificate is wrong, have it marked at once, and have it answered.

What is wrong is corrected by the authority's own system, in a row that names the objection
(`decide.py`). Words that people write are encrypted like personal fields and stand in no entry.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from hub.clock import Clock, legal_day
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.certificate import State
from hub.domain.identifier import CertificateIdentifier
from hub.domain.objection import HOLDER_FIELD
from hub.domain.row import text_violation
from hub.errors import HubError, Reason
from hub.registry.catalogue import Catalogue
from hub.registry.feed_store import Change as FeedChange
from hub.registry.feed_store import ChangeKind, changes_write
from hub.registry.objection_store import (
    ALL_OBJECTIONS,
    ANNOTATION,
    ANY_DUE,
    INSERT_OBJECTION,
    OBJECTED,
    OBJECTION,
    OBJECTIONS_OF,
    OPEN_MAX,
    OPEN_OBJECTIONS,
    OVERDUE,
    PUT_OBJECTION,
    ObjectionRow,
    ObjectionState,
    Party,
    objection_of,
    put_annotation,
    sealed_text,
    text_context,
    unchanged_objections,
)
from hub.registry.ports import Access, Database, DataKey, DataKeys, Grants, Recorder
from hub.registry.store import VERSION_STATE, CertificateRow, VersionRow, on_file_of
from hub.registry.transition_store import HELD
from hub.storage.changes import Answered, Call, Change, change_once
from hub.storage.statements import ENTRY_INDEX, Check, Row, Write, integer, text

FIELDS_MAX: Final = 20
TEXT_LENGTH_MAX: Final = 400
# Others cannot be corrected: what has ended takes no new version.
_CORRECTABLE: Final = frozenset({State.ACTIVE.value, State.SUSPENDED.value})


@dataclass(frozen=True, slots=True)
class Stated:
    """What somebody objects to, as it was written."""

    identifier: str
    fields: tuple[str, ...]
    party: Party
    statement: str


@dataclass(frozen=True, slots=True)
class _Objected:
    """A certificate that somebody objects to, as a decision reads it."""

    certificate: CertificateRow
    version: VersionRow
    open: tuple[ObjectionRow, ...]
    annotation: Row | None


@dataclass(frozen=True, slots=True)
class RaiseObjection:
    """Object to fields of a certificate.

    1. What is said is written as it must be.
    2. The certificate is of the caller's own authority, or the caller has a grant for these fields;
       for anybody else nothing is looked up.
    3. It is the newest version, can still be corrected, has these fields, and the caller has no
       open objection to it.
    4. Record the objection, the mark on the certificate and what the feed says as one entry.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    grants: Grants
    catalogue: Catalogue
    data_keys: DataKeys[DataKey]
    answer_days: int

    async def __call__(
        self, call: Call, stated: Stated, encode: Callable[[ObjectionRow], bytes]
    ) -> Answered:
        """Durable when it returns. Raises HubError: FIELD_INVALID, IDENTIFIER_INVALID,
        CERTIFICATE_NOT_FOUND, TRANSITION_NOT_ALLOWED, ALREADY_EXISTS, KEY_UNAVAILABLE,
        REQUEST_ID_REUSED, DECISION_STALE. Then nothing is raised."""
        _check_stated(stated)
        basis = await self._read(call.caller, stated)
        key = await self.data_keys.get(basis.version.data_key_id)

        async def refresh() -> None:
            nonlocal basis
            basis = await self._read(call.caller, stated)

        return await change_once(
            self.recorder,
            call,
            lambda: self._decide(call.caller, stated, basis, key, encode),
            refresh,
        )

    async def _read(self, caller: Caller, stated: Stated) -> _Objected:
        """Step 2. Raises HubError(CERTIFICATE_NOT_FOUND)."""
        type_code = CertificateIdentifier.parse(stated.identifier, lenient=True).type_code
        granted = self.grants.fields_granted(caller.name, type_code)
        is_granted = bool(granted) and granted.issuperset(set(stated.fields) - {HOLDER_FIELD})
        whose: Sequence[str] = ()
        if is_granted:
            whose = ("",)
        elif caller.role is Role.DEPARTMENT:
            whose = self.access.kept(caller, type_code)
        found = [await self.database.one(OBJECTED, stated.identifier, one) for one in whose]
        row = next((one for one in found if one is not None), None)
        if row is None:
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=stated.identifier)
        return await _objected(self.database, row)

    def _decide(
        self,
        caller: Caller,
        stated: Stated,
        basis: _Objected,
        key: DataKey,
        encode: Callable[[ObjectionRow], bytes],
    ) -> Change:
        """Steps 3 and 4."""
        certificate, version, now_us = basis.certificate, basis.version, self.clock()
        if version.state not in _CORRECTABLE:
            raise HubError(
                Reason.TRANSITION_NOT_ALLOWED, name=version.identifier, state=version.state
            )
        self._check_fields(stated, certificate, version)
        mine = next((one for one in basis.open if one.raised_by == caller.name), None)
        if mine is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=mine.name)
        id = names.new_id_at(now_us)
        made = ObjectionRow(
            id=id,
            certificate_id=certificate.id,
            authority=certificate.authority,
            type_code=certificate.type_code,
            identifier=version.identifier,
            fields=orjson.dumps(sorted(stated.fields)),
            party=stated.party.value,
            raised_by=caller.name,
            state=ObjectionState.RAISED.value,
            due_date=due_date(now_us, self.answer_days),
            statement=key.seal(stated.statement.encode(), text_context(id, "statement")),
            answer=b"",
            data_key_id=key.id,
            correction="",
            raise_time_us=now_us,
            answer_time_us=0,
            entry=ENTRY_INDEX,
            retention_class=certificate.retention_class,
        )
        return Change(
            kind="objection.raised",
            data={
                "objection": made.name,
                "certificate": version.identifier,
                "fields": list(made.field_names),
                "party": made.party,
                "due_date": made.due_date,
            },
            writes=[
                Write(INSERT_OBJECTION, [made]),
                put_annotation(certificate.id, (*basis.open, made), certificate.retention_class),
                changes_write([told(certificate, version, made)], now_us),
            ],
            checks=[
                self.access.check(caller),
                self.grants.check(),
                Check(VERSION_STATE, (version.id,), (version.state, version.state_entry)),
                unchanged_objections(certificate.id, basis.annotation),
            ],
            answer=encode(made),
        )

    def _check_fields(
        self, stated: Stated, certificate: CertificateRow, version: VersionRow
    ) -> None:
        published = self.catalogue.find(certificate.type_code, version.type_version)
        assert published is not None, "what is on file is of a published type"
        known = {one.name for one in published.type.fields} | {HOLDER_FIELD}
        for index, name in enumerate(stated.fields):
            if name not in known:
                rule = f"a face field of the type, or {HOLDER_FIELD}"
                raise HubError(Reason.FIELD_INVALID, field=f"fields[{index}]", rule=rule)


@dataclass(frozen=True, slots=True)
class AnswerObjection:
    """Accept or reject an objection, as the authority of the certificate.

    1. The reason is written as it must be; the objection is one that the caller answers.
    2. It waits for its answer, or was accepted and is now rejected.
    3. Record the answer, the mark as it is from then on and what the feed says as one entry.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    objections: Objections
    data_keys: DataKeys[DataKey]
    answer_days: int

    async def __call__(
        self,
        call: Call,
        objection_id: str,
        answer: str,
        encode: Callable[[ObjectionRow], bytes],
        *,
        is_accepted: bool,
    ) -> Answered:
        """Durable when it returns. Raises HubError: FIELD_INVALID, OBJECTION_NOT_FOUND,
        AUTHORITY_NOT_ALLOWED for who raised it, TRANSITION_NOT_ALLOWED, REQUEST_ID_REUSED,
        DECISION_STALE. Then nothing is answered."""
        _check_text("answer", answer)
        objection = await self.objections.find(call.caller, objection_id)
        if not self.objections.is_answering(call.caller, objection):
            raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=objection.authority)
        basis = await self._read(objection)
        # Where the holder's data were erased the objection is closed without words.
        key = await self.data_keys.find(objection.data_key_id)
        state = ObjectionState.ACCEPTED if is_accepted else ObjectionState.REJECTED

        async def refresh() -> None:
            nonlocal objection, basis
            objection = await self.objections.find(call.caller, objection_id)
            basis = await self._read(objection)

        return await change_once(
            self.recorder,
            call,
            lambda: self._decide(
                call.caller, objection, self._answered(objection, state, answer, key), basis, encode
            ),
            refresh,
        )

    async def _read(self, objection: ObjectionRow) -> _Objected:
        held = await self.database.one(HELD, objection.certificate_id, objection.authority)
        assert held is not None, "certificates are never removed"
        return await _objected(self.database, held)

    def _answered(
        self, objection: ObjectionRow, state: ObjectionState, answer: str, key: DataKey | None
    ) -> ObjectionRow:
        """Step 2."""
        if not objection.is_open or objection.state == state.value:
            raise HubError(
                Reason.TRANSITION_NOT_ALLOWED, name=objection.name, state=objection.state
            )
        now_us = self.clock()
        is_open = state is ObjectionState.ACCEPTED
        return objection._replace(
            state=state.value,
            due_date=due_date(now_us, self.answer_days) if is_open else "",
            answer=b""
            if key is None
            else key.seal(answer.encode(), text_context(objection.id, "answer")),
            answer_time_us=now_us,
            entry=ENTRY_INDEX,
        )

    def _decide(
        self,
        caller: Caller,
        objection: ObjectionRow,
        answered: ObjectionRow,
        basis: _Objected,
        encode: Callable[[ObjectionRow], bytes],
    ) -> Change:
        """Step 3."""
        certificate = basis.certificate
        others = [one for one in basis.open if one.id != objection.id]
        left = [*others, answered] if answered.is_open else others
        return Change(
            kind="objection.answered",
            data={
                "objection": objection.name,
                "certificate": objection.identifier,
                "from": objection.state,
                "to": answered.state,
                **({"due_date": answered.due_date} if answered.is_open else {}),
            },
            writes=[
                Write(PUT_OBJECTION, [answered]),
                put_annotation(certificate.id, left, certificate.retention_class),
                changes_write(
                    [told(certificate, basis.version, answered)], answered.answer_time_us
                ),
            ],
            checks=[
                self.access.check(caller),
                unchanged_objections(certificate.id, basis.annotation),
                Check(
                    VERSION_STATE,
                    (basis.version.id,),
                    (basis.version.state, basis.version.state_entry),
                ),
            ],
            answer=encode(answered),
        )


@dataclass(frozen=True, slots=True)
class Words:
    """What people wrote; empty for who may not read it, or where it was erased."""

    statement: str = ""
    answer: str = ""


NO_WORDS: Final = Words()


@dataclass(frozen=True, slots=True)
class ObjectionPage:
    """Objections, and after which id the next page begins; empty on the last."""

    objections: tuple[ObjectionRow, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Objections:
    """Look objections up."""

    clock: Clock
    database: Database
    access: Access
    data_keys: DataKeys[DataKey]

    async def get(self, caller: Caller, objection_id: str) -> tuple[ObjectionRow, Words]:
        """One objection with its words. Raises HubError(OBJECTION_NOT_FOUND)."""
        found = await self.find(caller, objection_id)
        if caller.role is Role.AUDITOR:
            return found, NO_WORDS
        key = await self.data_keys.find(found.data_key_id)
        if key is None:
            return found, NO_WORDS
        words = [
            key.open(*sealed_text(found, name)).decode() if getattr(found, name) else ""
            for name in ("statement", "answer")
        ]
        return found, Words(*words)

    async def list(
        self, caller: Caller, state: ObjectionState | None, after: str, size: int, *, overdue: bool
    ) -> ObjectionPage:
        """A page of what the caller may see, by id."""
        today = legal_day(self.clock()).isoformat()
        wanted = (state.value if state else "", *(("0", today) if overdue else ANY_DUE))
        if caller.role is Role.AUDITOR:
            rows = await self.database.all(ALL_OBJECTIONS, *wanted, after, size + 1)
        else:
            # A platform answers nothing, even where its authority has a department's system too.
            whose = self.access.kept(caller) if caller.role is Role.DEPARTMENT else ("",)
            by_id: dict[str, Row] = {}
            for authority in whose:
                rows = await self.database.all(
                    OBJECTIONS_OF, authority, caller.name, *wanted, after, size + 1
                )
                by_id |= {text(row[0]): row for row in rows}
            rows = [by_id[id] for id in sorted(by_id)][: size + 1]
        page = tuple(objection_of(row) for row in rows[:size])
        # Another has taken over certificates of its type.
        found = tuple(one for one in page if self._may_see(caller, one))
        return ObjectionPage(found, page[-1].id if len(rows) > size else "")

    async def find(self, caller: Caller, objection_id: str) -> ObjectionRow:
        """An objection that `caller` may see. Raises HubError(OBJECTION_NOT_FOUND)."""
        row = await self.database.one(OBJECTION, objection_id)
        found = None if row is None else objection_of(row)
        if found is None or not self._may_see(caller, found):
            raise HubError(Reason.OBJECTION_NOT_FOUND, name=f"objections/{objection_id}")
        return found

    def is_answering(self, caller: Caller, objection: ObjectionRow) -> bool:
        """Whether it is the caller's to answer: its authority keeps the certificate."""
        kept = self.access.kept(caller, objection.type_code)
        return caller.role is Role.DEPARTMENT and objection.authority in kept

    def _may_see(self, caller: Caller, objection: ObjectionRow) -> bool:
        is_party = objection.raised_by == caller.name or self.is_answering(caller, objection)
        return is_party or caller.role is Role.AUDITOR

    async def overdue(self) -> dict[str, int]:
        """How many each authority has not answered or corrected in time, by the name of the one
        that keeps the certificates now."""
        today = legal_day(self.clock()).isoformat()
        counts: Counter[str] = Counter()
        for authority, type_code, count in await self.database.all(OVERDUE, today):
            keeper = self.access.keeper(text(authority), text(type_code))
            counts[keeper or text(authority)] += integer(count)
        return dict(counts)


def due_date(now_us: int, days: int) -> str:
    """The last day in time: plain days of China's calendar after today."""
    return (legal_day(now_us) + datetime.timedelta(days=days)).isoformat()


def told(certificate: CertificateRow, version: VersionRow, objection: ObjectionRow) -> FeedChange:
    """What the change feed says of an objection: about the certificate's version as it is now."""
    return FeedChange(
        what=ChangeKind.OBJECTION,
        authority=certificate.authority,
        type_code=certificate.type_code,
        certificate_id=certificate.id,
        identifier=version.identifier,
        version=version.version,
        state=State(version.state),
        valid_from=version.valid_from,
        valid_until=version.valid_until,
        holder_indexes=certificate.holder_indexes,
        retention_class=certificate.retention_class,
        reference=objection.name,
    )


async def _objected(database: Database, row: Row) -> _Objected:
    """What is objected to of the certificate and version in `row`."""
    certificate, version = on_file_of(row)
    # First: an objection that comes in between makes the decision stale.
    annotation = await database.one(ANNOTATION, certificate.id)
    open_ = await open_objections(database, certificate.id)
    return _Objected(certificate, version, open_, annotation)


async def open_objections(database: Database, certificate_id: str) -> tuple[ObjectionRow, ...]:
    """The objections to a certificate that wait for an answer or a correction, by id."""
    rows = await database.all(OPEN_OBJECTIONS, certificate_id, OPEN_MAX)
    return tuple(objection_of(row) for row in rows)


def _check_stated(stated: Stated) -> None:
    """Step 1."""
    fields = stated.fields
    if not 1 <= len(fields) <= FIELDS_MAX or len(set(fields)) != len(fields):
        rule = f"1 to {FIELDS_MAX} fields, each once"
        raise HubError(Reason.FIELD_INVALID, field="fields", rule=rule)
    _check_text("statement", stated.statement)


def _check_text(field: str, value: str) -> None:
    broken = text_violation(field, value, TEXT_LENGTH_MAX)
    if broken is not None:
        raise HubError(
            Reason.FIELD_INVALID, violations=(broken,), field=broken.field, rule=broken.rule
        )
