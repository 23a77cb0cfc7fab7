"""Create and revoke grants. Each is one log entry; each takes effect with its entry."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from hub.clock import Clock
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import DOCUMENT_FIELD, FILES_FIELD, CertificateType
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason, Violation
from hub.exchange.grants import Grant
from hub.exchange.ports import Access, CertificateTypes, Recorder
from hub.exchange.snapshot import GrantSnapshot
from hub.exchange.store import put_grant, put_version
from hub.storage.changes import Call, Change, record
from hub.storage.statements import ENTRY_INDEX

FIELDS_MAX: Final = 64
SERVICE_ITEMS_MAX: Final = 1_000
TEXT_MAX: Final = 400


@dataclass(frozen=True, slots=True)
class Changed:
    """A grant as it is now, with the receipt of the entry that made it so."""

    grant: Grant
    receipt: str
    entry: int


@dataclass(frozen=True, slots=True)
class ChangeGrants:
    """The two verbs that change grants."""

    clock: Clock
    recorder: Recorder
    access: Access
    types: CertificateTypes
    grants: GrantSnapshot

    async def create(self, call: Call, grant: Grant, *, validate_only: bool) -> Changed:
        """Store a grant after checking every field. Raises HubError with all violations.

        Officers may grant any type, a department those it defines.
        """
        certificate_type = self._check(grant)
        self._check_right(call.caller, certificate_type.code)
        now_us = self.clock()
        grant = dataclasses.replace(grant, create_us=now_us, create_entry=ENTRY_INDEX)
        if validate_only:
            return Changed(dataclasses.replace(grant, create_entry=0), "", 0)
        first = await self.recorder.remembered(call.caller.name, call.request_id)
        if first is None and self.grants.get(grant.id) is not None:
            raise HubError(Reason.ALREADY_EXISTS, name=f"grants/{grant.id}")
        data: dict[str, Json] = {
            "grant": f"grants/{grant.id}",
            "recipient": grant.recipient,
            "type": grant.type_code,
            "fields": list(grant.fields),
            "service_items": list(grant.service_items),
            "legal_basis": grant.legal_basis,
            "digest": grant.digest,
        }
        return await self._record(call, "grant.created", grant, data)

    async def revoke(self, call: Call, grant_id: str, cause: str) -> Changed:
        """End a grant. Raises HubError(GRANT_NOT_FOUND) or (TRANSITION_NOT_ALLOWED)."""
        grant = self.grants.get(grant_id)
        if grant is None:
            raise HubError(Reason.GRANT_NOT_FOUND, name=f"grants/{grant_id}")
        if not 0 < len(cause) <= TEXT_MAX:
            raise HubError(Reason.FIELD_INVALID, field="cause", rule=f"1 to {TEXT_MAX} characters")
        certificate_type = self.types.newest(grant.type_code)
        assert certificate_type is not None, "a grant names a published type, and none is removed"
        self._check_right(call.caller, certificate_type.code)
        first = await self.recorder.remembered(call.caller.name, call.request_id)
        if first is None and grant.revoke_us:
            raise HubError(
                Reason.TRANSITION_NOT_ALLOWED, name=f"grants/{grant_id}", state="revoked"
            )
        grant = dataclasses.replace(grant, revoke_us=self.clock())
        data: dict[str, Json] = {
            "grant": f"grants/{grant.id}",
            "create_entry": grant.create_entry,
            "revoker": call.caller.name,
            "cause": cause,
        }
        return await self._record(call, "grant.revoked", grant, data)

    async def _record(self, call: Call, kind: str, grant: Grant, data: dict[str, Json]) -> Changed:
        change = Change(
            kind,
            data,
            writes=(put_grant(grant), put_version(self.grants.version + 1)),
            checks=(self.access.check(call.caller), self.grants.check()),
            answer=grant.id.encode(),
        )
        answered = await record(self.recorder, call, change)
        await self.grants.refresh()
        stored = self.grants.get(grant.id)
        assert stored is not None, "what was recorded is in the database"
        assert answered.entry is not None, "it was recorded"
        return Changed(stored, answered.receipt, answered.entry)

    def _check_right(self, caller: Caller, type_code: str) -> None:
        may = self.access.answers_for(caller, type_code, type_code[:18])
        if caller.role is Role.OFFICER or may:
            return
        raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=caller.authority)

    def _check(self, grant: Grant) -> CertificateType:
        """The type of `grant`, all of whose fields are sound."""
        certificate_type = self.types.newest(grant.type_code)
        if certificate_type is None:
            raise HubError(
                Reason.CERTIFICATE_TYPE_NOT_FOUND,
                name=f"certificateTypes/{grant.type_code.lower()}",
            )
        found = _violations(grant, certificate_type)
        if not self.access.has_system(grant.recipient):
            found.append(
                Violation(
                    "grant.recipient",
                    "system.active",
                    "an active system; list them with `sealway system list`",
                    "应为有效的系统，可用 sealway system list 查看",
                )
            )
        if found:
            raise HubError(
                Reason.FIELD_INVALID,
                violations=tuple(found),
                field=found[0].field,
                rule=found[0].rule,
            )
        return certificate_type


def _violations(grant: Grant, certificate_type: CertificateType) -> list[Violation]:
    """Every rule of a grant that `grant` breaks."""
    found: list[Violation] = []
    try:
        names.check_id(grant.id, field="grant_id")
    except HubError as error:
        found += error.violations
    known = {face_field.name for face_field in certificate_type.fields}
    known |= {DOCUMENT_FIELD, FILES_FIELD}
    unknown = [name for name in grant.fields if name not in known]
    for broken, violation in (
        (
            not 1 <= len(grant.fields) <= FIELDS_MAX or len(set(grant.fields)) < len(grant.fields),
            Violation(
                "grant.fields",
                "fields.count",
                f"1 to {FIELDS_MAX} fields, none twice; an empty list discloses nothing",
                f"应为1至{FIELDS_MAX}个不重复的字段；空列表不允许披露任何内容",
            ),
        ),
        (
            bool(unknown),
            Violation(
                "grant.fields",
                "fields.known",
                f"not a face field of this type: {', '.join(unknown[:5])}",
                f"不是该类型的照面字段：{'、'.join(unknown[:5])}",
            ),
        ),
        (
            not 1 <= len(grant.service_items) <= SERVICE_ITEMS_MAX
            or not all(0 < len(item) <= 64 for item in grant.service_items),
            Violation(
                "grant.service_items",
                "service_items.count",
                f"1 to {SERVICE_ITEMS_MAX} codes of 1 to 64 characters",
                f"应为1至{SERVICE_ITEMS_MAX}个事项编码，每个1至64个字符",
            ),
        ),
        (
            not 0 < len(grant.legal_basis) <= TEXT_MAX,
            Violation(
                "grant.legal_basis",
                "legal_basis.length",
                f"law and article, 1 to {TEXT_MAX} characters",
                f"应填写法律依据，1至{TEXT_MAX}个字符",
            ),
        ),
        (
            grant.start_us >= grant.expire_us,
            Violation(
                "grant.expire_time",
                "dates.order",
                "later than start_time",
                "应晚于起始时间",
            ),
        ),
    ):
        if broken:
            found.append(violation)
    return found
