"""Service items and states of the catalogue on every engine."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import Kind, Listing, Sharing, to_json
from hub.domain.crypto import CryptoProfile
from hub.domain.document import Level
from hub.domain.row import Op
from hub.domain.service_item import ServiceItem, from_json
from hub.domain.service_item import to_json as item_to_json
from hub.errors import HubError, Reason
from hub.registry.catalogue import Catalogue
from hub.registry.change_items import (
    IMPORT_ITEMS_MAX,
    ImportItems,
    ItemChange,
    Outcome,
    RetireItem,
)
from hub.registry.change_type import ChangeType
from hub.registry.decide import Outcome as RowOutcome
from hub.registry.item_store import ListState
from hub.registry.items import Items
from hub.storage.changes import Answered, Call
from tests.domain.test_service_item import ITEM as PLAIN
from tests.registry.office import (
    DEFINER,
    LICENCE,
    LICENCE_TYPE,
    USCC,
    Office,
    licence,
    open_office,
)

ITEM = dataclasses.replace(PLAIN, version=0)


class Desk:
    """The operations of the catalogue, called by an officer unless told otherwise."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.items = Items(office.database)
        self.importing = ImportItems(
            now_us, office.recorder, office.identities, office.catalogue, self.items
        )
        self.retiring = RetireItem(now_us, office.recorder, office.identities, self.items)
        self.changing = ChangeType(now_us, office.recorder, office.identities, office.catalogue)
        self.seen: Sequence[ItemChange] = ()

    def call(self, caller: Caller | None = None, request_id: str = "") -> Call:
        made = self.office.call(request_id=request_id)
        return Call(caller or made.caller, made.request_id, made.method, made.content)

    async def put(
        self,
        *items: ServiceItem | bytes,
        call: Call | None = None,
        validate_only: bool = False,
    ) -> Answered:
        def encode(changes: Sequence[ItemChange]) -> bytes:
            self.seen = changes
            return repr([(one.outcome.value, one.item.version) for one in changes]).encode()

        return await self.importing(
            call or self.call(),
            [one if isinstance(one, bytes) else item_to_json(one) for one in items],
            encode,
            validate_only=validate_only,
        )

    async def retire(self, code: str, *, caller: Caller | None = None) -> Answered:
        return await self.retiring(
            self.call(caller), code, "replaced", lambda stored, standing: b""
        )

    async def change(self, state: ListState, *, caller: Caller | None = None) -> Answered:
        return await self.changing(
            self.call(caller), LICENCE, state, "replaced", lambda published, standing: b""
        )


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, profile: CryptoProfile) -> AsyncIterator[Desk]:
    async with open_office(database_url, tmp_path, profile) as office:
        await office.open_for(LICENCE_TYPE)
        made = Desk(office)
        await made.items.refresh()
        yield made


def department(uscc: str) -> Caller:
    """A department's system."""
    return Caller("systems/d", Role.DEPARTMENT, "authorities/x", uscc, 1, "", 1)


async def faults(desk: Desk, *items: ServiceItem | bytes) -> list[tuple[str, str]]:
    """Field and rule of each violation; nothing of the import may be stored."""
    before = await desk.office.count("registry_items")
    with pytest.raises(HubError) as refused:
        await desk.put(*items)
    assert refused.value.reason is Reason.FIELD_INVALID
    assert await desk.office.count("registry_items") == before
    return [(one.field, one.rule) for one in refused.value.violations]


async def test_an_item_is_imported_changed_and_left_alone(desk: Desk) -> None:
    """New, next version with what differs, and no version where nothing differs."""
    first = await desk.put(ITEM)
    material = dataclasses.replace(ITEM.materials[0], deferrable_days=5, is_promisable=False)
    changed = dataclasses.replace(ITEM, working_days=10, materials=(material,))
    second = await desk.put(changed)
    members = [(one.place, one.before, one.after) for one in desk.seen[0].changes]
    third = await desk.put(changed)

    assert [one.answer for one in (first, second, third)] == [
        b"[('new', 1)]",
        b"[('changed', 2)]",
        b"[('unchanged', 2)]",
    ]
    assert members == [
        ("working_days", "20", "10"),
        ("materials[licence].deferrable_days", "10", "5"),
        ("materials[licence].promisable", "true", ""),
    ]
    assert await desk.office.count("registry_items") == 2
    assert desk.items.item(ITEM.code) == dataclasses.replace(changed, version=2)
    old = desk.items.find(ITEM.code, 1)
    assert old is not None
    assert from_json(old.document) == dataclasses.replace(ITEM, version=1)


async def test_a_snapshot_of_another_process_follows(desk: Desk) -> None:
    """What one hub imports, the other finds."""
    other = Items(desk.office.database)
    await other.refresh()
    assert other.item(ITEM.code) is None

    await desk.put(ITEM)
    await other.refresh()

    assert other.item(ITEM.code) == desk.items.item(ITEM.code)
    assert [one.item.code for one in other.all()] == [ITEM.code]


