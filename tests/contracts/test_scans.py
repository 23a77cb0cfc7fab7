"""Scans on every engine: attested or refused, marked wherever they are shown, never an original."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from hub.domain.certificate import Custody, Grade, Origin
from hub.domain.crypto import CryptoProfile
from hub.domain.holder import Holder
from hub.domain.row import Row
from hub.proof.encoding import b64u_decode, digest, parse_object
from hub.proof.exchange.attestation import Subject, attested_digest, sign_attestation
from hub.proof.jose import ATTESTATION_TYP, Signer
from hub.proof.records.sd_jwt import Expectation, present, verify_presentation
from hub.registry.decide import Outcome
from hub.registry.on_file import OnFileReader
from hub.registry.search import Filter
from hub.registry.service import encode_certificate
from hub.registry.store import SCANS
from hub.storage.statements import question
from hub.v1 import common_pb2
from tests.registry.office import (
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    ORIGIN,
    REGION,
    USCC,
    Office,
    licence,
    open_office,
    uscc,
)

DESK: Final = "systems/desk-1"


@pytest.fixture
async def office(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, profile) as opened:
        await opened.open_for(LICENCE_TYPE)
        yield opened


def attested(office: Office, row: Row, signer: Signer, officer: str = DESK) -> Row:
    """`row` as a scan that `officer` attests to."""
    scan = replace(row, origin=Origin.SCAN)
    subject = Subject(ORIGIN, REGION, USCC, office.catalogue.vct(LICENCE), 1, attested_digest(scan))
    compact = sign_attestation(subject, officer, int(time.time()), signer)
    return replace(scan, attestation=compact)


async def on_file(office: Office, number: int) -> tuple[Grade, Origin]:
    """What a plan is told of a company's licence."""
    reader = OnFileReader(office.database, office.data_keys, office.ingest.holder_keys)  # type: ignore[arg-type]
    pair = (Holder("001", uscc(number)), LICENCE)
    ((found,),) = (await reader.find({pair: frozenset()})).values()
    return found.grade, found.origin


async def test_a_scan_is_marked_wherever_it_is_shown(office: Office) -> None:
    """In the record seal, in searches, in plans and verifications; one grade below what it would
    be, and D as it is older than its connector."""
    desk = office.identities.enrol(DESK, ATTESTATION_TYP)
    old = attested(office, licence(1), desk)
    new = attested(office, licence(2, issue_date="2026-01-05"), desk)

    first, second = (await office.deliver([old, new])).results

    assert (first.outcome, second.outcome) == (Outcome.NEW, Outcome.NEW)
    assert await on_file(office, 1) == (Grade.D, Origin.SCAN)
    assert await on_file(office, 2) == (Grade.C, Origin.SCAN)
    officer = office.officer(OFFICERS[0])
    page = await office.search.search(officer, Filter(number=uscc(1)), after="", size=5)
    shown = encode_certificate(page.certificates[0], office.ingest.clock())
    assert shown.origin == common_pb2.CERTIFICATE_ORIGIN_SCAN
    assert (shown.trust_grade, shown.converted_by) == ("D", DESK)
    stored = await office.reader.by_identifier(first.identifier)
    assert stored is not None
    assert await office.reader.trust(stored.version_id) == (Grade.D, Origin.SCAN)
    jws = await office.record_seals.record_seal(stored.version_id)
    payload = parse_object(b64u_decode(jws.split(".")[1]))
    assert payload["conversion"] == {
        "officer": DESK,
        "attestation": digest(str(old.attestation)),
    }
    presentation = verify_presentation(
        present(jws, await stored.disclosures(("name",)), ("name",)),
        Expectation(ORIGIN, REGION, stored.vct, frozenset({"name"}), cert=first.identifier),
        keys=None,
        anchors=office.anchors,
        now=int(time.time()),
    )
    assert (presentation.custody, presentation.origin) == (Custody.ATTESTED, Origin.SCAN)
    assert presentation.grade is Grade.D
    # Of what was signed only the digest is kept: it names the row by a digest that can be guessed.
    scans = await office.database.all(question("scans", select(SCANS)))
    assert {row[1:3] for row in scans} == {
        (DESK, digest(str(one.attestation))) for one in (old, new)
    }


async def test_the_same_data_from_the_system_replace_the_scan_and_another_officer_does_not(
    office: Office,
) -> None:
    """Who attests is no content; whether anybody had to is."""
    desk = office.identities.enrol(DESK, ATTESTATION_TYP)
    other = office.identities.enrol("systems/desk-2", ATTESTATION_TYP)
    row = licence(1)

    outcomes = [
        (await office.deliver([one])).results[0].outcome
        for one in (
            attested(office, row, desk),
            attested(office, row, other, "systems/desk-2"),
            row,
        )
    ]

    assert outcomes == [Outcome.NEW, Outcome.UNCHANGED, Outcome.CHANGED]
    assert await on_file(office, 1) == (Grade.C, Origin.SYSTEM)
    assert await office.count("registry_scans") == 1


async def test_what_nobody_attests_to_is_no_scan(office: Office) -> None:
    """Each reason, in the words of the row; nothing is stored."""
    desk = office.identities.enrol(DESK, ATTESTATION_TYP)
    elsewhere = office.identities.enrol("systems/desk-9", ATTESTATION_TYP)
    office.identities.elsewhere["systems/desk-9"] = uscc(9)
    stranger = office.identities.enrol("systems/gone", ATTESTATION_TYP)
    del office.identities.keys[stranger.kid]
    good = attested(office, licence(1), desk)
    rows = [
        replace(good, attestation=None),
        replace(good, fields={**good.fields, "name": "别的公司"}),
        attested(office, licence(2), elsewhere, "systems/desk-9"),
        attested(office, licence(3), stranger, "systems/gone"),
        attested(office, licence(4), office.connector, DESK),
        replace(licence(5), attestation=good.attestation),
    ]

    results = (await office.deliver(rows)).results

    broken = [(one.violations[0].field, one.violations[0].rule) for one in results]
    assert broken == [
        ("attestation", "row.attestation_missing"),
        ("attestation", "row.attestation"),
        ("attestation", "row.attestation_officer"),
        ("attestation", "row.attestation"),
        ("attestation", "row.attestation"),
        ("attestation", "row.attestation_unwanted"),
    ]
    assert "The attestation is about another row" in results[1].violations[0].en
    assert "核对声明针对的是另一行数据" in results[1].violations[0].zh
    assert "No registered key has this key identifier" in results[3].violations[0].en
    assert "The key is not registered for this type" in results[4].violations[0].en
    assert await office.count("registry_certificates") == 0
    assert await office.count("registry_scans") == 0
