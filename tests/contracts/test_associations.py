"""What certificates go back to, on every engine: kept, found from both ends, and never a circle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.association import Association, Relation
from hub.domain.crypto import CryptoProfile
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import Row
from hub.errors import HubError, Reason
from hub.registry.decide import Outcome
from hub.registry.search import Filter
from tests.registry.office import (
    AUTHORITY,
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    USCC,
    Office,
    licence,
    open_office,
    uscc,
)


@pytest.fixture
async def office(
    database_url: str, tmp_path: Path, profile: CryptoProfile
) -> AsyncIterator[Office]:
    async with open_office(database_url, tmp_path, profile) as opened:
        await opened.open_for(LICENCE_TYPE)
        yield opened


def identifier(serial: str, version: int = 1) -> str:
    """That of a licence of this office."""
    return str(CertificateIdentifier.make(LICENCE, USCC, serial, version))


def naming(
    number: int,
    serial: str,
    *named: str,
    relation: Relation = Relation.RENEWED_FROM,
    city: str = "杭州",
) -> Row:
    """The licence of company `number` under `serial`, going back to `named`."""
    return licence(
        number,
        serial=serial,
        fields={"city": city},
        associated=tuple([Association(relation, one) for one in named]),
    )


async def found(office: Office, **wanted: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Numbers of the certificates that a search finds, and what each names."""
    page = await office.search.search(
        office.officer(OFFICERS[0]), Filter(**wanted), after="", size=50
    )
    return [
        (view.number, [(str(one.relation), one.identifier, one.fault) for one in view.named])
        for view in page.certificates
    ]


async def rules(office: Office, rows: list[Row]) -> list[str]:
    """What became of each row: its outcome, or the rule that it breaks."""
    ingested = await office.deliver(rows)
    return [
        result.violations[0].rule if result.violations else result.outcome.value
        for result in ingested.results
    ]


async def test_an_association_is_found_from_both_ends_and_in_every_version(office: Office) -> None:
    """Named is version 1; version 2 of the same certificate finds its successor as well."""
    await office.deliver(
        [licence(1, serial="OLD"), licence(1, serial="OLD", fields={"city": "宁波"})]
    )

    results = await rules(office, [naming(2, "NEW", identifier("OLD"))])

    named = [("renewed_from", identifier("OLD"), "")]
    assert results == ["new"]
    assert await found(office, associated=identifier("OLD")) == [(uscc(2), named)]
    assert await found(office, associated=identifier("OLD", 2)) == [(uscc(2), named)]
    assert await found(office, identifier=identifier("NEW")) == [(uscc(2), named)]
    assert await found(office, associated=identifier("NEW")) == []
    # The same row again is nothing new; another association is another version.
    assert await rules(office, [naming(2, "NEW", identifier("OLD"))]) == ["unchanged"]
    changed = naming(2, "NEW", identifier("OLD"), relation=Relation.DERIVED_FROM)
    assert await rules(office, [changed]) == ["changed"]
    page = await office.search.search(
        office.officer(OFFICERS[0]), Filter(number=uscc(2)), after="", size=5
    )
    versions = await office.search.versions(
        office.officer(OFFICERS[0]), AUTHORITY, page.certificates[0].id, after="", size=5
    )
    assert [view.named[0].relation for view in versions.certificates] == [
        Relation.DERIVED_FROM,
        Relation.RENEWED_FROM,
    ]


async def test_no_certificate_goes_back_to_itself(office: Office) -> None:
    """Neither directly, nor over others, in one batch or in several; its earlier version may be."""
    first = [
        naming(1, "A", identifier("A")),
        naming(1, "A", identifier("B")),
        naming(2, "B", identifier("C")),
        naming(3, "C", identifier("A")),
        naming(3, "C"),
    ]

    assert await rules(office, first) == [
        "row.association_self",
        "new",
        "new",
        "row.association_cycle",
        "new",
    ]
    again = [
        naming(3, "C", identifier("A"), city="宁波"),
        naming(3, "C", identifier("C", 2), city="宁波"),
        naming(3, "C", identifier("C", 1), city="宁波", relation=Relation.CHANGES),
        naming(4, "D", identifier("A"), identifier("C")),
    ]
    assert await rules(office, again) == [
        "row.association_cycle",
        "row.association_self",
        "changed",
        "new",
    ]
    assert await office.count("registry_certificates") == 4


async def test_a_chain_is_followed_so_far_and_no_farther(office: Office) -> None:
    """Where nobody looked, a circle cannot be ruled out: the row is refused and says why."""
    chain = [naming(1000, "S0")]
    chain += [naming(1000 + step, f"S{step}", identifier(f"S{step - 1}")) for step in range(1, 66)]
    assert set(await rules(office, chain)) == {"new"}

    results = await rules(office, [naming(1, "A", identifier("S63"))])
    results += await rules(office, [naming(2, "B", identifier("S64"))])

    assert results == ["new", "row.association_chain"]


async def test_what_does_not_check_is_refused_by_row_and_by_search(office: Office) -> None:
    """Strict, where the type says nothing; what was refused leaves nothing behind."""
    wrong = identifier("OLD")[:-1] + "?"
    row = licence(
        1, known_as="浙执照2003第17号", associated=(Association(Relation.CHANGES, wrong),)
    )

    (result,) = (await office.deliver([row])).results

    assert result.outcome is Outcome.REFUSED
    assert [(one.field, one.rule) for one in result.violations] == [
        ("known_as", "identifier.root"),
        ("associated[0].identifier", "identifier.check"),
    ]
    assert await office.count("registry_associations") == 0
    for wanted in ({"associated": wrong}, {"identifier": wrong}):
        with pytest.raises(HubError) as refused:
            await found(office, **wanted)
        assert refused.value.reason is Reason.IDENTIFIER_INVALID
        assert refused.value.details["rule"] == "identifier.check"
