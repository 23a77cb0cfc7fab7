"""LedgerService: proofs to whoever may call, openings to the auditor and to the entry's caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hub.domain.caller import Caller, Role
from hub.domain.entry import LogHead
from hub.errors import HubError, Reason
from hub.ledger.proofs import log_head
from hub.ledger.recorder import Recorder
from hub.ledger.v1 import ledger_pb2 as pb
from hub.ledger.v1 import ledger_pb2_grpc
from hub.v1 import common_pb2

if TYPE_CHECKING:
    import grpc


class LedgerService(ledger_pb2_grpc.LedgerServiceServicer):
    """The log over gRPC. Only heads that the external head holds are ever shown."""

    def __init__(self, recorder: Recorder, current_caller: Callable[[], Caller]) -> None:
        self._recorder = recorder
        self._current_caller = current_caller

    async def GetCheckpoint(
        self,
        request: pb.GetCheckpointRequest,
        context: grpc.aio.ServicerContext,
    ) -> pb.GetCheckpointResponse:
        recorder = self._recorder
        return pb.GetCheckpointResponse(
            checkpoint=recorder.checkpoint(), head=encode_head(recorder.head())
        )

    async def GetInclusionProof(
        self,
        request: pb.GetInclusionProofRequest,
        context: grpc.aio.ServicerContext,
    ) -> pb.GetInclusionProofResponse:
        proofs, size = self._recorder.proofs, self._recorder.head().size
        if not 0 <= request.entry < size:
            raise HubError(Reason.ENTRY_NOT_FOUND, entry=request.entry)
        answer = pb.GetInclusionProofResponse(
            proof=await proofs.proof(request.entry, size, await proofs.root_at(size)),
            entry=await proofs.entry(request.entry),
        )
        receipt = await self._receipt(self._current_caller(), request.entry, size)
        if receipt is not None:
            answer.receipt.CopyFrom(common_pb2.Receipt(json=receipt, entry=request.entry))
        return answer

    async def GetConsistencyProof(
        self,
        request: pb.GetConsistencyProofRequest,
        context: grpc.aio.ServicerContext,
    ) -> pb.GetConsistencyProofResponse:
        proofs, newest = self._recorder.proofs, self._recorder.head()
        new_size = request.new_size or newest.size
        if not 1 <= new_size <= newest.size:
            raise _wrong_size("new_size", f"1 to {newest.size}, or 0 for the newest")
        if not 1 <= request.old_size <= new_size:
            raise _wrong_size("old_size", f"1 to {new_size}")
        root = await proofs.root_at(new_size)
        return pb.GetConsistencyProofResponse(
            hashes=await proofs.consistency(request.old_size, new_size),
            head=encode_head(log_head(newest.origin, new_size, root)),
        )

    async def _receipt(self, caller: Caller, index: int, size: int) -> str | None:
        """The receipt for whoever may read the entry; None for others, and where it was erased."""
        proofs = self._recorder.proofs
        try:
            entry = await proofs.opened(index)
        except HubError as error:
            if error.reason is Reason.KEY_UNAVAILABLE:
                return None
            raise
        if caller.role is not Role.AUDITOR and caller.name != entry.caller:
            return None
        return await proofs.upgraded_receipt(entry, size)


def encode_head(head: LogHead) -> common_pb2.LogHead:
    """A head as a message."""
    return common_pb2.LogHead(origin=head.origin, size=head.size, root=head.root)


def _wrong_size(field: str, rule: str) -> HubError:
    return HubError(Reason.FIELD_INVALID, field=field, rule=rule)
