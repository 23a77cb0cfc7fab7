"""gRPC ↔ domain for seals, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.domain.certificate import Custody
from hub.domain.seal_states import SealState
from hub.errors import HubError, Reason
from hub.seal.ports import Database
from hub.seal.seal_store import SEALS_OF_AUTHORITY_PAGE, SEALS_PAGE, seal_of
from hub.seal.seals import Seals, SealView
from hub.seal.status_lists import StatusLists
from hub.seal.v1 import seal_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, page_size
from hub.v1 import common_pb2

_PATH: Final = "/hub.seal.v1.SealService/"
_ANY_AUTHORITY: Final = "authorities/-"

_SEAL_STATES: Final = {
    SealState.APPLIED: pb.Seal.STATE_APPLIED,
    SealState.ACTIVE: pb.Seal.STATE_ACTIVE,
    SealState.SUSPENDED: pb.Seal.STATE_SUSPENDED,
    SealState.REVOKED: pb.Seal.STATE_REVOKED,
    SealState.ENDED: pb.Seal.STATE_ENDED,
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

    database: Database
    seals: Seals
    status_lists: StatusLists
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def CreateSeal(
        self, request: pb.CreateSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.CreateSealResponse:
        """Make a seal and its key."""
        names.parse(request.parent, "authorities/{authority}")
        call = self._call("CreateSeal", request)
        answered = await self.seals.create(
            call,
            request.parent,
            request.seal_id,
            request.title,
            lambda view: pb.CreateSealResponse(
                seal=encode_seal(view), x509_request=view.key.x509_request if view.key else b""
            ).SerializeToString(),
        )
        response = pb.CreateSealResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def ActivateSeal(
        self, request: pb.ActivateSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ActivateSealResponse:
        """Install a chain."""
        names.parse(request.name, "authorities/{authority}/seals/{seal}")
        call = self._call("ActivateSeal", request)
        answered = await self.seals.activate(
            call,
            request.name,
            tuple(request.x509_chain),
            lambda view: pb.ActivateSealResponse(seal=encode_seal(view)).SerializeToString(),
        )
        response = pb.ActivateSealResponse.FromString(answered.answer)
        response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetSeal(
        self, request: pb.GetSealRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetSealResponse:
        """One seal."""
        names.parse(request.name, "authorities/{authority}/seals/{seal}")
        return pb.GetSealResponse(seal=encode_seal(await self.seals.get(request.name)))

    async def ListSeals(
        self, request: pb.ListSealsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListSealsResponse:
        """A page of seals by name."""
        size = page_size(request.page_size)
        scope = f"ListSeals {request.parent}"
        after = self.pages.read(request.page_token, scope)
        if request.parent == _ANY_AUTHORITY:
            rows = await self.database.all(SEALS_PAGE, after, size + 1)
        else:
            names.parse(request.parent, "authorities/{authority}")
            rows = await self.database.all(SEALS_OF_AUTHORITY_PAGE, request.parent, after, size + 1)
        page = [await self.seals.view(seal_of(row)) for row in rows[:size]]
        more = len(rows) > size
        return pb.ListSealsResponse(
            seals=[encode_seal(view) for view in page],
            next_page_token=self.pages.make(page[-1].seal.name, scope) if more else "",
        )

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
        return pb.GetStatusListResponse(token=await self.status_lists.token(int(number[:9])))

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)


def encode_seal(view: SealView) -> pb.Seal:
    """The message of a seal."""
    seal, key = view
    message = pb.Seal(
        name=seal.name,
        title=seal.title,
        state=_SEAL_STATES[seal.state],
        create_time=wire.timestamp(seal.create_time_us),
    )
    if key is not None:
        message.key_id, message.algorithm = key.kid, key.algorithm.value
        message.custody = _CUSTODIES[key.custody]
        message.x509_chain.extend(key.x509_chain)
        if key.not_after_us is not None:
            message.expire_time.CopyFrom(wire.timestamp(key.not_after_us))
    return message