async def test_what_would_change_is_said_before_it_is_done(desk: Desk) -> None:
    """No entry, no row."""
    size = desk.office.recorder.head().size

    answered = await desk.put(ITEM, validate_only=True)

    assert (answered.answer, answered.entry) == (b"[('new', 1)]", None)
    assert desk.office.recorder.head().size == size
    assert desk.items.find(ITEM.code) is None


async def test_an_import_repeated_has_one_effect(desk: Desk) -> None:
    """The first answer and receipt; other content under the id is refused."""
    call = desk.call()
    first = await desk.put(ITEM, call=call)

    again = await desk.put(ITEM, call=call)

    assert again == first
    with pytest.raises(HubError) as refused:
        await desk.put(ITEM, call=dataclasses.replace(call, content="other"))
    assert refused.value.reason is Reason.REQUEST_ID_REUSED


async def test_an_edit_of_an_old_version_is_refused(desk: Desk) -> None:
    """Two people edit one item: the second is told, and nothing of the first is lost."""
    await desk.put(ITEM)
    await desk.put(dataclasses.replace(ITEM, version=1, working_days=10))

    late = dataclasses.replace(ITEM, version=1, fee="100 元")

    assert await faults(desk, late) == [("items[0].version", "item.stale")]
    assert await faults(desk, dataclasses.replace(late, code="NEVER-SEEN", version=2)) == [
        ("items[0].version", "item.stale")
    ]
    await desk.put(dataclasses.replace(late, version=2))
    assert desk.seen[0].item.version == 3


async def test_a_late_snapshot_decides_again(desk: Desk) -> None:
    """Two hubs on one database import one item: versions follow one another."""
    behind = Desk(desk.office)
    await behind.items.refresh()
    await desk.put(ITEM)

    await behind.put(dataclasses.replace(ITEM, working_days=1))

    assert (behind.seen[0].outcome, behind.seen[0].item.version) == (Outcome.CHANGED, 2)


async def test_one_wrong_item_refuses_the_import_and_every_fault_is_named(desk: Desk) -> None:
    """Places lead to the item, the material and the member."""
    material = dataclasses.replace(
        ITEM.materials[0], types=(f"{DEFINER}099", LICENCE), fields=("name", "colour")
    )
    wrong = dataclasses.replace(ITEM, code="WRONG", materials=(material,))

    assert await faults(desk, ITEM, wrong) == [
        ("items[1].materials[0].types", "item.type_unknown"),
        ("items[1].materials[0].fields", "item.field_unknown"),
    ]
    assert await faults(desk, ITEM, ITEM) == [("items[1].code", "item.repeated")]
    assert await faults(desk, b"{}", b"x" * 65_537, b"\xff") == [
        ("items[0].v", "row.version"),
        ("items[0].code", "member.missing"),
        ("items[0].authority", "member.missing"),
        ("items[0].name", "member.missing"),
        ("items[0].name_en", "member.missing"),
        ("items[0].working_days", "member.missing"),
        ("items[0].legal_basis", "member.missing"),
        ("items[1]", "row.size"),
        ("items[2].item", "json.malformed"),
    ]


async def test_an_import_is_bounded(desk: Desk) -> None:
    """By number and by bytes, exactly."""
    with pytest.raises(HubError) as none:
        await desk.put()
    with pytest.raises(HubError) as many:
        await desk.put(*[b"{}"] * (IMPORT_ITEMS_MAX + 1))
    with pytest.raises(HubError) as large:
        await desk.put(*[b"x" * 65_536] * 54)

    assert [one.value.reason for one in (none, many, large)] == [
        Reason.FIELD_INVALID,
        Reason.FIELD_INVALID,
        Reason.MESSAGE_TOO_LARGE,
    ]


async def test_only_officers_and_whoever_defines_an_item_change_it(desk: Desk) -> None:
    """Not even by claiming it: what is on file says whose it is."""
    await desk.put(ITEM)
    stranger, definer = department(USCC), department(DEFINER)
    claimed = dataclasses.replace(ITEM, authority=USCC)

    for attempt in (
        desk.put(claimed, call=desk.call(stranger)),
        desk.put(ITEM, call=desk.call(stranger)),
        desk.retire(ITEM.code, caller=stranger),
        desk.change(ListState.RETIRED, caller=stranger),
    ):
        with pytest.raises(HubError) as refused:
            await attempt
        assert refused.value.reason is Reason.AUTHORITY_NOT_ALLOWED
    await desk.put(dataclasses.replace(ITEM, fee="1 元"), call=desk.call(definer))
    await desk.retire(ITEM.code, caller=definer)


