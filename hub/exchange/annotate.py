"""Annotated copies (加注件): registered for a purpose and a time, and never an original."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import orjson

from hub.clock import Clock
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.certificate import State
from hub.domain.entry import Remembered
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import text_violation
from hub.errors import HubError, Reason
from hub.exchange.copy_store import (
    COPIES_PAGE,
    COPY,
    AnnotatedCopy,
    copy_of,
    insert_copy,
)
from hub.exchange.fetch import RPC as FETCH_RPC
from hub.exchange.once import decided
from hub.exchange.ports import Access, Certificates, FoundCertificate, Recorder
from hub.exchange.snapshot import GrantSnapshot
from hub.storage.changes import Answered, Call, Change, answered_before, record
from hub.storage.statements import ENTRY_INDEX, Row, Statement, Value

PURPOSE_LENGTH_MAX: Final = 200
LIFE_DAYS_MAX: Final = 366
_DAY_US: Final = 86_400_000_000


class CopyState(StrEnum):
    """Whether a copy may be used, judged when it is read."""

    IN_FORCE = "in_force"
    EXPIRED = "expired"
    # What it was made of is not in force any more.
    ORIGINAL_ENDED = "original_ended"


class Database(Protocol):
    """Questions to the database."""

    async def one(self, statement: Statement, *args: Value) -> Row | None: ...
    async def all(self, statement: Statement, *args: Value) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Given:
    """What a fetch gave: which of its certificates, and why a copy of it is wanted until when."""

    fetch_request_id: str
    position: int
    purpose: str
    expire_time_us: int


@dataclass(frozen=True, slots=True)
class Made:
    """A copy with the receipt of the entry that registered it."""

    copy: AnnotatedCopy
    receipt: str


@dataclass(frozen=True, slots=True)
class AnnotateCopy:
    """Register an annotated copy of a certificate that the caller was given.

    1. Purpose and expiry are sound; the same call again gives the first answer.
    2. The fetch is the caller's own, and gave data of this certificate.
    3. That version is still in force, and a grant still allows what was given.
    4. Record; a version that ends meanwhile makes no copy.

    Nothing is disclosed: a copy says what its maker was given already.
    """

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    grants: GrantSnapshot
    certificates: Certificates
    identify: Callable[[], Awaitable[Caller]]

    async def __call__(self, call: Call, given: Given) -> Made:
        """The copy; durable when it returns.

        Raises HubError: FIELD_INVALID, GRANT_MISSING, CERTIFICATE_NOT_IN_FORCE, REQUEST_ID_REUSED,
        DECISION_STALE, LOG_UNAVAILABLE.
        """
        first = await answered_before(self.recorder, call)
        if first is not None:
            return await self._made(first)
        self._check(given)
        return await decided(
            lambda caller: self._make(dataclasses.replace(call, caller=caller), given),
            call.caller,
            self.identify,
        )

    def _check(self, given: Given) -> None:
        """Step 1."""
        broken = text_violation("purpose", given.purpose, PURPOSE_LENGTH_MAX)
        if broken is not None:
            raise HubError(
                Reason.FIELD_INVALID, violations=(broken,), field="purpose", rule=broken.rule
            )
        life_us = given.expire_time_us - self.clock()
        if not 0 < life_us <= LIFE_DAYS_MAX * _DAY_US:
            rule = f"later than now, by at most {LIFE_DAYS_MAX} days"
            raise HubError(Reason.FIELD_INVALID, field="expire_time", rule=rule)

    async def _make(self, call: Call, given: Given) -> Made:
        """Steps 2 to 4 for one decision."""
        caller = call.caller
        checks = (self.access.check(caller), self.grants.check())
        fetch = await self.recorder.remembered(caller.name, given.fetch_request_id)
        shown = _shown(fetch, given.position)
        if fetch is None or shown is None:
            rule = "names data that a fetch of this system gave: its request id, and which of them"
            raise HubError(Reason.FIELD_INVALID, field="fetch_request_id", rule=rule)
        certificate = await self._in_force(shown.cert)
        self._check_grant(caller, shown)
        copy = AnnotatedCopy(
            id=names.new_id_at(self.clock(), 16),
            identifier=shown.cert,
            type_code=shown.type_code,
            authority=certificate.authority,
            fields=shown.fields,
            sd_hash=shown.sd_hash,
            purpose=given.purpose,
            maker=caller.name,
            maker_authority=caller.authority,
            create_time_us=self.clock(),
            expire_time_us=given.expire_time_us,
            fetch_entry=fetch.index,
            entry=ENTRY_INDEX,
        )
        change = Change(
            "copy.made",
            {
                "copy": f"annotatedCopies/{copy.id}",
                "cert": copy.identifier,
                "state_entry": certificate.state_entry,
                "fields": list(copy.fields),
                "sd_hash": copy.sd_hash,
                "purpose": copy.purpose,
                "expire_time_us": copy.expire_time_us,
                "fetch_entry": copy.fetch_entry,
            },
            writes=[insert_copy(copy)],
            checks=[*checks, certificate.check],
            answer=copy.id.encode(),
        )
        return await self._made(await record(self.recorder, call, change))

    async def _in_force(self, identifier: str) -> FoundCertificate:
        """Step 3 for the certificate."""
        certificate = await self.certificates.by_identifier(identifier)
        if certificate is None or certificate.state is not State.ACTIVE:
            raise HubError(Reason.CERTIFICATE_NOT_IN_FORCE, identifier=identifier)
        return certificate

    def _check_grant(self, caller: Caller, shown: _Shown) -> None:
        """Step 3 for the right: one grant in force that allows what was given."""
        now_us = self.clock()
        allowed = [
            frozenset(grant.fields)
            for grant in self.grants.of(caller.name)
            if grant.type_code == shown.type_code and grant.is_in_force(now_us)
        ]
        if any(fields.issuperset(shown.fields) for fields in allowed):
            return
        raise HubError(Reason.GRANT_MISSING, type=shown.type_code, service_item="-")

    async def _made(self, answered: Answered) -> Made:
        row = await self.database.one(COPY, answered.answer.decode())
        assert row is not None, "what was recorded is in the database"
        return Made(copy_of(row), answered.receipt)


@dataclass(frozen=True, slots=True)
class AnnotatedCopies:
    """The register, for whom a copy concerns: its maker, who issued the original, auditors."""

    clock: Clock
    database: Database
    certificates: Certificates

    async def get(self, caller: Caller, copy_id: str) -> AnnotatedCopy:
        """One copy. Raises HubError(COPY_NOT_FOUND), also where the caller may not see it."""
        row = await self.database.one(COPY, copy_id)
        copy = None if row is None else copy_of(row)
        if copy is None or not _may_see(caller, copy):
            raise HubError(Reason.COPY_NOT_FOUND, name=f"annotatedCopies/{copy_id}")
        return copy

    async def page(
        self, caller: Caller, identifier: str, *, after: str, size: int
    ) -> tuple[Sequence[AnnotatedCopy], str]:
        """Copies that the caller may see, oldest first, and the id after which the next page
        begins; "" on the last."""
        if identifier:
            CertificateIdentifier.parse(identifier, lenient=True)
        maker = caller.name if caller.role is Role.PLATFORM else ""
        authority = caller.authority if caller.role is Role.DEPARTMENT else ""
        rows = await self.database.all(COPIES_PAGE, maker, authority, identifier, after, size + 1)
        copies = [copy_of(row) for row in rows[:size]]
        return copies, copies[-1].id if len(rows) > size else ""

    async def state(self, copy: AnnotatedCopy) -> CopyState:
        """Whether it may be used now."""
        if self.clock() >= copy.expire_time_us:
            return CopyState.EXPIRED
        certificate = await self.certificates.by_identifier(copy.identifier)
        is_in_force = certificate is not None and certificate.state is State.ACTIVE
        return CopyState.IN_FORCE if is_in_force else CopyState.ORIGINAL_ENDED


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a fetch gave of one certificate, as its entry says."""

    cert: str
    type_code: str
    fields: tuple[str, ...]
    sd_hash: str


def _shown(fetch: Remembered | None, position: int) -> _Shown | None:
    """What a fetch gave at `position`; None where it is no fetch, was refused, or gave nothing."""
    if fetch is None or fetch.method != FETCH_RPC:
        return None
    certificates = orjson.loads(fetch.answer).get("certificates", [])
    if not 0 <= position < len(certificates) or "sd_hash" not in certificates[position]:
        return None
    one = certificates[position]
    type_code = str(one["vct"]).rpartition("/")[2]
    return _Shown(one["cert"], type_code, tuple(one["fields"]), one["sd_hash"])


def _may_see(caller: Caller, copy: AnnotatedCopy) -> bool:
    if caller.role is Role.DEPARTMENT:
        return caller.authority == copy.authority
    return caller.role is Role.AUDITOR or caller.name == copy.maker
