"""Bind a certificate to the holder who was found out, and take that back.

Old registers have lines without a holder's number; such a certificate is on file unbound. Whose it
is, its authority decides later. Its seal is not made anew, because only a signed row can be sealed:
the binding is the authority's later word, in an entry of its own, and look-ups by holder treat the
certificate like one that was reached through a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.clock import Clock
from hub.domain.certificate import State
from hub.domain.holder import Holder, may_hold
from hub.domain.rules import violation
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.registry.catalogue import Catalogue
from hub.registry.evidence import Evidence, check_evidence, field_invalid
from hub.registry.feed_store import Change as FeedChange
from hub.registry.feed_store import ChangeKind, changes_write
from hub.registry.ports import Access, Database, HolderKeys, Recorder
from hub.registry.store import (
    ATTACHED,
    HOLDING,
    PUT_CERTIFICATE,
    PUT_HOLDER,
    RELEASED,
    TURN,
    CertificateRow,
    VersionRow,
    certificate_row,
    on_file_of,
    put_turn,
    unchanged_turn,
)
from hub.registry.transition_store import HELD
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import Check, Write

# What a refusal says of a certificate that is not as it must be.
_UNBOUND: Final = "unbound"
_BOUND: Final = "bound"


@dataclass(frozen=True, slots=True)
class _Basis:
    """A certificate of the caller's authority, and that nothing about it has changed since."""

    certificate: CertificateRow
    version: VersionRow
    check: Check


@dataclass(frozen=True, slots=True)
class HolderBindings:
    """Bindings of certificates to holders who were found out."""

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    catalogue: Catalogue
    holder_keys: HolderKeys

    async def bind(
        self, call: Call, authority: str, certificate_id: str, holder: Holder, evidence: Evidence
    ) -> Answered:
        """Bind an unbound certificate of one's own; durable when it returns.

        Raises HubError: FIELD_INVALID, CERTIFICATE_NOT_FOUND, TRANSITION_NOT_ALLOWED where it has a
        holder, REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE.
        """
        check_evidence(evidence)

        async def decide() -> Change:
            basis = await self._read(call, authority, certificate_id)
            certificate = basis.certificate
            if certificate.holder_indexes:
                raise _not_allowed(certificate, _BOUND)
            published = self.catalogue.find(certificate.type_code, basis.version.type_version)
            assert published is not None, "its version names a published type"
            kind = published.type.holder_kind
            if not may_hold(kind, holder.type):
                raise field_invalid(violation("holder.type", "holder.kind", kind=kind.value))
            index = self.holder_keys.holder_index(holder.type, holder.number)
            bound = certificate._replace(
                holder_indexes=(index,), holder_key_id=self.holder_keys.holder_key_id
            )
            return self._change(call, "certificate.bound", basis, bound, evidence)

        return await read_and_change_once(self.recorder, call, decide)

    async def unbind(
        self, call: Call, authority: str, certificate_id: str, evidence: Evidence
    ) -> Answered:
        """Take such a binding back; durable when it returns.

        Raises HubError as `bind` does; TRANSITION_NOT_ALLOWED where it has no holder, or its own
        row names one: that is changed by a new version.
        """
        check_evidence(evidence)

        async def decide() -> Change:
            basis = await self._read(call, authority, certificate_id)
            certificate = basis.certificate
            if len(certificate.holder_indexes) != 1:
                raise _not_allowed(certificate, _BOUND if certificate.holder_indexes else _UNBOUND)
            index = certificate.holder_indexes[0]
            name = (index, certificate.type_code, certificate.id)
            if await self.database.one(HOLDING, *name) != (ATTACHED,):
                raise _not_allowed(certificate, _BOUND)
            unbound = certificate._replace(holder_indexes=())
            return self._change(call, "certificate.unbound", basis, unbound, evidence)

        return await read_and_change_once(self.recorder, call, decide)

    async def _read(self, call: Call, authority: str, certificate_id: str) -> _Basis:
        """The certificate as it is now. Raises HubError(CERTIFICATE_NOT_FOUND), another's too."""
        row = None
        if authority in self.access.kept(call.caller):
            row = await self.database.one(HELD, certificate_id, authority)
        if row is None or authority not in self.access.kept(
            call.caller, on_file_of(row)[0].type_code
        ):
            name = f"{authority}/certificates/{certificate_id}"
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)
        type_code = on_file_of(row)[0].type_code
        # The turn first: whatever a batch changes after this makes the decision stale.
        turn = await self.database.one(TURN, authority, type_code)
        row = await self.database.one(HELD, certificate_id, authority)
        assert row is not None, "no certificate is ever removed"
        return _Basis(*on_file_of(row), unchanged_turn(authority, type_code, turn))

    def _change(
        self, call: Call, kind: str, basis: _Basis, after: CertificateRow, evidence: Evidence
    ) -> Change:
        before, version = basis.certificate, basis.version
        (index,) = after.holder_indexes or before.holder_indexes
        state = ATTACHED if after.holder_indexes else RELEASED
        held = (
            index,
            after.type_code,
            after.id,
            after.holder_key_id,
            state,
            after.retention_class,
        )
        told = FeedChange(
            ChangeKind.HOLDER,
            after.authority,
            after.type_code,
            after.id,
            version.identifier,
            version.version,
            State(version.state),
            version.valid_from,
            version.valid_until,
            (index,),
            after.retention_class,
        )
        data: dict[str, Json] = {
            "certificate": version.identifier,
            "document_digest": evidence.document_digest,
            "legal_basis": evidence.legal_basis,
        }
        return Change(
            kind=kind,
            data=data,
            writes=[
                Write(PUT_CERTIFICATE, [certificate_row(after)]),
                Write(PUT_HOLDER, [held]),
                put_turn(after.authority, after.type_code),
                changes_write([told], self.clock()),
            ],
            checks=[self.access.check(call.caller), basis.check],
            answer=b"",
        )


def _not_allowed(certificate: CertificateRow, state: str) -> HubError:
    name = f"{certificate.authority}/certificates/{certificate.id}"
    return HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=state)
