"""When two identifiers belong to one holder, as data, and whom a look-up reaches through that.

A link names an identifier of today (`present`) and another one (`former`). Most kinds are mutual:
whoever is asked for by the one has the certificates of the other too. A merger is not: the
successor has what the merged company held, and the merged company nothing of the successor's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.holder import Holder, HolderKind
from hub.domain.identifier import parse_citizen_number
from hub.errors import HubError

# Identifiers that hang together through links, in whichever direction.
LINKED_MAX: Final = 64

_OTHER_DOCUMENT: Final = "999"
_CITIZEN: Final = "111"
_PERMITS: Final = frozenset({"511", "516"})


class LinkKind(StrEnum):
    """How two identifiers belong together; the values stand in entries."""

    FIFTEEN_TO_EIGHTEEN = "fifteen_to_eighteen"
    RENEWED_DOCUMENT = "renewed_document"
    PERMIT = "permit"
    RENAME = "rename"
    MERGER = "merger"

    @property
    def is_mutual(self) -> bool:
        """Whether either identifier stands for the other."""
        return self is not LinkKind.MERGER

    @property
    def is_self_evident(self) -> bool:
        """Whether the numbers themselves show it, so that no document has to."""
        return self is LinkKind.FIFTEEN_TO_EIGHTEEN


@dataclass(frozen=True, slots=True)
class Link:
    """A link that stands, between keyed hashes of identifiers."""

    former: str
    present: str
    is_mutual: bool


def link_fault(kind: LinkKind, former: Holder, present: Holder) -> str | None:
    """The rule that a link of `kind` between the two breaks, or None."""
    if former == present:
        return "link.self"
    return None if _FITS[kind](former, present) else f"link.{kind.value}"


def reached(links: Iterable[Link], start: str) -> frozenset[str]:
    """The identifiers whose certificates are seen under `start`, without itself.

    Every way counts, however long; circles are walked once.
    """
    ways: dict[str, list[str]] = {}
    for link in links:
        ways.setdefault(link.present, []).append(link.former)
        if link.is_mutual:
            ways.setdefault(link.former, []).append(link.present)
    seen, ahead = {start}, [start]
    while ahead:
        for index in ways.get(ahead.pop(), ()):
            if index not in seen:
                seen.add(index)
                ahead.append(index)
    return frozenset(seen - {start})


def _is_conversion(former: Holder, present: Holder) -> bool:
    """GB 11643: the 18 characters are those that the 15 digits are converted to."""
    if (former.type, present.type) != (_OTHER_DOCUMENT, _CITIZEN) or len(former.number) != 15:
        return False
    try:
        return parse_citizen_number(former.number).number == present.number
    except HubError:
        return False


def _is_renewal(former: Holder, present: Holder) -> bool:
    """A citizen number is never renewed: whoever has another one is another person."""
    return former.type == present.type and former.natural and former.type != _CITIZEN


def _is_permit(former: Holder, present: Holder) -> bool:
    both_people = former.natural and present.natural
    return both_people and (former.type in _PERMITS) is not (present.type in _PERMITS)


def _are_organisations(former: Holder, present: Holder) -> bool:
    return former.kind is present.kind is HolderKind.ORGANISATION


_FITS: Final[Mapping[LinkKind, Callable[[Holder, Holder], bool]]] = {
    LinkKind.FIFTEEN_TO_EIGHTEEN: _is_conversion,
    LinkKind.RENEWED_DOCUMENT: _is_renewal,
    LinkKind.PERMIT: _is_permit,
    LinkKind.RENAME: _are_organisations,
    LinkKind.MERGER: _are_organisations,
}
