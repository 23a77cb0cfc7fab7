"""The seed catalogue: every document is sound, and all of it loads into a hub."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.domain.certificate_type import CertificateType, HolderKind, Sensitivity, from_json
from hub.domain.service_item import Role, ServiceItem, facts_of
from hub.domain.service_item import from_json as item_from_json
from hub.registry.change_items import ImportItems
from hub.registry.items import Items
from hub.storage.changes import Call
from tests.conftest import ROOT
from tests.registry.office import Office, open_office

SEED = ROOT / "deploy" / "catalogue"
FILES = sorted((SEED / "types").glob("*.json"))
DEMONSTRATION = "119900009000000141"
FACTS = {"name", "address", "legal_representative"}
# Seen in use (standards.md §1.6), with a name.
REAL = {
    "11100000MB03271699001",
    "11100000MB03271699022",
    "11100000000013127D001",
    "11100000MB0143028R001",
    "11100000000013338W001",
    "11100000000013338W011",
    "11100000000013338W032",
    *(f"11100000000019713D{n}" for n in ("008", "013", "016", "071", "072", "073", "074", "075")),
    "11100000000019713D079",
}


def types() -> list[CertificateType]:
    """Every type, in the order in which it is published."""
    return [from_json(file.read_bytes()) for file in FILES]


def items() -> list[ServiceItem]:
    """Every item."""
    found = json.loads((SEED / "items.json").read_bytes())
    return [item_from_json(json.dumps(one).encode()) for one in found]


@pytest.fixture
async def office(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(sqlite_url, tmp_path) as opened:
        yield opened


def test_real_codes_are_real_and_all_others_say_that_they_are_not() -> None:
    """Nobody takes a demonstration code for an assigned one."""
    by_code = {one.code: one for one in types()}

    real = {code for code in by_code if not code.startswith(DEMONSTRATION)}
    assert real == REAL
    for code, one in by_code.items():
        listing = one.listing
        assert listing is not None, code
        assert listing.is_demonstration is code.startswith(DEMONSTRATION)


def test_a_reference_inside_the_catalogue_leads_somewhere() -> None:
    """Successors, related items and materials name what is there."""
    codes = {one.code for one in types()}
    known = {one.code for one in items()}
    for one in types():
        if one.listing is not None:
            assert set(one.listing.successors) <= codes
            assert set(one.listing.items) <= known
    for item in items():
        for material in item.materials:
            assert set(material.types) <= codes


def test_a_certificate_of_an_organisation_says_which_facts_it_carries() -> None:
    """Name, address and legal representative, wherever they stand on a face: a change that is
    announced finds it. A person's name is no such fact; of a thing that both may own, the owner
    is the name, and where the thing lies is nobody's address."""
    for one in types():
        if one.listing is None:
            continue  # Of format version 1, which has no facts.
        carried = {field.name: field.fact for field in one.fields if field.fact}
        if one.holder_kind is HolderKind.ORGANISATION:
            has = {field.name for field in one.fields}
            assert carried == {name: name for name in FACTS & has}, one.name
        elif one.holder_kind is HolderKind.PERSON:
            assert carried == {}, one.name
        else:
            assert carried.items() <= {("owner", "name"), ("name", "name")}, one.name


def test_assessments_of_areas_are_held_by_areas_and_needed_of_areas() -> None:
    """Flood, earthquake, soil, energy: made once for a zone, asked for where a project begins."""
    of_areas = {one.code: one for one in types() if one.holder_kind is HolderKind.AREA}
    needed = {
        code
        for item in items()
        for material in item.materials
        if material.role is Role.AREA
        for code in material.types
    }

    assert set(of_areas) == needed
    assert {one.name_en.split()[0] for one in of_areas.values()} == {
        "Flood",
        "Seismic",
        "Survey",
        "Energy",
    }
    for one in of_areas.values():
        assert all(field.sensitivity is Sensitivity.PUBLIC for field in one.fields)


def test_the_items_show_what_a_material_may_be() -> None:
    """At least twelve, with every role, condition, commitment, later delivery and paper."""
    every = [material for item in items() for material in item.materials]

    assert len(items()) >= 12
    assert {material.role for material in every} == set(Role)
    assert any(len(material.types) > 1 for material in every)
    assert any(material.is_promisable for material in every)
    assert any(material.deferrable_days for material in every)
    assert any(material.age_days_max for material in every)
    assert any(not material.types for material in every)
    assert len({fact for one in every for fact in facts_of(one.condition)}) > 5
    assert all(item.name != item.name_en and item.name_en.isascii() for item in items())


async def test_all_of_it_loads_into_a_hub(office: Office) -> None:
    """Types in the order of their files, then the items; each planned by afterwards."""
    for one in types():
        await office.publish_type(one)
    catalogue = Items(office.database)
    await catalogue.refresh()
    importing = ImportItems(now_us, office.recorder, office.identities, office.catalogue, catalogue)
    made = office.call()
    documents = [json.dumps(one).encode() for one in json.loads((SEED / "items.json").read_bytes())]

    await importing(
        Call(made.caller, made.request_id, made.method, made.content),
        documents,
        lambda changes: b"",
        validate_only=False,
    )

    assert {one.item.code for one in catalogue.all()} == {item.code for item in items()}
    assert all(catalogue.item(item.code) == item for item in items())
    licence = office.catalogue.newest("11100000MB0143028R001")
    assert licence is not None
    assert licence.version == 2
