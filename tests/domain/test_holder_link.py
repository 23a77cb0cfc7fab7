"""Links between identifiers of holders: which may be made, and whom they reach."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.holder import Holder
from hub.domain.holder_link import Link, LinkKind, link_fault, reached

OLD = Holder("999", "110105491231002")
CITIZEN = Holder("111", "11010519491231002X")
OTHER_CITIZEN = Holder("111", "440524188001010014")
PASSPORT = Holder("414", "E12345678")
NEW_PASSPORT = Holder("414", "E87654321")
PERMIT = Holder("516", "H12345678")
COMPANY = Holder("001", "91350100M000100Y43")
OLD_COMPANY = Holder("099", "350100100012345")


@pytest.mark.parametrize(
    ("kind", "former", "present", "fault"),
    [
        (LinkKind.FIFTEEN_TO_EIGHTEEN, OLD, CITIZEN, None),
        (LinkKind.FIFTEEN_TO_EIGHTEEN, OLD, OTHER_CITIZEN, "link.fifteen_to_eighteen"),
        (LinkKind.FIFTEEN_TO_EIGHTEEN, CITIZEN, OLD, "link.fifteen_to_eighteen"),
        (
            LinkKind.FIFTEEN_TO_EIGHTEEN,
            Holder("999", "11010549123100X"),
            CITIZEN,
            "link.fifteen_to_eighteen",
        ),
        (LinkKind.RENEWED_DOCUMENT, PASSPORT, NEW_PASSPORT, None),
        (LinkKind.RENEWED_DOCUMENT, PASSPORT, PASSPORT, "link.self"),
        (LinkKind.RENEWED_DOCUMENT, PASSPORT, PERMIT, "link.renewed_document"),
        (LinkKind.RENEWED_DOCUMENT, CITIZEN, OTHER_CITIZEN, "link.renewed_document"),
        (LinkKind.RENEWED_DOCUMENT, OLD_COMPANY, COMPANY, "link.renewed_document"),
        (LinkKind.PERMIT, PERMIT, PASSPORT, None),
        (LinkKind.PERMIT, CITIZEN, PERMIT, None),
        (LinkKind.PERMIT, PASSPORT, CITIZEN, "link.permit"),
        (LinkKind.PERMIT, PERMIT, COMPANY, "link.permit"),
        (LinkKind.RENAME, OLD_COMPANY, COMPANY, None),
        (LinkKind.RENAME, PASSPORT, COMPANY, "link.rename"),
        (LinkKind.MERGER, OLD_COMPANY, COMPANY, None),
        (LinkKind.MERGER, COMPANY, CITIZEN, "link.merger"),
        (LinkKind.MERGER, Holder("901", "G330101"), COMPANY, "link.merger"),
    ],
)
def test_a_kind_says_which_identifiers_it_links(
    kind: LinkKind, former: Holder, present: Holder, fault: str | None
) -> None:
    """By type and, where GB 11643 ties them, by the number itself."""
    assert link_fault(kind, former, present) == fault


_INDEXES = st.sampled_from("abcdefgh")
_LINKS = st.lists(st.builds(Link, _INDEXES, _INDEXES, st.booleans()), max_size=20)


@settings(deadline=None)
@given(_LINKS)
def test_what_is_reached_is_what_steps_lead_to(links: list[Link]) -> None:
    """Against the plainest reading: one step after the other until nothing is added."""
    steps = {(one.present, one.former) for one in links}
    steps |= {(one.former, one.present) for one in links if one.is_mutual}
    ways = set(steps)
    while more := {(a, d) for a, b in ways for c, d in steps if b == c} - ways:
        ways |= more
    for start in "abcdefgh":
        assert reached(links, start) == {b for a, b in ways if a == start and b != start}


@settings(deadline=None)
@given(_LINKS)
def test_mutual_links_make_one_holder_of_all(links: list[Link]) -> None:
    """Without mergers, whoever reaches is reached."""
    mutual = [Link(one.former, one.present, is_mutual=True) for one in links]
    for start in "abcdefgh":
        assert all(start in reached(mutual, index) for index in reached(mutual, start))


def test_the_successor_has_what_the_merged_company_held_and_not_the_reverse() -> None:
    """Through a later rename of the successor as well."""
    links = [Link("old", "taken-over", True), Link("taken-over", "first", False),
             Link("first", "second", True)]  # fmt: skip
    assert reached(links, "second") == {"first", "taken-over", "old"}
    assert reached(links, "taken-over") == {"old"}
    assert reached(links, "old") == {"taken-over"}
