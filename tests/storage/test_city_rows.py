"""The rows of a generated city are rows of the hub: its own readers find and open them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.holder import Holder
from hub.migrations.migrate import migrate
from hub.registry.on_file import OnFileReader
from hub.registry.read import CertificateReader
from hub.seal.store import RECORD_SEAL
from hub.storage.database import Database, open_database
from hub.storage.encryption import DataKeys
from tests.bench.city import CityCertificate, certificates
from tests.bench.city_rows import KEYRING, identifier, on_file, page, version_id, write

COUNT = 400
CITY = list(certificates(COUNT))


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Database]:
    """A city of COUNT, loaded in pages that cut through the certificates of a holder."""
    database = await open_database(f"sqlite:///{tmp_path}/hub.db")
    await migrate(database)
    for first, count in ((0, 200), (200, 1), (201, COUNT - 201)):
        assert await on_file(database) == first
        await write(database, page(first, count))
    yield database
    await database.close()


async def test_a_fetch_reads_all_that_it_needs(city: Database) -> None:
    """Every certificate by its identifier, its disclosures opened, its seal with the header."""
    reader = CertificateReader(
        city, DataKeys(city, KEYRING, now_us), KEYRING, now_us, "scale.example"
    )

    for one in CITY:
        found = await reader.by_identifier(identifier(one.number))
        assert found is not None
        disclosed = await found.disclosures({"name"})
        assert [each.name for each in disclosed] == ["name"]
        assert await city.one(RECORD_SEAL, version_id(one.number)) is not None
    assert await on_file(city) == COUNT


async def test_a_plan_finds_them_by_holder_and_type(city: Database) -> None:
    """With the fields that it asks for, personal ones among them."""
    reader = OnFileReader(city, DataKeys(city, KEYRING, now_us), KEYRING)
    wanted = {_pair(one): frozenset({"name", "address"}) for one in CITY}

    found = await reader.find(wanted)

    assert found.keys() == wanted.keys()
    assert all(one.fields >= {"name", "address"} for each in found.values() for one in each)


def _pair(one: CityCertificate) -> tuple[Holder, str]:
    return Holder(one.holder_type, one.holder), one.type_code