async def test_a_retired_item_plans_nothing_and_stays_readable(desk: Desk) -> None:
    """For good: neither a new version nor a second end."""
    await desk.put(ITEM)

    retired = await desk.retire(ITEM.code)

    assert retired.entry is not None
    assert desk.items.item(ITEM.code) is None
    assert desk.items.find(ITEM.code) is not None
    standing = desk.items.standing(ITEM.code)
    assert (standing.state, standing.entry) == (ListState.RETIRED, retired.entry)
    changed = dataclasses.replace(ITEM, fee="1 元")
    assert await faults(desk, changed) == [("items[0].code", "item.retired")]
    with pytest.raises(HubError) as again:
        await desk.retire(ITEM.code)
    assert again.value.reason is Reason.TRANSITION_NOT_ALLOWED
    with pytest.raises(HubError) as unknown:
        await desk.retire("UNKNOWN")
    assert unknown.value.reason is Reason.ITEM_NOT_FOUND


async def test_a_deprecated_type_goes_on_until_a_new_version_publishes_it_again(
    desk: Desk,
) -> None:
    """Deprecated is a word to people; ingest does not mind."""
    office = desk.office
    await desk.change(ListState.DEPRECATED)
    assert office.catalogue.standing(LICENCE).state is ListState.DEPRECATED
    ingested = await office.deliver([licence(1)])
    assert ingested.results[0].outcome is RowOutcome.NEW

    with pytest.raises(HubError) as again:
        await desk.change(ListState.DEPRECATED)
    assert again.value.reason is Reason.TRANSITION_NOT_ALLOWED
    await office.publish_type(dataclasses.replace(LICENCE_TYPE, version=2))

    assert office.catalogue.standing(LICENCE).state is ListState.PUBLISHED


async def test_under_a_retired_type_nothing_new_is_issued_and_what_is_on_file_lives(
    desk: Desk,
) -> None:
    """Old certificates are read, corrected and ended; a new one and a new version are refused."""
    office = desk.office
    first = (await office.deliver([licence(1)])).results[0]
    await desk.change(ListState.RETIRED)

    corrected = dataclasses.replace(
        licence(1), op=Op.CORRECT, fields={**licence(1).fields, "city": "宁波"}
    )
    results = (await office.deliver([licence(2), corrected])).results

    assert [one.rule for one in results[0].violations] == ["row.type_retired"]
    assert results[1].outcome is RowOutcome.CORRECTED
    assert await office.reader.by_identifier(first.identifier) is not None
    published = office.catalogue.find(LICENCE)
    assert published is not None
    assert published.metadata == to_json(LICENCE_TYPE)
    for attempt in (
        office.publish_type(dataclasses.replace(LICENCE_TYPE, version=2)),
        desk.change(ListState.DEPRECATED),
        desk.change(ListState.RETIRED),
    ):
        with pytest.raises(HubError) as refused:
            await attempt
        assert refused.value.reason is Reason.TRANSITION_NOT_ALLOWED


async def test_a_hub_that_is_behind_refuses_under_a_type_retired_elsewhere(desk: Desk) -> None:
    """The batch is decided again on what is stored."""
    office = desk.office
    behind = Catalogue(office.database, office.catalogue.origin)
    await behind.refresh()
    await desk.change(ListState.RETIRED)
    office.ingest.catalogue = behind

    results = (await office.deliver([licence(1)])).results

    assert [one.rule for one in results[0].violations] == ["row.type_retired"]


async def test_who_may_issue_is_named_or_of_a_level(desk: Desk) -> None:
    """The authority is one of a city. Refused as a whole, with the reason, and nothing stored."""
    office = desk.office
    not_named = "it is none of the authorities that the type names"
    listing = Listing(
        kind=Kind.LICENCE,
        is_demonstration=False,
        defining_authority_name="市场监管总局",
        defining_level=Level.NATION,
        issuing_levels=(),
        issuing_authorities=(DEFINER,),
        items=(),
        sharing=Sharing.UNCONDITIONAL,
        sharing_basis="",
        evidence_days=5,
        successors=(),
    )
    levels = (Level.PROVINCE, Level.COUNTY)
    for version, (issuing_levels, authorities, rule) in enumerate(
        (
            ((), (DEFINER,), not_named),
            ((Level.CITY,), (DEFINER,), not_named),
            (levels, (), "the type is issued at the levels province, county"),
            ((Level.CITY, Level.COUNTY), (), ""),
            ((), (DEFINER, USCC), ""),
            # Who is named may, of whatever level.
            ((Level.COUNTY,), (USCC,), ""),
        ),
        2,
    ):
        named = dataclasses.replace(
            listing, issuing_levels=issuing_levels, issuing_authorities=authorities
        )
        await office.publish_type(dataclasses.replace(LICENCE_TYPE, version=version, listing=named))
        stored = await office.count("registry_batches")

        if not rule:
            assert (await office.deliver([licence(version)])).results[0].certificate
            continue
        with pytest.raises(HubError) as refused:
            await office.deliver([licence(version)])

        assert refused.value.reason is Reason.ISSUER_NOT_ALLOWED
        assert refused.value.details["rule"] == rule
        assert await office.count("registry_batches") == stored
