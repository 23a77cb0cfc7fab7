"""The catalogue: types in versions, bytes kept as received."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.caller import Caller, Role
from hub.domain.certificate_type import to_json
from hub.errors import HubError, Reason
from hub.proof.encoding import digest
from hub.registry.catalogue import Catalogue
from hub.storage.changes import Call
from tests.registry.office import DEFINER, LICENCE, LICENCE_TYPE, Office, open_office

OTHER_ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
async def office(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(sqlite_url, tmp_path) as opened:
        yield opened


async def test_a_type_is_kept_as_received_with_its_integrity(office: Office) -> None:
    """White space and all: the digest of every seal is over exactly these bytes."""
    metadata = to_json(LICENCE_TYPE).replace(b'"v":1', b'"v": 1')
    call = Call(office.officer("officers/first"), OTHER_ID, "/m", digest(metadata))

    published = await office.publish(call, metadata, lambda one: b"", validate_only=False)

    assert published.entry is not None
    assert office.catalogue.metadata(LICENCE) == metadata
    stored = office.catalogue.find(LICENCE)
    assert stored is not None
    expected = base64.b64encode(hashlib.sha256(metadata).digest()).decode()
    assert stored.integrity == f"sha256-{expected}"
    assert stored.type == LICENCE_TYPE


async def test_versions_follow_one_another(office: Office) -> None:
    """Version 3 after 1 is refused; version 2 makes a new newest and keeps the old one."""
    await office.publish_type(LICENCE_TYPE)
    for version in (1, 3):
        with pytest.raises(HubError) as caught:
            await office.publish_type(dataclasses.replace(LICENCE_TYPE, version=version))
        assert caught.value.details["field"] == "type_version"

    await office.publish_type(dataclasses.replace(LICENCE_TYPE, version=2, name="营业执照二"))

    assert office.catalogue.newest_version(LICENCE) == 2
    first = office.catalogue.find(LICENCE, 1)
    assert first is not None
    assert first.type.name == "营业执照"


async def test_a_check_only_writes_nothing(office: Office) -> None:
    """`validate_only` answers what would be, without entry."""
    size = office.recorder.head().size
    call = Call(office.officer("officers/first"), OTHER_ID, "/m", "x")

    answer = await office.publish(
        call, to_json(LICENCE_TYPE), lambda one: one.vct.encode(), validate_only=True
    )

    assert answer.answer.endswith(LICENCE.encode())
    assert answer.entry is None
    assert office.recorder.head().size == size
    assert office.catalogue.find(LICENCE) is None


async def test_only_officers_and_the_defining_authority_publish(office: Office) -> None:
    """Another authority's system is refused, the defining one's is not."""
    metadata = to_json(LICENCE_TYPE)
    stranger = Caller("systems/d", Role.DEPARTMENT, "authorities/x", "113301000025123419", 1, "", 1)
    definer = dataclasses.replace(stranger, authority_uscc=DEFINER)
    with pytest.raises(HubError) as caught:
        call = Call(stranger, OTHER_ID, "/m", "x")
        await office.publish(call, metadata, lambda one: b"", validate_only=False)
    assert caught.value.reason is Reason.AUTHORITY_NOT_ALLOWED

    await office.publish(
        Call(definer, OTHER_ID, "/m", "x"), metadata, lambda one: b"", validate_only=False
    )

    assert office.catalogue.newest(LICENCE) == LICENCE_TYPE


async def test_a_call_repeated_gives_the_first_answer(office: Office) -> None:
    """Same id and content: first answer and receipt; other content is refused."""
    call = Call(office.officer("officers/first"), OTHER_ID, "/m", "x")
    metadata = to_json(LICENCE_TYPE)
    first = await office.publish(call, metadata, lambda one: b"first", validate_only=False)

    again = await office.publish(call, metadata, lambda one: b"other", validate_only=False)

    assert again == first
    with pytest.raises(HubError) as caught:
        other = dataclasses.replace(call, content="y")
        await office.publish(other, metadata, lambda one: b"", validate_only=False)
    assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_a_late_snapshot_decides_again(office: Office) -> None:
    """Two hubs on one database: the one that is behind loads and publishes on what is true."""
    behind = Catalogue(office.database, office.catalogue.origin)
    await behind.refresh()
    await office.publish_type(LICENCE_TYPE)
    publish = dataclasses.replace(office.publish, catalogue=behind)
    call = Call(office.officer("officers/first"), OTHER_ID, "/m", "x")

    other = dataclasses.replace(LICENCE_TYPE, code=f"{DEFINER}009")
    await publish(call, to_json(other), lambda one: b"", validate_only=False)

    assert behind.newest(LICENCE) == LICENCE_TYPE
    assert behind.newest(other.code) == other


@pytest.mark.parametrize("metadata", [b"", b"[]", b'{"v":1}', b"x" * 262_145])
async def test_what_is_no_type_is_refused(office: Office, metadata: bytes) -> None:
    """The exact field, nothing stored."""
    call = Call(office.officer("officers/first"), OTHER_ID, "/m", "x")

    with pytest.raises(HubError) as caught:
        await office.publish(call, metadata, lambda one: b"", validate_only=False)

    assert caught.value.reason is Reason.FIELD_INVALID
    assert await office.count("registry_types") == 0
