"""The register of annotated copies on every engine: written once, read by whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.caller import Caller, Role
from hub.domain.crypto import CryptoProfile
from hub.domain.entry import Entry
from hub.domain.row import Op
from hub.errors import HubError, Reason
from hub.exchange.annotate import AnnotatedCopies, CopyState
from hub.exchange.copy_store import AnnotatedCopy, insert_copy
from hub.storage.statements import ENTRY_INDEX
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    Office,
    licence,
    open_office,
)

HOUR_US = 3_600_000_000
MAKER = Caller("systems/window-1", Role.PLATFORM, "authorities/hall", "", 1, "", 1)
ISSUER = Caller("systems/d", Role.DEPARTMENT, AUTHORITY, "", 1, "", 1)
AUDITOR = Caller("systems/audit", Role.AUDITOR, "authorities/hall", "", 1, "", 1)
STRANGERS = (
    Caller("systems/window-2", Role.PLATFORM, "authorities/hall", "", 1, "", 1),
    Caller("systems/e", Role.DEPARTMENT, "authorities/other", "", 1, "", 1),
)


@pytest.fixture
async def office(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, profile) as opened:
        await opened.open_for(LICENCE_TYPE)
        yield opened


def copy(number: int, identifier: str, *, expire_time_us: int) -> AnnotatedCopy:
    """Copy `number` of a certificate."""
    return AnnotatedCopy(
        id=f"{number:044x}",
        identifier=identifier,
        type_code=LICENCE,
        authority=AUTHORITY,
        fields=("name", "scope"),
        sd_hash="x" * 43,
        purpose="办理食品经营许可",
        maker=MAKER.name,
        maker_authority=MAKER.authority,
        create_time_us=now_us(),
        expire_time_us=expire_time_us,
        fetch_entry=1,
        entry=ENTRY_INDEX,
    )


async def test_copies_are_kept_paged_judged_and_shown_to_whom_they_concern(
    office: Office,
) -> None:
    """Of two certificates; one ends, and so do its copies."""
    results = (await office.deliver([licence(1), licence(2)])).results
    first, second = [one.identifier for one in results]
    late, past = now_us() + HOUR_US, now_us() - 1
    made = [
        copy(1, first, expire_time_us=late),
        copy(2, second, expire_time_us=late),
        copy(3, first, expire_time_us=past),
    ]
    entry = Entry("copy.made", MAKER.name, 1, "r", "d", {"data": {}})
    recorded = await office.recorder.record(entry, [insert_copy(one) for one in made], ())
    stored = [one._replace(entry=recorded.index) for one in made]
    copies = AnnotatedCopies(now_us, office.database, office.reader)

    async def seen(caller: Caller, identifier: str = "") -> list[AnnotatedCopy]:
        found: list[AnnotatedCopy] = []
        after = ""
        while True:
            page, after = await copies.page(caller, identifier, after=after, size=1)
            found += page
            if not after:
                return found

    for caller in (MAKER, ISSUER, AUDITOR):
        assert await seen(caller) == stored
        assert await seen(caller, first) == [stored[0], stored[2]]
        assert await copies.get(caller, stored[1].id) == stored[1]
    for stranger in STRANGERS:
        assert await seen(stranger) == []
        with pytest.raises(HubError) as refused:
            await copies.get(stranger, stored[1].id)
        assert refused.value.reason is Reason.COPY_NOT_FOUND
    assert await states(copies, stored) == ["in_force", "in_force", "expired"]
    await office.deliver([licence(1, Op.CHANGE, fields={"city": "宁波"})])
    assert await states(copies, stored) == ["original_ended", "in_force", "expired"]


async def states(copies: AnnotatedCopies, made: Sequence[AnnotatedCopy]) -> list[CopyState]:
    """The state of each, judged now."""
    return [await copies.state(one) for one in made]
