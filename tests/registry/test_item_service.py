"""Service items by their messages: pages, filters, versions, and what is refused at the edge."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.service_item import to_json
from hub.errors import HubError, Reason
from hub.registry.change_items import ImportItems, RetireItem
from hub.registry.item_service import ItemService
from hub.registry.items import Items
from hub.registry.v1 import items_pb2 as pb
from hub.storage import paging
from hub.storage.encryption import Keyring
from hub.storage.paging import PageTokens
from tests.domain.test_service_item import ITEM as PLAIN
from tests.registry.office import LICENCE_TYPE, OFFICERS, USCC, Office, open_office

ITEM = dataclasses.replace(PLAIN, version=0)


@pytest.fixture
async def office(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(sqlite_url, tmp_path) as opened:
        await opened.publish_type(LICENCE_TYPE)
        yield opened


@pytest.fixture
async def service(office: Office) -> ItemService:
    items = Items(office.database)
    await items.refresh()
    access, recorder = office.identities, office.recorder
    return ItemService(
        items,
        ImportItems(now_us, recorder, access, office.catalogue, items),
        RetireItem(now_us, recorder, access, items),
        PageTokens(Keyring(bytes(32), bytes(32)).page_digest(), now_us),
        lambda: office.officer(OFFICERS[0]),
    )


async def put(service: ItemService, *documents: bytes) -> pb.ImportItemsResponse:
    request = pb.ImportItemsRequest(request_id=str(uuid.uuid4()), items=documents)
    return await service.ImportItems(request, None)  # type: ignore[arg-type]


async def listed(service: ItemService, **members: object) -> pb.ListItemsResponse:
    return await service.ListItems(pb.ListItemsRequest(**members), None)  # type: ignore[arg-type]


async def get(service: ItemService, name: str, version: int = 0) -> pb.Item:
    request = pb.GetItemRequest(name=name, version=version)
    return (await service.GetItem(request, None)).item  # type: ignore[arg-type]


async def test_an_item_is_found_in_each_of_its_versions(service: ItemService) -> None:
    """The newest without a number, an old one by its number, both with their text."""
    await put(service, to_json(ITEM))
    answer = await put(service, to_json(dataclasses.replace(ITEM, working_days=3)))

    (change,) = answer.changes
    assert (change.outcome, change.version) == (pb.ItemChange.OUTCOME_CHANGED, 2)
    assert [(one.place, one.before, one.after) for one in change.members] == [
        ("working_days", "20", "3")
    ]
    assert answer.receipt.entry
    newest, first = await get(service, change.name), await get(service, change.name, 1)
    assert (newest.version, first.version) == (2, 1)
    assert first.document == to_json(dataclasses.replace(ITEM, version=1))
    assert newest.state == pb.Item.STATE_ACTIVE


async def test_items_come_in_pages_by_code_that_are_bounded_by_bytes(
    service: ItemService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every item once, whatever ends a page."""
    codes = [f"DEMO-{number:03d}" for number in range(7)]
    await put(service, *[to_json(dataclasses.replace(ITEM, code=code)) for code in codes])
    monkeypatch.setattr(paging, "PAGE_BYTES_MAX", 3 * len(to_json(ITEM)))

    found, token, sizes = [], "", []
    for _ in range(10):
        page = await listed(service, page_size=4, page_token=token)
        found += [item.code for item in page.items]
        sizes.append(len(page.items))
        token = page.next_page_token
        if not token:
            break

    assert found == codes
    assert max(sizes) < 4


async def test_a_filter_narrows_and_its_token_serves_no_other(service: ItemService) -> None:
    """By who defines it and by a type that one of its materials may be."""
    paper = dataclasses.replace(ITEM.materials[0], types=(), fields=())
    other = dataclasses.replace(ITEM, code="OTHER", authority=USCC, materials=(paper,))
    third = dataclasses.replace(ITEM, code="THIRD")
    await put(service, *map(to_json, (ITEM, other, third)))
    by_type = pb.ListItemsRequest.Filter(
        certificate_type=f"certificateTypes/{LICENCE_TYPE.code.lower()}"
    )
    by_authority = pb.ListItemsRequest.Filter(authority=USCC)

    assert [one.code for one in (await listed(service, filter=by_type)).items] == [
        ITEM.code,
        "THIRD",
    ]
    assert [one.code for one in (await listed(service, filter=by_authority)).items] == ["OTHER"]
    token = (await listed(service, page_size=1)).next_page_token
    for members, reason in (
        ({"filter": by_type, "page_token": token}, Reason.PAGE_TOKEN_INVALID),
        ({"page_size": -1}, Reason.PAGE_SIZE_INVALID),
        (
            {"filter": pb.ListItemsRequest.Filter(certificate_type="x' OR 1=1")},
            Reason.NAME_MALFORMED,
        ),
    ):
        with pytest.raises(HubError) as refused:
            await listed(service, **members)
        assert refused.value.reason is reason


async def test_a_retired_item_says_so_with_cause_and_entry(service: ItemService) -> None:
    """In the answer and whenever it is looked up later."""
    await put(service, to_json(ITEM))
    name = f"items/{ITEM.code.lower()}"

    request = pb.RetireItemRequest(request_id=str(uuid.uuid4()), name=name, cause="merged")
    answer = await service.RetireItem(request, None)  # type: ignore[arg-type]
    again = await service.RetireItem(request, None)  # type: ignore[arg-type]

    assert answer == again
    assert answer.item == await get(service, name)
    assert (answer.item.state, answer.item.cause) == (pb.Item.STATE_RETIRED, "merged")
    assert answer.item.state_entry == answer.receipt.entry > 0


async def test_what_names_no_item_is_refused(service: ItemService) -> None:
    """Exact reasons; nothing is guessed."""
    await put(service, to_json(ITEM))
    name = f"items/{ITEM.code.lower()}"
    for wrong, version, reason in (
        ("items/unknown", 0, Reason.ITEM_NOT_FOUND),
        (name, 2, Reason.ITEM_NOT_FOUND),
        (name, -1, Reason.FIELD_INVALID),
        ("items/../x", 0, Reason.NAME_MALFORMED),
        ("", 0, Reason.NAME_MALFORMED),
    ):
        with pytest.raises(HubError) as refused:
            await get(service, wrong, version)
        assert refused.value.reason is reason
    for cause in ("", "x" * 401):
        request = pb.RetireItemRequest(request_id=str(uuid.uuid4()), name=name, cause=cause)
        with pytest.raises(HubError) as refused:
            await service.RetireItem(request, None)  # type: ignore[arg-type]
        assert refused.value.reason is Reason.FIELD_INVALID
