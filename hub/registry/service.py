"""gRPC ↔ domain for the registry, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.clock import Clock, legal_day
from hub.domain import names
from hub.domain.association import NamedIdentifier, Relation
from hub.domain.caller import Caller
from hub.domain.certificate import Custody, Origin, State, grade_of, state_on
from hub.domain.holder import Holder
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.registry.catalogue import Catalogue, PublishCertificateType, PublishedType
from hub.registry.change_type import ChangeType
from hub.registry.decide import Outcome, RowResult
from hub.registry.ingest import BATCH_BYTES_MAX, DeliveredRow, Ingested
from hub.registry.item_store import PUBLISHED, ListState, Standing
from hub.registry.search import Filter, SearchCertificates
from hub.registry.store import CertificateView, etag_of
from hub.registry.v1 import registry_pb2 as pb
from hub.storage.changes import Answered, Call
from hub.storage.paging import PageTokens, fitting, page_size
from hub.v1 import common_pb2

_PATH: Final = "/hub.registry.v1.RegistryService/"
CERTIFICATE: Final = "authorities/{authority}/certificates/{certificate}"
_TYPE: Final = "certificateTypes/{certificate_type}"

STATES: Final = {
    State.ACTIVE: common_pb2.CERTIFICATE_STATE_ACTIVE,
    State.SUPERSEDED: common_pb2.CERTIFICATE_STATE_SUPERSEDED,
    State.EXPIRED: common_pb2.CERTIFICATE_STATE_EXPIRED,
    State.REVOKED: common_pb2.CERTIFICATE_STATE_REVOKED,
    State.NOT_YET_IN_FORCE: common_pb2.CERTIFICATE_STATE_NOT_YET_IN_FORCE,
    State.SUSPENDED: common_pb2.CERTIFICATE_STATE_SUSPENDED,
    State.WITHDRAWN: common_pb2.CERTIFICATE_STATE_WITHDRAWN,
    State.ANNULLED: common_pb2.CERTIFICATE_STATE_ANNULLED,
    State.DEREGISTERED: common_pb2.CERTIFICATE_STATE_DEREGISTERED,
}
ORIGINS: Final = {
    Origin.SYSTEM: common_pb2.CERTIFICATE_ORIGIN_SYSTEM,
    Origin.SCAN: common_pb2.CERTIFICATE_ORIGIN_SCAN,
}
_CUSTODIES: Final = {
    Custody.DEPARTMENT: common_pb2.CUSTODY_DEPARTMENT,
    Custody.HUB_HSM: common_pb2.CUSTODY_HUB_HSM,
    Custody.HUB_FILE: common_pb2.CUSTODY_HUB_FILE,
    Custody.ATTESTED: common_pb2.CUSTODY_ATTESTED,
}
_TYPE_STATES: Final = {
    ListState.PUBLISHED: pb.CertificateType.STATE_PUBLISHED,
    ListState.DEPRECATED: pb.CertificateType.STATE_DEPRECATED,
    ListState.RETIRED: pb.CertificateType.STATE_RETIRED,
}
_RELATIONS: Final = {
    Relation.KNOWN_AS: pb.NamedIdentifier.RELATION_KNOWN_AS,
    Relation.RENEWED_FROM: pb.NamedIdentifier.RELATION_RENEWED_FROM,
    Relation.CHANGES: pb.NamedIdentifier.RELATION_CHANGES,
    Relation.DERIVED_FROM: pb.NamedIdentifier.RELATION_DERIVED_FROM,
}
_OUTCOMES: Final = {
    Outcome.NEW: pb.RowResult.OUTCOME_NEW,
    Outcome.CHANGED: pb.RowResult.OUTCOME_CHANGED,
    Outcome.CORRECTED: pb.RowResult.OUTCOME_CORRECTED,
    Outcome.UNCHANGED: pb.RowResult.OUTCOME_UNCHANGED,
    Outcome.REFUSED: pb.RowResult.OUTCOME_REFUSED,
}


@dataclass(frozen=True, slots=True)
class RegistryService:
    """`hub.registry.v1.RegistryService`."""

    clock: Clock
    catalogue: Catalogue
    publish: PublishCertificateType
    change_type: ChangeType
    ingest: Callable[[Caller, str, Sequence[DeliveredRow]], Awaitable[Ingested]]
    search: SearchCertificates
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def CreateCertificateType(
        self, request: pb.CreateCertificateTypeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateCertificateTypeResponse:
        """Publish a type or its next version."""
        published = await self.publish(
            self._call("CreateCertificateType", request),
            request.metadata,
            lambda one: encode_certificate_type(one, PUBLISHED).SerializeToString(),
            validate_only=request.validate_only,
        )
        response = pb.CreateCertificateTypeResponse(
            certificate_type=pb.CertificateType.FromString(published.answer)
        )
        if published.entry is not None:
            response.receipt.CopyFrom(wire.receipt(published))
        return response

    async def DeprecateCertificateType(
        self, request: pb.DeprecateCertificateTypeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.DeprecateCertificateTypeResponse:
        """Say that another type should be used."""
        call = self._call("DeprecateCertificateType", request)
        answered = await self._change(call, request.name, ListState.DEPRECATED, request.cause)
        return pb.DeprecateCertificateTypeResponse(
            certificate_type=_changed(answered), receipt=wire.receipt(answered)
        )

    async def RetireCertificateType(
        self, request: pb.RetireCertificateTypeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.RetireCertificateTypeResponse:
        """End a type."""
        call = self._call("RetireCertificateType", request)
        answered = await self._change(call, request.name, ListState.RETIRED, request.cause)
        return pb.RetireCertificateTypeResponse(
            certificate_type=_changed(answered), receipt=wire.receipt(answered)
        )

    async def GetCertificateType(
        self, request: pb.GetCertificateTypeRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetCertificateTypeResponse:
        """One type."""
        (type_id,) = names.parse(request.name, _TYPE)
        if request.version < 0:
            raise HubError(Reason.FIELD_INVALID, field="version", rule="0 or a version number")
        published = self.catalogue.find(type_id.upper(), request.version)
        if published is None:
            raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=request.name)
        return pb.GetCertificateTypeResponse(certificate_type=self._encode_type(published))

    async def ListCertificateTypes(
        self, request: pb.ListCertificateTypesRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListCertificateTypesResponse:
        """A page of types by code."""
        size = page_size(request.page_size)
        after = self.pages.read(request.page_token, "ListCertificateTypes")
        rest = [one for one in self.catalogue.all() if one.type.code > after]
        page = fitting(rest, size, lambda one: len(one.metadata))
        more = len(rest) > len(page)
        return pb.ListCertificateTypesResponse(
            certificate_types=[self._encode_type(one) for one in page],
            next_page_token=self.pages.make(page[-1].type.code, "ListCertificateTypes")
            if more
            else "",
        )

    async def IngestBatches(
        self,
        requests: AsyncIterator[pb.IngestBatchesRequest],
        _context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[pb.IngestBatchesResponse]:
        """Take signed batches, one answer each, in their order."""
        caller = self.current_caller()
        async for request in requests:
            size = request.ByteSize()
            if size > BATCH_BYTES_MAX:
                raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=size, bytes_max=BATCH_BYTES_MAX)
            rows = [DeliveredRow(row.salt, row.row) for row in request.rows]
            yield encode_ingested(await self.ingest(caller, request.root_jws, rows))

    async def GetCertificate(
        self, request: pb.GetCertificateRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetCertificateResponse:
        """One certificate in its newest version."""
        authority, certificate = names.parse(request.name, CERTIFICATE)
        view = await self.search.get(self.current_caller(), f"authorities/{authority}", certificate)
        return pb.GetCertificateResponse(certificate=self._encode(view))

    async def SearchCertificates(
        self, request: pb.SearchCertificatesRequest, _context: grpc.aio.ServicerContext
    ) -> pb.SearchCertificatesResponse:
        """A page of certificates."""
        caller = self.current_caller()
        wanted = decode_filter(request.filter)
        size = page_size(request.page_size)
        # The filter may name a holder, so only its digest is bound into the token.
        filter_digest = digest(request.filter.SerializeToString(deterministic=True))
        scope = f"SearchCertificates {caller.name} {filter_digest}"
        after = self.pages.read(request.page_token, scope)
        page = await self.search.search(caller, wanted, after=after, size=size)
        return pb.SearchCertificatesResponse(
            certificates=[self._encode(view) for view in page.certificates],
            next_page_token=self.pages.make(page.after, scope) if page.after else "",
        )

    async def ListCertificateVersions(
        self, request: pb.ListCertificateVersionsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListCertificateVersionsResponse:
        """A page of a certificate's versions."""
        authority, certificate = names.parse(request.parent, CERTIFICATE)
        caller = self.current_caller()
        size = page_size(request.page_size)
        scope = f"ListCertificateVersions {caller.name} {request.parent}"
        page = await self.search.versions(
            caller,
            f"authorities/{authority}",
            certificate,
            after=self.pages.read(request.page_token, scope),
            size=size,
        )
        return pb.ListCertificateVersionsResponse(
            certificates=[self._encode(view) for view in page.certificates],
            next_page_token=self.pages.make(page.after, scope) if page.after else "",
        )

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)

    async def _change(self, call: Call, name: str, state: ListState, cause: str) -> Answered:
        (type_id,) = names.parse(name, _TYPE)
        return await self.change_type(
            call,
            type_id.upper(),
            state,
            cause,
            lambda one, standing: encode_certificate_type(one, standing).SerializeToString(),
        )

    def _encode_type(self, published: PublishedType) -> pb.CertificateType:
        return encode_certificate_type(published, self.catalogue.standing(published.type.code))

    def _encode(self, view: CertificateView) -> pb.Certificate:
        return encode_certificate(view, self.clock())


