"""A key that signs twenty times in a second seals whole batches, on every engine."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.proof.records.sd_jwt import open_record, present
from hub.registry.decide import Outcome
from hub.seal.homes.files import KeyFiles
from hub.seal.keys import SealKey, SigningKey
from hub.seal.store import PATHS, SIGNATURES
from hub.storage.statements import question
from tests.registry.office import (
    LICENCE_TYPE,
    ORIGIN,
    REGION,
    Office,
    licence,
    open_office,
)

SIGNING_S = 0.05


@dataclass(frozen=True)
class SlowHome(KeyFiles):
    """Key files behind a device that signs one thing after the other, twenty in a second."""

    signed: list[bytes] = field(default_factory=list)
    device: threading.Lock = field(default_factory=threading.Lock)

    def open(
        self, kid: str, algorithm: KeyAlgorithm, use: KeyUse, x509_chain: tuple[bytes, ...]
    ) -> SigningKey:
        key = super().open(kid, algorithm, use, x509_chain)
        assert isinstance(key, SealKey)
        sign = key._sign

        def slowly(data: bytes) -> bytes:
            with self.device:
                time.sleep(SIGNING_S)
                self.signed.append(data)
                return sign(data)

        return dataclasses.replace(key, _sign=slowly)


@pytest.fixture
async def slow(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[tuple[Office, SlowHome]]:
    async with open_office(database_url, tmp_path, profile) as office:
        files = office.record_seals.keys.homes["files"]
        assert isinstance(files, KeyFiles)
        home = SlowHome(**{one.name: getattr(files, one.name) for one in dataclasses.fields(files)})
        keys = dataclasses.replace(office.record_seals.keys, homes={"files": home}, _opened={})
        seals = dataclasses.replace(office.record_seals, keys=keys, slow_homes=frozenset({"files"}))
        office.ingest = dataclasses.replace(office.ingest, seals=seals)
        await office.open_for(LICENCE_TYPE)
        yield office, home


async def count(office: Office, table: object) -> int:
    return len(await office.database.all(question("all", table.select())))  # type: ignore[attr-defined]


async def test_a_batch_has_one_signature_and_each_record_is_shown_alone(
    slow: tuple[Office, SlowHome],
) -> None:
    """Three hundred records wait for one signature; each verifies as if it were sealed alone."""
    office, home = slow

    delivered = await office.deliver([licence(number) for number in range(1, 301)])

    assert {one.outcome for one in delivered.results} == {Outcome.NEW}
    assert len(home.signed) == 1
    assert await count(office, PATHS) == await count(office, SIGNATURES) == 300
    for result in (delivered.results[0], delivered.results[299]):
        found = await office.reader.by_identifier(result.identifier)
        assert found is not None
        stem = await office.record_seals.record_seal(found.version_id)
        text = present(stem, await found.disclosures(("name",)), ("name",))
        shown = open_record(
            text,
            origin=ORIGIN,
            region=REGION,
            keys=None,
            anchors=office.anchors,
            now=office.ingest.clock() // 1_000_000,
        )
        assert shown.record.cert == result.identifier
        assert shown.disclosed.keys() == {"name"}


async def test_what_comes_alone_is_signed_alone(slow: tuple[Office, SlowHome]) -> None:
    """A single row has a seal of its own, as if the key were fast; a changed one as well."""
    office, home = slow

    await office.deliver([licence(1)])
    await office.deliver([licence(1, fields={"scope": "改"})])

    assert len(home.signed) == 2
    assert await count(office, PATHS) == 0
