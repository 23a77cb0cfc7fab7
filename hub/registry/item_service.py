"""gRPC ↔ domain for service items, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import grpc

from hub import wire
from hub.domain import names
from hub.domain.caller import Caller
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.registry.change_items import ImportItems, ItemChange, Outcome, RetireItem
from hub.registry.item_store import ListState, Standing
from hub.registry.items import Items, StoredItem
from hub.registry.v1 import items_pb2 as pb
from hub.storage.changes import Call
from hub.storage.paging import PageTokens, fitting, page_size

_PATH: Final = "/hub.registry.v1.ItemService/"
_ITEM: Final = "items/{item}"
_OUTCOMES: Final = {
    Outcome.NEW: pb.ItemChange.OUTCOME_NEW,
    Outcome.CHANGED: pb.ItemChange.OUTCOME_CHANGED,
    Outcome.UNCHANGED: pb.ItemChange.OUTCOME_UNCHANGED,
}


@dataclass(frozen=True, slots=True)
class ItemService:
    """`hub.registry.v1.ItemService`."""

    items: Items
    import_items: ImportItems
    retire: RetireItem
    pages: PageTokens
    current_caller: Callable[[], Caller]

    async def ImportItems(
        self, request: pb.ImportItemsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ImportItemsResponse:
        """Put items into the catalogue."""
        answered = await self.import_items(
            self._call("ImportItems", request),
            request.items,
            encode_changes,
            validate_only=request.validate_only,
        )
        response = pb.ImportItemsResponse.FromString(answered.answer)
        if answered.entry is not None:
            response.receipt.CopyFrom(wire.receipt(answered))
        return response

    async def GetItem(
        self, request: pb.GetItemRequest, _context: grpc.aio.ServicerContext
    ) -> pb.GetItemResponse:
        """One item."""
        (item_id,) = names.parse(request.name, _ITEM)
        if request.version < 0:
            raise HubError(Reason.FIELD_INVALID, field="version", rule="0 or a version number")
        stored = self.items.find(item_id.upper(), request.version)
        if stored is None:
            raise HubError(Reason.ITEM_NOT_FOUND, name=request.name)
        return pb.GetItemResponse(item=self._encode(stored))

    async def ListItems(
        self, request: pb.ListItemsRequest, _context: grpc.aio.ServicerContext
    ) -> pb.ListItemsResponse:
        """A page of items by code."""
        size = page_size(request.page_size)
        scope = f"ListItems {digest(request.filter.SerializeToString(deterministic=True))}"
        after = self.pages.read(request.page_token, scope)
        wanted = decode_filter(request.filter)
        rest = [one for one in self.items.all() if one.item.code > after and wanted(one)]
        page = fitting(rest, size, lambda one: len(one.document))
        more = len(rest) > len(page)
        return pb.ListItemsResponse(
            items=[self._encode(one) for one in page],
            next_page_token=self.pages.make(page[-1].item.code, scope) if more else "",
        )

    async def RetireItem(
        self, request: pb.RetireItemRequest, _context: grpc.aio.ServicerContext
    ) -> pb.RetireItemResponse:
        """End an item."""
        (item_id,) = names.parse(request.name, _ITEM)
        answered = await self.retire(
            self._call("RetireItem", request),
            item_id.upper(),
            request.cause,
            lambda stored, standing: encode_item(stored, standing).SerializeToString(),
        )
        item = pb.Item.FromString(answered.answer)
        item.state_entry = answered.entry or 0
        return pb.RetireItemResponse(item=item, receipt=wire.receipt(answered))

    def _call(self, method: str, request: wire.Request) -> Call:
        return wire.call(self.current_caller(), _PATH + method, request)

    def _encode(self, stored: StoredItem) -> pb.Item:
        return encode_item(stored, self.items.standing(stored.item.code))


def decode_filter(message: pb.ListItemsRequest.Filter) -> Callable[[StoredItem], bool]:
    """What the filter lets pass. Raises HubError(NAME_MALFORMED)."""
    code = ""
    if message.certificate_type:
        (type_id,) = names.parse(message.certificate_type, "certificateTypes/{certificate_type}")
        code = type_id.upper()

    def passes(stored: StoredItem) -> bool:
        item = stored.item
        return (not message.authority or item.authority == message.authority) and (
            not code or any(code in material.types for material in item.materials)
        )

    return passes


def encode_item(stored: StoredItem, standing: Standing) -> pb.Item:
    """The message of one version."""
    item, time_us = stored.item, stored.create_time_us
    is_retired = standing.state is ListState.RETIRED
    return pb.Item(
        name=f"items/{item.code.lower()}",
        code=item.code,
        version=item.version,
        title=item.name,
        title_en=item.name_en,
        authority=item.authority,
        state=pb.Item.STATE_RETIRED if is_retired else pb.Item.STATE_ACTIVE,
        state_entry=standing.entry,
        cause=standing.cause,
        document=stored.document,
        create_time=wire.timestamp(time_us),
    )


def encode_changes(changes: Sequence[ItemChange]) -> bytes:
    """The bytes of the answer to an import, but for its receipt."""
    response = pb.ImportItemsResponse(
        changes=[
            pb.ItemChange(
                name=f"items/{one.item.code.lower()}",
                code=one.item.code,
                title=one.item.name,
                outcome=_OUTCOMES[one.outcome],
                version=one.item.version,
                members=[
                    pb.MemberChange(place=member.place, before=member.before, after=member.after)
                    for member in one.changes
                ],
            )
            for one in changes
        ]
    )
    return response.SerializeToString()