def decode_filter(message: pb.SearchCertificatesRequest.Filter) -> Filter:
    """The filter. Raises HubError(NAME_MALFORMED), (HOLDER_INVALID), (USCC_INVALID)."""
    type_code = None
    if message.certificate_type:
        (type_id,) = names.parse(message.certificate_type, _TYPE)
        type_code = type_id.upper()
    if message.authority:
        names.parse(message.authority, "authorities/{authority}")
    holder = None
    if message.HasField("holder"):
        holder = Holder(message.holder.type, message.holder.number)
    return Filter(
        holder=holder,
        type_code=type_code,
        number=message.number or None,
        identifier=message.identifier or None,
        authority=message.authority or None,
        associated=message.associated or None,
    )


def encode_certificate_type(published: PublishedType, standing: Standing) -> pb.CertificateType:
    """The message of a type."""
    return pb.CertificateType(
        name=f"certificateTypes/{published.type.code.lower()}",
        code=published.type.code,
        version=published.type.version,
        title=published.type.name,
        title_en=published.type.name_en,
        vct=published.vct,
        metadata=published.metadata,
        create_time=wire.timestamp(published.create_time_us),
        state=_TYPE_STATES[standing.state],
        state_entry=standing.entry,
        cause=standing.cause,
    )


def encode_ingested(ingested: Ingested) -> pb.IngestBatchesResponse:
    """The answer to one batch."""
    return pb.IngestBatchesResponse(
        batch=ingested.batch,
        seq=ingested.seq,
        results=[_encode_result(result) for result in ingested.results],
        receipt=common_pb2.Receipt(json=ingested.receipt, entry=ingested.entry),
    )


