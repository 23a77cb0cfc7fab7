"""Identifiers that departments give: what checks, what does not, and what names one certificate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.association import Association, Relation, first_of, judge_identifier
from hub.domain.identifier import CertificateIdentifier, identifier_fault

HOUSING = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403"
# The housing ministry's own examples: two versions of one certificate.
FIRST, SECOND = f"{HOUSING}.001.U", f"{HOUSING}.002.S"
# A real-estate identifier with a region code where the issuer's credit code belongs.
REGIONAL = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"


@pytest.mark.parametrize(
    ("text", "fault", "first"),
    [
        (FIRST, "", FIRST),
        (SECOND, "", FIRST),
        (REGIONAL, "identifier.issuer", REGIONAL),
        (f"{HOUSING}.001.V", "identifier.check", f"{HOUSING}.001.V"),
        ("浙房证2003第17号", "identifier.root", "浙房证2003第17号"),
        ("", "identifier.root", ""),
    ],
)
def test_an_identifier_is_judged_strictly_and_kept_as_given(
    text: str, fault: str, first: str
) -> None:
    """What does not check keeps its text and the rule that it breaks; it is never completed."""
    named = judge_identifier(Association(Relation.CHANGES, text), "11100000MB0143028R001")

    assert (named.identifier, named.fault, named.first) == (text, fault, first)


def test_its_own_identifier_is_of_the_certificates_type() -> None:
    """What it goes back to may be of any type."""
    own = Association(Relation.KNOWN_AS, FIRST)

    assert judge_identifier(own, "11100000000013338W011").fault == ""
    assert judge_identifier(own, "11100000000013338W001").fault == "identifier.other_type"


serials = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=64)


@given(serials, serials, st.integers(1, 999), st.integers(1, 999))
def test_versions_of_one_certificate_have_one_first_identifier(
    serial: str, other: str, one: int, two: int
) -> None:
    """And certificates of two serials never the same."""

    def first(serial: str, version: int) -> str:
        made = CertificateIdentifier.make(
            "11100000000013338W011", "11430000006122244L", serial, version
        )
        return first_of(str(made))

    assert first(serial, one) == first(serial, two)
    assert (first(serial, one) == first(other, two)) == (serial == other)
    assert identifier_fault(first(serial, one)) is None
