"""gRPC ↔ domain for seals, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.clock import Clock
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate import Custody
from hub.domain.seal_states import KeyState, SealState
from hub.errors import HubError, Reason
from hub.seal.key_statements import ProvenKeyStatements
from hub.seal.materials import Materials
from hub.seal.reseal.order import DocumentLeft, Resealed
from hub.seal.reseal.records import Reseal
from hub.seal.seal_keys import KeyWarning, warnings_of
from hub.seal.seal_store import ElectronicSeal, SealOrigin
from hub.seal.seals import KeyView, Seals, SealView
from hub.seal.status_lists import StatusLists
from hub.seal.v1 import seal_pb2 as pb
from hub.storage.paging import PageTokens, page_size
from hub.v1 import common_pb2

_PATH: Final = "/hub.seal.v1.SealService/"
_ANY_AUTHORITY: Final = "authorities/-"
# Receipts are long, and each is proven anew.
_STATEMENTS_MAX: Final = 100

_SEAL_STATES: Final = {
    SealState.APPLIED: pb.Seal.STATE_APPLIED,
    SealState.ACTIVE: pb.Seal.STATE_ACTIVE,
    SealState.SUSPENDED: pb.Seal.STATE_SUSPENDED,
    SealState.REVOKED: pb.Seal.STATE_REVOKED,
    SealState.ENDED: pb.Seal.STATE_ENDED,
}
_KEY_STATES: Final = {
    KeyState.REQUESTED: pb.Key.STATE_REQUESTED,
    KeyState.ACTIVE: pb.Key.STATE_ACTIVE,
    KeyState.RETIRED: pb.Key.STATE_RETIRED,
    KeyState.DESTROYED: pb.Key.STATE_DESTROYED,
    KeyState.COMPROMISED: pb.Key.STATE_COMPROMISED,
}
_ORIGINS: Final = {
    SealOrigin.MADE: pb.ElectronicSeal.ORIGIN_MADE_HERE,
    SealOrigin.IMPORTED: pb.ElectronicSeal.ORIGIN_IMPORTED,
}
_WARNINGS: Final = {
    KeyWarning.ENDS_IN_30_DAYS: pb.Key.WARNING_ENDS_IN_30_DAYS,
    KeyWarning.ENDS_IN_7_DAYS: pb.Key.WARNING_ENDS_IN_7_DAYS,
    KeyWarning.ENDS_IN_1_DAY: pb.Key.WARNING_ENDS_IN_1_DAY,
    KeyWarning.ENDED: pb.Key.WARNING_ENDED,
    KeyWarning.NEARLY_USED_UP: pb.Key.WARNING_NEARLY_USED_UP,
}
_CUSTODIES: Final = {
    Custody.DEPARTMENT: common_pb2.CUSTODY_DEPARTMENT,
    Custody.HUB_HSM: common_pb2.CUSTODY_HUB_HSM,
    Custody.HUB_FILE: common_pb2.CUSTODY_HUB_FILE,
    Custody.ATTESTED: common_pb2.CUSTODY_ATTESTED,
}


@dataclass(frozen=True, slots=True)
class SealService:
    """`hub.seal.v1.SealService`."""

    seals: Seals
    statements: ProvenKeyStatements
    materials: Materials
    reseal: Reseal
    clock: Clock
    status_lists: StatusLists
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def GetSeal(
        self, request: pb.GetSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetSealResponse:
        """One seal."""
        view = await self.seals.get(request.name)
        return pb.GetSealResponse(seal=encode_seal(view, self.clock()))

    async def ListSeals(
        self, request: pb.ListSealsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListSealsResponse:
        """A page of seals by name."""
        size = page_size(request.page_size)
        scope = f"ListSeals {request.parent}"
        after = self.pages.read(request.page_token, scope)
        authority = "" if request.parent == _ANY_AUTHORITY else request.parent
        if authority:
            names.parse(authority, "authorities/{authority}")
        page = await self.seals.page(authority, after, size + 1)
        more = len(page) > size
        return pb.ListSealsResponse(
            seals=[encode_seal(view, self.clock()) for view in page[:size]],
            next_page_token=self.pages.make(page[size - 1].seal.name, scope) if more else "",
        )

    async def ExportSeal(
        self, request: pb.ExportSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ExportSealResponse:
        """A seal in electronic form."""
        electronic = await self.seals.electronic(request.name, request.version)
        return pb.ExportSealResponse(
            seal_der=electronic.der, electronic_seal=encode_electronic_seal(electronic)
        )

    async def GetKey(
        self, request: pb.GetKeyRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetKeyResponse:
        """One key."""
        view = await self.seals.key(request.name)
        return pb.GetKeyResponse(key=encode_key(view, self.clock()))

    async def ListKeys(
        self, request: pb.ListKeysRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListKeysResponse:
        """A page of keys by name."""
        size = page_size(request.page_size)
        scope = f"ListKeys {request.seal}"
        after = self.pages.read(request.page_token, scope)
        if request.seal:
            names.parse(request.seal, "authorities/{authority}/seals/{seal}")
        page = await self.seals.key_page(request.seal, after, size + 1)
        more = len(page) > size
        return pb.ListKeysResponse(
            keys=[encode_key(view, self.clock()) for view in page[:size]],
            next_page_token=self.pages.make(page[size - 1].key.name, scope) if more else "",
        )

    async def ListKeyStatements(
        self, request: pb.ListKeyStatementsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListKeyStatementsResponse:
        """A page of what the log says of keys."""
        size = min(page_size(request.page_size), _STATEMENTS_MAX)
        after = self.pages.read(request.page_token, "ListKeyStatements")
        page = await self.statements.page(int(after or -1), size)
        return pb.ListKeyStatementsResponse(
            receipts=[
                common_pb2.Receipt(json=receipt, entry=entry) for entry, receipt in page.receipts
            ],
            next_page_token=self.pages.make(str(page.next), "ListKeyStatements")
            if page.next is not None
            else "",
        )

    async def AddSealMaterial(
        self, request: pb.AddSealMaterialRequest, _context: grpc.aio.ServicerContext
    ) -> pb.AddSealMaterialResponse:
        """Put a picture or an electronic seal on file."""
        answered = await self.materials.add(
            wire.call(self.current_caller(), _PATH + "AddSealMaterial", request),
            request.data,
            lambda one: pb.AddSealMaterialResponse(
                digest=one.digest, format=one.format
            ).SerializeToString(),
        )
        response = pb.AddSealMaterialResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetSealMaterial(
        self, request: pb.GetSealMaterialRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetSealMaterialResponse:
        """What is on file under a digest."""
        material = await self.materials.get(request.digest)
        return pb.GetSealMaterialResponse(data=material.data, format=material.format)

    async def ResealRecords(
        self, request: pb.ResealRecordsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ResealRecordsResponse:
        """The next batch of records, or the next document, of a compromised key."""
        names.parse(request.intent, "intents/{intent}")
        scope = f"ResealRecords {request.intent}"

        def encode(done: Resealed) -> bytes:
            token = self.pages.make(done.after, scope) if done.after else ""
            return pb.ResealRecordsResponse(
                records=done.count,
                documents=done.documents,
                left=None if done.left is None else _left(done.left),
                next_page_token=token,
            ).SerializeToString()

        answered = await self.reseal(
            wire.call(self.current_caller(), _PATH + "ResealRecords", request),
            request.intent,
            self.pages.read(request.page_token, scope),
            encode,
        )
        response = pb.ResealRecordsResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetStatusList(
        self, request: pb.GetStatusListRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetStatusListResponse:
        """A status list token."""
        collection, _, number = request.name.partition("/")
        # Lists are numbered from 1, so their names are shorter than other ids.
        if collection != "statusLists" or not number.isascii() or not number.isdigit():
            raise HubError(
                Reason.NAME_MALFORMED, name=request.name[:100], form="statusLists/{status_list}"
            )
        place = int(number[:9])
        return pb.GetStatusListResponse(
            token=await self.status_lists.token(place),
            sm2_token=await self.status_lists.sm2_token(place),
        )


def encode_seal(view: SealView, now_us: int) -> pb.Seal:
    """The message of a seal."""
    seal = view.seal
    message = pb.Seal(
        name=seal.name,
        title=seal.title,
        state=_SEAL_STATES[seal.state],
        create_time=wire.timestamp(seal.create_time_us),
        seal_type=seal.seal_type,
        keys=[encode_key(key, now_us) for key in view.keys],
    )
    if view.electronic is not None:
        message.electronic_seal.CopyFrom(encode_electronic_seal(view.electronic))
    return message


def encode_electronic_seal(electronic: ElectronicSeal) -> pb.ElectronicSeal:
    """The message of an electronic seal."""
    return pb.ElectronicSeal(
        version=electronic.version,
        number=electronic.number,
        origin=_ORIGINS[electronic.origin],
        format_version=electronic.format_version,
        start_time=wire.timestamp(electronic.valid_from_us),
        expire_time=wire.timestamp(electronic.valid_until_us),
        picture=electronic.picture,
        maker_key=electronic.maker_key,
        create_time=wire.timestamp(electronic.create_time_us),
    )


def encode_key(view: KeyView, now_us: int) -> pb.Key:
    """The message of a key, with what an officer must see to."""
    key = view.key
    message = pb.Key(
        name=key.name,
        seal=key.seal,
        use=key.use.value,
        algorithm=key.algorithm.value,
        home=key.home,
        custody=_CUSTODIES[key.custody],
        key_id=key.kid,
        state=_KEY_STATES[key.state],
        uses=view.uses,
        uses_max=key.uses_max,
        x509_request=key.x509_request,
        x509_chain=key.x509_chain,
        create_time=wire.timestamp(key.create_time_us),
        warnings=[_WARNINGS[warning] for warning in warnings_of(key, view.uses, now_us)],
    )
    for field, time_us in (
        (message.expire_time, key.not_after_us),
        (message.activate_time, key.activate_time_us),
        (message.retire_time, key.retire_time_us),
        (message.destroy_time, key.destroy_time_us),
    ):
        if time_us is not None:
            field.CopyFrom(wire.timestamp(time_us))
    if view.compromised_from is not None:
        message.compromise_time.CopyFrom(wire.timestamp(view.compromised_from * 1_000_000))
    return message


def _left(left: DocumentLeft) -> pb.DocumentLeft:
    return pb.DocumentLeft(
        certificate_identifier=left.identifier,
        version=left.version,
        media_type=left.media_type,
        copy=left.copy,
        reason=left.reason.value,
    )