def encode_certificate(view: CertificateView, now_us: int) -> pb.Certificate:
    """The message of one version, its state judged at `now_us`."""
    state = state_on(view.state, view.valid_from, view.valid_until, legal_day(now_us))
    return pb.Certificate(
        name=f"{view.authority}/certificates/{view.id}",
        identifier=view.identifier,
        version=view.version,
        certificate_type=f"certificateTypes/{view.type_code.lower()}",
        type_version=view.type_version,
        number=view.number,
        state=STATES[state],
        state_entry=view.state_entry,
        issue_date=view.issue_date,
        valid_from=view.valid_from,
        valid_until=view.valid_until,
        custody=_CUSTODIES[view.custody],
        trust_grade=grade_of(view.custody, view.origin).value,
        origin=ORIGINS[view.origin],
        converted_by=view.converted_by,
        public_fields=view.public_fields.decode(),
        create_time=wire.timestamp(view.create_time_us),
        etag=etag_of(view.identifier, view.state_entry),
        presence=pb.PRESENCE_GONE if view.presence.is_gone else pb.PRESENCE_LISTED,
        confirm_time=wire.timestamp(view.presence.confirm_time_us),
        named_identifiers=[_encode_named(one) for one in view.named],
        objected_fields=view.objected,
        holder_count=view.holder_count,
    )


def _encode_named(named: NamedIdentifier) -> pb.NamedIdentifier:
    return pb.NamedIdentifier(
        relation=_RELATIONS[named.relation], identifier=named.identifier, fault=named.fault
    )


def _encode_result(result: RowResult) -> pb.RowResult:
    return pb.RowResult(
        outcome=_OUTCOMES[result.outcome],
        certificate=result.certificate,
        identifier=result.identifier,
        errors=[
            pb.RowError(field=one.field, reason=one.rule, en=one.en, zh=one.zh)
            for one in result.violations
        ],
    )


def _changed(answered: Answered) -> pb.CertificateType:
    changed = pb.CertificateType.FromString(answered.answer)
    changed.state_entry = answered.entry or 0
    return changed
