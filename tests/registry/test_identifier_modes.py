"""Identifiers that others made, under a type that takes them as given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.association import Association, IdentifierMode, Relation
from hub.domain.certificate_type import Kind, Listing, Sharing
from hub.domain.document import Level
from hub.errors import HubError, Reason
from hub.registry.search import Filter
from hub.registry.service import encode_certificate
from hub.registry.v1 import registry_pb2 as pb
from tests.registry.office import (
    LICENCE,
    LICENCE_TYPE,
    OFFICERS,
    PERMIT,
    PERMIT_TYPE,
    Office,
    licence,
    uscc,
)
from tests.registry.test_ingest import CITIZEN, permit

LENIENT = replace(
    LICENCE_TYPE,
    version=2,
    listing=Listing(
        kind=Kind.LICENCE,
        is_demonstration=True,
        defining_authority_name="市场监管总局",
        defining_level=Level.NATION,
        issuing_levels=(Level.CITY,),
        issuing_authorities=(),
        items=(),
        sharing=Sharing.CONDITIONAL,
        sharing_basis="《国务院关于在线政务服务的若干规定》第十条",
        evidence_days=3,
        successors=(),
        identifiers=IdentifierMode.LENIENT,
    ),
)
PAPER = "浙执照2003第17号"
WRONG = f"1.2.156.3005.2.{LICENCE}.340100.000000016.001.9"


async def test_what_may_be_a_persons_number_is_kept_by_no_mode(office: Office) -> None:
    """Of a type that persons hold, only what has the form of an identifier is taken as given."""
    lenient = replace(PERMIT_TYPE, version=2, listing=LENIENT.listing)
    await office.open_type(lenient, "lenient-permit")
    other_issuer = f"1.2.156.3005.2.{PERMIT}.340100.000000016.001.9"
    rows = [permit("P-1", known_as=CITIZEN), permit("P-2", known_as=other_issuer)]

    results = (await office.deliver(rows, vct=office.catalogue.vct(PERMIT), type_version=2)).results

    assert [one.outcome.value for one in results] == ["refused", "new"]
    assert [one.rule for one in results[0].violations] == ["identifier.root"]


async def test_it_is_kept_as_given_with_the_rule_that_it_breaks(office: Office) -> None:
    """Found by exactly that text, shown with its fault, and never dressed up as one that checks."""
    await office.open_type(LENIENT, "lenient")
    row = licence(1, known_as=PAPER, associated=(Association(Relation.RENEWED_FROM, WRONG),))

    (result,) = (await office.deliver([row], type_version=2)).results

    assert result.outcome.value == "new"
    officer = office.officer(OFFICERS[0])
    for wanted in (
        Filter(identifier=PAPER, type_code=LICENCE),
        Filter(associated=WRONG),
        Filter(identifier=result.identifier),
    ):
        page = await office.search.search(officer, wanted, after="", size=5)
        (shown,) = [encode_certificate(one, office.ingest.clock()) for one in page.certificates]
        assert shown.number == uscc(1)
        assert list(shown.named_identifiers) == [
            pb.NamedIdentifier(
                relation=pb.NamedIdentifier.RELATION_KNOWN_AS,
                identifier=PAPER,
                fault="identifier.root",
            ),
            pb.NamedIdentifier(
                relation=pb.NamedIdentifier.RELATION_RENEWED_FROM,
                identifier=WRONG,
                fault="identifier.issuer",
            ),
        ]
    # Without its type nobody says that such a text is taken as given.
    with pytest.raises(HubError) as refused:
        await office.search.search(officer, Filter(identifier=PAPER), after="", size=5)
    assert refused.value.reason is Reason.IDENTIFIER_INVALID
    # A fetch finds what the hub itself issued, and nothing by what was only given.
    assert await office.reader.by_identifier(PAPER) is None
    assert await office.reader.by_identifier(result.identifier) is not None
